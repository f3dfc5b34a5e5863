// What the parts of the type system share: linearisation, layout, attributes of classes.
#pragma once

#include "runtime/core/thread_state.h"
#include "runtime/core/type_object.h"

namespace minivm {

class ListObject;

// C3 linearisation of type->bases, the type itself first. TypeError if there is none.
Result<TupleObject> ComputeMro(ThreadState& ts, TypeObject* type);
// The same through the metaclass's mro(), if it overrides that; checks what comes back. Sets
// kTypeCustomMro on the type if classes occur that are no bases of bases. The caller stores the
// tuple and links the type (LinkType).
Result<TupleObject> MroThroughMetatype(ThreadState& ts, TypeObject* type);
// Enters the type in the subclass lists of its bases (and of foreign classes in its MRO). On
// failure it is in none.
Status LinkType(ThreadState& ts, TypeObject* type);

// The first of `bases` whose layout includes those of all others; TypeErrors for what is no class,
// not an acceptable base, or in conflict. Borrowed.
Result<TypeObject*> BestBase(ThreadState& ts, TupleObject* bases);
// The nearest type in the chain of layout bases that adds fields.
TypeObject* SolidBase(TypeObject* type);
// Can an instance of `from` become one of `to`? The fields must be the same.
bool SameLayout(TypeObject* from, TypeObject* to);
// kShape storage: a root shape with inline_hint slots, current from now on.
Status MakeRootShape(ThreadState& ts, TypeObject* type);
// The shape of instances whose attributes are in a dict; made at first use. Null: no memory.
Shape* DictShape(ThreadState& ts, TypeObject* type);
// Everything that lookups may have cached anywhere is void: a value's class has changed so that the
// value is a descriptor now, or no longer one.
void InvalidateAllTypes(ThreadState& ts);

// __dict__, __weakref__ of instances: in the dictionaries of the classes that introduce them.
extern const GetSetSpec kInstanceDictGetSet;
extern const GetSetSpec kInstanceWeakrefGetSet;
// Native __new__ in the dictionary of a built-in type; bound to it.
extern const MethodSpec kTypeNewMethod;

// assignment to object.__class__
Status SetClass(ThreadState& ts, Value object, Value cls);

// Assignment to a class's __bases__.
Status SetBases(ThreadState& ts, TypeObject* type, Value bases);

// One of the types that every VM has; null: the spec is of no such type.
TypeObject* FixedType(RuntimeState& rt, const TypeSpec* spec);

// The type's own table of operators, made if it has none yet; null: no memory.
OperatorSlots* OwnOperators(TypeObject* type);

}  // namespace minivm

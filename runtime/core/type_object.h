// Types: the objects that describe objects.
//
// Invariants:
//  1. mro[0] is the type itself and the last entry is object.
//  2. slots holds inherited slots too, once kTypeReady is set; TypeReady(ts, type) makes it so and
//     fills the dictionary of a built-in type on first touch.
//  3. version is never reused in a VM and changes whenever a lookup through the type may give
//     another result (dictionary keys, kinds of values, bases), for all subclasses as well;
//     0: not assigned, caches must not be made.
//  4. Values of a class dictionary live in cells (dict_object.h, celled storage), so replacing one
//     plain value by another invalidates nothing. Replacing a function or descriptor does.
//  5. An instance of a heap type owns a reference to its type: AllocInstance takes it, Dealloc
//  drops
//     it, the collector visits it. gc of a heap type is that of its nearest built-in base; slots,
//     extras, __slots__ members and the tail dict are known to gc/object_refs.cpp.
//  6. __slots__ members of a class are member_count Values from member_offset on.
//  7. Built-in types are immortal.
//  8. TypeModified, when kTypeHasSites is set on the type or a subclass, calls
//     VmHooks::invalidate_sites and clears the flag (the interpreter sets it along the MRO when it
//     specialises a call site; generic caches guard on `version`). Unset __slots__ members are
//     null.
//  9. slots and operators are good from InitType on (inherited ones included), and slots derived
//  from special
//     methods are kept up to date by TypeModified; only the dictionary is filled lazily.
//
// What caches may rely on. TypeVersion(ts, type) names the outcome of every lookup of a *cell*
// along the MRO: while it stands, the same name is found in the same cell, or is still absent, and
// the value in the cell is of the same kind. Plain values (whose type has neither __get__ nor
// __set__) may be replaced by plain values at any time: cache the cell, not the value. Anything
// else found in a class (functions, descriptors) is replaced only with a new version. A cache that
// guards on a shape id instead of the version sets kTypeHasSites on the shape's type (and on the
// metatype where that was searched), and is reset by VmHooks::invalidate_sites. A version of 0 must
// not be cached. Whoever writes to TypeObject::dict directly calls TypeModified afterwards.
#pragma once

#include "runtime/core/shape.h"
#include "runtime/native/type_spec.h"

namespace minivm {

class CellObject;
class DictObject;
class TupleObject;

// One end of the weak link between a class and a base of it. `back` is the place of the other end
// in the other list of `type`, so that either end is taken out without a search.
struct TypeLink {
  TypeObject* type;
  uint32_t back;
};

class TypeObject : public Object {
 public:
  const TypeSpec* spec = nullptr;    // of a built-in type, else of the nearest built-in base
  StrObject* name = nullptr;         // __name__
  StrObject* qualname = nullptr;     // heap types; else null: name
  StrObject* module_name = nullptr;  // of built-in types; heap types keep __module__ in dict
  TypeObject* base = nullptr;        // the base that decides the layout
  TupleObject* bases = nullptr;
  TupleObject* mro = nullptr;
  DictObject* dict = nullptr;
  uint32_t flags = 0;  // TypeFlags
  uint32_t version = 0;
  uint32_t shape_id_exact = 0;  // shape id that new instances get (root shape)
  uint32_t basic_size = 0;      // bytes before inline attribute slots
  uint32_t item_size = 0;
  uint16_t member_offset = 0;  // first __slots__ member of this class, bytes
  uint16_t member_count = 0;   // __slots__ members of this class alone
  AttrStorage storage = AttrStorage::kNone;
  uint8_t learn_count = 0;   // instances seen by call sites, which specialise after a few
  uint16_t inline_hint = 0;  // inline capacity of new instances
  uint16_t dict_offset = 0;
  // Bound constructors of TypeSpec, inherited; used when slots.new_ / slots.init are those for
  // specs.
  const MethodSpec* construct = nullptr;
  const MethodSpec* initialise = nullptr;
  const struct Signature* construct_signature = nullptr;  // null until the first call
  const struct Signature* initialise_signature = nullptr;
  Object* cached_init = nullptr;  // borrowed: script __init__ while `version` stands (CALL_CLASS)
  bool has_weakref_slot = false;  // instances can be weakly referenced
  bool owns_operators = false;
  TypeObject* metatype = nullptr;  // borrowed view of type(self); owned through metatype_ref
  Shape* root_shape = nullptr;     // kShape storage: shape of a fresh instance
  Shape* dict_shape = nullptr;     // kShape storage: the dict-mode shape, made when needed
  Shape* old_roots = nullptr;      // former root shapes, of other inline capacities (Shape::older)
  // Weak links of both directions, undone by whichever type dies first: what __subclasses__() and
  // TypeModified walk, and the types in whose lists this one is. Subclasses stand in the order of
  // their making; those that have gone leave a hole (type null) until holes prevail.
  TypeLink* subclasses = nullptr;
  TypeLink* parents = nullptr;
  uint32_t subclass_count = 0, subclass_capacity = 0, subclass_holes = 0;
  uint32_t parent_count = 0, parent_capacity = 0;
  GcHooks gc = {};
  CoreSlots slots = {};
  // Its own table, or, as most types add no operators, that of a built-in type.
  const OperatorSlots* operators = nullptr;

  bool is_heap() const { return flags & kTypeHeap; }
  bool has_flag(uint32_t f) const { return (flags & f) != 0; }

  template <class V>
  void VisitRefs(V&& v) {
    v(name);
    v(qualname);
    v(module_name);
    v(base);
    v(bases);
    v(mro);
    v(dict);
  }
  void FreeBuffers(Heap& heap);
};

// True if a is b or derived from it, by the MRO (no __subclasscheck__).
bool IsSubtype(const TypeObject* a, const TypeObject* b);

// First step of making a built-in type, without a ThreadState: `type` is allocated with a good
// header and default fields; sets spec, base, flags, sizes, storage and gc hooks (inherited from
// `base`, null for object), and marks it immortal. Name, dictionary, MRO and slots come with
// TypeReady. False: out of memory.
bool InitType(RuntimeState& rt, TypeObject* type, const TypeSpec& spec, TypeObject* base);

// Fills dictionary and slots of a built-in type at first touch. Cheap when ready.
Status TypeReadySlow(ThreadState& ts, TypeObject* type);
inline Status TypeReady(ThreadState& ts, TypeObject* type) {
  return MVM_LIKELY(type->flags & kTypeReady) ? Ok() : TypeReadySlow(ts, type);
}

// The attribute along the MRO, without descriptors or metaclass; borrowed, null if absent.
// `name` must be interned. Never raises (a type that cannot be made ready reports nothing).
Value TypeLookup(ThreadState& ts, TypeObject* type, StrObject* name);

// The type of a module-defined spec (deque, partial, ...), made at first use in this VM. Borrowed.
Result<TypeObject*> TypeForSpec(ThreadState& ts, const TypeSpec& spec);

// type.__new__(metatype, name, bases, namespace, **kwargs): what `class` ends in. `kwargs` go to
// __init_subclass__; may be null.
Result<TypeObject> NewHeapType(ThreadState& ts, TypeObject* metatype, StrObject* name,
                               TupleObject* bases, DictObject* ns, DictObject* kwargs = nullptr);
// The most derived of `metatype` and the types of the bases (which may be of any type); TypeError
// "metaclass conflict: ...". Borrowed.
Result<TypeObject*> CalculateMetatype(ThreadState& ts, TypeObject* metatype, TupleObject* bases);

// The type's version, assigned now if need be; 0: there are none left, do not cache.
uint32_t TypeVersion(ThreadState& ts, TypeObject* type);
// Where TypeLookup finds the value; null if absent. Borrowed; never holds unbound.
CellObject* TypeLookupCell(ThreadState& ts, TypeObject* type, StrObject* name);
// Neither __get__ nor __set__: the value stands for itself wherever it is found.
bool IsPlainClassValue(RuntimeState& rt, Value v);
// Takes the type out of the subclass lists it is in.
void UnlinkType(TypeObject* type);
// Sets flags of a heap type and of everything derived from it.
void AddFlagsToTree(TypeObject* type, uint32_t flags);
// Frees the method cache and the table of types made by TypeForSpec (not the types).
void FreeTypeTables(RuntimeState& rt);

// Invalidates everything cached about the type and its subclasses (new versions, call sites,
// slots derived from special methods when `name` is one; null: all).
Status TypeModified(ThreadState& ts, TypeObject* type, StrObject* name);

// An instance has outgrown the inline slots of the current root shape: later ones get more. Called
// by AddSlot; never raises.
void GrowInlineSlots(ThreadState& ts, TypeObject* type);

// Allocates an instance of `type` (fields behind the header zeroed, inline slots empty, tracked if
// a container) with room for `items` items: what object.__new__ does.
Result<> AllocInstance(ThreadState& ts, TypeObject* type, size_t items = 0);

// "list", "collections.deque", "mod.Class": name as error messages show it (%T in Raise).
// Writes UTF-8 into buf, returns its length (truncated to size).
size_t TypeDisplayName(const TypeObject* type, char* buf, size_t size);

// ---- slot functions that callers compare against ----

// object.__new__ and object.__init__.
Result<> ObjectNew(ThreadState& ts, TypeObject* cls, Args raw);
Status ObjectInit(ThreadState& ts, Value self, Args raw);
// Slots of types whose TypeSpec has `construct` / `init`.
Result<> NewFromSpec(ThreadState& ts, TypeObject* cls, Args raw);
Status InitFromSpec(ThreadState& ts, Value self, Args raw);
// A script's __new__, __init__, __getattribute__ or __getattr__, __setattr__ or __delattr__.
Result<> SlotNew(ThreadState& ts, TypeObject* cls, Args raw);
Status SlotInit(ThreadState& ts, Value self, Args raw);
Result<> SlotGetAttr(ThreadState& ts, Value self, StrObject* name);
Status SlotSetAttr(ThreadState& ts, Value self, StrObject* name, Value value);
// hash() of types with __hash__ = None.
Result<int64_t> HashNotImplemented(ThreadState& ts, Value self);
// type.__getattribute__ and type.__setattr__; type.__call__.
Result<> TypeGetAttr(ThreadState& ts, Value self, StrObject* name);
Result<> TypeGetAttrOptional(ThreadState& ts, Value self,
                             StrObject* name);  // Absent() if not found
Status TypeSetAttr(ThreadState& ts, Value self, StrObject* name, Value value);
Result<> TypeCall(ThreadState& ts, Value self, Args raw);

}  // namespace minivm

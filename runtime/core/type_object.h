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
//  5. An instance of a heap type owns a reference to its type: AllocInstance takes it, Dealloc drops
//     it, the collector visits it. gc of a heap type is that of its nearest built-in base; slots,
//     extras, __slots__ members and the tail dict are known to gc/object_refs.cpp.
//  6. __slots__ members of a class are member_count Values from member_offset on.
//  7. Built-in types are immortal.
//  8. TypeModified, when kTypeHasSites is set on the type or a subclass, calls
//     VmHooks::invalidate_sites and clears the flag (the interpreter sets it along the MRO when it
//     specialises a call site; generic caches guard on `version`). Unset __slots__ members are null.
#pragma once

#include "runtime/core/shape.h"
#include "runtime/native/type_spec.h"

namespace minivm {

class DictObject;
class TupleObject;

class TypeObject : public Object {
 public:
  const TypeSpec* spec = nullptr;     // of a built-in type, else of the nearest built-in base
  StrObject* name = nullptr;          // __name__
  StrObject* qualname = nullptr;      // heap types; else null: name
  StrObject* module_name = nullptr;   // of built-in types; heap types keep __module__ in dict
  TypeObject* base = nullptr;         // the base that decides the layout
  TupleObject* bases = nullptr;
  TupleObject* mro = nullptr;
  DictObject* dict = nullptr;
  uint32_t flags = 0;                 // TypeFlags
  uint32_t version = 0;
  uint32_t shape_id_exact = 0;        // shape id that new instances get (root shape)
  uint32_t basic_size = 0;            // bytes before inline attribute slots
  uint32_t item_size = 0;
  uint16_t member_offset = 0;         // first __slots__ member of this class, bytes
  uint16_t member_count = 0;          // __slots__ members of this class alone
  AttrStorage storage = AttrStorage::kNone;
  uint8_t learn_count = 0;            // instances watched for the inline capacity
  uint16_t inline_hint = 0;           // inline capacity of new instances
  uint16_t dict_offset = 0;
  Object* cached_init = nullptr;      // borrowed: script __init__ while `version` stands (CALL_CLASS)
  bool has_weakref_slot = false;      // instances can be weakly referenced
  TypeObject* metatype = nullptr;     // borrowed view of type(self); owned through metatype_ref
  Shape* root_shape = nullptr;        // kShape storage: shape of a fresh instance
  Shape* dict_shape = nullptr;        // kShape storage: the dict-mode shape
  Value* subclasses = nullptr;        // weak: plain TypeObject words, cleared by their destructor
  uint32_t subclass_count = 0, subclass_capacity = 0;
  GcHooks gc = {};
  Slots slots = {};

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

// First step of making a built-in type, without a ThreadState: `type` is allocated with a good header
// and default fields; sets spec, base, flags, sizes, storage and gc hooks (inherited from `base`,
// null for object), and marks it immortal. Name, dictionary, MRO and slots come with TypeReady.
// False: out of memory.
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

// type(name, bases, namespace, **kwargs) for the given metatype: what `class` ends in.
Result<TypeObject> NewHeapType(ThreadState& ts, TypeObject* metatype, StrObject* name,
                               TupleObject* bases, DictObject* ns);

// Invalidates everything cached about the type and its subclasses (new versions, call sites,
// slots derived from special methods when `name` is one; null: all).
Status TypeModified(ThreadState& ts, TypeObject* type, StrObject* name);

// Allocates an instance of `type` (fields behind the header zeroed, inline slots empty, tracked if
// a container) with room for `items` items: what object.__new__ does.
Result<> AllocInstance(ThreadState& ts, TypeObject* type, size_t items = 0);

// "list", "collections.deque", "mod.Class": name as error messages show it (%T in Raise).
// Writes UTF-8 into buf, returns its length (truncated to size).
size_t TypeDisplayName(const TypeObject* type, char* buf, size_t size);

}  // namespace minivm

// Making a VM and taking it apart.
//
// Start-up makes the type objects (empty: dictionaries are filled at first touch), the singletons
// and the shared strings, and interns the names the VM looks up itself. Nothing here may run script
// code.
#include <sys/mman.h>
#include <sys/random.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <string_view>

#include "runtime/core/gil.h"
#include "runtime/core/intern.h"
#include "runtime/core/signals.h"
#include "runtime/core/thread_state.h"
#include "runtime/core/type_internal.h"
#include "runtime/gc/collector.h"
#include "runtime/gc/leak_check.h"
#include "runtime/gc/object_refs.h"
#include "runtime/native/signature.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/objects/weakref_object.h"
#include "runtime/support/hash.h"

namespace minivm {

namespace {

const TypeSpec* const kBuiltinTypes[kTypeCount] = {
    nullptr,
#define TYPE(id, spec) &spec,
#include "runtime/core/types.def"
#undef TYPE
};

constexpr uint32_t kFirstShapes = kFirstDynamicShape + 128;

struct NameText {
  const char* text;
  size_t size;
};
const NameText kNames[] = {
#define NAME(n) {#n, sizeof(#n) - 1},
#include "runtime/core/names.def"
#undef NAME
};

void ChooseHashKey(RuntimeState& rt, const RuntimeConfig& config) {
  if (config.fixed_hash_seed) {
    HashKey key = HashKeyFromSeed(config.hash_seed);
    rt.hash_key[0] = key.k0;
    rt.hash_key[1] = key.k1;
    return;
  }
  if (getrandom(rt.hash_key, sizeof(rt.hash_key), GRND_NONBLOCK) != sizeof(rt.hash_key)) {
    // No entropy yet this early in the system's life: addresses are better than a constant.
    rt.hash_key[0] = HashMix(reinterpret_cast<uintptr_t>(&rt));
    rt.hash_key[1] = HashMix(rt.hash_key[0] ^ reinterpret_cast<uintptr_t>(&config));
  }
}

TypeObject* AllocType(RuntimeState& rt) {
  void* p = rt.heap.Allocate(sizeof(TypeObject), true);
  if (!p) return nullptr;
  TypeObject* t = new (p) TypeObject();
  t->refcount = kImmortalRefcount;
  t->shape_id = ShapeIdOf(TypeId::kType);
  static_cast<Object*>(t)->gc = 0;
  t->aux = 0;
  return t;
}

// Where the base of an exception stands in RuntimeState::exceptions; -1: it is object.
constexpr int16_t IndexOfExc(std::string_view name) {
  constexpr std::string_view kNames[] = {
#define EXC(name, base, layout) #name,
#include "runtime/core/exceptions.def"
#undef EXC
  };
  for (size_t i = 0; i < kExcCount; ++i) {
    if (kNames[i] == name) return static_cast<int16_t>(i);
  }
  return -1;
}
constexpr int16_t kExceptionBases[kExcCount] = {
#define EXC(name, base, layout) IndexOfExc(#base),
#include "runtime/core/exceptions.def"
#undef EXC
};

// The base of a type that is no exception.
TypeObject* FindBase(RuntimeState& rt, const TypeSpec& spec) {
  if (!spec.base) return rt.types[static_cast<size_t>(TypeId::kObject)];
  for (uint32_t i = 1; i < kTypeCount; ++i) {
    if (kBuiltinTypes[i] == spec.base) return rt.types[i];
  }
  MVM_CHECK(false, "a base must stand before what is derived from it");
}

bool MakeType(RuntimeState& rt, const TypeSpec& spec, TypeObject* t, TypeObject* base,
              uint32_t shape_id) {
  if (!InitType(rt, t, spec, t == base ? nullptr : base)) return false;
  t->shape_id_exact = shape_id;
  return true;
}

bool MakeTypes(RuntimeState& rt) {
  rt.shape_capacity = kFirstShapes;
  rt.shapes = static_cast<ShapeEntry*>(std::calloc(rt.shape_capacity, sizeof(ShapeEntry)));
  if (!rt.shapes) return false;
  rt.shape_count = kFirstDynamicShape;
  for (uint32_t i = 1; i < kTypeCount; ++i) {
    if (!(rt.types[i] = AllocType(rt))) return false;
    rt.shapes[i].type = rt.types[i];
  }
  for (uint32_t i = 0; i < kExcCount; ++i) {
    if (!(rt.exceptions[i] = AllocType(rt))) return false;
    rt.shapes[kTypeCount + i].type = rt.exceptions[i];
  }
  for (uint32_t i = 1; i < kTypeCount; ++i) {
    const TypeSpec& spec = *kBuiltinTypes[i];
    if (!MakeType(rt, spec, rt.types[i], FindBase(rt, spec), i)) return false;
  }
  for (uint32_t i = 0; i < kExcCount; ++i) {
    TypeObject* base = kExceptionBases[i] < 0 ? rt.types[static_cast<size_t>(TypeId::kObject)]
                                              : rt.exceptions[kExceptionBases[i]];
    if (!MakeType(rt, *kExceptionTypes[i], rt.exceptions[i], base, kTypeCount + i)) return false;
  }
  for (TypeId id : {TypeId::kMemoryview, TypeId::kSet, TypeId::kFrozenset, TypeId::kModule,
                    TypeId::kNativeFunction, TypeId::kBoundMethod, TypeId::kGenericAlias,
                    TypeId::kFunction, TypeId::kCode, TypeId::kGenerator, TypeId::kCoroutine,
                    TypeId::kAsyncGenerator, TypeId::kType}) {
    rt.types[static_cast<size_t>(id)]->has_weakref_slot = true;
  }
  for (uint32_t id : {kShapeCelledDict, kShapeSlotDict}) {
    rt.shapes[id].type = rt.types[static_cast<size_t>(TypeId::kDict)];
  }
  for (TypeId id : {TypeId::kBool, TypeId::kNoneType, TypeId::kEllipsis, TypeId::kNotImplemented,
                    TypeId::kUnbound}) {
    rt.types[static_cast<size_t>(id)]->flags |= kTypeImmortalInstances;
  }
  return true;
}

Object* MakeSingleton(RuntimeState& rt, TypeId id, size_t size, bool container = false) {
  Object* o = static_cast<Object*>(rt.heap.Allocate(size, container));
  if (!o) return nullptr;
  std::memset(static_cast<void*>(o), 0, size);
  o->refcount = kImmortalRefcount;
  o->shape_id = ShapeIdOf(id);
  return o;
}

bool MakeSingletons(RuntimeState& rt) {
  rt.none = MakeSingleton(rt, TypeId::kNoneType, sizeof(Object));
  rt.ellipsis = MakeSingleton(rt, TypeId::kEllipsis, sizeof(Object));
  rt.not_implemented = MakeSingleton(rt, TypeId::kNotImplemented, sizeof(Object));
  rt.unbound = MakeSingleton(rt, TypeId::kUnbound, sizeof(Object));
  rt.false_ = MakeSingleton(rt, TypeId::kBool, sizeof(IntObject) + sizeof(uint64_t));
  rt.true_ = MakeSingleton(rt, TypeId::kBool, sizeof(IntObject) + sizeof(uint64_t));
  rt.empty_tuple = MakeSingleton(rt, TypeId::kTuple, sizeof(TupleObject), true);
  rt.empty_bytes = MakeSingleton(rt, TypeId::kBytes, sizeof(BytesObject) + 1);
  rt.empty_str = AllocLatin1(rt, 0);
  if (!rt.none || !rt.ellipsis || !rt.not_implemented || !rt.unbound || !rt.false_ || !rt.true_ ||
      !rt.empty_tuple || !rt.empty_bytes || !rt.empty_str) {
    return false;
  }
  rt.true_->aux = 1 << 1;  // one limb, not negative
  rt.true_->as<IntObject>()->limbs()[0] = 1;
  rt.empty_str->refcount = kImmortalRefcount;
  rt.empty_str->set_interned(true);
  for (int c = 0; c < 256; ++c) {
    StrObject* s = AllocLatin1(rt, 1);
    if (!s) return false;
    s->refcount = kImmortalRefcount;
    s->ascii_ = c < 0x80;
    s->data1()[0] = static_cast<uint8_t>(c);
    s->set_interned(true);
    rt.latin1[c] = s;
  }
  return true;
}

bool InternNames(RuntimeState& rt) {
  rt.interned = new (std::nothrow) InternTable();
  if (!rt.interned) return false;
  for (size_t i = 0; i < static_cast<size_t>(NameId::kCount); ++i) {
    if (!(rt.names[i] = InternAscii(rt, kNames[i].text, kNames[i].size))) return false;
  }
  return true;
}

template <class T>
void Drop(T*& field) {
  if (T* old = std::exchange(field, nullptr)) Decref(old);
}

// Frees what every object left over holds outside of the heap's pages. Counts are raised first, so
// that dropping references ends no life: no order matters and nothing of the script runs.
constexpr uint32_t kRaisedCount = 1u << 31;
void DestroyRemains(RuntimeState& rt) {
  rt.heap.ForEachObject([](Object* o) { o->refcount += kRaisedCount; });
  // Types last: their destroy hook frees shapes, which the instances need. A page of smaller slots
  // has none.
  auto may_hold_types = [](const Page* p) {
    return p->container && p->slot_size >= sizeof(TypeObject);
  };
  rt.heap.ForEachPage([&](Page* p) {
    const bool types = may_hold_types(p);
    Heap::ForEachInPage(p, [&](Object* o) {
      if (o->shape_id == ShapeIdOf(TypeId::kStr)) return;
      TypeObject* type = rt.shapes[o->shape_id].type;
      if (types && type->has_flag(kTypeTypeSubclass)) {
        o->gc |= kGcReachable;
        return;
      }
      o->gc &= ~kGcReachable;
      DestroyObject(rt, o, type);
    });
  });
  auto destroy_type = rt.types[static_cast<size_t>(TypeId::kType)]->gc.destroy;
  rt.heap.ForEachPage([&](Page* p) {
    if (!may_hold_types(p)) return;
    Heap::ForEachInPage(p, [&](Object* o) {
      if (o->gc & kGcReachable) destroy_type(rt.heap, o);
    });
  });
}

}  // namespace

TypeObject* FixedType(RuntimeState& rt, const TypeSpec* spec) {
  for (uint32_t i = 1; i < kTypeCount; ++i) {
    if (kBuiltinTypes[i] == spec) return rt.types[i];
  }
  for (uint32_t i = 0; i < kExcCount; ++i) {
    if (kExceptionTypes[i] == spec) return rt.exceptions[i];
  }
  return nullptr;
}

RuntimeState::RuntimeState() : heap(this) {}

bool RuntimeState::Init(const RuntimeConfig& config) {
  heap.set_limit(config.memory_limit);
  stack_words = config.stack_words;
  ChooseHashKey(*this, config);
  if (!MakeTypes(*this) || !MakeSingletons(*this) || !InternNames(*this)) return false;
  weakrefs = new (std::nothrow) WeakrefTable();
  signatures = new (std::nothrow) SignatureTable();
  main_thread = NewThreadState(*this, stack_words);
  if (!weakrefs || !signatures || !main_thread) return false;
  main_thread->id = 1;
  handle_signals = config.handle_signals;
  threads = main_thread;
  heap.current_ts = main_thread;
  Result<DictObject> made = NewDict(*main_thread);
  if (made.raised()) return false;
  modules = made.Take().Release();
  Result<> spare = NewException(*main_thread, Exc::kMemoryError, Value());
  if (spare.raised()) return false;
  spare_memory_error = spare.Take().Release().object();
  return true;
}

RuntimeState::~RuntimeState() {
  finalizing = true;
  heap.StopTracing();
  std::optional<LeakCheck> leaks;
  if (TEST_leaks) leaks.emplace(*this, TEST_leaks);
  if (main_thread) {
    heap.current_ts = nullptr;  // no script code from here on
    ReleaseSignals(*this);
    Drop(builtins);
    Drop(builtins_dict);
    Drop(sys);
    Drop(codecs);
    Drop(audit_hooks);
    Drop(no_default);
    Drop(tree_types);
    for (Object*& state : module_states) Drop(state);
    Drop(modules);
    Drop(spare_memory_error);
    heap.collector().DropRoots();
    if (signatures) signatures->Clear(heap);
    FreeTypeTables(*this);
    DropThreadValues(*main_thread);
    if (leaks) leaks->BeforeDestruction(*main_thread);
    DeleteThreadState(main_thread);
    DestroyRemains(*this);
    for (StrObject*& name : names) Drop(name);
    if (leaks) leaks->AfterDestruction(kRaisedCount);
  } else {  // Init has failed: only types hold memory outside of the heap's pages
    const auto release = [](TypeObject* type) {
      if (type && type->owns_operators) std::free(const_cast<OperatorSlots*>(type->operators));
    };
    for (TypeObject* type : types) release(type);
    for (TypeObject* type : exceptions) release(type);
  }
  heap.Account(-static_cast<ptrdiff_t>((shape_capacity - kFirstShapes) * sizeof(ShapeEntry)));
  heap.Account(-static_cast<ptrdiff_t>(extras_capacity * sizeof(InstanceExtras)));
  if (weakrefs) heap.Account(-static_cast<ptrdiff_t>(weakrefs->charged()));
  if (interned) heap.Account(-static_cast<ptrdiff_t>(interned->charged()));
  if (leaks && main_thread) leaks->Buffers();
  if (gil) gil->Unshare();
  if (attr_cache) munmap(attr_cache, attr_cache_size);
  std::free(extras);
  std::free(shapes);
  delete signatures;
  delete weakrefs;
  delete interned;
}

}  // namespace minivm

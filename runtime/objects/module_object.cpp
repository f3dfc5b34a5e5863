// module: a namespace with a name. Native modules are filled from their tables.
//
// Attribute lookup tries the module's dictionary first for names that the type does not define. The
// end of a VM, when modules are emptied, is here as well.
#include "runtime/objects/module_object.h"

#include <cstring>
#include <string>

#include "runtime/core/intern.h"
#include "runtime/gc/alloc_tracer.h"
#include "runtime/gc/collector.h"
#include "runtime/gc/object_refs.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/objects/weakref_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

// The five names every module has.
Status EnterStandardNames(ThreadState& ts, DictObject* dict, Value name, Value doc) {
  MVM_TRY_VOID(DictSetStr(ts, dict, MVM_NAME(ts, __name__), name));
  MVM_TRY_VOID(DictSetStr(ts, dict, MVM_NAME(ts, __doc__), doc));
  MVM_TRY_VOID(DictSetStr(ts, dict, MVM_NAME(ts, __package__), ts.rt->none));
  MVM_TRY_VOID(DictSetStr(ts, dict, MVM_NAME(ts, __loader__), ts.rt->none));
  return DictSetStr(ts, dict, MVM_NAME(ts, __spec__), ts.rt->none);
}

// Borrowed; null if the module has no such name.
Value Lookup(ThreadState& ts, ModuleObject* m, StrObject* name) {
  return m->dict ? DictGetStr(ts, m->dict, name) : Value();
}

Result<> ConstantValue(ThreadState& ts, const ConstantSpec& c) {
  switch (c.kind) {
    case ConstantSpec::kInt: return NewInt(ts, c.i);
    case ConstantSpec::kFloat: return NewFloat(ts, c.f);
    case ConstantSpec::kStr: return NewStr(ts, c.s);
  }
  return None(ts);
}

std::string_view LastPart(const char* name) {
  const char* dot = std::strrchr(name, '.');
  return dot ? dot + 1 : name;
}

}  // namespace

Result<ModuleObject> NewModule(ThreadState& ts, StrObject* name) {
  MVM_TRY(Ref<ModuleObject> m, New<ModuleObject>(ts, TypeId::kModule));
  MVM_TRY(Ref<DictObject> dict, NewCelledDict(ts));
  MVM_TRY_VOID(EnterStandardNames(ts, dict, name, ts.rt->none));
  m->dict = dict.Release();
  Track(m);
  return m;
}

namespace {

std::string_view NameOf(const MethodSpec& function) {
  return {function.signature, std::strcspn(function.signature, "(")};
}

Status AddFunction(ThreadState& ts, ModuleObject* m, const MethodSpec& function) {
  MVM_TRY(Ref<StrObject> module_name, InternUtf8(ts, m->spec->name));
  MVM_TRY(Ref<NativeFunctionObject> f, NewNativeFunction(ts, function, m, false, module_name));
  return ModuleAdd(ts, m, NameOf(function), f);
}

Status AddType(ThreadState& ts, ModuleObject* m, const TypeSpec& spec) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec));
  return ModuleAdd(ts, m, LastPart(spec.name), type);
}

// Enters the late name, if it is one.
Status AddLate(ThreadState& ts, ModuleObject* m, StrObject* name) {
  const AllocTracer::Pause pause(ts);  // as if it had been there from the start
  for (const LateSpec& late : m->spec->late) {
    if (!name->EqualsAscii(late.name)) continue;
    MVM_TRY(Ref<> value, late.make(ts));
    return DictSetStr(ts, m->dict, name, value);
  }
  if (!m->spec->late_members) return Ok();
  for (const MethodSpec& function : m->spec->functions) {
    if (name->EqualsAscii(NameOf(function))) return AddFunction(ts, m, function);
  }
  for (const TypeSpec* type : m->spec->types) {
    if (name->EqualsAscii(LastPart(type->name))) return AddType(ts, m, *type);
  }
  return Ok();
}

}  // namespace

Status CompleteModule(ThreadState& ts, ModuleObject* m) {
  if (MVM_LIKELY(!m->incomplete)) return Ok();
  auto add = [&](std::string_view text) -> Status {
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, text));
    return DictGetStr(ts, m->dict, name).is_null() ? AddLate(ts, m, name) : Ok();
  };
  for (const LateSpec& late : m->spec->late) MVM_TRY_VOID(add(late.name));
  if (m->spec->late_members) {
    for (const MethodSpec& function : m->spec->functions) MVM_TRY_VOID(add(NameOf(function)));
    for (const TypeSpec* type : m->spec->types) MVM_TRY_VOID(add(LastPart(type->name)));
  }
  m->incomplete = false;
  return Ok();
}

Result<ModuleObject> NewNativeModule(ThreadState& ts, const ModuleSpec& spec) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, spec.name));
  MVM_TRY(Ref<ModuleObject> m, NewModule(ts, name));
  m->spec = &spec;
  if (spec.doc) {
    MVM_TRY(Ref<StrObject> doc, NewStr(ts, spec.doc));
    MVM_TRY_VOID(DictSetStr(ts, m->dict, MVM_NAME(ts, __doc__), doc));
  }
  m->incomplete = spec.late_members || spec.late.size != 0;
  if (!spec.late_members) {
    for (const MethodSpec& function : spec.functions) MVM_TRY_VOID(AddFunction(ts, m, function));
    for (const TypeSpec* type : spec.types) MVM_TRY_VOID(AddType(ts, m, *type));
  }
  for (const ConstantSpec& constant : spec.constants) {
    MVM_TRY(Ref<> value, ConstantValue(ts, constant));
    MVM_TRY_VOID(ModuleAdd(ts, m, constant.name, value));
  }
  if (spec.exec) MVM_TRY_VOID(spec.exec(ts, m));
  return m;
}

Status ModuleAdd(ThreadState& ts, ModuleObject* m, std::string_view name, Value value) {
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
  return DictSetStr(ts, m->dict, key, value);
}

// ---- the type ----

namespace {

Result<> module_new(ThreadState& ts, TypeObject* cls, Args) {
  MVM_TRY(Ref<> self, AllocInstance(ts, cls));
  MVM_TRY(Ref<DictObject> dict, NewCelledDict(ts));
  self.as<ModuleObject>()->dict = dict.Release();
  return self;
}

// module(name, doc=None): a module that stands in no sys.modules.
Result<> module_init(ThreadState& ts, Args args) {
  ModuleObject* m = args.self<ModuleObject>();
  if (!IsStr(ts, args[1])) {
    return Raise(ts, Exc::kTypeError, "module() argument 'name' must be str, not %T", args[1]);
  }
  if (!m->dict) {
    MVM_TRY(Ref<DictObject> dict, NewCelledDict(ts));
    m->dict = dict.Release();
  }
  MVM_TRY_VOID(EnterStandardNames(ts, m->dict, args[1], args[2]));
  return None(ts);
}

// The module's name for messages and repr, or null.
Value NameForDisplay(ThreadState& ts, ModuleObject* m) {
  Value name = Lookup(ts, m, MVM_NAME(ts, __name__));
  return !name.is_null() && IsStr(ts, name) ? name : Value();
}

bool IsTruthyNone(ThreadState& ts, Value v) { return v.is_null() || IsNone(ts, v); }

// repr as the module's __spec__ tells it; Absent() without a usable spec.
Result<> ReprFromSpec(ThreadState& ts, Value spec) {
  MVM_TRY(Ref<> name, GetAttrOptional(ts, spec, MVM_NAME(ts, name)));
  if (name.is_absent()) return Result<>::Steal(Value::Absent());
  MVM_TRY(Ref<> origin, GetAttrOptional(ts, spec, "origin"));
  if (origin.is_absent() || IsNone(ts, origin)) {
    MVM_TRY(Ref<> loader, GetAttrOptional(ts, spec, "loader"));
    if (loader.is_absent() || IsNone(ts, loader)) return Format(ts, "<module %R>", name.get());
    MVM_TRY_VOID(TypeReady(ts, TypeOf(ts, loader)));
    if (TypeOf(ts, loader)->name->EqualsAscii("NamespaceLoader")) {
      MVM_TRY(Ref<> path, GetAttr(ts, loader, "_path"));
      MVM_TRY(Ref<> places, ListFrom(ts, path));
      return Format(ts, "<module %R (namespace) from %R>", name.get(), places.get());
    }
    return Format(ts, "<module %R (%R)>", name.get(), loader.get());
  }
  MVM_TRY(Ref<> located, GetAttrOptional(ts, spec, "has_location"));
  bool has_location = false;
  if (!located.is_absent()) {
    MVM_TRY(has_location, Truth(ts, located));
  }
  if (has_location) return Format(ts, "<module %R from %R>", name.get(), origin.get());
  return Format(ts, "<module %R (%S)>", name.get(), origin.get());
}

Result<> module_repr(ThreadState& ts, Value self) {
  // As any attributes, with the module's __getattr__.
  MVM_TRY(Ref<> spec, GetAttrOptional(ts, self, MVM_NAME(ts, __spec__)));
  bool has_spec = false;
  if (!spec.is_absent()) {
    MVM_TRY(has_spec, Truth(ts, spec));
  }
  if (has_spec) {
    MVM_TRY(Ref<> text, ReprFromSpec(ts, spec));
    if (!text.is_absent()) return text;
  }
  MVM_TRY(Ref<> name, GetAttrOptional(ts, self, MVM_NAME(ts, __name__)));
  if (name.is_absent()) {
    MVM_TRY(name, NewStr(ts, "?"));
  }
  MVM_TRY(Ref<> file, GetAttrOptional(ts, self, MVM_NAME(ts, __file__)));
  if (!file.is_absent()) return Format(ts, "<module %R from %R>", name.get(), file.get());
  if (self.as<ModuleObject>()->spec) return Format(ts, "<module %R (built-in)>", name.get());
  MVM_TRY(Ref<> loader, GetAttrOptional(ts, self, MVM_NAME(ts, __loader__)));
  if (loader.is_absent() || IsNone(ts, loader)) return Format(ts, "<module %R>", name.get());
  return Format(ts, "<module %R (%R)>", name.get(), loader.get());
}

// Is the module's __spec__ still marked as being imported?
Result<bool> IsInitializing(ThreadState& ts, ModuleObject* m) {
  Ref<> spec = Ref<>::Borrow(Lookup(ts, m, MVM_NAME(ts, __spec__)));
  if (IsTruthyNone(ts, spec)) return false;
  MVM_TRY(Ref<> flag, GetAttrOptional(ts, spec, MVM_NAME(ts, _initializing)));
  if (flag.is_absent()) return false;
  return Truth(ts, flag);
}

Raised RaiseNoAttribute(ThreadState& ts, ModuleObject* m, StrObject* name) {
  Ref<> module_name = Ref<>::Borrow(NameForDisplay(ts, m));
  if (!module_name)
    return Raise(ts, Exc::kAttributeError, "module has no attribute '%U'", Value(name));
  Result<bool> initializing = IsInitializing(ts, m);
  if (initializing.raised()) return kRaised;
  if (initializing.Take()) {
    return Raise(
        ts, Exc::kAttributeError,
        "partially initialized module '%U' has no attribute '%U' (most likely due to a circular "
        "import)",
        module_name.get(), Value(name));
  }
  return Raise(ts, Exc::kAttributeError, "module '%U' has no attribute '%U'", module_name.get(),
               Value(name));
}

Result<> module_getattro(ThreadState& ts, Value self, StrObject* name) {
  ModuleObject* m = self.as<ModuleObject>();
  TypeObject* type = TypeOf(ts, self);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (!TypeLookup(ts, type, name).is_null()) {
    // A name of the type: descriptors decide. What they do not find may still be in the module.
    Result<> found = GenericGetAttr(ts, self, name);
    if (!found.raised() || !PendingIs(ts, Exc::kAttributeError)) return found;
    if (Lookup(ts, m, MVM_NAME(ts, __getattr__)).is_null()) return kRaised;
    ClearPending(ts);
  } else {
    Value v = Lookup(ts, m, name);
    if (MVM_UNLIKELY(v.is_null() && m->incomplete)) {
      MVM_TRY_VOID(AddLate(ts, m, name));
      v = Lookup(ts, m, name);
    }
    if (!v.is_null()) return Result<>::Borrow(v);
  }
  Ref<> hook = Ref<>::Borrow(Lookup(ts, m, MVM_NAME(ts, __getattr__)));
  if (hook) return Call(ts, hook, name);
  return RaiseNoAttribute(ts, m, name);
}

Result<> module_get_dict(ThreadState& ts, Value self) {
  MVM_TRY_VOID(CompleteModule(ts, self.as<ModuleObject>()));
  DictObject* dict = self.as<ModuleObject>()->dict;
  return Result<>::Borrow(dict ? Value(dict) : Value(ts.rt->none));
}

Result<> module_get_annotations(ThreadState& ts, Value self) {
  ModuleObject* m = self.as<ModuleObject>();
  Value found = Lookup(ts, m, MVM_NAME(ts, __annotations__));
  if (!found.is_null()) return Result<>::Borrow(found);
  MVM_TRY(Ref<DictObject> made, NewDict(ts));
  MVM_TRY_VOID(DictSetStr(ts, m->dict, MVM_NAME(ts, __annotations__), made));
  return made;
}

Status module_set_annotations(ThreadState& ts, Value self, Value value) {
  ModuleObject* m = self.as<ModuleObject>();
  StrObject* name = MVM_NAME(ts, __annotations__);
  if (!value.is_null()) return DictSetStr(ts, m->dict, name, value);
  MVM_TRY(bool existed, DictDelete(ts, m->dict, name));
  if (!existed) return Raise(ts, Exc::kAttributeError, "__annotations__");
  return Ok();
}

// module.__dir__(): the module's own __dir__, if it defines one, else its names.
Result<> module_dir(ThreadState& ts, Args args) {
  ModuleObject* m = args.self<ModuleObject>();
  MVM_TRY(Ref<> dict, GetAttr(ts, m, MVM_NAME(ts, __dict__)));
  if (!IsDict(ts, dict)) {
    return Raise(ts, Exc::kTypeError, "%R.__dict__ is not a dictionary", args[0]);
  }
  Ref<> hook = Ref<>::Borrow(DictGetStr(ts, dict.as<DictObject>(), MVM_NAME(ts, __dir__)));
  if (hook) return Call(ts, hook);
  return ListFrom(ts, dict);
}

const MethodSpec kModuleMethods[] = {
    {"__dir__(self, /)", module_dir, "The names defined in the module."},
};
const GetSetSpec kModuleGetSets[] = {
    {"__annotations__", module_get_annotations, module_set_annotations},
    {"__dict__", module_get_dict, SetReadOnlyMember},
};

}  // namespace

extern const TypeSpec kModuleType;
const TypeSpec kModuleType = {
    .name = "module",
    .doc = "A namespace with a name, filled by running a source file or a native module's tables.",
    .flags = kTypeBase,
    .size = sizeof(ModuleObject),
    .gc = GcHooksOf<ModuleObject>(),
    .slots = {.repr = module_repr, .getattro = module_getattro, .new_ = module_new},
    .init = {"__init__(self, name, doc=None)", module_init},
    .methods = kModuleMethods,
    .getsets = kModuleGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = sizeof(Object),  // the first field
};

// ---- the end of a VM ----

namespace {

// Sets the module's names to None: first those with one leading underscore, then the others but
// __builtins__.
void EmptyModule(ThreadState& ts, ModuleObject* m) {
  for (int pass = 0; pass < 2 && m->dict; ++pass) {
    size_t pos = 0;
    Value key, value;
    // Replacing values adds no keys, but what it frees may run code that does: go by position.
    while (m->dict && DictNext(ts, m->dict, &pos, &key, &value)) {
      if (!IsStr(ts, key) || IsNone(ts, value)) continue;
      StrObject* name = key.as<StrObject>();
      bool underscore = name->length > 0 && name->At(0) == '_';
      bool single = underscore && !(name->length > 1 && name->At(1) == '_');
      if (pass == 0 ? !single : name == MVM_NAME(ts, __builtins__)) continue;
      Ref<StrObject> held = Ref<StrObject>::Borrow(name);
      if (DictSetStr(ts, m->dict, held, ts.rt->none).raised()) ClearPending(ts);
    }
  }
}

// The standard streams that the VM was started with, and the files they stand on. Everybody has
// them, and as long as their attributes are texts and the like they are part of no cycle.
class StandardStreams final : public Visitor {
 public:
  explicit StandardStreams(ThreadState& ts) : ts_(ts) {
    for (const char* name : {"__stdin__", "__stdout__", "__stderr__"}) {
      Result<StrObject> made = InternUtf8(ts, name);
      if (made.raised()) {
        ClearPending(ts);
        continue;
      }
      Ref<StrObject> key = made.Take();
      const Value stream = ts.rt->sys ? DictGetStr(ts, ts.rt->sys->dict, key) : Value();
      if (!stream.is_null() && stream.is_object()) Visit(stream.object());
    }
    for (size_t i = 0; i < count_; ++i) VisitObject(*ts.rt, known_[i], *this);
  }
  void Seen(Object* o) override {
    const TypeObject* type = TypeOf(ts_, o);
    if (type->has_flag(kTypeDictSubclass)) plain_ = plain_ && IsPlain(o->as<DictObject>());
    if (!type->slots.finalize || Has(o)) return;
    plain_ = plain_ && !type->is_heap() && count_ < kMost;
    if (plain_) known_[count_++] = o;
  }
  bool Has(const Object* o) const {
    for (size_t i = 0; i < count_; ++i) {
      if (known_[i] == o) return true;
    }
    return false;
  }
  bool plain() const { return plain_; }

 private:
  bool IsPlain(DictObject* attributes) const {
    size_t pos = 0;
    Value key, value;
    while (DictNext(ts_, attributes, &pos, &key, &value)) {
      if (value.is_object() && Page::Of(value.object())->container) return false;
    }
    return true;
  }

  static constexpr size_t kMost = 12;
  ThreadState& ts_;
  Object* known_[kMost];
  size_t count_ = 0;
  bool plain_ = true;
};

// Can anybody tell that the callback of a weak reference is called at the end? Not of those that
// take the reference out of a container, nor of functions of the modules that are part of the
// executable, which do just that (WeakValueDictionary, logging's list of handlers).
bool CallbackShows(ThreadState& ts, Value callback) {
  if (IsExact(callback, TypeId::kNativeFunction)) {
    const Value self = callback.as<NativeFunctionObject>()->self;
    return !IsExact(self, TypeId::kSet) && !IsExact(self, TypeId::kList) && !IsExactDict(self);
  }
  if (!IsExact(callback, TypeId::kFunction)) return true;
  bool frozen = false;
  auto look = [&]() -> Status {
    MVM_TRY(Ref<> globals, GetAttr(ts, callback, "__globals__"));
    if (!IsExactDict(globals)) return Ok();
    MVM_TRY(Ref<StrObject> key, InternUtf8(ts, "__spec__"));
    const Value spec = DictGetStr(ts, globals.as<DictObject>(), key);
    if (spec.is_null() || !spec.is_object() || TypeOf(ts, spec)->is_heap()) return Ok();
    MVM_TRY(Ref<> origin, GetAttr(ts, spec, "origin"));
    frozen = IsExact(origin, TypeId::kStr) && origin.as<StrObject>()->EqualsAscii("frozen");
    return Ok();
  };
  if (look().raised()) ClearPending(ts);
  return !frozen;
}

// Can anybody tell when and in which order what is left dies: a finalizer, a callback of a weak
// reference, the release of a buffer? If not, collections and the emptying of modules, which cost
// more than all the rest of a small VM, are left out; everything goes with the VM.
bool EndShows(ThreadState& ts) {
  Collector& collector = ts.rt->heap.collector();
  if (collector.debug || (collector.callbacks && collector.callbacks->size != 0)) return true;
  StandardStreams streams(ts);
  bool show = !streams.plain();
  constexpr size_t kMostCallbacks = 16;
  Value callbacks[kMostCallbacks];  // looked at afterwards: that may allocate
  size_t count = 0;
  ts.rt->heap.ForEachObject([&](Object* o) {
    // Most of what there is in a small VM.
    if (o->shape_id == ShapeIdOf(TypeId::kStr) || o->shape_id == ShapeIdOf(TypeId::kCell)) return;
    if (show) return;
    show = (TypeOf(ts, o)->has_flag(kTypeHasFinalizer) && !streams.Has(o)) ||
           o->shape_id == ShapeIdOf(TypeId::kMemoryview);
    if (!(o->gc & kGcHasWeakrefs)) return;
    for (const WeakrefObject* r = ts.rt->weakrefs->First(o); r != nullptr; r = r->next) {
      if (r->callback.is_null()) continue;
      if (count > 0 && callbacks[count - 1].is(r->callback)) continue;
      if (count == kMostCallbacks) {
        show = true;
        return;
      }
      callbacks[count++] = r->callback;
    }
  });
  for (size_t i = 0; i < count && !show; ++i) show = CallbackShows(ts, callbacks[i]);
  return show;
}

// The last uncaught exception holds frames, and they hold what is to die before sys does.
void DropLastException(ThreadState& ts) {
  ModuleObject* sys = ts.rt->sys;
  if (sys == nullptr) return;
  auto drop = [&](const char* name) -> Status {
    MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
    return Lookup(ts, sys, key).is_null() ? Ok() : DictSetStr(ts, sys->dict, key, ts.rt->none);
  };
  for (const char* name : {"last_exc", "last_type", "last_value", "last_traceback"}) {
    if (drop(name).raised()) ClearPending(ts);
  }
}

// What the names of the program refer to dies first, in their order, should all die together.
void GiveEarlyTurns(ThreadState& ts) {
  const Value main = DictGetStr(ts, ts.rt->modules, MVM_NAME(ts, __main__));
  if (main.is_null() || !IsInstance(ts, main, TypeById(ts, TypeId::kModule))) return;
  size_t pos = 0;
  Value key, value;
  while (DictNext(ts, main.as<ModuleObject>()->dict, &pos, &key, &value)) {
    if (!value.is_object() || !Page::Of(value.object())->container) continue;
    if (TypeOf(ts, value)->slots.finalize) {
      ts.rt->heap.collector().TakeEarlyTurn(value.object());
    }
  }
}

}  // namespace

void FinalizeModules(ThreadState& ts) {
  RuntimeState& rt = *ts.rt;
  rt.ending = true;
  if (!EndShows(ts)) {
    rt.finalizing = true;
    return;
  }
  Collector& collector = rt.heap.collector();
  DropLastException(ts);
  // What is called around forks and at the end keeps the modules of its functions alive.
  for (ModuleState calls : {ModuleState::kForkHooks, ModuleState::kAtExit}) {
    Object* list = std::exchange(rt.module_states[static_cast<size_t>(calls)], nullptr);
    if (list != nullptr) Decref(list);
  }
  collector.Collect(ts, 2);
  collector.quiet = true;
  Ref<ModuleObject> builtins = Ref<ModuleObject>::Borrow(rt.builtins);
  Ref<ModuleObject> sys = Ref<ModuleObject>::Borrow(rt.sys);
  // Modules in the order of their import; those that survive losing sys.modules are emptied.
  Ref<ListObject> order;
  if (rt.modules) {
    Result<ListObject> made = NewListReserve(ts, DictSize(rt.modules));
    if (made.raised()) {
      ClearPending(ts);
    } else {
      order = made.Take();
      size_t pos = 0;
      Value key, value;
      while (DictNext(ts, rt.modules, &pos, &key, &value)) {
        if (IsInstance(ts, value, TypeById(ts, TypeId::kModule))) {
          if (ListAppend(ts, order, value).raised()) ClearPending(ts);
        }
      }
    }
    GiveEarlyTurns(ts);
    DictClear(ts, rt.modules);
  }
  // Whoever is held by the list alone dies here, the last import first.
  for (size_t i = order ? order->size : 0; i-- > 0;) {
    Object* m = order->items[i].object();
    if (m->refcount != 1 || m == static_cast<Object*>(builtins) || m == static_cast<Object*>(sys))
      continue;
    Ref<> dropped = Ref<>::Steal(std::exchange(order->items[i], Value(rt.none)));
    Incref(rt.none);
  }
  // The others are only watched from here on: those that hold each other alone are collected
  // together, and their finalizers still find everything.
  for (size_t i = order ? order->size : 0; i-- > 0;) {
    const Value v = order->items[i];
    if (IsNone(ts, v) || v.is(builtins.value()) || v.is(sys.value())) continue;
    Result<> watched = NewWeakref(ts, nullptr, v, rt.none);
    if (watched.raised()) {
      ClearPending(ts);
      continue;  // held to the end
    }
    Ref<> dropped = Ref<>::Steal(std::exchange(order->items[i], watched.Take().Release()));
  }
  collector.Collect(ts, 2);
  for (size_t i = order ? order->size : 0; i-- > 0;) {
    Ref<> held = Ref<>::Borrow(order->items[i]);
    if (IsExact(held, TypeId::kWeakReference)) {
      Result<> target = WeakrefTarget(ts, held.as<WeakrefObject>());
      if (target.raised()) {
        ClearPending(ts);
        continue;
      }
      held = target.Take();
    }
    if (IsNone(ts, held) || held.is(builtins.value()) || held.is(sys.value())) continue;
    EmptyModule(ts, held.as<ModuleObject>());
  }
  order = Ref<ListObject>();
  { Ref<> context = Ref<>::Steal(std::exchange(ts.context, Value())); }
  collector.Collect(ts, 2);
  rt.finalizing = true;
  if (sys) EmptyModule(ts, sys);
  if (builtins) EmptyModule(ts, builtins);
  // What hung on the names of sys or was registered, as hooks are, with all that their globals
  // hold.
  { Ref<TupleObject> codecs = Ref<TupleObject>::Steal(std::exchange(rt.codecs, nullptr)); }
  collector.Collect(ts, 2);
  ClearPending(ts);
}

}  // namespace minivm

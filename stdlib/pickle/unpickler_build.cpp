// UnpicklerCore: finding classes, making instances, giving them their state.
#include "runtime/native/native_function.h"
#include "runtime/objects/codec.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "stdlib/pickle/unpickler.h"

namespace minivm::pickle {

namespace {

// The Python 3 name of a Python 2 one.
Status MapToPython3(ThreadState& ts, Ref<>* module, Ref<>* name) {
  MVM_TRY(Ref<DictObject> names, ImportedDict(ts, "_compat_pickle", "NAME_MAPPING"));
  MVM_TRY(Ref<TupleObject> key, Pair(ts, *module, *name));
  MVM_TRY(Ref<> mapped, DictGet(ts, names, key));
  if (!mapped.is_absent()) {
    if (!IsTuple(ts, mapped) || mapped.as<TupleObject>()->size() != 2) {
      return Raise(ts, Exc::kRuntimeError,
                   "_compat_pickle.NAME_MAPPING values should be 2-tuples, not %T", mapped.get());
    }
    const Value to_module = (*mapped.as<TupleObject>())[0];
    const Value to_name = (*mapped.as<TupleObject>())[1];
    if (!IsStr(ts, to_module) || !IsStr(ts, to_name)) {
      return Raise(ts, Exc::kRuntimeError,
                   "_compat_pickle.NAME_MAPPING values should be pairs of str, not (%T, %T)",
                   to_module, to_name);
    }
    *module = Ref<>::Borrow(to_module);
    *name = Ref<>::Borrow(to_name);
    return Ok();
  }
  MVM_TRY(Ref<DictObject> modules, ImportedDict(ts, "_compat_pickle", "IMPORT_MAPPING"));
  MVM_TRY(mapped, DictGet(ts, modules, *module));
  if (mapped.is_absent()) return Ok();
  if (!IsStr(ts, mapped)) {
    return Raise(ts, Exc::kRuntimeError,
                 "_compat_pickle.IMPORT_MAPPING values should be strings, not %T", mapped.get());
  }
  *module = std::move(mapped);
  return Ok();
}

// The pickle says how a class is made; the metaclass's way is taken where it is not type's.
bool MakesDirectly(ThreadState& ts, TypeObject* cls) {
  return cls->slots.new_ &&
         TypeLookup(ts, cls->metatype, MVM_NAME(ts, __call__))
             .is(TypeLookup(ts, TypeById(ts, TypeId::kType), MVM_NAME(ts, __call__)));
}

// Instances keep their attributes in slots, and __dict__ is what it usually is.
bool HasPlainDict(ThreadState& ts, Value v) {
  TypeObject* type = TypeOf(ts, v);
  return v.is_object() && type->is_heap() && type->storage == AttrStorage::kShape &&
         type->slots.getattro == GenericGetAttr &&
         IsExact(TypeLookup(ts, type, MVM_NAME(ts, __dict__)), TypeId::kGetSetDescriptor);
}

}  // namespace

// ---- names ----

Result<> UnpicklerCore::FindClass(ThreadState& ts, Value module_name, Value name) {
  Ref<> module = Ref<>::Borrow(module_name), attribute = Ref<>::Borrow(name);
  if (fix_imports_ && protocol < 3 && IsStr(ts, module) && IsStr(ts, attribute)) {
    MVM_TRY_VOID(MapToPython3(ts, &module, &attribute));
  }
  if (!IsStr(ts, module)) return Raise(ts, Exc::kTypeError, "module name must be a string");
  MVM_TRY(Ref<> import, GetAttr(ts, ts.rt->builtins, MVM_NAME(ts, __import__)));
  MVM_TRY(Ref<> top, Call(ts, import, module));
  MVM_TRY(Ref<> found, DictGet(ts, Ref<DictObject>::Borrow(ts.rt->modules), module));
  if (found.is_absent()) found = std::move(top);
  if (!IsStr(ts, attribute)) {
    return Raise(ts, Exc::kTypeError, "attribute name must be string, not '%T'", attribute.get());
  }
  StrObject* path = attribute.as<StrObject>();
  auto lost = [&](Value where) {
    return Raise(ts, Exc::kAttributeError, "Can't get attribute %R on %R", Value(path), where);
  };
  if (protocol < 4) {
    MVM_TRY(Ref<> result, GetAttrOptional(ts, found, path));
    return result.is_absent() ? Result<>(lost(found)) : Result<>(std::move(result));
  }
  Ref<> at = found;
  for (size_t start = 0, i = 0; i <= path->length; ++i) {
    if (i < path->length && path->At(i) != '.') continue;
    MVM_TRY(Ref<StrObject> part, StrSlice(ts, path, start, i));
    if (part->EqualsAscii("<locals>")) {
      return Raise(ts, Exc::kAttributeError, "Can't get local attribute %R on %R", Value(path),
                   found.get());
    }
    MVM_TRY(Ref<> next, GetAttrOptional(ts, at, part));
    if (next.is_absent()) return lost(found);
    at = std::move(next);
    start = i + 1;
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return at;
}

Result<> UnpicklerCore::Find(ThreadState& ts, Value module, Value name) {
  if (find_class) return Call(ts, Ref<>(find_class), module, name);
  return FindClass(ts, module, name);
}

Result<StrObject> UnpicklerCore::LineName(ThreadState& ts) {
  std::string_view line;
  MVM_TRY_VOID(input.TakeLine(ts, &line));
  if (line.size() < 2) return RaiseUnpickling(ts, "pickle data was truncated");
  line.remove_suffix(1);
  DecodeInput in{.bytes = line, .source = Value()};
  return DecodeUtf8Codec(ts, in);
}

Status UnpicklerCore::LoadGlobal(ThreadState& ts) {
  MVM_TRY(Ref<StrObject> module, LineName(ts));
  MVM_TRY(Ref<StrObject> name, LineName(ts));
  MVM_TRY(Ref<> v, Find(ts, module, name));
  return Push(ts, std::move(v));
}

Status UnpicklerCore::LoadStackGlobal(ThreadState& ts) {
  MVM_TRY_VOID(Need(ts, 2));
  MVM_TRY(Ref<> name, Pop(ts));
  MVM_TRY(Ref<> module, Pop(ts));
  if (!IsExact(name, TypeId::kStr) || !IsExact(module, TypeId::kStr)) {
    return RaiseUnpickling(ts, "STACK_GLOBAL requires str");
  }
  MVM_TRY(Ref<> v, Find(ts, module, name));
  return Push(ts, std::move(v));
}

Status UnpicklerCore::LoadExtension(ThreadState& ts, int width) {
  MVM_TRY(uint64_t raw, Number(ts, width));
  const int64_t code = width == 4 ? static_cast<int32_t>(raw) : static_cast<int64_t>(raw);
  if (code <= 0) return RaiseUnpickling(ts, "EXT specifies code <= 0");
  MVM_TRY(Ref<DictObject> cache, ImportedDict(ts, "copyreg", "_extension_cache"));
  MVM_TRY(Ref<> v, DictGet(ts, cache, Value::Int(code)));
  if (!v.is_absent()) return Push(ts, std::move(v));
  MVM_TRY(Ref<DictObject> registry, ImportedDict(ts, "copyreg", "_inverted_registry"));
  MVM_TRY(Ref<> key, DictGet(ts, registry, Value::Int(code)));
  if (key.is_absent()) {
    return Raise(ts, Exc::kValueError, "unregistered extension code %lld",
                 static_cast<long long>(code));
  }
  TupleObject* pair = IsTuple(ts, key) ? key.as<TupleObject>() : nullptr;
  if (!pair || pair->size() != 2 || !IsStr(ts, (*pair)[0]) || !IsStr(ts, (*pair)[1])) {
    return Raise(ts, Exc::kValueError, "_inverted_registry[%lld] isn't a 2-tuple of strings",
                 static_cast<long long>(code));
  }
  MVM_TRY(v, Find(ts, (*pair)[0], (*pair)[1]));
  MVM_TRY_VOID(DictSet(ts, cache, Value::Int(code), v));
  return Push(ts, std::move(v));
}

// ---- instances ----

Status UnpicklerCore::LoadReduce(ThreadState& ts) {
  MVM_TRY_VOID(Need(ts, 2));
  MVM_TRY(Ref<> args, Pop(ts));
  MVM_TRY(Ref<> callable, Pop(ts));
  if (!IsTuple(ts, args)) return Raise(ts, Exc::kTypeError, "argument list must be a tuple");
  MVM_TRY(Ref<> v, Call(ts, callable, args.as<TupleObject>()->span()));
  return Push(ts, std::move(v));
}

Status UnpicklerCore::LoadNewObj(ThreadState& ts, bool with_keywords) {
  const char* op = with_keywords ? "NEWOBJ_EX" : "NEWOBJ";
  MVM_TRY_VOID(Need(ts, with_keywords ? 3 : 2));
  Ref<> keywords;
  if (with_keywords) {
    MVM_TRY(keywords, Pop(ts));
  }
  MVM_TRY(Ref<> args, Pop(ts));
  MVM_TRY(Ref<> cls, Pop(ts));
  if (!IsType(ts, cls)) {
    return RaiseUnpickling(ts, "%s class argument must be a type, not %T", op, cls.get());
  }
  TypeObject* type = cls.as<TypeObject>();
  MVM_TRY_VOID(TypeReady(ts, type));
  if (!type->slots.new_) {
    return RaiseUnpickling(ts, "%s class argument '%N' doesn't have __new__", op, type);
  }
  if (!IsTuple(ts, args)) {
    return RaiseUnpickling(ts, "%s args argument must be a tuple, not %T", op, args.get());
  }
  if (with_keywords && !IsDict(ts, keywords)) {
    return RaiseUnpickling(ts, "%s kwargs argument must be a dict, not %T", op, keywords.get());
  }
  if (with_keywords && DictSize(keywords.as<DictObject>()) > 0) {
    MVM_TRY(Ref<> maker, GetAttr(ts, cls, MVM_NAME(ts, __new__)));
    MVM_TRY(Ref<ListObject> all, NewList(ts, {}));
    MVM_TRY_VOID(ListAppend(ts, all, cls));
    for (Value v : args.as<TupleObject>()->span()) MVM_TRY_VOID(ListAppend(ts, all, v));
    MVM_TRY(Ref<TupleObject> positional, TupleFrom(ts, all));
    MVM_TRY(Ref<> v, CallWith(ts, maker, positional, keywords.as<DictObject>()));
    return Push(ts, std::move(v));
  }
  TupleObject* positional = args.as<TupleObject>();
  MVM_TRY(Ref<> v, type->slots.new_(ts, type, Args{positional->items(), positional->size()}));
  return Push(ts, std::move(v));
}

// cls(*args), or without arguments an instance that has not been initialised.
Result<> UnpicklerCore::Instantiate(ThreadState& ts, Value cls, TupleObject* args) {
  if (args->size() == 0 && IsType(ts, cls)) {
    MVM_TRY(Ref<> initargs, GetAttrOptional(ts, cls, "__getinitargs__"));
    TypeObject* type = cls.as<TypeObject>();
    MVM_TRY_VOID(TypeReady(ts, type));
    if (initargs.is_absent() && MakesDirectly(ts, type)) {
      return type->slots.new_(ts, type, Args{nullptr, 0});
    }
  }
  return Call(ts, cls, args->span());
}

Status UnpicklerCore::LoadInst(ThreadState& ts) {
  MVM_TRY(size_t start, PopMark(ts));
  MVM_TRY(Ref<TupleObject> args, PopTuple(ts, start));
  MVM_TRY(Ref<StrObject> module, LineName(ts));
  MVM_TRY(Ref<StrObject> name, LineName(ts));
  MVM_TRY(Ref<> cls, Find(ts, module, name));
  MVM_TRY(Ref<> v, Instantiate(ts, cls, args));
  return Push(ts, std::move(v));
}

Status UnpicklerCore::LoadObj(ThreadState& ts) {
  MVM_TRY(size_t start, PopMark(ts));
  if (size_ == start) return RaiseUnpickling(ts, "unpickling stack underflow");
  MVM_TRY(Ref<TupleObject> args, PopTuple(ts, start + 1));
  const Ref<> cls = Ref<>::Steal(stack_[--size_]);
  MVM_TRY(Ref<> v, Instantiate(ts, cls, args));
  return Push(ts, std::move(v));
}

// ---- state ----

Status UnpicklerCore::LoadBuild(ThreadState& ts) {
  MVM_TRY_VOID(Need(ts, 2));
  MVM_TRY(Ref<> state, Pop(ts));
  const Ref<> instance = Ref<>::Borrow(stack_[size_ - 1]);
  MVM_TRY(Ref<> setter, GetAttrOptional(ts, instance, MVM_NAME(ts, __setstate__)));
  if (!setter.is_absent()) {
    MVM_TRY_VOID(Call(ts, setter, state));
    return Ok();
  }
  Ref<> slots;
  if (IsTuple(ts, state) && state.as<TupleObject>()->size() == 2) {
    TupleObject* pair = state.as<TupleObject>();
    slots = Ref<>::Borrow((*pair)[1]);
    state = Ref<>::Borrow((*pair)[0]);
  }
  if (!IsNone(ts, state)) MVM_TRY_VOID(BuildState(ts, instance, state));
  if (!slots || IsNone(ts, slots)) return Ok();
  if (!IsDict(ts, slots)) return RaiseUnpickling(ts, "slot state is not a dictionary");
  size_t pos = 0;
  Value key, value;
  while (DictNext(ts, slots.as<DictObject>(), &pos, &key, &value)) {
    const Ref<> k = Ref<>::Borrow(key), v = Ref<>::Borrow(value);
    if (!IsStr(ts, k)) {
      return Raise(ts, Exc::kTypeError, "attribute name must be string, not '%T'", k.get());
    }
    MVM_TRY_VOID(SetAttr(ts, instance, k.as<StrObject>(), v));
  }
  return Ok();
}

Status UnpicklerCore::BuildState(ThreadState& ts, Value instance, Value state) {
  if (!IsDict(ts, state)) return RaiseUnpickling(ts, "state is not a dictionary");
  DictObject* from = state.as<DictObject>();
  Ref<> dict;
  const bool plain = HasPlainDict(ts, instance);
  if (!plain) {
    MVM_TRY(dict, GetAttr(ts, instance, MVM_NAME(ts, __dict__)));
  }
  size_t pos = 0;
  Value key, value;
  while (DictNext(ts, from, &pos, &key, &value)) {
    Ref<> k = Ref<>::Borrow(key);
    const Ref<> v = Ref<>::Borrow(value);
    if (IsExact(k, TypeId::kStr)) {
      if (!k.as<StrObject>()->interned()) {
        MVM_TRY(k, Intern(ts, k.as<StrObject>()));
      }
      if (plain) {
        MVM_TRY_VOID(SetInstanceAttr(ts, instance.object(), k.as<StrObject>(), v));
        continue;
      }
    }
    if (plain && !dict) {
      MVM_TRY(dict, GetAttr(ts, instance, MVM_NAME(ts, __dict__)));
    }
    MVM_TRY_VOID(SetItem(ts, dict, k, v));
  }
  return Ok();
}

// ---- persistent ids ----

Status UnpicklerCore::LoadPersistent(ThreadState& ts, Value id) {
  if (!persistent_load) {
    return RaiseUnpickling(ts,
                           "A load persistent id instruction was encountered, but no "
                           "persistent_load function was specified.");
  }
  MVM_TRY(Ref<> v, Call(ts, Ref<>(persistent_load), id));
  return Push(ts, std::move(v));
}

Status UnpicklerCore::LoadPersistentLine(ThreadState& ts) {
  std::string_view line;
  MVM_TRY_VOID(input.TakeLine(ts, &line));
  line.remove_suffix(1);
  for (char c : line) {
    if (static_cast<uint8_t>(c) > 0x7F) {
      return RaiseUnpickling(ts, "persistent IDs in protocol 0 must be ASCII strings");
    }
  }
  MVM_TRY(Ref<StrObject> id, NewStr(ts, line));
  return LoadPersistent(ts, id);
}

}  // namespace minivm::pickle

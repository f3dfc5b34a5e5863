// What is written by name: functions, classes, and whatever __reduce__ answers with a string for.
//
// The name is looked up as a reader would do it, and has to lead to the same object.
#include "runtime/native/native_function.h"
#include "runtime/objects/module_object.h"
#include "stdlib/pickle/pickler.h"

namespace minivm::pickle {

namespace {

// "A.B.f" -> ["A", "B", "f"]
Result<ListObject> DottedPath(ThreadState& ts, StrObject* name) {
  MVM_TRY(Ref<ListObject> path, NewList(ts, {}));
  Untrack(path);  // the collector would show it to scripts
  size_t start = 0;
  for (size_t i = 0; i <= name->length; ++i) {
    if (i < name->length && name->At(i) != '.') continue;
    MVM_TRY(Ref<StrObject> part, StrSlice(ts, name, start, i));
    MVM_TRY_VOID(ListAppend(ts, path, part));
    start = i + 1;
  }
  return path;
}

// What the path leads to, and in which object it is found; Absent() if nowhere.
Result<> Follow(ThreadState& ts, Value root, ListObject* path) {
  Ref<> at = Ref<>::Borrow(root);
  for (uint64_t i = 0; i < path->size; ++i) {
    MVM_TRY(at, GetAttrOptional(ts, at, path->items[i].as<StrObject>()));
    if (at.is_absent()) break;
  }
  return at;
}

// __module__ of the object, or the name of a module in which the path leads to it.
Result<> ModuleNameOf(ThreadState& ts, Value v, ListObject* path) {
  MVM_TRY(Ref<> own, GetAttrOptional(ts, v, MVM_NAME(ts, __module__)));
  if (!own.is_absent() && !IsNone(ts, own)) return own;

  if (!ts.rt->modules) return Raise(ts, Exc::kRuntimeError, "unable to get sys.modules");
  // A copy: looking into modules may import others.
  MVM_TRY(Ref<DictObject> modules, DictCopy(ts, ts.rt->modules));
  size_t pos = 0;
  Value name, module;
  while (DictNext(ts, modules, &pos, &name, &module)) {
    if (!IsStr(ts, name) || IsNone(ts, module)) continue;
    if (name.as<StrObject>()->EqualsAscii("__main__")) continue;
    if (name.as<StrObject>()->EqualsAscii("__mp_main__")) continue;
    Result<> r = Follow(ts, module, path);
    if (r.raised()) return kRaised;
    Ref<> found = r.Take();
    if (found.is_absent()) {
      continue;
    }
    if (found.is(v)) return Result<>::Borrow(name);
    MVM_TRY_VOID(Charge(ts, 4));
  }
  return Result<>::Borrow(MVM_NAME(ts, __main__));
}

bool IsUtf8Safe(const StrObject* s) {
  for (size_t i = 0; i < s->length; ++i) {
    const char32_t c = s->At(i);
    if (c >= 0xD800 && c <= 0xDFFF) return false;
  }
  return true;
}

// The Python 2 name of a Python 3 one.
Status MapToPython2(ThreadState& ts, Ref<>* module, Ref<>* name) {
  MVM_TRY(Ref<DictObject> names, ImportedDict(ts, "_compat_pickle", "REVERSE_NAME_MAPPING"));
  MVM_TRY(Ref<TupleObject> key, Pair(ts, *module, *name));
  MVM_TRY(Ref<> mapped, DictGet(ts, names, key));
  if (!mapped.is_absent()) {
    if (!IsTuple(ts, mapped) || mapped.as<TupleObject>()->size() != 2) {
      return Raise(ts, Exc::kRuntimeError,
                   "_compat_pickle.REVERSE_NAME_MAPPING values should be 2-tuples, not %T",
                   mapped.get());
    }
    const Value to_module = (*mapped.as<TupleObject>())[0];
    const Value to_name = (*mapped.as<TupleObject>())[1];
    if (!IsStr(ts, to_module) || !IsStr(ts, to_name)) {
      return Raise(
          ts, Exc::kRuntimeError,
          "_compat_pickle.REVERSE_NAME_MAPPING values should be pairs of str, not (%T, %T)",
          to_module, to_name);
    }
    *module = Ref<>::Borrow(to_module);
    *name = Ref<>::Borrow(to_name);
    return Ok();
  }
  MVM_TRY(Ref<DictObject> modules, ImportedDict(ts, "_compat_pickle", "REVERSE_IMPORT_MAPPING"));
  MVM_TRY(mapped, DictGet(ts, modules, *module));
  if (mapped.is_absent()) {
    return Ok();
  }
  if (!IsStr(ts, mapped)) {
    return Raise(ts, Exc::kRuntimeError,
                 "_compat_pickle.REVERSE_IMPORT_MAPPING values should be strings, not %T",
                 mapped.get());
  }
  *module = std::move(mapped);
  return Ok();
}

}  // namespace

Status PicklerCore::SaveGlobal(ThreadState& ts, Value v, StrObject* given) {
  Ref<> name;
  if (given) {
    name = Ref<>::Borrow(given);
  } else {
    MVM_TRY(name, GetAttrOptional(ts, v, MVM_NAME(ts, __qualname__)));
    if (name.is_absent()) {
      MVM_TRY(name, GetAttr(ts, v, MVM_NAME(ts, __name__)));
    }
  }
  if (!IsStr(ts, name)) {
    return RaisePickling(ts, "Can't pickle %R: its name is not a string", v);
  }
  MVM_TRY(Ref<ListObject> path, DottedPath(ts, name.as<StrObject>()));
  for (uint64_t i = 0; i < path->size; ++i) {
    if (path->items[i].as<StrObject>()->EqualsAscii("<locals>")) {
      return Raise(ts, Exc::kAttributeError, "Can't get local object %R", name.get());
    }
  }
  MVM_TRY(Ref<> module_name, ModuleNameOf(ts, v, path));
  if (!IsStr(ts, module_name)) {
    return RaisePickling(ts, "Can't pickle %R: its module is not a string", v);
  }
  Result<> imported = kRaised;
  {
    MVM_TRY(Ref<> import, GetAttr(ts, ts.rt->builtins, MVM_NAME(ts, __import__)));
    Result<> top = Call(ts, import, module_name);
    if (!top.raised()) {
      const Ref<> dropped = top.Take();
      imported = DictGet(ts, Ref<DictObject>::Borrow(ts.rt->modules), module_name);
    }
  }
  Ref<> module;
  if (!imported.raised()) module = imported.Take();
  if (!module || module.is_absent()) {
    if (ts.HasPending() && !PendingIs(ts, Exc::kException)) return kRaised;
    ClearPending(ts);
    return RaisePickling(ts, "Can't pickle %R: import of module %R failed", v, module_name.get());
  }
  MVM_TRY(Ref<> found, Follow(ts, module, path));
  if (found.is_absent()) {
    return RaisePickling(ts, "Can't pickle %R: attribute lookup %S on %S failed", v, name.get(),
                         module_name.get());
  }
  if (!found.is(v)) {
    return RaisePickling(ts, "Can't pickle %R: it's not the same object as %S.%S", v,
                         module_name.get(), name.get());
  }
  return SaveGlobalText(ts, v, module_name, name, path);
}

Result<bool> PicklerCore::SaveExtension(ThreadState& ts, Value v, Value module_name, Value name) {
  (void)v;
  if (!extensions) {
    MVM_TRY(extensions, ImportedDict(ts, "copyreg", "_extension_registry"));
  }
  if (DictSize(extensions) == 0) return false;
  MVM_TRY(Ref<TupleObject> key, Pair(ts, module_name, name));
  MVM_TRY(Ref<> code, DictGet(ts, extensions, key));
  if (code.is_absent()) {
    return false;
  }
  if (!IsInt(ts, code)) {
    return RaisePickling(ts, "Can't pickle %R: extension code %R isn't an integer", v, code.get());
  }
  if (!code.is_int() || code.get().as_int() <= 0 || code.get().as_int() > 0x7FFFFFFF) {
    return RaisePickling(ts, "Can't pickle %R: extension code %R is out of range", v, code.get());
  }
  const uint64_t n = static_cast<uint64_t>(code.get().as_int());
  MVM_TRY_VOID(n <= 0xFF     ? out.PutNumber(ts, kExt1, n, 1)
               : n <= 0xFFFF ? out.PutNumber(ts, kExt2, n, 2)
                             : out.PutNumber(ts, kExt4, n, 4));
  return true;
}

// GLOBAL: two lines of text, in the names of Python 2 for protocols that it reads.
Status PicklerCore::SaveGlobalLine(ThreadState& ts, Value v, StrObject* module, StrObject* name) {
  Ref<> module_text = Ref<>::Borrow(module), name_text = Ref<>::Borrow(name);
  if (fix_imports) MVM_TRY_VOID(MapToPython2(ts, &module_text, &name_text));
  MVM_TRY_VOID(out.Put(ts, kGlobal));
  for (const Ref<>* line : {&module_text, &name_text}) {
    StrObject* s = line->as<StrObject>();
    if (protocol >= 3 ? !IsUtf8Safe(s) : !s->ascii()) {
      if (protocol >= 3) {
        return RaisePickling(ts, "can't pickle global identifier '%S.%S' using pickle protocol %d",
                             Value(module), Value(name), protocol);
      }
      return RaisePickling(ts, "can't pickle global identifier '%S.%S' using pickle protocol %d",
                           Value(module), Value(name), protocol);
    }
    const std::string text = ToUtf8(s);
    MVM_TRY_VOID(out.Write(ts, text.data(), text.size()));
    MVM_TRY_VOID(out.Put(ts, '\n'));
  }
  (void)v;
  return Ok();
}

Status PicklerCore::SaveGlobalText(ThreadState& ts, Value v, Value module_name, Value name,
                                   ListObject* path) {
  if (protocol >= 2) {
    MVM_TRY(bool done, SaveExtension(ts, v, module_name, name));
    if (done) return Ok();
  }
  if (protocol >= 4) {
    // CPython makes names of built-ins when asked for them, so they are never met again; and the
    // module name of its built-in functions is another object than that of its types.
    const bool native_type = IsType(ts, v) && !v.as<TypeObject>()->is_heap();
    const bool native_function = IsExact(v, TypeId::kNativeFunction);
    if (native_function && IsExact(module_name, TypeId::kStr)) {
      const MemoKey key = KeyOfFunctionModule(module_name.object());
      const int64_t known = memo.Find(key);
      MVM_TRY_VOID(known >= 0 ? MemoGet(ts, known) : SaveStr(ts, module_name.as<StrObject>(), key));
    } else {
      MVM_TRY_VOID(Save(ts, module_name));
    }
    if ((native_type || native_function) && name.as<StrObject>()->length > 1) {
      StrObject* text = name.as<StrObject>();
      MVM_TRY(Ref<StrObject> fresh, NewStrRaw(ts, text->length, text->bound()));
      StrCopyChars(fresh, 0, text, 0, text->length);
      MVM_TRY_VOID(Save(ts, fresh));
    } else {
      MVM_TRY_VOID(Save(ts, name));
    }
    MVM_TRY_VOID(out.Put(ts, kStackGlobal));
    return MemoPut(ts, v);
  }
  // getattr(getattr(module.A, "B"), "f"), innermost call first.
  const uint64_t steps = path->size - 1;
  if (steps > 0) {
    MVM_TRY(Ref<> getter, GetAttr(ts, ts.rt->builtins, "getattr"));
    for (uint64_t i = 0; i < steps; ++i) {
      MVM_TRY_VOID(Save(ts, getter));
      if (protocol < 2) MVM_TRY_VOID(out.Put(ts, kMark));
    }
  }
  MVM_TRY_VOID(SaveGlobalLine(ts, v, module_name.as<StrObject>(), path->items[0].as<StrObject>()));
  for (uint64_t i = 1; i < path->size; ++i) {
    const Ref<> part = Ref<>::Borrow(path->items[i]);
    MVM_TRY_VOID(Save(ts, part));
    MVM_TRY_VOID(out.Put(ts, protocol < 2 ? kTuple : kTuple2));
    MVM_TRY_VOID(out.Put(ts, kReduce));
  }
  return MemoPut(ts, v);
}

// type objects: the types of the singletons have no name to be found by.
Status PicklerCore::SaveType(ThreadState& ts, Value v) {
  RuntimeState& rt = *ts.rt;
  Value only;
  if (v.is(TypeById(ts, TypeId::kNoneType))) only = rt.none;
  if (v.is(TypeById(ts, TypeId::kEllipsis))) only = rt.ellipsis;
  if (v.is(TypeById(ts, TypeId::kNotImplemented))) only = rt.not_implemented;
  if (!only) return SaveGlobal(ts, v, nullptr);
  MVM_TRY(Ref<TupleObject> args, NewTuple(ts, {&only, 1}));
  MVM_TRY(Ref<TupleObject> reduced, Pair(ts, TypeById(ts, TypeId::kType), args));
  return SaveReduceTuple(ts, reduced, v);
}

}  // namespace minivm::pickle

// import: from a statement to a module in sys.modules.
//
// ImportModuleLevel() is what `import` and __import__ do; FindAndLoad() is one step of it: parents
// first, then the finders of sys.meta_path, then the loader. A module is in sys.modules while its
// code runs, marked by __spec__._initializing, so that circular imports find it; if the code
// raises, it is taken out again.
#include "vm/import/importer.h"

#include <algorithm>
#include <cstdarg>
#include <iterator>
#include <string>

#include "runtime/native/native_function.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/bytecode/code_object.h"
#include "vm/import/embedded_modules.h"
#include "vm/import/import_lock.h"
#include "vm/import/import_types.h"

namespace minivm {

Raised RaiseImportError(ThreadState& ts, Exc type, StrObject* name, Value path, const char* format,
                        ...) {
  va_list args;
  va_start(args, format);
  Result<StrObject> text = FormatV(ts, format, args);
  va_end(args);
  if (text.raised()) return kRaised;
  Ref<StrObject> message = text.Take();
  RaiseValue(ts, type, message);
  if (PendingIs(ts, Exc::kImportError)) {
    ImportErrorObject* e = ts.pending.as<ImportErrorObject>();
    if (name != nullptr) Decref(std::exchange(e->name, Ref<>::Borrow(Value(name)).Release()));
    if (!path.is_null()) Decref(std::exchange(e->path, Ref<>::Borrow(path).Release()));
  }
  return kRaised;
}

Result<> SysGet(ThreadState& ts, std::string_view name) {
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
  Value v = ts.rt->sys ? DictGetStr(ts, ts.rt->sys->dict, key) : Value();
  return v.is_null() ? Result<>::Steal(Value::Absent()) : Result<>::Borrow(v);
}

namespace {

// Position behind the last dot; 0 without one.
size_t AfterLastDot(const StrObject* name) {
  size_t i = name->length;
  while (i > 0 && name->At(i - 1) != '.') --i;
  return i;
}

// sys.modules[name] or Absent(). sys.modules may have been replaced by another mapping.
Result<> FindLoaded(ThreadState& ts, StrObject* name) {
  return DictGet(ts, ts.rt->modules, Value(name));
}

// Modules of CPython's library that there are none of, as docs/differences.md says.
constexpr std::string_view kLeftOut[] = {
    "antigravity", "curses",  "ensurepip", "idlelib",    "imaplib", "readline", "sqlite3",
    "ssl",         "tkinter", "turtle",    "turtledemo", "venv",    "xmlrpc"};

bool IsLeftOut(const StrObject* name) {
  return std::any_of(std::begin(kLeftOut), std::end(kLeftOut),
                     [&](std::string_view each) { return name->EqualsAscii(each); });
}

bool IsNative(ThreadState& ts, Value v, const TypeSpec& spec) {
  return v.is_object() && IsExact(v, TypeId::kType) && v.as<TypeObject>()->spec == &spec &&
         !v.as<TypeObject>()->is_heap();
}

// A child has been imported: it becomes an attribute of its package.
Status BindInParent(ThreadState& ts, StrObject* parent_name, StrObject* child, Value module) {
  MVM_TRY(Ref<> parent, FindLoaded(ts, parent_name));
  if (parent.is_absent()) return RaiseKeyError(ts, Value(parent_name));
  Status set = SetAttr(ts, parent, child, module);
  if (!set.raised()) return Ok();
  if (!ClearPendingIf(ts, Exc::kAttributeError)) return kRaised;
  return Warn(ts, Exc::kImportWarning, 1, "Cannot set an attribute on %R for child module %R",
              Value(parent_name), Value(child));
}

Result<> ImportAbsolute(ThreadState& ts, StrObject* name);

Result<> FindAndLoad(ThreadState& ts, StrObject* name) {
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  Ref<> path = Ref<>::Borrow(ts.rt->none);
  Ref<StrObject> parent_name, child;
  Ref<> parent_spec;
  if (size_t dot = AfterLastDot(name)) {
    MVM_TRY(parent_name, StrSlice(ts, name, 0, dot - 1));
    MVM_TRY(child, StrSlice(ts, name, dot, name->length));
    MVM_TRY(child, Intern(ts, child));
    MVM_TRY(Ref<> parent, FindLoaded(ts, parent_name));
    if (parent.is_absent()) {
      MVM_TRY(parent, ImportAbsolute(ts, parent_name));
    }
    MVM_TRY(Ref<> again, FindLoaded(ts, name));
    if (!again.is_absent()) return again;
    MVM_TRY(parent, FindLoaded(ts, parent_name));
    if (parent.is_absent()) return RaiseKeyError(ts, Value(parent_name.get()));
    MVM_TRY(path, GetAttrOptional(ts, parent, MVM_NAME(ts, __path__)));
    if (path.is_absent()) {
      return RaiseImportError(ts, Exc::kModuleNotFoundError, name, Value(),
                              "No module named %R; %R is not a package", Value(name),
                              Value(parent_name.get()));
    }
    MVM_TRY(parent_spec, GetAttrOptional(ts, parent, MVM_NAME(ts, __spec__)));
  }
  MVM_TRY(Ref<> spec, FindSpec(ts, name, path));
  if (IsNone(ts, spec)) {
    return RaiseImportError(ts, Exc::kModuleNotFoundError, name, Value(),
                            IsLeftOut(name) ? "No module named %R (minivm does not have it; see "
                                              "docs/differences.md)"
                                            : "No module named %R",
                            Value(name));
  }
  MVM_TRY(Ref<> module, LoadFromSpec(ts, spec));
  if (parent_name) MVM_TRY_VOID(BindInParent(ts, parent_name, child, module));
  return module;
}

Result<> ImportAbsolute(ThreadState& ts, StrObject* name) {
  MVM_TRY(Ref<> module, FindLoaded(ts, name));
  if (module.is_absent()) {
    ImportLock lock(ts, name);
    if (!lock) return kRaised;
    MVM_TRY(module, FindLoaded(ts, name));  // another thread may have been faster
    if (module.is_absent()) return FindAndLoad(ts, name);
  } else {
    MVM_TRY_VOID(AwaitImported(ts, name));
  }
  if (IsNone(ts, module)) {
    return RaiseImportError(ts, Exc::kModuleNotFoundError, name, Value(),
                            "import of %U halted; None in sys.modules", Value(name));
  }
  return module;
}

// The package that a relative import counts from.
Result<StrObject> PackageOf(ThreadState& ts, Value globals) {
  if (globals.is_null() || IsNone(ts, globals))
    return Raise(ts, Exc::kKeyError, "'__name__' not in globals");
  if (!IsDict(ts, globals)) return Raise(ts, Exc::kTypeError, "globals must be a dict");
  DictObject* g = globals.as<DictObject>();
  Ref<> package = Ref<>::Borrow(DictGetStr(ts, g, MVM_NAME(ts, __package__)));
  Ref<> spec = Ref<>::Borrow(DictGetStr(ts, g, MVM_NAME(ts, __spec__)));
  bool has_spec = spec && !IsNone(ts, spec);
  if (package && !IsNone(ts, package)) {
    if (!IsStr(ts, package)) return Raise(ts, Exc::kTypeError, "package must be a string");
    if (has_spec) {
      MVM_TRY(Ref<> parent, GetAttr(ts, spec, "parent"));
      MVM_TRY(bool same, EqualValues(ts, package, parent));
      if (!same) {
        MVM_TRY_VOID(Warn(ts, Exc::kDeprecationWarning, 1, "__package__ != __spec__.parent"));
      }
    }
    return std::move(package).Into<StrObject>();
  }
  if (has_spec) {
    MVM_TRY(Ref<> parent, GetAttr(ts, spec, "parent"));
    if (!IsStr(ts, parent)) return Raise(ts, Exc::kTypeError, "__spec__.parent must be a string");
    return std::move(parent).Into<StrObject>();
  }
  MVM_TRY_VOID(Warn(
      ts, Exc::kImportWarning, 1,
      "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__"));
  Ref<> name = Ref<>::Borrow(DictGetStr(ts, g, MVM_NAME(ts, __name__)));
  if (!name) return Raise(ts, Exc::kKeyError, "'__name__' not in globals");
  if (!IsStr(ts, name)) return Raise(ts, Exc::kTypeError, "__name__ must be a string");
  if (!DictGetStr(ts, g, MVM_NAME(ts, __path__)).is_null())
    return std::move(name).Into<StrObject>();
  size_t dot = AfterLastDot(name.as<StrObject>());
  if (dot == 0) {
    return RaiseImportError(ts, Exc::kImportError, nullptr, Value(),
                            "attempted relative import with no known parent package");
  }
  return StrSlice(ts, name.as<StrObject>(), 0, dot - 1);
}

Result<StrObject> ResolveName(ThreadState& ts, StrObject* name, Value globals, int64_t level) {
  MVM_TRY(Ref<StrObject> package, PackageOf(ts, globals));
  if (package->length == 0) {
    return RaiseImportError(ts, Exc::kImportError, nullptr, Value(),
                            "attempted relative import with no known parent package");
  }
  size_t end = package->length;
  for (int64_t i = 1; i < level; ++i) {
    while (end > 0 && package->At(end - 1) != '.') --end;
    if (end == 0) {
      return RaiseImportError(ts, Exc::kImportError, nullptr, Value(),
                              "attempted relative import beyond top-level package");
    }
    --end;
  }
  MVM_TRY(Ref<StrObject> base, StrSlice(ts, package, 0, end));
  if (name->length == 0) return base;
  return Format(ts, "%U.%U", Value(base.get()), Value(name));
}

// `from package import names`: those that are not attributes may be submodules.
Status HandleFromList(ThreadState& ts, Value module, Value fromlist, bool recursive) {
  return ForEach(ts, fromlist, [&](Value item) -> Status {
    if (!IsStr(ts, item)) {
      if (recursive) {
        MVM_TRY(Ref<> name, GetAttr(ts, module, MVM_NAME(ts, __name__)));
        return Raise(ts, Exc::kTypeError, "Item in %S.__all__ must be str, not %T", name.get(),
                     item);
      }
      return Raise(ts, Exc::kTypeError, "Item in ``from list'' must be str, not %T", item);
    }
    StrObject* name = item.as<StrObject>();
    if (name->EqualsAscii("*")) {
      if (recursive) return Ok();
      MVM_TRY(Ref<> all, GetAttrOptional(ts, module, MVM_NAME(ts, __all__)));
      return all.is_absent() ? Ok() : HandleFromList(ts, module, all, true);
    }
    MVM_TRY(Ref<> attribute, GetAttrOptional(ts, module, name));
    if (!attribute.is_absent()) return Ok();
    MVM_TRY(Ref<> module_name, GetAttr(ts, module, MVM_NAME(ts, __name__)));
    MVM_TRY(Ref<StrObject> full, Format(ts, "%S.%U", module_name.get(), item));
    Result<> imported = ImportAbsolute(ts, full);
    if (!imported.raised()) {
      Ref<> dropped = imported.Take();
      return Ok();
    }
    // A name that is no submodule is the business of IMPORTFROM.
    if (!PendingIs(ts, Exc::kModuleNotFoundError)) return kRaised;
    Ref<> error = TakePending(ts);
    Value missing = error.as<ImportErrorObject>()->name;
    bool ours =
        !missing.is_null() && IsStr(ts, missing) && StrEquals(missing.as<StrObject>(), full);
    bool blocked = false;
    if (ours) {
      MVM_TRY(Ref<> entry, FindLoaded(ts, full));
      blocked = entry.is_absent() ? false : IsNone(ts, entry);
    }
    if (ours && !blocked) return Ok();
    RestorePending(ts, std::move(error));
    return kRaised;
  });
}

// The modules that CPython has in its executable too: everything else that is built in here is a
// file of the library there, and stands behind all of sys.path.
bool IsCoreModule(std::string_view name) {
  static constexpr std::string_view kCore[] = {"__hello__",
                                               "__phello__",
                                               "_abc",
                                               "_ast",
                                               "_codecs",
                                               "_collections",
                                               "_collections_abc",
                                               "_frozen_importlib",
                                               "_frozen_importlib_external",
                                               "_functools",
                                               "_imp",
                                               "_io",
                                               "_locale",
                                               "_operator",
                                               "_signal",
                                               "_sitebuiltins",
                                               "_sre",
                                               "_stat",
                                               "_string",
                                               "_suggestions",
                                               "_symtable",
                                               "_sysconfig",
                                               "_thread",
                                               "_tokenize",
                                               "_tracemalloc",
                                               "_typing",
                                               "_warnings",
                                               "_weakref",
                                               "abc",
                                               "atexit",
                                               "builtins",
                                               "codecs",
                                               "errno",
                                               "faulthandler",
                                               "gc",
                                               "genericpath",
                                               "importlib",
                                               "importlib._bootstrap",
                                               "importlib._bootstrap_external",
                                               "importlib.machinery",
                                               "importlib.util",
                                               "io",
                                               "itertools",
                                               "marshal",
                                               "ntpath",
                                               "os",
                                               "posix",
                                               "posixpath",
                                               "pwd",
                                               "runpy",
                                               "site",
                                               "stat",
                                               "sys",
                                               "time",
                                               "zipimport"};
  return std::binary_search(std::begin(kCore), std::end(kCore), name);
}

// The spec of a built-in module, or of the file that hides it.
Result<> HiddenByFile(ThreadState& ts, StrObject* name, Value path, Ref<> spec) {
  if (IsNone(ts, spec) || IsCoreModule(name->ascii_view())) return spec;
  MVM_TRY(Ref<> file, FindOnPath(ts, name, path));
  if (IsNone(ts, file)) return spec;
  MVM_TRY(Ref<> loader, GetAttr(ts, file, "loader"));
  if (IsNone(ts, loader)) return spec;  // directories without __init__ come last
  return file;
}

}  // namespace

Result<> FindSpec(ThreadState& ts, StrObject* name, Value path) {
  MVM_TRY(Ref<> meta_path, SysGet(ts, "meta_path"));
  if (meta_path.is_absent() || IsNone(ts, meta_path)) {
    return RaiseImportError(ts, Exc::kImportError, nullptr, Value(),
                            "sys.meta_path is None, Python is likely shutting down");
  }
  MVM_TRY(Ref<ListObject> finders, ListFrom(ts, meta_path));
  Untrack(finders);  // the collector would show it to scripts
  if (finders->size == 0) MVM_TRY_VOID(Warn(ts, Exc::kImportWarning, 1, "sys.meta_path is empty"));
  bool by_path = false;
  for (uint64_t i = 0; i < finders->size; ++i) {
    by_path = by_path || IsNative(ts, finders->items[i], kPathFinderType);
  }
  for (uint64_t i = 0; i < finders->size; ++i) {
    Value finder = finders->items[i];
    Ref<> spec;
    if (IsNative(ts, finder, kBuiltinImporterType)) {
      MVM_TRY(spec, FindBuiltin(ts, name));
      if (by_path) {
        MVM_TRY(spec, HiddenByFile(ts, name, path, std::move(spec)));
      }
    } else if (IsNative(ts, finder, kFrozenImporterType)) {
      if (!IsCoreModule(name)) continue;  // the others are found behind sys.path
      MVM_TRY(spec, FindFrozen(ts, name));
      if (by_path) {
        MVM_TRY(spec, HiddenByFile(ts, name, path, std::move(spec)));
      }
    } else if (IsNative(ts, finder, kPathFinderType)) {
      MVM_TRY(spec, FindOnPath(ts, name, path));
    } else {
      MVM_TRY(Ref<> find, GetAttrOptional(ts, finder, "find_spec"));
      if (find.is_absent()) continue;
      Value args[] = {Value(name), path, Value(ts.rt->none)};
      MVM_TRY(spec, Call(ts, find, std::span<const Value>(args)));
    }
    if (!IsNone(ts, spec)) return spec;
  }
  return None(ts);
}

// ---- from spec to module ----

Status InitModuleAttributes(ThreadState& ts, Value spec, Value module, bool override) {
  auto set = [&](std::string_view name, Value v) -> Status {
    MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
    if (!override) {
      MVM_TRY(Ref<> old, GetAttrOptional(ts, module, key));
      if (!old.is_absent() && !IsNone(ts, old)) return Ok();
    }
    // Modules may refuse.
    Status done = SetAttr(ts, module, key, v);
    return done.raised() && !ClearPendingIf(ts, Exc::kAttributeError) ? Status(kRaised) : Ok();
  };
  MVM_TRY(Ref<> name, GetAttr(ts, spec, MVM_NAME(ts, name)));
  MVM_TRY(Ref<> loader, GetAttr(ts, spec, "loader"));
  MVM_TRY(Ref<> locations, GetAttr(ts, spec, "submodule_search_locations"));
  MVM_TRY(Ref<> parent, GetAttr(ts, spec, "parent"));
  bool is_namespace = IsNone(ts, loader) && !IsNone(ts, locations);
  if (is_namespace) {
    MVM_TRY(Ref<FileLoaderObject> made, NewFileLoader(ts, kNamespaceLoaderType, name, locations));
    loader = std::move(made);
    MVM_TRY_VOID(SetAttr(ts, spec, "loader", loader));
  }
  MVM_TRY_VOID(set("__name__", name));
  MVM_TRY_VOID(set("__loader__", loader));
  MVM_TRY_VOID(set("__package__", parent));
  MVM_TRY_VOID(SetAttr(ts, module, MVM_NAME(ts, __spec__), spec));
  if (!IsNone(ts, locations)) MVM_TRY_VOID(set("__path__", locations));
  MVM_TRY(Ref<> has_location, GetAttr(ts, spec, "has_location"));
  MVM_TRY(bool located, Truth(ts, has_location));
  if (located) {
    MVM_TRY(Ref<> origin, GetAttr(ts, spec, "origin"));
    MVM_TRY_VOID(set("__file__", origin));
    MVM_TRY(Ref<> cached, GetAttr(ts, spec, "cached"));
    MVM_TRY_VOID(set("__cached__", cached));
  }
  return Ok();
}

Result<> ModuleFromSpec(ThreadState& ts, Value spec) {
  MVM_TRY(Ref<> loader, GetAttr(ts, spec, "loader"));
  Ref<> module = Ref<>::Borrow(ts.rt->none);
  if (IsNative(ts, loader, kBuiltinImporterType)) {
    MVM_TRY(module, CreateBuiltin(ts, spec));
  } else if (IsNative(ts, loader, kFrozenImporterType) ||
             IsExactSpec(ts, loader, kSourceFileLoaderType)) {
    // An ordinary module.
  } else if (!IsNone(ts, loader)) {
    MVM_TRY(Ref<> create, GetAttrOptional(ts, loader, "create_module"));
    if (!create.is_absent()) {
      MVM_TRY(module, Call(ts, create, spec));
    } else {
      MVM_TRY(Ref<> exec, GetAttrOptional(ts, loader, "exec_module"));
      if (!exec.is_absent()) {
        return RaiseImportError(
            ts, Exc::kImportError, nullptr, Value(),
            "loaders that define exec_module() must also define create_module()");
      }
    }
  }
  if (IsNone(ts, module)) {
    MVM_TRY(Ref<> name, GetAttr(ts, spec, MVM_NAME(ts, name)));
    MVM_TRY(StrObject * text, ExpectStr(ts, name, "module name"));
    MVM_TRY(module, Result<>(NewModule(ts, text)));
  }
  MVM_TRY_VOID(InitModuleAttributes(ts, spec, module, false));
  return module;
}

namespace {

Status SetInitializing(ThreadState& ts, Value spec, bool on) {
  if (IsExactSpec(ts, spec, kModuleSpecType)) {
    spec.as<ModuleSpecObject>()->initializing = on;
    return Ok();
  }
  return SetAttr(ts, spec, MVM_NAME(ts, _initializing), on ? ts.rt->true_ : ts.rt->false_);
}

Status ExecModule(ThreadState& ts, Value spec, Value loader, Value name, Value module) {
  if (IsNative(ts, loader, kBuiltinImporterType)) return Ok();
  if (IsNative(ts, loader, kFrozenImporterType)) return ExecFrozen(ts, module);
  if (IsExactSpec(ts, loader, kSourceFileLoaderType)) {
    FileLoaderObject* l = loader.as<FileLoaderObject>();
    if (IsStr(ts, l->path)) {
      Ref<StrObject> path = Ref<StrObject>::Borrow(l->path.as<StrObject>());
      MVM_TRY(Ref<CodeObject> code, SourceCode(ts, path));
      return ExecCode(ts, code, module);
    }
  }
  if (IsNone(ts, loader)) {
    MVM_TRY(Ref<> locations, GetAttr(ts, spec, "submodule_search_locations"));
    if (!IsNone(ts, locations)) return Ok();
    return RaiseImportError(ts, Exc::kImportError, IsStr(ts, name) ? name.as<StrObject>() : nullptr,
                            Value(), "missing loader");
  }
  MVM_TRY(Ref<> exec, GetAttrOptional(ts, loader, "exec_module"));
  if (!exec.is_absent()) {
    MVM_TRY_VOID(Call(ts, exec, module));
    return Ok();
  }
  MVM_TRY_VOID(Warn(ts, Exc::kImportWarning, 1,
                    "%T.exec_module() not found; falling back to load_module()", loader));
  MVM_TRY(Ref<> load, GetAttr(ts, loader, "load_module"));
  MVM_TRY_VOID(Call(ts, load, name));
  return Ok();
}

// Errors of another thread's or an earlier stage's clean-up must not hide the one in flight.
void DropModule(ThreadState& ts, Value name) {
  Ref<> pending = TakePending(ts);
  Result<bool> removed = DictDelete(ts, ts.rt->modules, name);
  if (removed.raised()) ClearPending(ts);
  RestorePending(ts, std::move(pending));
}

}  // namespace

Result<> LoadFromSpec(ThreadState& ts, Value spec) {
  MVM_TRY(Ref<> name, GetAttr(ts, spec, MVM_NAME(ts, name)));
  MVM_TRY(Ref<> module, ModuleFromSpec(ts, spec));
  MVM_TRY(Ref<> loader, GetAttr(ts, spec, "loader"));
  MVM_TRY_VOID(SetInitializing(ts, spec, true));
  Status done = DictSet(ts, ts.rt->modules, name, module);
  if (!done.raised()) {
    done = ExecModule(ts, spec, loader, name, module);
    if (done.raised()) DropModule(ts, name);
  }
  if (done.raised()) {
    Ref<> pending = TakePending(ts);
    if (SetInitializing(ts, spec, false).raised()) ClearPending(ts);
    RestorePending(ts, std::move(pending));
    return kRaised;
  }
  MVM_TRY_VOID(SetInitializing(ts, spec, false));
  // The module may have put something else in its place.
  MVM_TRY(Ref<> final, DictGet(ts, ts.rt->modules, name));
  if (final.is_absent()) return RaiseKeyError(ts, name);
  return final;
}

Result<> ImportModuleLevel(ThreadState& ts, StrObject* name, Value globals, Value fromlist,
                           int64_t level) {
  if (level < 0) return Raise(ts, Exc::kValueError, "level must be >= 0");
  Ref<StrObject> full;
  if (level > 0) {
    MVM_TRY(full, ResolveName(ts, name, globals, level));
  } else {
    if (name->length == 0) return Raise(ts, Exc::kValueError, "Empty module name");
    full = Ref<StrObject>::Borrow(name);
  }
  MVM_TRY(Ref<> module, ImportAbsolute(ts, full));
  bool has_from = false;
  if (!fromlist.is_null() && !IsNone(ts, fromlist)) {
    MVM_TRY(has_from, Truth(ts, fromlist));
  }
  if (has_from) {
    MVM_TRY(Ref<> path, GetAttrOptional(ts, module, MVM_NAME(ts, __path__)));
    if (!path.is_absent()) MVM_TRY_VOID(HandleFromList(ts, module, fromlist, false));
    return module;
  }
  if (level > 0 && name->length == 0) return module;
  size_t dot = 0;
  while (dot < name->length && name->At(dot) != '.') ++dot;
  if (dot == name->length) return module;
  // `import a.b.c` binds the top package.
  if (level == 0) {
    MVM_TRY(Ref<StrObject> front, StrSlice(ts, name, 0, dot));
    return ImportAbsolute(ts, front);
  }
  MVM_TRY(Ref<StrObject> front, StrSlice(ts, full, 0, full->length - (name->length - dot)));
  MVM_TRY(Ref<> top, FindLoaded(ts, front));
  if (top.is_absent()) {
    return Raise(ts, Exc::kKeyError, "%R not in sys.modules as expected", Value(front.get()));
  }
  return top;
}

Result<> ImportModule(ThreadState& ts, std::string_view name) {
  MVM_TRY(Ref<StrObject> text, InternUtf8(ts, name));
  return ImportAbsolute(ts, text);
}

// ---- _frozen_importlib and _imp ----

namespace {

Result<> bootstrap_module_from_spec(ThreadState& ts, Args args) {
  return ModuleFromSpec(ts, args[0]);
}
Result<> bootstrap_load(ThreadState& ts, Args args) { return LoadFromSpec(ts, args[0]); }
Result<> bootstrap_init_attrs(ThreadState& ts, Args args) {
  MVM_TRY(bool override, Truth(ts, args[2]));
  MVM_TRY_VOID(InitModuleAttributes(ts, args[0], args[1], override));
  return Result<>::Borrow(args[1]);
}
Result<> bootstrap_find_spec(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, ExpectStr(ts, args[0], "module name"));
  return FindSpec(ts, name, args[1]);
}
Result<> bootstrap_exec(ThreadState& ts, Args args) {
  // _exec(spec, module): runs the module anew in itself (reload).
  Value spec = args[0], module = args[1];
  MVM_TRY(Ref<> name, GetAttr(ts, spec, MVM_NAME(ts, name)));
  MVM_TRY(Ref<> found, DictGet(ts, ts.rt->modules, name));
  if (!found.is(module)) {
    return RaiseImportError(ts, Exc::kImportError, IsStr(ts, name) ? name.as<StrObject>() : nullptr,
                            Value(), "module %R not in sys.modules", name.get());
  }
  MVM_TRY_VOID(InitModuleAttributes(ts, spec, module, true));
  MVM_TRY(Ref<> loader, GetAttr(ts, spec, "loader"));
  MVM_TRY_VOID(ExecModule(ts, spec, loader, name, module));
  MVM_TRY(Ref<> final, DictGet(ts, ts.rt->modules, name));
  return final.is_absent() ? Result<>::Borrow(module) : Result<>(std::move(final));
}
Result<> bootstrap_import(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, ExpectStr(ts, args[0], "module name"));
  return ImportAbsolute(ts, name);
}

const MethodSpec kBootstrapFunctions[] = {
    {"_exec(spec, module)", bootstrap_exec,
     "Runs a module that is in sys.modules once more, in itself."},
    {"_find_spec(name, path=None, target=None)", bootstrap_find_spec,
     "The spec that sys.meta_path has for a module, or None."},
    {"_gcd_import(name)", bootstrap_import,
     "The module with that absolute name, imported if need be."},
    {"_init_module_attrs(spec, module, override=False)", bootstrap_init_attrs},
    {"_load(spec)", bootstrap_load,
     "The module of the spec, made, entered in sys.modules and run."},
    {"module_from_spec(spec)", bootstrap_module_from_spec,
     "A new module for the spec, with its attributes set but not run."},
};
const TypeSpec* const kBootstrapTypes[] = {
    &kModuleSpecType, &kBuiltinImporterType,  &kFrozenImporterType,  &kPathFinderType,
    &kFileFinderType, &kSourceFileLoaderType, &kNamespaceLoaderType, &kNamespacePathType,
};

Result<> imp_acquire_lock(ThreadState& ts, Args args) {
  MVM_TRY_VOID(AcquireGlobalImportLock(ts));
  return None(ts);
}
Result<> imp_release_lock(ThreadState& ts, Args args) {
  MVM_TRY_VOID(ReleaseGlobalImportLock(ts));
  return None(ts);
}
Result<> imp_lock_held(ThreadState& ts, Args args) { return Bool(ts, GlobalImportLockHeld(ts)); }
Result<> imp_is_builtin(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, ExpectStr(ts, args[0], "name"));
  MVM_TRY(Ref<> spec, FindBuiltin(ts, name));
  bool core = name->EqualsAscii("sys") || name->EqualsAscii("builtins");
  return Small(IsNone(ts, spec) ? 0 : core ? -1 : 1);
}
Result<> imp_is_frozen(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, ExpectStr(ts, args[0], "name"));
  std::string text = ToUtf8(name);
  return Bool(ts, FindEmbeddedModule(text.data(), text.size()) != nullptr);
}
Result<> imp_is_frozen_package(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, ExpectStr(ts, args[0], "name"));
  std::string text = ToUtf8(name);
  const EmbeddedModule* m = FindEmbeddedModule(text.data(), text.size());
  if (m == nullptr) {
    return RaiseImportError(ts, Exc::kImportError, name, Value(), "No such frozen object named %U",
                            Value(name));
  }
  return Bool(ts, m->package);
}
Result<> imp_get_frozen_object(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, ExpectStr(ts, args[0], "name"));
  std::string text = ToUtf8(name);
  const EmbeddedModule* m = FindEmbeddedModule(text.data(), text.size());
  if (m == nullptr) {
    return RaiseImportError(ts, Exc::kImportError, name, Value(), "No such frozen object named %U",
                            Value(name));
  }
  return FrozenCode(ts, *m);
}
Result<> imp_frozen_names(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ListObject> list, NewList(ts, {}));
  for (const EmbeddedModule& m : EmbeddedModules()) {
    MVM_TRY(Ref<StrObject> name, NewStr(ts, m.name));
    MVM_TRY_VOID(ListAppend(ts, list, name));
  }
  return list;
}
Result<> imp_extension_suffixes(ThreadState& ts, Args args) { return NewList(ts, {}); }

const MethodSpec kImpFunctions[] = {
    {"_frozen_module_names()", imp_frozen_names,
     "The names of the modules whose source is embedded."},
    {"acquire_lock()", imp_acquire_lock,
     "Take the import lock, which fork() takes too. Imports do without."},
    {"extension_suffixes()", imp_extension_suffixes,
     "An empty list: there are no extension modules."},
    {"get_frozen_object(name, data=None, /)", imp_get_frozen_object,
     "The code of an embedded module; ImportError if there is none."},
    {"is_builtin(name, /)", imp_is_builtin,
     "1 for a module that is compiled in, -1 for builtins and sys, else 0."},
    {"is_frozen(name, /)", imp_is_frozen, "Whether there is an embedded module of that name."},
    {"is_frozen_package(name, /)", imp_is_frozen_package,
     "Whether that embedded module is a package; ImportError if there is none."},
    {"lock_held()", imp_lock_held, "Whether a thread holds the import lock."},
    {"release_lock()", imp_release_lock, "Undo one acquire_lock()."},
};

}  // namespace

const ModuleSpec k__frozen_importlib_module = {
    .name = "_frozen_importlib",
    .doc = "What an import does, as importlib uses it.",
    .functions = kBootstrapFunctions,
    .types = kBootstrapTypes,
};
const ModuleSpec k__imp_module = {
    .name = "_imp",
    .doc = "Questions about compiled-in and embedded modules.",
    .functions = kImpFunctions,
};

Status InitImporter(ThreadState& ts) {
  ModuleObject* sys = ts.rt->sys;
  MVM_TRY(Ref<ListObject> meta_path, NewList(ts, {}));
  for (const TypeSpec* spec : {&kBuiltinImporterType, &kFrozenImporterType, &kPathFinderType}) {
    MVM_TRY(TypeObject * type, TypeForSpec(ts, *spec));
    MVM_TRY_VOID(ListAppend(ts, meta_path, type));
  }
  MVM_TRY_VOID(ModuleAdd(ts, sys, "meta_path", meta_path));
  MVM_TRY(Ref<ListObject> hooks, NewList(ts, {}));
  for (const MethodSpec* spec : {&kArchiveHook, &kPathHook}) {
    MVM_TRY(Ref<NativeFunctionObject> hook, NewNativeFunction(ts, *spec, Value(), false, nullptr));
    MVM_TRY_VOID(ListAppend(ts, hooks, hook));
  }
  MVM_TRY_VOID(ModuleAdd(ts, sys, "path_hooks", hooks));
  MVM_TRY(Ref<DictObject> cache, NewDict(ts));
  MVM_TRY_VOID(ModuleAdd(ts, sys, "path_importer_cache", cache));
  ts.rt->hooks.import_module = ImportModule;
  // sys and builtins have specs like any module.
  for (ModuleObject* m : {ts.rt->sys, ts.rt->builtins}) {
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, m == sys ? "sys" : "builtins"));
    MVM_TRY(Ref<> spec, FindBuiltin(ts, name));
    MVM_TRY_VOID(InitModuleAttributes(ts, spec, Value(m), true));
  }
  return Ok();
}

}  // namespace minivm

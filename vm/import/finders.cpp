// The finders: native modules, embedded modules, and directories along a path.
//
// A name is looked for in a directory as: a package (a directory with __init__.src or __init__.py),
// NAME.src, NAME.py, and last a directory without __init__, which is a portion of a namespace
// package.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

#include "runtime/native/native_function.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/inflate.h"
#include "vm/bytecode/code_object.h"
#include "vm/import/embedded_modules.h"
#include "vm/import/import_types.h"

namespace minivm {

namespace {

constexpr const char* kSuffixes[] = {".src", ".py"};

enum class PathKind { kNone, kFile, kDirectory };

PathKind KindOf(const std::string& path) {
  struct stat st;
  if (::stat(path.c_str(), &st) != 0) return PathKind::kNone;
  return S_ISDIR(st.st_mode)   ? PathKind::kDirectory
         : S_ISREG(st.st_mode) ? PathKind::kFile
                               : PathKind::kNone;
}

template <class T>
int CompareName(const char* a, const char* b, size_t n) {
  int c = std::strncmp(a, b, n);
  return c != 0 ? c : static_cast<unsigned char>(a[n]);
}
template <class T, class F>
const T* Search(Table<T> table, const char* name, size_t size, F name_of) {
  size_t low = 0, high = table.size;
  while (low < high) {
    size_t middle = (low + high) / 2;
    int c = CompareName<T>(name_of(table.data[middle]), name, size);
    if (c == 0) return &table.data[middle];
    if (c < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return nullptr;
}

// DEFLATE data that may refer back to `before`. False: no memory.
bool Unpack(const char* packed, size_t packed_size, std::string_view before, void* to,
            size_t size) {
  auto inflater = std::unique_ptr<Inflater>(new (std::nothrow) Inflater);
  if (!inflater) return false;
  inflater->SetDictionary(reinterpret_cast<const uint8_t*>(before.data()), before.size());
  auto* in = reinterpret_cast<const uint8_t*>(packed);
  auto* out = static_cast<uint8_t*>(to);
  auto state = inflater->Run(&in, in + packed_size, &out, out + size);
  MVM_CHECK(state != Inflater::State::kBad, "embedded modules are packed by embed_modules");
  return true;
}

}  // namespace

const ModuleSpec* FindNativeModule(const char* name, size_t size) {
  auto* row = Search(NativeModules(), name, size, [](const ModuleSpec* m) { return m->name; });
  return row ? *row : nullptr;
}
const EmbeddedModule* FindEmbeddedModule(const char* name, size_t size) {
  return Search(EmbeddedModules(), name, size, [](const EmbeddedModule& m) { return m.name; });
}

bool UnpackCode(const EmbeddedModule& m, void* out) {
  return Unpack(m.packed_code, m.packed_code_size, EmbeddedDictionary(), out, m.code_size);
}

bool UnpackSource(const EmbeddedModule& m, std::string* text) {
  std::string image(m.code_size, 0);
  if (m.code_size != 0 && !UnpackCode(m, image.data())) return false;
  text->resize(m.size);
  return Unpack(m.packed, m.packed_size,
                m.code_size != 0 ? std::string_view(image) : EmbeddedDictionary(), text->data(),
                m.size);
}

Result<> FindBuiltin(ThreadState& ts, StrObject* name) {
  if (!name->ascii()) return None(ts);
  std::string_view text = name->ascii_view();
  const ModuleSpec* found = FindNativeModule(text.data(), text.size());
  for (const ModuleSpec* own : {&k__frozen_importlib_module, &k__imp_module}) {
    if (text == own->name) found = own;
  }
  if (found == nullptr && text != "sys" && text != "builtins") return None(ts);
  MVM_TRY(TypeObject * loader, TypeForSpec(ts, kBuiltinImporterType));
  MVM_TRY(Ref<StrObject> origin, InternUtf8(ts, "built-in"));
  return NewModuleSpec(ts, name, loader, origin);
}

Result<> FindFrozen(ThreadState& ts, StrObject* name) {
  if (!name->ascii()) return None(ts);
  std::string_view text = name->ascii_view();
  const EmbeddedModule* found = FindEmbeddedModule(text.data(), text.size());
  if (found == nullptr) return None(ts);
  MVM_TRY(TypeObject * loader, TypeForSpec(ts, kFrozenImporterType));
  MVM_TRY(Ref<StrObject> origin, InternUtf8(ts, "frozen"));
  MVM_TRY(Ref<ModuleSpecObject> spec, NewModuleSpec(ts, name, loader, origin));
  if (found->package) {
    Ref<> old = Ref<>::Steal(spec->locations);
    spec->locations = Value();
    MVM_TRY(Ref<ListObject> list, NewList(ts, {}));
    spec->locations = Value(list.Release());
  }
  return spec;
}

bool IsCoreModule(StrObject* name) {
  constexpr std::string_view kCore[] = {"_collections_abc",
                                        "abc",
                                        "codecs",
                                        "genericpath",
                                        "importlib.machinery",
                                        "importlib.util",
                                        "io",
                                        "os",
                                        "posixpath",
                                        "runpy",
                                        "site",
                                        "stat",
                                        "zipimport"};
  return name->ascii() && std::ranges::binary_search(kCore, name->ascii_view());
}

// ---- one directory ----

Result<> FileFinderFind(ThreadState& ts, FileFinderObject* finder, StrObject* name) {
  size_t dot = name->length;
  while (dot > 0 && name->At(dot - 1) != '.') --dot;
  std::string base, tail;
  MVM_TRY_VOID(ToOsString(ts, finder->path, &base));
  MVM_TRY(Ref<StrObject> tail_name, StrSlice(ts, name, dot, name->length));
  if (ToOsString(ts, tail_name, &tail).raised()) {
    ClearPending(ts);
    return None(ts);
  }
  if (tail.empty() || tail.find('/') != tail.npos)
    return None(ts);  // names no file of the directory
  if (base.empty()) base = ".";
  if (base.back() != '/') base += '/';
  base += tail;
  PathKind kind = KindOf(base);
  auto file_spec = [&](const std::string& path, Value locations) -> Result<> {
    MVM_TRY(Ref<StrObject> file, NewStrFromOs(ts, path));
    MVM_TRY(Ref<FileLoaderObject> loader, NewFileLoader(ts, kSourceFileLoaderType, name, file));
    return NewFileSpec(ts, name, loader, file, locations);
  };
  if (kind == PathKind::kDirectory) {
    for (const char* suffix : kSuffixes) {
      std::string init = base + "/__init__" + suffix;
      if (KindOf(init) != PathKind::kFile) continue;
      MVM_TRY(Ref<StrObject> directory, NewStrFromOs(ts, base));
      Value one = Value(directory.get());
      MVM_TRY(Ref<ListObject> locations, NewList(ts, {&one, 1}));
      return file_spec(init, locations);
    }
  }
  for (const char* suffix : kSuffixes) {
    std::string file = base + suffix;
    if (KindOf(file) == PathKind::kFile) return file_spec(file, Value());
  }
  if (kind != PathKind::kDirectory) return None(ts);
  MVM_TRY(Ref<StrObject> directory, NewStrFromOs(ts, base));
  Value one = Value(directory.get());
  MVM_TRY(Ref<ListObject> locations, NewList(ts, {&one, 1}));
  MVM_TRY(Ref<ModuleSpecObject> spec, NewModuleSpec(ts, name, ts.rt->none, ts.rt->none));
  Decref(std::exchange(spec->locations, Value(locations.Release())));
  return spec;
}

// ---- the path ----

namespace {

// The finder for a path entry through sys.path_importer_cache and sys.path_hooks: a new reference,
// None if no hook wants it.
Result<> FinderFor(ThreadState& ts, StrObject* entry) {
  Ref<StrObject> path = Ref<StrObject>::Borrow(entry);
  if (path->length == 0) {
    char buffer[4096];
    if (::getcwd(buffer, sizeof(buffer)) == nullptr) return None(ts);
    MVM_TRY(path, NewStrFromOs(ts, buffer));
  }
  MVM_TRY(Ref<> cache, SysGet(ts, "path_importer_cache"));
  bool cached = !cache.is_absent() && IsDict(ts, cache);
  if (cached) {
    MVM_TRY(Ref<> found, DictGet(ts, cache.as<DictObject>(), path));
    if (!found.is_absent()) return found;
  }
  MVM_TRY(Ref<> hooks, SysGet(ts, "path_hooks"));
  Ref<> finder = Ref<>::Borrow(ts.rt->none);
  if (!hooks.is_absent() && !IsNone(ts, hooks)) {
    MVM_TRY(Ref<ListObject> list, ListFrom(ts, hooks));
    Untrack(list);  // as all that is walked over: the collector would show it to scripts
    if (list->size == 0) MVM_TRY_VOID(Warn(ts, Exc::kImportWarning, 1, "sys.path_hooks is empty"));
    for (uint64_t i = 0; i < list->size; ++i) {
      Result<> made = Call(ts, list->items[i], Value(path.get()));
      if (!made.raised()) {
        finder = made.Take();
        break;
      }
      if (!ClearPendingIf(ts, Exc::kImportError)) return kRaised;
    }
  }
  if (cached) MVM_TRY_VOID(DictSet(ts, cache.as<DictObject>(), path, finder));
  return finder;
}

Result<> FindWith(ThreadState& ts, Value finder, StrObject* name) {
  if (IsExactSpec(ts, finder, kFileFinderType))
    return FileFinderFind(ts, finder.as<FileFinderObject>(), name);
  MVM_TRY(Ref<> find, GetAttrOptional(ts, finder, "find_spec"));
  if (find.is_absent()) return None(ts);
  return Call(ts, find, Value(name));
}

Result<> NewNamespacePath(ThreadState& ts, StrObject* name, Value portions);

}  // namespace

Result<> FindOnPath(ThreadState& ts, StrObject* name, Value path) {
  Ref<> entries = Ref<>::Borrow(path);
  if (IsNone(ts, path)) {
    MVM_TRY(entries, SysGet(ts, "path"));
    if (entries.is_absent())
      return Raise(ts, Exc::kAttributeError, "module 'sys' has no attribute 'path'");
  }
  MVM_TRY(Ref<ListObject> list, ListFrom(ts, entries));
  Untrack(list);
  MVM_TRY(Ref<ListObject> portions, NewList(ts, {}));
  for (uint64_t i = 0; i < list->size; ++i) {
    if (!IsStr(ts, list->items[i])) continue;
    MVM_TRY(Ref<> finder, FinderFor(ts, list->items[i].as<StrObject>()));
    if (IsNone(ts, finder)) continue;
    MVM_TRY(Ref<> spec, FindWith(ts, finder, name));
    if (IsNone(ts, spec)) continue;
    MVM_TRY(Ref<> loader, GetAttr(ts, spec, "loader"));
    if (!IsNone(ts, loader)) return spec;
    MVM_TRY(Ref<> found, GetAttr(ts, spec, "submodule_search_locations"));
    if (IsNone(ts, found))
      return RaiseImportError(ts, Exc::kImportError, nullptr, Value(), "spec missing loader");
    MVM_TRY_VOID(ListExtend(ts, portions, found));
  }
  // The library stands behind the last entry of sys.path, as a directory with it would; its
  // packages have an empty path.
  if (IsNone(ts, path) || list->size == 0) {
    MVM_TRY(Ref<> spec, FindFrozen(ts, name));
    if (!IsNone(ts, spec)) return spec;
  }
  if (portions->size == 0) return None(ts);
  MVM_TRY(Ref<> locations, NewNamespacePath(ts, name, portions));
  MVM_TRY(Ref<ModuleSpecObject> spec, NewModuleSpec(ts, name, ts.rt->none, ts.rt->none));
  Decref(std::exchange(spec->locations, locations.Release()));
  return spec;
}

// ---- namespace paths ----

namespace {

Result<NamespacePathObject*> AsNamespacePath(Value v) { return v.as<NamespacePathObject>(); }

// What the portions are searched on: sys.path, or the parent package's __path__.
Result<> ParentPath(ThreadState& ts, NamespacePathObject* p) {
  StrObject* name = p->name.as<StrObject>();
  size_t dot = name->length;
  while (dot > 0 && name->At(dot - 1) != '.') --dot;
  if (dot == 0) return SysGet(ts, "path");
  MVM_TRY(Ref<StrObject> parent, StrSlice(ts, name, 0, dot - 1));
  MVM_TRY(Ref<> module, DictGet(ts, ts.rt->modules, parent));
  if (module.is_absent()) return RaiseKeyError(ts, parent);
  return GetAttr(ts, module, MVM_NAME(ts, __path__));
}

Result<> NewNamespacePath(ThreadState& ts, StrObject* name, Value portions) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kNamespacePathType));
  MVM_TRY(Ref<NamespacePathObject> p, New<NamespacePathObject>(ts, type->shape_id_exact));
  p->name = Ref<>::Borrow(Value(name)).Release();
  p->path = Ref<>::Borrow(portions).Release();
  MVM_TRY(Ref<> parent, ParentPath(ts, p));
  MVM_TRY(Ref<TupleObject> seen, TupleFrom(ts, parent));
  p->last_parent_path = Value(seen.Release());
  Track(p.get());
  return p;
}

// The current list of portions. New reference.
Result<ListObject> Portions(ThreadState& ts, Value self) {
  MVM_TRY(NamespacePathObject * p, AsNamespacePath(self));
  MVM_TRY(Ref<> parent, ParentPath(ts, p));
  MVM_TRY(Ref<TupleObject> now, TupleFrom(ts, parent));
  MVM_TRY(bool same, EqualValues(ts, now, p->last_parent_path));
  if (!same) {
    MVM_TRY(Ref<> spec, FindOnPath(ts, p->name.as<StrObject>(), now));
    if (!IsNone(ts, spec)) {
      MVM_TRY(Ref<> loader, GetAttr(ts, spec, "loader"));
      MVM_TRY(Ref<> locations, GetAttr(ts, spec, "submodule_search_locations"));
      if (IsNone(ts, loader) && !IsNone(ts, locations)) {
        if (IsExactSpec(ts, locations, kNamespacePathType)) {
          locations = Ref<>::Borrow(locations.as<NamespacePathObject>()->path);
        }
        MVM_TRY(Ref<ListObject> list, ListFrom(ts, locations));
        Decref(std::exchange(p->path, Value(list.Release())));
      }
    }
    Decref(std::exchange(p->last_parent_path, Value(now.Release())));
  }
  return Ref<ListObject>::Borrow(p->path.as<ListObject>());
}

Result<> namespace_iter(ThreadState& ts, Value self) {
  MVM_TRY(Ref<ListObject> list, Portions(ts, self));
  return GetIter(ts, list);
}
Result<> namespace_get_item(ThreadState& ts, Value self, Value key) {
  MVM_TRY(Ref<ListObject> list, Portions(ts, self));
  return GetItem(ts, list, key);
}
Status namespace_set_item(ThreadState& ts, Value self, Value key, Value value) {
  Ref<> list = Ref<>::Borrow(self.as<NamespacePathObject>()->path);
  return SetItem(ts, list, key, value);
}
Result<int64_t> namespace_len(ThreadState& ts, Value self) {
  MVM_TRY(Ref<ListObject> list, Portions(ts, self));
  return static_cast<int64_t>(list->size);
}
Result<bool> namespace_contains(ThreadState& ts, Value self, Value item) {
  MVM_TRY(Ref<ListObject> list, Portions(ts, self));
  return Contains(ts, list, item);
}
Result<> namespace_repr(ThreadState& ts, Value self) {
  return Format(ts, "_NamespacePath(%R)", self.as<NamespacePathObject>()->path);
}
Result<> namespace_append(ThreadState& ts, Args args) {
  Ref<> list = Ref<>::Borrow(args.self<NamespacePathObject>()->path);
  MVM_TRY_VOID(ListAppend(ts, list.as<ListObject>(), args[1]));
  return None(ts);
}
const MethodSpec kNamespaceMethods[] = {{"append(self, item)", namespace_append}};

}  // namespace

const TypeSpec kNamespacePathType = {
    .name = "_frozen_importlib_external._NamespacePath",
    .doc = "The directories of a package without __init__.",
    .flags = kTypeNoNew,
    .size = sizeof(NamespacePathObject),
    .gc = GcHooksOf<NamespacePathObject>(),
    .slots = {.repr = namespace_repr,
              .iter = namespace_iter,
              .len = namespace_len,
              .get_item = namespace_get_item,
              .set_item = namespace_set_item,
              .contains = namespace_contains},
    .methods = kNamespaceMethods,
};

// ---- the types ----

namespace {

Result<StrObject*> NameArgument(ThreadState& ts, Value v) {
  return ExpectStr(ts, v, "module name");
}

Result<> builtin_find_spec(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, NameArgument(ts, args[1]));
  return FindBuiltin(ts, name);
}
Result<> frozen_find_spec(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, NameArgument(ts, args[1]));
  return FindFrozen(ts, name);
}
Result<> path_find_spec(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, NameArgument(ts, args[1]));
  return FindOnPath(ts, name, args[2]);
}

// PathFinder.invalidate_caches(): forgets entries that no hook wanted; asks the finders.
Result<> path_invalidate_caches(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> cache, SysGet(ts, "path_importer_cache"));
  if (cache.is_absent() || !IsDict(ts, cache)) return None(ts);
  MVM_TRY(Ref<ListObject> keys, ListFrom(ts, cache));
  Untrack(keys);
  for (uint64_t i = 0; i < keys->size; ++i) {
    MVM_TRY(Ref<> finder, DictGet(ts, cache.as<DictObject>(), keys->items[i]));
    if (finder.is_absent()) continue;
    if (IsNone(ts, finder)) {
      MVM_TRY_VOID(DictDelete(ts, cache.as<DictObject>(), keys->items[i]));
      continue;
    }
    MVM_TRY(Ref<> method, GetAttrOptional(ts, finder, "invalidate_caches"));
    if (!method.is_absent()) MVM_TRY_VOID(Call(ts, method));
  }
  return None(ts);
}

Result<bool> NameIsPackage(ThreadState& ts, StrObject* name) {
  const EmbeddedModule* m =
      name->ascii() ? FindEmbeddedModule(name->ascii_view().data(), name->length) : nullptr;
  if (m == nullptr) {
    return RaiseImportError(ts, Exc::kImportError, name, Value(), "%R is not a frozen module",
                            Value(name));
  }
  return m->package;
}

Raised NotBuiltin(ThreadState& ts, StrObject* name) {
  return RaiseImportError(ts, Exc::kImportError, name, Value(), "%R is not a built-in module",
                          Value(name));
}

Result<> builtin_nothing(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, NameArgument(ts, args[1]));
  MVM_TRY(Ref<> spec, FindBuiltin(ts, name));
  if (IsNone(ts, spec)) return NotBuiltin(ts, name);
  return None(ts);
}
Result<> builtin_is_package(ThreadState& ts, Args args) {
  MVM_TRY_VOID(builtin_nothing(ts, args));
  return Bool(ts, false);
}
Result<> return_none(ThreadState& ts, Args args) { return None(ts); }
Result<> load_module(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, NameArgument(ts, args[1]));
  MVM_TRY(Ref<> existing, DictGet(ts, ts.rt->modules, Value(name)));
  MVM_TRY(Ref<> spec, FindBuiltin(ts, name));
  if (IsNone(ts, spec)) {
    MVM_TRY(spec, FindFrozen(ts, name));
  }
  if (IsNone(ts, spec)) return NotBuiltin(ts, name);
  if (!existing.is_absent()) return existing;
  return LoadFromSpec(ts, spec);
}

Result<> frozen_is_package(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, NameArgument(ts, args[1]));
  MVM_TRY(bool package, NameIsPackage(ts, name));
  return Bool(ts, package);
}
Result<> frozen_get_code(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, NameArgument(ts, args[1]));
  MVM_TRY_VOID(NameIsPackage(ts, name));
  return FrozenCode(ts, *FindEmbeddedModule(name->ascii_view().data(), name->length));
}
Result<> frozen_get_source(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, NameArgument(ts, args[1]));
  MVM_TRY_VOID(NameIsPackage(ts, name));
  const EmbeddedModule* m = FindEmbeddedModule(name->ascii_view().data(), name->length);
  std::string text;
  if (!UnpackSource(*m, &text)) return RaiseMemoryError(ts);
  return NewStr(ts, text);
}

const MethodSpec kBuiltinMethods[] = {
    {"create_module(spec)", [](ThreadState& ts, Args args) { return CreateBuiltin(ts, args[0]); },
     "The module of the spec, with its functions and types.", kMethodStatic},
    {"exec_module(module)", return_none, "Does nothing: create_module() has filled the module.",
     kMethodStatic},
    {"find_spec(cls, fullname, path=None, target=None)", builtin_find_spec, nullptr, kMethodClass},
    {"get_code(cls, fullname)", builtin_nothing,
     "None, or ImportError if no native module has that name.", kMethodClass},
    {"get_source(cls, fullname)", builtin_nothing,
     "None, or ImportError if no native module has that name.", kMethodClass},
    {"is_package(cls, fullname)", builtin_is_package,
     "False, or ImportError if no native module has that name.", kMethodClass},
    {"load_module(cls, fullname)", load_module, nullptr, kMethodClass},
};
const MethodSpec kFrozenMethods[] = {
    {"create_module(spec)", [](ThreadState& ts, Args args) { return None(ts); },
     "None: the default way to make a module will do.", kMethodStatic},
    {"exec_module(module)",
     [](ThreadState& ts, Args args) -> Result<> {
       MVM_TRY_VOID(ExecFrozen(ts, args[0]));
       return None(ts);
     },
     nullptr, kMethodStatic},
    {"find_spec(cls, fullname, path=None, target=None)", frozen_find_spec, nullptr, kMethodClass},
    {"get_code(cls, fullname)", frozen_get_code,
     "The code of the embedded module; ImportError if there is none.", kMethodClass},
    {"get_source(cls, fullname)", frozen_get_source,
     "The source of the embedded module; ImportError if there is none.", kMethodClass},
    {"is_package(cls, fullname)", frozen_is_package,
     "Whether the embedded module is a package; ImportError if there is none.", kMethodClass},
    {"load_module(cls, fullname)", load_module, nullptr, kMethodClass},
};
const MethodSpec kPathFinderMethods[] = {
    {"find_spec(cls, fullname, path=None, target=None)", path_find_spec,
     "The spec of a module found in the directories of path, else of sys.path; or None.",
     kMethodClass},
    {"invalidate_caches()", path_invalidate_caches,
     "Has the finders of sys.path_importer_cache look at their directories anew.", kMethodStatic},
};

Result<> file_finder_init(ThreadState& ts, Args args) {
  FileFinderObject* f = args.self<FileFinderObject>();
  MVM_TRY(StrObject * path, ExpectStr(ts, args[1], "path"));
  Ref<StrObject> absolute = Ref<StrObject>::Borrow(path);
  if (path->length == 0 || path->At(0) != '/') {
    char buffer[4096];
    if (::getcwd(buffer, sizeof(buffer)) != nullptr) {
      MVM_TRY(Ref<StrObject> cwd, NewStrFromOs(ts, buffer));
      if (path->length == 0 || path->EqualsAscii(".")) {
        absolute = std::move(cwd);
      } else {
        MVM_TRY(absolute, Format(ts, "%U/%U", Value(cwd.get()), Value(path)));
      }
    }
  }
  StrObject* old = std::exchange(f->path, absolute.Release());
  if (old) Decref(old);
  MVM_TRY(Ref<ListObject> pairs, NewList(ts, {}));
  TupleObject* details = args.as<TupleObject>(2);
  for (Value detail : details->span()) {
    MVM_TRY(Ref<TupleObject> pair, TupleFrom(ts, detail));
    if (pair->size() != 2)
      return Raise(ts, Exc::kValueError, "loader details are pairs of loader and suffixes");
    Ref<> loader = Ref<>::Borrow((*pair)[0]);
    MVM_TRY_VOID(ForEach(ts, (*pair)[1], [&](Value suffix) -> Status {
      Value row[] = {suffix, loader.get()};
      MVM_TRY(Ref<TupleObject> t, NewTuple(ts, row));
      return ListAppend(ts, pairs, t);
    }));
  }
  Decref(std::exchange(f->loaders, Value(pairs.Release())));
  return None(ts);
}

Result<> file_finder_find_spec(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * name, NameArgument(ts, args[1]));
  FileFinderObject* f = args.self<FileFinderObject>();
  if (f->path == nullptr) return None(ts);
  // Scripts may give loaders of their own for suffixes of their own.
  if (!f->loaders.is_null() && IsList(ts, f->loaders) && f->loaders.as<ListObject>()->size > 0) {
    MVM_TRY(Ref<TupleObject> loaders, TupleFrom(ts, f->loaders));
    std::string base, tail;
    MVM_TRY_VOID(ToOsString(ts, f->path, &base));
    MVM_TRY_VOID(ToOsString(ts, name, &tail));
    base += '/';
    base += tail.substr(tail.rfind('.') == std::string::npos ? 0 : tail.rfind('.') + 1);
    bool directory = KindOf(base) == PathKind::kDirectory;
    for (int pass = directory ? 0 : 1; pass < 2; ++pass) {
      for (Value row : loaders->span()) {
        Value suffix = (*row.as<TupleObject>())[0], loader_class = (*row.as<TupleObject>())[1];
        if (!IsStr(ts, suffix)) continue;
        std::string end;
        MVM_TRY_VOID(ToOsString(ts, suffix.as<StrObject>(), &end));
        std::string file = pass == 0 ? base + "/__init__" + end : base + end;
        if (KindOf(file) != PathKind::kFile) continue;
        MVM_TRY(Ref<StrObject> path, NewStrFromOs(ts, file));
        MVM_TRY(Ref<> loader, Call(ts, loader_class, Value(name), Value(path.get())));
        Ref<> locations;
        if (pass == 0) {
          MVM_TRY(Ref<StrObject> where, NewStrFromOs(ts, base));
          Value one = Value(where.get());
          MVM_TRY(locations, Result<>(NewList(ts, {&one, 1})));
        }
        return NewFileSpec(ts, Value(name), loader, path, locations);
      }
    }
  }
  return FileFinderFind(ts, f, name);
}

Result<> file_finder_repr(ThreadState& ts, Value self) {
  StrObject* path = self.as<FileFinderObject>()->path;
  return Format(ts, "FileFinder(%R)", path ? Value(path) : Value(ts.rt->none));
}
Result<> file_finder_get_path(ThreadState& ts, Value self) {
  StrObject* path = self.as<FileFinderObject>()->path;
  return path ? Result<>::Borrow(Value(path)) : None(ts);
}
Status file_finder_set_path(ThreadState& ts, Value self, Value v) {
  MVM_TRY(StrObject * path, ExpectStr(ts, v.is_null() ? Value(ts.rt->none) : v, "path"));
  Incref(path);
  StrObject* old = std::exchange(self.as<FileFinderObject>()->path, path);
  if (old) Decref(old);
  return Ok();
}

Result<> PathHook(ThreadState& ts, Value path_value) {
  MVM_TRY(StrObject * path, ExpectStr(ts, path_value, "path"));
  std::string os;
  if (ToOsString(ts, path, &os).raised()) {
    ClearPending(ts);
    os = "/\xff/";
  }
  if (KindOf(os.empty() ? "." : os) != PathKind::kDirectory) {
    return RaiseImportError(ts, Exc::kImportError, nullptr, path, "only directories are supported");
  }
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kFileFinderType));
  return Call(ts, type, path_value);
}

// Does the file end like a zip archive, as far as its signature goes?
bool LooksLikeArchive(const std::string& path) {
  constexpr off_t kMostTail = 22 + 0xFFFF;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const off_t size = ::lseek(fd, 0, SEEK_END);
  std::string tail(static_cast<size_t>(std::clamp<off_t>(size, 0, kMostTail)), 0);
  size_t done = 0;
  while (done < tail.size()) {
    const off_t at = size - static_cast<off_t>(tail.size() - done);
    const ssize_t n = ::pread(fd, tail.data() + done, tail.size() - done, at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  ::close(fd);
  tail.resize(done);
  return tail.rfind("PK\5\6") != tail.npos;
}

// zipimport.zipimporter(path), without loading zipimport for what is no archive, nor in one.
Result<> ArchiveHook(ThreadState& ts, Value path_value) {
  MVM_TRY(StrObject * path, ExpectStr(ts, path_value, "path"));
  std::string os;
  if (ToOsString(ts, path, &os).raised()) {
    ClearPending(ts);
    os.clear();
  }
  PathKind kind;
  while ((kind = KindOf(os)) == PathKind::kNone && os.rfind('/') != os.npos)
    os.resize(os.rfind('/'));
  if (kind != PathKind::kFile || !LooksLikeArchive(os)) {
    return RaiseImportError(ts, Exc::kImportError, nullptr, path, "not a Zip file");
  }
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "zipimport"));
  MVM_TRY(Ref<> type, GetAttr(ts, module, "zipimporter"));
  return Call(ts, type, path_value);
}

// FileFinder.path_hook(*loader_details): a hook for sys.path_hooks with these loaders.
Result<> path_hook_call(ThreadState& ts, Args args) {
  TupleObject* bound = args[0].as<TupleObject>();
  MVM_TRY(StrObject * path, ExpectStr(ts, args[1], "path"));
  std::string os;
  MVM_TRY_VOID(ToOsString(ts, path, &os));
  if (KindOf(os.empty() ? "." : os) != PathKind::kDirectory) {
    return RaiseImportError(ts, Exc::kImportError, nullptr, path, "only directories are supported");
  }
  Value cls = (*bound)[0];
  MVM_TRY(Ref<TupleObject> call, NewTupleRaw(ts, bound->size()));
  call->items()[0] = Ref<>::Borrow(args[1]).Release();
  for (uint32_t i = 1; i < bound->size(); ++i)
    call->items()[i] = Ref<>::Borrow((*bound)[i]).Release();
  Track(call.get());
  return CallWith(ts, cls, call, nullptr);
}
const MethodSpec kPathHookCall = {"path_hook_for_FileFinder(bound, path)", path_hook_call};

Result<> file_finder_path_hook(ThreadState& ts, Args args) {
  TupleObject* details = args.as<TupleObject>(1);
  MVM_TRY(Ref<TupleObject> bound, NewTupleRaw(ts, details->size() + 1));
  bound->items()[0] = Ref<>::Borrow(args[0]).Release();
  for (uint32_t i = 0; i < details->size(); ++i)
    bound->items()[i + 1] = Ref<>::Borrow((*details)[i]).Release();
  Track(bound.get());
  return NewNativeFunction(ts, kPathHookCall, bound, true, nullptr);
}

const MethodSpec kFileFinderMethods[] = {
    {"find_spec(self, fullname, target=None)", file_finder_find_spec,
     "The spec of a module in this directory, or None."},
    {"invalidate_caches(self)", return_none, "Does nothing: directories are looked at every time."},
    {"path_hook(cls, *loader_details)", file_finder_path_hook,
     "A function for sys.path_hooks that makes finders with these (loader, suffixes) pairs.",
     kMethodClass},
};
const GetSetSpec kFileFinderGetSets[] = {{"path", file_finder_get_path, file_finder_set_path}};

}  // namespace

const MethodSpec kPathHook = {"path_hook_for_FileFinder(path)",
                              [](ThreadState& ts, Args args) { return PathHook(ts, args[0]); }};

const MethodSpec kArchiveHook = {
    "zipimporter(path)", [](ThreadState& ts, Args args) { return ArchiveHook(ts, args[0]); }};

const TypeSpec kBuiltinImporterType = {
    .name = "_frozen_importlib.BuiltinImporter",
    .doc = "Finds and loads the modules that are compiled into the program.",
    .flags = kTypeBase,
    .size = sizeof(Object),
    .methods = kBuiltinMethods,
};
const TypeSpec kFrozenImporterType = {
    .name = "_frozen_importlib.FrozenImporter",
    .doc = "Finds and loads the modules whose source is embedded in the program.",
    .flags = kTypeBase,
    .size = sizeof(Object),
    .methods = kFrozenMethods,
};
const TypeSpec kPathFinderType = {
    .name = "_frozen_importlib_external.PathFinder",
    .doc = "Finds modules in the directories of sys.path, and of the __path__ of a package.",
    .flags = kTypeBase,
    .size = sizeof(Object),
    .methods = kPathFinderMethods,
};
const TypeSpec kFileFinderType = {
    .name = "_frozen_importlib_external.FileFinder",
    .doc = "Finds the modules in one directory.",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(FileFinderObject),
    .gc = GcHooksOf<FileFinderObject>(),
    .slots = {.repr = file_finder_repr,
              .new_ = [](ThreadState& ts, TypeObject* cls,
                         Args) { return AllocInstance(ts, cls); }},
    .init = {"__init__(self, path, *loader_details)", file_finder_init},
    .methods = kFileFinderMethods,
    .getsets = kFileFinderGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = offsetof(FileFinderObject, dict),
};

}  // namespace minivm

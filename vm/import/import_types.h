// The objects of the import system: module specs, finders and loaders (module _frozen_importlib).
//
// All are ordinary types that scripts may use and derive from; the importer recognises exact
// instances of its own and then skips the calls in between.
#pragma once

#include <cstddef>
#include <string>

#include "runtime/core/thread_state.h"

namespace minivm {

class ModuleObject;
class CodeObject;
struct EmbeddedModule;

class ModuleSpecObject : public Object {
 public:
  Value name, loader, origin, loader_state;
  Value locations;  // submodule_search_locations: list or None
  Value cached;
  Value uninitialized;  // list of names of submodules being imported
  DictObject* dict = nullptr;
  bool has_location = false;
  bool initializing = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(name);
    v(loader);
    v(origin);
    v(loader_state);
    v(locations);
    v(cached);
    v(uninitialized);
    v(dict);
  }
};

// Looks in one directory.
class FileFinderObject : public Object {
 public:
  StrObject* path = nullptr;
  Value loaders;  // list of (suffix, loader class)
  DictObject* dict = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(path);
    v(loaders);
    v(dict);
  }
};

// SourceFileLoader: name and path. NamespaceLoader has a path list instead.
class FileLoaderObject : public Object {
 public:
  Value name, path;
  DictObject* dict = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(name);
    v(path);
    v(dict);
  }
};

// __path__ of a namespace package: found anew when the path it was searched on has changed.
class NamespacePathObject : public Object {
 public:
  Value name, path;        // str, list of str
  Value last_parent_path;  // tuple
  Value path_finder;       // unused by us, kept for scripts
  template <class V>
  void VisitRefs(V&& v) {
    v(name);
    v(path);
    v(last_parent_path);
    v(path_finder);
  }
};

extern const TypeSpec kModuleSpecType;
extern const TypeSpec kBuiltinImporterType;
extern const TypeSpec kFrozenImporterType;
extern const TypeSpec kPathFinderType;
extern const TypeSpec kFileFinderType;
extern const TypeSpec kSourceFileLoaderType;
extern const TypeSpec kNamespaceLoaderType;
extern const TypeSpec kNamespacePathType;
extern const ModuleSpec k__frozen_importlib_module;
extern const ModuleSpec k__imp_module;

// ---- specs (module_spec.cpp) ----

Result<ModuleSpecObject> NewModuleSpec(ThreadState& ts, Value name, Value loader, Value origin);
// A spec for a file: has_location, origin = path; `locations` may be null.
Result<ModuleSpecObject> NewFileSpec(ThreadState& ts, Value name, Value loader, Value path,
                                     Value locations);
bool IsExactSpec(ThreadState& ts, Value v, const TypeSpec& spec);

// ---- finders (finders.cpp); each gives a spec or None ----

Result<> FindBuiltin(ThreadState& ts, StrObject* name);
Result<> FindFrozen(ThreadState& ts, StrObject* name);
// Is it one of the embedded modules that files on sys.path cannot take the place of?
bool IsCoreModule(StrObject* name);
// path: None for sys.path, or an iterable of entries.
Result<> FindOnPath(ThreadState& ts, StrObject* name, Value path);
Result<> FileFinderFind(ThreadState& ts, FileFinderObject* finder, StrObject* name);
// The function in sys.path_hooks that makes FileFinders.
extern const MethodSpec kPathHook;
// The one that makes zipimporters.
extern const MethodSpec kArchiveHook;

// ---- loaders (loaders.cpp) ----

// What the loader's create_module gives; None: an ordinary module is to be made.
Result<> CreateBuiltin(ThreadState& ts, Value spec);
Status ExecFrozen(ThreadState& ts, Value module);
Result<CodeObject> FrozenCode(ThreadState& ts, const EmbeddedModule& m);
// get_code of a source file: reads and compiles it.
Result<CodeObject> SourceCode(ThreadState& ts, StrObject* path);
// The bytes of a file; OSError with the path.
Status ReadFileBytes(ThreadState& ts, StrObject* path, std::string* out);
Result<FileLoaderObject> NewFileLoader(ThreadState& ts, const TypeSpec& type, Value name,
                                       Value path);
// Runs the module's code in its dictionary.
Status ExecCode(ThreadState& ts, CodeObject* code, Value module);

// ---- importer.cpp ----

// importlib._bootstrap's functions, as the types above and _frozen_importlib need them.
Result<> ModuleFromSpec(ThreadState& ts, Value spec);
Result<> LoadFromSpec(ThreadState& ts, Value spec);
Status InitModuleAttributes(ThreadState& ts, Value spec, Value module, bool override);
// Searches sys.meta_path: a spec or None.
Result<> FindSpec(ThreadState& ts, StrObject* name, Value path);
Raised RaiseImportError(ThreadState& ts, Exc type, StrObject* name, Value path, const char* format,
                        ...);
// Attribute of sys, or Absent().
Result<> SysGet(ThreadState& ts, std::string_view name);

}  // namespace minivm

// The modules that are part of the binary: native ones by their tables, and sources that
// tools/embed_file.cpp packed (as DEFLATE data, unpacked when a module is imported). Both functions
// are defined in generated files (stdlib/CMakeLists.txt).
#pragma once

#include <string>

#include "runtime/native/type_spec.h"

namespace minivm {

struct EmbeddedModule {
  const char* name;  // dotted
  bool package;
  const char* packed;  // DEFLATE data
  size_t packed_size;
  size_t size;  // of the UTF-8 source
};

// Sorted by name (bytewise).
Table<const ModuleSpec*> NativeModules();
Table<EmbeddedModule> EmbeddedModules();

// Null if there is none of that name. Pure.
const ModuleSpec* FindNativeModule(const char* name, size_t size);
const EmbeddedModule* FindEmbeddedModule(const char* name, size_t size);
// The module's source. False: no memory.
bool UnpackSource(const EmbeddedModule& module, std::string* text);

}  // namespace minivm

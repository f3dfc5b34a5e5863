// The modules that are part of the binary: native ones by their tables, and sources that
// tools/embed_file.cpp packed. Both functions are defined in generated files (stdlib/CMakeLists.txt).
#pragma once

#include "runtime/native/type_spec.h"

namespace minivm {

struct EmbeddedModule {
  const char* name;  // dotted
  bool package;
  const char* text;  // UTF-8 source, NUL-terminated
  size_t size;
};

// Sorted by name (bytewise).
Table<const ModuleSpec*> NativeModules();
Table<EmbeddedModule> EmbeddedModules();

// Null if there is none of that name. Pure.
const ModuleSpec* FindNativeModule(const char* name, size_t size);
const EmbeddedModule* FindEmbeddedModule(const char* name, size_t size);

}  // namespace minivm

// The modules that are part of the binary: native ones by their tables, and those in the language,
// which tools/embed_modules.cpp packed: their code (vm/bytecode/code_image.h), which importing them
// reads, and their sources, for whoever asks to see them. Both as DEFLATE data. These functions are
// defined in generated files (stdlib/CMakeLists.txt).
#pragma once

#include <string>
#include <string_view>

#include "runtime/native/type_spec.h"

namespace minivm {

struct EmbeddedModule {
  const char* name;  // dotted
  bool package;
  // The source as DEFLATE data; refers back to the image or, without one, to the dictionary.
  const char* packed;
  uint32_t packed_size;
  uint32_t size;            // of the UTF-8 source
  const char* packed_code;  // the image of its code, after the dictionary; null: to be compiled
  uint32_t packed_code_size;
  uint32_t code_size;
};

// Sorted by name (bytewise).
Table<const ModuleSpec*> NativeModules();
Table<EmbeddedModule> EmbeddedModules();
// Text that occurs in many of them.
std::string_view EmbeddedDictionary();

// Null if there is none of that name. Pure.
const ModuleSpec* FindNativeModule(const char* name, size_t size);
const EmbeddedModule* FindEmbeddedModule(const char* name, size_t size);
// The module's source. False: no memory.
bool UnpackSource(const EmbeddedModule& module, std::string* text);
// The image of its code, code_size bytes, to `out`. False: no memory.
bool UnpackCode(const EmbeddedModule& module, void* out);

}  // namespace minivm

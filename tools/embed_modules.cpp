// Packs the modules written in the language into a C++ file: embed_modules OUTPUT.cpp ROOT
// PRECOMPILED [tight]
//
// Every *.src below ROOT becomes a row {name, is a package, packed source, packed code, sizes} of a
// table sorted by module name; `a/b.src` is the module a.b and `a/__init__.src` the package a.
// The program is a minivm without modules in the language: it compiles those that the file
// PRECOMPILED names, so that importing them need not (docs/decisions/007). What is packed is
// DEFLATE data in the binary's read-only data; `tight` takes 20 times as long to save 4 %.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "minivm/minivm.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/zlib/deflate.h"
#include "tools/tight_deflate.h"
#include "vm/bytecode/code_image.h"
#include "vm/compiler/compiler.h"
#include "vm/embed/internals.h"
#include "vm/import/embedded_modules.h"

// None yet: this program makes the table.
minivm::Table<minivm::EmbeddedModule> minivm::EmbeddedModules() { return {}; }
std::string_view minivm::EmbeddedDictionary() { return {}; }

namespace {

struct Module {
  std::string name;
  bool package;
  std::string text;
  std::string packed;
  std::string code;
  std::string packed_code;
};

// `before`: what the data may refer back to. Nothing is never a packed text: there was no memory.
std::string Pack(minivm::Heap& heap, const std::string& text, const std::string& before,
                 bool tight) {
  using namespace minivm::zlib;
  if (tight) return DeflateTightly(text, before);
  bool ok;
  minivm::CodecMemory memory(heap);
  auto deflater =
      std::make_unique<Deflater>(memory, 9, Wrap::kRaw, 15, 9, int{kDefaultStrategy}, &ok);
  if (!ok || !deflater->SetDictionary(before) || !deflater->Run(text, kFinish)) return {};
  return std::string(deflater->output().view());
}

// What the sources have in common, as text that the packed data may refer back to: from each part
// of them the piece whose eight-byte strings occur in the most modules and are not there yet; the
// best last, where it is nearest.
std::string MakeDictionary(const std::vector<Module>& modules) {
  constexpr size_t kSize = 32000, kPiece = 64, kGram = 8, kSlots = size_t{1} << 20;
  std::string all;
  std::vector<uint16_t> modules_with(kSlots);
  std::vector<size_t> last(kSlots, SIZE_MAX);
  auto slot = [](const char* p) {
    uint64_t word;
    std::memcpy(&word, p, sizeof word);
    return static_cast<size_t>(word * 0x9E3779B97F4A7C15u >> 44);
  };
  for (size_t m = 0; m < modules.size(); ++m) {
    const std::string& text = modules[m].text;
    for (size_t i = 0; i + kGram <= text.size(); ++i) {
      const size_t s = slot(text.data() + i);
      if (std::exchange(last[s], m) != m) ++modules_with[s];
    }
    all += text;
  }
  const size_t part = all.size() / (kSize / kPiece);
  std::vector<std::pair<uint64_t, std::string>> pieces;
  for (size_t start = 0; part > kPiece && start + part <= all.size(); start += part) {
    auto worth = [&](size_t i) -> uint64_t {
      const uint64_t n = modules_with[slot(all.data() + i)];
      return n > 2 ? n : 0;
    };
    constexpr size_t kGrams = kPiece - kGram + 1;
    uint64_t sum = 0, best = 0;
    size_t best_at = start;
    for (size_t i = start; i + kGram <= start + part; ++i) {
      sum += worth(i);
      if (i - start >= kGrams) sum -= worth(i - kGrams);
      if (i - start + 1 >= kGrams && sum > best) {
        best = sum;
        best_at = i + 1 - kGrams;
      }
    }
    pieces.emplace_back(best, all.substr(best_at, kPiece));
    for (size_t i = 0; i < kGrams; ++i) modules_with[slot(all.data() + best_at + i)] = 0;
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string dictionary;
  for (const auto& piece : pieces) dictionary += piece.second;
  return dictionary;
}

// Fills module->code with an image, which is read again and compared.
minivm::Status MakeImage(minivm::ThreadState& ts, Module* module) {
  MVM_TRY(minivm::Ref<minivm::StrObject> filename,
          minivm::NewStr(ts, "<frozen " + module->name + ">"));
  MVM_TRY(minivm::Ref<minivm::CodeObject> code,
          minivm::CompileSource(ts, module->text, filename, {}));
  if (!minivm::WriteCodeImage(ts, code, &module->code)) {
    return minivm::Raise(ts, minivm::Exc::kValueError, "no form for a constant");
  }
  MVM_TRY(minivm::Ref<minivm::CodeObject> read, minivm::ReadCodeImage(ts, module->code, filename));
  MVM_TRY(bool same, minivm::EqualValues(ts, code.value(), read.value()));
  if (!same) return minivm::Raise(ts, minivm::Exc::kValueError, "the image is another code");
  return minivm::Ok();
}

// False, with a message, if the module cannot be compiled.
bool Compile(minivm::Vm& vm, Module* module) {
  minivm::ThreadState& ts = vm.internals()->Enter();
  if (!MakeImage(ts, module).raised()) return true;
  minivm::Ref<> exception = minivm::TakePending(ts);
  minivm::Result<minivm::StrObject> text = minivm::Repr(ts, exception);
  minivm::Ref<minivm::StrObject> taken =
      text.raised() ? minivm::Ref<minivm::StrObject>() : text.Take();
  std::fprintf(stderr, "embed_modules: %s: %s\n", module->name.c_str(),
               taken ? minivm::ToUtf8(taken).c_str() : "error");
  return false;
}

// The lines of the file PRECOMPILED that name modules.
std::vector<std::string> ReadNames(const char* path) {
  std::vector<std::string> names;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') names.push_back(line);
  }
  return names;
}

// Is the module one of them? `package.*` is a package and all that is in it.
bool IsNamed(const std::vector<std::string>& names, const std::string& module) {
  return std::any_of(names.begin(), names.end(), [&](std::string name) {
    if (!name.ends_with(".*")) return name == module;
    name.pop_back();
    return module + "." == name || module.starts_with(name);
  });
}

// Bytes as string literals of octal escapes: quick to compile, unlike arrays of numbers.
void WriteBytes(std::ofstream& out, const std::string& bytes) {
  constexpr size_t kPerLine = 500;
  char escaped[8];
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i % kPerLine == 0) out << (i == 0 ? "\n    \"" : "\"\n    \"");
    const unsigned char c = static_cast<unsigned char>(bytes[i]);
    const bool plain =
        c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '?' && !(c >= '0' && c <= '9');
    std::snprintf(escaped, sizeof escaped, plain ? "%c" : "\\%o", c);
    out << escaped;
  }
  out << '"';
}

}  // namespace

int main(int argc, char** argv) {
  const bool tight = argc == 5 && std::string_view(argv[4]) == "tight";
  if (argc != 4 && !tight) {
    std::fprintf(stderr, "usage: embed_modules OUTPUT.cpp ROOT PRECOMPILED [tight]\n");
    return 2;
  }
  namespace fs = std::filesystem;
  std::vector<Module> modules;
  for (const auto& entry : fs::recursive_directory_iterator(argv[2])) {
    if (!entry.is_regular_file() || entry.path().extension() != ".src") continue;
    fs::path relative = fs::relative(entry.path(), argv[2]).replace_extension();
    Module m{"", relative.filename() == "__init__", "", ""};
    if (m.package) relative = relative.parent_path();
    for (const fs::path& part : relative) m.name += (m.name.empty() ? "" : ".") + part.string();
    std::ifstream in(entry.path(), std::ios::binary);
    m.text.assign(std::istreambuf_iterator<char>(in), {});
    if (!in.good() && !in.eof()) {
      std::fprintf(stderr, "embed_modules: cannot read %s\n", entry.path().c_str());
      return 1;
    }
    modules.push_back(std::move(m));
  }
  std::sort(modules.begin(), modules.end(),
            [](const Module& a, const Module& b) { return a.name < b.name; });
  minivm::ScriptError error;
  // Tracebacks do not show the source of these modules: columns would take a sixth of the images.
  minivm::VmConfig config;
  config.flags.no_debug_ranges = true;
  std::unique_ptr<minivm::Vm> vm = minivm::Vm::Create(config, &error);
  if (!vm) {
    std::fprintf(stderr, "embed_modules: no VM: %s\n", error.message.c_str());
    return 1;
  }
  const std::vector<std::string> precompiled = ReadNames(argv[3]);
  const std::string dictionary = MakeDictionary(modules);
  minivm::Heap& heap = vm->internals()->Enter().heap();
  for (Module& m : modules) {
    const bool compiled = IsNamed(precompiled, m.name);
    if (compiled) {
      if (!Compile(*vm, &m)) return 1;
      m.packed_code = Pack(heap, m.code, dictionary, tight);
    }
    m.packed = Pack(heap, m.text, m.code.empty() ? dictionary : m.code, tight);
    if (m.packed.empty() || (compiled && m.packed_code.empty())) {
      std::fprintf(stderr, "embed_modules: no memory to pack %s\n", m.name.c_str());
      return 1;
    }
  }
  std::ofstream out(argv[1], std::ios::binary);
  out << "// Generated by tools/embed_modules.cpp.\n#include \"vm/import/embedded_modules.h\"\n\n"
         "namespace minivm {\nnamespace {\n";
  for (size_t i = 0; i < modules.size(); ++i) {
    out << "const char kPacked" << i << "[] =";
    WriteBytes(out, modules[i].packed);
    out << ";\n";
    if (modules[i].code.empty()) continue;
    out << "const char kCode" << i << "[] =";
    WriteBytes(out, modules[i].packed_code);
    out << ";\n";
  }
  out << "const char kDictionary[] =";
  WriteBytes(out, dictionary);
  out << ";\nconst EmbeddedModule kModules[] = {\n";
  for (size_t i = 0; i < modules.size(); ++i) {
    out << "    {\"" << modules[i].name << "\", " << (modules[i].package ? "true" : "false")
        << ", kPacked" << i << ", sizeof(kPacked" << i << ") - 1, " << modules[i].text.size()
        << ", ";
    if (modules[i].code.empty()) {
      out << "nullptr, 0, 0},\n";
    } else {
      out << "kCode" << i << ", sizeof(kCode" << i << ") - 1, " << modules[i].code.size() << "},\n";
    }
  }
  out << "};\n}  // namespace\n\nTable<EmbeddedModule> EmbeddedModules() { return kModules; }\n"
         "std::string_view EmbeddedDictionary() { return {kDictionary, sizeof kDictionary - 1}; "
         "}\n\n"
         "}  // namespace minivm\n";
  out.close();
  if (!out) {
    std::fprintf(stderr, "embed_modules: cannot write %s\n", argv[1]);
    return 1;
  }
  return 0;
}

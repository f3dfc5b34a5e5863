// Prints docs/opcodes.md, made from vm/bytecode/opcodes.def: `gen_opcode_docs FILE`.
//
// The page is committed, because it is there to be read; a test compares it with what this program
// writes. To renew it: cmake --build build/dev --target opcode_docs.
#include <cstdio>
#include <string>

namespace {

enum OpFlags : unsigned { kName = 1, kRaise = 2, kEnd = 4, kSpec = 8, kPoll = 16, kClass = 32 };

struct Row {
  const char* name;
  const char* format;
  unsigned flags;
  const char* doc;
  bool twin;
};

const Row kRows[] = {
#define OP(name, format, flags, doc) {#name, format, flags, doc, false},
#define OPT(name, format, flags, doc) {#name, format, flags, doc, true},
#include "vm/bytecode/opcodes.def"
#undef OP
#undef OPT
};

const char* Operand(char c) {
  switch (c) {
    case 'd': return "temp ←";
    case 'l': return "local ←";
    case 'r': return "reg";
    case 'k': return "reg (kept)";
    case 't': return "temp";
    case 'w': return "window";
    case 'n': return "n";
    case 'f':
    case 'F': return "consume";
    case 'D': return "divisor";
    case 'I': return "imm";
    case 'K': return "const";
    case 'J': return "jump";
    case 'H': return "cache";
    case 'M': return "M";
    default: return "";
  }
}

// Pipes would end a cell of the table.
std::string Escaped(const char* text) {
  std::string out;
  for (; *text; ++text) {
    if (*text == '|') out += '\\';
    out += *text;
  }
  return out;
}

std::string Notes(const Row& row) {
  std::string out;
  auto add = [&](const char* text) {
    if (!out.empty()) out += ", ";
    out += text;
  };
  if (row.flags & kName) add("name");
  if (row.flags & kRaise) add("raises");
  if (row.flags & kEnd) add("end");
  if (row.flags & kPoll) add("polls");
  if (row.flags & kSpec) add("specialised");
  if (row.flags & kClass) add("depends on a class");
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  std::FILE* out = argc > 1 ? std::fopen(argv[1], "w") : stdout;
  if (!out) {
    std::perror(argv[1]);
    return 1;
  }
  std::fputs(
      "# Opcodes\n\n"
      "Generated from vm/bytecode/opcodes.def by tools/gen_opcode_docs.cpp; the comment at the top "
      "of\n"
      "the table explains registers, windows, consume flags and live depths.\n\n"
      "An instruction is one 64-bit word: opcode, A, B and C of eight bits, X of 32. `temp` is "
      "read\n"
      "and consumed, `reg` is consumed if the consume flags say so, `temp ←` and `local ←` are\n"
      "written. Rows marked _L have a twin NAME_L that writes a local instead of a temporary.\n"
      "name: Site::arg is an index into the code's names; raises: may raise or run script code; "
      "end:\n"
      "control does not fall through; polls: serves requests; specialised: made from the generic "
      "form\n"
      "in place, never emitted.\n\n"
      "| opcode | A | B | C | X | | effect |\n|---|---|---|---|---|---|---|\n",
      out);
  unsigned count = 0;
  for (const Row& row : kRows) {
    count += row.twin ? 2 : 1;
    std::fprintf(out, "| `%s`%s |", row.name, row.twin ? " _L" : "");
    for (int i = 0; i < 4; ++i) std::fprintf(out, " %s |", Operand(row.format[i]));
    std::fprintf(out, " %s | %s |\n", Notes(row).c_str(), Escaped(row.doc).c_str());
  }
  std::fprintf(out, "\n%u opcodes, twins included.\n", count);
  return std::fclose(out) == 0 ? 0 : 1;
}

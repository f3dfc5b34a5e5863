// The tables generated from opcodes.def.
#include "vm/bytecode/opcodes.h"

#include <array>
#include <string_view>

namespace minivm {

namespace {

// The twin's format: what is written is a local.
#define OP(name, format, flags, doc) {#name, format, flags, doc, false},
#define OPT(name, format, flags, doc) \
  {#name, format, flags, doc, false}, {#name "_L", nullptr, flags, doc, true},
constexpr OpInfo kRows[kOpCount] = {
#include "vm/bytecode/opcodes.def"
};
#undef OP
#undef OPT

// "drfH" -> "lrfH" for the twins.
struct TwinFormat {
  char text[5] = {};
};
constexpr std::array<TwinFormat, kOpCount> MakeTwinFormats() {
  std::array<TwinFormat, kOpCount> formats{};
  for (int i = 1; i < kOpCount; ++i) {
    if (!kRows[i].writes_local) continue;
    for (int k = 0; k < 4; ++k) formats[i].text[k] = k == 0 ? 'l' : kRows[i - 1].format[k];
  }
  return formats;
}
constexpr std::array<TwinFormat, kOpCount> kTwinFormats = MakeTwinFormats();

struct RowTable {
  OpInfo rows[kOpCount];
};
constexpr RowTable MakeRows() {
  RowTable table{};
  for (int i = 0; i < kOpCount; ++i) {
    table.rows[i] = kRows[i];
    if (kRows[i].writes_local) table.rows[i].format = kTwinFormats[i].text;
  }
  return table;
}

constexpr int FindRow(std::string_view name, bool twin) {
  for (int i = 0; i < kOpCount; ++i) {
    std::string_view row = kRows[i].name;
    bool row_twin = row.size() > 2 && row.substr(row.size() - 2) == "_L";
    if (row_twin) row.remove_suffix(2);
    if (row_twin == twin && row == name) return i;
  }
  return -1;
}

// ADD_FLOAT_L: drop "_L", then words from the right until a generic row has the name.
constexpr int FindGeneric(int op) {
  if (!(kRows[op].flags & kSpec)) return op;
  std::string_view name = kRows[op].name;
  bool twin = name.size() > 2 && name.substr(name.size() - 2) == "_L";
  if (twin) name.remove_suffix(2);
  for (;;) {
    size_t cut = name.rfind('_');
    if (cut == std::string_view::npos) return -1;
    name = name.substr(0, cut);
    int found = FindRow(name, twin);
    if (found >= 0 && !(kRows[found].flags & kSpec)) return found;
  }
}

constexpr std::array<int16_t, kOpCount> MakeGeneric() {
  std::array<int16_t, kOpCount> generic{};
  for (int i = 0; i < kOpCount; ++i) generic[i] = static_cast<int16_t>(FindGeneric(i));
  return generic;
}
constexpr std::array<int16_t, kOpCount> kGeneric = MakeGeneric();
constexpr bool AllHaveGeneric() {
  for (int16_t g : kGeneric) {
    if (g < 0) return false;
  }
  return true;
}
static_assert(AllHaveGeneric(), "a specialised opcode is named after its generic one");

constexpr RowTable kTable = MakeRows();

}  // namespace

const OpInfo kOpInfo[kOpCount] = {
#define MVM_ROW(i) kTable.rows[i]
#define OP(name, format, flags, doc) MVM_ROW(static_cast<int>(Op::name)),
#define OPT(name, format, flags, doc) \
  MVM_ROW(static_cast<int>(Op::name)), MVM_ROW(static_cast<int>(Op::name##_L)),
#include "vm/bytecode/opcodes.def"
#undef OP
#undef OPT
#undef MVM_ROW
};

Op GenericOp(Op op) { return static_cast<Op>(kGeneric[static_cast<int>(op)]); }

}  // namespace minivm

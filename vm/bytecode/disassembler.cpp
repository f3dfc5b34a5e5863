// Listings of code objects, made from opcodes.def.
//
//   line  pc  NAME  operands                 ; what names and constants are
// Registers show as r5 (local) or t7 (temporary), a consumed temporary with a trailing `!`. The
// text is pure data: constants of kinds without an obvious literal show as <type>.
#include <cinttypes>
#include <cstdio>
#include <string>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/support/float_format.h"
#include "vm/bytecode/code_object.h"
#include "vm/bytecode/position_table.h"

namespace minivm {

namespace {

const char* const kSpecialNames[] = {"None",           "True",           "False", "Ellipsis",
                                     "NotImplemented", "AssertionError", "absent"};

template <class... Args>
void Print(std::string* out, const char* format, Args... args) {
  char line[160];
  std::snprintf(line, sizeof line, format, args...);
  *out += line;
}

void AppendConstant(Value v, int depth, std::string* out) {
  if (v.is_int()) {
    *out += std::to_string(v.as_int());
  } else if (v.is_float() || IsExact(v, TypeId::kFloat)) {
    Print(out, "%.17g", FloatValue(v));
  } else if (IsExact(v, TypeId::kStr)) {
    *out += '\'';
    std::string text = ToUtf8(v.as<StrObject>());
    for (char c : text.substr(0, 60)) {
      if (c == '\n') {
        *out += "\\n";
      } else {
        *out += c;
      }
    }
    *out += text.size() > 60 ? "...'" : "'";
  } else if (IsExact(v, TypeId::kTuple) && depth < 4) {
    *out += '(';
    TupleObject* t = v.as<TupleObject>();
    for (size_t i = 0; i < t->size(); ++i) {
      if (i) *out += ", ";
      AppendConstant((*t)[i], depth + 1, out);
    }
    *out += ')';
  } else if (IsExact(v, TypeId::kCode)) {
    *out += "<code " + ToUtf8(v.as<CodeObject>()->qualname) + ">";
  } else {
    *out += "<object>";
  }
}

class Listing {
 public:
  Listing(const CodeObject* code, std::string* out) : code_(code), out_(out) {}

  void Run() {
    const CodeInstance* instance = code_->instances;
    PositionReader positions(code_->positions, code_->word_count);
    int line = -1;
    for (uint32_t pc = 0; pc < code_->word_count; ++pc) {
      Position at = positions.Next();
      if (at.line != line && at.line >= 0) {
        Print(out_, "%4d ", at.line);
        line = at.line;
      } else {
        *out_ += "     ";
      }
      Instruction(instance, pc);
    }
    for (uint32_t i = 0; i < code_->range_count; ++i) {
      const ExceptionRange& r = code_->ranges[i];
      Print(out_, "     range %u..%u depth %u", r.start, r.end, r.depth);
      if (r.handler == ExceptionRange::kNoHandler) {
        *out_ += " leaves handler\n";
      } else {
        Print(out_, " handler %u\n", r.handler);
      }
    }
  }

 private:
  void Register(unsigned r) { Print(out_, r < code_->local_count ? "r%u" : "t%u", r); }

  void Instruction(const CodeInstance* instance, uint32_t pc) {
    const Word w = instance->words[pc];
    const OpInfo& info = InfoOf(static_cast<Op>(w.op));
    Print(out_, "%5u  %-16s", pc, info.name);
    const uint8_t abc[] = {w.a, w.b, w.c};
    const char* separator = " ";
    for (int i = 0; i < 3; ++i) {
      const char f = info.format[i];
      if (f == '-') continue;
      *out_ += separator;
      separator = ", ";
      if (f == 'f' || f == 'n') {
        Print(out_, f == 'f' ? "f%u" : "%u", abc[i]);
      } else {
        Register(abc[i]);
      }
    }
    switch (info.format[3]) {
      case 'F': Print(out_, "%sf%d", separator, w.x); break;
      case 'I':
      case 'M': Print(out_, "%s%d", separator, w.x); break;
      case 'D': Print(out_, "%s%d", separator, Divisor(instance, pc)); break;
      case 'J': Print(out_, "%s-> %d", separator, static_cast<int>(pc) + 1 + w.x); break;
      case 'K':
        *out_ += separator;
        AppendConstant(instance->pool[ConstantIndex(instance, pc)], 0, out_);
        break;
      default: break;
    }
    if (info.flags & kName) {
      *out_ += " ; ";
      *out_ += ToUtf8((*code_->names)[code_->sites[pc].arg].as<StrObject>());
    } else if (static_cast<Op>(w.op) == Op::LOADSP || static_cast<Op>(w.op) == Op::LOADSP_L) {
      Print(out_, " ; %s", kSpecialNames[w.b]);
    } else if (static_cast<Op>(w.op) == Op::RETSP) {
      Print(out_, " ; %s", kSpecialNames[w.a]);
    }
    *out_ += '\n';
  }

  const CodeObject* code_;
  std::string* out_;
};

}  // namespace

std::string DisassembleText(const CodeObject* code) {
  std::string text;
  Listing(code, &text).Run();
  return text;
}

Result<StrObject> Disassemble(ThreadState& ts, const CodeObject* code) {
  return NewStr(ts, DisassembleText(code));
}

}  // namespace minivm

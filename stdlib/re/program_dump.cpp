// Listings of programs, for re.DEBUG.
#include "runtime/objects/str_object.h"
#include "stdlib/re/program.h"

namespace minivm::regex {
namespace {

constexpr const char* kNames[] = {"MATCH",  "FAIL",       "STRING",      "CHAR",     "NOT_CHAR",
                                  "SET",    "ANY",        "ALL",         "AT",       "SAVE",
                                  "JUMP",   "SPLIT",      "BRANCH",      "REPEAT",   "LOOP_INIT",
                                  "LOOP",   "BACKREF",    "LOOK",        "LOOK_END", "LOOK_ONE",
                                  "ATOMIC", "ATOMIC_END", "CONDITIONAL", "MEMO",     "MEMO_RUN"};
constexpr const char* kAtNames[] = {"BEGIN",      "BEGIN_LINE", "END",         "END_LINE",
                                    "END_STRING", "BOUNDARY",   "NOT_BOUNDARY"};

Status Add(ThreadState& ts, StrBuilder* out, Result<StrObject> text) {
  (void)ts;
  if (text.raised()) return kRaised;
  return out->Append(text.Take().get());
}

// The operand of a single-character test.
Status DumpOne(ThreadState& ts, const Program& p, Op kind, uint32_t a, StrBuilder* out) {
  switch (kind) {
    case Op::kChar:
    case Op::kNotChar: {
      MVM_TRY(Ref<StrObject> c, StrFromChar(ts, a));
      return Add(ts, out, Format(ts, " %s %R", kNames[static_cast<int>(kind)], Value(c)));
    }
    case Op::kSet: {
      MVM_TRY_VOID(out->AppendAscii(" SET ["));
      const CharSet& set = p.sets[a];
      for (uint32_t c = 0; c < 256; ++c) {
        if (!set.Has(c)) continue;
        uint32_t last = c;
        while (last < 255 && set.Has(last + 1)) ++last;
        MVM_TRY_VOID(
            Add(ts, out, last == c ? Format(ts, " %u", c) : Format(ts, " %u-%u", c, last)));
        c = last;
      }
      if (set.wide != Wide::kNone)
        MVM_TRY_VOID(out->AppendAscii(set.wide == Wide::kAll ? " 256-" : " ..."));
      return out->AppendAscii(" ]");
    }
    default: return Add(ts, out, Format(ts, " %s", kNames[static_cast<int>(kind)]));
  }
}

}  // namespace

Status DumpProgram(ThreadState& ts, const Program& p, StrBuilder* out) {
  for (size_t i = 0; i < p.code.size(); ++i) {
    MVM_TRY_VOID(Charge(ts, 10));
    const Instr& x = p.code[i];
    MVM_TRY_VOID(Add(ts, out, Format(ts, "%zu:", i)));
    switch (x.op) {
      case Op::kChar:
      case Op::kNotChar:
      case Op::kSet:
      case Op::kAny:
      case Op::kAll: MVM_TRY_VOID(DumpOne(ts, p, x.op, x.a, out)); break;
      case Op::kString: {
        MVM_TRY(Ref<StrObject> s, NewStrFromUcs4(ts, p.literals.data() + x.a, x.b));
        MVM_TRY_VOID(Add(ts, out, Format(ts, " STRING %R", Value(s))));
        break;
      }
      case Op::kAt: MVM_TRY_VOID(Add(ts, out, Format(ts, " AT %s", kAtNames[x.a]))); break;
      case Op::kRepeat: {
        const char* style = x.flags & kInstrPossessive ? "possessive"
                            : x.flags & kInstrLazy     ? "lazy"
                                                       : "greedy";
        MVM_TRY_VOID(Add(ts, out,
                         x.c == kMaxRepeat ? Format(ts, " REPEAT %u.. %s", x.b, style)
                                           : Format(ts, " REPEAT %u..%u %s", x.b, x.c, style)));
        MVM_TRY_VOID(DumpOne(ts, p, static_cast<Op>(x.kind), x.a, out));
        break;
      }
      case Op::kLookOne:
        MVM_TRY_VOID(Add(ts, out,
                         Format(ts, " LOOK_ONE%s%s", x.flags & kInstrNegate ? " not" : "",
                                x.flags & kInstrBehind ? " behind" : "")));
        MVM_TRY_VOID(DumpOne(ts, p, static_cast<Op>(x.kind), x.a, out));
        break;
      case Op::kLook:
        MVM_TRY_VOID(Add(ts, out,
                         Format(ts, " LOOK%s back %u, then %u",
                                x.flags & kInstrNegate ? " not" : "", x.b, x.a)));
        break;
      case Op::kSplit: MVM_TRY_VOID(Add(ts, out, Format(ts, " SPLIT %u, %u", x.a, x.b))); break;
      case Op::kLoop:
        MVM_TRY_VOID(Add(
            ts, out, Format(ts, " LOOP %u, %u..%u, body %u, exit %u", x.a, x.b, x.c, x.d, x.e)));
        break;
      case Op::kConditional:
        MVM_TRY_VOID(Add(ts, out, Format(ts, " CONDITIONAL %u, else %u", x.a, x.b)));
        break;
      case Op::kMatch:
      case Op::kFail:
      case Op::kAtomic:
      case Op::kAtomicEnd:
      case Op::kLookEnd:
        MVM_TRY_VOID(Add(ts, out, Format(ts, " %s", kNames[static_cast<int>(x.op)])));
        break;
      default:
        MVM_TRY_VOID(Add(ts, out, Format(ts, " %s %u", kNames[static_cast<int>(x.op)], x.a)));
    }
    MVM_TRY_VOID(out->Append(U'\n'));
  }
  return Ok();
}

}  // namespace minivm::regex

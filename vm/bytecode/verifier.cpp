// Checks code objects against opcodes.def by abstract interpretation.
//
// The state at a word is the set of live temporaries. Every word is reached with one state only;
// operands must be live, what is written must be dead (or it would leak), raising words must have
// their live temporaries packed at the bottom, up to live[pc], and a frame is left with none.
// What a row's format cannot say (windows, runs of registers, flags) is in SpecialReads and
// SpecialWrites.
#include "vm/bytecode/verifier.h"

#include <bit>
#include <vector>

#include "runtime/objects/tuple_object.h"
#include "vm/bytecode/code_object.h"

namespace minivm {

namespace {

class Verifier {
 public:
  explicit Verifier(const CodeObject* code)
      : code_(code),
        instance_(code->instances),
        states_(code->word_count),
        seen_(code->word_count) {}

  // Also keeps what each temporary is for.
  void KeepKinds() {
    kinds_.assign(code_->frame_size, kTempHole);
    kind_states_.resize(code_->word_count);
  }
  bool Reached(uint32_t pc) const { return seen_[pc]; }
  std::vector<uint32_t> KindsAt(uint32_t pc) const {
    std::vector<uint32_t> out;
    for (unsigned r = code_->local_count; r < code_->frame_size; ++r) {
      if (!states_[pc].Has(r)) continue;
      out.resize(r - code_->local_count + 1, kTempHole);
      out.back() = kind_states_[pc][r];
    }
    return out;
  }

  const char* Run(uint32_t* where) {
    if (code_->word_count == 0) return "no words";
    if (code_->frame_size > 256 || code_->local_count > code_->frame_size) return "frame too large";
    Join(0, LiveSet());
    uint32_t pc = 0;
    while (!work_.empty() && !problem_) {
      pc = work_.back();
      work_.pop_back();
      Step(pc);
    }
    if (where) *where = pc;
    return problem_;
  }

  // After Run().
  LiveSet Before(uint32_t pc) const { return seen_[pc] ? states_[pc] : LiveSet(); }

 private:
  void Fail(const char* what) {
    if (!problem_) problem_ = what;
  }

  void Join(uint32_t pc, const LiveSet& state) {
    if (pc >= code_->word_count) return Fail("control leaves the code");
    if (!seen_[pc]) {
      seen_[pc] = true;
      states_[pc] = state;
      if (!kinds_.empty()) kind_states_[pc] = kinds_;
      work_.push_back(pc);
    } else if (!kinds_.empty()) {
      JoinKinds(pc);
    } else if (!(states_[pc] == state)) {
      Fail("goes where other temporaries are live");
    }
  }

  void JoinKinds(uint32_t pc) {
    bool changed = false;
    for (unsigned r = code_->local_count; r < code_->frame_size; ++r) {
      uint32_t& old = kind_states_[pc][r];
      if (!states_[pc].Has(r) || old == kinds_[r] || old == kTempJoined) continue;
      old = kTempJoined;
      changed = true;
    }
    if (changed) work_.push_back(pc);
  }

  bool IsTemp(unsigned r) const { return r >= code_->local_count; }
  void Read(unsigned r, unsigned count = 1) {
    for (; count > 0 && !problem_; ++r, --count) {
      if (r >= code_->frame_size) return Fail("register past the frame");
      if (IsTemp(r) && !live_.Has(r)) Fail("reads a dead temporary");
    }
  }
  void Consume(unsigned r, unsigned count = 1) {
    for (; count > 0 && !problem_; ++r, --count) {
      Read(r);
      if (!IsTemp(r)) Fail("consumes a local");
      if (!problem_) live_.Drop(r);
    }
  }
  void Write(unsigned r, unsigned count = 1) {
    for (; count > 0 && !problem_; ++r, --count) {
      if (r >= code_->frame_size) return Fail("register past the frame");
      if (!IsTemp(r)) return Fail("writes a local as a temporary");
      if (live_.Has(r)) Fail("overwrites a live temporary");
      live_.Set(r);
      if (!kinds_.empty()) kinds_[r] = KindMade(r);
    }
  }
  void Local(unsigned r) {
    if (IsTemp(r)) Fail("writes a temporary as a local");
  }
  void ReadFlagged(unsigned r, bool consume) {
    if (consume) {
      Consume(r);
    } else {
      Read(r);
    }
  }

  // Consumed operands of a row by its format; flags say which `r` operands are consumed.
  void Reads(const Word& w, const OpInfo& info) {
    const uint8_t abc[] = {w.a, w.b, w.c};
    uint32_t flags = 0;
    bool flagged = true;
    if (info.format[3] == 'F') {
      flags = static_cast<uint32_t>(w.x);
    } else if (info.format[2] == 'f') {
      flags = w.c;
    } else if (info.format[0] == 'n') {
      flags = w.a;
    } else {
      flagged = false;
    }
    int nth = 0;
    for (int i = 0; i < 3; ++i) {
      switch (info.format[i]) {
        case 'k': Read(abc[i]); break;
        case 't': Consume(abc[i]); break;
        case 'r':
          ReadFlagged(abc[i], flagged && (flags >> nth & 1));
          ++nth;
          break;
        default: break;
      }
    }
  }
  void Writes(const Word& w, const OpInfo& info) {
    const uint8_t abc[] = {w.a, w.b, w.c};
    for (int i = 0; i < 3; ++i) {
      if (info.format[i] == 'd') Write(abc[i]);
      if (info.format[i] == 'l') Local(abc[i]);
      if (info.format[i] == 'w') Write(abc[i], 3);
    }
  }

  // Where the released temporaries of a raising word leave the stack.
  void CheckLive(uint32_t pc, const OpInfo& info) {
    if (!(info.flags & kRaise) || problem_) return;
    CheckPacked(code_->live[pc]);
    for (uint32_t i = 0; i < code_->range_count; ++i) {
      const ExceptionRange& r = code_->ranges[i];
      if (pc < r.start || pc >= r.end) continue;
      if (code_->live[pc] < r.depth + (r.handler == ExceptionRange::kNoHandler ? 1 : 0)) {
        return Fail("an exception range keeps a temporary that is dead here");
      }
      if (r.handler == ExceptionRange::kNoHandler) continue;
      LiveSet handler;
      for (unsigned t = code_->local_count; t < r.depth + 2u; ++t) handler.Set(t);
      if (r.depth + 2 > code_->frame_size) return Fail("handler past the frame");
      if (!kinds_.empty()) {
        const std::vector<uint32_t> here = kinds_;
        kinds_[r.depth] = kTempHandled;
        kinds_[r.depth + 1] = kTempException;
        Join(r.handler, handler);
        kinds_ = here;
        return;
      }
      return Join(r.handler, handler);
    }
  }
  void CheckPacked(unsigned live) {
    for (unsigned r = code_->local_count; r < code_->frame_size; ++r) {
      if (live_.Has(r) != (r < live)) return Fail("live[] is not what is live");
    }
  }
  void CheckEmpty() {
    if (!(live_ == LiveSet())) Fail("leaves the frame with live temporaries");
  }

  uint32_t KindMade(unsigned r) const;
  bool SpecialReads(const Word& w, Op op);
  bool SpecialWrites(const Word& w, Op op);
  void Successors(uint32_t pc, const Word& w, Op op, const OpInfo& info);
  void CheckConstants(uint32_t pc, const Word& w, Op op, const OpInfo& info);
  void Step(uint32_t pc);

  const CodeObject* code_;
  const CodeInstance* instance_;
  std::vector<LiveSet> states_;
  std::vector<bool> seen_;
  std::vector<uint32_t> work_;
  LiveSet live_;
  uint32_t pc_ = 0;
  std::vector<uint32_t> kinds_;  // by register; empty: not wanted
  std::vector<std::vector<uint32_t>> kind_states_;
  const char* problem_ = nullptr;
};

// What the word at pc_ makes of register r.
uint32_t Verifier::KindMade(unsigned r) const {
  const Word w = GenericWord(code_, instance_, pc_);
  switch (static_cast<Op>(w.op)) {
    case Op::GETITER: return kTempIterator;
    case Op::GETAITER: return kTempAsyncIterator;
    case Op::SAVEEXC: return kTempHandled;
    case Op::STPAIR: return r == w.a ? kTempExit : kTempExitSelf;
    default: return kTempMade + pc_;
  }
}

// What a word reads and releases, where its format does not say. True: the format is not asked.
bool Verifier::SpecialReads(const Word& w, Op op) {
  const auto x = static_cast<uint32_t>(w.x);
  switch (op) {
    case Op::STFAR:
      ReadFlagged(w.a, w.c & 1);
      Read(w.b);
      return true;
    case Op::LOADNAME_CELL:
      if (w.c == 0) Read(w.b);
      return true;
    case Op::LOADNAME_GLOBAL:
    case Op::LOADNAME_DICT_CELL:
    case Op::GETAWAITABLE:
    case Op::INTRINSIC1: ReadFlagged(w.b, w.c & 1); return true;
    case Op::WINDOW: Read(w.a); return true;
    case Op::LOAD_SUPER: Consume(w.b, 3); return true;
    case Op::LOADPAIR: Consume(w.b, 2); return true;
    case Op::STPAIR: Consume(w.b, 4); return true;
    case Op::SPILL: Consume(w.b, w.c); return true;
    case Op::UNSPILL: Consume(w.a, 2); return true;
    case Op::GETSLICE:
      ReadFlagged(w.b, x & 1);
      Consume(w.c, 2);
      return true;
    case Op::SETSLICE:
      ReadFlagged(w.a, x & 1);
      Consume(w.b, 2);
      ReadFlagged(w.c, x & 4);
      return true;
    case Op::MKSLICE:
    case Op::BUILD_TUPLE:
    case Op::BUILD_LIST:
    case Op::BUILD_SET:
    case Op::BUILD_STRING: Consume(w.b, w.c); return true;
    case Op::BUILD_MAP: Consume(w.b, w.c * 2u); return true;
    case Op::MKFUNC: Consume(w.b, static_cast<unsigned>(std::popcount(w.c))); return true;
    case Op::FORMAT:
      ReadFlagged(w.b, x & 1);
      if (x & 8) Consume(w.c);
      return true;
    case Op::UNPACK:
    case Op::UNPACK_EX: ReadFlagged(w.b, x & 1); return true;
    case Op::CALL:
    case Op::CALL_KW: Consume(w.a, w.c + 3u); return true;
    case Op::CALLM:
    case Op::CALLM_KW: Consume(w.a, w.c + 4u); return true;
    case Op::CALL_EX: Consume(w.a, (w.c >> 3 ? 2u + (w.c >> 3) : 4u) + (w.c & 1)); return true;
    case Op::RAISE:
      if (w.c >= 1) ReadFlagged(w.a, IsTemp(w.a));
      if (w.c >= 2) ReadFlagged(w.b, IsTemp(w.b));
      return true;
    case Op::RET: ReadFlagged(w.a, IsTemp(w.a)); return true;
    case Op::YIELD: ReadFlagged(w.c, w.c == w.a); return true;
    case Op::ENDASYNCFOR:
      Consume(w.a);
      Read(w.b);
      return true;
    case Op::EGMATCH:
      Read(w.b);
      Consume(w.c);
      return true;
    case Op::JNOEXC:
      Read(w.b);
      Consume(w.c);
      return true;
    default: return false;
  }
}

bool Verifier::SpecialWrites(const Word& w, Op op) {
  switch (op) {
    case Op::LOADG:
    case Op::LOADNAME: Write(w.a, w.b ? 3 : 1); return true;
    case Op::WINDOW: Write(w.a + 1u, 2); return true;
    case Op::CALL:
    case Op::CALLM:
    case Op::CALL_KW:
    case Op::CALLM_KW:
    case Op::CALL_EX: Write(w.b); return true;
    case Op::LOAD_METHOD:
    case Op::LOAD_SPECIAL:
    case Op::LOADPAIR: Write(w.a, 4); return true;
    case Op::LOAD_SUPER: Write(w.a, w.c & 1 ? 4 : 1); return true;
    case Op::STPAIR: Write(w.a, 2); return true;
    case Op::UNSPILL: Write(w.a, w.c + 1u); return true;
    case Op::UNPACK: Write(w.a, w.c); return true;
    case Op::UNPACK_EX: Write(w.a, w.c + 1u + (static_cast<uint32_t>(w.x) >> 8)); return true;
    case Op::YIELD: Write(w.a); return true;
    case Op::EGMATCH: Write(w.a, 2); return true;
    case Op::EXCINFO: Write(w.a, 3); return true;
    default: return false;
  }
}

void Verifier::Successors(uint32_t pc, const Word& w, Op op, const OpInfo& info) {
  const uint32_t next = pc + 1;
  uint32_t target = 0;
  if (info.format[3] == 'J') {
    int64_t to = int64_t{next} + w.x;
    if (to < 0 || to >= code_->word_count) return Fail("jump out of the code");
    target = static_cast<uint32_t>(to);
    if (target <= pc && op != Op::LOOP) return Fail("only LOOP jumps back");
    if (op == Op::LOOP && target > pc) return Fail("LOOP jumps forward");
  }
  switch (op) {
    case Op::FOR:
    case Op::FOR_L: {
      LiveSet done = live_;
      if (op == Op::FOR) done.Drop(w.b);
      done.Drop(w.a);
      if (!IsTemp(w.a)) Fail("iterator in a local");
      if (done.Has(w.a + 1u)) Fail("FOR below another temporary");
      Join(target, done);
      break;
    }
    case Op::SEND: {
      LiveSet done = live_;
      done.Drop(w.a);
      if (!IsTemp(w.a) || !IsTemp(w.b)) Fail("SEND with a local");
      if (w.b != w.a + 1 || done.Has(w.b + 1u)) Fail("SEND below another temporary");
      Join(target, done);
      break;
    }
    case Op::JTKEEP:
    case Op::JFKEEP: {
      LiveSet kept = live_;
      kept.Set(w.a);
      Join(target, kept);
      break;
    }
    case Op::ENDASYNCFOR:
      live_.Drop(w.b);
      Join(target, live_);
      return;
    default:
      if (info.format[3] == 'J') Join(target, live_);
      break;
  }
  if (info.flags & kEnd) {
    if (op == Op::RET || op == Op::RETSP) CheckEmpty();
    return;
  }
  Join(next, live_);
}

void Verifier::CheckConstants(uint32_t pc, const Word& w, Op op, const OpInfo& info) {
  if (info.format[3] == 'K') {
    uint32_t index = ConstantIndex(instance_, pc);
    if (index >= code_->const_count) return Fail("constant past the pool");
    Value v = instance_->pool[index];
    if (op == Op::MKFUNC && !IsExact(v, TypeId::kCode)) Fail("MKFUNC without code");
    if ((op == Op::CALL_KW || op == Op::CALLM_KW || op == Op::MATCHCLASS) &&
        !IsExact(v, TypeId::kTuple)) {
      Fail("constant should be a tuple");
    }
  }
  if (info.format[3] == 'D' && Divisor(instance_, pc) < Reciprocal::kLeast) Fail("no such divisor");
  if ((info.flags & kName) && code_->sites[pc].arg >= code_->names->size()) {
    Fail("name past co_names");
  }
}

void Verifier::Step(uint32_t pc) {
  const Word w = GenericWord(code_, instance_, pc);
  if (int{w.op} >= kOpCount) return Fail("no such opcode");
  const Op op = static_cast<Op>(w.op);
  const OpInfo& info = InfoOf(op);
  live_ = states_[pc];
  pc_ = pc;
  if (!kinds_.empty()) kinds_ = kind_states_[pc];
  CheckConstants(pc, w, op, info);
  if (!kinds_.empty() && op == Op::LOAD_SPECIAL && IsTemp(w.b) &&
      (w.x == static_cast<int32_t>(SpecialMethod::kExit) ||
       w.x == static_cast<int32_t>(SpecialMethod::kAexit))) {
    kinds_[w.b] = kTempManager;
  }
  if (!SpecialReads(w, op)) Reads(w, info);
  CheckLive(pc, info);
  if (!SpecialWrites(w, op)) Writes(w, info);
  if (!problem_) Successors(pc, w, op, info);
}

}  // namespace

uint64_t StackKindsBytes(const CodeObject* code) {
  return uint64_t{code->word_count} * (code->frame_size + uint64_t{32}) * sizeof(uint32_t) * 2;
}

bool StackKinds(const CodeObject* code, std::vector<std::vector<uint32_t>>* out) {
  Verifier verifier(code);
  verifier.KeepKinds();
  if (verifier.Run(nullptr) != nullptr) return false;
  out->assign(code->word_count, {kUnreached});
  for (uint32_t pc = 0; pc < code->word_count; ++pc) {
    if (verifier.Reached(pc)) (*out)[pc] = verifier.KindsAt(pc);
  }
  return true;
}

LiveSet LiveBefore(const CodeObject* code, uint32_t pc) {
  Verifier verifier(code);
  return verifier.Run(nullptr) ? LiveSet() : verifier.Before(pc);
}

const char* VerifyCode(const CodeObject* code, uint32_t* where) {
  return Verifier(code).Run(where);
}

}  // namespace minivm

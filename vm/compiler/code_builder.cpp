// Labels, ranges, names and constants of a code object under construction.
#include "vm/compiler/code_builder.h"

#include <algorithm>
#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/tuple_object.h"

namespace minivm {

// ---------------------------------------------------------------- FlatMap

uint32_t FlatMap::FindOrAdd(uint64_t key, uint32_t fresh) {
  if (used_ * 2 >= entries_.size()) Grow();
  const size_t mask = entries_.size() - 1;
  for (size_t at = (key * 0x9E3779B97F4A7C15u) >> 40;; ++at) {
    Entry& e = entries_[at & mask];
    if (e.value_plus_1 == 0) {
      e = {key, fresh + 1};
      ++used_;
      return fresh;
    }
    if (e.key == key) return e.value_plus_1 - 1;
  }
}

void FlatMap::Grow() {
  std::vector<Entry> old(entries_.empty() ? 32 : entries_.size() * 2);
  old.swap(entries_);
  used_ = 0;
  for (const Entry& e : old) {
    if (e.value_plus_1) FindOrAdd(e.key, e.value_plus_1 - 1);
  }
}

void FlatMap::Clear() {
  if (used_ == 0) return;
  if (entries_.size() > 4096) entries_.resize(32);
  std::memset(static_cast<void*>(entries_.data()), 0, entries_.size() * sizeof(Entry));
  used_ = 0;
}

// ---------------------------------------------------------------- words and labels

void CodeBuilder::Reset(unsigned local_count) {
  words_.clear();
  sites_.clear();
  live_.clear();
  positions_.clear();
  open_.clear();
  pending_.clear();
  ranges_.clear();
  hidden_.clear();
  marks_.clear();
  skips_.clear();
  handlers_.clear();
  names_.clear();
  constants_.clear();
  name_map_.Clear();
  constant_map_.Clear();
  position_ = Position();
  assigned_ = RegisterSet();
  may_be_unbound = RegisterSet();
  local_count_ = local_count;
  height_ = max_height_ = 0;
  last_bound_ = last_target_ = 0;
  implicit_return_ = -1;
  reachable_ = true;
  has_notes_ = false;
}

void CodeBuilder::TooManyRegisters() {
  Location at;
  at.lineno = at.end_lineno = static_cast<uint32_t>(position_.line < 0 ? 0 : position_.line);
  at.col_offset = static_cast<uint32_t>(position_.column < 0 ? 0 : position_.column);
  at.end_col_offset = static_cast<uint32_t>(position_.end_column < 0 ? 0 : position_.end_column);
  context_.Error(at, "expression needs too many registers");
}

void CodeBuilder::Append(Op op, unsigned a, unsigned b, unsigned c, int32_t x, uint32_t arg) {
  MVM_DCHECK(a < 256 && b < 256 && c < 256, "operand does not fit its byte");
  words_.push_back(Word{static_cast<uint8_t>(op), static_cast<uint8_t>(a), static_cast<uint8_t>(b),
                        static_cast<uint8_t>(c), x});
  sites_.push_back(Site{arg, 0});
  live_.push_back(static_cast<uint8_t>(local_count_ + height_));
  positions_.push_back(position_);
  if (InfoOf(op).flags & kEnd) reachable_ = false;
}

void CodeBuilder::EmitTo(Dest dest, Op op, unsigned b, unsigned c, int32_t x, uint32_t arg) {
  if (dest.local < 0) {
    const unsigned a = Next();
    Emit(op, a, b, c, x, arg);
    Push();
  } else if (HasLocalTwin(op)) {
    Emit(static_cast<Op>(static_cast<int>(op) + 1), static_cast<unsigned>(dest.local), b, c, x,
         arg);
    MarkAssigned(static_cast<unsigned>(dest.local));
  } else {
    const unsigned a = Next();
    Emit(op, a, b, c, x, arg);
    Push();
    Pop();
    Emit(Op::STLOC, static_cast<unsigned>(dest.local), a);
    MarkAssigned(static_cast<unsigned>(dest.local));
  }
}

void CodeBuilder::EmitJump(Op op, unsigned a, unsigned b, unsigned c, Label* label) {
  if (!reachable_) return;
  MVM_DCHECK(label->pc < 0, "forward jump to a bound label");
  const int32_t at = static_cast<int32_t>(words_.size());
  Append(op, a, b, c, label->last_jump, 0);
  label->last_jump = at;
  if (label->reached) {
    label->assigned.Intersect(assigned_);
  } else {
    label->assigned = assigned_;
    label->reached = true;
  }
}

void CodeBuilder::Loop(const Label& head) {
  if (!reachable_) return;
  Append(Op::LOOP, 0, 0, 0, head.pc - static_cast<int32_t>(words_.size()) - 1, 0);
}

void CodeBuilder::Bind(Label* label) {
  // A jump to the next word is no jump, unless something refers to the place behind it.
  if (label->last_jump >= 0 && label->last_jump + 1 == static_cast<int32_t>(words_.size()) &&
      static_cast<Op>(words_.back().op) == Op::JMP && last_bound_ < words_.size()) {
    label->last_jump = words_.back().x;
    words_.pop_back();
    sites_.pop_back();
    live_.pop_back();
    positions_.pop_back();
    assigned_ = label->assigned;
    reachable_ = true;
  }
  label->pc = static_cast<int32_t>(words_.size());
  if (label->reached) {
    if (reachable_) {
      assigned_.Intersect(label->assigned);
    } else {
      assigned_ = label->assigned;
    }
    reachable_ = true;
    last_bound_ = last_target_ = static_cast<uint32_t>(words_.size());
  }
  for (int32_t at = label->last_jump; at >= 0;) {
    int32_t next = words_[at].x;
    words_[at].x = label->pc - at - 1;
    at = next;
  }
  label->last_jump = -1;
}

void CodeBuilder::BindLoop(Label* label) {
  label->pc = static_cast<int32_t>(words_.size());
  last_bound_ = last_target_ = static_cast<uint32_t>(words_.size());
  assigned_.Subtract(may_be_unbound);
}

// ---------------------------------------------------------------- names and constants

uint32_t CodeBuilder::NameIndex(Identifier name) {
  const auto fresh = static_cast<uint32_t>(names_.size());
  uint32_t index = name_map_.FindOrAdd(reinterpret_cast<uintptr_t>(name), fresh);
  if (index == fresh) names_.push_back(name);
  return index;
}

uint32_t CodeBuilder::ConstantIndex(Value canonical) {
  const auto fresh = static_cast<uint32_t>(constants_.size());
  uint32_t index = constant_map_.FindOrAdd(canonical.bits(), fresh);
  if (index == fresh) constants_.push_back(canonical);
  return index;
}

// ---------------------------------------------------------------- exception ranges

uint32_t CodeBuilder::NewHandler() {
  handlers_.push_back({});
  return static_cast<uint32_t>(handlers_.size() - 1);
}

void CodeBuilder::BeginRange(uint32_t handler, unsigned depth) {
  open_.push_back({handler, depth, pc()});
  last_bound_ = pc();
}

void CodeBuilder::EndRange() {
  OpenRange r = open_.back();
  open_.pop_back();
  uint32_t first = r.start;
  while (first < pc() && static_cast<Op>(words_[first].op) == Op::NOP) ++first;
  if (first < pc()) {
    pending_.push_back({r.start, pc(), r.handler, r.depth, static_cast<uint32_t>(open_.size())});
    if (r.handler != kNoHandler) handlers_[r.handler].used = true;
  }
  last_bound_ = pc();
}

void CodeBuilder::SuspendRanges(size_t keep, std::vector<OpenRange>* suspended) {
  suspended->assign(open_.begin() + static_cast<ptrdiff_t>(keep), open_.end());
  while (open_.size() > keep) EndRange();
}

void CodeBuilder::ResumeRanges(const std::vector<OpenRange>& suspended) {
  for (const OpenRange& r : suspended) BeginRange(r.handler, r.depth);
}

void CodeBuilder::BindHandler(uint32_t handler, unsigned depth, const RegisterSet& assigned) {
  MVM_DCHECK(!reachable_, "control falls into a handler");
  handlers_[handler].pc = pc();
  last_bound_ = last_target_ = pc();
  reachable_ = handlers_[handler].used;
  assigned_ = assigned;
  assigned_.Subtract(may_be_unbound);
  height_ = depth - local_count_;
  Push(2);
}

// ---------------------------------------------------------------- finishing

// A jump to a JMP goes where that one goes; a JMP to a LOOP becomes one. Jumps to the implicit
// return at the end get a return of their own, with the line they come from.
void CodeBuilder::ThreadJumps() {
  const auto count = static_cast<int32_t>(words_.size());
  std::vector<int32_t> returns;  // the copies of the implicit one
  for (int32_t at = 0; at < count; ++at) {
    const Op op = static_cast<Op>(words_[at].op);
    if (InfoOf(op).format[3] != 'J' || op == Op::LOOP) continue;
    int32_t to = at + 1 + words_[at].x;
    for (int hops = 0; hops < 8 && static_cast<Op>(words_[to].op) == Op::JMP; ++hops) {
      to = to + 1 + words_[to].x;
    }
    if (op == Op::JMP && static_cast<Op>(words_[to].op) == Op::LOOP &&
        to + 1 + words_[to].x <= at) {
      to = to + 1 + words_[to].x;
      words_[at].op = static_cast<uint8_t>(Op::LOOP);
    } else if (to == implicit_return_) {
      if (op == Op::JMP) {
        words_[at] = words_[to];
        positions_[at] = LineBefore(static_cast<size_t>(at), positions_[at]);
        continue;
      }
      to = ReturnFrom(LineBefore(static_cast<size_t>(at), positions_[at]), &returns);
    }
    words_[at].x = to - at - 1;
  }
}

// A word like the implicit return, with that line.
int32_t CodeBuilder::ReturnFrom(const Position& from, std::vector<int32_t>* copies) {
  if (positions_[implicit_return_].line == from.line) return implicit_return_;
  for (int32_t copy : *copies) {
    if (positions_[copy].line == from.line) return copy;
  }
  copies->push_back(static_cast<int32_t>(words_.size()));
  words_.push_back(Word(words_[implicit_return_]));
  sites_.push_back(Site(sites_[implicit_return_]));
  live_.push_back(uint8_t{live_[implicit_return_]});
  positions_.push_back(Position(from));
  return copies->back();
}

// Innermost first: of the ranges that cover one word, the later opened ones are inner ones.
void CodeBuilder::SortRanges() {
  std::stable_sort(
      pending_.begin(), pending_.end(),
      [](const PendingRange& a, const PendingRange& b) { return a.nesting > b.nesting; });
  for (const PendingRange& r : pending_) {
    uint32_t handler = r.handler == kNoHandler ? kNoHandler : handlers_[r.handler].pc;
    if (!ranges_.empty() && ranges_.back().end == r.start && ranges_.back().handler == handler &&
        ranges_.back().depth == r.depth) {
      ranges_.back().end = r.end;  // was only suspended for a moment
      continue;
    }
    ranges_.push_back({r.start, r.end, handler, r.depth});
  }
}

// A branch that consists of notes only needs one that stays a word: afterwards nothing else tells
// whether it was taken.
void CodeBuilder::KeepBranchNotes(std::vector<bool>* kept) const {
  const auto count = static_cast<int32_t>(words_.size());
  for (int32_t at = 0; at < count; ++at) {
    if (InfoOf(static_cast<Op>(words_[at].op)).format[3] != 'J') continue;
    const int32_t to = at + 1 + words_[at].x;
    if (to <= at + 1) continue;
    int32_t next = at + 1;
    while (next < to && static_cast<Op>(words_[next].op) == Op::NOP) ++next;
    if (next == to) (*kept)[to - 1] = true;
  }
}

// Turns notes into marks; everything that refers to places moves along.
void CodeBuilder::TakeOutNotes() {
  if (!has_notes_) return;
  const auto count = static_cast<uint32_t>(words_.size());
  std::vector<bool> kept(count);
  KeepBranchNotes(&kept);
  auto is_note = [&](uint32_t i) { return static_cast<Op>(words_[i].op) == Op::NOP && !kept[i]; };
  std::vector<uint32_t> place(count + 1);   // where each word goes, or what comes after a note
  std::vector<uint32_t> before(count + 1);  // marks at that place that stand before it
  uint32_t to = 0, marks = 0;
  for (uint32_t i = 0; i < count; ++i) {
    place[i] = to;
    before[i] = marks;
    if (!is_note(i)) {
      ++to;
      marks = 0;
      continue;
    }
    // What has the line of the next word is shown by that.
    const uint32_t next = i + 1;
    if (next < count && positions_[next].line == positions_[i].line &&
        !IsQuiet(static_cast<Op>(words_[next].op))) {
      continue;
    }
    marks_.push_back({to, positions_[i].line});
    ++marks;
  }
  place[count] = to;
  for (uint32_t i = 0; i < count; ++i) {
    if (is_note(i)) continue;
    Word word = words_[i];
    if (InfoOf(static_cast<Op>(word.op)).format[3] == 'J') {
      const uint32_t target = static_cast<uint32_t>(static_cast<int32_t>(i) + 1 + word.x);
      word.x = static_cast<int32_t>(place[target]) - static_cast<int32_t>(place[i]) - 1;
      if (before[target]) skips_.push_back({place[i], before[target]});
    }
    words_[place[i]] = word;
    sites_[place[i]] = Site(sites_[i]);
    live_[place[i]] = uint8_t{live_[i]};
    positions_[place[i]] = Position(positions_[i]);
  }
  words_.resize(to);
  sites_.resize(to);
  live_.resize(to);
  positions_.resize(to);
  for (ExceptionRange& r : ranges_) {
    r.start = place[r.start];
    r.end = place[r.end];
    if (r.handler != kNoHandler) r.handler = place[r.handler];
  }
  for (HiddenName& h : hidden_) {
    h.start = place[h.start];
    h.end = place[h.end];
  }
  std::erase_if(ranges_, [](const ExceptionRange& r) { return r.start == r.end; });
}

void CodeBuilder::Finish(CodeSpec* spec) {
  MVM_CHECK(open_.empty(), "exception range left open");
  ThreadJumps();
  SortRanges();
  TakeOutNotes();
  ThreadState& ts = context_.ts;
  spec->frame_size = static_cast<uint16_t>(local_count_ + max_height_);
  spec->local_count = static_cast<uint16_t>(local_count_);
  spec->words = words_.data();
  spec->sites = sites_.data();
  spec->live = live_.data();
  spec->positions = positions_.data();
  spec->word_count = static_cast<uint32_t>(words_.size());
  spec->ranges = ranges_.data();
  spec->range_count = static_cast<uint32_t>(ranges_.size());
  spec->hidden = hidden_.data();
  spec->marks = marks_.data();
  spec->mark_count = static_cast<uint32_t>(marks_.size());
  spec->skips = skips_.data();
  spec->skip_count = static_cast<uint32_t>(skips_.size());
  spec->consts = context_.Check(NewTuple(ts, constants_));
  std::vector<Value> names(names_.size());
  for (size_t i = 0; i < names.size(); ++i) names[i] = Value(context_.Str(names_[i]));
  spec->names = context_.Check(NewTuple(ts, names));
}

// ---------------------------------------------------------------- ConstantTable

uint64_t ConstantTable::HashOf(Value v) {
  constexpr uint64_t kMix = 0x9E3779B97F4A7C15u;
  if (!v.is_object()) return v.bits() * kMix;
  uint64_t h = v.object()->shape_id;
  auto add_bytes = [&h](const void* data, size_t n) {
    const auto* p = static_cast<const uint8_t*>(data);
    for (size_t i = 0; i < n; ++i) h = (h ^ p[i]) * 0x100000001B3u;
  };
  switch (static_cast<TypeId>(v.object()->shape_id)) {
    case TypeId::kStr: h += StrHash(*context_.ts.rt, v.as<StrObject>()); break;
    case TypeId::kBytes: add_bytes(v.as<BytesObject>()->data(), v.as<BytesObject>()->length); break;
    case TypeId::kInt:
      add_bytes(v.as<IntObject>()->limbs(), v.as<IntObject>()->limb_count() * sizeof(uint64_t));
      h += v.as<IntObject>()->negative();
      break;
    case TypeId::kFloat: add_bytes(&v.as<FloatObject>()->value, sizeof(double)); break;
    case TypeId::kTuple:
      for (Value item : v.as<TupleObject>()->span()) h = (h ^ HashOf(item)) * kMix;
      break;
    default: h = v.bits(); break;
  }
  return h * kMix;
}

bool ConstantTable::Equal(Value a, Value b) {
  if (a.is(b)) return true;
  if (!a.is_object() || !b.is_object() || a.object()->shape_id != b.object()->shape_id)
    return false;
  switch (static_cast<TypeId>(a.object()->shape_id)) {
    case TypeId::kStr: return StrEquals(a.as<StrObject>(), b.as<StrObject>());
    case TypeId::kBytes: return a.as<BytesObject>()->view() == b.as<BytesObject>()->view();
    case TypeId::kInt: {
      auto *x = a.as<IntObject>(), *y = b.as<IntObject>();
      return x->aux == y->aux &&
             std::memcmp(x->limbs(), y->limbs(), x->limb_count() * sizeof(uint64_t)) == 0;
    }
    case TypeId::kFloat:
      return std::memcmp(&a.as<FloatObject>()->value, &b.as<FloatObject>()->value,
                         sizeof(double)) == 0;
    case TypeId::kTuple: {
      auto *x = a.as<TupleObject>(), *y = b.as<TupleObject>();
      if (x->size() != y->size()) return false;
      for (size_t i = 0; i < x->size(); ++i) {
        if (!Equal((*x)[i], (*y)[i])) return false;
      }
      return true;
    }
    default: return false;
  }
}

void ConstantTable::Grow() {
  slots_.assign(slots_.empty() ? 64 : slots_.size() * 2, 0);
  for (uint32_t i = 0; i < values_.size(); ++i) {
    size_t at = HashOf(values_[i]) >> 24;
    while (slots_[at & (slots_.size() - 1)]) ++at;
    slots_[at & (slots_.size() - 1)] = i + 1;
  }
}

Value ConstantTable::Add(Ref<> v) {
  if (!v.is_object()) return v.get();  // inline words are canonical
  if (values_.size() * 2 >= slots_.size()) Grow();
  for (size_t at = HashOf(v) >> 24;; ++at) {
    uint32_t& slot = slots_[at & (slots_.size() - 1)];
    if (slot == 0) {
      values_.push_back(std::move(v));
      slot = static_cast<uint32_t>(values_.size());
      return values_.back().get();
    }
    if (Equal(values_[slot - 1], v)) return values_[slot - 1].get();
  }
}

}  // namespace minivm

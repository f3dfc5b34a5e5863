// Analysis of patterns; see pattern_first.h.
#include "stdlib/re/pattern_first.h"

#include <algorithm>
#include <cstring>

namespace minivm::regex {
namespace {

// Sets made lately that a new one is compared with.
constexpr size_t kInternWindow = 32;

void AddChar(First* f, uint32_t c) {
  if (c < 256) {
    f->bits[c >> 6] |= uint64_t{1} << (c & 63);
  } else {
    f->wide = true;
  }
}

// What stands before something of which `first` is the own part, and `next` stands behind it.
First Then(const First& first, const First& next) {
  if (!first.nullable) return first;
  First f = Union(first, next);
  f.nullable = next.nullable;
  return f;
}

uint64_t Sum(uint64_t a, uint64_t b) { return a > kMaxWidth - b ? kMaxWidth : a + b; }

}  // namespace

First Union(const First& a, const First& b) {
  First f;
  for (int i = 0; i < 4; ++i) f.bits[i] = a.bits[i] | b.bits[i];
  f.wide = a.wide || b.wide;
  f.at_end = a.at_end || b.at_end;
  f.nullable = a.nullable || b.nullable;
  f.condition = a.condition || b.condition;
  return f;
}

Result<uint32_t> Analysis::Simplify(uint32_t n) {
  while (node(n).kind == NodeKind::kConcat && node(node(n).child).next == 0) n = node(n).child;
  if (node(n).kind != NodeKind::kAlternate) return n;
  // Single characters only, of one mode?
  SetSpec set;
  bool has_mode = false;
  for (uint32_t i = node(n).child; i; i = node(i).next) {
    uint32_t item = i;
    while (node(item).kind == NodeKind::kConcat && node(node(item).child).next == 0)
      item = node(item).child;
    const Node& x = node(item);
    if (x.kind == NodeKind::kString && x.b == 1) continue;
    if (x.kind != NodeKind::kSet) return n;
    const SetSpec& s = tree_.sets[x.a];
    if (s.negate || (has_mode && s.mode != set.mode) || (s.mode & kModeKind) == kModeLocale)
      return n;
    set.mode = s.mode;
    has_mode = true;
  }
  set.range_start = static_cast<uint32_t>(tree_.ranges.size());
  for (uint32_t i = node(n).child; i; i = node(i).next) {
    uint32_t item = i;
    while (node(item).kind == NodeKind::kConcat) item = node(item).child;
    const Node& x = node(item);
    if (x.kind == NodeKind::kString) {
      const uint32_t c = tree_.literals[x.a];
      if (!tree_.ranges.Push({c, c})) return RaiseMemoryError(ts_);
      continue;
    }
    const SetSpec& s = tree_.sets[x.a];
    set.categories |= s.categories;
    for (uint32_t k = 0; k < s.range_count; ++k) {
      if (!tree_.ranges.Push(tree_.ranges[s.range_start + k])) return RaiseMemoryError(ts_);
    }
  }
  set.range_count = static_cast<uint32_t>(tree_.ranges.size() - set.range_start);
  if (!tree_.sets.Push(set)) return RaiseMemoryError(ts_);
  Node& x = tree_.nodes[n];
  x.kind = NodeKind::kSet;
  x.a = static_cast<uint32_t>(tree_.sets.size() - 1);
  x.child = 0;
  return n;
}

Result<bool> Analysis::AsOne(uint32_t n, One* one) {
  const Node& x = node(n);
  switch (x.kind) {
    case NodeKind::kAny: *one = {Op::kAny, 0}; return true;
    case NodeKind::kAll: *one = {Op::kAll, 0}; return true;
    case NodeKind::kString:
      if (x.b != 1) return false;
      *one = {Op::kChar, tree_.literals[x.a]};
      return true;
    case NodeKind::kSet: {
      const SetSpec& spec = tree_.sets[x.a];
      if (spec.negate && spec.categories == 0 && spec.range_count == 1 &&
          !(spec.mode & kModeIgnoreCase) &&
          tree_.ranges[spec.range_start].first == tree_.ranges[spec.range_start].last) {
        *one = {Op::kNotChar, tree_.ranges[spec.range_start].first};
        return true;
      }
      if (x.b == 0) {
        CharSet set;
        if (!BuildSet(spec, tree_.ranges.data(), &program_.ranges, &set))
          return RaiseMemoryError(ts_);
        MVM_TRY(uint32_t index, Intern(set));
        tree_.nodes[n].b = index + 1;
      }
      *one = {Op::kSet, node(n).b - 1};
      return true;
    }
    default: return false;
  }
}

Result<uint32_t> Analysis::MakeAtomic(uint32_t n) {
  Node made = node(n);
  made.kind = NodeKind::kAtomic;
  made.child = n;
  made.next = 0;
  if (!tree_.nodes.Push(made)) return RaiseMemoryError(ts_);
  return static_cast<uint32_t>(tree_.nodes.size() - 1);
}

First Analysis::OfOne(const One& one) const {
  First f;
  switch (one.kind) {
    case Op::kChar: AddChar(&f, one.a); break;
    case Op::kSet: {
      const CharSet& set = program_.sets[one.a];
      if (set.locale) {
        for (uint64_t& word : f.bits) word = ~uint64_t{0};
      } else {
        std::memcpy(f.bits, set.bits, sizeof f.bits);
      }
      f.wide = set.wide != Wide::kNone;
      break;
    }
    default: {
      for (uint64_t& word : f.bits) word = ~uint64_t{0};
      f.wide = true;
      const uint32_t without = one.kind == Op::kAny       ? '\n'
                               : one.kind == Op::kNotChar ? one.a
                                                          : UINT32_MAX;
      if (without < 256) f.bits[without >> 6] &= ~(uint64_t{1} << (without & 63));
    }
  }
  return f;
}

Status Analysis::Before(uint32_t n, First* first) {
  MVM_TRY_VOID(Charge(ts_, 2));
  MVM_TRY(n, Simplify(n));
  First own;
  if (node(n).kind == NodeKind::kString) {
    own = First();
    AddChar(&own, tree_.literals[node(n).a]);
  } else {
    MVM_TRY_VOID(Own(n, &own));
  }
  *first = Then(own, *first);
  return Ok();
}

Status Analysis::Own(uint32_t n, First* out) {
  if (memo_index_.size() <= n && !memo_index_.Resize(tree_.nodes.size()))
    return RaiseMemoryError(ts_);
  if (const uint32_t i = memo_index_[n]) {
    *out = memo_[i - 1];
    return Ok();
  }
  RecursionGuard guard(ts_, "");
  if (!guard) return kRaised;
  MVM_TRY_VOID(ComputeOwn(n, out));
  if (!memo_.Push(*out)) return RaiseMemoryError(ts_);
  memo_index_[n] = static_cast<uint32_t>(memo_.size());
  return Ok();
}

Status Analysis::ComputeOwn(uint32_t n, First* out) {
  First& f = *out;
  f = First();
  One one;
  MVM_TRY(bool is_one, AsOne(n, &one));
  if (is_one) {
    f = OfOne(one);
    return Ok();
  }
  const Node x = node(n);
  const auto unknown = [&] {
    for (uint64_t& word : f.bits) word = ~uint64_t{0};
    f.wide = f.condition = true;
    f.nullable = x.min_width == 0;
  };
  switch (x.kind) {
    case NodeKind::kEmpty: f.nullable = true; break;
    case NodeKind::kFail: break;
    case NodeKind::kString: AddChar(&f, tree_.literals[x.a]); break;
    case NodeKind::kAt:
      switch (static_cast<At>(x.a)) {
        case At::kEnd:
        case At::kEndLine: AddChar(&f, '\n'); [[fallthrough]];
        case At::kEndString: f.at_end = true; break;
        default: f.nullable = f.condition = true;
      }
      break;
    case NodeKind::kConcat: {
      // From the last to the first would need a list; from the first on it is a union.
      f.nullable = true;
      for (uint32_t i = x.child; i && f.nullable; i = node(i).next) {
        First item = Accept();
        MVM_TRY_VOID(Before(i, &item));
        f = Then(f, item);
      }
      break;
    }
    case NodeKind::kAlternate:
      for (uint32_t i = x.child; i; i = node(i).next) {
        First item = Accept();
        MVM_TRY_VOID(Before(i, &item));
        f = Union(f, item);
      }
      break;
    case NodeKind::kRepeat:
      if (x.b != 0) {
        f = Accept();
        MVM_TRY_VOID(Before(x.child, &f));
      }
      if (x.a == 0) f.nullable = true;
      break;
    case NodeKind::kCapture:
    case NodeKind::kAtomic:
      f = Accept();
      MVM_TRY_VOID(Before(x.child, &f));
      break;
    case NodeKind::kLook: f.nullable = f.condition = true; break;
    case NodeKind::kConditional: {
      First yes = Accept(), no = Accept();
      MVM_TRY_VOID(Before(x.child, &yes));
      MVM_TRY_VOID(Before(node(x.child).next, &no));
      f = Union(yes, no);
      f.condition = true;
      break;
    }
    default: unknown();
  }
  return Ok();
}

Result<uint32_t> Analysis::Intern(const CharSet& set) {
  const size_t n = program_.sets.size();
  for (size_t i = n - std::min(n, kInternWindow); i < n; ++i) {
    const CharSet& s = program_.sets[i];
    if (std::memcmp(s.bits, set.bits, sizeof s.bits) == 0 && s.wide == set.wide &&
        s.at_end == set.at_end && s.locale == set.locale && !s.locale && s.wide != Wide::kSome) {
      return static_cast<uint32_t>(i);
    }
  }
  if (n >= UINT32_MAX || !program_.sets.Push(set)) return RaiseMemoryError(ts_);
  program_.has_locale_sets |= set.locale;
  return static_cast<uint32_t>(n);
}

Result<uint32_t> Analysis::Filter(const First& first) {
  if (first.nullable) return kNoFilter;
  CharSet set;
  std::memcpy(set.bits, first.bits, sizeof set.bits);
  set.wide = first.wide ? Wide::kAll : Wide::kNone;
  set.at_end = first.at_end;
  return Intern(set);
}

bool Analysis::NeverGivesBack(const One& one, uint32_t min, const First& follow) const {
  (void)min;
  if (follow.nullable && follow.condition) return false;
  const First own = OfOne(one);
  for (int i = 0; i < 4; ++i) {
    if (own.bits[i] & follow.bits[i]) return false;
  }
  return !(own.wide && follow.wide);
}

Status Analysis::AppendPrefix(uint32_t n, bool* whole) {
  RecursionGuard guard(ts_, "");
  if (!guard) return kRaised;
  const Node& x = node(n);
  switch (x.kind) {
    case NodeKind::kString:
      for (uint32_t i = 0; i < x.b; ++i) {
        if (!program_.literals.Push(tree_.literals[x.a + i])) return RaiseMemoryError(ts_);
      }
      return Ok();
    case NodeKind::kEmpty: return Ok();
    case NodeKind::kCapture:
    case NodeKind::kAtomic: return AppendPrefix(x.child, whole);
    case NodeKind::kConcat:
      for (uint32_t i = x.child; i && *whole; i = node(i).next)
        MVM_TRY_VOID(AppendPrefix(i, whole));
      return Ok();
    default: *whole = false; return Ok();
  }
}

Status Analysis::FindRequired(uint32_t n, uint64_t* min, uint64_t* max) {
  RecursionGuard guard(ts_, "");
  if (!guard) return kRaised;
  const Node& x = node(n);
  switch (x.kind) {
    case NodeKind::kString:
      if (x.b > required_size_ && *min > 0) {
        required_ = x.a;
        required_size_ = x.b;
        program_.required_min = *min;
        program_.required_max = *max;
      }
      break;
    case NodeKind::kConcat: {
      uint64_t low = *min, high = *max;
      for (uint32_t i = x.child; i; i = node(i).next) MVM_TRY_VOID(FindRequired(i, &low, &high));
      break;
    }
    case NodeKind::kCapture:
    case NodeKind::kAtomic: {
      uint64_t low = *min, high = *max;
      MVM_TRY_VOID(FindRequired(x.child, &low, &high));
      break;
    }
    case NodeKind::kRepeat:
      if (x.a > 0) {
        uint64_t low = *min, high = *max;
        MVM_TRY_VOID(FindRequired(x.child, &low, &high));
      }
      break;
    default: break;
  }
  *min = Sum(*min, x.min_width);
  *max = Sum(*max, x.max_width);
  return Ok();
}

// Copies literals in the narrowest width that holds them.
Status Analysis::MakeNeedle(uint32_t start, uint32_t size, Needle* out) {
  if (size == 0) return Ok();
  const uint32_t* from = program_.literals.data() + start;
  const uint32_t widest = *std::max_element(from, from + size);
  out->width = widest < 0x100 ? 1 : widest < 0x10000 ? 2 : 4;
  out->size = size;
  HeapArray<uint8_t>& bytes = program_.needles;
  const size_t at = (bytes.size() + 3) & ~size_t{3};
  if (!bytes.Resize(at + size_t{size} * out->width)) return RaiseMemoryError(ts_);
  out->at = static_cast<uint32_t>(at);
  for (uint32_t i = 0; i < size; ++i) {
    std::memcpy(bytes.data() + at + size_t{i} * out->width, from + i, out->width);  // little-endian
  }
  return Ok();
}

Status Analysis::FinishProgram() {
  Program& p = program_;
  p.min_width = node(tree_.root).min_width;
  // A literal prefix, or the set of first characters.
  bool whole = true;
  const uint32_t prefix = static_cast<uint32_t>(p.literals.size());
  MVM_TRY_VOID(AppendPrefix(tree_.root, &whole));
  const uint32_t prefix_size = static_cast<uint32_t>(p.literals.size()) - prefix;
  MVM_TRY_VOID(MakeNeedle(prefix, prefix_size, &p.prefix));
  p.literals.Truncate(prefix);
  p.literal = whole && p.groups == 0 && prefix_size > 0;
  if (prefix_size == 0) {
    First first = Accept();
    MVM_TRY_VOID(Before(tree_.root, &first));
    if (!first.at_end) {
      MVM_TRY(p.first_set, Filter(first));
    }
  }
  if (!p.literal) {
    uint64_t low = 0, high = 0;
    MVM_TRY_VOID(FindRequired(tree_.root, &low, &high));
    MVM_TRY_VOID(MakeNeedle(required_, required_size_, &p.required));
  }
  // Anchors and a run at the start, behind the openings of groups.
  size_t at = 0;
  while (p.code[at].op == Op::kSave) ++at;
  const Instr& start = p.code[at];
  if (start.op == Op::kAt) {
    p.anchored_begin = start.a == static_cast<uint32_t>(At::kBegin);
    p.anchored_line = start.a == static_cast<uint32_t>(At::kBeginLine);
  }
  if (start.op == Op::kRepeat && start.flags == kInstrPossessive && start.b > 0 &&
      start.c == kMaxRepeat && !p.has_references) {
    p.run = static_cast<uint32_t>(at);
  }
  // The tables.
  const size_t n = p.sets.size();
  if (!p.tables.Resize((n + 7) / 8 * 256)) return RaiseMemoryError(ts_);
  for (size_t i = 0; i < n; ++i) {
    CharSet& set = p.sets[i];
    uint8_t* table = p.tables.data() + i / 8 * 256;
    set.table = table;
    set.mask = static_cast<uint8_t>(1 << (i % 8));
    for (uint32_t c = 0; c < 256; ++c) {
      if (set.Has(c)) table[c] |= set.mask;
    }
  }
  p.code.Shrink();
  p.literals.Shrink();
  p.ranges.Shrink();
  p.sets.Shrink();
  return Ok();
}

}  // namespace minivm::regex

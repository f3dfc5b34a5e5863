// match statements.
//
// The subject and everything taken out of it stay in temporaries until the whole pattern has
// matched; a capture only remembers its register. On success the captures are stored and the
// temporaries dropped. On failure control goes to the chain that drops as many temporaries as were
// live there (PatternState::fails, by height).
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/compiler/code_generator.h"

namespace minivm {

struct CodeGenerator::PatternState {
  struct Captured {
    Identifier name;
    uint8_t reg;
    Location loc;
  };
  unsigned base = 0;  // height below the pattern's temporaries
  bool allow_irrefutable = false;
  std::vector<Captured> captures;
  std::vector<Label> fails;  // by height above base

  Label* FailAt(unsigned height) {
    if (fails.size() <= height - base) fails.resize(height - base + 1);
    return &fails[height - base];
  }
};

namespace {

bool IsWildcard(const Pattern* p) {
  return p->kind == PatternKind::kMatchAs && As<MatchAsPattern>(p)->pattern == nullptr &&
         As<MatchAsPattern>(p)->name == nullptr;
}

// Names that a pattern binds, in order, repeats left out.
void CollectNames(const Pattern* p, std::vector<Identifier>* names) {
  auto add = [names](Identifier id) {
    if (!id) return;
    for (Identifier n : *names) {
      if (n == id) return;
    }
    names->push_back(id);
  };
  switch (p->kind) {
    case PatternKind::kMatchSequence:
      for (Pattern* q : As<MatchSequencePattern>(p)->patterns) CollectNames(q, names);
      break;
    case PatternKind::kMatchMapping:
      for (Pattern* q : As<MatchMappingPattern>(p)->patterns) CollectNames(q, names);
      add(As<MatchMappingPattern>(p)->rest);
      break;
    case PatternKind::kMatchClass:
      for (Pattern* q : As<MatchClassPattern>(p)->patterns) CollectNames(q, names);
      for (Pattern* q : As<MatchClassPattern>(p)->kwd_patterns) CollectNames(q, names);
      break;
    case PatternKind::kMatchStar: add(As<MatchStarPattern>(p)->name); break;
    case PatternKind::kMatchAs:
      if (As<MatchAsPattern>(p)->pattern) CollectNames(As<MatchAsPattern>(p)->pattern, names);
      add(As<MatchAsPattern>(p)->name);
      break;
    case PatternKind::kMatchOr:
      for (Pattern* q : As<MatchOrPattern>(p)->patterns) CollectNames(q, names);
      break;
    default: break;
  }
}

bool SameNames(const std::vector<Identifier>& a, const std::vector<Identifier>& b) {
  if (a.size() != b.size()) return false;
  for (Identifier x : a) {
    bool found = false;
    for (Identifier y : b) found = found || x == y;
    if (!found) return false;
  }
  return true;
}

// Equal as dict keys: 1, 1.0 and True are.
bool IsSameKey(CompileContext& context, Value a, Value b) {
  return context.Check(CompareBool(context.ts, a, b, CompareOp::kEq));
}

}  // namespace

// Drops what is live above the base on each way to failure; control goes on below, at the base.
void CodeGenerator::EmitFailPops(PatternState& state) {
  for (size_t h = state.fails.size(); h-- > 0;) {
    b().SetHeight(state.base + static_cast<unsigned>(h));
    b().Bind(&state.fails[h]);
    if (h > 0) {
      b().Pop();
      b().Emit(Op::CLEAR, b().Next());
    }
  }
  b().SetHeight(state.base);
}

void CodeGenerator::Match(const MatchStmt* s) {
  const unsigned height = b().height();
  Operand subject = TempOperand(s->subject);
  subject.temp = false;  // kept until a case is chosen
  Label end;
  for (uint32_t i = 0; i < s->cases.size; ++i) {
    const MatchCase* c = s->cases[i];
    PatternState state;
    state.base = b().height();
    state.allow_irrefutable = c->guard != nullptr || i + 1 == s->cases.size;
    unit_->spill_base = b().height();
    b().SetLocation(c->pattern->loc);
    b().Note();
    PatternTest(c->pattern, subject, state);
    // Matched: bind the names, then drop the temporaries.
    for (const PatternState::Captured& capture : state.captures) {
      b().SetLocation(capture.loc);
      StoreName(capture.name, Operand{capture.reg, false});
    }
    b().SetLocation(c->pattern->loc);
    ClearBelow(b().height() - state.base, false);
    if (c->guard) {
      unit_->spill_base = b().height();
      Condition(c->guard, state.FailAt(state.base), false);
    }
    ClearBelow(1, false);  // the subject
    Body(c->body);
    b().Jump(&end);
    b().SetUnreachable();
    // What comes next when the case does not match has the line of its pattern.
    const Position body_end = b().position();
    b().SetLocation(c->pattern->loc);
    EmitFailPops(state);
    if (!b().reachable()) b().SetPosition(body_end);
  }
  ClearBelow(1, false);
  b().SetHeight(height);
  b().Bind(&end);
}

void CodeGenerator::PatternTest(const Pattern* p, Operand subject, PatternState& state) {
  RecursionGuard guard(context_.ts, " during compilation");
  if (!guard) context_.Fail();
  b().SetLocation(p->loc);
  switch (p->kind) {
    case PatternKind::kMatchValue:
      return PatternValue(As<MatchValuePattern>(p)->value, p->loc, subject,
                          state.FailAt(b().height()), false);
    case PatternKind::kMatchSingleton: {
      Label* fail = state.FailAt(b().height());
      ConstantKind kind = As<MatchSingletonPattern>(p)->value;
      if (kind == ConstantKind::kNone) {
        return b().EmitJump(Op::JNOTNONE, subject.reg, 0, 0, fail);
      }
      LoadSpecial(kind == ConstantKind::kTrue ? Special::kTrue : Special::kFalse, Dest{});
      b().Pop();
      return b().EmitJump(Op::JIS_F, kConsume2, subject.reg, b().Next(), fail);
    }
    case PatternKind::kMatchSequence:
      return PatternSequence(As<MatchSequencePattern>(p), subject, state);
    case PatternKind::kMatchMapping:
      return PatternMapping(As<MatchMappingPattern>(p), subject, state);
    case PatternKind::kMatchClass: return PatternClass(As<MatchClassPattern>(p), subject, state);
    case PatternKind::kMatchStar:
      if (As<MatchStarPattern>(p)->name) {
        Capture(As<MatchStarPattern>(p)->name, subject, state, p->loc);
      }
      return;
    case PatternKind::kMatchAs: return PatternAs(As<MatchAsPattern>(p), subject, state);
    case PatternKind::kMatchOr: return PatternOr(As<MatchOrPattern>(p), subject, state);
  }
}

// Jumps to the label if (subject == value) is `sense`.
void CodeGenerator::PatternValue(const Expr* value, const Location& loc, Operand subject,
                                 Label* label, bool sense) {
  if (value->kind != ExprKind::kAttribute && !MayFold(value)) {  // only in trees made by scripts
    context_.Error(loc, "patterns may only match literals and attribute lookups");
  }
  CompareJump(CmpOp::kEq, Operand{subject.reg, false}, value, loc, label, sense);
}

void CodeGenerator::Capture(Identifier name, Operand subject, PatternState& state,
                            const Location& loc) {
  ForbidName(name, ExprContext::kStore, loc);
  for (const PatternState::Captured& c : state.captures) {
    if (c.name == name) {
      context_.Error(loc, "multiple assignments to name '%.*s' in pattern",
                     static_cast<int>(name->size), name->data);
    }
  }
  state.captures.push_back({name, subject.reg, loc});
}

void CodeGenerator::PatternAs(const MatchAsPattern* p, Operand subject, PatternState& state) {
  if (p->pattern) {
    PatternTest(p->pattern, subject, state);
    return Capture(p->name, subject, state, p->loc);
  }
  if (!state.allow_irrefutable) {
    if (p->name) {
      context_.Error(p->loc, "name capture '%.*s' makes remaining patterns unreachable",
                     static_cast<int>(p->name->size), p->name->data);
    }
    context_.Error(p->loc, "wildcard makes remaining patterns unreachable");
  }
  if (p->name) Capture(p->name, subject, state, p->loc);
}

// A part of a larger pattern, in the temporary `reg`.
void CodeGenerator::SubPattern(const Pattern* p, unsigned reg, PatternState& state) {
  if (IsWildcard(p)) return;
  const bool saved = std::exchange(state.allow_irrefutable, true);
  PatternTest(p, Operand{static_cast<uint8_t>(reg), false}, state);
  state.allow_irrefutable = saved;
}

// Jumps to failure unless len(subject) == n, or >= n.
void CodeGenerator::PatternLength(Operand subject, uint32_t n, bool at_least, PatternState& state) {
  Label* fail = state.FailAt(b().height());
  b().Emit(Op::GETLEN, b().Next(), subject.reg);
  b().Push();
  if (n <= 127) {
    b().Pop();
    return b().EmitJump(at_least ? Op::JGEI_F : Op::JEQI_F, kConsume1, b().Next(), n, fail);
  }
  LoadConstant(Value::Int(n), Dest{});
  b().Pop(2);
  b().EmitJump(at_least ? Op::JGE_F : Op::JEQ_F, kConsume1 | kConsume2, b().Next(), b().Next() + 1u,
               fail);
}

void CodeGenerator::PatternSequence(const MatchSequencePattern* p, Operand subject,
                                    PatternState& state) {
  const uint32_t size = p->patterns.size;
  uint32_t star = size;
  bool only_wildcards = true, star_wildcard = false;
  for (uint32_t i = 0; i < size; ++i) {
    const Pattern* q = p->patterns[i];
    if (q->kind == PatternKind::kMatchStar) {
      if (star < size) context_.Error(p->loc, "multiple starred names in sequence pattern");
      star = i;
      star_wildcard = As<MatchStarPattern>(q)->name == nullptr;
      only_wildcards = only_wildcards && star_wildcard;
      continue;
    }
    only_wildcards = only_wildcards && IsWildcard(q);
  }
  const bool has_star = star < size;
  b().EmitTo(Dest{}, Op::MATCHSEQ, subject.reg);
  b().Pop();
  b().EmitJump(Op::JF, b().Next(), 0, kConsume1, state.FailAt(b().height()));
  if (!has_star) {
    PatternLength(subject, size, false, state);
  } else if (size > 1) {
    PatternLength(subject, size - 1, true, state);
  }
  if (only_wildcards) return;
  b().SetLocation(p->loc);
  if (has_star && star_wildcard) {  // items by index: the middle is not looked at
    for (uint32_t i = 0; i < size; ++i) {
      if (i == star || IsWildcard(p->patterns[i])) continue;
      b().SetLocation(p->loc);
      if (i < star) {
        LoadConstant(Value::Int(i), Dest{});
      } else {
        b().Emit(Op::GETLEN, b().Next(), subject.reg);
        b().Emit(Op::SUBI, b().Next(), b().Next(), kConsume1, static_cast<int32_t>(size - i));
        b().Push();
      }
      b().Pop();
      b().Emit(Op::GETITEM, b().Next(), subject.reg, b().Next(), kConsume2);
      const unsigned item = b().Push();
      SubPattern(p->patterns[i], item, state);
    }
    return;
  }
  if (b().local_count() + b().height() + size > CodeBuilder::kMaxRegisters) {
    context_.Error(p->loc, "too many sub-patterns in one sequence pattern");
  }
  const unsigned first = b().Next();
  if (has_star) {
    b().Emit(Op::UNPACK_EX, first, subject.reg, star, static_cast<int32_t>((size - star - 1) << 8));
  } else {
    b().Emit(Op::UNPACK, first, subject.reg, size);
  }
  b().Push(size);
  for (uint32_t i = 0; i < size; ++i) SubPattern(p->patterns[i], first + i, state);
}

void CodeGenerator::PatternMapping(const MatchMappingPattern* p, Operand subject,
                                   PatternState& state) {
  const uint32_t size = p->keys.size;
  b().EmitTo(Dest{}, Op::MATCHMAP, subject.reg);
  b().Pop();
  b().EmitJump(Op::JF, b().Next(), 0, kConsume1, state.FailAt(b().height()));
  if (size == 0 && !p->rest) return;
  if (size > 0) PatternLength(subject, size, true, state);
  std::vector<Value> seen;
  for (Expr* key : p->keys) {
    if (key->kind == ExprKind::kAttribute) continue;
    Ref<> v = MayFold(key) ? Fold(key) : Ref<>();
    if (!v) {
      context_.Error(p->loc, "mapping pattern keys may only match literals and attribute lookups");
    }
    Value canonical = constants_.Add(v);
    for (Value other : seen) {
      if (!IsSameKey(context_, other, canonical)) continue;
      Ref<StrObject> text = context_.Check(Repr(context_.ts, v));
      context_.Error(p->loc, "mapping pattern checks duplicate key (%s)", ToUtf8(text).c_str());
    }
    seen.push_back(canonical);
  }
  // With a rest: the keys, to take them out of its copy.
  const unsigned keys = b().Next();
  b().SetLocation(p->loc);
  PushTuple(size, [&](size_t i) { ToTemp(p->keys[i]); });
  b().SetLocation(p->loc);
  if (p->rest) {
    b().Emit(Op::MOVE, keys + 1, keys);
    b().Push();
  }
  b().Pop();
  const unsigned values = b().Next();
  b().Emit(Op::MATCHKEYS, values, subject.reg, values);
  b().Push();
  b().EmitJump(Op::JNONE, values, 0, 0, state.FailAt(b().height()));
  if (b().local_count() + b().height() + size * 2 > CodeBuilder::kMaxRegisters) {
    context_.Error(p->loc, "too many sub-patterns in one mapping pattern");
  }
  b().Pop();
  b().Emit(Op::UNPACK, values, values, size, kConsume1);
  b().Push(size);
  for (uint32_t i = 0; i < size; ++i) SubPattern(p->patterns[i], values + i, state);
  if (!p->rest) return;
  b().SetLocation(p->loc);
  b().EmitTo(Dest{}, Op::NEWDICT);
  const unsigned rest = b().Next() - 1u;
  b().Emit(Op::DICT_UPDATE, rest, subject.reg, 0);
  const unsigned parts = b().Next();
  b().Emit(Op::UNPACK, parts, keys, size, 0);
  b().Push(size);
  for (uint32_t i = 0; i < size; ++i) {
    b().Pop();
    b().Emit(Op::DELITEM, rest, b().Next(), kConsume2);
  }
  Capture(p->rest, Operand{static_cast<uint8_t>(rest), false}, state, p->loc);
}

void CodeGenerator::PatternClass(const MatchClassPattern* p, Operand subject, PatternState& state) {
  const uint32_t positional = p->patterns.size, keywords = p->kwd_attrs.size;
  for (uint32_t i = 0; i < keywords; ++i) {
    ForbidName(p->kwd_attrs[i], ExprContext::kStore, p->loc);
    for (uint32_t j = i + 1; j < keywords; ++j) {
      if (p->kwd_attrs[j] == p->kwd_attrs[i]) {
        context_.Error(p->kwd_patterns[j]->loc, "attribute name repeated in class pattern: %.*s",
                       static_cast<int>(p->kwd_attrs[j]->size), p->kwd_attrs[j]->data);
      }
    }
  }
  std::vector<Value> names(keywords);
  for (uint32_t i = 0; i < keywords; ++i) names[i] = context_.Str(p->kwd_attrs[i]);
  Ref<TupleObject> name_tuple = context_.Check(NewTuple(context_.ts, names));
  Value parts[] = {Value::Int(positional), name_tuple.value()};
  Value spec = constants_.Add(Ref<>(context_.Check(NewTuple(context_.ts, parts))));
  const uint32_t index = b().reachable() ? b().ConstantIndex(spec) : 0;
  ToTemp(p->cls);
  b().SetLocation(p->loc);
  b().Pop();
  const unsigned values = b().Next();
  b().Emit(Op::MATCHCLASS, values, subject.reg, values, static_cast<int32_t>(index));
  b().Push();
  b().EmitJump(Op::JNONE, values, 0, 0, state.FailAt(b().height()));
  const uint32_t count = positional + keywords;
  if (b().local_count() + b().height() + count > CodeBuilder::kMaxRegisters) {
    context_.Error(p->loc, "too many sub-patterns in class pattern");
  }
  b().Pop();
  b().Emit(Op::UNPACK, values, values, count, kConsume1);
  b().Push(count);
  for (uint32_t i = 0; i < positional; ++i) SubPattern(p->patterns[i], values + i, state);
  for (uint32_t i = 0; i < keywords; ++i) {
    SubPattern(p->kwd_patterns[i], values + positional + i, state);
  }
}

// Alternatives may find a name in different places: each name has a temporary of its own, into
// which the alternative that matches puts it.
void CodeGenerator::PatternOr(const MatchOrPattern* p, Operand subject, PatternState& state) {
  const uint32_t count = p->patterns.size;
  std::vector<Identifier> names;
  CollectNames(p->patterns[0], &names);
  const unsigned slots = b().Next();
  for (size_t i = 0; i < names.size(); ++i) b().EmitTo(Dest{}, Op::LOADI);
  Label matched;
  std::vector<Location> places(names.size(), p->loc);
  for (uint32_t i = 0; i < count; ++i) {
    const Pattern* alternative = p->patterns[i];
    const bool last = i + 1 == count;
    b().SetLocation(alternative->loc);
    if (!last && names.empty() && alternative->kind == PatternKind::kMatchValue) {
      PatternValue(As<MatchValuePattern>(alternative)->value, alternative->loc, subject, &matched,
                   true);
      continue;
    }
    PatternState inner;
    inner.base = b().height();
    inner.allow_irrefutable = last && state.allow_irrefutable;
    PatternTest(alternative, subject, inner);
    std::vector<Identifier> bound;
    CollectNames(alternative, &bound);
    if (!SameNames(names, bound)) {
      context_.Error(p->loc, "alternative patterns bind different names");
    }
    b().SetLocation(alternative->loc);
    for (const PatternState::Captured& c : inner.captures) {
      size_t slot = 0;
      while (names[slot] != c.name) ++slot;
      places[slot] = c.loc;
      // A copy: the same part may have two names (`x as y`), or be the subject itself.
      const unsigned from = b().Next();
      b().Emit(Op::MOVE, from, c.reg);
      b().Push();
      b().Emit(Op::SWAP, slots + static_cast<unsigned>(slot), from);
      ClearBelow(1, false);
    }
    ClearBelow(b().height() - inner.base, false);
    b().Jump(&matched);
    b().SetUnreachable();
    EmitFailPops(inner);
  }
  b().SetLocation(p->loc);
  b().Jump(state.FailAt(b().height()));
  b().SetUnreachable();
  b().Bind(&matched);
  for (size_t i = 0; i < names.size(); ++i) {
    Capture(names[i], Operand{static_cast<uint8_t>(slots + i), false}, state, places[i]);
  }
}

}  // namespace minivm

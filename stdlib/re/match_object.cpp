// re.Match: what a match found. The spans are offsets, so that a buffer may change afterwards.
#include "runtime/objects/list_object.h"
#include "stdlib/re/re_types.h"

namespace minivm {
namespace regex {

namespace {

// The spans of a match of a lexicon as programs expect them that take re.Scanner's pattern for
// their own: groups are those of the phrase that has matched, counted from 1; the k-th phrase is
// group k, which begins where the phrase's own k-th group does, if it has one. The number of the
// phrase.
uint32_t SpansOfPhrase(const TupleObject* phrases, const Matcher& matcher, uint32_t groups,
                       uint32_t count, int64_t* span) {
  uint32_t k = 0;
  while (static_cast<uint32_t>(phrases->span()[k].as_int()) != matcher.last_index()) ++k;
  const uint32_t first = matcher.last_index();
  const uint32_t behind =
      k + 1 < phrases->size() ? static_cast<uint32_t>(phrases->span()[k + 1].as_int()) : groups;
  for (uint32_t g = 1; g < count; ++g) {
    int64_t start = first + g < behind ? matcher.group_start(first + g) : -1;
    const uint32_t ends = g == k + 1 ? first : first + g;
    if (start < 0 && g == k + 1) start = matcher.group_start(first);
    span[2 * g] = start;
    span[2 * g + 1] = start < 0 ? -1 : matcher.group_end(ends);
  }
  return k + 1;
}

}  // namespace

Result<MatchObject> NewMatch(ThreadState& ts, PatternObject* pattern, const Subject& subject,
                             const Matcher& matcher) {
  const uint32_t all = pattern->groups() + 1;
  const TupleObject* phrases = pattern->phrases;
  const uint32_t groups = phrases ? static_cast<uint32_t>(phrases->size()) + 1 : all;
  MVM_TRY(
      Ref<MatchObject> m,
      AllocObject<MatchObject>(ts, pattern->match_type->shape_id_exact,
                               sizeof(MatchObject) + size_t{groups} * 2 * sizeof(int64_t), true));
  m->string = Ref<>::Borrow(subject.object).Release();
  m->pattern = Ref<PatternObject>::Borrow(pattern).Release();
  m->pos = static_cast<int64_t>(subject.pos);
  m->endpos = static_cast<int64_t>(subject.endpos);
  m->last_index = matcher.last_index();
  m->group_count = groups;
  int64_t* span = m->spans();
  span[0] = static_cast<int64_t>(matcher.start());
  span[1] = static_cast<int64_t>(matcher.end());
  if (phrases) m->last_index = SpansOfPhrase(phrases, matcher, all, groups, span);
  for (uint32_t g = 1; g < groups && !phrases; ++g) {
    const int64_t start = matcher.group_start(g);
    span[2 * g] = start;
    span[2 * g + 1] = start < 0 ? -1 : matcher.group_end(g);
  }
  // Texts of exact types hold no references: such a match is in no cycle.
  if (!IsExact(subject.object, TypeId::kStr) && !IsExact(subject.object, TypeId::kBytes)) Track(m);
  return m;
}

namespace {

// The group that an index or a name means; IndexError.
Result<uint32_t> GroupIndex(ThreadState& ts, const MatchObject* m, Value key) {
  int64_t i = -1;
  if (key.is_int()) {
    i = key.as_int();
  } else if (TypeOf(ts, key)->operators->index) {
    MVM_TRY(i, IndexAsInt64(ts, key, Exc::kCount));
  } else if (DictSize(m->pattern->group_index) != 0) {
    MVM_TRY(Ref<> number, DictGet(ts, m->pattern->group_index, key));
    if (!number.is_absent()) i = number.get().as_int();
  }
  if (i < 0 || i >= m->group_count) return Raise(ts, Exc::kIndexError, "no such group");
  return static_cast<uint32_t>(i);
}

// The texts of groups, for one call.
class GroupReader {
 public:
  Status Init(ThreadState& ts, MatchObject* m) {
    match_ = m;
    return subject_.Get(ts, nullptr, m->string);
  }
  Result<> Get(ThreadState& ts, uint32_t g, Value missing) const {
    const int64_t* span = match_->spans() + 2 * g;
    if (span[0] < 0) return Result<>::Borrow(missing);
    return subject_.Slice(ts, span[0], span[1]);
  }
  const Subject& subject() const { return subject_; }

 private:
  MatchObject* match_ = nullptr;
  Subject subject_;
};

Result<> match_group(ThreadState& ts, Args raw) {
  MatchObject* m = raw.self<MatchObject>();
  if (raw.nkw > 0) return Raise(ts, Exc::kTypeError, "Match.group() takes no keyword arguments");
  GroupReader reader;
  MVM_TRY_VOID(reader.Init(ts, m));
  if (raw.n == 1) return reader.Get(ts, 0, ts.rt->none);
  if (raw.n == 2) {
    MVM_TRY(uint32_t g, GroupIndex(ts, m, raw[1]));
    return reader.Get(ts, g, ts.rt->none);
  }
  MVM_TRY(Ref<TupleObject> result, NewTupleRaw(ts, raw.n - 1));
  for (uint32_t i = 1; i < raw.n; ++i) {
    MVM_TRY(uint32_t g, GroupIndex(ts, m, raw[i]));
    MVM_TRY(Ref<> text, reader.Get(ts, g, ts.rt->none));
    result->items()[i - 1] = text.Release();
  }
  Track(result);
  return result;
}

Result<> match_get_item(ThreadState& ts, Value self, Value key) {
  MatchObject* m = self.as<MatchObject>();
  MVM_TRY(uint32_t g, GroupIndex(ts, m, key));
  GroupReader reader;
  MVM_TRY_VOID(reader.Init(ts, m));
  return reader.Get(ts, g, ts.rt->none);
}

Result<> match_groups(ThreadState& ts, Args args) {
  MatchObject* m = args.self<MatchObject>();
  if (m->group_count == 1) return NewTuple(ts, {});
  GroupReader reader;
  MVM_TRY_VOID(reader.Init(ts, m));
  MVM_TRY(Ref<TupleObject> result, NewTupleRaw(ts, m->group_count - 1));
  for (uint32_t g = 1; g < m->group_count; ++g) {
    MVM_TRY(Ref<> text, reader.Get(ts, g, args[1]));
    result->items()[g - 1] = text.Release();
  }
  Track(result);
  return result;
}

Result<> match_groupdict(ThreadState& ts, Args args) {
  MatchObject* m = args.self<MatchObject>();
  MVM_TRY(Ref<DictObject> result, NewDict(ts, DictSize(m->pattern->group_index)));
  GroupReader reader;
  MVM_TRY_VOID(reader.Init(ts, m));
  size_t pos = 0;
  Value name, number;
  while (DictNext(ts, m->pattern->group_index, &pos, &name, &number)) {
    MVM_TRY(Ref<> text, reader.Get(ts, static_cast<uint32_t>(number.as_int()), args[1]));
    MVM_TRY_VOID(DictSet(ts, result, name, text));
  }
  return result;
}

Result<> SpanTuple(ThreadState& ts, const int64_t* span) {
  const Value words[] = {Value::Int(span[0]), Value::Int(span[1])};
  return NewTuple(ts, words);
}

Result<> match_start(ThreadState& ts, Args args) {
  MVM_TRY(uint32_t g, GroupIndex(ts, args.self<MatchObject>(), args[1]));
  return Small(args.self<MatchObject>()->spans()[2 * g]);
}
Result<> match_end(ThreadState& ts, Args args) {
  MVM_TRY(uint32_t g, GroupIndex(ts, args.self<MatchObject>(), args[1]));
  return Small(args.self<MatchObject>()->spans()[2 * g + 1]);
}
Result<> match_span(ThreadState& ts, Args args) {
  MVM_TRY(uint32_t g, GroupIndex(ts, args.self<MatchObject>(), args[1]));
  return SpanTuple(ts, args.self<MatchObject>()->spans() + 2 * g);
}

Result<> match_expand(ThreadState& ts, Args args) {
  MatchObject* m = args.self<MatchObject>();
  Template t(ts.heap());
  MVM_TRY_VOID(ParseTemplate(ts, m->pattern, args[1], &t));
  GroupReader reader;
  MVM_TRY_VOID(reader.Init(ts, m));
  MVM_TRY_VOID(CheckTemplateType(ts, t, reader.subject()));
  TextBuilder out(ts, !t.bytes);
  MVM_TRY_VOID(out.AddTemplate(reader.subject(), t, [&](uint32_t g, int64_t* start, int64_t* end) {
    *start = m->spans()[2 * g];
    *end = m->spans()[2 * g + 1];
    return *start >= 0;
  }));
  return out.Finish();
}

Result<> match_copy(ThreadState&, Args args) { return Result<>::Borrow(args[0]); }

Result<> match_repr(ThreadState& ts, Value self) {
  MatchObject* m = self.as<MatchObject>();
  GroupReader reader;
  MVM_TRY_VOID(reader.Init(ts, m));
  MVM_TRY(Ref<> text, reader.Get(ts, 0, ts.rt->none));
  return Format(ts, "<%T object; span=(%lld, %lld), match=%.50R>", self,
                static_cast<long long>(m->spans()[0]), static_cast<long long>(m->spans()[1]),
                text.get());
}

Result<> match_string(ThreadState&, Value self) {
  return Result<>::Borrow(self.as<MatchObject>()->string);
}
Result<> match_re(ThreadState&, Value self) {
  return Result<>::Borrow(Value(self.as<MatchObject>()->pattern));
}
Result<> match_pos(ThreadState&, Value self) { return Small(self.as<MatchObject>()->pos); }
Result<> match_endpos(ThreadState&, Value self) { return Small(self.as<MatchObject>()->endpos); }
Result<> match_lastindex(ThreadState& ts, Value self) {
  const uint32_t last = self.as<MatchObject>()->last_index;
  return last ? Small(last) : None(ts);
}
Result<> match_lastgroup(ThreadState& ts, Value self) {
  const MatchObject* m = self.as<MatchObject>();
  if (m->last_index == 0 || m->pattern->group_names->size() == 0) return None(ts);
  return Result<>::Borrow((*m->pattern->group_names)[m->last_index]);
}
Result<> match_regs(ThreadState& ts, Value self) {
  MatchObject* m = self.as<MatchObject>();
  MVM_TRY(Ref<TupleObject> result, NewTupleRaw(ts, m->group_count));
  for (uint32_t g = 0; g < m->group_count; ++g) {
    MVM_TRY(Ref<> span, SpanTuple(ts, m->spans() + 2 * g));
    result->items()[g] = span.Release();
  }
  Track(result);
  return result;
}

const MethodSpec kMatchMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem, "See PEP 585", kMethodClass},
    {"__copy__(self, /)", match_copy},
    {"__deepcopy__(self, memo, /)", match_copy},
    {"end(self, group=0, /)", match_end,
     "Where the group ends in the string; -1 if it took no part."},
    {"expand(self, /, template)", match_expand,
     "The template, its escapes and \\1, \\g<name> replaced as sub() does it."},
    {"group(...)", match_group,
     "The text of a group by number or name, 0 for all of the match; a tuple for several. None if "
     "it took no part."},
    {"groupdict(self, /, default=None)", match_groupdict,
     "The named groups with their texts; default for one that took no part."},
    {"groups(self, /, default=None)", match_groups,
     "The texts of all groups from 1 on; default for one that took no part."},
    {"span(self, group=0, /)", match_span,
     "Where the group starts and ends in the string; (-1, -1) if it took no part."},
    {"start(self, group=0, /)", match_start,
     "Where the group starts in the string; -1 if it took no part."},
};
const GetSetSpec kMatchGetSets[] = {
    {"endpos", match_endpos, ReadOnly, "Where the search had to stop"},
    {"lastgroup", match_lastgroup, nullptr,
     "The name of the group that lastindex says; None if it has none"},
    {"lastindex", match_lastindex, nullptr,
     "The number of the group that closed last; None if none did"},
    {"pos", match_pos, ReadOnly, "Where the search began"},
    {"re", match_re, ReadOnly, "The Pattern that matched"},
    {"regs", match_regs, nullptr, nullptr},
    {"string", match_string, ReadOnly, "The text that was searched"},
};

}  // namespace
}  // namespace regex

const TypeSpec kMatchType = {
    .name = "re.Match",
    .doc = "What a pattern has found: the groups, and where they are. Always true.",
    .flags = kTypeNoNew,
    .size = sizeof(regex::MatchObject),
    .gc = GcHooksOf<regex::MatchObject>(),
    .slots = {.repr = regex::match_repr, .get_item = regex::match_get_item},
    .methods = regex::kMatchMethods,
    .getsets = regex::kMatchGetSets,
};

}  // namespace minivm

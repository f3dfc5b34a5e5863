// re.Pattern: the compiled pattern and its methods.
#include <algorithm>
#include <new>

#include "runtime/objects/list_object.h"
#include "runtime/objects/namespace_object.h"
#include "stdlib/re/re_types.h"

namespace minivm {
namespace regex {

void PatternObject::FreeBuffers(Heap& heap) {
  if (!program) return;
  program->~Program();
  heap.FreeBuffer(program, sizeof(Program));
  program = nullptr;
}

Status ReadOnly(ThreadState& ts, Value, Value) {
  return Raise(ts, Exc::kAttributeError, "readonly attribute");
}

namespace {

Status Source(ThreadState& ts, Value pattern, PatternSource* out) {
  out->object = pattern;
  if (IsStr(ts, pattern)) {
    const StrObject* s = pattern.as<StrObject>();
    out->data = s->data1();
    out->size = s->length;
    out->width = s->kind();
    return Ok();
  }
  if (IsBytes(ts, pattern)) {
    const BytesObject* b = pattern.as<BytesObject>();
    out->data = b->data();
    out->size = b->length;
    out->bytes = true;
    return Ok();
  }
  return Raise(ts, Exc::kTypeError, "first argument must be string or compiled pattern");
}

// Names by group number.
Result<TupleObject> NamesOf(ThreadState& ts, DictObject* group_index, uint32_t groups) {
  if (DictSize(group_index) == 0) return NewTuple(ts, {});
  MVM_TRY(Ref<TupleObject> names, NewTupleRaw(ts, size_t{groups} + 1));
  for (uint32_t g = 0; g <= groups; ++g) names->items()[g] = Ref<>::Borrow(ts.rt->none).Release();
  Track(names);
  size_t pos = 0;
  Value name, number;
  while (DictNext(ts, group_index, &pos, &name, &number)) {
    const Ref<> old =
        Ref<>::Steal(std::exchange(names->items()[number.as_int()], Ref<>::Borrow(name).Release()));
  }
  return names;
}

}  // namespace

namespace {

// The pattern object of a parsed pattern.
Result<PatternObject> NewPattern(ThreadState& ts, Value pattern, bool bytes, PatternTree* tree,
                                 DictObject* group_index) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kPatternType));
  MVM_TRY(TypeObject * match_type, TypeForSpec(ts, kMatchType));
  MVM_TRY_VOID(TypeReady(ts, match_type));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  PatternObject* p = made.as<PatternObject>();
  p->pattern = Ref<>::Borrow(pattern).Release();
  p->match_type = match_type;
  p->flags = tree->flags;
  p->bytes = bytes;
  MVM_TRY(void* room, AllocBuffer(ts, sizeof(Program)));
  p->program = new (room) Program(ts.heap());
  MVM_TRY_VOID(CompileProgram(ts, tree, p->program));
  MVM_TRY(Ref<TupleObject> names, NamesOf(ts, group_index, p->groups()));
  p->group_index = Ref<DictObject>::Borrow(group_index).Release();
  p->group_names = names.Release();
  return std::move(made).Into<PatternObject>();
}

}  // namespace

Result<PatternObject> CompilePattern(ThreadState& ts, Value pattern, uint32_t flags) {
  PatternSource source;
  MVM_TRY_VOID(Source(ts, pattern, &source));
  MVM_TRY(Ref<DictObject> group_index, NewDict(ts));
  PatternTree tree(ts.heap());
  MVM_TRY_VOID(ParsePattern(ts, source, flags, &tree, group_index));
  return NewPattern(ts, pattern, source.bytes, &tree, group_index);
}

Result<> CompileLexicon(ThreadState& ts, TupleObject* patterns, uint32_t flags) {
  HeapArray<PatternSource> sources(ts.heap());
  for (const Value pattern : patterns->span()) {
    PatternSource source;
    MVM_TRY_VOID(Source(ts, pattern, &source));
    if (!sources.Push(source)) return RaiseMemoryError(ts);
  }
  MVM_TRY(Ref<DictObject> no_names, NewDict(ts));
  PatternTree tree(ts.heap());
  HeapArray<uint32_t> numbers(ts.heap());
  MVM_TRY_VOID(ParseLexicon(ts, {sources.data(), sources.size()}, flags, &tree, &numbers));
  const bool bytes = !sources.empty() && sources[0].bytes;
  MVM_TRY(Ref<PatternObject> made, NewPattern(ts, ts.rt->none, bytes, &tree, no_names));
  MVM_TRY(Ref<TupleObject> phrases, NewTupleRaw(ts, numbers.size()));
  for (size_t i = 0; i < numbers.size(); ++i) phrases->items()[i] = Value::Int(numbers[i]);
  made->phrases = phrases.Release();
  return made;
}

namespace {

// What search, match, findall, ... have in common: a subject with bounds and a matcher for it.
class Run {
 public:
  Run(ThreadState& ts, PatternObject* pattern)
      : matcher_(ts.heap(), *pattern->program), group_work_(pattern->groups()) {}
  Status Init(ThreadState& ts, PatternObject* pattern, Value string) {
    MVM_TRY_VOID(subject_.Get(ts, pattern, string));
    return Ready(ts);
  }
  Status Init(ThreadState& ts, PatternObject* pattern, Value string, Value pos, Value endpos) {
    MVM_TRY_VOID(subject_.Get(ts, pattern, string));
    MVM_TRY(int64_t from, IndexAsInt64(ts, pos, Exc::kCount));
    int64_t to = INT64_MAX;
    if (!endpos.is_absent()) {
      MVM_TRY(to, IndexAsInt64(ts, endpos, Exc::kCount));
    }
    subject_.SetBounds(from, to);
    return Ready(ts);
  }
  // The next match; false: no more.
  Result<bool> Next(ThreadState& ts) {
    if (done_) return false;
    MVM_TRY_VOID(Charge(ts, 1 + group_work_));  // what is done with the groups
    MVM_TRY(bool found, matcher_.Search(ts, at_, advance_));
    Found(found);
    return found;
  }
  // The next match that starts where the last one ended.
  Result<bool> NextHere(ThreadState& ts, bool full) {
    if (done_) return false;
    MVM_TRY(bool found, matcher_.Match(ts, at_, full, advance_));
    Found(found);
    return found;
  }
  const Subject& subject() const { return subject_; }
  const Matcher& matcher() const { return matcher_; }

 private:
  Status Ready(ThreadState& ts) {
    at_ = subject_.pos;
    done_ = subject_.pos > subject_.endpos;
    return matcher_.Init(ts, subject_.data, subject_.endpos, subject_.width,
                         subject_.is_str || IsBytes(ts, subject_.object));
  }
  void Found(bool found) {
    if (!found) {
      done_ = true;
      return;
    }
    at_ = matcher_.end();
    advance_ = matcher_.end() == matcher_.start();
  }
  Subject subject_;
  Matcher matcher_;
  const int64_t group_work_;
  size_t at_ = 0;
  bool advance_ = false, done_ = false;
};

enum class How { kSearch, kMatch, kFullMatch };

template <How kHow>
Result<> pattern_find(ThreadState& ts, Args args) {
  PatternObject* p = args.self<PatternObject>();
  Run run(ts, p);
  MVM_TRY_VOID(run.Init(ts, p, args[1], args[2], args[3]));
  MVM_TRY(bool found,
          kHow == How::kSearch ? run.Next(ts) : run.NextHere(ts, kHow == How::kFullMatch));
  if (!found) return None(ts);
  return NewMatch(ts, p, run.subject(), run.matcher());
}

// What findall() lists for a match.
Result<> FindallItem(ThreadState& ts, PatternObject* p, const Run& run) {
  if (p->groups() == 0) return GroupOf(ts, run.subject(), run.matcher(), 0, Value());
  MVM_TRY(Ref<> empty, run.subject().Slice(ts, 0, 0));
  if (p->groups() == 1) return GroupOf(ts, run.subject(), run.matcher(), 1, empty);
  MVM_TRY(Ref<TupleObject> item, NewTupleRaw(ts, p->groups()));
  for (uint32_t g = 1; g <= p->groups(); ++g) {
    MVM_TRY(Ref<> text, GroupOf(ts, run.subject(), run.matcher(), g, empty));
    item->items()[g - 1] = text.Release();
  }
  Track(item);
  return item;
}

Result<> pattern_findall(ThreadState& ts, Args args) {
  PatternObject* p = args.self<PatternObject>();
  Run run(ts, p);
  MVM_TRY_VOID(run.Init(ts, p, args[1], args[2], args[3]));
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
  for (;;) {
    MVM_TRY(bool found, run.Next(ts));
    if (!found) return list;
    MVM_TRY(Ref<> item, FindallItem(ts, p, run));
    MVM_TRY_VOID(ListAppend(ts, list, item));
  }
}

Result<> pattern_split(ThreadState& ts, Args args) {
  PatternObject* p = args.self<PatternObject>();
  MVM_TRY(int64_t max, AsInt64(ts, args[2]));
  Run run(ts, p);
  MVM_TRY_VOID(run.Init(ts, p, args[1]));
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
  size_t last = 0;
  const auto append = [&](size_t start, size_t end) -> Status {
    MVM_TRY(Ref<> piece,
            run.subject().Slice(ts, static_cast<int64_t>(start), static_cast<int64_t>(end)));
    return ListAppend(ts, list, piece);
  };
  for (int64_t n = 0; max == 0 || n < max; ++n) {
    MVM_TRY(bool found, run.Next(ts));
    if (!found) break;
    MVM_TRY_VOID(append(last, run.matcher().start()));
    for (uint32_t g = 1; g <= p->groups(); ++g) {
      MVM_TRY(Ref<> text, GroupOf(ts, run.subject(), run.matcher(), g, ts.rt->none));
      MVM_TRY_VOID(ListAppend(ts, list, text));
    }
    last = run.matcher().end();
  }
  MVM_TRY_VOID(append(last, run.subject().endpos));
  return list;
}

// string with matches replaced; *count: how many.
Result<> Substitute(ThreadState& ts, PatternObject* p, Value repl, Value string, int64_t max,
                    int64_t* count) {
  const bool callable = IsCallable(ts, repl);
  Template t(ts.heap());
  if (!callable) MVM_TRY_VOID(ParseTemplate(ts, p, repl, &t));
  Run run(ts, p);
  MVM_TRY_VOID(run.Init(ts, p, string));
  const Subject& subject = run.subject();
  TextBuilder out(ts, subject.is_str);
  size_t last = 0, index = 0;  // index: pieces so far, for messages
  int64_t n = 0;
  for (; max == 0 || n < max; ++n) {
    MVM_TRY(bool found, run.Next(ts));
    if (!found) break;
    const size_t start = run.matcher().start();
    if (last < start) {
      MVM_TRY_VOID(out.Add(subject, last, start));
      ++index;
    }
    last = run.matcher().end();
    if (callable) {
      MVM_TRY(Ref<> match, NewMatch(ts, p, subject, run.matcher()));
      MVM_TRY(Ref<> value, Call(ts, repl, match));
      if (IsNone(ts, value)) continue;
      MVM_TRY_VOID(out.AddValue(value, index));
    } else if (MVM_UNLIKELY(t.bytes == subject.is_str)) {
      MVM_TRY_VOID(CheckTemplateType(ts, t, subject));
      MVM_TRY_VOID(out.AddValue(repl, index));
    } else {
      MVM_TRY_VOID(out.AddTemplate(subject, t, [&](uint32_t g, int64_t* from, int64_t* to) {
        if (g == 0) {
          *from = static_cast<int64_t>(start);
          *to = static_cast<int64_t>(last);
          return true;
        }
        *from = run.matcher().group_start(g);
        *to = *from < 0 ? -1 : run.matcher().group_end(g);
        return *from >= 0;
      }));
    }
    ++index;
  }
  *count = n;
  if (n == 0) return subject.Slice(ts, 0, static_cast<int64_t>(subject.size));
  MVM_TRY_VOID(out.Add(subject, last, subject.endpos));
  return out.Finish();
}

Result<> pattern_sub(ThreadState& ts, Args args) {
  MVM_TRY(int64_t max, AsInt64(ts, args[3]));
  int64_t count = 0;
  return Substitute(ts, args.self<PatternObject>(), args[1], args[2], max, &count);
}

Result<> pattern_subn(ThreadState& ts, Args args) {
  MVM_TRY(int64_t max, AsInt64(ts, args[3]));
  int64_t count = 0;
  MVM_TRY(Ref<> text, Substitute(ts, args.self<PatternObject>(), args[1], args[2], max, &count));
  const Value words[] = {text, Value::Int(count)};
  return NewTuple(ts, words);
}

// ---- scanners and iterators ----

// Both: a Run that lives in the heap.
class Scanner : public Object {
 public:
  PatternObject* pattern = nullptr;
  Value string;
  Run* run = nullptr;
  bool busy = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(pattern);
    v(string);
  }
  // The run uses the program of the pattern: it goes first.
  void FreeRun(Heap& heap) {
    if (!run) return;
    Run* old = std::exchange(run, nullptr);
    old->~Run();
    heap.FreeBuffer(old, sizeof(Run));
  }
};

void ScannerDestroy(Heap& heap, Object* self) {
  self->as<Scanner>()->FreeRun(heap);
  gc_internal::DestroyHook<Scanner>(heap, self);
}
void ScannerClear(Object* self) {
  self->as<Scanner>()->FreeRun(*Heap::Of(self));
  gc_internal::ClearHook<Scanner>(self);
}

template <const TypeSpec& kSpec>
Result<> pattern_scan(ThreadState& ts, Args args) {
  PatternObject* p = args.self<PatternObject>();
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kSpec));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  Scanner* s = made.as<Scanner>();
  MVM_TRY(void* room, AllocBuffer(ts, sizeof(Run)));
  s->pattern = Ref<PatternObject>::Borrow(p).Release();
  s->string = Ref<>::Borrow(args[1]).Release();
  s->run = new (room) Run(ts, p);
  MVM_TRY_VOID(s->run->Init(ts, p, args[1], args[2], args[3]));
  return made;
}

// The next match, or null. `full` < 0: anywhere; else from where the last one ended.
Result<> ScannerNext(ThreadState& ts, Value self, bool search, bool iterating) {
  Scanner* s = self.as<Scanner>();
  if (s->busy) {
    return Raise(ts, Exc::kValueError, "regular expression scanner already executing");
  }
  if (!s->run) return iterating ? Result<>::Done() : None(ts);
  const Ref<> keep = Ref<>::Borrow(self);
  s->busy = true;
  Result<bool> r = search ? s->run->Next(ts) : s->run->NextHere(ts, false);
  s->busy = false;
  MVM_TRY(bool found, std::move(r));
  if (!found) return iterating ? Result<>::Done() : None(ts);
  return NewMatch(ts, s->pattern, s->run->subject(), s->run->matcher());
}

Result<> scanner_match(ThreadState& ts, Args args) {
  return ScannerNext(ts, args[0], false, false);
}
Result<> scanner_search(ThreadState& ts, Args args) {
  return ScannerNext(ts, args[0], true, false);
}
Result<> scanner_pattern(ThreadState& ts, Value self) {
  PatternObject* p = self.as<Scanner>()->pattern;
  return p ? Result<>::Borrow(Value(p)) : None(ts);
}
Result<> iterator_next(ThreadState& ts, Value self) { return ScannerNext(ts, self, true, true); }
Result<> iterator_self(ThreadState&, Value self) { return Result<>::Borrow(self); }

// ---- the rest of Pattern ----

Result<> pattern_copy(ThreadState&, Args args) { return Result<>::Borrow(args[0]); }

Result<> pattern_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kPatternType));
  if ((op != CompareOp::kEq && op != CompareOp::kNe) || TypeOf(ts, a) != type ||
      TypeOf(ts, b) != type)
    return NotImplemented(ts);
  const PatternObject* x = a.as<PatternObject>();
  const PatternObject* y = b.as<PatternObject>();
  bool equal = a.is(b);
  if (!equal && x->flags == y->flags && x->bytes == y->bytes) {
    MVM_TRY(equal, EqualValues(ts, x->pattern, y->pattern));
  }
  return Bool(ts, equal == (op == CompareOp::kEq));
}

Result<int64_t> pattern_hash(ThreadState& ts, Value self) {
  const PatternObject* p = self.as<PatternObject>();
  MVM_TRY(int64_t hash, Hash(ts, p->pattern));
  hash ^= static_cast<int64_t>(p->flags) << 1 | p->bytes;
  return hash == -1 ? -2 : hash;
}

Result<> pattern_repr(ThreadState& ts, Value self) {
  const PatternObject* p = self.as<PatternObject>();
  static constexpr const char* kNames[] = {"IGNORECASE", "LOCALE",  "MULTILINE", "DOTALL",
                                           "UNICODE",    "VERBOSE", "DEBUG",     "ASCII"};
  uint32_t flags = p->flags;
  if (!p->bytes && (flags & kTypeFlags) == kFlagUnicode) flags &= ~kFlagUnicode;
  StrBuilder out(ts);
  MVM_TRY(Ref<StrObject> head, Format(ts, "re.compile(%.200R", p->pattern));
  MVM_TRY_VOID(out.Append(head.get()));
  const char* separator = ", ";
  for (uint32_t i = 0; i < 8; ++i) {
    const uint32_t flag = 2u << i;
    if (!(flags & flag)) continue;
    flags &= ~flag;
    MVM_TRY(Ref<StrObject> text, Format(ts, "%sre.%s", separator, kNames[i]));
    MVM_TRY_VOID(out.Append(text.get()));
    separator = "|";
  }
  if (flags) {
    MVM_TRY(Ref<StrObject> text, Format(ts, "%s0x%x", separator, flags));
    MVM_TRY_VOID(out.Append(text.get()));
  }
  MVM_TRY_VOID(out.Append(U')'));
  return out.Finish();
}

Result<> pattern_pattern(ThreadState&, Value self) {
  return Result<>::Borrow(self.as<PatternObject>()->pattern);
}
Result<> pattern_flags(ThreadState&, Value self) { return Small(self.as<PatternObject>()->flags); }
Result<> pattern_groups(ThreadState&, Value self) {
  const PatternObject* p = self.as<PatternObject>();
  return Small(p->phrases ? static_cast<uint32_t>(p->phrases->size()) : p->groups());
}
Result<> pattern_groupindex(ThreadState& ts, Value self) {
  return NewMappingProxy(ts, Value(self.as<PatternObject>()->group_index));
}

#define POS ", pos=0, endpos=9223372036854775807)"
const MethodSpec kPatternMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem, "See PEP 585", kMethodClass},
    {"__copy__(self, /)", pattern_copy},
    {"__deepcopy__(self, memo, /)", pattern_copy},
    {"findall(self, /, string" POS, pattern_findall,
     "The texts of all matches that do not overlap: of the group if the pattern has one, tuples of "
     "groups if several."},
    {"finditer(self, /, string" POS, pattern_scan<kMatchIteratorType>,
     "Iterator of the Match objects of all matches that do not overlap, left to right."},
    {"fullmatch(self, /, string" POS, pattern_find<How::kFullMatch>,
     "The Match of the whole text, or None."},
    {"match(self, /, string" POS, pattern_find<How::kMatch>,
     "The Match that starts where the text does, or None."},
    {"scanner(self, /, string" POS, pattern_scan<kScannerType>},
    {"search(self, /, string" POS, pattern_find<How::kSearch>,
     "The first Match anywhere in the text, or None."},
    {"split(self, /, string, maxsplit=0)", pattern_split,
     "The parts between matches, with the texts of groups among them; maxsplit matches at most, 0: "
     "all."},
    {"sub(self, /, repl, string, count=0)", pattern_sub,
     "The text with every match replaced: by a template with \\1 and \\g<name>, or by repl(match). "
     "At most count times, 0: all."},
    {"subn(self, /, repl, string, count=0)", pattern_subn,
     "What sub() gives, and how many matches were replaced."},
};
#undef POS
const GetSetSpec kPatternGetSets[] = {
    {"flags", pattern_flags, ReadOnly, "The flags, with those in the pattern itself"},
    {"groupindex", pattern_groupindex, nullptr, "The numbers of the named groups"},
    {"groups", pattern_groups, ReadOnly, "How many groups there are"},
    {"pattern", pattern_pattern, ReadOnly, "The text it was made from"},
};
const MethodSpec kScannerMethods[] = {
    {"match(self, /)", scanner_match},
    {"search(self, /)", scanner_search},
};
const GetSetSpec kScannerGetSets[] = {{"pattern", scanner_pattern, ReadOnly}};

constexpr GcHooks kScannerGc = {gc_internal::VisitHook<Scanner>, ScannerClear, ScannerDestroy};

}  // namespace
}  // namespace regex

const TypeSpec kPatternType = {
    .name = "re.Pattern",
    .doc = "A regular expression, ready to be matched; re.compile() makes it.",
    .flags = kTypeNoNew | kTypeWeakrefs,
    .size = sizeof(regex::PatternObject),
    .gc = GcHooksOf<regex::PatternObject>(),
    .slots = {.repr = regex::pattern_repr,
              .hash = regex::pattern_hash,
              .compare = regex::pattern_compare},
    .methods = regex::kPatternMethods,
    .getsets = regex::kPatternGetSets,
};

const TypeSpec kScannerType = {
    .name = "_sre.SRE_Scanner",
    .flags = kTypeNoNew,
    .size = sizeof(regex::Scanner),
    .gc = regex::kScannerGc,
    .methods = regex::kScannerMethods,
    .getsets = regex::kScannerGetSets,
};

const TypeSpec kMatchIteratorType = {
    .name = "_sre.callable_iterator",
    .flags = kTypeNoNew,
    .size = sizeof(regex::Scanner),
    .gc = regex::kScannerGc,
    .slots = {.iter = regex::iterator_self, .next = regex::iterator_next},
};

}  // namespace minivm

// Module _sre: what re (stdlib/script/re.src) is made of. The engine is in re/.
#include "runtime/objects/int_object.h"
#include "stdlib/re/re_types.h"

namespace minivm {
namespace {

using namespace regex;

// The program of a pattern, for re.DEBUG.
Result<> sre_dump(ThreadState& ts, Args args) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kPatternType));
  if (TypeOf(ts, args[0]) != type)
    return Raise(ts, Exc::kTypeError, "expected a pattern, got %T", args[0]);
  StrBuilder out(ts);
  MVM_TRY_VOID(DumpProgram(ts, *args.as<PatternObject>(0)->program, &out));
  return out.Finish();
}

// For tests: the steps after which matches of the pattern begin with a memo and are given up; -1
// for what is usual.
Result<> sre_limit(ThreadState& ts, Args args) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kPatternType));
  if (TypeOf(ts, args[0]) != type)
    return Raise(ts, Exc::kTypeError, "expected a pattern, got %T", args[0]);
  MVM_TRY(int64_t patience, AsInt64(ts, args[1]));
  MVM_TRY(int64_t steps, AsInt64(ts, args[2]));
  Program* program = args.as<PatternObject>(0)->program;
  program->patience = patience;
  program->step_limit = steps;
  return None(ts);
}

Result<> sre_width(ThreadState& ts, Args args) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kPatternType));
  if (TypeOf(ts, args[0]) != type)
    return Raise(ts, Exc::kTypeError, "expected a pattern, got %T", args[0]);
  const Program* program = args.as<PatternObject>(0)->program;
  MVM_TRY(Ref<> least, NewIntU64(ts, program->min_width));
  MVM_TRY(Ref<> most, NewIntU64(ts, program->max_width));
  const Value words[] = {least, most};
  return NewTuple(ts, words);
}

bool IsSpecial(uint32_t c) {
  switch (c) {
    case '(':
    case ')':
    case '[':
    case ']':
    case '{':
    case '}':
    case '?':
    case '*':
    case '+':
    case '-':
    case '|':
    case '^':
    case '$':
    case '\\':
    case '.':
    case '&':
    case '~':
    case '#':
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case '\v':
    case '\f': return true;
    default: return false;
  }
}

Result<> sre_escape(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[0])) {
    ByteView view;
    MVM_TRY_VOID(view.Get(ts, args[0], "decoding to str: need a bytes-like object, %T found"));
    HeapArray<uint8_t> out(ts.heap());
    for (size_t i = 0; i < view.size(); ++i) {
      const uint8_t c = view.data()[i];
      if ((IsSpecial(c) && !out.Push('\\')) || !out.Push(c)) return RaiseMemoryError(ts);
    }
    return NewBytes(ts, {reinterpret_cast<const char*>(out.data()), out.size()});
  }
  const StrObject* s = args.as<StrObject>(0);
  StrBuilder out(ts);
  size_t copied = 0;
  for (size_t i = 0; i < s->length; ++i) {
    if (!IsSpecial(s->At(i))) continue;
    MVM_TRY_VOID(out.AppendSlice(s, copied, i));
    MVM_TRY_VOID(out.Append(U'\\'));
    copied = i;
  }
  MVM_TRY_VOID(out.AppendSlice(s, copied, s->length));
  return out.Finish();
}

Result<> sre_compile_lexicon(ThreadState& ts, Args args) {
  MVM_TRY(int64_t flags, AsInt64(ts, args[1]));
  MVM_TRY(Ref<TupleObject> patterns, TupleFrom(ts, args[0]));
  return CompileLexicon(ts, patterns, static_cast<uint32_t>(flags));
}

const MethodSpec kFunctions[] = {
    {"compile_lexicon(patterns, flags, /)", sre_compile_lexicon},
    {"dump(pattern, /)", sre_dump},
    {"escape(pattern, /)", sre_escape},
    {"limit(pattern, patience, steps, /)", sre_limit},
    {"width(pattern, /)", sre_width},
};
const TypeSpec* const kTypes[] = {&kPatternType, &kMatchType, &kPatternCacheType};

}  // namespace

extern const ModuleSpec k__sre_module;
const ModuleSpec k__sre_module = {
    .name = "_sre", .doc = "The engine of module re.", .functions = kFunctions, .types = kTypes};

}  // namespace minivm

// The traceback type.
#include "vm/interp/traceback.h"

#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

TracebackObject* Self(Value v) { return v.as<TracebackObject>(); }

Result<> traceback_new(ThreadState& ts, Args args) {
  if (!IsNone(ts, args[1]) && !IsExact(args[1], TypeId::kTraceback)) {
    return Raise(ts, Exc::kTypeError, "expected traceback object or None, got '%T'", args[1]);
  }
  if (!IsExact(args[2], TypeId::kFrame)) {
    return Raise(ts, Exc::kTypeError, "traceback() argument 'tb_frame' must be frame, not %T",
                 args[2]);
  }
  MVM_TRY(int64_t lasti, AsInt64(ts, args[3]));
  MVM_TRY(int64_t line, AsInt64(ts, args[4]));
  if (lasti != static_cast<int32_t>(lasti) || line != static_cast<int32_t>(line)) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  }
  MVM_TRY(Ref<TracebackObject> tb, New<TracebackObject>(ts, TypeId::kTraceback));
  if (!IsNone(ts, args[1])) tb->next = Ref<>::Borrow(args[1]).Release();
  tb->frame = Ref<FrameObject>::Borrow(args.as<FrameObject>(2)).Release();
  tb->lasti = static_cast<int32_t>(lasti);
  tb->line = line == -1 ? TracebackObject::kLineFromPc : static_cast<int32_t>(line);
  Track(tb.get());
  return tb;
}

Result<> get_frame(ThreadState& ts, Value self) {
  return Result<>::Borrow(Value(Self(self)->frame));
}
Result<> get_lasti(ThreadState& ts, Value self) { return Small(TracebackOffset(Self(self))); }
Result<> get_lineno(ThreadState& ts, Value self) {
  int line = TracebackLine(Self(self));
  if (line < 0) return None(ts);
  return Small(line);
}
Result<> get_next(ThreadState& ts, Value self) {
  return Self(self)->next.is_null() ? None(ts) : Result<>::Borrow(Self(self)->next);
}
Status set_next(ThreadState& ts, Value self, Value v) {
  if (v.is_null()) return Raise(ts, Exc::kTypeError, "can't delete tb_next attribute");
  if (!IsNone(ts, v) && !IsExact(v, TypeId::kTraceback)) {
    return Raise(ts, Exc::kTypeError, "expected traceback object, got '%T'", v);
  }
  for (Value t = v; t.is_object() && IsExact(t, TypeId::kTraceback); t = Self(t)->next) {
    if (t.is(self)) return Raise(ts, Exc::kValueError, "traceback loop detected");
  }
  Value now = IsNone(ts, v) ? Value() : Ref<>::Borrow(v).Release();
  Value old = std::exchange(Self(self)->next, now);
  Decref(old);
  return Ok();
}

Result<> traceback_dir(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 4));
  for (const char* name : {"tb_frame", "tb_next", "tb_lasti", "tb_lineno"}) {
    MVM_TRY(Ref<StrObject> s, NewStr(ts, name));
    MVM_TRY_VOID(ListAppend(ts, list, s));
  }
  return list;
}

const GetSetSpec kTracebackGetSets[] = {
    {"tb_frame", get_frame, SetReadOnlyMember},
    {"tb_lasti", get_lasti, SetReadOnlyMember},
    {"tb_lineno", get_lineno},
    {"tb_next", get_next, set_next},
};
const MethodSpec kTracebackMethods[] = {{"__dir__(self, /)", traceback_dir}};

}  // namespace

int32_t TracebackOffset(TracebackObject* tb) {
  if (tb->at_word && tb->frame != nullptr) {
    const auto word = static_cast<uint32_t>(tb->lasti);
    const CodeObject* code = tb->frame->function->code;  // may be another since
    tb->lasti = word < code->word_count ? static_cast<int32_t>(OffsetOf(code, word)) : -1;
    tb->at_word = false;
  }
  return tb->lasti;
}

int TracebackLine(TracebackObject* tb) {
  if (tb->line == TracebackObject::kLineFromPc) {
    // Scripts make tracebacks with any tb_lasti.
    const CodeObject* code = tb->frame->function->code;
    tb->line = LineAtOffset(code, TracebackOffset(tb));
  }
  return tb->line;
}

const TypeSpec kTracebackType = {
    .name = "traceback",
    .doc = "One step of the way that an exception took: a frame, a line and the next step in.",
    .size = sizeof(TracebackObject),
    .gc = {gc_internal::VisitHook<TracebackObject>, gc_internal::ClearHook<TracebackObject>,
           DestroyTraceback},
    .construct = {"traceback(tb_next, tb_frame, tb_lasti, tb_lineno)", traceback_new},
    .methods = kTracebackMethods,
    .getsets = kTracebackGetSets,
};

}  // namespace minivm

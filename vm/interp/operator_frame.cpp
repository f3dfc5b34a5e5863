// Operators of classes made by scripts, run as frames.
//
// `a + b`, `a < b`, `a[i]`, `a[i] = v` where the class has a plain function for it: the function
// gets a frame as in a call, and the dispatch loop goes on in it. No C++ stands between the two
// frames, so this costs little more than a call. The operands stand below the window (base[-5],
// base[-4]; inert 0 if nobody needs them any more) and live until the word is done. When the frame
// returns, ReturnToOperator makes of its result what the word wants: truth and a jump, the
// reflected method after NotImplemented, or just the value.
//
// What has other rules stays with runtime/protocol: in-place methods, a right operand whose class
// comes first, methods that are not functions or want more than their places.
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/ready_slots.h"
#include "vm/interp/interp_slow.h"
#include "vm/interp/watch.h"

namespace minivm {

namespace {

struct OperatorNames {
  NameId own, reflected;
};
constexpr OperatorNames kArithNames[] = {
    {NameId::k__add__, NameId::k__radd__},         {NameId::k__sub__, NameId::k__rsub__},
    {NameId::k__mul__, NameId::k__rmul__},         {NameId::k__matmul__, NameId::k__rmatmul__},
    {NameId::k__truediv__, NameId::k__rtruediv__}, {NameId::k__floordiv__, NameId::k__rfloordiv__},
    {NameId::k__mod__, NameId::k__rmod__},         {NameId::k__divmod__, NameId::k__rdivmod__},
    {NameId::k__pow__, NameId::k__rpow__},         {NameId::k__lshift__, NameId::k__rlshift__},
    {NameId::k__rshift__, NameId::k__rrshift__},   {NameId::k__and__, NameId::k__rand__},
    {NameId::k__or__, NameId::k__ror__},           {NameId::k__xor__, NameId::k__rxor__},
};
constexpr NameId kCompareNames[] = {NameId::k__lt__, NameId::k__le__, NameId::k__eq__,
                                    NameId::k__ne__, NameId::k__gt__, NameId::k__ge__};

// Looks the method up and enters it; also that there is none that could be pushed.
[[gnu::noinline]] FunctionObject* FindMethod(ThreadState& ts, Value o, StrObject* name,
                                             AttrCache::Entry* entry) {
  TypeObject* type = TypeOf(ts, o);
  if (!type->is_heap() || type->mro == nullptr) return nullptr;
  const Value found = TypeLookup(ts, type, name);
  const uint64_t payload = IsExact(found, TypeId::kFunction) ? found.bits() : 0;
  for (Value t : type->mro->span()) t.as<TypeObject>()->flags |= kTypeHasSites;
  *entry = {o.object()->shape_id, AttrCache::kMethod, name, payload};
  return reinterpret_cast<FunctionObject*>(payload);
}

// The function that the class of `o` has under the name, if `count` arguments go to their places
// and no further; else null.
inline FunctionObject* MethodOf(ThreadState& ts, Value o, NameId id, uint32_t count) {
  if (!o.is_object() || o.object()->shape_id < kFirstDynamicShape) return nullptr;
  const uint32_t shape = o.object()->shape_id;
  StrObject* name = ts.rt->names[static_cast<size_t>(id)];
  AttrCache::Entry* entry =
      static_cast<AttrCache*>(ts.rt->attr_cache)->Slot(shape, name, AttrCache::kOperator);
  FunctionObject* f = MVM_LIKELY(entry->shape == shape && entry->name == name)
                          ? reinterpret_cast<FunctionObject*>(entry->payload)
                          : FindMethod(ts, o, name, entry);
  return f != nullptr && f->plain_count == count ? f : nullptr;
}

// Where a window for `f` above R's frame begins, behind room for two operands; null: too far up.
inline Value* WindowFor(ThreadState* ts, Value* R, const FunctionObject* f, uint64_t* header) {
  const uint32_t window = FunctionOf(R)->frame_size + 2u;
  Value* w = R + window;
  *header = CalleeHeader(R, HeaderPlaces(window, 0) + kFrameOperator);
  const bool fits = window <= 0xFF && FrameFits(ts, w + kWindowWords, f->frame_size, *header);
  return MVM_LIKELY(fits) ? w : nullptr;
}

// Enters the frame at w, whose `count` arguments are in place.
inline CallOutcome Enter(ThreadState* ts, Value* w, uint64_t header, const Word* pc,
                         FunctionObject* f, uint32_t count, Value left, Value right) {
  Incref(static_cast<Object*>(f));
  w[-2] = left;
  w[-1] = right;
  w[0] = Value(f);
  w[1] = Value::FromBits(reinterpret_cast<uint64_t>(pc + 1));
  w[2] = Value::FromBits(header);
  Value* base = w + kWindowWords;
  UnsetLocals(f, base, count, ts->rt->unbound);
  ts->base = base;
  ts->pc = f->entry;
  return TellEntry(ts, f) ? CallOutcome::kPushed : CallOutcome::kRaised;
}

inline Value Taken(Value v, bool consume) {
  if (!consume) Incref(v);
  return v;
}

[[gnu::always_inline]] inline bool PushTwo(ThreadState* ts, Value* R, const Word* pc,
                                           FunctionObject* f, Value self, Value other, Value left,
                                           Value right, uint32_t consume, CallOutcome* outcome) {
  uint64_t header;
  Value* w = WindowFor(ts, R, f, &header);
  if (w == nullptr) return false;
  Incref(self);
  Incref(other);
  w[kWindowWords] = self;
  w[kWindowWords + 1] = other;
  *outcome = Enter(ts, w, header, pc, f, 2, Taken(left, consume & kConsume1),
                   Taken(right, consume & kConsume2));
  return true;
}

// A method without a second try: the frame gets the operands, those that the word consumes
// (kConsume1 and its followers, in order) as they are.
template <class... V>
inline bool PushMethod(ThreadState* ts, Value* R, const Word* pc, NameId id, uint32_t consume,
                       CallOutcome* outcome, Value self, V... others) {
  constexpr uint32_t count = 1 + sizeof...(V);
  FunctionObject* f = MethodOf(*ts, self, id, count);
  if (f == nullptr) return false;
  uint64_t header;
  Value* w = WindowFor(ts, R, f, &header);
  if (w == nullptr) return false;
  Value* out = w + kWindowWords;
  *out = Taken(self, consume & kConsume1);
  ((*++out = Taken(others, (consume >>= 1) & kConsume1)), ...);
  *outcome = Enter(ts, w, header, pc, f, count, Value::Int(0), Value::Int(0));
  return true;
}

// Is the left operand's method asked first, and its class's only slot for this?
bool LeftFirst(ThreadState& ts, Value left, Value right) {
  return !right.is_object() || left.object()->shape_id == right.object()->shape_id ||
         TypeOf(ts, left) == TypeOf(ts, right) || !TypeOf(ts, right)->is_heap();
}

}  // namespace

bool PushArith(ThreadState* ts, Value* R, const Word* pc, BinaryOp op, Value a, Value b,
               uint32_t flags, CallOutcome* outcome) {
  if (op == BinaryOp::kPow) return false;
  const OperatorNames& names = kArithNames[static_cast<int>(op)];
  if (FunctionObject* f = MethodOf(*ts, a, names.own, 2)) {
    if (!LeftFirst(*ts, a, b) || ((flags & kInPlace) && HasInPlace(*ts, a, op))) return false;
    return PushTwo(ts, R, pc, f, a, b, a, b, flags, outcome);
  }
  // `2 * v`: a number knows nothing of v, unless v is a number, too.
  if (!a.is_int() && !a.is_float()) return false;
  FunctionObject* f = MethodOf(*ts, b, names.reflected, 2);
  if (f == nullptr || IsInt(*ts, b) || IsFloat(*ts, b) ||
      IsSubtype(TypeOf(*ts, b), TypeById(*ts, TypeId::kComplex))) {
    return false;
  }
  return PushTwo(ts, R, pc, f, b, a, a, b, flags, outcome);
}

bool PushCompare(ThreadState* ts, Value* R, const Word* pc, CompareOp op, Value a, Value b,
                 uint32_t consume, CallOutcome* outcome) {
  FunctionObject* f = MethodOf(*ts, a, kCompareNames[static_cast<int>(op)], 2);
  if (f == nullptr || !LeftFirst(*ts, a, b)) return false;
  return PushTwo(ts, R, pc, f, a, b, a, b, consume, outcome);
}

bool PushGetItem(ThreadState* ts, Value* R, const Word* pc, Value o, Value key, uint32_t flags,
                 CallOutcome* outcome) {
  return PushMethod(ts, R, pc, NameId::k__getitem__, flags, outcome, o, key);
}

bool PushSetItem(ThreadState* ts, Value* R, const Word* pc, Value o, Value key, Value v,
                 uint32_t flags, CallOutcome* outcome) {
  return PushMethod(ts, R, pc, NameId::k__setitem__, flags, outcome, o, key, v);
}

namespace {

// Also in another form than when the frame was pushed: the loop may run again further in.
inline bool IsFor(Op op) { return op >= Op::FOR && op <= Op::FOR_GEN_L; }

}  // namespace

bool PushNext(ThreadState* ts, Value* R, const Word* pc, Value iterator, CallOutcome* outcome) {
  return PushMethod(ts, R, pc, NameId::k__next__, 0, outcome, iterator);
}

bool EndLoop(ThreadState* ts, Value* R, const Word* pc) {
  if (!IsFor(static_cast<Op>(pc->op)) || !ClearPendingIf(*ts, Exc::kStopIteration)) return false;
  ts->base = R;
  ts->pc = pc;
  Decref(R[pc->a]);
  ts->pc = pc + 1 + pc->x;
  return true;
}

namespace {

// NotImplemented: the rest of the operator. Null if that has raised.
[[gnu::noinline]] Value Rest(ThreadState& ts, const Word* pc, Value a, Value b) {
  const OperatorWord word = OperatorWordOf(static_cast<Op>(pc->op));
  if (word.compares) return CompareRest(ts, a, b, word.compare).word();
  const uint32_t flags = word.immediate ? pc->c : static_cast<uint32_t>(pc->x);
  return BinaryRest(ts, word.arith, a, b, flags & kInPlace).word();
}

}  // namespace

bool ReturnToOperator(ThreadState* ts, Value* frame, Value value) {
  Value* R = CallerBase(frame);
  const Word* pc = ReturnAddress(frame) - 1;
  const Value a = frame[-5], b = frame[-4], callee = frame[-3];
  ts->base = R;
  ts->pc = pc;
  Decref(callee);
  const Op op = static_cast<Op>(pc->op);
  if (op >= Op::SETITEM && op <= Op::SETITEM_DICT) {
    Decref(value);
    ts->pc = pc + 1;
    return true;
  }
  const bool loop = IsFor(op);
  const bool item = loop || (op >= Op::GETITEM && op <= Op::GETITEM_DICT);
  if (MVM_UNLIKELY(!item && IsNotImplemented(*ts, value))) {
    Decref(value);
    value = Rest(*ts, pc, a, b);
  }
  Decref(a);
  Decref(b);
  const bool jumps = op >= Op::JLT_T && op <= Op::JGEI_F;
  bool truth = value.is(ts->rt->true_);
  if (jumps && !value.is_null()) {
    bool ok = true;
    if (!truth && !value.is(ts->rt->false_)) {
      Result<bool> r = Truth(*ts, value);
      ok = !r.raised();
      truth = ok && r.Take();
    }
    Decref(value);
    if (!ok) value = Value();
  }
  if (MVM_UNLIKELY(value.is_null())) return false;
  ts->pc = pc + 1;
  if (jumps) {
    if (truth == OperatorWordOf(op).wants_true) ts->pc = pc + 1 + pc->x;
    return true;
  }
  const Value old = std::exchange(R[loop ? pc->b : pc->a], value);
  if (loop ? InfoOf(op).format[1] == 'l' : InfoOf(op).writes_local) Decref(old);
  return true;
}

}  // namespace minivm

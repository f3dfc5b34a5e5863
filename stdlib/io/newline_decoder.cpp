// IncrementalNewlineDecoder: universal newlines behind another decoder, or on text.
#include "runtime/native/native_function.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/io/io_types.h"

namespace minivm::io {

namespace {

NewlineDecoderObject* Self(Args args) { return args.self<NewlineDecoderObject>(); }

Status CheckInitialised(ThreadState& ts, NewlineDecoderObject* d) {
  if (!d->decoder.is_null()) return Ok();
  return Raise(ts, Exc::kValueError, "IncrementalNewlineDecoder.__init__() not called");
}

Result<> decoder_init(ThreadState& ts, Args args) {
  NewlineDecoderObject* d = Self(args);
  MVM_TRY(bool translate, Truth(ts, args[2]));
  Decref(std::exchange(d->decoder, Ref<>::Borrow(args[1]).Release()));
  Decref(std::exchange(d->errors, Ref<>::Borrow(args[3]).Release()));
  d->translate = translate;
  d->seen = 0;
  d->pending_cr = false;
  return None(ts);
}

Result<> decoder_decode(ThreadState& ts, Args args) {
  NewlineDecoderObject* d = Self(args);
  MVM_TRY_VOID(CheckInitialised(ts, d));
  MVM_TRY(bool final, Truth(ts, args[2]));
  Ref<> text = Ref<>::Borrow(args[1]);
  if (!IsNone(ts, d->decoder)) {
    Value pair[] = {args[1], Value(final ? ts.rt->true_ : ts.rt->false_)};
    MVM_TRY(text, CallNamed(ts, d->decoder, "decode", pair));
  }
  if (!IsStr(ts, text)) {
    return Raise(ts, Exc::kTypeError, "decoder should return a string result, not '%T'",
                 text.get());
  }
  return TranslateNewlines(ts, std::move(text).Into<StrObject>(), d->translate, final,
                           &d->pending_cr, &d->seen);
}

// (buffered bytes, flags): the inner decoder's flags shifted by one, the kept \r in bit 0.
Result<> decoder_getstate(ThreadState& ts, Args args) {
  NewlineDecoderObject* d = Self(args);
  MVM_TRY_VOID(CheckInitialised(ts, d));
  Ref<> buffered = Ref<>::Borrow(ts.rt->empty_bytes);
  Ref<> flags = Ref<>::Steal(Value::Int(0));
  if (!IsNone(ts, d->decoder)) {
    MVM_TRY(Ref<> state, CallNamed(ts, d->decoder, "getstate"));
    if (!IsTuple(ts, state) || state.as<TupleObject>()->size() != 2) {
      return Raise(ts, Exc::kTypeError, "illegal decoder state");
    }
    buffered = Ref<>::Borrow((*state.as<TupleObject>())[0]);
    flags = Ref<>::Borrow((*state.as<TupleObject>())[1]);
  }
  MVM_TRY(flags, Binary(ts, BinaryOp::kLshift, flags, Value::Int(1)));
  if (d->pending_cr) {
    MVM_TRY(flags, Binary(ts, BinaryOp::kOr, flags, Value::Int(1)));
  }
  Value pair[] = {buffered, flags};
  return NewTuple(ts, pair);
}

Result<> decoder_setstate(ThreadState& ts, Args args) {
  NewlineDecoderObject* d = Self(args);
  MVM_TRY_VOID(CheckInitialised(ts, d));
  if (!IsTuple(ts, args[1])) return Raise(ts, Exc::kTypeError, "state argument must be a tuple");
  TupleObject* state = args.as<TupleObject>(1);
  if (state->size() != 2 || !IsInt(ts, (*state)[1])) {
    return Raise(ts, Exc::kTypeError, "setstate(): illegal state argument");
  }
  d->pending_cr = IntLowBits((*state)[1]) & 1;
  if (IsNone(ts, d->decoder)) return None(ts);
  MVM_TRY(Ref<> flags, Binary(ts, BinaryOp::kRshift, (*state)[1], Value::Int(1)));
  Value pair[] = {(*state)[0], flags};
  MVM_TRY(Ref<TupleObject> inner, NewTuple(ts, pair));
  return CallNamed(ts, d->decoder, "setstate", Value(inner.get()));
}

Result<> decoder_reset(ThreadState& ts, Args args) {
  NewlineDecoderObject* d = Self(args);
  MVM_TRY_VOID(CheckInitialised(ts, d));
  d->seen = 0;
  d->pending_cr = false;
  if (IsNone(ts, d->decoder)) return None(ts);
  return CallNamed(ts, d->decoder, "reset");
}

Result<> decoder_get_newlines(ThreadState& ts, Value self) {
  MVM_TRY_VOID(CheckInitialised(ts, self.as<NewlineDecoderObject>()));
  return NewlinesAttribute(ts, self.as<NewlineDecoderObject>()->seen);
}

const MethodSpec kMethods[] = {
    {"decode(self, input, final=False)", decoder_decode},
    {"getstate(self, /)", decoder_getstate},
    {"reset(self, /)", decoder_reset},
    {"setstate(self, state, /)", decoder_setstate},
};
const GetSetSpec kGetSets[] = {{"newlines", decoder_get_newlines}};

}  // namespace

const TypeSpec kNewlineDecoderType = {
    .name = "_io.IncrementalNewlineDecoder",
    .doc =
        "Turns '\\r' and '\\r\\n' into '\\n' where translate is true, and notes which it has seen.",
    .flags = kTypeBase,
    .size = sizeof(NewlineDecoderObject),
    .gc = GcHooksOf<NewlineDecoderObject>(),
    .slots = {.new_ = AllocStream},
    .init = {"IncrementalNewlineDecoder(self, decoder, translate, errors='strict')", decoder_init},
    .methods = kMethods,
    .getsets = kGetSets,
};

}  // namespace minivm::io

// make_encoder(...): a callable that turns objects into JSON text.
//
// The text grows in one StrBuilder. Dictionaries and sequences are walked over copies of their
// items, since `default` may change them; what is being encoded is known to `markers` (by address),
// which finds cycles.
#include <cmath>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/json/json_types.h"

namespace minivm::json {

namespace {

// How strings are written: by one of this module's own functions, or by a call.
enum class StringForm : uint8_t { kCall, kAscii, kUnicode };

class EncoderObject : public Object {
 public:
  Value markers;  // a dict, or None
  Value default_function, encoder, indent;
  StrObject* key_separator = nullptr;
  StrObject* item_separator = nullptr;
  bool sort_keys = false, skip_keys = false, allow_nan = true;
  StringForm form = StringForm::kCall;
  template <class V>
  void VisitRefs(V&& v) {
    v(markers);
    v(default_function);
    v(encoder);
    v(indent);
    v(key_separator);
    v(item_separator);
  }
};

constexpr const char* kDepth = " while encoding a JSON object";

class Writer {
 public:
  Writer(ThreadState& ts, EncoderObject* e)
      : ts_(ts), e_(e), out_(ts), indented_(!IsNone(ts, e->indent)) {}

  Status Write(Value o, int64_t level) {
    if (IsStr(ts_, o)) return WriteString(o);
    if (IsNone(ts_, o)) return out_.AppendAscii("null");
    if (IsTrue(ts_, o)) return out_.AppendAscii("true");
    if (IsFalse(ts_, o)) return out_.AppendAscii("false");
    if (IsInt(ts_, o)) return WriteInt(o);
    if (IsFloat(ts_, o)) return WriteFloat(o);
    RecursionGuard guard(ts_, kDepth);
    if (!guard) return kRaised;
    if (IsList(ts_, o) || IsTuple(ts_, o)) return WriteSequence(o, level);
    if (IsDict(ts_, o)) return WriteDict(o, level);
    MVM_TRY_VOID(Enter(o));
    MVM_TRY(Ref<> replacement, Call(ts_, e_->default_function, o));
    MVM_TRY_VOID(Write(replacement, level));
    return Leave(o);
  }

  Result<StrObject> Finish() { return out_.Finish(); }

 private:
  Value Mark(Value o) const {
    return Value::Int(static_cast<int64_t>(reinterpret_cast<uintptr_t>(o.object()) >> 4));
  }
  // Objects that are not pointers cannot contain themselves.
  bool Marked(Value o) const { return o.is_object() && !IsNone(ts_, e_->markers); }

  Status Enter(Value o) {
    if (!Marked(o)) return Ok();
    DictObject* markers = e_->markers.as<DictObject>();
    MVM_TRY(bool inside, DictContains(ts_, markers, Mark(o)));
    if (inside) return Raise(ts_, Exc::kValueError, "Circular reference detected");
    return DictSet(ts_, markers, Mark(o), o);
  }
  Status Leave(Value o) {
    if (!Marked(o)) return Ok();
    MVM_TRY(bool removed, DictDelete(ts_, e_->markers.as<DictObject>(), Mark(o)));
    (void)removed;
    return Ok();
  }

  Status WriteString(Value s) {
    if (e_->form != StringForm::kCall)
      return AppendLiteral(ts_, &out_, s.as<StrObject>(), e_->form == StringForm::kAscii);
    MVM_TRY(Ref<> text, Call(ts_, e_->encoder, s));
    if (!IsStr(ts_, text))
      return Raise(ts_, Exc::kTypeError, "encoder() must return a string, not %T", text.get());
    return out_.Append(text.as<StrObject>());
  }

  Status WriteInt(Value v) {
    int64_t i;
    if (v.is_int() && (i = v.as_int()) >= 0 && i < 10)
      return out_.Append(static_cast<char32_t>('0' + i));
    MVM_TRY(Ref<StrObject> text, IntToStr(ts_, v, 10, false));
    return out_.Append(text.get());
  }

  Status WriteFloat(Value v) {
    MVM_TRY(Ref<StrObject> text, FloatText(v));
    return out_.Append(text.get());
  }
  Result<StrObject> FloatText(Value v) {
    const double d = FloatValue(v);
    if (MVM_LIKELY(std::isfinite(d))) return FloatRepr(ts_, d);
    if (!e_->allow_nan) {
      return Raise(ts_, Exc::kValueError, "Out of range float values are not JSON compliant: %R",
                   v);
    }
    return NewStr(ts_, std::isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity");
  }

  Status NewLine(int64_t level) {
    if (!indented_) return Ok();
    MVM_TRY_VOID(out_.Append('\n'));
    for (int64_t i = 0; i < level; ++i) MVM_TRY_VOID(out_.Append(e_->indent.as<StrObject>()));
    return Ok();
  }

  Status WriteSequence(Value o, int64_t level) {
    Ref<ListObject> copy;
    if (IsExact(o, TypeId::kList) && o.as<ListObject>()->size == 0) return out_.AppendAscii("[]");
    MVM_TRY(copy, ListFrom(ts_, o));
    Untrack(copy);  // as all that is walked over: the collector would show it to scripts
    if (copy->size == 0) return out_.AppendAscii("[]");
    MVM_TRY_VOID(Enter(o));
    MVM_TRY_VOID(out_.Append('['));
    MVM_TRY_VOID(NewLine(level + 1));
    for (uint64_t i = 0; i < copy->size; ++i) {
      if (i > 0) {
        MVM_TRY_VOID(out_.Append(e_->item_separator));
        MVM_TRY_VOID(NewLine(level + 1));
      }
      MVM_TRY_VOID(Write(copy->items[i], level + 1));
      MVM_TRY_VOID(Charge(ts_, 2));
    }
    MVM_TRY_VOID(NewLine(level));
    MVM_TRY_VOID(out_.Append(']'));
    return Leave(o);
  }

  // Keys and values in turn.
  Result<ListObject> Items(Value o) {
    MVM_TRY(Ref<ListObject> flat, NewListReserve(ts_, 0));
    Untrack(flat);
    if (IsExactDict(o) && !e_->sort_keys) {
      DictObject* d = o.as<DictObject>();
      size_t pos = 0;
      Value key, value;
      MVM_TRY_VOID(ListGrow(ts_, flat, DictSize(d) * 2));
      while (DictNext(ts_, d, &pos, &key, &value)) {
        MVM_TRY_VOID(ListAppend(ts_, flat, key));
        MVM_TRY_VOID(ListAppend(ts_, flat, value));
      }
      return flat;
    }
    MVM_TRY(Ref<> view, CallMethod(ts_, o, MVM_NAME(ts_, items)));
    MVM_TRY(Ref<ListObject> items, ListFrom(ts_, view));
    if (e_->sort_keys) MVM_TRY_VOID(ListSort(ts_, items, Value(), false));
    for (uint64_t i = 0; i < items->size; ++i) {
      const Value item = items->items[i];
      if (!IsTuple(ts_, item) || item.as<TupleObject>()->size() != 2)
        return Raise(ts_, Exc::kValueError, "items must return 2-tuples");
      MVM_TRY_VOID(ListAppend(ts_, flat, (*item.as<TupleObject>())[0]));
      MVM_TRY_VOID(ListAppend(ts_, flat, (*item.as<TupleObject>())[1]));
    }
    return flat;
  }

  // The key as a str; Absent() if it is to be skipped.
  Result<> KeyText(Value key) {
    if (IsStr(ts_, key)) return Result<>::Borrow(key);
    if (IsFloat(ts_, key)) return FloatText(key);
    if (IsNone(ts_, key)) return NewStr(ts_, "null");
    if (IsTrue(ts_, key)) return NewStr(ts_, "true");
    if (IsFalse(ts_, key)) return NewStr(ts_, "false");
    if (IsInt(ts_, key)) return IntToStr(ts_, key, 10, false);
    if (e_->skip_keys) return Result<>::Steal(Value::Absent());
    return Raise(ts_, Exc::kTypeError, "keys must be str, int, float, bool or None, not %T", key);
  }

  Status WriteDict(Value o, int64_t level) {
    if (DictSize(o.as<DictObject>()) == 0) return out_.AppendAscii("{}");
    MVM_TRY_VOID(Enter(o));
    MVM_TRY(Ref<ListObject> items, Items(o));
    MVM_TRY_VOID(out_.Append('{'));
    bool first = true;
    for (uint64_t i = 0; i + 1 < items->size; i += 2) {
      MVM_TRY(Ref<> key, KeyText(items->items[i]));
      if (key.is_absent()) continue;
      if (!first) MVM_TRY_VOID(out_.Append(e_->item_separator));
      first = false;
      MVM_TRY_VOID(NewLine(level + 1));
      MVM_TRY_VOID(WriteString(key));
      MVM_TRY_VOID(out_.Append(e_->key_separator));
      MVM_TRY_VOID(Write(items->items[i + 1], level + 1));
      MVM_TRY_VOID(Charge(ts_, 4));
    }
    if (!first) MVM_TRY_VOID(NewLine(level));
    MVM_TRY_VOID(out_.Append('}'));
    return Leave(o);
  }

  ThreadState& ts_;
  EncoderObject* e_;
  StrBuilder out_;
  bool indented_;
};

StringForm FormOf(Value encoder) {
  if (!IsExact(encoder, TypeId::kNativeFunction)) return StringForm::kCall;
  const NativeFn fn = encoder.as<NativeFunctionObject>()->fn;
  return fn == json_encode_ascii     ? StringForm::kAscii
         : fn == json_encode_unicode ? StringForm::kUnicode
                                     : StringForm::kCall;
}

Result<> encoder_new(ThreadState& ts, Args args) {
  if (!IsNone(ts, args[1]) && !IsDict(ts, args[1])) {
    return Raise(ts, Exc::kTypeError, "make_encoder() argument 1 must be dict or None, not %T",
                 args[1]);
  }
  for (uint32_t i : {5u, 6u}) {
    if (!IsStr(ts, args[i])) {
      return Raise(ts, Exc::kTypeError, "make_encoder() argument %d must be str, not %T",
                   static_cast<int>(i), args[i]);
    }
  }
  bool flags[3];
  for (uint32_t i = 0; i < 3; ++i) {
    MVM_TRY(flags[i], Truth(ts, args[7 + i]));
  }
  Ref<> indent = Ref<>::Borrow(args[4]);
  if (IsInt(ts, indent)) {
    MVM_TRY(int64_t spaces, AsInt64(ts, indent));
    StrBuilder text(ts);
    MVM_TRY_VOID(text.AppendRepeated(' ', spaces > 0 ? static_cast<size_t>(spaces) : 0));
    MVM_TRY(indent, text.Finish());
  } else if (!IsNone(ts, indent) && !IsStr(ts, indent)) {
    return Raise(ts, Exc::kTypeError, "make_encoder() argument 4 must be str or None, not %T",
                 args[4]);
  }
  MVM_TRY(Ref<> made, AllocInstance(ts, args.as<TypeObject>(0)));
  EncoderObject* e = made.as<EncoderObject>();
  e->markers = Ref<>::Borrow(args[1]).Release();
  e->default_function = Ref<>::Borrow(args[2]).Release();
  e->encoder = Ref<>::Borrow(args[3]).Release();
  e->indent = indent.Release();
  e->key_separator = Ref<StrObject>::Borrow(args.as<StrObject>(5)).Release();
  e->item_separator = Ref<StrObject>::Borrow(args.as<StrObject>(6)).Release();
  e->sort_keys = flags[0];
  e->skip_keys = flags[1];
  e->allow_nan = flags[2];
  e->form = FormOf(args[3]);
  return made;
}

const MethodSpec kCallSpec = {"_iterencode(obj, _current_indent_level)", nullptr};

Result<> encoder_call(ThreadState& ts, Value self, Args raw) {
  Value bound[2];
  Ref<> owned[2];
  MVM_TRY(const Signature* sig, SignatureOf(ts, kCallSpec));
  MVM_TRY_VOID(BindNative(ts, *sig, raw, bound, owned));
  MVM_TRY(int64_t level, AsInt64(ts, bound[1]));
  const Ref<EncoderObject> hold = Ref<EncoderObject>::Borrow(self.as<EncoderObject>());
  Writer writer(ts, hold);
  MVM_TRY_VOID(writer.Write(bound[0], level));
  MVM_TRY(Ref<StrObject> text, writer.Finish());
  Value one[] = {Value(text.get())};
  return NewTuple(ts, one);
}

template <Value EncoderObject::*kField>
Result<> encoder_get(ThreadState&, Value self) {
  return Result<>::Borrow(self.as<EncoderObject>()->*kField);
}
template <StrObject* EncoderObject::*kField>
Result<> encoder_text(ThreadState&, Value self) {
  return Result<>::Borrow(Value(self.as<EncoderObject>()->*kField));
}
template <bool EncoderObject::*kField>
Result<> encoder_flag(ThreadState& ts, Value self) {
  return Bool(ts, self.as<EncoderObject>()->*kField);
}

const GetSetSpec kGetSets[] = {
    {"markers", encoder_get<&EncoderObject::markers>, nullptr, "markers"},
    {"default", encoder_get<&EncoderObject::default_function>, nullptr, "default"},
    {"encoder", encoder_get<&EncoderObject::encoder>, nullptr, "encoder"},
    {"indent", encoder_get<&EncoderObject::indent>, nullptr, "indent"},
    {"key_separator", encoder_text<&EncoderObject::key_separator>, nullptr, "key_separator"},
    {"item_separator", encoder_text<&EncoderObject::item_separator>, nullptr, "item_separator"},
    {"sort_keys", encoder_flag<&EncoderObject::sort_keys>, nullptr, "sort_keys"},
    {"skipkeys", encoder_flag<&EncoderObject::skip_keys>, nullptr, "skipkeys"},
};

}  // namespace

const TypeSpec kEncoderType = {
    .name = "_json.Encoder",
    .doc = "Writes the text of an object, as an encoder's settings have it.",
    .flags = kTypeBase,
    .size = sizeof(EncoderObject),
    .gc = GcHooksOf<EncoderObject>(),
    .slots = {.call = encoder_call},
    .construct = {"make_encoder(markers, default, encoder, indent, key_separator, item_separator, "
                  "sort_keys, skipkeys, allow_nan)",
                  encoder_new},
    .getsets = kGetSets,
};

}  // namespace minivm::json

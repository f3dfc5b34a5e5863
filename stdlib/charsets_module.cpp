// _charsets: the multibyte codecs, as one native type that converts whole inputs or pieces of them.
//
// The loops of decoding and encoding are here, with what happens at errors; the encodings
// themselves are in multibyte/. The classes for pieces and streams are scripts on top
// (_multibytecodec).
#include "runtime/objects/codec.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_methods.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/text_buffer.h"
#include "runtime/support/utf8.h"
#include "stdlib/multibyte/codec.h"

namespace minivm {

extern const TypeSpec kMultibyteCodecType;

namespace {

constexpr const char* kIllegal = "illegal multibyte sequence";
constexpr const char* kIncomplete = "incomplete multibyte sequence";
constexpr size_t kChargeEvery = 4096;  // units

class CodecObject : public Object {
 public:
  const MultibyteSpec* spec;
  Value tables[kMaxCodecSets];  // bytes that back the sets, or null
  template <class V>
  void VisitRefs(V&& v) {
    for (Value& table : tables) v(table);
  }

  MultibyteCodec View() const {
    MultibyteCodec view{spec, {}};
    for (size_t i = 0; i < kMaxCodecSets; ++i) {
      if (tables[i]) view.sets[i] = Charset(spec->sets[i], tables[i].as<BytesObject>());
    }
    return view;
  }
};

Result<> charsets_getcodec(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[0])) {
    return Raise(ts, Exc::kTypeError, "encoding name must be a string.");
  }
  const MultibyteSpec* spec = FindMultibyteCodec(ToUtf8(args.as<StrObject>(0)));
  if (!spec) return Raise(ts, Exc::kLookupError, "no such codec is supported.");
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kMultibyteCodecType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  CodecObject* codec = made.as<CodecObject>();
  codec->spec = spec;
  for (size_t i = 0; i < kMaxCodecSets; ++i) {
    if (spec->sets[i] == CharsetId::kNone) continue;
    MVM_TRY(Ref<BytesObject> table, MakeCharset(ts, spec->sets[i]));
    codec->tables[i] = Value(table.Release());
  }
  return made;
}

// ---- arguments ----

Status ErrorsArgument(ThreadState& ts, Value v, const char* function, std::string* out) {
  *out = "strict";
  if (v.is_absent() || IsNone(ts, v)) return Ok();
  if (!IsStr(ts, v)) return RaiseBadArgument(ts, function, "argument 'errors'", "str or None", v);
  *out = ToUtf8(v.as<StrObject>());
  if (out->find('\0') != std::string::npos) {
    return Raise(ts, Exc::kValueError, "embedded null character");
  }
  return Ok();
}

// The state of a codec that goes on later: the first item of a list, written back whatever happens.
class StateCell {
 public:
  ~StateCell() { Store(); }

  Status Get(ThreadState& ts, Value v) {
    if (!IsExact(v, TypeId::kList)) return RaiseBadArgument(ts, "codec", "state", "list", v);
    list_ = Ref<ListObject>::Borrow(v.as<ListObject>());
    if (list_->size == 0 || !IsInt(ts, list_->items[0]) ||
        !IntFitsUint64(list_->items[0], &state)) {
      list_ = Ref<ListObject>();
      return Raise(ts, Exc::kOverflowError, "int too big to convert");
    }
    ts_ = &ts;
    return Ok();
  }

  CodecState state = 0;

 private:
  void Store() {
    if (!list_ || list_->size == 0) return;
    // No state has so many bits that the number would be an object, unless a script made it up:
    // that one stays as it is.
    if (state >> 60 != 0) return;
    Ref<> old = Ref<>::Steal(list_->items[0]);
    list_->items[0] = Value::Int(static_cast<int64_t>(state));
  }

  ThreadState* ts_ = nullptr;
  Ref<ListObject> list_;
};

// ---- decoding ----

// Appends what in.bytes decode to; without in.final stops before an incomplete unit at the end.
Status DecodeUnits(ThreadState& ts, const MultibyteCodec& codec, CodecState* state, DecodeInput& in,
                   StrBuilder* out) {
  const MultibyteSpec& spec = *codec.spec;
  const std::string_view bytes = in.bytes;
  const uint8_t* const p = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t at = 0;
  for (size_t units = 1; at < bytes.size(); ++units) {
    if (units % kChargeEvery == 0) MVM_TRY_VOID(Charge(ts, kChargeEvery));
    if (p[at] < 0x80 && spec.plain_ascii) {
      const size_t run = AsciiPrefix(bytes.data() + at, bytes.size() - at);
      MVM_TRY_VOID(out->AppendAscii(bytes.substr(at, run)));
      at += run;
      continue;
    }
    Cell cell = kNoCell;
    const int used = spec.decode(codec, state, p + at, bytes.size() - at, &cell);
    if (MVM_LIKELY(used > 0)) {
      at += static_cast<size_t>(used);
      if (cell == kNoCell) continue;
      if (MVM_LIKELY(!IsPairCell(cell))) {
        MVM_TRY_VOID(out->Append(cell));
      } else {
        MVM_TRY_VOID(out->Append(PairFirst(cell)));
        MVM_TRY_VOID(out->Append(PairSecond(cell)));
      }
      continue;
    }
    if (used == 0 && !in.final) break;
    const size_t end = used == 0 ? bytes.size() : at + static_cast<size_t>(-used);
    // A handler that puts another object into the exception changes nothing here.
    DecodeInput shown = in;
    Ref<> keep;
    MVM_TRY(at, HandleDecodeError(ts, shown, spec.name.data(), at, end,
                                  used == 0 ? kIncomplete : kIllegal, out, &keep));
    if (at > bytes.size()) {
      return Raise(ts, Exc::kIndexError, "position %zu from error handler out of bounds", at);
    }
  }
  in.consumed = at;
  return Ok();
}

// (text, used)
Result<> Decoded(ThreadState& ts, CodecObject* self, CodecState* state, Value input,
                 std::string_view errors, bool final) {
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, input));
  DecodeInput in;
  in.bytes = data.view();
  in.source = input;
  in.errors = errors;
  in.final = final;
  StrBuilder out(ts);
  MVM_TRY_VOID(DecodeUnits(ts, self->View(), state, in, &out));
  MVM_TRY(Ref<StrObject> text, out.Finish());
  Value items[] = {text, Value::Int(static_cast<int64_t>(in.consumed))};
  return NewTuple(ts, items);
}

Result<> codec_decode(ThreadState& ts, Args args) {
  std::string errors;
  MVM_TRY_VOID(ErrorsArgument(ts, args.get(2, Value::Absent()), "decode", &errors));
  CodecObject* self = args.self<CodecObject>();
  CodecState state = self->spec->decode_start;
  return Decoded(ts, self, &state, args[1], errors, true);
}

Result<> codec_decode_piece(ThreadState& ts, Args args) {
  std::string errors;
  MVM_TRY_VOID(ErrorsArgument(ts, args[2], "decode", &errors));
  StateCell cell;
  MVM_TRY_VOID(cell.Get(ts, args[3]));
  MVM_TRY(bool final, Truth(ts, args[4]));
  return Decoded(ts, args.self<CodecObject>(), &cell.state, args[1], errors, final);
}

// ---- encoding ----

struct EncodeJob {
  const MultibyteCodec& codec;
  CodecState* state;
  std::string_view errors;
  TextBuffer out{Heap::kMaxAllocation};
};

// Encodes from s[i] on as far as it goes without an error, an incomplete unit at the end or having
// done much; returns where it stopped, with what the encoding said last in *used.
size_t EncodeRun(EncodeJob* job, const StrObject* s, size_t i, bool final, int* used) {
  const MultibyteSpec& spec = *job->codec.spec;
  return WithChars(s, [&](const auto* p) {
    const size_t length = s->length;
    const size_t stop = length - i < kChargeEvery ? length : i + kChargeEvery;
    size_t k = i;
    while (k < stop) {
      const char32_t c = static_cast<char32_t>(p[k]);
      if (c < 0x80 && spec.plain_ascii) {
        job->out.Append(static_cast<char>(c));
        ++k;
        continue;
      }
      const char32_t next = k + 1 < length ? static_cast<char32_t>(p[k + 1])
                            : final        ? kNothingMore
                                           : kMoreToCome;
      uint8_t bytes[kMaxUnitBytes];
      size_t size = 0;
      *used = spec.encode(job->codec, job->state, c, next, bytes, &size);
      if (*used <= 0) break;
      job->out.Append({reinterpret_cast<const char*>(bytes), size});
      k += static_cast<size_t>(*used);
    }
    return k;
  });
}

Status EncodeUnits(ThreadState& ts, EncodeJob* job, StrObject* s, bool final, size_t* consumed) {
  const char* name = job->codec.spec->name.data();
  size_t i = 0;
  while (i < s->length) {
    int used = 1;
    i = EncodeRun(job, s, i, final, &used);
    if (job->out.failed()) return RaiseMemoryError(ts);
    MVM_TRY_VOID(Charge(ts, kChargeEvery));
    if (used > 0) continue;
    if (used == 0) break;
    EncodeReplacement replacement;
    MVM_TRY_VOID(HandleEncodeError(ts, s, job->errors, name, i, i + 1, kIllegal, &replacement));
    if (IsBytes(ts, replacement.text)) {
      job->out.Append(replacement.text.as<BytesObject>()->view());
    } else {
      const std::string_view errors = std::exchange(job->errors, "strict");
      size_t unused;
      MVM_TRY_VOID(EncodeUnits(ts, job, replacement.text.as<StrObject>(), true, &unused));
      job->errors = errors;
    }
    i = replacement.next;
  }
  *consumed = i;
  return Ok();
}

// (bytes, used)
Result<> Encoded(ThreadState& ts, CodecObject* self, CodecState* state, StrObject* s,
                 std::string_view errors, bool final) {
  MVM_TRY_VOID(CheckRoom(ts, s->length * 2));
  const MultibyteCodec codec = self->View();
  EncodeJob job{codec, state, errors};
  size_t used;
  MVM_TRY_VOID(EncodeUnits(ts, &job, s, final, &used));
  if (final && self->spec->finish) {
    uint8_t bytes[kMaxUnitBytes];
    size_t size = 0;
    self->spec->finish(state, bytes, &size);
    job.out.Append({reinterpret_cast<const char*>(bytes), size});
  }
  if (job.out.failed()) return RaiseMemoryError(ts);
  MVM_TRY(Ref<BytesObject> bytes, NewBytes(ts, job.out.view()));
  Value items[] = {bytes, Value::Int(static_cast<int64_t>(used))};
  return NewTuple(ts, items);
}

Result<> codec_encode(ThreadState& ts, Args args) {
  std::string errors;
  MVM_TRY_VOID(ErrorsArgument(ts, args.get(2, Value::Absent()), "encode", &errors));
  MVM_TRY(Ref<StrObject> text, ToStr(ts, args[1]));
  CodecObject* self = args.self<CodecObject>();
  CodecState state = self->spec->encode_start;
  return Encoded(ts, self, &state, text, errors, true);
}

Result<> codec_encode_piece(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1])) return RaiseBadArgument(ts, "encode", "argument 1", "str", args[1]);
  std::string errors;
  MVM_TRY_VOID(ErrorsArgument(ts, args[2], "encode", &errors));
  StateCell cell;
  MVM_TRY_VOID(cell.Get(ts, args[3]));
  MVM_TRY(bool final, Truth(ts, args[4]));
  return Encoded(ts, args.self<CodecObject>(), &cell.state, args.as<StrObject>(1), errors, final);
}

Result<> codec_name(ThreadState& ts, Value self) {
  return NewStr(ts, self.as<CodecObject>()->spec->name);
}
Result<> codec_start(ThreadState& ts, Value self) {
  const MultibyteSpec* spec = self.as<CodecObject>()->spec;
  Value items[] = {Value::Int(static_cast<int64_t>(spec->decode_start)),
                   Value::Int(static_cast<int64_t>(spec->encode_start))};
  return NewTuple(ts, items);
}

const MethodSpec kMethods[] = {
    {"_decode(self, input, errors, state, final, /)", codec_decode_piece,
     "Decode one piece: (text, how many bytes were used). state: a list with the state, which is "
     "updated."},
    {"_encode(self, input, errors, state, final, /)", codec_encode_piece,
     "Encode one piece: (bytes, how many characters were used). state: as for _decode."},
    {"decode(self, /, input, errors=None)", codec_decode,
     "Decode all of a bytes-like object: (text, length of the input)."},
    {"encode(self, /, input, errors=None)", codec_encode,
     "Encode all of a text: (bytes, length of the text)."},
};
const GetSetSpec kFields[] = {
    {"_name", codec_name, nullptr, "The name of the encoding."},
    {"_start", codec_start, nullptr, "The states of a decoder and an encoder at the beginning."},
};
const MethodSpec kFunctions[] = {
    {"getcodec(name, /)", charsets_getcodec,
     "The multibyte codec of that name; LookupError if there is none."},
};

}  // namespace

const TypeSpec kMultibyteCodecType = {
    .name = "_multibytecodec.MultibyteCodec",
    .flags = kTypeNoNew | kTypeImmutable,
    .size = sizeof(CodecObject),
    .gc = GcHooksOf<CodecObject>(),
    .methods = kMethods,
    .getsets = kFields,
};

extern const ModuleSpec k__charsets_module;
const ModuleSpec k__charsets_module = {.name = "_charsets", .functions = kFunctions};

}  // namespace minivm

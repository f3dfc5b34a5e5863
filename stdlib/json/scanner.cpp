// make_scanner(context): a callable that reads one JSON value at an index of a str.
//
// A recursive descent over the characters in their own width. What the context leaves at its
// default (object hooks None, parse_int int, parse_float float) is done without calls. Keys are
// shared within one call, by a small table of those met before. Ends in StopIteration(index) where
// no value starts, as the interface with json.decoder wants it.
#include <cstring>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/float_format.h"
#include "stdlib/json/json_types.h"

namespace minivm::json {

namespace {

class ScannerObject : public Object {
 public:
  Value object_hook, object_pairs_hook, parse_float, parse_int, parse_constant;
  uint64_t strict = 1;  // bool
  template <class V>
  void VisitRefs(V&& v) {
    v(object_hook);
    v(object_pairs_hook);
    v(parse_float);
    v(parse_int);
    v(parse_constant);
  }
};

constexpr size_t kMemoKeys = 256;
constexpr size_t kMemoLength = 40;  // longer keys are not remembered

template <class Char>
class Reader {
 public:
  Reader(ThreadState& ts, ScannerObject* scanner, StrObject* s, const Char* p)
      : ts_(ts), scanner_(scanner), s_(s), p_(p), n_(s->length) {
    hook_ = !IsNone(ts, scanner->object_hook);
    pairs_hook_ = !IsNone(ts, scanner->object_pairs_hook);
    plain_int_ = scanner->parse_int.is(Value(TypeById(ts, TypeId::kInt)));
    plain_float_ = scanner->parse_float.is(Value(TypeById(ts, TypeId::kFloat)));
  }

  // The value at *at, which moves behind it.
  Result<> ReadValue(size_t* at) {
    const size_t i = *at;
    if (i >= n_) return RaiseStop(i);
    switch (p_[i]) {
      case '"': {
        *at = i + 1;
        return ScanString(ts_, s_, at, scanner_->strict);
      }
      case '{': {
        RecursionGuard guard(ts_, " while decoding a JSON object from a unicode string");
        if (!guard) return kRaised;
        *at = i + 1;
        return ReadObject(at);
      }
      case '[': {
        RecursionGuard guard(ts_, " while decoding a JSON array from a unicode string");
        if (!guard) return kRaised;
        *at = i + 1;
        return ReadArray(at);
      }
      case 'n':
        if (Follows(i, "null")) {
          *at = i + 4;
          return None(ts_);
        }
        break;
      case 't':
        if (Follows(i, "true")) {
          *at = i + 4;
          return Bool(ts_, true);
        }
        break;
      case 'f':
        if (Follows(i, "false")) {
          *at = i + 5;
          return Bool(ts_, false);
        }
        break;
      case 'N':
        if (Follows(i, "NaN")) return Constant("NaN", at);
        break;
      case 'I':
        if (Follows(i, "Infinity")) return Constant("Infinity", at);
        break;
      case '-':
        if (Follows(i, "-Infinity")) return Constant("-Infinity", at);
        break;
      default: break;
    }
    return ReadNumber(at);
  }

 private:
  [[gnu::cold]] Raised RaiseStop(size_t at) {
    return RaiseValue(ts_, Exc::kStopIteration, Value::Int(static_cast<int64_t>(at)));
  }

  bool Follows(size_t at, std::string_view word) const {
    if (n_ - at < word.size()) return false;
    for (size_t i = 0; i < word.size(); ++i) {
      if (p_[at + i] != static_cast<unsigned char>(word[i])) return false;
    }
    return true;
  }

  size_t SkipSpace(size_t at) const {
    while (at < n_ && (p_[at] == ' ' || p_[at] == '\n' || p_[at] == '\t' || p_[at] == '\r')) ++at;
    return at;
  }
  bool Is(size_t at, char c) const { return at < n_ && p_[at] == static_cast<unsigned char>(c); }

  Result<> Constant(std::string_view name, size_t* at) {
    *at += name.size();
    MVM_TRY(Ref<StrObject> text, NewStr(ts_, name));
    return Call(ts_, scanner_->parse_constant, Value(text.get()));
  }

  static bool IsDigit(Char c) { return c >= '0' && c <= '9'; }

  Result<> ReadNumber(size_t* at) {
    const size_t start = *at;
    size_t i = start;
    if (p_[i] == '-') ++i;
    if (i >= n_ || !IsDigit(p_[i])) return RaiseStop(start);
    uint64_t value = 0;
    const size_t first = i;
    if (p_[i] == '0') {
      ++i;
    } else {
      for (; i < n_ && IsDigit(p_[i]); ++i) {
        if (i - first < 18) value = value * 10 + (p_[i] - '0');
      }
    }
    const size_t int_end = i;
    bool is_float = false;
    if (i + 1 < n_ && p_[i] == '.' && IsDigit(p_[i + 1])) {
      is_float = true;
      for (i += 2; i < n_ && IsDigit(p_[i]);) ++i;
    }
    if (i + 1 < n_ && (p_[i] == 'e' || p_[i] == 'E')) {
      size_t e = i + 1;
      if (e + 1 < n_ && (p_[e] == '-' || p_[e] == '+')) ++e;
      if (IsDigit(p_[e])) {
        is_float = true;
        for (i = e; i < n_ && IsDigit(p_[i]);) ++i;
      }
    }
    *at = i;
    if (!is_float && plain_int_ && int_end - first <= 18) {
      const int64_t signed_value = static_cast<int64_t>(value);
      return NewInt(ts_, p_[start] == '-' ? -signed_value : signed_value);
    }
    return ConvertNumber(start, i, is_float);
  }

  Result<> ConvertNumber(size_t start, size_t end, bool is_float) {
    const size_t length = end - start;
    char small[64];
    Ref<StrObject> text;
    std::string_view ascii;
    if (length <= sizeof small) {
      for (size_t i = 0; i < length; ++i) small[i] = static_cast<char>(p_[start + i]);
      ascii = {small, length};
    } else {
      MVM_TRY(text, StrSlice(ts_, s_, start, end));
      ascii = text->ascii_view();
    }
    if (is_float && plain_float_) {
      double d = 0;
      ParseDecimalPrefix(ascii, &d);
      return NewFloat(ts_, d);
    }
    // int() knows the limit of digits, which is never below 640.
    if (!is_float && plain_int_ && length <= 640) return IntFromText(ts_, ascii, 10);
    if (!text) {
      MVM_TRY(text, NewStr(ts_, ascii));
    }
    return Call(ts_, is_float ? scanner_->parse_float : scanner_->parse_int, Value(text.get()));
  }

  Result<> ReadArray(size_t* at) {
    MVM_TRY(Ref<ListObject> list, NewListReserve(ts_, 0));
    size_t i = SkipSpace(*at);
    if (Is(i, ']')) {
      *at = i + 1;
      return list;
    }
    for (;;) {
      MVM_TRY(Ref<> item, ReadValue(&i));
      MVM_TRY_VOID(ListAppend(ts_, list, item));
      MVM_TRY_VOID(Charge(ts_, 2));
      i = SkipSpace(i);
      if (Is(i, ']')) break;
      if (!Is(i, ',')) return RaiseDecodeError(ts_, "Expecting ',' delimiter", s_, i);
      const size_t comma = i;
      i = SkipSpace(i + 1);
      if (Is(i, ']'))
        return RaiseDecodeError(ts_, "Illegal trailing comma before end of array", s_, comma);
    }
    *at = i + 1;
    return list;
  }

  // The key whose contents start at *at.
  Result<StrObject> ReadKey(size_t* at) {
    const size_t start = *at;
    uint32_t hash = 2166136261u;
    size_t i = start;
    for (; i < n_ && i - start <= kMemoLength && p_[i] != '"'; ++i) {
      if (p_[i] == '\\' || p_[i] < 0x20) return ScanString(ts_, s_, at, scanner_->strict);
      hash = (hash ^ static_cast<uint32_t>(p_[i])) * 16777619u;
    }
    if (i >= n_ || i - start > kMemoLength) return ScanString(ts_, s_, at, scanner_->strict);
    Ref<StrObject>& known = memo_[(hash ^ (hash >> 15)) % kMemoKeys];
    const size_t length = i - start;
    if (known && known->length == length && Matches(known, start)) {
      *at = i + 1;
      return Ref<StrObject>(known);
    }
    MVM_TRY(Ref<StrObject> key, ScanString(ts_, s_, at, scanner_->strict));
    known = key;
    return key;
  }
  bool Matches(const StrObject* key, size_t start) const {
    if (key->kind() == sizeof(Char))
      return std::memcmp(key->data1(), p_ + start, key->length * sizeof(Char)) == 0;
    for (size_t i = 0; i < key->length; ++i) {
      if (key->At(i) != p_[start + i]) return false;
    }
    return true;
  }

  Result<> ReadObject(size_t* at) {
    Ref<DictObject> dict;
    Ref<ListObject> pairs;
    if (pairs_hook_) {
      MVM_TRY(pairs, NewListReserve(ts_, 0));
    } else {
      MVM_TRY(dict, NewDict(ts_));
    }
    size_t i = SkipSpace(*at);
    while (!Is(i, '}')) {
      if (!Is(i, '"')) {
        return RaiseDecodeError(ts_, "Expecting property name enclosed in double quotes", s_, i);
      }
      ++i;
      MVM_TRY(Ref<StrObject> key, ReadKey(&i));
      i = SkipSpace(i);
      if (!Is(i, ':')) return RaiseDecodeError(ts_, "Expecting ':' delimiter", s_, i);
      i = SkipSpace(i + 1);
      MVM_TRY(Ref<> value, ReadValue(&i));
      if (pairs_hook_) {
        Value pair[] = {Value(key.get()), value};
        MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts_, pair));
        MVM_TRY_VOID(ListAppend(ts_, pairs, Value(tuple.get())));
      } else {
        MVM_TRY_VOID(DictSetStr(ts_, dict, key, value));
      }
      MVM_TRY_VOID(Charge(ts_, 4));
      i = SkipSpace(i);
      if (Is(i, '}')) break;
      if (!Is(i, ',')) return RaiseDecodeError(ts_, "Expecting ',' delimiter", s_, i);
      const size_t comma = i;
      i = SkipSpace(i + 1);
      if (Is(i, '}'))
        return RaiseDecodeError(ts_, "Illegal trailing comma before end of object", s_, comma);
    }
    *at = i + 1;
    if (pairs_hook_) return Call(ts_, scanner_->object_pairs_hook, Value(pairs.get()));
    if (hook_) return Call(ts_, scanner_->object_hook, Value(dict.get()));
    return dict;
  }

  ThreadState& ts_;
  ScannerObject* scanner_;
  StrObject* s_;
  const Char* p_;
  size_t n_;
  bool hook_, pairs_hook_, plain_int_, plain_float_;
  Ref<StrObject> memo_[kMemoKeys];
};

Result<> scanner_new(ThreadState& ts, Args args) {
  const Value context = args[1];
  MVM_TRY(Ref<> strict, GetAttr(ts, context, std::string_view("strict")));
  MVM_TRY(bool is_strict, Truth(ts, strict));
  MVM_TRY(Ref<> made, AllocInstance(ts, args.as<TypeObject>(0)));
  ScannerObject* s = made.as<ScannerObject>();
  s->strict = is_strict;
  const std::pair<const char*, Value*> fields[] = {{"object_hook", &s->object_hook},
                                                   {"object_pairs_hook", &s->object_pairs_hook},
                                                   {"parse_float", &s->parse_float},
                                                   {"parse_int", &s->parse_int},
                                                   {"parse_constant", &s->parse_constant}};
  for (const auto& [name, field] : fields) {
    MVM_TRY(Ref<> value, GetAttr(ts, context, std::string_view(name)));
    *field = value.Release();
  }
  return made;
}

const MethodSpec kCallSpec = {"scan_once(string, idx)", nullptr};

Result<> scanner_call(ThreadState& ts, Value self, Args raw) {
  Value bound[2];
  Ref<> owned[2];
  if (MVM_LIKELY(raw.n == 2 && raw.nkw == 0)) {
    bound[0] = raw[0];
    bound[1] = raw[1];
  } else {
    MVM_TRY(const Signature* sig, SignatureOf(ts, kCallSpec));
    MVM_TRY_VOID(BindNative(ts, *sig, raw, bound, owned));
  }
  if (!IsStr(ts, bound[0]))
    return Raise(ts, Exc::kTypeError, "first argument must be a string, not %T", bound[0]);
  MVM_TRY(int64_t index, AsInt64(ts, bound[1]));
  if (index < 0) return Raise(ts, Exc::kValueError, "idx cannot be negative");
  const Ref<ScannerObject> hold = Ref<ScannerObject>::Borrow(self.as<ScannerObject>());
  StrObject* s = bound[0].as<StrObject>();
  size_t at = static_cast<size_t>(index);
  MVM_TRY(Ref<> value, WithChars(s, [&](const auto* p) -> Result<> {
            Reader reader(ts, hold, s, p);
            return reader.ReadValue(&at);
          }));
  Value pair[] = {value, Value::Int(static_cast<int64_t>(at))};
  return NewTuple(ts, pair);
}

template <Value ScannerObject::*kField>
Result<> scanner_get(ThreadState& ts, Value self) {
  return Result<>::Borrow(self.as<ScannerObject>()->*kField);
}
Result<> scanner_strict(ThreadState& ts, Value self) {
  return Bool(ts, self.as<ScannerObject>()->strict != 0);
}

const GetSetSpec kGetSets[] = {
    {"strict", scanner_strict, nullptr, "strict"},
    {"object_hook", scanner_get<&ScannerObject::object_hook>, nullptr, "object_hook"},
    {"object_pairs_hook", scanner_get<&ScannerObject::object_pairs_hook>, nullptr,
     "object_pairs_hook"},
    {"parse_float", scanner_get<&ScannerObject::parse_float>, nullptr, "parse_float"},
    {"parse_int", scanner_get<&ScannerObject::parse_int>, nullptr, "parse_int"},
    {"parse_constant", scanner_get<&ScannerObject::parse_constant>, nullptr, "parse_constant"},
};

}  // namespace

const TypeSpec kScannerType = {
    .name = "_json.Scanner",
    .doc = "Reads the value at an index of a text, as a decoder has it.",
    .flags = kTypeBase,
    .size = sizeof(ScannerObject),
    .gc = GcHooksOf<ScannerObject>(),
    .slots = {.call = scanner_call},
    .construct = {"make_scanner(context)", scanner_new},
    .getsets = kGetSets,
};

}  // namespace minivm::json

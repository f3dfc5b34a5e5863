// Module unicodedata: the tables of runtime/support/unicode as a script sees them.
//
// ucd_3_2_0, the old database of IDNA 2003, is not there: docs/differences.md.
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/unicode.h"

namespace minivm {

namespace {

// The one character of a str argument; `place` is how messages name the argument.
Result<char32_t> Character(ThreadState& ts, Value v, const char* function, const char* place) {
  if (IsStr(ts, v) && v.as<StrObject>()->length == 1) return v.as<StrObject>()->At(0);
  return Raise(ts, Exc::kTypeError, "%s() %s must be a unicode character, not %T", function, place,
               v);
}

Result<> ucd_bidirectional(ThreadState& ts, Args args) {
  MVM_TRY(char32_t c, Character(ts, args[0], "bidirectional", "argument"));
  return NewStr(ts, BidirectionalClass(c));
}
Result<> ucd_category(ThreadState& ts, Args args) {
  MVM_TRY(char32_t c, Character(ts, args[0], "category", "argument"));
  return NewStr(ts, CategoryName(CategoryOf(c)));
}
Result<> ucd_combining(ThreadState& ts, Args args) {
  MVM_TRY(char32_t c, Character(ts, args[0], "combining", "argument"));
  return Small(CombiningClass(c));
}
Result<> ucd_east_asian_width(ThreadState& ts, Args args) {
  MVM_TRY(char32_t c, Character(ts, args[0], "east_asian_width", "argument"));
  return NewStr(ts, EastAsianWidth(c));
}
Result<> ucd_mirrored(ThreadState& ts, Args args) {
  MVM_TRY(char32_t c, Character(ts, args[0], "mirrored", "argument"));
  return Small(IsMirrored(c));
}
Result<> ucd_decomposition(ThreadState& ts, Args args) {
  MVM_TRY(char32_t c, Character(ts, args[0], "decomposition", "argument"));
  char text[kDecompositionSize];
  return NewStr(ts, {text, DecompositionText(c, text)});
}

// The default, or ValueError.
Result<> Missing(ThreadState& ts, Args args, const char* message) {
  if (args.has(1)) return Result<>::Borrow(args[1]);
  return Raise(ts, Exc::kValueError, "%s", message);
}
Result<> ucd_decimal(ThreadState& ts, Args args) {
  MVM_TRY(char32_t c, Character(ts, args[0], "decimal", "argument 1"));
  const int value = DecimalValue(c);
  return value < 0 ? Missing(ts, args, "not a decimal") : Small(value);
}
Result<> ucd_digit(ThreadState& ts, Args args) {
  MVM_TRY(char32_t c, Character(ts, args[0], "digit", "argument 1"));
  const int value = DigitValue(c);
  return value < 0 ? Missing(ts, args, "not a digit") : Small(value);
}
Result<> ucd_numeric(ThreadState& ts, Args args) {
  MVM_TRY(char32_t c, Character(ts, args[0], "numeric", "argument 1"));
  double value;
  return NumericValue(c, &value) ? NewFloat(ts, value)
                                 : Missing(ts, args, "not a numeric character");
}
Result<> ucd_name(ThreadState& ts, Args args) {
  MVM_TRY(char32_t c, Character(ts, args[0], "name", "argument 1"));
  char text[kCharacterNameSize];
  const size_t n = CharacterName(c, text);
  return n == 0 ? Missing(ts, args, "no such name") : Result<>(NewStr(ts, {text, n}));
}

Result<> ucd_lookup(ThreadState& ts, Args args) {
  std::string name;
  if (IsStr(ts, args[0])) {
    name = ToUtf8(args.as<StrObject>(0));
  } else if (IsBytes(ts, args[0])) {
    for (unsigned char c : args.as<BytesObject>(0)->view()) {
      if (c < 0x80)
        name += static_cast<char>(c);
      else
        name += "\xef\xbf\xbd";
    }
  } else {
    return Raise(ts, Exc::kTypeError, "a bytes-like object is required, not '%T'", args[0]);
  }
  if (name.size() > kCharacterNameSize) {
    MVM_TRY(Ref<StrObject> message, NewStr(ts, "name too long"));
    return RaiseValue(ts, Exc::kKeyError, Value(message.get()));
  }
  char32_t sequence[kMaxNamedSequence];
  unsigned n = SequenceFromName(name, sequence);
  if (n == 0 && CharacterFromName(name, sequence)) n = 1;
  if (n == 0) {
    MVM_TRY(Ref<StrObject> shown, NewStr(ts, name));
    MVM_TRY(Ref<StrObject> message, Format(ts, "undefined character name '%U'", shown.get()));
    return RaiseValue(ts, Exc::kKeyError, Value(message.get()));
  }
  StrBuilder out(ts);
  for (unsigned i = 0; i < n; ++i) MVM_TRY_VOID(out.Append(sequence[i]));
  return out.Finish();
}

// ---- normalisation ----

Status Arguments(ThreadState& ts, Args args, const char* function, NormalForm* form) {
  for (uint32_t i : {0u, 1u}) {
    if (!IsStr(ts, args[i])) {
      return Raise(ts, Exc::kTypeError, "%s() argument %d must be str, not %T", function,
                   static_cast<int>(i + 1), args[i]);
    }
  }
  static constexpr const char* kForms[] = {"NFC", "NFD", "NFKC", "NFKD"};
  for (int i = 0; i < 4; ++i) {
    if (!args.as<StrObject>(0)->EqualsAscii(kForms[i])) continue;
    *form = static_cast<NormalForm>(i);
    return Ok();
  }
  return Raise(ts, Exc::kValueError, "invalid normalization form");
}

QuickCheck Check(NormalForm form, const StrObject* s) {
  if (s->ascii()) return QuickCheck::kYes;
  return WithChars(s, [&](const auto* p) { return IsNormalizedQuick(form, p, s->length); });
}

Result<StrObject> Normalized(ThreadState& ts, NormalForm form, StrObject* s) {
  MVM_TRY_VOID(CheckRoom(ts, s->length * 4 * sizeof(char32_t)));
  CodePoints points;
  const bool done =
      WithChars(s, [&](const auto* p) { return Normalize(form, p, s->length, &points); });
  if (!done) return RaiseMemoryError(ts);
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(s->length)));
  return NewStrFromUcs4(ts, reinterpret_cast<const uint32_t*>(points.data()), points.size());
}

Result<> ucd_normalize(ThreadState& ts, Args args) {
  NormalForm form;
  MVM_TRY_VOID(Arguments(ts, args, "normalize", &form));
  if (Check(form, args.as<StrObject>(1)) == QuickCheck::kYes)
    return StrExact(ts, args.as<StrObject>(1));
  return Normalized(ts, form, args.as<StrObject>(1));
}

Result<> ucd_is_normalized(ThreadState& ts, Args args) {
  NormalForm form;
  MVM_TRY_VOID(Arguments(ts, args, "is_normalized", &form));
  const QuickCheck quick = Check(form, args.as<StrObject>(1));
  if (quick != QuickCheck::kMaybe) return Bool(ts, quick == QuickCheck::kYes);
  MVM_TRY(Ref<StrObject> text, Normalized(ts, form, args.as<StrObject>(1)));
  return Bool(ts, StrEquals(text, args.as<StrObject>(1)));
}

const MethodSpec kFunctions[] = {
    {"bidirectional(chr, /)", ucd_bidirectional,
     "The class for text that runs both ways: L, R, AL, EN and so on; '' if there is none."},
    {"category(chr, /)", ucd_category,
     "Two letters for what the character is: Lu, Ll, Nd, Po and so on."},
    {"combining(chr, /)", ucd_combining,
     "Where a combining mark goes in canonical order; 0 if it is none."},
    {"decimal(chr, default=<unrepresentable>, /)", ucd_decimal,
     "The value of a decimal digit as an int. Without one default, or a ValueError."},
    {"decomposition(chr, /)", ucd_decomposition,
     "What the character stands for, as hex numbers, with a tag such as <compat> in front; '' if "
     "itself."},
    {"digit(chr, default=<unrepresentable>, /)", ucd_digit,
     "The value of a digit as an int, superscripts and the like too. Without one default, or a "
     "ValueError."},
    {"east_asian_width(chr, /)", ucd_east_asian_width,
     "How wide the character is in East Asian text: F, H, W, Na, A or N."},
    {"is_normalized(form, unistr, /)", ucd_is_normalized,
     "Whether normalize() would leave the text as it is."},
    {"lookup(name, /)", ucd_lookup,
     "The character that Unicode calls name; of a named sequence, all its characters. KeyError if "
     "there is none."},
    {"mirrored(chr, /)", ucd_mirrored,
     "1 if the character is to be mirrored in text from right to left, else 0."},
    {"name(chr, default=<unrepresentable>, /)", ucd_name,
     "What Unicode calls the character. Without a name default, or a ValueError."},
    {"normalize(form, unistr, /)", ucd_normalize,
     "The text in a normal form: NFC or NFKC composed, NFD or NFKD decomposed; K drops differences "
     "of form too."},
    {"numeric(chr, default=<unrepresentable>, /)", ucd_numeric,
     "The value of a character as a float, fractions too. Without one default, or a ValueError."},
};
const ConstantSpec kConstants[] = {{"unidata_version", ConstantSpec::kStr, 0, 0, "15.1.0"}};

}  // namespace

extern const ModuleSpec k_unicodedata_module;
const ModuleSpec k_unicodedata_module = {
    .name = "unicodedata",
    .doc = "What Unicode 15.1.0 says about each character.",
    .functions = kFunctions,
    .constants = kConstants,
};

}  // namespace minivm

// Module binascii: bytes as ASCII text and back.
//
// Input is taken as a whole and the output's size is bounded before anything is written.
#include <array>
#include <cstring>

#include "runtime/objects/byte_methods.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/text_buffer.h"
#include "stdlib/checksums.h"

namespace minivm {

namespace {

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<uint8_t, 256> MakeBase64Values() {
  std::array<uint8_t, 256> values = {};
  for (uint8_t& v : values) v = 0xFF;
  for (uint8_t i = 0; i < 64; ++i) values[static_cast<uint8_t>(kBase64[i])] = i;
  return values;
}
constexpr auto kBase64Values = MakeBase64Values();

constexpr auto kHexValues = [] {
  std::array<int8_t, 256> values = {};
  for (size_t c = 0; c < values.size(); ++c) {
    const size_t letter = c | 0x20;
    values[c] = static_cast<int8_t>(c >= '0' && c <= '9'             ? c - '0'
                                    : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10
                                                                     : size_t{0} - 1);
  }
  return values;
}();
int HexDigit(uint8_t c) { return kHexValues[c]; }

// binascii.Error(text)
[[gnu::cold]] Raised RaiseError(ThreadState& ts, const char* format, long long number = 0) {
  MVM_TRY(Ref<StrObject> message, Format(ts, format, number));
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "binascii"));
  MVM_TRY(Ref<> type, GetAttr(ts, module, "Error"));
  MVM_TRY(Ref<> exception, Call(ts, type, message));
  return RaiseObject(ts, exception);
}

// Bytes, or the text of an ASCII string.
class AsciiView {
 public:
  Status Get(ThreadState& ts, Value v) {
    if (!IsStr(ts, v)) {
      MVM_TRY_VOID(bytes_.Get(ts, v, "argument should be bytes, buffer or ASCII string, not '%T'"));
      view_ = bytes_.view();
      return Ok();
    }
    if (!v.as<StrObject>()->ascii()) {
      return Raise(ts, Exc::kValueError, "string argument should contain only ASCII characters");
    }
    view_ = v.as<StrObject>()->ascii_view();
    return Ok();
  }
  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(view_.data()); }
  size_t size() const { return view_.size(); }

 private:
  std::string_view view_;
  ByteView bytes_;
};

// Output of a size that is bounded beforehand.
struct BoundedOutput {
  Ref<BytesObject> bytes;
  uint8_t* start = nullptr;
  uint8_t* at = nullptr;
  Status Make(ThreadState& ts, size_t most) {
    MVM_TRY_VOID(CheckRoom(ts, most));
    MVM_TRY(bytes, NewBytesRaw(ts, most + 1));
    start = at = bytes->data();
    return Ok();
  }
  Result<> Finish(ThreadState& ts) {
    return NewBytes(ts, {reinterpret_cast<const char*>(start), static_cast<size_t>(at - start)});
  }
};

// ---- base64 ----

Result<> binascii_a2b_base64(ThreadState& ts, Args args) {
  AsciiView in;
  MVM_TRY_VOID(in.Get(ts, args[0]));
  MVM_TRY(bool strict, Truth(ts, args[1]));
  BoundedOutput out;
  MVM_TRY_VOID(out.Make(ts, in.size() / 4 * 3 + 3));
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(in.size() / 8)));
  const uint8_t* p = in.data();
  const size_t n = in.size();
  int place = 0, pads = 0;  // within the group of four
  uint32_t carried = 0;
  bool padding = false;
  for (size_t i = 0; i < n; ++i) {
    // Whole groups at once, as long as they are nothing but data.
    if (place == 0 && !padding) {
      while (n - i >= 4) {
        const uint32_t a = kBase64Values[p[i]], b = kBase64Values[p[i + 1]],
                       c = kBase64Values[p[i + 2]], d = kBase64Values[p[i + 3]];
        if ((a | b | c | d) > 63) break;
        const uint32_t group = a << 18 | b << 12 | c << 6 | d;
        *out.at++ = static_cast<uint8_t>(group >> 16);
        *out.at++ = static_cast<uint8_t>(group >> 8);
        *out.at++ = static_cast<uint8_t>(group);
        i += 4;
        pads = 0;
      }
      if (i >= n) break;
    }
    if (p[i] == '=') {
      padding = true;
      if (strict && place == 0) {
        return RaiseError(ts,
                          i == 0 ? "Leading padding not allowed" : "Excess padding not allowed");
      }
      if (place >= 2 && place + ++pads >= 4) {
        if (strict && i + 1 < n) return RaiseError(ts, "Excess data after padding");
        return out.Finish(ts);
      }
      continue;
    }
    const uint8_t v = kBase64Values[p[i]];
    if (v > 63) {
      if (strict) return RaiseError(ts, "Only base64 data is allowed");
      continue;
    }
    if (strict && padding) return RaiseError(ts, "Discontinuous padding not allowed");
    pads = 0;
    switch (place++) {
      case 0: carried = v; break;
      case 1:
        *out.at++ = static_cast<uint8_t>(carried << 2 | v >> 4);
        carried = v & 15;
        break;
      case 2:
        *out.at++ = static_cast<uint8_t>(carried << 4 | v >> 2);
        carried = v & 3;
        break;
      default:
        *out.at++ = static_cast<uint8_t>(carried << 6 | v);
        place = 0;
        break;
    }
  }
  if (place == 1) {
    return RaiseError(ts,
                      "Invalid base64-encoded string: number of data characters (%lld) cannot be 1 "
                      "more than a multiple of 4",
                      (out.at - out.start) / 3 * 4 + 1);
  }
  if (place != 0) return RaiseError(ts, "Incorrect padding");
  return out.Finish(ts);
}

Result<> binascii_b2a_base64(ThreadState& ts, Args args) {
  ByteView in;
  MVM_TRY_VOID(in.Get(ts, args[0]));
  MVM_TRY(bool newline, Truth(ts, args[1]));
  const size_t n = in.size();
  if (n > Heap::kMaxAllocation / 2) return RaiseError(ts, "Too much data for base64 line");
  const size_t size = (n + 2) / 3 * 4 + (newline ? 1 : 0);
  if (size == 0) return NewBytes(ts, {});
  MVM_TRY_VOID(CheckRoom(ts, size));
  MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, size));
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(n / 8)));
  const uint8_t* p = in.data();
  uint8_t* to = out->data();
  size_t i = 0;
  for (; n - i >= 3; i += 3) {
    const uint32_t group = static_cast<uint32_t>(p[i]) << 16 | p[i + 1] << 8 | p[i + 2];
    *to++ = static_cast<uint8_t>(kBase64[group >> 18]);
    *to++ = static_cast<uint8_t>(kBase64[group >> 12 & 63]);
    *to++ = static_cast<uint8_t>(kBase64[group >> 6 & 63]);
    *to++ = static_cast<uint8_t>(kBase64[group & 63]);
  }
  if (i < n) {
    const bool two = n - i == 2;
    const uint32_t group = static_cast<uint32_t>(p[i]) << 16 | (two ? p[i + 1] << 8 : 0);
    *to++ = static_cast<uint8_t>(kBase64[group >> 18]);
    *to++ = static_cast<uint8_t>(kBase64[group >> 12 & 63]);
    *to++ = static_cast<uint8_t>(two ? kBase64[group >> 6 & 63] : '=');
    *to++ = '=';
  }
  if (newline) *to++ = '\n';
  return out;
}

// ---- hexadecimal ----

Result<> binascii_hexlify(ThreadState& ts, Args args) {
  ByteView in;
  MVM_TRY_VOID(in.Get(ts, args[0]));
  MVM_TRY(Ref<StrObject> text, BytesHex(ts, in.view(), args[1], args[2]));
  return NewBytes(ts, text->ascii_view());
}

Result<> binascii_unhexlify(ThreadState& ts, Args args) {
  AsciiView in;
  MVM_TRY_VOID(in.Get(ts, args[0]));
  if (in.size() % 2 != 0) return RaiseError(ts, "Odd-length string");
  BoundedOutput out;
  MVM_TRY_VOID(out.Make(ts, in.size() / 2));
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(in.size() / 4)));
  for (size_t i = 0; i < in.size(); i += 2) {
    const int high = HexDigit(in.data()[i]), low = HexDigit(in.data()[i + 1]);
    if (MVM_UNLIKELY((high | low) < 0)) return RaiseError(ts, "Non-hexadecimal digit found");
    *out.at++ = static_cast<uint8_t>(high << 4 | low);
  }
  return out.Finish(ts);
}

// ---- uuencode ----

Result<> binascii_a2b_uu(ThreadState& ts, Args args) {
  AsciiView in;
  MVM_TRY_VOID(in.Get(ts, args[0]));
  const uint8_t* p = in.data();
  const size_t n = in.size();
  // The line begins with the number of bytes; what is missing counts as zeros.
  const size_t length = ((n > 0 ? p[0] : 0) - ' ') & 63;
  BoundedOutput out;
  MVM_TRY_VOID(out.Make(ts, length));
  size_t i = n > 0 ? 1 : 0;
  uint32_t bits = 0;
  int have = 0;
  while (static_cast<size_t>(out.at - out.start) < length) {
    uint8_t v = 0;
    if (i < n && p[i] != '\n' && p[i] != '\r') {
      if (p[i] < ' ' || p[i] > ' ' + 64) return RaiseError(ts, "Illegal char");
      v = (p[i] - ' ') & 63;
    }
    if (i < n) ++i;
    bits = bits << 6 | v;
    have += 6;
    if (have >= 8) {
      have -= 8;
      *out.at++ = static_cast<uint8_t>(bits >> have);
    }
  }
  for (; i < n; ++i) {
    if (p[i] != ' ' && p[i] != '`' && p[i] != '\n' && p[i] != '\r') {
      return RaiseError(ts, "Trailing garbage");
    }
  }
  return out.Finish(ts);
}

Result<> binascii_b2a_uu(ThreadState& ts, Args args) {
  ByteView in;
  MVM_TRY_VOID(in.Get(ts, args[0]));
  MVM_TRY(bool backtick, Truth(ts, args[1]));
  const size_t n = in.size();
  if (n > 45) return RaiseError(ts, "At most 45 bytes at once");
  char line[64];
  size_t size = 0;
  auto put = [&](uint32_t v) {
    line[size++] = static_cast<char>(backtick && v == 0 ? '`' : ' ' + v);
  };
  put(static_cast<uint32_t>(n));
  for (size_t i = 0; i < n; i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < n ? in.data()[i + k] : 0);
    for (int shift = 18; shift >= 0; shift -= 6) put(group >> shift & 63);
  }
  line[size++] = '\n';
  return NewBytes(ts, {line, size});
}

// ---- quoted-printable ----

Result<> binascii_a2b_qp(ThreadState& ts, Args args) {
  AsciiView in;
  MVM_TRY_VOID(in.Get(ts, args[0]));
  MVM_TRY(bool header, Truth(ts, args[1]));
  BoundedOutput out;
  MVM_TRY_VOID(out.Make(ts, in.size()));
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(in.size() / 4)));
  const uint8_t* p = in.data();
  const size_t n = in.size();
  for (size_t i = 0; i < n;) {
    if (p[i] != '=') {
      *out.at++ = header && p[i] == '_' ? ' ' : p[i];
      ++i;
      continue;
    }
    if (++i >= n) break;
    if (p[i] == '\n' || p[i] == '\r') {  // a soft line break
      while (i < n && p[i] != '\n') ++i;
      if (i < n) ++i;
    } else if (p[i] == '=') {
      *out.at++ = '=';
      ++i;
    } else if (i + 1 < n && HexDigit(p[i]) >= 0 && HexDigit(p[i + 1]) >= 0) {
      *out.at++ = static_cast<uint8_t>(HexDigit(p[i]) << 4 | HexDigit(p[i + 1]));
      i += 2;
    } else {
      *out.at++ = '=';
    }
  }
  return out.Finish(ts);
}

struct QuotedWriter {
  static constexpr size_t kLine = 76;
  TextBuffer out{Heap::kMaxAllocation};
  bool crlf = false;
  size_t column = 0;

  void Newline() {
    if (crlf) out.Append('\r');
    out.Append('\n');
    column = 0;
  }
  void SoftBreak() {
    out.Append('=');
    Newline();
  }
  void Hex(uint8_t c) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    out.Append('=');
    out.Append(kDigits[c >> 4]);
    out.Append(kDigits[c & 15]);
  }
};

Result<> binascii_b2a_qp(ThreadState& ts, Args args) {
  ByteView in;
  MVM_TRY_VOID(in.Get(ts, args[0]));
  MVM_TRY(bool quote_tabs, Truth(ts, args[1]));
  MVM_TRY(bool text, Truth(ts, args[2]));
  MVM_TRY(bool header, Truth(ts, args[3]));
  const uint8_t* p = in.data();
  const size_t n = in.size();
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(n)));
  MVM_TRY_VOID(CheckRoom(ts, n * 4));
  QuotedWriter w;
  // The first line end says how lines end.
  const void* newline = n ? std::memchr(p, '\n', n) : nullptr;
  w.crlf = newline && newline != p && static_cast<const uint8_t*>(newline)[-1] == '\r';
  auto must_quote = [&](size_t i) {
    const uint8_t c = p[i];
    if (c > 126 || c == '=' || (header && c == '_')) return true;
    if (c == '.' && w.column == 0) {
      return i + 1 == n || p[i + 1] == '\n' || p[i + 1] == '\r' || p[i + 1] == 0;
    }
    if (c == '\r' || c == '\n') return !text;
    if (c == ' ' || c == '\t') return i + 1 == n || quote_tabs;
    return c < 33;
  };
  for (size_t i = 0; i < n;) {
    const uint8_t c = p[i];
    if (must_quote(i)) {
      if (w.column + 3 >= QuotedWriter::kLine) w.SoftBreak();
      w.Hex(c);
      w.column += 3;
      ++i;
    } else if (text && (c == '\n' || (c == '\r' && i + 1 < n && p[i + 1] == '\n'))) {
      // White space at the end of a line would not survive.
      const std::string_view so_far = w.out.view();
      if (!so_far.empty() && (so_far.back() == ' ' || so_far.back() == '\t')) {
        const uint8_t space = static_cast<uint8_t>(so_far.back());
        w.out.Truncate(so_far.size() - 1);
        w.Hex(space);
      }
      w.Newline();
      i += c == '\r' ? 2 : 1;
    } else {
      if (i + 1 != n && p[i + 1] != '\n' && w.column + 1 >= QuotedWriter::kLine) w.SoftBreak();
      ++w.column;
      w.out.Append(static_cast<char>(header && c == ' ' ? '_' : c));
      ++i;
    }
  }
  if (w.out.failed()) return RaiseMemoryError(ts);
  return NewBytes(ts, w.out.view());
}

// ---- checksums ----

Result<> binascii_crc32(ThreadState& ts, Args args) {
  ByteView in;
  MVM_TRY_VOID(in.Get(ts, args[0]));
  MVM_TRY(Ref<> start, Index(ts, args[1]));
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(in.size() / 16)));
  return Small(Crc32(static_cast<uint32_t>(IntLowBits(start)), in.data(), in.size()));
}

Result<> binascii_crc_hqx(ThreadState& ts, Args args) {
  ByteView in;
  MVM_TRY_VOID(in.Get(ts, args[0]));
  MVM_TRY(Ref<> start, Index(ts, args[1]));
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(in.size())));
  uint32_t crc = static_cast<uint32_t>(IntLowBits(start)) & 0xFFFF;
  for (size_t i = 0; i < in.size(); ++i) {
    crc ^= static_cast<uint32_t>(in.data()[i]) << 8;
    for (int k = 0; k < 8; ++k) crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
    crc &= 0xFFFF;
  }
  return Small(crc);
}

// ---- the module ----

// class Error(ValueError), class Incomplete(Exception)
Status ExecModule(ThreadState& ts, ModuleObject* module) {
  struct {
    const char* name;
    Exc base;
  } const classes[] = {{"Error", Exc::kValueError}, {"Incomplete", Exc::kException}};
  MVM_TRY(Ref<StrObject> owner, InternUtf8(ts, "binascii"));
  for (const auto& c : classes) {
    const Value base = ExcType(ts, c.base);
    MVM_TRY(Ref<TupleObject> bases, NewTuple(ts, {&base, 1}));
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, c.name));
    MVM_TRY(Ref<DictObject> ns, NewDict(ts));
    MVM_TRY_VOID(DictSetStr(ts, ns, MVM_NAME(ts, __module__), owner));
    MVM_TRY(Ref<TypeObject> type, NewHeapType(ts, TypeById(ts, TypeId::kType), name, bases, ns));
    MVM_TRY_VOID(ModuleAdd(ts, module, c.name, type));
  }
  return Ok();
}

const MethodSpec kFunctions[] = {
    {"a2b_base64(data, /, *, strict_mode=False)", binascii_a2b_base64,
     "The bytes that a base64 text stands for; what is not of its alphabet is skipped.\n"
     "\n"
     "strict_mode makes that an error, and anything behind the padding too."},
    {"a2b_hex(hexstr, /)", binascii_unhexlify,
     "The bytes that pairs of hex digits stand for, of either case. binascii.Error for an odd or "
     "other digit."},
    {"a2b_qp(data, header=False)", binascii_a2b_qp,
     "The bytes that a quoted-printable text stands for; header: an underscore is a space."},
    {"a2b_uu(data, /)", binascii_a2b_uu, "The bytes in one line of uuencoded text."},
    {"b2a_base64(data, /, *, newline=True)", binascii_b2a_base64,
     "Data in base64, on one line that ends with a newline unless newline is false."},
    {"b2a_hex(data, sep=<unrepresentable>, bytes_per_sep=1)", binascii_hexlify,
     "Data as hex digits, two for each byte.\n"
     "\n"
     "sep, one character, goes between groups of bytes_per_sep bytes: counted from the right, from "
     "the left if negative."},
    {"b2a_qp(data, quotetabs=False, istext=True, header=False)", binascii_b2a_qp,
     "Data in quoted-printable form.\n"
     "\n"
     "quotetabs: tabs and spaces too. istext: line ends stay as they are. header: a space becomes "
     "an underscore."},
    {"b2a_uu(data, /, *, backtick=False)", binascii_b2a_uu,
     "At most 45 bytes as one line of uuencoded text; backtick: zero is ` instead of a space."},
    {"crc32(data, crc=0, /)", binascii_crc32,
     "The 32-bit CRC-32 checksum of data, going on from crc."},
    {"crc_hqx(data, crc, /)", binascii_crc_hqx, "The 16-bit CRC-CCITT of data, going on from crc."},
    {"hexlify(data, sep=<unrepresentable>, bytes_per_sep=1)", binascii_hexlify,
     "Data as hex digits: b2a_hex() under another name."},
    {"unhexlify(hexstr, /)", binascii_unhexlify,
     "The bytes that hex digits stand for: a2b_hex() under another name."},
};

}  // namespace

extern const ModuleSpec k_binascii_module;
const ModuleSpec k_binascii_module = {
    .name = "binascii",
    .doc = "Bytes as text: base64, hexadecimal, quoted-printable, uuencode; and their checksums.",
    .functions = kFunctions,
    .exec = ExecModule,
};

}  // namespace minivm

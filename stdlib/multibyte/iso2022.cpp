// ISO 2022 and HZ: encodings whose bytes mean what an escape sequence before them said.
//
// Each encoding of ISO 2022 is a list of designations: the sets it knows, in the order in which an
// encoder tries them. The state is that of CPython's codecs, so that getstate() shows the same:
// bytes 0 to 2 are the marks of the sets in G0, G1 and G2 (the last character of the escape
// sequence, with the top bit for sets of two bytes), bit 32 says that G1 is shifted in, bit 33 that
// bytes stand for themselves up to the next capital letter, after an ESC that begins no escape
// sequence. States come from scripts as well: marks of no set are errors like any other.
#include "runtime/objects/codec.h"
#include "stdlib/multibyte/codec.h"

namespace minivm {

enum class Repertoire : uint8_t {
  kAscii,
  kRoman,
  kKana,
  kLatin1,
  kGreek,
  kDouble,
  kPairs,
  kReadOnly
};

struct Designation {
  uint8_t mark;  // 0: end of the list
  Repertoire repertoire;
  uint8_t slot;  // which of G0 to G2 it is for
  uint8_t set;   // of kDouble: which of the codec's sets
  // Whether ESC $ and the mark are enough, as they are in the oldest sets.
  bool old_form = false;
};

namespace {

using Id = CharsetId;

constexpr uint8_t kEscape = 0x1B, kShiftOut = 0x0E, kShiftIn = 0x0F;
constexpr uint8_t kAsciiMark = 'B', kRomanMark = 'J';
constexpr uint8_t kTwoBytes = 0x80;
constexpr CodecState kShifted = CodecState{1} << 32, kThrough = CodecState{1} << 33;
constexpr size_t kLongestEscape = 16;

uint8_t MarkAt(CodecState state, unsigned slot) {
  return static_cast<uint8_t>(state >> (8 * slot));
}
void SetMark(CodecState* state, unsigned slot, uint8_t mark) {
  *state = (*state & ~(CodecState{0xFF} << (8 * slot))) | CodecState{mark} << (8 * slot);
}

const Designation* FindDesignation(const MultibyteSpec& spec, uint8_t mark) {
  for (const Designation* d = spec.designations; d->mark != 0; ++d) {
    if (d->mark == mark) return d;
  }
  return nullptr;
}

bool Uses(const MultibyteSpec& spec, unsigned slot) {
  for (const Designation* d = spec.designations; d->mark != 0; ++d) {
    if (d->slot == slot) return true;
  }
  return false;
}

// The first plane of JIS X 0213 has a tilde that is read as ASCII's, and not written.
constexpr char32_t kWideTilde = 0xFF5E;
bool ReadsTilde(const Designation& d) {
  return d.mark == ('Q' | kTwoBytes) || d.mark == ('O' | kTwoBytes);
}

// ---- decoding ----

bool EndsEscape(uint8_t b) { return (b >= 'A' && b <= 'Z') || b == '@'; }

// The escape sequence at p[0..n), as a decode function returns it.
int DecodeEscape(const MultibyteSpec& spec, CodecState* state, const uint8_t* p, size_t n) {
  // Up to a capital letter or @.
  size_t size = 1;
  while (true) {
    if (size == kLongestEscape) return -1;
    if (size == n) return 0;
    const uint8_t b = p[size++];
    if (EndsEscape(b)) {
      // ESC & @ announces a revision of the set whose escape sequence follows.
      if (size == 3 && p[1] == '&' && b == '@' && FindDesignation(spec, 'B' | kTwoBytes)) {
        if (n < 6) return 0;
        if (p[3] != kEscape || p[4] != '$' || p[5] != 'B') return -6;
        SetMark(state, 0, 'B' | kTwoBytes);
        return 6;
      }
      break;
    }
  }
  const int used = static_cast<int>(size);
  uint8_t mark = p[size - 1];
  unsigned slot = 0;
  if (size == 3 && p[1] == '$') {
    mark |= kTwoBytes;
  } else if (size == 3) {
    if (p[1] == '&') return -used;
    slot = p[1] == '(' ? 0 : p[1] == ')' ? 1 : 2;
    if (slot == 2 && !Uses(spec, 2)) return -used;
  } else if (size == 4 && p[1] == '$' && (p[2] == '(' || p[2] == ')')) {
    mark |= kTwoBytes;
    slot = p[2] == ')';
  } else {
    return -used;
  }
  if (mark != kAsciiMark && !FindDesignation(spec, mark)) return -used;
  SetMark(state, slot, mark);
  return used;
}

// ISO 8859-7 of 1987, without what later editions have at A4, A5 and AA.
Cell DecodeGreek(uint8_t b) {
  if (b < 0xA0) return b;
  if (b == 0xA4 || b == 0xA5 || b == 0xAA) return 0;
  const Cell cell = FindByteTable("iso8859_7")->upper[b - 0x80];
  return cell == 0xFFFE ? 0 : cell;
}

// The character of one byte behind a single shift to G2.
Cell DecodeShifted(const Designation* d, uint8_t mark, uint8_t b) {
  // ISO 8859-7 takes the other half too, which is ASCII then.
  if (d && d->repertoire == Repertoire::kGreek) return DecodeGreek(b ^ 0x80);
  if (b >= 0x80) return 0;
  if (mark == kAsciiMark) return b;
  return d && d->repertoire == Repertoire::kLatin1 ? b | 0x80u : 0;
}

Cell DecodeSingle(const Designation* d, uint8_t mark, uint8_t b) {
  if (mark == kAsciiMark) return b < 0x80 ? b : 0;
  if (!d) return 0;
  switch (d->repertoire) {
    case Repertoire::kRoman: return b == 0x5C ? 0xA5 : b == 0x7E ? 0x203E : b < 0x80 ? b : 0;
    case Repertoire::kKana: return b >= 0x21 && b <= 0x5F ? 0xFF61 + (b - 0x21u) : 0;
    default: return 0;
  }
}

int DecodeIso2022(const MultibyteCodec& codec, CodecState* state, const uint8_t* p, size_t n,
                  Cell* out) {
  const MultibyteSpec& spec = *codec.spec;
  const uint8_t b = p[0];
  if (*state & kThrough) {
    if (EndsEscape(b)) *state &= ~kThrough;
    *out = b;
    return 1;
  }
  if (b == kEscape) {
    if (n < 2) return 0;
    const bool single_shifts = Uses(spec, 2);
    if (p[1] == 'N' && single_shifts) {
      if (n < 3) return 0;
      const uint8_t mark = MarkAt(*state, 2);
      const Designation* d = FindDesignation(spec, mark);
      const Cell cell = DecodeShifted(d, mark, p[2]);
      const bool null = p[2] == (d && d->repertoire == Repertoire::kGreek ? 0x80 : 0);
      if (cell == 0 && !null) return -3;
      *out = cell;
      return 3;
    }
    if (p[1] == '(' || p[1] == ')' || p[1] == '$' || p[1] == '.' || p[1] == '&') {
      return DecodeEscape(spec, state, p, n);
    }
    *state |= kThrough;
    *out = b;
    return 1;
  }
  if ((b == kShiftOut || b == kShiftIn) && Uses(spec, 1)) {
    *state = b == kShiftOut ? *state | kShifted : *state & ~kShifted;
    return 1;
  }
  if (b == '\n') *state &= ~kShifted;
  if (b < 0x20) {
    *out = b;
    return 1;
  }
  if (b >= 0x80) return -1;
  const uint8_t mark = MarkAt(*state, *state & kShifted ? 1 : 0);
  const Designation* d = FindDesignation(spec, mark);
  if (!d || (mark & kTwoBytes) == 0) {
    *out = DecodeSingle(d, mark, b);
    return *out != 0 ? 1 : -1;
  }
  if (n < 2) return 0;
  *out = p[1] < 0x80 ? codec.sets[d->set].Decode(b | 0x80, p[1] | 0x80) : 0;
  if (*out == kWideTilde && ReadsTilde(*d)) *out = '~';
  return *out != 0 ? 2 : -2;
}

// ---- encoding ----

class Output {
 public:
  Output(uint8_t* out, size_t* size) : out_(out), size_(size) {}
  void Put(uint8_t b) { out_[(*size_)++] = b; }
  void Escape(unsigned slot, uint8_t mark, bool old_form) {
    Put(kEscape);
    if (mark & kTwoBytes) {
      Put('$');
      if (old_form) return Put(mark & 0x7F);
    }
    Put(slot == 0 ? '(' : ')');
    Put(mark & 0x7F);
  }

 private:
  uint8_t* out_;
  size_t* size_;
};

// The code of c (and next) in a set, 0 if it has none; *units is 2 for both, 0 if it depends on
// what comes.
unsigned CodeIn(const MultibyteCodec& codec, const Designation& d, char32_t c, char32_t next,
                int* units) {
  *units = 1;
  switch (d.repertoire) {
    case Repertoire::kRoman: return c == 0xA5 ? 0x5C : c == 0x203E ? 0x7E : 0;
    case Repertoire::kKana: return c >= 0xFF61 && c <= 0xFF9F ? c - 0xFF61 + 0x21 : 0;
    case Repertoire::kPairs: {
      const Charset& set = codec.sets[d.set];
      if (!set.BeginsPair(c)) return 0;
      if (next == kMoreToCome) {
        *units = 0;
        return 1;
      }
      *units = 2;
      return set.EncodePair(c, next) & 0x7F7F;
    }
    case Repertoire::kDouble:
      if (c == kWideTilde && ReadsTilde(d)) return 0;
      return codec.sets[d.set].Encode(c) & 0x7F7F;
    default: return 0;  // G2 is for reading only
  }
}

int EncodeIso2022(const MultibyteCodec& codec, CodecState* state, char32_t c, char32_t next,
                  uint8_t* bytes, size_t* size) {
  Output out(bytes, size);
  if (c < 0x80) {
    if (MarkAt(*state, 0) != kAsciiMark) out.Escape(0, kAsciiMark, false);
    SetMark(state, 0, kAsciiMark);
    if (*state & kShifted) out.Put(kShiftIn);
    *state &= ~kShifted;
    out.Put(static_cast<uint8_t>(c));
    return 1;
  }
  for (const Designation* d = codec.spec->designations; d->mark != 0; ++d) {
    int units;
    const unsigned code = CodeIn(codec, *d, c, next, &units);
    if (code == 0) continue;
    if (units == 0) return 0;
    if (MarkAt(*state, d->slot) != d->mark) out.Escape(d->slot, d->mark, d->old_form);
    SetMark(state, d->slot, d->mark);
    const bool shift = d->slot == 1;
    if (shift != ((*state & kShifted) != 0)) {
      out.Put(shift ? kShiftOut : kShiftIn);
      *state ^= kShifted;
    }
    if (d->mark & kTwoBytes) out.Put(static_cast<uint8_t>(code >> 8));
    out.Put(static_cast<uint8_t>(code));
    return units;
  }
  return -1;
}

void FinishIso2022(CodecState* state, uint8_t* bytes, size_t* size) {
  Output out(bytes, size);
  if (*state & kShifted) out.Put(kShiftIn);
  *state &= ~kShifted;
  if (MarkAt(*state, 0) != kAsciiMark) out.Escape(0, kAsciiMark, false);
  SetMark(state, 0, kAsciiMark);
}

// ---- HZ: GB 2312 between ~{ and ~} ----

int DecodeHz(const MultibyteCodec& codec, CodecState* state, const uint8_t* p, size_t n,
             Cell* out) {
  const bool gb = *state != 0;
  if (p[0] == '~') {
    if (n < 2) return 0;
    if (p[1] == '~' && !gb) {
      *out = '~';
      return 2;
    }
    if (p[1] == '\n' && !gb) return 2;
    if (p[1] != (gb ? '}' : '{')) return -1;
    *state = gb ? 0 : 1;
    return 2;
  }
  if (p[0] & 0x80) return -1;
  if (!gb) {
    *out = p[0];
    return 1;
  }
  if (n < 2) return 0;
  *out = p[1] < 0x80 ? codec.sets[0].Decode(p[0] | 0x80, p[1] | 0x80) : 0;
  return *out != 0 ? 2 : -1;
}

int EncodeHz(const MultibyteCodec& codec, CodecState* state, char32_t c, char32_t, uint8_t* bytes,
             size_t* size) {
  Output out(bytes, size);
  const unsigned code = c < 0x80 ? 0 : codec.sets[0].Encode(c);
  if (c >= 0x80 && code == 0) return -1;
  const bool gb = code != 0;
  if (gb != (*state != 0)) {
    out.Put('~');
    out.Put(gb ? '{' : '}');
    *state = gb ? 1 : 0;
  }
  if (gb) {
    out.Put(code >> 8 & 0x7F);
    out.Put(code & 0x7F);
    return 1;
  }
  if (c == '~') out.Put('~');
  out.Put(static_cast<uint8_t>(c));
  return 1;
}

void FinishHz(CodecState* state, uint8_t* bytes, size_t* size) {
  Output out(bytes, size);
  if (*state == 0) return;
  out.Put('~');
  out.Put('}');
  *state = 0;
}

// ---- the encodings ----

constexpr Designation kJis0208{'B' | kTwoBytes, Repertoire::kDouble, 0, 0, true};
constexpr Designation kJis0208Old{'@' | kTwoBytes, Repertoire::kDouble, 0, 0, true};
constexpr Designation kJis0212{'D' | kTwoBytes, Repertoire::kDouble, 0, 1};
constexpr Designation kRoman{kRomanMark, Repertoire::kRoman, 0, 0};
constexpr Designation kEnd{};

constexpr Designation kJp[] = {kJis0208, kRoman, kJis0208Old, kEnd};
constexpr Designation kJp1[] = {kJis0208, kJis0212, kRoman, kJis0208Old, kEnd};
constexpr Designation kJp2[] = {kJis0208,
                                kJis0212,
                                {'C' | kTwoBytes, Repertoire::kDouble, 0, 2},
                                {'A' | kTwoBytes, Repertoire::kDouble, 0, 3},
                                kRoman,
                                kJis0208Old,
                                {'A', Repertoire::kLatin1, 2, 0},
                                {'F', Repertoire::kGreek, 2, 0},
                                kEnd};
constexpr Designation kJp2004[] = {{'Q' | kTwoBytes, Repertoire::kPairs, 0, 1},
                                   kJis0208,
                                   {'Q' | kTwoBytes, Repertoire::kDouble, 0, 1},
                                   {'P' | kTwoBytes, Repertoire::kDouble, 0, 2},
                                   kEnd};
constexpr Designation kJp3[] = {
    {'O' | kTwoBytes, Repertoire::kPairs, 0, 1},
    kJis0208,
    {'O' | kTwoBytes, Repertoire::kDouble, 0, 1},
    {'P' | kTwoBytes, Repertoire::kReadOnly, 0, 3},  // reads what 2004 has
    {'P' | kTwoBytes, Repertoire::kDouble, 0, 2},
    kEnd};
constexpr Designation kJpExt[] = {kJis0208,    kJis0212, kRoman, {'I', Repertoire::kKana, 0, 0},
                                  kJis0208Old, kEnd};
constexpr Designation kKr[] = {{'C' | kTwoBytes, Repertoire::kDouble, 1, 0}, kEnd};

constexpr CodecState kDecodeStart = 0x424242, kEncodeStart = 0x4242;

constexpr MultibyteSpec Iso2022(std::string_view name, const Designation* list, Id a,
                                Id b = Id::kNone, Id c = Id::kNone, Id d = Id::kNone) {
  return {name,         DecodeIso2022, EncodeIso2022, {a, b, c, d}, FinishIso2022,
          kDecodeStart, kEncodeStart,  list,          false};
}

constexpr MultibyteSpec kCodecs[] = {
    Iso2022("iso2022_jp", kJp, Id::jisx0208),
    Iso2022("iso2022_jp_1", kJp1, Id::jisx0208, Id::jisx0212),
    Iso2022("iso2022_jp_2", kJp2, Id::jisx0208, Id::jisx0212, Id::ksx1001, Id::gb2312),
    Iso2022("iso2022_jp_2004", kJp2004, Id::jisx0208, Id::jisx0213_1, Id::jisx0213_2),
    Iso2022("iso2022_jp_3", kJp3, Id::jisx0208, Id::jisx0213_2000_1, Id::jisx0213_2000_2,
            Id::jisx0213_2),
    Iso2022("iso2022_jp_ext", kJpExt, Id::jisx0208, Id::jisx0212),
    Iso2022("iso2022_kr", kKr, Id::ksx1001),
    {"hz", DecodeHz, EncodeHz, {Id::gb2312}, FinishHz, 0, 0, nullptr, false},
};

}  // namespace

const MultibyteSpec* StatefulCodecAt(size_t i) {
  return i < std::size(kCodecs) ? &kCodecs[i] : nullptr;
}

}  // namespace minivm

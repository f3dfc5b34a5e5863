// The multibyte encodings without state: GB 18030 and its like, Big5, EUC, Shift JIS, Johab.
#include "runtime/support/check.h"
#include "stdlib/multibyte/codec.h"

namespace minivm {
namespace {

using Id = CharsetId;

constexpr char32_t kHalfwidthKana = 0xFF61;  // of byte 0xA1
constexpr unsigned kKanaCount = 0xDF - 0xA1 + 1;

bool IsKana(unsigned byte) { return byte - 0xA1 < kKanaCount; }

int Found(Cell cell, int size, Cell* out) {
  *out = cell;
  return cell != 0 ? size : -1;
}

int Put(unsigned code, uint8_t* out, size_t* size) {
  if (code == 0) return -1;
  out[0] = static_cast<uint8_t>(code >> 8);
  out[1] = static_cast<uint8_t>(code);
  *size = 2;
  return 1;
}

int PutByte(char32_t c, uint8_t* out, size_t* size) {
  out[0] = static_cast<uint8_t>(c);
  *size = 1;
  return 1;
}

int PutThree(uint8_t prefix, unsigned code, uint8_t* out, size_t* size) {
  const int units = Put(code, out + 1, size);
  out[0] = prefix;
  ++*size;
  return units;
}

// c and next as one code, if they have one; *code is 0 if they do not. 0: that depends on what
// comes.
int PutPair(const Charset& set, char32_t c, char32_t next, unsigned* code) {
  *code = 0;
  if (!set.BeginsPair(c)) return 1;
  if (next == kMoreToCome) return 0;
  *code = set.EncodePair(c, next);
  return *code != 0 ? 2 : 1;
}

// ---- one set, ASCII below it ----

int DecodeDouble(const MultibyteCodec& codec, CodecState*, const uint8_t* p, size_t n, Cell* out) {
  if (p[0] < 0x80) {
    *out = p[0];
    return 1;
  }
  if (n < 2) return 0;
  return Found(codec.sets[0].Decode(p[0], p[1]), 2, out);
}

int EncodeDouble(const MultibyteCodec& codec, CodecState*, char32_t c, char32_t next, uint8_t* out,
                 size_t* size) {
  if (c < 0x80) return PutByte(c, out, size);
  unsigned code;
  const int used = PutPair(codec.sets[0], c, next, &code);
  if (used == 0) return 0;
  if (code == 0) code = codec.sets[0].Encode(c);
  return Put(code, out, size) < 0 ? -1 : used;
}

// ---- GB 18030 ----

constexpr unsigned kGbBeyond = (0x90 - 0x81) * 12600;  // number of U+10000's code

bool IsGbDigit(uint8_t b) { return b >= 0x30 && b <= 0x39; }
bool IsGbLead(uint8_t b) { return b >= 0x81 && b <= 0xFE; }

int DecodeGb18030(const MultibyteCodec& codec, CodecState* state, const uint8_t* p, size_t n,
                  Cell* out) {
  if (n < 2 || p[0] < 0x80 || !IsGbDigit(p[1])) return DecodeDouble(codec, state, p, n, out);
  if (n < 4) return 0;
  if (!IsGbLead(p[0]) || !IsGbLead(p[2]) || !IsGbDigit(p[3])) return -1;
  const unsigned number =
      ((p[0] - 0x81u) * 10 + (p[1] - 0x30u)) * 1260 + (p[2] - 0x81u) * 10 + (p[3] - 0x30u);
  if (number < kGbBeyond) return Found(GbDecodeNumber(number), 4, out);
  const unsigned c = 0x10000 + (number - kGbBeyond);
  return Found(c <= 0x10FFFF ? c : 0, 4, out);
}

int EncodeGb18030(const MultibyteCodec& codec, CodecState* state, char32_t c, char32_t next,
                  uint8_t* out, size_t* size) {
  if (EncodeDouble(codec, state, c, next, out, size) == 1) return 1;
  if (c >= 0xD800 && c <= 0xDFFF) return -1;
  unsigned number = c >= 0x10000 ? kGbBeyond + (c - 0x10000) : GbEncodeNumber(c);
  out[3] = static_cast<uint8_t>(0x30 + number % 10);
  number /= 10;
  out[2] = static_cast<uint8_t>(0x81 + number % 126);
  number /= 126;
  out[1] = static_cast<uint8_t>(0x30 + number % 10);
  out[0] = static_cast<uint8_t>(0x81 + number / 10);
  *size = 4;
  return 1;
}

// ---- EUC-JP: half-width kana behind 8E, supplementary sets behind 8F ----

int DecodeEucJp(const MultibyteCodec& codec, CodecState* state, const uint8_t* p, size_t n,
                Cell* out) {
  if (p[0] == 0x8E) {
    if (n < 2) return 0;
    return Found(IsKana(p[1]) ? kHalfwidthKana + (p[1] - 0xA1) : 0, 2, out);
  }
  if (p[0] != 0x8F) {
    const int used = DecodeDouble(codec, state, p, n, out);
    // What the newer standard has at this place is an error of the code, not of its first byte.
    const bool later =
        used == -1 && codec.spec->sets[3] != Id::kNone && codec.sets[3].Decode(p[0], p[1]) != 0;
    return later ? -2 : used;
  }
  if (n < 3) return 0;
  Cell cell = codec.sets[1].Decode(p[1], p[2]);
  if (cell == 0 && codec.spec->sets[2] != Id::kNone) cell = codec.sets[2].Decode(p[1], p[2]);
  return Found(cell, 3, out);
}

int EncodeEucJp(const MultibyteCodec& codec, CodecState* state, char32_t c, char32_t next,
                uint8_t* out, size_t* size) {
  const int used = EncodeDouble(codec, state, c, next, out, size);
  if (used >= 0) return used;
  if (c - kHalfwidthKana < kKanaCount) {
    return Put(0x8E00 + 0xA1 + (c - kHalfwidthKana), out, size);
  }
  // Only EUC-JP proper writes what the Roman set of JIS X 0201 has in place of ASCII.
  if (codec.spec->sets[2] == Id::kNone && (c == 0xA5 || c == 0x203E)) {
    return PutByte(c == 0xA5 ? 0x5C : 0x7E, out, size);
  }
  unsigned code = codec.sets[1].Encode(c);
  // What the newer standard has elsewhere is not looked for in JIS X 0212.
  if (code == 0 && codec.spec->sets[3] != Id::kNone &&
      (codec.sets[3].Encode(c) != 0 || codec.sets[4].Encode(c) != 0)) {
    return -1;
  }
  if (code == 0 && codec.spec->sets[2] != Id::kNone) code = codec.sets[2].Encode(c);
  return PutThree(0x8F, code, out, size);
}

// ---- Shift JIS ----

// The EUC form of a code of Shift JIS whose lead byte counts from 0x81 or 0xC1; 0 if it has none.
unsigned EucFromSjis(unsigned lead, unsigned trail) {
  if (trail < 0x40 || trail == 0x7F || trail > 0xFC) return 0;
  const unsigned cell = trail - (trail < 0x7F ? 0x40 : 0x41);
  const unsigned row = 2 * lead + (cell >= 94 ? 1 : 0);
  return (0xA1 + row) << 8 | (0xA1 + cell % 94);
}

// The reverse: *lead counts as above.
void SjisFromEuc(unsigned code, unsigned* lead, unsigned* trail) {
  const unsigned row = (code >> 8) - 0xA1;
  *lead = row / 2;
  *trail = (code & 0xFF) - 0xA1 + 0x40 + (row % 2) * 94;
  if (*trail >= 0x7F) ++*trail;
}

Cell DecodeEuc(const Charset& set, unsigned code) {
  return code == 0 ? 0 : set.Decode(static_cast<uint8_t>(code >> 8), static_cast<uint8_t>(code));
}

int PutSjis(unsigned code, uint8_t* out, size_t* size) {
  if (code == 0) return -1;
  unsigned lead, trail;
  SjisFromEuc(code, &lead, &trail);
  lead += 0x81;
  if (lead > 0x9F) lead += 0x40;
  return Put(lead << 8 | trail, out, size);
}

int DecodeShiftJis(const MultibyteCodec& codec, CodecState*, const uint8_t* p, size_t n,
                   Cell* out) {
  if (p[0] < 0x80 || IsKana(p[0])) {
    *out = p[0] < 0x80 ? p[0] : kHalfwidthKana + (p[0] - 0xA1);
    return 1;
  }
  if (p[0] == 0x80 || p[0] == 0xA0 || p[0] > 0xEA) return -1;
  if (n < 2) return 0;
  return Found(DecodeEuc(codec.sets[0], EucFromSjis(p[0] - (p[0] < 0xA0 ? 0x81u : 0xC1u), p[1])), 2,
               out);
}

int EncodeShiftJis(const MultibyteCodec& codec, CodecState*, char32_t c, char32_t, uint8_t* out,
                   size_t* size) {
  if (c < 0x80) return PutByte(c, out, size);
  if (c == 0xA5) return PutByte(0x5C, out, size);
  if (c == 0x203E) return PutByte(0x7E, out, size);
  if (c - kHalfwidthKana < kKanaCount) return PutByte(0xA1 + (c - kHalfwidthKana), out, size);
  return PutSjis(codec.sets[0].Encode(c), out, size);
}

// JIS X 0213: the rows of the second plane have the lead bytes behind those of the first, in an
// order of their own.
constexpr char32_t kWideBackslash = 0xFF3C, kWideTilde = 0xFF5E;  // read, and written, as ASCII
constexpr uint8_t kSecondPlaneRows[] = {1,  8,  3,  4,  5,  12, 13, 14, 15, 78, 79, 80, 81,
                                        82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94};

int DecodeShiftJis0213(const MultibyteCodec& codec, CodecState*, const uint8_t* p, size_t n,
                       Cell* out) {
  if (p[0] < 0x80 || IsKana(p[0])) {
    *out = p[0] == 0x5C ? 0xA5 : p[0] == 0x7E ? 0x203E : p[0];
    if (p[0] >= 0x80) *out = kHalfwidthKana + (p[0] - 0xA1);
    return 1;
  }
  if (p[0] == 0x80 || p[0] == 0xA0 || p[0] > 0xFC) return -1;
  if (n < 2) return 0;
  if (p[0] < 0xF0) {
    const unsigned code = EucFromSjis(p[0] - (p[0] < 0xA0 ? 0x81u : 0xC1u), p[1]);
    Cell cell = DecodeEuc(codec.sets[0], code);
    if (cell == kWideBackslash) cell = 0x5C;
    if (cell == kWideTilde) cell = 0x7E;
    if (cell == 0 && codec.spec->sets[3] != Id::kNone && DecodeEuc(codec.sets[3], code) != 0) {
      return -2;
    }
    return Found(cell, 2, out);
  }
  const unsigned code = EucFromSjis(p[0] - 0xF0u, p[1]);
  if (code == 0) return -1;
  const unsigned row = kSecondPlaneRows[(code >> 8) - 0xA1];
  return Found(DecodeEuc(codec.sets[1], (row + 0xA0) << 8 | (code & 0xFF)), 2, out);
}

int EncodeShiftJis0213(const MultibyteCodec& codec, CodecState*, char32_t c, char32_t next,
                       uint8_t* out, size_t* size) {
  if (c < 0x80 && c != 0x5C && c != 0x7E) return PutByte(c, out, size);
  if (c == 0xA5) return PutByte(0x5C, out, size);
  if (c == 0x203E) return PutByte(0x7E, out, size);
  if (c - kHalfwidthKana < kKanaCount) return PutByte(0xA1 + (c - kHalfwidthKana), out, size);
  if (c == kWideBackslash || c == kWideTilde) return -1;
  if (c == 0x5C) c = kWideBackslash;
  if (c == 0x7E) c = kWideTilde;
  unsigned code;
  const int used = PutPair(codec.sets[0], c, next, &code);
  if (used == 0) return 0;
  if (code == 0) code = codec.sets[0].Encode(c);
  if (code != 0) {
    PutSjis(code, out, size);
    return used;
  }
  code = codec.sets[1].Encode(c);
  for (unsigned i = 0; code != 0 && i < sizeof(kSecondPlaneRows); ++i) {
    if (kSecondPlaneRows[i] + 0xA0u != code >> 8) continue;
    unsigned lead, trail;
    SjisFromEuc((0xA1 + i) << 8 | (code & 0xFF), &lead, &trail);
    return Put((0xF0 + lead) << 8 | trail, out, size);
  }
  return -1;
}

// ---- code page 932: Shift JIS with more characters, and four single bytes of private use ----

int DecodeCp932(const MultibyteCodec& codec, CodecState*, const uint8_t* p, size_t n, Cell* out) {
  *out = p[0];
  if (p[0] <= 0x80) return 1;
  if (IsKana(p[0])) *out = kHalfwidthKana + (p[0] - 0xA1);
  if (p[0] == 0xA0) *out = 0xF8F0;
  if (p[0] > 0xFC) *out = 0xF8F1 + (p[0] - 0xFDu);
  if (*out != p[0]) return 1;
  if (n < 2) return 0;
  return Found(codec.sets[0].Decode(p[0], p[1]), 2, out);
}

int EncodeCp932(const MultibyteCodec& codec, CodecState*, char32_t c, char32_t, uint8_t* out,
                size_t* size) {
  if (c <= 0x80) return PutByte(c, out, size);
  if (c - kHalfwidthKana < kKanaCount) return PutByte(0xA1 + (c - kHalfwidthKana), out, size);
  if (c == 0xF8F0) return PutByte(0xA0, out, size);
  if (c >= 0xF8F1 && c <= 0xF8F3) return PutByte(0xFD + (c - 0xF8F1), out, size);
  return Put(codec.sets[0].Encode(c), out, size);
}

// ---- EUC-KR: syllables that KS X 1001 has not got are spelled with four codes ----

// Leading and trailing consonants as they follow the code A4A0; the vowels go on behind them.
constexpr uint8_t kLeading[] = {1,  2,  4,  7,  8,  9,  17, 18, 19, 21,
                                22, 23, 24, 25, 26, 27, 28, 29, 30};
constexpr uint8_t kTrailing[] = {0x34, 1,  2,  3,  4,  5,  6,  7,  9,  10, 11, 12, 13, 14,
                                 15,   16, 17, 18, 20, 21, 22, 23, 24, 26, 27, 28, 29, 30};
constexpr unsigned kFirstVowel = 31, kVowelCount = 21;
constexpr char32_t kFirstSyllable = 0xAC00;
constexpr unsigned kSyllableCount = 11172;

template <size_t N>
int IndexIn(const uint8_t (&table)[N], unsigned value) {
  for (size_t i = 0; i < N; ++i) {
    if (table[i] == value) return static_cast<int>(i);
  }
  return -1;
}

int DecodeEucKr(const MultibyteCodec& codec, CodecState* state, const uint8_t* p, size_t n,
                Cell* out) {
  if (n < 2 || p[0] != 0xA4 || p[1] != 0xD4) return DecodeDouble(codec, state, p, n, out);
  if (n < 8) return 0;
  if (p[2] != 0xA4 || p[4] != 0xA4 || p[6] != 0xA4) return -1;
  const int leading = IndexIn(kLeading, p[3] - 0xA0u);
  const unsigned vowel = p[5] - 0xA0u - kFirstVowel;
  const int trailing = IndexIn(kTrailing, p[7] - 0xA0u);
  if (leading < 0 || vowel >= kVowelCount || trailing < 0) return -1;
  *out = kFirstSyllable + (static_cast<unsigned>(leading) * kVowelCount + vowel) * 28 +
         static_cast<unsigned>(trailing);
  return 8;
}

int EncodeEucKr(const MultibyteCodec& codec, CodecState* state, char32_t c, char32_t next,
                uint8_t* out, size_t* size) {
  const int used = EncodeDouble(codec, state, c, next, out, size);
  const unsigned syllable = c - kFirstSyllable;
  if (used == 1 || syllable >= kSyllableCount) return used;
  const unsigned parts[] = {0x34, kLeading[syllable / 588],
                            kFirstVowel + syllable / 28 % kVowelCount, kTrailing[syllable % 28]};
  for (int i = 0; i < 4; ++i) {
    out[2 * i] = 0xA4;
    out[2 * i + 1] = static_cast<uint8_t>(0xA0 + parts[i]);
  }
  *size = 8;
  return 1;
}

constexpr MultibyteSpec kCodecs[] = {
    {"gb18030", DecodeGb18030, EncodeGb18030, {Id::gb18030}},
    {"gbk", DecodeDouble, EncodeDouble, {Id::gbk}},
    {"gb2312", DecodeDouble, EncodeDouble, {Id::gb2312}},
    {"big5", DecodeDouble, EncodeDouble, {Id::big5}},
    {"cp950", DecodeDouble, EncodeDouble, {Id::cp950}},
    {"big5hkscs", DecodeDouble, EncodeDouble, {Id::big5hkscs}},
    {"euc_jp", DecodeEucJp, EncodeEucJp, {Id::jisx0208, Id::jisx0212}},
    {"euc_jis_2004", DecodeEucJp, EncodeEucJp, {Id::jisx0213_1, Id::jisx0213_2, Id::jisx0212}},
    {"euc_jisx0213",
     DecodeEucJp,
     EncodeEucJp,
     {Id::jisx0213_2000_1, Id::jisx0213_2000_2, Id::jisx0212, Id::jisx0213_1, Id::jisx0213_2}},
    {"shift_jis", DecodeShiftJis, EncodeShiftJis, {Id::jisx0208}},
    {"shift_jis_2004",
     DecodeShiftJis0213,
     EncodeShiftJis0213,
     {Id::jisx0213_1, Id::jisx0213_2},
     nullptr,
     0,
     0,
     nullptr,
     false},
    {"shift_jisx0213",
     DecodeShiftJis0213,
     EncodeShiftJis0213,
     {Id::jisx0213_2000_1, Id::jisx0213_2000_2, Id::kNone, Id::jisx0213_1},
     nullptr,
     0,
     0,
     nullptr,
     false},
    {"cp932", DecodeCp932, EncodeCp932, {Id::cp932}},
    {"euc_kr", DecodeEucKr, EncodeEucKr, {Id::ksx1001}},
    {"cp949", DecodeDouble, EncodeDouble, {Id::cp949}},
    {"johab", DecodeDouble, EncodeDouble, {Id::johab}},
};

}  // namespace

const MultibyteSpec* FindMultibyteCodec(std::string_view name) {
  for (const MultibyteSpec& spec : kCodecs) {
    if (spec.name == name) return &spec;
  }
  const MultibyteSpec* spec;
  for (size_t i = 0; (spec = StatefulCodecAt(i)) != nullptr; ++i) {
    if (spec->name == name) return spec;
  }
  return nullptr;
}

}  // namespace minivm

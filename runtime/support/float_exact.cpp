// Digits of a double by arithmetic on numbers as long as it takes.
#include "runtime/support/float_exact.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace minivm {

namespace {

constexpr uint32_t kChunk = 1'000'000'000;  // what one step yields: nine digits
constexpr int kChunkDigits = 9;
constexpr int kMostLimbs = 36;  // 1024 bits before the point, 1074 behind it

// Puts mantissa * 2**shift into limbs, the lowest first, which are zero. -> how many are used.
int Place(uint32_t* limbs, uint64_t mantissa, int shift) {
  const int at = shift / 32;
  const unsigned __int128 bits = static_cast<unsigned __int128>(mantissa) << shift % 32;
  for (int i = 0; i < 3; ++i) limbs[at + i] = static_cast<uint32_t>(bits >> 32 * i);
  int n = at + 3;
  while (n > 0 && limbs[n - 1] == 0) --n;
  return n;
}

char* WriteChunk(char* out, uint32_t chunk) {
  for (int i = kChunkDigits; i-- > 0; chunk /= 10) out[i] = static_cast<char>('0' + chunk % 10);
  return out + kChunkDigits;
}

// Appends digits; zeros before the first other one only lower its exponent.
void Append(ExactDecimal* out, const char* digits, int n) {
  while (n > 0 && out->count == 0 && *digits == '0') {
    ++digits;
    --n;
    --out->exponent;
  }
  std::memcpy(out->digits + out->count, digits, static_cast<size_t>(n));
  out->count += n;
}

// The digits before the point.
void AppendWhole(ExactDecimal* out, uint64_t mantissa, int shift) {
  uint32_t limbs[kMostLimbs] = {}, chunks[kMostLimbs];
  int count = 0;
  for (int n = Place(limbs, mantissa, shift); n > 0; n -= limbs[n - 1] == 0) {
    uint64_t rest = 0;
    for (int i = n; i-- > 0;) {
      rest = rest << 32 | limbs[i];
      limbs[i] = static_cast<uint32_t>(rest / kChunk);
      rest %= kChunk;
    }
    chunks[count++] = static_cast<uint32_t>(rest);
  }
  out->exponent = count * kChunkDigits - 1;
  char text[kChunkDigits];
  while (count-- > 0) {
    WriteChunk(text, chunks[count]);
    Append(out, text, kChunkDigits);
  }
}

// The digits behind the point, of mantissa / 2**bits, until those beyond the limits tell how to
// round. -> is there more that is not zero?
bool AppendFraction(ExactDecimal* out, uint64_t mantissa, int bits, int most_digits,
                    int most_places) {
  uint32_t limbs[kMostLimbs + 3] = {};
  const int size = (bits + 31) / 32;
  Place(limbs, mantissa, 32 * size - bits);
  int low = 0;  // the limbs below are zero
  for (int places = 0; out->count <= most_digits && places <= most_places; places += kChunkDigits) {
    while (low < size && limbs[low] == 0) ++low;
    if (low == size) return false;
    uint64_t carry = 0;
    for (int i = low; i < size; ++i) {
      carry += uint64_t{limbs[i]} * kChunk;
      limbs[i] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    char text[kChunkDigits];
    WriteChunk(text, static_cast<uint32_t>(carry));
    Append(out, text, kChunkDigits);
  }
  return std::any_of(limbs + low, limbs + size, [](uint32_t limb) { return limb != 0; });
}

// Keeps `keep` digits of out, which may be less than none; `more`: there are others than zero after
// the last.
void Cut(ExactDecimal* out, int keep, bool more) {
  if (keep >= out->count) return;
  const char* const end = out->digits + out->count;
  if (keep < 0) {
    out->count = 0;
    return;
  }
  const char* const next = out->digits + keep;
  bool up = *next > '5';
  if (*next == '5') {
    up = more || (keep > 0 && (next[-1] - '0') % 2 != 0) ||
         std::any_of(next + 1, end, [](char c) { return c != '0'; });
  }
  out->count = keep;
  if (!up) return;
  while (out->count > 0 && out->digits[out->count - 1] == '9') --out->count;
  if (out->count > 0) {
    ++out->digits[out->count - 1];
    return;
  }
  out->digits[0] = '1';
  out->count = 1;
  ++out->exponent;
}

}  // namespace

void RoundExactly(double value, int most_digits, int most_places, ExactDecimal* out) {
  out->count = 0;
  out->exponent = -1;
  if (value == 0) return;
  int exponent;
  const auto mantissa = static_cast<uint64_t>(std::ldexp(std::frexp(value, &exponent), 53));
  exponent -= 53;
  bool more = false;
  if (exponent >= 0) {
    AppendWhole(out, mantissa, exponent);
  } else {
    const int bits = -exponent;
    uint64_t fraction = mantissa;
    if (bits < 64) {
      AppendWhole(out, mantissa >> bits, 0);
      fraction &= (uint64_t{1} << bits) - 1;
    }
    more = AppendFraction(out, fraction, bits, most_digits, most_places);
  }
  if (out->count == 0) return;
  const int64_t up_to_place = int64_t{out->exponent} + 1 + most_places;
  Cut(out, static_cast<int>(std::min<int64_t>(most_digits, up_to_place)), more);
}

}  // namespace minivm

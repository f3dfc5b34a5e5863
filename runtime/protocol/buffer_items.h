// Single items of a buffer: native format characters to values and back.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

// The native format character of a format string ("B", "@i"), 0 if it is anything else.
char NativeFormat(const char* format);
// Bytes of an item; 0 for characters that are no native format.
int64_t NativeItemSize(char code);
// The value at p. REQUIRES: NativeItemSize(code) != 0
Result<> UnpackItem(ThreadState& ts, char code, const uint8_t* p);
// Writes v. TypeError "memoryview: invalid type for format 'x'", ValueError "... invalid value
// ...".
Status PackItem(ThreadState& ts, char code, const char* format, uint8_t* p, Value v);
// Are the items equal as values? False for NaN. Pure.
bool ItemsEqual(char code_a, const uint8_t* a, char code_b, const uint8_t* b);

// IEEE 754 half precision. HalfFromDouble is false when the value is too large.
double DoubleFromHalf(uint16_t bits);
bool HalfFromDouble(double value, uint16_t* bits);

}  // namespace minivm

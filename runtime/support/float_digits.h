// A double with a given number of decimal places, exactly rounded.
//
// A double is an integer times a power of two, so that its product with a power of ten, rounded
// half to even, is exact in 128 bits for nearly all that programs print; std::to_chars does the
// rest, slower.
#pragma once

namespace minivm {

// "ddd.ddd" with `precision` digits behind the point, none and no point if it is 0.
// REQUIRES: value finite and not negative, room up to `limit`. Returns the end.
char* WriteFixed(char* out, char* limit, double value, int precision);

}  // namespace minivm

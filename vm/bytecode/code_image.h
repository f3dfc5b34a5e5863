// The code of a module as data: what the build makes of the modules that are packed into the
// executable, so that importing them compiles nothing.
//
// An image is a header and streams of bytes, one for each kind of thing (opcodes, operands, places
// in the source ...), which pack better apart. It describes a pool of constants, strings and code
// objects in order of first use; what refers to an entry says how far back it is. The last one is
// the module's code. File names are not in it, nor what NewCode() works out by itself.
//
// Images are trusted: words that no compiler made could do anything, so nothing that a script can
// reach may lead here (marshal has a format of its own). Reader and writer are of one build.
#pragma once

#include <string>
#include <string_view>

#include "vm/bytecode/code_object.h"

namespace minivm {

// The streams of an image, in their order.
enum class ImageStream : uint8_t {
  kPool,   // what kind each entry is, lengths, references
  kCodes,  // code objects but for their words
  kOps,    // one byte for each word, as the operands below
  kA,
  kB,
  kC,
  kX,       // signed varints
  kNames,   // of the rows that have one: varints
  kLive,    // difference from what the word before and operand A lead to expect
  kTags,    // see position_table.h: tags
  kPlaces,  // and what follows them
  kText,    // characters of strings and bytes; last, as what the source is packed with repeats it
  kCount
};
inline constexpr int kImageStreams = static_cast<int>(ImageStream::kCount);

enum ImageKind : uint32_t {
  kImageNone,
  kImageFalse,
  kImageTrue,
  kImageEllipsis,
  kImageInt,
  kImageBigInt,
  kImageFloat,
  kImageComplex,
  kImageBytes,
  kImageTuple,
  kImageFrozenset,
  kImageCode,
  kImageStr,  // + length * 4 + (wider than ASCII) * 2 + interned
};

// Which operands of an opcode an image has.
enum ImageOperands : uint8_t {
  kImageA = 1,
  kImageB = 2,
  kImageC = 4,
  kImageX = 8,
  kImageName = 16,
  kImageAIsTop = 32,  // A is the first register above those that are live
};
extern const uint8_t kImageOperands[kOpCount];

// The module's code. REQUIRES: WriteCodeImage() of this build made the image.
Result<CodeObject> ReadCodeImage(ThreadState& ts, std::string_view image, StrObject* filename);

// Appends the image of a module's code as the compiler made it. False: it holds a constant that
// images have no form for. May throw std::bad_alloc.
bool WriteCodeImage(ThreadState& ts, const CodeObject* code, std::string* image);

}  // namespace minivm

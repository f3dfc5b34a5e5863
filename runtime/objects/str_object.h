// str: immutable Unicode text, one, two or four bytes per character.
//
// The narrowest kind that holds every character is always used, so equal strings have equal
// bytes. aux caches the hash (0: not computed). The word behind the header holds the length, the
// kind and the flags "ASCII only" and "interned" (not in Object::gc: instances of subclasses made
// by scripts are containers, and the collector uses those bits). Data is followed by one NUL
// character; instances of subclasses keep their attributes behind that (tail_offset).
#pragma once

#include <string>
#include <string_view>

#include "runtime/core/thread_state.h"
#include "runtime/support/hash.h"

namespace minivm {

class StrObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kStr;

  uint64_t length : 48;  // characters
  uint64_t kind_ : 8;    // bytes per character: 1, 2 or 4
  uint64_t ascii_ : 1;
  uint64_t interned_ : 1;  // the intern table's: it clears the entry when the string dies

  int kind() const { return static_cast<int>(kind_); }
  bool ascii() const { return ascii_; }
  bool interned() const { return interned_; }
  void set_interned(bool on) { interned_ = on; }
  // A bound on the characters that has the kind and the ASCII flag of this string.
  char32_t bound() const {
    return ascii_ ? 0x7F : kind_ == 1 ? 0xFF : kind_ == 2 ? 0xFFFF : 0x10FFFF;
  }
  size_t size_bytes() const { return length * kind(); }
  const uint8_t* data1() const { return reinterpret_cast<const uint8_t*>(this + 1); }
  const uint16_t* data2() const { return reinterpret_cast<const uint16_t*>(this + 1); }
  const uint32_t* data4() const { return reinterpret_cast<const uint32_t*>(this + 1); }
  uint8_t* data1() { return reinterpret_cast<uint8_t*>(this + 1); }
  uint16_t* data2() { return reinterpret_cast<uint16_t*>(this + 1); }
  uint32_t* data4() { return reinterpret_cast<uint32_t*>(this + 1); }
  char32_t At(size_t i) const {
    switch (kind()) {
      case 1: return data1()[i];
      case 2: return data2()[i];
      default: return data4()[i];
    }
  }
  // The text of an ASCII string (which is its UTF-8).
  std::string_view ascii_view() const {
    return {reinterpret_cast<const char*>(data1()), static_cast<size_t>(length)};
  }
  bool EqualsAscii(std::string_view s) const { return ascii() && ascii_view() == s; }
  // Where an instance of a script's subclass keeps its DictObject* (AttrStorage::kVarTail).
  size_t tail_offset() const { return (sizeof(*this) + (length + 1) * kind_ + 7) & ~size_t{7}; }
};
static_assert(sizeof(StrObject) == 24);

// Calls f with a pointer to the characters in their own width.
template <class F>
inline auto WithChars(const StrObject* s, F f) {
  switch (s->kind()) {
    case 1: return f(s->data1());
    case 2: return f(s->data2());
    default: return f(s->data4());
  }
}

// Same text. Pure.
bool StrEquals(const StrObject* a, const StrObject* b);
// <0, 0, >0 by code point. Pure.
int StrCompare(const StrObject* a, const StrObject* b);
// The 32-bit hash, computed on first use. Pure. hash() of the language is StrHash64 of it.
uint32_t StrHashSlow(const RuntimeState& rt, StrObject* s);
inline uint32_t StrHash(const RuntimeState& rt, StrObject* s) {
  return s->aux ? s->aux : StrHashSlow(rt, s);
}
inline int64_t StrHash64(uint32_t hash) { return UnfoldHash(hash); }

// From UTF-8 that is known to be valid (literals, our own text); lone surrogates encoded in the
// WTF-8 way are taken. One-character and empty strings are shared.
Result<StrObject> NewStr(ThreadState& ts, std::string_view utf8);
// From UTF-8 that may be invalid: bad bytes become U+DC80.. (surrogateescape).
Result<StrObject> NewStrFromOs(ThreadState& ts, std::string_view bytes);
// Room for `length` characters up to max_char, contents to be written by the caller. `length` must
// pass the memory cap; MemoryError otherwise. REQUIRES: the widest character is in max_char's kind
Result<StrObject> NewStrRaw(ThreadState& ts, size_t length, char32_t max_char);
// From characters of a given width, narrowed to what they need.
Result<StrObject> NewStrFromUcs1(ThreadState& ts, const uint8_t* p, size_t n);  // latin-1
Result<StrObject> NewStrFromUcs2(ThreadState& ts, const uint16_t* p, size_t n);
Result<StrObject> NewStrFromUcs4(ThreadState& ts, const uint32_t* p, size_t n);
Result<StrObject> EmptyStr(ThreadState& ts);
// A fresh string whose max_char was only a bound: narrowed if its characters allow.
Result<StrObject> StrNarrow(ThreadState& ts, Ref<StrObject> s);
// Copies characters into a string under construction. REQUIRES: they fit its kind. Pure.
void StrCopyChars(StrObject* to, size_t at, const StrObject* from, size_t start, size_t n);
Result<StrObject> StrFromChar(ThreadState& ts, char32_t c);
// s[start:end], clamped by the caller.
Result<StrObject> StrSlice(ThreadState& ts, StrObject* s, size_t start, size_t end);
Result<StrObject> StrConcat(ThreadState& ts, StrObject* a, StrObject* b);
// owned + tail, where the caller gives its reference to `owned` away: an exact str of reference
// count 1 that is not interned grows in place when its memory allows, and with room to spare when
// it moves, so that a loop of s += x is linear. Consumes `owned`, also on failure.
Result<StrObject> StrAppendInPlace(ThreadState& ts, StrObject* owned, StrObject* tail);
// The n pieces one after the other (all str): what an f-string builds. Borrows them.
Result<StrObject> StrConcatMany(ThreadState& ts, const Value* pieces, size_t n);
// s * count; empty for count <= 0.
Result<StrObject> StrRepeat(ThreadState& ts, StrObject* s, int64_t count);
// separator.join(items); items are any iterable.
Result<StrObject> StrJoin(ThreadState& ts, StrObject* separator, Value items);
// Index of `needle` in s[start:end], or -1. Pure, linear.
int64_t StrFind(const StrObject* s, const StrObject* needle, size_t start, size_t end);
// The interned object with this text: a new reference. Consumes nothing.
Result<StrObject> Intern(ThreadState& ts, StrObject* s);
Result<StrObject> InternUtf8(ThreadState& ts, std::string_view utf8);
// The text as UTF-8, lone surrogates in the WTF-8 way; for messages and the VM's own use.
void AppendUtf8(const StrObject* s, std::string* out);
std::string ToUtf8(const StrObject* s);
// UnicodeEncodeError if s has surrogates: what names and docstrings of types must not have.
Status CheckEncodable(ThreadState& ts, StrObject* s);
// The text for the operating system (surrogateescape reversed); ValueError "embedded null
// character" if it holds NUL, UnicodeEncodeError for other surrogates.
Status ToOsString(ThreadState& ts, StrObject* s, std::string* out);
// repr(s)
Result<StrObject> StrRepr(ThreadState& ts, StrObject* s);
// An exact str with the text of s: s itself unless it is of a subclass.
Result<StrObject> StrExact(ThreadState& ts, StrObject* s);
// v as a str object if it is one (or of a subclass), else TypeError "<what> must be str, not T".
Result<StrObject*> ExpectStr(ThreadState& ts, Value v, const char* what);

// Builds a string piece by piece, widening as needed. Short texts gather inside the builder; long
// ones in a str object that Finish() hands out if it is reasonably full.
class StrBuilder {
 public:
  explicit StrBuilder(ThreadState& ts) : ts_(ts) {}
  ~StrBuilder();
  StrBuilder(const StrBuilder&) = delete;
  StrBuilder& operator=(const StrBuilder&) = delete;
  // Each is false-y (raised) with MemoryError when there is no room.
  Status Append(char32_t c) {
    if (MVM_LIKELY(c < 0x80 && kind_ == 1 && length_ < capacity_)) {
      static_cast<uint8_t*>(data_)[length_++] = static_cast<uint8_t>(c);
      return Ok();
    }
    return AppendSlow(c);
  }
  Status Append(const StrObject* s) { return AppendSlice(s, 0, s->length); }
  Status AppendSlice(const StrObject* s, size_t start, size_t end);
  Status AppendAscii(std::string_view s);
  Status AppendUtf8(std::string_view s);
  Status AppendRepeated(char32_t c, size_t n);
  // Room for more characters of the width now in use.
  Status Reserve(size_t more_chars);
  size_t length() const { return length_; }
  // Forgets what was appended after the first n characters. REQUIRES: n <= length()
  void Truncate(size_t n) { length_ = n; }
  // The text; the builder is empty afterwards.
  Result<StrObject> Finish();

 private:
  static constexpr size_t kInline = 256;
  Status AppendSlow(char32_t c);
  // Room for `more` characters of the kind that holds max_char.
  Status Grow(size_t more, char32_t max_char);

  ThreadState& ts_;
  void* data_ = inline_;
  size_t capacity_ = kInline;  // characters
  size_t length_ = 0;
  int kind_ = 1;
  char32_t max_char_ = 0x7F;     // bound by what was appended
  StrObject* object_ = nullptr;  // owned; null while inline_ is used
  alignas(8) char inline_[kInline];
};

}  // namespace minivm

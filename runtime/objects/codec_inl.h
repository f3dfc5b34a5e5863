// The loop that all encoders with error handlers share.
#pragma once

#include "runtime/objects/codec.h"
#include "runtime/support/text_buffer.h"

namespace minivm {

// put(c, TextBuffer*) writes a character or returns false if the encoding has none for it. Runs of
// such characters (of UTF-16 and UTF-32 one at a time) go to the error handler. `unit`: replacement
// bytes must be a multiple of it.
template <class Put>
Result<BytesObject> EncodeWith(ThreadState& ts, StrObject* s, std::string_view errors,
                               const char* encoding, const char* reason, Put put,
                               std::string_view prefix = {}, size_t unit = 1) {
  MVM_TRY_VOID(CheckRoom(ts, s->length * unit * 2));
  TextBuffer out(Heap::kMaxAllocation);
  out.Append(prefix);
  size_t i = 0;
  while (i < s->length) {
    i = WithChars(s, [&](auto* p) {
      size_t k = i;
      while (k < s->length && put(static_cast<char32_t>(p[k]), &out)) ++k;
      return k;
    });
    if (i == s->length) break;
    TextBuffer scratch;
    size_t end = i + 1;
    while (unit == 1 && end < s->length && !put(s->At(end), &scratch)) ++end;
    EncodeReplacement replacement;
    MVM_TRY_VOID(HandleEncodeError(ts, s, errors, encoding, i, end, reason, &replacement));
    if (IsBytes(ts, replacement.text)) {
      const std::string_view bytes = replacement.text.as<BytesObject>()->view();
      if (bytes.size() % unit != 0) {
        EncodeReplacement unused;
        MVM_TRY_VOID(HandleEncodeError(ts, s, "strict", encoding, i, end, reason, &unused));
      }
      out.Append(bytes);
    } else {
      const StrObject* text = replacement.text.as<StrObject>();
      // The encodings of all of Unicode take ASCII only, as CPython's do.
      const bool ascii_only = std::string_view(encoding).starts_with("utf-");
      for (size_t k = 0; k < text->length; ++k) {
        if ((ascii_only && text->At(k) > 0x7F) || !put(text->At(k), &out)) {
          EncodeReplacement unused;
          MVM_TRY_VOID(HandleEncodeError(ts, s, "strict", encoding, i, end, reason, &unused));
        }
      }
    }
    i = replacement.next;
  }
  if (out.failed()) return RaiseMemoryError(ts);
  return NewBytes(ts, out.view());
}

}  // namespace minivm

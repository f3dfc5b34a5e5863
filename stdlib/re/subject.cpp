// Texts that patterns are applied to, pieces of them, and what is built of pieces.
#include <algorithm>

#include "stdlib/re/re_types.h"

namespace minivm::regex {

Status Subject::Get(ThreadState& ts, const PatternObject* pattern, Value string) {
  object = string;
  if (IsStr(ts, string)) {
    const StrObject* s = string.as<StrObject>();
    is_str = true;
    width = s->kind();
    size = s->length;
    data = s->data1();
    if (pattern && pattern->bytes) {
      return Raise(ts, Exc::kTypeError, "cannot use a bytes pattern on a string-like object");
    }
  } else {
    MVM_TRY_VOID(view_.Get(ts, string, "expected string or bytes-like object, got '%T'"));
    size = view_.size();
    data = view_.data();
    if (pattern && !pattern->bytes) {
      return Raise(ts, Exc::kTypeError, "cannot use a string pattern on a bytes-like object");
    }
  }
  endpos = size;
  return Ok();
}

void Subject::SetBounds(int64_t from, int64_t to) {
  const int64_t n = static_cast<int64_t>(size);
  pos = static_cast<size_t>(std::clamp<int64_t>(from, 0, n));
  endpos = static_cast<size_t>(std::clamp<int64_t>(to, 0, n));
}

Result<> Subject::Slice(ThreadState& ts, int64_t start, int64_t end) const {
  // A buffer may have shrunk since the match.
  const int64_t n = static_cast<int64_t>(size);
  start = std::clamp<int64_t>(start, 0, n);
  end = std::clamp<int64_t>(end, start, n);
  if (is_str)
    return StrSlice(ts, object.as<StrObject>(), static_cast<size_t>(start),
                    static_cast<size_t>(end));
  if (start == 0 && end == n && IsExact(object, TypeId::kBytes)) return Result<>::Borrow(object);
  return NewBytes(ts, {static_cast<const char*>(data) + start, static_cast<size_t>(end - start)});
}

Result<> GroupOf(ThreadState& ts, const Subject& subject, const Matcher& matcher, uint32_t g,
                 Value missing) {
  if (g == 0)
    return subject.Slice(ts, static_cast<int64_t>(matcher.start()),
                         static_cast<int64_t>(matcher.end()));
  const int64_t start = matcher.group_start(g);
  if (start < 0) return Result<>::Borrow(missing);
  return subject.Slice(ts, start, matcher.group_end(g));
}

Status CheckTemplateType(ThreadState& ts, const Template& t, const Subject& subject) {
  if (t.bytes != subject.is_str) return Ok();
  for (size_t i = 0; i < t.pieces.size(); ++i) {
    if (t.pieces[i].group == Template::kLiteral) continue;
    return t.bytes ? Raise(ts, Exc::kTypeError,
                           "sequence item %zu: expected a bytes-like object, str found", i)
                   : Raise(ts, Exc::kTypeError,
                           "sequence item %zu: expected str instance, bytes found", i);
  }
  return Ok();
}

// ---- TextBuilder ----

Status TextBuilder::Add(const Subject& subject, size_t start, size_t end) {
  if (is_str_) return str_.AppendSlice(subject.object.as<StrObject>(), start, end);
  if (!bytes_.Append(static_cast<const uint8_t*>(subject.data) + start, end - start))
    return RaiseMemoryError(ts_);
  return Ok();
}

Status TextBuilder::AddText(const Template& t, size_t start, size_t end) {
  if (is_str_) return str_.AppendSlice(t.text, start, end);
  if (!bytes_.Append(t.text->data1() + start, end - start)) return RaiseMemoryError(ts_);
  return Ok();
}

Status TextBuilder::AddValue(Value v, size_t index) {
  if (is_str_) {
    if (!IsStr(ts_, v)) {
      return Raise(ts_, Exc::kTypeError, "sequence item %zu: expected str instance, %N found",
                   index, TypeOf(ts_, v));
    }
    return str_.Append(v.as<StrObject>());
  }
  if (!HasBuffer(ts_, v)) {
    return Raise(ts_, Exc::kTypeError, "sequence item %zu: expected a bytes-like object, %N found",
                 index, TypeOf(ts_, v));
  }
  ByteView view;
  MVM_TRY_VOID(view.Get(ts_, v));
  if (!bytes_.Append(view.data(), view.size())) return RaiseMemoryError(ts_);
  return Ok();
}

Result<> TextBuilder::Finish() {
  if (is_str_) return str_.Finish();
  return NewBytes(ts_, {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()});
}

}  // namespace minivm::regex

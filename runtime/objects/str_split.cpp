// Methods of str that take it apart: split, rsplit, splitlines, partition, rpartition.
#include <algorithm>

#include "runtime/objects/list_object.h"
#include "runtime/objects/str_methods.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/text_search.h"

namespace minivm {
namespace {

// Collects slices of one string.
class Pieces {
 public:
  Pieces(ThreadState& ts, StrObject* s) : ts_(ts), s_(s) {}
  Status Start() {
    MVM_TRY(list_, NewListReserve(ts_, 8));
    return Ok();
  }
  Status Add(size_t from, size_t to) {
    MVM_TRY(Ref<StrObject> piece, StrSlice(ts_, s_, from, to));
    ListObject* list = list_;
    if (MVM_UNLIKELY(list->size == list->capacity)) {
      MVM_TRY_VOID(ListGrow(ts_, list, list->size + 1));
    }
    list->items[list->size++] = Value(piece.Release());
    return Ok();
  }
  Result<> Finish(bool reversed) {
    if (reversed) std::reverse(list_->items, list_->items + list_->size);
    return std::move(list_);
  }

 private:
  ThreadState& ts_;
  StrObject* s_;
  Ref<ListObject> list_;
};

template <class CharT>
Status SplitSpace(Pieces& out, const CharT* p, size_t n, size_t limit) {
  size_t i = 0;
  for (;;) {
    while (i < n && IsSpaceChar(p[i])) ++i;
    if (i == n) return Ok();
    const size_t start = i;
    if (limit-- == 0) return out.Add(start, n);
    while (i < n && !IsSpaceChar(p[i])) ++i;
    MVM_TRY_VOID(out.Add(start, i));
  }
}

template <class CharT>
Status RSplitSpace(Pieces& out, const CharT* p, size_t n, size_t limit) {
  for (;;) {
    while (n > 0 && IsSpaceChar(p[n - 1])) --n;
    if (n == 0) return Ok();
    const size_t end = n;
    if (limit-- == 0) return out.Add(0, end);
    while (n > 0 && !IsSpaceChar(p[n - 1])) --n;
    MVM_TRY_VOID(out.Add(n, end));
  }
}

template <class CharT, class SepT>
Status SplitText(Pieces& out, const CharT* p, size_t n, const SepT* sep, size_t m, size_t limit) {
  size_t start = 0;
  while (limit-- > 0) {
    const ptrdiff_t at = FindText(p + start, n - start, sep, m);
    if (at < 0) break;
    MVM_TRY_VOID(out.Add(start, start + static_cast<size_t>(at)));
    start += static_cast<size_t>(at) + m;
  }
  return out.Add(start, n);
}

template <class CharT, class SepT>
Status RSplitText(Pieces& out, const CharT* p, size_t n, const SepT* sep, size_t m, size_t limit) {
  while (limit-- > 0) {
    const ptrdiff_t at = RFindText(p, n, sep, m);
    if (at < 0) break;
    MVM_TRY_VOID(out.Add(static_cast<size_t>(at) + m, n));
    n = static_cast<size_t>(at);
  }
  return out.Add(0, n);
}

Result<> Split(ThreadState& ts, Args args, bool from_end) {
  StrObject* s = args.self<StrObject>();
  int64_t max = -1;
  if (args.has(2)) {
    MVM_TRY(max, AsSize(ts, args[2]));
  }
  const size_t limit = max < 0 ? SIZE_MAX : static_cast<size_t>(max);
  Pieces out(ts, s);
  if (!args.has(1) || IsNone(ts, args[1])) {
    MVM_TRY_VOID(out.Start());
    MVM_TRY_VOID(WithChars(s, [&](auto* p) {
      return from_end ? RSplitSpace(out, p, s->length, limit)
                      : SplitSpace(out, p, s->length, limit);
    }));
    return out.Finish(from_end);
  }
  if (!IsStr(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "must be str or None, not %T", args[1]);
  StrObject* sep = args.as<StrObject>(1);
  if (sep->length == 0) return Raise(ts, Exc::kValueError, "empty separator");
  MVM_TRY_VOID(out.Start());
  if (sep->kind() > s->kind()) {
    MVM_TRY_VOID(out.Add(0, s->length));
    return out.Finish(false);
  }
  MVM_TRY_VOID(WithChars(s, [&](auto* p) {
    return WithChars(sep, [&](auto* q) -> Status {
      if constexpr (sizeof(*q) <= sizeof(*p)) {
        return from_end ? RSplitText(out, p, s->length, q, sep->length, limit)
                        : SplitText(out, p, s->length, q, sep->length, limit);
      } else {
        return Ok();
      }
    });
  }));
  return out.Finish(from_end);
}

template <class CharT>
Status SplitLines(Pieces& out, const CharT* p, size_t n, bool keep) {
  for (size_t i = 0; i < n;) {
    const size_t start = i;
    if constexpr (sizeof(CharT) == 1) {
      // Line breaks of Latin-1 are \n..\r, \x1c..\x1e and \x85.
      while (i < n && p[i] > 0x1E && p[i] != 0x85) ++i;
    }
    while (i < n && !IsLineBreak(p[i])) ++i;
    size_t end = i;
    if (i < n) {
      i += p[i] == '\r' && i + 1 < n && p[i + 1] == '\n' ? 2 : 1;
      if (keep) end = i;
    }
    MVM_TRY_VOID(out.Add(start, end));
  }
  return Ok();
}

Result<> ThreeParts(ThreadState& ts, Ref<StrObject> a, Ref<StrObject> b, Ref<StrObject> c) {
  Value parts[] = {a.Release(), b.Release(), c.Release()};
  return NewTupleSteal(ts, parts, 3);
}

Result<> Partition(ThreadState& ts, Args args, bool from_end) {
  StrObject* s = args.self<StrObject>();
  if (!IsStr(ts, args[1])) return Raise(ts, Exc::kTypeError, "must be str, not %T", args[1]);
  StrObject* sep = args.as<StrObject>(1);
  const size_t m = sep->length;
  if (m == 0) return Raise(ts, Exc::kValueError, "empty separator");
  int64_t at = -1;
  if (!from_end) {
    at = StrFind(s, sep, 0, s->length);
  } else if (m <= s->length && sep->kind() <= s->kind()) {
    at = WithChars(s, [&](auto* p) {
      return WithChars(sep, [&](auto* q) -> int64_t {
        if constexpr (sizeof(*q) <= sizeof(*p)) {
          return RFindText(p, s->length, q, m);
        } else {
          return -1;
        }
      });
    });
  }
  if (at < 0) {
    MVM_TRY(Ref<StrObject> whole, StrExact(ts, s));
    MVM_TRY(Ref<StrObject> empty, EmptyStr(ts));
    if (from_end) return ThreeParts(ts, empty, empty, std::move(whole));
    return ThreeParts(ts, std::move(whole), empty, empty);
  }
  MVM_TRY(Ref<StrObject> head, StrSlice(ts, s, 0, static_cast<size_t>(at)));
  MVM_TRY(Ref<StrObject> tail, StrSlice(ts, s, static_cast<size_t>(at) + m, s->length));
  return ThreeParts(ts, std::move(head), Ref<StrObject>::Borrow(sep), std::move(tail));
}

}  // namespace

Result<> str_split(ThreadState& ts, Args args) { return Split(ts, args, false); }
Result<> str_rsplit(ThreadState& ts, Args args) { return Split(ts, args, true); }
Result<> str_partition(ThreadState& ts, Args args) { return Partition(ts, args, false); }
Result<> str_rpartition(ThreadState& ts, Args args) { return Partition(ts, args, true); }

Result<> str_splitlines(ThreadState& ts, Args args) {
  StrObject* s = args.self<StrObject>();
  bool keep = false;
  if (args.has(1)) {
    MVM_TRY(keep, Truth(ts, args[1]));
  }
  Pieces out(ts, s);
  MVM_TRY_VOID(out.Start());
  MVM_TRY_VOID(WithChars(s, [&](auto* p) { return SplitLines(out, p, s->length, keep); }));
  return out.Finish(false);
}

}  // namespace minivm

// Input: reading ahead, long strings.
#include "stdlib/pickle/unpickle_input.h"

#include <algorithm>
#include <cstring>

#include "runtime/objects/memoryview_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/pickle/pickle_types.h"

namespace minivm::pickle {

namespace {
constexpr const char* kTruncated = "pickle data was truncated";
// Strings up to this size are made before their bytes are there; longer ones grow with them.
constexpr uint64_t kTrusted = 1 << 20;
}  // namespace

Status Input::SetBuffer(ThreadState& ts, Value v) {
  MVM_TRY_VOID(whole_.Get(ts, v));
  at_ = start_ = whole_.data();
  end_ = at_ + whole_.size();
  return Ok();
}

Status Input::SetFile(ThreadState& ts, Value file) {
  Reset();
  auto method = [&](const char* name, Ref<>* out) -> Status {
    MVM_TRY(*out, GetAttrOptional(ts, file, name));
    if (out->is_absent() || IsNone(ts, *out)) *out = Ref<>();
    return Ok();
  };
  Ref<> read, readline;
  MVM_TRY_VOID(method("peek", &peek_));
  MVM_TRY_VOID(method("readinto", &readinto_));
  MVM_TRY_VOID(method("read", &read));
  MVM_TRY_VOID(method("readline", &readline));
  if (!read || !readline) {
    return Raise(ts, Exc::kTypeError, "file must have 'read' and 'readline' attributes");
  }
  read_ = std::move(read);
  readline_ = std::move(readline);
  return Ok();
}

void Input::Reset() {
  at_ = end_ = start_ = nullptr;
  ahead_ = false;
  whole_.Release();
  piece_ = read_ = readline_ = readinto_ = peek_ = Ref<>();
}

void Input::UsePiece(Ref<BytesObject> bytes) {
  at_ = start_ = bytes->data();
  end_ = at_ + bytes->length;
  piece_ = std::move(bytes);
}

// The file moves on to where we are; nothing is buffered afterwards.
Status Input::Forget(ThreadState& ts) {
  const int64_t used = at_ - start_;
  const bool ahead = ahead_;
  ahead_ = false;
  at_ = end_ = start_ = nullptr;
  piece_ = Ref<>();
  if (!ahead || used == 0) return Ok();
  MVM_TRY_VOID(Call(ts, Ref<>(read_), Value::Int(used)));
  return Ok();
}

Status Input::Finish(ThreadState& ts) {
  if (!has_file() || !ahead_) return Ok();
  Ref<> pending = TakePending(ts);
  Status status = Forget(ts);
  if (!pending) return status;
  if (status.raised()) ClearPending(ts);
  RestorePending(ts, std::move(pending));
  return Ok();
}

Result<BytesObject> Input::Read(ThreadState& ts, uint64_t n) {
  MVM_TRY(Ref<> data, Call(ts, Ref<>(read_), Value::Int(static_cast<int64_t>(n))));
  if (IsExact(data, TypeId::kBytes)) return std::move(data).Into<BytesObject>();
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, data));
  return NewBytes(ts, view.view());
}

Status Input::Fill(ThreadState& ts, size_t n) {
  if (!has_file()) return RaiseUnpickling(ts, "%s", kTruncated);
  const bool left = at_ != end_;
  if (left && !ahead_) return RaiseUnpickling(ts, "pickle exhausted before end of frame");
  MVM_TRY_VOID(Forget(ts));
  if (peek_ && n < kReadAhead) {
    Result<> r = Call(ts, Ref<>(peek_), Value::Int(kReadAhead));
    if (r.raised()) {
      if (!ClearPendingIf(ts, Exc::kNotImplementedError)) return kRaised;
      peek_ = Ref<>();
    } else {
      Ref<> data = r.Take();
      if (IsExact(data, TypeId::kBytes) && data.as<BytesObject>()->length >= n) {
        UsePiece(std::move(data).Into<BytesObject>());
        ahead_ = true;
        return Ok();
      }
    }
  }
  MVM_TRY(Ref<BytesObject> bytes, Read(ts, n));
  if (bytes->length < n) return RaiseUnpickling(ts, "%s", kTruncated);
  UsePiece(std::move(bytes));
  return Ok();
}

Result<const uint8_t*> Input::TakeSlow(ThreadState& ts, size_t n) {
  if (n > static_cast<size_t>(INT64_MAX - (at_ - start_))) {
    return RaiseUnpickling(ts, "read would overflow (invalid bytecode)");
  }
  MVM_TRY_VOID(Fill(ts, n));
  const uint8_t* p = at_;
  at_ += n;
  return p;
}

Result<uint8_t> Input::TakeOp(ThreadState& ts) {
  if (MVM_LIKELY(at_ != end_)) return *at_++;
  if (has_file()) {
    MVM_TRY_VOID(Forget(ts));
    if (!Fill(ts, 1).raised()) return *at_++;
    MVM_TRY(Ref<TypeObject> own, [&]() -> Result<TypeObject> {
      Ref<> pending = TakePending(ts);
      Result<> type = ImportedName(ts, "_pickle", "UnpicklingError");
      if (type.raised()) return kRaised;
      Ref<> t = type.Take();
      const bool ours = IsType(ts, t) && IsInstance(ts, pending, t.as<TypeObject>());
      if (!ours) {
        RestorePending(ts, std::move(pending));
        return kRaised;
      }
      return std::move(t).Into<TypeObject>();
    }());
  }
  return Raise(ts, Exc::kEOFError, "Ran out of input");
}

Status Input::TakeLine(ThreadState& ts, std::string_view* line) {
  auto buffered = [&] {
    const size_t left = static_cast<size_t>(end_ - at_);
    const void* newline = left ? std::memchr(at_, '\n', left) : nullptr;
    if (!newline) return false;
    const char* from = reinterpret_cast<const char*>(at_);
    at_ = static_cast<const uint8_t*>(newline) + 1;
    *line = {from, static_cast<size_t>(reinterpret_cast<const char*>(at_) - from)};
    return true;
  };
  if (buffered()) return Ok();
  if (!has_file()) return RaiseUnpickling(ts, "%s", kTruncated);
  if (at_ != end_ && !ahead_) return RaiseUnpickling(ts, "pickle exhausted before end of frame");
  MVM_TRY_VOID(Forget(ts));
  MVM_TRY(Ref<> data, Call(ts, Ref<>(readline_)));
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, data));
  MVM_TRY(Ref<BytesObject> bytes, NewBytes(ts, view.view()));
  UsePiece(std::move(bytes));
  if (buffered()) return Ok();
  return RaiseUnpickling(ts, "%s", kTruncated);
}

Result<BytesObject> Input::TakeBytes(ThreadState& ts, uint64_t n) {
  const size_t left = static_cast<size_t>(end_ - at_);
  if (n <= left || !has_file()) {
    MVM_TRY(const uint8_t* p, Take(ts, n));
    return NewBytes(ts, {reinterpret_cast<const char*>(p), static_cast<size_t>(n)});
  }
  if (left > 0 && !ahead_) return RaiseUnpickling(ts, "pickle exhausted before end of frame");
  MVM_TRY_VOID(Forget(ts));
  if (!readinto_ || n > kTrusted) {
    if (n <= kTrusted) {
      MVM_TRY(Ref<BytesObject> bytes, Read(ts, n));
      if (bytes->length < n) return RaiseUnpickling(ts, "%s", kTruncated);
      if (bytes->length == n) return bytes;
      return NewBytes(ts, bytes->view().substr(0, n));
    }
  }
  // A block that grows with the bytes that come.
  uint64_t room = std::min(n, kTrusted), have = 0;
  MVM_TRY(Ref<BytesObject> block, NewBytesRaw(ts, room));
  for (;;) {
    if (readinto_) {
      MVM_TRY(Ref<MemoryviewObject> window,
              NewMemoryviewOn(ts, block, block->data() + have, static_cast<int64_t>(room - have),
                              false));
      MVM_TRY(Ref<> count, Call(ts, Ref<>(readinto_), window));
      MVM_TRY_VOID(MemoryviewRelease(ts, window));
      if (!count.is_int() || count.get().as_int() < static_cast<int64_t>(room - have)) {
        return RaiseUnpickling(ts, "%s", kTruncated);
      }
    } else {
      MVM_TRY(Ref<BytesObject> part, Read(ts, room - have));
      if (part->length < room - have) return RaiseUnpickling(ts, "%s", kTruncated);
      std::memcpy(block->data() + have, part->data(), room - have);
    }
    have = room;
    if (have == n) return block;
    room = std::min(n, room * 4);
    MVM_TRY_VOID(CheckRoom(ts, room));
    MVM_TRY(Ref<BytesObject> larger, NewBytesRaw(ts, room));
    std::memcpy(larger->data(), block->data(), have);
    block = std::move(larger);
  }
}

Status Input::EnterFrame(ThreadState& ts, uint64_t n) {
  if (static_cast<size_t>(end_ - at_) >= n) return Ok();
  if (n > static_cast<uint64_t>(INT64_MAX - (at_ - start_))) {
    return RaiseUnpickling(ts, "read would overflow (invalid bytecode)");
  }
  if (!has_file()) return RaiseUnpickling(ts, "%s", kTruncated);
  if (n <= kTrusted) return Fill(ts, n);
  MVM_TRY(Ref<BytesObject> bytes, TakeBytes(ts, n));
  UsePiece(std::move(bytes));
  return Ok();
}

}  // namespace minivm::pickle

// What decompressor objects have in common: a guard against being used from within, and input that
// waits because a call was allowed no more output.
#pragma once

#include <string_view>
#include <utility>

#include "runtime/core/thread_state.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/zlib/byte_buffer.h"

namespace minivm {

// Marks a stream as in use for as long as this lives: between slices of work scripts may run.
class BusyGuard {
 public:
  BusyGuard(ThreadState& ts, bool* busy) : busy_(*busy ? nullptr : busy) {
    if (busy_) {
      *busy_ = true;
    } else {
      Raise(ts, Exc::kRuntimeError, "the stream is in use");
    }
  }
  ~BusyGuard() {
    if (busy_) *busy_ = false;
  }
  BusyGuard(const BusyGuard&) = delete;
  BusyGuard& operator=(const BusyGuard&) = delete;
  explicit operator bool() const { return busy_ != nullptr; }

 private:
  bool* busy_;
};

// The bytes of a buffer, which is emptied.
inline Result<> TakeOutput(ThreadState& ts, zlib::ByteBuffer& out) {
  Result<BytesObject> bytes = NewBytes(ts, out.view());
  out.clear();
  return bytes;
}

// Part of a decompressor object, which visits `unused` and calls Free().
struct DecompressorInput {
  zlib::ByteBuffer* waiting;  // null until Init()
  Ref<BytesObject> unused;    // what stands behind the end
  bool eof, needs_input, busy;

  Status Init(ThreadState& ts) {
    MVM_TRY(unused, NewBytes(ts, {}));
    MVM_TRY(void* p, AllocBuffer(ts, sizeof(zlib::ByteBuffer)));
    waiting = new (p) zlib::ByteBuffer(ts.heap());
    needs_input = true;
    return Ok();
  }
  void Free(Heap& heap) {
    if (!waiting) return;
    waiting->~ByteBuffer();
    heap.FreeBuffer(std::exchange(waiting, nullptr), sizeof(zlib::ByteBuffer));
  }

  // decompress(data, max_length): what waits and data go through
  // run(std::string_view* input, size_t most, ByteBuffer* out), which gives whether that was the
  // end.
  template <class F>
  Result<> Decompress(ThreadState& ts, Value data_argument, Value length_argument, F run) {
    ByteView data;
    MVM_TRY_VOID(data.Get(ts, data_argument));
    MVM_TRY(int64_t max_length, AsInt64(ts, length_argument));
    BusyGuard guard(ts, &busy);
    if (!guard) return kRaised;
    if (eof) return Raise(ts, Exc::kEOFError, "End of stream already reached");
    std::string_view input = data.view();
    const bool waits = waiting->size() > 0;
    if (waits) {
      if (!waiting->Append(input.data(), input.size())) return RaiseMemoryError(ts);
      input = waiting->view();
    }
    const size_t before = input.size();
    zlib::ByteBuffer out(ts.heap());
    const size_t most = max_length < 0 ? SIZE_MAX : static_cast<size_t>(max_length);
    MVM_TRY(eof, run(&input, most, &out));
    if (eof) {
      MVM_TRY(unused, NewBytes(ts, input));
      input = {};
    }
    if (waits) {
      waiting->RemoveFront(before - input.size());
    } else if (!waiting->Append(input.data(), input.size())) {
      return RaiseMemoryError(ts);
    }
    needs_input = !eof && waiting->size() == 0 && (max_length < 0 || out.size() < most);
    return TakeOutput(ts, out);
  }
};

// The attributes, for a class O with a field `input`.
template <class O>
struct DecompressorAttributes {
  static Result<> Eof(ThreadState& ts, Value self) { return Bool(ts, self.as<O>()->input.eof); }
  static Result<> NeedsInput(ThreadState& ts, Value self) {
    return Bool(ts, self.as<O>()->input.needs_input);
  }
  static Result<> Unused(ThreadState&, Value self) {
    return Ref<BytesObject>(self.as<O>()->input.unused);
  }
  static Status Readonly(ThreadState& ts, Value, Value) {
    return Raise(ts, Exc::kAttributeError, "readonly attribute");
  }
};

// A decompressor object around the decoder of one format, which lies in a buffer of its own.
template <class Decoder>
class DecompressorOf : public Object {
 public:
  Decoder* decoder;
  DecompressorInput input;
  template <class V>
  void VisitRefs(V&& v) {
    v(input.unused);
  }
  void FreeBuffers(Heap& heap) {
    input.Free(heap);
    if (!decoder) return;
    decoder->~Decoder();
    heap.FreeBuffer(std::exchange(decoder, nullptr), sizeof(Decoder));
  }
};

}  // namespace minivm

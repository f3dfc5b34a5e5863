// What decompressor objects have in common: a guard against being used twice at a time, and input
// that waits because a call was allowed no more output.
#pragma once

#include <new>
#include <string_view>
#include <utility>

#include "runtime/core/wait_list.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/zlib/byte_buffer.h"

namespace minivm {

// Who uses a stream: between slices of work scripts may run, and during them other threads.
struct Busy {
  uint64_t owner;  // ident of the thread; 0: nobody
  WaitList waiting;
};

// Has the stream for itself as long as it lives. Another thread's turn is waited for; the same
// thread's, of which this is within, cannot end: RuntimeError. `object` is whose stream it is, and
// pinned by the caller.
class BusyGuard {
 public:
  BusyGuard(ThreadState& ts, Busy* busy, Object* object) : ts_(ts) {
    if (MVM_UNLIKELY(busy->owner != 0)) {
      if (busy->owner == ts.id) {
        Raise(ts, Exc::kRuntimeError, "the stream is in use");
        return;
      }
      if (busy->waiting.Wait(ts, object, kNever, [busy] { return busy->owner == 0; }).raised()) {
        return;
      }
    }
    busy->owner = ts.id;
    busy_ = busy;
  }
  ~BusyGuard() {
    if (busy_ == nullptr) return;
    busy_->owner = 0;
    busy_->waiting.WakeOne(ts_);
  }
  BusyGuard(const BusyGuard&) = delete;
  BusyGuard& operator=(const BusyGuard&) = delete;
  explicit operator bool() const { return busy_ != nullptr; }

 private:
  ThreadState& ts_;
  Busy* busy_ = nullptr;
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
  bool eof, needs_input;
  Busy busy;
  CodecMemory memory;  // what the decoder works with; begun by Init() or by BeginMemory()

  void BeginMemory(ThreadState& ts) { new (&memory) CodecMemory(ts.heap()); }
  Status Init(ThreadState& ts) {
    BeginMemory(ts);
    MVM_TRY(unused, NewBytes(ts, {}));
    MVM_TRY(void* p, AllocBuffer(ts, sizeof(zlib::ByteBuffer)));
    waiting = new (p) zlib::ByteBuffer(memory);
    needs_input = true;
    return Ok();
  }
  void Free(Heap& heap) {
    if (!waiting) return;
    waiting->~ByteBuffer();
    heap.FreeBuffer(std::exchange(waiting, nullptr), sizeof(zlib::ByteBuffer));
  }

  // decompress(self, data, max_length): what waits and data go through
  // run(std::string_view* input, size_t most, ByteBuffer* out), which gives whether that was the
  // end.
  template <class F>
  Result<> Decompress(ThreadState& ts, Value self, Value data_argument, Value length_argument,
                      F run) {
    ByteView data;
    MVM_TRY_VOID(data.Get(ts, data_argument));
    MVM_TRY(int64_t max_length, AsInt64(ts, length_argument));
    BusyGuard guard(ts, &busy, self.object());
    if (!guard) return kRaised;
    if (eof) return Raise(ts, Exc::kEOFError, "End of stream already reached");
    std::string_view input = data.view();
    const bool waits = waiting->size() > 0;
    if (waits) {
      if (!waiting->Append(input.data(), input.size())) return RaiseMemoryError(ts);
      input = waiting->view();
    }
    const size_t before = input.size();
    zlib::ByteBuffer out(memory);
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

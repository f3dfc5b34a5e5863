// Getting at the memory of other objects.
#include "runtime/protocol/buffer.h"

#include <algorithm>
#include <cstring>

#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/memoryview_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {
namespace {

constexpr const char* kNotBytesLike = "a bytes-like object is required, not '%T'";
constexpr const char* kNotWritable = "Object is not writable.";

// A view that a script's __buffer__ made: tells the exporter, then drops the memoryview.
void ReleaseScriptBuffer(BufferView* view) {
  Ref<> memory = Ref<>::Steal(Value(static_cast<Object*>(view->internal)));
  if (Heap::Of(memory.object())->current_ts == nullptr) return;  // too late to tell anybody
  ThreadState& ts = *Heap::Of(memory.object())->current_ts;
  Ref<> pending = TakePending(ts);
  Value arg = memory;
  Result<> r = CallSpecial(ts, view->object, MVM_NAME(ts, __release_buffer__), {&arg, 1});
  if (r.raised()) {
    WriteUnraisable(ts, view->object);
  } else {
    Ref<> result = r.Take();
    if (result.is_absent()) (void)result.Release();
  }
  if (pending) RestorePending(ts, std::move(pending));
}

Status GetScriptBuffer(ThreadState& ts, Value v, BufferView* out, bool writable,
                       const char* message) {
  constexpr int64_t kWritableFlag = 1, kFullFlags = 0x11C;  // inspect.BufferFlags.FULL_RO
  Value flags = Value::Int(kFullFlags | (writable ? kWritableFlag : 0));
  MVM_TRY(Ref<> memory, CallSpecial(ts, v, MVM_NAME(ts, __buffer__), {&flags, 1}));
  if (memory.is_absent()) {
    (void)memory.Release();
    return Raise(ts, Exc::kTypeError, message, v);
  }
  if (!IsExact(memory, TypeId::kMemoryview)) {
    return Raise(ts, Exc::kTypeError, "__buffer__ returned non-memoryview object");
  }
  MemoryviewObject* m = memory.as<MemoryviewObject>();
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  if (writable && m->readonly) return Raise(ts, Exc::kBufferError, kNotWritable);
  MemoryviewDescribe(m, out);
  out->object = Ref<>::Borrow(v);
  out->internal = memory.Release().object();
  out->release = ReleaseScriptBuffer;
  return Ok();
}

Status GetBufferOr(ThreadState& ts, Value v, BufferView* out, bool writable, const char* message) {
  if (!v.is_object()) return Raise(ts, Exc::kTypeError, message, v);
  TypeObject* type = TypeOf(ts, v);
  if (type->operators->buffer) return type->operators->buffer(ts, v, out, writable);
  return GetScriptBuffer(ts, v, out, writable, message);
}

Status GetContiguous(ThreadState& ts, Value v, BufferView* out, bool writable,
                     const char* message) {
  MVM_TRY_VOID(GetBufferOr(ts, v, out, writable, message));
  if (!out->c_contiguous()) {
    out->Release();
    return Raise(ts, Exc::kBufferError, "memoryview: underlying buffer is not C-contiguous");
  }
  return Ok();
}

struct CopyWalk {
  const BufferView& view;
  const int64_t* shape;
  const int64_t* strides;
  uint8_t* out;

  void Go(int dim, const uint8_t* p) {
    if (dim == view.ndim) {
      std::memcpy(out, p, static_cast<size_t>(view.item_size));
      out += view.item_size;
      return;
    }
    for (int64_t i = 0; i < shape[dim]; ++i) Go(dim + 1, p + i * strides[dim]);
  }
};

}  // namespace

bool BufferView::c_contiguous() const {
  if (!strides || size == 0) return true;
  int64_t expected = item_size;
  for (int i = ndim; i-- > 0;) {
    if (shape[i] > 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

bool BufferView::f_contiguous() const {
  if (ndim <= 1) return c_contiguous();
  if (size == 0) return true;
  if (!strides) {
    int longer = 0;
    for (int i = 0; i < ndim; ++i) longer += shape[i] > 1;
    return longer <= 1;
  }
  int64_t expected = item_size;
  for (int i = 0; i < ndim; ++i) {
    if (shape[i] > 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

bool HasBuffer(ThreadState& ts, Value v) {
  if (!v.is_object()) return false;
  TypeObject* type = TypeOf(ts, v);
  return type->operators->buffer ||
         (type->is_heap() && TypeLookup(ts, type, MVM_NAME(ts, __buffer__)));
}

Status GetBuffer(ThreadState& ts, Value v, BufferView* out, bool writable) {
  return GetBufferOr(ts, v, out, writable, kNotBytesLike);
}

void FillSimple(BufferView* out, Value owner, void* data, int64_t size, bool readonly) {
  out->object = Ref<>::Borrow(owner);
  out->data = static_cast<uint8_t*>(data);
  out->size = size;
  out->item_size = 1;
  out->readonly = readonly;
  out->ndim = 1;
  out->format = "B";
  out->shape1 = size;
  out->stride1 = 1;
  out->shape = &out->shape1;
  out->strides = nullptr;
  out->release = nullptr;
}

void CopyBuffer(const BufferView& view, uint8_t* out, bool fortran) {
  if (fortran ? view.f_contiguous() : view.c_contiguous()) {
    if (view.size) std::memcpy(out, view.data, static_cast<size_t>(view.size));
    return;
  }
  int64_t shape[kMaxBufferDims], strides[kMaxBufferDims];
  int64_t contiguous = view.item_size;
  for (int i = view.ndim; i-- > 0;) {
    shape[i] = view.shape[i];
    strides[i] = view.strides ? view.strides[i] : contiguous;
    contiguous *= shape[i];
  }
  if (fortran) {  // the first index varies fastest
    std::reverse(shape, shape + view.ndim);
    std::reverse(strides, strides + view.ndim);
  }
  CopyWalk{view, shape, strides, out}.Go(0, view.data);
}

Status ByteView::Get(ThreadState& ts, Value v, const char* message) {
  if (MVM_LIKELY(IsBytes(ts, v))) {
    hold_.object = Ref<>::Borrow(v);
    view_ = v.as<BytesObject>()->view();
    return Ok();
  }
  MVM_TRY_VOID(GetContiguous(ts, v, &hold_, false, message ? message : kNotBytesLike));
  view_ = hold_.bytes();
  return Ok();
}

Status ByteView::GetWritable(ThreadState& ts, Value v, const char* message) {
  if (GetContiguous(ts, v, &hold_, true, message ? message : kNotBytesLike).raised()) {
    if (!message || !ClearPendingIf(ts, Exc::kBufferError)) return kRaised;
    return Raise(ts, Exc::kTypeError, message, v);
  }
  view_ = hold_.bytes();
  return Ok();
}

}  // namespace minivm

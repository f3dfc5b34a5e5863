// memoryview: a window on the buffer of another object.
//
// The export itself is owned by a hidden root object of the same type, made by memoryview(x); the
// views that scripts see and the views derived from them refer to the root, so the exporter gets
// its memory back when the last of them is released or dies.
// Invariants: a root has `held` and no root; a view has a root until it is released; shape and
// strides (ndim entries each) are the view's own.
#pragma once

#include "runtime/protocol/buffer.h"

namespace minivm {

class MemoryviewObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kMemoryview;
  BufferView held;                   // of a root
  MemoryviewObject* root = nullptr;  // of a view; null: released
  uint8_t* data = nullptr;
  int64_t size = 0;  // bytes of all items
  int64_t item_size = 1;
  const char* format = "B";  // own_format, or in the exporter's keeping
  int ndim = 1;
  bool readonly = true;
  int64_t* shape = inline_dims;  // shape[ndim], then strides[ndim]
  int64_t* strides = inline_dims + 1;
  int64_t exports = 0;  // BufferViews on this view; of a root: views that have it
  int64_t hash = -1;    // -1: not computed
  int64_t inline_dims[2] = {0, 1};
  char own_format[4] = {};

  template <class V>
  void VisitRefs(V&& v) {
    v(root);
    v(held.object);
  }
  void FreeBuffers(Heap& heap);
};

// memoryview(object)
Result<MemoryviewObject> NewMemoryview(ThreadState& ts, Value object);
// What object.__buffer__(flags) gives: a view through this buffer function of a built-in type.
Result<MemoryviewObject> NewMemoryviewThrough(ThreadState& ts, Value object, BufferFn buffer,
                                              bool writable);
// object.__release_buffer__(view).
Status MemoryviewReleaseFor(ThreadState& ts, Value object, Value view);
// A view of `size` bytes at `data`, kept alive by `owner`; for natives that hand out buffers.
Result<MemoryviewObject> NewMemoryviewOn(ThreadState& ts, Value owner, void* data, int64_t size,
                                         bool readonly);
// ValueError if it was released.
Status MemoryviewCheck(ThreadState& ts, MemoryviewObject* m);
// Geometry of the view as a buffer; holds nothing (object, release and internal stay).
void MemoryviewDescribe(MemoryviewObject* m, BufferView* out);
// Ends the view (harmless twice); BufferError while others look into it.
Status MemoryviewRelease(ThreadState& ts, MemoryviewObject* m);

}  // namespace minivm

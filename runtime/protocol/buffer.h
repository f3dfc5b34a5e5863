// The buffer protocol: memory of one object seen by another.
//
// A BufferView describes items of one format in a block of memory that the exporter keeps in
// place until the view is released. Most natives only want contiguous bytes: ByteView.
// Exporters fill a view in their `buffer` slot (BufferFn): see FillSimple. Scripts' classes
// export through __buffer__, which returns a memoryview.
#pragma once

#include <string_view>

#include "runtime/core/thread_state.h"

namespace minivm {

inline constexpr int kMaxBufferDims = 64;

struct BufferView {
  Ref<> object;             // who exports; empty: nothing is held
  uint8_t* data = nullptr;  // first item (item [0, 0, ...])
  int64_t size = 0;         // bytes of all items together
  int64_t item_size = 1;
  bool readonly = true;
  bool has_format = true;  // false: made without a format, "B" is meant
  int ndim = 1;
  const char* format = "B";          // owned by the exporter (valid while the view is)
  const int64_t* shape = nullptr;    // ndim entries; null: one dimension of size / item_size
  const int64_t* strides = nullptr;  // null: C-contiguous
  int64_t shape1 = 0, stride1 = 1;   // storage of exporters with one dimension
  // Undoes the export (null: nothing to undo); called once, by Release().
  void (*release)(BufferView* view) = nullptr;
  void* internal = nullptr;  // the exporter's

  BufferView() = default;
  ~BufferView() { Release(); }
  BufferView(const BufferView&) = delete;
  BufferView& operator=(const BufferView&) = delete;

  // Drops the view; harmless when empty.
  void Release() {
    if (!object) return;
    if (release) release(this);
    object = Ref<>();
  }
  bool c_contiguous() const;
  bool f_contiguous() const;
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(data), static_cast<size_t>(size)};
  }
};

// Has a buffer slot (or __buffer__).
bool HasBuffer(ThreadState& ts, Value v);

// Fills *out from v's exporter. TypeError "a bytes-like object is required, not 'T'"; BufferError
// "Object is not writable." when `writable` cannot be had.
Status GetBuffer(ThreadState& ts, Value v, BufferView* out, bool writable = false);

// For exporters of plain bytes: contiguous, format "B".
void FillSimple(BufferView* out, Value owner, void* data, int64_t size, bool readonly);

// Copies the items in C order (or Fortran order) to out[0..view.size).
void CopyBuffer(const BufferView& view, uint8_t* out, bool fortran = false);

// Contiguous bytes of a bytes-like object, held while this lives. Cheap for bytes and bytearray.
class ByteView {
 public:
  // `message` for the TypeError, with one %T for v; null: the usual one.
  Status Get(ThreadState& ts, Value v, const char* message = nullptr);
  Status GetWritable(ThreadState& ts, Value v, const char* message = nullptr);
  std::string_view view() const { return view_; }
  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(view_.data()); }
  uint8_t* mutable_data() { return reinterpret_cast<uint8_t*>(const_cast<char*>(view_.data())); }
  size_t size() const { return view_.size(); }
  void Release() { hold_.Release(); }

 private:
  std::string_view view_;
  BufferView hold_;
};

}  // namespace minivm

// memoryview: making and releasing views, the geometry, casts, comparison; items and slices.
#include "runtime/objects/memoryview_object.h"

#include <cstring>

#include "runtime/objects/byte_methods.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/slice_object.h"
#include "runtime/objects/str_methods.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer_items.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

void MemoryviewObject::FreeBuffers(Heap& heap) {
  if (shape != inline_dims) heap.FreeBuffer(shape, static_cast<size_t>(ndim) * 2 * sizeof(int64_t));
  shape = inline_dims;
  strides = inline_dims + 1;
}

namespace {

MemoryviewObject* Self(Value v) { return v.as<MemoryviewObject>(); }

// Room for the geometry of n dimensions.
Status SetDims(ThreadState& ts, MemoryviewObject* m, int ndim) {
  if (ndim > 1) {
    MVM_TRY(void* p, AllocBuffer(ts, static_cast<size_t>(ndim) * 2 * sizeof(int64_t)));
    m->shape = static_cast<int64_t*>(p);
    m->strides = m->shape + ndim;
  }
  m->ndim = ndim;
  return Ok();
}

void FillStrides(MemoryviewObject* m) {
  int64_t stride = m->item_size;
  for (int i = m->ndim; i-- > 0;) {
    m->strides[i] = stride;
    stride *= m->shape[i];
  }
}

Result<MemoryviewObject> NewView(ThreadState& ts, MemoryviewObject* root,
                                 const BufferView& geometry, int ndim) {
  MVM_TRY(Ref<MemoryviewObject> m, New<MemoryviewObject>(ts, TypeId::kMemoryview));
  m->shape = m->inline_dims;
  m->strides = m->inline_dims + 1;
  MVM_TRY_VOID(SetDims(ts, m, ndim));
  m->root = Ref<MemoryviewObject>::Borrow(root).Release();
  ++root->exports;
  m->data = geometry.data;
  m->size = geometry.size;
  m->item_size = geometry.item_size;
  m->format = geometry.format;
  m->readonly = geometry.readonly;
  if (ndim == geometry.ndim) {
    for (int i = 0; i < ndim; ++i) {
      m->shape[i] = geometry.shape ? geometry.shape[i] : geometry.size / geometry.item_size;
    }
    FillStrides(m);
    for (int i = 0; i < ndim && geometry.strides; ++i) m->strides[i] = geometry.strides[i];
  }
  Track(m);
  return m;
}

// A second view with the same geometry.
Result<MemoryviewObject> CopyView(ThreadState& ts, MemoryviewObject* m) {
  BufferView geometry;
  MemoryviewDescribe(m, &geometry);
  MVM_TRY(Ref<MemoryviewObject> copy, NewView(ts, m->root, geometry, m->ndim));
  if (m->format == m->own_format) {
    std::memcpy(copy->own_format, m->own_format, sizeof(m->own_format));
    copy->format = copy->own_format;
  }
  return copy;
}

bool CContiguous(MemoryviewObject* m) {
  BufferView geometry;
  MemoryviewDescribe(m, &geometry);
  return geometry.c_contiguous();
}
bool FContiguous(MemoryviewObject* m) {
  BufferView geometry;
  MemoryviewDescribe(m, &geometry);
  return geometry.f_contiguous();
}

Result<char> NativeCode(ThreadState& ts, MemoryviewObject* m) {
  const char code = NativeFormat(m->format);
  if (code) return code;
  return Raise(ts, Exc::kNotImplementedError, "memoryview: format %s not supported", m->format);
}

// The view ends. The last one of a root gives the exporter its memory back at once, even if
// somebody still refers to the root, as a collection does that is under way.
void LeaveRoot(MemoryviewObject* m) {
  Ref<MemoryviewObject> root = Ref<MemoryviewObject>::Steal(std::exchange(m->root, nullptr));
  if (root && --root->exports == 0) root->held.Release();
}

void VisitMemoryview(Object* self, Visitor& visitor) {
  static_cast<MemoryviewObject*>(self)->VisitRefs(gc_internal::VisitAll{visitor});
}
void ClearMemoryview(Object* self) {
  MemoryviewObject* m = static_cast<MemoryviewObject*>(self);
  m->held.Release();
  LeaveRoot(m);
}
void DestroyMemoryview(Heap& heap, Object* self) {
  ClearMemoryview(self);
  static_cast<MemoryviewObject*>(self)->FreeBuffers(heap);
}

}  // namespace

Result<MemoryviewObject> NewMemoryview(ThreadState& ts, Value object) {
  if (IsExact(object, TypeId::kMemoryview)) {
    MVM_TRY_VOID(MemoryviewCheck(ts, Self(object)));
    return CopyView(ts, Self(object));
  }
  if (!HasBuffer(ts, object)) {
    return Raise(ts, Exc::kTypeError, "memoryview: a bytes-like object is required, not '%T'",
                 object);
  }
  MVM_TRY(Ref<MemoryviewObject> root, New<MemoryviewObject>(ts, TypeId::kMemoryview));
  root->shape = root->inline_dims;
  root->strides = root->inline_dims + 1;
  MVM_TRY_VOID(GetBuffer(ts, object, &root->held));
  Track(root);
  if (root->held.ndim > kMaxBufferDims) {
    return Raise(ts, Exc::kValueError, "memoryview: number of dimensions must not exceed 64");
  }
  return NewView(ts, root, root->held, root->held.ndim);
}

Result<MemoryviewObject> NewMemoryviewThrough(ThreadState& ts, Value object, BufferFn buffer,
                                              bool writable) {
  MVM_TRY(Ref<MemoryviewObject> root, New<MemoryviewObject>(ts, TypeId::kMemoryview));
  root->shape = root->inline_dims;
  root->strides = root->inline_dims + 1;
  MVM_TRY_VOID(buffer(ts, object, &root->held, writable));
  Track(root);
  return NewView(ts, root, root->held, root->held.ndim);
}

Status MemoryviewReleaseFor(ThreadState& ts, Value object, Value view) {
  if (!IsExact(view, TypeId::kMemoryview)) {
    return Raise(ts, Exc::kTypeError, "expected a memoryview object");
  }
  MemoryviewObject* m = Self(view);
  if (!m->root) return Ok();
  if (!m->root->held.object.is(object)) {
    return Raise(ts, Exc::kValueError, "memoryview's buffer is not this object");
  }
  return MemoryviewRelease(ts, m);
}

Result<MemoryviewObject> NewMemoryviewOn(ThreadState& ts, Value owner, void* data, int64_t size,
                                         bool readonly) {
  MVM_TRY(Ref<MemoryviewObject> root, New<MemoryviewObject>(ts, TypeId::kMemoryview));
  root->shape = root->inline_dims;
  root->strides = root->inline_dims + 1;
  FillSimple(&root->held, owner, data, size, readonly);
  Track(root);
  return NewView(ts, root, root->held, 1);
}

Status MemoryviewCheck(ThreadState& ts, MemoryviewObject* m) {
  if (MVM_LIKELY(m->root != nullptr)) return Ok();
  return Raise(ts, Exc::kValueError, "operation forbidden on released memoryview object");
}

void MemoryviewDescribe(MemoryviewObject* m, BufferView* out) {
  out->data = m->data;
  out->size = m->size;
  out->item_size = m->item_size;
  out->readonly = m->readonly;
  out->ndim = m->ndim;
  out->format = m->format;
  out->shape = m->shape;
  out->strides = m->strides;
}

Status MemoryviewRelease(ThreadState& ts, MemoryviewObject* m) {
  if (m->exports > 0) {
    return Raise(ts, Exc::kBufferError, "memoryview has %lld exported buffer%s",
                 static_cast<long long>(m->exports), m->exports == 1 ? "" : "s");
  }
  LeaveRoot(m);
  return Ok();
}

namespace {

// ---- items ----

Result<uint8_t*> ItemAddress(ThreadState& ts, MemoryviewObject* m, uint8_t* p, int dim, Value key) {
  if (!IsInt(ts, key) && !TypeOf(ts, key)->operators->index) {
    return Raise(ts, Exc::kTypeError, "memoryview: invalid slice key");
  }
  MVM_TRY(int64_t i, IndexAsInt64(ts, key, Exc::kIndexError));
  MVM_TRY_VOID(MemoryviewCheck(ts, m));  // __index__ may have released it
  if (i < 0) i += m->shape[dim];
  if (i < 0 || i >= m->shape[dim]) {
    return Raise(ts, Exc::kIndexError, "index out of bounds on dimension %d", dim + 1);
  }
  return p + i * m->strides[dim];
}

// The address of m[key] for a tuple of indices.
Result<uint8_t*> TupleAddress(ThreadState& ts, MemoryviewObject* m, TupleObject* key) {
  if (key->size() > static_cast<uint32_t>(m->ndim)) {
    return Raise(ts, Exc::kTypeError, "cannot index %d-dimension view with %u-element tuple",
                 m->ndim, key->size());
  }
  if (key->size() < static_cast<uint32_t>(m->ndim)) {
    return Raise(ts, Exc::kNotImplementedError, "sub-views are not implemented");
  }
  uint8_t* p = m->data;
  for (uint32_t i = 0; i < key->size(); ++i) {
    MVM_TRY(p, ItemAddress(ts, m, p, static_cast<int>(i), (*key)[i]));
  }
  return p;
}

bool AllOf(ThreadState& ts, TupleObject* key, bool slices) {
  for (Value v : key->span()) {
    if (slices ? !IsExact(v, TypeId::kSlice) : !IsInt(ts, v) && !TypeOf(ts, v)->operators->index)
      return false;
  }
  return true;
}

Result<MemoryviewObject> SliceView(ThreadState& ts, MemoryviewObject* m, SliceObject* slice) {
  // The new view keeps the memory, whatever __index__ does to the old one.
  MVM_TRY(Ref<MemoryviewObject> view, CopyView(ts, m));
  int64_t start, stop, step;
  MVM_TRY_VOID(SliceUnpack(ts, slice, &start, &stop, &step));
  const int64_t old_n = view->shape[0];
  const int64_t n = std::max<int64_t>(SliceAdjust(old_n, &start, &stop, step), 0);
  if (n > 0) view->data += start * view->strides[0];
  view->size = old_n ? view->size / old_n * n : 0;
  view->shape[0] = n;
  // A step beyond the end must not overflow; with at most one item its value does not matter.
  if (n > 1) view->strides[0] *= step;
  return view;
}

Result<> memoryview_get_item(ThreadState& ts, Value self, Value key) {
  MemoryviewObject* m = Self(self);
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  if (m->ndim == 0) {
    if (IsTuple(ts, key) && key.as<TupleObject>()->size() == 0) {
      MVM_TRY(char code, NativeCode(ts, m));
      return UnpackItem(ts, code, m->data);
    }
    if (IsExact(key, TypeId::kEllipsis)) return Result<>::Borrow(self);
    return Raise(ts, Exc::kTypeError, "invalid indexing of 0-dim memory");
  }
  if (IsInt(ts, key) || TypeOf(ts, key)->operators->index) {
    MVM_TRY(char code, NativeCode(ts, m));
    if (m->ndim > 1) {
      return Raise(ts, Exc::kNotImplementedError,
                   "multi-dimensional sub-views are not implemented");
    }
    MVM_TRY(uint8_t * p, ItemAddress(ts, m, m->data, 0, key));
    return UnpackItem(ts, code, p);
  }
  if (IsExact(key, TypeId::kSlice)) return SliceView(ts, m, key.as<SliceObject>());
  if (IsTuple(ts, key)) {
    TupleObject* keys = key.as<TupleObject>();
    if (AllOf(ts, keys, false)) {
      MVM_TRY(char code, NativeCode(ts, m));
      MVM_TRY(uint8_t * p, TupleAddress(ts, m, keys));
      return UnpackItem(ts, code, p);
    }
    if (AllOf(ts, keys, true)) {
      return Raise(ts, Exc::kNotImplementedError, "multi-dimensional slicing is not implemented");
    }
  }
  return Raise(ts, Exc::kTypeError, "memoryview: invalid slice key");
}

// Copies n items of one dimension; the regions may overlap.
void CopyItems(uint8_t* to, int64_t to_stride, const uint8_t* from, int64_t from_stride, int64_t n,
               int64_t item_size) {
  if (to_stride == item_size && from_stride == item_size) {
    std::memmove(to, from, static_cast<size_t>(n * item_size));
    return;
  }
  const size_t size = static_cast<size_t>(item_size);
  for (int64_t i = 0; i < n; ++i) std::memmove(to + i * to_stride, from + i * from_stride, size);
}

Status AssignSlice(ThreadState& ts, MemoryviewObject* m, SliceObject* slice, Value value) {
  BufferView source;
  MVM_TRY_VOID(GetBuffer(ts, value, &source));
  MVM_TRY(Ref<MemoryviewObject> target, SliceView(ts, m, slice));
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  const char* a = m->format[0] == '@' ? m->format + 1 : m->format;
  const char* b = source.format[0] == '@' ? source.format + 1 : source.format;
  const int64_t n = target->shape[0];
  const int64_t source_n = source.shape ? source.shape[0] : source.size / source.item_size;
  if (source.ndim != 1 || source_n != n || std::strcmp(a, b) != 0 ||
      source.item_size != m->item_size) {
    return Raise(ts, Exc::kValueError,
                 "memoryview assignment: lvalue and rvalue have different structures");
  }
  const int64_t source_stride = source.strides ? source.strides[0] : source.item_size;
  if (n == 0) return Ok();
  const uint8_t* from_end = source.data + source.size;
  const bool apart = target->strides[0] == m->item_size && source_stride == m->item_size;
  const bool overlap =
      source.data < m->root->held.data + m->root->held.size && m->root->held.data < from_end;
  if (apart || !overlap) {
    CopyItems(target->data, target->strides[0], source.data, source_stride, n, m->item_size);
    return Ok();
  }
  MVM_TRY(Ref<BytesObject> copy, NewBytesRaw(ts, static_cast<size_t>(source.size)));
  CopyBuffer(source, copy->data());
  CopyItems(target->data, target->strides[0], copy->data(), m->item_size, n, m->item_size);
  return Ok();
}

// Writes an item whose address does not depend on what the value's conversion does to the view.
Status StoreItem(ThreadState& ts, MemoryviewObject* m, char code, uint8_t* p, Value value) {
  uint8_t item[16];
  MVM_TRY_VOID(PackItem(ts, code, m->format, item, value));
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  std::memcpy(p, item, static_cast<size_t>(m->item_size));
  return Ok();
}

Status memoryview_set_item(ThreadState& ts, Value self, Value key, Value value) {
  MemoryviewObject* m = Self(self);
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  if (m->readonly) return Raise(ts, Exc::kTypeError, "cannot modify read-only memory");
  if (!value) return Raise(ts, Exc::kTypeError, "cannot delete memory");
  MVM_TRY(char code, NativeCode(ts, m));
  if (m->ndim == 0) {
    if (IsExact(key, TypeId::kEllipsis) ||
        (IsTuple(ts, key) && key.as<TupleObject>()->size() == 0)) {
      return StoreItem(ts, m, code, m->data, value);
    }
    return Raise(ts, Exc::kTypeError, "invalid indexing of 0-dim memory");
  }
  if (IsInt(ts, key) || TypeOf(ts, key)->operators->index) {
    if (m->ndim > 1) return Raise(ts, Exc::kNotImplementedError, "sub-views are not implemented");
    MVM_TRY(uint8_t * p, ItemAddress(ts, m, m->data, 0, key));
    return StoreItem(ts, m, code, p, value);
  }
  if (IsExact(key, TypeId::kSlice)) {
    if (m->ndim > 1) {
      return Raise(ts, Exc::kNotImplementedError,
                   "memoryview slice assignments are currently restricted to ndim = 1");
    }
    return AssignSlice(ts, m, key.as<SliceObject>(), value);
  }
  if (IsTuple(ts, key)) {
    TupleObject* keys = key.as<TupleObject>();
    if (AllOf(ts, keys, false)) {
      MVM_TRY(uint8_t * p, TupleAddress(ts, m, keys));
      return StoreItem(ts, m, code, p, value);
    }
    if (AllOf(ts, keys, true)) {
      return Raise(ts, Exc::kNotImplementedError,
                   "memoryview slice assignments are currently restricted to ndim = 1");
    }
  }
  return Raise(ts, Exc::kTypeError, "memoryview: invalid slice key");
}

// ---- other slots ----

Result<> memoryview_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (raw.n + raw.nkw > 1) {
    return Raise(ts, Exc::kTypeError, "memoryview() takes at most 1 argument (%u given)",
                 raw.n + raw.nkw);
  }
  if (raw.nkw == 1) {
    StrObject* name = raw[raw.n + raw.nkw].as<TupleObject>()->items()[0].as<StrObject>();
    if (!name->EqualsAscii("object")) {
      return Raise(ts, Exc::kTypeError, "memoryview() got an unexpected keyword argument '%U'",
                   Value(name));
    }
  } else if (raw.n == 0) {
    return Raise(ts, Exc::kTypeError, "memoryview() missing required argument 'object' (pos 1)");
  }
  return NewMemoryview(ts, raw[0]);
}

Result<> memoryview_repr(ThreadState& ts, Value self) {
  return Format(ts, Self(self)->root ? "<memory at 0x%lx>" : "<released memory at 0x%lx>",
                static_cast<unsigned long>(self.bits()));
}

Result<int64_t> memoryview_hash(ThreadState& ts, Value self) {
  MemoryviewObject* m = Self(self);
  if (m->hash != -1) return m->hash;
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  if (!m->readonly) return Raise(ts, Exc::kValueError, "cannot hash writable memoryview object");
  const char code = NativeFormat(m->format);
  if (code != 'B' && code != 'b' && code != 'c') {
    return Raise(ts, Exc::kValueError,
                 "memoryview: hashing is restricted to formats 'B', 'b' or 'c'");
  }
  BufferView geometry;
  MemoryviewDescribe(m, &geometry);
  // The exporter must be hashable too, so that a mutable one cannot hide behind a read-only view.
  MVM_TRY_VOID(Hash(ts, m->root->held.object));
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  if (CContiguous(m)) {
    m->hash = UnfoldHash(BytesHash(*ts.rt, geometry.bytes()));
  } else {
    MVM_TRY(Ref<BytesObject> copy, NewBytesRaw(ts, static_cast<size_t>(m->size)));
    CopyBuffer(geometry, copy->data());
    m->hash = UnfoldHash(BytesHash(*ts.rt, copy->view()));
  }
  return m->hash;
}

struct EqualWalk {
  int ndim;
  char code_a, code_b;
  const int64_t *shape, *stride_a, *stride_b;

  bool Go(int dim, const uint8_t* p, const uint8_t* q) const {
    if (dim == ndim) return ItemsEqual(code_a, p, code_b, q);
    for (int64_t i = 0; i < shape[dim]; ++i) {
      if (!Go(dim + 1, p + i * stride_a[dim], q + i * stride_b[dim])) return false;
    }
    return true;
  }
};

bool BuffersEqual(const BufferView& a, const BufferView& b) {
  if (a.ndim != b.ndim) return false;
  int64_t shapes[2][kMaxBufferDims], strides[2][kMaxBufferDims];
  const BufferView* views[] = {&a, &b};
  for (int k = 0; k < 2; ++k) {
    const BufferView& v = *views[k];
    int64_t stride = v.item_size;
    for (int i = v.ndim; i-- > 0;) {
      shapes[k][i] = v.shape ? v.shape[i] : v.size / v.item_size;
      strides[k][i] = v.strides ? v.strides[i] : stride;
      stride *= shapes[k][i];
    }
  }
  for (int i = 0; i < a.ndim; ++i) {
    if (shapes[0][i] != shapes[1][i]) return false;
  }
  const char code_a = NativeFormat(a.format), code_b = NativeFormat(b.format);
  if (!code_a || !code_b) return false;
  if (code_a == code_b && (code_a == 'B' || code_a == 'b' || code_a == 'c') && a.c_contiguous() &&
      b.c_contiguous()) {
    return a.bytes() == b.bytes();
  }
  return EqualWalk{a.ndim, code_a, code_b, shapes[0], strides[0], strides[1]}.Go(0, a.data, b.data);
}

Result<> memoryview_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (op != CompareOp::kEq && op != CompareOp::kNe) return NotImplemented(ts);
  const bool want = op == CompareOp::kEq;
  if (a.is(b)) {
    // A view equals itself unless it holds NaNs; released ones compare by identity.
    const char code = NativeFormat(Self(a)->format);
    if (!Self(a)->root || (code && code != 'e' && code != 'f' && code != 'd'))
      return Bool(ts, want);
  }
  BufferView views[2];
  const Value operands[] = {a, b};
  for (int i = 0; i < 2; ++i) {
    if (IsExact(operands[i], TypeId::kMemoryview)) {
      if (!Self(operands[i])->root) return Bool(ts, !want);
    } else if (!HasBuffer(ts, operands[i])) {
      return NotImplemented(ts);
    }
    if (GetBuffer(ts, operands[i], &views[i]).raised()) {
      ClearPending(ts);
      return NotImplemented(ts);
    }
  }
  return Bool(ts, BuffersEqual(views[0], views[1]) == want);
}

Result<int64_t> memoryview_len(ThreadState& ts, Value self) {
  MemoryviewObject* m = Self(self);
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  if (m->ndim == 0) return Raise(ts, Exc::kTypeError, "0-dim memory has no length");
  return m->shape[0];
}

void ReleaseExport(BufferView* view) { --view->object.as<MemoryviewObject>()->exports; }

Status memoryview_buffer(ThreadState& ts, Value self, BufferView* out, bool writable) {
  MemoryviewObject* m = Self(self);
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  if (writable && m->readonly) {
    return Raise(ts, Exc::kBufferError, "memoryview: underlying buffer is not writable");
  }
  MemoryviewDescribe(m, out);
  out->object = Ref<>::Borrow(self);
  out->release = ReleaseExport;
  ++m->exports;
  return Ok();
}

// ---- methods ----

Status CastShape(ThreadState& ts, MemoryviewObject* m, Value shape) {
  if (!IsList(ts, shape) && !IsTuple(ts, shape)) {
    return Raise(ts, Exc::kTypeError, "shape must be a list or a tuple");
  }
  MVM_TRY(Ref<TupleObject> dims, TupleFrom(ts, shape));
  if (dims->size() > static_cast<uint32_t>(kMaxBufferDims)) {
    return Raise(ts, Exc::kValueError, "memoryview: number of dimensions must not exceed 64");
  }
  const int ndim = static_cast<int>(dims->size());
  MVM_TRY_VOID(SetDims(ts, m, ndim));
  int64_t product = 1;
  for (int i = 0; i < ndim; ++i) {
    const Value v = (*dims)[static_cast<size_t>(i)];
    if (!IsInt(ts, v)) {
      return Raise(ts, Exc::kTypeError, "memoryview.cast(): elements of shape must be integers");
    }
    int64_t n;
    if (!IntFitsInt64(v, &n)) {
      return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C ssize_t");
    }
    if (n <= 0) {
      return Raise(ts, Exc::kValueError,
                   "memoryview.cast(): elements of shape must be integers > 0");
    }
    if (n > INT64_MAX / product) {
      return Raise(ts, Exc::kValueError, "memoryview.cast(): product(shape) > SSIZE_MAX");
    }
    product *= n;
    m->shape[i] = n;
  }
  if (product != m->size / m->item_size) {
    return Raise(ts, Exc::kTypeError, "memoryview: product(shape) * itemsize != buffer size");
  }
  FillStrides(m);
  return Ok();
}

Result<> memoryview_cast(ThreadState& ts, Args args) {
  MemoryviewObject* m = Self(args[0]);
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  if (!IsStr(ts, args[1])) {
    return RaiseBadArgument(ts, "cast", "argument 'format'", "str", args[1]);
  }
  if (!CContiguous(m)) {
    return Raise(ts, Exc::kTypeError, "memoryview: casts are restricted to C-contiguous views");
  }
  const bool shaped = args.has(2);
  if (shaped && m->ndim != 1) {
    const bool flat = (IsList(ts, args[2]) && args.as<ListObject>(2)->size == 1) ||
                      (IsTuple(ts, args[2]) && args.as<TupleObject>(2)->size() == 1);
    if (!flat) return Raise(ts, Exc::kTypeError, "memoryview: cast must be 1D -> ND or ND -> 1D");
  }
  const std::string format = ToUtf8(args.as<StrObject>(1));
  const char code = format.find('\0') == std::string::npos ? NativeFormat(format.c_str()) : 0;
  if (!code) {
    return Raise(ts, Exc::kValueError,
                 "memoryview: destination format must be a native single character format prefixed "
                 "with an optional '@'");
  }
  const char from = NativeFormat(m->format);
  auto is_byte = [](char c) { return c == 'B' || c == 'b' || c == 'c'; };
  if (!is_byte(from) && !is_byte(code)) {
    return Raise(ts, Exc::kTypeError, "memoryview: cannot cast between two non-byte formats");
  }
  const int64_t item_size = NativeItemSize(code);
  if (m->size % item_size) {
    return Raise(ts, Exc::kTypeError, "memoryview: length is not a multiple of itemsize");
  }
  BufferView geometry;
  MemoryviewDescribe(m, &geometry);
  geometry.ndim = 1;
  geometry.item_size = item_size;
  geometry.shape = geometry.strides = nullptr;
  MVM_TRY(Ref<MemoryviewObject> view, NewView(ts, m->root, geometry, 1));
  std::memcpy(view->own_format, format.c_str(), format.size() + 1);
  view->format = view->own_format;
  if (shaped) MVM_TRY_VOID(CastShape(ts, view, args[2]));
  return view;
}

Result<> ToList(ThreadState& ts, MemoryviewObject* m, char code, int dim, const uint8_t* p) {
  if (dim == m->ndim) return UnpackItem(ts, code, p);
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, static_cast<size_t>(m->shape[dim])));
  for (int64_t i = 0; i < m->shape[dim]; ++i) {
    MVM_TRY(Ref<> item, ToList(ts, m, code, dim + 1, p + i * m->strides[dim]));
    MVM_TRY_VOID(ListAppend(ts, list, item));
  }
  return list;
}

Result<> memoryview_tolist(ThreadState& ts, Args args) {
  MemoryviewObject* m = Self(args[0]);
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  MVM_TRY(char code, NativeCode(ts, m));
  return ToList(ts, m, code, 0, m->data);
}

Result<> memoryview_tobytes(ThreadState& ts, Args args) {
  MemoryviewObject* m = Self(args[0]);
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  bool fortran = false;
  if (args.has(1) && !IsNone(ts, args[1])) {
    if (!IsStr(ts, args[1])) {
      return RaiseBadArgument(ts, "tobytes", "argument 'order'", "str or None", args[1]);
    }
    const StrObject* order = args.as<StrObject>(1);
    if (order->EqualsAscii("F")) {
      fortran = true;
    } else if (order->EqualsAscii("A")) {
      fortran = !CContiguous(m) && FContiguous(m);
    } else if (!order->EqualsAscii("C")) {
      return Raise(ts, Exc::kValueError, "order must be 'C', 'F' or 'A'");
    }
  }
  if (m->size == 0) return NewBytes(ts, {});
  MVM_TRY(Ref<BytesObject> bytes, NewBytesRaw(ts, static_cast<size_t>(m->size)));
  BufferView geometry;
  MemoryviewDescribe(m, &geometry);
  CopyBuffer(geometry, bytes->data(), fortran);
  return bytes;
}

Result<> memoryview_hex(ThreadState& ts, Args args) {
  MemoryviewObject* m = Self(args[0]);
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  Args none = {args.v, 1};
  MVM_TRY(Ref<> bytes, memoryview_tobytes(ts, none));
  return BytesHex(ts, bytes.as<BytesObject>()->view(), args.get(1, Value()), args.get(2, Value()));
}

Result<> memoryview_toreadonly(ThreadState& ts, Args args) {
  MVM_TRY_VOID(MemoryviewCheck(ts, Self(args[0])));
  MVM_TRY(Ref<MemoryviewObject> view, CopyView(ts, Self(args[0])));
  view->readonly = true;
  return view;
}

Result<> memoryview_release(ThreadState& ts, Args args) {
  MVM_TRY_VOID(MemoryviewRelease(ts, Self(args[0])));
  return None(ts);
}

Result<> memoryview_release_buffer(ThreadState& ts, Args args) {
  MVM_TRY_VOID(MemoryviewReleaseFor(ts, args[0], args[1]));
  return None(ts);
}

Result<> memoryview_enter(ThreadState& ts, Args args) {
  MVM_TRY_VOID(MemoryviewCheck(ts, Self(args[0])));
  return Result<>::Borrow(args[0]);
}

Result<> memoryview_from_flags(ThreadState& ts, Args args) {
  MVM_TRY(int64_t flags, AsInt64(ts, args[2]));
  if (flags & 1) {
    BufferView writable;
    MVM_TRY_VOID(GetBuffer(ts, args[1], &writable, true));
  }
  return NewMemoryview(ts, args[1]);
}

// ---- attributes ----

Result<> DimsTuple(ThreadState& ts, const int64_t* dims, int n) {
  Ref<> items[kMaxBufferDims];
  Value words[kMaxBufferDims];
  for (int i = 0; i < n; ++i) {
    MVM_TRY(items[i], NewInt(ts, dims[i]));
    words[i] = items[i];
  }
  return NewTuple(ts, std::span<const Value>(words, static_cast<size_t>(n)));
}

template <class F>
Result<> Attribute(ThreadState& ts, Value self, F f) {
  MVM_TRY_VOID(MemoryviewCheck(ts, Self(self)));
  return f(Self(self));
}

Result<> memoryview_obj(ThreadState& ts, Value self) {
  return Attribute(ts, self,
                   [&](MemoryviewObject* m) { return Result<>::Borrow(m->root->held.object); });
}
Result<> memoryview_nbytes(ThreadState& ts, Value self) {
  return Attribute(ts, self, [&](MemoryviewObject* m) { return NewInt(ts, m->size); });
}
Result<> memoryview_itemsize(ThreadState& ts, Value self) {
  return Attribute(ts, self, [&](MemoryviewObject* m) { return Small(m->item_size); });
}
Result<> memoryview_format(ThreadState& ts, Value self) {
  return Attribute(ts, self,
                   [&](MemoryviewObject* m) -> Result<> { return NewStr(ts, m->format); });
}
Result<> memoryview_ndim(ThreadState& ts, Value self) {
  return Attribute(ts, self, [&](MemoryviewObject* m) { return Small(m->ndim); });
}
Result<> memoryview_shape(ThreadState& ts, Value self) {
  return Attribute(ts, self, [&](MemoryviewObject* m) { return DimsTuple(ts, m->shape, m->ndim); });
}
Result<> memoryview_strides(ThreadState& ts, Value self) {
  return Attribute(ts, self,
                   [&](MemoryviewObject* m) { return DimsTuple(ts, m->strides, m->ndim); });
}
Result<> memoryview_suboffsets(ThreadState& ts, Value self) {
  return Attribute(ts, self, [&](MemoryviewObject*) { return DimsTuple(ts, nullptr, 0); });
}
Result<> memoryview_readonly(ThreadState& ts, Value self) {
  return Attribute(ts, self, [&](MemoryviewObject* m) { return Bool(ts, m->readonly); });
}
Result<> memoryview_c_contiguous(ThreadState& ts, Value self) {
  return Attribute(ts, self, [&](MemoryviewObject* m) { return Bool(ts, CContiguous(m)); });
}
Result<> memoryview_f_contiguous(ThreadState& ts, Value self) {
  return Attribute(ts, self, [&](MemoryviewObject* m) { return Bool(ts, FContiguous(m)); });
}
Result<> memoryview_contiguous(ThreadState& ts, Value self) {
  return Attribute(ts, self,
                   [&](MemoryviewObject* m) { return Bool(ts, CContiguous(m) || FContiguous(m)); });
}

// ---- iteration ----

class MemoryviewIterator : public Object {
 public:
  MemoryviewObject* view = nullptr;  // null: exhausted
  int64_t index = 0;
  int64_t length = 0;  // when iteration began
  template <class V>
  void VisitRefs(V&& v) {
    v(view);
  }
};

Result<> memoryview_iter(ThreadState& ts, Value self) {
  MemoryviewObject* m = Self(self);
  MVM_TRY_VOID(MemoryviewCheck(ts, m));
  if (m->ndim == 0) return Raise(ts, Exc::kTypeError, "invalid indexing of 0-dim memory");
  if (m->ndim != 1) {
    return Raise(ts, Exc::kNotImplementedError, "multi-dimensional sub-views are not implemented");
  }
  MVM_TRY_VOID(NativeCode(ts, m));
  MVM_TRY(Ref<MemoryviewIterator> it, New<MemoryviewIterator>(ts, TypeId::kMemoryviewIterator));
  it->view = Ref<MemoryviewObject>::Borrow(m).Release();
  it->length = m->shape[0];
  Track(it);
  return it;
}

Result<> memoryiter_iter(ThreadState& ts, Value self) { return Result<>::Borrow(self); }

Result<> memoryiter_next(ThreadState& ts, Value self) {
  MemoryviewIterator* it = self.as<MemoryviewIterator>();
  if (!it->view) return Result<>::Done();
  if (it->index < it->length) {
    MVM_TRY_VOID(MemoryviewCheck(ts, it->view));
    return UnpackItem(ts, NativeFormat(it->view->format),
                      it->view->data + it->index++ * it->view->strides[0]);
  }
  Ref<MemoryviewObject> done = Ref<MemoryviewObject>::Steal(std::exchange(it->view, nullptr));
  return Result<>::Done();
}

const MethodSpec kMemoryviewMethods[] = {
    {"__enter__(self, /)", memoryview_enter},
    {"__exit__(self, /, *exc_info)", memoryview_release, "The same as release()."},
    {"__release_buffer__(self, buffer, /)", memoryview_release_buffer,
     "Runs when a memoryview that __buffer__() gave is done with."},
    {"_from_flags(type, /, object, flags)", memoryview_from_flags,
     "A memoryview; an odd number as flags asks for writable memory.", kMethodClass},
    {"cast(self, /, format, shape=<unrepresentable>)", memoryview_cast,
     "The same bytes as items of another format, or in another shape."},
    {"hex(self, /, sep=<unrepresentable>, bytes_per_sep=1)", memoryview_hex,
     "Two hexadecimal digits for each byte, with sep between groups, counted from the end."},
    {"release(self, /)", memoryview_release,
     "Lets go of the object; the view is of no use afterwards."},
    {"tobytes(self, /, order='C')", memoryview_tobytes,
     "A copy of the bytes, in the order 'C', 'F' (columns first) or 'A' (as they lie)."},
    {"tolist(self, /)", memoryview_tolist,
     "The items as a list, nested where there are several dimensions."},
    {"toreadonly(self, /)", memoryview_toreadonly,
     "A view of the same memory that cannot be written to."},
};

const GetSetSpec kMemoryviewGetSets[] = {
    {"c_contiguous", memoryview_c_contiguous, nullptr,
     "Whether the items lie in rows without gaps."},
    {"contiguous", memoryview_contiguous, nullptr,
     "Whether the items lie without gaps, in rows or in columns."},
    {"f_contiguous", memoryview_f_contiguous, nullptr,
     "Whether the items lie in columns without gaps."},
    {"format", memoryview_format, nullptr, "The letter of the items, as the module struct has it."},
    {"itemsize", memoryview_itemsize, nullptr, "Bytes for each item."},
    {"nbytes", memoryview_nbytes, nullptr, "Bytes of all items together, without gaps."},
    {"ndim", memoryview_ndim, nullptr, "The number of dimensions."},
    {"obj", memoryview_obj, nullptr, "The object whose memory is seen."},
    {"readonly", memoryview_readonly, nullptr, "Whether items cannot be assigned."},
    {"shape", memoryview_shape, nullptr, "The length of each dimension, a tuple."},
    {"strides", memoryview_strides, nullptr,
     "Bytes from one item to the next, for each dimension."},
    {"suboffsets", memoryview_suboffsets, nullptr,
     "Always empty: there are no pointers within the memory."},
};

}  // namespace

const TypeSpec kMemoryviewType = {
    .name = "memoryview",
    .doc = "The memory of a bytes-like object, without a copy.",
    .flags = kTypeSequence,
    .size = sizeof(MemoryviewObject),
    .gc = {VisitMemoryview, ClearMemoryview, DestroyMemoryview},
    .slots = {.repr = memoryview_repr,
              .hash = memoryview_hash,
              .compare = memoryview_compare,
              .iter = memoryview_iter,
              .new_ = memoryview_new,
              .len = memoryview_len,
              .get_item = memoryview_get_item,
              .set_item = memoryview_set_item,
              .buffer = memoryview_buffer},
    .methods = kMemoryviewMethods,
    .getsets = kMemoryviewGetSets,
};

const TypeSpec kMemoryviewIteratorType = {
    .name = "memory_iterator",
    .flags = kTypeNoNew,
    .size = sizeof(MemoryviewIterator),
    .gc = GcHooksOf<MemoryviewIterator>(),
    .slots = {.iter = memoryiter_iter, .next = memoryiter_next}};

}  // namespace minivm

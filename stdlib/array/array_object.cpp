// array.array: storage, construction, operators, iteration.
#include <algorithm>
#include <cstring>

#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/sequence_ops.h"
#include "runtime/objects/slice_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "stdlib/array/array_types.h"

namespace minivm::arrays {

// ---- storage ----

void ArrayObject::FreeBuffers(Heap& heap) {
  if (data) heap.FreeBuffer(data, static_cast<size_t>(capacity) * kind->size);
  data = nullptr;
  size = capacity = 0;
}

Result<bool> IsArray(ThreadState& ts, Value v) {
  if (!v.is_object()) return false;
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kArrayType));
  return IsInstance(ts, v, type);
}

Result<ArrayObject> NewArray(ThreadState& ts, TypeObject* type, const Kind* kind) {
  if (!type) {
    MVM_TRY(type, TypeForSpec(ts, kArrayType));
  }
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  made.as<ArrayObject>()->kind = kind;
  return std::move(made).Into<ArrayObject>();
}

Result<ArrayObject> NewArrayRaw(ThreadState& ts, TypeObject* type, const Kind* kind, int64_t size) {
  MVM_TRY(Ref<ArrayObject> a, NewArray(ts, type, kind));
  if (size == 0) return a;
  if (static_cast<uint64_t>(size) > Heap::kMaxAllocation / kind->size) return RaiseMemoryError(ts);
  MVM_TRY(void* p, AllocBuffer(ts, static_cast<size_t>(size) * kind->size));
  a->data = static_cast<uint8_t*>(p);
  a->size = a->capacity = size;
  return a;
}

Status CheckResizable(ThreadState& ts, const ArrayObject* a) {
  if (MVM_LIKELY(a->exports == 0)) return Ok();
  return Raise(ts, Exc::kBufferError, "cannot resize an array that is exporting buffers");
}

Status Resize(ThreadState& ts, ArrayObject* a, int64_t size) {
  if (size == a->size) return Ok();
  MVM_TRY_VOID(CheckResizable(ts, a));
  if (size <= a->capacity && size >= a->capacity / 2) {
    a->size = size;
    return Ok();
  }
  if (size == 0) {
    a->FreeBuffers(ts.heap());
    return Ok();
  }
  if (static_cast<uint64_t>(size) > Heap::kMaxAllocation / a->kind->size / 2) {
    return RaiseMemoryError(ts);
  }
  const int64_t capacity = size + (size >> 4) + (a->size < 8 ? 3 : 7);
  const size_t item = a->kind->size;
  void* p = ts.heap().ReallocateBuffer(a->data, static_cast<size_t>(a->capacity) * item,
                                       static_cast<size_t>(capacity) * item);
  if (!p) return RaiseMemoryError(ts);
  a->data = static_cast<uint8_t*>(p);
  a->capacity = capacity;
  a->size = size;
  return Ok();
}

Status Append(ThreadState& ts, ArrayObject* a, Value v) {
  uint8_t item[8];
  MVM_TRY_VOID(ConvertItem(ts, a->kind, v, item));
  MVM_TRY_VOID(Resize(ts, a, a->size + 1));
  std::memcpy(a->At(a->size - 1), item, a->kind->size);
  return Ok();
}

Status Splice(ThreadState& ts, ArrayObject* a, int64_t at, int64_t old_size,
              std::string_view data) {
  const size_t item = a->kind->size;
  const int64_t size = static_cast<int64_t>(data.size() / item);
  const size_t tail = static_cast<size_t>(a->size - at - old_size) * item;
  if (size < old_size) {
    MVM_TRY_VOID(CheckResizable(ts, a));
    if (tail) std::memmove(a->At(at + size), a->At(at + old_size), tail);
    MVM_TRY_VOID(Resize(ts, a, a->size - (old_size - size)));
  } else if (size > old_size) {
    MVM_TRY_VOID(Resize(ts, a, a->size + (size - old_size)));
    if (tail) std::memmove(a->At(at + size), a->At(at + old_size), tail);
  }
  if (!data.empty()) std::memcpy(a->At(at), data.data(), data.size());
  return Ok();
}

Status AppendBytes(ThreadState& ts, ArrayObject* a, std::string_view data) {
  if (data.size() % a->kind->size != 0) {
    return Raise(ts, Exc::kValueError, "bytes length not a multiple of item size");
  }
  return Splice(ts, a, a->size, 0, data);
}

Status AppendText(ThreadState& ts, ArrayObject* a, StrObject* text) {
  const int64_t at = a->size, n = static_cast<int64_t>(text->length);
  MVM_TRY_VOID(Resize(ts, a, at + n));
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t c = text->At(static_cast<size_t>(i));
    std::memcpy(a->At(at + i), &c, 4);
  }
  return Ok();
}

Status Extend(ThreadState& ts, ArrayObject* a, Value iterable) {
  MVM_TRY(bool is_array, IsArray(ts, iterable));
  if (!is_array) return ForEach(ts, iterable, [&](Value v) { return Append(ts, a, v); });
  ArrayObject* other = iterable.as<ArrayObject>();
  if (other->kind != a->kind) {
    return Raise(ts, Exc::kTypeError, "can only extend with array of same kind");
  }
  const int64_t at = a->size, n = other->size;
  MVM_TRY_VOID(CheckResizable(ts, a));
  MVM_TRY_VOID(Resize(ts, a, at + n));
  if (n) std::memcpy(a->At(at), other->data, static_cast<size_t>(n) * a->kind->size);
  return Ok();
}

namespace {

// ---- construction ----

Result<const Kind*> KindArgument(ThreadState& ts, Value v, const char* function) {
  if (!IsStr(ts, v) || v.as<StrObject>()->length != 1) {
    return Raise(ts, Exc::kTypeError, "%s() argument 1 must be a unicode character, not %T",
                 function, v);
  }
  const Kind* kind = FindKind(v.as<StrObject>()->At(0));
  if (!kind) {
    return Raise(ts, Exc::kValueError,
                 "bad typecode (must be b, B, u, h, H, i, I, l, L, q, Q, f or d)");
  }
  return kind;
}

bool HoldsText(const Kind* kind) { return kind->code == 'u' || kind->code == 'w'; }

Result<> array_new(ThreadState& ts, TypeObject* cls, Args raw) {
  if (raw.nkw && !cls->is_heap()) {
    return Raise(ts, Exc::kTypeError, "array.array() takes no keyword arguments");
  }
  if (raw.n < 1) {
    return Raise(ts, Exc::kTypeError, "array() takes at least 1 argument (0 given)");
  }
  if (raw.n > 2) {
    return Raise(ts, Exc::kTypeError, "array() takes at most 2 arguments (%u given)", raw.n);
  }
  if (!IsStr(ts, raw[0]) || raw[0].as<StrObject>()->length != 1) {
    return Raise(ts, Exc::kTypeError, "array() argument 1 must be a unicode character, not %T",
                 raw[0]);
  }
  const char32_t code = raw[0].as<StrObject>()->At(0);
  if (code == 'u') {
    MVM_TRY_VOID(Warn(ts, Exc::kDeprecationWarning, 1,
                      "The 'u' type code is deprecated and will be removed in Python 3.16"));
  }
  const Value source = raw.n > 1 ? raw[1] : Value();
  bool is_array = false;
  if (source && FindKind(code) && !HoldsText(FindKind(code))) {
    if (IsStr(ts, source)) {
      return Raise(ts, Exc::kTypeError,
                   "cannot use a str to initialize an array with typecode '%c'",
                   static_cast<int>(code));
    }
    MVM_TRY(is_array, IsArray(ts, source));
    if (is_array && HoldsText(source.as<ArrayObject>()->kind)) {
      return Raise(ts, Exc::kTypeError,
                   "cannot use a unicode array to initialize an array with typecode '%c'",
                   static_cast<int>(code));
    }
  }
  MVM_TRY(const Kind* kind, KindArgument(ts, raw[0], "array"));
  MVM_TRY(Ref<ArrayObject> a, NewArray(ts, cls, kind));
  if (!source) return a;
  MVM_TRY(is_array, IsArray(ts, source));
  if (is_array && source.as<ArrayObject>()->kind == kind) {
    MVM_TRY_VOID(Extend(ts, a, source));
  } else if (is_array) {
    ArrayObject* other = source.as<ArrayObject>();
    for (int64_t i = 0; i < other->size; ++i) {
      MVM_TRY(Ref<> item, ItemAt(ts, other->kind, other->At(i)));
      MVM_TRY_VOID(Append(ts, a, item));
      MVM_TRY_VOID(Charge(ts, 1));
    }
  } else if (IsStr(ts, source) && HoldsText(kind)) {
    MVM_TRY_VOID(AppendText(ts, a, source.as<StrObject>()));
  } else if (IsBytes(ts, source)) {
    MVM_TRY_VOID(AppendBytes(ts, a, source.as<BytesObject>()->view()));
  } else if (HasTypeFlag(ts, source, kTypeBytearraySubclass)) {
    ByteView view;
    MVM_TRY_VOID(view.Get(ts, source));
    MVM_TRY_VOID(AppendBytes(ts, a, view.view()));
  } else {
    MVM_TRY_VOID(Extend(ts, a, source));
  }
  return a;
}

// ---- operators ----

ArrayObject* Self(Value v) { return v.as<ArrayObject>(); }

Raised RaiseBadArgument(ThreadState& ts) {
  return Raise(ts, Exc::kTypeError, "bad argument type for built-in operation");
}

Result<> array_repr(ThreadState& ts, Value self) {
  MVM_TRY_VOID(TypeReady(ts, TypeOf(ts, self)));
  const Value name = TypeOf(ts, self)->name;
  const int code = Self(self)->kind->code;
  if (Self(self)->size == 0) return Format(ts, "%U('%c')", name, code);
  const bool text = HoldsText(Self(self)->kind);
  Ref<> items;
  if (text || code == 'c') {
    MVM_TRY(items,
            CallMethod(ts, self, Ref<StrObject>(InternUtf8(ts, text ? "tounicode" : "tobytes"))));
  } else {
    MVM_TRY(items, CallMethod(ts, self, Ref<StrObject>(InternUtf8(ts, "tolist"))));
  }
  return Format(ts, "%U('%c', %R)", name, code, items.get());
}

Result<int64_t> array_len(ThreadState&, Value self) { return Self(self)->size; }

// Are two arrays of one kind equal? Their items are compared as values.
bool SameItems(const ArrayObject* a, const ArrayObject* b) {
  if (a->size != b->size) return false;
  if (a->kind->code != 'f' && a->kind->code != 'd') return a->view() == b->view();
  for (int64_t i = 0; i < a->size; ++i) {
    if (a->kind->code == 'f') {
      float x, y;
      std::memcpy(&x, a->At(i), 4);
      std::memcpy(&y, b->At(i), 4);
      if (!(x == y)) return false;
    } else {
      double x, y;
      std::memcpy(&x, a->At(i), 8);
      std::memcpy(&y, b->At(i), 8);
      if (!(x == y)) return false;
    }
  }
  return true;
}

Result<> array_compare(ThreadState& ts, Value left, Value right, CompareOp op) {
  MVM_TRY(bool left_is, IsArray(ts, left));
  MVM_TRY(bool right_is, IsArray(ts, right));
  if (!left_is || !right_is) return NotImplemented(ts);
  ArrayObject *a = Self(left), *b = Self(right);
  const bool equality = op == CompareOp::kEq || op == CompareOp::kNe;
  if (equality && a->size != b->size) return Bool(ts, op == CompareOp::kNe);
  if (equality && a->kind == b->kind) return Bool(ts, SameItems(a, b) == (op == CompareOp::kEq));
  for (int64_t i = 0; i < a->size && i < b->size; ++i) {
    MVM_TRY(Ref<> x, ItemAt(ts, a->kind, a->At(i)));
    MVM_TRY(Ref<> y, ItemAt(ts, b->kind, b->At(i)));
    MVM_TRY(Ref<> equal, Compare(ts, x, y, CompareOp::kEq));
    if (!IsTrue(ts, equal)) {
      if (equality) return Bool(ts, op == CompareOp::kNe);
      return Compare(ts, x, y, op);
    }
    MVM_TRY_VOID(Charge(ts, 2));
  }
  return Compare(ts, Value::Int(a->size), Value::Int(b->size), op);
}

Result<bool> array_contains(ThreadState& ts, Value self, Value item) {
  for (int64_t i = 0; i < Self(self)->size; ++i) {
    MVM_TRY(Ref<> x, ItemAt(ts, Self(self)->kind, Self(self)->At(i)));
    MVM_TRY(bool equal, EqualValues(ts, x, item));
    if (equal) return true;
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return false;
}

Result<> array_concat(ThreadState& ts, Value left, Value right) {
  MVM_TRY(bool is_array, IsArray(ts, right));
  if (!is_array) {
    return Raise(ts, Exc::kTypeError, "can only append array (not \"%T\") to array", right);
  }
  ArrayObject *a = Self(left), *b = Self(right);
  if (a->kind != b->kind) return RaiseBadArgument(ts);
  MVM_TRY(Ref<ArrayObject> sum, NewArrayRaw(ts, nullptr, a->kind, a->size + b->size));
  if (a->size) std::memcpy(sum->data, a->data, a->bytes());
  if (b->size) std::memcpy(sum->At(a->size), b->data, b->bytes());
  return sum;
}

Result<> array_iconcat(ThreadState& ts, Value self, Value other) {
  MVM_TRY(bool is_array, IsArray(ts, other));
  if (!is_array) {
    return Raise(ts, Exc::kTypeError, "can only extend array with array (not \"%T\")", other);
  }
  MVM_TRY_VOID(Extend(ts, Self(self), other));
  return Result<>::Borrow(self);
}

Result<int64_t> RepeatedSize(ThreadState& ts, const ArrayObject* a, int64_t count) {
  int64_t size;
  if (count <= 0 || a->size == 0) return 0;
  if (__builtin_mul_overflow(a->size, count, &size) ||
      static_cast<uint64_t>(size) > Heap::kMaxAllocation / a->kind->size) {
    return RaiseMemoryError(ts);
  }
  MVM_TRY_VOID(CheckRoom(ts, static_cast<size_t>(size) * a->kind->size));
  return size;
}

// Fills p[0, total) with repetitions of its first `unit` bytes.
void FillRepeated(uint8_t* p, size_t unit, size_t total) {
  for (size_t have = unit; have < total;) {
    const size_t n = std::min(have, total - have);
    std::memcpy(p + have, p, n);
    have += n;
  }
}

Result<> array_repeat(ThreadState& ts, Value self, int64_t count) {
  ArrayObject* a = Self(self);
  MVM_TRY(int64_t size, RepeatedSize(ts, a, count));
  MVM_TRY(Ref<ArrayObject> product, NewArrayRaw(ts, nullptr, a->kind, size));
  if (size == 0) return product;
  std::memcpy(product->data, a->data, a->bytes());
  FillRepeated(product->data, a->bytes(), product->bytes());
  return product;
}

Result<> array_irepeat(ThreadState& ts, Value self, int64_t count) {
  ArrayObject* a = Self(self);
  if (a->size > 0 && count != 1) {
    MVM_TRY(int64_t size, RepeatedSize(ts, a, count));
    const size_t unit = a->bytes();
    MVM_TRY_VOID(CheckResizable(ts, a));
    MVM_TRY_VOID(Resize(ts, a, size));
    if (size) FillRepeated(a->data, unit, a->bytes());
  }
  return Result<>::Borrow(self);
}

Result<> array_get_item(ThreadState& ts, Value self, Value key) {
  ArrayObject* a = Self(self);
  if (IsExact(key, TypeId::kSlice)) {
    int64_t start, stop, step;
    MVM_TRY_VOID(SliceUnpack(ts, key.as<SliceObject>(), &start, &stop, &step));
    const int64_t n = SliceAdjust(a->size, &start, &stop, step);
    MVM_TRY(Ref<ArrayObject> part, NewArrayRaw(ts, nullptr, a->kind, std::max<int64_t>(n, 0)));
    for (int64_t k = 0; k < n; ++k) {
      std::memcpy(part->At(k), a->At(start + k * step), a->kind->size);
    }
    return part;
  }
  if (!HasIndex(ts, key)) return Raise(ts, Exc::kTypeError, "array indices must be integers");
  MVM_TRY(int64_t i, SubscriptIndex(ts, key));
  if (i < 0) i += a->size;
  if (i < 0 || i >= a->size) return Raise(ts, Exc::kIndexError, "array index out of range");
  return ItemAt(ts, a->kind, a->At(i));
}

Status SetIndex(ThreadState& ts, ArrayObject* a, Value key, Value value) {
  MVM_TRY(int64_t index, SubscriptIndex(ts, key));
  const int64_t i = index < 0 ? index + a->size : index;
  if (i < 0 || i >= a->size) {
    return Raise(ts, Exc::kIndexError, "array assignment index out of range");
  }
  if (!value) return Splice(ts, a, i, 1, {});
  uint8_t item[8];
  MVM_TRY_VOID(ConvertItem(ts, a->kind, value, item));
  if (i >= a->size) return Raise(ts, Exc::kIndexError, "array assignment index out of range");
  std::memcpy(a->At(i), item, a->kind->size);
  return Ok();
}

Status DeleteStepped(ThreadState& ts, ArrayObject* a, int64_t start, int64_t step, int64_t n) {
  if (step < 0) {
    start += (n - 1) * step;
    step = -step;
  }
  MVM_TRY_VOID(CheckResizable(ts, a));
  const size_t item = a->kind->size;
  int64_t to = start;
  for (int64_t k = 0; k < n; ++k) {
    const int64_t from = start + k * step + 1;
    const int64_t end = k + 1 < n ? from + step - 1 : a->size;
    std::memmove(a->At(to), a->At(from), static_cast<size_t>(end - from) * item);
    to += end - from;
  }
  return Resize(ts, a, a->size - n);
}

Status array_set_item(ThreadState& ts, Value self, Value key, Value value) {
  ArrayObject* a = Self(self);
  if (HasIndex(ts, key)) return SetIndex(ts, a, key, value);
  if (!IsExact(key, TypeId::kSlice)) {
    return Raise(ts, Exc::kTypeError, "array indices must be integers");
  }
  int64_t start, stop, step;
  MVM_TRY_VOID(SliceUnpack(ts, key.as<SliceObject>(), &start, &stop, &step));
  int64_t n = std::max<int64_t>(SliceAdjust(a->size, &start, &stop, step), 0);
  Ref<> source;
  std::string_view items;
  if (value) {
    MVM_TRY(bool is_array, IsArray(ts, value));
    if (!is_array) {
      return Raise(ts, Exc::kTypeError, "can only assign array (not \"%T\") to array slice", value);
    }
    if (Self(value)->kind != a->kind) return RaiseBadArgument(ts);
    source = Ref<>::Borrow(value);
    if (value.is(self)) {
      MVM_TRY(Ref<> none, None(ts));
      MVM_TRY(Ref<SliceObject> all, NewSlice(ts, none, none, none));
      MVM_TRY(source, array_get_item(ts, self, all));
    }
    items = Self(source)->view();
  }
  const int64_t count = static_cast<int64_t>(items.size() / a->kind->size);
  if (count != n) MVM_TRY_VOID(CheckResizable(ts, a));
  if (step == 1) return Splice(ts, a, start, n, items);
  if (!value) return n == 0 ? Ok() : DeleteStepped(ts, a, start, step, n);
  if (count != n) {
    return Raise(ts, Exc::kValueError,
                 "attempt to assign array of size %lld to extended slice of size %lld",
                 static_cast<long long>(count), static_cast<long long>(n));
  }
  for (int64_t k = 0; k < n; ++k) {
    std::memcpy(a->At(start + k * step), items.data() + k * a->kind->size, a->kind->size);
  }
  return Ok();
}

// ---- the buffer protocol ----

void ReleaseView(BufferView* view) { --Self(view->object)->exports; }

Status array_buffer(ThreadState& ts, Value self, BufferView* out, bool) {
  ArrayObject* a = Self(self);
  static const uint8_t nothing[1] = {0};
  FillSimple(out, self, a->data ? a->data : const_cast<uint8_t*>(nothing),
             static_cast<int64_t>(a->bytes()), false);
  out->item_size = a->kind->size;
  out->format = a->kind->format;
  out->shape1 = a->size;
  out->stride1 = a->kind->size;
  out->release = ReleaseView;
  ++a->exports;
  return Ok();
}

// ---- iteration ----

Result<> array_iter(ThreadState& ts, Value self) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kArrayIteratorType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  made.as<ArrayIterator>()->array = Ref<ArrayObject>::Borrow(Self(self)).Release();
  return made;
}

Result<> iterator_iter(ThreadState&, Value self) { return Result<>::Borrow(self); }

Result<> iterator_next(ThreadState& ts, Value self) {
  ArrayIterator* it = self.as<ArrayIterator>();
  if (!it->array) return Result<>::Done();
  if (it->index < it->array->size) {
    return ItemAt(ts, it->array->kind, it->array->At(it->index++));
  }
  const Ref<ArrayObject> dropped = Ref<ArrayObject>::Steal(std::exchange(it->array, nullptr));
  return Result<>::Done();
}

Result<> iterator_reduce(ThreadState& ts, Args args) {
  const ArrayIterator* it = args.self<ArrayIterator>();
  MVM_TRY(Ref<> iter, GetAttr(ts, ts.rt->builtins, "iter"));
  const Value only = it->array ? Value(it->array) : Value(ts.rt->empty_tuple);
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, {&only, 1}));
  const Value parts[] = {iter, call_args, Value::Int(it->index)};
  return NewTuple(ts, {parts, it->array ? 3u : 2u});
}

Result<> iterator_setstate(ThreadState& ts, Args args) {
  ArrayIterator* it = args.self<ArrayIterator>();
  if (!IsInt(ts, args[1])) return Raise(ts, Exc::kTypeError, "an integer is required");
  MVM_TRY(int64_t index, AsInt64(ts, args[1]));
  if (it->array) it->index = std::clamp<int64_t>(index, 0, it->array->size);
  return None(ts);
}

Result<> array_get_itemsize(ThreadState&, Value self) { return Small(Self(self)->kind->size); }
Result<> array_get_typecode(ThreadState& ts, Value self) {
  return StrFromChar(ts, static_cast<unsigned char>(Self(self)->kind->code));
}

const GetSetSpec kArrayGetSets[] = {
    {"itemsize", array_get_itemsize, nullptr, "Bytes that an item takes"},
    {"typecode", array_get_typecode, nullptr, "The letter that says what the items are"},
};
const MethodSpec kIteratorMethods[] = {
    {"__reduce__(self, /)", iterator_reduce, "What pickle needs to make it again."},
    {"__setstate__(self, state, /)", iterator_setstate, "Take the state that __reduce__() gave."},
};

}  // namespace

const TypeSpec kArrayType = {
    .name = "array.array",
    .doc =
        "Numbers or characters of one kind, packed: array(typecode, initializer=()).\n"
        "\n"
        "Typecodes: b h i l q are signed integers and B H I L Q unsigned ones, of growing size; f "
        "and d\n"
        "floats; w characters (u: deprecated), c single bytes. A bytes-like initializer is taken "
        "as memory, anything else item by item.",
    .flags = kTypeBase | kTypeSequence | kTypeWeakrefs,
    .size = sizeof(ArrayObject),
    .gc = LeafHooksOf<ArrayObject>(),
    .slots = {.repr = array_repr,
              .compare = array_compare,
              .iter = array_iter,
              .new_ = array_new,
              .len = array_len,
              .get_item = array_get_item,
              .set_item = array_set_item,
              .contains = array_contains,
              .concat = array_concat,
              .repeat = array_repeat,
              .iconcat = array_iconcat,
              .irepeat = array_irepeat,
              .buffer = array_buffer},
    .methods = kArrayMethods,
    .getsets = kArrayGetSets,
};

const TypeSpec kArrayIteratorType = {
    .name = "array.arrayiterator",
    .flags = kTypeNoNew,
    .size = sizeof(ArrayIterator),
    .gc = GcHooksOf<ArrayIterator>(),
    .slots = {.iter = iterator_iter, .next = iterator_next},
    .methods = kIteratorMethods,
};

}  // namespace minivm::arrays

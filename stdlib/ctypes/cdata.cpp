// Blocks, layouts, instances and arrays of ctypes.
#include "stdlib/ctypes/cdata.h"

#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/slice_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm::ctypes {

void Block::Drop(Heap& heap) {
  if (owned && data != small) heap.FreeBuffer(data, static_cast<size_t>(size));
  held.Release();
  data = small;
  size = 0;
  owned = false;
  Ref<> dropped = Ref<>::Steal(std::exchange(kept, Value()));
}

namespace {

// Copies of addresses in the memory stay good while the collector clears what is garbage: the
// memory itself goes last.
void VisitBlock(Object* self, Visitor& visitor) {
  static_cast<Block*>(self)->VisitRefs(gc_internal::VisitAll{visitor});
}
void ClearBlock(Object* self) {
  Ref<> dropped = Ref<>::Steal(std::exchange(static_cast<Block*>(self)->kept, Value()));
}
void DestroyBlock(Heap& heap, Object* self) { static_cast<Block*>(self)->Drop(heap); }

// Zeroed memory.
Result<Block> NewBlock(ThreadState& ts, int64_t size) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kBlockType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  Block* b = made.as<Block>();
  b->data = b->small;
  if (size > static_cast<int64_t>(sizeof(b->small))) {
    MVM_TRY(void* p, AllocBuffer(ts, static_cast<size_t>(size)));
    std::memset(p, 0, static_cast<size_t>(size));
    b->data = static_cast<uint8_t*>(p);
  }
  b->size = size;
  b->owned = true;
  return std::move(made).Into<Block>();
}

// Block(buffer): the memory of a writable object.
Result<> block_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> made, AllocInstance(ts, args.self<TypeObject>()));
  Block* b = made.as<Block>();
  b->data = b->small;
  MVM_TRY_VOID(GetBuffer(ts, args[1], &b->held));
  if (b->held.readonly) {
    return Raise(ts, Exc::kTypeError, "underlying buffer is not writable");
  }
  if (!b->held.c_contiguous()) {
    return Raise(ts, Exc::kTypeError, "underlying buffer is not C contiguous");
  }
  if (b->held.size > 0) {
    b->data = b->held.data;
    b->size = b->held.size;
  }
  return made;
}

Status block_buffer(ThreadState&, Value self, BufferView* out, bool) {
  Block* b = self.as<Block>();
  FillSimple(out, self, b->data, b->size, false);
  return Ok();
}
Result<int64_t> block_len(ThreadState&, Value self) { return self.as<Block>()->size; }
Result<> block_address(ThreadState& ts, Value self) {
  return NewIntU64(ts, reinterpret_cast<uintptr_t>(self.as<Block>()->data));
}
Result<> block_kept(ThreadState& ts, Value self) {
  const Value kept = self.as<Block>()->kept;
  return kept.is_null() ? None(ts) : Result<>::Borrow(kept);
}
Status block_set_kept(ThreadState&, Value self, Value value) {
  Ref<> old = Ref<>::Steal(std::exchange(self.as<Block>()->kept, Ref<>::Borrow(value).Release()));
  return Ok();
}

const GetSetSpec kBlockGetSets[] = {
    {"address", block_address, nullptr, "Where it lies."},
    {"kept", block_kept, block_set_kept, "What pointers in it refer to, by offset, or None."},
};

// ---- layouts ----

Result<> layout_new(ThreadState& ts, Args args) {
  MVM_TRY(int64_t size, AsInt64(ts, args[1]));
  MVM_TRY(int64_t align, AsInt64(ts, args[2]));
  MVM_TRY(StrObject * code, ExpectStr(ts, args[3], "code"));
  MVM_TRY(bool swapped, Truth(ts, args[4]));
  MVM_TRY(int64_t length, AsInt64(ts, args[5]));
  MVM_TRY(int64_t item_size, AsInt64(ts, args[6]));
  if (!IsBytes(ts, args[7]) || !IsTuple(ts, args[8]) || !code->ascii() || code->length > 1) {
    return Raise(ts, Exc::kTypeError, "invalid layout");
  }
  const Ref<TupleObject> dims = Ref<TupleObject>::Borrow(args.as<TupleObject>(8));
  MVM_TRY(int64_t buffer_item, AsInt64(ts, args[9]));
  const char letter = code->length ? static_cast<char>(code->At(0)) : '\0';
  const bool is_array = length >= 0;
  int64_t bytes = buffer_item;
  MVM_TRY(Ref<BytesObject> packed, NewBytesRaw(ts, dims->size() * sizeof(int64_t)));
  for (uint32_t i = 0; i < dims->size(); ++i) {
    MVM_TRY(int64_t dim, AsInt64(ts, (*dims)[i]));
    std::memcpy(packed->data() + i * sizeof(dim), &dim, sizeof(dim));
    if (dim < 0 || __builtin_mul_overflow(bytes, dim, &bytes)) bytes = -1;
  }
  int64_t items = 0;
  const int64_t one = SizeOfCode(letter);
  bool good =
      size >= 0 && align > 0 && buffer_item >= 0 && dims->size() <= kMaxBufferDims && bytes == size;
  if (is_array) {
    good = good && item_size >= 0 && !__builtin_mul_overflow(length, item_size, &items) &&
           items == size && (letter == '\0' || one == item_size);
  } else {
    good = good && (letter == '\0' || one == size);
  }
  if (!good) return Raise(ts, Exc::kValueError, "invalid layout");
  MVM_TRY(Ref<BytesObject> format, NewBytes(ts, args.as<BytesObject>(7)->view()));
  MVM_TRY(Ref<> made, AllocInstance(ts, args.self<TypeObject>()));
  Layout* l = made.as<Layout>();
  l->size = size;
  l->align = align;
  l->code = letter;
  l->swapped = swapped;
  l->is_array = is_array;
  l->length = is_array ? length : 0;
  l->item_size = item_size;
  l->ndim = static_cast<int32_t>(dims->size());
  l->buffer_item = buffer_item;
  l->format = format.Release();
  l->dims = packed.Release();
  return made;
}

Result<> layout_size(ThreadState& ts, Value self) { return NewInt(ts, self.as<Layout>()->size); }
Result<> layout_align(ThreadState& ts, Value self) { return NewInt(ts, self.as<Layout>()->align); }
const GetSetSpec kLayoutGetSets[] = {{"align", layout_align}, {"size", layout_size}};

// ---- instances ----

// The class's layout; TypeError if it has none.
Result<Layout> LayoutOf(ThreadState& ts, TypeObject* cls) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "_b_layout_"));
  const Value found = TypeLookup(ts, cls, name);
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kLayoutType));
  if (found.is_null() || TypeOf(ts, found) != type) {
    return Raise(ts, Exc::kTypeError, "abstract class");
  }
  return Ref<Layout>::Borrow(found.as<Layout>());
}

// An instance of cls at `offset` of a block.
Result<CData> NewInstance(ThreadState& ts, TypeObject* cls, Ref<Layout> layout, Block* block,
                          int64_t offset, Value base, bool shares) {
  if (offset < 0 || offset > block->size || block->size - offset < layout->size) {
    return Raise(ts, Exc::kValueError, "the memory is too small for a %N", cls);
  }
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  CData* self = made.as<CData>();
  self->block = Ref<Block>::Borrow(block).Release();
  self->offset = offset;
  self->size = layout->size;
  self->layout = layout.Release();
  self->base = Ref<>::Borrow(base).Release();
  self->shares = shares;
  return std::move(made).Into<CData>();
}

Result<> cdata_new(ThreadState& ts, TypeObject* cls, Args) {
  MVM_TRY(Ref<Layout> layout, LayoutOf(ts, cls));
  MVM_TRY(Ref<Block> block, NewBlock(ts, layout->size));
  return NewInstance(ts, cls, std::move(layout), block, 0, Value(), false);
}

// _b_part_(block_or_instance, offset): an instance that shares memory.
Result<> cdata_part(ThreadState& ts, Args args) {
  MVM_TRY(Ref<Layout> layout, LayoutOf(ts, args.self<TypeObject>()));
  MVM_TRY(int64_t offset, AsInt64(ts, args[2]));
  MVM_TRY(TypeObject * block_type, TypeForSpec(ts, kBlockType));
  if (TypeOf(ts, args[1]) == block_type) {
    return NewInstance(ts, args.self<TypeObject>(), std::move(layout), args.as<Block>(1), offset,
                       Value(), true);
  }
  MVM_TRY(CData * whole, AsCData(ts, args[1]));
  MVM_TRY_VOID(CheckPart(ts, whole, offset, layout->size));
  return NewInstance(ts, args.self<TypeObject>(), std::move(layout), whole->block,
                     whole->offset + offset, args[1], true);
}

// _b_resize_(size): more memory for this instance; its parts keep the old.
Result<> cdata_resize(ThreadState& ts, Args args) {
  MVM_TRY(int64_t size, AsInt64(ts, args[1]));
  CData* self = args.self<CData>();
  if (!self->block) return Raise(ts, Exc::kValueError, "not initialised");
  MVM_TRY(Ref<Block> block, NewBlock(ts, std::max(size, self->layout->size)));
  std::memcpy(block->data, self->data(), static_cast<size_t>(std::min(block->size, self->size)));
  block->kept = Ref<>::Borrow(self->block->kept).Release();
  self->size = block->size;
  self->offset = 0;
  Ref<Block> old = Ref<Block>::Steal(std::exchange(self->block, block.Release()));
  return None(ts);
}

void ReleaseInternal(BufferView* view) {
  Ref<> dropped = Ref<>::Steal(Value(static_cast<Object*>(view->internal)));
}

Status cdata_buffer(ThreadState& ts, Value v, BufferView* out, bool) {
  CData* self = v.as<CData>();
  if (!self->block) return Raise(ts, Exc::kBufferError, "not initialised");
  const Layout* l = self->layout;
  FillSimple(out, v, self->data(), l->ndim == 0 ? self->size : l->size, false);
  // The block, in case that the instance gets another one.
  out->internal = Ref<Block>::Borrow(self->block).Release();
  out->release = ReleaseInternal;
  out->item_size = l->buffer_item;
  out->format = reinterpret_cast<const char*>(l->format->data());
  out->ndim = l->ndim;
  out->shape = reinterpret_cast<const int64_t*>(l->dims->data());
  if (l->ndim == 1) {
    out->shape1 = out->shape[0];
    out->stride1 = l->buffer_item;
  }
  return Ok();
}

Result<> cdata_block(ThreadState& ts, Value v) {
  CData* self = v.as<CData>();
  return self->block ? Result<>::Borrow(self->block) : None(ts);
}
Result<> cdata_offset(ThreadState& ts, Value v) { return NewInt(ts, v.as<CData>()->offset); }
Result<> cdata_size(ThreadState& ts, Value v) { return NewInt(ts, v.as<CData>()->size); }
Result<> cdata_base(ThreadState& ts, Value v) {
  const Value base = v.as<CData>()->base;
  return base.is_null() ? None(ts) : Result<>::Borrow(base);
}
Result<> cdata_owns(ThreadState&, Value v) {
  const CData* self = v.as<CData>();
  return Small(self->block && !self->shares);
}

const GetSetSpec kCDataGetSets[] = {
    {"_b_base_", cdata_base, nullptr, "The instance of which it is a part, or None."},
    {"_b_block_", cdata_block, nullptr, "The memory."},
    {"_b_needsfree_", cdata_owns, nullptr, "Whether the memory is its own."},
    {"_b_offset_", cdata_offset, nullptr, "Where in the memory it begins."},
    {"_b_size_", cdata_size, nullptr, "The bytes that it takes."},
};
const MethodSpec kCDataMethods[] = {
    {"_b_part_(cls, memory, offset, /)", cdata_part, "An instance in the memory of another one.",
     kMethodClass},
    {"_b_resize_(self, size, /)", cdata_resize, "Have that much memory."},
};

// ---- simple types ----

Status simple_init(ThreadState& ts, Value v, Args raw) {
  if (raw.n > 1) {
    return Raise(ts, Exc::kTypeError, "__init__ expected at most 1 argument, got %u", raw.n);
  }
  if (raw.n == 0) return Ok();
  CData* self = v.as<CData>();
  if (self->layout && self->layout->code && !self->layout->is_array) {
    return Store(ts, self->layout->code, self->layout->swapped, self, 0, raw[0]);
  }
  return SetAttr(ts, v, "value", raw[0]);
}

Result<bool> simple_truth(ThreadState&, Value v) {
  const CData* self = v.as<CData>();
  if (!self->block) return false;
  for (int64_t i = 0; i < self->layout->size; ++i) {
    if (self->data()[i]) return true;
  }
  return false;
}

// ---- arrays ----

Result<> Item(ThreadState& ts, CData* self, int64_t i) {
  const Layout* l = self->layout;
  if (l->code) return Load(ts, l->code, l->swapped, self->data() + i * l->item_size);
  MVM_TRY(Ref<> type, GetAttr(ts, Value(TypeOf(ts, self)), "_type_"));
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "_b_get_"));
  const Value args[] = {Value(self), Value::Int(i * l->item_size)};
  return CallMethod(ts, type, name, args);
}

Status SetOne(ThreadState& ts, CData* self, int64_t i, Value v) {
  const Layout* l = self->layout;
  if (l->code) return Store(ts, l->code, l->swapped, self, i * l->item_size, v);
  MVM_TRY(Ref<> type, GetAttr(ts, Value(TypeOf(ts, self)), "_type_"));
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "_b_set_"));
  const Value args[] = {Value(self), Value::Int(i * l->item_size), v};
  MVM_TRY_VOID(CallMethod(ts, type, name, args));
  return Ok();
}

Result<int64_t> ArrayIndex(ThreadState& ts, CData* self, Value key) {
  if (!key.is_int() && TypeOf(ts, key)->operators->index == nullptr) {
    return Raise(ts, Exc::kTypeError, "indices must be integers");
  }
  MVM_TRY(int64_t i, IndexAsInt64(ts, key, Exc::kIndexError));
  const int64_t length = self->layout->length;
  if (i < 0) i += length;
  if (i < 0 || i >= length) return Raise(ts, Exc::kIndexError, "invalid index");
  return i;
}

Status CheckArray(ThreadState& ts, const CData* self) {
  if (self->block && self->layout && self->layout->is_array) return Ok();
  return Raise(ts, Exc::kTypeError, "not an array");
}

Result<int64_t> array_len(ThreadState& ts, Value v) {
  MVM_TRY_VOID(CheckArray(ts, v.as<CData>()));
  return v.as<CData>()->layout->length;
}

Result<> array_get_item(ThreadState& ts, Value v, Value key) {
  CData* self = v.as<CData>();
  MVM_TRY_VOID(CheckArray(ts, self));
  if (!IsExact(key, TypeId::kSlice)) {
    MVM_TRY(int64_t i, ArrayIndex(ts, self, key));
    return Item(ts, self, i);
  }
  int64_t start, stop, step;
  MVM_TRY_VOID(SliceUnpack(ts, key.as<SliceObject>(), &start, &stop, &step));
  const Layout* l = self->layout;
  const int64_t n = SliceAdjust(l->length, &start, &stop, step);
  MVM_TRY_VOID(Charge(ts, n));
  if (l->code == 'c') {
    MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, static_cast<size_t>(n)));
    for (int64_t i = 0; i < n; ++i) out->data()[i] = self->data()[start + i * step];
    return out;
  }
  if (l->code == 'u') {
    StrBuilder text(ts);
    for (int64_t i = 0; i < n; ++i) {
      MVM_TRY(Ref<> c, Item(ts, self, start + i * step));
      MVM_TRY_VOID(text.Append(c.as<StrObject>()));
    }
    return text.Finish();
  }
  MVM_TRY(Ref<ListObject> out, NewList(ts, {}));
  for (int64_t i = 0; i < n; ++i) {
    MVM_TRY(Ref<> item, Item(ts, self, start + i * step));
    MVM_TRY_VOID(ListAppend(ts, out, item));
  }
  return out;
}

Status array_set_item(ThreadState& ts, Value v, Value key, Value value) {
  CData* self = v.as<CData>();
  MVM_TRY_VOID(CheckArray(ts, self));
  if (value.is_null()) {
    return Raise(ts, Exc::kTypeError, "Array does not support item deletion");
  }
  if (!IsExact(key, TypeId::kSlice)) {
    MVM_TRY(int64_t i, ArrayIndex(ts, self, key));
    return SetOne(ts, self, i, value);
  }
  int64_t start, stop, step;
  MVM_TRY_VOID(SliceUnpack(ts, key.as<SliceObject>(), &start, &stop, &step));
  const int64_t n = SliceAdjust(self->layout->length, &start, &stop, step);
  MVM_TRY(int64_t given, Length(ts, value));
  if (given != n) return Raise(ts, Exc::kValueError, "Can only assign sequence of same size");
  MVM_TRY_VOID(Charge(ts, n));
  for (int64_t i = 0; i < n; ++i) {
    MVM_TRY(Ref<> item, GetIndex(ts, value, i));
    MVM_TRY_VOID(SetOne(ts, self, start + i * step, item));
  }
  return Ok();
}

Status array_init(ThreadState& ts, Value v, Args raw) {
  CData* self = v.as<CData>();
  MVM_TRY_VOID(CheckArray(ts, self));
  for (uint32_t i = 0; i < raw.n; ++i) {
    if (i >= self->layout->length) return Raise(ts, Exc::kIndexError, "invalid index");
    MVM_TRY_VOID(SetOne(ts, self, i, raw[i]));
  }
  return Ok();
}

const MethodSpec kArrayMethods[] = {
    {"__class_getitem__(cls, item, /)", ClassGetItem, "See PEP 585", kMethodClass},
};

}  // namespace

Status CheckPart(ThreadState& ts, const CData* self, int64_t offset, int64_t size) {
  if (MVM_LIKELY(self->block && offset >= 0 && offset <= self->size &&
                 self->size - offset >= size)) {
    return Ok();
  }
  return Raise(ts, Exc::kValueError, "outside of the instance's memory");
}

Result<CData*> AsCData(ThreadState& ts, Value v) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kCDataType));
  if (!IsInstance(ts, v, type)) return Raise(ts, Exc::kTypeError, "not a ctype instance");
  return v.as<CData>();
}

const TypeSpec kBlockType = {
    .name = "_ctypes.Block",
    .doc = "Memory of ctypes instances; Block(buffer) shares that of a writable object.",
    .flags = kTypeWeakrefs,
    .size = sizeof(Block),
    .gc = {VisitBlock, ClearBlock, DestroyBlock},
    .slots = {.len = block_len, .buffer = block_buffer},
    .construct = {"Block(buffer, /)", block_new},
    .getsets = kBlockGetSets,
};

const TypeSpec kLayoutType = {
    .name = "_ctypes.Layout",
    .doc = "How instances of a class lie in memory.",
    .size = sizeof(Layout),
    .gc = GcHooksOf<Layout>(),
    .construct = {"Layout(size, align, code, swapped, length, item_size, format, shape, "
                  "buffer_item, /)",
                  layout_new},
    .getsets = kLayoutGetSets,
};

const TypeSpec kCDataType = {
    .name = "_ctypes._CData",
    .doc = "The base of all that lies in memory as C has it.",
    .flags = kTypeBase,
    .size = sizeof(CData),
    .gc = GcHooksOf<CData>(),
    .slots = {.hash = HashNotImplemented, .new_ = cdata_new, .buffer = cdata_buffer},
    .methods = kCDataMethods,
    .getsets = kCDataGetSets,
};

const TypeSpec kSimpleType = {
    .name = "_ctypes._Simple",
    .doc = "The base of numbers, characters and addresses.",
    .base = &kCDataType,
    .flags = kTypeBase,
    .size = sizeof(CData),
    .gc = GcHooksOf<CData>(),
    .slots = {.init = simple_init, .truth = simple_truth},
};

const TypeSpec kArrayType = {
    .name = "_ctypes._Array",
    .doc = "The base of arrays.",
    .base = &kCDataType,
    .flags = kTypeBase | kTypeSequence,
    .size = sizeof(CData),
    .gc = GcHooksOf<CData>(),
    .slots = {.init = array_init,
              .len = array_len,
              .get_item = array_get_item,
              .set_item = array_set_item},
    .methods = kArrayMethods,
};

}  // namespace minivm::ctypes

// The methods of array.array, and how arrays are pickled.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/codec.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/sequence_ops.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/buffer_items.h"
#include "stdlib/array/array_types.h"

namespace minivm::arrays {

namespace {

constexpr int64_t kBlock = 64 * 1024;  // bytes per write() of tofile()

ArrayObject* Self(Args args) { return args.self<ArrayObject>(); }

Result<> array_append(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Append(ts, Self(args), args[1]));
  return None(ts);
}

Result<> array_buffer_info(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> address, NewIntU64(ts, reinterpret_cast<uintptr_t>(Self(args)->data)));
  const Value pair[] = {address, Value::Int(Self(args)->size)};
  return NewTuple(ts, pair);
}

void SwapBytes(uint8_t* p, size_t item, int64_t count) {
  for (int64_t i = 0; i < count; ++i, p += item) std::reverse(p, p + item);
}

Result<> array_byteswap(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  SwapBytes(a->data, a->kind->size, a->size);
  MVM_TRY_VOID(Charge(ts, a->size));
  return None(ts);
}

Result<> array_clear(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Resize(ts, Self(args), 0));
  return None(ts);
}

Result<> array_copy(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  MVM_TRY(Ref<ArrayObject> copy, NewArrayRaw(ts, nullptr, a->kind, a->size));
  if (a->size) std::memcpy(copy->data, a->data, a->bytes());
  return copy;
}

// Index of the first equal item in [start, stop), or -1.
Result<int64_t> Find(ThreadState& ts, ArrayObject* a, Value item, int64_t start, int64_t stop) {
  for (int64_t i = start; i < stop && i < a->size; ++i) {
    MVM_TRY(Ref<> x, ItemAt(ts, a->kind, a->At(i)));
    MVM_TRY(bool equal, EqualValues(ts, x, item));
    if (equal) return i;
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return int64_t{-1};
}

Result<> array_count(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  int64_t count = 0;
  for (int64_t i = 0; i < a->size; ++i) {
    MVM_TRY(Ref<> x, ItemAt(ts, a->kind, a->At(i)));
    MVM_TRY(bool equal, EqualValues(ts, x, args[1]));
    count += equal;
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return Small(count);
}

Result<> array_extend(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Extend(ts, Self(args), args[1]));
  return None(ts);
}

Result<> array_frombytes(ThreadState& ts, Args args) {
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, args[1]));
  MVM_TRY_VOID(AppendBytes(ts, Self(args), view.view()));
  return None(ts);
}

Result<> array_fromfile(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  MVM_TRY(int64_t n, AsInt64(ts, args[2]));
  if (n < 0) return Raise(ts, Exc::kValueError, "negative count");
  int64_t bytes;
  if (__builtin_mul_overflow(n, int64_t{a->kind->size}, &bytes)) return RaiseMemoryError(ts);
  MVM_TRY(Ref<> count, NewInt(ts, bytes));
  MVM_TRY(Ref<> data, CallMethod(ts, args[1], MVM_NAME(ts, read), count));
  if (!IsBytes(ts, data)) return Raise(ts, Exc::kTypeError, "read() didn't return bytes");
  const std::string_view view = data.as<BytesObject>()->view();
  MVM_TRY_VOID(AppendBytes(ts, a, view));
  if (static_cast<int64_t>(view.size()) != bytes) {
    return Raise(ts, Exc::kEOFError, "read() didn't return enough bytes");
  }
  return None(ts);
}

Result<> array_fromlist(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  if (!IsList(ts, args[1])) return Raise(ts, Exc::kTypeError, "arg must be list");
  ListObject* list = args.as<ListObject>(1);
  const uint64_t n = list->size;
  if (n == 0) return None(ts);
  // Converted apart from the array, which stays as it is when an item is wrong.
  MVM_TRY(Ref<ArrayObject> items, NewArrayRaw(ts, nullptr, a->kind, static_cast<int64_t>(n)));
  for (uint64_t i = 0; i < n; ++i) {
    const Ref<> item = Ref<>::Borrow(list->items[i]);
    MVM_TRY_VOID(ConvertItem(ts, a->kind, item, items->At(static_cast<int64_t>(i))));
    if (list->size != n) {
      return Raise(ts, Exc::kRuntimeError, "list changed size during iteration");
    }
    MVM_TRY_VOID(Charge(ts, 1));
  }
  MVM_TRY_VOID(AppendBytes(ts, a, items->view()));
  return None(ts);
}

bool HoldsText(const ArrayObject* a) { return a->kind->code == 'u' || a->kind->code == 'w'; }

Result<> array_fromunicode(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1])) {
    return Raise(ts, Exc::kTypeError, "fromunicode() argument must be str, not %T", args[1]);
  }
  if (!HoldsText(Self(args))) {
    return Raise(ts, Exc::kValueError,
                 "fromunicode() may only be called on unicode type arrays ('u' or 'w')");
  }
  MVM_TRY_VOID(AppendText(ts, Self(args), args.as<StrObject>(1)));
  return None(ts);
}

Result<> array_index(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  MVM_TRY(int64_t start, SliceBoundArgument(ts, args[2]));
  MVM_TRY(int64_t stop, args.has(3) ? SliceBoundArgument(ts, args[3]) : Result<int64_t>(INT64_MAX));
  if (start < 0) start = std::max<int64_t>(start + a->size, 0);
  if (stop < 0) stop += a->size;
  MVM_TRY(int64_t i, Find(ts, a, args[1], start, stop));
  if (i < 0) return Raise(ts, Exc::kValueError, "array.index(x): x not in array");
  return Small(i);
}

Result<> array_insert(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  MVM_TRY(int64_t i, AsInt64(ts, args[1]));
  uint8_t item[8];
  MVM_TRY_VOID(ConvertItem(ts, a->kind, args[2], item));
  if (i < 0) i = std::max<int64_t>(i + a->size, 0);
  i = std::min(i, a->size);
  MVM_TRY_VOID(Splice(ts, a, i, 0,
                      {reinterpret_cast<const char*>(item), static_cast<size_t>(a->kind->size)}));
  return None(ts);
}

Result<> array_pop(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  MVM_TRY(int64_t i, AsInt64(ts, args[1]));
  if (a->size == 0) return Raise(ts, Exc::kIndexError, "pop from empty array");
  if (i < 0) i += a->size;
  if (i < 0 || i >= a->size) return Raise(ts, Exc::kIndexError, "pop index out of range");
  MVM_TRY(Ref<> item, ItemAt(ts, a->kind, a->At(i)));
  MVM_TRY_VOID(Splice(ts, a, i, 1, {}));
  return item;
}

Result<> array_remove(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  MVM_TRY(int64_t i, Find(ts, a, args[1], 0, INT64_MAX));
  if (i < 0 || i >= a->size) {
    return Raise(ts, Exc::kValueError, "array.remove(x): x not in array");
  }
  MVM_TRY_VOID(Splice(ts, a, i, 1, {}));
  return None(ts);
}

Result<> array_reverse(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  for (int64_t i = 0, k = a->size - 1; i < k; ++i, --k) {
    std::swap_ranges(a->At(i), a->At(i) + a->kind->size, a->At(k));
  }
  MVM_TRY_VOID(Charge(ts, a->size / 2));
  return None(ts);
}

Result<> array_sizeof(ThreadState& ts, Args args) {
  return NewInt(ts, static_cast<int64_t>(sizeof(ArrayObject)) +
                        Self(args)->capacity * Self(args)->kind->size);
}

Result<> array_tobytes(ThreadState& ts, Args args) { return NewBytes(ts, Self(args)->view()); }

Result<> array_tofile(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  for (size_t at = 0; at < a->bytes(); at += kBlock) {
    MVM_TRY(Ref<BytesObject> block, NewBytes(ts, a->view().substr(at, kBlock)));
    MVM_TRY_VOID(CallMethod(ts, args[1], MVM_NAME(ts, write), block));
  }
  if (a->size == 0) MVM_TRY_VOID(GetAttr(ts, args[1], MVM_NAME(ts, write)));
  return None(ts);
}

Result<> array_tolist(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  MVM_TRY_VOID(CheckRoom(ts, static_cast<size_t>(a->size) * sizeof(Value)));
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, static_cast<size_t>(a->size)));
  for (int64_t i = 0; i < a->size; ++i) {
    MVM_TRY(Ref<> item, ItemAt(ts, a->kind, a->At(i)));
    MVM_TRY_VOID(ListAppend(ts, list, item));
  }
  MVM_TRY_VOID(Charge(ts, a->size / 4));
  return list;
}

Result<> array_tounicode(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  if (!HoldsText(a)) {
    return Raise(ts, Exc::kValueError,
                 "tounicode() may only be called on unicode type arrays ('u' or 'w')");
  }
  for (int64_t i = 0; i < a->size; ++i) {
    uint32_t c;
    std::memcpy(&c, a->At(i), 4);
    if (c > 0x10FFFF) return Decode(ts, a->view(), "utf-32-le");  // which raises
  }
  return NewStrFromUcs4(ts, reinterpret_cast<const uint32_t*>(a->data),
                        static_cast<size_t>(a->size));
}

// ---- pickling ----

Result<> array_reduce_ex(ThreadState& ts, Args args) {
  ArrayObject* a = Self(args);
  if (!IsInt(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "__reduce_ex__ argument should be an integer");
  MVM_TRY(int64_t protocol, AsInt64(ts, args[1]));
  MVM_TRY(Ref<> state, GetAttrOptional(ts, args[0], MVM_NAME(ts, __dict__)));
  if (state.is_absent()) state = Ref<>::Borrow(ts.rt->none);
  MVM_TRY(Ref<StrObject> code, StrFromChar(ts, static_cast<unsigned char>(a->kind->code)));
  if (protocol < 3 || a->kind->machine < 0) {
    MVM_TRY(Ref<> items, array_tolist(ts, args));
    const Value pair[] = {code, items};
    MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, pair));
    const Value parts[] = {TypeOf(ts, args[0]), call_args, state};
    return NewTuple(ts, parts);
  }
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "array"));
  MVM_TRY(Ref<> maker, GetAttr(ts, module, "_array_reconstructor"));
  MVM_TRY(Ref<BytesObject> bytes, NewBytes(ts, a->view()));
  const bool one_byte = a->kind->size == 1;
  const int machine =
      a->kind->machine + (!one_byte && std::endian::native == std::endian::big ? 1 : 0);
  const Value four[] = {TypeOf(ts, args[0]), code, Value::Int(machine), bytes};
  MVM_TRY(Ref<TupleObject> call_args, NewTuple(ts, four));
  const Value parts[] = {maker, call_args, state};
  return NewTuple(ts, parts);
}

// Machine format codes: 0, 1 bytes; then pairs of little and big endian.
struct MachineFormat {
  uint8_t size;
  char family;  // 'u' unsigned, 's' signed, 'f' float, 'c' character
};
constexpr MachineFormat kMachineFormats[] = {
    {1, 'u'}, {1, 's'}, {2, 'u'}, {2, 'u'}, {2, 's'}, {2, 's'}, {4, 'u'}, {4, 'u'},
    {4, 's'}, {4, 's'}, {8, 'u'}, {8, 'u'}, {8, 's'}, {8, 's'}, {4, 'f'}, {4, 'f'},
    {8, 'f'}, {8, 'f'}, {4, 'c'}, {4, 'c'}, {4, 'c'}, {4, 'c'},
};

// The items of another machine's floats or characters, one by one.
Status AppendForeign(ThreadState& ts, ArrayObject* a, MachineFormat format, bool big,
                     std::string_view items) {
  for (size_t at = 0; at < items.size(); at += format.size) {
    uint64_t bits = 0;
    for (int k = 0; k < format.size; ++k) {
      const uint8_t byte = static_cast<uint8_t>(items[at + static_cast<size_t>(k)]);
      bits |= uint64_t{byte} << (8 * (big ? format.size - 1 - k : k));
    }
    const double d = format.size == 4 ? std::bit_cast<float>(static_cast<uint32_t>(bits))
                                      : std::bit_cast<double>(bits);
    MVM_TRY(Ref<> v, NewFloat(ts, d));
    MVM_TRY_VOID(Append(ts, a, v));
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return Ok();
}

Status AppendForeignText(ThreadState& ts, ArrayObject* a, int code, Value items) {
  static const char* const kEncodings[] = {"utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"};
  MVM_TRY(Ref<StrObject> encoding, InternUtf8(ts, kEncodings[code - 18]));
  MVM_TRY(Ref<> text, CallMethod(ts, items, Ref<StrObject>(InternUtf8(ts, "decode")), encoding));
  return Extend(ts, a, text);
}

}  // namespace

Result<> array_reconstructor(ThreadState& ts, Args args) {
  if (!IsType(ts, args[0])) {
    return Raise(ts, Exc::kTypeError, "first argument must be a type object, not %T", args[0]);
  }
  if (!IsStr(ts, args[1]) || args.as<StrObject>(1)->length != 1) {
    return Raise(ts, Exc::kTypeError,
                 "_array_reconstructor() argument 2 must be a unicode character, not %T", args[1]);
  }
  MVM_TRY(int64_t code, AsInt64(ts, args[2]));
  TypeObject* type = args.as<TypeObject>(0);
  MVM_TRY(TypeObject * base, TypeForSpec(ts, kArrayType));
  if (!IsSubtype(type, base)) {
    return Raise(ts, Exc::kTypeError, "%N is not a subtype of %N", type, base);
  }
  const Kind* kind = FindKind(args.as<StrObject>(1)->At(0));
  if (!kind) return Raise(ts, Exc::kValueError, "second argument must be a valid type code");
  if (code < 0 || code > 21) {
    return Raise(ts, Exc::kValueError, "third argument must be a valid machine format code.");
  }
  if (!IsBytes(ts, args[3])) {
    return Raise(ts, Exc::kTypeError, "fourth argument should be bytes, not %T", args[3]);
  }
  const std::string_view items = args.as<BytesObject>(3)->view();
  const MachineFormat format = kMachineFormats[code];
  const bool big = format.size > 1 && (code & 1);
  const bool native = format.size == 1 || big == (std::endian::native == std::endian::big);
  const bool same = native && code - (big ? 1 : 0) == kind->machine;
  if (!same && (format.family == 'u' || format.family == 's')) {
    // The kind whose items these are on this machine.
    if (const Kind* fitting = FindIntegerKind(format.size, format.family == 's')) kind = fitting;
  }
  MVM_TRY(Ref<ArrayObject> a, NewArray(ts, type, kind));
  if (same || (format.family != 'f' && format.family != 'c')) {
    MVM_TRY_VOID(AppendBytes(ts, a, items));
    if (!native) SwapBytes(a->data, kind->size, a->size);
    return a;
  }
  if (items.size() % format.size != 0) {
    return Raise(ts, Exc::kValueError, "string length not a multiple of item size");
  }
  MVM_TRY_VOID(format.family == 'f' ? AppendForeign(ts, a, format, big, items)
                                    : AppendForeignText(ts, a, static_cast<int>(code), args[3]));
  return a;
}

const MethodSpec kArrayMethods[kArrayMethodCount] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem, "See PEP 585", kMethodClass},
    {"__copy__(self, /)", array_copy, "An array of the same items."},
    {"__deepcopy__(self, unused, /)", array_copy, "An array of the same items."},
    {"__reduce_ex__(self, value, /)", array_reduce_ex, "What pickle needs to make it again."},
    {"__sizeof__(self, /)", array_sizeof, "Size of the array in memory, in bytes."},
    {"append(self, v, /)", array_append,
     "Put v behind the last item. TypeError or OverflowError where the typecode cannot hold it."},
    {"buffer_info(self, /)", array_buffer_info,
     "Where the items are in memory, and how many there are: (address, length)."},
    {"byteswap(self, /)", array_byteswap,
     "Turn the byte order of every item round, in place. RuntimeError for items that are not 1, 2, "
     "4 or 8 bytes."},
    {"clear(self, /)", array_clear, "Leave nothing in the array."},
    {"count(self, v, /)", array_count, "How many items equal v."},
    {"extend(self, bb, /)", array_extend,
     "Put the items of bb behind the last: an array of the same typecode, or any iterable."},
    {"frombytes(self, buffer, /)", array_frombytes,
     "Appends items from a bytes-like object, as machine values."},
    {"fromfile(self, f, n, /)", array_fromfile,
     "Read n items from a binary file and add them. EOFError if it has fewer; those are added all "
     "the same."},
    {"fromlist(self, list, /)", array_fromlist, "Add the items of a list, all or none of them."},
    {"fromunicode(self, ustr, /)", array_fromunicode,
     "Add the characters of a str. ValueError unless the typecode is u or w."},
    {"index(self, v, start=0, stop=sys.maxsize, /)", array_index,
     "Where the first item equal to v is, looked for from start to stop. ValueError if there is "
     "none."},
    {"insert(self, i, v, /)", array_insert,
     "Put v before item i; an i beyond either end means that end."},
    {"pop(self, i=-1, /)", array_pop,
     "Take item i out, the last by default, and return it. IndexError if there is none."},
    {"remove(self, v, /)", array_remove,
     "Take out the first item equal to v. ValueError if there is none."},
    {"reverse(self, /)", array_reverse, "Turn the order of the items round, in place."},
    {"tobytes(self, /)", array_tobytes, "The items' memory as bytes."},
    {"tofile(self, f, /)", array_tofile, "Write the items' memory to a binary file."},
    {"tolist(self, /)", array_tolist, "The items as a list."},
    {"tounicode(self, /)", array_tounicode,
     "The characters as a str. ValueError unless the typecode is u or w."},
};

}  // namespace minivm::arrays

// PicklerCore: numbers, strings and containers; what Save() decides.
#include "stdlib/pickle/pickler.h"
#include "runtime/support/utf8.h"

#include <bit>
#include <cstring>

#include "runtime/native/native_function.h"
#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/codec.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/slot_dict.h"
#include "runtime/support/float_format.h"
#include "runtime/support/utf8.h"

namespace minivm::pickle {

// ---- the memo ----

Status PicklerCore::MemoPut(ThreadState& ts, MemoKey key, Value v) {
  if (fast) return Ok();
  const int64_t number = memo.next();
  MVM_TRY_VOID(memo.Add(ts, key, v, number));
  if (protocol >= 4) return out.Put(ts, kMemoize);
  if (!binary) {
    char text[32];
    const int n = std::snprintf(text, sizeof text, "p%lld\n", static_cast<long long>(number));
    return out.Write(ts, text, static_cast<size_t>(n));
  }
  if (number < 256) return out.PutNumber(ts, kBinPut, static_cast<uint64_t>(number), 1);
  return out.PutNumber(ts, kLongBinPut, static_cast<uint64_t>(number), 4);
}

Status PicklerCore::MemoGet(ThreadState& ts, int64_t number) {
  if (!binary) {
    char text[32];
    const int n = std::snprintf(text, sizeof text, "g%lld\n", static_cast<long long>(number));
    return out.Write(ts, text, static_cast<size_t>(n));
  }
  if (number >= 0 && number < 256) {
    return out.PutNumber(ts, kBinGet, static_cast<uint64_t>(number), 1);
  }
  if (number < 0 || number > 0xFFFFFFFF) {
    return RaisePickling(ts, "memo id too large for LONG_BINGET");
  }
  return out.PutNumber(ts, kLongBinGet, static_cast<uint64_t>(number), 4);
}

Status PicklerCore::PopToMemo(ThreadState& ts, size_t stacked, int64_t number) {
  for (size_t i = 0; i < stacked; ++i) MVM_TRY_VOID(out.Put(ts, kPop));
  return MemoGet(ts, number);
}

// ---- the whole ----

Status PicklerCore::Configure(ThreadState& ts, Value protocol_argument, Value fix, Value callback) {
  MVM_TRY(protocol, ProtocolArgument(ts, protocol_argument));
  binary = protocol > 0;
  MVM_TRY(bool map_names, Truth(ts, fix));
  fix_imports = map_names && protocol < 3;
  buffer_callback = Ref<>();
  if (!callback.is_absent() && !IsNone(ts, callback)) {
    if (protocol < 5) return Raise(ts, Exc::kValueError, "buffer_callback needs protocol >= 5");
    buffer_callback = Ref<>::Borrow(callback);
  }
  return Ok();
}

Status PicklerCore::Dump(ThreadState& ts, Value v) {
  out.Clear();
  if (protocol >= 2) {
    MVM_TRY_VOID(out.PutNumber(ts, kProto, static_cast<uint64_t>(protocol), 1));
    if (protocol >= 4) out.StartFraming();
  }
  MVM_TRY_VOID(Save(ts, v));
  MVM_TRY_VOID(out.Put(ts, kStop));
  return out.Finish(ts);
}

// Counts the depth in fast mode, where cycles would never end: from kQuiet levels on, the objects
// under way are remembered.
struct PicklerCore::FastNesting {
  static constexpr int kQuiet = 50;
  FastNesting(ThreadState& ts, PicklerCore* core) : ts(ts), core(core) {}
  ~FastNesting() {
    if (!counted) return;
    if (listed) ListTruncate();
    --core->fast_nesting_;
  }
  Status Enter(Value v) {
    if (!core->fast) return Ok();
    counted = true;
    if (++core->fast_nesting_ < kQuiet) return Ok();
    if (!core->fast_seen_) {
      MVM_TRY(core->fast_seen_, NewList(ts, {}));
    }
    ListObject* seen = core->fast_seen_.as<ListObject>();
    for (uint64_t i = 0; i < seen->size; ++i) {
      if (seen->items[i].is(v)) {
        return Raise(ts, Exc::kValueError,
                     "fast mode: can't pickle cyclic objects including object type %T at 0x%llx", v,
                     static_cast<unsigned long long>(v.bits()));
      }
    }
    MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(seen->size)));
    MVM_TRY_VOID(ListAppend(ts, seen, v));
    listed = true;
    return Ok();
  }
  void ListTruncate() {
    ListObject* seen = core->fast_seen_.as<ListObject>();
    if (seen && seen->size > 0) {
      const Ref<> dropped = Ref<>::Steal(seen->items[--seen->size]);
    }
  }
  ThreadState& ts;
  PicklerCore* core;
  bool counted = false, listed = false;
};

Result<bool> PicklerCore::SavePersistent(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> id, Call(ts, Ref<>(persistent_id), v));
  if (IsNone(ts, id)) return false;
  if (binary) {
    MVM_TRY_VOID(Save(ts, id, false));
    MVM_TRY_VOID(out.Put(ts, kBinPersId));
    return true;
  }
  MVM_TRY(Ref<StrObject> text, ToStr(ts, id));
  if (!text->ascii()) {
    return RaisePickling(ts, "persistent IDs in protocol 0 must be ASCII strings");
  }
  MVM_TRY_VOID(out.Put(ts, kPersId));
  MVM_TRY_VOID(out.Write(ts, text->data1(), text->length));
  MVM_TRY_VOID(out.Put(ts, '\n'));
  return true;
}

Status PicklerCore::Save(ThreadState& ts, Value v, bool may_be_persistent) {
  MVM_TRY_VOID(out.Boundary(ts));
  if (MVM_UNLIKELY(may_be_persistent && persistent_id)) {
    MVM_TRY(bool done, SavePersistent(ts, v));
    if (done) return Ok();
  }
  if (v.is_int()) return SaveInt(ts, v);
  if (v.is_float()) return SaveFloat(ts, v);
  const uint32_t shape = v.object()->shape_id;
  if (shape == ShapeIdOf(TypeId::kStr)) {
    const int64_t known = memo.Find(KeyOf(v));
    return known >= 0 ? MemoGet(ts, known) : SaveStr(ts, v.as<StrObject>());
  }
  switch (shape) {
    case ShapeIdOf(TypeId::kNoneType): return out.Put(ts, kNone);
    case ShapeIdOf(TypeId::kBool): return SaveBool(ts, IsTrue(ts, v));
    case ShapeIdOf(TypeId::kInt): return SaveLongInt(ts, v);
    case ShapeIdOf(TypeId::kFloat): return SaveFloat(ts, v);
    default: break;
  }
  const MemoKey key = shape == kShapeSlotDict ? KeyOfDictOf(v.as<DictObject>()->owner) : KeyOf(v);
  const int64_t known = memo.Find(key);
  if (known >= 0) return MemoGet(ts, known);
  return SaveObject(ts, v);
}

Status PicklerCore::SaveObject(ThreadState& ts, Value v) {
  if (IsExact(v, TypeId::kBytes)) return SaveBytes(ts, v);
  RecursionGuard guard(ts, " while pickling an object");
  if (!guard) return kRaised;
  const Ref<> hold = Ref<>::Borrow(v);
  MVM_TRY_VOID(Charge(ts, 4));
  FastNesting nesting(ts, this);
  switch (v.object()->shape_id) {
    case ShapeIdOf(TypeId::kDict):
    case kShapeCelledDict:
    case kShapeSlotDict: MVM_TRY_VOID(nesting.Enter(v)); return SaveDict(ts, v);
    case ShapeIdOf(TypeId::kList):
      MVM_TRY_VOID(nesting.Enter(v));
      return SaveList(ts, v.as<ListObject>());
    case ShapeIdOf(TypeId::kTuple): return SaveTuple(ts, v.as<TupleObject>());
    case ShapeIdOf(TypeId::kSet): return SaveSet(ts, v.as<SetObject>());
    case ShapeIdOf(TypeId::kFrozenset): return SaveFrozenset(ts, v.as<SetObject>());
    case ShapeIdOf(TypeId::kBytearray): return SaveBytearray(ts, v);
    default: break;
  }
  if (IsPickleBuffer(ts, v)) return SavePickleBuffer(ts, v);
  if (reducer_override) {
    MVM_TRY(Ref<> reduced, Call(ts, Ref<>(reducer_override), v));
    if (!IsNotImplemented(ts, reduced)) return SaveReduced(ts, reduced, v);
  }
  if (IsExact(v, TypeId::kType)) return SaveType(ts, v);
  if (IsExact(v, TypeId::kFunction)) return SaveGlobal(ts, v, nullptr);
  if (IsPlainInstance(ts, v)) {
    MVM_TRY_VOID(nesting.Enter(v));
    return SavePlainInstance(ts, v);
  }
  MVM_TRY_VOID(nesting.Enter(v));
  return SaveByReducing(ts, v);
}

// ---- numbers ----

Status PicklerCore::SaveBool(ThreadState& ts, bool b) {
  if (protocol >= 2) return out.Put(ts, b ? kNewTrue : kNewFalse);
  return out.Write(ts, b ? "I01\n" : "I00\n", 4);
}

Status PicklerCore::SaveInt(ThreadState& ts, Value v) {
  const int64_t i = v.as_int();
  if (MVM_UNLIKELY(i != static_cast<int32_t>(i) || !binary)) return SaveLongInt(ts, v);
  if (static_cast<uint64_t>(i) <= 0xFF) return out.PutNumber(ts, kBinInt1, i, 1);
  if (static_cast<uint64_t>(i) <= 0xFFFF) return out.PutNumber(ts, kBinInt2, i, 2);
  return out.PutNumber(ts, kBinInt, static_cast<uint64_t>(i), 4);
}

// Ints of more than 32 bits, and all ints of protocol 0.
Status PicklerCore::SaveLongInt(ThreadState& ts, Value v) {
  int64_t i;
  const bool fits = IntFitsInt64(v, &i);
  if (protocol < 2) {
    const bool narrow = fits && i == static_cast<int32_t>(i);
    MVM_TRY(Ref<StrObject> text, IntToStr(ts, v, 10, false));
    MVM_TRY_VOID(out.Put(ts, narrow ? kInt : kLong));
    MVM_TRY_VOID(out.Write(ts, text->data1(), text->length));
    return narrow ? out.Put(ts, '\n') : out.Write(ts, "L\n", 2);
  }
  if (fits) {
    size_t n = 8;  // bytes needed, sign included
    while (n > 1 && (i >> (8 * (n - 1) - 1) == 0 || i >> (8 * (n - 1) - 1) == -1)) --n;
    MVM_TRY_VOID(out.PutNumber(ts, kLong1, n, 1));
    return out.Write(ts, &i, n);
  }
  const IntView view(v);
  const size_t limbs = view.size();
  MVM_TRY_VOID(CheckRoom(ts, limbs * 8 + 16));
  // Two's complement: limbs, and a byte for the sign if the top bit says otherwise.
  size_t n = limbs * 8 + 1;
  if (n > 0x7FFFFFFF) {
    return Raise(ts, Exc::kOverflowError, "int too large to pickle");
  }
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(limbs)));
  MVM_TRY(void* p, AllocBuffer(ts, n));
  uint8_t* bytes = static_cast<uint8_t*>(p);
  std::memcpy(bytes, view.limbs(), limbs * 8);
  bytes[n - 1] = 0;
  if (view.negative()) {
    unsigned carry = 1;
    for (size_t k = 0; k < n; ++k) {
      const unsigned b = (bytes[k] ^ 0xFFu) + carry;
      bytes[k] = static_cast<uint8_t>(b);
      carry = b >> 8;
    }
  }
  size_t used = n;
  const uint8_t fill = view.negative() ? 0xFF : 0;
  while (used > 1 && bytes[used - 1] == fill && ((bytes[used - 2] ^ fill) & 0x80) == 0) --used;
  Status status =
      used < 256 ? out.PutNumber(ts, kLong1, used, 1) : out.PutNumber(ts, kLong4, used, 4);
  if (!status.raised()) status = out.Write(ts, bytes, used);
  ts.heap().FreeBuffer(p, n);
  return status;
}

Status PicklerCore::SaveFloat(ThreadState& ts, Value v) {
  const double d = FloatValue(v);
  if (binary) {
    uint8_t* p = out.Room(ts, 9);
    if (MVM_UNLIKELY(!p)) return kRaised;
    p[0] = kBinFloat;
    const uint64_t bits = __builtin_bswap64(std::bit_cast<uint64_t>(d));
    std::memcpy(p + 1, &bits, 8);
    return Ok();
  }
  MVM_TRY(Ref<StrObject> text, FloatRepr(ts, d));
  MVM_TRY_VOID(out.Put(ts, kFloat));
  MVM_TRY_VOID(out.Write(ts, text->data1(), text->length));
  return out.Put(ts, '\n');
}

// ---- strings ----

Status PicklerCore::SaveStr(ThreadState& ts, StrObject* s, MemoKey key) {
  if (!binary) {
    MVM_TRY_VOID(SaveStrText(ts, s));
    return MemoPut(ts, key, s);
  }
  if (s->length <= 0xFF && protocol >= 4) {  // the usual case, in one go
    const size_t n =
        s->ascii() ? s->length : WithChars(s, [&](auto* p) { return Utf8Size(p, s->length); });
    if (n <= 0xFF) {
      uint8_t* to = out.Room(ts, n + 2);
      if (MVM_UNLIKELY(!to)) return kRaised;
      to[0] = kShortBinUnicode;
      to[1] = static_cast<uint8_t>(n);
      if (s->ascii()) {
        std::memcpy(to + 2, s->data1(), n);
      } else {
        WithChars(s,
                  [&](auto* p) { EncodeUtf8Text(reinterpret_cast<char*>(to + 2), p, s->length); });
      }
      return MemoPut(ts, key, s);
    }
  }
  std::string encoded;
  std::string_view text;
  if (s->ascii()) {
    text = s->ascii_view();
  } else {
    MVM_TRY_VOID(CheckRoom(ts, s->length * 4));
    AppendUtf8(s, &encoded);
    text = encoded;
  }
  uint8_t header[9];
  size_t header_size;
  const uint64_t n = text.size();
  std::memcpy(header + 1, &n, 8);
  if (n <= 0xFF && protocol >= 4) {
    header[0] = kShortBinUnicode;
    header_size = 2;
  } else if (n <= 0xFFFFFFFF) {
    header[0] = kBinUnicode;
    header_size = 5;
  } else if (protocol >= 4) {
    header[0] = kBinUnicode8;
    header_size = 9;
  } else {
    return Raise(ts, Exc::kOverflowError,
                 "serializing a string larger than 4 GiB requires pickle "
                 "protocol 4 or higher");
  }
  const Ref<StrObject> hold = Ref<StrObject>::Borrow(s);
  MVM_TRY_VOID(out.WriteLarge(ts, header, header_size, text, Value()));
  return MemoPut(ts, key, s);
}

// Protocol 0: a line in raw-unicode-escape, with the characters that would end or escape it
// escaped.
Status PicklerCore::SaveStrText(ThreadState& ts, StrObject* s) {
  MVM_TRY_VOID(out.Put(ts, kUnicode));
  for (size_t i = 0; i < s->length; ++i) {
    const char32_t c = s->At(i);
    if (c > 0xFF || c == '\\' || c == 0 || c == '\n' || c == '\r' || c == 0x1A) {
      char text[16];
      const int n = std::snprintf(text, sizeof text, c > 0xFFFF ? "\\U%08x" : "\\u%04x",
                                  static_cast<unsigned>(c));
      MVM_TRY_VOID(out.Write(ts, text, static_cast<size_t>(n)));
    } else {
      MVM_TRY_VOID(out.Put(ts, static_cast<uint8_t>(c)));
    }
  }
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(s->length)));
  return out.Put(ts, '\n');
}

Status PicklerCore::SaveBytesData(ThreadState& ts, std::string_view data, Value payload) {
  uint8_t header[9];
  size_t header_size;
  const uint64_t n = data.size();
  std::memcpy(header + 1, &n, 8);
  if (n <= 0xFF) {
    header[0] = kShortBinBytes;
    header_size = 2;
  } else if (n <= 0xFFFFFFFF) {
    header[0] = kBinBytes;
    header_size = 5;
  } else if (protocol >= 4) {
    header[0] = kBinBytes8;
    header_size = 9;
  } else {
    return Raise(ts, Exc::kOverflowError,
                 "serializing a bytes object larger than 4 GiB requires "
                 "pickle protocol 4 or higher");
  }
  return out.WriteLarge(ts, header, header_size, data, payload);
}

Status PicklerCore::SaveBytes(ThreadState& ts, Value v) {
  const Ref<> hold = Ref<>::Borrow(v);
  const std::string_view data = v.as<BytesObject>()->view();
  if (protocol >= 3) {
    MVM_TRY_VOID(SaveBytesData(ts, data, v));
    return MemoPut(ts, v);
  }
  // Python 2 has no such type: bytes() or the text that encodes to it.
  Ref<TupleObject> reduced;
  if (data.empty()) {
    MVM_TRY(reduced, Pair(ts, TypeById(ts, TypeId::kBytes), ts.rt->empty_tuple));
  } else {
    MVM_TRY(Ref<StrObject> text,
            NewStrFromUcs1(ts, reinterpret_cast<const uint8_t*>(data.data()), data.size()));
    MVM_TRY(Ref<StrObject> encoding, InternUtf8(ts, "latin1"));
    MVM_TRY(Ref<TupleObject> args, Pair(ts, text, encoding));
    MVM_TRY(Ref<> encode, ImportedName(ts, "codecs", "encode"));
    MVM_TRY(reduced, Pair(ts, encode, args));
  }
  return SaveReduceTuple(ts, reduced, v);
}

Status PicklerCore::SaveBytearrayData(ThreadState& ts, std::string_view data, Value payload) {
  uint8_t header[9];
  header[0] = kByteArray8;
  const uint64_t n = data.size();
  std::memcpy(header + 1, &n, 8);
  return out.WriteLarge(ts, header, 9, data, payload);
}

Status PicklerCore::SaveBytearray(ThreadState& ts, Value v) {
  const std::string_view data = v.as<BytearrayObject>()->view();
  if (protocol >= 5) {
    MVM_TRY_VOID(SaveBytearrayData(ts, data, v));
    return MemoPut(ts, v);
  }
  Ref<> args = Ref<>::Borrow(ts.rt->empty_tuple);
  if (!data.empty()) {
    MVM_TRY(Ref<BytesObject> bytes, NewBytes(ts, data));
    const Value only = bytes;
    MVM_TRY(args, NewTuple(ts, {&only, 1}));
  }
  MVM_TRY(Ref<TupleObject> reduced, Pair(ts, TypeById(ts, TypeId::kBytearray), args));
  return SaveReduceTuple(ts, reduced, v);
}

Status PicklerCore::SavePickleBuffer(ThreadState& ts, Value v) {
  if (protocol < 5) {
    return RaisePickling(ts, "PickleBuffer can only be pickled with protocol >= 5");
  }
  BufferView view;
  MVM_TRY_VOID(PickleBufferView(ts, v.as<PickleBufferObject>(), &view));
  if (!view.c_contiguous() && !view.f_contiguous()) {
    return RaisePickling(
        ts, "PickleBuffer can not be pickled when pointing to a non-contiguous buffer");
  }
  bool in_band = true;
  if (buffer_callback) {
    MVM_TRY(Ref<> answer, Call(ts, Ref<>(buffer_callback), v));
    MVM_TRY(in_band, Truth(ts, answer));
  }
  if (!in_band) {
    MVM_TRY_VOID(out.Put(ts, kNextBuffer));
    return view.readonly ? out.Put(ts, kReadonlyBuffer) : Ok();
  }
  // Out of the file's hands: the view is the memory, whatever object owns it.
  MVM_TRY_VOID(view.readonly ? SaveBytesData(ts, view.bytes(), Value())
                             : SaveBytearrayData(ts, view.bytes(), Value()));
  return MemoPut(ts, v);
}

// ---- containers ----

Status PicklerCore::SaveTuple(ThreadState& ts, TupleObject* t) {
  const size_t n = t->size();
  if (n == 0) return binary ? out.Put(ts, kEmptyTuple) : out.Write(ts, "(t", 2);
  const bool small = n <= 3 && protocol >= 2;
  if (!small) MVM_TRY_VOID(out.Put(ts, kMark));
  for (size_t i = 0; i < n; ++i) MVM_TRY_VOID(Save(ts, (*t)[i]));
  const int64_t known = memo.Find(KeyOf(t));
  if (known >= 0) {
    if (small) return PopToMemo(ts, n, known);
    if (!binary) return PopToMemo(ts, n + 1, known);
    MVM_TRY_VOID(out.Put(ts, kPopMark));
    return MemoGet(ts, known);
  }
  MVM_TRY_VOID(out.Put(ts, static_cast<uint8_t>(small ? kTuple1 + n - 1 : +kTuple)));
  return MemoPut(ts, t);
}

Status PicklerCore::SaveList(ThreadState& ts, ListObject* list) {
  MVM_TRY_VOID(binary ? out.Put(ts, kEmptyList) : out.Write(ts, "(l", 2));
  MVM_TRY_VOID(MemoPut(ts, list));
  if (list->size == 0) return Ok();
  if (!binary || list->size == 1) {
    for (uint64_t i = 0; i < list->size; ++i) {
      const Ref<> item = Ref<>::Borrow(list->items[i]);
      MVM_TRY_VOID(Save(ts, item));
      MVM_TRY_VOID(out.Put(ts, kAppend));
    }
    return Ok();
  }
  for (uint64_t i = 0; i < list->size;) {
    MVM_TRY_VOID(out.Put(ts, kMark));
    for (size_t n = 0; n < kBatchSize && i < list->size; ++n, ++i) {
      const Ref<> item = Ref<>::Borrow(list->items[i]);
      MVM_TRY_VOID(Save(ts, item));
    }
    MVM_TRY_VOID(Charge(ts, kBatchSize));
    MVM_TRY_VOID(out.Put(ts, kAppends));
  }
  return Ok();
}

Status PicklerCore::SaveItems(ThreadState& ts, Value iterator) {
  if (!binary) {
    for (;;) {
      MVM_TRY(Ref<> item, Next(ts, iterator));
      if (item.is_done()) return Ok();
      MVM_TRY_VOID(Save(ts, item));
      MVM_TRY_VOID(out.Put(ts, kAppend));
      MVM_TRY_VOID(Charge(ts, 1));
    }
  }
  for (;;) {
    MVM_TRY(Ref<> first, Next(ts, iterator));
    if (first.is_done()) return Ok();
    MVM_TRY(Ref<> item, Next(ts, iterator));
    if (item.is_done()) {
      MVM_TRY_VOID(Save(ts, first));
      return out.Put(ts, kAppend);
    }
    MVM_TRY_VOID(out.Put(ts, kMark));
    MVM_TRY_VOID(Save(ts, first));
    for (size_t n = 1; !item.is_done();) {
      MVM_TRY_VOID(Save(ts, item));
      if (++n == kBatchSize) break;
      MVM_TRY(item, Next(ts, iterator));
    }
    MVM_TRY_VOID(Charge(ts, kBatchSize));
    MVM_TRY_VOID(out.Put(ts, kAppends));
    if (item.is_done()) return Ok();
  }
}

namespace {
Status CheckPair(ThreadState& ts, Value pair) {
  if (IsTuple(ts, pair) && pair.as<TupleObject>()->size() == 2) return Ok();
  return Raise(ts, Exc::kTypeError, "dict items iterator must return 2-tuples");
}
}  // namespace

Status PicklerCore::SavePairs(ThreadState& ts, Value iterator) {
  auto save_pair = [&](Value pair) -> Status {
    MVM_TRY_VOID(CheckPair(ts, pair));
    MVM_TRY_VOID(Save(ts, (*pair.as<TupleObject>())[0]));
    return Save(ts, (*pair.as<TupleObject>())[1]);
  };
  for (;;) {
    MVM_TRY(Ref<> first, Next(ts, iterator));
    if (first.is_done()) return Ok();
    MVM_TRY_VOID(CheckPair(ts, first));
    if (!binary) {
      MVM_TRY_VOID(save_pair(first));
      MVM_TRY_VOID(out.Put(ts, kSetItem));
      MVM_TRY_VOID(Charge(ts, 1));
      continue;
    }
    MVM_TRY(Ref<> pair, Next(ts, iterator));
    if (pair.is_done()) {
      MVM_TRY_VOID(save_pair(first));
      return out.Put(ts, kSetItem);
    }
    MVM_TRY_VOID(out.Put(ts, kMark));
    MVM_TRY_VOID(save_pair(first));
    for (size_t n = 1; !pair.is_done();) {
      MVM_TRY_VOID(save_pair(pair));
      if (++n == kBatchSize) break;
      MVM_TRY(pair, Next(ts, iterator));
    }
    MVM_TRY_VOID(Charge(ts, kBatchSize));
    MVM_TRY_VOID(out.Put(ts, kSetItems));
    if (pair.is_done()) return Ok();
  }
}

Status PicklerCore::SaveDictItems(ThreadState& ts, DictObject* d) {
  const size_t size = DictSize(d);
  if (size == 0) return Ok();
  size_t pos = 0;
  Value key, value;
  auto save_next = [&]() -> Status {
    const Ref<> k = Ref<>::Borrow(key), v = Ref<>::Borrow(value);
    MVM_TRY_VOID(Save(ts, k));
    return Save(ts, v);
  };
  auto check_size = [&]() -> Status {
    if (DictSize(d) == size) return Ok();
    return Raise(ts, Exc::kRuntimeError, "%s", kDictChangedSize);
  };
  if (!binary || size == 1) {
    while (DictNext(ts, d, &pos, &key, &value)) {
      MVM_TRY_VOID(save_next());
      MVM_TRY_VOID(out.Put(ts, kSetItem));
      MVM_TRY_VOID(check_size());
    }
    return Ok();
  }
  size_t n;
  do {  // a full batch is followed by another one, if need be an empty one
    MVM_TRY_VOID(out.Put(ts, kMark));
    for (n = 0; n < kBatchSize && DictNext(ts, d, &pos, &key, &value); ++n) {
      MVM_TRY_VOID(save_next());
    }
    MVM_TRY_VOID(out.Put(ts, kSetItems));
    MVM_TRY_VOID(check_size());
    MVM_TRY_VOID(Charge(ts, kBatchSize));
  } while (n == kBatchSize);
  return Ok();
}

Status PicklerCore::SaveDict(ThreadState& ts, Value v) {
  DictObject* d = v.as<DictObject>();
  MVM_TRY_VOID(binary ? out.Put(ts, kEmptyDict) : out.Write(ts, "(d", 2));
  const bool view = d->storage == DictStorage::kSlots;
  MVM_TRY_VOID(MemoPut(ts, view ? KeyOfDictOf(d->owner) : KeyOf(v), v));
  return SaveDictItems(ts, d);
}

Status PicklerCore::SaveInstanceDict(ThreadState& ts, Object* o) {
  RuntimeState& rt = *ts.rt;
  MVM_TRY_VOID(binary ? out.Put(ts, kEmptyDict) : out.Write(ts, "(d", 2));
  MVM_TRY_VOID(MemoPut(ts, KeyOfDictOf(o), Value(o)));
  const Shape* shape = rt.shapes[o->shape_id].shape;
  const int count = shape->slot_count;
  auto save_slot = [&](int i) -> Status {
    const Ref<> name = Ref<>::Borrow(shape->NameAt(i));
    const Ref<> value = Ref<>::Borrow(*SlotAddress(rt, o, shape, i));
    if (!value) return Ok();
    MVM_TRY_VOID(Save(ts, name));
    MVM_TRY_VOID(Save(ts, value));
    if (MVM_LIKELY(rt.shapes[o->shape_id].shape == shape)) return Ok();
    return Raise(ts, Exc::kRuntimeError, "%s", kDictChangedSize);
  };
  if (count == 1) {
    MVM_TRY_VOID(save_slot(0));
    return out.Put(ts, kSetItem);
  }
  MVM_TRY_VOID(out.Put(ts, kMark));
  for (int i = 0; i < count; ++i) MVM_TRY_VOID(save_slot(i));
  return out.Put(ts, kSetItems);
}

Status PicklerCore::SaveSet(ThreadState& ts, SetObject* set) {
  if (protocol < 4) {
    MVM_TRY(Ref<ListObject> items, ListFrom(ts, set));
    const Value only = items;
    MVM_TRY(Ref<TupleObject> args, NewTuple(ts, {&only, 1}));
    MVM_TRY(Ref<TupleObject> reduced, Pair(ts, TypeById(ts, TypeId::kSet), args));
    return SaveReduceTuple(ts, reduced, set);
  }
  MVM_TRY_VOID(out.Put(ts, kEmptySet));
  MVM_TRY_VOID(MemoPut(ts, set));
  const uint64_t size = set->used;
  if (size == 0) return Ok();
  size_t pos = 0, n;
  Value key;
  do {
    MVM_TRY_VOID(out.Put(ts, kMark));
    for (n = 0; n < kBatchSize && SetNext(set, &pos, &key); ++n) {
      const Ref<> hold = Ref<>::Borrow(key);
      MVM_TRY_VOID(Save(ts, hold));
    }
    MVM_TRY_VOID(out.Put(ts, kAddItems));
    if (set->used != size) {
      return Raise(ts, Exc::kRuntimeError, "set changed size during iteration");
    }
    MVM_TRY_VOID(Charge(ts, kBatchSize));
  } while (n == kBatchSize);
  return Ok();
}

Status PicklerCore::SaveFrozenset(ThreadState& ts, SetObject* set) {
  if (protocol < 4) {
    MVM_TRY(Ref<ListObject> items, ListFrom(ts, set));
    const Value only = items;
    MVM_TRY(Ref<TupleObject> args, NewTuple(ts, {&only, 1}));
    MVM_TRY(Ref<TupleObject> reduced, Pair(ts, TypeById(ts, TypeId::kFrozenset), args));
    return SaveReduceTuple(ts, reduced, set);
  }
  MVM_TRY_VOID(out.Put(ts, kMark));
  size_t pos = 0;
  Value key;
  while (SetNext(set, &pos, &key)) {
    const Ref<> hold = Ref<>::Borrow(key);
    MVM_TRY_VOID(Save(ts, hold));
    MVM_TRY_VOID(Charge(ts, 1));
  }
  const int64_t known = memo.Find(KeyOf(set));
  if (known >= 0) {
    MVM_TRY_VOID(out.Put(ts, kPopMark));
    return MemoGet(ts, known);
  }
  MVM_TRY_VOID(out.Put(ts, kFrozenSet));
  return MemoPut(ts, set);
}

}  // namespace minivm::pickle

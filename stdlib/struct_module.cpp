// _struct: packed binary data. Formats and values are in stdlib/struct.
//
// The functions keep the Structs of the formats they have met in a dictionary of the module, which
// they get as their first argument.
#include <cstdarg>
#include <cstring>
#include <new>

#include "runtime/native/native_function.h"
#include "runtime/objects/codec.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/struct/struct_format.h"

namespace minivm {

extern const TypeSpec kStructType;
extern const TypeSpec kUnpackIteratorType;

namespace structs {

Raised RaiseStruct(ThreadState& ts, const char* format, ...) {
  va_list args;
  va_start(args, format);
  Result<StrObject> text = FormatV(ts, format, args);
  va_end(args);
  if (text.raised()) return kRaised;
  const Ref<StrObject> message = text.Take();
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "_struct"));
  MVM_TRY(Ref<> type, GetAttr(ts, module, "error"));
  MVM_TRY(Ref<> exception, Call(ts, type, message));
  return RaiseObject(ts, exception);
}

namespace {

constexpr size_t kCacheSize = 100;

class StructObject : public Object {
 public:
  Format format;
  Ref<StrObject> text;
  bool ready;
  template <class V>
  void VisitRefs(V&& v) {
    v(format.fields);
    v(text);
  }
};

class UnpackIterator : public Object {
 public:
  Ref<StructObject> source;  // empty at the end
  BufferView view;
  int64_t index;  // of the next byte
  template <class V>
  void VisitRefs(V&& v) {
    v(source);
    v(view.object);
  }
};

StructObject* Self(Value v) { return v.as<StructObject>(); }

Result<> struct_new(ThreadState& ts, TypeObject* cls, Args) {
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  StructObject* s = made.as<StructObject>();
  new (&s->format) Format();
  s->format.size = s->format.items = -1;
  return made;
}

Status InitStruct(ThreadState& ts, StructObject* s, Value format) {
  Ref<BytesObject> ascii;
  if (IsStr(ts, format)) {
    MVM_TRY(ascii, Encode(ts, format.as<StrObject>(), "ascii"));
  } else if (IsBytes(ts, format)) {
    ascii = Ref<BytesObject>::Borrow(format.as<BytesObject>());
  } else {
    return Raise(ts, Exc::kTypeError, "Struct() argument 1 must be a str or bytes object, not %T",
                 format);
  }
  Format compiled;
  MVM_TRY_VOID(Compile(ts, ascii->view(), &compiled));
  MVM_TRY(Ref<StrObject> text, NewStrFromUcs1(ts, ascii->data(), ascii->length));
  s->format.fields = compiled.fields;
  s->format.size = compiled.size;
  s->format.items = compiled.items;
  s->text = std::move(text);
  s->ready = true;
  return Ok();
}

Result<> struct_init(ThreadState& ts, Args args) {
  MVM_TRY_VOID(InitStruct(ts, Self(args[0]), args[1]));
  return None(ts);
}

Status CheckReady(ThreadState& ts, StructObject* s) {
  if (MVM_LIKELY(s->ready)) return Ok();
  return Raise(ts, Exc::kRuntimeError, "Struct object is not initialized");
}

// The Struct of a format, from the module's cache.
Result<StructObject> CachedStruct(ThreadState& ts, Value module, Value format) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "_cache"));
  const Value known = DictGetStr(ts, module.as<ModuleObject>()->dict, name);
  Ref<DictObject> cache;
  if (IsExactDict(known)) cache = Ref<DictObject>::Borrow(known.as<DictObject>());
  if (cache) {
    MVM_TRY(Ref<> found, DictGet(ts, cache, format));
    if (!found.is_absent() && found.is_object() && TypeOf(ts, found)->spec == &kStructType) {
      return std::move(found).Into<StructObject>();
    }
  }
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kStructType));
  MVM_TRY(Ref<> made, struct_new(ts, type, Args{nullptr, 0}));
  MVM_TRY_VOID(InitStruct(ts, Self(made), format));
  if (cache) {
    if (DictSize(cache) >= kCacheSize) DictClear(ts, cache);
    MVM_TRY_VOID(DictSet(ts, cache, format, made));
  }
  return std::move(made).Into<StructObject>();
}

// ---- packing ----

Status CheckCount(ThreadState& ts, const StructObject* s, const char* function, int64_t given) {
  if (MVM_LIKELY(given == s->format.items)) return Ok();
  return RaiseStruct(ts, "%s expected %lld items for packing (got %lld)", function,
                     static_cast<long long>(s->format.items), static_cast<long long>(given));
}

Result<> Pack(ThreadState& ts, StructObject* s, const Value* values, uint32_t count) {
  MVM_TRY_VOID(CheckCount(ts, s, "pack", count));
  const Format format = s->format;
  const size_t size = static_cast<size_t>(format.size);
  if (size == 0) {
    MVM_TRY_VOID(PackValues(ts, format, values, nullptr));
    return Result<>::Borrow(ts.rt->empty_bytes);
  }
  MVM_TRY_VOID(CheckRoom(ts, size));
  MVM_TRY(Ref<BytesObject> bytes, NewBytesRaw(ts, size));
  std::memset(bytes->data(), 0, size);
  MVM_TRY_VOID(PackValues(ts, format, values, bytes->data()));
  return bytes;
}

// An offset into a buffer as the functions take it: an index that fits.
Result<int64_t> OffsetOf(ThreadState& ts, Value v, Exc overflow) {
  if (v.is_int()) return v.as_int();
  return IndexAsInt64(ts, v, overflow);
}

Result<> PackInto(ThreadState& ts, StructObject* s, const Value* args, uint32_t count) {
  if (count < 2) {
    return RaiseStruct(ts, "pack_into expected %s argument", count == 0 ? "buffer" : "offset");
  }
  MVM_TRY_VOID(CheckCount(ts, s, "pack_into", count - 2));
  const Format format = s->format;
  ByteView buffer;
  if (buffer.GetWritable(ts, args[0]).raised()) {
    if (!ClearPendingIf(ts, Exc::kTypeError) && !ClearPendingIf(ts, Exc::kBufferError)) {
      return kRaised;
    }
    return Raise(ts, Exc::kTypeError, "argument must be read-write bytes-like object, not %T",
                 args[0]);
  }
  MVM_TRY(int64_t offset, OffsetOf(ts, args[1], Exc::kIndexError));
  const int64_t room = static_cast<int64_t>(buffer.size()), size = format.size;
  if (offset < 0) {
    if (offset > -size) {
      return RaiseStruct(ts, "no space to pack %lld bytes at offset %lld",
                         static_cast<long long>(size), static_cast<long long>(offset));
    }
    if (offset + room < 0) {
      return RaiseStruct(ts, "offset %lld out of range for %lld-byte buffer",
                         static_cast<long long>(offset), static_cast<long long>(room));
    }
    offset += room;
  }
  if (room - offset < size) {
    return RaiseStruct(
        ts,
        "pack_into requires a buffer of at least %llu bytes for packing %lld bytes at offset %lld "
        "(actual buffer size is %lld)",
        static_cast<unsigned long long>(size) + static_cast<unsigned long long>(offset),
        static_cast<long long>(size), static_cast<long long>(offset), static_cast<long long>(room));
  }
  uint8_t* out = buffer.mutable_data() + offset;
  if (size) std::memset(out, 0, static_cast<size_t>(size));
  MVM_TRY_VOID(PackValues(ts, format, args + 2, out));
  return None(ts);
}

// ---- unpacking ----

Result<> Unpack(ThreadState& ts, StructObject* s, Value data) {
  ByteView buffer;
  MVM_TRY_VOID(buffer.Get(ts, data));
  if (static_cast<int64_t>(buffer.size()) != s->format.size) {
    return RaiseStruct(ts, "unpack requires a buffer of %lld bytes",
                       static_cast<long long>(s->format.size));
  }
  const Format format = s->format;
  return UnpackValues(ts, format, buffer.data());
}

Result<> UnpackFrom(ThreadState& ts, StructObject* s, Value data, Value start) {
  ByteView buffer;
  MVM_TRY_VOID(buffer.Get(ts, data));
  Result<int64_t> r = AsInt64(ts, start);
  if (r.raised()) {
    if (!ClearPendingIf(ts, Exc::kOverflowError)) return kRaised;
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C ssize_t");
  }
  int64_t offset = r.Take();
  const int64_t room = static_cast<int64_t>(buffer.size()), size = s->format.size;
  if (offset < 0) {
    if (offset > -size) {
      return RaiseStruct(ts, "not enough data to unpack %lld bytes at offset %lld",
                         static_cast<long long>(size), static_cast<long long>(offset));
    }
    if (offset + room < 0) {
      return RaiseStruct(ts, "offset %lld out of range for %lld-byte buffer",
                         static_cast<long long>(offset), static_cast<long long>(room));
    }
    offset += room;
  }
  if (room - offset < size) {
    return RaiseStruct(
        ts,
        "unpack_from requires a buffer of at least %llu bytes for unpacking %lld bytes at offset "
        "%lld (actual buffer size is %lld)",
        static_cast<unsigned long long>(size) + static_cast<unsigned long long>(offset),
        static_cast<long long>(size), static_cast<long long>(offset), static_cast<long long>(room));
  }
  const Format format = s->format;
  return UnpackValues(ts, format, buffer.data() + offset);
}

Result<> IterUnpack(ThreadState& ts, StructObject* s, Value data) {
  MVM_TRY_VOID(CheckReady(ts, s));
  const int64_t size = s->format.size;
  if (size == 0) {
    return RaiseStruct(ts, "cannot iteratively unpack with a struct of length 0");
  }
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kUnpackIteratorType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  UnpackIterator* it = made.as<UnpackIterator>();
  new (&it->view) BufferView();
  MVM_TRY_VOID(GetBuffer(ts, data, &it->view));
  if (!it->view.c_contiguous()) {
    return Raise(ts, Exc::kBufferError, "memoryview: underlying buffer is not C-contiguous");
  }
  if (it->view.size % size != 0) {
    return RaiseStruct(ts, "iterative unpacking requires a buffer of a multiple of %lld bytes",
                       static_cast<long long>(size));
  }
  it->source = Ref<StructObject>::Borrow(s);
  return made;
}

Result<> iterator_next(ThreadState& ts, Value self) {
  UnpackIterator* it = self.as<UnpackIterator>();
  if (!it->source) return Result<>::Done();
  const Format format = it->source->format;
  if (format.size <= 0 || it->index > it->view.size - format.size) {
    it->source = Ref<StructObject>();
    it->view.Release();
    return Result<>::Done();
  }
  const uint8_t* p = it->view.data + it->index;
  it->index += format.size;
  return UnpackValues(ts, format, p);
}

Result<> iterator_length_hint(ThreadState& ts, Args args) {
  const UnpackIterator* it = args.self<UnpackIterator>();
  if (!it->source || it->source->format.size <= 0) return Small(0);
  return NewInt(ts, (it->view.size - it->index) / it->source->format.size);
}

Result<> iterator_iter(ThreadState&, Value self) { return Result<>::Borrow(self); }

void iterator_destroy(Heap&, Object* o) {
  UnpackIterator* it = static_cast<UnpackIterator*>(o);
  it->source = Ref<StructObject>();
  it->view.Release();
}
void iterator_gc_clear(Object* o) { iterator_destroy(*Heap::Of(o), o); }

// ---- methods ----

Result<> struct_pack(ThreadState& ts, Args args) {
  if (args.nkw) return Raise(ts, Exc::kTypeError, "Struct.pack() takes no keyword arguments");
  return Pack(ts, Self(args[0]), args.v + 1, args.n - 1);
}
Result<> struct_pack_into(ThreadState& ts, Args args) {
  if (args.nkw) return Raise(ts, Exc::kTypeError, "Struct.pack_into() takes no keyword arguments");
  return PackInto(ts, Self(args[0]), args.v + 1, args.n - 1);
}
Result<> struct_unpack(ThreadState& ts, Args args) { return Unpack(ts, Self(args[0]), args[1]); }
Result<> struct_unpack_from(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckReady(ts, Self(args[0])));
  return UnpackFrom(ts, Self(args[0]), args[1], args[2]);
}
Result<> struct_iter_unpack(ThreadState& ts, Args args) {
  return IterUnpack(ts, Self(args[0]), args[1]);
}
Result<> struct_sizeof(ThreadState& ts, Args args) {
  const StructObject* s = Self(args[0]);
  return NewInt(ts, static_cast<int64_t>(sizeof(StructObject) +
                                         (s->format.fields ? s->format.fields->length : 0)));
}
Result<> struct_get_format(ThreadState& ts, Value self) {
  if (!Self(self)->text) return EmptyStr(ts);
  return Ref<StrObject>(Self(self)->text);
}
Result<> struct_get_size(ThreadState& ts, Value self) {
  return NewInt(ts, Self(self)->format.size);
}
Result<> struct_repr(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> text, struct_get_format(ts, self));
  MVM_TRY_VOID(TypeReady(ts, TypeOf(ts, self)));
  // The type's name without its module.
  return minivm::Format(ts, "%U(%R)", Value(TypeOf(ts, self)->name), text.get());
}

// ---- functions ----

Result<> module_calcsize(ThreadState& ts, Args args) {
  MVM_TRY(Ref<StructObject> s, CachedStruct(ts, args[0], args[1]));
  return NewInt(ts, s->format.size);
}

// The Struct of a raw call's first argument.
Result<StructObject> StructOfCall(ThreadState& ts, Args args, const char* function) {
  if (args.nkw) return Raise(ts, Exc::kTypeError, "%s() takes no keyword arguments", function);
  if (args.n < 2) return Raise(ts, Exc::kTypeError, "missing format argument");
  return CachedStruct(ts, args[0], args[1]);
}
Result<> module_pack(ThreadState& ts, Args args) {
  MVM_TRY(Ref<StructObject> s, StructOfCall(ts, args, "_struct.pack"));
  return Pack(ts, s, args.v + 2, args.n - 2);
}
Result<> module_pack_into(ThreadState& ts, Args args) {
  MVM_TRY(Ref<StructObject> s, StructOfCall(ts, args, "_struct.pack_into"));
  return PackInto(ts, s, args.v + 2, args.n - 2);
}
Result<> module_unpack(ThreadState& ts, Args args) {
  MVM_TRY(Ref<StructObject> s, CachedStruct(ts, args[0], args[1]));
  return Unpack(ts, s, args[2]);
}
Result<> module_unpack_from(ThreadState& ts, Args args) {
  MVM_TRY(Ref<StructObject> s, CachedStruct(ts, args[0], args[1]));
  return UnpackFrom(ts, s, args[2], args[3]);
}
Result<> module_iter_unpack(ThreadState& ts, Args args) {
  MVM_TRY(Ref<StructObject> s, CachedStruct(ts, args[0], args[1]));
  return IterUnpack(ts, s, args[2]);
}
Result<> module_clearcache(ThreadState& ts, Args args) {
  MVM_TRY(Ref<DictObject> fresh, NewDict(ts));
  MVM_TRY_VOID(ModuleAdd(ts, args[0].as<ModuleObject>(), "_cache", fresh));
  return None(ts);
}

const MethodSpec kFunctions[] = {
    {"_clearcache(self, /)", module_clearcache, "Forget the formats that were read before."},
    {"calcsize(self, format, /)", module_calcsize,
     "How many bytes the format takes, with padding."},
    {"iter_unpack(self, format, buffer, /)", module_iter_unpack,
     "Iterator of the tuples that one size of bytes after the other gives. struct.error if some "
     "are left over."},
    {"pack(...)", module_pack,
     "The values as bytes, as format says, one for each of its items. struct.error if they do not "
     "fit."},
    {"pack_into(...)", module_pack_into,
     "Write the values into a writable buffer from offset on; a negative offset counts from the "
     "end."},
    {"unpack(self, format, buffer, /)", module_unpack,
     "The values in as many bytes as the format takes, neither more nor fewer, as a tuple."},
    {"unpack_from(self, format, /, buffer, offset=0)", module_unpack_from,
     "The values in the bytes from offset on; a negative one counts from the end. More may "
     "follow."},
};

// The functions get the module as their first argument. class error(Exception)
Status ExecModule(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<DictObject> cache, NewDict(ts));
  MVM_TRY_VOID(ModuleAdd(ts, module, "_cache", cache));
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "_struct"));
  for (const MethodSpec& spec : kFunctions) {
    const std::string_view signature(spec.signature);
    MVM_TRY(Ref<NativeFunctionObject> f, NewNativeFunction(ts, spec, module, true, name));
    MVM_TRY_VOID(ModuleAdd(ts, module, signature.substr(0, signature.find('(')), f));
  }
  const Value base = ExcType(ts, Exc::kException);
  MVM_TRY(Ref<TupleObject> bases, NewTuple(ts, {&base, 1}));
  MVM_TRY(Ref<StrObject> error, InternUtf8(ts, "error"));
  MVM_TRY(Ref<StrObject> owner, InternUtf8(ts, "struct"));
  MVM_TRY(Ref<DictObject> ns, NewDict(ts));
  MVM_TRY_VOID(DictSetStr(ts, ns, MVM_NAME(ts, __module__), owner));
  MVM_TRY(Ref<TypeObject> type, NewHeapType(ts, TypeById(ts, TypeId::kType), error, bases, ns));
  return ModuleAdd(ts, module, "error", type);
}

const MethodSpec kStructMethods[] = {
    {"__sizeof__(self, /)", struct_sizeof, "S.__sizeof__() -> size of S in memory, in bytes"},
    {"iter_unpack(self, buffer, /)", struct_iter_unpack,
     "Iterator of the tuples that one size of bytes after the other gives. struct.error if some "
     "are left over."},
    {"pack(...)", struct_pack,
     "The values as bytes, one for each item of the format. struct.error if they do not fit."},
    {"pack_into(...)", struct_pack_into,
     "Write the values into a writable buffer from offset on; a negative offset counts from the "
     "end."},
    {"unpack(self, buffer, /)", struct_unpack,
     "The values in as many bytes as the format takes, neither more nor fewer, as a tuple."},
    {"unpack_from(self, /, buffer, offset=0)", struct_unpack_from,
     "The values in the bytes from offset on; a negative one counts from the end. More may "
     "follow."},
};
const GetSetSpec kStructGetSets[] = {
    {"format", struct_get_format, nullptr, "The format it was made from"},
    {"size", struct_get_size, nullptr, "How many bytes the format takes, with padding"},
};
const MethodSpec kIteratorMethods[] = {{"__length_hint__(self, /)", iterator_length_hint}};
const TypeSpec* const kTypes[] = {&kStructType};

}  // namespace
}  // namespace structs

const TypeSpec kStructType = {
    .name = "_struct.Struct",
    .doc = "A format, read once: Struct(format).",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(structs::StructObject),
    .gc = GcHooksOf<structs::StructObject>(),
    .slots = {.repr = structs::struct_repr, .new_ = structs::struct_new},
    .init = {"Struct(self, /, format)", structs::struct_init},
    .methods = structs::kStructMethods,
    .getsets = structs::kStructGetSets,
};

const TypeSpec kUnpackIteratorType = {
    .name = "_struct.unpack_iterator",
    .flags = kTypeNoNew,
    .size = sizeof(structs::UnpackIterator),
    .gc = {gc_internal::VisitHook<structs::UnpackIterator>, structs::iterator_gc_clear,
           structs::iterator_destroy},
    .slots = {.iter = structs::iterator_iter, .next = structs::iterator_next},
    .methods = structs::kIteratorMethods,
};

extern const ModuleSpec k__struct_module;
const ModuleSpec k__struct_module = {
    .name = "_struct",
    .doc =
        "Values as bytes in the layout of C, and back.\n"
        "\n"
        "A format is one letter for each value, with a count in front if it is to be repeated; "
        "blanks do not matter.\n"
        "\n"
        "First, if wanted, byte order and sizes:\n"
        "  @ of this machine, aligned (default)   = of this machine, fixed sizes, not aligned\n"
        "  < little-endian, fixed sizes           > or ! big-endian, fixed sizes\n"
        "\n"
        "Then values:\n"
        "  b B    1 byte                h H    2 bytes (capitals: unsigned)\n"
        "  i I    4 bytes               l L    4 bytes, a machine's long with @\n"
        "  q Q    8 bytes               n N    a machine's size, with @ only\n"
        "  e f d  floats of 2, 4 and 8 bytes\n"
        "  ?      a bool                c      a bytes object of length 1\n"
        "  s      bytes, the count is their number      p      the same with their length in "
        "front\n"
        "  x      a byte that is no value               P      an address, with @ only\n"
        "\n"
        "A value or length that does not fit is a struct.error.\n",
    .types = structs::kTypes,
    .exec = structs::ExecModule,
};

}  // namespace minivm

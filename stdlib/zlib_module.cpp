// Module zlib: what scripts see of stdlib/zlib.
//
// Work is done in slices, with the VM's lock released, between which signals and limits are served;
// a stream is marked busy meanwhile, so that other threads wait for it.
#include <new>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/checksums.h"
#include "stdlib/decompressor_input.h"
#include "stdlib/zlib/deflate.h"
#include "stdlib/zlib/inflate.h"

namespace minivm {

extern const TypeSpec kZlibCompressType;
extern const TypeSpec kZlibDecompressType;
extern const TypeSpec kZlibDecompressorType;

namespace zlib {
namespace {

constexpr size_t kSlice = 256 * 1024;
constexpr int64_t kDefaultBuffer = 16384;
constexpr const char* kInconsistent = "inconsistent stream state";

// zlib.error: "Error -3 while decompressing data: invalid block type"; no number: only `what`.
[[gnu::cold]] Raised RaiseZlib(ThreadState& ts, int code, const char* what,
                               const char* detail = nullptr) {
  Ref<StrObject> message;
  if (code == 0) {
    MVM_TRY(message, Format(ts, "%s", what));
  } else if (!detail) {
    MVM_TRY(message, Format(ts, "Error %d %s", code, what));
  } else {
    MVM_TRY(message, Format(ts, "Error %d %s: %s", code, what, detail));
  }
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "zlib"));
  MVM_TRY(Ref<> type, GetAttr(ts, module, "error"));
  MVM_TRY(Ref<> exception, Call(ts, type, message));
  return RaiseObject(ts, exception);
}

// ---- compressing ----

struct DeflateArguments {
  int64_t level = -1, method = 8, wbits = 15, memory = 8, strategy = 0;
  Wrap wrap = Wrap::kZlib;
  int bits = 15;
  bool Check() {
    if (!ParseWindowBits(wbits, &wrap, &bits) || wrap == Wrap::kAuto || bits < 8) return false;
    if (bits == 8 && wrap != Wrap::kZlib) return false;
    return level >= -1 && level <= 9 && method == 8 && memory >= 1 && memory <= 9 &&
           strategy >= 0 && strategy <= 4;
  }
};

// All of the input, in slices.
Status RunDeflater(ThreadState& ts, CodecMemory& memory, Deflater& d, std::string_view input,
                   int flush) {
  do {
    const std::string_view slice = input.substr(0, kSlice);
    input.remove_prefix(slice.size());
    const int now = input.empty() ? flush : kNoFlush;
    // A flush may have a window full of work left over from before.
    const size_t size = now == kNoFlush ? slice.size() : kSlice;
    if (!memory.Work(ts, size, [&] { return d.Run(slice, now); })) return RaiseMemoryError(ts);
    MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(slice.size())));
  } while (!input.empty());
  return Ok();
}

Result<> zlib_compress(ThreadState& ts, Args args) {
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, args[0]));
  DeflateArguments a;
  MVM_TRY(a.level, AsInt64(ts, args[1]));
  MVM_TRY(a.wbits, AsInt64(ts, args[2]));
  if (!a.Check()) return RaiseZlib(ts, 0, "Bad compression level");
  bool ok;
  CodecMemory memory(ts.heap());
  Deflater d(memory, static_cast<int>(a.level), a.wrap, a.bits, 8, kDefaultStrategy, &ok,
             data.view().size());
  if (!ok) return RaiseMemoryError(ts);
  MVM_TRY_VOID(RunDeflater(ts, memory, d, data.view(), kFinish));
  return TakeOutput(ts, d.output());
}

class CompressObject : public Object {
 public:
  Deflater* deflater;
  DeflateArguments arguments;
  Busy busy;
  CodecMemory memory;
  void FreeBuffers(Heap& heap) {
    if (!deflater) return;
    deflater->~Deflater();
    heap.FreeBuffer(std::exchange(deflater, nullptr), sizeof(Deflater));
  }
};

Result<CompressObject> NewCompress(ThreadState& ts, const DeflateArguments& a) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kZlibCompressType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  CompressObject* c = made.as<CompressObject>();
  c->arguments = a;
  MVM_TRY(void* p, AllocBuffer(ts, sizeof(Deflater)));
  bool ok;
  new (&c->memory) CodecMemory(ts.heap());
  c->deflater = new (p) Deflater(c->memory, static_cast<int>(a.level), a.wrap, a.bits,
                                 static_cast<int>(a.memory), static_cast<int>(a.strategy), &ok);
  if (!ok) return RaiseMemoryError(ts);
  return std::move(made).Into<CompressObject>();
}

Result<> zlib_compressobj(ThreadState& ts, Args args) {
  DeflateArguments a;
  MVM_TRY(a.level, AsInt64(ts, args[0]));
  MVM_TRY(a.method, AsInt64(ts, args[1]));
  MVM_TRY(a.wbits, AsInt64(ts, args[2]));
  MVM_TRY(a.memory, AsInt64(ts, args[3]));
  MVM_TRY(a.strategy, AsInt64(ts, args[4]));
  ByteView dictionary;
  const bool has_dictionary = args.has(5) && !IsNone(ts, args[5]);
  if (has_dictionary) MVM_TRY_VOID(dictionary.Get(ts, args[5]));
  if (!a.Check()) return Raise(ts, Exc::kValueError, "Invalid initialization option");
  MVM_TRY(Ref<CompressObject> c, NewCompress(ts, a));
  if (has_dictionary) {
    if (a.wrap == Wrap::kGzip) return Raise(ts, Exc::kValueError, "Invalid dictionary");
    if (!c->deflater->SetDictionary(dictionary.view())) return RaiseMemoryError(ts);
  }
  return c;
}

CompressObject* SelfCompress(Args args) { return args.self<CompressObject>(); }

Result<> compress_compress(ThreadState& ts, Args args) {
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, args[1]));
  CompressObject* c = SelfCompress(args);
  BusyGuard guard(ts, &c->busy, c);
  if (!guard) return kRaised;
  if (c->deflater->finished()) {
    return RaiseZlib(ts, -2, "while compressing data", kInconsistent);
  }
  MVM_TRY_VOID(RunDeflater(ts, c->memory, *c->deflater, data.view(), kNoFlush));
  return TakeOutput(ts, c->deflater->output());
}

Result<> compress_flush(ThreadState& ts, Args args) {
  MVM_TRY(int64_t mode, AsInt64(ts, args.get(1, Value::Int(kFinish))));
  if (mode == kNoFlush) return NewBytes(ts, {});
  CompressObject* c = SelfCompress(args);
  BusyGuard guard(ts, &c->busy, c);
  if (!guard) return kRaised;
  if (mode < 0 || mode > kBlockFlush || c->deflater->finished()) {
    return RaiseZlib(ts, -2, "while flushing", kInconsistent);
  }
  MVM_TRY_VOID(RunDeflater(ts, c->memory, *c->deflater, {}, static_cast<int>(mode)));
  return TakeOutput(ts, c->deflater->output());
}

Result<> compress_copy(ThreadState& ts, Args args) {
  CompressObject* c = SelfCompress(args);
  BusyGuard guard(ts, &c->busy, c);
  if (!guard) return kRaised;
  if (c->deflater->finished()) return Raise(ts, Exc::kValueError, "Inconsistent stream state");
  MVM_TRY(Ref<CompressObject> copy, NewCompress(ts, c->arguments));
  bool ok;
  copy->deflater->CopyFrom(*c->deflater, &ok);
  if (!ok) return RaiseMemoryError(ts);
  return copy;
}

// ---- decompressing ----

// Runs until the input is used up, the stream ends or there are `most` bytes; gives a dictionary
// that is asked for. What is left of the input stays in *input.
Result<Inflater::Result> RunInflater(ThreadState& ts, CodecMemory& memory, Inflater& inflater,
                                     std::string_view* input, size_t most, Value dictionary,
                                     ByteBuffer* out) {
  for (;;) {
    const size_t before = out->size();
    const size_t limit = std::min(most - before, kSlice);
    size_t used;
    const Inflater::Result r =
        memory.Work(ts, input->size(), [&] { return inflater.Run(*input, limit, out, &used); });
    input->remove_prefix(used);
    MVM_TRY_VOID(Charge(ts, static_cast<int64_t>((out->size() - before + used) / 4)));
    switch (r) {
      case Inflater::Result::kNoMemory: return RaiseMemoryError(ts);
      case Inflater::Result::kError:
        return RaiseZlib(ts, -3, "while decompressing data",
                         inflater.error() ? inflater.error() : kInconsistent);
      case Inflater::Result::kNeedDict: {
        if (!dictionary) return RaiseZlib(ts, 2, "while decompressing data");
        const BytesObject* d = dictionary.as<BytesObject>();
        if (Adler32(1, d->data(), d->length) != inflater.dictionary_id()) {
          return RaiseZlib(ts, -3, "while setting zdict", "invalid input data");
        }
        inflater.SetDictionary(d->view());
        break;
      }
      case Inflater::Result::kFull:
        if (out->size() >= most) return r;
        break;
      default: return r;
    }
  }
}

Result<> zlib_decompress(ThreadState& ts, Args args) {
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, args[0]));
  MVM_TRY(int64_t wbits, AsInt64(ts, args[1]));
  MVM_TRY(int64_t size, AsInt64(ts, args[2]));
  if (size < 0) return Raise(ts, Exc::kValueError, "bufsize must be non-negative");
  Wrap wrap;
  int bits;
  if (!ParseWindowBits(wbits, &wrap, &bits)) {
    return RaiseZlib(ts, -2, "while preparing to decompress data", kInconsistent);
  }
  CodecMemory memory(ts.heap());
  Inflater inflater(memory, wrap, bits);
  ByteBuffer out(memory);
  std::string_view input = data.view();
  MVM_TRY(Inflater::Result r, RunInflater(ts, memory, inflater, &input, SIZE_MAX, Value(), &out));
  if (r != Inflater::Result::kEnd) {
    return RaiseZlib(ts, -5, "while decompressing data", "incomplete or truncated stream");
  }
  return TakeOutput(ts, out);
}

class DecompressObject : public Object {
 public:
  Inflater* inflater;
  Ref<BytesObject> dictionary;  // empty: none
  Ref<BytesObject> tail;
  Wrap wrap;
  int bits;
  bool closed;
  DecompressorInput input;  // only a _ZlibDecompressor keeps what waits there
  template <class V>
  void VisitRefs(V&& v) {
    v(dictionary);
    v(input.unused);
    v(tail);
  }
  void FreeBuffers(Heap& heap) {
    if (inflater) {
      inflater->~Inflater();
      heap.FreeBuffer(std::exchange(inflater, nullptr), sizeof(Inflater));
    }
    input.Free(heap);
  }
};

Result<DecompressObject> NewDecompress(ThreadState& ts, TypeObject* type, Wrap wrap, int bits) {
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  DecompressObject* d = made.as<DecompressObject>();
  d->wrap = wrap;
  d->bits = bits;
  MVM_TRY(d->input.unused, NewBytes(ts, {}));
  MVM_TRY(d->tail, NewBytes(ts, {}));
  MVM_TRY(void* p, AllocBuffer(ts, sizeof(Inflater)));
  d->input.BeginMemory(ts);
  d->inflater = new (p) Inflater(d->input.memory, wrap, bits);
  return std::move(made).Into<DecompressObject>();
}

// zlib.decompressobj() and zlib._ZlibDecompressor() from their arguments.
Result<DecompressObject> MakeDecompress(ThreadState& ts, TypeObject* type, Value wbits_argument,
                                        Value zdict, bool zdict_given) {
  MVM_TRY(int64_t wbits, AsInt64(ts, wbits_argument));
  Ref<BytesObject> dictionary;
  if (zdict_given) {
    if (!HasBuffer(ts, zdict)) {
      return Raise(ts, Exc::kTypeError, "zdict argument must support the buffer protocol");
    }
    ByteView view;
    MVM_TRY_VOID(view.Get(ts, zdict));
    MVM_TRY(dictionary, NewBytes(ts, view.view()));
  }
  Wrap wrap;
  int bits;
  if (!ParseWindowBits(wbits, &wrap, &bits)) {
    return Raise(ts, Exc::kValueError, "Invalid initialization option");
  }
  MVM_TRY(Ref<DecompressObject> d, NewDecompress(ts, type, wrap, bits));
  if (dictionary && wrap == Wrap::kRaw) d->inflater->SetDictionary(dictionary->view());
  d->dictionary = std::move(dictionary);
  return d;
}

Result<> zlib_decompressobj(ThreadState& ts, Args args) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kZlibDecompressType));
  return MakeDecompress(ts, type, args[0], args[1], args.has(1));
}

DecompressObject* SelfDecompress(Args args) { return args.self<DecompressObject>(); }

// What the stream did not take: behind its end, or for the next call.
Status KeepRest(ThreadState& ts, DecompressObject* d, std::string_view rest) {
  if (d->input.eof) {
    if (!rest.empty()) {
      std::string all(d->input.unused->view());
      all += rest;
      MVM_TRY(d->input.unused, NewBytes(ts, all));
    }
    rest = {};
  }
  if (rest.empty() && d->tail->length == 0) return Ok();
  MVM_TRY(d->tail, NewBytes(ts, rest));
  return Ok();
}

Result<> decompress_decompress(ThreadState& ts, Args args) {
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, args[1]));
  MVM_TRY(int64_t max_length, AsInt64(ts, args[2]));
  if (max_length < 0) return Raise(ts, Exc::kValueError, "max_length must be non-negative");
  DecompressObject* d = SelfDecompress(args);
  BusyGuard guard(ts, &d->input.busy, d);
  if (!guard) return kRaised;
  std::string_view input = data.view();
  if (d->input.eof) {
    if (d->closed) {
      MVM_TRY(d->tail, NewBytes(ts, input));
      return RaiseZlib(ts, -2, "while decompressing data", kInconsistent);
    }
    MVM_TRY_VOID(KeepRest(ts, d, input));
    return NewBytes(ts, {});
  }
  ByteBuffer out(d->input.memory);
  const size_t most = max_length ? static_cast<size_t>(max_length) : SIZE_MAX;
  MVM_TRY(Inflater::Result r,
          RunInflater(ts, d->input.memory, *d->inflater, &input, most, d->dictionary, &out));
  d->input.eof = r == Inflater::Result::kEnd;
  MVM_TRY_VOID(KeepRest(ts, d, input));
  return TakeOutput(ts, out);
}

Result<> decompress_flush(ThreadState& ts, Args args) {
  MVM_TRY(int64_t length, AsInt64(ts, args.get(1, Value::Int(kDefaultBuffer))));
  if (length <= 0) return Raise(ts, Exc::kValueError, "length must be greater than zero");
  DecompressObject* d = SelfDecompress(args);
  BusyGuard guard(ts, &d->input.busy, d);
  if (!guard) return kRaised;
  if (d->input.eof) {
    d->closed = true;
    return NewBytes(ts, {});
  }
  const Ref<BytesObject> tail = d->tail;
  std::string_view input = tail->view();
  ByteBuffer out(d->input.memory);
  MVM_TRY(Inflater::Result r,
          RunInflater(ts, d->input.memory, *d->inflater, &input, SIZE_MAX, d->dictionary, &out));
  d->input.eof = d->closed = r == Inflater::Result::kEnd;
  MVM_TRY_VOID(KeepRest(ts, d, input));
  return TakeOutput(ts, out);
}

Result<> decompress_copy(ThreadState& ts, Args args) {
  DecompressObject* d = SelfDecompress(args);
  BusyGuard guard(ts, &d->input.busy, d);
  if (!guard) return kRaised;
  if (d->closed) return Raise(ts, Exc::kValueError, "Inconsistent stream state");
  MVM_TRY(Ref<DecompressObject> copy, NewDecompress(ts, TypeOf(ts, args[0]), d->wrap, d->bits));
  bool ok;
  copy->inflater->CopyFrom(*d->inflater, &ok);
  if (!ok) return RaiseMemoryError(ts);
  copy->dictionary = d->dictionary;
  copy->input.unused = d->input.unused;
  copy->tail = d->tail;
  copy->input.eof = d->input.eof;
  return copy;
}

Result<> decompress_get_tail(ThreadState&, Value self) {
  return Ref<BytesObject>(self.as<DecompressObject>()->tail);
}
using Attributes = DecompressorAttributes<DecompressObject>;

// ---- _ZlibDecompressor: keeps the input that max_length left over ----

Result<> decompressor_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<DecompressObject> d,
          MakeDecompress(ts, args.as<TypeObject>(0), args[1], args[2], args.has(2)));
  MVM_TRY_VOID(d->input.Init(ts));
  return d;
}

Result<> decompressor_decompress(ThreadState& ts, Args args) {
  DecompressObject* d = SelfDecompress(args);
  return d->input.Decompress(
      ts, args[0], args[1], args[2],
      [&](std::string_view* input, size_t most, ByteBuffer* out) -> Result<bool> {
        MVM_TRY(Inflater::Result r,
                RunInflater(ts, d->input.memory, *d->inflater, input, most, d->dictionary, out));
        return r == Inflater::Result::kEnd;
      });
}

// ---- checksums ----

template <uint32_t (*kSum)(uint32_t, const uint8_t*, size_t)>
Result<> Checksum(ThreadState& ts, Args args) {
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, args[0]));
  MVM_TRY(Ref<> start, Index(ts, args[1]));
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(data.size() / 16)));
  return Small(kSum(static_cast<uint32_t>(IntLowBits(start)), data.data(), data.size()));
}

// ---- the module ----

Status ExecModule(ThreadState& ts, ModuleObject* module) {
  const Value base = ExcType(ts, Exc::kException);
  MVM_TRY(Ref<TupleObject> bases, NewTuple(ts, {&base, 1}));
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "error"));
  MVM_TRY(Ref<StrObject> owner, InternUtf8(ts, "zlib"));
  MVM_TRY(Ref<DictObject> ns, NewDict(ts));
  MVM_TRY_VOID(DictSetStr(ts, ns, MVM_NAME(ts, __module__), owner));
  MVM_TRY(Ref<TypeObject> type, NewHeapType(ts, TypeById(ts, TypeId::kType), name, bases, ns));
  return ModuleAdd(ts, module, "error", type);
}

const MethodSpec kFunctions[] = {
    {"adler32(data, value=1, /)", Checksum<Adler32>,
     "The 32-bit Adler-32 checksum of data, going on from value."},
    {"compress(data, /, level=-1, wbits=15)", zlib_compress,
     "Data compressed.\n"
     "\n"
     "level: 0 (none) to 9 (best), -1: 6. wbits: 9 to 15 for the zlib format, 25 to 31 for gzip, "
     "-9 to -15 for bare data."},
    {"compressobj(level=-1, method=8, wbits=15, memLevel=8, strategy=0, zdict=None)",
     zlib_compressobj,
     "Compresses data that comes in pieces.\n"
     "\n"
     "level and wbits as in compress(). method is DEFLATED. memLevel, 1 to 9, trades memory for "
     "speed. strategy fits kinds of data. zdict has bytes that the data may repeat, the likeliest "
     "last."},
    {"crc32(data, value=0, /)", Checksum<Crc32>,
     "The 32-bit CRC-32 checksum of data, going on from value."},
    {"decompress(data, /, wbits=15, bufsize=16384)", zlib_decompress,
     "Data as it was before it was compressed. zlib.error if it is broken or ends too early.\n"
     "\n"
     "wbits as in compress(), 40 to 47 for either format. bufsize is room for the beginning."},
    {"decompressobj(wbits=15, zdict=<unrepresentable>)", zlib_decompressobj,
     "Decompresses data that comes in pieces.\n"
     "\n"
     "wbits as in decompress(). zdict is what the compressor was given."},
};

const MethodSpec kCompressMethods[] = {
    {"__copy__(self, /)", compress_copy},
    {"__deepcopy__(self, memo, /)", compress_copy},
    {"compress(self, data, /)", compress_compress,
     "What can be said about data compressed so far; some of it may wait for more. flush() gives "
     "the rest."},
    {"copy(self, /)", compress_copy, "A compressor in the same state, to go on with apart."},
    {"flush(self, mode=zlib.Z_FINISH, /)", compress_flush,
     "What is left to be written.\n"
     "\n"
     "Z_FINISH ends the data, and the use of the compressor. Z_SYNC_FLUSH only lets a reader have "
     "all so far,\n"
     "Z_FULL_FLUSH lets one begin there."},
};
const MethodSpec kDecompressMethods[] = {
    {"__copy__(self, /)", decompress_copy},
    {"__deepcopy__(self, memo, /)", decompress_copy},
    {"copy(self, /)", decompress_copy, "A decompressor in the same state, to go on with apart."},
    {"decompress(self, data, /, max_length=0)", decompress_decompress,
     "What the next data gives, no more than max_length bytes, 0: any number.\n"
     "\n"
     "Data that did not get its turn is in unconsumed_tail, to be passed first the next time."},
    {"flush(self, length=zlib.DEF_BUF_SIZE, /)", decompress_flush,
     "What unconsumed_tail gives. length is room for the beginning."},
};
const GetSetSpec kDecompressGetSets[] = {
    {"eof", Attributes::Eof, Attributes::Readonly},
    {"unconsumed_tail", decompress_get_tail, Attributes::Readonly},
    {"unused_data", Attributes::Unused, Attributes::Readonly},
};
const MethodSpec kDecompressorMethods[] = {
    {"decompress(self, /, data, max_length=-1)", decompressor_decompress,
     "What the next data gives, no more than max_length bytes unless negative. What is left of it "
     "waits for the next call; needs_input is False until then."},
};
const GetSetSpec kDecompressorGetSets[] = {
    {"eof", Attributes::Eof, Attributes::Readonly,
     "Whether the end of the compressed data has been reached"},
    {"needs_input", Attributes::NeedsInput, Attributes::Readonly,
     "False while there is output to be had for decompress(b'')"},
    {"unused_data", Attributes::Unused, Attributes::Readonly,
     "The bytes behind the end of the compressed data"},
};

const TypeSpec* const kTypes[] = {&kZlibDecompressorType};

constexpr ConstantSpec Number(const char* name, int64_t value) {
  return {.name = name, .kind = ConstantSpec::kInt, .i = value};
}
const ConstantSpec kConstants[] = {
    Number("DEFLATED", 8),
    Number("DEF_BUF_SIZE", kDefaultBuffer),
    Number("DEF_MEM_LEVEL", 8),
    Number("MAX_WBITS", 15),
    Number("Z_BEST_COMPRESSION", 9),
    Number("Z_BEST_SPEED", 1),
    Number("Z_BLOCK", kBlockFlush),
    Number("Z_DEFAULT_COMPRESSION", -1),
    Number("Z_DEFAULT_STRATEGY", kDefaultStrategy),
    Number("Z_FILTERED", kFiltered),
    Number("Z_FINISH", kFinish),
    Number("Z_FIXED", kFixed),
    Number("Z_FULL_FLUSH", kFullFlush),
    Number("Z_HUFFMAN_ONLY", kHuffmanOnly),
    Number("Z_NO_COMPRESSION", 0),
    Number("Z_NO_FLUSH", kNoFlush),
    Number("Z_PARTIAL_FLUSH", kPartialFlush),
    Number("Z_RLE", kRle),
    Number("Z_SYNC_FLUSH", kSyncFlush),
    Number("Z_TREES", 6),
    {.name = "ZLIB_RUNTIME_VERSION", .kind = ConstantSpec::kStr, .s = "1.2.13"},
    {.name = "ZLIB_VERSION", .kind = ConstantSpec::kStr, .s = "1.2.13"},
    {.name = "__version__", .kind = ConstantSpec::kStr, .s = "1.0"},
};

}  // namespace
}  // namespace zlib

const TypeSpec kZlibCompressType = {
    .name = "zlib.Compress",
    .flags = kTypeNoNew,
    .size = sizeof(zlib::CompressObject),
    .gc = LeafHooksOf<zlib::CompressObject>(),
    .methods = zlib::kCompressMethods,
};

const TypeSpec kZlibDecompressType = {
    .name = "zlib.Decompress",
    .flags = kTypeNoNew,
    .size = sizeof(zlib::DecompressObject),
    .gc = GcHooksOf<zlib::DecompressObject>(),
    .methods = zlib::kDecompressMethods,
    .getsets = zlib::kDecompressGetSets,
};

const TypeSpec kZlibDecompressorType = {
    .name = "zlib._ZlibDecompressor",
    .doc = "Decompresses data in pieces, with a limit to what each call gives.",
    .size = sizeof(zlib::DecompressObject),
    .gc = GcHooksOf<zlib::DecompressObject>(),
    .construct = {"_ZlibDecompressor(wbits=15, zdict=<unrepresentable>)", zlib::decompressor_new},
    .methods = zlib::kDecompressorMethods,
    .getsets = zlib::kDecompressorGetSets,
};

extern const ModuleSpec k_zlib_module;
const ModuleSpec k_zlib_module = {
    .name = "zlib",
    .doc = "Compression in the formats of zlib and gzip, and checksums.",
    .functions = zlib::kFunctions,
    .types = zlib::kTypes,
    .constants = zlib::kConstants,
    .exec = zlib::ExecModule,
};

}  // namespace minivm

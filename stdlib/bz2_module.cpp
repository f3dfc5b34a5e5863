// Module _bz2: what bz2 and scripts see of stdlib/bz2.
//
// Work is done in slices, between which signals and limits are served.
#include <algorithm>
#include <new>

#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "stdlib/bz2/decoder.h"
#include "stdlib/bz2/encoder.h"
#include "stdlib/decompressor_input.h"

namespace minivm {

namespace bz2 {
namespace {

constexpr size_t kSlice = 64 * 1024;

class CompressorObject : public Object {
 public:
  Encoder* encoder;
  bool flushed;
  Busy busy;
  CodecMemory memory;
  void FreeBuffers(Heap& heap) {
    if (!encoder) return;
    encoder->~Encoder();
    heap.FreeBuffer(std::exchange(encoder, nullptr), sizeof(Encoder));
  }
};

Result<> compressor_new(ThreadState& ts, Args args) {
  MVM_TRY(int64_t level, AsInt64(ts, args[1]));
  if (level < 1 || level > 9) {
    return Raise(ts, Exc::kValueError, "compresslevel must be between 1 and 9");
  }
  MVM_TRY(Ref<> made, AllocInstance(ts, args.as<TypeObject>(0)));
  MVM_TRY(void* p, AllocBuffer(ts, sizeof(Encoder)));
  bool ok;
  auto* c = made.as<CompressorObject>();
  new (&c->memory) CodecMemory(ts.heap());
  c->encoder = new (p) Encoder(c->memory, static_cast<int>(level), &ok);
  if (!ok) return RaiseMemoryError(ts);
  return made;
}

Result<> compressor_compress(ThreadState& ts, Args args) {
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, args[1]));
  auto* c = args.self<CompressorObject>();
  BusyGuard guard(ts, &c->busy, c);
  if (!guard) return kRaised;
  if (c->flushed) return Raise(ts, Exc::kValueError, "Compressor has been flushed");
  for (std::string_view input = data.view(); !input.empty();) {
    const std::string_view slice = input.substr(0, kSlice);
    input.remove_prefix(slice.size());
    if (!c->memory.Work(ts, slice.size(), [&] { return c->encoder->Add(slice); })) {
      return RaiseMemoryError(ts);
    }
    MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(slice.size())));
  }
  return TakeOutput(ts, c->encoder->output());
}

Result<> compressor_flush(ThreadState& ts, Args args) {
  auto* c = args.self<CompressorObject>();
  BusyGuard guard(ts, &c->busy, c);
  if (!guard) return kRaised;
  if (c->flushed) return Raise(ts, Exc::kValueError, "Repeated call to flush()");
  c->flushed = true;
  if (!c->memory.Work(ts, kSlice, [&] { return c->encoder->Finish(); })) {
    return RaiseMemoryError(ts);
  }
  return TakeOutput(ts, c->encoder->output());
}

using DecompressorObject = DecompressorOf<Decoder>;

Result<> decompressor_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> made, AllocInstance(ts, args.as<TypeObject>(0)));
  auto* d = made.as<DecompressorObject>();
  MVM_TRY_VOID(d->input.Init(ts));
  MVM_TRY(void* p, AllocBuffer(ts, sizeof(Decoder)));
  d->decoder = new (p) Decoder(d->input.memory);
  return made;
}

// Is that the end of the stream?
Result<bool> RunDecoder(ThreadState& ts, DecompressorObject* d, std::string_view* input,
                        size_t most, zlib::ByteBuffer* out) {
  for (;;) {
    std::string_view slice = input->substr(0, kSlice);
    const size_t offered = slice.size(), before = out->size();
    const auto result = d->input.memory.Work(
        ts, offered, [&] { return d->decoder->Run(&slice, std::min(most - before, kSlice), out); });
    const size_t used = offered - slice.size();
    input->remove_prefix(used);
    MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(used + (out->size() - before) / 2)));
    switch (result) {
      case Decoder::Result::kEnd: return true;
      case Decoder::Result::kError: return Raise(ts, Exc::kOSError, "Invalid data stream");
      case Decoder::Result::kNoMemory: return RaiseMemoryError(ts);
      case Decoder::Result::kFull:
        if (out->size() >= most) return false;
        break;
      case Decoder::Result::kMore:
        if (input->empty()) return false;
        break;
    }
  }
}

Result<> decompressor_decompress(ThreadState& ts, Args args) {
  auto* d = args.self<DecompressorObject>();
  return d->input.Decompress(ts, args[0], args[1], args[2],
                             [&](std::string_view* input, size_t most, zlib::ByteBuffer* out) {
                               return RunDecoder(ts, d, input, most, out);
                             });
}

const MethodSpec kCompressorMethods[] = {
    {"compress(self, data, /)", compressor_compress,
     "What can be written of the data; the rest waits for more."},
    {"flush(self, /)", compressor_flush, "The rest. The compressor is of no use afterwards."},
};
const MethodSpec kDecompressorMethods[] = {
    {"decompress(self, /, data, max_length=-1)", decompressor_decompress,
     "What the data hold, no more than max_length bytes unless negative. What is left of them "
     "waits for the next call; needs_input is False until then."},
};
using Attributes = DecompressorAttributes<DecompressorObject>;
const GetSetSpec kDecompressorGetSets[] = {
    {"eof", Attributes::Eof, Attributes::Readonly, "Whether the end of the stream was reached."},
    {"needs_input", Attributes::NeedsInput, Attributes::Readonly,
     "Whether more output takes more input."},
    {"unused_data", Attributes::Unused, Attributes::Readonly, "What stands behind the end."},
};

}  // namespace
}  // namespace bz2

extern const TypeSpec kBz2CompressorType;
const TypeSpec kBz2CompressorType = {
    .name = "_bz2.BZ2Compressor",
    .doc =
        "Compresses data that come in pieces. compresslevel, 1 to 9, is the size of blocks in "
        "units of 100 KB.",
    .size = sizeof(bz2::CompressorObject),
    .gc = LeafHooksOf<bz2::CompressorObject>(),
    .construct = {"BZ2Compressor(compresslevel=9, /)", bz2::compressor_new},
    .methods = bz2::kCompressorMethods,
};

extern const TypeSpec kBz2DecompressorType;
const TypeSpec kBz2DecompressorType = {
    .name = "_bz2.BZ2Decompressor",
    .doc = "Decompresses one stream, whose data come in pieces.",
    .size = sizeof(bz2::DecompressorObject),
    .gc = GcHooksOf<bz2::DecompressorObject>(),
    .construct = {"BZ2Decompressor()", bz2::decompressor_new},
    .methods = bz2::kDecompressorMethods,
    .getsets = bz2::kDecompressorGetSets,
};

namespace {
const TypeSpec* const kBz2Types[] = {&kBz2CompressorType, &kBz2DecompressorType};
}  // namespace

extern const ModuleSpec k__bz2_module;
const ModuleSpec k__bz2_module = {
    .name = "_bz2",
    .doc = "Compression in the format of bzip2.",
    .types = kBz2Types,
};

}  // namespace minivm

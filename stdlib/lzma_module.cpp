// Module _lzma: what lzma and scripts see of stdlib/lzma.
//
// Filter chains come as lists of dictionaries. Work is done in slices, between which signals and
// limits are served.
#include <algorithm>
#include <new>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "stdlib/decompressor_input.h"
#include "stdlib/exception_class.h"
#include "stdlib/lzma/decoder.h"
#include "stdlib/lzma/encoder.h"

namespace minivm {

namespace lzma {
namespace {

constexpr size_t kSlice = 64 * 1024;
constexpr int64_t kPresetDefault = 6, kPresetExtreme = int64_t{1} << 31;
constexpr const char* kBadOptions = "Invalid or unsupported options";

[[gnu::cold]] Raised RaiseLzma(ThreadState& ts, const char* format, int64_t value = 0) {
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "_lzma"));
  MVM_TRY(Ref<> type, GetAttr(ts, module, "LZMAError"));
  MVM_TRY(Ref<StrObject> message, Format(ts, format, value));
  MVM_TRY(Ref<> exception, Call(ts, type, message));
  return RaiseObject(ts, exception);
}

// A number up to `most`; larger ones are as good as that if `saturate`.
Result<uint64_t> AsUnsigned(ThreadState& ts, Value v, uint64_t most, bool saturate = false) {
  if (!IsInt(ts, v)) return Raise(ts, Exc::kTypeError, "an integer is required");
  if (IntSign(v) < 0) {
    return Raise(ts, Exc::kOverflowError, "can't convert negative int to unsigned");
  }
  int64_t n;
  const bool fits = IntFitsInt64(v, &n);
  if (fits && static_cast<uint64_t>(n) <= most) return static_cast<uint64_t>(n);
  if (saturate) return most;
  return Raise(ts, Exc::kOverflowError, "int too big to convert");
}

// ---- filters ----

// What a preset stands for; false: there is none of that number.
bool ApplyPreset(uint64_t preset, FilterSpec* f) {
  const uint64_t level = preset & ~static_cast<uint64_t>(kPresetExtreme);
  if (level > 9) return false;
  constexpr uint8_t kDictionaryBits[10] = {18, 20, 21, 22, 22, 23, 23, 24, 25, 26};
  f->dictionary = 1u << kDictionaryBits[level];
  f->properties = {};
  f->lazy = level > 2;
  constexpr uint16_t kNice[10] = {64, 96, 128, 48, 48, 64, 64, 96, 128, 192};
  constexpr uint8_t kDepth[10] = {2, 4, 8, 16, 24, 32, 48, 64, 96, 128};
  f->nice = kNice[level];
  f->depth = kDepth[level];
  if (preset >= static_cast<uint64_t>(kPresetExtreme)) {
    f->lazy = true;
    f->nice = kMaxMatch;
    f->depth = 512;
  }
  return true;
}

enum class Option : uint8_t {
  kId,
  kPreset,
  kDictSize,
  kLc,
  kLp,
  kPb,
  kMode,
  kNiceLen,
  kMf,
  kDepth,
  kDist,
  kStartOffset,
};
struct OptionName {
  const char* name;
  Option option;
};
constexpr OptionName kOptionNames[] = {
    {"id", Option::kId},
    {"preset", Option::kPreset},
    {"dict_size", Option::kDictSize},
    {"lc", Option::kLc},
    {"lp", Option::kLp},
    {"pb", Option::kPb},
    {"mode", Option::kMode},
    {"nice_len", Option::kNiceLen},
    {"mf", Option::kMf},
    {"depth", Option::kDepth},
    {"dist", Option::kDist},
    {"start_offset", Option::kStartOffset},
};

// Does a kind of filter have the option?
bool Takes(const FilterSpec& f, Option option) {
  if (option == Option::kId) return true;
  if (f.is_lzma()) return option < Option::kDist;
  return option == (f.id == kFilterDelta ? Option::kDist : Option::kStartOffset);
}

// False: the value is out of range. The dictionary's size has been checked by whoever uses it.
bool SetOption(FilterSpec* f, Option option, uint64_t v) {
  const auto small = static_cast<uint8_t>(std::min<uint64_t>(v, 255));
  switch (option) {
    case Option::kDictSize: f->dictionary = static_cast<uint32_t>(v); break;
    case Option::kLc: f->properties.lc = small; return v <= 4;
    case Option::kLp: f->properties.lp = small; return v <= 4;
    case Option::kPb: f->properties.pb = small; return v <= 4;
    case Option::kMode: return v == 1 || v == 2;
    case Option::kNiceLen: f->nice = static_cast<uint32_t>(v); return v >= 2 && v <= kMaxMatch;
    case Option::kMf: return v == 3 || v == 4 || (v >= 0x12 && v <= 0x14);
    case Option::kDepth: f->depth = static_cast<uint32_t>(v); break;
    case Option::kDist:
    case Option::kStartOffset: f->argument = static_cast<uint32_t>(v); break;
    default: break;
  }
  return true;
}

// One filter from a dictionary, or what can be made one. *valid: its values are in range.
Status ParseFilter(ThreadState& ts, Value spec, FilterSpec* f, bool* valid) {
  Ref<DictObject> dict;
  if (IsDict(ts, spec)) {
    dict = Ref<DictObject>::Borrow(spec.as<DictObject>());
  } else {
    MVM_TRY(Ref<> keys, GetAttrOptional(ts, spec, "keys"));
    if (keys.is_absent()) {
      return Raise(ts, Exc::kTypeError, "Filter specifier must be a dict or dict-like object");
    }
    MVM_TRY(Ref<> made, Call(ts, Value(TypeById(ts, TypeId::kDict)), spec));
    dict = std::move(made).Into<DictObject>();
  }
  Ref<> values[std::size(kOptionNames)];
  const char* kind = nullptr;
  bool known_keys = true;
  auto find = [&](const OptionName& o) -> Status {
    MVM_TRY(Ref<StrObject> key, InternUtf8(ts, o.name));
    MVM_TRY(Ref<> found, DictGet(ts, dict, key));
    if (!found.is_absent()) values[static_cast<size_t>(o.option)] = std::move(found);
    return Ok();
  };
  size_t found = 0;
  for (const OptionName& o : kOptionNames) {
    MVM_TRY_VOID(find(o));
    found += !values[static_cast<size_t>(o.option)].is_null();
  }
  const auto value_of = [&](Option o) -> Value { return values[static_cast<size_t>(o)]; };
  if (value_of(Option::kId).is_null()) {
    return Raise(ts, Exc::kValueError, "Filter specifier must have an \"id\" entry");
  }
  *f = {};
  MVM_TRY(f->id, AsUnsigned(ts, value_of(Option::kId), UINT64_MAX, true));
  *valid = true;
  if (f->is_lzma()) {
    kind = "LZMA";
    uint64_t preset = kPresetDefault;
    if (Value v = value_of(Option::kPreset); !v.is_null()) {
      MVM_TRY(preset, AsUnsigned(ts, v, UINT32_MAX));
    }
    if (!ApplyPreset(preset, f)) {
      return RaiseLzma(ts, "Invalid compression preset: %d", static_cast<int64_t>(preset));
    }
  } else if (f->id == kFilterDelta) {
    kind = "delta";
    f->argument = 1;
  } else if (IsBranchFilter(f->id)) {
    kind = "BCJ";
  } else {
    return Raise(ts, Exc::kValueError, "Invalid filter ID: %d", static_cast<int64_t>(f->id));
  }
  known_keys = found == DictSize(dict);
  for (const OptionName& o : kOptionNames) {
    const Value v = value_of(o.option);
    if (v.is_null() || o.option == Option::kId || o.option == Option::kPreset) {
      known_keys = known_keys && (v.is_null() || Takes(*f, o.option));
      continue;
    }
    Result<uint64_t> n = AsUnsigned(ts, v, UINT32_MAX);
    if (n.raised()) {
      ClearPending(ts);
      known_keys = false;
      break;
    }
    known_keys = known_keys && Takes(*f, o.option);
    *valid = SetOption(f, o.option, n.Take()) && *valid;
  }
  if (!known_keys) {
    return Raise(ts, Exc::kValueError, "Invalid filter specifier for %s filter", kind);
  }
  *valid = *valid && f->properties.lc + f->properties.lp <= 4;
  return Ok();
}

struct Chain {
  FilterSpec filters[kMaxFilters];
  size_t count = 0;
  bool valid = true;
};

Status ParseChain(ThreadState& ts, Value list, Chain* chain) {
  if (IsDict(ts, list)) return Raise(ts, Exc::kTypeError, "dict is not a sequence");
  MVM_TRY(int64_t length, Length(ts, list));
  if (length > static_cast<int64_t>(kMaxFilters)) {
    return Raise(ts, Exc::kValueError, "Too many filters - liblzma supports a maximum of %d",
                 int{kMaxFilters});
  }
  for (int64_t i = 0; i < length; ++i) {
    MVM_TRY(Ref<> spec, GetItem(ts, list, Value::Int(i)));
    bool valid;
    MVM_TRY_VOID(ParseFilter(ts, spec, &chain->filters[chain->count++], &valid));
    chain->valid = chain->valid && valid;
  }
  chain->valid = chain->valid && IsValidChain(chain->filters, chain->count);
  return Ok();
}

Result<> lzma_encode_filter_properties(ThreadState& ts, Args args) {
  FilterSpec f;
  bool valid;
  MVM_TRY_VOID(ParseFilter(ts, args[0], &f, &valid));
  if (!valid || (f.id == kFilterDelta && (f.argument < 1 || f.argument > 256))) {
    return RaiseLzma(ts, kBadOptions);
  }
  uint8_t properties[kMaxProperties];
  const size_t n = EncodeProperties(f, properties);
  return NewBytes(ts, {reinterpret_cast<const char*>(properties), n});
}

Result<> lzma_decode_filter_properties(ThreadState& ts, Args args) {
  MVM_TRY(uint64_t id, AsUnsigned(ts, args[0], UINT64_MAX, true));
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, args[1]));
  FilterSpec f;
  if (!DecodeProperties(id, data.data(), data.size(), &f)) return RaiseLzma(ts, kBadOptions);
  MVM_TRY(Ref<DictObject> dict, NewDict(ts));
  auto set = [&](const char* name, uint64_t v) -> Status {
    MVM_TRY(Ref<> number, NewInt(ts, static_cast<int64_t>(v)));
    return DictSetUtf8(ts, dict, name, number);
  };
  MVM_TRY_VOID(set("id", id));
  if (id == kFilterLzma1) {
    MVM_TRY_VOID(set("lc", f.properties.lc));
    MVM_TRY_VOID(set("lp", f.properties.lp));
    MVM_TRY_VOID(set("pb", f.properties.pb));
  }
  if (f.is_lzma()) {
    MVM_TRY_VOID(set("dict_size", f.dictionary));
  } else if (id == kFilterDelta) {
    MVM_TRY_VOID(set("dist", f.argument));
  } else if (data.size() > 0) {
    MVM_TRY_VOID(set("start_offset", f.argument));
  }
  return dict;
}

Result<> lzma_is_check_supported(ThreadState& ts, Args args) {
  MVM_TRY(int64_t id, AsInt64(ts, args[0]));
  return Bool(ts, id >= 0 && id <= 15 && IsSupported(static_cast<int>(id)));
}

// ---- compressing ----

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
  MVM_TRY(int64_t format, AsInt64(ts, args[1]));
  MVM_TRY(int64_t check, AsInt64(ts, args[2]));
  const bool has_filters = !IsNone(ts, args[4]);
  if (!IsNone(ts, args[3]) && has_filters) {
    return Raise(ts, Exc::kValueError, "Cannot specify both preset and filter chain");
  }
  if (format != 1 && check != -1 && check != kCheckNone) {
    return Raise(ts, Exc::kValueError, "Integrity checks are only supported by FORMAT_XZ");
  }
  uint64_t preset = kPresetDefault;
  if (!IsNone(ts, args[3])) {
    MVM_TRY(preset, AsUnsigned(ts, args[3], UINT32_MAX));
  }
  Chain chain;
  if (has_filters) MVM_TRY_VOID(ParseChain(ts, args[4], &chain));
  switch (format) {
    case 1:
      if (check == -1) check = kCheckCrc64;
      if (check < 0 || check > 15) return RaiseLzma(ts, "Internal error");
      if (!IsSupported(static_cast<int>(check))) {
        return RaiseLzma(ts, "Unsupported integrity check");
      }
      break;
    case 2:
      if (has_filters && (chain.count != 1 || chain.filters[0].id != kFilterLzma1)) {
        return Raise(ts, Exc::kValueError,
                     "Invalid filter chain for FORMAT_ALONE - must be a single LZMA1 filter");
      }
      break;
    case 3:
      if (!has_filters) {
        return Raise(ts, Exc::kValueError, "Must specify filters for FORMAT_RAW");
      }
      break;
    default: return Raise(ts, Exc::kValueError, "Invalid container format: %d", format);
  }
  if (!has_filters) {
    chain.count = 1;
    chain.filters[0].id = format == 2 ? kFilterLzma1 : kFilterLzma2;
    if (!ApplyPreset(preset, &chain.filters[0])) return RaiseLzma(ts, kBadOptions);
  }
  const FilterSpec& last = chain.filters[chain.count ? chain.count - 1 : 0];
  if (!chain.valid || last.dictionary < kMinDictionary || last.dictionary > 3u << 29 ||
      (format == 1 && last.id != kFilterLzma2)) {
    const bool wrong = chain.count == 0 || (format == 1 && last.id == kFilterLzma1);
    return RaiseLzma(ts, wrong ? "Internal error" : kBadOptions);
  }
  MVM_TRY(Ref<> made, AllocInstance(ts, args.as<TypeObject>(0)));
  MVM_TRY(void* p, AllocBuffer(ts, sizeof(Encoder)));
  bool ok;
  auto* c = made.as<CompressorObject>();
  new (&c->memory) CodecMemory(ts.heap());
  c->encoder = new (p)
      Encoder(c->memory, static_cast<Container>(format),
              static_cast<int>(std::max<int64_t>(check, 0)), chain.filters, chain.count, &ok);
  if (!ok) return RaiseMemoryError(ts);
  return made;
}

// All the work there is.
Status RunEncoder(ThreadState& ts, CompressorObject* c, bool finish) {
  for (bool more = true; more;) {
    const auto work = [&] { return c->encoder->Work(finish, &more); };
    if (!c->memory.Work(ts, kSlice, work)) return RaiseMemoryError(ts);
    MVM_TRY_VOID(Charge(ts, kSlice));
  }
  return Ok();
}

Result<> compressor_compress(ThreadState& ts, Args args) {
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, args[1]));
  auto* c = args.self<CompressorObject>();
  BusyGuard guard(ts, &c->busy, c);
  if (!guard) return kRaised;
  if (c->flushed) return Raise(ts, Exc::kValueError, "Compressor has been flushed");
  const uint8_t* p = data.data();
  for (size_t left = data.size(); left > 0;) {
    const size_t n = std::min(left, kSlice);
    if (!c->encoder->Add(p, n)) return RaiseMemoryError(ts);
    MVM_TRY_VOID(RunEncoder(ts, c, false));
    p += n;
    left -= n;
  }
  return TakeOutput(ts, c->encoder->output());
}

Result<> compressor_flush(ThreadState& ts, Args args) {
  auto* c = args.self<CompressorObject>();
  BusyGuard guard(ts, &c->busy, c);
  if (!guard) return kRaised;
  if (c->flushed) return Raise(ts, Exc::kValueError, "Repeated call to flush()");
  c->flushed = true;
  if (!c->encoder->Drain()) return RaiseMemoryError(ts);
  MVM_TRY_VOID(RunEncoder(ts, c, true));
  if (!c->encoder->End()) return RaiseMemoryError(ts);
  return TakeOutput(ts, c->encoder->output());
}

// ---- decompressing ----

using DecompressorObject = DecompressorOf<Decoder>;

Result<> decompressor_new(ThreadState& ts, Args args) {
  MVM_TRY(int64_t format, AsInt64(ts, args[1]));
  const bool has_limit = !IsNone(ts, args[2]), has_filters = !IsNone(ts, args[3]);
  uint64_t limit = UINT64_MAX;
  if (has_limit) {
    if (format == 3) {
      return Raise(ts, Exc::kValueError, "Cannot specify memory limit with FORMAT_RAW");
    }
    MVM_TRY(limit, AsUnsigned(ts, args[2], UINT64_MAX, true));
  }
  if (format == 3 && !has_filters) {
    return Raise(ts, Exc::kValueError, "Must specify filters for FORMAT_RAW");
  }
  if (format != 3 && has_filters) {
    return Raise(ts, Exc::kValueError, "Cannot specify filters except with FORMAT_RAW");
  }
  if (format < 0 || format > 3) {
    return Raise(ts, Exc::kValueError, "Invalid container format: %d", format);
  }
  Chain chain;
  if (has_filters) {
    MVM_TRY_VOID(ParseChain(ts, args[3], &chain));
    if (!chain.valid) return RaiseLzma(ts, chain.count == 0 ? "Internal error" : kBadOptions);
  }
  MVM_TRY(Ref<> made, AllocInstance(ts, args.as<TypeObject>(0)));
  auto* d = made.as<DecompressorObject>();
  MVM_TRY_VOID(d->input.Init(ts));
  MVM_TRY(void* p, AllocBuffer(ts, sizeof(Decoder)));
  d->decoder = new (p) Decoder(d->input.memory, static_cast<Container>(format), limit);
  if (has_filters) d->decoder->BeginRaw(chain.filters, chain.count);
  return made;
}

[[gnu::cold]] Raised RaiseDecoder(ThreadState& ts, Decoder::Error error) {
  switch (error) {
    case Decoder::Error::kFormat: return RaiseLzma(ts, "Input format not supported by decoder");
    case Decoder::Error::kOptions: return RaiseLzma(ts, kBadOptions);
    case Decoder::Error::kMemoryLimit: return RaiseLzma(ts, "Memory usage limit exceeded");
    case Decoder::Error::kData: break;
  }
  return RaiseLzma(ts, "Corrupt input data");
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
      case Decoder::Result::kError: return RaiseDecoder(ts, d->decoder->error());
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
  if (d->input.eof) return Raise(ts, Exc::kEOFError, "Already at end of stream");
  return d->input.Decompress(ts, args[0], args[1], args[2],
                             [&](std::string_view* input, size_t most, zlib::ByteBuffer* out) {
                               return RunDecoder(ts, d, input, most, out);
                             });
}

Result<> decompressor_get_check(ThreadState&, Value self) {
  return Small(self.as<DecompressorObject>()->decoder->check());
}

Status ExecModule(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<> error, NewExceptionClass(ts, "LZMAError", "_lzma", ExcType(ts, Exc::kException)));
  return ModuleAdd(ts, module, "LZMAError", error);
}

const MethodSpec kFunctions[] = {
    {"_decode_filter_properties(filter_id, encoded_props, /)", lzma_decode_filter_properties,
     "A filter's dictionary from its number and its properties as bytes."},
    {"_encode_filter_properties(filter, /)", lzma_encode_filter_properties,
     "The properties of a filter, a dictionary, as bytes."},
    {"is_check_supported(check_id, /)", lzma_is_check_supported,
     "Whether a check can be written and verified."},
};
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
    {"check", decompressor_get_check, Attributes::Readonly,
     "Number of the check, CHECK_UNKNOWN until it has been read."},
    {"eof", Attributes::Eof, Attributes::Readonly, "Whether the end of the stream was reached."},
    {"needs_input", Attributes::NeedsInput, Attributes::Readonly,
     "Whether more output takes more input."},
    {"unused_data", Attributes::Unused, Attributes::Readonly, "What stands behind the end."},
};

constexpr ConstantSpec Number(const char* name, int64_t value) {
  return {.name = name, .kind = ConstantSpec::kInt, .i = value};
}
const ConstantSpec kConstants[] = {
    Number("CHECK_CRC32", kCheckCrc32),
    Number("CHECK_CRC64", kCheckCrc64),
    Number("CHECK_ID_MAX", 15),
    Number("CHECK_NONE", kCheckNone),
    Number("CHECK_SHA256", kCheckSha256),
    Number("CHECK_UNKNOWN", kCheckUnknown),
    Number("FILTER_ARM", kFilterArm),
    Number("FILTER_ARMTHUMB", kFilterArmThumb),
    Number("FILTER_DELTA", kFilterDelta),
    Number("FILTER_IA64", kFilterIa64),
    Number("FILTER_LZMA1", static_cast<int64_t>(kFilterLzma1)),
    Number("FILTER_LZMA2", kFilterLzma2),
    Number("FILTER_POWERPC", kFilterPowerPc),
    Number("FILTER_SPARC", kFilterSparc),
    Number("FILTER_X86", kFilterX86),
    Number("FORMAT_ALONE", 2),
    Number("FORMAT_AUTO", 0),
    Number("FORMAT_RAW", 3),
    Number("FORMAT_XZ", 1),
    Number("MF_BT2", 0x12),
    Number("MF_BT3", 0x13),
    Number("MF_BT4", 0x14),
    Number("MF_HC3", 3),
    Number("MF_HC4", 4),
    Number("MODE_FAST", 1),
    Number("MODE_NORMAL", 2),
    Number("PRESET_DEFAULT", kPresetDefault),
    Number("PRESET_EXTREME", kPresetExtreme),
};

}  // namespace
}  // namespace lzma

extern const TypeSpec kLzmaCompressorType;
const TypeSpec kLzmaCompressorType = {
    .name = "_lzma.LZMACompressor",
    .doc =
        "Compresses data that come in pieces.\n"
        "\n"
        "format is FORMAT_XZ, FORMAT_ALONE or FORMAT_RAW; check that of an .xz stream, -1: "
        "CRC64. preset is 0 (fast) to 9, with PRESET_EXTREME to look harder; or else filters is "
        "a list of dictionaries.",
    .size = sizeof(lzma::CompressorObject),
    .gc = LeafHooksOf<lzma::CompressorObject>(),
    .construct = {"LZMACompressor(format=1, check=-1, preset=None, filters=None)",
                  lzma::compressor_new},
    .methods = lzma::kCompressorMethods,
};

extern const TypeSpec kLzmaDecompressorType;
const TypeSpec kLzmaDecompressorType = {
    .name = "_lzma.LZMADecompressor",
    .doc =
        "Decompresses one stream, whose data come in pieces.\n"
        "\n"
        "format is FORMAT_AUTO, which finds out, or what the stream is. memlimit is the most "
        "memory in bytes. filters, a list of dictionaries, is for FORMAT_RAW.",
    .size = sizeof(lzma::DecompressorObject),
    .gc = GcHooksOf<lzma::DecompressorObject>(),
    .construct = {"LZMADecompressor(format=0, memlimit=None, filters=None)",
                  lzma::decompressor_new},
    .methods = lzma::kDecompressorMethods,
    .getsets = lzma::kDecompressorGetSets,
};

namespace {
const TypeSpec* const kLzmaTypes[] = {&kLzmaCompressorType, &kLzmaDecompressorType};
}  // namespace

extern const ModuleSpec k__lzma_module;
const ModuleSpec k__lzma_module = {
    .name = "_lzma",
    .doc = "Compression in the formats of xz and lzma.",
    .functions = lzma::kFunctions,
    .types = kLzmaTypes,
    .constants = lzma::kConstants,
    .exec = lzma::ExecModule,
};

}  // namespace minivm

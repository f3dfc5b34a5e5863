// Reading code images: see code_image.h for the format.
#include "vm/bytecode/code_image.h"

#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/complex_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "vm/bytecode/position_table.h"

namespace minivm {

namespace {

constexpr uint8_t OperandsOf(const char* format, uint32_t flags) {
  uint32_t mask = 0;
  for (uint32_t i = 0; i < 3; ++i) {
    if (format[i] != '-') mask |= 1u << i;
  }
  if (format[3] != '-' && format[3] != 'H') mask |= kImageX;
  if (flags & kName) mask |= kImageName;
  if (format[0] == 'd' || format[0] == 'w') mask |= kImageAIsTop;
  return static_cast<uint8_t>(mask);
}

}  // namespace

// The twin that writes a local has no operand that tells the height.
#define OP(name, format, flags, doc) OperandsOf(format, flags),
#define OPT(name, format, flags, doc) \
  OperandsOf(format, flags), static_cast<uint8_t>(OperandsOf(format, flags) & ~kImageAIsTop),
constexpr uint8_t kImageOperands[kOpCount] = {
#include "vm/bytecode/opcodes.def"
};
#undef OP
#undef OPT

namespace {

class ImageReader {
 public:
  ImageReader(ThreadState& ts, std::string_view image, StrObject* filename)
      : ts_(ts), filename_(filename) {
    const uint8_t* p = reinterpret_cast<const uint8_t*>(image.data());
    uint32_t sizes[kImageStreams];
    at_ = p;
    entries_ = Varint(at_);
    most_words_ = Varint(at_);
    most_numbers_ = Varint(at_);
    for (uint32_t& size : sizes) size = Varint(at_);
    for (int i = 0; i < kImageStreams; ++i) {
      streams_[i] = at_;
      at_ += sizes[i];
    }
  }
  ~ImageReader() {
    if (scratch_) ts_.heap().FreeBuffer(scratch_, scratch_size_);
  }
  ImageReader(const ImageReader&) = delete;
  ImageReader& operator=(const ImageReader&) = delete;

  Result<CodeObject> Read() {
    // Per word: the word, its site, its live depth, at most 21 bytes of position and a checkpoint.
    scratch_size_ = most_words_ * (sizeof(Word) + sizeof(Site) + 1 + 22) + 64 +
                    most_numbers_ * sizeof(uint32_t);
    MVM_TRY(scratch_, AllocBuffer(ts_, scratch_size_));
    MVM_TRY(pool_, NewListReserve(ts_, entries_));
    for (uint32_t i = 0; i < entries_; ++i) {
      MVM_TRY(Ref<> entry, Entry());
      MVM_TRY_VOID(ListAppend(ts_, pool_, entry));
    }
    return Ref<CodeObject>::Borrow(pool_->items[entries_ - 1].as<CodeObject>());
  }

 private:
  static uint32_t Varint(const uint8_t*& p) {
    uint32_t v = *p++;
    if (MVM_LIKELY(v < 0x80)) return v;
    v &= 0x7F;
    for (int shift = 7;; shift += 7) {
      const uint8_t byte = *p++;
      v |= static_cast<uint32_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return v;
    }
  }
  static int32_t Signed(const uint8_t*& p) {
    const uint32_t v = Varint(p);
    return static_cast<int32_t>(v >> 1) ^ -static_cast<int32_t>(v & 1);
  }
  const uint8_t*& Stream(ImageStream s) { return streams_[static_cast<int>(s)]; }
  uint32_t Pool() { return Varint(Stream(ImageStream::kPool)); }
  uint32_t Number() { return Varint(Stream(ImageStream::kCodes)); }
  const uint8_t* Text(size_t n) {
    const uint8_t* p = Stream(ImageStream::kText);
    Stream(ImageStream::kText) += n;
    return p;
  }
  Value At(uint32_t back) const { return pool_->items[pool_->size - back]; }
  // A reference, or null.
  Value Optional() {
    const uint32_t back = Number();
    return back ? At(back) : Value();
  }
  template <class T>
  Ref<T> Needed() {
    return Ref<T>::Borrow(At(Number()).as<T>());
  }
  Result<TupleObject> Tuple(const uint8_t*& stream, uint32_t n) {
    if (n == 0) return NewTuple(ts_, {});
    bool tracked = false;
    MVM_TRY(Ref<TupleObject> tuple, NewTupleRaw(ts_, n));
    for (uint32_t i = 0; i < n; ++i) {
      const Value item = At(Varint(stream));
      tracked = tracked || IsExact(item, TypeId::kCode);
      tuple->items()[i] = Ref<>::Borrow(item).Release();
    }
    // Of these the collector need know only those that may be part of a cycle.
    if (tracked) Track(tuple.get());
    return tuple;
  }
  Result<TupleObject> Tuple() {
    const uint32_t n = Number();
    return Tuple(Stream(ImageStream::kCodes), n);
  }

  Result<> Entry() {
    const uint32_t kind = Pool();
    switch (kind) {
      case kImageNone: return None(ts_);
      case kImageFalse:
      case kImageTrue: return Bool(ts_, kind == kImageTrue);
      case kImageEllipsis: return Result<>::Borrow(ts_.rt->ellipsis);
      case kImageInt: return NewInt(ts_, Signed(Stream(ImageStream::kPool)));
      case kImageBigInt: return BigInt();
      case kImageFloat: return NewFloat(ts_, Double());
      case kImageComplex: {
        const double real = Double();
        return NewComplex(ts_, real, Double());
      }
      case kImageBytes: {
        const uint32_t n = Pool();
        return NewBytes(ts_, {reinterpret_cast<const char*>(Text(n)), n});
      }
      case kImageTuple: {
        const uint32_t n = Pool();
        return Tuple(Stream(ImageStream::kPool), n);
      }
      case kImageFrozenset: {
        const uint32_t n = Pool();
        MVM_TRY(Ref<TupleObject> items, Tuple(Stream(ImageStream::kPool), n));
        return NewFrozenset(ts_, items);
      }
      case kImageCode: return Code();
      default: return Str(kind - kImageStr);
    }
  }

  double Double() {
    double d;
    std::memcpy(&d, Text(sizeof d), sizeof d);
    return d;
  }

  Result<> BigInt() {
    const uint32_t head = Pool();
    const size_t n = head >> 1;
    uint64_t limbs[64];
    MVM_CHECK(n <= 64, "checked by the writer");
    std::memcpy(limbs, Text(n * sizeof(uint64_t)), n * sizeof(uint64_t));
    return NewIntFromLimbs(ts_, limbs, n, head & 1);
  }

  Result<> Str(uint32_t head) {
    const size_t n = head >> 2;
    Ref<StrObject> s;
    if (MVM_LIKELY(!(head & 2))) {
      const std::string_view text(reinterpret_cast<const char*>(Text(n)), n);
      if (head & 1) return InternUtf8(ts_, text);
      return NewStr(ts_, text);
    }
    // As UTF-8, surrogates in the WTF-8 way: n is its size.
    MVM_TRY(s, NewStr(ts_, {reinterpret_cast<const char*>(Text(n)), n}));
    if (head & 1) return Intern(ts_, s);
    return s;
  }

  Result<CodeObject> Code();
  void Words(CodeSpec* spec, Word* words, Site* sites, uint8_t* live);

  ThreadState& ts_;
  StrObject* filename_;
  const uint8_t* at_;
  const uint8_t* streams_[kImageStreams];
  uint32_t entries_, most_words_, most_numbers_;
  void* scratch_ = nullptr;
  size_t scratch_size_ = 0;
  Ref<ListObject> pool_;
};

void ImageReader::Words(CodeSpec* spec, Word* words, Site* sites, uint8_t* live) {
  const uint8_t *ops = Stream(ImageStream::kOps), *a = Stream(ImageStream::kA),
                *b = Stream(ImageStream::kB), *c = Stream(ImageStream::kC),
                *x = Stream(ImageStream::kX), *names = Stream(ImageStream::kNames),
                *lives = Stream(ImageStream::kLive);
  const uint32_t n = spec->word_count;
  uint8_t height = static_cast<uint8_t>(spec->local_count);
  for (uint32_t pc = 0; pc < n; ++pc) {
    Word w{};
    w.op = *ops++;
    const uint8_t has = kImageOperands[w.op];
    if (has & kImageA) w.a = *a++;
    if (has & kImageB) w.b = *b++;
    if (has & kImageC) w.c = *c++;
    if (has & kImageX) w.x = Signed(x);
    words[pc] = w;
    sites[pc] = Site();
    if (has & kImageName) sites[pc].arg = Varint(names);
    if (has & kImageAIsTop) height = w.a;
    height = static_cast<uint8_t>(height + *lives++);
    live[pc] = height;
  }
  Stream(ImageStream::kOps) = ops;
  Stream(ImageStream::kA) = a;
  Stream(ImageStream::kB) = b;
  Stream(ImageStream::kC) = c;
  Stream(ImageStream::kX) = x;
  Stream(ImageStream::kNames) = names;
  Stream(ImageStream::kLive) = lives;
}

Result<CodeObject> ImageReader::Code() {
  CodeSpec spec;
  spec.filename = Ref<StrObject>::Borrow(filename_);
  spec.name = Needed<StrObject>();
  spec.qualname = spec.name;
  if (Value prefix = Optional(); !prefix.is_null()) {
    MVM_TRY(spec.qualname, StrConcat(ts_, prefix.as<StrObject>(), spec.name));
  }
  if (Value doc = Optional(); !doc.is_null()) spec.doc = Ref<>::Borrow(doc);
  MVM_TRY(spec.consts, Tuple());
  MVM_TRY(spec.names, Tuple());
  MVM_TRY(spec.varnames, Tuple());
  MVM_TRY(spec.cellvars, Tuple());
  MVM_TRY(spec.freevars, Tuple());
  const uint32_t hidden_count = Number();
  if (hidden_count > 0) {
    MVM_TRY(spec.hidden_names, Tuple(Stream(ImageStream::kCodes), hidden_count));
  }
  spec.flags = Number();
  spec.first_line = Number();
  for (uint16_t* field : {&spec.arg_count, &spec.posonly_count, &spec.kwonly_count,
                          &spec.param_count, &spec.near_param_count, &spec.local_count,
                          &spec.frame_size, &spec.locals_register, &spec.far_register}) {
    *field = static_cast<uint16_t>(Number() - 1);  // 0xFFFF, none, is common
  }
  spec.word_count = Number();
  spec.range_count = Number();
  spec.mark_count = Number();
  spec.skip_count = Number();
  // The scratch memory: arrays in order of falling alignment.
  Word* words = static_cast<Word*>(scratch_);
  Site* sites = reinterpret_cast<Site*>(words + spec.word_count);
  uint32_t* next = reinterpret_cast<uint32_t*>(sites + spec.word_count);
  auto take = [&](uint32_t n) {
    uint32_t* start = next;
    for (uint32_t i = 0; i < n; ++i) *next++ = Number();
    return start;
  };
  static_assert(sizeof(ExceptionRange) == 16 && sizeof(LineMark) == 8 && sizeof(MarkSkip) == 8 &&
                sizeof(HiddenName) == 12);
  spec.ranges = reinterpret_cast<ExceptionRange*>(take(spec.range_count * 4));
  spec.marks = reinterpret_cast<LineMark*>(take(spec.mark_count * 2));
  spec.skips = reinterpret_cast<MarkSkip*>(take(spec.skip_count * 2));
  HiddenName* hidden = reinterpret_cast<HiddenName*>(next);
  next += hidden_count * 3;
  for (uint32_t i = 0; i < hidden_count; ++i) {
    const uint32_t start = Number(), end = Number(), reg = Number();
    hidden[i] = {start, end, static_cast<uint16_t>(reg >> 1), (reg & 1) != 0};
  }
  spec.hidden = hidden;
  spec.cell_registers = take(static_cast<uint32_t>(spec.cellvars->size()));
  spec.varname_registers = take(static_cast<uint32_t>(spec.varnames->size()));
  uint8_t* live = reinterpret_cast<uint8_t*>(next);
  uint8_t* positions = live + spec.word_count;
  Words(&spec, words, sites, live);
  spec.words = words;
  spec.sites = sites;
  spec.live = live;
  spec.packed_positions = positions;
  spec.packed_size = JoinPositions(&Stream(ImageStream::kTags), &Stream(ImageStream::kPlaces),
                                   spec.word_count, positions);
  return NewCode(ts_, spec);
}

}  // namespace

Result<CodeObject> ReadCodeImage(ThreadState& ts, std::string_view image, StrObject* filename) {
  return ImageReader(ts, image, filename).Read();
}

}  // namespace minivm

// Writing code images: see code_image.h for the format. Only the build does this.
#include <algorithm>
#include <string>
#include <unordered_map>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/complex_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "vm/bytecode/code_image.h"
#include "vm/bytecode/position_table.h"

namespace minivm {

namespace {

void PutVarint(std::string* out, uint32_t v) {
  for (; v >= 0x80; v >>= 7) out->push_back(static_cast<char>(v | 0x80));
  out->push_back(static_cast<char>(v));
}
void PutSigned(std::string* out, int32_t v) {
  PutVarint(out, static_cast<uint32_t>(v) << 1 ^ static_cast<uint32_t>(v >> 31));
}

class ImageWriter {
 public:
  explicit ImageWriter(ThreadState& ts) : ts_(ts) {}

  bool Write(const CodeObject* code, std::string* image) {
    Enter(Value(const_cast<CodeObject*>(code)));
    if (!good_) return false;
    PutVarint(image, count_);
    PutVarint(image, most_words_);
    PutVarint(image, most_numbers_);
    for (const std::string& s : streams_) PutVarint(image, static_cast<uint32_t>(s.size()));
    for (const std::string& s : streams_) *image += s;
    return true;
  }

 private:
  std::string* Stream(ImageStream s) { return &streams_[static_cast<int>(s)]; }
  std::string* pool() { return Stream(ImageStream::kPool); }
  void Number(uint32_t n) { PutVarint(Stream(ImageStream::kCodes), n); }
  void Refer(std::string* stream, Value v) { PutVarint(stream, count_ - entries_.at(v.bits())); }

  // Makes an entry of `v` and of what it refers to, unless they have one.
  void Enter(Value v) {
    if (entries_.count(v.bits())) return;
    RuntimeState& rt = *ts_.rt;
    if (v.is(rt.none)) {
      PutVarint(pool(), kImageNone);
    } else if (v.is(rt.false_) || v.is(rt.true_)) {
      PutVarint(pool(), v.is(rt.true_) ? kImageTrue : kImageFalse);
    } else if (v.is(rt.ellipsis)) {
      PutVarint(pool(), kImageEllipsis);
    } else if (v.is_int() || IsExact(v, TypeId::kInt)) {
      EnterInt(v);
    } else if (IsFloatExact(v)) {
      PutVarint(pool(), kImageFloat);
      Double(FloatValue(v));
    } else if (IsExact(v, TypeId::kComplex)) {
      PutVarint(pool(), kImageComplex);
      Double(v.as<ComplexObject>()->real);
      Double(v.as<ComplexObject>()->imag);
    } else if (IsExact(v, TypeId::kBytes)) {
      PutVarint(pool(), kImageBytes);
      PutVarint(pool(), static_cast<uint32_t>(v.as<BytesObject>()->length));
      *Stream(ImageStream::kText) += v.as<BytesObject>()->view();
    } else if (IsExact(v, TypeId::kStr)) {
      EnterStr(v.as<StrObject>());
    } else if (IsExact(v, TypeId::kTuple)) {
      for (Value item : v.as<TupleObject>()->span()) Enter(item);
      PutVarint(pool(), kImageTuple);
      References(pool(), v.as<TupleObject>());
    } else if (IsExact(v, TypeId::kFrozenset)) {
      EnterFrozenset(v.as<SetObject>());
    } else if (IsExact(v, TypeId::kCode)) {
      EnterCode(v.as<CodeObject>());
    } else {
      good_ = false;
    }
    entries_[v.bits()] = count_++;
  }

  void EnterInt(Value v) {
    int64_t small;
    if (IntFitsInt64(v, &small) && small == static_cast<int32_t>(small)) {
      PutVarint(pool(), kImageInt);
      PutSigned(pool(), static_cast<int32_t>(small));
      return;
    }
    IntView view(v);
    if (view.size() > 64) good_ = false;
    PutVarint(pool(), kImageBigInt);
    PutVarint(pool(), static_cast<uint32_t>(view.size() * 2 + view.negative()));
    Stream(ImageStream::kText)
        ->append(reinterpret_cast<const char*>(view.limbs()), view.size() * sizeof(uint64_t));
  }

  void EnterStr(const StrObject* s) {
    const std::string text = ToUtf8(s);
    PutVarint(pool(), kImageStr + static_cast<uint32_t>(text.size() * 4 + (s->ascii() ? 0 : 2) +
                                                        (s->interned() ? 1 : 0)));
    *Stream(ImageStream::kText) += text;
  }

  void EnterFrozenset(SetObject* s) {
    uint32_t n = 0;
    Value item;
    for (size_t at = 0; SetNext(s, &at, &item); ++n) Enter(item);
    PutVarint(pool(), kImageFrozenset);
    PutVarint(pool(), n);
    for (size_t at = 0; SetNext(s, &at, &item);) Refer(pool(), item);
  }

  void EnterCode(const CodeObject* code) {
    const TupleObject* tuples[] = {code->consts,   code->names,    code->varnames,
                                   code->cellvars, code->freevars, code->hidden_names};
    // A qualified name is what comes before the name, which many share, and that.
    const std::string name = ToUtf8(code->name), qualname = ToUtf8(code->qualname);
    if (!qualname.ends_with(name)) good_ = false;
    Value prefix;
    if (qualname.size() > name.size()) {
      prefix = Prefix(qualname.substr(0, qualname.size() - name.size()));
    }
    for (Value v : {Value(code->name), prefix, code->doc}) {
      if (!v.is_null()) Enter(v);
    }
    for (const TupleObject* tuple : tuples) {
      if (tuple == nullptr) continue;
      for (Value item : tuple->span()) Enter(item);
    }
    if (!good_) return;
    PutVarint(pool(), kImageCode);
    std::string* codes = Stream(ImageStream::kCodes);
    Refer(codes, Value(code->name));
    for (Value v : {prefix, code->doc}) {
      if (v.is_null()) {
        Number(0);
      } else {
        Refer(codes, v);
      }
    }
    for (const TupleObject* tuple : tuples) {
      if (tuple != nullptr) {
        References(codes, tuple);
      } else {
        Number(0);
      }
    }
    Number(code->flags);
    Number(code->first_line);
    for (uint16_t field : {code->arg_count, code->posonly_count, code->kwonly_count,
                           code->param_count, code->near_param_count, code->local_count,
                           code->frame_size, code->locals_register, code->far_register}) {
      Number(static_cast<uint16_t>(field + 1));
    }
    Number(code->word_count);
    Number(code->range_count);
    Number(code->mark_count);
    Number(code->skip_count);
    const uint32_t hidden =
        code->hidden_names ? static_cast<uint32_t>(code->hidden_names->size()) : 0;
    Numbers(reinterpret_cast<const uint32_t*>(code->ranges), code->range_count * 4);
    Numbers(reinterpret_cast<const uint32_t*>(code->marks), code->mark_count * 2);
    Numbers(reinterpret_cast<const uint32_t*>(code->skips), code->skip_count * 2);
    for (uint32_t i = 0; i < hidden; ++i) {
      Number(code->hidden[i].start);
      Number(code->hidden[i].end);
      Number(code->hidden[i].reg * 2u + code->hidden[i].cell);
    }
    Numbers(code->cell_registers, static_cast<uint32_t>(code->cellvars->size()));
    Numbers(code->varname_registers, static_cast<uint32_t>(code->varnames->size()));
    most_words_ = std::max(most_words_, code->word_count);
    most_numbers_ = std::max(most_numbers_, code->range_count * 4 + code->mark_count * 2 +
                                                code->skip_count * 2 + hidden * 3 +
                                                static_cast<uint32_t>(code->cellvars->size()) +
                                                static_cast<uint32_t>(code->varnames->size()));
    Words(code);
    SplitPositions(code->positions, code->word_count, Stream(ImageStream::kTags),
                   Stream(ImageStream::kPlaces));
  }

  // One string for each text; null, and good_ false, without memory.
  Value Prefix(const std::string& text) {
    Ref<StrObject>& prefix = prefixes_[text];
    if (!prefix) {
      Result<StrObject> made = NewStr(ts_, text);
      if (made.raised()) {
        ClearPending(ts_);
        good_ = false;
        return Value();
      }
      prefix = made.Take();
    }
    return Value(prefix.get());
  }

  void Words(const CodeObject* code) {
    uint8_t height = static_cast<uint8_t>(code->local_count);
    for (uint32_t pc = 0; pc < code->word_count; ++pc) {
      const Word w = PlainWord(code, pc);
      const uint8_t has = kImageOperands[w.op];
      Stream(ImageStream::kOps)->push_back(static_cast<char>(w.op));
      Operand(ImageStream::kA, has & kImageA, w.a);
      Operand(ImageStream::kB, has & kImageB, w.b);
      Operand(ImageStream::kC, has & kImageC, w.c);
      if (has & kImageX) {
        PutSigned(Stream(ImageStream::kX), w.x);
      } else if (w.x != 0 && InfoOf(static_cast<Op>(w.op)).format[3] == '-') {
        good_ = false;
      }
      if (has & kImageName) {
        PutVarint(Stream(ImageStream::kNames), code->sites[pc].arg);
      } else if (code->sites[pc].arg != 0) {
        good_ = false;
      }
      if (has & kImageAIsTop) height = w.a;
      Stream(ImageStream::kLive)->push_back(static_cast<char>(code->live[pc] - height));
      height = code->live[pc];
    }
  }
  void Operand(ImageStream s, bool has, uint8_t value) {
    if (has) {
      Stream(s)->push_back(static_cast<char>(value));
    } else if (value != 0) {
      good_ = false;
    }
  }

  void References(std::string* stream, const TupleObject* tuple) {
    PutVarint(stream, tuple->size());
    for (Value item : tuple->span()) Refer(stream, item);
  }
  void Numbers(const uint32_t* p, uint32_t n) {
    for (uint32_t i = 0; i < n; ++i) Number(p[i]);
  }
  void Double(double d) {
    Stream(ImageStream::kText)->append(reinterpret_cast<const char*>(&d), sizeof d);
  }

  ThreadState& ts_;
  std::unordered_map<uint64_t, uint32_t> entries_;  // of what, by its word: which
  std::unordered_map<std::string, Ref<StrObject>> prefixes_;
  uint32_t count_ = 0, most_words_ = 0, most_numbers_ = 0;
  bool good_ = true;
  std::string streams_[kImageStreams];
};

}  // namespace

bool WriteCodeImage(ThreadState& ts, const CodeObject* code, std::string* image) {
  return ImageWriter(ts).Write(code, image);
}

}  // namespace minivm

// UnpicklerCore: the stack, the memo, and the instructions that make plain values and containers.
#include "stdlib/pickle/unpickler.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/codec.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_ops.h"
#include "runtime/objects/memoryview_object.h"
#include "runtime/objects/set_object.h"

namespace minivm::pickle {

namespace {

constexpr const char* kUnderflow = "unpickling stack underflow";

std::string_view Chars(const uint8_t* p, size_t n) { return {reinterpret_cast<const char*>(p), n}; }

// Without the newline at the end.
std::string_view Chomp(std::string_view line) {
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  return line;
}

std::string_view Strip(std::string_view s) {
  auto space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!s.empty() && space(s.front())) s.remove_prefix(1);
  while (!s.empty() && space(s.back())) s.remove_suffix(1);
  return s;
}

// int(line, 10) as GET, PUT and LONG read it.
Result<> IntOfLine(ThreadState& ts, std::string_view line, int base) {
  Result<> r = IntFromText(ts, Strip(line), base);
  if (!r.raised() || !ClearPendingIf(ts, Exc::kValueError)) return r;
  DecodeInput in{.bytes = line, .source = Value()};
  MVM_TRY(Ref<StrObject> text, DecodeUtf8Codec(ts, in));
  return Raise(ts, Exc::kValueError, "invalid literal for int() with base 10: %R", Value(text));
}

Raised RaiseTruncated(ThreadState& ts) { return RaiseUnpickling(ts, "pickle data was truncated"); }

}  // namespace

// ---- life ----

UnpicklerCore::~UnpicklerCore() {
  ClearStack();
  ClearMemo();
  if (stack_) heap_->FreeBuffer(stack_, capacity_ * sizeof(Value));
  if (marks_) heap_->FreeBuffer(marks_, mark_capacity_ * sizeof(size_t));
}

Status UnpicklerCore::Configure(ThreadState& ts, Value fix_imports, Value encoding, Value errors,
                                Value buffers) {
  for (Value v : {encoding, errors}) {
    if (!IsStr(ts, v)) {
      return Raise(ts, Exc::kTypeError, "Unpickler() argument '%s' must be str, not %T",
                   v.is(encoding) ? "encoding" : "errors", v);
    }
  }
  encoding_ = Ref<StrObject>::Borrow(encoding.as<StrObject>());
  errors_ = Ref<StrObject>::Borrow(errors.as<StrObject>());
  as_bytes_ = encoding_->EqualsAscii("bytes");
  MVM_TRY(fix_imports_, Truth(ts, fix_imports));
  buffers_ = Ref<>();
  if (!IsNone(ts, buffers) && !buffers.is(ts.rt->empty_tuple)) {
    MVM_TRY(buffers_, GetIter(ts, buffers));
  }
  return Ok();
}

// ---- the stack ----

Status UnpicklerCore::Push(ThreadState& ts, Ref<> v) {
  if (MVM_UNLIKELY(size_ == capacity_)) {
    heap_ = &ts.heap();
    const size_t capacity = capacity_ ? capacity_ * 2 : 64;
    MVM_TRY_VOID(CheckRoom(ts, (capacity - capacity_) * sizeof(Value)));
    void* p = heap_->ReallocateBuffer(stack_, capacity_ * sizeof(Value), capacity * sizeof(Value));
    if (!p) return RaiseMemoryError(ts);
    stack_ = static_cast<Value*>(p);
    capacity_ = capacity;
  }
  stack_[size_++] = v.Release();
  return Ok();
}

Status UnpicklerCore::Need(ThreadState& ts, size_t n) {
  if (MVM_LIKELY(size_ - Fence() >= n)) return Ok();
  return RaiseUnpickling(ts, "%s", mark_count_ ? "unexpected MARK found" : kUnderflow);
}

Result<> UnpicklerCore::Pop(ThreadState& ts) {
  MVM_TRY_VOID(Need(ts, 1));
  return Result<>::Steal(stack_[--size_]);
}

void UnpicklerCore::Truncate(size_t size) {
  while (size_ > size) {
    const Ref<> dropped = Ref<>::Steal(stack_[--size_]);
  }
}

void UnpicklerCore::ClearStack() {
  mark_count_ = 0;
  Truncate(0);
}

Status UnpicklerCore::PushMark(ThreadState& ts) {
  if (mark_count_ == mark_capacity_) {
    heap_ = &ts.heap();
    const size_t capacity = mark_capacity_ ? mark_capacity_ * 2 : 16;
    void* p =
        heap_->ReallocateBuffer(marks_, mark_capacity_ * sizeof(size_t), capacity * sizeof(size_t));
    if (!p) return RaiseMemoryError(ts);
    marks_ = static_cast<size_t*>(p);
    mark_capacity_ = capacity;
  }
  marks_[mark_count_++] = size_;
  return Ok();
}

Result<size_t> UnpicklerCore::PopMark(ThreadState& ts) {
  if (mark_count_ == 0) return RaiseUnpickling(ts, "could not find MARK");
  return marks_[--mark_count_];
}

Result<TupleObject> UnpicklerCore::PopTuple(ThreadState& ts, size_t start) {
  const size_t n = size_ - start;
  MVM_TRY(Ref<TupleObject> t, NewTuple(ts, {stack_ + start, n}));
  Truncate(start);
  return t;
}

// ---- the memo ----

void UnpicklerCore::ClearMemo() {
  Value* const memo = std::exchange(memo_, nullptr);
  const size_t capacity = std::exchange(memo_capacity_, 0);
  memo_count_ = 0;
  sparse_memo_ = Ref<DictObject>();
  for (size_t i = 0; i < capacity; ++i) Ref<> dropped = Ref<>::Steal(memo[i]);
  if (memo) heap_->FreeBuffer(memo, capacity * sizeof(Value));
}

// A forged number must not cost memory: what is far beyond the entries goes to a dict.
Status UnpicklerCore::MemoStore(ThreadState& ts, uint64_t number, Value v) {
  if (MVM_UNLIKELY(number >= memo_capacity_)) {
    if (number > memo_count_ * 2 + 1024) {
      if (number > 0xFFFFFFFF * uint64_t{8}) return RaiseMemoryError(ts);
      if (!sparse_memo_) {
        MVM_TRY(sparse_memo_, NewDict(ts));
      }
      const size_t before = DictSize(sparse_memo_);
      MVM_TRY_VOID(DictSet(ts, sparse_memo_, Value::Int(static_cast<int64_t>(number)), v));
      memo_count_ += DictSize(sparse_memo_) - before;
      return Ok();
    }
    heap_ = &ts.heap();
    const size_t capacity = number < 32 ? 64 : number * 2;
    MVM_TRY_VOID(CheckRoom(ts, (capacity - memo_capacity_) * sizeof(Value)));
    void* p =
        heap_->ReallocateBuffer(memo_, memo_capacity_ * sizeof(Value), capacity * sizeof(Value));
    if (!p) return RaiseMemoryError(ts);
    memo_ = static_cast<Value*>(p);
    for (size_t i = memo_capacity_; i < capacity; ++i) memo_[i] = Value();
    memo_capacity_ = capacity;
  }
  const Ref<> old = Ref<>::Steal(std::exchange(memo_[number], Ref<>::Borrow(v).Release()));
  if (!old) ++memo_count_;
  return Ok();
}

Status UnpicklerCore::MemoPut(ThreadState& ts, uint64_t number) {
  MVM_TRY_VOID(Need(ts, 1));
  return MemoStore(ts, number, stack_[size_ - 1]);
}

Status UnpicklerCore::MemoGet(ThreadState& ts, int64_t number) {
  if (number >= 0 && static_cast<uint64_t>(number) < memo_capacity_ && memo_[number]) {
    return Push(ts, Ref<>::Borrow(memo_[number]));
  }
  if (sparse_memo_ && number >= 0) {
    MVM_TRY(Ref<> v, DictGet(ts, sparse_memo_, Value::Int(number)));
    if (!v.is_absent()) return Push(ts, std::move(v));
  }
  return RaiseUnpickling(ts, "Memo value not found at index %lld", static_cast<long long>(number));
}

Result<DictObject> UnpicklerCore::MemoDict(ThreadState& ts) {
  MVM_TRY(Ref<DictObject> d, NewDict(ts));
  for (size_t i = 0; i < memo_capacity_; ++i) {
    if (memo_[i]) MVM_TRY_VOID(DictSet(ts, d, Value::Int(static_cast<int64_t>(i)), memo_[i]));
  }
  if (sparse_memo_) MVM_TRY_VOID(DictUpdate(ts, d, sparse_memo_));
  return d;
}

Status UnpicklerCore::SetMemo(ThreadState& ts, DictObject* from) {
  MVM_TRY(Ref<DictObject> copy, DictCopy(ts, from));
  size_t pos = 0;
  Value key, value;
  while (DictNext(ts, copy, &pos, &key, &value)) {
    if (!IsInt(ts, key)) return Raise(ts, Exc::kTypeError, "memo key must be integers");
    if (IntSign(key) < 0) {
      return Raise(ts, Exc::kValueError, "memo key must be positive integers.");
    }
    int64_t number;
    if (!IntFitsInt64(key, &number)) {
      return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C ssize_t");
    }
  }
  ClearMemo();
  pos = 0;
  while (DictNext(ts, copy, &pos, &key, &value)) {
    int64_t number;
    IntFitsInt64(key, &number);
    MVM_TRY_VOID(MemoStore(ts, static_cast<uint64_t>(number), value));
  }
  return Ok();
}

// ---- the machine ----

Result<> UnpicklerCore::Load(ThreadState& ts) {
  if (running) {
    return Raise(ts, Exc::kRuntimeError, "Unpickler.load() is not reentrant");
  }
  running = true;
  protocol = 0;
  ClearStack();
  Status status = Run(ts);
  if (input.Finish(ts).raised()) status = kRaised;
  running = false;
  if (status.raised()) {
    Ref<> pending = TakePending(ts);
    ClearStack();
    RestorePending(ts, std::move(pending));
    return kRaised;
  }
  Result<> result = Pop(ts);
  ClearStack();
  return result;
}

Status UnpicklerCore::Run(ThreadState& ts) {
  for (;;) {
    MVM_TRY(uint8_t op, input.TakeOp(ts));
    if (op == kStop) return Need(ts, 1);
    MVM_TRY_VOID(Step(ts, op));
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

Result<uint64_t> UnpicklerCore::Number(ThreadState& ts, int width) {
  MVM_TRY(const uint8_t* p, input.Take(ts, static_cast<size_t>(width)));
  uint64_t n = 0;
  std::memcpy(&n, p, static_cast<size_t>(width));
  return n;
}

Status UnpicklerCore::Step(ThreadState& ts, uint8_t op) {
  RuntimeState& rt = *ts.rt;
  switch (op) {
    case kNone: return Push(ts, Ref<>::Borrow(rt.none));
    case kNewTrue: return Push(ts, Ref<>::Borrow(rt.true_));
    case kNewFalse: return Push(ts, Ref<>::Borrow(rt.false_));
    case kBinInt1:
    case kBinInt2: {
      MVM_TRY(uint64_t n, Number(ts, op == kBinInt1 ? 1 : 2));
      return Push(ts, Ref<>::Steal(Value::Int(static_cast<int64_t>(n))));
    }
    case kBinInt: {
      MVM_TRY(uint64_t n, Number(ts, 4));
      return Push(ts, Ref<>::Steal(Value::Int(static_cast<int32_t>(n))));
    }
    case kInt: return LoadInt(ts);
    case kLong: return LoadLong(ts);
    case kLong1: return LoadCountedLong(ts, 1);
    case kLong4: return LoadCountedLong(ts, 4);
    case kFloat: return LoadFloat(ts);
    case kBinFloat: return LoadBinFloat(ts);
    case kShortBinUnicode: return LoadCountedUnicode(ts, 1);
    case kBinUnicode: return LoadCountedUnicode(ts, 4);
    case kBinUnicode8: return LoadCountedUnicode(ts, 8);
    case kUnicode: return LoadUnicode(ts);
    case kShortBinBytes: return LoadCountedBytes(ts, 1);
    case kBinBytes: return LoadCountedBytes(ts, 4);
    case kBinBytes8: return LoadCountedBytes(ts, 8);
    case kByteArray8: return LoadBytearray(ts);
    case kString: return LoadString(ts);
    case kBinString: return LoadCountedString(ts, 4);
    case kShortBinString: return LoadCountedString(ts, 1);
    case kMark: return PushMark(ts);
    case kEmptyTuple: return Push(ts, Ref<>::Borrow(rt.empty_tuple));
    case kTuple1:
    case kTuple2:
    case kTuple3: return LoadSmallTuple(ts, op - kTuple1 + 1u);
    case kTuple: {
      MVM_TRY(size_t start, PopMark(ts));
      MVM_TRY(Ref<TupleObject> t, PopTuple(ts, start));
      return Push(ts, std::move(t));
    }
    case kEmptyList: {
      MVM_TRY(Ref<ListObject> list, NewList(ts, {}));
      return Push(ts, std::move(list));
    }
    case kList: return LoadList(ts);
    case kAppend: MVM_TRY_VOID(Need(ts, 2)); return LoadAppends(ts, size_ - 1);
    case kAppends: {
      MVM_TRY(size_t start, PopMark(ts));
      return LoadAppends(ts, start);
    }
    case kEmptyDict: {
      MVM_TRY(Ref<DictObject> d, NewDict(ts));
      return Push(ts, std::move(d));
    }
    case kDict: return LoadDict(ts);
    case kSetItem: MVM_TRY_VOID(Need(ts, 3)); return LoadSetItems(ts, size_ - 2);
    case kSetItems: {
      MVM_TRY(size_t start, PopMark(ts));
      return LoadSetItems(ts, start);
    }
    case kEmptySet: {
      MVM_TRY(Ref<SetObject> set, NewSet(ts));
      return Push(ts, std::move(set));
    }
    case kAddItems: return LoadAddItems(ts);
    case kFrozenSet: return LoadFrozenset(ts);
    case kPop:
      if (mark_count_ && marks_[mark_count_ - 1] == size_) {
        --mark_count_;
        return Ok();
      }
      MVM_TRY_VOID(Need(ts, 1));
      Truncate(size_ - 1);
      return Ok();
    case kPopMark: {
      MVM_TRY(size_t start, PopMark(ts));
      Truncate(start);
      return Ok();
    }
    case kDup: MVM_TRY_VOID(Need(ts, 1)); return Push(ts, Ref<>::Borrow(stack_[size_ - 1]));
    case kMemoize: MVM_TRY_VOID(Need(ts, 1)); return MemoStore(ts, memo_count_, stack_[size_ - 1]);
    case kBinGet:
    case kLongBinGet: {
      MVM_TRY(uint64_t n, Number(ts, op == kBinGet ? 1 : 4));
      return MemoGet(ts, static_cast<int64_t>(n));
    }
    case kBinPut:
    case kLongBinPut: {
      MVM_TRY(uint64_t n, Number(ts, op == kBinPut ? 1 : 4));
      return MemoPut(ts, n);
    }
    case kGet:
    case kPut: return LoadNumberedLine(ts, op);
    case kGlobal: return LoadGlobal(ts);
    case kStackGlobal: return LoadStackGlobal(ts);
    case kExt1: return LoadExtension(ts, 1);
    case kExt2: return LoadExtension(ts, 2);
    case kExt4: return LoadExtension(ts, 4);
    case kReduce: return LoadReduce(ts);
    case kNewObj: return LoadNewObj(ts, false);
    case kNewObjEx: return LoadNewObj(ts, true);
    case kBuild: return LoadBuild(ts);
    case kInst: return LoadInst(ts);
    case kObj: return LoadObj(ts);
    case kPersId: return LoadPersistentLine(ts);
    case kBinPersId: {
      MVM_TRY(Ref<> id, Pop(ts));
      return LoadPersistent(ts, id);
    }
    case kProto: {
      MVM_TRY(uint64_t n, Number(ts, 1));
      if (n > kHighestProtocol) {
        return Raise(ts, Exc::kValueError, "unsupported pickle protocol: %d", static_cast<int>(n));
      }
      protocol = static_cast<int>(n);
      return Ok();
    }
    case kFrame: return LoadFrame(ts);
    case kNextBuffer: return LoadNextBuffer(ts);
    case kReadonlyBuffer: return LoadReadonlyBuffer(ts);
    default:
      if (op >= 0x20 && op < 0x7F && op != '\'' && op != '\\') {
        return RaiseUnpickling(ts, "invalid load key, '%c'.", op);
      }
      return RaiseUnpickling(
          ts, op < 16 ? "invalid load key, '\\x0%x'." : "invalid load key, '\\x%x'.", op);
  }
}

// ---- numbers ----

Status UnpicklerCore::LoadInt(ThreadState& ts) {
  std::string_view line;
  MVM_TRY_VOID(input.TakeLine(ts, &line));
  if (line.size() < 2) return RaiseTruncated(ts);
  if (line == "01\n" || line == "00\n") {
    return Push(ts, Ref<>::Borrow(line[1] == '1' ? ts.rt->true_ : ts.rt->false_));
  }
  int64_t i = 0;
  const std::string_view digits = Chomp(line);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), i);
  const bool octal = digits.size() > 1 && (digits[0] == '0' || digits.substr(0, 2) == "-0");
  if (error == std::errc() && end == digits.data() + digits.size() && !octal) {
    MVM_TRY(Ref<> v, NewInt(ts, i));
    return Push(ts, std::move(v));
  }
  // As C reads numbers: 0x and 0 prefixes.
  std::string text(Strip(line));
  if (text.size() > 1 && text.size() < 24) {
    char* stop;
    errno = 0;
    const long long value = std::strtoll(text.c_str(), &stop, 0);
    if (*stop == 0 && errno == 0 && text[0] != '+') {
      MVM_TRY(Ref<> v, NewInt(ts, value));
      return Push(ts, std::move(v));
    }
  }
  Result<> r = IntFromText(ts, text, 0);
  if (r.raised()) {
    if (!ClearPendingIf(ts, Exc::kValueError)) return kRaised;
    return Raise(ts, Exc::kValueError, "could not convert string to int");
  }
  return Push(ts, r.Take());
}

Status UnpicklerCore::LoadLong(ThreadState& ts) {
  std::string_view line;
  MVM_TRY_VOID(input.TakeLine(ts, &line));
  if (line.size() < 2) return RaiseTruncated(ts);
  if (line[line.size() - 2] == 'L') line = line.substr(0, line.size() - 2);
  // IntOfLine may call back nobody: the line stays.
  MVM_TRY(Ref<> v, IntOfLine(ts, line, 0));
  return Push(ts, std::move(v));
}

Status UnpicklerCore::LoadCountedLong(ThreadState& ts, int width) {
  MVM_TRY(uint64_t size, Number(ts, width));
  if (width == 4 && static_cast<int32_t>(size) < 0) {
    return RaiseUnpickling(ts, "LONG pickle has negative byte count");
  }
  if (size <= 8) {
    MVM_TRY(const uint8_t* p, input.Take(ts, size));
    uint64_t n = size && (p[size - 1] & 0x80) ? ~uint64_t{0} : 0;
    std::memcpy(&n, p, size);
    MVM_TRY(Ref<> v, NewInt(ts, static_cast<int64_t>(n)));
    return Push(ts, std::move(v));
  }
  MVM_TRY(Ref<BytesObject> bytes, input.TakeBytes(ts, size));
  const size_t limbs = (size + 7) / 8;
  MVM_TRY(void* room, AllocBuffer(ts, limbs * 8));
  uint64_t* out = static_cast<uint64_t*>(room);
  const bool negative = bytes->data()[size - 1] & 0x80;
  out[limbs - 1] = negative ? ~uint64_t{0} : 0;
  std::memcpy(out, bytes->data(), size);
  if (negative) {
    uint64_t carry = 1;
    for (size_t i = 0; i < limbs; ++i) {
      out[i] = ~out[i] + carry;
      carry = carry && out[i] == 0;
    }
  }
  size_t used = limbs;
  while (used > 0 && out[used - 1] == 0) --used;
  Result<> v = NewIntFromLimbs(ts, out, used, negative);
  ts.heap().FreeBuffer(room, limbs * 8);
  if (v.raised()) return kRaised;
  return Push(ts, v.Take());
}

Status UnpicklerCore::LoadFloat(ThreadState& ts) {
  std::string_view line;
  MVM_TRY_VOID(input.TakeLine(ts, &line));
  if (line.size() < 2) return RaiseTruncated(ts);
  std::string text(line);
  double d = 0;
  const char* end = text.c_str();
  const unsigned char first = static_cast<unsigned char>(text[0]);
  if (first != ' ' && !(first >= '\t' && first <= '\r')) {
    // Hexadecimal floats are C's, not the language's.
    const size_t sign = text[0] == '-' || text[0] == '+';
    const bool hex = text[sign] == '0' && (text[sign + 1] == 'x' || text[sign + 1] == 'X');
    char* stop;
    d = hex ? 0.0 : std::strtod(text.c_str(), &stop);
    end = hex ? text.c_str() + sign + 1 : stop;
  }
  if (end == text.c_str()) {
    return Raise(ts, Exc::kValueError, "could not convert string to float: '%s'", text.c_str());
  }
  const bool spelled = text.find_first_of("iI") != std::string::npos;
  if (std::isinf(d) && !spelled) {
    return Raise(ts, Exc::kOverflowError, "value too large to convert to float: '%s'",
                 text.c_str());
  }
  if (*end != '\n' && *end != 0) {
    return Raise(ts, Exc::kValueError, "could not convert string to float");
  }
  MVM_TRY(Ref<> v, NewFloat(ts, d));
  return Push(ts, std::move(v));
}

Status UnpicklerCore::LoadBinFloat(ThreadState& ts) {
  MVM_TRY(const uint8_t* p, input.Take(ts, 8));
  uint64_t bits;
  std::memcpy(&bits, p, 8);
  MVM_TRY(Ref<> v, NewFloat(ts, std::bit_cast<double>(__builtin_bswap64(bits))));
  return Push(ts, std::move(v));
}

// ---- strings ----

Status UnpicklerCore::PushDecoded(ThreadState& ts, std::string_view bytes) {
  if (as_bytes_) {
    MVM_TRY(Ref<BytesObject> v, NewBytes(ts, bytes));
    return Push(ts, std::move(v));
  }
  // Decoding may run script code: the bytes are copied out of the input first.
  const std::string text(bytes);
  MVM_TRY(Ref<StrObject> v, Decode(ts, text, ToUtf8(encoding_), ToUtf8(errors_)));
  return Push(ts, std::move(v));
}

Status UnpicklerCore::LoadString(ThreadState& ts) {
  std::string_view line;
  MVM_TRY_VOID(input.TakeLine(ts, &line));
  line = Chomp(line);
  if (line.size() < 2 || line.front() != line.back() ||
      (line.front() != '\'' && line.front() != '"')) {
    return RaiseUnpickling(ts, "the STRING opcode argument must be quoted");
  }
  line = line.substr(1, line.size() - 2);
  if (line.find('\\') == line.npos) return PushDecoded(ts, line);
  MVM_TRY(Ref<BytesObject> escaped, NewBytes(ts, line));
  MVM_TRY(Ref<> unescape, ImportedName(ts, "_codecs", "escape_decode"));
  MVM_TRY(Ref<> r, Call(ts, unescape, escaped));
  if (!IsTuple(ts, r) || r.as<TupleObject>()->size() < 1 ||
      !IsBytes(ts, (*r.as<TupleObject>())[0])) {
    return Raise(ts, Exc::kTypeError, "_codecs.escape_decode() did not return bytes");
  }
  return PushDecoded(ts, (*r.as<TupleObject>())[0].as<BytesObject>()->view());
}

Status UnpicklerCore::LoadCountedString(ThreadState& ts, int width) {
  MVM_TRY(uint64_t n, Number(ts, width));
  MVM_TRY(Ref<BytesObject> bytes, input.TakeBytes(ts, n));
  return PushDecoded(ts, bytes->view());
}

Status UnpicklerCore::LoadUnicode(ThreadState& ts) {
  std::string_view line;
  MVM_TRY_VOID(input.TakeLine(ts, &line));
  DecodeInput in{.bytes = Chomp(line), .source = Value()};
  MVM_TRY(Ref<StrObject> v, DecodeRawUnicodeEscape(ts, in));
  return Push(ts, std::move(v));
}

Status UnpicklerCore::LoadCountedUnicode(ThreadState& ts, int width) {
  MVM_TRY(uint64_t n, Number(ts, width));
  if (n > INT64_MAX) {
    return Raise(ts, Exc::kOverflowError, "BINUNICODE exceeds system's maximum size of %lld bytes",
                 static_cast<long long>(INT64_MAX));
  }
  Ref<BytesObject> held;
  std::string_view text;
  if (n > 4096) {
    MVM_TRY(held, input.TakeBytes(ts, n));
    text = held->view();
  } else {
    MVM_TRY(const uint8_t* p, input.Take(ts, n));
    text = Chars(p, n);
  }
  DecodeInput in{.bytes = text, .source = Value(), .errors = "surrogatepass"};
  MVM_TRY(Ref<StrObject> v, DecodeUtf8Codec(ts, in));
  return Push(ts, std::move(v));
}

Status UnpicklerCore::LoadCountedBytes(ThreadState& ts, int width) {
  MVM_TRY(uint64_t n, Number(ts, width));
  if (n > INT64_MAX) {
    return Raise(ts, Exc::kOverflowError, "BINBYTES exceeds system's maximum size of %lld bytes",
                 static_cast<long long>(INT64_MAX));
  }
  if (n > INT64_MAX - 64) return Raise(ts, Exc::kOverflowError, "byte string is too large");
  MVM_TRY(Ref<BytesObject> bytes, input.TakeBytes(ts, n));
  return Push(ts, std::move(bytes));
}

Status UnpicklerCore::LoadBytearray(ThreadState& ts) {
  MVM_TRY(uint64_t n, Number(ts, 8));
  if (n > INT64_MAX) {
    return Raise(ts, Exc::kOverflowError, "BYTEARRAY8 exceeds system's maximum size of %lld bytes",
                 static_cast<long long>(INT64_MAX));
  }
  if (n > INT64_MAX - 64) return RaiseMemoryError(ts);
  MVM_TRY(Ref<BytesObject> bytes, input.TakeBytes(ts, n));
  MVM_TRY(Ref<BytearrayObject> array, NewBytearray(ts, bytes->view()));
  return Push(ts, std::move(array));
}

// ---- containers ----

Status UnpicklerCore::LoadSmallTuple(ThreadState& ts, size_t n) {
  MVM_TRY_VOID(Need(ts, n));
  MVM_TRY(Ref<TupleObject> t, NewTuple(ts, {stack_ + size_ - n, n}));
  Truncate(size_ - n);
  return Push(ts, std::move(t));
}

Status UnpicklerCore::LoadList(ThreadState& ts) {
  MVM_TRY(size_t start, PopMark(ts));
  MVM_TRY(Ref<ListObject> list, NewList(ts, {stack_ + start, size_ - start}));
  Truncate(start);
  return Push(ts, std::move(list));
}

Status UnpicklerCore::LoadDict(ThreadState& ts) {
  MVM_TRY(size_t start, PopMark(ts));
  if ((size_ - start) % 2 != 0) return RaiseUnpickling(ts, "odd number of items for DICT");
  MVM_TRY(Ref<DictObject> d, NewDict(ts, (size_ - start) / 2));
  for (size_t i = start; i < size_; i += 2) {
    MVM_TRY_VOID(DictSet(ts, d, stack_[i], stack_[i + 1]));
    MVM_TRY_VOID(Charge(ts, 1));
  }
  Truncate(start);
  return Push(ts, std::move(d));
}

Status UnpicklerCore::LoadAppends(ThreadState& ts, size_t start) {
  if (start < Fence() + 1) {
    return RaiseUnpickling(ts, "%s", mark_count_ ? "unexpected MARK found" : kUnderflow);
  }
  const size_t n = size_ - start;
  if (n == 0) return Ok();
  const Ref<> target = Ref<>::Borrow(stack_[start - 1]);
  if (MVM_LIKELY(IsExact(target, TypeId::kList))) {
    ListObject* list = target.as<ListObject>();
    if (list->capacity - list->size < n) MVM_TRY_VOID(ListGrow(ts, list, list->size + n));
    // The references move.
    std::memcpy(list->items + list->size, stack_ + start, n * sizeof(Value));
    list->size += n;
    size_ = start;
    return Charge(ts, static_cast<int64_t>(n / 8));
  }
  MVM_TRY(Ref<> extend, GetAttrOptional(ts, target, "extend"));
  if (!extend.is_absent()) {
    MVM_TRY(Ref<ListObject> items, NewList(ts, {stack_ + start, n}));
    Truncate(start);
    MVM_TRY_VOID(Call(ts, extend, items));
    return Ok();
  }
  MVM_TRY(Ref<> append, GetAttr(ts, target, "append"));
  for (size_t i = start; i < size_; ++i) {
    const Ref<> item = Ref<>::Borrow(stack_[i]);
    MVM_TRY_VOID(Call(ts, append, item));
    MVM_TRY_VOID(Charge(ts, 1));
  }
  Truncate(start);
  return Ok();
}

Status UnpicklerCore::LoadSetItems(ThreadState& ts, size_t start) {
  if (start < Fence() + 1) {
    return RaiseUnpickling(ts, "%s", mark_count_ ? "unexpected MARK found" : kUnderflow);
  }
  if (size_ == start) return Ok();
  if ((size_ - start) % 2 != 0) return RaiseUnpickling(ts, "odd number of items for SETITEMS");
  const Ref<> target = Ref<>::Borrow(stack_[start - 1]);
  const bool dict = IsExactDict(target);
  for (size_t i = start; i + 1 < size_; i += 2) {
    const Ref<> key = Ref<>::Borrow(stack_[i]), value = Ref<>::Borrow(stack_[i + 1]);
    MVM_TRY_VOID(dict ? DictSet(ts, target.as<DictObject>(), key, value)
                      : SetItem(ts, target, key, value));
    MVM_TRY_VOID(Charge(ts, 1));
  }
  Truncate(start);
  return Ok();
}

Status UnpicklerCore::LoadAddItems(ThreadState& ts) {
  MVM_TRY(size_t start, PopMark(ts));
  if (start < Fence() + 1) {
    return RaiseUnpickling(ts, "%s", mark_count_ ? "unexpected MARK found" : kUnderflow);
  }
  if (size_ == start) return Ok();
  const Ref<> target = Ref<>::Borrow(stack_[start - 1]);
  const bool set = IsInstance(ts, target, TypeById(ts, TypeId::kSet));
  Ref<> add;
  if (!set) {
    MVM_TRY(add, GetAttr(ts, target, "add"));
  }
  for (size_t i = start; i < size_; ++i) {
    const Ref<> item = Ref<>::Borrow(stack_[i]);
    if (set) {
      MVM_TRY_VOID(SetAdd(ts, target.as<SetObject>(), item));
    } else {
      MVM_TRY_VOID(Call(ts, add, item));
    }
    MVM_TRY_VOID(Charge(ts, 1));
  }
  Truncate(start);
  return Ok();
}

Status UnpicklerCore::LoadFrozenset(ThreadState& ts) {
  MVM_TRY(size_t start, PopMark(ts));
  MVM_TRY(Ref<TupleObject> items, PopTuple(ts, start));
  MVM_TRY(Ref<SetObject> set, NewFrozenset(ts, items));
  return Push(ts, std::move(set));
}

// ---- the rest ----

// GET and PUT: the number as a line of text.
Status UnpicklerCore::LoadNumberedLine(ThreadState& ts, uint8_t op) {
  std::string_view line;
  MVM_TRY_VOID(input.TakeLine(ts, &line));
  if (line.size() < 2) return RaiseTruncated(ts);
  if (op == kPut) MVM_TRY_VOID(Need(ts, 1));
  MVM_TRY(Ref<> number, IntOfLine(ts, line, 10));
  int64_t n;
  if (!IntFitsInt64(number, &n)) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C ssize_t");
  }
  if (op == kGet) return MemoGet(ts, n);
  if (n < 0) return Raise(ts, Exc::kValueError, "negative PUT argument");
  return MemoPut(ts, static_cast<uint64_t>(n));
}

Status UnpicklerCore::LoadFrame(ThreadState& ts) {
  MVM_TRY(uint64_t n, Number(ts, 8));
  if (n > INT64_MAX) {
    return Raise(ts, Exc::kOverflowError, "FRAME length exceeds system's maximum of %lld bytes",
                 static_cast<long long>(INT64_MAX));
  }
  return input.EnterFrame(ts, n);
}

Status UnpicklerCore::LoadNextBuffer(ThreadState& ts) {
  if (!buffers_) {
    return RaiseUnpickling(
        ts, "pickle stream refers to out-of-band data but no *buffers* argument was given");
  }
  MVM_TRY(Ref<> buffer, Next(ts, Ref<>(buffers_)));
  if (buffer.is_done()) return RaiseUnpickling(ts, "not enough out-of-band buffers");
  return Push(ts, std::move(buffer));
}

Status UnpicklerCore::LoadReadonlyBuffer(ThreadState& ts) {
  MVM_TRY_VOID(Need(ts, 1));
  const Ref<> buffer = Ref<>::Borrow(stack_[size_ - 1]);
  MVM_TRY(Ref<MemoryviewObject> view, NewMemoryview(ts, buffer));
  if (view->readonly) return Ok();
  MVM_TRY(Ref<> readonly, CallMethod(ts, view, Ref<StrObject>(InternUtf8(ts, "toreadonly"))));
  MVM_TRY_VOID(Need(ts, 1));
  const Ref<> old = Ref<>::Steal(std::exchange(stack_[size_ - 1], readonly.Release()));
  return Ok();
}

}  // namespace minivm::pickle

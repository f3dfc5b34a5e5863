// BufferedRWPair: a reader and a writer as one stream (sockets, pipes).
#include "runtime/native/native_function.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/io/io_types.h"

namespace minivm::io {

namespace {

BufferedPairObject* Self(Value v) { return v.as<BufferedPairObject>(); }

Status CheckPair(ThreadState& ts, BufferedPairObject* p) {
  if (!p->reader.is_null() && !p->writer.is_null()) return Ok();
  return Raise(ts, Exc::kValueError, "I/O operation on uninitialized object");
}

Result<> pair_init(ThreadState& ts, Args args) {
  MVM_TRY(bool readable, AskStream(ts, args[1], "readable"));
  if (!readable) return RaiseUnsupported(ts, "File or stream is not readable.");
  MVM_TRY(bool writable, AskStream(ts, args[2], "writable"));
  if (!writable) return RaiseUnsupported(ts, "File or stream is not writable.");
  MVM_TRY(TypeObject * reader_type, TypeForSpec(ts, kBufferedReaderType));
  MVM_TRY(TypeObject * writer_type, TypeForSpec(ts, kBufferedWriterType));
  MVM_TRY(Ref<> reader, Call(ts, Value(reader_type), args[1], args[3]));
  MVM_TRY(Ref<> writer, Call(ts, Value(writer_type), args[2], args[3]));
  Decref(std::exchange(Self(args[0])->reader, reader.Release()));
  Decref(std::exchange(Self(args[0])->writer, writer.Release()));
  return None(ts);
}

enum PairMethod { kPeek, kRead, kRead1, kReadinto, kReadinto1, kReadable };
template <PairMethod kWhich>
Result<> pair_reader(ThreadState& ts, Args args) {
  static constexpr const char* kNames[] = {"peek",     "read",      "read1",
                                           "readinto", "readinto1", "readable"};
  MVM_TRY_VOID(CheckPair(ts, Self(args[0])));
  return CallNamed(ts, Self(args[0])->reader, kNames[kWhich], {args.v + 1, args.n - 1});
}
template <int kWhich>
Result<> pair_writer(ThreadState& ts, Args args) {
  static constexpr const char* kNames[] = {"write", "flush", "writable"};
  MVM_TRY_VOID(CheckPair(ts, Self(args[0])));
  return CallNamed(ts, Self(args[0])->writer, kNames[kWhich], {args.v + 1, args.n - 1});
}

Result<> pair_close(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckPair(ts, Self(args[0])));
  Result<> first = CallNamed(ts, Self(args[0])->writer, "close");
  Ref<> error;
  if (first.raised()) {
    error = TakePending(ts);
  } else {
    Ref<> dropped = first.Take();
  }
  Result<> second = CallNamed(ts, Self(args[0])->reader, "close");
  if (second.raised()) {
    if (error && IsException(ts, ts.pending)) {
      ExceptionObject* e = ts.pending.as<ExceptionObject>();
      if (e->context.is_null() && !ts.pending.is(error)) e->context = error.Release();
    }
    return kRaised;
  }
  Ref<> dropped = second.Take();
  if (error) {
    RestorePending(ts, std::move(error));
    return kRaised;
  }
  return None(ts);
}

Result<> pair_isatty(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckPair(ts, Self(args[0])));
  MVM_TRY(bool tty, AskStream(ts, Self(args[0])->writer, "isatty"));
  if (tty) return Bool(ts, true);
  return CallNamed(ts, Self(args[0])->reader, "isatty");
}

Result<> pair_get_closed(ThreadState& ts, Value self) {
  if (Self(self)->writer.is_null()) {
    return Raise(ts, Exc::kRuntimeError, "the BufferedRWPair object is being garbage-collected");
  }
  const Ref<> writer = Ref<>::Borrow(Self(self)->writer);
  return GetAttr(ts, writer, "closed");
}

const MethodSpec kMethods[] = {
    {"close(self, /)", pair_close},
    {"flush(self, /)", pair_writer<1>},
    {"isatty(self, /)", pair_isatty},
    {"peek(self, size=0, /)", pair_reader<kPeek>},
    {"read(self, size=-1, /)", pair_reader<kRead>},
    {"read1(self, size=-1, /)", pair_reader<kRead1>},
    {"readable(self, /)", pair_reader<kReadable>},
    {"readinto(self, buffer, /)", pair_reader<kReadinto>},
    {"readinto1(self, buffer, /)", pair_reader<kReadinto1>},
    {"writable(self, /)", pair_writer<2>},
    {"write(self, buffer, /)", pair_writer<0>},
};
const GetSetSpec kGetSets[] = {{"closed", pair_get_closed}};

}  // namespace

const TypeSpec kBufferedRwPairType = {
    .name = "_io.BufferedRWPair",
    .doc =
        "A reader and a writer on two raw streams, as one object; each with a buffer of its own.",
    .base = &kBufferedIoBaseType,
    .flags = kTypeBase,
    .size = sizeof(BufferedPairObject),
    .gc = GcHooksOf<BufferedPairObject>(),
    .init = {"BufferedRWPair(self, reader, writer, buffer_size=8192, /)", pair_init},
    .methods = kMethods,
    .getsets = kGetSets,
};

}  // namespace minivm::io

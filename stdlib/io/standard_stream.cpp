// The streams that a VM starts with, for sys: part by part, without a call of the types, so that
// the dictionaries of the types are left to the first script that uses a stream.
#include <unistd.h>

#include <algorithm>

#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/io/io_types.h"

namespace minivm::io {

namespace {

Result<> io_standard_stream(ThreadState& ts, Args args) {
  static constexpr const char* kNames[] = {"<stdin>", "<stdout>", "<stderr>"};
  MVM_TRY(int64_t fd, AsInt64(ts, args[0]));
  if (fd < 0 || fd > 2) return Raise(ts, Exc::kValueError, "not a standard stream");
  MVM_TRY_VOID(ExpectStr(ts, args[1], "_standard_stream() argument 'encoding'"));
  MVM_TRY_VOID(ExpectStr(ts, args[2], "_standard_stream() argument 'errors'"));
  MVM_TRY(bool unbuffered, Truth(ts, args[3]));
  const bool write = fd != 0;
  MVM_TRY(TypeObject * file_type, TypeForSpec(ts, kFileIoType));
  MVM_TRY(Ref<> raw, file_type->slots.new_(ts, file_type, Args{nullptr, 0}));
  FileIoObject* file = raw.as<FileIoObject>();
  MVM_TRY_VOID(OpenFile(ts, file, args[0], write ? "w" : "r", false, Value()));
  MVM_TRY(Ref<StrObject> name, NewStr(ts, kNames[fd]));
  MVM_TRY_VOID(EnterAttribute(ts, raw, kFileIoType, MVM_NAME(ts, name), name));
  Ref<> buffer = raw;
  // Unbuffered reading would lose what reads ahead; only writing is.
  if (!unbuffered || !write) {
    MVM_TRY(buffer, NewBuffered(ts, write ? kBufferedWriterType : kBufferedReaderType, raw,
                                std::max(file->block_size, kOpenBufferSize)));
  }
  MVM_TRY(Ref<StrObject> newline, NewStr(ts, "\n"));
  const bool by_line = write && (fd == 2 || unbuffered || ::isatty(static_cast<int>(fd)));
  auto flag = [&ts](bool b) { return Value(b ? ts.rt->true_ : ts.rt->false_); };
  const Value parts[] = {buffer,        args[1],
                         args[2],       write ? Value(newline.get()) : Value(ts.rt->none),
                         flag(by_line), flag(unbuffered && write)};
  MVM_TRY(Ref<> stream, NewTextStream(ts, parts));
  MVM_TRY(Ref<StrObject> mode, NewStr(ts, write ? "w" : "r"));
  MVM_TRY(Ref<StrObject> mode_name, InternUtf8(ts, "mode"));
  MVM_TRY_VOID(EnterAttribute(ts, stream, kTextIoWrapperType, mode_name, mode));
  return stream;
}

}  // namespace

const MethodSpec kStandardStream = {
    "_standard_stream(fd, encoding, errors, unbuffered, /)", io_standard_stream,
    "The text stream that sys.stdin (0), sys.stdout (1) or sys.stderr (2) is at the start."};

}  // namespace minivm::io

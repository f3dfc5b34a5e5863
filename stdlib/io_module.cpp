// _io: the module and open(). The types are in stdlib/io/.
#include "runtime/native/type_spec.h"

#include <unistd.h>

#include <algorithm>
#include <climits>

#include "runtime/native/native_function.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/fs_path.h"
#include "stdlib/io/io_types.h"

namespace minivm {

namespace io {

namespace {

struct OpenMode {
  std::string raw;  // for FileIO
  bool reading = false, writing = false, updating = false, text = false, binary = false,
       create = false, append = false;
};

Status ParseOpenMode(ThreadState& ts, StrObject* mode, OpenMode* out) {
  std::string text = ToUtf8(mode);
  for (size_t i = 0; i < text.size(); ++i) {
    bool known = true;
    switch (text[i]) {
      case 'x': out->create = out->writing = true; break;
      case 'r': out->reading = true; break;
      case 'w': out->writing = true; break;
      case 'a': out->append = out->writing = true; break;
      case '+': out->updating = true; break;
      case 't': out->text = true; break;
      case 'b': out->binary = true; break;
      default: known = false;
    }
    if (!known || text.find(text[i], i + 1) != text.npos) {
      return Raise(ts, Exc::kValueError, "invalid mode: %R", Value(mode));
    }
    if (text[i] != 't' && text[i] != 'b') out->raw.push_back(text[i]);
  }
  if (out->text && out->binary)
    return Raise(ts, Exc::kValueError, "can't have text and binary mode at once");
  int kinds = (text.find('x') != text.npos) + (text.find('r') != text.npos) +
              (text.find('w') != text.npos) + (text.find('a') != text.npos);
  if (kinds != 1) {
    return Raise(ts, Exc::kValueError, "must have exactly one of create/read/write/append mode");
  }
  return Ok();
}

}  // namespace

Result<> OpenStream(ThreadState& ts, Args args) {
  // open(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True,
  // opener=None)
  Value encoding = args[3], errors = args[4], newline = args[5];
  Ref<> file = Ref<>::Borrow(args[0]);
  if (TypeOf(ts, file)->operators->index == nullptr) {
    MVM_TRY(file, Fspath(ts, file));
  }
  if (!IsStr(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "open() argument 'mode' must be str, not %T", args[1]);
  const char* const kTextArguments[] = {"encoding", "errors", "newline"};
  for (int i = 0; i < 3; ++i) {
    if (!IsNone(ts, args[3 + i]) && !IsStr(ts, args[3 + i])) {
      return Raise(ts, Exc::kTypeError, "open() argument '%s' must be str or None, not %T",
                   kTextArguments[i], args[3 + i]);
    }
  }
  MVM_TRY(int64_t buffering, AsInt64(ts, args[2]));
  MVM_TRY(bool close_fd, Truth(ts, args[6]));
  OpenMode mode;
  MVM_TRY_VOID(ParseOpenMode(ts, args.as<StrObject>(1), &mode));
  if (mode.binary) {
    for (int i = 0; i < 3; ++i) {
      if (!IsNone(ts, args[3 + i])) {
        return Raise(ts, Exc::kValueError, "binary mode doesn't take %s %s argument",
                     i == 2 ? "a" : "an", kTextArguments[i]);
      }
    }
    if (buffering == 1) {
      MVM_TRY_VOID(Warn(ts, Exc::kRuntimeWarning, 1,
                        "line buffering (buffering=1) isn't supported in binary mode, the default "
                        "buffer size will "
                        "be used"));
    }
  }
  if (buffering < -1) return Raise(ts, Exc::kValueError, "invalid buffering size");
  MVM_TRY(TypeObject * file_type, TypeForSpec(ts, kFileIoType));
  MVM_TRY(Ref<> raw, file_type->slots.new_(ts, file_type, Args{nullptr, 0}));
  MVM_TRY_VOID(OpenFile(ts, raw.as<FileIoObject>(), file, mode.raw, close_fd, args[7]));
  Ref<> outer = raw;  // the outermost stream so far: what is closed on an error
  auto finish = [&]() -> Result<> {
    bool line_buffering = false;
    int fd = raw.as<FileIoObject>()->fd;
    if (buffering == 1 || (buffering < 0 && ::isatty(fd))) {
      buffering = -1;
      line_buffering = !mode.binary;
    }
    if (buffering < 0) buffering = std::max(raw.as<FileIoObject>()->block_size, kOpenBufferSize);
    if (buffering == 0) {
      if (!mode.binary) return Raise(ts, Exc::kValueError, "can't have unbuffered text I/O");
      return Result<>::Borrow(raw);
    }
    const TypeSpec& spec = mode.updating  ? kBufferedRandomType
                           : mode.writing ? kBufferedWriterType
                                          : kBufferedReaderType;
    MVM_TRY(Ref<> buffer, NewBuffered(ts, spec, raw, buffering));
    if (mode.binary) return buffer;
    outer = buffer;
    const Value parts[] = {buffer,
                           encoding,
                           errors,
                           newline,
                           Value(line_buffering ? ts.rt->true_ : ts.rt->false_),
                           ts.rt->false_};
    MVM_TRY(Ref<> text, NewTextStream(ts, parts));
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "mode"));
    MVM_TRY_VOID(EnterAttribute(ts, text, kTextIoWrapperType, name, args[1]));
    return text;
  };
  Result<> result = finish();
  if (!result.raised()) return result;
  // The descriptor is not left to the collector.
  Ref<> error = TakePending(ts);
  Result<> closed = CallMethod(ts, outer, MVM_NAME(ts, close));
  if (closed.raised()) {
    ClearPending(ts);
  } else {
    Ref<> dropped = closed.Take();
  }
  RestorePending(ts, std::move(error));
  return kRaised;
}

namespace {

Result<> io_open_code(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[0]))
    return Raise(ts, Exc::kTypeError, "open_code() argument 'path' must be str, not %T", args[0]);
  MVM_TRY(Ref<StrObject> mode, NewStr(ts, "rb"));
  Value none = ts.rt->none;
  Value all[] = {args[0], Value(mode.get()), Value::Int(-1), none, none, none, ts.rt->true_, none};
  return OpenStream(ts, Args{all, 8});
}

Result<> io_text_encoding(ThreadState& ts, Args args) {
  if (!IsNone(ts, args[0])) return Result<>::Borrow(args[0]);
  MVM_TRY(int64_t stack_level, AsInt64(ts, args[1]));
  MVM_TRY_VOID(
      WarnOfDefaultEncoding(ts, static_cast<int>(std::clamp<int64_t>(stack_level, 0, INT_MAX))));
  MVM_TRY(Ref<> flags, GetAttr(ts, Value(ts.rt->sys), "flags"));
  MVM_TRY(Ref<> utf8, GetAttr(ts, flags, "utf8_mode"));
  MVM_TRY(bool utf8_mode, Truth(ts, utf8));
  return NewStr(ts, utf8_mode ? "utf-8" : "locale");
}

Status ExecModule(ThreadState& ts, ModuleObject* module) {
  return ModuleAdd(ts, module, "BlockingIOError", Value(ExcType(ts, Exc::kBlockingIOError)));
}

const MethodSpec kFunctions[] = {
    {"open(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, "
     "opener=None)",
     OpenStream,
     "The stream of a file by path or descriptor. OSError if it cannot be opened.\n"
     "\n"
     "mode: r read, w empty and write, x create or fail, a write at the end; + the other as well; "
     "b bytes.\n"
     "buffering: a size in bytes; 0 none (bytes only), 1 by line (text only). encoding, errors and "
     "newline are for text.\n"
     "opener(path, flags) makes the descriptor."},
    {"open_code(path)", io_open_code,
     "The file of a path, open in mode rb, as code to be run is read."},
    {"text_encoding(encoding, stacklevel=2, /)", io_text_encoding,
     "The encoding if there is one, else \"locale\", or \"utf-8\" in UTF-8 mode; with a warning "
     "where that is asked for."},
};

Result<> StandardStreamFunction(ThreadState& ts) {
  return NewNativeFunction(ts, kStandardStream, Value(), false, nullptr);
}
const LateSpec kLate[] = {{"_standard_stream", StandardStreamFunction}};

const TypeSpec* const kTypes[] = {
    &kIoBaseType,         &kRawIoBaseType,      &kBufferedIoBaseType,       &kTextIoBaseType,
    &kFileIoType,         &kBytesIoType,        &kBytesIoBufferType,        &kBufferedReaderType,
    &kBufferedWriterType, &kBufferedRandomType, &kBufferedRwPairType,       &kTextIoWrapperType,
    &kStringIoType,       &kNewlineDecoderType, &kUnsupportedOperationType,
};
const ConstantSpec kConstants[] = {{"DEFAULT_BUFFER_SIZE", ConstantSpec::kInt, kDefaultBufferSize}};

}  // namespace

}  // namespace io

extern const ModuleSpec k__io_module;
const ModuleSpec k__io_module = {
    .name = "_io",
    .doc = "Streams: files, and memory that behaves like files.",
    .functions = io::kFunctions,
    .types = io::kTypes,
    .constants = io::kConstants,
    .exec = io::ExecModule,
    .late = io::kLate,
    .late_members = true,
};

}  // namespace minivm

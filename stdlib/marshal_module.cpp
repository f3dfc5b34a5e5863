// marshal: the format in which CPython keeps constants, read and written here for data.
#include <new>

#include "runtime/objects/bytes_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/marshal/marshal.h"

namespace minivm {
namespace {

Result<BytesObject> Dump(ThreadState& ts, Value v, Value version, Value allow_code) {
  MVM_TRY(int64_t n, AsInt64(ts, version));
  MVM_TRY(bool code, Truth(ts, allow_code));
  try {
    MarshalWriter writer(ts, n > 1000 ? 1000 : static_cast<int>(n < 0 ? 0 : n), code);
    MVM_TRY_VOID(writer.Write(v));
    return NewBytes(ts, writer.data());
  } catch (const std::bad_alloc&) {
    return RaiseMemoryError(ts);
  }
}

Result<> marshal_dumps(ThreadState& ts, Args args) { return Dump(ts, args[0], args[1], args[2]); }

Result<> marshal_dump(ThreadState& ts, Args args) {
  MVM_TRY(Ref<BytesObject> bytes, Dump(ts, args[0], args[2], args[3]));
  return CallMethod(ts, args[1], MVM_NAME(ts, write), bytes);
}

Result<> marshal_loads(ThreadState& ts, Args args) {
  MVM_TRY(bool code, Truth(ts, args[1]));
  BufferView view;
  MVM_TRY_VOID(GetBuffer(ts, args[0], &view, false));
  std::string data;
  Status room = CheckRoom(ts, static_cast<size_t>(view.size));
  try {
    if (!room.raised()) {
      data.resize(static_cast<size_t>(view.size));
      CopyBuffer(view, reinterpret_cast<uint8_t*>(data.data()));
    }
    view.Release();
    if (room.raised()) return kRaised;
    MarshalReader reader(ts, std::string_view(data), code);
    return reader.ReadObject();
  } catch (const std::bad_alloc&) {
    return RaiseMemoryError(ts);
  }
}

Result<> marshal_load(ThreadState& ts, Args args) {
  MVM_TRY(bool code, Truth(ts, args[1]));
  // Is it a file of bytes at all?
  MVM_TRY(Ref<> nothing, CallMethod(ts, args[0], MVM_NAME(ts, read), Value::Int(0)));
  if (!IsBytes(ts, nothing)) {
    return Raise(ts, Exc::kTypeError, "file.read() returned not bytes but %T", nothing.get());
  }
  try {
    MarshalReader reader(ts, args[0], code);
    return reader.ReadObject();
  } catch (const std::bad_alloc&) {
    return RaiseMemoryError(ts);
  }
}

const MethodSpec kFunctions[] = {
    {"dump(value, file, version=4, /, *, allow_code=True)", marshal_dump,
     "Write what dumps() gives to a binary file."},
    {"dumps(value, version=4, /, *, allow_code=True)", marshal_dumps,
     "A value of built-in types as bytes, for load() of the same version; ValueError for any "
     "other. Code needs allow_code."},
    {"load(file, /, *, allow_code=True)", marshal_load,
     "Read one value from a binary file. EOFError where it ends too early; only data to be "
     "trusted."},
    {"loads(bytes, /, *, allow_code=True)", marshal_loads,
     "The value that dumps() has written; bytes behind it do not matter. Only data to be trusted."},
};

const ConstantSpec kConstants[] = {{"version", ConstantSpec::kInt, kMarshalVersion}};

}  // namespace

extern const ModuleSpec k_marshal_module;
const ModuleSpec k_marshal_module = {
    .name = "marshal", .functions = kFunctions, .constants = kConstants};

}  // namespace minivm

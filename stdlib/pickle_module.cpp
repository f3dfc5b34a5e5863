// _pickle: the functions of module pickle; the machines are in stdlib/pickle.
#include <cstdarg>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/module_object.h"
#include "stdlib/pickle/pickler.h"
#include "stdlib/pickle/unpickler.h"

namespace minivm {

namespace pickle {

// ---- what the parts share ----

Result<> ImportedName(ThreadState& ts, std::string_view module, std::string_view name) {
  if (!ts.rt->hooks.import_module) return Raise(ts, Exc::kImportError, "import is not available");
  MVM_TRY(Ref<> m, ts.rt->hooks.import_module(ts, module));
  return GetAttr(ts, m, name);
}

Result<DictObject> ImportedDict(ThreadState& ts, std::string_view module, std::string_view name) {
  MVM_TRY(Ref<> v, ImportedName(ts, module, name));
  if (IsExactDict(v)) return std::move(v).Into<DictObject>();
  return Raise(ts, Exc::kRuntimeError, "%.*s.%.*s should be a dict, not %T",
               static_cast<int>(module.size()), module.data(), static_cast<int>(name.size()),
               name.data(), v.get());
}

Result<TupleObject> Pair(ThreadState& ts, Value a, Value b) {
  const Value both[] = {a, b};
  return NewTuple(ts, both);
}

namespace {

Raised RaiseOwn(ThreadState& ts, std::string_view name, const char* format, va_list args) {
  Result<StrObject> text = FormatV(ts, format, args);
  if (text.raised()) return kRaised;
  const Ref<StrObject> message = text.Take();
  MVM_TRY(Ref<> type, ImportedName(ts, "_pickle", name));
  MVM_TRY(Ref<> exception, Call(ts, type, message));
  return RaiseObject(ts, exception);
}

}  // namespace

Raised RaisePickling(ThreadState& ts, const char* format, ...) {
  va_list args;
  va_start(args, format);
  const Raised raised = RaiseOwn(ts, "PicklingError", format, args);
  va_end(args);
  return raised;
}

Raised RaiseUnpickling(ThreadState& ts, const char* format, ...) {
  va_list args;
  va_start(args, format);
  const Raised raised = RaiseOwn(ts, "UnpicklingError", format, args);
  va_end(args);
  return raised;
}

Result<int> ProtocolArgument(ThreadState& ts, Value v) {
  if (v.is_absent() || IsNone(ts, v)) return kDefaultProtocol;
  MVM_TRY(int64_t n, AsInt64(ts, v));
  if (n < 0) return kHighestProtocol;
  if (n > kHighestProtocol) {
    return Raise(ts, Exc::kValueError, "pickle protocol must be <= %d", kHighestProtocol);
  }
  return static_cast<int>(n);
}

// ---- functions ----

Result<> pickle_dumps(ThreadState& ts, Args args) {
  PicklerCore core;
  MVM_TRY_VOID(core.Configure(ts, args[1], args[2], args[3]));
  MVM_TRY_VOID(core.Dump(ts, args[0]));
  return NewBytes(ts, core.out.view());
}

Result<> pickle_dump(ThreadState& ts, Args args) {
  PicklerCore core;
  MVM_TRY_VOID(core.Configure(ts, args[2], args[3], args[4]));
  MVM_TRY(Ref<> write, GetAttrOptional(ts, args[1], MVM_NAME(ts, write)));
  if (write.is_absent()) {
    return Raise(ts, Exc::kTypeError, "file must have a 'write' attribute");
  }
  core.out.write = std::move(write);
  MVM_TRY_VOID(core.Dump(ts, args[0]));
  return None(ts);
}

Result<> pickle_loads(ThreadState& ts, Args args) {
  UnpicklerCore core;
  MVM_TRY_VOID(core.input.SetBuffer(ts, args[0]));
  MVM_TRY_VOID(core.Configure(ts, args[1], args[2], args[3], args[4]));
  return core.Load(ts);
}

Result<> pickle_load(ThreadState& ts, Args args) {
  UnpicklerCore core;
  MVM_TRY_VOID(core.input.SetFile(ts, args[0]));
  MVM_TRY_VOID(core.Configure(ts, args[1], args[2], args[3], args[4]));
  return core.Load(ts);
}

namespace {

// class PickleError(Exception) and the two derived from it
Status ExecModule(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<StrObject> module_name, InternUtf8(ts, "_pickle"));
  Ref<TypeObject> root = Ref<TypeObject>::Borrow(ExcType(ts, Exc::kException));
  for (const char* text : {"PickleError", "PicklingError", "UnpicklingError"}) {
    const Value base = root;
    MVM_TRY(Ref<TupleObject> bases, NewTuple(ts, {&base, 1}));
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, text));
    MVM_TRY(Ref<DictObject> ns, NewDict(ts));
    MVM_TRY_VOID(DictSetStr(ts, ns, MVM_NAME(ts, __module__), module_name));
    MVM_TRY(Ref<TypeObject> type, NewHeapType(ts, TypeById(ts, TypeId::kType), name, bases, ns));
    MVM_TRY_VOID(ModuleAdd(ts, module, text, type));
    if (base.is(ExcType(ts, Exc::kException))) root = std::move(type);
  }
  return Ok();
}

const MethodSpec kFunctions[] = {
    {"dump(obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)", pickle_dump,
     "Write the pickle of an object to a binary file.\n\nThe arguments are those of Pickler."},
    {"dumps(obj, protocol=None, *, fix_imports=True, buffer_callback=None)", pickle_dumps,
     "The pickle of an object, as bytes.\n\nThe arguments are those of Pickler."},
    {"load(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())", pickle_load,
     "The object that is made from the next pickle in a binary file.\n\nThe arguments are those "
     "of Unpickler."},
    {"loads(data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())",
     pickle_loads,
     "The object that is made from a pickle in bytes; what follows the pickle does not matter.\n\n"
     "The arguments are those of Unpickler."},
};
const TypeSpec* const kTypes[] = {&kPicklerType, &kUnpicklerType, &kPickleBufferType};

}  // namespace

}  // namespace pickle

extern const ModuleSpec k__pickle_module;
const ModuleSpec k__pickle_module = {
    .name = "_pickle",
    .doc = "The machines of pickle, which write and read pickles.",
    .functions = pickle::kFunctions,
    .types = pickle::kTypes,
    .exec = pickle::ExecModule,
};

}  // namespace minivm

// The module _multiprocessing: what the package multiprocessing cannot say in the language.
//
// Semaphores are in multiprocessing/semlock.cpp, messages in multiprocessing/frames.cpp, those of
// pipes with several readers and writers in multiprocessing/pipe_guard.cpp.
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include "runtime/native/native_function.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/multiprocessing/multiprocessing_types.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

Status SharedName(ThreadState& ts, Value v, const char* function, std::string* out) {
  if (!IsStr(ts, v)) {
    return Raise(ts, Exc::kTypeError, "%s() argument 1 must be str, not %T", function, v);
  }
  *out = ToUtf8(v.as<StrObject>());
  if (out->find('\0') != std::string::npos) {
    return Raise(ts, Exc::kValueError, "embedded null character");
  }
  return Ok();
}

namespace {

Result<> multiprocessing_sem_unlink(ThreadState& ts, Args args) {
  std::string name;
  MVM_TRY_VOID(SharedName(ts, args[0], "sem_unlink", &name));
  if (sem_unlink(name.c_str()) < 0) return RaiseErrno(ts, errno);
  return None(ts);
}

// The system tells, as it does of input that may be read without waiting.
Result<> multiprocessing_end_with(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETOWN, getpid()) < 0 || fcntl(fd, F_SETSIG, SIGTERM) < 0 ||
      fcntl(fd, F_SETFL, flags | O_ASYNC) < 0) {
    return RaiseErrno(ts, errno);
  }
  struct pollfd row = {fd, POLLIN, 0};
  if (poll(&row, 1, 0) > 0) kill(getpid(), SIGTERM);
  return None(ts);
}

Result<> multiprocessing_prepare(ThreadState& ts, Args args) {
  for (Value f : args[0].as<TupleObject>()->span()) {
    if (IsExact(f, TypeId::kNativeFunction)) {
      MVM_TRY_VOID(SignatureFor(ts, f.as<NativeFunctionObject>()));
    } else if (IsExact(f, TypeId::kMethodDescriptor)) {
      MVM_TRY_VOID(SignatureFor(ts, f.as<MethodDescriptorObject>()));
    }
  }
  return None(ts);
}

const MethodSpec kFunctions[] = {
    {"_end_with(fd, /)", multiprocessing_end_with,
     "Have SIGTERM sent to this process when the other end of a pipe is closed, or has been."},
    {"_prepare(*functions)", multiprocessing_prepare,
     "Read the parameters of built-in functions, as their first call does."},
    {"_recv_frame(fd, maxlength=None, /)", multiprocessing_recv_frame,
     "The next message, as bytes; None for one longer than maxlength, whose bytes are left unread. "
     "EOFError at the end."},
    {"_send_frame(fd, data, /)", multiprocessing_send_frame, "Send bytes as a message."},
    {"sem_unlink(name, /)", multiprocessing_sem_unlink,
     "Take a semaphore's name away; it goes when the last process has closed it."},
};

const TypeSpec* const kTypes[] = {&kDescriptorsType, &kPipeGuardType, &kSemLockType};

Status exec_multiprocessing(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<DictObject> flags, NewDict(ts));
  MVM_TRY_VOID(DictSetUtf8(ts, flags, "HAVE_SEM_OPEN", Value::Int(1)));
  MVM_TRY_VOID(DictSetUtf8(ts, flags, "HAVE_SEM_TIMEDWAIT", Value::Int(1)));
  MVM_TRY_VOID(ModuleAdd(ts, module, "flags", flags));
  MVM_TRY(TypeObject * lock, TypeForSpec(ts, kSemLockType));
  MVM_TRY_VOID(TypeReady(ts, lock));
  MVM_TRY_VOID(DictSetUtf8(ts, lock->dict, "SEM_VALUE_MAX", Value::Int(SEM_VALUE_MAX)));
  return TypeModified(ts, lock, nullptr);
}

}  // namespace

extern const ModuleSpec k__multiprocessing_module;
const ModuleSpec k__multiprocessing_module = {
    .name = "_multiprocessing",
    .doc = "What multiprocessing asks of the system.",
    .functions = kFunctions,
    .types = kTypes,
    .exec = exec_multiprocessing,
};

}  // namespace minivm

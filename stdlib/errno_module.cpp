// The module errno: names of the system's error numbers.
#include <cerrno>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"

namespace minivm {

namespace {

const ConstantSpec kConstants[] = {
#define E(name) \
  { #name, ConstantSpec::kInt, name }
    E(E2BIG),           E(EACCES),       E(EADDRINUSE),   E(EADDRNOTAVAIL),   E(EADV),
    E(EAFNOSUPPORT),    E(EAGAIN),       E(EALREADY),     E(EBADE),           E(EBADF),
    E(EBADFD),          E(EBADMSG),      E(EBADR),        E(EBADRQC),         E(EBADSLT),
    E(EBFONT),          E(EBUSY),        E(ECANCELED),    E(ECHILD),          E(ECHRNG),
    E(ECOMM),           E(ECONNABORTED), E(ECONNREFUSED), E(ECONNRESET),      E(EDEADLK),
    E(EDEADLOCK),       E(EDESTADDRREQ), E(EDOM),         E(EDOTDOT),         E(EDQUOT),
    E(EEXIST),          E(EFAULT),       E(EFBIG),        E(EHOSTDOWN),       E(EHOSTUNREACH),
    E(EHWPOISON),       E(EIDRM),        E(EILSEQ),       E(EINPROGRESS),     E(EINTR),
    E(EINVAL),          E(EIO),          E(EISCONN),      E(EISDIR),          E(EISNAM),
    E(EKEYEXPIRED),     E(EKEYREJECTED), E(EKEYREVOKED),  E(EL2HLT),          E(EL2NSYNC),
    E(EL3HLT),          E(EL3RST),       E(ELIBACC),      E(ELIBBAD),         E(ELIBEXEC),
    E(ELIBMAX),         E(ELIBSCN),      E(ELNRNG),       E(ELOOP),           E(EMEDIUMTYPE),
    E(EMFILE),          E(EMLINK),       E(EMSGSIZE),     E(EMULTIHOP),       E(ENAMETOOLONG),
    E(ENAVAIL),         E(ENETDOWN),     E(ENETRESET),    E(ENETUNREACH),     E(ENFILE),
    E(ENOANO),          E(ENOBUFS),      E(ENOCSI),       E(ENODATA),         E(ENODEV),
    E(ENOENT),          E(ENOEXEC),      E(ENOKEY),       E(ENOLCK),          E(ENOLINK),
    E(ENOMEDIUM),       E(ENOMEM),       E(ENOMSG),       E(ENONET),          E(ENOPKG),
    E(ENOPROTOOPT),     E(ENOSPC),       E(ENOSR),        E(ENOSTR),          E(ENOSYS),
    E(ENOTBLK),         E(ENOTCONN),     E(ENOTDIR),      E(ENOTEMPTY),       E(ENOTNAM),
    E(ENOTRECOVERABLE), E(ENOTSOCK),     E(ENOTSUP),      E(ENOTTY),          E(ENOTUNIQ),
    E(ENXIO),           E(EOPNOTSUPP),   E(EOVERFLOW),    E(EOWNERDEAD),      E(EPERM),
    E(EPFNOSUPPORT),    E(EPIPE),        E(EPROTO),       E(EPROTONOSUPPORT), E(EPROTOTYPE),
    E(ERANGE),          E(EREMCHG),      E(EREMOTE),      E(EREMOTEIO),       E(ERESTART),
    E(ERFKILL),         E(EROFS),        E(ESHUTDOWN),    E(ESOCKTNOSUPPORT), E(ESPIPE),
    E(ESRCH),           E(ESRMNT),       E(ESTALE),       E(ESTRPIPE),        E(ETIME),
    E(ETIMEDOUT),       E(ETOOMANYREFS), E(ETXTBSY),      E(EUCLEAN),         E(EUNATCH),
    E(EUSERS),          E(EWOULDBLOCK),  E(EXDEV),        E(EXFULL),
#undef E
};

Status exec_errno(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<DictObject> codes, NewDict(ts));
  for (const ConstantSpec& c : kConstants) {
    MVM_TRY(Ref<StrObject> name, NewStr(ts, c.name));
    MVM_TRY_VOID(DictSet(ts, codes, Value::Int(c.i), Value(name.get())));
  }
  return ModuleAdd(ts, module, "errorcode", Value(codes.get()));
}

}  // namespace

extern const ModuleSpec k_errno_module;
const ModuleSpec k_errno_module = {
    .name = "errno",
    .doc = "The system's error numbers by name, and errorcode for the way back.",
    .constants = kConstants,
    .exec = exec_errno,
};

}  // namespace minivm

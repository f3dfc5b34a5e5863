// The module posix: os's native half. Its parts are in stdlib/posix/.
#include <fcntl.h>
#include <sched.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "runtime/native/native_function.h"
#include "runtime/objects/list_object.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

const ConstantSpec kConstants[] = {
#define C(name) {#name, ConstantSpec::kInt, static_cast<int64_t>(name)}
    C(F_OK), C(R_OK), C(W_OK), C(X_OK), C(O_RDONLY), C(O_WRONLY), C(O_RDWR), C(O_APPEND), C(O_ASYNC), C(O_CLOEXEC),
    C(O_CREAT), C(O_DIRECT), C(O_DIRECTORY), C(O_DSYNC), C(O_EXCL), C(O_NDELAY), C(O_NOATIME), C(O_NOCTTY),
    C(O_NOFOLLOW), C(O_NONBLOCK), C(O_PATH), C(O_RSYNC), C(O_SYNC), C(O_TMPFILE), C(O_TRUNC), C(SEEK_DATA),
    C(SEEK_HOLE), C(WNOHANG), C(WUNTRACED), C(WCONTINUED), C(WEXITED), C(WNOWAIT), C(WSTOPPED), C(P_ALL), C(P_PID),
    C(P_PGID), C(EX_OK), C(EX_USAGE), C(EX_DATAERR), C(EX_NOINPUT), C(EX_NOUSER), C(EX_NOHOST), C(EX_UNAVAILABLE),
    C(EX_SOFTWARE), C(EX_OSERR), C(EX_OSFILE), C(EX_CANTCREAT), C(EX_IOERR), C(EX_TEMPFAIL), C(EX_PROTOCOL),
    C(EX_NOPERM), C(EX_CONFIG), C(ST_RDONLY), C(ST_NOSUID), C(SCHED_OTHER), C(SCHED_FIFO), C(SCHED_RR),
    C(SCHED_BATCH), C(SCHED_IDLE), C(F_LOCK), C(F_TLOCK), C(F_ULOCK), C(F_TEST),
#undef C
    {"O_LARGEFILE", ConstantSpec::kInt, 0},
    {"POSIX_SPAWN_OPEN", ConstantSpec::kInt, 0},
    {"POSIX_SPAWN_CLOSE", ConstantSpec::kInt, 1},
    {"POSIX_SPAWN_DUP2", ConstantSpec::kInt, 2},
    {"NGROUPS_MAX", ConstantSpec::kInt, 65536},
    {"TMP_MAX", ConstantSpec::kInt, 238328},
};

Status exec_posix(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "posix"));
  for (const Table<MethodSpec>& table : {kPosixFileFunctions, kPosixProcessFunctions}) {
    for (const MethodSpec& spec : table) {
      MVM_TRY(Ref<NativeFunctionObject> f, NewNativeFunction(ts, spec, Value(module), false, name));
      std::string_view text = spec.signature;
      MVM_TRY_VOID(ModuleAdd(ts, module, text.substr(0, text.find('(')), Value(f.get())));
    }
  }
  MVM_TRY_VOID(AddPosixFileTypes(ts, module));
  MVM_TRY_VOID(AddPosixProcessTypes(ts, module));
  MVM_TRY_VOID(ModuleAdd(ts, module, "error", Value(ExcType(ts, Exc::kOSError))));
  // Names of the C functions found: os derives supports_fd and its like from them.
  MVM_TRY(Ref<ListObject> have, NewListReserve(ts, 24));
  for (const char* f : {"HAVE_FACCESSAT", "HAVE_FCHDIR", "HAVE_FCHMOD", "HAVE_FCHMODAT", "HAVE_FCHOWN", "HAVE_FCHOWNAT",
                        "HAVE_FDOPENDIR", "HAVE_FEXECVE", "HAVE_FSTATAT", "HAVE_FSTATVFS", "HAVE_FTRUNCATE", "HAVE_FUTIMENS",
                        "HAVE_LINKAT", "HAVE_LSTAT", "HAVE_MEMFD_CREATE", "HAVE_MKDIRAT", "HAVE_MKFIFOAT", "HAVE_OPENAT",
                        "HAVE_READLINKAT", "HAVE_RENAMEAT", "HAVE_SYMLINKAT", "HAVE_UNLINKAT", "HAVE_UTIMENSAT"}) {
    MVM_TRY(Ref<StrObject> s, NewStr(ts, f));
    MVM_TRY_VOID(ListAppend(ts, have, Value(s.get())));
  }
  return ModuleAdd(ts, module, "_have_functions", Value(have.get()));
}

}  // namespace

extern const ModuleSpec k_posix_module;
const ModuleSpec k_posix_module = {
    .name = "posix",
    .doc = "This module provides access to operating system functionality that is standardized by the C Standard and the "
           "POSIX standard (a thinly disguised Unix interface).",
    .constants = kConstants,
    .exec = exec_posix,
};

}  // namespace minivm

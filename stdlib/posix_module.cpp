// The module posix: os's native half. Its parts are in stdlib/posix/.
#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <sysexits.h>
#include <unistd.h>

#include "runtime/native/native_function.h"
#include "runtime/objects/list_object.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

const ConstantSpec kConstants[] = {
#define C(name) \
  { #name, ConstantSpec::kInt, static_cast < int64_t>(name) }
    C(F_OK),
    C(R_OK),
    C(W_OK),
    C(X_OK),
    C(O_RDONLY),
    C(O_WRONLY),
    C(O_RDWR),
    C(O_APPEND),
    C(O_ASYNC),
    C(O_CLOEXEC),
    C(O_CREAT),
    C(O_DIRECT),
    C(O_DIRECTORY),
    C(O_DSYNC),
    C(O_EXCL),
    C(O_NDELAY),
    C(O_NOATIME),
    C(O_NOCTTY),
    C(O_NOFOLLOW),
    C(O_NONBLOCK),
    C(O_PATH),
    C(O_RSYNC),
    C(O_SYNC),
    C(O_TMPFILE),
    C(O_TRUNC),
    C(SEEK_DATA),
    C(SEEK_HOLE),
    C(WNOHANG),
    C(WUNTRACED),
    C(WCONTINUED),
    C(WEXITED),
    C(WNOWAIT),
    C(WSTOPPED),
    C(P_ALL),
    C(P_PID),
    C(P_PGID),
    C(EX_OK),
    C(EX_USAGE),
    C(EX_DATAERR),
    C(EX_NOINPUT),
    C(EX_NOUSER),
    C(EX_NOHOST),
    C(EX_UNAVAILABLE),
    C(EX_SOFTWARE),
    C(EX_OSERR),
    C(EX_OSFILE),
    C(EX_CANTCREAT),
    C(EX_IOERR),
    C(EX_TEMPFAIL),
    C(EX_PROTOCOL),
    C(EX_NOPERM),
    C(EX_CONFIG),
    C(ST_RDONLY),
    C(ST_NOSUID),
    C(SCHED_OTHER),
    C(SCHED_FIFO),
    C(SCHED_RR),
    C(SCHED_BATCH),
    C(SCHED_IDLE),
    C(F_LOCK),
    C(F_TLOCK),
    C(F_ULOCK),
    C(F_TEST),
    C(CLD_CONTINUED),
    C(CLD_DUMPED),
    C(CLD_EXITED),
    C(CLD_KILLED),
    C(CLD_STOPPED),
    C(CLD_TRAPPED),
    C(CLONE_FILES),
    C(CLONE_FS),
    C(CLONE_NEWCGROUP),
    C(CLONE_NEWIPC),
    C(CLONE_NEWNET),
    C(CLONE_NEWNS),
    C(CLONE_NEWPID),
    C(CLONE_NEWUSER),
    C(CLONE_NEWUTS),
    C(CLONE_SIGHAND),
    C(CLONE_SYSVSEM),
    C(CLONE_THREAD),
    C(CLONE_VM),
    C(EFD_CLOEXEC),
    C(EFD_NONBLOCK),
    C(EFD_SEMAPHORE),
    C(GRND_NONBLOCK),
    C(GRND_RANDOM),
    C(MFD_ALLOW_SEALING),
    C(MFD_CLOEXEC),
    C(MFD_HUGETLB),
    C(O_ACCMODE),
    C(O_FSYNC),
    C(POSIX_FADV_DONTNEED),
    C(POSIX_FADV_NOREUSE),
    C(POSIX_FADV_NORMAL),
    C(POSIX_FADV_RANDOM),
    C(POSIX_FADV_SEQUENTIAL),
    C(POSIX_FADV_WILLNEED),
    C(PRIO_PGRP),
    C(PRIO_PROCESS),
    C(PRIO_USER),
    C(RTLD_DEEPBIND),
    C(RTLD_GLOBAL),
    C(RTLD_LAZY),
    C(RTLD_LOCAL),
    C(RTLD_NODELETE),
    C(RTLD_NOLOAD),
    C(RTLD_NOW),
    C(RWF_APPEND),
    C(RWF_DSYNC),
    C(RWF_HIPRI),
    C(RWF_NOWAIT),
    C(RWF_SYNC),
    C(SCHED_RESET_ON_FORK),
    C(SPLICE_F_MORE),
    C(SPLICE_F_MOVE),
    C(SPLICE_F_NONBLOCK),
    C(ST_APPEND),
    C(ST_MANDLOCK),
    C(ST_NOATIME),
    C(ST_NODEV),
    C(ST_NODIRATIME),
    C(ST_NOEXEC),
    C(ST_RELATIME),
    C(ST_SYNCHRONOUS),
    C(ST_WRITE),
    C(TFD_CLOEXEC),
    C(TFD_NONBLOCK),
    C(TFD_TIMER_ABSTIME),
    C(TFD_TIMER_CANCEL_ON_SET),
    C(XATTR_CREATE),
    C(XATTR_REPLACE),
#undef C
    // Numbers of the kernel that not every C library has a name for.
    {"CLONE_NEWTIME", ConstantSpec::kInt, 0x80},
    {"MFD_HUGE_SHIFT", ConstantSpec::kInt, 26},
    {"MFD_HUGE_MASK", ConstantSpec::kInt, 0x3F},
    {"MFD_HUGE_64KB", ConstantSpec::kInt, int64_t{16} << 26},
    {"MFD_HUGE_512KB", ConstantSpec::kInt, int64_t{19} << 26},
    {"MFD_HUGE_1MB", ConstantSpec::kInt, int64_t{20} << 26},
    {"MFD_HUGE_2MB", ConstantSpec::kInt, int64_t{21} << 26},
    {"MFD_HUGE_8MB", ConstantSpec::kInt, int64_t{23} << 26},
    {"MFD_HUGE_16MB", ConstantSpec::kInt, int64_t{24} << 26},
    {"MFD_HUGE_32MB", ConstantSpec::kInt, int64_t{25} << 26},
    {"MFD_HUGE_256MB", ConstantSpec::kInt, int64_t{28} << 26},
    {"MFD_HUGE_512MB", ConstantSpec::kInt, int64_t{29} << 26},
    {"MFD_HUGE_1GB", ConstantSpec::kInt, int64_t{30} << 26},
    {"MFD_HUGE_2GB", ConstantSpec::kInt, int64_t{31} << 26},
    {"MFD_HUGE_16GB", ConstantSpec::kInt, int64_t{34} << 26},
    {"P_PIDFD", ConstantSpec::kInt, 3},
    {"XATTR_SIZE_MAX", ConstantSpec::kInt, 65536},
    {"O_LARGEFILE", ConstantSpec::kInt, 0},
    {"POSIX_SPAWN_OPEN", ConstantSpec::kInt, 0},
    {"POSIX_SPAWN_CLOSE", ConstantSpec::kInt, 1},
    {"POSIX_SPAWN_DUP2", ConstantSpec::kInt, 2},
    {"POSIX_SPAWN_CLOSEFROM", ConstantSpec::kInt, 3},
    {"NGROUPS_MAX", ConstantSpec::kInt, 65536},
    {"TMP_MAX", ConstantSpec::kInt, 238328},
};

Status exec_posix(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "posix"));
  for (const Table<MethodSpec>& table :
       {kPosixConfigurationFunctions, kPosixDescriptorFunctions, kPosixDirectoryFunctions,
        kPosixFileFunctions, kPosixForkFunctions, kPosixIdentityFunctions, kPosixProcessFunctions,
        kPosixScheduleFunctions, kPosixSpecialFunctions, kPosixStatFunctions,
        kPosixTransferFunctions, kPosixXattrFunctions}) {
    for (const MethodSpec& spec : table) {
      MVM_TRY(Ref<NativeFunctionObject> f, NewNativeFunction(ts, spec, Value(module), false, name));
      std::string_view text = spec.signature;
      MVM_TRY_VOID(ModuleAdd(ts, module, text.substr(0, text.find('(')), Value(f.get())));
    }
  }
  MVM_TRY_VOID(AddPosixStatTypes(ts, module));
  MVM_TRY_VOID(AddPosixDescriptorTypes(ts, module));
  MVM_TRY_VOID(AddPosixDirectoryTypes(ts, module));
  MVM_TRY_VOID(AddPosixProcessTypes(ts, module));
  MVM_TRY_VOID(AddPosixScheduleTypes(ts, module));
  MVM_TRY_VOID(AddPosixConfiguration(ts, module));
  MVM_TRY_VOID(ModuleAdd(ts, module, "error", Value(ExcType(ts, Exc::kOSError))));
  // Names of the C functions found: os derives supports_fd and its like from them.
  MVM_TRY(Ref<ListObject> have, NewListReserve(ts, 32));
  for (const char* f :
       {"HAVE_EVENTFD",   "HAVE_FACCESSAT",    "HAVE_FCHDIR",         "HAVE_FCHMOD",
        "HAVE_FCHMODAT",  "HAVE_FCHOWN",       "HAVE_FCHOWNAT",       "HAVE_FDOPENDIR",
        "HAVE_FEXECVE",   "HAVE_FPATHCONF",    "HAVE_FSTATAT",        "HAVE_FSTATVFS",
        "HAVE_FTRUNCATE", "HAVE_FUTIMENS",     "HAVE_LCHOWN",         "HAVE_LINKAT",
        "HAVE_LSTAT",     "HAVE_MEMFD_CREATE", "HAVE_MKDIRAT",        "HAVE_MKFIFOAT",
        "HAVE_MKNODAT",   "HAVE_OPENAT",       "HAVE_PTSNAME_R",      "HAVE_READLINKAT",
        "HAVE_RENAMEAT",  "HAVE_SYMLINKAT",    "HAVE_TIMERFD_CREATE", "HAVE_UNLINKAT",
        "HAVE_UTIMENSAT"}) {
    MVM_TRY(Ref<StrObject> s, NewStr(ts, f));
    MVM_TRY_VOID(ListAppend(ts, have, Value(s.get())));
  }
  return ModuleAdd(ts, module, "_have_functions", Value(have.get()));
}

}  // namespace

extern const ModuleSpec k_posix_module;
const ModuleSpec k_posix_module = {
    .name = "posix",
    .doc = "The native half of os: the system's calls.",
    .constants = kConstants,
    .exec = exec_posix,
};

}  // namespace minivm

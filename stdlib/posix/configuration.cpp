// Configuration values of the system in the module posix: sysconf, confstr, pathconf.
#include <unistd.h>

#include "runtime/objects/dict_object.h"
#include "stdlib/fs_path.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

struct NameRow {
  const char* name;
  int value;
};
#define N(name) \
  { #name, _##name }
const NameRow kSysconfNames[] = {
    N(SC_2_CHAR_TERM),
    N(SC_2_C_BIND),
    N(SC_2_C_DEV),
    N(SC_2_C_VERSION),
    N(SC_2_FORT_DEV),
    N(SC_2_FORT_RUN),
    N(SC_2_LOCALEDEF),
    N(SC_2_SW_DEV),
    N(SC_2_UPE),
    N(SC_2_VERSION),
    N(SC_AIO_LISTIO_MAX),
    N(SC_AIO_MAX),
    N(SC_AIO_PRIO_DELTA_MAX),
    N(SC_ARG_MAX),
    N(SC_ASYNCHRONOUS_IO),
    N(SC_ATEXIT_MAX),
    N(SC_AVPHYS_PAGES),
    N(SC_BC_BASE_MAX),
    N(SC_BC_DIM_MAX),
    N(SC_BC_SCALE_MAX),
    N(SC_BC_STRING_MAX),
    N(SC_CHARCLASS_NAME_MAX),
    N(SC_CHAR_BIT),
    N(SC_CHAR_MAX),
    N(SC_CHAR_MIN),
    N(SC_CHILD_MAX),
    N(SC_CLK_TCK),
    N(SC_COLL_WEIGHTS_MAX),
    N(SC_DELAYTIMER_MAX),
    N(SC_EQUIV_CLASS_MAX),
    N(SC_EXPR_NEST_MAX),
    N(SC_FSYNC),
    N(SC_GETGR_R_SIZE_MAX),
    N(SC_GETPW_R_SIZE_MAX),
    N(SC_INT_MAX),
    N(SC_INT_MIN),
    N(SC_IOV_MAX),
    N(SC_JOB_CONTROL),
    N(SC_LINE_MAX),
    N(SC_LOGIN_NAME_MAX),
    N(SC_LONG_BIT),
    N(SC_MAPPED_FILES),
    N(SC_MB_LEN_MAX),
    N(SC_MEMLOCK),
    N(SC_MEMLOCK_RANGE),
    N(SC_MEMORY_PROTECTION),
    N(SC_MESSAGE_PASSING),
    N(SC_MINSIGSTKSZ),
    N(SC_MQ_OPEN_MAX),
    N(SC_MQ_PRIO_MAX),
    N(SC_NGROUPS_MAX),
    N(SC_NL_ARGMAX),
    N(SC_NL_LANGMAX),
    N(SC_NL_MSGMAX),
    N(SC_NL_NMAX),
    N(SC_NL_SETMAX),
    N(SC_NL_TEXTMAX),
    N(SC_NPROCESSORS_CONF),
    N(SC_NPROCESSORS_ONLN),
    N(SC_NZERO),
    N(SC_OPEN_MAX),
    N(SC_PAGESIZE),
    N(SC_PAGE_SIZE),
    N(SC_PASS_MAX),
    N(SC_PHYS_PAGES),
    N(SC_PII),
    N(SC_PII_INTERNET),
    N(SC_PII_INTERNET_DGRAM),
    N(SC_PII_INTERNET_STREAM),
    N(SC_PII_OSI),
    N(SC_PII_OSI_CLTS),
    N(SC_PII_OSI_COTS),
    N(SC_PII_OSI_M),
    N(SC_PII_SOCKET),
    N(SC_PII_XTI),
    N(SC_POLL),
    N(SC_PRIORITIZED_IO),
    N(SC_PRIORITY_SCHEDULING),
    N(SC_REALTIME_SIGNALS),
    N(SC_RE_DUP_MAX),
    N(SC_RTSIG_MAX),
    N(SC_SAVED_IDS),
    N(SC_SCHAR_MAX),
    N(SC_SCHAR_MIN),
    N(SC_SELECT),
    N(SC_SEMAPHORES),
    N(SC_SEM_NSEMS_MAX),
    N(SC_SEM_VALUE_MAX),
    N(SC_SHARED_MEMORY_OBJECTS),
    N(SC_SHRT_MAX),
    N(SC_SHRT_MIN),
    N(SC_SIGQUEUE_MAX),
    N(SC_SSIZE_MAX),
    N(SC_STREAM_MAX),
    N(SC_SYNCHRONIZED_IO),
    N(SC_THREADS),
    N(SC_THREAD_ATTR_STACKADDR),
    N(SC_THREAD_ATTR_STACKSIZE),
    N(SC_THREAD_DESTRUCTOR_ITERATIONS),
    N(SC_THREAD_KEYS_MAX),
    N(SC_THREAD_PRIORITY_SCHEDULING),
    N(SC_THREAD_PRIO_INHERIT),
    N(SC_THREAD_PRIO_PROTECT),
    N(SC_THREAD_PROCESS_SHARED),
    N(SC_THREAD_SAFE_FUNCTIONS),
    N(SC_THREAD_STACK_MIN),
    N(SC_THREAD_THREADS_MAX),
    N(SC_TIMERS),
    N(SC_TIMER_MAX),
    N(SC_TTY_NAME_MAX),
    N(SC_TZNAME_MAX),
    N(SC_T_IOV_MAX),
    N(SC_UCHAR_MAX),
    N(SC_UINT_MAX),
    N(SC_UIO_MAXIOV),
    N(SC_ULONG_MAX),
    N(SC_USHRT_MAX),
    N(SC_VERSION),
    N(SC_WORD_BIT),
    N(SC_XBS5_ILP32_OFF32),
    N(SC_XBS5_ILP32_OFFBIG),
    N(SC_XBS5_LP64_OFF64),
    N(SC_XBS5_LPBIG_OFFBIG),
    N(SC_XOPEN_CRYPT),
    N(SC_XOPEN_ENH_I18N),
    N(SC_XOPEN_LEGACY),
    N(SC_XOPEN_REALTIME),
    N(SC_XOPEN_REALTIME_THREADS),
    N(SC_XOPEN_SHM),
    N(SC_XOPEN_UNIX),
    N(SC_XOPEN_VERSION),
    N(SC_XOPEN_XCU_VERSION),
    N(SC_XOPEN_XPG2),
    N(SC_XOPEN_XPG3),
    N(SC_XOPEN_XPG4),
};
const NameRow kConfstrNames[] = {
    N(CS_GNU_LIBC_VERSION),
    N(CS_GNU_LIBPTHREAD_VERSION),
    N(CS_LFS64_CFLAGS),
    N(CS_LFS64_LDFLAGS),
    N(CS_LFS64_LIBS),
    N(CS_LFS64_LINTFLAGS),
    N(CS_LFS_CFLAGS),
    N(CS_LFS_LDFLAGS),
    N(CS_LFS_LIBS),
    N(CS_LFS_LINTFLAGS),
    N(CS_PATH),
    N(CS_XBS5_ILP32_OFF32_CFLAGS),
    N(CS_XBS5_ILP32_OFF32_LDFLAGS),
    N(CS_XBS5_ILP32_OFF32_LIBS),
    N(CS_XBS5_ILP32_OFF32_LINTFLAGS),
    N(CS_XBS5_ILP32_OFFBIG_CFLAGS),
    N(CS_XBS5_ILP32_OFFBIG_LDFLAGS),
    N(CS_XBS5_ILP32_OFFBIG_LIBS),
    N(CS_XBS5_ILP32_OFFBIG_LINTFLAGS),
    N(CS_XBS5_LP64_OFF64_CFLAGS),
    N(CS_XBS5_LP64_OFF64_LDFLAGS),
    N(CS_XBS5_LP64_OFF64_LIBS),
    N(CS_XBS5_LP64_OFF64_LINTFLAGS),
    N(CS_XBS5_LPBIG_OFFBIG_CFLAGS),
    N(CS_XBS5_LPBIG_OFFBIG_LDFLAGS),
    N(CS_XBS5_LPBIG_OFFBIG_LIBS),
    N(CS_XBS5_LPBIG_OFFBIG_LINTFLAGS),
};
const NameRow kPathconfNames[] = {
    N(PC_ALLOC_SIZE_MIN),
    N(PC_ASYNC_IO),
    N(PC_CHOWN_RESTRICTED),
    N(PC_FILESIZEBITS),
    N(PC_LINK_MAX),
    N(PC_MAX_CANON),
    N(PC_MAX_INPUT),
    N(PC_NAME_MAX),
    N(PC_NO_TRUNC),
    N(PC_PATH_MAX),
    N(PC_PIPE_BUF),
    N(PC_PRIO_IO),
    N(PC_REC_INCR_XFER_SIZE),
    N(PC_REC_MAX_XFER_SIZE),
    N(PC_REC_MIN_XFER_SIZE),
    N(PC_REC_XFER_ALIGN),
    N(PC_SOCK_MAXBUF),
    N(PC_SYMLINK_MAX),
    N(PC_SYNC_IO),
    N(PC_VDISABLE),
};
#undef N

// A configuration name: a number, or a text of the table.
Result<int> ConfigurationName(ThreadState& ts, Value v, Table<NameRow> names) {
  if (IsStr(ts, v)) {
    for (const NameRow& row : names) {
      if (v.as<StrObject>()->EqualsAscii(row.name)) return row.value;
    }
    return Raise(ts, Exc::kValueError, "unrecognized configuration name");
  }
  if (TypeOf(ts, v)->operators->index == nullptr) {
    return Raise(ts, Exc::kTypeError, "configuration names must be strings or integers");
  }
  return AsCInt(ts, v);
}

Result<> posix_sysconf(ThreadState& ts, Args args) {
  MVM_TRY(int name, ConfigurationName(ts, args[0], kSysconfNames));
  errno = 0;
  long r = sysconf(name);
  if (r == -1 && errno != 0) return RaiseErrno(ts, errno);
  return NewInt(ts, r);
}

// None: the system does not define it.
Result<> posix_confstr(ThreadState& ts, Args args) {
  MVM_TRY(int name, ConfigurationName(ts, args[0], kConfstrNames));
  errno = 0;
  size_t size = confstr(name, nullptr, 0);
  if (size == 0) {
    if (errno != 0) return RaiseErrno(ts, errno);
    return None(ts);
  }
  std::string text(size, '\0');
  confstr(name, text.data(), size);
  return NewStrFromOs(ts, text.c_str());
}

Result<> posix_pathconf(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "pathconf", "path", true));
  MVM_TRY(int name, ConfigurationName(ts, args[1], kPathconfNames));
  errno = 0;
  long r =
      Blocking(ts, [&] { return p.fd >= 0 ? fpathconf(p.fd, name) : pathconf(p.c_str(), name); });
  if (r == -1 && errno != 0) return DoneOrErrno(ts, -1, &p);
  return NewInt(ts, r);
}
Result<> posix_fpathconf(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  MVM_TRY(int name, ConfigurationName(ts, args[1], kPathconfNames));
  errno = 0;
  long r = Blocking(ts, [&] { return fpathconf(fd, name); });
  if (r == -1 && errno != 0) return RaiseErrno(ts, errno);
  return NewInt(ts, r);
}

const MethodSpec kFunctions[] = {
    {"confstr(name, /)", posix_confstr,
     "The text of a confstr_names variable; None if it has no value."},
    {"fpathconf(fd, name, /)", posix_fpathconf,
     "A limit of pathconf_names for an open file; -1: none."},
    {"pathconf(path, name)", posix_pathconf, "A limit of pathconf_names for a path; -1: none."},
    {"sysconf(name, /)", posix_sysconf,
     "The number of a sysconf_names variable; -1: no limit, or unknown."},
};

Status AddNames(ThreadState& ts, ModuleObject* module, const char* attribute,
                Table<NameRow> names) {
  MVM_TRY(Ref<DictObject> dict, NewDict(ts, names.size));
  for (const NameRow& row : names)
    MVM_TRY_VOID(DictSetUtf8(ts, dict, row.name, Value::Int(row.value)));
  return ModuleAdd(ts, module, attribute, Value(dict.get()));
}

}  // namespace

const Table<MethodSpec> kPosixConfigurationFunctions = kFunctions;

Status AddPosixConfiguration(ThreadState& ts, ModuleObject* module) {
  MVM_TRY_VOID(AddNames(ts, module, "sysconf_names", kSysconfNames));
  MVM_TRY_VOID(AddNames(ts, module, "confstr_names", kConfstrNames));
  return AddNames(ts, module, "pathconf_names", kPathconfNames);
}

}  // namespace minivm

// The module resource: limits of the process, and what it has used.
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/objects/struct_sequence.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

Result<> LimitPair(ThreadState& ts, const struct rlimit& limit) {
  MVM_TRY(Ref<> soft, NewInt(ts, static_cast<int64_t>(limit.rlim_cur)));
  MVM_TRY(Ref<> hard, NewInt(ts, static_cast<int64_t>(limit.rlim_max)));
  Value pair[] = {soft.get(), hard.get()};
  return NewTuple(ts, pair);
}

Result<int> Resource(ThreadState& ts, Value v) {
  MVM_TRY(int resource, AsCInt(ts, v));
  if (resource < 0 || resource >= RLIM_NLIMITS)
    return Raise(ts, Exc::kValueError, "invalid resource specified");
  return resource;
}

// A (soft, hard) pair.
Status GetLimits(ThreadState& ts, Value v, struct rlimit* out) {
  MVM_TRY(Ref<TupleObject> pair, TupleFrom(ts, v));
  if (pair->size() != 2) return Raise(ts, Exc::kValueError, "expected a tuple of 2 integers");
  MVM_TRY(int64_t soft, AsOffset(ts, (*pair)[0]));
  MVM_TRY(int64_t hard, AsOffset(ts, (*pair)[1]));
  out->rlim_cur = static_cast<rlim_t>(soft);
  out->rlim_max = static_cast<rlim_t>(hard);
  return Ok();
}

Raised RaiseLimit(ThreadState& ts) {
  if (errno == EINVAL) return Raise(ts, Exc::kValueError, "current limit exceeds maximum limit");
  if (errno == EPERM) return Raise(ts, Exc::kValueError, "not allowed to raise maximum limit");
  return RaiseErrno(ts, errno);
}

Result<> resource_getrlimit(ThreadState& ts, Args args) {
  MVM_TRY(int resource, Resource(ts, args[0]));
  struct rlimit limit;
  if (getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) < 0)
    return RaiseErrno(ts, errno);
  return LimitPair(ts, limit);
}

Result<> resource_setrlimit(ThreadState& ts, Args args) {
  MVM_TRY(int resource, Resource(ts, args[0]));
  struct rlimit limit;
  MVM_TRY_VOID(GetLimits(ts, args[1], &limit));
  if (setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) < 0) return RaiseLimit(ts);
  return None(ts);
}

// The limits as they were.
Result<> resource_prlimit(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  MVM_TRY(int resource, Resource(ts, args[1]));
  struct rlimit old, next;
  bool set = !IsNone(ts, args[2]);
  if (set) MVM_TRY_VOID(GetLimits(ts, args[2], &next));
  if (prlimit(pid, static_cast<enum __rlimit_resource>(resource), set ? &next : nullptr, &old) <
      0) {
    if (errno == EINVAL) return Raise(ts, Exc::kValueError, "current limit exceeds maximum limit");
    return RaiseErrno(ts, errno);
  }
  return LimitPair(ts, old);
}

Result<> resource_getrusage(ThreadState& ts, Args args) {
  MVM_TRY(int who, AsCInt(ts, args[0]));
  struct rusage usage;
  if (getrusage(static_cast<__rusage_who_t>(who), &usage) < 0) {
    if (errno == EINVAL) return Raise(ts, Exc::kValueError, "invalid who parameter");
    return RaiseErrno(ts, errno);
  }
  return RusageResult(ts, usage);
}

Result<> resource_getpagesize(ThreadState& ts, Args args) { return Small(sysconf(_SC_PAGESIZE)); }

const MethodSpec kFunctions[] = {
    {"getpagesize()", resource_getpagesize, "The size of a page of memory, in bytes."},
    {"getrlimit(resource, /)", resource_getrlimit,
     "The current soft and hard limits of a resource."},
    {"getrusage(who, /)", resource_getrusage,
     "The resources used by RUSAGE_SELF, RUSAGE_CHILDREN or RUSAGE_THREAD."},
    {"prlimit(pid, resource, limits=None, /)", resource_prlimit,
     "The limits (soft, hard) of a process, 0: this one; new ones if given. Returns those before."},
    {"setrlimit(resource, limits, /)", resource_setrlimit,
     "Set the limits (soft, hard) of this process; RLIM_INFINITY: none."},
};

const ConstantSpec kConstants[] = {
#define C(name) \
  { #name, ConstantSpec::kInt, static_cast < int64_t>(name) }
    C(RLIMIT_AS),     C(RLIMIT_CORE),     C(RLIMIT_CPU),        C(RLIMIT_DATA),
    C(RLIMIT_FSIZE),  C(RLIMIT_MEMLOCK),  C(RLIMIT_MSGQUEUE),   C(RLIMIT_NICE),
    C(RLIMIT_NOFILE), C(RLIMIT_NPROC),    C(RLIMIT_OFILE),      C(RLIMIT_RSS),
    C(RLIMIT_RTPRIO), C(RLIMIT_RTTIME),   C(RLIMIT_SIGPENDING), C(RLIMIT_STACK),
    C(RLIM_INFINITY), C(RUSAGE_CHILDREN), C(RUSAGE_SELF),       C(RUSAGE_THREAD),
#undef C
};

Status exec_resource(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * usage, RusageType(ts));
  MVM_TRY_VOID(ModuleAdd(ts, module, "struct_rusage", Value(usage)));
  return ModuleAdd(ts, module, "error", Value(ExcType(ts, Exc::kOSError)));
}

}  // namespace

extern const ModuleSpec k_resource_module;
const ModuleSpec k_resource_module = {
    .name = "resource",
    .doc = "Limits of the resources a process may use, and what it has used.",
    .functions = kFunctions,
    .constants = kConstants,
    .exec = exec_resource,
};

}  // namespace minivm

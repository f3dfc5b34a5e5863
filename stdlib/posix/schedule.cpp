// Scheduling, name spaces and waitid() in the module posix.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/objects/float_object.h"
#include "runtime/objects/struct_sequence.h"
#include "stdlib/posix/posix_support.h"
#include "stdlib/timeout.h"

namespace minivm {

namespace {

Result<> sched_param_new(ThreadState& ts, Args args);

const GetSetSpec kSchedParamFields[] = {
    {"sched_priority", StructItem<0>, nullptr, "the priority"},
};
constexpr TypeSpec SchedParamType() {
  TypeSpec spec = StructSequenceTypeSpec(
      "posix.sched_param", kSchedParamFields,
      "The priority for sched_setparam() and sched_setscheduler(): sched_param(sched_priority).",
      "sched_param(sched_priority)");
  spec.construct.fn = sched_param_new;
  return spec;
}
const StructSequenceSpec kSchedParam = {.type = SchedParamType(), .visible = 1, .total = 1};

Result<> sched_param_new(ThreadState& ts, Args args) {
  Value v[] = {args[1]};
  return NewStructSequence(ts, kSchedParam, v);
}

const GetSetSpec kWaitidFields[] = {
    {"si_pid", StructItem<0>, nullptr, nullptr},   {"si_uid", StructItem<1>, nullptr, nullptr},
    {"si_signo", StructItem<2>, nullptr, nullptr}, {"si_status", StructItem<3>, nullptr, nullptr},
    {"si_code", StructItem<4>, nullptr, nullptr},
};
const StructSequenceSpec kWaitidResult = {
    .type = StructSequenceTypeSpec(
        "posix.waitid_result", kWaitidFields,
        "What waitid() gives: (si_pid, si_uid, si_signo, si_status, si_code).",
        "structseq(sequence, dict=<unrepresentable>)"),
    .visible = 5,
    .total = 5,
};

}  // namespace

Status SchedParam(ThreadState& ts, Value v, struct sched_param* out) {
  MVM_TRY(TypeObject * type, StructSequenceType(ts, kSchedParam));
  if (TypeOf(ts, v) != type) return Raise(ts, Exc::kTypeError, "must have a sched_param object");
  MVM_TRY(out->sched_priority, AsCInt(ts, v.as<TupleObject>()->items()[0]));
  return Ok();
}

namespace {

Result<> posix_sched_get_priority_max(ThreadState& ts, Args args) {
  MVM_TRY(int policy, AsCInt(ts, args[0]));
  int r = sched_get_priority_max(policy);
  if (r < 0) return RaiseErrno(ts, errno);
  return Small(r);
}
Result<> posix_sched_get_priority_min(ThreadState& ts, Args args) {
  MVM_TRY(int policy, AsCInt(ts, args[0]));
  int r = sched_get_priority_min(policy);
  if (r < 0) return RaiseErrno(ts, errno);
  return Small(r);
}
Result<> posix_sched_getscheduler(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  int r = sched_getscheduler(pid);
  if (r < 0) return RaiseErrno(ts, errno);
  return Small(r);
}
Result<> posix_sched_setscheduler(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  MVM_TRY(int policy, AsCInt(ts, args[1]));
  struct sched_param param;
  MVM_TRY_VOID(SchedParam(ts, args[2], &param));
  return DoneOrErrno(ts, sched_setscheduler(pid, policy, &param));
}
Result<> posix_sched_getparam(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  struct sched_param param;
  if (sched_getparam(pid, &param) < 0) return RaiseErrno(ts, errno);
  Value v[] = {Value::Int(param.sched_priority)};
  return NewStructSequence(ts, kSchedParam, v);
}
Result<> posix_sched_setparam(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  struct sched_param param;
  MVM_TRY_VOID(SchedParam(ts, args[1], &param));
  return DoneOrErrno(ts, sched_setparam(pid, &param));
}
Result<> posix_sched_rr_get_interval(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  struct timespec t;
  if (sched_rr_get_interval(pid, &t) < 0) return RaiseErrno(ts, errno);
  return NewFloat(ts, static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec));
}
Result<> posix_unshare(ThreadState& ts, Args args) {
  MVM_TRY(int flags, AsCInt(ts, args[0]));
  return DoneOrErrno(ts, unshare(flags));
}
Result<> posix_setns(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int type, AsCInt(ts, args[1]));
  return DoneOrErrno(ts, setns(fd, type));
}
Result<> posix_chroot(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "chroot"));
  return DoneOrErrno(ts, chroot(p.c_str()), &p);
}

// None: WNOHANG and nothing to report.
Result<> posix_waitid(ThreadState& ts, Args args) {
  MVM_TRY(int type, AsCInt(ts, args[0]));
  MVM_TRY(int id, AsCInt(ts, args[1]));
  MVM_TRY(int options, AsCInt(ts, args[2]));
  siginfo_t info = {};
  // The call that waits would not be woken by the host.
  Naps naps;
  for (;;) {
    bool raised;
    int r = RetryInterrupted(
        ts,
        [&] {
          return waitid(static_cast<idtype_t>(type), static_cast<id_t>(id), &info,
                        options | WNOHANG);
        },
        &raised);
    if (raised) return kRaised;
    if (r < 0) return RaiseErrno(ts, errno);
    if (info.si_pid != 0 || (options & WNOHANG)) break;
    MVM_TRY_VOID(naps.Next(ts));
  }
  if (info.si_pid == 0) return None(ts);
  Value v[] = {Value::Int(info.si_pid), Value::Int(info.si_uid), Value::Int(info.si_signo),
               Value::Int(info.si_status), Value::Int(info.si_code)};
  return NewStructSequence(ts, kWaitidResult, v);
}

const MethodSpec kFunctions[] = {
    {"chroot(path)", posix_chroot, "Take a path as '/' from now on; for root."},
    {"sched_get_priority_max(policy)", posix_sched_get_priority_max,
     "The highest priority of a policy."},
    {"sched_get_priority_min(policy)", posix_sched_get_priority_min,
     "The lowest priority of a policy."},
    {"sched_getparam(pid, /)", posix_sched_getparam,
     "The priority of a process, 0: this one, as a sched_param."},
    {"sched_getscheduler(pid, /)", posix_sched_getscheduler,
     "The policy of a process, 0: this one: SCHED_OTHER, SCHED_FIFO, ..."},
    {"sched_rr_get_interval(pid, /)", posix_sched_rr_get_interval,
     "How many seconds SCHED_RR lets a process, 0: this one, run at a time."},
    {"sched_setparam(pid, param, /)", posix_sched_setparam,
     "Set the priority of a process, 0: this one, within its policy."},
    {"sched_setscheduler(pid, policy, param, /)", posix_sched_setscheduler,
     "Set policy and priority of a process, 0: this one."},
    {"setns(fd, nstype=0)", posix_setns,
     "Enter the namespaces of a descriptor of /proc/PID/ns, or those in nstype (CLONE_NEWNS, ...) "
     "of a process's pidfd."},
    {"unshare(flags)", posix_unshare,
     "Leave the namespaces in flags (CLONE_NEWNS, ...) for new ones."},
    {"waitid(idtype, id, options, /)", posix_waitid,
     "Wait for a child by idtype (P_PID, P_PGID, P_ALL, P_PIDFD) and id; None with WNOHANG if none "
     "has changed."},
};

}  // namespace

const Table<MethodSpec> kPosixScheduleFunctions = kFunctions;

Status AddPosixScheduleTypes(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * param, StructSequenceType(ts, kSchedParam));
  MVM_TRY_VOID(ModuleAdd(ts, module, "sched_param", Value(param)));
  MVM_TRY(TypeObject * result, StructSequenceType(ts, kWaitidResult));
  return ModuleAdd(ts, module, "waitid_result", Value(result));
}

}  // namespace minivm

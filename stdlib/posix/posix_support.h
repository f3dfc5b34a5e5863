// What the parts of the module posix share: arguments, results, retry on EINTR.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cerrno>
#include <string>
#include <vector>

#include "runtime/core/blocking.h"
#include "runtime/core/held_memory.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/fs_path.h"

namespace minivm {

// A file name as the function returns it.
Result<> PathResult(ThreadState& ts, std::string_view name, bool bytes);
// An int argument that fits 64 bits, as an off_t or a count of bytes.
Result<int64_t> AsOffset(ThreadState& ts, Value v);
// *, dir_fd=None: AT_FDCWD without one.
Result<int> DirFd(ThreadState& ts, Value v);
// A user or group id; -1 (all bits set) is allowed. TypeError, OverflowError.
Result<uid_t> AsUid(ThreadState& ts, Value v);
Result<gid_t> AsGid(ThreadState& ts, Value v);

// Strings of an argument list or environment, alive as long as this is; they count against the cap.
class StringVector {
 public:
  // A path-like argument.
  Status AddPath(ThreadState& ts, Value v);
  Status Add(ThreadState& ts, std::string s);
  // The strings as exec() wants them. Valid until the next change.
  char* const* data();
  size_t size() const { return strings_.size(); }
  const std::string& operator[](size_t i) const { return strings_[i]; }

 private:
  HeldMemory held_;
  std::vector<std::string> strings_;
  std::vector<char*> pointers_;
};

// os.stat_result.
Result<> StatResult(ThreadState& ts, const struct stat& st);

// What os.register_at_fork() registered: before, after_in_parent, after_in_child. Exceptions go to
// sys.unraisablehook.
enum class ForkMoment { kBefore, kParent, kChild };
Status RunForkHooks(ThreadState& ts, ForkMoment moment);
// fork() between its hooks; in the child the VM is left with the calling thread alone. < 0: failed.
Result<pid_t> ForkWithHooks(ThreadState& ts);

// resource.struct_rusage, which wait3() and wait4() return, too.
Result<TypeObject*> RusageType(ThreadState& ts);
Result<> RusageResult(ThreadState& ts, const struct rusage& usage);

// A posix.sched_param's priority. TypeError "must have a sched_param object".
Status SchedParam(ThreadState& ts, Value v, struct sched_param* out);

// Calls f() with the VM's lock released until it does not fail with EINTR; requests are served in
// between. -1 and errno, or the result; *raised tells that serving a request raised.
template <class F>
auto RetryInterrupted(ThreadState& ts, F f, bool* raised) {
  *raised = false;
  for (;;) {
    auto r = Blocking(ts, f);
    if (r != -1 || errno != EINTR) return r;
    if (Charge(ts, 1000000000).raised()) {
      *raised = true;
      return r;
    }
  }
}

// None, or OSError for the path.
inline Result<> DoneOrErrno(ThreadState& ts, int r, const PathArg* path = nullptr) {
  if (r < 0) return RaiseErrno(ts, errno, path != nullptr && path->fd < 0 ? path->object : Value());
  return None(ts);
}

// The result of RetryInterrupted as None or an OSError.
template <class F>
Result<> RetryDone(ThreadState& ts, F f) {
  bool raised;
  auto r = RetryInterrupted(ts, f, &raised);
  if (raised) return kRaised;
  return DoneOrErrno(ts, r < 0 ? -1 : 0);
}
// The same as an int.
template <class F>
Result<> RetryCount(ThreadState& ts, F f) {
  bool raised;
  auto r = RetryInterrupted(ts, f, &raised);
  if (raised) return kRaised;
  if (r < 0) return RaiseErrno(ts, errno);
  return NewInt(ts, static_cast<int64_t>(r));
}

extern const Table<MethodSpec> kPosixConfigurationFunctions;
extern const Table<MethodSpec> kPosixDescriptorFunctions;
extern const Table<MethodSpec> kPosixDirectoryFunctions;
extern const Table<MethodSpec> kPosixFileFunctions;
extern const Table<MethodSpec> kPosixForkFunctions;
extern const Table<MethodSpec> kPosixIdentityFunctions;
extern const Table<MethodSpec> kPosixProcessFunctions;
extern const Table<MethodSpec> kPosixScheduleFunctions;
extern const Table<MethodSpec> kPosixSpecialFunctions;
extern const Table<MethodSpec> kPosixStatFunctions;
extern const Table<MethodSpec> kPosixTransferFunctions;
extern const Table<MethodSpec> kPosixXattrFunctions;
Status AddPosixConfiguration(ThreadState& ts, ModuleObject* module);
Status AddPosixDescriptorTypes(ThreadState& ts, ModuleObject* module);
Status AddPosixDirectoryTypes(ThreadState& ts, ModuleObject* module);
Status AddPosixScheduleTypes(ThreadState& ts, ModuleObject* module);
Status AddPosixStatTypes(ThreadState& ts, ModuleObject* module);
Status AddPosixProcessTypes(ThreadState& ts, ModuleObject* module);

}  // namespace minivm

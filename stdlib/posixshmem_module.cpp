// The module _posixshmem: names of memory that processes share, for multiprocessing.shared_memory.
#include <fcntl.h>
#include <sys/mman.h>

#include "runtime/objects/module_object.h"
#include "stdlib/multiprocessing/multiprocessing_types.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

Result<> posixshmem_shm_open(ThreadState& ts, Args args) {
  std::string name;
  MVM_TRY_VOID(SharedName(ts, args[0], "shm_open", &name));
  MVM_TRY(int flags, AsCInt(ts, args[1]));
  MVM_TRY(int mode, AsCInt(ts, args[2]));
  bool raised;
  int fd = RetryInterrupted(
      ts, [&] { return shm_open(name.c_str(), flags, static_cast<mode_t>(mode)); }, &raised);
  if (raised) return kRaised;
  if (fd < 0) return RaiseErrno(ts, errno, args[0]);
  return Small(fd);
}

Result<> posixshmem_shm_unlink(ThreadState& ts, Args args) {
  std::string name;
  MVM_TRY_VOID(SharedName(ts, args[0], "shm_unlink", &name));
  if (shm_unlink(name.c_str()) < 0) return RaiseErrno(ts, errno, args[0]);
  return None(ts);
}

const MethodSpec kFunctions[] = {
    {"shm_open(path, flags, mode=511)", posixshmem_shm_open,
     "A descriptor of shared memory, for mmap: flags and mode are as for os.open()."},
    {"shm_unlink(path)", posixshmem_shm_unlink,
     "Take the name away; the memory goes when nobody has it mapped any more."},
};

}  // namespace

extern const ModuleSpec k__posixshmem_module;
const ModuleSpec k__posixshmem_module = {
    .name = "_posixshmem",
    .doc = "Memory that processes share, by names.",
    .functions = kFunctions,
};

}  // namespace minivm

// What the parts of the module posix share: path arguments, results, retry on EINTR.
#pragma once

#include <cerrno>
#include <string>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

// A path argument: str, bytes or os.PathLike; or an open descriptor where that is allowed.
struct PathArg {
  std::string text;
  int fd = -1;        // used instead of text when >= 0
  bool bytes = false;  // results are bytes then
  Value object;       // borrowed: for error messages
  const char* c_str() const { return text.c_str(); }
};
Status GetPath(ThreadState& ts, Value v, PathArg* out, const char* function, const char* name = "path",
               bool allow_fd = false, bool allow_none = false);
// A file name as the function returns it.
Result<> PathResult(ThreadState& ts, std::string_view name, bool bytes);
// An int argument that fits a C int.
Result<int> AsCInt(ThreadState& ts, Value v);
// os.fspath(v)
Result<> FsPath(ThreadState& ts, Value v);

// Calls f() until it does not fail with EINTR; requests are served in between. -1 and errno, or the
// result; *raised tells that serving a request raised.
template <class F>
auto RetryInterrupted(ThreadState& ts, F f, bool* raised) {
  *raised = false;
  for (;;) {
    auto r = f();
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

extern const Table<MethodSpec> kPosixFileFunctions;
extern const Table<MethodSpec> kPosixProcessFunctions;
Status AddPosixConstants(ThreadState& ts, ModuleObject* module);
Status AddPosixFileTypes(ThreadState& ts, ModuleObject* module);
Status AddPosixProcessTypes(ThreadState& ts, ModuleObject* module);

}  // namespace minivm

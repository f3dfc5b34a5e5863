// Paths as arguments of native functions.
#pragma once

#include <string>

#include "runtime/core/thread_state.h"

namespace minivm {

// A path argument: str, bytes or os.PathLike; or an open descriptor where that is allowed.
struct PathArg {
  std::string text;
  int fd = -1;         // used instead of text when >= 0
  bool bytes = false;  // results are bytes then
  Value object;        // borrowed: for error messages
  Ref<> converted;     // what __fspath__() returned, when `object` is that
  const char* c_str() const { return text.c_str(); }
};
// Messages name the function and its parameter; but those of os.fsencode() if `function` is null.
Status GetPath(ThreadState& ts, Value v, PathArg* out, const char* function,
               const char* name = "path", bool allow_fd = false, bool allow_none = false);
// An int argument that fits a C int.
Result<int> AsCInt(ThreadState& ts, Value v);
// What v.__fspath__() returns, str or bytes; Absent() if v has no such method.
Result<> FspathOfObject(ThreadState& ts, Value v);
// os.fspath(v): str or bytes.
Result<> Fspath(ThreadState& ts, Value v);
// RuntimeWarning "bool is used as a file descriptor" for True and False.
Status WarnIfBool(ThreadState& ts, Value descriptor);
// A descriptor: an int, or an object with fileno().
Result<int> ToDescriptor(ThreadState& ts, Value v);

}  // namespace minivm

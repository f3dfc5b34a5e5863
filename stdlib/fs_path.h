// Paths as arguments of native functions.
#pragma once

#include <string>

#include "runtime/core/thread_state.h"

namespace minivm {

struct FsPath {
  std::string text;    // for the system; "" with fd >= 0
  Ref<> object;        // what was given, for messages and results (str or bytes after __fspath__)
  bool bytes = false;  // given as bytes: names found are bytes, too
  int fd = -1;         // a descriptor was given
  bool none = false;   // None was given (where allowed)
  const char* c_str() const { return text.c_str(); }
};

enum FsPathFlags : uint32_t { kPathOnly = 0, kPathOrFd = 1, kPathOrNone = 2 };

// str, bytes or os.PathLike (and an int, or None, by flags). TypeError "function: path should be
// string, bytes ..., not T"; ValueError for embedded NULs. `function` may be null: "expected str,
// bytes or os.PathLike object, not T".
Status ToFsPath(ThreadState& ts, Value v, FsPath* out, const char* function = nullptr,
                const char* argument = "path", uint32_t flags = kPathOnly);
// What v.__fspath__() returns, str or bytes; Absent() if v has no such method.
Result<> FspathOfObject(ThreadState& ts, Value v);
// os.fspath(v): str or bytes.
Result<> Fspath(ThreadState& ts, Value v);
// RuntimeWarning "bool is used as a file descriptor" for True and False.
Status WarnIfBool(ThreadState& ts, Value descriptor);
// A descriptor: an int, or an object with fileno().
Result<int> ToDescriptor(ThreadState& ts, Value v);

}  // namespace minivm

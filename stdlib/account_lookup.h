// Look-ups in the databases of users and groups, shared by the modules pwd and grp.
#pragma once

#include <vector>

#include "stdlib/posix/posix_support.h"

namespace minivm {

// Calls look_up(row, buffer, size, &found) -> errno with buffers that grow until one is big enough.
// False: there is no such entry. *buffer holds what *row points to.
template <class Row, class F>
Result<bool> LookUpAccount(ThreadState& ts, F look_up, Row* row, std::vector<char>* buffer) {
  for (size_t size = 1024; size <= size_t{1} << 24; size *= 2) {
    buffer->resize(size);
    Row* found = nullptr;
    int error = Blocking(ts, [&] { return look_up(row, buffer->data(), size, &found); });
    if (error != ERANGE) return found != nullptr;
  }
  return RaiseMemoryError(ts);
}

// A name argument as the C library wants it.
inline Status AccountName(ThreadState& ts, Value v, const char* message, std::string* out) {
  if (!IsStr(ts, v)) return Raise(ts, Exc::kTypeError, message, v);
  Status done = ToOsString(ts, v.as<StrObject>(), out);
  if (done.raised() && PendingIs(ts, Exc::kValueError) && !PendingIs(ts, Exc::kUnicodeError)) {
    ClearPending(ts);
    return Raise(ts, Exc::kValueError, "embedded null byte");
  }
  return done;
}

// An id as the databases show it: all bits set is -1.
inline Value AccountId(uint32_t id) { return Value::Int(id == UINT32_MAX ? -1 : int64_t{id}); }

}  // namespace minivm

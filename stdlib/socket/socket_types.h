// What the parts of the module _socket share: the socket object, addresses, calls that may wait.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <string>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/timeout.h"

namespace minivm {

// Invariants: the descriptor is in non-blocking mode unless timeout_ns < 0.
class SocketObject : public Object {
 public:
  static constexpr bool kNeverInCycle = true;
  int fd;  // -1: closed
  int family, type, proto;
  int64_t timeout_ns;  // < 0: blocks; 0: never waits
  template <class V>
  void VisitRefs(V&&) {}
  void FreeBuffers(Heap&);
};

extern const TypeSpec kSocketType;
extern const Table<MethodSpec> kSocketDescriptorFunctions;
extern const Table<MethodSpec> kResolverFunctions;

// Methods with ancillary data (messages.cpp).
Result<> socket_recvmsg(ThreadState& ts, Args args);
Result<> socket_recvmsg_into(ThreadState& ts, Args args);
Result<> socket_sendmsg(ThreadState& ts, Args args);

// ---- addresses ----

union SocketAddress {
  struct sockaddr any;
  struct sockaddr_storage storage;
};

// The address argument of `function` for a socket of that family.
Status ParseAddress(ThreadState& ts, int family, Value v, const char* function, SocketAddress* out,
                    socklen_t* length);
// What the system has filled in, as scripts see it; None when it is empty.
Result<> MakeAddress(ThreadState& ts, const SocketAddress& address, socklen_t length);
// A host name as the resolver takes it: str (through the codec idna unless it is ASCII), bytes or
// bytearray.
Status ParseHost(ThreadState& ts, Value v, std::string* out);
// The IPv4 or IPv6 address (family, or either) of a name; "" and "<broadcast>" as documented.
Status ResolveHost(ThreadState& ts, const std::string& name, int family, SocketAddress* out,
                   socklen_t* length);

// ---- errors ----

// socket.gaierror for a code of getaddrinfo() (errno for EAI_SYSTEM), socket.herror for h_errno.
[[gnu::cold]] Raised RaiseGaiError(ThreadState& ts, int code);
[[gnu::cold]] Raised RaiseHostError(ThreadState& ts, int code);
[[gnu::cold]] inline Raised RaiseTimedOut(ThreadState& ts) {
  return Raise(ts, Exc::kTimeoutError, "timed out");
}

// ---- waiting ----

// Waits until the descriptor is ready; false: the deadline has passed.
Result<bool> WaitReady(ThreadState& ts, int fd, bool writing, const Deadline& deadline);

inline Deadline DeadlineOf(const SocketObject* s) {
  return s->timeout_ns > 0 ? Deadline::After(s->timeout_ns) : Deadline();
}

// f(flags) -> a system call on the socket that is to be repeated while it would block, as far as
// the socket's timeout allows. `flags` are to be added to the call's: they keep it from blocking,
// so that waiting is done here, where signals and the host are served. TimeoutError, OSError.
template <class F>
Result<ssize_t> SocketCall(ThreadState& ts, SocketObject* s, bool writing, const Deadline& deadline,
                           F f) {
  const int flags = s->timeout_ns == 0 ? 0 : MSG_DONTWAIT;
  const int fd = s->fd;
  for (;;) {
    ssize_t n = Blocking(ts, [&] { return f(fd, flags); });
    if (n >= 0) return n;
    if (errno == EINTR) {
      MVM_TRY_VOID(Charge(ts, 1'000'000'000));
      continue;
    }
    if (s->timeout_ns == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
      return RaiseErrno(ts, errno);
    }
    MVM_TRY(bool ready, WaitReady(ts, fd, writing, deadline));
    if (!ready) return RaiseTimedOut(ts);
  }
}

}  // namespace minivm

// socket objects: life, options, connections, plain reads and writes.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <climits>
#include <cstring>

#include "runtime/objects/float_object.h"
#include "stdlib/posix/posix_support.h"
#include "stdlib/socket/socket_types.h"

namespace minivm {

void SocketObject::FreeBuffers(Heap&) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

Result<bool> WaitReady(ThreadState& ts, int fd, bool writing, const Deadline& deadline) {
  struct pollfd row = {fd, static_cast<short>(writing ? POLLOUT : POLLIN), 0};
  MVM_TRY(int n, WaitUntil(ts, deadline, [&](int64_t slice) {
            struct timespec t = ToTimespec(slice);
            return ppoll(&row, 1, &t, nullptr);
          }));
  return n > 0;
}

namespace {

Status SetNonblocking(ThreadState& ts, int fd, bool on) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return RaiseErrno(ts, errno);
  int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (wanted != flags && fcntl(fd, F_SETFL, wanted) < 0) return RaiseErrno(ts, errno);
  return Ok();
}

// None or seconds as SocketObject::timeout_ns.
Result<int64_t> ParseTimeout(ThreadState& ts, Value v) {
  if (IsNone(ts, v)) return int64_t{-1};
  if (!IsFloat(ts, v)) {
    MVM_TRY_VOID(Index(ts, v));  // its TypeError
  }
  MVM_TRY(int64_t ns, ToNanoseconds(ts, v, 1'000'000'000, ""));
  if (ns < 0) return Raise(ts, Exc::kValueError, "Timeout value out of range");
  return ns;
}

Result<> TimeoutValue(ThreadState& ts, int64_t ns) {
  if (ns < 0) return None(ts);
  return NewFloat(ts, static_cast<double>(ns) / 1e9);
}

// ---- life ----

// The default timeout is kept in the module: it belongs to the VM.
constexpr const char* kDefaultName = "_default_timeout_ns";

Result<int64_t> DefaultTimeout(ThreadState& ts) {
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "_socket"));
  MVM_TRY(Ref<> v, GetAttrOptional(ts, module, kDefaultName));
  if (v.is_absent() || !v.is_int()) return int64_t{-1};
  return v.get().as_int();
}

Status Adopt(ThreadState& ts, SocketObject* s, int fd, int family, int type, int proto) {
  s->fd = fd;
  s->family = family;
  s->type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  s->proto = proto;
  if (type & SOCK_NONBLOCK) {
    s->timeout_ns = 0;
    return Ok();
  }
  MVM_TRY(s->timeout_ns, DefaultTimeout(ts));
  return s->timeout_ns >= 0 ? SetNonblocking(ts, fd, true) : Ok();
}

Result<> socket_new(ThreadState& ts, Args raw) {
  MVM_TRY(Ref<> made, AllocInstance(ts, raw.self<TypeObject>()));
  SocketObject* s = made.as<SocketObject>();
  s->fd = -1;
  s->timeout_ns = -1;
  return made;
}

// __init__(family=-1, type=-1, proto=-1, fileno=None)
Result<> socket_init(ThreadState& ts, Args args) {
  SocketObject* s = args.self<SocketObject>();
  MVM_TRY(int family, AsCInt(ts, args[1]));
  MVM_TRY(int type, AsCInt(ts, args[2]));
  MVM_TRY(int proto, AsCInt(ts, args[3]));
  int fd;
  if (!IsNone(ts, args[4])) {
    MVM_TRY(fd, AsCInt(ts, args[4]));
    if (fd < 0) return Raise(ts, Exc::kValueError, "negative file descriptor");
    SocketAddress address = {};
    socklen_t length = sizeof address;
    if (getsockname(fd, &address.any, &length) < 0) {
      if (family == -1 || errno == EBADF || errno == ENOTSOCK) return RaiseErrno(ts, errno);
    } else if (family == -1) {
      family = address.any.sa_family;
    }
    if (type == -1) {
      socklen_t size = sizeof type;
      if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0) return RaiseErrno(ts, errno);
    }
    if (proto == -1) {
      socklen_t size = sizeof proto;
      if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &size) < 0) {
        return RaiseErrno(ts, errno);
      }
    }
  } else {
    if (family == -1) family = AF_INET;
    if (type == -1) type = SOCK_STREAM;
    if (proto == -1) proto = 0;
    fd = Blocking(ts, [&] { return ::socket(family, type | SOCK_CLOEXEC, proto); });
    if (fd < 0) return RaiseErrno(ts, errno);
  }
  Status adopted = Adopt(ts, s, fd, family, type, proto);
  if (adopted.raised()) {
    s->fd = -1;
    if (IsNone(ts, args[4])) ::close(fd);
    return kRaised;
  }
  return None(ts);
}

Status socket_finalize(ThreadState& ts, Value self) {
  SocketObject* s = self.as<SocketObject>();
  if (s->fd < 0) return Ok();
  Status warned = Warn(ts, Exc::kResourceWarning, 1, "unclosed %R", self);
  int fd = std::exchange(s->fd, -1);
  if (fd >= 0) ::close(fd);
  return warned;
}

Result<> socket_repr(ThreadState& ts, Value self) {
  SocketObject* s = self.as<SocketObject>();
  return Format(ts, "<socket object, fd=%d, family=%d, type=%d, proto=%d>", s->fd, s->family,
                s->type, s->proto);
}
Result<> socket_close(ThreadState& ts, Args args) {
  SocketObject* s = args.self<SocketObject>();
  int fd = std::exchange(s->fd, -1);
  // A connection that the peer has reset is closed all the same.
  if (fd >= 0 && Blocking(ts, [&] { return ::close(fd); }) < 0 && errno != ECONNRESET) {
    return RaiseErrno(ts, errno);
  }
  return None(ts);
}
Result<> socket_detach(ThreadState& ts, Args args) {
  return Small(std::exchange(args.self<SocketObject>()->fd, -1));
}
Result<> socket_fileno(ThreadState& ts, Args args) { return Small(args.self<SocketObject>()->fd); }
Result<> socket_family(ThreadState& ts, Value self) {
  return Small(self.as<SocketObject>()->family);
}
Result<> socket_type(ThreadState& ts, Value self) { return Small(self.as<SocketObject>()->type); }
Result<> socket_proto(ThreadState& ts, Value self) { return Small(self.as<SocketObject>()->proto); }
Result<> socket_timeout(ThreadState& ts, Value self) {
  return TimeoutValue(ts, self.as<SocketObject>()->timeout_ns);
}

Result<> ChangeTimeout(ThreadState& ts, SocketObject* s, int64_t ns) {
  s->timeout_ns = ns;
  MVM_TRY_VOID(SetNonblocking(ts, s->fd, ns >= 0));
  return None(ts);
}
Result<> socket_settimeout(ThreadState& ts, Args args) {
  MVM_TRY(int64_t ns, ParseTimeout(ts, args[1]));
  return ChangeTimeout(ts, args.self<SocketObject>(), ns);
}
Result<> socket_gettimeout(ThreadState& ts, Args args) { return socket_timeout(ts, args[0]); }
Result<> socket_setblocking(ThreadState& ts, Args args) {
  MVM_TRY(bool block, Truth(ts, args[1]));
  return ChangeTimeout(ts, args.self<SocketObject>(), block ? -1 : 0);
}
Result<> socket_getblocking(ThreadState& ts, Args args) {
  return Bool(ts, args.self<SocketObject>()->timeout_ns != 0);
}

// ---- options ----

Result<> socket_getsockopt(ThreadState& ts, Args args) {
  SocketObject* s = args.self<SocketObject>();
  MVM_TRY(int level, AsCInt(ts, args[1]));
  MVM_TRY(int option, AsCInt(ts, args[2]));
  MVM_TRY(int size, AsCInt(ts, args[3]));
  if (size == 0) {
    int value = 0;
    socklen_t length = sizeof value;
    if (getsockopt(s->fd, level, option, &value, &length) < 0) return RaiseErrno(ts, errno);
    return Small(value);
  }
  if (size <= 0 || size > 1024) {
    return Raise(ts, Exc::kOSError, "getsockopt buflen out of range");
  }
  char buffer[1024] = {};
  socklen_t length = static_cast<socklen_t>(size);
  if (getsockopt(s->fd, level, option, buffer, &length) < 0) return RaiseErrno(ts, errno);
  return NewBytes(ts, {buffer, length < sizeof buffer ? length : sizeof buffer});
}

// setsockopt(level, option, value), or (level, option, None, length)
Result<> socket_setsockopt(ThreadState& ts, Args args) {
  SocketObject* s = args.self<SocketObject>();
  MVM_TRY(int level, AsCInt(ts, args[1]));
  MVM_TRY(int option, AsCInt(ts, args[2]));
  Value value = args[3];
  int r;
  if (args.has(4)) {
    if (!IsNone(ts, value)) {
      return Raise(ts, Exc::kTypeError, "setsockopt() takes exactly 3 arguments (4 given)");
    }
    MVM_TRY(int64_t length, AsInt64(ts, args[4]));
    r = setsockopt(s->fd, level, option, nullptr, static_cast<socklen_t>(length));
  } else {
    int64_t n;
    if (IsInt(ts, value) && IntFitsInt64(value, &n) && n >= INT_MIN && n <= INT_MAX) {
      int i = static_cast<int>(n);
      r = setsockopt(s->fd, level, option, &i, sizeof i);
    } else {
      ByteView view;
      MVM_TRY_VOID(view.Get(ts, value));
      r = setsockopt(s->fd, level, option, view.data(), static_cast<socklen_t>(view.size()));
    }
  }
  return DoneOrErrno(ts, r);
}

// ---- connections ----

Result<> socket_bind(ThreadState& ts, Args args) {
  SocketObject* s = args.self<SocketObject>();
  SocketAddress address;
  socklen_t length;
  MVM_TRY_VOID(ParseAddress(ts, s->family, args[1], "bind", &address, &length));
  return DoneOrErrno(ts, Blocking(ts, [&] { return ::bind(s->fd, &address.any, length); }));
}

Result<> socket_listen(ThreadState& ts, Args args) {
  SocketObject* s = args.self<SocketObject>();
  int backlog = SOMAXCONN < 128 ? SOMAXCONN : 128;
  if (args.has(1)) {
    MVM_TRY(backlog, AsCInt(ts, args[1]));
  }
  return DoneOrErrno(ts, ::listen(s->fd, backlog < 0 ? 0 : backlog));
}

// _accept() -> (descriptor, address)
Result<> socket__accept(ThreadState& ts, Args args) {
  SocketObject* s = args.self<SocketObject>();
  const Deadline deadline = DeadlineOf(s);
  SocketAddress address = {};
  socklen_t length = 0;
  if (s->timeout_ns != 0 && s->fd >= 0) {
    MVM_TRY(bool ready, WaitReady(ts, s->fd, false, deadline));
    if (!ready) return RaiseTimedOut(ts);
  }
  MVM_TRY(ssize_t fd, SocketCall(ts, s, false, deadline, [&](int listener, int) -> ssize_t {
            length = sizeof address;
            return accept4(listener, &address.any, &length, SOCK_CLOEXEC);
          }));
  Result<> made = MakeAddress(ts, address, length);
  if (made.raised()) {
    ::close(static_cast<int>(fd));
    return kRaised;
  }
  Ref<> peer = made.Take();
  Value pair[] = {Value::Int(fd), peer.get()};
  return NewTuple(ts, pair);
}

// 0, or the errno with which connecting has failed; TimeoutError for EWOULDBLOCK after the timeout.
Result<int> Connect(ThreadState& ts, SocketObject* s, const SocketAddress& address,
                    socklen_t length) {
  const Deadline deadline = DeadlineOf(s);
  const int fd = s->fd;
  const bool wait = s->timeout_ns != 0;
  // Waiting is done here, so that signals and the host are served meanwhile.
  if (s->timeout_ns < 0 && fd >= 0) MVM_TRY_VOID(SetNonblocking(ts, fd, true));
  const auto attempt = [&] {
    int r = Blocking(ts, [&] { return ::connect(fd, &address.any, length); });
    return r < 0 ? errno : 0;
  };
  int error = attempt();
  Status waited = Ok();
  bool timed_out = false;
  // The backlog of a Unix socket is full: nothing tells when there is room.
  for (Naps naps; error == EAGAIN && s->timeout_ns < 0;) {
    waited = naps.Next(ts);
    if (waited.raised()) break;
    error = s->fd == fd ? attempt() : EBADF;
  }
  // How it went is asked by connecting again: SO_ERROR would leave the socket in a state in which
  // the next attempt fails whatever the peer does.
  while (wait && (error == EINPROGRESS || error == EALREADY || error == EINTR)) {
    Result<bool> ready = WaitReady(ts, fd, true, deadline);
    if (ready.raised()) {
      waited = kRaised;
      break;
    }
    timed_out = !ready.Take();
    if (timed_out) break;
    error = s->fd == fd ? attempt() : EBADF;
    if (error == EISCONN) error = 0;
  }
  if (s->timeout_ns < 0 && fd >= 0 && s->fd == fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  }
  if (waited.raised()) return kRaised;
  if (timed_out) return EWOULDBLOCK;
  return error;
}

Result<> socket_connect(ThreadState& ts, Args args) {
  SocketObject* s = args.self<SocketObject>();
  SocketAddress address;
  socklen_t length;
  MVM_TRY_VOID(ParseAddress(ts, s->family, args[1], "connect", &address, &length));
  MVM_TRY(int error, Connect(ts, s, address, length));
  if (error == EWOULDBLOCK && s->timeout_ns > 0) return RaiseTimedOut(ts);
  if (error != 0) return RaiseErrno(ts, error);
  return None(ts);
}
Result<> socket_connect_ex(ThreadState& ts, Args args) {
  SocketObject* s = args.self<SocketObject>();
  SocketAddress address;
  socklen_t length;
  MVM_TRY_VOID(ParseAddress(ts, s->family, args[1], "connect_ex", &address, &length));
  MVM_TRY(int error, Connect(ts, s, address, length));
  return Small(error);
}

Result<> socket_shutdown(ThreadState& ts, Args args) {
  MVM_TRY(int how, AsCInt(ts, args[1]));
  return DoneOrErrno(ts, ::shutdown(args.self<SocketObject>()->fd, how));
}

template <int (*kGet)(int, struct sockaddr*, socklen_t*)>
Result<> AddressOf(ThreadState& ts, Args args) {
  SocketAddress address = {};
  socklen_t length = sizeof address;
  if (kGet(args.self<SocketObject>()->fd, &address.any, &length) < 0) {
    return RaiseErrno(ts, errno);
  }
  return MakeAddress(ts, address, length);
}

// ---- receiving ----

Result<int64_t> BufferSize(ThreadState& ts, Value v, const char* function) {
  MVM_TRY(Ref<> i, Index(ts, v));
  int64_t n;
  if (!IntFitsInt64(i, &n)) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C ssize_t");
  }
  if (n < 0) return Raise(ts, Exc::kValueError, "negative buffersize in %s", function);
  return n;
}

// One recvfrom(); *address is filled when it is given.
Result<ssize_t> Receive(ThreadState& ts, SocketObject* s, void* data, size_t size, int flags,
                        SocketAddress* address, socklen_t* length) {
  const Deadline deadline = DeadlineOf(s);
  if ((flags & MSG_WAITALL) != 0 && s->timeout_ns < 0 && s->fd >= 0) {
    // All of it, in one call that blocks.
    return SocketCall(ts, s, false, deadline, [&](int fd, int) {
      if (length != nullptr) *length = sizeof *address;
      return recvfrom(fd, data, size, flags, address ? &address->any : nullptr, length);
    });
  }
  return SocketCall(ts, s, false, deadline, [&](int fd, int extra) {
    if (length != nullptr) *length = sizeof *address;
    return recvfrom(fd, data, size, flags | extra, address ? &address->any : nullptr, length);
  });
}

Result<> ReceiveBytes(ThreadState& ts, Args args, const char* function, bool with_address) {
  SocketObject* s = args.self<SocketObject>();
  MVM_TRY(int64_t size, BufferSize(ts, args[1], function));
  MVM_TRY(int flags, AsCInt(ts, args[2]));
  if (size == 0 && !with_address) return NewBytes(ts, {});  // whatever the socket is like
  MVM_TRY(Ref<BytesObject> data, NewBytesRaw(ts, static_cast<size_t>(size)));
  SocketAddress address = {};
  socklen_t length = 0;
  MVM_TRY(ssize_t n, Receive(ts, s, data->data(), static_cast<size_t>(size), flags,
                             with_address ? &address : nullptr, with_address ? &length : nullptr));
  if (n < size) {
    MVM_TRY(data, NewBytes(ts, data->view().substr(0, static_cast<size_t>(n))));
  }
  if (!with_address) return data;
  MVM_TRY(Ref<> from, MakeAddress(ts, address, length));
  Value pair[] = {Value(data.get()), from.get()};
  return NewTuple(ts, pair);
}
Result<> socket_recv(ThreadState& ts, Args args) { return ReceiveBytes(ts, args, "recv", false); }
Result<> socket_recvfrom(ThreadState& ts, Args args) {
  return ReceiveBytes(ts, args, "recvfrom", true);
}

Result<> ReceiveInto(ThreadState& ts, Args args, const char* function, bool with_address) {
  SocketObject* s = args.self<SocketObject>();
  BufferView view;
  Status got = GetBuffer(ts, args[1], &view, true);
  if (got.raised()) {
    if (!PendingIs(ts, Exc::kTypeError) && !PendingIs(ts, Exc::kBufferError)) return kRaised;
    ClearPending(ts);
    return Raise(ts, Exc::kTypeError,
                 "%s() argument 1 must be read-write bytes-like object, not %T", function, args[1]);
  }
  if (!view.c_contiguous())
    return Raise(ts, Exc::kBufferError, "memoryview: underlying buffer is not C-contiguous");
  MVM_TRY(int64_t size, BufferSize(ts, args[2], function));
  MVM_TRY(int flags, AsCInt(ts, args[3]));
  if (size == 0) size = view.size;
  if (size > view.size) {
    return Raise(ts, Exc::kValueError,
                 with_address ? "nbytes is greater than the length of the buffer"
                              : "buffer too small for requested bytes");
  }
  if (size == 0 && !with_address) return Small(0);
  SocketAddress address = {};
  socklen_t length = 0;
  MVM_TRY(ssize_t n, Receive(ts, s, view.data, static_cast<size_t>(size), flags,
                             with_address ? &address : nullptr, with_address ? &length : nullptr));
  if (!with_address) return Small(n);
  MVM_TRY(Ref<> from, MakeAddress(ts, address, length));
  Value pair[] = {Value::Int(n), from.get()};
  return NewTuple(ts, pair);
}
Result<> socket_recv_into(ThreadState& ts, Args args) {
  return ReceiveInto(ts, args, "recv_into", false);
}
Result<> socket_recvfrom_into(ThreadState& ts, Args args) {
  return ReceiveInto(ts, args, "recvfrom_into", true);
}

// ---- sending ----

Result<> socket_send(ThreadState& ts, Args args) {
  SocketObject* s = args.self<SocketObject>();
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, args[1]));
  MVM_TRY(int flags, AsCInt(ts, args[2]));
  MVM_TRY(ssize_t n, SocketCall(ts, s, true, DeadlineOf(s), [&](int fd, int extra) {
            return send(fd, view.data(), view.size(), flags | extra | MSG_NOSIGNAL);
          }));
  return Small(n);
}

// All of it within one timeout.
Result<> socket_sendall(ThreadState& ts, Args args) {
  SocketObject* s = args.self<SocketObject>();
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, args[1]));
  MVM_TRY(int flags, AsCInt(ts, args[2]));
  const Deadline deadline = DeadlineOf(s);
  size_t sent = 0;
  do {
    if (s->timeout_ns > 0 && deadline.Left() == 0) return RaiseTimedOut(ts);
    MVM_TRY(ssize_t n, SocketCall(ts, s, true, deadline, [&](int fd, int extra) {
              return send(fd, view.data() + sent, view.size() - sent, flags | extra | MSG_NOSIGNAL);
            }));
    sent += static_cast<size_t>(n);
    MVM_TRY_VOID(ServeBetween(ts));
  } while (sent < view.size());
  return None(ts);
}

// sendto(data[, flags], address)
Result<> socket_sendto(ThreadState& ts, Args args) {
  SocketObject* s = args.self<SocketObject>();
  const uint32_t given = args.n - 1;
  if (given != 2 && given != 3) {
    return Raise(ts, Exc::kTypeError, "sendto() takes 2 or 3 arguments (%u given)", given);
  }
  if (args.nkw != 0)
    return Raise(ts, Exc::kTypeError, "socket.sendto() takes no keyword arguments");
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, args[1]));
  int flags = 0;
  if (given == 3) {
    MVM_TRY(flags, AsCInt(ts, args[2]));
  }
  SocketAddress address;
  socklen_t length;
  MVM_TRY_VOID(ParseAddress(ts, s->family, args[given], "sendto", &address, &length));
  MVM_TRY(ssize_t n, SocketCall(ts, s, true, DeadlineOf(s), [&](int fd, int extra) {
            return sendto(fd, view.data(), view.size(), flags | extra | MSG_NOSIGNAL, &address.any,
                          length);
          }));
  return Small(n);
}

const MethodSpec kSocketMethods[] = {
    {"_accept(self, /)", socket__accept,
     "Wait for a connection: (its descriptor, the peer's address)."},
    {"bind(self, address, /)", socket_bind, "Take an address as one's own: (host, port) for IPv4."},
    {"close(self, /)", socket_close, "Free the descriptor; any use afterwards is an OSError."},
    {"connect(self, address, /)", socket_connect,
     "Connect to the peer, or set it for datagrams: (host, port) for IPv4."},
    {"connect_ex(self, address, /)", socket_connect_ex,
     "connect() that returns an error number, 0 if it went well; a name that is not found still "
     "raises."},
    {"detach(self, /)", socket_detach,
     "Give the descriptor away: it is returned, and the socket is as good as closed."},
    {"fileno(self, /)", socket_fileno, "The descriptor's number; -1 once closed."},
    {"getblocking(self, /)", socket_getblocking, "Whether calls wait: False if the timeout is 0."},
    {"getpeername(self, /)", AddressOf<::getpeername>, "The address of the peer."},
    {"getsockname(self, /)", AddressOf<::getsockname>, "The address of this end."},
    {"getsockopt(self, level, option, buffersize=0, /)", socket_getsockopt,
     "The value of an option: an int, or bytes, up to buffersize of them if that is given."},
    {"gettimeout(self, /)", socket_gettimeout, "How many seconds a call waits; None: for ever."},
    {"listen(self, backlog=<unrepresentable>, /)", socket_listen,
     "Let others connect; about backlog of them wait to be accepted."},
    {"recv(self, buffersize, flags=0, /)", socket_recv,
     "The next bytes, up to buffersize; b'' once the peer has closed."},
    {"recv_into(self, /, buffer, nbytes=0, flags=0)", socket_recv_into,
     "Receive into a buffer; the number of bytes."},
    {"recvfrom(self, buffersize, flags=0, /)", socket_recvfrom,
     "As recv(), with the sender: (data, address)."},
    {"recvfrom_into(self, /, buffer, nbytes=0, flags=0)", socket_recvfrom_into,
     "As recv_into(), with the sender: (nbytes, address)."},
    {"recvmsg(self, bufsize, ancbufsize=0, flags=0, /)", socket_recvmsg,
     "recv() with what comes beside: (data, ancdata, msg_flags, address)."},
    {"recvmsg_into(self, buffers, ancbufsize=0, flags=0, /)", socket_recvmsg_into,
     "recvmsg() into buffers: (how many bytes, ancdata, msg_flags, address)."},
    {"send(self, data, flags=0, /)", socket_send,
     "Send as many bytes as the system takes, and return how many."},
    {"sendall(self, data, flags=0, /)", socket_sendall, "Send all of the data."},
    {"sendmsg(self, buffers, ancdata=(), flags=0, address=None, /)", socket_sendmsg,
     "Send the bytes of buffers, and ancdata beside; returns how many bytes."},
    {"sendto(...)", socket_sendto,
     "sendto(data, address) or sendto(data, flags, address): send to an address; returns how many "
     "bytes."},
    {"setblocking(self, flag, /)", socket_setblocking, "Let calls wait for ever, or not at all."},
    {"setsockopt(self, level, option, value, length=<unrepresentable>, /)", socket_setsockopt,
     "Set an option, to an int or bytes; None and a length: to nothing, of that length."},
    {"settimeout(self, timeout, /)", socket_settimeout,
     "How many seconds a call waits before TimeoutError; None: for ever, 0: not at all."},
    {"shutdown(self, flag, /)", socket_shutdown,
     "Shut down one or both directions: SHUT_RD, SHUT_WR, SHUT_RDWR."},
};
const GetSetSpec kSocketGetSets[] = {
    {"family", socket_family, nullptr, "which kind of address: AF_INET, ..."},
    {"proto", socket_proto, nullptr, "which protocol, 0: the usual one"},
    {"timeout", socket_timeout, nullptr, "what settimeout() was given"},
    {"type", socket_type, nullptr, "which kind of socket: SOCK_STREAM, ..."},
};

}  // namespace

const TypeSpec kSocketType = {
    .name = "_socket.socket",
    .doc =
        "An end of a connection, or a sender and receiver of datagrams.\n"
        "\n"
        "socket(family=AF_INET, type=SOCK_STREAM, proto=0, fileno=None). What is not given of a "
        "fileno is found out.",
    .flags = kTypeBase,
    .size = sizeof(SocketObject),
    .gc = LeafHooksOf<SocketObject>(),
    .slots = {.repr = socket_repr, .finalize = socket_finalize},
    .construct = {"socket(...)", socket_new},
    .init = {"__init__(self, family=-1, type=-1, proto=-1, fileno=None)", socket_init},
    .methods = kSocketMethods,
    .getsets = kSocketGetSets,
};

namespace {

// ---- functions of the module that deal with descriptors ----

Result<> socket_close_fd(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  if (Blocking(ts, [&] { return ::close(fd); }) < 0 && errno != ECONNRESET) {
    return RaiseErrno(ts, errno);
  }
  return None(ts);
}
Result<> socket_dup_fd(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return RaiseErrno(ts, errno);
  return Small(copy);
}

Result<> socket_socketpair(ThreadState& ts, Args args) {
  MVM_TRY(int family, AsCInt(ts, args[0]));
  MVM_TRY(int type, AsCInt(ts, args[1]));
  MVM_TRY(int proto, AsCInt(ts, args[2]));
  int fds[2];
  if (socketpair(family, type | SOCK_CLOEXEC, proto, fds) < 0) return RaiseErrno(ts, errno);
  MVM_TRY(TypeObject * cls, TypeForSpec(ts, kSocketType));
  Ref<> hold[2];
  Value pair[2];
  for (int i = 0; i < 2; ++i) {
    Result<> made = AllocInstance(ts, cls);
    Status adopted = Ok();
    if (!made.raised()) {
      hold[i] = made.Take();
      adopted = Adopt(ts, hold[i].as<SocketObject>(), fds[i], family, type, proto);
      pair[i] = hold[i].get();
    }
    if (made.raised() || adopted.raised()) {
      for (int k = 0; k < 2; ++k) {
        if (!hold[k]) {
          ::close(fds[k]);
        }
      }
      return kRaised;
    }
  }
  return NewTuple(ts, pair);
}

Result<> socket_getdefaulttimeout(ThreadState& ts, Args args) {
  MVM_TRY(int64_t ns, DefaultTimeout(ts));
  return TimeoutValue(ts, ns);
}
Result<> socket_setdefaulttimeout(ThreadState& ts, Args args) {
  MVM_TRY(int64_t ns, ParseTimeout(ts, args[0]));
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "_socket"));
  MVM_TRY(Ref<> value, NewInt(ts, ns));
  MVM_TRY_VOID(SetAttr(ts, module, kDefaultName, value));
  return None(ts);
}

const MethodSpec kFunctions[] = {
    {"close(fd, /)", socket_close_fd, "Free the descriptor of a socket."},
    {"dup(fd, /)", socket_dup_fd,
     "Another descriptor of the same socket, which programs started later do not inherit."},
    {"getdefaulttimeout()", socket_getdefaulttimeout,
     "What new sockets have for a timeout, in seconds; None: they wait for ever."},
    {"setdefaulttimeout(timeout, /)", socket_setdefaulttimeout,
     "What settimeout() says, for sockets made from now on."},
    // 1: AF_UNIX, SOCK_STREAM
    {"socketpair(family=1, type=1, proto=0, /)", socket_socketpair, "A pair of connected sockets."},
};
static_assert(AF_UNIX == 1 && SOCK_STREAM == 1);

}  // namespace

const Table<MethodSpec> kSocketDescriptorFunctions = kFunctions;

}  // namespace minivm

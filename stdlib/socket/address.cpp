// Addresses of sockets: from and to what scripts see. Also the errors of looking names up.
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "stdlib/exception_class.h"
#include "stdlib/socket/socket_types.h"

namespace minivm {

Raised RaiseGaiError(ThreadState& ts, int code) {
  if (code == EAI_SYSTEM) return RaiseErrno(ts, errno);
  return RaiseModuleError(ts, "_socket", "gaierror", code, gai_strerror(code));
}

Raised RaiseHostError(ThreadState& ts, int code) {
  return RaiseModuleError(ts, "_socket", "herror", code, hstrerror(code));
}

Status ParseHost(ThreadState& ts, Value v, std::string* out) {
  if (IsStr(ts, v)) {
    StrObject* s = v.as<StrObject>();
    if (s->ascii()) {
      *out = s->ascii_view();
    } else {
      MVM_TRY(Ref<StrObject> encode, InternUtf8(ts, "encode"));
      MVM_TRY(Ref<StrObject> codec, NewStr(ts, "idna"));
      MVM_TRY(Ref<> encoded, CallMethod(ts, v, encode, Value(codec.get())));
      if (!IsBytes(ts, encoded)) {
        return Raise(ts, Exc::kTypeError, "encoding of hostname failed");
      }
      *out = encoded.as<BytesObject>()->view();
    }
  } else if (IsBytes(ts, v) || HasTypeFlag(ts, v, kTypeBytearraySubclass)) {
    ByteView view;
    MVM_TRY_VOID(view.Get(ts, v));
    *out = view.view();
  } else {
    return Raise(ts, Exc::kTypeError, "str, bytes or bytearray expected, not %T", v);
  }
  if (out->find('\0') != std::string::npos) {
    return Raise(ts, Exc::kTypeError, "host name must not contain null character");
  }
  return Ok();
}

Status ResolveHost(ThreadState& ts, const std::string& name, int family, SocketAddress* out,
                   socklen_t* length) {
  std::memset(out, 0, sizeof *out);
  if (name == "<broadcast>" || name == "255.255.255.255") {
    if (family != AF_INET && family != AF_UNSPEC) {
      return Raise(ts, Exc::kOSError, "address family mismatched");
    }
    auto* in = reinterpret_cast<struct sockaddr_in*>(out);
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = INADDR_BROADCAST;
    *length = sizeof *in;
    return Ok();
  }
  struct addrinfo hints = {};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_DGRAM;  // one result per address
  const char* node = name.c_str();
  const char* service = nullptr;
  if (name.empty()) {  // all interfaces
    hints.ai_flags = AI_PASSIVE;
    node = nullptr;
    service = "0";
  }
  struct addrinfo* found = nullptr;
  int error = Blocking(ts, [&] { return getaddrinfo(node, service, &hints, &found); });
  if (error != 0) return RaiseGaiError(ts, error);
  if (found->ai_addrlen > sizeof *out) {
    freeaddrinfo(found);
    return Raise(ts, Exc::kOSError, "address too long");
  }
  bool several = name.empty() && found->ai_next != nullptr;
  std::memcpy(out, found->ai_addr, found->ai_addrlen);
  *length = found->ai_addrlen;
  freeaddrinfo(found);
  if (several) return Raise(ts, Exc::kOSError, "wildcard resolved to multiple address");
  return Ok();
}

namespace {

// A port; *out in network order.
Status ParsePort(ThreadState& ts, Value v, const char* function, in_port_t* out) {
  MVM_TRY(Ref<> i, Index(ts, v));
  int64_t port;
  if (!IntFitsInt64(i, &port) || port < 0 || port > 0xFFFF) {
    return Raise(ts, Exc::kOverflowError, "%s(): port must be 0-65535.", function);
  }
  *out = htons(static_cast<uint16_t>(port));
  return Ok();
}

Status ParseInet(ThreadState& ts, Value v, const char* function, SocketAddress* out,
                 socklen_t* length) {
  if (!IsTuple(ts, v)) {
    return Raise(ts, Exc::kTypeError, "%s(): AF_INET address must be tuple, not %T", function, v);
  }
  TupleObject* t = v.as<TupleObject>();
  if (t->size() != 2) {
    return Raise(ts, Exc::kTypeError, "AF_INET address must be a pair (host, port)");
  }
  std::string host;
  MVM_TRY_VOID(ParseHost(ts, (*t)[0], &host));
  in_port_t port;
  // The port first: it is checked before a name is looked up.
  MVM_TRY_VOID(ParsePort(ts, (*t)[1], function, &port));
  MVM_TRY_VOID(ResolveHost(ts, host, AF_INET, out, length));
  auto* in = reinterpret_cast<struct sockaddr_in*>(out);
  in->sin_family = AF_INET;
  in->sin_port = port;
  *length = sizeof *in;
  return Ok();
}

Status ParseInet6(ThreadState& ts, Value v, const char* function, SocketAddress* out,
                  socklen_t* length) {
  if (!IsTuple(ts, v)) {
    return Raise(ts, Exc::kTypeError, "%s(): AF_INET6 address must be tuple, not %T", function, v);
  }
  TupleObject* t = v.as<TupleObject>();
  if (t->size() < 2 || t->size() > 4) {
    return Raise(ts, Exc::kTypeError,
                 "AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])");
  }
  std::string host;
  MVM_TRY_VOID(ParseHost(ts, (*t)[0], &host));
  in_port_t port;
  MVM_TRY_VOID(ParsePort(ts, (*t)[1], function, &port));
  int64_t numbers[2] = {0, 0};  // flowinfo, scope id
  for (uint32_t i = 2; i < t->size(); ++i) {
    MVM_TRY(Ref<> n, Index(ts, (*t)[i]));
    if (!IntFitsInt64(n, &numbers[i - 2])) numbers[i - 2] = -1;
  }
  if (numbers[0] < 0 || numbers[0] > 0xFFFFF) {
    return Raise(ts, Exc::kOverflowError, "%s(): flowinfo must be 0-1048575.", function);
  }
  MVM_TRY_VOID(ResolveHost(ts, host, AF_INET6, out, length));
  auto* in = reinterpret_cast<struct sockaddr_in6*>(out);
  in->sin6_family = AF_INET6;
  in->sin6_port = port;
  in->sin6_flowinfo = htonl(static_cast<uint32_t>(numbers[0]));
  if (t->size() == 4) in->sin6_scope_id = static_cast<uint32_t>(numbers[1]);
  *length = sizeof *in;
  return Ok();
}

Status ParseUnix(ThreadState& ts, Value v, SocketAddress* out, socklen_t* length) {
  std::string path;
  if (IsStr(ts, v)) {
    // Not ToOsString: an abstract name begins with a NUL.
    MVM_TRY(Ref<StrObject> encode, InternUtf8(ts, "encode"));
    MVM_TRY(Ref<StrObject> codec, NewStr(ts, "utf-8"));
    MVM_TRY(Ref<StrObject> errors, NewStr(ts, "surrogateescape"));
    Value args[] = {Value(codec.get()), Value(errors.get())};
    MVM_TRY(Ref<> bytes, CallMethod(ts, v, encode, args));
    if (!IsBytes(ts, bytes)) return Raise(ts, Exc::kTypeError, "encoding of path failed");
    path = bytes.as<BytesObject>()->view();
  } else {
    ByteView view;
    MVM_TRY_VOID(view.Get(ts, v));
    path = view.view();
  }
  std::memset(out, 0, sizeof *out);
  auto* un = reinterpret_cast<struct sockaddr_un*>(out);
  un->sun_family = AF_UNIX;
  const bool abstract = !path.empty() && path[0] == '\0';
  // A path ends with a NUL, an abstract name where its length says.
  if (path.size() + (abstract ? 0 : 1) > sizeof un->sun_path) {
    return Raise(ts, Exc::kOSError, "AF_UNIX path too long");
  }
  if (!abstract && path.find('\0') != std::string::npos) {
    return Raise(ts, Exc::kValueError, "embedded null byte");
  }
  std::memcpy(un->sun_path, path.data(), path.size());
  // An empty path has the system choose an abstract name.
  *length = static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + path.size() +
                                   (abstract || path.empty() ? 0 : 1));
  return Ok();
}

Status ParseNetlink(ThreadState& ts, Value v, const char* function, SocketAddress* out,
                    socklen_t* length) {
  if (!IsTuple(ts, v)) {
    return Raise(ts, Exc::kTypeError, "%s(): AF_NETLINK address must be tuple, not %T", function,
                 v);
  }
  TupleObject* t = v.as<TupleObject>();
  if (t->size() != 2) {
    return Raise(ts, Exc::kTypeError, "AF_NETLINK address must be a pair (pid, groups)");
  }
  MVM_TRY(Ref<> pid, Index(ts, (*t)[0]));
  MVM_TRY(Ref<> groups, Index(ts, (*t)[1]));
  std::memset(out, 0, sizeof *out);
  auto* nl = reinterpret_cast<struct sockaddr_nl*>(out);
  nl->nl_family = AF_NETLINK;
  nl->nl_pid = static_cast<uint32_t>(IntLowBits(pid));
  nl->nl_groups = static_cast<uint32_t>(IntLowBits(groups));
  *length = sizeof *nl;
  return Ok();
}

}  // namespace

Status ParseAddress(ThreadState& ts, int family, Value v, const char* function, SocketAddress* out,
                    socklen_t* length) {
  switch (family) {
    case AF_INET: return ParseInet(ts, v, function, out, length);
    case AF_INET6: return ParseInet6(ts, v, function, out, length);
    case AF_UNIX: return ParseUnix(ts, v, out, length);
    case AF_NETLINK: return ParseNetlink(ts, v, function, out, length);
    default: return Raise(ts, Exc::kOSError, "%s(): bad family", function);
  }
}

Result<> MakeAddress(ThreadState& ts, const SocketAddress& address, socklen_t length) {
  if (length == 0) return None(ts);
  switch (address.any.sa_family) {
    case AF_INET: {
      auto* in = reinterpret_cast<const struct sockaddr_in*>(&address);
      char text[INET_ADDRSTRLEN];
      if (inet_ntop(AF_INET, &in->sin_addr, text, sizeof text) == nullptr) {
        return RaiseErrno(ts, errno);
      }
      MVM_TRY(Ref<StrObject> host, NewStr(ts, text));
      Value v[] = {Value(host.get()), Value::Int(ntohs(in->sin_port))};
      return NewTuple(ts, v);
    }
    case AF_INET6: {
      auto* in = reinterpret_cast<const struct sockaddr_in6*>(&address);
      char text[INET6_ADDRSTRLEN];
      if (inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text) == nullptr) {
        return RaiseErrno(ts, errno);
      }
      MVM_TRY(Ref<StrObject> host, NewStr(ts, text));
      Value v[] = {Value(host.get()), Value::Int(ntohs(in->sin6_port)),
                   Value::Int(ntohl(in->sin6_flowinfo)), Value::Int(in->sin6_scope_id)};
      return NewTuple(ts, v);
    }
    case AF_UNIX: {
      auto* un = reinterpret_cast<const struct sockaddr_un*>(&address);
      constexpr size_t kOffset = offsetof(struct sockaddr_un, sun_path);
      size_t n = length > kOffset ? length - kOffset : 0;
      if (n > 0 && un->sun_path[0] == '\0') return NewBytes(ts, {un->sun_path, n});
      return NewStrFromOs(ts, {un->sun_path, strnlen(un->sun_path, n)});
    }
    case AF_NETLINK: {
      auto* nl = reinterpret_cast<const struct sockaddr_nl*>(&address);
      Value v[] = {Value::Int(nl->nl_pid), Value::Int(nl->nl_groups)};
      return NewTuple(ts, v);
    }
    default: {
      // As it is: the family and the bytes.
      constexpr size_t kOffset = offsetof(struct sockaddr, sa_data);
      size_t n = length > kOffset ? length - kOffset : 0;
      MVM_TRY(Ref<BytesObject> raw,
              NewBytes(ts, {reinterpret_cast<const char*>(&address) + kOffset, n}));
      Value v[] = {Value::Int(address.any.sa_family), Value(raw.get())};
      return NewTuple(ts, v);
    }
  }
}

}  // namespace minivm

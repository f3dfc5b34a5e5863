// Names and numbers: hosts, services, protocols, interfaces, byte order.
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <climits>
#include <cstring>
#include <vector>

#include "stdlib/posix/posix_support.h"
#include "stdlib/socket/socket_types.h"

namespace minivm {

namespace {

Status StrArgument(ThreadState& ts, Value v, const char* what, std::string* out) {
  if (!IsStr(ts, v)) return Raise(ts, Exc::kTypeError, "%s must be str, not %T", what, v);
  return ToOsString(ts, v.as<StrObject>(), out);
}

// ---- hosts ----

struct AddrinfoList {
  struct addrinfo* first = nullptr;
  ~AddrinfoList() {
    if (first != nullptr) freeaddrinfo(first);
  }
};

// A port or service: None, an int, a name.
Status ParseService(ThreadState& ts, Value v, std::string* out, bool* given) {
  *given = true;
  if (IsNone(ts, v)) {
    *given = false;
  } else if (IsInt(ts, v)) {
    MVM_TRY(Ref<StrObject> text, IntToStr(ts, v, 10, false));
    AppendUtf8(text, out);
  } else if (IsStr(ts, v)) {
    return ToOsString(ts, v.as<StrObject>(), out);
  } else if (IsBytes(ts, v)) {
    *out = v.as<BytesObject>()->view();
    if (out->find('\0') != std::string::npos) {
      return Raise(ts, Exc::kValueError, "embedded null character");
    }
  } else {
    return Raise(ts, Exc::kOSError, "Int or String expected");
  }
  return Ok();
}

// getaddrinfo(host, port, family=0, type=0, proto=0, flags=0)
Result<> socket_getaddrinfo(ThreadState& ts, Args args) {
  std::string host, service;
  bool has_host = !IsNone(ts, args[0]), has_service;
  if (has_host) {
    if (!IsStr(ts, args[0]) && !IsBytes(ts, args[0])) {
      return Raise(ts, Exc::kTypeError, "getaddrinfo() argument 1 must be string or None");
    }
    MVM_TRY_VOID(ParseHost(ts, args[0], &host));
  }
  MVM_TRY_VOID(ParseService(ts, args[1], &service, &has_service));
  struct addrinfo hints = {};
  MVM_TRY(hints.ai_family, AsCInt(ts, args[2]));
  MVM_TRY(hints.ai_socktype, AsCInt(ts, args[3]));
  MVM_TRY(hints.ai_protocol, AsCInt(ts, args[4]));
  MVM_TRY(hints.ai_flags, AsCInt(ts, args[5]));
  AddrinfoList found;
  int error = Blocking(ts, [&] {
    return getaddrinfo(has_host ? host.c_str() : nullptr, has_service ? service.c_str() : nullptr,
                       &hints, &found.first);
  });
  if (error != 0) return RaiseGaiError(ts, error);
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
  for (struct addrinfo* a = found.first; a != nullptr; a = a->ai_next) {
    SocketAddress address = {};
    if (a->ai_addrlen > sizeof address) continue;
    std::memcpy(&address, a->ai_addr, a->ai_addrlen);
    MVM_TRY(Ref<> shown, MakeAddress(ts, address, a->ai_addrlen));
    MVM_TRY(Ref<StrObject> name, NewStrFromOs(ts, a->ai_canonname ? a->ai_canonname : ""));
    Value v[] = {Value::Int(a->ai_family), Value::Int(a->ai_socktype), Value::Int(a->ai_protocol),
                 Value(name.get()), shown.get()};
    MVM_TRY(Ref<TupleObject> row, NewTuple(ts, v));
    MVM_TRY_VOID(ListAppend(ts, list, Value(row.get())));
  }
  return list;
}

// getnameinfo(sockaddr, flags) -> (host, service)
Result<> socket_getnameinfo(ThreadState& ts, Args args) {
  if (!IsTuple(ts, args[0])) {
    return Raise(ts, Exc::kTypeError, "getnameinfo() argument 1 must be a tuple");
  }
  MVM_TRY(int flags, AsCInt(ts, args[1]));
  TupleObject* t = args.as<TupleObject>(0);
  if (t->size() < 2 || t->size() > 4 || !IsStr(ts, (*t)[0])) {
    return Raise(ts, Exc::kTypeError, "getnameinfo(): illegal sockaddr argument");
  }
  std::string host;
  MVM_TRY_VOID(StrArgument(ts, (*t)[0], "host", &host));
  int64_t numbers[3] = {0, 0, 0};  // port, flowinfo, scope id
  for (uint32_t i = 1; i < t->size(); ++i) {
    MVM_TRY(numbers[i - 1], AsOffset(ts, (*t)[i]));
  }
  if (numbers[1] < 0 || numbers[1] > 0xFFFFF) {
    return Raise(ts, Exc::kOverflowError, "getnameinfo(): flowinfo must be 0-1048575.");
  }
  struct addrinfo hints = {};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICHOST;
  std::string port = std::to_string(numbers[0]);
  AddrinfoList found;
  int error =
      Blocking(ts, [&] { return getaddrinfo(host.c_str(), port.c_str(), &hints, &found.first); });
  if (error != 0) return RaiseGaiError(ts, error);
  if (found.first->ai_next != nullptr) {
    return Raise(ts, Exc::kOSError, "sockaddr resolved to multiple addresses");
  }
  if (found.first->ai_family == AF_INET) {
    if (t->size() != 2) return Raise(ts, Exc::kOSError, "IPv4 sockaddr must be 2 tuple");
  } else if (found.first->ai_family == AF_INET6) {
    auto* in = reinterpret_cast<struct sockaddr_in6*>(found.first->ai_addr);
    in->sin6_flowinfo = htonl(static_cast<uint32_t>(numbers[1]));
    in->sin6_scope_id = static_cast<uint32_t>(numbers[2]);
  }
  char name[NI_MAXHOST], service[NI_MAXSERV];
  error = Blocking(ts, [&] {
    return getnameinfo(found.first->ai_addr, found.first->ai_addrlen, name, sizeof name, service,
                       sizeof service, flags);
  });
  if (error != 0) return RaiseGaiError(ts, error);
  MVM_TRY(Ref<StrObject> a, NewStrFromOs(ts, name));
  MVM_TRY(Ref<StrObject> b, NewStrFromOs(ts, service));
  Value pair[] = {Value(a.get()), Value(b.get())};
  return NewTuple(ts, pair);
}

Result<> socket_gethostbyname(ThreadState& ts, Args args) {
  std::string host;
  MVM_TRY_VOID(ParseHost(ts, args[0], &host));
  SocketAddress address;
  socklen_t length;
  MVM_TRY_VOID(ResolveHost(ts, host, AF_INET, &address, &length));
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &reinterpret_cast<struct sockaddr_in*>(&address)->sin_addr, text, sizeof text);
  return NewStr(ts, text);
}

// (name, aliases, addresses)
Result<> HostEntry(ThreadState& ts, const struct hostent& h) {
  MVM_TRY(Ref<StrObject> name, NewStrFromOs(ts, h.h_name));
  MVM_TRY(Ref<ListObject> aliases, NewListReserve(ts, 0));
  for (char** a = h.h_aliases; a != nullptr && *a != nullptr; ++a) {
    MVM_TRY(Ref<StrObject> alias, NewStrFromOs(ts, *a));
    MVM_TRY_VOID(ListAppend(ts, aliases, Value(alias.get())));
  }
  MVM_TRY(Ref<ListObject> addresses, NewListReserve(ts, 0));
  for (char** a = h.h_addr_list; a != nullptr && *a != nullptr; ++a) {
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(h.h_addrtype, *a, text, sizeof text) == nullptr) continue;
    MVM_TRY(Ref<StrObject> address, NewStr(ts, text));
    MVM_TRY_VOID(ListAppend(ts, addresses, Value(address.get())));
  }
  Value v[] = {Value(name.get()), Value(aliases.get()), Value(addresses.get())};
  return NewTuple(ts, v);
}

// Calls look_up(entry, buffer, size, &found, &error) with buffers that grow until one is big
// enough.
template <class F>
Result<> LookUpHost(ThreadState& ts, F look_up) {
  struct hostent entry;
  std::vector<char> buffer;
  for (size_t size = 4096; size <= size_t{1} << 20; size *= 4) {
    buffer.resize(size);
    struct hostent* found = nullptr;
    int error = 0;
    int r = Blocking(ts, [&] { return look_up(&entry, buffer.data(), size, &found, &error); });
    if (r == ERANGE) continue;
    if (found == nullptr) return RaiseHostError(ts, error);
    return HostEntry(ts, entry);
  }
  return RaiseMemoryError(ts);
}

Result<> socket_gethostbyname_ex(ThreadState& ts, Args args) {
  std::string host;
  MVM_TRY_VOID(ParseHost(ts, args[0], &host));
  SocketAddress address;
  socklen_t length;
  MVM_TRY_VOID(ResolveHost(ts, host, AF_INET, &address, &length));  // its errors
  return LookUpHost(ts,
                    [&](struct hostent* e, char* b, size_t n, struct hostent** out, int* error) {
                      return gethostbyname_r(host.c_str(), e, b, n, out, error);
                    });
}

Result<> socket_gethostbyaddr(ThreadState& ts, Args args) {
  std::string host;
  MVM_TRY_VOID(ParseHost(ts, args[0], &host));
  SocketAddress address;
  socklen_t length;
  MVM_TRY_VOID(ResolveHost(ts, host, AF_UNSPEC, &address, &length));
  const void* data;
  socklen_t size;
  const int family = address.any.sa_family;
  if (family == AF_INET) {
    data = &reinterpret_cast<struct sockaddr_in*>(&address)->sin_addr;
    size = sizeof(struct in_addr);
  } else if (family == AF_INET6) {
    data = &reinterpret_cast<struct sockaddr_in6*>(&address)->sin6_addr;
    size = sizeof(struct in6_addr);
  } else {
    return Raise(ts, Exc::kOSError, "unsupported address family");
  }
  return LookUpHost(ts,
                    [&](struct hostent* e, char* b, size_t n, struct hostent** out, int* error) {
                      return gethostbyaddr_r(data, size, family, e, b, n, out, error);
                    });
}

Result<> socket_gethostname(ThreadState& ts, Args args) {
  char name[1024] = {};
  if (gethostname(name, sizeof name - 1) < 0) return RaiseErrno(ts, errno);
  return NewStrFromOs(ts, name);
}
Result<> socket_sethostname(ThreadState& ts, Args args) {
  std::string name;
  if (IsBytes(ts, args[0])) {
    name = args.as<BytesObject>(0)->view();
  } else {
    MVM_TRY_VOID(StrArgument(ts, args[0], "sethostname() argument 1", &name));
  }
  return DoneOrErrno(ts, sethostname(name.data(), name.size()));
}

// ---- services and protocols ----

Result<> socket_getservbyname(ThreadState& ts, Args args) {
  std::string name, proto;
  MVM_TRY_VOID(StrArgument(ts, args[0], "getservbyname() argument 1", &name));
  if (args.has(1)) MVM_TRY_VOID(StrArgument(ts, args[1], "getservbyname() argument 2", &proto));
  struct servent entry, *found = nullptr;
  char buffer[4096];
  getservbyname_r(name.c_str(), args.has(1) ? proto.c_str() : nullptr, &entry, buffer,
                  sizeof buffer, &found);
  if (found == nullptr) return Raise(ts, Exc::kOSError, "service/proto not found");
  return Small(ntohs(static_cast<uint16_t>(entry.s_port)));
}
Result<> socket_getservbyport(ThreadState& ts, Args args) {
  MVM_TRY(int port, AsCInt(ts, args[0]));
  if (port < 0 || port > 0xFFFF) {
    return Raise(ts, Exc::kOverflowError, "getservbyport: port must be 0-65535.");
  }
  std::string proto;
  if (args.has(1)) MVM_TRY_VOID(StrArgument(ts, args[1], "getservbyport() argument 2", &proto));
  struct servent entry, *found = nullptr;
  char buffer[4096];
  getservbyport_r(htons(static_cast<uint16_t>(port)), args.has(1) ? proto.c_str() : nullptr, &entry,
                  buffer, sizeof buffer, &found);
  if (found == nullptr) return Raise(ts, Exc::kOSError, "port/proto not found");
  return NewStrFromOs(ts, entry.s_name);
}
Result<> socket_getprotobyname(ThreadState& ts, Args args) {
  std::string name;
  MVM_TRY_VOID(StrArgument(ts, args[0], "getprotobyname() argument 1", &name));
  struct protoent entry, *found = nullptr;
  char buffer[4096];
  getprotobyname_r(name.c_str(), &entry, buffer, sizeof buffer, &found);
  if (found == nullptr) return Raise(ts, Exc::kOSError, "protocol not found");
  return Small(entry.p_proto);
}

// ---- numbers ----

Result<> Swap16(ThreadState& ts, Value v, const char* name) {
  MVM_TRY(Ref<> i, Index(ts, v));
  int64_t n;
  if (!IntFitsInt64(i, &n) || n > INT_MAX || n < INT_MIN) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  }
  if (n < 0) {
    return Raise(ts, Exc::kOverflowError,
                 "%s: can't convert negative Python int to C 16-bit unsigned integer", name);
  }
  if (n > 0xFFFF) {
    return Raise(ts, Exc::kOverflowError,
                 "%s: Python int too large to convert to C 16-bit unsigned integer", name);
  }
  return Small(htons(static_cast<uint16_t>(n)));
}
Result<> socket_htons(ThreadState& ts, Args args) { return Swap16(ts, args[0], "htons"); }
Result<> socket_ntohs(ThreadState& ts, Args args) { return Swap16(ts, args[0], "ntohs"); }

Result<> socket_htonl(ThreadState& ts, Args args) {
  if (!IsInt(ts, args[0])) return Raise(ts, Exc::kTypeError, "expected int, %T found", args[0]);
  if (IntSign(args[0]) < 0) {
    return Raise(ts, Exc::kOverflowError, "can't convert negative value to unsigned int");
  }
  uint64_t n;
  if (!IntFitsUint64(args[0], &n) || n > UINT32_MAX) {
    return Raise(ts, Exc::kOverflowError, "int larger than 32 bits");
  }
  return Small(htonl(static_cast<uint32_t>(n)));
}

Result<> socket_inet_aton(ThreadState& ts, Args args) {
  std::string text;
  MVM_TRY_VOID(StrArgument(ts, args[0], "inet_aton() argument", &text));
  struct in_addr address;
  if (inet_aton(text.c_str(), &address) == 0) {
    return Raise(ts, Exc::kOSError, "illegal IP address string passed to inet_aton");
  }
  return NewBytes(ts, {reinterpret_cast<const char*>(&address), sizeof address});
}
Result<> socket_inet_ntoa(ThreadState& ts, Args args) {
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, args[0]));
  if (view.size() != sizeof(struct in_addr)) {
    return Raise(ts, Exc::kOSError, "packed IP wrong length for inet_ntoa");
  }
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, view.data(), text, sizeof text);
  return NewStr(ts, text);
}
Result<> socket_inet_pton(ThreadState& ts, Args args) {
  MVM_TRY(int family, AsCInt(ts, args[0]));
  std::string text;
  MVM_TRY_VOID(StrArgument(ts, args[1], "inet_pton() argument 2", &text));
  char address[sizeof(struct in6_addr)];
  int r = inet_pton(family, text.c_str(), address);
  if (r < 0) return RaiseErrno(ts, errno);
  if (r == 0) return Raise(ts, Exc::kOSError, "illegal IP address string passed to inet_pton");
  return NewBytes(ts,
                  {address, family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr)});
}
Result<> socket_inet_ntop(ThreadState& ts, Args args) {
  MVM_TRY(int family, AsCInt(ts, args[0]));
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, args[1]));
  if (family != AF_INET && family != AF_INET6) {
    return Raise(ts, Exc::kValueError, "unknown address family %d", family);
  }
  if (view.size() != (family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr))) {
    return Raise(ts, Exc::kValueError, "invalid length of packed IP address string");
  }
  char text[INET6_ADDRSTRLEN];
  if (inet_ntop(family, view.data(), text, sizeof text) == nullptr) return RaiseErrno(ts, errno);
  return NewStr(ts, text);
}

// ---- interfaces ----

Result<> socket_if_nametoindex(ThreadState& ts, Args args) {
  PathArg name;
  MVM_TRY_VOID(GetPath(ts, args[0], &name, "if_nametoindex", "name"));
  unsigned index = if_nametoindex(name.c_str());
  if (index == 0) return Raise(ts, Exc::kOSError, "no interface with this name");
  return Small(index);
}
Result<> socket_if_indextoname(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> i, Index(ts, args[0]));
  if (IntSign(i) < 0) {
    return Raise(ts, Exc::kOverflowError, "can't convert negative value to unsigned int");
  }
  uint64_t index;
  if (!IntFitsUint64(i, &index) || index > UINT_MAX) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C unsigned int");
  }
  char name[IF_NAMESIZE + 1];
  if (if_indextoname(static_cast<unsigned>(index), name) == nullptr) return RaiseErrno(ts, errno);
  return NewStrFromOs(ts, name);
}
Result<> socket_if_nameindex(ThreadState& ts, Args args) {
  struct Names {
    struct if_nameindex* rows = ::if_nameindex();
    ~Names() {
      if (rows != nullptr) if_freenameindex(rows);
    }
  } names;
  if (names.rows == nullptr) return RaiseErrno(ts, errno);
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
  for (struct if_nameindex* r = names.rows; r->if_index != 0 && r->if_name != nullptr; ++r) {
    MVM_TRY(Ref<StrObject> name, NewStrFromOs(ts, r->if_name));
    Value pair[] = {Value::Int(r->if_index), Value(name.get())};
    MVM_TRY(Ref<TupleObject> t, NewTuple(ts, pair));
    MVM_TRY_VOID(ListAppend(ts, list, Value(t.get())));
  }
  return list;
}

// ---- sizes of ancillary data ----

Result<> AncillarySize(ThreadState& ts, Value v, const char* name, bool space) {
  MVM_TRY(Ref<> i, Index(ts, v));
  int64_t n;
  if (!IntFitsInt64(i, &n)) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C ssize_t");
  }
  const size_t size = static_cast<size_t>(n);
  const size_t most = size_t{INT_MAX} - (space ? CMSG_SPACE(1) : CMSG_LEN(0));
  size_t total = n < 0 || size > most ? size_t{INT_MAX} + 1
                 : space              ? CMSG_SPACE(size)
                                      : CMSG_LEN(size);
  if (total > INT_MAX) {
    return Raise(ts, Exc::kOverflowError, "%s() argument out of range", name);
  }
  return Small(static_cast<int64_t>(total));
}
Result<> socket_CMSG_LEN(ThreadState& ts, Args args) {
  return AncillarySize(ts, args[0], "CMSG_LEN", false);
}
Result<> socket_CMSG_SPACE(ThreadState& ts, Args args) {
  return AncillarySize(ts, args[0], "CMSG_SPACE", true);
}

const MethodSpec kFunctions[] = {
    {"CMSG_LEN(length, /)", socket_CMSG_LEN,
     "How much of an ancillary buffer an item of length bytes takes, up to its last byte."},
    {"CMSG_SPACE(length, /)", socket_CMSG_SPACE,
     "How much of an ancillary buffer an item of length bytes takes, padding included."},
    {"getaddrinfo(host, port, family=0, type=0, proto=0, flags=0)", socket_getaddrinfo,
     "The addresses of a host and port, as tuples (family, type, proto, canonname, address). A "
     "port may be a service's name."},
    {"gethostbyaddr(host, /)", socket_gethostbyaddr,
     "The (name, aliaslist, addresslist) of a host, by IP number or name."},
    {"gethostbyname(host, /)", socket_gethostbyname, "The IP address of a host, as a string."},
    {"gethostbyname_ex(host, /)", socket_gethostbyname_ex,
     "The (name, aliaslist, addresslist) of a host."},
    {"gethostname()", socket_gethostname, "What this machine is called."},
    {"getnameinfo(sockaddr, flags, /)", socket_getnameinfo,
     "The (host, port) names of a socket address."},
    {"getprotobyname(name, /)", socket_getprotobyname, "The number of a protocol."},
    {"getservbyname(servicename, protocolname=<unrepresentable>, /)", socket_getservbyname,
     "The port of a service."},
    {"getservbyport(port, protocolname=<unrepresentable>, /)", socket_getservbyport,
     "The service of a port."},
    {"htonl(x, /)", socket_htonl, "A 32-bit integer with the network's byte order."},
    {"htons(x, /)", socket_htons, "A 16-bit integer with the network's byte order."},
    {"if_indextoname(if_index, /)", socket_if_indextoname,
     "The name of the interface with an index."},
    {"if_nameindex()", socket_if_nameindex, "A list of (index, name) of the network interfaces."},
    {"if_nametoindex(oname, /)", socket_if_nametoindex, "The index of the interface with a name."},
    {"inet_aton(ip_addr, /)", socket_inet_aton,
     "The four bytes of an IPv4 address in text; '127.1' and the like too."},
    {"inet_ntoa(packed_ip, /)", socket_inet_ntoa, "The text of an IPv4 address in four bytes."},
    {"inet_ntop(af, packed_ip, /)", socket_inet_ntop,
     "The text of an address in bytes: four for AF_INET, sixteen for AF_INET6."},
    {"inet_pton(af, ip, /)", socket_inet_pton,
     "The bytes of an address in text, AF_INET or AF_INET6."},
    {"ntohl(x, /)", socket_htonl, "A 32-bit integer back from the network's byte order."},
    {"ntohs(x, /)", socket_ntohs, "A 16-bit integer back from the network's byte order."},
    {"sethostname(name, /)", socket_sethostname, "Set what this machine is called; for root."},
};

}  // namespace

const Table<MethodSpec> kResolverFunctions = kFunctions;

}  // namespace minivm

// The module _socket: what socket is built on. Its parts are in stdlib/socket/.
#include <linux/netlink.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/un.h>

#include "runtime/native/native_function.h"
#include "stdlib/exception_class.h"
#include "stdlib/socket/socket_types.h"

namespace minivm {

namespace {

const ConstantSpec kConstants[] = {
#define C(name) {#name, ConstantSpec::kInt, static_cast<int64_t>(name)}
    C(AF_ALG), C(AF_APPLETALK), C(AF_ASH), C(AF_ATMPVC), C(AF_ATMSVC), C(AF_AX25),
    C(AF_BRIDGE), C(AF_CAN), C(AF_ECONET), C(AF_INET), C(AF_INET6), C(AF_IPX), C(AF_IRDA),
    C(AF_KEY), C(AF_LLC), C(AF_NETBEUI), C(AF_NETLINK), C(AF_NETROM), C(AF_PACKET),
    C(AF_PPPOX), C(AF_QIPCRTR), C(AF_RDS), C(AF_ROSE), C(AF_ROUTE), C(AF_SECURITY), C(AF_SNA),
    C(AF_TIPC), C(AF_UNIX), C(AF_UNSPEC), C(AF_VSOCK), C(AF_WANPIPE), C(AF_X25),
    C(AI_ADDRCONFIG), C(AI_ALL), C(AI_CANONNAME), C(AI_NUMERICHOST), C(AI_NUMERICSERV),
    C(AI_PASSIVE), C(AI_V4MAPPED), C(EAI_ADDRFAMILY), C(EAI_AGAIN), C(EAI_BADFLAGS),
    C(EAI_FAIL), C(EAI_FAMILY), C(EAI_MEMORY), C(EAI_NODATA), C(EAI_NONAME), C(EAI_OVERFLOW),
    C(EAI_SERVICE), C(EAI_SOCKTYPE), C(EAI_SYSTEM), C(INADDR_ALLHOSTS_GROUP), C(INADDR_ANY),
    C(INADDR_BROADCAST), C(INADDR_LOOPBACK), C(INADDR_MAX_LOCAL_GROUP), C(INADDR_NONE),
    C(INADDR_UNSPEC_GROUP), C(IPPORT_RESERVED), C(IPPORT_USERRESERVED), C(IPPROTO_AH),
    C(IPPROTO_DSTOPTS), C(IPPROTO_EGP), C(IPPROTO_ESP), C(IPPROTO_FRAGMENT), C(IPPROTO_GRE),
    C(IPPROTO_HOPOPTS), C(IPPROTO_ICMP), C(IPPROTO_ICMPV6), C(IPPROTO_IDP), C(IPPROTO_IGMP),
    C(IPPROTO_IP), C(IPPROTO_IPIP), C(IPPROTO_IPV6), C(IPPROTO_MPTCP), C(IPPROTO_NONE),
    C(IPPROTO_PIM), C(IPPROTO_PUP), C(IPPROTO_RAW), C(IPPROTO_ROUTING), C(IPPROTO_RSVP),
    C(IPPROTO_SCTP), C(IPPROTO_TCP), C(IPPROTO_TP), C(IPPROTO_UDP), C(IPPROTO_UDPLITE),
    C(IPV6_CHECKSUM), C(IPV6_DONTFRAG), C(IPV6_DSTOPTS), C(IPV6_HOPLIMIT), C(IPV6_HOPOPTS),
    C(IPV6_JOIN_GROUP), C(IPV6_LEAVE_GROUP), C(IPV6_MULTICAST_HOPS), C(IPV6_MULTICAST_IF),
    C(IPV6_MULTICAST_LOOP), C(IPV6_NEXTHOP), C(IPV6_PATHMTU), C(IPV6_PKTINFO),
    C(IPV6_RECVDSTOPTS), C(IPV6_RECVHOPLIMIT), C(IPV6_RECVHOPOPTS), C(IPV6_RECVPATHMTU),
    C(IPV6_RECVPKTINFO), C(IPV6_RECVRTHDR), C(IPV6_RECVTCLASS), C(IPV6_RTHDR),
    C(IPV6_RTHDRDSTOPTS), C(IPV6_RTHDR_TYPE_0), C(IPV6_TCLASS), C(IPV6_UNICAST_HOPS),
    C(IPV6_V6ONLY), C(IP_ADD_MEMBERSHIP), C(IP_ADD_SOURCE_MEMBERSHIP),
    C(IP_BIND_ADDRESS_NO_PORT), C(IP_BLOCK_SOURCE), C(IP_DEFAULT_MULTICAST_LOOP),
    C(IP_DEFAULT_MULTICAST_TTL), C(IP_DROP_MEMBERSHIP), C(IP_DROP_SOURCE_MEMBERSHIP),
    C(IP_HDRINCL), C(IP_MAX_MEMBERSHIPS), C(IP_MULTICAST_IF), C(IP_MULTICAST_LOOP),
    C(IP_MULTICAST_TTL), C(IP_OPTIONS), C(IP_PKTINFO), C(IP_RECVOPTS), C(IP_RECVRETOPTS),
    C(IP_RECVTOS), C(IP_RETOPTS), C(IP_TOS), C(IP_TRANSPARENT), C(IP_TTL),
    C(IP_UNBLOCK_SOURCE), C(MSG_CMSG_CLOEXEC), C(MSG_CONFIRM), C(MSG_CTRUNC),
    C(MSG_DONTROUTE), C(MSG_DONTWAIT), C(MSG_EOR), C(MSG_ERRQUEUE), C(MSG_FASTOPEN),
    C(MSG_MORE), C(MSG_NOSIGNAL), C(MSG_OOB), C(MSG_PEEK), C(MSG_TRUNC), C(MSG_WAITALL),
    C(NETLINK_CRYPTO), C(NETLINK_DNRTMSG), C(NETLINK_FIREWALL), C(NETLINK_IP6_FW),
    C(NETLINK_NFLOG), C(NETLINK_ROUTE), C(NETLINK_USERSOCK), C(NETLINK_XFRM), C(NI_DGRAM),
    C(NI_IDN), C(NI_MAXHOST), C(NI_MAXSERV), C(NI_NAMEREQD), C(NI_NOFQDN), C(NI_NUMERICHOST),
    C(NI_NUMERICSERV), C(SCM_CREDENTIALS), C(SCM_RIGHTS), C(SHUT_RD), C(SHUT_RDWR),
    C(SHUT_WR), C(SOCK_CLOEXEC), C(SOCK_DGRAM), C(SOCK_NONBLOCK), C(SOCK_RAW), C(SOCK_RDM),
    C(SOCK_SEQPACKET), C(SOCK_STREAM), C(SOL_IP), C(SOL_SOCKET), C(SOL_TCP), C(SOL_UDP),
    C(SOMAXCONN), C(SO_ACCEPTCONN), C(SO_BINDTODEVICE), C(SO_BINDTOIFINDEX), C(SO_BROADCAST),
    C(SO_DEBUG), C(SO_DOMAIN), C(SO_DONTROUTE), C(SO_ERROR), C(SO_INCOMING_CPU),
    C(SO_KEEPALIVE), C(SO_LINGER), C(SO_MARK), C(SO_OOBINLINE), C(SO_PASSCRED), C(SO_PASSSEC),
    C(SO_PEERCRED), C(SO_PEERSEC), C(SO_PRIORITY), C(SO_PROTOCOL), C(SO_RCVBUF),
    C(SO_RCVLOWAT), C(SO_RCVTIMEO), C(SO_REUSEADDR), C(SO_REUSEPORT), C(SO_SNDBUF),
    C(SO_SNDLOWAT), C(SO_SNDTIMEO), C(SO_TYPE), C(TCP_CC_INFO), C(TCP_CONGESTION),
    C(TCP_CORK), C(TCP_DEFER_ACCEPT), C(TCP_FASTOPEN), C(TCP_FASTOPEN_CONNECT),
    C(TCP_FASTOPEN_KEY), C(TCP_FASTOPEN_NO_COOKIE), C(TCP_INFO), C(TCP_INQ), C(TCP_KEEPCNT),
    C(TCP_KEEPIDLE), C(TCP_KEEPINTVL), C(TCP_LINGER2), C(TCP_MAXSEG), C(TCP_MD5SIG),
    C(TCP_MD5SIG_EXT), C(TCP_NODELAY), C(TCP_NOTSENT_LOWAT), C(TCP_QUEUE_SEQ),
    C(TCP_QUICKACK), C(TCP_REPAIR), C(TCP_REPAIR_OPTIONS), C(TCP_REPAIR_QUEUE),
    C(TCP_REPAIR_WINDOW), C(TCP_SAVED_SYN), C(TCP_SAVE_SYN), C(TCP_SYNCNT),
    C(TCP_THIN_DUPACK), C(TCP_THIN_LINEAR_TIMEOUTS), C(TCP_TIMESTAMP), C(TCP_TX_DELAY),
    C(TCP_ULP), C(TCP_USER_TIMEOUT), C(TCP_WINDOW_CLAMP), C(TCP_ZEROCOPY_RECEIVE),
#undef C
    // From a header that hides others.
    {"UDPLITE_SEND_CSCOV", ConstantSpec::kInt, 10},
    {"UDPLITE_RECV_CSCOV", ConstantSpec::kInt, 11},
};

Status exec_socket(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "_socket"));
  for (const Table<MethodSpec>& table : {kSocketDescriptorFunctions, kResolverFunctions}) {
    for (const MethodSpec& spec : table) {
      MVM_TRY(Ref<NativeFunctionObject> f, NewNativeFunction(ts, spec, Value(module), false, name));
      std::string_view text = spec.signature;
      MVM_TRY_VOID(ModuleAdd(ts, module, text.substr(0, text.find('(')), Value(f.get())));
    }
  }
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kSocketType));
  MVM_TRY_VOID(ModuleAdd(ts, module, "socket", Value(type)));
  MVM_TRY_VOID(ModuleAdd(ts, module, "SocketType", Value(type)));
  MVM_TRY_VOID(ModuleAdd(ts, module, "error", Value(ExcType(ts, Exc::kOSError))));
  MVM_TRY_VOID(ModuleAdd(ts, module, "timeout", Value(ExcType(ts, Exc::kTimeoutError))));
  MVM_TRY(Ref<> herror, NewExceptionClass(ts, "herror", "socket", ExcType(ts, Exc::kOSError)));
  MVM_TRY_VOID(ModuleAdd(ts, module, "herror", herror));
  MVM_TRY(Ref<> gaierror, NewExceptionClass(ts, "gaierror", "socket", ExcType(ts, Exc::kOSError)));
  MVM_TRY_VOID(ModuleAdd(ts, module, "gaierror", gaierror));
  return ModuleAdd(ts, module, "has_ipv6", Value(ts.rt->true_));
}

}  // namespace

extern const ModuleSpec k__socket_module;
const ModuleSpec k__socket_module = {
    .name = "_socket",
    .doc = "Implementation module for socket operations.\n\nSee the socket module for documentation.",
    .constants = kConstants,
    .exec = exec_socket,
};

}  // namespace minivm

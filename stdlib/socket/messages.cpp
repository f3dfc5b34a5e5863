// sendmsg() and recvmsg() of sockets: several buffers, ancillary data.
#include <sys/uio.h>

#include <climits>
#include <cstring>
#include <deque>
#include <vector>

#include "stdlib/posix/posix_support.h"
#include "stdlib/socket/socket_types.h"

namespace minivm {

namespace {

// Ancillary messages in a buffer of the system's form as [(level, type, bytes), ...].
Result<ListObject> AncillaryList(ThreadState& ts, struct msghdr* message) {
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
  if (message->msg_controllen == 0) return list;
  const char* end = static_cast<const char*>(message->msg_control) + message->msg_controllen;
  for (struct cmsghdr* c = CMSG_FIRSTHDR(message); c != nullptr; c = CMSG_NXTHDR(message, c)) {
    const char* data = reinterpret_cast<const char*>(CMSG_DATA(c));
    if (data > end || c->cmsg_len < CMSG_LEN(0)) break;
    size_t size = c->cmsg_len - CMSG_LEN(0);
    // The last one may have been cut off.
    if (size > static_cast<size_t>(end - data)) size = static_cast<size_t>(end - data);
    MVM_TRY(Ref<BytesObject> bytes, NewBytes(ts, {data, size}));
    Value triple[] = {Value::Int(c->cmsg_level), Value::Int(c->cmsg_type), Value(bytes.get())};
    MVM_TRY(Ref<TupleObject> t, NewTuple(ts, triple));
    MVM_TRY_VOID(ListAppend(ts, list, Value(t.get())));
  }
  return list;
}

// Receives into the pieces; the four results but the first.
struct Received {
  ssize_t size = 0;
  Ref<> ancillary, address;
  int flags = 0;

  Status Do(ThreadState& ts, SocketObject* s, std::vector<struct iovec>& pieces,
            int64_t ancillary_size, int call_flags) {
    if (ancillary_size < 0 || ancillary_size > INT_MAX) {
      return Raise(ts, Exc::kValueError, "invalid ancillary data buffer length");
    }
    HeldMemory held;
    MVM_TRY_VOID(held.Add(ts, static_cast<size_t>(ancillary_size)));
    std::vector<char> control(static_cast<size_t>(ancillary_size));
    SocketAddress from = {};
    struct msghdr message = {};
    MVM_TRY(size, SocketCall(ts, s, false, DeadlineOf(s), [&](int fd, int extra) {
              message.msg_name = &from;
              message.msg_namelen = sizeof from;
              message.msg_iov = pieces.data();
              message.msg_iovlen = pieces.size();
              message.msg_control = control.empty() ? nullptr : control.data();
              message.msg_controllen = control.size();
              return recvmsg(fd, &message, call_flags | extra);
            }));
    flags = message.msg_flags;
    MVM_TRY(ancillary, Result<>(AncillaryList(ts, &message)));
    MVM_TRY(address, MakeAddress(ts, from, message.msg_namelen));
    return Ok();
  }
};

}  // namespace

Result<> socket_recvmsg(ThreadState& ts, Args args) {
  MVM_TRY(int64_t size, AsOffset(ts, args[1]));
  MVM_TRY(int64_t ancillary_size, AsOffset(ts, args[2]));
  MVM_TRY(int flags, AsCInt(ts, args[3]));
  if (size < 0) return Raise(ts, Exc::kValueError, "negative buffer size in recvmsg()");
  MVM_TRY(Ref<BytesObject> data, NewBytesRaw(ts, static_cast<size_t>(size)));
  std::vector<struct iovec> pieces = {{data->data(), static_cast<size_t>(size)}};
  Received r;
  MVM_TRY_VOID(r.Do(ts, args.self<SocketObject>(), pieces, ancillary_size, flags));
  if (r.size < size) {
    MVM_TRY(data, NewBytes(ts, data->view().substr(0, static_cast<size_t>(r.size))));
  }
  Value v[] = {Value(data.get()), r.ancillary.get(), Value::Int(r.flags), r.address.get()};
  return NewTuple(ts, v);
}

Result<> socket_recvmsg_into(ThreadState& ts, Args args) {
  MVM_TRY(int64_t ancillary_size, AsOffset(ts, args[2]));
  MVM_TRY(int flags, AsCInt(ts, args[3]));
  MVM_TRY(Ref<> buffers,
          FastSequence(ts, args[1], "recvmsg_into() argument 1 must be an iterable"));
  MVM_TRY(Ref<TupleObject> items, TupleFrom(ts, buffers));
  HeldMemory held;
  std::deque<BufferView> views;
  std::vector<struct iovec> pieces;
  MVM_TRY_VOID(held.Add(ts, items->size() * (sizeof(BufferView) + sizeof(struct iovec))));
  pieces.reserve(items->size());
  for (Value item : items->span()) {
    MVM_TRY_VOID(Charge(ts, 5));
    views.emplace_back();
    if (GetBuffer(ts, item, &views.back(), true).raised() || !views.back().c_contiguous()) {
      if (ts.HasPending()) ClearPending(ts);
      return Raise(ts, Exc::kTypeError,
                   "recvmsg_into() argument 1 must be an iterable of single-segment read-write "
                   "buffers");
    }
    pieces.push_back({views.back().data, static_cast<size_t>(views.back().size)});
  }
  Received r;
  MVM_TRY_VOID(r.Do(ts, args.self<SocketObject>(), pieces, ancillary_size, flags));
  Value v[] = {Value::Int(r.size), r.ancillary.get(), Value::Int(r.flags), r.address.get()};
  return NewTuple(ts, v);
}

namespace {

// [(level, type, data), ...] in the system's form.
Status BuildAncillary(ThreadState& ts, Value v, HeldMemory* held, std::vector<char>* out) {
  MVM_TRY(Ref<> sequence, FastSequence(ts, v, "sendmsg() argument 2 must be an iterable"));
  MVM_TRY(Ref<TupleObject> items, TupleFrom(ts, sequence));
  struct Row {
    int level, type;
    std::string data;
  };
  HeldMemory held_here;
  MVM_TRY_VOID(held_here.Add(ts, items->size() * sizeof(Row)));
  std::vector<Row> rows;
  rows.reserve(items->size());
  size_t size = 0;
  for (Value item : items->span()) {
    MVM_TRY_VOID(Charge(ts, 10));
    if (TypeOf(ts, item)->slots.get_item == nullptr || IsDict(ts, item)) {
      return Raise(ts, Exc::kTypeError,
                   "[sendmsg() ancillary data items]() argument must be 3-item sequence, not %T",
                   item);
    }
    MVM_TRY(Ref<TupleObject> t, TupleFrom(ts, item));
    if (t->size() != 3) {
      return Raise(ts, Exc::kTypeError,
                   "[sendmsg() ancillary data items]() argument must be sequence of length 3, not "
                   "%u",
                   t->size());
    }
    Row row;
    MVM_TRY(row.level, AsCInt(ts, (*t)[0]));
    MVM_TRY(row.type, AsCInt(ts, (*t)[1]));
    ByteView view;
    MVM_TRY_VOID(view.Get(ts, (*t)[2]));
    if (view.size() > INT_MAX) {
      return Raise(ts, Exc::kOSError, "ancillary data item too large");
    }
    size += CMSG_SPACE(view.size());
    if (size > INT_MAX) return Raise(ts, Exc::kOSError, "too much ancillary data");
    MVM_TRY_VOID(held_here.Add(ts, view.size()));
    MVM_TRY_VOID(held->Add(ts, CMSG_SPACE(view.size())));
    row.data = view.view();
    rows.push_back(std::move(row));
  }
  out->assign(size, 0);
  char* at = out->data();
  for (const Row& row : rows) {
    struct cmsghdr header = {};
    header.cmsg_level = row.level;
    header.cmsg_type = row.type;
    header.cmsg_len = CMSG_LEN(row.data.size());
    std::memcpy(at, &header, sizeof header);
    std::memcpy(at + CMSG_LEN(0), row.data.data(), row.data.size());
    at += CMSG_SPACE(row.data.size());
  }
  return Ok();
}

}  // namespace

Result<> socket_sendmsg(ThreadState& ts, Args args) {
  SocketObject* s = args.self<SocketObject>();
  MVM_TRY(Ref<> sequence, FastSequence(ts, args[1], "sendmsg() argument 1 must be an iterable"));
  MVM_TRY(Ref<TupleObject> items, TupleFrom(ts, sequence));
  HeldMemory held;
  std::deque<ByteView> views;
  std::vector<struct iovec> pieces;
  MVM_TRY_VOID(held.Add(ts, items->size() * (sizeof(ByteView) + sizeof(struct iovec))));
  pieces.reserve(items->size());
  for (Value item : items->span()) {
    MVM_TRY_VOID(Charge(ts, 5));
    views.emplace_back();
    MVM_TRY_VOID(views.back().Get(ts, item));
    pieces.push_back({views.back().mutable_data(), views.back().size()});
  }
  std::vector<char> control;
  MVM_TRY_VOID(BuildAncillary(ts, args[2], &held, &control));
  MVM_TRY(int flags, AsCInt(ts, args[3]));
  SocketAddress to;
  socklen_t length = 0;
  if (!IsNone(ts, args[4])) {
    MVM_TRY_VOID(ParseAddress(ts, s->family, args[4], "sendmsg", &to, &length));
  }
  struct msghdr message = {};
  message.msg_name = length != 0 ? &to : nullptr;
  message.msg_namelen = length;
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  message.msg_control = control.empty() ? nullptr : control.data();
  message.msg_controllen = control.size();
  MVM_TRY(ssize_t n, SocketCall(ts, s, true, DeadlineOf(s), [&](int fd, int extra) {
            return sendmsg(fd, &message, flags | extra | MSG_NOSIGNAL);
          }));
  return Small(n);
}

}  // namespace minivm

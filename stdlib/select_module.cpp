// The module select: select(), and the objects of poll() and epoll.
//
// Waits release the VM's lock and go on after a signal has been served (PEP 475), with what is left
// of their time.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/core/held_memory.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "stdlib/fs_path.h"
#include "stdlib/timeout.h"

namespace minivm {

namespace {

// (fd, events)
Status AppendEvent(ThreadState& ts, ListObject* list, int fd, uint32_t events) {
  Value pair[] = {Value::Int(fd), Value::Int(events)};
  MVM_TRY(Ref<TupleObject> t, NewTuple(ts, pair));
  return ListAppend(ts, list, Value(t.get()));
}

// An int of the C type unsigned short or unsigned int, worded as those converters do.
Result<uint32_t> AsMask(ThreadState& ts, Value v, uint64_t most, const char* type) {
  if (!IsInt(ts, v)) return Raise(ts, Exc::kTypeError, "an integer is required");
  if (IntSign(v) < 0) return Raise(ts, Exc::kValueError, "value must be positive");
  uint64_t n;
  if (!IntFitsUint64(v, &n) || n > most) {
    return Raise(ts, Exc::kOverflowError, "Python int too large for C %s", type);
  }
  return static_cast<uint32_t>(n);
}

// ---- select ----

struct SelectSet {
  std::vector<Ref<>> objects;
  std::vector<int> fds;
  fd_set asked;
  fd_set ready;

  Status Fill(ThreadState& ts, Value iterable, int* highest) {
    FD_ZERO(&asked);
    MVM_TRY(Ref<> sequence, FastSequence(ts, iterable, "arguments 1-3 must be sequences"));
    const bool is_list = IsList(ts, sequence);
    // A fileno() may change the list: what is there then is what counts.
    for (size_t i = 0;; ++i) {
      if (i >= (is_list ? sequence.as<ListObject>()->size : sequence.as<TupleObject>()->size())) {
        return Ok();
      }
      objects.push_back(Ref<>::Borrow(is_list ? sequence.as<ListObject>()->items[i]
                                              : (*sequence.as<TupleObject>())[i]));
      MVM_TRY(int fd, ToDescriptor(ts, objects.back()));
      if (fd >= FD_SETSIZE) {
        return Raise(ts, Exc::kValueError, "filedescriptor out of range in select()");
      }
      fds.push_back(fd);
      FD_SET(fd, &asked);
      *highest = std::max(*highest, fd);
      if (fds.size() > FD_SETSIZE) {
        return Raise(ts, Exc::kValueError, "too many file descriptors in select()");
      }
      MVM_TRY_VOID(Charge(ts, 5));
    }
  }
  Result<ListObject> Ready(ThreadState& ts) {
    MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
    for (size_t i = 0; i < fds.size(); ++i) {
      if (FD_ISSET(fds[i], &ready)) MVM_TRY_VOID(ListAppend(ts, list, objects[i]));
    }
    return list;
  }
};

Result<> select_select(ThreadState& ts, Args args) {
  Deadline deadline;
  if (!IsNone(ts, args[3])) {
    MVM_TRY(int64_t ns,
            ToNanoseconds(ts, args[3], 1'000'000'000, "timeout must be a float or None"));
    if (ns < 0) return Raise(ts, Exc::kValueError, "timeout must be non-negative");
    deadline = Deadline::After(ns);
  }
  SelectSet sets[3];
  int highest = -1;
  for (uint32_t i = 0; i < 3; ++i) MVM_TRY_VOID(sets[i].Fill(ts, args[i], &highest));
  MVM_TRY(int n, WaitUntil(ts, deadline, [&](int64_t slice) {
            for (SelectSet& s : sets) s.ready = s.asked;
            struct timespec t = ToTimespec(slice);
            return pselect(highest + 1, &sets[0].ready, &sets[1].ready, &sets[2].ready, &t,
                           nullptr);
          }));
  Ref<ListObject> lists[3];
  Value triple[3];
  for (int i = 0; i < 3; ++i) {
    if (n == 0) FD_ZERO(&sets[i].ready);
    MVM_TRY(lists[i], sets[i].Ready(ts));
    triple[i] = lists[i].get();
  }
  return NewTuple(ts, triple);
}

// ---- poll ----

// What has been registered with a poll object.
// Invariants: rows are in the order of registration, each descriptor once; unregistering leaves a
// row with fd -1, which the system passes over, until such rows prevail. `places` has where in
// `rows` a descriptor is. The capacity of the rows stands for both tables in the heap's account.
class PollRows {
 public:
  static constexpr size_t kEmptyBytes = 128;  // charged when one is made
  static size_t Bytes(size_t count) {
    return count * (sizeof(struct pollfd) + sizeof(std::pair<const int, uint32_t>) + 16);
  }
  const std::vector<struct pollfd>& rows() const { return rows_; }
  struct pollfd* Find(int fd) {
    auto at = places_.find(fd);
    return at == places_.end() ? nullptr : &rows_[at->second];
  }
  Status Add(ThreadState& ts, struct pollfd row) {
    const size_t old = rows_.capacity();
    if (rows_.size() == old) {
      const size_t more = std::max<size_t>(old, 16);
      if (!ts.heap().Charge(Bytes(more))) return RaiseMemoryError(ts);
      rows_.reserve(old + more);
    }
    places_[row.fd] = static_cast<uint32_t>(rows_.size());
    rows_.push_back(row);
    return Ok();
  }
  void Remove(struct pollfd* row) {
    places_.erase(row->fd);
    *row = {-1, 0, 0};
    if (places_.size() >= rows_.size() / 2) return;
    std::erase_if(rows_, [](const struct pollfd& r) { return r.fd < 0; });
    for (uint32_t i = 0; i < rows_.size(); ++i) places_[rows_[i].fd] = i;
  }

 private:
  std::vector<struct pollfd> rows_;
  std::unordered_map<int, uint32_t> places_;
};

class PollObject : public Object {
 public:
  [[maybe_unused]] static constexpr bool kNeverInCycle = true;
  PollRows* registered = nullptr;
  bool polling = false;
  template <class V>
  void VisitRefs(V&&) {}
  void FreeBuffers(Heap& heap) {
    if (registered != nullptr) {
      const size_t bytes = PollRows::kEmptyBytes + PollRows::Bytes(registered->rows().capacity());
      heap.Account(-static_cast<ptrdiff_t>(bytes));
    }
    delete registered;
    registered = nullptr;
  }
};

constexpr int kPollDefault = POLLIN | POLLPRI | POLLOUT;

Result<> poll_register(ThreadState& ts, Args args) {
  PollObject* poll = args.self<PollObject>();
  MVM_TRY(int fd, ToDescriptor(ts, args[1]));
  MVM_TRY(uint32_t mask, AsMask(ts, args[2], USHRT_MAX, "unsigned short"));
  if (struct pollfd* row = poll->registered->Find(fd)) {
    row->events = static_cast<short>(mask);
  } else {
    MVM_TRY_VOID(poll->registered->Add(ts, {fd, static_cast<short>(mask), 0}));
  }
  return None(ts);
}
Result<> poll_modify(ThreadState& ts, Args args) {
  PollObject* poll = args.self<PollObject>();
  MVM_TRY(int fd, ToDescriptor(ts, args[1]));
  MVM_TRY(uint32_t mask, AsMask(ts, args[2], USHRT_MAX, "unsigned short"));
  struct pollfd* row = poll->registered->Find(fd);
  if (row == nullptr) return RaiseErrno(ts, ENOENT);
  row->events = static_cast<short>(mask);
  return None(ts);
}
Result<> poll_unregister(ThreadState& ts, Args args) {
  PollObject* poll = args.self<PollObject>();
  MVM_TRY(int fd, ToDescriptor(ts, args[1]));
  struct pollfd* row = poll->registered->Find(fd);
  if (row == nullptr) return RaiseValue(ts, Exc::kKeyError, Value::Int(fd));
  poll->registered->Remove(row);
  return None(ts);
}
Result<> poll_poll(ThreadState& ts, Args args) {
  PollObject* poll = args.self<PollObject>();
  Deadline deadline;
  if (!IsNone(ts, args[1])) {
    MVM_TRY(int64_t ns,
            ToNanoseconds(ts, args[1], 1'000'000, "timeout must be an integer or None"));
    if (ns / 1'000'000 > INT_MAX || ns / 1'000'000 < INT_MIN) {
      return Raise(ts, Exc::kOverflowError, "timeout is too large");
    }
    if (ns >= 0) deadline = Deadline::After(ns);
  }
  if (poll->polling) return Raise(ts, Exc::kRuntimeError, "concurrent poll() invocation");
  // A copy: signal handlers and other threads may register meanwhile.
  HeldMemory held;
  MVM_TRY_VOID(held.Add(ts, poll->registered->rows().size() * sizeof(struct pollfd)));
  std::vector<struct pollfd> rows = poll->registered->rows();
  poll->polling = true;
  Result<int> waited = WaitUntil(ts, deadline, [&](int64_t slice) {
    struct timespec t = ToTimespec(slice);
    return ppoll(rows.data(), rows.size(), &t, nullptr);
  });
  poll->polling = false;
  MVM_TRY(int n, std::move(waited));
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, static_cast<size_t>(n)));
  for (const struct pollfd& row : rows) {
    if (row.revents != 0)
      MVM_TRY_VOID(AppendEvent(ts, list, row.fd, static_cast<uint16_t>(row.revents)));
  }
  return list;
}

const MethodSpec kPollMethods[] = {
    {"modify(self, fd, eventmask, /)", poll_modify,
     "Modify an already registered file descriptor."},
    {"poll(self, timeout=None, /)", poll_poll,
     "Wait for events of the registered descriptors, at most timeout milliseconds (None or "
     "negative: "
     "for ever). Returns a list of (fd, events) pairs."},
    // 7: POLLIN | POLLPRI | POLLOUT
    {"register(self, fd, eventmask=7, /)", poll_register,
     "Register a file descriptor with the polling object."},
    {"unregister(self, fd, /)", poll_unregister,
     "Remove a file descriptor being tracked by the polling object."},
};
static_assert(kPollDefault == 7);
const TypeSpec kPollType = {
    .name = "select.poll",
    .flags = kTypeNoNew,
    .size = sizeof(PollObject),
    .gc = LeafHooksOf<PollObject>(),
    .methods = kPollMethods,
};

Result<> select_poll(ThreadState& ts, Args args) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kPollType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  if (!ts.heap().Charge(PollRows::kEmptyBytes)) return RaiseMemoryError(ts);
  made.as<PollObject>()->registered = new PollRows;
  return made;
}

// ---- epoll ----

class EpollObject : public Object {
 public:
  [[maybe_unused]] static constexpr bool kNeverInCycle = true;
  int fd = -1;  // -1: closed
  template <class V>
  void VisitRefs(V&&) {}
  void FreeBuffers(Heap&) {
    if (fd >= 0) close(fd);
    fd = -1;
  }
};

Result<EpollObject*> OpenEpoll(ThreadState& ts, Args args) {
  EpollObject* e = args.self<EpollObject>();
  if (e->fd < 0) return Raise(ts, Exc::kValueError, "I/O operation on closed epoll object");
  return e;
}

Result<> NewEpoll(ThreadState& ts, TypeObject* type, int fd) {
  Result<> made = AllocInstance(ts, type);
  if (made.raised()) {
    close(fd);
    return kRaised;
  }
  made.word().as<EpollObject>()->fd = fd;
  return made;
}
Result<> epoll_new(ThreadState& ts, Args args) {
  MVM_TRY(int64_t hint, AsInt64(ts, args[1]));
  MVM_TRY(int64_t flags, AsInt64(ts, args[2]));
  if (hint != -1 && hint <= 0) return Raise(ts, Exc::kValueError, "negative sizehint");
  if (flags != 0 && flags != EPOLL_CLOEXEC) return Raise(ts, Exc::kOSError, "invalid flags");
  int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return RaiseErrno(ts, errno);
  return NewEpoll(ts, args.self<TypeObject>(), fd);
}
Result<> epoll_fromfd(ThreadState& ts, Args args) {
  MVM_TRY(int64_t fd, AsInt64(ts, args[1]));
  if (fd < INT_MIN || fd > INT_MAX) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  }
  return NewEpoll(ts, args.self<TypeObject>(), static_cast<int>(fd));
}
Result<> epoll_close(ThreadState& ts, Args args) {
  EpollObject* e = args.self<EpollObject>();
  int fd = std::exchange(e->fd, -1);
  if (fd >= 0 && close(fd) < 0) return RaiseErrno(ts, errno);
  return None(ts);
}
Result<> epoll_closed(ThreadState& ts, Value self) {
  return Bool(ts, self.as<EpollObject>()->fd < 0);
}
Result<> epoll_fileno(ThreadState& ts, Args args) {
  MVM_TRY(EpollObject * e, OpenEpoll(ts, args));
  return Small(e->fd);
}
Result<> epoll_enter(ThreadState& ts, Args args) {
  MVM_TRY_VOID(OpenEpoll(ts, args));
  return Result<>::Borrow(args[0]);
}

Result<> Control(ThreadState& ts, Args args, int operation, Value mask) {
  MVM_TRY_VOID(OpenEpoll(ts, args));
  MVM_TRY(int fd, ToDescriptor(ts, args[1]));
  struct epoll_event event = {};
  event.data.fd = fd;
  if (!mask.is_null()) {
    if (!IsInt(ts, mask)) {
      return Raise(ts, Exc::kTypeError, "an integer is required (got type %T)", mask);
    }
    event.events = static_cast<uint32_t>(IntLowBits(mask));
  }
  MVM_TRY(EpollObject * e, OpenEpoll(ts, args));  // fileno() may have closed it
  int epoll_fd = e->fd;
  if (Blocking(ts, [&] { return epoll_ctl(epoll_fd, operation, fd, &event); }) < 0) {
    return RaiseErrno(ts, errno);
  }
  return None(ts);
}
Result<> epoll_register(ThreadState& ts, Args args) {
  return Control(ts, args, EPOLL_CTL_ADD, args[2]);
}
Result<> epoll_modify(ThreadState& ts, Args args) {
  return Control(ts, args, EPOLL_CTL_MOD, args[2]);
}
Result<> epoll_unregister(ThreadState& ts, Args args) {
  return Control(ts, args, EPOLL_CTL_DEL, Value());
}

Result<> epoll_poll(ThreadState& ts, Args args) {
  MVM_TRY_VOID(OpenEpoll(ts, args));
  Deadline deadline;
  if (!IsNone(ts, args[1])) {
    MVM_TRY(int64_t ns,
            ToNanoseconds(ts, args[1], 1'000'000'000, "timeout must be an integer or None"));
    if (ns >= 0) deadline = Deadline::After(ns);
  }
  MVM_TRY(int64_t most, AsInt64(ts, args[2]));
  if (most == -1) {
    most = FD_SETSIZE - 1;
  } else if (most < 1) {
    return Raise(ts, Exc::kValueError, "maxevents must be greater than 0, got %ld",
                 static_cast<long>(most));
  }
  if (most > INT_MAX)
    return Raise(ts, Exc::kOverflowError, "signed integer is greater than maximum");
  HeldMemory held;
  MVM_TRY_VOID(held.Add(ts, static_cast<size_t>(most) * sizeof(struct epoll_event)));
  std::vector<struct epoll_event> events(static_cast<size_t>(most));
  MVM_TRY(EpollObject * e, OpenEpoll(ts, args));
  int fd = e->fd;
  MVM_TRY(int n, WaitUntil(ts, deadline, [&](int64_t slice) {
            // Milliseconds, rounded up: a wait must not end early.
            int ms = static_cast<int>((slice + 999'999) / 1'000'000);
            return epoll_wait(fd, events.data(), static_cast<int>(most), ms);
          }));
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, static_cast<size_t>(n)));
  for (int i = 0; i < n; ++i) {
    const struct epoll_event& event = events[static_cast<size_t>(i)];
    MVM_TRY_VOID(AppendEvent(ts, list, event.data.fd, event.events));
  }
  return list;
}

const MethodSpec kEpollMethods[] = {
    {"__enter__(self, /)", epoll_enter},
    {"__exit__(self, exc_type=None, exc_value=None, exc_tb=None, /)", epoll_close},
    {"close(self, /)", epoll_close, "Free the descriptor; any use afterwards is a ValueError."},
    {"fileno(self, /)", epoll_fileno, "The number of the epoll descriptor itself."},
    {"fromfd(cls, fd, /)", epoll_fromfd, "An epoll object for a descriptor that is open already.",
     kMethodClass},
    {"modify(self, /, fd, eventmask)", epoll_modify,
     "Wait for other events of a descriptor that is watched. FileNotFoundError if it is not."},
    {"poll(self, /, timeout=None, maxevents=-1)", epoll_poll,
     "Wait until something happens to a watched descriptor, for timeout seconds at most (None or "
     "negative: for ever): a list of (fd, events), no longer than maxevents (-1: any)."},
    // 7: EPOLLIN | EPOLLPRI | EPOLLOUT
    {"register(self, /, fd, eventmask=7)", epoll_register,
     "Watch a descriptor for events, by default EPOLLIN | EPOLLPRI | EPOLLOUT. FileExistsError if "
     "it is watched."},
    {"unregister(self, /, fd)", epoll_unregister, "Watch a descriptor no more."},
};
static_assert((EPOLLIN | EPOLLPRI | EPOLLOUT) == 7);
const GetSetSpec kEpollGetSets[] = {
    {"closed", epoll_closed, nullptr, "Whether close() has been called"},
};
const TypeSpec kEpollType = {
    .name = "select.epoll",
    .doc =
        "Watches many descriptors at little cost: epoll(sizehint=-1, flags=0).\n"
        "\n"
        "sizehint and flags, which may be EPOLL_CLOEXEC, are checked and have no effect.",
    .size = sizeof(EpollObject),
    .gc = LeafHooksOf<EpollObject>(),
    .construct = {"epoll(sizehint=-1, flags=0)", epoll_new},
    .methods = kEpollMethods,
    .getsets = kEpollGetSets,
};

const MethodSpec kFunctions[] = {
    {"poll()", select_poll, "Watches descriptors: register() them, then poll()."},
    {"select(rlist, wlist, xlist, timeout=None, /)", select_select,
     "Wait until a file can be read or written without waiting, or has something exceptional.\n"
     "\n"
     "Each list has descriptors, or objects with fileno(). timeout: seconds, None for ever. "
     "Returns the three lists of those that are ready, all empty if it was up first."},
};
const TypeSpec* const kTypes[] = {&kEpollType};
const ConstantSpec kConstants[] = {
#define C(name) \
  { #name, ConstantSpec::kInt, static_cast < int64_t>(name) }
    C(EPOLLERR),
    C(EPOLLEXCLUSIVE),
    C(EPOLLHUP),
    C(EPOLLIN),
    C(EPOLLMSG),
    C(EPOLLONESHOT),
    C(EPOLLOUT),
    C(EPOLLPRI),
    C(EPOLLRDBAND),
    C(EPOLLRDHUP),
    C(EPOLLRDNORM),
    C(EPOLLWRBAND),
    C(EPOLLWRNORM),
    C(EPOLL_CLOEXEC),
    C(PIPE_BUF),
    C(POLLERR),
    C(POLLHUP),
    C(POLLIN),
    C(POLLMSG),
    C(POLLNVAL),
    C(POLLOUT),
    C(POLLPRI),
    C(POLLRDBAND),
    C(POLLRDHUP),
    C(POLLRDNORM),
    C(POLLWRBAND),
    C(POLLWRNORM),
#undef C
    {"EPOLLET", ConstantSpec::kInt, int64_t{1} << 31},
};

Status exec_select(ThreadState& ts, ModuleObject* module) {
  return ModuleAdd(ts, module, "error", Value(ExcType(ts, Exc::kOSError)));
}

}  // namespace

extern const ModuleSpec k_select_module;
const ModuleSpec k_select_module = {
    .name = "select",
    .doc = "Waiting for many files at once: select(), poll() and epoll().",
    .functions = kFunctions,
    .types = kTypes,
    .constants = kConstants,
    .exec = exec_select,
};

}  // namespace minivm

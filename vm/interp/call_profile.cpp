// The profiler of _lsprof: its states, its clock, and what is computed from them.
#include "vm/interp/call_profile.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <csignal>
#include <ctime>

#include "runtime/native/native_function.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/watch.h"

namespace minivm {

namespace {

// A tick is one of kTicksWanted of the time that has been profiled, within these.
constexpr uint64_t kLeastTickNanos = 100'000;
constexpr uint64_t kMostTickNanos = 250'000;
constexpr uint64_t kTicksWanted = 500;
constexpr uint64_t kDenseNanos = 2000;   // between events, on average
constexpr uint32_t kWindowEvents = 512;  // over so many events
constexpr uint32_t kDenseTicks = 16;     // so long; then
constexpr uint32_t kProbeEvents = 64;    // over so many
constexpr uint32_t kMaxNodes = 50'000;   // then they are summed up
constexpr size_t kHotPage = 8192;
static_assert(sizeof(ProfilePage) <= kHotPage);

uint64_t ClockNanos() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

ProfileNode* NodeAt(const CallProfile* p, uint32_t offset) {
  return reinterpret_cast<ProfileNode*>(reinterpret_cast<char*>(p->nodes) + offset);
}

template <class F>
void ForThreads(RuntimeState& rt, F f) {
  for (ThreadState* t = rt.threads; t != nullptr; t = t->next) {
    if (t->interp != nullptr) f(*t, InterpOf(*t));
  }
}

uint64_t DepthOf(const ThreadState& ts) {
  return ts.base == nullptr ? 0 : HeaderOf(ts.base).depth();
}

// ---- tables ----

size_t HashWords(uint64_t a, uint64_t b) {
  uint64_t h = a * uint64_t{0x9E3779B97F4A7C15};
  h ^= b * uint64_t{0xC2B2AE3D27D4EB4F};
  return static_cast<size_t>(h ^ (h >> 29));
}
size_t HashKey(const void* key, uint64_t from) {
  return HashWords(reinterpret_cast<uint64_t>(key) >> 4, from);
}

// The place of what `is` accepts, or the free one that ends the search.
template <class F>
uint64_t* PlaceIn(const ProfileTable& table, size_t hash, F is) {
  for (size_t at = hash;; ++at) {
    uint64_t* place = &table.places[at & (table.capacity - 1)];
    if (*place == 0 || is(*place)) return place;
  }
}

template <class F>
bool AddTo(Heap& heap, ProfileTable* table, uint64_t item, F hash) {
  const auto nothing = [](uint64_t) { return false; };
  if (table->count * 2 >= table->capacity) {
    const size_t capacity = table->capacity ? table->capacity * 2 : 64;
    ProfileTable grown{static_cast<uint64_t*>(heap.AllocateBuffer(capacity * 8)), capacity,
                       table->count};
    if (grown.places == nullptr) return false;
    std::fill_n(grown.places, capacity, uint64_t{0});
    for (size_t i = 0; i < table->capacity; ++i) {
      const uint64_t old = table->places[i];
      if (old != 0) *PlaceIn(grown, hash(old), nothing) = old;
    }
    if (table->places) heap.FreeBuffer(table->places, table->capacity * 8);
    *table = grown;
  }
  *PlaceIn(*table, hash(item), nothing) = item;
  ++table->count;
  return true;
}

void DropTable(Heap& heap, ProfileTable* table) {
  if (table->places) heap.FreeBuffer(table->places, table->capacity * 8);
  *table = ProfileTable();
}

template <class T>
T* NewRecord(Heap& heap) {
  void* p = heap.AllocateBuffer(sizeof(T));
  return p == nullptr ? nullptr : new (p) T();
}

// ---- time ----

void* CountTicks(void* arg) {
  CallProfile* p = static_cast<CallProfile*>(arg);
  prctl(PR_SET_TIMERSLACK, 1000UL);
  while (!p->stop.load(std::memory_order_relaxed)) {
    p->count.wait(false, std::memory_order_relaxed);
    const timespec tick{0, static_cast<long>(p->tick_nanos.load(std::memory_order_relaxed))};
    nanosleep(&tick, nullptr);
    p->hot->quiet.store(0, std::memory_order_relaxed);
  }
  return nullptr;
}

// Events are thick: has ticks counted, by a thread that is started when they are first wanted.
// Without, every event goes on reading the clock.
void StartTicking(CallProfile* p) {
  if (p->hot == &p->asking) return;
  const uint64_t wanted = (p->now - p->begun) / kTicksWanted;
  p->tick_nanos.store(std::clamp(wanted, kLeastTickNanos, kMostTickNanos),
                      std::memory_order_relaxed);
  if (!p->ticking) {
    p->stop.store(false);
    // Signals are for the threads of the program.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    p->ticking = pthread_create(&p->ticker, nullptr, CountTicks, p) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (!p->ticking) return;
  }
  p->count.store(true);
  p->count.notify_one();
  p->dense = true;
  p->ticks = 0;
  p->hot->quiet.store(1, std::memory_order_relaxed);
}

// Every event reads the clock, for so many events at least.
void OpenWindow(CallProfile* p, uint32_t events) {
  p->dense = false;
  p->hot->quiet.store(0, std::memory_order_relaxed);
  p->window_events = 0;
  p->window_size = events;
}

// In the child of a fork there is no thread.
void NoticeFork(CallProfile* p) {
  if (p->hot->nodes == p->nodes) return;
  p->hot->nodes = p->nodes;
  p->ticking = false;
  OpenWindow(p, kWindowEvents);
}

void StopTicking(CallProfile* p) {
  NoticeFork(p);
  OpenWindow(p, kWindowEvents);
  if (p->ticking) {
    p->stop.store(true);
    p->count.store(true);
    p->count.notify_one();
    pthread_join(p->ticker, nullptr);
    p->ticking = false;
    p->count.store(false);
  }
}

// The clock has been read: when is it to be read next?
void LookAtDensity(CallProfile* p) {
  if (p->dense) {
    if (++p->ticks < kDenseTicks) {
      p->hot->quiet.store(1, std::memory_order_relaxed);
      return;
    }
    OpenWindow(p, kProbeEvents);
  }
  if (p->window_events == 0) p->window_start = p->now;
  if (++p->window_events < p->window_size) return;
  const bool dense = p->now - p->window_start < kDenseNanos * p->window_size;
  OpenWindow(p, kWindowEvents);
  if (dense) {
    StartTicking(p);
  } else {
    p->count.store(false);  // the thread rests
  }
}

// What the script's timer says now, in its units; what it raises is reported and counts as 0.
uint64_t AskTimer(ThreadState& ts, CallProfile* p) {
  Ref<> pending = TakePending(ts);
  Ref<> timer = Ref<>::Borrow(p->timer);
  p->busy = true;
  (void)UpdateWatching(ts);
  const auto ask = [&]() -> Result<int64_t> {
    MVM_TRY(Ref<> now, Call(ts, timer));
    if (p->unit > 0) return AsInt64(ts, now);
    MVM_TRY(double seconds, AsDouble(ts, now));
    const double nanos = seconds * 1e9;
    return nanos > -9e18 && nanos < 9e18 ? static_cast<int64_t>(nanos) : int64_t{0};
  };
  Result<int64_t> answer = ask();
  int64_t now = 0;
  if (answer.raised()) {
    WriteUnraisable(ts, timer);
  } else {
    now = answer.Take();
  }
  p->busy = false;
  (void)UpdateWatching(ts);
  if (pending) RestorePending(ts, std::move(pending));
  return static_cast<uint64_t>(now);
}

// Time up to now belongs to the state of the frame, or of the native in it.
void Account(ThreadState& ts, CallProfile* p, uint64_t depth) {
  NoticeFork(p);
  if (p->hot->quiet.load(std::memory_order_relaxed) != 0) return;
  const bool asks = !p->timer.is_null();
  const uint64_t now = asks ? AskTimer(ts, p) : ClockNanos();
  NodeAt(p, InterpOf(ts).profile_calls[depth].node())->self += now - p->now;
  p->now = now;
  if (!asks) LookAtDensity(p);
}

// ---- states ----

// `object` makes what stands for the function in the report: a new reference.
template <class F>
ProfileEntry* EntryFor(ThreadState& ts, CallProfile* p, const void* key, F object) {
  const auto is = [key](uint64_t e) { return reinterpret_cast<ProfileEntry*>(e)->key == key; };
  const auto find = [&]() -> ProfileEntry* {
    if (p->entries.capacity == 0) return nullptr;
    return reinterpret_cast<ProfileEntry*>(*PlaceIn(p->entries, HashKey(key, 0), is));
  };
  if (ProfileEntry* known = find()) return known;
  Result<> shown = object();
  if (shown.raised()) return nullptr;
  Ref<> hold = shown.Take();
  if (ProfileEntry* known = find()) return known;  // a finalizer has called it
  ProfileEntry* entry = NewRecord<ProfileEntry>(ts.heap());
  if (entry == nullptr) return nullptr;
  entry->key = key;
  const auto hash = [](uint64_t e) { return HashKey(reinterpret_cast<ProfileEntry*>(e)->key, 0); };
  if (!AddTo(ts.heap(), &p->entries, reinterpret_cast<uint64_t>(entry), hash)) {
    ts.heap().FreeBuffer(entry, sizeof(ProfileEntry));
    return nullptr;
  }
  entry->object = hold.Release();
  (p->end == nullptr ? p->all : p->end->next) = entry;
  p->end = entry;
  return entry;
}

ProfileEdge* EdgeTo(Heap& heap, CallProfile* p, ProfileEntry* caller, ProfileEntry* callee) {
  const auto hash = [](const void* from, const void* to) {
    return HashKey(to, reinterpret_cast<uint64_t>(from) >> 4);
  };
  if (p->edges.capacity != 0) {
    const auto is = [=](uint64_t e) {
      const auto* edge = reinterpret_cast<ProfileEdge*>(e);
      return edge->caller == caller && edge->callee == callee;
    };
    if (uint64_t known = *PlaceIn(p->edges, hash(caller, callee), is))
      return reinterpret_cast<ProfileEdge*>(known);
  }
  ProfileEdge* made = NewRecord<ProfileEdge>(heap);
  if (made == nullptr) return nullptr;
  made->caller = caller;
  made->callee = callee;
  const auto rehash = [hash](uint64_t e) {
    const auto* edge = reinterpret_cast<ProfileEdge*>(e);
    return hash(edge->caller, edge->callee);
  };
  if (!AddTo(heap, &p->edges, reinterpret_cast<uint64_t>(made), rehash)) {
    heap.FreeBuffer(made, sizeof(ProfileEdge));
    return nullptr;
  }
  made->next = std::exchange(caller->edges, made);
  return made;
}

// Room for one more state.
bool GrowNodes(Heap& heap, CallProfile* p) {
  if (p->node_count < p->node_capacity) return true;
  const uint32_t capacity = p->node_capacity ? p->node_capacity * 2 : 64;
  auto* grown = static_cast<ProfileNode*>(heap.AllocateBuffer(capacity * sizeof(ProfileNode)));
  if (grown == nullptr) return false;
  std::copy_n(p->nodes, p->node_count, grown);
  if (p->nodes != nullptr) heap.FreeBuffer(p->nodes, p->node_capacity * sizeof(ProfileNode));
  p->nodes = p->hot->nodes = grown;
  p->node_capacity = capacity;
  return true;
}

// The call that a state came by stands for its place in the set.
const void* CallOf(const ProfileEdge* edge, const ProfileEntry* entry) {
  return edge != nullptr ? static_cast<const void*>(edge) : entry;
}

// The state that a call of `entry` leads to; 0: no memory.
uint32_t StateFor(Heap& heap, CallProfile* p, uint32_t from, ProfileEntry* entry) {
  // Steps are kept as the state and where its call leads; with kSet, as the set and the state that
  // a call makes of it.
  constexpr uint64_t kSet = 1;
  const auto hash = [p](uint64_t step) {
    const ProfileNode* n = NodeAt(p, static_cast<uint32_t>(step));
    return HashKey(step >> 32 & kSet ? CallOf(n->edge, n->entry) : n->key, step >> 32);
  };
  const auto find = [p](uint64_t first, const void* key, auto same) -> uint32_t {
    if (p->steps.capacity == 0) return 0;
    const auto is = [&](uint64_t step) {
      return step >> 32 == first && same(NodeAt(p, static_cast<uint32_t>(step)));
    };
    return static_cast<uint32_t>(*PlaceIn(p->steps, HashKey(key, first), is));
  };
  if (uint32_t to = find(from, entry->key, [=](ProfileNode* n) { return n->entry == entry; }))
    return to;
  ProfileEdge* edge = nullptr;
  ProfileEntry* caller = NodeAt(p, from)->entry;
  if (caller != nullptr && p->subcalls) {
    edge = EdgeTo(heap, p, caller, entry);
    if (edge == nullptr) return 0;
  }
  const uint32_t set = NodeAt(p, from)->set;
  const auto same = [=](ProfileNode* n) { return n->edge == edge && n->entry == entry; };
  uint32_t to = find(set | kSet, CallOf(edge, entry), same);
  if (to == 0) {
    if (!GrowNodes(heap, p)) return 0;
    uint32_t above = set;
    while (above != 0 && !same(NodeAt(p, above))) above = NodeAt(p, above)->parent;
    to = p->node_count++ * static_cast<uint32_t>(sizeof(ProfileNode));
    *NodeAt(p, to) = {.key = entry->key,
                      .entry = entry,
                      .edge = edge,
                      .parent = set,
                      .sibling = std::exchange(NodeAt(p, set)->child, to),
                      .set = above != 0 ? set : to};
    if (!AddTo(heap, &p->steps, (set | kSet) << 32 | to, hash)) return 0;
  }
  return AddTo(heap, &p->steps, uint64_t{from} << 32 | to, hash) ? to : 0;
}

// Drops all states but the root. REQUIRES: that has room.
void DropNodes(Heap& heap, CallProfile* p) {
  if (p->hot != &p->asking)
    std::fill_n(static_cast<ProfilePage*>(p->hot)->steps, 1 << (32 - ProfilePage::kShift),
                ProfilePage::Step());
  p->nodes[0] = ProfileNode();
  p->node_count = 1;
  p->node_limit = kMaxNodes;
  DropTable(heap, &p->steps);
}

size_t CallsSize(const ThreadState& ts) {
  return (static_cast<size_t>(ts.stack_end - ts.stack) / kWindowWords + 2) * sizeof(ProfileCall);
}
// Of no call it is known that it runs.
void ForgetCalls(RuntimeState& rt) {
  ForThreads(rt, [](ThreadState& t, InterpState& state) {
    if (state.profile_calls != nullptr) madvise(state.profile_calls, CallsSize(t), MADV_DONTNEED);
  });
}

// Calls f(place, node, under) for the places of running calls, outermost first in each thread;
// `under` is 0 but for natives. f gives what the place is to hold.
template <class F>
void ForRunning(RuntimeState& rt, CallProfile* p, const ProfileNode* nodes, F f) {
  ForThreads(rt, [&](ThreadState& t, InterpState& state) {
    if (state.profile != p) return;
    for (uint64_t d = 1; d <= DepthOf(t); ++d) {
      ProfileCall* call = state.profile_calls + d;
      const auto entry_of = [nodes](uint32_t offset) {
        return nodes[offset / sizeof(ProfileNode)].entry;
      };
      ProfileEntry* entry = entry_of(call->node());
      if (entry != nullptr && entry->native) {
        const uint32_t under = f(call[-1].node(), call->under(), entry_of(call->under()));
        call->bits = uint64_t{under} << 32 | f(under, call->node(), entry);
      } else if (call->under() == 0) {
        call->bits = f(call[-1].node(), call->node(), entry);
      } else {
        call->bits = ProfileCall::kOver << 32 | call[-1].node();
      }
    }
  });
}

// Starts new states with nothing but the calls that are running.
bool Restart(ThreadState& ts, CallProfile* p) {
  ProfileFlush(*ts.rt, p);
  ProfileNode* const old = std::exchange(p->nodes, nullptr);
  const uint32_t count = std::exchange(p->node_count, 0);
  const uint32_t capacity = std::exchange(p->node_capacity, 0);
  if (!GrowNodes(ts.heap(), p)) {
    p->nodes = old;
    p->node_count = count;
    p->node_capacity = capacity;
    p->failed = true;
    return false;
  }
  DropNodes(ts.heap(), p);
  ForRunning(*ts.rt, p, old, [&](uint32_t from, uint32_t, ProfileEntry* entry) -> uint32_t {
    if (entry == nullptr || p->failed) return 0;
    const uint32_t to = StateFor(ts.heap(), p, from, entry);
    p->failed = to == 0;
    if (to != 0) ++NodeAt(p, to)->calls;
    return to;
  });
  ts.heap().FreeBuffer(old, capacity * sizeof(ProfileNode));
  p->node_limit = std::max(kMaxNodes, p->node_count * 2);
  if (p->failed) ForgetCalls(*ts.rt);
  return !p->failed;
}

// The cache has not told where this call leads. Calls that want the same place share it with
// `last`: which gets which is a matter of time.
void Remember(CallProfile* p, uint32_t from, const void* key, uint32_t to) {
  if (p->hot == &p->asking) return;
  ProfilePage::Step* step = static_cast<ProfilePage*>(p->hot)->For(from, key);
  uint32_t* last = &NodeAt(p, from)->last;
  if (*last == 0 || (step->to != 0 && ++p->misses % 2 == 0)) {
    *last = to;
  } else {
    *step = {from, to};
  }
}

template <class F>
bool Enter(ThreadState& ts, CallProfile* p, const void* key, uint64_t depth, bool native,
           F object) {
  InterpState& state = InterpOf(ts);
  const Ref<> owner = Ref<>::Borrow(p->owner);
  const uint64_t caller = native ? depth : depth - 1;
  Account(ts, p, caller);
  ProfileEntry* entry = p->failed ? nullptr : EntryFor(ts, p, key, object);
  if (ts.HasPending()) ClearPending(ts);
  if (state.profile != p) return false;  // a finalizer has stopped it
  uint32_t to = 0;
  if (entry != nullptr) {
    entry->native = native;
    if (p->node_count < p->node_limit || Restart(ts, p))
      to = StateFor(ts.heap(), p, state.profile_calls[caller].node(), entry);
  }
  const uint32_t from = state.profile_calls[caller].node();
  state.profile_calls[depth].bits = native ? uint64_t{from} << 32 | (to ? to : from) : to;
  if (to == 0) {
    p->failed = true;
    return false;
  }
  ++NodeAt(p, to)->calls;
  Remember(p, from, key, to);
  return true;
}

// How the report names a native: its descriptor's repr if it is a method, else by its module.
Result<> DescribeNative(ThreadState& ts, NativeFunctionObject* f) {
  MVM_TRY(Ref<> name, GetAttr(ts, Value(f), "__name__"));
  const Value self = f->self;
  const bool method = !self.is_null() && !IsExact(self, TypeId::kModule);
  if (method) {
    if (IsStr(ts, name)) {
      const Value found = TypeLookup(ts, TypeOf(ts, self), name.as<StrObject>());
      if (!found.is_null()) return Result<>(Repr(ts, found));
    }
    return Format(ts, "<built-in method %S>", name.get());
  }
  if (f->module == nullptr) return Format(ts, "<%S>", name.get());
  return Format(ts, "<built-in method %U.%S>", Value(f->module), name.get());
}

}  // namespace

constinit const ProfileHot kNoProfile;

void ProfileEnter(ThreadState* ts, CodeObject* code, uint64_t depth) {
  if (ProfileEnterFast(ts, code, depth)) return;
  CallProfile* p = InterpOf(*ts).profile;
  if (p == nullptr) return;
  if (p->busy) return ProfileOver(ts, depth);
  Ref<> pending = TakePending(*ts);
  Enter(*ts, p, code, depth, false, [code]() { return Result<>::Borrow(Value(code)); });
  if (pending) RestorePending(*ts, std::move(pending));
}

bool ProfileNative(ThreadState* ts, Value callee, uint64_t depth) {
  CallProfile* p = InterpOf(*ts).profile;
  if (p == nullptr) return false;
  const bool function = IsExact(callee, TypeId::kNativeFunction);
  if (p->busy || !p->builtins || !(function || IsExact(callee, TypeId::kMethodDescriptor))) {
    return false;
  }
  const MethodSpec* spec = function ? callee.as<NativeFunctionObject>()->spec
                                    : callee.as<MethodDescriptorObject>()->spec;
  if (ProfileNativeFast(ts, spec, depth)) return true;
  return Enter(*ts, p, spec, depth, true, [&] {
    return function ? DescribeNative(*ts, callee.as<NativeFunctionObject>())
                    : Result<>(Repr(*ts, callee));
  });
}

void ProfileLeave(ThreadState* ts, uint64_t depth) {
  CallProfile* p = InterpOf(*ts).profile;
  if (p != nullptr && !p->busy) Account(*ts, p, depth);
}

void ProfileNativeLeft(ThreadState* ts, uint64_t depth) {
  ProfileLeave(ts, depth);
  InterpState& state = InterpOf(*ts);
  if (state.profile != nullptr) state.profile_calls[depth].bits >>= 32;
}

void ProfileForget(ThreadState* ts, uint64_t depth) {
  InterpState& state = InterpOf(*ts);
  if (state.profile == nullptr) return;
  const uint32_t node = state.profile_calls[depth].node();
  if (node != 0) --NodeAt(state.profile, node)->calls;
  ProfileOver(ts, depth);
}

void ProfileOver(ThreadState* ts, uint64_t depth) {
  InterpState& state = InterpOf(*ts);
  if (state.profile == nullptr) return;
  ProfileCall* call = state.profile_calls + depth;
  call->bits = ProfileCall::kOver << 32 | call[-1].node();
}

// ---- starting and stopping ----

namespace {

void Detach(ThreadState& ts) {
  InterpState& state = InterpOf(ts);
  state.profile = nullptr;
  state.counting = const_cast<ProfileHot*>(&kNoProfile);
  if (void* calls = std::exchange(state.profile_calls, nullptr)) munmap(calls, CallsSize(ts));
}

void DetachAll(RuntimeState& rt, CallProfile* p) {
  ForThreads(rt, [](ThreadState& t, InterpState&) { Detach(t); });
  StopTicking(p);
  if (p->hot != &p->asking) {
    munmap(p->hot, kHotPage);
    p->hot = &p->asking;
    p->asking.nodes = p->nodes;
  }
  Ref<> owner = Ref<>::Steal(std::exchange(p->owner, Value()));
}

// False: no memory.
bool Attach(ThreadState& ts, CallProfile* p) {
  InterpState& state = InterpOf(ts);
  void* calls = mmap(nullptr, CallsSize(ts), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (calls == MAP_FAILED) return false;
  state.profile_calls = static_cast<ProfileCall*>(calls);
  state.profile = p;
  state.counting = p->hot;
  if (!UpdateWatching(ts).raised()) return true;
  ClearPending(ts);
  Detach(ts);
  return false;
}

}  // namespace

CallProfile* ActiveProfile(RuntimeState& rt) {
  const ThreadState* main = rt.main_thread;
  return main == nullptr || main->interp == nullptr
             ? nullptr
             : static_cast<InterpState*>(main->interp)->profile;
}

Status StartProfile(ThreadState& ts, CallProfile* p, Value owner) {
  if (!GrowNodes(ts.heap(), p)) return RaiseMemoryError(ts);
  if (p->node_count == 0) DropNodes(ts.heap(), p);
  if (p->timer.is_null()) {
    // Without the page every event reads the clock.
    void* page =
        mmap(nullptr, kHotPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED && madvise(page, kHotPage, MADV_WIPEONFORK) == 0) {
      p->hot = new (page) ProfilePage();
    } else if (page != MAP_FAILED) {
      munmap(page, kHotPage);
    }
  }
  p->hot->nodes = p->nodes;
  OpenWindow(p, kWindowEvents);
  p->owner = Ref<>::Borrow(owner).Release();
  p->now = p->begun = p->timer.is_null() ? ClockNanos() : 0;
  bool whole = true;
  ForThreads(*ts.rt, [&](ThreadState& t, InterpState&) { whole = whole && Attach(t, p); });
  if (whole) return Ok();
  DetachAll(*ts.rt, p);
  return RaiseMemoryError(ts);
}

void StopProfile(ThreadState& ts, CallProfile* p) {
  if (ActiveProfile(*ts.rt) != p) return;
  p->hot->quiet.store(0, std::memory_order_relaxed);
  if (InterpOf(ts).profile == p) Account(ts, p, DepthOf(ts));
  DetachAll(*ts.rt, p);
  ForThreads(*ts.rt, [](ThreadState& t, InterpState&) { (void)UpdateWatching(t); });
}

Status RenewProfile(ThreadState& ts, CallProfile* p) {
  if (!Restart(ts, p)) return RaiseMemoryError(ts);
  ForThreads(*ts.rt, [](ThreadState& t, InterpState&) { (void)UpdateWatching(t); });
  return Ok();
}

void JoinProfile(ThreadState& ts) {
  InterpOf(ts).counting = const_cast<ProfileHot*>(&kNoProfile);
  CallProfile* p = ActiveProfile(*ts.rt);
  if (p != nullptr && InterpOf(ts).profile != p) (void)Attach(ts, p);
}

void AbandonProfile(ThreadState& ts) {
  CallProfile* p = InterpOf(ts).profile;
  if (p != nullptr && &ts == ts.rt->main_thread) {
    DetachAll(*ts.rt, p);
  } else {
    Detach(ts);
  }
}

void ProfileFlush(RuntimeState& rt, CallProfile* p) {
  if (p->nodes == nullptr) return;
  const auto running = [&](int64_t change) {
    ForRunning(rt, p, p->nodes, [=](uint32_t, uint32_t node, ProfileEntry*) {
      NodeAt(p, node)->calls += change;
      return node;
    });
  };
  running(-1);
  // Depth first; a node's `self` becomes the sum of its subtree on the way.
  p->nodes->self = 0;
  uint32_t at = p->nodes->child;
  while (at != 0) {
    ProfileNode* n = NodeAt(p, at);
    ProfileEntry* entry = n->entry;
    ProfileEdge* edge = n->edge;
    entry->calls += n->calls;
    entry->self += static_cast<int64_t>(n->self);
    if (entry->level++ > 0) entry->recursive += n->calls;
    if (edge != nullptr) {
      edge->calls += n->calls;
      edge->self += static_cast<int64_t>(n->self);
      if (edge->level++ > 0) edge->recursive += n->calls;
    }
    n->calls = 0;
    at = n->child;
    while (at == 0) {
      const auto sum = static_cast<int64_t>(n->self);
      if (--n->entry->level == 0) n->entry->total += sum;
      if (n->edge != nullptr && --n->edge->level == 0) n->edge->total += sum;
      ProfileNode* parent = NodeAt(p, n->parent);
      parent->self += std::exchange(n->self, 0);
      at = n->sibling;
      if (n->parent == 0) break;
      n = parent;
    }
  }
  p->nodes->self = 0;
  running(1);
}

void ClearProfile(Heap& heap, RuntimeState* rt, CallProfile* p) {
  if (p->nodes != nullptr) {
    DropNodes(heap, p);
    if (rt != nullptr) {
      ForgetCalls(*rt);
    } else {
      heap.FreeBuffer(p->nodes, p->node_capacity * sizeof(ProfileNode));
      p->nodes = p->hot->nodes = nullptr;
      p->node_count = p->node_capacity = 0;
    }
  }
  DropTable(heap, &p->entries);
  DropTable(heap, &p->edges);
  p->failed = false;
  ProfileEntry* all = std::exchange(p->all, nullptr);
  p->end = nullptr;
  while (all != nullptr) {
    ProfileEntry* next = all->next;
    while (all->edges != nullptr) {
      ProfileEdge* edge = std::exchange(all->edges, all->edges->next);
      heap.FreeBuffer(edge, sizeof(ProfileEdge));
    }
    Ref<> dropped = Ref<>::Steal(all->object);
    heap.FreeBuffer(all, sizeof(ProfileEntry));
    all = next;
  }
}

}  // namespace minivm

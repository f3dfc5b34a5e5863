// The profiler of _lsprof: the tree of calls, its clock, and what is computed from it.
#include "vm/interp/call_profile.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#include <csignal>
#include <ctime>

#include "runtime/native/native_function.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/watch.h"

namespace minivm {

struct ProfileChunk {
  static constexpr uint32_t kNodes = 512;
  ProfileChunk* next = nullptr;
  ProfileNode nodes[kNodes];
};

namespace {

constexpr uint64_t kTickNanos = 100'000;
constexpr uint64_t kDenseNanos = 2000;   // between events, on average
constexpr uint32_t kWindowEvents = 512;  // over so many events
constexpr uint64_t kSparseCalls = 20;    // fewer within a tick: not dense any more
constexpr uint32_t kSparseTicks = 8;     // so many times in a row
constexpr size_t kMaxNodes = 200'000;    // then the tree is summed up
constexpr size_t kTickPage = 4096;

uint64_t ClockNanos() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

// ---- tables ----

size_t HashPointers(const void* a, const void* b) {
  uint64_t h = (reinterpret_cast<uint64_t>(a) >> 4) * uint64_t{0x9E3779B97F4A7C15};
  h ^= (reinterpret_cast<uint64_t>(b) >> 4) * uint64_t{0xC2B2AE3D27D4EB4F};
  return static_cast<size_t>(h ^ (h >> 29));
}
size_t HashOf(const ProfileNode* n) { return HashPointers(n->parent, n->key); }
size_t HashOf(const ProfileEntry* e) { return HashPointers(e->key, nullptr); }

// The place of what `is` accepts, or the free one that ends the search.
template <class T, class F>
size_t PlaceIn(const ProfileTable& table, size_t hash, F is) {
  size_t at = hash & (table.capacity - 1);
  while (table.places[at] != nullptr && !is(static_cast<T*>(table.places[at])))
    at = (at + 1) & (table.capacity - 1);
  return at;
}

template <class T>
bool AddTo(Heap& heap, ProfileTable* table, T* item) {
  if (table->count * 2 >= table->capacity) {
    const size_t capacity = table->capacity ? table->capacity * 2 : 64;
    ProfileTable grown{static_cast<void**>(heap.AllocateBuffer(capacity * sizeof(void*))), capacity,
                       table->count};
    if (grown.places == nullptr) return false;
    std::fill_n(grown.places, capacity, nullptr);
    for (size_t i = 0; i < table->capacity; ++i) {
      if (T* old = static_cast<T*>(table->places[i]))
        grown.places[PlaceIn<T>(grown, HashOf(old), [](T*) { return false; })] = old;
    }
    if (table->places) heap.FreeBuffer(table->places, table->capacity * sizeof(void*));
    *table = grown;
  }
  table->places[PlaceIn<T>(*table, HashOf(item), [](T*) { return false; })] = item;
  ++table->count;
  return true;
}

void DropTable(Heap& heap, ProfileTable* table) {
  if (table->places) heap.FreeBuffer(table->places, table->capacity * sizeof(void*));
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
  const timespec tick{0, static_cast<long>(kTickNanos)};
  while (!p->stop.load(std::memory_order_relaxed)) {
    p->count.wait(false, std::memory_order_relaxed);
    nanosleep(&tick, nullptr);
    p->tick->fetch_add(1, std::memory_order_relaxed);
  }
  return nullptr;
}

// Has ticks counted, by a thread that is started when they are first wanted. False: every event
// goes on reading the clock.
bool StartTicking(CallProfile* p) {
  if (p->tick == &p->no_tick) {
    void* page =
        mmap(nullptr, kTickPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return false;
    p->tick = new (page) std::atomic<uint64_t>(1);
    p->stop.store(false);
    // Signals are for the threads of the program.
    sigset_t all, before;
    sigfillset(&all);
    const bool wiped = madvise(page, kTickPage, MADV_WIPEONFORK) == 0;
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool started = wiped && pthread_create(&p->ticker, nullptr, CountTicks, p) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (!started) {
      munmap(page, kTickPage);
      p->tick = &p->no_tick;
      return false;
    }
  }
  p->count.store(true);
  p->count.notify_one();
  p->dense = true;
  p->sparse = 0;
  return true;
}

// The thread rests.
void PauseTicking(CallProfile* p) {
  p->dense = false;
  p->seen = kEveryEvent;
  p->window_events = 0;
  p->count.store(false);
}

void StopTicking(CallProfile* p) {
  if (p->tick == &p->no_tick) return;
  PauseTicking(p);
  p->stop.store(true);
  p->count.store(true);
  p->count.notify_one();
  // In the child of a fork there is no thread to wait for.
  if (p->tick->load() != 0) pthread_join(p->ticker, nullptr);
  munmap(static_cast<void*>(p->tick), kTickPage);
  p->tick = &p->no_tick;
  p->count.store(false);
}

// A tick has come, or every event reads the clock: is that still right?
void LookAtDensity(CallProfile* p) {
  if (p->dense) {
    const uint64_t tick = p->tick->load(std::memory_order_relaxed);
    const bool sparse = p->entered - p->window_entered < kSparseCalls;
    p->sparse = sparse ? p->sparse + 1 : 0;
    p->window_entered = p->entered;
    p->seen = tick;
    if (tick == 0) StopTicking(p);
    if (p->sparse >= kSparseTicks) PauseTicking(p);
    return;
  }
  if (p->window_events == 0) p->window_start = p->now;
  if (++p->window_events < kWindowEvents) return;
  p->window_events = 0;
  if (p->now - p->window_start < kDenseNanos * kWindowEvents && StartTicking(p)) {
    p->window_entered = p->entered;
    p->seen = p->tick->load(std::memory_order_relaxed);
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

// Time up to now belongs to the current call.
void Account(ThreadState& ts, CallProfile* p) {
  if (p->tick->load(std::memory_order_relaxed) == p->seen) return;
  const bool asks = !p->timer.is_null();
  const uint64_t now = asks ? AskTimer(ts, p) : ClockNanos();
  p->current->self += now - p->now;
  p->now = now;
  if (!asks) LookAtDensity(p);
}

// ---- the tree ----

ProfileEntry* EntryFor(CallProfile* p, const void* key) {
  if (p->entries.capacity == 0) return nullptr;
  const auto is = [key](ProfileEntry* e) { return e->key == key; };
  return static_cast<ProfileEntry*>(
      p->entries.places[PlaceIn<ProfileEntry>(p->entries, HashPointers(key, nullptr), is)]);
}

// `object` makes what stands for the function in the report: a new reference.
template <class F>
ProfileEntry* MakeEntry(ThreadState& ts, CallProfile* p, const void* key, F object) {
  if (ProfileEntry* known = EntryFor(p, key)) return known;
  Result<> shown = object();
  if (shown.raised()) return nullptr;
  Ref<> hold = shown.Take();
  ProfileEntry* entry = NewRecord<ProfileEntry>(ts.heap());
  if (entry == nullptr) return nullptr;
  entry->key = key;
  if (!AddTo(ts.heap(), &p->entries, entry)) {
    ts.heap().FreeBuffer(entry, sizeof(ProfileEntry));
    return nullptr;
  }
  entry->object = hold.Release();
  (p->end == nullptr ? p->all : p->end->next) = entry;
  p->end = entry;
  return entry;
}

ProfileEdge* EdgeTo(Heap& heap, ProfileEntry* caller, ProfileEntry* callee) {
  for (ProfileEdge* e = caller->edges; e != nullptr; e = e->next) {
    if (e->callee == callee) return e;
  }
  ProfileEdge* made = NewRecord<ProfileEdge>(heap);
  if (made == nullptr) return nullptr;
  made->callee = callee;
  made->next = std::exchange(caller->edges, made);
  return made;
}

ProfileNode* NewNode(Heap& heap, CallProfile* p) {
  if (p->chunks == nullptr || p->chunk_used == ProfileChunk::kNodes) {
    ProfileChunk* chunk = NewRecord<ProfileChunk>(heap);
    if (chunk == nullptr) return nullptr;
    chunk->next = std::exchange(p->chunks, chunk);
    p->chunk_used = 0;
  }
  return &p->chunks->nodes[p->chunk_used++];
}

// The child of `parent` for a function, made if there is none; null: no memory.
template <class F>
ProfileNode* ChildFor(ThreadState& ts, CallProfile* p, ProfileNode* parent, const void* key,
                      F object) {
  if (parent->last->key == key) return parent->last;
  if (p->nodes.capacity != 0) {
    const auto is = [&](ProfileNode* n) { return n->parent == parent && n->key == key; };
    const size_t at = PlaceIn<ProfileNode>(p->nodes, HashPointers(parent, key), is);
    if (p->nodes.places[at] != nullptr) return static_cast<ProfileNode*>(p->nodes.places[at]);
  }
  ProfileEntry* entry = MakeEntry(ts, p, key, object);
  if (entry == nullptr) return nullptr;
  ProfileEdge* edge = nullptr;
  if (parent->entry != nullptr && p->subcalls) {
    edge = EdgeTo(ts.heap(), parent->entry, entry);
    if (edge == nullptr) return nullptr;
  }
  ProfileNode* node = NewNode(ts.heap(), p);
  if (node == nullptr) return nullptr;
  node->parent = parent;
  node->key = key;
  node->last = &p->nobody;
  node->entry = entry;
  node->edge = edge;
  if (!AddTo(ts.heap(), &p->nodes, node)) return nullptr;
  node->sibling = std::exchange(parent->child, node);
  ++p->node_count;
  return node;
}

void DropNodes(Heap& heap, CallProfile* p) {
  while (p->chunks != nullptr) {
    ProfileChunk* next = p->chunks->next;
    heap.FreeBuffer(p->chunks, sizeof(ProfileChunk));
    p->chunks = next;
  }
  DropTable(heap, &p->nodes);
  p->chunk_used = 0;
  p->node_count = 0;
  p->root = ProfileNode();
  p->root.last = &p->nobody;
  p->current = &p->root;
}

// Starts a new tree with nothing but the calls that are running.
void ShrinkTree(ThreadState& ts, CallProfile* p) {
  ProfileFlush(p);
  // The path, innermost first, kept aside while the nodes are dropped.
  ProfileNode* path = nullptr;
  bool whole = true;
  for (ProfileNode* n = p->current; n->parent != nullptr && whole; n = n->parent) {
    ProfileNode* copy = NewRecord<ProfileNode>(ts.heap());
    whole = copy != nullptr;
    if (!whole) break;
    *copy = *n;
    copy->sibling = path;
    path = copy;
  }
  DropNodes(ts.heap(), p);
  p->failed = p->failed || !whole;
  while (path != nullptr) {
    ProfileNode* next = path->sibling;
    if (whole && !p->failed) {
      ProfileNode* node =
          ChildFor(ts, p, p->current, path->key, [&]() -> Result<> { return kRaised; });
      p->failed = node == nullptr;
      if (node != nullptr) {
        node->calls = 1;
        node->base = path->base;
        p->current->last = node;
        p->current = node;
      }
    }
    ts.heap().FreeBuffer(path, sizeof(ProfileNode));
    path = next;
  }
}

template <class F>
void Enter(ThreadState& ts, CallProfile* p, const void* key, Value* base, F object) {
  Account(ts, p);
  if (p->failed) return;
  if (p->node_count >= kMaxNodes) ShrinkTree(ts, p);
  ProfileNode* node = ChildFor(ts, p, p->current, key, object);
  if (node == nullptr) {
    p->failed = true;
    if (ts.HasPending()) ClearPending(ts);
    return;
  }
  ++p->entered;
  ++node->calls;
  node->base = base;
  p->current->last = node;
  p->current = node;
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

constinit const CallProfile kNoProfile;

void ProfileEnter(ThreadState* ts, CodeObject* code, Value* base) {
  CallProfile* p = InterpOf(*ts).profile;
  if (p == nullptr || p->busy) return;
  Ref<> pending = TakePending(*ts);
  Enter(*ts, p, code, base, [code]() { return Result<>::Borrow(Value(code)); });
  if (pending) RestorePending(*ts, std::move(pending));
}

bool ProfileNative(ThreadState* ts, Value callee, Value* base) {
  CallProfile* p = InterpOf(*ts).profile;
  if (p == nullptr || p->busy || !p->builtins) return false;
  if (IsExact(callee, TypeId::kNativeFunction)) {
    NativeFunctionObject* f = callee.as<NativeFunctionObject>();
    Enter(*ts, p, f->spec, base, [&] { return DescribeNative(*ts, f); });
  } else if (IsExact(callee, TypeId::kMethodDescriptor)) {
    Enter(*ts, p, callee.as<MethodDescriptorObject>()->spec, base,
          [&] { return Result<>(Repr(*ts, callee)); });
  } else {
    return false;
  }
  return true;
}

void ProfileLeave(ThreadState* ts, Value* base) {
  CallProfile* p = InterpOf(*ts).profile;
  if (p == nullptr || p->busy) return;
  if (ProfileLeaveFast(ts, base)) return;
  Account(*ts, p);
  ProfileNode* node = p->current;
  while (node->base > base) node = node->parent;
  p->current = node->base == base && node->parent != nullptr ? node->parent : node;
}

void ProfileForget(ThreadState* ts, Value* base) {
  CallProfile* p = InterpOf(*ts).profile;
  if (p == nullptr || p->busy || p->current->base != base || p->current->parent == nullptr) return;
  --p->current->calls;
  p->current = p->current->parent;
}

Status StartProfile(ThreadState& ts, CallProfile* p, Value owner) {
  InterpState& state = InterpOf(ts);
  state.profile = state.counting = p;
  Ref<> before = Ref<>::Steal(std::exchange(state.profile_owner, Ref<>::Borrow(owner).Release()));
  p->seen = kEveryEvent;
  p->window_events = 0;
  p->now = p->timer.is_null() ? ClockNanos() : 0;
  if (!UpdateWatching(ts).raised()) return Ok();
  AbandonProfile(ts);
  return kRaised;
}

void AbandonProfile(ThreadState& ts) {
  InterpState& state = InterpOf(ts);
  if (state.profile != nullptr) StopTicking(state.profile);
  state.profile = nullptr;
  state.counting = const_cast<CallProfile*>(&kNoProfile);
  Ref<> owner = Ref<>::Steal(std::exchange(state.profile_owner, Value()));
}

void StopProfile(ThreadState& ts, CallProfile* p) {
  InterpState& state = InterpOf(ts);
  if (state.profile != p) return;
  p->seen = kEveryEvent;
  Account(ts, p);
  p->current = &p->root;
  AbandonProfile(ts);
  (void)UpdateWatching(ts);
}

void ProfileFlush(CallProfile* p) {
  for (ProfileNode* n = p->current; n->parent != nullptr; n = n->parent) --n->calls;
  // Depth first; a node's `self` becomes the sum of its subtree on the way.
  p->root.self = 0;
  ProfileNode* n = p->root.child;
  while (n != nullptr) {
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
    if (n->child != nullptr) {
      n = n->child;
      continue;
    }
    for (;;) {
      const auto sum = static_cast<int64_t>(n->self);
      if (--n->entry->level == 0) n->entry->total += sum;
      if (n->edge != nullptr && --n->edge->level == 0) n->edge->total += sum;
      n->parent->self += n->self;
      n->self = 0;
      if (n->sibling != nullptr) {
        n = n->sibling;
        break;
      }
      n = n->parent;
      if (n->parent == nullptr) {
        n = nullptr;
        break;
      }
    }
  }
  p->root.self = 0;
  for (ProfileNode* m = p->current; m->parent != nullptr; m = m->parent) m->calls = 1;
}

void ClearProfile(Heap& heap, CallProfile* p) {
  DropNodes(heap, p);
  DropTable(heap, &p->entries);
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

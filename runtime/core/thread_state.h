// RuntimeState: everything that belongs to one VM. ThreadState: one thread's view of it.
//
// Effects in signatures: a function that takes ThreadState& first may run script code, allocate
// or raise; one that does not take it can do none of these (dropping a Ref excepted).
// Nothing is global: Vm (include/minivm) > RuntimeState > ThreadState.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/core/type_object.h"
#include "runtime/gc/heap.h"

namespace minivm {

class StrObject;
class DictObject;
class ListObject;
class TupleObject;
class ModuleObject;
class InternTable;
class Gil;
struct SignalState;
struct FramePlace;

enum class TypeId : uint16_t {
  kNone = 0,
#define TYPE(id, spec) k##id,
#include "runtime/core/types.def"
#undef TYPE
  kCount
};

enum class Exc : uint16_t {
#define EXC(name, base, layout) k##name,
#include "runtime/core/exceptions.def"
#undef EXC
  kCount
};

#define TYPE(id, spec) extern const TypeSpec spec;
#include "runtime/core/types.def"
#undef TYPE

inline constexpr uint32_t kTypeCount = static_cast<uint32_t>(TypeId::kCount);
inline constexpr uint32_t kExcCount = static_cast<uint32_t>(Exc::kCount);
// Fixed shape ids: TypeId values, then the exceptions, then what scripts make.
constexpr uint32_t ShapeIdOf(TypeId id) { return static_cast<uint32_t>(id); }
constexpr uint32_t ShapeIdOf(Exc e) { return kTypeCount + static_cast<uint32_t>(e); }
// Dicts that are not of hash storage have type dict but shapes of their own (dict_object.h).
inline constexpr uint32_t kShapeCelledDict = kTypeCount + kExcCount;
inline constexpr uint32_t kShapeSlotDict = kShapeCelledDict + 1;
inline constexpr uint32_t kFirstDynamicShape = kShapeSlotDict + 1;

enum class NameId : uint16_t {
#define NAME(n) k##n,
#include "runtime/core/names.def"
#undef NAME
  kCount
};
// The interned name, borrowed: MVM_NAME(ts, __init__).
#define MVM_NAME(ts, n) ((ts).rt->names[static_cast<size_t>(::minivm::NameId::k##n)])

struct ShapeEntry {
  TypeObject* type;  // null: the id is retired or free
  union {
    Shape* shape;  // null for exact built-in types without attribute slots
    uint64_t next;
  };
};

// One link of the chain of handled exceptions (sys.exception()): one per thread, one inside each
// generator. `value` is owned, null when nothing is being handled.
struct HandledException {
  Value value;
  HandledException* prev = nullptr;
};

class Batch;  // protocol/draw.h

// What the runtime layer asks of the layers above it; filled by vm/ when a VM is made.
struct VmHooks {
  // Position of the running script frame, for warnings and tracebacks: adds the current frame to
  // the traceback of the pending exception, and so on. See vm/interp/traceback.h.
  Status (*warn)(ThreadState& ts, Value category, Value message, int stack_level) = nullptr;
  // The globals/builtins of the innermost script frame; borrowed, null without one.
  DictObject* (*current_globals)(ThreadState& ts) = nullptr;
  // What the running script frame takes for its built-ins, a dictionary or another mapping; those
  // of the VM without a frame.
  Value (*current_builtins)(ThreadState& ts) = nullptr;
  // import name (absolute); the module itself, not the top package.
  Result<> (*import_module)(ThreadState& ts, std::string_view name) = nullptr;
  // Call sites cached something about a class of which kTypeHasSites is set and which has changed:
  // every specialised site of the VM goes back to its generic form.
  void (*invalidate_sites)(RuntimeState& rt) = nullptr;
  // The innermost script frame as an object; None without one.
  Result<> (*current_frame)(ThreadState& ts) = nullptr;
  // File and line of the script frames, the innermost first, into `places`, `room` of them at
  // most (gc/alloc_tracer.h); returns how many frames there are. Allocates nothing.
  uint32_t (*frame_places)(ThreadState& ts, FramePlace* places, uint32_t room) = nullptr;
  // Type and object of super() without arguments, from the running frame.
  Status (*super_arguments)(ThreadState& ts, Ref<>* type, Ref<>* object) = nullptr;
  // The thread is asked for attention: serve its request bits.
  Status (*serve_requests)(ThreadState& ts) = nullptr;
  // The interpreter's part of a thread: before it first runs, and after it has run last.
  void (*enter_thread)(ThreadState& ts) = nullptr;
  void (*leave_thread)(ThreadState& ts) = nullptr;
  // A thread is about to end: its trace functions are dropped.
  void (*quiet_thread)(ThreadState& ts) = nullptr;
  // There are two threads now, or one only, or the check interval is another: who counts
  // instructions is decided anew.
  void (*threads_changed)(RuntimeState& rt) = nullptr;
  // A bit of ts.requests has been set: the interpreter is to look at it at its next poll.
  void (*request_attention)(ThreadState& ts) = nullptr;
  // sys.unraisablehook for an exception (owned by the caller) that nobody can catch. `where` and
  // `message` ("Exception ignored in" when null) say what was going on; `where` may be null.
  void (*write_unraisable)(ThreadState& ts, Value exception, Value where,
                           const char* message) = nullptr;
  // Draw() of an iterator that fills batches: a generator, map or filter object.
  Result<> (*draw)(ThreadState& ts, Value iterator, Batch* batch) = nullptr;
  // function(items[i]) for all n, results into `out` (owned); returns how many were called before
  // an exception, which is then pending.
  int64_t (*call_each)(ThreadState& ts, Value function, const Value* items, int64_t n,
                       Value* out) = nullptr;
};

// Request bits of a thread (ThreadState::requests). Set the bit, then call RequestAttention().
enum Request : uint32_t {
  kRequestSignal = 1,
  kRequestCollect = 2,
  kRequestInterrupt = 4,  // the host wants the script to stop
  kRequestSwitch = 8,     // another thread wants the lock
  kRequestStop = 16,      // the VM ends: the thread is to be over, without running any script code
};

struct RuntimeConfig {
  size_t memory_limit = 0;               // bytes; 0: none
  size_t stack_words = size_t{8} << 20;  // of the VM stack of each thread; address space only
  bool fixed_hash_seed = false;          // hash_seed as PYTHONHASHSEED; else from the system
  uint32_t hash_seed = 0;
  bool handle_signals = false;  // scripts may change the process's signal dispositions
};

class WeakrefTable;
class SignatureTable;

// Native modules that keep an object of their own in RuntimeState::module_states.
enum class ModuleState : uint8_t { kDecimal, kDatetime, kJson, kCsv, kForkHooks, kAtExit, kCount };

class RuntimeState {
 public:
  // An empty shell; Init makes it a VM.
  RuntimeState();
  // Frees everything without running script code. All threads must have left; FinalizeModules has
  // run if scripts did. The main thread's state is deleted last.
  ~RuntimeState();
  RuntimeState(const RuntimeState&) = delete;
  RuntimeState& operator=(const RuntimeState&) = delete;

  // Makes types, singletons, names and the main thread's state (main_thread, entered as
  // heap.current_ts). False: out of memory; destroy the object.
  bool Init(const RuntimeConfig& config);

  Heap heap;
  VmHooks hooks;

  TypeObject* types[kTypeCount] = {};                          // owned, by TypeId
  TypeObject* exceptions[kExcCount] = {};                      // owned, by Exc
  StrObject* names[static_cast<size_t>(NameId::kCount)] = {};  // owned
  StrObject* latin1[256] = {};                                 // one-character strings, owned
  StrObject* empty_str = nullptr;
  Object* empty_tuple = nullptr;
  Object* empty_bytes = nullptr;
  Object* none = nullptr;
  Object* true_ = nullptr;
  Object* false_ = nullptr;
  Object* ellipsis = nullptr;
  Object* not_implemented = nullptr;
  Object* unbound = nullptr;
  Value specials[8];  // what bytecode loads by number (Special, vm/bytecode/opcodes.h); borrowed

  ShapeEntry* shapes = nullptr;  // by shape id
  uint32_t shape_count = 0, shape_capacity = 0;
  // Ids of shapes that have gone, lists by ShapeEntry::next; 0 ends them. Caches may still hold the
  // retired ones; the free ones are given out again.
  uint32_t retired_shapes = 0, retired_shape_count = 0, free_shapes = 0;
  uint32_t next_version = 1;  // versions of types, natives and modules

  InstanceExtras* extras = nullptr;
  uint32_t extras_count = 0, extras_capacity = 0, extras_free = 0;

  InternTable* interned = nullptr;
  DictObject* modules = nullptr;  // sys.modules
  ModuleObject* builtins = nullptr;
  DictObject* builtins_dict = nullptr;
  ModuleObject* sys = nullptr;
  TupleObject* codecs = nullptr;  // search functions, cache, error handlers (objects/codec.cpp)
  Object* no_default = nullptr;   // typing.NoDefault, once made; owned
  Object* tree_types = nullptr;   // the classes of ast (vm/tree), once made; owned
  Object* module_states[static_cast<size_t>(ModuleState::kCount)] =
      {};  // owned; null: not imported
  uint64_t hash_key[2] = {};
  int recursion_limit = 1000;
  int int_max_str_digits = 4300;
  bool no_debug_ranges = false;  // code objects keep lines only
  bool dev_mode = false;         // names of error handlers are checked even where none is needed
  void* attr_cache = nullptr;    // AttrCache (vm/interp/interp_state.h), mapped, owned
  size_t attr_cache_size = 0;
  uint64_t abc_token = 1;                // changes with every registration of a virtual subclass
  uint64_t warning_filters_version = 1;  // changes with the filters of module warnings
  int bytes_warning = 0;                 // -b: bytes taken for text are warned about
  int optimize = 0;                      // -O level: what compile() uses by default
  ListObject* audit_hooks = nullptr;     // sys.addaudithook; owned, null: none
  std::atomic<double> switch_interval = 0.005;  // sys.setswitchinterval, seconds
  int check_interval = 100;                     // sys.setcheckinterval
  bool check_interval_set = false;              // by the script

  ThreadState* main_thread = nullptr;
  ThreadState* threads = nullptr;  // list, under the lock; new ones come first
  Gil* gil = nullptr;              // core/gil.h; null until a second thread starts
  uint64_t last_thread_id = 1;     // idents are never given twice
  uint32_t forks = 0;              // of which this process is the child
  void* import_locks = nullptr;    // modules that are being imported (vm/import/import_lock.cpp)
  void* thread_locals = nullptr;   // list of the _thread._local objects (stdlib/thread/local.cpp)
  size_t thread_stack_size = 0;    // threading.stack_size(); 0: the system's
  SignalState* signals = nullptr;  // core/signals.h; owned, null until module _signal is used
  bool handle_signals = false;     // RuntimeConfig's
  void* vm = nullptr;              // the embedder's Vm
  void* code_instances = nullptr;  // list of every CodeInstance (vm/bytecode/code_object.h)
  bool finalizing = false;
  bool ending = false;                   // modules are being taken down: sys.is_finalizing()
  int32_t dlopen_flags = 2;              // RTLD_NOW; only told and asked
  WeakrefTable* weakrefs = nullptr;      // objects/weakref_object.cpp
  SignatureTable* signatures = nullptr;  // native/signature.cpp
  // Raised when there is no memory for a new exception; owned.
  Object* spare_memory_error = nullptr;
  size_t stack_words = 0;
  std::string* TEST_leaks = nullptr;       // VmConfig's
  void* spec_types = nullptr;              // types made by TypeForSpec (core/type_object.cpp)
  struct TypeCache* type_cache = nullptr;  // of TypeLookup (core/type_object.cpp)

  // Registers a shape; 0 when out of memory.
  uint32_t AddShape(TypeObject* type, Shape* shape);
  void RetireShape(uint32_t id);
  // Empties all caches and frees the retired ids, if there are so many that it is worth it. Called
  // where classes are made: nothing is being cached then.
  void RecycleShapes();
  // Index of a new extras entry for an instance; 0 when out of memory.
  uint32_t NewExtras();
  void FreeExtras(uint32_t index);
  // Never the same twice; 0 when they are used up (nothing can be cached under 0).
  uint32_t NextVersion() { return MVM_LIKELY(next_version != 0) ? next_version++ : 0; }
};

// One link of the chain of objects whose repr() is being made (protocol/repr_guard.h).
struct ReprLink {
  Object* object;
  ReprLink* prev;
};

// A thread's place in the queue for the VM's lock (core/gil.h), and what it has had of it.
struct GilTicket {
  enum Queue : uint8_t { kNone, kComputing, kReturning, kQueues };
  Queue queue = kNone;
  bool called = false;  // woken to take the lock, or to say that it is awake
  bool awake = false;   // has said so
  ThreadState* next = nullptr;
  uint64_t acquired = 0, forced = 0, voluntary = 0;  // how often it got the lock, and lost it
  int64_t waited = 0, held = 0, since = 0;           // nanoseconds; when it last got it
};

class ThreadState {
 public:
  // ---- what the interpreter touches at every step (one cache line) ----
  // Dispatch table, read at every poll; see vm/interp/eval_breaker.cpp.
  std::atomic<const void* const*> tab = nullptr;
  RuntimeState* rt = nullptr;
  Value* top = nullptr;      // first free word of the VM stack, published before calls
  Value* base = nullptr;     // registers of the innermost script frame
  const void* pc = nullptr;  // its current word, published before anything that may raise
  Value* stack_end = nullptr;
  HandledException* handled = nullptr;
  char* cstack_limit = nullptr;                 // lowest address the C stack may reach
  uint64_t depth_limit = uint64_t{1000} << 32;  // recursion limit, as it stands in frame headers

  Value* stack = nullptr;  // VM stack: mmap'd, never moves
  Value pending;           // owned; the exception in flight, null = none
  HandledException own_handled;
  void* entry = nullptr;               // innermost entry record from C++ (vm/interp/frame.h)
  std::atomic<uint32_t> requests = 0;  // Request bits
  int64_t work = 0;                    // countdown of Charge()
  uint64_t id = 0;
  ThreadState* next = nullptr;
  void* interp = nullptr;  // tracing, tick and thread-library state (vm/interp)
  ReprLink* repr_chain = nullptr;
  Value context;              // owned; contextvars' current context, null until there is one
  uint32_t native_depth = 0;  // RecursionGuards alive

  // ---- threads (core/gil.h) ----
  std::atomic<uint32_t> wake = 0;    // what the thread sleeps on, a futex: changes to wake it
  std::atomic<bool> parked = false;  // it sleeps, and requests are to wake it
  bool daemon = true;                // the program's end does not wait for it
  bool stopping = false;             // it is to end without running script code
  GilTicket ticket;
  DeallocState dealloc;  // the heap's, while another thread has the lock
  pthread_t thread{};    // of threads but the main one
  int native_id = 0;
  Object* handle = nullptr;     // its _thread._ThreadHandle; owned
  Object* waits_for = nullptr;  // the lock or thread that it sleeps for; borrowed
  void* import_wait = nullptr;  // the module that it waits for (vm/import/import_lock.cpp)

  // ---- children of fork() ----
  // The next slow paths write nothing that only makes later ones quicker, such as specialised code:
  // its memory is the parent's as well until one of the two writes to it, and a page copied costs
  // as much as twenty slow paths.
  uint32_t thrift = 0;
  bool Spends() { return MVM_LIKELY(thrift == 0) || --thrift == 0; }

  Heap& heap() { return rt->heap; }
  bool HasPending() const { return !pending.is_null(); }
};

// A thread of the VM, not yet running in it (core/gil.h). Null: out of memory.
ThreadState* NewThreadState(RuntimeState& rt, size_t stack_words);
// Drops the values that a thread which runs nothing may still hold, its pending exception and the
// like; false: there were none.
bool DropThreadValues(ThreadState& ts);
// REQUIRES: it runs nothing; its pending exception is dropped.
void DeleteThreadState(ThreadState* ts);
// Sets ts.cstack_limit from the calling thread's C stack, or from the bounds given (a C stack the
// embedder made). Called by each thread before it first runs script code.
void SetCStackLimit(ThreadState& ts);
void SetCStackLimit(ThreadState& ts, char* lowest, size_t size);
// Sets bits of ts.requests and has the interpreter look. Any thread, any time, signal handlers too.
void RequestAttention(ThreadState& ts, uint32_t bits);

// ---- types and identity ----

inline TypeObject* TypeOf(ThreadState& ts, Value v) {
  if (MVM_LIKELY(v.is_pointer())) return ts.rt->shapes[v.object()->shape_id].type;
  return ts.rt->types[static_cast<size_t>(v.is_int() ? TypeId::kInt : TypeId::kFloat)];
}
// Exactly that built-in type. Inline ints and floats: use v.is_int() first.
inline bool IsExact(Value v, TypeId id) {
  return v.is_object() && v.object()->shape_id == ShapeIdOf(id);
}
// The same for words that hold a value for certain, as registers do.
inline bool Holds(Value v, TypeId id) {
  return v.is_pointer() && v.object()->shape_id == ShapeIdOf(id);
}
// Has one of the fast-subclass flags (kTypeStrSubclass, ...). Heap objects only.
inline bool HasTypeFlag(ThreadState& ts, Value v, uint32_t flag) {
  return v.is_object() && ts.rt->shapes[v.object()->shape_id].type->has_flag(flag);
}
inline bool IsInt(ThreadState& ts, Value v) {
  return v.is_int() || HasTypeFlag(ts, v, kTypeIntSubclass);
}
inline bool IsFloat(ThreadState& ts, Value v) {
  return v.is_float() || HasTypeFlag(ts, v, kTypeFloatSubclass);
}
inline bool IsStr(ThreadState& ts, Value v) { return HasTypeFlag(ts, v, kTypeStrSubclass); }
inline bool IsBytes(ThreadState& ts, Value v) { return HasTypeFlag(ts, v, kTypeBytesSubclass); }
inline bool IsList(ThreadState& ts, Value v) { return HasTypeFlag(ts, v, kTypeListSubclass); }
inline bool IsTuple(ThreadState& ts, Value v) { return HasTypeFlag(ts, v, kTypeTupleSubclass); }
inline bool IsDict(ThreadState& ts, Value v) { return HasTypeFlag(ts, v, kTypeDictSubclass); }
inline bool IsAnySet(ThreadState& ts, Value v) { return HasTypeFlag(ts, v, kTypeSetSubclass); }
inline bool IsType(ThreadState& ts, Value v) { return HasTypeFlag(ts, v, kTypeTypeSubclass); }
inline bool IsException(ThreadState& ts, Value v) {
  return HasTypeFlag(ts, v, kTypeExceptionSubclass);
}
inline TypeObject* TypeById(ThreadState& ts, TypeId id) {
  return ts.rt->types[static_cast<size_t>(id)];
}
inline TypeObject* ExcType(ThreadState& ts, Exc e) {
  return ts.rt->exceptions[static_cast<size_t>(e)];
}
// Instance of `type` or of a subclass (no __instancecheck__).
inline bool IsInstance(ThreadState& ts, Value v, TypeObject* type) {
  TypeObject* t = TypeOf(ts, v);
  return t == type || IsSubtype(t, type);
}

// ---- common results (each a new reference) ----

inline Result<> None(ThreadState& ts) { return Result<>::Borrow(ts.rt->none); }
inline Result<> Bool(ThreadState& ts, bool b) {
  return Result<>::Borrow(b ? ts.rt->true_ : ts.rt->false_);
}
inline Result<> NotImplemented(ThreadState& ts) { return Result<>::Borrow(ts.rt->not_implemented); }
inline Result<> Small(int64_t i) { return Result<>::Steal(Value::Int(i)); }  // REQUIRES: FitsInt(i)
inline bool IsNone(ThreadState& ts, Value v) { return v.is(ts.rt->none); }
inline bool IsTrue(ThreadState& ts, Value v) { return v.is(ts.rt->true_); }
inline bool IsFalse(ThreadState& ts, Value v) { return v.is(ts.rt->false_); }
inline bool IsNotImplemented(ThreadState& ts, Value v) { return v.is(ts.rt->not_implemented); }

// ---- raising (raise.cpp) ----
// Format directives: %s const char* (UTF-8), %.*s as printf, %d int, %u unsigned, %ld/%lu/%lld/
// %llu/%zd/%zu, %x, %c char, %% and, taking a Value: %R repr, %A ascii, %S str, %T the type's
// display name, %U a str's text; %N takes a TypeObject* (its display name). Precision counts
// characters for %s, %R, %A, %S, %U. Arguments of type Ref<> need .get(). A failure
// while formatting leaves that exception pending instead.
[[gnu::cold]] Raised Raise(ThreadState& ts, Exc type, const char* format, ...);
[[gnu::cold]] Raised RaiseNoMessage(ThreadState& ts, Exc type);
// Raises type(value); KeyError and the like, whose argument is an object.
[[gnu::cold]] Raised RaiseValue(ThreadState& ts, Exc type, Value arg);
// Raises an exception object (owned by the caller) as `raise` does, setting __context__.
[[gnu::cold]] Raised RaiseObject(ThreadState& ts, Value exception);
[[gnu::cold]] Raised RaiseMemoryError(ThreadState& ts);
// OSError (or its subclass by errno) with strerror, and the file names unless null.
[[gnu::cold]] Raised RaiseErrno(ThreadState& ts, int error, Value filename = Value(),
                                Value filename2 = Value());
// Takes the pending exception, leaving none.
inline Ref<> TakePending(ThreadState& ts) {
  return Ref<>::Steal(std::exchange(ts.pending, Value()));
}
// Puts one back without touching its context. Consumes.
void RestorePending(ThreadState& ts, Ref<> exception);
inline void ClearPending(ThreadState& ts) { Ref<> dropped = TakePending(ts); }
// Does the pending exception match (by subclass)? REQUIRES: one is pending
bool PendingIs(ThreadState& ts, Exc type);
// If the pending exception is of that type: clears it and is true.
bool ClearPendingIf(ThreadState& ts, Exc type);
// Reports the pending exception through sys.unraisablehook and clears it.
void WriteUnraisable(ThreadState& ts, Value where, const char* message = nullptr);
// A warning of a built-in category; raised if a filter turns it into an error.
Status Warn(ThreadState& ts, Exc category, int stack_level, const char* format, ...);
// The text Raise would make, as a new str.
Result<StrObject> Format(ThreadState& ts, const char* format, ...);
Result<StrObject> FormatV(ThreadState& ts, const char* format, va_list args);

// ---- limits ----

// Every native that recurses makes one of these first; a false guard has raised RecursionError
// ("maximum recursion depth exceeded" + where). The count bounds what scripts can nest as CPython
// does, whatever the size of the C stack; the address keeps the process alive on small ones.
class RecursionGuard {
 public:
  RecursionGuard(ThreadState& ts, const char* where)
      : ts_(ts),
        ok_((MVM_LIKELY(++ts.native_depth <= kMaxNativeDepth) &&
             MVM_LIKELY(static_cast<char*>(__builtin_frame_address(0)) > ts.cstack_limit)) ||
            Fail(ts, where)) {}
  ~RecursionGuard() { --ts_.native_depth; }
  RecursionGuard(const RecursionGuard&) = delete;
  RecursionGuard& operator=(const RecursionGuard&) = delete;
  explicit operator bool() const { return ok_; }

  static constexpr uint32_t kMaxNativeDepth = 10'000;

 private:
  [[gnu::cold]] static bool Fail(ThreadState& ts, const char* where);
  ThreadState& ts_;
  bool ok_;
};

// Every native that loops by a script's numbers charges its work (about one unit per element or
// per 10 ns) so that budgets, deadlines and interrupts reach it.
[[gnu::cold]] Status ChargeSlow(ThreadState& ts);
inline Status Charge(ThreadState& ts, int64_t units) {
  ts.work -= units;
  return MVM_LIKELY(ts.work > 0) ? Ok() : ChargeSlow(ts);
}

// The version of a native function or module, which is given when the first cache asks; 0: nothing
// can be cached about it.
inline uint32_t VersionOf(ThreadState& ts, Object* o) {
  if (o->aux == 0) o->aux = ts.rt->NextVersion();
  return o->aux;
}

// ---- allocation ----

// Uninitialised buffer, or MemoryError. Sizes that script numbers decide pass through here.
// A large one brings the next Charge() nearer to its look at the requests: it will be filled.
inline Result<void*> AllocBuffer(ThreadState& ts, size_t size) {
  ts.work -= static_cast<int64_t>(size >> 6);
  void* p = ts.heap().AllocateBuffer(size);
  if (MVM_UNLIKELY(!p)) return RaiseMemoryError(ts);
  return p;
}
// MemoryError if `more` bytes cannot be had: before a result of that size is computed.
inline Status CheckRoom(ThreadState& ts, size_t more) {
  if (MVM_UNLIKELY(ts.heap().WouldExceed(more))) return RaiseMemoryError(ts);
  return Ok();
}

// The threshold of the youngest generation has been passed: asks for a collection.
void RequestCollection(ThreadState& ts);

// Tells the collector about a finished container: last step of its construction.
inline void Track(Object* o) { o->gc |= kGcTracked; }
inline void Untrack(Object* o) { o->gc &= ~kGcTracked; }

// The header of a new object; its maker has the one reference. `gc`: GcBits.
inline Object* StartObject(void* memory, uint32_t shape_id, uint32_t gc) {
  Object* o = static_cast<Object*>(memory);
  o->refcount = 1;
  o->shape_id = shape_id;
  o->gc = gc;
  o->aux = 0;
  return o;
}

// Raw object of `size` bytes with a header (refcount 1, not tracked), or MemoryError; fields are
// not initialised.
template <class T>
Result<T> AllocObject(ThreadState& ts, uint32_t shape_id, size_t size, bool container) {
  void* p = ts.heap().Allocate(size, container);
  if (MVM_UNLIKELY(!p)) return RaiseMemoryError(ts);
  if (size >= 4096) ts.work -= static_cast<int64_t>(size >> 6);
  Object* o = StartObject(p, shape_id, 0);
  if (container) {
    if (MVM_UNLIKELY(++ts.rt->heap.young_count >= ts.rt->heap.young_threshold))
      RequestCollection(ts);
  }
  return Result<T>::Steal(static_cast<T*>(o));
}

// A fixed-size object of a built-in type, fields value-initialised by T's default member
// initialisers: `MVM_TRY(auto it, New<ListIterator>(ts, TypeId::kListIterator));`
// Containers (T has VisitRefs) must be Track()ed by the caller when their fields are set.
template <class T>
Result<T> New(ThreadState& ts, uint32_t shape_id) {
  constexpr bool kContainer = requires { &T::template VisitRefs<gc_internal::VisitAll>; }
  &&!requires { T::kNeverInCycle; };
  Result<T> r = AllocObject<T>(ts, shape_id, sizeof(T), kContainer);
  if (MVM_UNLIKELY(r.raised())) return kRaised;
  T* o = r.word();
  Object header = *o;
  new (static_cast<void*>(o)) T();
  static_cast<Object&>(*o) = header;
  return Result<T>::Steal(o);
}
template <class T>
Result<T> New(ThreadState& ts, TypeId id) {
  return New<T>(ts, ShapeIdOf(id));
}

}  // namespace minivm

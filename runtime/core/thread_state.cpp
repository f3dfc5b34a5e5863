// Threads of a VM: their stacks and limits, requests for attention, charged work.
//
// What a request does is the interpreter's business (vm/interp/eval_breaker.cpp).
#include "runtime/core/thread_state.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif

#include <new>

#include "runtime/core/gil.h"

namespace minivm {

namespace {

// Left for natives that do not recurse, and for raising the RecursionError itself.
constexpr size_t kCStackReserve = 64 * 1024;
// What an unknown C stack is taken to have left.
constexpr size_t kUnknownStack = 128 * 1024;
// What is made use of: enough; "unlimited" may mean the whole address space.
constexpr size_t kMaxCStack = size_t{64} << 20;
// Units of Charge() between two looks at the requests: about a millisecond.
constexpr int64_t kWorkSlice = 1 << 16;

size_t RoundToPages(size_t bytes) {
  size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) & ~(page - 1);
}

struct CStack {
  char* low = nullptr;
  char* high = nullptr;

  bool Holds(const char* here) const { return low <= here && here < high; }
};

// The first thread's stack ends with the program's name and grows as far as the limit allows. The C
// library finds that out from a list of all mappings, which takes as long as the rest of a VM's
// start.
CStack FirstThreadStack() {
  CStack stack;
#if defined(__linux__)
  struct rlimit limit;
  if (gettid() != getpid() || getrlimit(RLIMIT_STACK, &limit) != 0) return stack;
  stack.high = reinterpret_cast<char*>(getauxval(AT_EXECFN));
  if (stack.high == nullptr) return stack;
  size_t size = limit.rlim_cur < kMaxCStack ? limit.rlim_cur : kMaxCStack;
  stack.low = stack.high - size;
#endif
  return stack;
}

CStack ThreadStack() {
  CStack stack;
  pthread_attr_t attr;
  if (pthread_getattr_np(pthread_self(), &attr) != 0) return stack;
  void* lowest = nullptr;
  size_t size = 0;
  size_t guard = 0;
  if (pthread_attr_getstack(&attr, &lowest, &size) != 0) size = 0;
  if (pthread_attr_getguardsize(&attr, &guard) != 0) guard = 0;
  pthread_attr_destroy(&attr);
  if (size <= guard) return stack;
  stack.low = static_cast<char*>(lowest) + guard;
  stack.high = static_cast<char*>(lowest) + size;
  return stack;
}

}  // namespace

ThreadState* NewThreadState(RuntimeState& rt, size_t stack_words) {
  ThreadState* ts = new (std::nothrow) ThreadState();
  if (!ts) return nullptr;
  size_t bytes = RoundToPages(stack_words * sizeof(Value));
  void* stack = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stack == MAP_FAILED) {
    delete ts;
    return nullptr;
  }
  ts->rt = &rt;
  ts->stack = static_cast<Value*>(stack);
  ts->stack_end = ts->stack + stack_words;
  ts->top = ts->stack;
  ts->handled = &ts->own_handled;
  ts->work = kWorkSlice;
  ts->depth_limit = (static_cast<uint64_t>(rt.recursion_limit) + 1) << 32;
  // Until SetCStackLimit is called, which asks the system and takes its time.
  char* here = static_cast<char*>(__builtin_frame_address(0));
  SetCStackLimit(*ts, here - kUnknownStack, kUnknownStack);
  return ts;
}

bool DropThreadValues(ThreadState& ts) {
  Value pending = std::exchange(ts.pending, Value());
  Value handled = std::exchange(ts.own_handled.value, Value());
  Value context = std::exchange(ts.context, Value());
  Decref(pending);
  Decref(handled);
  Decref(context);
  return !pending.is_null() || !handled.is_null() || !context.is_null();
}

void DeleteThreadState(ThreadState* ts) {
  DropThreadValues(*ts);
  Ref<Object> handle = Ref<Object>::Steal(std::exchange(ts->handle, nullptr));
  size_t words = static_cast<size_t>(ts->stack_end - ts->stack);
  munmap(ts->stack, RoundToPages(words * sizeof(Value)));
  delete ts;
}

void SetCStackLimit(ThreadState& ts, char* lowest, size_t size) {
  size_t reserve = size / 2 < kCStackReserve ? size / 2 : kCStackReserve;
  ts.cstack_limit = lowest + reserve;
}

void SetCStackLimit(ThreadState& ts) {
  char* here = static_cast<char*>(__builtin_frame_address(0));
  CStack stack = FirstThreadStack();
  if (!stack.Holds(here)) stack = ThreadStack();
  if (!stack.Holds(here)) {  // an unknown stack: assume little
    SetCStackLimit(ts, here - kUnknownStack, kUnknownStack);
    return;
  }
  if (here - stack.low > static_cast<ptrdiff_t>(kMaxCStack)) stack.low = here - kMaxCStack;
  SetCStackLimit(ts, stack.low, static_cast<size_t>(here - stack.low));
}

void RequestAttention(ThreadState& ts, uint32_t bits) {
  ts.requests.fetch_or(bits);
  if (ts.rt->hooks.request_attention) ts.rt->hooks.request_attention(ts);
  if (ts.parked.load()) Unpark(ts);
}

Status ChargeSlow(ThreadState& ts) {
  ts.work = kWorkSlice;
  if (ts.requests.load(std::memory_order_relaxed) == 0 || !ts.rt->hooks.serve_requests) return Ok();
  return ts.rt->hooks.serve_requests(ts);
}

bool RecursionGuard::Fail(ThreadState& ts, const char* where) {
  (void)Raise(ts, Exc::kRecursionError, "maximum recursion depth exceeded%s", where);
  return false;
}

}  // namespace minivm

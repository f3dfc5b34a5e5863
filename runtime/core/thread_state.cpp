// Threads of a VM: their stacks and limits, requests for attention, charged work.
//
// What a request does is the interpreter's business (vm/interp/eval_breaker.cpp).
#include "runtime/core/thread_state.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace minivm {

namespace {

// Left for natives that do not recurse, and for raising the RecursionError itself.
constexpr size_t kCStackReserve = 64 * 1024;
// What an unknown C stack is taken to have left.
constexpr size_t kUnknownStack = 128 * 1024;
// Units of Charge() between two looks at the requests: about a millisecond.
constexpr int64_t kWorkSlice = 1 << 16;

size_t RoundToPages(size_t bytes) {
  size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) & ~(page - 1);
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
  ts->depth_limit = static_cast<uint64_t>(rt.recursion_limit) << 32;
  // Until SetCStackLimit is called, which asks the system and takes its time.
  char* here = static_cast<char*>(__builtin_frame_address(0));
  SetCStackLimit(*ts, here - kUnknownStack, kUnknownStack);
  return ts;
}

void DropThreadValues(ThreadState& ts) {
  Value pending = std::exchange(ts.pending, Value());
  Value handled = std::exchange(ts.own_handled.value, Value());
  Value context = std::exchange(ts.context, Value());
  Decref(pending);
  Decref(handled);
  Decref(context);
}

void DeleteThreadState(ThreadState* ts) {
  DropThreadValues(*ts);
  size_t words = static_cast<size_t>(ts->stack_end - ts->stack);
  munmap(ts->stack, RoundToPages(words * sizeof(Value)));
  delete ts;
}

void SetCStackLimit(ThreadState& ts, char* lowest, size_t size) {
  size_t reserve = size / 2 < kCStackReserve ? size / 2 : kCStackReserve;
  ts.cstack_limit = lowest + reserve;
}

void SetCStackLimit(ThreadState& ts) {
  constexpr size_t kMax = size_t{64} << 20;  // enough; "unlimited" may mean the whole address space
  char* here = static_cast<char*>(__builtin_frame_address(0));
  pthread_attr_t attr;
  void* lowest = nullptr;
  size_t size = 0;
  size_t guard = 0;
  if (pthread_getattr_np(pthread_self(), &attr) == 0) {
    if (pthread_attr_getstack(&attr, &lowest, &size) != 0) size = 0;
    if (pthread_attr_getguardsize(&attr, &guard) != 0) guard = 0;
    pthread_attr_destroy(&attr);
  }
  char* low = static_cast<char*>(lowest);
  if (size == 0 || here < low || here > low + size) {  // an unknown stack: assume little
    SetCStackLimit(ts, here - kUnknownStack, kUnknownStack);
    return;
  }
  low += guard;
  if (here - low > static_cast<ptrdiff_t>(kMax)) low = here - kMax;
  SetCStackLimit(ts, low, static_cast<size_t>(here - low));
}

void RequestAttention(ThreadState& ts, uint32_t bits) {
  ts.requests.fetch_or(bits);
  if (ts.rt->hooks.request_attention) ts.rt->hooks.request_attention(ts);
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

// Loops of script code through the public API. The time is that of kLoops iterations of the
// script's loop; items_per_second counts single ones, of which EmptyLoop is what the loop itself
// takes.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "minivm/minivm.h"

namespace {

constexpr int64_t kLoops = 10000;

// Runs `setup`, then times run(n), made of `body` inside a loop.
void RunLoop(benchmark::State& state, const std::string& setup, const std::string& body) {
  minivm::ScriptError error;
  minivm::VmConfig config;
  config.streams.descriptors = false;
  std::unique_ptr<minivm::Vm> vm = minivm::Vm::Create(config, &error);
  const std::string source = setup + "\ndef run(n):\n    x = 0\n    for i in range(n):\n        " +
                             body + "\n    return x\n";
  if (!vm || !vm->Run(source, "bench.src", &error)) {
    state.SkipWithError(error.message.c_str());
    return;
  }
  minivm::Var run = vm->Get("run");
  const minivm::Var n = vm->Int(kLoops);
  for (auto _ : state) {
    minivm::Var result = run.Call({&n, 1}, &error);
    if (!result) {
      state.SkipWithError(error.message.c_str());
      return;
    }
  }
  state.SetItemsProcessed(state.iterations() * kLoops);
}

constexpr const char* kClass = R"(
class Base:
    kind = 3
    def __init__(self, v): self.v = v
    def m(self): return 1
    def up(self): return 1
    @property
    def p(self): return 2
class C(Base):
    def up(self): return super().up()
class Slotted:
    __slots__ = ('v',)
c = C(1)
s = Slotted()
s.v = 1
)";

#define SCRIPT_BENCH(name, setup, body)                               \
  void name(benchmark::State& state) { RunLoop(state, setup, body); } \
  BENCHMARK(name)

SCRIPT_BENCH(EmptyLoop, "", "pass");

SCRIPT_BENCH(CallPositional, "def f(a, b): return a", "f(i, x)");
SCRIPT_BENCH(CallKeyword, "def f(a, b): return a", "f(a=i, b=x)");
SCRIPT_BENCH(CallDefault, "def f(a, b=2): return a", "f(i)");
SCRIPT_BENCH(CallVariadic, "def f(*a): return a", "f(i, x)");
SCRIPT_BENCH(CallUnpacked, "def f(a, b): return a\npair = (1, 2)", "f(*pair)");
SCRIPT_BENCH(CallNamedUnpacked, "def f(**k): return k\nd = {'a': 1}", "f(**d)");
SCRIPT_BENCH(CallMethod, kClass, "c.m()");
SCRIPT_BENCH(CallSuper, kClass, "c.up()");
SCRIPT_BENCH(CallNative, "", "abs(i)");
SCRIPT_BENCH(CallNativeMethod, "t = 'abc'", "t.upper()");
SCRIPT_BENCH(Instantiate, kClass, "C(i)");

SCRIPT_BENCH(AttributeRead, kClass, "x = c.v");
SCRIPT_BENCH(AttributeWrite, kClass, "c.v = i");
SCRIPT_BENCH(AttributeOfClass, kClass, "x = c.kind");
SCRIPT_BENCH(AttributeProperty, kClass, "x = c.p");
SCRIPT_BENCH(AttributeSlot, kClass, "x = s.v");
SCRIPT_BENCH(GlobalRead, "g = 1", "x = g");

SCRIPT_BENCH(IntAdd, "", "x += i");
SCRIPT_BENCH(IntDivide, "", "x = i // 3");
SCRIPT_BENCH(FloatMultiply, "", "x = i * 0.5");
SCRIPT_BENCH(CompareInts, "", "x = i < 500");

SCRIPT_BENCH(DictItem, "d = {'a': 1}", "x = d['a']");
SCRIPT_BENCH(DictStore, "d = {}", "d[i & 63] = i");
SCRIPT_BENCH(DictDisplay, "", "x = {'a': i, 'b': 2}");
SCRIPT_BENCH(SetContains, "s = {1, 2, 3}", "x = i in s");
SCRIPT_BENCH(ListItem, "v = [1, 2, 3]", "x = v[1]");
SCRIPT_BENCH(ListSlice, "v = list(range(20))", "x = v[3:9]");
SCRIPT_BENCH(ListComprehension, "", "[y for y in (1, 2, 3)]");
SCRIPT_BENCH(TupleUnpack, "p = (1, 2)", "x, y = p");

SCRIPT_BENCH(StrConcat, "", "'ab' + str(i)");
SCRIPT_BENCH(StrFormat, "", "f'{i}: {x}'");
SCRIPT_BENCH(StrFind, "t = 'a text of some length, to be searched'", "t.find('search')");
SCRIPT_BENCH(StrSplitJoin, "t = 'one two three'", "' '.join(t.split())");

SCRIPT_BENCH(GeneratorResume, "def g():\n    while True: yield 1\nnext_of = g().__next__",
             "next_of()");
SCRIPT_BENCH(RaiseCatch, "def f():\n    try: raise ValueError\n    except ValueError: return 1",
             "f()");
SCRIPT_BENCH(With, "import contextlib\nctx = contextlib.nullcontext()", "with ctx: pass");

// Of one thread: what the operations cost when nobody waits.
SCRIPT_BENCH(LockFree, "import _thread\nlock = _thread.allocate_lock()",
             "lock.acquire(); lock.release()");
SCRIPT_BENCH(LockWith, "import threading\nlock = threading.Lock()", "with lock: pass");
SCRIPT_BENCH(LockReentrant, "import threading\nlock = threading.RLock()", "with lock: pass");
SCRIPT_BENCH(ConditionNotify, "import threading\nc = threading.Condition()", "with c: c.notify()");
SCRIPT_BENCH(QueuePutGet, "import queue\nq = queue.Queue()", "q.put(i); q.get()");
SCRIPT_BENCH(SimpleQueuePutGet, "import queue\nq = queue.SimpleQueue()", "q.put(i); q.get()");
SCRIPT_BENCH(DequePutGet, "import collections\nq = collections.deque()",
             "q.append(i); q.popleft()");

// Of two: each iteration waits for the other thread twice.
SCRIPT_BENCH(QueuePingPong, R"(
import queue, threading
there, back = queue.SimpleQueue(), queue.SimpleQueue()
def serve():
    while (item := there.get()) is not None: back.put(item)
threading.Thread(target=serve, daemon=True).start()
)",
             "there.put(i); back.get()");

#undef SCRIPT_BENCH

}  // namespace

// Generators, coroutines and asynchronous generators.
//
// While suspended the object owns its registers; resuming moves them to the top of the VM stack
// and links a frame, yielding moves them back (docs/decisions/003). A running generator therefore
// owns no registers and traverses none.
#pragma once

#include "vm/interp/frame.h"

namespace minivm {

enum class GenState : uint8_t { kCreated, kSuspended, kRunning, kClosed };

class GeneratorObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kGenerator;  // also coroutine, async generator
  FunctionObject* function = nullptr;
  StrObject* name = nullptr;
  StrObject* qualname = nullptr;
  Value* registers = nullptr;       // heap buffer of function->frame_size words
  const Word* resume_pc = nullptr;  // word to go on at
  uint32_t live = 0;                // registers in use while suspended
  uint32_t capacity = 0;
  GenState state = GenState::kCreated;
  uint8_t yield_register = 0;  // receives the value sent
  bool async_closed = false;   // async generators
  bool async_running = false;
  bool hooks_inited = false;
  bool awaiting = false;     // suspended inside yield from / await
  HandledException handled;  // what the generator is handling
  Value frame;               // FrameObject once somebody asked, borrowed back link inside it
  Value origin;              // cr_origin
  Value finalizer;           // async generators: hook

  template <class V>
  void VisitRefs(V&& v) {
    v(function);
    v(name);
    v(qualname);
    v(handled.value);
    v(frame);
    v(origin);
    v(finalizer);
    if (registers) v(registers, live);  // none while they are on the stack
  }
  void FreeBuffers(Heap& heap);
};

// Hooks of the three types: a frame object that outlives its generator must not point to it.
void VisitGenerator(Object* self, Visitor& visitor);
void ClearGenerator(Object* self);
void DestroyGenerator(Heap& heap, Object* self);
bool GeneratorDiesQuietly(const Object* self);
inline constexpr GcHooks kGeneratorGc = {VisitGenerator, ClearGenerator, DestroyGenerator,
                                         GeneratorDiesQuietly};

// One step, from C++. Result: the yielded value; Done() when it returned, with *returned set
// to the return value; raised otherwise. `sent` is borrowed; for a generator that has not started
// it must be None.
Result<> GeneratorSend(ThreadState& ts, GeneratorObject* gen, Value sent, Ref<>* returned);
// The same for next(): a value that is returned travels in StopIteration, none ends in silence.
// What comes before may go into `batch`, which may be null.
Result<> GeneratorNext(ThreadState& ts, GeneratorObject* gen, Batch* batch = nullptr);
// Throws the pending exception into the generator.
Result<> GeneratorThrow(ThreadState& ts, GeneratorObject* gen, Ref<>* returned);
// close(): GeneratorExit thrown in, RuntimeError if it yields.
Result<> GeneratorClose(ThreadState& ts, GeneratorObject* gen);
// The delegate of a suspended `yield from` or await: borrowed, null if none.
Value GeneratorDelegate(GeneratorObject* gen);

}  // namespace minivm

// Traceback and frame objects.
//
// A FrameObject refers to a live window (base != null) until the frame ends; then it owns copies
// of the locals (moved out of the registers).
#pragma once

#include "vm/interp/frame.h"

namespace minivm {

class ExceptionObject;
class GeneratorObject;

class FrameObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kFrame;
  FunctionObject* function = nullptr;
  Value* base = nullptr;    // live window, or null
  Value* locals = nullptr;  // when the frame has ended: its locals, own_locals()
  uint32_t local_count = 0;
  uint32_t room = 0;         // words behind the object for them
  const Word* pc = nullptr;  // last word executed, kept up to date when the frame is left
  Value back;                // FrameObject, None at the bottom, null: not asked yet
  GeneratorObject* generator = nullptr;  // borrowed: its registers while suspended
  FrameObject* next_live = nullptr;      // ThreadState's list of frame objects with live windows
  Value trace;                           // f_trace
  Value extra_locals;                    // f_locals assignments to names that are no locals
  // List of locals overwritten through f_locals, which the running code may have borrowed.
  Value kept;
  bool trace_lines = true, trace_opcodes = false;
  bool cleared = false;
  bool pinned = false;      // the running frame owns a reference (extra locals, a trace function)
  bool at_call = false;     // tracing shows its call: it has not begun
  int traced_line = -1;     // of the last line event
  int shown_line = -1;      // of the line event that is being reported, or that f_lineno was set to
  uint32_t shown_back = 0;  // units before the word of the mark whose line that is
  const char* event = nullptr;    // that a trace function is being told of; static text
  const Word* jump_pc = nullptr;  // f_lineno was set: go on here, behind so many marks
  uint32_t jump_mark = 0;
  uint32_t jump_keep = 0;           // registers that stay alive
  const Word* traced_pc = nullptr;  // last word seen by tracing
  const Word* line_pc = nullptr;    // last one that had a line, or a mark that far before it
  uint32_t line_back = 0;

  template <class V>
  void VisitRefs(V&& v) {
    v(function);
    v(back);
    v(trace);
    v(extra_locals);
    v(kept);
    if (locals) v(locals, local_count);
  }
  Value* own_locals() { return reinterpret_cast<Value*>(this + 1); }
};

class TracebackObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kTraceback;
  static constexpr int32_t kLineFromPc = INT32_MIN;
  Value next;  // TracebackObject or null
  FrameObject* frame = nullptr;
  int32_t lasti = -1;          // see TracebackOffset
  bool at_word = false;        // lasti is the index of a word
  int32_t line = kLineFromPc;  // tb_lineno; kLineFromPc: found in the line table when asked for
  template <class V>
  void VisitRefs(V&& v) {
    v(next);
    v(frame);
  }
};

// tb_lasti: OffsetOf() the word; -1: none. Found when asked for.
int32_t TracebackOffset(TracebackObject* tb);
// tb_lineno, -1 if unknown.
int TracebackLine(TracebackObject* tb);

// A frame object of the function that has no window yet.
Result<FrameObject> NewFrame(ThreadState& ts, FunctionObject* function, const Word* pc);
// What becomes of a frame object, and of a traceback with those that it alone keeps.
void DestroyFrame(Heap& heap, Object* self);
void DestroyTraceback(Heap& heap, Object* self);
// The frame object of a live window: the existing one or a new one.
Result<FrameObject> FrameFor(ThreadState& ts, Value* base, const Word* pc);
// The frame object of a live window if there is one, else null. Borrowed.
FrameObject* ExistingFrame(ThreadState& ts, Value* base);
// Puts a frame object whose window has come (back) to life on the thread's list, or takes it off.
void LinkLiveFrame(ThreadState& ts, FrameObject* frame, Value* base);
void UnlinkLiveFrame(ThreadState& ts, FrameObject* frame);
// Keeps a frame object that something was put into (f_trace) until its window goes.
void PinFrame(FrameObject* frame);
// f_lineno = v: where the frame goes on when the trace function that sets it returns.
Status SetFrameLine(ThreadState& ts, Value self, Value v);
// Releases the temporaries that a jump set by it leaves behind.
void LeaveForJump(ThreadState& ts, FrameObject* frame, Value* base, const Word* pc);
// Adds the frame at `pc` to the traceback of the pending exception; out of memory, MemoryError
// takes its place.
Status AddTraceback(ThreadState& ts, Value* base, const Word* pc);
// The entry goes to the front of the exception's traceback.
void LinkTraceback(ExceptionObject* e, TracebackObject* tb, uint32_t word);
// frame.f_back = the frame of this window, with an exception pending.
void SetBack(ThreadState& ts, FrameObject* frame, Value* base, const Word* pc);
// A frame that ends owns its n locals from now on.
void TakeLocals(FrameObject* frame, Value* base, uint32_t n);
// The window is about to go: its frame object takes the locals. Called when kFrameObject is set.
void DetachFrame(ThreadState& ts, Value* base, const Word* pc);

}  // namespace minivm

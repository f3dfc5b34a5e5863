// Reading pickles: a stack machine over untrusted bytes.
//
// Invariants: stack_[0, size_) are owned; marks_ are positions in it, ascending; an instruction may
// not take what is below the last mark. A script object is never used after the stack that owned
// it may have changed, unless it is held.
#pragma once

#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/pickle/pickle_types.h"
#include "stdlib/pickle/unpickle_input.h"

namespace minivm::pickle {

class UnpicklerObject;

class UnpicklerCore {
 public:
  UnpicklerCore() = default;
  ~UnpicklerCore();
  UnpicklerCore(const UnpicklerCore&) = delete;
  UnpicklerCore& operator=(const UnpicklerCore&) = delete;

  Status Configure(ThreadState& ts, Value fix_imports, Value encoding, Value errors, Value buffers);
  // The object that the next pickle of the input describes.
  Result<> Load(ThreadState& ts);
  // What GLOBAL does unless a subclass says otherwise.
  Result<> FindClass(ThreadState& ts, Value module, Value name);

  // The memo as scripts see it.
  Result<DictObject> MemoDict(ThreadState& ts);
  Status SetMemo(ThreadState& ts, DictObject* from);
  void ClearMemo();
  size_t memo_bytes() const { return memo_capacity_ * sizeof(Value); }

  template <class V>
  void VisitRefs(V&& v) {
    input.VisitRefs(v);
    v(find_class);
    v(persistent_load);
    v(buffers_);
    v(encoding_);
    v(errors_);
    v(sparse_memo_);
    for (size_t i = 0; i < size_; ++i) v(stack_[i]);
    for (size_t i = 0; i < memo_capacity_; ++i) v(memo_[i]);
  }

  Input input;
  int protocol = 0;
  bool running = false;
  Ref<> find_class;       // of a subclass; empty: FindClass
  Ref<> persistent_load;  // empty: there is none

 private:
  // ---- the stack ----
  Status Push(ThreadState& ts, Ref<> v);
  size_t Fence() const { return mark_count_ ? marks_[mark_count_ - 1] : 0; }
  // n objects can be taken.
  Status Need(ThreadState& ts, size_t n);
  Result<> Pop(ThreadState& ts);
  // Drops what is above.
  void Truncate(size_t size);
  // The position of the last mark, which is gone.
  Result<size_t> PopMark(ThreadState& ts);
  Result<TupleObject> PopTuple(ThreadState& ts, size_t start);
  Status PushMark(ThreadState& ts);
  void ClearStack();

  // ---- the memo ----
  Status MemoPut(ThreadState& ts, uint64_t number);
  Status MemoGet(ThreadState& ts, int64_t number);
  Status MemoStore(ThreadState& ts, uint64_t number, Value v);

  // ---- instructions ----
  Status Run(ThreadState& ts);
  Status Step(ThreadState& ts, uint8_t op);
  Result<uint64_t> Number(ThreadState& ts, int width);
  Status LoadInt(ThreadState& ts);
  Status LoadLong(ThreadState& ts);
  Status LoadFloat(ThreadState& ts);
  Status LoadBinFloat(ThreadState& ts);
  Status LoadCountedLong(ThreadState& ts, int width);
  Status LoadString(ThreadState& ts);
  Status LoadCountedString(ThreadState& ts, int width);
  Status PushDecoded(ThreadState& ts, std::string_view bytes);
  Status LoadUnicode(ThreadState& ts);
  Status LoadCountedUnicode(ThreadState& ts, int width);
  Status LoadCountedBytes(ThreadState& ts, int width);
  Status LoadBytearray(ThreadState& ts);
  Status LoadSmallTuple(ThreadState& ts, size_t n);
  Status LoadList(ThreadState& ts);
  Status LoadDict(ThreadState& ts);
  Status LoadFrozenset(ThreadState& ts);
  Status LoadAppends(ThreadState& ts, size_t start);
  Status LoadSetItems(ThreadState& ts, size_t start);
  Status LoadAddItems(ThreadState& ts);
  Status LoadNumberedLine(ThreadState& ts, uint8_t op);
  Status LoadFrame(ThreadState& ts);
  Status LoadNextBuffer(ThreadState& ts);
  Status LoadReadonlyBuffer(ThreadState& ts);
  // unpickler_build.cpp
  Result<StrObject> LineName(ThreadState& ts);
  Status LoadGlobal(ThreadState& ts);
  Status LoadStackGlobal(ThreadState& ts);
  Result<> Find(ThreadState& ts, Value module, Value name);
  Status LoadExtension(ThreadState& ts, int width);
  Status LoadReduce(ThreadState& ts);
  Status LoadNewObj(ThreadState& ts, bool keywords);
  Status LoadInst(ThreadState& ts);
  Status LoadObj(ThreadState& ts);
  Result<> Instantiate(ThreadState& ts, Value cls, TupleObject* args);
  Status LoadBuild(ThreadState& ts);
  Status BuildState(ThreadState& ts, Value instance, Value state);
  Status LoadPersistent(ThreadState& ts, Value id);
  Status LoadPersistentLine(ThreadState& ts);

  Value* stack_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
  size_t* marks_ = nullptr;
  size_t mark_count_ = 0, mark_capacity_ = 0;
  Value* memo_ = nullptr;  // by number; null: nothing there
  size_t memo_capacity_ = 0;
  size_t memo_count_ = 0;        // what MEMOIZE counts
  Ref<DictObject> sparse_memo_;  // numbers far above the count
  Ref<> buffers_;                // iterator; empty: none
  Ref<StrObject> encoding_, errors_;
  bool fix_imports_ = true;
  bool as_bytes_ = false;  // encoding="bytes"
  Heap* heap_ = nullptr;
};

class UnpicklerObject : public Object {
 public:
  UnpicklerCore core;
  bool ready;  // __init__ has run
  template <class V>
  void VisitRefs(V&& v) {
    core.VisitRefs(v);
  }
};

}  // namespace minivm::pickle

// What the dispatch loop calls when an instruction is more than a few machine instructions.
//
// Uniform contract: the functions publish ts->base and ts->pc themselves, release the operands the
// instruction consumes (also on failure), write its result, and are false when an exception is
// pending. They may rewrite the word at pc (specialisation).
#pragma once

#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/generator_object.h"
#include "vm/interp/interp_state.h"

namespace minivm {

#define MVM_SLOW [[gnu::noinline]]

enum class CallOutcome : uint8_t {
  kRaised,
  kDone,
  kPushed
};  // kPushed: ts->base, ts->pc are the new frame

// Those of operators may push a frame (operator_frame.cpp). When they have raised, the exception is
// in the frame at ts->base, at ts->pc.
MVM_SLOW CallOutcome SlowArith(ThreadState* ts, Value* R, Word* pc);     // ADD .. POW and twins
MVM_SLOW CallOutcome SlowArithImm(ThreadState* ts, Value* R, Word* pc);  // ADDI .. and twins
MVM_SLOW bool SlowUnary(ThreadState* ts, Value* R, Word* pc);           // NEG POS INVERT NOT TOBOOL
MVM_SLOW CallOutcome SlowCompare(ThreadState* ts, Value* R, Word* pc);  // LT .. GE
MVM_SLOW CallOutcome SlowCompareJump(ThreadState* ts, Value* R, Word* pc, bool* jump);  // JLT_T ..
MVM_SLOW int SlowTruth(ThreadState* ts, Value* R, Word* pc, Value v);  // -1 raised, else truth
MVM_SLOW bool SlowContains(ThreadState* ts, Value* R, Word* pc);       // IN NOTIN
MVM_SLOW int SlowContainsJump(ThreadState* ts, Value* R, Word* pc);    // JIN_T JIN_F

MVM_SLOW bool SlowLoadGlobal(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool SlowStoreGlobal(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool SlowDeleteGlobal(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool SlowName(ThreadState* ts, Value* R, Word* pc);  // LOADNAME .. DELNAME, LOADLOCALS ..
MVM_SLOW bool SlowCell(ThreadState* ts, Value* R, Word* pc);  // cells, closures, CHKLOCAL DELLOC
MVM_SLOW bool SlowFar(ThreadState* ts, Value* R, Word* pc);   // LDFAR STFAR DELFAR MKFAR

MVM_SLOW bool SlowGetAttr(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool SlowSetAttr(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool SlowDelAttr(ThreadState* ts, Value* R, Word* pc);
// Tags of the function that LOAD_METHOD_CLASS and LOAD_METHOD_TYPE keep: what its first argument
// is, if not the object it was asked of.
inline constexpr uint64_t kSelfAbsent = 1;  // a staticmethod's
inline constexpr uint64_t kSelfClass = 2;   // a classmethod's: the object's class, or the class
inline constexpr uint64_t kSelfTags = kSelfAbsent | kSelfClass;

MVM_SLOW bool SlowLoadMethod(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool SlowLoadSpecial(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool SlowLoadSuper(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW CallOutcome SlowGetProperty(ThreadState* ts, Value* R, Word* pc);

MVM_SLOW CallOutcome SlowGetItem(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW CallOutcome SlowSetItem(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool SlowGetSlice(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool SlowSubscriptMisc(ThreadState* ts, Value* R, Word* pc);  // DELITEM SETSLICE MKSLICE

MVM_SLOW bool SlowBuild(ThreadState* ts, Value* R, Word* pc);  // BUILD_* NEW* LIST_TO_TUPLE
// LIST_APPEND *_ADD LIST_EXTEND *_UPDATE DICT_MERGE
MVM_SLOW bool SlowAddTo(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool SlowSpill(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW void SlowUnspill(Value* R, Word* pc);
MVM_SLOW bool SlowUnpack(ThreadState* ts, Value* R, Word* pc);  // UNPACK UNPACK_EX
// The item of a mapping under a name: new reference, or Absent().
Result<> LookupMapping(ThreadState& ts, Value mapping, StrObject* name);
// The values for more targets than there are registers; `shape` as Intrinsic::kUnpackToList says.
Result<> UnpackToList(ThreadState& ts, Value v, int64_t shape);
MVM_SLOW bool SlowFormat(ThreadState* ts, Value* R, Word* pc);

MVM_SLOW bool SlowGetIter(ThreadState* ts, Value* R,
                          Word* pc);  // GETITER GETAITER GETANEXT GETAWAITABLE GETYIELDFROM
// FOR and its forms: kDone with *jump, kPushed for generators.
MVM_SLOW CallOutcome SlowFor(ThreadState* ts, Value* R, Word* pc, bool* jump);
MVM_SLOW CallOutcome SlowSend(ThreadState* ts, Value* R, Word* pc, bool* jump);
MVM_SLOW bool SlowEndAsyncFor(ThreadState* ts, Value* R, Word* pc);

// CALL*: kDone = result written, window released.
MVM_SLOW CallOutcome SlowCall(ThreadState* ts, Value* R, Word* pc);
// A call of a built-in type at a CALL_CLASS, with n arguments at `args`, in a window.
MVM_SLOW Result<> CallBuiltinType(ThreadState& ts, TypeObject* type, Value* args, uint32_t n);
MVM_SLOW bool SlowMakeFunction(ThreadState* ts, Value* R, Word* pc);  // MKFUNC
MVM_SLOW bool SlowLoadBuildClass(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool SlowImport(ThreadState* ts, Value* R, Word* pc);     // IMPORT IMPORTFROM
MVM_SLOW bool SlowIntrinsic(ThreadState* ts, Value* R, Word* pc);  // INTRINSIC1 INTRINSIC2
MVM_SLOW bool SlowSetUpAnnotations(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool SlowException(ThreadState* ts, Value* R,
                            Word* pc);  // RAISE RERAISE EGMATCH EXCINFO; RAISE is always false
MVM_SLOW int SlowExceptionMatch(ThreadState* ts, Value* R,
                                Word* pc);                     // JNOEXC: -1 raised, 1 = jump
MVM_SLOW bool SlowMatch(ThreadState* ts, Value* R, Word* pc);  // MATCH*, GETLEN
MVM_SLOW bool SlowGenStart(ThreadState* ts, Value* R, Word* pc,
                           Value* out);  // GENSTART: *out = the object

// ---- operators as frames (operator_frame.cpp) ----

// What the word of an operator stands for.
struct OperatorWord {
  bool compares = false;
  BinaryOp arith = BinaryOp::kAdd;
  CompareOp compare = CompareOp::kEq;
  bool immediate = false;   // an int in the word is the right operand
  bool wants_true = false;  // jumps if the comparison holds
};
OperatorWord OperatorWordOf(Op op);
// The method of a class made by a script gets a frame: what happened is in *outcome. False, nothing
// done: the general way. `flags`: which operands the word consumes (and whether it is in place).
bool PushArith(ThreadState* ts, Value* R, const Word* pc, BinaryOp op, Value a, Value b,
               uint32_t flags, CallOutcome* outcome);
bool PushCompare(ThreadState* ts, Value* R, const Word* pc, CompareOp op, Value a, Value b,
                 uint32_t flags, CallOutcome* outcome);
bool PushGetItem(ThreadState* ts, Value* R, const Word* pc, Value o, Value key, uint32_t flags,
                 CallOutcome* outcome);
bool PushSetItem(ThreadState* ts, Value* R, const Word* pc, Value o, Value key, Value v,
                 uint32_t flags, CallOutcome* outcome);
// The same for the __next__ of an iterator that a FOR asks; its StopIteration ends the loop
// (EndLoop).
bool PushNext(ThreadState* ts, Value* R, const Word* pc, Value iterator, CallOutcome* outcome);
// An operator's frame was left by the pending exception. True: it was the end of the loop at pc in
// R's frame, which goes on at ts->pc.
bool EndLoop(ThreadState* ts, Value* R, const Word* pc);
// The operator's frame, whose locals are gone, returns `value` (owned, consumed) to the word that
// pushed it. ts->base and ts->pc are where to go on; false: raised.
MVM_SLOW bool ReturnToOperator(ThreadState* ts, Value* frame, Value value);

// RET in a frame with flags, or out of a generator. Frame left: ts->base/pc say where to go on;
// *halt: Run() returns *result. False: raised, in the frame at ts->base, at ts->pc.
MVM_SLOW bool SlowReturn(ThreadState* ts, Value* R, Word* pc, Value* result, bool* halt);
MVM_SLOW bool SlowYield(ThreadState* ts, Value* R, Word* pc, Value* result, bool* halt);
// Finds the handler for the pending exception, leaving frames. True: ts->base/pc are the handler.
// False: the entry frame was left, the exception goes on in C++.
MVM_SLOW bool Unwind(ThreadState* ts, Value* R, Word* pc);
// Requests: signals, collections, an interrupt by the host.
MVM_SLOW bool SlowBreak(ThreadState* ts, Value* R, Word* pc);
MVM_SLOW bool SlowTick(ThreadState* ts, Value* R, Word* pc);
// Another thread wants the lock: it is handed over a few instructions later (preempt.cpp).
void PrepareSwitch(ThreadState& ts);
// Who counts instructions, after threads or the check interval have changed (VmHooks).
void UpdatePreemption(RuntimeState& rt);
// An exception has come up before the word at pc has done anything: what it would have released is
// released here, since the unwinder takes that as done. Always false.
bool FailBefore(Value* R, const Word* pc);
// Last reference gone inside an instruction.
[[gnu::noinline, gnu::cold]] void ColdDealloc(ThreadState* ts, Value* R, const Word* pc, Object* o);
// Last reference to local i gone in a return, the locals before it given up already: what the
// object does on its way out happens in the caller, above the dying window.
[[gnu::noinline, gnu::cold]] void ColdDeallocLocal(ThreadState* ts, Value* R, uint32_t i);
// Bits of CALL_EX.
inline constexpr uint32_t kCallExKeywords = 1, kCallExAnyIterable = 2, kCallExAnyMapping = 4;
inline constexpr uint32_t kCallExCountShift = 3;
// A frame for the function in window[0] whose parameters are bound; false: RecursionError raised,
// the window is not released. window = base[-3] of the new frame.
inline bool FrameFits(ThreadState* ts, Value* new_base, uint32_t frame_size, uint64_t header) {
  return MVM_LIKELY(new_base + frame_size + kWindowSlack < ts->stack_end &&
                    header < ts->depth_limit);
}
[[gnu::cold]] void RaiseRecursion(ThreadState& ts);

// Puts every specialised attribute site of the VM back into its generic form (VmHooks).
void InvalidateSites(RuntimeState& rt);
// Binds owned arguments at src (npos positional, then nkw by keyword) to the parameter registers of
// `f` at regs (src may be regs), sets the other locals unbound; `names` are the nkw names,
// different from each other. On failure everything is released.
bool BindInto(ThreadState* ts, FunctionObject* f, Value* src, uint32_t npos, uint32_t nkw,
              const Value* names, Value* regs);
// The mapping behind a call's only `**` as a new dict that has nothing but strs for keys.
Result<DictObject> MergedKeywords(ThreadState& ts, Value mapping, Value callee);
Result<> RunIntrinsic(ThreadState& ts, FunctionObject* f, Value* R, Intrinsic which, Value a,
                      Value b);
// super() without arguments (VmHooks).
Status SuperArguments(ThreadState& ts, Ref<>* type, Ref<>* object);
Result<> ImportFrom(ThreadState& ts, Value module, StrObject* name);

// The name operand of a word.
inline StrObject* SiteName(const FunctionObject* f, const Word* pc) {
  return f->code->names->items()[f->code->sites[pc - f->instance->words].arg].as<StrObject>();
}
inline CacheEntry* CacheOf(const Word* pc) {
  return reinterpret_cast<CacheEntry*>(
      const_cast<uint64_t*>(reinterpret_cast<const uint64_t*>(pc)) + pc->x);
}
inline CacheEntry* SiteCache(const FunctionObject* f, const Word* pc) {
  return f->instance->caches + f->code->sites[pc - f->instance->words].cache;
}

}  // namespace minivm

// Enum, words and operand tables generated from opcodes.def.
#pragma once

#include <cstdint>

#include "runtime/support/reciprocal.h"

namespace minivm {

enum class Op : uint8_t {
#define OP(name, format, flags, doc) name,
#define OPT(name, format, flags, doc) name, name##_L,
#include "vm/bytecode/opcodes.def"
#undef OP
#undef OPT
};
#define OP(name, format, flags, doc) +1
#define OPT(name, format, flags, doc) +2
inline constexpr int kOpCount = 0
#include "vm/bytecode/opcodes.def"
    ;
static_assert(kOpCount <= 256, "opcodes fit one byte");
#undef OP
#undef OPT

enum OpFlags : uint32_t {
  kName = 1,
  kRaise = 2,
  kEnd = 4,
  kSpec = 8,
  kPoll = 16,
  kClass = 32,
};

struct OpInfo {
  const char* name;
  const char* format;  // A B C X, as opcodes.def tells; 'd' of A is 'l' for the _L twin
  uint32_t flags;
  const char* doc;
  bool writes_local;  // the _L twin
};
extern const OpInfo kOpInfo[kOpCount];
inline const OpInfo& InfoOf(Op op) { return kOpInfo[static_cast<int>(op)]; }
// The instruction a specialised one was made of (itself if it is not kSpec), by name: CALL_PY ->
// CALL, GETITEM_LIST_L -> GETITEM_L.
Op GenericOp(Op op);
// Does the opcode have a twin that writes a local? Its number is one more.
// Words that keep the books between statements: they have a line, as any, but sys.settrace does not
// show it.
inline bool IsQuiet(Op op) {
  switch (op) {
    case Op::CLEAR:
    case Op::ENDASYNCFOR:
    case Op::GENSTART:
    case Op::JMP:
    case Op::LOOP:
    case Op::MKCELL:
    case Op::POPEXC:
    case Op::RERAISE:
    case Op::SAVEEXC:
    case Op::SEND:
    case Op::TMOVE:
    case Op::UNSETCELL:
    case Op::UNSETLOC: return true;
    default: return false;
  }
}
inline bool HasLocalTwin(Op op) {
  return static_cast<int>(op) + 1 < kOpCount && !InfoOf(op).writes_local &&
         kOpInfo[static_cast<int>(op) + 1].writes_local;
}

// One instruction.
struct Word {
  uint8_t op;
  uint8_t a;
  uint8_t b;
  uint8_t c;
  int32_t x;
};
static_assert(sizeof(Word) == 8);

// What specialisation must not overwrite, beside each word.
struct Site {
  uint32_t arg = 0;         // name index, or as the row says
  uint32_t cache : 24 = 0;  // index of the CacheEntry, for operands that have one
  uint32_t misses : 8 = 0;  // of the specialised form, wrapping
};

// Does an X of this format become the offset of a CacheEntry?
inline constexpr bool HasCache(char format) { return format == 'H' || format == 'D'; }

// Inline cache, in the pool behind the words.
struct CacheEntry {
  uint32_t a = 0;
  uint32_t b = 0;
  uint64_t ptr = 0;
};
static_assert(sizeof(CacheEntry) == 16);

// What the entry of a word of format D holds.
inline CacheEntry EntryOf(const Reciprocal& r) { return {r.divisor, r.shift, r.multiplier}; }
inline Reciprocal ReciprocalIn(const CacheEntry& entry) { return {entry.a, entry.b, entry.ptr}; }

enum ConsumeFlags : uint32_t { kConsume1 = 1, kConsume2 = 2, kConsume3 = 4, kInPlace = 8 };
// In C of the specialised GETATTR forms that have no twin for locals.
inline constexpr uint32_t kToLocal = 2;

enum class Special : uint8_t {
  kNone,
  kTrue,
  kFalse,
  kEllipsis,
  kNotImplemented,
  kAssertionError,
  kAbsent
};

enum class SpecialMethod : uint8_t { kEnter, kExit, kAenter, kAexit };

enum class Intrinsic : uint8_t {
  // one operand
  kPrintExpr,           // sys.displayhook
  kImportStar,          // from R[B] import *
  kStopIterationError,  // StopIteration leaving a generator becomes RuntimeError
  kAsyncGenValue,
  kUnaryPositive,
  kTypeVar,  // name -> TypeVar
  kParamSpec,
  kTypeVarTuple,
  kSubscriptGeneric,  // type parameters tuple -> Generic[...]
  kTypeAlias,         // (name, type params, value function) -> TypeAliasType
  kListToTuple,
  // two operands
  kPrepReraiseStar,  // original exception, list of raised/unhandled (None is skipped) ->
                     // exception to raise or None
  kTypeVarBound,     // name, evaluate function
  kTypeVarConstraints,
  kSetFunctionTypeParams,  // function, type params
  kSetTypeParamDefault,
  kUnpackToList,  // iterable, number of targets + (star index + 1) * 2**32 -> list of their values
};

}  // namespace minivm

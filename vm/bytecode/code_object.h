// Code objects: compiled blocks, immutable to scripts.
//
// Words, constants and caches stand in one allocation (a CodeInstance), so that constants and
// caches are reached relative to the program counter. The words of an instance are specialised in
// place for one (globals, builtins) pair: the first function made of a code object
// binds the code's own instance, other globals get a clone.
//
// Registers: parameters in the order positional, keyword-only, *args, **kwargs; then the other
// locals and hidden locals; then temporaries. A captured local's register holds its cell.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/core/thread_state.h"
#include "vm/bytecode/opcodes.h"

namespace minivm {

class CodeObject;
class TupleObject;
class BytesObject;

// Bits of co_flags, as documented for inspect.
enum CodeFlags : uint32_t {
  kCodeOptimized = 0x1,
  kCodeNewLocals = 0x2,
  kCodeVarArgs = 0x4,
  kCodeVarKeywords = 0x8,
  kCodeNested = 0x10,
  kCodeGenerator = 0x20,
  kCodeCoroutine = 0x80,
  kCodeIterableCoroutine = 0x100,
  kCodeAsyncGenerator = 0x200,
  kCodeHasDocstring = 0x4000000,
  kCodeMethod = 0x8000000,
  kCodeFutureBarry = 0x400000,  // from __future__ import barry_as_FLUFL
  kCodeFutureAnnotations = 0x1000000,
  kCodeFutureMask = 0x1fe0000,
};

// In CodeObject::varname_registers: the rest is an index into the list of far locals.
inline constexpr uint32_t kFarLocal = 0x80000000;

// What unwinding does for an exception raised in words [start, end). Ranges are stored innermost
// first. With a handler: temporaries from `depth` on are released, R[depth] = the previously
// handled exception, R[depth + 1] = the exception, and execution goes on at `handler`. Without one
// (handler = kNoHandler): an exception handler's body is left; the handled exception is restored
// from temporary `depth`, and unwinding goes on outwards.
struct ExceptionRange {
  static constexpr uint32_t kNoHandler = 0xFFFFFFFF;
  uint32_t start, end;
  uint32_t handler;
  uint32_t depth;
};

// While words [start, end) run, register `reg` is a variable of an inlined comprehension, or holds
// the cell of one. Of nested comprehensions the inner one comes first.
struct HiddenName {
  uint32_t start, end;
  uint16_t reg;
  bool cell;
};

// Source range of an instruction; lines from 1, columns from 0 in UTF-8 bytes, -1 unknown.
struct Position {
  int line = -1, end_line = -1, column = -1, end_column = -1;
};

// What sys.settrace shows of statements that need no words of their own (`try:`, `pass`, `break`):
// a line that comes up before word `pc`. In order of pc, then of the source.
struct LineMark {
  uint32_t pc;
  int32_t line;
};
// A jump at word `pc` that goes behind the first `count` marks at its target. In order of pc.
struct MarkSkip {
  uint32_t pc;
  uint32_t count;
};

// Bound to one (globals, builtins) pair, or not yet bound.
struct CodeInstance {
  CodeObject* code = nullptr;                             // borrowed
  DictObject* globals = nullptr;                          // owned once bound
  Value builtins;                                         // owned once bound
  CodeInstance* next = nullptr;                           // other bindings of the same code
  CodeInstance *all_next = nullptr, *all_prev = nullptr;  // all instances of the VM (invalidation)
  size_t block_size = 0;
  bool specialised = false;  // some site depends on a class (cleared by invalidation)
  bool names_are_globals =
      false;              // NAME instructions were turned into global ones (locals is globals)
  Value* pool = nullptr;  // constants, in the block behind the words; code->consts owns them
  CacheEntry* caches = nullptr;
  Word words[1];  // code->word_count of them
};

class CodeObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kCode;
  StrObject* name = nullptr;
  StrObject* qualname = nullptr;
  StrObject* filename = nullptr;
  TupleObject* consts = nullptr;    // what co_consts shows and LOADK reads (same order as the pool)
  TupleObject* names = nullptr;     // interned; Site::arg
  TupleObject* varnames = nullptr;  // parameters, then the other locals that have a name
  TupleObject* cellvars = nullptr;
  TupleObject* freevars = nullptr;
  TupleObject* hidden_names = nullptr;  // of `hidden`, in its order; null without any
  Value doc;                            // docstring or null
  uint32_t flags = 0;
  uint32_t first_line = 0;
  uint16_t arg_count = 0;  // positional parameters, positional-only included
  uint16_t posonly_count = 0;
  uint16_t kwonly_count = 0;
  uint16_t param_count = 0;  // all parameters, *args and **kwargs included
  uint16_t near_param_count =
      0;                     // those in registers; a call puts the others into a list of far locals
  uint16_t local_count = 0;  // registers that are locals, hidden ones included
  uint16_t frame_size = 0;   // registers in all
  uint16_t locals_register =
      0xFFFF;                      // of the locals mapping (class, module, exec, eval), or 0xFFFF
  uint16_t far_register = 0xFFFF;  // of the list of far locals, or 0xFFFF
  uint32_t word_count = 0;
  uint32_t cache_count = 0;
  uint32_t const_count = 0;
  uint32_t range_count = 0;
  uint32_t mark_count = 0;
  uint32_t skip_count = 0;
  uint32_t position_bytes = 0;
  Site* sites = nullptr;    // word_count
  uint8_t* live = nullptr;  // word_count, see opcodes.def
  ExceptionRange* ranges = nullptr;
  LineMark* marks = nullptr;
  MarkSkip* skips = nullptr;
  HiddenName* hidden = nullptr;
  uint8_t* positions = nullptr;  // encoded, see position_table.h
  // Register of each cellvar (in the order of `cellvars`), and of each varname; kFarLocal | index:
  // far local.
  uint32_t* cell_registers = nullptr;
  uint32_t* varname_registers = nullptr;
  CodeInstance* instances = nullptr;  // the first is the code's own
  size_t buffer_bytes = 0;

  template <class V>
  void VisitRefs(V&& v) {
    v(name);
    v(qualname);
    v(filename);
    v(consts);
    v(names);
    v(varnames);
    v(cellvars);
    v(freevars);
    v(hidden_names);
    v(doc);
    for (CodeInstance* i = instances; i != nullptr; i = i->next) {
      v(i->globals);
      v(i->builtins);
    }
  }
  void FreeBuffers(Heap& heap);
  bool is_generator_like() const {
    return flags & (kCodeGenerator | kCodeCoroutine | kCodeAsyncGenerator);
  }
};

// What the compiler hands over; arrays are copied, tuples are taken (owned references).
struct CodeSpec {
  Ref<StrObject> name, qualname, filename;
  Ref<TupleObject> consts, names, varnames, cellvars, freevars;
  Ref<TupleObject> hidden_names;  // null without any
  Ref<> doc;
  uint32_t flags = 0, first_line = 0;
  uint16_t arg_count = 0, posonly_count = 0, kwonly_count = 0, param_count = 0, local_count = 0;
  uint16_t near_param_count = 0;
  uint16_t frame_size = 0, locals_register = 0xFFFF, far_register = 0xFFFF;
  const Word* words = nullptr;  // X of K operands: constant index; of H operands: ignored
  const Site* sites = nullptr;  // cache: 0, numbered here
  const uint8_t* live = nullptr;
  const Position* positions = nullptr;  // or, as position_table.h packs them:
  const uint8_t* packed_positions = nullptr;
  uint32_t packed_size = 0;
  uint32_t word_count = 0;
  const ExceptionRange* ranges = nullptr;
  uint32_t range_count = 0;
  const LineMark* marks = nullptr;
  uint32_t mark_count = 0;
  const MarkSkip* skips = nullptr;
  uint32_t skip_count = 0;
  const HiddenName* hidden = nullptr;  // as many as hidden_names
  const uint32_t* cell_registers = nullptr;
  const uint32_t* varname_registers = nullptr;
};
// Numbers the caches, makes K and H operands pc-relative, encodes positions; verifies in checked
// builds.
Result<CodeObject> NewCode(ThreadState& ts, CodeSpec& spec);

// Marks, in operand C, a global instruction that was a NAME one before BindCode converted it.
inline constexpr uint8_t kWasName = 0x80;
// With names_are_globals (locals is globals: modules) NAME instructions work on the globals.
// The instance bound to these globals, cloned from the code's own if that one is bound otherwise.
Result<CodeInstance*> BindCode(ThreadState& ts, CodeObject* code, DictObject* globals,
                               Value builtins, bool names_are_globals = false);
// The word as it was compiled: generic opcode, its own operands. Pure.
Word GenericWord(const CodeObject* code, const CodeInstance* instance, uint32_t pc);
// The word as NewCode() got it: generic, constants by their index, divisors themselves; in place of
// another cache the name. Pure.
Word PlainWord(const CodeObject* code, uint32_t pc);
// Pool index of the constant that the K operand of a word means. Pure.
uint32_t ConstantIndex(const CodeInstance* instance, uint32_t pc);
// The divisor of a word of format D. Pure.
int32_t Divisor(const CodeInstance* instance, uint32_t pc);
// Back to the generic instruction, caches empty.
void DespecialiseWord(const CodeObject* code, CodeInstance* instance, uint32_t pc);

Position PositionAt(const CodeObject* code, uint32_t pc);
inline int LineAt(const CodeObject* code, uint32_t pc) { return PositionAt(code, pc).line; }

// The marks before word `pc`. Pure.
std::span<const LineMark> MarksAt(const CodeObject* code, uint32_t pc);
// How many marks at its target the jump at word `pc` goes behind. Pure.
uint32_t SkipAt(const CodeObject* code, uint32_t pc);

// Offsets as scripts see them (f_lasti, tb_lasti, co_lines) count two for each word and each mark,
// as if these were CPython's code units. The first unit stands for the call itself, which is on the
// line of the `def` (of a module on line 0), so that lasti // 2 indexes co_positions().
// The offset of a word, or of what comes `back` units before it (its marks).
int64_t OffsetOf(const CodeObject* code, uint32_t pc, uint32_t back = 0);
// The word at an offset, or the one that the mark there belongs to; code->word_count: none.
uint32_t WordAtOffset(const CodeObject* code, int64_t offset);
// The line of an offset; -1: none.
int LineAtOffset(const CodeObject* code, int64_t offset);
int StartLine(const CodeObject* code);

// What a live temporary is for, as far as jumps of debuggers care; or kMade + the word that made
// it.
enum TempKind : uint32_t {
  kTempIterator,       // of a `for`
  kTempAsyncIterator,  // of an `async for`
  kTempHandled,        // the exception handled before, to be restored
  kTempException,      // the exception that a handler has just got
  kTempManager,        // of a `with`; its __exit__, and the self of that
  kTempExit,
  kTempExitSelf,
  kTempHole,  // not alive, though one above it is
  kTempMade = 0x100,
  kTempJoined = 0x80000000,  // several words make it
};
// The live temporaries before each word, from the lowest on; what control does not reach has
// kUnreached. False: the code is broken. The caller sees to the memory (StackKindsBytes).
inline constexpr uint32_t kUnreached = 0xFFFFFFFF;
uint64_t StackKindsBytes(const CodeObject* code);
bool StackKinds(const CodeObject* code, std::vector<std::vector<uint32_t>>* out);

// The listing that tests and `disassemble()` show; constants by their plain kinds. Pure.
std::string DisassembleText(const CodeObject* code);
// The same as an object.
Result<StrObject> Disassemble(ThreadState& ts, const CodeObject* code);
// Checks a code object against opcodes.def: operands in range, jumps, live depths, windows. Returns
// null or what is wrong, with the word in *where.
const char* VerifyCode(const CodeObject* code, uint32_t* where = nullptr);

}  // namespace minivm

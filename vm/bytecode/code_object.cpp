// Making code objects and binding their instances to globals.
//
// A CodeInstance is one block: the header with the words, the constants (borrowed from co_consts),
// the caches. Everything that never changes (sites, live depths, exception ranges, positions,
// register lists) is one block of the CodeObject. Both belong to the VM's heap and are accounted.
//
// Inside one instruction word, X of a K operand is the distance from the word to its constant in
// 8-byte units, of an H or D operand the distance to its CacheEntry in the same units.
#include "vm/bytecode/code_object.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "vm/bytecode/position_table.h"

namespace minivm {

namespace {

static_assert(sizeof(Word) == sizeof(Value));

size_t BlockSize(uint32_t words, size_t constants, uint32_t caches) {
  size_t size = offsetof(CodeInstance, words) + words * sizeof(Word) + constants * sizeof(Value) +
                caches * sizeof(CacheEntry);
  return size < sizeof(CodeInstance) ? sizeof(CodeInstance) : size;
}

// A block with everything but the words filled in.
CodeInstance* NewInstance(Heap& heap, CodeObject* code) {
  const size_t constants = code->consts->size();
  const size_t size = BlockSize(code->word_count, constants, code->cache_count);
  void* block = heap.AllocateBuffer(size);
  if (!block) return nullptr;
  CodeInstance* instance = new (block) CodeInstance;
  instance->code = code;
  instance->block_size = size;
  instance->pool = reinterpret_cast<Value*>(instance->words + code->word_count);
  instance->caches = reinterpret_cast<CacheEntry*>(instance->pool + constants);
  for (size_t i = 0; i < constants; ++i) instance->pool[i] = (*code->consts)[i];
  for (uint32_t i = 0; i < code->cache_count; ++i) instance->caches[i] = CacheEntry();
  return instance;
}

void LinkInstance(RuntimeState& rt, CodeInstance* instance) {
  instance->all_prev = nullptr;
  instance->all_next = static_cast<CodeInstance*>(rt.code_instances);
  if (instance->all_next) instance->all_next->all_prev = instance;
  rt.code_instances = instance;
}

void FreeInstance(Heap& heap, CodeInstance* instance) {
  if (instance->all_prev) {
    instance->all_prev->all_next = instance->all_next;
  } else {
    heap.rt()->code_instances = instance->all_next;
  }
  if (instance->all_next) instance->all_next->all_prev = instance->all_prev;
  DictObject* globals = std::exchange(instance->globals, nullptr);
  const Value builtins = std::exchange(instance->builtins, Value());
  heap.FreeBuffer(instance, instance->block_size);
  if (globals) Decref(globals);
  Decref(builtins);
}

int32_t CacheOffset(const CodeInstance* instance, uint32_t pc, uint32_t cache) {
  return static_cast<int32_t>(reinterpret_cast<const uint64_t*>(instance->caches + cache) -
                              reinterpret_cast<const uint64_t*>(instance->words + pc));
}

// Sizes of the arrays in the code's own block, in order of falling alignment.
struct Layout {
  size_t sites, ranges, marks, skips, hidden, cells, names, live, positions, total;
  Layout(const CodeSpec& spec, size_t position_bytes) {
    sites = 0;
    ranges = sites + spec.word_count * sizeof(Site);
    marks = ranges + spec.range_count * sizeof(ExceptionRange);
    skips = marks + spec.mark_count * sizeof(LineMark);
    hidden = skips + spec.skip_count * sizeof(MarkSkip);
    names = hidden + (spec.hidden_names ? spec.hidden_names->size() : 0) * sizeof(HiddenName);
    cells = names + spec.varnames->size() * sizeof(uint32_t);
    live = cells + spec.cellvars->size() * sizeof(uint32_t);
    positions = live + spec.word_count;
    total = positions + position_bytes;
  }
};

template <class T>
T* CopyTo(char* block, size_t offset, const T* from, size_t count) {
  T* to = reinterpret_cast<T*>(block + offset);
  if (count) std::memcpy(static_cast<void*>(to), from, count * sizeof(T));
  return to;
}

}  // namespace

void CodeObject::FreeBuffers(Heap& heap) {
  for (CodeInstance* i = std::exchange(instances, nullptr); i != nullptr;) {
    CodeInstance* next = i->next;
    FreeInstance(heap, i);
    i = next;
  }
  if (buffer_bytes) heap.FreeBuffer(sites, buffer_bytes);
  buffer_bytes = 0;
}

Result<CodeObject> NewCode(ThreadState& ts, CodeSpec& spec) {
  std::vector<uint8_t> packed;
  if (spec.packed_positions == nullptr) try {
      std::vector<Position> lines;
      if (ts.rt->no_debug_ranges) {
        lines.resize(spec.word_count);
        for (uint32_t pc = 0; pc < spec.word_count; ++pc) lines[pc].line = spec.positions[pc].line;
      }
      EncodePositions(lines.empty() ? spec.positions : lines.data(), spec.word_count, &packed);
      spec.packed_positions = packed.data();
      spec.packed_size = static_cast<uint32_t>(packed.size());
    } catch (const std::bad_alloc&) {
      return RaiseMemoryError(ts);
    }
  MVM_TRY(Ref<CodeObject> code, New<CodeObject>(ts, TypeId::kCode));
  Layout layout(spec, spec.packed_size);
  MVM_TRY(void* memory, AllocBuffer(ts, layout.total ? layout.total : 1));
  char* block = static_cast<char*>(memory);
  code->buffer_bytes = layout.total ? layout.total : 1;
  code->sites = CopyTo(block, layout.sites, spec.sites, spec.word_count);
  code->ranges = CopyTo(block, layout.ranges, spec.ranges, spec.range_count);
  code->marks = CopyTo(block, layout.marks, spec.marks, spec.mark_count);
  code->skips = CopyTo(block, layout.skips, spec.skips, spec.skip_count);
  if (spec.hidden_names) {
    code->hidden = CopyTo(block, layout.hidden, spec.hidden, spec.hidden_names->size());
  }
  code->cell_registers = CopyTo(block, layout.cells, spec.cell_registers, spec.cellvars->size());
  code->varname_registers =
      CopyTo(block, layout.names, spec.varname_registers, spec.varnames->size());
  code->live = CopyTo(block, layout.live, spec.live, spec.word_count);
  code->positions = CopyTo(block, layout.positions, spec.packed_positions, spec.packed_size);
  code->position_bytes = spec.packed_size;
  code->word_count = spec.word_count;
  code->range_count = spec.range_count;
  code->mark_count = spec.mark_count;
  code->skip_count = spec.skip_count;
  code->flags = spec.flags;
  code->first_line = spec.first_line;
  code->arg_count = spec.arg_count;
  code->posonly_count = spec.posonly_count;
  code->kwonly_count = spec.kwonly_count;
  code->param_count = spec.param_count;
  code->near_param_count = spec.near_param_count;
  code->local_count = spec.local_count;
  code->frame_size = spec.frame_size;
  code->locals_register = spec.locals_register;
  code->far_register = spec.far_register;
  code->const_count = spec.consts->size();
  code->name = spec.name.Release();
  code->qualname = spec.qualname.Release();
  code->filename = spec.filename.Release();
  code->consts = spec.consts.Release();
  code->names = spec.names.Release();
  code->varnames = spec.varnames.Release();
  code->cellvars = spec.cellvars.Release();
  code->freevars = spec.freevars.Release();
  code->hidden_names = spec.hidden_names.Release();
  code->doc = spec.doc.Release();

  uint32_t caches = 0;
  for (uint32_t pc = 0; pc < spec.word_count; ++pc) {
    const OpInfo& info = InfoOf(static_cast<Op>(spec.words[pc].op));
    code->sites[pc].cache = HasCache(info.format[3]) ? caches++ : 0;
  }
  code->cache_count = caches;
  CodeInstance* instance = NewInstance(ts.heap(), code);
  if (!instance) return RaiseMemoryError(ts);
  code->instances = instance;
  LinkInstance(*ts.rt, instance);
  std::memcpy(static_cast<void*>(instance->words), spec.words, spec.word_count * sizeof(Word));
  for (uint32_t pc = 0; pc < spec.word_count; ++pc) {
    Word& w = instance->words[pc];
    switch (InfoOf(static_cast<Op>(w.op)).format[3]) {
      case 'K':
        w.x = static_cast<int32_t>(reinterpret_cast<Word*>(instance->pool + w.x) - &w);
        break;
      case 'D':
        instance->caches[code->sites[pc].cache] =
            w.x < Reciprocal::kLeast ? CacheEntry()  // damaged code, which the verifier refuses
                                     : EntryOf(Reciprocal::Of(static_cast<uint32_t>(w.x)));
        w.x = CacheOffset(instance, pc, code->sites[pc].cache);
        break;
      case 'H': w.x = CacheOffset(instance, pc, code->sites[pc].cache); break;
      default: break;
    }
  }
  Track(code);
#ifdef MVM_CHECKS
  uint32_t where = 0;
  if (const char* problem = VerifyCode(code, &where)) {
    std::fprintf(stderr, "%s", DisassembleText(code).c_str());
    std::fprintf(stderr, "%s, word %u: ", ToUtf8(code->qualname).c_str(), where);
    CheckFailed(__FILE__, __LINE__, problem);
  }
#endif
  return code;
}

// Turns the NAME instructions of a block whose locals are its globals into global ones, and back.
// Operand C (unused by LOADG and DELG, bit 7 of the consume flags of STOREG) marks converted words.
static void ConvertNames(const CodeObject* code, CodeInstance* instance, bool to_globals) {
  for (uint32_t pc = 0; pc < code->word_count; ++pc) {
    Word& w = instance->words[pc];
    const Op op = static_cast<Op>(w.op);
    if (to_globals) {
      if (op == Op::LOADNAME || op == Op::STORENAME || op == Op::DELNAME) {
        w.op = static_cast<uint8_t>(op == Op::LOADNAME    ? Op::LOADG
                                    : op == Op::STORENAME ? Op::STOREG
                                                          : Op::DELG);
        w.c |= kWasName;
      }
    } else if ((op == Op::LOADG || op == Op::STOREG || op == Op::DELG) && (w.c & kWasName)) {
      w.op = static_cast<uint8_t>(op == Op::LOADG    ? Op::LOADNAME
                                  : op == Op::STOREG ? Op::STORENAME
                                                     : Op::DELNAME);
      w.c &= static_cast<uint8_t>(~kWasName);
    }
  }
  instance->names_are_globals = to_globals;
}

Result<CodeInstance*> BindCode(ThreadState& ts, CodeObject* code, DictObject* globals,
                               Value builtins, bool names_are_globals) {
  // A subclass may look names up in its own way.
  if (code->locals_register == 0xFFFF || !IsExactDict(Value(globals))) names_are_globals = false;
  CodeInstance* own = code->instances;
  CodeInstance* instance = own;
  while (instance && instance->globals &&
         !(instance->globals == globals && instance->builtins.is(builtins) &&
           instance->names_are_globals == names_are_globals)) {
    instance = instance->next;
  }
  if (!instance) {
    instance = NewInstance(ts.heap(), code);
    if (!instance) return RaiseMemoryError(ts);
    std::memcpy(static_cast<void*>(instance->words), own->words, code->word_count * sizeof(Word));
    std::copy_n(own->caches, code->cache_count, instance->caches);  // divisors; the rest is emptied
    for (uint32_t pc = 0; pc < code->word_count; ++pc) DespecialiseWord(code, instance, pc);
    instance->names_are_globals = own->names_are_globals;
    instance->next = own->next;
    own->next = instance;
    LinkInstance(*ts.rt, instance);
  }
  if (!instance->globals) {
    Incref(globals);
    Incref(builtins);
    instance->globals = globals;
    instance->builtins = builtins;
    if (instance->names_are_globals != names_are_globals) {
      ConvertNames(code, instance, names_are_globals);
    }
  }
  return instance;
}

Word GenericWord(const CodeObject* code, const CodeInstance* instance, uint32_t pc) {
  Word w = instance->words[pc];
  const Op op = static_cast<Op>(w.op);
  const OpInfo& info = InfoOf(op);
  if (!(info.flags & kSpec)) return w;
  Op generic = GenericOp(op);
  switch (op) {
    case Op::GETATTR_CLASS:
    case Op::GETATTR_MEMBER:
    case Op::GETATTR_MODULE:
    case Op::GETATTR_TYPE:
    case Op::GETATTR_PROPERTY:
      if (w.c & kToLocal) generic = Op::GETATTR_L;
      w.c &= kConsume1;
      break;
    case Op::GETATTR_SLOT:
    case Op::GETATTR_SLOT_L: w.c &= 1; break;  // slot * 2 + consume bit
    case Op::SETATTR_SLOT: w.c &= 3; break;    // slot * 4 + consume bits
    default: break;
  }
  const char x = InfoOf(generic).format[3];
  if (x == 'H') {
    w.x = CacheOffset(instance, pc, code->sites[pc].cache);
  } else if (info.format[3] == 'M') {
    w.x = 0;
  }
  w.op = static_cast<uint8_t>(generic);
  return w;
}

Word PlainWord(const CodeObject* code, uint32_t pc) {
  Word w = GenericWord(code, code->instances, pc);
  if (!(code->flags & kCodeOptimized) && (w.c & kWasName)) {  // names stand for globals just now
    const Op op = static_cast<Op>(w.op);
    if (op == Op::LOADG || op == Op::STOREG || op == Op::DELG) {
      w.op = static_cast<uint8_t>(op == Op::LOADG    ? Op::LOADNAME
                                  : op == Op::STOREG ? Op::STORENAME
                                                     : Op::DELNAME);
      w.c &= static_cast<uint8_t>(~kWasName);
    }
  }
  switch (InfoOf(static_cast<Op>(w.op)).format[3]) {
    case 'K': w.x = static_cast<int32_t>(ConstantIndex(code->instances, pc)); break;
    case 'D': w.x = Divisor(code->instances, pc); break;
    case 'H': w.x = static_cast<int32_t>(code->sites[pc].arg); break;
    default: break;
  }
  return w;
}

void DespecialiseWord(const CodeObject* code, CodeInstance* instance, uint32_t pc) {
  instance->words[pc] = GenericWord(code, instance, pc);
  if (InfoOf(static_cast<Op>(instance->words[pc].op)).format[3] == 'H') {
    instance->caches[code->sites[pc].cache] = CacheEntry();
  }
}

uint32_t ConstantIndex(const CodeInstance* instance, uint32_t pc) {
  const Word* target = instance->words + pc + instance->words[pc].x;
  return static_cast<uint32_t>(reinterpret_cast<const Value*>(target) - instance->pool);
}

int32_t Divisor(const CodeInstance* instance, uint32_t pc) {
  return static_cast<int32_t>(instance->caches[instance->code->sites[pc].cache].a);
}

int StartLine(const CodeObject* code) {
  const bool module = !(code->flags & kCodeOptimized) && code->name->EqualsAscii("<module>");
  return module ? 0 : static_cast<int>(code->first_line);
}

}  // namespace minivm

// _dis: instructions of code objects as tuples, and the table of opcodes, for modules dis and
// opcode.
#include <string>

#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/bytecode/code_object.h"

namespace minivm {
namespace {

// Names of enum Special, as they are written in source.
const char* const kSpecialNames[] = {"None",           "True",           "False",   "Ellipsis",
                                     "NotImplemented", "AssertionError", "<absent>"};

// The operands in registers and small numbers: "r0, t5".
std::string OperandText(const CodeObject* code, const Word& w, const OpInfo& info) {
  std::string text;
  const uint8_t abc[] = {w.a, w.b, w.c};
  for (int i = 0; i < 3; ++i) {
    const char f = info.format[i];
    if (f == '-') continue;
    if (!text.empty()) text += ", ";
    if (f == 'f') {
      text += 'f';
    } else if (f != 'n') {
      text += abc[i] < code->local_count ? 'r' : 't';
    }
    text += std::to_string(abc[i]);
  }
  return text;
}

struct Argument {
  const char* kind = "";  // const, name, jump, special, number, or nothing
  Ref<> value;
};

Result<> Number(int64_t n) { return Small(n); }

// Where a jump leads: behind those marks of its target that it skips.
int64_t JumpOffset(const CodeObject* code, uint32_t pc, const Word& w) {
  const auto to = static_cast<uint32_t>(int64_t{pc} + 1 + w.x);
  const auto marks = static_cast<uint32_t>(MarksAt(code, to).size());
  return OffsetOf(code, to, marks - SkipAt(code, pc));
}

Status FindArgument(ThreadState& ts, const CodeObject* code, uint32_t pc, const Word& w,
                    const OpInfo& info, Argument* out) {
  const Op op = static_cast<Op>(w.op);
  if (info.flags & kName) {
    out->kind = "name";
    out->value = Ref<>::Borrow((*code->names)[code->sites[pc].arg]);
    return Ok();
  }
  if (op == Op::LOADSP || op == Op::LOADSP_L || op == Op::RETSP) {
    const unsigned special = op == Op::RETSP ? w.a : w.b;
    out->kind = "special";
    MVM_TRY(Ref<StrObject> name, NewStr(ts, kSpecialNames[special < 7 ? special : 6]));
    out->value = std::move(name);
    return Ok();
  }
  switch (info.format[3]) {
    case 'K':
      out->kind = "const";
      out->value = Ref<>::Borrow((*code->consts)[ConstantIndex(code->instances, pc)]);
      return Ok();
    case 'J': {
      out->kind = "jump";
      MVM_TRY(out->value, Number(JumpOffset(code, pc, w)));
      return Ok();
    }
    case 'D':
    case 'I':
    case 'M':
    case 'F': {
      out->kind = "number";
      MVM_TRY(out->value, Number(info.format[3] == 'D' ? Divisor(code->instances, pc) : w.x));
      return Ok();
    }
    default: out->value = Ref<>::Borrow(ts.rt->none); return Ok();
  }
}

// A mark shows itself as a NOP that is not there.
Status AppendMark(ThreadState& ts, Ref<ListObject>& list) {
  const Value row[] = {Value::Int(static_cast<int>(Op::NOP)), Value(ts.rt->none),
                       Value(ts.rt->empty_str), Value(ts.rt->empty_str), Value(ts.rt->none)};
  MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, row));
  return ListAppend(ts, list, tuple);
}

// instructions(code, adaptive): [(opcode, specialised opcode or None, operands, kind, value), ...]
Result<> dis_instructions(ThreadState& ts, Args args) {
  if (!IsExact(args[0], TypeId::kCode)) {
    return Raise(ts, Exc::kTypeError, "expected a code object, not %T", args[0]);
  }
  CodeObject* code = args.as<CodeObject>(0);
  MVM_TRY(bool adaptive, Truth(ts, args[1]));
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, code->word_count));
  for (uint32_t pc = 0; pc < code->word_count; ++pc) {
    for (size_t i = MarksAt(code, pc).size(); i > 0; --i) MVM_TRY_VOID(AppendMark(ts, list));
    const Word plain = GenericWord(code, code->instances, pc);
    const OpInfo& info = InfoOf(static_cast<Op>(plain.op));
    const uint8_t now = code->instances->words[pc].op;
    Argument argument;
    MVM_TRY_VOID(FindArgument(ts, code, pc, plain, info, &argument));
    MVM_TRY(Ref<StrObject> operands, NewStr(ts, OperandText(code, plain, info)));
    MVM_TRY(Ref<StrObject> kind, NewStr(ts, argument.kind));
    const Value row[] = {Value::Int(plain.op),
                         adaptive && now != plain.op ? Value::Int(now) : Value(ts.rt->none),
                         operands.value(), kind.value(), argument.value.get()};
    MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, row));
    MVM_TRY_VOID(ListAppend(ts, list, tuple));
  }
  return list;
}

// ranges(code): [(start, end, handler or None, depth), ...], offsets as in instructions.
Result<> dis_ranges(ThreadState& ts, Args args) {
  if (!IsExact(args[0], TypeId::kCode)) {
    return Raise(ts, Exc::kTypeError, "expected a code object, not %T", args[0]);
  }
  CodeObject* code = args.as<CodeObject>(0);
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, code->range_count));
  for (uint32_t i = 0; i < code->range_count; ++i) {
    const ExceptionRange& r = code->ranges[i];
    const bool handled = r.handler != ExceptionRange::kNoHandler;
    auto first = [&](uint32_t pc) {
      return Value::Int(OffsetOf(code, pc, static_cast<uint32_t>(MarksAt(code, pc).size())));
    };
    const Value row[] = {first(r.start), first(r.end),
                         handled ? first(r.handler) : Value(ts.rt->none), Value::Int(r.depth)};
    MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, row));
    MVM_TRY_VOID(ListAppend(ts, list, tuple));
  }
  return list;
}

// opcodes(): [(name, format, flags, generic opcode, doc), ...] by number.
Result<> dis_opcodes(ThreadState& ts, Args) {
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, kOpCount));
  for (int i = 0; i < kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    const OpInfo& info = InfoOf(op);
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, info.name));
    MVM_TRY(Ref<StrObject> format, NewStr(ts, info.format));
    MVM_TRY(Ref<StrObject> doc, NewStr(ts, info.doc));
    const Value row[] = {name.value(), format.value(), Value::Int(info.flags),
                         Value::Int(static_cast<int>(GenericOp(op))), doc.value()};
    MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, row));
    MVM_TRY_VOID(ListAppend(ts, list, tuple));
  }
  return list;
}

const MethodSpec kFunctions[] = {
    {"instructions(code, adaptive=False, /)", dis_instructions, "The instructions as tuples."},
    {"opcodes()", dis_opcodes, "The table of opcodes."},
    {"ranges(code, /)", dis_ranges, "The exception table."},
};

}  // namespace

extern const ModuleSpec k__dis_module;
const ModuleSpec k__dis_module = {.name = "_dis", .functions = kFunctions};

}  // namespace minivm

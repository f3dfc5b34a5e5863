// The `code` type: what scripts see of a code object.
//
// Offsets (co_lines, f_lasti, tb_lasti) are those of OffsetOf(). co_code shows the generic words,
// eight bytes each, whatever they have been specialised to.
#include <cstring>
#include <string>
#include <vector>

#include "runtime/native/native_function.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/bytecode/code_object.h"
#include "vm/bytecode/position_table.h"

namespace minivm {

namespace {

CodeObject* Self(Value v) { return v.as<CodeObject>(); }

#define MVM_INT_FIELD(name, expr)                         \
  Result<> code_##name(ThreadState&, Value self) {        \
    return Small(static_cast<int64_t>(Self(self)->expr)); \
  }
MVM_INT_FIELD(argcount, arg_count)
MVM_INT_FIELD(posonlyargcount, posonly_count)
MVM_INT_FIELD(kwonlyargcount, kwonly_count)
MVM_INT_FIELD(nlocals, varnames->size())
MVM_INT_FIELD(stacksize, frame_size)
MVM_INT_FIELD(flags, flags)
MVM_INT_FIELD(firstlineno, first_line)
#undef MVM_INT_FIELD

#define MVM_OBJECT_FIELD(name, expr)                  \
  Result<> code_##name(ThreadState&, Value self) {    \
    return Result<>::Borrow(Value(Self(self)->expr)); \
  }
MVM_OBJECT_FIELD(name, name)
MVM_OBJECT_FIELD(qualname, qualname)
MVM_OBJECT_FIELD(filename, filename)
MVM_OBJECT_FIELD(consts, consts)
MVM_OBJECT_FIELD(names, names)
MVM_OBJECT_FIELD(varnames, varnames)
MVM_OBJECT_FIELD(cellvars, cellvars)
MVM_OBJECT_FIELD(freevars, freevars)
#undef MVM_OBJECT_FIELD

// Independent of where the code stands in memory: constants and names by index.
Result<> code_code(ThreadState& ts, Value self) {
  CodeObject* code = Self(self);
  MVM_TRY(Ref<BytesObject> bytes, NewBytesRaw(ts, code->word_count * sizeof(Word)));
  for (uint32_t pc = 0; pc < code->word_count; ++pc) {
    Word w = PlainWord(code, pc);
    std::memcpy(bytes->data() + pc * sizeof(Word), &w, sizeof w);
  }
  return bytes;
}

Result<> code_linetable(ThreadState& ts, Value self) {
  CodeObject* code = Self(self);
  return NewBytes(ts, {reinterpret_cast<const char*>(code->positions), code->position_bytes});
}

Result<> code_exceptiontable(ThreadState& ts, Value self) {
  CodeObject* code = Self(self);
  return NewBytes(ts, {reinterpret_cast<const char*>(code->ranges),
                       code->range_count * sizeof(ExceptionRange)});
}

Result<> LineOrNone(ThreadState& ts, int line) { return line < 0 ? None(ts) : Small(line); }

// Calls row(position) for the call, and then for each word behind its marks, which have a line
// only.
template <class F>
Status ForEachUnit(const CodeObject* code, F row) {
  Position p;
  p.line = StartLine(code);
  p.end_line = p.line == 0 ? 1 : p.line;
  p.column = p.end_column = 0;
  MVM_TRY_VOID(row(p));
  PositionReader reader(code->positions, code->word_count);
  const LineMark *mark = code->marks, *end = mark + code->mark_count;
  for (uint32_t pc = 0; pc < code->word_count; ++pc) {
    for (; mark != end && mark->pc == pc; ++mark) {
      Position line;
      line.line = line.end_line = mark->line;
      MVM_TRY_VOID(row(line));
    }
    MVM_TRY_VOID(row(reader.Next()));
  }
  return Ok();
}

// co_lines(): (start, end, line) for each run of units of one line.
Result<> code_co_lines(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ListObject> list, NewList(ts, {}));
  int64_t start = 0, at = 0;
  int line = StartLine(args.self<CodeObject>());
  auto close_run = [&]() -> Status {
    MVM_TRY(Ref<> value, LineOrNone(ts, line));
    Value row[] = {Value::Int(start), Value::Int(at), value.get()};
    MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, row));
    return ListAppend(ts, list, tuple);
  };
  MVM_TRY_VOID(ForEachUnit(args.self<CodeObject>(), [&](const Position& p) -> Status {
    if (p.line != line) {
      MVM_TRY_VOID(close_run());
      start = at;
      line = p.line;
    }
    at += 2;
    return Ok();
  }));
  MVM_TRY_VOID(close_run());
  return GetIter(ts, list);
}

// co_positions(): (line, end line, column, end column) for each unit.
Result<> code_co_positions(ThreadState& ts, Args args) {
  CodeObject* code = args.self<CodeObject>();
  MVM_TRY(Ref<ListObject> list,
          NewListReserve(ts, size_t{code->word_count} + code->mark_count + 1));
  MVM_TRY_VOID(ForEachUnit(code, [&](const Position& p) -> Status {
    Ref<> row[4];
    const int fields[] = {p.line, p.end_line, p.column, p.end_column};
    for (int k = 0; k < 4; ++k) {
      MVM_TRY(row[k], LineOrNone(ts, k > 0 && ts.rt->no_debug_ranges ? -1 : fields[k]));
    }
    Value values[] = {row[0].get(), row[1].get(), row[2].get(), row[3].get()};
    MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, values));
    return ListAppend(ts, list, tuple);
  }));
  return GetIter(ts, list);
}

// The parts of a code object that replace() may change.
struct Parts {
  Ref<> consts, names, varnames, freevars, cellvars, filename, name, qualname;
  int64_t argcount, posonly, kwonly, flags, first_line;
};

Status TakeTuple(ThreadState& ts, Value v, const char* what, uint32_t size, Ref<>* out) {
  if (!IsTuple(ts, v)) return Raise(ts, Exc::kTypeError, "%s must be a tuple, not %T", what, v);
  if (v.as<TupleObject>()->size() != size) {
    return Raise(ts, Exc::kValueError, "code: %s must keep its length", what);
  }
  *out = Ref<>::Borrow(v);
  return Ok();
}

// A tuple of names, interned: what the interpreter looks up, and binds arguments by.
Status TakeNames(ThreadState& ts, Value v, const char* what, uint32_t size, Ref<>* out) {
  MVM_TRY_VOID(TakeTuple(ts, v, what, size, out));
  std::vector<Ref<>> interned;
  for (Value name : out->as<TupleObject>()->span()) {
    if (!IsStr(ts, name)) {
      return Raise(ts, Exc::kSystemError, "non-string found in code slot");
    }
    MVM_TRY(Ref<StrObject> exact, StrExact(ts, name.as<StrObject>()));
    MVM_TRY(Ref<StrObject> one, Intern(ts, exact));
    interned.push_back(Ref<>(std::move(one)));
  }
  static_assert(sizeof(Ref<>) == sizeof(Value));
  MVM_TRY(Ref<TupleObject> names,
          NewTuple(ts, {reinterpret_cast<const Value*>(interned.data()), interned.size()}));
  *out = Ref<>(std::move(names));
  return Ok();
}

Status TakeStr(ThreadState& ts, Value v, const char* what, Ref<>* out) {
  if (!IsStr(ts, v)) {
    return Raise(ts, Exc::kTypeError, "replace() argument '%s' must be str, not %T", what, v);
  }
  *out = Ref<>::Borrow(v);
  return Ok();
}

Result<CodeObject> CopyCode(ThreadState& ts, CodeObject* code, Parts& parts) {
  std::vector<Word> words(code->word_count);
  std::vector<Position> positions(code->word_count);
  PositionReader reader(code->positions, code->word_count);
  for (uint32_t pc = 0; pc < code->word_count; ++pc) {
    words[pc] = PlainWord(code, pc);
    positions[pc] = reader.Next();
  }
  CodeSpec spec;
  spec.name = std::move(parts.name).Into<StrObject>();
  spec.qualname = std::move(parts.qualname).Into<StrObject>();
  spec.filename = std::move(parts.filename).Into<StrObject>();
  spec.consts = std::move(parts.consts).Into<TupleObject>();
  spec.names = std::move(parts.names).Into<TupleObject>();
  spec.varnames = std::move(parts.varnames).Into<TupleObject>();
  spec.cellvars = std::move(parts.cellvars).Into<TupleObject>();
  spec.freevars = std::move(parts.freevars).Into<TupleObject>();
  spec.doc = Ref<>::Borrow(code->doc);
  spec.flags = static_cast<uint32_t>(parts.flags);
  spec.first_line = static_cast<uint32_t>(parts.first_line);
  spec.arg_count = static_cast<uint16_t>(parts.argcount);
  spec.posonly_count = static_cast<uint16_t>(parts.posonly);
  spec.kwonly_count = static_cast<uint16_t>(parts.kwonly);
  spec.param_count = code->param_count;
  spec.near_param_count = code->near_param_count;
  spec.local_count = code->local_count;
  spec.frame_size = code->frame_size;
  spec.locals_register = code->locals_register;
  spec.far_register = code->far_register;
  spec.words = words.data();
  spec.sites = code->sites;
  spec.live = code->live;
  spec.positions = positions.data();
  spec.word_count = code->word_count;
  spec.ranges = code->ranges;
  spec.range_count = code->range_count;
  spec.marks = code->marks;
  spec.mark_count = code->mark_count;
  spec.skips = code->skips;
  spec.skip_count = code->skip_count;
  if (code->hidden_names) spec.hidden_names = Ref<TupleObject>::Borrow(code->hidden_names);
  spec.hidden = code->hidden;
  spec.cell_registers = code->cell_registers;
  spec.varname_registers = code->varname_registers;
  return NewCode(ts, spec);
}

// replace(): what decides the layout of a frame stays as it is.
Result<> code_replace(ThreadState& ts, Args args) {
  CodeObject* code = args.self<CodeObject>();
  enum {
    kSelf,
    kArgcount,
    kPosonly,
    kKwonly,
    kNlocals,
    kStacksize,
    kFlags,
    kFirstline,
    kCode,
    kConsts,
    kNames,
    kVarnames,
    kFreevars,
    kCellvars,
    kFilename,
    kName,
    kQualname,
    kLinetable,
    kExctable
  };
  Parts parts;
  parts.consts = Ref<>::Borrow(Value(code->consts));
  parts.names = Ref<>::Borrow(Value(code->names));
  parts.varnames = Ref<>::Borrow(Value(code->varnames));
  parts.freevars = Ref<>::Borrow(Value(code->freevars));
  parts.cellvars = Ref<>::Borrow(Value(code->cellvars));
  parts.filename = Ref<>::Borrow(Value(code->filename));
  parts.name = Ref<>::Borrow(Value(code->name));
  parts.qualname = Ref<>::Borrow(Value(code->qualname));
  parts.argcount = code->arg_count;
  parts.posonly = code->posonly_count;
  parts.kwonly = code->kwonly_count;
  parts.flags = code->flags;
  parts.first_line = code->first_line;
  if (args.has(kConsts)) {
    MVM_TRY_VOID(TakeTuple(ts, args[kConsts], "co_consts", code->const_count, &parts.consts));
    for (uint32_t i = 0; i < code->const_count; ++i) {
      Value now = (*code->consts)[i], then = (*parts.consts.as<TupleObject>())[i];
      const bool structural = IsExact(now, TypeId::kCode) || IsExact(now, TypeId::kTuple);
      if (structural && (!then.is_object() || then.object()->shape_id != now.object()->shape_id)) {
        return Raise(ts, Exc::kValueError, "code: constant %u must keep its type", i);
      }
    }
  }
  const struct {
    int index;
    const char* what;
    TupleObject* now;
    Ref<>* out;
  } names[] = {{kNames, "co_names", code->names, &parts.names},
               {kVarnames, "co_varnames", code->varnames, &parts.varnames},
               {kFreevars, "co_freevars", code->freevars, &parts.freevars},
               {kCellvars, "co_cellvars", code->cellvars, &parts.cellvars}};
  for (const auto& n : names) {
    if (!args.has(static_cast<uint32_t>(n.index))) continue;
    MVM_TRY_VOID(TakeNames(ts, args[static_cast<uint32_t>(n.index)], n.what, n.now->size(), n.out));
  }
  if (args.has(kFilename))
    MVM_TRY_VOID(TakeStr(ts, args[kFilename], "co_filename", &parts.filename));
  if (args.has(kName)) MVM_TRY_VOID(TakeStr(ts, args[kName], "co_name", &parts.name));
  if (args.has(kQualname))
    MVM_TRY_VOID(TakeStr(ts, args[kQualname], "co_qualname", &parts.qualname));
  if (args.has(kFlags)) {
    MVM_TRY(parts.flags, AsInt64(ts, args[kFlags]));
    // Bits that the words and the frame's layout depend on.
    constexpr int64_t kFixed =
        kCodeVarArgs | kCodeVarKeywords | kCodeGenerator | kCodeCoroutine | kCodeAsyncGenerator;
    if ((parts.flags ^ int64_t{code->flags}) & kFixed) {
      return Raise(ts, Exc::kValueError, "code: these co_flags do not fit the code");
    }
  }
  if (args.has(kFirstline)) {
    MVM_TRY(parts.first_line, AsInt64(ts, args[kFirstline]));
    if (parts.first_line < 0 || parts.first_line > INT32_MAX) {
      return Raise(ts, Exc::kValueError, "code: bad co_firstlineno");
    }
  }
  const struct {
    int index;
    int64_t value;
    const char* name;
  } fixed[] = {{kArgcount, code->arg_count, "co_argcount"},
               {kPosonly, code->posonly_count, "co_posonlyargcount"},
               {kKwonly, code->kwonly_count, "co_kwonlyargcount"},
               {kNlocals, code->varnames->size(), "co_nlocals"},
               {kStacksize, code->frame_size, "co_stacksize"}};
  for (const auto& f : fixed) {
    if (!args.has(static_cast<uint32_t>(f.index))) continue;
    MVM_TRY(int64_t v, AsInt64(ts, args[static_cast<uint32_t>(f.index)]));
    if (v != f.value) return Raise(ts, Exc::kValueError, "code: %s cannot be replaced", f.name);
  }
  const struct {
    int index;
    Result<> (*get)(ThreadState&, Value);
    const char* name;
  } tables[] = {{kCode, code_code, "co_code"},
                {kLinetable, code_linetable, "co_linetable"},
                {kExctable, code_exceptiontable, "co_exceptiontable"}};
  for (const auto& t : tables) {
    if (!args.has(static_cast<uint32_t>(t.index))) continue;
    MVM_TRY(Ref<> now, t.get(ts, Value(code)));
    MVM_TRY(bool same, EqualValues(ts, args[static_cast<uint32_t>(t.index)], now));
    if (!same) return Raise(ts, Exc::kValueError, "code: %s cannot be replaced", t.name);
  }
  return CopyCode(ts, code, parts);
}

// Equal constants must be of one type, too: 1 and 1.0 make different code.
Result<bool> SameConstant(ThreadState& ts, Value a, Value b) {
  RecursionGuard guard(ts, " in comparison");
  if (!guard) return kRaised;
  if (a.is(b)) return true;
  if (TypeOf(ts, a) != TypeOf(ts, b)) return false;
  if (IsExact(a, TypeId::kTuple)) {
    TupleObject *x = a.as<TupleObject>(), *y = b.as<TupleObject>();
    if (x->size() != y->size()) return false;
    for (uint32_t i = 0; i < x->size(); ++i) {
      MVM_TRY(bool same, SameConstant(ts, (*x)[i], (*y)[i]));
      if (!same) return false;
    }
    return true;
  }
  return EqualValues(ts, a, b);
}

Result<bool> SameCode(ThreadState& ts, CodeObject* a, CodeObject* b) {
  if (a->word_count != b->word_count || a->arg_count != b->arg_count ||
      a->posonly_count != b->posonly_count || a->kwonly_count != b->kwonly_count ||
      a->flags != b->flags || a->first_line != b->first_line || a->local_count != b->local_count ||
      a->position_bytes != b->position_bytes || a->range_count != b->range_count ||
      a->mark_count != b->mark_count || !StrEquals(a->name, b->name) ||
      std::memcmp(a->positions, b->positions, a->position_bytes) != 0 ||
      (a->range_count &&
       std::memcmp(a->ranges, b->ranges, a->range_count * sizeof(ExceptionRange)) != 0)) {
    return false;
  }
  for (uint32_t pc = 0; pc < a->word_count; ++pc) {
    const Word x = PlainWord(a, pc), y = PlainWord(b, pc);
    if (std::memcmp(&x, &y, sizeof x) != 0 || a->sites[pc].arg != b->sites[pc].arg) return false;
  }
  TupleObject* const pairs[][2] = {{a->consts, b->consts},
                                   {a->names, b->names},
                                   {a->varnames, b->varnames},
                                   {a->cellvars, b->cellvars},
                                   {a->freevars, b->freevars}};
  for (auto& pair : pairs) {
    MVM_TRY(bool same, SameConstant(ts, Value(pair[0]), Value(pair[1])));
    if (!same) return false;
  }
  return true;
}

Result<> code_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if ((op != CompareOp::kEq && op != CompareOp::kNe) || !IsExact(a, TypeId::kCode) ||
      !IsExact(b, TypeId::kCode)) {
    return NotImplemented(ts);
  }
  bool same = a.is(b);
  if (!same) {
    MVM_TRY(same, SameCode(ts, Self(a), Self(b)));
  }
  return Bool(ts, same == (op == CompareOp::kEq));
}

Result<int64_t> code_hash(ThreadState& ts, Value self) {
  CodeObject* code = Self(self);
  uint64_t h = StrHash(*ts.rt, code->name);
  auto add = [&h](uint64_t v) { h = (h ^ v) * 0x100000001B3u; };
  add(code->word_count);
  add(code->first_line);
  add(code->flags);
  add(code->arg_count);
  for (Value v : code->names->span()) add(StrHash(*ts.rt, v.as<StrObject>()));
  for (uint32_t pc = 0; pc < code->word_count; ++pc) {
    const Word w = PlainWord(code, pc);
    uint64_t bits;
    std::memcpy(&bits, &w, sizeof bits);
    add(bits);
  }
  int64_t result = static_cast<int64_t>(h >> 3);
  return result == -1 ? -2 : result;
}

Result<> code_repr(ThreadState& ts, Value self) {
  CodeObject* code = Self(self);
  char address[32];
  std::snprintf(address, sizeof address, "%p", static_cast<void*>(code));
  return Format(ts, "<code object %U at %s, file \"%U\", line %u>", Value(code->name), address,
                Value(code->filename), code->first_line);
}

const MethodSpec kCodeMethods[] = {
    {"__replace__(self, /, *, co_argcount=<unrepresentable>, co_posonlyargcount=<unrepresentable>, "
     "co_kwonlyargcount=<unrepresentable>, co_nlocals=<unrepresentable>, "
     "co_stacksize=<unrepresentable>, co_flags=<unrepresentable>, "
     "co_firstlineno=<unrepresentable>, co_code=<unrepresentable>, co_consts=<unrepresentable>, "
     "co_names=<unrepresentable>, co_varnames=<unrepresentable>, co_freevars=<unrepresentable>, "
     "co_cellvars=<unrepresentable>, co_filename=<unrepresentable>, co_name=<unrepresentable>, "
     "co_qualname=<unrepresentable>, co_linetable=<unrepresentable>, "
     "co_exceptiontable=<unrepresentable>)",
     code_replace, "replace(), for copy.replace()."},
    {"co_lines(self, /)", code_co_lines,
     "An iterator over (start, end, line) for each stretch of code from one line."},
    {"co_positions(self, /)", code_co_positions,
     "An iterator over (line, end line, column, end column) for each word of code."},
    {"replace(self, /, *, co_argcount=<unrepresentable>, co_posonlyargcount=<unrepresentable>, "
     "co_kwonlyargcount=<unrepresentable>, co_nlocals=<unrepresentable>, "
     "co_stacksize=<unrepresentable>, co_flags=<unrepresentable>, "
     "co_firstlineno=<unrepresentable>, co_code=<unrepresentable>, co_consts=<unrepresentable>, "
     "co_names=<unrepresentable>, co_varnames=<unrepresentable>, co_freevars=<unrepresentable>, "
     "co_cellvars=<unrepresentable>, co_filename=<unrepresentable>, co_name=<unrepresentable>, "
     "co_qualname=<unrepresentable>, co_linetable=<unrepresentable>, "
     "co_exceptiontable=<unrepresentable>)",
     code_replace, "A copy in which the given fields are others."},
};

const GetSetSpec kCodeGetSets[] = {
    {"co_argcount", code_argcount, SetReadOnlyMember},
    {"co_cellvars", code_cellvars},
    {"co_code", code_code},
    {"_co_code_adaptive", code_code},
    {"co_consts", code_consts, SetReadOnlyMember},
    {"co_exceptiontable", code_exceptiontable, SetReadOnlyMember},
    {"co_filename", code_filename, SetReadOnlyMember},
    {"co_firstlineno", code_firstlineno, SetReadOnlyMember},
    {"co_flags", code_flags, SetReadOnlyMember},
    {"co_freevars", code_freevars},
    {"co_kwonlyargcount", code_kwonlyargcount, SetReadOnlyMember},
    {"co_linetable", code_linetable, SetReadOnlyMember},
    {"co_name", code_name, SetReadOnlyMember},
    {"co_names", code_names, SetReadOnlyMember},
    {"co_nlocals", code_nlocals, SetReadOnlyMember},
    {"co_posonlyargcount", code_posonlyargcount, SetReadOnlyMember},
    {"co_qualname", code_qualname, SetReadOnlyMember},
    {"co_stacksize", code_stacksize, SetReadOnlyMember},
    {"co_varnames", code_varnames},
};

}  // namespace

extern const TypeSpec kCodeType;
const TypeSpec kCodeType = {
    .name = "code",
    .doc = "Compiled code of a module, class body or function. Made by compile() and def.",
    .flags = kTypeNoNew,
    .size = sizeof(CodeObject),
    .gc = GcHooksOf<CodeObject>(),
    .slots = {.repr = code_repr, .hash = code_hash, .compare = code_compare},
    .methods = kCodeMethods,
    .getsets = kCodeGetSets,
};

}  // namespace minivm

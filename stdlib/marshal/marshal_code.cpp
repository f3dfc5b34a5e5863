// Code objects: minivm's own layout, for use within one process.
//
// The interpreter trusts the words of a code object, so code must not be made of bytes that
// somebody else wrote. What is written here carries a keyed hash of its contents; the key is made
// at random by each process and never leaves it. Reading checks the hash before anything else.
#include <sys/random.h>

#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/support/hash.h"
#include "stdlib/marshal/marshal.h"
#include "vm/bytecode/code_object.h"
#include "vm/bytecode/position_table.h"

namespace minivm {

namespace {

// Constant from its first use on.
struct ProcessKey {
  HashKey key{};
  bool good = false;
  ProcessKey() {
    uint64_t words[2];
    good = getrandom(words, sizeof words, 0) == sizeof words;
    key = HashKey{words[0], words[1]};
  }
};
const ProcessKey& TheKey() {
  static const ProcessKey key;
  return key;
}

template <class T>
void PutArray(MarshalWriter& out, const T* p, size_t n) {
  out.Word32(static_cast<uint32_t>(n));
  out.Bytes(p, n * sizeof(T));
}

// REQUIRES: the data are what PutArray wrote.
template <class T>
Result<bool> GetArray(MarshalReader& in, std::vector<T>* v) {
  MVM_TRY(uint32_t n, in.Word32());
  MVM_TRY(const char* p, in.Need(n * sizeof(T)));
  v->resize(n);
  if (n) std::memcpy(static_cast<void*>(v->data()), p, n * sizeof(T));
  return true;
}

}  // namespace

Status WriteCode(ThreadState& ts, MarshalWriter& out, Value v) {
  if (!TheKey().good) return Raise(ts, Exc::kValueError, "unmarshallable object");
  CodeObject* code = v.as<CodeObject>();
  MVM_TRY_VOID(CheckRoom(ts, uint64_t{code->word_count} * 40));
  MarshalWriter body(ts, kMarshalVersion, true);
  std::vector<Word> words(code->word_count);
  std::vector<Position> positions(code->word_count);
  PositionReader reader(code->positions, code->word_count);
  for (uint32_t pc = 0; pc < code->word_count; ++pc) {
    words[pc] = PlainWord(code, pc);
    positions[pc] = reader.Next();
  }
  const Value objects[] = {Value(code->name),
                           Value(code->qualname),
                           Value(code->filename),
                           Value(code->consts),
                           Value(code->names),
                           Value(code->varnames),
                           Value(code->cellvars),
                           Value(code->freevars),
                           code->doc.is_null() ? Value(ts.rt->none) : code->doc};
  for (Value object : objects) MVM_TRY_VOID(body.Write(object));
  const uint32_t numbers[] = {code->flags,
                              code->first_line,
                              code->arg_count,
                              code->posonly_count,
                              code->kwonly_count,
                              code->param_count,
                              code->local_count,
                              code->frame_size,
                              code->locals_register,
                              code->far_register,
                              code->doc.is_null() ? 0u : 1u};
  for (uint32_t n : numbers) body.Word32(n);
  PutArray(body, words.data(), words.size());
  PutArray(body, code->sites, code->word_count);
  PutArray(body, code->live, code->word_count);
  PutArray(body, positions.data(), positions.size());
  PutArray(body, code->ranges, code->range_count);
  PutArray(body, code->marks, code->mark_count);
  PutArray(body, code->skips, code->skip_count);
  PutArray(body, code->cell_registers, code->cellvars->size());
  PutArray(body, code->varname_registers, code->varnames->size());
  const std::string& data = body.data();
  const uint64_t hash = SipHash13(TheKey().key, data.data(), data.size());
  out.Word32(static_cast<uint32_t>(data.size()));
  out.Word32(static_cast<uint32_t>(hash));
  out.Word32(static_cast<uint32_t>(hash >> 32));
  out.Bytes(data.data(), data.size());
  return Ok();
}

Result<> ReadCode(ThreadState& ts, MarshalReader& in) {
  MVM_TRY(uint32_t size, in.Word32());
  MVM_TRY(uint32_t low, in.Word32());
  MVM_TRY(uint32_t high, in.Word32());
  MVM_TRY_VOID(CheckRoom(ts, size));
  MVM_TRY(const char* p, in.Need(size));
  const std::string data(p, size);
  const uint64_t hash = SipHash13(TheKey().key, data.data(), data.size());
  if (!TheKey().good || hash != (low | uint64_t{high} << 32)) {
    return Raise(ts, Exc::kValueError, "bad marshal data (code of another process)");
  }
  MarshalReader body(ts, std::string_view(data), true);
  Ref<> objects[9];
  for (Ref<>& object : objects) {
    MVM_TRY(object, body.ReadObject());
  }
  uint32_t numbers[11];
  for (uint32_t& n : numbers) {
    MVM_TRY(n, body.Word32());
  }
  CodeSpec spec;
  spec.name = std::move(objects[0]).Into<StrObject>();
  spec.qualname = std::move(objects[1]).Into<StrObject>();
  spec.filename = std::move(objects[2]).Into<StrObject>();
  spec.consts = std::move(objects[3]).Into<TupleObject>();
  spec.varnames = std::move(objects[5]).Into<TupleObject>();
  spec.cellvars = std::move(objects[6]).Into<TupleObject>();
  spec.freevars = std::move(objects[7]).Into<TupleObject>();
  if (numbers[10]) spec.doc = std::move(objects[8]);
  // Names must be interned, whatever the version that wrote them as text.
  std::vector<Ref<>> interned;
  for (Value name : objects[4].as<TupleObject>()->span()) {
    MVM_TRY(Ref<StrObject> one, Intern(ts, name.as<StrObject>()));
    interned.push_back(std::move(one));
  }
  MVM_TRY(spec.names,
          NewTuple(ts, {reinterpret_cast<const Value*>(interned.data()), interned.size()}));
  spec.flags = numbers[0];
  spec.first_line = numbers[1];
  spec.arg_count = static_cast<uint16_t>(numbers[2]);
  spec.posonly_count = static_cast<uint16_t>(numbers[3]);
  spec.kwonly_count = static_cast<uint16_t>(numbers[4]);
  spec.param_count = static_cast<uint16_t>(numbers[5]);
  spec.local_count = static_cast<uint16_t>(numbers[6]);
  spec.frame_size = static_cast<uint16_t>(numbers[7]);
  spec.locals_register = static_cast<uint16_t>(numbers[8]);
  spec.far_register = static_cast<uint16_t>(numbers[9]);
  std::vector<Word> words;
  std::vector<Site> sites;
  std::vector<uint8_t> live;
  std::vector<Position> positions;
  std::vector<ExceptionRange> ranges;
  std::vector<LineMark> marks;
  std::vector<MarkSkip> skips;
  std::vector<uint32_t> cells, registers;
  MVM_TRY_VOID(GetArray(body, &words));
  MVM_TRY_VOID(GetArray(body, &sites));
  MVM_TRY_VOID(GetArray(body, &live));
  MVM_TRY_VOID(GetArray(body, &positions));
  MVM_TRY_VOID(GetArray(body, &ranges));
  MVM_TRY_VOID(GetArray(body, &marks));
  MVM_TRY_VOID(GetArray(body, &skips));
  MVM_TRY_VOID(GetArray(body, &cells));
  MVM_TRY_VOID(GetArray(body, &registers));
  spec.words = words.data();
  spec.sites = sites.data();
  spec.live = live.data();
  spec.positions = positions.data();
  spec.word_count = static_cast<uint32_t>(words.size());
  spec.ranges = ranges.data();
  spec.range_count = static_cast<uint32_t>(ranges.size());
  spec.marks = marks.data();
  spec.mark_count = static_cast<uint32_t>(marks.size());
  spec.skips = skips.data();
  spec.skip_count = static_cast<uint32_t>(skips.size());
  spec.cell_registers = cells.data();
  spec.varname_registers = registers.data();
  // The last parameters may be far.
  while (spec.near_param_count < spec.param_count && spec.near_param_count < registers.size() &&
         !(registers[spec.near_param_count] & kFarLocal)) {
    ++spec.near_param_count;
  }
  return NewCode(ts, spec);
}

}  // namespace minivm

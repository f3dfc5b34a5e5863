// Struct sequences: tuples whose items have names (sys.version_info, os.stat_result, ...).
//
// A module describes one as a constant StructSequenceSpec, whose first member is the TypeSpec:
//
//   const GetSetSpec kTimesFields[] = {{"user", StructItem<0>, nullptr, "user time"}, ...};
//   const StructSequenceSpec kTimesResult = {
//       .type = StructSequenceTypeSpec("posix.times_result", kTimesFields), .visible = 5, .total =
//       5};
//
// The first `visible` items are what the tuple shows; items from there to `total` have names only.
// Names without a row (unnamed items) are possible: rows name the items in order otherwise.
// Invariant: aux = visible; the hidden items follow the visible ones in the object.
#pragma once

#include <span>

#include "runtime/objects/tuple_object.h"

namespace minivm {

struct StructSequenceSpec {
  TypeSpec type;
  uint16_t visible;
  uint16_t total;
};

extern const GcHooks kStructSequenceGc;
extern const MethodSpec kStructSequenceMethods[3];
Result<> struct_sequence_repr(ThreadState& ts, Value self);
Result<> struct_sequence_new(ThreadState& ts, Args args);

// The getter of item I.
template <uint32_t I>
Result<> StructItem(ThreadState& ts, Value self) {
  Value v = self.as<TupleObject>()->items()[I];
  return v.is_null() ? None(ts) : Result<>::Borrow(v);
}

// `construct` is "name(sequence, dict={...})" where scripts may make instances: see
// kStructSequenceConstruct; without it they may not.
constexpr TypeSpec StructSequenceTypeSpec(const char* name, Table<GetSetSpec> fields,
                                          const char* doc, const char* construct = nullptr) {
  TypeSpec spec = {};
  spec.name = name;
  spec.doc = doc;
  spec.base = &kTupleType;
  spec.flags = construct ? uint32_t{0} : uint32_t{kTypeNoNew};
  spec.size = sizeof(TupleObject);
  spec.item_size = sizeof(Value);
  spec.gc = {};
  spec.slots.repr = struct_sequence_repr;
  if (construct) spec.construct = {construct, struct_sequence_new};
  spec.methods = kStructSequenceMethods;
  spec.getsets = fields;
  return spec;
}

// n_fields and its like, for the dictionary of the type when it is first touched.
inline bool IsStructSequence(const TypeSpec& spec) {
  return spec.slots.repr == struct_sequence_repr;
}
Status AddStructSequenceAttributes(ThreadState& ts, TypeObject* type, DictObject* dict);
// The type in this VM. Borrowed.
Result<TypeObject*> StructSequenceType(ThreadState& ts, const StructSequenceSpec& spec);
// An instance; values.size() is spec.total, null values show as None. New references.
Result<TupleObject> NewStructSequence(ThreadState& ts, const StructSequenceSpec& spec,
                                      std::span<const Value> values);
// The same from owned values, consumed also on failure; a null among them means "raised".
Result<TupleObject> NewStructSequenceSteal(ThreadState& ts, const StructSequenceSpec& spec,
                                           Value* values);

}  // namespace minivm

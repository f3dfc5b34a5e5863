// Struct sequences.
#include "runtime/objects/struct_sequence.h"

#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

const StructSequenceSpec& SpecOf(const TypeObject* type) {
  return *reinterpret_cast<const StructSequenceSpec*>(type->spec);
}
const StructSequenceSpec& SpecOf(Object* o) {
  return SpecOf(Heap::Of(o)->rt()->shapes[o->shape_id].type);
}

// Index of the item that row i of the fields names: rows beyond the unnamed items belong to the
// end.
uint32_t ItemOfRow(const StructSequenceSpec& spec, size_t row) {
  size_t rows = spec.type.getsets.size;
  size_t unnamed = spec.total - rows;
  size_t named_visible = spec.visible - unnamed;
  return static_cast<uint32_t>(row < named_visible ? row : row + unnamed);
}

void Visit(Object* self, Visitor& visitor) {
  gc_internal::VisitAll{visitor}(static_cast<TupleObject*>(self)->items(), SpecOf(self).total);
}
void Destroy(Heap& heap, Object* self) {
  gc_internal::ClearAll{}(static_cast<TupleObject*>(self)->items(), SpecOf(self).total);
}

Status SetHidden(ThreadState& ts, TupleObject* t, const StructSequenceSpec& spec,
                 DictObject* values) {
  size_t used = 0;
  for (size_t row = 0; row < spec.type.getsets.size; ++row) {
    uint32_t item = ItemOfRow(spec, row);
    if (item < spec.visible || !t->items()[item].is_null()) continue;
    MVM_TRY(Ref<StrObject> name, NewStr(ts, spec.type.getsets.data[row].name));
    MVM_TRY(Ref<> v, DictGet(ts, values, name));
    if (v.is_absent()) continue;
    t->items()[item] = v.Release();
    ++used;
  }
  if (DictSize(values) > used) {
    return Raise(ts, Exc::kTypeError, "%s() got duplicate or unexpected field name(s)",
                 spec.type.name);
  }
  return Ok();
}

Result<TupleObject> AllocStruct(ThreadState& ts, TypeObject* type, const StructSequenceSpec& spec) {
  MVM_TRY(Ref<TupleObject> t,
          AllocObject<TupleObject>(ts, type->shape_id_exact,
                                   sizeof(TupleObject) + spec.total * sizeof(Value), true));
  t->aux = spec.visible;
  for (uint32_t i = 0; i < spec.total; ++i) t->items()[i] = Value();
  return t;
}

Result<DictObject> HiddenItems(ThreadState& ts, TupleObject* self) {
  const StructSequenceSpec& spec = SpecOf(self);
  MVM_TRY(Ref<DictObject> hidden, NewDict(ts));
  for (size_t row = 0; row < spec.type.getsets.size; ++row) {
    uint32_t item = ItemOfRow(spec, row);
    if (item < spec.visible) continue;
    Value v = self->items()[item];
    MVM_TRY_VOID(DictSetUtf8(ts, hidden, spec.type.getsets.data[row].name,
                             v.is_null() ? Value(ts.rt->none) : v));
  }
  return hidden;
}

Result<> struct_sequence_reduce(ThreadState& ts, Args args) {
  TupleObject* self = args.self<TupleObject>();
  MVM_TRY(Ref<DictObject> hidden, HiddenItems(ts, self));
  MVM_TRY(Ref<TupleObject> visible, NewTuple(ts, self->span()));
  Value pair[] = {Value(visible.get()), Value(hidden.get())};
  MVM_TRY(Ref<TupleObject> state, NewTuple(ts, pair));
  Value parts[] = {Value(TypeOf(ts, Value(self))), Value(state.get())};
  return NewTuple(ts, parts);
}

// __replace__(self, /, **changes): a copy with other values; only where every item has a name.
Result<> struct_sequence_replace(ThreadState& ts, Args args) {
  TupleObject* self = args.self<TupleObject>();
  TypeObject* type = TypeOf(ts, Value(self));
  const StructSequenceSpec& spec = SpecOf(type);
  if (spec.type.getsets.size != spec.total) {
    return Raise(ts, Exc::kTypeError,
                 "__replace__() is not supported for %N because it has unnamed field(s)", type);
  }
  MVM_TRY(Ref<TupleObject> copy, AllocStruct(ts, type, spec));
  Ref<DictObject> changes;
  if (args.has(1)) {
    MVM_TRY(changes, DictCopy(ts, args.as<DictObject>(1)));
  }
  for (uint32_t i = 0; i < spec.total; ++i) {
    Ref<> v = Ref<>::Borrow(self->items()[i]);
    if (changes) {
      MVM_TRY(Ref<StrObject> name, NewStr(ts, spec.type.getsets.data[i].name));
      MVM_TRY(Ref<> changed, DictPop(ts, changes, name));
      if (!changed.is_absent()) v = std::move(changed);
    }
    copy->items()[i] = v.Release();
  }
  if (changes && DictSize(changes) > 0) {
    MVM_TRY(Ref<ListObject> names, ListFrom(ts, changes));
    return Raise(ts, Exc::kTypeError, "Got unexpected field name(s): %R", Value(names.get()));
  }
  Track(copy.get());
  return copy;
}

}  // namespace

const GcHooks kStructSequenceGc = {Visit, nullptr, Destroy};

const MethodSpec kStructSequenceMethods[3] = {
    {"__reduce__(self, /)", struct_sequence_reduce},
    {"__replace__(self, /, **changes)", struct_sequence_replace,
     "A copy in which the given fields are others."},
    {"__class_getitem__(cls, object, /)", ClassGetItem,
     "A generic alias: the class with type arguments.", kMethodClass},
};

Result<> struct_sequence_repr(ThreadState& ts, Value self) {
  Ref<TupleObject> t = Ref<TupleObject>::Borrow(self.as<TupleObject>());
  const StructSequenceSpec& spec = SpecOf(t.get());
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  StrBuilder out(ts);
  MVM_TRY_VOID(out.AppendUtf8(spec.type.name));
  MVM_TRY_VOID(out.Append('('));
  for (uint32_t i = 0; i < spec.visible; ++i) {
    if (i > 0) MVM_TRY_VOID(out.AppendAscii(", "));
    MVM_TRY_VOID(out.AppendUtf8(spec.type.getsets.data[i].name));
    MVM_TRY_VOID(out.Append('='));
    Value v = t->items()[i];
    MVM_TRY(Ref<StrObject> text, Repr(ts, v.is_null() ? Value(ts.rt->none) : v));
    MVM_TRY_VOID(out.Append(text.get()));
  }
  MVM_TRY_VOID(out.Append(')'));
  return out.Finish();
}

// name(sequence, dict): the sequence may bring hidden items along.
Result<> struct_sequence_new(ThreadState& ts, Args args) {
  TypeObject* type = args.self<TypeObject>();
  const StructSequenceSpec& spec = SpecOf(type);
  if (args.has(2) && !IsDict(ts, args[2]) && !IsNone(ts, args[2])) {
    return Raise(ts, Exc::kTypeError, "%N() takes a dict as second arg, if any", type);
  }
  MVM_TRY(Ref<> items, FastSequence(ts, args[1], "constructor requires a sequence"));
  MVM_TRY(Ref<TupleObject> values, TupleFrom(ts, items));
  uint32_t n = values->size();
  if (spec.visible != spec.total) {
    if (n < spec.visible) {
      return Raise(ts, Exc::kTypeError, "%N() takes an at least %d-sequence (%u-sequence given)",
                   type, spec.visible, n);
    }
    if (n > spec.total) {
      return Raise(ts, Exc::kTypeError, "%N() takes an at most %d-sequence (%u-sequence given)",
                   type, spec.total, n);
    }
  } else if (n != spec.visible) {
    return Raise(ts, Exc::kTypeError, "%N() takes a %d-sequence (%u-sequence given)", type,
                 spec.visible, n);
  }
  MVM_TRY(Ref<TupleObject> t, AllocStruct(ts, type, spec));
  for (uint32_t i = 0; i < n; ++i) t->items()[i] = Ref<>::Borrow((*values)[i]).Release();
  if (args.has(2) && IsDict(ts, args[2])) {
    MVM_TRY_VOID(SetHidden(ts, t, spec, args.as<DictObject>(2)));
  }
  Track(t.get());
  return t;
}

Result<TypeObject*> StructSequenceType(ThreadState& ts, const StructSequenceSpec& spec) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec.type));
  type->gc = kStructSequenceGc;
  return type;
}

Status AddStructSequenceAttributes(ThreadState& ts, TypeObject* type, DictObject* dict) {
  const StructSequenceSpec& spec = SpecOf(type);
  const size_t rows = spec.type.getsets.size;
  const std::pair<const char*, size_t> counts[] = {{"n_sequence_fields", spec.visible},
                                                   {"n_fields", spec.total},
                                                   {"n_unnamed_fields", spec.total - rows}};
  for (const auto& [name, n] : counts) {
    MVM_TRY_VOID(DictSetUtf8(ts, dict, name, Value::Int(static_cast<int64_t>(n))));
  }
  size_t named = spec.visible - (spec.total - rows);
  Ref<TupleObject> names;
  if (named == 0) {
    MVM_TRY(names, NewTuple(ts, {}));
  } else {
    MVM_TRY(names, NewTupleRaw(ts, named));
    for (size_t i = 0; i < named; ++i) {
      MVM_TRY(Ref<StrObject> name, InternUtf8(ts, spec.type.getsets.data[i].name));
      names->items()[i] = Value(name.Release());
    }
    Track(names.get());
  }
  return DictSetStr(ts, dict, MVM_NAME(ts, __match_args__), names);
}

Result<TupleObject> NewStructSequence(ThreadState& ts, const StructSequenceSpec& spec,
                                      std::span<const Value> values) {
  MVM_TRY(TypeObject * type, StructSequenceType(ts, spec));
  MVM_DCHECK(values.size() == spec.total, "a value for each field");
  MVM_TRY(Ref<TupleObject> t, AllocStruct(ts, type, spec));
  for (uint32_t i = 0; i < spec.total; ++i) t->items()[i] = Ref<>::Borrow(values[i]).Release();
  Track(t.get());
  return t;
}

Result<TupleObject> NewStructSequenceSteal(ThreadState& ts, const StructSequenceSpec& spec,
                                           Value* values) {
  bool complete = true;
  for (uint32_t i = 0; i < spec.total; ++i) complete &= !values[i].is_null();
  Result<TupleObject> made = kRaised;
  if (complete) made = NewStructSequence(ts, spec, {values, spec.total});
  for (uint32_t i = 0; i < spec.total; ++i) Decref(values[i]);
  return made;
}

}  // namespace minivm

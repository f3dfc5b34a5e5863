// ModuleSpec: how a module is to be imported, and how it was.
#include <cstddef>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/import/import_types.h"

namespace minivm {

namespace {

void Assign(Value* field, Value v) {
  Incref(v);
  Value old = std::exchange(*field, v);
  Decref(old);
}

template <Value ModuleSpecObject::*kField>
Result<> GetField(ThreadState& ts, Value self) {
  Value v = self.as<ModuleSpecObject>()->*kField;
  return v.is_null() ? None(ts) : Result<>::Borrow(v);
}
template <Value ModuleSpecObject::*kField>
Status SetField(ThreadState& ts, Value self, Value v) {
  Assign(&(self.as<ModuleSpecObject>()->*kField), v.is_null() ? Value(ts.rt->none) : v);
  return Ok();
}

// What comes before the last dot of a name, or the whole name of a package.
Result<> spec_get_parent(ThreadState& ts, Value self) {
  ModuleSpecObject* spec = self.as<ModuleSpecObject>();
  if (!spec->locations.is_null() && !IsNone(ts, spec->locations))
    return Result<>::Borrow(spec->name);
  if (!IsStr(ts, spec->name))
    return Raise(ts, Exc::kAttributeError, "'%T' object has no attribute 'rpartition'", spec->name);
  StrObject* name = spec->name.as<StrObject>();
  size_t dot = name->length;
  while (dot > 0 && name->At(dot - 1) != '.') --dot;
  return StrSlice(ts, name, 0, dot == 0 ? 0 : dot - 1);
}

Result<> spec_get_has_location(ThreadState& ts, Value self) {
  return Bool(ts, self.as<ModuleSpecObject>()->has_location);
}
Status spec_set_has_location(ThreadState& ts, Value self, Value v) {
  if (v.is_null())
    return Raise(ts, Exc::kAttributeError,
                 "property 'has_location' of 'ModuleSpec' object has no deleter");
  MVM_TRY(bool b, Truth(ts, v));
  self.as<ModuleSpecObject>()->has_location = b;
  return Ok();
}
Result<> spec_get_initializing(ThreadState& ts, Value self) {
  return Bool(ts, self.as<ModuleSpecObject>()->initializing);
}
Status spec_set_initializing(ThreadState& ts, Value self, Value v) {
  if (v.is_null()) return Raise(ts, Exc::kAttributeError, "_initializing");
  MVM_TRY(bool b, Truth(ts, v));
  self.as<ModuleSpecObject>()->initializing = b;
  return Ok();
}
Result<> spec_get_uninitialized(ThreadState& ts, Value self) {
  ModuleSpecObject* spec = self.as<ModuleSpecObject>();
  if (spec->uninitialized.is_null()) {
    MVM_TRY(Ref<ListObject> list, NewList(ts, {}));
    spec->uninitialized = Value(list.Release());
  }
  return Result<>::Borrow(spec->uninitialized);
}

// ModuleSpec(name, loader, *, origin=None, loader_state=None, is_package=None)
Result<> spec_init(ThreadState& ts, Args args) {
  ModuleSpecObject* spec = args.self<ModuleSpecObject>();
  Assign(&spec->name, args[1]);
  Assign(&spec->loader, args[2]);
  Assign(&spec->origin, args[3]);
  Assign(&spec->loader_state, args[4]);
  bool package = false;
  if (!IsNone(ts, args[5])) {
    MVM_TRY(package, Truth(ts, args[5]));
  }
  if (package) {
    MVM_TRY(Ref<ListObject> list, NewList(ts, {}));
    Assign(&spec->locations, list);
  } else {
    Assign(&spec->locations, ts.rt->none);
  }
  return None(ts);
}

Result<> spec_repr(ThreadState& ts, Value self) {
  Ref<> hold = Ref<>::Borrow(self);
  ModuleSpecObject* spec = self.as<ModuleSpecObject>();
  Value none = ts.rt->none;
  MVM_TRY(Ref<> type_name, GetAttr(ts, TypeOf(ts, self), "__name__"));
  MVM_TRY(Ref<StrObject> text, Format(ts, "%S(name=%R, loader=%R", Value(type_name),
                                      spec->name.is_null() ? none : spec->name,
                                      spec->loader.is_null() ? none : spec->loader));
  if (!spec->origin.is_null() && !IsNone(ts, spec->origin)) {
    MVM_TRY(text, Format(ts, "%U, origin=%R", Value(text.get()), spec->origin));
  }
  if (!spec->locations.is_null() && !IsNone(ts, spec->locations)) {
    MVM_TRY(text,
            Format(ts, "%U, submodule_search_locations=%R", Value(text.get()), spec->locations));
  }
  return Format(ts, "%U)", Value(text.get()));
}

Result<> spec_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (op != CompareOp::kEq && op != CompareOp::kNe) return NotImplemented(ts);
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kModuleSpecType));
  if (!IsInstance(ts, a, type) || !IsInstance(ts, b, type)) return NotImplemented(ts);
  constexpr Value ModuleSpecObject::*kFields[] = {
      &ModuleSpecObject::name, &ModuleSpecObject::loader, &ModuleSpecObject::origin,
      &ModuleSpecObject::locations, &ModuleSpecObject::cached};
  bool equal = a.as<ModuleSpecObject>()->has_location == b.as<ModuleSpecObject>()->has_location;
  for (auto field : kFields) {
    if (!equal) break;
    Value x = a.as<ModuleSpecObject>()->*field, y = b.as<ModuleSpecObject>()->*field;
    Ref<> hx = Ref<>::Borrow(x.is_null() ? Value(ts.rt->none) : x);
    Ref<> hy = Ref<>::Borrow(y.is_null() ? Value(ts.rt->none) : y);
    MVM_TRY(equal, EqualValues(ts, hx, hy));
  }
  return Bool(ts, equal == (op == CompareOp::kEq));
}

const GetSetSpec kSpecGetSets[] = {
    {"name", GetField<&ModuleSpecObject::name>, SetField<&ModuleSpecObject::name>},
    {"loader", GetField<&ModuleSpecObject::loader>, SetField<&ModuleSpecObject::loader>},
    {"origin", GetField<&ModuleSpecObject::origin>, SetField<&ModuleSpecObject::origin>},
    {"loader_state", GetField<&ModuleSpecObject::loader_state>,
     SetField<&ModuleSpecObject::loader_state>},
    {"submodule_search_locations", GetField<&ModuleSpecObject::locations>,
     SetField<&ModuleSpecObject::locations>},
    {"cached", GetField<&ModuleSpecObject::cached>, SetField<&ModuleSpecObject::cached>},
    {"parent", spec_get_parent, nullptr,
     "The package that relative imports of the module start from."},
    {"has_location", spec_get_has_location, spec_set_has_location},
    {"_set_fileattr", spec_get_has_location, spec_set_has_location},
    {"_initializing", spec_get_initializing, spec_set_initializing},
    {"_uninitialized_submodules", spec_get_uninitialized,
     SetField<&ModuleSpecObject::uninitialized>},
};

}  // namespace

const TypeSpec kModuleSpecType = {
    .name = "_frozen_importlib.ModuleSpec",
    .doc =
        "What a finder found out about a module: its loader, where it is from, whether it is a "
        "package.",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(ModuleSpecObject),
    .gc = GcHooksOf<ModuleSpecObject>(),
    .slots = {.repr = spec_repr,
              .compare = spec_compare,
              .new_ = [](ThreadState& ts, TypeObject* cls,
                         Args) { return AllocInstance(ts, cls); }},
    .init = {"__init__(self, name, loader, *, origin=None, loader_state=None, is_package=None)",
             spec_init},
    .getsets = kSpecGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = offsetof(ModuleSpecObject, dict),
};

Result<ModuleSpecObject> NewModuleSpec(ThreadState& ts, Value name, Value loader, Value origin) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kModuleSpecType));
  MVM_TRY(Ref<ModuleSpecObject> spec, New<ModuleSpecObject>(ts, type->shape_id_exact));
  Assign(&spec->name, name);
  Assign(&spec->loader, loader);
  Assign(&spec->origin, origin);
  Assign(&spec->loader_state, ts.rt->none);
  Assign(&spec->locations, ts.rt->none);
  Track(spec.get());
  return spec;
}

Result<ModuleSpecObject> NewFileSpec(ThreadState& ts, Value name, Value loader, Value path,
                                     Value locations) {
  MVM_TRY(Ref<ModuleSpecObject> spec, NewModuleSpec(ts, name, loader, path));
  spec->has_location = true;
  if (!locations.is_null()) Assign(&spec->locations, locations);
  return spec;
}

bool IsExactSpec(ThreadState& ts, Value v, const TypeSpec& spec) {
  if (!v.is_object()) return false;
  TypeObject* type = TypeOf(ts, v);
  return type->spec == &spec && !type->is_heap();
}

}  // namespace minivm

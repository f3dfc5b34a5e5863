// Filling the dictionary of a built-in type when it is first touched, and the lists of subclasses.
#include <cstring>

#include "runtime/core/slot_table.h"
#include "runtime/core/type_internal.h"
#include "runtime/gc/alloc_tracer.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/hidden_object.h"
#include "runtime/objects/method_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/struct_sequence.h"
#include "runtime/objects/tuple_object.h"

namespace minivm {

namespace {

// The function's name: the signature text up to the parenthesis.
std::string_view NameInSignature(const char* signature) {
  return {signature, std::strcspn(signature, "(")};
}

Status AddMethods(ThreadState& ts, TypeObject* type, DictObject* dict) {
  for (const MethodSpec& spec : type->spec->methods) {
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, NameInSignature(spec.signature)));
    Ref<> value;
    if (spec.flags & kMethodStatic) {
      MVM_TRY(Ref<> fn, NewNativeFunction(ts, spec, type, false, nullptr));
      MVM_TRY(value, NewStaticMethod(ts, fn));
    } else if (spec.flags & kMethodClass) {
      MVM_TRY(value, NewClassMethodDescriptor(ts, spec, type));
    } else {
      MVM_TRY(value, NewMethodDescriptor(ts, spec, type));
    }
    MVM_TRY_VOID(DictSetStr(ts, dict, name, value));
  }
  return Ok();
}

Status AddGetSets(ThreadState& ts, TypeObject* type, DictObject* dict) {
  for (const GetSetSpec& spec : type->spec->getsets) {
    if (spec.set == SetReadOnlyMember) {
      MVM_TRY(Ref<StrObject> name, InternUtf8(ts, spec.name));
      MVM_TRY(Ref<MemberDescriptorObject> member, NewMemberDescriptor(ts, type, name, 0));
      member->spec = &spec;
      MVM_TRY_VOID(DictSetStr(ts, dict, name, member));
      continue;
    }
    MVM_TRY(Ref<GetSetDescriptorObject> value, NewGetSetDescriptor(ts, spec, type));
    MVM_TRY_VOID(DictSetStr(ts, dict, value->name, value));
  }
  if (type->spec->storage == AttrStorage::kDictField && !type->has_flag(kTypeTypeSubclass) &&
      DictGetStr(ts, dict, MVM_NAME(ts, __dict__)).is_null()) {
    MVM_TRY(Ref<GetSetDescriptorObject> value, NewGetSetDescriptor(ts, kInstanceDictGetSet, type));
    MVM_TRY_VOID(DictSetStr(ts, dict, value->name, value));
  }
  return Ok();
}

// Wrapper descriptors for the slots that the type fills itself, unless a method has the name.
Status AddWrappers(ThreadState& ts, TypeObject* type, DictObject* dict) {
  const TypeSpec& spec = *type->spec;
  // No hash is written __hash__ = None.
  const bool unhashable =
      spec.slots.hash ? spec.slots.hash == HashNotImplemented : spec.slots.compare != nullptr;
  if (unhashable && DictGetStr(ts, dict, MVM_NAME(ts, __hash__)).is_null()) {
    MVM_TRY_VOID(DictSetStr(ts, dict, MVM_NAME(ts, __hash__), ts.rt->none));
  }
  for (const SlotRow& row : SlotRows()) {
    if (!row.wrap) continue;
    bool own = SlotAt(spec.slots, row.offset) != nullptr;
    if (row.name == NameId::k__init__) own = own || spec.init.fn;
    if (!own) continue;
    StrObject* name = ts.rt->names[static_cast<size_t>(row.name)];
    if (!DictGetStr(ts, dict, name).is_null()) continue;
    MVM_TRY(Ref<> value, NewWrapperDescriptor(ts, type, &row));
    MVM_TRY_VOID(DictSetStr(ts, dict, name, value));
  }
  // One that only says that object.__new__ will do has none of its own.
  const bool own_new =
      spec.construct.fn || (spec.slots.new_ && !(type->base && spec.slots.new_ == ObjectNew));
  if (type->slots.new_ && own_new && DictGetStr(ts, dict, MVM_NAME(ts, __new__)).is_null()) {
    MVM_TRY(Ref<> value, NewNativeFunction(ts, kTypeNewMethod, type, true, nullptr));
    MVM_TRY_VOID(DictSetStr(ts, dict, MVM_NAME(ts, __new__), value));
  }
  return Ok();
}

Status AddDoc(ThreadState& ts, TypeObject* type, DictObject* dict) {
  if (!DictGetStr(ts, dict, MVM_NAME(ts, __doc__)).is_null()) return Ok();
  if (!type->spec->doc) return DictSetStr(ts, dict, MVM_NAME(ts, __doc__), ts.rt->none);
  MVM_TRY(Ref<> doc, NewStr(ts, type->spec->doc));
  return DictSetStr(ts, dict, MVM_NAME(ts, __doc__), doc);
}

// Room for one more entry.
Status Grow(ThreadState& ts, TypeLink*& list, uint32_t count, uint32_t& capacity) {
  if (count < capacity) return Ok();
  uint32_t more = capacity ? capacity * 2 : 2;
  void* grown =
      ts.heap().ReallocateBuffer(list, capacity * sizeof(TypeLink), more * sizeof(TypeLink));
  if (!grown) return RaiseMemoryError(ts);
  list = static_cast<TypeLink*>(grown);
  capacity = more;
  return Ok();
}

Status AddSubclass(ThreadState& ts, TypeObject* base, TypeObject* type) {
  for (uint32_t i = 0; i < type->parent_count; ++i) {
    if (type->parents[i].type == base) return Ok();
  }
  MVM_TRY_VOID(Grow(ts, base->subclasses, base->subclass_count, base->subclass_capacity));
  MVM_TRY_VOID(Grow(ts, type->parents, type->parent_count, type->parent_capacity));
  base->subclasses[base->subclass_count] = {type, type->parent_count};
  type->parents[type->parent_count++] = {base, base->subclass_count++};
  return Ok();
}

}  // namespace

Status LinkType(ThreadState& ts, TypeObject* type) {
  auto link_all = [&]() -> Status {
    for (Value v : type->bases->span()) MVM_TRY_VOID(AddSubclass(ts, v.as<TypeObject>(), type));
    if (type->has_flag(kTypeCustomMro)) {
      for (Value v : type->mro->span()) {
        if (v.object() != type) MVM_TRY_VOID(AddSubclass(ts, v.as<TypeObject>(), type));
      }
    }
    return Ok();
  };
  if (!link_all().raised()) return Ok();
  UnlinkType(type);
  return kRaised;
}

Status TypeReadySlow(ThreadState& ts, TypeObject* type) {
  MVM_DCHECK(!type->is_heap(), "heap types are made ready when they are made");
  const AllocTracer::Pause pause(ts);  // when it happens is the VM's own affair
  if (type->base) MVM_TRY_VOID(TypeReady(ts, type->base));
  const TypeSpec& spec = *type->spec;
  const char* dot = std::strrchr(spec.name, '.');
  // Everything is made before anything is stored: after a failure the next touch starts afresh.
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, dot ? dot + 1 : spec.name));
  Ref<StrObject> module;
  if (dot) {
    MVM_TRY(module, InternUtf8(ts, {spec.name, static_cast<size_t>(dot - spec.name)}));
  } else {
    module = Ref<StrObject>::Borrow(MVM_NAME(ts, builtins));
  }
  Ref<TupleObject> bases;
  Value both[2] = {type->base, Value()};
  if (spec.second_base) {
    MVM_TRY(TypeObject * second, TypeForSpec(ts, *spec.second_base));
    MVM_TRY_VOID(TypeReady(ts, second));
    both[1] = second;
  }
  MVM_TRY(bases,
          NewTuple(ts, {both, size_t{type->base != nullptr} + (spec.second_base != nullptr)}));
  MVM_TRY(Ref<DictObject> dict, NewCelledDict(ts));
  MarkClassDict(dict);
  MVM_TRY_VOID(AddMethods(ts, type, dict));
  MVM_TRY_VOID(AddGetSets(ts, type, dict));
  MVM_TRY_VOID(AddWrappers(ts, type, dict));
  MVM_TRY_VOID(AddDoc(ts, type, dict));
  if (IsStructSequence(spec)) MVM_TRY_VOID(AddStructSequenceAttributes(ts, type, dict));

  auto replace = [](auto*& field, auto fresh) {
    auto* old = std::exchange(field, fresh.Release());
    if (old) Decref(old);
  };
  replace(type->name, std::move(name));
  replace(type->module_name, std::move(module));
  replace(type->bases, std::move(bases));
  replace(type->dict, std::move(dict));
  MVM_TRY(Ref<TupleObject> mro, ComputeMro(ts, type));
  MVM_TRY_VOID(LinkType(ts, type));
  replace(type->mro, std::move(mro));
  type->flags |= kTypeReady;
  return Ok();
}

}  // namespace minivm

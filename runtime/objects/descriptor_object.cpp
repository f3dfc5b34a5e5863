// getset, member and wrapper descriptors, and method-wrapper.
#include "runtime/objects/descriptor_object.h"

#include <cstring>
#include <string>

#include "runtime/core/slot_table.h"
#include "runtime/core/type_internal.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/namespace_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/objects/weakref_object.h"
#include "runtime/protocol/attr_error.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/raw_args.h"
#include "runtime/support/hash.h"

namespace minivm {

namespace {

Result<> BuiltinNamed(ThreadState& ts, std::string_view name) {
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
  Value v = ts.rt->builtins_dict ? DictGetStr(ts, ts.rt->builtins_dict, key) : Value();
  if (v.is_null()) return RaiseNameError(ts, key);
  return Result<>::Borrow(v);
}

// The three kinds begin alike only in what these say of them.
template <class T>
StrObject* NameOf(ThreadState& ts, T* d) {
  if constexpr (requires { d->name; }) {
    return d->name;
  } else {
    return ts.rt->names[static_cast<size_t>(d->row->name)];
  }
}

// The receiver must be an instance of the owner.
template <class T>
Status CheckReceiver(ThreadState& ts, T* d, Value object) {
  if (MVM_LIKELY(IsInstance(ts, object, d->owner))) return Ok();
  return Raise(ts, Exc::kTypeError,
               "descriptor '%U' for '%N' objects doesn't apply to a '%T' object",
               Value(NameOf(ts, d)), d->owner, object);
}

template <class T>
Result<> descr_get_name(ThreadState& ts, Value self) {
  return Result<>::Borrow(NameOf(ts, self.as<T>()));
}
template <class T>
Result<> descr_get_owner(ThreadState& ts, Value self) {
  return Result<>::Borrow(self.as<T>()->owner);
}
template <class T>
Result<> descr_get_qualname(ThreadState& ts, Value self) {
  T* d = self.as<T>();
  MVM_TRY(Ref<> owner, GetAttr(ts, d->owner, MVM_NAME(ts, __qualname__)));
  return Format(ts, "%S.%U", owner.get(), Value(NameOf(ts, d)));
}
template <class T>
Result<> descr_reduce(ThreadState& ts, Args args) {
  T* d = args.self<T>();
  MVM_TRY(Ref<> getattr, BuiltinNamed(ts, "getattr"));
  const Value pair[] = {d->owner, NameOf(ts, d)};
  MVM_TRY(Ref<> arguments, NewTuple(ts, pair));
  const Value both[] = {getattr, arguments};
  return NewTuple(ts, both);
}

// ---- getset ----

Result<> getset_get(ThreadState& ts, Value self, Value object, Value type) {
  GetSetDescriptorObject* d = self.as<GetSetDescriptorObject>();
  if (object.is_null()) return Result<>::Borrow(self);
  MVM_TRY_VOID(CheckReceiver(ts, d, object));
  if (d->spec->get) return d->spec->get(ts, object);
  return Raise(ts, Exc::kAttributeError, "attribute '%U' of '%N' objects is not readable",
               Value(d->name), d->owner);
}

Status getset_set(ThreadState& ts, Value self, Value object, Value value) {
  GetSetDescriptorObject* d = self.as<GetSetDescriptorObject>();
  MVM_TRY_VOID(CheckReceiver(ts, d, object));
  if (d->spec->set) return d->spec->set(ts, object, value);
  return Raise(ts, Exc::kAttributeError, "attribute '%U' of '%N' objects is not writable",
               Value(d->name), d->owner);
}

Result<> getset_repr(ThreadState& ts, Value self) {
  GetSetDescriptorObject* d = self.as<GetSetDescriptorObject>();
  return Format(ts, "<attribute '%U' of '%N' objects>", Value(d->name), d->owner);
}

Result<> getset_get_doc(ThreadState& ts, Value self) {
  const char* doc = self.as<GetSetDescriptorObject>()->spec->doc;
  if (!doc) return None(ts);
  return NewStr(ts, doc);
}

const GetSetSpec kGetSetGetSets[] = {
    {"__doc__", getset_get_doc},
    {"__name__", descr_get_name<GetSetDescriptorObject>, SetReadOnlyMember},
    {"__objclass__", descr_get_owner<GetSetDescriptorObject>, SetReadOnlyMember},
    {"__qualname__", descr_get_qualname<GetSetDescriptorObject>},
};

// ---- members ----

Raised RaiseUnset(ThreadState& ts, MemberDescriptorObject* d, Value object) {
  // getattr() adds name and object. The type is named in full.
  TypeObject* type = TypeOf(ts, object);
  Result<> found = GetAttrOptional(ts, type, MVM_NAME(ts, __module__));
  if (found.raised()) return kRaised;
  Ref<> module = found.Take();
  if (!type->qualname || module.is_absent() || !IsStr(ts, module) ||
      module.as<StrObject>()->EqualsAscii("__main__") ||
      module.as<StrObject>()->EqualsAscii("builtins")) {
    return Raise(ts, Exc::kAttributeError, "'%U' object has no attribute '%U'",
                 Value(type->qualname ? type->qualname : type->name), Value(d->name));
  }
  return Raise(ts, Exc::kAttributeError, "'%U.%U' object has no attribute '%U'", module.get(),
               Value(type->qualname), Value(d->name));
}

Result<> member_get(ThreadState& ts, Value self, Value object, Value type) {
  MemberDescriptorObject* d = self.as<MemberDescriptorObject>();
  if (object.is_null()) return Result<>::Borrow(self);
  MVM_TRY_VOID(CheckReceiver(ts, d, object));
  if (d->spec) return d->spec->get(ts, object);
  if (MVM_LIKELY(d->offset != 0)) {
    Value v = *reinterpret_cast<Value*>(reinterpret_cast<char*>(object.object()) + d->offset);
    if (MVM_UNLIKELY(v.is_null())) return RaiseUnset(ts, d, object);
    return Result<>::Borrow(v);
  }
  MVM_TRY(Ref<DictObject> tail, InstanceDict(ts, object));
  MVM_TRY(Ref<> v, DictGet(ts, tail, self));
  if (v.is_absent()) return RaiseUnset(ts, d, object);
  return v;
}

Status member_set(ThreadState& ts, Value self, Value object, Value value) {
  MemberDescriptorObject* d = self.as<MemberDescriptorObject>();
  MVM_TRY_VOID(CheckReceiver(ts, d, object));
  if (d->spec) return d->spec->set(ts, object, value);
  bool found = true;
  if (MVM_LIKELY(d->offset != 0)) {
    Value* place = reinterpret_cast<Value*>(reinterpret_cast<char*>(object.object()) + d->offset);
    if (!value.is_null()) Incref(value);
    Ref<> old = Ref<>::Steal(std::exchange(*place, value));
    found = static_cast<bool>(old) || !value.is_null();
  } else {
    MVM_TRY(Ref<DictObject> tail, InstanceDict(ts, object));
    if (!value.is_null()) return DictSet(ts, tail, self, value);
    MVM_TRY(found, DictDelete(ts, tail, self));
  }
  if (found) return Ok();
  return Raise(ts, Exc::kAttributeError, "%U", Value(d->name));
}

Result<> member_repr(ThreadState& ts, Value self) {
  MemberDescriptorObject* d = self.as<MemberDescriptorObject>();
  return Format(ts, "<member '%U' of '%N' objects>", Value(d->name), d->owner);
}

Result<> member_get_doc(ThreadState& ts, Value self) {
  const GetSetSpec* spec = self.as<MemberDescriptorObject>()->spec;
  if (!spec || !spec->doc) return None(ts);
  return NewStr(ts, spec->doc);
}

const GetSetSpec kMemberGetSets[] = {
    {"__doc__", member_get_doc},
    {"__name__", descr_get_name<MemberDescriptorObject>, SetReadOnlyMember},
    {"__objclass__", descr_get_owner<MemberDescriptorObject>, SetReadOnlyMember},
    {"__qualname__", descr_get_qualname<MemberDescriptorObject>},
};
const MethodSpec kMemberMethods[] = {
    {"__reduce__(self, /)", descr_reduce<MemberDescriptorObject>},
};

// ---- slot wrappers ----

Result<> NewMethodWrapper(ThreadState& ts, WrapperDescriptorObject* w, Value self) {
  MVM_TRY(Ref<MethodWrapperObject> m, New<MethodWrapperObject>(ts, TypeId::kMethodWrapper));
  m->descriptor = Ref<WrapperDescriptorObject>::Borrow(w).Release();
  m->self = Ref<>::Borrow(self).Release();
  Track(m);
  return m;
}

Result<> wrapper_get(ThreadState& ts, Value self, Value object, Value type) {
  WrapperDescriptorObject* w = self.as<WrapperDescriptorObject>();
  if (object.is_null()) return Result<>::Borrow(self);
  MVM_TRY_VOID(CheckReceiver(ts, w, object));
  return NewMethodWrapper(ts, w, object);
}

Result<> wrapper_call(ThreadState& ts, Value self, Args raw) {
  return CallWrapper(ts, self.as<WrapperDescriptorObject>(), raw);
}

Result<> wrapper_repr(ThreadState& ts, Value self) {
  WrapperDescriptorObject* w = self.as<WrapperDescriptorObject>();
  return Format(ts, "<slot wrapper '%U' of '%N' objects>", Value(NameOf(ts, w)), w->owner);
}

Result<> wrapper_get_doc(ThreadState& ts, Value self) {
  return NewStr(ts, self.as<WrapperDescriptorObject>()->row->doc);
}
Result<> wrapper_get_text_signature(ThreadState& ts, Value self) {
  return TextSignature(ts, self.as<WrapperDescriptorObject>()->row->signature);
}

const GetSetSpec kWrapperGetSets[] = {
    {"__doc__", wrapper_get_doc},
    {"__name__", descr_get_name<WrapperDescriptorObject>, SetReadOnlyMember},
    {"__objclass__", descr_get_owner<WrapperDescriptorObject>, SetReadOnlyMember},
    {"__qualname__", descr_get_qualname<WrapperDescriptorObject>},
    {"__text_signature__", wrapper_get_text_signature},
};
const MethodSpec kWrapperMethods[] = {
    {"__reduce__(self, /)", descr_reduce<WrapperDescriptorObject>},
};

// ---- bound slot wrappers ----

Result<> method_wrapper_call(ThreadState& ts, Value self, Args raw) {
  MethodWrapperObject* m = self.as<MethodWrapperObject>();
  ArgsWithFirst args(m->self, raw);
  if (!args.ok()) return RaiseMemoryError(ts);
  return CallWrapper(ts, m->descriptor, args.args());
}

Result<> method_wrapper_repr(ThreadState& ts, Value self) {
  MethodWrapperObject* m = self.as<MethodWrapperObject>();
  char address[32];
  std::snprintf(address, sizeof address, "%p", reinterpret_cast<void*>(m->self.bits()));
  return Format(ts, "<method-wrapper '%U' of %T object at %s>", Value(NameOf(ts, m->descriptor)),
                m->self, address);
}

Result<> method_wrapper_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if ((op != CompareOp::kEq && op != CompareOp::kNe) || !IsExact(a, TypeId::kMethodWrapper) ||
      !IsExact(b, TypeId::kMethodWrapper)) {
    return NotImplemented(ts);
  }
  MethodWrapperObject* x = a.as<MethodWrapperObject>();
  MethodWrapperObject* y = b.as<MethodWrapperObject>();
  bool equal = x->descriptor == y->descriptor && x->self.is(y->self);
  return Bool(ts, equal == (op == CompareOp::kEq));
}

Result<int64_t> method_wrapper_hash(ThreadState& ts, Value self) {
  MethodWrapperObject* m = self.as<MethodWrapperObject>();
  uint64_t h = HashMix(m->self.bits()) ^ HashMix(reinterpret_cast<uintptr_t>(m->descriptor) + 1);
  int64_t hash = static_cast<int64_t>(h >> 3);
  return hash;
}

Result<> method_wrapper_get_self(ThreadState& ts, Value self) {
  return Result<>::Borrow(self.as<MethodWrapperObject>()->self);
}
template <UnaryFn kOf>
Result<> OfDescriptor(ThreadState& ts, Value self) {
  return kOf(ts, self.as<MethodWrapperObject>()->descriptor);
}

Result<> method_wrapper_reduce(ThreadState& ts, Args args) {
  MethodWrapperObject* m = args.self<MethodWrapperObject>();
  MVM_TRY(Ref<> getattr, BuiltinNamed(ts, "getattr"));
  const Value pair[] = {m->self, NameOf(ts, m->descriptor)};
  MVM_TRY(Ref<> arguments, NewTuple(ts, pair));
  const Value both[] = {getattr, arguments};
  return NewTuple(ts, both);
}

const GetSetSpec kMethodWrapperGetSets[] = {
    {"__doc__", OfDescriptor<wrapper_get_doc>},
    {"__name__", OfDescriptor<descr_get_name<WrapperDescriptorObject>>},
    {"__objclass__", OfDescriptor<descr_get_owner<WrapperDescriptorObject>>},
    {"__qualname__", OfDescriptor<descr_get_qualname<WrapperDescriptorObject>>},
    {"__self__", method_wrapper_get_self, SetReadOnlyMember},
    {"__text_signature__", OfDescriptor<wrapper_get_text_signature>},
};
const MethodSpec kMethodWrapperMethods[] = {
    {"__reduce__(self, /)", method_wrapper_reduce},
};

// ---- __dict__ and __weakref__ ----

Result<> instance_get_dict(ThreadState& ts, Value self) {
  // A class that is an instance of the owner shows its dictionary as classes do.
  if (IsType(ts, self)) return NewMappingProxy(ts, Value(self.as<TypeObject>()->dict));
  return InstanceDict(ts, self);
}

Result<> instance_get_weakref(ThreadState& ts, Value self) {
  if (!(self.object()->gc & kGcHasWeakrefs) || !ts.rt->weakrefs) return None(ts);
  WeakrefObject* first = ts.rt->weakrefs->First(self.object());
  if (!first) return None(ts);
  return Result<>::Borrow(first);
}

}  // namespace

// These two texts are shown by help() on every class and compared by programs: CPython's.
const GetSetSpec kInstanceDictGetSet = {"__dict__", instance_get_dict, SetInstanceDict,
                                        "dictionary for instance variables"};
const GetSetSpec kInstanceWeakrefGetSet = {"__weakref__", instance_get_weakref, nullptr,
                                           "list of weak references to the object"};

Status SetReadOnlyMember(ThreadState& ts, Value self, Value value) {
  return Raise(ts, Exc::kAttributeError, "readonly attribute");
}

Result<GetSetDescriptorObject> NewGetSetDescriptor(ThreadState& ts, const GetSetSpec& spec,
                                                   TypeObject* owner) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, spec.name));
  MVM_TRY(Ref<GetSetDescriptorObject> d,
          New<GetSetDescriptorObject>(ts, TypeId::kGetSetDescriptor));
  d->spec = &spec;
  d->owner = Ref<TypeObject>::Borrow(owner).Release();
  d->name = name.Release();
  Track(d);
  return d;
}

Result<MemberDescriptorObject> NewMemberDescriptor(ThreadState& ts, TypeObject* owner,
                                                   StrObject* name, uint32_t offset) {
  MVM_TRY(Ref<MemberDescriptorObject> d,
          New<MemberDescriptorObject>(ts, TypeId::kMemberDescriptor));
  d->owner = Ref<TypeObject>::Borrow(owner).Release();
  d->name = Ref<StrObject>::Borrow(name).Release();
  d->offset = offset;
  Track(d);
  return d;
}

Result<WrapperDescriptorObject> NewWrapperDescriptor(ThreadState& ts, TypeObject* owner,
                                                     const SlotRow* row) {
  MVM_TRY(Ref<WrapperDescriptorObject> d,
          New<WrapperDescriptorObject>(ts, TypeId::kWrapperDescriptor));
  d->row = row;
  d->owner = Ref<TypeObject>::Borrow(owner).Release();
  Track(d);
  return d;
}

Result<> CallWrapper(ThreadState& ts, WrapperDescriptorObject* w, Args raw) {
  if (MVM_UNLIKELY(raw.n == 0)) {
    return Raise(ts, Exc::kTypeError, "descriptor '%U' of '%N' object needs an argument",
                 Value(NameOf(ts, w)), w->owner);
  }
  if (MVM_UNLIKELY(!IsInstance(ts, raw[0], w->owner))) {
    return Raise(ts, Exc::kTypeError, "descriptor '%U' requires a '%N' object but received a '%T'",
                 Value(NameOf(ts, w)), w->owner, raw[0]);
  }
  return w->row->wrap(ts, *w->row, w->owner, SlotAt(w->owner, w->row->offset), raw[0],
                      WithoutFirst(raw));
}

Result<> TextSignature(ThreadState& ts, const char* signature) {
  std::string_view text = signature;
  size_t open = text.find('(');
  if (open == std::string_view::npos) return None(ts);
  text.remove_prefix(open);
  if (text == "(...)" || text.find('<') != text.npos) return None(ts);
  for (std::string_view first : {"self", "cls", "type", "module"}) {
    if (text.substr(1, first.size()) == first)
      return NewStr(ts, "($" + std::string(text.substr(1)));
  }
  return NewStr(ts, text);
}

extern const TypeSpec kGetSetDescriptorType;
const TypeSpec kGetSetDescriptorType = {
    .name = "getset_descriptor",
    .flags = kTypeNoNew,
    .size = sizeof(GetSetDescriptorObject),
    .gc = GcHooksOf<GetSetDescriptorObject>(),
    .slots = {.repr = getset_repr, .descr_get = getset_get, .descr_set = getset_set},
    .getsets = kGetSetGetSets,
};
extern const TypeSpec kMemberDescriptorType;
const TypeSpec kMemberDescriptorType = {
    .name = "member_descriptor",
    .flags = kTypeNoNew,
    .size = sizeof(MemberDescriptorObject),
    .gc = GcHooksOf<MemberDescriptorObject>(),
    .slots = {.repr = member_repr, .descr_get = member_get, .descr_set = member_set},
    .methods = kMemberMethods,
    .getsets = kMemberGetSets,
};
extern const TypeSpec kWrapperDescriptorType;
const TypeSpec kWrapperDescriptorType = {
    .name = "wrapper_descriptor",
    .flags = kTypeNoNew | kTypeMethodDescriptor,
    .size = sizeof(WrapperDescriptorObject),
    .gc = GcHooksOf<WrapperDescriptorObject>(),
    .slots = {.repr = wrapper_repr, .call = wrapper_call, .descr_get = wrapper_get},
    .methods = kWrapperMethods,
    .getsets = kWrapperGetSets,
};
extern const TypeSpec kMethodWrapperType;
const TypeSpec kMethodWrapperType = {
    .name = "method-wrapper",
    .flags = kTypeNoNew,
    .size = sizeof(MethodWrapperObject),
    .gc = GcHooksOf<MethodWrapperObject>(),
    .slots = {.repr = method_wrapper_repr,
              .hash = method_wrapper_hash,
              .call = method_wrapper_call,
              .compare = method_wrapper_compare},
    .methods = kMethodWrapperMethods,
    .getsets = kMethodWrapperGetSets,
};

}  // namespace minivm

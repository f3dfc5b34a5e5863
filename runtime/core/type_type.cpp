// The type `type`: its constructor, call, attributes and methods.
#include <string_view>
#include <utility>

#include "runtime/core/slot_table.h"
#include "runtime/core/type_internal.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/generic_alias.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/namespace_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/attr_error.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

TypeObject* Self(Value v) { return v.as<TypeObject>(); }

// The keywords of a raw call as a dict; null if there are none.
Result<DictObject*> KeywordDict(ThreadState& ts, Args raw, Ref<DictObject>* owned) {
  if (raw.nkw == 0) return static_cast<DictObject*>(nullptr);
  MVM_TRY(*owned, NewDict(ts, raw.nkw));
  TupleObject* names = raw.v[raw.n + raw.nkw].as<TupleObject>();
  for (uint32_t i = 0; i < raw.nkw; ++i) {
    MVM_TRY_VOID(DictSet(ts, *owned, (*names)[i], raw.v[raw.n + i]));
  }
  return owned->get();
}

// type.__new__(metatype, name, bases, namespace, **kwargs)
Result<> TypeNew(ThreadState& ts, TypeObject* metatype, Args raw) {
  if (raw.n != 3) {
    return Raise(ts, Exc::kTypeError, "type.__new__() takes exactly 3 arguments (%u given)", raw.n);
  }
  if (!IsStr(ts, raw[0])) {
    return Raise(ts, Exc::kTypeError, "type.__new__() argument 1 must be str, not %T", raw[0]);
  }
  if (!IsTuple(ts, raw[1])) {
    return Raise(ts, Exc::kTypeError, "type.__new__() argument 2 must be tuple, not %T", raw[1]);
  }
  if (!IsDict(ts, raw[2])) {
    return Raise(ts, Exc::kTypeError, "type.__new__() argument 3 must be dict, not %T", raw[2]);
  }
  TupleObject* bases = raw.as<TupleObject>(1);
  for (Value base : bases->span()) {
    if (IsType(ts, base)) continue;
    MVM_TRY(Ref<> entries, GetAttrOptional(ts, base, MVM_NAME(ts, __mro_entries__)));
    if (!entries.is_absent()) {
      return Raise(ts, Exc::kTypeError,
                   "type() doesn't support MRO entry resolution; use types.new_class()");
    }
  }
  MVM_TRY(TypeObject * winner, CalculateMetatype(ts, metatype, bases));
  if (winner != metatype && winner->slots.new_ != TypeNew && winner->slots.new_) {
    return winner->slots.new_(ts, winner, raw);
  }
  Ref<DictObject> owned;
  MVM_TRY(DictObject * kwargs, KeywordDict(ts, raw, &owned));
  return NewHeapType(ts, winner, raw.as<StrObject>(0), bases, raw.as<DictObject>(2), kwargs);
}

Status TypeInit(ThreadState& ts, Value self, Args raw) {
  if (raw.n == 1 && raw.nkw) {
    return Raise(ts, Exc::kTypeError, "type.__init__() takes no keyword arguments");
  }
  if (raw.n != 1 && raw.n != 3) {
    return Raise(ts, Exc::kTypeError, "type.__init__() takes 1 or 3 arguments");
  }
  return Ok();
}

// ---- attributes ----

Status CheckSettable(ThreadState& ts, TypeObject* type, Value value, const char* name) {
  if (type->has_flag(kTypeImmutable)) {
    return Raise(ts, Exc::kTypeError, "cannot set '%s' attribute of immutable type '%N'", name,
                 type);
  }
  if (value.is_null()) {
    return Raise(ts, Exc::kTypeError, "cannot delete '%s' attribute of immutable type '%N'", name,
                 type);
  }
  return Ok();
}

// The own entry, through its __get__ if it has one; Absent().
Result<> OwnEntry(ThreadState& ts, TypeObject* type, StrObject* name) {
  MVM_TRY_VOID(TypeReady(ts, type));
  Value v = type->dict ? DictGetStr(ts, type->dict, name) : Value();
  if (v.is_null()) return Result<>::Steal(Value::Absent());
  return Result<>::Borrow(v);
}

Status SetOwnEntry(ThreadState& ts, TypeObject* type, StrObject* name, Value value) {
  MVM_TRY_VOID(DictSetStr(ts, type->dict, name, value));
  return TypeModified(ts, type, name);
}

Result<> type_get_name(ThreadState& ts, Value self) {
  MVM_TRY_VOID(TypeReady(ts, Self(self)));
  return Result<>::Borrow(Self(self)->name);
}

Status CheckName(ThreadState& ts, TypeObject* type, Value value, const char* attribute) {
  MVM_TRY_VOID(CheckSettable(ts, type, value, attribute));
  if (!IsStr(ts, value)) {
    return Raise(ts, Exc::kTypeError, "can only assign string to %N.%s, not '%T'", type, attribute,
                 value);
  }
  return Ok();
}

Status type_set_name(ThreadState& ts, Value self, Value value) {
  TypeObject* type = Self(self);
  MVM_TRY_VOID(CheckName(ts, type, value, "__name__"));
  StrObject* name = value.as<StrObject>();
  for (size_t i = 0; i < name->length; ++i) {
    if (name->At(i) == 0) {
      return Raise(ts, Exc::kValueError, "type name must not contain null characters");
    }
  }
  MVM_TRY_VOID(CheckEncodable(ts, name));
  MVM_TRY(Ref<StrObject> exact, StrExact(ts, name));
  Ref<StrObject> old = Ref<StrObject>::Steal(std::exchange(type->name, exact.Release()));
  return Ok();
}

Result<> type_get_qualname(ThreadState& ts, Value self) {
  MVM_TRY_VOID(TypeReady(ts, Self(self)));
  TypeObject* type = Self(self);
  return Result<>::Borrow(type->qualname ? type->qualname : type->name);
}

Status type_set_qualname(ThreadState& ts, Value self, Value value) {
  TypeObject* type = Self(self);
  MVM_TRY_VOID(CheckName(ts, type, value, "__qualname__"));
  MVM_TRY(Ref<StrObject> exact, StrExact(ts, value.as<StrObject>()));
  Ref<StrObject> old = Ref<StrObject>::Steal(std::exchange(type->qualname, exact.Release()));
  return Ok();
}

Result<> type_get_module(ThreadState& ts, Value self) {
  TypeObject* type = Self(self);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (!type->is_heap()) return Result<>::Borrow(type->module_name);
  MVM_TRY(Ref<> module, OwnEntry(ts, type, MVM_NAME(ts, __module__)));
  if (module.is_absent()) return RaiseAttr(ts, self, MVM_NAME(ts, __module__), "__module__");
  return module;
}

Status type_set_module(ThreadState& ts, Value self, Value value) {
  MVM_TRY_VOID(CheckSettable(ts, Self(self), value, "__module__"));
  // A class that says to be from elsewhere no longer knows its line.
  MVM_TRY_VOID(DictDelete(ts, Self(self)->dict, MVM_NAME(ts, __firstlineno__)));
  MVM_TRY_VOID(TypeModified(ts, Self(self), MVM_NAME(ts, __firstlineno__)));
  return SetOwnEntry(ts, Self(self), MVM_NAME(ts, __module__), value);
}

Result<> type_get_bases(ThreadState& ts, Value self) {
  MVM_TRY_VOID(TypeReady(ts, Self(self)));
  return Result<>::Borrow(Self(self)->bases);
}

Status type_set_bases(ThreadState& ts, Value self, Value value) {
  MVM_TRY_VOID(CheckSettable(ts, Self(self), value, "__bases__"));
  return SetBases(ts, Self(self), value);
}

Result<> type_get_base(ThreadState& ts, Value self) {
  if (!Self(self)->base) return None(ts);
  return Result<>::Borrow(Self(self)->base);
}

Result<> type_get_mro(ThreadState& ts, Value self) {
  MVM_TRY_VOID(TypeReady(ts, Self(self)));
  if (!Self(self)->mro) return None(ts);
  return Result<>::Borrow(Self(self)->mro);
}

Result<> type_get_dict(ThreadState& ts, Value self) {
  MVM_TRY_VOID(TypeReady(ts, Self(self)));
  if (!Self(self)->dict) return None(ts);
  return NewMappingProxy(ts, Self(self)->dict);
}

Result<> type_get_doc(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> doc, OwnEntry(ts, Self(self), MVM_NAME(ts, __doc__)));
  if (doc.is_absent()) return None(ts);
  if (!Self(self)->is_heap() && !IsStr(ts, doc)) {
    // The entry describes the __doc__ of instances.
    const char* text = Self(self)->spec->doc;
    return text ? Result<>(NewStr(ts, text)) : None(ts);
  }
  if (DescrGetFn get = TypeOf(ts, doc)->slots.descr_get) return get(ts, doc, Value(), self);
  return doc;
}

Status type_set_doc(ThreadState& ts, Value self, Value value) {
  MVM_TRY_VOID(CheckSettable(ts, Self(self), value, "__doc__"));
  return SetOwnEntry(ts, Self(self), MVM_NAME(ts, __doc__), value);
}

// Types that take their arguments as they come, or have defaults that cannot be written, but a
// signature.
constexpr std::pair<std::string_view, std::string_view> kSignaturesOfTypes[] = {
    {"NoneType", "()"},
    {"NotImplementedType", "()"},
    {"bool", "(object=False, /)"},
    {"classmethod", "(function, /)"},
    {"complex", "(real=0, imag=0)"},
    {"ellipsis", "()"},
    {"enumerate", "(iterable, start=0)"},
    {"filter", "(function, iterable, /)"},
    {"float", "(x=0, /)"},
    {"frozenset", "(iterable=(), /)"},
    {"list", "(iterable=(), /)"},
    {"map", "(function, iterable, /, *iterables)"},
    {"memoryview", "(object)"},
    {"object", "()"},
    {"property", "(fget=None, fset=None, fdel=None, doc=None)"},
    {"reversed", "(sequence, /)"},
    {"set", "(iterable=(), /)"},
    {"staticmethod", "(function, /)"},
    {"tuple", "(iterable=(), /)"},
    {"zip", "(*iterables, strict=False)"},
};

Result<> type_get_text_signature(ThreadState& ts, Value self) {
  const TypeSpec& spec = *Self(self)->spec;
  if (Self(self)->is_heap()) return None(ts);
  for (const auto& [name, signature] : kSignaturesOfTypes) {
    if (name == spec.name) return NewStr(ts, signature);
  }
  const MethodSpec& m = spec.construct.fn ? spec.construct : spec.init;
  if (!m.fn) return None(ts);
  std::string_view text = m.signature;
  text.remove_prefix(text.find('('));
  // What cannot be written as a default cannot be parsed by inspect either.
  if (text == "(...)" || text.find('<') != text.npos) return None(ts);
  for (std::string_view lead : {"(self, /, ", "(self, ", "(self, /", "(self"}) {
    if (text.substr(0, lead.size()) == lead) {
      std::string rest = "(" + std::string(text.substr(lead.size()));
      return NewStr(ts, rest);
    }
  }
  return NewStr(ts, text);
}

Result<> type_get_abstractmethods(ThreadState& ts, Value self) {
  StrObject* name = MVM_NAME(ts, __abstractmethods__);
  Ref<> v = Ref<>::Steal(Value::Absent());
  if (!self.is(TypeById(ts, TypeId::kType))) {
    MVM_TRY(v, OwnEntry(ts, Self(self), name));
  }
  if (v.is_absent()) return RaiseAttr(ts, self, name, "%U", Value(name));
  return v;
}

Status type_set_abstractmethods(ThreadState& ts, Value self, Value value) {
  TypeObject* type = Self(self);
  StrObject* name = MVM_NAME(ts, __abstractmethods__);
  if (type->has_flag(kTypeImmutable)) {
    return Raise(ts, Exc::kTypeError, "cannot set '%U' attribute of immutable type '%N'",
                 Value(name), type);
  }
  bool abstract = false;
  if (value.is_null()) {
    MVM_TRY(bool found, DictDelete(ts, type->dict, name));
    if (!found) return Raise(ts, Exc::kAttributeError, "%U", Value(name));
  } else {
    MVM_TRY(abstract, Truth(ts, value));
    MVM_TRY_VOID(DictSetStr(ts, type->dict, name, value));
  }
  type->flags = abstract ? type->flags | kTypeAbstract : type->flags & ~kTypeAbstract;
  return TypeModified(ts, type, name);
}

Result<> type_get_annotations(ThreadState& ts, Value self) {
  TypeObject* type = Self(self);
  StrObject* name = MVM_NAME(ts, __annotations__);
  if (!type->is_heap()) {
    return RaiseAttr(ts, self, name, "type object '%N' has no attribute '__annotations__'", type);
  }
  MVM_TRY(Ref<> v, OwnEntry(ts, type, name));
  if (v.is_absent()) {
    MVM_TRY(v, NewDict(ts));
    MVM_TRY_VOID(SetOwnEntry(ts, type, name, v));
    return v;
  }
  if (DescrGetFn get = TypeOf(ts, v)->slots.descr_get) return get(ts, v, Value(), self);
  return v;
}

Status type_set_annotations(ThreadState& ts, Value self, Value value) {
  TypeObject* type = Self(self);
  StrObject* name = MVM_NAME(ts, __annotations__);
  if (type->has_flag(kTypeImmutable)) {
    return Raise(ts, Exc::kTypeError,
                 "cannot set '__annotations__' attribute of immutable type '%N'", type);
  }
  if (!value.is_null()) return SetOwnEntry(ts, type, name, value);
  MVM_TRY(bool found, DictDelete(ts, type->dict, name));
  if (!found) return Raise(ts, Exc::kAttributeError, "__annotations__");
  return TypeModified(ts, type, name);
}

Result<> type_get_type_params(ThreadState& ts, Value self) {
  if (!self.is(TypeById(ts, TypeId::kType))) {
    MVM_TRY(Ref<> v, OwnEntry(ts, Self(self), MVM_NAME(ts, __type_params__)));
    if (!v.is_absent()) return v;
  }
  return Result<>::Borrow(ts.rt->empty_tuple);
}

Status type_set_type_params(ThreadState& ts, Value self, Value value) {
  MVM_TRY_VOID(CheckSettable(ts, Self(self), value, "__type_params__"));
  return SetOwnEntry(ts, Self(self), MVM_NAME(ts, __type_params__), value);
}

Result<> type_get_basicsize(ThreadState& ts, Value self) { return Small(Self(self)->basic_size); }
Result<> type_get_itemsize(ThreadState& ts, Value self) { return Small(Self(self)->item_size); }
Result<> type_get_dictoffset(ThreadState& ts, Value self) {
  TypeObject* type = Self(self);
  if (type->storage == AttrStorage::kNone) return Small(0);
  return Small(type->dict_offset != 0 ? type->dict_offset : -1);
}
Result<> type_get_weakrefoffset(ThreadState& ts, Value self) {
  return Small(Self(self)->has_weakref_slot ? -1 : 0);
}

// The documented bits of tp_flags.
Result<> type_get_flags(ThreadState& ts, Value self) {
  static constexpr struct {
    uint32_t ours, theirs;
  } kBits[] = {
      {kTypeSequence, 1u << 5},
      {kTypeMapping, 1u << 6},
      {kTypeNoNew, 1u << 7},
      {kTypeImmutable, 1u << 8},
      {kTypeHeap, 1u << 9},
      {kTypeBase, 1u << 10},
      {kTypeMethodDescriptor, 1u << 17},
      {kTypeAbstract, 1u << 20},
      {kTypeMatchSelf, 1u << 22},
      {kTypeIntSubclass, 1u << 24},
      {kTypeListSubclass, 1u << 25},
      {kTypeTupleSubclass, 1u << 26},
      {kTypeBytesSubclass, 1u << 27},
      {kTypeStrSubclass, 1u << 28},
      {kTypeDictSubclass, 1u << 29},
      {kTypeExceptionSubclass, 1u << 30},
      {kTypeTypeSubclass, 1u << 31},
  };
  uint64_t flags = 1u << 12;
  for (auto bit : kBits) {
    if (Self(self)->flags & bit.ours) flags |= bit.theirs;
  }
  if (Self(self)->is_heap() || Self(self)->gc.visit) flags |= 1u << 14;
  // A native class that adds nothing to an object but methods (typing.Generic): copyreg must not
  // take it for one whose instances have a native part to copy.
  const TypeObject* base = Self(self)->base;
  if (base && !base->base && Self(self)->has_flag(kTypeBase) &&
      Self(self)->basic_size == base->basic_size) {
    flags |= 1u << 9;
  }
  return Small(static_cast<int64_t>(flags));
}

const GetSetSpec kGetSets[] = {
    {"__abstractmethods__", type_get_abstractmethods, type_set_abstractmethods},
    {"__annotations__", type_get_annotations, type_set_annotations},
    {"__base__", type_get_base, SetReadOnlyMember},
    {"__bases__", type_get_bases, type_set_bases},
    {"__basicsize__", type_get_basicsize, SetReadOnlyMember},
    {"__dict__", type_get_dict},
    {"__dictoffset__", type_get_dictoffset, SetReadOnlyMember},
    {"__doc__", type_get_doc, type_set_doc},
    {"__flags__", type_get_flags, SetReadOnlyMember},
    {"__itemsize__", type_get_itemsize, SetReadOnlyMember},
    {"__module__", type_get_module, type_set_module},
    {"__mro__", type_get_mro},
    {"__name__", type_get_name, type_set_name},
    {"__qualname__", type_get_qualname, type_set_qualname},
    {"__text_signature__", type_get_text_signature},
    {"__type_params__", type_get_type_params, type_set_type_params},
    {"__weakrefoffset__", type_get_weakrefoffset, SetReadOnlyMember},
};

// ---- methods ----

Result<> type_mro(ThreadState& ts, Args args) {
  TypeObject* type = args.self<TypeObject>();
  MVM_TRY_VOID(TypeReady(ts, type));
  MVM_TRY(Ref<TupleObject> mro, ComputeMro(ts, type));
  return NewList(ts, mro->span());
}

// Built-in types enter their base's list only when they are touched: touch those of this base.
Status ReadyBuiltinSubclasses(ThreadState& ts, TypeObject* base) {
  auto ready = [&](TypeObject* t) -> Status {
    return t && t->base == base ? TypeReady(ts, t) : Ok();
  };
  for (uint32_t i = 1; i < kTypeCount; ++i) {
    if (i != static_cast<uint32_t>(TypeId::kUnbound)) MVM_TRY_VOID(ready(ts.rt->types[i]));
  }
  for (TypeObject* t : ts.rt->exceptions) MVM_TRY_VOID(ready(t));
  return Ok();
}

Result<> type_subclasses(ThreadState& ts, Args args) {
  TypeObject* type = args.self<TypeObject>();
  MVM_TRY_VOID(TypeReady(ts, type));
  if (!type->is_heap()) MVM_TRY_VOID(ReadyBuiltinSubclasses(ts, type));
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, type->subclass_count));
  for (uint32_t i = 0; i < type->subclass_count; ++i) {
    TypeObject* sub = type->subclasses[i].type;
    if (!sub) continue;
    bool direct = false;
    for (Value base : sub->bases->span()) direct = direct || base.object() == type;
    if (direct) MVM_TRY_VOID(ListAppend(ts, list, sub));
  }
  return list;
}

Result<> type_prepare(ThreadState& ts, Args args) { return NewDict(ts); }

Result<> type_instancecheck(ThreadState& ts, Args args) {
  MVM_TRY(bool b, PlainIsInstance(ts, args[1], args[0]));
  return Bool(ts, b);
}

Result<> type_subclasscheck(ThreadState& ts, Args args) {
  MVM_TRY(bool b, PlainIsSubclass(ts, args[1], args[0]));
  return Bool(ts, b);
}

Result<> type_dir(ThreadState& ts, Args args) {
  TypeObject* type = args.self<TypeObject>();
  MVM_TRY_VOID(TypeReady(ts, type));
  MVM_TRY(Ref<DictObject> names, NewDict(ts));
  if (!type->mro) return ListFrom(ts, type->dict);  // being made: a script's mro() asks
  Ref<TupleObject> mro = Ref<TupleObject>::Borrow(type->mro);
  for (Value v : mro->span()) {
    MVM_TRY_VOID(TypeReady(ts, v.as<TypeObject>()));
    MVM_TRY_VOID(DictUpdate(ts, names, v.as<TypeObject>()->dict));
  }
  return ListFrom(ts, names);
}

Result<> type_sizeof(ThreadState& ts, Args args) {
  const bool more = args.self<TypeObject>()->owns_operators;
  return Small(static_cast<int64_t>(sizeof(TypeObject) + (more ? sizeof(OperatorSlots) : 0)));
}

const MethodSpec kMethods[] = {
    {"__dir__(self, /)", type_dir, "The names of the attributes of the class and its bases."},
    {"__instancecheck__(self, instance, /)", type_instancecheck,
     "What isinstance() finds where no metaclass has its own idea."},
    {"__prepare__(...)", type_prepare, "An empty dict: the namespace that a class body runs in.",
     kMethodClass},
    {"__sizeof__(self, /)", type_sizeof, "How many bytes the type takes."},
    {"__subclasscheck__(self, subclass, /)", type_subclasscheck,
     "What issubclass() finds where no metaclass has its own idea."},
    {"__subclasses__(self, /)", type_subclasses,
     "A list of the living classes that name this one as a base."},
    {"mro(self, /)", type_mro,
     "The order in which classes are searched for attributes; a metaclass may change it."},
};

Result<> type_repr(ThreadState& ts, Value self) {
  TypeObject* type = Self(self);
  MVM_TRY_VOID(TypeReady(ts, type));
  Ref<> module;
  if (type->is_heap()) {
    MVM_TRY(module, OwnEntry(ts, type, MVM_NAME(ts, __module__)));
  } else {
    module = Ref<>::Borrow(type->module_name);
  }
  if (!module.is_absent() && IsStr(ts, module) &&
      !module.as<StrObject>()->EqualsAscii("builtins")) {
    MVM_TRY(Ref<> qualname, type_get_qualname(ts, self));
    return Format(ts, "<class '%U.%U'>", module.get(), qualname.get());
  }
  return Format(ts, "<class '%U'>", Value(type->name));
}

void DestroyType(Heap& heap, Object* self) {
  TypeObject* type = static_cast<TypeObject*>(self);
  UnlinkType(type);  // nobody is to find it through its bases while its parts go
  if (!type->root_shape && type->shape_id_exact) {
    heap.rt()->RetireShape(type->shape_id_exact);
  }
  gc_internal::DestroyHook<TypeObject>(heap, self);
}

// object.__new__ and its kin as found in dictionaries: checks that the class named in the call may
// be made by the built-in type the function belongs to.
Result<> CallTypeNew(ThreadState& ts, Args args) {
  TypeObject* type = args.self<TypeObject>();
  if (args.n < 2) return Raise(ts, Exc::kTypeError, "%N.__new__(): not enough arguments", type);
  if (!IsType(ts, args[1])) {
    return Raise(ts, Exc::kTypeError, "%N.__new__(X): X is not a type object (%T)", type, args[1]);
  }
  TypeObject* cls = args.as<TypeObject>(1);
  if (!IsSubtype(cls, type)) {
    return Raise(ts, Exc::kTypeError, "%N.__new__(%N): %N is not a subtype of %N", type, cls, cls,
                 type);
  }
  TypeObject* solid = cls;
  while (solid->base && solid->slots.new_ == SlotNew) solid = solid->base;
  if (solid->slots.new_ != type->slots.new_ || solid->construct != type->construct) {
    return Raise(ts, Exc::kTypeError, "%N.__new__(%N) is not safe, use %N.__new__()", type, cls,
                 solid->slots.new_ ? solid : cls);
  }
  Args rest = {args.v + 2, args.n - 2, args.nkw};
  if (type->slots.new_ != NewFromSpec) return type->slots.new_(ts, cls, rest);
  if (!type->construct_signature) {
    MVM_TRY(type->construct_signature, ConstructorSignature(ts, *type->construct, *type->spec));
  }
  return CallNative(ts, *type->construct_signature, type->construct->fn, rest, cls);
}

}  // namespace

const MethodSpec kTypeNewMethod = {
    "__new__(...)", CallTypeNew,
    "Create and return a new object.  See help(type) for accurate signature."};

namespace {

// A constructor that knows no keywords refuses them, unless the other half of construction is a
// script's, which they may be for.
Args WithoutForeignKeywords(const Signature& sig, Args raw, bool other_is_script) {
  if (MVM_LIKELY(raw.nkw == 0) || !other_is_script || sig.raw || sig.var_keyword >= 0 ||
      sig.positional_only != sig.count) {
    return raw;
  }
  return {raw.v, raw.n, 0};
}

}  // namespace

Result<> NewFromSpec(ThreadState& ts, TypeObject* cls, Args raw) {
  if (MVM_UNLIKELY(!cls->construct_signature)) {
    MVM_TRY(cls->construct_signature, ConstructorSignature(ts, *cls->construct, *cls->spec));
  }
  raw = WithoutForeignKeywords(*cls->construct_signature, raw, cls->slots.init == SlotInit);
  return CallNative(ts, *cls->construct_signature, cls->construct->fn, raw, cls);
}

Status InitFromSpec(ThreadState& ts, Value self, Args raw) {
  TypeObject* type = TypeOf(ts, self);
  if (MVM_UNLIKELY(!type->initialise_signature)) {
    MVM_TRY(type->initialise_signature, ConstructorSignature(ts, *type->initialise, *type->spec));
  }
  raw = WithoutForeignKeywords(*type->initialise_signature, raw, type->slots.new_ == SlotNew);
  MVM_TRY_VOID(CallNative(ts, *type->initialise_signature, type->initialise->fn, raw, self));
  return Ok();
}

Result<> TypeCall(ThreadState& ts, Value self, Args raw) {
  TypeObject* type = Self(self);
  if (type == TypeById(ts, TypeId::kType)) {
    if (raw.n == 1) {
      if (raw.nkw) return Raise(ts, Exc::kTypeError, "type() takes no keyword arguments");
      return Result<>::Borrow(TypeOf(ts, raw[0]));
    }
    if (raw.n != 3) return Raise(ts, Exc::kTypeError, "type() takes 1 or 3 arguments");
  }
  if (MVM_UNLIKELY(!type->slots.new_)) {
    return Raise(ts, Exc::kTypeError, "cannot create '%N' instances", type);
  }
  // Not in two steps, so that nobody can have the list before it is made.
  if (type == TypeById(ts, TypeId::kList) && raw.n == 1 && raw.nkw == 0)
    return ListFrom(ts, raw[0]);
  MVM_TRY(Ref<> object, type->slots.new_(ts, type, raw));
  TypeObject* made = TypeOf(ts, object);
  if (MVM_UNLIKELY(made != type && !IsSubtype(made, type))) return object;
  if (made->slots.init && made->slots.init != ObjectInit) {
    MVM_TRY_VOID(made->slots.init(ts, object, raw));
  } else if (made->slots.init && (raw.n | raw.nkw) != 0) {
    MVM_TRY_VOID(ObjectInit(ts, object, raw));
  }
  return object;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
constexpr uint16_t kTypeDictOffset = offsetof(TypeObject, dict);
#pragma GCC diagnostic pop

extern const TypeSpec kTypeType;
const TypeSpec kTypeType = {
    .name = "type",
    .doc =
        "type(object) -> its class\n"
        "type(name, bases, namespace, **keywords) -> a new class",
    .flags = kTypeBase | kTypeTypeSubclass,
    .size = sizeof(TypeObject),
    .gc = {gc_internal::VisitHook<TypeObject>, gc_internal::ClearHook<TypeObject>, DestroyType},
    .slots = {.repr = type_repr,
              .call = TypeCall,
              .getattro = TypeGetAttr,
              .setattro = TypeSetAttr,
              .init = TypeInit,
              .new_ = TypeNew,
              .or_ = UnionOr},
    .methods = kMethods,
    .getsets = kGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = kTypeDictOffset,
};

}  // namespace minivm

// mappingproxy and types.SimpleNamespace.
#include "runtime/objects/namespace_object.h"

#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/generic_alias.h"
#include "runtime/objects/hidden_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/repr_guard.h"

namespace minivm {

namespace {

// ---- mappingproxy ----

Value MappingOf(Value self) { return self.as<MappingProxyObject>()->mapping; }

// The mapping for operators, which show it to the other operand: of a class's dictionary a copy.
Result<> OperandOf(ThreadState& ts, Value v) {
  if (!IsExact(v, TypeId::kMappingProxy)) return Result<>::Borrow(v);
  const Value mapping = MappingOf(v);
  if (!IsHiddenFromScripts(mapping.object())) return Result<>::Borrow(mapping);
  return DictCopy(ts, mapping.as<DictObject>());
}

Result<> proxy_new(ThreadState& ts, Args args) {
  Value mapping = args[1];
  if (!TypeOf(ts, mapping)->slots.get_item || IsList(ts, mapping) || IsTuple(ts, mapping) ||
      IsStr(ts, mapping) || IsBytes(ts, mapping)) {
    return Raise(ts, Exc::kTypeError, "mappingproxy() argument must be a mapping, not %T", mapping);
  }
  return NewMappingProxy(ts, mapping);
}

// A proxy of a proxy of a proxy ... may be deep.
Result<int64_t> proxy_len(ThreadState& ts, Value self) {
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  return Length(ts, MappingOf(self));
}
Result<> proxy_get_item(ThreadState& ts, Value self, Value key) {
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  return GetItem(ts, MappingOf(self), key);
}
Result<bool> proxy_contains(ThreadState& ts, Value self, Value key) {
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  if (IsExact(MappingOf(self), TypeId::kDict)) {
    return DictContains(ts, MappingOf(self).as<DictObject>(), key);
  }
  return Contains(ts, MappingOf(self), key);
}
Result<> proxy_iter(ThreadState& ts, Value self) {
  RecursionGuard guard(ts, "");
  if (!guard) return kRaised;
  return GetIter(ts, MappingOf(self));
}
Result<> proxy_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsExact(a, TypeId::kMappingProxy)) return NotImplemented(ts);
  MVM_TRY(Ref<> mapping, OperandOf(ts, a));
  return Compare(ts, mapping, b, op);
}
Result<int64_t> proxy_hash(ThreadState& ts, Value self) { return Hash(ts, MappingOf(self)); }
Result<> proxy_repr(ThreadState& ts, Value self) {
  return Format(ts, "mappingproxy(%R)", MappingOf(self));
}
Result<> proxy_str(ThreadState& ts, Value self) { return ToStr(ts, MappingOf(self)); }
Result<> proxy_or(ThreadState& ts, Value a, Value b) {
  MVM_TRY(Ref<> left, OperandOf(ts, a));
  MVM_TRY(Ref<> right, OperandOf(ts, b));
  return Binary(ts, BinaryOp::kOr, left, right);
}
Result<> proxy_ior(ThreadState& ts, Value a, Value b) {
  return Raise(ts, Exc::kTypeError, "'|=' is not supported by %T; use '|' instead", a);
}

Result<> proxy_copy(ThreadState& ts, Args args) {
  return CallMethod(ts, MappingOf(args[0]), MVM_NAME(ts, copy));
}
Result<> proxy_get(ThreadState& ts, Args args) {
  const Value pair[] = {args[1], args[2]};
  return CallMethod(ts, MappingOf(args[0]), MVM_NAME(ts, get), pair);
}
Result<> proxy_items(ThreadState& ts, Args args) {
  return CallMethod(ts, MappingOf(args[0]), MVM_NAME(ts, items));
}
Result<> proxy_keys(ThreadState& ts, Args args) {
  return CallMethod(ts, MappingOf(args[0]), MVM_NAME(ts, keys));
}
Result<> proxy_values(ThreadState& ts, Args args) {
  return CallMethod(ts, MappingOf(args[0]), MVM_NAME(ts, values));
}
Result<> proxy_reversed(ThreadState& ts, Args args) {
  return CallMethod(ts, MappingOf(args[0]), MVM_NAME(ts, __reversed__));
}

const MethodSpec kProxyMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem,
     "A generic alias: the class with type arguments.", kMethodClass},
    {"__reversed__(self, /)", proxy_reversed, "An iterator over the keys, the last first."},
    {"copy(self, /)", proxy_copy, "What copy() of the mapping gives."},
    {"get(self, key, default=None, /)", proxy_get,
     "self[key], or the default where there is no such key."},
    {"items(self, /)", proxy_items, "What items() of the mapping gives."},
    {"keys(self, /)", proxy_keys, "What keys() of the mapping gives."},
    {"values(self, /)", proxy_values, "What values() of the mapping gives."},
};

// ---- SimpleNamespace ----

SimpleNamespaceObject* Space(Value v) { return v.as<SimpleNamespaceObject>(); }

Result<> namespace_new(ThreadState& ts, Args args) {
  MVM_TRY(Ref<DictObject> dict, NewDict(ts));
  MVM_TRY(Ref<> self, AllocInstance(ts, args.self<TypeObject>()));
  Space(self)->dict = dict.Release();
  return self;
}

Status CheckKeys(ThreadState& ts, DictObject* d) {
  size_t pos = 0;
  Value key, value;
  while (DictNext(ts, d, &pos, &key, &value)) {
    if (!IsStr(ts, key)) return Raise(ts, Exc::kTypeError, "keywords must be strings");
  }
  return Ok();
}

Result<> namespace_init(ThreadState& ts, Args args) {
  if (args.n > 2) {
    MVM_TRY(Ref<> name, GetAttr(ts, TypeOf(ts, args[0]), MVM_NAME(ts, __name__)));
    return Raise(ts, Exc::kTypeError, "%S expected at most 1 argument, got %u", name.get(),
                 args.n - 1);
  }
  Ref<DictObject> dict = Ref<DictObject>::Borrow(Space(args[0])->dict);
  if (args.n == 2) {
    MVM_TRY(Ref<DictObject> given, NewDict(ts));
    MVM_TRY_VOID(DictUpdate(ts, given, args[1]));
    MVM_TRY_VOID(CheckKeys(ts, given));
    MVM_TRY_VOID(DictUpdate(ts, dict, given));
  }
  for (uint32_t i = 0; i < args.nkw; ++i) {
    Value name = (*args.v[args.n + args.nkw].as<TupleObject>())[i];
    MVM_TRY_VOID(DictSet(ts, dict, name, args.v[args.n + i]));
  }
  return None(ts);
}

Result<> namespace_repr(ThreadState& ts, Value self) {
  StrBuilder b(ts);
  if (IsExact(self, TypeId::kSimpleNamespace)) {
    MVM_TRY_VOID(b.AppendAscii("namespace"));
  } else {
    MVM_TRY(Ref<> name, GetAttr(ts, TypeOf(ts, self), MVM_NAME(ts, __name__)));
    MVM_TRY_VOID(b.Append(name.as<StrObject>()));
  }
  ReprGuard guard(ts, self.object());
  if (guard.inside()) {
    MVM_TRY_VOID(b.AppendAscii("(...)"));
    return b.Finish();
  }
  MVM_TRY_VOID(b.Append('('));
  Ref<DictObject> dict = Ref<DictObject>::Borrow(Space(self)->dict);
  size_t pos = 0, written = 0;
  Value k, v;
  while (DictNext(ts, dict, &pos, &k, &v)) {
    if (!IsStr(ts, k) || k.as<StrObject>()->length == 0) continue;
    Ref<> key = Ref<>::Borrow(k), value = Ref<>::Borrow(v);
    if (written++) MVM_TRY_VOID(b.AppendAscii(", "));
    MVM_TRY_VOID(b.Append(key.as<StrObject>()));
    MVM_TRY_VOID(b.Append('='));
    MVM_TRY(Ref<StrObject> text, Repr(ts, value));
    MVM_TRY_VOID(b.Append(text));
  }
  MVM_TRY_VOID(b.Append(')'));
  return b.Finish();
}

Result<> namespace_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  TypeObject* type = TypeById(ts, TypeId::kSimpleNamespace);
  if (!IsInstance(ts, a, type) || !IsInstance(ts, b, type)) return NotImplemented(ts);
  Ref<> x = Ref<>::Borrow(Space(a)->dict), y = Ref<>::Borrow(Space(b)->dict);
  return Compare(ts, x, y, op);
}

Result<> namespace_reduce(ThreadState& ts, Args args) {
  const Value parts[] = {TypeOf(ts, args[0]), ts.rt->empty_tuple, Space(args[0])->dict};
  return NewTuple(ts, parts);
}

// copy.replace(): an object of the same type with some attributes changed.
Result<> namespace_replace(ThreadState& ts, Args args) {
  if (args.n > 1) return Raise(ts, Exc::kTypeError, "__replace__() takes no positional arguments");
  MVM_TRY(Ref<> copy, Call(ts, TypeOf(ts, args[0])));
  if (!IsInstance(ts, copy, TypeById(ts, TypeId::kSimpleNamespace))) {
    return Raise(ts, Exc::kTypeError, "expect %N type, but %T() returned '%T' object",
                 TypeById(ts, TypeId::kSimpleNamespace), args[0], copy.get());
  }
  Ref<DictObject> dict = Ref<DictObject>::Borrow(Space(copy)->dict);
  MVM_TRY_VOID(DictUpdate(ts, dict, Space(args[0])->dict));
  for (uint32_t i = 0; i < args.nkw; ++i) {
    Value name = (*args.v[args.n + args.nkw].as<TupleObject>())[i];
    MVM_TRY_VOID(DictSet(ts, dict, name, args.v[args.n + i]));
  }
  return copy;
}

Result<> namespace_get_dict(ThreadState& ts, Value self) {
  return Result<>::Borrow(Space(self)->dict);
}
const MethodSpec kNamespaceMethods[] = {
    {"__reduce__(self, /)", namespace_reduce,
     "What pickle and copy need to make the object again."},
    {"__replace__(...)", namespace_replace, "A copy in which the given attributes are others."},
};
const GetSetSpec kNamespaceGetSets[] = {
    {"__dict__", namespace_get_dict, SetReadOnlyMember},
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
constexpr uint16_t kDictOffset = offsetof(SimpleNamespaceObject, dict);
#pragma GCC diagnostic pop

}  // namespace

Result<MappingProxyObject> NewMappingProxy(ThreadState& ts, Value mapping) {
  MVM_TRY(Ref<MappingProxyObject> p, New<MappingProxyObject>(ts, TypeId::kMappingProxy));
  p->mapping = Ref<>::Borrow(mapping).Release();
  Track(p);
  return p;
}

Result<SimpleNamespaceObject> NewSimpleNamespace(ThreadState& ts, DictObject* dict) {
  Ref<DictObject> held = Ref<DictObject>::Borrow(dict);
  if (!held) {
    MVM_TRY(held, NewDict(ts));
  }
  MVM_TRY(Ref<SimpleNamespaceObject> n, New<SimpleNamespaceObject>(ts, TypeId::kSimpleNamespace));
  n->dict = held.Release();
  Track(n);
  return n;
}

extern const TypeSpec kMappingProxyType;
const TypeSpec kMappingProxyType = {
    .name = "mappingproxy",
    .doc = "A mapping seen through a window: it can be read but not changed.",
    .flags = kTypeMapping,
    .size = sizeof(MappingProxyObject),
    .gc = GcHooksOf<MappingProxyObject>(),
    .slots = {.repr = proxy_repr,
              .str = proxy_str,
              .hash = proxy_hash,
              .compare = proxy_compare,
              .iter = proxy_iter,
              .len = proxy_len,
              .get_item = proxy_get_item,
              .contains = proxy_contains,
              .or_ = proxy_or,
              .ior = proxy_ior},
    .construct = {"mappingproxy(mapping)", proxy_new},
    .methods = kProxyMethods,
};
extern const TypeSpec kSimpleNamespaceType;
const TypeSpec kSimpleNamespaceType = {
    .name = "types.SimpleNamespace",
    .doc = "An object for attributes, which repr() shows and == compares.",
    .flags = kTypeBase,
    .size = sizeof(SimpleNamespaceObject),
    .gc = GcHooksOf<SimpleNamespaceObject>(),
    .slots = {.repr = namespace_repr, .compare = namespace_compare},
    .construct = {"SimpleNamespace(...)", namespace_new},
    .init = {"__init__(...)", namespace_init},
    .methods = kNamespaceMethods,
    .getsets = kNamespaceGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = kDictOffset,
};

}  // namespace minivm

// method, classmethod and staticmethod.
#include "runtime/objects/method_object.h"

#include "runtime/core/type_internal.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/raw_args.h"
#include "runtime/support/hash.h"

namespace minivm {

namespace {

BoundMethodObject* Method(Value v) { return v.as<BoundMethodObject>(); }

// Constructors that take exactly `n` positional arguments; args[0] is the class or self.
Status CheckCount(ThreadState& ts, const char* name, Args args, uint32_t n) {
  if (args.nkw) return Raise(ts, Exc::kTypeError, "%s() takes no keyword arguments", name);
  if (args.n - 1 == n) return Ok();
  return Raise(ts, Exc::kTypeError, "%s expected %u argument%s, got %u", name, n, n == 1 ? "" : "s",
               args.n - 1);
}

// ---- bound methods ----

Result<> method_new(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckCount(ts, "method", args, 2));
  if (!IsCallable(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "first argument must be callable");
  if (IsNone(ts, args[2])) return Raise(ts, Exc::kTypeError, "instance must not be None");
  return NewBoundMethod(ts, args[1], args[2]);
}

Result<> method_call(ThreadState& ts, Value self, Args raw) {
  BoundMethodObject* m = Method(self);
  Ref<> function = Ref<>::Borrow(m->function), object = Ref<>::Borrow(m->self);
  ArgsWithFirst args(object, raw);
  if (!args.ok()) return RaiseMemoryError(ts);
  return CallRaw(ts, function, args.args());
}

Result<> method_descr_get(ThreadState& ts, Value self, Value object, Value type) {
  return Result<>::Borrow(self);
}

// Attributes the method does not have are the function's.
Result<> method_getattro(ThreadState& ts, Value self, StrObject* name) {
  TypeObject* type = TypeById(ts, TypeId::kBoundMethod);
  Value attr = TypeLookup(ts, type, name);
  if (attr.is_null()) return GetAttr(ts, Method(self)->function, name);
  if (DescrGetFn get = TypeOf(ts, attr)->slots.descr_get) return get(ts, attr, self, type);
  return Result<>::Borrow(attr);
}

Result<> method_repr(ThreadState& ts, Value self) {
  BoundMethodObject* m = Method(self);
  MVM_TRY(Ref<> name, GetAttrOptional(ts, m->function, MVM_NAME(ts, __qualname__)));
  if (name.is_absent()) {
    MVM_TRY(name, GetAttrOptional(ts, m->function, MVM_NAME(ts, __name__)));
  }
  if (name.is_absent() || !IsStr(ts, name)) return Format(ts, "<bound method ? of %R>", m->self);
  return Format(ts, "<bound method %U of %R>", name.get(), m->self);
}

Result<> method_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if ((op != CompareOp::kEq && op != CompareOp::kNe) || !IsExact(a, TypeId::kBoundMethod) ||
      !IsExact(b, TypeId::kBoundMethod)) {
    return NotImplemented(ts);
  }
  bool equal = Method(a)->self.is(Method(b)->self);
  if (equal) {
    MVM_TRY(equal, EqualValues(ts, Method(a)->function, Method(b)->function));
  }
  return Bool(ts, equal == (op == CompareOp::kEq));
}

Result<int64_t> method_hash(ThreadState& ts, Value self) {
  MVM_TRY(int64_t h, Hash(ts, Method(self)->function));
  h ^= static_cast<int64_t>(HashMix(Method(self)->self.bits()) >> 3);
  return h == -1 ? -2 : h;
}

Result<> method_get_func(ThreadState& ts, Value self) {
  return Result<>::Borrow(Method(self)->function);
}
Result<> method_get_self(ThreadState& ts, Value self) {
  return Result<>::Borrow(Method(self)->self);
}
Result<> method_get_doc(ThreadState& ts, Value self) {
  return GetAttr(ts, Method(self)->function, MVM_NAME(ts, __doc__));
}

Result<> method_reduce(ThreadState& ts, Args args) {
  BoundMethodObject* m = args.self<BoundMethodObject>();
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, "getattr"));
  Ref<> getattr = Ref<>::Borrow(DictGetStr(ts, ts.rt->builtins_dict, key));
  MVM_TRY(Ref<> name, GetAttr(ts, m->function, MVM_NAME(ts, __name__)));
  const Value pair[] = {m->self, name};
  MVM_TRY(Ref<> arguments, NewTuple(ts, pair));
  const Value both[] = {getattr, arguments};
  return NewTuple(ts, both);
}

const GetSetSpec kMethodGetSets[] = {
    {"__doc__", method_get_doc},
    {"__func__", method_get_func, SetReadOnlyMember, "What the method calls."},
    {"__self__", method_get_self, SetReadOnlyMember, "What it passes as the first argument."},
};
const MethodSpec kMethodMethods[] = {
    {"__reduce__(self, /)", method_reduce},
};

// ---- classmethod and staticmethod ----

ClassMethodObject* Wrapper(Value v) { return v.as<ClassMethodObject>(); }

template <TypeId kId>
constexpr const char* kWrapperName = kId == TypeId::kClassMethod ? "classmethod" : "staticmethod";

template <TypeId kId>
Result<> wrapper_new(ThreadState& ts, Args args) {
  return AllocInstance(ts, args.self<TypeObject>());
}

// Takes over what names and documents the function, as functools.wraps does.
Status CopyAttributes(ThreadState& ts, ClassMethodObject* w) {
  for (NameId id : {NameId::k__module__, NameId::k__name__, NameId::k__qualname__, NameId::k__doc__,
                    NameId::k__annotations__}) {
    StrObject* name = ts.rt->names[static_cast<size_t>(id)];
    MVM_TRY(Ref<> v, GetAttrOptional(ts, w->callable, name));
    if (v.is_absent()) continue;
    if (!w->dict) {
      MVM_TRY(Ref<DictObject> d, NewDict(ts));
      w->dict = d.Release();
    }
    MVM_TRY_VOID(DictSetStr(ts, w->dict, name, v));
  }
  return Ok();
}

template <TypeId kId>
Result<> wrapper_init(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckCount(ts, kWrapperName<kId>, args, 1));
  ClassMethodObject* w = args.self<ClassMethodObject>();
  if (w->callable) InvalidateAllTypes(ts);  // call sites may have remembered it
  Ref<> old = Ref<>::Steal(std::exchange(w->callable, Ref<>::Borrow(args[1]).Release()));
  MVM_TRY_VOID(CopyAttributes(ts, w));
  return None(ts);
}

template <TypeId kId>
Raised RaiseUninitialised(ThreadState& ts) {
  return Raise(ts, Exc::kRuntimeError, "uninitialized %s object", kWrapperName<kId>);
}

Result<> classmethod_get(ThreadState& ts, Value self, Value object, Value type) {
  if (!Wrapper(self)->callable) return RaiseUninitialised<TypeId::kClassMethod>(ts);
  if (type.is_null()) type = TypeOf(ts, object);
  return NewBoundMethod(ts, Wrapper(self)->callable, type);
}

Result<> staticmethod_get(ThreadState& ts, Value self, Value object, Value type) {
  if (!Wrapper(self)->callable) return RaiseUninitialised<TypeId::kStaticMethod>(ts);
  return Result<>::Borrow(Wrapper(self)->callable);
}

Result<> staticmethod_call(ThreadState& ts, Value self, Args raw) {
  if (!Wrapper(self)->callable) return RaiseUninitialised<TypeId::kStaticMethod>(ts);
  Ref<> callable = Ref<>::Borrow(Wrapper(self)->callable);
  return CallRaw(ts, callable, raw);
}

template <TypeId kId>
Result<> wrapper_repr(ThreadState& ts, Value self) {
  if (!Wrapper(self)->callable) return RaiseUninitialised<kId>(ts);
  return Format(ts, "<%s(%R)>", kWrapperName<kId>, Wrapper(self)->callable);
}

Result<> wrapper_get_func(ThreadState& ts, Value self) {
  if (!Wrapper(self)->callable) return None(ts);
  return Result<>::Borrow(Wrapper(self)->callable);
}
Result<> wrapper_get_abstract(ThreadState& ts, Value self) {
  if (!Wrapper(self)->callable) return Bool(ts, false);
  MVM_TRY(Ref<> v,
          GetAttrOptional(ts, Wrapper(self)->callable, MVM_NAME(ts, __isabstractmethod__)));
  if (v.is_absent()) return Bool(ts, false);
  MVM_TRY(bool abstract, Truth(ts, v));
  return Bool(ts, abstract);
}

const GetSetSpec kWrapperGetSets[] = {
    {"__func__", wrapper_get_func, SetReadOnlyMember},
    {"__isabstractmethod__", wrapper_get_abstract},
    {"__wrapped__", wrapper_get_func, SetReadOnlyMember},
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
constexpr uint16_t kDictOffset = offsetof(ClassMethodObject, dict);
#pragma GCC diagnostic pop

}  // namespace

Result<BoundMethodObject> NewBoundMethod(ThreadState& ts, Value function, Value self) {
  MVM_TRY(Ref<BoundMethodObject> m, New<BoundMethodObject>(ts, TypeId::kBoundMethod));
  Incref(function);
  Incref(self);
  m->function = function;
  m->self = self;
  Track(m);
  return m;
}

Result<ClassMethodObject> NewClassMethod(ThreadState& ts, Value callable) {
  MVM_TRY(Ref<ClassMethodObject> w, New<ClassMethodObject>(ts, TypeId::kClassMethod));
  w->callable = Ref<>::Borrow(callable).Release();
  Track(w);
  MVM_TRY_VOID(CopyAttributes(ts, w));
  return w;
}

Result<StaticMethodObject> NewStaticMethod(ThreadState& ts, Value callable) {
  MVM_TRY(Ref<StaticMethodObject> w, New<StaticMethodObject>(ts, TypeId::kStaticMethod));
  w->callable = Ref<>::Borrow(callable).Release();
  Track(w);
  // Built-in types are made of these before there is anything to ask for attributes.
  if (IsExact(callable, TypeId::kFunction)) MVM_TRY_VOID(CopyAttributes(ts, w));
  return w;
}

extern const TypeSpec kBoundMethodType;
const TypeSpec kBoundMethodType = {
    .name = "method",
    .doc = "A function together with its first argument.",
    .size = sizeof(BoundMethodObject),
    .gc = GcHooksOf<BoundMethodObject>(),
    .slots = {.repr = method_repr,
              .hash = method_hash,
              .call = method_call,
              .getattro = method_getattro,
              .compare = method_compare,
              .descr_get = method_descr_get},
    .construct = {"method(...)", method_new},
    .methods = kMethodMethods,
    .getsets = kMethodGetSets,
};
extern const TypeSpec kClassMethodType;
const TypeSpec kClassMethodType = {
    .name = "classmethod",
    .doc = "A method that gets the class, not the instance, as its first argument.",
    .flags = kTypeBase,
    .size = sizeof(ClassMethodObject),
    .gc = GcHooksOf<ClassMethodObject>(),
    .slots = {.repr = wrapper_repr<TypeId::kClassMethod>, .descr_get = classmethod_get},
    .construct = {"classmethod(...)", wrapper_new<TypeId::kClassMethod>},
    .init = {"__init__(...)", wrapper_init<TypeId::kClassMethod>},
    .getsets = kWrapperGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = kDictOffset,
};
extern const TypeSpec kStaticMethodType;
const TypeSpec kStaticMethodType = {
    .name = "staticmethod",
    .doc = "A function in a class that gets neither instance nor class.",
    .flags = kTypeBase,
    .size = sizeof(StaticMethodObject),
    .gc = GcHooksOf<StaticMethodObject>(),
    .slots = {.repr = wrapper_repr<TypeId::kStaticMethod>,
              .call = staticmethod_call,
              .descr_get = staticmethod_get},
    .construct = {"staticmethod(...)", wrapper_new<TypeId::kStaticMethod>},
    .init = {"__init__(...)", wrapper_init<TypeId::kStaticMethod>},
    .getsets = kWrapperGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = kDictOffset,
};

}  // namespace minivm

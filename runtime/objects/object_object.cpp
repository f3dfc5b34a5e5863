// The type `object`: what every object can do unless its class knows better.
#include <cstdio>

#include "runtime/core/type_internal.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/object_reduce.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

bool HasArguments(Args raw) { return (raw.n | raw.nkw) != 0; }

Raised RaiseAbstract(ThreadState& ts, TypeObject* cls) {
  MVM_TRY(Ref<> methods, GetAttr(ts, cls, MVM_NAME(ts, __abstractmethods__)));
  MVM_TRY(Ref<ListObject> names, ListFrom(ts, methods));
  MVM_TRY_VOID(ListSort(ts, names, Value(), false));
  MVM_TRY(Ref<StrObject> separator, NewStr(ts, "', '"));
  MVM_TRY(Ref<StrObject> joined, StrJoin(ts, separator, names));
  return Raise(
      ts, Exc::kTypeError,
      "Can't instantiate abstract class %N without an implementation for abstract method%s "
      "'%U'",
      cls, names->size > 1 ? "s" : "", Value(joined));
}

// ---- slots ----

Result<> object_repr(ThreadState& ts, Value self) {
  TypeObject* type = TypeOf(ts, self);
  char address[32];
  std::snprintf(address, sizeof address, "0x%llx", static_cast<unsigned long long>(self.bits()));
  MVM_TRY(Ref<> module, GetAttrOptional(ts, type, MVM_NAME(ts, __module__)));
  if (!module.is_absent() && IsStr(ts, module) &&
      !module.as<StrObject>()->EqualsAscii("builtins")) {
    MVM_TRY(Ref<> qualname, GetAttr(ts, type, MVM_NAME(ts, __qualname__)));
    return Format(ts, "<%U.%S object at %s>", module.get(), qualname.get(), address);
  }
  return Format(ts, "<%N object at %s>", type, address);
}

// What str() makes of it is checked there.
Result<> object_str(ThreadState& ts, Value self) {
  if (IsExact(self, TypeId::kStr)) return Repr(ts, self);
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  TypeObject* type = TypeOf(ts, self);
  MVM_TRY_VOID(TypeReady(ts, type));  // __repr__ functions show its name
  return type->slots.repr(ts, self);
}

Result<int64_t> object_hash(ThreadState& ts, Value self) {
  uint64_t bits = self.bits();
  int64_t h = static_cast<int64_t>(bits >> 4 | bits << 60);
  return h == -1 ? -2 : h;
}

Result<> object_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (op == CompareOp::kEq) return a.is(b) ? Bool(ts, true) : NotImplemented(ts);
  if (op != CompareOp::kNe) return NotImplemented(ts);
  // != is what == says, turned round.
  CompareFn compare = TypeOf(ts, a)->slots.compare;
  if (compare == object_compare) return a.is(b) ? Bool(ts, false) : NotImplemented(ts);
  MVM_TRY(Ref<> equal, compare(ts, a, b, CompareOp::kEq));
  if (IsNotImplemented(ts, equal)) return equal;
  MVM_TRY(bool truth, Truth(ts, equal));
  return Bool(ts, !truth);
}

// ---- methods ----

Result<> object_format(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1])) {
    return Raise(ts, Exc::kTypeError, "__format__() argument must be str, not %T", args[1]);
  }
  if (args.as<StrObject>(1)->length != 0) {
    return Raise(ts, Exc::kTypeError, "unsupported format string passed to %T.__format__", args[0]);
  }
  return ToStr(ts, args[0]);
}

Result<> object_dir(ThreadState& ts, Args args) {
  MVM_TRY(Ref<DictObject> names, NewDict(ts));
  MVM_TRY(Ref<> own, GetAttrOptional(ts, args[0], MVM_NAME(ts, __dict__)));
  if (!own.is_absent() && IsDict(ts, own)) MVM_TRY_VOID(DictUpdate(ts, names, own));
  MVM_TRY(Ref<> cls, GetAttrOptional(ts, args[0], MVM_NAME(ts, __class__)));
  if (!cls.is_absent() && IsType(ts, cls)) {
    MVM_TRY_VOID(TypeReady(ts, cls.as<TypeObject>()));
    Ref<> mro = Ref<>::Borrow(cls.as<TypeObject>()->mro);
    if (!mro) return ListFrom(ts, names);
    for (Value t : mro.as<TupleObject>()->span()) {
      if (t.as<TypeObject>()->dict) {
        MVM_TRY_VOID(DictUpdate(ts, names, t.as<TypeObject>()->dict));
      }
    }
  }
  return ListFrom(ts, names);
}

Result<> object_sizeof(ThreadState& ts, Args args) {
  TypeObject* type = TypeOf(ts, args[0]);
  int64_t size = type->basic_size;
  if (type->item_size && TypeOf(ts, args[0])->slots.len) {
    MVM_TRY(int64_t n, Length(ts, args[0]));
    size += n * type->item_size;
  }
  if (type->storage == AttrStorage::kShape) {
    size += ts.rt->shapes[args[0].object()->shape_id].shape->inline_capacity * sizeof(Value);
  }
  if (type->has_flag(kTypeBytesSubclass)) ++size;  // the NUL at the end
  return Small(size);
}

Result<> object_init_subclass(ThreadState& ts, Args args) {
  if (args.nkw) {
    return Raise(ts, Exc::kTypeError, "%N.__init_subclass__() takes no keyword arguments",
                 args.self<TypeObject>());
  }
  if (args.n > 1) {
    return Raise(ts, Exc::kTypeError, "%N.__init_subclass__() takes no arguments (%u given)",
                 args.self<TypeObject>(), args.n - 1);
  }
  return None(ts);
}

Result<> object_subclasshook(ThreadState& ts, Args args) { return NotImplemented(ts); }

Result<> object_get_class(ThreadState& ts, Value self) {
  return Result<>::Borrow(TypeOf(ts, self));
}

const MethodSpec kMethods[] = {
    {"__dir__(self, /)", object_dir, "The names of the attributes of the object and its class."},
    {"__format__(self, format_spec, /)", object_format, "str(self); a format is a TypeError here."},
    {"__getstate__(self, /)", object_getstate,
     "What copy and pickle take for the contents: the attributes and slots."},
    {"__init_subclass__(...)", object_init_subclass,
     "Runs on the base when a class is derived from it, with the keywords of the class statement.",
     kMethodClass},
    {"__reduce__(self, /)", object_reduce, "What pickle and copy need to make the object again."},
    {"__reduce_ex__(self, protocol, /)", object_reduce_ex,
     "__reduce__() for that pickle protocol."},
    {"__sizeof__(self, /)", object_sizeof,
     "How many bytes the object takes, without what it refers to."},
    {"__subclasshook__(...)", object_subclasshook,
     "What an abstract class says to issubclass(): True, False, or NotImplemented for no opinion.",
     kMethodClass},
};
const GetSetSpec kGetSets[] = {
    {"__class__", object_get_class, SetClass, "The class of the object."},
};

}  // namespace

Result<> ObjectNew(ThreadState& ts, TypeObject* cls, Args raw) {
  if (MVM_UNLIKELY(HasArguments(raw))) {
    if (cls->slots.new_ != ObjectNew) {
      return Raise(ts, Exc::kTypeError,
                   "object.__new__() takes exactly one argument (the type to instantiate)");
    }
    if (cls->slots.init == ObjectInit) {
      return Raise(ts, Exc::kTypeError, "%N() takes no arguments", cls);
    }
  }
  if (MVM_UNLIKELY(cls->has_flag(kTypeAbstract))) return RaiseAbstract(ts, cls);
  return AllocInstance(ts, cls);
}

Status ObjectInit(ThreadState& ts, Value self, Args raw) {
  if (MVM_LIKELY(!HasArguments(raw))) return Ok();
  TypeObject* type = TypeOf(ts, self);
  if (type->slots.init != ObjectInit) {
    return Raise(ts, Exc::kTypeError,
                 "object.__init__() takes exactly one argument (the instance to initialize)");
  }
  if (type->slots.new_ == ObjectNew) {
    return Raise(ts, Exc::kTypeError,
                 "%N.__init__() takes exactly one argument (the instance to initialize)", type);
  }
  return Ok();
}

extern const TypeSpec kObjectType;
const TypeSpec kObjectType = {
    .name = "object",
    .doc = "The base class of all others; its own instances have no attributes.",
    .flags = kTypeBase,
    .size = sizeof(Object),
    .slots = {.repr = object_repr,
              .str = object_str,
              .hash = object_hash,
              .getattro = GenericGetAttr,
              .setattro = GenericSetAttr,
              .compare = object_compare,
              .init = ObjectInit,
              .new_ = ObjectNew},
    .methods = kMethods,
    .getsets = kGetSets,
    .storage = AttrStorage::kNone,
};

}  // namespace minivm

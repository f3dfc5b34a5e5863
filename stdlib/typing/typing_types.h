// What the parts of the native module _typing share: the object behind type variables, type
// aliases, and calls back into typing.
#pragma once

#include <span>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

extern const TypeSpec kTypeVarType;
extern const TypeSpec kParamSpecType;
extern const TypeSpec kTypeVarTupleType;
extern const TypeSpec kParamSpecArgsType;
extern const TypeSpec kParamSpecKwargsType;
extern const TypeSpec kTypeAliasType;
extern const TypeSpec kNoDefaultType;
extern const TypeSpec kGenericType;

// A value that is either known or computed by a function without parameters when it is first asked
// for (the bounds, constraints, defaults and alias values of the type-parameter syntax).
struct LazyValue {
  Value value;    // null: not known
  Value compute;  // null: nothing to compute
  bool present() const { return value || compute; }
  // The value, computed if need be; Absent() without one. `this` is inside `owner`, which is kept
  // alive meanwhile. What the function raises is not remembered.
  Result<> Get(ThreadState& ts, Value owner);
};

// TypeVar, ParamSpec and TypeVarTuple: they differ in which fields mean something.
class TypeParamObject : public Object {
 public:
  DictObject* attributes = nullptr;  // first, see dict_offset
  StrObject* name = nullptr;
  Value module;  // null: made by syntax, shows as "typing"
  LazyValue bound, constraints, default_;
  bool covariant = false, contravariant = false, infer_variance = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(attributes);
    v(name);
    v(module);
    v(bound.value);
    v(bound.compute);
    v(constraints.value);
    v(constraints.compute);
    v(default_.value);
    v(default_.compute);
  }
};

class TypeAliasObject : public Object {
 public:
  StrObject* name = nullptr;
  TupleObject* type_params = nullptr;  // null: none
  LazyValue value;
  Value module;
  template <class V>
  void VisitRefs(V&& v) {
    v(name);
    v(type_params);
    v(value.value);
    v(value.compute);
    v(module);
  }
};

// typing.function(*args)
Result<> CallTyping(ThreadState& ts, std::string_view function, std::span<const Value> args);
// __name__ of the module whose code is running, None without one.
Result<> CallerModule(ThreadState& ts);
// The singleton of that name.
Result<> NoDefault(ThreadState& ts);
// Is it a type variable tuple?
bool IsTypeVarTuple(ThreadState& ts, Value v);
// Does it hold the module-level functions behind the type-parameter syntax (typing_params.cpp)?
extern const Table<MethodSpec> kTypeParamFunctions;
// For attributes that cannot be set.
Status ReadOnlyAttribute(ThreadState& ts, Value self, Value value);
// Replaces an owned field, dropping the old reference last.
inline void SetField(Value& field, Value v) {
  Incref(v);
  Value old = std::exchange(field, v);
  Decref(old);
}

}  // namespace minivm

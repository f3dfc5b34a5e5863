// The function type.
#include "vm/interp/function_object.h"

#include <algorithm>

#include "runtime/objects/cell_object.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/method_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/frame.h"
#include "vm/interp/interpreter.h"

namespace minivm {

namespace {

// globals["__builtins__"] (a module or a mapping), else those of the running frame. Borrowed.
Value BuiltinsOf(ThreadState& ts, DictObject* globals) {
  Value v = DictGetStr(ts, globals, MVM_NAME(ts, __builtins__));
  if (!v.is_null()) {
    if (IsExact(v, TypeId::kModule)) return v.as<ModuleObject>()->dict;
    return v;
  }
  if (ts.base != nullptr) return FunctionOf(ts.base)->builtins;
  return ts.rt->builtins_dict;
}

void Bind(FunctionObject* f, CodeInstance* instance) {
  CodeObject* code = instance->code;
  f->instance = instance;
  f->entry = instance->words;
  // Far parameters are bound in the words from the frame's start on before they move to their list.
  f->frame_size = std::max(code->frame_size, code->param_count);
  f->local_count = code->local_count;
  f->param_count = code->near_param_count;
  const bool simple =
      code->kwonly_count == 0 && !(code->flags & (kCodeVarArgs | kCodeVarKeywords)) &&
      code->near_param_count == code->param_count && code->locals_register == 0xFFFF;
  f->plain_count = simple ? f->param_count : FunctionObject::kNotPlain;
}

FunctionObject* Self(Value v) { return v.as<FunctionObject>(); }

template <class T>
void Assign(T*& field, T* value) {
  if (value != nullptr) Incref(value);
  T* old = std::exchange(field, value);
  if (old != nullptr) Decref(old);
}
void Assign(Value& field, Value value) {
  Incref(value);
  Value old = std::exchange(field, value);
  Decref(old);
}

Result<> function_call(ThreadState& ts, Value self, Args raw) {
  return CallFunction(ts, self, raw);
}

Result<> function_descr_get(ThreadState& ts, Value self, Value object, Value type) {
  if (object.is_null() || IsNone(ts, object)) return Result<>::Borrow(self);
  return NewBoundMethod(ts, self, object);
}

Result<> function_repr(ThreadState& ts, Value self) {
  return Format(ts, "<function %U at 0x%lx>", Value(Self(self)->qualname),
                static_cast<unsigned long>(self.bits()));
}

Result<> function_new(ThreadState& ts, Args args) {
  if (!IsExact(args[1], TypeId::kCode)) {
    return Raise(ts, Exc::kTypeError, "function() argument 'code' must be code, not %T", args[1]);
  }
  if (!IsDict(ts, args[2])) {
    return Raise(ts, Exc::kTypeError, "function() argument 'globals' must be dict, not %T",
                 args[2]);
  }
  CodeObject* code = args.as<CodeObject>(1);
  if (!IsNone(ts, args[3]) && !IsStr(ts, args[3])) {
    return Raise(ts, Exc::kTypeError, "arg 3 (name) must be None or string");
  }
  if (!IsNone(ts, args[4]) && !IsTuple(ts, args[4])) {
    return Raise(ts, Exc::kTypeError, "arg 4 (defaults) must be None or tuple");
  }
  uint32_t free_count = code->freevars->size();
  if (!IsTuple(ts, args[5])) {
    if (free_count > 0 && IsNone(ts, args[5]))
      return Raise(ts, Exc::kTypeError, "arg 5 (closure) must be tuple");
    if (!IsNone(ts, args[5]))
      return Raise(ts, Exc::kTypeError, "arg 5 (closure) must be None or tuple");
  }
  if (!IsNone(ts, args[6]) && !IsDict(ts, args[6])) {
    return Raise(ts, Exc::kTypeError, "arg 6 (kwdefaults) must be None or dict");
  }
  uint32_t given = IsNone(ts, args[5]) ? 0 : args.as<TupleObject>(5)->size();
  if (given != free_count) {
    return Raise(ts, Exc::kValueError, "%U requires closure of length %u, not %u",
                 Value(code->name), free_count, given);
  }
  for (uint32_t i = 0; i < given; ++i) {
    Value cell = args.as<TupleObject>(5)->items()[i];
    if (!IsExact(cell, TypeId::kCell)) {
      return Raise(ts, Exc::kTypeError, "arg 5 (closure) expected cell, found %T", cell);
    }
  }
  MVM_TRY(Ref<FunctionObject> f,
          NewFunction(ts, code, args.as<DictObject>(2), code->locals_register != 0xFFFF));
  if (!IsNone(ts, args[3])) Assign(f->name, args.as<StrObject>(3));
  if (!IsNone(ts, args[4])) Assign(f->defaults, args.as<TupleObject>(4));
  if (given > 0) Assign(f->closure, args.as<TupleObject>(5));
  if (!IsNone(ts, args[6])) Assign(f->kwdefaults, args.as<DictObject>(6));
  return f;
}

Result<> OrNone(ThreadState& ts, Value v) { return v.is_null() ? None(ts) : Result<>::Borrow(v); }

Result<> get_code(ThreadState& ts, Value self) { return Result<>::Borrow(Value(Self(self)->code)); }
Status set_code(ThreadState& ts, Value self, Value v) {
  FunctionObject* f = Self(self);
  if (v.is_null() || !IsExact(v, TypeId::kCode)) {
    return Raise(ts, Exc::kTypeError, "__code__ must be set to a code object");
  }
  CodeObject* code = v.as<CodeObject>();
  uint32_t closure = f->closure != nullptr ? f->closure->size() : 0;
  if (code->freevars->size() != closure) {
    return Raise(ts, Exc::kValueError, "%U() requires a code object with %u free vars, not %u",
                 Value(f->name), closure, code->freevars->size());
  }
  constexpr uint32_t kKind = kCodeGenerator | kCodeCoroutine | kCodeAsyncGenerator;
  if ((code->flags & kKind) != (f->code->flags & kKind)) {
    MVM_TRY_VOID(Warn(ts, Exc::kDeprecationWarning, 1,
                      "Assigning a code object of non-matching type is deprecated "
                      "(e.g., from a generator to a plain function)"));
  }
  MVM_TRY(CodeInstance * instance, BindCode(ts, code, f->globals, f->builtins));
  if (code != f->code) MVM_TRY_VOID(KeepRunningCode(ts, f));
  Assign(f->code, code);
  Bind(f, instance);
  return Ok();
}

Result<> get_defaults(ThreadState& ts, Value self) {
  return OrNone(ts, Value(Self(self)->defaults));
}
Status set_defaults(ThreadState& ts, Value self, Value v) {
  if (v.is_null() || IsNone(ts, v)) {
    Assign(Self(self)->defaults, static_cast<TupleObject*>(nullptr));
  } else if (IsTuple(ts, v)) {
    Assign(Self(self)->defaults, v.as<TupleObject>());
  } else {
    return Raise(ts, Exc::kTypeError, "__defaults__ must be set to a tuple object");
  }
  return Ok();
}

Result<> get_kwdefaults(ThreadState& ts, Value self) {
  return OrNone(ts, Value(Self(self)->kwdefaults));
}
Status set_kwdefaults(ThreadState& ts, Value self, Value v) {
  if (v.is_null() || IsNone(ts, v)) {
    Assign(Self(self)->kwdefaults, static_cast<DictObject*>(nullptr));
  } else if (IsDict(ts, v)) {
    Assign(Self(self)->kwdefaults, v.as<DictObject>());
  } else {
    return Raise(ts, Exc::kTypeError, "__kwdefaults__ must be set to a dict object");
  }
  return Ok();
}

Result<> get_annotations(ThreadState& ts, Value self) {
  FunctionObject* f = Self(self);
  if (f->annotations.is_null()) {
    MVM_TRY(Ref<DictObject> dict, NewDict(ts));
    f->annotations = Value(dict.Release());
  } else if (IsExact(f->annotations, TypeId::kTuple)) {
    // The compiler leaves names and values side by side; the dict is made when asked for.
    Ref<> pairs = Ref<>::Borrow(f->annotations);
    TupleObject* t = pairs.as<TupleObject>();
    MVM_TRY(Ref<DictObject> dict, NewDict(ts, t->size() / 2));
    for (uint32_t i = 0; i + 1 < t->size(); i += 2) {
      MVM_TRY_VOID(DictSet(ts, dict, t->items()[i], t->items()[i + 1]));
    }
    Value old = std::exchange(f->annotations, Value(dict.Release()));
    Decref(old);
  }
  return Result<>::Borrow(f->annotations);
}
Status set_annotations(ThreadState& ts, Value self, Value v) {
  if (!v.is_null() && !IsNone(ts, v) && !IsDict(ts, v)) {
    return Raise(ts, Exc::kTypeError, "__annotations__ must be set to a dict object");
  }
  Assign(Self(self)->annotations, v.is_null() || IsNone(ts, v) ? Value() : v);
  return Ok();
}

Result<> get_name(ThreadState& ts, Value self) { return Result<>::Borrow(Value(Self(self)->name)); }
Status set_name(ThreadState& ts, Value self, Value v) {
  if (v.is_null() || !IsStr(ts, v))
    return Raise(ts, Exc::kTypeError, "__name__ must be set to a string object");
  Assign(Self(self)->name, v.as<StrObject>());
  return Ok();
}
Result<> get_qualname(ThreadState& ts, Value self) {
  return Result<>::Borrow(Value(Self(self)->qualname));
}
Status set_qualname(ThreadState& ts, Value self, Value v) {
  if (v.is_null() || !IsStr(ts, v)) {
    return Raise(ts, Exc::kTypeError, "__qualname__ must be set to a string object");
  }
  Assign(Self(self)->qualname, v.as<StrObject>());
  return Ok();
}
Result<> get_doc(ThreadState& ts, Value self) {
  FunctionObject* f = Self(self);
  return OrNone(ts, f->doc.is_null() ? f->code->doc : f->doc);
}
Status set_doc(ThreadState& ts, Value self, Value v) {
  Assign(Self(self)->doc, v.is_null() ? Value(ts.rt->none) : v);
  return Ok();
}
Result<> get_module(ThreadState& ts, Value self) { return OrNone(ts, Self(self)->module); }
Status set_module(ThreadState& ts, Value self, Value v) {
  Assign(Self(self)->module, v.is_null() ? Value(ts.rt->none) : v);
  return Ok();
}
Result<> get_globals(ThreadState& ts, Value self) {
  return Result<>::Borrow(Value(Self(self)->globals));
}
Result<> get_builtins(ThreadState& ts, Value self) {
  return Result<>::Borrow(Self(self)->builtins);
}
Result<> get_closure(ThreadState& ts, Value self) { return OrNone(ts, Value(Self(self)->closure)); }
Result<> get_type_params(ThreadState& ts, Value self) {
  Value v = Self(self)->type_params;
  return Result<>::Borrow(v.is_null() ? Value(ts.rt->empty_tuple) : v);
}
Status set_type_params(ThreadState& ts, Value self, Value v) {
  if (v.is_null() || !IsTuple(ts, v)) {
    return Raise(ts, Exc::kTypeError, "__type_params__ must be set to a tuple");
  }
  Assign(Self(self)->type_params, v);
  return Ok();
}
Result<> get_dict(ThreadState& ts, Value self) { return InstanceDict(ts, self); }
Status set_dict(ThreadState& ts, Value self, Value v) { return SetInstanceDict(ts, self, v); }

const GetSetSpec kFunctionGetSets[] = {
    {"__annotations__", get_annotations, set_annotations},
    {"__builtins__", get_builtins, SetReadOnlyMember},
    {"__closure__", get_closure, SetReadOnlyMember},
    {"__code__", get_code, set_code},
    {"__defaults__", get_defaults, set_defaults},
    {"__dict__", get_dict, set_dict},
    {"__doc__", get_doc, set_doc},
    {"__globals__", get_globals, SetReadOnlyMember},
    {"__kwdefaults__", get_kwdefaults, set_kwdefaults},
    {"__module__", get_module, set_module},
    {"__name__", get_name, set_name},
    {"__qualname__", get_qualname, set_qualname},
    {"__type_params__", get_type_params, set_type_params},
};

}  // namespace

const TypeSpec kFunctionType = {
    .name = "function",
    .doc = "Code together with the globals, defaults and closure that it runs with.",
    .flags = kTypeMethodDescriptor,
    .size = sizeof(FunctionObject),
    .gc = GcHooksOf<FunctionObject>(),
    .slots = {.repr = function_repr, .call = function_call, .descr_get = function_descr_get},
    .construct = {"function(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)",
                  function_new},
    .getsets = kFunctionGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = offsetof(FunctionObject, dict),
};

Result<FunctionObject> NewFunction(ThreadState& ts, CodeObject* code, DictObject* globals,
                                   bool names_are_globals) {
  if (globals->storage != DictStorage::kCelled) MVM_TRY_VOID(DictMakeCelled(ts, globals));
  const Value builtins = BuiltinsOf(ts, globals);
  MVM_TRY(CodeInstance * instance, BindCode(ts, code, globals, builtins, names_are_globals));
  MVM_TRY(Ref<FunctionObject> f, New<FunctionObject>(ts, TypeId::kFunction));
  f->code = Ref<CodeObject>::Borrow(code).Release();
  f->globals = Ref<DictObject>::Borrow(globals).Release();
  f->builtins = Ref<>::Borrow(builtins).Release();
  f->name = Ref<StrObject>::Borrow(code->name).Release();
  f->qualname = Ref<StrObject>::Borrow(code->qualname).Release();
  Value module = DictGetStr(ts, globals, MVM_NAME(ts, __name__));
  Incref(module);
  f->module = module;
  Bind(f.get(), instance);
  Track(f.get());
  return f;
}

}  // namespace minivm

// C++ functions as script objects.
#include <cstddef>
#include <exception>
#include <new>
#include <utility>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/embed/internals.h"

namespace minivm {

namespace {

class HostFunctionObject : public Object {
 public:
  static constexpr bool kNeverInCycle = true;
  StrObject* name = nullptr;
  HostFunction* function = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(name);
  }
  void FreeBuffers(Heap&) {
    delete function;
    function = nullptr;
  }
};

Result<> host_call(ThreadState& ts, Value self, Args raw) {
  HostFunctionObject* f = self.as<HostFunctionObject>();
  if (raw.nkw > 0)
    return Raise(ts, Exc::kTypeError, "%U() takes no keyword arguments", Value(f->name));
  VmInternals* vm = static_cast<Vm*>(ts.rt->vm)->internals();
  return vm->CallHost(ts, *f->function, raw);
}

Result<> host_repr(ThreadState& ts, Value self) {
  return Format(ts, "<host function %U>", Value(self.as<HostFunctionObject>()->name));
}
Result<> host_get_name(ThreadState& ts, Value self) {
  return Result<>::Borrow(Value(self.as<HostFunctionObject>()->name));
}

const GetSetSpec kHostGetSets[] = {{"__name__", host_get_name}, {"__qualname__", host_get_name}};

const TypeSpec kHostFunctionType = {
    .name = "host_function",
    .doc = "A function of the program that embeds the VM.",
    .flags = kTypeNoNew,
    .size = sizeof(HostFunctionObject),
    .gc = LeafHooksOf<HostFunctionObject>(),
    .slots = {.repr = host_repr, .call = host_call},
    .getsets = kHostGetSets,
};

// Built-in exception type by name; RuntimeError for unknown names.
Exc ExceptionByName(std::string_view name) {
  static constexpr std::string_view kNames[] = {
#define EXC(name, base, layout) #name,
#include "runtime/core/exceptions.def"
#undef EXC
  };
  for (size_t i = 0; i < kExcCount; ++i) {
    if (kNames[i] == name) return static_cast<Exc>(i);
  }
  return Exc::kRuntimeError;
}

}  // namespace

Result<> NewHostFunction(ThreadState& ts, std::string_view name, HostFunction function) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kHostFunctionType));
  MVM_TRY(Ref<HostFunctionObject> f, New<HostFunctionObject>(ts, type->shape_id_exact));
  MVM_TRY(Ref<StrObject> text, NewStrFromOs(ts, name));
  f->name = text.Release();
  f->function = new (std::nothrow) HostFunction(std::move(function));
  if (f->function == nullptr) return RaiseMemoryError(ts);
  return f;
}

Result<> VmInternals::RunHost(ThreadState& ts, const HostFunction& function, Args args) {
  try {
    std::vector<Var> values;
    values.reserve(args.n);
    for (uint32_t i = 0; i < args.n; ++i) values.push_back(Wrap(Ref<>::Borrow(args[i])));
    HostCall call(*vm, std::move(values));
    Var result = function(call);
    if (!call.error_type_.empty()) {
      MVM_TRY(Ref<StrObject> message, NewStrFromOs(ts, call.error_message_));
      return RaiseValue(ts, ExceptionByName(call.error_type_), message);
    }
    if (!result && last_error) {
      RestorePending(ts, std::exchange(last_error, Ref<>()));
      return kRaised;
    }
    return Result<>::Borrow(Use(result));
  } catch (const std::bad_alloc&) {
    return RaiseMemoryError(ts);
  } catch (const std::exception& e) {
    return Raise(ts, Exc::kRuntimeError, "host function failed: %s", e.what());
  } catch (...) {
    return Raise(ts, Exc::kRuntimeError, "host function failed: unknown C++ exception");
  }
}

Result<> VmInternals::CallHost(ThreadState& ts, const HostFunction& function, Args args) {
  RecursionGuard guard(ts, " while calling a host function");
  if (!guard) return kRaised;
  Ref<> outer = std::exchange(last_error, Ref<>());
  Result<> result = RunHost(ts, function, args);
  Ref<> left = std::exchange(last_error, std::move(outer));
  return result;
}

Var HostCall::Raise(std::string_view type, std::string_view message) {
  error_type_ = type;
  error_message_ = message;
  return Var();
}

}  // namespace minivm

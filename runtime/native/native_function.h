// Native functions and descriptors, and the binding of arguments by signature text.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

// A signature text, parsed once per VM and shared by the objects made from the spec.
// Parameters in order; kwonly from kwonly_start on; `*args` at var_positional, `**kw` at
// var_keyword (indices into the bound vector, -1 if absent).
struct Signature {
  bool raw = false;              // "name(...)"
  uint8_t count = 0;             // entries of the bound vector, self included
  uint8_t positional_only = 0;   // parameters [0, positional_only)
  uint8_t positional = 0;        // parameters that positional arguments may fill
  uint8_t required = 0;          // leading parameters without default (positional ones)
  int8_t var_positional = -1;
  int8_t var_keyword = -1;
  StrObject** names = nullptr;   // owned, interned; count entries
  Value* defaults = nullptr;     // owned; Absent() = passed on as absent, null = required
  const char* function_name = nullptr;  // within the spec's text; name_length bytes
  uint8_t name_length = 0;
};

// The parsed signature of a spec; null with an exception pending if out of memory.
Result<const Signature*> SignatureOf(ThreadState& ts, const MethodSpec& spec);

// Binds raw arguments to out[0..sig.count) (borrowed words; tuples and dicts made for *args/**kw go
// to `owned`, at most two). TypeErrors as CPython words them for natives.
Status BindNative(ThreadState& ts, const Signature& sig, Args raw, Value* out, Ref<>* owned);

// builtin_function_or_method; `self` is the module, class or receiver, or null.
class NativeFunctionObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kNativeFunction;
  // aux: version, for call-site caches (R2)
  const MethodSpec* spec = nullptr;
  const Signature* signature = nullptr;
  NativeFn fn = nullptr;
  Value self;        // bound receiver (prepended), or null
  StrObject* module = nullptr;
  bool prepend_self = false;
  template <class V>
  void VisitRefs(V&& v) { v(self); v(module); }
};

// Method of a built-in type, found in its dictionary; wants a receiver of owner's type.
class MethodDescriptorObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kMethodDescriptor;
  // aux: version
  const MethodSpec* spec = nullptr;
  const Signature* signature = nullptr;
  NativeFn fn = nullptr;
  TypeObject* owner = nullptr;
  template <class V>
  void VisitRefs(V&& v) { v(owner); }
};

Result<NativeFunctionObject> NewNativeFunction(ThreadState& ts, const MethodSpec& spec, Value self,
                                               bool prepend_self, StrObject* module);
Result<MethodDescriptorObject> NewMethodDescriptor(ThreadState& ts, const MethodSpec& spec,
                                                   TypeObject* owner);
// Calls a native with raw arguments: binds, calls. Both kinds use it.
Result<> CallNative(ThreadState& ts, const Signature& sig, NativeFn fn, Args raw);

}  // namespace minivm

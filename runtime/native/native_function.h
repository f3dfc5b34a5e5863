// Native functions and descriptors, and the binding of arguments by signature text.
//
// A signature is parsed at the first call of a native, not when the object is made: most natives of
// a program are never called.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

// A signature text, parsed once per VM and shared by the objects made from the spec.
// Parameters in order; kwonly from `positional` on (behind *args); `*args` at var_positional,
// `**kw` at var_keyword (indices into the bound vector, -1 if absent).
struct Signature {
  bool raw = false;             // "name(...)"
  bool plain = true;            // no *args, **kw or keyword-only parameters
  bool has_self = false;        // the first parameter is the receiver or the class
  bool constructor = false;     // of a type: messages differ
  uint8_t count = 0;            // entries of the bound vector, self included
  uint8_t positional_only = 0;  // parameters [0, positional_only)
  uint8_t positional = 0;       // parameters that positional arguments may fill
  uint8_t required = 0;         // leading parameters without default (positional ones)
  int8_t var_positional = -1;
  int8_t var_keyword = -1;
  StrObject** names = nullptr;          // owned, interned; count entries
  Value* defaults = nullptr;            // owned; Absent() = passed on as absent, null = required
  const char* function_name = nullptr;  // within the spec's text; name_length bytes
  uint8_t name_length = 0;
  const char* owner = nullptr;  // static: type or module of the function, for messages; may be null
};

// The parsed signature of a spec. `owner` as in Signature, from the first caller who knows.
// MemoryError; SystemError if the text is malformed.
Result<const Signature*> SignatureOf(ThreadState& ts, const MethodSpec& spec,
                                     const char* owner = nullptr);
// The same for a TypeSpec's construct or init (whose errors name the type).
Result<const Signature*> ConstructorSignature(ThreadState& ts, const MethodSpec& spec,
                                              const TypeSpec& type);

// Binds raw arguments to out[0..sig.count) (borrowed words; tuples and dicts made for *args/**kw go
// to `owned`, at most two). TypeErrors as CPython words them for natives.
Status BindNative(ThreadState& ts, const Signature& sig, Args raw, Value* out, Ref<>* owned);
// With a value to stand before the positional arguments unless it is null.
Status BindNative(ThreadState& ts, const Signature& sig, Value first, Args raw, Value* out,
                  Ref<>* owned);

// builtin_function_or_method; `self` is the module, class or receiver, or null.
class NativeFunctionObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kNativeFunction;
  // aux: version, what call-site caches compare (docs/decisions/002)
  const MethodSpec* spec = nullptr;
  const Signature* signature = nullptr;  // null until the first call: SignatureFor()
  NativeFn fn = nullptr;
  Value self;  // bound receiver (prepended), or module, class, null
  StrObject* module = nullptr;
  bool prepend_self = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(self);
    v(module);
  }
};

// Method of a built-in type, found in its dictionary; wants a receiver of owner's type. Class
// methods (kClassMethodDescriptor) have the same layout and want a class.
class MethodDescriptorObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kMethodDescriptor;
  // aux: version
  const MethodSpec* spec = nullptr;
  const Signature* signature = nullptr;  // null until the first call: SignatureFor()
  NativeFn fn = nullptr;
  TypeObject* owner = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(owner);
  }
};

Result<NativeFunctionObject> NewNativeFunction(ThreadState& ts, const MethodSpec& spec, Value self,
                                               bool prepend_self, StrObject* module);
Result<MethodDescriptorObject> NewMethodDescriptor(ThreadState& ts, const MethodSpec& spec,
                                                   TypeObject* owner);
Result<MethodDescriptorObject> NewClassMethodDescriptor(ThreadState& ts, const MethodSpec& spec,
                                                        TypeObject* owner);
// Calls a native with raw arguments: binds, calls. Both kinds use it. A non-null `first` stands
// before the arguments.
Result<> CallNative(ThreadState& ts, const Signature& sig, NativeFn fn, Args raw,
                    Value first = Value());

Result<const Signature*> SignatureForSlow(ThreadState& ts, NativeFunctionObject* f);
Result<const Signature*> SignatureForSlow(ThreadState& ts, MethodDescriptorObject* d);
// The signature of a NativeFunctionObject or MethodDescriptorObject, parsed now if it was not.
template <class T>
inline Result<const Signature*> SignatureFor(ThreadState& ts, T* f) {
  if (MVM_LIKELY(f->signature != nullptr)) return f->signature;
  return SignatureForSlow(ts, f);
}

}  // namespace minivm

// Native functions and the descriptors of native methods, as objects of the language.
//
// A call whose arguments match the parameters one to one passes the caller's words on; everything
// else is bound into a small array first.
#include "runtime/native/native_function.h"

#include <cstring>
#include <string>

#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/hash.h"

namespace minivm {

namespace {

constexpr uint32_t kSmallFrame = 16;

std::string_view NameOf(const MethodSpec* spec) {
  const char* open = std::strchr(spec->signature, '(');
  return {spec->signature,
          open ? static_cast<size_t>(open - spec->signature) : std::strlen(spec->signature)};
}
int NameSize(const MethodSpec* spec) { return static_cast<int>(NameOf(spec).size()); }

Result<> CallChecked(ThreadState& ts, NativeFn fn, Args args) {
  MVM_DCHECK(!ts.HasPending(), "a native is called with an exception pending");
  Result<> r = fn(ts, args);
  MVM_DCHECK(r.raised() == ts.HasPending(), "a native's result and the pending exception disagree");
  return r;
}

// Binds into `bound`, calls, drops what the binding made.
Result<> BindAndCall(ThreadState& ts, const Signature& sig, NativeFn fn, Value first, Args raw,
                     Value* bound) {
  Ref<> owned[2];
  MVM_TRY_VOID(BindNative(ts, sig, first, raw, bound, owned));
  return CallChecked(ts, fn, {bound, sig.count});
}

Result<> CallRawWith(ThreadState& ts, NativeFn fn, Value first, Args raw, Value* words) {
  size_t given = raw.n + raw.nkw + (raw.nkw ? 1 : 0);
  words[0] = first;
  std::memcpy(static_cast<void*>(words + 1), raw.v, given * sizeof(Value));
  return CallChecked(ts, fn, {words, raw.n + 1, raw.nkw});
}

}  // namespace

Result<> CallNative(ThreadState& ts, const Signature& sig, NativeFn fn, Args raw, Value first) {
  if (first.is_null()) {
    if (sig.raw) return CallChecked(ts, fn, raw);
    // The exact count: nothing to copy.
    if (MVM_LIKELY(raw.nkw == 0 && sig.plain && raw.n == sig.count))
      return CallChecked(ts, fn, raw);
  }
  // Positional arguments, and defaults behind them.
  const uint32_t given = raw.n + (first.is_null() ? 0 : 1);
  if (MVM_LIKELY(raw.nkw == 0 && sig.plain && !sig.raw && given >= sig.required &&
                 given <= sig.count && sig.count <= kSmallFrame)) {
    Value frame[kSmallFrame];
    Value* out = frame;
    if (!first.is_null()) *out++ = first;
    for (uint32_t i = 0; i < raw.n; ++i) *out++ = raw.v[i];
    for (uint32_t i = given; i < sig.count; ++i) *out++ = sig.defaults[i];
    return CallChecked(ts, fn, {frame, sig.count});
  }
  size_t words = sig.raw ? size_t{raw.n} + raw.nkw + 2 : sig.count;
  if (MVM_LIKELY(words <= kSmallFrame)) {
    Value frame[kSmallFrame];
    return sig.raw ? CallRawWith(ts, fn, first, raw, frame)
                   : BindAndCall(ts, sig, fn, first, raw, frame);
  }
  MVM_TRY(void* buffer, AllocBuffer(ts, words * sizeof(Value)));
  Value* frame = static_cast<Value*>(buffer);
  Result<> r = sig.raw ? CallRawWith(ts, fn, first, raw, frame)
                       : BindAndCall(ts, sig, fn, first, raw, frame);
  ts.heap().FreeBuffer(buffer, words * sizeof(Value));
  return r;
}

Result<NativeFunctionObject> NewNativeFunction(ThreadState& ts, const MethodSpec& spec, Value self,
                                               bool prepend_self, StrObject* module) {
  MVM_TRY(Ref<NativeFunctionObject> f, New<NativeFunctionObject>(ts, TypeId::kNativeFunction));
  f->spec = &spec;
  f->fn = spec.fn;
  f->signature = nullptr;
  f->self = self;
  f->module = module;
  f->prepend_self = prepend_self;
  Incref(self);
  if (module) Incref(module);
  Track(f);
  return f;
}

namespace {

Result<MethodDescriptorObject> NewDescriptor(ThreadState& ts, TypeId id, const MethodSpec& spec,
                                             TypeObject* owner) {
  MVM_TRY(Ref<MethodDescriptorObject> d, New<MethodDescriptorObject>(ts, id));
  d->spec = &spec;
  d->fn = spec.fn;
  d->owner = owner;
  Incref(owner);
  Track(d);
  return d;
}

}  // namespace

Result<MethodDescriptorObject> NewMethodDescriptor(ThreadState& ts, const MethodSpec& spec,
                                                   TypeObject* owner) {
  return NewDescriptor(ts, TypeId::kMethodDescriptor, spec, owner);
}
Result<MethodDescriptorObject> NewClassMethodDescriptor(ThreadState& ts, const MethodSpec& spec,
                                                        TypeObject* owner) {
  return NewDescriptor(ts, TypeId::kClassMethodDescriptor, spec, owner);
}

Result<const Signature*> SignatureForSlow(ThreadState& ts, NativeFunctionObject* f) {
  // The owner shows in messages: the module's name, or the receiver's type.
  const char* owner = nullptr;
  if (IsExact(f->self, TypeId::kModule)) {
    const ModuleSpec* module = f->self.as<ModuleObject>()->spec;
    owner = module ? module->name : nullptr;
  } else if (!f->self.is_null()) {
    bool of_class = IsType(ts, f->self);
    owner = (of_class ? f->self.as<TypeObject>() : TypeOf(ts, f->self))->spec->name;
  }
  MVM_TRY(const Signature* sig, SignatureOf(ts, *f->spec, owner));
  f->signature = sig;
  return sig;
}

Result<const Signature*> SignatureForSlow(ThreadState& ts, MethodDescriptorObject* d) {
  MVM_TRY(const Signature* sig, SignatureOf(ts, *d->spec, d->owner->spec->name));
  d->signature = sig;
  return sig;
}

namespace {

// "($self, object, /)" from "append(self, object, /)"; None for raw natives.
// Methods of object and type that take arguments as they come, but have a signature.
constexpr std::pair<std::string_view, std::string_view> kSignaturesOfRaw[] = {
    {"__new__", "($type, *args, **kwargs)"},
    {"__init_subclass__", "($type, /)"},
    {"__subclasshook__", "($type, object, /)"},
    {"__prepare__", "($cls, name, bases, /, **kwds)"},
};

Result<> TextSignature(ThreadState& ts, const MethodSpec* spec, bool of_module) {
  std::string_view text(spec->signature);
  size_t open = text.find('(');
  size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos) return None(ts);
  std::string_view inner = text.substr(open + 1, close - open - 1);
  if (inner == "...") {
    for (const auto& [name, signature] : kSignaturesOfRaw) {
      if (name == text.substr(0, open)) return NewStr(ts, signature);
    }
    return None(ts);
  }
  std::string out = "(";
  if (inner.substr(0, 4) == "self") {
    out += "$self";
    inner.remove_prefix(4);
  } else if (inner.substr(0, 3) == "cls") {
    out += "$type";
    inner.remove_prefix(3);
  } else if (of_module) {
    out += "$module";
    if (inner.find('/') == std::string_view::npos) out += ", /";
    if (!inner.empty()) out += ", ";
  }
  out += inner;
  out += ")";
  return NewStr(ts, out);
}

Result<> DocOf(ThreadState& ts, const MethodSpec* spec) {
  if (!spec->doc) return None(ts);
  return NewStr(ts, spec->doc);
}

// (getattr, (object, name)): how bound natives are pickled.
Result<> GetattrReduction(ThreadState& ts, Value object, const MethodSpec* spec) {
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, "getattr"));
  Value getattr = ts.rt->builtins_dict ? DictGetStr(ts, ts.rt->builtins_dict, key) : Value();
  if (getattr.is_null()) return Raise(ts, Exc::kRuntimeError, "lost builtins.getattr");
  MVM_TRY(Ref<StrObject> name, NewStr(ts, NameOf(spec)));
  Value pair[] = {object, name};
  MVM_TRY(Ref<TupleObject> args, NewTuple(ts, pair));
  Value parts[] = {getattr, args};
  return NewTuple(ts, parts);
}

// ---- builtin_function_or_method ----

bool HasReceiver(const NativeFunctionObject* f) {
  return !f->self.is_null() && !IsExact(f->self, TypeId::kModule);
}

Result<> native_function_call(ThreadState& ts, Value self, Args raw) {
  NativeFunctionObject* f = self.as<NativeFunctionObject>();
  MVM_TRY(const Signature* sig, SignatureFor(ts, f));
  return CallNative(ts, *sig, f->fn, raw, f->prepend_self ? f->self : Value());
}

Result<> native_function_repr(ThreadState& ts, Value self) {
  NativeFunctionObject* f = self.as<NativeFunctionObject>();
  if (!HasReceiver(f)) {
    return Format(ts, "<built-in function %.*s>", NameSize(f->spec), f->spec->signature);
  }
  return Format(ts, "<built-in method %.*s of %T object at %p>", NameSize(f->spec),
                f->spec->signature, f->self, reinterpret_cast<void*>(f->self.bits()));
}

Result<int64_t> native_function_hash(ThreadState& ts, Value self) {
  NativeFunctionObject* f = self.as<NativeFunctionObject>();
  int64_t h = HashPointer(reinterpret_cast<const void*>(f->self.bits())) ^
              HashPointer(reinterpret_cast<const void*>(f->fn));
  return h == -1 ? -2 : h;
}

Result<> native_function_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if ((op != CompareOp::kEq && op != CompareOp::kNe) || !IsExact(a, TypeId::kNativeFunction) ||
      !IsExact(b, TypeId::kNativeFunction)) {
    return NotImplemented(ts);
  }
  NativeFunctionObject* x = a.as<NativeFunctionObject>();
  NativeFunctionObject* y = b.as<NativeFunctionObject>();
  bool equal = x->self.is(y->self) && x->fn == y->fn;
  return Bool(ts, equal == (op == CompareOp::kEq));
}

Result<> native_function_get_name(ThreadState& ts, Value self) {
  return NewStr(ts, NameOf(self.as<NativeFunctionObject>()->spec));
}
Result<> native_function_get_qualname(ThreadState& ts, Value self) {
  NativeFunctionObject* f = self.as<NativeFunctionObject>();
  if (!HasReceiver(f)) return native_function_get_name(ts, self);
  Value type = IsType(ts, f->self) ? f->self : Value(TypeOf(ts, f->self));
  MVM_TRY(Ref<> owner, GetAttr(ts, type, MVM_NAME(ts, __qualname__)));
  return Format(ts, "%S.%.*s", owner.get(), NameSize(f->spec), f->spec->signature);
}
Result<> native_function_get_self(ThreadState& ts, Value self) {
  Value receiver = self.as<NativeFunctionObject>()->self;
  return Result<>::Borrow(receiver.is_null() ? Value(ts.rt->none) : receiver);
}
Result<> native_function_get_module(ThreadState& ts, Value self) {
  StrObject* module = self.as<NativeFunctionObject>()->module;
  return Result<>::Borrow(module ? Value(module) : Value(ts.rt->none));
}
Status native_function_set_module(ThreadState& ts, Value self, Value value) {
  NativeFunctionObject* f = self.as<NativeFunctionObject>();
  StrObject* module = nullptr;
  if (!value.is_null() && !IsNone(ts, value)) {
    MVM_TRY(module, ExpectStr(ts, value, "__module__"));
    Incref(module);
  }
  Ref<StrObject> old = Ref<StrObject>::Steal(std::exchange(f->module, module));
  return Ok();
}
Result<> native_function_get_doc(ThreadState& ts, Value self) {
  return DocOf(ts, self.as<NativeFunctionObject>()->spec);
}
Result<> native_function_get_text_signature(ThreadState& ts, Value self) {
  NativeFunctionObject* f = self.as<NativeFunctionObject>();
  return TextSignature(ts, f->spec, IsExact(f->self, TypeId::kModule));
}
Result<> native_function_reduce(ThreadState& ts, Args args) {
  NativeFunctionObject* f = args.self<NativeFunctionObject>();
  if (!HasReceiver(f)) return native_function_get_name(ts, f);
  return GetattrReduction(ts, f->self, f->spec);
}

const MethodSpec kNativeFunctionMethods[] = {
    {"__reduce__(self, /)", native_function_reduce},
};
const GetSetSpec kNativeFunctionGetSets[] = {
    {"__doc__", native_function_get_doc},
    {"__module__", native_function_get_module, native_function_set_module},
    {"__name__", native_function_get_name},
    {"__qualname__", native_function_get_qualname},
    {"__self__", native_function_get_self},
    {"__text_signature__", native_function_get_text_signature},
};

// ---- method_descriptor ----

Raised RaiseWrongReceiver(ThreadState& ts, const MethodDescriptorObject* d, Value object) {
  return Raise(ts, Exc::kTypeError,
               "descriptor '%.*s' for '%N' objects doesn't apply to a '%T' object",
               NameSize(d->spec), d->spec->signature, d->owner, object);
}

Result<> method_descriptor_call(ThreadState& ts, Value self, Args raw) {
  MethodDescriptorObject* d = self.as<MethodDescriptorObject>();
  if (MVM_UNLIKELY(raw.n == 0)) {
    return Raise(ts, Exc::kTypeError, "unbound method %N.%.*s() needs an argument", d->owner,
                 NameSize(d->spec), d->spec->signature);
  }
  if (MVM_UNLIKELY(!IsInstance(ts, raw.v[0], d->owner))) return RaiseWrongReceiver(ts, d, raw.v[0]);
  MVM_TRY(const Signature* sig, SignatureFor(ts, d));
  return CallNative(ts, *sig, d->fn, raw);
}

Result<> method_descriptor_get(ThreadState& ts, Value self, Value object, Value type) {
  MethodDescriptorObject* d = self.as<MethodDescriptorObject>();
  if (object.is_null()) return Result<>::Borrow(self);
  if (!IsInstance(ts, object, d->owner)) return RaiseWrongReceiver(ts, d, object);
  return NewNativeFunction(ts, *d->spec, object, true, nullptr);
}

Result<> method_descriptor_repr(ThreadState& ts, Value self) {
  MethodDescriptorObject* d = self.as<MethodDescriptorObject>();
  return Format(ts, "<method '%.*s' of '%N' objects>", NameSize(d->spec), d->spec->signature,
                d->owner);
}

Result<> method_descriptor_get_name(ThreadState& ts, Value self) {
  return NewStr(ts, NameOf(self.as<MethodDescriptorObject>()->spec));
}
Result<> method_descriptor_get_qualname(ThreadState& ts, Value self) {
  MethodDescriptorObject* d = self.as<MethodDescriptorObject>();
  MVM_TRY(Ref<> owner, GetAttr(ts, d->owner, MVM_NAME(ts, __qualname__)));
  return Format(ts, "%S.%.*s", owner.get(), NameSize(d->spec), d->spec->signature);
}
Result<> method_descriptor_get_owner(ThreadState& ts, Value self) {
  return Result<>::Borrow(self.as<MethodDescriptorObject>()->owner);
}
Result<> method_descriptor_get_doc(ThreadState& ts, Value self) {
  return DocOf(ts, self.as<MethodDescriptorObject>()->spec);
}
Result<> method_descriptor_get_text_signature(ThreadState& ts, Value self) {
  return TextSignature(ts, self.as<MethodDescriptorObject>()->spec, false);
}
Result<> method_descriptor_reduce(ThreadState& ts, Args args) {
  MethodDescriptorObject* d = args.self<MethodDescriptorObject>();
  return GetattrReduction(ts, d->owner, d->spec);
}

const MethodSpec kMethodDescriptorMethods[] = {
    {"__reduce__(self, /)", method_descriptor_reduce},
};
const GetSetSpec kMethodDescriptorGetSets[] = {
    {"__doc__", method_descriptor_get_doc},
    {"__name__", method_descriptor_get_name, SetReadOnlyMember},
    {"__objclass__", method_descriptor_get_owner, SetReadOnlyMember},
    {"__qualname__", method_descriptor_get_qualname},
    {"__text_signature__", method_descriptor_get_text_signature},
};

// ---- classmethod_descriptor ----

Status CheckClass(ThreadState& ts, const MethodDescriptorObject* d, Value cls) {
  if (!IsType(ts, cls)) {
    return Raise(ts, Exc::kTypeError,
                 "descriptor '%.*s' for type '%N' needs a type, not a '%T' as arg 2",
                 NameSize(d->spec), d->spec->signature, d->owner, cls);
  }
  if (!IsSubtype(cls.as<TypeObject>(), d->owner)) {
    return Raise(ts, Exc::kTypeError,
                 "descriptor '%.*s' requires a subtype of '%N' but received '%N'",
                 NameSize(d->spec), d->spec->signature, d->owner, cls.as<TypeObject>());
  }
  return Ok();
}

Result<> class_method_descriptor_call(ThreadState& ts, Value self, Args raw) {
  MethodDescriptorObject* d = self.as<MethodDescriptorObject>();
  if (raw.n == 0) {
    return Raise(ts, Exc::kTypeError, "descriptor '%.*s' of '%N' object needs an argument",
                 NameSize(d->spec), d->spec->signature, d->owner);
  }
  MVM_TRY_VOID(CheckClass(ts, d, raw.v[0]));
  MVM_TRY(const Signature* sig, SignatureFor(ts, d));
  return CallNative(ts, *sig, d->fn, raw);
}

Result<> class_method_descriptor_get(ThreadState& ts, Value self, Value object, Value type) {
  MethodDescriptorObject* d = self.as<MethodDescriptorObject>();
  Value cls = type;
  if (cls.is_null()) {
    if (object.is_null()) return Raise(ts, Exc::kTypeError, "__get__(None, None) is invalid");
    cls = TypeOf(ts, object);
  }
  MVM_TRY_VOID(CheckClass(ts, d, cls));
  return NewNativeFunction(ts, *d->spec, cls, true, nullptr);
}

}  // namespace

extern const TypeSpec kNativeFunctionType;
const TypeSpec kNativeFunctionType = {
    .name = "builtin_function_or_method",
    .flags = kTypeNoNew,
    .size = sizeof(NativeFunctionObject),
    .gc = GcHooksOf<NativeFunctionObject>(),
    .slots = {.repr = native_function_repr,
              .hash = native_function_hash,
              .call = native_function_call,
              .compare = native_function_compare},
    .methods = kNativeFunctionMethods,
    .getsets = kNativeFunctionGetSets,
};
extern const TypeSpec kMethodDescriptorType;
const TypeSpec kMethodDescriptorType = {
    .name = "method_descriptor",
    .flags = kTypeNoNew | kTypeMethodDescriptor,
    .size = sizeof(MethodDescriptorObject),
    .gc = GcHooksOf<MethodDescriptorObject>(),
    .slots = {.repr = method_descriptor_repr,
              .call = method_descriptor_call,
              .descr_get = method_descriptor_get},
    .methods = kMethodDescriptorMethods,
    .getsets = kMethodDescriptorGetSets,
};
extern const TypeSpec kClassMethodDescriptorType;
const TypeSpec kClassMethodDescriptorType = {
    .name = "classmethod_descriptor",
    .flags = kTypeNoNew,
    .size = sizeof(MethodDescriptorObject),
    .gc = GcHooksOf<MethodDescriptorObject>(),
    .slots = {.repr = method_descriptor_repr,
              .call = class_method_descriptor_call,
              .descr_get = class_method_descriptor_get},
    .getsets = kMethodDescriptorGetSets,
};

}  // namespace minivm

// weakref.proxy: an object that does what its target does, as long as that lives.
//
// Every slot unwraps its operands and goes through the protocol function, so that errors name the
// target's type.
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/weakref_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

bool IsProxy(Value v) {
  return IsExact(v, TypeId::kWeakProxy) || IsExact(v, TypeId::kWeakCallableProxy);
}

// The target of a proxy; other values as they are.
Result<> Unwrap(ThreadState& ts, Value v) {
  if (!IsProxy(v)) return Result<>::Borrow(v);
  WeakrefObject* proxy = v.as<WeakrefObject>();
  if (!proxy->target || proxy->target->refcount == 0) {
    return Raise(ts, Exc::kReferenceError, "weakly-referenced object no longer exists");
  }
  return Result<>::Borrow(proxy->target);
}

template <Result<> (*kOperation)(ThreadState&, Value)>
Result<> Unary(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> target, Unwrap(ts, self));
  return kOperation(ts, target);
}

template <BinaryOp kOp>
Result<> BinarySlot(ThreadState& ts, Value a, Value b) {
  MVM_TRY(Ref<> x, Unwrap(ts, a));
  MVM_TRY(Ref<> y, Unwrap(ts, b));
  return Binary(ts, kOp, x, y);
}

template <BinaryOp kOp>
Result<> InPlaceSlot(ThreadState& ts, Value a, Value b) {
  MVM_TRY(Ref<> x, Unwrap(ts, a));
  MVM_TRY(Ref<> y, Unwrap(ts, b));
  return InPlace(ts, kOp, x, y);
}

Result<> StrOf(ThreadState& ts, Value v) { return ToStr(ts, v); }

Result<> proxy_repr(ThreadState& ts, Value self) {
  WeakrefObject* proxy = self.as<WeakrefObject>();
  void* address = proxy;
  MVM_TRY(Ref<> target, WeakrefTarget(ts, proxy));
  if (IsNone(ts, target)) return Format(ts, "<weakproxy at %p; dead>", address);
  return Format(ts, "<weakproxy at %p; to '%T' at %p>", address, target.get(),
                static_cast<void*>(target.object()));
}

Result<int64_t> proxy_hash(ThreadState& ts, Value self) {
  return Raise(ts, Exc::kTypeError, "unhashable type: '%T'", self);
}

Result<> proxy_getattro(ThreadState& ts, Value self, StrObject* name) {
  MVM_TRY(Ref<> target, Unwrap(ts, self));
  return GetAttr(ts, target, name);
}

Status proxy_setattro(ThreadState& ts, Value self, StrObject* name, Value value) {
  MVM_TRY(Ref<> target, Unwrap(ts, self));
  return SetAttr(ts, target, name, value);
}

Result<> proxy_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  MVM_TRY(Ref<> x, Unwrap(ts, a));
  MVM_TRY(Ref<> y, Unwrap(ts, b));
  return Compare(ts, x, y, op);
}

Result<> proxy_next(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> target, Unwrap(ts, self));
  TypeObject* type = TypeOf(ts, target);
  MVM_TRY_VOID(TypeReady(ts, type));
  if (!type->slots.next) {
    return Raise(ts, Exc::kTypeError, "Weakref proxy referenced a non-iterator '%T' object",
                 target.get());
  }
  return Next(ts, target);
}

Result<bool> proxy_truth(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> target, Unwrap(ts, self));
  return Truth(ts, target);
}

Result<int64_t> proxy_len(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> target, Unwrap(ts, self));
  return Length(ts, target);
}

Result<> proxy_get_item(ThreadState& ts, Value self, Value key) {
  MVM_TRY(Ref<> target, Unwrap(ts, self));
  MVM_TRY(Ref<> index, Unwrap(ts, key));
  return GetItem(ts, target, index);
}

Status proxy_set_item(ThreadState& ts, Value self, Value key, Value value) {
  MVM_TRY(Ref<> target, Unwrap(ts, self));
  return SetItem(ts, target, key, value);
}

Result<bool> proxy_contains(ThreadState& ts, Value self, Value item) {
  MVM_TRY(Ref<> target, Unwrap(ts, self));
  MVM_TRY(Ref<> wanted, Unwrap(ts, item));
  return Contains(ts, target, wanted);
}

Result<> proxy_pow(ThreadState& ts, Value a, Value b, Value modulus) {
  MVM_TRY(Ref<> x, Unwrap(ts, a));
  MVM_TRY(Ref<> y, Unwrap(ts, b));
  MVM_TRY(Ref<> z, Unwrap(ts, modulus));
  return Power(ts, x, y, z);
}

Result<> proxy_call(ThreadState& ts, Value self, Args raw) {
  MVM_TRY(Ref<> target, Unwrap(ts, self));
  return CallRaw(ts, target, raw);
}

Result<> CallNamed(ThreadState& ts, Value self, const char* name) {
  MVM_TRY(Ref<> target, Unwrap(ts, self));
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
  return CallMethod(ts, target, key);
}
Result<> proxy_bytes(ThreadState& ts, Args args) { return CallNamed(ts, args[0], "__bytes__"); }
Result<> proxy_reversed(ThreadState& ts, Args args) {
  return CallNamed(ts, args[0], "__reversed__");
}

const MethodSpec kProxyMethods[] = {
    {"__bytes__(self, /)", proxy_bytes},
    {"__reversed__(self, /)", proxy_reversed},
};

constexpr Slots ProxySlots(CallFn call) {
  return {.repr = proxy_repr,
          .str = Unary<StrOf>,
          .hash = proxy_hash,
          .call = call,
          .getattro = proxy_getattro,
          .setattro = proxy_setattro,
          .compare = proxy_compare,
          .iter = Unary<GetIter>,
          .next = proxy_next,
          .len = proxy_len,
          .get_item = proxy_get_item,
          .set_item = proxy_set_item,
          .contains = proxy_contains,
          .add = BinarySlot<BinaryOp::kAdd>,
          .sub = BinarySlot<BinaryOp::kSub>,
          .mul = BinarySlot<BinaryOp::kMul>,
          .mod = BinarySlot<BinaryOp::kMod>,
          .divmod = BinarySlot<BinaryOp::kDivmod>,
          .pow = proxy_pow,
          .neg = Unary<Negative>,
          .pos = Unary<Positive>,
          .abs = Unary<Absolute>,
          .truth = proxy_truth,
          .invert = Unary<Invert>,
          .lshift = BinarySlot<BinaryOp::kLshift>,
          .rshift = BinarySlot<BinaryOp::kRshift>,
          .and_ = BinarySlot<BinaryOp::kAnd>,
          .xor_ = BinarySlot<BinaryOp::kXor>,
          .or_ = BinarySlot<BinaryOp::kOr>,
          .to_int = Unary<ToInt>,
          .to_float = Unary<ToFloat>,
          .index = Unary<Index>,
          .iadd = InPlaceSlot<BinaryOp::kAdd>,
          .isub = InPlaceSlot<BinaryOp::kSub>,
          .imul = InPlaceSlot<BinaryOp::kMul>,
          .imod = InPlaceSlot<BinaryOp::kMod>,
          .ipow = InPlaceSlot<BinaryOp::kPow>,
          .ilshift = InPlaceSlot<BinaryOp::kLshift>,
          .irshift = InPlaceSlot<BinaryOp::kRshift>,
          .iand = InPlaceSlot<BinaryOp::kAnd>,
          .ixor = InPlaceSlot<BinaryOp::kXor>,
          .ior = InPlaceSlot<BinaryOp::kOr>,
          .floordiv = BinarySlot<BinaryOp::kFloorDiv>,
          .truediv = BinarySlot<BinaryOp::kTrueDiv>,
          .ifloordiv = InPlaceSlot<BinaryOp::kFloorDiv>,
          .itruediv = InPlaceSlot<BinaryOp::kTrueDiv>,
          .matmul = BinarySlot<BinaryOp::kMatmul>,
          .imatmul = InPlaceSlot<BinaryOp::kMatmul>};
}

}  // namespace

extern const TypeSpec kWeakProxyType;
const TypeSpec kWeakProxyType = {
    .name = "weakref.ProxyType",
    .flags = kTypeNoNew,
    .size = sizeof(WeakrefObject),
    .gc = GcHooksOf<WeakrefObject>(),
    .slots = ProxySlots(nullptr),
    .methods = kProxyMethods,
};
extern const TypeSpec kWeakCallableProxyType;
const TypeSpec kWeakCallableProxyType = {
    .name = "weakref.CallableProxyType",
    .flags = kTypeNoNew,
    .size = sizeof(WeakrefObject),
    .gc = GcHooksOf<WeakrefObject>(),
    .slots = ProxySlots(proxy_call),
    .methods = kProxyMethods,
};

}  // namespace minivm

// The singletons' types: NoneType, ellipsis, NotImplementedType, and the VM's own "unbound".
//
// The objects are made in core/runtime_state.cpp.
#include "runtime/core/thread_state.h"
#include "runtime/objects/str_object.h"

namespace minivm {

namespace {

constexpr int64_t kNoneHash = 0xFCA86420;

Result<> none_repr(ThreadState& ts, Value) { return NewStr(ts, "None"); }
Result<bool> none_truth(ThreadState&, Value) { return false; }
Result<int64_t> none_hash(ThreadState&, Value) { return kNoneHash; }

Result<> none_new(ThreadState& ts, TypeObject*, Args raw) {
  if (raw.n || raw.nkw) return Raise(ts, Exc::kTypeError, "NoneType takes no arguments");
  return None(ts);
}

Result<> ellipsis_repr(ThreadState& ts, Value) { return NewStr(ts, "Ellipsis"); }
Result<> ellipsis_reduce(ThreadState& ts, Args) { return NewStr(ts, "Ellipsis"); }
Result<> ellipsis_new(ThreadState& ts, TypeObject*, Args raw) {
  if (raw.n || raw.nkw) return Raise(ts, Exc::kTypeError, "EllipsisType takes no arguments");
  return Result<>::Borrow(ts.rt->ellipsis);
}

Result<> not_implemented_repr(ThreadState& ts, Value) { return NewStr(ts, "NotImplemented"); }
Result<> not_implemented_reduce(ThreadState& ts, Args) { return NewStr(ts, "NotImplemented"); }
Result<bool> not_implemented_truth(ThreadState& ts, Value) {
  MVM_TRY_VOID(Warn(ts, Exc::kDeprecationWarning, 1,
                    "NotImplemented should not be used in a boolean context"));
  return true;
}
Result<> not_implemented_new(ThreadState& ts, TypeObject*, Args raw) {
  if (raw.n || raw.nkw) return Raise(ts, Exc::kTypeError, "NotImplementedType takes no arguments");
  return NotImplemented(ts);
}

Result<> unbound_repr(ThreadState& ts, Value) { return NewStr(ts, "<unbound>"); }

const MethodSpec kEllipsisMethods[] = {{"__reduce__(self, /)", ellipsis_reduce}};
const MethodSpec kNotImplementedMethods[] = {{"__reduce__(self, /)", not_implemented_reduce}};

}  // namespace

extern const TypeSpec kNoneTypeType;
const TypeSpec kNoneTypeType = {
    .name = "NoneType",
    .doc = "The class of None, which has no other instance.",
    .flags = kTypeImmortalInstances,
    .size = sizeof(Object),
    .slots = {.repr = none_repr, .hash = none_hash, .new_ = none_new, .truth = none_truth},
};
extern const TypeSpec kEllipsisType;
const TypeSpec kEllipsisType = {
    .name = "ellipsis",
    .doc = "The class of Ellipsis, which ... stands for in programs.",
    .flags = kTypeImmortalInstances,
    .size = sizeof(Object),
    .slots = {.repr = ellipsis_repr, .new_ = ellipsis_new},
    .methods = kEllipsisMethods,
};
extern const TypeSpec kNotImplementedType;
const TypeSpec kNotImplementedType = {
    .name = "NotImplementedType",
    .doc =
        "The class of NotImplemented, by which an operator method leaves it to the other operand.",
    .flags = kTypeImmortalInstances,
    .size = sizeof(Object),
    .slots = {.repr = not_implemented_repr,
              .new_ = not_implemented_new,
              .truth = not_implemented_truth},
    .methods = kNotImplementedMethods,
};
extern const TypeSpec kUnboundType;
const TypeSpec kUnboundType = {
    .name = "unbound",
    .flags = kTypeNoNew | kTypeImmortalInstances,
    .size = sizeof(Object),
    .slots = {.repr = unbound_repr},
};

}  // namespace minivm

// Module operator: the language's operators as functions. itemgetter, attrgetter and methodcaller
// are in stdlib/operator/getters.cpp.
#include <string>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/ready_slots.h"
#include "stdlib/operator/secure_compare.h"

namespace minivm {

extern const TypeSpec kItemGetterType;
extern const TypeSpec kAttrGetterType;
extern const TypeSpec kMethodCallerType;

namespace {

template <BinaryOp kOp>
Result<> operator_binary(ThreadState& ts, Args args) {
  return Binary(ts, kOp, args[0], args[1]);
}
template <BinaryOp kOp>
Result<> operator_inplace(ThreadState& ts, Args args) {
  return InPlace(ts, kOp, args[0], args[1]);
}
template <CompareOp kOp>
Result<> operator_compare(ThreadState& ts, Args args) {
  return Compare(ts, args[0], args[1], kOp);
}

Result<> operator_pow(ThreadState& ts, Args args) {
  return Power(ts, args[0], args[1], ts.rt->none);
}
Result<> operator_abs(ThreadState& ts, Args args) { return Absolute(ts, args[0]); }
Result<> operator_neg(ThreadState& ts, Args args) { return Negative(ts, args[0]); }
Result<> operator_pos(ThreadState& ts, Args args) { return Positive(ts, args[0]); }
Result<> operator_invert(ThreadState& ts, Args args) { return Invert(ts, args[0]); }
Result<> operator_index(ThreadState& ts, Args args) { return Index(ts, args[0]); }

Result<> operator_not(ThreadState& ts, Args args) {
  MVM_TRY(bool truth, Truth(ts, args[0]));
  return Bool(ts, !truth);
}
Result<> operator_truth(ThreadState& ts, Args args) {
  MVM_TRY(bool truth, Truth(ts, args[0]));
  return Bool(ts, truth);
}
Result<> operator_is(ThreadState& ts, Args args) { return Bool(ts, args[0].is(args[1])); }
Result<> operator_is_not(ThreadState& ts, Args args) { return Bool(ts, !args[0].is(args[1])); }

Result<> operator_getitem(ThreadState& ts, Args args) { return GetItem(ts, args[0], args[1]); }
Result<> operator_setitem(ThreadState& ts, Args args) {
  MVM_TRY_VOID(SetItem(ts, args[0], args[1], args[2]));
  return None(ts);
}
Result<> operator_delitem(ThreadState& ts, Args args) {
  MVM_TRY_VOID(SetItem(ts, args[0], args[1], Value()));
  return None(ts);
}
Result<> operator_contains(ThreadState& ts, Args args) {
  MVM_TRY(bool inside, Contains(ts, args[0], args[1]));
  return Bool(ts, inside);
}

// a + b for sequences only.
template <bool kInPlace>
Result<> operator_concat(ThreadState& ts, Args args) {
  const CoreSlots* slots = SlotsOf(ts, args[0]);
  if (!slots) return kRaised;
  const OperatorSlots& operators = *TypeOf(ts, args[0])->operators;
  if (kInPlace && operators.iconcat) return operators.iconcat(ts, args[0], args[1]);
  if (operators.concat) return operators.concat(ts, args[0], args[1]);
  const CoreSlots* other = SlotsOf(ts, args[1]);
  if (!other) return kRaised;
  if (slots->get_item && other->get_item && !IsDict(ts, args[0]) && !IsDict(ts, args[1])) {
    return kInPlace ? InPlace(ts, BinaryOp::kAdd, args[0], args[1])
                    : Binary(ts, BinaryOp::kAdd, args[0], args[1]);
  }
  return Raise(ts, Exc::kTypeError, "'%T' object can't be concatenated", args[0]);
}

// Walks the items of `a` that equal `b`; f(index) says whether to go on.
template <class F>
Status EachEqual(ThreadState& ts, Value a, Value b, F f) {
  Result<> iterator = GetIter(ts, a);
  if (iterator.raised()) {
    if (!ClearPendingIf(ts, Exc::kTypeError)) return kRaised;
    return Raise(ts, Exc::kTypeError, "argument of type '%T' is not iterable", a);
  }
  const Ref<> it = iterator.Take();
  for (int64_t i = 0;; ++i) {
    MVM_TRY(Ref<> item, Next(ts, it));
    if (item.is_done()) return Ok();
    MVM_TRY(bool equal, EqualValues(ts, item, b));
    if (equal && !f(i)) return Ok();
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

Result<> operator_count_of(ThreadState& ts, Args args) {
  int64_t count = 0;
  MVM_TRY_VOID(EachEqual(ts, args[0], args[1], [&](int64_t) { return ++count > 0; }));
  return NewInt(ts, count);
}

Result<> operator_index_of(ThreadState& ts, Args args) {
  int64_t index = -1;
  MVM_TRY_VOID(EachEqual(ts, args[0], args[1], [&](int64_t i) {
    index = i;
    return false;
  }));
  if (index < 0) return Raise(ts, Exc::kValueError, "sequence.index(x): x not in sequence");
  return NewInt(ts, index);
}

Result<> operator_length_hint(ThreadState& ts, Args args) {
  MVM_TRY(int64_t fallback, AsInt64(ts, args[1]));
  MVM_TRY(int64_t hint, LengthHint(ts, args[0], fallback));
  return NewInt(ts, hint);
}

// call(obj, /, *args, **kwargs): raw, so that the arguments pass through as they are.
Result<> operator_call(ThreadState& ts, Args args) {
  if (args.n < 1) return Raise(ts, Exc::kTypeError, "call expected at least 1 argument, got 0");
  return CallRaw(ts, args[0], Args{args.v + 1, args.n - 1, args.nkw});
}

#define BINARY(name, op, text) \
  { name "(a, b, /)", operator_binary<BinaryOp::op>, "a " text " b" }
#define INPLACE(name, op, text)                                  \
  {                                                              \
    name "(a, b, /)", operator_inplace<BinaryOp::op>,            \
        "The result of a " text " b; a itself if it can change." \
  }
#define COMPARE(name, op, text) \
  { name "(a, b, /)", operator_compare<CompareOp::op>, "a " text " b" }
const MethodSpec kFunctions[] = {
    {"_compare_digest(a, b, /)", CompareDigest,
     "a == b, for two ASCII texts or two bytes-like objects, in a time that does not tell where "
     "they differ."},
    {"abs(a, /)", operator_abs, "The built-in abs()."},
    BINARY("add", kAdd, "+"),
    BINARY("and_", kAnd, "&"),
    {"call(...)", operator_call, "Call obj with the other arguments."},
    {"concat(a, b, /)", operator_concat<false>, "a + b, where a must be a sequence."},
    {"contains(a, b, /)", operator_contains, "b in a: mind the order."},
    {"countOf(a, b, /)", operator_count_of, "How many items of a are b or equal it."},
    {"delitem(a, b, /)", operator_delitem, "del a[b]"},
    COMPARE("eq", kEq, "=="),
    BINARY("floordiv", kFloorDiv, "//"),
    COMPARE("ge", kGe, ">="),
    {"getitem(a, b, /)", operator_getitem, "a[b]"},
    COMPARE("gt", kGt, ">"),
    INPLACE("iadd", kAdd, "+="),
    INPLACE("iand", kAnd, "&="),
    {"iconcat(a, b, /)", operator_concat<true>, "a += b, where a must be a sequence; returns a."},
    INPLACE("ifloordiv", kFloorDiv, "//="),
    INPLACE("ilshift", kLshift, "<<="),
    INPLACE("imatmul", kMatmul, "@="),
    INPLACE("imod", kMod, "%="),
    INPLACE("imul", kMul, "*="),
    {"index(a, /)", operator_index, "a as an exact integer, from __index__()."},
    {"indexOf(a, b, /)", operator_index_of,
     "Where the first item of a is that is b or equals it. ValueError if there is none."},
    {"inv(a, /)", operator_invert, "~a"},
    {"invert(a, /)", operator_invert, "~a"},
    INPLACE("ior", kOr, "|="),
    INPLACE("ipow", kPow, "**="),
    INPLACE("irshift", kRshift, ">>="),
    {"is_(a, b, /)", operator_is, "a is b"},
    {"is_not(a, b, /)", operator_is_not, "a is not b"},
    INPLACE("isub", kSub, "-="),
    INPLACE("itruediv", kTrueDiv, "/="),
    INPLACE("ixor", kXor, "^="),
    COMPARE("le", kLe, "<="),
    {"length_hint(obj, default=0, /)", operator_length_hint,
     "About how many items obj has: its len() if it has one, else what __length_hint__() says, "
     "else default."},
    BINARY("lshift", kLshift, "<<"),
    COMPARE("lt", kLt, "<"),
    BINARY("matmul", kMatmul, "@"),
    BINARY("mod", kMod, "%"),
    BINARY("mul", kMul, "*"),
    COMPARE("ne", kNe, "!="),
    {"neg(a, /)", operator_neg, "-a"},
    {"not_(a, /)", operator_not, "not a"},
    BINARY("or_", kOr, "|"),
    {"pos(a, /)", operator_pos, "+a"},
    {"pow(a, b, /)", operator_pow, "a ** b"},
    BINARY("rshift", kRshift, ">>"),
    {"setitem(a, b, c, /)", operator_setitem, "a[b] = c"},
    BINARY("sub", kSub, "-"),
    BINARY("truediv", kTrueDiv, "/"),
    {"truth(a, /)", operator_truth, "The built-in bool()."},
    BINARY("xor", kXor, "^"),
};
#undef BINARY
#undef INPLACE
#undef COMPARE

const TypeSpec* const kTypes[] = {&kAttrGetterType, &kItemGetterType, &kMethodCallerType};

// Functions that have no alias under a special method's name.
bool HasSpecialName(std::string_view name) {
  for (std::string_view without : {"countOf", "indexOf", "is_", "is_not", "length_hint", "truth"}) {
    if (name == without) return false;
  }
  return true;
}

// __all__, and __add__ for add and so on.
Status AddAliases(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<ListObject> all, NewListReserve(ts, 0));
  for (const char* type : {"attrgetter", "itemgetter", "methodcaller"}) {
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, type));
    MVM_TRY_VOID(ListAppend(ts, all, name));
  }
  for (const MethodSpec& spec : kFunctions) {
    const std::string_view signature(spec.signature);
    const std::string_view name = signature.substr(0, signature.find('('));
    if (name[0] == '_') continue;
    MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
    MVM_TRY_VOID(ListAppend(ts, all, key));
    if (!HasSpecialName(name)) continue;
    std::string alias = "__";
    alias += name.ends_with('_') ? name.substr(0, name.size() - 1) : name;
    alias += "__";
    const Ref<> function = Ref<>::Borrow(DictGetStr(ts, module->dict, key));
    MVM_TRY_VOID(ModuleAdd(ts, module, alias, function));
  }
  MVM_TRY_VOID(ListSort(ts, all, Value(), false));
  return ModuleAdd(ts, module, "__all__", all);
}

}  // namespace

extern const ModuleSpec k__operator_module;
const ModuleSpec k__operator_module = {
    .name = "_operator",
    .doc =
        "The operators as functions, to be passed on; each also under the name of its special "
        "method.",
    .functions = kFunctions,
    .types = kTypes,
    .exec = AddAliases,
};

}  // namespace minivm

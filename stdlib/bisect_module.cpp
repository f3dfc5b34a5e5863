// Module bisect: binary search and insertion in sorted sequences.
#include <string>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {
namespace {

// The place for `x` in a[lo:hi]: before (left) or behind (right) what is equal to it. `key` (or
// null) is applied to the items, not to x.
template <bool kRight>
Result<int64_t> Search(ThreadState& ts, Value a, Value x, int64_t lo, int64_t hi, Value key) {
  while (lo < hi) {
    const int64_t mid = lo + (hi - lo) / 2;
    bool before;  // the place is before mid, or at mid
    if (!key && x.is_int() && IsExact(a, TypeId::kList) &&
        static_cast<uint64_t>(mid) < a.as<ListObject>()->size &&
        a.as<ListObject>()->items[mid].is_int()) {
      const int64_t item = a.as<ListObject>()->items[mid].as_int();
      before = kRight ? x.as_int() < item : !(item < x.as_int());
    } else if (!key && x.is_float() && IsExact(a, TypeId::kList) &&
               static_cast<uint64_t>(mid) < a.as<ListObject>()->size &&
               a.as<ListObject>()->items[mid].is_float()) {
      const double item = a.as<ListObject>()->items[mid].as_float();
      before = kRight ? x.as_float() < item : !(item < x.as_float());
    } else {
      MVM_TRY(Ref<> item, GetIndex(ts, a, mid));
      if (key) {
        MVM_TRY(item, Call(ts, key, item));
      }
      if constexpr (kRight) {
        MVM_TRY(before, CompareBool(ts, x, item, CompareOp::kLt));
      } else {
        MVM_TRY(bool less, CompareBool(ts, item, x, CompareOp::kLt));
        before = !less;
      }
      MVM_TRY_VOID(Charge(ts, 1));
    }
    if (before) {
      hi = mid;
    } else {
      lo = mid + 1;
    }
  }
  return lo;
}

// The arguments (a, x, lo, hi, key) of all functions of the module.
template <bool kRight>
Result<int64_t> SearchArgs(ThreadState& ts, Args args, Value x) {
  MVM_TRY(int64_t lo, AsInt64(ts, args[2]));
  if (lo < 0) return Raise(ts, Exc::kValueError, "lo must be non-negative");
  MVM_TRY(int64_t hi, IsNone(ts, args[3]) ? Length(ts, args[0]) : AsInt64(ts, args[3]));
  return Search<kRight>(ts, args[0], x, lo, hi, IsNone(ts, args[4]) ? Value() : args[4]);
}

template <bool kRight>
Result<> bisect_search(ThreadState& ts, Args args) {
  MVM_TRY(int64_t i, SearchArgs<kRight>(ts, args, args[1]));
  return NewInt(ts, i);
}

template <bool kRight>
Result<> bisect_insort(ThreadState& ts, Args args) {
  Ref<> x = Ref<>::Borrow(args[1]);
  if (!IsNone(ts, args[4])) {
    MVM_TRY(x, Call(ts, args[4], args[1]));
  }
  MVM_TRY(int64_t i, SearchArgs<kRight>(ts, args, x));
  if (IsExact(args[0], TypeId::kList)) {
    MVM_TRY_VOID(ListInsert(ts, args.as<ListObject>(0), i, args[1]));
    return None(ts);
  }
  MVM_TRY(Ref<StrObject> insert, InternUtf8(ts, "insert"));
  MVM_TRY(Ref<> place, NewInt(ts, i));
  Value call_args[] = {place, args[1]};
  MVM_TRY_VOID(CallMethod(ts, args[0], insert, call_args));
  return None(ts);
}

constexpr const char* kBisectRightDoc =
    "Where x belongs in the sorted a, after any item that equals it.\n"
    "\n"
    "lo and hi bound the search. With a key, items are compared by key(item); x is such a key "
    "already.";
constexpr const char* kInsortRightDoc =
    "Put x where bisect_right() finds its place, by key(x) if a key is given. Moving the items is "
    "O(n).";
const MethodSpec kFunctions[] = {
    {"bisect_left(a, x, lo=0, hi=None, *, key=None)", bisect_search<false>,
     "Where x belongs in the sorted a, before any item that equals it.\n"
     "\n"
     "lo and hi bound the search. With a key, items are compared by key(item); x is such a key "
     "already."},
    {"bisect_right(a, x, lo=0, hi=None, *, key=None)", bisect_search<true>, kBisectRightDoc},
    {"insort_left(a, x, lo=0, hi=None, *, key=None)", bisect_insort<false>,
     "Put x where bisect_left() finds its place, by key(x) if a key is given. Moving the items is "
     "O(n)."},
    {"insort_right(a, x, lo=0, hi=None, *, key=None)", bisect_insort<true>, kInsortRightDoc},
};

// bisect and insort are other names of the functions for the right side.
Status AddAliases(ThreadState& ts, ModuleObject* module) {
  for (const std::string_view alias : {"bisect", "insort"}) {
    const std::string name = std::string(alias) + "_right";
    MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
    const Ref<> function = Ref<>::Borrow(DictGetStr(ts, module->dict, key));
    MVM_TRY_VOID(ModuleAdd(ts, module, alias, function));
  }
  return Ok();
}

}  // namespace

extern const ModuleSpec k_bisect_module;
const ModuleSpec k_bisect_module = {.name = "bisect",
                                    .doc = "Places in sorted lists, found by halving.",
                                    .functions = kFunctions,
                                    .exec = AddAliases};

}  // namespace minivm

// Calls from C++: any callable, methods, special methods.
#include <cstdlib>

#include "runtime/core/held_memory.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/protocol/raw_args.h"
#include "runtime/support/small_vector.h"

namespace minivm {

Result<> CallRaw(ThreadState& ts, Value callable, Args raw) {
  RecursionGuard guard(ts, " while calling a Python object");
  if (!guard) return kRaised;
  CallFn call = TypeOf(ts, callable)->slots.call;
  if (MVM_UNLIKELY(!call))
    return Raise(ts, Exc::kTypeError, "'%T' object is not callable", callable);
  return call(ts, callable, raw);
}

Result<> Call(ThreadState& ts, Value callable, std::span<const Value> args) {
  // A script function copies its arguments into registers and has a guard of its own.
  if (IsExact(callable, TypeId::kFunction)) {
    Args words{const_cast<Value*>(args.data()), static_cast<uint32_t>(args.size())};
    return TypeOf(ts, callable)->slots.call(ts, callable, words);
  }
  // A copy: the callee may overwrite its arguments.
  constexpr size_t kInline = 8;
  if (MVM_LIKELY(args.size() <= kInline)) {
    Value v[kInline];
    for (size_t i = 0; i < args.size(); ++i) v[i] = args[i];
    return CallRaw(ts, callable, {v, static_cast<uint32_t>(args.size())});
  }
  HeldMemory held;
  SmallVector<Value, kInline> v;
  MVM_TRY_VOID(held.Reserve(ts, v, args.size()));
  if (!v.Append(args.data(), args.size())) return RaiseMemoryError(ts);
  return CallRaw(ts, callable, {v.data(), static_cast<uint32_t>(v.size())});
}

namespace {

// Borrowed words for a raw call; keyword values and names are owned, since the dict may change.
class CallWords {
 public:
  ~CallWords() {
    for (size_t i = owned_from_; i < words_.size(); ++i) Decref(words_[i]);
  }
  Status Fill(ThreadState& ts, TupleObject* args, DictObject* kwargs) {
    size_t n = kwargs ? DictSize(kwargs) : 0;
    MVM_TRY_VOID(held_.Reserve(ts, words_, args->size() + n + (n > 0)));
    if (!words_.Append(args->items(), args->size())) return RaiseMemoryError(ts);
    owned_from_ = words_.size();
    if (n == 0) return Ok();
    MVM_TRY(Ref<TupleObject> names, NewTupleRaw(ts, n));
    Track(names);
    size_t pos = 0, i = 0;
    Value key, value;
    while (i < n && DictNext(ts, kwargs, &pos, &key, &value)) {
      if (!IsStr(ts, key)) return Raise(ts, Exc::kTypeError, "keywords must be strings");
      Incref(key);
      names->items()[i++] = key;
      if (!words_.Push(value)) return RaiseMemoryError(ts);
      Incref(value);
    }
    nkw_ = static_cast<uint32_t>(i);
    if (!words_.Push(names)) return RaiseMemoryError(ts);
    (void)names.Release();
    return Ok();
  }
  Args args() { return {words_.data(), static_cast<uint32_t>(owned_from_), nkw_}; }

 private:
  HeldMemory held_;
  SmallVector<Value, 16> words_;
  size_t owned_from_ = 0;
  uint32_t nkw_ = 0;
};

// Keeps the array of a raw call while the callee is free to overwrite its words.
Result<> CallCopy(ThreadState& ts, Value callable, Args raw) {
  const size_t count = size_t{raw.n} + raw.nkw + (raw.nkw ? 1 : 0);
  HeldMemory held;
  SmallVector<Value, 16> words;
  MVM_TRY_VOID(held.Reserve(ts, words, count));
  if (!words.Append(raw.v, count)) return RaiseMemoryError(ts);
  return CallRaw(ts, callable, {words.data(), raw.n, raw.nkw});
}

}  // namespace

Result<> CallWith(ThreadState& ts, Value callable, TupleObject* args, DictObject* kwargs) {
  CallWords words;
  MVM_TRY_VOID(words.Fill(ts, args, kwargs));
  Args raw = words.args();
  return raw.nkw ? CallCopy(ts, callable, raw) : CallRaw(ts, callable, raw);
}

namespace {

// What GetMethod found, called; `self` goes first if it is a method.
Result<> CallFound(ThreadState& ts, Value fn, Value self, bool is_method,
                   std::span<const Value> args) {
  if (!is_method) return Call(ts, fn, args);
  constexpr size_t kInline = 8;
  if (MVM_LIKELY(args.size() < kInline)) {
    Value v[kInline] = {self};
    for (size_t i = 0; i < args.size(); ++i) v[i + 1] = args[i];
    return CallRaw(ts, fn, {v, static_cast<uint32_t>(args.size() + 1)});
  }
  HeldMemory held;
  SmallVector<Value, kInline> v;
  MVM_TRY_VOID(held.Reserve(ts, v, args.size() + 1));
  if (!v.Push(self) || !v.Append(args.data(), args.size())) return RaiseMemoryError(ts);
  return CallRaw(ts, fn, {v.data(), static_cast<uint32_t>(v.size())});
}

}  // namespace

Result<> CallMethod(ThreadState& ts, Value object, StrObject* name, std::span<const Value> args) {
  bool is_method = false;
  MVM_TRY(Ref<StrObject> interned,
          name->interned() ? Result<StrObject>(Ref<StrObject>::Borrow(name)) : Intern(ts, name));
  MVM_TRY(Ref<> fn, GetMethod(ts, object, interned, &is_method));
  return CallFound(ts, fn, object, is_method, args);
}

Result<> CallSpecial(ThreadState& ts, Value object, StrObject* name, std::span<const Value> args) {
  TypeObject* type = TypeOf(ts, object);
  MVM_TRY_VOID(TypeReady(ts, type));
  Value found = TypeLookup(ts, type, name);
  if (found.is_null()) return Result<>::Steal(Value::Absent());
  Ref<> held = Ref<>::Borrow(found);
  TypeObject* t = TypeOf(ts, found);
  if (t->has_flag(kTypeMethodDescriptor)) return CallFound(ts, found, object, true, args);
  if (DescrGetFn get = t->slots.descr_get) {
    MVM_TRY(held, get(ts, found, object, type));
  }
  return Call(ts, held, args);
}

Result<> LookupSpecial(ThreadState& ts, Value object, StrObject* name) {
  TypeObject* type = TypeOf(ts, object);
  MVM_TRY_VOID(TypeReady(ts, type));
  Value found = TypeLookup(ts, type, name);
  if (found.is_null()) return Result<>::Steal(Value::Absent());
  Ref<> held = Ref<>::Borrow(found);
  if (DescrGetFn get = TypeOf(ts, found)->slots.descr_get) return get(ts, found, object, type);
  return held;
}

bool IsCallable(ThreadState& ts, Value v) { return TypeOf(ts, v)->slots.call != nullptr; }

}  // namespace minivm

// Var: script values in the host's hands.
#include <utility>

#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/embed/internals.h"

namespace minivm {

Var::Var(const Var& o) : vm_(o.vm_), word_(o.word_) {
  if (word_) Incref(Value::FromBits(word_));
}

Var& Var::operator=(Var o) noexcept {
  std::swap(vm_, o.vm_);
  std::swap(word_, o.word_);
  return *this;
}

Var::~Var() {
  if (word_) Decref(Value::FromBits(word_));
}

bool Var::IsNone() const {
  return word_ && minivm::IsNone(*vm_->internals()->ts, Value::FromBits(word_));
}
bool Var::IsInt() const {
  return word_ && minivm::IsInt(*vm_->internals()->ts, Value::FromBits(word_));
}
bool Var::IsFloat() const {
  return word_ && minivm::IsFloat(*vm_->internals()->ts, Value::FromBits(word_));
}
bool Var::IsStr() const {
  return word_ && minivm::IsStr(*vm_->internals()->ts, Value::FromBits(word_));
}
bool Var::IsCallable() const {
  return word_ && minivm::IsCallable(vm_->internals()->Enter(), Value::FromBits(word_));
}

int64_t Var::ToInt() const {
  Value v = Value::FromBits(word_);
  int64_t i = 0;
  return IsInt() && IntFitsInt64(v, &i) ? i : 0;
}

double Var::ToFloat() const {
  if (!word_) return 0;
  ThreadState& ts = vm_->internals()->Enter();
  Value v = Value::FromBits(word_);
  if (minivm::IsFloat(ts, v)) return FloatValue(v);
  if (!minivm::IsInt(ts, v)) return 0;
  Result<double> d = IntToDouble(ts, v);
  if (d.raised()) {
    ClearPending(ts);
    return 0;
  }
  return d.Take();
}

bool Var::Truth() const {
  if (!word_) return false;
  ThreadState& ts = vm_->internals()->Enter();
  Result<bool> b = minivm::Truth(ts, Value::FromBits(word_));
  if (b.raised()) {
    ClearPending(ts);
    return false;
  }
  return b.Take();
}

namespace {
std::string TextOf(ThreadState& ts, Result<StrObject> text) {
  if (text.raised()) {
    ClearPending(ts);
    return "";
  }
  Ref<StrObject> s = text.Take();
  return ToUtf8(s);
}
}  // namespace

std::string Var::ToString() const {
  if (!word_) return "";
  ThreadState& ts = vm_->internals()->Enter();
  return TextOf(ts, ToStr(ts, Value::FromBits(word_)));
}

std::string Var::Repr() const {
  if (!word_) return "";
  ThreadState& ts = vm_->internals()->Enter();
  return TextOf(ts, minivm::Repr(ts, Value::FromBits(word_)));
}

Var Var::GetAttr(std::string_view name, ScriptError* error) const {
  if (!word_) return Var();
  VmInternals& in = *vm_->internals();
  ThreadState& ts = in.Enter();
  Result<> r = minivm::GetAttr(ts, Value::FromBits(word_), name);
  if (r.raised()) {
    in.Fail(error);
    return Var();
  }
  return in.Wrap(r.Take());
}

bool Var::SetAttr(std::string_view name, const Var& value, ScriptError* error) const {
  if (!word_) return false;
  VmInternals& in = *vm_->internals();
  ThreadState& ts = in.Enter();
  return !minivm::SetAttr(ts, Value::FromBits(word_), name, in.Use(value)).raised() ||
         in.Fail(error);
}

Var Var::GetItem(const Var& key, ScriptError* error) const {
  if (!word_) return Var();
  VmInternals& in = *vm_->internals();
  ThreadState& ts = in.Enter();
  Result<> r = minivm::GetItem(ts, Value::FromBits(word_), in.Use(key));
  if (r.raised()) {
    in.Fail(error);
    return Var();
  }
  return in.Wrap(r.Take());
}

Var Var::Call(std::span<const Var> args, ScriptError* error) const {
  if (!word_) return Var();
  VmInternals& in = *vm_->internals();
  ThreadState& ts = in.Enter();
  std::vector<Value> words;
  words.reserve(args.size());
  for (const Var& a : args) words.push_back(in.Use(a));
  Result<> r = minivm::Call(ts, Value::FromBits(word_), std::span<const Value>(words));
  if (r.raised()) {
    in.Fail(error);
    return Var();
  }
  return in.Wrap(r.Take());
}

}  // namespace minivm

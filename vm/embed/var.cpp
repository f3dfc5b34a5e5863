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

bool Var::ToInt(int64_t* value) const {
  int64_t i;
  if (!IsInt() || !IntFitsInt64(Value::FromBits(word_), &i)) return false;
  *value = i;
  return true;
}

int64_t Var::ToInt() const {
  int64_t i = 0;
  ToInt(&i);
  return i;
}

bool Var::ToFloat(double* value) const {
  if (IsFloat()) {
    *value = FloatValue(Value::FromBits(word_));
    return true;
  }
  return IsInt() && vm_->internals()->Quietly([&](ThreadState& ts) -> Status {
    MVM_TRY(*value, IntToDouble(ts, Value::FromBits(word_)));
    return Ok();
  });
}

double Var::ToFloat() const {
  double d = 0;
  ToFloat(&d);
  return d;
}

bool Var::Truth(bool* value, ScriptError* error) const {
  if (!word_) return false;
  return vm_->internals()->Guarded(error, [&](ThreadState& ts) -> Status {
    MVM_TRY(*value, minivm::Truth(ts, Value::FromBits(word_)));
    return Ok();
  });
}

bool Var::Truth() const {
  bool b = false;
  if (!word_) return b;
  vm_->internals()->Quietly([&](ThreadState& ts) -> Status {
    MVM_TRY(b, minivm::Truth(ts, Value::FromBits(word_)));
    return Ok();
  });
  return b;
}

bool Var::ToString(std::string* text, ScriptError* error) const {
  if (!word_) return false;
  return vm_->internals()->Guarded(error, [&](ThreadState& ts) -> Status {
    MVM_TRY(Ref<StrObject> s, ToStr(ts, Value::FromBits(word_)));
    *text = ToUtf8(s);
    return Ok();
  });
}

std::string Var::ToString() const {
  std::string text;
  if (!word_) return text;
  vm_->internals()->Quietly([&](ThreadState& ts) -> Status {
    MVM_TRY(Ref<StrObject> s, ToStr(ts, Value::FromBits(word_)));
    text = ToUtf8(s);
    return Ok();
  });
  return text;
}

std::string Var::Repr() const {
  std::string text;
  if (!word_) return text;
  vm_->internals()->Quietly([&](ThreadState& ts) -> Status {
    MVM_TRY(Ref<StrObject> s, minivm::Repr(ts, Value::FromBits(word_)));
    text = ToUtf8(s);
    return Ok();
  });
  return text;
}

Var Var::GetAttr(std::string_view name, ScriptError* error) const {
  Var value;
  if (!word_) return value;
  VmInternals& in = *vm_->internals();
  in.Guarded(error, [&](ThreadState& ts) -> Status {
    MVM_TRY(Ref<> r, minivm::GetAttr(ts, Value::FromBits(word_), name));
    value = in.Wrap(std::move(r));
    return Ok();
  });
  return value;
}

bool Var::SetAttr(std::string_view name, const Var& value, ScriptError* error) const {
  if (!word_) return false;
  VmInternals& in = *vm_->internals();
  return in.Guarded(error, [&](ThreadState& ts) {
    return minivm::SetAttr(ts, Value::FromBits(word_), name, in.Use(value));
  });
}

Var Var::GetItem(const Var& key, ScriptError* error) const {
  Var value;
  if (!word_) return value;
  VmInternals& in = *vm_->internals();
  in.Guarded(error, [&](ThreadState& ts) -> Status {
    MVM_TRY(Ref<> r, minivm::GetItem(ts, Value::FromBits(word_), in.Use(key)));
    value = in.Wrap(std::move(r));
    return Ok();
  });
  return value;
}

Var Var::Call(std::span<const Var> args, ScriptError* error) const {
  Var value;
  if (!word_) return value;
  VmInternals& in = *vm_->internals();
  in.Guarded(error, [&](ThreadState& ts) -> Status {
    std::vector<Value> words;
    words.reserve(args.size());
    for (const Var& a : args) words.push_back(in.Use(a));
    MVM_TRY(Ref<> r, minivm::Call(ts, Value::FromBits(word_), std::span<const Value>(words)));
    value = in.Wrap(std::move(r));
    return Ok();
  });
  return value;
}

}  // namespace minivm

// Ref<T>: owns one reference. Result<T>: a value or "an exception is pending".
//
// Value and T* are borrowed; fields of objects and locals that must outlive a call
// that may run script code are Refs. Result is trivially destructible, so it travels
// in a register; it must be consumed (nodiscard): by MVM_TRY, by making a Ref of it,
// or by returning it.
//   Ref<>            owns any value            Result<>            one word; 0 = raised
//   Ref<ListObject>  owns a typed object       Result<ListObject>  pointer; null = raised
//                                              Result<int64_t>, Result<bool>, Result<void>: plain
//                                              data
#pragma once

#include <type_traits>
#include <utility>

#include "runtime/core/object.h"

namespace minivm {

// Converts to any Result: "an exception is pending in ts".
struct Raised {};
inline constexpr Raised kRaised{};

template <class T = Value>
class Result;

template <class T = Value>
class Ref {
 public:
  Ref() : p_(nullptr) {}
  static Ref Steal(T* p) {
    Ref r;
    r.p_ = p;
    return r;
  }
  static Ref Borrow(T* p) {
    if (p) Incref(p);
    return Steal(p);
  }
  Ref(const Ref& o) : p_(o.p_) {
    if (p_) Incref(p_);
  }
  Ref(Ref&& o) noexcept : p_(o.p_) { o.p_ = nullptr; }
  inline Ref(Result<T>&& r);  // NOLINT: implicit. REQUIRES: !r.raised()
  Ref& operator=(Ref o) noexcept {
    T* old = std::exchange(p_, o.p_);
    o.p_ = nullptr;
    if (old) Decref(old);
    return *this;
  }
  ~Ref() {
    if (p_) Decref(p_);
  }

  T* get() const { return p_; }
  T* operator->() const { return p_; }
  operator T*() const { return p_; }            // NOLINT: implicit, borrowed
  operator Value() const { return Value(p_); }  // NOLINT: implicit, borrowed
  Value value() const { return Value(p_); }
  explicit operator bool() const { return p_ != nullptr; }
  [[nodiscard]] T* Release() { return std::exchange(p_, nullptr); }

 private:
  T* p_;
};

template <>
class Ref<Value> {
 public:
  Ref() = default;
  static Ref Steal(Value v) {
    Ref r;
    r.v_ = v;
    return r;
  }
  static Ref Borrow(Value v) {
    Incref(v);
    return Steal(v);
  }
  Ref(const Ref& o) : v_(o.v_) { Incref(v_); }
  Ref(Ref&& o) noexcept : v_(o.v_) { o.v_ = Value(); }
  template <class T>
  Ref(Ref<T>&& o) noexcept : v_(o.Release()) {}  // NOLINT: implicit
  inline Ref(Result<Value>&& r);                 // NOLINT: implicit. REQUIRES: !r.raised()
  Ref& operator=(Ref o) noexcept {
    Value old = std::exchange(v_, o.v_);
    o.v_ = Value();
    Decref(old);
    return *this;
  }
  ~Ref() { Decref(v_); }

  Value get() const { return v_; }
  operator Value() const { return v_; }  // NOLINT: implicit, borrowed
  Value value() const { return v_; }
  template <class T>
  T* as() const {
    return v_.as<T>();
  }
  // The same reference, typed. REQUIRES: it is a T.
  template <class T>
  Ref<T> Into() && {
    return Ref<T>::Steal(Release().template as<T>());
  }
  bool is_int() const { return v_.is_int(); }
  bool is_float() const { return v_.is_float(); }
  bool is_object() const { return v_.is_object(); }
  bool is_done() const { return v_.is_done(); }
  bool is_absent() const { return v_.is_absent(); }
  bool is_null() const { return v_.is_null(); }
  bool is(Value o) const { return v_.is(o); }
  Object* object() const { return v_.object(); }
  explicit operator bool() const { return !v_.is_null(); }
  [[nodiscard]] Value Release() { return std::exchange(v_, Value()); }

 private:
  Value v_;
};

// Owned value, or raised.
template <>
class [[nodiscard]] Result<Value> {
 public:
  Result(Raised) : v_() {}                     // NOLINT: implicit
  Result(Ref<Value>&& r) : v_(r.Release()) {}  // NOLINT: implicit
  template <class T>
  Result(Ref<T>&& r) : v_(r.Release()) {}  // NOLINT: implicit
  template <class T, class = std::enable_if_t<std::is_class_v<T> && !std::is_same_v<T, Value>>>
  Result(Result<T>&& r);  // NOLINT: implicit
  static Result Steal(Value v) { return Result(v); }
  static Result Borrow(Value v) {
    Incref(v);
    return Result(v);
  }
  static Result Done() { return Result(Value::Done()); }

  bool raised() const { return v_.is_null(); }
  bool done() const { return v_.is_done(); }
  // Consumes the result.
  Ref<Value> Take() { return Ref<Value>::Steal(v_); }
  // The raw owned word, 0 when raised: for the interpreter.
  Value word() const { return v_; }

 private:
  explicit Result(Value v) : v_(v) {}
  Value v_;
};

// Owned object of a known class, or raised; or plain data, or raised.
template <class T>
class [[nodiscard]] Result {
  static constexpr bool kIsObject = std::is_class_v<T>;
  struct Plain {
    T value;
    bool ok;
  };

 public:
  Result(Raised) {  // NOLINT: implicit
    if constexpr (kIsObject) {
      p_ = nullptr;
    } else {
      p_ = {T(), false};
    }
  }
  template <class U = T, class = std::enable_if_t<std::is_class_v<U>>>
  Result(Ref<U>&& r) : p_(r.Release()) {}  // NOLINT: implicit
  template <class U = T, class = std::enable_if_t<!std::is_class_v<U>>>
  Result(U value) : p_{value, true} {}  // NOLINT: implicit
  static Result Steal(T* p) {
    Result r(kRaised);
    r.p_ = p;
    return r;
  }
  bool raised() const {
    if constexpr (kIsObject) {
      return p_ == nullptr;
    } else {
      return !p_.ok;
    }
  }
  auto Take() {
    if constexpr (kIsObject) {
      return Ref<T>::Steal(p_);
    } else {
      return p_.value;
    }
  }
  // The raw owned pointer, null when raised.
  auto word() const { return p_; }

 private:
  std::conditional_t<kIsObject, T*, Plain> p_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result(Raised) : ok_(false) {}  // NOLINT: implicit
  static Result Ok() { return Result(); }
  bool raised() const { return !ok_; }
  void Take() {}

 private:
  Result() : ok_(true) {}
  bool ok_;
};
using Status = Result<void>;
inline Status Ok() { return Status::Ok(); }

template <class T, class>
Result<Value>::Result(Result<T>&& r) : v_(static_cast<T*>(r.word())) {}
template <class T>
Ref<T>::Ref(Result<T>&& r) : p_(r.Take().Release()) {
  MVM_DCHECK(p_ != nullptr, "Ref made of a raised Result");
}
inline Ref<Value>::Ref(Result<Value>&& r) : v_(r.word()) {
  MVM_DCHECK(!v_.is_null(), "Ref made of a raised Result");
}

// MVM_TRY(auto x, Call(ts, ...)): x gets the value (a Ref, or plain data); returns on error.
#define MVM_CONCAT_(a, b) a##b
#define MVM_CONCAT(a, b) MVM_CONCAT_(a, b)
#define MVM_TRY_(tmp, decl, expr)                           \
  auto tmp = (expr);                                        \
  if (MVM_UNLIKELY(tmp.raised())) return ::minivm::kRaised; \
  decl = tmp.Take()
#define MVM_TRY(decl, expr) MVM_TRY_(MVM_CONCAT(mvm_try_, __COUNTER__), decl, expr)
// The same for an expression whose value (if any) is dropped.
#define MVM_TRY_VOID(expr)                                           \
  do {                                                               \
    auto mvm_status = (expr);                                        \
    if (MVM_UNLIKELY(mvm_status.raised())) return ::minivm::kRaised; \
    (void)mvm_status.Take();                                         \
  } while (0)

}  // namespace minivm

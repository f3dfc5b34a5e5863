// Arithmetic and comparison as the dispatch loop does it in line: ints and floats that stand in
// their words; all else goes to slow_ops.cpp.
//
// Macros, since they live on the loop's labels and registers: interpreter.cpp is the only one to
// include this. WRITE is how a result is stored, WRITE_T into a temporary, WRITE_L into a local.
#pragma once

#include "runtime/core/value.h"

namespace minivm {

// Floor division and modulo of inline ints; c != 0. Division of 64 bits takes up to four times as
// long as that of 32.
inline bool AreShort(int64_t b, int64_t c) { return static_cast<uint64_t>(b | c) >> 32 == 0; }
inline int64_t FloorDivInt(int64_t b, int64_t c) {
  if (MVM_LIKELY(AreShort(b, c))) return static_cast<uint32_t>(b) / static_cast<uint32_t>(c);
  int64_t q = b / c;
  return q - ((b % c != 0) & ((b ^ c) < 0));
}
inline int64_t ModInt(int64_t b, int64_t c) {
  if (MVM_LIKELY(AreShort(b, c))) return static_cast<uint32_t>(b) % static_cast<uint32_t>(c);
  int64_t r = b % c;
  return r + (c & -static_cast<int64_t>((r != 0) & ((r ^ c) < 0)));
}

// A number that is a double, or becomes one without loss.
inline bool IsDouble(Value v) {
  constexpr int64_t kExact = int64_t{1} << 53;
  return v.is_float() || (v.is_int() && v.as_int() <= kExact && v.as_int() >= -kExact);
}
inline double ToDouble(Value v) {
  return v.is_float() ? v.as_float() : static_cast<double>(v.as_int());
}

}  // namespace minivm

// ---- two operands ----

// A word that has seen a float becomes the float form, and that one the general form again when
// neither operand is one.
#define ARITH(NAME, INT_EXPR)                                      \
  CASE(NAME)                                                       \
      : ARITH_BODY(NAME##_FLOAT, INT_EXPR, WRITE_T) CASE(NAME##_L) \
      : ARITH_BODY(NAME##_FLOAT_L, INT_EXPR, WRITE_L)
#define ARITH_BODY(FLOAT_FORM, INT_EXPR, WRITE)           \
  {                                                       \
    Value b = R[pc->b], c = R[pc->c];                     \
    int64_t r;                                            \
    if (MVM_LIKELY(Value::BothInt(b, c))) {               \
      if (MVM_LIKELY(INT_EXPR)) {                         \
        WRITE(Value::FromBits(static_cast<uint64_t>(r))); \
        NEXT();                                           \
      }                                                   \
    } else if (b.is_float() || c.is_float()) {            \
      pc->op = static_cast<uint8_t>(Op::FLOAT_FORM);      \
      PLAIN();                                            \
    }                                                     \
    goto arith_slow;                                      \
  }
#define FLOAT_ARITH(NAME, OPERATOR)                              \
  CASE(NAME##_FLOAT)                                             \
      : FLOAT_BODY(NAME, OPERATOR, WRITE_T) CASE(NAME##_FLOAT_L) \
      : FLOAT_BODY(NAME##_L, OPERATOR, WRITE_L)
#define FLOAT_BODY(GENERAL, OPERATOR, WRITE)             \
  {                                                      \
    Value b = R[pc->b], c = R[pc->c], v;                 \
    double x, y;                                         \
    if (MVM_LIKELY(b.is_float() && c.is_float())) {      \
      x = b.as_float();                                  \
      y = c.as_float();                                  \
    } else if (b.is_float() && c.is_int()) {             \
      x = b.as_float();                                  \
      y = static_cast<double>(c.as_int());               \
    } else if (b.is_int() && c.is_float()) {             \
      x = static_cast<double>(b.as_int());               \
      y = c.as_float();                                  \
    } else {                                             \
      if (b.is_float() || c.is_float()) goto arith_slow; \
      pc->op = static_cast<uint8_t>(Op::GENERAL);        \
      PLAIN();                                           \
    }                                                    \
    if (MVM_LIKELY(Value::TryFloat(x OPERATOR y, &v))) { \
      WRITE(v);                                          \
      NEXT();                                            \
    }                                                    \
    goto arith_slow;                                     \
  }
// Of ints, too, if the quotient of the doubles is the quotient.
#define TRUEDIV_BODY(WRITE)                                                         \
  {                                                                                 \
    Value b = R[pc->b], c = R[pc->c], v;                                            \
    if (MVM_LIKELY(IsDouble(b) && IsDouble(c))) {                                   \
      const double divisor = ToDouble(c);                                           \
      if (MVM_LIKELY(divisor != 0 && Value::TryFloat(ToDouble(b) / divisor, &v))) { \
        WRITE(v);                                                                   \
        NEXT();                                                                     \
      }                                                                             \
    }                                                                               \
    goto arith_slow;                                                                \
  }
// For ints alone.
#define INT_OP(NAME, COND, EXPR) \
  CASE(NAME) : INT_BODY(COND, EXPR, WRITE_T) CASE(NAME##_L) : INT_BODY(COND, EXPR, WRITE_L)
#define INT_BODY(COND, EXPR, WRITE)                   \
  {                                                   \
    Value b = R[pc->b], c = R[pc->c];                 \
    if (MVM_LIKELY(Value::BothInt(b, c) && (COND))) { \
      WRITE(EXPR);                                    \
      NEXT();                                         \
    }                                                 \
    goto arith_slow;                                  \
  }
#define LSHIFT_COND(b, n)                                                                \
  (static_cast<uint64_t>(n) < 61 && Value::FitsInt(b) && (((b) << (n)) >> (n)) == (b) && \
   Value::FitsInt((b) << (n)))

// ---- an operand and a constant in X ----

#define ARITH_IMM(NAME, INT_EXPR, OPERATOR)                        \
  CASE(NAME)                                                       \
      : ARITH_IMM_BODY(INT_EXPR, OPERATOR, WRITE_T) CASE(NAME##_L) \
      : ARITH_IMM_BODY(INT_EXPR, OPERATOR, WRITE_L)
#define ARITH_IMM_BODY(INT_EXPR, OPERATOR, WRITE)                                           \
  {                                                                                         \
    Value b = R[pc->b];                                                                     \
    int64_t r;                                                                              \
    if (MVM_LIKELY(b.is_int())) {                                                           \
      if (MVM_LIKELY(INT_EXPR)) {                                                           \
        WRITE(Value::FromBits(static_cast<uint64_t>(r)));                                   \
        NEXT();                                                                             \
      }                                                                                     \
    } else if (Value v; b.is_float() && Value::TryFloat(b.as_float() OPERATOR pc->x, &v)) { \
      WRITE(v);                                                                             \
      NEXT();                                                                               \
    }                                                                                       \
    goto arith_imm_slow;                                                                    \
  }
#define IMM_OP(NAME, COND, EXPR) \
  CASE(NAME) : IMM_BODY(COND, EXPR, WRITE_T) CASE(NAME##_L) : IMM_BODY(COND, EXPR, WRITE_L)
#define IMM_BODY(COND, EXPR, WRITE)         \
  {                                         \
    Value b = R[pc->b];                     \
    if (MVM_LIKELY(b.is_int() && (COND))) { \
      WRITE(EXPR);                          \
      NEXT();                               \
    }                                       \
    goto arith_imm_slow;                    \
  }

// ---- comparison ----

#define COMPARE(NAME, OPERATOR)                     \
  CASE(NAME) : {                                    \
    Value b = R[pc->b], c = R[pc->c];               \
    bool r;                                         \
    if (MVM_LIKELY(Value::BothInt(b, c))) {         \
      r = Raw(b) OPERATOR Raw(c);                   \
    } else if (b.is_float() && c.is_float()) {      \
      r = b.as_float() OPERATOR c.as_float();       \
    } else {                                        \
      goto compare_slow;                            \
    }                                               \
    Object* o = r ? ts->rt->true_ : ts->rt->false_; \
    ++o->refcount;                                  \
    R[pc->a] = o;                                   \
    NEXT();                                         \
  }
// OTHERS: where to go with operands that are no numbers in their words.
#define COMPARE_JUMP(NAME, OPERATOR, OTHERS)      \
  COMPARE_JUMP_(NAME##_T, OPERATOR, true, OTHERS) \
  COMPARE_JUMP_(NAME##_F, OPERATOR, false, OTHERS)
#define COMPARE_JUMP_(NAME, OPERATOR, WANT, OTHERS)             \
  CASE(NAME) : {                                                \
    Value b = R[pc->b], c = R[pc->c];                           \
    if (MVM_LIKELY(Value::BothInt(b, c))) {                     \
      if ((Raw(b) OPERATOR Raw(c)) == WANT) JUMP();             \
      NEXT();                                                   \
    }                                                           \
    if (b.is_float() && c.is_float()) {                         \
      if ((b.as_float() OPERATOR c.as_float()) == WANT) JUMP(); \
      NEXT();                                                   \
    }                                                           \
    goto OTHERS;                                                \
  }
#define IMM_JUMP(NAME, OPERATOR)      \
  IMM_JUMP_(NAME##_T, OPERATOR, true) \
  IMM_JUMP_(NAME##_F, OPERATOR, false)
#define IMM_JUMP_(NAME, OPERATOR, WANT)                                       \
  CASE(NAME) : {                                                              \
    Value b = R[pc->b];                                                       \
    if (MVM_LIKELY(b.is_int())) {                                             \
      if ((b.as_int() OPERATOR static_cast<int8_t>(pc->c)) == WANT) JUMP();   \
      NEXT();                                                                 \
    }                                                                         \
    if (b.is_float()) {                                                       \
      if ((b.as_float() OPERATOR static_cast<int8_t>(pc->c)) == WANT) JUMP(); \
      NEXT();                                                                 \
    }                                                                         \
    goto compare_jump_slow;                                                   \
  }

// The dispatch loop.
//
// One function, threaded through `tab`: a dispatch table reloaded from ts->tab at back edges and
// calls (POLL), which is all that uninterrupted code pays for signals, the lock, budgets and
// tracing: whoever wants attention stores the breaker table there, whose every entry leads to one
// handler. pc, R (the frame's registers) and tab live in machine registers; everything longer than
// a few instructions is a Slow function (interp_slow.h) with a uniform signature. Handlers publish
// pc and R before anything that can raise or run code. Rules for reference counts: opcodes.def.
#include "vm/interp/interpreter.h"

#include "runtime/core/type_object.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/range_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "vm/interp/arith_forms.h"
#include "vm/interp/attr_site.h"
#include "vm/interp/call_forms.h"
#include "vm/interp/draw_frames.h"
#include "vm/interp/generator_switch.h"
#include "vm/interp/interp_slow.h"
#include "vm/interp/watch.h"

namespace minivm {

namespace {

// Value of a comparison of two ints by their words.
inline int64_t Raw(Value v) { return static_cast<int64_t>(v.bits()); }

// A fresh tracked container whose fields the caller fills at once; null: use the slow path.
inline Object* FastContainer(ThreadState* ts, size_t size, uint32_t shape_id) {
  void* p = ts->rt->heap.Allocate(size, true);
  if (MVM_UNLIKELY(!p)) return nullptr;
  Object* o = StartObject(p, shape_id, kGcTracked);
  if (MVM_UNLIKELY(++ts->rt->heap.young_count >= ts->rt->heap.young_threshold))
    RequestCollection(*ts);  // serves nothing yet
  return o;
}

// The part of FastInstance for instances that have more than attribute slots.
[[gnu::noinline]] Object* StartInstance(ThreadState* ts, TypeObject* type, Object* o,
                                        const Value* args, uint32_t count) {
  Value* members = reinterpret_cast<Value*>(o + 1);  // __slots__, fields of a base
  for (size_t n = (type->basic_size - sizeof(Object)) / 8; n > 0; --n) *members++ = Value();
  if (!type->has_flag(kTypeExceptionSubclass)) return o;
  if (MVM_UNLIKELY(!FillException(*ts, static_cast<ExceptionObject*>(o), args, count))) {
    ts->rt->heap.Free(o);
    return nullptr;
  }
  if (!type->is_heap()) --type->refcount;  // which instances of other classes take over
  return o;
}

// A fresh instance for CALL_CLASS; null: use the slow path.
inline Object* FastInstance(ThreadState* ts, TypeObject* type, const Value* args, uint32_t count) {
  size_t size = type->basic_size;
  if (const Shape* shape = type->root_shape) size += size_t{shape->inline_capacity} * 8;
  Object* o = FastContainer(ts, size, type->shape_id_exact);
  if (MVM_UNLIKELY(!o)) return nullptr;
  return MVM_LIKELY(type->basic_size == sizeof(Object)) ? o
                                                        : StartInstance(ts, type, o, args, count);
}

// A fresh empty list; null: use the slow path.
inline ListObject* FastList(ThreadState* ts) {
  Object* o = FastContainer(ts, sizeof(ListObject), ShapeIdOf(TypeId::kList));
  if (MVM_UNLIKELY(!o)) return nullptr;
  ListObject* list = static_cast<ListObject*>(o);
  list->items = nullptr;
  list->size = list->capacity = 0;
  return list;
}

inline const void* const* TableOf(const ThreadState* ts) {
  return ts->tab.load(std::memory_order_relaxed);
}

}  // namespace

#if defined(MVM_SWITCH_DISPATCH)
#define CASE(name) case static_cast<uint8_t>(Op::name)
#define DISPATCH() goto dispatch
#define POLL()                                                        \
  do {                                                                \
    if (MVM_UNLIKELY(TableOf(ts) != kNormalTable)) goto breaker_poll; \
  } while (0)
#else
#define CASE(name) L_##name
#define DISPATCH() goto* tab[pc->op]
#define POLL() tab = TableOf(ts)
#endif
#define NEXT()  \
  do {          \
    ++pc;       \
    DISPATCH(); \
  } while (0)
#define JUMP()       \
  do {               \
    pc += 1 + pc->x; \
    DISPATCH();      \
  } while (0)
#define SAVE() (ts->base = R, ts->pc = pc)
#define INCREF(v)                                 \
  do {                                            \
    Value v_ = (v);                               \
    if (v_.is_pointer()) ++v_.object()->refcount; \
  } while (0)
#define DECREF(v)                                                                             \
  do {                                                                                        \
    Value d_ = (v);                                                                           \
    if (d_.is_pointer() && --d_.object()->refcount == 0) ColdDealloc(ts, R, pc, d_.object()); \
  } while (0)
// A finalizer may have asked for the frame, which then has more flags than these.
#define RELEASE_LOCALS(n, FLAGS)                                \
  for (uint32_t i_ = 0, n_ = (n); i_ < n_; ++i_) {              \
    Value d_ = R[i_];                                           \
    if (d_.is_pointer() && --d_.object()->refcount == 0) {      \
      ColdDeallocLocal(ts, R, i_);                              \
      if ((R[-1].bits() & 0xFF) != (FLAGS)) goto leave_flagged; \
    }                                                           \
  }
#define SET_LOCAL(i, v) \
  do {                  \
    Value old_ = R[i];  \
    R[i] = (v);         \
    DECREF(old_);       \
  } while (0)
// Past those who watch: the word's own handler.
#if defined(MVM_SWITCH_DISPATCH)
#define PLAIN() goto plain
#define PLAIN_AS(name) goto plain
#else
#define PLAIN() goto* kNormalTable[pc->op]
#define PLAIN_AS(name) goto L_##name
#endif
#define SLOW(call)           \
  do {                       \
    if (!(call)) goto error; \
    NEXT();                  \
  } while (0)
#define WRITE_T(v) R[pc->a] = (v)
#define WRITE_L(v) SET_LOCAL(pc->a, v)

Value Run(ThreadState* ts, Value* base, const Word* start) {
  static const void* const kNormalTable[256] = {
#if !defined(MVM_SWITCH_DISPATCH)
#define OP(name, format, flags, doc) &&L_##name,
#define OPT(name, format, flags, doc) &&L_##name, &&L_##name##_L,
#include "vm/bytecode/opcodes.def"
#undef OP
#undef OPT
#endif
  };
#if defined(MVM_SWITCH_DISPATCH)
  static const void* const kBreakerTable[1] = {nullptr};
  static const void* const kTickTable[1] = {nullptr};
#else
#define OP(name, format, flags, doc) &&breaker,
#define OPT(name, format, flags, doc) &&breaker, &&breaker,
  static const void* const kBreakerTable[256] = {
#include "vm/bytecode/opcodes.def"
  };
#undef OP
#undef OPT
#define OP(name, format, flags, doc) &&tick,
#define OPT(name, format, flags, doc) &&tick, &&tick,
  static const void* const kTickTable[256] = {
#include "vm/bytecode/opcodes.def"
  };
#undef OP
#undef OPT
#endif
#if defined(MVM_SWITCH_DISPATCH)
  static const void* const kWatchLabels[static_cast<size_t>(WatchKind::kCount)] = {};
#else
  static const void* const kWatchLabels[] = {
      nullptr,
      &&watch_call,
      &&watch_resume,
      &&watch_property,
      &&watch_super,
      &&watch_leave,
      &&profile_py,
      &&profile_method_py,
      &&profile_class,
      &&profile_native,
      &&profile_method_native,
      &&profile_property,
      &&profile_for,
      &&profile_send,
      &&profile_ret,
      &&profile_retsp,
      &&profile_yield,
      &&profile_forget,
  };
  static_assert(std::size(kWatchLabels) == static_cast<size_t>(WatchKind::kCount));
#endif
  if (MVM_UNLIKELY(ts == nullptr)) {  // InitInterpreterThread asks for the tables
    const void* const** out = reinterpret_cast<const void* const**>(base);
    out[0] = kNormalTable;
    out[1] = kBreakerTable;
    out[2] = kTickTable;
    out[3] = kWatchLabels;
    return Value();
  }

  Value* R = base;
  Word* pc = const_cast<Word*>(start);
#if !defined(MVM_SWITCH_DISPATCH)
  const void* const* tab = TableOf(ts);
#endif
  Value result;
  bool flag = false;
  if (MVM_UNLIKELY(pc == nullptr)) {  // an exception is to be raised at ts->pc (generator.throw)
    pc = const_cast<Word*>(static_cast<const Word*>(ts->pc));
    goto error;
  }
  DISPATCH();

#if defined(MVM_SWITCH_DISPATCH)
dispatch:
  if (MVM_UNLIKELY(InterpOf(*ts).ticking)) {
    if (!SlowTick(ts, R, pc)) goto error;
    pc = const_cast<Word*>(static_cast<const Word*>(ts->pc));  // jumps of debuggers
  }
  if (const WatchTable* watching = InterpOf(*ts).watching) {
    switch (static_cast<WatchKind>(watching->kinds[pc->op])) {
      case WatchKind::kCall: goto watch_call;
      case WatchKind::kResume: goto watch_resume;
      case WatchKind::kProperty: goto watch_property;
      case WatchKind::kSuper: goto watch_super;
      case WatchKind::kLeave: goto watch_leave;
      case WatchKind::kProfilePy: goto profile_py;
      case WatchKind::kProfileMethodPy: goto profile_method_py;
      case WatchKind::kProfileClass: goto profile_class;
      case WatchKind::kProfileNative: goto profile_native;
      case WatchKind::kProfileMethodNative: goto profile_method_native;
      case WatchKind::kProfileProperty: goto profile_property;
      case WatchKind::kProfileFor: goto profile_for;
      case WatchKind::kProfileSend: goto profile_send;
      case WatchKind::kProfileRet: goto profile_ret;
      case WatchKind::kProfileRetSp: goto profile_retsp;
      case WatchKind::kProfileYield: goto profile_yield;
      case WatchKind::kProfileForget: goto profile_forget;
      default: break;
    }
  }
plain:
  switch (pc->op) {
#endif

    // ---- moves and constants ----
    CASE(NOP) : NEXT();
    CASE(MOVE) : {
      Value v = R[pc->b];
      INCREF(v);
      R[pc->a] = v;
      NEXT();
    }
    CASE(MOVE_L) : {
      Value v = R[pc->b];
      INCREF(v);
      SET_LOCAL(pc->a, v);
      NEXT();
    }
    CASE(STLOC) : {
      SET_LOCAL(pc->a, R[pc->b]);
      NEXT();
    }
    CASE(TMOVE) : {
      R[pc->a] = R[pc->b];
      NEXT();
    }
    CASE(MOVE_W) : {
      Value v = R[pc->b];
      Value* w = R + pc->a;
      INCREF(v);
      w[0] = v;
      w[1] = w[2] = Value::Int(0);
      NEXT();
    }
    CASE(WINDOW) : {
      Value* w = R + pc->a;
      w[1] = w[2] = Value::Int(0);
      NEXT();
    }
    CASE(SPILL) : SLOW(SlowSpill(ts, R, pc));
    CASE(UNSPILL) : {
      SlowUnspill(R, pc);
      NEXT();
    }
    CASE(SWAP) : {
      std::swap(R[pc->a], R[pc->b]);
      NEXT();
    }
    CASE(LOADK) : {
      Value v = reinterpret_cast<Value*>(pc)[pc->x];
      INCREF(v);
      R[pc->a] = v;
      NEXT();
    }
    CASE(LOADK_L) : {
      Value v = reinterpret_cast<Value*>(pc)[pc->x];
      INCREF(v);
      SET_LOCAL(pc->a, v);
      NEXT();
    }
    CASE(LOADI) : {
      R[pc->a] = Value::Int(pc->x);
      NEXT();
    }
    CASE(LOADI_L) : {
      SET_LOCAL(pc->a, Value::Int(pc->x));
      NEXT();
    }
    CASE(LOADSP) : {
      Value v = ts->rt->specials[pc->b];
      INCREF(v);
      R[pc->a] = v;
      NEXT();
    }
    CASE(LOADSP_L) : {
      Value v = ts->rt->specials[pc->b];
      INCREF(v);
      SET_LOCAL(pc->a, v);
      NEXT();
    }
    CASE(CHKLOCAL) : {
      if (MVM_UNLIKELY(R[pc->a].is(ts->rt->unbound))) SLOW(SlowCell(ts, R, pc));
      NEXT();
    }
    CASE(DELLOC) : {
      if (MVM_UNLIKELY(R[pc->a].is(ts->rt->unbound))) SLOW(SlowCell(ts, R, pc));
      SET_LOCAL(pc->a, Value(ts->rt->unbound));
      NEXT();
    }
    CASE(UNSETLOC) : {
      SET_LOCAL(pc->a, Value(ts->rt->unbound));
      NEXT();
    }
    CASE(CLEAR) : {
      DECREF(R[pc->a]);
      NEXT();
    }
    CASE(LDFAR) : SLOW(SlowFar(ts, R, pc));
    CASE(STFAR) : SLOW(SlowFar(ts, R, pc));
    CASE(DELFAR) : SLOW(SlowFar(ts, R, pc));
    CASE(MKFAR) : SLOW(SlowFar(ts, R, pc));

    // ---- cells and closures ----
    CASE(MKCELL) : SLOW(SlowCell(ts, R, pc));
    CASE(LDCELL) : {
      Value v = R[pc->b].as<CellObject>()->value;
      if (MVM_UNLIKELY(v.is(ts->rt->unbound))) SLOW(SlowCell(ts, R, pc));
      INCREF(v);
      R[pc->a] = v;
      NEXT();
    }
    CASE(STCELL) : {
      CellObject* cell = R[pc->a].as<CellObject>();
      Value v = R[pc->b];
      if (!(pc->c & kConsume1)) INCREF(v);
      Value old = cell->value;
      cell->value = v;
      DECREF(old);
      NEXT();
    }
    CASE(DELCELL) : SLOW(SlowCell(ts, R, pc));
    CASE(UNSETCELL) : SLOW(SlowCell(ts, R, pc));
    CASE(LDFREE) : {
      FunctionObject* f = FunctionOf(R);
      Value v = f->closure->items()[pc->x].as<CellObject>()->value;
      if (MVM_UNLIKELY(v.is(ts->rt->unbound))) SLOW(SlowCell(ts, R, pc));
      INCREF(v);
      R[pc->a] = v;
      NEXT();
    }
    CASE(STFREE) : {
      CellObject* cell = FunctionOf(R)->closure->items()[pc->x].as<CellObject>();
      Value v = R[pc->b];
      if (!(pc->c & kConsume1)) INCREF(v);
      Value old = cell->value;
      cell->value = v;
      DECREF(old);
      NEXT();
    }
    CASE(DELFREE) : SLOW(SlowCell(ts, R, pc));
    CASE(LDFREECELL) : {
      Value v = FunctionOf(R)->closure->items()[pc->x];
      INCREF(v);
      R[pc->a] = v;
      NEXT();
    }

    // ---- globals and names ----
    CASE(LOADG) : SLOW(SlowLoadGlobal(ts, R, pc));
    CASE(LOADG_CELL) : {
      Value v = reinterpret_cast<CellObject*>(CacheOf(pc)->ptr)->value;
      if (MVM_UNLIKELY(v.is(ts->rt->unbound))) SLOW(SlowLoadGlobal(ts, R, pc));
      INCREF(v);
      Value* w = R + pc->a;
      w[0] = v;
      w[1] = w[2] = Value::Int(0);  // opens a call window if it is one; else the words are free
      NEXT();
    }
    CASE(LOADG_BUILTIN) : {
      // The entry holds the builtins cell in ptr and the globals cell in place of a and b.
      CacheEntry* cache = CacheOf(pc);
      CellObject* global = *reinterpret_cast<CellObject**>(cache);
      Value v = reinterpret_cast<CellObject*>(cache->ptr)->value;
      if (MVM_UNLIKELY(!global->value.is(ts->rt->unbound) || v.is(ts->rt->unbound))) {
        SLOW(SlowLoadGlobal(ts, R, pc));
      }
      INCREF(v);
      Value* w = R + pc->a;
      w[0] = v;
      w[1] = w[2] = Value::Int(0);
      NEXT();
    }
    CASE(STOREG) : SLOW(SlowStoreGlobal(ts, R, pc));
    CASE(STOREG_CELL) : {
      CellObject* cell = reinterpret_cast<CellObject*>(CacheOf(pc)->ptr);
      Value old = cell->value;
      if (MVM_UNLIKELY(old.is(ts->rt->unbound))) SLOW(SlowStoreGlobal(ts, R, pc));
      Value v = R[pc->a];
      if (!(pc->c & kConsume1)) INCREF(v);
      cell->value = v;
      DECREF(old);
      NEXT();
    }
    CASE(DELG) : SLOW(SlowDeleteGlobal(ts, R, pc));
    CASE(LOADNAME) : SLOW(SlowName(ts, R, pc));
    CASE(STORENAME) : SLOW(SlowName(ts, R, pc));
    CASE(DELNAME) : SLOW(SlowName(ts, R, pc));
    CASE(LOADNAME_CELL) : SLOW(SlowName(ts, R, pc));
    CASE(LOADNAME_GLOBAL) : SLOW(SlowName(ts, R, pc));
    CASE(LOADNAME_DICT_CELL) : SLOW(SlowName(ts, R, pc));
    CASE(LOADLOCALS) : SLOW(SlowName(ts, R, pc));

    // ---- arithmetic ----
    ARITH(ADD, !__builtin_add_overflow(Raw(b), Raw(c) - 2, &r))
    ARITH(SUB, !__builtin_sub_overflow(Raw(b), Raw(c) - 2, &r))
    ARITH(MUL, !__builtin_mul_overflow(Raw(b) - 2, c.as_int(), &r) && (r |= 2, true))
    FLOAT_ARITH(ADD, +)
    FLOAT_ARITH(SUB, -)
    FLOAT_ARITH(MUL, *)
    CASE(TRUEDIV)
        : TRUEDIV_BODY(WRITE_T) CASE(TRUEDIV_L)
        : TRUEDIV_BODY(WRITE_L)
              INT_OP(FLOORDIV, c.as_int() > 0, Value::Int(FloorDivInt(b.as_int(), c.as_int())))
                  INT_OP(MOD, c.as_int() > 0, Value::Int(ModInt(b.as_int(), c.as_int())))
                      INT_OP(AND, true, Value::FromBits(b.bits() & c.bits())) CASE(OR)
        : INT_BODY(true, Value::FromBits(b.bits() | c.bits()), WRITE_T) CASE(XOR)
        : INT_BODY(true, Value::FromBits((b.bits() ^ c.bits()) | 2), WRITE_T) INT_OP(
              RSHIFT, static_cast<uint64_t>(c.as_int()) < 62, Value::Int(b.as_int() >> c.as_int()))
              INT_OP(LSHIFT, LSHIFT_COND(b.as_int(), c.as_int()),
                     Value::Int(b.as_int() << c.as_int())) CASE(POW)
        : goto arith_slow;
    CASE(MATMUL) : goto arith_slow;

    ARITH_IMM(ADDI, !__builtin_add_overflow(Raw(b), int64_t{pc->x} * 4, &r), +)
    ARITH_IMM(SUBI, !__builtin_sub_overflow(Raw(b), int64_t{pc->x} * 4, &r), -)
    ARITH_IMM(MULI, !__builtin_mul_overflow(Raw(b) - 2, int64_t{pc->x}, &r) && (r |= 2, true), *)
    IMM_OP(FLOORDIVI, true, Value::Int(ReciprocalIn(*CacheOf(pc)).Quotient(b.as_int())))
    IMM_OP(MODI, true, Value::Int(ReciprocalIn(*CacheOf(pc)).Remainder(b.as_int())))
    IMM_OP(ANDI, true, Value::FromBits(b.bits() & (static_cast<uint64_t>(int64_t{pc->x}) << 2 | 2)))
    IMM_OP(LSHIFTI, LSHIFT_COND(b.as_int(), pc->x), Value::Int(b.as_int() << pc->x))
    IMM_OP(RSHIFTI, true, Value::Int(b.as_int() >> pc->x))
    CASE(NEG) : {
      Value b = R[pc->b];
      if (b.is_int() && b.as_int() != Value::kMinInt) {
        R[pc->a] = Value::Int(-b.as_int());
        NEXT();
      }
      if (Value v; b.is_float() && Value::TryFloat(-b.as_float(), &v)) {
        R[pc->a] = v;
        NEXT();
      }
      SLOW(SlowUnary(ts, R, pc));
    }
    CASE(NEG_L) : SLOW(SlowUnary(ts, R, pc));
    CASE(POS) : SLOW(SlowUnary(ts, R, pc));
    CASE(INVERT) : SLOW(SlowUnary(ts, R, pc));
    CASE(NOT) : {
      Value b = R[pc->b];
      if (b.is(ts->rt->true_) || b.is(ts->rt->false_)) {
        R[pc->a] = b.is(ts->rt->true_) ? ts->rt->false_ : ts->rt->true_;
        ++R[pc->a].object()->refcount;
        if (pc->c & kConsume1) --b.object()->refcount;
        NEXT();
      }
      SLOW(SlowUnary(ts, R, pc));
    }
    CASE(TOBOOL) : SLOW(SlowUnary(ts, R, pc));

    // ---- comparison ----
    COMPARE(LT, <)
    COMPARE(LE, <=)
    COMPARE(EQ, ==)
    COMPARE(NE, !=)
    COMPARE(GT, >)
    COMPARE(GE, >=)
#define IDENTITY(NAME, OPERATOR)                                             \
  CASE(NAME) : {                                                             \
    Value b = R[pc->b], c = R[pc->c];                                        \
    Object* o = b.bits() OPERATOR c.bits() ? ts->rt->true_ : ts->rt->false_; \
    uint32_t consume = static_cast<uint32_t>(pc->x);                         \
    ++o->refcount;                                                           \
    R[pc->a] = o;                                                            \
    if (consume & kConsume1) DECREF(b);                                      \
    if (consume & kConsume2) DECREF(c);                                      \
    NEXT();                                                                  \
  }
    IDENTITY(IS, ==)
    IDENTITY(ISNOT, !=)
    CASE(IN) : SLOW(SlowContains(ts, R, pc));
    CASE(NOTIN) : SLOW(SlowContains(ts, R, pc));

    // ---- jumps ----
    CASE(JMP) : JUMP();
    CASE(LOOP) : {
      pc += 1 + pc->x;
      POLL();
      DISPATCH();
    }
#define TRUTH(v, truth, CONSUME)                             \
  do {                                                       \
    if (v.is(ts->rt->true_)) {                               \
      truth = true;                                          \
    } else if (v.is(ts->rt->false_) || v.is(ts->rt->none)) { \
      truth = false;                                         \
    } else if (v.is_int()) {                                 \
      truth = v.bits() != Value::Int(0).bits();              \
    } else {                                                 \
      const int t_ = SlowTruth(ts, R, pc, v);                \
      if (MVM_UNLIKELY(t_ < 0)) {                            \
        if (CONSUME) DECREF(v);                              \
        goto error;                                          \
      }                                                      \
      truth = t_;                                            \
    }                                                        \
  } while (0)
#define TRUTH_JUMP(NAME, WANT)         \
  CASE(NAME) : {                       \
    Value v = R[pc->a];                \
    bool truth;                        \
    TRUTH(v, truth, pc->c& kConsume1); \
    if (pc->c & kConsume1) DECREF(v);  \
    if (truth == WANT) JUMP();         \
    NEXT();                            \
  }
    TRUTH_JUMP(JT, true)
    TRUTH_JUMP(JF, false)
#define KEEP_JUMP(NAME, WANT)  \
  CASE(NAME) : {               \
    Value v = R[pc->a];        \
    bool truth;                \
    TRUTH(v, truth, true);     \
    if (truth == WANT) JUMP(); \
    DECREF(v);                 \
    NEXT();                    \
  }
    KEEP_JUMP(JTKEEP, true)
    KEEP_JUMP(JFKEEP, false)
#define NONE_JUMP(NAME, OPERATOR)                 \
  CASE(NAME) : {                                  \
    Value v = R[pc->a];                           \
    bool jump = v.object() OPERATOR ts->rt->none; \
    if (pc->c & kConsume1) DECREF(v);             \
    if (jump) JUMP();                             \
    NEXT();                                       \
  }
    NONE_JUMP(JNONE, ==)
    NONE_JUMP(JNOTNONE, !=)
    COMPARE_JUMP(JLT, <, compare_jump_slow)
    COMPARE_JUMP(JLE, <=, compare_jump_slow)
    COMPARE_JUMP(JEQ, ==, equal_jump_slow)
    COMPARE_JUMP(JNE, !=, equal_jump_slow)
    COMPARE_JUMP(JGT, >, compare_jump_slow)
    COMPARE_JUMP(JGE, >=, compare_jump_slow)
    IMM_JUMP(JLTI, <)
    IMM_JUMP(JLEI, <=)
    IMM_JUMP(JEQI, ==)
    IMM_JUMP(JNEI, !=)
    IMM_JUMP(JGTI, >)
    IMM_JUMP(JGEI, >=)
#define IS_JUMP(NAME, WANT)           \
  CASE(NAME) : {                      \
    Value b = R[pc->b], c = R[pc->c]; \
    bool jump = b.is(c) == WANT;      \
    if (pc->a & kConsume1) DECREF(b); \
    if (pc->a & kConsume2) DECREF(c); \
    if (jump) JUMP();                 \
    NEXT();                           \
  }
    IS_JUMP(JIS_T, true)
    IS_JUMP(JIS_F, false)
#define IN_JUMP(NAME)                    \
  CASE(NAME) : {                         \
    int t = SlowContainsJump(ts, R, pc); \
    if (MVM_UNLIKELY(t < 0)) goto error; \
    if (t) JUMP();                       \
    NEXT();                              \
  }
    IN_JUMP(JIN_T)
    IN_JUMP(JIN_F)

    // ---- attributes ----
    CASE(GETATTR) : SLOW(SlowGetAttr(ts, R, pc));
    CASE(GETATTR_L) : SLOW(SlowGetAttr(ts, R, pc));
#define GETATTR_SLOT_BODY(WRITE)                                                              \
  {                                                                                           \
    Value o = R[pc->b];                                                                       \
    if (MVM_LIKELY(o.is_pointer() && o.object()->shape_id == static_cast<uint32_t>(pc->x))) { \
      const uint32_t c = pc->c;                                                               \
      Value v = reinterpret_cast<Value*>(o.object() + 1)[size_t{c >> 1}];                     \
      INCREF(v);                                                                              \
      const bool consume = c & 1;                                                             \
      WRITE(v);                                                                               \
      if (consume) DECREF(o);                                                                 \
      NEXT();                                                                                 \
    }                                                                                         \
    SLOW(SlowGetAttr(ts, R, pc));                                                             \
  }
    CASE(GETATTR_SLOT)
        : GETATTR_SLOT_BODY(WRITE_T) CASE(GETATTR_SLOT_L)
        : GETATTR_SLOT_BODY(WRITE_L) CASE(GETATTR_POLY)
        : GETATTR_POLY_BODY(WRITE_T) CASE(GETATTR_POLY_L)
        : GETATTR_POLY_BODY(WRITE_L) GETATTR_CACHED(
              CASE(GETATTR_CLASS), o.is_pointer() && o.object()->shape_id == cache->a, CELL_VALUE,
              v.is(ts->rt->unbound))
              GETATTR_CACHED(
                  CASE(GETATTR_MEMBER), o.is_pointer() && o.object()->shape_id == cache->a,
                  *reinterpret_cast<Value*>(reinterpret_cast<char*>(o.object()) + cache->ptr),
                  v.is_null())
                  GETATTR_CACHED(CASE(GETATTR_MODULE),
                                 Holds(o, TypeId::kModule) && o.object()->aux == cache->a,
                                 CELL_VALUE, v.is(ts->rt->unbound))
          // cache->b: shape of the class object (its metaclass); a: its version.
          GETATTR_CACHED(CASE(GETATTR_TYPE),
                         o.is_pointer() && o.object()->shape_id == cache->b &&
                             o.as<TypeObject>()->version == cache->a,
                         CELL_VALUE, v.is(ts->rt->unbound)) CASE(GETATTR_PROPERTY)
        : {
      switch (SlowGetProperty(ts, R, pc)) {
        case CallOutcome::kRaised: goto error;
        case CallOutcome::kDone: NEXT();
        case CallOutcome::kPushed: goto pushed;
      }
      __builtin_unreachable();
    }
    CASE(SETATTR) : SLOW(SlowSetAttr(ts, R, pc));
    CASE(SETATTR_SLOT) : {
      Value o = R[pc->a];
      if (MVM_LIKELY(o.is_pointer() && o.object()->shape_id == static_cast<uint32_t>(pc->x))) {
        Value v = R[pc->b];
        const uint32_t c = pc->c;
        if (!(c & kConsume2)) INCREF(v);
        Value* slot = reinterpret_cast<Value*>(o.object() + 1) + size_t{c >> 2};
        Value old = *slot;
        *slot = v;
        DECREF(old);
        if (c & kConsume1) DECREF(o);
        NEXT();
      }
      SLOW(SlowSetAttr(ts, R, pc));
    }
    CASE(SETATTR_POLY) : {
      Value o = R[pc->a];
      if (MVM_LIKELY(o.is_pointer())) {
        CacheEntry* cache = CacheOf(pc);
        const uint32_t likely = LikelySlot(cache);
        const AttrCache::Entry* e = PolyEntry(ts, pc, o);
        if (MVM_LIKELY(e != nullptr && e->kind == AttrCache::kSetSlot)) {
          Value v = R[pc->b];
          uint8_t c = pc->c;
          if (!(c & kConsume2)) INCREF(v);
          Value* slot = reinterpret_cast<Value*>(o.object() + 1);
          slot += MVM_LIKELY(IsLikelySlot(cache, e)) ? likely : e->payload;
          Value old = *slot;
          *slot = v;
          DECREF(old);
          if (c & kConsume1) DECREF(o);
          NEXT();
        }
      }
      SLOW(SlowSetAttr(ts, R, pc));
    }
    CASE(SETATTR_ADD) : {
      Value o = R[pc->a];
      CacheEntry* cache = CacheOf(pc);
      if (MVM_LIKELY(o.is_pointer() && o.object()->shape_id == cache->a)) {
        Value v = R[pc->b];
        if (!(pc->c & kConsume2)) INCREF(v);
        reinterpret_cast<Value*>(o.object() + 1)[cache->ptr] = v;
        o.object()->shape_id = cache->b;
        if (pc->c & kConsume1) DECREF(o);
        NEXT();
      }
      SLOW(SlowSetAttr(ts, R, pc));
    }
    CASE(SETATTR_MEMBER) : {
      Value o = R[pc->a];
      CacheEntry* cache = CacheOf(pc);
      if (MVM_LIKELY(o.is_pointer() && o.object()->shape_id == cache->a)) {
        Value v = R[pc->b];
        if (!(pc->c & kConsume2)) INCREF(v);
        Value* slot = reinterpret_cast<Value*>(reinterpret_cast<char*>(o.object()) + cache->ptr);
        Value old = *slot;
        *slot = v;
        if (!old.is_null()) DECREF(old);
        if (pc->c & kConsume1) DECREF(o);
        NEXT();
      }
      SLOW(SlowSetAttr(ts, R, pc));
    }
    CASE(DELATTR) : SLOW(SlowDelAttr(ts, R, pc));
    CASE(LOAD_METHOD) : SLOW(SlowLoadMethod(ts, R, pc));
    CASE(LOAD_METHOD_CLASS) : {
      Value o = R[pc->b];
      CacheEntry* cache = CacheOf(pc);
      if (MVM_LIKELY(o.is_pointer() && o.object()->shape_id == cache->a)) {
        if (MVM_UNLIKELY(cache->ptr & kSelfTags)) goto wrapped_method;
        Value f = Value::FromBits(cache->ptr);
        Value* w = R + pc->a;
        ++f.object()->refcount;
        if (!(pc->c & kConsume1)) ++o.object()->refcount;
        w[0] = f;
        w[1] = w[2] = Value::Int(0);
        w[3] = o;
        NEXT();
      }
      SLOW(SlowLoadMethod(ts, R, pc));
    }
    CASE(LOAD_METHOD_POLY) : {
      Value o = R[pc->b];
      if (MVM_LIKELY(o.is_pointer())) {
        const AttrCache::Entry* e = PolyEntry(ts, pc, o);
        if (MVM_LIKELY(e != nullptr)) {
          Value f = Value::FromBits(e->payload);
          Value* w = R + pc->a;
          ++f.object()->refcount;
          if (!(pc->c & kConsume1)) ++o.object()->refcount;
          w[0] = f;
          w[1] = w[2] = Value::Int(0);
          w[3] = o;
          NEXT();
        }
      }
      SLOW(SlowLoadMethod(ts, R, pc));
    }
    CASE(LOAD_METHOD_MODULE) : {
      Value o = R[pc->b];
      CacheEntry* cache = CacheOf(pc);
      if (MVM_LIKELY(Holds(o, TypeId::kModule) && o.object()->aux == cache->a)) {
        Value f = reinterpret_cast<CellObject*>(cache->ptr)->value;
        if (MVM_LIKELY(!f.is(ts->rt->unbound))) {
          Value* w = R + pc->a;
          INCREF(f);
          bool consume = pc->c & kConsume1;
          w[0] = f;
          w[1] = w[2] = Value::Int(0);
          w[3] = Value::Absent();
          if (consume) DECREF(o);
          NEXT();
        }
      }
      SLOW(SlowLoadMethod(ts, R, pc));
    }
    CASE(LOAD_METHOD_TYPE) : {
      Value o = R[pc->b];
      CacheEntry* cache = CacheOf(pc);
      if (MVM_LIKELY(o.is_pointer() && o.object()->shape_id == cache->b &&
                     o.as<TypeObject>()->version == cache->a)) {
        if (MVM_UNLIKELY(cache->ptr & kSelfTags)) goto wrapped_method;
        Value f = Value::FromBits(cache->ptr);
        Value* w = R + pc->a;
        INCREF(f);
        bool consume = pc->c & kConsume1;
        w[0] = f;
        w[1] = w[2] = Value::Int(0);
        w[3] = Value::Absent();
        if (consume) DECREF(o);
        NEXT();
      }
      SLOW(SlowLoadMethod(ts, R, pc));
    }
  wrapped_method : {
    if (MVM_UNLIKELY(InterpOf(*ts).watching != nullptr)) SLOW(WatchedWrappedMethod(ts, R, pc));
    const Value o = R[pc->b];
    const uint64_t tagged = CacheOf(pc)->ptr;
    const bool of_class = static_cast<Op>(pc->op) == Op::LOAD_METHOD_TYPE;
    const Value f = Value::FromBits(tagged & ~kSelfTags);
    const Value self = tagged & kSelfAbsent ? Value::Absent()
                       : of_class           ? o
                                            : Value(ts->rt->shapes[o.object()->shape_id].type);
    Value* w = R + pc->a;
    INCREF(f);
    INCREF(self);
    const bool consume = pc->c & kConsume1;
    w[0] = f;
    w[1] = w[2] = Value::Int(0);
    w[3] = self;
    if (consume) DECREF(o);
    NEXT();
  }
    CASE(LOAD_SPECIAL) : SLOW(SlowLoadSpecial(ts, R, pc));
    CASE(LOAD_SUPER) : SLOW(SlowLoadSuper(ts, R, pc));
    CASE(LOADPAIR) : {
      Value* w = R + pc->a;
      Value f = R[pc->b], self = R[pc->b + 1];
      w[0] = f;
      w[1] = w[2] = Value::Int(0);
      w[3] = self;
      NEXT();
    }
    CASE(STPAIR) : {
      Value* w = R + pc->b;
      Value f = w[0], self = w[3];
      R[pc->a] = f;
      R[pc->a + 1] = self;
      NEXT();
    }

    // ---- subscripts ----
    CASE(GETITEM) : goto get_item_slow;
    CASE(GETITEM_L) : goto get_item_slow;
#define GETITEM_LIST_BODY(WRITE)                             \
  {                                                          \
    Value o = R[pc->b], i = R[pc->c];                        \
    if (MVM_LIKELY(i.is_int() && Holds(o, TypeId::kList))) { \
      ListObject* list = o.as<ListObject>();                 \
      uint64_t k = static_cast<uint64_t>(i.as_int());        \
      if (MVM_UNLIKELY(k >= list->size)) k += list->size;    \
      if (MVM_LIKELY(k < list->size)) {                      \
        Value v = list->items[k];                            \
        INCREF(v);                                           \
        bool consume = pc->x & kConsume1;                    \
        WRITE(v);                                            \
        if (consume) DECREF(o);                              \
        NEXT();                                              \
      }                                                      \
    }                                                        \
    goto get_item_slow;                                      \
  }
    CASE(GETITEM_LIST)
        : GETITEM_LIST_BODY(WRITE_T) CASE(GETITEM_LIST_L)
        : GETITEM_LIST_BODY(WRITE_L) CASE(GETITEM_TUPLE) : {
      Value o = R[pc->b], i = R[pc->c];
      if (MVM_LIKELY(i.is_int() && Holds(o, TypeId::kTuple))) {
        TupleObject* tuple = o.as<TupleObject>();
        uint64_t k = static_cast<uint64_t>(i.as_int());
        if (MVM_UNLIKELY(k >= tuple->size())) k += tuple->size();
        if (MVM_LIKELY(k < tuple->size())) {
          Value v = tuple->items()[k];
          INCREF(v);
          bool consume = pc->x & kConsume1;
          R[pc->a] = v;
          if (consume) DECREF(o);
          NEXT();
        }
      }
      goto get_item_slow;
    }
    CASE(GETITEM_STR) : {
      Value o = R[pc->b], i = R[pc->c];
      if (MVM_LIKELY(i.is_int() && Holds(o, TypeId::kStr))) {
        StrObject* s = o.as<StrObject>();
        uint64_t k = static_cast<uint64_t>(i.as_int());
        if (MVM_UNLIKELY(k >= s->length)) k += s->length;
        if (MVM_LIKELY(k < s->length && s->kind() == 1)) {
          StrObject* v = ts->rt->latin1[s->data1()[k]];
          if (MVM_LIKELY(v != nullptr)) {
            ++v->refcount;
            bool consume = pc->x & kConsume1;
            R[pc->a] = Value(v);
            if (consume) DECREF(o);
            NEXT();
          }
        }
      }
      goto get_item_slow;
    }
    CASE(GETITEM_DICT) : {
      Value o = R[pc->b];
      if (MVM_LIKELY(Holds(o, TypeId::kDict))) {
        Value key = R[pc->c];
        if (const Value* place = DictPeek(*ts->rt, o.as<DictObject>(), key)) {
          Value v = *place;
          INCREF(v);
          uint32_t consume = static_cast<uint32_t>(pc->x);
          R[pc->a] = v;
          if (consume & kConsume1) DECREF(o);
          if (consume & kConsume2) DECREF(key);
          NEXT();
        }
      }
      goto get_item_slow;
    }
    CASE(SETITEM) : goto set_item_slow;
    CASE(SETITEM_LIST) : {
      Value o = R[pc->a], i = R[pc->b];
      if (MVM_LIKELY(i.is_int() && Holds(o, TypeId::kList))) {
        ListObject* list = o.as<ListObject>();
        uint64_t k = static_cast<uint64_t>(i.as_int());
        if (MVM_UNLIKELY(k >= list->size)) k += list->size;
        if (MVM_LIKELY(k < list->size)) {
          Value v = R[pc->c];
          uint32_t consume = static_cast<uint32_t>(pc->x);
          if (!(consume & kConsume3)) INCREF(v);
          Value old = list->items[k];
          list->items[k] = v;
          DECREF(old);
          if (consume & kConsume1) DECREF(o);
          NEXT();
        }
      }
      goto set_item_slow;
    }
    CASE(SETITEM_DICT) : goto set_item_slow;
    CASE(DELITEM) : SLOW(SlowSubscriptMisc(ts, R, pc));
    CASE(GETSLICE) : SLOW(SlowGetSlice(ts, R, pc));
    CASE(SETSLICE) : SLOW(SlowSubscriptMisc(ts, R, pc));
    CASE(MKSLICE) : SLOW(SlowSubscriptMisc(ts, R, pc));

    // ---- building ----
    CASE(BUILD_TUPLE) : SLOW(SlowBuild(ts, R, pc));
    CASE(BUILD_LIST) : {
      SAVE();
      ListObject* list = NewListSteal(*ts, R + pc->b, pc->c).word();
      if (MVM_UNLIKELY(list == nullptr)) goto error;
      R[pc->a] = Value(list);
      NEXT();
    }
    CASE(BUILD_SET) : SLOW(SlowBuild(ts, R, pc));
    CASE(BUILD_MAP) : SLOW(SlowBuild(ts, R, pc));
    CASE(BUILD_STRING) : SLOW(SlowBuild(ts, R, pc));
    CASE(NEWLIST) : {
      SAVE();  // for the tracer of allocations
      ListObject* list = pc->x == 0 ? FastList(ts) : nullptr;
      if (MVM_UNLIKELY(list == nullptr)) SLOW(SlowBuild(ts, R, pc));
      R[pc->a] = Value(list);
      NEXT();
    }
    CASE(NEWDICT) : SLOW(SlowBuild(ts, R, pc));
    CASE(NEWSET) : SLOW(SlowBuild(ts, R, pc));
    CASE(LIST_APPEND) : {
      ListObject* list = R[pc->a].as<ListObject>();
      if (MVM_LIKELY(list->size < list->capacity)) {
        Value v = R[pc->b];
        if (!(pc->c & kConsume1)) INCREF(v);
        list->items[list->size++] = v;
        NEXT();
      }
      SLOW(SlowAddTo(ts, R, pc));
    }
    CASE(SET_ADD) : SLOW(SlowAddTo(ts, R, pc));
    CASE(MAP_ADD) : SLOW(SlowAddTo(ts, R, pc));
    CASE(LIST_EXTEND) : SLOW(SlowAddTo(ts, R, pc));
    CASE(SET_UPDATE) : SLOW(SlowAddTo(ts, R, pc));
    CASE(DICT_UPDATE) : SLOW(SlowAddTo(ts, R, pc));
    CASE(DICT_MERGE) : SLOW(SlowAddTo(ts, R, pc));
    CASE(LIST_TO_TUPLE) : SLOW(SlowBuild(ts, R, pc));
    CASE(UNPACK) : {
      Value o = R[pc->b];
      if (MVM_LIKELY(Holds(o, TypeId::kTuple) && o.as<TupleObject>()->size() == pc->c)) {
        Value* items = o.as<TupleObject>()->items();
        Value* d = R + pc->a;
        uint32_t n = pc->c;
        uint32_t mode = static_cast<uint32_t>(pc->x);
        uint32_t flip = mode & 2 ? n - 1 : 0;
        for (uint32_t i = 0; i < n; ++i) {
          Value v = items[flip ? flip - i : i];
          INCREF(v);
          d[i] = v;
        }
        if (mode & kConsume1) DECREF(o);
        NEXT();
      }
      SLOW(SlowUnpack(ts, R, pc));
    }
    CASE(UNPACK_EX) : SLOW(SlowUnpack(ts, R, pc));
    CASE(FORMAT) : SLOW(SlowFormat(ts, R, pc));

    // ---- iteration ----
    CASE(GETITER) : SLOW(SlowGetIter(ts, R, pc));
// C: the built-in type of the iterators here, if it is one (SlowFor).
#define FOR_BODY(WRITE)                                                          \
  {                                                                              \
    Value it = R[pc->a];                                                         \
    if (MVM_LIKELY(it.is_object() && it.object()->shape_id == pc->c)) {          \
      SAVE();                                                                    \
      Result<> r = ts->rt->types[pc->c]->slots.next(*ts, it);                    \
      if (MVM_UNLIKELY(r.raised() || r.done())) {                                \
        if (r.raised() && !ClearPendingIf(*ts, Exc::kStopIteration)) goto error; \
        DECREF(it);                                                              \
        JUMP();                                                                  \
      }                                                                          \
      Value v = r.word();                                                        \
      WRITE(pc->b, v);                                                           \
      NEXT();                                                                    \
    }                                                                            \
    goto for_slow;                                                               \
  }
#define FOR_WRITE_T(i, v) R[i] = (v)
#define FOR_WRITE_L(i, v) SET_LOCAL(i, v)
    CASE(FOR)
        : FOR_BODY(FOR_WRITE_T) CASE(FOR_L)
        : FOR_BODY(FOR_WRITE_L)
#define FOR_RANGE_BODY(WRITE)                            \
  {                                                      \
    Value it = R[pc->a];                                 \
    if (MVM_LIKELY(Holds(it, TypeId::kRangeIterator))) { \
      RangeIterator* r = it.as<RangeIterator>();         \
      if (MVM_LIKELY(r->remaining > 0)) {                \
        --r->remaining;                                  \
        Value v = Value::Int(r->current);                \
        r->current += r->step;                           \
        WRITE(pc->b, v);                                 \
        NEXT();                                          \
      }                                                  \
    }                                                    \
    goto for_slow;                                       \
  }
              CASE(FOR_RANGE)
        : FOR_RANGE_BODY(FOR_WRITE_T) CASE(FOR_RANGE_L)
        : FOR_RANGE_BODY(FOR_WRITE_L)
#define FOR_LIST_BODY(WRITE)                                      \
  {                                                               \
    Value it = R[pc->a];                                          \
    if (MVM_LIKELY(Holds(it, TypeId::kListIterator))) {           \
      ListIterator* r = it.as<ListIterator>();                    \
      ListObject* list = r->list;                                 \
      if (MVM_LIKELY(list != nullptr && r->index < list->size)) { \
        Value v = list->items[r->index++];                        \
        INCREF(v);                                                \
        WRITE(pc->b, v);                                          \
        NEXT();                                                   \
      }                                                           \
    }                                                             \
    goto for_slow;                                                \
  }
              CASE(FOR_LIST)
        : FOR_LIST_BODY(FOR_WRITE_T) CASE(FOR_LIST_L)
        : FOR_LIST_BODY(FOR_WRITE_L)
#define FOR_TUPLE_BODY(WRITE)                                         \
  {                                                                   \
    Value it = R[pc->a];                                              \
    if (MVM_LIKELY(Holds(it, TypeId::kTupleIterator))) {              \
      TupleIterator* r = it.as<TupleIterator>();                      \
      TupleObject* tuple = r->tuple;                                  \
      if (MVM_LIKELY(tuple != nullptr && r->index < tuple->size())) { \
        Value v = tuple->items()[r->index++];                         \
        INCREF(v);                                                    \
        WRITE(pc->b, v);                                              \
        NEXT();                                                       \
      }                                                               \
    }                                                                 \
    goto for_slow;                                                    \
  }
              CASE(FOR_TUPLE)
        : FOR_TUPLE_BODY(FOR_WRITE_T) CASE(FOR_TUPLE_L)
        : FOR_TUPLE_BODY(FOR_WRITE_L) CASE(FOR_GEN) : {
      Value it = R[pc->a];
      RESUME_NEXT(it, false, NOBODY);
      goto for_slow;
    }
    CASE(FOR_GEN_L) : {
      Value it = R[pc->a];
      RESUME_NEXT(it, true, NOBODY);
    }
  for_slow : {
    bool jump = false;
    switch (SlowFor(ts, R, pc, &jump)) {
      case CallOutcome::kRaised: goto watch_error;
      case CallOutcome::kDone:
        if (jump) JUMP();
        NEXT();
      case CallOutcome::kPushed: goto pushed;
    }
    __builtin_unreachable();
  }
    CASE(GETAITER) : SLOW(SlowGetIter(ts, R, pc));
    CASE(GETANEXT) : SLOW(SlowGetIter(ts, R, pc));
    CASE(ENDASYNCFOR) : {
      if (!SlowEndAsyncFor(ts, R, pc)) goto error;
      JUMP();
    }
    CASE(GETAWAITABLE) : SLOW(SlowGetIter(ts, R, pc));
    CASE(GETYIELDFROM) : SLOW(SlowGetIter(ts, R, pc));
    CASE(SEND) : {
      Value it = R[pc->a];
      RESUME_SEND(it, NOBODY);
      bool jump = false;
      switch (SlowSend(ts, R, pc, &jump)) {
        case CallOutcome::kRaised: goto error;
        case CallOutcome::kDone:
          if (jump) JUMP();
          NEXT();
        case CallOutcome::kPushed: goto pushed;
      }
      __builtin_unreachable();
    }

    // ---- generators ----
    CASE(GENSTART) : {
      Value made;
      if (!SlowGenStart(ts, R, pc, &made)) goto error;
      result = made;
      // The registers have moved into the object: nothing to release.
      if (MVM_UNLIKELY(R[-1].bits() & 0xFF)) goto leave_flagged;
      goto leave;
    }
    CASE(YIELD) : {
      const FrameHeader header = HeaderOf(R);
      if (MVM_LIKELY((header.bits & 0xFF & ~kFrameEntry) == kFrameGenerator)) {
        GeneratorObject* gen = R[-3].as<GeneratorObject>();
        Value value = R[pc->c];
        if (pc->c != pc->a) INCREF(value);
        if (header.has(kFrameEntry)) {
          if (TakenByNative(ts, R, value)) {
            pc = ResumeWord(ts, R, pc->a, pc + 1);
            POLL();
            DISPATCH();
          }
          SuspendGenerator(ts, gen, R, pc);
          InterpOf(*ts).yielded = true;
          DECREF(Value(static_cast<Object*>(gen)));
          return value;
        }
        SuspendGenerator(ts, gen, R, pc);
        --gen->refcount;  // the word that resumed it has another
        pc = const_cast<Word*>(ReturnAddress(R));
        R = CallerBase(R);
        Value old = R[pc->b];
        R[pc->b] = value;
        if (header.dest() != 0) DECREF(old);
        NEXT();
      }
      Value out;
      if (!SlowYield(ts, R, pc, &out, &flag)) goto error;
      if (flag) return out;
      goto left;
    }
    CASE(WRAPASYNC) : SLOW(SlowGetIter(ts, R, pc));

    // ---- calls ----
    CASE(CALL) : goto call_slow;
    SCRIPT_CALL(CASE(CALL_PY), 0u, 0, true, NOBODY, call_slow)
    SCRIPT_CALL(CASE(CALLM_PY), 1u, 0, !w[3].is_absent(), NOBODY, function_of_module)
    SCRIPT_CALL(function_of_module, 0u, 1, w[3].is_absent(), NOBODY, call_slow)
    CLASS_CALL(CASE(CALL_CLASS), NOBODY, call_builtin_type, call_slow)
  call_builtin_type : {
    Value* w = R + pc->a;
    SAVE();
    Result<> r = CallBuiltinType(*ts, w[0].as<TypeObject>(), w + kWindowWords, pc->c);
    for (uint32_t i = 0; i < pc->c; ++i) DECREF(w[kWindowWords + i]);
    --w[0].object()->refcount;  // built-in types do not die
    if (MVM_UNLIKELY(r.raised())) goto error;
    R[pc->b] = r.word();
    POLL();
    NEXT();
  }
    NATIVE_CALL(CASE(CALL_NATIVE), NativeFunctionObject, kNativeFunction, 0u, 0, true, false,
                NOBODY, NOBODY_LEFT, call_slow)
    NATIVE_CALL(CASE(CALL_NATIVE_PAD), NativeFunctionObject, kNativeFunction, 0u, 0, true, true,
                NOBODY, NOBODY_LEFT, call_slow)
    CASE(CALLM_APPEND) : {
      Value* w = R + pc->a;
      Value callee = w[0], self = w[kWindowWords], item = w[kWindowWords + 1];
      if (MVM_LIKELY(Holds(callee, TypeId::kMethodDescriptor) &&
                     callee.object()->aux == static_cast<uint32_t>(pc->x) &&
                     Holds(self, TypeId::kList))) {
        ListObject* list = self.as<ListObject>();
        const bool full = list->size == list->capacity;
        if (full) SAVE();
        if (MVM_UNLIKELY(full && ListGrow(*ts, list, list->size + 1).raised())) {
          for (Value v : {item, self, callee}) DECREF(v);
          goto error;
        }
        list->items[list->size++] = item;
        DECREF(callee);
        DECREF(self);
        if (MVM_LIKELY(static_cast<Op>(pc[1].op) == Op::CLEAR)) {  // of the result
          pc += 2;
          DISPATCH();
        }
        Object* none = ts->rt->none;
        ++none->refcount;
        R[pc->b] = none;
        NEXT();
      }
      pc->op = static_cast<uint8_t>(Op::CALLM_NATIVE);
      PLAIN();
    }
    NATIVE_CALL(CASE(CALLM_NATIVE), MethodDescriptorObject, kMethodDescriptor, 1u, 0,
                !w[3].is_absent(), false, NOBODY, NOBODY_LEFT, native_of_module)
    NATIVE_CALL(CASE(CALLM_NATIVE_PAD), MethodDescriptorObject, kMethodDescriptor, 1u, 0,
                !w[3].is_absent(), true, NOBODY, NOBODY_LEFT, native_of_module)
    NATIVE_CALL(native_of_module, NativeFunctionObject, kNativeFunction, 0u, 1, w[3].is_absent(),
                static_cast<Op>(pc->op) == Op::CALLM_NATIVE_PAD, NOBODY, NOBODY_LEFT, call_slow)
    CASE(CALLM) : goto call_slow;
    CASE(CALL_KW) : goto call_slow;
    CASE(CALLM_KW) : goto call_slow;
    CASE(CALL_EX) : goto call_slow;
  call_slow : {
    switch (SlowCall(ts, R, pc)) {
      case CallOutcome::kRaised: goto error;
      case CallOutcome::kDone:
        ++pc;
        POLL();
        DISPATCH();
      case CallOutcome::kPushed: goto pushed;
    }
    __builtin_unreachable();
  }
    SLOW_OPERATOR(arith_slow, SlowArith)
    SLOW_OPERATOR(arith_imm_slow, SlowArithImm)
    SLOW_OPERATOR(compare_slow, SlowCompare)
    SLOW_OPERATOR(get_item_slow, SlowGetItem)
    SLOW_OPERATOR(set_item_slow, SlowSetItem)
  equal_jump_slow : {
    const Value b = R[pc->b], c = R[pc->c];
    if (Holds(b, TypeId::kStr) && Holds(c, TypeId::kStr)) {
      const bool equal = b.is(c) || StrEquals(b.as<StrObject>(), c.as<StrObject>());
      const Op op = static_cast<Op>(pc->op);
      if (pc->a & kConsume1) DECREF(b);
      if (pc->a & kConsume2) DECREF(c);
      if (equal == (op == Op::JEQ_T || op == Op::JNE_F)) JUMP();
      NEXT();
    }
  }  // of others: falls through
  compare_jump_slow : {
    switch (SlowCompareJump(ts, R, pc, &flag)) {
      case CallOutcome::kRaised: goto watch_error;
      case CallOutcome::kDone:
        if (flag) JUMP();
        NEXT();
      case CallOutcome::kPushed: goto pushed;
    }
    __builtin_unreachable();
  }
  pushed:
    R = ts->base;
    pc = const_cast<Word*>(static_cast<const Word*>(ts->pc));
    POLL();
    DISPATCH();

    CASE(RET) : {
      const uint32_t n = pc->b;
      result = R[pc->a];
      if (MVM_UNLIKELY(pc->a < n)) R[pc->a] = Value::Int(0);
      const uint64_t flags = R[-1].bits() & 0xFF;
      if (MVM_UNLIKELY(flags != 0)) {
        if (flags == kFrameEntry) goto leave_native;
        if (flags == kFrameOperator) goto leave_operator;
        goto leave_flagged;
      }
      RELEASE_LOCALS(n, 0);
      LEAVE();
    }
    CASE(RETSP) : {
      result = ts->rt->specials[pc->a];
      INCREF(result);
      const uint64_t flags = R[-1].bits() & 0xFF;
      if (flags == 0) {
        RELEASE_LOCALS(pc->b, 0);
        goto leave;
      }
      if (flags == kFrameEntry) goto leave_native;
      if (flags == kFrameOperator) goto leave_operator;
      if (flags != kFrameCtor || pc->a != static_cast<uint8_t>(Special::kNone)) goto leave_flagged;
      RELEASE_LOCALS(pc->b, kFrameCtor);
      DECREF(result);
      result = R[-4];  // of a class call: the instance
    }
  leave:
    LEAVE();
  leave_operator : {  // to the word that pushed it
    RELEASE_LOCALS(pc->b, kFrameOperator);
    if (!ReturnToOperator(ts, R, result)) goto watch_error;
    goto left;
  }
  leave_native : {  // to the native that called
    RELEASE_LOCALS(pc->b, kFrameEntry);
    if (!R[-2].is_null() && NextOfSeries(ts, R, result)) {
      pc = FunctionOf(R)->entry;
      POLL();
      DISPATCH();
    }
    Object* callee = R[-3].object();
    if (MVM_UNLIKELY(--callee->refcount == 0)) {
      for (uint32_t i = 0; i < pc->b; ++i) R[i] = Value::Int(0);  // its end may look at the frame
      ColdDealloc(ts, R, pc, callee);
    }
    return result;
  }
  leave_flagged : {
    Value out = result;
    if (!SlowReturn(ts, R, pc, &out, &flag)) {
      R = ts->base;
      pc = const_cast<Word*>(static_cast<const Word*>(ts->pc));
      goto error;
    }
    if (flag) return out;
  }
  left:
    R = ts->base;
    pc = const_cast<Word*>(static_cast<const Word*>(ts->pc));
    DISPATCH();

    CASE(HALT) : return Value();

    // ---- functions, classes, imports ----
    CASE(MKFUNC) : SLOW(SlowMakeFunction(ts, R, pc));
    CASE(LOADBUILDCLASS) : SLOW(SlowLoadBuildClass(ts, R, pc));
    CASE(IMPORT) : SLOW(SlowImport(ts, R, pc));
    CASE(IMPORTFROM) : SLOW(SlowImport(ts, R, pc));
    CASE(INTRINSIC1) : SLOW(SlowIntrinsic(ts, R, pc));
    CASE(INTRINSIC2) : SLOW(SlowIntrinsic(ts, R, pc));
    CASE(SETUPANNOTATIONS) : SLOW(SlowSetUpAnnotations(ts, R, pc));

    // ---- exceptions ----
    CASE(RAISE) : SLOW(SlowException(ts, R, pc));
    CASE(RERAISE) : SLOW(SlowException(ts, R, pc));
    CASE(SAVEEXC) : {
      Value v = ts->handled->value;
      if (v.is_null()) {
        v = Value::Absent();
      } else {
        ++v.object()->refcount;
      }
      R[pc->a] = v;
      NEXT();
    }
    CASE(POPEXC) : {
      Value old = ts->handled->value;
      Value saved = R[pc->a];
      ts->handled->value = saved.is_absent() ? Value() : saved;
      if (!old.is_null()) DECREF(old);
      NEXT();
    }
    CASE(JNOEXC) : {
      Value type = R[pc->c];
      if (MVM_LIKELY(type.is(TypeOf(*ts, R[pc->b])))) {
        DECREF(type);
        NEXT();
      }
      int t = SlowExceptionMatch(ts, R, pc);
      if (MVM_UNLIKELY(t < 0)) goto error;
      if (t) JUMP();
      NEXT();
    }
    CASE(EGMATCH) : SLOW(SlowException(ts, R, pc));
    CASE(EXCINFO) : SLOW(SlowException(ts, R, pc));

    // ---- pattern matching ----
    CASE(MATCHSEQ) : SLOW(SlowMatch(ts, R, pc));
    CASE(MATCHMAP) : SLOW(SlowMatch(ts, R, pc));
    CASE(GETLEN) : SLOW(SlowMatch(ts, R, pc));
    CASE(MATCHKEYS) : SLOW(SlowMatch(ts, R, pc));
    CASE(MATCHCLASS) : SLOW(SlowMatch(ts, R, pc));

#if defined(MVM_SWITCH_DISPATCH)
    default: MVM_CHECK(false, "unknown opcode");
  }
breaker_poll:
  if (!SlowBreak(ts, R, pc)) goto error;
  DISPATCH();
#else
breaker:
  if (!SlowBreak(ts, R, pc)) goto error;
  tab = TableOf(ts);
  goto*(tab == kBreakerTable ? InterpOf(*ts).step_table : tab)[pc->op];
tick:
  if (!SlowTick(ts, R, pc)) goto error;
  pc = const_cast<Word*>(static_cast<const Word*>(ts->pc));  // jumps of debuggers
  tab = TableOf(ts);
  goto* InterpOf(*ts).step_table[pc->op];
#endif

  // ---- words that are watched (watch.h) ----
watch_call:
  switch (WatchedCall(ts, R, pc)) {
    case CallOutcome::kRaised: goto watch_error;
    case CallOutcome::kDone:
      ++pc;
      POLL();
      DISPATCH();
    case CallOutcome::kPushed: goto watch_pushed;
  }
  __builtin_unreachable();
watch_resume : {
  Value it = R[pc->a];
  if (!it.is_object() || (it.object()->shape_id != ShapeIdOf(TypeId::kGenerator) &&
                          it.object()->shape_id != ShapeIdOf(TypeId::kCoroutine))) {
    PLAIN();
  }
  bool jump = false;
  switch (static_cast<Op>(pc->op) == Op::SEND ? SlowSend(ts, R, pc, &jump)
                                              : SlowFor(ts, R, pc, &jump)) {
    case CallOutcome::kRaised: goto watch_error;
    case CallOutcome::kDone:
      if (jump) JUMP();
      NEXT();
    case CallOutcome::kPushed: goto watch_pushed;
  }
  __builtin_unreachable();
}
  WATCHED_PROPERTY(watch_property, goto watch_pushed;)
watch_pushed:
  if (!TellEntry(ts, FunctionOf(ts->base))) goto watch_error;
  goto pushed;
watch_super:
  if (!WatchedSuper(ts, R, pc)) goto watch_error;
  NEXT();
watch_leave:
  WatchLeave(ts, R, pc);
  PLAIN();
  SCRIPT_CALL(profile_py, 0u, 0, true, PROFILED, watch_call)
  SCRIPT_CALL(profile_method_py, 1u, 0, !w[3].is_absent(), PROFILED, watch_call)
  CLASS_CALL(profile_class, PROFILED, watch_call, watch_call)
  NATIVE_CALL(profile_native, NativeFunctionObject, kNativeFunction, 0u, 0, true,
              static_cast<Op>(pc->op) == Op::CALL_NATIVE_PAD, PROFILED_NATIVE, PROFILED_LEFT,
              watch_call)
  NATIVE_CALL(profile_method_native, MethodDescriptorObject, kMethodDescriptor, 1u, 0,
              !w[3].is_absent(), static_cast<Op>(pc->op) == Op::CALLM_NATIVE_PAD, PROFILED_NATIVE,
              PROFILED_LEFT, watch_call)
  WATCHED_PROPERTY(profile_property, PROFILED_PUSHED(R[-3].as<FunctionObject>()))
profile_for : {
  Value it = R[pc->a];
  RESUME_NEXT(it, static_cast<Op>(pc->op) == Op::FOR_GEN_L, PROFILED);
  goto watch_resume;
}
profile_send : {
  Value it = R[pc->a];
  RESUME_SEND(it, PROFILED);
  goto watch_resume;
}
  PROFILED_LEAVE(profile_ret, RET)
  PROFILED_LEAVE(profile_retsp, RETSP)
  PROFILED_LEAVE(profile_yield, YIELD)
profile_forget:
  ProfileForget(ts, HeaderOf(R).depth());
  PLAIN();
watch_error:
  R = ts->base;
  pc = const_cast<Word*>(static_cast<const Word*>(ts->pc));

error:
  if (!Unwind(ts, R, pc)) return Value();
  R = ts->base;
  pc = const_cast<Word*>(static_cast<const Word*>(ts->pc));
  POLL();
  DISPATCH();
}

}  // namespace minivm

// The types of module _decimal: Decimal, Context, the context manager, SignalDictMixin.
//
// Decimal owns its coefficient (up to two words inside the object). Context owns settings, flags
// and traps; which of them is in force is a context variable. What the module keeps for itself is a
// DecimalState, found through RuntimeState::module_states.
#pragma once

#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "stdlib/decimal/number.h"

namespace minivm::decimal {

extern const TypeSpec kDecimalType;
extern const TypeSpec kContextType;
extern const TypeSpec kContextManagerType;
extern const TypeSpec kSignalDictMixinType;
extern const TypeSpec kStateType;

// Invariants:
//  1. The words are normalised; `words` is the inline room or a heap buffer of exactly `size`
//  words.
//  2. Never changes once it is visible to a script.
class DecimalObject : public Object {
 public:
  static constexpr uint32_t kInline = 2;
  int64_t exp = 0;
  int64_t hash = 0;  // 0: not computed
  uint64_t size = 0;
  Kind kind = Kind::kFinite;
  bool negative = false;
  union {
    Word inline_words[kInline] = {};
    Word* buffer;
  };

  const Word* words() const { return size <= kInline ? inline_words : buffer; }
  View view() const { return {Span(words(), size), exp, negative, kind}; }
  void FreeBuffers(Heap& heap) {
    if (size > kInline) heap.FreeBuffer(buffer, size * sizeof(Word));
    size = 0;
  }
};

class ContextObject : public Object {
 public:
  Settings settings;
  uint32_t flags = 0;
  uint32_t traps = 0;
  Value flags_dict, traps_dict;  // made when asked for
  template <class V>
  void VisitRefs(V&& v) {
    v(flags_dict);
    v(traps_dict);
  }
};

class ContextManagerObject : public Object {
 public:
  ContextObject* local = nullptr;
  ContextObject* outer = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(local);
    v(outer);
  }
};

// A view of the flags or traps of a context.
class SignalDictObject : public Object {
 public:
  ContextObject* context = nullptr;  // null: made by a script; nothing works
  uint64_t traps = 0;                // bool: which of the two
  template <class V>
  void VisitRefs(V&& v) {
    v(context);
  }
  uint32_t& bits() const { return traps ? context->traps : context->flags; }
};

inline constexpr int kSignalCount = 9;
inline constexpr int kSubConditionCount = 4;
struct Signal {
  const char* name;
  uint32_t bits;
};
extern const Signal kSignals[kSignalCount];  // in the order in which they are looked for
extern const Signal kSubConditions[kSubConditionCount];  // kinds of InvalidOperation

class DecimalState : public Object {
 public:
  TypeObject* decimal_type = nullptr;  // borrowed: built-in types are immortal
  TypeObject* context_type = nullptr;
  TypeObject* signals[kSignalCount] = {};
  TypeObject* sub_conditions[kSubConditionCount] = {};
  Value tuple_type;                  // DecimalTuple
  ContextObject* templates[3] = {};  // DefaultContext, BasicContext, ExtendedContext
  Value variable;                    // ContextVar of the current decimal context
  template <class V>
  void VisitRefs(V&& v) {
    for (TypeObject*& t : signals) v(t);
    for (TypeObject*& t : sub_conditions) v(t);
    v(tuple_type);
    for (ContextObject*& c : templates) v(c);
    v(variable);
  }
};

// REQUIRES: the module has been imported (some object of its types exists)
inline DecimalState* StateOf(ThreadState& ts) {
  return static_cast<DecimalState*>(
      ts.rt->module_states[static_cast<size_t>(ModuleState::kDecimal)]);
}

// ---- contexts (context_object.cpp) ----

// The running thread's context; borrowed, alive while nothing else runs: hold it across script
// code.
Result<ContextObject*> CurrentContext(ThreadState& ts);
Status SetCurrentContext(ThreadState& ts, ContextObject* context);
Result<ContextObject> NewContext(ThreadState& ts);
Result<ContextObject> CopyContext(ThreadState& ts, const ContextObject* from);
bool IsDecimalContext(ThreadState& ts, Value v);
// The context given as an optional argument (None or absent: the current one), owned.
Result<ContextObject> ContextArgument(ThreadState& ts, Value v);
// Reports conditions: sets the flags, raises if one is trapped.
Status ReportStatus(ThreadState& ts, ContextObject* context, uint32_t status);
Result<Rounding> RoundingFromName(ThreadState& ts, Value name);
Result<StrObject> RoundingName(ThreadState& ts, Rounding rounding);
// Applies the keyword or positional arguments (prec, rounding, Emin, ...; absent or None:
// untouched).
Status ConfigureContext(ThreadState& ts, ContextObject* context, const Value* v);
Result<ListObject> SignalList(ThreadState& ts, uint32_t bits);

// ---- Decimal objects (decimal_object.cpp) ----

inline bool IsDecimal(ThreadState& ts, Value v) {
  return v.is_object() && TypeOf(ts, v)->spec == &kDecimalType;
}
inline View ViewOf(Value v) { return v.as<DecimalObject>()->view(); }
// Takes the number's words where it can.
Result<> NewDecimal(ThreadState& ts, Number* n);
// Of a class derived from Decimal.
Result<> NewDecimalOf(ThreadState& ts, TypeObject* cls, const Number& n);
// An int as an exact number. REQUIRES: v is an int
Status NumberFromInt(ThreadState& ts, Number* out, Value v);
Status NumberFromDouble(ThreadState& ts, Number* out, double d);
// The integer part. ValueError or OverflowError for NaN and infinity.
Result<> IntFromView(ThreadState& ts, const View& v);

// An operand: a Decimal's view, or an int converted.
class Operand {
 public:
  explicit Operand(ThreadState& ts) : storage_(ts) {}
  // False: neither Decimal nor int.
  Result<bool> Load(ThreadState& ts, Value v) {
    if (MVM_LIKELY(IsDecimal(ts, v))) {
      view = ViewOf(v);
      return true;
    }
    return LoadInt(ts, v);
  }
  // The same; TypeError "conversion from T to Decimal is not supported".
  Status Require(ThreadState& ts, Value v);
  View view;

 private:
  Result<bool> LoadInt(ThreadState& ts, Value v);
  Number storage_;
};
Raised RaiseNotConvertible(ThreadState& ts, Value v);

// Decimal(value): exact, or rounded to the context if `exact` is false (create_decimal).
Result<> DecimalFromValue(ThreadState& ts, TypeObject* cls, Value v, ContextObject* context,
                          bool exact);
Result<> DecimalFromFloat(ThreadState& ts, TypeObject* cls, Value v, ContextObject* context,
                          bool exact);
Result<int64_t> DecimalHash(ThreadState& ts, Value self);
Result<> DecimalCompare(ThreadState& ts, Value a, Value b, CompareOp op);
Result<StrObject> DecimalToStr(ThreadState& ts, const View& v, bool engineering, bool capitals);
// `override` may be absent: a dict with some of localeconv()'s decimal_point, thousands_sep,
// grouping.
Result<StrObject> DecimalFormat(ThreadState& ts, const View& v, StrObject* spec, Value override);

// Method tables; sized so that the types' specs are constant data.
inline constexpr size_t kDecimalMethodCount = 63;
inline constexpr size_t kContextMethodCount = 71;
extern const MethodSpec kDecimalMethods[kDecimalMethodCount];
extern const MethodSpec kContextMethods[kContextMethodCount];

}  // namespace minivm::decimal

// Binding call arguments to parameter registers, and CPython's words for what does not fit.
#include <algorithm>
#include <string>
#include <vector>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/small_vector.h"
#include "vm/interp/interp_slow.h"

namespace minivm {

namespace {

StrObject* ParamName(FunctionObject* f, uint32_t i) {
  return f->code->varnames->items()[i].as<StrObject>();
}

// "'a', 'b' and 'c'"
std::string JoinNames(const std::vector<std::string>& names) {
  std::string out;
  const size_t n = names.size();
  for (size_t i = 0; i < n; ++i) {
    if (i > 0) out += i + 1 < n ? ", " : n > 2 ? ", and " : " and ";
    out += "'" + names[i] + "'";
  }
  return out;
}

void RaiseMissing(ThreadState& ts, FunctionObject* f, const char* kind,
                  const std::vector<std::string>& names) {
  const size_t n = names.size();
  Raise(ts, Exc::kTypeError, "%U() missing %zu required %s argument%s: %s", Value(f->qualname), n,
        kind, n == 1 ? "" : "s", JoinNames(names).c_str());
}

void RaiseTooMany(ThreadState& ts, FunctionObject* f, uint32_t given, const Value* regs) {
  CodeObject* code = f->code;
  uint32_t argc = code->arg_count;
  uint32_t defaults = f->defaults != nullptr ? f->defaults->size() : 0;
  // Keyword-only arguments that were given are mentioned.
  uint32_t kwonly_given = 0;
  for (uint32_t i = argc; i < argc + code->kwonly_count; ++i) kwonly_given += !regs[i].is_null();
  char takes[64];
  bool plural;
  if (defaults > 0) {
    snprintf(takes, sizeof takes, "from %lld to %u", static_cast<long long>(argc) - defaults, argc);
    plural = true;
  } else {
    snprintf(takes, sizeof takes, "%u", argc);
    plural = argc != 1;
  }
  char extra[96] = "";
  if (kwonly_given > 0) {
    snprintf(extra, sizeof extra, " positional argument%s (and %u keyword-only argument%s)",
             given != 1 ? "s" : "", kwonly_given, kwonly_given != 1 ? "s" : "");
  }
  Raise(ts, Exc::kTypeError, "%U() takes %s positional argument%s but %u%s %s given",
        Value(f->qualname), takes, plural ? "s" : "", given, extra,
        given == 1 && kwonly_given == 0 ? "was" : "were");
}

// Edit distance for "Did you mean", small names only.
size_t Distance(const std::string& a, const std::string& b) {
  if (a.size() > 40 || b.size() > 40) return 99;
  size_t row[42];
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t next = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = row[j];
      row[j] = next;
    }
  }
  return row[b.size()];
}

void RaiseUnexpectedKeyword(ThreadState& ts, FunctionObject* f, Value name) {
  std::string given = ToUtf8(name.as<StrObject>());
  std::string best;
  size_t best_distance = given.size() / 3 + 1;
  CodeObject* code = f->code;
  for (uint32_t i = code->posonly_count; i < uint32_t{code->arg_count} + code->kwonly_count; ++i) {
    std::string candidate = ToUtf8(ParamName(f, i));
    size_t d = Distance(given, candidate);
    if (d < best_distance || (best.empty() && d == best_distance && d < given.size())) {
      best = candidate;
      best_distance = d;
    }
  }
  if (best.empty()) {
    Raise(ts, Exc::kTypeError, "%U() got an unexpected keyword argument '%U'", Value(f->qualname),
          name);
  } else {
    Raise(ts, Exc::kTypeError, "%U() got an unexpected keyword argument '%U'. Did you mean '%s'?",
          Value(f->qualname), name, best.c_str());
  }
}

// A keyword that is the name of a positional-only parameter: all such names together.
bool RaiseIfPositionalOnly(ThreadState& ts, FunctionObject* f, std::span<const Value> given_names) {
  std::string names;
  for (uint32_t i = 0; i < f->code->posonly_count; ++i) {
    for (Value given : given_names) {
      if (StrEquals(given.as<StrObject>(), ParamName(f, i))) {
        if (!names.empty()) names += ", ";
        names += ToUtf8(ParamName(f, i));
      }
    }
  }
  if (names.empty()) return false;
  Raise(ts, Exc::kTypeError,
        "%U() got some positional-only arguments passed as keyword arguments: '%s'",
        Value(f->qualname), names.c_str());
  return true;
}

int FindParam(FunctionObject* f, Value name) {
  CodeObject* code = f->code;
  uint32_t end = uint32_t{code->arg_count} + code->kwonly_count;
  for (uint32_t i = code->posonly_count; i < end; ++i) {
    if (Value(ParamName(f, i)).is(name)) return static_cast<int>(i);
  }
  for (uint32_t i = code->posonly_count; i < end; ++i) {
    if (StrEquals(ParamName(f, i), name.as<StrObject>())) return static_cast<int>(i);
  }
  return -1;
}

void ReleaseAll(Value* v, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    Value old = std::exchange(v[i], Value());
    Decref(old);
  }
}

// The list of far locals, holding the parameters that have no register. They move out of `regs`.
Value FarParameters(ThreadState& ts, CodeObject* code, Value* regs) {
  const uint32_t n = code->param_count - code->near_param_count;
  Result<ListObject> made = NewListReserve(ts, n);
  if (made.raised()) return Value();
  ListObject* list = made.word();
  for (uint32_t i = 0; i < n; ++i)
    list->items[i] = std::exchange(regs[code->near_param_count + i], Value());
  list->size = n;
  return Value(list);
}

// Where a keyword goes that binds to no parameter.
constexpr uint8_t kToDict = 255;
constexpr uint32_t kMostQuick = 16;  // parameters by name, and keywords

// The parameter that each keyword binds to, by identity: names are interned. `placed` are given by
// position. False: something is odd about them, or an error.
inline bool PlaceKeywords(const CodeObject* code, uint32_t end, bool to_dict, uint32_t placed,
                          uint32_t nkw, const Value* names, uint8_t* to, uint32_t* given) {
  const Value* params = code->varnames->items();
  const uint32_t posonly = code->posonly_count;
  for (uint32_t k = 0; k < nkw; ++k) {
    uint32_t i = placed + k;  // mostly they come in order
    if (i >= end || !params[i].is(names[k])) {
      i = posonly;
      while (i < end && !params[i].is(names[k])) ++i;
      if (i == end) {
        if (!to_dict || !IsExact(names[k], TypeId::kStr) || !names[k].as<StrObject>()->interned()) {
          return false;
        }
        to[k] = kToDict;
        continue;
      }
    }
    if (i < posonly || i < placed || (*given >> i & 1)) return false;
    *given |= 1u << i;
    to[k] = static_cast<uint8_t>(i);
  }
  return true;
}

// What fits without a question: every parameter is given by position, by its very name, or has a
// default. False: nothing has changed; nothing is raised. kSimple: FunctionObject::simple().
template <bool kSimple>
bool BindQuick(ThreadState* ts, FunctionObject* f, Value* src, uint32_t npos, uint32_t nkw,
               const Value* names, Value* regs) {
  const CodeObject* code = f->code;
  const uint32_t argc = kSimple ? f->param_count : code->arg_count;
  const uint32_t named = argc + (kSimple ? 0 : code->kwonly_count);
  const bool var_args = !kSimple && (code->flags & kCodeVarArgs);
  const bool var_keywords = !kSimple && (code->flags & kCodeVarKeywords);
  if (named > kMostQuick || nkw > kMostQuick || (npos > argc && !var_args)) return false;
  if (!kSimple && (code->near_param_count < code->param_count || code->locals_register != 0xFFFF)) {
    return false;
  }
  uint8_t to[kMostQuick];
  uint32_t given = 0;
  const uint32_t placed = std::min(npos, argc);
  if (nkw > 0 && !PlaceKeywords(code, named, var_keywords, placed, nkw, names, to, &given))
    return false;
  const uint32_t defaults = f->defaults != nullptr ? f->defaults->size() : 0;
  const uint32_t required = argc - std::min(defaults, argc);
  for (uint32_t i = placed; i < required; ++i) {
    if (!(given >> i & 1)) return false;
  }
  uint64_t kwonly[kMostQuick];  // words of Values, which would be nulled
  for (uint32_t i = argc; i < named; ++i) {
    if (given >> i & 1) continue;
    if (f->kwdefaults == nullptr) return false;
    const Value v = DictGetStr(*ts, f->kwdefaults, ParamName(f, i));
    if (v.is_null()) return false;
    kwonly[i] = v.bits();
  }
  // Everything has its place. What is allocated is so before anything moves.
  Ref<TupleObject> rest;
  if (npos > argc) {
    Result<TupleObject> made = NewTupleRaw(*ts, npos - argc);
    if (made.raised()) {
      ClearPending(*ts);
      return false;
    }
    rest = made.Take();
  }
  Value dict;
  if (var_keywords) {
    uint64_t keys[kMostQuick], values[kMostQuick];
    uint32_t n = 0;
    for (uint32_t k = 0; k < nkw; ++k) {
      if (to[k] != kToDict) continue;
      keys[n] = names[k].bits();
      values[n++] = src[npos + k].bits();
    }
    dict = Value(NewDictOf(*ts, reinterpret_cast<const Value*>(keys),
                           reinterpret_cast<const Value*>(values), n)
                     .word());
    if (dict.is_null()) {
      ClearPending(*ts);
      for (uint32_t i = 0; rest && i < npos - argc; ++i) rest->items()[i] = Value::Int(0);
      return false;
    }
  }
  uint64_t keywords[kMostQuick];
  for (uint32_t k = 0; k < nkw; ++k) keywords[k] = src[npos + k].bits();
  if (rest) {
    std::copy_n(src + argc, npos - argc, rest->items());
    Track(rest.get());
  }
  if (src != regs) std::copy_n(src, placed, regs);
  for (uint32_t i = std::max(placed, required); i < argc; ++i) {
    if (given >> i & 1) continue;
    regs[i] = f->defaults->items()[defaults - (argc - i)];
    Incref(regs[i]);
  }
  for (uint32_t i = argc; i < named; ++i) {
    if (given >> i & 1) continue;
    regs[i] = Value::FromBits(kwonly[i]);
    Incref(regs[i]);
  }
  for (uint32_t k = 0; k < nkw; ++k) {
    if (to[k] != kToDict) regs[to[k]] = Value::FromBits(keywords[k]);
  }
  uint32_t next = named;
  if (var_args) {
    regs[next++] = rest ? Value(rest.Release()) : Result<>::Borrow(ts->rt->empty_tuple).word();
  }
  if (var_keywords) regs[next++] = dict;
  for (uint32_t i = next; i < f->local_count; ++i) regs[i] = ts->rt->unbound;
  return true;
}

}  // namespace

bool BindInto(ThreadState* ts, FunctionObject* f, Value* src, uint32_t npos, uint32_t nkw,
              const Value* names, Value* regs) {
  if (f->simple() && nkw == 0 && npos <= f->param_count) {
    const uint32_t argc = f->param_count;
    const uint32_t defaults = f->defaults != nullptr ? f->defaults->size() : 0;
    if (MVM_LIKELY(npos + defaults >= argc)) {
      if (src != regs) std::copy_n(src, npos, regs);
      const Value* values = npos < argc ? f->defaults->items() + defaults - argc : nullptr;
      for (uint32_t i = npos; i < argc; ++i) {
        regs[i] = values[i];
        Incref(regs[i]);
      }
      UnsetLocals(f, regs, argc, ts->rt->unbound);
      return true;
    }
  }
  if (MVM_LIKELY(f->simple() ? BindQuick<true>(ts, f, src, npos, nkw, names, regs)
                             : BindQuick<false>(ts, f, src, npos, nkw, names, regs))) {
    return true;
  }
  CodeObject* code = f->code;
  const uint32_t argc = code->arg_count, named = argc + code->kwonly_count;
  const bool var_args = code->flags & kCodeVarArgs, var_keywords = code->flags & kCodeVarKeywords;
  const uint32_t used = std::max(f->local_count, code->param_count);  // words of `regs` in use
  const Value unbound = ts->rt->unbound;
  SmallVector<Value, 16> keywords;
  if (!keywords.Append(src + npos, nkw)) {
    for (uint32_t i = 0; i < npos + nkw; ++i) Decref(src[i]);
    RaiseMemoryError(*ts);
    return false;
  }
  Value rest;  // *args
  bool ok = true;
  bool too_many = false;
  if (var_args) {
    if (npos > argc) {
      rest = Value(NewTupleSteal(*ts, src + argc, npos - argc).word());
      ok = !rest.is_null();
    } else {
      rest = Result<>::Borrow(ts->rt->empty_tuple).word();
    }
  } else if (npos > argc) {
    too_many = true;
    for (uint32_t i = argc; i < npos; ++i) Decref(src[i]);
  }
  uint32_t placed = npos < argc ? npos : argc;
  if (src != regs) {
    for (uint32_t i = 0; i < placed; ++i) regs[i] = src[i];
  }
  for (uint32_t i = placed; i < used; ++i) regs[i] = Value();
  // Code run below (odd keyword names) must not reuse these words.
  Value* saved_top = std::exchange(ts->top, regs + used);
  uint32_t next = named;
  if (var_args) regs[next++] = rest;
  uint32_t taken = 0;  // keywords consumed
  if (ok && var_keywords) {
    DictObject* dict = NewDict(*ts).word();
    ok = dict != nullptr;
    regs[next] = Value(dict);
  }
  for (; ok && taken < nkw; ++taken) {
    Value name = names[taken];
    if (!IsStr(*ts, name)) {
      Raise(*ts, Exc::kTypeError, "keywords must be strings");
      ok = false;
      break;
    }
    int i = FindParam(f, name);
    if (i >= 0) {
      if (!regs[i].is_null()) {
        Raise(*ts, Exc::kTypeError, "%U() got multiple values for argument '%U'",
              Value(f->qualname), name);
        ok = false;
        break;
      }
      regs[i] = keywords[taken];
    } else if (var_keywords) {
      Value v = keywords[taken];
      ok = !DictSet(*ts, regs[next].as<DictObject>(), name, v).raised();
      Decref(v);
      if (!ok) {
        ++taken;
        break;
      }
    } else {
      if (code->posonly_count == 0 || !RaiseIfPositionalOnly(*ts, f, {names, nkw})) {
        if (!ts->HasPending()) RaiseUnexpectedKeyword(*ts, f, name);
      }
      ok = false;
      break;
    }
  }
  if (ok && too_many) {
    RaiseTooMany(*ts, f, npos, regs);
    ok = false;
  }
  if (ok && placed < argc) {
    uint32_t defaults = f->defaults != nullptr ? f->defaults->size() : 0;
    uint32_t required = argc - (defaults < argc ? defaults : argc);
    uint32_t missing = 0;
    for (uint32_t i = placed; i < required; ++i) missing += regs[i].is_null();
    if (missing > 0) {
      std::vector<std::string> names;
      for (uint32_t i = placed; i < required; ++i) {
        if (regs[i].is_null()) names.push_back(ToUtf8(ParamName(f, i)));
      }
      RaiseMissing(*ts, f, "positional", names);
      ok = false;
    } else {
      for (uint32_t i = required; i < argc; ++i) {
        if (!regs[i].is_null()) continue;
        Value v = f->defaults->items()[defaults - (argc - i)];
        Incref(v);
        regs[i] = v;
      }
    }
  }
  if (ok && named > argc) {
    std::vector<std::string> names;
    for (uint32_t i = argc; i < named; ++i) {
      if (!regs[i].is_null()) continue;
      Value v =
          f->kwdefaults != nullptr ? DictGetStr(*ts, f->kwdefaults, ParamName(f, i)) : Value();
      if (v.is_null()) {
        names.push_back(ToUtf8(ParamName(f, i)));
        continue;
      }
      Incref(v);
      regs[i] = v;
    }
    if (!names.empty()) {
      RaiseMissing(*ts, f, "keyword-only", names);
      ok = false;
    }
  }
  Value far;
  if (ok && code->near_param_count < code->param_count) {
    far = FarParameters(*ts, code, regs);
    ok = !far.is_null();
  }
  ts->top = saved_top;
  if (!ok) {
    for (; taken < nkw; ++taken) Decref(keywords[taken]);
    ReleaseAll(regs, used);
    return false;
  }
  for (uint32_t i = code->near_param_count; i < f->local_count; ++i) regs[i] = unbound;
  if (!far.is_null()) regs[code->far_register] = far;
  if (code->locals_register != 0xFFFF) {  // code of a module, in a function: its globals serve
    Incref(Value(f->globals));
    regs[code->locals_register] = Value(f->globals);
  }
  return true;
}

}  // namespace minivm

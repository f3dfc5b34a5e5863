// Dialect: an immutable, checked set of formatting parameters.
#include "runtime/objects/int_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/csv/csv_types.h"

namespace minivm::csv {

Raised RaiseErrorText(ThreadState& ts, Result<StrObject> text) {
  MVM_TRY(Ref<StrObject> message, std::move(text));
  MVM_TRY(Ref<> error, Call(ts, Value(StateOf(ts)->error), Value(message.get())));
  return RaiseObject(ts, error);
}

namespace {

enum Setting {
  kDelimiter,
  kDoubleQuote,
  kEscapeChar,
  kLineTerminator,
  kQuoteChar,
  kQuotingSetting,
  kSkipInitialSpace,
  kStrict,
};
constexpr const char* kNames[kSettingCount] = {"delimiter",        "doublequote", "escapechar",
                                               "lineterminator",   "quotechar",   "quoting",
                                               "skipinitialspace", "strict"};

// A one-character string; None means "no character" where that is allowed.
Result<char32_t> Character(ThreadState& ts, const char* name, Value v, bool none_allowed) {
  if (none_allowed && IsNone(ts, v)) return char32_t{kNotSet};
  if (!IsStr(ts, v)) {
    return Raise(ts, Exc::kTypeError, "\"%s\" must be string%s, not %T", name,
                 none_allowed ? " or None" : "", v);
  }
  if (v.as<StrObject>()->length != 1)
    return Raise(ts, Exc::kTypeError, "\"%s\" must be a 1-character string", name);
  return v.as<StrObject>()->At(0);
}

Status CheckCharacter(ThreadState& ts, const DialectObject* d, const char* name, char32_t c,
                      bool space_allowed) {
  if (c == '\r' || c == '\n' || (!space_allowed && c == ' ' && d->skipinitialspace))
    return Raise(ts, Exc::kValueError, "bad %s value", name);
  return Ok();
}
bool InTerminator(const DialectObject* d, char32_t c) {
  for (size_t i = 0; i < d->lineterminator->length; ++i) {
    if (d->lineterminator->At(i) == c) return true;
  }
  return false;
}

Status Check(ThreadState& ts, const DialectObject* d) {
  MVM_TRY_VOID(CheckCharacter(ts, d, "delimiter", d->delimiter, true));
  MVM_TRY_VOID(CheckCharacter(ts, d, "escapechar", d->escapechar, false));
  MVM_TRY_VOID(CheckCharacter(ts, d, "quotechar", d->quotechar, false));
  const struct {
    const char *a, *b;
    char32_t x, y;
  } pairs[] = {{"delimiter", "escapechar", d->delimiter, d->escapechar},
               {"delimiter", "quotechar", d->delimiter, d->quotechar},
               {"escapechar", "quotechar", d->escapechar, d->quotechar}};
  for (const auto& p : pairs) {
    if (p.x == p.y && p.x != kNotSet)
      return Raise(ts, Exc::kValueError, "bad %s or %s value", p.a, p.b);
  }
  const std::pair<const char*, char32_t> all[] = {
      {"delimiter", d->delimiter}, {"escapechar", d->escapechar}, {"quotechar", d->quotechar}};
  for (const auto& [name, c] : all) {
    if (c != kNotSet && InTerminator(d, c))
      return Raise(ts, Exc::kValueError, "bad %s or lineterminator value", name);
  }
  return Ok();
}

Status Fill(ThreadState& ts, DialectObject* d, Ref<>* given) {
  auto has = [&](Setting s) { return static_cast<bool>(given[s]) && !given[s].is_absent(); };
  if (has(kDelimiter)) {
    MVM_TRY(d->delimiter, Character(ts, kNames[kDelimiter], given[kDelimiter], false));
  }
  const std::pair<Setting, bool*> flags[] = {{kDoubleQuote, &d->doublequote},
                                             {kSkipInitialSpace, &d->skipinitialspace},
                                             {kStrict, &d->strict}};
  for (const auto& [setting, field] : flags) {
    if (!has(setting)) continue;
    MVM_TRY(*field, Truth(ts, given[setting]));
  }
  if (has(kEscapeChar)) {
    MVM_TRY(d->escapechar, Character(ts, kNames[kEscapeChar], given[kEscapeChar], true));
  }
  if (has(kLineTerminator)) {
    if (!IsStr(ts, given[kLineTerminator]) && !IsNone(ts, given[kLineTerminator]))
      return Raise(ts, Exc::kTypeError, "\"lineterminator\" must be a string");
    if (IsStr(ts, given[kLineTerminator]))
      d->lineterminator = Ref<StrObject>::Borrow(given[kLineTerminator].as<StrObject>()).Release();
  } else {
    MVM_TRY(Ref<StrObject> newline, NewStr(ts, "\r\n"));
    d->lineterminator = newline.Release();
  }
  if (has(kQuoteChar)) {
    MVM_TRY(d->quotechar, Character(ts, kNames[kQuoteChar], given[kQuoteChar], true));
  }
  if (has(kQuotingSetting)) {
    int64_t quoting;
    if (!IsExact(given[kQuotingSetting], TypeId::kInt) && !given[kQuotingSetting].is_int())
      return Raise(ts, Exc::kTypeError, "\"quoting\" must be an integer");
    if (!IntFitsInt64(given[kQuotingSetting], &quoting) || quoting < 0 || quoting >= kQuotingCount)
      return Raise(ts, Exc::kTypeError, "bad \"quoting\" value");
    d->quoting = static_cast<int>(quoting);
  } else if (has(kQuoteChar) && d->quotechar == kNotSet) {
    d->quoting = kNone;
  }
  if (d->quoting != kNone && d->quotechar == kNotSet)
    return Raise(ts, Exc::kTypeError, "quotechar must be set if quoting enabled");
  if (!d->lineterminator) return Raise(ts, Exc::kTypeError, "lineterminator must be set");
  return Check(ts, d);
}

Result<> dialect_new(ThreadState& ts, Args args) {
  return MakeDialect(ts, args.as<TypeObject>(0), args[1], args.v + 2);
}

Result<> CharacterOrNone(ThreadState& ts, char32_t c) {
  return c == kNotSet ? None(ts) : Result<>(StrFromChar(ts, c));
}
Result<> dialect_delimiter(ThreadState& ts, Value self) {
  return CharacterOrNone(ts, self.as<DialectObject>()->delimiter);
}
Result<> dialect_quotechar(ThreadState& ts, Value self) {
  return CharacterOrNone(ts, self.as<DialectObject>()->quotechar);
}
Result<> dialect_escapechar(ThreadState& ts, Value self) {
  return CharacterOrNone(ts, self.as<DialectObject>()->escapechar);
}
Result<> dialect_lineterminator(ThreadState&, Value self) {
  return Result<>::Borrow(Value(self.as<DialectObject>()->lineterminator));
}
Result<> dialect_quoting(ThreadState&, Value self) {
  return Small(self.as<DialectObject>()->quoting);
}
template <bool DialectObject::*kField>
Result<> dialect_flag(ThreadState& ts, Value self) {
  return Bool(ts, self.as<DialectObject>()->*kField);
}
Result<> dialect_reduce(ThreadState& ts, Args args) {
  return Raise(
      ts, Exc::kTypeError, "cannot pickle '%U' instances",
      TypeOf(ts, args[0])->name ? Value(TypeOf(ts, args[0])->name) : Value(ts.rt->empty_str));
}

const GetSetSpec kGetSets[] = {
    {"delimiter", dialect_delimiter},
    {"doublequote", dialect_flag<&DialectObject::doublequote>},
    {"escapechar", dialect_escapechar},
    {"lineterminator", dialect_lineterminator},
    {"quotechar", dialect_quotechar},
    {"quoting", dialect_quoting},
    {"skipinitialspace", dialect_flag<&DialectObject::skipinitialspace>},
    {"strict", dialect_flag<&DialectObject::strict>},
};
const MethodSpec kMethods[] = {
    {"__reduce__(self, /)", dialect_reduce, "A TypeError: settings cannot be pickled."},
    {"__reduce_ex__(self, protocol, /)", dialect_reduce,
     "A TypeError: settings cannot be pickled."},
};

}  // namespace

Result<DialectObject> MakeDialect(ThreadState& ts, TypeObject* cls, Value dialect,
                                  const Value* settings) {
  Ref<> base =
      Ref<>::Borrow(dialect.is_absent() || dialect.is_null() ? Value(ts.rt->none) : dialect);
  if (IsStr(ts, base)) {
    MVM_TRY(base, DictGet(ts, StateOf(ts)->dialects, base));
    if (base.is_absent()) return RaiseError(ts, "unknown dialect");
  }
  bool any = false;
  Ref<> given[kSettingCount];
  for (int i = 0; i < kSettingCount; ++i) {
    if (!settings || settings[i].is_absent() || settings[i].is_null()) continue;
    given[i] = Ref<>::Borrow(settings[i]);
    any = true;
  }
  if (!any && base.is_object() && TypeOf(ts, base)->spec == &kDialectType &&
      TypeOf(ts, base) == cls)
    return std::move(base).Into<DialectObject>();
  if (!IsNone(ts, base)) {
    for (int i = 0; i < kSettingCount; ++i) {
      if (given[i]) continue;
      MVM_TRY(given[i], GetAttrOptional(ts, base, std::string_view(kNames[i])));
    }
  }
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  DialectObject* d = made.as<DialectObject>();
  d->delimiter = ',';
  d->quotechar = '"';
  d->escapechar = kNotSet;
  d->doublequote = true;
  MVM_TRY_VOID(Fill(ts, d, given));
  return std::move(made).Into<DialectObject>();
}

const TypeSpec kDialectType = {
    .name = "_csv.Dialect",
    .doc = "How a CSV text is written: delimiter, quotes, escapes, and what is done about errors.",
    .flags = kTypeBase,
    .size = sizeof(DialectObject),
    .gc = GcHooksOf<DialectObject>(),
    .construct =
        {"Dialect(dialect=None, delimiter=<unrepresentable>, doublequote=<unrepresentable>, "
         "escapechar=<unrepresentable>, lineterminator=<unrepresentable>, "
         "quotechar=<unrepresentable>, quoting=<unrepresentable>, "
         "skipinitialspace=<unrepresentable>, strict=<unrepresentable>)",
         dialect_new},
    .methods = kMethods,
    .getsets = kGetSets,
};

const TypeSpec kStateType = {
    .name = "_csv._State",
    .flags = kTypeNoNew,
    .size = sizeof(CsvState),
    .gc = GcHooksOf<CsvState>(),
};

}  // namespace minivm::csv

// Signature texts: parsing them, and binding arguments by them.
//
// CPython's natives take their arguments through several generated forms, and the wording of their
// TypeErrors shows which. The form follows from the text: only positional-only parameters give the
// short forms ("len() takes exactly one argument (0 given)", "pop expected at most 1 argument, got
// 2"); any parameter that a keyword can fill gives the long form ("split() takes at most 2
// arguments (3 given)").
#include "runtime/native/signature.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include "runtime/core/intern.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/support/hash.h"

namespace minivm {

// ---- the table ----

SignatureTable::~SignatureTable() {
  for (uint32_t i = 0; entries_ && i <= mask_; ++i) {
    if (!entries_[i].sig) continue;
    std::free(entries_[i].sig->names);
    std::free(entries_[i].sig->defaults);
    delete entries_[i].sig;
  }
  std::free(entries_);
}

void SignatureTable::Clear(Heap&) {
  for (uint32_t i = 0; entries_ && i <= mask_; ++i) {
    Signature* sig = entries_[i].sig;
    for (int p = 0; sig && p < sig->count; ++p) {
      if (StrObject* name = std::exchange(sig->names[p], nullptr)) Decref(name);
      Decref(std::exchange(sig->defaults[p], Value()));
    }
  }
}

const Signature* SignatureTable::Find(const MethodSpec* spec) const {
  if (!entries_) return nullptr;
  for (uint32_t i = static_cast<uint32_t>(HashMix(reinterpret_cast<uintptr_t>(spec)));; ++i) {
    const Entry& e = entries_[i & mask_];
    if (!e.spec) return nullptr;
    if (e.spec == spec) return e.sig;
  }
}

bool SignatureTable::Insert(const MethodSpec* spec, Signature* sig) {
  if (!entries_ || used_ * 2 > mask_) {
    uint32_t size = entries_ ? (mask_ + 1) * 2 : 256;
    Entry* fresh = static_cast<Entry*>(std::calloc(size, sizeof(Entry)));
    if (!fresh) return false;
    for (uint32_t i = 0; entries_ && i <= mask_; ++i) {
      if (!entries_[i].spec) continue;
      uint32_t at = static_cast<uint32_t>(HashMix(reinterpret_cast<uintptr_t>(entries_[i].spec)));
      while (fresh[at & (size - 1)].spec) ++at;
      fresh[at & (size - 1)] = entries_[i];
    }
    std::free(entries_);
    entries_ = fresh;
    mask_ = size - 1;
  }
  uint32_t at = static_cast<uint32_t>(HashMix(reinterpret_cast<uintptr_t>(spec)));
  while (entries_[at & mask_].spec) ++at;
  entries_[at & mask_] = {spec, sig};
  ++used_;
  return true;
}

// ---- parsing ----

namespace {

constexpr int kMaxParameters = 120;

std::string_view Trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

// Takes the next parameter off the list: up to a comma outside of quotes and brackets.
std::string_view NextParameter(std::string_view* rest) {
  int depth = 0;
  char quote = 0;
  size_t i = 0;
  for (; i < rest->size(); ++i) {
    char c = (*rest)[i];
    if (quote) {
      if (c == '\\') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' || c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      break;
    }
  }
  std::string_view p = Trim(rest->substr(0, i));
  rest->remove_prefix(i < rest->size() ? i + 1 : i);
  return p;
}

// The value of a default's text; Absent() where it has no simple one.
Result<> ParseDefault(ThreadState& ts, std::string_view text) {
  if (text == "None") return None(ts);
  if (text == "True") return Bool(ts, true);
  if (text == "False") return Bool(ts, false);
  if (text == "()") return Result<>::Borrow(ts.rt->empty_tuple);
  if (text == "b''") return Result<>::Borrow(ts.rt->empty_bytes);
  char c = text.empty() ? 0 : text.front();
  if (c == '\'' || c == '"') {
    std::string plain;
    for (size_t i = 1; i + 1 < text.size(); ++i) {
      char ch = text[i];
      if (ch == '\\' && i + 2 < text.size()) {
        ch = text[++i];
        ch = ch == 'n' ? '\n' : ch == 't' ? '\t' : ch == 'r' ? '\r' : ch;
      }
      plain += ch;
    }
    return InternUtf8(ts, plain);
  }
  if (c == '-' || (c >= '0' && c <= '9')) {
    std::string copy(text);
    char* end;
    if (copy.find_first_of(".e") == std::string::npos || copy.compare(0, 2, "0x") == 0) {
      long long i = std::strtoll(copy.c_str(), &end, 0);
      if (*end == 0 && Value::FitsInt(i)) return Small(i);
    } else {
      double d = std::strtod(copy.c_str(), &end);
      if (*end == 0) return NewFloat(ts, d);
    }
  }
  return Result<>::Steal(Value::Absent());
}

struct Parser {
  ThreadState& ts;
  Signature* sig;
  StrObject* names[kMaxParameters] = {};
  Value defaults[kMaxParameters];
  int count = 0;
  bool keyword_only = false;
  bool defaults_seen = false;

  Parser(ThreadState& t, Signature* s) : ts(t), sig(s) {}
  ~Parser() {
    for (int i = 0; i < count; ++i) {
      if (names[i]) Decref(names[i]);
      Decref(defaults[i]);
    }
  }

  Status Add(std::string_view name, std::string_view default_text, bool has_default) {
    if (count == kMaxParameters) return Raise(ts, Exc::kSystemError, "too many parameters");
    MVM_TRY(Ref<StrObject> interned, InternUtf8(ts, name));
    Ref<> value;
    if (has_default) {
      MVM_TRY(value, ParseDefault(ts, default_text));
    }
    names[count] = interned.Release();
    defaults[count] = value.Release();
    ++count;
    return Ok();
  }

  Status Parameter(std::string_view p) {
    if (p == "/") {
      sig->positional_only = static_cast<uint8_t>(count);
      return Ok();
    }
    if (p == "*") {
      keyword_only = true;
      sig->plain = false;
      return Ok();
    }
    if (p.substr(0, 2) == "**") {
      sig->var_keyword = static_cast<int8_t>(count);
      sig->plain = false;
      return Add(p.substr(2), {}, false);
    }
    if (p.substr(0, 1) == "*") {
      sig->var_positional = static_cast<int8_t>(count);
      sig->plain = false;
      keyword_only = true;
      return Add(p.substr(1), {}, false);
    }
    size_t eq = p.find('=');
    bool has_default = eq != std::string_view::npos;
    std::string_view name = Trim(p.substr(0, eq));
    size_t colon = name.find(':');
    name = Trim(name.substr(0, colon));
    if (count == 0 && (name == "self" || name == "cls" || name == "type")) sig->has_self = true;
    MVM_TRY_VOID(Add(name, has_default ? Trim(p.substr(eq + 1)) : std::string_view(), has_default));
    if (!keyword_only) {
      sig->positional = static_cast<uint8_t>(count);
      defaults_seen = defaults_seen || has_default;
      if (!defaults_seen) sig->required = static_cast<uint8_t>(count);
    }
    return Ok();
  }

  Status Parse(std::string_view text) {
    size_t open = text.find('(');
    size_t close = text.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
      return Raise(ts, Exc::kSystemError, "malformed signature");
    }
    sig->function_name = text.data();
    sig->name_length = static_cast<uint8_t>(open);
    std::string_view rest = Trim(text.substr(open + 1, close - open - 1));
    if (rest == "...") {
      sig->raw = true;
      return Ok();
    }
    while (!rest.empty()) MVM_TRY_VOID(Parameter(NextParameter(&rest)));
    size_t n = count ? static_cast<size_t>(count) : 1;
    sig->names = static_cast<StrObject**>(std::calloc(n, sizeof(StrObject*)));
    sig->defaults = static_cast<Value*>(std::calloc(n, sizeof(Value)));
    if (!sig->names || !sig->defaults) return RaiseMemoryError(ts);
    for (int i = 0; i < count; ++i) {
      sig->names[i] = std::exchange(names[i], nullptr);
      sig->defaults[i] = std::exchange(defaults[i], Value());
    }
    sig->count = static_cast<uint8_t>(count);
    return Ok();
  }
};

// "collections.deque" -> "deque"
const char* LastPart(const char* name) {
  const char* dot = name ? std::strrchr(name, '.') : nullptr;
  return dot ? dot + 1 : name;
}

}  // namespace

namespace {

// The signature of a spec, parsed at first use. The text of a TypeSpec::construct leaves out the
// class, which is nevertheless the first argument; that of a TypeSpec::init has its self.
Result<const Signature*> ParsedSignature(ThreadState& ts, const MethodSpec& spec, const char* owner,
                                         bool constructor) {
  if (const Signature* found = ts.rt->signatures->Find(&spec)) {
    if (owner && !found->owner) const_cast<Signature*>(found)->owner = LastPart(owner);
    return found;
  }
  Signature* sig = new (std::nothrow) Signature();
  if (!sig) return RaiseMemoryError(ts);
  sig->owner = LastPart(owner);
  Parser parser(ts, sig);
  Status status = Ok();
  if (constructor && !std::strstr(spec.signature, "(...)") &&
      !std::strstr(spec.signature, "(self")) {
    status = parser.Add("cls", {}, false);
    sig->has_self = true;
    sig->positional = sig->required = sig->positional_only = 1;
  }
  if (!status.raised()) status = parser.Parse(spec.signature);
  if (owner && std::strcmp(owner, "builtins") == 0) sig->has_self = false;  // issubclass(cls, ...)
  if (!status.raised() && !ts.rt->signatures->Insert(&spec, sig)) status = RaiseMemoryError(ts);
  if (status.raised()) {
    std::free(sig->names);
    std::free(sig->defaults);
    delete sig;
    return kRaised;
  }
  return static_cast<const Signature*>(sig);
}

}  // namespace

Result<const Signature*> SignatureOf(ThreadState& ts, const MethodSpec& spec, const char* owner) {
  return ParsedSignature(ts, spec, owner, false);
}

Result<const Signature*> ConstructorSignature(ThreadState& ts, const MethodSpec& spec,
                                              const TypeSpec& type) {
  MVM_TRY(const Signature* sig, ParsedSignature(ts, spec, type.name, true));
  Signature* s = const_cast<Signature*>(sig);
  if (!s->constructor) {
    s->constructor = true;
    const std::string_view name = LastPart(type.name);
    // The name within the spec's text, which may have a mark, is as good.
    if (std::string_view(s->function_name, s->name_length) != name) {
      s->function_name = name.data();
      s->name_length = static_cast<uint8_t>(name.size());
    }
  }
  return sig;
}

// ---- binding ----

namespace {

// The arguments of one call against one signature, for the slow path.
class Binder {
 public:
  Binder(ThreadState& ts, const Signature& sig, Value first, Args raw, Value* out, Ref<>* owned)
      : ts_(ts),
        sig_(sig),
        first_(first),
        raw_(raw),
        out_(out),
        owned_(owned),
        self_(sig.has_self ? 1 : 0),
        n_(static_cast<int>(raw.n) + (first.is_null() ? 0 : 1)) {}

  Status Bind() {
    if (sig_.has_self && n_ == 0) {
      return Raise(ts_, Exc::kTypeError, "unbound method %s%s%.*s() needs an argument", Owner(),
                   Dot(), NameLength(), sig_.function_name);
    }
    bool takes_keywords = sig_.var_keyword >= 0 || sig_.positional > sig_.positional_only ||
                          KeywordOnlyEnd() > KeywordOnlyStart();
    if (takes_keywords) {
      MVM_TRY_VOID(CheckLongForm());
    } else {
      MVM_TRY_VOID(CheckShortForm());
    }
    MVM_TRY_VOID(FillPositional());
    return FillKeywords();
  }

 private:
  int Given() const { return n_ - self_; }
  int MaxPositional() const { return sig_.positional - self_; }
  int Required() const { return sig_.required - self_; }
  int KeywordOnlyStart() const { return sig_.positional + (sig_.var_positional >= 0 ? 1 : 0); }
  int KeywordOnlyEnd() const { return sig_.count - (sig_.var_keyword >= 0 ? 1 : 0); }
  // What stands behind the parameters says how CPython words its messages: "(...)!" without the
  // name of the function, "(...)#" with wrong numbers of positional arguments in the short form.
  bool HasMark(char mark) const {
    const char* end = std::strrchr(sig_.function_name, ')');
    return end && std::strchr(end, mark);
  }
  bool IsNameless() const { return HasMark('!'); }
  int NameLength() const { return IsNameless() ? 0 : sig_.name_length; }
  // What stands for the name in messages of the long form.
  const char* Nameless() const { return IsNameless() ? "function" : ""; }
  const char* Parens() const { return IsNameless() ? "" : "()"; }
  const char* Owner() const {
    return sig_.owner && std::strcmp(sig_.owner, "builtins") != 0 ? sig_.owner : "";
  }
  const char* Dot() const { return *Owner() ? "." : ""; }
  static const char* Plural(int n) { return n == 1 ? "" : "s"; }
  Value Positional(int i) const {
    if (first_.is_null()) return raw_.v[i];
    return i == 0 ? first_ : raw_.v[i - 1];
  }

  // Only positional-only parameters.
  Status CheckShortForm() {
    int given = Given();
    if (raw_.nkw) {
      if (sig_.constructor) {
        return Raise(ts_, Exc::kTypeError, "%.*s() takes no keyword arguments", NameLength(),
                     sig_.function_name);
      }
      return Raise(ts_, Exc::kTypeError, "%s%s%.*s() takes no keyword arguments", Owner(), Dot(),
                   NameLength(), sig_.function_name);
    }
    bool variable = sig_.var_positional >= 0;
    if (given >= Required() && (variable || given <= MaxPositional())) return Ok();
    if (MaxPositional() == 0 && !variable) {
      if (sig_.constructor) {
        return Raise(ts_, Exc::kTypeError, "%.*s() takes no arguments", NameLength(),
                     sig_.function_name);
      }
      return Raise(ts_, Exc::kTypeError, "%s%s%.*s() takes no arguments (%d given)", Owner(), Dot(),
                   NameLength(), sig_.function_name, given);
    }
    if (MaxPositional() == 1 && Required() == 1 && !variable && !sig_.constructor) {
      return Raise(ts_, Exc::kTypeError, "%s%s%.*s() takes exactly one argument (%d given)",
                   Owner(), Dot(), NameLength(), sig_.function_name, given);
    }
    return RaiseCount(given < Required());
  }

  Status RaiseCount(bool few) {
    const int bound = few ? Required() : MaxPositional();
    const bool exact = Required() == MaxPositional() && sig_.var_positional < 0;
    const char* how = exact ? "" : few ? "at least " : "at most ";
    return Raise(ts_, Exc::kTypeError, "%.*s expected %s%d argument%s, got %d", NameLength(),
                 sig_.function_name, how, bound, Plural(bound), Given());
  }

  // Some parameters can be given by keyword.
  Status CheckLongForm() {
    int given = Given();
    int keywords = static_cast<int>(raw_.nkw);
    if ((given < Required() || given > MaxPositional()) && HasMark('#'))
      return RaiseCount(given < Required());
    if (sig_.var_positional < 0) {
      int keyword_only = KeywordOnlyEnd() - KeywordOnlyStart();
      int most = MaxPositional() + keyword_only;
      if (sig_.var_keyword < 0 && given + keywords > most) {
        return Raise(ts_, Exc::kTypeError, "%s%.*s%s takes %s %d %sargument%s (%d given)",
                     Nameless(), NameLength(), sig_.function_name, Parens(),
                     Required() == most ? "exactly" : "at most", most, given == 0 ? "keyword " : "",
                     Plural(most), given + keywords);
      }
      if (given > MaxPositional()) {
        if (MaxPositional() == 0) {
          return Raise(ts_, Exc::kTypeError, "%.*s() takes no positional arguments", NameLength(),
                       sig_.function_name);
        }
        return RaisePositional(Required() == MaxPositional() ? "exactly" : "at most",
                               MaxPositional());
      }
    }
    int least =
        (sig_.positional_only < sig_.required ? sig_.positional_only : sig_.required) - self_;
    if (given < least) {
      bool exact = least == MaxPositional() && sig_.var_positional < 0;
      return RaisePositional(exact ? "exactly" : "at least", least);
    }
    return Ok();
  }

  Status RaisePositional(const char* how, int bound) {
    return Raise(ts_, Exc::kTypeError, "%s%.*s%s takes %s %d positional argument%s (%d given)",
                 Nameless(), NameLength(), sig_.function_name, Parens(), how, bound, Plural(bound),
                 Given());
  }

  Status FillPositional() {
    int direct = n_ < sig_.positional ? n_ : sig_.positional;
    for (int i = 0; i < direct; ++i) out_[i] = Positional(i);
    for (int i = direct; i < sig_.count; ++i) out_[i] = Value();
    if (sig_.var_positional < 0) return Ok();
    int extra = n_ - direct;
    Ref<> rest;
    if (extra == 0) {
      rest = Ref<>::Borrow(ts_.rt->empty_tuple);
    } else {
      const Value* from = raw_.v + direct - (first_.is_null() ? 0 : 1);
      MVM_TRY(rest, NewTuple(ts_, {from, static_cast<size_t>(extra)}));
    }
    out_[sig_.var_positional] = rest;
    *owned_++ = std::move(rest);
    return Ok();
  }

  // Index of the parameter that keyword `name` fills, or -1.
  int FindParameter(StrObject* name) const {
    for (int i = sig_.positional_only; i < KeywordOnlyEnd(); ++i) {
      if (i != sig_.var_positional && sig_.names[i] == name) return i;
    }
    if (name->interned()) return -1;
    for (int i = sig_.positional_only; i < KeywordOnlyEnd(); ++i) {
      if (i != sig_.var_positional && StrEquals(sig_.names[i], name)) return i;
    }
    return -1;
  }

  Status FillKeywords() {
    TupleObject* names = raw_.nkw ? raw_.v[raw_.n + raw_.nkw].as<TupleObject>() : nullptr;
    Ref<DictObject> rest;
    StrObject* unknown = nullptr;
    StrObject* twice = nullptr;
    int twice_at = 0;
    for (uint32_t k = 0; k < raw_.nkw; ++k) {
      StrObject* name = (*names)[k].as<StrObject>();
      int at = FindParameter(name);
      if (at < 0) {
        if (sig_.var_keyword >= 0) {
          if (!rest) {
            MVM_TRY(rest, NewDict(ts_, raw_.nkw));
          }
          MVM_TRY_VOID(DictSetStr(ts_, rest, name, raw_.v[raw_.n + k]));
        } else if (!unknown) {
          unknown = name;
        }
      } else if (!out_[at].is_null()) {
        if (!twice) twice = name, twice_at = at;
      } else {
        out_[at] = raw_.v[raw_.n + k];
      }
    }
    for (int i = 0; i < KeywordOnlyEnd(); ++i) {
      if (!out_[i].is_null() || i == sig_.var_positional) continue;
      if (sig_.defaults[i].is_null()) {
        return Raise(ts_, Exc::kTypeError, "%s%.*s%s missing required argument '%U' (pos %d)",
                     Nameless(), NameLength(), sig_.function_name, Parens(), Value(sig_.names[i]),
                     i - self_ + 1);
      }
      out_[i] = sig_.defaults[i];
    }
    if (twice) {
      return Raise(ts_, Exc::kTypeError,
                   "argument for %s%.*s%s given by name ('%U') and position (%d)", Nameless(),
                   NameLength(), sig_.function_name, Parens(), Value(twice), twice_at - self_ + 1);
    }
    if (unknown) {
      return Raise(ts_, Exc::kTypeError, "%s%s%.*s%s got an unexpected keyword argument '%U'",
                   IsNameless() ? "this " : "", Nameless(), NameLength(), sig_.function_name,
                   Parens(), Value(unknown));
    }
    if (sig_.var_keyword >= 0) {
      out_[sig_.var_keyword] = rest ? Value(rest) : Value::Absent();
      *owned_ = std::move(rest);
    }
    return Ok();
  }

  ThreadState& ts_;
  const Signature& sig_;
  Value first_;
  Args raw_;
  Value* out_;
  Ref<>* owned_;
  int self_;
  int n_;
};

}  // namespace

Status BindNative(ThreadState& ts, const Signature& sig, Value first, Args raw, Value* out,
                  Ref<>* owned) {
  MVM_DCHECK(!sig.raw, "raw natives bind their own arguments");
  uint32_t lead = first.is_null() ? 0 : 1;
  uint32_t n = raw.n + lead;
  if (MVM_LIKELY(raw.nkw == 0 && sig.plain && n >= sig.required && n <= sig.positional)) {
    if (lead) out[0] = first;
    for (uint32_t i = 0; i < raw.n; ++i) out[i + lead] = raw.v[i];
    for (uint32_t i = n; i < sig.count; ++i) out[i] = sig.defaults[i];
    return Ok();
  }
  // self and *args, perhaps **kwargs, without keywords: the rest is a tuple.
  if (raw.nkw == 0 && sig.var_positional == sig.positional && n >= sig.positional &&
      lead <= sig.positional && sig.count - sig.positional == (sig.var_keyword >= 0 ? 2 : 1)) {
    const uint32_t direct = sig.positional - lead;
    if (lead) out[0] = first;
    for (uint32_t i = 0; i < direct; ++i) out[i + lead] = raw.v[i];
    MVM_TRY(Ref<TupleObject> rest, NewTuple(ts, {raw.v + direct, raw.n - direct}));
    out[sig.var_positional] = rest;
    if (sig.var_keyword >= 0) out[sig.var_keyword] = Value::Absent();
    owned[0] = std::move(rest);
    return Ok();
  }
  return Binder(ts, sig, first, raw, out, owned).Bind();
}

Status BindNative(ThreadState& ts, const Signature& sig, Args raw, Value* out, Ref<>* owned) {
  return BindNative(ts, sig, Value(), raw, out, owned);
}

}  // namespace minivm

// Module _csv: dialects, readers and writers of delimited text.
#pragma once

#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"

namespace minivm::csv {

extern const TypeSpec kDialectType;
extern const TypeSpec kReaderType;
extern const TypeSpec kWriterType;
extern const TypeSpec kStateType;

enum Quoting : int { kMinimal, kAll, kNonNumeric, kNone, kStrings, kNotNull };
inline constexpr int kQuotingCount = 6;
inline constexpr char32_t kNotSet = 0xFFFFFFFF;  // no such character

class DialectObject : public Object {
 public:
  char32_t delimiter = ',';
  char32_t quotechar = '"';  // or kNotSet
  char32_t escapechar = kNotSet;
  int quoting = kMinimal;
  bool doublequote = true, skipinitialspace = false, strict = false;
  StrObject* lineterminator = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(lineterminator);
  }
};

// What the module keeps for itself (RuntimeState::module_states).
class CsvState : public Object {
 public:
  TypeObject* error = nullptr;
  DictObject* dialects = nullptr;  // name -> Dialect
  int64_t field_limit = 128 * 1024;
  template <class V>
  void VisitRefs(V&& v) {
    v(error);
    v(dialects);
  }
};
inline CsvState* StateOf(ThreadState& ts) {
  return static_cast<CsvState*>(ts.rt->module_states[static_cast<size_t>(ModuleState::kCsv)]);
}

// Raises _csv.Error with a text as Raise() formats it.
template <class... A>
[[gnu::cold]] Raised RaiseError(ThreadState& ts, const char* format, A... args);
[[gnu::cold]] Raised RaiseErrorText(ThreadState& ts, Result<StrObject> text);
template <class... A>
Raised RaiseError(ThreadState& ts, const char* format, A... args) {
  return RaiseErrorText(ts, Format(ts, format, args...));
}

// The dialect that `dialect` (None, a name, a Dialect, anything with its attributes) and the
// settings delimiter, doublequote, escapechar, lineterminator, quotechar, quoting,
// skipinitialspace, strict (null or absent: not given) describe.
Result<DialectObject> MakeDialect(ThreadState& ts, TypeObject* cls, Value dialect,
                                  const Value* settings);
inline constexpr int kSettingCount = 8;

Result<> csv_reader(ThreadState& ts, Args args);
Result<> csv_writer(ThreadState& ts, Args args);

}  // namespace minivm::csv

// reader: rows of fields from an iterator of lines.
//
// A state machine over characters; the ends of lines that the iterator shows are characters to it,
// which is how quoted fields continue in the next line. Runs of ordinary characters are taken at
// once.
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/csv/csv_types.h"

namespace minivm::csv {

namespace {

enum class State : uint8_t {
  kStartRecord,
  kStartField,
  kEscaped,
  kInField,
  kInQuoted,
  kEscapedInQuoted,
  kQuoteInQuoted,
  kEatNewline,
  kAfterEscapedNewline,
};
constexpr char32_t kEndOfLine = 0xFFFFFFFE;

class ReaderObject : public Object {
 public:
  Value input;  // an iterator
  DialectObject* dialect = nullptr;
  int64_t line_num = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(input);
    v(dialect);
  }
};

// One row under construction.
class RowReader {
 public:
  RowReader(ThreadState& ts, const DialectObject* d, ListObject* fields)
      : ts_(ts), d_(*d), fields_(fields), field_(ts), limit_(StateOf(ts)->field_limit) {}

  State state() const { return state_; }
  bool unfinished() const { return field_.length() > 0 || state_ == State::kInQuoted; }

  Status Line(StrObject* line) {
    const size_t n = line->length;
    for (size_t i = 0; i < n;) {
      if (state_ == State::kStartField || state_ == State::kStartRecord) {
        MVM_TRY(const size_t next, WholeField(line, i));
        if (next > i) {
          i = next;
          continue;
        }
      }
      const size_t run =
          (state_ == State::kInField || state_ == State::kInQuoted) ? RunEnd(line, i) : i;
      if (run > i) {
        MVM_TRY_VOID(field_.AppendSlice(line, i, run));
        MVM_TRY_VOID(CheckLimit());
        i = run;
        continue;
      }
      MVM_TRY_VOID(Take(line->At(i++)));
    }
    MVM_TRY_VOID(Charge(ts_, static_cast<int64_t>(n / 4 + 1)));
    return Take(kEndOfLine);
  }

  Status SaveField() {
    MVM_TRY(Ref<> field, field_.Finish());
    return Save(std::move(field));
  }

 private:
  Status Save(Ref<> field) {
    if (!quoted_) {
      const bool empty = field.as<StrObject>()->length == 0;
      if (empty && (d_.quoting == kStrings || d_.quoting == kNotNull)) {
        field = Ref<>::Borrow(ts_.rt->none);
      } else if (!empty && (d_.quoting == kNonNumeric || d_.quoting == kStrings)) {
        MVM_TRY(field, ToFloat(ts_, field));
      }
    }
    quoted_ = false;
    return ListAppend(ts_, fields_, field);
  }

  // The field that starts at line[i], if it is whole and holds nothing that has to be worked out:
  // where to go on then, else i.
  Result<size_t> WholeField(StrObject* line, size_t i) {
    const size_t n = line->length;
    const char32_t first = line->At(i);
    if (first == '\n' || first == '\r' || (first == ' ' && d_.skipinitialspace)) return i;
    const bool quoted = first == d_.quotechar && d_.quoting != kNone;
    const size_t start = quoted ? i + 1 : i;
    const size_t end = RunEnd(line, start, quoted);
    size_t next = end;
    if (quoted) {
      if (end == n || line->At(end) != d_.quotechar) return i;
      ++next;
    }
    const char32_t behind = next < n ? line->At(next) : kEndOfLine;
    if (behind != d_.delimiter && !EndsLine(behind)) return i;
    if (static_cast<int64_t>(end - start) > limit_) return i;
    MVM_TRY(Ref<> field, StrSlice(ts_, line, start, end));
    quoted_ = quoted;
    MVM_TRY_VOID(Save(std::move(field)));
    if (behind == kEndOfLine) {
      state_ = State::kStartRecord;
      return n;
    }
    state_ = behind == d_.delimiter ? State::kStartField : State::kEatNewline;
    return next + 1;
  }

  // The end of the characters from i on that mean nothing in the present state.
  size_t RunEnd(const StrObject* line, size_t i) const {
    return RunEnd(line, i, state_ == State::kInQuoted);
  }
  size_t RunEnd(const StrObject* line, size_t i, bool in_quotes) const {
    const size_t n = line->length;
    const char32_t a = d_.escapechar, b = in_quotes ? d_.quotechar : d_.delimiter;
    return WithChars(line, [&](const auto* p) {
      if (in_quotes) {
        while (i < n && p[i] != a && p[i] != b) ++i;
      } else {
        while (i < n && p[i] != a && p[i] != b && p[i] != '\n' && p[i] != '\r') ++i;
      }
      return i;
    });
  }

  Status CheckLimit() {
    if (static_cast<int64_t>(field_.length()) > limit_) {
      return RaiseError(ts_, "field larger than field limit (%lld)",
                        static_cast<long long>(limit_));
    }
    return Ok();
  }
  Status Add(char32_t c) {
    MVM_TRY_VOID(field_.Append(c));
    return CheckLimit();
  }

  static bool EndsLine(char32_t c) { return c == '\n' || c == '\r' || c == kEndOfLine; }
  Status EndRecord(char32_t c) {
    MVM_TRY_VOID(SaveField());
    state_ = c == kEndOfLine ? State::kStartRecord : State::kEatNewline;
    return Ok();
  }
  Status EndField() {
    MVM_TRY_VOID(SaveField());
    state_ = State::kStartField;
    return Ok();
  }

  Status Take(char32_t c) {
    switch (state_) {
      case State::kStartRecord:
        if (c == kEndOfLine) return Ok();
        if (c == '\n' || c == '\r') {
          state_ = State::kEatNewline;
          return Ok();
        }
        [[fallthrough]];
      case State::kStartField:
        state_ = State::kStartField;
        if (EndsLine(c)) return EndRecord(c);
        if (c == d_.quotechar && d_.quoting != kNone) {
          quoted_ = true;
          state_ = State::kInQuoted;
        } else if (c == d_.escapechar) {
          state_ = State::kEscaped;
        } else if (c == ' ' && d_.skipinitialspace) {
          // Ignored.
        } else if (c == d_.delimiter) {
          return SaveField();
        } else {
          state_ = State::kInField;
          return Add(c);
        }
        return Ok();
      case State::kEscaped:
        if (c == '\n' || c == '\r') {
          state_ = State::kAfterEscapedNewline;
          return Add(c);
        }
        state_ = State::kInField;
        return Add(c == kEndOfLine ? U'\n' : c);
      case State::kAfterEscapedNewline:
        if (c == kEndOfLine) return Ok();
        state_ = State::kInField;
        [[fallthrough]];
      case State::kInField:
        if (EndsLine(c)) return EndRecord(c);
        if (c == d_.escapechar) {
          state_ = State::kEscaped;
          return Ok();
        }
        if (c == d_.delimiter) return EndField();
        return Add(c);
      case State::kInQuoted:
        if (c == kEndOfLine) return Ok();
        if (c == d_.escapechar) {
          state_ = State::kEscapedInQuoted;
          return Ok();
        }
        if (c == d_.quotechar && d_.quoting != kNone) {
          state_ = d_.doublequote ? State::kQuoteInQuoted : State::kInField;
          return Ok();
        }
        return Add(c);
      case State::kEscapedInQuoted:
        state_ = State::kInQuoted;
        return Add(c == kEndOfLine ? U'\n' : c);
      case State::kQuoteInQuoted:
        if (c == d_.quotechar && d_.quoting != kNone) {
          state_ = State::kInQuoted;
          return Add(c);
        }
        if (c == d_.delimiter) return EndField();
        if (EndsLine(c)) return EndRecord(c);
        if (d_.strict) {
          MVM_TRY(Ref<StrObject> delimiter, StrFromChar(ts_, d_.delimiter));
          MVM_TRY(Ref<StrObject> quote, StrFromChar(ts_, d_.quotechar));
          return RaiseError(ts_, "'%U' expected after '%U'", Value(delimiter.get()),
                            Value(quote.get()));
        }
        state_ = State::kInField;
        return Add(c);
      case State::kEatNewline:
        if (c == '\n' || c == '\r') return Ok();
        if (c == kEndOfLine) {
          state_ = State::kStartRecord;
          return Ok();
        }
        return RaiseError(
            ts_,
            "new-line character seen in unquoted field - do you need to open the file with "
            "newline=''?");
    }
    return Ok();
  }

  ThreadState& ts_;
  const DialectObject d_;  // a copy: its fields are read all the time
  ListObject* fields_;
  StrBuilder field_;
  int64_t limit_;
  State state_ = State::kStartRecord;
  bool quoted_ = false;
};

Result<> reader_iter(ThreadState&, Value self) { return Result<>::Borrow(self); }

Result<> reader_next(ThreadState& ts, Value self) {
  ReaderObject* r = self.as<ReaderObject>();
  const Ref<> hold = Ref<>::Borrow(self);
  MVM_TRY(Ref<ListObject> fields, NewListReserve(ts, 0));
  RowReader row(ts, r->dialect, fields);
  do {
    MVM_TRY(Ref<> line, Next(ts, r->input));
    if (line.is_done()) {
      if (!row.unfinished()) return Result<>::Done();
      if (r->dialect->strict) return RaiseError(ts, "unexpected end of data");
      MVM_TRY_VOID(row.SaveField());
      break;
    }
    if (!IsStr(ts, line)) {
      return RaiseError(
          ts, "iterator should return strings, not %T (the file should be opened in text mode)",
          line.get());
    }
    ++r->line_num;
    MVM_TRY_VOID(row.Line(line.as<StrObject>()));
  } while (row.state() != State::kStartRecord);
  return fields;
}

Result<> reader_dialect(ThreadState&, Value self) {
  return Result<>::Borrow(Value(self.as<ReaderObject>()->dialect));
}
Result<> reader_line_num(ThreadState& ts, Value self) {
  return NewInt(ts, self.as<ReaderObject>()->line_num);
}
const GetSetSpec kGetSets[] = {{"dialect", reader_dialect}, {"line_num", reader_line_num}};

}  // namespace

Result<> csv_reader(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> input, GetIter(ts, args[0]));
  MVM_TRY(TypeObject * dialect_type, TypeForSpec(ts, kDialectType));
  MVM_TRY(Ref<DialectObject> dialect, MakeDialect(ts, dialect_type, args[1], args.v + 2));
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kReaderType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  ReaderObject* r = made.as<ReaderObject>();
  r->input = input.Release();
  r->dialect = dialect.Release();
  return made;
}

const TypeSpec kReaderType = {
    .name = "_csv.reader",
    .doc = "Iterator of the rows of a CSV text, each a list of fields; csv.reader() makes it.",
    .flags = kTypeNoNew,
    .size = sizeof(ReaderObject),
    .gc = GcHooksOf<ReaderObject>(),
    .slots = {.iter = reader_iter, .next = reader_next},
    .getsets = kGetSets,
};

}  // namespace minivm::csv

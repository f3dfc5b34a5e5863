// writer: rows of values to lines of text.
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/csv/csv_types.h"

namespace minivm::csv {

namespace {

class WriterObject : public Object {
 public:
  Value write;  // the file's bound method
  DialectObject* dialect = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(write);
    v(dialect);
  }
};

class LineWriter {
 public:
  LineWriter(ThreadState& ts, const DialectObject* d) : ts_(ts), d_(d), out_(ts) {}

  Status Field(Value v) {
    const bool null = IsNone(ts_, v);
    bool quoted = d_->quoting == kAll || (d_->quoting == kNonNumeric && !IsNumber(v)) ||
                  (d_->quoting == kStrings && IsStr(ts_, v)) || (d_->quoting == kNotNull && !null);
    Ref<StrObject> text;
    if (null) {
      MVM_TRY(text, EmptyStr(ts_));
    } else {
      MVM_TRY(text, ToStr(ts_, v));
    }
    if (count_ > 0) MVM_TRY_VOID(out_.Append(d_->delimiter));
    if (text->length == 0 && d_->delimiter == ' ' && d_->skipinitialspace) {
      if (MayNotQuote(null)) {
        return RaiseError(
            ts_, "empty field must be quoted if delimiter is a space and skipinitialspace is true");
      }
      quoted = true;
    }
    last_null_ = null;
    ++count_;
    return Append(text, quoted);
  }

  Result<StrObject> Finish() {
    if (count_ > 0 && out_.length() == 0) {
      // A lone empty field must differ from an empty row.
      if (MayNotQuote(last_null_))
        return RaiseError(ts_, "single empty field record must be quoted");
      MVM_TRY_VOID(out_.Append(d_->quotechar));
      MVM_TRY_VOID(out_.Append(d_->quotechar));
    }
    MVM_TRY_VOID(out_.Append(d_->lineterminator));
    return out_.Finish();
  }

 private:
  bool MayNotQuote(bool null) const {
    return d_->quoting == kNone || (null && (d_->quoting == kStrings || d_->quoting == kNotNull));
  }
  bool IsNumber(Value v) const {
    if (IsInt(ts_, v) || IsFloat(ts_, v) || HasTypeFlag(ts_, v, kTypeComplexSubclass)) return true;
    const OperatorSlots& slots = *TypeOf(ts_, v)->operators;
    return slots.index || slots.to_int || slots.to_float;
  }
  bool InTerminator(char32_t c) const {
    for (size_t i = 0; i < d_->lineterminator->length; ++i) {
      if (d_->lineterminator->At(i) == c) return true;
    }
    return false;
  }
  bool IsSpecial(char32_t c) const {
    return c == d_->delimiter || c == d_->escapechar || c == d_->quotechar || c == '\n' ||
           c == '\r' || InTerminator(c);
  }
  // Of the special characters: must it follow an escape character?
  bool WantsEscape(char32_t c) const {
    if (d_->quoting == kNone) return true;
    return c == d_->quotechar ? !d_->doublequote : c == d_->escapechar;
  }

  Status Append(const StrObject* s, bool quoted) {
    size_t plain = 0;  // leading characters without a meaning
    while (plain < s->length && !IsSpecial(s->At(plain))) ++plain;
    for (size_t i = plain; i < s->length && !quoted; ++i)
      quoted = IsSpecial(s->At(i)) && !WantsEscape(s->At(i));
    if (quoted) MVM_TRY_VOID(out_.Append(d_->quotechar));
    MVM_TRY_VOID(out_.AppendSlice(s, 0, plain));
    for (size_t i = plain; i < s->length; ++i) {
      const char32_t c = s->At(i);
      if (IsSpecial(c)) {
        if (WantsEscape(c)) {
          if (d_->escapechar == kNotSet)
            return RaiseError(ts_, "need to escape, but no escapechar set");
          MVM_TRY_VOID(out_.Append(d_->escapechar));
        } else if (c == d_->quotechar) {
          MVM_TRY_VOID(out_.Append(c));
        }
      }
      MVM_TRY_VOID(out_.Append(c));
    }
    return quoted ? out_.Append(d_->quotechar) : Ok();
  }

  ThreadState& ts_;
  const DialectObject* d_;
  StrBuilder out_;
  size_t count_ = 0;
  bool last_null_ = false;
};

Result<> WriteRow(ThreadState& ts, WriterObject* w, Value row) {
  Result<> it = GetIter(ts, row);
  if (it.raised()) {
    if (ClearPendingIf(ts, Exc::kTypeError))
      return RaiseError(ts, "iterable expected, not %T", row);
    return kRaised;
  }
  const Ref<> iterator = it.Take();
  LineWriter line(ts, w->dialect);
  for (;;) {
    MVM_TRY(Ref<> field, Next(ts, iterator));
    if (field.is_done()) break;
    MVM_TRY_VOID(line.Field(field));
    MVM_TRY_VOID(Charge(ts, 4));
  }
  MVM_TRY(Ref<StrObject> text, line.Finish());
  return Call(ts, w->write, Value(text.get()));
}

Result<> writer_writerow(ThreadState& ts, Args args) {
  return WriteRow(ts, args.self<WriterObject>(), args[1]);
}
Result<> writer_writerows(ThreadState& ts, Args args) {
  MVM_TRY_VOID(ForEach(ts, args[1], [&](Value row) -> Status {
    MVM_TRY_VOID(WriteRow(ts, args.self<WriterObject>(), row));
    return Ok();
  }));
  return None(ts);
}
Result<> writer_dialect(ThreadState&, Value self) {
  return Result<>::Borrow(Value(self.as<WriterObject>()->dialect));
}

const MethodSpec kMethods[] = {
    {"writerow(self, row, /)", writer_writerow,
     "Write a row and return what write() of the file did. A field that is no string goes through "
     "str(); None is empty."},
    {"writerows(self, rows, /)", writer_writerows,
     "Write a row for each of the iterables in rows."},
};
const GetSetSpec kGetSets[] = {{"dialect", writer_dialect}};

}  // namespace

Result<> csv_writer(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> write, GetAttrOptional(ts, args[0], MVM_NAME(ts, write)));
  if (write.is_absent() || !IsCallable(ts, write))
    return Raise(ts, Exc::kTypeError, "argument 1 must have a \"write\" method");
  MVM_TRY(TypeObject * dialect_type, TypeForSpec(ts, kDialectType));
  MVM_TRY(Ref<DialectObject> dialect, MakeDialect(ts, dialect_type, args[1], args.v + 2));
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kWriterType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  WriterObject* w = made.as<WriterObject>();
  w->write = write.Release();
  w->dialect = dialect.Release();
  return made;
}

const TypeSpec kWriterType = {
    .name = "_csv.writer",
    .doc = "Writes rows to a file as CSV; csv.writer() makes it.",
    .flags = kTypeNoNew,
    .size = sizeof(WriterObject),
    .gc = GcHooksOf<WriterObject>(),
    .methods = kMethods,
    .getsets = kGetSets,
};

}  // namespace minivm::csv

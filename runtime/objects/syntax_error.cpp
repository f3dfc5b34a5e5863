// SyntaxError: a message and where it is.
//
// The second argument, a tuple of four or six, sets the position; nothing checks the items' types.
#include "runtime/objects/exception_types.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

Status FillSyntaxError(ThreadState& ts, SyntaxErrorObject* e, TupleObject* args) {
  if (args->size() >= 1) SetField(&e->msg, (*args)[0]);
  if (args->size() != 2) return Ok();
  MVM_TRY(Ref<TupleObject> info, TupleFrom(ts, (*args)[1]));
  size_t n = info->size();
  if (n < 4) {
    return Raise(ts, Exc::kTypeError, "function takes at least 4 arguments (%zu given)", n);
  }
  if (n > 6) return Raise(ts, Exc::kTypeError, "function takes at most 6 arguments (%zu given)", n);
  Value* fields[] = {&e->filename, &e->lineno,     &e->offset,
                     &e->text,     &e->end_lineno, &e->end_offset};
  for (size_t i = 0; i < 6; ++i) SetField(fields[i], i < n ? (*info)[i] : Value());
  if (n == 5) {
    return Raise(ts, Exc::kTypeError, "end_offset must be provided when end_lineno is provided");
  }
  return Ok();
}

Status syntax_error_init(ThreadState& ts, Value self, Args raw) {
  MVM_TRY_VOID(exception_init(ts, self, raw));
  SyntaxErrorObject* e = self.as<SyntaxErrorObject>();
  Ref<TupleObject> args = Ref<TupleObject>::Borrow(e->args);
  return FillSyntaxError(ts, e, args);
}

namespace {

// The part of a path behind the last slash.
Result<StrObject> BaseName(ThreadState& ts, StrObject* path) {
  size_t start = path->length;
  while (start > 0 && path->At(start - 1) != '/') --start;
  return StrSlice(ts, path, start, path->length);
}

}  // namespace

Result<> syntax_error_str(ThreadState& ts, Value self) {
  SyntaxErrorObject* e = self.as<SyntaxErrorObject>();
  Ref<> msg = Ref<>::Borrow(e->msg.is_null() ? Value(ts.rt->none) : e->msg);
  Ref<StrObject> file;
  if (!e->filename.is_null() && IsStr(ts, e->filename)) {
    MVM_TRY(file, BaseName(ts, e->filename.as<StrObject>()));
  }
  Ref<> line = Ref<>::Borrow(e->lineno);
  bool has_line = line && (line.is_int() || IsExact(line, TypeId::kInt));
  if (file && has_line) {
    return Format(ts, "%S (%U, line %S)", msg.get(), Value(file), line.get());
  }
  if (file) return Format(ts, "%S (%U)", msg.get(), Value(file));
  if (has_line) return Format(ts, "%S (line %S)", msg.get(), line.get());
  return ToStr(ts, msg);
}

#define MVM_MEMBER(field)                                  \
  GetMember<SyntaxErrorObject, &SyntaxErrorObject::field>, \
      SetMember<SyntaxErrorObject, &SyntaxErrorObject::field>
const GetSetSpec kSyntaxErrorGetSets[8] = {
    {"end_lineno", MVM_MEMBER(end_lineno), "The line of its end."},
    {"end_offset", MVM_MEMBER(end_offset), "The column behind its end, counted from 1."},
    {"filename", MVM_MEMBER(filename), "The name of the source."},
    {"lineno", MVM_MEMBER(lineno), "The line of the error, counted from 1."},
    {"msg", MVM_MEMBER(msg), "What is wrong."},
    {"offset", MVM_MEMBER(offset), "The column of the error, counted from 1."},
    {"print_file_and_line", MVM_MEMBER(print_file_and_line), "Unused."},
    {"text", MVM_MEMBER(text), "The line itself."},
};
#undef MVM_MEMBER

}  // namespace minivm

// Inside of the exception types: what exception_object.cpp's table needs from the files of single
// layouts (os_error.cpp, syntax_error.cpp, unicode_error.cpp, exception_group.cpp).
#pragma once

#include "runtime/objects/exception_object.h"

namespace minivm {

// Zeroed instance of an exception class with these args (borrowed).
Result<ExceptionObject> AllocException(ThreadState& ts, TypeObject* cls, TupleObject* args);
// What a dying exception without fields of its own class drops.
void DestroyException(Heap& heap, Object* self);
// The exception's __dict__; absent if it has no attributes of its own.
Result<> OwnDict(ThreadState& ts, ExceptionObject* e);
// The positional arguments as a tuple.
Result<TupleObject> RawTuple(ThreadState& ts, Args raw);
// TypeError "<name>() takes no keyword arguments" if there are any.
Status NoKeywords(ThreadState& ts, TypeObject* type, Args raw);
// exception.args = args
void SetArgs(ExceptionObject* e, TupleObject* args);
void SetField(Value* field, Value value);
// exception.args = the positional arguments, which __new__ has usually done.
Status StoreArgs(ThreadState& ts, ExceptionObject* e, Args raw);
// The fields that follow from the args of an instance of this built-in type.
Status FillFields(ThreadState& ts, Exc type, ExceptionObject* e, TupleObject* args);

// BaseException's.
Result<> exception_new(ThreadState& ts, TypeObject* cls, Args raw);
Status exception_init(ThreadState& ts, Value self, Args raw);
Result<> exception_str(ThreadState& ts, Value self);

// Getter and setter of a Value member: None when null, deleting makes it null.
template <class T, Value T::*kMember>
Result<> GetMember(ThreadState& ts, Value self) {
  Value v = self.as<T>()->*kMember;
  return Result<>::Borrow(v.is_null() ? Value(ts.rt->none) : v);
}
template <class T, Value T::*kMember>
Status SetMember(ThreadState&, Value self, Value value) {
  SetField(&(self.as<T>()->*kMember), value);
  return Ok();
}

// Layouts with their own construction: fill(e, args) sets the fields from e's args tuple, as the
// natives that raise need it.
Status FillOsError(ThreadState& ts, OsErrorObject* e, TupleObject* args);
Result<> os_error_new(ThreadState& ts, TypeObject* cls, Args raw);
Status os_error_init(ThreadState& ts, Value self, Args raw);
Result<> os_error_str(ThreadState& ts, Value self);
extern const GetSetSpec kOsErrorGetSets[5];
extern const MethodSpec kOsErrorMethods[1];

Status FillSyntaxError(ThreadState& ts, SyntaxErrorObject* e, TupleObject* args);
Status syntax_error_init(ThreadState& ts, Value self, Args raw);
Result<> syntax_error_str(ThreadState& ts, Value self);
extern const GetSetSpec kSyntaxErrorGetSets[8];

Status FillUnicodeError(ThreadState& ts, UnicodeErrorObject* e, TupleObject* args);
Status unicode_error_init(ThreadState& ts, Value self, Args raw);
Result<> unicode_error_str(ThreadState& ts, Value self);
extern const GetSetSpec kUnicodeErrorGetSets[5];
extern const GetSetSpec kUnicodeTranslateErrorGetSets[5];

Result<> exception_group_new(ThreadState& ts, TypeObject* cls, Args raw);
Status exception_group_init(ThreadState& ts, Value self, Args raw);
Result<> exception_group_str(ThreadState& ts, Value self);
extern const GetSetSpec kExceptionGroupGetSets[2];
extern const MethodSpec kExceptionGroupMethods[4];

}  // namespace minivm

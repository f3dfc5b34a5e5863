// Exception objects. One struct per layout named in exceptions.def.
//
// Natives raise through core/thread_state.h; what is here makes exceptions with special arguments.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class TupleObject;
class DictObject;
class ListObject;

class ExceptionObject : public Object {
 public:
  DictObject* dict = nullptr;  // of a built-in class: attributes, created on first use
  TupleObject* args = nullptr;
  Value traceback;  // TracebackObject or null
  Value context;    // exception or null
  Value cause;      // exception or null
  bool suppress_context = false;
  template <class V>
  void VisitRefs(V&& v) {
    v(dict);
    v(args);
    v(traceback);
    v(context);
    v(cause);
  }
};

class StopIterationObject : public ExceptionObject {
 public:
  Value value;
  template <class V>
  void VisitRefs(V&& v) {
    ExceptionObject::VisitRefs(v);
    v(value);
  }
};
class SystemExitObject : public ExceptionObject {
 public:
  Value code;
  template <class V>
  void VisitRefs(V&& v) {
    ExceptionObject::VisitRefs(v);
    v(code);
  }
};
class NameErrorObject : public ExceptionObject {
 public:
  Value name;
  template <class V>
  void VisitRefs(V&& v) {
    ExceptionObject::VisitRefs(v);
    v(name);
  }
};
class AttributeErrorObject : public ExceptionObject {
 public:
  Value name, object;
  template <class V>
  void VisitRefs(V&& v) {
    ExceptionObject::VisitRefs(v);
    v(name);
    v(object);
  }
};
class ImportErrorObject : public ExceptionObject {
 public:
  Value msg, name, path, name_from;
  template <class V>
  void VisitRefs(V&& v) {
    ExceptionObject::VisitRefs(v);
    v(msg);
    v(name);
    v(path);
    v(name_from);
  }
};
class OsErrorObject : public ExceptionObject {
 public:
  Value error_number, strerror, filename, filename2, characters_written;
  template <class V>
  void VisitRefs(V&& v) {
    ExceptionObject::VisitRefs(v);
    v(error_number);
    v(strerror);
    v(filename);
    v(filename2);
    v(characters_written);
  }
};
class SyntaxErrorObject : public ExceptionObject {
 public:
  Value msg, filename, lineno, offset, text, end_lineno, end_offset, print_file_and_line;
  template <class V>
  void VisitRefs(V&& v) {
    ExceptionObject::VisitRefs(v);
    v(msg);
    v(filename);
    v(lineno);
    v(offset);
    v(text);
    v(end_lineno);
    v(end_offset);
    v(print_file_and_line);
  }
};
class UnicodeErrorObject : public ExceptionObject {
 public:
  Value encoding, object, reason;
  int64_t start = 0, end = 0;
  template <class V>
  void VisitRefs(V&& v) {
    ExceptionObject::VisitRefs(v);
    v(encoding);
    v(object);
    v(reason);
  }
};
class ExceptionGroupObject : public ExceptionObject {
 public:
  Value message, exceptions;  // str, tuple
  template <class V>
  void VisitRefs(V&& v) {
    ExceptionObject::VisitRefs(v);
    v(message);
    v(exceptions);
  }
};

// io.UnsupportedOperation: OSError and ValueError.
extern const TypeSpec kUnsupportedOperationType;
// By Exc; made from exceptions.def.
extern const TypeSpec* const kExceptionTypes[kExcCount];

// For a fresh instance, all of whose fields are null: takes copies of the arguments as args. False:
// no memory; nothing is raised.
bool FillException(ThreadState& ts, ExceptionObject* e, const Value* args, uint32_t n);
// An instance of the built-in exception type with these args, as type(*args) makes it.
Result<ExceptionObject> NewExceptionWith(ThreadState& ts, Exc type, TupleObject* args);
// type(arg); no argument if `arg` is null.
Result<> NewException(ThreadState& ts, Exc type, Value arg);
// OSError or the subclass that stands for this errno.
Exc ExcForErrno(int64_t error);
// Splits an exception (group or not) by a class, tuple of classes, or predicate: *match and *rest
// get the parts, or None. What except* and ExceptionGroup.split() do.
Status SplitException(ThreadState& ts, Value exception, Value condition, Ref<>* match, Ref<>* rest);
// The end of a try statement with except*: what is to be raised, or None, when the clauses of a
// handler for `original` left the exceptions of the list (raised anew, raised again, or unhandled).
Result<> PrepareReraiseStar(ThreadState& ts, Value original, ListObject* exceptions);
// UnicodeDecodeError / UnicodeEncodeError, raised.
Raised RaiseDecodeError(ThreadState& ts, const char* encoding, Value object, int64_t start,
                        int64_t end, const char* reason);
Raised RaiseEncodeError(ThreadState& ts, const char* encoding, Value str, int64_t start,
                        int64_t end, const char* reason);
Raised RaiseNameError(ThreadState& ts, StrObject* name);  // name 'x' is not defined
Raised RaiseAttributeError(ThreadState& ts, Value object,
                           StrObject* name);  // 'T' object has no attribute 'n'
Raised RaiseStopIteration(ThreadState& ts, Value value);
Raised RaiseKeyError(ThreadState& ts, Value key);

// exception.__context__ = handled, without making the chain of contexts a ring. Defined in
// core/raise.cpp.
void ChainContext(ExceptionObject* exception, Value handled);

}  // namespace minivm

// Exceptions: BaseException, the small layouts, and the table of all types.
//
// Every type's TypeSpec comes from exceptions.def by macro: the layout column gives size, GC hooks,
// construction and str; ExcTraits below adds what single types define. os_error.cpp,
// syntax_error.cpp, unicode_error.cpp and exception_group.cpp hold the larger layouts.
#include "runtime/objects/exception_object.h"

#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_types.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

// ---- BaseException ----

std::string_view ShortTypeName(TypeObject* type, char* buffer, size_t size) {
  std::string_view name(buffer, TypeDisplayName(type, buffer, size));
  size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

Result<> exception_repr(ThreadState& ts, Value self) {
  ExceptionObject* e = self.as<ExceptionObject>();
  char buffer[256];
  std::string_view name = ShortTypeName(TypeOf(ts, self), buffer, sizeof(buffer));
  int size = static_cast<int>(name.size());
  if (!e->args) return Format(ts, "%.*s()", size, name.data());
  Ref<TupleObject> args = Ref<TupleObject>::Borrow(e->args);
  if (args->size() == 1) return Format(ts, "%.*s(%R)", size, name.data(), (*args)[0]);
  return Format(ts, "%.*s%R", size, name.data(), Value(args));
}

}  // namespace

Result<> exception_str(ThreadState& ts, Value self) {
  ExceptionObject* e = self.as<ExceptionObject>();
  if (!e->args || e->args->size() == 0) return Result<>::Borrow(ts.rt->empty_str);
  Ref<TupleObject> args = Ref<TupleObject>::Borrow(e->args);
  if (args->size() == 1) return ToStr(ts, (*args)[0]);
  return ToStr(ts, args);
}

namespace {

// BaseException.add_note(note): adds a text that tracebacks show behind the exception.
Result<> exception_add_note(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1])) {
    return Raise(ts, Exc::kTypeError, "note must be a str, not '%T'", args[1]);
  }
  StrObject* key = MVM_NAME(ts, __notes__);
  MVM_TRY(Ref<> notes, GetAttrOptional(ts, args[0], key));
  if (notes.is_absent()) {
    MVM_TRY(notes, NewListReserve(ts, 1));
    MVM_TRY_VOID(SetAttr(ts, args[0], key, notes));
  } else if (!IsList(ts, notes)) {
    return Raise(ts, Exc::kTypeError, "Cannot add note: __notes__ is not a list");
  }
  MVM_TRY_VOID(ListAppend(ts, notes.as<ListObject>(), args[1]));
  return None(ts);
}

Result<> exception_reduce(ThreadState& ts, Args args) {
  ExceptionObject* e = args.self<ExceptionObject>();
  MVM_TRY(Ref<> dict, OwnDict(ts, e));
  Value parts[3] = {TypeOf(ts, e), e->args ? Value(e->args) : Value(ts.rt->empty_tuple), dict};
  return NewTuple(ts, {parts, dict.is_absent() ? size_t{2} : size_t{3}});
}

// BaseException.__setstate__(state): sets an attribute for each entry of the dict.
Result<> exception_setstate(ThreadState& ts, Args args) {
  if (IsNone(ts, args[1])) return None(ts);
  if (!IsDict(ts, args[1])) return Raise(ts, Exc::kTypeError, "state is not a dictionary");
  MVM_TRY(Ref<DictObject> state, DictCopy(ts, args.as<DictObject>(1)));
  size_t pos = 0;
  Value key, value;
  while (DictNext(ts, state, &pos, &key, &value)) {
    if (!IsStr(ts, key)) {
      return Raise(ts, Exc::kTypeError, "attribute name must be string, not '%T'", key);
    }
    MVM_TRY(Ref<StrObject> name, Intern(ts, key.as<StrObject>()));
    MVM_TRY_VOID(SetAttr(ts, args[0], name, value));
  }
  return None(ts);
}

Status SetTraceback(ThreadState& ts, Value self, Value value) {
  if (value.is_null()) return Raise(ts, Exc::kTypeError, "__traceback__ may not be deleted");
  if (!IsNone(ts, value) && !IsExact(value, TypeId::kTraceback)) {
    return Raise(ts, Exc::kTypeError, "__traceback__ must be a traceback or None");
  }
  SetField(&self.as<ExceptionObject>()->traceback, IsNone(ts, value) ? Value() : value);
  return Ok();
}

// BaseException.with_traceback(tb): sets __traceback__, returns the exception.
Result<> exception_with_traceback(ThreadState& ts, Args args) {
  MVM_TRY_VOID(SetTraceback(ts, args[0], args[1]));
  return Result<>::Borrow(args[0]);
}

Result<> exception_get_args(ThreadState& ts, Value self) {
  TupleObject* args = self.as<ExceptionObject>()->args;
  return Result<>::Borrow(args ? Value(args) : Value(ts.rt->empty_tuple));
}
Status exception_set_args(ThreadState& ts, Value self, Value value) {
  if (value.is_null()) return Raise(ts, Exc::kTypeError, "args may not be deleted");
  MVM_TRY(Ref<TupleObject> args, TupleFrom(ts, value));
  SetArgs(self.as<ExceptionObject>(), args);
  return Ok();
}

Status CheckLink(ThreadState& ts, Value value, const char* attribute, const char* what) {
  if (value.is_null()) return Raise(ts, Exc::kTypeError, "%s may not be deleted", attribute);
  if (!IsNone(ts, value) && !IsException(ts, value)) {
    return Raise(ts, Exc::kTypeError, "exception %s must be None or derive from BaseException",
                 what);
  }
  return Ok();
}
Status exception_set_context(ThreadState& ts, Value self, Value value) {
  MVM_TRY_VOID(CheckLink(ts, value, "__context__", "context"));
  SetField(&self.as<ExceptionObject>()->context, IsNone(ts, value) ? Value() : value);
  return Ok();
}
Status exception_set_cause(ThreadState& ts, Value self, Value value) {
  MVM_TRY_VOID(CheckLink(ts, value, "__cause__", "cause"));
  self.as<ExceptionObject>()->suppress_context = true;
  SetField(&self.as<ExceptionObject>()->cause, IsNone(ts, value) ? Value() : value);
  return Ok();
}
Result<> exception_get_suppress(ThreadState& ts, Value self) {
  return Bool(ts, self.as<ExceptionObject>()->suppress_context);
}
Status exception_set_suppress(ThreadState& ts, Value self, Value value) {
  if (value.is_null()) return Raise(ts, Exc::kTypeError, "can't delete numeric/char attribute");
  if (!IsExact(value, TypeId::kBool)) {
    return Raise(ts, Exc::kTypeError, "attribute value type must be bool");
  }
  self.as<ExceptionObject>()->suppress_context = IsTrue(ts, value);
  return Ok();
}

const MethodSpec kBaseExceptionMethods[] = {
    {"__reduce__(self, /)", exception_reduce},
    {"__setstate__(self, object, /)", exception_setstate},
    {"add_note(self, object, /)", exception_add_note,
     "Adds a line of text that a traceback shows under the exception."},
    {"with_traceback(self, object, /)", exception_with_traceback,
     "The exception itself, after its __traceback__ was replaced."},
};
const GetSetSpec kBaseExceptionGetSets[] = {
    {"__cause__", GetMember<ExceptionObject, &ExceptionObject::cause>, exception_set_cause},
    {"__context__", GetMember<ExceptionObject, &ExceptionObject::context>, exception_set_context},
    {"__suppress_context__", exception_get_suppress, exception_set_suppress},
    {"__traceback__", GetMember<ExceptionObject, &ExceptionObject::traceback>, SetTraceback},
    {"args", exception_get_args, exception_set_args},
};

// ---- the small layouts ----

Status FillStopIteration(ThreadState& ts, ExceptionObject* e, TupleObject* args) {
  SetField(&static_cast<StopIterationObject*>(e)->value,
           args->size() ? (*args)[0] : Value(ts.rt->none));
  return Ok();
}
Status FillSystemExit(ThreadState&, ExceptionObject* e, TupleObject* args) {
  if (args->size() == 0) return Ok();
  SetField(&static_cast<SystemExitObject*>(e)->code, args->size() == 1 ? (*args)[0] : Value(args));
  return Ok();
}
Status FillImportError(ThreadState&, ExceptionObject* e, TupleObject* args) {
  if (args->size() == 1) SetField(&static_cast<ImportErrorObject*>(e)->msg, (*args)[0]);
  return Ok();
}

template <Status (*kFill)(ThreadState&, ExceptionObject*, TupleObject*)>
Status FilledInit(ThreadState& ts, Value self, Args raw) {
  MVM_TRY_VOID(exception_init(ts, self, raw));
  return kFill(ts, self.as<ExceptionObject>(), self.as<ExceptionObject>()->args);
}

// Stores positional arguments, then keyword arguments into the fields of these names.
Status KeywordInit(ThreadState& ts, Value self, Args raw, const char* type_name,
                   const char* const* names, Value* const* fields, int count) {
  MVM_TRY_VOID(StoreArgs(ts, self.as<ExceptionObject>(), raw));
  for (int i = 0; i < count; ++i) SetField(fields[i], Value());
  TupleObject* given = raw.nkw ? raw.v[raw.n + raw.nkw].as<TupleObject>() : nullptr;
  for (uint32_t k = 0; k < raw.nkw; ++k) {
    StrObject* name = (*given)[k].as<StrObject>();
    int i = 0;
    while (i < count && !name->EqualsAscii(names[i])) ++i;
    if (i == count) {
      return Raise(ts, Exc::kTypeError, "%s() got an unexpected keyword argument '%U'", type_name,
                   Value(name));
    }
    SetField(fields[i], raw.v[raw.n + k]);
  }
  return Ok();
}

Status name_error_init(ThreadState& ts, Value self, Args raw) {
  const char* const names[] = {"name"};
  Value* const fields[] = {&self.as<NameErrorObject>()->name};
  return KeywordInit(ts, self, raw, "NameError", names, fields, 1);
}
Status attribute_error_init(ThreadState& ts, Value self, Args raw) {
  AttributeErrorObject* e = self.as<AttributeErrorObject>();
  const char* const names[] = {"name", "obj"};
  Value* const fields[] = {&e->name, &e->object};
  return KeywordInit(ts, self, raw, "AttributeError", names, fields, 2);
}
Status import_error_init(ThreadState& ts, Value self, Args raw) {
  ImportErrorObject* e = self.as<ImportErrorObject>();
  const char* const names[] = {"name", "path", "name_from"};
  Value* const fields[] = {&e->name, &e->path, &e->name_from};
  MVM_TRY_VOID(KeywordInit(ts, self, raw, "ImportError", names, fields, 3));
  SetField(&e->msg, raw.n == 1 ? raw.v[0] : Value());
  return Ok();
}

Result<> import_error_str(ThreadState& ts, Value self) {
  Value msg = self.as<ImportErrorObject>()->msg;
  if (!msg.is_null() && IsExact(msg, TypeId::kStr)) return Result<>::Borrow(msg);
  return exception_str(ts, self);
}

// A copy of the instance's dict to put more state into.
Result<DictObject> StateDict(ThreadState& ts, ExceptionObject* e) {
  MVM_TRY(Ref<> dict, OwnDict(ts, e));
  if (!dict.is_absent()) return DictCopy(ts, dict.as<DictObject>());
  return NewDict(ts);
}

Result<> import_error_reduce(ThreadState& ts, Args args) {
  ImportErrorObject* e = args.self<ImportErrorObject>();
  MVM_TRY(Ref<> dict, OwnDict(ts, e));
  if (dict.is_absent() && e->name.is_null() && e->path.is_null() && e->name_from.is_null()) {
    return exception_reduce(ts, args);
  }
  MVM_TRY(Ref<DictObject> state, StateDict(ts, e));
  if (!e->name.is_null()) MVM_TRY_VOID(DictSetUtf8(ts, state, "name", e->name));
  if (!e->path.is_null()) MVM_TRY_VOID(DictSetUtf8(ts, state, "path", e->path));
  if (!e->name_from.is_null()) MVM_TRY_VOID(DictSetUtf8(ts, state, "name_from", e->name_from));
  Value parts[] = {TypeOf(ts, e), e->args, state};
  return NewTuple(ts, parts);
}

// AttributeError.__getstate__(): the object stays out, it may not be picklable.
Result<> attribute_error_getstate(ThreadState& ts, Args args) {
  AttributeErrorObject* e = args.self<AttributeErrorObject>();
  MVM_TRY(Ref<DictObject> state, StateDict(ts, e));
  if (!e->name.is_null()) MVM_TRY_VOID(DictSetUtf8(ts, state, "name", e->name));
  MVM_TRY_VOID(DictSetUtf8(ts, state, "args", e->args));
  return state;
}
Result<> attribute_error_reduce(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> state, attribute_error_getstate(ts, args));
  Value parts[] = {TypeOf(ts, args[0]), args.self<ExceptionObject>()->args, state};
  return NewTuple(ts, parts);
}

// The key's repr: an empty or odd key must show.
Result<> key_error_str(ThreadState& ts, Value self) {
  ExceptionObject* e = self.as<ExceptionObject>();
  if (e->args && e->args->size() == 1) {
    Ref<> key = Ref<>::Borrow((*e->args)[0]);
    return Repr(ts, key);
  }
  return exception_str(ts, self);
}

const GetSetSpec kStopIterationGetSets[] = {
    {"value", GetMember<StopIterationObject, &StopIterationObject::value>,
     SetMember<StopIterationObject, &StopIterationObject::value>, "What the generator returned."},
};
const GetSetSpec kSystemExitGetSets[] = {
    {"code", GetMember<SystemExitObject, &SystemExitObject::code>,
     SetMember<SystemExitObject, &SystemExitObject::code>,
     "The exit status, or a text for standard error."},
};
const GetSetSpec kNameErrorGetSets[] = {
    {"name", GetMember<NameErrorObject, &NameErrorObject::name>,
     SetMember<NameErrorObject, &NameErrorObject::name>, "The name that was looked for."},
};
const GetSetSpec kAttributeErrorGetSets[] = {
    {"name", GetMember<AttributeErrorObject, &AttributeErrorObject::name>,
     SetMember<AttributeErrorObject, &AttributeErrorObject::name>,
     "The attribute that was looked for."},
    {"obj", GetMember<AttributeErrorObject, &AttributeErrorObject::object>,
     SetMember<AttributeErrorObject, &AttributeErrorObject::object>,
     "The object that was asked for it."},
};
const MethodSpec kAttributeErrorMethods[] = {
    {"__getstate__(self, /)", attribute_error_getstate},
    {"__reduce__(self, /)", attribute_error_reduce},
};
const GetSetSpec kImportErrorGetSets[] = {
    {"msg", GetMember<ImportErrorObject, &ImportErrorObject::msg>,
     SetMember<ImportErrorObject, &ImportErrorObject::msg>, "What went wrong."},
    {"name", GetMember<ImportErrorObject, &ImportErrorObject::name>,
     SetMember<ImportErrorObject, &ImportErrorObject::name>, "The module that was to be imported."},
    {"name_from", GetMember<ImportErrorObject, &ImportErrorObject::name_from>,
     SetMember<ImportErrorObject, &ImportErrorObject::name_from>,
     "The name that the module lacks."},
    {"path", GetMember<ImportErrorObject, &ImportErrorObject::path>,
     SetMember<ImportErrorObject, &ImportErrorObject::path>,
     "The file or directory of the module."},
};
const MethodSpec kImportErrorMethods[] = {
    {"__reduce__(self, /)", import_error_reduce},
};

// ---- the table ----

using FillFn = Status (*)(ThreadState&, ExceptionObject*, TupleObject*);

template <class T, Status (*kFill)(ThreadState&, T*, TupleObject*)>
Status FillAs(ThreadState& ts, ExceptionObject* e, TupleObject* args) {
  return kFill(ts, static_cast<T*>(e), args);
}

// One struct per layout name of exceptions.def. fill: fields that follow from the args, for
// natives.
struct LayoutBase {
  using Struct = ExceptionObject;
  static constexpr void (*destroy)(Heap&, Object*) = DestroyException;
  static constexpr NewFn new_ = exception_new;
  static constexpr InitFn init = exception_init;
  static constexpr UnaryFn str = nullptr;
  static constexpr FillFn fill = nullptr;
};
struct LayoutStopIteration : LayoutBase {
  using Struct = StopIterationObject;
  static constexpr auto destroy = gc_internal::DestroyHook<StopIterationObject>;
  static constexpr InitFn init = FilledInit<FillStopIteration>;
  static constexpr FillFn fill = FillStopIteration;
};
struct LayoutSystemExit : LayoutBase {
  using Struct = SystemExitObject;
  static constexpr auto destroy = gc_internal::DestroyHook<SystemExitObject>;
  static constexpr InitFn init = FilledInit<FillSystemExit>;
  static constexpr FillFn fill = FillSystemExit;
};
struct LayoutName : LayoutBase {
  using Struct = NameErrorObject;
  static constexpr auto destroy = gc_internal::DestroyHook<NameErrorObject>;
  static constexpr InitFn init = name_error_init;
};
struct LayoutAttribute : LayoutBase {
  using Struct = AttributeErrorObject;
  static constexpr auto destroy = gc_internal::DestroyHook<AttributeErrorObject>;
  static constexpr InitFn init = attribute_error_init;
};
struct LayoutImport : LayoutBase {
  using Struct = ImportErrorObject;
  static constexpr auto destroy = gc_internal::DestroyHook<ImportErrorObject>;
  static constexpr InitFn init = import_error_init;
  static constexpr UnaryFn str = import_error_str;
  static constexpr FillFn fill = FillImportError;
};
struct LayoutOs : LayoutBase {
  using Struct = OsErrorObject;
  static constexpr auto destroy = gc_internal::DestroyHook<OsErrorObject>;
  static constexpr NewFn new_ = os_error_new;
  static constexpr InitFn init = os_error_init;
  static constexpr UnaryFn str = os_error_str;
  static constexpr FillFn fill = FillAs<OsErrorObject, FillOsError>;
};
struct LayoutSyntax : LayoutBase {
  using Struct = SyntaxErrorObject;
  static constexpr auto destroy = gc_internal::DestroyHook<SyntaxErrorObject>;
  static constexpr InitFn init = syntax_error_init;
  static constexpr UnaryFn str = syntax_error_str;
  static constexpr FillFn fill = FillAs<SyntaxErrorObject, FillSyntaxError>;
};
struct LayoutUnicode : LayoutBase {
  using Struct = UnicodeErrorObject;
  static constexpr auto destroy = gc_internal::DestroyHook<UnicodeErrorObject>;
  static constexpr InitFn init = unicode_error_init;
  static constexpr UnaryFn str = unicode_error_str;
  static constexpr FillFn fill = FillAs<UnicodeErrorObject, FillUnicodeError>;
};
struct LayoutGroup : LayoutBase {
  using Struct = ExceptionGroupObject;
  static constexpr auto destroy = gc_internal::DestroyHook<ExceptionGroupObject>;
  static constexpr NewFn new_ = exception_group_new;
  static constexpr InitFn init = exception_group_init;
  static constexpr UnaryFn str = exception_group_str;
};

// What a type adds to its base.
template <Exc kType>
struct ExcTraits {
  static constexpr Table<MethodSpec> methods = {};
  static constexpr Table<GetSetSpec> getsets = {};
};
#define MVM_EXC_TRAITS(name, methods_table, getsets_table)      \
  template <>                                                   \
  struct ExcTraits<Exc::k##name> {                              \
    static constexpr Table<MethodSpec> methods = methods_table; \
    static constexpr Table<GetSetSpec> getsets = getsets_table; \
  }
MVM_EXC_TRAITS(BaseException, kBaseExceptionMethods, kBaseExceptionGetSets);
MVM_EXC_TRAITS(BaseExceptionGroup, kExceptionGroupMethods, kExceptionGroupGetSets);
MVM_EXC_TRAITS(StopIteration, {}, kStopIterationGetSets);
MVM_EXC_TRAITS(SystemExit, {}, kSystemExitGetSets);
MVM_EXC_TRAITS(NameError, {}, kNameErrorGetSets);
MVM_EXC_TRAITS(AttributeError, kAttributeErrorMethods, kAttributeErrorGetSets);
MVM_EXC_TRAITS(ImportError, kImportErrorMethods, kImportErrorGetSets);
MVM_EXC_TRAITS(OSError, kOsErrorMethods, kOsErrorGetSets);
MVM_EXC_TRAITS(SyntaxError, {}, kSyntaxErrorGetSets);
MVM_EXC_TRAITS(UnicodeEncodeError, {}, kUnicodeErrorGetSets);
MVM_EXC_TRAITS(UnicodeDecodeError, {}, kUnicodeErrorGetSets);
MVM_EXC_TRAITS(UnicodeTranslateError, {}, kUnicodeTranslateErrorGetSets);
#undef MVM_EXC_TRAITS

constexpr UnaryFn StrOf(Exc type, UnaryFn of_layout) {
  return type == Exc::kBaseException ? exception_str
         : type == Exc::kKeyError    ? key_error_str
                                     : of_layout;
}

// One line of documentation for each type.
constexpr const char* DocOf(Exc type) {
  switch (type) {
    case Exc::kBaseException: return "What every exception derives from.";
    case Exc::kBaseExceptionGroup:
      return "Several exceptions that are raised together; except* takes them apart.";
    case Exc::kGeneratorExit: return "Raised inside a generator or coroutine when close() ends it.";
    case Exc::kKeyboardInterrupt: return "Ctrl-C was pressed, or SIGINT arrived otherwise.";
    case Exc::kSystemExit: return "Raised by sys.exit(): the program ends unless it is caught.";
    case Exc::kException: return "What errors and warnings derive from, but not requests to stop.";
    case Exc::kArithmeticError: return "What errors of calculation derive from.";
    case Exc::kOverflowError: return "A number is beyond what its type can hold.";
    case Exc::kZeroDivisionError: return "Something was divided by zero.";
    case Exc::kAttributeError: return "An object lacks the attribute, or refuses to change it.";
    case Exc::kImportError:
      return "A module cannot be imported, or lacks a name that was asked of it.";
    case Exc::kModuleNotFoundError: return "No finder knows a module of that name.";
    case Exc::kLookupError: return "What errors of indices and keys derive from.";
    case Exc::kIndexError: return "There is no item at that index.";
    case Exc::kKeyError: return "There is no such key.";
    case Exc::kMemoryError: return "The memory, or the limit set for it, is used up.";
    case Exc::kNameError: return "A name is bound in no scope.";
    case Exc::kUnboundLocalError: return "A local variable was read before it had a value.";
    case Exc::kOSError: return "The system refused a request; errno says why.";
    case Exc::kRecursionError: return "Calls are nested too deeply.";
    case Exc::kStopIteration:
      return "An iterator has no more items; value is what a generator returned.";
    case Exc::kStopAsyncIteration: return "An asynchronous iterator has no more items.";
    case Exc::kSyntaxError: return "The source is not a program.";
    case Exc::kTypeError: return "An operation got an object of a type that it cannot use.";
    case Exc::kValueError: return "An argument has the right type but a value that makes no sense.";
    case Exc::kWarning: return "What the categories of warnings derive from.";
    default: return "An exception; its name says what happened.";
  }
}

constexpr uint16_t kDictOffset = sizeof(Object);  // ExceptionObject::dict comes first
constexpr const TypeSpec* kBaseOf = nullptr;      // of BaseException

#define EXC(exc_name, exc_base, layout)                                                        \
  extern const TypeSpec kExc##exc_name;                                                        \
  const TypeSpec kExc##exc_name = {                                                            \
      .name = #exc_name,                                                                       \
      .doc = DocOf(Exc::k##exc_name),                                                          \
      .base = kBaseOf##exc_base,                                                               \
      .flags = kTypeBase | kTypeExceptionSubclass,                                             \
      .size = sizeof(Layout##layout::Struct),                                                  \
      .gc = {gc_internal::VisitHook<Layout##layout::Struct>,                                   \
             gc_internal::ClearHook<Layout##layout::Struct>, Layout##layout::destroy},         \
      .slots = {.repr = Exc::k##exc_name == Exc::kBaseException ? exception_repr : nullptr,    \
                .str = StrOf(Exc::k##exc_name, Layout##layout::str),                           \
                .init = Layout##layout::init,                                                  \
                .new_ = Layout##layout::new_},                                                 \
      .methods = ExcTraits<Exc::k##exc_name>::methods,                                         \
      .getsets = ExcTraits<Exc::k##exc_name>::getsets,                                         \
      .storage = AttrStorage::kDictField,                                                      \
      .dict_offset = kDictOffset,                                                              \
      .second_base = Exc::k##exc_name == Exc::kExceptionGroup ? kSecondBaseOfGroup : nullptr}; \
  constexpr const TypeSpec* kBaseOf##exc_name = &kExc##exc_name;
extern const TypeSpec kExcException;
constexpr const TypeSpec* kSecondBaseOfGroup = &kExcException;
#include "runtime/core/exceptions.def"
#undef EXC

const FillFn kFill[kExcCount] = {
#define EXC(name, base, layout) Layout##layout::fill,
#include "runtime/core/exceptions.def"
#undef EXC
};

}  // namespace

extern const TypeSpec kUnsupportedOperationType;
const TypeSpec kUnsupportedOperationType = {.name = "io.UnsupportedOperation",
                                            .base = &kExcOSError,
                                            .flags = kTypeBase | kTypeExceptionSubclass,
                                            .size = sizeof(OsErrorObject),
                                            .gc = GcHooksOf<OsErrorObject>(),
                                            .slots = {.init = os_error_init, .new_ = os_error_new},
                                            .storage = AttrStorage::kDictField,
                                            .dict_offset = kDictOffset,
                                            .second_base = &kExcValueError};

extern const TypeSpec* const kExceptionTypes[kExcCount];
const TypeSpec* const kExceptionTypes[kExcCount] = {
#define EXC(name, base, layout) &kExc##name,
#include "runtime/core/exceptions.def"
#undef EXC
};

// ---- what natives raise ----

Status FillFields(ThreadState& ts, Exc type, ExceptionObject* e, TupleObject* args) {
  FillFn fill = kFill[static_cast<size_t>(type)];
  return fill ? fill(ts, e, args) : Ok();
}

Raised RaiseNameError(ThreadState& ts, StrObject* name) {
  (void)Raise(ts, Exc::kNameError, "name '%U' is not defined", Value(name));
  if (!PendingIs(ts, Exc::kNameError)) return kRaised;
  SetField(&ts.pending.as<NameErrorObject>()->name, name);
  return kRaised;
}

Raised RaiseAttributeError(ThreadState& ts, Value object, StrObject* name) {
  // Lookups find nothing in a type that there was not enough memory to make ready.
  MVM_TRY_VOID(TypeReady(ts, TypeOf(ts, object)));
  if (IsType(ts, object)) {
    (void)Raise(ts, Exc::kAttributeError, "type object '%N' has no attribute '%U'",
                object.as<TypeObject>(), Value(name));
  } else {
    (void)Raise(ts, Exc::kAttributeError, "'%T' object has no attribute '%U'", object, Value(name));
  }
  if (!PendingIs(ts, Exc::kAttributeError)) return kRaised;
  AttributeErrorObject* e = ts.pending.as<AttributeErrorObject>();
  SetField(&e->name, name);
  SetField(&e->object, object);
  return kRaised;
}

Raised RaiseStopIteration(ThreadState& ts, Value value) {
  Result<TupleObject> args = NewTuple(ts, {&value, 1});
  if (args.raised()) return kRaised;
  Ref<TupleObject> held = args.Take();
  Result<ExceptionObject> made =
      NewExceptionWith(ts, Exc::kStopIteration,
                       IsNone(ts, value) ? ts.rt->empty_tuple->as<TupleObject>() : held.get());
  if (made.raised()) return kRaised;
  Ref<ExceptionObject> e = made.Take();
  return RaiseObject(ts, e);
}

Raised RaiseKeyError(ThreadState& ts, Value key) { return RaiseValue(ts, Exc::kKeyError, key); }

}  // namespace minivm

// Module _csv: what csv publishes of its native half.
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/csv/csv_types.h"

namespace minivm {

namespace csv {
namespace {

Result<> csv_register_dialect(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[0])) return Raise(ts, Exc::kTypeError, "dialect name must be a string");
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kDialectType));
  MVM_TRY(Ref<DialectObject> dialect, MakeDialect(ts, type, args[1], args.v + 2));
  MVM_TRY_VOID(DictSet(ts, StateOf(ts)->dialects, args[0], Value(dialect.get())));
  return None(ts);
}
Result<> csv_unregister_dialect(ThreadState& ts, Args args) {
  MVM_TRY(bool removed, DictDelete(ts, StateOf(ts)->dialects, args[0]));
  if (!removed) return RaiseError(ts, "unknown dialect");
  return None(ts);
}
Result<> csv_get_dialect(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> found, DictGet(ts, StateOf(ts)->dialects, args[0]));
  if (found.is_absent()) return RaiseError(ts, "unknown dialect");
  return found;
}
Result<> csv_list_dialects(ThreadState& ts, Args) {
  return ListFrom(ts, Value(StateOf(ts)->dialects));
}

Result<> csv_field_size_limit(ThreadState& ts, Args args) {
  const int64_t old = StateOf(ts)->field_limit;
  if (args.has(0)) {
    if (!IsInt(ts, args[0])) return Raise(ts, Exc::kTypeError, "limit must be an integer");
    int64_t limit;
    if (!IntFitsInt64(args[0], &limit))
      return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C long");
    StateOf(ts)->field_limit = limit;
  }
  return NewInt(ts, old);
}

#define MVM_CSV_SETTINGS                                                                          \
  "dialect=<unrepresentable>, *, delimiter=<unrepresentable>, doublequote=<unrepresentable>, "    \
  "escapechar=<unrepresentable>, lineterminator=<unrepresentable>, quotechar=<unrepresentable>, " \
  "quoting=<unrepresentable>, skipinitialspace=<unrepresentable>, strict=<unrepresentable>)!#"

const MethodSpec kFunctions[] = {
    {"field_size_limit(new_limit=<unrepresentable>)", csv_field_size_limit,
     "The longest field that a reader takes, in characters; a new limit if given. Returns the one "
     "before."},
    {"get_dialect(name)", csv_get_dialect,
     "The settings registered under name. Error if there are none."},
    {"list_dialects()", csv_list_dialects, "The names that register_dialect() knows."},
    {"reader(iterable, " MVM_CSV_SETTINGS, csv_reader,
     "A reader of rows; iterable is any object that supports the iterator protocol and gives "
     "strings."},
    {"register_dialect(name, " MVM_CSV_SETTINGS, csv_register_dialect,
     "Name a set of settings: a dialect, with keyword arguments in place of some of it."},
    {"unregister_dialect(name)", csv_unregister_dialect,
     "Forget the settings of that name. Error if there are none."},
    {"writer(fileobj, " MVM_CSV_SETTINGS, csv_writer,
     "A writer of rows; fileobj is any object with a write() method."},
};
const TypeSpec* const kTypes[] = {&kDialectType};
const ConstantSpec kConstants[] = {
    {"QUOTE_MINIMAL", ConstantSpec::kInt, kMinimal},
    {"QUOTE_ALL", ConstantSpec::kInt, kAll},
    {"QUOTE_NONNUMERIC", ConstantSpec::kInt, kNonNumeric},
    {"QUOTE_NONE", ConstantSpec::kInt, kNone},
    {"QUOTE_STRINGS", ConstantSpec::kInt, kStrings},
    {"QUOTE_NOTNULL", ConstantSpec::kInt, kNotNull},
    {"__version__", ConstantSpec::kStr, 0, 0, "1.0"},
};

Status ExecModule(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kStateType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  CsvState* s = made.as<CsvState>();
  s->field_limit = 128 * 1024;
  MVM_TRY(Ref<DictObject> dialects, NewDict(ts));
  MVM_TRY_VOID(ModuleAdd(ts, module, "_dialects", Value(dialects.get())));
  s->dialects = dialects.Release();
  Value bases[] = {Value(ExcType(ts, Exc::kException))};
  MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, bases));
  MVM_TRY(Ref<DictObject> ns, NewDict(ts));
  MVM_TRY(Ref<StrObject> home, NewStr(ts, "_csv"));
  MVM_TRY_VOID(DictSetStr(ts, ns, MVM_NAME(ts, __module__), home));
  MVM_TRY(Ref<StrObject> name, NewStr(ts, "Error"));
  MVM_TRY(Ref<TypeObject> error, NewHeapType(ts, TypeById(ts, TypeId::kType), name, tuple, ns));
  MVM_TRY_VOID(ModuleAdd(ts, module, "Error", Value(error.get())));
  s->error = error.Release();
  MVM_TRY(TypeObject * reader, TypeForSpec(ts, kReaderType));
  MVM_TRY(TypeObject * writer, TypeForSpec(ts, kWriterType));
  MVM_TRY_VOID(ModuleAdd(ts, module, "Reader", Value(reader)));
  MVM_TRY_VOID(ModuleAdd(ts, module, "Writer", Value(writer)));
  Object*& slot = ts.rt->module_states[static_cast<size_t>(ModuleState::kCsv)];
  const Ref<Object> old = Ref<Object>::Steal(std::exchange(slot, made.Release().object()));
  return Ok();
}

}  // namespace
}  // namespace csv

extern const ModuleSpec k__csv_module;
const ModuleSpec k__csv_module = {
    .name = "_csv",
    .doc = "The native half of csv: readers, writers and their settings.",
    .functions = csv::kFunctions,
    .types = csv::kTypes,
    .constants = csv::kConstants,
    .exec = csv::ExecModule,
};

}  // namespace minivm

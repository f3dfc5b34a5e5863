// Module _warnings: issuing warnings, for scripts and for the VM itself.
//
// A warning goes through the list of filters, which decides by category, text, module and line
// whether it is shown, raised or dropped; the registry of the module it is attributed to remembers
// what has been shown. Once the module warnings is loaded, its attributes are what counts (filters,
// defaultaction, onceregistry, _showwarnmsg: catch_warnings replaces them); before that the ones
// here. Showing loads it, so that there is one place that formats.
//
// Loading this module sets VmHooks::warn, by which C++ code warns.
#include <cctype>
#include <string>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/bytecode/code_object.h"
#include "vm/interp/frame.h"

namespace minivm {
namespace {

// The module `name` if it is loaded, else Absent(). Borrowed from sys.modules: kept by a reference.
Result<> LoadedModule(ThreadState& ts, std::string_view name) {
  if (!ts.rt->modules) return Result<>::Steal(Value::Absent());
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
  return DictGet(ts, ts.rt->modules, key);
}

// sys.warnoptions are turned into filters when warnings is loaded: the first warning does that.
Status ServeOptions(ThreadState& ts) {
  if (ts.rt->finalizing || !ts.rt->sys) return Ok();
  MVM_TRY(Ref<> options, GetAttrOptional(ts, Value(ts.rt->sys), "warnoptions"));
  if (options.is_absent()) return Ok();
  MVM_TRY(bool any, Truth(ts, options));
  if (any) MVM_TRY_VOID(ts.rt->hooks.import_module(ts, "warnings"));
  return Ok();
}

// An attribute of warnings if that is loaded, else the one of that name here; else Absent().
Result<> Setting(ThreadState& ts, std::string_view name, std::string_view own_name) {
  MVM_TRY(Ref<> module, LoadedModule(ts, "warnings"));
  if (!module.is_absent()) {
    MVM_TRY(Ref<> value, GetAttrOptional(ts, module, name));
    if (!value.is_absent()) return value;
  }
  MVM_TRY(Ref<> own, LoadedModule(ts, "_warnings"));
  if (own.is_absent()) return own;
  return GetAttrOptional(ts, own, own_name);
}

// ---- filters ----

Result<bool> PatternMatches(ThreadState& ts, Value pattern, Value text) {
  if (IsNone(ts, pattern)) return true;
  if (IsExact(pattern, TypeId::kStr) && !IsStr(ts, text)) {
    return Raise(ts, Exc::kTypeError, "Can't compare str and %T", text);
  }
  if (IsExact(pattern, TypeId::kStr)) return CompareBool(ts, pattern, text, CompareOp::kEq);
  MVM_TRY(Ref<StrObject> match, InternUtf8(ts, "match"));
  MVM_TRY(Ref<> found, CallMethod(ts, pattern, match, text));
  return Truth(ts, found);
}

struct Warning {
  Ref<> message;  // instance of category
  Ref<> category;
  Ref<> text;
  Ref<> filename;
  Ref<> module;
  Ref<> registry;  // a dict, or None
  Ref<> source;    // the object it is about, or null
  int64_t line = 0;
};

Result<bool> FilterMatches(ThreadState& ts, const TupleObject* filter, const Warning& w) {
  MVM_TRY(bool message, PatternMatches(ts, (*filter)[1], w.text));
  if (!message) return false;
  MVM_TRY(bool category, IsSubclassOf(ts, w.category, (*filter)[2]));
  if (!category) return false;
  MVM_TRY(bool module, PatternMatches(ts, (*filter)[3], w.module));
  if (!module) return false;
  MVM_TRY(int64_t line, AsInt64(ts, (*filter)[4]));
  return line == 0 || line == w.line;
}

// The action of the first filter that matches, a str; *item is that filter, or null.
Result<StrObject> FindAction(ThreadState& ts, const Warning& w, Ref<>* item) {
  MVM_TRY(Ref<> filters, Setting(ts, "filters", "filters"));
  // The VM ends and the modules are gone: there is no telling what to do with it.
  if (filters.is_absent()) return NewStr(ts, "ignore");
  if (!filters.is_object() || !IsList(ts, filters)) {
    return Raise(ts, Exc::kValueError, "_warnings.filters must be a list");
  }
  const ListObject* list = filters.as<ListObject>();
  for (uint64_t i = 0; i < list->size; ++i) {
    Ref<> filter = Ref<>::Borrow(list->items[i]);
    if (!IsTuple(ts, filter) || filter.as<TupleObject>()->size() != 5) {
      return Raise(ts, Exc::kValueError, "_warnings.filters item %llu isn't a 5-tuple",
                   static_cast<unsigned long long>(i));
    }
    const Value action = (*filter.as<TupleObject>())[0];
    if (!IsStr(ts, action)) {
      return Raise(ts, Exc::kTypeError, "action must be a string, not '%T'", action);
    }
    MVM_TRY(bool matches, FilterMatches(ts, filter.as<TupleObject>(), w));
    if (!matches) continue;
    *item = std::move(filter);
    return Ref<StrObject>::Borrow(action.as<StrObject>());
  }
  MVM_TRY(Ref<> action, Setting(ts, "defaultaction", "_defaultaction"));
  if (!action.is_object() || !IsStr(ts, action)) {
    return Raise(ts, Exc::kTypeError, "_warnings.defaultaction must be a string, not '%T'",
                 action.get());
  }
  return std::move(action).Into<StrObject>();
}

// ---- registries ----

// Has the key been entered since the filters were last changed? If not and `set`, enters it.
Result<bool> AlreadyWarned(ThreadState& ts, DictObject* registry, Value key, bool set) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "version"));
  MVM_TRY(Ref<> version, DictGet(ts, registry, name));
  const Value now = Value::Int(static_cast<int64_t>(ts.rt->warning_filters_version));
  if (!version.is(now)) {
    DictClear(ts, registry);
    MVM_TRY_VOID(DictSet(ts, registry, name, now));
  } else {
    MVM_TRY(Ref<> known, DictGet(ts, registry, key));
    if (!known.is_absent()) {
      MVM_TRY(bool warned, Truth(ts, known));
      if (warned) return true;
    }
  }
  if (set) MVM_TRY_VOID(DictSet(ts, registry, key, ts.rt->true_));
  return false;
}

Result<bool> EnterInRegistry(ThreadState& ts, DictObject* registry, const Warning& w, bool zero) {
  const Value parts[] = {w.text, w.category, Value::Int(0)};
  MVM_TRY(Ref<TupleObject> key, NewTuple(ts, {parts, zero ? size_t{3} : size_t{2}}));
  return AlreadyWarned(ts, registry, key, true);
}

Result<DictObject> OnceRegistry(ThreadState& ts) {
  MVM_TRY(Ref<> registry, Setting(ts, "onceregistry", "_onceregistry"));
  if (!registry.is_object() || !IsDict(ts, registry)) {
    return Raise(ts, Exc::kTypeError, "_warnings.onceregistry must be a dict, not '%T'",
                 registry.get());
  }
  return std::move(registry).Into<DictObject>();
}

// ---- showing ----

// Without the module warnings, which a VM that is being taken down cannot load any more.
Status ShowPlainly(ThreadState& ts, const Warning& w) {
  if (!ts.rt->sys) return Ok();
  MVM_TRY(Ref<> file, GetAttrOptional(ts, Value(ts.rt->sys), "stderr"));
  if (file.is_absent() || IsNone(ts, file)) return Ok();
  MVM_TRY(Ref<StrObject> line,
          Format(ts, "%S:%lld: %N: %S\n", w.filename.get(), static_cast<long long>(w.line),
                 w.category.as<TypeObject>(), w.text.get()));
  MVM_TRY(Ref<StrObject> write, InternUtf8(ts, "write"));
  MVM_TRY_VOID(CallMethod(ts, file, write, line));
  return Ok();
}

Status Show(ThreadState& ts, const Warning& w) {
  MVM_TRY(Ref<> module, LoadedModule(ts, "warnings"));
  if (module.is_absent()) {
    if (ts.rt->finalizing) return ShowPlainly(ts, w);
    MVM_TRY(module, ts.rt->hooks.import_module(ts, "warnings"));
  }
  MVM_TRY(Ref<> show, GetAttrOptional(ts, module, "_showwarnmsg"));
  if (show.is_absent()) return ShowPlainly(ts, w);
  if (!IsCallable(ts, show)) {
    return Raise(ts, Exc::kTypeError, "warnings._showwarnmsg() must be set to a callable");
  }
  MVM_TRY(Ref<> type, GetAttrOptional(ts, module, "WarningMessage"));
  if (type.is_absent()) {
    return Raise(ts, Exc::kRuntimeError, "unable to get warnings.WarningMessage");
  }
  const Value none = ts.rt->none;
  const Value args[] = {w.message,
                        w.category,
                        w.filename,
                        Value::Int(w.line),
                        none,
                        none,
                        w.source ? w.source.get() : none};
  MVM_TRY(Ref<> message, Call(ts, type, std::span<const Value>(args)));
  MVM_TRY_VOID(Call(ts, show, message));
  return Ok();
}

// ---- issuing ----

// "dir/name.py" is module "dir/name".
Result<> ModuleOfFile(ThreadState& ts, Value filename) {
  const std::string path = ToUtf8(filename.as<StrObject>());
  if (path.empty()) return NewStr(ts, "<unknown>");
  const size_t n = path.size();
  if (n >= 3 && path[n - 3] == '.' && path[n - 2] == 'p' && path[n - 1] == 'y') {
    return NewStr(ts, std::string_view(path).substr(0, n - 3));
  }
  return Result<>::Borrow(filename);
}

// Issues a warning whose place is known; message, category, text and module may still be missing.
Status Issue(ThreadState& ts, Warning w, Value message, Value category) {
  MVM_TRY_VOID(ServeOptions(ts));
  if (!w.module) {
    MVM_TRY(w.module, ModuleOfFile(ts, w.filename));
  }
  if (IsInstance(ts, message, ExcType(ts, Exc::kWarning))) {
    w.message = Ref<>::Borrow(message);
    w.category = Ref<>::Borrow(TypeOf(ts, message));
    MVM_TRY(w.text, ToStr(ts, message));
  } else {
    w.text = Ref<>::Borrow(message);
    w.category = Ref<>::Borrow(category);
    MVM_TRY(w.message, Call(ts, w.category, w.text));
  }
  DictObject* registry = IsNone(ts, w.registry) ? nullptr : w.registry.as<DictObject>();
  const Value parts[] = {w.text, w.category, Value::Int(w.line)};
  MVM_TRY(Ref<TupleObject> key, NewTuple(ts, parts));
  if (registry) {
    MVM_TRY(bool warned, AlreadyWarned(ts, registry, key, false));
    if (warned) return Ok();
  }
  Ref<> item;
  MVM_TRY(Ref<StrObject> action, FindAction(ts, w, &item));
  if (action->EqualsAscii("ignore")) return Ok();
  if (action->EqualsAscii("error")) {
    if (!IsException(ts, w.message)) {
      return Raise(ts, Exc::kTypeError, "exceptions must derive from BaseException");
    }
    return RaiseObject(ts, w.message);
  }
  if (!action->EqualsAscii("always")) {
    bool warned = false;
    if (registry) MVM_TRY_VOID(DictSet(ts, registry, key, ts.rt->true_));
    if (action->EqualsAscii("once")) {
      Ref<DictObject> once = Ref<DictObject>::Borrow(registry);
      if (!once) {
        MVM_TRY(once, OnceRegistry(ts));
      }
      MVM_TRY(warned, EnterInRegistry(ts, once, w, false));
    } else if (action->EqualsAscii("module")) {
      if (registry) {
        MVM_TRY(warned, EnterInRegistry(ts, registry, w, true));
      }
    } else if (!action->EqualsAscii("default")) {
      return Raise(ts, Exc::kRuntimeError, "Unrecognized action (%R) in warnings.filters:\n %R",
                   action.value(), item ? item.get() : Value(ts.rt->none));
    }
    if (warned) return Ok();
  }
  return Show(ts, w);
}

// ---- where a warning belongs ----

// Frames of the import machinery are nobody's place.
bool IsInternal(const StrObject* filename) {
  const std::string path = ToUtf8(filename);
  return path.find("importlib") != std::string::npos &&
         path.find("_bootstrap") != std::string::npos;
}

bool IsSkipped(const StrObject* filename, const TupleObject* prefixes) {
  if (!prefixes) return false;
  const std::string path = ToUtf8(filename);
  for (Value prefix : prefixes->span()) {
    if (path.starts_with(ToUtf8(prefix.as<StrObject>()))) return true;
  }
  return false;
}

const StrObject* FileOf(const FrameWalker& walker) {
  return FunctionOf(walker.base())->code->filename;
}

// Fills in file, line, module and registry from the frame `level` (1: the innermost) levels up.
Status FindPlace(ThreadState& ts, int64_t level, const TupleObject* prefixes, Warning* w) {
  FrameWalker walker(ts);
  const bool count_all = level <= 0 || (!walker.done() && IsInternal(FileOf(walker)));
  while (--level > 0 && !walker.done()) {
    walker.Next();
    if (count_all) continue;
    while (!walker.done() && (IsInternal(FileOf(walker)) || IsSkipped(FileOf(walker), prefixes))) {
      walker.Next();
    }
  }
  Ref<DictObject> globals;
  if (walker.done()) {
    if (!ts.rt->sys) {
      MVM_TRY(globals, NewDict(ts));
    } else {
      globals = Ref<DictObject>::Borrow(ts.rt->sys->dict);
    }
    MVM_TRY(w->filename, NewStr(ts, "<sys>"));
  } else {
    const FunctionObject* f = FunctionOf(walker.base());
    globals = Ref<DictObject>::Borrow(f->globals);
    w->filename = Ref<>::Borrow(f->code->filename);
    w->line = walker.pc() ? LineAt(f->code, PcIndex(f, walker.pc()))
                          : static_cast<int>(f->code->first_line);
  }
  MVM_TRY(Ref<StrObject> registry, InternUtf8(ts, "__warningregistry__"));
  MVM_TRY(w->registry, DictGet(ts, globals, registry));
  if (w->registry.is_absent()) {
    MVM_TRY(w->registry, NewDict(ts));
    MVM_TRY_VOID(DictSet(ts, globals, registry, w->registry));
  }
  if (!IsNone(ts, w->registry) && !IsDict(ts, w->registry)) {
    return Raise(ts, Exc::kTypeError, "'registry' must be a dict or None");
  }
  MVM_TRY(w->module, DictGet(ts, globals, MVM_NAME(ts, __name__)));
  if (w->module.is_absent() || (!IsNone(ts, w->module) && !IsStr(ts, w->module))) {
    MVM_TRY(w->module, NewStr(ts, "<string>"));
  }
  return Ok();
}

// The category of a warning: that of the message if this is one, else what was given or
// UserWarning.
Result<> CategoryOf(ThreadState& ts, Value message, Value category) {
  TypeObject* warning = ExcType(ts, Exc::kWarning);
  if (IsInstance(ts, message, warning)) return Result<>::Borrow(TypeOf(ts, message));
  if (IsNone(ts, category)) return Result<>::Borrow(ExcType(ts, Exc::kUserWarning));
  if (!IsType(ts, category) || !IsSubtype(category.as<TypeObject>(), warning)) {
    return Raise(ts, Exc::kTypeError, "category must be a Warning subclass, not '%T'", category);
  }
  return Result<>::Borrow(category);
}

// warn(message, category, stacklevel, source, skip_file_prefixes)
Result<> warnings_warn(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> category, CategoryOf(ts, args[0], args[1]));
  MVM_TRY(int64_t level, AsInt64(ts, args[2]));
  const TupleObject* prefixes = nullptr;
  if (args.has(4)) {
    if (!IsTuple(ts, args[4])) {
      return Raise(ts, Exc::kTypeError,
                   "warn() argument 'skip_file_prefixes' must be tuple, not %T", args[4]);
    }
    prefixes = args.as<TupleObject>(4);
    for (Value prefix : prefixes->span()) {
      if (!IsStr(ts, prefix)) {
        return Raise(ts, Exc::kTypeError, "Found non-str '%T' in skip_file_prefixes.", prefix);
      }
    }
    if (prefixes->size() > 0 && level < 2) level = 2;
  }
  Warning w;
  MVM_TRY_VOID(FindPlace(ts, level, prefixes, &w));
  if (!IsNone(ts, args[3])) w.source = Ref<>::Borrow(args[3]);
  MVM_TRY_VOID(Issue(ts, std::move(w), args[0], category));
  return None(ts);
}

// warn_explicit(message, category, filename, lineno, module, registry, module_globals, source)
Result<> warnings_warn_explicit(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[2])) {
    return Raise(ts, Exc::kTypeError, "warn_explicit() argument 'filename' must be str, not %s",
                 IsNone(ts, args[2]) ? "None" : TypeOf(ts, args[2])->spec->name);
  }
  if (!IsNone(ts, args[5]) && !IsDict(ts, args[5])) {
    return Raise(ts, Exc::kTypeError, "'registry' must be a dict or None");
  }
  Warning w;
  w.filename = Ref<>::Borrow(args[2]);
  MVM_TRY(w.line, AsInt64(ts, args[3]));
  if (args.has(4)) w.module = Ref<>::Borrow(args[4]);
  w.registry = Ref<>::Borrow(args[5]);
  if (!IsNone(ts, args[7])) w.source = Ref<>::Borrow(args[7]);
  if (!IsNone(ts, args[6])) {
    if (!IsDict(ts, args[6])) {
      return Raise(ts, Exc::kTypeError, "module_globals must be a dict, not '%T'", args[6]);
    }
    // A loader may have the source: the cache of source lines asks it now.
    MVM_TRY(Ref<> linecache, ts.rt->hooks.import_module(ts, "linecache"));
    MVM_TRY(Ref<> getlines, GetAttr(ts, linecache, "getlines"));
    MVM_TRY_VOID(Call(ts, getlines, args[2], args[6]));
  }
  MVM_TRY_VOID(Issue(ts, std::move(w), args[0], args[1]));
  return None(ts);
}

Result<> warnings_filters_mutated(ThreadState& ts, Args) {
  ++ts.rt->warning_filters_version;
  return None(ts);
}

// VmHooks::warn
Status WarnFromNative(ThreadState& ts, Value category, Value message, int stack_level) {
  MVM_TRY(Ref<> checked, CategoryOf(ts, message, category));
  Warning w;
  MVM_TRY_VOID(FindPlace(ts, stack_level, nullptr, &w));
  return Issue(ts, std::move(w), message, checked);
}

// ---- the module ----

// What is hidden unless asked for; deprecations show in the main program only.
Result<ListObject> DefaultFilters(ThreadState& ts) {
  struct Row {
    const char* action;
    Exc category;
    const char* module;
  };
  static constexpr Row kRows[] = {
      {"default", Exc::kDeprecationWarning, "__main__"},
      {"ignore", Exc::kDeprecationWarning, nullptr},
      {"ignore", Exc::kPendingDeprecationWarning, nullptr},
      {"ignore", Exc::kImportWarning, nullptr},
      {"ignore", Exc::kResourceWarning, nullptr},
  };
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, std::size(kRows)));
  for (const Row& row : kRows) {
    MVM_TRY(Ref<StrObject> action, InternUtf8(ts, row.action));
    Ref<> module = Ref<>::Borrow(ts.rt->none);
    if (row.module) {
      MVM_TRY(module, InternUtf8(ts, row.module));
    }
    const Value parts[] = {action, ts.rt->none, ExcType(ts, row.category), module, Value::Int(0)};
    MVM_TRY(Ref<TupleObject> filter, NewTuple(ts, parts));
    MVM_TRY_VOID(ListAppend(ts, list, filter));
  }
  return list;
}

Status ExecModule(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<ListObject> filters, DefaultFilters(ts));
  MVM_TRY_VOID(ModuleAdd(ts, module, "filters", filters));
  MVM_TRY(Ref<StrObject> action, InternUtf8(ts, "default"));
  MVM_TRY_VOID(ModuleAdd(ts, module, "_defaultaction", action));
  MVM_TRY(Ref<DictObject> once, NewDict(ts));
  MVM_TRY_VOID(ModuleAdd(ts, module, "_onceregistry", once));
  ts.rt->hooks.warn = WarnFromNative;
  return Ok();
}

const MethodSpec kFunctions[] = {
    {"_filters_mutated()", warnings_filters_mutated},
    {"warn(message, category=None, stacklevel=1, source=None, *, "
     "skip_file_prefixes=<unrepresentable>)",
     warnings_warn,
     "Have the filters decide about a warning: print it, drop it or raise it.\n"
     "\n"
     "stacklevel: whose line it is about, 1 the caller's. Frames of files whose names start with "
     "one of skip_file_prefixes\n"
     "do not count."},
    {"warn_explicit(message, category, filename, lineno, module=<unrepresentable>, registry=None, "
     "module_globals=None, source=None)",
     warnings_warn_explicit,
     "warn() about a line that is given. registry is where that file's warnings have been noted."},
};

}  // namespace

extern const ModuleSpec k__warnings_module;
const ModuleSpec k__warnings_module = {
    .name = "_warnings",
    .doc = "The native half of warnings: which filter applies, and what is done then.",
    .functions = kFunctions,
    .exec = ExecModule,
};

}  // namespace minivm

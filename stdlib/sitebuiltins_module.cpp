// Module _sitebuiltins: the built-in names that belong to the prompt: exit, quit, help, copyright,
// credits and license. The command line installs them at its start unless -S is given, which is why
// they are native: an interpreter that starts compiles nothing.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

extern const TypeSpec kQuitterType;
extern const TypeSpec kPrinterType;
extern const TypeSpec kHelperType;

namespace {

// All three kinds: what it shows.
class PromptName : public Object {
 public:
  StrObject* text = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(text);
  }
};

Result<> prompt_repr(ThreadState& ts, Value self) {
  return Result<>::Borrow(self.as<PromptName>()->text);
}

Result<> quitter_call(ThreadState& ts, Value, Args raw) {
  const bool by_name = raw.n == 0 && raw.nkw == 1 &&
                       (*raw.v[1].as<TupleObject>())[0].as<StrObject>()->EqualsAscii("code");
  if (raw.n + raw.nkw > 1 || (raw.nkw == 1 && !by_name)) {
    return Raise(ts, Exc::kTypeError, "Quitter.__call__() takes one argument, code");
  }
  // Whoever catches SystemExit and reads on finds the end of the input.
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "stdin"));
  Result<> stdin_ = GetAttrOptional(ts, ts.rt->sys, name);
  Result<> closed = kRaised;
  if (!stdin_.raised()) {
    const Ref<> file = stdin_.Take();
    if (!file.is_absent()) closed = CallMethod(ts, file, MVM_NAME(ts, close));
  }
  if (closed.raised() && ts.HasPending() && !ClearPendingIf(ts, Exc::kException)) return kRaised;
  return RaiseValue(ts, Exc::kSystemExit, raw.n + raw.nkw ? raw.v[0] : Value(ts.rt->none));
}

Result<> printer_call(ThreadState& ts, Value self, Args raw) {
  if (raw.n + raw.nkw > 0) {
    return Raise(ts, Exc::kTypeError, "_Printer.__call__() takes no arguments");
  }
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "print"));
  MVM_TRY(Ref<> print, GetAttr(ts, ts.rt->builtins, name));
  return Call(ts, print, self.as<PromptName>()->text);
}

Result<> helper_call(ThreadState& ts, Value self, Args raw) {
  MVM_TRY(Ref<> pydoc, ts.rt->hooks.import_module(ts, "pydoc"));
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "help"));
  MVM_TRY(Ref<> help, GetAttr(ts, pydoc, name));
  return CallRaw(ts, help, raw);
}

Status Install(ThreadState& ts, const TypeSpec& spec, const char* name, std::string_view text) {
  MVM_TRY(Ref<StrObject> shown, NewStr(ts, text));
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec));
  // Messages name these types as they name classes of scripts: without the module.
  MVM_TRY_VOID(TypeReady(ts, type));
  MVM_TRY(Ref<StrObject> module, InternUtf8(ts, "_sitebuiltins"));
  const Ref<StrObject> old =
      Ref<StrObject>::Steal(std::exchange(type->module_name, module.Release()));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, name));
  made.as<PromptName>()->text = shown.Release();
  return DictSetStr(ts, ts.rt->builtins_dict, key, made);
}

Result<> sitebuiltins_install(ThreadState& ts, Args) {
  MVM_TRY_VOID(Install(ts, kQuitterType, "exit", "Use exit() or Ctrl-D (i.e. EOF) to exit"));
  MVM_TRY_VOID(Install(ts, kQuitterType, "quit", "Use quit() or Ctrl-D (i.e. EOF) to exit"));
  MVM_TRY_VOID(Install(ts, kHelperType, "help",
                       "Type help() for interactive help, or help(object) for help about object."));
  MVM_TRY(Ref<StrObject> key, InternUtf8(ts, "copyright"));
  MVM_TRY(Ref<> copyright, GetAttr(ts, ts.rt->sys, key));
  MVM_TRY_VOID(Install(ts, kPrinterType, "copyright", ToUtf8(copyright.as<StrObject>())));
  MVM_TRY_VOID(
      Install(ts, kPrinterType, "credits",
              "minivm is an independent implementation of the Python language, which is the "
              "work of\nGuido van Rossum and the many contributors to CPython."));
  MVM_TRY_VOID(Install(ts, kPrinterType, "license",
                       "The terms under which minivm may be used come with its source code."));
  return None(ts);
}

const MethodSpec kFunctions[] = {
    {"install()", sitebuiltins_install, "Puts the names of the prompt into builtins."}};
const TypeSpec* const kTypes[] = {&kQuitterType, &kPrinterType, &kHelperType};

}  // namespace

const TypeSpec kQuitterType = {
    .name = "Quitter",
    .flags = kTypeNoNew,
    .size = sizeof(PromptName),
    .gc = GcHooksOf<PromptName>(),
    .slots = {.repr = prompt_repr, .call = quitter_call},
};
const TypeSpec kPrinterType = {
    .name = "_Printer",
    .flags = kTypeNoNew,
    .size = sizeof(PromptName),
    .gc = GcHooksOf<PromptName>(),
    .slots = {.repr = prompt_repr, .call = printer_call},
};
const TypeSpec kHelperType = {
    .name = "_Helper",
    .doc = "help(thing) prints what there is to say about it; help() asks what to look up.",
    .flags = kTypeNoNew,
    .size = sizeof(PromptName),
    .gc = GcHooksOf<PromptName>(),
    .slots = {.repr = prompt_repr, .call = helper_call},
};

extern const ModuleSpec k__sitebuiltins_module;
const ModuleSpec k__sitebuiltins_module = {
    .name = "_sitebuiltins",
    .doc = "The built-in names that belong to the prompt.",
    .functions = kFunctions,
    .types = kTypes,
};

}  // namespace minivm

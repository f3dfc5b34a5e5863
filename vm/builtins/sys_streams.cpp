// The standard streams: sys.stdin, sys.stdout and sys.stderr over descriptors 0, 1 and 2, which _io
// makes; here is in which encoding.
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/builtins/sys_module.h"

namespace minivm {

namespace {

// The name that the codec of this encoding has.
Result<> CodecName(ThreadState& ts, const std::string& encoding) {
  if (encoding.empty()) return Result<>(NewStr(ts, "utf-8"));
  MVM_TRY(Ref<> codecs, ts.rt->hooks.import_module(ts, "_codecs"));
  MVM_TRY(Ref<> lookup, GetAttr(ts, codecs, "lookup"));
  MVM_TRY(Ref<StrObject> text, NewStrFromOs(ts, encoding));
  MVM_TRY(Ref<> codec, Call(ts, lookup, Value(text.get())));
  MVM_TRY(Ref<> name, GetAttr(ts, codec, MVM_NAME(ts, name)));
  if (IsStr(ts, name)) return name;
  return text;
}

// In a locale that says nothing of the encoding, bytes that are no UTF-8 pass through the streams
// unchanged.
const char* DefaultErrors() {
  const char* name = nullptr;
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    name = std::getenv(variable);
    if (name != nullptr && *name != '\0') break;
  }
  if (name == nullptr) return "surrogateescape";
  for (const char* plain : {"", "C", "POSIX", "C.UTF-8", "C.utf8", "UTF-8"}) {
    if (std::string_view(name) == plain) return "surrogateescape";
  }
  locale_t locale = newlocale(LC_CTYPE_MASK, name, locale_t{});
  if (locale == locale_t{}) return "surrogateescape";  // the C locale is what one gets then
  freelocale(locale);
  return "strict";
}

Result<> MakeStream(ThreadState& ts, Value make, int fd, bool unbuffered,
                    const std::string& encoding, const std::string& errors) {
  if (::fcntl(fd, F_GETFD) < 0) return None(ts);
  MVM_TRY(Ref<> encoding_name, CodecName(ts, encoding));
  const char* errors_default = encoding.empty() ? DefaultErrors() : "strict";
  MVM_TRY(Ref<StrObject> errors_name, NewStr(ts, fd == 2          ? "backslashreplace"
                                                 : errors.empty() ? errors_default
                                                                  : errors.c_str()));
  const Value args[] = {Value::Int(fd), encoding_name, errors_name,
                        Value(unbuffered ? ts.rt->true_ : ts.rt->false_)};
  return Call(ts, make, args);
}

}  // namespace

Status InitStandardStreams(ThreadState& ts, bool unbuffered, const std::string& encoding,
                           const std::string& errors) {
  MVM_TRY(Ref<> io, ts.rt->hooks.import_module(ts, "_io"));
  MVM_TRY(Ref<> make, GetAttr(ts, io, "_standard_stream"));
  const char* names[][2] = {
      {"stdin", "__stdin__"}, {"stdout", "__stdout__"}, {"stderr", "__stderr__"}};
  for (int fd = 0; fd < 3; ++fd) {
    MVM_TRY(Ref<> stream, MakeStream(ts, make, fd, unbuffered, encoding, errors));
    for (const char* name : names[fd]) MVM_TRY_VOID(ModuleAdd(ts, ts.rt->sys, name, stream));
  }
  return Ok();
}

Status InitOpen(ThreadState& ts) {
  MVM_TRY(Ref<> io, ts.rt->hooks.import_module(ts, "_io"));
  MVM_TRY(Ref<> open, GetAttr(ts, io, "open"));
  return ModuleAdd(ts, ts.rt->builtins, "open", open);
}

}  // namespace minivm

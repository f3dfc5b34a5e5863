// The standard streams: sys.stdin, sys.stdout and sys.stderr over descriptors 0, 1 and 2.
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/builtins/sys_module.h"

namespace minivm {

namespace {

// function(*args, **{names: values})
Result<> CallNamed(ThreadState& ts, Value function, std::span<const Value> args,
                   std::initializer_list<std::pair<const char*, Value>> named) {
  MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, args));
  MVM_TRY(Ref<DictObject> kwargs, NewDict(ts));
  for (const auto& [name, value] : named) MVM_TRY_VOID(DictSetUtf8(ts, kwargs, name, value));
  return CallWith(ts, function, tuple, kwargs);
}

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

Result<> MakeStream(ThreadState& ts, Value io, int fd, bool unbuffered, const std::string& encoding,
                    const std::string& errors) {
  static constexpr const char* kNames[] = {"<stdin>", "<stdout>", "<stderr>"};
  if (::fcntl(fd, F_GETFD) < 0) return None(ts);
  bool write = fd != 0;
  MVM_TRY(Ref<> open, GetAttr(ts, io, "open"));
  MVM_TRY(Ref<StrObject> mode, NewStr(ts, write ? "wb" : "rb"));
  Value args[] = {Value::Int(fd), Value(mode.get())};
  // Unbuffered reading would lose what reads ahead; only writing is.
  int64_t buffering = unbuffered && write ? 0 : -1;
  MVM_TRY(Ref<> buffer,
          CallNamed(ts, open, args,
                    {{"buffering", Value::Int(buffering)}, {"closefd", ts.rt->false_}}));
  MVM_TRY(Ref<> raw, GetAttrOptional(ts, buffer, "raw"));
  if (raw.is_absent()) raw = Ref<>::Borrow(buffer);
  MVM_TRY(Ref<StrObject> name, NewStr(ts, kNames[fd]));
  MVM_TRY_VOID(SetAttr(ts, raw, MVM_NAME(ts, name), name));
  bool tty = ::isatty(fd);
  Value buffer_value = buffer;
  MVM_TRY(Ref<> wrapper, GetAttr(ts, io, "TextIOWrapper"));
  MVM_TRY(Ref<> encoding_name, CodecName(ts, encoding));
  const char* errors_default = encoding.empty() ? DefaultErrors() : "strict";
  MVM_TRY(Ref<StrObject> errors_name, NewStr(ts, fd == 2          ? "backslashreplace"
                                                 : errors.empty() ? errors_default
                                                                  : errors.c_str()));
  MVM_TRY(Ref<StrObject> newline, NewStr(ts, "\n"));
  bool line_buffering = write && (fd == 2 || tty || unbuffered);
  MVM_TRY(
      Ref<> stream,
      CallNamed(ts, wrapper, {&buffer_value, 1},
                {{"encoding", encoding_name.value()},
                 {"errors", errors_name.value()},
                 {"newline", write ? newline.value() : Value(ts.rt->none)},
                 {"line_buffering", Value(line_buffering ? ts.rt->true_ : ts.rt->false_)},
                 {"write_through", Value(unbuffered && write ? ts.rt->true_ : ts.rt->false_)}}));
  MVM_TRY(Ref<StrObject> text_mode, NewStr(ts, write ? "w" : "r"));
  MVM_TRY_VOID(SetAttr(ts, stream, "mode", text_mode));
  return stream;
}

}  // namespace

Status InitStandardStreams(ThreadState& ts, bool unbuffered, const std::string& encoding,
                           const std::string& errors) {
  MVM_TRY(Ref<> io, ts.rt->hooks.import_module(ts, "_io"));
  const char* names[][2] = {
      {"stdin", "__stdin__"}, {"stdout", "__stdout__"}, {"stderr", "__stderr__"}};
  for (int fd = 0; fd < 3; ++fd) {
    MVM_TRY(Ref<> stream, MakeStream(ts, io, fd, unbuffered, encoding, errors));
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

// Exceptions as text, for stderr and for the host.
#include <cstdio>

#include "runtime/objects/exception_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/builtins/sys_module.h"
#include "vm/interp/traceback.h"

namespace minivm {

namespace {

// str(v) or "<exception str() failed>"; nothing stays pending.
std::string SafeStr(ThreadState& ts, Value v) {
  Result<StrObject> text = ToStr(ts, v);
  if (text.raised()) {
    ClearPending(ts);
    return "<exception str() failed>";
  }
  Ref<StrObject> s = text.Take();
  return ToUtf8(s);
}

// The line of a file, without the blanks around it; "" if it cannot be read.
std::string SourceLine(const std::string& path, int line) {
  std::string text;
  if (path.empty() || path[0] == '<' || line < 1) return text;
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return text;
  int at = 1;
  for (int c; at <= line && (c = std::getc(file)) != EOF;) {
    if (c == '\n') {
      ++at;
    } else if (at == line && text.size() < 1000) {
      text.push_back(static_cast<char>(c));
    }
  }
  std::fclose(file);
  size_t start = text.find_first_not_of(" \t\f\r"), end = text.find_last_not_of(" \t\f\r");
  return start == text.npos ? "" : text.substr(start, end - start + 1);
}

void AppendTraceback(Value traceback, std::string* out) {
  constexpr int kMaxRepeats = 3;
  const CodeObject* last_code = nullptr;
  int last_line = -1, repeats = 0;
  auto flush = [&] {
    if (repeats > kMaxRepeats) {
      int more = repeats - kMaxRepeats;
      *out += "  [Previous line repeated " + std::to_string(more) + " more time" +
              (more == 1 ? "" : "s") + "]\n";
    }
  };
  for (Value t = traceback; t.is_object() && IsExact(t, TypeId::kTraceback);
       t = t.as<TracebackObject>()->next) {
    TracebackObject* tb = t.as<TracebackObject>();
    const CodeObject* code = tb->frame->function->code;
    if (code == last_code && TracebackLine(tb) == last_line) {
      if (++repeats > kMaxRepeats) continue;
    } else {
      flush();
      last_code = code;
      last_line = TracebackLine(tb);
      repeats = 1;
    }
    std::string file = ToUtf8(code->filename);
    *out += "  File \"" + file + "\", line " + std::to_string(TracebackLine(tb)) + ", in " +
            ToUtf8(code->name) + "\n";
    std::string line = SourceLine(file, TracebackLine(tb));
    if (!line.empty()) *out += "    " + line + "\n";
  }
  flush();
}

std::string TypeText(ThreadState& ts, Value exception) {
  TypeObject* type = TypeOf(ts, exception);
  std::string text;
  Result<> module = GetAttrOptional(ts, Value(type), MVM_NAME(ts, __module__));
  if (module.raised()) {
    ClearPending(ts);
  } else {
    Ref<> m = module.Take();
    if (!m.is_absent() && IsStr(ts, m) && !m.as<StrObject>()->EqualsAscii("builtins") &&
        !m.as<StrObject>()->EqualsAscii("__main__")) {
      text = ToUtf8(m.as<StrObject>()) + ".";
    }
  }
  Result<> name = GetAttr(ts, Value(type), MVM_NAME(ts, __qualname__));
  if (name.raised()) {
    ClearPending(ts);
    // There is no memory to ask for more, perhaps not even to make a built-in class ready.
    return text + (type->name ? ToUtf8(type->name) : type->spec->name);
  }
  Ref<> n = name.Take();
  return text + (IsStr(ts, n) ? ToUtf8(n.as<StrObject>()) : "<unknown>");
}

// traceback.format_exception(exception), joined.
Result<StrObject> FormatWithModule(ThreadState& ts, Value exception) {
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "traceback"));
  MVM_TRY(Ref<> format, GetAttr(ts, module, "format_exception"));
  Ref<> lines;
  // sys.tracebacklimit: the innermost frames only.
  MVM_TRY(Ref<> limit, GetAttrOptional(ts, Value(ts.rt->sys), "tracebacklimit"));
  if (!limit.is_absent() && IsInt(ts, limit)) {
    const bool none = IntSign(limit) <= 0;
    MVM_TRY(limit, IntNeg(ts, limit));
    const Ref<> traceback = Ref<>::Borrow(exception.as<ExceptionObject>()->traceback);
    Value call[] = {TypeOf(ts, exception), exception,
                    none || traceback.is_null() ? Value(ts.rt->none) : traceback.get(),
                    none ? Value::Int(0) : limit.get()};
    MVM_TRY(lines, Call(ts, format, call));
  } else {
    MVM_TRY(lines, Call(ts, format, exception));
  }
  return StrJoin(ts, ts.rt->empty_str, lines);
}

}  // namespace

std::string PlainExceptionText(ThreadState& ts, Value exception) {
  std::string text;
  Value traceback = exception.as<ExceptionObject>()->traceback;
  if (!traceback.is_null() && !IsNone(ts, traceback)) {
    text = "Traceback (most recent call last):\n";
    AppendTraceback(traceback, &text);
  }
  text += TypeText(ts, exception);
  std::string message = SafeStr(ts, exception);
  if (!message.empty()) text += ": " + message;
  return text + "\n";
}

std::string ExceptionText(ThreadState& ts, Value exception) {
  Ref<> hold = Ref<>::Borrow(exception);
  // A VM that fails to start has no modules yet.
  if (!ts.rt->hooks.import_module) return PlainExceptionText(ts, exception);
  Result<StrObject> text = FormatWithModule(ts, exception);
  if (!text.raised()) {
    Ref<StrObject> s = text.Take();
    return ToUtf8(s);
  }
  ClearPending(ts);
  return PlainExceptionText(ts, exception);
}

}  // namespace minivm

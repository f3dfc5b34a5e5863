// Errors, warnings and names of a compilation.
#include "vm/compiler/compile_context.h"

#include <cstdarg>
#include <cstdio>
#include <string>

#include "runtime/objects/exception_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

Identifier CompileContext::Mangle(Identifier cls, Identifier name) {
  std::string_view n = name->view();
  if (cls == nullptr || n.size() < 2 || n[0] != '_' || n[1] != '_') return name;
  if (n.substr(n.size() - 2) == "__" || n.find('.') != n.npos) return name;
  std::string_view c = cls->view();
  size_t start = c.find_first_not_of('_');
  if (start == c.npos) return name;
  std::string mangled = "_";
  mangled += c.substr(start);
  mangled += n;
  return names.Intern(mangled);
}

// CPython looks the line up in the file that is named, not in the text that was compiled.
Ref<> CompileContext::LineText(uint32_t lineno) {
  Ref<> none = Ref<>::Borrow(ts.rt->none);
  std::string path;
  if (ToOsString(ts, filename, &path).raised()) {
    ClearPending(ts);
    return none;
  }
  if (path.empty() || path[0] == '<') return none;
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (!file) return none;
  std::string line;
  uint32_t at = 1;
  for (int c; (c = std::getc(file)) != EOF;) {
    if (at == lineno && line.size() < 10000) line.push_back(static_cast<char>(c));
    if (c == '\n' && at++ == lineno) break;
  }
  std::fclose(file);
  if (line.empty()) return none;
  Result<StrObject> text = NewStrFromOs(ts, line);
  if (text.raised()) {
    ClearPending(ts);
    return none;
  }
  return Ref<>(text.Take());
}

void CompileContext::RaiseAt(const Location& at, std::string_view message) {
  Ref<StrObject> text = Check(NewStr(ts, message));
  Ref<> line = LineText(at.lineno);
  Value fields[] = {
      Value(filename), Value::Int(at.lineno),     Value::Int(int64_t{at.col_offset} + 1),
      line.get(),      Value::Int(at.end_lineno), Value::Int(int64_t{at.end_col_offset} + 1)};
  Ref<TupleObject> detail = Check(NewTuple(ts, fields));
  Ref<> error = Check(Call(ts, ExcType(ts, Exc::kSyntaxError), text.value(), detail.value()));
  RaiseObject(ts, error);
}

namespace {
std::string FormatText(const char* format, va_list args) {
  char buffer[512];
  va_list again;
  va_copy(again, args);
  int n = std::vsnprintf(buffer, sizeof buffer, format, args);
  std::string text;
  if (n < static_cast<int>(sizeof buffer)) {
    text.assign(buffer, n < 0 ? 0 : static_cast<size_t>(n));
  } else {
    text.resize(static_cast<size_t>(n) + 1);
    std::vsnprintf(text.data(), text.size(), format, again);
    text.pop_back();
  }
  va_end(again);
  return text;
}
}  // namespace

void CompileContext::Error(const Location& at, const char* format, ...) {
  va_list args;
  va_start(args, format);
  std::string message = FormatText(format, args);
  va_end(args);
  RaiseAt(at, message);
  Fail();
}

void CompileContext::SymbolError(const Location& at, const char* format, ...) {
  va_list args;
  va_start(args, format);
  std::string message = FormatText(format, args);
  va_end(args);
  Ref<StrObject> text = Check(NewStr(ts, message));
  Ref<> error = Check(Call(ts, ExcType(ts, Exc::kSyntaxError), text.value()));
  Ref<> line = LineText(at.lineno);
  auto* e = error.as<SyntaxErrorObject>();
  auto set = [](Value& field, Value v) {
    Incref(v);
    Value old = std::exchange(field, v);
    Decref(old);
  };
  set(e->filename, Value(filename));
  set(e->lineno, Value::Int(at.lineno));
  set(e->offset, Value::Int(int64_t{at.col_offset} + 1));
  set(e->end_lineno, Value::Int(at.end_lineno ? at.end_lineno : at.lineno));
  set(e->end_offset,
      at.end_lineno ? Value::Int(int64_t{at.end_col_offset} + 1) : Value(ts.rt->none));
  set(e->text, line.get());
  RaiseObject(ts, error);
  Fail();
}

namespace {

// _warnings.warn_explicit(message, category, filename, lineno): the warning belongs to the source,
// not to whoever compiles it.
Status WarnExplicit(ThreadState& ts, Exc category, StrObject* message, StrObject* filename,
                    uint32_t lineno) {
  if (!ts.rt->hooks.import_module) return Ok();
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "_warnings"));
  MVM_TRY(Ref<> function, GetAttr(ts, module, "warn_explicit"));
  Value args[] = {Value(message), Value(ExcType(ts, category)), Value(filename),
                  Value::Int(lineno)};
  MVM_TRY_VOID(Call(ts, function, std::span<const Value>(args)));
  return Ok();
}

}  // namespace

void CompileContext::WarnText(const Location& at, Exc category, std::string_view message) {
  Ref<StrObject> text = Check(NewStr(ts, message));
  Status status = WarnExplicit(ts, category, text, filename, at.lineno);
  if (!status.raised()) return;
  if (!ClearPendingIf(ts, category)) Fail();
  RaiseAt(at, message);
  Fail();
}

void CompileContext::Warn(const Location& at, const char* format, ...) {
  va_list args;
  va_start(args, format);
  std::string message = FormatText(format, args);
  va_end(args);
  WarnText(at, Exc::kSyntaxWarning, message);
}

}  // namespace minivm

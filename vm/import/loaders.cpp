// The loaders: how a module that was found is made and run.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "runtime/native/native_function.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/codec.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "vm/bytecode/code_image.h"
#include "vm/compiler/compiler.h"
#include "vm/import/embedded_modules.h"
#include "vm/import/import_types.h"
#include "vm/import/importer.h"
#include "vm/interp/interpreter.h"

namespace minivm {

Status ReadFileBytes(ThreadState& ts, StrObject* path, std::string* out) {
  std::string os;
  MVM_TRY_VOID(ToOsString(ts, path, &os));
  int fd;
  do {
    fd = ::open(os.c_str(), O_RDONLY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return RaiseErrno(ts, errno, path);
  struct stat st;
  int error = 0;
  if (::fstat(fd, &st) != 0) {
    error = errno;
  } else if (S_ISDIR(st.st_mode)) {
    error = EISDIR;
  }
  size_t size = error == 0 && st.st_size > 0 ? static_cast<size_t>(st.st_size) : 0;
  if (error == 0 && ts.heap().WouldExceed(size)) {
    ::close(fd);
    return RaiseMemoryError(ts);
  }
  out->clear();
  out->reserve(size + 1);
  char block[16384];
  while (error == 0) {
    ssize_t n = ::read(fd, block, sizeof(block));
    if (n == 0) break;
    if (n < 0) {
      if (errno == EINTR) continue;
      error = errno;
      break;
    }
    if (ts.heap().WouldExceed(out->size() + static_cast<size_t>(n))) {
      ::close(fd);
      return RaiseMemoryError(ts);
    }
    out->append(block, static_cast<size_t>(n));
  }
  ::close(fd);
  if (error != 0) return RaiseErrno(ts, error, path);
  return Ok();
}

Status ExecCode(ThreadState& ts, CodeObject* code, Value module) {
  MVM_TRY(Ref<> dict, GetAttr(ts, module, MVM_NAME(ts, __dict__)));
  if (!IsDict(ts, dict)) return Raise(ts, Exc::kTypeError, "module __dict__ is not a dict");
  DictObject* d = dict.as<DictObject>();
  if (DictGetStr(ts, d, MVM_NAME(ts, __builtins__)).is_null()) {
    MVM_TRY_VOID(DictSetStr(ts, d, MVM_NAME(ts, __builtins__), ts.rt->builtins_dict));
  }
  MVM_TRY_VOID(RunCode(ts, code, d, dict));
  return Ok();
}

// ---- native and embedded modules ----

Result<> CreateBuiltin(ThreadState& ts, Value spec) {
  MVM_TRY(Ref<> name_value, GetAttr(ts, spec, MVM_NAME(ts, name)));
  MVM_TRY(StrObject * name, ExpectStr(ts, name_value, "spec.name"));
  std::string text = ToUtf8(name);
  if (text == "sys") return Result<>::Borrow(Value(ts.rt->sys));
  if (text == "builtins") return Result<>::Borrow(Value(ts.rt->builtins));
  const ModuleSpec* found = FindNativeModule(text.data(), text.size());
  for (const ModuleSpec* own : {&k__frozen_importlib_module, &k__imp_module}) {
    if (text == own->name) found = own;
  }
  if (found == nullptr) {
    return RaiseImportError(ts, Exc::kImportError, name, Value(), "%R is not a built-in module",
                            Value(name));
  }
  return NewNativeModule(ts, *found);
}

Result<CodeObject> FrozenCode(ThreadState& ts, const EmbeddedModule& m) {
  MVM_TRY(Ref<StrObject> filename, Format(ts, "<frozen %s>", m.name));
  // Images are of code with asserts and docstrings, and without columns.
  if (ts.rt->optimize == 0 && m.code_size != 0) {
    MVM_TRY(void* image, AllocBuffer(ts, m.code_size));
    Result<CodeObject> code =
        UnpackCode(m, image)
            ? ReadCodeImage(ts, {static_cast<const char*>(image), m.code_size}, filename)
            : RaiseMemoryError(ts);
    ts.heap().FreeBuffer(image, m.code_size);
    return code;
  }
  CompileOptions options;
  options.optimize = ts.rt->optimize;
  std::string text;
  if (!UnpackSource(m, &text)) return RaiseMemoryError(ts);
  return CompileSource(ts, text, filename, options);
}

Status ExecFrozen(ThreadState& ts, Value module) {
  MVM_TRY(Ref<> spec, GetAttr(ts, module, MVM_NAME(ts, __spec__)));
  MVM_TRY(Ref<> name_value, GetAttr(ts, spec, MVM_NAME(ts, name)));
  MVM_TRY(StrObject * name, ExpectStr(ts, name_value, "spec.name"));
  std::string text = ToUtf8(name);
  const EmbeddedModule* m = FindEmbeddedModule(text.data(), text.size());
  if (m == nullptr) {
    return RaiseImportError(ts, Exc::kImportError, name, Value(), "No such frozen object named %U",
                            Value(name));
  }
  MVM_TRY(Ref<CodeObject> code, FrozenCode(ts, *m));
  return ExecCode(ts, code, module);
}

// ---- files ----

Result<CodeObject> SourceCode(ThreadState& ts, StrObject* path) {
  std::string bytes;
  MVM_TRY_VOID(ReadFileBytes(ts, path, &bytes));
  CompileOptions options;
  options.optimize = ts.rt->optimize;
  return CompileBytes(ts, bytes, path, options);
}

Result<FileLoaderObject> NewFileLoader(ThreadState& ts, const TypeSpec& spec, Value name,
                                       Value path) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec));
  MVM_TRY(Ref<FileLoaderObject> loader, New<FileLoaderObject>(ts, type->shape_id_exact));
  loader->name = Ref<>::Borrow(name).Release();
  loader->path = Ref<>::Borrow(path).Release();
  Track(loader.get());
  return loader;
}

namespace {

// loader.get_filename(name) and its like: the loader serves one module only.
Status CheckName(ThreadState& ts, FileLoaderObject* loader, Value name) {
  if (name.is_absent() || IsNone(ts, name) || loader->name.is_null()) return Ok();
  MVM_TRY(bool same, EqualValues(ts, name, loader->name));
  if (same) return Ok();
  MVM_TRY(StrObject * text, ExpectStr(ts, name, "module name"));
  return RaiseImportError(ts, Exc::kImportError, text, Value(), "loader for %S cannot handle %S",
                          loader->name, name);
}

Result<StrObject*> PathOf(ThreadState& ts, Value self) {
  Value path = self.as<FileLoaderObject>()->path;
  return ExpectStr(ts, path.is_null() ? Value(ts.rt->none) : path, "path");
}

Result<> loader_init(ThreadState& ts, Args args) {
  FileLoaderObject* l = args.self<FileLoaderObject>();
  Decref(std::exchange(l->name, Ref<>::Borrow(args[1]).Release()));
  Decref(std::exchange(l->path, Ref<>::Borrow(args[2]).Release()));
  return None(ts);
}

Result<> loader_get_filename(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckName(ts, args.self<FileLoaderObject>(), args[1]));
  Value path = args.self<FileLoaderObject>()->path;
  return path.is_null() ? None(ts) : Result<>::Borrow(path);
}

// The reader of the files beside a module, which importlib.readers has; what it is made of is
// given.
Result<> ResourceReader(ThreadState& ts, std::string_view kind, Value of) {
  MVM_TRY(Ref<> readers, ImportModule(ts, "importlib.readers"));
  MVM_TRY(Ref<> reader, GetAttr(ts, readers, kind));
  return Call(ts, reader, of);
}

Result<> source_get_resource_reader(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckName(ts, args.self<FileLoaderObject>(), args[1]));
  return ResourceReader(ts, "FileReader", args[0]);
}

Result<> namespace_get_resource_reader(ThreadState& ts, Args args) {
  return ResourceReader(ts, "NamespaceReader", args.self<FileLoaderObject>()->path);
}

std::string_view BaseName(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

Result<> source_is_package(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * path, PathOf(ts, args[0]));
  MVM_TRY(StrObject * name, ExpectStr(ts, args[1], "module name"));
  std::string file = ToUtf8(path), full = ToUtf8(name);
  std::string_view base = BaseName(file);
  base = base.substr(0, base.rfind('.'));
  std::string_view tail = full;
  if (size_t dot = tail.rfind('.'); dot != tail.npos) tail = tail.substr(dot + 1);
  return Bool(ts, base == "__init__" && tail != "__init__");
}

Result<> source_get_data(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * path, ExpectStr(ts, args[1], "path"));
  std::string bytes;
  MVM_TRY_VOID(ReadFileBytes(ts, path, &bytes));
  return NewBytes(ts, bytes);
}

Result<> source_set_data(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * path, ExpectStr(ts, args[1], "path"));
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, args[2]));
  std::string os;
  MVM_TRY_VOID(ToOsString(ts, path, &os));
  int fd = ::open(os.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return RaiseErrno(ts, errno, path);
  std::string_view rest = data.view();
  while (!rest.empty()) {
    ssize_t n = ::write(fd, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      int error = errno;
      ::close(fd);
      return RaiseErrno(ts, error, path);
    }
    rest.remove_prefix(static_cast<size_t>(n));
  }
  ::close(fd);
  return None(ts);
}

Result<> source_path_stats(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * path, ExpectStr(ts, args[1], "path"));
  std::string os;
  MVM_TRY_VOID(ToOsString(ts, path, &os));
  struct stat st;
  if (::stat(os.c_str(), &st) != 0) return RaiseErrno(ts, errno, path);
  MVM_TRY(Ref<DictObject> d, NewDict(ts));
  MVM_TRY(Ref<> mtime, NewFloat(ts, static_cast<double>(st.st_mtim.tv_sec) +
                                        1e-9 * static_cast<double>(st.st_mtim.tv_nsec)));
  MVM_TRY(Ref<> size, NewInt(ts, st.st_size));
  MVM_TRY_VOID(DictSetUtf8(ts, d, "mtime", mtime));
  MVM_TRY_VOID(DictSetUtf8(ts, d, "size", size));
  return d;
}
Result<> source_path_mtime(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> stats, source_path_stats(ts, args));
  MVM_TRY(Ref<StrObject> key, NewStr(ts, "mtime"));
  return GetItem(ts, stats, key);
}

Result<> source_to_code(ThreadState& ts, Args args) {
  // source_to_code(self, data, path, *, _optimize=-1)
  CompileOptions options;
  MVM_TRY(int64_t optimize, AsInt64(ts, args[3]));
  options.optimize = optimize < 0 ? ts.rt->optimize : static_cast<int>(optimize);
  Ref<StrObject> path;
  if (IsStr(ts, args[2])) {
    path = Ref<StrObject>::Borrow(args.as<StrObject>(2));
  } else {
    MVM_TRY(path, ToStr(ts, args[2]));
  }
  if (IsStr(ts, args[1])) {
    std::string text = ToUtf8(args.as<StrObject>(1));
    return CompileSource(ts, text, path, options);
  }
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, args[1]));
  std::string copy(data.view());
  return CompileBytes(ts, copy, path, options);
}

Result<> source_get_code(ThreadState& ts, Args args) {
  Value self = args[0];
  // Subclasses may have their own idea of where the source is, and of what it means.
  if (!IsExactSpec(ts, self, kSourceFileLoaderType)) {
    MVM_TRY(Ref<StrObject> get_filename, InternUtf8(ts, "get_filename"));
    MVM_TRY(Ref<StrObject> get_data, InternUtf8(ts, "get_data"));
    MVM_TRY(Ref<StrObject> to_code, InternUtf8(ts, "source_to_code"));
    MVM_TRY(Ref<> path, CallMethod(ts, self, get_filename, args[1]));
    MVM_TRY(Ref<> data, CallMethod(ts, self, get_data, path));
    Value pair[] = {data.get(), path.get()};
    return CallMethod(ts, self, to_code, pair);
  }
  MVM_TRY_VOID(CheckName(ts, args.self<FileLoaderObject>(), args[1]));
  MVM_TRY(StrObject * path, PathOf(ts, self));
  return SourceCode(ts, path);
}

Result<> source_get_source(ThreadState& ts, Args args) {
  MVM_TRY(Ref<StrObject> get_data, InternUtf8(ts, "get_data"));
  MVM_TRY(Ref<StrObject> get_filename, InternUtf8(ts, "get_filename"));
  MVM_TRY(Ref<> path, CallMethod(ts, args[0], get_filename, args[1]));
  Result<> data = CallMethod(ts, args[0], get_data, path);
  if (data.raised()) {
    if (!PendingIs(ts, Exc::kOSError)) return kRaised;
    Ref<> cause = TakePending(ts);
    MVM_TRY(StrObject * name, ExpectStr(ts, args[1], "module name"));
    return RaiseImportError(ts, Exc::kImportError, name, Value(),
                            "source not available through get_data()");
  }
  Ref<> bytes = data.Take();
  MVM_TRY(Ref<> util, ts.rt->hooks.import_module(ts, "importlib.util"));
  MVM_TRY(Ref<StrObject> decode, InternUtf8(ts, "decode_source"));
  return CallMethod(ts, util, decode, bytes);
}

Result<> loader_exec_module(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> name, GetAttr(ts, args[1], MVM_NAME(ts, __name__)));
  MVM_TRY(Ref<StrObject> get_code, InternUtf8(ts, "get_code"));
  MVM_TRY(Ref<> code, CallMethod(ts, args[0], get_code, name));
  if (!IsExact(code, TypeId::kCode)) {
    return RaiseImportError(ts, Exc::kImportError, nullptr, Value(),
                            "cannot load module %R when get_code() returns None", name.get());
  }
  MVM_TRY_VOID(ExecCode(ts, code.as<CodeObject>(), args[1]));
  return None(ts);
}

Result<> loader_load_module(ThreadState& ts, Args args) {
  Value name = args[1];
  if (IsNone(ts, name)) name = args.self<FileLoaderObject>()->name;
  MVM_TRY_VOID(CheckName(ts, args.self<FileLoaderObject>(), name));
  MVM_TRY(Ref<> util, ts.rt->hooks.import_module(ts, "importlib.util"));
  MVM_TRY(Ref<StrObject> from_loader, InternUtf8(ts, "spec_from_loader"));
  Value pair[] = {name, args[0]};
  MVM_TRY(Ref<> spec, CallMethod(ts, util, from_loader, pair));
  return LoadFromSpec(ts, spec);
}

Result<> return_none(ThreadState& ts, Args args) { return None(ts); }
Result<> return_true(ThreadState& ts, Args args) { return Bool(ts, true); }
Result<> namespace_get_source(ThreadState& ts, Args args) { return EmptyStr(ts); }
Result<> namespace_get_code(ThreadState& ts, Args args) {
  MVM_TRY(Ref<StrObject> filename, NewStr(ts, "<string>"));
  return CompileSource(ts, "", filename, {});
}

Result<> loader_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if ((op != CompareOp::kEq && op != CompareOp::kNe) || TypeOf(ts, a) != TypeOf(ts, b))
    return NotImplemented(ts);
  FileLoaderObject *x = a.as<FileLoaderObject>(), *y = b.as<FileLoaderObject>();
  bool equal = a.is(b);
  if (!equal && !x->name.is_null() && !y->name.is_null()) {
    MVM_TRY(equal, EqualValues(ts, x->name, y->name));
    if (equal) {
      MVM_TRY(equal, EqualValues(ts, x->path, y->path));
    }
  }
  return Bool(ts, equal == (op == CompareOp::kEq));
}
Result<int64_t> loader_hash(ThreadState& ts, Value self) {
  FileLoaderObject* l = self.as<FileLoaderObject>();
  MVM_TRY(int64_t a, Hash(ts, l->name.is_null() ? Value(ts.rt->none) : l->name));
  MVM_TRY(int64_t b, Hash(ts, l->path.is_null() ? Value(ts.rt->none) : l->path));
  int64_t h = a ^ b;
  return h == -1 ? -2 : h;
}
Result<> loader_repr(ThreadState& ts, Value self) {
  return Format(ts, "<%N object at 0x%lx>", TypeOf(ts, self),
                static_cast<unsigned long>(self.bits()));
}

template <Value FileLoaderObject::*kField>
Result<> GetField(ThreadState& ts, Value self) {
  Value v = self.as<FileLoaderObject>()->*kField;
  return v.is_null() ? None(ts) : Result<>::Borrow(v);
}
template <Value FileLoaderObject::*kField>
Status SetField(ThreadState& ts, Value self, Value v) {
  Value now = v.is_null() ? Value() : Ref<>::Borrow(v).Release();
  Decref(std::exchange(self.as<FileLoaderObject>()->*kField, now));
  return Ok();
}

const MethodSpec kSourceMethods[] = {
    {"create_module(self, spec)", return_none, "None: the default way to make a module will do."},
    {"exec_module(self, module)", loader_exec_module, "Runs the code of get_code() in the module."},
    {"get_code(self, fullname)", source_get_code, "The compiled source file."},
    {"get_data(self, path)", source_get_data, "The bytes of a file."},
    {"get_filename(self, name=None)", loader_get_filename,
     "The path of the source file; ImportError for the name of another module."},
    {"get_resource_reader(self, name=None)", source_get_resource_reader,
     "What reads the files that lie beside the module."},
    {"get_source(self, fullname)", source_get_source,
     "The text of the source file, decoded by its own declaration."},
    {"is_package(self, fullname)", source_is_package, "Whether the file is a package's __init__."},
    {"load_module(self, name=None)", loader_load_module,
     "The module, entered in sys.modules and run; exec_module() is the newer way."},
    {"path_mtime(self, path)", source_path_mtime},
    {"path_stats(self, path)", source_path_stats,
     "{'mtime': seconds, 'size': bytes} of a file; OSError where it is missing."},
    {"set_data(self, path, data, *, _mode=438)", source_set_data, "Writes a file."},
    {"source_to_code(self, data, path, *, _optimize=-1)", source_to_code,
     "The code that the source compiles to."},
};
const MethodSpec kNamespaceLoaderMethods[] = {
    {"create_module(self, spec)", return_none, "None: the default way to make a module will do."},
    {"exec_module(self, module)", return_none},
    {"get_code(self, fullname)", namespace_get_code},
    {"get_resource_reader(self, module)", namespace_get_resource_reader},
    {"get_source(self, fullname)", namespace_get_source},
    {"is_package(self, fullname)", return_true},
};
const GetSetSpec kSourceGetSets[] = {
    {"name", GetField<&FileLoaderObject::name>, SetField<&FileLoaderObject::name>},
    {"path", GetField<&FileLoaderObject::path>, SetField<&FileLoaderObject::path>},
};
const GetSetSpec kNamespaceGetSets[] = {
    {"_path", GetField<&FileLoaderObject::path>, SetField<&FileLoaderObject::path>},
};

Result<> NewLoader(ThreadState& ts, TypeObject* cls, Args) { return AllocInstance(ts, cls); }

}  // namespace

const TypeSpec kSourceFileLoaderType = {
    .name = "_frozen_importlib_external.SourceFileLoader",
    .doc = "Loads a module from its source file.",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(FileLoaderObject),
    .gc = GcHooksOf<FileLoaderObject>(),
    .slots = {.repr = loader_repr,
              .hash = loader_hash,
              .compare = loader_compare,
              .new_ = NewLoader},
    .init = {"__init__(self, fullname, path)", loader_init},
    .methods = kSourceMethods,
    .getsets = kSourceGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = offsetof(FileLoaderObject, dict),
};
const TypeSpec kNamespaceLoaderType = {
    .name = "_frozen_importlib_external.NamespaceLoader",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(FileLoaderObject),
    .gc = GcHooksOf<FileLoaderObject>(),
    .slots = {.repr = loader_repr, .new_ = NewLoader},
    .init = {"__init__(self, name, path, path_finder=None)", loader_init},
    .methods = kNamespaceLoaderMethods,
    .getsets = kNamespaceGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = offsetof(FileLoaderObject, dict),
};

}  // namespace minivm

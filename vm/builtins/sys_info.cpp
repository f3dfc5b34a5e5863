// The facts in sys: versions, number formats, flags, names of modules.
#include <gnu/libc-version.h>

#include <cfloat>

#include "minivm/version.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/namespace_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/struct_sequence.h"
#include "runtime/protocol/protocol.h"
#include "vm/builtins/sys_module.h"
#include "vm/builtins/sys_monitoring.h"
#include "vm/import/embedded_modules.h"

namespace minivm {

namespace {

const GetSetSpec kFlagsFields[] = {
    {"debug", StructItem<0>, nullptr, "-d"},
    {"inspect", StructItem<1>, nullptr, "-i"},
    {"interactive", StructItem<2>, nullptr, "-i"},
    {"optimize", StructItem<3>, nullptr, "-O or -OO"},
    {"dont_write_bytecode", StructItem<4>, nullptr, "-B"},
    {"no_user_site", StructItem<5>, nullptr, "-s"},
    {"no_site", StructItem<6>, nullptr, "-S"},
    {"ignore_environment", StructItem<7>, nullptr, "-E"},
    {"verbose", StructItem<8>, nullptr, "-v"},
    {"bytes_warning", StructItem<9>, nullptr, "-b"},
    {"quiet", StructItem<10>, nullptr, "-q"},
    {"hash_randomization", StructItem<11>, nullptr, "-R"},
    {"isolated", StructItem<12>, nullptr, "-I"},
    {"dev_mode", StructItem<13>, nullptr, "-X dev"},
    {"utf8_mode", StructItem<14>, nullptr, "-X utf8"},
    {"warn_default_encoding", StructItem<15>, nullptr, "-X warn_default_encoding"},
    {"safe_path", StructItem<16>, nullptr, "-P"},
    {"int_max_str_digits", StructItem<17>, nullptr, "-X int_max_str_digits"},
};
const StructSequenceSpec kFlags = {
    StructSequenceTypeSpec("sys.flags", kFlagsFields,
                           "The options that the program was started with."),
    18, 18};

const GetSetSpec kVersionInfoFields[] = {
    {"major", StructItem<0>, nullptr, "The first number of the version."},
    {"minor", StructItem<1>, nullptr, "The second number of the version."},
    {"micro", StructItem<2>, nullptr, "The third number of the version."},
    {"releaselevel", StructItem<3>, nullptr,
     "'final', or what came before that: 'candidate', 'beta', 'alpha'."},
    {"serial", StructItem<4>, nullptr, "Counts the candidates, betas and alphas."},
};
const StructSequenceSpec kVersionInfo = {
    StructSequenceTypeSpec("sys.version_info", kVersionInfoFields,
                           "The version of the language, to be compared with tuples of integers."),
    5, 5};

const GetSetSpec kFloatInfoFields[] = {
    {"max", StructItem<0>, nullptr, "The greatest float that is not infinite."},
    {"max_exp", StructItem<1>, nullptr, "One more than the exponent of max, to the base radix."},
    {"max_10_exp", StructItem<2>, nullptr,
     "The greatest power of ten that is not infinite, as its exponent."},
    {"min", StructItem<3>, nullptr, "The least positive float of full precision."},
    {"min_exp", StructItem<4>, nullptr, "One more than the exponent of min, to the base radix."},
    {"min_10_exp", StructItem<5>, nullptr,
     "The least power of ten of full precision, as its exponent."},
    {"dig", StructItem<6>, nullptr,
     "So many decimal digits always survive the way to a float and back."},
    {"mant_dig", StructItem<7>, nullptr, "Digits of the mantissa, to the base radix."},
    {"epsilon", StructItem<8>, nullptr, "The step from 1.0 to its upper neighbour."},
    {"radix", StructItem<9>, nullptr, "The base of the exponent, 2."},
    {"rounds", StructItem<10>, nullptr, "How results are rounded; 1 is to the nearest."},
};
const StructSequenceSpec kFloatInfo = {
    StructSequenceTypeSpec("sys.float_info", kFloatInfoFields,
                           "What a float can hold: IEEE 754, 64 bits."),
    11, 11};

const GetSetSpec kIntInfoFields[] = {
    {"bits_per_digit", StructItem<0>, nullptr, "Bits of an integer that are stored together."},
    {"sizeof_digit", StructItem<1>, nullptr, "Bytes for so many bits."},
    {"default_max_str_digits", StructItem<2>, nullptr,
     "The digit limit of int() and str() at the start."},
    {"str_digits_check_threshold", StructItem<3>, nullptr,
     "The lowest digit limit that may be set, but for 0."},
};
const StructSequenceSpec kIntInfo = {
    StructSequenceTypeSpec("sys.int_info", kIntInfoFields,
                           "How integers are stored, and the limits on their texts."),
    4, 4};

const GetSetSpec kHashInfoFields[] = {
    {"width", StructItem<0>, nullptr, "Bits of a hash value."},
    {"modulus", StructItem<1>, nullptr, "The prime that hashes of numbers are reduced by."},
    {"inf", StructItem<2>, nullptr, "The hash of infinity."},
    {"nan", StructItem<3>, nullptr, "Unused: the hash of a nan is that of the object."},
    {"imag", StructItem<4>, nullptr,
     "The factor for imaginary parts in hashes of complex numbers."},
    {"algorithm", StructItem<5>, nullptr, "How str and bytes are hashed."},
    {"hash_bits", StructItem<6>, nullptr, "Bits that the algorithm gives."},
    {"seed_bits", StructItem<7>, nullptr, "Bits of its key."},
    {"cutoff", StructItem<8>, nullptr,
     "Strings below this length are hashed otherwise; 0 for none."},
};
const StructSequenceSpec kHashInfo = {
    StructSequenceTypeSpec("sys.hash_info", kHashInfoFields, "How hash() works."), 9, 9};

const GetSetSpec kThreadInfoFields[] = {
    {"name", StructItem<0>, nullptr, "The kind of threads."},
    {"lock", StructItem<1>, nullptr, "What locks are made of."},
    {"version", StructItem<2>, nullptr, "The library of threads with its version, or None."},
};
const StructSequenceSpec kThreadInfo = {
    StructSequenceTypeSpec("sys.thread_info", kThreadInfoFields, "How threads are made."), 3, 3};

Value TakeInt(int64_t i) { return Value::Int(i); }
Value TakeFloat(ThreadState& ts, double d) { return NewFloat(ts, d).word(); }
Value TakeStr(ThreadState& ts, std::string_view s) { return Value(NewStr(ts, s).word()); }
Value TakeBool(ThreadState& ts, bool b) { return Bool(ts, b).word(); }

Status AddStr(ThreadState& ts, ModuleObject* sys, const char* name, std::string_view text) {
  MVM_TRY(Ref<StrObject> s, NewStrFromOs(ts, text));
  return ModuleAdd(ts, sys, name, s);
}

Status AddList(ThreadState& ts, ModuleObject* sys, const char* name,
               const std::vector<std::string>& items) {
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, items.size()));
  for (const std::string& s : items) {
    MVM_TRY(Ref<StrObject> text, NewStrFromOs(ts, s));
    MVM_TRY_VOID(ListAppend(ts, list, text));
  }
  return ModuleAdd(ts, sys, name, list);
}

// Names that are not among NativeModules().
constexpr const char* kCoreModules[] = {"_frozen_importlib", "_imp", "builtins", "sys"};

Result<> BuiltinModuleNames(ThreadState& ts) {
  MVM_TRY(Ref<ListObject> names, NewList(ts, {}));
  auto add = [&](const char* name) -> Status {
    MVM_TRY(Ref<StrObject> s, InternUtf8(ts, name));
    return ListAppend(ts, names, s);
  };
  for (const ModuleSpec* m : NativeModules()) MVM_TRY_VOID(add(m->name));
  for (const char* name : kCoreModules) MVM_TRY_VOID(add(name));
  MVM_TRY_VOID(ListSort(ts, names, Value(), false));
  return NewTuple(ts, {names->items, static_cast<size_t>(names->size)});
}

Result<> StdlibModuleNames(ThreadState& ts) {
  MVM_TRY(Ref<SetObject> all, NewSet(ts));
  auto add = [&](std::string_view name) -> Status {
    MVM_TRY(Ref<StrObject> s, InternUtf8(ts, name));
    MVM_TRY_VOID(SetAdd(ts, all, s));
    return Ok();
  };
  for (const ModuleSpec* m : NativeModules()) MVM_TRY_VOID(add(m->name));
  for (const char* name : kCoreModules) MVM_TRY_VOID(add(name));
  for (const EmbeddedModule& m : EmbeddedModules()) {
    std::string_view name = m.name;
    if (name.find('.') == name.npos) MVM_TRY_VOID(add(name));
  }
  return NewFrozenset(ts, all);
}

// -X name=value, -X name
Status AddXOptions(ThreadState& ts, ModuleObject* sys, const std::vector<std::string>& options) {
  MVM_TRY(Ref<DictObject> d, NewDict(ts));
  for (const std::string& option : options) {
    size_t equals = option.find('=');
    MVM_TRY(Ref<StrObject> key, NewStrFromOs(ts, std::string_view(option).substr(0, equals)));
    Ref<> value = Ref<>::Borrow(ts.rt->true_);
    if (equals != option.npos) {
      MVM_TRY(value, Result<>(NewStrFromOs(ts, std::string_view(option).substr(equals + 1))));
    }
    MVM_TRY_VOID(DictSet(ts, d, key, value));
  }
  return ModuleAdd(ts, sys, "_xoptions", d);
}

std::string DirectoryAbove(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == path.npos) return "";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status AddFlags(ThreadState& ts, ModuleObject* sys, const SysConfig& c) {
  Value flags[] = {TakeInt(c.debug),
                   TakeInt(c.inspect),
                   TakeInt(c.interactive),
                   TakeInt(c.optimize),
                   TakeInt(c.dont_write_bytecode),
                   TakeInt(c.no_user_site),
                   TakeInt(c.no_site),
                   TakeInt(c.ignore_environment),
                   TakeInt(c.verbose),
                   TakeInt(c.bytes_warning),
                   TakeInt(c.quiet),
                   TakeInt(c.hash_randomization),
                   TakeInt(c.isolated),
                   TakeBool(ts, c.dev_mode),
                   TakeInt(c.utf8_mode),
                   TakeInt(c.warn_default_encoding),
                   TakeBool(ts, c.safe_path),
                   TakeInt(ts.rt->int_max_str_digits)};
  MVM_TRY(Ref<TupleObject> t, NewStructSequenceSteal(ts, kFlags, flags));
  return ModuleAdd(ts, sys, "flags", t);
}

Result<> VersionInfo(ThreadState& ts) {
  Value version[] = {TakeInt(3), TakeInt(13), TakeInt(0), TakeStr(ts, "final"), TakeInt(0)};
  return NewStructSequenceSteal(ts, kVersionInfo, version);
}

Result<> FloatInfo(ThreadState& ts) {
  Value floats[] = {TakeFloat(ts, DBL_MAX),
                    TakeInt(DBL_MAX_EXP),
                    TakeInt(DBL_MAX_10_EXP),
                    TakeFloat(ts, DBL_MIN),
                    TakeInt(DBL_MIN_EXP),
                    TakeInt(DBL_MIN_10_EXP),
                    TakeInt(DBL_DIG),
                    TakeInt(DBL_MANT_DIG),
                    TakeFloat(ts, DBL_EPSILON),
                    TakeInt(FLT_RADIX),
                    TakeInt(1)};
  return NewStructSequenceSteal(ts, kFloatInfo, floats);
}

Result<> IntInfo(ThreadState& ts) {
  Value ints[] = {TakeInt(64), TakeInt(8), TakeInt(4300), TakeInt(640)};
  return NewStructSequenceSteal(ts, kIntInfo, ints);
}

Result<> HashInfo(ThreadState& ts) {
  Value hashes[] = {TakeInt(64),      NewInt(ts, (int64_t{1} << 61) - 1).word(),
                    TakeInt(314159),  TakeInt(0),
                    TakeInt(1000003), TakeStr(ts, "siphash13"),
                    TakeInt(64),      TakeInt(128),
                    TakeInt(0)};
  return NewStructSequenceSteal(ts, kHashInfo, hashes);
}

Result<> ThreadInfo(ThreadState& ts) {
  Value threads[] = {TakeStr(ts, "pthread"), TakeStr(ts, "semaphore"),
                     TakeStr(ts, std::string("NPTL ") + gnu_get_libc_version())};
  return NewStructSequenceSteal(ts, kThreadInfo, threads);
}

Result<> Implementation(ThreadState& ts) {
  MVM_TRY(Ref<DictObject> d, NewDict(ts));
  MVM_TRY(Ref<StrObject> name, NewStr(ts, "minivm"));
  MVM_TRY_VOID(DictSetUtf8(ts, d, "name", name));
  MVM_TRY(Ref<StrObject> tag, NewStr(ts, "minivm-01"));
  MVM_TRY_VOID(DictSetUtf8(ts, d, "cache_tag", tag));
  MVM_TRY(Ref<> version, GetAttr(ts, Value(ts.rt->sys), "version_info"));
  MVM_TRY_VOID(DictSetUtf8(ts, d, "version", version));
  MVM_TRY_VOID(DictSetUtf8(ts, d, "hexversion", Value::Int(0x030d00f0)));
#if defined(__x86_64__)
  MVM_TRY(Ref<StrObject> arch, NewStr(ts, "x86_64-linux-gnu"));
#elif defined(__aarch64__)
  MVM_TRY(Ref<StrObject> arch, NewStr(ts, "aarch64-linux-gnu"));
#else
  MVM_TRY(Ref<StrObject> arch, NewStr(ts, "unknown"));
#endif
  MVM_TRY_VOID(DictSetUtf8(ts, d, "_multiarch", arch));
  return NewSimpleNamespace(ts, d);
}

Result<> GitInfo(ThreadState& ts) {
  MVM_TRY(Ref<StrObject> project, NewStr(ts, "minivm"));
  const Value git[] = {project, ts.rt->empty_str, ts.rt->empty_str};
  return NewTuple(ts, git);
}

}  // namespace

const LateSpec kLateSysInfo[kLateSysInfoCount] = {
    {"_git", GitInfo},
    {"builtin_module_names", BuiltinModuleNames},
    {"float_info", FloatInfo},
    {"hash_info", HashInfo},
    {"implementation", Implementation},
    {"int_info", IntInfo},
    {"monitoring", MakeMonitoring},
    {"stdlib_module_names", StdlibModuleNames},
    {"thread_info", ThreadInfo},
    {"version_info", VersionInfo},
};

Status AddSysInfo(ThreadState& ts, ModuleObject* sys, const SysConfig& c) {
  MVM_TRY_VOID(AddFlags(ts, sys, c));
  MVM_TRY_VOID(AddXOptions(ts, sys, c.x_options));
  MVM_TRY_VOID(AddList(ts, sys, "argv", c.argv));
  MVM_TRY_VOID(AddList(ts, sys, "orig_argv", c.orig_argv.empty() ? c.argv : c.orig_argv));
  MVM_TRY_VOID(AddList(ts, sys, "path", c.path));
  MVM_TRY_VOID(AddList(ts, sys, "warnoptions", c.warn_options));
  MVM_TRY_VOID(AddStr(ts, sys, "executable", c.executable));
  MVM_TRY_VOID(AddStr(ts, sys, "_base_executable", c.executable));
  std::string prefix = DirectoryAbove(DirectoryAbove(c.executable));
  for (const char* name : {"prefix", "exec_prefix", "base_prefix", "base_exec_prefix"}) {
    MVM_TRY_VOID(AddStr(ts, sys, name, prefix));
  }
  struct Text {
    const char* name;
    const char* text;
  };
  const Text kTexts[] = {
      {"version",
       MINIVM_LANGUAGE_VERSION " (minivm " MINIVM_VERSION ", " __DATE__ ") [GCC-compatible C++]"},
      {"copyright", "Copyright (c) the minivm authors."},
      {"platform", "linux"},
      {"byteorder", __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "little" : "big"},
      {"platlibdir", "lib"},
      {"abiflags", ""},
      {"float_repr_style", "short"},
      {"_framework", ""},
  };
  for (const Text& t : kTexts) MVM_TRY_VOID(AddStr(ts, sys, t.name, t.text));
  MVM_TRY_VOID(ModuleAdd(ts, sys, "hexversion", Value::Int(0x030d00f0)));
  MVM_TRY_VOID(ModuleAdd(ts, sys, "api_version", Value::Int(1013)));
  MVM_TRY_VOID(ModuleAdd(ts, sys, "maxunicode", Value::Int(0x10FFFF)));
  MVM_TRY(Ref<> maxsize, NewInt(ts, INT64_MAX));
  MVM_TRY_VOID(ModuleAdd(ts, sys, "maxsize", maxsize));
  MVM_TRY_VOID(ModuleAdd(ts, sys, "dont_write_bytecode", ts.rt->true_));
  for (const char* name : {"pycache_prefix", "_home", "_stdlib_dir"}) {
    MVM_TRY_VOID(ModuleAdd(ts, sys, name, ts.rt->none));
  }
  return Ok();
}

}  // namespace minivm

// What a host chooses for its VM: limits, output, modules.
#include <gtest/gtest.h>

#include <string>

#include "minivm/minivm.h"

namespace minivm {
namespace {

std::unique_ptr<Vm> NewVm(VmConfig config) {
  config.streams.descriptors = false;
  ScriptError error;
  std::unique_ptr<Vm> vm = Vm::Create(config, &error);
  EXPECT_TRUE(vm) << error.traceback;
  return vm;
}

// ---- streams ----

TEST(VmConfigTest, OutputGoesToTheHost) {
  std::string out, err;
  VmConfig config;
  config.streams.write_out = [&](std::string_view text) { out += text; };
  config.streams.write_error = [&](std::string_view text) { err += text; };
  std::unique_ptr<Vm> vm = NewVm(config);
  ScriptError error;
  ASSERT_TRUE(
      vm->Run("import sys\nprint('gr\\u00fcn', 1)\nprint('bad', file=sys.stderr)\n"
              "n = sys.stdout.write('\\udc80')",
              "a.src", &error))
      << error.traceback;
  EXPECT_EQ(out, "gr\xC3\xBCn 1\n\\udc80");
  EXPECT_EQ(err, "bad\n");
  EXPECT_EQ(vm->Get("n").ToInt(), 1);
  EXPECT_FALSE(vm->Run("1 / 0", "b.src"));
  EXPECT_EQ(vm->ReportError(), 1);
  EXPECT_NE(err.find("ZeroDivisionError"), err.npos);
}

TEST(VmConfigTest, OneStreamAlone) {
  std::string out;
  VmConfig config;
  config.streams.write_out = [&](std::string_view text) { out += text; };
  std::unique_ptr<Vm> vm = NewVm(config);
  EXPECT_TRUE(vm->Run("import sys\nprint(sys.stderr, sys.__stdout__ is sys.stdout)", "a.src"));
  EXPECT_EQ(out, "None True\n");
}

// ---- modules ----

TEST(VmConfigTest, ModulesAreTheHostsChoice) {
  VmConfig config;
  config.modules.allow = [](std::string_view name) {
    return name != "socket" && name != "_socket" && name != "subprocess";
  };
  config.modules.find = [](std::string_view name, std::string* source) {
    if (name != "settings") return false;
    *source = "colour = 'red'\ndef fail(): raise KeyError(1)\n";
    return true;
  };
  std::unique_ptr<Vm> vm = NewVm(config);
  ScriptError error;
  EXPECT_TRUE(vm->Run("import settings, json\nc = settings.colour", "a.src", &error))
      << error.traceback;
  EXPECT_EQ(vm->Get("c").ToString(), "red");
  for (const char* name : {"socket", "subprocess"}) {
    EXPECT_FALSE(vm->Import(name, &error));
    EXPECT_EQ(error.type, "ModuleNotFoundError");
    EXPECT_EQ(error.message, std::string("No module named '") + name + "'");
  }
  EXPECT_FALSE(vm->Run("settings.fail()", "b.src", &error));
  EXPECT_NE(error.traceback.find("<host:settings>"), std::string::npos) << error.traceback;
  // Another VM is asked nothing.
  EXPECT_TRUE(NewVm({})->Import("socket"));
}

TEST(VmConfigTest, LimitsAndFlagsAreApart) {
  VmConfig config;
  config.limits.memory = 32 << 20;
  config.flags.optimize = 1;
  config.flags.warn_default_encoding = true;
  std::unique_ptr<Vm> vm = NewVm(config);
  ScriptError error;
  EXPECT_TRUE(
      vm->Run("assert False\nimport sys\nf = sys.flags\n"
              "both = f.optimize, f.warn_default_encoding",
              "a.src", &error))
      << error.traceback;
  EXPECT_EQ(vm->Get("both").Repr(), "(1, 1)");
  EXPECT_FALSE(vm->Run("x = bytes(64 << 20)", "b.src", &error));
  EXPECT_EQ(error.type, "MemoryError");
}

}  // namespace
}  // namespace minivm

// Signature texts and the wording of errors.
#include "runtime/native/signature.h"

#include <gtest/gtest.h>

#include <vector>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "tests/support/test_vm.h"

namespace minivm {
namespace {

Result<> Unused(ThreadState& ts, Args) { return None(ts); }

class SignatureTest : public testing::Test {
 protected:
  // Binds n ints 1..n and the keywords (each with value 9) to the text; the bound vector's repr, or
  // the error.
  std::string Bind(const char* text, uint32_t n, std::vector<const char*> keywords = {},
                   const char* owner = nullptr) {
    ThreadState& ts = vm_.ts();
    specs_.push_back(new MethodSpec{text, Unused});
    Result<const Signature*> parsed = SignatureOf(ts, *specs_.back(), owner);
    if (parsed.raised()) return vm_.TakeError();
    const Signature* sig = parsed.Take();
    std::vector<Value> raw;
    for (uint32_t i = 0; i < n; ++i) raw.push_back(Value::Int(i + 1));
    std::vector<Value> names;
    std::vector<Ref<StrObject>> keep;
    for (const char* k : keywords) {
      raw.push_back(Value::Int(9));
      keep.push_back(InternUtf8(ts, k));
      names.push_back(keep.back());
    }
    Ref<TupleObject> tuple;
    if (!names.empty()) {
      tuple = NewTuple(ts, names);
      raw.push_back(tuple);
    }
    Value out[128];
    Ref<> owned[2];
    Status status =
        BindNative(ts, *sig, {raw.data(), n, static_cast<uint32_t>(keywords.size())}, out, owned);
    if (status.raised()) return vm_.TakeError();
    std::string text_out;
    for (int i = 0; i < sig->count; ++i) {
      text_out += (i ? " " : "") + (out[i].is_absent() ? std::string("-") : vm_.Repr(out[i]));
    }
    return text_out;
  }
  ~SignatureTest() override {
    for (MethodSpec* spec : specs_) delete spec;
  }

  TestVm vm_;
  std::vector<MethodSpec*> specs_;
};

TEST_F(SignatureTest, Defaults) {
  EXPECT_EQ(Bind("f(a, b=None, c=True, d=-5, e=2.5, f='x, y', g=(), h=sys.maxsize, /)", 1),
            "1 None True -5 2.5 'x, y' () -");
  EXPECT_EQ(Bind("f(self, a, *, b=1)", 2, {"b"}), "1 2 9");
  EXPECT_EQ(Bind("f(*args, sep=' ', **kw)", 3, {"z", "sep"}), "(1, 2, 3) 9 {'z': 9}");
  EXPECT_EQ(Bind("f(*args, sep=' ', **kw)", 0), "() ' ' -");
}

TEST_F(SignatureTest, ShortForms) {
  EXPECT_EQ(Bind("len(obj, /)", 0, {}, "builtins"),
            "TypeError: len() takes exactly one argument (0 given)");
  EXPECT_EQ(Bind("sqrt(x, /)", 2, {}, "math"),
            "TypeError: math.sqrt() takes exactly one argument (2 given)");
  EXPECT_EQ(Bind("append(self, object, /)", 3, {}, "list"),
            "TypeError: list.append() takes exactly one argument (2 given)");
  EXPECT_EQ(Bind("clear(self, /)", 2, {}, "list"),
            "TypeError: list.clear() takes no arguments (1 given)");
  EXPECT_EQ(Bind("clear(self, /)", 1, {"x"}, "list"),
            "TypeError: list.clear() takes no keyword arguments");
  EXPECT_EQ(Bind("pop(self, index=-1, /)", 3), "TypeError: pop expected at most 1 argument, got 2");
  EXPECT_EQ(Bind("insert(self, index, object, /)", 2),
            "TypeError: insert expected 2 arguments, got 1");
  EXPECT_EQ(Bind("get(self, key, default=None, /)", 1),
            "TypeError: get expected at least 1 argument, got 0");
}

TEST_F(SignatureTest, LongForms) {
  EXPECT_EQ(Bind("split(self, /, sep=None, maxsplit=-1)", 4),
            "TypeError: split() takes at most 2 arguments (3 given)");
  EXPECT_EQ(Bind("split(self, /, sep=None, maxsplit=-1)", 1, {"foo"}),
            "TypeError: split() got an unexpected keyword argument 'foo'");
  EXPECT_EQ(Bind("split(self, /, sep=None, maxsplit=-1)", 2, {"sep"}),
            "TypeError: argument for split() given by name ('sep') and position (1)");
  EXPECT_EQ(Bind("sort(self, /, *, key=None, reverse=False)", 2),
            "TypeError: sort() takes no positional arguments");
  EXPECT_EQ(Bind("replace(self, old, new, /, count=-1)", 2),
            "TypeError: replace() takes at least 2 positional arguments (1 given)");
  EXPECT_EQ(Bind("prod(iterable, /, *, start=1)", 0),
            "TypeError: prod() takes exactly 1 positional argument (0 given)");
  EXPECT_EQ(Bind("isclose(a, b, *, rel_tol=1e-9, abs_tol=0.0)", 1),
            "TypeError: isclose() missing required argument 'b' (pos 2)");
  EXPECT_EQ(Bind("isclose(a, b, *, rel_tol=1e-9, abs_tol=0.0)", 3),
            "TypeError: isclose() takes exactly 2 positional arguments (3 given)");
  EXPECT_EQ(Bind("from_bytes(cls, /, bytes, byteorder='big', *, signed=False)", 4),
            "TypeError: from_bytes() takes at most 2 positional arguments (3 given)");
  EXPECT_EQ(Bind("zip(*iterables, strict=False)", 0, {"foo"}),
            "TypeError: zip() got an unexpected keyword argument 'foo'");
}

}  // namespace
}  // namespace minivm

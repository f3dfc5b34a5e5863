// Shapes: transitions, lookup, limits, extras.
#include "runtime/core/shape.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/core/thread_state.h"
#include "runtime/objects/str_object.h"
#include "tests/support/test_vm.h"

namespace minivm {
namespace {

class ShapeTest : public testing::Test {
 protected:
  StrObject* Name(int i) {
    keep_.push_back(InternUtf8(vm_.ts(), "attribute" + std::to_string(i)));
    return keep_.back();
  }
  Shape* Root() {
    return Shape::NewRoot(vm_.rt(), TypeById(vm_.ts(), TypeId::kObject), sizeof(Object), 4, false);
  }
  TestVm vm_;
  std::vector<Ref<StrObject>> keep_;
};

TEST_F(ShapeTest, SameOrderSameShape) {
  Shape* root = Root();
  StrObject* a = Name(1);
  StrObject* b = Name(2);
  Shape* ab = root->Add(vm_.rt(), a)->Add(vm_.rt(), b);
  EXPECT_EQ(root->Add(vm_.rt(), a)->Add(vm_.rt(), b), ab);
  EXPECT_NE(root->Add(vm_.rt(), b)->Add(vm_.rt(), a), ab);
  EXPECT_EQ(ab->Find(a), 0);
  EXPECT_EQ(ab->Find(b), 1);
  EXPECT_EQ(ab->Find(Name(3)), -1);
  EXPECT_EQ(vm_.rt().shapes[ab->id].shape, ab);
  delete root;
}

TEST_F(ShapeTest, ManySlotsAreFound) {
  Shape* root = Root();
  Shape* s = root;
  std::vector<StrObject*> names;
  for (int i = 0; i < Shape::kMaxSlots; ++i) {
    names.push_back(Name(i));
    s = s->Add(vm_.rt(), names.back());
    ASSERT_NE(s, nullptr);
  }
  for (int i = 0; i < Shape::kMaxSlots; ++i) {
    EXPECT_EQ(s->Find(names[i]), i);
    EXPECT_EQ(s->NameAt(i), names[i]);
  }
  EXPECT_EQ(s->Add(vm_.rt(), Name(1000)), nullptr);
  EXPECT_EQ(s->Find(Name(1001)), -1);
  delete root;
}

TEST_F(ShapeTest, SiblingsAreLimited) {
  Shape* root = Root();
  for (int i = 0; i < Shape::kMaxTransitions; ++i) ASSERT_NE(root->Add(vm_.rt(), Name(i)), nullptr);
  EXPECT_EQ(root->Add(vm_.rt(), Name(9999)), nullptr);
  EXPECT_NE(root->Add(vm_.rt(), Name(0)), nullptr);
  delete root;
}

TEST_F(ShapeTest, IdsAreNotReused) {
  Shape* root = Root();
  uint32_t id = root->id;
  size_t bytes = vm_.rt().heap.stats().bytes;
  delete root;
  EXPECT_LT(vm_.rt().heap.stats().bytes, bytes);
  EXPECT_EQ(vm_.rt().shapes[id].type, nullptr);
  root = Root();
  EXPECT_GT(root->id, id);
  delete root;
}

TEST_F(ShapeTest, ExtrasAreRecycled) {
  RuntimeState& rt = vm_.rt();
  uint32_t a = rt.NewExtras();
  uint32_t b = rt.NewExtras();
  EXPECT_NE(a, 0u);
  EXPECT_NE(a, b);
  rt.FreeExtras(a);
  EXPECT_EQ(rt.NewExtras(), a);
  for (int i = 0; i < 100; ++i) EXPECT_NE(rt.NewExtras(), 0u);
  EXPECT_EQ(rt.extras[b].dict, nullptr);
}

}  // namespace
}  // namespace minivm

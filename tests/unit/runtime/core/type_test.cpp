// Types, shapes and the caches over them, seen from C++.
#include <gtest/gtest.h>

#include "runtime/core/slot_table.h"
#include "runtime/core/type_internal.h"
#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "tests/support/test_vm.h"

namespace minivm {
namespace {

class TypeTest : public testing::Test {
 protected:
  TestVm vm;
  ThreadState& ts = vm.ts();

  Ref<StrObject> Name(std::string_view s) { return InternUtf8(ts, s).Take(); }

  // class `name`(*bases) with the given entries.
  Ref<TypeObject> Class(std::string_view name, std::vector<TypeObject*> bases = {},
                        std::vector<std::pair<std::string, Value>> entries = {}) {
    std::vector<Value> words(bases.begin(), bases.end());
    Ref<TupleObject> tuple = NewTuple(ts, words).Take();
    Ref<DictObject> ns = NewDict(ts).Take();
    for (auto& [key, value] : entries) EXPECT_FALSE(DictSetUtf8(ts, ns, key, value).raised());
    MVM_CHECK(!ts.HasPending(), "");
    Result<TypeObject> r = NewHeapType(ts, TypeById(ts, TypeId::kType), Name(name), tuple, ns);
    if (r.raised()) return Ref<TypeObject>();
    return r.Take();
  }
  Ref<> Make(TypeObject* type) {
    Result<> r = Call(ts, type);
    EXPECT_FALSE(r.raised()) << vm.TakeError();
    return r.Take();
  }
  void Set(Value o, std::string_view name, Value v) {
    EXPECT_FALSE(SetAttr(ts, o, name, v).raised()) << vm.TakeError();
  }
  Value Get(Value o, std::string_view name) {
    Result<> r = GetAttr(ts, o, name);
    if (r.raised()) return Value();
    Ref<> v = r.Take();
    return v.get();
  }
  Shape* ShapeOf(Value o) { return vm.rt().shapes[o.object()->shape_id].shape; }
};

TEST_F(TypeTest, EveryBuiltinTypeCanBeTouched) {
  for (uint32_t i = 1; i < kTypeCount; ++i) {
    TypeObject* t = vm.rt().types[i];
    ASSERT_FALSE(TypeReady(ts, t).raised()) << t->spec->name << vm.TakeError();
    EXPECT_TRUE(t->mro);
    EXPECT_NE(vm.Repr(t), "");
    Result<> names = Dir(ts, t);
    ASSERT_FALSE(names.raised()) << t->spec->name << vm.TakeError();
    Ref<> held = names.Take();
    for (const char* attribute : {"__doc__", "__name__", "__module__", "__text_signature__",
                                  "__flags__", "__bases__", "__dict__"}) {
      EXPECT_TRUE(Get(t, attribute)) << t->spec->name << vm.TakeError();
    }
  }
  for (TypeObject* t : vm.rt().exceptions) {
    ASSERT_FALSE(TypeReady(ts, t).raised()) << t->spec->name;
  }
}

TEST_F(TypeTest, EveryAttributeOfBuiltinTypesCanBeRead) {
  for (uint32_t i = 1; i < kTypeCount; ++i) {
    TypeObject* t = vm.rt().types[i];
    ASSERT_FALSE(TypeReady(ts, t).raised());
    size_t pos = 0;
    Value key, value;
    Ref<DictObject> entries = DictCopy(ts, t->dict).Take();
    while (DictNext(ts, entries, &pos, &key, &value)) {
      std::string where = std::string(t->spec->name) + "." + ToUtf8(key.as<StrObject>());
      EXPECT_NE(vm.Repr(value), "") << where;
      for (const char* attribute : {"__doc__", "__name__", "__qualname__"}) {
        Get(value, attribute);
        vm.TakeError();
      }
    }
  }
}

TEST_F(TypeTest, MroIsC3) {
  Ref<TypeObject> a = Class("A"), b = Class("B", {a}), c = Class("C", {a}), d = Class("D", {b, c});
  const Value expected[] = {d, b, c, a, TypeById(ts, TypeId::kObject)};
  ASSERT_EQ(d->mro->size(), 5u);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE((*d->mro)[i].is(expected[i]));
  EXPECT_FALSE(Class("E", {a, b}));
  EXPECT_EQ(vm.TakeError(),
            "TypeError: Cannot create a consistent method resolution order (MRO) for bases A, B");
}

TEST_F(TypeTest, LayoutConflict) {
  EXPECT_FALSE(Class("X", {TypeById(ts, TypeId::kList), TypeById(ts, TypeId::kDict)}));
  EXPECT_EQ(vm.TakeError(), "TypeError: multiple bases have instance lay-out conflict");
}

TEST_F(TypeTest, PlainClassAttributesChangeWithoutAVersion) {
  Ref<TypeObject> a = Class("A", {}, {{"x", Value::Int(1)}}), b = Class("B", {a});
  CellObject* cell = TypeLookupCell(ts, b, Name("x"));
  ASSERT_TRUE(cell);
  uint32_t version = TypeVersion(ts, b);
  Set(a, "x", Value::Int(2));
  EXPECT_EQ(b->version, version);
  EXPECT_TRUE(cell->value.is(Value::Int(2)));
  EXPECT_TRUE(TypeLookup(ts, b, Name("x")).is(Value::Int(2)));
  // A new key, and a value of another kind, change it.
  Set(a, "y", Value::Int(3));
  EXPECT_EQ(b->version, 0u);
  version = TypeVersion(ts, b);
  EXPECT_NE(version, 0u);
  Set(a, "x", TypeLookup(ts, TypeById(ts, TypeId::kObject), MVM_NAME(ts, __class__)));
  EXPECT_NE(b->version, version);
}

TEST_F(TypeTest, NegativeLookupsAreForgotten) {
  Ref<TypeObject> a = Class("A"), b = Class("B", {a});
  EXPECT_TRUE(TypeLookup(ts, b, Name("later")).is_null());
  Set(a, "later", Value::Int(7));
  EXPECT_TRUE(TypeLookup(ts, b, Name("later")).is(Value::Int(7)));
  EXPECT_FALSE(SetAttr(ts, a, "later", Value()).raised());
  EXPECT_TRUE(TypeLookup(ts, b, Name("later")).is_null());
}

TEST_F(TypeTest, InvalidatesCallSitesOfSubclasses) {
  static int calls;
  calls = 0;
  vm.rt().hooks.invalidate_sites = [](RuntimeState&) { ++calls; };
  Ref<TypeObject> a = Class("A", {}, {{"x", Value::Int(1)}}), b = Class("B", {a});
  b->flags |= kTypeHasSites;
  Set(a, "x", Value::Int(2));
  EXPECT_EQ(calls, 0);
  Set(a, "y", Value::Int(2));
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(b->flags & kTypeHasSites);
}

TEST_F(TypeTest, InstancesShareShapes) {
  Ref<TypeObject> a = Class("A");
  Ref<> x = Make(a), y = Make(a);
  for (Value o : {x.get(), y.get()}) {
    Set(o, "p", Value::Int(1));
    Set(o, "q", Value::Int(2));
  }
  EXPECT_EQ(x.object()->shape_id, y.object()->shape_id);
  EXPECT_EQ(ShapeOf(x)->slot_count, 2);
  EXPECT_TRUE(InstanceLookup(ts, x.object(), Name("q")).is(Value::Int(2)));
  // The last one can go without a dictionary; the first one cannot.
  EXPECT_FALSE(SetAttr(ts, x, "q", Value()).raised());
  EXPECT_EQ(ShapeOf(x)->slot_count, 1);
  EXPECT_FALSE(SetAttr(ts, y, "p", Value()).raised());
  EXPECT_TRUE(ShapeOf(y)->dict_mode);
  EXPECT_TRUE(Get(y, "q").is(Value::Int(2)));
  EXPECT_TRUE(Get(y, "p").is_null());
  EXPECT_EQ(vm.TakeError(), "AttributeError: 'A' object has no attribute 'p'");
}

TEST_F(TypeTest, InlineCapacityGrows) {
  Ref<TypeObject> a = Class("A");
  uint16_t before = a->root_shape->inline_capacity;
  Ref<> x = Make(a);
  for (int i = 0; i < 10; ++i) Set(x, "a" + std::to_string(i), Value::Int(i));
  EXPECT_GT(a->root_shape->inline_capacity, before);
  Ref<> y = Make(a);
  for (int i = 0; i < 10; ++i) Set(y, "a" + std::to_string(i), Value::Int(i));
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(Get(x, "a" + std::to_string(i)).is(Value::Int(i)));
    EXPECT_TRUE(Get(y, "a" + std::to_string(i)).is(Value::Int(i)));
  }
}

TEST_F(TypeTest, ManyAttributesGoToADict) {
  Ref<TypeObject> a = Class("A");
  Ref<> x = Make(a);
  for (int i = 0; i < 300; ++i) Set(x, "a" + std::to_string(i), Value::Int(i));
  EXPECT_TRUE(ShapeOf(x)->dict_mode);
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(Get(x, "a" + std::to_string(i)).is(Value::Int(i)));
}

TEST_F(TypeTest, DictViewIsLive) {
  Ref<TypeObject> a = Class("A");
  Ref<> x = Make(a);
  Set(x, "p", Value::Int(1));
  Ref<DictObject> d = InstanceDict(ts, x).Take();
  EXPECT_EQ(d.get(), InstanceDict(ts, x).Take().get());
  EXPECT_EQ(vm.Repr(d), "{'p': 1}");
  EXPECT_FALSE(DictSetUtf8(ts, d, "q", Value::Int(2)).raised());
  EXPECT_FALSE(ShapeOf(x)->dict_mode);
  EXPECT_TRUE(Get(x, "q").is(Value::Int(2)));
  EXPECT_FALSE(DictSet(ts, d, Value::Int(5), Value::Int(6)).raised());
  EXPECT_TRUE(ShapeOf(x)->dict_mode);
  EXPECT_EQ(vm.Repr(d), "{'p': 1, 'q': 2, 5: 6}");
  Set(x, "r", Value::Int(3));
  EXPECT_EQ(vm.Repr(d), "{'p': 1, 'q': 2, 5: 6, 'r': 3}");
}

TEST_F(TypeTest, DictOutlivesItsOwner) {
  Ref<TypeObject> a = Class("A");
  Ref<> x = Make(a);
  Set(x, "p", Value::Int(1));
  Ref<DictObject> d = InstanceDict(ts, x).Take();
  x = Ref<>();
  EXPECT_EQ(vm.Repr(d), "{'p': 1}");
}

TEST_F(TypeTest, SubclassesOfVariableSizeTypes) {
  Ref<TypeObject> s = Class("S", {TypeById(ts, TypeId::kStr)});
  Ref<TypeObject> i = Class("I", {TypeById(ts, TypeId::kInt)});
  Ref<TypeObject> t = Class("T", {TypeById(ts, TypeId::kTuple)});
  Ref<TypeObject> b = Class("B", {TypeById(ts, TypeId::kBytes)});
  for (TypeObject* type : {s.get(), i.get(), t.get(), b.get()}) {
    Ref<> o = Make(type);
    Set(o, "x", Value::Int(4));
    EXPECT_TRUE(Get(o, "x").is(Value::Int(4)));
  }
  Ref<StrObject> text = NewStr(ts, "h\xC3\xA9llo").Take();
  Result<> r = Call(ts, s, text);
  ASSERT_FALSE(r.raised()) << vm.TakeError();
  Ref<> o = r.Take();
  Set(o, "x", Value::Int(4));
  EXPECT_EQ(vm.Repr(o), "'h\xC3\xA9llo'");
  EXPECT_TRUE(Get(o, "x").is(Value::Int(4)));
}

TEST_F(TypeTest, SubclassesOfFixedSizeTypes) {
  for (TypeId id : {TypeId::kList, TypeId::kDict, TypeId::kSet, TypeId::kFloat, TypeId::kProperty,
                    TypeId::kFrozenset, TypeId::kComplex, TypeId::kBytearray}) {
    Ref<TypeObject> c = Class("C", {TypeById(ts, id)});
    ASSERT_TRUE(c) << vm.TakeError();
    Ref<> o = Make(c);
    Set(o, "x", Value::Int(4));
    EXPECT_TRUE(Get(o, "x").is(Value::Int(4)));
    EXPECT_EQ(c->slots.repr, TypeById(ts, id)->slots.repr);
    EXPECT_EQ(c->slots.get_item, TypeById(ts, id)->slots.get_item);
    EXPECT_EQ(c->slots.hash, TypeById(ts, id)->slots.hash);
  }
}

TEST_F(TypeTest, ResolvingAllSlotsAgreesWithInheritingThem) {
  for (TypeId id : {TypeId::kList, TypeId::kDict, TypeId::kSet, TypeId::kFloat, TypeId::kInt,
                    TypeId::kStr, TypeId::kTuple, TypeId::kBytes, TypeId::kObject,
                    TypeId::kProperty, TypeId::kBytearray, TypeId::kComplex, TypeId::kFrozenset}) {
    Ref<TypeObject> c = Class("C", {TypeById(ts, id)});
    std::vector<AnySlot> before;
    for (const SlotRow& row : SlotRows()) before.push_back(SlotAt(c, row.offset));
    ResolveSlots(ts, c, nullptr, nullptr);
    for (size_t i = 0; i < before.size(); ++i) {
      const SlotRow& row = SlotRows()[i];
      EXPECT_EQ(before[i], SlotAt(c, row.offset))
          << TypeById(ts, id)->spec->name << " "
          << ToUtf8(vm.rt().names[static_cast<size_t>(row.name)]);
    }
  }
}

TEST_F(TypeTest, SlotsMembers) {
  Ref<StrObject> names[] = {Name("b"), Name("a")};
  const Value words[] = {names[0], names[1]};
  Ref<TupleObject> slots = NewTuple(ts, words).Take();
  Ref<TypeObject> c = Class("C", {}, {{"__slots__", slots}});
  EXPECT_EQ(c->storage, AttrStorage::kNone);
  EXPECT_EQ(c->member_count, 2);
  Ref<> o = Make(c);
  EXPECT_TRUE(Get(o, "a").is_null());
  EXPECT_EQ(vm.TakeError(), "AttributeError: 'C' object has no attribute 'a'");
  Set(o, "a", Value::Int(1));
  EXPECT_TRUE(Get(o, "a").is(Value::Int(1)));
  EXPECT_TRUE(SetAttr(ts, o, "z", Value::Int(1)).raised());
  EXPECT_EQ(
      vm.TakeError(),
      "AttributeError: 'C' object has no attribute 'z' and no __dict__ for setting new attributes");
  // A subclass adds a dictionary behind the members.
  Ref<TypeObject> d = Class("D", {c});
  EXPECT_EQ(d->storage, AttrStorage::kShape);
  Ref<> p = Make(d);
  Set(p, "a", Value::Int(1));
  Set(p, "z", Value::Int(2));
  EXPECT_TRUE(Get(p, "a").is(Value::Int(1)));
  EXPECT_TRUE(Get(p, "z").is(Value::Int(2)));
}

TEST_F(TypeTest, ClassAssignmentKeepsAttributes) {
  Ref<TypeObject> a = Class("A"), b = Class("B");
  Ref<> x = Make(a);
  for (int i = 0; i < 9; ++i) Set(x, "a" + std::to_string(i), Value::Int(i));
  Set(x, "__class__", b);
  EXPECT_EQ(TypeOf(ts, x), b.get());
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(Get(x, "a" + std::to_string(i)).is(Value::Int(i)));
  EXPECT_TRUE(SetAttr(ts, x, "__class__", TypeById(ts, TypeId::kList)).raised());
  EXPECT_EQ(
      vm.TakeError(),
      "TypeError: __class__ assignment only supported for mutable types or ModuleType subclasses");
}

TEST_F(TypeTest, ClassesDieWithTheirShapes) {
  Class("Warm");
  vm.rt().heap.current_ts = &ts;
  uint32_t before = TypeById(ts, TypeId::kObject)->subclass_count;
  {
    Ref<TypeObject> a = Class("A"), b = Class("B", {a});
    Ref<> x = Make(b);
    Set(x, "p", Value::Int(1));
    EXPECT_EQ(a->subclass_count, 1u);
  }
  // Classes are in cycles (their MRO): the collector's business.
  EXPECT_GE(TypeById(ts, TypeId::kObject)->subclass_count, before);
}

TEST_F(TypeTest, SubclassListsSurviveEitherOrderOfDeath) {
  Ref<TypeObject> a = Class("A"), b = Class("B", {a});
  UnlinkType(b);
  EXPECT_EQ(a->subclass_count, 0u);
  EXPECT_EQ(b->parent_count, 0u);
}

TEST_F(TypeTest, BasesAssignment) {
  Ref<TypeObject> a = Class("A", {}, {{"x", Value::Int(1)}}),
                  b = Class("B", {}, {{"x", Value::Int(2)}});
  Ref<TypeObject> c = Class("C", {a}), d = Class("D", {c});
  EXPECT_TRUE(Get(d, "x").is(Value::Int(1)));
  Value word = b;
  Ref<TupleObject> bases = NewTuple(ts, {&word, 1}).Take();
  Set(c, "__bases__", bases);
  EXPECT_TRUE(Get(d, "x").is(Value::Int(2)));
  EXPECT_EQ(a->subclass_count, 0u);
  word = d;
  bases = NewTuple(ts, {&word, 1}).Take();
  EXPECT_TRUE(SetAttr(ts, b, "__bases__", bases).raised());
  EXPECT_EQ(vm.TakeError(), "TypeError: a __bases__ item causes an inheritance cycle");
}

}  // namespace
}  // namespace minivm

// gc: the script's view of the cycle collector.
//
// Lists of objects are made in two walks over the heap, one that counts and one that fills, since
// nothing may be allocated during a walk.
#include <algorithm>

#include "runtime/core/thread_state.h"
#include "runtime/gc/collector.h"
#include "runtime/gc/object_refs.h"
#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/hidden_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

Collector& GcOf(ThreadState& ts) { return ts.heap().collector(); }

Result<> gc_enable(ThreadState& ts, Args) {
  GcOf(ts).set_enabled(true);
  return None(ts);
}
Result<> gc_disable(ThreadState& ts, Args) {
  GcOf(ts).set_enabled(false);
  return None(ts);
}
Result<> gc_isenabled(ThreadState& ts, Args) { return Bool(ts, GcOf(ts).enabled()); }

// gc.collect(generation=2): the number of unreachable objects found.
Result<> gc_collect(ThreadState& ts, Args args) {
  MVM_TRY(int64_t generation, IndexAsInt64(ts, args[0], Exc::kOverflowError));
  if (generation < 0 || generation >= Collector::kGenerations) {
    return Raise(ts, Exc::kValueError, "invalid generation");
  }
  return NewInt(ts, GcOf(ts).Collect(ts, static_cast<int>(generation)));
}

Result<> gc_get_count(ThreadState& ts, Args) {
  Value counts[Collector::kGenerations];
  for (int g = 0; g < Collector::kGenerations; ++g) counts[g] = Value::Int(GcOf(ts).count(g));
  return NewTuple(ts, counts);
}

Result<> gc_get_threshold(ThreadState& ts, Args) {
  Value limits[Collector::kGenerations];
  for (int g = 0; g < Collector::kGenerations; ++g) limits[g] = Value::Int(GcOf(ts).threshold(g));
  return NewTuple(ts, limits);
}

// gc.set_threshold(threshold0[, threshold1[, threshold2]])
Result<> gc_set_threshold(ThreadState& ts, Args raw) {
  if (raw.nkw) return Raise(ts, Exc::kTypeError, "gc.set_threshold() takes no keyword arguments");
  if (raw.n < 1 || raw.n > Collector::kGenerations) {
    return Raise(ts, Exc::kTypeError, "gc.set_threshold requires 1 to 3 arguments");
  }
  int64_t values[Collector::kGenerations];
  for (uint32_t i = 0; i < raw.n; ++i) {
    MVM_TRY(values[i], IndexAsInt64(ts, raw[i], Exc::kOverflowError));
    if (values[i] > INT32_MAX || values[i] < INT32_MIN) {
      return Raise(ts, Exc::kOverflowError, "signed integer is %s than %s",
                   values[i] > 0 ? "greater" : "less", values[i] > 0 ? "maximum" : "minimum");
    }
  }
  for (uint32_t i = 0; i < raw.n; ++i) GcOf(ts).set_threshold(static_cast<int>(i), values[i]);
  return None(ts);
}

Result<> gc_get_stats(ThreadState& ts, Args) {
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, Collector::kGenerations));
  for (int g = 0; g < Collector::kGenerations; ++g) {
    const Collector::Stats& stats = GcOf(ts).stats(g);
    MVM_TRY(Ref<DictObject> row, NewDict(ts, 3));
    MVM_TRY_VOID(DictSetUtf8(ts, row, "collections", Value::Int(stats.collections)));
    MVM_TRY_VOID(DictSetUtf8(ts, row, "collected", Value::Int(stats.collected)));
    MVM_TRY_VOID(DictSetUtf8(ts, row, "uncollectable", Value::Int(stats.uncollectable)));
    MVM_TRY_VOID(ListAppend(ts, list, row));
  }
  return list;
}

Result<> gc_get_debug(ThreadState& ts, Args) { return Small(GcOf(ts).debug); }
Result<> gc_set_debug(ThreadState& ts, Args args) {
  MVM_TRY(int64_t flags, IndexAsInt64(ts, args[0], Exc::kOverflowError));
  GcOf(ts).debug = static_cast<uint32_t>(flags);
  return None(ts);
}

// A list with room for every object that `select` takes. Making it may start nothing, so the walk
// that fills it sees what the walk that counts saw, but for the list itself.
template <class Select>
Result<> ListOf(ThreadState& ts, int generation, Select select) {
  size_t count = 0;
  GcOf(ts).ForEachTracked(generation, [&](Object* o) { count += select(o); });
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, count));
  ListObject* result = list;
  GcOf(ts).ForEachTracked(generation, [&](Object* o) {
    if (o == result || result->size == result->capacity || !select(o)) return;
    Incref(o);
    result->items[result->size++] = o;
  });
  return list;
}

// gc.get_objects(generation=None): all tracked objects, or those of one generation.
Result<> gc_get_objects(ThreadState& ts, Args args) {
  int64_t generation = -1;
  if (!IsNone(ts, args[0])) {
    if (!TypeOf(ts, args[0])->operators->index) {
      return Raise(ts, Exc::kTypeError, "argument should be integer or None, not '%T'", args[0]);
    }
    MVM_TRY(generation, IndexAsInt64(ts, args[0], Exc::kOverflowError));
    if (generation >= Collector::kGenerations) {
      return Raise(
          ts, Exc::kValueError,
          "generation parameter must be less than the number of available generations (%d)",
          Collector::kGenerations);
    }
    if (generation < -1) {
      return Raise(ts, Exc::kValueError, "generation parameter cannot be negative");
    }
  }
  // Types make their descriptors when they are first used: the list is not to depend on that.
  for (TypeObject* type : ts.rt->types) {
    if (type != nullptr) MVM_TRY_VOID(TypeReady(ts, type));
  }
  return ListOf(ts, static_cast<int>(generation),
                [](Object* o) { return !IsHiddenFromScripts(o); });
}

// Does an object refer directly to one of the wanted? What scripts are not shown is looked through.
class Finder final : public Visitor {
 public:
  Finder(RuntimeState& rt, TupleObject* wanted) : rt_(rt), wanted_(wanted) {}
  void Seen(Object* child) override {
    if (IsHiddenFromScripts(child)) return VisitObject(rt_, child, *this);
    for (Value v : wanted_->span()) found_ = found_ || v.is(child);
  }
  bool Take() { return std::exchange(found_, false); }

 private:
  RuntimeState& rt_;
  TupleObject* wanted_;
  bool found_ = false;
};

// gc.get_referrers(*objs): the tracked objects that refer to one of them.
Result<> gc_get_referrers(ThreadState& ts, Args args) {
  TupleObject* wanted = args.as<TupleObject>(0);
  Finder finder(*ts.rt, wanted);
  return ListOf(ts, -1, [&](Object* o) {
    if (o == wanted || IsHiddenFromScripts(o)) return false;
    VisitObject(*ts.rt, o, finder);
    return finder.Take();
  });
}

// Counts, then stores, what an object refers to; int and float items of lists, tuples and dicts,
// which are no objects of the heap, included.
class Collect final : public Visitor {
 public:
  explicit Collect(RuntimeState& rt) : rt_(rt) {}
  void Seen(Object* child) override {
    if (IsHiddenFromScripts(child) && !IsCellOfDict(child)) return VisitObject(rt_, child, *this);
    operator()(Value(child));
  }
  template <class T>
  void operator()(T*& p) {
    if (p) operator()(Value(p));
  }
  void operator()(Value v) {
    if (v.is_object() && IsCellOfDict(v.object())) v = v.as<CellObject>()->value;
    if (v.is_null() || v.is(rt_.unbound)) return;
    ++count;
    if (!list || list->size == list->capacity) return;
    Incref(v);
    list->items[list->size++] = v;
  }
  // In CPython's order: the last item first, values before keys, the class of an instance last.
  void operator()(Value* items, size_t n) {
    for (size_t i = n; i-- > 0;) operator()(items[i]);
  }
  void Of(Object* o) {
    if (o->shape_id == ShapeIdOf(TypeId::kList)) {
      operator()(o->as<ListObject>()->items, o->as<ListObject>()->size);
    } else if (o->shape_id == ShapeIdOf(TypeId::kTuple)) {
      operator()(o->as<TupleObject>()->items(), o->as<TupleObject>()->size());
    } else if (o->shape_id == ShapeIdOf(TypeId::kDict)) {
      DictObject* d = o->as<DictObject>();
      for (uint32_t i = 0; i < d->entry_count; ++i) {
        if (d->entries[i].key.is_null()) continue;
        operator()(d->entries[i].value);
        if (d->other_keys) operator()(d->entries[i].key);
      }
    } else {
      const size_t first = list ? list->size : 0;
      VisitObject(rt_, o, *this);
      if (list && rt_.shapes[o->shape_id].type->is_heap() && list->size > first) {
        std::rotate(list->items + first, list->items + first + 1, list->items + list->size);
      }
    }
  }
  size_t count = 0;
  ListObject* list = nullptr;

 private:
  RuntimeState& rt_;
};

// gc.get_referents(*objs): the objects that they refer to directly.
Result<> gc_get_referents(ThreadState& ts, Args args) {
  TupleObject* objects = args.as<TupleObject>(0);
  Collect collect(*ts.rt);
  auto walk = [&] {
    for (Value v : objects->span()) {
      if (v.is_object() && Page::Of(v.object())->container) collect.Of(v.object());
    }
  };
  walk();
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, collect.count));
  collect.list = list;
  walk();
  return list;
}

bool IsAtom(Value v) { return !v.is_object() || !Page::Of(v.object())->container; }

// gc.is_tracked(obj): a dict of atoms counts as untracked, as documented.
Result<> gc_is_tracked(ThreadState& ts, Args args) {
  if (!args[0].is_object()) return Bool(ts, false);
  Object* o = args[0].object();
  if (!(o->gc & kGcTracked)) return Bool(ts, false);
  if (o->shape_id != ShapeIdOf(TypeId::kDict)) return Bool(ts, true);
  DictObject* d = o->as<DictObject>();
  size_t pos = 0;
  Value key, value;
  while (DictNext(ts, d, &pos, &key, &value)) {
    if (!IsAtom(key) || !IsAtom(value)) return Bool(ts, true);
  }
  return Bool(ts, false);
}

Result<> gc_is_finalized(ThreadState& ts, Args args) {
  return Bool(ts, args[0].is_object() && (args[0].object()->gc & kGcFinalized));
}

Result<> gc_freeze(ThreadState& ts, Args) {
  GcOf(ts).Freeze();
  return None(ts);
}
Result<> gc_unfreeze(ThreadState& ts, Args) {
  GcOf(ts).Unfreeze();
  return None(ts);
}
Result<> gc_get_freeze_count(ThreadState& ts, Args) {
  return NewInt(ts, static_cast<int64_t>(GcOf(ts).FreezeCount()));
}

// The two lists belong to the collector, whatever scripts do to the module's names.
Status ExecModule(ThreadState& ts, ModuleObject* module) {
  Collector& gc = GcOf(ts);
  for (ListObject** list : {&gc.garbage, &gc.callbacks}) {
    if (*list) continue;
    MVM_TRY(Ref<ListObject> made, NewListReserve(ts, 0));
    *list = made.Release();
  }
  MVM_TRY_VOID(ModuleAdd(ts, module, "garbage", gc.garbage));
  return ModuleAdd(ts, module, "callbacks", gc.callbacks);
}

const MethodSpec kGcFunctions[] = {
    {"collect(generation=2)", gc_collect,
     "Look for garbage in the generations up to this one, all by default; how many unreachable "
     "objects there were."},
    {"disable()", gc_disable, "Disable automatic collection."},
    {"enable()", gc_enable, "Enable automatic collection."},
    {"freeze()", gc_freeze, "Ignore all tracked objects in future collections."},
    {"get_count()", gc_get_count,
     "What has been counted towards set_threshold() in each of three generations."},
    {"get_debug()", gc_get_debug, "The debugging flags."},
    {"get_freeze_count()", gc_get_freeze_count, "How many objects freeze() has put aside."},
    {"get_objects(generation=None)", gc_get_objects,
     "A list of what the collector tracks; of one generation, 0 to 2, if given."},
    {"get_referents(*objs)", gc_get_referents, "The objects that these refer to directly."},
    {"get_referrers(*objs)", gc_get_referrers, "The objects that refer directly to any of these."},
    {"get_stats()", gc_get_stats, "A dict of statistics for each generation."},
    {"get_threshold()", gc_get_threshold, "The collection thresholds."},
    {"is_finalized(obj, /)", gc_is_finalized, "Has the object's finalizer run?"},
    {"is_tracked(obj, /)", gc_is_tracked, "Is the object tracked by the collector?"},
    {"isenabled()", gc_isenabled, "Is automatic collection enabled?"},
    {"set_debug(flags, /)", gc_set_debug, "Set the debugging flags."},
    {"set_threshold(...)", gc_set_threshold,
     "How much must be counted before a generation is collected by itself; a threshold0 of 0: "
     "never."},
    {"unfreeze()", gc_unfreeze, "Have the collector look at frozen objects again."},
};

const ConstantSpec kGcConstants[] = {
    {"DEBUG_STATS", ConstantSpec::kInt, kGcDebugStats},
    {"DEBUG_COLLECTABLE", ConstantSpec::kInt, kGcDebugCollectable},
    {"DEBUG_UNCOLLECTABLE", ConstantSpec::kInt, kGcDebugUncollectable},
    {"DEBUG_SAVEALL", ConstantSpec::kInt, kGcDebugSaveAll},
    {"DEBUG_LEAK", ConstantSpec::kInt, kGcDebugLeak},
};

}  // namespace

extern const ModuleSpec k_gc_module;
const ModuleSpec k_gc_module = {
    .name = "gc",
    .doc = "Access to the collector of reference cycles.",
    .functions = kGcFunctions,
    .constants = kGcConstants,
    .exec = ExecModule,
};

}  // namespace minivm

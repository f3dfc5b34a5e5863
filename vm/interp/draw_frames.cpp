// Series of calls, and drawing from generators, map and filter objects.
#include "vm/interp/draw_frames.h"

#include "runtime/objects/functional.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/range_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/generator_object.h"
#include "vm/interp/interpreter.h"

namespace minivm {

namespace {

// The next argument, borrowed, without taking it; null: there is none, or getting it may run script
// code.
Value PeekNext(const Series* s) {
  if (s->source.is_null()) return s->at != s->end ? *s->at : Value();
  switch (static_cast<TypeId>(s->source.object()->shape_id)) {
    case TypeId::kListIterator: {
      const ListIterator* it = s->source.as<ListIterator>();
      return it->list != nullptr && it->index < it->list->size ? it->list->items[it->index]
                                                               : Value();
    }
    case TypeId::kTupleIterator: {
      const TupleIterator* it = s->source.as<TupleIterator>();
      return it->tuple != nullptr && it->index < it->tuple->size() ? (*it->tuple)[it->index]
                                                                   : Value();
    }
    case TypeId::kRangeIterator: {
      const RangeIterator* it = s->source.as<RangeIterator>();
      return it->remaining > 0 ? Value::Int(it->current) : Value();
    }
    default: return Value();
  }
}

// Behind what PeekNext() has shown.
void SkipNext(Series* s) {
  if (s->source.is_null()) {
    ++s->at;
    return;
  }
  switch (static_cast<TypeId>(s->source.object()->shape_id)) {
    case TypeId::kListIterator: ++s->source.as<ListIterator>()->index; return;
    case TypeId::kTupleIterator: ++s->source.as<TupleIterator>()->index; return;
    default: {
      RangeIterator* it = s->source.as<RangeIterator>();
      --it->remaining;
      it->current += it->step;
    }
  }
}

// What a filter's function has said of s->item. False: it is not for here to decide.
bool FilterItem(ThreadState* ts, Series* s, Value answer) {
  if (answer.is(ts->rt->true_)) {
    if (!s->batch->Take(s->item)) return false;
  } else if (answer.is(ts->rt->false_)) {
    if (s->item.is_pointer()) {
      if (s->item.object()->refcount == 1) return false;  // its end may run script code
      --s->item.object()->refcount;
    }
  } else {
    return false;
  }
  s->item = Value();
  --answer.object()->refcount;
  return true;
}

}  // namespace

bool NextOfSeries(ThreadState* ts, Value* R, Value result) {
  Series* s = R[-2].as<Series>();
  FunctionObject* f = R[-3].as<FunctionObject>();
  if (MVM_UNLIKELY(f != s->function || f->entry != s->entry || f->plain_count != 1 ||
                   IsObserved(ts))) {
    return false;
  }
  const Value next = PeekNext(s);
  if (next.is_null()) return false;
  if (!(s->filters ? FilterItem(ts, s, result) : s->batch->Take(result))) return false;
  SkipNext(s);
  Incref(next);
  R[0] = next;
  if (s->filters) {
    Incref(next);
    s->item = next;
  }
  UnsetLocals(f, R, 1, ts->rt->unbound);
  return true;
}

namespace {

// The function, if its calls with one argument can be made in a series; else null.
FunctionObject* ForSeries(ThreadState& ts, Value function) {
  if (!IsExact(function, TypeId::kFunction) || IsObserved(&ts)) return nullptr;
  FunctionObject* f = function.as<FunctionObject>();
  return f->plain_count == 1 ? f : nullptr;
}

// The slot, without the end by an exception in between.
Result<> NextInC(ThreadState& ts, Value iterator) {
  return TypeOf(ts, iterator)->slots.next(ts, iterator);
}

Result<> DrawMap(ThreadState& ts, MapObject* m, Batch* batch) {
  FunctionObject* f = ForSeries(ts, m->function);
  if (f == nullptr || m->iterators->size() != 1) return NextInC(ts, m);
  const Value source = (*m->iterators)[0];
  MVM_TRY(Ref<> item, Next(ts, source));
  if (item.is_done()) return Result<>::Done();
  Series series = {.batch = batch, .function = f, .entry = f->entry, .source = source};
  return CallInSeries(ts, f, item.Release(), &series);
}

Result<> DrawFilter(ThreadState& ts, FilterObject* filter, Batch* batch) {
  FunctionObject* f = ForSeries(ts, filter->function);
  if (f == nullptr) return NextInC(ts, filter);
  for (;;) {
    MVM_TRY(Ref<> first, Next(ts, filter->iterator));
    if (first.is_done()) return Result<>::Done();
    Series series = {.batch = batch,
                     .function = f,
                     .entry = f->entry,
                     .source = filter->iterator,
                     .filters = true,
                     .item = Ref<>(first).Release()};
    Result<> called = CallInSeries(ts, f, first.Release(), &series);
    Ref<> item = Ref<>::Steal(series.item);
    MVM_TRY(Ref<> answer, std::move(called));
    MVM_TRY(bool keep, Truth(ts, answer));
    if (keep) return item;
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

}  // namespace

Result<> DrawFromScript(ThreadState& ts, Value iterator, Batch* batch) {
  switch (static_cast<TypeId>(iterator.object()->shape_id)) {
    case TypeId::kGenerator: return GeneratorNext(ts, iterator.as<GeneratorObject>(), batch);
    case TypeId::kMap: return DrawMap(ts, iterator.as<MapObject>(), batch);
    default: return DrawFilter(ts, iterator.as<FilterObject>(), batch);
  }
}

int64_t CallEach(ThreadState& ts, Value function, const Value* items, int64_t n, Value* out) {
  int64_t made = 0;
  while (made < n) {
    FunctionObject* f = ForSeries(ts, function);
    Batch batch(ts, Takes::kAll, out + made, out + n - 1);
    Series series = {.batch = &batch,
                     .function = f,
                     .entry = f != nullptr ? f->entry : nullptr,
                     .at = items + made + 1,
                     .end = items + n};
    Result<> r = f != nullptr ? CallInSeries(ts, f, Ref<>::Borrow(items[made]).Release(), &series)
                              : Call(ts, function, items[made]);
    const int64_t before = std::exchange(made, batch.to() - out);
    if (r.raised()) break;
    out[made++] = r.word();
    if (Charge(ts, made - before).raised()) break;
  }
  return made;
}

}  // namespace minivm

// sys._heap_stats(): what the heap holds, by bytes, by objects and by type.
//
// A VM of its own kind has an accounting of its own kind: the function is minivm's only, and
// docs/differences.md says so. Objects are counted with the memory they stand in; the buffers they
// own (items of lists, tables of dicts) are in the sum of bytes alone.
#include <algorithm>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/tuple_object.h"
#include "vm/builtins/sys_module.h"

namespace minivm {

namespace {

struct TypeUse {
  TypeObject* type;
  size_t objects, bytes;
};

// Bytes of the heap that the object takes.
size_t OwnBytes(const Object* o) {
  const Page* p = Page::Of(o);
  return p->large ? p->region_size : p->slot_size;
}

// Counts the objects by type into uses[0..n), by shape at first; returns how many types there are.
size_t CountByType(RuntimeState& rt, TypeUse* uses, uint32_t shapes) {
  for (uint32_t i = 0; i < shapes; ++i) uses[i] = {rt.shapes[i].type, 0, 0};
  rt.heap.ForEachObject([&](Object* o) {
    if (o->shape_id >= shapes || (o->gc & kGcCollecting)) return;  // the latter are being deleted
    ++uses[o->shape_id].objects;
    uses[o->shape_id].bytes += OwnBytes(o);
  });
  TypeUse* end = std::remove_if(uses, uses + shapes, [](const TypeUse& u) {
    return !u.objects || !u.type || u.type->refcount == 0;
  });
  std::sort(uses, end, [](const TypeUse& a, const TypeUse& b) { return a.type < b.type; });
  size_t n = 0;
  for (TypeUse* u = uses; u != end; ++u) {
    if (n > 0 && uses[n - 1].type == u->type) {
      uses[n - 1].objects += u->objects;
      uses[n - 1].bytes += u->bytes;
    } else {
      uses[n++] = *u;
    }
  }
  std::sort(uses, uses + n, [](const TypeUse& a, const TypeUse& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.objects > b.objects;
  });
  return n;
}

// A list of (type, objects, bytes), and the number of all objects.
Result<ListObject> ListTypes(ThreadState& ts, int64_t* objects) {
  const uint32_t shapes = ts.rt->shape_count;
  const size_t room = shapes * sizeof(TypeUse);
  MVM_TRY(void* buffer, AllocBuffer(ts, room));
  TypeUse* uses = static_cast<TypeUse*>(buffer);
  const size_t n = CountByType(*ts.rt, uses, shapes);
  // Nothing below runs script code: the types stay.
  auto list_them = [&]() -> Result<ListObject> {
    MVM_TRY(Ref<ListObject> list, NewListReserve(ts, n));
    for (size_t i = 0; i < n; ++i) {
      *objects += static_cast<int64_t>(uses[i].objects);
      const Value parts[] = {Value(uses[i].type), Value::Int(static_cast<int64_t>(uses[i].objects)),
                             Value::Int(static_cast<int64_t>(uses[i].bytes))};
      MVM_TRY(Ref<TupleObject> row, NewTuple(ts, parts));
      MVM_TRY_VOID(ListAppend(ts, list, row));
    }
    return list;
  };
  Result<ListObject> list = list_them();
  ts.heap().FreeBuffer(uses, room);
  return list;
}

}  // namespace

Result<> sys_heap_stats(ThreadState& ts, Args) {
  const HeapStats stats = ts.heap().stats();
  const size_t limit = ts.heap().limit();
  int64_t objects = 0;
  MVM_TRY(Ref<ListObject> types, ListTypes(ts, &objects));
  MVM_TRY(Ref<DictObject> result, NewDict(ts));
  const auto add = [&](const char* name, size_t n) {
    return DictSetUtf8(ts, result, name, Value::Int(static_cast<int64_t>(n)));
  };
  MVM_TRY_VOID(add("bytes", stats.bytes));
  MVM_TRY_VOID(add("peak_bytes", stats.peak_bytes));
  MVM_TRY_VOID(add("limit", limit));
  MVM_TRY_VOID(add("objects", static_cast<size_t>(objects)));
  MVM_TRY_VOID(DictSetUtf8(ts, result, "types", types));
  return result;
}

}  // namespace minivm

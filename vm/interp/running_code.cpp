// A function that is given other code while it runs.
//
// Frames find their code through their function. So before `f.__code__ = ...` takes effect,
// whatever runs the old code is handed a copy of the function that keeps it.
#include <cstring>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "vm/interp/frame.h"
#include "vm/interp/generator_object.h"
#include "vm/interp/traceback.h"

namespace minivm {

namespace {

Result<FunctionObject> CopyOf(ThreadState& ts, const FunctionObject* f) {
  MVM_TRY(Ref<FunctionObject> copy, New<FunctionObject>(ts, TypeId::kFunction));
  std::memcpy(reinterpret_cast<char*>(copy.get()) + sizeof(Object),
              reinterpret_cast<const char*>(f) + sizeof(Object),
              sizeof(FunctionObject) - sizeof(Object));
  copy->VisitRefs([](auto& field) {
    const Value v(field);
    Incref(v);
  });
  Track(copy.get());
  return copy;
}

}  // namespace

Status KeepRunningCode(ThreadState& ts, FunctionObject* f) {
  MVM_TRY(Ref<FunctionObject> copy, CopyOf(ts, f));
  FunctionObject* const kept = copy;
  uint32_t moved = 0;  // references that were f's
  const auto move = [&](FunctionObject*& function) {
    if (function != f) return;
    function = kept;
    ++moved;
  };
  for (ThreadState* t = ts.rt->threads; t != nullptr; t = t->next) {
    for (FrameWalker w(*t); !w.done(); w.Next()) {
      Value& callee = w.base()[-kWindowWords];
      if (!callee.is(Value(f))) continue;
      callee = Value(kept);
      ++moved;
    }
  }
  ts.heap().ForEachObject([&](Object* o) {
    switch (static_cast<TypeId>(o->shape_id)) {
      case TypeId::kGenerator:
      case TypeId::kCoroutine:
      case TypeId::kAsyncGenerator: move(static_cast<GeneratorObject*>(o)->function); break;
      case TypeId::kFrame: move(static_cast<FrameObject*>(o)->function); break;
      default: break;
    }
  });
  kept->refcount += moved;
  f->refcount -= moved;  // the caller has one more
  return Ok();
}

}  // namespace minivm

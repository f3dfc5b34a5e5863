// _thread._ThreadHandle, by which threading waits for a thread; and the arguments of its
// excepthook.
#include <algorithm>
#include <cstring>

#include "runtime/core/wait_list.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/thread/thread_types.h"
#include "stdlib/timeout.h"

namespace minivm {

namespace {

class ThreadHandleObject : public Object {
 public:
  [[maybe_unused]] static constexpr bool kNeverInCycle = true;
  enum State : uint32_t { kNotStarted, kRunning, kDone };
  uint64_t ident = 0;
  State state = kNotStarted;
  WaitList waiting;
  char name[GilRow::kNameSize] = {};  // UTF-8, as much of it as there is room for
};

Result<> handle_new(ThreadState& ts, Args args) {
  return AllocInstance(ts, args.self<TypeObject>());
}

Result<> handle_repr(ThreadState& ts, Value self) {
  return Format(ts, "<%T object: ident=%llu>", self,
                static_cast<unsigned long long>(self.as<ThreadHandleObject>()->ident));
}
Result<> handle_ident(ThreadState& ts, Value self) {
  return NewIntU64(ts, self.as<ThreadHandleObject>()->ident);
}
Result<> handle_is_done(ThreadState& ts, Args args) { return Bool(ts, HandleIsDone(args[0])); }
Result<> handle_set_done(ThreadState& ts, Args args) {
  if (args.self<ThreadHandleObject>()->state == ThreadHandleObject::kNotStarted) {
    return Raise(ts, Exc::kRuntimeError, "thread not started");
  }
  HandleEnds(ts, args[0]);
  return None(ts);
}

// _set_name(name): what the numbers of the thread are kept under when it has ended.
Result<> handle_set_name(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1])) return Raise(ts, Exc::kTypeError, "a thread's name must be a string");
  const std::string text = ToUtf8(args.as<StrObject>(1));
  size_t n = std::min(text.size(), GilRow::kNameSize - 1);
  while (n < text.size() && n > 0 && (static_cast<uint8_t>(text[n]) & 0xC0) == 0x80) --n;
  char* name = args.self<ThreadHandleObject>()->name;
  std::memset(name, 0, GilRow::kNameSize);
  std::memcpy(name, text.data(), n);
  return None(ts);
}

// join(timeout=None): returns when the thread has ended, or the time is over.
Result<> handle_join(ThreadState& ts, Args args) {
  int64_t deadline = kNever;
  if (!IsNone(ts, args[1])) {
    MVM_TRY(int64_t ns,
            ToNanoseconds(ts, args[1], 1'000'000'000, "'timeout' must be a number or None"));
    if (ns >= 0) deadline = DeadlineAfter(ns);
  }
  MVM_TRY_VOID(JoinThread(ts, args[0], deadline));
  return None(ts);
}

const MethodSpec kHandleMethods[] = {
    {"_set_done(self, /)", handle_set_done, "The thread counts as ended: join() returns."},
    {"_set_name(self, name, /)", handle_set_name,
     "What module gil knows the thread by when it has ended."},
    {"is_done(self, /)", handle_is_done, "Whether the thread has ended."},
    {"join(self, timeout=None, /)", handle_join,
     "Wait until the thread has ended, or the time is over."},
};
const GetSetSpec kHandleGetSets[] = {{"ident", handle_ident}};

}  // namespace

const TypeSpec kThreadHandleType = {
    .name = "_thread._ThreadHandle",
    .size = sizeof(ThreadHandleObject),
    .slots = {.repr = handle_repr},
    .construct = {"_ThreadHandle()", handle_new},
    .methods = kHandleMethods,
    .getsets = kHandleGetSets,
};

Status JoinThread(ThreadState& ts, Value handle, int64_t deadline) {
  ThreadHandleObject* h = handle.as<ThreadHandleObject>();
  if (h->state == ThreadHandleObject::kNotStarted) {
    return Raise(ts, Exc::kRuntimeError, "thread not started");
  }
  if (h->state == ThreadHandleObject::kRunning && h->ident == ts.id) {
    return Raise(ts, Exc::kRuntimeError, "Cannot join current thread");
  }
  MVM_TRY_VOID(
      h->waiting.Wait(ts, h, deadline, [h] { return h->state == ThreadHandleObject::kDone; }));
  return Ok();
}

bool HandleIsDone(Value handle) {
  return handle.as<ThreadHandleObject>()->state == ThreadHandleObject::kDone;
}
const char* HandleName(Value handle) { return handle.as<ThreadHandleObject>()->name; }
uint64_t HandleIdent(Value handle) { return handle.as<ThreadHandleObject>()->ident; }

Status HandleStarts(ThreadState& ts, Value handle, uint64_t ident) {
  ThreadHandleObject* h = handle.as<ThreadHandleObject>();
  if (h->state != ThreadHandleObject::kNotStarted)
    return Raise(ts, Exc::kRuntimeError, "thread already started");
  h->state = ThreadHandleObject::kRunning;
  h->ident = ident;
  return Ok();
}
void HandleFails(Value handle) {
  handle.as<ThreadHandleObject>()->state = ThreadHandleObject::kNotStarted;
}
void HandleEnds(ThreadState& ts, Value handle) {
  ThreadHandleObject* h = handle.as<ThreadHandleObject>();
  h->state = ThreadHandleObject::kDone;
  h->waiting.WakeAll(ts);
}

Result<> NewThreadHandle(ThreadState& ts) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kThreadHandleType));
  return AllocInstance(ts, type);
}

Result<> MakeThreadHandle(ThreadState& ts, uint64_t ident) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kThreadHandleType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  made.as<ThreadHandleObject>()->ident = ident;
  made.as<ThreadHandleObject>()->state = ThreadHandleObject::kRunning;
  return made;
}

namespace {
const GetSetSpec kExceptHookFields[] = {
    {"exc_type", StructItem<0>, nullptr, "Class of the exception"},
    {"exc_value", StructItem<1>, nullptr, "The exception itself"},
    {"exc_traceback", StructItem<2>, nullptr, "Where it came from"},
    {"thread", StructItem<3>, nullptr, "The thread that it ended, or None"},
};
}  // namespace

const StructSequenceSpec kExceptHookArgs = {
    .type = StructSequenceTypeSpec(
        "_thread._ExceptHookArgs", kExceptHookFields,
        "What threading.excepthook() is given: (exc_type, exc_value, exc_traceback, thread).",
        "structseq(sequence, dict=<unrepresentable>)"),
    .visible = 4,
    .total = 4,
};

}  // namespace minivm

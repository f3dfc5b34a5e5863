// Records of modules that are being loaded. See import_lock.h.
#include "vm/import/import_lock.h"

#include <new>

#include "runtime/core/intern.h"
#include "runtime/core/wait_list.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

// Invariants: in the list while users > 0; `owner` is null when nobody loads the module.
struct ImportRecord {
  Ref<StrObject> name;
  ThreadState* owner = nullptr;
  uint32_t depth = 0;  // how many ImportLocks the owner has
  uint32_t users = 0;  // ImportLocks and waits that refer to the record
  WaitList waiting;
  ImportRecord* next = nullptr;
};

namespace {

ImportRecord*& Head(ThreadState& ts) {
  return reinterpret_cast<ImportRecord*&>(ts.rt->import_locks);
}

ImportRecord* Find(ThreadState& ts, StrObject* name) {
  ImportRecord* r = Head(ts);
  while (r != nullptr && r->name != name && !StrEquals(r->name, name)) r = r->next;
  return r;
}

void Leave(ThreadState& ts, ImportRecord* record) {
  if (--record->users > 0) return;
  ImportRecord** link = &Head(ts);
  while (*link != record) link = &(*link)->next;
  *link = record->next;
  delete record;
}

// Is it loaded by a thread that this one may wait for?
bool MustWait(ThreadState& ts, ImportRecord* record) {
  if (record->owner == nullptr || record->owner == &ts) return false;
  const ThreadState* t = ts.rt->threads;
  while (t != nullptr && t != record->owner) t = t->next;
  if (t == nullptr) {  // the thread is not in this child of a fork
    record->owner = nullptr;
    record->depth = 0;
    return false;
  }
  while (t->import_wait != nullptr) {
    t = static_cast<ImportRecord*>(t->import_wait)->owner;
    if (t == nullptr) break;
    if (t == &ts) return false;
  }
  return true;
}

Status Wait(ThreadState& ts, ImportRecord* record) {
  while (MustWait(ts, record)) {
    void* outer = std::exchange(ts.import_wait, record);
    Result<bool> done =
        record->waiting.Wait(ts, nullptr, kNever, [record] { return record->owner == nullptr; });
    ts.import_wait = outer;
    if (done.raised()) return kRaised;
  }
  return Ok();
}

ImportRecord* NewRecord(ThreadState& ts, StrObject* name) {
  ImportRecord* record = new (std::nothrow) ImportRecord;
  if (record == nullptr) {
    (void)RaiseMemoryError(ts);
    return nullptr;
  }
  record->name = Ref<StrObject>::Borrow(name);
  record->next = std::exchange(Head(ts), record);
  return record;
}

// The record of the global lock, that of a module without a name. fork() takes the lock as well
// from its first use on.
Result<ImportRecord*> GlobalRecord(ThreadState& ts) {
  StrObject* name = ts.rt->empty_str;
  if (ImportRecord* known = Find(ts, name)) return known;
  MVM_TRY(Ref<> imp, ts.rt->hooks.import_module(ts, "_imp"));
  MVM_TRY(Ref<> known, GetAttrOptional(ts, imp, "_at_fork"));
  if (known.is_absent()) {
    MVM_TRY(Ref<DictObject> hooks, NewDict(ts));
    for (const char* when : {"before", "after_in_parent", "after_in_child"}) {
      MVM_TRY(Ref<> f, GetAttr(ts, imp, when[0] == 'b' ? "acquire_lock" : "release_lock"));
      MVM_TRY(Ref<StrObject> key, InternUtf8(ts, when));
      MVM_TRY_VOID(DictSetStr(ts, hooks, key, f));
    }
    MVM_TRY_VOID(ModuleAdd(ts, imp.as<ModuleObject>(), "_at_fork", hooks));
    MVM_TRY(Ref<> posix, ts.rt->hooks.import_module(ts, "posix"));
    MVM_TRY(Ref<> at_fork, GetAttr(ts, posix, "register_at_fork"));
    MVM_TRY_VOID(CallWith(ts, at_fork, ts.rt->empty_tuple->as<TupleObject>(), hooks));
  }
  ImportRecord* record = Find(ts, name);
  if (record == nullptr) record = NewRecord(ts, name);
  if (record == nullptr) return kRaised;
  return record;
}

}  // namespace

Status AcquireGlobalImportLock(ThreadState& ts) {
  MVM_TRY(ImportRecord * record, GlobalRecord(ts));
  ++record->users;
  if (Wait(ts, record).raised()) {
    Leave(ts, record);
    return kRaised;
  }
  record->owner = &ts;
  ++record->depth;
  return Ok();
}

Status ReleaseGlobalImportLock(ThreadState& ts) {
  ImportRecord* record = Find(ts, ts.rt->empty_str);
  if (record == nullptr || record->owner != &ts) {
    return Raise(ts, Exc::kRuntimeError, "not holding the import lock");
  }
  if (--record->depth == 0) {
    record->owner = nullptr;
    record->waiting.WakeAll(ts);
  }
  Leave(ts, record);
  return Ok();
}

bool GlobalImportLockHeld(ThreadState& ts) {
  ImportRecord* record = Find(ts, ts.rt->empty_str);
  return record != nullptr && record->owner != nullptr;
}

ImportLock::ImportLock(ThreadState& ts, StrObject* name) : ts_(ts), record_(Find(ts, name)) {
  if (record_ == nullptr) {
    record_ = NewRecord(ts, name);
    if (record_ == nullptr) return;
  }
  ++record_->users;
  if (Wait(ts, record_).raised()) return;
  ok_ = true;
  if (record_->owner != nullptr && record_->owner != &ts) return;  // it waits for us
  record_->owner = &ts;
  ++record_->depth;
  held_ = true;
}

ImportLock::~ImportLock() {
  if (record_ == nullptr) return;
  if (held_ && record_->owner == &ts_ && --record_->depth == 0) {
    record_->owner = nullptr;
    record_->waiting.WakeAll(ts_);
  }
  Leave(ts_, record_);
}

Status AwaitImported(ThreadState& ts, StrObject* name) {
  if (MVM_LIKELY(Head(ts) == nullptr)) return Ok();
  ImportRecord* record = Find(ts, name);
  if (record == nullptr || record->owner == &ts) return Ok();
  ++record->users;
  Status done = Wait(ts, record);
  Leave(ts, record);
  return done;
}

}  // namespace minivm

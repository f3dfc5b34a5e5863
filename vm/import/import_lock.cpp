// Records of modules that are being loaded. See import_lock.h.
#include "vm/import/import_lock.h"

#include <new>

#include "runtime/core/wait_list.h"
#include "runtime/objects/str_object.h"

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

}  // namespace

ImportLock::ImportLock(ThreadState& ts, StrObject* name) : ts_(ts), record_(Find(ts, name)) {
  if (record_ == nullptr) {
    record_ = new (std::nothrow) ImportRecord;
    if (record_ == nullptr) {
      (void)RaiseMemoryError(ts);
      return;
    }
    record_->name = Ref<StrObject>::Borrow(name);
    record_->next = std::exchange(Head(ts), record_);
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

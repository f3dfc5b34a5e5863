// Who imports what: a module is loaded by one thread, and others that want it wait until it is
// done.
//
// One record per module that is being loaded, in a list of the VM. Two threads that would wait for
// each other, over however many records, do not: the one that finds out goes on without the lock,
// and sees the module as it is, as in a circular import.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

struct ImportRecord;

// The right to load a module, for the thread, while it lives. False: an exception is pending.
class ImportLock {
 public:
  ImportLock(ThreadState& ts, StrObject* name);
  ~ImportLock();
  ImportLock(const ImportLock&) = delete;
  ImportLock& operator=(const ImportLock&) = delete;
  explicit operator bool() const { return ok_; }

 private:
  ThreadState& ts_;
  ImportRecord* record_ = nullptr;
  bool held_ = false;
  bool ok_ = false;
};

// Waits until no other thread is loading the module.
Status AwaitImported(ThreadState& ts, StrObject* name);

// _imp's one lock for all imports, which is only held by those who ask for it: reentrant, and taken
// by whoever forks. RuntimeError when it is released by another thread than its holder.
Status AcquireGlobalImportLock(ThreadState& ts);
Status ReleaseGlobalImportLock(ThreadState& ts);
bool GlobalImportLockHeld(ThreadState& ts);

}  // namespace minivm

// The cycle collector of a VM: generations, statistics, and the gc module's state.
//
// Reference counts free most objects; the collector finds groups of containers that keep only each
// other alive. It runs at polls of the interpreter after RequestCollection, or when a script asks;
// never inside an allocation. collector.cpp has the essay.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/gc/heap.h"

namespace minivm {

class ThreadState;
class RuntimeState;
class ListObject;

enum GcDebug : uint32_t {
  kGcDebugStats = 1,
  kGcDebugCollectable = 2,
  kGcDebugUncollectable = 4,
  kGcDebugSaveAll = 32,
  kGcDebugLeak = kGcDebugCollectable | kGcDebugUncollectable | kGcDebugSaveAll,
};

class Collector {
 public:
  static constexpr int kGenerations = 3;
  struct Stats {
    int64_t collections = 0, collected = 0, uncollectable = 0;
  };

  Collector(RuntimeState* rt, Heap& heap) : rt_(rt), heap_(heap) {}
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // Collects generations 0..generation. Returns the number of unreachable objects found; 0 while a
  // collection is under way. Runs weak reference callbacks, finalizers and gc.callbacks.
  int64_t Collect(ThreadState& ts, int generation);
  // Serves kRequestCollect: chooses the generation by the thresholds.
  void CollectIfDue(ThreadState& ts);
  // From an allocation that finds the memory cap near: asks for a full collection, unless one has
  // just been of no use.
  void MemoryIsShort();

  bool enabled() const { return enabled_; }
  // A full collection at every poll that follows an allocation of a container, as long as there are
  // not too many: for tests.
  void set_stress();
  void set_enabled(bool on);
  int64_t threshold(int generation) const { return thresholds_[generation]; }
  void set_threshold(int generation, int64_t n);
  int64_t count(int generation) const;
  const Stats& stats(int generation) const { return stats_[generation]; }
  bool collecting() const { return collecting_; }
  uint32_t debug = 0;

  // Finalizers of garbage run in the order of the objects' turns: instances of classes with a
  // __del__ take theirs when they are made, others when a first weak reference is made to them. It
  // is kept in the scratch bits of the header, in which there is none (0) at first; those without
  // come last. It takes millions of turns until they begin anew.
  void TakeTurn(Object* o) {
    if (++last_turn_ > kGcRefsMask >> kGcRefsShift) last_turn_ = kFirstTurn;
    SetTurn(o, last_turn_);
  }
  // A turn before those of all others.
  void TakeEarlyTurn(Object* o) {
    if (++last_early_turn_ < kFirstTurn) SetTurn(o, last_early_turn_);
  }
  static bool HasTurn(const Object* o) { return (o->gc & (kGcRefsMask | kGcCollecting)) != 0; }

  // Moves every tracked object to the permanent generation, and back to the oldest.
  void Freeze();
  void Unfreeze();
  size_t FreezeCount();

  // gc.garbage and gc.callbacks: owned, made when the gc module is, else null.
  ListObject* garbage = nullptr;
  ListObject* callbacks = nullptr;
  // gc.callbacks hear of nothing any more: what they use is being taken apart.
  bool quiet = false;
  // The VM is taken apart.
  void DropRoots();

  // f(Object*) for each tracked object of age `generation` (-1: all but the frozen), those being
  // cleared left out. f must neither allocate nor free.
  template <class F>
  void ForEachTracked(int generation, F f) {
    WalkAll([&](Object* o) {
      int age = static_cast<int>(o->gc & kGcAgeMask);
      if (!(o->gc & kGcTracked) || (o->gc & kGcCollecting)) return;
      if (generation < 0 ? age <= 2 : age == generation) f(o);
    });
  }

 private:
  class Run;
  friend class Run;
  // Every live container.
  template <class F>
  void WalkAll(F f);
  void Notify(ThreadState& ts, const char* phase, int generation, int64_t collected,
              int64_t uncollectable);
  void UpdateThreshold();
  void AdaptYoung();
  static void SetTurn(Object* o, uint32_t turn) {
    if (o->gc & kGcCollecting) return;  // these bits are in use
    o->gc = (o->gc & ~kGcRefsMask) | turn << kGcRefsShift;
  }

  RuntimeState* rt_;
  Heap& heap_;
  bool enabled_ = true;
  bool collecting_ = false;
  bool full_wanted_ = false;
  bool stress_ = false;
  int64_t thresholds_[kGenerations] = {2000, 10, 10};
  // Young collections come after this many times thresholds_[0]: more for a program that makes many
  // containers; 1 once a script has set thresholds.
  int64_t patience_ = 1;
  bool own_thresholds_ = true;
  static constexpr uint32_t kFirstTurn = 1 << 16;
  uint32_t last_turn_ = kFirstTurn - 1, last_early_turn_ = 0;
  int64_t counts_[kGenerations] = {0, 0,
                                   0};  // collections of the younger one since; [0] is the heap's
  int64_t old_total_ = 0;               // survivors of the last full collection
  int64_t old_pending_ = 0;             // objects that have become old since
  size_t short_mark_ = 0;               // bytes held after the last collection for lack of memory
  Stats stats_[kGenerations];
};

template <class F>
void Collector::WalkAll(F f) {
  for (size_t i = 0; i < heap_.container_page_count(); ++i) {
    Heap::ForEachInPage(heap_.container_pages()[i], f);
  }
  heap_.ForEachLarge([&](Page* p) {
    Object* o = reinterpret_cast<Object*>(p->slots());
    if (p->container && o->refcount != 0) f(o);
  });
}

}  // namespace minivm

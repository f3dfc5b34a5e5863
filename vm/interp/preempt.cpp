// Preemption: how a running thread gives the lock away between two instructions.
//
// Two ways lead here. A thread whose patience is over sets kRequestSwitch (core/gil.h) and stores
// the breaker, so that the holder stops at its next poll, which is a back edge or a call. If it
// gave way there, nothing between two polls would ever be interrupted, and races that are
// documented would not happen: it runs on under the tick table for a random number of instructions,
// and then hands over. With sys.setcheckinterval(n) every thread counts instructions, as long as
// there are two, and offers the lock at each n-th.
//
// Nothing is half done here: the word at ts.pc has not begun, and is read again afterwards.
#include "runtime/core/gil.h"
#include "vm/interp/interp_slow.h"

namespace minivm {

namespace {

constexpr uint32_t kMostUntilSwitch = 32;

void Tick(ThreadState& ts);

// The tick table while there is something to count.
void ChooseTick(ThreadState& ts) {
  InterpState& s = InterpOf(ts);
  s.tick_wanted = s.switch_in != 0 || s.checking;
  s.tick = s.tick_wanted ? Tick : nullptr;
  UpdateTicking(ts);
}

void Tick(ThreadState& ts) {
  InterpState& s = InterpOf(ts);
  Gil* gil = ts.rt->gil;
  if (s.switch_in != 0 && --s.switch_in == 0) {
    ChooseTick(ts);
    gil->HandOver(ts);
  } else if (s.checking && --s.check_left <= 0) {
    s.check_left = ts.rt->check_interval;
    if (gil->wanted()) gil->Offer(ts);
  }
}

}  // namespace

void PrepareSwitch(ThreadState& ts) {
  InterpState& s = InterpOf(ts);
  if (s.switch_in != 0) return;
  s.random ^= s.random << 13;
  s.random ^= s.random >> 17;
  s.random ^= s.random << 5;
  s.switch_in = 1 + s.random % kMostUntilSwitch;
  ChooseTick(ts);
}

void UpdatePreemption(RuntimeState& rt) {
  const bool checking = rt.check_interval_set && rt.threads->next != nullptr;
  for (ThreadState* t = rt.threads; t != nullptr; t = t->next) {
    if (t->interp == nullptr) continue;
    InterpState& s = InterpOf(*t);
    if (!checking && !s.checking) continue;
    s.checking = checking;
    s.check_left = rt.check_interval;
    ChooseTick(*t);
  }
}

}  // namespace minivm

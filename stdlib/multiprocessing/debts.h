// Who has taken room in a bounded queue for messages that are not in its pipe yet.
//
// put() takes a place, and the feeder thread writes the message some time after. A process that is
// killed in between would keep the places for ever: so each notes in shared memory how many it
// owes, and who finds no room asks whether the others still live. Rows are of processes; there is
// none for the 65th, which is then trusted to live.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace minivm {

// Invariants: a row with places has the pid of who owes them; `born` tells processes that have had
// the same pid one after the other apart (0: not known yet). kBeingSettled: another looks after it.
struct Debts {
  static constexpr int kRows = 64;
  static constexpr pid_t kFree = 0, kBeingSettled = -1;
  struct Row {
    std::atomic<pid_t> pid;
    std::atomic<uint32_t> places;
    std::atomic<uint64_t> born;
  };
  Row rows[kRows];

  // This process's row; null: there is none left.
  Row* Mine();
  // Takes what the dead owe, and returns how many places that is.
  uint32_t Settle();
};

// One place less, if there is one.
void Pay(Debts::Row* row);

}  // namespace minivm

// Debts of processes, and whether they live: /proc knows.
#include "stdlib/multiprocessing/debts.h"

#include <fcntl.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace minivm {

namespace {

// When a process was started, in ticks of the system; 0: it is dead, or not to be found.
uint64_t Birth(pid_t pid) {
  char name[32], text[1024];
  std::snprintf(name, sizeof name, "/proc/%d/stat", static_cast<int>(pid));
  const int fd = open(name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return 0;
  text[n] = 0;
  const char* at = std::strrchr(text, ')');  // the name before it may be anything
  if (at == nullptr || std::strlen(at) < 3 || std::strchr("ZXx", at[2]) != nullptr) return 0;
  for (int field = 2; field < 22 && at != nullptr; ++field) at = std::strchr(at + 1, ' ');
  return at == nullptr ? 0 : std::strtoull(at, nullptr, 10);
}

bool Lives(const Debts::Row& row, pid_t pid) {
  const uint64_t born = row.born, birth = Birth(pid);
  return birth != 0 && (born == 0 || born == birth);
}

}  // namespace

Debts::Row* Debts::Mine() {
  const pid_t me = getpid();
  uint64_t birth = 0;
  for (Row& row : rows) {
    if (row.pid != me) continue;
    if (birth == 0) birth = Birth(me);
    if (row.born == birth) return &row;
  }
  if (birth == 0) birth = Birth(me);
  if (birth == 0) return nullptr;  // no /proc
  for (int turn = 0; turn < 2; ++turn) {
    for (Row& row : rows) {
      pid_t before = row.pid;
      // Rows of the dead are taken over when there are no others.
      if (before != kFree &&
          (turn == 0 || before == kBeingSettled || row.places != 0 || Lives(row, before))) {
        continue;
      }
      if (!row.pid.compare_exchange_strong(before, kBeingSettled)) continue;
      row.places = 0;
      row.born = birth;
      row.pid = me;
      return &row;
    }
  }
  return nullptr;
}

uint32_t Debts::Settle() {
  uint32_t found = 0;
  if (Birth(getpid()) == 0) return found;
  for (Row& row : rows) {
    pid_t pid = row.pid;
    if (pid == kFree || pid == kBeingSettled || Lives(row, pid)) continue;
    if (!row.pid.compare_exchange_strong(pid, kBeingSettled)) continue;
    found += row.places.exchange(0);
    row.born = 0;
    row.pid = kFree;
  }
  return found;
}

void Pay(Debts::Row* row) {
  uint32_t places = row->places;
  while (places > 0 && !row->places.compare_exchange_weak(places, places - 1)) {
  }
}

}  // namespace minivm

// What a VM that is taken apart should not hold any more: the proof that no reference is lost.
//
// For tests (VmConfig::TEST_leaks). Three questions, each with an exact answer:
//  - Are there containers that a last collection leaves, though nothing immortal leads to them?
//    Somebody in C++ kept a reference, or a container was never tracked or visits too little.
//  - Does dropping every reference that every object owns bring every count to nothing? More is a
//    reference that nobody owns, less one that was dropped twice.
//  - Are all buffers freed when their owners are?
// Slow, and free to use the C++ library's containers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/core/thread_state.h"

namespace minivm {

class LeakCheck {
 public:
  // Adds a line to *report for every kind of thing that is left.
  LeakCheck(RuntimeState& rt, std::string* report) : rt_(rt), report_(report) {}

  // When all roots have been dropped and no script code can run: collects, and lists the containers
  // that are left.
  void BeforeDestruction(ThreadState& ts);
  // When every object has dropped what it owns; `excess` was added to each count before.
  void AfterDestruction(uint32_t excess);
  // At the very end.
  void Buffers();

 private:
  struct Seen {
    Object* object;
    size_t type;  // in type_names_
    bool immortal;
  };
  void Line(const char* what, size_t n, const std::string& type, Object* sample);

  RuntimeState& rt_;
  std::string* report_;
  std::vector<std::string> type_names_;
  std::vector<Seen> seen_;
};

}  // namespace minivm

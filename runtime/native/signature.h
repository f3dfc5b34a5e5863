// The parsed signatures of a VM, one per MethodSpec, made on first use.
//
// Specs are constant data shared by all VMs; names and defaults are objects of one VM.
#pragma once

#include "runtime/native/native_function.h"

namespace minivm {

class SignatureTable {
 public:
  ~SignatureTable();
  // Null: not parsed yet.
  const Signature* Find(const MethodSpec* spec) const;
  bool Insert(const MethodSpec* spec, Signature* sig);
  // Drops the references that signatures own.
  void Clear(Heap& heap);

 private:
  struct Entry {
    const MethodSpec* spec;
    Signature* sig;
  };
  Entry* entries_ = nullptr;
  uint32_t mask_ = 0, used_ = 0;
};

}  // namespace minivm

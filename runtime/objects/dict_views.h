// Views and iterators of dict.
#pragma once

#include "runtime/objects/dict_object.h"

namespace minivm {

// dict_keys, dict_values, dict_items: which one is told by the shape id.
class DictView : public Object {
 public:
  DictObject* dict = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(dict);
  }
};

// The three forward and the three reverse iterators.
class DictIterator : public Object {
 public:
  DictObject* dict = nullptr;  // null when exhausted
  uint64_t position = 0;       // of DictNext; reverse: entries below it are still to come
  uint64_t expected = 0;       // the dict's size at the start
  uint64_t remaining = 0;
  TupleObject* last = nullptr;  // of items: the pair handed out last (PairAgain)
  template <class V>
  void VisitRefs(V&& v) {
    v(dict);
    v(last);
  }
};

Result<DictView> NewDictView(ThreadState& ts, DictObject* d, TypeId kind);
// kind: kDictKeyIterator and its five siblings.
Result<DictIterator> NewDictIterator(ThreadState& ts, DictObject* d, TypeId kind);

}  // namespace minivm

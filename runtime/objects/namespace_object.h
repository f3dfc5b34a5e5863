// mappingproxy (a read-only view of a mapping) and types.SimpleNamespace.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class MappingProxyObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kMappingProxy;
  Value mapping;
  template <class V>
  void VisitRefs(V&& v) {
    v(mapping);
  }
};

class SimpleNamespaceObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kSimpleNamespace;
  DictObject* dict = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(dict);
  }
};

Result<MappingProxyObject> NewMappingProxy(ThreadState& ts, Value mapping);
// Takes a new reference to `dict`, whose entries become the attributes; null: an empty one.
Result<SimpleNamespaceObject> NewSimpleNamespace(ThreadState& ts, DictObject* dict);

}  // namespace minivm

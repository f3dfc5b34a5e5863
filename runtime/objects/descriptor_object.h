// Descriptors that describe natively stored or computed attributes, as found in the dictionaries
// of types: getset_descriptor, member_descriptor (__slots__), wrapper_descriptor (a slot of a
// built-in type under its special name) and method-wrapper (the same, bound).
//
// Methods of built-in types are in native/native_function.h, those of scripts in method_object.h.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

struct SlotRow;

class GetSetDescriptorObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kGetSetDescriptor;
  const GetSetSpec* spec = nullptr;
  TypeObject* owner = nullptr;
  StrObject* name = nullptr;
  Value qualname;  // null until asked for
  template <class V>
  void VisitRefs(V&& v) {
    v(owner);
    v(name);
    v(qualname);
  }
};

// Invariant: with `spec` it is a read-only member of a built-in type. Else offset > 0 is where the
// Value stands in the instance; 0: the owner is derived from a variable-size built-in, and the
// value is in the tail dictionary under the descriptor itself.
class MemberDescriptorObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kMemberDescriptor;
  TypeObject* owner = nullptr;
  StrObject* name = nullptr;
  uint32_t offset = 0;
  const GetSetSpec* spec = nullptr;
  Value qualname;
  template <class V>
  void VisitRefs(V&& v) {
    v(owner);
    v(name);
    v(qualname);
  }
};

class WrapperDescriptorObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kWrapperDescriptor;
  const SlotRow* row = nullptr;  // core/slot_table.h
  TypeObject* owner = nullptr;   // built-in; the slot function is its
  template <class V>
  void VisitRefs(V&& v) {
    v(owner);
  }
};

class MethodWrapperObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kMethodWrapper;
  WrapperDescriptorObject* descriptor = nullptr;
  Value self;
  template <class V>
  void VisitRefs(V&& v) {
    v(descriptor);
    v(self);
  }
};

Result<GetSetDescriptorObject> NewGetSetDescriptor(ThreadState& ts, const GetSetSpec& spec,
                                                   TypeObject* owner);
Result<MemberDescriptorObject> NewMemberDescriptor(ThreadState& ts, TypeObject* owner,
                                                   StrObject* name, uint32_t offset);
Result<WrapperDescriptorObject> NewWrapperDescriptor(ThreadState& ts, TypeObject* owner,
                                                     const SlotRow* row);

// GetSetSpec::set of attributes that are read-only members: "readonly attribute". Their descriptors
// are member descriptors.
Status SetReadOnlyMember(ThreadState& ts, Value self, Value value);

// descriptor(self, ...): raw has self first; checks its type.
Result<> CallWrapper(ThreadState& ts, WrapperDescriptorObject* w, Args raw);

// The `__text_signature__`/`__doc__` text of "name($self, ...)\n--\n\ndoc" pairs is made from
// MethodSpec and SlotRow tables; this is the "(...)" part of a signature text, with `self` as
// "$self". None for raw signatures.
Result<> TextSignature(ThreadState& ts, const char* signature);

}  // namespace minivm

// The types of module _collections (published by collections).
#pragma once

#include "runtime/objects/dict_object.h"

namespace minivm {

extern const TypeSpec kDequeType;
extern const TypeSpec kDequeIteratorType;
extern const TypeSpec kDequeReverseIteratorType;
extern const TypeSpec kDefaultDictType;
extern const TypeSpec kOrderedDictType;
extern const TypeSpec kOdictKeysType;
extern const TypeSpec kOdictValuesType;
extern const TypeSpec kOdictItemsType;
extern const TypeSpec kOdictIteratorType;
extern const TypeSpec kTupleGetterType;

// ---- a deque for natives ----

// A deque and no instance of a subclass, without a maxlen.
bool IsPlainDeque(ThreadState& ts, Value v);
// REQUIRES for all of these: IsPlainDeque(); for the last two: it is not empty.
uint64_t DequeSize(Value deque);
Status DequeAppend(ThreadState& ts, Value deque, Value item);
Value DequeFirst(Value deque);
Ref<> DequePopLeft(ThreadState& ts, Value deque);

}  // namespace minivm

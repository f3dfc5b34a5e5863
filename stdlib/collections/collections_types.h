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

}  // namespace minivm

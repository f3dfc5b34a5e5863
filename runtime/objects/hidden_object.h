// Objects that the collector finds but scripts must not get hold of: cells that are the places of
// values in dictionaries, and the dictionaries of classes, on which call sites rely (they are
// changed by TypeSetAttr only). gc.get_objects() and its like show what is in them in their place,
// mappingproxy hands out copies.
#pragma once

#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"

namespace minivm {

inline constexpr uint32_t kOfClass = 1;  // in `aux` of a celled dictionary

inline void MarkClassDict(DictObject* d) { d->aux = kOfClass; }

inline bool IsHiddenFromScripts(const Object* o) {
  return IsCellOfDict(o) || (o->shape_id == kShapeCelledDict && o->aux == kOfClass);
}

}  // namespace minivm

// Module _collections: the native types of collections, in stdlib/collections/, and the counting
// loop of Counter.
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/collections/collections_types.h"

namespace minivm {
namespace {

// Is the mapping a dict that reads and writes items as dict does?
Result<bool> CountsAsDict(ThreadState& ts, Value mapping) {
  if (!IsDict(ts, mapping)) return false;
  TypeObject *type = TypeOf(ts, mapping), *dict = TypeById(ts, TypeId::kDict);
  if (type == dict) return mapping.as<DictObject>()->storage == DictStorage::kHash;
  StrObject *get = MVM_NAME(ts, get), *set = MVM_NAME(ts, __setitem__);
  return TypeLookup(ts, type, get).is(TypeLookup(ts, dict, get)) &&
         TypeLookup(ts, type, set).is(TypeLookup(ts, dict, set));
}

Status CountInDict(ThreadState& ts, DictObject* d, Value iterable) {
  return ForEach(ts, iterable, [&](Value key) -> Status {
    MVM_TRY(uint32_t hash, DictHashKey(ts, key));
    MVM_TRY(Value * place, DictFindHashed(ts, d, key, hash));
    if (!place) return DictSetHashed(ts, d, key, hash, Value::Int(1));
    if (MVM_LIKELY(place->is_int() && place->as_int() < Value::kMaxInt)) {
      *place = Value::Int(place->as_int() + 1);
      return Ok();
    }
    const Ref<> count = Ref<>::Borrow(*place);
    MVM_TRY(Ref<> sum, Binary(ts, BinaryOp::kAdd, count, Value::Int(1)));
    return DictSetHashed(ts, d, key, hash, sum);
  });
}

// _count_elements(mapping, iterable): mapping[item] = mapping.get(item, 0) + 1 for every item.
Result<> count_elements(ThreadState& ts, Args args) {
  MVM_TRY(bool plain, CountsAsDict(ts, args[0]));
  if (plain) {
    MVM_TRY_VOID(CountInDict(ts, args.as<DictObject>(0), args[1]));
    return None(ts);
  }
  MVM_TRY(Ref<> get, GetAttr(ts, args[0], MVM_NAME(ts, get)));
  MVM_TRY_VOID(ForEach(ts, args[1], [&](Value key) -> Status {
    MVM_TRY(Ref<> count, Call(ts, get, key, Value::Int(0)));
    MVM_TRY(Ref<> sum, Binary(ts, BinaryOp::kAdd, count, Value::Int(1)));
    return SetItem(ts, args[0], key, sum);
  }));
  return None(ts);
}

const MethodSpec kFunctions[] = {
    {"_count_elements(mapping, iterable, /)", count_elements,
     "Raise the count that mapping has for each element of iterable by one; a missing count begins "
     "at 0."},
};
const TypeSpec* const kTypes[] = {
    &kDequeType,       &kDequeIteratorType, &kDequeReverseIteratorType,
    &kDefaultDictType, &kOrderedDictType,   &kTupleGetterType,
};

}  // namespace

extern const ModuleSpec k__collections_module;
const ModuleSpec k__collections_module = {
    .name = "_collections",
    .doc = "The native half of collections: deque, defaultdict and OrderedDict.",
    .functions = kFunctions,
    .types = kTypes,
};

}  // namespace minivm

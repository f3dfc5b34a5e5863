// functools._lru_cache_wrapper: the callable that lru_cache makes.
//
// Results are in a dict whose order is the order of use: a hit moves its key to the end, so the
// first entry is the one to evict. Calls of the function may re-enter the cache in any way; after
// each, the cache is looked at afresh.
#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/method_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

extern const TypeSpec kLruCacheType;

namespace {

class LruCache : public Object {
 public:
  DictObject* attributes = nullptr;  // __dict__; first, see dict_offset
  Value function;
  Value info_type;
  DictObject* cache = nullptr;
  Value keyword_mark;    // between positional and keyword arguments in a key
  int64_t maxsize = -1;  // -1: unbounded
  bool typed = false;
  int64_t hits = 0, misses = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(attributes);
    v(function);
    v(info_type);
    v(cache);
    v(keyword_mark);
  }
};

Result<> lru_new(ThreadState& ts, Args args) {
  if (!IsCallable(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "the first argument must be callable");
  int64_t maxsize = -1;
  if (!IsNone(ts, args[2])) {
    if (!IsInt(ts, args[2])) return Raise(ts, Exc::kTypeError, "maxsize should be integer or None");
    MVM_TRY(maxsize, AsInt64(ts, args[2]));
    if (maxsize < 0) maxsize = 0;
  }
  MVM_TRY(bool typed, Truth(ts, args[3]));
  MVM_TRY(Ref<DictObject> cache, NewDict(ts));
  MVM_TRY(Ref<> mark, AllocInstance(ts, TypeById(ts, TypeId::kObject)));
  MVM_TRY(Ref<> made, AllocInstance(ts, args.self<TypeObject>()));
  LruCache* c = made.as<LruCache>();
  c->function = Ref<>::Borrow(args[1]).Release();
  c->info_type = Ref<>::Borrow(args[4]).Release();
  c->cache = cache.Release();
  c->keyword_mark = mark.Release();
  c->maxsize = maxsize;
  c->typed = typed;
  return made;
}

// What the arguments are filed under: a single int or str itself, else a tuple of the positional
// arguments, a mark and the keywords, and the types if they count.
Result<> MakeKey(ThreadState& ts, const LruCache* c, Args raw) {
  if (!c->typed && raw.nkw == 0 && raw.n == 1 &&
      (raw[0].is_int() || IsExact(raw[0], TypeId::kStr) || IsExact(raw[0], TypeId::kInt))) {
    return Result<>::Borrow(raw[0]);
  }
  const size_t given = size_t{raw.n} + raw.nkw;
  const size_t size = raw.n + (raw.nkw ? 1 + 2 * size_t{raw.nkw} : 0) + (c->typed ? given : 0);
  if (size == 0) return Result<>::Borrow(ts.rt->empty_tuple);
  MVM_TRY(Ref<TupleObject> key, NewTupleRaw(ts, size));
  Value* out = key->items();
  const auto put = [&](Value v) { *out++ = Ref<>::Borrow(v).Release(); };
  for (uint32_t i = 0; i < raw.n; ++i) put(raw[i]);
  if (raw.nkw > 0) {
    put(c->keyword_mark);
    const TupleObject* names = raw.v[given].as<TupleObject>();
    for (uint32_t i = 0; i < raw.nkw; ++i) {
      put((*names)[i]);
      put(raw.v[raw.n + i]);
    }
  }
  if (c->typed) {
    for (size_t i = 0; i < given; ++i) put(TypeOf(ts, raw.v[i]));
  }
  Track(key);
  return key;
}

// The key with its hash at hand; tuples are hashed once per call this way.
Result<> lru_call(ThreadState& ts, Value self, Args raw) {
  LruCache* c = self.as<LruCache>();
  if (!c->cache) return Raise(ts, Exc::kTypeError, "the cache is gone");
  if (c->maxsize == 0) {
    ++c->misses;
    return CallRaw(ts, c->function, raw);
  }
  const Ref<DictObject> cache = Ref<DictObject>::Borrow(c->cache);
  MVM_TRY(Ref<> key, MakeKey(ts, c, raw));
  MVM_TRY(uint32_t hash, DictHashKey(ts, key));
  MVM_TRY(Value * found, DictFindHashed(ts, cache, key, hash));
  if (found) {
    Ref<> value = Ref<>::Borrow(*found);
    ++c->hits;
    if (c->maxsize < 0) return value;
    if (IsExact(key, TypeId::kStr) || key.get().is_int()) {
      MVM_TRY_VOID(DictMoveToEnd(ts, cache, key, true));
      return value;
    }
    // A key's __hash__ runs once per call.
    MVM_TRY(Ref<> popped, DictPopHashed(ts, cache, key, hash));
    MVM_TRY_VOID(DictSetHashed(ts, cache, key, hash, value));
    return value;
  }
  ++c->misses;
  const Ref<> function = Ref<>::Borrow(c->function);
  MVM_TRY(Ref<> value, CallRaw(ts, function, raw));
  if (c->maxsize > 0) {
    // A nested call may have entered the key.
    MVM_TRY(Value * entered, DictFindHashed(ts, cache, key, hash));
    if (entered) return value;
    while (static_cast<int64_t>(DictSize(cache)) >= c->maxsize) {
      Ref<> old_key, old_value;
      MVM_TRY(bool evicted, DictPopEnd(ts, cache, false, &old_key, &old_value));
      if (!evicted) break;
    }
  }
  MVM_TRY_VOID(DictSetHashed(ts, cache, key, hash, value));
  return value;
}

Result<> lru_get(ThreadState& ts, Value self, Value object, Value) {
  if (!object || IsNone(ts, object)) return Result<>::Borrow(self);
  return NewBoundMethod(ts, self, object);
}

Result<> lru_cache_info(ThreadState& ts, Args args) {
  const LruCache* c = args.self<LruCache>();
  const Ref<> type = Ref<>::Borrow(c->info_type);
  MVM_TRY(Ref<> maxsize, c->maxsize < 0 ? None(ts) : NewInt(ts, c->maxsize));
  Value values[] = {Value::Int(c->hits), Value::Int(c->misses), maxsize,
                    Value::Int(static_cast<int64_t>(DictSize(c->cache)))};
  return Call(ts, type, values);
}

Result<> lru_cache_clear(ThreadState& ts, Args args) {
  LruCache* c = args.self<LruCache>();
  c->hits = c->misses = 0;
  DictClear(ts, c->cache);
  return None(ts);
}

Result<> lru_reduce(ThreadState& ts, Args args) {
  return GetAttr(ts, args[0], MVM_NAME(ts, __qualname__));
}
Result<> lru_copy(ThreadState&, Args args) { return Result<>::Borrow(args[0]); }

const MethodSpec kMethods[] = {
    {"__copy__(self, /)", lru_copy},
    {"__deepcopy__(self, memo, /)", lru_copy},
    {"__reduce__(self, /)", lru_reduce},
    {"cache_clear(self, /)", lru_cache_clear, "Forget every result, and count from zero again."},
    {"cache_info(self, /)", lru_cache_info,
     "How often an earlier result served, how often not, the limit, and how many results are kept"},
};

}  // namespace

const TypeSpec kLruCacheType = {
    .name = "functools._lru_cache_wrapper",
    .doc = "A function with the results of earlier calls at hand, as lru_cache() makes it.",
    .flags = kTypeBase | kTypeMethodDescriptor | kTypeWeakrefs,
    .size = sizeof(LruCache),
    .gc = GcHooksOf<LruCache>(),
    .slots = {.call = lru_call, .descr_get = lru_get},
    .construct = {"lru_cache(user_function, maxsize, typed, cache_info_type)", lru_new},
    .methods = kMethods,
    .storage = AttrStorage::kDictField,
    .dict_offset = sizeof(Object),
};

}  // namespace minivm

// What the dispatch loop does at sites of attributes (slow_attr.cpp).
#pragma once

#include "vm/interp/interp_slow.h"
#include "vm/interp/interp_state.h"

namespace minivm {

// The AttrCache's entry for the object's shape and the site's name, or null.
inline const AttrCache::Entry* PolyEntry(ThreadState* ts, const Word* pc, Value o) {
  const CacheEntry* cache = CacheOf(pc);
  const uint32_t shape = o.object()->shape_id;
  const AttrCache::Entry* e = static_cast<AttrCache*>(ts->rt->attr_cache)->At(shape, cache->a);
  return MVM_LIKELY(e->shape == shape && reinterpret_cast<uint64_t>(e->name) == cache->ptr)
             ? e
             : nullptr;
}

// Subclasses mostly have an attribute in the same slot. So a site keeps the last one: what the slot
// holds is there before the AttrCache's entry, which then only has to say so.
inline uint32_t LikelySlot(const CacheEntry* cache) {
  uint32_t slot = cache->b;
  asm("" : "+r"(slot));  // else the compiler takes the entry's, which is equal but later
  return slot;
}
inline bool IsLikelySlot(CacheEntry* cache, const AttrCache::Entry* e) {
  if (MVM_LIKELY(e->payload == cache->b)) return true;
  cache->b = static_cast<uint32_t>(e->payload);
  return false;
}

}  // namespace minivm

// ---- forms of GETATTR, for the dispatch loop alone (arith_forms.h) ----

#define GETATTR_POLY_BODY(WRITE)                                             \
  {                                                                          \
    Value o = R[pc->b];                                                      \
    if (MVM_LIKELY(o.is_pointer())) {                                        \
      CacheEntry* cache = CacheOf(pc);                                       \
      const uint32_t likely = LikelySlot(cache);                             \
      const AttrCache::Entry* e = PolyEntry(ts, pc, o);                      \
      if (MVM_LIKELY(e != nullptr)) {                                        \
        const Value* slots = reinterpret_cast<const Value*>(o.object() + 1); \
        Value v;                                                             \
        if (MVM_UNLIKELY(e->kind != AttrCache::kGetSlot)) {                  \
          v = reinterpret_cast<CellObject*>(e->payload)->value;              \
        } else if (MVM_LIKELY(IsLikelySlot(cache, e))) {                     \
          v = slots[likely];                                                 \
        } else {                                                             \
          v = slots[e->payload];                                             \
        }                                                                    \
        if (MVM_LIKELY(!v.is(ts->rt->unbound))) {                            \
          INCREF(v);                                                         \
          bool consume = pc->c & kConsume1;                                  \
          WRITE(v);                                                          \
          if (consume) DECREF(o);                                            \
          NEXT();                                                            \
        }                                                                    \
      }                                                                      \
    }                                                                        \
    SLOW(SlowGetAttr(ts, R, pc));                                            \
  }
// VALUE with the site's `cache`, unless MISSING holds of it.
#define GETATTR_CACHED(LABEL, GUARD, VALUE, MISSING) \
  LABEL : {                                          \
    Value o = R[pc->b];                              \
    CacheEntry* cache = CacheOf(pc);                 \
    if (MVM_LIKELY(GUARD)) {                         \
      Value v = (VALUE);                             \
      if (MVM_LIKELY(!(MISSING))) {                  \
        INCREF(v);                                   \
        Value old = R[pc->a];                        \
        R[pc->a] = v;                                \
        if (pc->c & kToLocal) DECREF(old);           \
        if (pc->c & kConsume1) DECREF(o);            \
        NEXT();                                      \
      }                                              \
    }                                                \
    SLOW(SlowGetAttr(ts, R, pc));                    \
  }
#define CELL_VALUE reinterpret_cast<CellObject*>(cache->ptr)->value

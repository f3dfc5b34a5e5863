// What the dispatch loop does at sites of attributes that meet several shapes (slow_attr.cpp).
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

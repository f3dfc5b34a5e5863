// Checks of the heap and lists of what is alive. See gc_debug.h.
//
// Heap::Verify lives here rather than in heap.cpp: it is no part of running a program.
#include "runtime/gc/gc_debug.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/gc/object_refs.h"

namespace minivm {

void Heap::Verify() {
  size_t containers = 0;
  for (size_t i = 0; i < page_count_; ++i) {
    Page* p = pages_[i];
    MVM_CHECK(p->index == i && p->heap == this && !p->large, "a page knows its place");
    MVM_CHECK(p->live <= p->fresh && p->fresh <= p->capacity, "slots in use were carved");
    MVM_CHECK(p->container == (p->kind == kPageContainer), "kind");
    containers += p->container;
    uint32_t free = 0;
    for (FreeSlot* s = p->free; s; s = s->next) {
      MVM_CHECK(Page::Of(s) == p && s->refcount == 0, "free lists stay in their page");
      MVM_CHECK(++free <= p->fresh, "a free list ends");
    }
    MVM_CHECK(free + p->live == p->fresh, "every carved slot is live or free");
    bool current = current_[p->kind][p->size_class] == p;
    MVM_CHECK(!(current && p->listed), "the current page is not listed");
    MVM_CHECK(!tracer_ || (!current && p->slow_at == UINT32_MAX), "a traced page has no fast path");
    MVM_CHECK(tracer_ || p->slow_at == (current ? 0 : p->listed ? 1 : p->slow_at), "thresholds");
    if (p->kind != kPageBuffer) {
      uint32_t live = 0;
      ForEachInPage(p, [&](Object*) { ++live; });
      MVM_CHECK(live <= p->live, "objects without a count are not alive");
    }
  }
  MVM_CHECK(containers == container_page_count_, "container pages are known");
  for (size_t i = 0; i < young_pages_.count; ++i) {
    MVM_CHECK(young_pages_.items[i]->young && young_pages_.items[i]->young_index == i,
              "young pages");
  }
  for (size_t i = 0; i < middle_pages_.count; ++i) {
    MVM_CHECK(middle_pages_.items[i]->middle && middle_pages_.items[i]->middle_index == i,
              "middle pages");
  }
  for (auto& kind : partial_) {
    for (Page* head : kind) {
      for (Page* p = head; p; p = p->next) {
        MVM_CHECK(p->listed && (!p->next || p->next->prev == p), "listed pages are linked");
      }
    }
  }
}

size_t Heap::BufferBytes() {
  size_t bytes = stats_.bytes - page_count_ * kPageSize;
  ForEachLarge([&](Page* p) { bytes -= p->region_size; });
  for (size_t i = 0; i < page_count_; ++i) {
    if (pages_[i]->kind == kPageBuffer) bytes += size_t{pages_[i]->live} * pages_[i]->slot_size;
  }
  return bytes;
}

void VerifyHeap(RuntimeState& rt) {
  rt.heap.Verify();
  std::unordered_map<Object*, uint64_t> references;
  class Count final : public Visitor {
   public:
    explicit Count(std::unordered_map<Object*, uint64_t>& map) : map_(map) {}
    void Seen(Object* child) override {
      MVM_CHECK(child->refcount != 0, "a live object refers to a dead one");
      ++map_[child];
    }

   private:
    std::unordered_map<Object*, uint64_t>& map_;
  } count(references);
  rt.heap.ForEachObject([&](Object* o) {
    MVM_CHECK(o->shape_id != 0 && o->shape_id < rt.shape_count, "shape id");
    MVM_CHECK(rt.shapes[o->shape_id].type != nullptr, "a live object has a type");
    if (o->gc & kGcTracked) MVM_CHECK(Page::Of(o)->container, "only containers are tracked");
    if (o->gc & kGcTracked) VisitObject(rt, o, count);  // others may be half made
  });
  for (auto& [object, n] : references) {
    MVM_CHECK(object->refcount >= n, "more references than the count says");
  }
}

void DumpLiveObjects(RuntimeState& rt, std::FILE* out, int lines) {
  std::unordered_map<TypeObject*, size_t> by_type;
  rt.heap.ForEachObject([&](Object* o) { ++by_type[rt.shapes[o->shape_id].type]; });
  std::vector<std::pair<size_t, TypeObject*>> sorted;
  for (auto& [type, n] : by_type) sorted.emplace_back(n, type);
  std::sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.first > b.first; });
  for (auto& [n, type] : sorted) {
    if (lines-- == 0) break;
    char name[256];
    size_t size = type ? TypeDisplayName(type, name, sizeof(name)) : 0;
    std::fprintf(out, "%8zu %.*s\n", n, static_cast<int>(size), name);
  }
}

}  // namespace minivm

// The table is open addressing with linear probing; removal moves later entries of the run back, so
// that there are no tombstones.
#include "runtime/core/intern.h"

#include <cstring>

#include "runtime/objects/str_object.h"
#include "runtime/support/hash.h"
#include "runtime/support/mapped_memory.h"
#include "runtime/support/utf8.h"

namespace minivm {

InternTable::~InternTable() { DeleteBlock(slots_, (size_t{mask_} + 1) * sizeof(StrObject*)); }

StrObject* InternTable::FindLatin1(uint32_t hash, const void* bytes, size_t size) const {
  if (!slots_) return nullptr;
  for (uint32_t i = hash & mask_;; i = (i + 1) & mask_) {
    StrObject* s = slots_[i];
    if (!s) return nullptr;
    if (s->aux == hash && s->kind() == 1 && s->length == size &&
        std::memcmp(s->data1(), bytes, size) == 0) {
      return s;
    }
  }
}

StrObject* InternTable::Find(uint32_t hash, const StrObject* wanted) const {
  if (!slots_) return nullptr;
  for (uint32_t i = hash & mask_;; i = (i + 1) & mask_) {
    StrObject* s = slots_[i];
    if (!s) return nullptr;
    if (s->aux == hash && s->kind() == wanted->kind() && s->length == wanted->length &&
        std::memcmp(s->data1(), wanted->data1(), s->size_bytes()) == 0) {
      return s;
    }
  }
}

// False: out of memory; the table is as it was.
bool InternTable::Resize(Heap& heap, uint32_t size) {
  const uint32_t old_size = slots_ ? mask_ + 1 : 0;
  if (size > kLeast && !heap.Charge(size * sizeof(StrObject*))) return false;
  StrObject** fresh = static_cast<StrObject**>(NewBlock(size * sizeof(StrObject*)));
  const uint32_t freed = fresh ? old_size : size;
  if (freed > kLeast) heap.Account(-static_cast<ptrdiff_t>(freed * sizeof(StrObject*)));
  if (!fresh) return false;
  for (uint32_t i = 0; slots_ && i <= mask_; ++i) {
    StrObject* s = slots_[i];
    if (!s) continue;
    uint32_t at = s->aux & (size - 1);
    while (fresh[at]) at = (at + 1) & (size - 1);
    fresh[at] = s;
  }
  DeleteBlock(slots_, old_size * sizeof(StrObject*));
  slots_ = fresh;
  mask_ = size - 1;
  return true;
}

bool InternTable::Insert(StrObject* s) {
  const uint32_t more = slots_ ? (mask_ + 1) * 2 : kLeast;
  if ((!slots_ || used_ >= (mask_ + 1) / 4 * 3) && !Resize(*Heap::Of(s), more)) return false;
  uint32_t at = s->aux & mask_;
  while (slots_[at]) at = (at + 1) & mask_;
  slots_[at] = s;
  ++used_;
  s->set_interned(true);
  return true;
}

void InternTable::Remove(StrObject* s) {
  uint32_t at = s->aux & mask_;
  while (slots_[at] != s) {
    if (!slots_[at]) return;
    at = (at + 1) & mask_;
  }
  --used_;
  for (uint32_t next = (at + 1) & mask_; slots_[next]; next = (next + 1) & mask_) {
    uint32_t home = slots_[next]->aux & mask_;
    if (((next - home) & mask_) >= ((next - at) & mask_)) {
      slots_[at] = slots_[next];
      at = next;
    }
  }
  slots_[at] = nullptr;
  constexpr uint32_t kSparse = 16;
  if (mask_ >= 16 * kLeast && used_ < mask_ / kSparse) {
    (void)Resize(*Heap::Of(s), (mask_ + 1) / 4);  // no memory: another time
  }
}

uint32_t TextHash(const RuntimeState& rt, const void* bytes, size_t size) {
  uint64_t h = SipHash13({rt.hash_key[0], rt.hash_key[1]}, bytes, size);
  uint32_t folded = static_cast<uint32_t>(h ^ (h >> 32));
  return folded ? folded : 1;
}

bool IsSharedStr(const RuntimeState& rt, const StrObject* s) {
  return s == rt.empty_str || (s->length == 1 && s->kind() == 1 && rt.latin1[s->data1()[0]] == s);
}

void InternRemove(RuntimeState& rt, StrObject* s) {
  s->set_interned(false);
  if (rt.interned) rt.interned->Remove(s);
}

StrObject* AllocLatin1(RuntimeState& rt, size_t size) {
  StrObject* s = static_cast<StrObject*>(rt.heap.Allocate(sizeof(StrObject) + size + 1, false));
  if (!s) return nullptr;
  s->refcount = 1;
  s->shape_id = ShapeIdOf(TypeId::kStr);
  s->gc = 0;
  s->aux = 0;
  s->length = size;
  s->kind_ = 1;
  s->ascii_ = 1;
  s->interned_ = 0;
  s->data1()[size] = 0;
  return s;
}

void ForgetInterned(Heap& heap, StrObject* s) { InternRemove(*heap.rt(), s); }

StrObject* InternAscii(RuntimeState& rt, const char* text, size_t size) {
  uint32_t hash = TextHash(rt, text, size);
  StrObject* s = size == 1 ? rt.latin1[static_cast<uint8_t>(*text)]
                           : rt.interned->FindLatin1(hash, text, size);
  if (s) {
    Incref(s);
    return s;
  }
  s = AllocLatin1(rt, size);
  if (!s) return nullptr;
  std::memcpy(s->data1(), text, size);
  s->aux = hash;
  if (rt.interned->Insert(s)) return s;
  rt.heap.Free(s);
  return nullptr;
}

Result<StrObject> Intern(ThreadState& ts, StrObject* s) {
  if (s->interned() && s->shape_id == ShapeIdOf(TypeId::kStr)) return Ref<StrObject>::Borrow(s);
  RuntimeState& rt = *ts.rt;
  if (s->length == 0) return Ref<StrObject>::Borrow(rt.empty_str);
  if (s->length == 1 && s->kind() == 1) return Ref<StrObject>::Borrow(rt.latin1[s->data1()[0]]);
  uint32_t hash = StrHash(rt, s);
  if (StrObject* found = rt.interned->Find(hash, s)) return Ref<StrObject>::Borrow(found);
  MVM_TRY(Ref<StrObject> exact, StrExact(ts, s));
  StrHash(rt, exact);
  if (MVM_UNLIKELY(!rt.interned->Insert(exact))) return RaiseMemoryError(ts);
  return exact;
}

Result<StrObject> InternUtf8(ThreadState& ts, std::string_view utf8) {
  RuntimeState& rt = *ts.rt;
  if (MVM_LIKELY(utf8.size() > 1 && IsAscii(utf8.data(), utf8.size()))) {
    StrObject* s = InternAscii(rt, utf8.data(), utf8.size());
    if (MVM_UNLIKELY(!s)) return RaiseMemoryError(ts);
    return Ref<StrObject>::Steal(s);
  }
  MVM_TRY(Ref<StrObject> s, NewStr(ts, utf8));
  return Intern(ts, s);
}

}  // namespace minivm

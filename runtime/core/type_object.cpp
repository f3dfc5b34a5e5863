// Types: their first set-up, lookup along the MRO, versions, and what happens when they change.
//
// Lookup has one cache per VM, keyed by (type version, name). It stores cells, so replacing a plain
// class attribute by another leaves it right; every other change gives the type and all types
// derived from it version 0, and a new one at the next lookup. A type has a version only if all
// types in its MRO have one: so walking the subclass lists from the changed type reaches everything
// that may have cached anything.
#include "runtime/core/type_object.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "runtime/core/slot_table.h"
#include "runtime/core/type_internal.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/cell_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/support/small_vector.h"

namespace minivm {

// Invariant: an entry with a name owns a reference to it, so that no other name takes its address.
struct TypeCache {
  // It starts small, since many VMs look few things up, and is made large when it has been filled.
  static constexpr uint32_t kSmall = 128, kLarge = 2048;
  struct Entry {
    StrObject* name;
    CellObject* cell;  // borrowed: lives as long as the version stands; null: the name is absent
    uint32_t version;
  };
  uint32_t mask;
  uint32_t filled;
  Entry entries[];

  Entry& At(uint32_t version, const StrObject* name) {
    uint64_t h = (reinterpret_cast<uintptr_t>(name) >> 4) ^ (uint64_t{version} * 0x9E3779B1u);
    return entries[(h ^ (h >> 15)) & mask];
  }
};

namespace {

void FreeTypeCache(TypeCache* cache) {
  if (!cache) return;
  for (uint32_t i = 0; i <= cache->mask; ++i) {
    if (StrObject* name = std::exchange(cache->entries[i].name, nullptr)) Decref(name);
  }
  std::free(cache);
}

// Null when there is no memory.
TypeCache* CacheFor(RuntimeState& rt) {
  TypeCache* old = rt.type_cache;
  if (MVM_LIKELY(old && (old->filled < TypeCache::kSmall || old->mask >= TypeCache::kSmall)))
    return old;
  const uint32_t size = old ? TypeCache::kLarge : TypeCache::kSmall;
  auto* fresh =
      static_cast<TypeCache*>(std::calloc(1, sizeof(TypeCache) + size * sizeof(TypeCache::Entry)));
  if (!fresh) return old;
  fresh->mask = size - 1;
  rt.type_cache = fresh;
  FreeTypeCache(old);
  return fresh;
}

// Types made by TypeForSpec, in order of creation.
struct SpecTypes {
  size_t count = 0, capacity = 0;
  TypeObject** types = nullptr;
  // Those found lately, by the address of their specs.
  static constexpr size_t kRecent = 64;
  TypeObject* recent[kRecent] = {};
  TypeObject*& Recent(const TypeSpec* spec) {
    return recent[(reinterpret_cast<uintptr_t>(spec) >> 4) * 0x9E3779B97F4A7C15u >> 58];
  }
};

// Takes over the slots of `base` that `type` does not fill. hash and compare go together: a type
// that compares by value but does not say how to hash is unhashable.
void InheritSlots(TypeObject* type, const TypeObject* base) {
  CoreSlots& s = type->slots;
  bool own_compare = s.compare != nullptr, own_hash = s.hash != nullptr;
  bool own_new = s.new_ != nullptr;
  if (own_compare && !own_hash && base) s.hash = HashNotImplemented;
  if (!base) return;
  AnySlot* mine = reinterpret_cast<AnySlot*>(&s);
  const AnySlot* theirs = reinterpret_cast<const AnySlot*>(&base->slots);
  for (size_t i = 0; i < sizeof(CoreSlots) / sizeof(AnySlot); ++i) {
    if (!mine[i]) mine[i] = theirs[i];
  }
  // Types of the VM's own are made by object.__new__ only if they say so.
  if (!own_new && (type->has_flag(kTypeNoNew) || !base->base)) s.new_ = nullptr;
}

// As few types have operators, next to none have both some of their own and others of their base.
bool InheritOperators(TypeObject* type, const TypeObject* base) {
  const OperatorSlots& own = OperatorsIn(type->spec->slots);
  type->operators = &own;
  if (!base || base->operators == &OperatorsIn(kObjectType.slots)) return true;
  constexpr size_t kCount = sizeof(OperatorSlots) / sizeof(AnySlot);
  const AnySlot* mine = reinterpret_cast<const AnySlot*>(&own);
  const AnySlot* theirs = reinterpret_cast<const AnySlot*>(base->operators);
  if (std::all_of(mine, mine + kCount, [](AnySlot fn) { return fn == nullptr; })) {
    type->operators = base->operators;
    return true;
  }
  AnySlot* both = reinterpret_cast<AnySlot*>(OwnOperators(type));
  if (!both) return false;
  for (size_t i = 0; i < kCount; ++i) {
    if (!both[i]) both[i] = theirs[i];
  }
  return true;
}

// f for the type and everything derived from it, once each; iterative, since chains of classes can
// be very long.
template <class F>
void ForTree(TypeObject* root, F f) {
  SmallVector<TypeObject*, 64> all;
  auto add = [&all](TypeObject* t) {
    if (t->flags & kTypeMark) return;
    t->flags |= kTypeMark;
    MVM_CHECK(all.Push(t), "no memory left to walk the class hierarchy");
  };
  add(root);
  for (size_t i = 0; i < all.size(); ++i) {
    TypeObject* t = all[i];
    f(t);
    for (uint32_t k = 0; k < t->subclass_count; ++k) {
      if (TypeObject* sub = t->subclasses[k].type) add(sub);
    }
  }
  for (TypeObject* t : all) t->flags &= ~kTypeMark;
}

}  // namespace

bool IsSubtype(const TypeObject* a, const TypeObject* b) {
  if (a == b) return true;
  if (MVM_LIKELY(a->mro != nullptr)) {
    const Value* p = a->mro->items();
    for (uint32_t i = 0, n = a->mro->size(); i < n; ++i) {
      if (p[i].object() == b) return true;
    }
    return false;
  }
  // Not ready yet.
  for (const TypeSpec* s = a->spec->second_base; s; s = s->base) {
    if (b->spec == s && !b->is_heap()) return true;
  }
  for (const TypeObject* t = a->base; t; t = t->base) {
    if (t == b) return true;
  }
  return false;
}

bool InitType(RuntimeState& rt, TypeObject* type, const TypeSpec& spec, TypeObject* base) {
  type->spec = &spec;
  type->base = base;
  if (base) Incref(base);
  type->flags = spec.flags | kTypeImmutable | (base ? base->flags & kTypeInheritedFlags : 0);
  type->basic_size = spec.size ? spec.size : base ? base->basic_size : sizeof(Object);
  type->item_size = spec.item_size ? spec.item_size : base ? base->item_size : 0;
  // The attribute slots of subclasses' instances stand behind it, as whole words.
  if (type->item_size == 0) type->basic_size = (type->basic_size + 7) & ~7u;
  type->storage = spec.storage;
  type->dict_offset = spec.dict_offset;
  if (spec.storage == AttrStorage::kInherit) {
    type->storage = base ? base->storage : AttrStorage::kNone;
    if (base) type->dict_offset = base->dict_offset;
  }
  type->gc = spec.gc;
  if (!spec.gc.visit && !spec.gc.clear && !spec.gc.destroy && base) type->gc = base->gc;
  std::memcpy(static_cast<void*>(&type->slots), &spec.slots, sizeof(type->slots));
  if (base) {
    type->construct = base->construct;
    type->initialise = base->initialise;
  }
  if (spec.construct.fn) {
    type->construct = &spec.construct;
    type->slots.new_ = NewFromSpec;
  }
  if (spec.init.fn) {
    type->initialise = &spec.init;
    type->slots.init = InitFromSpec;
  }
  InheritSlots(type, base);
  if (!InheritOperators(type, base)) return false;
  if (type->slots.finalize) type->flags |= kTypeHasFinalizer;
  type->metatype = rt.types[static_cast<size_t>(TypeId::kType)];
  if (!type->metatype) type->metatype = type;  // type itself, while it is being made
  type->has_weakref_slot = (base && base->has_weakref_slot) || (spec.flags & kTypeWeakrefs);
  type->refcount = kImmortalRefcount;
  return true;
}

// ---- lookup ----

uint32_t TypeVersion(ThreadState& ts, TypeObject* type) {
  if (MVM_LIKELY(type->version != 0)) return type->version;
  if (!type->mro) return 0;
  // With a linear MRO the base's version says that all others are there.
  if (type->has_flag(kTypeLinearMro) && type->bases &&
      (*type->bases)[0].as<TypeObject>()->version != 0) {
    return type->version = ts.rt->NextVersion();
  }
  for (Value v : type->mro->span()) {
    TypeObject* t = v.as<TypeObject>();
    if (t != type && t->version == 0 && (t->version = ts.rt->NextVersion()) == 0) return 0;
  }
  return type->version = ts.rt->NextVersion();
}

CellObject* TypeLookupCell(ThreadState& ts, TypeObject* type, StrObject* name) {
  if (MVM_UNLIKELY(!(type->flags & kTypeReady)) && TypeReadySlow(ts, type).raised()) {
    ClearPending(ts);
    return nullptr;
  }
  TypeCache* cache = CacheFor(*ts.rt);
  uint32_t version = type->version;
  if (MVM_UNLIKELY(version == 0) && ts.thrift == 0) version = TypeVersion(ts, type);
  TypeCache::Entry* entry = nullptr;
  if (MVM_LIKELY(cache && version != 0)) {
    entry = &cache->At(version, name);
    if (MVM_LIKELY(entry->version == version && entry->name == name)) return entry->cell;
    if (MVM_UNLIKELY(ts.thrift != 0)) entry = nullptr;
  }
  CellObject* found = nullptr;
  if (MVM_LIKELY(type->mro != nullptr)) {
    // While MROs are linear, what follows a class is what a lookup in the next one walks, and may
    // have been found before: a new class at the end of a long chain costs one step.
    bool linear = type->has_flag(kTypeLinearMro);
    for (Value v : type->mro->span()) {
      TypeObject* t = v.as<TypeObject>();
      if (linear && cache && t != type && t->version != 0) {
        TypeCache::Entry& known = cache->At(t->version, name);
        if (known.version == t->version && known.name == name) {
          found = known.cell;
          break;
        }
      }
      linear = linear && t->has_flag(kTypeLinearMro);
      CellObject* cell = t->dict ? DictGetCell(ts, t->dict, name) : nullptr;
      if (cell && !cell->value.is(ts.rt->unbound)) {
        found = cell;
        break;
      }
    }
  }
  if (entry) {
    StrObject* old = std::exchange(entry->name, name);
    Incref(name);
    entry->cell = found;
    ++cache->filled;
    entry->version = version;
    if (old) Decref(old);
  }
  return found;
}

Value TypeLookup(ThreadState& ts, TypeObject* type, StrObject* name) {
  CellObject* cell = TypeLookupCell(ts, type, name);
  return cell ? cell->value : Value();
}

// ---- change ----

bool IsPlainClassValue(RuntimeState& rt, Value v) {
  if (!v.is_pointer()) return true;
  const CoreSlots& s = rt.shapes[v.object()->shape_id].type->slots;
  return !s.descr_get && !s.descr_set;
}

Status TypeModified(ThreadState& ts, TypeObject* type, StrObject* name) {
  bool sites = false, descriptor_changed = false;
  bool slots = !name || IsSlotName(ts, name);
  // Versions first: slots are found by lookups, which must not see what was cached.
  ForTree(type, [&](TypeObject* t) {
    t->version = 0;
    t->cached_init = nullptr;
    if (t->flags & kTypeHasSites) {
      t->flags &= ~kTypeHasSites;
      sites = true;
    }
  });
  if (slots) {
    ForTree(type, [&](TypeObject* t) {
      // One whose mro() is still running gets its slots later.
      if (t->is_heap() && (t->flags & kTypeReady) && t->operators)
        ResolveSlots(ts, t, name, &descriptor_changed);
    });
  }
  if (descriptor_changed) {
    // Values that were plain are so no more, or the other way round; any class may hold one.
    InvalidateAllTypes(ts);
    return Ok();
  }
  if (sites && ts.rt->hooks.invalidate_sites) ts.rt->hooks.invalidate_sites(*ts.rt);
  return Ok();
}

void InvalidateAllTypes(ThreadState& ts) {
  ForTree(TypeById(ts, TypeId::kObject), [](TypeObject* t) {
    t->version = 0;
    t->cached_init = nullptr;
    t->flags &= ~kTypeHasSites;
  });
  if (ts.rt->hooks.invalidate_sites) ts.rt->hooks.invalidate_sites(*ts.rt);
}

namespace {

// Closes the holes in base's list of subclasses, once they are more than what is left: as many
// steps as classes have gone since the last time.
void CloseHoles(TypeObject* base) {
  while (base->subclass_count != 0 && !base->subclasses[base->subclass_count - 1].type) {
    --base->subclass_count;
    --base->subclass_holes;
  }
  if (base->subclass_holes < 16 || base->subclass_holes <= base->subclass_count / 2) return;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < base->subclass_count; ++i) {
    TypeLink link = base->subclasses[i];
    if (!link.type) continue;
    link.type->parents[link.back].back = kept;
    base->subclasses[kept++] = link;
  }
  base->subclass_count = kept;
  base->subclass_holes = 0;
}

// Takes entry `i` out of a list whose order nobody sees.
void RemoveParent(TypeObject* type, uint32_t i) {
  TypeLink last = type->parents[--type->parent_count];
  if (i == type->parent_count) return;
  type->parents[i] = last;
  last.type->subclasses[last.back].back = i;
}

}  // namespace

void UnlinkType(TypeObject* type) {
  for (uint32_t i = 0; i < type->parent_count; ++i) {
    TypeLink parent = type->parents[i];
    parent.type->subclasses[parent.back].type = nullptr;
    ++parent.type->subclass_holes;
    CloseHoles(parent.type);
  }
  type->parent_count = 0;
}

void AddFlagsToTree(TypeObject* type, uint32_t flags) {
  ForTree(type, [flags](TypeObject* t) {
    if (t->is_heap()) t->flags |= flags;
  });
}

void TypeObject::FreeBuffers(Heap& heap) {
  UnlinkType(this);
  for (uint32_t i = 0; i < subclass_count; ++i) {
    if (subclasses[i].type) RemoveParent(subclasses[i].type, subclasses[i].back);
  }
  if (owns_operators) {
    heap.Account(-static_cast<ptrdiff_t>(sizeof(OperatorSlots)));
    std::free(const_cast<OperatorSlots*>(operators));
    owns_operators = false;
  }
  heap.FreeBuffer(subclasses, subclass_capacity * sizeof(TypeLink));
  heap.FreeBuffer(parents, parent_capacity * sizeof(TypeLink));
  subclasses = parents = nullptr;
  subclass_count = subclass_capacity = subclass_holes = parent_count = parent_capacity = 0;
  for (Shape* s = root_shape; s;) {
    Shape* older = s == root_shape ? old_roots : s->older;
    delete s;
    s = older;
  }
  delete dict_shape;
  root_shape = dict_shape = old_roots = nullptr;
}

// ---- types of modules ----

namespace {

TypeObject* FindSpecType(RuntimeState& rt, const TypeSpec* spec) {
  SpecTypes* made = static_cast<SpecTypes*>(rt.spec_types);
  if (made) {
    TypeObject* recent = made->Recent(spec);
    if (MVM_LIKELY(recent && recent->spec == spec)) return recent;
  }
  for (size_t i = 0; made && i < made->count; ++i) {
    if (made->types[i]->spec == spec) return made->Recent(spec) = made->types[i];
  }
  return FixedType(rt, spec);
}

Status RememberSpecType(ThreadState& ts, TypeObject* type) {
  RuntimeState& rt = *ts.rt;
  if (!rt.spec_types) {
    rt.spec_types = std::calloc(1, sizeof(SpecTypes));
    if (!rt.spec_types) return RaiseMemoryError(ts);
  }
  SpecTypes* made = static_cast<SpecTypes*>(rt.spec_types);
  if (made->count == made->capacity) {
    size_t more = made->capacity ? made->capacity * 2 : 32;
    void* grown = std::realloc(made->types, more * sizeof(TypeObject*));
    if (!grown) return RaiseMemoryError(ts);
    made->types = static_cast<TypeObject**>(grown);
    made->capacity = more;
  }
  made->types[made->count++] = type;
  return Ok();
}

}  // namespace

Result<TypeObject*> TypeForSpec(ThreadState& ts, const TypeSpec& spec) {
  RuntimeState& rt = *ts.rt;
  if (TypeObject* known = FindSpecType(rt, &spec)) return known;
  TypeObject* base = TypeById(ts, TypeId::kObject);
  if (spec.base) {
    MVM_TRY(base, TypeForSpec(ts, *spec.base));
  }
  MVM_TRY(Ref<TypeObject> type, New<TypeObject>(ts, TypeId::kType));
  type->shape_id_exact = rt.AddShape(type, nullptr);
  if (type->shape_id_exact == 0) return RaiseMemoryError(ts);
  const bool made = InitType(rt, type, spec, base);
  if (!made || RememberSpecType(ts, type).raised()) {
    rt.RetireShape(std::exchange(type->shape_id_exact, 0));
    return made ? kRaised : RaiseMemoryError(ts);
  }
  Track(type);
  return type.Release();
}

void FreeTypeTables(RuntimeState& rt) {
  FreeTypeCache(std::exchange(rt.type_cache, nullptr));
  if (SpecTypes* made = static_cast<SpecTypes*>(std::exchange(rt.spec_types, nullptr))) {
    std::free(made->types);
    std::free(made);
  }
}

// ---- names ----

size_t TypeDisplayName(const TypeObject* type, char* buf, size_t size) {
  if (size == 0) return 0;
  size_t n;
  if (type->is_heap() && type->name) {
    std::string text = ToUtf8(type->name);
    n = text.size() < size - 1 ? text.size() : size - 1;
    while (n > 0 && n < text.size() && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80) --n;
    std::memcpy(buf, text.data(), n);
  } else {
    const char* text = type->spec->name;
    n = std::strlen(text);
    if (n > size - 1) n = size - 1;
    std::memcpy(buf, text, n);
  }
  buf[n] = 0;
  return n;
}

}  // namespace minivm

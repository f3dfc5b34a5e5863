// Slow paths of attribute access, and the specialisation of its call sites.
//
// A site specialises when it has missed a few times (CacheEntry::b counts in the generic form) and
// what it sees can be answered by comparing one shape id (or a module's id, or a class's version).
// Soundness: the answer depends on the instance's shape and on lookups through its class. The types
// along the MRO get kTypeHasSites; when one of them changes, InvalidateSites puts every specialised
// site of the VM back into its generic form. So the fast paths need no guard for the class.
#include "runtime/native/native_function.h"
#include "runtime/objects/cell_object.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/method_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/property_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/interp/interp_slow.h"

namespace minivm {

namespace {

constexpr int32_t kWarmUp = 3;
constexpr int32_t kBackOff =
    -120;  // executions before a site that could not specialise tries again

bool ShouldTry(CacheEntry* cache) {
  int32_t n = static_cast<int32_t>(cache->b) + 1;
  cache->b = static_cast<uint32_t>(n);
  return n >= kWarmUp;
}
// A generic site that waits before it tries again to specialise: counts, and lives on the
// AttrCache.
bool BackedOff(CacheEntry* cache) {
  int32_t n = static_cast<int32_t>(cache->b);
  if (n >= 0) return false;
  cache->b = static_cast<uint32_t>(n + 1);
  return true;
}
void GiveUp(CacheEntry* cache) { cache->b = static_cast<uint32_t>(kBackOff); }

void MarkSites(FunctionObject* f, TypeObject* type) {
  f->instance->specialised = true;
  for (Value t : type->mro->span()) t.as<TypeObject>()->flags |= kTypeHasSites;
}

bool IsPlainValue(ThreadState& ts, Value v) {
  TypeObject* t = TypeOf(ts, v);
  return t->slots.descr_get == nullptr && t->slots.descr_set == nullptr;
}

// Can GETATTR_PROPERTY push its frame? It may get other code at any time.
bool EntersAsGetter(const FunctionObject* f) {
  return f->plain_count == 1 && !f->code->is_generator_like();
}

// The cell that holds attribute `name` of the class: plain values are replaced in it, without any
// invalidation.
CellObject* ClassCell(ThreadState& ts, TypeObject* cls, StrObject* name) {
  if (cls->mro == nullptr) return nullptr;  // being made: its mro() asks
  for (Value entry : cls->mro->span()) {
    DictObject* dict = entry.as<TypeObject>()->dict;
    if (dict == nullptr || dict->storage != DictStorage::kCelled) return nullptr;
    CellObject* cell = DictGetCell(ts, dict, name);
    if (cell != nullptr && !cell->value.is(ts.rt->unbound)) return cell;
  }
  return nullptr;
}

// Does the descriptor say where in instances of `type` the value stands? It may have been put into
// a class that it does not describe, or describe one whose members have no fixed place.
bool HasMember(TypeObject* type, const MemberDescriptorObject* member) {
  return member->offset != 0 && IsSubtype(type, member->owner);
}

// The function in a staticmethod or classmethod that `found` is, tagged for LOAD_METHOD_CLASS and
// LOAD_METHOD_TYPE; 0: it is neither, or wraps something else.
uint64_t WrappedFunction(Value found) {
  const bool is_static = IsExact(found, TypeId::kStaticMethod);
  if (!is_static && !IsExact(found, TypeId::kClassMethod)) return 0;
  const Value callable = found.as<ClassMethodObject>()->callable;
  if (!IsFunction(callable)) return 0;
  return callable.bits() | (is_static ? kSelfAbsent : kSelfClass);
}

// Does the result of a GETATTR in any of its forms go to a local?
bool WritesLocal(const Word* pc) {
  return InfoOf(static_cast<Op>(pc->op)).writes_local ||
         ((pc->c & kToLocal) && static_cast<Op>(pc->op) != Op::GETATTR_SLOT);
}

// Does attribute lookup on instances of `type` follow the ordinary rules, for what it finds? A
// __getattr__ is asked only after them.
bool GenericLookup(ThreadState& ts, TypeObject* type) {
  if (type->slots.getattro == GenericGetAttr) return true;
  if (!type->is_heap()) return false;
  const Value own = TypeLookup(ts, type, MVM_NAME(ts, __getattribute__));
  TypeObject* object = TypeById(ts, TypeId::kObject);
  return !own.is_null() && own.is(TypeLookup(ts, object, MVM_NAME(ts, __getattribute__)));
}

// Rewrites a GETATTR site for what `o` shows now; false: stays generic.
bool SpecialiseGet(ThreadState& ts, FunctionObject* f, Value* R, Word* pc, Value o,
                   StrObject* name) {
  CacheEntry* cache = SiteCache(f, pc);
  bool local = WritesLocal(pc);
  if (!o.is_object()) return false;
  // These forms have no twin for locals.
  auto become = [&](Op op) {
    pc->op = static_cast<uint8_t>(op);
    if (local) pc->c |= kToLocal;
  };
  if (IsExact(o, TypeId::kModule)) {
    CellObject* cell = DictGetCell(ts, o.as<ModuleObject>()->dict, name);
    if (cell == nullptr || cell->value.is(ts.rt->unbound)) return false;
    if (VersionOf(ts, o.object()) == 0) return false;
    if (!TypeLookup(ts, TypeOf(ts, o), name).is_null()) return false;
    cache->a = o.object()->aux;
    cache->ptr = reinterpret_cast<uint64_t>(cell);
    become(Op::GETATTR_MODULE);
    return true;
  }
  TypeObject* type = TypeOf(ts, o);
  if (IsType(ts, o)) {
    TypeObject* cls = o.as<TypeObject>();
    if (type->slots.getattro != TypeById(ts, TypeId::kType)->slots.getattro) return false;
    if (TypeReady(ts, cls).raised()) {
      ClearPending(ts);
      return false;
    }
    if (!TypeLookup(ts, type, name).is_null()) return false;
    Value v = TypeLookup(ts, cls, name);
    CellObject* cell = ClassCell(ts, cls, name);
    if (v.is_null() || cell == nullptr || cls->version == 0 || !IsPlainValue(ts, v)) return false;
    cache->a = cls->version;
    cache->b = o.object()->shape_id;
    cache->ptr = reinterpret_cast<uint64_t>(cell);
    MarkSites(f, cls);
    MarkSites(f, type);
    become(Op::GETATTR_TYPE);
    return true;
  }
  if (!GenericLookup(ts, type)) return false;
  if (TypeReady(ts, type).raised()) {
    ClearPending(ts);
    return false;
  }
  Value attr = TypeLookup(ts, type, name);
  Shape* shape = ts.rt->shapes[o.object()->shape_id].shape;
  if (!attr.is_null()) {
    if (IsExact(attr, TypeId::kMemberDescriptor)) {
      MemberDescriptorObject* member = attr.as<MemberDescriptorObject>();
      if (!HasMember(type, member)) return false;
      cache->a = o.object()->shape_id;
      cache->ptr = member->offset;
      MarkSites(f, type);
      become(Op::GETATTR_MEMBER);
      return true;
    }
    if (IsExact(attr, TypeId::kProperty) && IsFunction(attr.as<PropertyObject>()->getter)) {
      // Whose AttributeError a __getattr__ answers has no frame of its own.
      if (type->slots.getattro != GenericGetAttr) return false;
      FunctionObject* getter = attr.as<PropertyObject>()->getter.as<FunctionObject>();
      if (!EntersAsGetter(getter)) return false;
      cache->a = o.object()->shape_id;
      cache->ptr = reinterpret_cast<uint64_t>(getter);
      MarkSites(f, type);
      become(Op::GETATTR_PROPERTY);
      return true;
    }
    CellObject* cell = ClassCell(ts, type, name);
    bool no_own = shape != nullptr ? !shape->dict_mode && shape->Find(name) < 0
                                   : type->storage == AttrStorage::kNone;
    if (cell == nullptr || !no_own || !IsPlainValue(ts, attr)) return false;
    cache->a = o.object()->shape_id;
    cache->ptr = reinterpret_cast<uint64_t>(cell);
    MarkSites(f, type);
    become(Op::GETATTR_CLASS);
    return true;
  }
  if (shape == nullptr || shape->dict_mode) return false;
  int slot = shape->Find(name);
  if (slot < 0 || slot >= shape->inline_capacity) return false;
  int word = (shape->slot_offset - static_cast<int>(sizeof(Object))) / 8 + slot;
  if (word > 127) return false;
  uint8_t consume = pc->c & kConsume1;
  MarkSites(f, type);
  pc->x = static_cast<int32_t>(o.object()->shape_id);
  pc->c = static_cast<uint8_t>(word * 2 + consume);
  pc->op = static_cast<uint8_t>(local ? Op::GETATTR_SLOT_L : Op::GETATTR_SLOT);
  return true;
}

// Consume bit of a GETATTR-like word in any of its forms.
bool GetConsumes(const Word* pc) { return pc->c & 1; }

// A specialised site that keeps missing lives on the VM's AttrCache from then on. When it misses
// there as well, again and again, it becomes generic, and may settle on one shape.
constexpr uint32_t kMissesToPoly = 12;
void NoteMiss(FunctionObject* f, Word* pc, Op generic, Op poly, AttrCache::Family family) {
  if (pc->op == static_cast<uint8_t>(generic)) return;
  Site& site = f->code->sites[pc - f->instance->words];
  site.misses = site.misses + 1u;
  bool is_poly = pc->op == static_cast<uint8_t>(poly);
  if (site.misses != (is_poly ? 0u : kMissesToPoly)) return;
  CodeInstance* instance = f->instance;
  DespecialiseWord(f->code, instance, static_cast<uint32_t>(pc - instance->words));
  CacheEntry* cache = SiteCache(f, pc);
  if (is_poly) {
    cache->b = static_cast<uint32_t>(kBackOff * 10);
    return;
  }
  pc->op = static_cast<uint8_t>(poly);
  const StrObject* name = SiteName(f, pc);
  cache->ptr = reinterpret_cast<uint64_t>(name);
  cache->a = AttrCache::Key(name, family);
}

AttrCache& CacheOfVm(ThreadState& ts) { return *static_cast<AttrCache*>(ts.rt->attr_cache); }

void MarkTypes(TypeObject* type) {
  for (Value t : type->mro->span()) t.as<TypeObject>()->flags |= kTypeHasSites;
}

int FirstSlotWord(const Shape* shape) {
  return (shape->slot_offset - static_cast<int>(sizeof(Object))) / 8;
}

// Enters what `o`.name is, if it is an inline slot or a plain value of the class.
void RememberGet(ThreadState& ts, Value o, StrObject* name) {
  TypeObject* type = TypeOf(ts, o);
  if (!GenericLookup(ts, type)) return;
  Shape* shape = ts.rt->shapes[o.object()->shape_id].shape;
  if (shape == nullptr || shape->dict_mode) return;
  Value attr = TypeLookup(ts, type, name);
  int slot = shape->Find(name);
  uint32_t kind = AttrCache::kEmpty;
  uint64_t payload = 0;
  if (attr.is_null()) {
    if (slot < 0 || slot >= shape->inline_capacity) return;
    kind = AttrCache::kGetSlot;
    payload = static_cast<uint64_t>(FirstSlotWord(shape) + slot);
  } else if (slot < 0 && IsPlainValue(ts, attr)) {
    CellObject* cell = ClassCell(ts, type, name);
    if (cell == nullptr) return;
    kind = AttrCache::kGetCell;
    payload = reinterpret_cast<uint64_t>(cell);
  } else {
    return;
  }
  MarkTypes(type);
  *CacheOfVm(ts).Slot(shape->id, name, AttrCache::kGet) = {shape->id, kind, name, payload};
}

// Is the site in its generic form, and does not wait? Then it is to specialise even for what the
// AttrCache knows from other sites.
bool IsLearning(const FunctionObject* f, const Word* pc, Op generic) {
  return pc->op == static_cast<uint8_t>(generic) && !BackedOff(SiteCache(f, pc));
}

// The site has missed: it specialises, or what it sees goes to the AttrCache.
void LearnGet(ThreadState& ts, FunctionObject* f, Value* R, Word* pc, Value o, StrObject* name,
              bool generic) {
  CacheEntry* cache = SiteCache(f, pc);
  if (!generic) {
    if (o.is_object()) RememberGet(ts, o, name);
  } else if (ShouldTry(cache) && !SpecialiseGet(ts, f, R, pc, o, name)) {
    GiveUp(cache);
  }
}

}  // namespace

bool SlowGetAttr(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  StrObject* name = SiteName(f, pc);
  Value o = R[pc->b];
  bool local = WritesLocal(pc);
  const bool spends = ts->Spends();
  if (spends) {
    NoteMiss(f, pc, local ? Op::GETATTR_L : Op::GETATTR,
             local ? Op::GETATTR_POLY_L : Op::GETATTR_POLY, AttrCache::kGet);
  }
  const bool generic = spends && IsLearning(f, pc, local ? Op::GETATTR_L : Op::GETATTR);
  uint8_t dest = pc->a;
  bool consume = GetConsumes(pc);
  Value v;
  if (!generic && o.is_object()) {
    uint32_t shape = o.object()->shape_id;
    const AttrCache::Entry* entry = CacheOfVm(*ts).Slot(shape, name, AttrCache::kGet);
    if (entry->shape == shape && entry->name == name) {
      v = entry->kind == AttrCache::kGetSlot
              ? reinterpret_cast<Value*>(o.object() + 1)[entry->payload]
              : reinterpret_cast<CellObject*>(entry->payload)->value;
      if (MVM_LIKELY(!v.is(ts->rt->unbound)))
        Incref(v);
      else
        v = Value();
    }
  }
  if (v.is_null()) {
    if (spends) LearnGet(*ts, f, R, pc, o, name, generic);
    v = GetAttr(*ts, o, name).word();
  }
  if (consume) Decref(o);
  if (MVM_UNLIKELY(v.is_null())) return false;
  Value old = R[dest];
  R[dest] = v;
  if (local) Decref(old);
  return true;
}

CallOutcome SlowGetProperty(ThreadState* ts, Value* R, Word* pc) {
  Value o = R[pc->b];
  CacheEntry* cache = CacheOf(pc);
  FunctionObject* caller = FunctionOf(R);
  FunctionObject* f = reinterpret_cast<FunctionObject*>(cache->ptr);
  if (o.is_object() && o.object()->shape_id == cache->a && EntersAsGetter(f)) {
    uint32_t window = caller->frame_size + 1u;
    Value* w = R + window;
    Value* nb = w + kWindowWords;
    uint64_t header = CalleeHeader(
        R, HeaderPlaces(window, pc->a) + (pc->c & kToLocal ? kFrameProperty : FrameFlags{}));
    if (window <= 0xFF && FrameFits(ts, nb, f->frame_size, header)) {
      if (!(pc->c & kConsume1)) Incref(o);
      Incref(static_cast<Object*>(f));
      w[0] = Value(f);
      w[1] = Value::FromBits(reinterpret_cast<uint64_t>(pc + 1));
      w[2] = Value::FromBits(header);
      nb[0] = o;
      UnsetLocals(f, nb, 1, ts->rt->unbound);
      ts->base = nb;
      ts->pc = f->entry;
      return CallOutcome::kPushed;
    }
    // No room in the header for so wide a frame, or the stack is full: the generic way tells.
    ts->base = R;
    ts->pc = pc;
    const bool consume = pc->c & kConsume1,
               local = pc->c & kToLocal;  // the getter may rewrite the word
    Value v = GetAttr(*ts, o, SiteName(caller, pc)).word();
    if (consume) Decref(o);
    if (v.is_null()) return CallOutcome::kRaised;
    Value old = std::exchange(R[pc->a], v);
    if (local) Decref(old);
    return CallOutcome::kDone;
  }
  return SlowGetAttr(ts, R, pc) ? CallOutcome::kDone : CallOutcome::kRaised;
}

bool SlowSetAttr(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  StrObject* name = SiteName(f, pc);
  const bool spends = ts->Spends();
  if (spends) NoteMiss(f, pc, Op::SETATTR, Op::SETATTR_POLY, AttrCache::kSet);
  Value o = R[pc->a], v = R[pc->b];
  uint32_t consume = pc->c & 3;
  const bool generic = spends && IsLearning(f, pc, Op::SETATTR);
  if (!generic && o.is_object()) {
    uint32_t shape = o.object()->shape_id;
    const AttrCache::Entry* entry = CacheOfVm(*ts).Slot(shape, name, AttrCache::kSet);
    if (entry->shape == shape && entry->name == name) {
      Value* slot =
          reinterpret_cast<Value*>(o.object() + 1) + static_cast<uint32_t>(entry->payload);
      if (!(consume & kConsume2)) Incref(v);
      if (entry->kind == AttrCache::kSetSlot) {
        Value old = std::exchange(*slot, v);
        Decref(old);
      } else {
        *slot = v;
        o.object()->shape_id = static_cast<uint32_t>(entry->payload >> 32);
      }
      if (consume & kConsume1) Decref(o);
      return true;
    }
  }
  CacheEntry* cache = SiteCache(f, pc);
  bool attempt = spends && (!generic || ShouldTry(cache));
  uint32_t shape_before = o.is_object() ? o.object()->shape_id : 0;
  TypeObject* type = TypeOf(*ts, o);
  bool plain =
      attempt && o.is_object() && !IsType(*ts, o) && type->slots.setattro == GenericSetAttr;
  if (plain && TypeReady(*ts, type).raised()) {
    if (consume & kConsume2) Decref(v);
    if (consume & kConsume1) Decref(o);
    return false;
  }
  Value attr = plain ? TypeLookup(*ts, type, name) : Value();
  Shape* shape = plain ? ts->rt->shapes[shape_before].shape : nullptr;
  bool done = false;
  if (generic && plain && !attr.is_null() && IsExact(attr, TypeId::kMemberDescriptor) &&
      HasMember(type, attr.as<MemberDescriptorObject>())) {
    cache->a = shape_before;
    cache->ptr = attr.as<MemberDescriptorObject>()->offset;
    MarkSites(f, type);
    pc->op = static_cast<uint8_t>(Op::SETATTR_MEMBER);
    done = true;
  }
  bool slots = plain && shape != nullptr && !shape->dict_mode &&
               (attr.is_null() || TypeOf(*ts, attr)->slots.descr_set == nullptr);
  int slot = slots ? shape->Find(name) : -1;
  int first = shape != nullptr ? (shape->slot_offset - static_cast<int>(sizeof(Object))) / 8 : 0;
  if (slots && slot >= 0 && slot < shape->inline_capacity && !generic) {
    MarkTypes(type);
    *CacheOfVm(*ts).Slot(shape_before, name, AttrCache::kSet) = {
        shape_before, AttrCache::kSetSlot, name, static_cast<uint64_t>(first + slot)};
  } else if (slots && slot >= 0 && slot < shape->inline_capacity && first + slot < 64) {
    MarkSites(f, type);
    pc->x = static_cast<int32_t>(shape_before);
    pc->c = static_cast<uint8_t>((first + slot) * 4 + consume);
    pc->op = static_cast<uint8_t>(Op::SETATTR_SLOT);
    done = true;
  }
  bool ok = !SetAttr(*ts, o, name, v).raised();
  if (ok && slots && slot < 0 && o.object()->shape_id != shape_before) {
    Shape* after = ts->rt->shapes[o.object()->shape_id].shape;
    if (after != nullptr && after->parent == shape && !after->dict_mode &&
        shape->slot_count < shape->inline_capacity && o.object()->aux == 0 && !generic) {
      MarkTypes(type);
      *CacheOfVm(*ts).Slot(shape_before, name, AttrCache::kSet) = {
          shape_before, AttrCache::kSetAdd, name,
          static_cast<uint64_t>(first + shape->slot_count) | uint64_t{after->id} << 32};
    } else if (after != nullptr && after->parent == shape && !after->dict_mode &&
               shape->slot_count < shape->inline_capacity && o.object()->aux == 0 &&
               pc->op == static_cast<uint8_t>(Op::SETATTR)) {
      cache->a = shape_before;
      cache->b = after->id;
      cache->ptr = static_cast<uint64_t>(first + shape->slot_count);
      MarkSites(f, type);
      pc->op = static_cast<uint8_t>(Op::SETATTR_ADD);
      done = true;
    }
  }
  if (generic && attempt && !done) GiveUp(cache);
  if (consume & kConsume2) Decref(v);
  if (consume & kConsume1) Decref(o);
  return ok;
}

bool SlowDelAttr(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value o = R[pc->a];
  bool ok = !SetAttr(*ts, o, SiteName(FunctionOf(R), pc), Value()).raised();
  if (pc->c & kConsume1) Decref(o);
  return ok;
}

namespace {

// o.f(...), where instances of the class all get `callable`: a method, or the tagged function in a
// static or class method. !generic: into the AttrCache.
bool LearnInstanceMethod(ThreadState& ts, FunctionObject* f, Word* pc, Value o, StrObject* name,
                         uint64_t callable, bool generic) {
  TypeObject* type = TypeOf(ts, o);
  const uint32_t id = o.object()->shape_id;
  // The shape must rule out an instance attribute of that name: true for shapes with slots and for
  // types without instance attributes.
  const Shape* shape = ts.rt->shapes[id].shape;
  const bool no_dict = shape != nullptr ? !shape->dict_mode && shape->Find(name) < 0
                                        : type->storage == AttrStorage::kNone;
  if (!no_dict) return false;
  if (!generic) {
    MarkTypes(type);
    *CacheOfVm(ts).Slot(id, name, AttrCache::kLoad) = {id, AttrCache::kMethod, name, callable};
    return false;
  }
  CacheEntry* cache = SiteCache(f, pc);
  cache->a = id;
  cache->ptr = callable;
  MarkSites(f, type);
  pc->op = static_cast<uint8_t>(Op::LOAD_METHOD_CLASS);
  return true;
}

// module.f(...)
bool LearnModuleFunction(ThreadState& ts, FunctionObject* f, Word* pc, ModuleObject* module,
                         StrObject* name, Value function) {
  CellObject* cell = DictGetCell(ts, module->dict, name);
  if (cell == nullptr || !cell->value.is(function) || VersionOf(ts, module) == 0) return false;
  CacheEntry* cache = SiteCache(f, pc);
  cache->a = module->aux;
  cache->ptr = reinterpret_cast<uint64_t>(cell);
  pc->op = static_cast<uint8_t>(Op::LOAD_METHOD_MODULE);
  return true;
}

// C.f(...): a function found in the class, bare or in a staticmethod, is what the call gets; that
// of a classmethod gets the class as well. What another descriptor returned need not be the same
// next time.
bool LearnClassFunction(ThreadState& ts, FunctionObject* f, Word* pc, TypeObject* cls,
                        StrObject* name) {
  const Value found = TypeLookup(ts, cls, name);
  const uint64_t wrapped = WrappedFunction(found);
  if (cls->version == 0 || (wrapped == 0 && !IsFunction(found))) return false;
  TypeObject* meta = TypeOf(ts, cls);
  CacheEntry* cache = SiteCache(f, pc);
  cache->a = cls->version;
  cache->b = cls->shape_id;
  cache->ptr = wrapped == 0 ? found.bits() : wrapped & ~kSelfAbsent;  // absent in any case
  MarkSites(f, cls);
  MarkSites(f, meta);
  pc->op = static_cast<uint8_t>(Op::LOAD_METHOD_TYPE);
  return true;
}

// Rewrites a LOAD_METHOD site for what GetMethod() has found; false: it stays generic.
bool LearnMethod(ThreadState& ts, FunctionObject* f, Word* pc, Value o, StrObject* name,
                 Value method, bool is_method, bool generic) {
  TypeObject* type = TypeOf(ts, o);
  const Value in_type = TypeLookup(ts, type, name);
  if (o.is_object() && GenericLookup(ts, type)) {
    if (is_method && in_type.is(method))
      return LearnInstanceMethod(ts, f, pc, o, name, method.bits(), generic);
    const uint64_t wrapped = generic && !is_method ? WrappedFunction(in_type) : 0;
    if (wrapped != 0) return LearnInstanceMethod(ts, f, pc, o, name, wrapped, generic);
  }
  if (!generic || is_method || !in_type.is_null()) return false;
  if (IsExact(o, TypeId::kModule))
    return LearnModuleFunction(ts, f, pc, o.as<ModuleObject>(), name, method);
  return IsType(ts, o) && type->slots.getattro == TypeById(ts, TypeId::kType)->slots.getattro &&
         LearnClassFunction(ts, f, pc, o.as<TypeObject>(), name);
}

}  // namespace

bool SlowLoadMethod(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  StrObject* name = SiteName(f, pc);
  const bool spends = ts->Spends();
  if (spends) NoteMiss(f, pc, Op::LOAD_METHOD, Op::LOAD_METHOD_POLY, AttrCache::kLoad);
  Value o = R[pc->b];
  bool consume = pc->c & kConsume1;
  Value* w = R + pc->a;
  const bool generic = spends && IsLearning(f, pc, Op::LOAD_METHOD);
  if (!generic && o.is_object()) {
    uint32_t shape = o.object()->shape_id;
    const AttrCache::Entry* entry = CacheOfVm(*ts).Slot(shape, name, AttrCache::kLoad);
    if (entry->shape == shape && entry->name == name) {
      Value found = Value::FromBits(entry->payload);
      Incref(found);
      if (!consume) Incref(o);
      w[0] = found;
      w[1] = w[2] = Value::Int(0);
      w[3] = o;
      return true;
    }
  }
  CacheEntry* cache = SiteCache(f, pc);
  bool attempt = spends && (!generic || ShouldTry(cache));
  bool is_method = false;
  Result<> r = GetMethod(*ts, o, name, &is_method);
  if (r.raised()) {
    if (consume) Decref(o);
    return false;
  }
  Value method = r.word();
  if (attempt && !LearnMethod(*ts, f, pc, o, name, method, is_method, generic) && generic)
    GiveUp(cache);
  w[0] = method;
  w[1] = w[2] = Value::Int(0);
  if (is_method) {
    if (!consume) Incref(o);
    w[3] = o;
  } else {
    w[3] = Value::Absent();
    if (consume) Decref(o);
  }
  return true;
}

bool WatchedWrappedMethod(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  const Value o = R[pc->b];
  const bool consume = pc->c & kConsume1;
  Result<> r = GetAttr(*ts, o, SiteName(FunctionOf(R), pc));
  if (consume) Decref(o);
  if (r.raised()) return false;
  Value* w = R + pc->a;
  w[0] = r.word();
  w[1] = w[2] = Value::Int(0);
  w[3] = Value::Absent();
  return true;
}

bool SlowLoadSpecial(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  Value o = R[pc->b];
  bool consume = pc->c & kConsume1;
  SpecialMethod which = static_cast<SpecialMethod>(pc->x);
  StrObject* name = which == SpecialMethod::kEnter    ? MVM_NAME(*ts, __enter__)
                    : which == SpecialMethod::kExit   ? MVM_NAME(*ts, __exit__)
                    : which == SpecialMethod::kAenter ? MVM_NAME(*ts, __aenter__)
                                                      : MVM_NAME(*ts, __aexit__);
  TypeObject* type = TypeOf(*ts, o);
  Value attr;
  if (!TypeReady(*ts, type).raised()) attr = TypeLookup(*ts, type, name);
  if (attr.is_null()) {
    if (!ts->HasPending()) {
      bool async = which == SpecialMethod::kAenter || which == SpecialMethod::kAexit;
      const char* protocol = async ? "asynchronous context manager" : "context manager";
      // The exit method is loaded first; without either of the two it is the other one that is
      // missed.
      StrObject* enter = async ? MVM_NAME(*ts, __aenter__) : MVM_NAME(*ts, __enter__);
      if ((which == SpecialMethod::kExit || which == SpecialMethod::kAexit) &&
          !TypeLookup(*ts, type, enter).is_null()) {
        Raise(*ts, Exc::kTypeError,
              "'%T' object does not support the %s protocol (missed %U method)", o, protocol,
              Value(name));
      } else {
        Raise(*ts, Exc::kTypeError, "'%T' object does not support the %s protocol", o, protocol);
      }
    }
    if (consume) Decref(o);
    return false;
  }
  Value* w = R + pc->a;
  Value callee;
  Value self = Value::Absent();
  if (TypeOf(*ts, attr)->flags & kTypeMethodDescriptor) {
    Incref(attr);
    callee = attr;
    self = o;
    if (!consume) Incref(o);
  } else {
    DescrGetFn get = TypeOf(*ts, attr)->slots.descr_get;
    if (get != nullptr) {
      Ref<> hold = Ref<>::Borrow(attr);
      callee = get(*ts, attr, o, Value(type)).word();
    } else {
      Incref(attr);
      callee = attr;
    }
    if (consume) Decref(o);
    if (callee.is_null()) return false;
  }
  w[0] = callee;
  w[1] = w[2] = Value::Int(0);
  w[3] = self;
  return true;
}

bool SlowLoadSuper(ThreadState* ts, Value* R, Word* pc) {
  ts->base = R;
  ts->pc = pc;
  FunctionObject* f = FunctionOf(R);
  StrObject* name = SiteName(f, pc);
  Value super = R[pc->b], cls = R[pc->b + 1], self = R[pc->b + 2];
  bool method = pc->c & 1, zero_args = pc->c & 2;
  Value* w = R + pc->a;
  Value found;
  bool bound_self = false;
  TypeObject* super_type = TypeById(*ts, TypeId::kSuper);
  if (super.is(Value(super_type)) && IsType(*ts, cls) && self.is_object()) {
    // The class after `cls` in the MRO of self's type; nothing needs a super object.
    TypeObject* start = cls.as<TypeObject>();
    TypeObject* type = TypeOf(*ts, self);
    bool self_is_type = false;
    if (!IsSubtype(type, start) && IsType(*ts, self) && IsSubtype(self.as<TypeObject>(), start)) {
      type = self.as<TypeObject>();
      self_is_type = true;
    }
    if (TypeReady(*ts, type).raised()) ClearPending(*ts);
    if (type->mro != nullptr && IsSubtype(type, start) &&
        !(IsType(*ts, self) && IsSubtype(self.as<TypeObject>(), start) && !self_is_type) &&
        name != MVM_NAME(*ts, __class__)) {
      bool after = false;
      for (Value entry : type->mro->span()) {
        TypeObject* t = entry.as<TypeObject>();
        if (!after) {
          after = t == start;
          continue;
        }
        if (TypeReady(*ts, t).raised()) break;
        Value attr = DictGetStr(*ts, t->dict, name);
        if (attr.is_null()) continue;
        TypeObject* attr_type = TypeOf(*ts, attr);
        if (method && !self_is_type && (attr_type->flags & kTypeMethodDescriptor)) {
          Incref(attr);
          found = attr;
          bound_self = true;
        } else if (attr_type->slots.descr_get != nullptr) {
          Ref<> hold = Ref<>::Borrow(attr);
          found = attr_type->slots.descr_get(*ts, attr, self_is_type ? Value() : self, Value(type))
                      .word();
        } else {
          Incref(attr);
          found = attr;
        }
        break;
      }
    }
  }
  if (found.is_null() && !ts->HasPending()) {
    Result<> object =
        zero_args && !super.is(Value(super_type)) ? Call(*ts, super) : Call(*ts, super, cls, self);
    if (!object.raised()) {
      Ref<> s = object.Take();
      found = GetAttr(*ts, s, name).word();
    }
  }
  Decref(super);
  Decref(cls);
  if (found.is_null()) {
    Decref(self);
    return false;
  }
  if (!method) {
    R[pc->a] = found;
    Decref(self);
    return true;
  }
  w[0] = found;
  w[1] = w[2] = Value::Int(0);
  if (bound_self) {
    w[3] = self;
  } else {
    w[3] = Value::Absent();
    Decref(self);
  }
  return true;
}

void InvalidateSites(RuntimeState& rt) {
  AttrCache* attrs = static_cast<AttrCache*>(rt.attr_cache);
  for (AttrCache::Entry& e : attrs->entries) {
    if (e.name != nullptr) e = {};
  }
  for (CodeInstance* i = static_cast<CodeInstance*>(rt.code_instances); i != nullptr;
       i = i->all_next) {
    if (!i->specialised) continue;
    i->specialised = false;
    for (uint32_t pc = 0; pc < i->code->word_count; ++pc) {
      if (!(InfoOf(static_cast<Op>(i->words[pc].op)).flags & kClass)) continue;
      DespecialiseWord(i->code, i, pc);
      // Each reset costs more warm-up: a class that keeps changing ends up generic.
      i->caches[i->code->sites[pc].cache].b = static_cast<uint32_t>(kBackOff);
    }
  }
}

}  // namespace minivm

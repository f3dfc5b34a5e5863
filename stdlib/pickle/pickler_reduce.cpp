// What is written for objects that say themselves how they are made again: __reduce_ex__ and its
// relatives, the dispatch tables, and instances of plain script classes.
//
// A plain instance would be described by object.__reduce_ex__ as (copyreg.__newobj__, (cls,),
// __dict__): that is written without asking, and without making the dictionary.
#include "runtime/core/type_internal.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/descriptor_object.h"
#include "stdlib/pickle/pickler.h"

namespace minivm::pickle {

namespace {

// Found in `object` (or in nothing at all), so that it does what object's own does.
bool IsObjectsOwn(ThreadState& ts, TypeObject* type, StrObject* name) {
  return TypeLookup(ts, type, name).is(TypeLookup(ts, TypeById(ts, TypeId::kObject), name));
}

bool IsPlainClass(ThreadState& ts, TypeObject* type) {
  if (!type->is_heap() || type->storage != AttrStorage::kShape) return false;
  if (type->basic_size != sizeof(Object) || type->metatype != TypeById(ts, TypeId::kType)) {
    return false;  // a built-in payload, __slots__, or a class of another kind
  }
  if (type->slots.getattro != GenericGetAttr) return false;
  StrObject* const* names = ts.rt->names;
  for (NameId id : {NameId::k__reduce_ex__, NameId::k__reduce__, NameId::k__getstate__,
                    NameId::k__getnewargs_ex__, NameId::k__getnewargs__, NameId::k__class__}) {
    if (!IsObjectsOwn(ts, type, names[static_cast<size_t>(id)])) return false;
  }
  const Value dict = TypeLookup(ts, type, MVM_NAME(ts, __dict__));
  return IsExact(dict, TypeId::kGetSetDescriptor) &&
         TypeLookup(ts, type, MVM_NAME(ts, __slots__)).is_null();
}

constexpr const char* kReduceShape =
    "tuple returned by __reduce__ must contain 2 through 6 elements";

}  // namespace

Result<> PicklerCore::ReducerFor(ThreadState& ts, TypeObject* type) {
  if (dispatch_table && !IsExactDict(dispatch_table)) {
    Result<> found = GetItem(ts, Ref<>(dispatch_table), type);
    if (!found.raised() || !ClearPendingIf(ts, Exc::kKeyError)) return found;
    return Result<>::Steal(Value::Absent());
  }
  if (dispatch_table) {
    return DictGet(ts, Ref<DictObject>::Borrow(dispatch_table.as<DictObject>()), type);
  }
  if (!global_dispatch) {
    MVM_TRY(global_dispatch, ImportedDict(ts, "copyreg", "dispatch_table"));
  }
  return DictGet(ts, global_dispatch, type);
}

bool PicklerCore::IsPlainInstance(ThreadState& ts, Value v) {
  if (protocol < 2 || dispatch_table) return false;
  TypeObject* type = TypeOf(ts, v);
  if (fast_path_type.is(type) && fast_path_version_ == type->version && type->version != 0 &&
      global_dispatch && fast_path_dispatch_ == global_dispatch->version) {
    // An attribute of the instance may still stand in front of what the class says.
    return true;
  }
  if (!IsPlainClass(ts, type)) return false;
  Result<> reducer = ReducerFor(ts, type);
  if (reducer.raised()) {
    ClearPending(ts);  // asked again, and reported, by the general way
    return false;
  }
  const Ref<> found = reducer.Take();
  if (!found.is_absent()) return false;
  fast_path_type = Ref<>::Borrow(type);
  fast_path_version_ = TypeVersion(ts, type);
  fast_path_dispatch_ = global_dispatch->version;
  return true;
}

Status PicklerCore::SavePlainInstance(ThreadState& ts, Value v) {
  Object* o = v.object();
  TypeObject* type = TypeOf(ts, v);
  const Shape* shape = ts.rt->shapes[o->shape_id].shape;
  if (!shape->dict_mode) {
    for (NameId id : {NameId::k__reduce_ex__, NameId::k__reduce__, NameId::k__getstate__}) {
      if (shape->Find(ts.rt->names[static_cast<size_t>(id)]) >= 0) return SaveByReducing(ts, v);
    }
  } else {
    return SaveByReducing(ts, v);
  }
  MVM_TRY_VOID(Save(ts, type));
  MVM_TRY_VOID(out.Put(ts, kEmptyTuple));
  MVM_TRY_VOID(out.Put(ts, kNewObj));
  MVM_TRY_VOID(MemoPut(ts, v));
  // Saving the class may have run script code.
  shape = ts.rt->shapes[o->shape_id].shape;
  if (shape && !shape->dict_mode) {
    if (shape->slot_count == 0) return Ok();
    const int64_t known = memo.Find(KeyOfDictOf(o));
    MVM_TRY_VOID(known >= 0 ? MemoGet(ts, known) : SaveInstanceDict(ts, o));
    return out.Put(ts, kBuild);
  }
  MVM_TRY(Ref<DictObject> dict, InstanceDict(ts, v));
  MVM_TRY_VOID(Save(ts, dict));
  return out.Put(ts, kBuild);
}

Status PicklerCore::SaveByReducing(ThreadState& ts, Value v) {
  TypeObject* type = TypeOf(ts, v);
  MVM_TRY(Ref<> reducer, ReducerFor(ts, type));
  if (!reducer.is_absent()) {
    MVM_TRY(Ref<> reduced, Call(ts, reducer, v));
    return SaveReduced(ts, reduced, v);
  }
  if (IsType(ts, v)) return SaveGlobal(ts, v, nullptr);
  MVM_TRY(Ref<> method, GetAttrOptional(ts, v, MVM_NAME(ts, __reduce_ex__)));
  Ref<> reduced;
  if (!method.is_absent()) {
    MVM_TRY(reduced, Call(ts, method, Value::Int(protocol)));
    return SaveReduced(ts, reduced, v);
  }
  MVM_TRY(method, GetAttrOptional(ts, v, MVM_NAME(ts, __reduce__)));
  if (method.is_absent()) {
    return RaisePickling(ts, "can't pickle '%T' object: %R", v, v);
  }
  MVM_TRY(reduced, Call(ts, method));
  return SaveReduced(ts, reduced, v);
}

Status PicklerCore::SaveReduced(ThreadState& ts, Value reduced, Value object) {
  if (IsStr(ts, reduced)) return SaveGlobal(ts, object, reduced.as<StrObject>());
  if (!IsTuple(ts, reduced)) {
    return RaisePickling(ts, "__reduce__ must return a string or tuple");
  }
  return SaveReduceTuple(ts, reduced.as<TupleObject>(), object);
}

Status PicklerCore::SaveNewObjEx(ThreadState& ts, TupleObject* args) {
  if (args->size() != 3) {
    return RaisePickling(ts, "length of the NEWOBJ_EX argument tuple must be exactly 3, not %u",
                         args->size());
  }
  const Value cls = (*args)[0], positional = (*args)[1], keywords = (*args)[2];
  if (!IsType(ts, cls)) {
    return RaisePickling(ts, "first item from NEWOBJ_EX argument tuple must be a class, not %T",
                         cls);
  }
  if (!IsTuple(ts, positional)) {
    return RaisePickling(ts, "second item from NEWOBJ_EX argument tuple must be a tuple, not %T",
                         positional);
  }
  if (!IsDict(ts, keywords)) {
    return RaisePickling(ts, "third item from NEWOBJ_EX argument tuple must be a dict, not %T",
                         keywords);
  }
  if (protocol >= 4) {
    MVM_TRY_VOID(Save(ts, cls));
    MVM_TRY_VOID(Save(ts, positional));
    MVM_TRY_VOID(Save(ts, keywords));
    return out.Put(ts, kNewObjEx);
  }
  // Older readers have no keywords: functools.partial(cls.__new__, cls, *args, **kwargs)().
  MVM_TRY(Ref<> partial, ImportedName(ts, "functools", "partial"));
  MVM_TRY(Ref<> maker, GetAttr(ts, cls, MVM_NAME(ts, __new__)));
  MVM_TRY(Ref<ListObject> all, NewList(ts, {}));
  MVM_TRY_VOID(ListAppend(ts, all, maker));
  MVM_TRY_VOID(ListAppend(ts, all, cls));
  for (Value v : positional.as<TupleObject>()->span()) MVM_TRY_VOID(ListAppend(ts, all, v));
  MVM_TRY(Ref<TupleObject> partial_args, TupleFrom(ts, all));
  MVM_TRY(Ref<> made, CallWith(ts, partial, partial_args, keywords.as<DictObject>()));
  MVM_TRY_VOID(Save(ts, made));
  MVM_TRY_VOID(Save(ts, ts.rt->empty_tuple));
  return out.Put(ts, kReduce);
}

Status PicklerCore::SaveNewObj(ThreadState& ts, TupleObject* args, Value object) {
  if (args->size() < 1) return RaisePickling(ts, "__newobj__ arglist is empty");
  const Value cls = (*args)[0];
  if (!IsType(ts, cls)) {
    return RaisePickling(ts, "args[0] from __newobj__ args is not a type");
  }
  if (object) {
    MVM_TRY(Ref<> own_class, GetAttr(ts, object, MVM_NAME(ts, __class__)));
    if (!own_class.is(cls)) {
      return RaisePickling(ts, "args[0] from __newobj__ args has the wrong class");
    }
  }
  MVM_TRY_VOID(Save(ts, cls));
  MVM_TRY(Ref<TupleObject> rest, NewTuple(ts, args->span().subspan(1)));
  MVM_TRY_VOID(Save(ts, rest));
  return out.Put(ts, kNewObj);
}

Status PicklerCore::SaveReduceTuple(ThreadState& ts, TupleObject* parts, Value object) {
  const Ref<TupleObject> hold = Ref<TupleObject>::Borrow(parts);
  const uint32_t n = parts->size();
  if (n < 2 || n > 6) return RaisePickling(ts, "%s", kReduceShape);
  auto part = [&](uint32_t i) { return i < n && !IsNone(ts, (*parts)[i]) ? (*parts)[i] : Value(); };
  const Value callable = (*parts)[0], args = (*parts)[1];
  const Value state = part(2), items = part(3), pairs = part(4), setter = part(5);
  if (!IsCallable(ts, callable)) {
    return RaisePickling(ts, "first item of the tuple returned by __reduce__ must be callable");
  }
  if (!IsTuple(ts, args)) {
    return RaisePickling(ts, "second item of the tuple returned by __reduce__ must be a tuple");
  }
  auto is_iterator = [&](Value v) { return TypeOf(ts, v)->slots.next != nullptr; };
  if (items && !is_iterator(items)) {
    return RaisePickling(
        ts, "fourth element of the tuple returned by __reduce__ must be an iterator, not %T",
        items);
  }
  if (pairs && !is_iterator(pairs)) {
    return RaisePickling(
        ts, "fifth element of the tuple returned by __reduce__ must be an iterator, not %T", pairs);
  }
  if (setter && !IsCallable(ts, setter)) {
    return RaisePickling(
        ts, "sixth element of the tuple returned by __reduce__ must be a function, not %T", setter);
  }
  bool by_new = false, by_new_ex = false;
  if (protocol >= 2) {
    MVM_TRY(Ref<> name, GetAttrOptional(ts, callable, MVM_NAME(ts, __name__)));
    if (!name.is_absent() && IsStr(ts, name)) {
      by_new = name.as<StrObject>()->EqualsAscii("__newobj__");
      by_new_ex = name.as<StrObject>()->EqualsAscii("__newobj_ex__");
    }
  }
  if (by_new_ex) {
    MVM_TRY_VOID(SaveNewObjEx(ts, args.as<TupleObject>()));
  } else if (by_new) {
    MVM_TRY_VOID(SaveNewObj(ts, args.as<TupleObject>(), object));
  } else {
    MVM_TRY_VOID(Save(ts, callable));
    MVM_TRY_VOID(Save(ts, args));
    MVM_TRY_VOID(out.Put(ts, kReduce));
  }
  if (object) {
    // The arguments may have led back to the object.
    const int64_t known = memo.Find(KeyOf(object));
    if (known >= 0) return PopToMemo(ts, 1, known);
    MVM_TRY_VOID(MemoPut(ts, object));
  }
  if (items) MVM_TRY_VOID(SaveItems(ts, items));
  if (pairs) MVM_TRY_VOID(SavePairs(ts, pairs));
  return state ? SaveState(ts, state, setter, object) : Ok();
}

Status PicklerCore::SaveState(ThreadState& ts, Value state, Value setter, Value object) {
  if (!setter) {
    MVM_TRY_VOID(Save(ts, state));
    return out.Put(ts, kBuild);
  }
  // setter(object, state), whose result is dropped.
  MVM_TRY_VOID(Save(ts, setter));
  MVM_TRY_VOID(Save(ts, object));
  MVM_TRY_VOID(Save(ts, state));
  MVM_TRY_VOID(out.Put(ts, kTuple2));
  MVM_TRY_VOID(out.Put(ts, kReduce));
  return out.Put(ts, kPop);
}

}  // namespace minivm::pickle

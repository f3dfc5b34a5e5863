// The classes of `ast`: made from the grammar's table, with AST's constructor and pickling.
//
// Class attributes are those of CPython: _fields, _attributes, __match_args__, _field_types,
// __annotations__, the grammar's text as __doc__, and None for every field that may be absent.
#include "runtime/native/native_function.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/generic_alias.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/tree/tree.h"

namespace minivm {

namespace {

const TypeSpec kTreeTypesType = {
    .name = "_ast.types",
    .flags = kTypeNoNew,
    .size = sizeof(TreeTypesObject),
    .gc = GcHooksOf<TreeTypesObject>(),
};

constexpr const char* kPositionNames[] = {"lineno", "col_offset", "end_lineno", "end_col_offset"};

// ---- AST.__init__ and AST.__reduce__ ----

// What error messages call the class: "ast.AST", but "Name".
const char* ClassLabel(const TypeObject* type, std::string* buffer) {
  *buffer = ToUtf8(type->name);
  if (type->name->EqualsAscii("AST") && type->bases->size() == 1 &&
      type->bases->items()[0].as<TypeObject>()->bases->size() == 0) {
    *buffer = "ast.AST";
  }
  return buffer->c_str();
}

// type._fields as a tuple; empty without it.
Result<TupleObject> FieldsOf(ThreadState& ts, Value type) {
  MVM_TRY(Ref<> fields, GetAttrOptional(ts, type, "_fields"));
  if (fields.is_absent()) return NewTuple(ts, {});
  return TupleFrom(ts, fields);
}

Status SetAttribute(ThreadState& ts, Value self, Value name, Value value) {
  if (!IsStr(ts, name))
    return Raise(ts, Exc::kTypeError, "attribute name must be string, not '%T'", name);
  MVM_TRY(Ref<StrObject> interned, Intern(ts, name.as<StrObject>()));
  return SetAttr(ts, self, interned, value);
}

// Gives a field that the constructor was not told its default, or warns that it is missing.
Status CompleteField(ThreadState& ts, Value self, TypeObject* type, Value name, Value field_types) {
  std::string label;
  MVM_TRY(Ref<> kind, GetItem(ts, field_types, name));
  if (IsExact(kind, TypeId::kUnionType)) return Ok();  // the class has None
  if (IsExact(kind, TypeId::kGenericAlias)) {
    MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
    return SetAttribute(ts, self, name, list);
  }
  MVM_TRY(TreeTypesObject * types, TreeTypes(ts));
  const auto context = static_cast<size_t>(ClassNumber(TreeSum::kExprContext));
  if (kind.is((*types->classes)[context])) {
    return SetAttribute(ts, self, name,
                        (*types->singletons)[static_cast<size_t>(ClassNumber(ExprContext::kLoad))]);
  }
  return Warn(ts, Exc::kDeprecationWarning, 1,
              "%s.__init__ missing 1 required positional argument: %R. "
              "This will become an error in Python 3.15.",
              ClassLabel(type, &label), name);
}

Status CompleteFields(ThreadState& ts, Value self, TypeObject* type, TupleObject* fields,
                      const std::vector<bool>& given) {
  bool complete = true;
  for (bool g : given) complete = complete && g;
  if (complete) return Ok();
  MVM_TRY(Ref<> field_types, GetAttrOptional(ts, Value(type), "_field_types"));
  if (field_types.is_absent()) return Ok();
  for (uint32_t i = 0; i < fields->size(); ++i) {
    if (given[i]) continue;
    const Value name = (*fields)[i];
    MVM_TRY(bool known, Contains(ts, field_types, name));
    if (!known) {
      std::string label;
      MVM_TRY_VOID(Warn(ts, Exc::kDeprecationWarning, 1,
                        "Field %R is missing from %s._field_types. "
                        "This will become an error in Python 3.15.",
                        name, ClassLabel(type, &label)));
      continue;
    }
    MVM_TRY_VOID(CompleteField(ts, self, type, name, field_types));
  }
  return Ok();
}

// AST.__new__(cls, *args, **kwargs): whatever __init__ takes.
Result<> ast_new(ThreadState& ts, Args raw) {
  if (raw.n == 0 || !IsType(ts, raw[0])) {
    return Raise(ts, Exc::kTypeError, "AST.__new__(X): X is not a type object");
  }
  MVM_TRY(TreeTypesObject * types, TreeTypes(ts));
  TypeObject* cls = raw[0].as<TypeObject>();
  if (!IsSubtype(cls, (*types->classes)[0].as<TypeObject>())) {
    return Raise(ts, Exc::kTypeError, "ast.AST.__new__(%N): %N is not a subtype of ast.AST", cls,
                 cls);
  }
  return AllocInstance(ts, cls);
}

Result<> ast_init(ThreadState& ts, Args raw) {
  if (raw.n == 0) return Raise(ts, Exc::kTypeError, "AST.__init__() needs an argument");
  const Value self = raw[0];
  const uint32_t n = raw.n - 1;
  TypeObject* type = TypeOf(ts, self);
  std::string label;
  MVM_TRY(Ref<TupleObject> fields, FieldsOf(ts, Value(type)));
  if (n > fields->size()) {
    return Raise(ts, Exc::kTypeError, "%U constructor takes at most %u positional argument%s",
                 Value(type->name), fields->size(), fields->size() == 1 ? "" : "s");
  }
  MVM_TRY_VOID(CheckRoom(ts, fields->size()));
  std::vector<bool> given(fields->size(), false);
  for (uint32_t i = 0; i < n; ++i) {
    MVM_TRY_VOID(SetAttribute(ts, self, (*fields)[i], raw[i + 1]));
    given[i] = true;
  }
  TupleObject* names = raw.nkw ? raw[raw.n + raw.nkw].as<TupleObject>() : nullptr;
  for (uint32_t k = 0; k < raw.nkw; ++k) {
    const Value name = (*names)[k];
    uint32_t i = 0;
    for (; i < fields->size(); ++i) {
      MVM_TRY(bool same, EqualValues(ts, (*fields)[i], name));
      if (same) break;
    }
    if (i < fields->size()) {
      if (given[i]) {
        return Raise(ts, Exc::kTypeError, "%s got multiple values for argument %R",
                     ClassLabel(type, &label), name);
      }
      given[i] = true;
    } else {
      MVM_TRY(Ref<> attributes, GetAttr(ts, Value(type), "_attributes"));
      MVM_TRY(bool known, Contains(ts, attributes, name));
      if (!known) {
        MVM_TRY_VOID(
            Warn(ts, Exc::kDeprecationWarning, 1,
                 "%s.__init__ got an unexpected keyword argument %R. Support for arbitrary "
                 "keyword arguments is deprecated and will be removed in Python 3.15.",
                 ClassLabel(type, &label), name));
      }
    }
    MVM_TRY_VOID(SetAttribute(ts, self, name, raw[raw.n + k]));
  }
  MVM_TRY_VOID(CompleteFields(ts, self, type, fields, given));
  return None(ts);
}

// (class, (None, ...), __dict__): the constructor is called with as many placeholders as leading
// fields are there, so that it has nothing to warn about; the state then fills them.
Result<> ast_reduce(ThreadState& ts, Args args) {
  const Value self = args[0];
  TypeObject* type = TypeOf(ts, self);
  MVM_TRY(Ref<> state, GetAttrOptional(ts, self, MVM_NAME(ts, __dict__)));
  if (state.is_absent()) {
    MVM_TRY(Ref<TupleObject> empty, NewTuple(ts, {}));
    const Value pair[] = {Value(type), empty.value()};
    return NewTuple(ts, pair);
  }
  MVM_TRY(Ref<TupleObject> fields, FieldsOf(ts, Value(type)));
  uint32_t leading = 0;
  for (; leading < fields->size(); ++leading) {
    MVM_TRY(bool there, Contains(ts, state, (*fields)[leading]));
    if (!there) break;
  }
  std::vector<Value> nones(leading, Value(ts.rt->none));
  MVM_TRY(Ref<TupleObject> placeholders, NewTuple(ts, nones));
  const Value triple[] = {Value(type), placeholders.value(), state.get()};
  return NewTuple(ts, triple);
}

const MethodSpec kInitMethod = {"__init__(...)", ast_init,
                                "Initialize self.  See help(type(self)) for accurate signature."};
const MethodSpec kNewMethod = {
    "__new__(...)", ast_new,
    "Create and return a new object.  See help(type) for accurate signature."};
const MethodSpec kReduceMethod = {"__reduce__(self, /)", ast_reduce, nullptr};

// ---- making the classes ----

class ClassMaker {
 public:
  explicit ClassMaker(ThreadState& ts) : ts_(ts) {}

  Result<TreeTypesObject> Make() {
    const std::vector<TreeClass>& grammar = TreeClasses();
    MVM_TRY(module_, InternUtf8(ts_, "ast"));
    MVM_TRY(positions_, Names(kPositionNames, 4));
    for (const TreeClass& c : grammar) MVM_TRY_VOID(MakeClass(c));
    for (size_t i = 0; i < grammar.size(); ++i) MVM_TRY_VOID(Annotate(grammar[i], i));
    MVM_TRY(TypeObject * type, TypeForSpec(ts_, kTreeTypesType));
    MVM_TRY_VOID(TypeReady(ts_, type));
    MVM_TRY(Ref<> made, AllocInstance(ts_, type));
    Ref<TreeTypesObject> types = std::move(made).Into<TreeTypesObject>();
    MVM_TRY(Ref<TupleObject> classes, NewTuple(ts_, View(classes_)));
    types->classes = classes.Release();
    MVM_TRY(Ref<TupleObject> fields, NewTuple(ts_, View(fields_)));
    types->fields = fields.Release();
    std::vector<Ref<>> singletons;
    for (size_t i = 0; i < grammar.size(); ++i) {
      if (grammar[i].is_simple) {
        MVM_TRY(Ref<> one, AllocInstance(ts_, classes_[i].as<TypeObject>()));
        singletons.push_back(std::move(one));
      } else {
        singletons.push_back(Ref<>::Borrow(ts_.rt->none));
      }
    }
    MVM_TRY(Ref<TupleObject> ones, NewTuple(ts_, View(singletons)));
    types->singletons = ones.Release();
    types->positions = Ref<TupleObject>(positions_).Release();
    MVM_TRY(Ref<StrObject> kind, InternUtf8(ts_, "kind"));
    types->kind = kind.Release();
    return types;
  }

 private:
  static std::span<const Value> View(const std::vector<Ref<>>& v) {
    static_assert(sizeof(Ref<>) == sizeof(Value));
    return {reinterpret_cast<const Value*>(v.data()), v.size()};
  }

  Result<TupleObject> Names(const char* const* texts, size_t n) {
    std::vector<Ref<>> names;
    for (size_t i = 0; i < n; ++i) {
      MVM_TRY(Ref<StrObject> name, InternUtf8(ts_, texts[i]));
      names.push_back(std::move(name));
    }
    return NewTuple(ts_, View(names));
  }

  Status MakeClass(const TreeClass& c) {
    MVM_TRY(Ref<DictObject> ns, NewDict(ts_));
    const Value none(ts_.rt->none);
    std::vector<const char*> texts;
    for (const TreeField& f : c.fields) texts.push_back(f.name.c_str());
    MVM_TRY(Ref<TupleObject> fields, Names(texts.data(), texts.size()));
    MVM_TRY_VOID(DictSetUtf8(ts_, ns, "__module__", module_));
    if (c.base < 0) {
      MVM_TRY_VOID(DictSetUtf8(ts_, ns, "__doc__", none));
    } else {
      MVM_TRY(Ref<StrObject> doc, NewStr(ts_, c.doc));
      MVM_TRY_VOID(DictSetUtf8(ts_, ns, "__doc__", doc));
    }
    const bool own_positions = c.base <= 0;
    if (!c.is_sum) {
      MVM_TRY_VOID(DictSetUtf8(ts_, ns, "_fields", fields));
      MVM_TRY_VOID(DictSetUtf8(ts_, ns, "__match_args__", fields));
    }
    for (const TreeField& f : c.fields) {
      if (f.quantifier == Quantifier::kOptional) MVM_TRY_VOID(DictSetUtf8(ts_, ns, f.name, none));
    }
    if (own_positions) {
      Ref<TupleObject> attributes = positions_;
      if (c.position == TreePosition::kNone) {
        MVM_TRY(attributes, NewTuple(ts_, {}));
      }
      MVM_TRY_VOID(DictSetUtf8(ts_, ns, "_attributes", attributes));
      if (c.position == TreePosition::kOpenEnd) {
        MVM_TRY_VOID(DictSetUtf8(ts_, ns, "end_lineno", none));
        MVM_TRY_VOID(DictSetUtf8(ts_, ns, "end_col_offset", none));
      }
    }
    const Value base = c.base < 0 ? Value(TypeById(ts_, TypeId::kObject))
                                  : classes_[static_cast<size_t>(c.base)].get();
    MVM_TRY(Ref<TupleObject> bases, NewTuple(ts_, {&base, 1}));
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts_, c.name));
    MVM_TRY(Ref<TypeObject> type, NewHeapType(ts_, TypeById(ts_, TypeId::kType), name, bases, ns));
    if (c.base < 0) {
      MVM_TRY(Ref<NativeFunctionObject> make,
              NewNativeFunction(ts_, kNewMethod, Value(type.get()), false, module_));
      MVM_TRY_VOID(SetAttr(ts_, Value(type.get()), MVM_NAME(ts_, __new__), make));
      MVM_TRY_VOID(AddMethod(type, "__init__", kInitMethod));
      MVM_TRY_VOID(AddMethod(type, "__reduce__", kReduceMethod));
    }
    classes_.push_back(std::move(type));
    fields_.push_back(std::move(fields));
    return Ok();
  }

  Status AddMethod(TypeObject* type, const char* name, const MethodSpec& spec) {
    MVM_TRY(Ref<MethodDescriptorObject> method, NewMethodDescriptor(ts_, spec, type));
    return SetAttr(ts_, Value(type), std::string_view(name), method);
  }

  // _field_types and __annotations__, which mention other classes.
  Status Annotate(const TreeClass& c, size_t number) {
    if (c.is_sum || c.base < 0) return Ok();
    MVM_TRY(Ref<DictObject> types, NewDict(ts_));
    MVM_TRY(Ref<DictObject> annotations, NewDict(ts_));
    for (const TreeField& f : c.fields) {
      Ref<> type;
      if (f.type_class >= 0) {
        type = classes_[static_cast<size_t>(f.type_class)];
      } else {
        const TypeId id = f.type == "int"        ? TypeId::kInt
                          : f.type == "constant" ? TypeId::kObject
                                                 : TypeId::kStr;
        type = Ref<>::Borrow(Value(TypeById(ts_, id)));
      }
      if (f.quantifier == Quantifier::kOptional) {
        MVM_TRY(type, UnionOr(ts_, type, ts_.rt->none));
      } else if (f.quantifier == Quantifier::kMany) {
        MVM_TRY(Ref<GenericAliasObject> list,
                NewGenericAlias(ts_, Value(TypeById(ts_, TypeId::kList)), type));
        type = std::move(list);
      }
      MVM_TRY_VOID(DictSetUtf8(ts_, types, f.name, type));
      MVM_TRY_VOID(DictSetUtf8(ts_, annotations, f.name, type));
    }
    const Value target = classes_[number].get();
    MVM_TRY_VOID(SetAttr(ts_, target, "_field_types", types));
    return SetAttr(ts_, target, "__annotations__", annotations);
  }

  ThreadState& ts_;
  Ref<StrObject> module_;
  Ref<TupleObject> positions_;
  std::vector<Ref<>> classes_, fields_;
};

}  // namespace

Result<TreeTypesObject*> TreeTypes(ThreadState& ts) {
  if (MVM_UNLIKELY(!ts.rt->tree_types)) {
    MVM_TRY(Ref<TreeTypesObject> made, ClassMaker(ts).Make());
    // Making it may have run a collection, but no script code.
    ts.rt->tree_types = made.Release();
  }
  return static_cast<TreeTypesObject*>(ts.rt->tree_types);
}

bool IsTree(ThreadState& ts, Value v) {
  if (!ts.rt->tree_types || !v.is_object()) return false;
  auto* types = static_cast<TreeTypesObject*>(ts.rt->tree_types);
  return IsInstance(ts, v, (*types->classes)[0].as<TypeObject>());
}

}  // namespace minivm

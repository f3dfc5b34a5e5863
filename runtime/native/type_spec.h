// Constant tables that describe built-in types and native modules.
//
// A signature text such as "sort(self, /, *, key=None, reverse=False)" is parsed on first
// use (signature.h); argument counts, keywords and defaults are bound from it, so that no
// native checks them by hand, and help() prints the same text. Defaults may be None, True,
// False, ints, floats, 'strings', (): anything else (write `<unrepresentable>` or a name)
// arrives as Absent(). "name(...)" takes raw arguments (see Args).
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/core/slots.h"
#include "runtime/core/visit.h"

namespace minivm {

// A pointer and a length over a constant array.
template <class T>
struct Table {
  const T* data = nullptr;
  size_t size = 0;
  constexpr Table() = default;
  template <size_t N>
  constexpr Table(const T (&array)[N]) : data(array), size(N) {}  // NOLINT: implicit
  const T* begin() const { return data; }
  const T* end() const { return data + size; }
};

enum MethodFlags : uint32_t {
  kMethodPlain = 0,
  kMethodClass = 1,   // v[0] is the class
  kMethodStatic = 2,  // no self
};

struct MethodSpec {
  const char* signature;
  NativeFn fn;
  const char* doc = nullptr;
  uint32_t flags = kMethodPlain;
};

struct GetSetSpec {
  const char* name;
  UnaryFn get;
  Status (*set)(ThreadState& ts, Value self, Value value) = nullptr;  // null value: delete
  const char* doc = nullptr;
};

enum TypeFlags : uint32_t {
  kTypeBase = 1u << 0,          // may be subclassed by scripts
  kTypeNoNew = 1u << 1,         // "cannot create 'x' instances"
  kTypeHeap = 1u << 2,          // made by a class statement or type(); mutable
  kTypeImmutable = 1u << 3,     // attributes cannot be set (built-in types)
  kTypeAbstract = 1u << 4,      // has abstract methods
  kTypeReady = 1u << 5,         // dictionary filled, slots inherited
  kTypeMatchSelf = 1u << 6,     // class pattern with one positional sub-pattern binds the subject
  kTypeSequence = 1u << 7,      // matches sequence patterns
  kTypeMapping = 1u << 8,       // matches mapping patterns
  kTypeHasFinalizer = 1u << 9,  // slots.finalize set
  kTypeMethodDescriptor = 1u << 10,  // behaves as an unbound method when found in a class
  kTypeCustomMro = 1u << 15,         // the MRO has classes that are no bases of bases
  kTypeLinearMro = 1u << 28,         // one base, and the MRO is the type and then the base's
  kTypeMark = 1u << 14,              // scratch of walks over the subclass tree
  kTypeHasSites = 1u << 11,  // call sites depend on lookups through it (VmHooks::invalidate_sites)
  kTypeImmortalInstances = 1u << 12,  // the singletons' types
  kTypeWeakrefs = 1u << 13,           // instances of this built-in type can be weakly referenced
  // Fast subclass tests: set for the type and everything derived from it.
  kTypeIntSubclass = 1u << 16,
  kTypeFloatSubclass = 1u << 17,
  kTypeStrSubclass = 1u << 18,
  kTypeBytesSubclass = 1u << 19,
  kTypeListSubclass = 1u << 20,
  kTypeTupleSubclass = 1u << 21,
  kTypeDictSubclass = 1u << 22,
  kTypeSetSubclass = 1u << 23,  // set and frozenset
  kTypeTypeSubclass = 1u << 24,
  kTypeExceptionSubclass = 1u << 25,
  kTypeComplexSubclass = 1u << 26,
  kTypeBytearraySubclass = 1u << 27,
};
inline constexpr uint32_t kTypeInheritedFlags =
    0xFFFF0000u | kTypeMatchSelf | kTypeSequence | kTypeMapping;

// Where instances keep attributes that are not in the class.
enum class AttrStorage : uint8_t {
  kInherit,    // as the base class has it
  kNone,       // none
  kDictField,  // a DictObject* at TypeSpec::dict_offset, created on first use
  kShape,      // slots described by the instance's Shape (classes made by scripts)
  kVarTail,    // DictObject* behind the items (subclasses of int, str, bytes, tuple by scripts)
};

struct TypeSpec {
  const char* name;  // "list"; "collections.deque" sets __module__
  const char* doc = nullptr;
  const TypeSpec* base = nullptr;  // null: object
  uint32_t flags = 0;
  uint16_t size = 0;       // sizeof the C++ class
  uint16_t item_size = 0;  // of variable-size objects
  GcHooks gc = {};
  Slots slots = {};
  // "list(iterable=(), /)": bound __new__; v[0] is the class. Sets slots.new_.
  MethodSpec construct = {};
  // "__init__(self, iterable=(), /)": bound __init__; returns None. Sets slots.init.
  MethodSpec init = {};
  Table<MethodSpec> methods = {};
  Table<GetSetSpec> getsets = {};
  AttrStorage storage = AttrStorage::kInherit;
  uint16_t dict_offset = 0;               // for kDictField
  const TypeSpec* second_base = nullptr;  // ExceptionGroup: stands behind `base` in __bases__
};

struct ConstantSpec {
  const char* name;
  enum Kind : uint8_t { kInt, kFloat, kStr } kind;
  int64_t i = 0;
  double f = 0;
  const char* s = nullptr;
};

// A value that is made when a script first asks for it.
struct LateSpec {
  const char* name;
  Result<> (*make)(ThreadState& ts);
};

class ModuleObject;

// A native module. `types` are added under the last part of their names; `exec` runs once
// after the tables are entered, for what tables cannot say.
struct ModuleSpec {
  const char* name;
  const char* doc = nullptr;
  Table<MethodSpec> functions = {};
  Table<const TypeSpec*> types = {};
  Table<ConstantSpec> constants = {};
  Status (*exec)(ThreadState& ts, ModuleObject* module) = nullptr;
  // Of every VM, but few programs use them: see ModuleObject::incomplete.
  Table<LateSpec> late = {};
  bool late_members = false;  // `functions` and `types` too
};

}  // namespace minivm

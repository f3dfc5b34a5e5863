// Script functions.
//
// A word that calls one in line asks of it only plain_count, so that it need not know which it is.
#pragma once

#include "vm/bytecode/code_object.h"

namespace minivm {

class FunctionObject : public Object {
 public:
  static constexpr TypeId kTypeId = TypeId::kFunction;
  static constexpr uint16_t kNotPlain = 0xFFFF;  // plain_count of one that is not simple
  // What a call needs, together.
  Word* entry = nullptr;  // instance->words
  uint16_t frame_size = 0;
  uint16_t local_count = 0;
  uint16_t param_count = 0;  // parameters in registers
  // With just as many arguments by position, and no others, the frame is entered as it stands.
  uint16_t plain_count = kNotPlain;
  CodeInstance* instance = nullptr;  // kept alive by code and globals below
  CodeObject* code = nullptr;
  DictObject* globals = nullptr;
  Value builtins;                  // a dict, seldom another mapping
  TupleObject* closure = nullptr;  // cells
  TupleObject* defaults = nullptr;
  DictObject* kwdefaults = nullptr;
  StrObject* name = nullptr;
  StrObject* qualname = nullptr;
  Value doc;          // null: the code's docstring
  Value module;       // null: globals["__name__"] at creation was absent
  Value annotations;  // dict, tuple of names and values (lazily a dict), or null
  Value type_params;  // tuple or null
  DictObject* dict = nullptr;

  // Positional parameters only: no keyword-only ones, *args, **kwargs, far ones.
  bool simple() const { return plain_count != kNotPlain; }

  template <class V>
  void VisitRefs(V&& v) {
    v(code);
    v(globals);
    v(builtins);
    v(module);
    v(defaults);
    v(kwdefaults);
    v(doc);
    v(dict);
    v(closure);
    v(annotations);
    v(type_params);
    v(name);
    v(qualname);
  }
};

inline bool IsFunction(Value v) { return IsExact(v, TypeId::kFunction); }

// A function of `code` over these globals (turned into a celled dict). Builtins come from
// globals["__builtins__"], else from the VM.
// names_are_globals: see BindCode.
Result<FunctionObject> NewFunction(ThreadState& ts, CodeObject* code, DictObject* globals,
                                   bool names_are_globals = false);
// What runs the function's code, frames and generators of all threads, keeps it: it gets a copy of
// the function. For who gives the function, which he holds, other code.
Status KeepRunningCode(ThreadState& ts, FunctionObject* f);

}  // namespace minivm

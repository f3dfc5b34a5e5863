// What generic aliases and unions of types share: collecting and substituting type parameters.
//
// A type parameter is whatever has __typing_subst__; an argument that itself has parameters says so
// in __parameters__ and is substituted by subscribing it.
#pragma once

#include "runtime/core/thread_state.h"

namespace minivm {

class StrBuilder;

// The distinct type parameters in `args`, in order of appearance.
Result<TupleObject> CollectParameters(ThreadState& ts, TupleObject* args);
// `args` with `parameters` replaced by `item` (one value, or a tuple of them), as self[item] does.
Result<TupleObject> SubstituteParameters(ThreadState& ts, Value self, TupleObject* args,
                                         TupleObject* parameters, Value item);
// How a type shows inside list[...] and unions: its qualified name, "..." or repr.
Status AppendTypeRepr(ThreadState& ts, StrBuilder& b, Value v);

}  // namespace minivm

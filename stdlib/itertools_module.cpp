// Module itertools. The iterators are in stdlib/itertools/.
#include "runtime/native/type_spec.h"
#include "stdlib/itertools/itertools_types.h"

namespace minivm {
namespace {

const MethodSpec kFunctions[] = {
    {"tee(iterable, n=2, /)", itertools::itertools_tee,
     "Returns a tuple of n independent iterators."},
};

const TypeSpec* const kTypes[] = {
#define TYPE(name) &itertools::k##name##Type,
    MVM_ITERTOOLS_TYPES(TYPE)
#undef TYPE
};

}  // namespace

extern const ModuleSpec k_itertools_module;
const ModuleSpec k_itertools_module = {
    .name = "itertools",
    .doc = "Functional tools for creating and using iterators.",
    .functions = kFunctions,
    .types = kTypes,
};

}  // namespace minivm

// Module itertools. The iterators are in stdlib/itertools/.
#include "runtime/native/type_spec.h"
#include "stdlib/itertools/itertools_types.h"

namespace minivm {
namespace {

const MethodSpec kFunctions[] = {
    {"tee(iterable, n=2, /)", itertools::itertools_tee,
     "n iterators that each give all the items; what one has passed and another has not is kept. "
     "Leave iterable alone then."},
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
    .doc = "Iterators made of iterators; none looks further ahead than it must.",
    .functions = kFunctions,
    .types = kTypes,
};

}  // namespace minivm

// _multiprocessing.Descriptors: descriptors that are closed with an object.
//
// What a parent holds of a child are ends of pipes. They are its own: a process that begins as its
// copy has the object, too, and shall not close what it has under the same numbers by then.
#include <unistd.h>

#include "runtime/objects/int_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/multiprocessing/multiprocessing_types.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

constexpr uint32_t kMost = 2;

class DescriptorsObject : public Object {
 public:
  int fds[kMost] = {-1, -1};
  uint32_t forks = 0;  // RuntimeState::forks of the process that they belong to
  void FreeBuffers(Heap& heap) { Close(*heap.rt()); }
  void Close(const RuntimeState& rt) {
    for (int& fd : fds) {
      if (fd >= 0 && forks == rt.forks) close(fd);
      fd = -1;
    }
  }
};

Result<> descriptors_new(ThreadState& ts, Args args) {
  const TupleObject* fds = args[1].as<TupleObject>();
  if (fds->size() > kMost) {
    return Raise(ts, Exc::kTypeError, "Descriptors expected at most %u arguments, got %u", kMost,
                 fds->size());
  }
  int numbers[kMost] = {-1, -1};
  for (uint32_t i = 0; i < fds->size(); ++i) {
    MVM_TRY(numbers[i], AsCInt(ts, (*fds)[i]));
  }
  MVM_TRY(Ref<> made, AllocInstance(ts, args[0].as<TypeObject>()));
  DescriptorsObject* descriptors = made.as<DescriptorsObject>();
  for (uint32_t i = 0; i < kMost; ++i) descriptors->fds[i] = numbers[i];
  descriptors->forks = ts.rt->forks;
  return made;
}

Result<> descriptors_close(ThreadState& ts, Args args) {
  args.self<DescriptorsObject>()->Close(*ts.rt);
  return None(ts);
}

Result<> descriptors_get_closed(ThreadState& ts, Value self) {
  return Bool(ts, self.as<DescriptorsObject>()->fds[0] < 0);
}

const MethodSpec kMethods[] = {
    {"close(self, /)", descriptors_close,
     "Close them, in the process that has made the object; not twice."},
};
const GetSetSpec kGetSets[] = {
    {"closed", descriptors_get_closed, nullptr, "Whether they have been closed."},
};

}  // namespace

const TypeSpec kDescriptorsType = {
    .name = "_multiprocessing.Descriptors",
    .doc = "Up to two descriptors that are closed when the object dies.",
    .size = sizeof(DescriptorsObject),
    .gc = LeafHooksOf<DescriptorsObject>(),
    .construct = {"Descriptors(*fds)", descriptors_new},
    .methods = kMethods,
    .getsets = kGetSets,
};

}  // namespace minivm

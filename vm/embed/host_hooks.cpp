// Functions of the host that a script meets without calling them: its output, where its modules
// come from. The objects in sys that ask them are the script module _minivm_host's.
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "vm/embed/internals.h"

namespace minivm {

namespace {

Result<> Writer(ThreadState& ts, const char* name, std::function<void(std::string_view)> write) {
  return NewHostFunction(ts, name, [write = std::move(write)](HostCall& call) {
    write(call.arg(0).ToString());
    return Var();
  });
}

}  // namespace

Status VmInternals::InstallHostHooks(ThreadState& ts) {
  const VmStreams& streams = config.streams;
  const VmModules& modules = config.modules;
  if (!streams.write_out && !streams.write_error && !modules.allow && !modules.find) return Ok();
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "_minivm_host"));
  Ref<> none = Ref<>::Borrow(ts.rt->none);
  Ref<> out = none, error = none, allow = none, find = none;
  if (streams.write_out) {
    MVM_TRY(out, Writer(ts, "write_out", streams.write_out));
  }
  if (streams.write_error) {
    MVM_TRY(error, Writer(ts, "write_error", streams.write_error));
  }
  if (modules.allow) {
    MVM_TRY(allow, NewHostFunction(ts, "allow", [ask = modules.allow](HostCall& call) {
              return call.vm().Bool(ask(call.arg(0).ToString()));
            }));
  }
  if (modules.find) {
    MVM_TRY(find, NewHostFunction(ts, "find", [ask = modules.find](HostCall& call) {
              std::string source;
              if (!ask(call.arg(0).ToString(), &source)) return Var();
              return call.vm().Str(source);
            }));
  }
  MVM_TRY(Ref<> install, GetAttr(ts, module, "install"));
  const Value functions[] = {out, error, allow, find};
  MVM_TRY(Ref<TupleObject> args, NewTuple(ts, functions));
  MVM_TRY_VOID(CallWith(ts, install, args, nullptr));
  return Ok();
}

}  // namespace minivm

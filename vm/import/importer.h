// The import system.
//
// Order of a search: sys.modules; then sys.meta_path's finders. Ours are built in and stand there
// as objects too: native modules of the VM's table, the core of the modules embedded in the binary,
// sys.path (directories: package/__init__.src|.py, name.src, name.py, namespace packages), and
// behind its last entry the rest of the embedded modules: a script's own random.py takes the place
// of the library's.
#pragma once

#include <string_view>

#include "runtime/core/thread_state.h"

namespace minivm {

// `import name` / `from . import x`: the top package, or with a non-empty fromlist the module
// itself. globals and fromlist may be null or None.
Result<> ImportModuleLevel(ThreadState& ts, StrObject* name, Value globals, Value fromlist,
                           int64_t level);
// The module with an absolute dotted name.
Result<> ImportModule(ThreadState& ts, std::string_view name);
// sys.meta_path, sys.path_hooks and the import hook; the modules that can be imported without files
// are those of embedded_modules.h. REQUIRES: sys and builtins exist.
Status InitImporter(ThreadState& ts);

}  // namespace minivm

// What went wrong in a script, as the host sees it.
#pragma once

#include <string>

namespace minivm {

// Filled by calls that fail; the exception itself is gone from the VM.
struct ScriptError {
  std::string type;       // "ValueError"; qualified with its module unless that is builtins
  std::string message;    // str(exception)
  std::string traceback;  // what the command line would print, exception line included
  bool is_exit =
      false;  // SystemExit: exit_code says which; `message` is what is to be printed, if any
  int exit_code = 1;
};

}  // namespace minivm

// The prompt.
#pragma once

#include "minivm/minivm.h"

namespace minivm::cli {

// Reads statements from standard input, with prompts, until its end or exit(); returns the exit
// status.
int RunPrompt(Vm& vm);

}  // namespace minivm::cli

// The command line: what argv and the environment ask for.
#pragma once

#include <string>
#include <vector>

#include "minivm/minivm.h"

namespace minivm::cli {

enum class Source {
  kNone,
  kFile,
  kCommand,
  kModule,
  kStdin
};  // kNone: standard input, maybe a prompt

struct Options {
  VmConfig config;
  Source source = Source::kNone;
  std::string text;  // the file, command or module
  bool skip_first_line = false;
  bool ignore_environment = false;
  // The program is to end at once with this status (help, version, errors); -1: go on.
  int exit_status = -1;
  bool leak_check = false;    // -X leak_check, for tests
  bool faulthandler = false;  // fatal signals show where the script is
};

// Parses; prints help, versions and complaints itself.
Options ParseCommandLine(int argc, char** argv);

}  // namespace minivm::cli

// Parsing the command line and the environment.
#include "repl/options.h"

#include <limits.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace minivm::cli {

namespace {

constexpr const char* kUsageLine =
    "usage: %s [option] ... [-c cmd | -m mod | file | -] [arg] ...\n";

constexpr const char* kHelp =
    "Options (and corresponding environment variables):\n"
    "-b     : issue warnings about converting bytes/bytearray to str and comparing\n"
    "         bytes/bytearray with str or bytes with int; also -bb: issue errors\n"
    "-B     : don't write .pyc files on import; also PYTHONDONTWRITEBYTECODE=x\n"
    "-c cmd : program passed in as string (terminates option list)\n"
    "-d     : turn on parser debugging output; also PYTHONDEBUG=x\n"
    "-E     : ignore PYTHON* environment variables (such as PYTHONPATH)\n"
    "-h     : print this help message and exit (also -? or --help)\n"
    "-i     : inspect interactively after running script; also PYTHONINSPECT=x\n"
    "-I     : isolate from the user's environment (implies -E -P -s)\n"
    "-m mod : run library module as a script (terminates option list)\n"
    "-O     : remove assert and __debug__-dependent statements; also PYTHONOPTIMIZE=x\n"
    "-OO    : do -O changes and also discard docstrings\n"
    "-P     : don't prepend a potentially unsafe path to sys.path; also PYTHONSAFEPATH\n"
    "-q     : don't print version and copyright messages on interactive startup\n"
    "-s     : don't add user site directory to sys.path; also PYTHONNOUSERSITE=x\n"
    "-S     : don't add exit, quit, help and their like to builtins\n"
    "-u     : force the stdout and stderr streams to be unbuffered;\n"
    "         this option has no effect on stdin; also PYTHONUNBUFFERED=x\n"
    "-v     : verbose (trace import statements); also PYTHONVERBOSE=x\n"
    "-V     : print the version number and exit (also --version);\n"
    "         when given twice, print more information about the build\n"
    "-W arg : warning control; arg is action:message:category:module:lineno;\n"
    "         also PYTHONWARNINGS=arg\n"
    "-x     : skip first line of source, allowing use of non-Unix forms of #!cmd\n"
    "-X opt : set implementation-specific option: dev, memory=SIZE (K, M or G; the\n"
    "         script gets MemoryError beyond), int_max_str_digits=N, tracemalloc=NFRAME\n"
    "         (trace where memory is allocated; also PYTHONTRACEMALLOC=NFRAME),\n"
    "         giltrace=FILE (draw which thread has the lock, and when, to FILE.html and\n"
    "         FILE.json), check_interval=N (threads take turns every N instructions),\n"
    "         gc_stress (collect after every allocation of a container, for tests)\n"
    "         leak_check (list on stderr what the end of the program leaves, for tests)\n"
    "file   : program read from script file\n"
    "-      : program read from stdin (default; interactive mode if a tty)\n"
    "arg ...: arguments passed to program in sys.argv[1:]\n"
    "\n"
    "Other environment variables: MINIVMPATH and PYTHONPATH (directories for sys.path,\n"
    "separated by ':'), PYTHONHASHSEED, PYTHONIOENCODING, PYTHONSTARTUP, PYTHONBREAKPOINT.\n";

void PrintVersion(bool more) {
  if (more) {
    std::printf("minivm " MINIVM_VERSION " (Python " MINIVM_LANGUAGE_VERSION ", " __DATE__
                ", C++ " __VERSION__ ")\n");
  } else {
    std::printf("minivm " MINIVM_VERSION " (Python " MINIVM_LANGUAGE_VERSION ")\n");
  }
}

int Complain(const char* program) {
  std::fprintf(stderr, kUsageLine, program);
  std::fprintf(stderr, "Try `%s -h' for more information.\n", program);
  return 2;
}

// "64M" in bytes; 0 if it is no size.
size_t ParseSize(const std::string& text) {
  char* end = nullptr;
  errno = 0;
  double n = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || errno != 0 || !(n > 0)) return 0;
  switch (*end) {
    case 'k':
    case 'K':
      n *= 1024;
      ++end;
      break;
    case 'm':
    case 'M':
      n *= 1024 * 1024;
      ++end;
      break;
    case 'g':
    case 'G':
      n *= 1024.0 * 1024 * 1024;
      ++end;
      break;
  }
  if (*end == 'B' || *end == 'b') ++end;
  return *end == 0 && n < 1e18 ? static_cast<size_t>(n) : 0;
}

std::string ExecutablePath(const char* argv0) {
  char buffer[PATH_MAX];
  ssize_t n = ::readlink("/proc/self/exe", buffer, sizeof(buffer) - 1);
  if (n > 0) return std::string(buffer, static_cast<size_t>(n));
  return argv0 ? argv0 : "";
}

class Parser {
 public:
  Parser(int argc, char** argv, Options* out)
      : argc_(argc), argv_(argv), o_(*out), c_(out->config) {
    program_ = argc > 0 ? argv[0] : "minivm";
  }

  // False: o_.exit_status says how to end.
  bool Run() {
    for (; index_ < argc_; ++index_) {
      std::string_view arg = argv_[index_];
      if (arg == "-") {
        o_.source = Source::kStdin;
        break;
      }
      if (arg.empty() || arg[0] != '-') break;
      if (arg == "--") {
        ++index_;
        break;
      }
      bool go_on = arg[1] == '-' ? LongOption(arg) : ShortOptions(arg.substr(1));
      if (!go_on) return false;
      if (o_.source != Source::kNone) {  // -c or -m: the rest is the program's
        FinishArguments(o_.source == Source::kCommand ? "-c" : "-m", index_ + 1);
        return true;
      }
    }
    if (o_.source == Source::kStdin) {
      FinishArguments("-", index_ + 1);
    } else if (index_ < argc_) {
      o_.source = Source::kFile;
      o_.text = argv_[index_];
      FinishArguments(o_.text, index_ + 1);
    } else {
      FinishArguments("", index_);
    }
    return true;
  }

  bool help = false;
  int version = 0;

 private:
  bool End(int status) {
    o_.exit_status = status;
    return false;
  }

  void FinishArguments(std::string first, int rest) {
    c_.argv = {std::move(first)};
    for (int i = rest; i < argc_; ++i) c_.argv.push_back(argv_[i]);
  }

  bool LongOption(std::string_view arg) {
    if (arg == "--help" || arg == "--help-all" || arg == "--help-env" || arg == "--help-xoptions") {
      help = true;
      return true;
    }
    if (arg == "--version") {
      ++version;
      return true;
    }
    if (arg == "--check-hash-based-pycs") {
      if (++index_ >= argc_) {
        std::fprintf(stderr, "Argument expected for the --check-hash-based-pycs option\n");
        return End(Complain(program_));
      }
      const std::string_view mode = argv_[index_];
      if (mode != "default" && mode != "always" && mode != "never") {
        std::fprintf(stderr,
                     "--check-hash-based-pycs must be one of 'default', 'always', or 'never'\n");
        return End(Complain(program_));
      }
      return true;
    }
    std::fprintf(stderr, "unknown option %.*s\n", static_cast<int>(arg.size()), arg.data());
    return End(Complain(program_));
  }

  // The rest of the word or the next argument; null: there is none.
  const char* Argument(std::string_view rest) {
    if (!rest.empty()) return rest.data();
    return ++index_ < argc_ ? argv_[index_] : nullptr;
  }

  bool ShortOptions(std::string_view letters) {
    for (size_t i = 0; i < letters.size(); ++i) {
      char letter = letters[i];
      switch (letter) {
        case 'b': ++c_.flags.bytes_warning; break;
        case 'B': c_.flags.dont_write_bytecode = true; break;
        case 'd': ++c_.flags.debug; break;
        case 'E': c_.flags.ignore_environment = true; break;
        case 'h':
        case '?': help = true; break;
        case 'i':
          ++c_.flags.inspect;
          c_.flags.interactive = true;
          break;
        case 'I':
          c_.flags.isolated = c_.flags.ignore_environment = c_.flags.no_user_site =
              c_.flags.safe_path = true;
          break;
        case 'O': ++c_.flags.optimize; break;
        case 'P': c_.flags.safe_path = true; break;
        case 'q': c_.flags.quiet = true; break;
        case 'R': break;  // randomised hashes are what one gets anyway
        case 's': c_.flags.no_user_site = true; break;
        case 'S': c_.flags.no_site = true; break;
        case 't': break;  // accepted for old scripts
        case 'u': c_.streams.unbuffered = true; break;
        case 'v': ++c_.flags.verbose; break;
        case 'V': ++version; break;
        case 'x': o_.skip_first_line = true; break;
        case 'c':
        case 'm':
        case 'W':
        case 'X': {
          const char* argument = Argument(letters.substr(i + 1));
          if (argument == nullptr) {
            std::fprintf(stderr, "Argument expected for the -%c option\n", letter);
            return End(Complain(program_));
          }
          if (letter == 'c' || letter == 'm') {
            o_.source = letter == 'c' ? Source::kCommand : Source::kModule;
            o_.text = argument;
          } else if (letter == 'W') {
            c_.flags.warn_options.push_back(argument);
          } else {
            c_.flags.x_options.push_back(argument);
          }
          return true;
        }
        default:
          std::fprintf(stderr, "Unknown option: -%c\n", letter);
          return End(Complain(program_));
      }
    }
    return true;
  }

  int argc_;
  char** argv_;
  int index_ = 1;
  const char* program_;
  Options& o_;
  VmConfig& c_;
};

// Calls f(piece) for the pieces of a list.
template <class F>
void Split(std::string_view text, char separator, F f) {
  while (true) {
    size_t end = text.find(separator);
    f(std::string(text.substr(0, end)));
    if (end == text.npos) return;
    text.remove_prefix(end + 1);
  }
}

const char* Environment(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? value : nullptr;
}

// A limit of digits; one that is refused if the text is no number.
int ParseDigits(const char* text) {
  char* end = nullptr;
  const long n = std::strtol(text, &end, 10);
  return end == text || *end != 0 || n < 0 || n > INT_MAX ? 1 : static_cast<int>(n);
}

// A number of frames for tracebacks of allocations, 0: none are kept. False: a message has been
// printed. Too many is something that the VM complains about.
bool ParseFrames(const char* text, const char* where, uint32_t* frames) {
  char* end = nullptr;
  errno = 0;
  const long n = std::strtol(text, &end, 10);
  if (*end != 0 || errno != 0 || n < 0 || n > INT_MAX) {
    std::fprintf(stderr,
                 "Fatal Python error: config_init_tracemalloc: %s: invalid number of frames\n",
                 where);
    return false;
  }
  *frames = static_cast<uint32_t>(n);
  return true;
}

void RaiseTo(int* field, const char* name) {
  const char* value = Environment(name);
  if (!value) return;
  int n = std::atoi(value);
  if (n < 1) n = 1;
  if (n > *field) *field = n;
}

// The value of -X utf8 or PYTHONUTF8. False: it is neither 0 nor 1; a message has been printed.
bool ParseUtf8Mode(std::string_view value, const char* what, bool* mode) {
  if (value != "0" && value != "1") {
    std::fprintf(stderr, "Fatal Python error: preconfig_init_utf8_mode: invalid %s value\n", what);
    return false;
  }
  *mode = value == "1";
  return true;
}

// False: the environment is wrong; a message has been printed.
bool ReadEnvironment(Options& o) {
  VmConfig& c = o.config;
  if (c.flags.ignore_environment) return true;
  for (const char* name : {"MINIVMPATH", "PYTHONPATH"}) {
    if (const char* value = Environment(name))
      Split(value, ':', [&](std::string p) { c.modules.path.push_back(std::move(p)); });
  }
  RaiseTo(&c.flags.optimize, "PYTHONOPTIMIZE");
  RaiseTo(&c.flags.verbose, "PYTHONVERBOSE");
  RaiseTo(&c.flags.debug, "PYTHONDEBUG");
  RaiseTo(&c.flags.inspect, "PYTHONINSPECT");
  if (Environment("PYTHONUNBUFFERED")) c.streams.unbuffered = true;
  if (Environment("PYTHONDONTWRITEBYTECODE")) c.flags.dont_write_bytecode = true;
  if (Environment("PYTHONSAFEPATH")) c.flags.safe_path = true;
  if (Environment("PYTHONNOUSERSITE")) c.flags.no_user_site = true;
  if (Environment("PYTHONWARNDEFAULTENCODING")) c.flags.warn_default_encoding = true;
  if (Environment("PYTHONDEVMODE")) c.flags.dev_mode = o.faulthandler = true;
  if (Environment("PYTHONFAULTHANDLER")) o.faulthandler = true;
  if (Environment("PYTHONNODEBUGRANGES")) c.flags.no_debug_ranges = true;
  if (const char* value = Environment("PYTHONUTF8")) {
    if (!ParseUtf8Mode(value, "PYTHONUTF8 environment variable", &c.flags.utf8_mode)) return false;
  }
  if (const char* value = Environment("PYTHONINTMAXSTRDIGITS"))
    c.flags.int_max_str_digits = ParseDigits(value);
  if (const char* value = Environment("PYTHONTRACEMALLOC")) {
    if (!ParseFrames(value, "PYTHONTRACEMALLOC", &c.trace_frames)) return false;
  }
  if (const char* value = Environment("PYTHONWARNINGS")) {
    std::vector<std::string> options;
    Split(value, ',', [&](std::string s) { options.push_back(std::move(s)); });
    c.flags.warn_options.insert(c.flags.warn_options.begin(), options.begin(), options.end());
  }
  if (const char* value = Environment("PYTHONIOENCODING")) {
    std::string_view text = value;
    size_t colon = text.find(':');
    c.streams.encoding = text.substr(0, colon);
    if (colon != text.npos) c.streams.errors = text.substr(colon + 1);
  }
  if (const char* value = Environment("PYTHONHASHSEED")) {
    if (std::strcmp(value, "random") != 0) {
      char* end = nullptr;
      errno = 0;
      unsigned long long n = std::strtoull(value, &end, 10);
      if (*end != 0 || errno != 0 || n > 4294967295ull || *value == '-') {
        std::fprintf(stderr,
                     "Fatal Python error: config_init_hash_seed: PYTHONHASHSEED must be \"random\" "
                     "or an integer in "
                     "range [0; 4294967295]\n");
        return false;
      }
      c.flags.fixed_hash_seed = true;
      c.flags.hash_seed = static_cast<uint32_t>(n);
    }
  }
  return true;
}

bool ReadXOptions(Options& o) {
  bool traces = false, utf8 = false;
  for (const std::string& option : o.config.flags.x_options) {
    size_t equals = option.find('=');
    std::string name = option.substr(0, equals),
                value = equals == option.npos ? "" : option.substr(equals + 1);
    if (name == "dev") o.config.flags.dev_mode = true;
    if (name == "utf8" && !utf8) {  // the first one counts
      utf8 = true;
      if (!ParseUtf8Mode(equals == option.npos ? "1" : value, "-X utf8 option",
                         &o.config.flags.utf8_mode))
        return false;
    }
    if (name == "no_debug_ranges") o.config.flags.no_debug_ranges = true;
    if (name == "warn_default_encoding") o.config.flags.warn_default_encoding = true;
    if (name == "gc_stress") o.config.gc_stress = true;
    if (name == "tracemalloc" && !traces) {  // the first one counts
      traces = true;
      const char* frames = equals == option.npos ? "1" : value.c_str();
      if (!ParseFrames(frames, "-X tracemalloc=NFRAME", &o.config.trace_frames)) return false;
    }
    if (name == "leak_check") o.leak_check = true;
    if (name == "check_interval") {
      const long n = std::strtol(value.c_str(), nullptr, 10);
      if (n < 1 || n > INT_MAX) {
        std::fprintf(stderr, "minivm: -X check_interval needs a number of instructions\n");
        return false;
      }
      o.config.check_interval = static_cast<int>(n);
    }
    if (name == "giltrace") {
      if (value.empty()) {
        std::fprintf(stderr, "minivm: -X giltrace needs the name of a file\n");
        return false;
      }
      o.config.gil_trace = value;
    }
    if (name == "faulthandler" || name == "dev") o.faulthandler = true;
    if (name == "int_max_str_digits")
      o.config.flags.int_max_str_digits = ParseDigits(value.c_str());
    if (name == "memory") {
      o.config.limits.memory = ParseSize(value);
      if (o.config.limits.memory == 0) {
        std::fprintf(stderr, "minivm: -X memory needs a size such as 64M, not '%s'\n",
                     value.c_str());
        return false;
      }
    }
  }
  constexpr uint32_t kMaxFrames = 65535;  // as VmConfig::trace_frames says
  if (o.config.trace_frames > kMaxFrames) {
    std::fprintf(stderr,
                 "Fatal Python error: init_interp_main: can't start tracemalloc\n"
                 "ValueError: the number of frames must be in range [1; %u]\n",
                 kMaxFrames);
    return false;
  }
  int digits = o.config.flags.int_max_str_digits;
  if (digits != -1 && digits != 0 && digits < 640) {
    std::fprintf(stderr,
                 "Fatal Python error: config_init_int_max_str_digits: -X int_max_str_digits: "
                 "invalid limit; must be >= "
                 "640 or 0 for unlimited.\n");
    return false;
  }
  return true;
}

}  // namespace

Options ParseCommandLine(int argc, char** argv) {
  Options o;
  Parser parser(argc, argv, &o);
  if (!parser.Run()) return o;
  if (parser.help) {
    std::printf(kUsageLine, argc > 0 ? argv[0] : "minivm");
    std::fputs(kHelp, stdout);
    o.exit_status = 0;
    return o;
  }
  if (parser.version > 0) {
    PrintVersion(parser.version > 1);
    o.exit_status = 0;
    return o;
  }
  for (int i = 0; i < argc; ++i) o.config.flags.orig_argv.push_back(argv[i]);
  o.config.executable = ExecutablePath(argc > 0 ? argv[0] : nullptr);
  if (!ReadEnvironment(o) || !ReadXOptions(o)) {
    o.exit_status = 1;
    return o;
  }
  if (o.config.flags.dev_mode)
    o.config.flags.warn_options.insert(o.config.flags.warn_options.begin(), "default");
  if (o.config.flags.bytes_warning > 0) {
    o.config.flags.warn_options.push_back(
        o.config.flags.bytes_warning > 1 ? "error::BytesWarning" : "default::BytesWarning");
  }
  if (o.config.flags.optimize > 2) o.config.flags.optimize = 2;
  return o;
}

}  // namespace minivm::cli

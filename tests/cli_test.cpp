// The command line, the prompt and Ctrl-C, from outside: each row of a table is one run of
// `minivm`.
//
// What scripts print is the golden tests' business; here it is how the program starts and ends:
// options, standard input, exit statuses, messages about what cannot be run, closed and broken
// streams, the prompt on a terminal, signals. What is expected is what CPython 3.13 does, the
// program's own name apart.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

extern char** environ;

namespace {

namespace fs = std::filesystem;

// Generous: sanitizer builds on a busy machine. Nothing waits for it unless something is wrong.
constexpr int kTimeoutSeconds = 100;

// ---- running the program ----

double Now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// What a test knows as minivm's folder of files to run; removed at the end.
class CliTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "minivm-cli-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& name, std::string_view text) {
    fs::path path = root_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }

  fs::path root_;
};

struct Command {
  std::vector<std::string> arguments;
  std::string input;                     // standard input
  std::vector<std::string> environment;  // "NAME=value", on top of a clean one
  std::string redirect[3];               // a file instead of the pipe; "-": closed
};

struct Outcome {
  int status = 0;  // exit status, or minus the signal
  std::string out, err;
};

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) == 0) read = fds[0], write = fds[1];
  }
  ~Pipe() {
    CloseRead();
    CloseWrite();
  }
  void CloseRead() { Close(&read); }
  void CloseWrite() { Close(&write); }
  static void Close(int* fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
};

int StatusOf(int raw) { return WIFSIGNALED(raw) ? -WTERMSIG(raw) : WEXITSTATUS(raw); }

// A running minivm. `actions` say what its descriptors are.
class Process {
 public:
  Process(const Command& run, const fs::path& folder, posix_spawn_file_actions_t* actions,
          bool own_session = false) {
    std::vector<std::string> words = {MINIVM_COMMAND};
    words.insert(words.end(), run.arguments.begin(), run.arguments.end());
    std::vector<char*> argv;
    for (std::string& w : words) argv.push_back(w.data());
    argv.push_back(nullptr);
    std::vector<std::string> variables = {"LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin"};
    for (const char* kept : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
      if (const char* value = getenv(kept)) variables.push_back(std::string(kept) + "=" + value);
    }
    variables.insert(variables.end(), run.environment.begin(), run.environment.end());
    std::vector<char*> env;
    for (std::string& v : variables) env.push_back(v.data());
    env.push_back(nullptr);
    posix_spawn_file_actions_addchdir_np(actions, folder.c_str());
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (own_session) flags |= POSIX_SPAWN_SETSID;
    posix_spawnattr_setflags(&attributes, flags);
    int error = posix_spawn(&pid_, MINIVM_COMMAND, actions, &attributes, argv.data(), env.data());
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
      ADD_FAILURE() << "cannot start " << MINIVM_COMMAND << ": " << strerror(error);
      pid_ = -1;
    }
  }
  ~Process() {
    if (pid_ > 0) Wait(0);
  }

  void Send(int signum) {
    if (pid_ > 0) kill(pid_, signum);
  }
  // The status, as Outcome has it; after so many seconds it is killed.
  int Wait(double seconds) {
    double end = Now() + seconds;
    int raw = 0;
    for (useconds_t nap = 500; pid_ > 0; nap = std::min<useconds_t>(nap * 2, 20000)) {
      if (waitpid(pid_, &raw, WNOHANG) != 0) break;
      if (Now() >= end) {
        kill(pid_, SIGKILL);
        waitpid(pid_, &raw, 0);
        break;
      }
      usleep(nap);
    }
    pid_ = -1;
    return StatusOf(raw);
  }

 private:
  pid_t pid_ = -1;
};

// Writes `input` to one and reads the others until they end.
void Pump(int in, std::string_view input, int out, std::string* out_text, int err,
          std::string* err_text, double end) {
  signal(SIGPIPE, SIG_IGN);
  if (in >= 0) fcntl(in, F_SETFL, O_NONBLOCK);
  while (in >= 0 || out >= 0 || err >= 0) {
    pollfd fds[3] = {{in, POLLOUT, 0}, {out, POLLIN, 0}, {err, POLLIN, 0}};
    int left = static_cast<int>((end - Now()) * 1000);
    if (left <= 0 || poll(fds, 3, left) <= 0) break;
    if (in >= 0 && fds[0].revents) {
      ssize_t n = write(in, input.data(), input.size());
      if (n > 0) input.remove_prefix(static_cast<size_t>(n));
      if (input.empty() || (n < 0 && errno != EAGAIN)) Pipe::Close(&in);
    }
    auto take = [](int* fd, short events, std::string* text) {
      if (*fd < 0 || !events) return;
      char buffer[65536];
      ssize_t n = read(*fd, buffer, sizeof buffer);
      if (n > 0) {
        text->append(buffer, static_cast<size_t>(n));
      } else {
        Pipe::Close(fd);
      }
    };
    take(&out, fds[1].revents, out_text);
    take(&err, fds[2].revents, err_text);
  }
  for (int* fd : {&in, &out, &err}) Pipe::Close(fd);
}

Outcome RunToEnd(const Command& run, const fs::path& folder) {
  Pipe pipes[3];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd < 3; ++fd) {
    const std::string& to = run.redirect[fd];
    if (to == "-") {
      posix_spawn_file_actions_addclose(&actions, fd);
    } else if (!to.empty()) {
      posix_spawn_file_actions_addopen(&actions, fd, to.c_str(), fd == 0 ? O_RDONLY : O_WRONLY, 0);
    } else {
      posix_spawn_file_actions_adddup2(&actions, fd == 0 ? pipes[0].read : pipes[fd].write, fd);
    }
  }
  Outcome o;
  double end = Now() + kTimeoutSeconds;
  Process process(run, folder, &actions);
  posix_spawn_file_actions_destroy(&actions);
  pipes[0].CloseRead();
  pipes[1].CloseWrite();
  pipes[2].CloseWrite();
  Pump(std::exchange(pipes[0].write, -1), run.input, std::exchange(pipes[1].read, -1), &o.out,
       std::exchange(pipes[2].read, -1), &o.err, end);
  o.status = process.Wait(end - Now());
  return o;
}

// The text with what differs from run to run and machine to machine given a fixed name.
std::string Normal(std::string text, const fs::path& folder) {
  auto replace = [&](const std::string& from, const std::string& to) {
    for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size())
      text.replace(at, from.size(), to);
  };
  replace(MINIVM_COMMAND, "minivm");
  replace(folder.string(), "DIR");
  return text;
}

struct Expected {
  int status = 0;
  std::string out;
  std::string err;  // beginning with "...": how it ends
};

void Check(const std::string& what, const Outcome& got, const Expected& want,
           const fs::path& folder) {
  std::string out = Normal(got.out, folder), err = Normal(got.err, folder);
  EXPECT_EQ(got.status, want.status) << what << "\nstderr: " << err;
  EXPECT_EQ(out, want.out) << what;
  if (want.err.compare(0, 3, "...") == 0) {
    std::string tail = want.err.substr(3);
    EXPECT_TRUE(err.size() >= tail.size() &&
                err.compare(err.size() - tail.size(), tail.size(), tail) == 0)
        << what << "\nexpected at the end of stderr: " << tail << "\nstderr: " << err;
  } else {
    EXPECT_EQ(err, want.err) << what;
  }
}

// ---- runs from start to end ----

struct Row {
  const char* name;
  Command run;
  Expected want;
  bool measures = false;  // the process's memory or time: says nothing under a sanitizer
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

constexpr const char* kUsage =
    "usage: minivm [option] ... [-c cmd | -m mod | file | -] [arg] ...\nTry `minivm -h' for more "
    "information.\n";

const Row kRows[] = {
    {"command", {{"-c", "import sys; print(sys.argv)", "a", "-c"}}, {0, "['-c', 'a', '-c']\n", ""}},
    {"command_in_same_word", {{"-cprint(3)"}}, {0, "3\n", ""}},
    {"empty_command", {{"-c", ""}}, {0, "", ""}},
    {"command_missing",
     {{"-c"}},
     {2, "", std::string("Argument expected for the -c option\n") + kUsage}},
    {"command_no_utf8",
     {{"-c", "print('\xff')"}},
     {1, "",
      "Unable to decode the command from the command line:\nUnicodeEncodeError: 'utf-8' codec "
      "can't encode character "
      "'\\udcff' in position 7: surrogates not allowed\n"}},
    {"unknown_option", {{"-z"}}, {2, "", std::string("Unknown option: -z\n") + kUsage}},
    {"unknown_long_option", {{"--foo"}}, {2, "", std::string("unknown option --foo\n") + kUsage}},
    {"no_such_file",
     {{"none.src"}},
     {2, "", "minivm: can't open file 'DIR/none.src': [Errno 2] No such file or directory\n"}},
    {"folder_without_main",
     {{"empty"}},
     {1, "", "minivm: can't find '__main__' module in 'DIR/empty'\n"}},
    {"folder_with_main", {{"folder", "x"}}, {0, "__main__ ['folder', 'x'] DIR/folder\n", ""}},
    {"file",
     {{"args.src", "-V", "\xc3\xa9"}},
     {0, "['args.src', '-V', '\xc3\xa9'] DIR/args.src DIR\n", ""}},
    {"after_two_dashes", {{"--", "args.src"}}, {0, "['args.src'] DIR/args.src DIR\n", ""}},
    {"argument_no_utf8",
     {{"-c", "import sys; print(ascii(sys.argv[1]))", "\xff"}},
     {0, "'\\udcff'\n", ""}},
    {"module", {{"-m", "package.part", "y"}}, {0, "__main__ package package.part ['y']\n", ""}},
    {"package", {{"-m", "package"}}, {0, "package main\n", ""}},
    {"module_missing", {{"-m", "nothing"}}, {1, "", "minivm: No module named nothing\n"}},
    {"module_name_ends_with_dot",
     {{"-m", "package."}},
     {1, "", "minivm: No module named package.\n"}},
    {"standard_input", {{}, "print(__name__, 7)"}, {0, "__main__ 7\n", ""}},
    {"standard_input_with_arguments",
     {{"-", "a"}, "import sys; print(sys.argv)"},
     {0, "['-', 'a']\n", ""}},
    {"exit_status", {{"-c", "import sys; sys.exit(3)"}}, {3, "", ""}},
    {"exit_status_wraps", {{"-c", "raise SystemExit(-1)"}}, {255, "", ""}},
    {"exit_with_text",
     {{"-c", "import sys; sys.exit('text \xc3\xa9')"}},
     {1, "", "text \xc3\xa9\n"}},
    {"exit_with_empty_text", {{"-c", "raise SystemExit('')"}}, {1, "", "\n"}},
    {"exit_by_name", {{"-c", "exit(4)"}}, {4, "", ""}},
    {"exit_shown",
     {{"-c", "print(exit, quit)"}},
     {0, "Use exit() or Ctrl-D (i.e. EOF) to exit Use quit() or Ctrl-D (i.e. EOF) to exit\n", ""}},
    {"no_site", {{"-S", "-c", "exit"}}, {1, "", "...NameError: name 'exit' is not defined\n"}},
    {"uncaught",
     {{"-c", "1/0"}},
     {1, "",
      "Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\n    1/0\n    "
      "~^~\nZeroDivisionError: division by zero\n"}},
    {"file_no_utf8",
     {{"latin.src"}},
     {1, "",
      "SyntaxError: Non-UTF-8 code starting with '\\xff' in file DIR/latin.src on line 1, but no "
      "encoding declared; see https://peps.python.org/pep-0263/ for details\n"}},
    {"file_with_nul",
     {{"nul.src"}},
     {1, "",
      "  File \"DIR/nul.src\", line 2\n    \nSyntaxError: source code cannot contain null "
      "bytes\n"}},
    {"file_of_junk",
     {{"junk.src"}},
     {1, "",
      "  File \"DIR/junk.src\", line 1\n    \nSyntaxError: source code cannot contain null "
      "bytes\n"}},
    {"long_line", {{"long.src"}}, {0, "10000000\n", ""}},
    {"empty_file", {{"empty.src"}}, {0, "", ""}},
    {"optimized",
     {{"-OO", "-c", "assert 0\ndef f(): 'doc'\nprint(__debug__, f.__doc__)"}},
     {0, "False None\n", ""}},
    {"warnings_as_errors",
     {{"-Werror", "-c", "import warnings; warnings.warn('w')"}},
     {1, "", "...UserWarning: w\n"}},
    {"bytes_warnings",
     {{"-bb", "-c", "str(b'x')"}},
     {1, "", "...BytesWarning: str() on a bytes instance\n"}},
    {"path_from_environment",
     {{"-c", "import helper"}, "", {"PYTHONPATH=lib"}},
     {0, "helper\n", ""}},
    {"environment_ignored",
     {{"-E", "-c", "import helper"}, "", {"PYTHONPATH=lib"}},
     {1, "", "...ModuleNotFoundError: No module named 'helper'\n"}},
    {"encoding_from_environment",
     {{"-c", "import sys; print(sys.stdout.encoding, sys.stdout.errors, '\xc3\xa9')"},
      "",
      {"PYTHONIOENCODING=ascii:replace"}},
     {0, "ascii replace ?\n", ""}},
    {"utf8_in_c_locale", {{"-c", "print('\xc3\xa9')"}, "", {"LC_ALL=C"}}, {0, "\xc3\xa9\n", ""}},
    {"program_on_stdin_has_a_file", {{"-"}, "print(__file__)"}, {0, "<stdin>\n", ""}},
    {"input_at_end", {{"-c", "input()"}}, {1, "", "...EOFError: EOF when reading a line\n"}},
    {"input_without_newline", {{"-c", "print(input())"}, "no newline"}, {0, "no newline\n", ""}},
    {"output_closed",
     {{"-c", "import sys; print(sys.stdout); sys.stderr.write('x')"}, "", {}, {"", "-", ""}},
     {0, "", "x"}},
    {"input_closed",
     {{"-c", "import sys; print(sys.stdin)"}, "", {}, {"-", "", ""}},
     {0, "None\n", ""}},
    {"errors_closed", {{"-c", "1/0"}, "", {}, {"", "", "-"}}, {1, "", ""}},
    {"no_program_and_no_input", {{}, "", {}, {"-", "", ""}}, {0, "", ""}},
    {"output_full",
     {{"-c", "import sys; print(1); sys.exit(5)"}, "", {}, {"", "/dev/full", ""}},
     {120, "",
      "Exception ignored on flushing sys.stdout:\nOSError: [Errno 28] No space left on device\n"}},
    {"errors_full", {{"-c", "1/0"}, "", {}, {"", "", "/dev/full"}}, {120, "", ""}},
    {"failure_at_exit",
     {{"-c", "import atexit\n@atexit.register\ndef f(): 1/0"}},
     {0, "", "...ZeroDivisionError: division by zero\n"}},
    {"prompt_from_pipe",
     {{"-iq"}, "1+1\nif 1:\n  x = 5\n\nx\n"},
     {0, "2\n5\n", ">>> >>> ... ... >>> >>> \n"}},
    {"prompt_error",
     {{"-iq"}, "def f():\n  return y\n\nf()\n"},
     {0, "",
      ">>> ... ... >>> Traceback (most recent call last):\n  File \"<stdin>\", line 1, in "
      "<module>\n    f()\n    ~^^\n"
      "  File \"<stdin>\", line 2, in f\n    return y\n           ^\nNameError: name 'y' is not "
      "defined\n>>> \n"}},
    {"prompt_syntax_error",
     {{"-iq"}, "if 1:\n  2\n3\n"},
     {0, "",
      ">>> ... ...   File \"<stdin>\", line 3\n    3\n    ^\nSyntaxError: invalid syntax\n>>> \n"}},
    {"prompt_ends_within_statement",
     {{"-iq"}, "x = (1\n"},
     {0, "",
      ">>> ... \n  File \"<stdin>\", line 1\n    x = (1\n        ^\nSyntaxError: '(' was never "
      "closed\n>>> \n"}},
    {"prompt_exit", {{"-iq"}, "raise SystemExit(3)\n"}, {3, "", ">>> "}},
    {"prompt_own",
     {{"-iq"}, "import sys; sys.ps1 = '1> '; sys.ps2 = '2> '\n(5,\n6)\n_\n"},
     {0, "(5, 6)\n(5, 6)\n", ">>> 1> 2> 1> 1> \n"}},
    {"prompt_after_command", {{"-i", "-c", "x = 5"}, "x\n"}, {0, "5\n", ">>> >>> \n"}},
    {"prompt_after_exit",
     {{"-i", "-c", "exit(3)"}, "4\n"},
     {0, "4\n", "...SystemExit: 3\n>>> >>> \n"}},
    {"memory_error_is_told_of",
     {{"-X", "memory=16M", "-c", "l = []\nwhile True: l.append([])"}},
     {1, "",
      "Traceback (most recent call last):\n  File \"<string>\", line 2, in "
      "<module>\nMemoryError\n"}},
    {"memory_error_is_handled_in_reserve",
     {{"-X", "memory=16M", "-c",
       "l = []\ntry:\n    while True: l.append([])\nexcept MemoryError as e: print(repr(e), len(l) "
       "> 1000)"}},
     {0, "MemoryError() True\n", ""}},
    {"compile_within_memory",
     {{"-X", "memory=64M", "-c",
       "try: compile('x=1\\n' * 3000000, 'a', 'exec')\nexcept MemoryError: print('full')"}},
     {0, "full\n", ""}},
    {"spawn_within_memory",
     {{"-X", "memory=64M", "-c",
       "import os; a = ['x' * 40] * 3000000\ntry: os.posix_spawn('x', a, {})\nexcept MemoryError: "
       "print('full')"}},
     {0, "full\n", ""}},
    {"spawn_actions_within_memory",
     {{"-X", "memory=64M", "-c",
       "import os; a = [(1, 9)] * 2000000\ntry: os.posix_spawn('x', ['x'], {}, "
       "file_actions=a)\nexcept MemoryError: print('full')"}},
     {0, "full\n", ""},
     true},
    {"spawn_environment_within_memory",
     {{"-X", "memory=64M", "-c",
       "import os\nclass E(dict):\n  def keys(self): return ['x' * 20] * 1000000\n  def "
       "__getitem__(self, k): return k * 20\nE = E()\ntry: os.posix_spawn('x', ['x'], E)\nexcept "
       "MemoryError: print('full')"}},
     {0, "full\n", ""}},
    {"distance_within_memory",
     {{"-X", "memory=64M", "-c",
       "import math; a = (1.0,) * 5500000\ntry: math.dist(a, a)\nexcept MemoryError: "
       "print('full')"}},
     {0, "full\n", ""}},
    {"message_pieces_within_memory",
     {{"-X", "memory=64M", "-c",
       "import socket; a, b = socket.socketpair(); p = [b'x'] * 1500000\ntry: a.sendmsg(p)\nexcept "
       "MemoryError: print('full')"}},
     {0, "full\n", ""}},
    {"receive_pieces_within_memory",
     {{"-X", "memory=64M", "-c",
       "import socket; a, b = socket.socketpair(); p = [bytearray(1)] * 1500000\ntry: "
       "a.recvmsg_into(p)\nexcept MemoryError: print('full')"}},
     {0, "full\n", ""}},
    {"struct_within_memory",
     {{"-X", "memory=64M", "-c",
       "import struct, resource\ntry: struct.Struct('bh' * 6000000)\n"
       "except MemoryError: print(resource.getrusage(0).ru_maxrss < 200000)"}},
     {0, "True\n", ""},
     true},
    {"arguments_within_memory",
     {{"-X", "memory=64M", "-c",
       "import functools, resource\nclass P(functools.partial): pass\n"
       "f = print\nfor _ in range(40): f = P(f); f.note = 1\n"
       "try: f(*(None,) * 1500000)\n"
       "except MemoryError: print(resource.getrusage(0).ru_maxrss < 200000)"}},
     {0, "True\n", ""},
     true},
    {"maps_within_memory",
     {{"-X", "memory=64M", "-c",
       "import mmap\nfor _ in range(9):\n  m = mmap.mmap(-1, 30000000); m.close()\n"
       "for _ in range(9): m = mmap.mmap(-1, 10000000); m.resize(20000000); m.resize(9000000)\n"
       "a = []\ntry:\n  while True: a.append(mmap.mmap(-1, 10000000))\n"
       "except MemoryError: print(len(a))\ntry: a[0].resize(60000000)\n"
       "except MemoryError: print(len(a[0]))"}},
     {0, "5\n10000000\n", ""}},
    {"long_chain_of_readers",
     {{"-c",
       "import io, sys, time\nsys.setrecursionlimit(10**9)\nb = io.BytesIO()\n"
       "for _ in range(2000): b = io.BufferedReader(b, 16)\nstart = time.process_time()\n"
       "b.close()\nprint(time.process_time() - start < 2)"}},
     {0, "True\n", ""},
     true},
    {"start_without_memory",
     {{"-X", "memory=512K", "-c", "print(1)"}},
     {1, "", "minivm: cannot start: MemoryError\n"}},
    {"killed_by_interrupt",
     {{"-c", "raise KeyboardInterrupt"}},
     {-SIGINT, "", "...KeyboardInterrupt\n"}},
    {"interrupt_to_itself",
     {{"-c", "import os\nos.kill(os.getpid(), 2)\nwhile True: pass"}},
     {-SIGINT, "", "...KeyboardInterrupt\n"}},
};

class CliRun : public CliTest {
 public:
  explicit CliRun(const Row& row) : row_(row) {}
  void TestBody() override {
    fs::create_directories(root_ / "empty");
    Write("folder/__main__.src", "import sys\nprint(__name__, sys.argv, sys.path[0])\n");
    Write("args.src", "import sys\nprint(sys.argv, __file__, sys.path[0])\n");
    Write("package/__init__.src", "");
    Write("package/__main__.src", "print('package main')\n");
    Write("package/part.src",
          "import sys\nprint(__name__, __package__, __spec__.name, sys.argv[1:])\n");
    Write("lib/helper.src", "print('helper')\n");
    Write("latin.src", "print('\xff')\n");
    Write("nul.src", std::string_view("print(1)\n\0\n", 11));
    std::string junk;
    for (int i = 0; i < 1024; ++i) junk.push_back(static_cast<char>(i));
    Write("junk.src", junk);
    if (row_.run.arguments == std::vector<std::string>{"long.src"}) {
      Write("long.src", "x = '" + std::string(10'000'000, 'a') + "'\nprint(len(x))\n");
    }
    Write("empty.src", "");
    Check(row_.name, RunToEnd(row_.run, root_), row_.want, root_);
  }

 private:
  const Row& row_;
};

// A reader that goes away ends the program by SIGPIPE, without a word.
TEST_F(CliTest, ReaderGone) {
  Command run{{"-c", "for i in range(10**9): print(i)"}};
  Pipe in, out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write, 1);
  posix_spawn_file_actions_adddup2(&actions, err.write, 2);
  Process process(run, root_, &actions);
  posix_spawn_file_actions_destroy(&actions);
  out.CloseWrite();
  err.CloseWrite();
  char first[2];
  EXPECT_EQ(read(out.read, first, 2), 2);
  out.CloseRead();
  EXPECT_EQ(process.Wait(kTimeoutSeconds), -SIGPIPE);
  std::string text;
  Pump(-1, "", -1, nullptr, std::exchange(err.read, -1), &text, Now() + kTimeoutSeconds);
  EXPECT_EQ(text, "");
}

// ---- Ctrl-C ----

// Whatever a script is at, SIGINT ends it: rows are expressions or statements that run for ever, or
// far too long.
struct Endless {
  const char* name;
  const char* code;
};
const Endless kEndless[] = {
    {"loop", "while True: pass"},
    {"for_over_native", "for _ in repeat(1): pass"},
    {"sleep", "time.sleep(1000)"},
    {"input", "input()"},
    {"read", "sys.stdin.read()"},
    {"readline", "sys.stdin.buffer.readline()"},
    {"os_read", "os.read(os.pipe()[0], 1)"},
    {"open_fifo", "os.mkfifo('fifo'); open('fifo')"},
    {"wait", "os.waitpid(os.fork() or time.sleep(5) or os._exit(0), 0)"},
    {"lock", "l = _thread.allocate_lock(); l.acquire(); l.acquire()"},
    {"join",
     "import threading; t = threading.Thread(target=time.sleep, args=(1000,), daemon=True); "
     "t.start(); t.join()"},
    {"condition", "import threading; threading.Event().wait()"},
    {"barrier", "import threading; threading.Barrier(2).wait(1000)"},
    {"queue", "import queue; queue.Queue().get()"},
    {"queue_put", "import queue; q = queue.Queue(1); q.put(1); q.put(2)"},
    {"simple_queue", "import queue; queue.SimpleQueue().get(timeout=1000)"},
    {"lock_timeout", "l = _thread.allocate_lock(); l.acquire(); l.acquire(timeout=1000)"},
    {"sigwait", "signal.sigwait([10])"},
    {"pause", "signal.pause()"},
    {"sum", "sum(range(10**13))"},
    {"sum_of_tuples", "sum([(1,) * 1000] * 50000, ())"},
    {"compile", "compile('x = 1\\n' * 10**7, 'a', 'exec')"},
    {"compile_tree",
     "import ast; t = ast.parse('x = 1').body * 10**5; [compile(ast.Module(t, []), 'a', 'exec') "
     "for "
     "_ in repeat(1)]"},
    {"str_count", "('ab' * (1 << 29)).count('ba')"},
    {"sum_floats", "sum(repeat(1.5))"},
    {"in", "'x' in count()"},
    {"range_index", "range(10**13).index(1.5)"},
    {"power", "3 ** 10**9"},
    {"modular_power", "pow(3, 7**10**6, 11**10**6)"},
    {"factorial", "math.factorial(10**8)"},
    {"decimal_text", "sys.set_int_max_str_digits(0); str(3 ** 10**8)"},
    {"max", "max(repeat(1))"},
    {"all", "all(repeat(1))"},
    {"set", "set(repeat(1))"},
    {"dict", "dict(repeat((1, 2)))"},
    {"filter", "next(filter(None, repeat(0)))"},
    {"islice", "next(islice(repeat(1), 10**15, None))"},
    {"chain", "next(chain.from_iterable(repeat(())))"},
    {"map", "sum(map(int, repeat(1)))"},
    {"reduce", "functools.reduce(operator.add, repeat(1))"},
    {"count_of", "operator.countOf(repeat(1), 2)"},
    {"deque", "collections.deque(repeat(1), maxlen=1)"},
    {"counter", "collections.Counter(repeat('a'))"},
    {"fsum", "math.fsum(repeat(1.0))"},
    {"sort", "sorted(range(10**7), key=lambda x: -x)"},
    {"generator", "def f(): yield from repeat(1)\nsum(f())"},
};

class CliInterrupt : public CliTest {
 public:
  explicit CliInterrupt(const Endless& endless) : endless_(endless) {}
  void TestBody() override {
    std::string code =
        "import _thread, collections, functools, math, operator, os, signal, sys, time\n"
        "from itertools import *\nprint('ready', flush=True)\n" +
        std::string(endless_.code);
    Command run{{"-X", "memory=2G", "-c", code}};
    Pipe in, out, err;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in.read, 0);
    posix_spawn_file_actions_adddup2(&actions, out.write, 1);
    posix_spawn_file_actions_adddup2(&actions, err.write, 2);
    Process process(run, root_, &actions);
    posix_spawn_file_actions_destroy(&actions);
    out.CloseWrite();
    err.CloseWrite();
    char first;
    EXPECT_EQ(read(out.read, &first, 1), 1);
    usleep(150'000);  // well into it
    process.Send(SIGINT);
    EXPECT_EQ(process.Wait(kTimeoutSeconds), -SIGINT);
    std::string text;
    Pump(-1, "", -1, nullptr, std::exchange(err.read, -1), &text, Now() + kTimeoutSeconds);
    EXPECT_NE(text.find("KeyboardInterrupt"), text.npos) << text;
  }

 private:
  const Endless& endless_;
};

// ---- on a terminal ----

class Terminal {
 public:
  Terminal(const Command& run, const fs::path& folder) {
    master_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master_ < 0 || grantpt(master_) < 0 || unlockpt(master_) < 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    // Opened by the leader of a new session, it becomes the controlling terminal.
    posix_spawn_file_actions_addopen(&actions, 0, ptsname(master_), O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    posix_spawn_file_actions_adddup2(&actions, 0, 2);
    process_ = std::make_unique<Process>(run, folder, &actions, true);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Terminal() {
    if (master_ >= 0) close(master_);
  }

  bool ok() const { return process_ != nullptr; }
  void Type(std::string_view keys) {
    while (!keys.empty()) {
      ssize_t n = write(master_, keys.data(), keys.size());
      if (n <= 0) return;
      keys.remove_prefix(static_cast<size_t>(n));
    }
  }
  // What is shown up to and with `text`; all there is if it does not come.
  std::string ReadUntil(std::string_view text) {
    std::string shown;
    double end = Now() + kTimeoutSeconds;
    while (shown.find(text) == shown.npos) {
      pollfd p = {master_, POLLIN, 0};
      int left = static_cast<int>((end - Now()) * 1000);
      char c;
      if (left <= 0 || poll(&p, 1, left) <= 0 || read(master_, &c, 1) != 1) break;
      if (c != '\r') shown.push_back(c);
    }
    return shown;
  }
  int Wait() {
    ReadUntil("\1");  // nothing may be left that it waits to write
    return process_->Wait(kTimeoutSeconds);
  }

 private:
  int master_ = -1;
  std::unique_ptr<Process> process_;
};

// Types the keys at each prompt and returns all that is shown.
std::string Session(Terminal& terminal,
                    const std::vector<std::pair<std::string, std::string>>& steps) {
  std::string shown;
  for (const auto& [wait_for, keys] : steps) {
    shown += terminal.ReadUntil(wait_for);
    terminal.Type(keys);
  }
  return shown;
}

TEST_F(CliTest, TerminalShowsValuesAndErrors) {
  Terminal terminal({{}}, root_);
  if (!terminal.ok()) GTEST_SKIP() << "no pseudo-terminal";
  std::string shown = Session(terminal, {{">>> ", "1 + 1\n"},
                                         {">>> ", "_ * 21\n"},
                                         {">>> ", "if _:\n"},
                                         {"... ", "    '\xc3\xa9'\n"},
                                         {"... ", "\n"},
                                         {">>> ", "1/0\n"},
                                         {">>> ", "\x04"}});
  EXPECT_EQ(terminal.Wait(), 0);
  EXPECT_EQ(
      shown.substr(shown.find(">>> ")),
      ">>> 1 + 1\n2\n>>> _ * 21\n42\n>>> if _:\n...     '\xc3\xa9'\n... \n'\xc3\xa9'\n>>> 1/0\n"
      "Traceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\n    1/0\n    "
      "~^~\n"
      "ZeroDivisionError: division by zero\n>>> ");
  EXPECT_NE(
      shown.find("Type \"help\", \"copyright\", \"credits\" or \"license\" for more information."),
      shown.npos);
}

TEST_F(CliTest, TerminalCtrlC) {
  Terminal terminal({{"-q"}}, root_);
  if (!terminal.ok()) GTEST_SKIP() << "no pseudo-terminal";
  // While typing, in the middle of a statement, and while something runs.
  std::string shown = Session(terminal, {{">>> ", "half a line"},
                                         {"half a line", "\x03"},
                                         {">>> ", "if 1:\n"},
                                         {"... ", "\x03"},
                                         {">>> ", "while True: pass\n"},
                                         {"... ", "\n"},
                                         {"\n", ""}});
  usleep(200'000);
  terminal.Type("\x03");
  shown += Session(terminal,
                   {{">>> ", "import signal; s = signal.signal(2, lambda *a: print('mine'))\n"},
                    {">>> ", "\x03"},
                    {"mine", "5\n"},
                    {">>> ", "exit(7)\n"}});
  EXPECT_EQ(terminal.Wait(), 7);
  EXPECT_EQ(shown.substr(0, shown.find("while")),
            ">>> half a line^C\nKeyboardInterrupt\n>>> if 1:\n... ^C\nKeyboardInterrupt\n>>> ");
  EXPECT_NE(shown.find("KeyboardInterrupt\n>>> import"), shown.npos) << shown;
  EXPECT_NE(shown.find("^Cmine"), shown.npos) << shown;
}

TEST_F(CliTest, TerminalThreadsGoOnAtThePrompt) {
  Terminal terminal({{"-q"}}, root_);
  if (!terminal.ok()) GTEST_SKIP() << "no pseudo-terminal";
  Session(terminal,
          {{">>> ", "import threading; go = threading.Event()\n"},
           {">>> ", "def f(): go.wait(), threading.Event().wait(0.05), print('from', 'it')\n"},
           {"... ", "\n"},
           {">>> ", "threading.Thread(target=f).start()\n"},
           {">>> ", "go.set()\n"},
           {"from it", "exit(3)\n"}});
  EXPECT_EQ(terminal.Wait(), 3);
}

TEST_F(CliTest, TerminalCtrlCEndsProgram) {
  Terminal terminal({{"-c", "import sys\nprint('ready')\nsys.stdin.readline()"}}, root_);
  if (!terminal.ok()) GTEST_SKIP() << "no pseudo-terminal";
  terminal.ReadUntil("ready");
  usleep(100'000);
  terminal.Type("\x03");
  EXPECT_NE(terminal.ReadUntil("\nKeyboardInterrupt\n").find("\nKeyboardInterrupt\n"),
            std::string::npos);
  EXPECT_EQ(terminal.Wait(), -SIGINT);
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (const Row& row : kRows) {
    if (kSanitized && row.measures) continue;
    testing::RegisterTest("CliRun", row.name, nullptr, nullptr, __FILE__, __LINE__,
                          [&row]() -> CliTest* { return new CliRun(row); });
  }
  for (const Endless& endless : kEndless) {
    testing::RegisterTest("CliInterrupt", endless.name, nullptr, nullptr, __FILE__, __LINE__,
                          [&endless]() -> CliTest* { return new CliInterrupt(endless); });
  }
  return RUN_ALL_TESTS();
}

// The command line, the prompt and Ctrl-C, from outside: each row of a table is one run of `minivm`.
//
// What scripts print is the golden tests' business; here it is how the program starts and ends: options,
// standard input, exit statuses, messages about what cannot be run, closed and broken streams, the prompt
// on a terminal, signals. What is expected is what CPython 3.13 does, the program's own name apart.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
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

struct Run {
  std::vector<std::string> arguments;
  std::string input;                       // standard input
  std::vector<std::string> environment;    // "NAME=value", on top of a clean one
  std::string redirect[3];                 // a file instead of the pipe; "-": closed
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
  Process(const Run& run, const fs::path& folder, posix_spawn_file_actions_t* actions, bool own_session = false) {
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
void Pump(int in, std::string_view input, int out, std::string* out_text, int err, std::string* err_text, double end) {
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

Outcome RunToEnd(const Run& run, const fs::path& folder) {
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
    for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
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

void Check(const std::string& what, const Outcome& got, const Expected& want, const fs::path& folder) {
  std::string out = Normal(got.out, folder), err = Normal(got.err, folder);
  EXPECT_EQ(got.status, want.status) << what << "\nstderr: " << err;
  EXPECT_EQ(out, want.out) << what;
  if (want.err.compare(0, 3, "...") == 0) {
    std::string tail = want.err.substr(3);
    EXPECT_TRUE(err.size() >= tail.size() && err.compare(err.size() - tail.size(), tail.size(), tail) == 0)
        << what << "\nexpected at the end of stderr: " << tail << "\nstderr: " << err;
  } else {
    EXPECT_EQ(err, want.err) << what;
  }
}

// Runs every script below tests/golden and compares what it prints with what it says.
//
// A script carries its expectations: the texts behind `# expect:` are, in order, the lines it prints;
// `# expect-error: Type: message` is the last line on stderr of an uncaught exception (exit status 1).
// Each script is a test of its own, named after its path, and runs in a process of its own, so that a
// crash fails one test. tests/golden/known_failures.txt lists scripts that do not pass yet, with the
// reason: such a test passes while its script fails, and fails when the script passes, so that the list
// only shrinks.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

extern char** environ;

namespace {

namespace fs = std::filesystem;

constexpr int kTimeoutSeconds = 120;  // generous: sanitizer builds on a busy machine

struct Expectation {
  std::vector<std::string> lines;
  std::string error;
  bool has_error = false;
};

std::string TrimRight(std::string s) {
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.pop_back();
  return s;
}

// Text behind `marker` in the line, if it is there.
bool TextBehind(const std::string& line, const std::string& marker, std::string* out) {
  size_t at = line.find(marker);
  if (at == std::string::npos) return false;
  size_t from = at + marker.size();
  if (from < line.size() && line[from] == ' ') ++from;
  *out = TrimRight(line.substr(from));
  return true;
}

Expectation ReadExpectation(const fs::path& script) {
  Expectation e;
  std::ifstream in(script);
  std::string line, text;
  while (std::getline(in, line)) {
    if (TextBehind(line, "# expect-error:", &text)) {
      e.error = text;
      e.has_error = true;
    } else if (TextBehind(line, "# expect:", &text)) {
      e.lines.push_back(text);
    }
  }
  return e;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  std::string line;
  while (std::getline(in, line)) out.push_back(TrimRight(line));
  return out;
}

struct Outcome {
  std::string out, err;
  int status = 0;  // as waitpid gives it
  bool timed_out = false;
};

std::string ReadAll(int fd) {
  std::string text;
  char buffer[65536];
  lseek(fd, 0, SEEK_SET);
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(n));
  return text;
}

// Runs the interpreter on the script; output goes to unlinked files, so that nothing can block on it.
Outcome RunScript(const fs::path& script) {
  Outcome o;
  auto temporary = [] {
    char name[] = "/tmp/minivm-golden-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);
    unlink(name);
    return fd;
  };
  int out = temporary(), err = temporary();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  std::string command = MINIVM_COMMAND, path = script.string();
  char* argv[] = {command.data(), path.data(), nullptr};
  pid_t pid = 0;
  int failed = posix_spawn(&pid, command.c_str(), &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed == 0) {
    // The child is waited for without a clock of ours: SIGALRM would be global. A helper child ends it.
    pid_t watchdog = fork();
    if (watchdog == 0) {
      for (int i = 0; i < kTimeoutSeconds; ++i) sleep(1);
      kill(pid, SIGKILL);
      _exit(0);
    }
    waitpid(pid, &o.status, 0);
    kill(watchdog, SIGKILL);
    int dropped;
    waitpid(watchdog, &dropped, 0);
    o.timed_out = WIFEXITED(dropped);
  } else {
    o.status = 127 << 8;
  }
  o.out = ReadAll(out);
  o.err = ReadAll(err);
  close(out);
  close(err);
  return o;
}

// Empty if the script did what it says, else what went wrong.
std::string Judge(const fs::path& script) {
  Expectation want = ReadExpectation(script);
  if (want.lines.empty() && !want.has_error) return "the script states no expectation";
  Outcome got = RunScript(script);
  std::ostringstream why;
  std::vector<std::string> lines = Lines(got.out), errors = Lines(got.err);
  if (got.timed_out) why << "did not end in " << kTimeoutSeconds << " s\n";
  for (size_t i = 0; i < std::max(lines.size(), want.lines.size()); ++i) {
    std::string a = i < want.lines.size() ? want.lines[i] : "<nothing>";
    std::string b = i < lines.size() ? lines[i] : "<nothing>";
    if (a == b) continue;
    why << "output line " << i + 1 << "\n  expected: " << a << "\n  printed:  " << b << "\n";
    break;
  }
  if (WIFSIGNALED(got.status)) {
    why << "ended by signal " << WTERMSIG(got.status) << "\n";
  } else {
    int code = WEXITSTATUS(got.status), expected = want.has_error ? 1 : 0;
    if (code != expected) why << "exit status " << code << ", expected " << expected << "\n";
  }
  if (want.has_error && (errors.empty() || errors.back() != want.error)) {
    why << "uncaught exception\n  expected: " << want.error << "\n  got:      "
        << (errors.empty() ? "<nothing>" : errors.back()) << "\n";
  }
  if (got.err.find("Sanitizer") != std::string::npos || got.err.find("runtime error:") != std::string::npos) {
    why << "sanitizer report\n";
  }
  std::string text = why.str();
  if (!text.empty() && !got.err.empty()) text += "stderr:\n" + got.err.substr(0, 4000);
  return text;
}

class GoldenTest : public testing::Test {
 public:
  GoldenTest(fs::path script, std::string known) : script_(std::move(script)), known_(std::move(known)) {}
  void TestBody() override {
    std::string why = Judge(script_);
    if (known_.empty()) {
      if (!why.empty()) FAIL() << script_ << "\n" << why;
    } else if (why.empty()) {
      FAIL() << script_ << " passes now: take it off known_failures.txt (" << known_ << ")";
    }
  }

 private:
  fs::path script_;
  std::string known_;  // reason, or empty
};

// "path: reason" lines; '#' starts a comment.
std::map<std::string, std::string> ReadKnownFailures(const fs::path& file) {
  std::map<std::string, std::string> known;
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    size_t colon = line.find(':');
    if (line.empty() || line[0] == '#' || colon == std::string::npos) continue;
    known[line.substr(0, colon)] = TrimRight(line.substr(colon + 1));
  }
  return known;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  fs::path root = MINIVM_GOLDEN_DIR;
  std::map<std::string, std::string> known = ReadKnownFailures(root / "known_failures.txt");
  std::vector<fs::path> scripts;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".src") scripts.push_back(entry.path());
  }
  std::sort(scripts.begin(), scripts.end());
  for (const fs::path& script : scripts) {
    std::string name = fs::relative(script, root).string();
    std::string suite = "golden_" + fs::relative(script.parent_path(), root).string();
    std::replace(suite.begin(), suite.end(), '/', '_');
    std::string reason = known.count(name) ? known[name] : "";
    testing::RegisterTest(suite.c_str(), script.stem().c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [script, reason]() -> GoldenTest* { return new GoldenTest(script, reason); });
  }
  return RUN_ALL_TESTS();
}

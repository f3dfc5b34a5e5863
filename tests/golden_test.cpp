// Runs every script below tests/golden and compares what it prints with what it says.
//
// A script carries its expectations: the texts behind `# expect:` are, in order, the lines it
// prints;
// `# expect-error: Type: message` is the last line on stderr of an uncaught exception (exit status
// 1). Each script is a test of its own, named after its path, and runs in a process of its own, so
// that a crash fails one test; as many run at a time as there are processors (MINIVM_GOLDEN_JOBS).
// tests/golden/known_failures.txt lists scripts that do not pass yet, with the reason: such a test
// passes while its script fails, and fails when the script passes, so that the list only shrinks.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace {

namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadSanitized = true;
#else
constexpr bool kThreadSanitized = false;
#endif
constexpr int kTimeoutSeconds = 120;  // generous: sanitizer builds on a busy machine

struct Expectation {
  std::vector<std::string> lines;
  std::string error;
  bool has_error = false;
  bool skipped = false;  // "# not-with: OPTION" names the option of this run, "sanitizer" or "tsan"
};

// The scripts run with `-X` of this, if it is set: another way to run them that must not be seen.
const char* XOption() { return std::getenv("MINIVM_GOLDEN_X"); }

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

// Only scripts that speak of threads are run.
bool ThreadsOnly() { return std::getenv("MINIVM_GOLDEN_THREADS") != nullptr; }

Expectation ReadExpectation(const fs::path& script) {
  Expectation e;
  std::ifstream in(script);
  std::string line, text;
  bool threads = false;
  while (std::getline(in, line)) {
    threads |= line.find("hread") != std::string::npos;  // thread, Thread
    if (TextBehind(line, "# not-with:", &text)) {
      e.skipped |= (XOption() && text == XOption()) || (kSanitized && text == "sanitizer") ||
                   (kThreadSanitized && text == "tsan");
    } else if (TextBehind(line, "# expect-error:", &text)) {
      e.error = text;
      e.has_error = true;
    } else if (TextBehind(line, "# expect:", &text)) {
      e.lines.push_back(text);
    }
  }
  e.skipped |= ThreadsOnly() && !threads;
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
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<size_t>(n));
  return text;
}

// Runs the interpreter on the script; output goes to unlinked files, so that nothing can block on
// it.
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
  const char* option = XOption();
  std::string check = "-Xleak_check";
  std::string x = option ? std::string("-X") + option : path;
  char* argv[] = {command.data(), check.data(), x.data(), option ? path.data() : nullptr, nullptr};
  pid_t pid = 0;
  int failed = posix_spawn(&pid, command.c_str(), &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed == 0) {
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(kTimeoutSeconds);
    auto nap = std::chrono::microseconds(500);
    while (waitpid(pid, &o.status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() >= end) {
        o.timed_out = true;
        kill(pid, SIGKILL);
        waitpid(pid, &o.status, 0);
        break;
      }
      std::this_thread::sleep_for(nap);
      nap = std::min(nap * 2, std::chrono::microseconds(10000));
    }
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
  if (want.skipped) return "";
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
    why << "uncaught exception\n  expected: " << want.error
        << "\n  got:      " << (errors.empty() ? "<nothing>" : errors.back()) << "\n";
  }
  if (got.err.find("Sanitizer") != std::string::npos ||
      got.err.find("runtime error:") != std::string::npos) {
    why << "sanitizer report\n";
  }
  std::string text = why.str();
  if (!text.empty() && !got.err.empty()) text += "stderr:\n" + got.err.substr(0, 4000);
  return text;
}

// Runs the scripts of the tests that have been chosen ahead of the tests, several at a time.
class Runner {
 public:
  // `scripts` in the order in which their tests run.
  explicit Runner(std::vector<fs::path> scripts)
      : scripts_(std::move(scripts)), results_(scripts_.size()) {
    const char* jobs = std::getenv("MINIVM_GOLDEN_JOBS");
    int n = jobs ? std::atoi(jobs) : static_cast<int>(std::thread::hardware_concurrency());
    for (int i = 0; i < std::max(n, 1); ++i) threads_.emplace_back([this] { Work(); });
  }
  ~Runner() {
    for (std::thread& t : threads_) t.join();
  }

  // What Judge() said of the script; waits for it.
  std::string Result(const fs::path& script) {
    size_t i =
        static_cast<size_t>(std::find(scripts_.begin(), scripts_.end(), script) - scripts_.begin());
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [&] { return results_[i].has_value(); });
    return *results_[i];
  }

 private:
  void Work() {
    for (size_t i; (i = next_++) < scripts_.size();) {
      std::string why = Judge(scripts_[i]);
      std::lock_guard<std::mutex> lock(mutex_);
      results_[i] = std::move(why);
      done_.notify_all();
    }
  }

  std::vector<fs::path> scripts_;
  std::vector<std::optional<std::string>> results_;
  std::atomic<size_t> next_ = 0;
  std::mutex mutex_;
  std::condition_variable done_;
  std::vector<std::thread> threads_;
};

std::map<std::string, fs::path> script_of_test;  // by full name
std::unique_ptr<Runner> runner;

// Made by the first test, when gtest knows which ones are to run.
Runner& TheRunner() {
  if (runner) return *runner;
  std::vector<fs::path> chosen;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int s = 0; s < all.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *all.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); ++t) {
      const testing::TestInfo& test = *suite.GetTestInfo(t);
      if (test.should_run() && !test.is_in_another_shard())
        chosen.push_back(script_of_test[std::string(test.test_suite_name()) + "." + test.name()]);
    }
  }
  runner = std::make_unique<Runner>(std::move(chosen));
  return *runner;
}

class GoldenTest : public testing::Test {
 public:
  GoldenTest(fs::path script, std::string known)
      : script_(std::move(script)), known_(std::move(known)) {}
  void TestBody() override {
    std::string why = TheRunner().Result(script_);
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
  if (kSanitized) {  // frames are larger; scripts are to get as deep as without
    rlimit stack = {size_t{64} << 20, size_t{64} << 20};
    setrlimit(RLIMIT_STACK, &stack);
  }
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
    script_of_test[suite + "." + script.stem().string()] = script;
    testing::RegisterTest(
        suite.c_str(), script.stem().c_str(), nullptr, nullptr, __FILE__, __LINE__,
        [script, reason]() -> GoldenTest* { return new GoldenTest(script, reason); });
  }
  int failed = RUN_ALL_TESTS();
  runner.reset();
  return failed;
}

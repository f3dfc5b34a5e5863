// The corpora of the fuzzers, fed once: what has been found before stays mended.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"

namespace minivm {
namespace {

class FuzzReplay : public testing::TestWithParam<const FuzzTarget*> {};

TEST_P(FuzzReplay, Corpus) {
  const FuzzTarget& target = *GetParam();
  FuzzRun run(target);
  int files = 0;
  const std::filesystem::path corpus = std::filesystem::path(MINIVM_FUZZ_CORPUS) / target.name;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string data{std::istreambuf_iterator<char>(in), {}};
    SCOPED_TRACE(entry.path());
    run.Feed(reinterpret_cast<const uint8_t*>(data.data()), data.size());
    ++files;
  }
  EXPECT_GE(files, 10);
}

std::vector<const FuzzTarget*> All() {
  std::vector<const FuzzTarget*> all;
  for (size_t i = 0; i < kFuzzTargetCount; ++i) all.push_back(&kFuzzTargets[i]);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzReplay, testing::ValuesIn(All()),
                         [](const auto& info) { return std::string(info.param->name); });

}  // namespace
}  // namespace minivm

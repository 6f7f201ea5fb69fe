// SPDX-License-Identifier: Apache-2.0
// The fuzzer's corpus says in each file's name what the scanner makes of it: `ok_...`, or the class
// of the refusal in small letters (`bad_utf8_...`). Here the names are true, and the generated
// class agrees.
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

#include "tests/wire/agreement.h"

namespace sluice::wire {
namespace {

// As in tests/fuzz/scanner_fuzz.cc.
constexpr ScanLimits kTinyLimits{.frame_bytes_max = 90,
                                 .messages_max = 3,
                                 .message_bytes_max = 40,
                                 .headers_max = 2,
                                 .header_bytes_max = 12};

std::string Small(std::string_view name) {
  std::string small;
  for (const char c : name) {
    small.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return small;
}

TEST(Corpus, EveryFileIsWhatItsNameSaysAndAllAgreeOnIt) {
  const google::protobuf::LogSilencer silencer;
  std::set<std::string> classes;
  for (const auto& entry : std::filesystem::directory_iterator(SLUICE_SCANNER_CORPUS)) {
    const std::string name = entry.path().filename().string();
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    ASSERT_FALSE(input.empty()) << name;
    const ScanLimits limits = input[0] % 2 == 0 ? ScanLimits{} : kTinyLimits;
    const std::string_view frame = std::string_view(input).substr(1);

    ScannedFrame scanned;
    const auto error = ScanFrame(frame, limits, scanned);
    const std::string expected = error.has_value() ? Small(Name(error->kind)) : "ok";
    EXPECT_EQ(name.substr(0, expected.size() + 1), expected + "_");
    classes.insert(expected);
    Tally tally;
    EXPECT_TRUE(AllAgree(frame, limits, tally)) << name;
  }
  EXPECT_EQ(classes.size(), 1 + Tally::kKinds);
}

}  // namespace
}  // namespace sluice::wire

// SPDX-License-Identifier: Apache-2.0
// Runs ParseOptions as a process would be started: with arguments, an environment and perhaps a
// file.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "options.h"

namespace sluice {

using Parsed = std::variant<Options, OptionsExit>;
using Environment = std::map<std::string, std::string>;

inline Parsed Parse(const std::vector<std::string>& arguments,
                    const Environment& environment = {}) {
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<const char*> argv = {"sluiced"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  Parsed parsed = ParseOptions(static_cast<int>(argv.size()), argv.data());
  for (const auto& [name, value] : environment) unsetenv(name.c_str());
  return parsed;
}

// A TOML file that lives as long as this.
class TomlFile {
 public:
  explicit TomlFile(const std::string& text)
      : path_(std::filesystem::path(::testing::TempDir()) /
              (std::string("sluice_") +
               ::testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
               std::to_string(++count) + ".toml")) {
    std::ofstream(path_) << text;
  }
  ~TomlFile() { std::filesystem::remove(path_); }
  TomlFile(const TomlFile&) = delete;
  TomlFile& operator=(const TomlFile&) = delete;

  std::string path() const { return path_.string(); }

 private:
  static inline int count = 0;
  std::filesystem::path path_;
};

inline Parsed ParseToml(const std::string& text, std::vector<std::string> arguments = {},
                        const Environment& environment = {}) {
  const TomlFile file(text);
  arguments.push_back("--config");
  arguments.push_back(file.path());
  return Parse(arguments, environment);
}

// The options; a refusal fails the test and gives defaults.
inline Options Accepted(const Parsed& parsed) {
  if (const auto* refused = std::get_if<OptionsExit>(&parsed)) {
    ADD_FAILURE() << refused->text;
    return Options();
  }
  return std::get<Options>(parsed);
}

// The one sentence of a refusal, with exit code 2; an acceptance fails the test.
inline std::string Refused(const Parsed& parsed) {
  const auto* refused = std::get_if<OptionsExit>(&parsed);
  if (refused == nullptr) {
    ADD_FAILURE() << "it was accepted";
    return "";
  }
  EXPECT_EQ(refused->exit_code, 2);
  EXPECT_EQ(refused->text.rfind("sluiced: ", 0), 0u) << refused->text;
  EXPECT_EQ(refused->text.find('\n'), refused->text.size() - 1) << refused->text;
  return refused->text;
}

}  // namespace sluice

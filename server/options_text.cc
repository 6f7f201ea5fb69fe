// SPDX-License-Identifier: Apache-2.0
#include "options_text.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

namespace sluice {
namespace {

// Of a number and of true and false; anything else is a string.
bool IsBare(const std::string& value) {
  return value == "true" || value == "false" ||
         (!value.empty() && std::all_of(value.begin(), value.end(),
                                        [](unsigned char c) { return std::isdigit(c) != 0; }));
}

std::string Quoted(const std::string& value) {
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// "UINT:UINT in [0 - 256]" is from 0 to 256; of the other types there is nothing to tell.
std::string BoundsOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t in = type.find(" in [");
  return in == std::string::npos ? "" : "; " + type.substr(in + 1);
}

std::string ValueOf(const CLI::Option& option) {
  if (option.count() == 0) {
    return option.get_expected_max() == 0 ? "false" : option.get_default_str();
  }
  return option.results().back();
}

}  // namespace

const char kExitCodes[] =
    "Exit codes:\n"
    "  0  ended as it was told to, by a signal or over the wire; --help and the like\n"
    "  1  cannot serve: an address cannot be listened on; one sentence says why\n"
    "  2  wrong usage: an option, a value or the configuration file; one sentence says which\n"
    "  3  told to end, but not within its time: ended without finishing the drain\n"
    "Anything else is a fault: 134 a broken invariant, 137 killed (out of memory, as a rule).";

std::string PrintedConfig(const CLI::App& app) {
  std::string text =
      "# Every option of sluiced. Flags win over the environment, that over this "
      "file.\n";
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_configurable() || option->get_name() == "--help" ||
        option->get_name() == "--version") {
      continue;
    }
    const std::string value = ValueOf(*option);
    text += "\n# " + option->get_description() + "\n# " + option->get_envname() +
            BoundsOf(*option) + "\n" + (option->count() == 0 ? "# " : "") +
            option->get_name().substr(2) + " = " + (IsBare(value) ? value : Quoted(value)) + "\n";
  }
  return text;
}

}  // namespace sluice

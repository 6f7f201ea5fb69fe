// SPDX-License-Identifier: Apache-2.0
// get, unset, keys.
#include <CLI/CLI.hpp>
#include <iostream>
#include <limits>
#include <memory>

#include "channel_verbs.h"
#include "key_json.h"
#include "message_json.h"
#include "numbers.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

// The longest that the wire can say.
constexpr std::chrono::milliseconds kLongest{std::numeric_limits<std::uint32_t>::max()};

struct GetOptions {
  std::string key;
  bool exists = false;
  std::optional<std::string> above;
  std::optional<std::string> equals;
  std::optional<double> wait_s;
};

Result<GetKeyRequest> RequestOf(const GetOptions& options) {
  GetKeyRequest request;
  request.key = options.key;
  if (options.exists) request.wait_for = KeyWait::kExists;
  if (options.above) {
    const auto version = ParseVersion(*options.above, "--wait-above");
    if (!version.ok()) return version.status();
    request.wait_for = KeyWait::kVersionAbove;
    request.version_above = *version;
  }
  if (options.equals) {
    request.wait_for = KeyWait::kEquals;
    request.equals = *options.equals;
  }
  if (request.wait_for != KeyWait::kNone) {
    request.wait = options.wait_s ? Seconds(*options.wait_s) : kLongest;
  } else if (options.wait_s) {
    return BadOption("what to wait for is said by --wait-exists, --wait-above or --wait-equals",
                     {{"field", "--wait"}});
  }
  return request;
}

int Get(const GetOptions& options, const Invocation& with, Client& client) {
  const auto request = RequestOf(options);
  if (!request.ok()) return Fail(request.status());
  const auto reply = client.GetKey(*request, with.CallDeadline(request->wait));
  if (!reply.ok()) return Fail(reply.status());
  if (reply->ok() && !with.json && reply->entry) PrintPayload(reply->entry->value);
  return SayOutcome(with, options.key, reply->outcome, reply->reason, reply->entry,
                    reply->watchers);
}

void AddGet(CLI::App& app, Invocation& invocation) {
  const auto options = std::make_shared<GetOptions>();
  CLI::App* const verb =
      AddVerb(app, invocation,
              {"get",
               "Prints the latest value of a key, or waits for the one wanted",
               {"sluice get app/log-level", "sluice get app/log-level --json",
                "sluice get leader --wait-exists --wait 30", "sluice get state --wait-equals ready",
                "sluice get app/config --wait-above 8234:3"}},
              [options](Invocation& with, Client& client) { return Get(*options, with, client); });
  AddName(*verb, invocation, options->key, Names::kKeys, "key");
  CLI::Option* const exists =
      verb->add_flag("--wait-exists", options->exists, "Wait until the key is there");
  CLI::Option* const above =
      verb->add_option("--wait-above", options->above,
                       "Wait for a version above this epoch:version, or another life of the key")
          ->excludes(exists);
  verb->add_option("--wait-equals", options->equals, "Wait until the value is this")
      ->excludes(exists)
      ->excludes(above);
  AddSeconds(*verb, "--wait", options->wait_s,
             "With a condition: TIMED_OUT after so many seconds (no limit unless given)");
}

void AddUnset(CLI::App& app, Invocation& invocation) {
  struct Options {
    std::string key;
    std::optional<std::string> expect;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* const verb = AddVerb(
      app, invocation,
      {"unset",
       "Deletes a key",
       {"sluice unset app/log-level", "sluice unset app/limit --expect-version 8234:3"}},
      [options](Invocation& with, Client& client) {
        std::optional<KeyVersion> expect;
        if (options->expect) {
          const auto version = ParseVersion(*options->expect, "--expect-version");
          if (!version.ok()) return Fail(version.status());
          expect = *version;
        }
        const auto reply = client.DeleteKey(options->key, with.CallDeadline(), expect);
        if (!reply.ok()) return Fail(reply.status());
        if (reply->ok() && !with.json) {
          std::cout << "deleted " << options->key << ", " << reply->watchers << " watchers\n";
        }
        return SayOutcome(with, options->key, reply->outcome, ClosedReason::kUnspecified,
                          reply->entry, reply->watchers);
      });
  AddName(*verb, invocation, options->key, Names::kKeys, "key");
  verb->add_option("--expect-version", options->expect,
                   "Only if the key is at epoch:version: else CONFLICT");
}

int List(const std::string& prefix, const Invocation& with, Client& client) {
  std::vector<std::vector<std::string>> rows = {{"KEY", "AT", "BYTES", "EPHEMERAL"}};
  std::string page_token;
  do {
    const auto reply = client.ListKeys(prefix, with.CallDeadline(), kPageSize, page_token);
    if (!reply.ok()) return Fail(reply.status());
    for (const ConfigEntry& entry : reply->entries) {
      if (with.json) PrintJson(ToJson(entry));
      rows.push_back({entry.key, ToText(entry.at), std::to_string(entry.value.size()),
                      entry.ephemeral ? "yes" : "no"});
    }
    page_token = reply->next_page_token;
  } while (!page_token.empty());
  if (!with.json) PrintTable(rows);
  return kDone;
}

}  // namespace

void AddKeyVerbs(CLI::App& app, Invocation& invocation) {
  AddGet(app, invocation);
  AddUnset(app, invocation);
  const auto prefix = std::make_shared<std::string>();
  CLI::App* const keys = AddVerb(
      app, invocation,
      {"keys", "Lists the keys", {"sluice keys", "sluice keys app/", "sluice keys app/ --json"}},
      [prefix](Invocation& with, Client& client) { return List(*prefix, with, client); });
  AddName(*keys, invocation, *prefix, Names::kKeys, "prefix")
      ->required(false)
      ->description("Only keys that begin so");
}

}  // namespace sluice::cli

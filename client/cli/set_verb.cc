// SPDX-License-Identifier: Apache-2.0
// set: stores the value of a key; with --ephemeral for as long as the command runs.
#include <CLI/CLI.hpp>
#include <atomic>
#include <memory>

#include "input.h"
#include "key_json.h"
#include "signals.h"
#include "sluice/session.h"
#include "stream_notes.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

struct SetOptions {
  std::string key;
  std::optional<std::string> value;
  std::string content_type;
  std::optional<std::string> expect;
  bool absent = false;
  bool require_watchers = false;
  bool ephemeral = false;
};

Result<SetKeyRequest> RequestOf(const SetOptions& options) {
  SetKeyRequest request;
  request.key = options.key;
  request.content_type = options.content_type;
  request.require_watchers = options.require_watchers;
  if (options.absent) request.expect = KeyVersion::Absent();
  if (options.expect) {
    const auto version = ParseVersion(*options.expect, "--expect-version");
    if (!version.ok()) return version.status();
    request.expect = *version;
  }
  if (options.value) {
    request.value = *options.value;
  } else {
    auto value = ReadStdin();
    if (!value.ok()) return value.status();
    request.value = *std::move(value);
  }
  return request;
}

int SetOnce(const SetKeyRequest& request, const Invocation& with, Client& client) {
  const auto reply = client.SetKey(request, with.CallDeadline());
  if (!reply.ok()) return Fail(reply.status());
  if (reply->ok() && !with.json && reply->entry) {
    PrintText("set " + request.key + " at " + ToText(reply->entry->at) + ", " +
              std::to_string(reply->watchers) + " watchers\n");
  }
  auto entry = reply->entry;
  if (reply->ok() && entry) entry->value = request.value;  // Of what is stored it is not told back.
  return SayOutcome(with, request.key, reply->outcome, ClosedReason::kUnspecified, entry,
                    reply->watchers, reply->full_reason);
}

// Until a signal comes. If the session was lost meanwhile, the key with it, it is set again.
int Hold(SetKeyRequest request, const Invocation& with, Client& client) {
  CatchSignals();
  const auto lost = std::make_shared<std::atomic<bool>>(false);
  SessionOptions options;
  options.on_lost = [lost](const std::string&) { *lost = true; };
  options.on_state = StateNotes(with.json);
  auto session = client.OpenSession(options, with.CallDeadline());
  if (!session.ok()) return Fail(session.status());
  request.session_id = session->id();
  if (const int code = SetOnce(request, with, client); code != kDone) return code;
  while (WaitForSignal(0) == 0) {
    if (const auto end = session->end()) return FailEnd(*end, "holding " + request.key);
    if (!lost->exchange(false)) continue;
    request.session_id = session->id();
    if (const int code = SetOnce(request, with, client); code != kDone) return code;
  }
  const auto closed = session->Close(with.CloseDeadline());
  return closed.ok() ? int{kDone} : Fail(closed.status());
}

int Set(const SetOptions& options, const Invocation& with, Client& client) {
  const auto request = RequestOf(options);
  if (!request.ok()) return Fail(request.status());
  return options.ephemeral ? Hold(*request, with, client) : SetOnce(*request, with, client);
}

}  // namespace

void AddSetVerb(CLI::App& app, Invocation& invocation) {
  const auto options = std::make_shared<SetOptions>();
  CLI::App* const verb =
      AddVerb(app, invocation,
              {"set",
               "Stores the value of a key",
               {"sluice set app/log-level debug", "sluice set app/config < config.json",
                "sluice set leader me --absent --ephemeral",
                "sluice set app/limit 20 --expect-version 8234:3", "sluice set app/offset -- -5"}},
              [options](Invocation& with, Client& client) { return Set(*options, with, client); });
  AddName(*verb, invocation, options->key, Names::kKeys, "key");
  verb->add_option("value", options->value, "The value; without it, all of stdin");
  verb->add_option("--content-type", options->content_type, "Media type");
  CLI::Option* const expect =
      verb->add_option("--expect-version", options->expect,
                       "Only if the key is at epoch:version (get --json shows it): else CONFLICT");
  verb->add_flag("--absent", options->absent, "Only if there is no such key: else CONFLICT")
      ->excludes(expect);
  verb->add_flag("--require-watchers", options->require_watchers,
                 "Only if somebody watches: else NO_SUBSCRIBERS");
  verb->add_flag("--ephemeral", options->ephemeral,
                 "Hold it until Ctrl-C: the key ends with this command, however it ends");
}

}  // namespace sluice::cli

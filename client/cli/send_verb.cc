// SPDX-License-Identifier: Apache-2.0
// send: to a queue.
#include <CLI/CLI.hpp>
#include <memory>

#include "outgoing.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

struct SendOptions : OutgoingOptions {
  std::string queue;
};

int Send(const SendOptions& options, Invocation& invocation, Client& client) {
  Outgoing outgoing(options, invocation);
  SenderOptions with;
  outgoing.Prepare(with);
  with.queue = options.queue;
  if (options.declare) with.spec = QueueSpec();
  auto sender = client.OpenSender(with, invocation.CallDeadline());
  return sender.ok() ? outgoing.Run(*sender) : Fail(sender.status());
}

}  // namespace

void AddSendVerb(CLI::App& app, Invocation& invocation) {
  const auto options = std::make_shared<SendOptions>();
  CLI::App* const verb =
      AddVerb(app, invocation,
              {"send",
               "Sends messages to a queue, and waits for room",
               {"sluice send jobs hello world", "seq 1000 | sluice send jobs",
                "sluice send jobs --try four", "sluice send jobs --header kind=test -- -starts-so",
                "sluice receive old --count 10 --json | sluice send jobs --json-lines"}},
              [options](Invocation& with, Client& client) { return Send(*options, with, client); });
  AddName(*verb, invocation, options->queue, Names::kQueues, "queue");
  AddOutgoingOptions(*verb, *options, "queue");
}

}  // namespace sluice::cli

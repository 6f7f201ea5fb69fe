// SPDX-License-Identifier: Apache-2.0
// declare, describe, list, close, delete, purge, peek: of queues.
#include <CLI/CLI.hpp>
#include <memory>

#include "channel_verbs.h"
#include "message_json.h"
#include "numbers.h"
#include "spec_options.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

const ChannelKind& Queues() {
  static const ChannelKind kind = {
      "queue",
      "",
      Names::kQueues,
      "messages",
      {{"NAME", "name"},
       {"STATE", "state"},
       {"DEPTH", "depth"},
       {"CAPACITY", "spec.capacity"},
       {"IN FLIGHT", "in_flight"},
       {"ACCEPTED", "accepted"},
       {"PRODUCERS", "producers"},
       {"CONSUMERS", "consumers"}},
      [](Client& client, const std::string& name, Deadline deadline) -> Result<Json> {
        const auto queue = client.DescribeQueue(name, deadline);
        if (!queue.ok()) return queue.status();
        return ToJson(*queue);
      },
      [](Client& client, const std::string& prefix, Deadline deadline,
         const std::string& page_token) -> Result<ChannelPage> {
        const auto reply = client.ListQueues(prefix, deadline, kPageSize, page_token);
        if (!reply.ok()) return reply.status();
        return PageOf(reply->queues, reply->next_page_token);
      },
      [](Client& client, const std::string& name, Deadline deadline) {
        return client.CloseQueue(name, deadline);
      },
      [](Client& client, const std::string& name, Deadline deadline) {
        return client.DeleteQueue(name, deadline);
      }};
  return kind;
}

void AddDeclare(CLI::App& app, Invocation& invocation) {
  struct Options {
    std::string queue;
    QueueSpec spec;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* const verb = AddVerb(
      app, invocation,
      {"declare",
       "Makes a queue, or finds it as it is",
       {"sluice declare jobs", "sluice declare jobs --capacity 3 --shared",
        "sluice declare replies --lifetime tied"}},
      [options](Invocation& with, Client& client) {
        const auto reply = client.DeclareQueue(options->queue, options->spec, with.CallDeadline());
        return reply.ok() ? SayDeclared(with, ToJson(reply->description), reply->created)
                          : Fail(reply.status());
      });
  QueueSpec& spec = options->spec;
  AddName(*verb, invocation, options->queue, Names::kQueues, "queue");
  AddRoomOptions(*verb, spec, "Messages queued at most (0: the daemon's default)");
  AddWhole(*verb, "--max-in-flight", spec.max_in_flight,
           "Messages handed out and not settled at most");
  verb->add_flag("--shared", spec.shared, "Several consumers compete");
  verb->add_flag("--close-on-consumer-loss", spec.close_on_consumer_loss,
                 "Losing the consumer deletes the queue");
  AddLifetimeOptions(*verb, invocation, spec);
}

void AddPeek(CLI::App& app, Invocation& invocation) {
  struct Options {
    std::string queue;
    std::uint64_t from = 0;
    std::uint32_t count = 1;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* const verb =
      AddVerb(app, invocation,
              {"peek",
               "Shows what is queued, and changes nothing",
               {"sluice peek jobs", "sluice peek jobs --from 17 --count 5 --json"}},
              [options](Invocation& with, Client& client) {
                const auto batch = client.PeekQueue(options->queue, options->from, options->count,
                                                    with.CallDeadline());
                if (!batch.ok()) return Fail(batch.status());
                for (const Delivery& delivery : *batch) PrintDelivery(delivery, with.json);
                return batch->empty() ? FailRefused("EMPTY: nothing is queued in " + options->queue)
                                      : kDone;
              });
  AddName(*verb, invocation, options->queue, Names::kQueues, "queue");
  AddWhole(*verb, "--from", options->from, "First position wanted (0: the oldest)");
  AddWhole(*verb, "--count", options->count, "Messages at most", 1, 65536)->capture_default_str();
}

void AddPurge(CLI::App& app, Invocation& invocation) {
  const auto queue = std::make_shared<std::string>();
  CLI::App* const verb =
      AddVerb(app, invocation,
              {"purge", "Destroys what is queued; what is in flight stays", {"sluice purge jobs"}},
              [queue](Invocation& with, Client& client) {
                const auto purged = client.PurgeQueue(*queue, with.CallDeadline());
                return purged.ok() ? SayDestroyed(with, Queues(), *queue, "purged", *purged)
                                   : Fail(purged.status());
              });
  AddName(*verb, invocation, *queue, Names::kQueues, "queue");
}

}  // namespace

void AddQueueVerbs(CLI::App& app, Invocation& invocation) {
  AddDeclare(app, invocation);
  AddChannelVerbs(app, invocation, Queues());
  AddPurge(app, invocation);
  AddPeek(app, invocation);
}

}  // namespace sluice::cli

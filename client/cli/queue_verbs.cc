// SPDX-License-Identifier: Apache-2.0
// declare, describe, list, close, delete, purge, peek.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "message_json.h"
#include "output.h"
#include "session.h"

namespace sluice::cli {
namespace {

constexpr std::uint32_t kPageSize = 1000;

// The rest of a description that people read line by line.
void PrintDescription(const QueueDescription& queue) {
  const Json json = ToJson(queue);
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_object()) {
      rows.push_back({key, value.is_string() ? value.get<std::string>() : value.dump()});
      continue;
    }
    for (const auto& [inner, of] : value.items()) {
      rows.push_back({key + "." + inner, of.is_string() ? of.get<std::string>() : of.dump()});
    }
  }
  PrintTable(rows);
}

void AddDeclare(CLI::App& app, Session& session) {
  struct Options {
    std::string queue;
    QueueSpec spec;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* const verb = AddVerb(
      app, session, "declare", "Makes a queue, or finds it as it is",
      [options](Session& with, Client& client) {
        const auto reply = client.DeclareQueue(options->queue, options->spec, with.CallDeadline());
        if (!reply.ok()) return Fail(reply.status());
        if (with.json) {
          Json json = ToJson(reply->description);
          json["created"] = reply->created;
          PrintJson(json);
        } else {
          std::cout << (reply->created ? "created " : "exists ") << options->queue << ", capacity "
                    << reply->description.spec.capacity << "\n";
        }
        return int{kDone};
      });
  QueueSpec& spec = options->spec;
  verb->add_option("queue", options->queue, "Name")->required();
  verb->add_option("--capacity", spec.capacity,
                   "Messages queued at most (0: the daemon's default)");
  verb->add_option("--bytes-max", spec.bytes_max,
                   "Bytes retained at most (0: the daemon's default)");
  verb->add_option("--message-bytes-max", spec.message_bytes_max, "Bytes of one message at most");
  verb->add_option("--max-in-flight", spec.max_in_flight,
                   "Messages handed out and not settled at most");
  verb->add_flag("--shared", spec.shared, "Several consumers compete");
  verb->add_flag("--close-on-consumer-loss", spec.close_on_consumer_loss,
                 "Losing the consumer deletes the queue");
  verb->add_option("--lifetime", spec.lifetime, "standing, or tied to its producers")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Lifetime>{
          {"standing", Lifetime::kStanding}, {"tied", Lifetime::kTied}}));
  verb->add_option("--durability", spec.durability, "memory, os or disk")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Durability>{
          {"memory", Durability::kMemory}, {"os", Durability::kOs}, {"disk", Durability::kDisk}}));
}

void AddList(CLI::App& app, Session& session) {
  const auto prefix = std::make_shared<std::string>();
  CLI::App* const verb =
      AddVerb(app, session, "list", "Lists the queues", [prefix](Session& with, Client& client) {
        std::vector<std::vector<std::string>> rows = {{"NAME", "STATE", "DEPTH", "CAPACITY",
                                                       "IN FLIGHT", "ACCEPTED", "PRODUCERS",
                                                       "CONSUMERS"}};
        std::string page_token;
        do {
          const auto reply = client.ListQueues(*prefix, with.CallDeadline(), kPageSize, page_token);
          if (!reply.ok()) return Fail(reply.status());
          for (const QueueDescription& queue : reply->queues) {
            if (with.json) PrintJson(ToJson(queue));
            rows.push_back({queue.name, ToString(queue.state), std::to_string(queue.depth),
                            std::to_string(queue.spec.capacity), std::to_string(queue.in_flight),
                            std::to_string(queue.accepted), std::to_string(queue.producers),
                            std::to_string(queue.consumers)});
          }
          page_token = reply->next_page_token;
        } while (!page_token.empty());
        if (!with.json) PrintTable(rows);
        return int{kDone};
      });
  verb->add_option("--prefix", *prefix, "Only names that begin so");
}

void AddPeek(CLI::App& app, Session& session) {
  struct Options {
    std::string queue;
    std::uint64_t from = 0;
    std::uint32_t count = 1;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* const verb =
      AddVerb(app, session, "peek", "Shows what is queued, and changes nothing",
              [options](Session& with, Client& client) {
                const auto batch = client.PeekQueue(options->queue, options->from, options->count,
                                                    with.CallDeadline());
                if (!batch.ok()) return Fail(batch.status());
                for (const Delivery& delivery : *batch) PrintDelivery(delivery, with.json);
                return batch->empty() ? FailRefused("EMPTY: nothing is queued in " + options->queue)
                                      : kDone;
              });
  verb->add_option("queue", options->queue, "Name")->required();
  verb->add_option("--from", options->from, "First position wanted (0: the oldest)");
  verb->add_option("--count", options->count, "Messages at most")
      ->check(CLI::Range(1U, 65536U))
      ->capture_default_str();
}

using OnName = std::function<int(Session&, Client&, const std::string& queue)>;

void AddOnName(CLI::App& app, Session& session, const std::string& name, const std::string& about,
               OnName run) {
  const auto queue = std::make_shared<std::string>();
  AddVerb(app, session, name, about,
          [queue, run = std::move(run)](Session& with, Client& client) {
            return run(with, client, *queue);
          })
      ->add_option("queue", *queue, "Name")
      ->required();
}

// What close, delete and purge say.
int Say(const Session& session, const std::string& queue, const char* done,
        std::uint64_t messages) {
  if (session.json) {
    PrintJson({{"queue", queue}, {done, messages}});
  } else {
    std::cout << done << " " << queue << ", " << messages << " messages destroyed\n";
  }
  return kDone;
}

}  // namespace

void AddQueueVerbs(CLI::App& app, Session& session) {
  AddDeclare(app, session);
  AddOnName(app, session, "describe", "Shows a queue: its spec, and every count of it",
            [](Session& with, Client& client, const std::string& queue) {
              const auto description = client.DescribeQueue(queue, with.CallDeadline());
              if (!description.ok()) return Fail(description.status());
              if (with.json) {
                PrintJson(ToJson(*description));
              } else {
                PrintDescription(*description);
              }
              return int{kDone};
            });
  AddList(app, session);
  AddOnName(app, session, "close", "Refuses new messages; what is queued is still handed out",
            [](Session& with, Client& client, const std::string& queue) {
              const Status status = client.CloseQueue(queue, with.CallDeadline());
              if (!status.ok()) return Fail(status);
              if (with.json) {
                PrintJson({{"queue", queue}, {"closed", true}});
              } else {
                std::cout << "closed " << queue << "\n";
              }
              return int{kDone};
            });
  AddOnName(app, session, "delete", "Destroys a queue and what is in it",
            [](Session& with, Client& client, const std::string& queue) {
              const auto deleted = client.DeleteQueue(queue, with.CallDeadline());
              return deleted.ok() ? Say(with, queue, "deleted", *deleted) : Fail(deleted.status());
            });
  AddOnName(app, session, "purge", "Destroys what is queued; what is in flight stays",
            [](Session& with, Client& client, const std::string& queue) {
              const auto purged = client.PurgeQueue(queue, with.CallDeadline());
              return purged.ok() ? Say(with, queue, "purged", *purged) : Fail(purged.status());
            });
  AddPeek(app, session);
}

}  // namespace sluice::cli

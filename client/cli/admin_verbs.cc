// SPDX-License-Identifier: Apache-2.0
// info, streams, drain, healthcheck.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "channel_verbs.h"
#include "numbers.h"
#include "output.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

int Info(Invocation& invocation, Client& client) {
  const auto info = client.GetServerInfo(invocation.CallDeadline());
  if (!info.ok()) return Fail(info.status());
  if (invocation.json) {
    PrintJson(ToJson(*info));
    return kDone;
  }
  std::vector<std::vector<std::string>> rows = {{"version", info->version},
                                                {"uptime_ms", std::to_string(info->uptime.count())},
                                                {"draining", info->draining ? "true" : "false"}};
  for (const auto& [name, value] : info->live)
    rows.push_back({"live." + name, std::to_string(value)});
  for (const auto& [name, value] : info->bounds)
    rows.push_back({"bounds." + name, std::to_string(value)});
  PrintTable(rows);
  return kDone;
}

int Streams(double stalled_s, Invocation& invocation, Client& client) {
  std::vector<std::vector<std::string>> rows = {{"ID", "METHOD", "PEER", "CHANNEL", "STATE",
                                                 "AGE MS", "STALLED MS", "HELD", "CREDIT",
                                                 "WAITING"}};
  std::string page_token;
  do {
    const auto reply = client.ListStreams(invocation.CallDeadline(), kPageSize, page_token);
    if (!reply.ok()) return Fail(reply.status());
    for (const StreamDescription& stream : reply->streams) {
      if (stream.write_stalled < Seconds(stalled_s)) continue;
      if (invocation.json) PrintJson(ToJson(stream));
      rows.push_back({std::to_string(stream.id), stream.method, stream.peer, stream.channel,
                      stream.state, std::to_string(stream.age.count()),
                      std::to_string(stream.write_stalled.count()),
                      std::to_string(stream.held_messages), std::to_string(stream.credit_messages),
                      std::to_string(stream.waiting_messages)});
    }
    page_token = reply->next_page_token;
  } while (!page_token.empty());
  if (!invocation.json) PrintTable(rows);
  return kDone;
}

int CheckHealth(const std::string& service, Invocation& invocation, Client& client) {
  const auto health = client.CheckHealth(service, invocation.CallDeadline());
  if (!health.ok()) return Fail(health.status());
  const bool is_serving = *health == Health::kServing;
  const char* const text = is_serving ? "SERVING" : "NOT_SERVING";
  if (invocation.json) {
    PrintJson({{"service", service}, {"status", text}});
  } else {
    std::cout << text << "\n";
  }
  return is_serving ? kDone : FailRefused("NOT_SERVING: the daemon takes no calls");
}

}  // namespace

void AddAdminVerbs(CLI::App& app, Invocation& invocation) {
  AddVerb(app, invocation,
          {"info",
           "Shows the daemon's version, live counts and bounds",
           {"sluice info", "sluice info --json"}},
          Info);

  const auto stalled_s = std::make_shared<double>(0);
  CLI::App* const streams = AddVerb(
      app, invocation,
      {"streams",
       "Lists open calls, the slowest readers first",
       {"sluice streams", "sluice streams --stalled 1", "sluice streams --json"}},
      [stalled_s](Invocation& with, Client& client) { return Streams(*stalled_s, with, client); });
  AddSeconds(*streams, "--stalled", *stalled_s,
             "Only those that have not taken what was written to them for so many seconds");

  const auto grace_s = std::make_shared<double>(0);
  CLI::App* const drain = AddVerb(app, invocation,
                                  {"drain",
                                   "Tells the daemon to go down in good order",
                                   {"sluice drain", "sluice drain --grace 30"}},
                                  [grace_s](Invocation& with, Client& client) {
                                    const Status status =
                                        client.Drain(Seconds(*grace_s), with.CallDeadline());
                                    if (!status.ok()) return Fail(status);
                                    if (with.json) {
                                      PrintJson({{"draining", true}});
                                    } else {
                                      std::cout << "draining\n";
                                    }
                                    return int{kDone};
                                  });
  AddSeconds(*drain, "--grace", *grace_s,
             "Seconds until what is left is ended (0: the daemon's own)", 43200.0);

  const auto service = std::make_shared<std::string>();
  CLI::App* const health = AddVerb(
      app, invocation,
      {"healthcheck",
       "Asks whether the daemon serves; for probes",
       {"sluice healthcheck", "sluice healthcheck --service sluice.v1.QueueService"}},
      [service](Invocation& with, Client& client) { return CheckHealth(*service, with, client); });
  health->add_option("--service", *service, "Full name of one service; empty: the whole daemon");
}

}  // namespace sluice::cli

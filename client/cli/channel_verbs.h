// SPDX-License-Identifier: Apache-2.0
// describe, list, close and delete are the same for queues, topics and responders, but for the
// calls behind them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "channel_json.h"
#include "invocation.h"

namespace sluice::cli {

inline constexpr std::uint32_t kPageSize = 1000;

struct ChannelPage {
  std::vector<Json> channels;
  std::string next_page_token;
};

struct ChannelKind {
  std::string word;    // "queue"
  std::string prefix;  // Of the verbs in examples: "" or "topic ".
  Names names;
  std::string holds;  // What a delete destroys: "messages".
  // Of the list: heads, and keys of the description; "spec.capacity" for one inside.
  std::vector<std::pair<std::string, std::string>> columns;

  std::function<Result<Json>(Client&, const std::string& name, Deadline)> describe;
  std::function<Result<ChannelPage>(Client&, const std::string& prefix, Deadline,
                                    const std::string& page_token)>
      list;
  std::function<Status(Client&, const std::string& name, Deadline)> close;
  std::function<Result<std::uint64_t>(Client&, const std::string& name, Deadline)> destroy;
};

void AddChannelVerbs(CLI::App& app, Invocation& invocation, const ChannelKind& kind);

// A page of a list as JSON.
template <class Description>
Result<ChannelPage> PageOf(const std::vector<Description>& channels, const std::string& next) {
  ChannelPage page;
  for (const Description& channel : channels) page.channels.push_back(ToJson(channel));
  page.next_page_token = next;
  return page;
}

// What declare says.
int SayDeclared(const Invocation& invocation, Json description, bool created);
// What delete and purge say: `done` is their participle.
int SayDestroyed(const Invocation& invocation, const ChannelKind& kind, const std::string& name,
                 const char* done, std::uint64_t count);

}  // namespace sluice::cli

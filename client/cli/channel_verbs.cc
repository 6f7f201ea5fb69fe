// SPDX-License-Identifier: Apache-2.0
#include "channel_verbs.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

namespace sluice::cli {
namespace {

using OnName = std::function<int(Invocation&, Client&, const std::string& name)>;

CLI::App* AddOnName(CLI::App& app, Invocation& invocation, const ChannelKind& kind,
                    const std::string& name, const std::string& about, const std::string& more,
                    OnName run) {
  const auto channel = std::make_shared<std::string>();
  const std::string example = "sluice " + kind.prefix + name + " jobs";
  std::vector<std::string> examples = {example};
  if (!more.empty()) examples.push_back(example + more);
  CLI::App* const verb = AddVerb(app, invocation, {name, about, examples},
                                 [channel, run = std::move(run)](Invocation& with, Client& client) {
                                   return run(with, client, *channel);
                                 });
  AddName(*verb, invocation, *channel, kind.names, kind.word);
  return verb;
}

std::string Cell(const Json& channel, const std::string& key) {
  const std::size_t dot = key.find('.');
  const Json& value =
      dot == std::string::npos ? channel[key] : channel[key.substr(0, dot)][key.substr(dot + 1)];
  return value.is_string() ? value.get<std::string>() : value.dump();
}

int List(const ChannelKind& kind, const std::string& prefix, Invocation& with, Client& client) {
  std::vector<std::vector<std::string>> rows(1);
  for (const auto& [head, key] : kind.columns) rows[0].push_back(head);
  std::string page_token;
  do {
    const auto page = kind.list(client, prefix, with.CallDeadline(), page_token);
    if (!page.ok()) return Fail(page.status());
    for (const Json& channel : page->channels) {
      if (with.json) {
        PrintJson(channel);
        continue;
      }
      std::vector<std::string> row;
      for (const auto& [head, key] : kind.columns) row.push_back(Cell(channel, key));
      rows.push_back(std::move(row));
    }
    page_token = page->next_page_token;
  } while (!page_token.empty());
  if (!with.json) PrintTable(rows);
  return kDone;
}

void AddList(CLI::App& app, Invocation& invocation, const ChannelKind& kind) {
  const auto prefix = std::make_shared<std::string>();
  const std::string example = "sluice " + kind.prefix + "list";
  CLI::App* const verb =
      AddVerb(app, invocation,
              {"list", "Lists the " + kind.word + "s", {example, example + " --prefix eu. --json"}},
              [kind, prefix](Invocation& with, Client& client) {
                return List(kind, *prefix, with, client);
              });
  invocation.names[verb->add_option("--prefix", *prefix, "Only names that begin so")] = kind.names;
}

}  // namespace

int SayDeclared(const Invocation& invocation, Json description, bool created) {
  if (invocation.json) {
    description["created"] = created;
    PrintJson(description);
  } else {
    std::cout << (created ? "created " : "exists ") << description["name"].get<std::string>()
              << ", capacity " << description["spec"]["capacity"] << "\n";
  }
  return kDone;
}

int SayDestroyed(const Invocation& invocation, const ChannelKind& kind, const std::string& name,
                 const char* done, std::uint64_t count) {
  if (invocation.json) {
    PrintJson({{kind.word, name}, {done, count}});
  } else {
    std::cout << done << " " << name << ", " << count << " " << kind.holds << " destroyed\n";
  }
  return kDone;
}

void AddChannelVerbs(CLI::App& app, Invocation& invocation, const ChannelKind& kind) {
  AddOnName(app, invocation, kind, "describe",
            "Shows a " + kind.word + ": its spec, and every count of it", " --json",
            [kind](Invocation& with, Client& client, const std::string& name) {
              const auto description = kind.describe(client, name, with.CallDeadline());
              if (!description.ok()) return Fail(description.status());
              if (with.json) {
                PrintJson(*description);
              } else {
                PrintFields(*description);
              }
              return int{kDone};
            });
  AddList(app, invocation, kind);
  AddOnName(app, invocation, kind, "close", "Refuses what comes; what is there is still handed out",
            "", [kind](Invocation& with, Client& client, const std::string& name) {
              const Status status = kind.close(client, name, with.CallDeadline());
              if (!status.ok()) return Fail(status);
              if (with.json) {
                PrintJson({{kind.word, name}, {"closed", true}});
              } else {
                std::cout << "closed " << name << "\n";
              }
              return int{kDone};
            });
  AddOnName(app, invocation, kind, "delete", "Destroys a " + kind.word + " and what is in it", "",
            [kind](Invocation& with, Client& client, const std::string& name) {
              const auto deleted = kind.destroy(client, name, with.CallDeadline());
              return deleted.ok() ? SayDestroyed(with, kind, name, "deleted", *deleted)
                                  : Fail(deleted.status());
            });
}

}  // namespace sluice::cli

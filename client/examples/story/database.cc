// SPDX-License-Identifier: Apache-2.0
// An owner of state: the only one that touches it, and asked by everybody who needs it. Requests
// come one at a time, in order, so the state needs no lock. What it stores it tells on a topic.
//
//   put      lines "position attempts number hash": stored once, however often they are put
//   report   everything that is stored, in parts
//
// Usage: story_database ADDRESS NAME
// Ends on SIGTERM, with what it has in hand; "end" is then the last that it tells on the topic.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "settings.h"
#include "sluice/client.h"

namespace {

using story::kPatience;

constexpr std::size_t kPartLines = 1'000;

struct Record {
  std::uint64_t number = 0;
  std::uint64_t hash = 0;
};

class Database {
 public:
  Database(sluice::Client& client, std::string name, sluice::Publisher publisher)
      : name_(std::move(name)), settings_(client, name_), publisher_(std::move(publisher)) {}

  void Answer(const sluice::Request& request, sluice::Reply reply) {
    if (request.message().content_type == "put") return Put(request, std::move(reply));
    if (request.message().content_type == "report") return Report(std::move(reply));
    (void)reply.Fail("UNKNOWN", "put and report are what can be asked");
  }

  void Close() {
    (void)publisher_.Post({"end", {}, "end", {}});  // after all that it has stored
    if (const auto end = publisher_.Close(kPatience); !end) {
      throw std::runtime_error(end.status().ToString());
    }
    std::printf("  [%s] %zu lines stored, %llu of them put twice\n", name_.c_str(), records_.size(),
                static_cast<unsigned long long>(repeated_));
  }

 private:
  void Put(const sluice::Request& request, sluice::Reply reply) {
    std::istringstream lines{std::string(request.payload())};
    std::uint64_t position = 0, attempts = 0, fresh = 0;
    Record record;
    while (lines >> position >> attempts >> record.number >> record.hash) {
      if (!records_.try_emplace(position, record).second) {
        ++repeated_;
        continue;
      }
      ++fresh;
    }
    const std::string stored = std::to_string(fresh);
    // Nobody listening is no reason to fail; a publisher that is lost sends again by itself.
    if (fresh > 0) (void)publisher_.Post({stored, {}, "stored", {}});
    (void)reply.Send(stored);
    if (records_.size() >= told_ + settings_.Get("story/report_every", 5'000)) {
      told_ = records_.size();
      std::printf("  [%s] %zu lines stored\n", name_.c_str(), told_);
    }
  }

  // SendPart waits until the caller has taken enough of those before.
  void Report(sluice::Reply reply) {
    std::string part;
    std::size_t lines = 0;
    for (const auto& [position, record] : records_) {
      part += std::to_string(position) + ' ' + std::to_string(record.number) + ' ' +
              std::to_string(record.hash) + '\n';
      if (++lines % kPartLines != 0) continue;
      if (!reply.SendPart(part, kPatience).ok()) return;
      part.clear();
    }
    (void)reply.Send(part);
  }

  const std::string name_;
  const story::Settings settings_;
  sluice::Publisher publisher_;
  std::map<std::uint64_t, Record> records_;
  std::uint64_t repeated_ = 0;
  std::size_t told_ = 0;
};

void Run(const std::string& address, const std::string& name, const sigset_t& ends) {
  sluice::ClientOptions where;
  where.address = address;
  auto client = sluice::Client::Connect(where);
  if (!client) throw std::runtime_error(client.status().ToString());

  sluice::PublisherOptions publishing;
  publishing.topic = "story.stored";
  publishing.spec = sluice::TopicSpec();
  auto publisher = client->OpenPublisher(publishing, kPatience);
  if (!publisher) throw std::runtime_error(publisher.status().ToString());
  Database database(*client, name, *std::move(publisher));

  sluice::ResponderOptions serving;
  serving.responder = "story/database";
  serving.spec = sluice::ResponderSpec();
  serving.worker = name;
  serving.handler = [&database](sluice::Request& request, sluice::Reply reply) {
    database.Answer(request, std::move(reply));
  };
  auto responder = client->OpenResponder(serving, kPatience);
  if (!responder) throw std::runtime_error(responder.status().ToString());
  std::printf("  [%s] serves\n", name.c_str());

  int signal = 0;
  sigwait(&ends, &signal);
  if (const auto end = responder->Close(kPatience); !end) {
    throw std::runtime_error(end.status().ToString());
  }
  database.Close();
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  sigset_t ends;  // blocked before the first thread: it is waited for
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  if (argc != 3) return std::fprintf(stderr, "usage: story_database ADDRESS NAME\n"), 2;
  try {
    Run(argv[1], argv[2], ends);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "story_database: %s\n", failure.what());
    return 1;
  }
  return 0;
}

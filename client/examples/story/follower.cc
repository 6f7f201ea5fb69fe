// SPDX-License-Identifier: Apache-2.0
// A service that follows events: adds up what the database says that it has stored. It knows the
// topic only, and nobody knows it.
//
// Usage: story_follower ADDRESS NAME RESULT
// When the database has said "end", and on SIGTERM, it writes "lines missed" to the file RESULT: of
// what it has heard until then.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

#include "settings.h"
#include "sluice/client.h"

namespace {

using story::kPatience;

volatile std::sig_atomic_t has_to_end = 0;

class Follower {
 public:
  Follower(sluice::Client& client, std::string name)
      : name_(std::move(name)), settings_(client, name_) {}

  // False: it was the last.
  bool Take(const sluice::SubscriberEvent& event) {
    missed_ += event.missed;
    for (const sluice::Delivery& delivery : event.batch) {
      if (delivery.content_type == "end") return false;
      lines_ += std::strtoull(std::string(delivery.payload).c_str(), nullptr, 10);
    }
    if (lines_ < told_ + settings_.Get("story/report_every", 5'000)) return true;
    told_ = lines_;
    std::printf("  [%s] %llu lines, as the events say\n", name_.c_str(),
                static_cast<unsigned long long>(lines_));
    return true;
  }

  void Report(const std::string& result) const {
    std::printf("  [%s] %llu lines in all, %llu events missed\n", name_.c_str(),
                static_cast<unsigned long long>(lines_), static_cast<unsigned long long>(missed_));
    std::ofstream(result) << lines_ << ' ' << missed_ << '\n';
  }

 private:
  const std::string name_;
  const story::Settings settings_;
  std::uint64_t lines_ = 0, missed_ = 0, told_ = 0;
};

void Run(const std::string& address, const std::string& name, const std::string& result) {
  sluice::ClientOptions where;
  where.address = address;
  auto client = sluice::Client::Connect(where);
  if (!client) throw std::runtime_error(client.status().ToString());
  Follower follower(*client, name);
  sluice::SubscriberOptions subscribing;
  subscribing.pattern = "story.>";
  subscribing.subscriber = name;
  auto subscriber = client->OpenSubscriber(subscribing, kPatience);
  if (!subscriber) throw std::runtime_error(subscriber.status().ToString());
  std::printf("  [%s] follows story.>\n", name.c_str());

  sluice::SubscriberEvent event;
  for (bool has_ended = false; !has_ended && has_to_end == 0;) {
    switch (subscriber->Next(event, std::chrono::milliseconds(100))) {
      case sluice::NextOutcome::kGiven:
        has_ended = !follower.Take(event);
        break;
      case sluice::NextOutcome::kTimedOut:  // a look at has_to_end
        break;
      case sluice::NextOutcome::kEnded:
        throw std::runtime_error("the subscription ended: " + ToString(*subscriber->end()));
    }
  }
  follower.Report(result);
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::signal(SIGTERM, [](int) { has_to_end = 1; });
  if (argc != 4) return std::fprintf(stderr, "usage: story_follower ADDRESS NAME RESULT\n"), 2;
  try {
    Run(argv[1], argv[2], argv[3]);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "story_follower: %s\n", failure.what());
    return 1;
  }
  return 0;
}

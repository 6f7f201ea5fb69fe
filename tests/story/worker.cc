// SPDX-License-Identifier: Apache-2.0
// A worker as its users would write one, on the client's public headers alone: takes jobs from a
// queue, works on each, and finishes them in batches: when there are enough, or when a message says
// "flush". A message "shutdown" ends it after what it has. A batch is written to the journal first
// and settled then, so that a death in between makes work twice, never lost.
//
// Usage: story_worker ADDRESS QUEUE JOURNAL NAME
// Journal, a line for each job: position, attempts, line number, hash of the payload
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/client.h"

namespace {

using std::chrono::seconds;

constexpr std::size_t kBatch = 100;
constexpr std::uint32_t kCredit = 300;
constexpr int kRounds = 5'000;  // a job is work
constexpr seconds kPatience{60};

constexpr std::uint64_t kHashSeed = 14695981039346656037u;

std::uint64_t Hash(std::string_view text, std::uint64_t hash = kHashSeed) {  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

std::uint64_t Work(std::string_view payload) {
  const std::uint64_t hash = Hash(payload);
  std::uint64_t effort = hash;
  for (int i = 0; i < kRounds; ++i) effort = Hash(payload, effort);
  return effort == 0 ? hash + 1 : hash;  // it is used, so that no compiler leaves it out
}

class Worker {
 public:
  Worker(sluice::QueueReceiver& receiver, int journal, std::string name)
      : receiver_(receiver), journal_(journal), name_(std::move(name)) {}

  // False: it was the word to stop.
  bool Take(const sluice::Delivery& delivery) {
    positions_.push_back(delivery.position);
    if (delivery.content_type == "command") {
      const std::string command(delivery.payload);
      std::printf("  [%s] command: %s\n", name_.c_str(), command.c_str());
      FinishBatch(command.c_str());
      return delivery.payload != "shutdown";
    }
    if (delivery.attempts > 1) ++redelivered_;
    lines_ += std::to_string(delivery.position) + ' ' + std::to_string(delivery.attempts) + ' ' +
              std::string(delivery.id) + ' ' + std::to_string(Work(delivery.payload)) + '\n';
    ++jobs_;
    if (positions_.size() >= kBatch) FinishBatch("size");
    return true;
  }

  void Report() const {
    std::printf("  [%s] done: %llu jobs in %llu batches, %llu of them redelivered\n", name_.c_str(),
                static_cast<unsigned long long>(jobs_), static_cast<unsigned long long>(batches_),
                static_cast<unsigned long long>(redelivered_));
  }

 private:
  void FinishBatch(const char* why) {
    if (write(journal_, lines_.data(), lines_.size()) != static_cast<ssize_t>(lines_.size())) {
      std::perror("journal");
      std::exit(1);
    }
    lines_.clear();
    ++batches_;
    if (batches_ % 20 == 1 || positions_.size() < kBatch) {
      std::printf(
          "  [%s] batch %llu: %zu messages, finished by %s; %llu jobs so far, "
          "%llu redelivered\n",
          name_.c_str(), static_cast<unsigned long long>(batches_), positions_.size(), why,
          static_cast<unsigned long long>(jobs_), static_cast<unsigned long long>(redelivered_));
    }
    for (std::size_t i = 0; i < positions_.size();) {  // what stands in a row is settled as one
      sluice::PositionRange range{positions_[i], 1};
      while (++i < positions_.size() && positions_[i] == range.first + range.count) ++range.count;
      if (!receiver_.Ack(range).ok()) return;  // the stream has ended: Next says so
    }
    positions_.clear();
  }

  sluice::QueueReceiver& receiver_;
  const int journal_;
  const std::string name_;
  std::vector<std::uint64_t> positions_;  // of the batch: held, not yet settled
  std::string lines_;
  std::uint64_t jobs_ = 0, batches_ = 0, redelivered_ = 0;
};

int Fail(const std::string& what) {
  std::fprintf(stderr, "worker: %s\n", what.c_str());
  return 1;
}

int Run(const std::string& address, const std::string& queue, int journal,
        const std::string& name) {
  sluice::ClientOptions options;
  options.address = address;
  sluice::Result<sluice::Client> client = sluice::Client::Connect(options);
  if (!client) return Fail(client.status().ToString());
  sluice::ReceiverOptions wanted;
  wanted.queue = queue;
  wanted.consumer = name;
  wanted.mode = sluice::AttachMode::kStandby;
  wanted.credit.messages = kCredit;
  sluice::Result<sluice::QueueReceiver> receiver = client->OpenReceiver(wanted, kPatience);
  if (!receiver) return Fail(receiver.status().ToString());
  std::printf("  [%s] attached, credit %u\n", name.c_str(), kCredit);

  Worker worker(*receiver, journal, name);
  sluice::Batch batch;
  for (bool goes_on = true; goes_on;) {
    switch (receiver->Next(batch, kPatience)) {
      case sluice::NextOutcome::kBatch:
        break;
      case sluice::NextOutcome::kTimedOut:
        return Fail("nothing came");
      case sluice::NextOutcome::kEnded:
        return Fail("the stream ended: " + ToString(*receiver->end()));
    }
    for (const sluice::Delivery& delivery : batch) {
      goes_on = worker.Take(delivery);
      if (!goes_on) break;
    }
  }
  const sluice::Status settled = receiver->FlushSettlements(kPatience);
  if (!settled.ok()) return Fail(settled.ToString());
  const sluice::Result<sluice::StreamEnd> end = receiver->Finish(kPatience);
  if (!end) return Fail(end.status().ToString());
  worker.Report();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return Fail("usage: story_worker ADDRESS QUEUE JOURNAL NAME");
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const int journal = open(argv[3], O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (journal < 0) return Fail(std::string("cannot open ") + argv[3]);
  return Run(argv[1], argv[2], journal, argv[4]);
}

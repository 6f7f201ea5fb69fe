// SPDX-License-Identifier: Apache-2.0
// A worker that takes jobs from a queue, works on each, and hands the results to the database in
// batches: when there are enough, when nothing comes for a moment, or when a message says "flush".
// A message "shutdown", and SIGTERM, end it after what it has. What the database has stored is
// settled then, so that a death in between makes work twice, never lost.
//
// Usage: story_worker ADDRESS NAME
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "settings.h"
#include "sluice/client.h"

namespace {

using story::kPatience;

constexpr std::uint32_t kCredit = 300;
constexpr int kRounds = 5'000;  // a job is work
constexpr std::chrono::milliseconds kIdle{200};
constexpr std::uint64_t kHashSeed = 14695981039346656037u;

volatile std::sig_atomic_t has_to_end = 0;

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
  Worker(sluice::Client& client, std::string name, sluice::Receiver& receiver,
         sluice::Caller& database)
      : name_(std::move(name)),
        settings_(client, name_),
        receiver_(receiver),
        database_(database) {}

  // False: it was the word to stop.
  bool Take(const sluice::Delivery& delivery) {
    held_.push_back(delivery.range());
    if (delivery.content_type == "command") {
      Flush(std::string(delivery.payload));
      return delivery.payload != "shutdown";
    }
    if (delivery.attempts > 1) ++redelivered_;
    lines_ += std::to_string(delivery.position) + ' ' + std::to_string(delivery.attempts) + ' ' +
              std::string(delivery.id) + ' ' + std::to_string(Work(delivery.payload)) + '\n';
    ++jobs_;
    if (held_.size() >= settings_.Get("story/batch", 100)) Flush("");
    return true;
  }

  // Stores the batch, and settles it. `why` is told, if it is not its size.
  void Flush(const std::string& why) {
    if (held_.empty()) return;
    if (!why.empty()) {
      std::printf("  [%s] %s: a batch of %zu\n", name_.c_str(), why.c_str(), held_.size());
    }
    if (!lines_.empty()) Store();
    ++batches_;
    for (std::size_t i = 0; i < held_.size();) {  // what stands in a row is settled as one
      sluice::PositionRange range = held_[i];
      while (++i < held_.size() && held_[i].lease == range.lease &&
             held_[i].first == range.first + range.count) {
        ++range.count;
      }
      if (!receiver_.Ack(range).ok()) return;  // the stream has ended: Next says so
    }
    held_.clear();
  }

  void Report() const {
    std::printf("  [%s] %llu jobs in %llu batches, %llu of them redelivered\n", name_.c_str(),
                static_cast<unsigned long long>(jobs_), static_cast<unsigned long long>(batches_),
                static_cast<unsigned long long>(redelivered_));
  }

 private:
  // Storing twice does no harm, so it is asked again whatever became of the one that asked first.
  void Store() {
    sluice::CallOptions options;
    options.wait_for_responder = true;
    options.retry_on_responder_loss = true;
    options.retry_safe = true;
    const auto stored = database_.Call({lines_, {}, "put", {}}, options).Wait(kPatience);
    if (!stored) throw std::runtime_error("put: " + stored.status().ToString());
    if (!stored->ok()) throw std::runtime_error("put: " + ToString(stored->outcome));
    lines_.clear();
  }

  const std::string name_;
  const story::Settings settings_;
  sluice::Receiver& receiver_;
  sluice::Caller& database_;
  // Of the batch: not yet settled. With its lease, since what a lost stream held is not ours to
  // settle: it comes again.
  std::vector<sluice::PositionRange> held_;
  std::string lines_;  // for the database
  std::uint64_t jobs_ = 0, batches_ = 0, redelivered_ = 0;
};

// Until it is told to stop, and everything it holds is stored and settled.
void Work(Worker& worker, sluice::Receiver& receiver) {
  sluice::Batch batch;
  while (true) {
    switch (receiver.Next(batch, kIdle)) {
      case sluice::NextOutcome::kGiven:
        for (const sluice::Delivery& delivery : batch) {
          if (!worker.Take(delivery)) return;
        }
        break;
      case sluice::NextOutcome::kTimedOut:
        worker.Flush("nothing comes");
        break;
      case sluice::NextOutcome::kEnded:
        worker.Flush("the end");
        return;
    }
    if (has_to_end != 0) (void)receiver.StopReceiving();  // what is held comes, and then the end
  }
}

void Run(const std::string& address, const std::string& name) {
  sluice::ClientOptions where;
  where.address = address;
  auto client = sluice::Client::Connect(where);
  if (!client) throw std::runtime_error(client.status().ToString());
  sluice::CallerOptions calling;
  calling.responder = "story/database";
  auto database = client->OpenCaller(calling, kPatience);
  if (!database) throw std::runtime_error(database.status().ToString());
  sluice::ReceiverOptions receiving;
  receiving.queue = "story/packages";
  receiving.consumer = name;
  receiving.mode = sluice::AttachMode::kStandby;
  receiving.credit.messages = kCredit;
  auto receiver = client->OpenReceiver(receiving, kPatience);
  if (!receiver) throw std::runtime_error(receiver.status().ToString());
  std::printf("  [%s] attached, credit %u\n", name.c_str(), kCredit);

  Worker worker(*client, name, *receiver, *database);
  Work(worker, *receiver);
  if (const auto settled = receiver->FlushSettlements(kPatience); !settled.ok()) {
    throw std::runtime_error(settled.ToString());
  }
  if (const auto end = receiver->Close(kPatience); !end) {
    throw std::runtime_error(end.status().ToString());
  }
  worker.Report();
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::signal(SIGTERM, [](int) { has_to_end = 1; });
  if (argc != 3) return std::fprintf(stderr, "usage: story_worker ADDRESS NAME\n"), 2;
  try {
    Run(argv[1], argv[2]);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "story_worker: %s\n", failure.what());
    return 1;
  }
  return 0;
}

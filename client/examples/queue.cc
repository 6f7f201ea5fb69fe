// SPDX-License-Identifier: Apache-2.0
// A queue: work that is done once, by one of those who do it, and that makes its sender wait when
// they are behind.
//
// Usage: example_queue [ADDRESS]
#include <cstdio>
#include <string>
#include <thread>

#include "sluice/client.h"

using namespace std::chrono_literals;

namespace {

constexpr char kQueue[] = "example/jobs";
constexpr int kJobs = 10;

int Fail(const sluice::Status& status) {
  std::fprintf(stderr, "example_queue: %s\n", status.ToString().c_str());
  return 1;
}

// Settles each message when it is done: one that dies before is handed to the next worker.
void Work(sluice::Receiver& receiver) {
  for (int done = 0; done < kJobs;) {
    sluice::Batch batch;
    if (receiver.Next(batch, 10s) != sluice::NextOutcome::kGiven) return;
    for (const sluice::Delivery& job : batch) {
      std::printf("done: %.*s\n", static_cast<int>(job.payload.size()), job.payload.data());
      ++done;
    }
    if (!receiver.Ack(batch).ok()) return;
  }
}

int Run(const std::string& address) {
  sluice::ClientOptions where;
  where.address = address;
  auto client = sluice::Client::Connect(where);
  if (!client) return Fail(client.status());

  sluice::QueueSpec spec;
  spec.capacity = 3;
  if (auto declared = client->DeclareQueue(kQueue, spec, 5s); !declared) {
    return Fail(declared.status());
  }

  // Nobody works yet, and there is room for three. Whoever only tries is told so at once.
  sluice::SendRequest batch;
  batch.queue = kQueue;
  batch.messages = {{"job 1", {}, {}, {}}, {"job 2", {}, {}, {}}, {"job 3", {}, {}, {}}};
  if (auto sent = client->Send(batch, 5s); !sent) return Fail(sent.status());
  sluice::SendRequest one_more;
  one_more.queue = kQueue;
  one_more.messages = {{"job 4", {}, {}, {}}};
  one_more.mode = sluice::SendMode::kTry;
  auto tried = client->Send(one_more, 5s);
  if (!tried) return Fail(tried.status());
  std::printf("a fourth: %s\n", ToString(tried->outcomes.front().outcome).c_str());

  sluice::ReceiverOptions receiving;
  receiving.queue = kQueue;
  auto receiver = client->OpenReceiver(receiving, 5s);
  if (!receiver) return Fail(receiver.status());
  std::thread worker([&] { Work(*receiver); });

  // From here on Send waits in line for its turn.
  sluice::SenderOptions sending;
  sending.queue = kQueue;
  auto sender = client->OpenSender(sending, 5s);
  int refused = 0;
  for (int i = 4; sender && i <= kJobs; ++i) {
    const std::string job = "job " + std::to_string(i);
    const sluice::SendOutcome sent = sender->Send({job, {}, {}, {}}).Wait(10s);
    if (!sent) ++refused;
  }
  worker.join();
  if (!sender) return Fail(sender.status());
  if (auto end = sender->Close(5s); !end) return Fail(end.status());
  if (auto end = receiver->Close(5s); !end) return Fail(end.status());

  const auto queue = client->DescribeQueue(kQueue, 5s);
  if (!queue) return Fail(queue.status());
  std::printf("accepted %llu = settled %llu + queued %llu + in flight %llu\n",
              static_cast<unsigned long long>(queue->accepted),
              static_cast<unsigned long long>(queue->settled),
              static_cast<unsigned long long>(queue->depth),
              static_cast<unsigned long long>(queue->in_flight));
  const auto deleted = client->DeleteQueue(kQueue, 5s);
  return refused == 0 && deleted.ok() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) { return Run(argc > 1 ? argv[1] : "127.0.0.1:7400"); }

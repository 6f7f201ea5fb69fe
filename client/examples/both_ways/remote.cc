// SPDX-License-Identifier: Apache-2.0
// The pipeline over two queues of a daemon: its three parts might as well be on three machines. The
// queues are tied to their producers, as channels in a process are to their senders.
//
// Usage: example_both_ways_remote [ADDRESS]
#include <stdexcept>

#include "pipeline.h"
#include "sluice/typed.h"

using namespace std::chrono_literals;

namespace {

struct Remote {
  using Sender = sluice::TypedSender<std::string>;
  using Receiver = sluice::TypedReceiver<std::string>;
};

sluice::QueueSpec TiedSpec() {
  sluice::QueueSpec spec;
  spec.capacity = 2;
  spec.lifetime = sluice::Lifetime::kTied;
  return spec;
}

template <class T>
T Opened(sluice::Result<T> result) {
  if (!result) throw std::runtime_error(result.status().ToString());
  return *std::move(result);
}

Remote::Sender OpenSender(sluice::Client& client, const char* queue) {
  sluice::SenderOptions options;
  options.queue = queue;
  options.spec = TiedSpec();
  return Opened(Remote::Sender::Open(client, options, 5s));
}

Remote::Receiver OpenReceiver(sluice::Client& client, const char* queue) {
  sluice::ReceiverOptions options;
  options.queue = queue;
  options.spec = TiedSpec();
  return Opened(Remote::Receiver::Open(client, options, 5s));
}

int Run(const std::string& address) {
  sluice::ClientOptions where;
  where.address = address;
  auto client = Opened(sluice::Client::Connect(where));
  auto words_in = OpenSender(client, "example/words");
  auto words_out = OpenReceiver(client, "example/words");
  auto lines_in = OpenSender(client, "example/lines");
  auto lines_out = OpenReceiver(client, "example/lines");
  const int count = both_ways::Run<Remote>(std::move(words_in), std::move(words_out),
                                           std::move(lines_in), std::move(lines_out));
  for (const char* queue : {"example/words", "example/lines"}) {
    (void)client.DeleteQueue(queue, 5s);
  }
  return count == 5 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc > 1 ? argv[1] : "127.0.0.1:7400");
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "example_both_ways_remote: %s\n", failure.what());
    return 1;
  }
}

// SPDX-License-Identifier: Apache-2.0
#include "sluice/client.h"

#include <utility>

#include "queue_receiver_state.h"
#include "queue_sender_state.h"
#include "transport.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr std::size_t kProducerIdBytes = 16;
// Under the daemon's frame limit, with room for the fields beside the messages.
constexpr std::size_t kFrameBytesMax = 3 << 20;

Status Refuse(const char* field, const std::string& value, const char* why) {
  return Status(Code::kInvalidArgument, "BAD_OPTION", std::string(field) + " " + why,
                {{"field", field}, {"value", value}});
}

Status Check(const SenderOptions& options) {
  if (!options.producer_id.empty() && options.producer_id.size() != kProducerIdBytes) {
    return Refuse("producer_id", std::to_string(options.producer_id.size()),
                  "must have 16 bytes, or none");
  }
  if (options.frame_bytes_max == 0 || options.frame_bytes_max > kFrameBytesMax) {
    return Refuse("frame_bytes_max", std::to_string(options.frame_bytes_max), "must be 1 to 3 MiB");
  }
  if (options.pending_messages_max == 0)
    return Refuse("pending_messages_max", "0", "must be at least 1");
  if (options.pending_bytes_max == 0) return Refuse("pending_bytes_max", "0", "must be at least 1");
  return Status();
}

Status Check(const ReceiverOptions& options) {
  if (options.buffered_bytes_max == 0)
    return Refuse("buffered_bytes_max", "0", "must be at least 1");
  return Status();
}

// A handle's share of its stream: as long as the handle is there, the transport is, so that its
// thread is joined by the handle's thread and never by itself.
template <class State>
struct Held {
  std::shared_ptr<Transport> transport;
  std::shared_ptr<State> state;
};

template <class State>
std::shared_ptr<State> Hold(std::shared_ptr<Transport> transport, std::shared_ptr<State> state) {
  State* const plain = state.get();
  auto held = std::make_shared<Held<State>>(Held<State>{std::move(transport), std::move(state)});
  return std::shared_ptr<State>(std::move(held), plain);
}

}  // namespace

Result<Client> Client::Connect(const ClientOptions& options) {
  auto transport = Transport::Connect(options);
  if (!transport.ok()) return transport.status();
  return Client(*std::move(transport));
}

Client::Client(std::shared_ptr<Transport> transport) : transport_(std::move(transport)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<QueueSender> Client::OpenSender(SenderOptions options, Deadline deadline) {
  if (Status status = Check(options); !status.ok()) return status;
  auto state = std::make_shared<QueueSender::State>(transport_, std::move(options));
  QueueSender sender(Hold(transport_, state));
  if (Status status = state->Open(deadline); !status.ok()) return status;
  return sender;
}

Result<QueueReceiver> Client::OpenReceiver(ReceiverOptions options, Deadline deadline) {
  if (Status status = Check(options); !status.ok()) return status;
  auto state = std::make_shared<QueueReceiver::State>(transport_, std::move(options));
  QueueReceiver receiver(Hold(transport_, state));
  if (Status status = state->Open(deadline); !status.ok()) return status;
  return receiver;
}

}  // namespace abi1
}  // namespace sluice

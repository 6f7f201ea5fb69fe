// SPDX-License-Identifier: Apache-2.0
#include "sluice/client.h"

#include <utility>

#include "stream_status.h"
#include "transport.h"

namespace sluice {
inline namespace abi1 {

Result<Client> Client::Connect(const ClientOptions& options) {
  auto transport = Transport::Connect(options);
  if (!transport.ok()) return transport.status();
  return Client(*std::move(transport));
}

Client::Client(std::shared_ptr<Transport> transport) : transport_(std::move(transport)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Status Client::WaitForReady(Deadline deadline) {
  if (transport_->IsOwnThread()) return WouldBlockStatus();
  return transport_->WaitForReady(deadline);
}
ConnectionState Client::state() const { return transport_->state(); }
ClientStats Client::stats() const { return transport_->stats(); }

}  // namespace abi1
}  // namespace sluice

// SPDX-License-Identifier: Apache-2.0
/// A connection to one Sluice daemon: calls, and streams that are opened over it.
///
/// Answers    Expected ones are values (Outcome); what went wrong is a Status. Nothing throws but
/// for memory. Deadlines  Every call has one; whether something happened that passed it is unknown.
/// Threads    All functions may be called from any thread at once, also from callbacks. A client
/// has one
///            thread, which runs the callbacks of its streams; for more throughput over one
///            process, make more clients.
/// Lifetime   Streams keep the connection: a Client may go before them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/deadline.h"
#include "sluice/message.h"
#include "sluice/outcome.h"
#include "sluice/queue.h"
#include "sluice/server_info.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

class Transport;

struct ClientOptions {
  std::string address = "127.0.0.1:7400";  ///< host:port, or unix:/path.
  std::chrono::milliseconds connect_timeout{5000};
  /// Connect keeps trying until connect_timeout, instead of giving up at the first refusal.
  bool wait_for_server = false;
  /// Without sign of life the peer is asked after the interval, and is lost after the timeout. The
  /// daemon refuses intervals under 5 s.
  std::chrono::milliseconds keepalive_interval{20000};
  std::chrono::milliseconds keepalive_timeout{10000};
  /// Debian's Abseil checks lock orders at every lock of the process, which serialises all of them.
  bool disable_absl_deadlock_checks = true;
  /// gRPC writes its remarks to stderr, for the whole process. Off, unless GRPC_VERBOSITY is set.
  bool silence_grpc_log = true;
};

struct DeclareReply {
  QueueDescription description;
  bool created = false;  ///< By this call.
};

struct ListQueuesReply {
  std::vector<QueueDescription> queues;
  std::string next_page_token;  ///< Empty: there are no more.
};

struct ListStreamsReply {
  std::vector<StreamDescription> streams;
  std::string next_page_token;
};

struct SendRequest {
  std::string queue;
  std::vector<Message> messages;  ///< 1 to 65,536; at most 4 MiB in all.
  std::optional<QueueSpec> spec;  ///< Declares the queue if it is absent.
  bool atomic = true;             ///< All or none.
  SendMode mode = SendMode::kWait;
  std::chrono::milliseconds wait{0};  ///< 0: as long as the deadline allows.
  std::uint64_t first_sequence = 0;   ///< At least 1 with a producer_id.
  std::string producer_id;            ///< 16 bytes, or empty.
  std::string session_id;
};

struct SendReply {
  std::uint64_t epoch = 0;
  std::uint64_t capacity = 0;
  std::vector<SendOutcome> outcomes;  ///< In order; they tell of every message once.
};

struct ReceiveRequest {
  std::string queue;
  std::string consumer;
  std::uint32_t max_messages = 1;
  std::uint64_t max_bytes = 0;  ///< 0: 256 KiB.
  std::chrono::milliseconds wait{0};
  std::chrono::milliseconds lease_time{0};  ///< 0: 30 s.
  std::string session_id;
};

struct ReceiveReply {
  Outcome outcome = Outcome::kUnspecified;  ///< OK, EMPTY or CLOSED.
  Batch batch;
  std::uint64_t lease = 0;
  std::chrono::milliseconds lease_time{0};
  std::uint64_t epoch = 0;
  ClosedReason reason = ClosedReason::kUnspecified;
};

class Client {
 public:
  /// UNAVAILABLE CANNOT_CONNECT, INVALID_ARGUMENT BAD_OPTION.
  static Result<Client> Connect(const ClientOptions& options = {});

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  // Queues. The daemon's faults are with each method of proto/sluice/v1/queue.proto.
  Result<DeclareReply> DeclareQueue(const std::string& queue, const QueueSpec& spec,
                                    Deadline deadline);
  Result<QueueDescription> DescribeQueue(const std::string& queue, Deadline deadline);
  /// A page of at most `page_size` (0: 100).
  Result<ListQueuesReply> ListQueues(const std::string& prefix, Deadline deadline,
                                     std::uint32_t page_size = 0,
                                     const std::string& page_token = {});
  Status CloseQueue(const std::string& queue, Deadline deadline);
  /// Messages destroyed.
  Result<std::uint64_t> DeleteQueue(const std::string& queue, Deadline deadline);
  Result<std::uint64_t> PurgeQueue(const std::string& queue, Deadline deadline);
  /// What is queued, from a position (0: the oldest) on.
  Result<Batch> PeekQueue(const std::string& queue, std::uint64_t from_position,
                          std::uint32_t max_messages, Deadline deadline);
  Result<SendReply> Send(const SendRequest& request, Deadline deadline);
  Result<ReceiveReply> Receive(const ReceiveRequest& request, Deadline deadline);
  Result<std::vector<SettleResult>> Settle(const std::string& queue,
                                           const std::vector<Settlement>& settlements,
                                           Deadline deadline);

  /// Opens a stream and waits until the daemon has accepted it. The options are copied.
  Result<QueueSender> OpenSender(SenderOptions options, Deadline deadline);
  /// The same; with kStandby it may still be waiting for the seat then.
  Result<QueueReceiver> OpenReceiver(ReceiverOptions options, Deadline deadline);

  // The daemon.
  Result<ServerInfo> GetServerInfo(Deadline deadline);
  Result<ListStreamsReply> ListStreams(Deadline deadline, std::uint32_t page_size = 0,
                                       const std::string& page_token = {});
  /// Goes down in good order. 0: the grace it was started with.
  Status Drain(std::chrono::milliseconds grace, Deadline deadline);
  /// Of the whole daemon, or of one service by its full name.
  Result<Health> CheckHealth(const std::string& service, Deadline deadline);

 private:
  explicit Client(std::shared_ptr<Transport> transport);
  std::shared_ptr<Transport> transport_;
};

}  // namespace abi1
}  // namespace sluice

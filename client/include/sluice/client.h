// SPDX-License-Identifier: Apache-2.0
/// A connection to one Sluice daemon: calls, and streams that are opened over it.
///
/// Answers    Expected ones are values (Outcome); what went wrong is a Status. Nothing throws but
///            for memory.
/// Deadlines  Every call has one; whether something happened that passed it is unknown.
/// Streams    Ends (Sender, Receiver, Publisher, Subscriber and the others) open their streams
///            again when they are lost, and resume without duplicates where the channel allows it
///            (stream_state.h, and each end).
/// Threads    All functions may be called from any thread at once, also from callbacks. A client
///            has one thread, which runs the callbacks of its streams; for more throughput over one
///            process, make more clients.
/// Lifetime   Streams keep the connection: a Client may go before them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/call.h"
#include "sluice/caller.h"
#include "sluice/client_options.h"
#include "sluice/config.h"
#include "sluice/config_writer.h"
#include "sluice/deadline.h"
#include "sluice/message.h"
#include "sluice/outcome.h"
#include "sluice/queue.h"
#include "sluice/request_calls.h"
#include "sluice/responder.h"
#include "sluice/server_info.h"
#include "sluice/session.h"
#include "sluice/status.h"
#include "sluice/topic.h"
#include "sluice/watcher.h"

namespace sluice {
inline namespace abi1 {

class Transport;

struct ListStreamsReply {
  std::vector<StreamDescription> streams;
  std::string next_page_token;
};

class Client {
 public:
  /// UNAVAILABLE CANNOT_CONNECT, INVALID_ARGUMENT BAD_OPTION.
  static Result<Client> Connect(const ClientOptions& options = {});

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  // The connection. DEADLINE.
  Status WaitForReady(Deadline deadline);
  ConnectionState state() const;
  ClientStats stats() const;

  // Queues. The daemon's faults are with each method of proto/sluice/v1/queue.proto.
  Result<DeclareReply<QueueDescription>> DeclareQueue(const std::string& queue,
                                                      const QueueSpec& spec, Deadline deadline);
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
  Result<Sender> OpenSender(SenderOptions options, Deadline deadline);
  /// The same; with kStandby it may still be waiting for the seat then.
  Result<Receiver> OpenReceiver(ReceiverOptions options, Deadline deadline);

  // Topics. The daemon's faults are with each method of proto/sluice/v1/topic.proto.
  Result<DeclareReply<TopicDescription>> DeclareTopic(const std::string& topic,
                                                      const TopicSpec& spec, Deadline deadline);
  /// With a page of its subscribers, at most `page_size` (0: 100).
  Result<DescribeTopicReply> DescribeTopic(const std::string& topic, Deadline deadline,
                                           std::uint32_t page_size = 0,
                                           const std::string& page_token = {});
  Result<ListTopicsReply> ListTopics(const std::string& prefix, Deadline deadline,
                                     std::uint32_t page_size = 0,
                                     const std::string& page_token = {});
  Status CloseTopic(const std::string& topic, Deadline deadline);
  /// Messages destroyed.
  Result<std::uint64_t> DeleteTopic(const std::string& topic, Deadline deadline);
  Result<PublishReply> Publish(const PublishRequest& request, Deadline deadline);
  Result<Publisher> OpenPublisher(PublisherOptions options, Deadline deadline);
  /// Waits until the subscription has taken effect (N28).
  Result<Subscriber> OpenSubscriber(SubscriberOptions options, Deadline deadline);

  // Request/reply: proto/sluice/v1/request.proto.
  Result<DeclareReply<ResponderDescription>> DeclareResponder(const std::string& responder,
                                                              const ResponderSpec& spec,
                                                              Deadline deadline);
  /// With a page of at most `page_size` (0: 100) workers.
  Result<DescribeResponderReply> DescribeResponder(const std::string& responder, Deadline deadline,
                                                   std::uint32_t page_size = 0,
                                                   const std::string& page_token = {});
  Result<ListRespondersReply> ListResponders(const std::string& prefix, Deadline deadline,
                                             std::uint32_t page_size = 0,
                                             const std::string& page_token = {});
  Status CloseResponder(const std::string& responder, Deadline deadline);
  /// Calls ended, queued and in flight.
  Result<std::uint64_t> DeleteResponder(const std::string& responder, Deadline deadline);
  /// One call, of which this thread waits for the reply. DEADLINE: the worker is told; it may have
  /// been done.
  Result<CallReply> Call(const CallRequest& request, Deadline deadline);
  Result<Caller> OpenCaller(CallerOptions options, Deadline deadline);
  /// Waits until it serves: calls that are made from then on may come here.
  Result<Responder> OpenResponder(ResponderOptions options, Deadline deadline);

  // Config keys: proto/sluice/v1/config.proto.
  Result<SetKeyReply> SetKey(const SetKeyRequest& request, Deadline deadline);
  Result<GetKeyReply> GetKey(const GetKeyRequest& request, Deadline deadline);
  Result<DeleteKeyReply> DeleteKey(const std::string& key, Deadline deadline,
                                   std::optional<KeyVersion> expect = {});
  Result<ListKeysReply> ListKeys(const std::string& prefix, Deadline deadline,
                                 std::uint32_t page_size = 0, const std::string& page_token = {},
                                 bool without_values = false);
  ConfigWriter MakeConfigWriter(ConfigWriterOptions options = {}) const;
  /// Waits for the beginning of the snapshot, not for its end (WaitForSnapshot).
  Result<Watcher> OpenWatcher(WatcherOptions options, Deadline deadline);

  // Sessions: proto/sluice/v1/session.proto.
  Result<Session> OpenSession(SessionOptions options, Deadline deadline);

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

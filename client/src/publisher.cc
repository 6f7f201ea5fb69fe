// SPDX-License-Identifier: Apache-2.0
#include "sluice/publisher.h"

#include <utility>

#include "hold.h"
#include "sending_stream.h"
#include "sluice/client.h"
#include "topic_convert.h"

namespace sluice {
inline namespace abi1 {

Result<Publisher> Client::OpenPublisher(PublisherOptions options, Deadline deadline) {
  constexpr char kMethod[] = "/sluice.v1.TopicService/PublishStream";
  if (Status status = Check(options); !status.ok()) return status;
  if (options.topic.empty()) {
    return Status(Code::kInvalidArgument, "BAD_OPTION", "topic must not be empty",
                  {{"field", "topic"}, {"value", ""}});
  }
  const SendingOptions sending = WithProducerId(options);
  v1::PublishStreamRequest request;
  v1::PublishOpen& open = *request.mutable_open();
  open.set_topic(options.topic);
  if (options.spec) *open.mutable_spec() = ToWire(*options.spec);
  FillOpen(sending, open);
  return OpenHandle<Publisher>(
      transport_,
      std::make_shared<SendingStream>(transport_, kMethod, request.SerializeAsString(), sending),
      deadline);
}

}  // namespace abi1
}  // namespace sluice

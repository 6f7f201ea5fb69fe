// SPDX-License-Identifier: Apache-2.0
// One message that is sent as an operation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "sending_stream.h"

namespace sluice {
inline namespace abi1 {

class SendingStream::SendQuestion final : public Question<SendOutcome>,
                                          public std::enable_shared_from_this<SendQuestion> {
 public:
  SendQuestion(std::shared_ptr<SendingStream> stream, std::string message, Status status)
      : encoded(std::move(message)), refused(std::move(status)), stream_(std::move(stream)) {}

  // The outcome of a message that was not taken, or of which nothing will be heard.
  static SendOutcome Refused(Outcome outcome, const Status& why) {
    SendOutcome answer;
    answer.count = 1;
    answer.outcome = outcome;
    answer.status = why;
    return answer;
  }

  // Guarded by the stream's mutex once it was asked:
  std::string encoded;         // Until it is taken.
  const Status refused;        // It cannot be sent at all.
  std::uint64_t sequence = 0;  // Once it is taken.

 private:
  void Ask() override { stream_->Start(shared_from_this()); }
  void Withdraw() override { stream_->Forget(*this); }
  // In the line nothing has happened; after it the message is on its way.
  SendOutcome Failed(Status why) override {
    SendOutcome outcome =
        Refused(sequence == 0 ? Outcome::kTimedOut : Outcome::kUnknown, std::move(why));
    outcome.first_sequence = sequence;
    return outcome;
  }
  bool IsAnsweringThread() const override { return stream_->IsOwnThread(); }
  bool acts() const override { return true; }

  const std::shared_ptr<SendingStream> stream_;
};

}  // namespace abi1
}  // namespace sluice

// SPDX-License-Identifier: Apache-2.0
/// What the unary calls of request/reply ask and answer.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "sluice/message.h"
#include "sluice/responder_spec.h"

namespace sluice {
inline namespace abi1 {

struct DescribeResponderReply {
  ResponderDescription description;
  std::vector<WorkerDescription> workers;  ///< Oldest attachment first.
  std::string next_page_token;             ///< Of the workers; empty: there are no more.
};

struct ListRespondersReply {
  std::vector<ResponderDescription> responders;
  std::string next_page_token;  ///< Empty: there are no more.
};

/// A call by itself.
struct CallRequest {
  std::string responder;
  Message message;
  std::chrono::milliseconds timeout{0};  ///< Then TIMED_OUT; 0: the deadline's alone.
  bool wait_for_responder = false;       ///< As in CallOptions.
  bool retry_on_responder_loss = false;
};

}  // namespace abi1
}  // namespace sluice

// SPDX-License-Identifier: Apache-2.0
// The messages of `send` and `publish`: from arguments, from lines of stdin, or from JSON lines of
// stdin; posted to a Sender or a Publisher, and what became of them.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "invocation.h"
#include "sluice/owned_message.h"
#include "sluice/sending_end.h"

namespace sluice::cli {

// What of a message is given by options; `call` has it, too.
struct MessageOptions {
  std::vector<std::string> headers;  // key=value
  std::string id;
  std::string content_type;

  // Without a payload. BAD_OPTION.
  [[nodiscard]] Result<OwnedMessage> Read() const;
};
void AddMessageOptions(CLI::App& verb, MessageOptions& options);

struct OutgoingOptions : MessageOptions {
  std::vector<std::string> payloads;
  bool json_lines = false;
  bool mode_try = false;
  bool declare = false;
  bool reconnect = false;
  double wait_s = 0;
};
// `declared`: what --declare makes, "queue".
void AddOutgoingOptions(CLI::App& verb, OutgoingOptions& options, const std::string& declared);

class Outgoing {
 public:
  Outgoing(const OutgoingOptions& options, bool json) : options_(options), json_(json) {}

  // Fills in what the options say, and on_outcome. This outlives the end that is opened with it.
  void Prepare(SendingOptions& with);

  // Posts everything, closes, and says how many arrived: the exit code.
  int Run(SendingEnd& end);

 private:
  void OnOutcome(const SendOutcome& outcome);
  Status PostAll(SendingEnd& end) const;
  Status PostLines(SendingEnd& end, OwnedMessage message) const;

  const OutgoingOptions& options_;
  const bool json_;
  std::mutex mutex_;  // Outcomes come on the client's thread.
  std::optional<SendOutcome> refused_;
};

}  // namespace sluice::cli

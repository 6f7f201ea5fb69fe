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
  Outgoing(const OutgoingOptions& options, const Invocation& invocation)
      : options_(options), with_(invocation) {}

  // Fills in what the options say, and on_outcome. This outlives the end that is opened with it.
  void Prepare(SendingOptions& with);

  // Posts everything, closes, and says how many arrived: the exit code. A signal stops it, and what
  // has no outcome soon after is unknown.
  int Run(SendingEnd& end);

 private:
  void OnOutcome(const SendOutcome& outcome);
  Status PostAll(SendingEnd& end) const;
  Status PostLines(SendingEnd& end, OwnedMessage message) const;
  // Closes it, after all outcomes or a signal.
  Result<StreamEnd> Close(SendingEnd& end) const;

  const OutgoingOptions& options_;
  const Invocation& with_;
  std::mutex mutex_;  // Outcomes come on the client's thread.
  std::optional<SendOutcome> refused_;
};

}  // namespace sluice::cli

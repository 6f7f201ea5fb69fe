// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <cmath>
#include <iostream>
#include <utility>

namespace sluice::cli {

std::chrono::milliseconds Seconds(double seconds) {
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

Deadline Session::CallDeadline() const { return Deadline(Seconds(timeout_s)); }

Deadline Session::CallDeadline(std::chrono::milliseconds wait) const {
  return Deadline(Seconds(timeout_s) + wait);
}

Result<Client> Session::Connect() const {
  ClientOptions options;
  options.address = address;
  options.connect_timeout = Seconds(timeout_s);
  return Client::Connect(options);
}

CLI::App* AddVerb(CLI::App& app, Session& session, const std::string& name,
                  const std::string& about, std::function<int(Session&, Client&)> run) {
  CLI::App* const verb = app.add_subcommand(name, about);
  verb->fallthrough();  // --address, --json and --timeout may stand behind the verb, too.
  verb->callback([&session, run = std::move(run)] {
    session.run = [run](Session& with) {
      auto client = with.Connect();
      return client.ok() ? run(with, *client) : Fail(client.status());
    };
  });
  return verb;
}

int Fail(const Status& status) {
  std::cerr << "sluice: " << status.ToString() << "\n";
  if (status.reason() == "STREAM_ENDED")
    return kRefused;  // The queue is closed: an answer, not a fault.
  switch (status.code()) {
    case Code::kOk:
      return kDone;
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return kUnreachable;
    case Code::kNotFound:
      return kNotFound;
    default:
      return status.reason() == "BAD_OPTION" ? kUsage : kFault;
  }
}

int FailUsage(const std::string& text) {
  std::cerr << "sluice: " << text << "\n";
  return kUsage;
}

int FailRefused(const std::string& text) {
  std::cerr << "sluice: " << text << "\n";
  return kRefused;
}

}  // namespace sluice::cli

// SPDX-License-Identifier: Apache-2.0
// serve: answers requests with a command: one run of it a request.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <future>
#include <memory>

#include "command.h"
#include "numbers.h"
#include "output.h"
#include "signals.h"
#include "sluice/responder.h"
#include "stream_notes.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kOutputBytesMax = 4 << 20;
constexpr std::size_t kErrorBytesMax = 8 << 10;  // Of a failure's text, more is not told.

struct ServeVerbOptions {
  std::string responder;
  std::vector<std::string> command;
  std::size_t concurrency = 1;
  std::string worker;
  double kill_after_s = 1;
  bool lines = false;
  bool declare = false;
  bool reconnect = true;
};

// The reply of one request, as the command's output becomes it.
class ReplyOutput {
 public:
  ReplyOutput(Reply& reply, bool lines) : reply_(reply), lines_(lines) {}

  // False: the reply takes no more.
  bool Take(std::string_view bytes) {
    pending_.append(bytes);
    std::size_t begin = 0;
    for (std::size_t end; lines_ && (end = pending_.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      // With its line feed: who gets the parts joined gets the output as it was.
      status_ = reply_.SendPart(std::string_view(pending_).substr(begin, end + 1 - begin));
      if (!status_.ok()) return false;
    }
    pending_.erase(0, begin);
    if (pending_.size() <= kOutputBytesMax) return true;
    status_ =
        BadOption("the command's output is above " + std::to_string(kOutputBytesMax) + " bytes");
    return false;
  }

  // After a command that succeeded.
  Status Finish() {
    if (!status_.ok()) return status_;
    if (lines_ && pending_.empty()) return reply_.Finish();
    return reply_.Send(pending_);
  }

 private:
  Reply& reply_;
  const bool lines_;
  std::string pending_;
  Status status_;
};

class Worker {
 public:
  Worker(ServeVerbOptions options, const Invocation& invocation)
      : options_(std::move(options)), address_(invocation.address), json_(invocation.json) {}

  void Handle(const Request& request, Reply reply);
  // Commands that run are stopped, and their calls fail.
  void KillAll() { killed_.request_stop(); }

 private:
  std::vector<std::string> Environment(const Request& request) const;
  // What became of it, in one word.
  std::string Answer(const Request& request, Reply& reply);

  const ServeVerbOptions options_;
  const std::string address_;
  const bool json_;
  std::stop_source killed_;
};

std::vector<std::string> Worker::Environment(const Request& request) const {
  const OwnedMessage& message = request.message();
  std::vector<std::string> entries = {
      "SLUICE_ADDRESS=" + address_, "SLUICE_RESPONDER=" + options_.responder,
      "SLUICE_ID=" + message.id, "SLUICE_CONTENT_TYPE=" + message.content_type,
      "SLUICE_ATTEMPTS=" + std::to_string(request.attempts())};
  if (const auto remaining = request.remaining())
    entries.push_back("SLUICE_REMAINING_MS=" + std::to_string(remaining->count()));
  for (const auto& [key, value] : message.headers) {
    std::string name = "SLUICE_HEADER_";
    for (const char c : key) {
      const auto byte = static_cast<unsigned char>(c);
      name += std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
    }
    entries.push_back(name + "=" + value);
  }
  // The environment has no text with a zero byte: such a header is left out.
  std::erase_if(entries,
                [](const std::string& entry) { return entry.find('\0') != std::string::npos; });
  return entries;
}

std::string Worker::Answer(const Request& request, Reply& reply) {
  ReplyOutput output(reply, options_.lines);
  std::string error;
  Command command;
  command.words = options_.command;
  command.environment = Environment(request);
  command.input = request.payload();
  command.on_output = [&output](std::string_view bytes) { return output.Take(bytes); };
  command.on_error = [&error](std::string_view bytes) {
    error.append(bytes.substr(0, kErrorBytesMax - std::min(error.size(), kErrorBytesMax)));
    PrintError(bytes);
  };
  command.stops = {request.stop_token(), killed_.get_token()};
  command.kill_after = Seconds(options_.kill_after_s);
  const auto end = Run(command);
  if (!end.ok()) {
    (void)reply.Fail("CANNOT_RUN", end.status().message());
    return "CANNOT_RUN";
  }
  if (request.is_cancelled()) {  // Nobody reads it; it frees the credit.
    (void)reply.Fail("CANCELLED", "the caller has gone");
    return "CANCELLED";
  }
  std::string code = "SIGNAL_" + std::to_string(end->signal);
  if (end->was_stopped && killed_.stop_requested()) {
    code = "STOPPED";
  } else if (end->was_stopped || end->is_success()) {
    const Status status = output.Finish();
    if (status.ok()) return "OK";
    code = status.reason() == "BAD_OPTION" ? "REPLY_TOO_LARGE" : status.reason();
    error = status.message();
  } else if (end->signal == 0) {
    code = "EXIT_" + std::to_string(end->exit_code);
  }
  (void)reply.Fail(code, AsText(error));
  return code;
}

void Worker::Handle(const Request& request, Reply reply) {
  const auto began = std::chrono::steady_clock::now();
  const std::string result = Answer(request, reply);
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - began);
  if (!json_) return;
  Json json = {{"event", "handled"},
               {"result", result},
               {"took_us", took.count()},
               {"attempts", request.attempts()}};
  if (!request.message().id.empty()) json["id"] = request.message().id;
  PrintEvent(true, json, {});
}

int SayStats(const Responder& responder, bool json) {
  const ResponderStats stats = responder.stats();
  PrintEvent(json,
             {{"event", "finished"},
              {"assigned", stats.assigned},
              {"answered", stats.answered},
              {"cancelled", stats.cancelled},
              {"lost", stats.lost}},
             std::to_string(stats.answered) + " of " + std::to_string(stats.assigned) +
                 " requests answered");
  return kDone;
}

int Serve(const ServeVerbOptions& options, Invocation& invocation, Client& client) {
  if (!CanRun(options.command[0]))
    return FailUsage("there is no such command: " + options.command[0]);
  CatchSignals();
  // The handlers own it, too: one may outlive this function, when the daemon ended everything.
  const auto worker = std::make_shared<Worker>(options, invocation);
  ResponderOptions with;
  with.responder = options.responder;
  if (options.declare) with.spec = ResponderSpec();
  with.worker = options.worker;
  with.threads = options.concurrency;
  with.credit.messages = static_cast<std::uint32_t>(options.concurrency);
  with.handler = [worker](Request& request, Reply reply) {
    worker->Handle(request, std::move(reply));
  };
  with.reconnect.enabled = options.reconnect;
  with.on_state = StateNotes(invocation.json);
  auto responder = client.OpenResponder(with, invocation.CallDeadline());
  if (!responder.ok()) return Fail(responder.status());
  PrintEvent(invocation.json, {{"event", "serving"}, {"responder", options.responder}},
             "serving " + options.responder);

  while (WaitForSignal(0) == 0) {
    if (const auto end = responder->end()) return FailEnd(*end, "serving " + options.responder);
  }
  auto closing =
      std::async(std::launch::async, [&responder] { return responder->Close(Deadline::Never()); });
  while (closing.wait_for(kSignalPoll) == std::future_status::timeout) {
    if (SignalsCaught() > 1) worker->KillAll();
  }
  const auto closed = closing.get();
  return closed.ok() ? SayStats(*responder, invocation.json) : Fail(closed.status());
}

}  // namespace

void AddServeVerb(CLI::App& app, Invocation& invocation) {
  const auto options = std::make_shared<ServeVerbOptions>();
  CLI::App* const verb = AddVerb(
      app, invocation,
      {"serve",
       "Answers requests with a command: the request is its stdin, its stdout the reply",
       {"sluice serve upper --declare -- tr a-z A-Z",
        "sluice serve report --concurrency 4 --lines -- ./report.sh",
        "sluice serve greet -- sh -c 'echo hello $SLUICE_HEADER_NAME'"}},
      [options](Invocation& with, Client& client) { return Serve(*options, with, client); });
  verb->footer(
      "An exit code other than 0 is a failure (EXIT_3), with stderr as its text. The command is\n"
      "stopped when its caller has gone. SIGTERM and Ctrl-C finish what is in hand; a second one\n"
      "stops the commands. In its environment: SLUICE_RESPONDER, SLUICE_ID, SLUICE_CONTENT_TYPE,\n"
      "SLUICE_ATTEMPTS, SLUICE_REMAINING_MS, SLUICE_HEADER_<NAME>, SLUICE_ADDRESS.\n\n" +
      verb->get_footer());
  AddName(*verb, invocation, options->responder, Names::kResponders, "responder");
  verb->add_option("command", options->command, "The command and its arguments, behind --")
      ->required();
  AddWhole(*verb, "--concurrency", options->concurrency, "Requests in hand at once", 1, 1024)
      ->capture_default_str();
  verb->add_flag("--lines", options->lines, "Each line of stdout is a part of the reply, at once");
  verb->add_option("--worker", options->worker, "A name for people");
  AddSeconds(*verb, "--kill-after", options->kill_after_s,
             "Seconds from SIGTERM to SIGKILL for a command that is stopped (1)");
  verb->add_flag("--declare", options->declare,
                 "Make the responder with default settings, if it is not there");
  AddReconnectFlag(*verb, options->reconnect);
}

}  // namespace sluice::cli

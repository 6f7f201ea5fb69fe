// SPDX-License-Identifier: Apache-2.0
// subscribe: to a topic, or to all that match a pattern.
#include <CLI/CLI.hpp>
#include <memory>

#include "message_json.h"
#include "numbers.h"
#include "output.h"
#include "resume_file.h"
#include "signals.h"
#include "stream_notes.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

struct SubscribeVerbOptions {
  std::string selector;
  std::string resume_path;
  std::string subscriber;
  std::uint64_t count = 0;  // 0: no limit.
  double wait_s = 0;
  bool is_pattern = false;
  bool earliest = false;
  bool end_on_lag = false;
  bool declare = false;
  bool reconnect = true;
};

class Subscription {
 public:
  Subscription(const SubscribeVerbOptions& options, bool json)
      : options_(options),
        json_(json),
        is_pattern_(options.is_pattern ||
                    options.selector.find_first_of("*>") != std::string::npos),
        places_(options.resume_path, options.selector),
        left_(options.count == 0 ? UINT64_MAX : options.count) {}

  int Run(Invocation& invocation, Client& client);

 private:
  SubscriberOptions Prepare();
  // OK: go on.
  Status Take(const SubscriberEvent& event);
  void Print(const std::string& topic, const Delivery& delivery) const;
  void TellSubscribed(const SubscriberEvent& event) const;
  void Tell(const SubscriberEvent& event, Json json, const std::string& text) const;

  const SubscribeVerbOptions& options_;
  const bool json_;
  const bool is_pattern_;
  ResumeFile places_;
  std::uint64_t left_;
};

SubscriberOptions Subscription::Prepare() {
  SubscriberOptions with;
  (is_pattern_ ? with.pattern : with.topic) = options_.selector;
  with.start = options_.earliest ? SubscribeStart::kEarliest : SubscribeStart::kLatest;
  with.end_on_lag = options_.end_on_lag;
  with.subscriber = options_.subscriber;
  with.reconnect.enabled = options_.reconnect;
  with.on_state = StateNotes(json_);
  if (options_.declare) with.spec = TopicSpec();
  return with;
}

void Subscription::Print(const std::string& topic, const Delivery& delivery) const {
  if (json_) {
    Json json = {{"topic", topic}};
    json.update(ToJson(delivery));
    PrintJson(json);
    return;
  }
  if (is_pattern_) PrintText(topic + "\t");
  PrintDelivery(delivery, false);
}

void Subscription::Tell(const SubscriberEvent& event, Json json, const std::string& text) const {
  json["topic"] = event.topic;
  json["next_position"] = event.next_position;
  PrintEvent(json_, json, event.topic + ": " + text);
}

void Subscription::TellSubscribed(const SubscriberEvent& event) const {
  // People are told what became of coming back; that it begins is what they asked for.
  if (event.continuity == Continuity::kFresh && !json_) return;
  Json json = {
      {"event", "subscribed"}, {"continuity", ToString(event.continuity)}, {"epoch", event.epoch}};
  std::string text = "resumed, " + ToString(event.continuity);
  if (event.continuity == Continuity::kGap) {
    json["missed"] = event.missed;
    text += ", " + std::to_string(event.missed) + " missed";
  }
  Tell(event, std::move(json), text);
}

Status Subscription::Take(const SubscriberEvent& event) {
  switch (event.kind) {
    case SubscriberEvent::Kind::kMessages:
      for (const Delivery& delivery : event.batch) {
        if (left_ == 0) break;
        --left_;
        Print(event.topic, delivery);
        places_.MoveTo(event.topic, event.epoch, delivery.position + 1);
      }
      if (!FlushOutput()) return BadOption("cannot write to stdout");
      break;
    case SubscriberEvent::Kind::kLagged:
      Tell(event, {{"event", "lagged"}, {"missed", event.missed}},
           "lagged, " + std::to_string(event.missed) + " missed");
      places_.MoveTo(event.topic, event.epoch, event.next_position);
      break;
    case SubscriberEvent::Kind::kSubscribed:
      TellSubscribed(event);
      places_.MoveTo(event.topic, event.epoch, event.next_position);
      break;
    case SubscriberEvent::Kind::kTopicClosed:
      if (is_pattern_) {  // Else it is the end of the stream, which is told.
        Tell(event, {{"event", "closed"}, {"reason", ToString(event.reason)}},
             "closed, " + ToString(event.reason));
      }
      if (event.reason == ClosedReason::kDeleted) places_.Forget(event.topic);
      break;
  }
  return places_.Save(false);
}

int Subscription::Run(Invocation& invocation, Client& client) {
  CatchSignals();
  SubscriberOptions with = Prepare();
  auto known = places_.Load();
  if (!known.ok()) return Fail(known.status());
  with.resume = *std::move(known);
  auto subscriber = client.OpenSubscriber(with, invocation.CallDeadline());
  if (!subscriber.ok()) return Fail(subscriber.status());

  auto last = std::chrono::steady_clock::now();
  SubscriberEvent event;
  while (left_ > 0 && SignalsCaught() == 0) {
    const NextOutcome next = subscriber->Next(event, kSignalPoll);
    if (next == NextOutcome::kEnded) break;
    if (next == NextOutcome::kTimedOut) {
      if (Status status = places_.Save(true); !status.ok()) return Fail(status);
      const bool waits = options_.wait_s <= 0 ||
                         std::chrono::steady_clock::now() - last < Seconds(options_.wait_s);
      if (waits) continue;
      return FailRefused("EMPTY: no message within --wait");
    }
    if (Status status = Take(event); !status.ok()) return Fail(status);
    if (event.kind == SubscriberEvent::Kind::kMessages) last = std::chrono::steady_clock::now();
  }
  if (Status status = places_.Save(true); !status.ok()) return Fail(status);
  if (const auto end = subscriber->end(); end && left_ > 0)
    return FailEnd(*end, "subscribing to " + options_.selector);
  (void)subscriber->Close(invocation.CloseDeadline());
  return kDone;
}

}  // namespace

void AddSubscribeVerb(CLI::App& app, Invocation& invocation) {
  const auto options = std::make_shared<SubscribeVerbOptions>();
  CLI::App* const verb =
      AddVerb(app, invocation,
              {"subscribe",
               "Prints what is published to a topic, or to all that match a pattern",
               {"sluice subscribe events", "sluice subscribe 'orders.*' --count 10",
                "sluice subscribe 'orders.>' --earliest --json",
                "sluice subscribe events --resume events.position"}},
              [options](Invocation& with, Client& client) {
                return Subscription(*options, with.json).Run(with, client);
              });
  AddName(*verb, invocation, options->selector, Names::kTopics, "topic")
      ->description(
          "A topic; or a pattern, where * is any token between dots, > the rest. Lines of "
          "a pattern begin with the topic and a tab");
  AddWhole(*verb, "--count", options->count, "Messages wanted (no limit unless given)", 1);
  AddSeconds(*verb, "--wait", options->wait_s, "Seconds to wait for a message (0: no limit)");
  verb->add_flag("--pattern", options->is_pattern,
                 "A name is a pattern, too: of a topic that need not be there yet");
  verb->add_flag("--earliest", options->earliest,
                 "Begin with the oldest retained, not with what comes from now on");
  verb->add_option("--resume", options->resume_path,
                   "Begin where this file says, if it is there, and keep it up to date");
  verb->add_flag("--end-on-lag", options->end_on_lag, "End with exit code 1 at the first lag");
  verb->add_flag("--declare", options->declare,
                 "Make the topic with default settings, if it is not there");
  verb->add_option("--subscriber", options->subscriber, "A name for people");
  AddReconnectFlag(*verb, options->reconnect);
}

}  // namespace sluice::cli

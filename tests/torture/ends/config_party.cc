// SPDX-License-Identifier: Apache-2.0
// A setter of rising numbers, a watcher that must never see one go back, and a presence in a key
// that lives with its session.
#include <stdexcept>
#include <thread>

#include "tests/torture/ends/party.h"

namespace sluice::torture {
namespace {

constexpr char kKey[] = "torture-ends/number";
constexpr char kPresence[] = "torture-ends/presence";
constexpr std::chrono::milliseconds kCall{2000};

class ConfigParty final : public Party {
 public:
  explicit ConfigParty(Client& client)
      : Party("config"),
        client_(client),
        watcher_(Opened(client.OpenWatcher(Watching(), kPatience))),
        session_(Opened(client.OpenSession(Holding(), kPatience))),
        setting_([this] { Set(); }) {}

  void Stop() override {
    End();
    setting_.join();
    const auto last = watcher_.WaitFor(
        kKey,
        [this](const ConfigSnapshot& entry) {
          return entry != nullptr && !entry->deleted && entry->value == last_set_;
        },
        kPatience);
    Require(last.ok(), "the watcher never saw the last value: " + last.status().ToString());
    const auto closed = session_.Close(kPatience);
    const auto gone = watcher_.WaitFor(
        kPresence, [](const ConfigSnapshot& entry) { return entry == nullptr || entry->deleted; },
        kPatience);
    Require(closed.ok() && gone.ok(), "a presence outlived its session");
    (void)watcher_.Close(kPatience);
  }

  std::string told() const override {
    const WatcherStats stats = watcher_.stats();
    return std::to_string(number_) + " set, " + std::to_string(stats.entries) + " entries seen, " +
           std::to_string(stats.resumed) + " resumed, " + std::to_string(stats.resets) +
           " resets; session lost " + std::to_string(session_.stats().lost) + " times";
  }

 private:
  WatcherOptions Watching() {
    WatcherOptions options;
    options.prefixes = {"torture-ends/"};
    options.reconnect = Quick();
    options.on_change = [this](const ConfigSnapshot& entry) { See(*entry); };
    return options;
  }

  static SessionOptions Holding() {
    SessionOptions options;
    options.reconnect = Quick();
    return options;
  }

  // On the watcher's thread.
  void See(const ConfigEntry& entry) {
    if (entry.key != kKey || entry.deleted) return;
    const std::uint64_t number = std::stoull(entry.value);
    Require(number > seen_,
            "the watch went back from " + std::to_string(seen_) + " to " + std::to_string(number));
    seen_ = number;
    Progress();
  }

  // A set that the daemon's death left UNKNOWN is made anew, under a higher number.
  void Set() {
    ConfigWriter writer = client_.MakeConfigWriter();
    while (!is_over() || last_set_.empty() || is_unsure_) {
      const std::string value = std::to_string(++number_);
      const auto set = writer.Set(kKey, value, kCall);
      is_unsure_ = !set.ok() || !set->ok();
      if (!is_unsure_) last_set_ = value;
      ConfigWriterOptions tied;
      tied.session_id = session_.id();
      (void)client_.MakeConfigWriter(tied).Set(kPresence, value, kCall);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  Client& client_;
  // The setting thread's:
  std::uint64_t number_ = 0;
  std::string last_set_;
  bool is_unsure_ = false;
  std::uint64_t seen_ = 0;  // the watcher's thread's
  Watcher watcher_;
  Session session_;
  std::thread setting_;
};

}  // namespace

std::unique_ptr<Party> MakeConfigParty(Client& client) {
  return std::make_unique<ConfigParty>(client);
}

}  // namespace sluice::torture

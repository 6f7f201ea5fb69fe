// SPDX-License-Identifier: Apache-2.0
#include "sluice/watcher.h"

#include <utility>

#include "bad_option.h"
#include "hold.h"
#include "sluice/client.h"
#include "watch_stream.h"

namespace sluice {
inline namespace abi1 {
namespace {

// What the daemon takes.
constexpr std::size_t kSelectorsMax = 1000;

}  // namespace

Result<Watcher> Client::OpenWatcher(WatcherOptions options, Deadline deadline) {
  const std::size_t selectors = options.keys.size() + options.prefixes.size();
  if (selectors == 0 || selectors > kSelectorsMax) {
    return BadOption("keys", std::to_string(selectors), "and prefixes must be 1 to 1,000");
  }
  if (Status status = Check(options.reconnect); !status.ok()) return status;
  const std::shared_ptr<Transport> transport = transport_->Narrow();
  return OpenHandle<Watcher>(
      transport, std::make_shared<WatchStream>(transport, std::move(options)), deadline);
}

Watcher::Watcher(std::shared_ptr<WatchStream> stream) : stream_(std::move(stream)) {}
Watcher::Watcher(Watcher&&) noexcept = default;

Watcher& Watcher::operator=(Watcher&& other) noexcept {
  Watcher old(std::move(*this));
  stream_ = std::move(other.stream_);
  return *this;
}

Watcher::~Watcher() { LetGo(stream_); }

ConfigSnapshot Watcher::Get(const std::string& key) const { return stream_->Get(key); }
std::vector<ConfigSnapshot> Watcher::All() const { return stream_->All(); }
Operation<Result<ConfigSnapshot>> Watcher::Recv() { return AskNext<ConfigSnapshot>(stream_); }
Result<ConfigSnapshot> Watcher::Next(Deadline deadline) { return Recv().Wait(deadline); }
Status Watcher::WaitForSnapshot(Deadline deadline) { return stream_->WaitForSnapshot(deadline); }

Result<ConfigSnapshot> Watcher::WaitFor(const std::string& key,
                                        const std::function<bool(const ConfigSnapshot&)>& holds,
                                        Deadline deadline) {
  return stream_->WaitFor(key, holds, deadline);
}

bool Watcher::is_current() const { return stream_->is_current(); }
Result<StreamEnd> Watcher::Close(Deadline deadline) { return stream_->Close(deadline); }
WatcherStats Watcher::stats() const { return stream_->stats(); }
StreamState Watcher::state() const { return stream_->state(); }
std::optional<StreamEnd> Watcher::end() const { return stream_->end(); }

}  // namespace abi1
}  // namespace sluice

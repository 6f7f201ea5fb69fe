// SPDX-License-Identifier: Apache-2.0
#include "sluice/session.h"

#include <utility>

#include "bad_option.h"
#include "hold.h"
#include "session_stream.h"
#include "sluice/client.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr std::size_t kIdBytes = 16;
constexpr std::chrono::hours kLingerMax{12};
constexpr std::chrono::milliseconds kDestructorWait{1000};

Status CheckLinger(std::chrono::milliseconds linger) {
  if (linger.count() >= 0 && linger <= kLingerMax) return Status();
  return BadOption("linger", std::to_string(linger.count()), "must be 0 to 12 hours");
}

}  // namespace

Result<Session> Client::OpenSession(SessionOptions options, Deadline deadline) {
  if (!options.id.empty() && options.id.size() != kIdBytes) {
    return BadOption("id", std::to_string(options.id.size()), "must have 16 bytes, or none");
  }
  if (Status status = CheckLinger(options.linger); !status.ok()) return status;
  if (Status status = Check(options.reconnect); !status.ok()) return status;
  return OpenHandle<Session>(
      transport_, std::make_shared<SessionStream>(transport_, std::move(options)), deadline);
}

Session::Session(std::shared_ptr<SessionStream> stream) : stream_(std::move(stream)) {}
Session::Session(Session&&) noexcept = default;

Session& Session::operator=(Session&& other) noexcept {
  Session old(std::move(*this));
  stream_ = std::move(other.stream_);
  return *this;
}

Session::~Session() {
  if (stream_ == nullptr || stream_->Close(kDestructorWait).ok()) return;
  stream_->Cancel();
  stream_->Silence();
}

std::string Session::id() const { return stream_->id(); }
std::uint64_t Session::fence() const { return stream_->fence(); }
bool Session::was_resumed() const { return stream_->was_resumed(); }

Status Session::SetLinger(std::chrono::milliseconds linger) {
  if (Status status = CheckLinger(linger); !status.ok()) return status;
  return stream_->SetLinger(linger);
}

Result<StreamEnd> Session::Close(Deadline deadline) { return stream_->Close(deadline); }
SessionStats Session::stats() const { return stream_->stats(); }
StreamState Session::state() const { return stream_->state(); }
std::optional<StreamEnd> Session::end() const { return stream_->end(); }

}  // namespace abi1
}  // namespace sluice

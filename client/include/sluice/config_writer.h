// SPDX-License-Identifier: Apache-2.0
/// Sets config keys.
///
/// Faults     A call whose connection was lost, or whose deadline passed, may have been done or
///            not: its outcome is UNKNOWN. Who compare-and-sets must read the key to know. With
///            retry_safe, Set and Delete without a condition are asked again until the deadline:
///            then a value may be set twice (one more version), over another's set in between, and
///            ABSENT may be of a delete that the first attempt did. A compare-and-set never is.
/// Threads    All functions may be called from any thread at once. They wait for the daemon, also
///            on the client's own thread.
/// Lifetime   Keeps the connection; nothing at the daemon depends on it (N40).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sluice/config.h"
#include "sluice/deadline.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

class Transport;

struct ConfigWriterOptions {
  std::string session_id;  ///< Keys are ephemeral, tied to this session; empty: they stand.
  std::string content_type;
  bool retry_safe = false;
  std::uint32_t update_attempts_max = 100;  ///< Of Update; at least 1.
};

class ConfigWriter {
 public:
  /// What Update makes of the latest (null: the key is not there): the new value, or nothing to
  /// leave it as it is. It may run several times.
  using Change = std::function<std::optional<std::string>(const ConfigEntry* latest)>;

  /// Stores in any case (N35). OK, FULL, UNKNOWN.
  Result<SetKeyReply> Set(const std::string& key, const std::string& value, Deadline deadline);
  /// Only if the key is at `expect` (N36). OK, CONFLICT, FULL, UNKNOWN.
  Result<SetKeyReply> CompareAndSet(const std::string& key, const KeyVersion& expect,
                                    const std::string& value, Deadline deadline);
  /// OK, ABSENT, UNKNOWN.
  Result<DeleteKeyReply> Delete(const std::string& key, Deadline deadline);
  /// Only if the key is at `expect`. OK, ABSENT, CONFLICT, UNKNOWN.
  Result<DeleteKeyReply> CompareAndDelete(const std::string& key, const KeyVersion& expect,
                                          Deadline deadline);
  /// Reads, changes, and sets if nobody else did meanwhile; else once more, at most
  /// update_attempts_max times: then CONFLICT. OK also if `change` left it as it is; `entry` is
  /// then the latest. UNKNOWN ends it. What `change` throws is passed on, and nothing was set.
  Result<SetKeyReply> Update(const std::string& key, const Change& change, Deadline deadline);

 private:
  friend class Client;
  ConfigWriter(std::shared_ptr<Transport> transport, ConfigWriterOptions options);
  Result<SetKeyReply> Store(const std::string& key, const std::string& value,
                            const std::optional<KeyVersion>& expect, Deadline deadline);
  std::shared_ptr<Transport> transport_;
  ConfigWriterOptions options_;
};

}  // namespace abi1
}  // namespace sluice

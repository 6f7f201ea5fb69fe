// SPDX-License-Identifier: Apache-2.0
/// One config key with values of a type instead of bytes (Codec in typed.h). The watcher reads like
/// a receiver of an in-process watch channel:
///
///     while (co_await watcher.Changed()) Use(*watcher.Borrow());
///
/// Threads: as of the ends below; one Changed at a time.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "sluice/typed.h"

namespace sluice {
inline namespace abi1 {

/// The value of a key as it was when it was borrowed. Copyable; valid for ever.
template <class T>
class TypedSnapshot {
 public:
  TypedSnapshot() = default;
  explicit TypedSnapshot(ConfigSnapshot entry) : entry_(std::move(entry)) {
    if (entry_ == nullptr) return;
    if (std::optional<T> value = Codec<T>::Decode(entry_->value)) {
      value_ = std::make_shared<const T>(*std::move(value));
    }
  }

  /// The key is there, and its value is of the type.
  explicit operator bool() const { return value_ != nullptr; }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  const std::shared_ptr<const T>& value() const { return value_; }
  /// {0, 0}: the key is not there.
  KeyVersion version() const { return entry_ == nullptr ? KeyVersion::Absent() : entry_->at; }
  /// Null: the key is not there.
  const ConfigSnapshot& entry() const { return entry_; }

 private:
  ConfigSnapshot entry_;
  std::shared_ptr<const T> value_;
};

template <class T>
class TypedConfigWriter {
 public:
  /// What Update makes of the latest (null: the key is not there, or not of the type).
  using Change = std::function<std::optional<T>(const T* latest)>;

  TypedConfigWriter(ConfigWriter writer, std::string key)
      : writer_(std::move(writer)), key_(std::move(key)) {}

  // As of ConfigWriter.
  Result<SetKeyReply> Set(const T& value, Deadline deadline) {
    return writer_.Set(key_, Codec<T>::Encode(value), deadline);
  }
  Result<SetKeyReply> CompareAndSet(const KeyVersion& expect, const T& value, Deadline deadline) {
    return writer_.CompareAndSet(key_, expect, Codec<T>::Encode(value), deadline);
  }
  Result<SetKeyReply> Update(const Change& change, Deadline deadline) {
    const auto on_bytes = [&change](const ConfigEntry* latest) -> std::optional<std::string> {
      std::optional<T> value = latest ? Codec<T>::Decode(latest->value) : std::nullopt;
      const std::optional<T> changed = change(value ? &*value : nullptr);
      return changed ? std::optional<std::string>(Codec<T>::Encode(*changed)) : std::nullopt;
    };
    return writer_.Update(key_, on_bytes, deadline);
  }
  Result<DeleteKeyReply> Delete(Deadline deadline) { return writer_.Delete(key_, deadline); }

 private:
  ConfigWriter writer_;
  const std::string key_;
};

template <class T>
class TypedWatcher {
 public:
  /// Of one key, whatever the options select.
  static Result<TypedWatcher> Open(Client& client, const std::string& key, WatcherOptions options,
                                   Deadline deadline) {
    options.keys = {key};
    options.prefixes.clear();
    Result<Watcher> watcher = client.OpenWatcher(std::move(options), deadline);
    if (!watcher.ok()) return watcher.status();
    return TypedWatcher(*std::move(watcher), key);
  }

  /// The latest known; that of before while it is the same.
  TypedSnapshot<T> Borrow() const {
    ConfigSnapshot latest = share_->watcher.Get(share_->key);
    std::lock_guard lock(share_->mutex);
    if (share_->borrowed.entry() != latest) share_->borrowed = TypedSnapshot<T>(std::move(latest));
    return share_->borrowed;
  }

  /// Waits for a change that was not told yet, the first value among them; what is borrowed
  /// afterwards may be newer still (W8). The version, of a tombstone if the key went. DEADLINE, or
  /// how the stream ended.
  Operation<Result<KeyVersion>> Changed() { return Map(share_->watcher.Recv(), Next{share_}); }

  /// Waits for a value that `holds` accepts (Watcher::WaitFor).
  Result<TypedSnapshot<T>> WaitFor(const std::function<bool(const T&)>& holds, Deadline deadline) {
    TypedSnapshot<T> accepted;
    const auto on_bytes = [&](const ConfigSnapshot& latest) {
      accepted = TypedSnapshot<T>(latest);
      return accepted && holds(*accepted);
    };
    const Result<ConfigSnapshot> latest = share_->watcher.WaitFor(share_->key, on_bytes, deadline);
    if (!latest.ok()) return latest.status();
    return accepted;
  }
  Status WaitForSnapshot(Deadline deadline) { return share_->watcher.WaitForSnapshot(deadline); }
  Result<StreamEnd> Close(Deadline deadline) { return share_->watcher.Close(deadline); }
  Watcher& untyped() { return share_->watcher; }

 private:
  // Operations hold it, too.
  struct Share {
    Share(Watcher from, std::string name) : watcher(std::move(from)), key(std::move(name)) {}

    Watcher watcher;
    const std::string key;
    std::mutex mutex;
    TypedSnapshot<T> borrowed;
    std::optional<Result<ConfigSnapshot>> left_over;  // Came when its operation was given up.
  };

  struct Next {
    Result<KeyVersion> operator()(Result<ConfigSnapshot> change) {
      if (!change.ok()) return change.status();
      return (*change)->at;
    }
    std::optional<Result<ConfigSnapshot>> Before() {
      std::lock_guard lock(share->mutex);
      return std::exchange(share->left_over, std::nullopt);
    }
    void Unwanted(Result<ConfigSnapshot> change) {
      std::lock_guard lock(share->mutex);
      if (change.ok()) share->left_over = std::move(change);
    }
    std::shared_ptr<Share> share;
  };

  TypedWatcher(Watcher watcher, const std::string& key)
      : share_(std::make_shared<Share>(std::move(watcher), key)) {}

  std::shared_ptr<Share> share_;
};

}  // namespace abi1
}  // namespace sluice

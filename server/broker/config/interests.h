// SPDX-License-Identifier: Apache-2.0
// Who is concerned by a key: watchers by name and by prefix, and gets that wait. Private to Config,
// whose lock guards it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/intrusive_list.h"
#include "broker/config_watcher.h"

namespace sluice::broker {

class Interests {
 public:
  void Add(Selector& selector);
  void Remove(Selector& selector);
  void AddWaiting(const std::string& key, GetTicket& ticket);
  void RemoveWaiting(const std::string& key, GetTicket& ticket);

  // Each watcher once: its selectors do not overlap. `visit` must not change the interests.
  template <class Visit>
  void VisitWatchers(std::string_view key, Visit visit) const {
    if (const auto spot = names_.find(key); spot != names_.end()) {
      VisitAll(spot->second.watchers, visit);
    }
    VisitPrefixesOf(key, [&](const Selectors& watchers) { VisitAll(watchers, visit); });
  }
  // The first that waits for the key; IntrusiveList::Next gives the others.
  GetTicket* first_waiting(std::string_view key) const;
  std::size_t Count(std::string_view key) const;  // watchers and waiting gets

 private:
  using Selectors = IntrusiveList<Selector>;
  struct Spot {
    Selectors watchers;
    IntrusiveList<GetTicket> waiting;
  };

  template <class Visit>
  static void VisitAll(const Selectors& selectors, Visit& visit) {
    for (Selector* one = selectors.front(); one != nullptr; one = Selectors::Next(*one)) {
      visit(*one->watcher);
    }
  }
  template <class Visit>
  void VisitPrefixesOf(std::string_view key, Visit visit) const {
    for (const auto& [length, count] : prefix_lengths_) {
      if (length > key.size()) break;
      const auto prefix = prefixes_.find(key.substr(0, length));
      if (prefix != prefixes_.end()) visit(prefix->second);
    }
  }
  void DropIfEmpty(std::map<std::string, Spot, std::less<>>::iterator spot);

  std::map<std::string, Spot, std::less<>> names_;
  std::map<std::string, Selectors, std::less<>> prefixes_;
  std::map<std::size_t, std::size_t> prefix_lengths_;  // how many prefixes have it
};

}  // namespace sluice::broker

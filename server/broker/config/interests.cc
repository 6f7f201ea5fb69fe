// SPDX-License-Identifier: Apache-2.0
#include "broker/config/interests.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace sluice::broker {

void Interests::Add(Selector& selector) {
  if (!selector.is_prefix) return names_[selector.text].watchers.PushBack(selector);
  const auto [prefix, is_new] = prefixes_.try_emplace(selector.text);
  if (is_new) ++prefix_lengths_[selector.text.size()];
  prefix->second.PushBack(selector);
}

void Interests::Remove(Selector& selector) {
  if (!selector.is_prefix) {
    const auto spot = names_.find(selector.text);
    spot->second.watchers.Erase(selector);
    return DropIfEmpty(spot);
  }
  const auto prefix = prefixes_.find(selector.text);
  prefix->second.Erase(selector);
  if (!prefix->second.empty()) return;
  prefixes_.erase(prefix);
  const auto length = prefix_lengths_.find(selector.text.size());
  if (--length->second == 0) prefix_lengths_.erase(length);
}

void Interests::AddWaiting(const std::string& key, GetTicket& ticket) {
  names_[key].waiting.PushBack(ticket);
}

void Interests::RemoveWaiting(const std::string& key, GetTicket& ticket) {
  const auto spot = names_.find(key);
  spot->second.waiting.Erase(ticket);
  DropIfEmpty(spot);
}

void Interests::DropIfEmpty(std::map<std::string, Spot, std::less<>>::iterator spot) {
  if (spot->second.watchers.empty() && spot->second.waiting.empty()) names_.erase(spot);
}

GetTicket* Interests::first_waiting(std::string_view key) const {
  const auto spot = names_.find(key);
  return spot == names_.end() ? nullptr : spot->second.waiting.front();
}

std::size_t Interests::Count(std::string_view key) const {
  std::size_t count = 0;
  if (const auto spot = names_.find(key); spot != names_.end()) {
    count = spot->second.watchers.size() + spot->second.waiting.size();
  }
  VisitPrefixesOf(key, [&](const Selectors& watchers) { count += watchers.size(); });
  return count;
}

// The candidates sorted, a prefix before the equal name; what the last prefix taken covers adds
// nothing. (Of what it covers, everything follows it directly.)
void Selection::Fill(const std::vector<std::string>& keys, const std::vector<std::string>& prefixes,
                     Watcher* owner) {
  using Candidate = std::pair<std::string_view, bool>;  // its text; whether it is a name
  std::vector<Candidate> candidates;
  candidates.reserve(keys.size() + prefixes.size());
  for (const std::string& key : keys) candidates.emplace_back(key, true);
  for (const std::string& prefix : prefixes) candidates.emplace_back(prefix, false);
  std::sort(candidates.begin(), candidates.end());
  selectors_.clear();
  const Selector* last_prefix = nullptr;
  for (const auto& [text, is_name] : candidates) {
    if (last_prefix != nullptr && text.starts_with(last_prefix->text)) continue;
    if (is_name && !selectors_.empty() && selectors_.back().text == text) continue;
    selectors_.emplace_back(std::string(text), !is_name, owner);
    if (!is_name) last_prefix = &selectors_.back();
  }
}

// No selector covers another, so the one that covers a name is the last that is not behind it.
bool Selection::Covers(std::string_view name) const {
  auto behind = std::upper_bound(
      selectors_.begin(), selectors_.end(), name,
      [](std::string_view wanted, const Selector& selector) { return wanted < selector.text; });
  return behind != selectors_.begin() && std::prev(behind)->Covers(name);
}

}  // namespace sluice::broker

// SPDX-License-Identifier: Apache-2.0
/// An operation over another one, with its outcome changed: what typed ends are made of.
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "sluice/operation.h"

namespace sluice {
inline namespace abi1 {

template <class From, class To, class Change>
class MappedQuestion final : public Question<To>,
                             public std::enable_shared_from_this<MappedQuestion<From, To, Change>> {
 public:
  MappedQuestion(std::shared_ptr<Question<From>> inner, Change change)
      : inner_(std::move(inner)), change_(std::move(change)) {}

 private:
  void Ask() override {
    if constexpr (requires(Change & change) { change.Before(); }) {
      if (std::optional<From> there = change_.Before()) return Tell(*std::move(there));
    }
    inner_->Begin(
        [self = this->shared_from_this()](From outcome) { self->Tell(std::move(outcome)); });
  }
  void Tell(From outcome) {
    if (this->Claim()) {
      this->Answer(change_(std::move(outcome)));
    } else if constexpr (requires(Change & change) { change.Unwanted(std::move(outcome)); }) {
      change_.Unwanted(std::move(outcome));
    }
  }
  void Withdraw() override { inner_->Release(); }
  To Failed(Status why) override { return change_(inner_->Failed(std::move(why))); }
  bool IsAnsweringThread() const override { return inner_->IsAnsweringThread(); }
  bool acts() const override { return inner_->acts(); }

  const std::shared_ptr<Question<From>> inner_;
  Change change_;
};

/// `change(From)` runs once, where the outcome is told. It must not throw. A `change` may also have
///   std::optional<From> Before()   run when the operation is started: an outcome that is there
///                                  already is told instead of asking;
///   void Unwanted(From)            gets the outcome that came when nobody waited any more.
template <class From, class Change>
auto Map(Operation<From> operation, Change change) {
  using To = std::invoke_result_t<Change&, From>;
  return Operation<To>(std::make_shared<MappedQuestion<From, To, Change>>(
      std::move(operation).question(), std::move(change)));
}

}  // namespace abi1
}  // namespace sluice

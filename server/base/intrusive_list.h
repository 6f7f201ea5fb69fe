// SPDX-License-Identifier: Apache-2.0
// A FIFO of objects that carry their own links: nothing is allocated to stand in line, and leaving
// the middle of it costs as little as leaving the front. Not thread-safe; the owner's lock guards
// it.
#pragma once

#include <cstddef>

#include "base/check.h"

namespace sluice {

// Base of what can be linked. An object is in at most one list at a time, and leaves it before it
// is destroyed.
class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { SLUICE_CHECK(!is_linked_); }

  bool is_linked() const noexcept { return is_linked_; }

 private:
  template <class T>
  friend class IntrusiveList;
  ListNode* prev_ = nullptr;
  ListNode* next_ = nullptr;
  bool is_linked_ = false;
};

template <class T>
class IntrusiveList {
 public:
  IntrusiveList() = default;
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const noexcept { return head_ == nullptr; }
  std::size_t size() const noexcept { return size_; }
  T* front() const noexcept { return static_cast<T*>(head_); }
  // The one behind `node`, or nullptr.
  static T* Next(const T& node) noexcept {
    return static_cast<T*>(static_cast<const ListNode&>(node).next_);
  }

  void PushBack(T& item) noexcept {
    ListNode& node = item;
    SLUICE_CHECK(!node.is_linked_);
    node.prev_ = tail_;
    node.next_ = nullptr;
    node.is_linked_ = true;
    (tail_ != nullptr ? tail_->next_ : head_) = &node;
    tail_ = &node;
    ++size_;
  }

  void Erase(T& item) noexcept {
    ListNode& node = item;
    SLUICE_CHECK(node.is_linked_);
    (node.prev_ != nullptr ? node.prev_->next_ : head_) = node.next_;
    (node.next_ != nullptr ? node.next_->prev_ : tail_) = node.prev_;
    node.prev_ = node.next_ = nullptr;
    node.is_linked_ = false;
    --size_;
  }

  T* PopFront() noexcept {
    T* item = front();
    if (item != nullptr) Erase(*item);
    return item;
  }

  // Takes over all of `other`, behind what is here.
  void Splice(IntrusiveList& other) noexcept {
    while (T* item = other.PopFront()) PushBack(*item);
  }

 private:
  ListNode* head_ = nullptr;
  ListNode* tail_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace sluice

// SPDX-License-Identifier: Apache-2.0
#include "base/intrusive_list.h"

#include <gtest/gtest.h>

#include <array>
#include <list>
#include <memory>
#include <random>
#include <vector>

#include "tests/support/seed.h"

namespace sluice {
namespace {

struct Item : ListNode {
  explicit Item(int number = 0) : value(number) {}
  int value;
};

std::vector<int> Values(const IntrusiveList<Item>& list) {
  std::vector<int> values;
  for (Item* item = list.front(); item != nullptr; item = IntrusiveList<Item>::Next(*item)) {
    values.push_back(item->value);
  }
  return values;
}

class IntrusiveListTest : public ::testing::Test {
 protected:
  ~IntrusiveListTest() override {
    while (list.PopFront() != nullptr) {
    }
  }
  void PushAll() {
    for (Item& item : items) list.PushBack(item);
  }

  std::array<Item, 4> items{Item(1), Item(2), Item(3), Item(4)};
  IntrusiveList<Item> list;
};

TEST_F(IntrusiveListTest, BeginsEmpty) {
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.size(), 0u);
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.PopFront(), nullptr);
}

TEST_F(IntrusiveListTest, FirstInFirstOut) {
  PushAll();
  EXPECT_EQ(list.size(), 4u);
  EXPECT_EQ(Values(list), (std::vector{1, 2, 3, 4}));
  for (Item& item : items) {
    EXPECT_TRUE(item.is_linked());
    EXPECT_EQ(list.PopFront(), &item);
    EXPECT_FALSE(item.is_linked());
  }
  EXPECT_TRUE(list.empty());
}

TEST_F(IntrusiveListTest, AnyPlaceCanBeLeft) {
  PushAll();
  list.Erase(items[1]);  // the middle
  EXPECT_EQ(Values(list), (std::vector{1, 3, 4}));
  list.Erase(items[0]);  // the front
  EXPECT_EQ(Values(list), (std::vector{3, 4}));
  list.Erase(items[3]);  // the back
  EXPECT_EQ(Values(list), (std::vector{3}));
  list.PushBack(items[1]);  // behind the new back
  EXPECT_EQ(Values(list), (std::vector{3, 2}));
  list.Erase(items[2]);
  list.Erase(items[1]);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.size(), 0u);
}

TEST_F(IntrusiveListTest, SpliceTakesAllBehindWhatIsThere) {
  IntrusiveList<Item> other;
  list.PushBack(items[0]);
  other.PushBack(items[2]);
  other.PushBack(items[1]);
  list.Splice(other);
  EXPECT_EQ(Values(list), (std::vector{1, 3, 2}));
  EXPECT_TRUE(other.empty());
  list.Splice(other);  // nothing
  EXPECT_EQ(list.size(), 3u);
}

TEST_F(IntrusiveListTest, ErasedItemMayBeDestroyed) {
  auto item = std::make_unique<Item>(9);
  list.PushBack(*item);
  list.Erase(*item);
  item.reset();
  EXPECT_TRUE(list.empty());
}

using IntrusiveListDeathTest = IntrusiveListTest;

TEST_F(IntrusiveListDeathTest, MisuseIsCaught) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        list.PushBack(items[0]);
        list.PushBack(items[0]);
      },
      "check failed: !node.is_linked_");
  EXPECT_DEATH(list.Erase(items[0]), "check failed: node.is_linked_");
  EXPECT_DEATH(
      {
        Item gone(7);
        list.PushBack(gone);
      },
      "check failed: !is_linked_");
}

TEST_F(IntrusiveListTest, DoesWhatAListDoes) {
  std::mt19937_64 random(testing::Seed("IntrusiveListTest.DoesWhatAListDoes"));
  std::vector<std::unique_ptr<Item>> pool;
  for (int i = 0; i < 50; ++i) pool.push_back(std::make_unique<Item>(i));
  std::list<int> model;
  for (int step = 0; step < 20'000; ++step) {
    Item& item = *pool[random() % pool.size()];
    if (random() % 8 == 0) {
      const Item* popped = list.PopFront();
      ASSERT_EQ(popped == nullptr, model.empty());
      if (popped != nullptr) {
        ASSERT_EQ(popped->value, model.front());
        model.pop_front();
      }
    } else if (item.is_linked()) {
      list.Erase(item);
      model.remove(item.value);
    } else {
      list.PushBack(item);
      model.push_back(item.value);
    }
    ASSERT_EQ(list.size(), model.size());
    if (step % 100 == 0) {
      ASSERT_EQ(Values(list), std::vector(model.begin(), model.end()));
    }
  }
  while (list.PopFront() != nullptr) {
  }
}

}  // namespace
}  // namespace sluice

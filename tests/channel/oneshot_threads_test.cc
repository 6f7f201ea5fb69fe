// SPDX-License-Identifier: Apache-2.0
// Two threads, one at each end, meeting at every pair of steps that may race.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <utility>

#include "channel/oneshot.h"
#include "tests/channel/race.h"
#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Box;
using testing::InPlace;
using testing::Race;

constexpr int kRounds = 10'000;

struct Ends {
  void Renew() {
    auto [sender, receiver] = oneshot::Channel<Box>();
    tx.emplace(std::move(sender));
    rx.emplace(std::move(receiver));
  }
  std::optional<oneshot::Sender<Box>> tx;
  std::optional<oneshot::Receiver<Box>> rx;
};

// Clauses: O4 O3
TEST(OneshotThreads, P58_SendAgainstCloseIsOneOrTheOther) {
  Ends ends;
  std::optional<Sent<Box>> sent;
  std::optional<Result<Box, Errc>> read;
  for (const bool is_awaited : {false, true}) {
    Race(
        kRounds, [&] { ends.Renew(); }, [&] { sent.emplace(std::move(*ends.tx).Send(Box(1))); },
        [&] {
          ends.rx->Close();
          read.emplace(is_awaited ? ends.rx->Recv().Wait() : ends.rx->TryRecv());
        },
        [&] {
          ASSERT_EQ(sent->ok(), read->ok());
          ASSERT_EQ(Box::live(), 1);  // with whoever has it
          sent.reset();
          read.reset();
          ASSERT_EQ(Box::live(), 0);
        });
  }
}

// Clauses: O3 O4 O12 G15
TEST(OneshotThreads, AcceptedIsNeverDestroyedByTheSender) {
  Ends ends;
  std::optional<Sent<Box>> sent;
  Race(
      kRounds, [&] { ends.Renew(); }, [&] { sent.emplace(std::move(*ends.tx).Send(Box(1))); },
      [&] { ends.rx.reset(); },
      [&] {
        ASSERT_EQ(Box::live(), sent->ok() ? 0 : 1);
        sent.reset();
        ASSERT_EQ(Box::live(), 0);
      });
}

// Clauses: O5 G5 G8
TEST(OneshotThreads, AWaitingThreadIsWokenByValueAndByDrop) {
  Ends ends;
  int written = 0;  // plain: what is done before a send is seen after the receive
  int round = 0;
  std::optional<Result<Box, Errc>> read;
  Race(
      kRounds,
      [&] {
        ends.Renew();
        ++round;
      },
      [&] {
        written = round;
        if (round % 2 == 0) {
          ASSERT_TRUE(std::move(*ends.tx).Send(Box(round)).ok());
        } else {
          ends.tx.reset();
        }
      },
      [&] {
        read.emplace(ends.rx->Recv().Wait());
        ASSERT_EQ(written, round);
      },
      [&] {
        ASSERT_EQ(read->ok(), round % 2 == 0);
        if (read->ok()) {
          ASSERT_EQ((**read).number(), round);
        }
        read.reset();
      });
}

// Clauses: O13 G2 G3
TEST(OneshotThreads, ACancelWinsOrTheValueComes) {
  Ends ends;
  std::optional<Operation<oneshot::RecvRequest<Box>>> recv;
  std::atomic<int> calls{0};
  bool is_cancelled = false;
  Race(
      kRounds,
      [&] {
        ends.Renew();
        calls = 0;
        recv.emplace(InPlace([&] { return ends.rx->Recv(); }));
        recv->Start([&calls](const Result<Box, Errc>& read) {
          ASSERT_TRUE(read.ok());
          ++calls;
        });
      },
      [&] { ASSERT_TRUE(std::move(*ends.tx).Send(Box(1)).ok()); },
      [&] { is_cancelled = recv->Cancel(); },
      [&] {
        // Cancelled unless the completion was faster; then the value is in the callback.
        ASSERT_EQ(calls.load(), is_cancelled ? 0 : 1);
        ASSERT_EQ(ends.rx->TryRecv().ok(), is_cancelled);
        recv.reset();
        ASSERT_EQ(Box::live(), 0);
      });
}

// Clauses: O11 O14
TEST(OneshotThreads, ClosedCompletesWhenTheReceiverGoes) {
  Ends ends;
  Race(
      kRounds, [&] { ends.Renew(); }, [&] { ASSERT_TRUE(ends.tx->Closed().Wait().ok()); },
      [&] { ends.rx.reset(); }, [&] { ASSERT_TRUE(ends.tx->is_closed()); });
}

}  // namespace
}  // namespace sluice::channel

# SPDX-License-Identifier: Apache-2.0
"""Coming back to a topic: continued, a gap with its exact size, another life, gone."""

import os
import random
import unittest

from support import wire
from support.topic_case import TopicCase

FRESH, CONTINUED = wire.CONTINUITY_FRESH, wire.CONTINUITY_CONTINUED
GAP, RESET = wire.CONTINUITY_GAP, wire.CONTINUITY_RESET
DELETED = wire.CLOSED_REASON_DELETED
N = 8


class Resume(TopicCase):

    def leave(self, subscriber, *names):
        """What it knew, once it is gone."""
        known = [subscriber.by_name(name).known for name in names]
        subscriber.cancel()
        for name in names:
            self.eventually_topic(name, subscribers=0)
        return known

    def assert_joined(self, subscriber, name, continuity, missed, next_position):
        told = subscriber.wait_topic(name).subscribed
        self.assertEqual((told.continuity, told.missed, told.next_position),
                         (continuity, missed, next_position), name)

    # Clauses: N31
    def test_X46_continued_or_an_exact_gap(self):
        self.client.topics.declare(self.name, capacity=N)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        self.publish_numbers(self.name, 3)
        subscriber.wait_messages(3)
        position = 4
        for k in (0, 1, N - 1, N, N + 1, 5 * N):
            known, = self.leave(subscriber, self.name)
            self.assertEqual(known[2], position)
            for i in range(k):
                self.assertEqual(self.publish(self.name, position + i), ([position + i], 0))
            subscriber = self.client.topics.come_back(known, name=self.name).wait_ready()
            missed = max(0, k - N)
            self.assert_joined(subscriber, self.name, GAP if missed else CONTINUED, missed,
                               position + missed)
            heard = subscriber.wait_position(position + k)
            self.assertEqual(heard.positions(), list(range(position + missed, position + k)))
            self.assertEqual(heard.lags, [])  # a gap is told once
            position += k

    # Clauses: N31
    def test_a_gap_counts_as_missed(self):
        self.client.topics.declare(self.name, capacity=N)
        known, = self.leave(self.client.topics.subscriber(self.name).wait_ready(), self.name)
        self.publish_numbers(self.name, N + 5)
        back = self.client.topics.come_back(known, name=self.name)
        back.wait_position(N + 6)
        told = self.eventually_topic(self.name, delivered=N)
        self.assertEqual(told.missed, 5)
        self.assertEqual(self.client.topics.subscribers_of(self.name).subscribers[0].missed, 5)

    # Clauses: N31 N6
    def test_another_life_is_a_reset(self):
        self.client.topics.declare(self.name, capacity=N)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        self.publish_numbers(self.name, 5)
        subscriber.wait_messages(5)
        known, = self.leave(subscriber, self.name)
        self.client.topics.delete(self.name)
        fresh = self.client.topics.declare(self.name, capacity=N).description
        back = self.client.topics.come_back(known, name=self.name).wait_ready()
        self.assert_joined(back, self.name, RESET, 0, 1)
        self.assertEqual(back.heard.subscribed.epoch, fresh.epoch)
        self.publish_numbers(self.name, N + 3)
        back.wait_position(N + 4)
        again = self.client.topics.come_back(known, name=self.name)
        self.assert_joined(again, self.name, RESET, 0, 4)  # the oldest retained
        again.wait_position(N + 4)
        self.assertEqual(again.heard.positions(), list(range(4, N + 4)))

    # Clauses: N31
    def test_a_position_of_the_future_belongs_to_no_life(self):
        epoch = self.client.topics.declare(self.name).description.epoch
        self.client.topics.subscriber(self.name).wait_ready()
        self.publish_numbers(self.name, 3)
        back = self.client.topics.come_back((self.name, epoch, 5), name=self.name)
        self.assert_joined(back, self.name, RESET, 0, 1)
        back.wait_messages(3)

    # Clauses: N31
    def test_start_is_not_read_with_resume(self):
        self.client.topics.declare(self.name)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        self.publish_numbers(self.name, 3)
        epoch = subscriber.wait_messages(3) and subscriber.heard.subscribed.epoch
        back = self.client.topics.come_back((self.name, epoch, 3), name=self.name,
                                            start=wire.SUBSCRIBE_START_EARLIEST)
        self.assert_joined(back, self.name, CONTINUED, 0, 3)
        back.wait_messages(1)
        # Nothing listed: it begins at position 1.
        empty = self.client.topics.come_back(name=self.name,
                                             start=wire.SUBSCRIBE_START_LATEST)
        self.assert_joined(empty, self.name, FRESH, 0, 1)
        empty.wait_messages(3)

    # Clauses: N31 N4
    def test_a_listed_topic_that_is_gone(self):
        self.client.topics.declare(self.name)
        known, = self.leave(self.client.topics.subscriber(self.name).wait_ready(), self.name)
        self.client.topics.delete(self.name)
        back = self.client.topics.come_back(known, name=self.name)
        self.assertEqual(back.end(), DELETED)
        told = back.heard.subscribed
        self.assertEqual((told.topic, told.epoch, told.continuity, told.missed, back.ready.topics),
                         (self.name, 0, GAP, 0, 1))
        # With a spec it is declared, and that is another life.
        anew = self.client.topics.come_back(known, name=self.name, spec=wire.TopicSpec())
        self.assert_joined(anew.wait_ready(), self.name, RESET, 0, 1)

    # Clauses: N31
    def test_coming_back_to_a_pattern(self):
        for name in ("back.kept", "back.gap", "back.reborn", "back.gone"):
            self.client.topics.declare(name, capacity=N)
        subscriber = self.client.topics.subscriber(pattern="back.*").wait_ready()
        for name in ("back.kept", "back.gap", "back.reborn", "back.gone"):
            self.publish_numbers(name, 2)
            subscriber.wait_messages(2, name)
        known = self.leave(subscriber, "back.kept", "back.gap", "back.reborn", "back.gone")
        self.publish_numbers("back.kept", 2, first=3)
        for i in range(N + 3):
            self.publish("back.gap", 3 + i)
        self.client.topics.delete("back.reborn")
        self.client.topics.declare("back.reborn")
        self.client.topics.delete("back.gone")
        self.client.topics.declare("back.new", capacity=N)
        self.publish_numbers("back.new", 2)
        self.client.topics.declare("back.new-and-lapped", capacity=N)
        for i in range(N + 4):
            self.publish("back.new-and-lapped", i)
        back = self.client.topics.come_back(*known, pattern="back.*").wait_ready()
        self.assertEqual(back.ready.topics, 6)
        self.assert_joined(back, "back.kept", CONTINUED, 0, 3)
        self.assert_joined(back, "back.gap", GAP, 3, 6)
        self.assert_joined(back, "back.reborn", RESET, 0, 1)
        self.assert_joined(back, "back.gone", GAP, 0, back.by_name("back.gone").next_position)
        self.assert_joined(back, "back.new", FRESH, 0, 1)
        self.assert_joined(back, "back.new-and-lapped", GAP, 4, 5)
        for name, position in (("back.kept", 5), ("back.gap", N + 6), ("back.new", 3),
                               ("back.new-and-lapped", N + 5)):
            back.wait_position(position, name)
        gone = back.by_name("back.gone")
        back.until(lambda: gone.closed, what="the end of back.gone")
        self.assertEqual((gone.subscribed.epoch, gone.closed.reason), (0, DELETED))
        self.assertFalse(back.is_over)


class Losses(TopicCase):

    # Clauses: N31 N30 N28
    def test_messages_and_missed_add_up_over_losses(self):
        seed = int(os.environ.get("SLUICE_SEED", random.randrange(1 << 32)))
        print(f"SLUICE_SEED={seed}")
        draw = random.Random(seed)
        epoch = self.client.topics.declare(self.name, capacity=N).description.epoch
        first = self.client.topics.subscriber(self.name).wait_ready()
        first.cancel()
        known, published, messages, missed = (self.name, epoch, 1), 0, [], 0
        for _ in range(25):
            proxy = self.new_proxy()
            subscriber = self.new_client(proxy.address).topics.come_back(known, name=self.name)
            for _ in range(draw.randrange(4)):
                count = draw.randrange(1, 2 * N)
                self.publish_numbers(self.name, count, first=published + 1)
                published += count
            subscriber.wait_ready().wait_position(draw.randrange(known[2], published + 2))
            proxy.reset()
            subscriber.end()
            self.assertIn(subscriber.heard.subscribed.continuity, (CONTINUED, GAP))
            known = subscriber.heard.known
            messages += subscriber.heard.messages
            missed += subscriber.heard.missed
            for _ in range(draw.randrange(3)):
                self.publish_numbers(self.name, N // 2, first=published + 1)
                published += N // 2
        last = self.client.topics.come_back(known, name=self.name)
        last.wait_position(published + 1)
        messages += last.heard.messages
        self.assertEqual(len(messages) + missed + last.heard.missed, published)
        for received in messages:
            self.assertEqual(int(received.payload), received.position)
        positions = [received.position for received in messages]
        self.assertEqual(positions, sorted(set(positions)))  # none twice


class Restart(TopicCase):

    # Clauses: N31 N6
    def test_X46_after_a_restart_it_is_a_reset(self):
        self.client.topics.declare(self.name)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        self.publish_numbers(self.name, 5)
        subscriber.wait_messages(5)
        known = subscriber.heard.known
        type(self).daemon.stop()
        self.assertEqual(subscriber.end(), wire.CLOSED_REASON_SHUTTING_DOWN)
        type(self).setUpClass()
        self.client = self.new_client()
        gone = self.client.topics.come_back(known, name=self.name)
        self.assertEqual(gone.end(), DELETED)
        epoch = self.client.topics.declare(self.name).description.epoch
        self.assertNotEqual(epoch, known[1])
        back = self.client.topics.come_back(known, name=self.name).wait_ready()
        told = back.heard.subscribed
        self.assertEqual((told.continuity, told.epoch, told.next_position, told.missed),
                         (RESET, epoch, 1, 0))
        self.publish_numbers(self.name, 2)
        back.wait_messages(2)


if __name__ == "__main__":
    unittest.main()

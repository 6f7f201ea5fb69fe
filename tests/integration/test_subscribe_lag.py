# SPDX-License-Identifier: Apache-2.0
"""Subscribers that do not keep up: told exactly, or ended where asked; nobody else waits."""

import os
import random
import threading
import unittest

from support import wire
from support.topic_case import TopicCase

OK, LAGGED = wire.OUTCOME_OK, wire.CLOSED_REASON_LAGGED
BIG = b"x" * 300_000  # more than a frame, and than a window, holds


class Lagging(TopicCase):

    # Clauses: N30 B8 B10 B11
    def test_X42_a_slow_subscriber_is_told_exactly(self):
        self.client.topics.declare(self.name, capacity=64)
        slow = self.new_client().topics.subscriber(self.name).wait_ready()
        fast = self.new_client().topics.subscriber(self.name).wait_ready()
        slow.pause()
        publisher = self.client.topics.publisher(self.name)
        for first in range(0, 10_000, 50):  # at the pace of the fast one
            publisher.send(*[b"%05d" % i + b"." * 600 for i in range(first, first + 50)])
            fast.wait_messages(first + 50)
        self.assertEqual({told.outcome for told in publisher.wait_told(10_000)}, {OK})
        self.assertEqual([int(payload[:5]) for payload in fast.heard.payloads()],
                         list(range(10_000)))
        self.assertEqual((fast.heard.lags, fast.heard.missed), ([], 0))
        slow.resume()
        heard = slow.wait_position(10_001)
        self.assertEqual(len(heard.messages) + heard.missed, 10_000)
        self.assertGreater(heard.missed, 0)
        for received in heard.messages:
            self.assertEqual(int(received.payload[:5]), received.position - 1)
        # Lag is no end (B11).
        self.publish(self.name, "after")
        for stream in (slow, fast):
            self.assertEqual(stream.wait_position(10_002).payloads()[-1], b"after")
        told = self.eventually_topic(
            self.name, delivered=len(slow.heard.messages) + len(fast.heard.messages))
        self.assertEqual(told.missed, heard.missed)

    # Clauses: N30 B8 B13
    def test_lag_is_what_was_overwritten(self):
        self.client.topics.declare(self.name, capacity=4)
        stalled = self.stalled_subscriber(self.name, subscriber="slow")
        self.eventually_topic(self.name, subscribers=1)
        for _ in range(3):
            self.publish(self.name, BIG)
        self.wait_stalled("Subscribe")
        for _ in range(20):
            self.publish(self.name, BIG)
        one = self.client.topics.subscribers_of(self.name).subscribers[0]
        self.assertEqual((one.subscriber, one.behind), ("slow", 24 - one.next_position))
        self.assertGreater(one.behind, 4)
        stalled.start_reading()
        heard = stalled.wait_position(24)
        # Taken from the ring ahead of the transport: one frame (N30).
        (missed, before), = heard.lags
        self.assertEqual((missed, before), (20 - one.next_position, one.next_position - 1))
        self.assertLessEqual(before, 2)
        self.assertEqual(heard.positions()[before:], [20, 21, 22, 23])

    # Clauses: N42 N30
    def test_a_stalled_stream_holds_up_nobody_on_its_connection(self):
        other = self.name + ".other"
        for name in (self.name, other):
            self.client.topics.declare(name, capacity=4)
        stalled = self.stalled_subscriber(self.name)
        shared = self.clients[-1].topics
        neighbours = [shared.subscriber(name).wait_ready() for name in (self.name, other)]
        self.eventually_topic(self.name, subscribers=2)
        publisher = shared.publisher(other)
        for i in range(20):
            self.publish(self.name, BIG)
            publisher.send(BIG)
            for stream in neighbours:
                stream.wait_messages(i + 1)
            self.assertEqual(shared.describe(other).accepted, i + 1)
        self.assertEqual([stream.heard.missed for stream in neighbours], [0, 0])
        self.assertEqual(stalled.frames, [])
        stalled.start_reading()
        self.assertGreaterEqual(stalled.wait_position(21).missed, 14)

    # Clauses: N30
    def test_end_on_lag(self):
        self.client.topics.declare(self.name, capacity=4)
        ending = self.stalled_subscriber(self.name, end_on_lag=True)
        self.eventually_topic(self.name, subscribers=1)
        keeping = self.client.topics.subscriber(self.name, end_on_lag=True).wait_ready()
        for i in range(12):
            self.publish(self.name, BIG)
            keeping.wait_position(i + 2)
        ending.start_reading()
        self.assertEqual(ending.end(), LAGGED)
        self.assertEqual(ending.heard.lags, [])
        self.assertLess(len(ending.heard.messages), 5)
        self.assertEqual(self.eventually_topic(self.name, subscribers=1).missed, 0)
        self.assertFalse(keeping.is_over)
        # Coming back says how many they were.
        back = self.client.topics.come_back(ending.heard.known, name=self.name, end_on_lag=True)
        back.wait_position(13)
        self.assertEqual(back.heard.missed, 8 - len(ending.heard.messages))

    # Clauses: N30
    def test_policy_disconnect(self):
        self.client.topics.declare(self.name, capacity=4, policy=wire.SLOW_POLICY_DISCONNECT)
        stalled = self.stalled_subscriber(self.name)
        self.eventually_topic(self.name, subscribers=1)
        reader = self.client.topics.subscriber(self.name).wait_ready()
        for i in range(12):
            self.assertEqual(self.publish(self.name, BIG)[0], [i + 1])  # it never waits
            reader.wait_position(i + 2)
        stalled.start_reading()
        self.assertEqual(stalled.end(), LAGGED)
        self.eventually_topic(self.name, subscribers=1)
        self.assertEqual(self.publish(self.name, "without it")[1], 1)
        self.assertEqual(stalled.heard.lags, [])
        reader.wait_messages(13)
        self.assertEqual(reader.heard.missed, 0)

    # Clauses: N30 B9 B10
    def test_random_pace_adds_up(self):
        seed = int(os.environ.get("SLUICE_SEED", random.randrange(1 << 32)))
        print(f"SLUICE_SEED={seed}")
        draw = random.Random(seed)
        self.client.topics.declare(self.name, capacity=8)
        subscribers = [self.new_client().topics.subscriber(self.name).wait_ready()
                       for _ in range(5)]
        stop = threading.Event()

        def change_pace():
            while not stop.wait(draw.random() * 0.01):
                draw.choice((draw.choice(subscribers).pause, draw.choice(subscribers).resume))()
        changing = threading.Thread(target=change_pace)
        changing.start()
        publishers = [self.client.topics.publisher(self.name) for _ in range(2)]
        for _ in range(150):
            for publisher in publishers:
                publisher.send(*[os.urandom(draw.randrange(20_000))
                                 for _ in range(draw.randrange(1, 8))])
        for publisher in publishers:
            publisher.half_close()
            self.assertEqual(publisher.end(), wire.CLOSED_REASON_FINISHED)
        stop.set()
        changing.join()
        end = self.client.topics.describe(self.name).next_position
        for subscriber in subscribers:
            subscriber.resume()
            heard = subscriber.wait_position(end)
            self.assertEqual(len(heard.messages) + heard.missed, end - 1)


if __name__ == "__main__":
    unittest.main()

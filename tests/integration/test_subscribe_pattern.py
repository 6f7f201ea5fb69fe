# SPDX-License-Identifier: Apache-2.0
"""Subscribing to all topics that match a pattern: there, to come, closed, deleted, born again."""

import unittest
from concurrent.futures import ThreadPoolExecutor

from support import wire
from support.topic_case import TopicCase

REQUESTED, DELETED = wire.CLOSED_REASON_REQUESTED, wire.CLOSED_REASON_DELETED
FRESH = wire.CONTINUITY_FRESH


class Patterns(TopicCase):

    # Clauses: N28
    def test_what_matches(self):
        names = ["a", "a.b", "a.b.c", "a.c", "b.b", "b", "a/b.c", "A.b"]
        matches = {"*": {"a", "b"}, ">": set(names), "a.*": {"a.b", "a.c"}, "*.b": {"a.b", "b.b",
                                                                                  "A.b"},
                   "a.>": {"a.b", "a.b.c", "a.c"}, "*.*": {"a.b", "a.c", "b.b", "a/b.c", "A.b"},
                   "*.*.*": {"a.b.c"}, "a.b": {"a.b"}, "nothing": set(), "a.*.c": {"a.b.c"},
                   "*.>": {"a.b", "a.b.c", "a.c", "b.b", "a/b.c", "A.b"}}
        early = {pattern: self.client.topics.subscriber(pattern=pattern).wait_ready()
                 for pattern in matches}
        for stream in early.values():
            self.assertEqual((stream.ready.topics, stream.refs), (0, {}))
        for name in names:
            self.client.topics.declare(name)
        late = {pattern: self.client.topics.subscriber(pattern=pattern).wait_ready()
                for pattern in matches}
        for name in names:
            count = sum(name in matched for matched in matches.values())
            self.assertEqual(self.publish(name, name)[1], 2 * count, name)
        for pattern, matched in matches.items():
            self.assertEqual(late[pattern].ready.topics, len(matched), pattern)
            for stream in (early[pattern], late[pattern]):
                for name in matched:
                    stream.wait_messages(1, name)
                self.assertEqual({heard.subscribed.topic for heard in stream.refs.values()},
                                 matched, pattern)
                for heard in stream.refs.values():
                    self.assertEqual(heard.payloads(), [heard.subscribed.topic.encode()])
                    self.assertEqual((heard.subscribed.continuity, heard.began_at), (FRESH, 1))

    # Clauses: N28
    def test_topics_made_later_begin_at_1(self):
        subscriber = self.client.topics.subscriber(pattern="later.*").wait_ready()
        clients = [self.new_client() for _ in range(4)]

        def make(i):
            """Declares and publishes at once: nothing is missed of a topic just made."""
            client = clients[i % 4]
            client.topics.declare(f"later.{i}")
            return client.topics.publish(f"later.{i}", "a", "b").acks[0].delivered_to
        with ThreadPoolExecutor(4) as pool:
            self.assertEqual(list(pool.map(make, range(100))), [1] * 100)
        for i in range(100):
            subscriber.wait_messages(2, f"later.{i}")
        self.assertEqual(len(subscriber.refs), 100)
        for heard in subscriber.refs.values():
            self.assertEqual((heard.subscribed.continuity, heard.positions()), (FRESH, [1, 2]))

    # Clauses: B14
    def test_latest_is_for_topics_there_now(self):
        self.client.topics.declare("now.a")
        self.client.topics.subscriber("now.a").wait_ready()
        self.publish_numbers("now.a", 3)
        latest = self.client.topics.subscriber(pattern="now.*").wait_ready()
        earliest = self.client.topics.subscriber(
            pattern="now.*", start=wire.SUBSCRIBE_START_EARLIEST).wait_ready()
        self.client.topics.declare("now.b")
        for name in ("now.a", "now.b"):
            self.publish(name, "new")
        latest.wait_messages(1, "now.b")
        self.assertEqual(latest.wait_messages(1, "now.a")[0].payload, b"new")
        earliest.wait_messages(1, "now.b")
        self.assertEqual(earliest.wait_messages(4, "now.a")[0].payload, b"1")

    # Clauses: N4 B16
    def test_topics_end_and_the_stream_goes_on(self):
        for name in ("end.a", "end.b", "end.c"):
            self.client.topics.declare(name)
        subscriber = self.client.topics.subscriber(pattern="end.*").wait_ready()
        self.publish_numbers("end.a", 3)
        self.client.topics.close("end.a")
        self.client.topics.delete("end.b")
        ended = [subscriber.by_name(name) for name in ("end.a", "end.b")]
        subscriber.until(lambda: all(heard.closed for heard in ended), what="both ends")
        self.assertEqual([heard.closed.reason for heard in ended], [REQUESTED, DELETED])
        self.assertEqual(ended[0].payloads(), [b"1", b"2", b"3"])
        self.eventually_topic("end.a", state=wire.TOPIC_STATE_ENDED)
        # Born again, they are other topics, with refs of their own.
        for name, old in zip(("end.a", "end.b"), ended):
            self.client.topics.declare(name)
            self.publish(name, "again")
            subscriber.until(lambda name=name, old=old: subscriber.by_name(name) is not old,
                             what=f"{name} again")
            subscriber.wait_messages(1, name)
            heard = subscriber.by_name(name)
            self.assertNotEqual(heard.subscribed.epoch, old.subscribed.epoch)
            self.assertEqual((heard.subscribed.continuity, heard.positions()), (FRESH, [1]))
        self.assertEqual(sorted(subscriber.refs), [1, 2, 3, 4, 5])
        self.publish("end.c", "still here")
        subscriber.wait_messages(1, "end.c")
        self.assertFalse(subscriber.is_over)

    # Clauses: N30
    def test_end_on_lag_ends_that_topic_alone(self):
        for name in ("lag.a", "lag.b"):
            self.client.topics.declare(name, capacity=4)
        subscriber = self.stalled_subscriber(pattern="lag.*", end_on_lag=True)
        self.eventually_topic("lag.a", subscribers=1)
        for _ in range(10):
            self.publish("lag.a", b"x" * 300_000)
        self.publish("lag.b", "kept")
        subscriber.start_reading()
        heard = subscriber.wait_topic("lag.a")
        subscriber.until(lambda: heard.closed, what="the end of lag.a")
        self.assertEqual((heard.closed.reason, heard.lags),
                         (wire.CLOSED_REASON_LAGGED, []))
        subscriber.wait_messages(1, "lag.b")
        self.eventually_topic("lag.a", subscribers=0)
        self.assertEqual(self.client.topics.describe("lag.b").subscribers, 1)
        self.assertFalse(subscriber.is_over)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Declaring topics, looking at them, and every refusal of a spec."""

import unittest
from concurrent.futures import ThreadPoolExecutor

import grpc

from support import wire
from support.eventually import eventually
from support.topic_case import TopicCase

INVALID = grpc.StatusCode.INVALID_ARGUMENT
LAG, BLOCK = wire.SLOW_POLICY_LAG, wire.SLOW_POLICY_BLOCK
SEVEN_DAYS_MS = 604_800_000


class Declaring(TopicCase):

    # Clauses: N6 B1
    def test_defaults_are_filled_in(self):
        reply = self.client.topics.declare(self.name)
        self.assertTrue(reply.created)
        told = reply.description
        spec = told.spec
        self.assertEqual(
            (spec.capacity, spec.bytes_max, spec.message_bytes_max, spec.policy, spec.block_ms,
             spec.resume_window_ms, spec.lifetime, spec.durability),
            (1024, 64 << 20, 1 << 20, LAG, 0, 60_000, wire.LIFETIME_STANDING,
             wire.DURABILITY_MEMORY))
        self.assertEqual(
            (told.name, told.state, told.closed_reason, told.next_position, told.oldest_position,
             told.accepted, told.depth, told.subscribers, told.publishers, told.stores),
            (self.name, wire.TOPIC_STATE_OPEN, 0, 1, 1, 0, 0, 0, 0, False))
        self.assertTrue(0 < told.epoch < 2 ** 53)
        blocking = self.client.topics.declare(self.name + ".block", policy=BLOCK).description
        self.assertEqual((blocking.spec.policy, blocking.spec.block_ms), (BLOCK, 5000))
        none = self.client.topics.declare(self.name + ".none", resume_window_ms=0).description
        self.assertTrue(none.spec.HasField("resume_window_ms"))
        self.assertEqual(none.spec.resume_window_ms, 0)

    # Clauses: B1
    def test_capacity_is_rounded_up_to_a_power_of_two(self):
        for asked, effective in ((1, 1), (3, 4), (4, 4), (10, 16), (1_048_575, 1_048_576)):
            name = f"{self.name}.{asked}"
            self.assertEqual(self.client.topics.declare(name, capacity=asked)
                             .description.spec.capacity, effective)
            self.assertFalse(self.client.topics.declare(name, capacity=effective).created)

    # Clauses: N14
    def test_a_small_byte_budget_lowers_the_message_limit(self):
        spec = self.client.topics.declare(self.name, bytes_max=20_000).description.spec
        self.assertLessEqual(spec.message_bytes_max, 20_000)
        self.assertGreater(spec.message_bytes_max, 19_000)

    # Clauses: N5
    def test_X17_declaring_twice(self):
        other = self.new_client()
        with ThreadPoolExecutor(2) as pool:
            for i in range(10):
                name = f"{self.name}.{i}"
                both = list(pool.map(
                    lambda one, name=name: one.topics.declare(name, capacity=8),
                    (self.client, other)))
                self.assertEqual(both[0].description.epoch, both[1].description.epoch)
                self.assertEqual([one.created for one in both].count(True), 1)
        declared = self.client.topics.declare(self.name, capacity=8).description
        for field, spec in (("capacity", {"capacity": 16}),
                            ("bytes_max", {"capacity": 8, "bytes_max": 12345}),
                            ("message_bytes_max", {"capacity": 8, "message_bytes_max": 999}),
                            ("policy", {"capacity": 8, "policy": wire.SLOW_POLICY_DISCONNECT}),
                            ("resume_window_ms", {"capacity": 8, "resume_window_ms": 1}),
                            ("resume_window_ms", {"capacity": 8, "resume_window_ms": 0}),
                            ("lifetime", {"capacity": 8, "lifetime": wire.LIFETIME_TIED}),
                            ("capacity", {})):
            fault = self.assert_fault(lambda spec=spec: self.client.topics.declare(
                self.name, **spec), grpc.StatusCode.FAILED_PRECONDITION, "DECLARED_OTHERWISE")
            self.assertTrue(fault.details["field"].endswith(field), fault)
        again = self.client.topics.declare(
            self.name, capacity=8, policy=LAG, resume_window_ms=60_000, bytes_max=64 << 20)
        self.assertFalse(again.created)
        self.assertEqual(again.description.epoch, declared.epoch)
        self.assertEqual(self.client.topics.describe(self.name).spec, declared.spec)

    # Clauses: N5
    def test_block_ms_is_compared(self):
        self.client.topics.declare(self.name, policy=BLOCK, block_ms=100)
        fault = self.assert_fault(
            lambda: self.client.topics.declare(self.name, policy=BLOCK, block_ms=200),
            grpc.StatusCode.FAILED_PRECONDITION, "DECLARED_OTHERWISE")
        self.assertTrue(fault.details["field"].endswith("block_ms"), fault)

    # Clauses: N5
    def test_a_topic_and_a_queue_of_one_name_are_two(self):
        self.client.declare(self.name, capacity=3)
        self.client.topics.declare(self.name, capacity=4)
        self.fill(self.name, 1)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        self.publish(self.name, "to the topic")
        subscriber.wait_messages(1)
        self.assertEqual(self.client.topics.delete(self.name), 1)
        self.assertEqual(self.client.take(self.name), [b"1"])

    # Clauses: N5
    def test_an_undeclared_topic_is_not_found(self):
        topics = self.client.topics
        for call in (lambda: topics.describe("nobody"), lambda: topics.publish("nobody", 1),
                     lambda: topics.close("nobody"), lambda: topics.delete("nobody"),
                     topics.publisher("nobody").end(), topics.subscriber("nobody").end()):
            self.assert_fault(call, grpc.StatusCode.NOT_FOUND, "TOPIC_NOT_FOUND")
        self.assertEqual(topics.list().topics[:], [])

    # Clauses: N5
    def test_a_spec_declares_where_it_is_used(self):
        spec = wire.TopicSpec(capacity=3)
        other = wire.TopicSpec(capacity=5)
        subscriber = self.client.topics.subscriber(self.name, spec=spec).wait_ready()
        self.assertEqual(self.client.topics.describe(self.name).spec.capacity, 4)
        self.publish(self.name, "unary", spec=spec)
        publisher = self.client.topics.publisher(self.name, spec=spec)
        self.assertEqual(publisher.wait_opened().capacity, 4)
        publisher.send("stream")
        subscriber.wait_messages(2)
        for call in (lambda: self.client.topics.publish(self.name, 1, spec=other),
                     self.client.topics.publisher(self.name, spec=other).end(),
                     self.client.topics.subscriber(self.name, spec=other).end()):
            self.assert_fault(call, grpc.StatusCode.FAILED_PRECONDITION, "DECLARED_OTHERWISE")
        bad = wire.TopicSpec(capacity=1_048_577)
        for call in (lambda: self.client.topics.publish("not.made", 1, spec=bad),
                     self.client.topics.publisher("not.made", spec=bad).end(),
                     self.client.topics.subscriber("not.made", spec=bad).end()):
            fault = self.assert_fault(call, INVALID, "OUT_OF_BOUNDS", limit=1_048_576,
                                      value=1_048_577)
            self.assertTrue(fault.details["field"].endswith("capacity"), fault)
        self.assertEqual(self.client.topics.list(prefix="not.made").topics[:], [])

    def test_every_field_of_a_spec(self):
        for spec, limit, value in (
                ({"capacity": 1_048_577}, 1_048_576, 1_048_577),
                ({"message_bytes_max": (1 << 20) + 1}, 1 << 20, (1 << 20) + 1),
                ({"bytes_max": 1023}, 1024, 1023),
                ({"block_ms": 60_001, "policy": BLOCK}, 60_000, 60_001),
                ({"resume_window_ms": SEVEN_DAYS_MS + 1}, SEVEN_DAYS_MS, SEVEN_DAYS_MS + 1)):
            fault = self.assert_fault(lambda spec=spec: self.client.topics.declare("t", **spec),
                                      INVALID, "OUT_OF_BOUNDS", limit=limit, value=value)
            self.assertTrue(fault.details["field"].endswith(next(iter(spec))), fault)
        for spec, field in (({"lifetime": 99}, "lifetime"), ({"durability": 99}, "durability"),
                            ({"policy": 99}, "policy"), ({"block_ms": 5}, "block_ms"),
                            ({"block_ms": 5, "policy": wire.SLOW_POLICY_DISCONNECT}, "block_ms")):
            fault = self.assert_fault(lambda spec=spec: self.client.topics.declare("t", **spec),
                                      INVALID, "INVALID_FIELD")
            self.assertTrue(fault.details["field"].endswith(field), fault)
        for level in (wire.DURABILITY_OS, wire.DURABILITY_DISK):
            self.assert_fault(lambda level=level: self.client.topics.declare("t", durability=level),
                              grpc.StatusCode.FAILED_PRECONDITION, "DURABILITY_UNAVAILABLE")
        self.assertEqual(self.client.topics.list(prefix="t").topics[:], [])

    def test_names(self):
        for name in ("", "with space", "a..b", ".a", "a.", "_own", "ünï", "a\nb", "a*", ">"):
            self.assert_refused_field(lambda name=name: self.client.topics.declare(name),
                                      "INVALID_FIELD", "topic")
        long = "n" * 256
        for call in (lambda: self.client.topics.declare(long),
                     lambda: self.client.topics.publish(long, 1),
                     lambda: self.client.topics.describe(long),
                     lambda: self.client.topics.close(long),
                     lambda: self.client.topics.delete(long),
                     self.client.topics.publisher(long).end(),
                     self.client.topics.subscriber(long).end()):
            fault = self.assert_fault(call, INVALID, "OUT_OF_BOUNDS", limit=255, value=256)
            self.assertIn("topic", fault.details["field"])
        for name in ("n" * 255, "a.b/c-d_E9"):
            self.assertTrue(self.client.topics.declare(name).created)


class Looking(TopicCase):

    # Clauses: N43
    def test_describe_counts_exactly(self):
        self.client.topics.declare(self.name, capacity=4, resume_window_ms=0)
        self.client.topics.publish(self.name, 1, 2)  # nobody is there
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        publisher = self.client.topics.publisher(self.name)
        publisher.send(*range(6))
        publisher.wait_told(6)
        subscriber.wait_position(7)
        told = self.eventually_topic(self.name, delivered=len(subscriber.heard.messages))
        self.assertEqual(
            (told.accepted, told.overwritten, told.depth, told.oldest_position, told.next_position,
             told.no_subscribers, told.missed, told.subscribers, told.publishers, told.stores),
            (6, 2, 4, 3, 7, 2, subscriber.heard.missed, 1, 1, True))
        self.assertGreater(told.retained_bytes, 4 * 64)
        publisher.half_close()
        publisher.end()
        subscriber.cancel()
        told = self.eventually_topic(self.name, subscribers=0, publishers=0, stores=False)
        self.assertEqual(told.delivered + told.missed, 6)

    def test_describe_tells_each_subscriber(self):
        self.client.topics.declare(self.name, capacity=4)
        by_name = self.client.topics.subscriber(self.name, subscriber="the first").wait_ready()
        pattern = self.name + ".*"
        below = self.name + ".below"
        self.client.topics.declare(below, capacity=4)
        self.client.topics.subscriber(pattern=pattern, subscriber="by pattern").wait_ready()
        self.client.topics.subscriber(below, subscriber="by name").wait_ready()
        self.publish(below, *range(3))
        self.publish(self.name, "one")
        by_name.wait_messages(1)

        def delivered():
            found = self.client.topics.subscribers_of(below).subscribers
            return found if [one.delivered for one in found] == [3, 3] else None
        first, second = eventually(delivered, what="deliveries")
        self.assertEqual([(one.subscriber, one.pattern, one.next_position, one.behind, one.missed)
                          for one in (first, second)],
                         [("by pattern", pattern, 4, 0, 0), ("by name", "", 4, 0, 0)])
        self.assertRegex(first.peer, r"^ipv4:127\.0\.0\.1:\d+$")
        streams = {one.id for one in self.client.admin.ListStreams(
            wire.ListStreamsRequest(), timeout=30).streams if one.method.endswith("/Subscribe")}
        self.assertTrue({first.stream_id, second.stream_id} <= streams, streams)

    # Clauses: N43
    def test_server_info_counts(self):
        bounds = self.client.info().bounds
        self.assertEqual((bounds.block_default_ms, bounds.block_max_ms,
                          bounds.resume_window_default_ms, bounds.resume_window_max_ms,
                          bounds.stream_topics_max),
                         (5000, 60_000, 60_000, SEVEN_DAYS_MS, 10_000))
        fields = "topics", "subscribers", "publishers", "waiting_publishes", "streams"

        def counts():
            live = self.client.info().live
            return tuple(getattr(live, field) for field in fields)
        eventually(lambda: counts() == (0,) * 5, what="the baseline")
        for name in ("count.a", "count.b"):
            self.client.topics.declare(name, policy=BLOCK, capacity=1, block_ms=60_000)
        both = self.stalled_subscriber(pattern="count.*")
        one = self.client.topics.subscriber("count.a").wait_ready()
        self.eventually_topic("count.a", subscribers=2)
        publisher = self.client.topics.publisher("count.b")
        for _ in range(4):
            publisher.send(b"x" * 300_000)
        eventually(lambda: counts() == (2, 3, 1, 1, 3), what="(2, 3, 1, 1, 3)")
        self.assertGreater(self.client.info().live.retained_bytes, 300_000)
        for stream in (both, one, publisher):
            stream.cancel()
        for name in ("count.a", "count.b"):
            self.client.topics.delete(name)
        eventually(lambda: counts() == (0,) * 5, what="the baseline")
        eventually(lambda: self.client.info().live.retained_bytes == 0, what="no bytes retained")

    def test_subscribers_in_pages(self):
        self.client.topics.declare(self.name)
        for i in range(25):
            self.client.topics.subscriber(self.name, subscriber=f"{i:02}").wait_ready()
        found, token, pages = [], "", 0
        while True:
            page = self.client.topics.subscribers_of(self.name, page_size=10, page_token=token)
            found += [one.subscriber for one in page.subscribers]
            token, pages = page.next_page_token, pages + 1
            if not token:
                break
        self.assertEqual((found, pages), ([f"{i:02}" for i in range(25)], 3))
        self.assert_refused_field(lambda: self.client.topics.subscribers_of(
            self.name, page_token="\x01 no"), "INVALID_FIELD", "page_token")

    def test_list_in_pages(self):
        names = [f"list.{i:02}" for i in range(25)]
        for name in reversed([*names, "other"]):
            self.client.topics.declare(name)
        found, token, pages = [], "", 0
        while True:
            page = self.client.topics.list(prefix="list.", page_size=10, page_token=token)
            found += [one.name for one in page.topics]
            token, pages = page.next_page_token, pages + 1
            if not token:
                break
        self.assertEqual((found, pages), (names, 3))
        self.assertEqual(len(self.client.topics.list().topics), 26)
        self.assert_refused_field(lambda: self.client.topics.list(page_token="\x01\x02 no"),
                                  "INVALID_FIELD", "page_token")


class AutoDeclare(TopicCase):
    OPTIONS = ("--auto-declare", "--max-channels", "3")

    # Clauses: N5 N28
    def test_an_unknown_topic_comes_to_life(self):
        subscriber = self.client.topics.subscriber("first").wait_ready()
        self.assertEqual(subscriber.heard.subscribed.next_position, 1)
        self.publish("first", "hello")
        subscriber.wait_messages(1)
        self.client.topics.publisher("second").wait_opened()
        reply = self.client.topics.publish("third", 1)
        self.assertEqual(self.one_ack(reply)[0], wire.OUTCOME_NO_SUBSCRIBERS)
        for call in (lambda: self.client.topics.declare("fourth"),
                     lambda: self.client.topics.publish("fourth", 1),
                     self.client.topics.subscriber("fourth").end()):
            self.assert_fault(call, grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CHANNELS",
                              limit=3)


if __name__ == "__main__":
    unittest.main()

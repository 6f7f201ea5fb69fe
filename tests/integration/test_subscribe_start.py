# SPDX-License-Identifier: Apache-2.0
"""Subscribing: when it takes effect, where it begins, how it ends, and what is refused."""

import unittest

import grpc

from support import wire
from support.raw import MALFORMED_FRAMES, raw_answers
from support.topic_case import TopicCase

OK = wire.OUTCOME_OK
INVALID = grpc.StatusCode.INVALID_ARGUMENT
LATEST, EARLIEST = wire.SUBSCRIBE_START_LATEST, wire.SUBSCRIBE_START_EARLIEST
POSITION = wire.SUBSCRIBE_START_POSITION
FRESH, CONTINUED = wire.CONTINUITY_FRESH, wire.CONTINUITY_CONTINUED
GAP, RESET = wire.CONTINUITY_GAP, wire.CONTINUITY_RESET


class Starting(TopicCase):

    # Clauses: N28 B14
    def test_X40_what_follows_ready_is_offered(self):
        self.client.topics.declare(self.name, capacity=16)
        publishing = self.new_client()
        expected = [str(i).encode() for i in range(1, 11)]
        for i in range(100):
            subscriber = self.client.topics.subscriber(self.name).wait_ready()
            heard = subscriber.heard
            self.assertEqual((heard.subscribed.continuity, heard.subscribed.next_position,
                              subscriber.ready.topics), (FRESH, 10 * i + 1, 1))
            ack = publishing.topics.publish(self.name, *expected).acks[0]
            self.assertEqual((ack.outcome, ack.first_position), (OK, 10 * i + 1))
            self.assertGreaterEqual(ack.delivered_to, 1)  # those of before count until they end
            subscriber.wait_messages(10)
            self.assertEqual(heard.payloads(), expected)
            subscriber.cancel()

    # Clauses: N28
    def test_a_message_carries_what_its_publisher_said(self):
        self.client.topics.declare(self.name)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        sent = wire.Message(payload=b"\x00\xff", headers={"a": "b", "c": ""}, id="one",
                            content_type="application/octet-stream")
        self.publish(self.name, sent)
        self.assertEqual(subscriber.wait_messages(1)[0].message, sent)

    # Clauses: B14
    def test_latest_and_earliest(self):
        self.client.topics.declare(self.name, capacity=4)
        first = self.client.topics.subscriber(self.name, start=EARLIEST).wait_ready()
        self.assertEqual(first.heard.subscribed.next_position, 1)  # nothing is retained
        self.publish_numbers(self.name, 3)
        early = self.client.topics.subscriber(self.name, start=EARLIEST)
        early.wait_messages(3)
        self.publish_numbers(self.name, 7, first=4)
        late = self.client.topics.subscriber(self.name, start=EARLIEST)
        late.wait_messages(4)
        told = late.heard.subscribed
        self.assertEqual((told.continuity, told.next_position, told.missed), (FRESH, 7, 0))
        self.assertEqual(late.heard.payloads(), [b"7", b"8", b"9", b"10"])
        latest = self.client.topics.subscriber(self.name, start=LATEST).wait_ready()
        self.assertEqual((latest.heard.subscribed.continuity,
                          latest.heard.subscribed.next_position), (FRESH, 11))
        self.publish_numbers(self.name, 1, first=11)
        for stream in (first, early, late, latest):
            self.assertEqual(stream.wait_position(12).payloads()[-1], b"11")
        self.assertEqual(latest.heard.payloads(), [b"11"])

    # Clauses: N31
    def test_a_start_position_is_answered_as_if_resumed(self):
        epoch = self.client.topics.declare(self.name, capacity=4).description.epoch
        self.client.topics.subscriber(self.name).wait_ready()
        self.publish_numbers(self.name, 10)
        for position, start_epoch, continuity, missed, first in (
                (8, 0, CONTINUED, 0, 8), (8, epoch, CONTINUED, 0, 8), (7, 0, CONTINUED, 0, 7),
                (11, 0, CONTINUED, 0, 11), (6, 0, GAP, 1, 7), (1, epoch, GAP, 6, 7),
                (12, 0, RESET, 0, 7), (2 ** 53 - 1, epoch, RESET, 0, 7),
                (8, epoch + 1, RESET, 0, 7)):
            subscriber = self.client.topics.subscriber(
                self.name, start=POSITION, start_position=position, start_epoch=start_epoch)
            told = subscriber.wait_ready().heard.subscribed
            self.assertEqual((told.continuity, told.missed, told.next_position, told.epoch),
                             (continuity, missed, first, epoch), position)
            subscriber.wait_position(11)
            self.assertEqual(subscriber.heard.positions(), list(range(first, 11)))
            self.assertEqual(subscriber.heard.lags, [])

    # Clauses: N30
    def test_frames_are_at_most_256_kib_or_one_message(self):
        self.client.topics.declare(self.name)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        sizes = [(1 << 20) - 100, 1, 100_000, 100_000, 100_000, 300_000, 0, 262_000, 200, 70_000]
        for _ in range(3):
            self.publish(self.name, *[b"x" * size for size in sizes])
        subscriber.wait_messages(30)
        self.assertEqual([len(payload) for payload in subscriber.heard.payloads()], sizes * 3)
        self.assertGreater(len(subscriber.frames), 10)

    def test_leaving_is_seen(self):
        self.client.topics.declare(self.name)
        proxy = self.new_proxy()
        killed = self.new_client(proxy.address).topics.subscriber(self.name).wait_ready()
        leaving = self.client.topics.subscriber(self.name).wait_ready()
        self.assertEqual(self.publish(self.name, 1)[1], 2)
        leaving.wait_messages(1)
        killed.wait_messages(1)
        leaving.cancel()
        self.eventually_topic(self.name, subscribers=1)
        proxy.reset()
        self.assertEqual(killed.end().code, grpc.StatusCode.UNAVAILABLE)
        told = self.eventually_topic(self.name, subscribers=0)
        self.assertEqual((told.delivered, told.stores), (2, True))


class Refused(TopicCase):

    def setUp(self):
        super().setUp()
        self.client.topics.declare(self.name)

    def tearDown(self):
        self.eventually_topic(self.name, subscribers=0)
        super().tearDown()

    def refused(self, reason, field, *, details=None, **fields):
        fault = self.assert_fault(self.client.topics.subscriber(**fields).end(), INVALID, reason,
                                  **(details or {}))
        self.assertIn(field, fault.details["field"], fault)

    def test_fields(self):
        spec = wire.TopicSpec()
        self.refused("INVALID_FIELD", "topic")
        self.refused("INVALID_FIELD", "topic", name="a..b")
        both = self.client.topics.subscriber(self.name, pattern="a").end()
        fault = self.assert_fault(both, INVALID, "INVALID_FIELD")
        self.assertIn(fault.details["field"], ("topic", "pattern"))
        self.refused("INVALID_FIELD", "start", name=self.name, start=99)
        self.refused("INVALID_FIELD", "start", pattern="a.*", start=POSITION, start_position=1)
        self.refused("INVALID_FIELD", "spec", pattern="a.*", spec=spec)
        self.refused("OUT_OF_BOUNDS", "subscriber", name=self.name, subscriber="s" * 256,
                     details={"limit": 255, "value": 256})
        zero = self.client.topics.subscriber(self.name, start=POSITION).end()
        self.assertEqual((zero.code, zero.details["field"]), (INVALID, "start_position"))

    def test_patterns(self):
        for pattern in ("a..b", ".a", "a.", "a.>.b", "a*", "*a.b", "a.b>", ">>",
                        "with space", "a.ü"):
            self.refused("INVALID_FIELD", "pattern", pattern=pattern)
        self.refused("OUT_OF_BOUNDS", "pattern", pattern="p" * 256,
                     details={"limit": 255, "value": 256})

    def test_resume(self):
        def position(topic, next_position=1):
            return wire.TopicPosition(topic=topic, epoch=5, next_position=next_position)

        def resume(*positions):
            return wire.SubscribeResume(topics=positions)
        other = self.name + ".other"
        for fields in ({"name": self.name, "resume": resume(position(other))},
                       {"pattern": "a.*", "resume": resume(position("b.c"))},
                       {"pattern": "a.*", "resume": resume(position("a.b"), position("a.b"))},
                       {"name": self.name, "resume": resume(position(""))}):
            self.refused("INVALID_FIELD", "resume", **fields)
        many = [position(f"a.{i}") for i in range(10_001)]
        self.refused("OUT_OF_BOUNDS", "resume", pattern="a.*", resume=resume(*many),
                     details={"limit": 10_000, "value": 10_001})
        zero = self.client.topics.subscriber(
            self.name, resume=resume(position(self.name, 0))).end()
        self.assertEqual(zero.code, INVALID)
        self.assertIn("resume", zero.details["field"])

    def test_requests_that_cannot_be_read(self):
        for garbage in MALFORMED_FRAMES:
            self.assert_fault(raw_answers(self.client, "/sluice.v1.TopicService/Subscribe",
                                          garbage), INVALID, "MALFORMED")


if __name__ == "__main__":
    unittest.main()

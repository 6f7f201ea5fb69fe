# SPDX-License-Identifier: Apache-2.0
"""Publish: outcomes, nobody there, batches, refusals, sending again without duplicates."""

import os
import time
import unittest

import grpc

from support import wire
from support.eventually import eventually
from support.raw import MALFORMED_FRAMES, MALFORMED_MESSAGES, raw_call, record
from support.topic_case import TopicCase

OK, NOBODY, UNKNOWN = wire.OUTCOME_OK, wire.OUTCOME_NO_SUBSCRIBERS, wire.OUTCOME_UNKNOWN
INVALID = grpc.StatusCode.INVALID_ARGUMENT
SERVICE = "/sluice.v1.TopicService/"


class Publishing(TopicCase):

    # Clauses: N29 B4
    def test_X43_nobody_there(self):
        self.client.topics.declare(self.name, resume_window_ms=0)
        reply = self.client.topics.publish(self.name, "a", "b", first_sequence=7)
        ack = reply.acks[0]
        self.assertEqual((ack.first_sequence, ack.count, ack.outcome, ack.first_position,
                          ack.delivered_to), (7, 2, NOBODY, 0, 0))
        told = self.client.topics.describe(self.name)
        self.assertEqual((told.next_position, told.accepted, told.no_subscribers), (1, 0, 2))
        self.assertEqual((reply.epoch, reply.capacity), (told.epoch, 1024))
        subscriber = self.client.topics.subscriber(
            self.name, start=wire.SUBSCRIBE_START_EARLIEST).wait_ready()
        self.assertEqual(self.publish(self.name, "new"), ([1], 1))
        self.assertEqual(subscriber.wait_messages(1)[0].payload, b"new")
        subscriber.cancel()
        self.eventually_topic(self.name, subscribers=0)  # and without a window it is over at once
        self.assertEqual(self.one_ack(self.client.topics.publish(self.name, "c"))[0], NOBODY)

        windowed = self.name + ".windowed"
        self.client.topics.declare(windowed)
        self.assertEqual(self.one_ack(self.client.topics.publish(windowed, 1))[0], NOBODY)
        leaving = self.client.topics.subscriber(windowed).wait_ready()
        leaving.cancel()
        self.eventually_topic(windowed, subscribers=0, stores=True)
        self.assertEqual(self.publish(windowed, "for who comes back"), ([1], 0))

    # Clauses: N29
    def test_the_window_runs_out(self):
        self.client.topics.declare(self.name, resume_window_ms=400)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        left = time.monotonic()
        subscriber.cancel()
        stored = 0
        while True:
            ack = self.client.topics.publish(self.name, "x").acks[0]
            if ack.outcome == NOBODY:
                break
            stored += 1
            self.assertEqual((ack.outcome, ack.first_position), (OK, stored))
            self.assertLess(time.monotonic() - left, 30)
        self.assertGreaterEqual(time.monotonic() - left, 0.4)
        told = self.client.topics.describe(self.name)
        self.assertEqual((told.accepted, told.no_subscribers, told.stores), (stored, 1, False))
        # What was stored is there still.
        late = self.client.topics.subscriber(self.name, start=wire.SUBSCRIBE_START_POSITION,
                                             start_position=1)
        late.wait_position(stored + 1)

    # Clauses: N29
    def test_a_pattern_that_left_counts_for_topics_made_since(self):
        pattern = self.client.topics.subscriber(pattern="made.*").wait_ready()
        pattern.cancel()
        self.client.topics.declare(self.name)
        self.client.topics.declare("made.since")
        self.client.topics.declare("made.since.but-not-matched")
        eventually(lambda: self.client.info().live.streams == 0, what="its end")
        self.assertEqual(self.publish("made.since", 1), ([1], 0))
        for name in (self.name, "made.since.but-not-matched"):
            self.assertEqual(self.one_ack(self.client.topics.publish(name, 1))[0], NOBODY)

    # Clauses: N32
    def test_delivered_to_counts_the_attached(self):
        self.client.topics.declare(self.name)
        streams = [self.client.topics.subscriber(self.name).wait_ready(),
                   self.client.topics.subscriber(pattern=self.name).wait_ready()]
        self.assertEqual(self.publish(self.name, "a", "b"), ([1, 2], 2))
        for stream in streams:
            stream.wait_messages(2)

    # Clauses: N8 B1
    def test_an_atomic_batch_fits_the_ring_or_is_refused(self):
        self.client.topics.declare(self.name, capacity=3, bytes_max=50_000)  # the ring has 4
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        self.assertEqual(self.publish(self.name, *range(4)), ([1, 2, 3, 4], 1))
        fault = self.assert_fault(lambda: self.client.topics.publish(self.name, *range(5)),
                                  INVALID, "OUT_OF_BOUNDS")
        self.assertIn("4", fault.text)
        self.assert_fault(lambda: self.client.topics.publish(self.name, *[b"x" * 20_000] * 3),
                          INVALID, "OUT_OF_BOUNDS")
        self.assertEqual(self.client.topics.describe(self.name).accepted, 4)
        # Not atomic, policy LAG never refuses: the first are overwritten.
        reply = self.client.topics.publish(self.name, *range(10), atomic=False)
        self.assertEqual(self.outcomes(reply), [OK] * 10)
        subscriber.wait_position(15)

    # Clauses: B27 N14
    def test_the_ring_is_bounded_in_bytes(self):
        self.client.topics.declare(self.name, capacity=1000, bytes_max=100_000)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        for i in range(50):
            self.publish(self.name, b"x" * 10_000)
            self.assertLessEqual(self.client.topics.describe(self.name).retained_bytes, 100_000)
        told = self.client.topics.describe(self.name)
        self.assertTrue(5 <= told.depth <= 9, told)
        subscriber.wait_position(51)
        late = self.client.topics.subscriber(self.name, start=wire.SUBSCRIBE_START_EARLIEST)
        late.wait_position(51)
        self.assertEqual(late.heard.subscribed.next_position, told.oldest_position)

    # Clauses: N14
    def test_a_message_above_the_limit_changes_nothing(self):
        self.client.topics.declare(self.name, message_bytes_max=2048)
        self.client.topics.subscriber(self.name).wait_ready()
        big = wire.Message(payload=b"x" * 3000)
        self.assert_fault(lambda: self.client.topics.publish(self.name, "good", big), INVALID,
                          "OUT_OF_BOUNDS", limit=2048, value=big.ByteSize(), index=1)
        self.assertEqual(self.client.topics.describe(self.name).accepted, 0)

    # Clauses: N33
    def test_bytes_travel_as_they_were_encoded(self):
        self.client.topics.declare(self.name)
        call = self.client.channel.unary_stream(SERVICE + "Subscribe")(
            wire.SubscribeRequest(topic=self.name).SerializeToString(), timeout=30)
        frames = [next(call), next(call)]  # subscribed, ready
        # Out of order, in two parts, and with a field of another time.
        content = (record(9, b"unknown") + record(4, b"text/plain") + record(1, b"hel")
                   + record(3, b"id") + record(1, b"hello"))
        raw_call(self.client, SERVICE + "Publish",
                 record(1, content) + record(4, self.name.encode()))()
        self.assertTrue(all(content not in frame for frame in frames))
        self.assertIn(record(1, content), next(call))
        call.cancel()


class Refused(TopicCase):

    def setUp(self):
        super().setUp()
        self.client.topics.declare(self.name)
        self.bystander = self.client.topics.subscriber(self.name).wait_ready()
        self.publish(self.name, "before")

    def tearDown(self):
        self.assertEqual(self.publish(self.name, "after"), ([2], 1), "something was half done")
        self.bystander.wait_messages(2)
        super().tearDown()

    def test_fields(self):
        publish, name = self.client.topics.publish, self.name
        self.assert_refused_field(lambda: publish(name), "INVALID_FIELD", "messages")
        self.assert_refused_field(lambda: publish(name, *[wire.Message()] * 65_537),
                                  "OUT_OF_BOUNDS", "messages", limit=65_536, value=65_537)
        for wrong in (b"short", b"x" * 17):
            self.assert_refused_field(
                lambda wrong=wrong: publish(name, 1, producer_id=wrong, first_sequence=1),
                "INVALID_FIELD", "producer_id")
            self.assert_refused_field(lambda wrong=wrong: publish(name, 1, session_id=wrong),
                                      "INVALID_FIELD", "session_id")
        self.assert_refused_field(lambda: publish(name, 1, producer_id=b"p" * 16),
                                  "INVALID_FIELD", "first_sequence")
        self.assert_refused_field(lambda: publish(name, 1, 2, first_sequence=2 ** 53 - 1),
                                  "OUT_OF_BOUNDS", "first_sequence")
        self.assert_refused_field(lambda: publish(name, 1, mode=99), "INVALID_FIELD", "mode")
        self.assert_fault(lambda: publish(name, 1, session_id=os.urandom(16)),
                          grpc.StatusCode.FAILED_PRECONDITION, "SESSION_GONE")

    def test_headers(self):
        headers = {f"k{i:02}": "v" for i in range(65)}
        self.assert_refused_field(
            lambda: self.client.topics.publish(self.name, wire.Message(headers=headers)),
            "OUT_OF_BOUNDS", "headers", limit=64, value=65)
        self.assert_refused_field(
            lambda: self.client.topics.publish(
                self.name, wire.Message(headers={"k": "v" * 8192})),
            "OUT_OF_BOUNDS", "headers", limit=8192, value=8193)

    def test_malformed_messages(self):
        good = record(1, record(1, b"good"))
        for what, (content, field) in MALFORMED_MESSAGES.items():
            with self.subTest(what):
                request = good + record(1, content) + record(4, self.name.encode())
                fault = self.assert_fault(raw_call(self.client, SERVICE + "Publish", request),
                                          INVALID, "MALFORMED", index=1)
                if field:
                    self.assertEqual(fault.details["field"], field)

    def test_malformed_requests(self):
        for garbage in MALFORMED_FRAMES:
            for method in ("DeclareTopic", "DescribeTopic", "ListTopics", "CloseTopic",
                           "DeleteTopic", "Publish"):
                self.assert_fault(raw_call(self.client, SERVICE + method, garbage), INVALID,
                                  "MALFORMED")

    # Clauses: N14
    def test_a_request_above_4_mib(self):
        request = wire.PublishRequest(topic=self.name, messages=[
            wire.Message(payload=b"x" * 1_000_000) for _ in range(5)])
        self.assert_fault(lambda: self.client.topics.stub.Publish(request, timeout=30), INVALID,
                          "OUT_OF_BOUNDS", limit=4 << 20, value=request.ByteSize())


class Again(TopicCase):

    def setUp(self):
        super().setUp()
        self.producer = os.urandom(16)

    def once(self, payload, sequence, **fields):
        """One message under its sequence: the Ack."""
        reply = self.client.topics.publish(self.name, payload, producer_id=self.producer,
                                           first_sequence=sequence, **fields)
        self.assertEqual(len(reply.acks), 1)
        return reply.acks[0]

    # Clauses: N9 N29
    def test_a_repeat_gets_the_same_outcome(self):
        self.client.topics.declare(self.name, resume_window_ms=0)
        self.assertEqual(self.once("early", 3).outcome, NOBODY)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        again = self.once("early", 3)  # somebody is there now, but the sequence is spent
        self.assertEqual((again.outcome, again.duplicate, again.first_position), (NOBODY, True, 0))
        first = self.once("a", 5)
        self.assertEqual((first.outcome, first.first_position, first.duplicate), (OK, 1, False))
        again = self.once("a", 5)
        self.assertEqual((again.outcome, again.first_position, again.duplicate), (OK, 0, True))
        self.assertEqual(self.once("gap", 4).outcome, UNKNOWN)
        told = self.client.topics.describe(self.name)
        self.assertEqual((told.accepted, told.no_subscribers, told.next_position), (1, 1, 2))
        self.assertGreaterEqual(told.duplicates, 2)
        self.publish(self.name, "end")
        subscriber.wait_messages(2)
        self.assertEqual(subscriber.heard.payloads(), [b"a", b"end"])

    # Clauses: N9
    def test_a_batch_is_judged_message_by_message(self):
        self.client.topics.declare(self.name)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        self.client.topics.publish(self.name, 1, 2, 3, producer_id=self.producer,
                                   first_sequence=1)
        reply = self.client.topics.publish(self.name, 2, 3, 4, 5, producer_id=self.producer,
                                           first_sequence=2, atomic=False)
        self.assertEqual([(ack.first_sequence, ack.count, ack.outcome, ack.duplicate)
                          for ack in reply.acks], [(2, 2, OK, True), (4, 2, OK, False)])
        subscriber.wait_messages(5)
        self.assertEqual(subscriber.heard.payloads(), [b"1", b"2", b"3", b"4", b"5"])

    # Clauses: N9
    def test_the_last_64_ranges_are_remembered(self):
        self.client.topics.declare(self.name)
        self.client.topics.subscriber(self.name).wait_ready()
        for i in range(1, 71):  # with gaps: 70 ranges
            self.assertEqual(self.once("in", 2 * i).outcome, OK)
        for sequence, outcome, duplicate in ((140, OK, True), (14, OK, True)):
            again = self.once("again", sequence)
            self.assertEqual((again.outcome, again.duplicate), (outcome, duplicate), sequence)
        for sequence in (12, 2):
            self.assertEqual(self.once("again", sequence).outcome, UNKNOWN, sequence)
        self.assertEqual(self.client.topics.describe(self.name).accepted, 70)

    # Clauses: N9
    def test_closed_spends_nothing(self):
        self.client.topics.declare(self.name)
        self.client.topics.close(self.name)
        for _ in range(2):
            ack = self.once("a", 1)
            self.assertEqual((ack.outcome, ack.duplicate), (wire.OUTCOME_CLOSED, False))

    # Clauses: N9 N6
    def test_a_new_epoch_has_forgotten(self):
        self.client.topics.declare(self.name)
        self.client.topics.subscriber(self.name).wait_ready()
        self.once("a", 9)
        self.client.topics.delete(self.name)
        self.client.topics.declare(self.name)
        publisher = self.client.topics.publisher(self.name, producer_id=self.producer)
        self.assertEqual(publisher.wait_opened().last_sequence, 0)

    # Clauses: N9
    def test_streams_and_unary_calls_share_what_is_spent(self):
        self.client.topics.declare(self.name)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        self.assertEqual(self.once("unary", 4).outcome, OK)
        publisher = self.client.topics.publisher(self.name, producer_id=self.producer)
        self.assertEqual(publisher.wait_opened().last_sequence, 4)
        publisher.send("unary", "stream", first_sequence=4)
        told = publisher.wait_told(2)
        self.assertEqual([(one.sequence, one.outcome, one.duplicate, one.position)
                          for one in told], [(4, OK, True, 0), (5, OK, False, 2)])
        subscriber.wait_messages(2)
        self.assertEqual(subscriber.heard.payloads(), [b"unary", b"stream"])


if __name__ == "__main__":
    unittest.main()

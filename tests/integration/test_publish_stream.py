# SPDX-License-Identifier: Apache-2.0
"""PublishStream: order, outcomes, many topics, refusals, sending again after a loss."""

import os
import threading
import unittest

import grpc

from support import wire
from support.raw import MALFORMED_FRAMES, MALFORMED_MESSAGES, raw_stream, record
from support.streams import Stream
from support.topic_case import TopicCase

OK, CLOSED, ABSENT = wire.OUTCOME_OK, wire.OUTCOME_CLOSED, wire.OUTCOME_ABSENT
NOBODY, FINISHED = wire.OUTCOME_NO_SUBSCRIBERS, wire.CLOSED_REASON_FINISHED
INVALID = grpc.StatusCode.INVALID_ARGUMENT
METHOD = "/sluice.v1.TopicService/PublishStream"


def opening(name="", **fields):
    return wire.PublishStreamRequest(open=wire.PublishOpen(topic=name, **fields))


class Publishers(TopicCase):

    # Clauses: N10 B3
    def test_a_stream_is_in_order(self):
        declared = self.client.topics.declare(self.name, capacity=4096).description
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        publisher = self.new_client().topics.publisher(self.name)
        opened = publisher.wait_opened()
        self.assertEqual((opened.epoch, opened.last_sequence, opened.capacity, opened.durability),
                         (declared.epoch, 0, 4096, wire.DURABILITY_MEMORY))
        for i in range(0, 1000, 10):
            publisher.send(*range(i, i + 10))
        told = publisher.wait_told(1000)
        self.assertEqual([(one.sequence, one.outcome, one.position, one.delivered_to)
                          for one in told], [(i, OK, i, 1) for i in range(1, 1001)])
        subscriber.wait_messages(1000)
        self.assertEqual(subscriber.heard.payloads(), [str(i).encode() for i in range(1000)])
        publisher.half_close()
        self.assertEqual(publisher.end(), FINISHED)

    # Clauses: N10 N28 N30
    def test_many_publishers_each_in_its_order(self):
        self.client.topics.declare(self.name, capacity=1 << 14)
        subscribers = [self.new_client().topics.subscriber(self.name).wait_ready()
                       for _ in range(3)]
        clients = [self.new_client() for _ in range(4)]

        def publish(number):
            publisher = clients[number].topics.publisher(self.name)
            for i in range(0, 500, 5):
                publisher.send(*[f"{number}:{j}" for j in range(i, i + 5)])
            publisher.wait_told(500)
            publisher.half_close()
        threads = [threading.Thread(target=publish, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        orders = []
        for subscriber in subscribers:
            subscriber.wait_messages(2000)
            payloads = subscriber.heard.payloads()
            for number in range(4):
                mine = [int(one.split(b":")[1]) for one in payloads
                        if one.startswith(b"%d:" % number)]
                self.assertEqual(mine, list(range(500)))
            orders.append(payloads)
        self.assertEqual(orders[0], orders[1])
        self.assertEqual(orders[0], orders[2])

    # Clauses: N3
    def test_half_close_is_after_what_was_sent(self):
        self.client.topics.declare(self.name)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        publisher = self.client.topics.publisher(self.name)
        for i in range(100):
            publisher.send(i)
        publisher.half_close()
        self.assertEqual(publisher.end(), FINISHED)
        self.assertEqual(publisher.outcomes(), [OK] * 100)
        subscriber.wait_messages(100)

    # Clauses: N29
    def test_nobody_there_is_said_of_each(self):
        self.client.topics.declare(self.name, resume_window_ms=0)
        publisher = self.client.topics.publisher(self.name)
        publisher.send("a", "b")
        self.assertEqual([(one.sequence, one.outcome, one.position)
                          for one in publisher.wait_told(2)], [(1, NOBODY, 0), (2, NOBODY, 0)])
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        publisher.send("c")
        self.assertEqual(publisher.wait_told(3)[2].position, 1)
        subscriber.wait_messages(1)

    def test_messages_in_the_first_frame_and_frames_without(self):
        self.client.topics.declare(self.name)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        publisher = self.client.topics.publisher(self.name)
        publisher.write(wire.PublishStreamRequest())  # no ack
        publisher.send("a", topic=self.name)          # the same as in open
        publisher.wait_told(1)
        first = opening(self.name)
        first.messages.add(payload=b"b")
        first.first_sequence = 1
        other = Stream(self.client.topics.stub.PublishStream)
        other.write(first)
        other.half_close()
        self.assertEqual(other.end(), FINISHED)
        subscriber.wait_messages(2)
        self.assertEqual(subscriber.heard.payloads(), [b"a", b"b"])

    # Clauses: N8
    def test_atomic_frames(self):
        self.client.topics.declare(self.name, capacity=4)
        self.client.topics.subscriber(self.name).wait_ready()
        publisher = self.client.topics.publisher(self.name)
        publisher.send(*range(4), atomic=True)
        publisher.send(*range(6))
        self.assertEqual([one.outcome for one in publisher.wait_told(10)], [OK] * 10)
        publisher.send(*range(5), atomic=True)
        self.assert_fault(publisher.end(), INVALID, "OUT_OF_BOUNDS", last_sequence=10)
        self.assertEqual(self.client.topics.describe(self.name).accepted, 10)

    # Clauses: N3
    def test_the_end_of_the_session_ends_the_stream(self):
        self.client.topics.declare(self.name)
        keeper = self.client.keep()
        session = keeper.wait_kept().session_id
        publisher = self.client.topics.publisher(self.name, session_id=session)
        publisher.wait_opened()
        keeper.half_close()
        self.assert_fault(publisher.end(), grpc.StatusCode.FAILED_PRECONDITION, "SESSION_GONE")
        self.eventually_topic(self.name, publishers=0)
        self.assert_fault(self.client.topics.publisher(self.name, session_id=session).end(),
                          grpc.StatusCode.FAILED_PRECONDITION, "SESSION_GONE")


class Again(TopicCase):

    def setUp(self):
        super().setUp()
        self.producer = os.urandom(16)
        self.client.topics.declare(self.name, capacity=1024)

    # Clauses: N9
    def test_a_second_stream_ends_the_first(self):
        first = self.client.topics.publisher(self.name, producer_id=self.producer)
        first.wait_opened()
        self.client.topics.subscriber(self.name).wait_ready()
        first.send("a", "b")
        first.wait_told(2)
        second = self.new_client().topics.publisher(self.name, producer_id=self.producer)
        self.assertEqual(second.wait_opened().last_sequence, 2)
        self.assert_fault(first.end(), grpc.StatusCode.ABORTED, "SUPERSEDED")
        self.eventually_topic(self.name, publishers=1)

    # Clauses: N9 N3
    def test_after_a_loss_the_publisher_sends_everything_again(self):
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        proxy = self.new_proxy()
        lost = self.new_client(proxy.address).topics.publisher(self.name,
                                                               producer_id=self.producer)
        for i in range(1, 301):
            lost.send(i)
        lost.wait_told(100)
        proxy.reset()
        self.assertEqual(lost.end().code, grpc.StatusCode.UNAVAILABLE)
        again = self.client.topics.publisher(self.name, producer_id=self.producer)
        last = again.wait_opened().last_sequence
        self.assertGreaterEqual(last, 100)
        for i in range(1, 301):
            again.send(i)
        told = again.wait_told(300)
        self.assertEqual([one.outcome for one in told], [OK] * 300)
        self.assertEqual(sum(one.duplicate for one in told), last)
        subscriber.wait_messages(300)
        self.assertEqual(subscriber.heard.payloads(), [str(i).encode() for i in range(1, 301)])


class ManyTopics(TopicCase):

    # Clauses: N10 N7
    def test_frames_name_their_topics(self):
        for name in ("many.a", "many.b"):
            self.client.topics.declare(name)
        subscriber = self.client.topics.subscriber(pattern="many.*").wait_ready()
        publisher = self.client.topics.publisher()
        opened = publisher.wait_opened()
        self.assertEqual((opened.epoch, opened.last_sequence, opened.capacity,
                          opened.durability), (0, 0, 0, 0))
        publisher.send("a1", "a2", topic="many.a")
        publisher.send("b1", topic="many.b")
        publisher.send("?", topic="many.c")
        publisher.send("a3", topic="many.a")
        self.assertEqual([(one.sequence, one.outcome, one.position)
                          for one in publisher.wait_told(5)],
                         [(1, OK, 1), (2, OK, 2), (3, OK, 1), (4, ABSENT, 0), (5, OK, 3)])
        subscriber.wait_messages(3, "many.a")
        subscriber.wait_messages(1, "many.b")
        self.assertEqual(subscriber.by_name("many.a").payloads(), [b"a1", b"a2", b"a3"])
        self.assertIsNone(subscriber.by_name("many.c"))
        publisher.half_close()
        self.assertEqual(publisher.end(), FINISHED)

    # Clauses: N5
    def test_a_spec_declares_what_frames_name(self):
        publisher = self.client.topics.publisher(spec=wire.TopicSpec(capacity=5))
        subscriber = self.client.topics.subscriber(pattern="made.>").wait_ready()
        publisher.send("a", topic="made.by.publishing")
        self.assertEqual(publisher.wait_told(1)[0].outcome, OK)
        subscriber.wait_messages(1, "made.by.publishing")
        self.assertEqual(self.client.topics.describe("made.by.publishing").spec.capacity, 8)

    # Clauses: N4 N6
    def test_a_topic_declared_anew_is_the_next_frames(self):
        old = self.client.topics.declare(self.name).description.epoch
        publisher = self.client.topics.publisher()
        one = self.client.topics.publisher(self.name)
        one.wait_opened()
        first = self.client.topics.subscriber(self.name).wait_ready()
        publisher.send("old", topic=self.name)
        publisher.wait_told(1)
        first.wait_messages(1)
        self.client.topics.delete(self.name)
        publisher.send("gone", topic=self.name)
        self.assertIn(publisher.wait_told(2)[1].outcome, (ABSENT, CLOSED))
        self.client.topics.declare(self.name)
        second = self.client.topics.subscriber(self.name).wait_ready()
        self.assertNotEqual(second.heard.subscribed.epoch, old)
        publisher.send("new", topic=self.name)
        told = publisher.wait_told(3)[2]
        self.assertEqual((told.outcome, told.position), (OK, 1))
        one.send("to the old one")  # a stream of one topic is of one life
        told = one.wait_told(1)[0]
        self.assertEqual((told.outcome, told.reason), (CLOSED, wire.CLOSED_REASON_DELETED))
        second.wait_messages(1)
        self.assertEqual(second.heard.payloads(), [b"new"])


class Refused(TopicCase):

    def setUp(self):
        super().setUp()
        self.client.topics.declare(self.name, message_bytes_max=2048)
        self.bystander = self.client.topics.publisher(self.name)
        self.subscriber = self.client.topics.subscriber(self.name).wait_ready()
        self.bystander.send("before")
        self.bystander.wait_told(1)

    def tearDown(self):
        self.bystander.send("after")
        self.assertEqual(self.bystander.wait_told(2)[1].outcome, OK)
        position = self.bystander.told[1].position
        self.assertEqual(self.subscriber.wait_position(position + 1).payloads()[-1], b"after")
        super().tearDown()

    def end_of(self, *frames):
        return raw_stream(self.client, METHOD, *frames)

    def test_a_frame_is_refused_whole(self):
        publisher = self.client.topics.publisher(self.name)
        publisher.send("first", "second")
        publisher.wait_told(2)
        big = wire.Message(payload=b"x" * 3000)
        publisher.send("good", big)
        self.assert_fault(publisher.end(), INVALID, "OUT_OF_BOUNDS", limit=2048,
                          value=big.ByteSize(), index=1, last_sequence=2)
        self.assertEqual(self.client.topics.describe(self.name).accepted, 3)

    def test_malformed_messages(self):
        for what, (content, _) in MALFORMED_MESSAGES.items():
            with self.subTest(what):
                frame = record(1, record(1, b"good")) + record(1, content)
                self.assert_fault(self.end_of(opening(self.name), frame), INVALID, "MALFORMED",
                                  index=1, last_sequence=0)
        for garbage in MALFORMED_FRAMES:
            self.assert_fault(self.end_of(garbage), INVALID, "MALFORMED")
        self.assertEqual(self.client.topics.describe(self.name).accepted, 1)

    def test_order_of_frames(self):
        messages = wire.PublishStreamRequest(messages=[wire.Message(payload=b"x")])
        self.assert_fault(self.end_of(messages), INVALID, "OUT_OF_ORDER")
        self.assert_fault(self.end_of(opening(self.name), opening(self.name)), INVALID,
                          "OUT_OF_ORDER")
        stream = Stream(self.client.topics.stub.PublishStream)
        stream.half_close()
        stream.end()  # in whatever way: it ends

    def test_fields(self):
        for fields, name, field in (({"producer_id": b"short"}, self.name, "producer_id"),
                                    ({"session_id": b"short"}, self.name, "session_id"),
                                    ({"mode": 99}, self.name, "mode"),
                                    ({"producer_id": b"p" * 16}, "", "topic")):
            fault = self.assert_fault(self.client.topics.publisher(name, **fields).end(), INVALID,
                                      "INVALID_FIELD")
            self.assertTrue(fault.details["field"].endswith(field), fault)
        one = wire.PublishStreamRequest(messages=[wire.Message(payload=b"x")], first_sequence=1)
        other = wire.PublishStreamRequest(topic=self.name + ".other")
        other.MergeFrom(one)
        for frames in ((opening(self.name), other), (opening(), one)):
            fault = self.assert_fault(self.end_of(*frames), INVALID, "INVALID_FIELD")
            self.assertEqual(fault.details["field"], "topic")
        no_sequence = wire.PublishStreamRequest(messages=[wire.Message(payload=b"x")])
        self.assert_refused_field(
            self.end_of(opening(self.name, producer_id=b"p" * 16), no_sequence),
            "INVALID_FIELD", "first_sequence")


if __name__ == "__main__":
    unittest.main()

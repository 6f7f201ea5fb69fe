# SPDX-License-Identifier: Apache-2.0
"""How topics end: closed, deleted, tied to their publishers, and what lives after them."""

import unittest

import grpc

from support import wire
from support.case import EndingDaemon
from support.topic_case import TopicCase

OK, CLOSED = wire.OUTCOME_OK, wire.OUTCOME_CLOSED
REQUESTED, DELETED = wire.CLOSED_REASON_REQUESTED, wire.CLOSED_REASON_DELETED
GONE, DOWN = wire.CLOSED_REASON_PRODUCERS_GONE, wire.CLOSED_REASON_SHUTTING_DOWN
EARLIEST = wire.SUBSCRIBE_START_EARLIEST
BIG = b"x" * 300_000  # more than a frame, and than a window, holds


class Ending(TopicCase):

    # Clauses: B16 N4
    def test_close_refuses_and_lets_subscribers_have_theirs(self):
        self.client.topics.declare(self.name, capacity=4)
        subscriber = self.stalled_subscriber(self.name)
        self.eventually_topic(self.name, subscribers=1)
        publisher = self.client.topics.publisher(self.name)
        for _ in range(4):
            publisher.send(BIG)
        publisher.wait_told(4)
        self.client.topics.close(self.name)
        self.client.topics.close(self.name)
        told = self.client.topics.describe(self.name)
        self.assertEqual((told.state, told.closed_reason, told.depth),
                         (wire.TOPIC_STATE_CLOSED, REQUESTED, 4))
        # It has not ended, so declaring finds it as it is.
        self.assertFalse(self.client.topics.declare(self.name, capacity=4).created)
        self.assertEqual(self.one_ack(self.client.topics.publish(self.name, "late")),
                         (CLOSED, False, REQUESTED))
        publisher.send("late")
        late = publisher.wait_told(5)[4]
        self.assertEqual((late.outcome, late.reason, late.position), (CLOSED, REQUESTED, 0))
        self.assertFalse(publisher.is_over)  # a closed topic does not end the stream
        subscriber.start_reading()
        self.assertEqual(subscriber.end(), REQUESTED)
        self.assertEqual(subscriber.heard.positions(), [1, 2, 3, 4])
        told = self.eventually_topic(self.name, state=wire.TOPIC_STATE_ENDED, subscribers=0)
        self.assertEqual((told.refused_closed, told.accepted), (2, 4))
        publisher.half_close()
        self.assertEqual(publisher.end(), wire.CLOSED_REASON_FINISHED)

    # Clauses: B15 B16 N31
    def test_what_is_retained_outlives_the_end(self):
        epoch = self.client.topics.declare(self.name, capacity=4).description.epoch
        first = self.client.topics.subscriber(self.name).wait_ready()
        self.publish_numbers(self.name, 6)
        first.wait_position(7)
        self.client.topics.close(self.name)
        self.assertEqual(first.end(), REQUESTED)
        self.eventually_topic(self.name, state=wire.TOPIC_STATE_ENDED)
        late = self.client.topics.subscriber(self.name, start=EARLIEST)
        self.assertEqual(late.end(), REQUESTED)
        self.assertEqual(late.heard.payloads(), [b"3", b"4", b"5", b"6"])
        latest = self.client.topics.subscriber(self.name)
        self.assertEqual(latest.end(), REQUESTED)
        self.assertEqual((latest.ready.topics, latest.heard.messages), (1, []))
        resumed = self.client.topics.come_back((self.name, epoch, 5), name=self.name)
        self.assertEqual(resumed.end(), REQUESTED)
        self.assertEqual(resumed.heard.payloads(), [b"5", b"6"])

    # Clauses: N4 N6
    def test_an_ended_name_is_declared_anew(self):
        old = self.client.topics.declare(self.name).description
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        self.publish(self.name, "a", "b")
        self.client.topics.close(self.name)
        self.assertEqual(subscriber.end(), REQUESTED)
        self.eventually_topic(self.name, state=wire.TOPIC_STATE_ENDED)
        fresh = self.client.topics.declare(self.name, capacity=7)
        self.assertTrue(fresh.created)
        self.assertNotEqual(fresh.description.epoch, old.epoch)
        self.assertEqual((fresh.description.next_position, fresh.description.depth), (1, 0))
        second = self.client.topics.subscriber(self.name, start=EARLIEST).wait_ready()
        self.assertEqual(self.publish(self.name, "c"), ([1], 1))
        self.assertEqual(second.wait_messages(1)[0].payload, b"c")

    # Clauses: N4
    def test_delete_ends_everybody_at_once(self):
        epoch = self.client.topics.declare(self.name, capacity=4).description.epoch
        reader = self.client.topics.subscriber(self.name).wait_ready()
        stalled = self.stalled_subscriber(self.name)
        self.eventually_topic(self.name, subscribers=2)
        publisher = self.client.topics.publisher(self.name)
        for _ in range(8):
            publisher.send(BIG)
        publisher.wait_told(8)
        reader.wait_position(9)
        self.assertEqual(self.client.topics.delete(self.name), 4)
        self.assert_fault(lambda: self.client.topics.describe(self.name),
                          grpc.StatusCode.NOT_FOUND, "TOPIC_NOT_FOUND")
        self.assertEqual(reader.end(), DELETED)
        publisher.send("late")
        late = publisher.wait_told(9)[8]
        self.assertEqual((late.outcome, late.reason), (CLOSED, DELETED))
        # The name is free at once, whether or not the stalled one has its Closed.
        fresh = self.client.topics.declare(self.name).description
        self.assertNotEqual(fresh.epoch, epoch)
        stalled.start_reading()
        self.assertEqual(stalled.end(), DELETED)
        self.assertLess(len(stalled.heard.messages), 4)  # what was under way, and nothing more
        self.assertEqual(self.client.topics.describe(self.name).subscribers, 0)


class Tied(TopicCase):

    # Clauses: N32 B16 N30
    def test_X44_a_laggard_of_a_tied_topic_gets_what_is_owed(self):
        self.client.topics.declare(self.name, capacity=4, lifetime=wire.LIFETIME_TIED)
        laggard = self.stalled_subscriber(self.name)
        self.eventually_topic(self.name, subscribers=1)
        publisher = self.client.topics.publisher(self.name)
        for _ in range(30):
            publisher.send(BIG)
        publisher.half_close()
        self.assertEqual(publisher.end(), wire.CLOSED_REASON_FINISHED)
        self.eventually_topic(self.name, state=wire.TOPIC_STATE_CLOSED, closed_reason=GONE,
                              publishers=0)
        laggard.start_reading()
        self.assertEqual(laggard.end(), GONE)
        heard = laggard.heard
        self.assertEqual(len(heard.messages) + heard.missed, 30)
        missed, before = heard.lags[-1]  # it was stalled: this came after the last publish
        self.assertGreaterEqual(missed, 20)
        self.assertEqual(heard.positions()[before:], [27, 28, 29, 30])
        self.assertEqual(self.one_ack(self.client.topics.publish(self.name, "late")),
                         (CLOSED, False, GONE))

    # Clauses: N32 N1 N43
    def test_only_streams_and_sessions_are_publishers(self):
        self.client.topics.declare(self.name, lifetime=wire.LIFETIME_TIED)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        self.publish(self.name, "unary")
        self.assertEqual(self.client.topics.describe(self.name).publishers, 0)
        proxy = self.new_proxy()
        first = self.client.topics.publisher(self.name)
        second = self.new_client(proxy.address).topics.publisher(self.name)
        second.wait_opened()
        first.send("first")
        first.half_close()
        self.assertEqual(first.end(), wire.CLOSED_REASON_FINISHED)
        self.eventually_topic(self.name, publishers=1, state=wire.TOPIC_STATE_OPEN)
        second.send("second")
        second.wait_told(1)
        proxy.reset()
        self.assertEqual(subscriber.end(), GONE)
        self.assertEqual(subscriber.heard.payloads(), [b"unary", b"first", b"second"])
        for _ in range(10):  # looking does not hold it
            self.assertNotEqual(self.client.topics.describe(self.name).state,
                                wire.TOPIC_STATE_OPEN)

    # Clauses: N32 N1
    def test_a_session_is_a_publisher_from_its_first_publish(self):
        self.client.topics.declare(self.name, lifetime=wire.LIFETIME_TIED)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        keeper = self.client.keep()
        session = keeper.wait_kept().session_id
        self.assertEqual(self.client.topics.describe(self.name).publishers, 0)
        self.publish(self.name, "a", session_id=session)
        self.publish(self.name, "b", session_id=session)
        self.assertEqual(self.client.topics.describe(self.name).publishers, 1)
        keeper.half_close()
        self.assertEqual(subscriber.end(), GONE)
        self.assertEqual(subscriber.heard.payloads(), [b"a", b"b"])
        self.assert_fault(lambda: self.client.topics.publish(self.name, "c", session_id=session),
                          grpc.StatusCode.FAILED_PRECONDITION, "SESSION_GONE")

    # Clauses: N32 N1
    def test_a_stream_of_many_topics_is_a_publisher_from_its_first_frame_to_one(self):
        for name in ("tied.a", "tied.b"):
            self.client.topics.declare(name, lifetime=wire.LIFETIME_TIED)
        subscriber = self.client.topics.subscriber(pattern="tied.*").wait_ready()
        publisher = self.client.topics.publisher()
        publisher.wait_opened()
        publisher.send("to a", topic="tied.a")
        publisher.wait_told(1)
        self.assertEqual([self.client.topics.describe(name).publishers
                          for name in ("tied.a", "tied.b")], [1, 0])
        publisher.half_close()
        self.assertEqual(publisher.end(), wire.CLOSED_REASON_FINISHED)
        heard = subscriber.wait_topic("tied.a")
        subscriber.until(lambda: heard.closed, what="the end of tied.a")
        self.assertEqual((heard.closed.reason, heard.payloads()), (GONE, [b"to a"]))
        self.assertIsNone(subscriber.by_name("tied.b").closed)


class Down(EndingDaemon, TopicCase):

    # Clauses: N41 N20
    def test_publishers_and_subscribers_are_told(self):
        self.start("--drain-grace-ms", "20000")
        self.client.topics.declare(self.name, capacity=4, policy=wire.SLOW_POLICY_BLOCK,
                                   block_ms=60_000)
        stalled = self.stalled_subscriber(self.name)
        self.eventually_topic(self.name, subscribers=1)
        publisher = self.client.topics.publisher(self.name)
        for _ in range(20):
            publisher.send(BIG)
        self.eventually_topic(self.name, waiting_publishes=1)
        unary = self.client.topics.publish_later(self.name, "waiting")
        self.eventually_topic(self.name, waiting_publishes=2)
        pattern = self.client.topics.subscriber(pattern="no.such.>").wait_ready()
        many = self.client.topics.publisher()
        many.wait_opened()
        self.daemon.terminate()
        self.assertEqual(self.one_ack(unary.result()), (CLOSED, False, DOWN))
        self.assertEqual(publisher.end(), DOWN)
        refused = [told for told in publisher.told if told.outcome != OK]
        self.assertTrue(refused)
        self.assertEqual({(told.outcome, told.reason) for told in refused}, {(CLOSED, DOWN)})
        self.assertEqual(many.end(), DOWN)
        self.assertEqual(pattern.end(), DOWN)
        stalled.start_reading()
        self.assertEqual(stalled.end(), DOWN)
        for stream in (stalled, pattern):
            self.assert_told_everything(stream)
        self.daemon.wait()


if __name__ == "__main__":
    unittest.main()

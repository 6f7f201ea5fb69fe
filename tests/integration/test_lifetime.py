# SPDX-License-Identifier: Apache-2.0
"""What a queue lives on: declaring, STANDING and TIED, losing ends, looking, purging, listing."""

import unittest
from concurrent.futures import ThreadPoolExecutor

import grpc

from support import wire
from support.case import DaemonCase
from support.eventually import eventually

OK, FULL, CLOSED = wire.OUTCOME_OK, wire.OUTCOME_FULL, wire.OUTCOME_CLOSED
TIED = wire.LIFETIME_TIED
GONE = wire.CLOSED_REASON_PRODUCERS_GONE


class Lifetime(DaemonCase):

    # Clauses: N1
    def test_X02_standing_outlives_its_producers(self):
        self.client.declare(self.name)
        receiver = self.client.receiver(self.name)
        receiver.wait_attached()
        self.assertFalse(receiver.ends_within(1))
        for i in range(2):
            producer = self.new_client().sender(self.name)
            producer.send(i)
            producer.wait_told(1)
            producer.half_close()
            self.assertEqual(producer.end(), wire.CLOSED_REASON_FINISHED)
            receiver.wait_messages(i + 1)
            self.eventually_describes(self.name, producers=0)
        self.assertEqual(receiver.payloads(), [b"0", b"1"])
        self.assertFalse(receiver.is_over)

    # Clauses: N1 N3 N20 M36
    def test_X03_tied_ends_with_its_last_producer(self):
        self.client.declare(self.name, lifetime=TIED)
        receiver = self.client.receiver(self.name)
        receiver.wait_attached()
        proxy = self.new_proxy()
        first = self.client.sender(self.name)
        second = self.new_client(proxy.address).sender(self.name)
        second.wait_opened()
        first.send("a", "b")
        first.wait_told(2)
        first.half_close()
        self.assertEqual(first.end(), wire.CLOSED_REASON_FINISHED)
        self.eventually_describes(self.name, producers=1, state=wire.QUEUE_STATE_OPEN)
        second.send("c")
        second.wait_told(1)
        proxy.reset()
        receiver.wait_messages(3)
        self.assertEqual(receiver.payloads(), [b"a", b"b", b"c"])
        receiver.ack(1, 3)
        self.assertEqual(receiver.end(), GONE)
        ack = self.client.send(self.name, "later").acks[0]
        self.assertEqual((ack.outcome, ack.reason), (CLOSED, GONE))

    # Clauses: N1
    def test_unary_sends_neither_arm_nor_end_a_tied_queue(self):
        self.client.declare(self.name, lifetime=TIED)
        self.assertEqual(self.outcomes(self.client.send(self.name, "a")), [OK])
        self.assertEqual(self.client.describe(self.name).state, wire.QUEUE_STATE_OPEN)
        producer = self.client.sender(self.name)
        producer.wait_opened()
        self.assertEqual(self.outcomes(self.client.send(self.name, "b")), [OK])
        producer.cancel()
        self.eventually_describes(self.name, state=wire.QUEUE_STATE_CLOSED, closed_reason=GONE)
        self.assertEqual(self.client.take(self.name, max_messages=5), [b"a", b"b"])
        self.eventually_describes(self.name, state=wire.QUEUE_STATE_ENDED)

    # Clauses: N1 N3
    def test_what_waits_on_the_last_half_closed_stream_still_enters(self):
        self.client.declare(self.name, lifetime=TIED, capacity=1)
        producer = self.client.sender(self.name)
        producer.send("a", "b", "c")
        producer.half_close()
        receiver = self.client.receiver(self.name, credit=1)
        for i in range(3):
            receiver.ack(receiver.wait_messages(i + 1)[i].position)
        self.assertEqual(receiver.end(), GONE)
        self.assertEqual(receiver.payloads(), [b"a", b"b", b"c"])
        self.assertEqual(producer.end(), wire.CLOSED_REASON_FINISHED)
        self.assertEqual(producer.outcomes(), [OK] * 3)

    # Clauses: N5
    def test_X17_declaring_twice(self):
        other = self.new_client()
        with ThreadPoolExecutor(2) as pool:
            for i in range(20):
                name = f"{self.name}.{i}"
                both = list(pool.map(lambda one, name=name: one.declare(name, capacity=7),
                                     (self.client, other)))
                self.assertEqual(both[0].description.epoch, both[1].description.epoch)
                self.assertEqual([one.created for one in both].count(True), 1)
                self.client.delete(name)
        declared = self.client.declare(self.name, capacity=7)
        self.fill(self.name, 1)
        fault = self.assert_fault(lambda: self.client.declare(self.name, capacity=8),
                                  grpc.StatusCode.FAILED_PRECONDITION, "DECLARED_OTHERWISE")
        self.assertIn("capacity", fault.details["field"])
        for spec in ({"capacity": 7, "shared": True}, {"capacity": 7, "max_in_flight": 3},
                     {"capacity": 7, "lifetime": TIED}, {"capacity": 7, "bytes_max": 12345},
                     {"capacity": 7, "message_bytes_max": 999},
                     {"capacity": 7, "close_on_consumer_loss": True}, {}):
            self.assert_fault(lambda spec=spec: self.client.declare(self.name, **spec),
                              grpc.StatusCode.FAILED_PRECONDITION, "DECLARED_OTHERWISE")
        again = self.client.describe(self.name)
        self.assertEqual((again.epoch, again.depth, again.spec.capacity),
                         (declared.description.epoch, 1, 7))
        # What is spelled out and what is the default are one declaration.
        self.assertFalse(self.client.declare(self.name, capacity=7, max_in_flight=1024,
                                             durability=wire.DURABILITY_MEMORY).created)
        for call in (lambda: self.client.describe("nobody"), lambda: self.client.send("nobody", 1),
                     lambda: self.client.receive("nobody"), lambda: self.client.purge("nobody"),
                     lambda: self.client.peek("nobody"), lambda: self.client.delete("nobody"),
                     lambda: self.client.close_queue("nobody"),
                     lambda: self.client.settle("nobody", 1, 1),
                     self.client.sender("nobody").end(), self.client.receiver("nobody").end()):
            self.assert_fault(call, grpc.StatusCode.NOT_FOUND, "QUEUE_NOT_FOUND")

    def test_durability_that_cannot_be_kept_is_refused(self):
        for level in (wire.DURABILITY_OS, wire.DURABILITY_DISK):
            self.assert_fault(lambda level=level: self.client.declare(self.name, durability=level),
                              grpc.StatusCode.FAILED_PRECONDITION, "DURABILITY_UNAVAILABLE")

    # Clauses: N43 N1 M47
    def test_X21_looking_does_not_hold(self):
        self.client.declare(self.name, lifetime=TIED)
        producer = self.client.sender(self.name)
        producer.send("a")
        producer.wait_told(1)
        producer.cancel()
        self.eventually_describes(self.name, state=wire.QUEUE_STATE_CLOSED)
        for _ in range(20):
            self.assertEqual(self.client.describe(self.name).depth, 1)
            self.client.info()
            self.client.list_queues()
            self.client.peek(self.name)
        self.assertEqual(self.outcomes(self.client.send(self.name, "b")), [CLOSED])
        self.assertEqual(self.client.take(self.name), [b"a"])
        for _ in range(20):
            description = self.client.describe(self.name)
            self.assertEqual((description.state, description.depth, description.settled),
                             (wire.QUEUE_STATE_ENDED, 0, 1))

    # Clauses: N2 N1
    def test_X24_a_consumer_that_leaves_is_no_receiver_drop(self):
        self.client.declare(self.name, capacity=10)
        leaving = self.client.receiver(self.name, credit=2)
        leaving.wait_attached()
        leaving.finish()
        self.assertEqual(leaving.end(), wire.CLOSED_REASON_FINISHED)
        self.fill(self.name, 5)
        proxy = self.new_proxy()
        self.seat(self.name, self.new_client(proxy.address), credit=0)
        proxy.reset()
        self.eventually_describes(self.name, consumers=0, depth=5)
        self.fill(self.name, 5, first=6)
        self.assertEqual(self.outcomes(self.client.send(self.name, "x")), [FULL])
        waiting = self.client.sender(self.name)
        waiting.send(11)
        self.eventually_describes(self.name, waiting_sends=1)
        receiver = self.client.receiver(self.name)
        receiver.wait_messages(11)
        self.assertEqual(receiver.payloads(), [str(i).encode() for i in range(1, 12)])
        self.assertEqual(waiting.wait_told(1)[0].outcome, OK)

    # Clauses: N2
    def test_close_on_consumer_loss(self):
        self.client.declare(self.name, close_on_consumer_loss=True, capacity=2)
        first = self.client.receiver(self.name)
        first.wait_attached()
        first.finish()  # a goodbye is no loss
        self.assertEqual(first.end(), wire.CLOSED_REASON_FINISHED)
        self.fill(self.name, 2)
        waiting = self.client.send_later(self.name, "waiting")
        self.eventually_describes(self.name, waiting_sends=1)
        self.seat(self.name, credit=0).cancel()
        ack = waiting.result().acks[0]
        self.assertEqual((ack.outcome, ack.reason), (CLOSED, wire.CLOSED_REASON_DELETED))
        # Its end may be told before its name is free.
        eventually(lambda: not self.client.list_queues(prefix=self.name).queues, what="its end")

    def test_purge_leaves_what_is_in_flight(self):
        self.client.declare(self.name, capacity=5)
        self.fill(self.name, 5)
        receiver = self.client.receiver(self.name, credit=2)
        receiver.wait_messages(2)
        self.fill(self.name, 2, first=6)
        waiting = self.client.send_later(self.name, "waiting")
        self.eventually_describes(self.name, waiting_sends=1)
        receiver.set_credit(0)
        receiver.settle(wire.SETTLE_ACTION_NACK, 1)
        receiver.wait_settled(1)
        self.assertEqual(self.client.purge(self.name), 6)
        self.assertEqual(self.outcomes(waiting.result()), [OK])
        description = self.eventually_describes(self.name, depth=1, in_flight=1, purged=6)
        self.assertEqual(description.accepted, 8)
        receiver.ack(2)
        self.assertEqual(receiver.wait_settled(2)[1].outcome, OK)

    def test_peek_changes_nothing(self):
        self.client.declare(self.name)
        self.fill(self.name, 5)
        self.client.settle(self.name, self.client.receive(self.name).lease, 1,
                           action=wire.SETTLE_ACTION_NACK)
        reply = self.client.peek(self.name, max_messages=3)
        self.assertEqual([one.payload for one in reply.messages], [b"1", b"2", b"3"])
        self.assertEqual([(run.first_position, run.count, run.attempts, run.failures)
                          for run in reply.runs], [(1, 1, 1, 1), (2, 2, 0, 0)])
        reply = self.client.peek(self.name, from_position=4, max_messages=100)
        self.assertEqual([one.payload for one in reply.messages], [b"4", b"5"])
        self.assertEqual(len(self.client.peek(self.name).messages), 1)
        description = self.client.describe(self.name)
        self.assertEqual((description.depth, description.delivered), (5, 1))

    def test_list_in_pages(self):
        names = [f"list.{i:02}" for i in range(25)]
        for name in [*names, "other"]:
            self.client.declare(name)
        found, token, pages = [], "", 0
        while True:
            page = self.client.list_queues(prefix="list.", page_size=10, page_token=token)
            found += [one.name for one in page.queues]
            token, pages = page.next_page_token, pages + 1
            if not token:
                break
        self.assertEqual((found, pages), (names, 3))
        self.assertEqual(len(self.client.list_queues().queues), 26)
        self.assert_refused_field(lambda: self.client.list_queues(page_token="\x01\x02 no"),
                                  "INVALID_FIELD", "page_token")


class Restart(DaemonCase):

    # Clauses: N6 N18
    def test_epoch_and_fence_over_a_restart(self):
        old = self.client.declare(self.name).description
        receiver = self.client.receiver(self.name)
        fence = receiver.wait_attached().fence
        receiver.cancel()
        type(self).daemon.stop()
        type(self).setUpClass()
        self.client = self.new_client()
        self.assert_fault(lambda: self.client.describe(self.name), grpc.StatusCode.NOT_FOUND,
                          "QUEUE_NOT_FOUND")
        new = self.client.declare(self.name).description
        self.assertNotEqual(new.epoch, old.epoch)
        self.assertTrue(0 < new.epoch < 2 ** 53)
        self.assertGreater(self.client.receiver(self.name).wait_attached().fence, fence)


class AutoDeclare(DaemonCase):
    OPTIONS = ("--auto-declare", "--default-capacity", "2", "--max-channels", "3")

    # Clauses: N5 N7
    def test_an_unknown_name_comes_to_life(self):
        self.assertEqual(self.outcomes(self.client.send(self.name, 1)), [OK])
        self.assertEqual(self.client.describe(self.name).spec.capacity, 2)
        self.client.receiver("second").wait_attached()
        self.client.sender("third").wait_opened()
        fault = self.assert_fault(lambda: self.client.declare("fourth"),
                                  grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CHANNELS", limit=3)
        self.assertTrue(fault.text)


if __name__ == "__main__":
    unittest.main()

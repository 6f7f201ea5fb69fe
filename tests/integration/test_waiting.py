# SPDX-License-Identifier: Apache-2.0
"""Full means wait: the line of waiting sends, what takes a send out of it, closing and deleting."""

import os
import unittest

import grpc

from support import wire
from support.case import DaemonCase

OK, FULL, CLOSED = wire.OUTCOME_OK, wire.OUTCOME_FULL, wire.OUTCOME_CLOSED


class Waiting(DaemonCase):

    # Clauses: N11 M7 M8
    def test_waiting_is_in_order_of_arrival_across_connections(self):
        self.client.declare(self.name, capacity=1)
        self.fill(self.name, 1)
        clients = [self.client] + [self.new_client() for _ in range(4)]
        sends, streams = [], []
        for i in range(10):  # unary and streams, in turn, each known to stand in line
            client = clients[i % 5]
            if i % 2:
                streams.append(client.sender(self.name))
                streams[-1].send(f"place {i}")
            else:
                sends.append(client.send_later(self.name, f"place {i}"))
            self.eventually_describes(self.name, waiting_sends=i + 1)
        self.assertEqual(self.outcomes(self.client.send(self.name, "try")), [FULL])
        received = []
        while len(received) < 11:
            received += self.client.take(self.name, wait_ms=20_000)
        self.assertEqual(received, [b"1"] + [f"place {i}".encode() for i in range(10)])
        for send in sends:
            self.assertEqual(self.outcomes(send.result()), [OK])
        for stream in streams:
            self.assertEqual(stream.wait_told(1)[0].outcome, OK)

    # Clauses: N9 M14
    def test_a_cancelled_waiting_send_never_appears(self):
        self.client.declare(self.name, capacity=1)
        self.fill(self.name, 1)
        cancelled = self.client.send_later(self.name, "cancelled")
        self.eventually_describes(self.name, waiting_sends=1)
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.send(self.name, "late", mode=wire.SEND_MODE_WAIT, timeout=0.2)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        stream = self.client.sender(self.name)
        stream.send("of a cancelled stream")
        proxy = self.new_proxy()
        lost = self.new_client(proxy.address).sender(self.name)
        lost.send("of a lost stream")
        self.eventually_describes(self.name, waiting_sends=3)
        last = self.client.send_later(self.name, "last")
        self.eventually_describes(self.name, waiting_sends=4)
        cancelled.cancel()
        stream.cancel()
        proxy.reset()
        self.eventually_describes(self.name, waiting_sends=1, producers=0)
        self.assertEqual(self.client.take(self.name), [b"1"])
        self.assertEqual(self.outcomes(last.result()), [OK])
        self.assertEqual(self.client.take(self.name), [b"last"])
        self.assertEqual(self.client.describe(self.name).accepted, 2)

    # Clauses: N9 N7
    def test_wait_ms_is_an_outcome(self):
        self.client.declare(self.name, capacity=2)
        self.fill(self.name, 1)
        reply = self.client.send(self.name, 2, 3, 4, mode=wire.SEND_MODE_WAIT, wait_ms=100,
                                 atomic=False)
        self.assertEqual(self.outcomes(reply), [OK] + [wire.OUTCOME_TIMED_OUT] * 2)
        sender = self.client.sender(self.name, wait_ms=100)
        sender.send("a", "b")
        told = sender.wait_told(2)
        self.assertEqual([one.outcome for one in told], [wire.OUTCOME_TIMED_OUT] * 2)
        self.assertEqual(self.client.describe(self.name).timed_out, 4)
        self.assertEqual(self.client.take(self.name, max_messages=9), [b"1", b"2"])
        sender.send("c")
        self.assertEqual(sender.wait_told(3)[2].outcome, OK)

    # Clauses: N8
    def test_wait_enters_in_order_as_room_comes(self):
        self.client.declare(self.name, capacity=2)
        sender = self.client.sender(self.name)
        sender.send(*range(7))
        received = []
        for i in range(7):
            sender.wait_told(min(7, i + 2))
            received += self.client.take(self.name, wait_ms=20_000)
        self.assertEqual(received, [str(i).encode() for i in range(7)])
        self.assertEqual([one.position for one in sender.wait_told(7)], list(range(1, 8)))

    # Clauses: N4 M30 M31
    def test_X08_close_refuses_and_drains(self):
        self.client.declare(self.name, capacity=3)
        self.fill(self.name, 3)
        receiver = self.client.receiver(self.name, credit=1)
        receiver.wait_messages(1)
        self.fill(self.name, 1, first=4)
        unary = self.client.send_later(self.name, "waiting")
        stream = self.client.sender(self.name)
        stream.send("waiting on a stream")
        self.eventually_describes(self.name, waiting_sends=2, depth=3)
        self.client.close_queue(self.name)
        ack = unary.result().acks[0]
        self.assertEqual((ack.outcome, ack.reason), (CLOSED, wire.CLOSED_REASON_REQUESTED))
        told = stream.wait_told(1)[0]
        self.assertEqual((told.outcome, told.reason), (CLOSED, wire.CLOSED_REASON_REQUESTED))
        self.assertEqual(self.outcomes(self.client.send(self.name, "later")), [CLOSED])
        stream.send("later")  # the stream goes on: each message has its outcome
        self.assertEqual(stream.wait_told(2)[1].outcome, CLOSED)
        self.client.close_queue(self.name)
        self.assertEqual(self.client.describe(self.name).state, wire.QUEUE_STATE_CLOSED)
        for count in range(1, 5):
            received = receiver.wait_messages(count)[-1]
            receiver.ack(received.position)
        self.assertEqual(receiver.end(), wire.CLOSED_REASON_REQUESTED)
        self.assertEqual(receiver.payloads(), [b"1", b"2", b"3", b"4"])
        self.client.close_queue(self.name)
        description = self.client.describe(self.name)
        self.assertEqual((description.state, description.depth, description.closed_reason),
                         (wire.QUEUE_STATE_ENDED, 0, wire.CLOSED_REASON_REQUESTED))
        self.assertEqual(self.client.receive(self.name).outcome, CLOSED)
        again = self.client.declare(self.name, capacity=5)  # an ended name may be declared anew
        self.assertTrue(again.created)
        self.assertNotEqual(again.description.epoch, description.epoch)

    # Clauses: N4 N6 M38
    def test_X09_delete_destroys(self):
        old = self.client.declare(self.name, capacity=3).description
        self.fill(self.name, 3)
        receiver = self.client.receiver(self.name, credit=1)
        receiver.wait_messages(1)
        self.fill(self.name, 1, first=4)
        unary = self.client.send_later(self.name, "waiting")
        stream = self.client.sender(self.name)
        stream.send("waiting on a stream")
        pending = self.eventually_describes(self.name, waiting_sends=2)
        self.assertEqual((pending.depth, pending.in_flight), (3, 1))
        self.assertEqual(self.client.delete(self.name), 4)
        ack = unary.result().acks[0]
        self.assertEqual((ack.outcome, ack.reason), (CLOSED, wire.CLOSED_REASON_DELETED))
        told = stream.wait_told(1)[0]
        self.assertEqual((told.outcome, told.reason), (CLOSED, wire.CLOSED_REASON_DELETED))
        self.assertEqual(receiver.end(), wire.CLOSED_REASON_DELETED)
        self.assertEqual(len(receiver.messages), 1)
        self.assert_fault(lambda: self.client.describe(self.name), grpc.StatusCode.NOT_FOUND,
                          "QUEUE_NOT_FOUND")
        new = self.client.declare(self.name, capacity=4)
        self.assertTrue(new.created)
        self.assertNotEqual(new.description.epoch, old.epoch)
        self.assertEqual(new.description.next_position, 1)
        stream.send("of the old life")
        self.assertEqual(stream.wait_told(2)[1].outcome, CLOSED)
        self.assertEqual(self.client.describe(self.name).accepted, 0)

    # Clauses: N4 N17
    def test_delete_tells_waiting_receives(self):
        self.client.declare(self.name)
        waiting = self.client.receive_later(self.name, wait_ms=60_000)
        self.eventually_describes(self.name, waiting_receives=1)
        self.client.delete(self.name)
        reply = waiting.result()
        self.assertEqual((reply.outcome, reply.reason), (CLOSED, wire.CLOSED_REASON_DELETED))

    # Clauses: N13 N12
    def test_not_reading_is_the_permit(self):
        # A producer may have one message in line, whatever it sends: the rest is not read.
        self.client.declare(self.name, capacity=1)
        sender = self.client.sender(self.name)
        for i in range(50):
            sender.send(i)
        description = self.eventually_describes(self.name, waiting_sends=1)
        self.assertEqual((description.accepted, description.depth), (1, 1))
        for i in range(50):
            self.assertEqual(self.client.take(self.name, wait_ms=20_000), [str(i).encode()])
        self.assertEqual(sender.outcomes() if sender.wait_told(50) else None, [OK] * 50)

    # Clauses: N9
    def test_a_waiting_send_that_is_cancelled_may_be_sent_again(self):
        self.client.declare(self.name, capacity=1)
        self.fill(self.name, 1)
        producer = os.urandom(16)
        waiting = self.client.send_later(self.name, "x", producer_id=producer, first_sequence=1)
        self.eventually_describes(self.name, waiting_sends=1)
        waiting.cancel()
        self.eventually_describes(self.name, waiting_sends=0)
        self.client.take(self.name)
        reply = self.client.send(self.name, "x", producer_id=producer, first_sequence=1)
        self.assertEqual((reply.acks[0].outcome, reply.acks[0].duplicate), (OK, False))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Nobody waits for another: stalled producers, consumers that never read, bounds on streams."""

import threading
import time
import unittest

import grpc

from support import wire
from support.case import DaemonCase
from support.daemon import SANITIZERS, Daemon
from support.eventually import BOUND, eventually
from support.streams import Stream

OK, FULL = wire.OUTCOME_OK, wire.OUTCOME_FULL
MIB = 1 << 20


class MeasuredCase(DaemonCase):
    """A daemon whose memory is looked at."""

    def assert_memory_below(self, bound, what):
        """RSS of a daemon as shipped; sanitizers have memory of their own."""
        rss = self.daemon.rss_bytes()
        print(f"{what}: RSS {rss / MIB:.1f} MiB, bound {bound / MIB:.1f} MiB")
        if not SANITIZERS:
            self.assertLess(rss, bound, what)


class NeverReads(MeasuredCase):
    """Its own daemon: nothing freed before makes room for what is measured."""

    # Clauses: N21 N42 N14
    def test_a_consumer_that_never_reads(self):
        bound = 32 * MIB
        self.client.declare(self.name, capacity=1_000_000, bytes_max=bound,
                            max_in_flight=1_000_000)
        other = self.name + ".other"
        self.client.declare(other)
        self.client.send(other, b"warm")
        self.client.take(other)
        before = self.daemon.rss_bytes()
        sleeper_client = self.new_client()
        sleeper = sleeper_client.receiver(self.name, is_reading=False, credit=1_000_000)
        self.eventually_describes(self.name, consumers=1)
        accepted = 0
        while True:
            outcomes = self.outcomes(self.client.send(
                self.name, *[b"x" * 1000] * 200, atomic=False))
            accepted += outcomes.count(OK)
            if FULL in outcomes:
                break
        self.assertGreater(accepted, bound / 1100 * 0.9)
        self.assert_memory_below(before + bound + 8 * MIB, "a consumer that never reads")
        description = self.client.describe(self.name)
        self.assertLessEqual(description.retained_bytes, bound)
        self.assertEqual(description.accepted, accepted)
        # Nobody else notices: not on another connection, and not on the sleeper's own.
        for client in (self.client, sleeper_client):
            for i in range(50):
                self.assertEqual(self.outcomes(client.send(other, i)), [OK])
                self.assertEqual(client.take(other), [str(i).encode()])
        sleeper.start_reading()
        acked = 0
        while acked < accepted:
            sleeper.wait_messages(acked + 1)
            count = len(sleeper.messages) - acked
            sleeper.ack(sleeper.messages[acked].position, count)
            acked += count
        self.eventually_describes(self.name, settled=accepted, depth=0, in_flight=0)


class Isolation(MeasuredCase):

    # Clauses: N12 N42
    def test_X18_a_full_queue_stalls_its_own_stream_only(self):
        full, busy = self.name + ".full", self.name + ".busy"
        self.client.declare(full, capacity=4)
        self.client.declare(busy, capacity=100)
        before = self.daemon.rss_bytes()
        offered = 0

        def a_gibibyte():
            nonlocal offered
            yield wire.SendStreamRequest(open=wire.SendOpen(queue=full))
            payload = b"x" * (MIB - 1000)
            for i in range(1024):
                offered = i + 1
                yield wire.SendStreamRequest(messages=[wire.Message(payload=payload)],
                                             first_sequence=i + 1)
        stalled = self.client.queues.SendStream(a_gibibyte(), timeout=BOUND * 6)
        self.eventually_describes(full, waiting_sends=1, depth=4)
        sender = self.client.sender(busy)
        receiver = self.client.receiver(busy)
        acked, began = 0, time.monotonic()
        for i in range(100):
            sender.send(*[b"y" * 100] * 20)
        while acked < 2000:
            receiver.wait_messages(acked + 1)
            count = len(receiver.messages) - acked
            receiver.ack(receiver.messages[acked].position, count)
            acked += count
        self.assertEqual(len(sender.wait_told(2000)), 2000)
        print(f"2,000 messages beside a stalled stream: {time.monotonic() - began:.2f} s, "
              f"offered {offered} MiB of 1,024")
        self.assertLess(offered, 40)
        self.assertEqual(self.client.describe(full).accepted, 4)
        self.assert_memory_below(before + 5 * MIB + 24 * MIB, "a producer that keeps trying")
        stalled.cancel()
        self.eventually_describes(full, waiting_sends=0, producers=0)

    # Clauses: N42 N21
    def test_a_producer_that_never_reads_its_acks_harms_itself_alone(self):
        self.client.declare(self.name, capacity=10)
        deaf = self.client.sender(self.name, mode=wire.SEND_MODE_TRY, is_reading=False)
        for _ in range(200):
            deaf.send(*[b"x"] * 100)
        other = self.new_client()
        for _ in range(20):
            self.assertEqual(self.outcomes(other.send(self.name, "x")), [FULL])
        deaf.start_reading()
        self.assertEqual(deaf.wait_told(20_000)[0].outcome, OK)
        self.assertEqual(deaf.outcomes().count(OK), 10)

    # Clauses: N7
    def test_many_at_once_and_the_sum_holds(self):
        self.client.declare(self.name, capacity=8, shared=True)
        clients = [self.new_client() for _ in range(4)]
        senders = [clients[i % 4].sender(self.name) for i in range(8)]
        receivers = [clients[i % 4].receiver(self.name, credit=5) for i in range(4)]
        for stream in receivers:
            stream.wait_attached()
        for i in range(50):
            for n, sender in enumerate(senders):
                sender.send(f"{n}.{i}.a", f"{n}.{i}.b")
        acked, stop = [0] * 4, threading.Event()

        def settle():
            """Acks, and nacks one in seven at its first attempt, until told to stop."""
            while not stop.is_set():
                for n, receiver in enumerate(receivers):
                    for received in receiver.messages[acked[n]:]:
                        acked[n] += 1
                        again = received.attempts == 1 and received.position % 7 == 0
                        receiver.settle(wire.SETTLE_ACTION_NACK if again
                                        else wire.SETTLE_ACTION_ACK, received.position)
                stop.wait(0.002)
        settler = threading.Thread(target=settle)
        settler.start()
        try:
            def settled():
                description = self.client.describe(self.name)
                self.assert_conserved(description)
                return description.settled == 800
            eventually(settled, BOUND * 4, "800 settled")
        finally:
            stop.set()
            settler.join()
        positions = [one.position for receiver in receivers for one in receiver.messages
                     if one.attempts > 1 or one.position % 7]
        self.assertEqual(sorted(positions), list(range(1, 801)))
        payloads = {one.payload for receiver in receivers for one in receiver.messages}
        self.assertEqual(len(payloads), 800)
        for sender in senders:
            self.assertEqual(sender.outcomes() if sender.wait_told(100) else None, [OK] * 100)
        description = self.client.describe(self.name)
        self.assertEqual(description.failures, 800 // 7)


class StreamBounds(DaemonCase):
    OPTIONS = ("--max-streams", "30", "--max-streams-per-connection", "12",
               "--max-streams-per-address", "25")

    # Clauses: N7
    def test_too_many_streams(self):
        self.client.declare(self.name)
        held = []

        def fill(client):
            """Opens streams until one is refused: how many opened, and the refusal."""
            opened = 0
            while True:
                stream = client.sender(self.name)
                stream.until(lambda: stream.opened or stream.is_over)
                if stream.is_over:
                    return opened, stream.end()
                held.append(stream)
                opened += 1
        refused = grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS"
        opened, fault = fill(self.new_client())
        self.assertEqual(opened, 12)
        self.assert_fault(fault, *refused, limit=12)
        self.assertGreater(fault.retry_ms, 0)
        self.assertEqual(fill(self.new_client())[0], 12)
        opened, fault = fill(self.new_client())
        self.assertEqual(opened, 1)  # 25 from this address, whatever the connection
        self.assert_fault(fault, *refused, limit=25)
        for stream in held[:2]:
            stream.half_close()
            stream.end()
        eventually(lambda: fill(self.new_client())[0] == 2 or held[0].is_over,
                   what="room for two more")
        for stream in held:
            stream.cancel()

        def is_empty():
            try:
                return self.client.info().live.streams == 0
            except grpc.RpcError:
                return False
        eventually(is_empty, what="the end of all streams")


class SmallMemory(unittest.TestCase):

    def test_streams_that_come_and_go_leave_nothing(self):
        daemon = Daemon()
        self.addCleanup(daemon.kill)
        case = DaemonCase()
        DaemonCase.daemon = daemon
        self.addCleanup(case.doCleanups)
        client = case.new_client(daemon.address)
        client.declare("q")

        def come_and_go(count):
            for _ in range(count):
                streams = [client.sender("q"), client.receiver("q", mode=wire.ATTACH_MODE_STANDBY),
                           Stream(client.sessions.Keep)]
                streams[0].wait_opened()
                for stream in streams:
                    stream.cancel()
                for stream in streams:
                    stream.end()
        come_and_go(150)
        eventually(lambda: client.info().live.streams == 0, what="the end of all streams")
        before = daemon.rss_bytes()
        come_and_go(600)
        eventually(lambda: client.info().live.streams == 0, what="the end of all streams")
        grown = daemon.rss_bytes() - before
        print(f"1,800 streams later: {grown / MIB:.2f} MiB more")
        if not SANITIZERS:
            self.assertLess(grown, 4 * MIB)
        daemon.stop()


if __name__ == "__main__":
    unittest.main()

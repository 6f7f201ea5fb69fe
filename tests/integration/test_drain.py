# SPDX-License-Identifier: Apache-2.0
"""SIGTERM: everyone is told, consumers get what is queued, exit 0 within the grace."""

import asyncio
import collections
import json
import time
import unittest

import grpc

from support import wire
from support.case import DaemonCase, EndingDaemon
from support.client import CHANNEL_OPTIONS
from support.eventually import eventually
from support.faults import fault_of

CLOSED = wire.OUTCOME_CLOSED
DOWN = wire.CLOSED_REASON_SHUTTING_DOWN
STREAMS = 2000
KINDS = "SendStream", "ReceiveStream", "Keep"


class Drain(EndingDaemon, DaemonCase):

    # Clauses: N41 N20
    def test_X22_sigterm(self):
        self.start("--drain-grace-ms", "20000")
        self.client.declare(self.name)
        full = self.name + ".full"
        self.client.declare(full, capacity=1)
        self.fill(full, 1)
        self.fill(self.name, 5)
        receiver = self.client.receiver(self.name, credit=1)
        receiver.wait_messages(1)
        unary = self.client.send_later(full, "waiting")
        sender = self.client.sender(full)
        sender.send("waiting too")
        idle = self.client.sender(self.name)
        idle.wait_opened()
        keeper = self.client.keep(linger_ms=60_000)
        keeper.wait_kept()
        self.client.declare(self.name + ".empty")
        receive = self.client.receive_later(self.name + ".empty", wait_ms=60_000)
        self.eventually_describes(self.name + ".empty", waiting_receives=1)
        self.eventually_describes(full, waiting_sends=2)
        standby = self.client.receiver(self.name, mode=wire.ATTACH_MODE_STANDBY)
        standby.until(lambda: standby.waiting)
        self.client.topics.declare(self.name)
        subscriber = self.client.topics.subscriber(self.name).wait_ready()
        self.client.topics.publish(self.name, "retained")
        self.client.config.set(self.name, "a")
        watcher = self.client.config.watcher(self.name).wait_end_mark()
        self.client.requests.declare(self.name)
        call = self.client.requests.call_later(self.name, wait_for_responder=True)
        eventually(lambda: self.client.requests.describe(self.name).depth == 1, what="the call")

        began = time.monotonic()
        self.daemon.terminate()
        ack = unary.result().acks[0]
        self.assertEqual((ack.outcome, ack.reason), (CLOSED, DOWN))
        told = sender.wait_told(1)[0]
        self.assertEqual((told.outcome, told.reason), (CLOSED, DOWN))
        for stream in (sender, idle):
            self.assertEqual(stream.end(), DOWN, stream.state())
        reply = receive.result()
        self.assertEqual((reply.outcome, reply.reason), (CLOSED, DOWN))
        self.assertEqual((call.result().outcome, call.result().reason), (CLOSED, DOWN))
        for stream in (subscriber, watcher):
            self.assertEqual((stream.end(), stream.violations), (DOWN, []), stream.state())
        self.assertEqual(subscriber.heard.payloads(), [b"retained"])
        for call in (lambda: self.client.topics.publish(self.name, "late"),
                     self.client.topics.subscriber(self.name).end(),
                     lambda: self.client.config.set(self.name, "late"),
                     self.client.config.watcher(self.name).end()):
            self.assert_fault(call, grpc.StatusCode.UNAVAILABLE, "DRAINING")
        self.assertEqual(self.client.config.list().entries[0].key, self.name)
        self.assertEqual(self.client.topics.describe(self.name).closed_reason, DOWN)
        # The consumer is still served; what is new is refused.
        fault = self.assert_fault(lambda: self.client.send(self.name, "late"),
                                  grpc.StatusCode.UNAVAILABLE, "DRAINING")
        self.assertGreater(fault.retry_ms, 0)
        late = self.client.receiver(self.name + ".empty").end()
        self.assert_fault(late, grpc.StatusCode.UNAVAILABLE, "DRAINING")
        for i in range(5):
            receiver.ack(receiver.wait_messages(i + 1)[i].position)
        self.assertEqual(receiver.end(), DOWN)
        self.assertEqual(receiver.payloads(), [b"1", b"2", b"3", b"4", b"5"])
        self.assertEqual(standby.end(), DOWN)
        self.assertEqual(keeper.end(), DOWN)  # what was leased to it could be settled until now
        log = self.daemon.wait()
        self.assertLess(time.monotonic() - began, 20)
        lost = [json.loads(line) for line in log.splitlines() if "messages_lost" in line]
        self.assertEqual([(one["queue"], one["messages"]) for one in lost], [(full, 1)])

    # Clauses: N41
    def test_a_consumer_that_does_nothing_is_told_after_the_grace(self):
        self.start("--drain-grace-ms", "700")
        self.client.declare(self.name)
        self.fill(self.name, 4)
        receiver = self.client.receiver(self.name, credit=2)
        receiver.wait_messages(2)
        began = time.monotonic()
        self.daemon.terminate()
        self.assertEqual(receiver.end(), DOWN)
        self.assertGreaterEqual(time.monotonic() - began, 0.65)
        log = self.daemon.wait()
        lost = [json.loads(line) for line in log.splitlines() if "messages_lost" in line]
        self.assertEqual([(one["queue"], one["messages"]) for one in lost], [(self.name, 4)])

    # Clauses: N41
    def test_a_client_that_never_reads_holds_nothing_up(self):
        self.start("--drain-grace-ms", "500")
        self.client.declare(self.name)
        for _ in range(20):
            self.client.send(self.name, b"x" * 1_000_000)
        self.client.receiver(self.name, is_reading=False)
        self.eventually_describes(self.name, consumers=1)
        seconds = self.daemon.stop()
        print(f"SIGTERM with a client that never reads: {seconds:.2f} s")

    # Clauses: N41
    def test_with_nobody_there_it_ends_at_once(self):
        self.start("--drain-grace-ms", "60000")
        self.client.declare(self.name)
        self.fill(self.name, 3)
        self.assertLess(self.daemon.stop(), 30)  # not the grace: nobody is attached

    # Clauses: N41
    def test_a_second_signal_is_impatience(self):
        self.start("--drain-grace-ms", "600000")
        self.client.declare(self.name)
        self.fill(self.name, 3)
        receiver = self.client.receiver(self.name, credit=1)
        receiver.wait_messages(1)
        self.daemon.terminate()
        self.assert_draining()
        self.daemon.terminate()
        self.assertEqual(receiver.end(), DOWN)
        self.daemon.wait()

    def assert_draining(self):
        while True:  # until the signal has arrived
            try:
                self.client.send(self.name, "x")
            except grpc.RpcError as error:
                self.assertEqual(fault_of(error).reason, "DRAINING")
                return

    # Clauses: N41
    def test_2000_streams_are_told(self):
        self.start("--drain-grace-ms", "60000")
        self.client.declare(self.name, capacity=1)
        self.fill(self.name, 1)
        seconds, ends = asyncio.run(self.two_thousand())
        print(f"SIGTERM with {STREAMS} open streams: {seconds:.2f} s to exit 0, everyone told")
        self.assertEqual(collections.Counter(ends), {DOWN: STREAMS})

    async def two_thousand(self):
        """Opens streams of all kinds, ends the daemon: the seconds it took, how streams ended."""
        channels = [grpc.aio.insecure_channel(self.daemon.address, options=CHANNEL_OPTIONS)
                    for _ in range(4)]
        opened, all_open = 0, asyncio.Event()

        async def hold(i):
            try:
                return await told(i)
            except grpc.aio.AioRpcError as error:
                return KINDS[i % 3], error.code(), error.details()

        async def told(i):
            """Opens the i-th stream and reads to its end: the reason of Closed."""
            nonlocal opened
            channel = channels[i % 4]
            if i % 3 == 0:
                call = wire.QueueServiceStub(channel).SendStream()
                frames = [wire.SendStreamRequest(open=wire.SendOpen(queue=self.name))]
                if i % 2:  # one in six waits for room
                    frames.append(wire.SendStreamRequest(messages=[wire.Message(payload=b"x")],
                                                         first_sequence=1))
            elif i % 3 == 1:
                call = wire.QueueServiceStub(channel).ReceiveStream()
                frames = [wire.ReceiveStreamRequest(open=wire.ReceiveOpen(
                    queue=f"{self.name}.{i}", spec=wire.QueueSpec(capacity=5)))]
            else:
                call = wire.SessionServiceStub(channel).Keep()
                frames = [wire.KeepRequest()]
            for frame in frames:
                await call.write(frame)
            await call.read()
            opened += 1
            if opened == STREAMS:
                all_open.set()
            while True:
                frame = await call.read()
                if frame is grpc.aio.EOF:
                    return KINDS[i % 3], await call.code(), "without Closed"
                if frame.HasField("closed"):
                    assert await call.read() is grpc.aio.EOF
                    assert await call.code() == grpc.StatusCode.OK
                    return frame.closed.reason
        tasks = [asyncio.create_task(hold(i)) for i in range(STREAMS)]
        await asyncio.wait_for(all_open.wait(), 240)
        began = time.monotonic()
        self.daemon.terminate()
        ends = await asyncio.wait_for(asyncio.gather(*tasks), 120)
        await asyncio.get_running_loop().run_in_executor(None, self.daemon.wait)
        seconds = time.monotonic() - began
        for channel in channels:
            await channel.close()
        return seconds, ends


if __name__ == "__main__":
    unittest.main()

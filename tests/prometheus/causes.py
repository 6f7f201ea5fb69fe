# SPDX-License-Identifier: Apache-2.0
"""What each alert is about, done to a real daemon. A cause is begun once, and gone on with by turns
until its alerts have fired; a turn is short."""

import os
import resource
import signal
import socket
from contextlib import ExitStack

import grpc

from support import wire
from support.client import SMALL_WINDOW, Client
from support.daemon import held_address
from support.eventually import eventually

from observed import Observed

# HTTP/2's preface, and SETTINGS without any.
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
# Pings are not asked for that nobody here would answer.
NO_PINGS = ("--keepalive-time-ms", "7200000")
BIG = b"x" * 300_000  # more than a frame, and than a window, holds


class Cause:
    """A daemon of its own, and the alerts that it comes to have. Ends with `end`."""

    ALERTS = ()
    OPTIONS = ()

    def __init__(self):
        self.held = ExitStack()
        self.daemon = Observed("--drain-grace-ms", "500", *self.OPTIONS)
        self.held.callback(lambda: self.daemon.kill())  # pylint: disable=unnecessary-lambda

    @property
    def target(self):
        """What Prometheus scrapes."""
        return self.daemon.http_address

    def new_client(self, **fields):
        client = Client(self.daemon.address, **fields)
        self.held.callback(client.close)
        return client

    def connect(self):
        """A connection that says hello, and then nothing."""
        sock = socket.create_connection(("127.0.0.1", self.daemon.port))
        self.held.callback(sock.close)
        sock.sendall(HELLO)

    def begin(self):
        """Before Prometheus looks."""

    def turn(self, prometheus):
        """Again and again, until all alerts have fired."""

    def end(self):
        with self.held:
            self.last()

    def last(self):
        self.daemon.stop()


class Frozen(Cause):
    ALERTS = ("SluiceDown",)

    def begin(self):
        os.kill(self.daemon.pid, signal.SIGSTOP)

    def last(self):
        os.kill(self.daemon.pid, signal.SIGCONT)
        super().last()


class Leaving(Cause):
    """It was told to end, and goes on serving for ten minutes."""
    ALERTS = ("SluiceNotReady",)
    OPTIONS = ("--drain-delay-ms", "600000")

    def begin(self):
        self.daemon.terminate()
        eventually(lambda: '"draining"' in self.daemon.log(), what="the drain")

    def last(self):
        self.daemon.terminate()  # a second time: at once
        self.daemon.wait()


class Restarting(Cause):
    """Restarted each time that Prometheus has seen it."""
    ALERTS = ("SluiceRestarting",)

    def begin(self):
        self.seen = set()
        self.daemon.stop()
        self.daemon = Observed(http=self.held.enter_context(held_address()))

    def turn(self, prometheus):
        series = f'process_start_time_seconds{{instance="{self.daemon.http_address}"}}'
        news = {value for _, value in prometheus.query(series)} - self.seen
        if news:
            self.seen |= news
            self.daemon.stop()
            self.daemon = Observed(http=self.target)


class FullQueue(Cause):
    ALERTS = ("SluiceQueueNearCapacity", "SluiceOldestMessageTooOld", "SluiceSendersWaiting",
              "SluiceRefusingFull", "SluiceMessagesLost", "SluiceDeliveriesFailing")

    def begin(self):
        self.client = self.new_client()
        self.client.declare("full", capacity=4)
        self.client.send("full", 1, 2, 3, 4)
        self.waiting = self.client.sender("full")
        self.waiting.send(5)
        self.held.callback(self.waiting.cancel)
        self.client.declare("poison")
        self.client.send("poison", "cannot be done")

    def turn(self, _):
        self.client.send("full", "one more")
        self.client.declare("brief")
        self.client.send("brief", "never read")
        self.client.delete("brief")
        reply = self.client.receive("poison")
        for run in reply.runs:
            self.client.settle("poison", reply.lease, run.first_position,
                               action=wire.SETTLE_ACTION_NACK)


class SlowSubscribers(Cause):
    ALERTS = ("SluiceSubscribersMissing", "SluiceStreamsStalled")

    def begin(self):
        self.client = self.new_client()
        self.client.topics.declare("ring", capacity=4)
        stalled = self.new_client(options=SMALL_WINDOW).topics.subscriber("ring", is_reading=False)
        self.held.callback(stalled.cancel)
        eventually(lambda: self.client.topics.describe("ring").subscribers == 1)

    def turn(self, _):
        self.client.topics.publish("ring", BIG)
        late = self.client.topics.subscriber("ring", start=wire.SUBSCRIBE_START_POSITION,
                                             start_position=1).wait_ready()
        late.cancel()


class LostWorkers(Cause):
    ALERTS = ("SluiceNoResponder", "SluiceRespondersLost")

    def begin(self):
        self.client = self.new_client()
        for name in ("nobody", "somebody"):
            self.client.requests.declare(name)

    def turn(self, _):
        self.client.requests.call("nobody")
        worker = self.client.requests.serve("somebody")
        worker.wait_attached()
        call = self.client.requests.call_later("somebody")
        worker.wait_assignments(1)
        worker.cancel()
        call.result()


class ManyStreams(Cause):
    """Watchers take all streams there may be; others ask for more all the same."""
    ALERTS = ("SluiceBoundNear", "SluiceErrors")
    STREAMS = 10
    OPTIONS = ("--max-streams", str(STREAMS), "--max-streams-per-connection", str(STREAMS))

    def begin(self):
        client = self.new_client()
        for number in range(self.STREAMS):
            watcher = client.config.watcher(f"key/{number}").wait_end_mark()
            self.held.callback(watcher.cancel)
        self.insisting = self.new_client()

    def turn(self, _):
        try:
            self.insisting.info()
        except grpc.RpcError:
            pass  # TOO_MANY_STREAMS


class RudeClient(Cause):
    """Call after call with more metadata than a call may have."""
    ALERTS = ("SluiceConnectionsCut",)
    PADDING = (("padding", "x" * 17_000),)
    AT_A_TIME = 100

    def begin(self):
        self.client = self.new_client()

    def turn(self, _):
        calls = [self.client.admin.ServerInfo.future(wire.ServerInfoRequest(), timeout=60,
                                                     metadata=self.PADDING)
                 for _ in range(self.AT_A_TIME)]
        for call in calls:
            call.exception()  # OUT_OF_BOUNDS; UNAVAILABLE when it is cut


class ManyConnections(Cause):
    ALERTS = ("SluiceConnectionsRefused", "SluiceBoundNear")
    OPTIONS = ("--max-connections", "3", *NO_PINGS)

    def begin(self):
        for _ in range(3):
            self.connect()

    def turn(self, _):
        with socket.create_connection(("127.0.0.1", self.daemon.port)) as further:
            further.settimeout(60)
            try:
                assert further.recv(1) == b"", "it was let in"
            except ConnectionResetError:
                pass  # turned away as well


class FewDescriptors(Cause):
    ALERTS = ("SluiceFileDescriptors",)
    OPTIONS = NO_PINGS

    def begin(self):
        open_now = len(os.listdir(f"/proc/{self.daemon.pid}/fd"))
        most = open_now * 20
        resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE, (most, most))
        for _ in range(most * 9 // 10 - open_now):
            self.connect()


class FullMemory(Cause):
    ALERTS = ("SluiceMemoryBudget", "SluiceMemoryRefusing")
    OPTIONS = ("--memory-max", "16MiB")

    def begin(self):
        self.client = self.new_client()
        for name in ("one", "two"):  # each may have half of it
            self.client.declare(name)
            while self.offer(name) == wire.OUTCOME_OK:
                pass

    def offer(self, name):
        return self.client.send(name, BIG).acks[0].outcome

    def turn(self, _):
        self.client.declare("three")
        self.offer("three")


class BusyWorker(Cause):
    """One worker, asked for a list that is long to make: more at a time than it can answer."""
    ALERTS = ("SluiceWorkerBusy",)
    OPTIONS = ("--grpc-queues", "1")
    STREAMS = 900
    AT_A_TIME = 16

    def begin(self):
        client = self.new_client()
        request = wire.WatchRequest(keys=["key"])
        self.watching = [client.config.stub.Watch(request) for _ in range(self.STREAMS)]
        self.held.callback(lambda: [call.cancel() for call in self.watching])
        self.is_over = False
        self.held.callback(self.end_asking)
        # As bytes: reading the answers would keep us busier than the daemon.
        self.asked = client.channel.unary_unary("/sluice.v1.AdminService/ListStreams")
        for _ in range(self.AT_A_TIME):
            self.ask()

    def ask(self, _=None):
        if not self.is_over:
            question = wire.ListStreamsRequest(page_size=1000).SerializeToString()
            self.asked.future(question).add_done_callback(self.ask)

    def end_asking(self):
        self.is_over = True

    def last(self):
        self.end_asking()
        super().last()


ALL = [Frozen, Leaving, Restarting, FullQueue, SlowSubscribers, LostWorkers, ManyStreams,
       RudeClient, ManyConnections, FewDescriptors, FullMemory, BusyWorker]

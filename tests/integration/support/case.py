# SPDX-License-Identifier: Apache-2.0
"""A test case with a daemon of its own, shared by its tests, and clients that go with each test;
what they saw is checked at its end."""

import unittest

import grpc
from history.check import assert_allowed
from history.recorder import Recorder

from . import wire
from .client import Client
from .daemon import Daemon
from .eventually import BOUND, eventually
from .faults import fault_of
from .proxy import Proxy

# A write of more than a window and gRPC's own buffer take, 64 KiB each, waits for the client.
STALLING_BYTES = 128 << 10


class DaemonCase(unittest.TestCase):
    """Queues are named after the test, deleted after it, and their sums looked at before that."""

    OPTIONS = ()

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.clients = []  # of this test
        self.history = None
        self.outsiders = []  # channels and keys that others use, too: history.check

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon("--drain-grace-ms", "2000", *cls.OPTIONS)

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def setUp(self):
        self.name = self._testMethodName
        self.client = self.new_client()

    def tearDown(self):
        for description in self.client.list_queues(page_size=1000).queues:
            self.assert_conserved(description)
            self.client.delete(description.name)

    def new_client(self, address=None, **fields):
        """What it does is recorded, and looked at when all clients of the test are closed."""
        if self.history is None:
            self.history = Recorder()
            self.addCleanup(self.check_history)
        client = Client(address or self.daemon.address, self.history,
                        f"{self.daemon.pid}:{len(self.clients) + 1}", **fields)
        self.addCleanup(client.close)
        self.clients.append(client)
        return client

    def check_history(self):
        assert_allowed(self.history.finish(), self.outsiders)

    def new_proxy(self):
        proxy = Proxy(self.daemon.port)
        self.addCleanup(proxy.close)
        return proxy

    def assert_conserved(self, description):
        """What was accepted is accounted for, exactly (N15, N21, wire's conservation sum)."""
        d = description
        self.assertEqual(d.accepted, d.settled + d.purged + d.deleted + d.depth + d.in_flight, d)

    def assert_fault(self, call, code, reason, **details):
        """`call` raises (or is a finished Fault of) this status, and its details have these."""
        if callable(call):
            with self.assertRaises(grpc.RpcError) as raised:
                call()
            fault = fault_of(raised.exception)
        else:
            fault = call
        self.assertEqual((fault.code, fault.reason), (code, reason), fault)
        self.assertEqual(fault.domain, "sluice", fault)
        for key, value in details.items():
            self.assertEqual(fault.details.get(key), str(value), f"{key} of {fault}")
        return fault

    def assert_refused_field(self, call, reason, field, **details):
        return self.assert_fault(call, grpc.StatusCode.INVALID_ARGUMENT, reason, field=field,
                                 **details)

    def outcomes(self, reply):
        """Of a SendResponse, one for each message."""
        return [ack.outcome for ack in reply.acks for _ in range(ack.count)]

    def fill(self, name, count, first=1):
        """Sends `count` messages that must fit: their payloads are numbers from `first` on."""
        payloads = list(range(first, first + count))
        reply = self.client.send(name, *payloads)
        self.assertEqual(self.outcomes(reply), [wire.OUTCOME_OK] * count)
        return [str(payload).encode() for payload in payloads]

    def eventually_describes(self, name, bound=BOUND, **fields):
        """Until the description has these values."""
        def holds():
            description = self.client.describe(name)
            if all(getattr(description, key) == value for key, value in fields.items()):
                return description
            return False
        return eventually(holds, bound, f"{fields} of {name}")

    def seat(self, name, client=None, **fields):
        """A consumer that is attached. The seat of one before is free a moment after its end."""
        def given():
            receiver = (client or self.client).receiver(name, **fields)
            receiver.until(lambda: receiver.attached or receiver.is_over)
            return receiver if receiver.attached else None
        return eventually(given, what=f"the seat of {name}")

    def wait_stalled(self, method):
        """Until a call of the method has a write that the client, which does not read, will not
        take."""
        def stalled():
            streams = self.client.admin.ListStreams(
                wire.ListStreamsRequest(page_size=1000), timeout=BOUND).streams
            return any(one.method.endswith("/" + method) and one.write_stalled_ms > 0
                       and one.write_bytes > STALLING_BYTES
                       for one in streams)
        eventually(stalled, what=f"a stalled {method}")


class EndingDaemon:
    """For tests that end their daemon: each starts its own. Stands before the case it changes."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        self.name = self._testMethodName

    def tearDown(self):
        pass

    def start(self, *options):
        self.daemon = Daemon(*options)
        self.addCleanup(self.daemon.kill)
        self.client = self.new_client()

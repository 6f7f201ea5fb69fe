# SPDX-License-Identifier: Apache-2.0
"""A test case with a daemon of its own, shared by its tests, and clients that go with each test."""

import unittest

import grpc

from . import wire
from .client import Client
from .daemon import Daemon
from .eventually import BOUND, eventually
from .faults import fault_of
from .proxy import Proxy


class DaemonCase(unittest.TestCase):
    """Queues are named after the test, deleted after it, and their sums looked at before that."""

    OPTIONS = ()

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

    def new_client(self, address=None):
        client = Client(address or self.daemon.address)
        self.addCleanup(client.close)
        return client

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

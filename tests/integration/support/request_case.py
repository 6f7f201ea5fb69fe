# SPDX-License-Identifier: Apache-2.0
"""A test case of request/reply."""

from . import wire
from .case import DaemonCase
from .eventually import BOUND, eventually

OK = wire.OUTCOME_OK
# For a call whose time is to run out, but not on its way to where it is wanted: if it did, because
# the machine was busy, the next one has more.
LONGER_MS = (250, 1000, 4000, 16_000)


class RequestCase(DaemonCase):
    """Responders are named after the test; their sums hold at its end, and nothing is retained."""

    def setUp(self):
        super().setUp()
        self.requests = self.client.requests

    def tearDown(self):
        for description in self.requests.list(page_size=1000).responders:
            self.assert_calls_conserved(description)
            self.requests.delete(description.name)
        super().tearDown()

    def assert_calls_conserved(self, d):
        self.assertEqual(d.accepted, d.answered + d.failed + d.responder_gone + d.no_responder
                         + d.too_large + d.timed_out + d.cancelled + d.closed + d.depth
                         + d.in_flight, d)

    def eventually_responds(self, name, **fields):
        """Until the description of a responder has these values; its sum holds all the time."""
        def holds():
            description = self.requests.describe(name)
            self.assert_calls_conserved(description)
            if all(getattr(description, key) == value for key, value in fields.items()):
                return description
            return False
        return eventually(holds, BOUND, f"{fields} of {name}")

    def assert_reply(self, reply, payload, handed_out=True):
        """OK with this payload; None: without a message."""
        self.assertEqual(reply.outcome, OK, reply)
        self.assertEqual(reply.HasField("message"), payload is not None, reply)
        if payload is not None:
            self.assertEqual(reply.message.payload, payload)
        self.assertEqual(reply.handed_out, handed_out, reply)

    def assert_ended(self, reply, outcome, handed_out, reason=0):
        """Another outcome than OK, and nothing with it that does not belong there."""
        self.assertEqual((reply.outcome, reply.handed_out, reply.reason),
                         (outcome, handed_out, reason), reply)
        self.assertFalse(reply.HasField("message"), reply)
        self.assertEqual(reply.HasField("failure"), outcome == wire.OUTCOME_FAILED, reply)

# SPDX-License-Identifier: Apache-2.0
"""A producer and a consumer with a queue of their own, and the pumps of the victims' queues."""

from queue_victims import EMPTY_QUEUE, FULL_QUEUE, RECEIVE_QUEUE, SEND_QUEUE, SHARED_QUEUE
from support import wire
from support.eventually import eventually

QUIET_QUEUE = "torture/quiet"


class QueueSurvivor:
    def __init__(self, client):
        self.client = client
        for name, spec in ((QUIET_QUEUE, {"capacity": 50}), (SEND_QUEUE, {"capacity": 50}),
                           (RECEIVE_QUEUE, {"capacity": 100}), (EMPTY_QUEUE, {}),
                           (SHARED_QUEUE, {"capacity": 300, "shared": True}),
                           (FULL_QUEUE, {"capacity": 1})):
            client.declare(name, **spec)
        client.send(FULL_QUEUE, "the only one")
        self.sender = client.sender(QUIET_QUEUE)
        self.receiver = client.receiver(QUIET_QUEUE)
        self.drain = client.receiver(SEND_QUEUE, auto_ack=True)
        self.sent, self.acked = 0, 0

    def streams(self):
        return self.sender, self.receiver, self.drain

    def round(self):
        self.sender.send(*range(self.sent + 1, self.sent + 11))
        self.sent += 10
        self._ack(self.acked + 1)
        for name in (RECEIVE_QUEUE, SHARED_QUEUE):
            self.client.send(name, *[b"y" * 300] * 20, atomic=False)

    def _ack(self, at_least):
        self.receiver.wait_messages(at_least)
        count = len(self.receiver.messages) - self.acked
        self.receiver.ack(self.receiver.messages[self.acked].position, count)
        self.acked += count

    def settle(self):
        while self.acked < self.sent:
            self._ack(self.acked + 1)
        self.sender.wait_told(self.sent)
        eventually(lambda: self.client.describe(QUIET_QUEUE).in_flight == 0, what="the last ack")
        eventually(lambda: self.client.describe(SEND_QUEUE).in_flight == 0, what="an idle pump")
        assert set(self.sender.outcomes()) <= {wire.OUTCOME_OK}

    def check(self):
        expected = [str(i).encode() for i in range(1, self.sent + 1)]
        assert self.receiver.payloads() == expected, (
            f"of {self.sent} messages {len(self.receiver.messages)} came, or in another order")

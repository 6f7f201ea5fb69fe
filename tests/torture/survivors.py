# SPDX-License-Identifier: Apache-2.0
"""Those who are to notice nothing: a producer and a consumer with a queue of their own, and the
pumps that keep the victims' queues moving."""

import threading

import grpc
from support import wire
from support.client import Client
from support.eventually import BOUND, eventually
from victims import EMPTY_QUEUE, FULL_QUEUE, RECEIVE_QUEUE, SEND_QUEUE, SHARED_QUEUE

QUIET_QUEUE = "torture/quiet"


class Survivors:
    """Run from `resume` to `pause`; `check` tells whether anything was lost or out of order."""

    def __init__(self, address):
        self.client = Client(address)
        for name, spec in ((QUIET_QUEUE, {"capacity": 50}), (SEND_QUEUE, {"capacity": 50}),
                           (RECEIVE_QUEUE, {"capacity": 100}), (EMPTY_QUEUE, {}),
                           (SHARED_QUEUE, {"capacity": 300, "shared": True}),
                           (FULL_QUEUE, {"capacity": 1})):
            self.client.declare(name, **spec)
        self.client.send(FULL_QUEUE, "the only one")
        self.sender = self.client.sender(QUIET_QUEUE)
        self.receiver = self.client.receiver(QUIET_QUEUE)
        self.drain = self.client.receiver(SEND_QUEUE, auto_ack=True)
        self.sent, self.acked = 0, 0
        self.failure = None
        self._is_running, self._is_idle, self._is_over = (threading.Event() for _ in range(3))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def resume(self):
        self._is_idle.clear()
        self._is_running.set()

    def pause(self):
        """Returns when everything that was sent is received and settled."""
        self._is_running.clear()
        if not self._is_idle.wait(BOUND):
            raise AssertionError("the survivors hang")
        self.check()

    def check(self):
        if self.failure:
            raise AssertionError(f"a survivor was harmed: {self.failure}")
        for stream in (self.sender, self.receiver, self.drain):
            if stream.is_over:
                raise AssertionError(f"a survivor's stream has ended: {stream.state()}")
        expected = [str(i).encode() for i in range(1, self.sent + 1)]
        if self.receiver.payloads() != expected:
            raise AssertionError(f"of {self.sent} messages {len(self.receiver.messages)} came, or "
                                 "in another order")

    def close(self):
        self._is_over.set()
        self._is_running.set()
        self._thread.join()
        self.client.close()

    def _run(self):
        while not self._is_over.is_set():
            try:
                if self._is_running.is_set():
                    self._round()
                    self._is_over.wait(0.005)
                else:
                    self._settle()
                    self._is_idle.set()
                    self._is_running.wait()
            except (AssertionError, grpc.RpcError) as failure:
                self.failure = failure
                self._is_idle.set()
                return

    def _round(self):
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

    def _settle(self):
        while self.acked < self.sent:
            self._ack(self.acked + 1)
        self.sender.wait_told(self.sent)
        eventually(lambda: self.client.describe(QUIET_QUEUE).in_flight == 0, what="the last ack")
        eventually(lambda: self.client.describe(SEND_QUEUE).in_flight == 0, what="an idle pump")
        assert set(self.sender.outcomes()) <= {wire.OUTCOME_OK}

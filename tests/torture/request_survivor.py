# SPDX-License-Identifier: Apache-2.0
"""A worker that answers everybody, and callers: of that worker, and of workers that die."""

from request_victims import ECHO, MORTALS, NOBODY
from support import wire

QUIET = "torture/quiet"
# What may become of a call to workers that are killed. Never nothing.
HONEST = {wire.OUTCOME_OK, wire.OUTCOME_FAILED, wire.OUTCOME_RESPONDER_GONE,
          wire.OUTCOME_NO_RESPONDER, wire.OUTCOME_TIMED_OUT}


class RequestSurvivor:
    def __init__(self, client):
        self.requests = client.requests
        for name in (QUIET, ECHO, NOBODY, MORTALS):
            self.requests.declare(name)
        self.workers = [self.requests.echo(name, credit=64) for name in (QUIET, ECHO)]
        self.quiet, self.bold = self.requests.stream(), self.requests.stream()
        self.asked, self.dared = [], []

    def streams(self):
        return *self.workers, self.quiet, self.bold

    def round(self):
        first = len(self.asked) + 1
        self.asked += self.quiet.start_all(
            [(QUIET, str(i).encode(), {}) for i in range(first, first + 10)])
        self.dared += self.bold.start_all(
            [(MORTALS, b"dare", {"timeout_ms": 500, "wait_for_responder": i % 2 == 0,
                                 "retry_on_responder_loss": i % 3 == 0}) for i in range(5)])
        self.quiet.wait_last(first)

    def settle(self):
        for stream, calls in ((self.quiet, self.asked), (self.bold, self.dared)):
            if calls:
                stream.until(lambda s=stream, n=len(calls): self._ended(s) >= n,
                             what=f"an outcome of each of {len(calls)} calls")

    @staticmethod
    def _ended(stream):
        return sum(1 for reply in stream.replies if reply.last)

    def check(self):
        answered = {reply.call_id: reply for reply in self.quiet.replies}
        assert len(answered) == len(self.quiet.replies) == len(self.asked), "one outcome a call"
        for call_id, reply in answered.items():
            assert reply.outcome == wire.OUTCOME_OK, reply
            assert reply.message.payload == str(call_id).encode(), "another call's reply"
        ended = [reply for reply in self.bold.replies if reply.last]
        assert {reply.outcome for reply in ended} <= HONEST, {reply.outcome for reply in ended}
        assert sorted(reply.call_id for reply in ended) == self.dared, "one outcome a call"

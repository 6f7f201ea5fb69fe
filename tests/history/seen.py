# SPDX-License-Identifier: Apache-2.0
"""What the modules *_seen.py share: one call as it is seen, and short names of what it tells."""

import zlib

import grpc
from support import wire

from .recorder import NEVER, Event

# A unary call that ends so has changed nothing.
REFUSALS = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND,
            grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNIMPLEMENTED}


def names_of(enum, prefix):
    return {value.number: value.name.removeprefix(prefix) for value in enum.DESCRIPTOR.values}


OUTCOMES = names_of(wire.Outcome, "OUTCOME_")
REASONS = names_of(wire.ClosedReason, "CLOSED_REASON_")


def digest(message):
    """Payloads are told apart by this."""
    return zlib.crc32(message.payload) << 24 | len(message.payload)


def runs_of(frame):
    """[first position, attempts, digests] of each run."""
    runs, messages = [], iter(frame.messages)
    for run in frame.runs:
        digests = [digest(message) for _, message in zip(range(run.count), messages)]
        runs.append([run.first_position, run.attempts, digests])
    return runs


class Seen:
    """One call, as the client sees it; it adds events. Not thread-safe."""

    def __init__(self, add, process, began):
        self._add, self._process, self.began = add, process, began

    def event(self, start, end, operation, arguments, outcome):
        self._add(Event(start, end, self._process, operation, arguments, outcome))

    def stray(self, now, what):
        """Something was told that answers nothing."""
        self.event(self.began, now, "stray", {}, {"what": what})

    def request(self, now, frame):
        """A frame is about to be written."""

    def response(self, now, frame):
        """A frame was read."""

    def end(self, now, code):
        """The status came; None: nobody waited for it."""


class Nothing(Seen):
    """After the end nothing is seen."""

    def __init__(self):
        super().__init__(None, "", NEVER)

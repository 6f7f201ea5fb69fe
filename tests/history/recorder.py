# SPDX-License-Identifier: Apache-2.0
"""Events, and a list of them that many threads write to."""

import itertools
import math
import threading
from dataclasses import dataclass

# The end of an operation of which nothing was heard.
NEVER = math.inf


@dataclass(frozen=True)
class Event:
    """One operation of one client. Times are of one monotonic clock, in seconds: the broker did it,
    if at all, between `start` and `end`.

    process    who did it, in order: a stream, or a call, as "broker:client/method.number"
    operation  "send", "receive", "settle", "subscribed", "heard", "lagged", "set", "get",
               "watched", "call", "serve", "describe" ...: *_seen.py say which, and with what
    arguments  what was asked; `channel` is "queue/...", "topic/..." or "responder/..."
    outcome    what was told; None: it is not known whether it was done
    """
    start: float
    end: float
    process: str
    operation: str
    arguments: dict
    outcome: dict | None


class Recorder:
    """Thread-safe; adding costs an append. Calls that are under way are `open`: what is known of
    them is added when they end, or by `finish`."""

    def __init__(self):
        self._events, self._open = [], set()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def add(self, event):
        self._events.append(event)

    def next_number(self):
        return next(self._numbers)

    def opened(self, call):
        with self._lock:
            self._open.add(call)

    def closed(self, call):
        with self._lock:
            self._open.discard(call)

    def finish(self):
        """Adds what is known of calls that have not ended, and gives all events by their end."""
        with self._lock:
            still_open, self._open = list(self._open), set()
        for call in still_open:
            call.leave()
        return sorted(self._events, key=lambda event: event.end)

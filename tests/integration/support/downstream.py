# SPDX-License-Identifier: Apache-2.0
"""Streams of answers to one request, read at the pace that the test wants, and what they break."""

import threading

from .eventually import eventually
from .streams import Stream


class _Paced:
    """A call whose next frame is taken when the gate is open; `asks` tells that it is waited for.
    Otherwise the call itself."""

    def __init__(self, call, gate, asks):
        self._call, self._gate, self._asks = call, gate, asks

    def __iter__(self):
        while True:
            self._gate.wait()
            self._asks.set()
            try:
                frame = next(self._call)
            except StopIteration:
                return
            self._asks.clear()
            yield frame

    def __getattr__(self, name):
        return getattr(self._call, name)


class Downstream(Stream):
    """A server stream. `violations` has every promise of the protocol that a frame broke: tests
    look at it at their end."""

    def __init__(self, method, request, is_reading=True):
        self.request = request
        self.violations = []
        self.is_cancelled = False
        self._gate, self._asks = threading.Event(), threading.Event()
        self._gate.set()
        super().__init__(
            lambda _, timeout: _Paced(method(request, timeout=timeout), self._gate, self._asks),
            is_reading)

    def pause(self):
        """Takes no further frames (one may be on its way) until `resume`."""
        self._gate.clear()

    def pause_after_next(self):
        """Takes one more frame, and no further ones until `resume`. None may be on its way."""
        eventually(self._asks.is_set, what="a reader that asks for a frame")
        self._gate.clear()

    def resume(self):
        self._gate.set()

    def cancel(self):
        self.is_cancelled = True
        super().cancel()
        self._gate.set()

    def require(self, holds, promise, frame):
        """Notes a broken promise: reading goes on, so that the test sees the rest."""
        if not holds:
            self.violations.append(f"{promise}: {str(frame)[:400]}")

    def take(self, frame):
        try:
            self.check(frame)
        except Exception as error:  # pylint: disable=broad-except
            self.violations.append(f"{error!r}: {str(frame)[:400]}")

    def check(self, frame):
        """What a kind of stream keeps of a frame, and what it requires of it."""
        raise NotImplementedError

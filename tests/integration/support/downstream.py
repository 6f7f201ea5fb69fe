# SPDX-License-Identifier: Apache-2.0
"""Streams of answers to one request, read at the pace that the test wants, and what they break."""

import threading

from .streams import Stream


class _Paced:
    """A call whose next frame is taken when the gate is open. Otherwise the call itself."""

    def __init__(self, call, gate):
        self._call, self._gate = call, gate

    def __iter__(self):
        while True:
            self._gate.wait()
            try:
                frame = next(self._call)
            except StopIteration:
                return
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
        self._gate = threading.Event()
        self._gate.set()
        super().__init__(
            lambda _, timeout: _Paced(method(request, timeout=timeout), self._gate), is_reading)

    def pause(self):
        """Takes no further frames (one may be on its way) until `resume`."""
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

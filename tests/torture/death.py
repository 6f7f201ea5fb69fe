# SPDX-License-Identifier: Apache-2.0
"""When a victim dies."""

import os
import threading
import time


class Death:
    """Comes a little after the n-th event, or when there were none for a while."""

    def __init__(self, rng, how):
        self._how = how
        self._at, self._delay = rng.choice((0, 1, 2, 3, 5, 8, 13)), rng.uniform(0, 0.004)
        self._patience = rng.uniform(0.05, 0.25)
        self._events, self._changed = 0, threading.Condition()
        threading.Thread(target=self._wait, daemon=True).start()

    def event(self):
        with self._changed:
            self._events += 1
            self._changed.notify_all()

    def _wait(self):
        with self._changed:
            seen = -1
            while self._events < self._at and seen != self._events:
                seen = self._events
                self._changed.wait_for(lambda: self._events > seen, self._patience)
        time.sleep(self._delay)
        os.kill(os.getpid(), self._how)


def counting(stream_type, death):
    """The stream type, with every frame it reads an event."""
    class Counting(stream_type):
        def take(self, frame):
            super().take(frame)
            death.event()
    return Counting


def go_on():
    """Whoever has nothing more to do waits for the end."""
    while True:
        time.sleep(60)

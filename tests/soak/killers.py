# SPDX-License-Identifier: Apache-2.0
"""Clients that die all the time: the victims of tests/torture, in every kind of call, by kill -9,
by being stopped for longer than the daemon has patience, and by resets of their connections."""

import contextlib
import os
import random
import signal
import threading

from graveyard import Graveyard
from queue_survivor import QUIET_QUEUE
from queue_victims import SEND_QUEUE
from support.client import Client
from support.eventually import eventually
from support.proxy import Proxy
from survivors import Survivors
from victims import KINDS

# Of a round: killed, stopped, and killed behind a proxy that resets all connections meanwhile.
KILLED, STOPPED, RESET = 3, 1, 2
PAUSE_S = 1.0
# At one time: the oldest are longer there than the daemon has patience.
FROZEN_MAX = 30
BURIED = 5
# Survivors keep what they have seen: they make room for others after so many rounds.
ROUNDS = 30
ROUND_BOUND_S = 60.0


class Killers:
    """A thread of rounds, from `start` until `finish`; `counts` has how many died, and how."""

    def __init__(self, daemon, seed):
        self._rng = random.Random(seed)
        self._daemon = daemon
        self._proxy = Proxy(daemon.port)
        self._near, self._far = Graveyard(daemon.address), Graveyard(self._proxy.address)
        self._client = Client(daemon.address)
        self._frozen, self._over = [], threading.Event()
        self.counts = {"killed": 0, "stopped": 0, "reset": 0}
        self.failure = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def finish(self):
        """Ends the round that is under way, and buries everybody. Raises what went wrong."""
        self._over.set()
        self._thread.join()
        frozen, self._frozen = self._frozen, []
        self._near.bury(frozen)
        for graveyard in (self._near, self._far):
            graveyard.close()
        self._proxy.close()
        self._client.close()
        if self.failure:
            raise AssertionError(f"while clients were killed: {self.failure!r}")

    def kill(self):
        """For clean-up after a failure only: nobody is left frozen."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(ROUND_BOUND_S)
        frozen, self._frozen = self._frozen, []
        for pid in frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _run(self):
        try:
            while not self._over.is_set():
                self._live_a_while()
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def _live_a_while(self):
        """One generation of survivors, beside whom others die; they must not notice."""
        survivors = Survivors(self._daemon.address, None, pause_s=0.05)
        survivors.resume()
        for _ in range(ROUNDS):
            self._round()
            if survivors.failure or self._over.wait(PAUSE_S):
                break
        survivors.pause()
        survivors.close()
        eventually(self._are_seats_free, what="the seats of the survivors")

    def _are_seats_free(self):
        return not any(self._client.describe(name).consumers for name in (QUIET_QUEUE, SEND_QUEUE))

    def _round(self):
        kinds = list(KINDS)
        self._near.run(self._orders(kinds, KILLED, signal.SIGKILL), KILLED)
        self._frozen += self._near.run(self._orders(kinds, STOPPED, signal.SIGSTOP), STOPPED)
        if len(self._frozen) > FROZEN_MAX:
            self._near.bury(self._frozen[:BURIED])
            del self._frozen[:BURIED]
        cut = threading.Timer(self._rng.uniform(0, 0.2), self._proxy.cut)
        cut.start()
        self._far.run(self._orders(kinds, RESET, signal.SIGKILL), RESET)
        cut.join()
        for how, count in (("killed", KILLED), ("stopped", STOPPED), ("reset", RESET)):
            self.counts[how] += count

    def _orders(self, kinds, count, how):
        return [(self._rng.choice(kinds), self._rng.randrange(1 << 40), how) for _ in range(count)]

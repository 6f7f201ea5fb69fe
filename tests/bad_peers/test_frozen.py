# SPDX-License-Identifier: Apache-2.0
"""Stock clients that are stopped by the dozen, in every kind of call, and never come back."""

import random
import signal
import unittest

from attack_case import AttackCase
from graveyard import Graveyard
from history.recorder import Recorder
from survivors import Survivors
from victims import KINDS

SEED = 20_260_103
# Of each kind of call.
GROUP = 3


class Frozen(AttackCase):
    """A ping every second, and four for its answer: a busy machine may need some of them."""

    OPTIONS = ("--keepalive-time-ms", "1000", "--keepalive-timeout-ms", "4000")

    # Clauses: N19 N42
    def test_clients_stopped_in_groups(self):
        rng = random.Random(SEED)
        graveyard = Graveyard(self.daemon.address)
        self.addCleanup(graveyard.close)
        survivors = Survivors(self.daemon.address, Recorder())
        self.addCleanup(survivors.close)
        survivors.resume()
        survivors.pause()
        with self.attack(peak_mib=64):
            baseline = self.baseline()
            survivors.resume()
            orders = [(kind, rng.randrange(1 << 40), signal.SIGSTOP)
                      for kind in KINDS for _ in range(GROUP)]
            frozen = graveyard.run(orders, len(orders))
            survivors.pause()
            print(f"\n  {len(frozen)} clients stopped", end="")
            self.await_baseline(baseline)
            graveyard.bury(frozen)
        for description in self.client.list_queues().queues:
            if description.name.startswith("torture"):
                self.client.purge(description.name)

    def held(self):
        """Without what is kept for whoever comes: the survivors go on filling queues and topics."""
        return {name: value for name, value in super().held().items()
                if name not in ("depth", "retained_bytes", "memory_bytes_used", "queues", "topics",
                                "keys", "descriptors")}


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""The history checker finds what it is there for: faults of every class are planted in a history
that was recorded from a daemon, and each is found, and said. The history itself is right."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "integration")]

from support.daemon import Daemon

from history.check import RULES, violations
from history.plants_messages import OF_QUEUES, OF_TOPICS
from history.plants_state import OF_CALLS, OF_KEYS, OF_SUMS
from history.workload import recorded

KINDS = {"queues": OF_QUEUES, "topics": OF_TOPICS, "keys": OF_KEYS, "calls": OF_CALLS,
         "sums": OF_SUMS}
# Channels of the workload, and all keys: as if others used them, too.
OUTSIDERS = ("queue/", "topic/", "responder/", "key/")


class Planted(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        daemon = Daemon()
        try:
            cls.events = recorded(daemon)
        finally:
            daemon.stop()

    # Clauses: N30 N36 N25 N15 N34
    def test_what_was_recorded_is_right(self):
        self.assertEqual(violations(self.events), [])
        self.assertEqual(violations(self.events, OUTSIDERS), [])
        operations = {event.operation for event in self.events}
        self.assertLessEqual({"send", "receive", "settle", "subscribed", "ready", "heard", "lagged",
                              "unheard", "set", "delete", "get", "list", "watched", "watch_mark",
                              "call", "serve", "describe"}, operations)

    # Clauses: N30 N36 N25 N15 N34
    def test_each_fault_is_found_and_said(self):
        fired = set()
        for kind, plants in KINDS.items():
            for name, sentence, plant in plants:
                with self.subTest(f"{kind}: {name}"):
                    events = list(self.events)
                    plant(events)
                    found = violations(events)
                    fired |= {one.rpartition("[")[2].rstrip("]") for one in found}
                    said = [one for one in found if sentence in one]
                    self.assertTrue(said, f"nothing says {sentence!r}: {found}")
                    print(f"{kind}: {name}: {said[0]}")
        self.assertEqual({rule.__name__ for rule in RULES} - fired, set(), "rules never seen fail")

    # Clauses: N30
    def test_a_history_of_some_is_judged_as_that(self):
        """Without the senders nobody can say what was sent; what is heard must still add up."""
        heard = [event for event in self.events if event.operation not in ("send", "describe")]
        self.assertEqual(violations(heard, OUTSIDERS), [])
        self.assertTrue(violations(heard))  # with nobody else there, it was all invented


if __name__ == "__main__":
    unittest.main()

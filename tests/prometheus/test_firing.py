# SPDX-License-Identifier: Apache-2.0
"""Each alert is made to fire by what it is about, in a real Prometheus that scrapes real daemons.
All causes stand side by side, one daemon each; the rules are the deployed ones made fast
(scaled.py). A daemon that serves well beside them raises none."""

import os
import sys
import unittest
from contextlib import ExitStack

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "integration"))

from support.eventually import eventually

import altered
import causes
from deployed import alerts
from load import Load
from observed import Observed
from prometheus import BOUND, Prometheus

# On a machine that is busy with much else, seconds in the place of minutes may be true of a daemon
# that serves well.
ABOUT_TIME = {"SluiceDown", "SluiceWorkerBusy", "SluiceOldestMessageTooOld", "SluiceStreamsStalled"}


class Firing(unittest.TestCase):

    def test_each_alert_fires_for_its_cause_and_none_without(self):
        with ExitStack() as held:
            begun = []
            for kind in causes.ALL + altered.ALL:
                cause = kind()
                held.callback(cause.end)
                begun.append(cause)
                cause.begin()
            self.assertEqual({name for cause in begun for name in cause.ALERTS},
                             {alert.name for alert in alerts()})
            well = Observed()
            held.callback(well.stop)
            load = Load(well.address, with_mishaps=False)
            held.callback(load.stop)
            prometheus = Prometheus(well.http_address, *[cause.target for cause in begun])
            held.callback(prometheus.stop)
            fired = self.watch(prometheus, begun)
            load.wait_rounds(1)  # it has not ended
            of_well = {name for name, instance in fired if instance == well.http_address}
            self.assertLessEqual(of_well, ABOUT_TIME)

    def watch(self, prometheus, begun):
        """Until each cause has had its alerts: all that have fired."""
        fired, waiting = set(), []

        def all_fired():
            for alert in prometheus.firing():
                self.assert_readable(alert)
                fired.add((alert["labels"]["alertname"], alert["labels"]["instance"]))
            waiting[:] = [(name, cause) for cause in begun for name in cause.ALERTS
                          if (name, cause.target) not in fired]
            for cause in {cause for _, cause in waiting}:
                cause.turn(prometheus)
            return not waiting
        try:
            eventually(all_fired, BOUND, "alerts")
        except AssertionError:
            self.fail("never fired: " + ", ".join(
                f"{name} for {type(cause).__name__}" for name, cause in waiting))
        return fired

    def assert_readable(self, alert):
        """What people are told is filled in."""
        told = alert["annotations"]
        self.assertIn(alert["labels"]["instance"], told["summary"])
        for text in told.values():
            for broken in ("<error", "<no value>", "%!", "{{", "NaN"):
                self.assertNotIn(broken, text)


if __name__ == "__main__":
    unittest.main()

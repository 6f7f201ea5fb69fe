# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes the real daemon under load of all four kinds: every expression that is
deployed has an answer, and what is documented is what is exported."""

import math
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "integration"))

from support.eventually import eventually

from deployed import dashboard_expressions, documented_metrics
from load import Load
from observed import Observed, families
from prometheus import BOUND, Prometheus

# What Grafana fills in.
FILLED_IN = {"$instance": ".+", "$__rate_interval": "10s"}
COMPARISON = re.compile(r" (==|!=|>=|<=|>|<) (?!bool )")


def answerable(expression):
    """With Grafana's variables filled in, and comparisons answering 0 or 1 instead of nothing: an
    alert that does not fire has no series, and is to show that all it looks at is there."""
    for variable, value in FILLED_IN.items():
        expression = expression.replace(variable, value)
    return COMPARISON.sub(r" \1 bool ", expression)


class Expressions(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = Observed("--memory-max", "64MiB")
        cls.load = Load(cls.daemon.address, with_mishaps=True)
        cls.prometheus = Prometheus(cls.daemon.http_address)

    @classmethod
    def tearDownClass(cls):
        cls.load.stop()
        cls.prometheus.stop()
        cls.daemon.stop()

    def assert_answered(self, expressions):
        """Each comes to have a value that is a number, while the load goes on."""
        unanswered = {}

        def all_answered():
            unanswered.clear()
            for expression in expressions:
                values = [value for _, value in self.prometheus.query(answerable(expression))]
                if not any(math.isfinite(value) for value in values):
                    unanswered[expression] = values
            return not unanswered
        try:
            eventually(all_answered, BOUND, "answers")
        except AssertionError:
            self.fail("without an answer:\n" + "\n".join(
                f"{expression}: {values}" for expression, values in unanswered.items()))
        self.load.wait_rounds(1)  # it has not ended

    def test_every_expression_of_the_rules_has_an_answer(self):
        rules = self.prometheus.rules()
        self.assertGreater(len(rules), 30)
        self.assert_answered([rule["query"] for rule in rules])
        self.assertEqual([rule["name"] for rule in self.prometheus.rules()
                          if rule["health"] == "err"], [])

    def test_every_expression_of_the_dashboard_has_an_answer(self):
        self.assert_answered(dashboard_expressions())

    def test_all_that_is_exported_is_documented_and_nothing_else(self):
        self.load.wait_rounds(2)
        exported, documented = families(self.daemon.page()), documented_metrics()
        self.assertEqual(set(exported), set(documented))
        for name, labels in exported.items():
            self.assertEqual(labels, documented[name], name)


if __name__ == "__main__":
    unittest.main()

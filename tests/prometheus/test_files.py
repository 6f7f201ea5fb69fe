# SPDX-License-Identifier: Apache-2.0
"""The files of deploy/prometheus and deploy/grafana by themselves, without a daemon."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import rule_cases
from deployed import (CONFIG, DASHBOARD, RULES, alerts, dashboard_expressions, documented_events,
                      logged_events, operations_headings, read)
from scaled import scaled_rules


def promtool(*words):
    done = subprocess.run(["promtool", *words], text=True, check=False, capture_output=True,
                          timeout=300)
    return done.returncode, done.stdout + done.stderr


class Rules(unittest.TestCase):

    def test_promtool_accepts_rules_and_configuration(self):
        for words in (("check", "rules", RULES), ("check", "config", CONFIG)):
            code, told = promtool(*words)
            self.assertEqual(code, 0, told)
            self.assertNotIn("FAILED", told)

    def test_each_alert_fires_and_does_not_fire(self):
        severities = {alert.name: alert.severity for alert in alerts()}
        self.assertEqual({case.alert for case in rule_cases.CASES}, set(severities))
        with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
            json.dump(rule_cases.promtool_tests(RULES, severities), file)  # JSON is YAML
            file.flush()
            code, told = promtool("test", "rules", file.name)
        self.assertEqual(code, 0, told)

    def test_each_alert_has_a_runbook_that_is_there(self):
        headings = operations_headings()
        for alert in alerts():
            self.assertIn(alert.severity, ("critical", "warning"), alert.name)
            self.assertEqual(alert.runbook, f"docs/operations.md#{alert.name.lower()}")
            self.assertIn(alert.name, headings)
        runbooks = {heading for heading in headings if re.fullmatch(r"Sluice[A-Z]\w+", heading)}
        self.assertEqual(runbooks, {alert.name for alert in alerts()})


    def test_scaling_changes_times_and_nothing_else(self):
        rules = ("    for: 10m\n  a_seconds_max > 300\n  b_seconds{kind=\"x\"} > 60\n"
                 "  changes(c_seconds[15m]) > 2\n  rate(d_total[5m]) > 0.9\n  e > 300\n")
        self.assertEqual(
            scaled_rules(rules), "    for: 10s\n  a_seconds_max > 5\n  b_seconds{kind=\"x\"} > 1\n"
            "  changes(c_seconds[15s]) > 2\n  rate(d_total[5s]) > 0.9\n  e > 300\n")
        times = r"(?<=for: )\d\w+|(?<=\[)\d\w+(?=\])|(?<=_seconds_max > )\d+"
        deployed, scaled = read(RULES), scaled_rules(read(RULES))
        self.assertEqual(re.sub(times, "TIME", deployed), re.sub(times, "TIME", scaled))
        for before, after in zip(re.findall(times, deployed), re.findall(times, scaled)):
            self.assertNotEqual(before, after)


class Log(unittest.TestCase):

    def test_every_event_is_documented_and_nothing_else(self):
        documented = documented_events()
        self.assertEqual(len(documented), len(set(documented)))
        self.assertEqual(set(documented), logged_events())


class Dashboard(unittest.TestCase):

    def test_is_what_its_table_makes(self):
        sys.path.insert(0, os.path.dirname(DASHBOARD))
        try:
            import dashboard  # pylint: disable=import-outside-toplevel
        finally:
            sys.path.pop(0)
        self.assertEqual(read(DASHBOARD), dashboard.text(),
                         "run python3 -B deploy/grafana/dashboard.py")

    def test_has_what_grafana_needs_to_provision_it(self):
        dashboard = json.loads(read(DASHBOARD))
        self.assertNotIn("id", dashboard)
        self.assertEqual(dashboard["uid"], "sluice")
        self.assertGreaterEqual(dashboard["schemaVersion"], 38)
        self.assertEqual([one["name"] for one in dashboard["templating"]["list"]],
                         ["datasource", "instance"])
        rows = [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"]
        self.assertEqual(rows, ["Overview", "Queues", "Topics", "Request/reply", "Config",
                                "Streams and sessions", "Self-defence", "Process"])
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_no_two_panels_overlap(self):
        taken = set()
        for panel in json.loads(read(DASHBOARD))["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells

    def test_every_panel_explains_itself_and_asks_the_chosen(self):
        for panel in json.loads(read(DASHBOARD))["panels"]:
            if panel["type"] == "row":
                continue
            self.assertTrue(panel["description"].endswith("."), panel["title"])
            self.assertEqual(panel["datasource"]["uid"], "$datasource")
        for expression in dashboard_expressions():
            selectors = re.findall(
                r"\b(?:sluice[_:]|grpc_server_|process_|up)[\w:]*\{([^}]*)\}", expression)
            self.assertTrue(selectors, expression)
            for inside in selectors:
                self.assertIn('instance=~"$instance"', inside, expression)


if __name__ == "__main__":
    unittest.main()

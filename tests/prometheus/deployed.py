# SPDX-License-Identifier: Apache-2.0
"""What is deployed, as the tests look at it: alerts, expressions, the pages of operations.md."""

import json
import os
import re
from dataclasses import dataclass

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
CONFIG = os.path.join(ROOT, "deploy", "prometheus", "prometheus.yml")
RULES = os.path.join(ROOT, "deploy", "prometheus", "rules.yml")
DASHBOARD = os.path.join(ROOT, "deploy", "grafana", "sluice.json")
OPERATIONS = os.path.join(ROOT, "docs", "operations.md")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


@dataclass(frozen=True)
class Alert:
    name: str
    severity: str
    runbook: str


def alerts():
    """In the order of the file."""
    return [Alert(*found) for found in re.findall(
        r"^      - alert: (\w+)$(?:\n(?!      - ).*)*?\n        labels: \{severity: (\w+)\}$"
        r"(?:\n(?!      - ).*)*?\n          runbook: (\S+)$", read(RULES), re.MULTILINE)]


def dashboard_expressions():
    """All of them, as they stand in the file, annotations included."""
    dashboard = json.loads(read(DASHBOARD))
    return ([target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
            + [one["expr"] for one in dashboard["annotations"]["list"]])


def operations_headings():
    return re.findall(r"^#+ (.*)$", read(OPERATIONS), re.MULTILINE)


def documented_events():
    """Of the log, in the order of operations.md."""
    return re.findall(r"^\| `(\w+)` \|", _section("Logs"), re.MULTILINE)


def logged_events():
    """That the sources of the daemon log."""
    found = set()
    for folder, _, names in os.walk(os.path.join(ROOT, "server")):
        for name in names:
            if name.endswith(".cc"):
                found |= set(re.findall(r"\bLog\([^;]*?LogLevel::k\w+,\s*\"(\w+)\"",
                                        read(os.path.join(folder, name))))
    return found


def _section(heading):
    [section] = re.findall(rf"^## {heading}$.*?(?=^## )", read(OPERATIONS),
                           re.MULTILINE | re.DOTALL)
    return section


def documented_metrics():
    """Metric -> its labels, of the tables of operations.md: of rows that begin with
    | `metric{labels}` |."""
    rows = re.findall(r"^\| `(\w+)(?:\{([a-z_, ]+)\})?` \|", _section("Metrics"), re.MULTILINE)
    return {name: set(filter(None, re.split(r",\s*", labels))) for name, labels in rows}

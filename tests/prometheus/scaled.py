# SPDX-License-Identifier: Apache-2.0
"""The deployed configuration with time made fast, by rule and not by hand, so that what the tests
run is what is deployed:

- a scrape and an evaluation each second instead of each 15 s;
- every `for:` and every window in brackets is a 60th: minutes become seconds. A window stays at
  least 5 s long, or it would not hold the two scrapes that a rate needs;
- what a metric in seconds is compared with (`..._seconds > 300`) is a 60th, too.
"""

import json
import re

FACTOR = 60
WINDOW_LEAST_S = 5
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_FOR = re.compile(r"^(\s*for: )(\d+)([smhd])$", re.MULTILINE)
_WINDOW = re.compile(r"\[(\d+)([smhd])\]")
_IN_SECONDS = re.compile(r"(_seconds(?:_max)?(?:\{[^}]*\})?\)* (?:>|>=|<|<=) )(\d+)\b")
_INTERVAL = re.compile(r"^(\s*(?:scrape|evaluation)_interval: )\d+s$", re.MULTILINE)
_TARGETS = re.compile(r"^(\s*- targets: )\[.*\]$", re.MULTILINE)


def _scaled(count, unit="s"):
    return max(int(count) * SECONDS[unit] / FACTOR, 1)


def scaled_rules(text):
    """Rules of Prometheus, as text."""
    text = _FOR.sub(lambda m: f"{m[1]}{_scaled(m[2], m[3]):.0f}s", text)
    text = _IN_SECONDS.sub(lambda m: f"{m[1]}{_scaled(m[2]):.0f}", text)
    return _WINDOW.sub(
        lambda m: f"[{max(_scaled(m[1], m[2]), WINDOW_LEAST_S):.0f}s]", text)


def scaled_config(text, targets):
    """prometheus.yml, as text, for these targets."""
    text, intervals = _INTERVAL.subn(r"\g<1>1s", text)
    text, lists = _TARGETS.subn(lambda m: m[1] + json.dumps(list(targets)), text)
    assert intervals == 2 and lists == 1, "deploy/prometheus/prometheus.yml has another form"
    return text

# SPDX-License-Identifier: Apache-2.0
"""The daemon under test with its HTTP port, and a page of its metrics as text and as numbers."""

import re

from support.daemon import Daemon

from prometheus import fetch

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Observed(Daemon):
    """On this HTTP address; a free one, if it is not given."""

    def __init__(self, *options, http="127.0.0.1:0", **more):
        super().__init__("--http", http, *options, **more)

    def page(self):
        status, text = fetch(f"http://{self.http_address}/metrics")
        assert status == 200, text
        return text


def samples(page):
    """Of a page: (metric, labels as a dictionary, value), one by one."""
    for line in page.splitlines():
        if line and not line.startswith("#"):
            match = _SAMPLE.match(line)
            assert match, line
            yield match[1], dict(_LABEL.findall(match[2] or "")), float(match[3])


def families(page):
    """Metric -> its labels. A histogram is one metric, without `le`."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE))
    found = {name: set() for name in types}
    for name, labels, _ in samples(page):
        if name not in types:
            name = re.sub(r"_(bucket|sum|count)$", "", name)
            assert types.get(name) == "histogram", name
        found[name] |= set(labels) - {"le"}
    return found

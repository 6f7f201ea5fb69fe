# SPDX-License-Identifier: Apache-2.0
"""What is sampled of the daemon each second: its process, what it says that it holds, and the sums
that must hold in every answer."""

import os
import re
import urllib.request

from ledger import Ledger
from support.client import Client

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
# Of the plot and the table; the rest of LiveCounts is looked at before and after.
LIVE = ("streams", "calls", "sessions", "leases", "depth", "in_flight", "retained_bytes",
        "waiting_sends", "subscribers", "workers", "watchers")
# The gauges of /metrics that are 0 when nothing is lost; they are sums over channels in one look.
IMBALANCE = re.compile(r"^(sluice_conservation_imbalance(?:\{[^}]*\})?) (\S+)", re.MULTILINE)


class Sampler:
    """Asks on a connection of its own. Not thread-safe."""

    def __init__(self, daemon):
        self._pid, self._metrics = daemon.pid, f"http://{daemon.http_address}/metrics"
        self.client = Client(daemon.address)
        self.ledger = Ledger(self.client)
        self._cpu = self._cpu_seconds()

    def live(self):
        """Every live count, while nobody else asks."""
        live = self.client.info().live
        return {field.name: getattr(live, field.name) for field in live.DESCRIPTOR.fields}

    def process(self):
        """RSS in bytes, open descriptors, threads."""
        with open(f"/proc/{self._pid}/status", encoding="ascii") as status:
            text = status.read()
        return {"rss_bytes": int(re.search(r"VmRSS:\s+(\d+)", text)[1]) * 1024,
                "descriptors": len(os.listdir(f"/proc/{self._pid}/fd")),
                "threads": int(re.search(r"Threads:\s+(\d+)", text)[1])}

    def sample(self):
        """One row, without its time."""
        cpu = self._cpu_seconds()
        used, self._cpu = cpu - self._cpu, cpu
        live = self.live()
        self.ledger.check_sums()
        self._check_metrics()
        return {**self.process(), "cpu_seconds": round(used, 3),
                **{name: live[name] for name in LIVE}}

    def _cpu_seconds(self):
        with open(f"/proc/{self._pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def _check_metrics(self):
        with urllib.request.urlopen(self._metrics, timeout=60) as answer:
            found = IMBALANCE.findall(answer.read().decode())
        differ = [f"{name} is {value}" for name, value in found if float(value) != 0]
        if differ or not found:
            raise AssertionError(f"a sum does not hold in /metrics: {differ or 'it has none'}")

    def close(self):
        self.client.close()

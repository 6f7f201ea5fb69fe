#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A long run of mixed load on all kinds while clients are killed at random: by kill -9, by being
stopped, by resets. Ends with a verdict: memory that does not grow, sums that hold, no line in the
log that does not belong there, and nothing held when the load is over.

Usage: tests/soak/run.py [--minutes 30] [--seed S] [--rate 1.0] [--out FOLDER]
Writes soak.csv, a row each second, and soak.svg. SLUICED and TEST_STUBS name the daemon and the
generated stubs; without them those of build/release are taken.
"""

import argparse
import csv
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
RELEASE = os.path.join(os.path.dirname(TESTS), "build", "release")
os.environ.setdefault("SLUICED", os.path.join(RELEASE, "server", "sluiced"))
os.environ.setdefault("TEST_STUBS", os.path.join(RELEASE, "tests", "integration", "stubs"))
sys.path[:0] = [HERE, os.path.join(TESTS, "torture"), os.path.join(TESTS, "integration")]
os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:3])

import grpc
from killers import Killers
from load import Load
from parties import PARTIES
from plot import draw
from sampler import Sampler
from support.daemon import Daemon
from verdict import judge_counts, judge_log, judge_memory

SETTLED_BOUND_S = 60.0
STUCK_S = 60
# What stays when all is deleted: the daemon remembers deleted keys for a while.
STAYS = ("retained_bytes", "memory_bytes_used")


class Soak:
    def __init__(self, options):
        self.options = options
        self.daemon = Daemon("--http", "127.0.0.1:0", "--drain-grace-ms", "2000")
        self.sampler = Sampler(self.daemon)
        self.before = self.held()
        self.loads = [Load(kind, self.daemon.address, options.rate) for kind in PARTIES]
        self.killers = Killers(self.daemon, options.seed)
        self.rows, self.faults = [], []

    def held(self):
        live = self.sampler.live()
        return {name: value for name, value in live.items() if name not in STAYS}

    def run(self):
        """The load, sampled, until its time is over or it has failed."""
        for load in self.loads:
            load.wait_going()
        self.killers.start()
        began = time.monotonic()
        self.sampler.sample()
        for second in range(1, int(self.options.minutes * 60) + 1):
            time.sleep(max(0.0, began + second - time.monotonic()))
            self.rows.append(self._row(time.monotonic() - began))
            if second % 60 == 0:
                self._tell(second // 60)
            if self.killers.failure or not all(load.is_running() for load in self.loads):
                break
            if stuck := self._stuck():
                self.faults.append(f"nothing done for {STUCK_S} s: {', '.join(stuck)}")
                break

    def _stuck(self):
        rows = self.rows[-STUCK_S:]
        return [load.kind for load in self.loads
                if len(rows) == STUCK_S and not any(row[f"{load.kind}_done"] for row in rows)]

    def _row(self, seconds):
        row = {"t": round(seconds, 2), **self.sampler.sample(), **self.killers.counts}
        for load in self.loads:
            for name, value in (load.told or {}).items():
                row[f"{load.kind}_{name}"] = value if value is None else round(value, 2)
        return row

    def _tell(self, minute):
        row = self.rows[-1]
        rates = ", ".join(f"{load.kind} {row[f'{load.kind}_done']:.0f}" for load in self.loads)
        print(f"minute {minute}: RSS {row['rss_bytes'] / 2**20:.1f} MiB, "
              f"CPU {row['cpu_seconds']}, {row['streams']} streams, a second: {rates}; "
              f"dead: {self.killers.counts}", flush=True)

    def finish(self):
        """Ends the load, looks at what is left, ends the daemon: (sentence, is well) of each."""
        verdicts = []
        for load in self.loads:
            self.faults += load.finish()
        self.killers.finish()
        self.sampler.ledger.check()
        verdicts.append(("sums: exact in every look at every channel", True))
        self.sampler.ledger.close_all()
        deadline = time.monotonic() + SETTLED_BOUND_S
        while self.held() != self.before and time.monotonic() < deadline:
            time.sleep(0.05)
        verdicts.append(judge_counts("live counts", self.before, self.held()))
        self.sampler.close()
        self.daemon.terminate()
        verdicts.append(judge_log(self.daemon.wait()))
        verdicts.append((f"steady clients: {self.faults or 'nothing lost, nothing out of order'}",
                         not self.faults))
        verdicts.append(judge_memory([(row["t"], row["rss_bytes"]) for row in self.rows]))
        return verdicts

    def write(self):
        os.makedirs(self.options.out, exist_ok=True)
        path = os.path.join(self.options.out, "soak.csv")
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.rows[-1], extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)
        deaths = ", ".join(f"{count} {how}" for how, count in self.killers.counts.items())
        draw(self.rows, f"{self.rows[-1]['t'] / 60:.0f} minutes, seed {self.options.seed}, "
                        f"clients {deaths}", os.path.join(self.options.out, "soak.svg"))
        print(f"soak: {path}, soak.svg")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--rate", type=float, default=1.0, help="of the steady load")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(RELEASE), "soak"))
    options = parser.parse_args()
    print(f"soak: {options.minutes:g} minutes, seed {options.seed}", flush=True)
    soak = Soak(options)
    try:
        soak.run()
        verdicts = soak.finish()
        soak.write()
    except (AssertionError, grpc.RpcError, OSError) as failure:
        print(f"soak: FAILED with seed {options.seed}: {failure}\n{soak.daemon.log()}")
        for load in soak.loads:
            load.kill()
        soak.daemon.kill()
        return 1
    for sentence, is_well in verdicts:
        print(f"{'ok  ' if is_well else 'FAIL'} {sentence}")
    is_well = all(well for _, well in verdicts)
    print(f"soak: {'passed' if is_well else f'FAILED with seed {options.seed}'}")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())

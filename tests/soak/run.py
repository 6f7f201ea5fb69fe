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

from killers import Killers
from loads import Load
from parties import PARTIES
from plot import draw
from sampler import Sampler
from support.daemon import Daemon
from support.eventually import eventually
from verdict import (SHORTEST_S, STUCK_S, judge_account, judge_counts, judge_log, judge_memory,
                     stuck)

# Two minutes after its end a channel is forgotten, and so are producers.
SETTLED_BOUND_S = 150.0
# What is not as before when all is deleted, since deleted keys are remembered. See judge_account.
STAYS = ("retained_bytes", "memory_bytes_used")


class Soak:
    def __init__(self, options):
        self.options = options
        self.daemon = Daemon("--http", "127.0.0.1:0", "--drain-grace-ms", "2000")
        self.sampler, self.before, self.killers, self.loads = None, None, None, []
        self.rows, self.faults = [], []

    def start(self):
        """The parties of the load, and who will be killed."""
        self.sampler = Sampler(self.daemon)
        self.before, _ = self.held()
        for kind in PARTIES:
            self.loads.append(Load(kind, [sys.executable, "-B", os.path.join(HERE, "load.py"), kind,
                                          self.daemon.address, str(self.options.rate)]))
        self.killers = Killers(self.daemon, self.options.seed)

    def kill(self):
        """What is still there, whatever failed."""
        for load in self.loads:
            load.kill()
        if self.killers:
            self.killers.kill()
        self.daemon.kill()

    def log(self):
        """Of the daemon, if it has not ended in good order."""
        try:
            return self.daemon.log()
        except ValueError:  # it has, and its files are closed
            return ""

    def held(self):
        """Counts that are to be as before; and what the budget was charged, what is retained."""
        live = self.sampler.live()
        return ({name: value for name, value in live.items() if name not in STAYS},
                (live["memory_bytes_used"], live["retained_bytes"]))

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
            if kinds := stuck(self.rows, PARTIES):
                self.faults.append(f"nothing done for {STUCK_S} s: {', '.join(kinds)}")
                break

    def _row(self, seconds):
        row = {"t": round(seconds, 2), **self.sampler.sample(), **self.killers.counts}
        for load in self.loads:
            for name, value in load.seen().items():
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
        eventually(self._are_all_gone, SETTLED_BOUND_S, "that the daemon has seen everybody go")
        self.sampler.ledger.check()
        verdicts.append(("sums: exact in every look at every channel", True))
        self.sampler.ledger.close_all()
        verdicts += self._settled()
        self.sampler.close()
        self.daemon.terminate()
        verdicts.append(judge_log(self.daemon.wait()))
        verdicts.append((f"steady clients: {self.faults or 'nothing lost, nothing out of order'}",
                         not self.faults))
        verdicts.append(judge_memory([(row["t"], row["rss_bytes"]) for row in self.rows]))
        return verdicts

    def _are_all_gone(self):
        held, _ = self.held()
        return all(held[name] == self.before[name] for name in ("streams", "sessions"))

    def _settled(self):
        """Waits until nothing is held any more, or its time is over: what is held then."""
        deadline = time.monotonic() + SETTLED_BOUND_S
        while True:
            held, account = self.held()
            verdicts = [judge_counts("live counts", self.before, held), judge_account(*account)]
            if all(is_well for _, is_well in verdicts) or time.monotonic() > deadline:
                return verdicts
            time.sleep(0.05)

    def write(self):
        os.makedirs(self.options.out, exist_ok=True)
        path = os.path.join(self.options.out, "soak.csv")
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.rows[-1], extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)
        print(f"soak: {path}")
        if self.rows[-1]["t"] < SHORTEST_S:
            return
        deaths = ", ".join(f"{count} {how}" for how, count in self.killers.counts.items())
        draw(self.rows, f"{self.rows[-1]['t'] / 60:.0f} minutes, seed {self.options.seed}, "
                        f"clients {deaths}", os.path.join(self.options.out, "soak.svg"))
        print("soak: and soak.svg beside it")


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
        soak.start()
        soak.run()
        verdicts = soak.finish()
        for sentence, is_well in verdicts:
            print(f"{'ok  ' if is_well else 'FAIL'} {sentence}", flush=True)
        soak.write()
    except Exception as failure:  # pylint: disable=broad-except
        print(f"soak: FAILED with seed {options.seed}: {type(failure).__name__}: {failure}",
              *soak.faults, soak.log(), sep="\n")
        return 1
    finally:
        soak.kill()
    is_well = all(well for _, well in verdicts)
    print(f"soak: {'passed' if is_well else f'FAILED with seed {options.seed}'}")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Compare-and-set under contention, from threads and from other processes: one winner each."""

import json
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

from support import wire
from support.config import NOT_THERE, at
from support.config_case import ConfigCase

OK, CONFLICT = wire.OUTCOME_OK, wire.OUTCOME_CONFLICT
# A client of its own: counts to so many, and tells the versions that it won.
COUNTER = """
import json, sys
from support import wire
from support.client import Client
from support.config import NOT_THERE, at
client, key, wins = Client(sys.argv[1]).config, sys.argv[2], []
entry, value = None, 0
while len(wins) < int(sys.argv[3]):
    reply = client.set(key, value + 1, expect=at(entry) if entry else NOT_THERE)
    if reply.outcome == wire.OUTCOME_OK:
        wins.append((reply.entry.version, value + 1))
        entry, value = reply.entry, value + 1
    else:
        assert reply.outcome == wire.OUTCOME_CONFLICT, reply
        entry, value = reply.entry, int(reply.entry.value)
print(json.dumps(wins))
"""


class Races(ConfigCase):

    # Clauses: N36
    def test_X54_exactly_one_wins(self):
        clients = [self.new_client() for _ in range(4)]
        watcher = self.new_client().config.watcher(self.name).wait_end_mark()
        entry, won = None, []
        with ThreadPoolExecutor(4) as pool:
            for turn in range(50):
                expect = at(entry) if entry else NOT_THERE
                replies = list(pool.map(
                    lambda i, turn=turn, expect=expect: clients[i].config.set(
                        self.name, f"{turn}:{i}", expect=expect), range(4)))
                outcomes = [reply.outcome for reply in replies]
                self.assertEqual(sorted(outcomes), [OK, CONFLICT, CONFLICT, CONFLICT])
                winner = outcomes.index(OK)
                entry = replies[winner].entry
                self.assertEqual(entry.version, turn + 1)
                for reply in replies:
                    if reply.outcome == CONFLICT:
                        self.assertEqual((reply.entry.value, at(reply.entry)),
                                         (f"{turn}:{winner}".encode(), at(entry)))
                won.append((self.name, f"{turn}:{winner}".encode()))
                watcher.wait_revision(entry.revision)
        self.assertEqual(watcher.told(), won)  # one entry each, and no refused value

    # Clauses: N36 W23
    def test_processes_count_together(self):
        each, count = 50, 3
        self.outsiders = ["key/" + self.name]
        watcher = self.client.config.watcher(self.name).wait_end_mark()
        processes = [subprocess.Popen(
            [sys.executable, "-B", "-c", COUNTER, self.daemon.address, self.name, str(each)],
            stdout=subprocess.PIPE, text=True) for _ in range(count)]
        wins = []
        for process in processes:
            out, _ = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0)
            wins += [tuple(win) for win in json.loads(out)]
        # Every version was won once, by who knew the value before it.
        self.assertEqual(sorted(wins), [(i, i) for i in range(1, each * count + 1)])
        self.assertEqual(self.value_of(self.name), str(each * count).encode())
        watcher.wait_revision(self.client.config.get(self.name).entry.revision)
        values = [int(value) for _, value in watcher.told()]
        self.assertEqual(values, sorted(set(values)))  # it may skip, and never goes back
        self.assertEqual(values[-1], each * count)

    # Clauses: N36 N37
    def test_delete_races_with_set(self):
        other = self.new_client()
        with ThreadPoolExecutor(2) as pool:
            for i in range(50):
                entry = self.set(self.name, i)
                setting = pool.submit(self.client.config.set, self.name, "new", expect=at(entry))
                deleting = pool.submit(other.config.delete, self.name, expect=at(entry))
                outcomes = setting.result().outcome, deleting.result().outcome
                self.assertIn(outcomes, ((OK, CONFLICT), (CONFLICT, OK)))
                there = b"new" if outcomes[0] == OK else None
                self.assertEqual(self.value_of(self.name), there)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""GetKey that waits: each condition, its bound, and that a wait leaves nothing behind."""

import time
import unittest

import grpc

from support import wire
from support.config import at
from support.config_case import ConfigCase
from support.eventually import eventually

OK, ABSENT, TIMED_OUT = wire.OUTCOME_OK, wire.OUTCOME_ABSENT, wire.OUTCOME_TIMED_OUT
LONG_MS = 60_000


def above(entry):
    return {"version_above": at(entry), "wait_ms": LONG_MS}


class Waiting(ConfigCase):

    # Clauses: N39
    def test_X57_version_above(self):
        key = self.name
        first = self.set(key, "a")
        waiting = self.client.config.get_later(key, **above(first))
        self.eventually_watchers(key, 1)
        second = self.set(key, "b")
        reply = waiting.result()
        self.assertEqual((reply.outcome, reply.entry.value, at(reply.entry)),
                         (OK, b"b", at(second)))
        # Already true: at once.
        reply = self.client.config.get(key, **above(first))
        self.assertEqual((reply.outcome, reply.entry.version), (OK, 2))
        began = time.monotonic()
        reply = self.client.config.get(key, version_above=at(second), wait_ms=150)
        self.assertGreaterEqual(time.monotonic() - began, 0.14)
        self.assertEqual((reply.outcome, reply.entry.value, reply.entry.version),
                         (TIMED_OUT, b"b", 2))
        reply = self.client.config.get(key)
        self.assertEqual(reply.watchers, 0)  # nothing is left behind

    # Clauses: N39 N37
    def test_version_above_over_lives(self):
        key = self.name
        first = self.set(key, "a")
        waiting = self.client.config.get_later(key, **above(first))
        self.eventually_watchers(key, 1)
        self.client.config.delete(key)  # an absent key fulfils nothing
        self.assertEqual(self.client.config.get(key).watchers, 1)
        self.assertFalse(waiting.done())
        again = self.set(key, "again")
        self.assertEqual(at(waiting.result().entry), at(again))
        self.assertEqual(self.client.config.get(key, **above(first)).entry.value, b"again")
        nothing = self.client.config.get(key + ".absent", wait_ms=LONG_MS)
        self.assertEqual(nothing.outcome, ABSENT)  # without a condition nothing is waited for

    # Clauses: N39
    def test_exists(self):
        key = self.name
        for fields in ({"exists": True}, {"version_above": wire.KeyVersion()}):
            waiting = self.client.config.get_later(key, wait_ms=LONG_MS, **fields)
            self.eventually_watchers(key, 1)
            entry = self.set(key, "here")
            self.assertEqual((waiting.result().outcome, at(waiting.result().entry)),
                             (OK, at(entry)))
            self.assertEqual(self.client.config.get(key, wait_ms=LONG_MS, **fields).outcome, OK)
            self.client.config.delete(key)
            reply = self.client.config.get(key, wait_ms=50, **fields)
            self.assertEqual((reply.outcome, reply.HasField("entry")), (TIMED_OUT, False))

    # Clauses: N39 W19
    def test_equals(self):
        key = self.name
        waiting = self.client.config.get_later(key, equals=b"ready", wait_ms=LONG_MS)
        self.eventually_watchers(key, 1)
        for value in ("starting", "read", "ready ", ""):
            self.set(key, value)
        self.assertFalse(waiting.done())
        wanted = self.set(key, "ready")
        self.set(key, "ready")
        reply = waiting.result()
        # What is answered fulfilled the condition, whatever has come since.
        self.assertEqual((reply.outcome, reply.entry.value), (OK, b"ready"))
        self.assertGreaterEqual(reply.entry.version, wanted.version)
        self.set(key, "stopping")
        reply = self.client.config.get(key, equals=b"ready", wait_ms=50)
        self.assertEqual((reply.outcome, reply.entry.value), (TIMED_OUT, b"stopping"))
        empty = self.client.config.get_later(key, equals=b"", wait_ms=LONG_MS)
        self.eventually_watchers(key, 1)
        self.set(key, "")
        self.assertEqual(empty.result().outcome, OK)

    # Clauses: N39
    def test_without_a_wait_it_is_judged_at_once(self):
        key = self.name
        self.assertEqual(self.client.config.get(key, exists=True).outcome, TIMED_OUT)
        entry = self.set(key, "a")
        self.assertEqual(self.client.config.get(key, exists=True).outcome, OK)
        reply = self.client.config.get(key, version_above=at(entry))
        self.assertEqual((reply.outcome, at(reply.entry)), (TIMED_OUT, at(entry)))
        self.assertEqual(self.client.config.get(key, equals=b"a").outcome, OK)

    # Clauses: N39 W26
    def test_a_wait_leaves_nothing_behind_however_it_ends(self):
        key = self.name
        entry = self.set(key, "a")
        proxy = self.new_proxy()
        cancelled = self.client.config.get_later(key, **above(entry))
        killed = self.new_client(proxy.address).config.get_later(key, **above(entry))
        dead = self.client.config.get_later(key, timeout=0.2, **above(entry))
        eventually(dead.done, what="the deadline")
        self.assertEqual(dead.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.eventually_watchers(key, 2)
        cancelled.cancel()
        self.eventually_watchers(key, 1)
        proxy.reset()
        self.eventually_watchers(key, 0)
        eventually(killed.done, what="its end")
        # Nor does one for a key that never was.
        absent = self.client.config.get_later(key + ".absent", exists=True, wait_ms=LONG_MS)
        self.eventually_watchers(key + ".absent", 1)
        self.assertEqual(len(self.client.config.list().entries), 1)
        absent.cancel()
        self.eventually_watchers(key + ".absent", 0)
        self.assertEqual(self.client.config.set(key + ".absent", 1,
                                                require_watchers=True).outcome,
                         wire.OUTCOME_NO_SUBSCRIBERS)

    # Clauses: N39 W22
    def test_one_set_ends_every_wait(self):
        key = self.name
        clients = [self.new_client() for _ in range(4)]
        entry = self.set(key, 0)
        for _ in range(5):
            waiting = [clients[i % 4].config.get_later(key, **above(entry)) for i in range(100)]
            self.eventually_watchers(key, 100)
            reply = self.client.config.set(key, "next")
            self.assertEqual(reply.watchers, 100)
            entry = reply.entry
            self.assertEqual({at(call.result().entry).SerializeToString() for call in waiting},
                             {at(entry).SerializeToString()})
            self.assertEqual(self.client.config.get(key).watchers, 0)


if __name__ == "__main__":
    unittest.main()

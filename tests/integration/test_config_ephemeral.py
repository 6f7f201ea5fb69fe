# SPDX-License-Identifier: Apache-2.0
"""Keys and their setters: an ordinary one outlives it, an ephemeral one ends with its session."""

import time
import unittest

import grpc

from support import wire
from support.config_case import ConfigCase


class Ephemeral(ConfigCase):

    def session(self, client=None, **fields):
        """A session: its stream, and its id."""
        keeper = (client or self.client).keep(**fields)
        return keeper, keeper.wait_kept().session_id

    # Clauses: N40
    def test_X56_a_key_lives_until_deleted_and_an_ephemeral_one_with_its_session(self):
        proxy = self.new_proxy()
        setter = self.new_client(proxy.address)
        _, session = self.session(setter)
        standing, tied = self.name + ".standing", self.name + ".tied"
        watcher = self.client.config.watcher(prefixes=[self.name]).wait_end_mark()
        setter.config.set(standing, "a")
        entry = setter.config.set(tied, "here", session_id=session).entry
        self.assertTrue(entry.ephemeral)
        self.assertTrue(self.client.config.get(tied).entry.ephemeral)
        proxy.reset()
        watcher.wait_revision(entry.revision + 1)
        tombstone = watcher.entries[-1]
        self.assertEqual((tombstone.key, tombstone.deleted, tombstone.version, tombstone.epoch),
                         (tied, True, 2, entry.epoch))
        self.assertEqual((self.value_of(standing), self.value_of(tied)), (b"a", None))
        self.assert_fault(lambda: self.client.config.set(tied, "x", session_id=session),
                          grpc.StatusCode.FAILED_PRECONDITION, "SESSION_GONE")
        self.assertIsNone(self.value_of(tied))

    # Clauses: N40 N3
    def test_lingering_keeps_it_and_who_comes_back_has_it(self):
        proxy = self.new_proxy()
        setter = self.new_client(proxy.address)
        keeper, session = self.session(setter, linger_ms=60_000)
        self.set(self.name, "a", session_id=session)
        proxy.reset()
        keeper.end()
        self.assertEqual(self.value_of(self.name), b"a")
        again = self.client.keep(session_id=session)
        self.assertTrue(again.wait_kept().resumed)
        self.assertEqual(self.value_of(self.name), b"a")
        watcher = self.client.config.watcher(self.name).wait_end_mark()
        again.half_close()
        self.assertEqual(again.end(), wire.CLOSED_REASON_FINISHED)
        watcher.until(lambda: watcher.told() == [(self.name, None)], what="its tombstone")

    # Clauses: N40
    def test_the_last_set_says_whose_it_is(self):
        first, first_id = self.session()
        second, second_id = self.session(self.new_client())
        names = moved, freed, dropped = [f"{self.name}.{i}" for i in range(3)]
        for name in names:
            self.set(name, "first", session_id=first_id)
        self.assertTrue(self.set(moved, "second", session_id=second_id).ephemeral)
        self.assertFalse(self.set(freed, "stands").ephemeral)
        watcher = self.client.config.watcher(prefixes=[self.name]).wait_end_mark()
        first.half_close()
        first.end()
        watcher.until(lambda: watcher.told() == [(dropped, None)], what="the end of one")
        self.assertEqual([self.value_of(name) for name in names], [b"second", b"stands", None])
        second.half_close()
        second.end()
        watcher.until(lambda: watcher.told() == [(dropped, None), (moved, None)],
                      what="the end of the other")
        self.assertEqual(self.value_of(freed), b"stands")

    # Clauses: N40 N37
    def test_a_session_ends_its_own_life_of_the_key_alone(self):
        keeper, session = self.session()
        self.set(self.name, "tied", session_id=session)
        self.client.config.delete(self.name)
        again = self.set(self.name, "of another life")
        other = self.name + ".other"
        self.set(other, "last", session_id=session)
        keeper.half_close()
        keeper.end()
        watcher = self.client.config.watcher(self.name, other).wait_end_mark()
        watcher.until(lambda: other not in watcher.there, what="the end of the session's key")
        self.assertEqual(self.client.config.get(self.name).entry.epoch, again.epoch)

    # Clauses: N40
    def test_conditions_hold_for_ephemeral_sets(self):
        keeper, session = self.session()
        self.set(self.name, "standing")
        refused = self.client.config.set(self.name, "x", session_id=session,
                                         expect=wire.KeyVersion())
        self.assertEqual(refused.outcome, wire.OUTCOME_CONFLICT)
        refused = self.client.config.set(self.name, "x", session_id=session,
                                         require_watchers=True)
        self.assertEqual(refused.outcome, wire.OUTCOME_NO_SUBSCRIBERS)
        keeper.half_close()  # it was tied to nothing
        keeper.end()
        self.assertEqual(self.value_of(self.name), b"standing")


class Vanished(ConfigCase):
    OPTIONS = ("--keepalive-time-ms", "1000", "--keepalive-timeout-ms", "3000")

    # Clauses: N40 N19
    def test_X56_a_vanished_session_ends_within_the_keepalive_bound(self):
        watcher = self.client.config.watcher(self.name).wait_end_mark()
        proxy = self.new_proxy()
        vanishing = self.new_client(proxy.address)
        session = vanishing.keep().wait_kept().session_id
        entry = vanishing.config.set(self.name, "here", session_id=session).entry
        lost = vanishing.config.watcher(self.name).wait_end_mark()
        watcher.wait_revision(entry.revision)
        self.assertEqual(self.client.config.get(self.name).watchers, 2)
        proxy.fall_silent()
        began = time.monotonic()
        watcher.wait_revision(entry.revision + 1)
        took = time.monotonic() - began
        print(f"tombstone of a vanished session after {took:.2f} s, bound 4 s")
        self.assertEqual(watcher.told(), [(self.name, b"here"), (self.name, None)])
        self.eventually_watchers(self.name, 1)
        lost.cancel()
        lost.end()


if __name__ == "__main__":
    unittest.main()

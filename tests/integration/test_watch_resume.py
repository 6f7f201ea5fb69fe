# SPDX-License-Identifier: Apache-2.0
"""Coming back to a watch: silence, what changed, tombstones, or a reset; and going down."""

import os
import random
import unittest

from support import wire
from support.case import EndingDaemon
from support.config_case import ConfigCase
from support.eventually import BOUND, eventually

DOWN = wire.CLOSED_REASON_SHUTTING_DOWN
TOMBSTONES = 10_000


class Resume(ConfigCase):

    def left(self, *keys, **fields):
        """Where a watcher was when it left, and what it had."""
        watcher = self.client.config.watcher(*keys, **fields).wait_end_mark()
        watcher.cancel()
        watcher.end()
        return watcher.point

    # Clauses: N38
    def test_X55_nothing_changed(self):
        self.set(self.name, "a")
        point = self.left(self.name)
        self.set(self.name + ".not-watched", "b")
        back = self.client.config.watcher(self.name, resume=point).wait_end_mark()
        self.assertEqual((back.entries, back.reset), ([], None))
        self.assertEqual(back.end_mark.service_epoch, point[0])
        self.assertGreaterEqual(back.end_mark.revision, point[1])
        entry = self.set(self.name, "c")
        back.wait_revision(entry.revision)
        self.assertEqual(back.told(), [(self.name, b"c")])

    # Clauses: N38 N37
    def test_X55_what_changed_since(self):
        for key in ("same", "set", "deleted", "reborn"):
            self.set(key, "old")
        point = self.left(prefixes=[""])
        for value in ("1", "2", "3"):
            self.set("set", value)
        self.client.config.delete("deleted")
        self.client.config.delete("reborn")
        self.set("reborn", "new")
        self.set("made", "new")
        self.set("came-and-went", "x")
        last = self.client.config.delete("came-and-went").entry
        back = self.client.config.watcher(prefixes=[""], resume=point).wait_end_mark()
        self.assertIsNone(back.reset)
        self.assertEqual(back.before_end(), [("set", b"3"), ("deleted", None), ("reborn", b"new"),
                                             ("made", b"new"), ("came-and-went", None)])
        self.assertEqual(back.point, (point[0], last.revision))
        # From there once more: nothing.
        again = self.client.config.watcher(prefixes=[""], resume=back.point).wait_end_mark()
        self.assertEqual(again.entries, [])

    # Clauses: N38
    def test_the_last_entry_received_is_the_point(self):
        watcher = self.client.config.watcher(prefixes=[""]).wait_end_mark()
        revisions = [self.set(f"k{i}", i).revision for i in range(5)]
        watcher.wait_revision(revisions[-1])
        epoch = watcher.point[0]
        for i, revision in enumerate(revisions):
            back = self.client.config.watcher(prefixes=[""], resume=(epoch, revision))
            back.wait_end_mark()
            self.assertEqual([key for key, _ in back.before_end()],
                             [f"k{j}" for j in range(i + 1, 5)])

    # Clauses: N38 N34 W7
    def test_a_watcher_that_is_lost_and_comes_back_misses_no_state(self):
        seed = int(os.environ.get("SLUICE_SEED", random.randrange(1 << 32)))
        print(f"SLUICE_SEED={seed}")
        draw = random.Random(seed)
        there, point, last = {}, None, self.set("lost.first").revision
        for _ in range(25):
            proxy = self.new_proxy()
            watcher = self.new_client(proxy.address).config.watcher(prefixes=["lost."],
                                                                    resume=point)
            seen = draw.randrange(last, last + 30)
            for _ in range(30):
                key = f"lost.{draw.randrange(8)}"
                if draw.random() < 0.3 and self.value_of(key) is not None:
                    last = self.client.config.delete(key).entry.revision
                else:
                    last = self.set(key, draw.random()).revision
            watcher.wait_revision(min(seen, last))
            proxy.reset()
            watcher.end()
            self.assertIsNone(watcher.reset)
            point = watcher.point
            for entry in watcher.entries:  # as any client would keep its state
                if entry.deleted:
                    there.pop(entry.key, None)
                else:
                    there[entry.key] = entry.value
        final = self.client.config.watcher(prefixes=["lost."], resume=point).wait_end_mark()
        for key, value in final.before_end():
            there[key] = value
        self.assertEqual({key: value for key, value in there.items() if value is not None},
                         {entry.key: entry.value for entry in self.client.config.list_all()})

    # Clauses: N38
    def test_a_point_that_never_was_is_a_reset(self):
        self.set(self.name, "a")
        epoch, revision = self.left(self.name)
        for point in ((epoch + 1, revision), (epoch, revision + 1000), (0, 0)):
            back = self.client.config.watcher(self.name, resume=point).wait_end_mark()
            self.assertEqual((back.reset.service_epoch, back.end_mark.service_epoch),
                             (epoch, epoch))
            self.assertEqual(back.before_end(), [(self.name, b"a")])

    # Clauses: N38 N40
    def test_too_much_was_deleted_since(self):
        self.set(self.name, "kept")
        point = self.left(prefixes=[""])
        self.set("first", 1)
        self.client.config.delete("first")
        after_first = point[0], self.client.config.list().entries[0].revision + 2
        slow = self.new_client().config.watcher(prefixes=["many."]).wait_end_mark()
        slow.pause()
        keeper = self.client.keep()
        session = keeper.wait_kept().session_id
        for first in range(0, TOMBSTONES, 500):
            calls = [self.client.config.set_later(f"many.{i}", b"x" * 1000, session_id=session)
                     for i in range(first, first + 500)]
            self.assertEqual({call.result(BOUND).outcome for call in calls}, {wire.OUTCOME_OK})
        keeper.half_close()
        keeper.end()
        eventually(lambda: not self.client.config.list(prefix="many.").entries,
                   what="the end of what the session held")
        # They are gone together, and the tombstone of `first` is one too many.
        back = self.client.config.watcher(prefixes=[""], resume=after_first).wait_end_mark()
        back.wait_revision(after_first[1] + 2 * TOMBSTONES)
        self.assertIsNone(back.reset)
        self.assertEqual({value for _, value in back.before_end() + back.told()}, {None})
        self.assertEqual({key for key, _ in back.before_end() + back.told()},
                         {f"many.{i}" for i in range(TOMBSTONES)})
        reset = self.client.config.watcher(prefixes=[""], resume=point).wait_end_mark()
        self.assertEqual(reset.reset.service_epoch, point[0])
        self.assertEqual(reset.before_end(), [(self.name, b"kept")])
        # A watcher that reads has had them all; one that fell behind by more than is remembered
        # cannot be told, and its stream ends.
        for i in range(10):
            self.set(f"many.more.{i}")
            self.client.config.delete(f"many.more.{i}")
        self.assertEqual(back.wait_revision(after_first[1] + 2 * TOMBSTONES + 20).there, {})
        slow.resume()
        self.assertEqual(slow.end(), wire.CLOSED_REASON_LIMIT)
        again = self.client.config.watcher(prefixes=["many."], resume=slow.point).wait_end_mark()
        self.assertEqual((again.reset.service_epoch, again.entries), (point[0], []))


class Restart(ConfigCase):

    # Clauses: N38 N6
    def test_X55_after_a_restart_everything_is_new(self):
        old = self.set(self.name, "old")
        watcher = self.client.config.watcher(self.name).wait_end_mark()
        point = watcher.point
        type(self).daemon.stop()
        self.assertEqual(watcher.end(), DOWN)
        type(self).setUpClass()
        self.client = self.new_client()
        self.assertIsNone(self.value_of(self.name))
        back = self.client.config.watcher(self.name, resume=point).wait_end_mark()
        self.assertEqual((back.entries, back.end_mark.revision), ([], 0))
        self.assertNotEqual(back.end_mark.service_epoch, point[0])
        self.assertEqual(back.reset.service_epoch, back.end_mark.service_epoch)
        new = self.set(self.name, "new")
        self.assertEqual(new.version, 1)
        self.assertNotEqual(new.epoch, old.epoch)
        again = self.client.config.watcher(self.name, resume=point).wait_end_mark()
        self.assertEqual((again.before_end(), again.point),
                         ([(self.name, b"new")], (back.point[0], new.revision)))


class Down(EndingDaemon, ConfigCase):

    # Clauses: N41 N20
    def test_watches_and_waits_are_told(self):
        self.start("--drain-grace-ms", "20000")
        self.set("key", "a")
        watcher = self.client.config.watcher("key").wait_end_mark()
        waiting = self.client.config.get_later("key", equals=b"never", wait_ms=60_000)
        self.eventually_watchers("key", 2)
        self.daemon.terminate()
        self.assertEqual(watcher.end(), DOWN)
        reply = waiting.result()
        self.assertEqual((reply.outcome, reply.reason), (wire.OUTCOME_CLOSED, DOWN))
        self.assertEqual(watcher.violations, [])
        self.daemon.wait()


if __name__ == "__main__":
    unittest.main()

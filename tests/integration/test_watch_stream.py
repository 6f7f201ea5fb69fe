# SPDX-License-Identifier: Apache-2.0
"""Watch: the snapshot, its end mark, changes as they come, coalescing, slow watchers."""

import threading
import unittest

from support.client import SMALL_WINDOW
from support.config_case import ConfigCase
from support.daemon import SANITIZERS
from support.eventually import eventually

MIB = 1 << 20


class Watching(ConfigCase):

    # Clauses: N34 W1
    def test_X50_snapshot_end_mark_changes(self):
        first = self.set(self.name, "a", content_type="text/plain")
        watcher = self.client.config.watcher(self.name).wait_end_mark()
        self.assertEqual(watcher.before_end(), [(self.name, b"a")])
        first.value = b"a"
        self.assertEqual(watcher.entries[0], first)
        self.assertEqual(watcher.end_mark.revision, first.revision)
        self.assertIsNone(watcher.reset)
        reply = self.client.config.set(self.name, "b")
        self.assertEqual(reply.watchers, 1)
        watcher.wait_revision(reply.entry.revision)
        self.assertEqual(watcher.told(), [(self.name, b"b")])
        self.assertEqual(watcher.entries[1].version, first.version + 1)
        self.assertEqual(watcher.entries[1].epoch, first.epoch)

    # Clauses: N34
    def test_what_is_selected(self):
        for key in ("a", "a.b", "a/b", "ab", "b", "b.a"):
            self.set(key, "first")
        watchers = {
            ("a",): self.client.config.watcher("a"),
            ("a", "nothing"): self.client.config.watcher("a", "nothing"),
            ("a", "a.b", "a/b", "ab"): self.client.config.watcher(prefixes=["a"]),
            ("a.b", "b", "b.a"): self.client.config.watcher("a.b", prefixes=["b"]),
            ("a", "a.b", "a/b", "ab", "b", "b.a"): self.client.config.watcher(prefixes=[""]),
            ("ab", "b", "b.a"): self.client.config.watcher(
                "b", "ab", "b", prefixes=["b", "ab", "b."])}  # in several selectors: once
        for keys, watcher in watchers.items():
            watcher.wait_end_mark()
            self.assertEqual(sorted(watcher.before_end()),
                             [(key, b"first") for key in keys if key != "nothing"])
        for key in ("a", "a.b", "a/b", "ab", "b", "b.a", "nothing", "bb"):
            revision = self.set(key, "second").revision
        self.client.config.delete("b")
        everything = watchers["a", "a.b", "a/b", "ab", "b", "b.a"]
        everything.wait_revision(revision + 1)
        for keys, watcher in watchers.items():
            expected = {key for key in keys if key != "b"}
            if any(prefix in ("b", "") for prefix in watcher.request.prefixes):
                expected.add("bb")  # made later
            if "" in watcher.request.prefixes:
                expected.add("nothing")
            watcher.until(lambda watcher=watcher, expected=expected: {
                key for key, entry in watcher.there.items() if entry.value == b"second"}
                == expected == set(watcher.there), what=f"{expected}")

    # Clauses: N34 N35
    def test_keys_need_not_be_there(self):
        watcher = self.client.config.watcher(self.name).wait_end_mark()
        self.assertEqual(watcher.entries, [])
        self.assertGreater(watcher.end_mark.service_epoch, 0)
        entry = self.set(self.name, "born")
        watcher.wait_revision(entry.revision)
        tombstone = self.client.config.delete(self.name)
        self.assertEqual(tombstone.watchers, 1)
        again = self.set(self.name, "again")
        watcher.wait_revision(again.revision)
        self.assertEqual(watcher.told()[-1], (self.name, b"again"))
        self.assertNotEqual(watcher.entries[-1].epoch, entry.epoch)

    # Clauses: N43
    def test_server_info_counts(self):
        bounds = self.client.info().bounds
        self.assertEqual((bounds.value_bytes_max, bounds.content_type_bytes_max,
                          bounds.tombstones_max, bounds.watch_selectors_max),
                         (MIB, 255, 10_000, 1000))

        def counts():
            live = self.client.info().live
            return live.keys, live.watchers, live.waiting_gets, live.streams
        eventually(lambda: counts() == (0, 0, 0, 0), what="the baseline")
        for i in range(3):
            self.set(f"count.{i}", b"x" * 1000)
        self.client.config.delete("count.2")
        watcher = self.client.config.watcher("count.0", prefixes=["count."]).wait_end_mark()
        waiting = self.client.config.get_later("count.3", exists=True, wait_ms=60_000)
        eventually(lambda: counts() == (2, 1, 1, 1), what="(2, 1, 1, 1)")
        self.assertEqual(self.client.config.get("count.3").watchers, 2)
        watcher.cancel()
        waiting.cancel()
        eventually(lambda: counts() == (2, 0, 0, 0), what="(2, 0, 0, 0)")

    # Clauses: N34
    def test_a_large_snapshot_comes_in_frames(self):
        expected = {}
        for i in range(40):
            expected[f"large.{i}"] = b"%02d" % i * 20_000
            self.set(f"large.{i}", expected[f"large.{i}"])
        expected["large.most"] = b"x" * MIB
        self.set("large.most", expected["large.most"])
        watcher = self.client.config.watcher(prefixes=["large."]).wait_end_mark()
        self.assertEqual({key: entry.value for key, entry in watcher.there.items()}, expected)
        self.assertGreater(len(watcher.frames), 7)

    # Clauses: N34 W2 W7
    def test_values_that_nobody_is_slow_for_all_come(self):
        watcher = self.client.config.watcher(self.name).wait_end_mark()
        for i in range(100):
            watcher.wait_revision(self.set(self.name, i % 2).revision)
        self.assertEqual(watcher.told(), [(self.name, b"%d" % (i % 2)) for i in range(100)])

    # Clauses: N34 W22
    def test_many_watchers_of_one_key(self):
        clients = [self.new_client() for _ in range(4)]
        watchers = [clients[i % 4].config.watcher(self.name) for i in range(200)]
        for watcher in watchers:
            watcher.wait_end_mark()
        for i in range(5):
            reply = self.client.config.set(self.name, i)
            self.assertEqual(reply.watchers, 200)
        for watcher in watchers:
            watcher.wait_revision(reply.entry.revision)
            self.assertEqual(watcher.told()[-1], (self.name, b"4"))
            watcher.cancel()
        self.eventually_watchers(self.name, 0)

    # Clauses: N34 W7 W23
    def test_writers_and_watchers_converge(self):
        clients = [self.new_client() for _ in range(3)]
        watchers = [client.config.watcher(prefixes=[self.name]).wait_end_mark()
                    for client in clients]
        begun = threading.Event()

        def write(number):
            for i in range(150):
                key = f"{self.name}.{(number + i) % 5}"
                if i % 10 == 9:
                    clients[number].config.delete(key)
                else:
                    clients[number].config.set(key, f"{number}:{i}")
                begun.set()
        threads = [threading.Thread(target=write, args=(i,)) for i in range(3)]
        for thread in threads:
            thread.start()
        begun.wait(30)
        # Snapshots taken in the midst of it join on without a gap as well.
        watchers += [client.config.watcher(prefixes=[self.name]) for client in clients]
        for thread in threads:
            thread.join()
        for watcher in watchers:
            watcher.wait_end_mark()
        self.assert_converged(watchers)


class Slow(ConfigCase):

    def stall(self, *keys):
        """A watcher whose transport takes no more: its window is full."""
        filler = self.name + ".filler"
        watcher = self.new_client(options=SMALL_WINDOW).config.watcher(filler, *keys)
        watcher.wait_end_mark()
        watcher.pause_after_next()
        watcher.wait_revision(self.set(filler, b"x" * MIB).revision)
        self.set(filler, b"y" * MIB)
        self.wait_stalled("Watch")
        return watcher

    # Clauses: N34 N42 W7
    def test_a_stalled_watcher_gets_the_newest_only(self):
        key, other = self.name + ".k", self.name + ".other"
        watcher = self.stall(key, other)
        reader = self.client.config.watcher(key).wait_end_mark()
        for i in range(1, 201):
            entry = self.set(key, i)
            reader.wait_revision(entry.revision)  # nobody waits for the stalled one
            if i == 100:
                self.set(other, "between")
        self.assertEqual(len(reader.told()), 200)
        watcher.resume()
        watcher.wait_revision(entry.revision)
        mine = [told for told in watcher.told() if told[0] != self.name + ".filler"]
        self.assertEqual(mine, [(other, b"between"), (key, b"200")])

    # Clauses: N37 W6
    def test_X53_a_delete_coalesces_like_a_value(self):
        seen, unseen = self.name + ".seen", self.name + ".unseen"
        self.set(seen, "z")
        watcher = self.stall(seen, unseen)
        self.assertEqual(watcher.before_end(), [(seen, b"z")])
        self.set(unseen, "z")
        self.client.config.delete(unseen)
        self.set(seen, "y")
        tombstone = self.client.config.delete(seen).entry
        watcher.resume()
        watcher.wait_revision(tombstone.revision)
        mine = [told for told in watcher.told() if told[0] != self.name + ".filler"]
        self.assertEqual(mine[-1], (seen, None))
        self.assertEqual([told for told in mine if told[0] == seen], [(seen, None)])
        # Of a key that came and went it may see the tombstone alone.
        self.assertEqual([told for told in mine if told[0] == unseen], [(unseen, None)])

    # Clauses: N37
    def test_X53_a_watcher_that_reads_sees_the_tombstone_alone(self):
        self.set(self.name, "z")
        watcher = self.client.config.watcher(self.name).wait_end_mark()
        tombstone = self.client.config.delete(self.name).entry
        watcher.wait_revision(tombstone.revision)
        self.assertEqual(watcher.told(), [(self.name, None)])
        self.assertEqual(watcher.entries[-1], tombstone)

    # Clauses: N34 N42
    def test_a_watcher_that_never_reads_costs_one_value(self):
        key = self.name + ".k"
        watcher = self.stall(key)
        before = self.daemon.rss_bytes()
        for _ in range(150):
            self.set(key, b"y" * (MIB // 2))
        grown = self.daemon.rss_bytes() - before
        print(f"75 MiB of values for a stalled watcher: memory grew by {grown / MIB:.1f} MiB")
        if not SANITIZERS:
            self.assertLess(grown, 25 * MIB)
        watcher.resume()
        watcher.wait_revision(self.client.config.get(key).entry.revision)
        self.assertEqual(len([told for told in watcher.told() if told[0] == key]), 1)


if __name__ == "__main__":
    unittest.main()

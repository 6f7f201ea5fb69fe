# SPDX-License-Identifier: Apache-2.0
"""The `sluice` command and config keys: set, get, unset, keys, watch; conditions and waits."""

import json
import signal
import unittest

from cli_case import BOUND_S, DONE, REFUSED, USAGE, CliCase


class ConfigCase(CliCase):
    def at(self):
        return self.rows("get", self.name)[0]["at"]



class SettingTest(ConfigCase):
    def test_set_get_unset(self):
        self.assertRegex(self.sluice("set", self.name, "one"),
                         rf"^set {self.name} at \d+:1, 0 watchers\n$")
        self.assertEqual(self.sluice("get", self.name), "one\n")
        [row] = self.rows("set", self.name, "two", "--content-type", "text/plain")
        self.assertEqual((row["outcome"], row["value"], row["version"]), ("OK", "two", 2))
        [row] = self.rows("get", self.name)
        self.assertEqual((row["key"], row["value"], row["content_type"]),
                         (self.name, "two", "text/plain"))
        self.assertEqual(row["at"].split(":")[1], "2")
        self.assertIn("deleted", self.sluice("unset", self.name))
        self.sluice("get", self.name, code=REFUSED)
        self.assertIn(f"ABSENT: {self.name} is not there", self.error)
        [row] = self.rows("unset", self.name, code=REFUSED)
        self.assertEqual(row["outcome"], "ABSENT")

    def test_the_value_may_come_from_stdin(self):
        self.sluice("set", self.name, stdin="a\nb\n")
        self.assertEqual(self.sluice("get", self.name), "a\nb\n")
        self.sluice("set", self.name, "--", "-5")
        self.assertEqual(self.sluice("get", self.name), "-5\n")

    def test_a_condition_that_does_not_hold_is_a_conflict(self):
        self.sluice("set", self.name, "one", "--absent")
        [row] = self.rows("set", self.name, "two", "--absent", code=REFUSED)
        self.assertEqual((row["outcome"], row["value"]), ("CONFLICT", "one"))
        old = self.at()
        self.sluice("set", self.name, "two", "--expect-version", old)
        self.sluice("set", self.name, "three", "--expect-version", old, code=REFUSED)
        self.assertRegex(self.error, rf"CONFLICT: {self.name} is at \d+:2")
        self.sluice("unset", self.name, "--expect-version", old, code=REFUSED)
        self.sluice("unset", self.name, "--expect-version", self.at())
        self.sluice("set", self.name, "x", "--expect-version", old, code=REFUSED)
        self.assertIn("is not there", self.error)

    def test_a_version_that_is_empty_is_none(self):
        self.sluice("set", self.name, "one")
        for words in (("set", self.name, "two", "--expect-version", ""),
                      ("unset", self.name, "--expect-version", ""),
                      ("get", self.name, "--wait-above", "")):
            self.sluice(*words, code=USAGE)
            self.assertIn(f"field={words[-2]}, value=", self.error)
        self.assertEqual(self.sluice("get", self.name), "one\n")

    def test_nobody_watches(self):
        self.sluice("set", self.name, "x", "--require-watchers", code=REFUSED)
        self.assertIn("NO_SUBSCRIBERS", self.error)
        self.sluice("get", self.name, code=REFUSED)

    def test_keys_are_listed_by_prefix(self):
        for key in ("a", "b"):
            self.sluice("set", f"{self.name}/{key}", key * 3)
        rows = self.rows("keys", self.name + "/")
        self.assertEqual([(row["key"], row["value"]) for row in rows],
                         [(f"{self.name}/a", "aaa"), (f"{self.name}/b", "bbb")])
        self.assertRegex(self.sluice("keys"), rf"(?m)^{self.name}/a +\d+:1 +3 +no$")

    def test_bad_usage(self):
        for words in (("set", "k", "v", "--expect-version", "7"),
                      ("set", "k", "v", "--expect-version", "7:x"),
                      ("set", "k", "v", "--expect-version", "1:1", "--absent"),
                      ("get", "k", "--wait-above", "x"),
                      ("get", "k", "--wait-exists", "--wait-equals", "v"), ("watch",)):
            self.sluice(*words, code=USAGE)


class WaitingTest(ConfigCase):
    def wait_for(self, *condition):
        waiter = self.start("get", self.name, *condition)
        self.until("waiting", lambda: self.rows("info")[0]["live"]["waiting_gets"] == 1)
        return waiter

    def test_it_waits_for_the_key(self):
        waiter = self.wait_for("--wait-exists")
        self.sluice("set", self.name, "here")
        self.assertEqual(waiter.communicate(timeout=BOUND_S), ("here\n", ""))

    def test_it_waits_for_a_value_and_for_a_version(self):
        self.sluice("set", self.name, "one")
        waiter = self.wait_for("--wait-equals", "three")
        self.sluice("set", self.name, "two")
        self.sluice("set", self.name, "three")
        self.assertEqual(waiter.communicate(timeout=BOUND_S), ("three\n", ""))
        waiter = self.wait_for("--wait-above", self.at())
        self.sluice("set", self.name, "four")
        self.assertEqual(waiter.communicate(timeout=BOUND_S), ("four\n", ""))

    def test_a_wait_that_runs_out_is_refused(self):
        [row] = self.rows("get", self.name, "--wait-exists", "--wait", "0.05", code=REFUSED)
        self.assertEqual(row["outcome"], "TIMED_OUT")
        self.sluice("set", self.name, "one")
        [row] = self.rows("get", self.name, "--wait-equals", "x", "--wait", "0", code=REFUSED)
        self.assertEqual((row["outcome"], row["value"]), ("TIMED_OUT", "one"))


    def test_a_wait_is_for_a_condition(self):
        self.sluice("get", self.name, "--wait", "1", code=USAGE)
        for condition in ("--wait-exists", "--wait-above", "--wait-equals"):
            self.assertIn(condition, self.error)


class WatchingTest(ConfigCase):
    def test_a_snapshot_its_mark_and_the_changes(self):
        self.sluice("set", f"{self.name}/a", "1")
        self.sluice("set", f"{self.name}/b", "2")
        watcher = self.start("watch", "--prefix", f"{self.name}/", "--json")
        lines = [json.loads(watcher.stdout.readline()) for _ in range(3)]
        self.assertEqual(sorted(row["value"] for row in lines[:2]), ["1", "2"])
        self.assertEqual(lines[2], {"event": "end_of_snapshot", "keys": 2})
        self.sluice("set", f"{self.name}/c", "3")
        row = json.loads(watcher.stdout.readline())
        self.assertEqual((row["key"], row["value"], row["version"]), (f"{self.name}/c", "3", 1))
        self.sluice("unset", f"{self.name}/a")
        row = json.loads(watcher.stdout.readline())
        self.assertEqual((row["key"], row["deleted"]), (f"{self.name}/a", True))
        self.assertNotIn("value", row)
        watcher.send_signal(signal.SIGINT)
        self.assertEqual(watcher.wait(BOUND_S), DONE)

    def test_people_see_names_and_values(self):
        self.sluice("set", self.name, "1")
        watcher = self.start("watch", self.name, "other." + self.name, "--count", "3")
        self.assertEqual(watcher.stdout.readline(), f"{self.name} = 1\n")
        self.assertEqual(watcher.stderr.readline(), "sluice: end of snapshot, 1 keys\n")
        self.sluice("set", "other." + self.name, "2")
        self.assertEqual(watcher.stdout.readline(), f"other.{self.name} = 2\n")
        self.sluice("unset", self.name)
        self.assertEqual(watcher.communicate(timeout=BOUND_S)[0], f"{self.name} deleted\n")
        self.assertEqual(watcher.returncode, DONE)

    def test_a_count_may_end_within_the_snapshot(self):
        self.sluice("set", self.name, "1")
        self.assertEqual(self.sluice("watch", self.name, "--count", "1"), f"{self.name} = 1\n")


class EphemeralTest(ConfigCase):
    def hold(self):
        holder = self.start("set", self.name, "me", "--ephemeral", "--absent", "--json")
        row = json.loads(holder.stdout.readline())
        self.assertEqual((row["outcome"], row["ephemeral"]), ("OK", True))
        return holder

    def is_gone(self):
        return not self.rows("keys", self.name)

    def test_it_ends_with_a_signal(self):
        holder = self.hold()
        self.assertTrue(self.rows("get", self.name)[0]["ephemeral"])
        self.sluice("set", self.name, "you", "--ephemeral", "--absent", code=REFUSED)
        holder.send_signal(signal.SIGINT)
        self.assertEqual(holder.wait(BOUND_S), DONE)
        self.assertTrue(self.is_gone())

    def test_it_ends_with_the_process(self):
        self.hold().kill()
        self.until("gone", self.is_gone)


if __name__ == "__main__":
    unittest.main()

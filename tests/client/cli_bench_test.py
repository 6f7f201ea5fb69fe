# SPDX-License-Identifier: Apache-2.0
"""`sluice bench` of every kind, small: its fields, and that it sees what is wrong."""

import json
import os
import signal
import unittest

from cli_case import BOUND_S, DONE, NOT_FOUND, REFUSED, UNREACHABLE, USAGE, CliCase

MESSAGES = 2000
NOTHING_WRONG = {"lost": 0, "duplicates": 0, "order": 0, "checksum": 0, "refused": 0}


class BenchCase(CliCase):
    def bench(self, kind, *options, **more):
        [row] = self.rows("bench", kind, *options, **more)
        self.assertEqual(row["bench"], kind)
        self.assertTrue(row["channel"].startswith(f"bench.{kind}."))
        return row

    def small(self, kind, *options):
        row = self.bench(kind, "--messages", str(MESSAGES), *options)
        self.assertTrue(row["ok"], row)
        self.assertEqual(row["errors"], NOTHING_WRONG)
        self.assertEqual(row["faults"], [])
        self.assertEqual(row["sent"], MESSAGES)
        self.assertGreater(row["messages_per_s"], 0)
        self.assertGreater(row["elapsed_s"], 0)
        return row

    def check_latency(self, row, name, count):
        latency = row["latency"][name]
        self.assertEqual(latency["count"], count)
        figures = [latency[key] for key in ("p50_us", "p99_us", "p99_9_us", "max_us")]
        self.assertEqual(figures, sorted(figures))
        self.assertGreater(figures[0], 0)

    def started(self, kind, *list_words, rate=200):
        """A run at a rate that lasts until it is told to end, and its channel."""
        words = (*list_words, "list", "--prefix", f"bench.{kind}.")
        before = [row["name"] for row in self.rows(*words)]
        process = self.start("bench", kind, "--rate", str(rate), "--duration", "50", "--json")
        names = []

        def found():
            names[:] = [row["name"] for row in self.rows(*words)
                        if row["accepted"] > 0 and row["name"] not in before]
            return names

        self.until("begun", found)
        return process, names[0]

    def result(self, process, code):
        out, error = process.communicate(timeout=BOUND_S)
        self.assertEqual(process.returncode, code, out + error)
        return json.loads(out)


class FiguresTest(BenchCase):
    def test_queue(self):
        row = self.small("queue", "--size", "200")
        self.assertEqual(row["received"], MESSAGES)
        self.check_latency(row, "deliver", MESSAGES)
        self.assertEqual(self.rows("list", "--prefix", "bench."), [])

    def test_queue_with_several_ends_in_batches(self):
        row = self.small("queue", "--producers", "3", "--consumers", "2", "--batch", "50",
                         "--capacity", "100")
        self.assertEqual(row["received"], MESSAGES)
        settings = row["settings"]
        self.assertEqual((settings["producers"], settings["consumers"], settings["batch"],
                          settings["capacity"], settings["size"]), (3, 2, 50, 100, 128))

    def test_topic_where_publishers_wait(self):
        row = self.small("topic", "--subscribers", "2", "--policy", "block")
        self.assertEqual((row["received"], row["missed"]), (2 * MESSAGES, 0))
        self.check_latency(row, "deliver", 2 * MESSAGES)
        self.assertEqual(self.rows("topic", "list", "--prefix", "bench."), [])

    def test_topic_where_the_slow_miss_some(self):
        row = self.small("topic", "--capacity", "2", "--publishers", "2")
        self.assertEqual(row["received"] + row["missed"], MESSAGES)

    def test_request(self):
        row = self.small("request", "--callers", "2", "--workers", "2", "--batch", "16")
        self.assertEqual(row["received"], MESSAGES)
        self.check_latency(row, "reply", MESSAGES)
        self.assertEqual(self.rows("responder", "list", "--prefix", "bench."), [])

    def test_config(self):
        row = self.small("config", "--setters", "2", "--watchers", "2", "--keys", "3")
        self.assertEqual(row["received"] + row["coalesced"], 2 * MESSAGES)
        self.check_latency(row, "set", MESSAGES)
        self.assertEqual(self.rows("keys", "bench."), [])

    def test_the_settings_versions_and_machine_are_stamped(self):
        row = self.bench("queue", "--rate", "500", "--duration", "0.2", "--batch", "10")
        settings = row["settings"]
        self.assertEqual((settings["address"], settings["rate"], settings["duration_s"],
                          settings["batch"]), (self.daemon.address, 500, 0.2, 10))
        [info] = self.rows("info")
        self.assertEqual(row["versions"], {"client": info["version"], "daemon": info["version"]})
        self.assertEqual(row["machine"]["cores"], os.cpu_count())
        self.assertIn(os.uname().release, row["machine"]["kernel"])

    def test_a_rate_is_kept_for_its_duration(self):
        for kind in ("queue", "topic", "request", "config"):
            row = self.bench(kind, "--rate", "1000", "--duration", "0.3")
            self.assertEqual((row["sent"], row["errors"]), (300, NOTHING_WRONG), kind)
            self.assertGreater(row["elapsed_s"], 0.25)

    def test_people_see_the_same(self):
        text = self.sluice("bench", "queue", "--messages", "100")
        for pattern in (r"(?m)^received +100$", r"throughput +\d+ messages/s",
                        r"deliver us +p50 .* p99 .* p99.9 .* max",
                        "lost 0, duplicates 0, order 0, checksum 0, refused 0", "cores"):
            self.assertRegex(text, pattern)


class WrongTest(BenchCase):
    def test_a_message_that_is_not_its_own_is_seen(self):
        process, queue = self.started("queue")
        self.sluice("send", queue, "alien")
        process.send_signal(signal.SIGINT)
        row = self.result(process, REFUSED)
        self.assertFalse(row["ok"])
        self.assertEqual(row["errors"], {**NOTHING_WRONG, "checksum": 1})

    def test_a_message_that_another_took_is_lost(self):
        process, queue = self.started("queue")
        self.rows("receive", queue, "--follow", "--take-over", "--count", "1")
        process.send_signal(signal.SIGINT)
        row = self.result(process, REFUSED)
        self.assertGreater(row["errors"]["lost"], 0)

    def test_a_channel_that_is_deleted_under_it_is_a_fault(self):
        for kind, words in (("queue", ()), ("topic", ("topic",)), ("request", ("responder",))):
            process, name = self.started(kind, *words)
            self.sluice(*words, "delete", name)
            process.send_signal(signal.SIGINT)
            self.assertFalse(self.result(process, REFUSED)["ok"])

    def test_a_signal_ends_it_early_and_well(self):
        process, queue = self.started("queue")
        process.send_signal(signal.SIGINT)
        row = self.result(process, DONE)
        self.assertEqual(row["errors"], NOTHING_WRONG)
        self.assertLess(row["sent"], 200 * 50)
        self.sluice("describe", queue, code=NOT_FOUND)

    def test_bad_usage(self):
        for words in ((), ("queue", "--size", "10"), ("queue", "--rate", "0"),
                      ("config", "--batch", "5"), ("topic", "--producers", "2")):
            self.sluice("bench", *words, code=USAGE)
        self.sluice("bench", "queue", code=UNREACHABLE, address="127.0.0.1:1")


if __name__ == "__main__":
    unittest.main()

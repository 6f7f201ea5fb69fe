# SPDX-License-Identifier: Apache-2.0
"""The verdict finds planted faults, and leaves noise alone."""

import json
import math
import random
import sys
import unittest
from unittest import mock

from loads import Load
from support.eventually import eventually
from verdict import (ACCOUNT_BYTES_MAX, STALE_S, STUCK_S, fit, fresh, judge_account, judge_counts,
                     judge_log, judge_memory, stuck)

MIB = 1 << 20
SEED = 20_260_104
SECONDS = 1800


def run_of(level, rng):
    """A sample each second: warm-up, then `level(t)` with noise that lasts for seconds."""
    noise, samples = 0.0, []
    for t in range(SECONDS):
        noise = 0.9 * noise + rng.gauss(0, 0.1 * MIB)
        warm_up = 20 * MIB * math.exp(-t / 100)
        samples.append((t, 50 * MIB - warm_up + noise + level(t)))
    return samples


class Verdict(unittest.TestCase):

    def test_noise_is_no_leak(self):
        rng = random.Random(SEED)
        for _ in range(50):
            sentence, is_well = judge_memory(run_of(lambda t: 0, rng))
            self.assertTrue(is_well, sentence)

    def test_what_falls_is_no_leak(self):
        self.assertTrue(judge_memory(run_of(lambda t: -t * 10_000, random.Random(SEED)))[1])

    def test_a_leak_of_8_mib_an_hour_is_found(self):
        rng = random.Random(SEED)
        for _ in range(20):
            sentence, is_well = judge_memory(run_of(lambda t: t * 8 * MIB / 3600, rng))
            self.assertFalse(is_well, sentence)

    def test_a_leak_in_steps_is_found(self):
        steps = judge_memory(run_of(lambda t: t // 200 * MIB, random.Random(SEED)))
        self.assertFalse(steps[1], steps[0])

    def test_a_short_run_is_not_judged(self):
        sentence, is_well = judge_memory([(t, t * MIB) for t in range(60)])
        self.assertTrue(is_well)
        self.assertIn("in ten minutes or more", sentence)

    def test_the_line_is_exact_without_noise(self):
        line = fit([(t, 7.0 + 3.0 * t) for t in range(100)])
        self.assertAlmostEqual(line.slope, 3.0)
        self.assertAlmostEqual(line.low, 3.0)
        self.assertAlmostEqual(line.high, 3.0)
        self.assertAlmostEqual(line.growth, 297.0)

    def test_too_few_samples_are_refused(self):
        with self.assertRaises(ValueError):
            fit([(t, 0.0) for t in range(10)])

    def test_a_run_that_failed_at_once_is_not_judged(self):
        self.assertTrue(judge_memory([(t, t * MIB) for t in range(5)])[1])

    def test_a_leak_in_the_account_is_found(self):
        for used, retained in ((0, 0), (700_000, 700_000), (ACCOUNT_BYTES_MAX + 9, 9)):
            self.assertTrue(judge_account(used, retained)[1])
        for used, retained in ((ACCOUNT_BYTES_MAX + 1, 0), (700_000 + 10_000, 700_000),
                               (700_000, 700_000 + 10_000)):
            sentence, is_well = judge_account(used, retained)
            self.assertFalse(is_well, sentence)

    def test_counts_that_differ(self):
        self.assertTrue(judge_counts("live", {"streams": 0}, {"streams": 0})[1])
        sentence, is_well = judge_counts("live", {"streams": 0, "leases": 1},
                                         {"streams": 2, "leases": 1})
        self.assertFalse(is_well)
        self.assertIn("'streams': (0, 2)", sentence)

    def test_lines_that_nobody_expects(self):
        serving, lost = (json.dumps({"level": level, "event": event}) for level, event in
                         (("info", "serving"), ("warning", "messages_lost")))
        self.assertTrue(judge_log(serving)[1])
        self.assertFalse(judge_log(serving + "\n" + lost)[1])
        self.assertTrue(judge_log(serving + "\n" + lost, {"messages_lost"})[1])
        self.assertFalse(judge_log("Segmentation fault")[1])


class Progress(unittest.TestCase):

    @staticmethod
    def rows(*done):
        return [{"queue_done": count, "topic_done": 7} for count in done]

    def test_what_stands_still_is_found(self):
        kinds = ("queue", "topic")
        self.assertEqual(stuck(self.rows(*[0] * STUCK_S), kinds), ["queue"])
        self.assertEqual(stuck(self.rows(5, *[0] * STUCK_S), kinds), ["queue"])
        self.assertEqual(stuck(self.rows(*[0] * (STUCK_S - 1)), kinds), [])
        self.assertEqual(stuck(self.rows(*[0] * (STUCK_S - 1), 1), kinds), [])

    def test_a_load_that_tells_nothing_any_more_does_nothing(self):
        told = {"done": 2000, "p99_ms": 1.5}
        self.assertEqual(fresh(told, 1.0), told)
        self.assertEqual(fresh(told, STALE_S + 0.1), {"done": 0, "p99_ms": None})
        self.assertEqual(fresh(None, None), {"done": 0})

    def load(self, then):
        """A process that tells of one second, and goes on so."""
        load = Load("queue", [sys.executable, "-c", "import sys, time\n"
                              "print('{\"done\": 5}', flush=True)\n" + then])
        self.addCleanup(load.kill)
        load.wait_going()
        with mock.patch("verdict.STALE_S", 600.0):  # a test may be slow where a load may not
            self.assertEqual(load.seen()["done"], 5)
        return load

    def test_a_load_that_blocks_is_seen_and_ended(self):
        load = self.load("time.sleep(600)")
        eventually(lambda: load.seen()["done"] == 0, what="that nothing is done")
        self.assertTrue(load.is_running())
        self.assertEqual(load.finish(0.1, 0.1),
                         ["the load of queue did not end when it was told to"])
        self.assertFalse(load.is_running())

    def test_a_load_that_dies_is_a_fault(self):
        load = self.load("sys.exit(3)")
        self.assertEqual(load.finish(), ["the load of queue ended with 3, and told no end"])

    def test_a_load_tells_its_faults(self):
        load = self.load("sys.stdin.read()\nprint('{\"end\": true, \"faults\": [\"x\"]}')")
        self.assertEqual(load.finish(), ["queue: x"])


if __name__ == "__main__":
    unittest.main()

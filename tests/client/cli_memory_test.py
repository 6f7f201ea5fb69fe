# SPDX-License-Identifier: Apache-2.0
"""The `sluice` command, and a daemon whose memory is used up: whose room there is none of."""

import unittest

from cli_case import REFUSED, CliCase
from support.daemon import Daemon

LIMIT = 4 << 20
LARGE = "x" * 1_000_000


class Memory(CliCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon("--memory-max", str(LIMIT))

    # Clauses: N14 N7
    def test_full_for_want_of_memory(self):
        bounds = self.rows("info")[0]["bounds"]
        self.assertEqual((bounds["memory_bytes_max"], bounds["channel_bytes_default"]),
                         (LIMIT, LIMIT // 2))
        for number in range(4):
            self.sluice("set", f"key{number}", stdin=LARGE)
        self.sluice("set", "one-more", stdin=LARGE, code=REFUSED)
        self.assertEqual(self.error, "sluice: FULL SERVER_MEMORY: one-more\n")
        answer = self.rows("set", "one-more", stdin=LARGE, code=REFUSED)[0]
        self.assertEqual((answer["outcome"], answer["full_reason"]), ("FULL", "SERVER_MEMORY"))
        self.declare()
        self.sluice("send", self.queue, "--try", stdin=LARGE, code=REFUSED)
        self.assertIn("FULL SERVER_MEMORY: 1 of 1 not sent", self.error)
        row = self.rows("send", self.queue, "--wait", "0.05", stdin=LARGE, code=REFUSED)[0]
        self.assertEqual((row["outcome"], row["full_reason"]), ("TIMED_OUT", "SERVER_MEMORY"))
        self.sluice("responder", "declare", self.name)
        self.sluice("call", self.name, "--wait", stdin=LARGE, code=REFUSED)
        self.assertEqual(self.error, "sluice: FULL SERVER_MEMORY: not done\n")
        self.sluice("send", self.queue, "--try", "small")
        self.assertGreater(self.rows("info")[0]["live"]["memory_bytes_used"], 4_000_000)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tidy test can fail: a small clean tree passes, and each planted violation is found alone."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # the source tree stays as it is
from tidy_test import violations

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
HEADER = SPDX + "#pragma once\n"

# Every id of the finished parts that the small tree's contract has is named by one of its tests.
CLEAN = {
    "CMakeLists.txt": "add_library(x clock.cc queue.cc) add_executable(y mpsc_test.cc)\n",
    "docs/contract.md": "- **M5 [S]** Order.\n- **M7 [S]** One line.\n- **N15 Lost.** Back.\n"
                        "| **D1** | a | b | c |\n",
    "docs/scenarios.md": "**P01** · M5 M7 · *[a_test]*\nText.\n\n**X06** · N15 · Text.\n",
    "docs/page.md": "See `server/broker/queue.cc`, `server/*/queue.*`, [this](contract.md).\n",
    "server/base/clock.cc": SPDX + "auto t = Clock::now();\n",
    "server/base/mutex.h": HEADER + "#include <mutex>\n",
    "server/broker/queue.cc": SPDX + '#include "channel/mpsc.h"\n#include "base/mutex.h"\n',
    "server/rpc/worker.h": HEADER + "#include <grpcpp/grpcpp.h>\n",
    "tests/channel/mpsc_test.cc": SPDX + "// Clauses: M5 M7\n// Says why.\n"
                                         "TEST(Mpsc, P01_Order) {}\n"
                                         "TEST(Mpsc,\n     D1_Issuing) {}\n",
    "tests/integration/queue_test.py": "# SPDX-License-Identifier: Apache-2.0\n"
                                       "    # Clauses: N15\n    def test_X06_full(self):\n",
}


def replaced(path, old, new):
    assert old in CLEAN[path]
    return {path: CLEAN[path].replace(old, new)}


def appended(path, text):
    return {path: CLEAN[path] + text}


# rule, what is planted
PLANTED = [
    ("layers", appended("server/broker/queue.cc", '#include "rpc/worker.h"\n')),
    ("layers", appended("server/broker/queue.cc", '#include "tests/support/seed.h"\n')),
    ("layers", {"server/odd/a.h": HEADER + '#include "base/mutex.h"\n'}),
    ("layers", {"server/admin/a.h": HEADER + '#include "rpc/worker.h"\n'}),
    ("layers", {"client/src/a.h": HEADER + '#include "base/mutex.h"\n'}),
    ("only-here", appended("server/broker/queue.cc", "#include <grpcpp/server.h>\n")),
    ("only-here", appended("server/broker/queue.cc", '#include "sluice/v1/queue.pb.h"\n')),
    ("only-here", appended("server/broker/queue.cc", "#include <condition_variable>\n")),
    ("only-here", appended("server/broker/queue.cc", "auto t = steady_clock::now();\n")),
    ("only-here", appended("server/broker/queue.cc", "#include <fstream>\n")),
    ("only-here", appended("server/rpc/worker.h", "#include <boost/beast.hpp>\n")),
    ("only-here", appended("tests/channel/mpsc_test.cc", "void F() { sleep_for(1s); }\n")),
    ("size", {"server/base/long.h": HEADER + "\n" * 299}),
    ("size", appended("server/broker/queue.cc", "\n" * 348)),
    ("columns", appended("server/broker/queue.cc", "// " + "x" * 98 + "\n")),
    ("words", appended("server/broker/queue.cc", "// TO" "DO: later\n")),
    ("words", appended("docs/page.md", "A new incarn" "ation.\n")),
    ("words", appended("server/base/mutex.h", "class LockManager {};\n")),
    ("words", {"server/base/string_utils.h": HEADER}),
    ("licence", replaced("server/broker/queue.cc", SPDX, "// A queue.\n")),
    ("licence", replaced("server/rpc/worker.h", "#pragma once\n", "")),
    ("disabled", appended("tests/channel/mpsc_test.cc", "void F() { GTEST" "_SKIP(); }\n")),
    ("disabled", appended("tests/channel/mpsc_test.cc", "#if 0" "\n#endif\n")),
    ("disabled", appended("tests/integration/queue_test.py", "    @unittest." "skip('x')\n")),
    ("registered", {"tests/channel/oneshot_test.cc": SPDX}),
    ("registered", {"server/broker/topic.cc": SPDX}),
    ("docs", appended("docs/page.md", "See `server/broker/topic.cc`.\n")),
    ("docs", appended("docs/page.md", "See [that](nowhere.md).\n")),
    # A clause loses its test: renamed, disabled, commented, moved away from the test, wrong folder.
    ("clauses", appended("docs/contract.md", "- **M8 [T]** No barging.\n")),
    ("clauses", appended("docs/scenarios.md", "**P02** · M5 · Text.\n")),
    ("clauses", replaced("tests/channel/mpsc_test.cc", "P01_Order", "Order")),
    ("clauses", replaced("tests/channel/mpsc_test.cc", "TEST(Mpsc, P01", "// TEST(Mpsc, P01")),
    ("clauses", replaced("tests/channel/mpsc_test.cc", "// Says why.\n", "\n")),
    ("clauses", replaced("tests/integration/queue_test.py", "def test_X06", "def X06")),
    ("clauses", {**replaced("tests/channel/mpsc_test.cc", "D1_Issuing", "Issuing"),
                 **appended("tests/integration/queue_test.py", "    def test_D1(self):\n")}),
    # The pages themselves: an id twice, an id cited or named that is not there, a missing page.
    ("clauses", appended("docs/contract.md", "- **M5 [S]** Again.\n")),
    ("clauses", replaced("docs/scenarios.md", "M5 M7", "M5 M99")),
    ("clauses", appended("tests/channel/mpsc_test.cc", "TEST(Mpsc, M99_Typo) {}\n")),
    ("clauses", {"docs/scenarios.md": None}),
]


class TidySelfTest(unittest.TestCase):
    def found(self, planted):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**CLEAN, **planted}.items():
                if text is None:
                    continue
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as handle:
                    handle.write(text)
            return violations(root)

    def test_clean_tree_passes(self):
        self.assertEqual([str(violation) for violation in self.found({})], [])

    def test_an_open_header_may_be_included(self):
        planted = {"server/admin/a.h": HEADER + '#include "rpc/stream_table.h"\n'}
        self.assertEqual([str(violation) for violation in self.found(planted)], [])

    def test_each_planted_violation_is_found_by_its_rule(self):
        for rule, planted in PLANTED:
            with self.subTest(rule=rule, planted=planted):
                self.assertEqual({violation.rule for violation in self.found(planted)}, {rule})

    def test_a_disabled_test_counts_for_no_clause(self):
        planted = replaced("tests/channel/mpsc_test.cc", "P01_Order", "DISABLED" "_P01_Order")
        texts = [violation.text for violation in self.found(planted)]
        for clause in ("P01", "M5", "M7"):
            self.assertTrue(any(text.startswith(clause + ":") for text in texts), clause)


if __name__ == "__main__":
    unittest.main()

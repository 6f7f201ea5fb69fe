# SPDX-License-Identifier: Apache-2.0
"""deploy/sluice.toml, which the daemon has printed; and that it accepts what it prints."""

import re
import unittest

import files
from support.daemon import Daemon
from support.option_file import option_file


def options_of(text, is_commented):
    mark = "# " if is_commented else ""
    return dict(re.findall(rf"^{mark}([a-z-]+) = (.+)$", text, re.MULTILINE))


class Config(unittest.TestCase):

    def test_the_example_is_what_the_daemon_prints(self):
        printed = files.run_well("--print-config")
        self.assertEqual(files.read("sluice.toml"), printed,
                         "write it anew: sluiced --print-config >deploy/sluice.toml")

    def test_every_option_is_in_it_as_a_comment_with_a_sentence(self):
        printed = files.run_well("--print-config")
        found = options_of(printed, is_commented=True)
        wanted = {flag[2:] for flag in files.flags()}
        self.assertEqual(set(found), wanted - {"help", "version", "config", "print-config",
                                               "check-config"})
        self.assertEqual(options_of(printed, is_commented=False), {})
        for paragraph in printed.strip().split("\n\n")[1:]:
            self.assertRegex(paragraph, r"\A# .{10,}\n# SLUICE_[A-Z_]+.*\n# [a-z-]+ = .+\Z")

    def test_it_takes_back_what_it_prints(self):
        printed = files.run_well("--print-config")
        active = re.sub(r"^# ([a-z-]+ = )", r"\1", printed, flags=re.MULTILINE)
        self.assertGreater(len(options_of(active, is_commented=False)), 20)
        path = option_file(self, active)
        self.assertIn("good", files.run_well("--config", path, "--check-config"))
        again = files.run_well("--config", path, "--print-config")
        self.assertEqual(options_of(again, False), options_of(active, False))
        daemon = Daemon("--config", path)
        self.addCleanup(daemon.kill)
        daemon.stop()

    def test_it_prints_what_is_in_force(self):
        path = option_file(self, 'default-capacity = 11\nlog-level = "error"\n'
                                 '[keepalive]\ntime-ms = 1400\n')
        code, out, _ = files.run("--config", path, "--default-capacity", "31", "--print-config",
                                  "--reflection",
                                  env={"SLUICE_MAX_SESSIONS": "23"})
        self.assertEqual(code, 0)
        self.assertEqual(options_of(out, False), {
            "default-capacity": "31", "keepalive-time-ms": "1400", "log-level": '"error"',
            "max-sessions": "23", "reflection": "true"})

    def test_what_is_bad_is_not_printed(self):
        for question in ("--print-config", "--check-config"):
            for wrong in (("--max-sessions", "0"), ("--listen", "0.0.0.0:1"),
                          ("--config", "/no/such/file.toml")):
                code, out, err = files.run(question, *wrong)
                self.assertEqual((code, out), (2, ""))
                self.assertEqual(len(err.splitlines()), 1, err)

    def test_help_tells_the_exit_codes(self):
        text = files.run_well("--help")
        for code in range(4):
            self.assertRegex(text, rf"(?m)^ *{code}  \w+")


if __name__ == "__main__":
    unittest.main()

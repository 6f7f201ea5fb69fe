# SPDX-License-Identifier: Apache-2.0
"""The `sluice` command and the daemon itself; usage, help, and completion in a shell."""

import re
import signal
import socket
import subprocess
import unittest

from support.daemon import Daemon

from cli_case import BOUND_S, EXECUTABLE, NOT_FOUND, UNREACHABLE, USAGE, CliCase


class AdminTest(CliCase):
    def test_info_tells_version_counts_and_bounds(self):
        [row] = self.rows("info")
        self.assertRegex(row["version"], r"^\d+\.\d+\.\d+")
        self.assertEqual(row["bounds"]["capacity_default"], 1024)
        self.assertGreaterEqual(row["live"]["calls"], 1)
        self.assertIn("bounds.capacity_default", self.sluice("info"))

    def test_streams_are_listed(self):
        self.declare()
        follower = self.start("receive", self.queue, "--follow")
        self.sluice("send", self.queue, "a")
        self.assertEqual(follower.stdout.readline(), "a\n")
        channels = [row["channel"] for row in self.rows("streams")]
        self.assertIn(self.queue, channels)
        self.assertIn(self.queue, self.sluice("streams"))

    def test_healthcheck_is_for_probes(self):
        self.assertEqual(self.sluice("healthcheck"), "SERVING\n")
        self.assertEqual(self.rows("healthcheck")[0]["status"], "SERVING")
        self.sluice("healthcheck", "--service", "no.such.Service", code=NOT_FOUND)

    def test_drain_ends_the_daemon_with_exit_0(self):
        daemon = Daemon("--drain-grace-ms", "1000")
        self.addCleanup(daemon.kill)
        self.sluice("drain", address=daemon.address)
        daemon.wait()


class UsageTest(CliCase):
    def test_no_daemon_is_unreachable(self):
        with socket.socket() as bound:  # Nobody listens there.
            bound.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{bound.getsockname()[1]}"
            self.sluice("list", code=UNREACHABLE, address=address)
            self.assertIn(address, self.error)
            self.assertIn("CANNOT_CONNECT", self.error)
            self.sluice("healthcheck", code=UNREACHABLE, address=address)

    def test_the_option_outranks_the_environment(self):
        self.sluice("--address", self.daemon.address, "list", address="127.0.0.1:1")
        self.sluice("list", "--address", self.daemon.address, address="127.0.0.1:1")

    def test_usage_is_told_in_one_line(self):
        for words in ((), ("frobnicate",), ("declare",), ("declare", "x", "--capacity", "many"),
                      ("receive", "x", "--count", "0"), ("receive", "x", "--standby"),
                      ("send", "x", "--try", "--wait", "1", "a"), ("list", "--timeout", "0")):
            self.sluice(*words, code=USAGE)

    def test_help_lists_verbs_and_exit_codes(self):
        text = self.sluice("--help")
        for word in ("declare", "describe", "list", "close", "delete", "purge", "peek", "send",
                     "receive", "topic", "publish", "subscribe", "responder", "call", "serve",
                     "set", "get", "unset", "keys", "watch", "info", "streams", "drain",
                     "healthcheck", "bench", "completion", "Exit codes"):
            self.assertIn(word, text)
        self.assertIn("--capacity", self.sluice("declare", "--help"))


class SlowTest(CliCase):
    def test_streams_tell_who_is_slow(self):
        self.sluice("topic", "declare", self.name, "--capacity", "4")
        follower = self.start("subscribe", self.name, "--json")
        self.events(follower, "subscribed")
        self.assertEqual(self.rows("streams", "--stalled", "0.1"), [])
        follower.send_signal(signal.SIGSTOP)
        self.sluice("publish", self.name, stdin="\n".join(["x" * 20000] * 1000))
        self.until("stalled", lambda: [row["channel"] for row in
                                       self.rows("streams", "--stalled", "0.1")] == [self.name])
        follower.send_signal(signal.SIGCONT)
        self.until("well again", lambda: not self.rows("streams", "--stalled", "0.1"))


class HelpTest(CliCase):
    def verbs(self, *path):
        """Every verb, as the words that lead to it."""
        found = []
        for line in self.sluice("__complete", *path, "").splitlines():
            words = (*path, line.split("\t")[0])
            nested = "SUBCOMMAND" in self.sluice(*words, "--help")
            found += self.verbs(*words) if nested else [words]
        return found

    def test_the_help_of_every_verb_has_examples_whose_options_there_are(self):
        verbs = self.verbs()
        self.assertGreater(len(verbs), 35)
        self.assertIn(("bench", "queue"), verbs)
        for words in verbs:
            text = self.sluice(*words, "--help")
            self.assertIn("Examples:\n", text, words)
            options, examples = text.split("Examples:\n")
            options += self.sluice("--help").split("Examples:\n")[0]
            verb = "sluice " + " ".join(words)
            self.assertIn(verb, examples)
            for line in re.findall(rf"{verb}(.*)", examples):
                for option in re.findall(r" (--[a-z-]+)", line.split(" -- ")[0].split("|")[0]):
                    self.assertRegex(options, rf"(?m)[ ,]{option}\b", words)

    def test_version(self):
        [row] = self.rows("info")
        self.assertEqual(self.sluice("--version").strip(), row["version"])


class CompletionTest(CliCase):
    def complete(self, *words, address=None):
        """What bash offers for the last word, by the script that it was given."""
        script = ('source <("$1" completion bash); shift; COMP_WORDS=("$@"); '
                  'COMP_CWORD=$(($# - 1)); _sluice; printf "%s\\n" "${COMPREPLY[@]}"')
        environment = {**self.environment(address), "SLUICE_COMPLETION_TIMEOUT": str(BOUND_S)}
        done = subprocess.run(
            ["bash", "--norc", "-c", script, "bash", EXECUTABLE, EXECUTABLE, *words],
            env=environment, text=True, check=True, capture_output=True, timeout=BOUND_S)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_verbs(self):
        self.assertEqual(self.complete("de"), ["declare", "describe", "delete"])
        self.assertEqual(self.complete("topic", "dec"), ["declare"])
        self.assertEqual(self.complete("--json", "topic", "l"), ["list"])
        self.assertEqual(self.complete("no-such-verb", "x"), [])

    def test_options_of_the_verb_and_of_all(self):
        found = self.complete("declare", "jobs", "--")
        self.assertLess({"--capacity", "--shared", "--json", "--address"}, set(found))
        self.assertNotIn("--policy", found)
        self.assertEqual(self.complete("topic", "declare", "--poli"), ["--policy"])

    def test_words_that_an_option_may_be(self):
        self.assertEqual(self.complete("topic", "declare", "x", "--policy", ""),
                         ["block", "disconnect", "lag"])
        self.assertEqual(self.complete("topic", "declare", "x", "--policy", "=", "l"), ["lag"])
        self.assertEqual(self.complete("completion", "f"), ["fish"])

    def test_names_are_those_of_the_daemon(self):
        self.sluice("declare", self.name + ".queue")
        self.sluice("topic", "declare", self.name + ".topic")
        self.sluice("responder", "declare", self.name + ".responder")
        self.sluice("set", self.name + ".key", "x")
        for words, kind in ((("send",), "queue"), (("receive", "--json"), "queue"),
                            (("subscribe",), "topic"), (("topic", "delete"), "topic"),
                            (("call",), "responder"), (("get",), "key"), (("watch", "a"), "key")):
            self.assertEqual(self.complete(*words, self.name), [f"{self.name}.{kind}"], words)
        self.assertEqual(self.complete("call", self.name + ".responder", self.name), [])
        self.assertEqual(
            self.complete("--address", self.daemon.address, "send", self.name,
                          address="127.0.0.1:1"),
            [self.name + ".queue"])

    def test_without_a_daemon_there_are_no_names(self):
        self.assertEqual(self.complete("send", "x", address="127.0.0.1:1"), [])

    def test_every_shell_has_a_script(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("__complete", self.sluice("completion", shell))
        self.sluice("completion", "csh", code=USAGE)


if __name__ == "__main__":
    unittest.main()

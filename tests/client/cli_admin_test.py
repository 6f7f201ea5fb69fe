# SPDX-License-Identifier: Apache-2.0
"""The `sluice` command and the daemon itself; usage, help, and completion in a shell."""

import re
import signal
import socket
import subprocess
import unittest

from support.daemon import Daemon

from cli_case import BOUND_S, DONE, EXECUTABLE, NOT_FOUND, REFUSED, UNREACHABLE, USAGE, CliCase


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

    def test_an_address_without_a_port_that_there_is_is_usage(self):
        host, port = self.daemon.address.split(":")
        for address in (host, f"{host}:", f"{host}:0", f"{host}:{int(port) + 65536}",
                        f"{host}:http", f"::1:{port}"):
            self.sluice("list", code=USAGE, address=address)
            self.assertIn(f"(field=address, limit=65535, value={address})", self.error)
        self.sluice("list", address="ipv4:" + self.daemon.address)

    def test_numbers_are_checked_and_their_limits_told(self):
        for *words, limit in (
                ("bench", "queue", "--duration", "nan", "from 0.001 to 86400"),
                ("bench", "queue", "--rate", "nan", "from 0.001 to 1e+09"),
                ("list", "--timeout", "nan", "from 0.001 to 86400"),
                ("receive", "x", "--wait", "nan", "from 0 to 4294967"),
                ("get", "x", "--wait-exists", "--wait", "", "from 0 to 4294967"),
                ("drain", "--grace", "nan", "from 0 to 43200"),
                ("declare", "x", "--capacity", "-1", f"from 0 to {2**64 - 1}"),
                ("declare", "x", "--capacity", "", f"from 0 to {2**64 - 1}"),
                ("declare", "x", "--capacity", str(2**64), f"from 0 to {2**64 - 1}"),
                ("declare", "x", "--max-in-flight", str(2**32), f"from 0 to {2**32 - 1}"),
                ("peek", "x", "--count", "65537", "from 1 to 65536"),
                ("receive", "x", "--count", "0", f"from 1 to {2**64 - 1}")):
            self.sluice(*words, code=USAGE)
            option, value = words[-2:]
            self.assertRegex(
                self.error, rf"{option}: must be .* {re.escape(limit)}, and is '{value}'")
        [row] = self.rows("declare", self.queue, "--capacity", "010")
        self.assertEqual(row["spec"]["capacity"], 10)

    def test_a_verb_that_there_is_not_is_named(self):
        self.sluice("dclare", "x", "--capacity", "3", code=USAGE)
        self.assertEqual(self.error, "sluice: there is no verb dclare (see sluice --help)\n")
        self.sluice("topic", "lst", code=USAGE)
        self.assertEqual(self.error,
                         "sluice: there is no verb topic lst (see sluice topic --help)\n")

    def test_help_lists_verbs_and_exit_codes(self):
        text = self.sluice("--help")
        for word in ("declare", "describe", "list", "close", "delete", "purge", "peek", "send",
                     "receive", "topic", "publish", "subscribe", "responder", "call", "serve",
                     "set", "get", "unset", "keys", "watch", "info", "streams", "drain",
                     "healthcheck", "bench", "completion", "Exit codes"):
            self.assertIn(word, text)
        self.assertIn("--capacity", self.sluice("declare", "--help"))


class StandardFilesTest(CliCase):
    def shell(self, words, code):
        """The command with a shell's redirections, its exit code checked: stdout and stderr."""
        done = subprocess.run(["bash", "-c", f'"$0" {words}', EXECUTABLE],
                              env=self.environment(), text=True, check=False,
                              capture_output=True, timeout=BOUND_S)
        self.assertEqual(done.returncode, code, f"{words}\n{done.stdout}\n{done.stderr}")
        return done.stdout, done.stderr

    def test_a_stdin_that_cannot_be_read_is_not_an_empty_one(self):
        self.declare()
        for stdin in ("<&-", "</"):
            for verb in ("set", "call", "send"):
                error = self.shell(f"{verb} {self.queue} {stdin}", USAGE)[1]
                self.assertRegex(error, "stdin cannot be read: .*field=stdin")
        self.sluice("get", self.queue, code=REFUSED)

    def test_what_could_not_be_printed_is_told(self):
        for stdout in (">/dev/full", ">&-"):
            for words in ("info", "info --json", "list", "--help", "--version"):
                error = self.shell(f"{words} {stdout}", USAGE)[1]
                self.assertEqual(error, "sluice: cannot write to stdout\n")

    def test_what_is_closed_is_no_place_for_a_connection(self):
        self.assertIn("version", self.shell("info <&- 2>&-", DONE)[0])
        self.shell("info <&- >&- 2>&-", USAGE)


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

    def test_an_address_may_come_in_pieces_or_behind_an_equals_sign(self):
        self.sluice("declare", self.name)
        host, port = self.daemon.address.split(":")
        for words in (("--address", host, ":", port), ("--address", "=", host, ":", port),
                      (f"--address={self.daemon.address}",)):
            self.assertEqual(self.complete(*words, "send", self.name, address="127.0.0.1:1"),
                             [self.name], words)

    def test_without_a_daemon_there_are_no_names(self):
        self.assertEqual(self.complete("send", "x", address="127.0.0.1:1"), [])

    def test_every_shell_has_a_script(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("__complete", self.sluice("completion", shell))
        self.sluice("completion", "csh", code=USAGE)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""The `sluice` command and request/reply: responders, call, serve with a command as worker."""

import json
import os
import signal
import tempfile
import unittest

from cli_case import BOUND_S, DONE, FAULT, NOT_FOUND, REFUSED, USAGE, CliCase


class RequestCase(CliCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def gate(self, name="gate"):
        """A fifo: the one who reads from it waits until `open_gate`."""
        os.mkfifo(self.path(name))
        return self.path(name)

    def open_gate(self, name="gate"):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write("go\n")

    def serve(self, *words, options=()):
        """A worker that is attached."""
        process = self.start("serve", self.name, "--declare", "--json", *options, "--", *words)
        self.events(process, "serving")
        return process

    def shell(self, script, options=()):
        return self.serve("sh", "-c", script, options=options)

    def in_flight(self):
        return self.rows("responder", "describe", self.name)[0]["in_flight"]

    def until_in_flight(self, count):
        self.until(f"{count} in flight", lambda: self.in_flight() == count)

    def until_gone(self, path):
        """Until the process whose id is in the file is there no more."""
        self.until("started", lambda: os.path.exists(path) and os.path.getsize(path) > 0)
        with open(path, encoding="ascii") as file:
            pid = int(file.read())
        self.until("gone", lambda: not os.path.exists(f"/proc/{pid}"))


class ResponderVerbsTest(RequestCase):
    def test_declare_describe_list_close_delete(self):
        [row] = self.rows("responder", "declare", self.name, "--capacity", "7", "--bytes-max",
                          "1000000", "--message-bytes-max", "1000")
        self.assertTrue(row["created"])
        self.assertEqual(row["spec"],
                         {"capacity": 7, "bytes_max": 1000000, "message_bytes_max": 1000})
        self.sluice("responder", "declare", self.name, "--capacity", "8", code=FAULT)
        self.assertRegex(self.error, "DECLARED_OTHERWISE.*field=spec.capacity")
        [row] = self.rows("responder", "list", "--prefix", self.name)
        self.assertEqual((row["name"], row["state"], row["workers"]), (self.name, "OPEN", 0))
        self.assertRegex(self.sluice("responder", "describe", self.name), r"(?m)^workers +0$")
        self.sluice("responder", "close", self.name)
        self.sluice("call", self.name, "x", code=REFUSED)
        self.assertIn("CLOSED REQUESTED", self.error)
        self.assertEqual(self.rows("responder", "delete", self.name),
                         [{"responder": self.name, "deleted": 0}])

    def test_an_unknown_responder_has_its_own_exit_code(self):
        for words in (("responder", "describe"), ("responder", "close"), ("responder", "delete"),
                      ("call",), ("serve",)):
            more = {"call": ["x"], "serve": ["--", "cat"]}.get(words[0], [])
            self.sluice(*words, "no.such.responder", *more, code=NOT_FOUND)
            self.assertIn("RESPONDER_NOT_FOUND", self.error)


class CallingTest(RequestCase):
    def test_a_command_answers(self):
        worker = self.serve("tr", "a-z", "A-Z", options=("--worker", "tr"))
        self.assertEqual(self.sluice("call", self.name, "hello"), "HELLO\n")
        self.assertEqual(self.sluice("call", self.name, stdin="from\nstdin\n"), "FROM\nSTDIN\n")
        [row] = self.rows("call", self.name, "hello")
        self.assertEqual(row, {"outcome": "OK", "payload": "HELLO"})
        [handled] = self.events(worker, "handled")
        self.assertEqual((handled["result"], handled["attempts"]), ("OK", 1))
        [row] = self.rows("responder", "describe", self.name)
        self.assertEqual([one["worker"] for one in row["attached"]], ["tr"])

    def test_bytes_come_back_as_they_are(self):
        self.serve("cat")
        [row] = self.rows("call", self.name, "--parts", stdin="\x00\x7f\n")
        self.assertEqual(row, {"part": 1, "payload": "\x00\x7f\n", "outcome": "OK"})

    def test_what_is_not_utf8_is_base64(self):
        self.serve("printf", r"\377\000")
        [row] = self.rows("call", self.name, "x")
        self.assertEqual(row, {"outcome": "OK", "payload_base64": "/wA="})

    def test_the_environment_has_what_came_along(self):
        self.shell('echo $SLUICE_HEADER_REGION_ID $SLUICE_ID $SLUICE_CONTENT_TYPE '
                   '$SLUICE_RESPONDER $SLUICE_ATTEMPTS $SLUICE_ADDRESS $SLUICE_REMAINING_MS')
        out = self.sluice("call", self.name, "x", "--header", "region-id=eu", "--id", "7",
                          "--content-type", "text/plain", "--timeout", "50")
        words = out.split()
        self.assertEqual(words[:6],
                         ["eu", "7", "text/plain", self.name, "1", self.daemon.address])
        self.assertLessEqual(int(words[6]), 50000)

    def test_an_exit_code_is_a_failure_with_its_stderr(self):
        self.shell("echo what; echo went >&2; echo wrong >&2; exit 3")
        [row] = self.rows("call", self.name, "x", code=REFUSED)
        self.assertEqual((row["outcome"], row["failure"]),
                         ("FAILED", {"code": "EXIT_3", "text": "went\nwrong\n"}))
        self.assertIn("FAILED EXIT_3: went wrong", self.error)

    def test_a_command_that_dies_of_a_signal_is_a_failure(self):
        self.shell("kill -SEGV $$")
        [row] = self.rows("call", self.name, "x", code=REFUSED)
        self.assertEqual(row["failure"]["code"], "SIGNAL_11")

    def test_too_much_output_is_a_failure_and_not_memory(self):
        self.shell("cat /dev/zero")
        [row] = self.rows("call", self.name, "x", code=REFUSED)
        self.assertEqual(row["failure"]["code"], "REPLY_TOO_LARGE")

    def test_nobody_serves(self):
        self.sluice("responder", "declare", self.name)
        self.sluice("call", self.name, "x", code=REFUSED)
        self.assertIn("NO_RESPONDER: not done", self.error)
        caller = self.start("call", self.name, "x", "--wait", "--timeout", "50")
        self.until("queued", lambda: self.rows(
            "responder", "describe", self.name)[0]["depth"] == 1)
        self.serve("cat")
        self.assertEqual(caller.communicate(timeout=BOUND_S), ("x\n", ""))

    def test_lines_are_parts_as_they_come(self):
        gate = self.gate()
        self.shell(f"echo one; cat {gate}; printf two", options=("--lines",))
        caller = self.start("call", self.name, "x", "--parts", "--json")
        self.assertEqual(json.loads(caller.stdout.readline()), {"part": 1, "payload": "one\n"})
        self.open_gate()
        rows = [json.loads(line) for line in caller.communicate(timeout=BOUND_S)[0].splitlines()]
        self.assertEqual([row["payload"] for row in rows], ["go\n", "two"])
        self.assertEqual(rows[-1]["outcome"], "OK")

    def test_parts_are_joined_for_a_caller_that_wants_one_reply(self):
        self.shell("echo one; echo two", options=("--lines",))
        self.assertEqual(self.sluice("call", self.name, "x"), "one\ntwo\n")
        self.assertEqual(self.sluice("call", self.name, "x", "--parts"), "one\ntwo\n")


class LeavingTest(RequestCase):
    def test_a_call_that_times_out_stops_the_command(self):
        self.shell(f"echo $$ > {self.path('pid')}; exec sleep 1000")
        timeout_s = 0.5
        # On a busy machine the time may be up before the command has begun.
        while not os.path.exists(self.path("pid")) or os.path.getsize(self.path("pid")) == 0:
            timeout_s *= 2
            self.sluice("call", self.name, "x", "--timeout", str(timeout_s), code=REFUSED)
            self.assertIn("TIMED_OUT", self.error)
        self.assertIn("it may have been done", self.error)
        self.until_gone(self.path("pid"))

    def test_a_caller_that_is_killed_stops_the_command_and_all_it_started(self):
        script = f"trap '' TERM; sleep 1000 & echo $! > {self.path('pid')}; wait"
        self.shell(script, options=("--kill-after", "0.1"))
        caller = self.start("call", self.name, "x", "--timeout", "50")
        self.until_in_flight(1)
        caller.kill()
        self.until_gone(self.path("pid"))

    def test_a_worker_that_is_killed_is_told_at_once(self):
        worker = self.shell("exec sleep 1000")
        caller = self.start("call", self.name, "x", "--timeout", "50", "--json")
        self.until_in_flight(1)
        worker.kill()
        out, error = caller.communicate(timeout=BOUND_S)
        self.assertEqual(caller.returncode, REFUSED)
        self.assertEqual(json.loads(out), {"outcome": "RESPONDER_GONE", "handed_out": True})
        self.assertIn("RESPONDER_GONE: it may have been done", error)

    def test_another_worker_gets_it_if_the_caller_wants(self):
        first = self.shell("exec sleep 1000")
        caller = self.start("call", self.name, "x", "--timeout", "50", "--retry", "--json")
        self.until_in_flight(1)
        self.shell("echo again $SLUICE_ATTEMPTS")
        first.kill()
        self.assertEqual(json.loads(caller.communicate(timeout=BOUND_S)[0])["payload"],
                         "again 2\n")

    def test_sigterm_finishes_what_is_in_hand(self):
        gate = self.gate()
        worker = self.shell(f"cat {gate}")
        caller = self.start("call", self.name, "x", "--timeout", "50")
        self.until_in_flight(1)
        worker.send_signal(signal.SIGTERM)
        self.until("finishing", lambda: self.rows(
            "responder", "describe", self.name)[0]["attached"][0]["finishing"])
        self.open_gate()
        self.assertEqual(caller.communicate(timeout=BOUND_S)[0], "go\n")
        [finished] = self.events(worker, "finished")
        self.assertEqual((finished["assigned"], finished["answered"]), (1, 1))
        self.assertEqual(worker.wait(BOUND_S), DONE)

    def test_a_second_signal_stops_the_commands(self):
        worker = self.shell("exec sleep 1000")
        caller = self.start("call", self.name, "x", "--timeout", "50", "--json")
        self.until_in_flight(1)
        worker.send_signal(signal.SIGTERM)
        self.until("finishing", lambda: self.rows(
            "responder", "describe", self.name)[0]["attached"][0]["finishing"])
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(json.loads(caller.communicate(timeout=BOUND_S)[0])["failure"]["code"],
                         "STOPPED")
        self.assertEqual(worker.wait(BOUND_S), DONE)

    def test_several_at_once(self):
        for name in ("a", "b"):
            self.gate(name)
        # The request is the name of the gate.
        self.shell(f"cat {self.folder}/$(cat)", options=("--concurrency", "2"))
        callers = [self.start("call", self.name, name, "--timeout", "50") for name in ("a", "b")]
        self.until_in_flight(2)
        for name, caller in zip(("b", "a"), reversed(callers)):
            self.open_gate(name)
            self.assertEqual(caller.communicate(timeout=BOUND_S), ("go\n", ""))

    def test_a_responder_that_is_deleted_ends_the_worker(self):
        worker = self.serve("cat")
        self.sluice("responder", "delete", self.name)
        self.assertEqual(worker.wait(BOUND_S), REFUSED)
        self.assertIn("DELETED", worker.stderr.read())

    def test_bad_usage(self):
        self.sluice("serve", self.name, "--declare", "--", "no-such-command", code=USAGE)
        self.assertIn("no-such-command", self.error)
        self.sluice("serve", self.name, code=USAGE)
        self.sluice("serve", self.name, "--concurrency", "0", "--", "cat", code=USAGE)
        self.sluice("call", self.name, "x", "--header", "nothing", code=USAGE)


if __name__ == "__main__":
    unittest.main()

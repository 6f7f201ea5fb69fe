# SPDX-License-Identifier: Apache-2.0
"""The `sluice` command and queues: every verb, its exit codes, stdin, JSON lines."""

import base64
import json
import os
import signal
import subprocess
import unittest

from cli_case import (BOUND_S, DONE, EXECUTABLE, FAULT, INTERRUPTED, NOT_FOUND, REFUSED,
                      UNREACHABLE, USAGE, CliCase)


class DeclaringTest(CliCase):
    def test_declare_says_whether_it_made_the_queue(self):
        self.assertIn("created", self.sluice("declare", self.queue, "--capacity", "7"))
        self.assertIn("exists", self.sluice("declare", self.queue, "--capacity", "7"))
        [row] = self.rows("declare", self.queue, "--capacity", "7")
        self.assertFalse(row["created"])
        self.assertEqual(row["spec"]["capacity"], 7)

    def test_declare_takes_every_part_of_the_spec(self):
        [row] = self.rows("declare", self.queue, "--bytes-max", "1000000",
                          "--message-bytes-max", "1000", "--max-in-flight", "5", "--shared",
                          "--close-on-consumer-loss", "--lifetime", "tied",
                          "--durability", "memory")
        self.assertEqual(row["spec"], {
            "capacity": 1024, "bytes_max": 1000000, "message_bytes_max": 1000, "max_in_flight": 5,
            "lifetime": "TIED", "shared": True, "close_on_consumer_loss": True,
            "durability": "MEMORY"})

    def test_a_difference_is_a_fault_that_names_its_field(self):
        self.declare("--capacity", "7")
        self.sluice("declare", self.queue, "--capacity", "8", code=FAULT)
        self.assertIn("DECLARED_OTHERWISE", self.error)
        self.assertIn("field=spec.capacity", self.error)

    def test_a_bound_is_told_with_field_limit_and_value(self):
        self.sluice("declare", self.queue, "--capacity", "2000000", code=USAGE)
        self.assertRegex(self.error, "OUT_OF_BOUNDS.*field=spec.capacity, limit=1048576, value=2")

    def test_describe_shows_every_count(self):
        self.declare()
        self.sluice("send", self.queue, "a", "b")
        [row] = self.rows("describe", self.queue)
        self.assertEqual((row["state"], row["accepted"], row["depth"]), ("OPEN", 2, 2))
        self.assertRegex(self.sluice("describe", self.queue), r"(?m)^depth +2$")

    def test_list_shows_the_queues_of_a_prefix(self):
        for name in ("a", "b"):
            self.sluice("declare", f"{self.queue}.{name}")
        names = [row["name"] for row in self.rows("list", "--prefix", self.queue)]
        self.assertEqual(names, [f"{self.queue}.a", f"{self.queue}.b"])
        self.assertIn(f"{self.queue}.a", self.sluice("list"))

    def test_an_unknown_queue_has_its_own_exit_code(self):
        for verb in ("describe", "close", "delete", "purge", "peek", "send", "receive"):
            words = [verb, "no.such.queue"] + (["x"] if verb == "send" else [])
            self.sluice(*words, code=NOT_FOUND)
            self.assertIn("QUEUE_NOT_FOUND", self.error)

    def test_close_lets_the_rest_be_received_and_refuses_more(self):
        self.declare()
        self.sluice("send", self.queue, "a")
        self.sluice("close", self.queue)
        self.sluice("send", self.queue, "late", code=REFUSED)
        self.assertIn("CLOSED", self.error)
        self.assertEqual(self.sluice("receive", self.queue), "a\n")
        self.sluice("receive", self.queue, code=REFUSED)
        self.assertIn("CLOSED REQUESTED", self.error)

    def test_delete_and_purge_say_what_they_destroyed(self):
        self.declare()
        self.sluice("send", self.queue, "a", "b", "c")
        self.assertEqual(self.rows("purge", self.queue), [{"queue": self.queue, "purged": 3}])
        self.sluice("send", self.queue, "d")
        self.assertIn("1 messages", self.sluice("delete", self.queue))
        self.sluice("describe", self.queue, code=NOT_FOUND)

    def test_peek_changes_nothing(self):
        self.declare()
        self.sluice("peek", self.queue, code=REFUSED)
        self.assertIn("EMPTY", self.error)
        self.sluice("send", self.queue, "a", "b", "c")
        peeked = self.sluice("peek", self.queue, "--from", "2", "--count", "5")
        self.assertEqual(peeked, "b\nc\n")
        self.assertEqual(self.sluice("receive", self.queue, "--count", "3"), "a\nb\nc\n")


class SendingTest(CliCase):
    def test_lines_of_stdin_are_messages(self):
        self.declare("--capacity", "5000")
        lines = [f"line {number}" for number in range(3000)]
        self.assertIn("3000 of 3000", self.sluice("send", self.queue, stdin="\n".join(lines)))
        received = self.sluice("receive", self.queue, "--count", "3000").splitlines()
        self.assertEqual(received, lines)

    def test_json_lines_carry_every_field(self):
        self.declare()
        raw = bytes(range(256))
        sent = [{"payload": "text", "id": "1", "content_type": "text/plain",
                 "headers": {"k": "v", "l": ""}},
                {"payload_base64": base64.b64encode(raw).decode()}]
        lines = "\n".join(json.dumps(row) for row in sent)
        self.sluice("send", self.queue, "--json-lines", stdin=lines)
        first, second = self.rows("receive", self.queue, "--count", "2")
        self.assertEqual({key: first[key] for key in sent[0]}, sent[0])
        self.assertEqual(base64.b64decode(second["payload_base64"]), raw)
        self.assertEqual((first["position"], first["attempts"], first["failures"]), (1, 1, 0))

    def test_what_receive_prints_send_takes(self):
        self.declare()
        self.sluice("send", self.queue, "a", "--id", "7", "--header", "k=v",
                    "--content-type", "text/plain")
        out = self.sluice("receive", self.queue, "--json")
        self.sluice("send", self.queue, "--json-lines", stdin=out)
        [row] = self.rows("receive", self.queue)
        self.assertEqual((row["payload"], row["id"], row["content_type"], row["headers"]),
                         ("a", "7", "text/plain", {"k": "v"}))

    def test_a_bad_line_is_named_and_the_lines_before_it_are_sent(self):
        self.declare()
        for bad, text in (("{", "not JSON"), ("[]", "object"), ("{}", "payload"),
                          ('{"payload": 1}', "text"), ('{"payload": "x", "typo": 1}', "typo"),
                          ('{"payload_base64": "!"}', "base64")):
            self.sluice("send", self.queue, "--json-lines", code=USAGE,
                        stdin='{"payload": "good"}\n' + bad + "\n")
            self.assertIn(text, self.error)
            self.assertIn("line=2", self.error)
        self.assertEqual(self.rows("describe", self.queue)[0]["depth"], 6)

    def test_outcomes_are_json_lines(self):
        self.declare("--capacity", "2")
        rows = self.rows("send", self.queue, "--try", "a", "b", "c", code=REFUSED)
        told = {}
        for row in rows:
            told[row["outcome"]] = told.get(row["outcome"], 0) + row["count"]
        self.assertEqual(told, {"OK": 2, "FULL": 1})
        self.assertIn("FULL", self.error)

    def test_waiting_for_room_runs_out(self):
        self.declare("--capacity", "1")
        for wait in ("0.05", "0.0001"):  # The latter is not rounded to 0, no limit.
            self.sluice("send", self.queue, "--wait", wait, "a", "b", code=REFUSED)
            self.assertIn("TIMED_OUT", self.error)

    def test_a_full_queue_makes_send_wait(self):
        self.declare("--capacity", "1")
        sender = self.start("send", self.queue, "a", "b")
        words = ("receive", self.queue, "--count", "2", "--wait", "30")
        self.assertEqual(self.sluice(*words), "a\nb\n")
        self.assertEqual(sender.wait(BOUND_S), DONE)

    def test_declare_comes_along(self):
        self.sluice("send", self.queue, "--declare", "a")
        self.assertEqual(self.rows("describe", self.queue)[0]["depth"], 1)

    def test_a_message_over_its_bound_is_refused_with_the_limit(self):
        self.declare("--message-bytes-max", "100")
        self.sluice("send", self.queue, "x" * 200, code=USAGE)
        self.assertRegex(self.error, r"INVALID_ARGUMENT \w+: .*limit=100")

    def test_outcomes_are_told_while_more_is_awaited(self):
        self.declare()
        sender = self.start("send", self.queue, "--json")
        sender.stdin.write("a\n")
        sender.stdin.flush()
        self.assertEqual(json.loads(sender.stdout.readline())["outcome"], "OK")

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(BOUND_S), INTERRUPTED)
        return process.communicate()

    def test_a_signal_while_it_waits_for_room_leaves_the_rest_unknown(self):
        self.declare("--capacity", "1")
        sender = self.start("send", self.queue, "a", "b")
        self.until("waiting", lambda: self.rows("describe", self.queue)[0]["waiting_sends"] == 1)
        self.assertEqual(self.interrupt(sender), (
            "1 of 2 sent\n", "sluice: interrupted: 1 of 2 sent, 1 unknown\n"))

    def test_a_signal_while_it_reads_is_the_end_of_reading(self):
        self.declare()
        sender = self.start("send", self.queue)
        sender.stdin.write("a\nhalf a line")
        sender.stdin.flush()
        self.until("sent", lambda: self.rows("describe", self.queue)[0]["depth"] == 1)
        self.assertEqual(self.interrupt(sender), (
            "1 of 1 sent\n", "sluice: interrupted: 1 of 1 sent, 0 unknown\n"))

    def test_bad_headers_are_usage(self):
        self.declare()
        self.sluice("send", self.queue, "a", "--header", "nothing", code=USAGE)


class ReceivingTest(CliCase):
    def test_an_empty_queue_is_told(self):
        self.declare()
        self.sluice("receive", self.queue, code=REFUSED)
        self.assertIn("EMPTY", self.error)
        self.sluice("receive", self.queue, "--wait", "0.05", code=REFUSED)
        self.assertIn("EMPTY", self.error)

    def test_what_is_received_is_settled_unless_asked_otherwise(self):
        self.declare()
        self.sluice("send", self.queue, "a", "b")
        self.assertEqual(self.sluice("receive", self.queue, "--no-ack"), "a\n")
        [row] = self.rows("receive", self.queue)
        self.assertEqual((row["payload"], row["attempts"], row["failures"]), ("a", 2, 0))
        [after] = self.rows("describe", self.queue)
        self.assertEqual((after["settled"], after["depth"], after["in_flight"]), (1, 1, 0))

    def test_fewer_than_wanted_is_refused_and_says_how_many(self):
        self.declare()
        self.sluice("send", self.queue, "a")
        self.assertEqual(self.sluice("receive", self.queue, "--count", "2", code=REFUSED), "a\n")
        self.assertIn("1 of 2", self.error)

    def test_follow_goes_on_until_the_queue_ends(self):
        self.declare()
        follower = self.start("receive", self.queue, "--follow")
        self.sluice("send", self.queue, "a", "b")
        self.assertEqual([follower.stdout.readline() for _ in range(2)], ["a\n", "b\n"])
        self.sluice("close", self.queue)
        self.assertEqual(follower.wait(BOUND_S), REFUSED)
        self.assertIn("REQUESTED", follower.stderr.read())

    def test_follow_leaves_in_good_order_on_a_signal(self):
        self.declare()
        follower = self.start("receive", self.queue, "--follow", "--no-ack")
        self.sluice("send", self.queue, "a")
        self.assertEqual(follower.stdout.readline(), "a\n")
        follower.send_signal(signal.SIGINT)
        self.assertEqual(follower.wait(BOUND_S), DONE)
        [row] = self.rows("receive", self.queue)
        self.assertEqual((row["payload"], row["failures"]), ("a", 0))

    def test_a_signal_ends_it_soon_though_the_daemon_is_frozen(self):
        self.declare()
        holder = self.start("set", self.name, "x", "--ephemeral", "--json")
        self.assertEqual(json.loads(holder.stdout.readline())["outcome"], "OK")
        follower = self.start("receive", self.queue, "--follow")
        self.until("attached", lambda: self.rows("describe", self.queue)[0]["consumers"] == 1)
        self.daemon.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.daemon.process.pid, os.WSTOPPED)  # until its last thread has
        try:
            for process in (holder, follower):
                process.send_signal(signal.SIGINT)
                # Far less than its --timeout.
                self.assertEqual(process.wait(BOUND_S / 2), UNREACHABLE)
        finally:
            self.daemon.process.send_signal(signal.SIGCONT)

    def test_follow_with_a_count_settles_just_those(self):
        self.declare()
        self.sluice("send", self.queue, "a", "b", "c")
        self.assertEqual(self.sluice("receive", self.queue, "--follow", "--count", "2"), "a\nb\n")
        [row] = self.rows("receive", self.queue)
        self.assertEqual((row["payload"], row["failures"]), ("c", 0))

    def test_the_seat_is_refused_stood_by_for_or_taken(self):
        self.declare()
        first = self.start("receive", self.queue, "--follow", "--consumer", "first")
        self.sluice("send", self.queue, "a")
        self.assertEqual(first.stdout.readline(), "a\n")
        self.sluice("receive", self.queue, "--follow", code=FAULT)
        self.assertIn("CONSUMER_PRESENT", self.error)
        standby = self.start("receive", self.queue, "--follow", "--standby")
        second = self.start("receive", self.queue, "--follow", "--take-over", "--count", "1")
        self.assertEqual(first.wait(BOUND_S), REFUSED)
        self.assertIn("superseded", first.stderr.read())
        self.sluice("send", self.queue, "b", "c")
        self.assertEqual(second.communicate(timeout=BOUND_S)[0], "b\n")
        self.assertEqual(standby.stdout.readline(), "c\n")

    def test_what_could_not_be_printed_is_not_settled(self):
        self.declare()
        self.sluice("send", self.queue, "a")
        with open("/dev/full", "w", encoding="ascii") as full:
            command = [EXECUTABLE, "--address", self.daemon.address, "receive", self.queue]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True,
                                  check=False, timeout=BOUND_S)
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("stdout", done.stderr)
        self.assertEqual(self.sluice("receive", self.queue), "a\n")


if __name__ == "__main__":
    unittest.main()

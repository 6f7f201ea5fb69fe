# SPDX-License-Identifier: Apache-2.0
"""The `sluice` command and topics: every verb, lags, coming back, patterns."""

import base64
import json
import os
import pty
import signal
import subprocess
import tempfile
import unittest

from cli_case import BOUND_S, DONE, EXECUTABLE, FAULT, NOT_FOUND, REFUSED, USAGE, CliCase


class TopicCase(CliCase):
    def topic(self, *options):
        self.sluice("topic", "declare", self.name, *options)

    def subscribe(self, *options, selector=None):
        """A subscriber with --json that is attached."""
        process = self.start("subscribe", selector or self.name, "--json", *options)
        self.events(process, "subscribed")
        return process

    def resume(self, path, count):
        """A subscriber that comes back, to its end: its event and its payloads."""
        words = ("subscribe", self.name, "--resume", path, "--count", str(count), "--wait", "30")
        rows = self.rows(*words)
        self.assertEqual(rows[0]["event"], "subscribed")
        return rows[0], [row["payload"] for row in rows[1:]]


class TopicVerbsTest(TopicCase):
    def test_declare_takes_every_part_of_the_spec(self):
        [row] = self.rows("topic", "declare", self.name, "--capacity", "100", "--bytes-max",
                          "1000000", "--message-bytes-max", "1000", "--policy", "block", "--block",
                          "2", "--resume-window", "0", "--lifetime", "tied", "--durability",
                          "memory")
        self.assertTrue(row["created"])
        self.assertEqual(row["spec"], {
            "capacity": 128, "bytes_max": 1000000, "message_bytes_max": 1000, "policy": "BLOCK",
            "block_ms": 2000, "resume_window_ms": 0, "lifetime": "TIED", "durability": "MEMORY"})
        self.assertIn("exists", self.sluice("topic", "declare", self.name, "--capacity", "128",
                                            "--bytes-max", "1000000", "--message-bytes-max",
                                            "1000", "--policy", "block", "--block", "2",
                                            "--resume-window", "0", "--lifetime", "tied"))

    def test_a_difference_is_a_fault_that_names_its_field(self):
        self.topic()
        self.sluice("topic", "declare", self.name, "--policy", "block", code=FAULT)
        self.assertRegex(self.error, "DECLARED_OTHERWISE.*field=spec.policy")

    def test_describe_shows_the_counts_and_who_is_attached(self):
        self.topic()
        self.subscribe("--subscriber", "me")
        self.sluice("publish", self.name, "a", "b")
        [row] = self.rows("topic", "describe", self.name)
        self.assertEqual((row["state"], row["accepted"], row["subscribers"]), ("OPEN", 2, 1))
        self.assertEqual([one["subscriber"] for one in row["attached"]], ["me"])
        text = self.sluice("topic", "describe", self.name)
        self.assertRegex(text, r"(?m)^accepted +2$")
        self.assertRegex(text, r"(?m)^stream_id +subscriber")

    def test_list_close_and_delete(self):
        self.topic()
        [row] = self.rows("topic", "list", "--prefix", self.name)
        self.assertEqual(row["name"], self.name)
        self.assertIn(self.name, self.sluice("topic", "list"))
        self.assertEqual(self.rows("topic", "close", self.name),
                         [{"topic": self.name, "closed": True}])
        self.sluice("publish", self.name, "late", code=REFUSED)
        self.assertIn("CLOSED REQUESTED", self.error)
        self.assertIn("0 messages", self.sluice("topic", "delete", self.name))
        self.sluice("topic", "describe", self.name, code=NOT_FOUND)

    def test_an_unknown_topic_has_its_own_exit_code(self):
        for words in (("topic", "describe"), ("topic", "close"), ("topic", "delete"),
                      ("publish",), ("subscribe",)):
            more = ["x"] if words == ("publish",) else []
            self.sluice(*words, "no.such.topic", *more, code=NOT_FOUND)
            self.assertIn("TOPIC_NOT_FOUND", self.error)


class PublishingTest(TopicCase):
    def test_nobody_subscribed_is_told(self):
        self.topic()
        self.sluice("publish", self.name, "a", code=REFUSED)
        self.assertIn("NO_SUBSCRIBERS: 1 of 1 not sent", self.error)

    def test_lines_of_stdin_come_to_every_subscriber(self):
        self.topic()
        lines = [f"line {number}" for number in range(500)]
        followers = [self.subscribe("--count", "500") for _ in range(2)]
        self.assertIn("500 of 500", self.sluice("publish", self.name, stdin="\n".join(lines)))
        for follower in followers:
            out, _ = follower.communicate(timeout=BOUND_S)
            rows = [json.loads(line) for line in out.splitlines()]
            self.assertEqual([row["payload"] for row in rows], lines)
            self.assertEqual([row["position"] for row in rows], list(range(1, 501)))
            self.assertEqual(follower.returncode, DONE)

    def test_what_subscribe_prints_publish_takes(self):
        self.topic()
        first = self.subscribe("--count", "1")
        self.sluice("publish", self.name, "a", "--id", "7", "--header", "k=v", "--content-type",
                    "text/plain")
        line = first.communicate(timeout=BOUND_S)[0]
        second = self.subscribe("--count", "1")
        self.sluice("publish", self.name, "--json-lines", stdin=line)
        row = json.loads(second.communicate(timeout=BOUND_S)[0])
        self.assertEqual((row["topic"], row["payload"], row["id"], row["content_type"],
                          row["headers"]), (self.name, "a", "7", "text/plain", {"k": "v"}))

    def test_outcomes_are_json_lines_that_say_to_how_many(self):
        self.topic()
        self.subscribe()
        rows = self.rows("publish", self.name, "a", "b")
        self.assertEqual({row["outcome"] for row in rows}, {"OK"})
        self.assertEqual(sum(row["count"] for row in rows), 2)

    def test_declare_comes_along(self):
        self.start("subscribe", self.name, "--declare")
        self.until("the topic", lambda: self.rows("topic", "list", "--prefix", self.name))


class SubscribingTest(TopicCase):
    def test_people_see_payloads_and_topics_of_a_pattern(self):
        for name in ("a", "b"):
            self.sluice("topic", "declare", f"{self.name}.{name}")
        follower = self.start("subscribe", f"{self.name}.*", "--count", "2")
        one = self.start("subscribe", f"{self.name}.a", "--count", "1")
        for name, subscribers in (("a", 2), ("b", 1)):
            self.until("subscribed", lambda n=name, s=subscribers: self.rows(
                "topic", "describe", f"{self.name}.{n}")[0]["subscribers"] == s)
            self.sluice("publish", f"{self.name}.{name}", "hello")
        self.assertEqual(sorted(follower.communicate(timeout=BOUND_S)[0].splitlines()),
                         [f"{self.name}.a\thello", f"{self.name}.b\thello"])
        self.assertEqual(one.communicate(timeout=BOUND_S), ("hello\n", ""))

    def test_a_pattern_gets_topics_that_are_made_later(self):
        follower = self.start("subscribe", f"{self.name}.>", "--json", "--count", "1")
        self.until("attached", lambda: any(row["method"].endswith("/Subscribe")
                                           for row in self.rows("streams")))
        self.sluice("topic", "declare", f"{self.name}.x")
        self.events(follower, "subscribed")
        self.sluice("publish", f"{self.name}.x", "first")
        self.assertEqual(json.loads(follower.stdout.readline())["payload"], "first")

    def test_what_is_not_utf8_is_base64_in_json_and_escaped_on_a_terminal(self):
        self.topic()
        raw = b"\x1b[31m\xff\x00"
        line = json.dumps({"payload_base64": base64.b64encode(raw).decode()})
        follower = self.subscribe("--count", "1")
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        shown = subprocess.Popen([EXECUTABLE, "--address", self.daemon.address, "subscribe",
                                  self.name, "--count", "1"], stdout=theirs)
        self.until("both", lambda: self.rows("topic", "describe", self.name)[0]["subscribers"] == 2)
        self.sluice("publish", self.name, "--json-lines", stdin=line)
        row = json.loads(follower.communicate(timeout=BOUND_S)[0])
        self.assertEqual(base64.b64decode(row["payload_base64"]), raw)
        self.assertEqual(shown.wait(BOUND_S), DONE)
        os.close(theirs)
        self.assertEqual(os.read(ours, 100).strip(), rb"\x1b[31m\xff\x00")

    def test_earliest_begins_with_the_oldest_retained(self):
        self.topic()
        self.subscribe()
        self.sluice("publish", self.name, "a", "b")
        self.assertEqual(
            self.sluice("subscribe", self.name, "--earliest", "--count", "2"), "a\nb\n")

    def test_nothing_within_the_wait_is_refused(self):
        self.topic()
        self.sluice("subscribe", self.name, "--wait", "0.05", code=REFUSED)
        self.assertIn("EMPTY", self.error)

    def test_its_end_is_told_and_a_signal_is_no_fault(self):
        for verb, reason in (("close", "REQUESTED"), ("delete", "DELETED")):
            self.topic()
            follower = self.subscribe()
            self.sluice("topic", verb, self.name)
            self.assertEqual(follower.wait(BOUND_S), REFUSED)
            self.assertIn(reason, follower.stderr.read())
        self.topic()
        follower = self.subscribe()
        follower.send_signal(signal.SIGINT)
        self.assertEqual(follower.wait(BOUND_S), DONE)


class LagTest(TopicCase):
    MESSAGES = 1500
    PAYLOAD = "x" * 20000  # In all far more than what can be under way.

    def publish_past(self, follower):
        """Publishes more than fits while the subscriber is stopped."""
        follower.send_signal(signal.SIGSTOP)
        stdin = "\n".join([self.PAYLOAD] * self.MESSAGES)
        self.sluice("publish", self.name, stdin=stdin)
        follower.send_signal(signal.SIGCONT)

    def test_a_lag_is_told_exactly(self):
        self.topic("--capacity", "4")
        follower = self.subscribe()
        self.publish_past(follower)
        rows = []
        while not rows or rows[-1].get("position") != self.MESSAGES:
            rows.append(json.loads(follower.stdout.readline()))
        missed = sum(row["missed"] for row in rows if row.get("event") == "lagged")
        messages = [row for row in rows if "event" not in row]
        self.assertGreater(missed, 0)
        self.assertEqual(missed + len(messages), self.MESSAGES)

    def test_a_lag_may_be_the_end(self):
        self.topic("--capacity", "4")
        follower = self.subscribe("--end-on-lag")
        self.publish_past(follower)
        _, error = follower.communicate(timeout=BOUND_S)
        self.assertEqual(follower.returncode, REFUSED)
        self.assertIn("LAGGED", error)


class ResumeTest(TopicCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "positions")
        self.topic("--capacity", "4")
        self.keeper = self.subscribe()  # Without it the first publish would be refused.

    def begin(self):
        """Reads two messages, and leaves."""
        follower = self.subscribe("--resume", self.path, "--count", "2")
        self.sluice("publish", self.name, "a", "b", "c")
        follower.communicate(timeout=BOUND_S)
        self.assertEqual(follower.returncode, DONE)

    def saved_position(self):
        if not os.path.exists(self.path):
            return None
        with open(self.path, encoding="utf-8") as file:
            saved = json.load(file)
        self.assertEqual(saved["selector"], self.name)
        return saved["topics"][0]["next_position"] if saved["topics"] else None

    def test_it_goes_on_where_it_was(self):
        self.begin()
        self.sluice("publish", self.name, "d")
        event, payloads = self.resume(self.path, 2)
        self.assertEqual((event["continuity"], payloads), ("CONTINUED", ["c", "d"]))
        self.assertEqual(self.saved_position(), 5)

    def test_a_gap_is_told_exactly(self):
        self.begin()
        self.sluice("publish", self.name, *"defghi")
        event, payloads = self.resume(self.path, 4)
        self.assertEqual((event["continuity"], event["missed"]), ("GAP", 3))
        self.assertEqual(payloads, list("fghi"))

    def test_another_life_is_a_reset(self):
        self.begin()
        self.sluice("topic", "delete", self.name)
        self.topic("--capacity", "4")
        self.keeper = self.subscribe()
        self.sluice("publish", self.name, "new")
        event, payloads = self.resume(self.path, 1)
        self.assertEqual((event["continuity"], payloads), ("RESET", ["new"]))

    def test_a_run_that_is_killed_goes_on_too(self):
        follower = self.subscribe("--resume", self.path)
        self.sluice("publish", self.name, "a")
        self.assertEqual(json.loads(follower.stdout.readline())["payload"], "a")
        self.until("saved", lambda: self.saved_position() == 2)
        follower.kill()
        follower.wait()
        self.sluice("publish", self.name, "b")
        self.assertEqual(self.resume(self.path, 1)[1], ["b"])

    def test_people_are_told_what_became_of_it(self):
        self.begin()
        follower = self.start("subscribe", self.name, "--resume", self.path, "--count", "1")
        out, error = follower.communicate(timeout=BOUND_S)
        self.assertEqual(out, "c\n")
        self.assertEqual(error, f"sluice: {self.name}: resumed, CONTINUED\n")

    def test_a_file_of_something_else_is_refused(self):
        for text, words in (("{", "no file of positions"),
                            ('{"selector": "other", "topics": []}', "other"),
                            (f'{{"selector": "{self.name}", "topics": [{{}}]}}', "no position")):
            with open(self.path, "w", encoding="utf-8") as file:
                file.write(text)
            self.sluice("subscribe", self.name, "--resume", self.path, code=USAGE)
            self.assertIn(words, self.error)
        self.sluice("subscribe", self.name, "--resume", "/no/such/folder/file", code=USAGE)
        self.assertIn("cannot be written", self.error)


if __name__ == "__main__":
    unittest.main()

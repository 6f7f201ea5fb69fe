# SPDX-License-Identifier: Apache-2.0
"""The `sluice` command when its daemon is killed and started again: what goes on, what ends."""

import json
import socket
import unittest

from support.daemon import Daemon

from cli_case import BOUND_S, NOT_FOUND, UNREACHABLE, CliCase


class LossTest(CliCase):
    """A daemon for each test: it is killed."""

    def setUp(self):
        super().setUp()
        # Bound and not listening: the daemon can have the port beside it, and nobody else is given
        # it while there is none.
        held = socket.socket()
        self.addCleanup(held.close)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        self.daemon = Daemon(listen=f"127.0.0.1:{held.getsockname()[1]}")
        self.addCleanup(lambda: self.daemon.kill())

    def restart(self):
        address = self.daemon.address
        self.daemon.kill()
        self.daemon = Daemon(listen=address)

    def check_recovery(self, process):
        told = self.events(process, "lost", "reconnected")
        self.assertIn("UNAVAILABLE", told[0]["status"])

    def test_a_subscriber_of_a_pattern_goes_on(self):
        follower = self.start("subscribe", "orders.*", "--json")
        self.sluice("topic", "declare", "orders.a")
        self.events(follower, "subscribed")
        self.restart()
        self.events(follower, "lost")
        self.sluice("topic", "declare", "orders.b")
        self.until("attached", lambda: self.rows(
            "topic", "describe", "orders.b")[0]["subscribers"] == 1)
        self.sluice("publish", "orders.b", "after")
        rows = []
        while not rows or "payload" not in rows[-1]:
            rows.append(json.loads(follower.stdout.readline()))
        self.assertEqual((rows[-1]["topic"], rows[-1]["payload"]), ("orders.b", "after"))

    def test_a_watcher_goes_on_and_tells_what_is_gone(self):
        self.sluice("set", "app/a", "1")
        watcher = self.start("watch", "--prefix", "app/", "--json")
        self.events(watcher, "end_of_snapshot")
        self.restart()
        self.check_recovery(watcher)
        row = json.loads(watcher.stdout.readline())
        self.assertEqual((row["key"], row["deleted"]), ("app/a", True))
        self.sluice("set", "app/b", "2")
        self.assertEqual(json.loads(watcher.stdout.readline())["value"], "2")

    def test_a_worker_serves_again(self):
        worker = self.start("serve", "upper", "--declare", "--json", "--", "tr", "a-z", "A-Z")
        self.events(worker, "serving")
        self.restart()
        self.check_recovery(worker)
        self.assertEqual(self.sluice("call", "upper", "again", "--wait"), "AGAIN\n")

    def test_an_ephemeral_key_is_set_again(self):
        holder = self.start("set", "leader", "me", "--ephemeral", "--json")
        self.assertEqual(json.loads(holder.stdout.readline())["outcome"], "OK")
        self.restart()
        self.assertEqual(self.sluice("get", "leader", "--wait-exists", "--wait", "50"), "me\n")

    def test_a_sender_goes_on_if_it_was_told_to(self):
        sender = self.start("send", "jobs", "--declare", "--reconnect")
        sender.stdin.write("before\n")
        sender.stdin.flush()
        self.until("sent", lambda: [row["depth"] for row in self.rows("list")] == [1])
        self.restart()
        sender.stdin.write("after\n")
        sender.stdin.flush()
        self.until("sent", lambda: [row["depth"] for row in self.rows("list")] == [1])
        self.assertEqual(sender.communicate(timeout=BOUND_S), ("2 of 2 sent\n", ""))
        self.assertEqual(self.sluice("receive", "jobs"), "after\n")

    def test_without_reconnecting_a_loss_is_the_end(self):
        self.sluice("declare", "jobs")
        processes = [self.start(*words) for words in (
            ("receive", "jobs", "--follow", "--no-reconnect"),
            ("subscribe", "orders.*", "--no-reconnect"),
            ("watch", "--prefix", "", "--no-reconnect"),
            ("serve", "upper", "--declare", "--no-reconnect", "--", "cat"),
            ("send", "jobs"))]
        self.until("attached", lambda: self.rows("info")[0]["live"]["streams"] == len(processes))
        self.daemon.kill()
        for process in processes[:-1]:
            self.assertEqual(process.wait(BOUND_S), UNREACHABLE, process.args)
        self.assertEqual(processes[-1].communicate("x\n", timeout=BOUND_S)[0], "0 of 0 sent\n")
        self.assertEqual(processes[-1].returncode, UNREACHABLE)

    def test_a_channel_that_is_forgotten_is_the_end(self):
        self.sluice("declare", "jobs")
        follower = self.start("receive", "jobs", "--follow", "--json")
        self.until("attached", lambda: self.rows("describe", "jobs")[0]["consumers"] == 1)
        self.restart()
        self.assertEqual(follower.wait(BOUND_S), NOT_FOUND)
        self.assertIn("QUEUE_NOT_FOUND", follower.stderr.read())


if __name__ == "__main__":
    unittest.main()

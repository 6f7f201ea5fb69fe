# SPDX-License-Identifier: Apache-2.0
"""A daemon under attack, a bystander, and what must hold: the bystander is served during and after
it, the daemon gives back what it held, and ends in good order with nothing unexpected in its
log."""

import contextlib
import json
import os
import time
import unittest

from bystander import Bystander
from http2 import Peer
from support.client import Client
from support.daemon import SANITIZERS, Daemon
from support.eventually import eventually

MIB = 1 << 20
# Rounds of the bystander in each phase.
ROUNDS = 30
# The promise; and what a machine may take that is busy with other things: so many times of what it
# took just before the attack. The worst round is told, the median decides.
SERVED_WITHIN_S = 1.0
SLOWER_AT_MOST = 20
# Longer than a peer that falls silent is kept.
BASELINE_BOUND = 60.0
# What the allocator may keep.
RSS_SLACK = 24 * MIB
# Events of the log: of a daemon's life, and those that peers may cause. Everything else fails.
OWN_EVENTS = {"serving", "memory", "few_files", "draining", "stopped"}
PEER_EVENTS = {"connection_refused", "accept_failed", "connection_cut", "grpc"}
# All attacks of a class together: the log is not theirs to fill.
LOG_BYTES_MAX = 64 << 10


class AttackCase(unittest.TestCase):
    """One daemon and one bystander for all tests of a class."""

    OPTIONS = ()

    @classmethod
    def setUpClass(cls):
        # It does not ask itself: that would be among what it holds, now and then.
        cls.daemon = Daemon("--drain-grace-ms", "2000", "--probe-interval-ms", "0", *cls.OPTIONS)
        cls.addClassCleanup(cls.daemon.kill)
        cls.client = Client(cls.daemon.address)
        cls.bystander = Bystander(cls.daemon.address)

    @classmethod
    def tearDownClass(cls):
        cls.bystander.close()
        cls.client.close()
        cls.daemon.terminate()
        log = cls.daemon.wait()
        unexpected = [line for line in log.splitlines()
                      if event_of(line) not in OWN_EVENTS | PEER_EVENTS]
        if unexpected:
            raise AssertionError("the log has what nobody expects:\n" + "\n".join(unexpected[:20]))
        if len(log) > LOG_BYTES_MAX:
            raise AssertionError(f"the log has {len(log)} bytes, as:\n{log[:1000]}")

    def setUp(self):
        self.peers = []

    def peer(self, **fields):
        """A connection of a bad peer. It is reset when the attack is over."""
        self.peers.append(Peer(self.daemon.port, **fields))
        return self.peers[-1]

    def leave(self):
        for peer in self.peers:
            peer.close()
        self.peers.clear()

    @contextlib.contextmanager
    def attack(self, peak_mib=32, is_connecting=True):
        """Around an attack: what must hold before, during and after it. The daemon's memory grows
        by `peak_mib` at most meanwhile."""
        self.bystander.run()
        calm = self.bystander.rest(ROUNDS)
        baseline = self.baseline()
        before = self.daemon.rss_bytes()
        self.forget_peak()
        self.bystander.run(is_connecting)
        try:
            yield
            during = self.bystander.rest(ROUNDS)
            peak = self.peak_bytes() - before
        finally:
            self.leave()
        self.await_baseline(baseline)
        self.bystander.run()
        after = self.bystander.rest(ROUNDS)
        print(f"\n{self._testMethodName}\n  calm:   {calm}\n  during: {during}\n  after:  {after}\n"
              f"  RSS {before / MIB:.1f} MiB, at most {peak / MIB:+.1f}, after it "
              f"{(self.daemon.rss_bytes() - before) / MIB:+.1f}", flush=True)
        bound = max(SERVED_WITHIN_S, SLOWER_AT_MOST * calm.median)
        self.assertLess(during.median, bound, "the bystander waits during the attack")
        self.assertLess(after.median, bound, "the bystander waits after the attack")
        if not SANITIZERS:  # they have memory of their own
            self.assertLess(peak, peak_mib * MIB, "memory during the attack")
            eventually(lambda: self.daemon.rss_bytes() < before + RSS_SLACK,
                       what="memory as before the attack")

    def held(self):
        """What there is while the bystander rests: live counts, and descriptors."""
        live = self.client.info().live
        counts = {field.name: getattr(live, field.name) for field in live.DESCRIPTOR.fields}
        return {**counts, "descriptors": len(os.listdir(f"/proc/{self.daemon.pid}/fd"))}

    def baseline(self):
        """What is held while nobody comes: the bystander's last connection has gone by then."""
        last = None
        while (now := self.held()) != last:
            last = now
            time.sleep(0.1)
        return now

    def await_baseline(self, baseline):
        """Until the daemon holds what it did before, neither more nor less."""
        deadline = time.monotonic() + BASELINE_BOUND
        while (now := self.held()) != baseline:
            if time.monotonic() > deadline:
                differs = {name: (value, baseline[name]) for name, value in now.items()
                           if value != baseline[name]}
                self.fail(f"after the attack there is still (now, before) {differs}")
            time.sleep(0.01)

    def forget_peak(self):
        with open(f"/proc/{self.daemon.pid}/clear_refs", "w", encoding="ascii") as refs:
            refs.write("5")

    def peak_bytes(self):
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status
                        if line.startswith("VmHWM"))


def event_of(line):
    """Of a line of the log; the line itself if it is none."""
    try:
        return json.loads(line)["event"]
    except (ValueError, KeyError, TypeError):
        return line

# SPDX-License-Identifier: Apache-2.0
"""The reader that every test of watching stands on notices each broken promise."""

import unittest

from support import wire
from support.config import Watcher
from support.planted import read_planted

Frame = wire.WatchResponse
RESET = wire.Reset(service_epoch=9)


def entry(revision, version=1, key="k", epoch=7, deleted=False, value=b""):
    return wire.Entry(key=key, version=version, epoch=epoch, revision=revision, deleted=deleted,
                      value=value, changed_unix_us=1)


def entries(*several):
    return Frame(entries=several)


def end(revision, service_epoch=9):
    return Frame(end_of_snapshot=wire.EndOfSnapshot(service_epoch=service_epoch,
                                                    revision=revision))


class Reader(unittest.TestCase):

    def read(self, *frames, resume=None):
        request = wire.WatchRequest(keys=["k", "m"])
        if resume:
            request.resume.CopyFrom(wire.WatchResume(service_epoch=9, revision=resume))
        return read_planted(Watcher, "Watch", request, frames)

    # Clauses: N34 N38
    def test_what_is_as_promised_is_not_noticed(self):
        self.assertEqual(self.read(
            entries(entry(5, 3), entry(2, key="m")), end(5), entries(entry(6, 4)),
            entries(entry(9, 7), entry(10, 2, key="m", deleted=True)),
            entries(entry(12, 1, epoch=8))), [])
        self.assertEqual(self.read(entries(entry(6, 4)), end(7), entries(entry(8, 5)), resume=5),
                         [])
        self.assertEqual(self.read(Frame(reset=RESET, entries=[entry(3)]), end(3), resume=5), [])

    # Clauses: N34 N37 N38
    def test_each_broken_promise_is_noticed(self):
        for what, frames in {
                "back in revision": (entries(entry(5)), end(5), entries(entry(8, 3)),
                                     entries(entry(7, key="m"))),
                "told before": (entries(entry(5)), end(5), entries(entry(5))),
                "below the end mark": (end(5), entries(entry(4))),
                "back in version": (entries(entry(5, 3)), end(5), entries(entry(6, 2))),
                "on after its tombstone": (end(5), entries(entry(6, 2, deleted=True)),
                                           entries(entry(7, 3))),
                "not selected": (entries(entry(5, key="other")),),
                "twice in a snapshot": (entries(entry(5)), entries(entry(6, 2))),
                "a tombstone in a snapshot": (entries(entry(5, deleted=True)),),
                "a tombstone with a value": (end(5), entries(entry(6, deleted=True, value=b"x"))),
                "two ends": (end(5), end(5)),
                "an end not alone": (Frame(entries=[entry(5)],
                                           end_of_snapshot=end(5).end_of_snapshot),),
                "a reset to who did not resume": (Frame(reset=RESET), end(5)),
                "a frame too large": (entries(entry(5, value=b"x" * 200_000),
                                              entry(6, key="m", value=b"x" * 200_000)),),
                "no epoch": (entries(entry(5, epoch=0)),)}.items():
            with self.subTest(what):
                self.assertNotEqual(self.read(*frames), [])
        for what, frames in {
                "old news": (entries(entry(5)), end(7)),
                "caught up out of order": (entries(entry(8), entry(7, key="m")), end(9)),
                "another service epoch unsaid": (end(7, service_epoch=10),),
                "a late reset": (entries(entry(6)), Frame(reset=RESET))}.items():
            with self.subTest(what):
                self.assertNotEqual(self.read(*frames, resume=5), [])


if __name__ == "__main__":
    unittest.main()

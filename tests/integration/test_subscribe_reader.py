# SPDX-License-Identifier: Apache-2.0
"""The reader that every test of topics stands on notices each broken promise."""

import unittest

from support import wire
from support.planted import read_planted
from support.topics import Subscriber

FRESH, GAP, RESET = wire.CONTINUITY_FRESH, wire.CONTINUITY_GAP, wire.CONTINUITY_RESET
Frame = wire.SubscribeResponse


def subscribed(ref=1, next_position=1, continuity=FRESH, missed=0, epoch=7, topic="t"):
    return Frame(topic_ref=ref, subscribed=wire.Subscribed(
        topic_ref=ref, topic=topic, epoch=epoch, next_position=next_position,
        continuity=continuity, missed=missed))


def messages(first, count=1, ref=1, told=None, size=1):
    return Frame(topic_ref=ref, messages=[wire.Message(payload=b"x" * size)] * count,
                 runs=[wire.Run(first_position=first, count=told or count, accepted_unix_us=1)])


def lagged(missed, next_position, ref=1):
    return Frame(topic_ref=ref, lagged=wire.Lagged(missed=missed, next_position=next_position))


def closed(ref=0):
    return Frame(topic_ref=ref, closed=wire.Closed(topic_ref=ref))


READY = Frame(ready=wire.Ready(topics=1))


class Reader(unittest.TestCase):

    def read(self, *frames, **fields):
        return read_planted(Subscriber, "Subscribe", wire.SubscribeRequest(topic="t", **fields),
                            frames)

    # Clauses: N30
    def test_what_is_as_promised_is_not_noticed(self):
        self.assertEqual(self.read(subscribed(next_position=5), READY, messages(5, 3),
                                   lagged(4, 12), messages(12), closed(1)), [])
        resume = wire.SubscribeResume(topics=[
            wire.TopicPosition(topic="t", epoch=7, next_position=3)])
        self.assertEqual(self.read(subscribed(next_position=5, continuity=GAP, missed=2), READY,
                                   messages(5), resume=resume), [])

    # Clauses: N30 N31
    def test_each_broken_promise_is_noticed(self):
        begin = subscribed(), READY
        big = messages(1, 2, size=200_000)
        for what, frames in {
                "left out": (*begin, messages(2)),
                "told twice": (*begin, messages(1), messages(1)),
                "out of order": (*begin, messages(1), messages(3), messages(2)),
                "lag by one too few": (*begin, lagged(2, 4)),
                "lag by nothing": (*begin, lagged(0, 1)),
                "missed without a gap": (subscribed(next_position=5, missed=3), READY),
                "a ref twice": (subscribed(), subscribed()),
                "a ref out of turn": (subscribed(ref=2), READY),
                "before ready": (subscribed(), messages(1)),
                "ready twice": (*begin, READY),
                "ready of another number": (subscribed(), Frame(ready=wire.Ready(topics=2))),
                "of no topic": (*begin, messages(1, ref=2)),
                "after its end": (*begin, closed(1), messages(1)),
                "runs of more": (*begin, messages(1, 2, told=3)),
                "two events": (subscribed(), Frame(ready=READY.ready, topic_ref=1,
                                                   lagged=wire.Lagged(missed=1, next_position=2))),
                "a frame too large": (*begin, big)}.items():
            with self.subTest(what):
                self.assertNotEqual(self.read(*frames), [])
        resume = wire.SubscribeResume(topics=[
            wire.TopicPosition(topic="t", epoch=7, next_position=3)])
        for what, frame in {
                "a gap too small": subscribed(next_position=6, continuity=GAP, missed=2),
                "a gap left out": subscribed(next_position=4,
                                             continuity=wire.CONTINUITY_CONTINUED),
                "another life": subscribed(next_position=3, epoch=8,
                                           continuity=wire.CONTINUITY_CONTINUED)}.items():
            with self.subTest(what):
                self.assertNotEqual(self.read(frame, READY, resume=resume), [])


if __name__ == "__main__":
    unittest.main()

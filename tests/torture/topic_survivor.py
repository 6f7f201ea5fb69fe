# SPDX-License-Identifier: Apache-2.0
"""A publisher and subscribers with a topic of their own, and the pump of the victims' topics."""

from support import wire
from topic_victims import BLOCK_TOPIC, TOPIC

QUIET_TOPIC = "torture-quiet"
BLOCK_MS = 20


class TopicSurvivor:
    def __init__(self, client):
        self.topics = client.topics
        self.topics.declare(QUIET_TOPIC, capacity=65_536)
        self.topics.declare(TOPIC, capacity=256)
        self.topics.declare(BLOCK_TOPIC, capacity=64, policy=wire.SLOW_POLICY_BLOCK,
                            block_ms=BLOCK_MS)
        self.publisher = self.topics.publisher(QUIET_TOPIC)
        self.subscriber = self.topics.subscriber(QUIET_TOPIC).wait_ready()
        self.sent = 0

    def streams(self):
        return self.publisher, self.subscriber

    def round(self):
        self.publisher.send(*range(self.sent + 1, self.sent + 11))
        self.sent += 10
        self.topics.publish(TOPIC, *[b"y" * 300] * 20)
        self.topics.publish(BLOCK_TOPIC, b"y" * 300, wait_ms=BLOCK_MS, atomic=False)

    def settle(self):
        self.publisher.wait_told(self.sent)
        self.subscriber.wait_messages(self.sent)
        assert set(self.publisher.outcomes()) <= {wire.OUTCOME_OK}

    def check(self):
        assert not self.subscriber.violations, self.subscriber.violations
        heard = self.subscriber.heard
        assert heard.missed == 0, f"a quiet subscriber was told that it missed {heard.missed}"
        expected = [str(i).encode() for i in range(1, self.sent + 1)]
        assert heard.payloads() == expected, (
            f"of {self.sent} published {len(heard.messages)} came, or in another order")

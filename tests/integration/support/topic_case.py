# SPDX-License-Identifier: Apache-2.0
"""A test case of topics: every subscriber's sum, and every topic's, is looked at when it ends."""

from . import wire
from .case import DaemonCase
from .client import SMALL_WINDOW
from .eventually import BOUND, eventually

OK = wire.OUTCOME_OK


class TopicCase(DaemonCase):

    def tearDown(self):
        topics = self.client.topics.list(page_size=1000).topics
        for description in topics:
            self.client.topics.delete(description.name)
        for client in self.clients:
            for stream in client.topics.opened:
                self.assert_told_everything(stream)
        for description in topics:
            self.assert_topic_adds_up(description)
        super().tearDown()

    def assert_told_everything(self, stream):
        """No promise was broken, and messages + missed = advance of position (B10, N30)."""
        self.assertEqual(stream.violations, [], stream.request)
        for heard in stream.refs.values():
            self.assertEqual(len(heard.messages) + heard.missed,
                             heard.next_position - heard.began_at, heard.subscribed)

    def assert_topic_adds_up(self, description):
        d = description
        self.assertEqual(d.accepted, d.overwritten + d.depth, d)
        self.assertEqual(d.next_position, d.accepted + 1, d)
        self.assertEqual(d.depth, d.next_position - d.oldest_position, d)
        self.assertLessEqual(d.depth, d.spec.capacity, d)
        self.assertLessEqual(d.retained_bytes, d.spec.bytes_max, d)

    def stalled_subscriber(self, name="", **fields):
        """One that does not read; its transport takes no message larger than 64 KiB meanwhile."""
        return self.new_client(options=SMALL_WINDOW).topics.subscriber(
            name, is_reading=False, **fields)

    def eventually_topic(self, name, bound=BOUND, **fields):
        """Until the description has these values."""
        def holds():
            description = self.client.topics.describe(name)
            if all(getattr(description, key) == value for key, value in fields.items()):
                return description
            return False
        return eventually(holds, bound, f"{fields} of {name}")

    def publish(self, name, *payloads, **fields):
        """What must be accepted: the positions, and to how many it was offered."""
        acks = self.client.topics.publish(name, *payloads, **fields).acks
        self.assertEqual([ack.outcome for ack in acks], [OK] * len(acks))
        positions = [ack.first_position + i for ack in acks for i in range(ack.count)]
        self.assertEqual(positions, list(range(positions[0], positions[0] + len(payloads))))
        return positions, acks[-1].delivered_to

    def publish_numbers(self, name, count, first=1):
        """Payloads are numbers from `first` on; more than the ring holds is overwritten."""
        self.publish(name, *range(first, first + count), atomic=False)

    def one_ack(self, reply):
        """As (outcome, duplicate, reason), of a reply with one range."""
        self.assertEqual(len(reply.acks), 1, reply)
        return reply.acks[0].outcome, reply.acks[0].duplicate, reply.acks[0].reason

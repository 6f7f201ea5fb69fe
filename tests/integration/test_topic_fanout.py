# SPDX-License-Identifier: Apache-2.0
"""Many subscribers: one copy for all, nobody waits for another, the dead are not counted."""

import threading
import unittest

from support import wire
from support.client import Client
from support.daemon import SANITIZERS
from support.eventually import eventually
from support.topic_case import TopicCase

MIB = 1 << 20
SUBSCRIBERS, PUBLISHED, CAPACITY = 200, 6, 4


class Sharing(TopicCase):
    """Its own daemon: nothing freed before makes room for what is measured. It is patient with
    clients that have more to read than a busy machine lets them."""
    OPTIONS = ("--keepalive-time-ms", "120000", "--keepalive-timeout-ms", "120000")

    # Clauses: N33 N42 N30
    def test_X47_one_copy_for_200_subscribers(self):
        self.client.topics.declare(self.name, capacity=CAPACITY)
        stalled = self.stalled_subscriber(self.name)
        self.eventually_topic(self.name, subscribers=1)
        clients = [Client(self.daemon.address) for _ in range(10)]
        for client in clients:
            self.addCleanup(client.close)
        request = wire.SubscribeRequest(topic=self.name).SerializeToString()
        received, changed = [0] * (SUBSCRIBERS - 1), threading.Condition()

        def read(number, call):
            """Counts frames of a MiB; the others keep pace, so there is nothing else."""
            for frame in call:
                if len(frame) > MIB // 2:
                    with changed:
                        received[number] += 1
                        changed.notify_all()
                if received[number] == PUBLISHED:
                    call.cancel()
                    return
        calls = [clients[i % 10].channel.unary_stream("/sluice.v1.TopicService/Subscribe")(
            request, timeout=240) for i in range(SUBSCRIBERS - 1)]
        threads = [threading.Thread(target=read, args=pair) for pair in enumerate(calls)]
        for thread in threads:
            thread.start()
        self.eventually_topic(self.name, subscribers=SUBSCRIBERS)
        before, most = self.daemon.rss_bytes(), 0
        payload = b"x" * (MIB - 100)
        for i in range(PUBLISHED):
            self.assertEqual(self.publish(self.name, payload), ([i + 1], SUBSCRIBERS))
            most = max(most, self.daemon.rss_bytes())
            with changed:
                self.assertTrue(changed.wait_for(lambda i=i: min(received) > i, 120), received)
            most = max(most, self.daemon.rss_bytes())
        for thread in threads:
            thread.join(60)
        self.eventually_topic(self.name, subscribers=1)
        stalled.start_reading()
        heard = stalled.wait_position(PUBLISHED + 1)
        self.assertEqual(len(heard.messages) + heard.missed, PUBLISHED)
        grown = most - before
        print(f"{SUBSCRIBERS} subscribers, {PUBLISHED} messages of 1 MiB, {CAPACITY} retained: "
              f"resident memory grew by {grown / MIB:.1f} MiB")
        if not SANITIZERS:
            self.assertLess(grown, (CAPACITY + 60) * MIB)  # and not 200 times as much


class Lost(TopicCase):
    OPTIONS = ("--keepalive-time-ms", "1000", "--keepalive-timeout-ms", "3000")

    # Clauses: N32 N19
    def test_X45_the_dead_are_not_counted_for_long(self):
        self.client.topics.declare(self.name)
        killed, vanishing = self.new_proxy(), self.new_proxy()
        keeping = [self.new_client().topics.subscriber(self.name).wait_ready() for _ in range(2)]
        self.new_client(vanishing.address).topics.subscriber(self.name).wait_ready()
        self.new_client(killed.address).topics.subscriber(self.name).wait_ready()
        self.assertEqual(self.publish(self.name, "x")[1], 4)
        counts = []

        def counted(count):
            counts.append(self.publish(self.name, "x")[1])
            return counts[-1] == count
        killed.reset()
        eventually(lambda: counted(3), what="3 subscribers")
        vanishing.fall_silent()
        eventually(lambda: counted(2), what="2 subscribers")
        self.assertEqual(counts, sorted(counts, reverse=True))
        self.assertEqual(set(counts) - {4, 3, 2}, set())  # never wrongly 1 or 0
        for stream in keeping:
            stream.wait_position(len(counts) + 2)


if __name__ == "__main__":
    unittest.main()

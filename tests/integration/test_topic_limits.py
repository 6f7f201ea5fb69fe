# SPDX-License-Identifier: Apache-2.0
"""Ten thousand topics on one stream, and not one more."""

import unittest

import grpc

from support import wire
from support.topic_case import TopicCase

OK, LIMIT = wire.OUTCOME_OK, wire.CLOSED_REASON_LIMIT
MOST = 10_000


class Limits(TopicCase):
    """The daemon ends with the test, and its topics with it."""

    def tearDown(self):
        for stream in self.client.topics.opened:
            self.assert_told_everything(stream)

    # Clauses: N28
    def test_topics_of_one_stream(self):
        publisher = self.client.topics.publisher(spec=wire.TopicSpec(capacity=1))
        for i in range(MOST):
            publisher.send("x", topic=f"many.{i}")
        publisher.wait_told(MOST)
        self.assertEqual(len(self.client.topics.list(page_size=5).topics), 5)
        subscriber = self.client.topics.subscriber(pattern="many.*").wait_ready()
        self.assertEqual(subscriber.ready.topics, MOST)
        publisher.send("y", topic="many.0")
        self.assertEqual(publisher.wait_told(MOST + 1)[MOST].outcome, OK)
        publisher.send("z", topic="many.too")
        self.assert_fault(publisher.end(), grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_TOPICS",
                          limit=MOST)
        self.assert_fault(lambda: self.client.topics.describe("many.too"),
                          grpc.StatusCode.NOT_FOUND, "TOPIC_NOT_FOUND")
        self.client.topics.declare("many.more")
        heard = subscriber.wait_topic("many.more")
        subscriber.until(lambda: heard.closed, what="its end")
        self.assertEqual((heard.closed.reason, heard.messages), (LIMIT, []))
        # Another makes room.
        self.client.topics.delete("many.1")
        gone = subscriber.by_name("many.1")
        subscriber.until(lambda: gone.closed, what="the end of many.1")
        self.client.topics.declare("many.again")
        self.client.topics.publish("many.again", "a")
        subscriber.wait_messages(1, "many.again")
        subscriber.wait_messages(1, "many.0")
        # Who comes later is told the same of the one above the bound.
        self.client.topics.declare("many.last")
        late = self.client.topics.subscriber(pattern="many.*")
        late.until(lambda: any(heard.closed for heard in late.refs.values()), what="LIMIT")
        self.assertEqual({heard.closed.reason for heard in late.refs.values() if heard.closed},
                         {LIMIT})
        self.assertFalse(late.is_over)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Victims at topics."""

import os
import time

from death import counting
from support import wire
from support.topics import PublishStream, Subscriber

# What everybody publishes to and reads; one whose publishers wait for their slowest; the pattern
# of both; and those that go with their publisher.
TOPIC, BLOCK_TOPIC, PATTERN = "torture.open", "torture.block", "torture.>"
TIED_TOPICS = "torture.tied."


def publish_stream(client, rng, death, seed):
    topic = rng.choice((TOPIC, BLOCK_TOPIC, "", f"{TIED_TOPICS}{seed}"))
    spec = wire.TopicSpec(lifetime=wire.LIFETIME_TIED) if topic.startswith(TIED_TOPICS) else None
    producer_id = os.urandom(16) if topic and rng.random() < 0.5 else b""
    stream = counting(PublishStream, death)(
        client.topics.stub, topic, spec=spec, producer_id=producer_id,
        mode=rng.choice((wire.SEND_MODE_TRY, wire.SEND_MODE_WAIT)), wait_ms=rng.choice((0, 20)),
        is_reading=rng.random() < 0.9)
    for _ in range(rng.randrange(1, 60)):
        named = {} if topic else {"topic": rng.choice((TOPIC, BLOCK_TOPIC, "torture.unknown"))}
        stream.send(*[b"x" * rng.choice((10, 100, 5000))] * rng.randrange(1, 20), **named)
    if rng.random() < 0.2:
        stream.half_close()


def subscribe(client, rng, death, _seed):
    selected = rng.choice(({"topic": TOPIC}, {"topic": BLOCK_TOPIC}, {"pattern": PATTERN}))
    start = rng.choice((wire.SUBSCRIBE_START_LATEST, wire.SUBSCRIBE_START_EARLIEST))
    resume = None
    if rng.random() < 0.3:
        epoch = client.topics.describe(TOPIC).epoch
        resume = wire.SubscribeResume(topics=[wire.TopicPosition(
            topic=TOPIC, epoch=rng.choice((epoch, 1)), next_position=rng.randrange(1, 500))])
        selected = {"topic": TOPIC}
    stream = counting(Subscriber, death)(
        client.topics.stub, wire.SubscribeRequest(**selected, start=start, resume=resume,
                                                  end_on_lag=rng.random() < 0.2),
        is_reading=rng.random() < 0.8)
    while not stream.is_over:
        if rng.random() < 0.01:
            stream.pause()
        time.sleep(0.001)

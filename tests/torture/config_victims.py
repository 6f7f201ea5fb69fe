# SPDX-License-Identifier: Apache-2.0
"""Victims at config keys; and unary calls of every kind but queues."""

import time

from death import counting
from request_victims import ECHO, MORTALS, NOBODY
from support import wire
from support.config import Watcher
from support.streams import KeepStream
from topic_victims import BLOCK_TOPIC, TOPIC

# Keys that change all the time; and those of victims, which go with them.
KEYS, TIED_KEYS, ABSENT_KEY = "torture/keys/", "torture/tied/", "torture/absent"


def watch(client, rng, death, _seed):
    request = rng.choice((
        wire.WatchRequest(keys=[f"{KEYS}1", ABSENT_KEY]), wire.WatchRequest(prefixes=[KEYS]),
        wire.WatchRequest(prefixes=["torture/"]), wire.WatchRequest(keys=[f"{KEYS}1"],
                                                                    prefixes=[KEYS, TIED_KEYS])))
    if rng.random() < 0.3:
        first = Watcher(client.config.stub, request).wait_end_mark()
        first.cancel()
        request.resume.service_epoch = rng.choice((first.point[0], 1))
        request.resume.revision = rng.choice((first.point[1], 1, first.point[1] + 1000))
    stream = counting(Watcher, death)(client.config.stub, request, is_reading=rng.random() < 0.8)
    while not stream.is_over:
        if rng.random() < 0.01:
            stream.pause()
        time.sleep(0.001)


def unary(client, rng, death, seed):
    """Calls that wait when their caller dies, a presence in keys, and short ones until then."""
    session = KeepStream(client.sessions, linger_ms=rng.choice((0, 0, 200))).wait_kept().session_id
    for i in range(3):
        client.config.set(f"{TIED_KEYS}{seed}/{i}", "here", session_id=session)
        death.event()
    client.config.get_later(ABSENT_KEY, exists=True, wait_ms=60_000)
    client.requests.call_later(NOBODY, wait_for_responder=True)
    client.requests.call_later(MORTALS, wait_for_responder=True, timeout_ms=60_000)
    client.topics.publish_later(BLOCK_TOPIC, *range(50), session_id=session)
    while True:
        client.config.set(f"{KEYS}{rng.randrange(5)}", seed)
        death.event()
        client.requests.call_later(ECHO, b"and gone").cancel()
        client.requests.call(ECHO, b"echo")
        death.event()
        client.topics.publish(TOPIC, *range(rng.randrange(1, 10)))
        death.event()

# SPDX-License-Identifier: Apache-2.0
"""Victims at queues, and sessions."""

import os
import time

from death import counting
from support import wire
from support.streams import KeepStream, ReceiveStream, SendStream

SEND_QUEUE, RECEIVE_QUEUE, SHARED_QUEUE = "torture/send", "torture/receive", "torture/shared"
EMPTY_QUEUE, FULL_QUEUE, TIED_QUEUES = "torture/empty", "torture/full", "torture/tied/"
# Messages that a victim leased come back by themselves after this.
LEASE_MS = 300


def send_stream(client, rng, death, _seed):
    stream = counting(SendStream, death)(
        client.queues, rng.choice((SEND_QUEUE, SEND_QUEUE, FULL_QUEUE)),
        mode=rng.choice((wire.SEND_MODE_TRY, wire.SEND_MODE_WAIT)),
        wait_ms=rng.choice((0, 0, 20)), producer_id=rng.choice((b"", os.urandom(16))),
        is_reading=rng.random() < 0.9)
    for _ in range(rng.randrange(1, 60)):
        stream.send(*[b"x" * rng.choice((10, 100, 5000))] * rng.randrange(1, 20),
                    atomic=rng.random() < 0.1)
    if rng.random() < 0.2:
        stream.half_close()


def receive_stream(client, rng, death, _seed):
    stream = counting(ReceiveStream, death)(
        client.queues, rng.choice((RECEIVE_QUEUE, SHARED_QUEUE)),
        mode=rng.choice((wire.ATTACH_MODE_STANDBY, wire.ATTACH_MODE_TAKE_OVER)),
        credit=rng.choice((1, 7, 200)), is_reading=rng.random() < 0.9,
        **rng.choice(({}, {}, {"auto_ack": True}, {"ack_timeout_ms": 100})))
    actions = (wire.SETTLE_ACTION_ACK, wire.SETTLE_ACTION_ACK, wire.SETTLE_ACTION_NACK,
               wire.SETTLE_ACTION_RELEASE, wire.SETTLE_ACTION_EXTEND)
    settled = 0
    while not stream.is_over:
        for received in stream.messages[settled:]:
            settled += 1
            stream.settle(rng.choice(actions), received.position, delay_ms=rng.choice((0, 5)))
        if settled > 30 and rng.random() < 0.01:
            stream.finish()
        time.sleep(0.001)


def keep(client, rng, death, seed):
    stream = counting(KeepStream, death)(client.sessions, linger_ms=rng.choice((0, 0, 200)))
    session = stream.wait_kept().session_id
    tied = f"{TIED_QUEUES}{seed}"
    spec = wire.QueueSpec(lifetime=wire.LIFETIME_TIED, capacity=5)
    client.send(tied, 1, 2, spec=spec, session_id=session)
    death.event()
    client.receive(tied, session_id=session, lease_ms=60_000)
    death.event()
    sender = counting(SendStream, death)(client.queues, FULL_QUEUE, session_id=session)
    sender.send("waits")
    client.send_later(FULL_QUEUE, "waits", session_id=session)
    client.receive_later(EMPTY_QUEUE, wait_ms=60_000, session_id=session, consumer="torture")
    stream.write(wire.KeepRequest(linger_ms=rng.choice((0, 100))))
    if rng.random() < 0.2:
        KeepStream(client.sessions, session_id=session).wait_kept()
    death.event()


def unary(client, rng, death, _seed):
    client.send_later(FULL_QUEUE, "waits", wait_ms=rng.choice((0, 60_000)))
    client.receive_later(EMPTY_QUEUE, wait_ms=60_000, consumer="torture")
    while True:
        client.receive(SHARED_QUEUE, max_messages=rng.randrange(1, 20), lease_ms=LEASE_MS,
                       wait_ms=rng.choice((0, 50)))
        death.event()
        client.send(SEND_QUEUE, *range(rng.randrange(1, 10)), mode=wire.SEND_MODE_WAIT,
                    wait_ms=50, atomic=False)
        death.event()

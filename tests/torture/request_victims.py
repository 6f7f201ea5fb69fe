# SPDX-License-Identifier: Apache-2.0
"""Victims at responders: callers, and workers."""

import time

from death import counting
from support.requests import CallStream, PartsCall, ServeStream

# Served by the survivors; by nobody; by victims alone, for calls of the survivors.
ECHO, NOBODY, MORTALS = "torture/echo", "torture/nobody", "torture/mortals"


def fields_of(rng):
    return {"wait_for_responder": rng.random() < 0.3, "timeout_ms": rng.choice((0, 0, 5, 50)),
            "retry_on_responder_loss": rng.random() < 0.3}


def call_stream(client, rng, death, _seed):
    stream = counting(CallStream, death)(client.requests.stub, is_reading=rng.random() < 0.9)
    for _ in range(rng.randrange(1, 60)):
        calls = []
        for _ in range(rng.randrange(1, 20)):
            name = rng.choice((ECHO, ECHO, NOBODY, MORTALS, "torture/unknown"))
            more = {"parts": True, "part_credit": rng.randrange(1, 5)} if rng.random() < 0.3 else {}
            calls.append((name, b"x" * rng.choice((10, 100, 5000)), {**fields_of(rng), **more}))
        call_ids = stream.start_all(calls)
        if rng.random() < 0.3:
            stream.cancel_calls(*rng.sample(call_ids, 1))
        if rng.random() < 0.3:
            stream.allow(rng.choice(call_ids), rng.randrange(1, 50))
    if rng.random() < 0.2:
        stream.half_close()


def call_parts(client, rng, death, _seed):
    while True:
        call = counting(PartsCall, death)(
            client.requests.stub, rng.choice((ECHO, MORTALS, NOBODY)), b"parts", rng.random() < 0.9,
            60, {**fields_of(rng), "wait_for_responder": rng.random() < 0.5})
        call.ends_within(0.02)


def serve(client, rng, death, _seed):
    worker = counting(ServeStream, death)(
        client.requests.stub, MORTALS, credit=rng.choice((1, 7, 200)),
        is_reading=rng.random() < 0.9)
    done = 0
    while not worker.is_over:
        for one in worker.assignments[done:]:
            done += 1
            answer = rng.random()
            if answer < 0.5:
                worker.reply(one.call_id, one.request.payload)
            elif answer < 0.7:
                worker.reply(one.call_id, b"a part", last=False)
                worker.reply(one.call_id, one.request.payload, last=rng.random() < 0.7)
            elif answer < 0.8:
                worker.fail(one.call_id)
            elif answer < 0.9:
                worker.release(one.call_id)
        if done > 30 and rng.random() < 0.01:
            worker.finish()
        if rng.random() < 0.01:
            worker.set_credit(rng.randrange(0, 50))
        time.sleep(0.001)
    death.event()

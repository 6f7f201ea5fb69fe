# SPDX-License-Identifier: Apache-2.0
"""One party of the steady load, as a process: load.py KIND ADDRESS RATE. Each second it tells what
was done, one JSON object a line; the end of stdin ends it, and the last line says "end"."""

import json
import select
import sys
import time

import grpc
from parties import PARTIES
from support.client import Client


def percentile(seconds, share):
    return 1000 * seconds[min(len(seconds) - 1, int(len(seconds) * share))] if seconds else None


def tell(party):
    seconds = party.report()
    print(json.dumps({"done": len(seconds), "p50_ms": percentile(seconds, 0.5),
                      "p99_ms": percentile(seconds, 0.99), "max_ms": percentile(seconds, 1.0)}),
          flush=True)


def main():
    kind, address, rate = sys.argv[1], sys.argv[2], float(sys.argv[3])
    party_type, frames = PARTIES[kind]
    clients = [Client(address), Client(address)]
    party = party_type(clients)
    interval = 1 / (frames * rate)
    due = told = time.monotonic()
    while True:
        wait = due - time.monotonic()
        if select.select([0], [], [], max(0.0, wait))[0]:
            break
        if time.monotonic() < due:
            continue
        try:
            party.send(due)  # however late: what was due is measured from then
        except grpc.RpcError as failure:
            party.expect(False, f"a call failed: {failure.code()} {failure.details()}")
        due += interval
        if due - told >= 1:
            told += 1
            tell(party)
    try:
        party.finish()
    except AssertionError as failure:
        party.expect(False, str(failure))
    tell(party)
    print(json.dumps({"end": True, "sent": party.sent, "faults": party.faults}), flush=True)
    for stream in party.streams():
        stream.cancel()
        stream.end()
    for client in clients:
        client.close()


if __name__ == "__main__":
    main()

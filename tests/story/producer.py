# SPDX-License-Identifier: Apache-2.0
"""A producer in Python, on Debian's grpcio and the generated stubs: sends lines of a text as jobs.

Usage: producer.py ADDRESS QUEUE FILE FIRST LAST   (line numbers, from 1; TEST_STUBS has the stubs)
"""

import os
import sys

sys.path.insert(0, os.environ["TEST_STUBS"])

import grpc
from sluice.v1 import message_pb2, queue_pb2, queue_pb2_grpc

FRAME = 50


def say(text):
    print(f"  [python] {text}", flush=True)


def frames(queue, jobs):
    """The stream's requests. gRPC asks for the next when there is room for it in the window."""
    yield queue_pb2.SendStreamRequest(open=queue_pb2.SendOpen(
        queue=queue, mode=message_pb2.SEND_MODE_WAIT, producer_id=os.urandom(16)))
    for i in range(0, len(jobs), FRAME):
        messages = [message_pb2.Message(payload=line, id=str(number), content_type="text/plain")
                    for number, line in jobs[i:i + FRAME]]
        yield queue_pb2.SendStreamRequest(messages=messages, first_sequence=i + 1)


def main():
    address, queue, path, first, last = sys.argv[1:6]
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    jobs = [(number, lines[number - 1]) for number in range(int(first), int(last) + 1)]
    say(f"sends {len(jobs)} lines, waits where there is no room")
    stub = queue_pb2_grpc.QueueServiceStub(grpc.insecure_channel(address))
    accepted, told_at, closed = 0, 0, None
    for response in stub.SendStream(frames(queue, jobs), timeout=120):
        for ack in response.acks:
            if ack.outcome != message_pb2.OUTCOME_OK:
                sys.exit(f"producer.py: {message_pb2.Outcome.Name(ack.outcome)}")
            accepted += ack.count
        if accepted - told_at >= 2000 or accepted == len(jobs) != told_at:
            told_at = accepted
            say(f"{accepted} accepted")
        if response.HasField("closed"):
            closed = response.closed.reason
    if accepted != len(jobs) or closed != message_pb2.CLOSED_REASON_FINISHED:
        sys.exit(f"producer.py: {accepted} of {len(jobs)} accepted, end {closed}")


if __name__ == "__main__":
    main()

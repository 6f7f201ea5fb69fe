# SPDX-License-Identifier: Apache-2.0
"""The streams of the wire as tests want them: frames are written when told, read by a thread that
keeps everything, and looked at with `until`."""

import queue
import threading
from dataclasses import dataclass

import grpc

from . import wire
from .eventually import BOUND
from .faults import fault_of

_END = object()


class Stream:
    """A bidirectional call. Nothing is read before `start_reading` when is_reading is False."""

    TIMEOUT = BOUND * 6  # None: as long as it lasts

    def __init__(self, method, is_reading=True, **options):
        self._outgoing = queue.SimpleQueue()
        self._changed = threading.Condition()
        self.is_over = False
        self.frames = []
        self.closed = None  # the Closed event
        self.fault = None   # the status, if it was not OK
        self.call = method(iter(self._outgoing.get, _END),
                           timeout=options.get("timeout", self.TIMEOUT))
        self._reader = threading.Thread(target=self._read, daemon=True)
        if is_reading:
            self._reader.start()

    def start_reading(self):
        self._reader.start()

    def write(self, frame):
        self._outgoing.put(frame)

    def half_close(self):
        self._outgoing.put(_END)

    def cancel(self):
        self.call.cancel()

    def until(self, condition, bound=BOUND, what="what was awaited"):
        """Waits until condition() is true, asking after every frame and at the end."""
        with self._changed:
            self._changed.wait_for(lambda: condition() or self.is_over, bound)
            answer = condition()
        if not answer:
            raise AssertionError(f"{what} did not come on this stream ({self.state()})")
        return answer

    def ends_within(self, seconds):
        with self._changed:
            return self._changed.wait_for(lambda: self.is_over, seconds)

    def end(self, bound=BOUND):
        """Waits for the end: the ClosedReason of status OK (0 without Closed), or the Fault."""
        if not self.ends_within(bound):
            raise AssertionError(f"the stream did not end within {bound} s ({self.state()})")
        if self.fault:
            return self.fault
        return self.closed.reason if self.closed else 0

    def state(self):
        last = str(self.frames[-1])[:300] if self.frames else "none"
        return f"over: {self.is_over}, fault: {self.fault}, {len(self.frames)} frames, last: {last}"

    def take(self, frame):
        """What a kind of stream keeps of a frame."""

    def _read(self):
        try:
            for frame in self.call:
                with self._changed:
                    self.frames.append(frame)
                    if hasattr(frame, "closed") and frame.HasField("closed"):
                        self.closed = frame.closed
                    self.take(frame)
                    self._changed.notify_all()
        except grpc.RpcError:
            pass
        with self._changed:
            self.fault = fault_of(self.call)
            self.is_over = True
            self._changed.notify_all()
        self._outgoing.put(_END)


@dataclass(frozen=True)
class Told:
    """The outcome of one message."""
    sequence: int
    outcome: int
    position: int
    duplicate: bool
    reason: int
    delivered_to: int


def told_of(acks):
    """Ranges of outcomes, message by message."""
    return [Told(ack.first_sequence + i, ack.outcome,
                 ack.first_position + i if ack.first_position else 0, ack.duplicate, ack.reason,
                 ack.delivered_to)
            for ack in acks for i in range(ack.count)]


class SendStream(Stream):
    """`told` has the outcomes of messages in the order they came."""

    METHOD, FRAME, OPENING, CHANNEL = "SendStream", wire.SendStreamRequest, wire.SendOpen, "queue"

    def __init__(self, stub, name, is_reading=True, spec=None, **fields):
        self.opened, self.told, self._sequence = None, [], 0
        super().__init__(getattr(stub, self.METHOD), is_reading)
        opening = self.OPENING(spec=spec, **{self.CHANNEL: name}, **fields)
        self.write(self.FRAME(open=opening))

    def take(self, frame):
        if frame.HasField("opened"):
            self.opened = frame.opened
        self.told += told_of(frame.acks)

    def send(self, *payloads, first_sequence=None, **fields):
        """One frame; sequences go on by themselves."""
        first = self._sequence + 1 if first_sequence is None else first_sequence
        self._sequence = first + len(payloads) - 1
        self.write(self.FRAME(messages=[message(payload) for payload in payloads],
                              first_sequence=first, **fields))
        return first

    def wait_opened(self):
        return self.until(lambda: self.opened, what="opened")

    def wait_told(self, count):
        """The outcomes, once there are `count`."""
        self.until(lambda: len(self.told) >= count, what=f"{count} outcomes")
        return self.told

    def outcomes(self):
        return [told.outcome for told in self.told]


@dataclass(frozen=True)
class Received:
    position: int
    payload: bytes
    attempts: int
    failures: int
    message: object


def received_of(messages, runs):
    """Messages with what their runs say of them."""
    places = [(run.first_position + i, run.attempts, run.failures)
              for run in runs for i in range(run.count)]
    assert len(places) == len(messages), f"runs tell of {len(places)} of {len(messages)} messages"
    return [Received(position, one.payload, attempts, failures, one)
            for one, (position, attempts, failures) in zip(messages, places)]


class ReceiveStream(Stream):
    """`messages` has what was received, in order; `settled` the results of settlements."""

    def __init__(self, stub, queue_name, is_reading=True, spec=None, credit=None, credit_bytes=0,
                 **fields):
        self.attached, self.waiting, self.messages, self.settled = None, None, [], []
        super().__init__(stub.ReceiveStream, is_reading)
        opening = wire.ReceiveOpen(queue=queue_name, spec=spec, **fields)
        if credit is not None:
            opening.credit.CopyFrom(wire.Credit(messages=credit, bytes=credit_bytes))
        self.write(wire.ReceiveStreamRequest(open=opening))

    def take(self, frame):
        if frame.HasField("attached"):
            self.attached = frame.attached
        if frame.HasField("waiting"):
            self.waiting = frame.waiting
        self.messages += received_of(frame.messages, frame.runs)
        self.settled += frame.settled

    def wait_attached(self):
        return self.until(lambda: self.attached, what="attached")

    def wait_messages(self, count):
        self.until(lambda: len(self.messages) >= count, what=f"{count} messages")
        return self.messages

    def wait_settled(self, count):
        self.until(lambda: len(self.settled) >= count, what=f"{count} settlements")
        return self.settled

    def payloads(self):
        return [received.payload for received in self.messages]

    def positions(self):
        return [received.position for received in self.messages]

    def settle(self, action, first, count=1, **fields):
        self.write(wire.ReceiveStreamRequest(settlements=[
            wire.Settlement(first_position=first, count=count, action=action, **fields)]))

    def ack(self, first, count=1):
        self.settle(wire.SETTLE_ACTION_ACK, first, count)

    def ack_all(self):
        """Of what was received so far."""
        self.write(wire.ReceiveStreamRequest(settlements=[
            wire.Settlement(first_position=received.position, count=1,
                            action=wire.SETTLE_ACTION_ACK) for received in self.messages]))

    def set_credit(self, messages, credit_bytes=0):
        self.write(wire.ReceiveStreamRequest(
            credit=wire.Credit(messages=messages, bytes=credit_bytes)))

    def finish(self):
        self.write(wire.ReceiveStreamRequest(finish=True))


class KeepStream(Stream):
    """A session; `kept` is the answer."""

    def __init__(self, stub, session_id=b"", linger_ms=0):
        self.kept = None
        super().__init__(stub.Keep)
        self.write(wire.KeepRequest(session_id=session_id, linger_ms=linger_ms))

    def take(self, frame):
        if frame.session_id:
            self.kept = frame

    def wait_kept(self):
        return self.until(lambda: self.kept, what="the session")


def message(payload):
    if isinstance(payload, wire.Message):
        return payload
    return wire.Message(payload=payload if isinstance(payload, bytes) else str(payload).encode())

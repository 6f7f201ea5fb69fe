# SPDX-License-Identifier: Apache-2.0
"""Steady load, one party a kind: it works at a fixed rate, keeps nothing of what it has seen,
checks that nothing is lost or out of order, and measures from the moment a message was due."""

import struct
import threading
import time

from support import wire
from support.config import Watcher
from support.eventually import eventually
from support.requests import CallStream, ServeStream
from support.streams import ReceiveStream, SendStream
from support.topics import PublishStream, Subscriber

# When it was due, seconds of the machine's monotonic clock; its number; and something to carry.
PAYLOAD = struct.Struct(">dQ")
FILLER = b"." * 84
QUEUE, TOPIC, PATTERN, RESPONDER, KEYS = ("soak/steady", "soak.steady", "soak.*", "soak/steady",
                                          "soak-steady/")
FRAME_MESSAGES = 20
END_BOUND = 120.0


def payload(due, number):
    return PAYLOAD.pack(due, number) + FILLER


def forgetting(stream_type, take):
    """The stream type, without a deadline; what came is shown to take(stream, frame) and then
    forgotten."""
    class Forgetting(stream_type):
        TIMEOUT = None

        def take(self, frame):
            super().take(frame)
            take(self, frame)
            self.frames.clear()
    return Forgetting


class Party:
    """`send(due)` is called at the rate, by one thread; what comes back is seen by others."""

    def __init__(self, clients):
        self.clients = clients
        self.sent, self.done = 0, 0
        self.faults = []
        self._seconds, self._lock = [], threading.Lock()

    def came(self, content):
        """A message is back: its number."""
        due, number = PAYLOAD.unpack_from(content)
        with self._lock:
            self._seconds.append(time.monotonic() - due)
        return number

    def expect(self, holds, what):
        """Notes what must not be; a few are enough."""
        if not holds and len(self.faults) < 10:
            self.faults.append(what)

    def report(self):
        """What was done since the last report: how many, and their seconds, sorted."""
        with self._lock:
            seconds, self._seconds = self._seconds, []
        return sorted(seconds)

    def numbers(self):
        """Of the next frame."""
        first, self.sent = self.sent + 1, self.sent + FRAME_MESSAGES
        return range(first, self.sent + 1)

    def finish(self):
        """Waits until all that was sent is done."""
        eventually(lambda: self.done == self.sent or self.faults, END_BOUND,
                   "the end of what was sent")
        for stream in self.streams():
            self.expect(not stream.is_over, f"a stream has ended: {stream.state()}")
            violations = getattr(stream, "violations", ())
            self.expect(not violations, f"violations: {violations[:3]}")


class QueueParty(Party):
    """One stream to a queue, one from it on another connection; all is acknowledged."""

    def __init__(self, clients):
        super().__init__(clients)
        near, far = clients
        near.declare(QUEUE, capacity=2000)
        self._receiver = forgetting(ReceiveStream, self._received)(far.queues, QUEUE, credit=500)
        self._receiver.wait_attached()
        self._sender = forgetting(SendStream, self._told)(near.queues, QUEUE)

    def streams(self):
        return self._sender, self._receiver

    def send(self, due):
        self._sender.send(*[payload(due, number) for number in self.numbers()])

    def _told(self, stream, _frame):
        for told in stream.told:
            self.expect(told.outcome == wire.OUTCOME_OK, f"a message was refused: {told}")
        stream.told.clear()

    def _received(self, stream, _frame):
        if stream.messages:
            first = stream.messages[0].position
            for i, one in enumerate(stream.messages):
                number = self.came(one.payload)
                self.expect(number == self.done + 1, f"{number} after {self.done}")
                self.expect(one.position == first + i, "positions of a frame have gaps")
                self.done += 1
            stream.ack(first, len(stream.messages))
        stream.messages.clear()
        stream.settled.clear()


class TopicParty(Party):
    """One publisher, and two subscribers: by name, which is measured, and by pattern."""

    def __init__(self, clients):
        super().__init__(clients)
        near, far = clients
        near.topics.declare(TOPIC, capacity=8192)
        self._last = {}
        self._subscribers = [
            forgetting(Subscriber, self._heard)(far.topics.stub, wire.SubscribeRequest(**selected))
            for selected in ({"topic": TOPIC}, {"pattern": PATTERN})]
        for subscriber in self._subscribers:
            subscriber.until(lambda s=subscriber: s.ready and s.refs, what="ready")
        self._publisher = forgetting(PublishStream, self._told)(near.topics.stub, TOPIC)

    def streams(self):
        return self._publisher, *self._subscribers

    def send(self, due):
        self._publisher.send(*[payload(due, number) for number in self.numbers()])

    def _told(self, stream, _frame):
        for told in stream.told:
            self.expect(told.outcome == wire.OUTCOME_OK and told.delivered_to >= 2,
                        f"published: {told}")
        stream.told.clear()

    def _heard(self, stream, _frame):
        for heard in stream.refs.values():
            self.expect(heard.missed == 0, f"missed {heard.missed}")
            for one in heard.messages:
                number = self.came(one.payload)
                last = self._last.get(stream, 0)
                self.expect(number == last + 1, f"{number} after {last}")
                self._last[stream] = number
            heard.messages.clear()
        self.done = min(self._last.values()) if len(self._last) == 2 else 0


class RequestParty(Party):
    """Calls on one stream to a worker on another connection, which answers what it is asked."""

    def __init__(self, clients):
        super().__init__(clients)
        near, far = clients
        near.requests.declare(RESPONDER, capacity=50_000)  # a worker may be held up
        self._worker = forgetting(ServeStream, self._assigned)(far.requests.stub, RESPONDER,
                                                               credit=1000)
        self._worker.wait_attached()
        self._caller = forgetting(CallStream, self._answered)(near.requests.stub)

    def streams(self):
        return self._worker, self._caller

    def send(self, due):
        self._caller.start_all([(RESPONDER, payload(due, number), {"call_id": number})
                                for number in self.numbers()])

    @staticmethod
    def _assigned(stream, _frame):
        for one in stream.assignments:
            stream.reply(one.call_id, one.request.payload)
        for kept in (stream.assignments, stream.results, stream.cancelled, stream.allowed):
            kept.clear()

    def _answered(self, stream, _frame):
        for reply in stream.replies:
            self.expect(reply.last and reply.outcome == wire.OUTCOME_OK, f"answered: {reply}")
            if reply.HasField("message"):
                number = self.came(reply.message.payload)
                self.expect(number == reply.call_id, f"the answer of {number} to {reply.call_id}")
            self.done += reply.last
        stream.replies.clear()


class ConfigParty(Party):
    """Keys set one after the other, and a watcher of all: told what was newest when it looked."""

    KEYS = 50

    def __init__(self, clients):
        super().__init__(clients)
        near, far = clients
        self._config = near.config
        self._last = {}
        self._watcher = forgetting(Watcher, self._told)(
            far.config.stub, wire.WatchRequest(prefixes=[KEYS]))
        self._watcher.wait_end_mark()

    def streams(self):
        return (self._watcher,)

    def send(self, due):
        self.sent += 1
        reply = self._config.set(f"{KEYS}{self.sent % self.KEYS}", payload(due, self.sent))
        self.expect(reply.outcome == wire.OUTCOME_OK, f"set: {reply}")

    def _told(self, stream, frame):
        for entry in frame.entries:
            number = self.came(entry.value)
            last = self._last.get(entry.key, 0)
            self.expect(number > last, f"{entry.key} goes back from {last} to {number}")
            self._last[entry.key] = number
            self.done = max(self.done, number)
        stream.entries.clear()
        stream._told.clear()  # pylint: disable=protected-access


# Of each kind, how many frames a second at rate 1.
PARTIES = {"queue": (QueueParty, 100), "topic": (TopicParty, 50), "request": (RequestParty, 20),
           "config": (ConfigParty, 100)}

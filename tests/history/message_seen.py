# SPDX-License-Identifier: Apache-2.0
"""Sending, publishing, receiving and settling.

send     channel, epoch (0: not told), producer, sequence, digests | outcome, sequence, position,
         duplicate; how the call ended stands in `ended` when there is no outcome
attached channel, epoch, lease, auto_ack | {}
receive  channel, epoch, lease | runs of [first position, attempts, digests]
settle   channel, lease, first, count, action | settled
"""

from collections import deque
from itertools import groupby

from support import wire

from .seen import OUTCOMES, REASONS, REFUSALS, Seen, digest, names_of, runs_of

ACTIONS = names_of(wire.SettleAction, "SETTLE_ACTION_")


class _Sending(Seen):
    """Messages wait for their outcomes in the order they were sent."""
    KIND, FIELD = "queue", "queue"

    def __init__(self, add, process, began):
        super().__init__(add, process, began)
        self._opened, self._waiting, self._epoch, self._closed = None, deque(), 0, ""

    def wait_for(self, now, frame, channel):
        for i, message in enumerate(frame.messages):
            self._waiting.append((now, frame.first_sequence + i, digest(message), channel))

    def told(self, now, acks):
        for ack in acks:
            found = [self._waiting.popleft() for _ in range(min(ack.count, len(self._waiting)))]
            if len(found) < ack.count:
                self.stray(now, f"{ack.count - len(found)} outcomes for nothing that was sent")
            done = 0
            for _, group in groupby(found, key=lambda waiting: waiting[3]):
                group = list(group)
                self._say(now, group, {
                    "outcome": OUTCOMES[ack.outcome], "sequence": ack.first_sequence + done,
                    "position": ack.first_position and ack.first_position + done,
                    "duplicate": ack.duplicate})
                done += len(group)

    def _say(self, now, group, outcome, **more):
        start, sequence, _, channel = group[0]
        epoch = self._epoch
        self.event(start, now, "send", {
            "channel": f"{self.KIND}/{channel}", "epoch": epoch, "sequence": sequence,
            "producer": self._opened.producer_id.hex(),
            "digests": [waiting[2] for waiting in group], **more}, outcome)

    def end(self, now, code):
        ended = self._closed or (code.name if code else "UNKNOWN")
        for _, group in groupby(self._waiting, key=lambda waiting: waiting[::3]):
            self._say(now, list(group), {"outcome": "REFUSED", "sequence": None, "position": 0,
                                         "duplicate": False} if self.is_refused(code) else None,
                      ended=ended)

    def is_refused(self, _code):
        return False


class Send(_Sending):
    def request(self, now, frame):
        self._opened = frame
        self.wait_for(now, frame, getattr(frame, self.FIELD))

    def response(self, now, frame):
        self._epoch = frame.epoch
        self.told(now, frame.acks)

    def is_refused(self, code):
        return code in REFUSALS


class SendStream(_Sending):
    def request(self, now, frame):
        if frame.HasField("open"):
            self._opened = frame.open
        if self._opened:
            self.wait_for(now, frame, self.topic_of(frame) or getattr(self._opened, self.FIELD))

    def topic_of(self, _frame):
        return ""

    def response(self, now, frame):
        if frame.HasField("opened"):
            self._epoch = frame.opened.epoch
        if frame.HasField("closed"):
            self._closed = REASONS[frame.closed.reason]
        self.told(now, frame.acks)


class Publish(Send):
    KIND, FIELD = "topic", "topic"


class PublishStream(SendStream):
    KIND, FIELD = "topic", "topic"

    def topic_of(self, frame):
        return frame.topic


class ReceiveStream(Seen):
    def __init__(self, add, process, began):
        super().__init__(add, process, began)
        self._opened, self._about, self._settling = None, None, deque()

    def request(self, now, frame):
        if frame.HasField("open"):
            self._opened = frame.open
        self._settling.extend((now, one) for one in frame.settlements)

    def response(self, now, frame):
        if frame.HasField("attached"):
            self._about = {"channel": f"queue/{self._opened.queue}",
                           "epoch": frame.attached.epoch, "lease": frame.attached.lease}
            self.event(self.began, now, "attached",
                       {**self._about, "auto_ack": self._opened.auto_ack}, {})
        if frame.messages:
            self.event(self.began, now, "receive", self._about, {"runs": runs_of(frame)})
        for result in frame.settled:
            if not self._settling:
                self.stray(now, "a result of no settlement")
                return
            start, one = self._settling.popleft()
            say_settled(self, start, now, self._opened.queue,
                        one.lease or self._about["lease"], one, result)


def say_settled(seen, start, now, queue, lease, one, result):
    seen.event(start, now, "settle", {
        "channel": f"queue/{queue}", "lease": lease, "first": one.first_position,
        "count": one.count, "action": ACTIONS[one.action]}, {"settled": result.settled})


class Receive(Seen):
    _queue = ""

    def request(self, now, frame):
        self._queue = frame.queue

    def response(self, now, frame):
        if frame.messages:
            self.event(self.began, now, "receive", {
                "channel": f"queue/{self._queue}", "epoch": frame.epoch, "lease": frame.lease},
                {"runs": runs_of(frame)})


class Settle(Seen):
    _asked = None

    def request(self, now, frame):
        self._asked = frame

    def response(self, now, frame):
        for one, result in zip(self._asked.settlements, frame.results):
            say_settled(self, self.began, now, self._asked.queue, one.lease, one, result)


QUEUES, TOPICS = "/sluice.v1.QueueService/", "/sluice.v1.TopicService/"
METHODS = {
    QUEUES + "Send": (Send, wire.SendRequest, wire.SendResponse),
    QUEUES + "SendStream": (SendStream, wire.SendStreamRequest, wire.SendStreamResponse),
    QUEUES + "Receive": (Receive, wire.ReceiveRequest, wire.ReceiveResponse),
    QUEUES + "ReceiveStream": (ReceiveStream, wire.ReceiveStreamRequest,
                               wire.ReceiveStreamResponse),
    QUEUES + "Settle": (Settle, wire.SettleRequest, wire.SettleResponse),
    TOPICS + "Publish": (Publish, wire.PublishRequest, wire.PublishResponse),
    TOPICS + "PublishStream": (PublishStream, wire.PublishStreamRequest,
                               wire.PublishStreamResponse),
}

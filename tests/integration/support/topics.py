# SPDX-License-Identifier: Apache-2.0
"""Topics by stock stubs: short calls, a publisher's stream, and a subscriber's, which checks what
the contract says of every frame: nothing is left out in silence (N30)."""

from dataclasses import dataclass, field

from . import wire
from .downstream import Downstream
from .eventually import BOUND
from .streams import SendStream, message, received_of

FRAME_BYTES_MAX = 256 << 10
RESUMED = wire.CONTINUITY_CONTINUED, wire.CONTINUITY_GAP


class Topics:
    """Calls of TopicService on one connection. Faults are grpc.RpcError."""

    def __init__(self, channel):
        self.stub = wire.TopicServiceStub(channel)
        self.opened = []  # every subscriber of this client

    def declare(self, name, **spec):
        return self.stub.DeclareTopic(
            wire.DeclareTopicRequest(topic=name, spec=wire.TopicSpec(**spec)), timeout=BOUND)

    def describe(self, name):
        return self.subscribers_of(name).description

    def subscribers_of(self, name, **fields):
        """The whole answer of DescribeTopic."""
        return self.stub.DescribeTopic(wire.DescribeTopicRequest(topic=name, **fields),
                                       timeout=BOUND)

    def list(self, **fields):
        return self.stub.ListTopics(wire.ListTopicsRequest(**fields), timeout=BOUND)

    def close(self, name):
        return self.stub.CloseTopic(wire.CloseTopicRequest(topic=name), timeout=BOUND)

    def delete(self, name):
        return self.stub.DeleteTopic(wire.DeleteTopicRequest(topic=name), timeout=BOUND).deleted

    def publish(self, name, *payloads, timeout=BOUND, **fields):
        return self.stub.Publish(self._request(name, payloads, fields), timeout=timeout)

    def publish_later(self, name, *payloads, timeout=BOUND * 4, **fields):
        """The future of a Publish that may wait."""
        return self.stub.Publish.future(self._request(name, payloads, fields), timeout=timeout)

    @staticmethod
    def _request(name, payloads, fields):
        return wire.PublishRequest(topic=name, messages=[message(payload) for payload in payloads],
                                   **fields)

    def publisher(self, name="", **fields):
        return PublishStream(self.stub, name, **fields)

    def subscriber(self, name="", is_reading=True, **fields):
        stream = Subscriber(self.stub, wire.SubscribeRequest(topic=name, **fields), is_reading)
        self.opened.append(stream)
        return stream

    def come_back(self, *known, name="", **fields):
        """A subscriber with resume: `known` are (topic, epoch, next_position)."""
        resume = wire.SubscribeResume(topics=[
            wire.TopicPosition(topic=topic, epoch=epoch, next_position=position)
            for topic, epoch, position in known])
        return self.subscriber(name, resume=resume, **fields)


class PublishStream(SendStream):
    """As SendStream. On a stream of many topics `send` is told the topic of its frame."""

    METHOD, FRAME, OPENING, CHANNEL = ("PublishStream", wire.PublishStreamRequest,
                                       wire.PublishOpen, "topic")


@dataclass
class Heard:
    """What a subscriber has heard of one topic."""
    subscribed: object
    began_at: int       # where its sum begins: next_position, or with GAP where it was resumed
    next_position: int
    messages: list = field(default_factory=list)
    lags: list = field(default_factory=list)  # (missed, messages before it)
    closed: object = None
    missed: int = 0     # in Lagged and in GAP

    def payloads(self):
        return [received.payload for received in self.messages]

    def positions(self):
        return [received.position for received in self.messages]

    @property
    def known(self):
        """What to come back with."""
        return self.subscribed.topic, self.subscribed.epoch, self.next_position


class Subscriber(Downstream):
    """`refs` has what was heard, by topic_ref; `heard` what was heard of the first one."""

    def __init__(self, stub, request, is_reading=True):
        self.refs, self.ready = {}, None
        super().__init__(stub.Subscribe, request, is_reading)

    @property
    def heard(self):
        return self.refs[1]

    def by_name(self, topic):
        """The latest life of the topic on this stream; None: never announced."""
        found = [heard for heard in self.refs.values() if heard.subscribed.topic == topic]
        return found[-1] if found else None

    def check(self, frame):
        events = [name for name in ("subscribed", "lagged", "closed", "ready")
                  if frame.HasField(name)]
        self.require(len(events) <= 1, "at most one event in a frame", frame)
        if frame.HasField("ready"):
            self.require(self.ready is None, "ready comes once", frame)
            self.require(frame.ready.topics == len(self.refs), "ready counts the announced", frame)
            self.require(frame.topic_ref == 0, "ready is of the stream", frame)
            self.ready = frame.ready
        if frame.HasField("subscribed"):
            self._check_subscribed(frame)
        if frame.HasField("lagged"):
            self._check_lagged(frame)
        if frame.HasField("closed"):
            self._check_closed(frame)
        if frame.messages or frame.runs:
            self._check_messages(frame)

    def _check_subscribed(self, frame):
        told = frame.subscribed
        self.require(frame.topic_ref == told.topic_ref, "one topic_ref in a frame", frame)
        self.require(told.topic_ref == len(self.refs) + 1, "refs rise from 1, none twice", frame)
        self.require((told.missed > 0) <= (told.continuity == wire.CONTINUITY_GAP),
                     "missed comes with GAP", frame)
        began_at = told.next_position - told.missed
        for known in self.request.resume.topics:
            if known.topic != told.topic or told.continuity not in RESUMED or told.epoch == 0:
                continue
            self.require(known.epoch == told.epoch, "another life is RESET", frame)
            self.require(began_at == known.next_position, "GAP counts from where it was", frame)
        self.refs[told.topic_ref] = Heard(told, began_at, told.next_position, missed=told.missed)

    def _open(self, frame):
        heard = self.refs.get(frame.topic_ref)
        self.require(heard and not heard.closed, "only of topics announced and not closed", frame)
        return heard

    def _check_lagged(self, frame):
        heard, told = self._open(frame), frame.lagged
        self.require(told.missed >= 1, "never lagged by 0", frame)
        self.require(heard.next_position + told.missed == told.next_position,
                     f"lagged from {heard.next_position} by missed to next_position", frame)
        heard.lags.append((told.missed, len(heard.messages)))
        heard.missed += told.missed
        heard.next_position = told.next_position

    def _check_closed(self, frame):
        self.require(frame.topic_ref == frame.closed.topic_ref, "one topic_ref in a frame", frame)
        self.require(not frame.messages, "closed is alone in its frame", frame)
        if frame.topic_ref:
            self._open(frame).closed = frame.closed
            self.closed = None  # of that topic; the stream goes on

    def _check_messages(self, frame):
        heard = self._open(frame)
        self.require(self.ready, "ready comes before all messages", frame.runs)
        self.require(len(frame.messages) == 1 or
                     sum(one.ByteSize() for one in frame.messages) <= FRAME_BYTES_MAX,
                     "256 KiB, or one message", frame.runs)
        for run in frame.runs:
            self.require(run.count >= 1 and run.accepted_unix_us > 0 and run.attempts == 0,
                         "a run of a topic", frame.runs)
        for received in received_of(frame.messages, frame.runs):
            self.require(received.position == heard.next_position,
                         f"position {heard.next_position} is next", frame.runs)
            heard.next_position = received.position + 1
            heard.messages.append(received)

    def wait_ready(self):
        self.until(lambda: self.ready, what="ready")
        return self

    def wait_messages(self, count, topic=None, bound=BOUND):
        """The messages of a topic (of the first one), once there are `count`."""
        def heard():
            return self.by_name(topic) if topic else self.refs.get(1)
        self.until(lambda: heard() and len(heard().messages) >= count, bound, f"{count} messages")
        return heard().messages

    def wait_position(self, position, topic=None, bound=BOUND):
        """Until everything before `position` was received, or told as missed."""
        def heard():
            return self.by_name(topic) if topic else self.refs.get(1)
        self.until(lambda: heard() and heard().next_position >= position, bound,
                   f"position {position}")
        return heard()

    def wait_topic(self, topic):
        """Until the topic is announced."""
        self.until(lambda: self.by_name(topic), what=f"{topic}")
        return self.by_name(topic)

# SPDX-License-Identifier: Apache-2.0
"""Subscribing. Every event of one Subscribe has the same process and start.

subscribed  channel, epoch, ref, resumed_from (a position; 0: where it is now) |
            continuity, next_position, missed
ready       {} | {}
heard       channel, epoch, ref | runs of [first position, 0, digests]
lagged      channel, epoch, ref | missed, next_position
unheard     (a topic's end) channel, epoch, ref | reason
"""

from support import wire

from .seen import REASONS, Seen, names_of, runs_of

CONTINUITIES = names_of(wire.Continuity, "CONTINUITY_")


class Subscribe(Seen):
    def __init__(self, add, process, began):
        super().__init__(add, process, began)
        self._asked, self._topics, self._is_ready = None, {}, False

    def request(self, now, frame):
        self._asked = frame

    def response(self, now, frame):
        ref = frame.topic_ref
        if frame.HasField("subscribed"):
            self._subscribed(now, frame.subscribed)
            ref = ref or frame.subscribed.topic_ref
        if frame.HasField("ready"):
            self._is_ready = True
            self.event(self.began, now, "ready", {}, {"topics": frame.ready.topics})
        about = self._topics.get(ref)
        if about is None and (frame.messages or frame.HasField("lagged")):
            self.stray(now, f"something of topic {ref}, which was not announced")
            return
        if frame.HasField("lagged"):
            self.event(self.began, now, "lagged", about, {
                "missed": frame.lagged.missed, "next_position": frame.lagged.next_position})
        if frame.HasField("closed"):
            for ended in [about] if about else self._topics.values():
                self.event(self.began, now, "unheard", ended,
                           {"reason": REASONS[frame.closed.reason]})
        if frame.messages:
            self.event(self.began, now, "heard", about, {"runs": runs_of(frame)})

    def _subscribed(self, now, one):
        known = {known.topic: known for known in self._asked.resume.topics}.get(one.topic)
        if known:
            resumed_from = known.next_position
        elif self._asked.HasField("resume") or self._is_ready:
            resumed_from = 1
        elif self._asked.start == wire.SUBSCRIBE_START_POSITION:
            resumed_from = self._asked.start_position
        else:
            resumed_from = 0
        about = {"channel": f"topic/{one.topic}", "epoch": one.epoch, "ref": one.topic_ref}
        if one.topic_ref in self._topics:
            self.stray(now, f"ref {one.topic_ref} is used again")
        self._topics[one.topic_ref] = about
        self.event(self.began, now, "subscribed", {**about, "resumed_from": resumed_from}, {
            "continuity": CONTINUITIES[one.continuity], "next_position": one.next_position,
            "missed": one.missed})


METHODS = {"/sluice.v1.TopicService/Subscribe": (Subscribe, wire.SubscribeRequest,
                                                 wire.SubscribeResponse)}

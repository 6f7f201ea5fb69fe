# SPDX-License-Identifier: Apache-2.0
"""Calls and their workers. A reply's digest is that of its payloads joined.

call   channel, call_id, request (digest), cancelled; `ended` when there is no outcome |
       outcome, handed_out, reply (digest, None: no message at all)
serve  channel, call_id, request, attempts | replies: how many were written to it; results: their
       outcomes, in order, as far as they came; kind of the first that ended it ("message",
       "failure", "release"; None: none did), reply
"""

import zlib
from collections import deque

from support import wire

from .seen import OUTCOMES, REASONS, REFUSALS, Seen, digest


class Joined:
    """Payloads joined, as a digest."""

    def __init__(self):
        self._crc, self._bytes, self._has_any = 0, 0, False

    def add(self, message):
        self._crc = zlib.crc32(message.payload, self._crc)
        self._bytes += len(message.payload)
        self._has_any = True

    @property
    def digest(self):
        return self._crc << 24 | self._bytes if self._has_any else None


class _Asked:
    def __init__(self, start, call):
        self.start, self.reply, self.is_over = start, Joined(), False
        self.arguments = {"channel": f"responder/{call.responder}", "request": digest(call.request),
                          "call_id": getattr(call, "call_id", 0), "cancelled": False}


class _Calling(Seen):
    IS_ONE = True

    def __init__(self, add, process, began):
        super().__init__(add, process, began)
        self._calls, self._closed = {}, ""

    def asked(self, now, call):
        one = _Asked(now, call)
        self._calls[one.arguments["call_id"]] = one

    def told(self, now, call_id, reply, is_last):
        one = self._calls.get(call_id)
        if one is None:
            self.stray(now, f"a reply to call {call_id}, which was not asked")
            return
        if reply.HasField("message"):
            one.reply.add(reply.message)
        if is_last or one.is_over:
            one.is_over = True
            self.event(one.start, now, "call", dict(one.arguments), {
                "outcome": OUTCOMES[reply.outcome], "handed_out": reply.handed_out,
                "reply": one.reply.digest})

    def end(self, now, code):
        ended = self._closed or (code.name if code else "UNKNOWN")
        refused = {"outcome": "REFUSED", "handed_out": False, "reply": None}
        for one in self._calls.values():
            if not one.is_over:
                self.event(one.start, now, "call", {**one.arguments, "ended": ended},
                           refused if code in REFUSALS and self.IS_ONE else None)


class Call(_Calling):
    def request(self, now, frame):
        self.asked(now, frame)

    def response(self, now, frame):
        self.told(now, 0, frame, True)


class CallParts(Call):
    def response(self, now, frame):
        self.told(now, 0, frame, frame.last)


class CallStream(_Calling):
    IS_ONE = False

    def request(self, now, frame):
        for one in frame.calls:
            self.asked(now, one)
        for call_id in frame.cancel:
            if call_id in self._calls:
                self._calls[call_id].arguments["cancelled"] = True

    def response(self, now, frame):
        for reply in frame.replies:
            self.told(now, reply.call_id, reply, reply.last)
        if frame.HasField("closed"):
            self._closed = REASONS[frame.closed.reason]


class _Assigned:
    def __init__(self, start, channel, one):
        self.start, self.reply, self.kind, self.replies, self.results = start, Joined(), None, 0, []
        self.arguments = {"channel": channel, "call_id": one.call_id, "attempts": one.attempts,
                          "request": digest(one.request)}


class Serve(Seen):
    def __init__(self, add, process, began):
        super().__init__(add, process, began)
        self._channel, self._held, self._replied = "", {}, deque()

    def request(self, now, frame):
        if frame.HasField("open"):
            self._channel = f"responder/{frame.open.responder}"
        for reply in frame.replies:
            self._replied.append(reply.call_id)
            one = self._held.get(reply.call_id)
            if one is None:
                continue
            one.replies += 1
            if one.kind is not None:
                continue
            kind = reply.WhichOneof("reply")
            if kind == "message":
                one.reply.add(reply.message)
            if reply.last or kind in ("failure", "release"):
                one.kind = kind or "message"

    def response(self, now, frame):
        # Results first: what is assigned in the same frame comes after them.
        for result in frame.results:
            if not self._replied or self._replied.popleft() != result.call_id:
                self.stray(now, f"a result of {result.call_id}, out of the order of replies")
            elif result.call_id in self._held:
                self._held[result.call_id].results.append(OUTCOMES[result.outcome])
        for one in frame.assignments:
            if one.call_id in self._held:
                self.stray(now, f"call_id {one.call_id} is assigned again")
            self._held[one.call_id] = _Assigned(now, self._channel, one)

    def end(self, now, code):
        for one in self._held.values():
            self.event(one.start, now, "serve", one.arguments, {
                "replies": one.replies, "results": one.results, "kind": one.kind,
                "reply": one.reply.digest})


REQUESTS = "/sluice.v1.RequestService/"
METHODS = {
    REQUESTS + "Call": (Call, wire.CallRequest, wire.CallResponse),
    REQUESTS + "CallParts": (CallParts, wire.CallPartsRequest, wire.CallPartsResponse),
    REQUESTS + "CallStream": (CallStream, wire.CallStreamRequest, wire.CallStreamResponse),
    REQUESTS + "Serve": (Serve, wire.ServeRequest, wire.ServeResponse),
}

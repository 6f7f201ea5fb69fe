# SPDX-License-Identifier: Apache-2.0
"""Request/reply as tests want it: calls one by one and on streams, and workers."""

from . import wire
from .eventually import BOUND
from .streams import Stream, message


def call_fields(name, payload, fields):
    """Of CallRequest, CallPartsRequest and CallStart alike. A payload of None: no request."""
    return {"responder": name, "request": None if payload is None else message(payload), **fields}


class Requests:
    """RequestService on one connection."""

    def __init__(self, channel):
        self.stub = wire.RequestServiceStub(channel)

    def declare(self, name, **spec):
        return self.stub.DeclareResponder(wire.DeclareResponderRequest(
            responder=name, spec=wire.ResponderSpec(**spec)), timeout=BOUND)

    def describe(self, name):
        return self.page(name).description

    def page(self, name, **fields):
        """The description with a page of the workers."""
        return self.stub.DescribeResponder(
            wire.DescribeResponderRequest(responder=name, **fields), timeout=BOUND)

    def list(self, **fields):
        return self.stub.ListResponders(wire.ListRespondersRequest(**fields), timeout=BOUND)

    def close(self, name):
        return self.stub.CloseResponder(wire.CloseResponderRequest(responder=name), timeout=BOUND)

    def delete(self, name):
        return self.stub.DeleteResponder(wire.DeleteResponderRequest(responder=name),
                                         timeout=BOUND).deleted

    def call(self, name, payload=b"", timeout=BOUND, **fields):
        return self.stub.Call(wire.CallRequest(**call_fields(name, payload, fields)),
                              timeout=timeout)

    def call_later(self, name, payload=b"", timeout=BOUND * 4, **fields):
        """The future of a Call."""
        return self.stub.Call.future(wire.CallRequest(**call_fields(name, payload, fields)),
                                     timeout=timeout)

    def parts(self, name, payload=b"", is_reading=True, timeout=BOUND * 6, **fields):
        return PartsCall(self.stub, name, payload, is_reading, timeout, fields)

    def stream(self, is_reading=True):
        return CallStream(self.stub, is_reading)

    def serve(self, name, **fields):
        return ServeStream(self.stub, name, **fields)

    def echo(self, name, **fields):
        """A worker that answers with what it is asked, and is attached."""
        worker = self.serve(name, answer=echo, **fields)
        worker.wait_attached()
        return worker


def echo(worker, assignment):
    worker.reply(assignment.call_id, assignment.request.payload)


class PartsCall(Stream):
    """One CallParts; `parts` has the payloads, `last` the frame that ended it."""

    def __init__(self, stub, name, payload, is_reading, timeout, fields):
        self.parts, self.last = [], None
        request = wire.CallPartsRequest(**call_fields(name, payload, fields))
        super().__init__(lambda _frames, timeout: stub.CallParts(request, timeout=timeout),
                         is_reading, timeout=timeout)

    def take(self, frame):
        assert self.last is None, "a frame after the last"
        if frame.HasField("message"):
            self.parts.append(frame.message.payload)
        if frame.last:
            self.last = frame

    def wait_parts(self, count):
        self.until(lambda: len(self.parts) >= count, what=f"{count} parts")
        return self.parts

    def wait_last(self):
        return self.until(lambda: self.last, what="the last part")


class CallStream(Stream):
    """`replies` has what came, in order."""

    def __init__(self, stub, is_reading=True):
        self.replies, self._call_id = [], 0
        super().__init__(stub.CallStream, is_reading)

    def take(self, frame):
        self.replies += frame.replies

    def start(self, name, payload=b"", call_id=None, **fields):
        """One call in a frame of its own; ids go on by themselves."""
        return self.start_all([(name, payload, {"call_id": call_id, **fields})])[0]

    def start_all(self, calls, **frame):
        """Calls of (name, payload, fields) in one frame: their ids."""
        starts = []
        for name, payload, fields in calls:
            fields = dict(fields)
            given = fields.pop("call_id", None)
            self._call_id = self._call_id + 1 if given is None else given
            starts.append(wire.CallStart(call_id=self._call_id,
                                         **call_fields(name, payload, fields)))
        self.write(wire.CallStreamRequest(calls=starts, **frame))
        return [one.call_id for one in starts]

    def cancel_calls(self, *call_ids):
        self.write(wire.CallStreamRequest(cancel=call_ids))

    def allow(self, call_id, parts):
        self.write(wire.CallStreamRequest(
            part_credit=[wire.PartCredit(call_id=call_id, parts=parts)]))

    def replies_to(self, call_id):
        return [one for one in self.replies if one.call_id == call_id]

    def parts_of(self, call_id):
        return [one.message.payload for one in self.replies_to(call_id)
                if one.HasField("message")]

    def wait_parts(self, call_id, count):
        self.until(lambda: len(self.parts_of(call_id)) >= count,
                   what=f"{count} parts of call {call_id}")
        return self.parts_of(call_id)

    def wait_last(self, call_id):
        """The reply that ends this call, with its outcome."""
        def last():
            return next((one for one in self.replies_to(call_id) if one.last), None)
        return self.until(last, what=f"the last reply to call {call_id}")


class ServeStream(Stream):
    """A worker. `answer(worker, assignment)`, if given, is called for each assignment as it comes.
    Replies get their results in order: the i-th of `results` is of the i-th reply."""

    def __init__(self, stub, name, is_reading=True, spec=None, credit=None, credit_bytes=0,
                 answer=None, **fields):
        self.attached, self._answer = None, answer
        self.assignments, self.cancelled, self.results, self.allowed = [], [], [], {}
        super().__init__(stub.Serve, is_reading)
        opening = wire.ServeOpen(responder=name, spec=spec, **fields)
        if credit is not None:
            opening.credit.CopyFrom(wire.Credit(messages=credit, bytes=credit_bytes))
        self.write(wire.ServeRequest(open=opening))

    def take(self, frame):
        if frame.HasField("attached"):
            assert self.attached is None, "attached twice"
            self.attached = frame.attached
        self.results += frame.results
        self.assignments += frame.assignments
        for one in frame.assignments:
            self.allowed[one.call_id] = one.part_credit
        for one in frame.part_credit:
            self.allowed[one.call_id] = one.parts
        self.cancelled += frame.cancelled
        if self._answer:
            for one in frame.assignments:
                self._answer(self, one)

    def wait_attached(self):
        return self.until(lambda: self.attached, what="attached")

    def wait_assignments(self, count):
        self.until(lambda: len(self.assignments) >= count, what=f"{count} assignments")
        return self.assignments

    def wait_cancelled(self, count=1):
        self.until(lambda: len(self.cancelled) >= count, what=f"{count} cancelled")
        return self.cancelled

    def wait_allowed(self, call_id, parts):
        self.until(lambda: self.allowed.get(call_id, 0) >= parts,
                   what=f"credit for {parts} parts of call {call_id}")
        return self.allowed[call_id]

    def wait_results(self, count):
        self.until(lambda: len(self.results) >= count, what=f"{count} results")
        return [one.outcome for one in self.results]

    def requests(self):
        return [one.request.payload for one in self.assignments]

    def reply(self, call_id, payload=None, last=True, **fields):
        """One reply: a message, or what `fields` says (failure=, release=), or just the end."""
        content = {} if payload is None else {"message": message(payload)}
        self.write(wire.ServeRequest(replies=[
            wire.WorkerReply(call_id=call_id, last=last, **content, **fields)]))

    def fail(self, call_id, code="code", text=""):
        self.reply(call_id, failure=wire.Failure(code=code, text=text))

    def release(self, call_id):
        self.reply(call_id, release=wire.Release())

    def set_credit(self, messages, credit_bytes=0):
        self.write(wire.ServeRequest(credit=wire.Credit(messages=messages, bytes=credit_bytes)))

    def finish(self):
        self.write(wire.ServeRequest(finish=True))

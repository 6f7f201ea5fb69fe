# SPDX-License-Identifier: Apache-2.0
"""A grpc.Channel that records what is done over it. Stubs are made on it as on any other."""

import threading
import time

import grpc
from google.protobuf.message import DecodeError

from . import call_seen, description_seen, key_seen, message_seen, topic_seen
from .seen import Nothing

SEEN = {**message_seen.METHODS, **topic_seen.METHODS, **call_seen.METHODS, **key_seen.METHODS,
        **description_seen.METHODS}


class _Recorded:
    """One call. What is written as bytes is parsed when it is answered: it may be no request."""

    def __init__(self, method, is_raw):
        seen_type, self._request_type, self._response_type = SEEN[method.path]
        self._is_raw, self._unread = is_raw, []
        self._recorder, self._lock = method.recorder, threading.Lock()
        process = f"{method.process}/{method.path.split('/')[-1]}.{self._recorder.next_number()}"
        self._seen = seen_type(self._recorder.add, process, time.monotonic())
        self._recorder.opened(self)

    def request(self, frame):
        now = time.monotonic()
        with self._lock:
            if self._is_raw:
                self._unread.append((now, frame))
            else:
                self._seen.request(now, frame)

    def response(self, frame):
        now = time.monotonic()
        with self._lock:
            if self._is_raw:
                self._read_bytes()
                frame = self._response_type.FromString(frame)
            self._seen.response(now, frame)

    def _read_bytes(self):
        unread, self._unread = self._unread, []
        for written, frame in unread:
            try:
                self._seen.request(written, self._request_type.FromString(frame))
            except DecodeError:
                pass  # it is refused

    def end(self, code):
        """`code` is a grpc.StatusCode; None: it is not known how it ended."""
        with self._lock:
            seen, self._seen = self._seen, Nothing()
            seen.end(time.monotonic(), code)
        self._recorder.closed(self)

    def leave(self):
        self.end(None)


class _Method:
    def __init__(self, inner, path, recorder, process, is_raw):
        self.inner, self.path, self.recorder, self.process = inner, path, recorder, process
        self._is_raw = is_raw

    def begin(self):
        return _Recorded(self, self._is_raw)


class _Unary(_Method):
    def __call__(self, request, **fields):
        recorded = self.begin()
        recorded.request(request)
        try:
            reply = self.inner(request, **fields)
        except grpc.RpcError as error:
            recorded.end(error.code())
            raise
        recorded.response(reply)
        recorded.end(grpc.StatusCode.OK)
        return reply

    def future(self, request, **fields):
        recorded = self.begin()
        recorded.request(request)
        call = self.inner.future(request, **fields)

        def done(call):
            code = call.code()
            if code is grpc.StatusCode.OK:
                recorded.response(call.result())
            recorded.end(code)
        call.add_done_callback(done)
        return call


class _Answers(_Method):
    def __call__(self, request, **fields):
        recorded = self.begin()
        recorded.request(request)
        return _Reading(self.inner(request, **fields), recorded)


class _Stream(_Method):
    def __call__(self, frames, **fields):
        recorded = self.begin()

        def written():
            for frame in frames:
                recorded.request(frame)
                yield frame
        return _Reading(self.inner(written(), **fields), recorded)


class _Reading:
    """The call, with every frame that is read recorded."""

    def __init__(self, call, recorded):
        self._call, self._recorded = call, recorded

    def __iter__(self):
        return self

    def __next__(self):
        try:
            frame = next(self._call)
        except StopIteration:
            self._recorded.end(self._call.code())
            raise
        except grpc.RpcError:
            self._recorded.end(self._call.code())
            raise
        self._recorded.response(frame)
        return frame

    def __getattr__(self, name):
        return getattr(self._call, name)


class RecordingChannel:
    """`channel`, recorded as `process`."""

    def __init__(self, channel, recorder, process):
        self._channel, self._recorder, self._process = channel, recorder, process

    def __getattr__(self, name):
        return getattr(self._channel, name)

    def _method(self, kind, make, path, serializer, deserializer, fields):
        inner = make(path, serializer, deserializer, **fields)
        if path not in SEEN:
            return inner
        return kind(inner, path, self._recorder, self._process, serializer is None)

    def unary_unary(self, path, request_serializer=None, response_deserializer=None, **fields):
        return self._method(_Unary, self._channel.unary_unary, path, request_serializer,
                            response_deserializer, fields)

    def unary_stream(self, path, request_serializer=None, response_deserializer=None, **fields):
        return self._method(_Answers, self._channel.unary_stream, path, request_serializer,
                            response_deserializer, fields)

    def stream_stream(self, path, request_serializer=None, response_deserializer=None, **fields):
        return self._method(_Stream, self._channel.stream_stream, path, request_serializer,
                            response_deserializer, fields)

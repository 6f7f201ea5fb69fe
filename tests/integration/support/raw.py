# SPDX-License-Identifier: Apache-2.0
"""Requests as bytes: what no generated code would send, and calls that send it."""

from .eventually import BOUND
from .streams import Stream


def key(field, wire_type=2):
    return bytes([field << 3 | wire_type])


def record(field, content):
    """A length-delimited field, whatever its length."""
    size, length = len(content), b""
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return key(field) + length + bytes([size]) + content


# What a generated parser of any language would refuse, or might read otherwise: the content of a
# Message, and the field that is named.
MALFORMED_MESSAGES = {
    "an id that is not UTF-8": (record(3, b"\xff\xfe"), "id"),
    "a header key that is not UTF-8": (record(2, record(1, b"\xc3\x28")), "headers"),
    "a header value that is not UTF-8": (record(2, record(2, b"\xed\xa0\x80")), "headers"),
    "a content type that is not UTF-8": (record(4, b"\x80"), "content_type"),
    "a payload of another wire type": (key(1, 0) + b"\x01", "payload"),
    "an id of another wire type": (key(3, 5) + b"1234", "id"),
    "a group": (key(6, 3) + key(6, 4), None),
    "field number 0": (b"\x02\x01x", None),
    "a length beyond the end": (key(1) + b"\x7fabc", "payload"),
    "an overlong length": (key(1) + b"\x81\x80\x80\x80\x80\x80\x00x", "payload"),
    "a field cut off": (key(1), None),
}
# No encoding of any request.
MALFORMED_FRAMES = (b"\xff", b"\x0a\x7f", b"\x07", b"\x0b", b"\x00\x00")


def raw_call(client, path, request):
    """A unary call with these very bytes, to be made."""
    return lambda: client.channel.unary_unary(path)(request, timeout=BOUND)


def raw_answers(client, path, request):
    """A stream of answers to these very bytes: how it ends."""
    stream = Stream(lambda _, timeout: client.channel.unary_stream(path)(request, timeout=timeout))
    stream.take = lambda frame: None
    return stream.end()


def raw_stream(client, path, *frames):
    """How a stream ends that is sent these bytes, or messages."""
    stream = Stream(client.channel.stream_stream(path))
    stream.take = lambda frame: None
    for frame in frames:
        stream.write(frame if isinstance(frame, bytes) else frame.SerializeToString())
    return stream.end()

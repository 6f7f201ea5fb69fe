#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the scanner accepts, the parsers of Python and JavaScript parse to the same content.

Usage: stock_parsers.py ACCEPTED_FRAMES PROTO_FOLDER STOCK_FOLDER

ACCEPTED_FRAMES is the program that writes the frames. Python's protobuf has two parsers, one in C++
and one in Python: they differ (the second finds fields by the bytes of their tags), so both judge.
"""

import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def counted(data):
    return str(len(data)).encode() + b":" + data


def content_of(messages):
    content = b""
    for message in messages:
        content += counted(message.payload)
        content += counted(message.id.encode()) + counted(message.content_type.encode())
        headers = [(key.encode(), value.encode()) for key, value in message.headers.items()]
        for key, value in sorted(headers):
            content += counted(key) + counted(value)
    return content


def read_frames(path):
    with open(path, "rb") as file:
        while head := file.read(12):
            records, count, content = struct.unpack("<III", head)
            yield file.read(records), count, file.read(content)


def judge(frames, generated, wanted):
    """Runs in a process of its own: the parser is chosen when the library is first imported."""
    sys.path.insert(0, generated)
    from google.protobuf.internal import api_implementation
    from sluice.v1 import queue_pb2
    if api_implementation.Type() != wanted:
        sys.exit(f"Python's protobuf is {api_implementation.Type()}, not {wanted}")
    judged = 0
    for records, count, content in read_frames(frames):
        request = queue_pb2.SendStreamRequest.FromString(records)
        if len(request.messages) != count or content_of(request.messages) != content:
            sys.exit(f"Python ({wanted}) reads something else in {records.hex()}")
        judged += 1
    print(f"Python ({wanted}): {judged} frames")
    if judged == 0:
        sys.exit("no frames")


def main(accepted_frames, protos, stock):
    with tempfile.TemporaryDirectory() as folder:
        frames = os.path.join(folder, "frames")
        subprocess.run([accepted_frames, frames], check=True)
        names = ["sluice/v1/message.proto", "sluice/v1/queue.proto"]
        subprocess.run(["protoc", "-I", protos, "--python_out", folder, *names], check=True)
        for kind in ("cpp", "python"):
            environment = {**os.environ, "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": kind}
            command = [sys.executable, __file__, "--judge", frames, folder, kind]
            subprocess.run(command, check=True, env=environment)
        script = os.path.join(HERE, "stock_parsers.cjs")
        subprocess.run(["node", script, frames, protos, stock], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--judge"]:
        judge(*sys.argv[2:])
    elif len(sys.argv) == 4:
        main(*sys.argv[1:])
    else:
        sys.exit(__doc__)

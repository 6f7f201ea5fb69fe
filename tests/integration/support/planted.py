# SPDX-License-Identifier: Apache-2.0
"""Frames that no daemon sent, to see that a reader notices what is wrong with them."""

from types import SimpleNamespace

import grpc


class _Call:
    """A finished call with these frames."""

    def __init__(self, frames):
        self._frames = iter(frames)

    def __next__(self):
        return next(self._frames)

    def code(self):
        return grpc.StatusCode.OK


def read_planted(reader, method, request, frames):
    """What the reader, a class of Downstream, has against these frames: its violations."""
    stub = SimpleNamespace(**{method: lambda _, timeout: _Call(frames)})
    stream = reader(stub, request)
    stream.end()
    return stream.violations

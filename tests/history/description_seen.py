# SPDX-License-Identifier: Apache-2.0
"""Descriptions of channels: describe, with channel and epoch, and every number in it."""

from google.protobuf.descriptor import FieldDescriptor
from support import wire

from .seen import Seen

NUMBERS = (FieldDescriptor.CPPTYPE_UINT64, FieldDescriptor.CPPTYPE_UINT32)


def numbers_in(message):
    fields = [field.name for field in message.DESCRIPTOR.fields if field.cpp_type in NUMBERS]
    return {name: getattr(message, name) for name in fields}


class _Looking(Seen):
    KIND = ""

    def response(self, now, frame):
        for one in self.descriptions(frame):
            self.event(self.began, now, "describe", {
                "channel": f"{self.KIND}/{one.name}", "epoch": one.epoch}, numbers_in(one))

    def descriptions(self, frame):
        return [frame.description]


def looking(kind, field):
    one = type(f"Describe_{kind}", (_Looking,), {"KIND": kind})
    many = type(f"List_{kind}", (_Looking,), {
        "KIND": kind, "descriptions": lambda _self, frame: getattr(frame, field)})
    return one, many


METHODS = {}
for _kind, _field in (("queue", "queues"), ("topic", "topics"), ("responder", "responders")):
    _service = "Request" if _kind == "responder" else _kind.title()
    _one, _many = looking(_kind, _field)
    for _method, _seen in (("Describe{}", _one), ("Declare{}", _one), ("List{}s", _many)):
        _name = _method.format(_kind.title())
        METHODS[f"/sluice.v1.{_service}Service/{_name}"] = (
            _seen, getattr(wire, f"{_name}Request"), getattr(wire, f"{_name}Response"))

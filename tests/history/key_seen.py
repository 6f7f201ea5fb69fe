# SPDX-License-Identifier: Apache-2.0
"""Config keys. An entry is {key, epoch, version, revision, deleted, ephemeral, value: its digest,
None where it was not told}.

set, delete  key, value (a digest, of a set), expect: [epoch, version] or None | outcome, entry
get          key, condition: whether it waited for one | outcome, entry
list         prefix, from_key: whether from the beginning | entries, is_whole
watched      one entry that a Watch told: phase ("snapshot", "catching up", "changes") | entry
watch_reset  {} | {}
watch_mark   (end_of_snapshot) keys, prefixes, resumed_from: a revision, or None | revision
"""

import zlib

from support import wire

from .seen import OUTCOMES, REFUSALS, Seen


def digest(value):
    return zlib.crc32(value) << 24 | len(value)


def entry_of(entry, has_value=True):
    return {"key": entry.key, "epoch": entry.epoch, "version": entry.version,
            "revision": entry.revision, "deleted": entry.deleted, "ephemeral": entry.ephemeral,
            "value": digest(entry.value) if has_value else None}


class _Change(Seen):
    OPERATION = ""
    _asked = None

    def request(self, now, frame):
        expect = [frame.expect.epoch, frame.expect.version] if frame.HasField("expect") else None
        self._asked = {"key": frame.key, "expect": expect, "value": self.value_of(frame)}

    def value_of(self, _frame):
        return None

    def response(self, now, frame):
        outcome = OUTCOMES[frame.outcome]
        entry = None
        if frame.HasField("entry"):
            entry = entry_of(frame.entry, has_value=outcome == "CONFLICT")
            if outcome == "OK":
                entry["value"] = self._asked["value"]
        self._say(now, {"outcome": outcome, "entry": entry})

    def _say(self, now, outcome):
        self.event(self.began, now, self.OPERATION, self._asked, outcome)
        self._asked = None

    def end(self, now, code):
        if self._asked:
            self._say(now, {"outcome": "REFUSED", "entry": None} if code in REFUSALS else None)


class SetKey(_Change):
    OPERATION = "set"

    def value_of(self, frame):
        return digest(frame.value)


class DeleteKey(_Change):
    OPERATION = "delete"


class GetKey(Seen):
    _asked = None

    def request(self, now, frame):
        self._asked = {"key": frame.key, "condition": frame.WhichOneof("wait") is not None}

    def response(self, now, frame):
        self.event(self.began, now, "get", self._asked, {
            "outcome": OUTCOMES[frame.outcome],
            "entry": entry_of(frame.entry) if frame.HasField("entry") else None})


class ListKeys(Seen):
    _asked = None

    def request(self, now, frame):
        self._asked = frame

    def response(self, now, frame):
        asked = self._asked
        self.event(self.began, now, "list", {
            "prefix": asked.prefix, "is_first": not asked.page_token}, {
            "entries": [entry_of(one, not asked.without_values) for one in frame.entries],
            "is_last": not frame.next_page_token})


class Watch(Seen):
    def __init__(self, add, process, began):
        super().__init__(add, process, began)
        self._asked, self._phase, self._resumed_from = None, "snapshot", None

    def request(self, now, frame):
        self._asked = frame
        if frame.HasField("resume"):
            self._phase, self._resumed_from = "catching up", frame.resume.revision

    def response(self, now, frame):
        if frame.HasField("reset"):
            self._phase, self._resumed_from = "snapshot", None
            self.event(self.began, now, "watch_reset", {}, {})
        for entry in frame.entries:
            self.event(self.began, now, "watched", {"phase": self._phase},
                       {"entry": entry_of(entry)})
        if frame.HasField("end_of_snapshot"):
            self.event(self.began, now, "watch_mark", {
                "keys": list(self._asked.keys), "prefixes": list(self._asked.prefixes),
                "resumed_from": self._resumed_from}, {"revision": frame.end_of_snapshot.revision})
            self._phase = "changes"


CONFIG = "/sluice.v1.ConfigService/"
METHODS = {
    CONFIG + "SetKey": (SetKey, wire.SetKeyRequest, wire.SetKeyResponse),
    CONFIG + "GetKey": (GetKey, wire.GetKeyRequest, wire.GetKeyResponse),
    CONFIG + "DeleteKey": (DeleteKey, wire.DeleteKeyRequest, wire.DeleteKeyResponse),
    CONFIG + "ListKeys": (ListKeys, wire.ListKeysRequest, wire.ListKeysResponse),
    CONFIG + "Watch": (Watch, wire.WatchRequest, wire.WatchResponse),
}

# SPDX-License-Identifier: Apache-2.0
"""Config keys by stock stubs: short calls, and a watcher that keeps the state a client would keep
and checks that it never goes back (N34)."""

from . import wire
from .downstream import Downstream
from .eventually import BOUND

FRAME_BYTES_MAX = 256 << 10


def at(entry):
    """The KeyVersion of an entry."""
    return wire.KeyVersion(epoch=entry.epoch, version=entry.version)


NOT_THERE = wire.KeyVersion()


class Config:
    """Calls of ConfigService on one connection. Faults are grpc.RpcError."""

    def __init__(self, channel):
        self.stub = wire.ConfigServiceStub(channel)
        self.opened = []  # every watcher of this client

    def set(self, key, value=b"", timeout=BOUND, **fields):
        return self.stub.SetKey(self._set_request(key, value, fields), timeout=timeout)

    def set_later(self, key, value=b"", timeout=BOUND, **fields):
        return self.stub.SetKey.future(self._set_request(key, value, fields), timeout=timeout)

    @staticmethod
    def _set_request(key, value, fields):
        value = value if isinstance(value, bytes) else str(value).encode()
        return wire.SetKeyRequest(key=key, value=value, **fields)

    def get(self, key, timeout=BOUND, **fields):
        return self.stub.GetKey(wire.GetKeyRequest(key=key, **fields), timeout=timeout)

    def get_later(self, key, timeout=BOUND * 4, **fields):
        """The future of a GetKey that waits."""
        return self.stub.GetKey.future(wire.GetKeyRequest(key=key, **fields), timeout=timeout)

    def delete(self, key, **fields):
        return self.stub.DeleteKey(wire.DeleteKeyRequest(key=key, **fields), timeout=BOUND)

    def list(self, **fields):
        return self.stub.ListKeys(wire.ListKeysRequest(**fields), timeout=BOUND)

    def list_all(self, **fields):
        """Of all pages: the entries."""
        entries, token = [], ""
        while True:
            page = self.list(page_token=token, **fields)
            entries += page.entries
            token = page.next_page_token
            if not token:
                return entries

    def watcher(self, *keys, prefixes=(), resume=None, is_reading=True):
        """`resume` is (service_epoch, revision)."""
        request = wire.WatchRequest(keys=keys, prefixes=prefixes)
        if resume:
            request.resume.CopyFrom(wire.WatchResume(service_epoch=resume[0], revision=resume[1]))
        self.opened.append(Watcher(self.stub, request, is_reading))
        return self.opened[-1]


class Watcher(Downstream):
    """`entries` has all that came, in order; `there` the latest of each key that is there; `point`
    is what to resume from, None before the end of the snapshot."""

    def __init__(self, stub, request, is_reading=True):
        self.entries, self.there, self.point = [], {}, None
        self.reset, self.end_mark, self.at_end = None, None, 0
        self._last = {}  # key -> its latest entry, tombstones included
        self._told, self._highest = set(), request.resume.revision
        super().__init__(stub.Watch, request, is_reading)

    def check(self, frame):
        if frame.HasField("reset"):
            self.require(self.request.HasField("resume") and len(self.frames) == 1,
                         "reset comes first, and to who resumes", frame)
            self.reset, self._highest = frame.reset, 0
        if frame.HasField("end_of_snapshot"):
            self.require(self.end_mark is None, "end_of_snapshot comes once", frame)
            self.require(not frame.entries and not frame.HasField("reset"),
                         "end_of_snapshot is alone", frame)
            self._check_end(frame)
        if frame.HasField("closed"):
            self.require(not frame.entries, "closed is alone", frame)
        self.require(len(frame.entries) <= 1 or
                     sum(entry.ByteSize() for entry in frame.entries) <= FRAME_BYTES_MAX,
                     "256 KiB, or one entry", "...")
        for entry in frame.entries:
            self._check_entry(entry)

    def _check_end(self, frame):
        mark = frame.end_of_snapshot
        self.end_mark, self.at_end = mark, len(self.entries)
        self.require(mark.service_epoch > 0, "a service epoch", frame)
        if self._is_catching_up():
            self.require(mark.service_epoch == self.request.resume.service_epoch,
                         "another service epoch is a reset", frame)
        if self.reset:
            self.require(mark.service_epoch == self.reset.service_epoch, "one epoch", frame)
        self._highest = mark.revision
        self.point = mark.service_epoch, mark.revision

    def _is_catching_up(self):
        return self.request.HasField("resume") and not self.reset

    def _check_entry(self, entry):
        in_snapshot = self.end_mark is None and not self._is_catching_up()
        self.require(entry.key in self.request.keys or
                     any(entry.key.startswith(prefix) for prefix in self.request.prefixes),
                     "only what was selected", entry)
        self.require(entry.revision not in self._told, "no change comes twice", entry)
        self._told.add(entry.revision)
        if in_snapshot:
            self.require(entry.key not in self._last, "a key comes once in a snapshot", entry)
            self.require(not entry.deleted, "no tombstones in a snapshot", entry)
        else:
            self.require(entry.revision > self._highest,
                         f"revisions rise: after {self._highest}", entry)
            self._highest = entry.revision
            if self.point:
                self.point = self.point[0], entry.revision
        before = self._last.get(entry.key)
        if before:
            self.require(entry.revision > before.revision, "a key never goes back", entry)
            self.require(entry.version > before.version if entry.epoch == before.epoch
                         else entry.deleted or entry.version >= 1, "versions rise in a life", entry)
            self.require(not (before.deleted and entry.epoch == before.epoch),
                         "a life ends with its tombstone", entry)
        self.require(entry.epoch > 0 and entry.version > 0 and entry.changed_unix_us > 0,
                     "an entry is complete", entry)
        self.require(not (entry.deleted and entry.value), "a tombstone has no value", entry)
        self.entries.append(entry)
        self._last[entry.key] = entry
        if entry.deleted:
            self.there.pop(entry.key, None)
        else:
            self.there[entry.key] = entry

    def wait_end_mark(self):
        """Until the snapshot, or the catching up, is complete."""
        self.until(lambda: self.end_mark, what="end_of_snapshot")
        return self

    def wait_revision(self, revision, bound=BOUND):
        """Until everything up to the revision is told (given that it is of a selected key)."""
        self.until(lambda: self.point and self.point[1] >= revision, bound, f"revision {revision}")
        return self

    def told(self):
        """What came after the end mark: (key, value, or None for a tombstone)."""
        return [pair(entry) for entry in self.entries[self.at_end:]]

    def before_end(self):
        """What came before the end mark."""
        return [pair(entry) for entry in self.entries[:self.at_end]]


def pair(entry):
    return entry.key, None if entry.deleted else entry.value

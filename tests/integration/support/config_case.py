# SPDX-License-Identifier: Apache-2.0
"""A test case of config keys: when it ends, every watcher has converged on what there is."""

from . import wire
from .case import DaemonCase
from .eventually import eventually

OK = wire.OUTCOME_OK


class ConfigCase(DaemonCase):

    def tearDown(self):
        watchers = [watcher for client in self.clients for watcher in client.config.opened]
        try:
            self.assert_converged(watchers)
        finally:
            for entry in self.client.config.list_all(without_values=True):
                self.client.config.delete(entry.key)
        self.assert_converged(watchers)
        for watcher in watchers:
            self.assertEqual(watcher.violations, [], watcher.request)
        super().tearDown()

    def assert_converged(self, watchers):
        """Each that still reads comes to have just what there is of its selection."""
        listed = {entry.key: entry.revision for entry in self.client.config.list_all()}

        def selected(watcher):
            return {key: revision for key, revision in listed.items()
                    if key in watcher.request.keys
                    or any(key.startswith(prefix) for prefix in watcher.request.prefixes)}
        for watcher in watchers:
            leaves = watcher.is_over or watcher.is_cancelled
            if watcher.end_mark and not leaves and not watcher.request.HasField("resume"):
                watcher.until(lambda watcher=watcher: selected(watcher) == {
                    key: entry.revision for key, entry in watcher.there.items()},
                              what=f"convergence of {watcher.request}")

    def set(self, key, value=b"", **fields):
        """What must be stored: its entry, without the value."""
        reply = self.client.config.set(key, value, **fields)
        self.assertEqual(reply.outcome, OK, reply)
        return reply.entry

    def eventually_watchers(self, key, count):
        """Until so many watch the key."""
        return eventually(lambda: self.client.config.get(key).watchers == count,
                          what=f"{count} watchers of {key}")

    def value_of(self, key):
        """None: it is not there."""
        reply = self.client.config.get(key)
        if reply.outcome == wire.OUTCOME_ABSENT:
            self.assertFalse(reply.HasField("entry"), reply)
            return None
        self.assertEqual(reply.outcome, OK, reply)
        return reply.entry.value

# SPDX-License-Identifier: Apache-2.0
"""A setter and a watcher with keys of their own, and the pump of the victims' keys."""

from config_victims import KEYS
from support import wire

QUIET_KEYS = "torture-quiet/"


class ConfigSurvivor:
    def __init__(self, client):
        self.config = client.config
        self.watcher = self.config.watcher(prefixes=[QUIET_KEYS]).wait_end_mark()
        self.sets, self.last = 0, {}

    def streams(self):
        return (self.watcher,)

    def round(self):
        self._set_all()
        if self.sets % 3 == 0:
            self.config.delete(f"{KEYS}0")

    def _set_all(self):
        for i in range(5):
            key = f"{QUIET_KEYS}{i}"
            self.sets += 1
            set_key = self.config.set(key, self.sets)
            assert set_key.outcome == wire.OUTCOME_OK, set_key
            self.last[key] = set_key.entry
            self.config.set(f"{KEYS}{i}", self.sets)

    def settle(self):
        self._set_all()  # a baseline has every key
        for entry in self.last.values():
            self.watcher.wait_revision(entry.revision)

    def check(self):
        assert not self.watcher.violations, self.watcher.violations
        seen = {key: entry.revision for key, entry in self.watcher.there.items()}
        wanted = {key: entry.revision for key, entry in self.last.items()}
        assert seen == wanted, f"the watcher is at {seen}, not {wanted}"

# SPDX-License-Identifier: Apache-2.0
"""What a daemon says that it has: live counts, and sums that must hold whatever its clients do."""

from queue_victims import TIED_QUEUES
from support import wire
from topic_victims import TIED_TOPICS

COUNTS = ("streams", "calls", "waiting_sends", "waiting_receives", "sessions", "leases",
          "in_flight", "producers", "consumers", "subscribers", "publishers", "waiting_publishes",
          "workers", "queued_calls", "calls_in_flight", "keys", "watchers", "waiting_gets")
# What deleted keys may take: they are few, and none is long.
TOMBSTONES_BYTES_MAX = 1 << 20


class Ledger:
    """Asks through `client`."""

    def __init__(self, client):
        self._client = client

    def counts(self):
        live = self._client.info().live
        return {name: getattr(live, name) for name in COUNTS}

    def queues(self):
        return self._client.list_queues(page_size=1000).queues

    def topics(self):
        return self._client.topics.list(page_size=1000).topics

    def responders(self):
        return self._client.requests.list(page_size=1000).responders

    def check_sums(self):
        """Of every channel what was accepted is accounted for. Gives what was looked at."""
        queues, topics, responders = self.queues(), self.topics(), self.responders()
        for d in queues:
            _require(d.accepted == d.settled + d.purged + d.deleted + d.depth + d.in_flight,
                     "the sum does not hold", d)
        for d in topics:
            _require(d.accepted == d.overwritten + d.depth, "the sum does not hold", d)
        for d in responders:
            ended = (d.answered + d.failed + d.responder_gone + d.no_responder + d.too_large +
                     d.timed_out + d.cancelled + d.closed)
            _require(d.accepted == ended + d.depth + d.in_flight, "the sum does not hold", d)
        return queues, topics, responders

    def check(self):
        """The sums; and that what was tied to victims has ended with them, which is deleted."""
        queues, topics, _ = self.check_sums()
        for d in queues:
            if d.name.startswith(TIED_QUEUES):
                _require(not d.producers and (d.state != wire.QUEUE_STATE_OPEN or not d.accepted),
                         "a tied queue outlived its session", d)
                self._client.delete(d.name)
        for d in topics:
            if d.name.startswith(TIED_TOPICS):
                _require(not d.publishers and d.state != wire.TOPIC_STATE_OPEN,
                         "a tied topic outlived its publisher", d)
                self._client.topics.delete(d.name)

    def close_all(self):
        """Deletes everything: nothing is left then but tombstones of keys."""
        for description in self.queues():
            self._client.delete(description.name)
        for description in self.topics():
            self._client.topics.delete(description.name)
        for description in self.responders():
            self._client.requests.delete(description.name)
        for entry in self._client.config.list_all():
            self._client.config.delete(entry.key)
        live = self._client.info().live
        _require(live.retained_bytes <= TOMBSTONES_BYTES_MAX and not any((
            live.depth, live.in_flight, live.queues, live.topics, live.responders, live.keys)),
            "something is left when everything is deleted", live)


def _require(holds, what, seen):
    if not holds:
        raise AssertionError(f"{what}: {seen}")

# SPDX-License-Identifier: Apache-2.0
"""Rules of descriptions: their sums, that counters only rise, and that they count what was done."""

import bisect
from collections import defaultdict

from .lives import by_life, is_whole, life_of, of

SUMS = {
    "queue": ("accepted", ("settled", "purged", "deleted", "depth", "in_flight")),
    "topic": ("accepted", ("overwritten", "depth")),
    "responder": ("accepted", ("answered", "failed", "responder_gone", "no_responder", "too_large",
                               "timed_out", "cancelled", "closed", "depth", "in_flight")),
}
RISING = {
    "queue": ("accepted", "settled", "purged", "deleted", "redelivered", "failures"),
    "topic": ("accepted", "overwritten", "next_position", "no_subscribers"),
    "responder": ("accepted", "answered", "failed", "responder_gone", "timed_out", "cancelled"),
}
# Outcomes of calls that were accepted, and the counter of each.
COUNTED = {"OK": "answered", "FAILED": "failed", "RESPONDER_GONE": "responder_gone",
           "REPLY_TOO_LARGE": "too_large", "TIMED_OUT": "timed_out"}


def kind_of(life):
    return life[0].split("/")[0]


def sums_hold(events, _outsiders):
    """Conservation, at every instant."""
    for event in of(events, "describe"):
        total, parts = SUMS[kind_of(life_of(event))]
        d = event.outcome
        if d[total] != sum(d[part] for part in parts):
            told = ", ".join(f"{part} {d[part]}" for part in parts)
            yield f"{event.arguments['channel']}: {total} {d[total]} is not the sum of {told}"
        if "next_position" in d and "oldest_position" in d and (
                d["next_position"] != d["accepted"] + 1
                or d["depth"] != d["next_position"] - d["oldest_position"]):
            yield f"{event.arguments['channel']}: positions do not fit the counters: {d}"


def counters_rise(events, _outsiders):
    for life, looks in by_life(of(events, "describe")).items():
        for name in RISING[kind_of(life)]:
            ended = sorted(looks, key=lambda look: look.end)
            highest, i = 0, 0
            for look in sorted(looks, key=lambda look: look.start):
                while ended[i].end < look.start:
                    highest = max(highest, ended[i].outcome[name])
                    i += 1
                if look.outcome[name] < highest:
                    yield f"{life[0]}: {name} went back from {highest} to {look.outcome[name]}"


class _Tally:
    """How many of one thing have surely been done at a time, and how many may have been."""

    def __init__(self):
        self._starts, self._ends = [], []

    def add(self, start, end, count, is_sure):
        self._starts.append((start, count))
        if is_sure:
            self._ends.append((end, count))

    def freeze(self):
        """Sorted, with sums, for many questions."""
        for pairs in (self._starts, self._ends):
            pairs.sort()
            for i, (time, count) in enumerate(pairs[1:], 1):
                pairs[i] = time, count + pairs[i - 1][1]

    def surely(self, before):
        return self._until(self._ends, before)

    def maybe(self, until):
        return self._until(self._starts, until)

    @staticmethod
    def _until(pairs, time):
        i = bisect.bisect_left(pairs, (time, 0))
        return pairs[i - 1][1] if i else 0


def _tallies(events):
    """(life, counter) -> what the recorded clients did. What may belong to any life of its channel
    has epoch 0."""
    tallies = defaultdict(_Tally)
    leases = {(one.arguments["channel"], one.arguments["lease"]): life_of(one)
              for one in of(events, "receive")}
    for event in events:
        told = event.outcome
        if event.operation == "send" and (told is None or told["outcome"] == "OK"
                                          and not told["duplicate"]):
            tallies[life_of(event) if told else (event.arguments["channel"], 0), "accepted"].add(
                event.start, event.end, len(event.arguments["digests"]), told is not None)
        elif event.operation == "settle" and event.arguments["action"] == "ACK":
            life = leases.get((event.arguments["channel"], event.arguments["lease"]))
            if life:
                tallies[life, "settled"].add(event.start, event.end, told["settled"], True)
        elif event.operation == "call":
            _tally_call(tallies, event)
    for tally in tallies.values():
        tally.freeze()
    return tallies


def _tally_call(tallies, event):
    life = event.arguments["channel"], 0
    if event.outcome is None:
        for counter in ("accepted", *COUNTED.values()):
            tallies[life, counter].add(event.start, event.end, 1, False)
        return
    counter = COUNTED.get(event.outcome["outcome"])
    if counter:
        tallies[life, "accepted"].add(event.start, event.end, 1, True)
        tallies[life, counter].add(event.start, event.end, 1, True)
    elif event.outcome["outcome"] in ("CLOSED", "NO_RESPONDER"):  # queued, or at once
        tallies[life, "accepted"].add(event.start, event.end, 1, False)


def counters_count_what_was_done(events, outsiders):
    """accepted = what producers were told; answered = replies; nothing lost, nothing invented."""
    tallies = _tallies(events)
    counters = {counter for _, counter in tallies}
    epochs = defaultdict(set)
    for event in of(events, "describe"):
        epochs[event.arguments["channel"]].add(event.arguments["epoch"])
    latest = {}  # of equal descriptions in a row the last one is looked at
    for event in of(events, "describe"):
        latest[life_of(event), tuple(event.outcome.items())] = event
    for event in latest.values():
        life = life_of(event)
        for counter in counters & event.outcome.keys():
            anywhere = (life[0], 0), counter
            own = [tallies[key] for key in ((life, counter), anywhere) if key in tallies]
            told = event.outcome[counter]
            sure = sum(tally.surely(event.start) for tally in own)
            if told < sure and len(epochs[life[0]]) == 1:
                yield f"{life[0]}: lost: {counter} is {told}, and {sure} were told so"
            most = sum(tally.maybe(event.end) for tally in own)
            if told > most and counter != "settled" and is_whole(life[0], outsiders):
                yield f"{life[0]}: invented: {counter} is {told}, and at most {most} were asked"


RULES = [sums_hold, counters_rise, counters_count_what_was_done]

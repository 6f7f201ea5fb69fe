# SPDX-License-Identifier: Apache-2.0
"""Faults of config keys, calls and descriptions: (name, what the checker must say, how it is
planted)."""

import copy
from dataclasses import replace

from .planting import (again, ask, asked, both, change, drop, edit, no_outcome, places, tell, told)


def tell_entry(events, i, **fields):
    tell(events, i, entry={**events[i].outcome["entry"], **fields})


def of_key(key):
    return lambda event: event.outcome is not None and (event.outcome.get("entry") or {}).get(
        "key") == key


# --- keys

def read_stale(events):
    """A Get that tells what the Get before it told."""
    one, other = places(events, "get", of_key("colour"))[1:3]
    tell(events, other, **copy.deepcopy(events[one].outcome))


def list_stale(events):
    i = places(events, "list")[0]
    old = events[places(events, "get", of_key("colour"))[0]].outcome["entry"]
    entries = [old if entry["key"] == "colour" else entry
               for entry in events[i].outcome["entries"]]
    tell(events, i, entries=entries)


def absent_though_set(events):
    tell(events, places(events, "get", of_key("colour"))[0], outcome="ABSENT", entry=None)


def compared(events):
    return places(events, "set", both(told(outcome="OK"), lambda event: event.arguments["expect"]
                                      not in (None, [0, 0])))


def ignored_expectation(events):
    i = compared(events)[1]
    epoch, version = events[i].arguments["expect"]
    ask(events, i, expect=[epoch, version - 1])


def stored_over_another(events):
    """Two that expected the same version both stored."""
    i = compared(events)[1]
    again(events, i, entry={**events[i].outcome["entry"], "revision": 900})


def conflict_as_expected(events):
    i = places(events, "set", told(outcome="CONFLICT"))[0]
    entry = events[i].outcome["entry"]
    ask(events, i, expect=[entry["epoch"], entry["version"]])


def same_revision(events):
    one, other = places(events, "set", both(told(outcome="OK"), lambda event: event.arguments[
        "key"].startswith("shape/")))[:2]
    tell_entry(events, other, revision=events[one].outcome["entry"]["revision"])


def swap_revisions(events):
    one, other = places(events, "set", both(told(outcome="OK"), lambda event: event.arguments[
        "key"].startswith("shape/")))[:2]
    mine, yours = (events[i].outcome["entry"]["revision"] for i in (one, other))
    tell_entry(events, one, revision=yours)
    tell_entry(events, other, revision=mine)


def watched(events, phase="changes"):
    found = places(events, "watched", asked(phase=phase))
    return [i for i in found if events[i].process == events[found[0]].process]


def watch_goes_back(events):
    one, other = watched(events)[:2]
    mine, yours = events[one].outcome, events[other].outcome
    tell(events, one, **yours)
    tell(events, other, **mine)


def watch_tells_twice(events):
    i = watched(events)[1]
    events.insert(i + 1, events[i])


def watch_misses_the_newest(events):
    """Of a key that is not changed again, though a later revision is told."""
    i = [i for i in watched(events) if events[i].outcome["entry"]["key"] == "shape/2"][-1]
    del events[i]


def snapshot_misses_a_key(events):
    del events[places(events, "watched", asked(phase="snapshot"))[0]]


def written_later(events):
    i = places(events, "get", of_key("colour"))[0]
    revision = events[i].outcome["entry"]["revision"]
    j = next(j for j in places(events, "set", told(outcome="OK"))
             if events[j].outcome["entry"]["revision"] == revision)
    events[j] = replace(events[j], start=events[i].end + 1, end=events[i].end + 2)


OF_KEYS = [
    ("a read is stale", "stale read", read_stale),
    ("a list is stale", "stale read", list_stale),
    ("absent, and it is there", "found it absent", absent_though_set),
    ("compare-and-set ignored what it expected", "ignored what it expected", ignored_expectation),
    ("two stored on one version", "same place", stored_over_another),
    ("a conflict with what was expected", "as expected", conflict_as_expected),
    ("two changes have one revision", "is also that of", same_revision),
    ("a later change has a lower revision", "reordered", swap_revisions),
    ("a set is lost", "nobody made", drop("set", both(told(outcome="OK"), asked(key="colour")),
                                          which=2)),
    ("a read of what nobody wrote", "which nobody wrote", change(
        "get", of_key("colour"), lambda events, i: tell_entry(events, i, revision=901))),
    ("a read of another value", "written was", change(
        "get", of_key("colour"), lambda events, i: tell_entry(events, i, value=12345))),
    ("a read of the future", "before it was written", written_later),
    ("a watch goes back", "went back", watch_goes_back),
    ("a watch tells twice", "twice", watch_tells_twice),
    ("a watch misses the newest", "lost: watch", watch_misses_the_newest),
    ("a snapshot misses a key", "lost: watch", snapshot_misses_a_key),
]


# --- calls

def a_reply_of_nobody(events):
    tell(events, places(events, "call", told(outcome="OK"))[0], reply=12345)


def refused_and_yet_told(events):
    i = places(events, "serve", told(kind="message"))[0]
    tell(events, i, results=["CLOSED"] * len(events[i].outcome["results"]))


def over_and_going_on(events):
    i = places(events, "serve", told(kind="message"))[0]
    tell(events, i, results=["CLOSED", "OK"])


ANSWERED = told(outcome="OK")
OF_CALLS = [
    ("two outcomes", "two outcomes", change("call", ANSWERED, again)),
    ("two different outcomes", "two outcomes",
     change("call", ANSWERED, lambda events, i: again(events, i, outcome="RESPONDER_GONE"))),
    ("a call has no outcome", "has no outcome", no_outcome("call", ANSWERED, "FINISHED")),
    ("a reply that no worker gave", "no worker gave", a_reply_of_nobody),
    ("a reply that was refused to the worker", "refused to it", refused_and_yet_told),
    ("a reply is lost", "no caller has got", edit("call", ANSWERED, outcome="TIMED_OUT",
                                                  reply=None)),
    ("a reply is lost without an outcome", "has no outcome", no_outcome("call", ANSWERED, "OK")),
    ("a failure is lost", "failures were taken", edit("call", told(outcome="FAILED"),
                                                      outcome="TIMED_OUT")),
    ("answered, and never handed out", "never handed out", edit("call", ANSWERED,
                                                                handed_out=False)),
    ("full, and handed out", "was handed out", edit("call", ANSWERED, outcome="FULL")),
    ("one call for two workers", "for the first time", change(
        "serve", told(kind="message"), lambda events, i: events.append(replace(
            events[i], process=events[i].process + "0")))),
    ("one id for two calls", "used twice", change("serve", told(kind="message"), again)),
    ("an assignment that was over goes on", "went on", over_and_going_on),
]


# --- descriptions

def of_channel(channel):
    return asked(channel=channel)


def add(channel, which=-1, **counters):
    """A description is wrong by so much."""
    def plant(events):
        i = places(events, "describe", of_channel(channel))[which]
        tell(events, i, **{name: events[i].outcome[name] + more
                           for name, more in counters.items()})
    return plant


OF_SUMS = [
    ("a queue's sum", "is not the sum", add("queue/jobs", settled=1)),
    ("a topic's sum", "is not the sum", add("topic/news", overwritten=1)),
    ("a topic's positions", "do not fit", add("topic/news", next_position=1)),
    ("a responder's sum", "is not the sum", add("responder/answers", failed=1)),
    ("a counter goes back", "went back", add("queue/jobs", settled=-1, depth=1)),
    ("accepted, and not counted", "lost: accepted", add("queue/jobs", accepted=-1, settled=-1)),
    ("counted, and nobody sent it", "invented: accepted", add("queue/jobs", accepted=1, depth=1)),
    ("a reply that is not counted", "lost: answered",
     add("responder/answers", answered=-1, cancelled=1)),
    ("a call that nobody asked", "invented: accepted",
     add("responder/answers", accepted=1, cancelled=1)),
]

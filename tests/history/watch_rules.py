# SPDX-License-Identifier: Apache-2.0
"""Rules of watches: they never go back, tell nothing twice, and end at the newest (N34, N38)."""

from collections import defaultdict

from .key_rules import broker_of, by_key, changed_unseen, changes
from .lives import of

WATCHED = "watched", "watch_reset", "watch_mark"


def watches(events):
    found = defaultdict(list)
    for event in of(events, *WATCHED):
        found[event.process].append(event)
    return found


def watches_never_go_back(events, _outsiders):
    """N34: revisions rise, and nothing comes twice."""
    for process, told in watches(events).items():
        highest, keys = 0, {}
        for event in told:
            if event.operation == "watch_reset":
                highest, keys = 0, {}
            elif event.operation == "watch_mark":
                if event.outcome["revision"] < highest and event.arguments["resumed_from"] \
                        is not None:
                    yield f"{process}: the mark {event.outcome['revision']} is before {highest}"
                highest = event.outcome["revision"]
            else:
                entry = event.outcome["entry"]
                yield from _step(process, event.arguments["phase"], entry, highest,
                                 keys.get(entry["key"]))
                keys[entry["key"]] = entry
                if event.arguments["phase"] != "snapshot":
                    highest = max(highest, entry["revision"])


def _step(process, phase, entry, highest, before):
    what = f"key {entry['key']}: watch {process}"
    if phase == "snapshot":
        if before:
            yield f"{what} was told of it twice in one snapshot"
        if entry["deleted"]:
            yield f"{what} has a tombstone in a snapshot"
        return
    if entry["revision"] <= highest:
        yield f"{what} went back to revision {entry['revision']}, after {highest}"
    if before and before["revision"] == entry["revision"]:
        yield f"{what} was told of revision {entry['revision']} twice"
    if before and before["epoch"] == entry["epoch"] and before["version"] >= entry["version"]:
        yield f"{what} went back to version {entry['version']}, after {before['version']}"


def watches_end_at_the_newest(events, outsiders):
    """N34, W6: with the revision r told, the newest change of each key up to r is told."""
    unseen = changed_unseen(events, outsiders)
    histories = {broker: by_key(of_broker) for broker, of_broker in changes(events).items()}
    for process, told in watches(events).items():
        marks = [event for event in told if event.operation == "watch_mark"]
        if not marks:
            continue
        broker, mark = broker_of(marks[0]), marks[0]
        state = {}
        for event in told:
            if event.operation == "watch_reset":
                state.clear()
            elif event.operation == "watched":
                state[event.outcome["entry"]["key"]] = event.outcome["entry"]
        reached = max([mark.outcome["revision"], *(
            event.outcome["entry"]["revision"] for event in told if event.operation == "watched"
            and event.arguments["phase"] == "changes")])
        for key, history in histories.get(broker, {}).items():
            if _selects(mark.arguments, key) and (broker, key) not in unseen:
                newest = history[-1].outcome["entry"]
                yield from _missing(process, key, newest, state.get(key), reached,
                                    mark.arguments["resumed_from"] or 0)


def _selects(selector, key):
    return key in selector["keys"] or any(key.startswith(prefix)
                                          for prefix in selector["prefixes"])


def _missing(process, key, newest, told, reached, since):
    if not since < newest["revision"] <= reached:
        return
    revision = told["revision"] if told else 0
    if revision < newest["revision"] and not (newest["deleted"] and told is None and since == 0):
        yield (f"key {key}: lost: watch {process} came to revision {reached}, and of this key to "
               f"{revision} only; its newest is {newest['revision']}")


RULES = [watches_never_go_back, watches_end_at_the_newest]

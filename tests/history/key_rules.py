# SPDX-License-Identifier: Apache-2.0
"""Rules of config keys: compare-and-set is linearizable, and what is read is what was there at one
moment of the read. By its version and epoch every change tells its place in the key's history."""

from collections import defaultdict

from .lives import is_whole, of, out_of_order


def broker_of(event):
    """Revisions are a broker's; processes are named after theirs."""
    return event.process.split(":")[0]


def is_change(event):
    return event.operation in ("set", "delete") and event.outcome is not None \
        and event.outcome["outcome"] == "OK"


def changes(events):
    """broker -> the events of what was stored and deleted, by revision."""
    found = defaultdict(list)
    for event in events:
        if is_change(event):
            found[broker_of(event)].append(event)
    for of_broker in found.values():
        of_broker.sort(key=lambda event: event.outcome["entry"]["revision"])
    return found


def changed_unseen(events, outsiders):
    """(broker, key) of keys that were, or may have been, changed by what is not recorded: a change
    whose outcome is not known, the end of a session, others."""
    unseen = set()
    for event in of(events, "set", "delete"):
        entry = event.outcome and event.outcome["entry"]
        if event.outcome is None or entry and entry["ephemeral"]:
            unseen.add((broker_of(event), event.arguments["key"]))
    keys = {(broker_of(event), key) for event in events for key in keys_in(event)}
    return unseen | {(broker, key) for broker, key in keys
                     if not is_whole(f"key/{key}", outsiders)}


def entries_in(event):
    """What an event tells of keys."""
    if event.outcome is None:
        return []
    return event.outcome.get("entries") or [
        entry for entry in [event.outcome.get("entry")] if entry]


def keys_in(event):
    return [entry["key"] for entry in entries_in(event)]


def by_key(of_broker):
    keys = defaultdict(list)
    for event in of_broker:
        keys[event.arguments["key"]].append(event)
    return keys


def changes_follow_each_other(events, outsiders):
    """N36, N37, W2: one history of each key, by one."""
    unseen = changed_unseen(events, outsiders)
    for broker, of_broker in changes(events).items():
        revisions = {}
        for event in of_broker:
            entry = event.outcome["entry"]
            if entry["revision"] in revisions:
                yield (f"key {entry['key']}: revision {entry['revision']} is also that of a change "
                       f"of {revisions[entry['revision']]}")
            revisions[entry["revision"]] = entry["key"]
        for key, history in by_key(of_broker).items():
            before, taken = None, set()
            for entry in (event.outcome["entry"] for event in history):
                place = entry["epoch"], entry["version"]
                if place in taken:
                    yield (f"key {key}: two changes took the same place: version "
                           f"{entry['version']} of epoch {entry['epoch']}")
                taken.add(place)
                wrong = _wrong_successor(before, entry, (broker, key) in unseen)
                if wrong:
                    yield (f"key {key}: {wrong}: version {entry['version']} of epoch "
                           f"{entry['epoch']} follows {before and before['version']} of epoch "
                           f"{before and before['epoch']}")
                before = entry


def _wrong_successor(before, entry, is_unseen):
    if before is None:
        return None if is_unseen or entry["version"] == 1 else "it does not begin with 1"
    if before["epoch"] == entry["epoch"]:
        if before["deleted"]:
            return "it went on after its tombstone"
        if before["version"] >= entry["version"]:
            return "it went back"
        if before["version"] + 1 != entry["version"] and not is_unseen:
            return "a change that nobody made"
    elif not is_unseen:
        if not before["deleted"]:
            return "a new life, and nobody ended the one before"
        if entry["version"] != 1:
            return "a new life does not begin with 1"
    return None


def expectations_are_kept(events, _outsiders):
    """N36: what was stored saw what it expected; what was refused did not."""
    for event in of(events, "set", "delete"):
        expect, told = event.arguments["expect"], event.outcome
        if expect is None or told is None:
            continue
        entry, key = told["entry"], event.arguments["key"]
        if told["outcome"] == "OK":
            found = [entry["epoch"], entry["version"] - 1] if entry["version"] > 1 else [0, 0]
            if found != expect:
                yield (f"key {key}: compare-and-set ignored what it expected: {expect}, and it was "
                       f"at {found}")
        elif told["outcome"] == "CONFLICT":
            found = [entry["epoch"], entry["version"]] if entry else [0, 0]
            if found == expect:
                yield f"key {key}: CONFLICT, and it was at {expect}, as expected"


def order_in_real_time(events, _outsiders):
    """W23: who began after another was done has a higher revision."""
    for of_broker in changes(events).values():
        items = [(event.start, event.end, event.outcome["entry"]["revision"],
                  event.outcome["entry"]["revision"], event) for event in of_broker]
        for first, second in out_of_order(items):
            yield (f"key {second[4].arguments['key']}: reordered: revision {second[2]} was begun "
                   f"after revision {first[2]} was done")


def what_is_read_was_written(events, outsiders):
    """W19: an entry is that of a change, and not of one that had not begun."""
    unseen, known = changed_unseen(events, outsiders), changes(events)
    written = {(broker, event.outcome["entry"]["revision"]): event
               for broker, of_broker in known.items() for event in of_broker}
    for event in of(events, "get", "list", "watched", "set", "delete"):
        if is_change(event):
            continue
        for entry in entries_in(event):
            change = written.get((broker_of(event), entry["revision"]))
            if change is None:
                if (broker_of(event), entry["key"]) not in unseen:
                    yield (f"key {entry['key']}: {event.process} read revision "
                           f"{entry['revision']}, which nobody wrote")
                continue
            wrote = change.outcome["entry"]
            same = all(wrote[field] == entry[field] for field in ("key", "epoch", "version",
                                                                  "deleted"))
            if not same or entry["value"] is not None and not wrote["deleted"] \
                    and entry["value"] != wrote["value"]:
                yield f"key {entry['key']}: {event.process} read {entry}, written was {wrote}"
            if change.start > event.end:
                yield f"key {entry['key']}: {event.process} read it before it was written"


def reads_are_not_stale(events, outsiders):
    """Get, List and CONFLICT tell of a moment between their beginning and their end."""
    unseen = changed_unseen(events, outsiders)
    histories = {broker: by_key(of_broker) for broker, of_broker in changes(events).items()}
    for event in of(events, "get", "list", "set", "delete"):
        told = event.outcome
        if told is None or is_change(event):
            continue
        broker = broker_of(event)
        for entry in entries_in(event):
            for change in histories.get(broker, {}).get(entry["key"], ()):
                if change.outcome["entry"]["revision"] > entry["revision"] \
                        and change.end < event.start:
                    yield (f"key {entry['key']}: stale read: {event.process} got version "
                           f"{entry['version']} after version "
                           f"{change.outcome['entry']['version']} was there")
                    break
        key = event.arguments.get("key")
        if key and told["outcome"] in ("ABSENT", "CONFLICT") and not told["entry"] \
                and (broker, key) not in unseen:
            yield from _wrongly_absent(event, histories.get(broker, {}).get(key, ()))


def _wrongly_absent(event, history):
    before = [change for change in history if change.end < event.start]
    if before and not before[-1].outcome["entry"]["deleted"]:
        at = before[-1].outcome["entry"]["revision"]
        if not any(change.outcome["entry"]["deleted"] and change.start < event.end
                   for change in history if change.outcome["entry"]["revision"] > at):
            yield (f"key {event.arguments['key']}: stale read: {event.process} found it absent, "
                   "and it had been set")


RULES = [changes_follow_each_other, expectations_are_kept, order_in_real_time,
         what_is_read_was_written, reads_are_not_stale]

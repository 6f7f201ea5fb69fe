# SPDX-License-Identifier: Apache-2.0
"""Rules of queues: what was acknowledged is handed out, what is handed out was sent, and nothing
comes twice but what is marked so (N15)."""

from collections import defaultdict

from .lives import is_whole, life_of, of
from .send_rules import maybe_sent, sent_by_life, strange_message


def delivered(events):
    """(event, position, attempts, digest) of each message that was received, in order."""
    for event in of(events, "receive"):
        for first, attempts, digests in event.outcome["runs"]:
            for i, digest in enumerate(digests):
                yield event, first + i, attempts, digest


def what_is_received_was_sent(events, outsiders):
    """N15"""
    sent, maybe = sent_by_life(events), maybe_sent(events)
    for event, position, _, digest in delivered(events):
        wrong = strange_message(life_of(event), position, digest, event.end, sent, maybe,
                                outsiders)
        if wrong:
            yield wrong


def each_handing_out_is_marked(events, _outsiders):
    """N15: attempts tell the deliveries of a message apart; first ones come in order (M5)."""
    seen, last = {}, {}
    for event, position, attempts, _ in delivered(events):
        life = life_of(event)
        if (life, position, attempts) in seen:
            yield (f"{life[0]}: duplicated: position {position} was handed out twice as attempt "
                   f"{attempts}, to {seen[life, position, attempts]} and {event.process}")
        seen[life, position, attempts] = event.process
        if attempts == 1:
            before = last.get((life, event.process), 0)
            if position < before:
                yield (f"{life[0]}: reordered: {event.process} got position {position} for the "
                       f"first time after position {before}")
            last[life, event.process] = max(before, position)


def settlements(events):
    """(settle event, life, position, attempts it was held with) of what was acknowledged."""
    held = {}  # (channel, lease) -> life, position -> attempts
    for event, position, attempts, _ in delivered(events):
        life, positions = held.setdefault(
            (event.arguments["channel"], event.arguments["lease"]), (life_of(event), {}))
        positions[position] = max(attempts, positions.get(position, 0))
    for event in of(events, "settle"):
        asked = event.arguments
        if asked["action"] != "ACK" or event.outcome["settled"] != asked["count"]:
            continue
        life, positions = held.get((asked["channel"], asked["lease"]), (None, {}))
        for position in range(asked["first"], asked["first"] + asked["count"]):
            yield event, life, position, positions.get(position)


def settled_is_over(events, _outsiders):
    """N18: what was acknowledged is settled once, under a lease that held it, and never comes
    again."""
    over = {}
    for event, life, position, attempts in settlements(events):
        channel = event.arguments["channel"]
        if attempts is None:
            yield f"{channel}: position {position} was settled, and never received under its lease"
        elif (life, position) in over:
            yield f"{channel}: position {position} was settled twice"
        else:
            over[life, position] = event, attempts
    for event, position, attempts, _ in delivered(events):
        settle, held_with = over.get((life_of(event), position), (None, 0))
        if settle and (attempts > held_with
                       or event.process == settle.process and event.end > settle.end):
            yield (f"{event.arguments['channel']}: position {position} came again, as attempt "
                   f"{attempts}, after it was settled as attempt {held_with}")


def nothing_acknowledged_is_lost(events, outsiders):
    """N15: what a queue has settled has been received. With auto_ack it may be lost on the way."""
    lossy = {life_of(event) for event in of(events, "attached") if event.arguments["auto_ack"]}
    received = defaultdict(set)
    for event, position, _, _ in delivered(events):
        received[life_of(event)].add(position)
    last = {}
    for event in of(events, "describe"):
        last[life_of(event)] = event
    for life, sent in sent_by_life(events).items():
        if life in lossy or life not in last or not is_whole(life[0], outsiders) \
                or not life[0].startswith("queue/"):
            continue
        d = last[life].outcome
        missing = sorted(position for position in set(sent.digests) - received[life]
                         if sent.ends[position] < last[life].start)
        left = d["accepted"] - d["settled"]
        if missing and len(missing) > left:
            yield (f"{life[0]}: lost: {len(missing)} messages never came, the first at position "
                   f"{missing[0]}, and {left} are left")


RULES = [what_is_received_was_sent, each_handing_out_is_marked, settled_is_over,
         nothing_acknowledged_is_lost]

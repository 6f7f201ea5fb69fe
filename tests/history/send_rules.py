# SPDX-License-Identifier: Apache-2.0
"""Rules of what was sent or published: each position once, and in the order of each producer.

A rule takes events and outsiders (patterns of channels that others used, too), and yields a
sentence for each thing that cannot be.
"""

from collections import defaultdict

from .lives import by_life, is_whole, life_of, of, out_of_order

# Ends after which nothing that was sent is without its outcome.
TOLD_ALL = ("OK", "FINISHED")


class Sent:
    """What is known of one life's messages."""

    def __init__(self):
        self.digests, self.starts, self.ends = {}, {}, {}


def accepted(events):
    return [event for event in of(events, "send") if event.outcome
            and event.outcome["outcome"] == "OK" and not event.outcome["duplicate"]]


def sent_by_life(events):
    lives = defaultdict(Sent)
    for event in accepted(events):
        sent = lives[life_of(event)]
        for i, digest in enumerate(event.arguments["digests"]):
            sent.digests[event.outcome["position"] + i] = digest
            sent.starts[event.outcome["position"] + i] = event.start
            sent.ends[event.outcome["position"] + i] = event.end
    return lives


def maybe_sent(events):
    """channel -> (digest -> start) of messages of which it is not known whether they were accepted,
    or in which life: a stream of many topics is not told."""
    channels = defaultdict(dict)
    for event in of(events, "send"):
        is_ok = event.outcome and event.outcome["outcome"] == "OK"
        if event.outcome is None or is_ok and not event.arguments["epoch"]:
            for digest in event.arguments["digests"]:
                starts = channels[event.arguments["channel"]]
                starts[digest] = min(event.start, starts.get(digest, event.start))
    return channels


def strange_message(life, position, digest, end, sent, maybe, outsiders):
    """What is wrong with a message that was handed out at `position`; None: nothing."""
    channel, known = life[0], sent.get(life)
    if known and position in known.digests:
        if known.digests[position] != digest:
            return f"{channel}: position {position} was sent with another payload"
        if known.starts[position] > end:
            return f"{channel}: position {position} came before it was sent"
        return None
    if is_whole(channel, outsiders) and maybe.get(channel, {}).get(digest, end) >= end:
        return f"{channel}: position {position} was invented: nobody sent it"
    return None


def each_message_has_one_outcome(events, _outsiders):
    """N8, N25"""
    for event in of(events, "send"):
        told, asked = event.outcome, event.arguments
        if told is None and asked.get("ended") in TOLD_ALL:
            yield (f"{asked['channel']}: sequence {asked['sequence']} of {event.process} has no "
                   f"outcome, and its call ended {asked['ended']}")
        if told and told["sequence"] not in (None, asked["sequence"]):
            yield (f"{asked['channel']}: {event.process} was told of sequence {told['sequence']}, "
                   f"and sequence {asked['sequence']} was next")


def nothing_answers_nothing(events, _outsiders):
    """N25"""
    for event in of(events, "stray"):
        yield f"{event.process}: {event.outcome['what']}"


def each_position_is_given_once(events, _outsiders):
    """M5"""
    taken = {}
    for event in accepted(events):
        if not event.arguments["epoch"]:
            continue
        for i in range(len(event.arguments["digests"])):
            place = life_of(event), event.outcome["position"] + i
            if place in taken:
                yield (f"{place[0][0]}: position {place[1]} was given to {taken[place]} and to "
                       f"{event.process}")
            taken[place] = event.process


def order_of_each_producer(events, _outsiders):
    """N10: within a stream by sequence, between calls in real time."""
    known = [event for event in accepted(events) if event.arguments["epoch"]]
    for (channel, _), sends in by_life(known).items():
        last = {}
        for event in sends:
            before, position = last.get(event.process), event.outcome["position"]
            if before and before[1] > position and before[0] < event.arguments["sequence"]:
                yield (f"{channel}: reordered: {event.process} sent {event.arguments['sequence']} "
                       f"after {before[0]}, and its position is {position}, before {before[1]}")
            last[event.process] = event.arguments["sequence"], position
        items = [(event.start, event.end, event.outcome["position"], event.outcome["position"]
                  + len(event.arguments["digests"]) - 1, event.process) for event in sends]
        for first, second in out_of_order(items):
            yield (f"{channel}: reordered: {first[4]} was done with position {first[3]} before "
                   f"{second[4]} began, whose position is {second[2]}")


RULES = [each_message_has_one_outcome, nothing_answers_nothing, each_position_is_given_once,
         order_of_each_producer]

# SPDX-License-Identifier: Apache-2.0
"""Rules of subscribers: messages + missed = advance of position, in order, nothing twice and
nothing in silence (N30, B10)."""

from collections import defaultdict

from .lives import by_life, life_of, of
from .send_rules import accepted, maybe_sent, sent_by_life, strange_message

HEARD = "subscribed", "heard", "lagged", "unheard"
# After these a subscriber has been sent what is retained of its own.
WHOLE_ENDS = "REQUESTED", "PRODUCERS_GONE"


def subscriptions(events):
    """The events of each topic on each Subscribe, in order."""
    found = defaultdict(list)
    for event in of(events, *HEARD):
        found[event.process, event.arguments["ref"]].append(event)
    return found


def where_it_begins(events, _outsiders):
    """N31: continued, a gap that is exact, reset, or fresh."""
    for event in of(events, "subscribed"):
        asked, told = event.arguments, event.outcome
        at, wanted, missed = told["next_position"], asked["resumed_from"], told["missed"]
        right = {"CONTINUED": missed == 0 and at == wanted,
                 "GAP": missed == (at - wanted if asked["epoch"] else 0) and wanted > 0,
                 "RESET": missed == 0,
                 "FRESH": missed == 0 and wanted in (0, at)}
        if not right[told["continuity"]]:
            yield (f"{asked['channel']}: {event.process} wanted {wanted} and was told "
                   f"{told['continuity']}, next {at}, missed {missed}")


def conservation(events, _outsiders):
    """B10, N30: within one subscription every position is told, or told to be missed."""
    for (process, _), told in subscriptions(events).items():
        expected = None
        for event in told:
            channel = event.arguments["channel"]
            if event.operation == "subscribed":
                expected = event.outcome["next_position"]
            elif event.operation == "lagged":
                missed, at = event.outcome["missed"], event.outcome["next_position"]
                if missed < 1 or at - expected != missed:
                    yield (f"{channel}: wrong lag: {process} wanted {expected}, was told that "
                           f"{missed} are missed and {at} is next")
                expected = at
            elif event.operation == "heard":
                for first, _, digests in event.outcome["runs"]:
                    if first > expected:
                        yield (f"{channel}: lost: {process} wanted {expected} and got {first}, "
                               f"and no word of {first - expected} between")
                    elif first < expected:
                        yield (f"{channel}: duplicated or reordered: {process} wanted {expected} "
                               f"and got {first}")
                    expected = first + len(digests)


def what_is_heard_was_published(events, outsiders):
    """N33"""
    sent, maybe = sent_by_life(events), maybe_sent(events)
    for event in of(events, "heard"):
        for first, _, digests in event.outcome["runs"]:
            for i, digest in enumerate(digests):
                wrong = strange_message(life_of(event), first + i, digest, event.end, sent, maybe,
                                        outsiders)
                if wrong:
                    yield wrong


def what_follows_ready_is_offered(events, _outsiders):
    """N28: also at the end of a topic that was closed (B16)."""
    ready = {event.process: event.end for event in of(events, "ready")}
    published = by_life([event for event in accepted(events) if event.arguments["epoch"]])
    for (process, _), told in subscriptions(events).items():
        if told[0].operation != "subscribed" or process not in ready:
            continue
        life, begins = life_of(told[0]), told[0].outcome["next_position"]
        for event in published[life]:
            if event.start > ready[process] and event.outcome["position"] < begins:
                yield (f"{life[0]}: lost: position {event.outcome['position']} was published after "
                       f"{process} was ready, which begins at {begins}")
        if told[-1].operation == "unheard" and told[-1].outcome["reason"] in WHOLE_ENDS:
            reached = _reached(told)
            highest = max((event.outcome["position"] + len(event.arguments["digests"])
                           for event in published[life]), default=1)
            if highest > reached:
                yield (f"{life[0]}: lost: {process} was ended "
                       f"{told[-1].outcome['reason']} before {reached}, and positions up to "
                       f"{highest - 1} had been accepted")


def _reached(told):
    """The position wanted next at the end of a subscription."""
    for event in reversed(told):
        if event.operation == "heard":
            first, _, digests = event.outcome["runs"][-1]
            return first + len(digests)
        if event.operation in ("lagged", "subscribed"):
            return event.outcome["next_position"]
    return 0


def nobody_there_is_true(events, _outsiders):
    """N29: NO_SUBSCRIBERS is not told while somebody is subscribed."""
    ready = {event.process: event.end for event in of(events, "ready")}
    present = [(life_of(told[0])[0], ready[process], told[-1].end, process)
               for (process, _), told in subscriptions(events).items()
               if process in ready and told[-1].operation in ("heard", "lagged")]
    for event in of(events, "send"):
        if event.outcome and event.outcome["outcome"] == "NO_SUBSCRIBERS" \
                and not event.outcome["duplicate"]:
            for channel, since, until, process in present:
                if channel == event.arguments["channel"] and since < event.start \
                        and event.end < until:
                    yield f"{channel}: NO_SUBSCRIBERS was told while {process} was subscribed"


RULES = [where_it_begins, conservation, what_is_heard_was_published, what_follows_ready_is_offered,
         nobody_there_is_true]

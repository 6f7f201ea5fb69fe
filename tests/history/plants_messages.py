# SPDX-License-Identifier: Apache-2.0
"""Faults of queues and topics: (name, what the checker must say, how it is planted)."""

from dataclasses import replace

from .planting import (again, asked, both, change, drop, edit, no_outcome, places, runs, tell,
                       told)


# --- queues

def lose_a_message(events):
    """Handed out to nobody, and settled all the same."""
    i = places(events, "receive", lambda event: runs(event)[0][1] == 1)[0]
    position = runs(events[i])[0][0]
    for j in reversed(places(events, "settle", asked(first=position))):
        del events[j]
    first, attempts, digests = runs(events[i])[0]
    tell(events, i, runs=[[first + 1, attempts, digests[1:]], *runs(events[i])[1:]])


def reorder_first_deliveries(events):
    one, other = places(events, "receive", lambda event: runs(event)[0][1] == 1)[:2]
    mine, yours = runs(events[one]), runs(events[other])
    tell(events, one, runs=yours)
    tell(events, other, runs=mine)


def change_a_payload(operation):
    def plant(events):
        i = places(events, operation)[-1]
        first, attempts, digests = runs(events[i])[-1]
        tell(events, i, runs=[*runs(events[i])[:-1], [first, attempts, [*digests[:-1], 12345]]])
    return plant


def invent_a_message(events):
    i = places(events, "receive")[-1]
    again(events, i, runs=[[777, 1, [12345]]])


def come_again_after_the_ack(events):
    settle = events[places(events, "settle", asked(action="ACK"))[0]]
    position = settle.arguments["first"]
    i = places(events, "receive", lambda event: runs(event)[0][0] == position)[0]
    first, attempts, digests = runs(events[i])[0]
    again(events, i, runs=[[first, attempts + 1, digests[:1]]])


def two_positions_in_one(events):
    one, other = places(events, "send", both(told(outcome="OK"), lambda event: event.arguments[
        "channel"] == "queue/jobs"))[:2]
    tell(events, other, position=events[one].outcome["position"])


def swap_positions(events):
    """Of two sends of which one was done before the other began."""
    one, *_, other = places(events, "send", both(told(outcome="OK"), asked(channel="queue/jobs"),
                                                 lambda event: len(event.arguments["digests"])
                                                 == 1))
    mine, yours = (events[i].outcome["position"] for i in (one, other))
    tell(events, one, position=yours)
    tell(events, other, position=mine)


OF_QUEUES = [
    ("a message is lost", "lost", lose_a_message),
    ("a delivery comes twice", "duplicated", change("receive", lambda event: True, again)),
    ("deliveries are reordered", "reordered", reorder_first_deliveries),
    ("a payload is changed", "another payload", change_a_payload("receive")),
    ("a message is invented", "invented", invent_a_message),
    ("it comes again after its ack", "came again", come_again_after_the_ack),
    ("it is settled twice", "settled twice",
     change("settle", both(asked(action="ACK"), told(settled=1)), again)),
    ("it is settled and was not received", "never received", drop("receive", which=-1)),
    ("one position is given twice", "position", two_positions_in_one),
    ("a producer's order is broken", "reordered", swap_positions),
    ("a message has no outcome", "has no outcome",
     no_outcome("send", asked(channel="queue/jobs"), "FINISHED")),
    ("an outcome of another message", "was told of sequence",
     edit("send", asked(channel="queue/jobs"), sequence=99)),
    ("an outcome of nothing", "for nothing", lambda events: events.append(replace(
        events[0], operation="stray", arguments={}, outcome={"what": "an outcome for nothing"}))),
]


# --- topics

def heard_by(events, which):
    """The places of what was heard by one subscriber: the first that was ready, and so on."""
    process = [event.process for event in events if event.operation == "subscribed"][which]
    return [i for i in places(events, "heard") if events[i].process == process]


def swap_heard(events):
    one, other = heard_by(events, 0)[3:5]
    mine, yours = runs(events[one]), runs(events[other])
    tell(events, one, runs=yours)
    tell(events, other, runs=mine)


def end_too_early(events):
    del events[heard_by(events, 0)[-1]]


def nobody_there(events):
    process = events[heard_by(events, 0)[0]].process
    ended = [i for i in places(events, "unheard") if events[i].process == process]
    for i in ended:
        del events[i]
    edit("send", asked(channel="topic/news"), which=5, outcome="NO_SUBSCRIBERS")(events)


def begin_too_late(events):
    process = events[heard_by(events, 0)[0]].process
    i = next(i for i in places(events, "subscribed") if events[i].process == process)
    tell(events, i, next_position=2)
    del events[heard_by(events, 0)[0]]


OF_TOPICS = [
    ("a message is lost in silence", "no word of",
     lambda events: events.pop(heard_by(events, 0)[5])),
    ("a message is heard twice", "duplicated",
     lambda events: events.insert(heard_by(events, 0)[5], events[heard_by(events, 0)[5]])),
    ("messages are reordered", "reordered", swap_heard),
    ("a lag is one too many", "wrong lag", change("lagged", lambda event: True, lambda events, i:
                                                  tell(events, i, missed=events[i].outcome[
                                                      "missed"] + 1))),
    ("a lag is not told", "no word of", drop("lagged")),
    ("a gap is wrong", "GAP", edit("subscribed", told(continuity="GAP"), missed=1)),
    ("continued, and it is not", "CONTINUED",
     edit("subscribed", told(continuity="GAP"), continuity="CONTINUED", missed=0)),
    ("a payload is changed", "another payload", change_a_payload("heard")),
    ("the end comes before the last message", "lost", end_too_early),
    ("a message published after Ready is not offered", "after", begin_too_late),
    ("NO_SUBSCRIBERS, and there is one", "NO_SUBSCRIBERS was told", nobody_there),
]

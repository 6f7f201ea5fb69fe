# SPDX-License-Identifier: Apache-2.0
"""Rules of calls: each has exactly one outcome (N25), and what the worker was told of its reply is
what the caller was told of its call."""

from collections import Counter, defaultdict

from .lives import is_whole, of

# Ends after which no call is without its outcome.
TOLD_ALL = ("OK", "FINISHED")
# What a call is told that no worker has had, or that may be asked again without doubt.
NEVER_BEGUN = ("FULL", "ABSENT", "REFUSED")


def each_call_has_one_outcome(events, _outsiders):
    """N25"""
    told = Counter()
    for event in of(events, "call"):
        channel, call_id = event.arguments["channel"], event.arguments["call_id"]
        call = event.process, call_id
        told[call] += 1
        if told[call] == 2:
            yield f"{channel}: call {call_id} of {event.process} was told two outcomes"
        if event.outcome is None and not event.arguments["cancelled"] \
                and event.arguments["ended"] in TOLD_ALL:
            yield (f"{channel}: call {call_id} of {event.process} has no outcome, and its stream "
                   f"ended {event.arguments['ended']}")


def outcomes_make_sense(events, _outsiders):
    for event in of(events, "call"):
        told = event.outcome
        if told is None:
            continue
        channel = event.arguments["channel"]
        if told["outcome"] in NEVER_BEGUN and told["handed_out"]:
            yield f"{channel}: {told['outcome']} of a call that was handed out"
        if told["outcome"] in ("OK", "FAILED", "RESPONDER_GONE", "REPLY_TOO_LARGE") \
                and not told["handed_out"]:
            yield f"{channel}: {told['outcome']} of a call that was never handed out"


class _Asked:
    """All calls of one responder with equal requests: they cannot be told apart."""

    def __init__(self):
        self.calls, self.serves = [], []

    def outcomes(self):
        return [event.outcome for event in self.calls]


def _asked(events):
    asked = defaultdict(_Asked)
    for event in of(events, "call", "serve"):
        one = asked[event.arguments["channel"], event.arguments["request"]]
        (one.calls if event.operation == "call" else one.serves).append(event)
    return asked


def _taken(serves, kind):
    """The replies of assignments that the worker ended so, and of which all were taken."""
    return Counter(event.outcome["reply"] for event in serves if event.outcome["kind"] == kind
                   and event.outcome["results"] == ["OK"] * event.outcome["replies"])


def _is_refused(event):
    """The call had ended otherwise before the reply was whole."""
    first = next((result for result in event.outcome["results"] if result != "OK"), None)
    return first not in (None, "ALREADY_DONE")


def workers_and_callers_agree(events, outsiders):
    """N22 N25: a reply that a caller has got was given and taken; one that was taken has reached
    its caller, unless it had left."""
    for (channel, _), one in _asked(events).items():
        if not is_whole(channel, outsiders):
            continue
        got = Counter(told["reply"] for told in one.outcomes() if told and told["outcome"] == "OK")
        left = sum(told is None for told in one.outcomes())
        given = _taken(one.serves, "message")
        perhaps = Counter(event.outcome["reply"] for event in one.serves
                          if event.outcome["kind"] == "message" and not _is_refused(event))
        for reply, count in (got - perhaps).items():
            yield (f"{channel}: {count} callers got a reply ({reply}) that no worker gave, or that "
                   "was refused to it")
        unheard = sum((given - got).values())
        if unheard > left:
            yield (f"{channel}: lost: {unheard} replies were taken, and no caller has got them; "
                   f"{left} callers had left")
        failed = sum(told is not None and told["outcome"] == "FAILED" for told in one.outcomes())
        failures = sum(_taken(one.serves, "failure").values())
        if failures > failed + left:
            yield f"{channel}: lost: {failures} failures were taken, and {failed} callers got one"


def only_what_was_asked_is_handed_out(events, outsiders):
    """N27: each call to one worker at a time, and none that was not asked."""
    for (channel, request), one in _asked(events).items():
        if not is_whole(channel, outsiders):
            continue
        first = sum(event.arguments["attempts"] == 1 for event in one.serves)
        begun = sum(told is None or told["outcome"] not in NEVER_BEGUN for told in one.outcomes())
        if first > begun:
            yield (f"{channel}: {first} workers had a call (request {request}) for the first time "
                   f"that {begun} callers asked")
        answered = sum(_taken(one.serves, "message").values())
        if answered > begun:
            yield f"{channel}: {answered} replies to {begun} calls (request {request}) were taken"


def assigned_once(events, _outsiders):
    seen = set()
    for event in of(events, "serve"):
        call = event.process, event.arguments["call_id"]
        if call in seen:
            yield f"{event.arguments['channel']}: call_id {call[1]} of {call[0]} was used twice"
        seen.add(call)
        results = event.outcome["results"]
        ends = [i for i, result in enumerate(results) if result != "OK"]
        if ends and any(result not in ("ALREADY_DONE",) for result in results[ends[0] + 1:]):
            yield (f"{event.arguments['channel']}: call_id {call[1]} of {call[0]} was over, and "
                   f"went on: {results}")


RULES = [each_call_has_one_outcome, outcomes_make_sense, workers_and_callers_agree,
         only_what_was_asked_is_handed_out, assigned_once]

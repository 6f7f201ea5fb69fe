# SPDX-License-Identifier: Apache-2.0
"""How faults are planted in a right history. A plant is given a copy of the events and changes it.
Events are frozen: one is replaced by another like it."""

import copy
from dataclasses import replace


def places(events, operation, holds=lambda event: True):
    found = [i for i, event in enumerate(events) if event.operation == operation and holds(event)]
    assert found, f"no {operation} to plant a fault in"
    return found


def told(**expected):
    return lambda event: event.outcome is not None and all(
        event.outcome.get(name) == value for name, value in expected.items())


def asked(**expected):
    return lambda event: all(event.arguments.get(name) == value
                             for name, value in expected.items())


def both(*conditions):
    return lambda event: all(holds(event) for holds in conditions)


def tell(events, i, **outcome):
    """The i-th event was told something else."""
    events[i] = replace(events[i], outcome={**copy.deepcopy(events[i].outcome), **outcome})


def ask(events, i, **arguments):
    events[i] = replace(events[i], arguments={**events[i].arguments, **arguments})


def move(events, i, behind):
    """The i-th event comes right behind another one."""
    event = events.pop(i)
    behind -= i < behind
    events.insert(behind + 1, replace(event, end=events[behind].end))


def again(events, i, **outcome):
    """The i-th event comes again, at the end."""
    events.append(replace(events[i], end=events[-1].end,
                          outcome={**events[i].outcome, **outcome}))


def drop(operation, holds=lambda event: True, which=0):
    def plant(events):
        del events[places(events, operation, holds)[which]]
    return plant


def edit(operation, holds=lambda event: True, which=0, **outcome):
    def plant(events):
        tell(events, places(events, operation, holds)[which], **outcome)
    return plant


def change(operation, holds, plant, which=0):
    return lambda events: plant(events, places(events, operation, holds)[which])


def no_outcome(operation, holds, ended):
    def plant(events):
        i = places(events, operation, holds)[-1]
        ask(events, i, ended=ended)
        events[i] = replace(events[i], outcome=None)
    return plant


def runs(event):
    return event.outcome["runs"]

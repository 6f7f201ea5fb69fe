# SPDX-License-Identifier: Apache-2.0
"""What the rules share: one life of a channel, and order in real time."""

import re
from collections import defaultdict


def life_of(event):
    """A channel's life: positions mean something within it."""
    return event.arguments["channel"], event.arguments["epoch"]


def is_whole(channel, outsiders):
    """Everybody who uses the channel has been recorded. `outsiders` are patterns of names, matched
    from the beginning."""
    return not any(re.match(pattern, channel) for pattern in outsiders)


def of(events, *operations):
    return [event for event in events if event.operation in operations]


def by_life(events):
    lives = defaultdict(list)
    for event in events:
        lives[life_of(event)].append(event)
    return lives


def out_of_order(items):
    """Of (start, end, lowest, highest, what): pairs of what was done before the other was begun,
    and has a higher number than it."""
    ended = sorted(items, key=lambda item: item[1])
    highest, next_ended, found = None, 0, []
    for item in sorted(items, key=lambda item: item[0]):
        while next_ended < len(ended) and ended[next_ended][1] < item[0]:
            if highest is None or ended[next_ended][3] > highest[3]:
                highest = ended[next_ended]
            next_ended += 1
        if highest and highest[3] > item[2]:
            found.append((highest, item))
    return found

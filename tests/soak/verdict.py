# SPDX-License-Identifier: Apache-2.0
"""Whether a soak went well: pure functions of what was sampled.

Memory. The second half of the run is cut into 12 blocks of equal length; a line is fitted to the
means of the blocks (samples a second apart are not independent, means of blocks nearly are). There
is a leak if the 95 % confidence interval of its slope lies above zero, and what it comes to over
the half is more than the noise: 1 % of the mean and 1 MiB.
"""

import json
import math
from dataclasses import dataclass

BLOCKS = 12
# Of Student's distribution, 97.5 %, at BLOCKS - 2 degrees of freedom.
STUDENT_T = 2.228
JUDGED_FROM_S = 600
# Less is not even described: a run that failed at its beginning.
SHORTEST_S = 59
NOISE_BYTES, NOISE_SHARE = 1 << 20, 0.01
# A load tells each second; one that is so late does nothing. And all of them must go on.
STALE_S = 3.0
STUCK_S = 60
# When all is deleted, the budget has what deleted keys retain and nothing else; this is less than
# a few remembered producers have.
ACCOUNT_BYTES_MAX = 4096
# Events of the log that belong to a run. Everything else is a finding.
EXPECTED_EVENTS = {"serving", "memory", "few_files", "draining", "stopped"}


@dataclass
class Line:
    """Units of the value, each second; the interval of 95 %; and over the whole time."""
    slope: float
    low: float
    high: float
    growth: float
    mean: float


def fit(samples):
    """(seconds, value) of the time looked at: the Line through the means of its blocks."""
    if len(samples) < 2 * BLOCKS:
        raise ValueError(f"{len(samples)} samples are too few for {BLOCKS} blocks")
    blocks = [samples[len(samples) * i // BLOCKS:len(samples) * (i + 1) // BLOCKS]
              for i in range(BLOCKS)]
    points = [(mean(t for t, _ in block), mean(value for _, value in block)) for block in blocks]
    at, level = mean(t for t, _ in points), mean(value for _, value in points)
    spread = sum((t - at) ** 2 for t, _ in points)
    slope = sum((t - at) * (value - level) for t, value in points) / spread
    left = sum((value - level - slope * (t - at)) ** 2 for t, value in points)
    error = STUDENT_T * math.sqrt(left / (BLOCKS - 2) / spread)
    duration = samples[-1][0] - samples[0][0]
    return Line(slope, slope - error, slope + error, slope * duration, level)


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def second_half(samples):
    middle = (samples[0][0] + samples[-1][0]) / 2
    return [sample for sample in samples if sample[0] >= middle]


def judge_memory(samples):
    """(seconds, bytes) of the whole run: (sentence, whether it is well)."""
    if samples[-1][0] < SHORTEST_S:
        return f"RSS: not judged, {samples[-1][0]:.0f} s are too short", True
    line = fit(second_half(samples))
    noise = max(NOISE_BYTES, NOISE_SHARE * line.mean)
    is_judged = samples[-1][0] >= JUDGED_FROM_S - 1
    is_leak = is_judged and line.low > 0 and line.growth > noise
    kib = 3600 / 1024
    slope, low, high = (f"{value * kib:+.0f}" for value in (line.slope, line.low, line.high))
    rule = "a leak" if is_judged else "in ten minutes or more a leak"
    return (f"RSS {line.mean / 2**20:.1f} MiB in the second half, slope {slope} KiB/h "
            f"(95 %: {low} to {high}), {line.growth / 1024:+.0f} KiB in all; {rule} were a slope "
            f"surely above 0 and more than {noise / 1024:.0f} KiB"), not is_leak


def judge_account(used, retained):
    """Of the memory budget, and of the channels that are left, bytes: (sentence, whether the budget
    has been given back what it was charged)."""
    return (f"memory budget: {used} bytes charged, {retained} retained; more than "
            f"{ACCOUNT_BYTES_MAX} apart were a leak in its account",
            abs(used - retained) <= ACCOUNT_BYTES_MAX)


def fresh(told, age_s):
    """What a load told so long ago, as what it does now: nothing if that is too long."""
    if told and age_s <= STALE_S:
        return told
    return {**dict.fromkeys(told or ()), "done": 0}


def stuck(rows, kinds):
    """Rows, one a second: the kinds of which nothing was done in the last of them."""
    last = rows[-STUCK_S:]
    return [kind for kind in kinds
            if len(last) == STUCK_S and not any(row[f"{kind}_done"] for row in last)]


def judge_counts(what, before, after):
    """Counts after the load against those before it: (sentence, whether they are equal)."""
    differ = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    if differ:
        return f"{what}: (before, after) differ: {differ}", False
    return f"{what}: as before the load", True


def judge_log(log, expected=frozenset()):
    """The daemon's log: (sentence, whether it has nothing but what belongs there)."""
    unexpected = [line for line in log.splitlines()
                  if _event(line) not in EXPECTED_EVENTS | set(expected)]
    if unexpected:
        return (f"log: {len(unexpected)} lines that nobody expects, as:\n    "
                + "\n    ".join(unexpected[:5])), False
    return f"log: {len(log.splitlines())} lines, all expected", True


def _event(line):
    try:
        return json.loads(line)["event"]
    except (ValueError, KeyError, TypeError):
        return line

# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, never for a time: bounds are generous, for slow machines."""

import time

# Longer than anything here takes; it only ends a test that has failed.
BOUND = 30.0


def eventually(condition, bound=BOUND, what="the condition"):
    """Asks until the answer is true, and returns it; fails when `bound` is over."""
    deadline = time.monotonic() + bound
    pause = 0.001
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {bound} s; last: {answer!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)

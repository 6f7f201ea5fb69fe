# SPDX-License-Identifier: Apache-2.0
"""All rules."""

from . import call_rules, key_rules, queue_rules, send_rules, sum_rules, topic_rules, watch_rules

RULES = [rule for rules in (send_rules, queue_rules, topic_rules, key_rules, watch_rules,
                            call_rules, sum_rules) for rule in rules.RULES]


def violations(events, outsiders=()):
    """What the contract does not allow in this history: sentences, none if it is right. `outsiders`
    are patterns of channels ("queue/jobs") and keys ("key/...") that others used, too; they are
    matched from the beginning."""
    return [f"{sentence}  [{rule.__name__}]" for rule in RULES
            for sentence in rule(events, outsiders)]


def assert_allowed(events, outsiders=()):
    found = violations(events, outsiders)
    if found:
        more = f"\n... and {len(found) - 20} more" if len(found) > 20 else ""
        raise AssertionError(f"the history of {len(events)} events breaks the contract:\n"
                             + "\n".join(found[:20]) + more)

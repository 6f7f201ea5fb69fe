# SPDX-License-Identifier: Apache-2.0
"""What clients of a daemon saw, recorded as events, and whether the contract allows it.

recorder.py keeps events; recording_channel.py writes them as stock stubs are used; *_seen.py turn
the frames of calls into events; *_rules.py are pure functions of a list of events, and check.py
runs them all. planted_test.py shows that each rule can fail.
"""

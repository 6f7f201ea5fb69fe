# SPDX-License-Identifier: Apache-2.0
"""SetKey, DeleteKey, GetKey without waiting, ListKeys: versions, lives, revisions, refusals."""

import os
import unittest

import grpc

from support import wire
from support.config import NOT_THERE, at
from support.config_case import ConfigCase
from support.raw import MALFORMED_FRAMES, raw_answers, raw_call

OK, ABSENT, CONFLICT = wire.OUTCOME_OK, wire.OUTCOME_ABSENT, wire.OUTCOME_CONFLICT
NOBODY = wire.OUTCOME_NO_SUBSCRIBERS
INVALID = grpc.StatusCode.INVALID_ARGUMENT
SERVICE = "/sluice.v1.ConfigService/"
MIB = 1 << 20


class Setting(ConfigCase):

    # Clauses: N35 W2 W12
    def test_X52_a_value_is_state(self):
        key = self.name
        first = self.set(key, "a", content_type="text/plain")
        self.assertEqual((first.key, first.value, first.content_type, first.version,
                          first.deleted, first.ephemeral),
                         (key, b"", "text/plain", 1, False, False))  # told without the value
        self.assertTrue(0 < first.epoch < 2 ** 53)
        self.assertGreater(first.changed_unix_us, 1_600_000_000_000_000)
        reply = self.client.config.get(key)
        first.value = b"a"
        self.assertEqual((reply.outcome, reply.entry, reply.watchers), (OK, first, 0))
        same = self.set(key, "a")  # equal bytes are a change (W2)
        self.assertEqual((same.version, same.epoch, same.content_type), (2, first.epoch, ""))
        self.assertGreater(same.revision, first.revision)
        watcher = self.client.config.watcher(key).wait_end_mark()
        self.assertEqual(watcher.before_end(), [(key, b"a")])

    # Clauses: N35 W11
    def test_X52_require_watchers(self):
        key = self.name
        refused = self.client.config.set(key, "a", require_watchers=True)
        self.assertEqual((refused.outcome, refused.watchers), (NOBODY, 0))
        self.assertIsNone(self.value_of(key))
        entry = self.set(key, "a")
        self.assertEqual(self.client.config.set(key, "b", require_watchers=True).outcome, NOBODY)
        reply = self.client.config.get(key)
        self.assertEqual((reply.entry.value, reply.entry.version), (b"a", 1))
        watcher = self.client.config.watcher(prefixes=[key]).wait_end_mark()
        stored = self.client.config.set(key, "b", require_watchers=True)
        self.assertEqual((stored.outcome, stored.watchers, stored.entry.version), (OK, 1, 2))
        self.assertEqual(stored.entry.revision, entry.revision + 1)  # refusals use none
        watcher.wait_revision(stored.entry.revision)
        watcher.cancel()
        self.eventually_watchers(key, 0)
        waiting = self.client.config.get_later(key, equals=b"c", wait_ms=60_000)
        self.eventually_watchers(key, 1)  # who waits, watches
        stored = self.client.config.set(key, "c", require_watchers=True)
        self.assertEqual((stored.outcome, stored.watchers), (OK, 1))
        self.assertEqual(waiting.result().outcome, OK)

    # Clauses: N37
    def test_a_life_of_a_key(self):
        key = self.name
        self.assertEqual(self.client.config.delete(key).outcome, ABSENT)
        self.assertIsNone(self.value_of(key))
        for version in (1, 2, 3):
            entry = self.set(key, version)
            self.assertEqual(entry.version, version)
        reply = self.client.config.delete(key)
        tombstone = reply.entry
        self.assertEqual((reply.outcome, reply.watchers, tombstone.key, tombstone.value,
                          tombstone.version, tombstone.epoch, tombstone.deleted),
                         (OK, 0, key, b"", 4, entry.epoch, True))
        self.assertEqual(tombstone.revision, entry.revision + 1)
        self.assertIsNone(self.value_of(key))
        self.assertEqual(self.client.config.delete(key).outcome, ABSENT)
        again = self.set(key, "again")
        self.assertEqual((again.version, again.revision), (1, tombstone.revision + 1))
        self.assertNotEqual(again.epoch, entry.epoch)

    # Clauses: N34
    def test_revisions_count_the_changes_of_all_keys(self):
        revisions = [self.set(f"{self.name}.{i % 3}", i).revision for i in range(10)]
        self.assertEqual(revisions, list(range(revisions[0], revisions[0] + 10)))
        self.assertEqual(self.client.config.delete(self.name + ".0").entry.revision,
                         revisions[-1] + 1)

    # Clauses: N36
    def test_compare_and_set(self):
        key = self.name
        config = self.client.config
        self.assertEqual(config.set(key, "x", expect=wire.KeyVersion(epoch=9, version=9)).outcome,
                         CONFLICT)
        self.assertIsNone(self.value_of(key))
        first = self.set(key, "a", expect=NOT_THERE)
        there = config.set(key, "b", expect=NOT_THERE)
        self.assertEqual((there.outcome, there.entry.value, at(there.entry)),
                         (CONFLICT, b"a", at(first)))
        second = self.set(key, "b", expect=at(first))
        self.assertEqual((second.version, second.epoch), (2, first.epoch))
        for stale in (at(first), wire.KeyVersion(epoch=first.epoch, version=3),
                      wire.KeyVersion(epoch=first.epoch + 1, version=2)):
            reply = config.set(key, "c", expect=stale)
            self.assertEqual((reply.outcome, reply.entry.value, at(reply.entry)),
                             (CONFLICT, b"b", at(second)))
            self.assertEqual(config.delete(key, expect=stale).outcome, CONFLICT)
        # Judged in this order: where it is, then who watches.
        both = config.set(key, "c", expect=at(first), require_watchers=True)
        self.assertEqual(both.outcome, CONFLICT)
        neither = config.set(key, "c", expect=at(second), require_watchers=True)
        self.assertEqual(neither.outcome, NOBODY)
        refused = config.delete(key, expect=at(first))
        self.assertEqual((refused.outcome, refused.entry.value), (CONFLICT, b"b"))
        gone = config.delete(key, expect=at(second))
        self.assertEqual((gone.outcome, gone.entry.version), (OK, 3))
        self.assertEqual(config.delete(key, expect=at(second)).outcome, ABSENT)
        absent = config.set(key, "d", expect=at(second))
        self.assertEqual((absent.outcome, absent.HasField("entry")), (CONFLICT, False))
        self.set(key, "d", expect=NOT_THERE)

    def test_values_of_any_bytes_up_to_a_mebibyte(self):
        for value in (b"", bytes(range(256)), b"x" * MIB):
            self.set(self.name, value, content_type="t" * 255)
            self.assertEqual(self.value_of(self.name), value)

    # Clauses: N5
    def test_a_key_and_a_queue_of_one_name_are_two(self):
        self.client.declare(self.name)
        self.set(self.name, "a")
        self.client.config.delete(self.name)
        self.fill(self.name, 1)


class Listing(ConfigCase):

    # Clauses: N37 N43
    def test_in_order_of_bytes_and_in_pages(self):
        names = sorted([f"list/{i:02}" for i in range(25)] + ["list/Z", "list/a", "list/_a",
                                                              "list/a-b", "list/a.b"])
        for name in reversed([*names, "other"]):
            self.set(name, "value of " + name)
        self.set("list/gone")
        self.client.config.delete("list/gone")
        found, token, pages = [], "", 0
        while True:
            page = self.client.config.list(prefix="list/", page_size=10, page_token=token)
            found += page.entries
            token, pages = page.next_page_token, pages + 1
            if not token:
                break
        self.assertEqual(([entry.key for entry in found], pages), (names, 3))
        self.assertEqual({entry.value for entry in found},
                         {b"value of " + name.encode() for name in names})
        self.assertEqual(len(self.client.config.list(page_size=1000).entries), 31)
        self.assertEqual(len(self.client.config.list(prefix="nothing").entries), 0)
        bare = self.client.config.list(prefix="other", without_values=True).entries[0]
        self.assertEqual((bare.key, bare.value, bare.version), ("other", b"", 1))
        self.assert_refused_field(lambda: self.client.config.list(page_token="\x01\x02 no"),
                                  "INVALID_FIELD", "page_token")

    def test_a_page_is_at_most_256_kib_or_one_entry(self):
        for i in range(12):
            self.set(f"large.{i:02}", b"x" * 50_000)
        self.set("large.99", b"x" * MIB)
        page = self.client.config.list(prefix="large.")
        self.assertLessEqual(page.ByteSize(), (256 << 10) + 1000)
        self.assertGreaterEqual(len(page.entries), 4)
        everything = self.client.config.list_all(prefix="large.")
        self.assertEqual(len(everything), 13)
        self.assertEqual(len(everything[-1].value), MIB)
        self.assertEqual(len(self.client.config.list(prefix="large.",
                                                     without_values=True).entries), 13)


class Refused(ConfigCase):

    def setUp(self):
        super().setUp()
        self.entry = self.set(self.name, "before")

    def tearDown(self):
        self.assertEqual(at(self.client.config.get(self.name).entry), at(self.entry))
        self.assertEqual(len(self.client.config.list().entries), 1, "something was half done")
        super().tearDown()

    def test_names(self):
        config = self.client.config
        for name in ("", "with space", "a..b", ".a", "_own", "ünï", "a*"):
            for call in (lambda name=name: config.set(name, "x"),
                         lambda name=name: config.get(name),
                         lambda name=name: config.delete(name)):
                self.assert_refused_field(call, "INVALID_FIELD", "key")
        long = "n" * 256
        for call in (lambda: config.set(long, "x"), lambda: config.get(long),
                     lambda: config.delete(long)):
            self.assert_refused_field(call, "OUT_OF_BOUNDS", "key", limit=255, value=256)

    def test_fields(self):
        config, key = self.client.config, self.name
        for wrong in (wire.KeyVersion(epoch=1), wire.KeyVersion(version=1)):
            for call in (lambda wrong=wrong: config.set(key, "x", expect=wrong),
                         lambda wrong=wrong: config.delete(key, expect=wrong)):
                fault = self.assert_fault(call, INVALID, "INVALID_FIELD")
                self.assertIn("expect", fault.details["field"])
        fault = self.assert_fault(lambda: config.delete(key, expect=NOT_THERE), INVALID,
                                  "INVALID_FIELD")
        self.assertIn("expect", fault.details["field"])
        self.assert_refused_field(lambda: config.set(key, b"x" * (MIB + 1)), "OUT_OF_BOUNDS",
                                  "value", limit=MIB, value=MIB + 1)
        self.assert_refused_field(lambda: config.set(key, "x", content_type="t" * 256),
                                  "OUT_OF_BOUNDS", "content_type", limit=255, value=256)
        for wrong in (b"short", b"x" * 17):
            self.assert_refused_field(lambda wrong=wrong: config.set(key, "x", session_id=wrong),
                                      "INVALID_FIELD", "session_id")
        self.assert_fault(lambda: config.set(key, "x", session_id=os.urandom(16)),
                          grpc.StatusCode.FAILED_PRECONDITION, "SESSION_GONE")
        for fields, field in (({"exists": False}, "exists"),
                              ({"version_above": wire.KeyVersion(version=3)}, "version_above")):
            fault = self.assert_fault(lambda fields=fields: config.get(key, **fields), INVALID,
                                      "INVALID_FIELD")
            self.assertIn(field, fault.details["field"])
        self.assert_refused_field(lambda: config.get(key, equals=b"x" * (MIB + 1)),
                                  "OUT_OF_BOUNDS", "equals", limit=MIB, value=MIB + 1)

    def test_selectors_of_a_watch(self):
        watcher = self.client.config.watcher
        for keys, prefixes, reason, field in (
                ((), (), "INVALID_FIELD", "keys"), (("a..b",), (), "INVALID_FIELD", "keys"),
                (("",), (), "INVALID_FIELD", "keys"),
                ((), ("with space",), "INVALID_FIELD", "prefixes"),
                (("k" * 256,), (), "OUT_OF_BOUNDS", "keys"),
                ((), ("p" * 256,), "OUT_OF_BOUNDS", "prefixes")):
            fault = self.assert_fault(watcher(*keys, prefixes=prefixes).end(), INVALID, reason)
            self.assertIn(field, fault.details["field"])
        for count in (1001, 5000):
            many = [f"k{i}" for i in range(count)]
            for fault in (watcher(*many).end(), watcher(*many[1:], prefixes=many[:1]).end()):
                fault = self.assert_fault(fault, INVALID, "OUT_OF_BOUNDS", limit=1000,
                                          value=count)
        watcher(*[f"k{i}" for i in range(600)], prefixes=[f"p{i}" for i in range(400)]
                ).wait_end_mark()

    def test_requests_that_cannot_be_read(self):
        for garbage in MALFORMED_FRAMES:
            for method in ("SetKey", "GetKey", "DeleteKey", "ListKeys"):
                self.assert_fault(raw_call(self.client, SERVICE + method, garbage), INVALID,
                                  "MALFORMED")
            self.assert_fault(raw_answers(self.client, SERVICE + "Watch", garbage), INVALID,
                              "MALFORMED")
        not_utf8 = b"\x0a\x01\xff"  # key
        self.assert_fault(raw_call(self.client, SERVICE + "SetKey", not_utf8), INVALID,
                          "MALFORMED")


class TooMany(ConfigCase):
    OPTIONS = ("--max-channels", "2")

    # Clauses: N7
    def test_too_many_channels(self):
        self.set("first")
        self.set("second")
        self.assert_fault(lambda: self.client.config.set("third"),
                          grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CHANNELS", limit=2)
        self.assertIsNone(self.value_of("third"))
        self.set("second", "again")
        self.client.config.delete("first")
        self.set("third")


if __name__ == "__main__":
    unittest.main()

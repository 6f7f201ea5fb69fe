// SPDX-License-Identifier: Apache-2.0
// The scenarios of config keys that a stock client can run, in Node.
"use strict";

const assert = require("node:assert/strict");
const { Suite, assertFault, assertIsFault } = require("./harness.js");
const { eventually, grpc } = require("./sluice.js");

const suite = new Suite(async (client, prefix) => {
  for (const { key } of (await client.config("ListKeys", { prefix })).entries) {
    await client.config("DeleteKey", { key });
  }
});
const { test } = suite;

function set(client, key, value, more = {}) {
  return client.config("SetKey", { key, value: Buffer.from(String(value)), ...more });
}

const get = (client, key, more = {}) => client.config("GetKey", { key, ...more });
const at = ({ epoch, version }) => ({ epoch, version });

test("X50 a snapshot, its end, then what changes", async ({ client, name, newClient }) => {
  const { entry } = await set(client, name, "a");
  const watcher = await newClient().watcher({ keys: [name] }).marked();
  assert.deepEqual(await watcher.told(1), [[name, "a"]]);
  assert.equal(watcher.mark.revision, entry.revision);
  await set(client, name, "b");
  assert.deepEqual((await watcher.told(2))[1], [name, "b"]);
  assert.equal(watcher.entries[1].version, entry.version + 1);
  assert.ok(watcher.entries[1].revision > watcher.mark.revision);
});

test("X54 of two who compare and set, one stores", async ({ client, name, newClient }) => {
  const { entry } = await set(client, name, 0);
  const watcher = await client.watcher({ prefixes: [name] }).marked();
  const rivals = Array.from({ length: 8 }, newClient);
  const replies = await Promise.all(rivals.map((rival, i) =>
    set(rival, name, i, { expect: at(entry) })));
  const winners = replies.filter((reply) => reply.outcome === "OUTCOME_OK");
  assert.equal(winners.length, 1);
  assert.equal(winners[0].entry.version, entry.version + 1);
  const winner = String(replies.indexOf(winners[0]));
  for (const reply of replies.filter((one) => one !== winners[0])) {
    assert.equal(reply.outcome, "OUTCOME_CONFLICT");
    assert.equal(reply.entry.value.toString(), winner);
    assert.equal(reply.entry.version, entry.version + 1);
  }
  assert.deepEqual((await watcher.told(2)).slice(1), [[name, winner]]);
});

// Clauses: N36
test("a counter that many clients raise by compare-and-set", async (own) => {
  const { client, name, newClient } = own;
  await set(client, name, 0, { expect: { epoch: 0, version: 0 } });
  const raise = async (rival) => {
    for (let done = 0; done < 20;) {
      const { entry } = await get(rival, name);
      const next = Number(entry.value.toString()) + 1;
      const reply = await set(rival, name, next, { expect: at(entry) });
      done += reply.outcome === "OUTCOME_OK";
    }
  };
  await Promise.all(Array.from({ length: 4 }, newClient).map(raise));
  const { entry } = await get(client, name);
  assert.equal(entry.value.toString(), "80");
  assert.equal(entry.version, 81);
});

test("X53 a delete is told by a tombstone", async ({ client, name }) => {
  const { entry } = await set(client, name, "z");
  const watcher = await client.watcher({ keys: [name] }).marked();
  const deleted = await client.config("DeleteKey", { key: name, expect: at(entry) });
  assert.equal(deleted.outcome, "OUTCOME_OK");
  assert.deepEqual(await watcher.told(2), [[name, "z"], [name, null]]);
  assert.equal(watcher.entries[1].version, entry.version + 1);
  assert.equal((await get(client, name)).outcome, "OUTCOME_ABSENT");
  const { entry: anew } = await set(client, name, "anew");
  assert.notEqual(anew.epoch, entry.epoch);
  assert.equal(anew.version, 1);
});

test("X55 coming back: what changed since, or a reset", async ({ client, name }) => {
  await set(client, `${name}/a`, 1);
  await set(client, `${name}/b`, 1);
  const first = await client.watcher({ prefixes: [`${name}/`] }).marked();
  const { service_epoch, revision } = first.mark;
  first.call.cancel();
  await set(client, `${name}/a`, 2);
  await client.config("DeleteKey", { key: `${name}/b` });
  const resume = { service_epoch, revision };
  const again = await client.watcher({ prefixes: [`${name}/`], resume }).marked();
  assert.equal(again.reset, null);
  assert.deepEqual(await again.told(2), [[`${name}/a`, "2"], [`${name}/b`, null]]);
  const lost = await client.watcher({
    prefixes: [`${name}/`], resume: { service_epoch: service_epoch - 1, revision } }).marked();
  assert.equal(lost.reset.service_epoch, service_epoch);
  assert.deepEqual(await lost.told(1), [[`${name}/a`, "2"]]);
});

test("X57 waiting for a value", async ({ client, name, newClient }) => {
  const exists = get(newClient(), name, { exists: true, wait_ms: 20_000 });
  await eventually(async () => (await get(client, name)).watchers === 1, "the waiting one");
  const { entry } = await set(client, name, "a");
  assert.equal((await exists).entry.value.toString(), "a");
  const equals = get(newClient(), name, { equals: Buffer.from("c"), wait_ms: 20_000 });
  const above = get(newClient(), name, { version_above: at(entry), wait_ms: 20_000 });
  await set(client, name, "b");
  assert.equal((await above).outcome, "OUTCOME_OK");
  await set(client, name, "c");
  assert.equal((await equals).entry.version, 3);
  const never = await get(client, name, { equals: Buffer.from("d"), wait_ms: 50 });
  assert.equal(never.outcome, "OUTCOME_TIMED_OUT");
  assert.equal(never.entry.value.toString(), "c");
  await eventually(async () => (await get(client, name)).watchers === 0, "nobody waiting");
});

test("X52 a set is stored, watched or not", async ({ client, name }) => {
  const nobody = await set(client, name, "x", { require_watchers: true });
  assert.equal(nobody.outcome, "OUTCOME_NO_SUBSCRIBERS");
  assert.equal((await get(client, name)).outcome, "OUTCOME_ABSENT");
  const { outcome, watchers } = await set(client, name, "y");
  assert.deepEqual([outcome, watchers], ["OUTCOME_OK", 0]);
  const watcher = await client.watcher({ keys: [name] }).marked();
  assert.deepEqual(await watcher.told(1), [[name, "y"]]);
  const seen = await set(client, name, "z", { require_watchers: true });
  assert.deepEqual([seen.outcome, seen.watchers], ["OUTCOME_OK", 1]);
});

test("X56 an ephemeral key goes with its session", async ({ client, name }) => {
  const keep = client.sessions.Keep();
  keep.on("error", () => {});
  const { session_id } = await new Promise((resolve) => {
    keep.once("data", resolve);
    keep.write({});
  });
  const { entry } = await set(client, name, "here", { session_id });
  assert.equal(entry.ephemeral, true);
  const watcher = await client.watcher({ keys: [name] }).marked();
  keep.end();
  assert.deepEqual(await watcher.told(2), [[name, "here"], [name, null]]);
  await assertFault(set(client, name, "x", { session_id }), grpc.status.FAILED_PRECONDITION,
                    "SESSION_GONE");
});

// Clauses: N7
test("faults carry reason, field, limit and value", async ({ client, name }) => {
  const { INVALID_ARGUMENT } = grpc.status;
  await assertFault(set(client, "a..b", "x"), INVALID_ARGUMENT, "INVALID_FIELD", { field: "key" });
  await assertFault(set(client, name, "x".repeat((1 << 20) + 1)), INVALID_ARGUMENT,
                    "OUT_OF_BOUNDS", { field: "value", limit: 1 << 20, value: (1 << 20) + 1 });
  await assertFault(set(client, name, "x", { expect: { epoch: 5, version: 0 } }),
                    INVALID_ARGUMENT, "INVALID_FIELD");
  assertIsFault(await client.watcher({}).end(), INVALID_ARGUMENT, "INVALID_FIELD");
  assert.equal((await get(client, name)).outcome, "OUTCOME_ABSENT");
});

suite.end();

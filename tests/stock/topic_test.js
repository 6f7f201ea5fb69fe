// SPDX-License-Identifier: Apache-2.0
// The topic scenarios that a stock client can run, in Node: @grpc/grpc-js and the protos alone.
"use strict";

const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const { Suite, assertFault, assertIsFault } = require("./harness.js");
const { eventually, grpc } = require("./sluice.js");

const suite = new Suite(async (client, prefix) => {
  for (const { name } of (await client.topic("ListTopics", { prefix })).topics) {
    const { description: d } = await client.topic("DescribeTopic", { topic: name });
    assert.equal(d.accepted, d.overwritten + d.depth, JSON.stringify(d));
    assert.equal(d.next_position, d.accepted + 1, JSON.stringify(d));
    await client.topic("DeleteTopic", { topic: name });
  }
});
const { test } = suite;
const numbers = (count, first = 1) => Array.from({ length: count }, (_, i) => String(first + i));

async function declare(client, topic, spec = {}) {
  return (await client.topic("DeclareTopic", { topic, spec })).description;
}

test("X40 what is published after Ready is heard, from the position told", async (own) => {
  const { client, name, newClient } = own;
  await declare(client, name);
  const publisher = newClient().publisher(name);
  for (let round = 0; round < 20; ++round) {
    const subscriber = await client.subscriber({ topic: name }).isReady();
    const { next_position: first } = subscriber.subscribed[name];
    publisher.send(...numbers(10));
    const messages = await subscriber.received(10);
    assert.deepEqual(messages.map((one) => one.text), numbers(10));
    assert.equal(messages[0].position, first);
    subscriber.call.cancel();
    await subscriber.end();
  }
  assert.deepEqual(await publisher.outcomes(200), Array(200).fill("OK"));
});

test("X42 who does not read lags by an exact count, and nobody else", async (own) => {
  const { client, name, newClient } = own;
  await declare(client, name, { capacity: 64 });
  const slow = newClient().subscriber({ topic: name });
  await slow.isReady();
  slow.call.pause();
  const fast = await client.subscriber({ topic: name }).isReady();
  const publisher = newClient().publisher(name);
  const payload = "x".repeat(5000), total = 3000;
  for (let sent = 0; sent < total; sent += 20) {
    publisher.send(...Array(20).fill(payload));
    await publisher.outcomes(sent + 20);
    await fast.received(sent + 20);
  }
  assert.equal(fast.missed, 0);
  slow.call.resume();
  await slow.until(() => slow.messages.length + slow.missed === total, "the sum");
  assert.ok(slow.missed > 0, "it never lagged");
  await publisher.outcomes(total);
  const { description } = await client.topic("DescribeTopic", { topic: name });
  assert.equal(description.missed, slow.missed);
});

test("X43 without subscribers nothing is stored", async ({ client, name }) => {
  await declare(client, name, { resume_window_ms: 0 });
  assert.deepEqual(await client.publish(name, ["a"]), ["NO_SUBSCRIBERS"]);
  const subscriber = await client.subscriber({ topic: name }).isReady();
  assert.equal(subscriber.subscribed[name].next_position, 1);
  assert.deepEqual(await client.publish(name, ["b"]), ["OK"]);
  assert.equal((await subscriber.received(1))[0].text, "b");
});

test("X46 coming back: continued, or an exact gap", async ({ client, name }) => {
  const { epoch } = await declare(client, name, { capacity: 8 });
  const first = await client.subscriber({ topic: name }).isReady();
  await client.publish(name, numbers(3));
  await first.received(3);
  first.call.cancel();
  await first.end();
  const comeBack = (next_position, life = epoch) => client.subscriber({
    topic: name, resume: { topics: [{ topic: name, epoch: life, next_position }] } });
  await client.publish(name, numbers(5, 4));
  const again = await comeBack(4).isReady();
  assert.equal(again.subscribed[name].continuity, "CONTINUITY_CONTINUED");
  assert.deepEqual((await again.received(5)).map((one) => one.text), numbers(5, 4));
  await client.publish(name, numbers(8, 9));
  const late = await comeBack(4).isReady();
  assert.equal(late.subscribed[name].continuity, "CONTINUITY_GAP");
  assert.equal(late.subscribed[name].missed, 5);
  assert.deepEqual((await late.received(8)).map((one) => one.position),
                   numbers(8, 9).map(Number));
  assert.equal(late.missed, 0);
  const stranger = await comeBack(4, epoch - 1).isReady();
  assert.equal(stranger.subscribed[name].continuity, "CONTINUITY_RESET");
});

// Clauses: N28 N30
test("a pattern hears topics that are there and those to come", async (own) => {
  const { client, name, newClient } = own;
  await declare(client, `${name}.a`);
  const all = await client.subscriber({ pattern: `${name}.>` }).isReady();
  assert.deepEqual(Object.keys(all.subscribed), [`${name}.a`]);
  const other = newClient();
  await declare(other, `${name}.b.c`);
  await all.until(() => all.subscribed[`${name}.b.c`], "the new topic");
  assert.equal(all.subscribed[`${name}.b.c`].continuity, "CONTINUITY_FRESH");
  const publisher = other.topics.PublishStream();
  publisher.on("error", () => {});
  publisher.write({ open: {} });
  publisher.write({ topic: `${name}.a`, messages: [{ payload: Buffer.from("1") }] });
  publisher.write({ topic: `${name}.b.c`, messages: [{ payload: Buffer.from("2") }] });
  const heard = (await all.received(2)).map(({ topic, position, text }) => [topic, position, text]);
  assert.deepEqual(heard.sort(), [[`${name}.a`, 1, "1"], [`${name}.b.c`, 1, "2"]]);
  publisher.end();
});

test("X44 a tied topic ends with its publisher, and tells", async ({ client, name, newClient }) => {
  await declare(client, name, { lifetime: "LIFETIME_TIED" });
  const subscriber = await client.subscriber({ topic: name }).isReady();
  const publisher = newClient().publisher(name);
  publisher.send("a", "b");
  await publisher.outcomes(2);
  publisher.call.end();
  assert.equal(await publisher.end(), "CLOSED_REASON_FINISHED");
  assert.equal(await subscriber.end(), "CLOSED_REASON_PRODUCERS_GONE");
  assert.deepEqual(subscriber.messages.map((one) => one.text), ["a", "b"]);
  assert.deepEqual(await client.publish(name, ["c"]), ["CLOSED"]);
});

// Clauses: N30
test("policy BLOCK: publishing waits for the slow one", async ({ client, name, newClient }) => {
  await declare(client, name, { capacity: 4, policy: "SLOW_POLICY_BLOCK", block_ms: 60_000 });
  const slow = await newClient().subscriber({ topic: name }).isReady();
  slow.call.pause();
  const publisher = client.publisher(name);
  const payload = "x".repeat(200_000), total = 60;
  for (let i = 0; i < total; ++i) publisher.send(payload);
  await eventually(async () => (await client.topic("DescribeTopic", { topic: name }))
    .description.waiting_publishes === 1, "a publish in line");
  assert.ok(publisher.told.length < total);
  slow.call.resume();
  await slow.received(total);
  assert.equal(slow.missed, 0);
  assert.deepEqual(await publisher.outcomes(total), Array(total).fill("OK"));
});

// Clauses: N9
test("published again under its sequence, a message is not stored twice", async (own) => {
  const { client, name, newClient } = own;
  await declare(client, name);
  await client.subscriber({ topic: name }).isReady();
  const producer_id = crypto.randomBytes(16);
  const first = client.publisher(name, { producer_id });
  first.send("a", "b");
  await first.outcomes(2);
  first.call.cancel();
  const again = newClient().publisher(name, { producer_id });
  await again.until(() => again.opened);
  assert.equal(again.opened.last_sequence, 2);
  again.send("a", "b", "c");
  await again.outcomes(3);
  assert.deepEqual(again.told.map((one) => one.duplicate), [true, true, false]);
});

// Clauses: N7
test("faults carry reason, field, limit and value", async ({ client, name }) => {
  const { INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION } = grpc.status;
  await assertFault(client.publish("nobody", ["x"]), NOT_FOUND, "TOPIC_NOT_FOUND");
  assertIsFault(await client.subscriber({ topic: "nobody" }).end(), NOT_FOUND, "TOPIC_NOT_FOUND");
  assertIsFault(await client.subscriber({ topic: name, pattern: "a.>" }).end(), INVALID_ARGUMENT,
                "INVALID_FIELD");
  await assertFault(declare(client, name, { capacity: 1048577 }), INVALID_ARGUMENT,
                    "OUT_OF_BOUNDS", { limit: 1048576, value: 1048577 });
  await declare(client, name, { capacity: 4, message_bytes_max: 2000 });
  await assertFault(declare(client, name, { capacity: 8 }), FAILED_PRECONDITION,
                    "DECLARED_OTHERWISE");
  await assertFault(client.publish(name, ["x".repeat(3000)]), INVALID_ARGUMENT, "OUT_OF_BOUNDS",
                    { limit: 2000, index: 0 });
});

suite.end();

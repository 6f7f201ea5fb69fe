// SPDX-License-Identifier: Apache-2.0
// The queue scenarios that a stock client can run, in Node: @grpc/grpc-js and the protos alone.
"use strict";

const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const { spawn } = require("node:child_process");
const health = require("grpc-health-check");
const { Suite, assertFault, assertIsFault } = require("./harness.js");
const { eventually, grpc, receivedOf } = require("./sluice.js");

let daemon, client, queue, newClient;

// The sums of a test's queues hold.
const suite = new Suite(async (ofTest, prefix) => {
  for (const { name } of (await ofTest.queue("ListQueues", { prefix })).queues) {
    const d = await ofTest.describe(name);
    assert.equal(d.accepted, d.settled + d.purged + d.deleted + d.depth + d.in_flight,
                 JSON.stringify(d));
    await ofTest.queue("DeleteQueue", { queue: name });
  }
});

function test(name, body) {
  suite.test(name, (own) => {
    ({ daemon, client, newClient, name: queue } = own);
    return body();
  });
}

test("X01 a thousand in order, each acknowledged", async () => {
  await client.declare(queue, { capacity: 100 });
  const receiver = newClient().receiver(queue, { credit: { messages: 50 } });
  const sender = client.sender(queue);
  const expected = Array.from({ length: 1000 }, (_, i) => String(i + 1));
  for (let i = 0; i < 1000; i += 20) sender.send(...expected.slice(i, i + 20));
  for (let acked = 0; acked < 1000;) {
    const messages = await receiver.received(acked + 1);
    const count = messages.length - acked;
    receiver.settle("ACK", messages[acked].position, count);
    acked += count;
  }
  assert.deepEqual(receiver.messages.map((one) => one.text), expected);
  assert.deepEqual(await sender.outcomes(1000), Array(1000).fill("OK"));
  sender.call.end();
  assert.equal(await sender.end(), "CLOSED_REASON_FINISHED");
  receiver.finish();
  assert.equal(await receiver.end(), "CLOSED_REASON_FINISHED");
});

test("X06 full is typed: TRY is refused exactly what does not fit", async () => {
  await client.declare(queue, { capacity: 2 });
  for (const expected of ["OK", "OK", "FULL"]) {
    assert.deepEqual(await client.send(queue, ["x"]), [expected]);
  }
  const other = `${queue}.stream`;
  await client.declare(other, { capacity: 2 });
  const sender = client.sender(other, { mode: "SEND_MODE_TRY" });
  sender.send(1, 2, 3, 4, 5);
  assert.deepEqual(await sender.outcomes(5), ["OK", "OK", "FULL", "FULL", "FULL"]);
  const taken = [];
  const take = async () => {
    const reply = await client.queue("Receive", { queue: other });
    taken.push(...receivedOf(reply).map((one) => one.text));
    for (const run of reply.runs) {
      await client.queue("Settle", { queue: other, settlements: [{
        ...run, count: run.count, action: "SETTLE_ACTION_ACK", lease: reply.lease }] });
    }
    return reply.outcome;
  };
  await take();
  sender.send(6);
  assert.equal((await sender.outcomes(6))[5], "OK");
  await take();
  await take();
  assert.equal(await take(), "OUTCOME_EMPTY");
  assert.deepEqual(taken, ["1", "2", "6"]);
});

// Clauses: N12
test("full means wait: writes stop being taken, and all arrives later", async () => {
  await client.declare(queue, { capacity: 4 });
  const sender = client.sender(queue);
  let written = 0, asked = 0;
  const payload = "x".repeat(100_000);
  while (asked === 0 && written < 1000) {
    ++written;
    if (!sender.send(payload)) ++asked;
  }
  assert.equal(asked, 1, "the transport never asked to wait");
  const waiting = await eventually(async () => {
    const d = await client.describe(queue);
    return d.waiting_sends === 1 && d;
  }, "a waiting send");
  assert.equal(waiting.depth, 4);
  sender.call.end();
  const receiver = newClient().receiver(queue, { auto_ack: true });
  await receiver.received(written);
  assert.equal(await sender.end(), "CLOSED_REASON_FINISHED");
  assert.deepEqual(await sender.outcomes(written), Array(written).fill("OK"));
});

test("X15 credit 1 hands out one until it is acked", async () => {
  await client.declare(queue, { capacity: 3 });
  const receiver = client.receiver(queue, { credit: { messages: 1 } });
  await receiver.until(() => receiver.attached);
  const sender = client.sender(queue, { mode: "SEND_MODE_TRY" });
  sender.send(1);
  await receiver.received(1);
  sender.send(2, 3, 4, 5);
  assert.deepEqual(await sender.outcomes(5), ["OK", "OK", "OK", "OK", "FULL"]);
  for (let i = 0; i < 4; ++i) {
    const messages = await receiver.received(i + 1);
    assert.equal(messages.length, i + 1);
    receiver.settle("ACK", messages[i].position);
  }
});

// Clauses: N15
test("what a killed consumer held comes back, marked", async () => {
  await client.declare(queue);
  await client.send(queue, [1, 2, 3]);
  const child = spawn(process.execPath, ["-e", `
    const { Client } = require(${JSON.stringify(require.resolve("./sluice.js"))});
    const receiver = new Client(${JSON.stringify(daemon.address)}).receiver(
      ${JSON.stringify(queue)}, { credit: { messages: 2 } });
    receiver.received(2).then(() => process.stdout.write("held"));`]);
  await new Promise((resolve) => child.stdout.once("data", resolve));
  assert.equal((await client.describe(queue)).in_flight, 2);
  child.kill("SIGKILL");
  const receiver = client.receiver(queue, { mode: "ATTACH_MODE_STANDBY" });
  const messages = await receiver.received(3);
  assert.deepEqual(messages.map(({ position, attempts, failures, text }) =>
    [position, attempts, failures, text]), [[1, 2, 1, "1"], [2, 2, 1, "2"], [3, 1, 0, "3"]]);
  receiver.settle("ACK", 1, 3);
  await receiver.until(() => receiver.settled.length === 1);
  assert.equal(receiver.settled[0].settled, 3);
});

// Clauses: N15
test("nack with a delay, release, and a stale settlement", async () => {
  await client.declare(queue);
  await client.send(queue, ["a", "b"]);
  const receiver = client.receiver(queue, { credit: { messages: 1 } });
  await receiver.received(1);
  receiver.settle("NACK", 1, 1, { delay_ms: 600_000 });
  await receiver.received(2);
  assert.equal(receiver.messages[1].text, "b");
  receiver.settle("RELEASE", 2);
  await receiver.received(3);
  assert.deepEqual([receiver.messages[2].attempts, receiver.messages[2].failures], [2, 0]);
  const began = Date.now();
  receiver.settle("NACK", 2, 1, { delay_ms: 300 });
  await receiver.received(4);
  assert.ok(Date.now() - began >= 295);
  assert.deepEqual([receiver.messages[3].text, receiver.messages[3].failures], ["b", 1]);
  receiver.settle("ACK", 1, 1, { lease: receiver.attached.lease + 77 });
  await receiver.until(() => receiver.settled.length === 4);
  assert.equal(receiver.settled[3].outcome, "OUTCOME_STALE");
});

test("X13 a second consumer is refused, takes over, stands by", async () => {
  await client.declare(queue);
  const first = client.receiver(queue);
  await first.until(() => first.attached);
  const present = grpc.status.FAILED_PRECONDITION;
  assertIsFault(await client.receiver(queue).end(), present, "CONSUMER_PRESENT");
  const standby = client.receiver(queue, { mode: "ATTACH_MODE_STANDBY" });
  await standby.until(() => standby.waiting);
  const taker = newClient().receiver(queue, { mode: "ATTACH_MODE_TAKE_OVER" });
  await taker.until(() => taker.attached);
  assertIsFault(await first.end(), grpc.status.ABORTED, "SUPERSEDED",
                { fence: taker.attached.fence });
  assert.ok(taker.attached.fence > first.attached.fence);
  taker.finish();
  await taker.end();
  await standby.until(() => standby.attached);
});

test("X08 close drains and tells", async () => {
  await client.declare(queue, { capacity: 2 });
  await client.send(queue, [1, 2]);
  const waiting = client.sender(queue);
  waiting.send(3);
  await eventually(async () => (await client.describe(queue)).waiting_sends === 1, "the line");
  await client.queue("CloseQueue", { queue });
  assert.deepEqual(await waiting.outcomes(1), ["CLOSED"]);
  assert.equal(waiting.told[0].reason, "CLOSED_REASON_REQUESTED");
  assert.deepEqual(await client.send(queue, [4]), ["CLOSED"]);
  const receiver = client.receiver(queue);
  await receiver.received(2);
  receiver.settle("ACK", 1, 2);
  assert.equal(await receiver.end(), "CLOSED_REASON_REQUESTED");
});

test("X20 half-close is after what was sent", async () => {
  await client.declare(queue, { capacity: 5 });
  const sender = client.sender(queue);
  for (let i = 0; i < 100; ++i) sender.send(i);
  sender.call.end();
  const receiver = client.receiver(queue, { auto_ack: true });
  await receiver.received(100);
  assert.equal(await sender.end(), "CLOSED_REASON_FINISHED");
  assert.deepEqual(await sender.outcomes(100), Array(100).fill("OK"));
});

// Clauses: N9
test("sent again under its sequence, a message is not stored twice", async () => {
  await client.declare(queue);
  const producer_id = crypto.randomBytes(16);
  const first = client.sender(queue, { producer_id });
  first.send("a", "b", "c");
  await first.outcomes(3);
  first.call.cancel();
  const again = newClient().sender(queue, { producer_id });
  await again.until(() => again.opened);
  assert.equal(again.opened.last_sequence, 3);
  again.send("a", "b", "c", "d");
  await again.outcomes(4);
  assert.deepEqual(again.told.map((one) => one.duplicate), [true, true, true, false]);
  assert.equal((await client.describe(queue)).accepted, 4);
});

// Clauses: N7
test("faults carry reason, field, limit and value", async () => {
  const { INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION } = grpc.status;
  await assertFault(client.describe("nobody"), NOT_FOUND, "QUEUE_NOT_FOUND");
  await assertFault(client.declare("a..b"), INVALID_ARGUMENT, "INVALID_FIELD", { field: "queue" });
  await assertFault(client.declare(queue, { capacity: 1048577 }), INVALID_ARGUMENT,
                    "OUT_OF_BOUNDS", { limit: 1048576, value: 1048577 });
  await client.declare(queue, { capacity: 1, message_bytes_max: 2000 });
  await assertFault(client.declare(queue, { capacity: 2 }), FAILED_PRECONDITION,
                    "DECLARED_OTHERWISE");
  await assertFault(client.send(queue, ["x".repeat(3000)]), INVALID_ARGUMENT, "OUT_OF_BOUNDS",
                    { limit: 2000, index: 0 });
  await assertFault(client.send(queue, ["a", "b"]), INVALID_ARGUMENT, "OUT_OF_BOUNDS");
  const sender = client.sender(queue);
  sender.send("y".repeat(3000));
  assertIsFault(await sender.end(), INVALID_ARGUMENT, "OUT_OF_BOUNDS", { last_sequence: 0 });
  assert.deepEqual(await client.send(queue, ["fits"]), ["OK"]);
});

test("X16 waiting and giving up consume nothing", async () => {
  await client.declare(queue);
  assert.equal((await client.queue("Receive", { queue, wait_ms: 50 })).outcome, "OUTCOME_EMPTY");
  await assert.rejects(client.queue("Receive", { queue, wait_ms: 60_000 }, 100),
                       (error) => error.code === grpc.status.DEADLINE_EXCEEDED);
  await client.send(queue, ["x"]);
  const reply = await client.queue("Receive", { queue, wait_ms: 20_000 });
  assert.equal(receivedOf(reply)[0].text, "x");
});

// Clauses: N3
test("a session keeps its lease until it ends", async () => {
  await client.declare(queue);
  await client.send(queue, ["x"]);
  const keep = client.sessions.Keep();
  keep.on("error", () => {});
  const kept = await new Promise((resolve) => {
    keep.once("data", resolve);
    keep.write({});
  });
  assert.equal(kept.session_id.length, 16);
  await client.queue("Receive", { queue, session_id: kept.session_id });
  assert.equal((await client.describe(queue)).in_flight, 1);
  keep.end();
  await eventually(async () => (await client.describe(queue)).in_flight === 0, "the message");
  await assertFault(client.queue("Receive", { queue, session_id: kept.session_id }),
                    grpc.status.FAILED_PRECONDITION, "SESSION_GONE");
});

test("numbers drawn by the broker are JavaScript's", async () => {
  const description = await client.declare(queue);
  const receiver = client.receiver(queue);
  await receiver.until(() => receiver.attached);
  for (const drawn of [description.epoch, receiver.attached.lease, receiver.attached.fence]) {
    assert.ok(Number.isSafeInteger(drawn) && drawn > 0, String(drawn));
  }
});

test("the stock health client is answered", async () => {
  const Health = grpc.makeGenericClientConstructor(health.service, "grpc.health.v1.Health");
  const stub = new Health(daemon.address, grpc.credentials.createInsecure());
  const check = (service) => new Promise((resolve, reject) => {
    stub.check({ service }, (error, reply) => (error ? reject(error) : resolve(reply.status)));
  });
  assert.equal(await check(""), "SERVING");
  assert.equal(await check("sluice.v1.QueueService"), "SERVING");
  await assert.rejects(check("nobody"), (error) => error.code === grpc.status.NOT_FOUND);
  stub.close();
});

suite.end();

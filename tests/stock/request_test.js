// SPDX-License-Identifier: Apache-2.0
// The scenarios of request/reply that a stock client can run, in Node: as caller and as worker.
"use strict";

const assert = require("node:assert/strict");
const { Suite, assertFault, assertIsFault } = require("./harness.js");
const { eventually, grpc, messageOf } = require("./sluice.js");

const suite = new Suite(async (client, prefix) => {
  for (const { name } of (await client.request("ListResponders", { prefix })).responders) {
    const d = await describe(client, name);
    assert.equal(d.accepted, d.answered + d.failed + d.responder_gone + d.no_responder + d.too_large
                 + d.timed_out + d.cancelled + d.closed + d.depth + d.in_flight, JSON.stringify(d));
    await client.request("DeleteResponder", { responder: name });
  }
});
const { test } = suite;

async function describe(client, responder) {
  return (await client.request("DescribeResponder", { responder })).description;
}

async function declare(client, responder, spec = {}) {
  return (await client.request("DeclareResponder", { responder, spec })).description;
}

function call(client, responder, payload, more = {}, deadlineMs = undefined) {
  return client.request("Call", { responder, request: messageOf(payload), ...more }, deadlineMs);
}

const text = (reply) => reply.message.payload.toString();
const echo = (worker, { call_id, request }) => worker.reply(call_id, { message: request });

async function serve(client, responder, open, answer) {
  const worker = client.worker(responder, open, answer);
  await worker.until(() => worker.attached || worker.isOver, "attached");
  return worker;
}

test("X30 each caller gets its own reply, whatever the order", async (own) => {
  const { client, name, newClient } = own;
  await declare(client, name);
  const worker = await serve(newClient(), name, { credit: { messages: 300 } });
  const clients = Array.from({ length: 5 }, newClient);
  const calls = Array.from({ length: 300 }, (_, i) => call(clients[i % 5], name, i));
  const assignments = [...await worker.assigned(300)];
  assert.equal((await describe(client, name)).in_flight, 300);
  for (const one of assignments.reverse()) {
    worker.reply(one.call_id, { message: messageOf(`re: ${one.request.payload}`) });
  }
  const replies = await Promise.all(calls);
  replies.forEach((reply, i) => {
    assert.equal(reply.outcome, "OUTCOME_OK");
    assert.equal(text(reply), `re: ${i}`);
  });
});

// Clauses: N26 N25
test("every way a call ends is an outcome", async ({ client, name, newClient }) => {
  await declare(client, name, { capacity: 1 });
  assert.equal((await call(client, name, "x")).outcome, "OUTCOME_NO_RESPONDER");
  const depth = async () => (await describe(client, name)).depth;
  const caller = client.caller();
  const waiting = caller.start(name, "x", { wait_for_responder: true });
  await eventually(async () => await depth() === 1, "the queue");
  assert.equal((await call(client, name, "x", { wait_for_responder: true })).outcome,
               "OUTCOME_FULL");
  caller.call.write({ cancel: [waiting] });
  await eventually(async () => await depth() === 0, "the cancel");
  assert.equal((await call(client, name, "x", { timeout_ms: 100, wait_for_responder: true }))
    .outcome, "OUTCOME_TIMED_OUT");
  const worker = await serve(newClient(), name, {}, (self, { call_id, request }) => {
    if (String(request.payload) === "fail") {
      self.reply(call_id, { failure: { code: "no", text: "not today" } });
    } else if (String(request.payload) === "release") {
      self.reply(call_id, { release: {} });
    } else if (String(request.payload) === "die") {
      self.call.cancel();
    }
  });
  const failed = await call(client, name, "fail");
  assert.equal(failed.outcome, "OUTCOME_FAILED");
  assert.deepEqual(failed.failure, { code: "no", text: "not today" });
  assert.equal((await call(client, name, "release")).outcome, "OUTCOME_NO_RESPONDER");
  const lost = await call(client, name, "die");
  assert.equal(lost.outcome, "OUTCOME_RESPONDER_GONE");
  assert.equal(lost.handed_out, true);
  await worker.end();
  await client.request("CloseResponder", { responder: name });
  const closed = await call(client, name, "x");
  assert.equal(closed.outcome, "OUTCOME_CLOSED");
  assert.equal(closed.reason, "CLOSED_REASON_REQUESTED");
});

// Clauses: N25
test("replies in parts, one by one and gathered", async ({ client, name, newClient }) => {
  await declare(client, name);
  const worker = await serve(newClient(), name, {});
  const parts = [];
  const reading = client.requests.CallParts({ responder: name, request: messageOf("parts") });
  const over = new Promise((resolve, reject) => {
    reading.on("data", (part) => parts.push(part));
    reading.on("end", resolve);
    reading.on("error", reject);
  });
  const { call_id } = (await worker.assigned(1))[0];
  for (let i = 1; i <= 40; ++i) {
    await worker.until(() => worker.allowed.get(call_id) >= i, `credit for ${i}`);
    worker.reply(call_id, { message: messageOf(i) }, i === 40);
  }
  await over;
  assert.deepEqual(parts.map(text), Array.from({ length: 40 }, (_, i) => String(i + 1)));
  assert.deepEqual(parts.map((part) => part.last), [...Array(39).fill(false), true]);
  const gathered = call(client, name, "gathered");
  const second = (await worker.assigned(2))[1];
  assert.equal(second.parts, false);
  worker.reply(second.call_id, { message: messageOf("one, ") }, false);
  await worker.until(() => worker.allowed.get(second.call_id) >= 2, "credit for two");
  worker.reply(second.call_id, { message: messageOf("two") });
  assert.equal(text(await gathered), "one, two");
});

// Clauses: N25
test("a stream of calls: parts with credit, cancel, and the end", async (own) => {
  const { client, name, newClient } = own;
  await declare(client, name);
  const worker = await serve(newClient(), name, {});
  const caller = client.caller();
  const parts = caller.start(name, "parts", { parts: true, part_credit: 2 });
  const dropped = caller.start(name, "dropped");
  const absent = caller.start(`${name}.absent`, "x");
  assert.equal((await caller.last(absent)).outcome, "OUTCOME_ABSENT");
  const [first, second] = await worker.assigned(2);
  assert.equal(first.part_credit, 2);
  worker.reply(first.call_id, { message: messageOf("a") }, false);
  worker.reply(first.call_id, { message: messageOf("b") }, false);
  await caller.until(() => caller.repliesTo(parts).length === 2, "two parts");
  caller.call.write({ part_credit: [{ call_id: parts, parts: 3 }], cancel: [dropped] });
  await worker.until(() => worker.allowed.get(first.call_id) >= 3, "more credit");
  await worker.until(() => worker.cancelled.includes(second.call_id), "the cancel");
  worker.reply(second.call_id, { message: messageOf("late") });
  worker.reply(first.call_id, { message: messageOf("c") });
  assert.equal(text(await caller.last(parts)), "c");
  await worker.until(() => worker.results.length === 4, "four results");
  assert.deepEqual(worker.results, ["OK", "OK", "CLOSED", "OK"]);
  caller.call.end();
  assert.equal(await caller.end(), "CLOSED_REASON_FINISHED");
  assert.equal(caller.repliesTo(dropped).length, 0);
});

test("X34 a second reply, and one to nothing, harm nobody", async ({ client, name, newClient }) => {
  await declare(client, name);
  const worker = await serve(newClient(), name, {});
  const asked = call(client, name, "x");
  const { call_id } = (await worker.assigned(1))[0];
  worker.reply(call_id, { message: messageOf("once") });
  worker.reply(call_id, { message: messageOf("twice") });
  worker.reply(call_id + 99, { message: messageOf("never") });
  await worker.until(() => worker.results.length === 3, "three results");
  assert.deepEqual(worker.results, ["OK", "ALREADY_DONE", "UNKNOWN_CALL"]);
  assert.equal(text(await asked), "once");
  worker.finish();
  assert.equal(await worker.end(), "CLOSED_REASON_FINISHED");
});

test("X37 two workers with credit 1 share the calls", async ({ client, name, newClient }) => {
  await declare(client, name);
  const workers = [];
  for (let i = 0; i < 2; ++i) {
    workers.push(await serve(newClient(), name, { credit: { messages: 1 } }, echo));
  }
  const caller = client.caller();
  const ids = Array.from({ length: 100 }, (_, i) => caller.start(name, i));
  for (const [i, id] of ids.entries()) assert.equal(text(await caller.last(id)), String(i));
  const done = workers.map((worker) => worker.assignments.length);
  assert.equal(done[0] + done[1], 100);
  assert.ok(done[0] > 0 && done[1] > 0, String(done));
});

// Clauses: N22 N24
test("a deadline travels to the worker, and its end is told", async (own) => {
  const { client, name, newClient } = own;
  await declare(client, name);
  const worker = await serve(newClient(), name, {});
  let assigned, deadlineMs;
  for (deadlineMs of [250, 1000, 4000, 16_000]) {  // more, if it was over before it got there
    await assert.rejects(call(client, name, deadlineMs, {}, deadlineMs),
                         (error) => error.code === grpc.status.DEADLINE_EXCEEDED);
    assigned = worker.assignments.find((one) => Number(one.request.payload) === deadlineMs);
    if (assigned) break;
  }
  const { call_id, timeout_ms } = assigned;
  assert.ok(timeout_ms > 0 && timeout_ms <= deadlineMs, String(timeout_ms));
  await worker.until(() => worker.cancelled.includes(call_id), "the cancel");
  worker.reply(call_id, { message: messageOf("late") });
  await worker.until(() => worker.results.length === 1, "the result");
  assert.deepEqual(worker.results, ["CLOSED"]);
});

// Clauses: N7
test("faults carry reason, field, limit and value", async ({ client, name }) => {
  const { INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION } = grpc.status;
  await assertFault(call(client, "nobody", "x"), NOT_FOUND, "RESPONDER_NOT_FOUND");
  assertIsFault(await client.worker("nobody", {}).end(), NOT_FOUND, "RESPONDER_NOT_FOUND");
  await declare(client, name, { capacity: 4, message_bytes_max: 2000 });
  await assertFault(declare(client, name, { capacity: 5 }), FAILED_PRECONDITION,
                    "DECLARED_OTHERWISE");
  await assertFault(call(client, name, "x".repeat(3000)), INVALID_ARGUMENT, "OUT_OF_BOUNDS",
                    { limit: 2000 });
  const caller = client.caller();
  caller.call.write({ calls: [{ call_id: 7, responder: name, wait_for_responder: true }] });
  caller.call.write({ calls: [{ call_id: 7, responder: name, wait_for_responder: true }] });
  assertIsFault(await caller.end(), INVALID_ARGUMENT, "INVALID_FIELD", { call_id: 7 });
});

suite.end();

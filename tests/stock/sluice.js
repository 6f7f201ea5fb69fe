// SPDX-License-Identifier: Apache-2.0
// A stock client of sluice.v1 in Node: @grpc/grpc-js and the protos, nothing else. Streams keep
// what they were told, and `until` waits for it.
"use strict";

const assert = require("node:assert/strict");
const path = require("node:path");
const { EventEmitter } = require("node:events");
const grpc = require("@grpc/grpc-js");
const protoLoader = require("@grpc/proto-loader");

const PROTO_ROOT = path.join(__dirname, "..", "..", "proto");
const BOUND_MS = 30_000;

const definition = protoLoader.loadSync(
  ["queue", "request", "topic", "config", "session", "admin"].map(
    (name) => `sluice/v1/${name}.proto`).concat(
    ["google/rpc/status.proto", "google/rpc/error_details.proto"]),
  { includeDirs: [PROTO_ROOT], keepCase: true, longs: Number, enums: String, defaults: true });
const { sluice: { v1 } } = grpc.loadPackageDefinition(definition);

function deserialize(typeName, bytes) {
  return definition[typeName].deserialize(bytes);
}

// What a status other than OK carries: {code, reason, domain, metadata}.
function faultOf(error) {
  const fault = { code: error.code, text: error.details, reason: "", metadata: {} };
  const rich = error.metadata && error.metadata.get("grpc-status-details-bin")[0];
  if (!rich) return fault;
  for (const detail of deserialize("google.rpc.Status", rich).details) {
    if (!detail.type_url.endsWith("google.rpc.ErrorInfo")) continue;
    const info = deserialize("google.rpc.ErrorInfo", detail.value);
    Object.assign(fault, { reason: info.reason, domain: info.domain, metadata: info.metadata });
  }
  return fault;
}

// A bidirectional call. `frames` has what came; `fault` how it ended, null for OK.
class Stream extends EventEmitter {
  constructor(call) {
    super();
    this.call = call;
    this.frames = [];
    this.fault = undefined;
    call.on("data", (frame) => {
      this.frames.push(frame);
      this.take(frame);
      this.emit("change");
    });
    call.on("error", () => {});  // "status" tells
    call.on("status", (status) => {
      this.fault = status.code === grpc.status.OK ? null : faultOf(status);
      this.emit("change");
    });
  }
  take() {}
  get isOver() { return this.fault !== undefined; }
  get closed() {
    const last = this.frames[this.frames.length - 1];
    return last && last.closed ? last.closed.reason : null;
  }
  async until(condition, what = "what was awaited") {
    const deadline = Date.now() + BOUND_MS;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${what} did not come; fault ${JSON.stringify(this.fault)}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 1000));
        this.once("change", () => { clearTimeout(timer); resolve(); });
      });
    }
  }
  // The reason of Closed after status OK, or the fault.
  async end() {
    await this.until(() => this.isOver, "the end");
    return this.fault || this.closed;
  }
}

class SendStream extends Stream {
  constructor(call, open) {
    super(call);
    this.told = [];
    this.next = 1;
    this.call.write({ open });
  }
  take(frame) {
    if (frame.opened) this.opened = frame.opened;
    for (const ack of frame.acks) {
      for (let i = 0; i < ack.count; ++i) {
        this.told.push({ sequence: ack.first_sequence + i, outcome: ack.outcome,
                         reason: ack.reason, duplicate: ack.duplicate,
                         position: ack.first_position && ack.first_position + i });
      }
    }
  }
  // False: the transport asks to wait for "drain".
  send(...payloads) {
    const first_sequence = this.next;
    this.next += payloads.length;
    return this.call.write({ messages: payloads.map(messageOf), first_sequence });
  }
  async outcomes(count) {
    await this.until(() => this.told.length >= count, `${count} outcomes`);
    return this.told.map((one) => one.outcome.replace("OUTCOME_", ""));
  }
}

// `subscribed` by topic; `missed` is the sum of what Lagged said. `wanted` is the position that
// comes next of each topic, from Subscribed on: nothing may be left out in silence.
class SubscribeStream extends Stream {
  constructor(call) {
    super(call);
    this.refs = new Map();
    this.subscribed = {};
    this.wanted = {};
    this.messages = [];
    this.missed = 0;
    this.ready = false;
  }
  take(frame) {
    if (frame.subscribed) {
      const { topic_ref, topic, next_position } = frame.subscribed;
      this.refs.set(topic_ref, topic);
      this.subscribed[topic] = frame.subscribed;
      this.wanted[topic] = next_position;
    }
    if (frame.ready) this.ready = true;
    const topic = this.refs.get(frame.topic_ref);
    if (frame.lagged) {
      assert.equal(frame.lagged.next_position, this.wanted[topic] + frame.lagged.missed);
      this.missed += frame.lagged.missed;
      this.wanted[topic] = frame.lagged.next_position;
    }
    for (const one of receivedOf(frame)) {
      assert.equal(one.position, this.wanted[topic]++);
      this.messages.push({ ...one, topic });
    }
  }
  async isReady() {
    await this.until(() => this.ready, "ready");
    return this;
  }
  async received(count) {
    await this.until(() => this.messages.length >= count, `${count} messages`);
    return this.messages;
  }
}

// `replies` has what came, in order.
class CallStream extends Stream {
  constructor(call) {
    super(call);
    this.replies = [];
    this.next = 1;
  }
  take(frame) { this.replies.push(...frame.replies); }
  start(responder, payload, more = {}) {
    const call_id = this.next++;
    this.call.write({ calls: [{ call_id, responder, request: messageOf(payload), ...more }] });
    return call_id;
  }
  repliesTo(call_id) { return this.replies.filter((one) => one.call_id === call_id); }
  async last(call_id) {
    const found = () => this.repliesTo(call_id).find((one) => one.last);
    await this.until(found, `the last reply to ${call_id}`);
    return found();
  }
}

// A worker. `answer(worker, assignment)`, if given, is called for each assignment as it comes.
class ServeStream extends Stream {
  constructor(call, open, answer = null) {
    super(call);
    this.answer = answer;
    this.assignments = [];
    this.cancelled = [];
    this.results = [];
    this.allowed = new Map();
    this.call.write({ open });
  }
  take(frame) {
    if (frame.attached) this.attached = frame.attached;
    this.results.push(...frame.results.map((one) => one.outcome.replace("OUTCOME_", "")));
    this.assignments.push(...frame.assignments);
    for (const one of frame.assignments) this.allowed.set(one.call_id, one.part_credit);
    for (const one of frame.part_credit) this.allowed.set(one.call_id, one.parts);
    this.cancelled.push(...frame.cancelled);
    if (this.answer) for (const one of frame.assignments) this.answer(this, one);
  }
  async assigned(count) {
    await this.until(() => this.assignments.length >= count, `${count} assignments`);
    return this.assignments;
  }
  // `content` is {message}, {failure} or {release}; none: just the end.
  reply(call_id, content = {}, last = true) {
    this.call.write({ replies: [{ call_id, last, ...content }] });
  }
  finish() { this.call.write({ finish: true }); }
}

// `entries` has what came, in order; `mark` is end_of_snapshot.
class WatchStream extends Stream {
  constructor(call) {
    super(call);
    this.entries = [];
    this.mark = null;
    this.reset = null;
  }
  take(frame) {
    if (frame.reset) this.reset = frame.reset;
    for (const entry of frame.entries) {
      this.entries.push({ ...entry, text: entry.deleted ? null : entry.value.toString() });
    }
    if (frame.end_of_snapshot) this.mark = frame.end_of_snapshot;
  }
  async marked() {
    await this.until(() => this.mark, "end_of_snapshot");
    return this;
  }
  async told(count) {
    await this.until(() => this.entries.length >= count, `${count} entries`);
    return this.entries.map((entry) => [entry.key, entry.text]);
  }
}

class ReceiveStream extends Stream {
  constructor(call, open) {
    super(call);
    this.messages = [];
    this.settled = [];
    this.call.write({ open });
  }
  take(frame) {
    if (frame.attached) this.attached = frame.attached;
    if (frame.waiting) this.waiting = frame.waiting;
    this.messages.push(...receivedOf(frame));
    this.settled.push(...frame.settled);
  }
  async received(count) {
    await this.until(() => this.messages.length >= count, `${count} messages`);
    return this.messages;
  }
  settle(action, first_position, count = 1, more = {}) {
    this.call.write({ settlements: [{ first_position, count, action: `SETTLE_ACTION_${action}`,
                                      ...more }] });
  }
  finish() { this.call.write({ finish: true }); }
}

function messageOf(payload) {
  return { payload: Buffer.from(String(payload)) };
}

// Messages with what their runs say of them.
function receivedOf({ messages, runs }) {
  const places = runs.flatMap((run) => Array.from({ length: run.count }, (_, i) => (
    { position: run.first_position + i, attempts: run.attempts, failures: run.failures })));
  return messages.map((message, i) => (
    { ...places[i], text: message.payload.toString(), message }));
}

// One connection. Unary calls are promises.
class Client {
  constructor(address) {
    const options = { "grpc.use_local_subchannel_pool": 1 };
    const credentials = grpc.credentials.createInsecure();
    this.queues = new v1.QueueService(address, credentials, options);
    this.requests = new v1.RequestService(address, credentials, options);
    this.topics = new v1.TopicService(address, credentials, options);
    this.keys = new v1.ConfigService(address, credentials, options);
    this.sessions = new v1.SessionService(address, credentials, options);
    this.admin = new v1.AdminService(address, credentials, options);
  }
  close() {
    for (const stub of [this.queues, this.requests, this.topics, this.keys, this.sessions,
                        this.admin]) stub.close();
  }
  call(stub, method, request, deadlineMs = BOUND_MS) {
    return new Promise((resolve, reject) => {
      stub[method](request, { deadline: Date.now() + deadlineMs },
                   (error, reply) => (error ? reject(error) : resolve(reply)));
    });
  }
  queue(method, request, deadlineMs) { return this.call(this.queues, method, request, deadlineMs); }
  request(method, request, deadlineMs) {
    return this.call(this.requests, method, request, deadlineMs);
  }
  topic(method, request, deadlineMs) { return this.call(this.topics, method, request, deadlineMs); }
  config(method, request, deadlineMs) { return this.call(this.keys, method, request, deadlineMs); }
  async declare(queue, spec = {}) {
    return (await this.queue("DeclareQueue", { queue, spec })).description;
  }
  async describe(queue) { return (await this.queue("DescribeQueue", { queue })).description; }
  // The outcome of each message.
  async send(queue, payloads, more = {}) {
    const reply = await this.queue("Send", {
      queue, messages: payloads.map(messageOf), mode: "SEND_MODE_TRY", ...more });
    return outcomesOf(reply);
  }
  async publish(topic, payloads, more = {}) {
    return outcomesOf(await this.topic("Publish", {
      topic, messages: payloads.map(messageOf), ...more }));
  }
  sender(queue, open) { return new SendStream(this.queues.SendStream(), { queue, ...open }); }
  receiver(queue, open) {
    return new ReceiveStream(this.queues.ReceiveStream(), { queue, ...open });
  }
  publisher(topic, open) {
    return new SendStream(this.topics.PublishStream(), { topic, ...open });
  }
  subscriber(request) { return new SubscribeStream(this.topics.Subscribe(request)); }
  caller() { return new CallStream(this.requests.CallStream()); }
  worker(responder, open, answer) {
    return new ServeStream(this.requests.Serve(), { responder, ...open }, answer);
  }
  watcher(request) { return new WatchStream(this.keys.Watch(request)); }
}

function outcomesOf({ acks }) {
  return acks.flatMap((ack) => Array(ack.count).fill(ack.outcome.replace("OUTCOME_", "")));
}

async function eventually(condition, what) {
  const deadline = Date.now() + BOUND_MS;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

module.exports = { Client, Stream, faultOf, messageOf, receivedOf, eventually, grpc };

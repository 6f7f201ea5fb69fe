// SPDX-License-Identifier: Apache-2.0
// A stock client of sluice.v1 in Node: @grpc/grpc-js and the protos, nothing else. Streams keep
// what they were told, and `until` waits for it.
"use strict";

const path = require("node:path");
const { EventEmitter } = require("node:events");
const grpc = require("@grpc/grpc-js");
const protoLoader = require("@grpc/proto-loader");

const PROTO_ROOT = path.join(__dirname, "..", "..", "proto");
const BOUND_MS = 30_000;

const definition = protoLoader.loadSync(
  ["queue", "session", "admin"].map((name) => `sluice/v1/${name}.proto`).concat(
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
  constructor(client, queue, open = {}) {
    super(client.queues.SendStream());
    this.told = [];
    this.next = 1;
    this.call.write({ open: { queue, ...open } });
  }
  take(frame) {
    if (frame.opened) this.opened = frame.opened;
    for (const ack of frame.acks) {
      for (let i = 0; i < ack.count; ++i) {
        this.told.push({ sequence: ack.first_sequence + i, outcome: ack.outcome,
                         reason: ack.reason, duplicate: ack.duplicate });
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

class ReceiveStream extends Stream {
  constructor(client, queue, open = {}) {
    super(client.queues.ReceiveStream());
    this.messages = [];
    this.settled = [];
    this.call.write({ open: { queue, ...open } });
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
    this.sessions = new v1.SessionService(address, credentials, options);
    this.admin = new v1.AdminService(address, credentials, options);
  }
  close() {
    for (const stub of [this.queues, this.sessions, this.admin]) stub.close();
  }
  call(stub, method, request, deadlineMs = BOUND_MS) {
    return new Promise((resolve, reject) => {
      stub[method](request, { deadline: Date.now() + deadlineMs },
                   (error, reply) => (error ? reject(error) : resolve(reply)));
    });
  }
  queue(method, request, deadlineMs) { return this.call(this.queues, method, request, deadlineMs); }
  async declare(queue, spec = {}) {
    return (await this.queue("DeclareQueue", { queue, spec })).description;
  }
  async describe(queue) { return (await this.queue("DescribeQueue", { queue })).description; }
  // The outcome of each message.
  async send(queue, payloads, more = {}) {
    const reply = await this.queue("Send", {
      queue, messages: payloads.map(messageOf), mode: "SEND_MODE_TRY", ...more });
    return reply.acks.flatMap((ack) => Array(ack.count).fill(ack.outcome.replace("OUTCOME_", "")));
  }
  sender(queue, open) { return new SendStream(this, queue, open); }
  receiver(queue, open) { return new ReceiveStream(this, queue, open); }
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

module.exports = { Client, Stream, faultOf, receivedOf, eventually, grpc };

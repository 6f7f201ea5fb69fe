// SPDX-License-Identifier: Apache-2.0
// A producer in Node, on @grpc/grpc-js and the protos: sends lines of a text as jobs.
// Usage: producer.js ADDRESS QUEUE FILE FIRST LAST   (line numbers, from 1)
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const stock = path.join(__dirname, "..", "stock", "node_modules");
const grpc = require(path.join(stock, "@grpc/grpc-js"));
const protoLoader = require(path.join(stock, "@grpc/proto-loader"));

const FRAME = 50;

const definition = protoLoader.loadSync("sluice/v1/queue.proto", {
  includeDirs: [path.join(__dirname, "..", "..", "proto")],
  keepCase: true, longs: Number, enums: String, defaults: true });
const { QueueService } = grpc.loadPackageDefinition(definition).sluice.v1;

const [address, queue, file, first, last] = process.argv.slice(2);
const lines = fs.readFileSync(file, "latin1").split("\n");  // bytes, whatever they are
const jobs = [];
for (let number = Number(first); number <= Number(last); ++number) {
  jobs.push({ id: String(number), content_type: "text/plain",
              payload: Buffer.from(lines[number - 1], "latin1") });
}

function say(text) { console.log(`  [node] ${text}`); }
function fail(text) {
  console.error(`producer.js: ${text}`);
  process.exit(1);
}

say(`sends ${jobs.length} lines, waits where there is no room`);
const client = new QueueService(address, grpc.credentials.createInsecure());
const stream = client.SendStream({ deadline: Date.now() + 120_000 });
let accepted = 0, toldAt = 0, closed = null;
stream.on("data", (response) => {
  for (const ack of response.acks) {
    if (ack.outcome !== "OUTCOME_OK") fail(ack.outcome);
    accepted += ack.count;
  }
  if (accepted - toldAt >= 2000 || (accepted === jobs.length && toldAt !== accepted)) {
    toldAt = accepted;
    say(`${accepted} accepted`);
  }
  if (response.closed) closed = response.closed.reason;
});
stream.on("error", (error) => fail(error.message));
stream.on("end", () => {
  if (accepted !== jobs.length || closed !== "CLOSED_REASON_FINISHED") {
    fail(`${accepted} of ${jobs.length} accepted, end ${closed}`);
  }
  client.close();
});

stream.write({ open: { queue, mode: "SEND_MODE_WAIT", producer_id: crypto.randomBytes(16) } });
let next = 0;
function writeOn() {  // until the transport asks to wait
  while (next < jobs.length) {
    const goesOn = stream.write({ messages: jobs.slice(next, next + FRAME),
                                  first_sequence: next + 1 });
    next += FRAME;
    if (!goesOn) return stream.once("drain", writeOn);
  }
  stream.end();
}
writeOn();

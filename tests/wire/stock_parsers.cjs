// SPDX-License-Identifier: Apache-2.0
// The part of stock_parsers.py for protobufjs, the parser under @grpc/proto-loader.
// Usage: node stock_parsers.cjs FRAMES PROTO_FOLDER STOCK_FOLDER
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { createRequire } = require('node:module');

const [frames, protos, stock] = process.argv.slice(2);
const protobuf = createRequire(path.join(path.resolve(stock), 'package.json'))('protobufjs');

const counted = (data) => Buffer.concat([Buffer.from(`${data.length}:`), data]);

function contentOf(messages) {
  const parts = [];
  for (const message of messages) {
    parts.push(Buffer.from(message.payload), Buffer.from(message.id));
    parts.push(Buffer.from(message.contentType));
    const headers = Object.entries(message.headers);
    const pairs = headers.map(([key, value]) => [Buffer.from(key), Buffer.from(value)]);
    pairs.sort(([a], [b]) => Buffer.compare(a, b));
    for (const [key, value] of pairs) parts.push(key, value);
  }
  return Buffer.concat(parts.map(counted));
}

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => path.join(protos, target);
root.loadSync('sluice/v1/queue.proto');
const request = root.lookupType('sluice.v1.SendStreamRequest');

const data = fs.readFileSync(frames);
let judged = 0;
for (let at = 0; at < data.length; judged += 1) {
  const [recordBytes, count, contentBytes] = [0, 4, 8].map((i) => data.readUInt32LE(at + i));
  const records = data.subarray(at + 12, at + 12 + recordBytes);
  at += 12 + recordBytes + contentBytes;
  const content = data.subarray(at - contentBytes, at);
  const { messages } = request.decode(records);
  if (messages.length !== count || !contentOf(messages).equals(content)) {
    console.error(`protobufjs reads something else in ${records.toString('hex')}`);
    process.exit(1);
  }
}
console.log(`protobufjs: ${judged} frames`);
process.exit(judged > 0 ? 0 : 1);

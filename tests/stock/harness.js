// SPDX-License-Identifier: Apache-2.0
// Tests of one file: one daemon, and for each test a connection and a name of its own.
"use strict";

const assert = require("node:assert/strict");
const nodeTest = require("node:test");
const { startDaemon } = require("./daemon.js");
const { Client, faultOf } = require("./sluice.js");

// `settle(client, name)` looks at what the test has left behind, and deletes it.
class Suite {
  constructor(settle) {
    this.settle = settle;
    this.starting = startDaemon();
    this.number = 0;
    this.test = this.test.bind(this);
  }
  newClient() {
    this.clients.push(new Client(this.daemon.address));
    return this.clients[this.clients.length - 1];
  }
  // `body` gets {client, name, newClient, daemon}.
  test(name, body) {
    nodeTest(name, { timeout: 120_000 }, async () => {
      this.daemon = await this.starting;
      this.clients = [];
      const client = this.newClient();
      const own = `node.${++this.number}`;
      try {
        await body({ client, name: own, newClient: () => this.newClient(), daemon: this.daemon });
        await this.settle(client, own);
      } finally {
        for (const one of this.clients) one.close();
      }
    });
  }
  // The last one: tests of a file run one after another.
  end() {
    nodeTest("the daemon ends on SIGTERM with exit code 0",
             async () => (await this.starting).stop());
  }
}

async function assertFault(promise, code, reason, metadata = {}) {
  const error = await promise.then(() => null, (raised) => raised);
  assert.ok(error, `expected ${reason}`);
  assertIsFault(faultOf(error), code, reason, metadata);
}

function assertIsFault(fault, code, reason, metadata = {}) {
  assert.ok(fault, `expected ${reason}`);
  assert.equal(fault.code, code, JSON.stringify(fault));
  assert.equal(fault.reason, reason, JSON.stringify(fault));
  assert.equal(fault.domain, "sluice");
  for (const [key, value] of Object.entries(metadata)) {
    assert.equal(fault.metadata[key], String(value), JSON.stringify(fault));
  }
}

module.exports = { Suite, assertFault, assertIsFault };

// SPDX-License-Identifier: Apache-2.0
// The daemon under test: SLUICED (a path) on a free port; it must end on SIGTERM with exit code 0,
// and without a sanitizer's report.
"use strict";

const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");

async function startDaemon(...options) {
  const words = ["--listen", "127.0.0.1:0", "--http", "off", "--drain-grace-ms", "2000"];
  const child = spawn(process.env.SLUICED, [...words, ...options],
                      { stdio: ["ignore", "pipe", "pipe"] });
  let out = "", log = "";
  child.stderr.on("data", (data) => { log += data; });
  const ended = new Promise((resolve) => child.on("close", (code) => resolve(code)));
  const port = await new Promise((resolve, reject) => {
    child.stdout.on("data", (data) => {
      out += data;
      const match = /port (\d+)\n/.exec(out);
      if (match) resolve(match[1]);
    });
    ended.then((code) => reject(new Error(`the daemon ended with ${code}: ${log}`)));
  });
  return {
    address: `127.0.0.1:${port}`,
    async stop() {
      child.kill("SIGTERM");
      assert.equal(await ended, 0, log);
      assert.doesNotMatch(log, /(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:/);
    },
  };
}

module.exports = { startDaemon };

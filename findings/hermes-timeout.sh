#!/usr/bin/env bash
# @pythnetwork/hermes-client 3.1.0: the `timeout` of HermesClient, and a caller's own AbortSignal.
#
# Expected: the type's documentation of `httpRetries` says of a request that "it will timeout regardless of the retries
#   at the configured `timeout` time", so with 300 ms a call ends, one way or the other, after 300 ms.
# Happens: the time is for each of four attempts, and the pauses of at least 100, 200 and 400 ms are on top: a server
#   that answers 503 after 200 ms keeps a call for 1.5 s and more. With the default of 5 s that is up to 21 s. A caller's
#   signal ends it at once only if it was aborted without a reason; else its pauses are waited for to the last.
# Matters: a keeper that gives its price 300 ms and then takes another source waits five times as long and longer, just
#   when the price service is busy. A 404 for a feed that does not exist is asked four times as well.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @pythnetwork/hermes-client@3.1.0 axios@1.7.9
cat > run.mjs <<'JS'
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { HermesClient } from "@pythnetwork/hermes-client";

console.log("@pythnetwork/hermes-client 3.1.0, on a server here that answers 503 after 200 ms");
let requests = 0;
const server = createServer((_, response) => {
  requests++;
  setTimeout(() => response.writeHead(503).end("busy"), 200);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${server.address().port}`;

async function timed(name, call) {
  requests = 0;
  const from = performance.now();
  await assert.rejects(call);
  const took = performance.now() - from;
  console.log(`${name}: ${requests} requests, ${(took / 1000).toFixed(1)} s`);
  return { requests, took };
}
const client = new HermesClient(url, { timeout: 300 });
const own = await timed("timeout 300 ms", () => client.getPriceFeeds());
assert.equal(own.requests, 4);
assert.ok(own.took > 1400);
const reason = new AbortController();
setTimeout(() => reason.abort(new Error("shutting down")), 100);
const aborted = await timed("aborted by the caller after 100 ms, with a reason", () =>
  client.getPriceFeeds({ fetchOptions: { signal: reason.signal } }),
);
assert.ok(aborted.took > 700, "it goes on to the last pause");
const plain = new AbortController();
setTimeout(() => plain.abort(), 100);
const ended = await timed("the same without a reason", () => client.getPriceFeeds({ fetchOptions: { signal: plain.signal } }));
assert.ok(ended.took < 400);
server.closeAllConnections();
server.close();
JS
node run.mjs

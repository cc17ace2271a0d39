import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Engine } from "breakwater-client";
import { World } from "./support/world.js";

const FILE = new URL("../../engine.wasm", import.meta.url);

test("the engine is loaded from its file, or from bytes that the caller has", async () => {
  const [found, given] = [await Engine.load(), await Engine.load(readFileSync(FILE))];
  const config = found.exampleConfig();
  assert.ok(config.initialLtv < config.targetLtv && config.liquidationLtv < config.takeoverLtv);
  assert.deepEqual(given.exampleConfig(), config);
});

test("asking does not use up memory", async () => {
  const world = await World.create();
  const market = await world.load();
  const at = { unix: world.unix, slot: world.slot };
  const first = world.engine.heatMap(market, at);
  for (let times = 0; times < 2_000; times++) world.engine.heatMap(market, at);
  assert.ok(world.engine.memoryBytes < 4 * 1024 * 1024, `${world.engine.memoryBytes}`);
  assert.deepEqual(world.engine.heatMap(market, at), first);
});

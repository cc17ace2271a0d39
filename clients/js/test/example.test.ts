import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ERRORS, findMarginAccountPda } from "breakwater-client";
import { borrow } from "../examples/borrow.js";
import { liquidate } from "../examples/liquidate.js";
import { describeMarket } from "../examples/market.js";
import { SOL, USD, USDC, World } from "./support/world.js";

test("the examples say what they promise", async () => {
  const world = await World.create();
  await world.populate(1_000n * USDC);
  const { rpc, market } = world;
  const alice = await world.actor(SOL);
  // 70% of 100 USDC, at the lower end of both confidence intervals, halved.
  assert.equal(
    await borrow(rpc, alice, market),
    "owes 34.965017, LTV 34.97%; liquidated at 43.71, taken over at 36.81; at most 69.930034: InitialLtvExceeded",
  );
  const same = (fall: number) => `news of -${fall}% end at -${fall}% if everyone dumps, -${fall}% here`;
  assert.deepEqual(await describeMarket(rpc, market), [
    "Normal at 100.00",
    "a fall of 38% would leave the backstop 1000.00; new loans may use 1000.00",
    "while that is negative, 1200.000 more can be taken over at once",
    "34.96 is liquidated from 43.53",
    "nearest: 55.51% below",
    ...[10, 20, 30, 40, 50].map(same),
    "news that halve the price: -50% if everyone dumps, -50% here",
  ]);

  const keeper = await world.actor();
  const [account] = await findMarginAccountPda({ market, owner: alice.address, id: 0 });
  world.advance(60n);
  await world.setPrice(44n * USD);
  assert.equal(await liquidate(rpc, keeper, market, account), `AccountHealthy: ${ERRORS.AccountHealthy.message}`);
  await world.setPrice(43n * USD);
  assert.match(
    await liquidate(rpc, keeper, market, account),
    /^took over [1-9]\d*\.\d{6} of debt, for 0\.\d{6}; 0\.000000 waits$/,
  );
  const [, ...after] = await describeMarket(rpc, market);
  assert.match(after.at(-1) ?? "", /^\d+\.\d{3} at \d+\.\d\d at \d+$/);
});

/** Without indentation, which excerpts may lose. */
function lines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .join("\n");
}

test("every snippet of the README is from a file that the tests run", () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const sources = ["examples", "test"].flatMap((folder) =>
    readdirSync(root + folder)
      .filter((file) => file.endsWith(".ts"))
      .map((file) => lines(readFileSync(`${root}${folder}/${file}`, "utf8"))),
  );
  const blocks = [...readFileSync(`${root}README.md`, "utf8").matchAll(/```ts\n(.*?)```/gs)];
  assert.ok(blocks.length >= 4);
  for (const [, block = ""] of blocks) {
    assert.ok(
      sources.some((source) => source.includes(lines(block))),
      `nothing that is tested has these lines:\n${block}`,
    );
  }
});

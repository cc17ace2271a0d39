import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Instruction } from "@solana/kit";
import {
  BreakwaterError,
  breakwaterErrorOf,
  ERRORS,
  type ErrorName,
  getBorrowInstructionAsync,
  getDepositCollateralInstructionAsync,
  getEmergencyHaltInstructionAsync,
  getWithdrawCollateralInstructionAsync,
} from "breakwater-client";
import { SOL, USD, USDC, World } from "./support/world.js";

const idl = JSON.parse(readFileSync(new URL("../../../../idl/breakwater.json", import.meta.url), "utf8"));

test("every error of the program has its name and message", () => {
  for (const { code, name, msg } of idl.errors as { code: number; name: string; msg: string }[]) {
    const error = new BreakwaterError(code);
    assert.equal(error.error, name);
    assert.equal(error.code, code);
    assert.equal(error.message, `${name}: ${msg}`);
  }
  assert.equal(Object.keys(ERRORS).length, idl.errors.length);
  assert.throws(() => new BreakwaterError(5_999), RangeError);
  assert.equal(breakwaterErrorOf(new Error("of somebody else")), undefined);
});

test("what the program refuses is named, by quotes as well", async () => {
  const world = await World.create();
  await world.populate(100_000n * USDC);
  const alice = await world.borrower(10n * SOL);
  await world.borrow(alice, 100n * USDC);
  const mallory = await world.actor(SOL);
  const { accounts } = await world.load();
  const { owner, marginAccount } = alice;

  const refused = async (name: ErrorName, instruction: Instruction, signer = owner) => {
    await assert.rejects(world.send([instruction], signer), (error) => {
      const found = breakwaterErrorOf(error);
      assert.equal(found?.error, name);
      assert.equal(found?.cause, error);
      return true;
    });
  };
  const borrow = (amount: bigint) => getBorrowInstructionAsync({ ...accounts, marginAccount, owner, amount });
  const withdraw = (amount: bigint) =>
    getWithdrawCollateralInstructionAsync({ ...accounts, marginAccount, owner, amount });
  const account = await world.account(alice);
  const quoted = async (error: ErrorName, borrowed: bigint) => {
    const quotes = await world.quotes();
    assert.throws(() => quotes.healthAfterBorrow(account, borrowed), { error });
  };

  const deposit = { ...accounts, marginAccount, depositor: owner, amount: 0n };
  await refused("ZeroAmount", await getDepositCollateralInstructionAsync(deposit));
  await refused("InsufficientCollateral", await withdraw(11n * SOL));
  await refused("InsufficientLiquidity", await borrow(1_000_000n * USDC));
  await quoted("InsufficientLiquidity", 1_000_000n * USDC);
  await refused("InitialLtvExceeded", await borrow(9_000n * USDC));
  await quoted("InitialLtvExceeded", 9_000n * USDC);
  const steal = { ...accounts, marginAccount, owner: mallory, amount: USDC };
  await refused("WrongOwner", await getBorrowInstructionAsync(steal), mallory);
  const { collateralFeed: quoteFeed, quoteFeed: collateralFeed } = accounts;
  const swapped = { ...accounts, collateralFeed, quoteFeed, marginAccount, owner, amount: USDC };
  await refused("WrongFeed", await getBorrowInstructionAsync(swapped));

  world.advance(11n);
  await refused("PriceTooOld", await borrow(USDC));
  await quoted("PriceTooOld", USDC);
  await world.setPrice(100n * USD);
  const halt = { ...accounts, signer: world.authority, seconds: 60 };
  await world.send([await getEmergencyHaltInstructionAsync(halt)]);
  await refused("MarketHalted", await borrow(USDC));
  await quoted("MarketHalted", USDC);
  const halted = await world.quotes();
  assert.throws(() => halted.maxBorrow(account), { error: "MarketHalted" });
  assert.equal(halted.prices().judged, null);
  assert.equal(halted.health(account).liquidatable, false);
});

test("accounts of another version are not taken for numbers", async () => {
  const world = await World.create();
  const market = await world.load();
  const cut = { ...market, bytes: market.bytes.slice(0, -1) };
  assert.throws(() => world.engine.heatMap(cut, { unix: 0n, slot: 0n }), TypeError);
});

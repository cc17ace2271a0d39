import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Address, address, getBase64Encoder } from "@solana/kit";
import { type FeedPin, feedAccount, PYTH_STACKS, pullFeed, readFeed } from "breakwater-client";
import { priceUpdate } from "./support/world.js";

/** Pyth's SOL/USD, and the account in which its sponsors keep it on mainnet. */
const SOL_USD_ID = "0xef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d";
const SOL_USD = pullFeed(SOL_USD_ID, PYTH_STACKS.rec5.receiver) as FeedPin;
const SOL_USD_ACCOUNT = address("7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE");
const PUSH_OWNER = address("FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH");

const pushPin = (key: Address): FeedPin => ({ key, owner: PUSH_OWNER, kind: 2, padding: new Uint8Array(7) });

test("feed accounts are where Pyth's sponsors post", async () => {
  assert.equal(await feedAccount(SOL_USD), SOL_USD_ACCOUNT);
  assert.notEqual(await feedAccount(SOL_USD, 1), SOL_USD_ACCOUNT);
  const other = { ...SOL_USD, owner: PYTH_STACKS.rec2.receiver };
  assert.equal(await feedAccount(other), address("7AviUf9nL62mcxNbQGKm4nKDQnPjswo6c5MX4D57HmyE"));
  assert.equal(await feedAccount(pushPin(SOL_USD_ACCOUNT)), SOL_USD_ACCOUNT);
});

test("an update that is not what the market has pinned is refused", () => {
  const data = new Uint8Array(priceUpdate(SOL_USD.key, 123n, 5n, 6n, SOL_USD_ACCOUNT));
  const read = (bytes: Uint8Array, pin = SOL_USD, owner: Address = PYTH_STACKS.rec5.receiver) =>
    readFeed(pin, SOL_USD_ACCOUNT, owner, bytes);
  assert.deepEqual(read(data), { price: 123n, conf: 0n, expo: -8, emaPrice: 123n, publishTime: 5n });
  const partly = data.with(40, 0);
  assert.throws(() => read(partly), { name: "FeedError", message: /not fully verified/ });
  assert.throws(() => read(data.slice(0, 100)), { name: "FeedError", message: /no price update/ });
  assert.throws(() => read(data, { ...SOL_USD, key: PUSH_OWNER }), { name: "FeedError", message: /another feed/ });
  assert.throws(() => read(data, SOL_USD, PUSH_OWNER), { name: "FeedError", message: /belongs to/ });
});

test("a price account that Pyth keeps up to date is read", () => {
  const data = new Uint8Array(3_312);
  const view = new DataView(data.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setInt32(20, -8, true);
  view.setBigInt64(48, 99n, true);
  view.setBigInt64(96, 1_700_000_000n, true);
  view.setBigInt64(208, 100n, true);
  view.setBigUint64(216, 1n, true);
  view.setUint32(224, 1, true);
  const pin = pushPin(SOL_USD_ACCOUNT);
  const read = (bytes: Uint8Array) => readFeed(pin, SOL_USD_ACCOUNT, PUSH_OWNER, bytes);
  const reading = { price: 100n, conf: 1n, expo: -8, emaPrice: 99n, publishTime: 1_700_000_000n };
  assert.deepEqual(read(data), reading);
  assert.throws(() => read(data.with(224, 2)), { name: "FeedError", message: /not trading/ });
  assert.throws(() => read(data.with(0, 0)), { name: "FeedError", message: /no price account/ });
  assert.throws(() => readFeed(pin, PUSH_OWNER, PUSH_OWNER, data), { name: "FeedError", message: /has pinned/ });
});

/** Real mainnet accounts, for whoever has them: see tests/instructions/observe_price/real_accounts.rs. */
const folder = process.env.BREAKWATER_PYTH_DATA ?? "";

test("real accounts are read", { skip: !existsSync(folder) && "BREAKWATER_PYTH_DATA names no folder" }, () => {
  for (const file of ["pull-sol-usd.json", "push-sol-usd.json"]) {
    const { account, pubkey } = JSON.parse(readFileSync(join(folder, file), "utf8"));
    const data = new Uint8Array(getBase64Encoder().encode(account.data[0]));
    const push = file.startsWith("push");
    const pin = push ? { ...pushPin(pubkey), owner: account.owner } : SOL_USD;
    // Classic accounts are no longer trading on mainnet.
    if (push) assert.throws(() => readFeed(pin, pubkey, account.owner, data), { message: /not trading/ });
    if (push) data[224] = 1;
    const { price, conf, expo, emaPrice } = readFeed(pin, pubkey, account.owner, data);
    assert.equal(expo, -8, file);
    assert.ok(price > 1_000_000_000n && emaPrice > price / 2n && emaPrice < price * 2n && conf < price / 50n, file);
  }
});

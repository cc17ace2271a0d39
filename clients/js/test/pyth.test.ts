import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import {
  type AccountMeta,
  type Address,
  createNoopSigner,
  getBase64Decoder,
  getBase64Encoder,
  type Instruction,
  isSignerRole,
  isWritableRole,
} from "@solana/kit";
import {
  atomicPost,
  FEED_KINDS,
  type FeedPinArgs,
  getBorrowInstructionAsync,
  getObservePriceInstruction,
  HermesError,
  hermes,
  PYTH_STACKS,
  PythError,
  type PythTransaction,
  parsePythUpdate,
  postPrices,
  provenPrice,
  pythPriceAccount,
  pythUpdateBytes,
  refreshPrices,
} from "breakwater-client";
import { borrow } from "../examples/borrow.js";
import { type Borrower, programFile, SOL, USD, USDC, World } from "./support/world.js";

/** The Rust client's: written by tests/instructions/pyth_post/vectors.rs. */
const vectors = JSON.parse(readFileSync(new URL("../../test/pyth.json", import.meta.url), "utf8")) as {
  update: string;
  time: number;
  price: string;
  feeds: [Address, Address];
  payer: Address;
  shard: number;
  treasury: number;
  seed: string;
  rent: number;
  signers: number;
  stacks: {
    name: keyof typeof PYTH_STACKS;
    receiver: Address;
    accounts: { address: Address; owner: Address; data: string }[];
    priceAccounts: Address[];
    transactions: Transaction[];
    atomicAccount: Address;
    atomic: Transaction | null;
  }[];
};

interface Transaction {
  bytes: number;
  instructions: {
    program: Address;
    accounts: { address: Address; signer: boolean; writable: boolean }[];
    data: string;
  }[];
}

const UPDATE = bytesOf(vectors.update);
const [COLLATERAL, QUOTE] = vectors.feeds;

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(getBase64Encoder().encode(text));
}

function plain({ bytes, instructions }: PythTransaction): Transaction {
  const account = ({ address, role }: AccountMeta) => ({
    address,
    signer: isSignerRole(role),
    writable: isWritableRole(role),
  });
  const one = ({ programAddress, accounts = [], data = new Uint8Array() }: Instruction) => ({
    program: programAddress,
    accounts: (accounts as AccountMeta[]).map(account),
    data: getBase64Decoder().decode(data),
  });
  return { bytes, instructions: instructions.map(one) };
}

function posting(stack: keyof typeof PYTH_STACKS) {
  const { shard, treasury, seed } = vectors;
  const payer = createNoopSigner(vectors.payer);
  return { stack: PYTH_STACKS[stack], payer, shard, treasury, seed, rent: BigInt(vectors.rent), microLamports: 5n };
}

test("an update is read as it was signed, and written as it was", () => {
  const update = parsePythUpdate(UPDATE);
  assert.deepEqual(new Uint8Array(pythUpdateBytes(update)), UPDATE);
  const { message, proof } = provenPrice(update, COLLATERAL);
  assert.deepEqual(
    [message.price, message.expo, message.publishTime, message.emaPrice, message.rest.length, proof.length],
    [BigInt(vectors.price), -8, BigInt(vectors.time), BigInt(vectors.price), 0, 12],
  );
  assert.deepEqual([update.vaa.set, update.vaa.signatures.map(({ signer }) => signer)], [1, [0, 1, 2]]);
  assert.throws(() => provenPrice(update, vectors.payer), { name: "PythError", reason: "FeedMissing" });
});

test("an update with one byte less is none", () => {
  for (let length = 0; length < UPDATE.length; length++) {
    const reason = length < 4 ? "NotAnUpdate" : "Truncated";
    assert.throws(() => parsePythUpdate(UPDATE.slice(0, length)), { name: "PythError", reason }, `${length}`);
  }
});

test("each wrong version and kind has its own reason", () => {
  const vaa = 10;
  const body = vaa + 6 + 3 * 66;
  const message = UPDATE.length - (12 * 20 + 1) - 85;
  for (const [at, reason] of [
    [0, "NotAnUpdate"],
    [4, "UpdateVersion"],
    [7, "ProofKind"],
    [vaa, "VaaVersion"],
    [body + 51, "NotARoot"],
    [body + 55, "RootKind"],
    [message, "MessageKind"],
  ] as const) {
    assert.throws(() => parsePythUpdate(UPDATE.with(at, (UPDATE[at] as number) ^ 8)), { name: "PythError", reason });
  }
});

test("a flipped bit of a message or a proof is seen", () => {
  const first = UPDATE.length - 2 * (2 + 85 + 1 + 12 * 20);
  let flips = 0;
  for (let at = first; at < UPDATE.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = UPDATE.with(at, (UPDATE[at] as number) ^ (1 << bit));
      const read = () => {
        const update = parsePythUpdate(flipped);
        for (const feed of vectors.feeds) provenPrice(update, feed);
      };
      assert.throws(read, PythError, `byte ${at}, bit ${bit}`);
      flips++;
    }
  }
  assert.equal(flips, 2 * 328 * 8);
});

for (const stack of vectors.stacks) {
  test(`${stack.name}: transactions are the Rust client's`, async () => {
    const update = parsePythUpdate(UPDATE);
    assert.equal(PYTH_STACKS[stack.name].receiver, stack.receiver);
    const accounts = vectors.feeds.map((feed) => pythPriceAccount(PYTH_STACKS[stack.name], feed, vectors.shard));
    assert.deepEqual(await Promise.all(accounts), stack.priceAccounts);
    const transactions = await postPrices(posting(stack.name), update, [COLLATERAL, QUOTE, COLLATERAL]);
    assert.deepEqual(transactions.map(plain), stack.transactions);
    for (const { bytes } of transactions) assert.ok(bytes <= 1_232);
    const account = createNoopSigner(stack.atomicAccount);
    const atomic = atomicPost(posting(stack.name), update, COLLATERAL, account, vectors.signers);
    if (stack.atomic) assert.deepEqual(plain(await atomic), stack.atomic);
    else await assert.rejects(atomic, { name: "PythError", reason: "Signatures" });
  });
}

test("an update that was changed is not posted, nor one without the feed, nor nothing", async () => {
  const update = parsePythUpdate(UPDATE);
  const post = (feeds: Address[]) => postPrices(posting("rec2"), update, feeds);
  await assert.rejects(post([]), { reason: "NoFeeds" });
  await assert.rejects(post([vectors.payer]), { reason: "FeedMissing" });
  const { message } = provenPrice(update, QUOTE);
  message.price += 1n;
  await assert.rejects(post([COLLATERAL, QUOTE]), { reason: "Proof" });
});

/** A market of the newer stack, with Pyth's programs and the routers that they believe, ten minutes before the update. */
async function posted(): Promise<{ world: World; alice: Borrower }> {
  const { receiver } = PYTH_STACKS.rec2;
  const padding = new Uint8Array(7);
  const pin = (key: Address): FeedPinArgs => ({ key, owner: receiver, kind: FEED_KINDS.pull, padding });
  const feeds = { collateral: pin(COLLATERAL), quote: pin(QUOTE) };
  const world = await World.create({ feeds, start: BigInt(vectors.time) - 600n });
  const double = programFile("pyth_double");
  for (const program of Object.values(PYTH_STACKS.rec2)) await world.deploy(program, double);
  const { accounts } = vectors.stacks.find(({ name }) => name === "rec2") as (typeof vectors.stacks)[0];
  for (const { address, owner, data } of accounts) world.plant(address, owner, bytesOf(data));
  await world.populate(100_000n * USDC);
  return { world, alice: await world.borrower(10n * SOL) };
}

/** A loan of 100 USDC at prices that are made young enough. */
async function loan(world: World, { owner, marginAccount }: Borrower, settings: { shard?: number } = {}) {
  return refreshPrices({
    rpc: world.rpc,
    engine: world.engine,
    market: world.market,
    payer: owner,
    source: async () => parsePythUpdate(UPDATE),
    lead: 0,
    action: async (accounts) => [
      await getBorrowInstructionAsync({ ...accounts, marginAccount, owner, amount: 100n * USDC }),
    ],
    ...settings,
  });
}

async function sent(world: World, { owner }: Borrower, transactions: PythTransaction[]): Promise<string[]> {
  const events = [];
  for (const { instructions } of transactions) events.push(...(await world.send(instructions, owner)));
  return events.map(({ name }) => name);
}

test("a loan needs no sponsor: what is too old is posted, and what is not is left alone", async () => {
  const { world, alice } = await posted();
  world.advance(600n);
  await assert.rejects(world.borrow(alice, 100n * USDC));
  const both = await loan(world, alice);
  assert.deepEqual(both.feeds, [COLLATERAL, QUOTE]);
  assert.equal(both.transactions.length, 3);
  assert.ok((await sent(world, alice, both.transactions)).includes("Borrowed"));
  assert.equal((await world.account(alice)).debtShares > 0n, true);

  // Young enough now: one transaction, the loan alone.
  const none = await loan(world, alice);
  assert.deepEqual([none.feeds, none.transactions.length], [[], 1]);
  assert.ok((await sent(world, alice, none.transactions)).includes("Borrowed"));
});

test("the example posts prices, and borrows at them", async () => {
  const { world } = await posted();
  const dave = await world.actor(2n * SOL);
  world.advance(600n);
  await assert.rejects(borrow(world.rpc, dave, world.market), { name: "FeedError", message: /no source of newer/ });
  const said = await borrow(world.rpc, dave, world.market, { id: 1, source: async () => parsePythUpdate(UPDATE) });
  assert.match(said, /^owes 34\.973193, LTV 34\.94%; /);
});

test("only the feed that is too old is posted", async () => {
  const { world, alice } = await posted();
  world.advance(600n);
  await world.publish({ key: QUOTE, owner: PYTH_STACKS.rec2.receiver, kind: 1, padding: new Uint8Array(7) }, USD);
  const one = await loan(world, alice);
  assert.deepEqual(one.feeds, [COLLATERAL]);
  assert.ok((await sent(world, alice, one.transactions)).includes("Borrowed"));
});

test("accounts of a shard of one's own are made", async () => {
  const { world, alice } = await posted();
  world.advance(600n);
  const own = await loan(world, alice, { shard: 9 });
  assert.equal(own.accounts.collateralFeed, await pythPriceAccount(PYTH_STACKS.rec2, COLLATERAL, 9));
  assert.ok((await sent(world, alice, own.transactions)).includes("Borrowed"));
});

test("an account that is not there is left out while the market knows enough", async () => {
  const { world, alice } = await posted();
  await sent(world, alice, [
    {
      instructions: [getObservePriceInstruction((await world.load()).accounts)],
      units: 0,
      bytes: 0,
    },
  ]);
  const fresh = await loan(world, alice, { shard: 9 });
  assert.deepEqual([fresh.feeds, fresh.accounts.collateralFeed], [[], undefined]);
  assert.ok((await sent(world, alice, fresh.transactions)).includes("Borrowed"));
});

test("prices of a source that are too old as well are not posted", async () => {
  const { world, alice } = await posted();
  world.advance(700n);
  await assert.rejects(loan(world, alice), { name: "FeedError", message: /too old as well/ });
});

test("a key is not sent in the clear", () => {
  assert.throws(() => hermes("http://example.com/hermes", { key: "a key" }), { name: "TypeError" });
  assert.ok(hermes("https://example.com/hermes", { key: "a key" }));
});

test("of a market that knows no price all feeds are to be posted", async () => {
  const world = await World.create();
  const market = await world.load();
  const at = { unix: world.unix, slot: world.slot };
  const all = { collateralFeed: true, quoteFeed: true, baseFeed: false, rateFeed: false };
  assert.deepEqual(world.engine.feedsToPost(market, {}, "borrow", at), all);
});

/** Hermes' answers on loopback, one for each test. */
async function answering(status: number, body: string): Promise<{ base: string; asked: string[]; close: () => void }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? "no key"}`);
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { base: `http://127.0.0.1:${port}/hermes/`, asked, close: () => server.close() };
}

test("Hermes is asked once for all feeds, and each refusal has its status", async () => {
  const good = await answering(200, JSON.stringify({ binary: { encoding: "base64", data: [vectors.update] } }));
  const update = await hermes(good.base, { key: "a key" })([COLLATERAL, QUOTE]);
  assert.equal(update.prices.length, 2);
  const [asked = ""] = good.asked;
  assert.match(
    asked,
    /^\/hermes\/v2\/updates\/price\/latest\?ids%5B%5D=[0-9a-f]{64}&ids%5B%5D=[0-9a-f]{64}&encoding=base64&parsed=false Bearer a key$/,
  );
  good.close();
  for (const [status, body] of [
    [401, ""],
    [403, ""],
    [429, ""],
    [500, ""],
    [200, "{}"],
  ] as const) {
    const server = await answering(status, body);
    await assert.rejects(
      hermes(server.base)([COLLATERAL]),
      (error) => error instanceof HermesError && error.status === status,
    );
    assert.equal(server.asked.length, 1);
    server.close();
  }
  const garbage = await answering(200, JSON.stringify({ binary: { data: ["AAAA"] } }));
  await assert.rejects(hermes(garbage.base)([COLLATERAL]), { reason: "NotAnUpdate" });
  garbage.close();
});

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type Address,
  address,
  generateKeyPairSigner,
  getAddressEncoder,
  getBytesEncoder,
  getI32Encoder,
  getI64Encoder,
  getProgramDerivedAddress,
  getStructEncoder,
  getU8Encoder,
  getU32Encoder,
  getU64Encoder,
  type Instruction,
  type KeyPairSigner,
  lamports,
  type ReadonlyUint8Array,
  type Rpc,
  type SolanaRpcApi,
} from "@solana/kit";
import {
  findAssociatedTokenPda,
  getCreateAssociatedTokenIdempotentInstructionAsync,
  getMintEncoder,
  getMintToInstruction,
  getTokenDecoder,
  TOKEN_PROGRAM_ADDRESS,
} from "@solana-program/token";
import {
  BREAKWATER_PROGRAM_ADDRESS,
  type BreakwaterEvent,
  type ConfigArgs,
  decodeEvents,
  Engine,
  type FeedPinArgs,
  feedAccount,
  fetchMarginAccount,
  findDepthBudgetPda,
  findMarginAccountPda,
  findMarketPda,
  getBorrowInstructionAsync,
  getCreateDepthBudgetInstructionAsync,
  getCreateMarketInstructionAsync,
  getDepositCollateralInstructionAsync,
  getFundBackstopInstructionAsync,
  getInitializeInstructionAsync,
  getOpenAccountInstructionAsync,
  getOpenKeeperLedgerInstructionAsync,
  getSupplyInstructionAsync,
  type LoadedMarket,
  loadSnapshot,
  type MarginAccount,
  NO_FEED,
  pullFeed,
  type Quotes,
} from "breakwater-client";
import { Clock, LiteSVM } from "litesvm";
import { send } from "../../examples/send.js";
import { rpcOf } from "./rpc.js";

export const SOL = 1_000_000_000n;
/** One US dollar as the feeds have it. */
export const USD = 100_000_000n;
export const USDC = 1_000_000n;
const LOADER = address("BPFLoaderUpgradeab1e11111111111111111111111");
const START = 1_700_000_000n;
const LAMPORTS = lamports(1_000_000_000_000n);
const COLLATERAL_FEED = pullFeed("01".repeat(32));
const QUOTE_FEED = pullFeed("02".repeat(32));
/** Pyth's two dollar feeds of a market. */
export type DollarFeeds = { collateral: FeedPinArgs; quote: FeedPinArgs };
const BASE_FEED = pullFeed("03".repeat(32));
const RATE_FEED = pullFeed("04".repeat(32));

/** The example parameters with the price guards wide open, so that a test may move the price at will. */
export const OPEN_GUARDS: Partial<ConfigArgs> = {
  maxVelocity: 10_000,
  velocityHorizon: 3_600,
  velocitySlack: 10_000,
  ownEmaBand: 10_000,
  ownEmaSeconds: 1,
  emaBand: 10_000,
  auctionFloorBand: 10_000,
  confidenceGuard: 200,
  confidenceHalt: 200,
};

export interface WorldSpec {
  changes?: Partial<ConfigArgs>;
  redeemed?: bigint;
  /** Other feeds than the usual ones. */
  feeds?: DollarFeeds;
  /** The first moment. */
  start?: bigint;
}

export interface Borrower {
  owner: KeyPairSigner;
  marginAccount: Address;
}

/** A chain with the compiled program, a SOL/USDC market, and a clock that stands still unless it is moved. */
export class World {
  readonly svm = new LiteSVM();
  readonly rpc: Rpc<SolanaRpcApi> = rpcOf(this.svm, (metadata) => {
    this.logs = metadata.logs();
  });
  /** The log of the last transaction that succeeded. */
  logs: string[] = [];
  readonly authority: KeyPairSigner;
  readonly engine: Engine;
  market!: Address;
  unix: bigint;
  slot = 1_000n;

  readonly #feeds: DollarFeeds;

  private constructor(authority: KeyPairSigner, engine: Engine, feeds: DollarFeeds, start: bigint) {
    this.authority = authority;
    this.engine = engine;
    this.#feeds = feeds;
    this.unix = start;
    this.svm.setClock(new Clock(this.slot, 0n, 0n, 0n, this.unix));
  }

  /** `redeemed` is the price in USD of what the collateral can be redeemed for, one for one, if it can be. */
  static async create({
    changes = OPEN_GUARDS,
    redeemed,
    feeds = { collateral: COLLATERAL_FEED, quote: QUOTE_FEED },
    start = START,
  }: WorldSpec = {}): Promise<World> {
    const world = new World(await generateKeyPairSigner(), await Engine.load(), feeds, start);
    world.svm.airdrop(world.authority.address, LAMPORTS);
    await world.deploy(BREAKWATER_PROGRAM_ADDRESS, programFile("breakwater"));
    const [collateral, quote] = [await world.#mint(9), await world.#mint(6)];
    [world.market] = await findMarketPda({ collateralMint: collateral, quoteMint: quote, id: 7 });
    await world.setPrice(100n * USD);
    if (redeemed) {
      await world.publish(BASE_FEED, redeemed);
      await world.publish(RATE_FEED, USD);
    }
    const name = new TextEncoder().encode("SOL".padEnd(32, "\0"));
    const [depthBudget] = await findDepthBudgetPda({ name });
    await world.send([
      await getInitializeInstructionAsync({ authority: world.authority }),
      await getCreateDepthBudgetInstructionAsync({ authority: world.authority, name }),
    ]);
    const create = await getCreateMarketInstructionAsync({
      authority: world.authority,
      collateralMint: collateral,
      quoteMint: quote,
      collateralTokenProgram: TOKEN_PROGRAM_ADDRESS,
      quoteTokenProgram: TOKEN_PROGRAM_ADDRESS,
      id: 7,
      depthBudget,
      depthShare: 10_000,
      collateralFeed: feeds.collateral,
      quoteFeed: feeds.quote,
      baseFeed: redeemed ? BASE_FEED : NO_FEED,
      rateFeed: redeemed ? RATE_FEED : NO_FEED,
      config: { ...world.engine.exampleConfig(), ...changes },
    });
    await world.send([create]);
    return world;
  }

  /** Someone with lamports and so many atoms of both tokens. */
  async actor(collateral = 0n, quote = 0n): Promise<KeyPairSigner> {
    const actor = await generateKeyPairSigner();
    this.svm.airdrop(actor.address, LAMPORTS);
    const { collateralMint, quoteMint, lpMint } = (await this.load()).accounts;
    for (const [mint, amount] of [
      [collateralMint, collateral] as const,
      [quoteMint, quote] as const,
      [lpMint, 0n] as const,
    ]) {
      const open = await getCreateAssociatedTokenIdempotentInstructionAsync({
        payer: this.authority,
        owner: actor.address,
        mint,
      });
      const token = await this.tokenAccount(actor.address, mint);
      const give = getMintToInstruction({ mint, token, mintAuthority: this.authority, amount });
      await this.send(amount > 0n ? [open, give] : [open]);
    }
    return actor;
  }

  /** A supplier puts in so many quote atoms, and so many go to the backstop. Returns a keeper with a ledger. */
  async populate(amount: bigint, backstop = amount): Promise<KeyPairSigner> {
    const { accounts } = await this.load();
    const supplier = await this.actor(0n, amount + backstop);
    const supply = await getSupplyInstructionAsync({ ...accounts, supplier, amount, minShares: 0n });
    const fund = await getFundBackstopInstructionAsync({ ...accounts, funder: supplier, amount: backstop });
    await this.send([supply, fund], supplier);
    const keeper = await this.actor();
    await this.send([await getOpenKeeperLedgerInstructionAsync({ ...accounts, keeper })], keeper);
    return keeper;
  }

  /** Someone with a margin account that holds so much collateral. */
  async borrower(collateral: bigint): Promise<Borrower> {
    const owner = await this.actor(collateral);
    const { accounts } = await this.load();
    const [marginAccount] = await findMarginAccountPda({ market: this.market, owner: owner.address, id: 0 });
    const open = await getOpenAccountInstructionAsync({ ...accounts, owner, payer: owner, id: 0 });
    const more = { marginAccount, depositor: owner, amount: collateral };
    const deposit = await getDepositCollateralInstructionAsync({ ...accounts, ...more });
    await this.send([open, deposit], owner);
    return { owner, marginAccount };
  }

  async borrow({ owner, marginAccount }: Borrower, amount: bigint): Promise<BreakwaterEvent[]> {
    const { accounts } = await this.load();
    return this.send([await getBorrowInstructionAsync({ ...accounts, marginAccount, owner, amount })], owner);
  }

  async account({ marginAccount }: Borrower): Promise<MarginAccount> {
    return (await fetchMarginAccount(this.rpc, marginAccount)).data;
  }

  /** Sends and returns what happened. Kit's own error is thrown if the program refuses. */
  async send(instructions: Instruction[], signer = this.authority): Promise<BreakwaterEvent[]> {
    this.svm.expireBlockhash();
    await send(this.rpc, signer, instructions);
    return decodeEvents(this.logs);
  }

  async load(): Promise<LoadedMarket> {
    return (await loadSnapshot(this.rpc, this.market)).market;
  }

  /** Quotes at this moment. */
  async quotes(): Promise<Quotes> {
    const { market, readings, at } = await loadSnapshot(this.rpc, this.market);
    return this.engine.at(market, readings, at);
  }

  /** Time goes on; what the feeds said grows old. */
  advance(seconds: bigint): void {
    this.unix += seconds;
    this.slot += (seconds * 5n) / 2n + 1n;
    this.svm.setClock(new Clock(this.slot, 0n, 0n, 0n, this.unix));
  }

  /** Publishes a price of the collateral in units of 10⁻⁸ USD, and one of 1 USD of the quote token, at this moment. */
  async setPrice(price: bigint): Promise<void> {
    await this.publish(this.#feeds.collateral, price);
    await this.publish(this.#feeds.quote, USD);
  }

  async publish(pin: FeedPinArgs, price: bigint): Promise<void> {
    const account = await feedAccount({ ...pin, padding: new Uint8Array(7) });
    this.plant(account, pin.owner, priceUpdate(pin.key, price, this.unix, this.slot, account));
  }

  async balance(owner: Address, mint: Address): Promise<bigint> {
    const account = this.svm.getAccount(await this.tokenAccount(owner, mint));
    return account.exists ? getTokenDecoder().decode(account.data).amount : 0n;
  }

  async tokenAccount(owner: Address, mint: Address): Promise<Address> {
    const [account] = await findAssociatedTokenPda({ owner, mint, tokenProgram: TOKEN_PROGRAM_ADDRESS });
    return account;
  }

  plant(address: Address, programAddress: Address, data: ReadonlyUint8Array, executable = false): void {
    const space = BigInt(data.length);
    const rent = lamports(this.svm.minimumBalanceForRentExemption(space));
    this.svm.setAccount({
      address,
      data: new Uint8Array(data),
      executable,
      lamports: rent,
      programAddress,
      space,
    });
  }

  async #mint(decimals: number): Promise<Address> {
    const { address } = await generateKeyPairSigner();
    const mint = { mintAuthority: this.authority.address, supply: 0n, decimals, isInitialized: true };
    this.plant(address, TOKEN_PROGRAM_ADDRESS, getMintEncoder().encode({ ...mint, freezeAuthority: null }));
    return address;
  }

  /** The two accounts in which the upgradeable loader keeps a program: `initialize` looks up its authority there. */
  async deploy(address: Address, elf: Uint8Array): Promise<void> {
    const program = getAddressEncoder().encode(address);
    const [programData] = await getProgramDerivedAddress({ programAddress: LOADER, seeds: [program] });
    const code = getStructEncoder([
      ["tag", getU32Encoder()],
      ["slot", getU64Encoder()],
      ["hasAuthority", getU8Encoder()],
      ["authority", getAddressEncoder()],
      ["elf", getBytesEncoder()],
    ]).encode({ tag: 3, slot: 0n, hasAuthority: 1, authority: this.authority.address, elf });
    const pointer = getStructEncoder([
      ["tag", getU32Encoder()],
      ["programData", getAddressEncoder()],
    ]).encode({ tag: 2, programData });
    this.plant(programData, LOADER, code);
    this.plant(address, LOADER, pointer, true);
  }
}

/** A compiled program: in the folder of the file in BREAKWATER_SO, or where `make build` puts it. */
export function programFile(name: "breakwater" | "pyth_double"): Uint8Array {
  const given = process.env.BREAKWATER_SO;
  const folder = given ? pathToFileURL(resolve(given)) : new URL("../../../../../target/deploy/", import.meta.url);
  const file = new URL(`${name}.so`, folder);
  if (!existsSync(file)) throw new Error(`there is no program at ${file}: run make build, or set BREAKWATER_SO`);
  return readFileSync(file);
}

/** A fully verified `PriceUpdateV2`, byte for byte as Pyth's receiver writes it. */
export function priceUpdate(
  feed: Address,
  price: bigint,
  unix: bigint,
  slot: bigint,
  writeAuthority: Address,
): ReadonlyUint8Array {
  return getStructEncoder([
    ["discriminator", getBytesEncoder()],
    ["writeAuthority", getAddressEncoder()],
    ["verification", getU8Encoder()],
    ["feed", getAddressEncoder()],
    ["price", getI64Encoder()],
    ["conf", getU64Encoder()],
    ["expo", getI32Encoder()],
    ["publishTime", getI64Encoder()],
    ["previousPublishTime", getI64Encoder()],
    ["emaPrice", getI64Encoder()],
    ["emaConf", getU64Encoder()],
    ["postedSlot", getU64Encoder()],
    ["end", getU8Encoder()],
  ]).encode({
    discriminator: new Uint8Array([34, 241, 35, 99, 157, 126, 244, 205]),
    writeAuthority,
    verification: 1,
    feed,
    price,
    conf: price / 2_000n,
    expo: -8,
    publishTime: unix,
    previousPublishTime: unix,
    emaPrice: price,
    emaConf: 0n,
    postedSlot: slot,
    end: 0,
  });
}

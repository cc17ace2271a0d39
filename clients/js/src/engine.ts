import {
  type Decoder,
  type Encoder,
  getArrayDecoder,
  getU16Encoder,
  getU32Encoder,
  getU64Encoder,
  type ReadonlyUint8Array,
  type UnwrappedOption,
  unwrapOptionRecursively,
} from "@solana/kit";
import { BreakwaterError, type ErrorName, errorName } from "./errors.js";
import {
  type BackstopBalanceSheet,
  type CascadeMeasures,
  type CascadePoint,
  type Config,
  type GuardianPosition,
  type GuardianYield,
  getBackstopBalanceSheetDecoder,
  getCascadeMeasuresDecoder,
  getCascadePointDecoder,
  getConfigDecoder,
  getFeedsToPostDecoder,
  getGuardianPositionEncoder,
  getGuardianYieldDecoder,
  getHealthDecoder,
  getLargestDecoder,
  getLeavingDecoder,
  getLiquidationDecoder,
  getLiquidationPreviewDecoder,
  getLpValueDecoder,
  getMarginAccountEncoder,
  getMarketPricesDecoder,
  getMomentEncoder,
  getOfferDecoder,
  getPriceBandDecoder,
  getReadingsEncoder,
  getRiskDecoder,
  getSaleDecoder,
  getShockDecoder,
  getShownReadingsEncoder,
  type Health,
  type Largest,
  type Leaving,
  type Liquidation,
  type LiquidationPreview,
  type LpValue,
  type MarginAccount,
  type MarketPrices,
  type MomentArgs,
  type Offer,
  type PriceBand,
  type RawReading,
  type ReadingsArgs,
  type Risk,
  type Sale,
  type Shock,
} from "./generated/index.js";
import { ACCOUNT_DISCRIMINATOR_BYTES, type FeedAccounts, type LoadedMarket } from "./market.js";

/** What prices are for: it decides how old they may be. */
export type PriceUse = keyof typeof PRICE_USES;

/** What price accounts say, by the feeds' names in instructions; of a feed without an account, nothing. */
export type ShownFeeds = { [feed in keyof FeedAccounts]?: RawReading };

const PRICE_USES = { borrow: 0, liquidate: 1, sell: 2, observe: 3 } as const;

/** What the compiled engine exports: memory, and a function for each question. */
interface Exports {
  memory: WebAssembly.Memory;
  reserve(bytes: number): number;
  release(address: number, bytes: number): void;
  [question: string]: unknown;
}

type Question = (address: number, bytes: number) => bigint;

/** An answer, with `null` where the engine has none. */
export type Answer<T> = UnwrappedOption<T>;

/** The largest of something that would be accepted, and the rule that binds: what one more is refused for. */
export type Bound<T extends { boundBy: number }> = Omit<T, "boundBy"> & { boundBy: ErrorName };

/** Where the file is that `make wasm` builds. Bundlers know this form, and take the file along. */
const ENGINE_FILE = new URL("../engine.wasm", import.meta.url);

/** The program's own arithmetic, compiled to WebAssembly. */
export class Engine {
  readonly #exports: Exports;

  private constructor(exports: Exports) {
    this.#exports = exports;
  }

  /** Loads the engine from the file beside this package, or from wherever the caller has it. */
  static async load(source?: BufferSource | Promise<BufferSource>): Promise<Engine> {
    const { instance } = await WebAssembly.instantiate(await (source ?? readEngine()));
    return new Engine(instance.exports as unknown as Exports);
  }

  /**
   * Quotes on a market at a moment, from what its feeds say. They are what the program would do with the same accounts at the
   * same moment: the same code runs.
   */
  at(market: LoadedMarket, readings: ReadingsArgs, at: MomentArgs): Quotes {
    return new Quotes(this, market, readings, at);
  }

  /**
   * Which feeds somebody must post before prices are young enough for a use at a moment: none if the market would use what it is shown or
   * what it knows.
   */
  feedsToPost(
    { bytes: market }: LoadedMarket,
    shown: ShownFeeds,
    use: PriceUse,
    at: MomentArgs,
  ): Record<keyof FeedAccounts, boolean> {
    const { collateralFeed, quoteFeed, baseFeed, rateFeed } = shown;
    const readings = bytes(getShownReadingsEncoder(), {
      collateral: collateralFeed ?? null,
      quote: quoteFeed ?? null,
      base: baseFeed ?? null,
      rate: rateFeed ?? null,
    });
    const parameters = [stored(market), readings, Uint8Array.of(PRICE_USES[use]), bytes(getMomentEncoder(), at)];
    const { collateral, quote, base, rate } = this.ask("feeds_to_post", getFeedsToPostDecoder(), parameters);
    return { collateralFeed: collateral, quoteFeed: quote, baseFeed: base, rateFeed: rate };
  }

  /** The liquidation map, lowest price first. It needs no price. */
  heatMap(market: LoadedMarket, at: MomentArgs): Answer<PriceBand>[] {
    return this.ask("heat_map", listOf(getPriceBandDecoder()), [stored(market.bytes), bytes(getMomentEncoder(), at)]);
  }

  /** Parameters for examples and tests. Nobody chose them for real money. */
  exampleConfig(): Config {
    return this.ask("example_config", getConfigDecoder(), []);
  }

  /** How much memory the engine has taken. */
  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  /** @internal */
  ask<T>(question: string, answer: Decoder<T>, parameters: readonly ReadonlyUint8Array[]): Answer<T> {
    const { memory, reserve, release } = this.#exports;
    const length = parameters.reduce((sum, part) => sum + part.length, 0);
    const address = reserve(length);
    const target = new Uint8Array(memory.buffer, address, length);
    let written = 0;
    for (const part of parameters) {
      target.set(part, written);
      written += part.length;
    }
    const place = (this.#exports[question] as Question)(address, length);
    const [from, size] = [Number(BigInt.asUintN(32, place >> 32n)), Number(BigInt.asUintN(32, place))];
    const reply = new Uint8Array(memory.buffer, from, size).slice();
    release(from, size);
    if (reply[0] !== 1) {
      const code = new DataView(reply.buffer).getUint32(1, true);
      if (code === 0) throw new TypeError(`${question}: the accounts are not of this version of the program`);
      throw new BreakwaterError(code);
    }
    return unwrapOptionRecursively(answer.decode(reply, 1)) as Answer<T>;
  }
}

/**
 * Quotes on one market at one moment. Amounts are atoms, prices quote atoms per collateral atom in Q64.64, ratios basis points.
 * Each throws a `BreakwaterError` where the program would refuse.
 */
export class Quotes {
  readonly #engine: Engine;
  readonly #market: ReadonlyUint8Array;
  readonly #readings: ReadonlyUint8Array;
  readonly #at: ReadonlyUint8Array;

  /** @internal */
  constructor(engine: Engine, market: LoadedMarket, readings: ReadingsArgs, at: MomentArgs) {
    this.#engine = engine;
    this.#market = stored(market.bytes);
    this.#readings = bytes(getReadingsEncoder(), readings);
    this.#at = bytes(getMomentEncoder(), at);
  }

  /** What the market makes of its feeds, and what it trusts them for. */
  prices(): Answer<MarketPrices> {
    return this.#ask("prices", getMarketPricesDecoder());
  }

  /** Debt, value, LTV of an account, and the prices from which on it is liquidated and taken over. */
  health(account: MarginAccount): Answer<Health> {
    return this.#ask("health", getHealthDecoder(), account);
  }

  /** The same after a loan of `amount` quote atoms. */
  healthAfterBorrow(account: MarginAccount, amount: bigint): Answer<Health> {
    return this.#ask("health_after_borrow", getHealthDecoder(), account, bytes(getU64Encoder(), amount));
  }

  /** The same after a withdrawal of `amount` collateral atoms. */
  healthAfterWithdrawal(account: MarginAccount, amount: bigint): Answer<Health> {
    return this.#ask("health_after_withdrawal", getHealthDecoder(), account, bytes(getU64Encoder(), amount));
  }

  /** The largest loan that would be granted, and the rule that binds. */
  maxBorrow(account: MarginAccount): Bound<Largest> {
    return named(this.#ask("max_borrow", getLargestDecoder(), account));
  }

  /** The most collateral that could be withdrawn, and the rule that binds. */
  maxWithdrawal(account: MarginAccount): Bound<Largest> {
    return named(this.#ask("max_withdrawal", getLargestDecoder(), account));
  }

  /** What liquidating the account would do. */
  liquidation(account: MarginAccount): Answer<Liquidation> {
    return this.#ask("liquidation", getLiquidationDecoder(), account);
  }

  /** What liquidating the account would do, and what of it waits until the backstop has sold some of what it holds. */
  preview(account: MarginAccount): Answer<LiquidationPreview> {
    return this.#ask("preview", getLiquidationPreviewDecoder(), account);
  }

  /** The backstop's balance sheet: stress cover, admission, pipeline, credits. */
  balanceSheet(): Answer<BackstopBalanceSheet> {
    return this.#ask("balance_sheet", getBackstopBalanceSheetDecoder());
  }

  /**
   * What LP shares pay who shows the readings and withdraws in the same transaction; or with `shown: false` who shows none, at the
   * stored price and as if it had fallen since by what it may.
   */
  lpValue(shares: bigint, { shown = true } = {}): Answer<LpValue> {
    const amount = bytes(getU64Encoder(), shares);
    if (shown) return this.#ask("lp_value", getLpValueDecoder(), undefined, amount);
    return this.#engine.ask("lp_value_stored", getLpValueDecoder(), [this.#market, this.#at, amount]);
  }

  /** What the guardians' claim earns, for standing by and in a crash, once somebody has put `more` quote atoms into it. */
  guardianYield(more = 0n): Answer<GuardianYield> {
    return this.#ask("guardian_yield", getGuardianYieldDecoder(), undefined, bytes(getU64Encoder(), more));
  }

  /** With how much a guardian can leave, and why not with more. */
  leaving(position: GuardianPosition): Bound<Leaving> {
    const parameters = [stored(getGuardianPositionEncoder().encode(position)), this.#readings, this.#at];
    return named(this.#engine.ask("leaving", getLeavingDecoder(), [this.#market, ...parameters]));
  }

  /** What a sudden fall of the price by `drop` bps would bring the backstop. */
  shock(drop: number): Answer<Shock> {
    return this.#ask("shock", getShockDecoder(), undefined, bytes(getU32Encoder(), drop));
  }

  /** What the backstop sells now, and at `count` − 1 later moments `every` seconds apart, if prices stay and nobody buys. */
  offers(every = 60, count = 1): Answer<Offer>[] {
    const schedule = [bytes(getU32Encoder(), every), bytes(getU16Encoder(), count)];
    return this.#ask("offers", listOf(getOfferDecoder()), undefined, ...schedule);
  }

  /** What buying `amount` collateral atoms of inventory would do. */
  purchase(amount: bigint): Answer<Sale> {
    return this.#ask("purchase", getSaleDecoder(), undefined, bytes(getU64Encoder(), amount));
  }

  /** What buying inventory for `budget` quote atoms would do. */
  purchaseFor(budget: bigint): Answer<Sale> {
    return this.#ask("purchase_for", getSaleDecoder(), undefined, bytes(getU64Encoder(), budget));
  }

  /** Measures of risk of the market. */
  risk(): Answer<Risk> {
    return this.#ask("risk", getRiskDecoder());
  }

  /**
   * The cascade curve: where falls by news of 0, `every`, 2 × `every`, … bps end, `count` of them, if everyone dumps and with the
   * backstop. At once, or over some `hours` and looked at for a day after that.
   */
  cascade({ hours = 0, every = 500, count = 11 } = {}): Answer<CascadePoint>[] {
    const falls = [bytes(getU32Encoder(), hours), bytes(getU32Encoder(), every), bytes(getU16Encoder(), count)];
    return this.#ask("cascade", listOf(getCascadePointDecoder()), undefined, ...falls);
  }

  /** The curve in a few figures: gearing, delta, gamma, depth ratios; critical falls at once or over some `hours`. */
  cascadeMeasures(hours = 0): Answer<CascadeMeasures> {
    return this.#ask("cascade_measures", getCascadeMeasuresDecoder(), undefined, bytes(getU32Encoder(), hours));
  }

  #ask<T>(
    question: string,
    answer: Decoder<T>,
    account?: MarginAccount,
    ...more: readonly ReadonlyUint8Array[]
  ): Answer<T> {
    const accounts = account ? [stored(getMarginAccountEncoder().encode(account))] : [];
    return this.#engine.ask(question, answer, [this.#market, ...accounts, this.#readings, this.#at, ...more]);
  }
}

/** The rule by its name. */
function named<T extends { boundBy: number }>(answer: T): Bound<T> {
  return { ...answer, boundBy: errorName(answer.boundBy) };
}

function stored(account: ReadonlyUint8Array): ReadonlyUint8Array {
  return account.slice(ACCOUNT_DISCRIMINATOR_BYTES);
}

function bytes<T>(encoder: Encoder<T>, value: T): ReadonlyUint8Array {
  return encoder.encode(value);
}

/** Borsh: a list is preceded by its length in 32 bits, which is what kit does. */
function listOf<T>(item: Decoder<T>): Decoder<T[]> {
  return getArrayDecoder(item);
}

async function readEngine(): Promise<BufferSource> {
  if (ENGINE_FILE.protocol !== "file:") return (await fetch(ENGINE_FILE)).arrayBuffer();
  // Node cannot fetch files. Asked for at run time, so that bundlers for browsers do not look for it.
  const { process } = globalThis as unknown as { process: { getBuiltinModule(name: string): NodeFiles } };
  return process.getBuiltinModule("node:fs/promises").readFile(ENGINE_FILE);
}

interface NodeFiles {
  readFile(file: URL): Promise<Uint8Array<ArrayBuffer>>;
}

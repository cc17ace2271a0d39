// Prices young enough for an action, whatever the age of the accounts that others keep.
import {
  type Address,
  type EncodedAccount,
  fetchEncodedAccounts,
  type GetAccountInfoApi,
  type GetMinimumBalanceForRentExemptionApi,
  type GetMultipleAccountsApi,
  getAddressEncoder,
  getBase16Decoder,
  getBase64Encoder,
  type Instruction,
  type Rpc,
} from "@solana/kit";
import { fetchSysvarClock } from "@solana/sysvars";
import type { Engine, PriceUse, ShownFeeds } from "../engine.js";
import { FEED_KINDS, FeedError, feedAccount, readFeed } from "../feeds.js";
import type { FeedPin, RawReading } from "../generated/index.js";
import { type FeedAccounts, loadMarket, type MarketAccounts, pins } from "../market.js";
import { actionAlone, type PythPosting, type PythTransaction, postPrices, pythVaaRent } from "./post.js";
import { pythStackOf } from "./stack.js";
import { type PythUpdate, parsePythUpdate, provenPrice } from "./update.js";

/** Where signed updates come from: asked for these feeds, at once. */
export type PythSource = (feeds: Address[]) => Promise<PythUpdate>;

/** What is to be done at fresh prices. */
export interface RefreshOptions extends Omit<PythPosting, "stack" | "rent" | "action"> {
  rpc: Rpc<GetAccountInfoApi & GetMinimumBalanceForRentExemptionApi & GetMultipleAccountsApi>;
  engine: Engine;
  /** The market, or its accounts of an earlier time. */
  market: Address | MarketAccounts;
  /** Asked where a feed is too old; without it that is an error. */
  source?: PythSource;
  /** What the prices are for; `"borrow"` if nothing is said. */
  use?: PriceUse;
  /** Seconds from now until the action runs; 5 if nothing is said. */
  lead?: number;
  /** The action, by the accounts that it is to be shown; may be left out. */
  action?: (accounts: MarketAccounts) => Promise<Instruction[]>;
  /** Compute units that the action may take; 200,000 for each instruction if nothing is said. */
  units?: number;
}

/** What `refreshPrices` found. */
export interface Refresh {
  /** The market's accounts, with the price accounts that the action is to be shown. */
  accounts: MarketAccounts;
  /** The feeds that are too old, and posted. */
  feeds: Address[];
  /** To be signed and sent one after the other; none if there is nothing to do. */
  transactions: PythTransaction[];
}

/**
 * Transactions that make a market's prices young enough for an action, and do it: only the feeds that are too old are posted, and none if
 * the market would use what it has. By default to the accounts that Pyth's sponsors keep, which anyone may renew. Throws a
 * `BreakwaterError` where newer prices would not help, and a `FeedError` for a feed that nobody can post or that no source is given for.
 */
export async function refreshPrices(options: RefreshOptions): Promise<Refresh> {
  const { rpc, engine, source, use = "borrow", lead = 5, action: act, units, ...posting } = options;
  const { shard = 0 } = posting;
  const [market, clock] = await Promise.all([loadMarket(rpc, options.market), fetchSysvarClock(rpc)]);
  const feeds = pins(market.data);
  const accounts = { ...market.accounts };
  if (shard !== 0) for (const [name, pin] of feeds) accounts[name] = await feedAccount(pin, shard);
  const found = await fetchEncodedAccounts(
    rpc,
    feeds.map(([name]) => accounts[name] as Address),
  );
  const shown: ShownFeeds = {};
  for (const [index, account] of found.entries()) {
    const [name, pin] = feeds[index] as [keyof FeedAccounts, FeedPin];
    if (account.exists) shown[name] = readingOf(pin, account);
  }
  const at = { unix: clock.unixTimestamp + BigInt(lead), slot: clock.slot };
  const old = engine.feedsToPost(market, shown, use, at);
  const stale = feeds.filter(([name]) => old[name]).map(([, pin]) => pin);
  for (const pin of stale) {
    if (pin.kind === FEED_KINDS.push)
      throw new FeedError(`${pin.key} is too old, and a push feed: only Pyth can post it`);
  }
  // What has no account, and is not posted, is left out: the market knows enough of it.
  for (const [name] of feeds) {
    if (!shown[name] && !old[name]) delete (accounts as Partial<MarketAccounts>)[name];
  }
  const instructions = (await act?.(accounts)) ?? [];
  const action = { instructions, units: units ?? 200_000 * instructions.length };
  const ids = [...new Set(stale.map((pin) => pin.key))];
  if (ids.length === 0) {
    return { accounts, feeds: ids, transactions: instructions.length > 0 ? actionAlone(posting, action) : [] };
  }
  if (!source) throw new FeedError(`too old, and there is no source of newer prices: ${ids.join(", ")}`);
  const update = await source(ids);
  const posted = { ...shown };
  for (const [name, pin] of feeds) if (old[name]) posted[name] = provenPrice(update, pin.key).message;
  const stillOld = engine.feedsToPost(market, posted, use, { ...at, unix: clock.unixTimestamp });
  if (Object.values(stillOld).includes(true)) {
    throw new FeedError(`the newest prices of ${ids.join(", ")} are too old as well`);
  }
  const receivers = [...new Set(stale.map((pin) => pin.owner))];
  const rent = await pythVaaRent(rpc, update);
  const transactions: PythTransaction[] = [];
  for (const [number, receiver] of receivers.entries()) {
    const stack = pythStackOf(receiver);
    if (!stack) throw new FeedError(`${receiver} is no receiver of Pyth's`);
    const own = stale.filter((pin) => pin.owner === receiver).map((pin) => pin.key);
    const last = number === receivers.length - 1;
    transactions.push(
      ...(await postPrices({ ...posting, stack, rent, action: last ? action : undefined }, update, own)),
    );
  }
  return { accounts, feeds: ids, transactions };
}

/** Nothing for an account that says nothing that the market would take: it is posted anew. */
function readingOf(pin: FeedPin, { address, programAddress, data }: EncodedAccount): RawReading | undefined {
  try {
    return readFeed(pin, address, programAddress, data);
  } catch (error) {
    if (error instanceof FeedError) return undefined;
    throw error;
  }
}

/** Hermes refused or gave something else than an update. */
export class HermesError extends Error {
  override readonly name = "HermesError";
  /** Its HTTP status; 200 with an answer that is none. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A Hermes server as a source: its base URL such as `https://pyth.dourolabs.app/hermes`, and the key that it wants, if it wants one. */
export function hermes(base: string, { key, timeout = 5_000 }: { key?: string; timeout?: number } = {}): PythSource {
  const url = new URL(`${base.replace(/\/+$/, "")}/v2/updates/price/latest`);
  const isHere = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  if (key && url.protocol !== "https:" && !isHere) throw new TypeError("a key is sent over https only");
  return async (feeds) => {
    const asked = new URL(url);
    for (const feed of feeds) asked.searchParams.append("ids[]", hexOf(feed));
    asked.searchParams.set("encoding", "base64");
    asked.searchParams.set("parsed", "false");
    const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};
    const response = await fetch(asked, { headers, signal: AbortSignal.timeout(timeout) });
    if (!response.ok) throw new HermesError(response.status, `Hermes answers ${response.status}`);
    const answer = (await response.json().catch(() => undefined)) as { binary?: { data?: string[] } } | undefined;
    const data = answer?.binary?.data?.[0];
    if (data === undefined) throw new HermesError(response.status, "Hermes gives no update");
    return parsePythUpdate(getBase64Encoder().encode(data));
  };
}

function hexOf(feed: Address): string {
  return getBase16Decoder().decode(getAddressEncoder().encode(feed));
}

import {
  type Address,
  assertAccountExists,
  type EncodedAccount,
  fetchEncodedAccount,
  fetchEncodedAccounts,
  type GetAccountInfoApi,
  type GetMultipleAccountsApi,
  type ReadonlyUint8Array,
  type Rpc,
} from "@solana/kit";
import { fetchSysvarClock } from "@solana/sysvars";
import { FEED_KINDS, feedAccount, readFeed } from "./feeds.js";
import {
  decodeMarket,
  type FeedPin,
  type Market,
  type Moment,
  type RawReading,
  type ReadingsArgs,
} from "./generated/index.js";

/** Bytes before every account's own data. */
export const ACCOUNT_DISCRIMINATOR_BYTES = 8;

/** The price accounts to show a market. */
export interface FeedAccounts {
  collateralFeed: Address;
  quoteFeed: Address;
  baseFeed?: Address;
  rateFeed?: Address;
}

/** A market's accounts by the names that instructions have for them: spread it into any instruction's input. */
export interface MarketAccounts extends FeedAccounts {
  market: Address;
  collateralMint: Address;
  quoteMint: Address;
  collateralVault: Address;
  quoteVault: Address;
  lpMint: Address;
  collateralTokenProgram: Address;
  quoteTokenProgram: Address;
}

/** A market as the chain stores it. */
export interface LoadedMarket {
  /** Its accounts. */
  accounts: MarketAccounts;
  /** Its account, decoded. */
  data: Market;
  /** The same as bytes: the engine takes them as they are. */
  bytes: ReadonlyUint8Array;
}

/** A market with what its feeds say, at one moment: all that a quote needs. */
export interface Snapshot {
  market: LoadedMarket;
  readings: ReadingsArgs;
  at: Moment;
}

/** Where the price accounts are, if not where Pyth's sponsors post them. */
export type FeedChoice = Partial<FeedAccounts>;

type AccountsRpc = Rpc<GetAccountInfoApi & GetMultipleAccountsApi>;

/** Loads a market. Its accounts never change: with those of an earlier time only the market itself is loaded again. */
export async function loadMarket(
  rpc: AccountsRpc,
  market: Address | MarketAccounts,
  feeds: FeedChoice = {},
): Promise<LoadedMarket> {
  const known = typeof market === "string" ? undefined : { ...market, ...feeds };
  const account = await fetchEncodedAccount(rpc, known?.market ?? (market as Address));
  assertAccountExists(account);
  const { data } = decodeMarket(account);
  const accounts = known ?? (await marketAccounts(rpc, account.address, data, feeds));
  return { accounts, data, bytes: account.data };
}

/** Loads a market, what its feeds say, and the chain's clock. */
export async function loadSnapshot(
  rpc: AccountsRpc,
  address: Address | MarketAccounts,
  feeds: FeedChoice = {},
): Promise<Snapshot> {
  const [market, clock] = await Promise.all([loadMarket(rpc, address, feeds), fetchSysvarClock(rpc)]);
  const readings = await loadReadings(rpc, market);
  return { market, readings, at: { unix: clock.unixTimestamp, slot: clock.slot } };
}

async function marketAccounts(
  rpc: AccountsRpc,
  market: Address,
  data: Market,
  feeds: FeedChoice,
): Promise<MarketAccounts> {
  const { collateralMint, quoteMint, collateralVault, quoteVault, lpMint } = data;
  const mints = await fetchAll(rpc, [collateralMint, quoteMint]);
  const [collateral, quote] = mints as [EncodedAccount, EncodedAccount];
  return {
    market,
    collateralMint,
    quoteMint,
    collateralVault,
    quoteVault,
    lpMint,
    collateralTokenProgram: collateral.programAddress,
    quoteTokenProgram: quote.programAddress,
    ...(await feedAccounts(data, feeds)),
  };
}

/** Loads what a market's feeds say. */
export async function loadReadings(rpc: AccountsRpc, { accounts, data }: LoadedMarket): Promise<ReadingsArgs> {
  const feeds = pins(data).map(([name, pin]) => ({ pin, account: accounts[name] as Address }));
  const found = await fetchAll(
    rpc,
    feeds.map(({ account }) => account),
  );
  const [collateral, quote, base, rate] = found.map(({ address, programAddress, data }, index) =>
    readFeed((feeds[index] as { pin: FeedPin }).pin, address, programAddress, data),
  ) as [RawReading, RawReading, RawReading?, RawReading?];
  return { collateral, quote, redemption: base && rate ? { base, rate } : null };
}

/** The feeds that a market has pinned, with their names in instructions. */
export function pins({ oracle }: Market): [keyof FeedAccounts, FeedPin][] {
  const { collateralFeed, quoteFeed, baseFeed, rateFeed } = oracle;
  return Object.entries({ collateralFeed, quoteFeed, baseFeed, rateFeed }).filter(
    ([, pin]) => pin.kind !== FEED_KINDS.none,
  ) as [keyof FeedAccounts, FeedPin][];
}

async function feedAccounts(market: Market, chosen: FeedChoice): Promise<FeedAccounts> {
  const accounts = await Promise.all(
    pins(market).map(async ([name, pin]) => [name, chosen[name] ?? (await feedAccount(pin))]),
  );
  return Object.fromEntries(accounts);
}

async function fetchAll(rpc: AccountsRpc, addresses: Address[]): Promise<EncodedAccount[]> {
  const accounts = await fetchEncodedAccounts(rpc, addresses);
  return accounts.map((account) => {
    assertAccountExists(account);
    return account;
  });
}

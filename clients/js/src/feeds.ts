import {
  type Address,
  address,
  getAddressDecoder,
  getI32Decoder,
  getI64Decoder,
  getStructDecoder,
  getU64Decoder,
  type ReadonlyUint8Array,
} from "@solana/kit";
import type { FeedPin, FeedPinArgs, RawReading } from "./generated/index.js";
import { PYTH_STACKS, pythPriceAccount, pythStackOf } from "./pyth/stack.js";

/** How a feed is pinned: as an update that anyone may post, or as one account that Pyth keeps up to date. */
export const FEED_KINDS = { none: 0, pull: 1, push: 2 } as const;

const NOTHING = address("11111111111111111111111111111111");
const NO_PADDING = new Uint8Array(7);

/** No feed: for `baseFeed` and `rateFeed` of a market without redemption. */
export const NO_FEED: FeedPinArgs = { key: NOTHING, owner: NOTHING, kind: FEED_KINDS.none, padding: NO_PADDING };

/** A pull feed by its id, 32 bytes in hex as Pyth lists it, on a stack of Pyth's by its receiver. */
export function pullFeed(id: string, owner: Address = PYTH_STACKS.rec2.receiver): FeedPinArgs {
  const hex = id.replace(/^0x/, "");
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  return { key: getAddressDecoder().decode(bytes), owner, kind: FEED_KINDS.pull, padding: NO_PADDING };
}

/**
 * The account to show a market for a feed. Of a pull feed any genuine update may be shown; this is the one that Pyth's sponsors
 * post, in one of their shards. Whoever posts updates himself shows those.
 */
export async function feedAccount(pin: FeedPin, shard = 0): Promise<Address> {
  if (pin.kind === FEED_KINDS.push) return pin.key;
  const stack = pythStackOf(pin.owner);
  if (!stack) throw new FeedError(`${pin.owner} is no receiver of Pyth's`);
  return pythPriceAccount(stack, pin.key, shard);
}

/** The account shown for a feed is not what the market has pinned, or says nothing. */
export class FeedError extends Error {
  override readonly name = "FeedError";
}

/** What a price account says, if it is what `pin` names. The program refuses the same accounts, with errors of its own. */
export function readFeed(pin: FeedPin, account: Address, owner: Address, data: ReadonlyUint8Array): RawReading {
  if (owner !== pin.owner) throw new FeedError(`${account} belongs to ${owner}, not to ${pin.owner}`);
  return pin.kind === FEED_KINDS.push ? readPush(pin, account, data) : readPull(pin, account, data);
}

/** Bytes of a `PriceUpdateV2` before its verification level: discriminator and write authority. */
const PULL_HEAD = 40;
const FULLY_VERIFIED = 1;
const PULL_BYTES = 133;

function readPull(pin: FeedPin, account: Address, data: ReadonlyUint8Array): RawReading {
  if (data.length < PULL_BYTES) throw new FeedError(`${account} is no price update`);
  if (data[PULL_HEAD] !== FULLY_VERIFIED) throw new FeedError(`${account} is not fully verified`);
  const message = getStructDecoder([
    ["feed", getAddressDecoder()],
    ["price", getI64Decoder()],
    ["conf", getU64Decoder()],
    ["expo", getI32Decoder()],
    ["publishTime", getI64Decoder()],
    ["previousPublishTime", getI64Decoder()],
    ["emaPrice", getI64Decoder()],
  ]).decode(data, PULL_HEAD + 1);
  if (message.feed !== pin.key) throw new FeedError(`${account} is an update of another feed`);
  const { price, conf, expo, emaPrice, publishTime } = message;
  return { price, conf, expo, emaPrice, publishTime };
}

/** Where Pyth's price account has what is read of it, in bytes. */
const PUSH = { magic: 0, expo: 20, emaPrice: 48, timestamp: 96, price: 208, conf: 216, status: 224, end: 240 };
const PUSH_MAGIC = 0xa1b2c3d4;
const TRADING = 1;

function readPush(pin: FeedPin, account: Address, data: ReadonlyUint8Array): RawReading {
  if (account !== pin.key) throw new FeedError(`${account} is not the account that the market has pinned`);
  const view = new DataView(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  if (data.length < PUSH.end || view.getUint32(PUSH.magic, true) !== PUSH_MAGIC) {
    throw new FeedError(`${account} is no price account`);
  }
  if (view.getUint32(PUSH.status, true) !== TRADING) throw new FeedError(`${account} is not trading`);
  return {
    price: view.getBigInt64(PUSH.price, true),
    conf: view.getBigUint64(PUSH.conf, true),
    expo: view.getInt32(PUSH.expo, true),
    emaPrice: view.getBigInt64(PUSH.emaPrice, true),
    publishTime: view.getBigInt64(PUSH.timestamp, true),
  };
}

// The update that Hermes gives: prices with proofs, and one signed message (VAA) for all of them. Format: `AccumulatorUpdateData` of
// Pyth's pythnet-sdk, big endian.
import { keccak_256 } from "@noble/hashes/sha3.js";
import {
  type Address,
  addCodecSizePrefix,
  type Codec,
  createCodec,
  Endian,
  fixCodecSize,
  getAddressCodec,
  getArrayDecoder,
  getArrayEncoder,
  getBytesCodec,
  getI32Codec,
  getI64Codec,
  getStructCodec,
  getU8Codec,
  getU16Codec,
  getU32Codec,
  getU64Codec,
  isSolanaError,
  type ReadonlyUint8Array,
} from "@solana/kit";

const BIG = { endian: Endian.Big } as const;
const u16 = getU16Codec(BIG);
const u32 = getU32Codec(BIG);
const i64 = getI64Codec(BIG);
const u64 = getU64Codec(BIG);
/** What is left. */
const rest = getBytesCodec();
const fixed = (bytes: number) => fixCodecSize(getBytesCodec(), bytes);
const long = addCodecSizePrefix(getBytesCodec(), u16);

/** A list behind its length of one byte. Kit's own reads an empty list where there is no byte at all. */
function counted<From, To extends From>(item: Codec<From, To>): Codec<From[], To[]> {
  const { encode: _, ...encoder } = getArrayEncoder(item, { size: getU8Codec() });
  return createCodec({
    ...encoder,
    read: (bytes, offset) => {
      const [size, at] = getU8Codec().read(bytes, offset);
      return getArrayDecoder(item, { size }).read(bytes, at);
    },
  }) as Codec<From[], To[]>;
}

const MESSAGE = getStructCodec([
  ["kind", getU8Codec()],
  ["feed", getAddressCodec()],
  ["price", i64],
  ["conf", u64],
  ["expo", getI32Codec(BIG)],
  ["publishTime", i64],
  ["previousPublishTime", i64],
  ["emaPrice", i64],
  ["emaConf", u64],
  ["rest", rest],
]);
const BODY = getStructCodec([
  ["time", u32],
  ["nonce", u32],
  ["chain", u16],
  ["emitter", fixed(32)],
  ["sequence", u64],
  ["consistency", getU8Codec()],
  ["magic", fixed(4)],
  ["kind", getU8Codec()],
  ["slot", u64],
  ["ring", u32],
  ["root", fixed(20)],
  ["rest", rest],
]);
const SIGNATURE = getStructCodec([
  ["signer", getU8Codec()],
  ["rs", fixed(64)],
  ["recovery", getU8Codec()],
]);
const VAA = getStructCodec([
  ["version", getU8Codec()],
  ["set", u32],
  ["signatures", counted(SIGNATURE)],
  ["body", BODY],
]);
const PRICE = getStructCodec([
  ["message", long],
  ["proof", counted(fixed(20))],
]);
const UPDATE = getStructCodec([
  ["magic", fixed(4)],
  ["major", getU8Codec()],
  ["minor", getU8Codec()],
  ["trailing", addCodecSizePrefix(getBytesCodec(), getU8Codec())],
  ["kind", getU8Codec()],
  ["vaa", long],
  ["prices", counted(PRICE)],
]);

/**
 * The price of one feed, as it was signed: mantissas × 10^`expo` US dollars, times in seconds since 1970. `feed` is its id in base58, as
 * markets pin it; `rest` has fields that are not known here, and signed like the others.
 */
export type PythMessage = Omit<ReturnType<(typeof MESSAGE)["decode"]>, "kind">;

/** A signature, and the index of its signer in the set. */
export type PythSignature = ReturnType<(typeof SIGNATURE)["decode"]>;

/** One price of an update, and the proof that it is in the tree: the hashes beside its way up, from the leaf on. */
export interface PythPrice {
  message: PythMessage;
  proof: ReadonlyUint8Array[];
}

/** What the signers sign: `root` is that of the tree of prices. */
export type PythBody = Omit<ReturnType<(typeof BODY)["decode"]>, "magic" | "kind">;

/** A signed message. `set` is the index of the set of signers that it is checked with. */
export interface PythVaa {
  set: number;
  signatures: PythSignature[];
  body: PythBody;
}

/** An update: prices of one moment. */
export interface PythUpdate {
  vaa: PythVaa;
  prices: PythPrice[];
}

/** Why an update is not read, not believed, or not posted; the names are those of the Rust client. */
export type PythReason =
  | "Truncated"
  | "NotAnUpdate"
  | "UpdateVersion"
  | "ProofKind"
  | "VaaVersion"
  | "NotARoot"
  | "RootKind"
  | "MessageKind"
  | "Proof"
  | "FeedMissing"
  | "NoFeeds"
  | "Signatures"
  | "TooLarge";

/** An update is not read, not believed, or not posted. */
export class PythError extends Error {
  override readonly name = "PythError";
  readonly reason: PythReason;

  constructor(reason: PythReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

const UPDATE_MAGIC = new TextEncoder().encode("PNAU");
const ROOT_MAGIC = new TextEncoder().encode("AUWV");
const NOTHING = new Uint8Array();

/**
 * Reads an update: what is in Hermes' `binary.data`, decoded from base64 or hexadecimal. Nothing is checked but the form; what follows
 * the update is not looked at.
 */
export function parsePythUpdate(bytes: ReadonlyUint8Array): PythUpdate {
  if (!starts(bytes, UPDATE_MAGIC)) throw new PythError("NotAnUpdate", "these bytes are no Pyth update");
  known("UpdateVersion", "an update of version", decode(getU8Codec(), bytes, 4), 1);
  const { kind, vaa, prices } = decode(UPDATE, bytes);
  known("ProofKind", "a proof of kind", kind, 0);
  return {
    vaa: parseVaa(vaa),
    prices: prices.map(({ message, proof }) => ({ message: parseMessage(message), proof })),
  };
}

/** The update's bytes, of version 1.0. */
export function pythUpdateBytes({ vaa, prices }: PythUpdate): ReadonlyUint8Array {
  return UPDATE.encode({
    magic: UPDATE_MAGIC,
    major: 1,
    minor: 0,
    trailing: NOTHING,
    kind: 0,
    vaa: pythVaaBytes(vaa),
    prices: prices.map(({ message, proof }) => ({ message: pythMessageBytes(message), proof })),
  });
}

/** A VAA's bytes. */
export function pythVaaBytes({ set, signatures, body }: PythVaa): ReadonlyUint8Array {
  return VAA.encode({ version: 1, set, signatures, body: { ...body, magic: ROOT_MAGIC, kind: 0 } });
}

/** A message's bytes: what the leaf of the tree is the hash of. */
export function pythMessageBytes(message: PythMessage): ReadonlyUint8Array {
  return MESSAGE.encode({ ...message, kind: 0 });
}

/** Of a feed that the update has: its price, once it is proven to be in the tree whose root was signed. */
export function provenPrice({ vaa, prices }: PythUpdate, feed: Address): PythPrice {
  const price = prices.find(({ message }) => message.feed === feed);
  if (!price) throw new PythError("FeedMissing", `the update has no price of feed ${feed}`);
  const root = price.proof.reduce(node, hash(Uint8Array.of(0), pythMessageBytes(price.message)));
  if (compare(root, vaa.body.root) !== 0) {
    throw new PythError("Proof", `the price of feed ${feed} is not what was signed`);
  }
  return price;
}

function parseVaa(bytes: ReadonlyUint8Array): PythVaa {
  known("VaaVersion", "a VAA of version", decode(getU8Codec(), bytes), 1);
  const { set, signatures, body } = decode(VAA, bytes);
  const { magic, kind, ...signed } = body;
  if (compare(magic, ROOT_MAGIC) !== 0) throw new PythError("NotARoot", "the VAA carries no root of a tree of prices");
  known("RootKind", "a root of kind", kind, 0);
  return { set, signatures, body: signed };
}

function parseMessage(bytes: ReadonlyUint8Array): PythMessage {
  known("MessageKind", "a message of kind", decode(getU8Codec(), bytes), 0);
  const { kind: _, ...message } = decode(MESSAGE, bytes);
  return message;
}

/** Kit's codecs complain of missing bytes in several ways; here they all are one. */
function decode<T>(codec: Codec<T>, bytes: ReadonlyUint8Array, offset = 0): T {
  try {
    return codec.decode(bytes, offset);
  } catch (error) {
    if (!isSolanaError(error)) throw error;
    throw new PythError("Truncated", "the update ends too early");
  }
}

function known(reason: PythReason, what: string, found: number, expected: number): void {
  if (found !== expected) throw new PythError(reason, `${what} ${found} is not known`);
}

/** Keccak-256, cut to its first 20 bytes. */
function hash(...parts: ReadonlyUint8Array[]): ReadonlyUint8Array {
  const all = keccak_256.create();
  for (const part of parts) all.update(part as Uint8Array);
  return all.digest().slice(0, 20);
}

/** The hash above these two, whichever is left: the smaller one comes first. */
function node(one: ReadonlyUint8Array, other: ReadonlyUint8Array): ReadonlyUint8Array {
  const [first, second] = compare(one, other) <= 0 ? [one, other] : [other, one];
  return hash(Uint8Array.of(1), first, second);
}

function starts(bytes: ReadonlyUint8Array, magic: ReadonlyUint8Array): boolean {
  return compare(bytes.slice(0, magic.length), magic) === 0;
}

function compare(one: ReadonlyUint8Array, other: ReadonlyUint8Array): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at < 0 ? one.length - other.length : (one[at] as number) - (other[at] ?? -1);
}

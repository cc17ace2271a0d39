// Single instructions of a stack's three programs. Accounts and discriminators are those of the programs' IDLs.
import {
  AccountRole,
  type AccountSignerMeta,
  type Address,
  addEncoderSizePrefix,
  address,
  getAddressEncoder,
  getArrayEncoder,
  getBytesEncoder,
  getStructEncoder,
  getU8Encoder,
  getU16Encoder,
  getU32Encoder,
  getU64Encoder,
  getUtf8Encoder,
  type Instruction,
  type ReadonlyUint8Array,
  type TransactionSigner,
} from "@solana/kit";
import { type PythStack, pythConfig, pythPriceAccount, pythSignerSet, pythTreasury } from "./stack.js";
import { type PythPrice, type PythVaa, pythMessageBytes, pythVaaBytes } from "./update.js";

/** Who posts, and what he pays the receiver's fee into. */
export interface PythPoster {
  stack: PythStack;
  /** Pays rent and fees, and may write to and close what he has made. */
  payer: TransactionSigner;
  /** Number of the receiver's treasury, 0 to 255: any, but not always the same, for it is locked for writing. */
  treasury: number;
}

/** An account that must be given bytes and lamports: discriminator, status, write authority, version, length come before the VAA. */
export const PYTH_VAA_START = 46;

const SYSTEM = address("11111111111111111111111111111111");

const POST_UPDATE_ATOMIC = Uint8Array.of(49, 172, 84, 192, 175, 180, 52, 234);
const POST_UPDATE = Uint8Array.of(133, 95, 207, 175, 11, 79, 118, 44);
const RECLAIM_RENT = Uint8Array.of(218, 200, 19, 197, 227, 89, 192, 22);
const UPDATE_PRICE_FEED = Uint8Array.of(28, 9, 93, 150, 86, 153, 188, 115);
const INIT_ENCODED_VAA = Uint8Array.of(209, 193, 173, 25, 91, 202, 181, 218);
const WRITE_ENCODED_VAA = Uint8Array.of(199, 208, 110, 177, 150, 76, 118, 42);
const VERIFY_ENCODED_VAA = Uint8Array.of(103, 56, 177, 229, 240, 103, 68, 73);
const CLOSE_ENCODED_VAA = Uint8Array.of(48, 221, 174, 198, 231, 7, 152, 38);

const BYTES = addEncoderSizePrefix(getBytesEncoder(), getU32Encoder());
/** `MerklePriceUpdate` in Borsh. */
const PRICE = getStructEncoder([
  ["message", BYTES],
  ["proof", getArrayEncoder(getBytesEncoder())],
]);

const CREATE_ACCOUNT = getStructEncoder([
  ["instruction", getU32Encoder()],
  ["base", getAddressEncoder()],
  ["seed", addEncoderSizePrefix(getUtf8Encoder(), getU64Encoder())],
  ["lamports", getU64Encoder()],
  ["space", getU64Encoder()],
  ["owner", getAddressEncoder()],
]);

/**
 * Receiver: checks a VAA's signatures and a price's proof itself and writes the price to `account`, which belongs to the receiver, is
 * created if there is none, and must sign every time. The price may be older than what is there.
 */
export async function getPostUpdateAtomicInstruction(
  poster: PythPoster,
  vaa: PythVaa,
  price: PythPrice,
  account: TransactionSigner,
): Promise<Instruction> {
  const data = [POST_UPDATE_ATOMIC, BYTES.encode(pythVaaBytes(vaa)), argument(price), u8(poster.treasury)];
  return post(poster, await pythSignerSet(poster.stack, vaa.set), account, data);
}

/** Receiver: the same with a VAA that the bridge has verified. */
export function getPostUpdateInstruction(
  poster: PythPoster,
  encodedVaa: Address,
  price: PythPrice,
  account: TransactionSigner,
): Promise<Instruction> {
  return post(poster, encodedVaa, account, [POST_UPDATE, argument(price), u8(poster.treasury)]);
}

async function post(
  { stack, payer, treasury }: PythPoster,
  from: Address,
  account: TransactionSigner,
  data: ReadonlyUint8Array[],
): Promise<Instruction> {
  const accounts = [
    signing(payer, true),
    { address: from, role: AccountRole.READONLY },
    { address: await pythConfig(stack), role: AccountRole.READONLY },
    { address: await pythTreasury(stack, treasury), role: AccountRole.WRITABLE },
    signing(account, true),
    { address: SYSTEM, role: AccountRole.READONLY },
    signing(payer, false),
  ];
  return { programAddress: stack.receiver, accounts, data: joined(data) };
}

/** Receiver: closes a price account that the payer has posted to; its rent goes to him. */
export function getReclaimRentInstruction({ stack, payer }: PythPoster, account: Address): Instruction {
  const accounts = [signing(payer, true), { address: account, role: AccountRole.WRITABLE }];
  return { programAddress: stack.receiver, accounts, data: RECLAIM_RENT };
}

/**
 * Price feed program: writes a price to the feed's account of a shard, creating it if there is none. Succeeds and changes nothing where
 * that is as new.
 */
export async function getUpdatePriceFeedInstruction(
  { stack, payer, treasury }: PythPoster,
  encodedVaa: Address,
  price: PythPrice,
  shard: number,
): Promise<Instruction> {
  const { feed } = price.message;
  const data = [UPDATE_PRICE_FEED, argument(price), u8(treasury), getU16Encoder().encode(shard)];
  const accounts = [
    signing(payer, true),
    { address: stack.receiver, role: AccountRole.READONLY },
    { address: encodedVaa, role: AccountRole.READONLY },
    { address: await pythConfig(stack), role: AccountRole.READONLY },
    { address: await pythTreasury(stack, treasury), role: AccountRole.WRITABLE },
    { address: await pythPriceAccount(stack, feed, shard), role: AccountRole.WRITABLE },
    { address: SYSTEM, role: AccountRole.READONLY },
  ];
  return {
    programAddress: stack.priceFeedProgram,
    accounts,
    data: joined([...data, getAddressEncoder().encode(feed)]),
  };
}

/** System program: `createAccountWithSeed` of the account for a VAA of so many bytes, the bridge's. Its arguments are in bincode. */
export function getCreateVaaAccountInstruction(
  { stack, payer }: PythPoster,
  account: Address,
  seed: string,
  rent: bigint,
  vaaBytes: number,
): Instruction {
  const data = CREATE_ACCOUNT.encode({
    instruction: 3,
    base: payer.address,
    seed,
    lamports: rent,
    space: PYTH_VAA_START + vaaBytes,
    owner: stack.bridge,
  });
  const accounts = [signing(payer, true), { address: account, role: AccountRole.WRITABLE }];
  return { programAddress: SYSTEM, accounts, data };
}

/**
 * Bridge: takes an account for a VAA. It must belong to the bridge, be empty, and have `PYTH_VAA_START` bytes and those of the VAA.
 * Whoever calls this first owns it: in the transaction that creates it, that is the payer.
 */
export function getInitEncodedVaaInstruction(poster: PythPoster, encodedVaa: Address): Instruction {
  return bridge(poster, encodedVaa, [INIT_ENCODED_VAA]);
}

/** Bridge: writes part of a VAA, from byte `index` of it on. */
export function getWriteEncodedVaaInstruction(
  poster: PythPoster,
  encodedVaa: Address,
  index: number,
  part: ReadonlyUint8Array,
): Instruction {
  return bridge(poster, encodedVaa, [WRITE_ENCODED_VAA, getU32Encoder().encode(index), BYTES.encode(part)]);
}

/** Bridge: checks the signatures of a VAA that is written, with the set that it names. */
export async function getVerifyEncodedVaaInstruction(
  poster: PythPoster,
  encodedVaa: Address,
  set: number,
): Promise<Instruction> {
  const { accounts = [], ...verify } = bridge(poster, encodedVaa, [VERIFY_ENCODED_VAA]);
  const signers = { address: await pythSignerSet(poster.stack, set), role: AccountRole.READONLY };
  return { ...verify, accounts: [...accounts, signers] };
}

/** Bridge: closes an account of a VAA, in whatever state; its rent goes to the payer. */
export function getCloseEncodedVaaInstruction({ stack, payer }: PythPoster, encodedVaa: Address): Instruction {
  const accounts = [signing(payer, true), { address: encodedVaa, role: AccountRole.WRITABLE }];
  return { programAddress: stack.bridge, accounts, data: CLOSE_ENCODED_VAA };
}

function bridge({ stack, payer }: PythPoster, encodedVaa: Address, data: ReadonlyUint8Array[]): Instruction {
  const accounts = [signing(payer, false), { address: encodedVaa, role: AccountRole.WRITABLE }];
  return { programAddress: stack.bridge, accounts, data: joined(data) };
}

function argument({ message, proof }: PythPrice): ReadonlyUint8Array {
  return PRICE.encode({ message: pythMessageBytes(message), proof });
}

function signing(signer: TransactionSigner, writable: boolean): AccountSignerMeta {
  const role = writable ? AccountRole.WRITABLE_SIGNER : AccountRole.READONLY_SIGNER;
  return { address: signer.address, role, signer };
}

function u8(value: number): ReadonlyUint8Array {
  return getU8Encoder().encode(value);
}

function joined(parts: ReadonlyUint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

// From an update to transactions that the network carries. Through the bridge: the VAA is written to an account and verified, each price
// is then posted to the account of its feed in a shard, and the VAA's account is closed. The account is made with a seed, so that the
// payer alone signs. Transactions are filled by their bytes, measured on what would be sent.
import {
  type Address,
  type AddressesByLookupTableAddress,
  appendTransactionMessageInstructions,
  blockhash,
  compressTransactionMessageUsingAddressLookupTables,
  createAddressWithSeed,
  createTransactionMessage,
  type GetMinimumBalanceForRentExemptionApi,
  getTransactionMessageSize,
  type Instruction,
  pipe,
  type Rpc,
  setTransactionMessageComputeUnitLimit,
  setTransactionMessageComputeUnitPrice,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  setTransactionMessageLoadedAccountsDataSizeLimit,
  type TransactionSigner,
} from "@solana/kit";
import {
  getCloseEncodedVaaInstruction,
  getCreateVaaAccountInstruction,
  getInitEncodedVaaInstruction,
  getPostUpdateAtomicInstruction,
  getUpdatePriceFeedInstruction,
  getVerifyEncodedVaaInstruction,
  getWriteEncodedVaaInstruction,
  PYTH_VAA_START,
  type PythPoster,
} from "./instructions.js";
import { atomicQuorum, type PythStack } from "./stack.js";
import { PythError, type PythUpdate, provenPrice, pythVaaBytes } from "./update.js";

/** The largest transaction that the network carries, bytes. */
export const TRANSACTION_BYTES = 1_232;
/** The most compute units of a transaction. */
const MOST_UNITS = 1_400_000;
/** The most accounts that a transaction may lock. */
const ACCOUNT_LOCKS = 64;
/** Limit of what a transaction loads, bytes: without it, it counts as 64 MiB. The programs of a stack and this one are far smaller. */
const LOADED_BYTES = 12 * 1024 * 1024;
/** Compute units of one instruction, as the Rust client has them. */
const UNITS = {
  createAndInit: 10_000,
  write: 8_000,
  verify: 15_000,
  signature: 28_000,
  price: 60_000,
  atomic: 50_000,
  close: 8_000,
  budget: 150,
};
const ANY_BLOCKHASH = blockhash("11111111111111111111111111111111");

/** What is done with prices once they are posted, in one transaction. */
export interface PythAction {
  instructions: Instruction[];
  /** The compute units that they may take together. */
  units: number;
}

/** How an update is posted. */
export interface PythPosting {
  stack: PythStack;
  /** Pays and signs. */
  payer: TransactionSigner;
  /** Shard of the accounts that are written; 0, Pyth's own, if none is given. */
  shard?: number;
  /** Number of the receiver's treasury; at random if none is given. */
  treasury?: number;
  /** Seed of the account for the VAA, at most 32 characters: one that nobody foresees; at random if none is given. */
  seed?: string;
  /** Rent of that account, lamports: `pythVaaRent`. */
  rent: bigint;
  /** Lookup tables that may be used. */
  lookupTables?: AddressesByLookupTableAddress;
  /** Priority fee, millionths of a lamport for each compute unit. */
  microLamports?: bigint;
  /** What is done once all prices are posted: in the transaction of the last ones if it fits there, else in one of its own. */
  action?: PythAction;
}

/** A transaction to sign and send; several are sent one after the other. */
export interface PythTransaction {
  /** Instructions, in order, those of the compute budget first. */
  instructions: Instruction[];
  /** Compute units that it asks for. */
  units: number;
  /** Its bytes, with signatures. */
  bytes: number;
}

/** What the account of an update's VAA must hold, lamports. */
export function pythVaaRent(rpc: Rpc<GetMinimumBalanceForRentExemptionApi>, { vaa }: PythUpdate): Promise<bigint> {
  const bytes = PYTH_VAA_START + pythVaaBytes(vaa).length;
  return rpc.getMinimumBalanceForRentExemption(BigInt(bytes)).send();
}

/**
 * The transactions that post these feeds of an update through the bridge: the VAA first, its account closed last. Every price is proven
 * before; which set of signers verifies is read from the update. A feed that is named twice is posted once.
 */
export async function postPrices(
  posting: PythPosting,
  update: PythUpdate,
  feeds: Address[],
): Promise<PythTransaction[]> {
  if (feeds.length === 0) throw new PythError("NoFeeds", "no feed is to be posted");
  const { stack, payer, shard = 0, treasury = random(256), seed = randomSeed(), action } = posting;
  const poster: PythPoster = { stack, payer, treasury };
  const account = await createAddressWithSeed({ baseAddress: payer.address, programAddress: stack.bridge, seed });
  const vaa = pythVaaBytes(update.vaa);
  const packer = new Packer(posting);
  const create = getCreateVaaAccountInstruction(poster, account, seed, posting.rent, vaa.length);
  // Together: an account that is created and not yet taken is anybody's.
  packer.add([create, getInitEncodedVaaInstruction(poster, account)], UNITS.createAndInit);
  for (let index = 0; index < vaa.length; ) {
    const write = (length: number) => [
      getWriteEncodedVaaInstruction(poster, account, index, vaa.slice(index, index + length)),
    ];
    const excess = packer.excess(write(vaa.length - index));
    const length = vaa.length - index - Math.max(0, excess);
    if (length <= 0) {
      packer.close();
      continue;
    }
    packer.add(write(length), UNITS.write);
    index += length;
  }
  const verify = await getVerifyEncodedVaaInstruction(poster, account, update.vaa.set);
  packer.add([verify], withSignatures(UNITS.verify, update));
  for (const feed of new Set(feeds)) {
    const price = provenPrice(update, feed);
    packer.add([await getUpdatePriceFeedInstruction(poster, account, price, shard)], UNITS.price);
  }
  if (action && action.instructions.length > 0) packer.add(action.instructions, action.units);
  packer.add([getCloseEncodedVaaInstruction(poster, account)], UNITS.close);
  return packer.finish();
}

/**
 * One transaction that posts one feed to `account`, an account of the receiver whose key must sign too, and does the action. Only where
 * the stack's receiver calls this number of signatures, out of a set of `signers`, fully verified: less than that the market refuses.
 */
export async function atomicPost(
  posting: PythPosting,
  update: PythUpdate,
  feed: Address,
  account: TransactionSigner,
  signers: number,
): Promise<PythTransaction> {
  const { stack, payer, treasury = random(256), action = { instructions: [], units: 0 } } = posting;
  const [needed, found] = [atomicQuorum(stack, signers), update.vaa.signatures.length];
  if (found < needed) throw new PythError("Signatures", `${found} signatures, of which ${needed} are needed`);
  const poster = { stack, payer, treasury };
  const post = await getPostUpdateAtomicInstruction(poster, update.vaa, provenPrice(update, feed), account);
  const packer = new Packer(posting);
  packer.add([post, ...action.instructions], withSignatures(UNITS.atomic, update) + action.units);
  return packer.finish()[0] as PythTransaction;
}

/** The transaction of an action alone. */
export function actionAlone(posting: Omit<PythPosting, "stack" | "rent">, action: PythAction): PythTransaction[] {
  const packer = new Packer(posting);
  packer.add(action.instructions, action.units);
  return packer.finish();
}

function withSignatures(units: number, { vaa }: PythUpdate): number {
  return units + UNITS.signature * vaa.signatures.length;
}

function random(below: number): number {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return number % below;
}

/** 30 characters that nobody foresees. */
function randomSeed(): string {
  return Array.from({ length: 30 }, () => random(36).toString(36)).join("");
}

/** Fills transactions one after the other. */
class Packer {
  readonly #settings: Pick<PythPosting, "payer" | "lookupTables" | "microLamports">;
  readonly #full: PythTransaction[] = [];
  #open: Instruction[] = [];
  #units = 0;

  constructor(settings: Pick<PythPosting, "payer" | "lookupTables" | "microLamports">) {
    this.#settings = settings;
  }

  /** Puts instructions that belong together into the open transaction, or into the next. */
  add(instructions: Instruction[], units: number): void {
    const joined = this.#draft([...this.#open, ...instructions], this.#units + units);
    const problem = this.#problem(joined);
    if (problem && this.#open.length > 0) {
      this.close();
      this.add(instructions, units);
      return;
    }
    if (problem) throw new PythError("TooLarge", problem);
    this.#open = [...this.#open, ...instructions];
    this.#units += units;
  }

  /** By how many bytes the open transaction with these instructions would be too large. */
  excess(instructions: Instruction[]): number {
    return this.#draft([...this.#open, ...instructions], this.#units).bytes - TRANSACTION_BYTES;
  }

  /** Ends the open transaction. */
  close(): void {
    if (this.#open.length === 0) throw new PythError("TooLarge", "nothing of the VAA fits a transaction");
    this.#full.push(this.#draft(this.#open, this.#units));
    this.#open = [];
    this.#units = 0;
  }

  finish(): PythTransaction[] {
    if (this.#open.length > 0) this.close();
    return this.#full;
  }

  #draft(own: Instruction[], used: number): PythTransaction {
    const { payer, lookupTables = {}, microLamports = 0n } = this.#settings;
    const units = used + 3 * UNITS.budget;
    const message = pipe(
      createTransactionMessage({ version: 0 }),
      (message) => setTransactionMessageFeePayerSigner(payer, message),
      // Any will do: only its size counts.
      (message) =>
        setTransactionMessageLifetimeUsingBlockhash({ blockhash: ANY_BLOCKHASH, lastValidBlockHeight: 0n }, message),
      (message) => setTransactionMessageComputeUnitLimit(units, message),
      (message) => setTransactionMessageComputeUnitPrice(microLamports, message),
      (message) => setTransactionMessageLoadedAccountsDataSizeLimit(LOADED_BYTES, message),
      (message) => appendTransactionMessageInstructions(own, message),
    );
    const bytes = getTransactionMessageSize(compressTransactionMessageUsingAddressLookupTables(message, lookupTables));
    return { instructions: [...message.instructions], units, bytes };
  }

  #problem({ instructions, units, bytes }: PythTransaction): string | undefined {
    const locked = new Set([this.#settings.payer.address]);
    for (const { programAddress, accounts = [] } of instructions) {
      for (const one of [programAddress, ...accounts.map((meta) => meta.address)]) locked.add(one);
    }
    if (locked.size > ACCOUNT_LOCKS) return "more accounts than a transaction may lock";
    if (units > MOST_UNITS) return `${units} compute units, more than a transaction may have`;
    if (bytes > TRANSACTION_BYTES) return `a transaction of ${bytes} bytes cannot be sent`;
    return undefined;
  }
}

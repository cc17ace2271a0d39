import {
  type Address,
  address,
  Endian,
  getAddressEncoder,
  getProgramDerivedAddress,
  getU8Encoder,
  getU16Encoder,
  getU32Encoder,
  type ReadonlyUint8Array,
} from "@solana/kit";

/** Three of Pyth's programs that belong together: what one verified or wrote is nothing to those of another stack. */
export interface PythStack {
  /** Checks an update's proofs, and owns all price accounts. */
  receiver: Address;
  /** The Wormhole bridge that checks an update's signatures. */
  bridge: Address;
  /** Keeps an account of every feed for everyone, in shards; Pyth's sponsors post to shard 0. */
  priceFeedProgram: Address;
}

/**
 * Pyth's two stacks, the same on every cluster. The sponsored SOL/USD and USDC/USD of `rec2` are renewed every few seconds. What
 * `rec5` checks by itself (`atomicPost`) it calls fully verified only with more than two thirds of the signers; Pyth serves fewer.
 */
export const PYTH_STACKS = {
  rec5: {
    receiver: address("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ"),
    bridge: address("HDwcJBJXjL9FpJ7UBsYBtaDjsBUhuLCUYoz3zr8SWWaQ"),
    priceFeedProgram: address("pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT"),
  },
  rec2: {
    receiver: address("rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp"),
    bridge: address("HDw2E7P8X1SkCyjvoGsfBGAVUutKcj874bXjHrpVYrVL"),
    priceFeedProgram: address("pyt2F414BA6dPttK6RddPZUdHfapoBN24GL5wbrPCou"),
  },
} as const satisfies Record<string, PythStack>;

/** The stack of this receiver, the owner of its price accounts; `undefined` if it is of none. */
export function pythStackOf(receiver: Address): PythStack | undefined {
  return Object.values(PYTH_STACKS).find((stack) => stack.receiver === receiver);
}

/** How many signatures out of a set of so many signers a stack's receiver must see to call what it checks by itself fully verified. */
export function atomicQuorum(stack: PythStack, signers: number): number {
  return stack.receiver === PYTH_STACKS.rec5.receiver ? Math.floor((signers * 2) / 3) + 1 : Math.floor(signers / 2) + 1;
}

async function derived(programAddress: Address, ...seeds: (ReadonlyUint8Array | string)[]): Promise<Address> {
  const [account] = await getProgramDerivedAddress({ programAddress, seeds });
  return account;
}

/** The account of a feed in a shard of the price feed program. `feed` is its id as markets pin it: 32 bytes in base58. */
export function pythPriceAccount(stack: PythStack, feed: Address, shard = 0): Promise<Address> {
  return derived(stack.priceFeedProgram, getU16Encoder().encode(shard), getAddressEncoder().encode(feed));
}

/** The receiver's configuration. */
export function pythConfig(stack: PythStack): Promise<Address> {
  return derived(stack.receiver, "config");
}

/** One of the 256 accounts that take the receiver's fee. It is locked for writing: choose one at random. */
export function pythTreasury(stack: PythStack, id: number): Promise<Address> {
  return derived(stack.receiver, "treasury", getU8Encoder().encode(id));
}

/** The bridge's account of a set of signers. */
export function pythSignerSet(stack: PythStack, index: number): Promise<Address> {
  return derived(stack.bridge, "GuardianSet", getU32Encoder({ endian: Endian.Big }).encode(index));
}

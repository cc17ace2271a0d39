import {
  type Address,
  createSolanaRpcFromTransport,
  type EncodedAccount,
  getBase58Decoder,
  getBase64Decoder,
  getBase64Encoder,
  getTransactionDecoder,
  type Rpc,
  type SolanaRpcApi,
} from "@solana/kit";
import { FailedTransactionMetadata, type LiteSVM, type TransactionMetadata } from "litesvm";

/** What a node answers to sendTransaction when the transaction fails before it is sent. */
const PREFLIGHT_FAILURE = -32002;

/** The part of JSON-RPC that the client and its examples use, answered by LiteSVM. */
export function rpcOf(svm: LiteSVM, sent: (metadata: TransactionMetadata) => void): Rpc<SolanaRpcApi> {
  const context = { apiVersion: "4.0.0", slot: 0 };
  const account = (address: Address) => {
    const found = svm.getAccount(address);
    return found.exists ? encoded(found) : null;
  };
  const methods: Record<string, (...parameters: never[]) => unknown> = {
    getAccountInfo: (address: Address) => ({ context, value: account(address) }),
    getMultipleAccounts: (addresses: Address[]) => ({ context, value: addresses.map(account) }),
    getMinimumBalanceForRentExemption: (bytes: bigint) => Number(svm.minimumBalanceForRentExemption(BigInt(bytes))),
    getLatestBlockhash: () => ({ context, value: { blockhash: svm.latestBlockhash(), lastValidBlockHeight: 1_000 } }),
    getSignatureStatuses: (signatures: string[]) => ({
      context,
      value: signatures.map(() => ({ confirmationStatus: "confirmed", confirmations: 1, err: null, slot: 0 })),
    }),
    sendTransaction: (transaction: string) => {
      const result = svm.sendTransaction(getTransactionDecoder().decode(getBase64Encoder().encode(transaction)));
      if (result instanceof FailedTransactionMetadata) throw new Refused(result);
      sent(result);
      return getBase58Decoder().decode(result.signature());
    },
  };
  return createSolanaRpcFromTransport(async <T>({ payload }: { payload: unknown }) => {
    const { id, method, params } = payload as { id: string; method: string; params: never[] };
    const answer = methods[method];
    if (!answer) throw new Error(`the test's node does not know ${method}`);
    try {
      return { jsonrpc: "2.0", id, result: answer(...params) } as T;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { jsonrpc: "2.0", id, error: { code: PREFLIGHT_FAILURE, message: error.message, data: error.data } } as T;
    }
  }) as Rpc<SolanaRpcApi>;
}

/** A transaction that failed, as a node tells it. */
class Refused extends Error {
  readonly data: object;

  constructor(failed: FailedTransactionMetadata) {
    super("Transaction simulation failed");
    const err = failed.err();
    if (typeof err !== "object" || !("index" in err) || !("err" in err)) throw new Error(failed.toString());
    const inner = err.err();
    if (typeof inner !== "object" || !("code" in inner)) throw new Error(failed.toString());
    this.data = { err: { InstructionError: [err.index, { Custom: inner.code }] }, logs: failed.meta().logs() };
  }
}

function encoded({ data, executable, lamports, programAddress }: EncodedAccount): object {
  return {
    data: [getBase64Decoder().decode(data), "base64"],
    executable,
    lamports: Number(lamports),
    owner: programAddress,
    rentEpoch: 0,
    space: data.length,
  };
}

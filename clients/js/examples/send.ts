import {
  appendTransactionMessageInstructions,
  createTransactionMessage,
  type GetLatestBlockhashApi,
  type GetSignatureStatusesApi,
  getBase64EncodedWireTransaction,
  type Instruction,
  pipe,
  type Rpc,
  type SendTransactionApi,
  type Signature,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  type TransactionSigner,
} from "@solana/kit";

export type SendingRpc = Rpc<GetLatestBlockhashApi & GetSignatureStatusesApi & SendTransactionApi>;

const ATTEMPTS = 60;
const BETWEEN_MS = 500;

/** Signs, sends, and waits until the transaction is confirmed. */
export async function send(rpc: SendingRpc, payer: TransactionSigner, instructions: Instruction[]): Promise<Signature> {
  const { value: blockhash } = await rpc.getLatestBlockhash().send();
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (message) => setTransactionMessageFeePayerSigner(payer, message),
    (message) => setTransactionMessageLifetimeUsingBlockhash(blockhash, message),
    (message) => appendTransactionMessageInstructions(instructions, message),
  );
  const transaction = getBase64EncodedWireTransaction(await signTransactionMessageWithSigners(message));
  const signature = await rpc.sendTransaction(transaction, { encoding: "base64" }).send();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [status] = (await rpc.getSignatureStatuses([signature]).send()).value;
    if (status?.err) throw new Error(`${signature} failed: ${JSON.stringify(status.err)}`);
    if (status?.confirmationStatus === "confirmed" || status?.confirmationStatus === "finalized") return signature;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
  throw new Error(`${signature} is not confirmed`);
}

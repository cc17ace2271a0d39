// Liquidates a margin account, if that can be done now. Needs no capital; the bounty goes to the keeper's ledger. Prices that are too
// old for that are fetched from Hermes and posted, if HERMES names one.
//
//   HERMES=https://pyth.dourolabs.app/hermes HERMES_KEY=... RPC_URL=http://127.0.0.1:8899 \
//     KEYPAIR=~/.config/solana/id.json MARKET=<address> ACCOUNT=<address> node build/examples/liquidate.js
import { readFileSync } from "node:fs";
import { argv, env } from "node:process";
import { pathToFileURL } from "node:url";
import {
  type Address,
  address,
  createKeyPairSignerFromBytes,
  createSolanaRpc,
  type Rpc,
  type SolanaRpcApi,
  type TransactionSigner,
} from "@solana/kit";
import {
  BreakwaterError,
  Engine,
  fetchMarginAccount,
  fetchMaybeKeeperLedger,
  findKeeperLedgerPda,
  getLiquidateInstructionAsync,
  getOpenKeeperLedgerInstructionAsync,
  hermes,
  loadSnapshot,
  type PythSource,
  refreshPrices,
  showAmount,
} from "breakwater-client";
import { send } from "./send.js";

/** Returns what it has to say. */
export async function liquidate(
  rpc: Rpc<SolanaRpcApi>,
  keeper: TransactionSigner,
  marketAddress: Address,
  marginAccount: Address,
  source?: PythSource,
): Promise<string> {
  const engine = await Engine.load();
  const refresh = { rpc, engine, market: marketAddress, payer: keeper, source, use: "liquidate" } as const;
  for (const { instructions } of (await refreshPrices(refresh)).transactions) await send(rpc, keeper, instructions);
  const { market, readings, at } = await loadSnapshot(rpc, marketAddress);
  const { data: account } = await fetchMarginAccount(rpc, marginAccount);
  const { accounts, data } = market;
  try {
    const { done, liquidatable, waiting } = engine.at(market, readings, at).preview(account);
    const quote = (atoms: bigint) => showAmount(atoms, data.quoteDecimals);
    if (done === null) return `${quote(liquidatable)} waits until the backstop has sold some of what it holds`;
    const [ledger] = await findKeeperLedgerPda({ market: marketAddress, keeper: keeper.address });
    if (!(await fetchMaybeKeeperLedger(rpc, ledger)).exists) {
      await send(rpc, keeper, [await getOpenKeeperLedgerInstructionAsync({ ...accounts, keeper })]);
    }
    await send(rpc, keeper, [await getLiquidateInstructionAsync({ ...accounts, marginAccount, keeper })]);
    return `took over ${quote(done.repaid)} of debt, for ${quote(done.bounty)}; ${quote(waiting)} waits`;
  } catch (error) {
    if (error instanceof BreakwaterError) return error.message;
    throw error;
  }
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) {
  const { RPC_URL = "http://127.0.0.1:8899", KEYPAIR = "", MARKET = "", ACCOUNT = "", HERMES, HERMES_KEY } = env;
  const source = HERMES ? hermes(HERMES, { key: HERMES_KEY }) : undefined;
  const keeper = await createKeyPairSignerFromBytes(new Uint8Array(JSON.parse(readFileSync(KEYPAIR, "utf8"))));
  console.log(await liquidate(createSolanaRpc(RPC_URL), keeper, address(MARKET), address(ACCOUNT), source));
}

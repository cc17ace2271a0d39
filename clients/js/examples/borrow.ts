// Opens a margin account, deposits one token of collateral, borrows half of what may be borrowed, and says how it stands and
// which rule binds the largest loan. Prices that are too old for that are fetched from Hermes and posted, if HERMES names one.
//
//   HERMES=https://pyth.dourolabs.app/hermes HERMES_KEY=... RPC_URL=http://127.0.0.1:8899 \
//     KEYPAIR=~/.config/solana/id.json MARKET=<address> node build/examples/borrow.js
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
  breakwaterErrorOf,
  Engine,
  fetchMarginAccount,
  findMarginAccountPda,
  getBorrowInstructionAsync,
  getDepositCollateralInstructionAsync,
  getOpenAccountInstructionAsync,
  hermes,
  loadMarket,
  loadSnapshot,
  type MarketAccounts,
  type PythSource,
  refreshPrices,
  showAmount,
  showPrice,
} from "breakwater-client";
import { send } from "./send.js";

/** `id` tells apart the accounts of one owner; `source` has prices to post. Returns what it has to say. */
export async function borrow(
  rpc: Rpc<SolanaRpcApi>,
  owner: TransactionSigner,
  marketAddress: Address,
  { id = 0, source }: { id?: number; source?: PythSource } = {},
): Promise<string> {
  const engine = await Engine.load();
  const { accounts, data } = await loadMarket(rpc, marketAddress);
  const [marginAccount] = await findMarginAccountPda({ market: marketAddress, owner: owner.address, id });
  const collateral = 10n ** BigInt(data.collateralDecimals);
  await send(rpc, owner, [
    await getOpenAccountInstructionAsync({ ...accounts, owner, payer: owner, id }),
    await getDepositCollateralInstructionAsync({ ...accounts, marginAccount, depositor: owner, amount: collateral }),
  ]);

  const refresh = { rpc, engine, market: accounts, payer: owner, source };
  for (const { instructions } of (await refreshPrices(refresh)).transactions) await send(rpc, owner, instructions);
  const { market, readings, at } = await loadSnapshot(rpc, accounts);
  const account = await fetchMarginAccount(rpc, marginAccount);
  const most = engine.at(market, readings, at).maxBorrow(account.data);
  const amount = most.amount / 2n;

  const action = async (shown: MarketAccounts) => [
    await getBorrowInstructionAsync({ ...shown, marginAccount, owner, amount }),
  ];
  const { transactions } = await refreshPrices({ ...refresh, action });
  try {
    for (const { instructions } of transactions) await send(rpc, owner, instructions);
  } catch (error) {
    throw breakwaterErrorOf(error) ?? error;
  }

  const after = await loadSnapshot(rpc, accounts);
  const quotes = engine.at(after.market, after.readings, after.at);
  const health = quotes.health((await fetchMarginAccount(rpc, marginAccount)).data);
  const [debt, largest] = [health.debt, most.amount].map((atoms) => showAmount(atoms, data.quoteDecimals));
  const price = (raw: bigint | null) => (raw === null ? "no price" : showPrice(raw, data, 2));
  const { liquidationPrice, takeoverPrice } = health;
  return [
    `owes ${debt}, LTV ${health.ltv / 100}%`,
    `liquidated at ${price(liquidationPrice)}, taken over at ${price(takeoverPrice)}`,
    `at most ${largest}: ${most.boundBy}`,
  ].join("; ");
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) {
  const { RPC_URL = "http://127.0.0.1:8899", KEYPAIR = "", MARKET = "", HERMES, HERMES_KEY } = env;
  const source = HERMES ? hermes(HERMES, { key: HERMES_KEY }) : undefined;
  const owner = await createKeyPairSignerFromBytes(new Uint8Array(JSON.parse(readFileSync(KEYPAIR, "utf8"))));
  console.log(await borrow(createSolanaRpc(RPC_URL), owner, address(MARKET), { source }));
}

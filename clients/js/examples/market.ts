// What a market is about to do: its level, what the backstop could stand, where debt is liquidated, where falls of the price would
// end, what the backstop sells and when for less.
//
//   RPC_URL=http://127.0.0.1:8899 MARKET=<address> node build/examples/market.js
import { argv, env } from "node:process";
import { pathToFileURL } from "node:url";
import { type Address, address, createSolanaRpc, type Rpc, type SolanaRpcApi } from "@solana/kit";
import { Engine, loadSnapshot, showAmount, showPrice } from "breakwater-client";

const LEVELS = ["Normal", "Guarded", "Halted"];

/** Returns what it has to say, line by line. */
export async function describeMarket(rpc: Rpc<SolanaRpcApi>, marketAddress: Address): Promise<string[]> {
  const engine = await Engine.load();
  const { market, readings, at } = await loadSnapshot(rpc, marketAddress);
  const quotes = engine.at(market, readings, at);

  const { level, spot } = quotes.prices();
  const { cover, admissible, pipelineHeadroom } = quotes.balanceSheet();
  const { proximity } = quotes.risk();
  const bands = engine.heatMap(market, at).filter(({ debt }) => debt > 0n);
  const falls = quotes.cascade({ every: 1_000, count: 6 }).slice(1);
  const { criticalEveryone, criticalBackstop } = quotes.cascadeMeasures();
  const offers = level === 2 ? [] : quotes.offers(3_600, 3).filter(({ available }) => available > 0n);

  const price = (raw: bigint) => showPrice(raw, market.data, 2);
  const quote = (atoms: bigint) => showAmount(atoms, market.data.quoteDecimals, 2);
  const collateral = (atoms: bigint) => showAmount(atoms, market.data.collateralDecimals, 3);
  const percent = (bps: number) => `${bps / 100}%`;
  return [
    `${LEVELS[level]} at ${price(spot)}`,
    `a fall of ${percent(cover.fall)} would leave the backstop ${quote(cover.cover)}; new loans may use ${quote(admissible)}`,
    `while that is negative, ${collateral(pipelineHeadroom)} more can be taken over at once`,
    ...bands.map(({ edge, debt }) => `${quote(debt)} is liquidated from ${price(edge)}`),
    `nearest: ${proximity === null ? "none" : `${percent(proximity)} below`}`,
    ...falls.map(({ news, everyone, backstop }) =>
      [
        `news of -${percent(news)} end at -${percent(everyone.fall)} if everyone dumps`,
        `-${percent(backstop.fall)} here`,
      ].join(", "),
    ),
    `news that halve the price: -${percent(criticalEveryone)} if everyone dumps, -${percent(criticalBackstop)} here`,
    ...offers.map(({ at, ask, available }) => `${collateral(available)} at ${price(ask)} at ${at}`),
  ];
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) {
  const { RPC_URL = "http://127.0.0.1:8899", MARKET = "" } = env;
  console.log((await describeMarket(createSolanaRpc(RPC_URL), address(MARKET))).join("\n"));
}

import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyPairSigner } from "@solana/kit";
import {
  type BreakwaterEvent,
  breakwaterErrorOf,
  type EventData,
  getBuyInventoryForInstructionAsync,
  getBuyInventoryInstructionAsync,
  getClaimBountyInstructionAsync,
  getLiquidateInstructionAsync,
  getRepayInstructionAsync,
  getWithdrawCollateralInstructionAsync,
} from "breakwater-client";
import { type Borrower, SOL, USD, USDC, World } from "./support/world.js";

/** The only event of this name. */
function only<N extends BreakwaterEvent["name"]>(events: BreakwaterEvent[], name: N): EventData<N> {
  const found = events.filter((event) => event.name === name);
  assert.equal(found.length, 1, `${name} among ${events.map((event) => event.name)}`);
  return found[0]?.data as EventData<N>;
}

async function refusedWith(name: string, sent: Promise<unknown>) {
  await assert.rejects(sent, (error) => breakwaterErrorOf(error)?.error === name);
}

async function liquidate(world: World, keeper: KeyPairSigner, { marginAccount }: Borrower) {
  const { accounts } = await world.load();
  return world.send([await getLiquidateInstructionAsync({ ...accounts, marginAccount, keeper })], keeper);
}

async function withdraw(world: World, { owner, marginAccount }: Borrower, amount: bigint) {
  const { accounts } = await world.load();
  const withdrawal = await getWithdrawCollateralInstructionAsync({ ...accounts, marginAccount, owner, amount });
  return world.send([withdrawal], owner);
}

test("the largest loan is granted, and one atom more is not", async () => {
  const world = await World.create();
  await world.populate(100_000n * USDC);
  const alice = await world.borrower(10n * SOL);
  const quotes = await world.quotes();
  const most = quotes.maxBorrow(await world.account(alice));
  assert.ok(most > 500n * USDC && most <= 700n * USDC, `${most}`);
  const account = await world.account(alice);
  const expected = quotes.healthAfterBorrow(account, most);
  assert.throws(() => quotes.healthAfterBorrow(account, most + 1n), { error: "InitialLtvExceeded" });
  await refusedWith("InitialLtvExceeded", world.borrow(alice, most + 1n));
  const { borrowing } = only(await world.borrow(alice, most), "Borrowed");
  assert.equal(borrowing.amount, most);
  assert.deepEqual((await world.quotes()).health(await world.account(alice)), expected);
});

test("the most collateral is paid out, and one atom more is not", async () => {
  const world = await World.create();
  await world.populate(100_000n * USDC);
  const alice = await world.borrower(10n * SOL);
  await world.borrow(alice, 100n * USDC);
  const quotes = await world.quotes();
  const account = await world.account(alice);
  const most = quotes.maxWithdrawal(account);
  assert.ok(most > 7n * SOL && most < 9n * SOL, `${most}`);
  const expected = quotes.healthAfterWithdrawal(account, most);
  await refusedWith("InitialLtvExceeded", withdraw(world, alice, most + 1n));
  await withdraw(world, alice, most);
  assert.deepEqual((await world.quotes()).health(await world.account(alice)), expected);
  // Without debt all of it, at any price or none.
  const bob = await world.borrower(3n * SOL);
  world.advance(10_000n);
  assert.equal(quotes.maxWithdrawal(await world.account(bob)), 3n * SOL);
});

test("an account is liquidated at its liquidation price, and not above", async () => {
  const world = await World.create();
  const keeper = await world.populate(100_000n * USDC);
  const alice = await world.borrower(10n * SOL);
  await world.borrow(alice, 500n * USDC);
  world.advance(1n);
  await world.setPrice(100n * USD);
  const { liquidationPrice } = (await world.quotes()).health(await world.account(alice));
  assert.ok(liquidationPrice !== null);
  // The lowest price of the feed that comes out above it: 1 USD a token is 10⁻³ quote atoms a collateral atom.
  const above = ((liquidationPrice + 1n) * USD * 1_000n + (1n << 64n) - 1n) >> 64n;
  await world.setPrice(above);
  const healthy = await world.quotes();
  assert.equal(healthy.health(await world.account(alice)).liquidatable, false);
  const account = await world.account(alice);
  assert.throws(() => healthy.liquidation(account), { error: "AccountHealthy" });
  await refusedWith("AccountHealthy", liquidate(world, keeper, alice));
  await world.setPrice(above - 1n);
  assert.equal((await world.quotes()).health(await world.account(alice)).liquidatable, true);
  only(await liquidate(world, keeper, alice), "AccountsLiquidated");
});

test("crash, liquidation and sale of the inventory are as quoted", async () => {
  const world = await World.create();
  const keeper = await world.populate(100_000n * USDC);
  const alice = await world.borrower(10n * SOL);
  await world.borrow(alice, 600n * USDC);

  world.advance(3_600n);
  await world.setPrice(70n * USD);
  const crashed = await world.quotes();
  const health = crashed.health(await world.account(alice));
  assert.equal(health.liquidatable, true);
  const expected = crashed.liquidation(await world.account(alice));
  const { liquidated } = only(await liquidate(world, keeper, alice), "AccountsLiquidated");
  assert.deepEqual(liquidated, [{ marginAccount: alice.marginAccount, liquidation: expected }]);
  assert.ok(expected.repaid > 0n && expected.bounty > 0n && !expected.insolvent);
  const left = (await world.quotes()).health(await world.account(alice));
  assert.equal(left.debt, expected.debtAfter);
  assert.equal(left.collateral, expected.collateralAfter);

  const { accounts } = await world.load();
  const claim = only(
    await world.send([await getClaimBountyInstructionAsync({ ...accounts, keeper })], keeper),
    "BountyClaimed",
  );
  assert.equal(claim.claim.amount, expected.bounty);
  assert.equal(await world.balance(keeper.address, accounts.quoteMint), expected.bounty);

  const [now, later, latest] = (await world.quotes()).offers(3_600, 3);
  assert.ok(now && later && latest && now.ask > later.ask && later.ask > latest.ask);
  assert.deepEqual([now.at, later.at, latest.at], [world.unix, world.unix + 3_600n, world.unix + 7_200n]);
  world.advance(3_600n);
  await world.setPrice(70n * USD);
  assert.deepEqual((await world.quotes()).offers(), [later]);

  const buyer = await world.actor(0n, 10_000n * USDC);
  const amount = later.available / 3n;
  const purchase = (await world.quotes()).purchase(amount);
  assert.equal(purchase.ask, later.ask);
  const buy = await getBuyInventoryInstructionAsync({ ...accounts, buyer, amount, maxCost: purchase.cost });
  assert.deepEqual(only(await world.send([buy], buyer), "InventorySold").sale, purchase);
  const budget = purchase.cost / 2n;
  const second = (await world.quotes()).purchaseFor(budget);
  const buyFor = await getBuyInventoryForInstructionAsync({ ...accounts, buyer, budget, minAmount: second.amount });
  assert.deepEqual(only(await world.send([buyFor], buyer), "InventorySold").sale, second);
  assert.equal(await world.balance(buyer.address, accounts.collateralMint), amount + second.amount);

  const { owner: payer, marginAccount } = alice;
  const debt = (await world.quotes()).health(await world.account(alice)).debt;
  const repay = await getRepayInstructionAsync({ ...accounts, payer, marginAccount, amount: debt });
  assert.equal(only(await world.send([repay], payer), "Repaid").repayment.debtAfter, 0n);
  assert.equal((await world.quotes()).health(await world.account(alice)).liquidationPrice, null);
});

test("map, risk and initial LTV tell of the debt there is", async () => {
  const world = await World.create();
  await world.populate(100_000n * USDC);
  const borrowers = [await world.borrower(10n * SOL), await world.borrower(10n * SOL)] as const;
  await world.borrow(borrowers[0], 600n * USDC);
  await world.borrow(borrowers[1], 300n * USDC);
  const market = await world.load();
  const bands = world.engine.heatMap(market, { unix: world.unix, slot: world.slot });
  assert.equal(bands.length, 256);
  const quotes = await world.quotes();
  const filled = bands.flatMap((band, index) => (band.debt > 0n ? [index] : []));
  const accounts = await Promise.all(borrowers.map((borrower) => world.account(borrower)));
  assert.deepEqual(
    filled,
    accounts.map((account) => account.band).sort((a, b) => a - b),
  );
  assert.deepEqual(
    filled.map((band) => bands[band]?.debt),
    [300n * USDC, 600n * USDC],
  );
  for (const account of accounts) {
    const { liquidationPrice } = quotes.health(account);
    const [low, high] = [bands[account.band], bands[account.band + 1]];
    assert.ok(low && high && liquidationPrice);
    assert.ok(low.edge <= liquidationPrice && liquidationPrice < high.edge);
  }

  const { room, proximity, depth, cascade } = quotes.risk();
  assert.ok(room > 100_000n * USDC && cascade === 0);
  assert.ok(proximity !== null && proximity > 2_000 && proximity < 2_500, `${proximity}`);
  assert.deepEqual(
    depth.map(({ drop, ratio }) => [drop, ratio !== null]),
    [
      [100, false],
      [200, false],
      [500, false],
      [1_000, false],
      [2_000, false],
    ],
  );
  const { config } = market.data;
  const ltv = quotes.initialLtv(accounts[0] as (typeof accounts)[number]);
  assert.equal(ltv.base, config.initialLtv);
  assert.equal(ltv.limit, ltv.base - ltv.volatility - ltv.crowding);

  const prices = quotes.prices();
  assert.equal(prices.level, 0);
  assert.equal(prices.spot, (100n << 64n) / 1_000n);
  assert.ok(prices.conservative !== null && prices.conservative < prices.spot);
  assert.ok(prices.offered !== null && prices.offered > prices.spot);
  assert.equal(prices.liquidation, prices.spot);
});

test("collateral that can be redeemed counts at the lower of market and redemption", async () => {
  const world = await World.create({ redeemed: 90n * USD });
  await world.populate(100_000n * USDC);
  const alice = await world.borrower(10n * SOL);
  const { accounts } = await world.load();
  assert.ok(accounts.baseFeed && accounts.rateFeed);
  const quotes = await world.quotes();
  assert.equal(quotes.prices().spot, (90n << 64n) / 1_000n);
  const most = quotes.maxBorrow(await world.account(alice));
  assert.ok(most > 600n * USDC && most < 630n * USDC, `${most}`);
  await refusedWith("InitialLtvExceeded", world.borrow(alice, most + 1n));
  assert.equal(only(await world.borrow(alice, most), "Borrowed").borrowing.amount, most);
});

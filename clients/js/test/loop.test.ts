import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyPairSigner } from "@solana/kit";
import {
  type BreakwaterEvent,
  breakwaterErrorOf,
  type EventData,
  fetchGuardianPosition,
  findPositionPda,
  getBuyInventoryForInstructionAsync,
  getBuyInventoryInstructionAsync,
  getClaimBountyInstructionAsync,
  getGuardianDepositInstructionAsync,
  getGuardianRequestInstructionAsync,
  getGuardianWithdrawInstructionAsync,
  getLiquidateInstructionAsync,
  getOpenGuardianPositionInstructionAsync,
  getRepayInstructionAsync,
  getWithdrawCollateralInstructionAsync,
} from "breakwater-client";
import { type Borrower, OPEN_GUARDS, SOL, USD, USDC, World } from "./support/world.js";

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
  const { amount: most, boundBy } = quotes.maxBorrow(await world.account(alice));
  assert.equal(boundBy, "InitialLtvExceeded");
  assert.ok(most > 500n * USDC && most <= 700n * USDC, `${most}`);
  const account = await world.account(alice);
  const expected = quotes.healthAfterBorrow(account, most);
  assert.throws(() => quotes.healthAfterBorrow(account, most + 1n), { error: "InitialLtvExceeded" });
  await refusedWith("InitialLtvExceeded", world.borrow(alice, most + 1n));
  const { borrowing } = only(await world.borrow(alice, most), "Borrowed");
  assert.equal(borrowing.amount, most);
  assert.deepEqual((await world.quotes()).health(await world.account(alice)), expected);
});

test("where the backstop is small, the stress cover binds", async () => {
  const world = await World.create();
  await world.populate(100_000n * USDC, 30n * USDC);
  const alice = await world.borrower(10n * SOL);
  const quotes = await world.quotes();
  const account = await world.account(alice);
  const { amount: most, boundBy } = quotes.maxBorrow(account);
  assert.equal(boundBy, "StressCoverExceeded");
  // 10 SOL are worth 620 after the stress fall; beyond that the backstop's 30 stand.
  assert.ok(most > 630n * USDC && most <= 650n * USDC, `${most}`);
  assert.throws(() => quotes.healthAfterBorrow(account, most + 2n), { error: "StressCoverExceeded" });
  await refusedWith("StressCoverExceeded", world.borrow(alice, most + 2n));
  const expected = quotes.healthAfterBorrow(account, most);
  await world.borrow(alice, most);
  const after = await world.quotes();
  assert.deepEqual(after.health(await world.account(alice)), expected);
  const { admissible, leaving, admission } = after.balanceSheet();
  // An atom more would be in the next band, 2.2% further.
  assert.ok(admissible >= 0n && admissible < 15n * USDC, `${admissible}`);
  assert.deepEqual([leaving, admission.cover], [0n, admissible]);
  assert.deepEqual(after.maxWithdrawal(await world.account(alice)).boundBy, "StressCoverExceeded");
});

test("the most collateral is paid out, and one atom more is not", async () => {
  const world = await World.create();
  await world.populate(100_000n * USDC);
  const alice = await world.borrower(10n * SOL);
  await world.borrow(alice, 100n * USDC);
  const quotes = await world.quotes();
  const account = await world.account(alice);
  const { amount: most, boundBy } = quotes.maxWithdrawal(account);
  assert.equal(boundBy, "InitialLtvExceeded");
  assert.ok(most > 7n * SOL && most < 9n * SOL, `${most}`);
  const expected = quotes.healthAfterWithdrawal(account, most);
  await refusedWith("InitialLtvExceeded", withdraw(world, alice, most + 1n));
  await withdraw(world, alice, most);
  assert.deepEqual((await world.quotes()).health(await world.account(alice)), expected);
  // Without debt all of it, at any price or none.
  const bob = await world.borrower(3n * SOL);
  world.advance(10_000n);
  const all = { amount: 3n * SOL, boundBy: "InsufficientCollateral" };
  assert.deepEqual(quotes.maxWithdrawal(await world.account(bob)), all);
});

test("an account is liquidated at its liquidation price, and not above", async () => {
  const world = await World.create();
  const keeper = await world.populate(100_000n * USDC);
  const alice = await world.borrower(10n * SOL);
  await world.borrow(alice, 500n * USDC);
  world.advance(1n);
  await world.setPrice(100n * USD);
  const { liquidationPrice, takeoverPrice } = (await world.quotes()).health(await world.account(alice));
  assert.ok(liquidationPrice !== null && takeoverPrice !== null && takeoverPrice < liquidationPrice);
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
  const partial = only(await liquidate(world, keeper, alice), "AccountsLiquidated").liquidated[0]?.liquidation;
  assert.equal(partial?.takenOver, false);
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
  const account = await world.account(alice);
  const expected = crashed.liquidation(account);
  const { spot } = crashed.prices();
  assert.deepEqual(crashed.preview(account), {
    judgedAt: spot,
    settledAt: spot,
    wanted: expected.repaid,
    liquidatable: expected.repaid,
    done: expected,
    waiting: 0n,
  });
  const { liquidated } = only(await liquidate(world, keeper, alice), "AccountsLiquidated");
  assert.deepEqual(liquidated, [{ marginAccount: alice.marginAccount, liquidation: expected }]);
  assert.ok(expected.repaid > 0n && expected.bounty > 0n && !expected.takenOver);
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
  // A block costs the mean of the ask before and after it.
  assert.ok(purchase.ask >= later.ask);
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

test("own margin first: what the cover does not suffice for waits for the pipeline, a take-over does not", async () => {
  // The pipeline takes 100 USDC: 1.5 times the depth an hour, for 20 minutes.
  const caps = { debtCap: 40_000n * USDC, accountDebtCap: 40_000n * USDC };
  const shallow = { flowRate: 15_000, marketDepth: 200n * USDC, ...caps };
  const world = await World.create({ changes: { ...OPEN_GUARDS, ...shallow } });
  const keeper = await world.populate(10_000n * USDC, 30n * USDC);
  const alice = await world.borrower(10n * SOL);
  await world.borrow(alice, 600n * USDC);
  world.advance(60n);
  await world.setPrice(70n * USD);
  const fallen = await world.quotes();
  assert.ok(fallen.balanceSheet().cover.cover < 0n);
  const { done, liquidatable, wanted, waiting } = fallen.preview(await world.account(alice));
  assert.ok(done && done.repaid > 98n * USDC && done.repaid < 100n * USDC, `${done?.repaid}`);
  assert.deepEqual([liquidatable, waiting], [wanted, wanted - done.repaid]);
  const { liquidated } = only(await liquidate(world, keeper, alice), "AccountsLiquidated");
  assert.deepEqual(liquidated, [{ marginAccount: alice.marginAccount, liquidation: done }]);

  const full = await world.quotes();
  const rest = full.preview(await world.account(alice));
  assert.deepEqual([rest.done, rest.waiting], [null, rest.liquidatable]);
  const account = await world.account(alice);
  assert.throws(() => full.liquidation(account), { error: "PipelineFull" });
  await refusedWith("PipelineFull", liquidate(world, keeper, alice));

  world.advance(60n);
  await world.setPrice(55n * USD);
  const deep = (await world.quotes()).preview(await world.account(alice));
  assert.ok(deep.done?.takenOver && deep.done.whole && deep.done.deficit > 0n && deep.waiting === 0n);
  only(await liquidate(world, keeper, alice), "AccountsLiquidated");
  const { unfundedCredits, fundedCredits, debt, cash } = (await world.quotes()).balanceSheet();
  assert.deepEqual([unfundedCredits, fundedCredits, cash], [done.bounty + deep.done.bounty, 0n, 0n]);
  assert.ok(debt > 0n);
  const { accounts } = await world.load();
  const claim = await getClaimBountyInstructionAsync({ ...accounts, keeper });
  await refusedWith("CreditsUnfunded", world.send([claim], keeper));
});

test("a guardian sees what standing by and leaving pay", async () => {
  const world = await World.create();
  await world.populate(10_000n * USDC, 150n * USDC);
  const alice = await world.borrower(10n * SOL);
  await world.borrow(alice, 690n * USDC);
  const guardian = await world.actor(0n, 50n * USDC);
  const { accounts } = await world.load();
  const [guardianPosition] = await findPositionPda({ market: world.market, guardian: guardian.address });
  const expected = (await world.quotes()).guardianYield(50n * USDC);
  const open = await getOpenGuardianPositionInstructionAsync({ ...accounts, guardian });
  const amount = 50n * USDC;
  const deposit = await getGuardianDepositInstructionAsync({
    ...accounts,
    guardian,
    amount,
    minShares: 0n,
    maxImpairment: 0n,
  });
  await world.send([open, deposit], guardian);
  const yields = (await world.quotes()).guardianYield();
  assert.deepEqual(yields, expected);
  assert.ok(yields.claim === amount && yields.standingBy > 0 && yields.inACrash > 0);
  const shock = (await world.quotes()).shock(2_000);
  assert.equal(yields.earned, (shock.shared * BigInt(yields.rate)) / 10_000n);

  const position = async () => (await fetchGuardianPosition(world.rpc, guardianPosition)).data;
  const before = [await world.quotes(), await position()] as const;
  assert.throws(() => before[0].leaving(before[1]), { error: "NothingRequested" });
  const { shares } = await position();
  const request = await getGuardianRequestInstructionAsync({ ...accounts, guardian, shares, minAmount: amount });
  await world.send([request], guardian);
  const [early, asked] = [await world.quotes(), await position()];
  assert.throws(() => early.leaving(asked), { error: "TimelockActive" });

  world.advance(BigInt((await world.load()).data.config.guardianCooldown));
  await world.setPrice(92n * USD);
  const leaving = (await world.quotes()).leaving(asked);
  assert.equal(leaving.boundBy, "NothingRequested");
  assert.deepEqual([leaving.unpaid, leaving.amount], [asked.waiting, asked.waiting]);
  // 38% below 86 the 10 SOL are worth 533 of 690 and interest: some of the capital has to stay.
  await world.setPrice(86n * USD);
  const stressed = (await world.quotes()).leaving(asked);
  assert.equal(stressed.boundBy, "StressCoverExceeded");
  assert.ok(stressed.amount > 0n && stressed.amount < stressed.unpaid);
  const leave = (minAmount: bigint) =>
    getGuardianWithdrawInstructionAsync({ ...accounts, guardian, amount: stressed.unpaid, minAmount });
  await refusedWith("SlippageExceeded", world.send([await leave(stressed.amount + 1n)], guardian));
  const { withdrawal } = only(await world.send([await leave(stressed.amount)], guardian), "GuardianWithdrawn");
  assert.equal(withdrawal.amount, stressed.amount);
});

test("map and risk tell of the debt there is", async () => {
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
  // An account remembers its absolute band.
  const bandOf = (account: (typeof accounts)[number]) => account.place.band - Number(market.data.map.origin);
  assert.deepEqual(
    filled,
    accounts.map(bandOf).sort((a, b) => a - b),
  );
  assert.deepEqual(
    filled.map((band) => bands[band]?.debt),
    [300n * USDC, 600n * USDC],
  );
  for (const account of accounts) {
    const { liquidationPrice } = quotes.health(account);
    const [low, high] = [bands[bandOf(account)], bands[bandOf(account) + 1]];
    assert.ok(low && high && liquidationPrice);
    assert.ok(low.edge <= liquidationPrice && liquidationPrice < high.edge);
  }

  const { proximity, debtWithin, deviation, admissionFall } = quotes.risk();
  assert.ok(proximity !== null && proximity > 2_000 && proximity < 2_500, `${proximity}`);
  assert.deepEqual(
    debtWithin.map(({ drop, debt }) => [drop, debt]),
    [100, 200, 500, 1_000, 2_000].map((drop) => [drop, 0n]),
  );
  assert.deepEqual([deviation, admissionFall], [0, market.data.config.stressFall]);

  const prices = quotes.prices();
  assert.equal(prices.level, 0);
  assert.equal(prices.spot, (100n << 64n) / 1_000n);
  assert.ok(prices.conservative !== null && prices.conservative < prices.spot);
  assert.ok(prices.offered !== null && prices.offered > prices.spot);
  assert.deepEqual([prices.judged, prices.settled], [prices.spot, prices.spot]);
});

test("a crowd makes a cascade if everyone dumps, and none with the backstop", async () => {
  // 1,300 of debt; sales of 13 move the price by 1%.
  const caps = { debtCap: 2_600n * USDC, accountDebtCap: 2_600n * USDC };
  const small = { flowRate: 15_000, marketDepth: 13n * USDC, minDebt: USDC, bountyTip: 5_000n };
  const world = await World.create({ changes: { ...OPEN_GUARDS, ...small, ...caps } });
  await world.populate(2_000n * USDC);
  for (const debt of [690n, 610n]) await world.borrow(await world.borrower(10n * SOL), debt * USDC);
  const quotes = await world.quotes();
  const points = quotes.cascade({ every: 1_000, count: 4 });
  assert.deepEqual(
    points.map(({ news }) => news),
    [0, 1_000, 2_000, 3_000],
  );
  const at = points[2];
  assert.ok(at && at.everyone.fall > 6_000 && at.keepers.fall <= at.everyone.fall, `${at?.everyone.fall}`);
  assert.ok(at.backstop.fall >= 2_000 && at.backstop.fall < 2_500, `${at.backstop.fall}`);
  assert.ok(at.everyone.liquidatable >= 690n * USDC && at.everyone.own > at.backstop.own);
  const slowly = quotes.cascade({ hours: 6, every: 2_000, count: 2 })[1];
  assert.ok(slowly && slowly.backstop.fall < 2_500 && slowly.everyone.fall >= 2_000, `${slowly?.backstop.fall}`);

  const { criticalEveryone, criticalBackstop, gearing, delta, gamma, depth } = quotes.cascadeMeasures();
  assert.ok(criticalEveryone < 2_000 && criticalBackstop > 4_500, `${criticalEveryone} ${criticalBackstop}`);
  assert.deepEqual([gearing, delta, gamma], [10_000, 0n, 0n]);
  assert.deepEqual(
    depth.map(({ drop, market, backstop }) => [drop, market !== null, backstop !== null]),
    [100, 200, 500, 1_000, 2_000].map((drop) => [drop, drop === 2_000, drop === 2_000]),
  );
  assert.ok((depth[4]?.market ?? 0) < 10_000 && (depth[4]?.backstop ?? 0) > 10_000);
});

test("collateral that can be redeemed counts at the lower of market and redemption", async () => {
  const world = await World.create({ redeemed: 90n * USD });
  await world.populate(100_000n * USDC);
  const alice = await world.borrower(10n * SOL);
  const { accounts } = await world.load();
  assert.ok(accounts.baseFeed && accounts.rateFeed);
  const quotes = await world.quotes();
  assert.equal(quotes.prices().spot, (90n << 64n) / 1_000n);
  const { amount: most } = quotes.maxBorrow(await world.account(alice));
  assert.ok(most > 600n * USDC && most < 630n * USDC, `${most}`);
  await refusedWith("InitialLtvExceeded", world.borrow(alice, most + 1n));
  assert.equal(only(await world.borrow(alice, most), "Borrowed").borrowing.amount, most);
});

//! `buy_inventory`.

mod accounts;
mod price;
mod schedule;

use crate::backing::{BOUNTY_AT_60 as BOUNTY, credits};
use crate::scene::{SOL, Scene, USDC, all_feed_kinds, both_token_programs, overgrown, purse, readings, vaults};
use breakwater::{error::BreakwaterError, events::InventorySold};
use breakwater_engine::{Bps, Collateral, Config, Market, Price, Quote, actions::Sale, price::oracle::PriceUse};
use breakwater_testkit::{MarketSpec, World, default_config, ix, pyth::usd};

const BPS: u128 = 10_000;
const MICROS: u128 = 1_000_000;

/// A scene in which the backstop has just taken over all of Alice's 100 SOL at $60, for 6,500 out of its cash. The
/// price has stood there for long.
fn stocked(spec: &MarketSpec) -> Scene {
    stocked_by(spec, 100_000 * USDC)
}

/// The same by a backstop with other capital.
fn stocked_by(spec: &MarketSpec, backstop: u64) -> Scene {
    let mut scene = Scene::funded(World::program_test(), spec, 1_000_000 * USDC, backstop);
    scene.world.advance(60);
    scene.settle(60);
    scene.world.liquidate(&scene.kate, &scene.position).unwrap();
    assert_eq!(scene.inventory(), 100 * SOL);
    scene
}

/// Default mints and feeds with these parameters.
fn spec(config: Config) -> MarketSpec {
    MarketSpec {
        config,
        ..MarketSpec::default()
    }
}

/// A market so shallow that the 100 SOL at $60 are sold in a day: 250 dollars an hour.
fn paced() -> Config {
    Config {
        market_depth: Quote(250 * USDC * 2 / 3),
        debt_cap: Quote(10_000 * USDC),
        ..default_config()
    }
}

/// The default parameters without interest: the backstop's debt is exact to the atom.
fn no_interest() -> Config {
    Config {
        interest_base: Bps(0),
        interest_slope_low: Bps(0),
        interest_slope_high: Bps(0),
        ..default_config()
    }
}

fn wide(bps: Bps) -> u128 {
    u128::from(bps.0)
}

/// Beyond the largest discount, lag is forgotten; microseconds.
fn slowest(config: &Config) -> i128 {
    let slowest = wide(config.auction_max_discount) * 3_600 * MICROS;
    i128::try_from(slowest.div_ceil(wide(config.auction_slope))).unwrap()
}

fn micros(unix: i64) -> i128 {
    i128::from(unix) * 1_000_000
}

impl Scene {
    /// Publishes a price in whole dollars at which both EMAs stand, too, with a confidence of a thousandth.
    fn settle(&mut self, dollars: i64) {
        let feed = self.market.collateral_feed;
        self.world
            .settle_price(&feed, usd(dollars), usd(dollars).unsigned_abs() / 1_000);
        self.world.forget_prices(&self.market);
    }

    /// The market after it has accepted what its feeds show now.
    fn accepted(&mut self) -> Market {
        let mut market = self.world.market_state(&self.market);
        let readings = readings(&self.world, &self.market);
        market
            .accept_prices(&readings, PriceUse::Borrow, self.world.clock())
            .unwrap();
        market
    }

    fn inventory(&mut self) -> u64 {
        self.world.market_state(&self.market).books.backstop.inventory.0
    }

    /// The higher of the market's own EMA and Pyth's, for a collateral of 9 decimals in a quote token of 6, Q64.64.
    fn max_ema(&mut self) -> u128 {
        let ema = |world: &World, feed| u128::try_from(world.shown(feed).quotation().ema_price).unwrap();
        let collateral = ema(&self.world, &self.market.collateral_feed);
        let quote = ema(&self.world, &self.market.quote_feed);
        let own = self.accepted().guard.own_ema.raw();
        own.max((collateral << 64) / (quote * 1_000))
    }

    /// The price asked now, worked out with plain integers, for a collateral of 9 decimals in a quote token of 6, both
    /// with the same exponent. Discount and premium as the schedule has them.
    fn ask(&mut self, took: i128) -> u128 {
        let average = self.max_ema();
        let state = self.world.market_state(&self.market);
        let config = &state.config;
        let quotation = |feed| *self.world.shown(feed).quotation();
        let (collateral, quote) = (
            quotation(&self.market.collateral_feed),
            quotation(&self.market.quote_feed),
        );
        let ratio = |numerator: i128, denominator: i128| {
            let [numerator, denominator] = [numerator, denominator].map(|number| u128::try_from(number).unwrap());
            (numerator << 64, denominator * 1_000)
        };
        let (numerator, denominator) = ratio(
            i128::from(collateral.price) + i128::from(collateral.conf),
            i128::from(quote.price) - i128::from(quote.conf),
        );
        let high = numerator.div_ceil(denominator);

        let lag = (micros(self.world.unix()) - i128::from(state.books.auction.anchor)).min(slowest(config)) - took;
        // In millionths.
        let drift = wide(config.auction_slope) * 100 * lag.unsigned_abs() / (3_600 * MICROS);
        let factor = if lag >= 0 {
            100 * BPS - drift.min(100 * wide(config.auction_max_discount))
        } else {
            100 * BPS + drift.min(100 * wide(config.auction_max_premium))
        };
        let floor = (average * (BPS - wide(config.auction_floor_band))).div_ceil(BPS);
        (high * factor).div_ceil(100 * BPS).max(floor)
    }

    /// Mallory buys, for exactly what it must cost. Everything is checked: the event, both users' and vaults' tokens,
    /// the marks of the schedule and every other number of the market.
    #[track_caller]
    fn bought(&mut self, amount: u64) -> Sale {
        let average = self.max_ema();
        let now = micros(self.world.unix());
        let mut expected = self.accepted();
        expected.books = expected.books_at(self.world.clock()).unwrap();
        let Config {
            market_depth,
            flow_rate,
            auction_burst,
            ..
        } = expected.config;
        let books = &mut expected.books;

        let inventory = books.backstop.inventory.0;
        // The time that the flow limit takes for what is sold, counted at the higher of the two EMAs.
        let flow = u128::from(market_depth.0) * wide(flow_rate) / BPS;
        let value = (average * u128::from(amount)).div_ceil(1 << 64);
        let took = i128::try_from((value * 3_600 * MICROS).div_ceil(flow)).unwrap();
        // The mean of the first and the last atom's.
        let ask = (self.ask(0) + self.ask(took)).div_ceil(2);
        let cost = u64::try_from((ask * u128::from(amount)).div_ceil(1 << 64)).unwrap();
        let anchor = i128::from(books.auction.anchor).max(now - slowest(&expected.config)) + took;
        let flow = i128::from(books.auction.used_until).max(now) + took;
        assert!(anchor.max(flow) <= now + i128::from(auction_burst) * 1_000_000);
        (books.auction.anchor, books.auction.used_until) = (anchor.try_into().unwrap(), flow.try_into().unwrap());

        // Keepers' credits come first, then the debt to the pool.
        let funded = books.backstop.unfunded_credits.0.min(cost);
        books.backstop.unfunded_credits.0 -= funded;
        books.backstop.funded_credits.0 += funded;
        let left = cost - funded;
        let index = books.pool.index.raw();
        let owed = (index * u128::from(books.backstop.debt_shares.0)).div_ceil(1 << 64);
        let repaid = u64::try_from(owed).unwrap().min(left);
        let all = u128::from(repaid) == owed;
        let canceled = u64::try_from((u128::from(repaid) << 64) / index).unwrap();
        let canceled = if all { books.backstop.debt_shares.0 } else { canceled };
        books.backstop.debt_shares.0 -= canceled;
        books.pool.debt_shares.0 -= canceled;
        books.pool.cash.0 += repaid;
        books.backstop.cash.0 += left - repaid;
        books.backstop.inventory.0 -= amount;
        let book = u128::from(expected.books.equity_sources.book.0) * u128::from(amount) / u128::from(inventory);
        let gain = i64::try_from(i128::from(cost) - i128::try_from(book).unwrap()).unwrap();
        expected.books.equity_sources.book.0 -= u64::try_from(book).unwrap();
        expected.books.equity_sources.gains += gain;
        let published = self.world.unix();
        assert_eq!(
            (
                expected.oracle.known.newest.collateral.published,
                expected.oracle.known.newest.quote.published
            ),
            (published, published)
        );
        let purse_before = purse(&mut self.world, &self.market, &self.mallory);
        let vaults_before = vaults(&mut self.world, &self.market);

        let buy = ix::buy_inventory(&self.market, &self.mallory.key(), amount, cost);
        let outcome = self.world.send(&[buy], &[&self.mallory]).unwrap();

        let sale = Sale {
            amount: Collateral(amount),
            cost: Quote(cost),
            ask: Price::from_raw(ask),
            repaid: Quote(repaid),
            gain,
            inventory_after: Collateral(inventory - amount),
            recovered: Quote(0),
            lost: Quote(0),
            guardians_lost: Quote(0),
            protocol_lost: Quote(0),
        };
        let event = InventorySold {
            market: self.market.market,
            buyer: self.mallory.key(),
            sale,
        };
        assert_eq!(outcome.event::<InventorySold>(), event);
        assert_eq!(self.world.market_state(&self.market), expected);
        let (collateral, quote, lp) = purse_before;
        let after = (collateral + amount, quote - cost, lp);
        assert_eq!(purse(&mut self.world, &self.market, &self.mallory), after);
        let (collateral, quote) = vaults_before;
        assert_eq!(
            vaults(&mut self.world, &self.market),
            (collateral - amount, quote + cost)
        );
        sale
    }

    #[track_caller]
    fn refused(&mut self, amount: u64, max_cost: u64, expected: BreakwaterError) {
        let buy = ix::buy_inventory(&self.market, &self.mallory.key(), amount, max_cost);
        self.world.assert_error_unchanged(&[buy], &[&self.mallory], expected);
    }
}

#[test]
fn a_sale_moves_both_tokens() {
    for spec in both_token_programs().into_iter().chain(all_feed_kinds()) {
        let mut scene = stocked(&spec);
        let sale = scene.bought(SOL / 2);
        assert_eq!(sale.inventory_after.0, 100 * SOL - SOL / 2);
        // $60 and a thousandth, in a dollar less a thousandth: 30.06006 for half a SOL.
        assert_eq!(sale.cost, Quote(30_060_061));
        assert_eq!(sale.repaid, Quote(0));
    }
}

#[test]
fn the_smallest_sale_costs_an_atom() {
    let mut scene = stocked(&MarketSpec::default());
    for amount in [1, 16] {
        assert_eq!(scene.bought(amount).cost, Quote(1));
    }
    assert_eq!(scene.bought(17).cost, Quote(2));
}

#[test]
fn the_caller_sets_the_most_it_may_cost() {
    let mut scene = stocked(&MarketSpec::default());
    for max_cost in [0, 1, 30_060_060] {
        scene.refused(SOL / 2, max_cost, BreakwaterError::SlippageExceeded);
    }
    // `bought` sets the limit to the cost.
    assert_eq!(scene.bought(SOL / 2).cost, Quote(30_060_061));
}

#[test]
fn amounts_are_checked() {
    let mut scene = stocked(&spec(paced()));
    scene.refused(0, u64::MAX, BreakwaterError::ZeroAmount);
    scene.refused(100 * SOL + 1, u64::MAX, BreakwaterError::InventoryInsufficient);
    scene.refused(u64::MAX, u64::MAX, BreakwaterError::InventoryInsufficient);
    scene.refused(100 * SOL, u64::MAX, BreakwaterError::AuctionRateLimited);
}

#[test]
fn without_inventory_there_is_nothing_to_buy() {
    let mut scene = Scene::new();
    scene.refused(1, u64::MAX, BreakwaterError::InventoryInsufficient);
}

#[test]
fn who_cannot_pay_gets_nothing() {
    for spec in both_token_programs() {
        let mut scene = stocked(&spec);
        let pauper = scene.world.trader(&scene.market, "pauper", 0, 30_060_060);
        let buy = ix::buy_inventory(&scene.market, &pauper.key(), SOL / 2, u64::MAX);
        let failure = scene
            .world
            .assert_error_unchanged(std::slice::from_ref(&buy), &[&pauper], "Custom(1)");
        assert_eq!(failure.program, Some(spec.quote.token_program));
        scene.world.fund(&pauper, &scene.market.quote_mint, 1);
        scene.world.send(&[buy], &[&pauper]).unwrap();
        assert_eq!(purse(&mut scene.world, &scene.market, &pauper), (SOL / 2, 0, 0));
    }
}

#[test]
fn proceeds_fund_the_keepers_credits_and_then_repay_the_debt_to_the_pool() {
    // Without capital, the backstop has assumed all of Alice's 6,500, and owes the keeper: the pool lends nothing for
    // that.
    let mut scene = stocked_by(&spec(no_interest()), 0);
    let debt = |scene: &mut Scene| {
        let books = scene.world.market_state(&scene.market).books;
        books.pool.index.debt(books.backstop.debt_shares).unwrap().0
    };
    assert_eq!((debt(&mut scene), credits(&mut scene)), (6_500 * USDC, (0, BOUNTY)));
    // A sale that is less than the bounty repays nothing yet.
    let first = scene.bought(SOL / 5);
    assert_eq!((first.repaid, debt(&mut scene)), (Quote(0), 6_500 * USDC));
    assert_eq!(credits(&mut scene), (first.cost.0, BOUNTY - first.cost.0));
    let sale = scene.bought(SOL / 2);
    assert_eq!(sale.repaid.0, first.cost.0 + sale.cost.0 - BOUNTY);
    assert_eq!(debt(&mut scene), 6_500 * USDC - sale.repaid.0);
    assert_eq!(credits(&mut scene), (BOUNTY, 0));
    // All but one atom of the rest is paid back by somebody; a sale pays that atom and becomes cash.
    let rest = debt(&mut scene);
    scene.world.fund_backstop(&scene.market, &scene.lena, rest - 1).unwrap();
    let sale = scene.bought(1_000_000);
    assert_eq!(sale.repaid, Quote(1));
    let backstop = scene.world.market_state(&scene.market).books.backstop;
    assert_eq!((backstop.cash.0, backstop.debt_shares.0), (sale.cost.0 - 1, 0));
}

#[test]
fn interest_is_accrued_before_the_debt_is_repaid() {
    let mut scene = stocked_by(&MarketSpec::default(), 0);
    scene.world.advance(86_400);
    let before = scene.world.market_state(&scene.market).books.pool;
    scene.bought(SOL);
    let after = scene.world.market_state(&scene.market).books.pool;
    assert!(after.index.raw() > before.index.raw());
    assert_eq!(after.accrued_at, scene.world.unix());
}

#[test]
fn debt_that_no_number_can_hold_stops_it() {
    let mut scene = overgrown();
    scene.refused(1, u64::MAX, BreakwaterError::Overflow);
}

#[test]
fn who_liquidates_and_buys_at_once_pays_at_least_what_the_backstop_did() {
    let mut scene = Scene::new();
    scene.world.advance(60);
    scene.settle(80);
    let Scene {
        mut world,
        market,
        mallory,
        position,
        ..
    } = scene;
    world.open_keeper_ledger(&market, &mallory).unwrap();
    let amount = SOL / 2;
    let both = [
        ix::liquidate(&market, &position.address, &mallory.key()),
        ix::buy_inventory(&market, &mallory.key(), amount, u64::MAX),
    ];
    let outcome = world.send(&both, &[&mallory]).unwrap();
    let liquidation = outcome.liquidation();
    let sale = outcome.event::<InventorySold>().sale;
    assert!(sale.ask > liquidation.price);
    // Not even with the bounty for that part of it.
    let bounty = u128::from(liquidation.bounty.0) * u128::from(amount) / u128::from(liquidation.seized.0);
    let paid = u128::from(liquidation.repaid.0) * u128::from(amount) / u128::from(liquidation.seized.0);
    assert!(u128::from(sale.cost.0) > paid + bounty);
}

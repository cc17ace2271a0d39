//! A liquidation worked out again with plain integers, without the engine's sizing, pool or backstop: the formulas of
//! [`breakwater_engine::account::sizing`], and what they do to every account and every number of the books.

use crate::{
    risk::{move_threshold, place},
    scene::{Scene, readings, vaults},
};
use anchor_lang::prelude::Pubkey;
use breakwater::events::Liquidated;
use breakwater_client::MarketKeys;
use breakwater_engine::{
    Books, Bps, Clock, Collateral, Config, DebtShares, Error, KeeperLedger, MarginAccount, Market, Price, Prices,
    Quote,
    account::sizing::{Demand, Extent, Rules, Values},
    actions::Liquidation,
    price::{guard::LiquidationPrices, oracle::PriceUse},
};
use breakwater_testkit::World;

const BPS: u128 = 10_000;

fn wide(bps: Bps) -> u128 {
    u128::from(bps.0)
}

fn narrow(number: u128) -> u64 {
    u64::try_from(number).unwrap()
}

/// Price shown by the market's two feeds, as quote atoms for one collateral atom in Q64.64, rounded down.
pub fn spot(world: &mut World, market: &MarketKeys) -> u128 {
    let state = world.market_state(market);
    let [collateral, quote] = [market.collateral_feed, market.quote_feed].map(|feed| *world.shown(&feed).quotation());
    let [numerator, denominator] = [collateral.price, quote.price].map(|price| u128::try_from(price).unwrap());
    let decimals = i32::from(state.quote_decimals) - i32::from(state.collateral_decimals);
    let shift = collateral.expo - quote.expo + decimals;
    let scale = 10u128.pow(shift.unsigned_abs());
    if shift < 0 {
        (numerator << 64) / (denominator * scale)
    } else {
        ((numerator * scale) << 64) / denominator
    }
}

/// Prices shown by the market's two feeds, accepted by the engine for this purpose.
pub fn prices(world: &mut World, market: &MarketKeys, purpose: PriceUse) -> Prices {
    let (readings, clock) = (readings(world, market), world.clock());
    world
        .market_state(market)
        .accept_prices(&readings, purpose, clock)
        .unwrap()
}

/// An account as a liquidation finds it.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// Quote atoms.
    pub debt: u128,
    /// Atoms.
    pub collateral: u128,
    /// The price that it is judged at, Q64.64.
    pub high: u128,
    /// The price that it is settled at, Q64.64.
    pub low: u128,
}

/// The terms that follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub repay: u64,
    pub seize: u64,
    /// Value of the seized collateral, quote atoms.
    pub worth: u64,
    pub deficit: u64,
    pub penalty: u32,
    pub bounty: u64,
    pub extent: Extent,
}

impl Judged {
    /// Value of the collateral where the account is judged, quote atoms.
    pub fn value(self) -> u128 {
        (self.high * self.collateral) >> 64
    }

    /// Value of the collateral where the account is settled, quote atoms.
    pub fn settled_value(self) -> u128 {
        (self.low * self.collateral) >> 64
    }

    fn is_taken_over(self, config: &Config) -> bool {
        self.debt * BPS >= wide(config.takeover_ltv) * self.value()
    }

    /// The penalty wanted, but never beyond what the account has left; nothing where it has nothing left.
    fn penalty(self, config: &Config) -> u128 {
        let (debt, value) = (self.debt, self.settled_value());
        if debt >= value {
            assert!(
                debt == value || self.is_taken_over(config),
                "nothing of {self:?} may be taken"
            );
            return 0;
        }
        let wanted = if self.is_taken_over(config) {
            config.takeover_penalty
        } else {
            config.penalty
        };
        wide(wanted).min((value - debt) * BPS / debt)
    }

    /// The terms without regard to pipeline and steps.
    pub fn expected(self, config: &Config) -> Expected {
        let Self { debt, .. } = self;
        let (value, penalty) = (self.value(), self.penalty(config));
        assert!(
            debt * BPS > wide(config.liquidation_ltv) * value,
            "the account is healthy: {self:?}"
        );
        if self.is_taken_over(config) {
            return self.with_repayment(config, debt, penalty, Extent::TakeOver);
        }
        let repay = self.to_target(wide(config.target_ltv), penalty);
        if debt - repay < u128::from(config.min_debt.0) {
            self.with_repayment(config, debt, penalty, Extent::Whole)
        } else {
            self.with_repayment(config, repay, penalty, Extent::Partial)
        }
    }

    /// The terms when a step or the pipeline takes no more than `most` of the debt.
    pub fn expected_within(self, config: &Config, most: u64) -> Expected {
        let all = self.expected(config);
        if all.extent == Extent::TakeOver || all.repay <= most {
            return all;
        }
        // No dust is left, but where the cut would be a crumb otherwise.
        let smallest = u128::from(config.min_debt.0);
        let (most, largest) = (u128::from(most), self.debt.saturating_sub(smallest));
        let least = smallest.min(all.repay.into());
        let repay = if largest < least { most } else { most.min(largest) };
        self.with_repayment(config, repay, u128::from(all.penalty), Extent::Partial)
    }

    fn with_repayment(self, config: &Config, repay: u128, penalty: u128, extent: Extent) -> Expected {
        let value = self.settled_value();
        // A take-over that does not find the whole penalty takes all there is.
        let all = extent == Extent::TakeOver && penalty < wide(config.takeover_penalty);
        let (seize, worth) = if all {
            (self.collateral, value)
        } else {
            let worth = repay + repay * penalty / BPS;
            (((worth << 64) / self.low).min(self.collateral), worth)
        };
        let earned = u128::from(config.bounty_tip.0) + repay.min(worth) * wide(config.bounty_share) / BPS;
        let earned = earned.min(config.bounty_cap.0.into());
        let bounty = if extent == Extent::TakeOver {
            earned
        } else {
            earned.min((worth - repay) / 2)
        };
        Expected {
            repay: narrow(repay),
            seize: narrow(seize),
            worth: narrow(worth),
            deficit: narrow(repay.saturating_sub(worth)),
            penalty: u32::try_from(penalty).unwrap(),
            bounty: narrow(bounty),
            extent,
        }
    }

    /// x = (D − τV_h) / (1 − τ(1+β)h/l), rounded up, and the meaning of it: the least repayment that reaches the
    /// target at the price the account is judged at. h/l is known to 2^-32, rounded up.
    #[track_caller]
    fn to_target(self, target: u128, penalty: u128) -> u128 {
        let Self { debt, high, low, .. } = self;
        let (value, given) = (self.value(), target * (BPS + penalty));
        let spread = if high == low {
            1 << 32
        } else {
            (high << 32).div_ceil(low)
        };
        let given = (given * spread).div_ceil(1 << 32);
        let excess = (debt * BPS - target * value) * BPS;
        let repay = excess.div_ceil(BPS * BPS - given).min(debt);
        // At the target with `repay`, and not with a millionth less.
        let ratio = f64_of(high) / f64_of(low);
        let reached = |repay: u128| {
            let left = f64_of(value) - f64_of(repay) * (1.0 + f64_of(penalty) / 1e4) * ratio;
            f64_of(debt - repay) <= f64_of(target) / 1e4 * left + 2.0
        };
        assert!(repay == debt || reached(repay), "{repay} does not reach the target");
        let less = repay.saturating_sub(repay / 1_000_000 + 20);
        assert!(repay < 100 || !reached(less), "{repay} is not least");
        repay
    }
}

#[allow(clippy::cast_precision_loss, reason = "a check beside the exact one")]
fn f64_of(number: u128) -> f64 {
    number as f64
}

/// State that a liquidation changes, as it was before.
struct Before {
    market: Market,
    account: MarginAccount,
    ledger: KeeperLedger,
    tokens: (u64, u64),
}

impl Scene {
    /// Alice's account as it would be judged now, if spot is taken as it is.
    pub fn judged(&mut self) -> Judged {
        let spot = spot(&mut self.world, &self.market);
        self.judged_at(spot, spot)
    }

    /// Alice's account as it would be judged now at these prices, Q64.64.
    pub fn judged_at(&mut self, high: u128, low: u128) -> Judged {
        let state = self.world.market_state(&self.market);
        let index = state.books_at(self.world.clock()).unwrap().pool.index.raw();
        let account = self.world.margin_account(&self.position);
        Judged {
            debt: (index * u128::from(account.debt_shares.0)).div_ceil(1 << 64),
            collateral: u128::from(account.collateral.0),
            high,
            low,
        }
    }

    /// Kate liquidates Alice where nothing cuts it. Everything it does is checked.
    #[track_caller]
    pub fn liquidated(&mut self) -> Liquidation {
        self.liquidated_within(u64::MAX)
    }

    /// Kate liquidates Alice where the pipeline takes no more than this much of her debt. Everything it does is
    /// checked: the terms against formulas of the test's own and against the engine's, then the event, the account, the
    /// ledger, every number of the market, and that no token moved.
    #[track_caller]
    pub fn liquidated_within(&mut self, most: u64) -> Liquidation {
        let judged = self.judged();
        let before = Before {
            market: self.world.market_state(&self.market),
            account: self.world.margin_account(&self.position),
            ledger: self.world.keeper_ledger(&self.market, &self.kate),
            tokens: vaults(&mut self.world, &self.market),
        };
        let expected = judged.expected_within(&before.market.config, most);
        assert_eq!(expected, by_engine(&before.market.config, judged, most), "{judged:?}");

        let outcome = self.world.liquidate(&self.kate, &self.position).unwrap();

        let [
            Liquidated {
                margin_account,
                liquidation,
            },
        ] = outcome.liquidated()[..]
        else {
            panic!("one liquidation: {:?}", outcome.logs)
        };
        assert_eq!(margin_account, self.position.address);
        let after = self.world.market_state(&self.market);
        let mut state = before.market;
        let readings = readings(&self.world, &self.market);
        let prices = state
            .accept_prices(&readings, PriceUse::Liquidate, self.world.clock())
            .unwrap();
        let (books, event) = applied(&before, judged, expected, prices.own_ema().raw(), self.world.unix());
        assert_eq!(liquidation, event);
        state.books = books;
        let shares = before.account.debt_shares.0 - moved_shares(&before, expected.repay, books.pool.index.raw());
        let mut moved = MarginAccount {
            collateral: event.collateral_after,
            debt_shares: DebtShares(shares),
            ..before.account
        };
        let lowest = judged.low.min(prices.guarded().raw()).min(prices.own_ema().raw());
        move_threshold(&mut state, lowest, after.map.threshold);
        place(&mut state, &before.account, &mut moved);
        let feeds = [self.market.collateral_feed, self.market.quote_feed];
        let published = |feed: &Pubkey| self.world.shown(feed).quotation().publish_time;
        let times = [
            state.oracle.known.newest.collateral.published,
            state.oracle.known.newest.quote.published,
        ];
        assert_eq!(times, feeds.each_ref().map(published));
        assert_eq!(after, state);
        let account = self.world.margin_account(&self.position);
        // Steps have a test of their own.
        moved.stepped_until = account.stepped_until;
        assert_eq!(account, moved);
        let credit = Quote(before.ledger.credit.0 + event.bounty.0);
        assert_eq!(
            self.world.keeper_ledger(&self.market, &self.kate),
            KeeperLedger {
                credit,
                ..before.ledger
            }
        );
        assert_eq!(vaults(&mut self.world, &self.market), before.tokens);
        liquidation
    }
}

fn by_engine(config: &Config, judged: Judged, most: u64) -> Expected {
    let (debt, collateral) = (Quote(narrow(judged.debt)), Collateral(narrow(judged.collateral)));
    let prices = LiquidationPrices {
        judged: Price::from_raw(judged.high),
        settled: Price::from_raw(judged.low),
    };
    let rules = Rules::new(config, config.liquidation_ltv, &prices);
    let values = Values {
        judged: Quote(narrow(judged.value())),
        settled: Quote(narrow(judged.settled_value())),
    };
    let demand = Demand::of(&rules, debt, values).unwrap();
    let demand = demand.within(config, debt, Quote(most), Error::PipelineFull).unwrap();
    let divisor = prices.settled.divisor().unwrap();
    let terms = demand.terms(&rules, collateral, &divisor).unwrap();
    Expected {
        repay: demand.repay.0,
        seize: terms.seize.0,
        worth: terms.worth.0,
        deficit: terms.deficit.0,
        penalty: demand.penalty.0,
        bounty: terms.bounty(config).0,
        extent: demand.extent,
    }
}

/// The shares that a repayment takes off the account: all for all, otherwise rounded down.
fn moved_shares(before: &Before, repay: u64, index: u128) -> u64 {
    let held = before.account.debt_shares.0;
    let debt = (index * u128::from(held)).div_ceil(1 << 64);
    if u128::from(repay) == debt {
        held
    } else {
        narrow((u128::from(repay) << 64) / index)
    }
}

/// The books and the event after a liquidation on these terms: cash pays first, the rest is assumed, then the bounty is
/// credited: set aside as far as there is cash, owed for the rest. `average` is the market's own, Q64.64.
fn applied(before: &Before, judged: Judged, terms: Expected, average: u128, unix: i64) -> (Books, Liquidation) {
    let clock = Clock { unix, slot: 0 };
    let mut books = before.market.books_at(clock).unwrap();
    let index = books.pool.index.raw();
    let config = &before.market.config;
    let (pool, backstop) = (&mut books.pool, &mut books.backstop);
    let cash = backstop.cash.0.min(terms.repay);
    let moved = moved_shares(before, terms.repay, index);
    let settled = if cash == terms.repay {
        moved
    } else {
        narrow((u128::from(cash) << 64) / index)
    };
    pool.cash.0 += cash;
    pool.debt_shares.0 -= settled;
    // What was held is as far behind schedule as it takes to sell, and no further.
    let hour = 3_600_000_000;
    let flow = u128::from(config.market_depth.0) * wide(config.flow_rate) / BPS;
    let held = (average * u128::from(backstop.inventory.0)) >> 64;
    let now = unix * 1_000_000;
    let lag = u128::from((now - books.auction.anchor).max(0).unsigned_abs());
    let kept = i64::try_from(lag.min(held * hour / flow)).unwrap();
    books.auction.anchor = books.auction.anchor.max(now - kept);
    backstop.cash.0 -= cash;
    backstop.debt_shares.0 += moved - settled;
    backstop.inventory.0 += terms.seize;

    let funded = backstop.cash.0.min(terms.bounty);
    backstop.cash.0 -= funded;
    backstop.funded_credits.0 += funded;
    backstop.unfunded_credits.0 += terms.bounty - funded;
    let income = &mut books.equity_sources;
    income.book.0 += terms.worth;
    income.penalties.0 += terms.worth.saturating_sub(terms.repay);
    income.deficits.0 += terms.deficit;

    let still_owed = before.account.debt_shares.0 - moved;
    let event = Liquidation {
        price: Price::from_raw(judged.low),
        repaid: Quote(terms.repay),
        paid_in_cash: Quote(cash),
        seized: Collateral(terms.seize),
        deficit: Quote(terms.deficit),
        bounty: Quote(terms.bounty),
        debt_after: Quote(narrow((index * u128::from(still_owed)).div_ceil(1 << 64))),
        collateral_after: Collateral(before.account.collateral.0 - terms.seize),
        penalty: Bps(terms.penalty),
        taken_over: terms.extent == Extent::TakeOver,
        whole: still_owed == 0,
    };
    (books, event)
}

//! A liquidation worked out again with plain integers, without the engine's sizing, pool or backstop: the formulas of
//! [`breakwater_engine::sizing`], and what they do to every account and every number of the books.

use crate::{
    risk::place,
    scene::{Scene, readings, vaults},
};
use anchor_lang::prelude::Pubkey;
use breakwater::events::Liquidated;
use breakwater_client::MarketKeys;
use breakwater_engine::{
    Books, Bps, Clock, Collateral, Config, DebtShares, Error, KeeperLedger, MarginAccount, Market, Price, Prices,
    Quote,
    actions::Liquidation,
    oracle::Purpose,
    sizing::{self, Extent},
};
use breakwater_testkit::World;

const BPS: u128 = 10_000;

fn wide(bps: Bps) -> u128 {
    u128::from(bps.0)
}

fn narrow(number: u128) -> u64 {
    u64::try_from(number).unwrap()
}

/// What the market's two feeds show, as quote atoms for one collateral atom in Q64.64, rounded down.
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

/// What the market's two feeds show, accepted by the engine for this purpose.
pub fn prices(world: &mut World, market: &MarketKeys, purpose: Purpose) -> Prices {
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
    /// Q64.64.
    pub price: u128,
}

/// The terms that follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub repay: u64,
    pub seize: u64,
    pub deficit: u64,
    pub penalty: u32,
    pub bounty: u64,
    pub extent: Extent,
}

impl Judged {
    fn value(self) -> u128 {
        (self.price * self.collateral) >> 64
    }

    /// β, which rises from its minimum to its maximum, but never beyond what the account has left.
    fn penalty(self, config: &Config) -> u128 {
        let (debt, value) = (self.debt, self.value());
        if debt >= value {
            return 0;
        }
        let (low, high) = (wide(config.penalty_min), wide(config.penalty_max));
        let (from, to) = (wide(config.liquidation_ltv), wide(config.insolvency_ltv));
        let (above, span, range) = (debt * BPS - from * value, (to - from) * value, high - low);
        let exact = (range * above / span).min(range);
        // A basis point for each full step of the way, and the steps rounded up: never above the formula, and below it
        // by a basis point at most where the value is more than some thousand atoms.
        let steps = if range == 0 {
            0
        } else {
            (above / span.div_ceil(range)).min(range)
        };
        assert!(
            (steps..=steps + 1 + range * range / span).contains(&exact),
            "{steps} for {exact}"
        );
        (low + steps).min((value - debt) * BPS / debt)
    }

    /// The terms without regard to room.
    pub fn expected(self, config: &Config) -> Expected {
        let Self { debt, .. } = self;
        let (value, penalty) = (self.value(), self.penalty(config));
        assert!(
            debt * BPS > wide(config.liquidation_ltv) * value,
            "the account is healthy: {self:?}"
        );
        let insolvent = debt * BPS >= wide(config.insolvency_ltv) * value;
        let repay = if insolvent {
            debt
        } else {
            to_target(debt, value, wide(config.target_ltv), penalty)
        };
        let dust = debt.saturating_sub(repay) < u128::from(config.min_debt.0);
        let (repay, extent) = match (insolvent, dust) {
            (true, _) => (debt, Extent::Insolvent),
            (false, true) => (debt, Extent::Whole),
            (false, false) => (repay, Extent::Partial),
        };
        self.with_repayment(config, repay, penalty, extent)
    }

    /// The terms when no more than `room` fits.
    pub fn expected_within(self, config: &Config, room: u64) -> Expected {
        self.expected_up_to(config, room, Extent::Cut)
    }

    /// The terms when a step takes no more than `most`.
    pub fn expected_step(self, config: &Config, most: u64) -> Expected {
        self.expected_up_to(config, most, Extent::Partial)
    }

    fn expected_up_to(self, config: &Config, room: u64, extent: Extent) -> Expected {
        let all = self.expected(config);
        if all.extent == Extent::Insolvent || all.repay <= room {
            return all;
        }
        let repay = u128::from(room).min(self.debt - u128::from(config.min_debt.0));
        self.with_repayment(config, repay, u128::from(all.penalty), extent)
    }

    fn with_repayment(self, config: &Config, repay: u128, penalty: u128, extent: Extent) -> Expected {
        let deficit = self.debt.saturating_sub(self.value());
        let paid_for = repay * (BPS + penalty) / BPS;
        let seize = if deficit > 0 {
            self.collateral
        } else {
            ((paid_for << 64) / self.price).min(self.collateral)
        };
        // No tip for what was cut to the room.
        let tip = if extent == Extent::Cut { 0 } else { config.bounty_tip.0 };
        let tip = u128::from(tip);
        let bounty = if extent == Extent::Insolvent {
            if repay >= u128::from(config.min_debt.0) { tip } else { 0 }
        } else {
            (tip + repay * wide(config.bounty_share) / BPS).min(repay * penalty / (2 * BPS))
        };
        Expected {
            repay: narrow(repay),
            seize: narrow(seize),
            deficit: narrow(deficit),
            penalty: u32::try_from(penalty).unwrap(),
            bounty: narrow(bounty),
            extent,
        }
    }
}

/// x = (D − τV) / (1 − τ(1+β)), rounded up, and the meaning of it: the least repayment that reaches the target.
fn to_target(debt: u128, value: u128, target: u128, penalty: u128) -> u128 {
    let excess = (debt * BPS - target * value) * BPS;
    let repay = excess.div_ceil(BPS * BPS - target * (BPS + penalty)).min(debt);
    let reached = |repay: u128| (debt - repay) * BPS * BPS + target * repay * (BPS + penalty) <= target * value * BPS;
    assert!(
        repay == debt || reached(repay) && !reached(repay - 1),
        "{repay} is not least"
    );
    repay
}

/// What a liquidation changes, as it was before.
struct Before {
    market: Market,
    account: MarginAccount,
    ledger: KeeperLedger,
    tokens: (u64, u64),
}

impl Scene {
    /// Alice's account as it would be judged now.
    pub fn judged(&mut self) -> Judged {
        let state = self.world.market_state(&self.market);
        let index = state.books_at(self.world.clock()).unwrap().pool.index.raw();
        let account = self.world.margin_account(&self.position);
        Judged {
            debt: (index * u128::from(account.debt_shares.0)).div_ceil(1 << 64),
            collateral: u128::from(account.collateral.0),
            price: spot(&mut self.world, &self.market),
        }
    }

    /// Kate liquidates Alice where there is room for all of it. Everything it does is checked.
    #[track_caller]
    pub fn liquidated(&mut self) -> Liquidation {
        self.liquidated_within(u64::MAX)
    }

    /// Kate liquidates Alice where there is this much room. Everything it does is checked: the terms against
    /// formulas of the test's own and against the engine's, then the event, the account, the ledger, every number
    /// of the market, and that no token moved.
    #[track_caller]
    pub fn liquidated_within(&mut self, room: u64) -> Liquidation {
        let judged = self.judged();
        let before = Before {
            market: self.world.market_state(&self.market),
            account: self.world.margin_account(&self.position),
            ledger: self.world.keeper_ledger(&self.market, &self.kate),
            tokens: vaults(&mut self.world, &self.market),
        };
        let expected = judged.expected_within(&before.market.config, room);
        assert_eq!(expected, by_engine(&before.market.config, judged, room), "{judged:?}");

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
        let (books, event) = applied(&before, judged, expected, self.world.unix());
        assert_eq!(liquidation, event);
        let mut state = before.market;
        let readings = readings(&self.world, &self.market);
        state
            .accept_prices(&readings, Purpose::Liquidate, self.world.clock())
            .unwrap();
        state.books = books;
        let penalty = expected.repay * u64::from(expected.penalty) / 10_000;
        state.income.book.0 += expected.repay + penalty - expected.deficit;
        state.income.penalties.0 += penalty;
        state.income.deficits.0 += expected.deficit;
        let shares = before.account.debt_shares.0 - moved_shares(&before, expected.repay, books.pool.index.raw());
        let mut moved = MarginAccount {
            collateral: event.collateral_after,
            debt_shares: DebtShares(shares),
            ..before.account
        };
        place(&mut state, &before.account, &mut moved);
        let feeds = [self.market.collateral_feed, self.market.quote_feed];
        let published = |feed: &Pubkey| self.world.shown(feed).quotation().publish_time;
        let times = [state.oracle.collateral_published, state.oracle.quote_published];
        assert_eq!(times, feeds.each_ref().map(published));
        assert_eq!(self.world.market_state(&self.market), state);
        let account = self.world.margin_account(&self.position);
        // Steps have a test of their own.
        moved.stepped_at = account.stepped_at;
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

fn by_engine(config: &Config, judged: Judged, room: u64) -> Expected {
    let (debt, collateral) = (Quote(narrow(judged.debt)), Collateral(narrow(judged.collateral)));
    let price = Price::from_raw(judged.price).divisor().unwrap();
    let terms = sizing::terms(config, debt, collateral, &price).unwrap();
    let whole = terms.repay;
    let mut terms = terms
        .within(config, debt, collateral, &price, Quote(room), Error::BackstopFull)
        .unwrap();
    if terms.repay < whole {
        terms.extent = Extent::Cut;
    }
    Expected {
        repay: terms.repay.0,
        seize: terms.seize.0,
        deficit: terms.deficit.0,
        penalty: terms.penalty.0,
        bounty: terms.bounty(config).unwrap().0,
        extent: terms.extent,
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
/// set aside.
fn applied(before: &Before, judged: Judged, terms: Expected, unix: i64) -> (Books, Liquidation) {
    let clock = Clock { unix, slot: 0 };
    let mut books = before.market.books_at(clock).unwrap();
    let index = books.pool.index.raw();
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
    // What arrives begins without a discount: the lag, in whole seconds, shrinks to the old part of the inventory.
    let config = &before.market.config;
    let longest = (wide(config.unwind_max_discount) * 3_600).div_ceil(wide(config.unwind_slope));
    let (held, seized) = (u128::from(backstop.inventory.0), u128::from(terms.seize));
    let now = unix * 1_000_000;
    let lag = now - books.unwind.anchor;
    if lag > 0 && held == 0 {
        books.unwind.anchor = now;
    } else if lag > 0 {
        let lag = (u128::from(lag.unsigned_abs()) / 1_000_000).min(longest);
        let kept = lag - lag * seized / (held + seized);
        let kept = i64::try_from(kept * 1_000_000).unwrap();
        books.unwind.anchor = books.unwind.anchor.max(now - kept);
    }
    backstop.cash.0 -= cash;
    backstop.debt_shares.0 += moved - settled;
    backstop.inventory.0 += terms.seize;

    let from_cash = backstop.cash.0.min(terms.bounty);
    let lent = pool.cash.0.min(terms.bounty - from_cash);
    let lent_shares = narrow((u128::from(lent) << 64).div_ceil(index));
    backstop.cash.0 -= from_cash;
    pool.cash.0 -= lent;
    pool.debt_shares.0 += lent_shares;
    backstop.debt_shares.0 += lent_shares;
    let bounty = from_cash + lent;
    backstop.keeper_credits.0 += bounty;

    let still_owed = before.account.debt_shares.0 - moved;
    let event = Liquidation {
        price: Price::from_raw(judged.price),
        repaid: Quote(terms.repay),
        paid_in_cash: Quote(cash),
        seized: Collateral(terms.seize),
        deficit: Quote(terms.deficit),
        bounty: Quote(bounty),
        bounty_unpaid: Quote(terms.bounty - bounty),
        debt_after: Quote(narrow((index * u128::from(still_owed)).div_ceil(1 << 64))),
        collateral_after: Collateral(before.account.collateral.0 - terms.seize),
        penalty: Bps(terms.penalty),
        insolvent: terms.extent == Extent::Insolvent,
        whole: still_owed == 0,
    };
    (books, event)
}

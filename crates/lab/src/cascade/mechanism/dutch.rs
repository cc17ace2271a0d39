//! Sky (Maker), Liquidations 2.0.
//!
//! Rules: MIP45 (February 2021) and the contracts' documentation; parameters of ETH-A as proposed for its start (forum
//! post on ETH and WBTC vaults, April 2021): see the constants. The oracle's security module (documentation of the OSM)
//! makes public every hour the price that it was shown an hour before; [`Dutch::delayed`] sees only that, for who is
//! due and for an auction's first price. [`Dutch::new`] is the same without the delay, for comparison.
//!
//! Simplified: the cap is a tenth of all debt (the real one is a sum that governance moves); those who begin an auction
//! are not paid for it (tip and chip); an auction that has to begin again does so in the same step.

use breakwater_engine::{Clock, Collateral, Price, Quote, Result};

use super::{EDGE, Environment, Mechanism, Moment, WORTH_IT, atoms, inventory_seller::InventorySeller, per_token};
use crate::cascade::{
    lending::Lending,
    metrics::Case,
    setup::{COLLATERAL_UNIT, QUOTE_UNIT, quote},
};

/// Added to the debt that an auction has to raise: 13%.
const CHOP: u64 = 11_300;
/// The first price of an auction over the oracle's: 120%.
const BUFFER: u64 = 12_000;
/// A step of the price: 1% down …
const CUT: f64 = 0.99;
/// … every so many seconds.
const CUT_SECONDS: i64 = 90;
/// An auction starts again after so many seconds …
const TAIL: i64 = 8_400;
/// … or when its price is below this part of its first.
const CUSP: f64 = 0.4;
/// Most debt (with chop) in auctions at once, fraction of all debt.
const HOLE: f64 = 0.1;
/// Seconds between two prices of the security module.
const HOP: i64 = 3_600;

/// The oracle's security module: the price that holds is the one that was read at the last full hour but one.
#[derive(Clone, Copy, Debug, Default)]
struct Delay {
    /// The hour of the last reading.
    hour: Option<i64>,
    /// The price that holds, and the next one.
    prices: Option<(Price, Price)>,
}

impl Delay {
    /// The price that holds, after a look at the oracle.
    fn price(&mut self, spot: Price, clock: Clock) -> Price {
        let hour = clock.unix / HOP;
        let (mut current, mut next) = self.prices.unwrap_or((spot, spot));
        if self.hour.is_some_and(|last| hour > last) {
            (current, next) = (next, spot);
        }
        (self.hour, self.prices) = (Some(hour), Some((current, next)));
        current
    }
}

/// One account's collateral, for sale.
#[derive(Clone, Copy)]
struct Auction {
    id: u32,
    lot: Collateral,
    /// Quote still to raise.
    tab: Quote,
    /// Quote to raise for the debt itself, at the start.
    debt: Quote,
    raised: Quote,
    sold: Collateral,
    top: f64,
    since: i64,
}

/// Sky's rules (Liquidations 2.0): every account due is auctioned whole, at a price that falls in steps; auctions
/// together stay below a cap; what is left of the collateral goes back.
pub struct Dutch {
    inventory_seller: InventorySeller,
    auctions: Vec<Auction>,
    delay: Option<Delay>,
}

impl Auction {
    fn price(&self, clock: Clock) -> f64 {
        let steps = (clock.unix - self.since) / CUT_SECONDS;
        self.top * CUT.powf(steps as f64)
    }

    /// Quote still to raise for the debt itself.
    fn lacks(&self) -> u64 {
        self.debt.0.saturating_sub(self.raised.0)
    }
}

impl Dutch {
    pub fn new(capital: Quote) -> Self {
        Self {
            inventory_seller: InventorySeller::new(capital),
            auctions: Vec::new(),
            delay: None,
        }
    }

    /// With the security module's delay.
    pub fn delayed(capital: Quote) -> Self {
        Self {
            delay: Some(Delay::default()),
            ..Self::new(capital)
        }
    }

    /// The price that the rules see.
    fn seen(&mut self, now: &Moment) -> Price {
        let spot = now.prices.spot();
        self.delay.as_mut().map_or(spot, |delay| delay.price(spot, now.clock))
    }

    fn begin(&mut self, spot: Price, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let threshold = environment.lending.due_from(spot);
        let mut open: u64 = self.auctions.iter().map(|auction| auction.tab.0).sum();
        while open < quote(HOLE).0 {
            let Some(id) = environment.lending.order.next(&environment.lending.accounts, threshold) else {
                break;
            };
            let (before, debt) = self.inventory_seller.take_over(environment.lending, id, now.clock)?;
            let case = Case {
                debt,
                collateral: before.collateral,
                repaid: debt,
                seized: Collateral::ZERO,
                returned: Quote::ZERO,
            };
            environment
                .metrics
                .liquidation(&environment.lending.market.config, environment.exchange.fair(), &case);
            let tab = Quote(breakwater_engine::math::num::mul_div_floor(debt.0, CHOP, 10_000)?);
            open += tab.0;
            self.auctions.push(Auction {
                id,
                lot: before.collateral,
                tab,
                debt,
                raised: Quote::ZERO,
                sold: Collateral::ZERO,
                top: per_token(spot.scale_down(BUFFER)?),
                since: now.clock.unix,
            });
        }
        Ok(())
    }

    /// Buyers take what they can sell with a gain, the cheapest first.
    fn take(&mut self, spot: Price, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        for auction in &mut self.auctions {
            let old = now.clock.unix - auction.since > TAIL;
            if old || auction.price(now.clock) < CUSP * auction.top {
                (auction.top, auction.since) = (per_token(spot.scale_down(BUFFER)?), now.clock.unix);
            }
        }
        self.auctions
            .sort_by(|a, b| a.price(now.clock).total_cmp(&b.price(now.clock)));
        for auction in &mut self.auctions {
            let price = auction.price(now.clock);
            if price * (1.0 + EDGE) > environment.exchange.price() {
                break;
            }
            let wanted = environment.exchange.down_to(price * (1.0 + EDGE));
            let enough = (auction.tab.0 as f64 / QUOTE_UNIT / price).min(wanted);
            let amount = atoms(enough, auction.lot);
            let all = Quote(crate::rounding::nearest_u64(
                amount.0 as f64 / COLLATERAL_UNIT * price * QUOTE_UNIT,
            ));
            // Rounding may leave an atom.
            let cost = if auction.tab.0.abs_diff(all.0) <= 1 {
                auction.tab
            } else {
                all.min(auction.tab)
            };
            let last = amount == auction.lot || cost == auction.tab;
            if amount == Collateral::ZERO || (!last && (cost.0 as f64) < WORTH_IT * QUOTE_UNIT) {
                break;
            }
            auction.lot = auction.lot.minus(amount)?;
            auction.tab = auction.tab.minus(cost)?;
            auction.raised = auction.raised.plus(cost)?;
            auction.sold = auction.sold.plus(amount)?;
            self.inventory_seller.inventory = self.inventory_seller.inventory.minus(amount)?;
            self.inventory_seller.cash += i128::from(cost.0);
            let proceeds = environment.exchange.sell(amount);
            environment.metrics.agents += i128::from(proceeds.0) - i128::from(cost.0);
        }
        Ok(())
    }

    /// Auctions that raised everything, or have nothing left.
    fn end(&mut self, environment: &mut Environment<'_>) -> Result<()> {
        let (over, open): (Vec<Auction>, Vec<Auction>) = self
            .auctions
            .iter()
            .partition(|auction| auction.tab == Quote::ZERO || auction.lot == Collateral::ZERO);
        self.auctions = open;
        for auction in over {
            environment.metrics.bad_debt += auction.lacks();
            let sold = auction.sold.0 as f64 / COLLATERAL_UNIT * environment.exchange.fair() * QUOTE_UNIT;
            environment.metrics.loss(sold - auction.debt.0 as f64);
            let account = &mut environment.lending.accounts[auction.id as usize];
            account.collateral = account.collateral.plus(auction.lot)?;
            self.inventory_seller.inventory = self.inventory_seller.inventory.minus(auction.lot)?;
        }
        Ok(())
    }
}

impl Mechanism for Dutch {
    fn step(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let seen = self.seen(now);
        self.begin(seen, now, environment)?;
        self.take(seen, now, environment)?;
        self.end(environment)
    }

    fn inventory(&self, _lending: &Lending) -> Collateral {
        self.inventory_seller.inventory
    }

    /// Counts of each lot no more than it has to raise: the rest is its owner's.
    fn equity(&self, _lending: &Lending, price: Price) -> Result<i128> {
        let mut equity = self.inventory_seller.cash;
        for auction in &self.auctions {
            equity += i128::from(price.quote_floor(auction.lot)?.min(auction.tab).0);
        }
        Ok(equity)
    }

    /// Counts of each lot the part above the quote it has to raise.
    fn owned(&self, _lending: &Lending, price: f64) -> f64 {
        let worth = |auction: &Auction| auction.lot.0 as f64 / COLLATERAL_UNIT * price * QUOTE_UNIT;
        let over = |auction: &Auction| (worth(auction) - auction.tab.0 as f64).max(0.0);
        self.auctions.iter().map(over).sum()
    }

    fn pending(&self, price: Price) -> Result<u64> {
        let mut sum = 0;
        for auction in &self.auctions {
            sum += auction.lacks().saturating_sub(price.quote_floor(auction.lot)?.0);
        }
        Ok(sum)
    }

    fn holdings(&self) -> (i128, i128) {
        self.inventory_seller.holdings()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_holds_one_to_two_hours_after_it_was_read() {
        let mut delay = Delay::default();
        let mut at = |hours: f64, price: u128| {
            let clock = Clock {
                unix: crate::rounding::nearest_i64(hours * 3_600.0),
                slot: 0,
            };
            delay.price(Price::from_raw(price), clock).raw()
        };
        assert_eq!(at(0.5, 100), 100);
        assert_eq!(at(0.9, 90), 100);
        // At one it reads 80, and what it knew holds.
        assert_eq!(at(1.0, 80), 100);
        assert_eq!(at(1.9, 70), 100);
        assert_eq!(at(2.0, 60), 80);
        assert_eq!(at(3.5, 50), 60);
    }

    #[test]
    fn an_auction_falls_by_one_percent_every_ninety_seconds_from_120_percent() {
        let auction = Auction {
            id: 0,
            lot: Collateral(1),
            tab: Quote(1),
            debt: Quote(1),
            raised: Quote::ZERO,
            sold: Collateral::ZERO,
            top: 120.0,
            since: 1_000,
        };
        let price = |seconds: i64| {
            auction.price(Clock {
                unix: 1_000 + seconds,
                slot: 0,
            })
        };
        assert!((price(89) - 120.0).abs() < 1e-9);
        assert!((price(90) - 118.8).abs() < 1e-9);
        // 40 minutes: 26 steps.
        assert!((price(2_400) - 120.0 * 0.99f64.powi(26)).abs() < 1e-9);
        assert_eq!((CHOP, BUFFER, TAIL), (11_300, 12_000, 8_400));
    }
}

//! Work besides liquidating: show the price, settle a deficit, claim the bounty. Decisions only.

use breakwater_engine::{
    Clock, KeeperLedger, Level, Market, Pricing, Quote, Readings, actions::Settlement, price::oracle::PriceUse,
};

/// When to turn which crank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cranks {
    /// Show the price when nobody has for so many seconds. Zero never does.
    pub observe_every: u32,
    /// The same while the market is not Normal, or its guards hold liquidations up.
    pub observe_urgently: u32,
    /// Claim from so many quote atoms on. Zero never does.
    pub claim_above: u64,
    /// Settle deficits.
    pub settle: bool,
}

/// Why the price should be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observe {
    /// Nobody has for a while: the market's guards would not know how fast it moves.
    Quiet,
    /// The level would change.
    Level,
    /// The market is not Normal; it calms down only if it is shown prices.
    Unsettled,
    /// Liquidations wait until the guarded price has followed.
    Gap,
}

impl Cranks {
    /// Decides if to show the price, and why. `waiting`: accounts cannot be liquidated at it, for it is too far from
    /// the guarded one.
    #[must_use]
    pub fn observe(&self, market: &Market, readings: &Readings, clock: Clock, waiting: bool) -> Option<Observe> {
        let mut after = *market;
        // If the program would refuse, there is nothing to send.
        let (prices, _) = after.observe_price(readings, clock).ok()?;
        let age = clock.unix.saturating_sub(market.guard.moved_at);
        let due = |every: u32| every > 0 && age >= i64::from(every);
        let level = prices.level();
        if self.observe_every == 0 && self.observe_urgently == 0 {
            return None;
        }
        if level.byte() != market.guard.level {
            return Some(Observe::Level);
        }
        if due(self.observe_urgently) && waiting {
            return Some(Observe::Gap);
        }
        if due(self.observe_urgently) && level != Level::Normal {
            return Some(Observe::Unsettled);
        }
        due(self.observe_every).then_some(Observe::Quiet)
    }

    /// True if there is a deficit that can be settled: with inventory left, of at least the market's smallest debt.
    #[must_use]
    pub fn settle(&self, market: &Market, readings: Option<&Readings>, clock: Clock) -> bool {
        if !self.settle {
            return false;
        }
        let mut after = *market;
        if !after.needs_prices(Pricing::Settle) {
            return after.settle_deficit(None, clock).is_ok();
        }
        // The price of a moment would settle some atoms again and again.
        let worth_it = |done: Settlement| done.suppliers >= market.config.min_debt;
        let prices = readings.and_then(|readings| after.accept_prices(readings, PriceUse::Borrow, clock).ok());
        prices.is_some_and(|prices| after.settle_deficit(Some(&prices), clock).is_ok_and(worth_it))
    }

    /// True if the payment of a claim now is worth it. The part that the backstop has no cash for yet stays in the
    /// ledger.
    #[must_use]
    pub fn claim(&self, market: &Market, ledger: &KeeperLedger) -> bool {
        self.claim_above > 0 && claimable(market, ledger).0 >= self.claim_above
    }
}

/// Payment of a claim now, quote atoms.
#[must_use]
pub fn claimable(market: &Market, ledger: &KeeperLedger) -> Quote {
    let (mut market, mut ledger) = (*market, *ledger);
    market
        .claim_bounty(&mut ledger)
        .map_or(Quote::ZERO, |claim| claim.amount)
}

#[cfg(test)]
mod tests;

//! Counts kept while a run goes on.

use std::collections::VecDeque;

use breakwater_engine::{Collateral, Config, Level, Quote};

use super::setup::{COLLATERAL_UNIT, QUOTE_UNIT};

/// Length of the windows in which flow is measured, seconds.
pub const WINDOW: i64 = 600;
/// One account liquidated once. Quote and collateral atoms.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Debt before.
    pub debt: Quote,
    /// Collateral before.
    pub collateral: Collateral,
    /// Debt taken off.
    pub repaid: Quote,
    /// Collateral taken.
    pub seized: Collateral,
    /// Paid out to the owner for it.
    pub returned: Quote,
}

/// A point of the plots. Fractions of all debt, but for the prices.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Unix time.
    pub unix: i64,
    /// The exogenous price.
    pub fair: f64,
    /// The price that sales have moved.
    pub price: f64,
    /// Debt liquidated so far.
    pub liquidated: f64,
    /// Value of what the protocol holds and has not sold.
    pub inventory: f64,
    /// The protocol's own capital.
    pub equity: f64,
    /// Level of trust in the prices.
    pub level: Level,
}

/// Counts of one run. Money in quote atoms.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Debt taken off accounts by liquidations.
    pub liquidated: u64,
    /// Number of liquidations.
    pub liquidations: u64,
    /// Liquidated beyond what the exogenous price asked for.
    pub over: f64,
    /// Loss of the owners to liquidations, collateral at the exogenous price.
    pub borrower_loss: f64,
    /// Debts above their collateral when they were taken over.
    pub bad_debt: u64,
    /// Written off what suppliers own.
    pub written_off: u64,
    /// Profit of keepers and buyers.
    pub agents: i128,
    /// Paid to owners out of seized collateral.
    pub owners: i128,
    /// Largest fall of the price below the exogenous one.
    pub drawdown: f64,
    /// Largest fall of the price from the first one, news and sales together.
    pub total_fall: f64,
    /// Debt taken by partial liquidations while the stress cover was negative.
    pub uncovered: u64,
    /// Debt of accounts that were taken over whole at the take-over LTV.
    pub taken_over: u64,
    /// Bounties of keepers.
    pub bounties: u64,
    /// Gain of informed owners from liquidating themselves, at the true price.
    pub informed: f64,
    /// Debt that they took off their own accounts by it.
    pub by_informed: u64,
    /// Largest sales of a window, calm depth-units.
    pub peak_flow: f64,
    /// Largest inventory at market price, fraction of all debt.
    pub peak_inventory: f64,
    /// Lowest equity, and the last.
    pub worst_equity: Option<i128>,
    /// The last equity.
    pub equity: i128,
    /// First and last time with inventory.
    pub held: Option<(i64, i64)>,
    /// Seconds at each level.
    pub seconds_at: [u64; 3],
    /// Steps at which the market left Normal.
    pub trips: Vec<usize>,
    /// Largest debt that was due and not served, fraction of all debt.
    pub unserved: f64,
    /// For the plots.
    pub samples: Vec<Sample>,
    level: Level,
    recent: VecDeque<(i64, f64)>,
    recent_units: f64,
}

/// The least repayment after which an account of debt D and value V is within a limit λ, sold without penalty:
/// (D − λV) ÷ (1 − λ), all of D when it is under water. Nothing if it is within it already.
pub fn needed(debt: f64, value: f64, limit: f64) -> f64 {
    ((debt - limit * value) / (1.0 - limit)).clamp(0.0, debt)
}

impl Metrics {
    /// An account was liquidated, when the exogenous price was `fair`.
    pub fn liquidation(&mut self, config: &Config, fair: f64, case: &Case) {
        let tokens = |amount: Collateral| amount.0 as f64 / COLLATERAL_UNIT * QUOTE_UNIT;
        let (debt, value) = (case.debt.0 as f64, tokens(case.collateral) * fair);
        let limit = f64::from(config.liquidation_ltv.0) / 1e4;
        self.liquidated += case.repaid.0;
        self.liquidations += 1;
        self.over += (case.repaid.0 as f64 - needed(debt, value, limit)).max(0.0);
        self.loss(tokens(case.seized) * fair - case.repaid.0 as f64 - case.returned.0 as f64);
    }

    /// An owner lost this by a liquidation, if it is a loss.
    pub fn loss(&mut self, amount: f64) {
        self.borrower_loss += amount.max(0.0);
    }

    /// Sales of this step, in calm depth-units.
    pub fn sales(&mut self, unix: i64, units: f64) {
        while let Some((_, old)) = self.recent.front().copied().filter(|(at, _)| unix - at >= WINDOW) {
            self.recent.pop_front();
            self.recent_units -= old;
        }
        if units > 0.0 {
            self.recent.push_back((unix, units));
            self.recent_units += units;
            self.peak_flow = self.peak_flow.max(self.recent_units);
        }
    }

    /// The state after a step.
    pub fn state(&mut self, unix: i64, step: usize, seconds: u64, now: &Sample, equity: i128, held: Collateral) {
        self.drawdown = self.drawdown.max(1.0 - now.price / now.fair);
        self.peak_inventory = self.peak_inventory.max(now.inventory);
        self.equity = equity;
        self.worst_equity = Some(self.worst_equity.map_or(equity, |worst| worst.min(equity)));
        if held > Collateral::ZERO {
            let from = self.held.map_or(unix, |(from, _)| from);
            self.held = Some((from, unix));
        }
        let level = usize::from(now.level.byte());
        if now.level != Level::Normal && self.level == Level::Normal {
            self.trips.push(step);
        }
        self.level = now.level;
        self.seconds_at[level] += seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_the_closed_form() {
        assert!((needed(80.0, 100.0, 0.8)).abs() < 1e-9);
        // 84 on 100: sell x so that 84 − x = 0.8 (100 − x), x = 20.
        assert!((needed(84.0, 100.0, 0.8) - 20.0).abs() < 1e-9);
        assert!((needed(100.0, 100.0, 0.8) - 100.0).abs() < 1e-9);
        assert!((needed(120.0, 100.0, 0.8) - 120.0).abs() < 1e-9);
    }

    #[test]
    fn the_peak_of_sales_is_that_of_ten_minutes() {
        let mut metrics = Metrics::default();
        metrics.sales(0, 4.0);
        metrics.sales(WINDOW - 1, 1.0);
        metrics.sales(WINDOW, 2.0);
        assert!((metrics.peak_flow - 5.0).abs() < 1e-9);
    }
}

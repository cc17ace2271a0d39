//! Results that a run leaves behind: the series for the plots, the checks, and the summary.
//!
//! Amounts here are for people: whole tokens as floats. Everything that is checked was checked on integers before.

use breakwater_engine::Level;
use serde::Serialize;

use crate::profit::Profits;

/// The market at one step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Unix time.
    pub unix: i64,
    /// Level of trust in the prices.
    pub level: Level,
    /// Price, quote per collateral token.
    pub price: f64,
    /// The oracle's average, quote per collateral token.
    pub ema: f64,
    /// The backstop's inventory, collateral tokens.
    pub inventory: f64,
    /// The backstop's cash, quote tokens.
    pub cash: f64,
    /// The backstop's debt to the pool, quote tokens.
    pub debt: f64,
    /// The backstop's equity with the inventory at the price of the step, quote tokens.
    pub equity: f64,
    /// Discount of the ask from the price of the step, as a fraction; `None` without inventory.
    pub discount: Option<f64>,
    /// Measures of the liquidation map; `None` while liquidations are refused.
    pub risk: Option<Measures>,
}

/// Measures of the liquidation map at one step. Fractions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measures {
    /// Fall of the price to the nearest band with debt; `None` if nobody owes anything.
    pub proximity: Option<f64>,
    /// The backstop's depth ratio after a fall of 10%: see the engine's `cascade`; infinite if nothing would be due.
    pub depth_ratio: f64,
    /// Market gearing: how far a fall of 1% would end if everyone dumped, ÷ 1%.
    pub gearing: f64,
}

/// The liquidation map at one moment.
#[derive(Clone, Debug)]
pub struct Column {
    /// Unix time.
    pub unix: i64,
    /// The bands with debt, lowest price first.
    pub bands: Vec<Band>,
}

/// Debt of accounts that are liquidated at prices within a band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Its number on the map.
    pub number: u8,
    /// Lower edge, quote per collateral token.
    pub low: f64,
    /// Lower edge of the next one.
    pub high: f64,
    /// Quote tokens.
    pub debt: f64,
}

/// The number of a level, Normal first.
pub fn index_of(level: Level) -> usize {
    usize::from(level.byte())
}

/// Seconds that a series spent at each level, Normal first: the time from one sample to the next counts with the
/// second's.
pub fn seconds_at(samples: &[Sample]) -> [u64; 3] {
    let mut seconds = [0; 3];
    for pair in samples.windows(2) {
        seconds[index_of(pair[1].level)] += pair[1].unix.abs_diff(pair[0].unix);
    }
    seconds
}

/// How often the level of a series changed.
pub fn level_changes(samples: &[Sample]) -> u32 {
    let changes = samples.windows(2).filter(|pair| pair[0].level != pair[1].level);
    u32::try_from(changes.count()).unwrap_or(u32::MAX)
}

/// One account liquidated once.
#[derive(Clone, Copy, Debug)]
pub struct Liquidation {
    /// Unix time.
    pub unix: i64,
    /// Debt taken over, quote tokens.
    pub repaid: f64,
    /// Collateral taken over, tokens.
    pub seized: f64,
    /// Worth of that collateral, quote tokens.
    pub worth: f64,
    /// The whole account was taken over.
    pub whole: bool,
}

/// One sale of inventory.
#[derive(Clone, Copy, Debug)]
pub struct Sold {
    /// Unix time.
    pub unix: i64,
    /// Collateral tokens.
    pub amount: f64,
    /// Quote tokens paid.
    pub paid: f64,
    /// Worth of the collateral at the price of the moment, quote tokens.
    pub worth: f64,
}

/// The limits of the market that the plots show, as fractions.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Where a partial liquidation stops.
    pub target_ltv: f64,
    /// Above this an account is liquidated.
    pub liquidation_ltv: f64,
    /// From here a whole account is taken over.
    pub takeover_ltv: f64,
    /// Largest auction discount.
    pub max_discount: f64,
    /// Most that is sold in an hour, quote tokens.
    pub hourly_flow: f64,
    /// Seconds that sales may run ahead.
    pub burst: u32,
}

/// The same accounts and the same news on an exchange that sales move, in the cascade laboratory.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Sale that moves the price by 1%, quote tokens.
    pub depth: f64,
    /// With the backstop.
    pub with: Line,
    /// Without it: keepers repay half of a debt and sell the collateral at once.
    pub without: Line,
}

/// One of the two. Quote tokens.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Unix time, and price per collateral token.
    pub prices: Vec<(i64, f64)>,
    /// The lowest of them.
    pub lowest: f64,
    /// Debt that was liquidated.
    pub liquidated: f64,
    /// Debts above their collateral.
    pub bad_debt: f64,
    /// Loss of the suppliers.
    pub supplier_loss: f64,
}

/// One property that had to hold, and whether it did.
#[derive(Clone, Debug)]
pub struct Check {
    /// The property that had to hold, as a sentence.
    pub claim: String,
    /// The value measured.
    pub measured: String,
    /// True if it held.
    pub holds: bool,
}

/// Everything about one run.
#[derive(Clone, Debug)]
pub struct Record {
    /// Name of the scenario.
    pub name: String,
    /// One sentence on the scenario.
    pub about: String,
    /// Symbols of the collateral and the quote token.
    pub symbols: (String, String),
    /// Seed of the path and the accounts.
    pub seed: u64,
    /// The market, step by step.
    pub samples: Vec<Sample>,
    /// The liquidation map, every ten minutes.
    pub map: Vec<Column>,
    /// All liquidations in order of time.
    pub liquidations: Vec<Liquidation>,
    /// All sales in order of time.
    pub sales: Vec<Sold>,
    /// LTVs of the accounts with debt before the first step, at its price.
    pub before: Vec<f64>,
    /// LTVs of the accounts with debt at the lowest price.
    pub at_lowest: Vec<f64>,
    /// LTVs of the accounts with debt after the last step, at its price.
    pub after: Vec<f64>,
    /// The market's limits.
    pub limits: Limits,
    /// With the backstop and without, where sales move the price.
    pub beside: Beside,
    /// Profit of every group at the last price.
    pub profits: Profits,
    /// Quote atoms of one quote token.
    pub quote_unit: f64,
    /// The properties that had to hold.
    pub checks: Vec<Check>,
    /// The figures.
    pub summary: Summary,
}

impl Record {
    /// True if every check held.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }
}

/// The figures of a run, as in `summary.json`. Money is in whole tokens.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Summary {
    /// Margin accounts.
    pub accounts: u32,
    /// Number of their loans that were cut because margin follows risk, …
    pub loans_cut: u32,
    /// … and how many were not granted at all.
    pub loans_refused: u32,
    /// Steps replayed.
    pub steps: u32,
    /// Liquidations, counting an account as often as it was liquidated.
    pub liquidations: u32,
    /// Accounts liquidated at least once.
    pub accounts_liquidated: u32,
    /// Debt that liquidations took over, quote tokens.
    pub repaid: f64,
    /// Collateral that liquidations took over, tokens.
    pub seized: f64,
    /// Debt above collateral value left in margin accounts, quote tokens.
    pub bad_debt_left: f64,
    /// Fall of the suppliers' share value through write-offs, quote tokens.
    pub supplier_loss: f64,
    /// Identities checked, all kinds and steps together.
    pub identities_checked: u64,
    /// Number of these that did not hold.
    pub identities_failed: u64,
    /// Largest ratio of inventory sold to inventory allowed by the flow bound over any window.
    pub peak_flow_over_bound: f64,
    /// Largest ratio of debt taken over in steps while Guarded to what the limit allows over any window.
    pub peak_steps_over_bound: f64,
    /// Seconds spent Normal, Guarded and Halted: each step counts with the level at its end.
    pub seconds_at: [u64; 3],
    /// How often the level changed.
    pub level_changes: u32,
    /// The backstop's equity before the first step, quote tokens.
    pub backstop_equity_start: f64,
    /// The backstop's lowest equity, quote tokens.
    pub backstop_equity_worst: f64,
    /// The backstop's equity after the last step, quote tokens.
    pub backstop_equity_end: f64,
    /// Largest inventory, collateral tokens.
    pub inventory_peak: f64,
    /// Inventory after the last step, collateral tokens.
    pub inventory_end: f64,
    /// Lowest depth ratio of the backstop after a fall of 10%; `null` if nothing ever would be due.
    pub depth_ratio_lowest: f64,
    /// Highest market gearing.
    pub gearing_highest: f64,
    /// Where sales move the price, its lowest with the backstop, quote tokens; see [`Beside`].
    pub lowest_with: f64,
    /// And without.
    pub lowest_without: f64,
    /// Debts above their collateral without the backstop, quote tokens.
    pub bad_debt_without: f64,
    /// Wall-clock time of the replay, seconds.
    pub seconds: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_with_the_level_at_its_end() {
        let sample = |unix, level| Sample {
            unix,
            level,
            ..Sample::default()
        };
        let samples = [
            sample(0, Level::Halted),
            sample(20, Level::Normal),
            sample(40, Level::Guarded),
            sample(70, Level::Guarded),
            sample(80, Level::Halted),
        ];
        assert_eq!(seconds_at(&samples), [20, 50, 10]);
        assert_eq!(level_changes(&samples), 3);
        assert_eq!((seconds_at(&samples[..1]), level_changes(&[])), ([0; 3], 0));
    }
}

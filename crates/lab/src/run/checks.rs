//! Counts what had to hold and whether it did.

use breakwater_engine::{Result as EngineResult, views::identities::Identity};

use super::{promises::Case, target::Miss};
use crate::{
    flow::PeakFlow,
    profit::{Overflow, Profits},
    record::Check,
    report::format::{grouped, percent},
    scenario::time_label,
};

/// A kind of check: how often it was made, how often it failed, and what failed first.
#[derive(Debug, Default)]
struct Count {
    made: u64,
    failed: u64,
    first: Option<String>,
}

impl Count {
    fn add(&mut self, holds: bool, what: impl FnOnce() -> String) {
        self.made += 1;
        if !holds {
            self.failed += 1;
            self.first.get_or_insert_with(what);
        }
    }

    fn check(&self, claim: &str) -> Check {
        let first = self
            .first
            .as_ref()
            .map_or_else(String::new, |first| format!("; first: {first}"));
        Check {
            claim: claim.to_owned(),
            measured: format!(
                "{} checked, {} failed{first}",
                grouped(self.made as f64, 0),
                grouped(self.failed as f64, 0)
            ),
            holds: self.made > 0 && self.failed == 0,
        }
    }
}

/// All counts of a replay.
#[derive(Debug, Default)]
pub struct Metrics {
    identities: Count,
    map: Count,
    foretold: Count,
    targets: Count,
    prices: Count,
    due: Count,
    steps: Count,
    /// Most that a partial liquidation repaid beyond the exact solution, and seized short of it, quote atoms.
    repaid_beyond: f64,
    seized_short: f64,
    whole: u64,
    cuts: Count,
    /// Accounts that were still due after the keeper had done what it could while Normal, and did not wait for the
    /// pipeline, summed over all steps.
    pub left_due: usize,
    /// Accounts that waited for it, summed likewise.
    pub waiting: usize,
}

impl Metrics {
    /// A money identity was looked at.
    pub fn identity(&mut self, unix: i64, identity: Identity, holds: bool) {
        self.identities
            .add(holds, || format!("{identity:?} at {}", time_label(unix)));
    }

    /// The liquidation map was recounted; `wrong` is the first band that differs.
    pub fn map(&mut self, unix: i64, wrong: Option<usize>) {
        self.map.add(wrong.is_none(), || {
            format!("band {} at {}", wrong.unwrap_or_default(), time_label(unix))
        });
    }

    /// The program's result was compared with the engine's.
    pub fn foretold(&mut self, unix: i64, action: &str, same: bool) {
        self.foretold.add(same, || format!("{action} at {}", time_label(unix)));
    }

    /// An account was liquidated.
    pub fn promises(&mut self, case: &Case) -> EngineResult<()> {
        self.prices
            .add(case.is_at_the_price_of_its_level(), || format!("{case:?}"));
        self.due.add(case.was_due_at_spot()?, || format!("{case:?}"));
        if case.is_step() {
            self.steps.add(case.keeps_step()?, || format!("{case:?}"));
        }
        Ok(())
    }

    /// An account was liquidated while Normal.
    pub fn target(&mut self, miss: Option<Miss>) {
        match miss {
            None => self.whole += 1,
            Some(miss) => {
                self.repaid_beyond = self.repaid_beyond.max(miss.repaid.abs());
                self.seized_short = self.seized_short.max(miss.seized.abs());
                self.targets.add(miss.within_one_atom, || format!("{miss:?}"));
            }
        }
    }

    /// Less was taken while Normal than the target asks for; `full` if the pipeline takes no more.
    pub fn cut(&mut self, full: bool) {
        self.cuts.add(full, || {
            "a liquidation was cut with headroom left in the pipeline".to_owned()
        });
    }

    /// Identities looked at.
    pub fn identities_checked(&self) -> u64 {
        self.identities.made
    }

    /// Identities that did not hold.
    pub fn identities_failed(&self) -> u64 {
        self.identities.failed
    }

    /// All results, in the order of the report.
    pub fn checks(&self, results: &Results) -> Result<Vec<Check>, Overflow> {
        let sum = results.profits.sum()?;
        let check = |claim: &str, measured, holds| Check {
            claim: claim.to_owned(),
            measured,
            holds,
        };
        let flow = |claim: &str, peak: Option<PeakFlow>| {
            let ratio = peak.map_or(0.0, |peak| peak.ratio());
            check(
                claim,
                format!("at most {} of the limit", percent(ratio, 2)),
                peak.is_none_or(|peak| peak.within_bound()),
            )
        };
        Ok(vec![
            self.identities
                .check("The money identities held after every step, counted from the accounts themselves"),
            self.map
                .check("The liquidation map on chain equalled a recount over all accounts after every step, band by band, to the share"),
            self.foretold
                .check("The program did exactly what the engine on the host foretold, to the last byte"),
            self.due.check("Nobody was liquidated who was healthy at the price of the moment"),
            self.prices.check(
                "While Normal liquidations were settled at spot, while Guarded at the lower of spot and guarded price and, unless whole, \
                 within the largest gap, while Halted none",
            ),
            self.target_check(),
            check(
                "While Normal, no account was left above its liquidation LTV after a step but those that wait for the pipeline, and \
                 none was cut while the pipeline had headroom",
                format!(
                    "{} left; {} times an account waited, {} cut, {} of them wrongly",
                    self.left_due, self.waiting, self.cuts.made, self.cuts.failed
                ),
                self.left_due == 0 && self.cuts.failed == 0,
            ),
            self.steps_check(),
            flow(
                "No window of time saw more debt taken over in steps than the limit while Guarded allows",
                results.peak_steps,
            ),
            flow(
                "No window of time saw more sales than the flow limit allows",
                results.peak_sales,
            ),
            check(
                "No bad debt was left in margin accounts",
                format!("{} quote atoms", results.bad_debt),
                results.bad_debt == 0,
            ),
            check(
                "The suppliers lost nothing through write-offs",
                format!("{} × 2⁻⁶⁴ quote atoms", results.written_off),
                results.written_off == 0,
            ),
            check(
                "All profits and losses sum to zero",
                format!("{sum} × 2⁻⁶⁴ quote atoms"),
                sum == 0,
            ),
        ])
    }

    fn target_check(&self) -> Check {
        let claim = "While Normal, every liquidation that was not cut ended at the target LTV within one atom of rounding, or took all of the debt";
        Check {
            measured: format!(
                "{} to the target, repaying at most {} quote atoms more than the exact solution and seizing collateral worth at \
                 most {} less; {} took all of the debt",
                grouped(self.targets.made as f64, 0),
                grouped(self.repaid_beyond, 2),
                grouped(self.seized_short, 2),
                grouped(self.whole as f64, 0)
            ),
            holds: self.targets.failed == 0,
            ..self.targets.check(claim)
        }
    }

    /// A calm history has no step: nothing to fail.
    fn steps_check(&self) -> Check {
        let claim = "While Guarded, every account was reduced in steps of the allowed part, at the flat penalty and after \
                     its cooldown";
        Check {
            holds: self.steps.failed == 0,
            ..self.steps.check(claim)
        }
    }
}

/// Results that the checks judge besides the counts.
pub struct Results<'a> {
    /// The peak of sales.
    pub peak_sales: Option<PeakFlow>,
    /// The peak of debt taken over in steps while Guarded.
    pub peak_steps: Option<PeakFlow>,
    /// Debt above collateral value left in margin accounts, quote atoms.
    pub bad_debt: u64,
    /// Amount that write-offs took from suppliers, units of 2^-64 quote atoms.
    pub written_off: i128,
    /// Who gained and lost.
    pub profits: &'a Profits,
}

//! Counts what had to hold and whether it did.

use breakwater_engine::audit::Identity;

use super::target::Miss;
use crate::{
    flow::PeakFlow,
    profit::{Overflow, Profits},
    record::{Check, Summary},
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
pub struct Tally {
    identities: Count,
    foretold: Count,
    targets: Count,
    /// Most that a partial liquidation repaid beyond the exact solution, and seized short of it, quote atoms.
    repaid_beyond: f64,
    seized_short: f64,
    whole: u64,
    /// Accounts that were still due after the keeper had done what it could, summed over all steps.
    pub left_due: usize,
}

impl Tally {
    /// A money identity was looked at.
    pub fn identity(&mut self, unix: i64, identity: Identity, holds: bool) {
        self.identities
            .add(holds, || format!("{identity:?} at {}", time_label(unix)));
    }

    /// The program's result was compared with the engine's.
    pub fn foretold(&mut self, unix: i64, action: &str, same: bool) {
        self.foretold.add(same, || format!("{action} at {}", time_label(unix)));
    }

    /// An account was liquidated.
    pub fn liquidation(&mut self, miss: Option<Miss>) {
        match miss {
            None => self.whole += 1,
            Some(miss) => {
                self.repaid_beyond = self.repaid_beyond.max(miss.repaid.abs());
                self.seized_short = self.seized_short.max(miss.seized.abs());
                self.targets.add(miss.within_one_atom, || format!("{miss:?}"));
            }
        }
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
    pub fn checks(
        &self,
        summary: &Summary,
        peak: Option<PeakFlow>,
        bad_debt: u64,
        written_off: i128,
        profits: &Profits,
    ) -> Result<Vec<Check>, Overflow> {
        let sum = profits.sum()?;
        let check = |claim: &str, measured, holds| Check {
            claim: claim.to_owned(),
            measured,
            holds,
        };
        let targets = Check {
            measured: format!(
                "{} to the target, repaying at most {} quote atoms more than the exact solution and seizing collateral worth at \
                 most {} less; {} took all of the debt",
                grouped(self.targets.made as f64, 0),
                grouped(self.repaid_beyond, 2),
                grouped(self.seized_short, 2),
                grouped(self.whole as f64, 0)
            ),
            holds: self.targets.failed == 0,
            ..self
                .targets
                .check("Every liquidation ended at the target LTV within one atom of rounding, or took all of the debt")
        };
        Ok(vec![
            self.identities
                .check("The money identities held after every step, counted from the accounts themselves"),
            self.foretold
                .check("The program did exactly what the engine on the host foretold, to the last byte"),
            targets,
            check(
                "No account was left above its liquidation LTV after a step",
                format!("{} left", self.left_due),
                self.left_due == 0,
            ),
            check(
                "No window of time saw more sales than the flow limit allows",
                format!("at most {} of the limit", percent(summary.peak_flow_over_bound, 2)),
                peak.is_none_or(|peak| peak.within_bound()),
            ),
            check(
                "No bad debt was left in margin accounts",
                format!("{bad_debt} quote atoms"),
                bad_debt == 0,
            ),
            check(
                "The suppliers lost nothing through write-offs",
                format!("{written_off} × 2⁻⁶⁴ quote atoms"),
                written_off == 0,
            ),
            check(
                "All profits and losses sum to zero",
                format!("{sum} × 2⁻⁶⁴ quote atoms"),
                sum == 0,
            ),
        ])
    }
}

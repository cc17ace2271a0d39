//! The same crash on an exchange that sales move, with the backstop and without.
//!
//! The replay itself follows known prices, which nobody's sale moves. So the same accounts go once more through the
//! same hours in the cascade laboratory: once with Breakwater, and once as plain liquidation, where keepers repay half
//! of a debt and sell the collateral at once.

use super::{Replay, RunError};
use crate::{
    cascade::{
        Kind, Path, Setup,
        borrowers::Given,
        run,
        setup::{BargainHunters, Borrowers, Course, DEBT, Keepers, OracleShape, Protocol, QUOTE_UNIT, Suppliers},
    },
    path::Point,
    record::{Beside, Line},
    rounding::nearest_u64,
    scenario::dollars,
};

/// Seconds of an hour.
const HOUR: i64 = 3_600;

impl Replay<'_> {
    /// Both, from the accounts as they are now, which is before the first step.
    pub(super) fn beside(&self, points: &[Point]) -> Result<Beside, RunError> {
        let accounts = self.debts_and_values()?;
        let debt: f64 = accounts.iter().map(|(debt, _)| debt.0 as f64).sum();
        let people = accounts
            .iter()
            .filter(|(debt, _)| debt.0 > 0)
            .map(|(owed, value)| Given {
                debt: owed.0 as f64 / debt,
                ltv: owed.0 as f64 / value.0 as f64,
            });
        let setup = self.laboratory(debt, people.collect(), points);
        let path = Path {
            start: points.first().map_or(0, |point| point.unix),
            step_seconds: self.scenario.step_seconds,
            prices: points.iter().map(|point| dollars(point.price)).collect(),
            redemption: None,
        };
        let quote = &self.scenario.market.quote;
        let line = |kind| -> Result<Line, RunError> {
            let outcome = run(&setup, &path, kind)?;
            let tokens = |part: f64| part * debt / quote.unit();
            Ok(Line {
                prices: outcome.samples.iter().map(|s| (s.unix, s.price)).collect(),
                lowest: path.first() * (1.0 - outcome.total_fall),
                liquidated: tokens(outcome.liquidated),
                bad_debt: tokens(outcome.bad_debt),
                supplier_loss: tokens(outcome.supplier_loss),
            })
        };
        Ok(Beside {
            depth: setup.impact.depth * debt / quote.unit(),
            with: line(Kind::Breakwater)?,
            without: line(Kind::Dump)?,
        })
    }

    /// This market in the laboratory, whose markets are full: all amounts are in proportion to the debt. The exchange
    /// is as deep as the market's parameters say. Nobody acts in time, as in the replay, and prices come at once.
    fn laboratory(&self, debt: f64, people: Vec<Given>, points: &[Point]) -> Setup {
        let (scenario, quote) = (self.scenario, &self.scenario.market.quote);
        let mut base = self.market.config;
        // A whole number of times: rounding must not make a tip larger than half of the smallest penalty.
        let times = (DEBT * QUOTE_UNIT / debt).round().max(1.0);
        base.debt_cap.0 = nearest_u64(DEBT * QUOTE_UNIT / times);
        base.account_debt_cap = base.account_debt_cap.min(base.debt_cap);
        let length = points.last().map_or(0, |last| last.unix - points[0].unix);
        Setup {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            path: Course::BlackThursday {
                hours: u32::try_from(length / HOUR).unwrap_or(0),
                hourly_volatility: scenario.path.hourly_volatility,
                candles: false,
            },
            seed: scenario.seed,
            step_seconds: scenario.step_seconds,
            impact: crate::cascade::impact::Impact {
                depth: base.market_depth.0 as f64 / base.debt_cap.0 as f64,
                ..Default::default()
            },
            oracle: OracleShape {
                latency_steps: 0,
                unnoticed_steps: 0,
                confidence: scenario.path.confidence,
                confidence_per_minute_move: scenario.path.confidence_per_minute_move,
                ema_seconds: scenario.path.ema_seconds,
            },
            borrowers: Borrowers {
                attentive: 0.0,
                ..Borrowers::default()
            },
            people: Some(people),
            keepers: Keepers::default(),
            buyers: BargainHunters::default(),
            suppliers: Suppliers::default(),
            redeemable: false,
            protocol: Protocol {
                equity: scenario.backstop.funded * quote.unit() / debt,
                market: scenario.name.clone(),
                base,
                ..Protocol::default()
            },
        }
    }
}

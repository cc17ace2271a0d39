//! Two correlated markets whose buyers share their capital: how much more is liquidated in one because of the other.
//!
//! The first falls as far as its scenario says; the second half as far, at the same time. What is bought in either ties up the
//! buyers' capital, which thins the depth of both. Compared with the same second market beside a first that does not move.

use breakwater_engine::Quote;
use serde::Serialize;

use super::{
    Kind, LabError, Outcome, Path, Setup,
    lane::{Buyers, Lane, together},
    setup::DEBT,
};

/// Capital of the buyers, fraction of one market's debt.
const CAPITAL: f64 = 0.5;
/// Depth of both markets: where the second, alone, stays whole with any mechanism.
const DEPTH: f64 = 0.05;
/// The protocol's capital in each: so little that the first market needs more.
const EQUITY: f64 = 0.05;
/// The second market's people are other people.
const OTHER_SEED: u64 = 1_000_003;

/// Who stands behind the two markets.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backing {
    /// Each has its own capital.
    Isolated,
    /// Free cash goes to whichever backstop has less equity, after every step. The engine knows no such thing: the
    /// laboratory moves it from one market's books to the other's.
    Shared,
}

/// What the first market did to the second.
#[derive(Clone, Debug, Serialize)]
pub struct Contagion {
    /// Name of the scenario.
    pub scenario: String,
    /// The mechanism of both markets.
    pub mechanism: Kind,
    /// Who stands behind them.
    pub backing: Backing,
    /// Debt liquidated in the second market while the first stands still.
    pub alone: f64,
    /// And while the first falls.
    pub beside: f64,
    /// Suppliers' loss in the second market while the first stands still.
    pub loss_alone: f64,
    /// And while the first falls.
    pub loss_beside: f64,
    /// Furthest that sales pushed the second market's price while the first falls.
    pub endogenous_drawdown: f64,
}

/// Measures it.
///
/// # Errors
/// Those of a run.
pub fn measure(setup: &Setup, path: &Path, kind: Kind, backing: Backing) -> Result<Contagion, LabError> {
    let mut setup = setup.clone();
    (setup.impact.depth, setup.protocol.equity) = (DEPTH, EQUITY);
    let alone = second(&setup, &path.flat(), path, kind, backing)?;
    let beside = second(&setup, path, path, kind, backing)?;
    Ok(Contagion {
        scenario: setup.name,
        mechanism: kind,
        backing,
        alone: alone.liquidated,
        beside: beside.liquidated,
        loss_alone: alone.supplier_loss,
        loss_beside: beside.supplier_loss,
        endogenous_drawdown: beside.endogenous_drawdown,
    })
}

fn second(setup: &Setup, first: &Path, path: &Path, kind: Kind, backing: Backing) -> Result<Outcome, LabError> {
    let mut other = setup.clone();
    other.seed = setup.seed.wrapping_add(OTHER_SEED);
    let half = path.with_fall(path.fall() / 2.0);
    let lanes = vec![
        Lane::new(setup, first, kind, false)?,
        Lane::new(&other, &half, kind, false)?,
    ];
    let buyers = Buyers {
        capital: CAPITAL * DEBT,
        half_life: setup.impact.half_life,
        tied: 0.0,
    };
    let outcomes = together(lanes, buyers, |lanes| match (backing, lanes) {
        (Backing::Shared, [first, second]) => share(first, second),
        _ => Ok(()),
    })?;
    outcomes.into_iter().nth(1).ok_or(LabError::Points)
}

/// Moves free cash to the poorer backstop, until both have the same equity.
fn share(first: &mut Lane, second: &mut Lane) -> Result<(), LabError> {
    let (a, b) = (first.backstop_equity()?, second.backstop_equity()?);
    let (rich, poor) = if a > b { (first, second) } else { (second, first) };
    let half = u64::try_from(a.abs_diff(b) / 2).unwrap_or(u64::MAX);
    let cash = &mut rich.lending.market.books.backstop.cash;
    let amount = Quote(half).min(*cash);
    if amount > Quote::ZERO {
        *cash = cash.minus(amount)?;
        let clock = poor.clock();
        poor.lending.market.fund_backstop(amount, clock)?;
        rich.moved(-i128::from(amount.0));
        poor.moved(i128::from(amount.0));
    }
    Ok(())
}

//! Harm that the crash of one market does to another: two markets that sell the same token on one exchange, or whose
//! buyers share their capital. One number: debt liquidated in the second because of the first, per debt liquidated in
//! the first.

use serde::Serialize;

use super::{
    Kind, LabError, Outcome, Path, Setup,
    setup::DEBT,
    simulation::{Buyers, Common, Simulation, together},
    study::{CALIBRATED, DEEP},
};

/// Capital of shared buyers, fraction of one market's debt.
const CAPITAL: f64 = 0.5;
/// The second market's people are other people.
const OTHER_SEED: u64 = 1_000_003;

/// Resource that two markets share.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shared {
    /// The exchange: both sell the same token. Each is told half of the depth.
    Depth,
    /// The same, but each takes all of the depth for its own.
    DepthTwice,
    /// The buyers' capital. The second market's price falls half as far.
    Buyers,
}

impl Shared {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Depth, Self::DepthTwice, Self::Buyers];

    /// For tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::Depth => "one exchange, each told half of its depth",
            Self::DepthTwice => "one exchange, each takes all of it for its own",
            Self::Buyers => "buyers' capital",
        }
    }
}

/// Effect of the first market on the second. Fractions of one market's debt.
#[derive(Clone, Debug, Serialize)]
pub struct Contagion {
    /// Name of the scenario.
    pub scenario: String,
    /// The mechanism of both markets.
    pub mechanism: Kind,
    /// Resource that they share.
    pub shared: Shared,
    /// Debt liquidated in the first market.
    pub first: f64,
    /// Debt liquidated in the second market while nobody is liquidated in the first.
    pub alone: f64,
    /// And while the first is liquidated.
    pub beside: f64,
    /// Suppliers' loss in the second market while nobody is liquidated in the first.
    pub loss_alone: f64,
    /// And while the first is liquidated.
    pub loss_beside: f64,
    /// Furthest that sales pushed the second market's price.
    pub drawdown: f64,
}

impl Contagion {
    /// Debt liquidated in the second market because of the first, per debt liquidated in the first.
    pub fn number(&self) -> f64 {
        if self.first > 0.0 {
            (self.beside - self.alone) / self.first
        } else {
            0.0
        }
    }
}

/// Measures it. One exchange for two markets is twice as deep as the calibrated depth of one, buyers' markets are deep:
/// where either alone stays whole with any mechanism.
///
/// # Errors
/// The errors of a run.
pub fn measure(setup: &Setup, path: &Path, kind: Kind, shared: Shared) -> Result<Contagion, LabError> {
    let mut first = setup.clone();
    let own = if shared == Shared::Buyers { DEEP } else { CALIBRATED }.value();
    let (depth, told) = match shared {
        Shared::Depth => (2.0 * own, own),
        Shared::DepthTwice => (2.0 * own, 2.0 * own),
        Shared::Buyers => (own, own),
    };
    (first.impact.depth, first.protocol.assumed_depth) = (depth, Some(told));
    let mut second = first.clone();
    second.seed = setup.seed.wrapping_add(OTHER_SEED);
    let half = path.with_fall(path.fall() / 2.0);
    let (second_path, standing) = match shared {
        Shared::Depth | Shared::DepthTwice => (path, Kind::None),
        Shared::Buyers => (&half, kind),
    };
    let flat = path.flat();
    let first_alone = if shared == Shared::Buyers { &flat } else { path };
    let [_, alone] = both([(&first, first_alone, standing), (&second, second_path, kind)], shared)?;
    let [one, beside] = both([(&first, path, kind), (&second, second_path, kind)], shared)?;
    Ok(Contagion {
        scenario: setup.name.clone(),
        mechanism: kind,
        shared,
        first: one.liquidated,
        alone: alone.liquidated,
        beside: beside.liquidated,
        loss_alone: alone.supplier_loss,
        loss_beside: beside.supplier_loss,
        drawdown: beside.endogenous_drawdown,
    })
}

fn both(markets: [(&Setup, &Path, Kind); 2], shared: Shared) -> Result<[Outcome; 2], LabError> {
    let half_life = markets[0].0.impact.half_life;
    let simulations: Result<Vec<Simulation>, LabError> = markets
        .into_iter()
        .map(|(setup, path, kind)| Simulation::new(setup, path, kind, false))
        .collect();
    let common = match shared {
        Shared::Buyers => Common::Buyers(Buyers {
            capital: CAPITAL * DEBT,
            half_life,
            tied: 0.0,
        }),
        Shared::Depth | Shared::DepthTwice => Common::Exchange,
    };
    let outcomes = together(simulations?, common, |_| Ok(()))?;
    <[Outcome; 2]>::try_from(outcomes).map_err(|_| LabError::Points)
}

//! The backstop's gains and losses from a sudden fall of the price.

use crate::Quotes;
use breakwater_engine::{Bps, Collateral, Config, Error, Price, Quote, Result, account::sizing, math::num};

/// The backstop's gains and losses from a sudden fall of the price. Quote atoms unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shock {
    /// The price after it.
    pub price: Price,
    /// Debt of the accounts that could be liquidated.
    pub debt: Quote,
    /// Debt that would be taken over.
    pub repaid: Quote,
    /// Collateral taken for it, atoms.
    pub seized: Collateral,
    /// Penalties on it, and the margin that take-overs leave to the backstop.
    pub penalties: Quote,
    /// The part of the penalties that guardians have a share of.
    pub shared: Quote,
    /// Excess of debts over their collateral's value.
    pub deficits: Quote,
}

impl Quotes {
    /// The backstop's gains and losses from a fall of the price by `drop`, at once, if it took over all that is due
    /// then: each loaded band of the map as one account, which stands at the band's upper edge. Spot and guarded price
    /// are one; stress cover and pipeline, which make partial liquidations wait, are not looked at.
    ///
    /// # Errors
    /// [`breakwater_engine::Error::Overflow`].
    pub fn shock(&self, drop: Bps) -> Result<Shock> {
        let Self { market, clock, .. } = self;
        let ltv = market.liquidation_ltv(*clock);
        let config = Config {
            liquidation_ltv: ltv,
            ..market.config
        };
        let price = self.judged_at().scale_down(drop.below_one())?;
        let at = price.divisor()?;
        let mut shock = Shock {
            price,
            ..Shock::default()
        };
        for band in 0..=u8::MAX {
            let debt = market.price_band(band, *clock)?.debt;
            // The last band reaches to any price: its lower edge counts.
            let edge = market.price_band(band.saturating_add(1), *clock)?.edge;
            if debt == Quote::ZERO {
                continue;
            }
            // At the edge the collateral is worth debt ÷ liquidation LTV.
            let worth = num::wide(debt.0, num::BPS) / u128::from(ltv.factor().max(1));
            let collateral = edge
                .divisor()?
                .collateral_floor(Quote(u64::try_from(worth).unwrap_or(u64::MAX)))?;
            match sizing::terms(&config, debt, collateral, &at) {
                Ok(terms) => {
                    shock.debt = shock.debt.plus(debt)?;
                    shock.repaid = shock.repaid.plus(terms.demand.repay)?;
                    shock.seized = shock.seized.plus(terms.seize)?;
                    shock.penalties = shock.penalties.plus(terms.penalty_amount)?;
                    shock.shared = shock.shared.plus(terms.shared_penalty(&config))?;
                    shock.deficits = shock.deficits.plus(terms.deficit)?;
                }
                Err(Error::AccountHealthy) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(shock)
    }
}

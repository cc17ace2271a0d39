//! The liquidation map: checked against all accounts, and recorded for the plots.

use breakwater_engine::{Bps, DebtShares, MarginAccount, Market, Prices, Result as EngineResult, account::map::BANDS};

use super::{Replay, RunError, unless_halted};
use crate::{
    record::{Band, Column, Measures},
    rounding::fraction,
};

/// Seconds between two columns of the heat map.
const EVERY: i64 = 600;
/// The fall at which the depth ratio is recorded.
const DROP: Bps = Bps(1_000);

/// The first band in which the map, or an account's note of its own place, differs from a recount over all accounts.
pub fn miscounted(market: &Market, accounts: &[MarginAccount]) -> Option<usize> {
    let mut recount = [0u128; BANDS];
    for account in accounts.iter().filter(|account| account.has_debt()) {
        let band = market.map.band_at(account.place);
        let belongs = market.map.band(account.debt_shares, account.collateral);
        // A map that has followed the price may count who has not been touched since higher than it belongs.
        if band < belongs {
            return Some(usize::from(band));
        }
        recount[usize::from(band)] += u128::from(account.debt_shares.0);
    }
    let bands = market.map.bands.iter().zip(&recount);
    bands
        .into_iter()
        .position(|(DebtShares(held), counted)| u128::from(*held) != *counted)
}

impl Replay<'_> {
    /// The map as it is now, if it is time for another column.
    pub(super) fn draw_map(&mut self) -> EngineResult<()> {
        let clock = self.demo.world.clock();
        if self.map.last().is_some_and(|last| clock.unix - last.unix < EVERY) {
            return Ok(());
        }
        let quote = &self.scenario.market.quote;
        let mut bands = Vec::new();
        for number in 0..=u8::MAX {
            let band = self.market.price_band(number, clock)?;
            if band.debt.0 > 0 {
                // The last band has no upper edge: it is not drawn.
                let next = self.market.price_band(number.saturating_add(1), clock)?;
                bands.push(Band {
                    number,
                    low: self.per_token(band.edge),
                    high: self.per_token(next.edge),
                    debt: quote.tokens(band.debt.0),
                });
            }
        }
        self.map.push(Column {
            unix: clock.unix,
            bands,
        });
        Ok(())
    }

    /// Measures of the map now, unless liquidations are refused.
    pub(super) fn measures(&self, prices: &Prices) -> Result<Option<Measures>, RunError> {
        let clock = self.demo.world.clock();
        let Some(risk) = unless_halted(self.market.risk(prices, clock))? else {
            return Ok(None);
        };
        let curve = self.market.cascade(prices, clock)?;
        let depth = curve.backstop_depth_ratio(DROP);
        Ok(Some(Measures {
            proximity: risk.proximity.map(fraction),
            depth_ratio: if depth.0 == u32::MAX {
                f64::INFINITY
            } else {
                fraction(depth)
            },
            gearing: fraction(curve.gearing()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use breakwater_engine::{Collateral, Key};
    use bytemuck::Zeroable;

    #[test]
    fn one_share_in_the_wrong_band_is_found() {
        let mut market = Market::zeroed();
        let mut accounts = [MarginAccount::new(Key::default(), Key::default(), 0, 0); 2];
        for (account, shares) in accounts.iter_mut().zip([1 << 20, 1 << 21]) {
            account.collateral = Collateral(1 << 20);
            account.debt_shares = DebtShares(shares);
            let band = market.map.band(account.debt_shares, account.collateral);
            account.place = market.map.place(account.debt_shares, band);
            market.map.bands[usize::from(band)].0 += shares;
        }
        assert_eq!([accounts[0].place.band, accounts[1].place.band], [0, 32]);
        assert_eq!(miscounted(&market, &accounts), None);
        market.map.bands[32].0 -= 1;
        assert_eq!(miscounted(&market, &accounts), Some(32));
        market.map.bands[32].0 += 1;
        market.map.bands[7].0 += 1;
        assert_eq!(miscounted(&market, &accounts), Some(7));
        market.map.bands[7].0 -= 1;
        accounts[1].place.band = 31;
        assert_eq!(miscounted(&market, &accounts), Some(31));
    }
}

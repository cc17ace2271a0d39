//! Judges if a node's word about the cluster can be true, as far as one can tell without verifying blocks.

use breakwater_engine::Market;

use crate::rotation::Trouble;

/// A node this far behind what was seen already is left out.
const MOST_BEHIND: u64 = 64;

/// State seen so far.
#[derive(Clone, Debug)]
pub struct Trust {
    /// How far the cluster's clock may be from this machine's, s; `None` does not look.
    drift: Option<i64>,
    /// The newest slot that a node has shown, and the others have to keep up with.
    newest: u64,
    /// The part of the market that never changes. Its feeds may: governance can pin others.
    identity: Option<Identity>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    keys: [breakwater_engine::Key; 5],
    decimals: (u8, u8),
}

impl Identity {
    fn of(market: &Market) -> Self {
        Self {
            keys: [
                market.collateral_mint,
                market.quote_mint,
                market.collateral_vault,
                market.quote_vault,
                market.lp_mint,
            ],
            decimals: (market.collateral_decimals, market.quote_decimals),
        }
    }
}

impl Trust {
    /// Trust that has seen nothing yet. `drift`: how far the cluster's clock may be from this machine's, s.
    #[must_use]
    pub fn new(drift: Option<i64>) -> Self {
        Self {
            drift,
            newest: 0,
            identity: None,
        }
    }

    /// The newest slot that a node has shown.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// Judges an answer: the slot that it is of, the cluster's clock at that slot, and the market. `wall` is this
    /// machine's clock; both seconds since 1970.
    ///
    /// # Errors
    /// [`Trouble`], and then nothing is learned from it.
    pub fn judge(&mut self, slot: u64, clock: i64, market: &Market, wall: i64) -> Result<(), Trouble> {
        let seconds = clock.saturating_sub(wall);
        if self.drift.is_some_and(|drift| seconds.saturating_abs() > drift) {
            return Err(Trouble::Stale { seconds });
        }
        let slots = self.newest.saturating_sub(slot);
        if slots > MOST_BEHIND {
            return Err(Trouble::Behind { slots });
        }
        let identity = Identity::of(market);
        if self.identity.is_some_and(|known| known != identity) {
            return Err(Trouble::Wrong("the market has other mints or vaults".to_owned()));
        }
        self.identity = Some(identity);
        self.newest = self.newest.max(slot);
        Ok(())
    }

    /// Forgets which slot was the newest: for when nobody keeps up with it, so whoever showed it may have made it up.
    pub fn start_over(&mut self) {
        self.newest = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use breakwater_engine::Key;

    fn market() -> Market {
        let mut market: Market = bytemuck::Zeroable::zeroed();
        market.quote_mint = Key([1; 32]);
        market
    }

    #[test]
    fn old_answers_and_other_markets_are_not_believed() {
        let mut trust = Trust::new(Some(60));
        let market = market();
        assert_eq!(trust.judge(1_000, 500, &market, 510), Ok(()));
        assert_eq!(
            trust.judge(1_010, 500, &market, 561),
            Err(Trouble::Stale { seconds: -61 })
        );
        assert_eq!(
            trust.judge(1_010, 561, &market, 500),
            Err(Trouble::Stale { seconds: 61 })
        );
        assert_eq!(trust.newest(), 1_000, "nothing learned from a liar");
        assert_eq!(trust.judge(1_200, 520, &market, 520), Ok(()));
        assert_eq!(
            trust.judge(1_136, 520, &market, 520),
            Ok(()),
            "a little behind is no lie"
        );
        assert_eq!(
            trust.judge(1_135, 520, &market, 520),
            Err(Trouble::Behind { slots: 65 })
        );
        let mut other = market;
        other.quote_mint = Key([2; 32]);
        assert!(matches!(trust.judge(1_200, 520, &other, 520), Err(Trouble::Wrong(_))));
        trust.start_over();
        assert_eq!(trust.judge(5, 520, &market, 520), Ok(()));
    }

    #[test]
    fn without_a_limit_the_clock_may_say_anything() {
        assert_eq!(Trust::new(None).judge(1, 0, &market(), i64::MAX), Ok(()));
    }
}

//! How much to offer for a place in a block.

/// Prices offered for compute units; micro-lamports each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeePolicy {
    /// Never less.
    pub floor: u64,
    /// Never more, whatever others pay.
    pub cap: u64,
    /// Which of the recent fees to match, in percent: 75 pays as much as three of four blocks asked for.
    pub percentile: u8,
}

impl FeePolicy {
    /// The price of a compute unit, given what was the least that got into each recent block on the same accounts. Each
    /// of the transactions that expired in a row raises it by half.
    #[must_use]
    pub fn price(&self, recent: &[u64], expired: u32) -> u64 {
        let mut recent = recent.to_vec();
        recent.sort_unstable();
        let rank = recent.len().saturating_sub(1) * usize::from(self.percentile.min(100)) / 100;
        let mut price = recent.get(rank).copied().unwrap_or(0).max(self.floor);
        for _ in 0..expired.min(32) {
            price = price.saturating_add((price / 2).max(1));
        }
        // A floor above the cap is the cap's mistake to stop.
        price.min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: FeePolicy = FeePolicy {
        floor: 100,
        cap: 10_000,
        percentile: 75,
    };

    #[test]
    fn it_follows_others_between_floor_and_cap() {
        assert_eq!(POLICY.price(&[], 0), 100);
        assert_eq!(POLICY.price(&[0, 0, 7], 0), 100);
        assert_eq!(POLICY.price(&[500, 100, 900, 300, 700], 0), 700);
        assert_eq!(POLICY.price(&[1 << 60; 3], 0), 10_000);
        assert_eq!(
            FeePolicy {
                percentile: 200,
                ..POLICY
            }
            .price(&[1, 2, 300], 0),
            300
        );
    }

    #[test]
    fn what_expired_is_tried_again_for_more() {
        let prices: Vec<u64> = (0..4).map(|expired| POLICY.price(&[1_000], expired)).collect();
        assert_eq!(prices, [1_000, 1_500, 2_250, 3_375]);
        assert_eq!(POLICY.price(&[1_000], u32::MAX), 10_000);
        assert_eq!(FeePolicy { floor: 0, ..POLICY }.price(&[], 2), 2, "also from nothing");
    }
}

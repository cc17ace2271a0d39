//! Accounts in the order in which a falling price reaches them, so that a step touches only those that are due.
//!
//! An account's ratio, debt shares ÷ collateral, fixes the price at which its LTV reaches any limit. Shares make the
//! ratio independent of interest.

use std::collections::BinaryHeap;

use breakwater_engine::{Bps, Index, MarginAccount, Price};

use crate::rounding::nearest_u128;

/// Debt shares ÷ collateral, Q64.64. `None` without debt; without collateral too: there is nothing left to liquidate.
pub fn ratio(account: &MarginAccount) -> Option<u128> {
    let shares = u128::from(account.debt_shares.0) << 64;
    shares
        .checked_div(u128::from(account.collateral.0))
        .filter(|ratio| *ratio > 0)
}

/// The ratio of an account that has exactly this LTV.
pub fn threshold(ltv: f64, price: Price, index: Index) -> u128 {
    nearest_u128(ltv * price.raw() as f64 / index.raw() as f64 * 2f64.powi(64))
}

/// The same for a limit in basis points.
pub fn limit(ltv: Bps, price: Price, index: Index) -> u128 {
    threshold(f64::from(ltv.0) / 1e4, price, index)
}

/// A queue with the highest ratio first. Each account is in it at most once. Ratios of accounts in it may fall, and are
/// looked at again when their turn comes; they may not rise.
#[derive(Clone, Debug, Default)]
pub struct Order {
    heap: BinaryHeap<(u128, u32)>,
    /// How many times an account was looked at.
    pub looked_at: u64,
}

impl Order {
    /// Puts an account in, unless it has no debt.
    pub fn push(&mut self, id: u32, account: &MarginAccount) {
        if let Some(ratio) = ratio(account) {
            self.heap.push((ratio, id));
        }
    }

    /// True if the next account may be above a threshold.
    pub fn may_have(&self, threshold: u128) -> bool {
        self.heap.peek().is_some_and(|(ratio, _)| *ratio > threshold)
    }

    /// Takes out the account with the highest ratio, if it is above a threshold.
    pub fn next(&mut self, accounts: &[MarginAccount], threshold: u128) -> Option<u32> {
        while let Some((known, id)) = self.heap.peek().copied().filter(|(known, _)| *known > threshold) {
            self.heap.pop();
            self.looked_at += 1;
            match ratio(&accounts[id as usize]) {
                None => {}
                Some(now) if now < known => self.heap.push((now, id)),
                Some(_) => return Some(id),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use breakwater_engine::{Collateral, DebtShares, Key};

    fn account(shares: u64, collateral: u64) -> MarginAccount {
        let mut account = MarginAccount::new(Key::default(), Key::default(), 0, 0);
        (account.debt_shares, account.collateral) = (DebtShares(shares), Collateral(collateral));
        account
    }

    #[test]
    fn the_nearest_to_liquidation_comes_first_and_changes_are_seen() {
        let mut accounts = vec![
            account(5, 10),
            account(9, 10),
            account(7, 10),
            account(0, 10),
            account(1, 0),
            account(8, 10),
        ];
        let mut order = Order::default();
        for (id, account) in (0..).zip(&accounts) {
            order.push(id, account);
        }
        let half = (1u128 << 64) / 2;
        assert_eq!(order.next(&accounts, half + (half >> 1)), Some(1));
        order.push(1, &accounts[1]);
        accounts[1].debt_shares = DebtShares(6);
        assert_eq!(order.next(&accounts, half), Some(5));
        assert_eq!(order.next(&accounts, half), Some(2));
        assert_eq!(order.next(&accounts, half), Some(1));
        assert_eq!(order.next(&accounts, half), None);
        assert!(order.may_have(half - 1 - (half >> 9)) && !order.may_have(half));
    }
}

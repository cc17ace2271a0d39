//! What can be done, and how often it is tried.

use crate::stage::{ACCOUNTS, GUARDIANS};
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub enum Action {
    Supply(u64),
    Withdraw(u64),
    Deposit(usize, u64),
    WithdrawCollateral(usize, u64),
    /// Thousandths of what the account's collateral is worth.
    Borrow(usize, u64),
    Repay(usize, u64),
    Liquidate(usize),
    Fund(u64),
    Buy(u64),
    Claim,
    /// Seconds, and the new price in percent of the old one.
    Move(u32, i64),
    /// Readings of the same price every half minute, this many.
    Calm(u32),
    /// All that the schedule lets go.
    BuyAll,
    /// A price in percent of the old one, and everybody tries to liquidate everybody.
    Crash(i64),
    /// Buyers come every ten minutes for a day.
    Unwind,
    External(usize, u64),
    Settle,
    GuardianDeposit(usize, u64),
    /// Hundredths of what it has.
    GuardianRequest(usize, u64),
    GuardianWithdraw(usize),
    TakeOutQueue(u64),
    TakeOut,
}

impl Action {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Supply(_) => "supply",
            Self::Withdraw(_) => "withdraw",
            Self::Deposit(..) => "deposit",
            Self::WithdrawCollateral(..) => "withdraw collateral",
            Self::Borrow(..) => "borrow",
            Self::Repay(..) => "repay",
            Self::Liquidate(_) => "liquidate",
            Self::Fund(_) => "fund",
            Self::Buy(_) => "buy",
            Self::Claim => "claim",
            Self::Move(..) => "move",
            Self::Calm(_) => "calm",
            Self::BuyAll => "buy all",
            Self::Crash(_) => "crash",
            Self::Unwind => "unwind",
            Self::External(..) => "external",
            Self::Settle => "settle",
            Self::GuardianDeposit(..) => "guardian deposit",
            Self::GuardianRequest(..) => "guardian request",
            Self::GuardianWithdraw(_) => "guardian withdraw",
            Self::TakeOutQueue(_) => "queue",
            Self::TakeOut => "take out",
        }
    }
}

pub fn action() -> impl Strategy<Value = Action> {
    let (account, guardian) = (0..ACCOUNTS, 0..GUARDIANS);
    let quote = prop_oneof![0u64..5, 1u64..2_000_000_000, Just(u64::MAX)];
    let collateral = prop_oneof![0u64..5, 1u64..20_000_000_000];
    prop_oneof![
        1 => quote.clone().prop_map(Action::Supply),
        1 => quote.clone().prop_map(Action::Withdraw),
        1 => (account.clone(), collateral.clone()).prop_map(|(a, n)| Action::Deposit(a, n)),
        1 => (account.clone(), collateral.clone()).prop_map(|(a, n)| Action::WithdrawCollateral(a, n)),
        8 => (account.clone(), 300u64..750).prop_map(|(a, n)| Action::Borrow(a, n)),
        1 => (account.clone(), quote.clone()).prop_map(|(a, n)| Action::Repay(a, n)),
        8 => account.clone().prop_map(Action::Liquidate),
        1 => (0u64..20_000_000).prop_map(Action::Fund),
        2 => collateral.prop_map(Action::Buy),
        1 => Just(Action::Claim),
        4 => (0u32..10_000, 70i64..=135).prop_map(|(s, p)| Action::Move(s, p)),
        2 => (0u32..300, 97i64..=102).prop_map(|(s, p)| Action::Move(s, p)),
        2 => (1u32..60).prop_map(Action::Calm),
        1 => (60_000u32..200_000, 90i64..=110).prop_map(|(s, p)| Action::Move(s, p)),
        4 => Just(Action::BuyAll),
        2 => prop_oneof![40i64..80, 80i64..95].prop_map(Action::Crash),
        2 => Just(Action::Unwind),
        10 => (account.clone(), quote.clone()).prop_map(|(a, n)| Action::External(a, n)),
        5 => Just(Action::Settle),
        1 => (guardian.clone(), quote.clone()).prop_map(|(g, n)| Action::GuardianDeposit(g, n)),
        1 => (guardian.clone(), 0u64..=110).prop_map(|(g, n)| Action::GuardianRequest(g, n)),
        5 => guardian.prop_map(Action::GuardianWithdraw),
        1 => (0u64..200_000_000).prop_map(Action::TakeOutQueue),
        2 => Just(Action::TakeOut),
    ]
}

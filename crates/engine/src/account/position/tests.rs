use super::*;

#[test]
fn shares_are_debt_and_collateral_is_not() {
    let mut account = MarginAccount::new(Key([1; 32]), Key([2; 32]), 3, 4);
    account.collateral = Collateral(5);
    assert!(!account.has_debt());
    account.debt_shares = DebtShares(1);
    assert!(account.has_debt());
}

use super::*;

#[test]
fn virtual_shares_and_their_atom_count_on_both_sides() {
    let stake = Stake {
        shares: 5_000,
        assets: 11,
    };
    // 6,000 shares for 12 atoms.
    assert_eq!(stake.shares_for(3), Ok(1_500));
    assert_eq!(stake.amount_for(1_500), Ok(3));
    assert_eq!(stake.amount_for(1_499), Ok(2), "rounded down");
    let empty = Stake { shares: 0, assets: 0 };
    assert_eq!(empty.shares_for(7), Ok(7_000));
    let full = Stake {
        shares: u64::MAX,
        assets: 0,
    };
    assert_eq!(full.shares_for(1), Err(Error::Overflow));
    let rich = Stake {
        shares: 0,
        assets: u64::MAX,
    };
    assert_eq!(rich.amount_for(1), Err(Error::Overflow));
}

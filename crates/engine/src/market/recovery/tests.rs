use super::*;
use crate::Error;
use crate::{DebtShares, Index, Pool, math::num::ONE};
use proptest::prelude::*;

/// A pool of a thousand, a backstop that owes `debt` and holds `inventory`, and `written_off`.
fn books(debt: u64, inventory: u64, written_off: u64) -> Books {
    let mut books: Books = bytemuck::Zeroable::zeroed();
    books.pool = Pool::new(0);
    books.pool.index = Index::from_raw(ONE);
    books.pool.cash = Quote(1_000);
    books.pool.debt_shares = DebtShares(debt);
    books.backstop.debt_shares = DebtShares(debt);
    books.backstop.inventory = Collateral(inventory);
    books.recovery.written_off = Quote(written_off);
    books.recovery.inventory = Collateral(if written_off == 0 { 0 } else { inventory });
    books
}

#[test]
fn what_is_written_off_ranks_before_cash_and_behind_debt() {
    let broken = |change: fn(&mut Books)| {
        let mut books = books(0, 5, 3);
        assert_eq!(books.invariant(), Ok(()));
        change(&mut books);
        assert_eq!(books.invariant(), Err(Error::InvariantViolated), "{books:?}");
    };
    broken(|books| books.backstop.cash = Quote(1));
    broken(|books| books.recovery.inventory = Collateral(6));
    broken(|books| books.recovery.inventory = Collateral(0));
    broken(|books| books.recovery.written_off = Quote(0));
}

#[test]
fn equity_is_what_is_left_after_it() {
    let books = books(10, 100, 30);
    assert_eq!(books.equity(Price::from_raw(ONE)), Ok(60));
    assert_eq!(books.equity(Price::from_raw(ONE / 10)), Ok(-31));
}

#[test]
fn the_count_ends_with_the_last_of_the_inventory_of_then() {
    let mut books = books(0, 100, 30);
    books.guardians.claim = Quote(7);
    assert_eq!(
        books.count_down(Collateral(99), Some(Price::from_raw(ONE))),
        Ended::default()
    );
    assert_eq!(books.recovery.inventory, Collateral(1));
    books.backstop.inventory = Collateral(0);
    let told = books.count_down(Collateral(4), Some(Price::from_raw(ONE)));
    assert_eq!((told.guardians, books.guardians.claim), (Quote(7), Quote(0)));
    assert_eq!(books.recovery, bytemuck::Zeroable::zeroed());
    // Nothing more ends.
    let after = books;
    assert_eq!(
        books.count_down(Collateral(4), Some(Price::from_raw(ONE))),
        Ended::default()
    );
    assert_eq!(books, after);
}

#[test]
fn it_goes_on_while_what_was_taken_over_since_can_pay_a_tenth_of_it() {
    // 50 are held at the end that are worth 50, against a debt: 30 are written off.
    let ends = |debt: u64, price: u128| {
        let mut books = books(debt, 50, 30);
        books.recovery.inventory = Collateral(1);
        books.guardians.claim = Quote(7);
        let ended = books.count_down(Collateral(1), Some(Price::from_raw(price)));
        assert_eq!(books.invariant(), Ok(()));
        (
            books.recovery.written_off.0,
            books.recovery.inventory.0,
            ended.guardians.0,
        )
    };
    assert_eq!(ends(0, ONE), (30, 50, 0));
    assert_eq!(ends(47, ONE), (30, 50, 0));
    assert_eq!(ends(48, ONE), (0, 0, 7));
    assert_eq!(ends(47, ONE - 1), (0, 0, 7));
}

#[test]
fn it_ends_at_no_price_at_which_a_deficit_may_not_be_settled() {
    let mut books = books(1_000, 50, 30);
    books.recovery.inventory = Collateral(1);
    books.guardians.claim = Quote(7);
    // Whatever that price says: else who buys the last atom would choose the moment.
    assert_eq!(books.count_down(Collateral(1), None), Ended::default());
    assert_eq!((books.recovery.written_off.0, books.recovery.inventory.0), (30, 50));
    assert_eq!((books.guardians.claim, books.invariant()), (Quote(7), Ok(())));
    // With nothing left nothing can come.
    books.backstop.inventory = Collateral(0);
    assert_eq!(books.count_down(Collateral(50), None).guardians, Quote(7));
}

proptest! {
    #[test]
    fn what_comes_in_goes_to_debt_then_to_what_was_written_off_and_nothing_is_lost(
        debt in 0u64..1_000, written_off in 0u64..1_000, credits in 0u64..100, amount in 1u64..3_000,
    ) {
        let mut books = books(debt, 5, written_off);
        books.backstop.unfunded_credits = Quote(credits);
        let cash = books.pool.cash.0;
        let (repaid, recovered) = books.receive(Quote(amount)).unwrap();
        let after = amount.saturating_sub(credits);
        prop_assert_eq!(repaid.0, after.min(debt));
        prop_assert_eq!(recovered.0, (after - repaid.0).min(written_off));
        prop_assert_eq!(books.pool.cash.0, cash + repaid.0 + recovered.0);
        prop_assert_eq!(books.backstop.cash.0, after - repaid.0 - recovered.0);
        prop_assert_eq!(books.recovery.written_off.0, written_off - recovered.0);
        prop_assert_eq!(books.invariant(), Ok(()));
    }
}

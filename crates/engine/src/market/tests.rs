use super::*;
use crate::{
    Error,
    config::tests::CONFIG,
    math::{
        num::ONE,
        units::{DebtShares, Index},
    },
    price::oracle::{FEED_PULL, FeedPin},
};

fn pin(id: u8) -> FeedPin {
    FeedPin {
        key: Key([id; 32]),
        owner: Key([11; 32]),
        kind: FEED_PULL,
        padding: [0; 7],
    }
}

#[test]
fn a_new_market_is_what_it_was_asked_to_be() {
    let new = NewMarket {
        id: 3,
        bump: 254,
        collateral: (Key([1; 32]), 9, Key([2; 32])),
        quote: (Key([3; 32]), 6, Key([4; 32])),
        lp_mint: Key([5; 32]),
        feeds: Feeds {
            collateral: pin(6),
            quote: pin(7),
            base: pin(8),
            rate: pin(9),
        },
        depth: DepthAllocation {
            budget: Key([10; 32]),
            share: Bps(2_500),
        },
        config: CONFIG.first(),
        clock: Clock { unix: 77, slot: 1 },
    };
    let mut market: Market = bytemuck::Zeroable::zeroed();
    assert_eq!(market.initialize(&new), Ok(()));
    let expected = Market {
        bump: 254,
        id: 3,
        collateral_mint: Key([1; 32]),
        collateral_decimals: 9,
        collateral_vault: Key([2; 32]),
        quote_mint: Key([3; 32]),
        quote_decimals: 6,
        quote_vault: Key([4; 32]),
        lp_mint: Key([5; 32]),
        oracle: Oracle {
            collateral_feed: pin(6),
            quote_feed: pin(7),
            base_feed: pin(8),
            rate_feed: pin(9),
            ..bytemuck::Zeroable::zeroed()
        },
        config: CONFIG.first(),
        books: Books {
            pool: Pool::new(77),
            ..bytemuck::Zeroable::zeroed()
        },
        depth: DepthShare {
            budget: Key([10; 32]),
            share: Bps(2_500),
            ..bytemuck::Zeroable::zeroed()
        },
        ..bytemuck::Zeroable::zeroed()
    };
    assert!(market == expected);
}

/// A share of debt is an atom.
fn books(cash: u64, debt: u64, due: u128) -> Books {
    let mut books: Books = bytemuck::Zeroable::zeroed();
    books.pool = Pool::new(1_000);
    books.pool.index = Index::from_raw(ONE);
    (books.pool.cash, books.pool.debt_shares) = (Quote(cash), DebtShares(100));
    books.backstop.debt_shares = DebtShares(debt);
    books.pool.reserves_owed = Fixed::from_raw(due);
    books
}

/// Cash and debt of the pool, cash, debt and reserve of the backstop, and what is due.
fn told(books: &Books) -> ([u64; 5], u128) {
    let (pool, backstop) = (&books.pool, &books.backstop);
    let atoms = [
        pool.cash.0,
        pool.debt_shares.0,
        backstop.cash.0,
        backstop.debt_shares.0,
        backstop.reserve.0,
    ];
    (atoms, pool.reserves_owed.raw())
}

#[test]
fn what_is_due_pays_debt_first_then_cash_and_fractions_wait() {
    let half = ONE / 2;
    let paid = |mut books: Books| {
        books.pay_reserves_owed().unwrap();
        told(&books)
    };
    assert_eq!(paid(books(4, 3, (8 << 64) + half)), ([0, 97, 4, 0, 7], ONE + half));
    assert_eq!(paid(books(9, 3, (8 << 64) + half)), ([4, 97, 5, 0, 8], half));
    assert_eq!(paid(books(9, 10, (8 << 64) + half)), ([9, 92, 0, 2, 8], half));
    assert_eq!(paid(books(9, 0, half)), ([9, 100, 0, 0, 0], half));
}

#[test]
fn interest_comes_with_time_and_pays_what_is_due() {
    let at = |unix| {
        let mut books = books(4, 3, 8 << 64);
        books.accrue(&CONFIG, Clock { unix, slot: 0 }).unwrap();
        books
    };
    assert_eq!(told(&at(999)), told(&books(4, 3, 8 << 64)));
    assert_eq!(told(&at(1_000)), told(&books(4, 3, 8 << 64)));
    let later = at(1_001);
    // Three shares are a little more than three atoms by then: it takes four to cancel them.
    assert_eq!(told(&later).0, [0, 97, 4, 0, 8]);
    assert_eq!(later.pool.accrued_at, 1_001);
}

#[test]
fn what_the_backstop_receives_pays_its_debt_first() {
    let received = |mut books: Books, amount| (books.receive(Quote(amount)).unwrap().0.0, told(&books).0);
    assert_eq!(received(books(4, 3, 0), 10), (3, [7, 97, 7, 0, 0]));
    assert_eq!(received(books(4, 3, 0), 2), (2, [6, 98, 0, 1, 0]));
    assert_eq!(received(books(4, 0, 0), 2), (0, [4, 100, 2, 0, 0]));
}

#[test]
fn books_are_broken_by_cash_beside_debt_and_by_debt_beyond_the_pools() {
    let with = |cash, debt| {
        let mut books = books(4, debt, 0);
        books.backstop.cash = Quote(cash);
        books.invariant()
    };
    assert_eq!(with(0, 0), Ok(()));
    assert_eq!(with(5, 0), Ok(()));
    assert_eq!(with(0, 99), Ok(()));
    assert_eq!(with(0, 100), Ok(()));
    assert_eq!(with(0, 101), Err(Error::InvariantViolated));
    assert_eq!(with(5, 1), Err(Error::InvariantViolated));
    assert_eq!(with(5, 101), Err(Error::InvariantViolated));
}

#[test]
fn what_the_backstop_receives_funds_credits_before_it_pays_debt() {
    let received = |amount| {
        let mut books = books(4, 3, 0);
        books.backstop.unfunded_credits = Quote(5);
        let repaid = books.receive(Quote(amount)).unwrap().0.0;
        let backstop = &books.backstop;
        (
            repaid,
            backstop.funded_credits.0,
            backstop.unfunded_credits.0,
            told(&books).0,
        )
    };
    assert_eq!(received(4), (0, 4, 1, [4, 100, 0, 3, 0]));
    assert_eq!(received(5), (0, 5, 0, [4, 100, 0, 3, 0]));
    assert_eq!(received(7), (2, 5, 0, [6, 98, 0, 1, 0]));
    assert_eq!(received(10), (3, 5, 0, [7, 97, 2, 0, 0]));
}

#[test]
fn what_is_due_in_cash_funds_credits_first() {
    let mut owing = books(9, 3, 8 << 64);
    owing.backstop.unfunded_credits = Quote(4);
    owing.pay_reserves_owed().unwrap();
    // Three against the debt, which needs no cash; four for keepers.
    assert_eq!(
        (owing.backstop.funded_credits, owing.backstop.unfunded_credits),
        (Quote(4), Quote(0))
    );
    assert_eq!(told(&owing), ([4, 97, 1, 0, 8], 0));
}

#[test]
fn books_are_broken_by_cash_beside_unfunded_credits() {
    let with = |cash, unfunded| {
        let mut books = books(4, 0, 0);
        (books.backstop.cash, books.backstop.unfunded_credits) = (Quote(cash), Quote(unfunded));
        books.invariant()
    };
    assert_eq!((with(0, 5), with(5, 0)), (Ok(()), Ok(())));
    assert_eq!(with(1, 1), Err(Error::InvariantViolated));
}

#[test]
fn guardians_stand_by_beside_what_the_protocol_has_put_in_and_earned() {
    let accrued = |claim, shares| {
        let mut books = books(1_000_000, 0, 0);
        books.pool.debt_shares = DebtShares(4_000_000);
        books.guardians.claim = Quote(claim);
        books.guardians.shares = crate::GuardianShares(shares);
        (
            books.equity_sources.paid_in,
            books.backstop.reserve,
            books.equity_sources.standby,
        ) = (500, Quote(700), Quote(200));
        assert_eq!(books.protocol_capital(), Quote(1_000));
        let month = Clock {
            unix: 1_000 + 30 * 86_400,
            slot: 0,
        };
        books.accrue(&CONFIG, month).unwrap();
        // The reserve part, all of it paid.
        let earned = books.backstop.reserve.0 - 700;
        assert_eq!(books.guardians.claim.0 - claim, books.equity_sources.standby.0 - 200);
        (earned, books.equity_sources.standby.0 - 200)
    };
    // 7% a year of 4,000,000, a fifth of it, a twelfth of a year and a bit: 4,616.
    let (earned, standby) = accrued(3_000, 1);
    assert_eq!(earned, 4_616);
    // Three quarters of the capital, half of that: not the fraction of an atom.
    assert_eq!(standby, earned * 3 / 8);
    assert_eq!(accrued(3_000, 0), (earned, 0));
    assert_eq!(accrued(0, 1), (earned, 0));
}

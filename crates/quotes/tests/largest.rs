//! The largest loan and the largest withdrawal, in markets crowded at random: both are accepted, and nothing larger is.

use breakwater_engine::{
    Bps, Clock, Collateral, Config, FeedPin, Feeds, Key, LpShares, MarginAccount, Market, NewMarket, Quote, RawReading,
    Readings,
    oracle::{FEED_PULL, Purpose},
};
use breakwater_quotes::Quotes;
use proptest::prelude::*;

const SOL: u64 = 1_000_000_000;
const USDC: u64 = 1_000_000;
const AT: Clock = Clock {
    unix: 1_700_000_000,
    slot: 1,
};

/// SOL at $100, USDC at $1.
fn readings() -> Readings {
    let reading = |price: i64| RawReading {
        price,
        conf: price.unsigned_abs() / 2_000,
        expo: -8,
        ema_price: price,
        publish_time: AT.unix,
    };
    Readings {
        collateral: reading(10_000_000_000),
        quote: reading(100_000_000),
        redemption: None,
    }
}

fn quotes(market: &Market) -> Quotes {
    Quotes::new(market, &readings(), Purpose::Trade, AT).unwrap()
}

/// A market with room for little debt around one price.
fn market(band_limit: u32, crowding_bands: u32) -> Market {
    let pin = |id| FeedPin {
        key: Key([id; 32]),
        owner: Key([11; 32]),
        kind: FEED_PULL,
        padding: [0; 7],
    };
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market
        .initialise(&NewMarket {
            id: 0,
            bump: 255,
            collateral: (Key([1; 32]), 9, Key([2; 32])),
            quote: (Key([3; 32]), 6, Key([4; 32])),
            lp_mint: Key([5; 32]),
            feeds: Feeds {
                collateral: pin(6),
                quote: pin(7),
                base: FeedPin::NONE,
                rate: FeedPin::NONE,
            },
            config: Config {
                band_limit: Bps(band_limit),
                band_floor: Quote(1_000 * USDC),
                crowding_bands,
                ..Config::EXAMPLE.first()
            },
            clock: AT,
        })
        .unwrap();
    market.supply(Quote(100_000 * USDC), LpShares(0), AT).unwrap();
    market.fund_backstop(Quote(10_000 * USDC), AT).unwrap();
    market
}

fn deposited(market: &mut Market, id: u16, collateral: u64) -> MarginAccount {
    let mut account = MarginAccount::new(Key([8; 32]), Key([9; 32]), id, 255);
    market.deposit_collateral(&mut account, Collateral(collateral)).unwrap();
    account
}

fn try_borrow(market: &mut Market, account: &mut MarginAccount, amount: u64) -> bool {
    let prices = market.accept_prices(&readings(), Purpose::Trade, AT).unwrap();
    market.borrow(account, Quote(amount), &prices, AT).is_ok()
}

fn try_withdraw(mut market: Market, mut account: MarginAccount, amount: u64) -> bool {
    let prices = market.accept_prices(&readings(), Purpose::Trade, AT).unwrap();
    market
        .withdraw_collateral(&mut account, Collateral(amount), Some(&prices), AT)
        .is_ok()
}

/// Amounts above `above`: its neighbours, and 200 up to `most`.
fn larger(above: u64, most: u64) -> impl Iterator<Item = u64> {
    let step = most.saturating_sub(above) / 200 + 1;
    (1..4)
        .map(move |n| above + n)
        .chain((1..=200).map(move |n| above + n * step))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_larger_is_accepted(
        band_limit in 100u32..3_000, crowding_bands in 0u32..3,
        crowd in prop::collection::vec((1u64..200, 100u64..10_000), 0..12), collateral in 1u64..300, borrowed in 0u64..10_000,
    ) {
        let mut market = market(band_limit, crowding_bands);
        for (id, (collateral, borrowed)) in (1..).zip(crowd) {
            let mut account = deposited(&mut market, id, collateral * SOL);
            let _ = try_borrow(&mut market, &mut account, borrowed * USDC);
        }
        let mut alice = deposited(&mut market, 0, collateral * SOL);
        let _ = try_borrow(&mut market, &mut alice, borrowed * USDC);

        let most = quotes(&market).max_borrow(&alice).unwrap().0;
        let accepted = |amount| try_borrow(&mut { market }, &mut { alice }, amount);
        prop_assert!(most == 0 || accepted(most), "{most}");
        for amount in larger(most, 300 * 100 * USDC) {
            prop_assert!(!accepted(amount), "{amount} above {most}");
        }

        let most = quotes(&market).max_withdrawal(&alice).unwrap().0;
        prop_assert!(most == 0 || try_withdraw(market, alice, most), "{most}");
        for amount in larger(most, collateral * SOL) {
            prop_assert!(!try_withdraw(market, alice, amount), "{amount} above {most}");
        }
    }
}

/// How much debt may be around one price is a limit of each band, not of the loan: what lands beside Bob's debt is refused,
/// what lands three bands further is not.
#[test]
fn a_larger_loan_may_be_accepted_where_a_smaller_one_is_not() {
    let mut market = market(300, 0);
    let mut bob = deposited(&mut market, 1, 40 * SOL);
    assert!(try_borrow(&mut market, &mut bob, 2_000 * USDC));
    let alice = deposited(&mut market, 0, 40 * SOL);
    let accepted = |amount| try_borrow(&mut { market }, &mut { alice }, amount);
    let most = quotes(&market).max_borrow(&alice).unwrap().0;
    assert!(most > 2_100 * USDC && accepted(most));
    assert!(!accepted(2_000 * USDC));
}

//! The balance sheet says what the books and the rules say.

use super::*;
use crate::views::balance_sheet::BalanceSheet;

#[test]
fn the_balance_sheet_is_that_of_the_books() {
    let mut market = market();
    market.config.stress_fall = Bps(5_000);
    (market.config.market_depth, market.config.flow_rate) = (Quote(3_000), Bps(15_000));
    market.config.pipeline = 3_600;
    let owing = account(&mut market, 800, 10_000);
    market.books.backstop = crate::Backstop {
        cash: Quote(0),
        inventory: Collateral(8_000),
        debt_shares: DebtShares(700),
        funded_credits: Quote(3),
        unfunded_credits: Quote(4),
        reserve: Quote(5),
    };
    market.books.pool.debt_shares.0 += 700;
    market.books.pool.reserves_owed = crate::Fixed::from_raw(6 * ONE + 1);
    market.books.equity_sources.book = Quote(1_100);
    market.books.guardians.claim = Quote(50);
    market.books.auction.anchor = NOW.unix * 1_000_000;
    (
        market.announced_withdrawal.amount,
        market.announced_withdrawal.closes_at,
    ) = (Quote(9), NOW.unix);
    let prices = prices();
    (market.guard.spot, market.guard.own_ema) = (prices.spot(), prices.own_ema());
    let [cover, admission] = market.stress(&prices, NOW).unwrap();
    let expected = BalanceSheet {
        cash: Quote(0),
        inventory: Collateral(8_000),
        inventory_value: Quote(1_000),
        inventory_book: Quote(1_100),
        reserves_owed: Quote(6),
        debt: Quote(700),
        funded_credits: Quote(3),
        unfunded_credits: Quote(4),
        written_off: Quote(0),
        recovering: Collateral(0),
        equity: 1_000 + 6 - 700 - 4,
        guardians: Quote(50),
        protocol: 252,
        claim_impaired: Quote(0),
        impaired: Quote(0),
        cover,
        admission,
        pipeline_headroom: Collateral(28_000),
        hourly_flow: Quote(4_500),
        offer: market.offer(&prices, NOW).ok(),
    };
    assert_eq!(market.balance_sheet(&prices, NOW), Ok(expected));
    assert_eq!((cover.fall, cover.leaving), (Bps(5_000), Quote(9)));
    let offer = expected.offer.unwrap();
    // Ten minutes of 4,500 an hour.
    assert_eq!((offer.available, offer.discount), (Collateral(6_000), 0));
    // C is what is counted of the account beside the backstop: 500 for the inventory.
    let lacking = i128::from(cover.underwater.0);
    assert_eq!(cover.cover, 500 + 6 - 700 - 4 - lacking);
    assert!((175..=190).contains(&lacking), "{lacking}: {owing:?}");
    // While nothing may be sold there is no offer.
    let halted = judged(&prices, prices.guarded(), prices.own_ema(), Level::Halted);
    let without = BalanceSheet {
        offer: None,
        ..expected
    };
    assert_eq!(market.balance_sheet(&halted, NOW), Ok(without));
}

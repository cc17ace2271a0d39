//! Splitting a liquidation into pieces.

use super::{Trial, dollars};
use crate::{
    backing::cents,
    scene::{SOL, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Config, Quote};
use breakwater_testkit::{Actor, Position, assert_fails_with};

/// Lena's account of 100 SOL and 6,500 at this price, in a backstop with this much.
fn lenas(protocol: u64, price: i64) -> (Trial, Position, Actor) {
    lenas_in(Trial::new(protocol), price)
}

fn lenas_in(mut trial: Trial, price: i64) -> (Trial, Position, Actor) {
    let (market, lena) = (trial.market, trial.lena.clone());
    trial.world.fund(&lena, &market.collateral_mint, 100 * SOL);
    let position = trial.world.open(&market, &lena, 0).unwrap();
    trial.world.deposit(&position, 100 * SOL).unwrap();
    trial.world.borrow(&position, 6_500 * USDC).unwrap();
    trial.stands_at(cents(price));
    let mallory = trial.mallory.clone();
    (trial, position, mallory)
}

#[test]
fn one_owner_of_many_small_accounts_loses_by_each() {
    // 50 accounts of ten dollars instead of one of 500: the tip is half of each penalty then, and no more.
    let mut trial = Trial::new(500_000 * USDC);
    let positions: Vec<Position> = (0..50).map(|id| trial.borrow(id, SOL / 6, 10 * USDC)).collect();
    trial.stands_at(cents(72_00));
    let mallory = trial.mallory.clone();
    let before = trial.wealth(&mallory, &positions.iter().collect::<Vec<_>>());
    let (mut penalties, mut bounties) = (0, 0);
    for position in &positions {
        let outcome = trial.world.liquidate(&mallory, position).unwrap();
        let done = outcome.liquidation();
        let penalty = done.repaid.0 * u64::from(done.penalty.0) / 10_000;
        assert!(done.bounty.0 <= penalty / 2);
        (penalties, bounties) = (penalties + penalty, bounties + done.bounty.0);
    }
    let lost = dollars(before - trial.wealth(&mallory, &positions.iter().collect::<Vec<_>>()));
    let expected = i128::from(penalties - bounties);
    assert!(lost.abs_diff(expected) <= 100, "{lost}, not {expected}");
}

/// A market that sells 3,000 an hour and holds 1,000 at most while the stress cover is negative, as long as it has less
/// than that of capital.
fn narrow(protocol: u64) -> (Trial, Position, Actor) {
    let config = Config {
        flow_rate: Bps(15_000),
        market_depth: Quote(2_000 * USDC),
        debt_cap: Quote(400_000 * USDC),
        auction_max_premium: Bps(0),
        ..crate::backing::interest_free(breakwater_testkit::default_config())
    };
    lenas_in(Trial::with(config, protocol), 72_00)
}

/// Mallory's earnings on Lena's account when she frees the pipeline piece by piece: she buys inventory for so much,
/// liquidates what fits, and so on, until she has bought for 1,000 in all. Returns with them the bounties among them,
/// and the debt that she liquidated.
fn earned_by_buying(piece: u64) -> (i128, u64, u64) {
    let (mut trial, position, mallory) = narrow(20 * USDC);
    trial.world.liquidate(&trial.mallory, &position).unwrap();
    assert_fails_with(
        trial.world.liquidate(&trial.mallory, &position),
        BreakwaterError::PipelineFull,
    );
    let before = trial.wealth(&mallory, &[]);
    let (mut spent, mut repaid, mut bounties) = (0, 0, 0);
    while spent < 1_000 * USDC {
        trial.world.buy_inventory_for(&trial.market, &mallory, piece).unwrap();
        spent += piece;
        // What it frees may be too little, and then waits for the next piece.
        if let Ok(outcome) = trial.world.liquidate(&mallory, &position) {
            let done = outcome.liquidation();
            assert!(done.bounty.0 <= done.repaid.0 / 200, "{done:?}");
            (repaid, bounties) = (repaid + done.repaid.0, bounties + done.bounty.0);
        }
        trial.world.advance(10 * 60);
        trial.stands_at(cents(72_00));
    }
    (dollars(trial.wealth(&mallory, &[]) - before), bounties, repaid)
}

#[test]
fn however_a_keeper_cuts_it_at_most_half_of_the_penalty_is_hers() {
    let (whole, bounties, repaid) = earned_by_buying(250 * USDC);
    let (pieces, in_pieces, repaid_in_pieces) = earned_by_buying(25 * USDC);
    assert!(
        repaid > 900 * USDC && repaid_in_pieces > 900 * USDC,
        "{repaid} {repaid_in_pieces}"
    );
    // A tip for each piece: that is what half of a penalty bounds.
    assert!(bounties < in_pieces && in_pieces <= repaid_in_pieces / 200);
    assert!(whole > 0 && pieces > 0, "{whole} {pieces}");
}

#[test]
fn a_keeper_who_gives_capital_away_to_be_let_in_does_not_get_it_back() {
    for gift in [2 * USDC, 20 * USDC, 200 * USDC] {
        let (mut trial, position, mallory) = narrow(0);
        let market = trial.market;
        let wealth = trial.wealth(&mallory, &[]);
        let mut given = 0;
        for _ in 0..10 {
            trial.world.fund_backstop(&market, &mallory, gift).unwrap();
            given += gift;
            let _ = trial.world.liquidate(&mallory, &position);
        }
        let gain = dollars(trial.wealth(&mallory, &[]) - wealth);
        assert!(gain < -i128::from(given) / 2, "{gain} for {given}");
    }
}

#[test]
fn in_steps_a_keeper_gets_at_most_half_of_each_penalty() {
    // Guarded: Pyth gives no average. A step is ten dollars or a quarter.
    let (mut trial, position, mallory) = lenas(500_000 * USDC, 72_00);
    let mut steps = 0;
    loop {
        let feed = trial.market.collateral_feed;
        trial.world.edit_feed(&feed, |feed| feed.quotation_mut().ema_price = 0);
        let Ok(outcome) = trial.world.liquidate(&mallory, &position) else {
            break;
        };
        let done = outcome.liquidation();
        assert_eq!(done.penalty, Bps(100));
        assert!(done.bounty <= Quote(done.repaid.0 / 200));
        steps += 1;
        trial.world.advance(20);
    }
    assert!(steps > 4, "{steps}");
}

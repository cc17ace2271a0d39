//! Splitting a liquidation into pieces.

use super::{Stage, dollars};
use crate::{
    backing::cents,
    scene::{SOL, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Config, Quote};
use breakwater_testkit::{Actor, Position, assert_fails_with};

/// Lena's account of 100 SOL and 6,500 at this price, in a backstop with this much.
fn lenas(protocol: u64, price: i64) -> (Stage, Position, Actor) {
    lenas_in(Stage::new(protocol), price)
}

fn lenas_in(mut stage: Stage, price: i64) -> (Stage, Position, Actor) {
    let (market, lena) = (stage.market, stage.lena.clone());
    stage.world.fund(&lena, &market.collateral_mint, 100 * SOL);
    let position = stage.world.open(&market, &lena, 0).unwrap();
    stage.world.deposit(&position, 100 * SOL).unwrap();
    stage.world.borrow(&position, 6_500 * USDC).unwrap();
    stage.stands_at(cents(price));
    let mallory = stage.mallory.clone();
    (stage, position, mallory)
}

#[test]
fn a_liquidator_gets_no_more_for_pieces_than_for_the_whole() {
    for price in [81_00, 80_00, 76_00, 72_00, 70_70] {
        for minutes in [0, 10, 60] {
            let (mut stage, position, mallory) = lenas(0, price);
            for _ in 0..minutes {
                stage
                    .world
                    .liquidate_batch(&stage.market, &mallory, &[&position])
                    .unwrap();
                stage.world.advance(60);
            }
            let before = stage.world.snapshot();
            let mut earned = Vec::new();
            for piece in [u64::MAX, 1_000 * USDC, 333 * USDC + 7, 50 * USDC] {
                let wealth = stage.wealth(&mallory, &[]);
                // Until it is healthy.
                while stage.world.liquidate_external(&mallory, &position, piece).is_ok() {}
                earned.push(dollars(stage.wealth(&mallory, &[]) - wealth));
                stage.world.restore(&before);
            }
            assert!(
                earned[1..].iter().all(|pieces| *pieces <= earned[0] + 4),
                "{price} {minutes}: {earned:?}"
            );
            // And with a discount the whole is worth something.
            assert!(minutes == 0 || earned[0] > 0, "{price} {minutes}: {earned:?}");
        }
    }
}

#[test]
fn one_owner_of_many_small_accounts_loses_by_each() {
    // 50 accounts of ten dollars instead of one of 500: the tip is half of each penalty then, and no more.
    let mut stage = Stage::new(500_000 * USDC);
    let positions: Vec<Position> = (0..50).map(|id| stage.borrow(id, SOL / 6, 10 * USDC)).collect();
    stage.stands_at(cents(72_00));
    let mallory = stage.mallory.clone();
    let before = stage.wealth(&mallory, &positions.iter().collect::<Vec<_>>());
    let (mut penalties, mut bounties) = (0, 0);
    for position in &positions {
        let outcome = stage.world.liquidate(&mallory, position).unwrap();
        let done = outcome.liquidation();
        let penalty = done.repaid.0 * u64::from(done.penalty.0) / 10_000;
        assert!(done.bounty.0 <= penalty / 2);
        (penalties, bounties) = (penalties + penalty, bounties + done.bounty.0);
    }
    let lost = dollars(before - stage.wealth(&mallory, &positions.iter().collect::<Vec<_>>()));
    let expected = i128::from(penalties - bounties);
    assert!(lost.abs_diff(expected) <= 100, "{lost}, not {expected}");
}

/// What Mallory earns on Lena's account when she makes room for it piece by piece: she buys inventory for so much, liquidates
/// what fits, and so on, until she has bought for 1,000 in all.
fn earned_by_making_room(piece: u64) -> (i128, u64) {
    // A capital of 100 with no more inventory than it can carry. All can be sold at once.
    let config = Config {
        unwind_time: 60,
        unwind_max_premium: Bps(0),
        ..crate::backing::interest_free(breakwater_testkit::default_config())
    };
    let (mut stage, position, mallory) = lenas_in(Stage::with(config, 400 * USDC), 72_00);
    stage.world.liquidate(&stage.mallory, &position).unwrap();
    assert_fails_with(
        stage.world.liquidate(&stage.mallory, &position),
        BreakwaterError::BackstopFull,
    );
    let before = stage.wealth(&mallory, &[]);
    let (mut spent, mut repaid) = (0, 0);
    while spent < 1_000 * USDC {
        stage.world.buy_inventory_for(&stage.market, &mallory, piece).unwrap();
        spent += piece;
        // What it makes room for may be too little, and then waits for the next piece.
        if let Ok(outcome) = stage.world.liquidate(&mallory, &position) {
            repaid += outcome.liquidation().repaid.0;
        }
    }
    (dollars(stage.wealth(&mallory, &[]) - before), repaid)
}

#[test]
fn a_keeper_gets_no_more_for_pieces_than_for_the_whole() {
    let (whole, repaid) = earned_by_making_room(1_000 * USDC);
    let (pieces, repaid_in_pieces) = earned_by_making_room(10 * USDC);
    assert!(whole > 0 && repaid > 1_000 * USDC && repaid_in_pieces > 900 * USDC);
    // The flat tip is for a liquidation, not for each crumb of it. In pieces less is repaid: it ends where the account is
    // healthy, and not at the target.
    assert!(
        pieces <= whole * i128::from(repaid_in_pieces) / i128::from(repaid) + 100_000,
        "{pieces} for {repaid_in_pieces} in pieces, {whole} for {repaid} at once"
    );
}

#[test]
fn a_keeper_who_gives_capital_away_to_make_room_does_not_get_it_back() {
    for gift in [2 * USDC, 20 * USDC, 200 * USDC] {
        let (mut stage, position, mallory) = lenas(0, 72_00);
        let market = stage.market;
        let wealth = stage.wealth(&mallory, &[]);
        let mut given = 0;
        for _ in 0..10 {
            stage.world.fund_backstop(&market, &mallory, gift).unwrap();
            given += gift;
            if stage.world.liquidate(&mallory, &position).is_err() {
                break;
            }
        }
        let gain = dollars(stage.wealth(&mallory, &[]) - wealth);
        assert!(gain < -i128::from(given) / 2, "{gain} for {given}");
    }
}

#[test]
fn in_steps_a_keeper_gets_at_most_half_of_each_penalty() {
    // Guarded: Pyth gives no average. A step is ten dollars or a quarter.
    let (mut stage, position, mallory) = lenas(500_000 * USDC, 72_00);
    let mut steps = 0;
    loop {
        let feed = stage.market.collateral_feed;
        stage.world.edit_feed(&feed, |feed| feed.quotation_mut().ema_price = 0);
        let Ok(outcome) = stage.world.liquidate(&mallory, &position) else {
            break;
        };
        let done = outcome.liquidation();
        assert_eq!(done.penalty, Bps(200));
        assert!(done.bounty <= Quote(done.repaid.0 / 100));
        steps += 1;
        stage.world.advance(20);
    }
    assert!(steps > 4, "{steps}");
}

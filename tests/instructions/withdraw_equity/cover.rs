//! The equity that stays must cover the fall of admission without a sentinel's raise, beside the guardians' requests.

use super::{queue, refused, scene, take};
use crate::{
    backing::{cents, market_with, position_of, stands_at},
    borrow::cover::{admission_cover, stressed},
    scene::{Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::Quote;
use breakwater_testkit::Actor;

/// 10,000 of the protocol's and 1,000 of Gina's behind Alice's 6,500 on 100 SOL, which a fall of 38% puts under water.
/// The price stands at $100 when `amount` may be taken out.
fn announced(amount: u64) -> (Scene, Actor) {
    let (mut scene, _, gina) = scene(&market_with(stressed()), 10_000 * USDC, 1_000 * USDC);
    queue(&mut scene, amount);
    stands_at(&mut scene, cents(10_000));
    (scene, gina)
}

/// A without the announcement, quote atoms.
fn cover(scene: &mut Scene) -> u64 {
    let announced = scene.world.market_state(&scene.market).announced_withdrawal.amount.0;
    u64::try_from(admission_cover(scene) + i128::from(announced)).unwrap()
}

#[test]
fn it_is_the_cover_to_the_atom() {
    // 300 that Alice would lack, by a band of 2.2%: so more than the guardians' claim must stay once they ask to leave.
    for asked in [0, 800 * USDC, 1_000 * USDC] {
        for (more, expected) in [(1, Some(BreakwaterError::StressCoverExceeded)), (0, None)] {
            let (mut scene, gina) = announced(USDC);
            let shares = position_of(&mut scene, &gina).shares.0;
            let asked_shares =
                u64::try_from(u128::from(shares) * u128::from(asked) / u128::from(1_000 * USDC)).unwrap();
            if asked > 0 {
                scene
                    .world
                    .guardian_request(&scene.market, &gina, asked_shares)
                    .unwrap();
            }
            let most = cover(&mut scene).min(10_000 * USDC);
            queue(&mut scene, most + more);
            stands_at(&mut scene, cents(10_000));
            // Without a request the claim is the tighter limit: 1,000 are more than Alice would lack.
            let claim_first = most == 10_000 * USDC;
            match expected {
                Some(_) if claim_first => refused(&mut scene, BreakwaterError::EquityBelowClaim),
                Some(expected) => refused(&mut scene, expected),
                None => assert_eq!(take(&mut scene).amount, Quote(most)),
            }
            assert_eq!(claim_first, asked == 0, "{asked}");
        }
    }
}

#[test]
fn a_falling_price_stops_it_and_a_repayment_lets_it_go() {
    let (mut scene, gina) = announced(9_000 * USDC);
    let shares = position_of(&mut scene, &gina).shares.0;
    scene.world.guardian_request(&scene.market, &gina, shares).unwrap();
    // At $84 Alice would lack 1,300, and 1,000 are left beside what Gina asked for.
    stands_at(&mut scene, cents(84_00));
    refused(&mut scene, BreakwaterError::StressCoverExceeded);
    scene.world.repay(&scene.position, 1_000 * USDC).unwrap();
    assert_eq!(take(&mut scene).amount, Quote(9_000 * USDC));
}

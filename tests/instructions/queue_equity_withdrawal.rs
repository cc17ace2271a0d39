//! `queue_equity_withdrawal`.

use crate::scene::{Scene, USDC, sibling};
use breakwater::{error::BreakwaterError, events::EquityWithdrawalAnnounced};
use breakwater_engine::{Quote, actions::EquityWithdrawalQueued};
use breakwater_testkit::ix;

#[test]
fn it_notes_how_much_and_when_and_nothing_else() {
    let Scene { mut world, market, .. } = Scene::new();
    // More than there is can be announced; it is checked when it is taken.
    for amount in [1, 50_000 * USDC, u64::MAX, 0] {
        world.advance(77);
        let mut expected = world.market_state(&market);

        let outcome = world.queue_equity_withdrawal(&market, amount).unwrap();

        let now = world.unix();
        let opens_at = now + i64::from(expected.config.equity_withdrawal_delay);
        let event = EquityWithdrawalAnnounced {
            market: market.market,
            queued: EquityWithdrawalQueued {
                amount: Quote(amount),
                opens_at,
                closes_at: opens_at + i64::from(expected.config.equity_withdrawal_window),
            },
        };
        assert_eq!(outcome.event::<EquityWithdrawalAnnounced>(), event);
        // It keeps its own times; nothing is announced by zero.
        expected.announced_withdrawal = bytemuck::Zeroable::zeroed();
        if amount > 0 {
            expected.announced_withdrawal.amount = Quote(amount);
            (
                expected.announced_withdrawal.opens_at,
                expected.announced_withdrawal.closes_at,
            ) = (event.queued.opens_at, event.queued.closes_at);
        }
        assert_eq!(world.market_state(&market), expected);
    }
}

#[test]
fn nobody_but_the_authority_does_not_even_the_emergency_admin() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    world.set_emergency_admin(&mallory.key()).unwrap();
    let expires = world.longest_approval();
    for amount in [0, 1, u64::MAX] {
        let bent = ix::queue_equity_withdrawal(&market, &mallory.key(), amount, expires);
        world.assert_error_unchanged(&[bent], &[&mallory], BreakwaterError::WrongAuthority);
    }
}

#[test]
fn each_market_has_its_own() {
    let Scene { mut world, market, .. } = Scene::new();
    let sibling = sibling(&mut world);
    world.queue_equity_withdrawal(&market, 1).unwrap();
    assert_eq!(world.market_state(&sibling).announced_withdrawal.amount, Quote(0));
}

#[test]
fn it_is_approved_until_a_slot_that_is_not_too_far_ahead() {
    let Scene { mut world, market, .. } = Scene::new();
    let authority = world.authority().clone();
    let (now, longest) = (world.slot(), world.longest_approval());
    for amount in [0, USDC] {
        for (expires, expected) in [
            (0, BreakwaterError::ApprovalExpired),
            (now - 1, BreakwaterError::ApprovalExpired),
            (longest + 1, BreakwaterError::ApprovalTooLong),
            (u64::MAX, BreakwaterError::ApprovalTooLong),
        ] {
            let bent = ix::queue_equity_withdrawal(&market, &authority.key(), amount, expires);
            world.assert_error_unchanged(&[bent], &[&authority], expected);
        }
    }
    for expires in [now, longest] {
        let honest = ix::queue_equity_withdrawal(&market, &authority.key(), USDC, expires);
        world.send(&[honest], &[&authority]).unwrap();
    }
}

#[test]
fn it_needs_no_price() {
    let Scene { mut world, market, .. } = Scene::new();
    world.advance_silently(30 * 86_400);
    for feed in [market.collateral_feed, market.quote_feed] {
        world.give_lamports(&feed, 0);
    }
    world.queue_equity_withdrawal(&market, 1).unwrap();
}

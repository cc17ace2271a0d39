//! Every account that is not what it should be.

use super::Crowd;
use crate::{
    attack::{Attack, blank, cut, foreign_copy, read_only},
    bad_feeds::refuse_bad_feeds,
    scene::{Scene, USDC, all_feed_kinds, inverse, redeemable, sibling},
};
use anchor_lang::{prelude::ErrorCode, solana_program::instruction::error::InstructionError};
use breakwater::error::BreakwaterError;
use breakwater_client::addresses;
use breakwater_engine::price::oracle::PriceUse;
use breakwater_testkit::ix;

#[test]
fn bad_feeds_are_refused() {
    for spec in all_feed_kinds().into_iter().chain([redeemable()]) {
        let mut crowd = Crowd::on(&spec, 100_000 * USDC, &[69]);
        crowd.scene.price(80);
        let accounts = crowd.addresses();
        let Scene {
            world, market, kate, ..
        } = &mut crowd.scene;
        let honest = ix::liquidate_batch(market, &kate.key(), &accounts);
        let mut attack = Attack::on(world, honest, &[kate]);
        refuse_bad_feeds(&mut attack, market, PriceUse::Liquidate);
        attack.honest_passes();
    }
}

#[test]
fn every_fixed_account_is_checked() {
    let crowd = Crowd::new(&[69]);
    let accounts = crowd.addresses();
    let mut scene = crowd.scene;
    let (sibling, inverse) = (sibling(&mut scene.world), inverse(&mut scene.world));
    scene.price(80);
    let Scene {
        mut world,
        market,
        mallory,
        kate,
        position,
        ..
    } = scene;
    world.open_keeper_ledger(&market, &mallory).unwrap();
    world.open_keeper_ledger(&sibling, &kate).unwrap();
    let ledger = addresses::keeper_ledger(&market.market, &kate.key());
    let ledger_of_mallory = addresses::keeper_ledger(&market.market, &mallory.key());
    let ledger_of_sibling = addresses::keeper_ledger(&sibling.market, &kate.key());

    let honest = ix::liquidate_batch(&market, &kate.key(), &accounts);
    let mut attack = Attack::on(&mut world, honest, &[&kate, &mallory]);
    attack
        .not_state(&market.market, &ledger_of_mallory)
        .swap(&market.market, &sibling.market, BreakwaterError::WrongMarket)
        .swap(&market.market, &inverse.market, BreakwaterError::WrongMarket)
        // All but the margin accounts of another market.
        .swap_all(
            &[(&market.market, &sibling.market), (&ledger, &ledger_of_sibling)],
            BreakwaterError::WrongMarket,
        )
        .not_state(&ledger, &market.market)
        .swap(&ledger, &ledger_of_mallory, BreakwaterError::WrongKeeper)
        .swap(&ledger, &ledger_of_sibling, BreakwaterError::WrongMarket)
        .swap(&kate.key(), &mallory.key(), BreakwaterError::WrongKeeper)
        .unsigned(&kate)
        .swap(
            &market.collateral_feed,
            &position.address,
            BreakwaterError::WrongFeedOwner,
        )
        .swap(&market.collateral_feed, &market.quote_feed, BreakwaterError::WrongFeed)
        .swap(&market.quote_feed, &market.collateral_feed, BreakwaterError::WrongFeed)
        .read_only(&[&market.market, &ledger]);
    let mut short = attack.honest.clone();
    short.accounts.truncate(4);
    attack.refused(&short, ErrorCode::AccountNotEnoughKeys);
    attack.honest_passes();
}

#[test]
fn every_margin_account_is_checked() {
    let mut crowd = Crowd::new(&[69]);
    crowd.scene.price(80);
    let accounts = crowd.addresses();
    let [alice, first] = accounts[..] else {
        panic!("two accounts")
    };
    let Scene {
        mut world,
        market,
        mallory,
        kate,
        ..
    } = crowd.scene;
    world.open_keeper_ledger(&market, &mallory).unwrap();
    let (ledger, ledger_of_mallory) = [&kate, &mallory]
        .map(|keeper| addresses::keeper_ledger(&market.market, &keeper.key()))
        .into();
    let (foreign, zeros) = (foreign_copy(&mut world, &first), blank(&mut world, &first));
    let (stub, headless) = (cut(&mut world, &first, 7), cut(&mut world, &first, 100));

    let honest = ix::liquidate_batch(&market, &kate.key(), &accounts);
    let mut attack = Attack::on(&mut world, honest, &[&kate]);
    attack
        .swap(&first, &foreign, ErrorCode::AccountOwnedByWrongProgram)
        .swap(&first, &market.quote_vault, ErrorCode::AccountOwnedByWrongProgram)
        .swap(&first, &zeros, ErrorCode::AccountDiscriminatorMismatch)
        .swap(&first, &stub, ErrorCode::AccountDiscriminatorNotFound)
        .swap(&first, &headless, ErrorCode::AccountDidNotDeserialize)
        .swap(&first, &ledger_of_mallory, ErrorCode::AccountDiscriminatorMismatch)
        // These two are in use.
        .swap(&first, &ledger, InstructionError::AccountBorrowFailed)
        .swap(&first, &market.market, InstructionError::AccountBorrowFailed);
    for account in [alice, first] {
        let bent = read_only(&attack.honest, &account);
        attack.refused(&bent, ErrorCode::AccountNotMutable);
    }
    attack.honest_passes();
}

//! Who may create a market, and when. Wrong accounts are the matrix's.

use super::Draft;
use crate::attack::{Attack, twin};
use anchor_lang::prelude::ErrorCode;
use breakwater::error::BreakwaterError;
use breakwater_client::addresses;
use breakwater_testkit::{MarketSpec, ix};

#[test]
fn nobody_but_the_authority_may() {
    let mut draft = Draft::of(&MarketSpec::default());
    let mallory = draft.world.actor("mallory");
    let authority = draft.world.authority().clone();
    let create = ix::create_market(
        &draft.keys,
        &mallory.key(),
        &addresses::depth_budget("TEST"),
        draft.args,
    );
    let world = &mut draft.world;
    world.assert_error_unchanged(
        std::slice::from_ref(&create),
        &[&mallory],
        BreakwaterError::WrongAuthority,
    );
    // Nor with a protocol account that names her: it is nowhere but at its address.
    let protocol = addresses::protocol();
    let mut forged = world.existing_account(&protocol);
    forged.data[8..40].copy_from_slice(mallory.key().as_ref());
    let forged_address = twin(world, &protocol);
    world.set_account(&forged_address, forged);
    let mut attack = Attack::on(world, create, &[&mallory, &authority]);
    attack.swap(&protocol, &forged_address, ErrorCode::ConstraintSeeds);
    draft.honest_passes();
}

#[test]
fn there_is_no_market_before_the_protocol() {
    let mut draft = Draft::of(&MarketSpec::default());
    let authority = draft.world.authority().clone();
    draft.world.give_lamports(&addresses::protocol(), 0);
    let create = draft.with(|_| ());
    draft
        .world
        .assert_error_unchanged(&[create], &[&authority], ErrorCode::AccountNotInitialized);
}

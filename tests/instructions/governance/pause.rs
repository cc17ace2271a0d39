//! Each kind of pause × every instruction of the program: it stops what it is for, and nothing else; and what never
//! stops.

use super::{
    cast::{Cast, Role},
    rows::{Row, offices},
    rows_users::users,
    tighten::tightest,
};
use crate::{
    backing::{deficit, market_with, quick},
    scene::{Scene, USDC, sibling},
};
use breakwater::{
    error::BreakwaterError,
    events::{DeficitSettled, GuardianWithdrawn, PriceObserved},
};
use breakwater_client::MarketKeys;
use breakwater_engine::{Config, Parameter, ParameterChange, governance::pause::Kinds};
use breakwater_testkit::{Actor, World, ix};
use std::collections::BTreeSet;

/// The longest that one holds.
pub const LIMIT: u32 = Config::EXAMPLE.halt_seconds;

/// Every kind there is.
pub const KINDS: [Kinds; 6] = [
    Kinds::SUPPLY,
    Kinds::BORROW,
    Kinds::WITHDRAW,
    Kinds::LIQUIDATE,
    Kinds::SELL,
    Kinds::GUARDIAN_DEPOSIT,
];

/// Actions that no pause, no emergency halt and no tightening stops, of all that need no office.
const NEVER: [(&str, &str); 16] = [
    ("withdraw", "Lena's shares"),
    ("open_account", "its own"),
    ("close_account", "Alice's"),
    ("deposit_collateral", "for Alice"),
    ("deposit_collateral", "Alice's tokens"),
    ("withdraw_collateral", "without debt"),
    ("repay", "for Alice"),
    ("repay", "Alice's tokens"),
    ("observe_price", ""),
    ("fund_backstop", "its own"),
    ("fund_backstop", "Lena's tokens"),
    ("open_guardian_position", "its own"),
    ("close_guardian_position", "Bob's"),
    ("guardian_request", "of Gina's"),
    ("open_keeper_ledger", "its own"),
    ("claim_bounty", "Kate's"),
];

/// The row is tried by somebody who may.
#[track_caller]
fn attempt(cast: &mut Cast, row: &Row, role: Role, expected: Option<BreakwaterError>) {
    let actor = role.actor();
    let instructions = (row.build)(cast, &actor);
    let asked = instructions
        .iter()
        .flat_map(|ix| &ix.accounts)
        .any(|meta| meta.is_signer);
    let signers: Vec<&Actor> = if asked { vec![&actor] } else { vec![] };
    println!("{}: {expected:?}", row.title());
    if let Some(error) = expected {
        cast.world.assert_error_unchanged(&instructions, &signers, error);
    } else {
        cast.world.send(&instructions, &signers).unwrap();
    }
}

#[test]
fn each_kind_stops_what_it_is_for_and_nothing_else() {
    let mut cast = Cast::new(World::program_test());
    let (begun, grace) = (cast.world.snapshot(), Role::EmergencyAdmin.actor());
    let rows: Vec<Row> = offices().into_iter().chain(users()).collect();
    let mut stopped = BTreeSet::new();
    for kind in KINDS {
        cast.world.restore(&begun);
        cast.world.pause(&cast.market, &grace, kind.0, LIMIT).unwrap();
        // To its last second.
        cast.world.advance(LIMIT - 1);
        let paused = cast.world.snapshot();
        println!("paused: {kind:?}");
        for row in &rows {
            let Some(role) = row.allowed() else { continue };
            cast.world.restore(&paused);
            let expected = if row.paused_by == Some(kind) {
                stopped.insert(row.name);
                Some(BreakwaterError::ActionPaused)
            } else if row.name == "pause" && kind == Kinds::SUPPLY {
                Some(BreakwaterError::PauseCooldown)
            } else {
                None
            };
            attempt(&mut cast, row, role, expected);
        }
    }
    let stopped: Vec<&str> = stopped.into_iter().collect();
    let expected = [
        "borrow",
        "buy_inventory",
        "buy_inventory_for",
        "guardian_deposit",
        "liquidate",
        "liquidate_batch",
        "supply",
        "withdraw_collateral",
    ];
    assert_eq!(stopped, expected);
}

/// Everything that the emergency admin can do at once: all tightened to its limit, all kinds paused, the market halted.
#[track_caller]
pub fn clamp_down(world: &mut World, market: &MarketKeys, grace: &Actor) {
    let config = world.market_state(market).config;
    let changes: Vec<ParameterChange> = Parameter::ALL
        .iter()
        .filter_map(|parameter| Some((*parameter, tightest(*parameter, &config)?)))
        .filter(|(parameter, to)| parameter.get(&config) != *to)
        .map(|(parameter, to)| world.change(market, parameter, to))
        .collect();
    assert!(changes.len() >= 8);
    world.tighten(market, grace, &changes).unwrap();
    world.pause(market, grace, Kinds::ALL.0, LIMIT).unwrap();
    world.emergency_halt(market, grace, LIMIT).unwrap();
}

#[test]
fn what_takes_nobody_hostage_goes_on_whatever_the_emergency_admin_does() {
    let mut cast = Cast::new(World::program_test());
    clamp_down(&mut cast.world, &cast.market, &Role::EmergencyAdmin.actor());
    cast.world.advance(LIMIT - 1);
    let clamped = cast.world.snapshot();
    let mut went_on = Vec::new();
    for row in users() {
        let Some(role) = row.allowed() else { continue };
        cast.world.restore(&clamped);
        let never = NEVER.contains(&(row.name, row.what));
        let expected = match row.paused_by {
            // Gina's part of the inventory needs a price to be told, and there is none while the emergency halt holds.
            None if row.name == "guardian_withdraw" => Some(BreakwaterError::MarketHalted),
            None => None,
            Some(_) => Some(BreakwaterError::ActionPaused),
        };
        assert_eq!(never, expected.is_none(), "{}", row.title());
        attempt(&mut cast, &row, role, expected);
        if never {
            went_on.push((row.name, row.what));
        }
    }
    assert_eq!(went_on, NEVER);
}

#[test]
fn everybody_leaves_with_everything_under_all_of_it() {
    let mut cast = Cast::new(World::program_test());
    let market = cast.market;
    let [alice, lena, gina, grace, bob] = [
        Role::Owner,
        Role::Supplier,
        Role::Backer,
        Role::EmergencyAdmin,
        Role::OtherOwner,
    ]
    .map(Role::actor);
    // Without inventory the guardian of the backstop needs no price.
    let inventory = cast.world.market_state(&market).books.backstop.inventory.0;
    cast.world.buy_inventory(&market, &lena, inventory, u64::MAX).unwrap();
    clamp_down(&mut cast.world, &market, &grace);
    let world = &mut cast.world;
    world.repay(&cast.indebted, u64::MAX).unwrap();
    world.withdraw_collateral(&cast.indebted, 100_000_000_000).unwrap();
    world.close(&cast.indebted).unwrap();
    world.withdraw_collateral(&cast.free, 10_000_000_000).unwrap();
    world.close(&cast.free).unwrap();
    let bobs = breakwater_testkit::Position::new(&market, &bob, 0);
    world.repay(&bobs, u64::MAX).unwrap();
    let left = world.margin_account(&bobs).collateral.0;
    world.withdraw_collateral(&bobs, left).unwrap();
    let shares = world.balance(&lena, &market.lp_mint);
    world.withdraw(&market, &lena, shares).unwrap();
    world.claim_bounty(&market, &Role::Keeper.actor()).unwrap();
    let outcome = world.guardian_withdraw(&market, &gina, u64::MAX).unwrap();
    assert!(outcome.event::<GuardianWithdrawn>().withdrawal.amount.0 >= 10_000 * USDC);
    world.close_guardian_position(&market, &gina).unwrap();
    assert_eq!(world.balance(&alice, &market.collateral_mint), 1_000_000_000_000);
    let totals = world.totals(&market);
    assert_eq!(
        (totals.collateral_vault, totals.account_debt_shares, totals.lp_held),
        (0, 0, 0)
    );
}

#[test]
fn a_deficit_is_settled_and_prices_are_observed_under_all_of_it() {
    let (scene, _) = deficit(World::program_test(), &market_with(quick()), 100 * USDC, 100 * USDC);
    let Scene { mut world, market, .. } = scene;
    let grace = world.actor("grace");
    world.set_emergency_admin(&grace.key()).unwrap();
    clamp_down(&mut world, &market, &grace);
    let settled: DeficitSettled = world.settle_deficit(&market).unwrap().event();
    assert_eq!(settled.market, market.market);
    let observed: PriceObserved = world.observe_price(&market).unwrap().event();
    assert_eq!(observed.observation.level, 2);
    world.fund_backstop(&market, &scene.lena, USDC).unwrap();
}

#[test]
fn a_pause_is_one_markets() {
    let Scene {
        mut world,
        market,
        lena,
        ..
    } = Scene::new();
    let (grace, other) = (world.actor("grace"), sibling(&mut world));
    world.set_emergency_admin(&grace.key()).unwrap();
    world.fund(&lena, &other.lp_mint, 0);
    world.pause(&market, &grace, Kinds::ALL.0, LIMIT).unwrap();
    world.supply(&other, &lena, USDC).unwrap();
    let here = ix::supply(&market, &lena.key(), USDC, 0);
    world.assert_error_unchanged(&[here], &[&lena], BreakwaterError::ActionPaused);
}

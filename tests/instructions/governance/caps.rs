//! Supply cap, debt cap, cap of one account: to the atom, and what passes them.

use crate::{
    attack::donate,
    backing::{cents, deficit, interest_free, market_with, owed, quick, stands_at, take_over},
    scene::{SOL, Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_client::MarketKeys;
use breakwater_engine::{Config, Quote};
use breakwater_testkit::{Position, World, default_config, ix};

/// The default scene without interest, with these changes of its parameters from now on. The pool holds 993,500 and is
/// owed 6,500 by Alice.
fn capped(change: impl FnOnce(&mut Config)) -> Scene {
    let mut scene = Scene::on(World::program_test(), &market_with(interest_free(default_config())));
    set(&mut scene.world, &scene.market, change);
    scene
}

fn set(world: &mut World, market: &MarketKeys, change: impl FnOnce(&mut Config)) {
    let mut config = world.market_state(market).config;
    change(&mut config);
    world.set_config(market, config);
}

#[track_caller]
fn supply_refused(scene: &mut Scene, amount: u64) {
    let supply = ix::supply(&scene.market, &scene.mallory.key(), amount, 0);
    let expected = BreakwaterError::SupplyCapReached;
    scene
        .world
        .assert_error_unchanged(&[supply], &[&scene.mallory], expected);
}

#[track_caller]
fn borrow_refused(scene: &mut Scene, position: &Position, amount: u64, expected: BreakwaterError) {
    let Position {
        market, address, owner, ..
    } = position;
    let borrow = ix::borrow(market, address, &owner.key(), amount);
    scene.world.assert_error_unchanged(&[borrow], &[owner], expected);
}

/// Mallory with 100 SOL in an account.
fn newcomer(scene: &mut Scene) -> Position {
    let position = scene.world.open(&scene.market, &scene.mallory, 0).unwrap();
    scene.world.deposit(&position, 100 * SOL).unwrap();
    position
}

#[test]
fn the_pool_is_supplied_to_its_cap_and_not_an_atom_beyond() {
    let mut scene = capped(|config| config.supply_cap = Quote(1_000_123 * USDC));
    supply_refused(&mut scene, 123 * USDC + 1);
    supply_refused(&mut scene, 1_000_000 * USDC);
    // Neither what lies in the vault unasked nor what is lent makes a difference: what is owed to the pool is the
    // pool's.
    donate(
        &mut scene.world,
        &scene.market.quote_mint,
        &scene.market.quote_vault,
        777 * USDC,
    );
    scene.world.borrow(&scene.position, 10 * USDC).unwrap();
    supply_refused(&mut scene, 123 * USDC + 1);
    scene.world.supply(&scene.market, &scene.mallory, 123 * USDC).unwrap();
    supply_refused(&mut scene, 1);
    // Nor can it be cut in pieces, in one transaction or in many.
    let atom = ix::supply(&scene.market, &scene.mallory.key(), 1, 0);
    let leave = ix::withdraw(&scene.market, &scene.mallory.key(), 1_000, 0);
    let expected = BreakwaterError::SupplyCapReached;
    let pieces = [leave.clone(), atom.clone(), atom.clone()];
    scene.world.assert_error_unchanged(&pieces, &[&scene.mallory], expected);
    // What one leaves another may fill.
    scene.world.send(&[leave, atom], &[&scene.mallory]).unwrap();
}

#[test]
fn a_supply_cap_is_of_supplies_alone() {
    let mut scene = capped(|config| config.supply_cap = Quote(0));
    supply_refused(&mut scene, 1);
    let gina = scene.world.guardian(&scene.market, "gina", USDC);
    let Scene {
        world,
        market,
        position,
        lena,
        ..
    } = &mut scene;
    world.fund_backstop(market, lena, USDC).unwrap();
    world.guardian_deposit(market, &gina, USDC).unwrap();
    world.borrow(position, USDC).unwrap();
    world.repay(position, USDC).unwrap();
    world.withdraw(market, lena, USDC).unwrap();
    world.deposit(position, SOL).unwrap();
}

#[test]
fn the_market_lends_to_its_cap_and_not_an_atom_beyond() {
    let mut scene = capped(|config| config.debt_cap = Quote(6_700 * USDC));
    let (alice, mallory) = (scene.position.clone(), newcomer(&mut scene));
    let expected = BreakwaterError::DebtCapReached;
    for position in [&alice, &mallory] {
        borrow_refused(&mut scene, position, 200 * USDC + 1, expected);
    }
    scene.world.borrow(&mallory, 150 * USDC).unwrap();
    borrow_refused(&mut scene, &alice, 50 * USDC + 1, expected);
    scene.world.borrow(&alice, 50 * USDC).unwrap();
    borrow_refused(&mut scene, &mallory, 1, expected);
    scene.world.repay(&alice, 1).unwrap();
    scene.world.borrow(&mallory, 1).unwrap();
}

#[test]
fn what_the_backstop_owes_counts_for_the_markets_cap() {
    // Alice's 6,500 are the backstop's: it has sold her collateral and still owes a part.
    let (mut scene, _) = deficit(World::program_test(), &market_with(quick()), 0, 0);
    let debt = owed(&mut scene);
    assert!(debt > 0);
    set(&mut scene.world, &scene.market, |config| {
        config.debt_cap = Quote(debt + 100 * USDC);
    });
    let mallory = newcomer(&mut scene);
    borrow_refused(&mut scene, &mallory, 100 * USDC + 1, BreakwaterError::DebtCapReached);
    scene.world.borrow(&mallory, 100 * USDC).unwrap();
}

#[test]
fn one_account_borrows_to_its_cap_and_not_an_atom_beyond() {
    let mut scene = capped(|config| config.account_debt_cap = Quote(6_600 * USDC));
    let (alice, mallory) = (scene.position.clone(), newcomer(&mut scene));
    let expected = BreakwaterError::AccountDebtCapReached;
    borrow_refused(&mut scene, &alice, 100 * USDC + 1, expected);
    scene.world.borrow(&alice, 100 * USDC).unwrap();
    borrow_refused(&mut scene, &alice, 1, expected);
    // Each account has its own, of the same owner too.
    borrow_refused(&mut scene, &mallory, 6_600 * USDC + 1, expected);
    scene.world.borrow(&mallory, 6_600 * USDC).unwrap();
    // The margin is asked first, the account's cap before the market's.
    borrow_refused(&mut scene, &alice, 1_000 * USDC, BreakwaterError::InitialLtvExceeded);
    set(&mut scene.world, &scene.market, |config| config.debt_cap = Quote(0));
    borrow_refused(&mut scene, &alice, 1, expected);
}

#[test]
fn caps_below_what_there_is_stop_nothing_but_more_of_it() {
    let mut scene = capped(|config| {
        (config.debt_cap, config.account_debt_cap, config.supply_cap) = (Quote(0), Quote(0), Quote(0));
    });
    let alice = scene.position.clone();
    borrow_refused(&mut scene, &alice, 1, BreakwaterError::AccountDebtCapReached);
    scene.world.withdraw_collateral(&alice, SOL).unwrap();
    scene.world.repay(&alice, USDC).unwrap();
    scene.world.deposit(&alice, SOL).unwrap();
    scene.world.withdraw(&scene.market, &scene.lena, 1_000 * USDC).unwrap();
    stands_at(&mut scene, cents(80_00));
    let taken = take_over(&mut scene);
    assert!(taken.repaid.0 > 0);
}

#[test]
fn interest_passes_every_cap() {
    let mut scene = Scene::on(World::program_test(), &market_with(default_config()));
    // Exactly what is owed and held now.
    let pool = scene.world.market_state(&scene.market).books.pool;
    let debt = pool.index.debt(pool.debt_shares).unwrap();
    let assets = pool.assets().unwrap();
    set(&mut scene.world, &scene.market, |config| {
        (config.debt_cap, config.account_debt_cap, config.supply_cap) = (debt, debt, assets);
    });
    scene.world.advance(30 * 86_400);
    let after = scene
        .world
        .market_state(&scene.market)
        .books_at(scene.world.clock())
        .unwrap()
        .pool;
    assert!(after.index.debt(after.debt_shares).unwrap() > debt);
    assert!(after.assets().unwrap() > assets);
    let alice = scene.position.clone();
    supply_refused(&mut scene, 1);
    borrow_refused(&mut scene, &alice, 1, BreakwaterError::AccountDebtCapReached);
    // Back below, a part is free again.
    scene.world.repay(&alice, 100 * USDC).unwrap();
    scene.world.borrow(&alice, USDC).unwrap();
    scene
        .world
        .withdraw(&scene.market, &scene.lena, 1_000_000 * USDC)
        .unwrap();
    scene.world.supply(&scene.market, &scene.lena, USDC).unwrap();
}

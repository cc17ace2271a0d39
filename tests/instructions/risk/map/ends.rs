//! The ends of the map, its center, and the smallest accounts.

use super::{POOL, assert_centerd, assert_followed, assert_recounted, still};
use crate::{
    risk::{BAND_ERROR, edit_market, place_of, real},
    scene::{SOL, Scene, USDC},
};
use anchor_lang::solana_program::instruction::Instruction;
use breakwater::error::BreakwaterError;
use breakwater_engine::{
    Bps, Collateral, Config, DebtShares, MarginAccount, Quote, account::map::Place, governance::ramp::Ramp,
};
use breakwater_testkit::{Actor, MarketSpec, MintSpec, Position, World, ix, pyth::usd};

/// The default market at $100 with these parameters, a pool, a backstop, and accounts of nobody but Alice, all empty.
fn quiet(config: Config, collateral_decimals: u8) -> (Scene, Vec<Position>) {
    let mut world = World::lite();
    let market = world.market(&MarketSpec {
        config,
        collateral: MintSpec::classic("SOL", collateral_decimals),
        ..MarketSpec::default()
    });
    let lena = world.trader(&market, "lena", 0, 3 * POOL);
    let alice = world.trader(&market, "alice", 1_000_000 * SOL, POOL);
    let mallory = world.trader(&market, "mallory", 0, POOL);
    let kate = world.keeper(&market, "kate");
    world.supply(&market, &lena, POOL).unwrap();
    world.fund_backstop(&market, &lena, 100_000 * USDC).unwrap();
    let positions: Vec<Position> = (0..4).map(|id| world.open(&market, &alice, id).unwrap()).collect();
    let scene = Scene {
        world,
        market,
        lena,
        alice,
        mallory,
        kate,
        position: positions[0].clone(),
    };
    (scene, positions)
}

impl Scene {
    /// The collateral at a price where all averages stand, a minute later, in units of 10⁻⁸ dollars.
    fn stands_at(&mut self, price: i64) {
        self.world.advance(60);
        let feed = self.market.collateral_feed;
        self.world.settle_price(&feed, price, 0);
        self.world.forget_prices(&self.market);
    }

    fn origin(&mut self) -> i64 {
        self.world.market_state(&self.market).map.origin
    }

    /// Sends instructions of Alice's and recounts.
    #[track_caller]
    fn alices(&mut self, instructions: &[Instruction], positions: &[Position]) {
        let Self {
            world, market, alice, ..
        } = self;
        world.send(instructions, &[alice as &Actor]).unwrap();
        assert_recounted(world, market, positions);
    }
}

#[test]
fn without_debt_it_is_centerd_on_every_price() {
    let (mut scene, positions) = quiet(still(), 9);
    // Atoms for an atom: a thousandth of the dollars, five octaves up and down and beyond.
    for dollars in [100, 101, 50, 3, 1, 90, 3_200, 100_000] {
        scene.stands_at(usd(dollars));
        scene.world.observe_price(&scene.market).unwrap();
        #[allow(clippy::cast_precision_loss, reason = "small")]
        let price = dollars as f64 / 1_000.0;
        assert_centerd(&mut scene.world, &scene.market, price);
    }
    // Collateral without debt is no reason to keep it where it is.
    scene.world.deposit(&positions[0], SOL).unwrap();
    scene.stands_at(usd(7));
    scene.world.observe_price(&scene.market).unwrap();
    assert_centerd(&mut scene.world, &scene.market, 0.007);
}

/// The band that holds an account's debt.
fn band_at(scene: &mut Scene, account: &MarginAccount) -> u8 {
    scene.world.market_state(&scene.market).map.band_at(account.place)
}

/// Where an account is that is liquidated at `price` quote atoms for a collateral atom, in bands from the lower edge of
/// the first.
#[allow(clippy::cast_precision_loss, reason = "a few hundred")]
fn place_of_line(scene: &mut Scene, price: f64) -> f64 {
    let state = scene.world.market_state(&scene.market);
    let index = real(state.books.pool.index.raw()) / 2f64.powi(64);
    (price * 0.8 / index).log2() * 32.0 - state.map.origin as f64
}

#[test]
fn the_first_loan_centers_it_and_is_where_its_price_is() {
    for (dollars, percent) in [(100u32, 69.0), (100, 40.0), (9, 69.0), (5_000, 10.0)] {
        let (mut scene, positions) = quiet(still(), 9);
        scene.world.observe_price(&scene.market).unwrap();
        let stale = scene.origin();
        scene.world.deposit(&positions[0], 100 * SOL).unwrap();
        scene.stands_at(usd(dollars.into()));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive and small"
        )]
        let amount = (f64::from(dollars) * percent) as u64 * USDC;
        scene.world.borrow(&positions[0], amount).unwrap();
        assert_eq!(scene.origin() == stale, dollars == 100);
        let account = scene.world.margin_account(&positions[0]);
        // 80% of LTV is in the first octave from the center on; lower ones lie below by the octaves between.
        let line = place_of_line(&mut scene, f64::from(dollars) / 1_000.0);
        assert!((160.0 - BAND_ERROR..192.0 + BAND_ERROR).contains(&line), "{line}");
        let expected = line + (percent / 80.0).log2() * 32.0;
        assert!(
            (f64::from(band_at(&mut scene, &account)) + 0.5 - expected).abs() < 0.6,
            "{account:?} for {expected}",
        );
        assert_recounted(&mut scene.world, &scene.market, &positions);
    }
}

#[test]
fn with_debt_it_stays_where_it_is_for_two_octaves() {
    let (mut scene, positions) = quiet(still(), 9);
    scene.world.deposit(&positions[0], 100 * SOL).unwrap();
    scene.world.borrow(&positions[0], 10 * USDC).unwrap();
    let origin = scene.origin();
    for dollars in [101, 60, 399, 26, 100] {
        scene.stands_at(usd(dollars));
        scene.world.observe_price(&scene.market).unwrap();
        assert_eq!(scene.origin(), origin, "{dollars}");
        assert_recounted(&mut scene.world, &scene.market, &positions);
    }
    // Repaying shows no price. The next price that is shown centers it.
    scene.stands_at(usd(25));
    scene.world.repay(&positions[0], u64::MAX).unwrap();
    assert_eq!(scene.origin(), origin);
    scene.world.observe_price(&scene.market).unwrap();
    assert_centerd(&mut scene.world, &scene.market, 0.025);
    assert_ne!(scene.origin(), origin);
}

/// Ten thousandfold up, and down to a ten thousandth, in steps of eight: at each of them anybody can borrow who could
/// before, the map is a recount, and old dust spoils nothing. A look costs what it always does, but for those that move
/// the map.
#[test]
fn it_follows_the_price_ten_thousandfold_and_a_market_lends_wherever_it_has_come_to() {
    let (mut scene, positions) = quiet(still(), 9);
    let market = scene.market;
    let [dust, low, other, new] = &positions[..] else {
        panic!("four accounts")
    };
    // An atom of debt that nobody touches, and one account of little debt.
    scene.world.deposit(dust, SOL).unwrap();
    scene.world.borrow(dust, 10 * USDC).unwrap();
    scene.world.repay(dust, 10 * USDC - 1).unwrap();
    scene.world.deposit(low, 1_000 * SOL).unwrap();
    scene.world.borrow(low, 10 * USDC).unwrap();
    let (mut usual, mut moving) = (0, 0);
    // Cents, from $100: up to $1,000,000, and down to one.
    let prices = [
        80_000,
        640_000,
        5_120_000,
        100_000_000,
        12_500_000,
        1_560_000,
        195_000,
        24_400,
        30_00,
        4_00,
        90,
        8_00,
        64_00,
    ];
    for cents in prices {
        scene.stands_at(usd(1) / 100 * cents);
        let before = scene.origin();
        let units = scene.world.observe_price(&market).unwrap().compute_units;
        assert_ne!(scene.origin(), before, "{cents}");
        moving = moving.max(units);
        assert_followed(&mut scene.world, &market, &positions);
        // The look after it moves nothing.
        scene.world.advance(1);
        scene.world.forget_prices(&market);
        let held = scene.origin();
        usual = usual.max(scene.world.observe_price(&market).unwrap().compute_units);
        assert_eq!(scene.origin(), held);
        // Somebody borrows at 60%, as anywhere, and pays it back.
        let worth = u64::try_from(cents).unwrap() * USDC / 100;
        let sol = 20 * USDC * SOL * 10 / 6 / worth + SOL / 1_000_000;
        for position in [other, new] {
            scene.world.deposit(position, sol).unwrap();
            scene.world.borrow(position, 20 * USDC).unwrap();
            assert_followed(&mut scene.world, &market, &positions);
        }
        let account = scene.world.margin_account(new);
        let place = place_of(&scene.world.market_state(&market).map, &account);
        assert!((128.0..192.0).contains(&place), "{place}");
        scene.world.repay(new, u64::MAX).unwrap();
        scene.world.next_slot();
        scene.world.repay(other, u64::MAX).unwrap();
        for position in [other, new] {
            let left = scene.world.margin_account(position).collateral.0;
            scene.world.withdraw_collateral(position, left).unwrap();
        }
    }
    println!("observe_price: {usual} units, {moving} where it moves the map");
    assert!(moving < 16_000, "{moving}");
    // Who is touched is where it belongs, whatever came in between.
    for position in [dust, low] {
        scene.world.deposit(position, 1).unwrap();
    }
    assert_recounted(&mut scene.world, &market, &positions);
}

#[test]
fn while_the_backstop_owes_the_pool_it_stays_where_it_is() {
    let (mut scene, positions) = quiet(still(), 9);
    edit_market(&mut scene.world, &scene.market.clone(), |market| {
        // Without capital it owes what it takes over.
        market.books.backstop.cash = Quote(0);
    });
    scene.world.deposit(&positions[0], 100 * SOL).unwrap();
    scene.world.borrow(&positions[0], 6_500 * USDC).unwrap();
    let origin = scene.origin();
    scene.stands_at(usd(60));
    scene.world.liquidate(&scene.kate, &positions[0]).unwrap();
    let state = scene.world.market_state(&scene.market);
    assert_eq!(state.map.shares_between(0, u8::MAX), 0);
    assert!(state.books.pool.debt_shares.0 > 0);
    scene.world.observe_price(&scene.market).unwrap();
    assert_eq!(scene.origin(), origin);
    // Its debt paid, it is centered again.
    scene
        .world
        .fund_backstop(&scene.market, &scene.lena, 10_000 * USDC)
        .unwrap();
    assert_eq!(scene.world.market_state(&scene.market).books.pool.debt_shares.0, 0);
    scene.world.observe_price(&scene.market).unwrap();
    assert_centerd(&mut scene.world, &scene.market, 0.06);
}

#[test]
fn it_is_centerd_by_the_line_of_the_liquidation_ltv() {
    let (mut scene, _) = quiet(still(), 9);
    scene.stands_at(usd(81));
    scene.world.observe_price(&scene.market).unwrap();
    let before = scene.origin();
    let market = scene.market;
    edit_market(&mut scene.world, &market, |market| {
        market.ramp = Ramp {
            starts_at: 1,
            ends_at: 2,
            to: Bps(7_500),
            padding: [0; 4],
        };
    });
    scene.stands_at(usd(81));
    scene.world.observe_price(&scene.market).unwrap();
    assert_centerd(&mut scene.world, &scene.market, 0.081);
    // From 80% to 75% is three bands down, and the edge of an octave lies between.
    assert_eq!(scene.origin(), before - 32);
}

#[test]
fn loans_beyond_its_ends_are_in_the_outermost_bands() {
    let (mut scene, positions) = quiet(still(), 9);
    let [anchor, low, high, _] = &positions[..] else {
        panic!("four accounts")
    };
    let market = scene.market;
    scene.world.deposit(anchor, 100 * SOL).unwrap();
    scene.world.borrow(anchor, 6_500 * USDC).unwrap();
    let origin = scene.origin();
    // Seven octaves down: 100 SOL at 78 cents; then seven up: a tenth of a SOL at $12,800.
    for (position, price, sol, dollars, band) in
        [(low, usd(100) >> 7, 100, 50, 0), (high, usd(100) << 7, 1, 6_500, 255)]
    {
        scene.world.deposit(position, sol * SOL).unwrap();
        // The anchor's debt shall not be liquidated by anybody: no keeper looks.
        scene.stands_at(price);
        scene.world.borrow(position, dollars * USDC).unwrap();
        assert_eq!(scene.origin(), origin);
        let state = scene.world.market_state(&market);
        let account = scene.world.margin_account(position);
        let place = place_of(&state.map, &account);
        assert!(if band == 0 { place < -32.0 } else { place > 288.0 }, "{place}");
        assert_eq!(state.map.band_at(account.place), band);
        assert_eq!(state.map.bands[usize::from(band)], account.debt_shares);
        assert_recounted(&mut scene.world, &market, &positions);
        // In it, out of it, and back.
        let key = scene.alice.key();
        scene.alices(
            &[ix::repay(&market, &position.address, &key, dollars * USDC / 2)],
            &positions,
        );
        scene.alices(
            &[ix::deposit_collateral(&market, &position.address, &key, SOL)],
            &positions,
        );
        scene.world.next_slot();
        scene.alices(&[ix::borrow(&market, &position.address, &key, 10 * USDC)], &positions);
        scene.alices(
            &[ix::withdraw_collateral(&market, &position.address, &key, SOL)],
            &positions,
        );
        let account = scene.world.margin_account(position);
        assert_eq!(band_at(&mut scene, &account), band);
    }
    // The highest is liquidated like any other, and leaves its band.
    scene.world.next_slot();
    scene.stands_at((usd(100) << 7) * 3_260 / 12_800);
    let outcome = scene.world.liquidate(&scene.kate, high).unwrap();
    assert_eq!(outcome.liquidated().len(), 1);
    assert_recounted(&mut scene.world, &market, &positions);
}

#[test]
fn one_atom_of_collateral_is_an_account_like_any_other() {
    // Collateral without decimals: an atom is worth $100.
    let (mut scene, positions) = quiet(still(), 0);
    let (market, key) = (scene.market, scene.alice.key());
    for (position, debt) in positions.iter().zip([69 * USDC, 10 * USDC, 41 * USDC + 1]) {
        let address = &position.address;
        scene.alices(&[ix::deposit_collateral(&market, address, &key, 1)], &positions);
        scene.alices(&[ix::borrow(&market, address, &key, debt)], &positions);
        let too_much = ix::withdraw_collateral(&market, address, &key, 1);
        scene
            .world
            .assert_error_unchanged(&[too_much], &[&scene.alice], BreakwaterError::InitialLtvExceeded);
    }
    scene.world.next_slot();
    // The smallest debt there is: one atom.
    let paid = ix::repay(&market, &positions[0].address, &key, 69 * USDC - 1);
    scene.alices(&[paid], &positions);
    let account = scene.world.margin_account(&positions[0]);
    assert_eq!(
        (account.debt_shares, account.collateral),
        (DebtShares(1_024), Collateral(1))
    );
    assert!(band_at(&mut scene, &account) < 10, "{account:?}");
    // And a debt as small against as much collateral as there is.
    let many = ix::deposit_collateral(&market, &positions[0].address, &key, 900_000 * SOL);
    scene.alices(&[many], &positions);
    let account = scene.world.margin_account(&positions[0]);
    assert_eq!(band_at(&mut scene, &account), 0);
    // A crash takes the only atom.
    scene.stands_at(usd(40));
    scene.world.liquidate(&scene.kate, &positions[2]).unwrap();
    let taken = scene.world.margin_account(&positions[2]);
    assert_eq!(
        (taken.debt_shares, taken.collateral, taken.place),
        (DebtShares(0), Collateral(0), Place { band: 0, folds: 0 })
    );
    assert_recounted(&mut scene.world, &market, &positions);
    // An account without debt may be emptied and closed, and opened again.
    scene.world.close(&positions[2]).unwrap();
    scene.world.open(&market, &scene.alice, 2).unwrap();
    assert_recounted(&mut scene.world, &market, &positions);
}

#[test]
fn a_forged_band_is_found_out() {
    // Not that anybody could forge one: the map itself notices, and refuses to go on.
    let (mut scene, positions) = quiet(still(), 9);
    let market = scene.market;
    scene.world.deposit(&positions[0], 100 * SOL).unwrap();
    scene.world.borrow(&positions[0], 5_000 * USDC).unwrap();
    let account = scene.world.margin_account(&positions[0]);
    let band = band_at(&mut scene, &account);
    edit_market(&mut scene.world, &market, |market| {
        market.map.bands.swap(usize::from(band), usize::from(band) + 1);
    });
    let key = scene.alice.key();
    let address = &positions[0].address;
    for attempt in [
        ix::deposit_collateral(&market, address, &key, 1),
        ix::repay(&market, address, &key, 1),
        ix::borrow(&market, address, &key, 1),
        ix::withdraw_collateral(&market, address, &key, 1),
    ] {
        scene
            .world
            .assert_error_unchanged(&[attempt], &[&scene.alice], BreakwaterError::InvariantViolated);
    }
}

//! What the backstop pays, what it assumes, and how much it has room for.

use super::{formula::prices, no_interest, with};
use crate::scene::{SOL, Scene, USDC};
use breakwater::error::BreakwaterError;
use breakwater_engine::{
    Bps, Collateral, DebtShares, Quote, Schedule,
    actions::Liquidation,
    backstop::{BackstopPrices, Capacity},
    oracle::Purpose,
};
use breakwater_testkit::{ix, pyth::usd};

impl Scene {
    /// The room that the engine finds for Alice's account now, quote atoms.
    fn room(&mut self) -> u64 {
        let market = self.world.market_state(&self.market);
        let config = &market.config;
        let prices = prices(&mut self.world, &self.market, Purpose::Liquidate);
        let at = BackstopPrices::new(config, &prices).unwrap();
        let books = market.books_at(self.world.clock()).unwrap();
        let capacity = Capacity::of(&books.backstop, &books.pool, at.stressed).unwrap();
        let penalty = Bps(self.judged().expected(config).penalty);
        capacity.room(config, &at, penalty).unwrap().0
    }

    /// The two limits of the backstop, in plain numbers: net debt less leverage × equity if it took over `debt` and
    /// `collateral` more, in units of 10⁻⁴ quote atoms, which must not be positive; and the inventory that it would hold.
    fn strain(&mut self, debt: u64, collateral: u64) -> (i128, u64) {
        const BPS: i128 = 10_000;
        let market = self.world.market_state(&self.market);
        let config = &market.config;
        let low = prices(&mut self.world, &self.market, Purpose::Liquidate)
            .believed()
            .low()
            .unwrap()
            .raw();
        let stressed = low * u128::from(10_000 - config.inventory_haircut.0) / 10_000;
        let books = market.books_at(self.world.clock()).unwrap();
        let inventory = books.backstop.inventory.0 + collateral;
        let worth = i128::try_from((stressed * u128::from(inventory)) >> 64).unwrap();
        let owed = (books.pool.index.raw() * u128::from(books.backstop.debt_shares.0)).div_ceil(1 << 64);
        let owed = i128::try_from(owed).unwrap() + i128::from(debt);
        let cash = i128::from(books.backstop.cash.0);
        let due = i128::try_from(books.pool.due.raw() >> 64).unwrap();
        let equity = cash + worth + due - owed;
        (
            (owed - cash) * BPS - equity * i128::from(config.backstop_leverage.0),
            inventory,
        )
    }

    #[track_caller]
    fn full(&mut self) {
        let liquidate = ix::liquidate(&self.market, &self.position.address, &self.kate.key());
        self.world
            .assert_error_unchanged(&[liquidate], &[&self.kate], BreakwaterError::BackstopFull);
    }
}

fn is_partial(liquidation: &Liquidation) -> bool {
    !liquidation.whole && !liquidation.insolvent
}

#[test]
fn cash_pays_first() {
    let mut scene = Scene::new();
    scene.price(80);
    let liquidation = scene.liquidated();
    assert_eq!(liquidation.paid_in_cash, liquidation.repaid);
    let backstop = scene.world.market_state(&scene.market).books.backstop;
    assert_eq!(
        (backstop.debt_shares, backstop.inventory),
        (DebtShares(0), liquidation.seized)
    );
}

#[test]
fn the_rest_is_assumed_and_the_pool_neither_gains_nor_loses() {
    let mut scene = with(no_interest(), 1_000 * USDC);
    scene.price(80);
    let before = scene
        .world
        .market_state(&scene.market)
        .books_at(scene.world.clock())
        .unwrap();
    let liquidation = scene.liquidated();
    assert_eq!(liquidation.paid_in_cash, Quote(1_000 * USDC));
    let after = scene.world.market_state(&scene.market).books;
    assert_eq!(after.backstop.cash, Quote(0));
    let debt = after.pool.index.debt(after.backstop.debt_shares).unwrap().0;
    let assumed = liquidation.repaid.0 - liquidation.paid_in_cash.0;
    assert_eq!(debt, assumed + liquidation.bounty.0);
    let assets = (before.pool.assets().unwrap().0, after.pool.assets().unwrap().0);
    assert_eq!(assets.0, assets.1);

    // The next account finds no cash and is assumed entirely.
    scene
        .world
        .fund_backstop(&scene.market, &scene.lena, 500 * USDC)
        .unwrap();
    scene.price(100);
    scene.mallory_borrows(10 * SOL, 650 * USDC);
    scene.price(78);
    let liquidation = scene.liquidated();
    assert_eq!(liquidation.paid_in_cash, Quote(0));
}

#[test]
fn cash_to_the_atom_leaves_no_debt_but_the_bounty() {
    for missing in [0, 1] {
        let mut scene = with(no_interest(), 1);
        scene.price(80);
        let state = scene.world.market_state(&scene.market);
        let repay = scene.judged().expected(&state.config).repay;
        let cash = state.books_at(scene.world.clock()).unwrap().backstop.cash.0;
        scene
            .world
            .fund_backstop(&scene.market, &scene.lena, repay - cash - missing)
            .unwrap();
        let liquidation = scene.liquidated();
        assert_eq!(
            (liquidation.repaid, liquidation.paid_in_cash),
            (Quote(repay), Quote(repay - missing))
        );
        let books = scene.world.market_state(&scene.market).books;
        let debt = books.pool.index.debt(books.backstop.debt_shares).unwrap().0;
        assert_eq!(debt, liquidation.bounty.0 + missing);
    }
}

#[test]
fn leverage_limits_what_fits() {
    let mut scene = with(no_interest(), 100 * USDC);
    scene.price(75);
    let room = scene.room();
    assert!((800 * USDC..850 * USDC).contains(&room), "{room}");
    // In plain numbers: what fits keeps to the limit, a hundred-thousandth more would not.
    let seized = scene.judged().expected_within(&no_interest(), room).seize;
    let more = room + room / 100_000;
    let seized_for_more = scene.judged().expected_within(&no_interest(), more).seize;
    let rounding = i128::from(no_interest().backstop_leverage.0) + 10_000;
    assert!(scene.strain(room, seized).0 <= rounding && scene.strain(more, seized_for_more).0 > rounding);

    let liquidation = scene.liquidated_within(room);
    assert_eq!(liquidation.repaid, Quote(room));
    assert!(is_partial(&liquidation));
    scene.full();
    // More capital, more room: up to all that there is to do.
    scene
        .world
        .fund_backstop(&scene.market, &scene.lena, 100 * USDC)
        .unwrap();
    let room = scene.room();
    scene.liquidated_within(room);
    scene.full();
    scene
        .world
        .fund_backstop(&scene.market, &scene.lena, 100_000 * USDC)
        .unwrap();
    scene.liquidated();
}

#[test]
fn the_inventory_cap_limits_what_fits() {
    let mut config = no_interest();
    config.inventory_cap = Collateral(10 * SOL);
    let mut scene = with(config, 100_000 * USDC);
    scene.price(75);
    let room = scene.room();
    let liquidation = scene.liquidated_within(room);
    assert!(is_partial(&liquidation));
    // Up to the cap, within the collateral that one quote atom is worth and a rounding of the penalty.
    assert!(
        (10 * SOL - 100..=10 * SOL).contains(&liquidation.seized.0),
        "{liquidation:?}"
    );
    // What is left is worth an atom at most.
    assert!(scene.room() <= 1);
    // What is sold makes room.
    let Scene {
        world, market, mallory, ..
    } = &mut scene;
    world.advance(600);
    world.buy_inventory(market, mallory, SOL / 2, u64::MAX).unwrap();
    let room = scene.room();
    let liquidation = scene.liquidated_within(room);
    assert!(
        (SOL / 2 - 100..=SOL / 2 + 100).contains(&liquidation.seized.0),
        "{liquidation:?}"
    );
}

#[test]
fn a_backstop_without_capital_has_no_room() {
    let mut scene = with(no_interest(), 0);
    scene.price(80);
    scene.full();
    scene.price(71);
    scene.full();
}

#[test]
fn a_backstop_without_leverage_takes_what_it_can_pay() {
    let mut config = no_interest();
    config.backstop_leverage = Bps(0);
    let mut scene = with(config, 500 * USDC);
    scene.price(75);
    let room = scene.room();
    let liquidation = scene.liquidated_within(room);
    assert_eq!(liquidation.paid_in_cash, liquidation.repaid);
    assert_eq!((room, liquidation.repaid), (500 * USDC, Quote(500 * USDC)));
}

#[test]
fn insolvent_accounts_are_always_taken() {
    let mut config = no_interest();
    (config.inventory_cap, config.backstop_leverage) = (Collateral(0), Bps(0));
    for (dollars, deficit) in [(70, 0), (60, 500)] {
        let mut scene = with(config, 0);
        scene.price(71);
        scene.full();
        scene.price(dollars);
        assert_eq!(scene.room(), 0);
        let liquidation = scene.liquidated();
        assert!(liquidation.insolvent && liquidation.whole);
        assert_eq!(liquidation.deficit.0 / USDC, deficit);
        assert_eq!(liquidation.paid_in_cash, Quote(0));
    }
}

#[test]
fn a_loss_beyond_its_capital_leaves_room_for_nobody_but_the_insolvent() {
    let mut scene = with(no_interest(), 100 * USDC);
    let alices = scene.mallory_borrows(10 * SOL, 500 * USDC);
    let mallorys = std::mem::replace(&mut scene.position, alices);
    scene.price(60);
    assert_eq!(scene.liquidated().deficit.0 / USDC, 500);
    assert!(scene.strain(0, 0).0 > 0);
    // Mallory's 500 on 10 SOL: 83%, then 100%.
    scene.position = mallorys;
    scene.full();
    scene.price(50);
    assert!(scene.liquidated().insolvent);
}

#[test]
fn what_fits_never_leaves_dust() {
    // 16 on 0.24 SOL: whole, or not below the minimum of 10.
    let mut config = no_interest();
    for (cap, fits) in [(154_000_000, true), (100_000_000, false), (0, false)] {
        config.inventory_cap = Collateral(cap);
        let mut scene = with(config, 100_000 * USDC);
        scene.mallory_borrows(240_000_000, 16 * USDC);
        scene.price(80);
        let room = scene.room();
        if fits {
            // There is room for 11.9, of which 6 can be used: 16 less the minimum.
            let liquidation = scene.liquidated_within(room);
            assert!(liquidation.repaid.0 < room);
            assert_eq!(liquidation.repaid.0 / USDC, 6);
            assert_eq!(liquidation.debt_after, config.min_debt);
        } else {
            // Room for less than the minimum debt is none.
            assert!(room < config.min_debt.0);
            scene.full();
        }
    }
}

#[test]
fn inventory_that_loses_value_closes_the_room() {
    let mut scene = with(no_interest(), 400 * USDC);
    scene.price(80);
    scene.liquidated();
    // At $79 it would take on more.
    scene.price(79);
    assert!(scene.strain(0, 0).0 < 0);
    // It owes four fifths of what it holds; a tenth off, and its equity carries no more.
    scene.price(73);
    assert!(scene.strain(0, 0).0 > 0);
    scene.full();
}

#[test]
fn uncertainty_takes_room() {
    let mut rooms = Vec::new();
    for conf in [0, usd(75) / 100, usd(75) / 50] {
        let mut scene = with(no_interest(), 100 * USDC);
        scene.crash(usd(75));
        let feed = scene.market.collateral_feed;
        scene.world.set_price(&feed, usd(75), conf.unsigned_abs());
        let room = scene.room();
        scene.liquidated_within(room);
        rooms.push(room);
    }
    assert!(rooms.is_sorted_by(|wider, narrower| wider > narrower), "{rooms:?}");
}

#[test]
fn the_unwind_begins_when_inventory_arrives() {
    let mut scene = Scene::new();
    scene.price(80);
    let begun = scene.world.unix() * 1_000_000;
    scene.liquidated();
    let schedule = |scene: &mut Scene| scene.world.market_state(&scene.market).books.unwind;
    assert_eq!(schedule(&mut scene), Schedule { anchor: begun, flow: 0 });
    // More of it later has not waited: of the lag of a minute, the old part of the inventory is left, and no second less.
    scene.price(72);
    let old = scene.world.market_state(&scene.market).books.backstop.inventory.0;
    let new = scene.liquidated().seized.0;
    let lag = 60 - 60 * new / (old + new);
    let anchor = scene.world.unix() * 1_000_000 - i64::try_from(lag).unwrap() * 1_000_000;
    assert!((1..60).contains(&lag));
    assert_eq!(schedule(&mut scene), Schedule { anchor, flow: 0 });
}

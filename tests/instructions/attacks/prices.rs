//! Who would hold prices back: genuine updates in any order and of any feed, wide ones, a late clock. Everything that
//! must stay possible passes, within a stated time, whatever an adversary on a stated budget shows.

use super::figures::{gained, passed};
use crate::{
    bad_feeds::shown_aside,
    scene::{SOL, Scene, USDC},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use breakwater::error::BreakwaterError;
use breakwater_client::MarketKeys;
use breakwater_engine::{Collateral, Config};
use breakwater_testkit::{Actor, FeedSpec, MarketSpec, MintSpec, Position, World, ix, pyth::usd};

/// How often the accounts that everybody else shows are renewed, seconds: as those that Pyth sponsors are, at the 90th
/// percentile.
const RENEWED: u32 = 8;

/// A market on the example's guards, at $72 with all averages: Alice's account can be liquidated and another be taken
/// over, the backstop has inventory, and a guardian who asked to leave may.
fn siege() -> Siege {
    let spec = MarketSpec {
        config: Config::EXAMPLE,
        ..MarketSpec::default()
    };
    let mut scene = Scene::on(World::lite(), &spec);
    scene.world.check_identities(false);
    let [short, deep] = [0, 1].map(|id| {
        let position = scene.world.open(&scene.market, &scene.mallory, id).unwrap();
        scene.world.deposit(&position, 100 * SOL).unwrap();
        scene.world.borrow(&position, 6_900 * USDC).unwrap();
        position
    });
    let gina = scene.world.trader(&scene.market, "gina", 0, 10_000 * USDC);
    scene.world.open_guardian_position(&scene.market, &gina).unwrap();
    scene
        .world
        .guardian_deposit(&scene.market, &gina, 10_000 * USDC)
        .unwrap();
    let shares = scene.world.guardian_position(&scene.market, &gina).shares.0;
    scene.world.guardian_request(&scene.market, &gina, shares).unwrap();
    scene.world.advance(Config::EXAMPLE.guardian_cooldown);
    let healthy = scene.world.open(&scene.market, &scene.alice, 1).unwrap();
    scene.world.deposit(&healthy, 100 * SOL).unwrap();
    scene.world.next_slot();
    let mut siege = Siege {
        scene,
        deep,
        healthy,
        gina,
    };
    siege.stands_at(72);
    // Inventory, which begins at no discount.
    let kate = siege.scene.kate.clone();
    siege.scene.world.liquidate(&kate, &short).unwrap();
    siege.scene.world.advance(60);
    siege.scene.world.observe_price(&siege.scene.market).unwrap();
    siege
}

struct Siege {
    scene: Scene,
    /// Mallory's, to be taken over.
    deep: Position,
    /// Another one of Alice's, without debt.
    healthy: Position,
    /// The guardian.
    gina: Actor,
}

/// Actions that must stay possible.
const ACTIONS: [&str; 10] = [
    "liquidate",
    "take over",
    "observe",
    "borrow",
    "withdraw against debt",
    "repay",
    "add collateral",
    "buy",
    "leave the pool",
    "leave the backstop",
];

impl Siege {
    fn stands_at(&mut self, dollars: i64) {
        let feed = self.scene.market.collateral_feed;
        for _ in 0..2 {
            self.scene.world.advance(3_600);
            self.scene.world.settle_price(&feed, usd(dollars), 0);
            self.scene
                .world
                .set_guard(&self.scene.market, bytemuck::Zeroable::zeroed());
            self.scene.world.observe_price(&self.scene.market).unwrap();
        }
    }

    /// An action with the accounts that everybody shows, and who signs it.
    fn attempt(&self, action: &str) -> (Vec<Instruction>, Actor) {
        let Scene {
            market,
            alice,
            mallory,
            kate,
            lena,
            position,
            ..
        } = &self.scene;
        let one = |instruction, signer: &Actor| (vec![instruction], signer.clone());
        match action {
            "liquidate" => one(ix::liquidate(market, &position.address, &kate.key()), kate),
            "take over" => one(ix::liquidate(market, &self.deep.address, &kate.key()), kate),
            "repay" => one(ix::repay(market, &position.address, &alice.key(), USDC), alice),
            "add collateral" => one(
                ix::deposit_collateral(market, &position.address, &mallory.key(), SOL),
                mallory,
            ),
            "leave the backstop" => one(ix::guardian_withdraw(market, &self.gina.key(), USDC, USDC), &self.gina),
            "observe" => one(ix::observe_price(market), kate),
            "borrow" => one(
                ix::borrow(market, &self.healthy.address, &alice.key(), 100 * USDC),
                alice,
            ),
            "withdraw against debt" => {
                let borrow = ix::borrow(market, &self.healthy.address, &alice.key(), 100 * USDC);
                let withdraw = ix::withdraw_collateral(market, &self.healthy.address, &alice.key(), SOL);
                (vec![borrow, withdraw], alice.clone())
            }
            "buy" => one(
                ix::buy_inventory(market, &mallory.key(), SOL / 1_000, u64::MAX),
                mallory,
            ),
            "leave the pool" => one(ix::withdraw(market, &lena.key(), 1_000_000, 0), lena),
            _ => unreachable!("{action}"),
        }
    }

    /// Two minutes of a siege: each second `adversary` does something, and then everybody tries everything. The longest
    /// that anything had to wait, by action, seconds.
    fn waits(&mut self, mut adversary: impl FnMut(&mut Scene, u32)) -> [u32; ACTIONS.len()] {
        let mut since = [0; ACTIONS.len()];
        let mut longest = since;
        for second in 0..120 {
            self.scene.world.advance_silently(1);
            if second % RENEWED == 0 {
                self.renew();
                // Somebody acts now and then, and what he showed stays.
                let _ = self.scene.world.observe_price(&self.scene.market);
            }
            adversary(&mut self.scene, second);
            let start = self.scene.world.snapshot();
            for (number, action) in ACTIONS.iter().enumerate() {
                let (attempt, signer) = self.attempt(action);
                let signers: Vec<&Actor> = attempt
                    .iter()
                    .any(|one| one.accounts.iter().any(|meta| meta.is_signer))
                    .then_some(&signer)
                    .into_iter()
                    .collect();
                since[number] = match self.scene.world.send(&attempt, &signers) {
                    Ok(_) => 0,
                    Err(_) => since[number] + 1,
                };
                longest[number] = longest[number].max(since[number]);
                self.scene.world.restore(&start);
            }
        }
        longest
    }

    /// The accounts that everybody shows say the price of now.
    fn renew(&mut self) {
        let now = self.scene.world.unix();
        for feed in [self.scene.market.collateral_feed, self.scene.market.quote_feed] {
            self.scene
                .world
                .edit_feed(&feed, |feed| feed.quotation_mut().publish_time = now);
        }
    }
}

/// Shows the market updates of this second in accounts of the adversary's own: of both feeds, or of one.
fn show_own(scene: &mut Scene, which: [bool; 2], edit: impl Fn(&mut breakwater_testkit::Feed)) {
    let now = scene.world.unix();
    let mut own = |feed: Pubkey, shown: bool| {
        if !shown {
            return breakwater::ID;
        }
        shown_aside(&mut scene.world, &feed, "her own post", |feed| {
            feed.quotation_mut().publish_time = now;
            edit(feed);
        })
    };
    let keys = MarketKeys {
        collateral_feed: own(scene.market.collateral_feed, which[0]),
        quote_feed: own(scene.market.quote_feed, which[1]),
        ..scene.market
    };
    // Refused, say, where one feed alone is shown and the other is too old.
    let _ = scene.world.send(&[ix::observe_price(&keys)], &[]);
}

#[test]
fn who_shows_fresh_updates_each_second_stops_nobody_who_shows_the_sponsored_ones() {
    for which in [[true, true], [true, false], [false, true]] {
        let mut siege = siege();
        let waits = siege.waits(|scene, _| show_own(scene, which, |_| ()));
        for (action, waited) in ACTIONS.iter().zip(waits) {
            passed(action, 60, waited, 0);
        }
    }
}

/// Besides the updates of each second: she moves crumbs of everything that anybody may move, in others' accounts too,
/// and a fortune through the pool.
#[test]
fn who_moves_crumbs_of_everything_each_second_stops_nobody() {
    let mut siege = siege();
    let Siege { scene, deep, .. } = &siege;
    let (market, mallory, alice) = (scene.market, scene.mallory.clone(), scene.position.address);
    let (deep, me) = (deep.address, mallory.key());
    let own = siege.scene.world.open(&market, &mallory, 2).unwrap();
    siege.scene.world.deposit(&own, 100 * SOL).unwrap();
    let crumbs = [
        vec![ix::buy_inventory(&market, &me, 1, u64::MAX)],
        vec![ix::deposit_collateral(&market, &alice, &me, 1)],
        vec![ix::deposit_collateral(&market, &deep, &me, 1)],
        vec![ix::repay(&market, &alice, &me, 1)],
        vec![ix::fund_backstop(&market, &me, 1)],
        vec![
            ix::borrow(&market, &own.address, &me, 100 * USDC),
            ix::repay(&market, &own.address, &me, u64::MAX),
        ],
        vec![
            ix::supply(&market, &me, 100_000 * USDC, 0),
            ix::withdraw(&market, &me, 99_000_000 * USDC, 0),
        ],
    ];
    let mut done = [0; 7];
    let waits = siege.waits(|scene, _| {
        show_own(scene, [true, false], |_| ());
        for (done, crumb) in done.iter_mut().zip(&crumbs) {
            *done += u32::from(scene.world.send(crumb, &[&mallory]).is_ok());
        }
    });
    // She does what she set out to do.
    assert!(done.iter().all(|times| *times > 100), "{done:?}");
    for (action, waited) in ACTIONS.iter().zip(waits) {
        passed(&format!("{action}, crumbs"), 60 * 8, waited, 0);
    }
}

#[test]
fn one_wide_update_a_minute_halts_only_until_a_narrow_one() {
    let mut siege = siege();
    let waits = siege.waits(|scene, second| {
        if second % 60 == 0 {
            show_own(scene, [true, true], |feed| {
                let shown = feed.quotation_mut();
                shown.conf = shown.price.unsigned_abs() / 10;
            });
        }
    });
    for (action, waited) in ACTIONS.iter().zip(waits) {
        // The sponsored account of that second is as new as the wide one; the next is newer.
        passed(&format!("{action}, wide updates"), 1, waited, RENEWED);
    }
}

#[test]
fn a_clock_that_is_ten_minutes_late_stops_nothing() {
    let mut siege = siege();
    let mut late = 0;
    let waits = siege.waits(|scene, second| {
        late = 600 + i64::from(second);
        let now = scene.world.unix();
        for feed in [scene.market.collateral_feed, scene.market.quote_feed] {
            scene
                .world
                .edit_feed(&feed, |feed| feed.quotation_mut().publish_time = now + 600);
        }
    });
    assert!(late > 600);
    for (action, waited) in ACTIONS.iter().zip(waits) {
        passed(&format!("{action}, late clock"), 0, waited, 0);
    }
}

#[test]
fn who_advances_one_feed_alone_cannot_freeze_the_price_for_herself() {
    // From 77 to 73.60 in a minute, while Mallory shows the quote of each second and nobody's collateral.
    let mut siege = siege();
    siege.stands_at(77);
    let scene = &mut siege.scene;
    let mut cents = 7_700;
    for second in 0..60u32 {
        scene.world.advance_silently(1);
        cents -= i64::from(second % 60 < 57) * 6;
        if second % RENEWED == 0 {
            let now = scene.world.unix();
            let feed = scene.market.collateral_feed;
            scene.world.settle_price(&feed, cents * 1_000_000, 0);
            let quote = scene.market.quote_feed;
            scene
                .world
                .edit_feed(&quote, |feed| feed.quotation_mut().publish_time = now);
        }
        show_own(scene, [false, true], |_| ());
        // A keeper, as always.
        scene.world.send(&[ix::observe_price(&scene.market)], &[]).unwrap();
    }
    // Alice liquidates herself at what the market knows, showing nothing.
    let kate = scene.kate.clone();
    let known = ix::liquidate(&scene.market.without_feeds(), &scene.position.address, &kate.key());
    let liquidation = scene.world.send(&[known], &[&kate]).unwrap().liquidation();
    let truth = i128::from(cents) * 10_000;
    let given = i128::from(liquidation.seized.0) * truth / i128::from(SOL);
    let gain = i128::from(liquidation.repaid.0) + i128::from(liquidation.bounty.0) - given;
    // What eight seconds of that fall move, less the penalty: not a minute of it.
    let limit = i128::from(liquidation.repaid.0) * 6 * i128::from(RENEWED) / i128::from(cents);
    gained("a price frozen by one feed", gain, limit);
}

#[test]
fn a_ratio_of_two_moments_is_no_price() {
    // JitoSOL at 1.25 SOL; both dollars fall by 3% in four seconds.
    let mut config = breakwater_testkit::default_config();
    (config.max_skew, config.max_age_long, config.max_age_short) = (3, 60, 60);
    let spec = MarketSpec {
        collateral: MintSpec::classic("JitoSOL", 9),
        quote: MintSpec::classic("SOL", 9),
        collateral_feed: FeedSpec::pull("JITOSOL/USD", usd(125)),
        quote_feed: FeedSpec::pull("SOL/USD", usd(100)),
        config,
        ..MarketSpec::default()
    };
    let mut world = World::lite();
    let market = world.market(&spec);
    world.advance(10);
    world.observe_price(&market).unwrap();
    let before = world.market_state(&market).guard.spot;
    world.advance_silently(4);
    let now = world.unix();
    world.edit_feed(&market.collateral_feed, |feed| {
        let shown = feed.quotation_mut();
        (shown.price, shown.publish_time) = (shown.price * 97 / 100, now);
    });
    // The collateral's new price over the quote's old one would be 3% lower: it is not taken.
    world.observe_price(&market).unwrap();
    assert_eq!(world.market_state(&market).guard.spot, before);
    world.edit_feed(&market.quote_feed, |feed| {
        let shown = feed.quotation_mut();
        (shown.price, shown.publish_time) = (shown.price * 97 / 100, now - 3);
    });
    world.observe_price(&market).unwrap();
    let after = world.market_state(&market).guard.spot;
    let value = |price: breakwater_engine::Price| i128::from(price.quote_floor(Collateral(1_510 * SOL)).unwrap().0);
    let moved = (value(before) - value(after)).abs();
    gained("a ratio of two moments, lamports of 1,510 SOL", moved, 2);
    // Where nothing belongs together it is said.
    world.advance_silently(61);
    let late = world.unix();
    for (feed, time) in [(market.collateral_feed, late), (market.quote_feed, late - 4)] {
        world.edit_feed(&feed, |feed| feed.quotation_mut().publish_time = time);
    }
    let observe = [ix::observe_price(&market)];
    world.assert_error_unchanged(&observe, &[], BreakwaterError::FeedsTooFarApart);
}

#[test]
fn who_looks_every_second_makes_no_volatility() {
    let deviation = |every: u32| {
        let mut siege = siege();
        let Scene { world, market, .. } = &mut siege.scene;
        let feed = market.collateral_feed;
        for second in 0..1_200u32 {
            // The noise of updates: two thousandths up and down.
            world.advance(1);
            let noise = i64::from(second % 2) * usd(72) / 500;
            world.settle_price(&feed, usd(72) + noise, 0);
            if second % every == 0 {
                world.observe_price(market).unwrap();
            }
        }
        let state = world.market_state(market);
        i128::from(state.volatility.deviation(&state.config).0)
    };
    let (seldom, often) = (deviation(61), deviation(1));
    gained("volatility by looking each second, bps", often, seldom + 10);
}

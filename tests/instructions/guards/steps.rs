//! Liquidations while Guarded: in steps, within a flow, take-overs whole. The market here is Guarded because Pyth
//! gives no average: so spot is as it stands.

use super::{liquidation, spec, without_interest};
use crate::scene::{SOL, Scene, USDC};
use breakwater::{error::BreakwaterError, events::Liquidated};
use breakwater_engine::{Bps, Config, Level, Quote};
use breakwater_testkit::{Outcome, Position, World, assert_fails_with, default_config, ix, pyth::usd};

fn config() -> Config {
    without_interest(default_config())
}

/// A minute later, at this price, without Pyth's EMA.
fn guarded_at(scene: &mut Scene, price: i64) {
    scene.world.advance(60);
    let feed = scene.market.collateral_feed;
    scene.world.set_price(&feed, price, 0);
    scene.world.edit_feed(&feed, |feed| feed.quotation_mut().ema_price = 0);
}

fn scene(config: Config) -> Scene {
    Scene::on(World::lite(), &spec(config))
}

/// A flow of 1,000 quote tokens a minute.
fn narrow() -> Config {
    Config {
        guarded_flow: Quote(1_000 * USDC),
        guarded_window: 60,
        guarded_close_factor: Bps(1_200),
        ..config()
    }
}

/// Debt that the narrow flow lets through in a microsecond, quote atoms, rounded up: the flow limit is kept in
/// microseconds, and each step is rounded up to one.
const MICRO: u64 = 17;

/// The rest of the flow now, quote atoms.
fn left(scene: &mut Scene) -> u64 {
    let Config {
        guarded_flow,
        guarded_window,
        ..
    } = scene.config();
    let (now, window) = (scene.world.unix() * 1_000_000, i64::from(guarded_window) * 1_000_000);
    let used = scene.world.market_state(&scene.market).guard.flow_used_until.max(now);
    let left = u128::from((now + window).abs_diff(used)) * u128::from(guarded_flow.0);
    u64::try_from(left / u128::from(window.unsigned_abs())).unwrap()
}

/// Kate tries this account.
fn attempt(scene: &mut Scene, position: &Position) -> Result<u64, String> {
    liquidation(scene.world.liquidate(&scene.kate, position)).map(|liquidation| liquidation.repaid.0)
}

#[test]
fn an_account_goes_in_steps_until_it_is_healthy() {
    let mut scene = scene(config());
    // 85% of LTV.
    guarded_at(&mut scene, usd(100) * 65 / 85);
    let mut steps = Vec::new();
    loop {
        let step = scene.stepped();
        let smallest = scene.config().penalty;
        assert!(!step.whole && !step.taken_over && step.penalty == smallest);
        steps.push(step);
        if scene.judged().debt * 10_000 <= 8_000 * value(&mut scene) {
            break;
        }
        scene.liquidation_fails(BreakwaterError::AccountCooldown);
        let rest = scene.config().guarded_refill;
        scene.world.advance(rest / 3);
    }
    scene.liquidation_fails(BreakwaterError::AccountHealthy);
    // A quarter of the debt, and then a third of that every hundred seconds, until no more is wanted.
    assert!(steps.len() > 1 && steps.is_sorted_by(|first, next| first.repaid > next.repaid));
    assert_eq!(scene.level(), Level::Guarded);
}

fn value(scene: &mut Scene) -> u128 {
    let judged = scene.judged();
    judged.value()
}

impl Scene {
    fn config(&mut self) -> Config {
        self.world.market_state(&self.market).config
    }
}

#[test]
fn what_is_refilled_of_a_step_can_be_taken_to_the_second() {
    let mut scene = scene(config());
    guarded_at(&mut scene, usd(100) * 65 / 85);
    scene.stepped();
    // 10 USDC, the least, of the 1,219 that a quarter of what is left is: 2.5 seconds of 300.
    for wait in [0, 1, 1] {
        scene.world.advance(wait);
        scene.world.next_slot();
        scene.liquidation_fails(BreakwaterError::AccountCooldown);
    }
    scene.world.advance(1);
    let step = scene.stepped();
    assert!((12 * USDC..13 * USDC).contains(&step.repaid.0), "{step:?}");
    scene.liquidation_fails(BreakwaterError::AccountCooldown);
}

#[test]
fn resting_is_a_matter_of_each_account_and_of_the_guarded_level() {
    let mut scene = scene(config());
    let other = scene.indebted(0, 6_500);
    guarded_at(&mut scene, usd(100) * 65 / 85);
    scene.stepped();
    assert!(attempt(&mut scene, &other).is_ok());
    // In a Normal market nobody rests, and nothing is noted.
    let before = (
        scene.world.margin_account(&scene.position).stepped_until,
        scene.world.market_state(&scene.market).guard.flow_used_until,
    );
    assert!(before.0 > scene.world.unix() * 1_000_000);
    let feed = scene.market.collateral_feed;
    scene.world.settle_price(&feed, usd(100) * 65 / 85, 0);
    scene.edit_guard(|guard| guard.breaker_level = Level::Normal.byte());
    scene.world.liquidate(&scene.kate, &scene.position).unwrap();
    assert_eq!(scene.level(), Level::Normal);
    let after = (
        scene.world.margin_account(&scene.position).stepped_until,
        scene.world.market_state(&scene.market).guard.flow_used_until,
    );
    assert_eq!(after, before);
}

#[test]
fn a_small_account_goes_in_few_steps() {
    // 30 USDC of debt at 85%: a quarter of what is wanted would be 4; the minimum debt of 10 is taken.
    let mut scene = scene(config());
    let small = scene.world.open(&scene.market, &scene.mallory, 0).unwrap();
    scene.world.deposit(&small, SOL * 30 / 65).unwrap();
    scene.world.borrow(&small, 30 * USDC).unwrap();
    guarded_at(&mut scene, usd(100) * 65 / 85);
    scene.position = small;
    assert_eq!(scene.stepped().repaid, Quote(10 * USDC));
    // A step of a quarter would have left it short.
    scene.liquidation_fails(BreakwaterError::AccountHealthy);
}

#[test]
fn the_market_takes_over_no_more_than_its_flow() {
    let mut scene = scene(narrow());
    let positions: Vec<Position> = (0..6).map(|id| scene.indebted(id, 6_500)).collect();
    guarded_at(&mut scene, usd(100) * 65 / 85);
    // 12% of 6,500 each.
    let first = attempt(&mut scene, &positions[0]).unwrap();
    assert!((780 * USDC..800 * USDC).contains(&first));
    let left = left(&mut scene);
    assert!((1_000 * USDC - first - MICRO..=1_000 * USDC - first).contains(&left));
    assert_eq!(attempt(&mut scene, &positions[1]), Ok(left));
    for position in &positions[2..] {
        assert_eq!(attempt(&mut scene, position), Err("GuardedFlowUsed".to_owned()));
    }
    // A third of a minute refills a third of it.
    scene.world.advance(20);
    let third = attempt(&mut scene, &positions[2]).unwrap();
    assert!((333_333_333..=333_333_333 + MICRO).contains(&third), "{third}");
    assert_eq!(attempt(&mut scene, &positions[3]), Err("GuardedFlowUsed".to_owned()));
    // In no case more than the flow at once.
    scene.world.advance(3_600);
    let taken: u64 = positions
        .iter()
        .filter_map(|position| attempt(&mut scene, position).ok())
        .sum();
    assert!((1_000 * USDC - MICRO..=1_000 * USDC).contains(&taken), "{taken}");
}

#[test]
fn in_no_window_is_more_taken_than_the_flow_allows() {
    let mut scene = scene(Config {
        guarded_refill: 0,
        guarded_window: 17,
        ..narrow()
    });
    let positions: Vec<Position> = (0..8).map(|id| scene.indebted(id, 6_500)).collect();
    guarded_at(&mut scene, usd(100) * 65 / 85);
    let (flow, window) = (1_000 * USDC, 17);
    let mut taken: Vec<(i64, u64)> = Vec::new();
    for round in 0..60u32 {
        scene.world.advance(round * 7 % 5);
        let position = &positions[usize::try_from(round).unwrap() % positions.len()];
        if let Ok(repaid) = attempt(&mut scene, position) {
            taken.push((scene.world.unix(), repaid));
        }
    }
    assert!(taken.len() > 10);
    for (first, (begin, _)) in taken.iter().enumerate() {
        let mut sum = 0;
        for (end, repaid) in &taken[first..] {
            sum += repaid;
            assert!(sum * window <= flow * (end.abs_diff(*begin) + window));
        }
    }
}

#[test]
fn takeovers_go_whole_whatever_was_used() {
    let mut scene = scene(narrow());
    let [used, sinks] = [0, 1].map(|id| scene.indebted(id, 6_500));
    guarded_at(&mut scene, usd(80));
    for _ in 0..20 {
        if attempt(&mut scene, &used) == Err("GuardedFlowUsed".to_owned()) {
            break;
        }
        scene.world.advance(20);
        guarded_at_once(&mut scene, usd(80));
        let _ = attempt(&mut scene, &sinks);
    }
    // Whoever rests, and with the flow used up: at $60 all are beyond 95%.
    guarded_at_once(&mut scene, usd(60));
    let before = scene.world.market_state(&scene.market).guard.flow_used_until;
    for position in [&used, &sinks] {
        let outcome = scene.world.liquidate(&scene.kate, position).unwrap();
        let liquidation = outcome.liquidation();
        assert!(liquidation.taken_over && liquidation.whole);
        assert!(liquidation.penalty <= scene.config().takeover_penalty);
    }
    assert!(scene.stepped().taken_over);
    assert_eq!(scene.world.market_state(&scene.market).guard.flow_used_until, before);
    assert_eq!(scene.level(), Level::Guarded);
}

/// The same without a minute going by.
fn guarded_at_once(scene: &mut Scene, price: i64) {
    let feed = scene.market.collateral_feed;
    scene.world.set_price(&feed, price, 0);
    scene.world.edit_feed(&feed, |feed| feed.quotation_mut().ema_price = 0);
}

/// Debt taken over by a batch of these accounts, in order.
#[track_caller]
fn batch(scene: &mut Scene, positions: &[&Position]) -> Vec<(Position, u64)> {
    let outcome: Outcome = scene
        .world
        .liquidate_batch(&scene.market, &scene.kate, positions)
        .unwrap();
    let events = outcome.liquidated();
    let of = |event: &Liquidated| {
        let position = positions
            .iter()
            .find(|position| position.address == event.margin_account);
        ((*position.unwrap()).clone(), event.liquidation.repaid.0)
    };
    events.iter().map(of).collect()
}

#[test]
fn a_batch_skips_who_rests_and_whom_the_flow_has_no_room_for() {
    let mut scene = scene(narrow());
    let positions: Vec<Position> = (0..5).map(|id| scene.indebted(id, 6_500)).collect();
    let sinking = scene.indebted(5, 6_900);
    guarded_at(&mut scene, usd(100) * 65 / 85);
    // 69 ÷ 76.47 is 90.2%: not yet taken over.
    attempt(&mut scene, &positions[0]).unwrap();
    let left = left(&mut scene);
    let all: Vec<&Position> = positions.iter().chain([&sinking]).collect();
    let taken = batch(&mut scene, &all);
    // The first rests, the second has what is left, the others nothing.
    let addresses: Vec<_> = taken.iter().map(|(position, _)| position.address).collect();
    assert_eq!(addresses, [positions[1].address]);
    assert_eq!(taken[0].1, left);
    // Who is beyond 95% is served whatever comes before.
    guarded_at_once(&mut scene, usd(72));
    let taken = batch(&mut scene, &all);
    let addresses: Vec<_> = taken.iter().map(|(position, _)| position.address).collect();
    assert_eq!(addresses, [sinking.address]);
    assert_eq!(taken[0].1, 6_900 * USDC);
}

#[test]
fn the_steps_of_a_batch_share_one_flow() {
    let mut scene = scene(narrow());
    let positions: Vec<Position> = (0..2).map(|id| scene.indebted(id, 6_500)).collect();
    guarded_at(&mut scene, usd(100) * 65 / 85);
    let taken = batch(&mut scene, &positions.iter().collect::<Vec<_>>());
    let sum: u64 = taken.iter().map(|(_, repaid)| repaid).sum();
    assert!((1_000 * USDC - MICRO..=1_000 * USDC).contains(&sum), "{sum}");
    assert_eq!(taken.len(), 2);
}

#[test]
fn two_steps_of_one_account_in_one_transaction_are_refused() {
    let mut scene = scene(config());
    guarded_at(&mut scene, usd(100) * 65 / 85);
    let liquidate = ix::liquidate(&scene.market, &scene.position.address, &scene.kate.key());
    assert_fails_with(
        scene.world.send(&[liquidate.clone(), liquidate], &[&scene.kate]),
        BreakwaterError::AccountCooldown,
    );
}

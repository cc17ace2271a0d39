//! Changes of parameters as lists, next to a ramp of the liquidation LTV, and next to interest.

use super::parameters::{BEFORE, change, governed};
use crate::scene::{Scene, USDC};
use anchor_lang::{InstructionData, solana_program::instruction::Instruction};
use breakwater::{error::BreakwaterError, instruction::CreateMarket};
use breakwater_client::MarketKeys;
use breakwater_engine::{
    Bps, Config, Parameter, ParameterChange,
    governance::{MAX_CHANGES, TIMELOCK},
};
use breakwater_testkit::{Actor, MarketSpec, World, ix};

/// An instruction that creates a market, with other parameters.
pub fn with_config(create: &Instruction, config: &Config) -> Instruction {
    use anchor_lang::AnchorDeserialize;
    let CreateMarket { mut args } = CreateMarket::try_from_slice(&create.data[8..]).unwrap();
    args.config = *config;
    Instruction {
        data: CreateMarket { args }.data(),
        ..create.clone()
    }
}

/// A change of each parameter whose lower neighbor is as good as it is.
fn many(count: usize) -> Vec<ParameterChange> {
    let fine = Parameter::ALL.iter().filter(|parameter| {
        let now = parameter.get(&BEFORE);
        **parameter != Parameter::liquidation_ltv && now > 0 && {
            let mut config = BEFORE;
            parameter.set(&mut config, now - 1).unwrap();
            config.validate().is_ok()
        }
    });
    let changes: Vec<ParameterChange> = fine
        .map(|parameter| change(*parameter, parameter.get(&BEFORE) - 1))
        .take(count)
        .collect();
    assert_eq!(changes.len(), count);
    changes
}

/// Lists that are refused whatever the market is like, and why.
fn misshapen() -> Vec<(Vec<ParameterChange>, BreakwaterError)> {
    let (ltv, cap) = (Parameter::initial_ltv, Parameter::supply_cap);
    let unknown = |parameter| ParameterChange {
        parameter,
        from: 1,
        to: 0,
    };
    let count = u8::try_from(Parameter::ALL.len()).unwrap();
    let ramped = |to| ParameterChange {
        parameter: Parameter::liquidation_ltv.id(),
        from: 8_000,
        to,
    };
    vec![
        (vec![], BreakwaterError::NoChange),
        (vec![change(ltv, 7_000)], BreakwaterError::NoChange),
        (vec![change(cap, 1), change(ltv, 7_000)], BreakwaterError::NoChange),
        (many(MAX_CHANGES + 1), BreakwaterError::TooManyChanges),
        (vec![unknown(count)], BreakwaterError::ParameterUnknown),
        (vec![unknown(u8::MAX)], BreakwaterError::ParameterUnknown),
        (vec![change(ltv, 1), unknown(127)], BreakwaterError::ParameterUnknown),
        (vec![unknown(128)], BreakwaterError::ParameterUnknown),
        (vec![ramped(7_999)], BreakwaterError::LiquidationLtvByRamp),
        (
            vec![change(ltv, 1), ramped(8_001)],
            BreakwaterError::LiquidationLtvByRamp,
        ),
        (vec![change(ltv, 2), change(ltv, 1)], BreakwaterError::ParameterTwice),
        (
            vec![change(cap, 2), change(ltv, 1), change(cap, 2)],
            BreakwaterError::ParameterTwice,
        ),
    ]
}

#[test]
fn misshapen_lists_are_refused_before_they_wait_and_when_they_tighten() {
    let (mut world, market, authority, grace) = governed(World::program_test());
    let expires = world.longest_approval();
    for (changes, expected) in misshapen() {
        println!("{changes:?}");
        let queue = ix::queue_parameters(&market, &authority.key(), 0, changes.clone(), expires);
        world.assert_error_unchanged(&[queue], &[&authority], expected);
        let tighten = ix::tighten(&market, &grace.key(), changes);
        world.assert_error_unchanged(&[tighten], &[&grace], expected);
    }
}

#[test]
fn sixteen_changes_are_made_at_once_or_none_of_them() {
    let (mut world, market, authority, _) = governed(World::program_test());
    let changes = many(MAX_CHANGES);
    world.queue_parameters(&market, 0, &changes).unwrap();
    // The same, but the last one beyond its bounds.
    let mut beyond = changes.clone();
    let last = beyond.last_mut().unwrap();
    last.to = u64::MAX;
    world.queue_parameters(&market, 1, &beyond).unwrap();
    world.wait_out_timelock();
    let execute = ix::execute_parameters(&market, &authority.key(), 1, beyond);
    world.assert_error_unchanged(&[execute], &[&authority], BreakwaterError::ParameterOutOfBounds);
    world.execute_parameters(&market, 0, &changes).unwrap();
    let config = world.market_state(&market).config;
    for change in changes {
        let parameter = Parameter::from_id(change.parameter).unwrap();
        assert_eq!(parameter.get(&config), change.to, "{}", parameter.name());
    }
}

/// A ramp of the liquidation LTV to `to`, three days ahead, at the fastest.
fn ramp(world: &mut World, market: &MarketKeys, to: u32) {
    let start = world.unix() + TIMELOCK;
    let length = i64::from(to.abs_diff(8_000)) * 864;
    world
        .announce_liquidation_ltv(market, to, start, start + length)
        .unwrap();
}

#[track_caller]
fn execution_fails(
    (world, market, authority): (&mut World, &MarketKeys, &Actor),
    changes: &[ParameterChange],
    expected: BreakwaterError,
) {
    let execute = ix::execute_parameters(market, &authority.key(), 0, changes.to_vec());
    world.assert_error_unchanged(&[execute], &[authority], expected);
}

#[test]
fn parameters_must_fit_the_liquidation_ltv_that_is_announced() {
    let (mut world, market, authority, _) = governed(World::program_test());
    let changes = [change(Parameter::target_ltv, 7_800)];
    world.queue_parameters(&market, 0, &changes).unwrap();
    ramp(&mut world, &market, 7_700);
    world.wait_out_timelock();
    // At its start, on the way, and at its end.
    for wait in [0, 86_400, 2 * 86_400] {
        world.advance(wait);
        execution_fails((&mut world, &market, &authority), &changes, BreakwaterError::LtvOrder);
    }
    let now = world.market_state(&market).liquidation_ltv(world.clock());
    assert_eq!(now, Bps(7_700));
}

#[test]
fn parameters_must_fit_the_present_liquidation_ltv_whatever_is_announced() {
    let (mut world, market, authority, _) = governed(World::program_test());
    let changes = [change(Parameter::target_ltv, 8_200)];
    world.queue_parameters(&market, 0, &changes).unwrap();
    ramp(&mut world, &market, 8_500);
    world.wait_out_timelock();
    // It takes 864 seconds for a basis point, and counts a part of one as one.
    for (wait, ltv) in [(0, 8_000), (199 * 864, 8_199)] {
        world.advance(wait);
        let now = world.market_state(&market).liquidation_ltv(world.clock());
        assert_eq!(now, Bps(ltv));
        execution_fails((&mut world, &market, &authority), &changes, BreakwaterError::LtvOrder);
    }
    world.advance(1);
    world.execute_parameters(&market, 0, &changes).unwrap();
}

#[test]
fn once_a_ramp_is_over_parameters_must_fit_only_what_it_came_to() {
    let (mut world, market, authority, _) = governed(World::program_test());
    ramp(&mut world, &market, 8_100);
    world.wait_out_timelock();
    let changes = [change(Parameter::target_ltv, 8_100)];
    world.queue_parameters(&market, 0, &changes).unwrap();
    world.wait_out_timelock();
    world.execute_parameters(&market, 0, &changes).unwrap();
    let state = world.market_state(&market);
    assert_eq!(state.config.target_ltv, Bps(8_100));
    assert_eq!(state.liquidation_ltv(world.clock()), Bps(8_100));
    // And not what it came from.
    let back = [ParameterChange {
        from: 9_500,
        to: 8_100,
        parameter: Parameter::takeover_ltv.id(),
    }];
    world.queue_parameters(&market, 0, &back).unwrap();
    world.wait_out_timelock();
    execution_fails((&mut world, &market, &authority), &back, BreakwaterError::LtvOrder);
}

#[test]
fn a_ramp_is_taken_back_to_the_last_second_before_it_begins_and_no_later() {
    let (mut world, market, authority, grace) = governed(World::program_test());
    for signer in [&authority, &grace] {
        let cancel = [ix::cancel_ramp(&market, &signer.key())];
        let refused = |world: &mut World, expected: BreakwaterError| {
            world.assert_error_unchanged(&cancel, &[signer], expected);
        };
        refused(&mut world, BreakwaterError::NothingQueued);
        let before = world.market_state(&market);
        ramp(&mut world, &market, 7_900);
        world.advance(u32::try_from(TIMELOCK).unwrap() - 1);
        let begun = world.snapshot();
        world.send(&cancel, &[signer]).unwrap();
        assert_eq!(world.market_state(&market), before);
        refused(&mut world, BreakwaterError::NothingQueued);
        world.restore(&begun);
        // From its first second to its last it runs, and then there is none any more.
        for (wait, expected) in [
            (1, BreakwaterError::RampRunning),
            (86_399, BreakwaterError::RampRunning),
            (1, BreakwaterError::NothingQueued),
        ] {
            world.advance(wait);
            refused(&mut world, expected);
        }
        let mut again = world.market_state(&market);
        again.ramp = before.ramp;
        world.set_market(&market, &again);
    }
}

#[test]
fn interest_until_the_change_is_at_the_old_rate() {
    let mut scene = Scene::on(World::program_test(), &MarketSpec::default());
    let Scene { world, market, .. } = &mut scene;
    let changes = [world.change(market, Parameter::interest_base, 10_000)];
    world.queue_parameters(market, 0, &changes).unwrap();
    world.wait_out_timelock();
    world.advance(86_400);
    let before = world.market_state(market);
    let mut expected = before;
    expected.books = before.books_at(world.clock()).unwrap();
    expected.config.interest_base = Bps(10_000);
    assert_ne!(expected.books, before.books);
    world.execute_parameters(market, 0, &changes).unwrap();
    assert_eq!(world.market_state(market), expected);
    let debt = |world: &mut World| {
        let pool = world.market_state(market).books_at(world.clock()).unwrap().pool;
        pool.index.debt(pool.debt_shares).unwrap().0
    };
    // A day at 1% and little more, and a day at 100%.
    let (owed, day) = (debt(world), 6_500 * USDC / 365);
    world.advance(86_400);
    let grown = debt(world) - owed;
    assert!((day..day + day / 100).contains(&grown), "{grown} instead of {day}");
}

//! Every parameter × its hard bounds and one beyond, through the queue; and the rules that tie parameters to each
//! other, to the number.

use crate::backing::market_with;
use breakwater::{
    error::BreakwaterError,
    events::{ParametersChanged, ParametersQueued},
};
use breakwater_client::{MarketKeys, addresses};
use breakwater_engine::{
    Bps, Config, Parameter, ParameterChange, Quote, config::table::FIRST_LIMITS, governance::PARAMETERS,
};
use breakwater_testkit::{Actor, World, ix};
use std::collections::BTreeSet;

/// Parameters at first.
pub const BEFORE: Config = Config {
    supply_cap: Quote(1_000_000_000_000),
    debt_cap: Quote(1_000_000_000_000),
    account_debt_cap: Quote(100_000_000_000),
    // One depth an hour, so that the numbers below stay as they are.
    flow_rate: Bps(10_000),
    // So that a change waits no longer than the protocol's.
    guardian_cooldown: 172_800,
    ..Config::EXAMPLE
};

/// An empty market of the example's parameters, the authority, and an emergency admin.
pub fn governed(mut world: World) -> (World, MarketKeys, Actor, Actor) {
    let market = world.market(&market_with(BEFORE));
    let (authority, grace) = (world.authority().clone(), world.actor("grace"));
    world.set_emergency_admin(&grace.key()).unwrap();
    (world, market, authority, grace)
}

/// A change of a parameter from what it is at first.
pub fn change(parameter: Parameter, to: u64) -> ParameterChange {
    ParameterChange {
        parameter: parameter.id(),
        from: parameter.get(&BEFORE),
        to,
    }
}

/// The first parameters with one changed.
fn with(parameter: Parameter, to: u64) -> Config {
    let mut config = BEFORE;
    parameter.set(&mut config, to).unwrap();
    config
}

/// Values within a parameter's own bounds that the others forbid, from the first to the last: with an initial LTV of
/// 70%, a target of 75%, a liquidation LTV of 80% and a take-over LTV of 95%, penalties of 1% and 6%, bands of 8% and
/// 15%, and so on. With `attempts`, every rule between parameters to the number.
fn forbidden() -> [(Parameter, u64, u64, BreakwaterError); 33] {
    use BreakwaterError::{
        AuctionStuck, BountyTooLarge, DebtCapBeyondDepth, EquityWithdrawalTooSoon, GapTooLarge, GuardedFlowTooSmall,
        LtvOrder, ParameterOutOfBounds, PenaltyTooLarge, PipelineTooSmall, StressFallTooSmall, TakeOverPenaltyTooSmall,
    };
    [
        (Parameter::initial_ltv, 7_500, 10_000, LtvOrder),
        (Parameter::target_ltv, 1, 7_000, LtvOrder),
        (Parameter::target_ltv, 8_001, 10_000, LtvOrder),
        (Parameter::takeover_ltv, 1, 8_000, LtvOrder),
        // 94.34% × 106% and 95% × 105.27% are just above one.
        (Parameter::takeover_ltv, 8_001, 9_433, TakeOverPenaltyTooSmall),
        (Parameter::takeover_penalty, 100, 526, TakeOverPenaltyTooSmall),
        // A gap of 2%, and what is left at the take-over LTV.
        (Parameter::takeover_ltv, 9_800, 10_000, GapTooLarge),
        (Parameter::max_gap, 500, 2_424, GapTooLarge),
        // 75% × 101% is 75.75%.
        (Parameter::max_gap, 2_425, 2_500, PenaltyTooLarge),
        // Half of 1% of 10 dollars is 5 cents; the share is 25 bps.
        (Parameter::penalty, 1, 99, BountyTooLarge),
        (Parameter::bounty_share, 51, 1_000, BountyTooLarge),
        (Parameter::bounty_tip, 50_001, 10_000_000, BountyTooLarge),
        (Parameter::min_debt, 50_000, 9_999_999, BountyTooLarge),
        // A third of the depth is sold in 20 minutes: 133,333 dollars and a third.
        (Parameter::min_debt, 33_333_333_334, 1 << 53, PipelineTooSmall),
        (Parameter::flow_rate, 1, 2, PipelineTooSmall),
        (Parameter::market_depth, 1, 119_999_999, PipelineTooSmall),
        // A debt cap of a million dollars.
        (Parameter::market_depth, 120_000_000, 4_999_999_999, DebtCapBeyondDepth),
        (Parameter::debt_cap, 80_000_000_000_001, u64::MAX, DebtCapBeyondDepth),
        // Less than the smallest debt; and guardians' two days, and a day, before equity.
        (Parameter::guarded_flow, 1, 9_999_999, GuardedFlowTooSmall),
        (
            Parameter::guardian_cooldown,
            604_801,
            2_592_000,
            EquityWithdrawalTooSoon,
        ),
        (
            Parameter::equity_withdrawal_delay,
            86_400,
            259_199,
            EquityWithdrawalTooSoon,
        ),
        // 1 − 95%.
        (Parameter::stress_fall, 0, 499, StressFallTooSmall),
        // (1 + 1%) × (1 − 1.98%) is more than 1 − 1%.
        (Parameter::auction_max_discount, 0, 198, AuctionStuck),
        // (1 + 2.57%) × (1 − 5%) is more than 1 − 2.57%.
        (Parameter::confidence_guard, 257, 300, AuctionStuck),
        (Parameter::auction_floor_band, 0, 1_499, AuctionStuck),
        (Parameter::own_ema_band, 1_501, 10_000, AuctionStuck),
        (Parameter::ema_band, 1_501, 10_000, AuctionStuck),
        // Bounds of others: the bounty's tip, the penalty of a take-over, the stress fall, the guarded confidence, the
        // shorter age, the emergency halt's rest.
        (Parameter::min_debt, 1, 49_999, ParameterOutOfBounds),
        (Parameter::penalty, 601, 2_500, ParameterOutOfBounds),
        (Parameter::stress_max, 0, 3_799, ParameterOutOfBounds),
        (Parameter::confidence_halt, 1, 99, ParameterOutOfBounds),
        (Parameter::max_age_long, 1, 9, ParameterOutOfBounds),
        (Parameter::halt_seconds, 14_401, 86_400, ParameterOutOfBounds),
    ]
}

/// Every parameter with every value to try: its bounds, and what is forbidden between them, and one more and one less
/// of each.
fn attempts() -> Vec<(Parameter, u64)> {
    let mut all = Vec::new();
    for &parameter in Parameter::ALL {
        if parameter == Parameter::liquidation_ltv {
            continue;
        }
        let (min, max) = parameter.bounds(&BEFORE);
        let mut edges = vec![min, max, u64::from(u32::MAX) + 1];
        for (of, first, last, _) in forbidden() {
            if of == parameter {
                edges.extend([first, last]);
            }
        }
        let values: BTreeSet<u64> = edges
            .into_iter()
            .flat_map(|edge| [edge.saturating_sub(1), edge, edge.saturating_add(1)])
            .filter(|value| *value != parameter.get(&BEFORE))
            .collect();
        all.extend(values.into_iter().map(|value| (parameter, value)));
    }
    all
}

/// Error expected for a value; `None` if it is accepted.
fn expected(parameter: Parameter, value: u64) -> Option<BreakwaterError> {
    let (min, max) = parameter.bounds(&BEFORE);
    if value < min || value > max {
        return Some(BreakwaterError::ParameterOutOfBounds);
    }
    let mut forbidden = forbidden().into_iter();
    let found = forbidden.find(|(of, first, last, _)| *of == parameter && (*first..=*last).contains(&value));
    found.map(|(.., error)| error)
}

#[test]
fn every_parameter_goes_to_its_bounds_through_the_queue_and_no_further() {
    let (mut world, market, authority, _) = governed(World::lite());
    let attempts = attempts();
    // Two bounds and their neighbors for most, fewer where zero or the largest number is one.
    assert!(attempts.len() > 5 * Parameter::ALL.len(), "{}", attempts.len());
    for (id, (parameter, value)) in (0..).zip(&attempts) {
        let changes = vec![change(*parameter, *value)];
        let outcome = world.queue_parameters(&market, id, &changes).unwrap();
        let event = outcome.event::<ParametersQueued>();
        assert_eq!((event.market, event.id, event.changes), (market.market, id, changes));
    }
    world.wait_out_timelock();
    let (opened, before) = (world.snapshot(), world.market_state(&market));
    for (id, (parameter, value)) in (0..).zip(&attempts) {
        println!("{} to {value}: {:?}", parameter.name(), expected(*parameter, *value));
        let changes = vec![change(*parameter, *value)];
        let execute = ix::execute_parameters(&market, &authority.key(), id, changes.clone());
        if let Some(error) = expected(*parameter, *value) {
            world.assert_error_unchanged(&[execute], &[&authority], error);
            continue;
        }
        let outcome = world.send(&[execute], &[&authority]).unwrap();
        let expected = ParametersChanged {
            market: market.market,
            id,
            changes,
        };
        assert_eq!(outcome.event::<ParametersChanged>(), expected);
        let mut after = before;
        after.config = with(*parameter, *value);
        after.books = before.books_at(world.clock()).unwrap();
        if *parameter == Parameter::market_depth && *value < before.config.market_depth.0 {
            after.depth.lowered_from = before.config.market_depth;
            after.depth.lowered_at = world.unix();
        }
        assert_eq!(world.market_state(&market), after);
        assert_eq!(world.queued_change(&market.market, PARAMETERS, id), None);
        world.restore(&opened);
    }
}

#[test]
fn what_two_parameters_forbid_each_other_they_may_do_together() {
    let (mut world, market, ..) = governed(World::lite());
    let together = [
        [(Parameter::min_debt, 1), (Parameter::bounty_tip, 0)],
        [(Parameter::penalty, 2_500), (Parameter::takeover_penalty, 2_500)],
        [(Parameter::stress_fall, 500), (Parameter::stress_max, 500)],
        [
            (Parameter::market_depth, 120_000_000),
            (Parameter::debt_cap, 24_000_000_000),
        ],
        [(Parameter::confidence_halt, 1), (Parameter::confidence_guard, 1)],
        [(Parameter::max_age_long, 1), (Parameter::max_age_short, 1)],
        [(Parameter::halt_seconds, 86_400), (Parameter::halt_cooldown, 86_400)],
        [
            (Parameter::own_ema_band, 10_000),
            (Parameter::auction_floor_band, 10_000),
        ],
        [(Parameter::takeover_ltv, 9_999), (Parameter::max_gap, 0)],
    ];
    for (id, pair) in (0..).zip(together) {
        let changes = pair.map(|(parameter, to)| change(parameter, to));
        world.queue_parameters(&market, id, &changes).unwrap();
    }
    world.wait_out_timelock();
    let opened = world.snapshot();
    for (id, pair) in (0..).zip(together) {
        let changes = pair.map(|(parameter, to)| change(parameter, to));
        world.execute_parameters(&market, id, &changes).unwrap();
        let config = world.market_state(&market).config;
        for (parameter, to) in pair {
            assert_eq!(parameter.get(&config), to, "{}", parameter.name());
        }
        world.restore(&opened);
    }
}

#[test]
fn the_first_limits_are_the_last_that_a_new_market_may_have() {
    // Literally, so that no change of the table goes unseen: a million and a hundred thousand of a token of six
    // decimals.
    let limits = [
        (Parameter::supply_cap, 1_000_000_000_000),
        (Parameter::debt_cap, 1_000_000_000_000),
        (Parameter::account_debt_cap, 100_000_000_000),
        (Parameter::initial_ltv, 8_000),
        (Parameter::liquidation_ltv, 8_500),
    ];
    assert_eq!(FIRST_LIMITS, limits);
    // LTVs between which each of these fits, the limit and one beyond.
    let mut roomy = BEFORE;
    (roomy.initial_ltv.0, roomy.target_ltv.0, roomy.liquidation_ltv.0) = (8_000, 8_400, 8_500);
    for (parameter, limit) in limits {
        for (value, refused) in [(limit, false), (limit + 1, true)] {
            let mut world = World::program_test();
            let mut config = roomy;
            parameter.set(&mut config, value).unwrap();
            // The world would create a market beyond the limits within them: the instruction is written by hand.
            let (keys, create) = world.prepare_market(&market_with(roomy));
            let bent = super::rules::with_config(&create, &config);
            let authority = world.authority().clone();
            if refused {
                world.assert_error_unchanged(&[bent], &[&authority], BreakwaterError::FirstLimitExceeded);
                assert_eq!(world.account(&addresses::lp_mint(&keys.market)), None);
            } else {
                world.send(&[bent], &[&authority]).unwrap();
                assert_eq!(world.market_state(&keys).config, config);
            }
        }
    }
}

//! Arguments that are refused, each error at least once. The engine's own tests go through every bound.

use super::pins::{collateral, quote};
use super::{Draft, Instruction};
use breakwater::{error::BreakwaterError, instructions::CreateMarketArgs};
use breakwater_engine::{Bps, Config, Quote};
use breakwater_testkit::MarketSpec;

#[test]
fn parameters_outside_their_bounds_are_refused() {
    let mut draft = Draft::of(&MarketSpec::default());
    let cases: [fn(&mut Config); 37] = [
        |config| config.min_debt = Quote(0),
        |config| config.bounty_tip = Quote(config.min_debt.0 + 1),
        |config| config.flow_rate = Bps(0),
        |config| config.flow_rate = Bps(30_001),
        |config| config.takeover_ltv = Bps(10_001),
        |config| config.penalty = Bps(0),
        |config| config.takeover_penalty = Bps(2_501),
        |config| config.takeover_penalty.0 = config.penalty.0 - 1,
        |config| config.bounty_cap.0 = config.bounty_tip.0 - 1,
        |config| config.stress_max = Bps(5_001),
        |config| config.stress_fall.0 = config.stress_max.0 + 1,
        |config| config.stress_volatility = Bps(100_001),
        |config| config.standby_share = Bps(10_001),
        |config| config.pipeline = 86_401,
        |config| config.initial_ltv = Bps(u32::MAX),
        |config| config.bounty_share = Bps(1_001),
        |config| config.pipeline = 59,
        |config| config.interest_kink = Bps(10_000),
        |config| config.max_velocity = Bps(0),
        |config| config.velocity_slack = Bps(10_001),
        |config| config.own_ema_band = Bps(0),
        |config| config.ema_band = Bps(10_001),
        |config| config.confidence_guard = Bps(0),
        |config| config.confidence_guard = Bps(config.confidence_halt.0 + 1),
        |config| config.confidence_halt = Bps(2_501),
        |config| config.max_gap = Bps(2_501),
        |config| config.guarded_close_factor = Bps(0),
        |config| config.guarded_flow = Quote(0),
        |config| config.guarded_refill = 3_601,
        |config| config.guarded_window = 0,
        |config| config.velocity_horizon = 0,
        |config| config.own_ema_seconds = 0,
        |config| config.calm_seconds = 0,
        |config| config.halt_seconds = 0,
        |config| config.halt_cooldown = config.halt_seconds - 1,
        |config| config.max_age_short = config.max_age_long + 1,
        |config| config.max_skew = 61,
    ];
    for change in cases {
        draft.refused(|args| change(&mut args.config), BreakwaterError::ParameterOutOfBounds);
    }
    draft.honest_passes();
}

#[test]
fn bounds_are_inclusive() {
    let mut draft = Draft::of(&MarketSpec::default());
    (draft.args.config.takeover_ltv, draft.args.config.max_gap) = (Bps(9_999), Bps(0));
    draft.args.config.max_skew = 60;
    draft.args.config.halt_cooldown = draft.args.config.halt_seconds;
    draft.args.config.confidence_guard = draft.args.config.confidence_halt;
    draft.args.config.guarded_refill = 0;
    draft.honest_passes();
}

#[test]
fn a_market_begins_within_the_first_limits() {
    let mut draft = Draft::of(&MarketSpec::default());
    let cases: [fn(&mut Config); 5] = [
        |config| config.supply_cap.0 = 1_000_000_000_001,
        |config| config.debt_cap.0 = 1_000_000_000_001,
        |config| config.account_debt_cap.0 = 100_000_000_001,
        |config| (config.initial_ltv, config.target_ltv, config.liquidation_ltv) = (Bps(8_001), Bps(8_200), Bps(8_400)),
        |config| config.liquidation_ltv = Bps(8_501),
    ];
    for change in cases {
        draft.refused(|args| change(&mut args.config), BreakwaterError::FirstLimitExceeded);
    }
    let config = &mut draft.args.config;
    (config.supply_cap, config.debt_cap) = (Quote(1_000_000_000_000), Quote(1_000_000_000_000));
    config.account_debt_cap = Quote(100_000_000_000);
    (config.initial_ltv, config.target_ltv, config.liquidation_ltv) = (Bps(8_000), Bps(8_200), Bps(8_500));
    draft.honest_passes();
}

#[test]
fn ltvs_must_be_in_order() {
    let mut draft = Draft::of(&MarketSpec::default());
    let cases: [fn(&mut Config); 4] = [
        |config| config.initial_ltv = config.target_ltv,
        |config| config.target_ltv.0 = config.liquidation_ltv.0 + 1,
        |config| config.liquidation_ltv = config.takeover_ltv,
        |config| config.takeover_ltv.0 = config.liquidation_ltv.0 - 1,
    ];
    for change in cases {
        draft.refused(|args| change(&mut args.config), BreakwaterError::LtvOrder);
    }
    draft.args.config.target_ltv = draft.args.config.liquidation_ltv;
    draft.honest_passes();
}

#[test]
fn a_penalty_that_would_eat_the_margin_is_refused() {
    let mut draft = Draft::of(&MarketSpec::default());
    // 75% and β of it on top must stay below 1 − max_gap.
    let most = |gap: u32| {
        move |config: &mut Config| {
            (config.initial_ltv, config.target_ltv, config.liquidation_ltv) = (Bps(7_000), Bps(8_000), Bps(8_000));
            (config.max_gap, config.penalty, config.takeover_penalty) = (Bps(gap), Bps(2_250), Bps(2_250));
        }
    };
    draft.refused(|args| most(200)(&mut args.config), BreakwaterError::PenaltyTooLarge);
    most(199)(&mut draft.args.config);
    draft.honest_passes();
}

/// Sets parameters that depend on each other.
type Bend = fn(&mut Config);

#[test]
#[allow(clippy::too_many_lines, reason = "one list, read from top to bottom")]
fn every_rule_between_parameters_is_exact() {
    use BreakwaterError::{
        AuctionStuck, BountyTooLarge, DebtCapBeyondDepth, GapTooLarge, LtvOrder, PenaltyTooLarge, PipelineTooSmall,
        StressFallTooSmall, TakeOverPenaltyTooSmall,
    };
    // The last that is fine, and one beyond it.
    let rules: [(Bend, Bend, BreakwaterError); 17] = [
        (
            |config| config.initial_ltv.0 = config.target_ltv.0 - 1,
            |config| config.initial_ltv.0 = config.target_ltv.0,
            LtvOrder,
        ),
        (
            |config| {
                config.takeover_ltv.0 = config.liquidation_ltv.0 + 1;
                config.takeover_penalty = Bps(2_500);
            },
            |config| config.takeover_ltv.0 = config.liquidation_ltv.0,
            LtvOrder,
        ),
        // 80% × 122.49% is 97.992%, and 80% × 122.5% is 98%.
        (
            |config| {
                (config.initial_ltv, config.target_ltv, config.liquidation_ltv) = (Bps(100), Bps(8_000), Bps(8_000));
                (config.max_gap, config.penalty, config.takeover_penalty) = (Bps(200), Bps(2_249), Bps(2_500));
            },
            |config| {
                (config.initial_ltv, config.target_ltv, config.liquidation_ltv) = (Bps(100), Bps(8_000), Bps(8_000));
                (config.max_gap, config.penalty, config.takeover_penalty) = (Bps(200), Bps(2_250), Bps(2_500));
            },
            PenaltyTooLarge,
        ),
        (
            |config| config.max_gap.0 = 10_000 - config.takeover_ltv.0 - 1,
            |config| config.max_gap.0 = 10_000 - config.takeover_ltv.0,
            GapTooLarge,
        ),
        (
            |config| config.takeover_ltv.0 = 10_000 - config.max_gap.0 - 1,
            |config| config.takeover_ltv.0 = 10_000 - config.max_gap.0,
            GapTooLarge,
        ),
        (
            |config| config.bounty_share.0 = config.penalty.0 / 2,
            |config| config.bounty_share.0 = config.penalty.0 / 2 + 1,
            BountyTooLarge,
        ),
        // An odd penalty: half of it, rounded down.
        (
            |config| (config.penalty, config.bounty_share) = (Bps(101), Bps(50)),
            |config| (config.penalty, config.bounty_share) = (Bps(101), Bps(51)),
            BountyTooLarge,
        ),
        // Half of 1% of 10 dollars.
        (
            |config| config.bounty_tip = Quote(50_000),
            |config| config.bounty_tip = Quote(50_001),
            BountyTooLarge,
        ),
        (
            |config| config.min_debt = Quote(200 * config.bounty_tip.0),
            |config| config.min_debt = Quote(200 * config.bounty_tip.0 - 1),
            BountyTooLarge,
        ),
        // 94.34% × 1.06 is 100.0004%, and 95% × 1.0527 is 100.0065%.
        (
            |config| config.takeover_ltv = Bps(9_434),
            |config| config.takeover_ltv = Bps(9_433),
            TakeOverPenaltyTooSmall,
        ),
        (
            |config| config.takeover_penalty = Bps(527),
            |config| config.takeover_penalty = Bps(526),
            TakeOverPenaltyTooSmall,
        ),
        (
            |config| config.stress_fall.0 = 10_000 - config.takeover_ltv.0,
            |config| config.stress_fall.0 = 10_000 - config.takeover_ltv.0 - 1,
            StressFallTooSmall,
        ),
        // A third of the depth is sold in the time of the pipeline.
        (
            |config| (config.market_depth, config.debt_cap) = (Quote(12 * config.min_debt.0), Quote(0)),
            |config| (config.market_depth, config.debt_cap) = (Quote(12 * config.min_debt.0 - 1), Quote(0)),
            PipelineTooSmall,
        ),
        (
            |config| config.min_debt = Quote(config.market_depth.0 / 12),
            |config| config.min_debt = Quote(config.market_depth.0 / 12 + 1),
            PipelineTooSmall,
        ),
        (
            |config| (config.market_depth, config.debt_cap) = (Quote(1_000_000_000), Quote(200_000_000_000)),
            |config| (config.market_depth, config.debt_cap) = (Quote(1_000_000_000), Quote(200_000_000_001)),
            DebtCapBeyondDepth,
        ),
        (
            |config| config.auction_floor_band = config.ema_band,
            |config| config.auction_floor_band.0 = config.ema_band.0 - 1,
            AuctionStuck,
        ),
        // (1 + 1%) × (1 − 1.99%) is 0.9899, and 1 − 1% is 0.99.
        (
            |config| (config.confidence_guard, config.auction_max_discount) = (Bps(100), Bps(199)),
            |config| (config.confidence_guard, config.auction_max_discount) = (Bps(100), Bps(198)),
            AuctionStuck,
        ),
    ];
    let spec = MarketSpec {
        // One depth an hour.
        config: Config {
            flow_rate: Bps(10_000),
            ..Config::EXAMPLE
        },
        ..MarketSpec::default()
    };
    for (number, (last, beyond, expected)) in rules.into_iter().enumerate() {
        println!("rule {number}: {expected:?}");
        let mut draft = Draft::of(&spec);
        draft.refused(|args| beyond(&mut args.config), expected);
        last(&mut draft.args.config);
        draft.honest_passes();
    }
}

#[test]
fn feeds_of_an_unknown_kind_are_refused() {
    let mut draft = Draft::of(&MarketSpec::default());
    for kind in [0, 3, u8::MAX] {
        for pin in [collateral, quote] {
            draft.refused(|args| pin(args).kind = kind, BreakwaterError::FeedKindUnknown);
        }
    }
    draft.honest_passes();
}

#[test]
fn arguments_must_be_complete() {
    use anchor_lang::prelude::ErrorCode;
    let mut draft = Draft::of(&MarketSpec::default());
    let authority = draft.world.authority().clone();
    let create: Instruction = draft.with(|_: &mut CreateMarketArgs| ());
    for len in [8, 9, create.data.len() - 1] {
        let mut short = create.clone();
        short.data.truncate(len);
        draft
            .world
            .assert_error_unchanged(&[short], &[&authority], ErrorCode::InstructionDidNotDeserialize);
    }
}

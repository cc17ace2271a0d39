//! Depth is shared: budgets, the markets' shares of them, and how fast a market's depth may be lowered.

use super::{
    cast::ASSET,
    parameters::{BEFORE, governed},
    rows::Refusal,
};
use crate::{attack::replace_account, scene::sibling};
use anchor_lang::{InstructionData, prelude::Pubkey, solana_program::instruction::Instruction};
use breakwater::{
    error::BreakwaterError,
    events::{DepthBudgetCreated, DepthShareChanged, DepthShareQueued, Tightened},
    instruction::{CreateDepthBudget, CreateMarket},
};
use breakwater_client::{MarketKeys, addresses, change_hash, decode};
use breakwater_engine::{
    Bps, Config, DepthAllocation, DepthBudget, Key, Parameter, Quote,
    governance::{ChangeQueued, DEPTH, GRACE, TIMELOCK},
};
use breakwater_testkit::{Actor, MarketSpec, World, ix};

/// Seconds in a day.
const DAY: u32 = 86_400;

fn budget(world: &mut World, asset: &str) -> DepthBudget {
    let account = world.existing_account(&addresses::depth_budget(asset));
    decode::depth_budget(&account.data).unwrap()
}

fn allocated(world: &mut World, asset: &str) -> u32 {
    budget(world, asset).allocated.0
}

fn allocation(asset: &str, share: u32) -> DepthAllocation {
    DepthAllocation {
        budget: Key(addresses::depth_budget(asset).to_bytes()),
        share: Bps(share),
    }
}

fn share_of(world: &mut World, market: &MarketKeys) -> DepthAllocation {
    let depth = world.market_state(market).depth;
    DepthAllocation {
        budget: depth.budget,
        share: depth.share,
    }
}

/// An instruction that creates a market, with another share.
fn with_share(create: &Instruction, share: u32) -> Instruction {
    use anchor_lang::AnchorDeserialize;
    let CreateMarket { mut args } = CreateMarket::try_from_slice(&create.data[8..]).unwrap();
    args.depth_share = share;
    Instruction {
        data: CreateMarket { args }.data(),
        ..create.clone()
    }
}

/// The instruction that creates the budget of this name, whatever it is.
fn create_named(authority: &Pubkey, name: [u8; 32]) -> Instruction {
    let (address, _) = Pubkey::find_program_address(&[b"depth_budget", &name], &breakwater::ID);
    let plain = ix::create_depth_budget(authority, "PLAIN");
    Instruction {
        data: CreateDepthBudget { name }.data(),
        ..replace_account(&plain, &addresses::depth_budget("PLAIN"), &address)
    }
}

fn padded(word: &[u8]) -> [u8; 32] {
    let mut name = [0; 32];
    name[..word.len()].copy_from_slice(word);
    name
}

#[test]
fn a_budget_is_named_in_printable_ascii_and_begins_with_nothing_given_out() {
    let mut world = World::program_test();
    world.initialize().unwrap();
    let authority = world.authority().clone();
    for bad in [
        padded(b""),
        padded(b" SOL"),
        padded(b"S L"),
        padded(b"SOL\n"),
        padded(b"S\0L"),
        padded(b"\x7f"),
        padded("SÖL".as_bytes()),
        [0xff; 32],
    ] {
        let create = create_named(&authority.key(), bad);
        world.assert_error_unchanged(&[create], &[&authority], BreakwaterError::NameInvalid);
    }
    for name in [padded(b"SOL"), padded(b"~"), [b'A'; 32]] {
        let create = create_named(&authority.key(), name);
        let outcome = world.send(std::slice::from_ref(&create), &[&authority]).unwrap();
        let (address, bump) = Pubkey::find_program_address(&[b"depth_budget", &name], &breakwater::ID);
        let event = DepthBudgetCreated {
            depth_budget: address,
            name,
        };
        assert_eq!(outcome.event::<DepthBudgetCreated>(), event);
        let account = world.existing_account(&address);
        let expected = DepthBudget {
            name,
            allocated: Bps(0),
            bump,
            padding: [0; 3],
            reserved: [0; 8],
        };
        assert_eq!(decode::depth_budget(&account.data), Ok(expected));
        // Once.
        world.assert_error_unchanged(&[create], &[&authority], Refusal::Exists);
    }
}

#[test]
fn only_the_authority_creates_a_budget() {
    let (mut world, _, _, grace) = governed(World::program_test());
    let mallory = world.actor("mallory");
    for thief in [&grace, &mallory] {
        let create = ix::create_depth_budget(&thief.key(), "SOL");
        world.assert_error_unchanged(&[create], &[thief], BreakwaterError::WrongAuthority);
    }
}

#[test]
fn new_markets_share_all_of_a_budget_and_no_more() {
    // The first has 1%.
    let (mut world, first, authority, _) = governed(World::program_test());
    assert_eq!(share_of(&mut world, &first), allocation(ASSET, 100));
    let spec = |id| MarketSpec {
        id,
        config: BEFORE,
        ..MarketSpec::default()
    };
    let (second, create) = world.prepare_market(&spec(1));
    for (share, expected) in [
        (0, BreakwaterError::ZeroAmount),
        (9_901, BreakwaterError::DepthBudgetExceeded),
        (10_001, BreakwaterError::DepthBudgetExceeded),
        (u32::MAX, BreakwaterError::DepthBudgetExceeded),
    ] {
        let greedy = with_share(&create, share);
        world.assert_error_unchanged(&[greedy], &[&authority], expected);
    }
    assert_eq!(allocated(&mut world, ASSET), 100);
    world.send(&[with_share(&create, 9_900)], &[&authority]).unwrap();
    world.adopt(second);
    assert_eq!(allocated(&mut world, ASSET), 10_000);
    assert_eq!(share_of(&mut world, &second), allocation(ASSET, 9_900));
    // There is nothing left for a third, but in another budget.
    let (third, create) = world.prepare_market(&spec(2));
    let expected = BreakwaterError::DepthBudgetExceeded;
    world.assert_error_unchanged(&[with_share(&create, 1)], &[&authority], expected);
    let other = world.depth_budget("OTHER");
    let create = replace_account(&create, &addresses::depth_budget(ASSET), &other);
    world.send(&[with_share(&create, 10_000)], &[&authority]).unwrap();
    assert_eq!(share_of(&mut world, &third), allocation("OTHER", 10_000));
    assert_eq!([ASSET, "OTHER"].map(|asset| allocated(&mut world, asset)), [10_000; 2]);
}

/// Queues this share of this budget, as the authority.
fn queue(world: &World, market: &MarketKeys, asset: &str, share: u32) -> Instruction {
    let expires = world.longest_approval();
    let budget = addresses::depth_budget(asset);
    ix::queue_depth_share(market, &world.authority().key(), &budget, share, expires)
}

/// Executes it, from a share of `from`.
fn execute(world: &World, market: &MarketKeys, from: &str, asset: &str, share: u32) -> Instruction {
    let [from, to] = [from, asset].map(addresses::depth_budget);
    ix::execute_depth_share(market, &world.authority().key(), &from, &to, share)
}

#[test]
fn another_budget_and_share_wait_out_the_timelock() {
    let (mut world, market, authority, _) = governed(World::program_test());
    world.depth_budget("OTHER");
    let now = world.unix();

    let outcome = world
        .send(&[queue(&world, &market, "OTHER", 2_500)], &[&authority])
        .unwrap();

    let change = allocation("OTHER", 2_500);
    let queued = DepthShareQueued {
        market: market.market,
        queued: ChangeQueued {
            hash: change_hash(DEPTH, &market.market, &(allocation(ASSET, 100), change)).unwrap(),
            opens_at: now + TIMELOCK,
            closes_at: now + TIMELOCK + GRACE,
        },
        allocation: change,
    };
    assert_eq!(outcome.event::<DepthShareQueued>(), queued);
    let execute = execute(&world, &market, ASSET, "OTHER", 2_500);
    world.advance(u32::try_from(TIMELOCK).unwrap() - 1);
    let early = BreakwaterError::TimelockActive;
    world.assert_error_unchanged(std::slice::from_ref(&execute), &[&authority], early);
    world.advance(1);
    let mut expected = world.market_state(&market);

    let outcome = world.send(&[execute], &[&authority]).unwrap();

    let changed = DepthShareChanged {
        market: market.market,
        allocation: change,
    };
    assert_eq!(outcome.event::<DepthShareChanged>(), changed);
    (expected.depth.budget, expected.depth.share) = (change.budget, change.share);
    assert_eq!(world.market_state(&market), expected);
    assert_eq!(world.queued_change(&market.market, DEPTH, 0), None);
    assert_eq!([ASSET, "OTHER"].map(|asset| allocated(&mut world, asset)), [0, 2_500]);
}

#[test]
fn what_cannot_be_is_not_queued() {
    let (mut world, market, authority, _) = governed(World::program_test());
    world.depth_budget("OTHER");
    for (asset, share, expected) in [
        (ASSET, 0, BreakwaterError::ZeroAmount),
        ("OTHER", 0, BreakwaterError::ZeroAmount),
        (ASSET, 10_001, BreakwaterError::DepthBudgetExceeded),
        (ASSET, u32::MAX, BreakwaterError::DepthBudgetExceeded),
        (ASSET, 100, BreakwaterError::NoChange),
    ] {
        let queue = queue(&world, &market, asset, share);
        world.assert_error_unchanged(&[queue], &[&authority], expected);
    }
    for (asset, share) in [(ASSET, 99), (ASSET, 101), (ASSET, 10_000), ("OTHER", 100)] {
        let begun = world.snapshot();
        world
            .send(&[queue(&world, &market, asset, share)], &[&authority])
            .unwrap();
        world.restore(&begun);
    }
}

#[test]
fn a_share_of_the_same_budget_counts_without_the_old_one_to_the_number() {
    // Two markets of 1% each: one may have 99%, and not a hundredth of a percent more.
    for (share, fits) in [(9_901, false), (9_900, true), (1, true)] {
        let (mut world, market, authority, _) = governed(World::program_test());
        sibling(&mut world);
        world
            .send(&[queue(&world, &market, ASSET, share)], &[&authority])
            .unwrap();
        world.wait_out_timelock();
        let execute = execute(&world, &market, ASSET, ASSET, share);
        if fits {
            world.send(&[execute], &[&authority]).unwrap();
            assert_eq!(share_of(&mut world, &market), allocation(ASSET, share));
            assert_eq!(allocated(&mut world, ASSET), 100 + share);
        } else {
            world.assert_error_unchanged(&[execute], &[&authority], BreakwaterError::DepthBudgetExceeded);
        }
    }
}

#[test]
fn the_budgets_are_the_markets_and_the_queued_one() {
    let (mut world, market, authority, grace) = governed(World::program_test());
    for asset in ["OTHER", "THIRD"] {
        world.depth_budget(asset);
    }
    world
        .send(&[queue(&world, &market, "OTHER", 200)], &[&authority])
        .unwrap();
    world.wait_out_timelock();
    for (from, to, share, expected) in [
        ("OTHER", "OTHER", 200, BreakwaterError::WrongDepthBudget),
        ("THIRD", "OTHER", 200, BreakwaterError::WrongDepthBudget),
        (ASSET, "THIRD", 200, BreakwaterError::ChangeHashMismatch),
        (ASSET, ASSET, 200, BreakwaterError::ChangeHashMismatch),
        (ASSET, "OTHER", 199, BreakwaterError::ChangeHashMismatch),
        (ASSET, "OTHER", 201, BreakwaterError::ChangeHashMismatch),
    ] {
        let bent = execute(&world, &market, from, to, share);
        world.assert_error_unchanged(&[bent], &[&authority], expected);
    }
    let lower = |asset: &str| ix::lower_depth_share(&market, &grace.key(), &addresses::depth_budget(asset), 50);
    for asset in ["OTHER", "THIRD"] {
        world.assert_error_unchanged(&[lower(asset)], &[&grace], BreakwaterError::WrongDepthBudget);
    }
    let execute = [execute(&world, &market, ASSET, "OTHER", 200)];
    let opened = world.snapshot();
    // A share that was lowered while the change waited is not raised by it.
    world.send(&[lower(ASSET)], &[&grace]).unwrap();
    world.assert_error_unchanged(&execute, &[&authority], BreakwaterError::ChangeHashMismatch);
    world.restore(&opened);
    world.send(&execute, &[&authority]).unwrap();
    assert_eq!([ASSET, "OTHER"].map(|asset| allocated(&mut world, asset)), [0, 200]);
    world.assert_error_unchanged(&[lower(ASSET)], &[&grace], BreakwaterError::WrongDepthBudget);
}

#[test]
fn what_fitted_when_it_was_queued_may_not_fit_any_more() {
    let (mut world, market, authority, _) = governed(World::program_test());
    world
        .send(&[queue(&world, &market, ASSET, 9_950)], &[&authority])
        .unwrap();
    // In between a new market takes 1%.
    let other = sibling(&mut world);
    world.wait_out_timelock();
    let begun = world.snapshot();
    let execute = [execute(&world, &market, ASSET, ASSET, 9_950)];
    let expected = BreakwaterError::DepthBudgetExceeded;
    world.assert_error_unchanged(&execute, &[&authority], expected);
    // Once that one has given up half of it, it fits exactly.
    let lower = ix::lower_depth_share(&other, &authority.key(), &addresses::depth_budget(ASSET), 51);
    world.send(&[lower], &[&authority]).unwrap();
    world.assert_error_unchanged(&execute, &[&authority], expected);
    world.restore(&begun);
    let lower = ix::lower_depth_share(&other, &authority.key(), &addresses::depth_budget(ASSET), 50);
    world.send(&[lower], &[&authority]).unwrap();
    world.send(&execute, &[&authority]).unwrap();
    assert_eq!(allocated(&mut world, ASSET), 10_000);
}

#[test]
fn either_key_lowers_a_share_at_once_and_never_raises_it() {
    let (mut world, market, authority, grace) = governed(World::program_test());
    let mallory = world.actor("mallory");
    let present = addresses::depth_budget(ASSET);
    let lower = |signer: &Actor, share| [ix::lower_depth_share(&market, &signer.key(), &present, share)];
    let stolen = BreakwaterError::WrongEmergencyAdmin;
    world.assert_error_unchanged(&lower(&mallory, 50), &[&mallory], stolen);
    for (signer, share) in [(&grace, 60), (&authority, 1)] {
        let now = world.market_state(&market).depth.share.0;
        for (bad, expected) in [
            (0, BreakwaterError::ZeroAmount),
            (now, BreakwaterError::NotTighter),
            (now + 1, BreakwaterError::NotTighter),
            (u32::MAX, BreakwaterError::NotTighter),
        ] {
            world.assert_error_unchanged(&lower(signer, bad), &[signer], expected);
        }
        let mut expected = world.market_state(&market);
        let outcome = world.send(&lower(signer, share), &[signer]).unwrap();
        let event = DepthShareChanged {
            market: market.market,
            allocation: allocation(ASSET, share),
        };
        assert_eq!(outcome.event::<DepthShareChanged>(), event);
        expected.depth.share = Bps(share);
        assert_eq!(world.market_state(&market), expected);
        assert_eq!(allocated(&mut world, ASSET), share);
    }
}

/// Lowers the market's depth at once, as this signer.
fn lower_depth(world: &mut World, market: &MarketKeys, signer: &Actor, to: u64) -> Instruction {
    let change = world.change(market, Parameter::market_depth, to);
    ix::tighten(market, &signer.key(), vec![change])
}

#[test]
fn depth_is_lowered_at_once_by_half_in_a_day_at_most_whoever_does_it() {
    const TOO_FAR: BreakwaterError = BreakwaterError::DepthLoweredTooFar;
    let (mut world, market, authority, grace) = governed(World::program_test());
    let full = BEFORE.market_depth.0;
    for signer in [&authority, &grace] {
        for to in [full / 2 - 1, 1, 0] {
            let lower = lower_depth(&mut world, &market, signer, to);
            world.assert_error_unchanged(&[lower], &[signer], TOO_FAR);
        }
    }
    // A quarter off by one, and the rest of the half by the other; then neither takes any more.
    let mut expected = world.market_state(&market);
    let lower = lower_depth(&mut world, &market, &grace, full / 4 * 3);
    let event = world.send(&[lower], &[&grace]).unwrap().event::<Tightened>();
    assert_eq!((event.market, event.signer), (market.market, grace.key()));
    expected.config.market_depth = Quote(full / 4 * 3);
    (expected.depth.lowered_from, expected.depth.lowered_at) = (Quote(full), world.unix());
    assert_eq!(world.market_state(&market), expected);
    world.advance(DAY - 1);
    let lower = lower_depth(&mut world, &market, &authority, full / 2 - 1);
    world.assert_error_unchanged(&[lower], &[&authority], TOO_FAR);
    let lower = lower_depth(&mut world, &market, &authority, full / 2);
    world.send(&[lower], &[&authority]).unwrap();
    for signer in [&authority, &grace] {
        let lower = lower_depth(&mut world, &market, signer, full / 2 - 1);
        world.assert_error_unchanged(&[lower], &[signer], TOO_FAR);
    }
    // A day after the last lowering, not the first.
    world.advance(DAY - 1);
    let lower = lower_depth(&mut world, &market, &grace, full / 2 - 1);
    world.assert_error_unchanged(&[lower], &[&grace], TOO_FAR);
    world.advance(1);
    let lower = lower_depth(&mut world, &market, &grace, full / 4 - 1);
    world.assert_error_unchanged(&[lower], &[&grace], TOO_FAR);
    let lower = lower_depth(&mut world, &market, &grace, full / 4);
    world.send(&[lower], &[&grace]).unwrap();
    // Up it goes only through the queue.
    let raise = lower_depth(&mut world, &market, &authority, full);
    world.assert_error_unchanged(&[raise], &[&authority], BreakwaterError::NotTighter);
}

#[test]
fn depth_that_the_queue_raised_is_halved_at_most_as_well() {
    let (mut world, market, authority, grace) = governed(World::program_test());
    let full = BEFORE.market_depth.0;
    world.advance(10);
    let raise = [world.change(&market, Parameter::market_depth, 2 * full)];
    world.queue_parameters(&market, 0, &raise).unwrap();
    world.wait_out_timelock();
    // What is lowered now makes the queued change stale: so it is queued from there.
    world.execute_parameters(&market, 0, &raise).unwrap();
    let lower = lower_depth(&mut world, &market, &grace, full + full / 2);
    world.send(&[lower], &[&grace]).unwrap();
    let again = [world.change(&market, Parameter::market_depth, 2 * full)];
    world.queue_parameters(&market, 0, &again).unwrap();
    // A day later half of what it is now is the limit.
    world.wait_out_timelock();
    let lower = lower_depth(&mut world, &market, &grace, full);
    let begun = world.snapshot();
    world.send(&[lower], &[&grace]).unwrap();
    // Stale.
    let execute = ix::execute_parameters(&market, &authority.key(), 0, again.to_vec());
    world.assert_error_unchanged(&[execute], &[&authority], BreakwaterError::StaleChange);
    // Raised in the same day in which it was lowered: half of the higher.
    world.restore(&begun);
    let lower = lower_depth(&mut world, &market, &grace, full + full / 2 - 1);
    world.send(&[lower], &[&grace]).unwrap();
    let mut state = world.market_state(&market);
    state.config.market_depth = Quote(4 * full);
    world.set_market(&market, &state);
    let lower = lower_depth(&mut world, &market, &grace, 2 * full - 1);
    world.assert_error_unchanged(&[lower], &[&grace], BreakwaterError::DepthLoweredTooFar);
    let lower = lower_depth(&mut world, &market, &grace, 2 * full);
    world.send(&[lower], &[&grace]).unwrap();
}

#[test]
fn depth_and_debt_cap_are_lowered_together() {
    // 200 times the depth is the most that may be owed.
    let config = Config {
        market_depth: Quote(BEFORE.debt_cap.0 / 200),
        ..BEFORE
    };
    let (mut world, market, _, grace) = governed(World::program_test());
    world.set_config(&market, config);
    let half = config.market_depth.0 / 2;
    let lower = lower_depth(&mut world, &market, &grace, half);
    let expected = BreakwaterError::DebtCapBeyondDepth;
    world.assert_error_unchanged(&[lower], &[&grace], expected);
    let changes = [
        world.change(&market, Parameter::market_depth, half),
        world.change(&market, Parameter::debt_cap, config.debt_cap.0 / 2),
    ];
    world.tighten(&market, &grace, &changes).unwrap();
    let after = world.market_state(&market).config;
    assert_eq!((after.market_depth.0, after.debt_cap.0), (half, config.debt_cap.0 / 2));
}

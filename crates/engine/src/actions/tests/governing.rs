use super::*;
use crate::{DepthAllocation, DepthBudget, Parameter, ParameterChange};

fn change(parameter: Parameter, to: u64) -> ParameterChange {
    ParameterChange {
        parameter: parameter.id(),
        from: parameter.get(&Config::EXAMPLE),
        to,
    }
}

#[test]
fn equity_that_is_announced_waits_as_much_longer_as_guardians_do() {
    let clock = Clock { unix: 1_000, slot: 1 };
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.config = Config::EXAMPLE;
    market.queue_equity_withdrawal(Quote(5), 1, clock).unwrap();
    let before = market.announced_withdrawal;
    let cooldown = u64::from(Config::EXAMPLE.guardian_cooldown);
    let longer = [
        change(Parameter::guardian_cooldown, cooldown + 86_400),
        change(
            Parameter::equity_withdrawal_delay,
            u64::from(Config::EXAMPLE.equity_withdrawal_delay) + 86_400,
        ),
    ];
    market.change_parameters(&longer, clock).unwrap();
    assert_eq!(market.announced_withdrawal.amount, before.amount);
    assert_eq!(market.announced_withdrawal.opens_at, before.opens_at + 86_400);
    assert_eq!(market.announced_withdrawal.closes_at, before.closes_at + 86_400);
    // A shorter one brings nothing forward.
    let put_off = market.announced_withdrawal;
    let back = longer.map(|change| ParameterChange {
        from: change.to,
        to: change.from,
        ..change
    });
    market.change_parameters(&back, clock).unwrap();
    assert_eq!(market.announced_withdrawal, put_off);
    // Without an announcement there is nothing to put off.
    market.cancel_equity_withdrawal().unwrap();
    market.change_parameters(&longer, clock).unwrap();
    assert_eq!(market.announced_withdrawal, bytemuck::Zeroable::zeroed());
}

#[test]
fn a_share_is_lowered_at_once_and_never_raised() {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    let mut budget: DepthBudget = bytemuck::Zeroable::zeroed();
    budget.allocate(Bps(7_000)).unwrap();
    let allocation = DepthAllocation {
        budget: Key([5; 32]),
        share: Bps(3_000),
    };
    market.set_depth_share(allocation);
    for (share, error) in [
        (0, Error::ZeroAmount),
        (3_000, Error::NotTighter),
        (3_001, Error::NotTighter),
    ] {
        assert_eq!(market.lower_depth_share(&mut budget, Bps(share)), Err(error));
    }
    assert_eq!((market.depth.share, budget.allocated), (Bps(3_000), Bps(7_000)));
    let lower = DepthAllocation {
        share: Bps(2_999),
        ..allocation
    };
    assert_eq!(market.lower_depth_share(&mut budget, Bps(2_999)), Ok(lower));
    assert_eq!((market.depth.share, budget.allocated), (Bps(2_999), Bps(6_999)));
    assert_eq!(market.depth_allocation(), lower);
    market.set_depth_share(allocation);
    assert_eq!(market.depth_allocation(), allocation);
}

/// A market of this depth, lowered at once so many seconds after the beginning.
fn lower(market: &mut Market, to: u64, after: i64) -> Result<()> {
    let change = ParameterChange {
        parameter: Parameter::market_depth.id(),
        from: market.config.market_depth.0,
        to,
    };
    let clock = Clock {
        unix: 1_700_000_000 + after,
        slot: 1,
    };
    let before = *market;
    let done = market.tighten(&[change], clock);
    assert!(done.is_ok() || *market == before);
    done
}

fn deep() -> (Market, u64) {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.config = Config {
        debt_cap: Quote(0),
        ..CONFIG
    };
    (market, CONFIG.market_depth.0)
}

#[test]
fn depth_is_lowered_by_half_a_day() {
    let (mut market, depth) = deep();
    let mut lower = |to, after| lower(&mut market, to, after);
    assert_eq!(lower(depth / 2 - 1, 0), Err(Error::DepthLoweredTooFar));
    assert_eq!(lower(depth / 4 * 3, 0), Ok(()));
    assert_eq!(lower(depth / 2 - 1, 86_399), Err(Error::DepthLoweredTooFar));
    assert_eq!(lower(depth / 2, 86_399), Ok(()));
    assert_eq!(lower(depth / 2 - 1, 86_399), Err(Error::DepthLoweredTooFar));
    // A day after the last lowering, not the first: two windows would add up.
    assert_eq!(lower(depth / 2 - 1, 86_400), Err(Error::DepthLoweredTooFar));
    assert_eq!(lower(depth / 2 - 1, 2 * 86_399), Err(Error::DepthLoweredTooFar));
    assert_eq!(lower(depth / 4, 86_399 + 86_400), Ok(()));
    assert_eq!(lower(depth / 4 + 1, 200_000), Err(Error::NotTighter));
}

#[test]
fn what_the_timelock_lowers_counts() {
    let (mut market, depth) = deep();
    let lowering = ParameterChange {
        parameter: Parameter::market_depth.id(),
        from: depth,
        to: depth / 4,
    };
    let clock = Clock {
        unix: 1_700_000_000,
        slot: 1,
    };
    // Raised first, which does not count.
    let raising = ParameterChange {
        from: depth,
        to: depth + 1,
        ..lowering
    };
    let mut raised = market;
    raised.change_parameters(&[raising], clock).unwrap();
    assert_eq!(raised.depth, market.depth);
    market.change_parameters(&[lowering], clock).unwrap();
    assert_eq!(
        (market.depth.lowered_from, market.depth.lowered_at),
        (Quote(depth), clock.unix)
    );
    assert_eq!(
        lower(&mut market, depth / 4 - 1, 86_399),
        Err(Error::DepthLoweredTooFar)
    );
    assert_eq!(lower(&mut market, depth / 8, 86_400), Ok(()));
}

#[test]
fn what_the_timelock_raises_is_halved_at_most_as_well() {
    let (mut market, depth) = deep();
    assert_eq!(lower(&mut market, depth / 10 * 6, 0), Ok(()));
    market.config.market_depth = Quote(2 * depth);
    assert_eq!(lower(&mut market, depth - 1, 10), Err(Error::DepthLoweredTooFar));
    assert_eq!(lower(&mut market, depth, 10), Ok(()));
    assert_eq!(lower(&mut market, depth - 1, 20), Err(Error::DepthLoweredTooFar));
}

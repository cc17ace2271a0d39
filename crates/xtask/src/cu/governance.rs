//! Compute units of governance.

use super::{Bench, DAY, Table};
use breakwater_client::addresses;
use breakwater_engine::{
    Parameter, ParameterChange,
    governance::{PARAMETERS, pause::Kinds},
};
use breakwater_testkit::{MarketSpec, Outcome, World, ix};

/// Each instruction once, with as many changes of parameters as an entry may have.
pub fn once(spec: &MarketSpec, table: &mut Table) {
    let bench = Bench::funded(spec, table);
    let (mut world, market, table) = (bench.world, bench.market, bench.table);
    let authority = world.authority().clone();
    let mut add = |name, outcome: Outcome| table.add(name, &outcome);
    let before = world.market_state(&market);

    let caps = [Parameter::supply_cap, Parameter::debt_cap, Parameter::account_debt_cap];
    let lower = |parameter: Parameter| ParameterChange {
        parameter: parameter.id(),
        from: parameter.get(&before.config),
        to: parameter.get(&before.config) - 1,
    };
    add("tighten", world.tighten(&market, &authority, &caps.map(lower)).unwrap());
    add("pause", world.pause(&market, &authority, Kinds::ALL.0, 1).unwrap());

    // Amounts, times and curves that may each be one more.
    let other = |parameter: &Parameter| ParameterChange {
        parameter: parameter.id(),
        from: parameter.get(&before.config),
        to: parameter.get(&before.config) + 1,
    };
    let free = [
        Parameter::min_debt,
        Parameter::bounty_cap,
        Parameter::takeover_penalty,
        Parameter::flow_rate,
        Parameter::guarded_flow,
        Parameter::market_depth,
        Parameter::bounty_share,
        Parameter::standby_share,
        Parameter::auction_slope,
        Parameter::interest_base,
        Parameter::interest_slope_low,
        Parameter::interest_slope_high,
        Parameter::reserve_factor,
        Parameter::pipeline,
        Parameter::guarded_refill,
        Parameter::equity_withdrawal_window,
    ];
    let changes: Vec<ParameterChange> = free.iter().map(other).collect();
    let mut feeds = before.oracle.feeds().copied();
    feeds.quote.key.0[0] ^= 1;
    let emergency_admin = world.actor("gerda").key();
    add(
        "queue_parameters",
        world.queue_parameters(&market, 0, &changes).unwrap(),
    );
    add("queue_feeds", world.queue_feeds(&market, feeds).unwrap());
    add(
        "queue_emergency_admin",
        world.queue_emergency_admin(&emergency_admin).unwrap(),
    );
    world.queue_parameters(&market, 1, &changes).unwrap();
    let canceled = world.cancel_change(&authority, &market.market, PARAMETERS, 1);
    add("cancel_change", canceled.unwrap());
    let budgets = ["OTHER", "ANOTHER"].map(addresses::depth_budget);
    for asset in ["OTHER", "ANOTHER"] {
        let create = ix::create_depth_budget(&authority.key(), asset);
        add("create_depth_budget", world.send(&[create], &[&authority]).unwrap());
    }
    let present = addresses::depth_budget("TEST");
    let lower = ix::lower_depth_share(&market, &authority.key(), &present, 50);
    add("lower_depth_share", world.send(&[lower], &[&authority]).unwrap());
    let expires = world.longest_approval();
    let queue = ix::queue_depth_share(&market, &authority.key(), &budgets[0], 200, expires);
    add("queue_depth_share", world.send(&[queue], &[&authority]).unwrap());
    add(
        "queue_equity_withdrawal",
        world.queue_equity_withdrawal(&market, 1).unwrap(),
    );
    add(
        "cancel_equity_withdrawal",
        world.cancel_equity_withdrawal(&market, &authority).unwrap(),
    );
    let starts_at = world.unix() + 4 * DAY;
    let announced = world.announce_liquidation_ltv(&market, 7_900, starts_at, starts_at + DAY);
    add("announce_liquidation_ltv", announced.unwrap());
    add("cancel_ramp", world.cancel_ramp(&market, &authority).unwrap());
    world.wait_out_timelock();
    let executed = world.execute_parameters(&market, 0, &changes);
    add("execute_parameters", executed.unwrap());
    add("execute_feeds", world.execute_feeds(&market, feeds).unwrap());
    let execute = ix::execute_depth_share(&market, &authority.key(), &present, &budgets[0], 200);
    add("execute_depth_share", world.send(&[execute], &[&authority]).unwrap());
    add(
        "execute_emergency_admin",
        world.execute_emergency_admin(&emergency_admin).unwrap(),
    );
    hand_over(&mut world, &mut add);
}

fn hand_over(world: &mut World, add: &mut impl FnMut(&'static str, Outcome)) {
    let anna = world.actor("anna");
    add("propose_authority", world.propose_authority(&anna.key()).unwrap());
    add("accept_authority", world.accept_authority(&anna).unwrap());
    assert_eq!(world.protocol().authority, anna.key());
}

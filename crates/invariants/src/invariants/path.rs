//! Cost of a fall to suppliers: tried on copies of the state, along paths of the price that the state itself chooses.

use super::{Verdict, demand, priced};
use crate::{
    ACCOUNTS, Call, Done, State,
    cover::covers,
    exact::{Int, ceil, floor, int, value, whole},
    facts::{Facts, Standing, View, pipeline, standing_at},
    history::History,
    perform::perform,
};
use breakwater_engine::{Bps, Collateral};

/// Turns of the price.
const TURNS: u32 = 12;
/// How often buyers come at the end, ten minutes apart, until everything is sold.
const VISITS: u32 = 400;

/// A path being played.
struct Path {
    state: State,
    /// State of the generator of the numbers that the path is made of.
    random: u64,
    /// Where the price may not go below, quote atoms per collateral atom with 64 fractional bits.
    low: Int,
    index: Int,
    /// The largest pipeline so far, collateral atoms.
    pipeline: Int,
    /// Inventory sold, at spot, quote atoms.
    sold: Int,
    /// Debt that partial liquidations took without cover, quote atoms.
    uncovered: Int,
    bounties: Int,
    /// Calls that went through: each rounds.
    calls: u64,
}

pub(super) fn suppliers(facts: &Facts, _: &History) -> Verdict {
    let (Done::Observed(_), view) = (facts.done()?, priced(facts)?) else {
        return None;
    };
    let config = facts.config;
    let (q, high) = (view.fallen(config.stress_fall.0), &view.spot);
    // Down to q itself, or only so far that even the discounted ask stays above it.
    let discounted = facts.now % 2 == 0;
    let low = if discounted {
        q.clone()
    } else {
        ceil(&(&q * whole()), &(whole() - config.auction_max_discount.0))
    } + 1;
    let mut state = facts.step.after.clone();
    state.market.books = state.market.books_at(state.clock).ok()?;
    let (pauses, guard) = (&state.market.pauses, &state.market.guard);
    let stopped = facts.now < pauses.liquidate.max(pauses.sell).max(guard.halt_until);
    let covers = covers(
        &state,
        &facts.index,
        view,
        config.stress_fall.0,
        state.market.map.origin,
    );
    let owing = state.accounts.iter().any(breakwater_engine::MarginAccount::has_debt);
    if stopped || !owing || covers.iter().any(|cover| *cover < int(0)) || low >= *high || view.level != 0 {
        return None;
    }
    // Interest is neither a cost nor a gain of the fall.
    let rates = &mut state.market.config;
    (rates.interest_base, rates.interest_slope_low, rates.interest_slope_high) = (Bps(0), Bps(0), Bps(0));
    let mut path = Path {
        random: state.clock.unix.unsigned_abs() ^ state.quote_vault << 20,
        state,
        low,
        index: facts.index.clone(),
        pipeline: int(0),
        sold: int(0),
        uncovered: int(0),
        bounties: int(0),
        calls: 0,
    };
    let loss = path.play()?;
    let below_spot = if discounted { &path.sold } else { &path.uncovered };
    let most = floor(&(&path.pipeline * (high - &q)), &(int(1) << 64))
        + floor(&(below_spot * config.auction_max_discount.0), &whole())
        + &path.bounties
        + (value(high, 2) + 4) * path.calls;
    demand(int(loss) <= most, || {
        let Path { pipeline, bounties, .. } = &path;
        format!(
            "suppliers lose {loss}, more than {most}: a pipeline of {pipeline} from {high} to {q}, discount on {below_spot}, bounties of {bounties}"
        )
    })
}

impl Path {
    /// Loss of the suppliers in the end; `None` if it does not come to an end.
    fn play(&mut self) -> Option<u64> {
        let falling = self.next(2) == 0;
        for _ in 0..TURNS {
            self.turn(falling);
            let seconds = self.next(1_800) + 1;
            self.wait(seconds);
            self.liquidate();
            if self.next(4) > 0 {
                self.buy();
            }
        }
        for _ in 0..VISITS {
            self.wait(600);
            self.liquidate();
            self.buy();
            if self.is_over() {
                let settled = perform(&mut self.state, &Call::Settle).result;
                return Some(match settled {
                    Ok(Done::Settled(done)) => done.suppliers.0,
                    _ => 0,
                });
            }
        }
        None
    }

    /// A number below `count`.
    fn next(&mut self, count: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % count
    }

    /// The price goes somewhere between `low` and where the path began; or only further down.
    fn turn(&mut self, falling: bool) {
        let spot = View::of(&self.state).spot;
        let part = self.next(1_000);
        let span = if falling {
            &spot - &self.low
        } else {
            &spot * 2 - &self.low
        };
        let target: Int = &self.low + span * part / 1_000;
        let target = target.min(if falling { spot.clone() } else { &spot * 11 / 10 });
        let readings = &mut self.state.readings;
        for reading in [&mut readings.collateral, &mut readings.quote] {
            (reading.ema_price, reading.conf) = (reading.price, 0);
        }
        let old = int(readings.collateral.price);
        let Ok(new) = i64::try_from(ceil(&(old * target.max(self.low.clone())), &spot)) else {
            return;
        };
        (readings.collateral.price, readings.collateral.ema_price) = (new, new);
    }

    fn wait(&mut self, seconds: u64) {
        let clock = &mut self.state.clock;
        clock.unix += i64::try_from(seconds).unwrap_or(0);
        clock.slot += (seconds * 5).div_ceil(2);
        let now = clock.unix;
        let readings = &mut self.state.readings;
        (readings.collateral.publish_time, readings.quote.publish_time) = (now, now);
    }

    /// Makes a call; returns its effects, if it went through.
    fn call(&mut self, call: &Call) -> Option<Done> {
        let mut next = self.state.clone();
        let done = perform(&mut next, call).result.ok()?;
        self.state = next;
        self.calls += 1;
        let (n, d) = pipeline(&self.state.market.config, &View::of(&self.state));
        self.pipeline = (&self.pipeline).max(&ceil(&n, &d)).clone();
        Some(done)
    }

    fn liquidate(&mut self) {
        for account in 0..ACCOUNTS {
            let Some(Done::Liquidated(done)) = self.call(&Call::Liquidate { keeper: 0, account }) else {
                continue;
            };
            let fall = self.state.market.config.stress_fall.0;
            let (view, origin) = (View::of(&self.state), self.state.market.map.origin);
            let covers = covers(&self.state, &self.index, &view, fall, origin);
            let uncovered = covers.iter().any(|cover| *cover < int(0));
            for (_, done) in done {
                self.bounties += done.bounty.0;
                if uncovered && !done.taken_over {
                    self.uncovered += done.repaid.0;
                }
            }
        }
    }

    fn buy(&mut self) {
        let amount = Collateral(self.state.available());
        if let Some(Done::Sold(sale)) = self.call(&Call::Buy { amount }) {
            self.sold += value(&View::of(&self.state).spot, sale.amount.0);
        }
    }

    /// Everything is sold, and nobody is due.
    fn is_over(&self) -> bool {
        let view = View::of(&self.state);
        let due = |account| standing_at(&self.state, &self.index, &view, account) != Standing::Healthy;
        self.state.market.books.backstop.inventory.0 == 0
            && !self
                .state
                .accounts
                .iter()
                .any(|account| account.has_debt() && due(account))
    }
}

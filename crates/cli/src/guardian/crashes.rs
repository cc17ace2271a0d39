//! The strategy with its default limits in the laboratory's crashes: when it joins, what it is credited, and what that
//! is worth in the end. The table in docs/cli.md is this test's.

use breakwater_client::quotes::Quotes;
use breakwater_engine::{GuardianPosition, GuardianShares, Key, Quote, price::oracle::PriceUse};
use breakwater_lab::cascade::{
    Kind, Path,
    setup::quote,
    simulation::{Buyers, Common, Simulation, together},
    study::Plan,
};
use clap::Parser;

use super::{
    LimitOptions,
    strategy::{Limits, Sight, Step, decide, is_near},
};

/// Capital of the guardian: a hundredth of all debt, a tenth of the protocol's own capital.
const CAPITAL: f64 = 0.01;
/// Steps of ten seconds between two looks.
const LOOK: usize = 6;
const SCENARIOS: [&str; 4] = ["black-thursday", "crash", "wick", "slow-bleed"];
const SEEDS: [u64; 2] = [1, 2];
/// The protocol's own capital as a part of all debt: that of the scenarios, and little.
const EQUITIES: [f64; 2] = [0.1, 0.02];

/// The defaults of the options.
fn limits() -> Limits {
    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        limits: LimitOptions,
    }
    let capital = (quote(CAPITAL).0 / 1_000_000).to_string();
    Words::parse_from(["guardian", "--capital", &capital])
        .limits
        .limits(6)
        .unwrap()
}

/// A guardian on its way.
struct Guardian {
    limits: Limits,
    position: GuardianPosition,
    wallet: Quote,
    quiet_since: i64,
    start: (i64, u128),
    /// When it first joined, seconds from the start, and the price then, bps of the first.
    joined: Option<(i64, u128)>,
    /// Claim and its worth at the last look: no more than the equity left of the backstop.
    claim: (Quote, Quote),
}

impl Guardian {
    /// Looks, decides, acts, as `breakwater guardian run` does.
    fn look(&mut self, simulation: &mut Simulation) {
        let clock = simulation.clock();
        let shown = simulation.shown.last().unwrap();
        // While the market refuses prices the bot tries again.
        let Ok(quotes) = Quotes::new(&simulation.lending.market, &shown.readings(), PriceUse::Observe, clock) else {
            return;
        };
        let spot = quotes.prices().spot().raw();
        if self.start == (0, 0) {
            (self.start, self.quiet_since) = ((clock.unix, spot), clock.unix);
        }
        let calm_for = clock.unix - self.quiet_since;
        let sight = Sight::of(&quotes, &self.limits, &self.position, self.wallet, calm_for).unwrap();
        if is_near(&self.limits, &sight) {
            self.quiet_since = clock.unix;
        }
        let after = clock.unix - self.start.0;
        let market = &mut simulation.lending.market;
        match decide(&self.limits, &sight).step {
            Step::Wait => {}
            Step::Join(amount) => {
                market
                    .guardian_deposit(&mut self.position, amount, GuardianShares::ZERO, Quote(u64::MAX), clock)
                    .unwrap();
                self.wallet.0 -= amount.0;
                self.joined.get_or_insert((after, spot * 10_000 / self.start.1));
                simulation.moved(amount.0.into());
            }
            Step::Ask(shares) => {
                market
                    .guardian_request(&mut self.position, shares, Quote::ZERO, clock)
                    .unwrap();
            }
            Step::Stay => {
                market
                    .guardian_request(&mut self.position, GuardianShares::ZERO, Quote::ZERO, clock)
                    .unwrap();
            }
            Step::Leave(least) => {
                // It shows the prices that it has seen.
                market
                    .accept_prices(&shown.readings(), PriceUse::Borrow, clock)
                    .unwrap();
                let paid = market
                    .guardian_withdraw(&mut self.position, Quote(u64::MAX), least, clock)
                    .unwrap();
                self.wallet.0 += paid.amount.0;
                simulation.moved(-i128::from(paid.amount.0));
            }
        }
        // Nobody else is a guardian here.
        let claim = simulation.lending.market.books.guardians.all_claims().unwrap();
        let equity = u64::try_from(quotes.balance_sheet().unwrap().equity.max(0)).unwrap();
        self.claim = (claim, claim.min(Quote(equity)));
    }
}

fn bps(now: Quote, then: Quote) -> i128 {
    (i128::from(now.0) - i128::from(then.0)) * 10_000 / i128::from(then.0)
}

fn time(seconds: i64) -> String {
    format!("{}:{:02}", seconds / 3_600, seconds / 60 % 60)
}

/// One row of the table.
fn measure(scenario: &str, equity: f64, seed: u64) -> String {
    let mut setup = Plan::scenario(scenario).unwrap();
    setup.seed = seed;
    setup.protocol.equity = equity;
    let path = Path::of(&setup, None).unwrap();
    let simulation = Simulation::new(&setup, &path, Kind::Breakwater, true).unwrap();
    let (capital, percent) = (quote(CAPITAL), (equity * 100.0).round());
    let mut guardian = Guardian {
        limits: limits(),
        position: GuardianPosition::new(Key::default(), Key::default(), 0),
        wallet: capital,
        quiet_since: 0,
        start: (0, 0),
        joined: None,
        claim: (Quote::ZERO, Quote::ZERO),
    };
    let mut step = 0;
    // As many buyers as ever there are: this market is alone.
    let buyers = Buyers {
        capital: f64::INFINITY,
        half_life: f64::INFINITY,
        tied: 0.0,
    };
    together(vec![simulation], Common::Buyers(buyers), |simulations| {
        if step % LOOK == 0 {
            guardian.look(&mut simulations[0]);
        }
        step += 1;
        Ok(())
    })
    .unwrap();
    let Some((joined, price)) = guardian.joined else {
        return format!("| {scenario} | {percent}% | {seed} | never | | | |");
    };
    let (claim, worth) = guardian.claim;
    let [claim, worth] = [claim, worth].map(|atoms| bps(Quote(atoms.0 + guardian.wallet.0), capital));
    let price = i128::try_from(price).unwrap() - 10_000;
    format!(
        "| {scenario} | {percent}% | {seed} | {} | {price} | {claim} | {worth} |",
        time(joined)
    )
}

#[test]
fn the_default_limits_are_measured() {
    let mut rows = Vec::new();
    for equity in EQUITIES {
        for scenario in SCENARIOS {
            rows.extend(SEEDS.map(|seed| measure(scenario, equity, seed)));
        }
    }
    let table: String = rows.into_iter().map(|row| row + "\n").collect();
    let page = include_str!("../../../../docs/cli.md");
    assert!(page.contains(&table), "docs/cli.md should have these rows:\n{table}");
}

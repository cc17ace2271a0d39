//! One path through one market, and what it cost whom.

use breakwater_engine::{
    Clock, Collateral, Error, KeeperLedger, Key, Level, MarginAccount, Market, Price, Prices, Quote, Result,
    account::sizing, actions::Liquidation, price::oracle::PriceUse, unless_halted,
};

use super::{
    paths::{Path, Print},
    population::{Population, readings, spot},
};

/// When a market liquidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// As the engine lets it.
    Engine,
    /// Only while Normal: what protocols do that know no third way.
    OnlyNormal,
}

/// Outcome of a path. Quote atoms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Debt taken over.
    pub liquidated: u64,
    /// Part of it from accounts that were healthy at the fair price.
    pub falsely: u64,
    /// Debt above collateral at spot, of accounts at the moment they were taken over, and of those left at the end.
    pub bad_debt: u64,
    /// Amount that the backstop paid above spot for the collateral of accounts that were not under water.
    pub gift: u64,
    /// The most of it in one liquidation, basis points of the debt taken over.
    pub largest_gift: u64,
    /// Seconds spent Normal, Guarded and Halted.
    pub seconds_at: [u64; 3],
    /// How often the level changed.
    pub level_changes: u64,
}

impl Outcome {
    /// Two paths together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            liquidated: self.liquidated + other.liquidated,
            falsely: self.falsely + other.falsely,
            bad_debt: self.bad_debt + other.bad_debt,
            gift: self.gift + other.gift,
            largest_gift: self.largest_gift.max(other.largest_gift),
            seconds_at: [0, 1, 2].map(|level| self.seconds_at[level] + other.seconds_at[level]),
            level_changes: self.level_changes + other.level_changes,
        }
    }
}

/// The part of a debt that an account may lack to be liquidated and is still looked past: far more than what rounding a
/// debt and a value to atoms may turn around in the order of two accounts.
const NEARLY: u64 = 1_000_000;

/// A market on its way along a path.
struct Replay {
    population: Population,
    ledger: KeeperLedger,
    policy: Policy,
    /// The accounts, those nearest to their liquidation first.
    order: Vec<usize>,
    outcome: Outcome,
}

/// Shows every print to the market, and lets a keeper try every account at each.
///
/// # Errors
/// Refusals by the engine for other reasons than healthy accounts and guards.
pub fn run(path: &Path, population: Population, policy: Policy) -> Result<(Outcome, Population)> {
    let mut replay = Replay {
        order: (0..population.accounts.len()).collect(),
        population,
        ledger: KeeperLedger::new(Key::default(), Key::default(), 0),
        policy,
        outcome: Outcome::default(),
    };
    replay.sort();
    let mut before = None;
    for print in &path.prints {
        let level = replay.step(print)?;
        let elapsed = print.unix.abs_diff(before.unwrap_or(print.unix));
        replay.outcome.seconds_at[usize::from(level.byte())] += elapsed;
        before = Some(print.unix);
    }
    if let Some(last) = path.prints.last() {
        replay.outcome.bad_debt += replay.under_water(last)?;
    }
    Ok((replay.outcome, replay.population))
}

impl Replay {
    fn step(&mut self, print: &Print) -> Result<Level> {
        let clock = clock(print);
        let market = &mut self.population.market;
        let prices = market.accept_prices(&readings(print), PriceUse::Liquidate, clock)?;
        self.outcome.level_changes += u64::from(prices.change().is_some());
        let stopped = self.policy == Policy::OnlyNormal && prices.level() != Level::Normal;
        if !stopped && self.liquidate(print, &prices, clock)? {
            self.sort();
        }
        Ok(prices.level())
    }

    /// Liquidates every account that it can. Returns true if anybody was liquidated.
    fn liquidate(&mut self, print: &Print, prices: &Prices, clock: Clock) -> Result<bool> {
        let fair = fair(&self.population.market, print, clock)?;
        let Population { market, accounts } = &mut self.population;
        let (index, liquidation_ltv) = (market.books_at(clock)?.pool.index, market.config.liquidation_ltv);
        let Some(mut liquidations) = unless_halted(market.liquidations(prices, clock))? else {
            return Ok(false);
        };
        let judged = prices.liquidation()?.judged;
        let mut any = false;
        for &i in &self.order {
            let account = &mut accounts[i];
            let (debt, collateral) = (index.debt(account.debt_shares)?, account.collateral);
            match liquidations.liquidate(account, &mut self.ledger) {
                Ok(done) => {
                    any = true;
                    let was_healthy = !sizing::exceeds(debt, fair.quote_floor(collateral)?, liquidation_ltv);
                    self.outcome.add(&done, debt, collateral, prices.spot(), was_healthy)?;
                }
                Err(Error::NoDebt) => break,
                // The others are further away, but for atoms: a price may be the very limit of several accounts.
                Err(Error::AccountHealthy) => {
                    let nearly = Quote(debt.0 + debt.0 / NEARLY + 1);
                    if !sizing::exceeds(nearly, judged.quote_floor(collateral)?, liquidation_ltv) {
                        break;
                    }
                }
                Err(error) if error.skips_account() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(any)
    }

    /// By debt over collateral, highest first; accounts without debt last.
    fn sort(&mut self) {
        let accounts = &self.population.accounts;
        let ratio = |account: &MarginAccount| {
            (u128::from(account.debt_shares.0) << 64) / u128::from(account.collateral.0.max(1))
        };
        self.order.sort_by_key(|&i| (u128::MAX - ratio(&accounts[i]), i));
    }

    /// Debts left above their collateral.
    fn under_water(&self, print: &Print) -> Result<u64> {
        let clock = clock(print);
        let price = fair(&self.population.market, print, clock)?;
        let index = self.population.market.books_at(clock)?.pool.index;
        let mut sum = 0;
        for account in &self.population.accounts {
            let debt = index.debt(account.debt_shares)?;
            sum += debt.0.saturating_sub(price.quote_floor(account.collateral)?.0);
        }
        Ok(sum)
    }
}

impl Outcome {
    /// A liquidation of an account of `debt` and `collateral`.
    fn add(
        &mut self,
        done: &Liquidation,
        debt: Quote,
        collateral: Collateral,
        spot: Price,
        was_healthy: bool,
    ) -> Result<()> {
        self.liquidated += done.repaid.0;
        if was_healthy {
            self.falsely += done.repaid.0;
        }
        let lost = done.repaid.0.saturating_sub(spot.quote_floor(done.seized)?.0);
        let under_water = debt.0.saturating_sub(spot.quote_floor(collateral)?.0);
        let bad = lost.min(under_water);
        self.bad_debt += bad;
        self.gift += lost - bad;
        let share = u128::from(lost - bad) * 10_000 / u128::from(done.repaid.0.max(1));
        self.largest_gift = self.largest_gift.max(u64::try_from(share).unwrap_or(u64::MAX));
        Ok(())
    }
}

fn clock(print: &Print) -> Clock {
    Clock {
        unix: print.unix,
        // No account borrows on the way, so slots do not matter.
        slot: 1,
    }
}

/// Fair price of the collateral.
fn fair(market: &Market, print: &Print, clock: Clock) -> Result<Price> {
    let print = Print {
        price: print.fair,
        ..*print
    };
    spot(market, &print, clock)
}

//! A day of borrowing and a crash, through one market: what was lent, and what it cost.

use breakwater_engine::{
    Bps, Clock, Config, Error, KeeperLedger, Key, LpShares, MarginAccount, Market, Prices, Quote, Result,
    price::oracle::PriceUse, unless_halted,
};

use super::{
    demand::{Borrower, QUOTE_UNIT},
    paths::Day,
};
use crate::guards::{
    paths::Print,
    population::{empty_market, readings},
};

/// Amount that suppliers lend: enough for everybody.
pub const SUPPLIED: Quote = Quote(20_000_000 * QUOTE_UNIT);
/// Capital of the backstop.
pub const FUNDED: Quote = Quote(1_000_000 * QUOTE_UNIT);
/// Margin that buyers of inventory keep to themselves.
const EDGE: Bps = Bps(10);

/// Results of the requests. Quote atoms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loans {
    /// Asked for.
    pub asked: u64,
    /// Lent.
    pub lent: u64,
    /// Value of its collateral, at the last price of the day.
    pub collateral: u64,
    /// Loans granted as they were first asked for.
    pub at_once: u32,
    /// Granted in full against more collateral.
    pub against_more: u32,
    /// Granted in part.
    pub cut: u32,
    /// Refused at every LTV.
    pub refused: u32,
    /// The largest debt in one band at the end of the day.
    pub largest_band: u64,
}

/// Results of a crash. Quote atoms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Debt taken over.
    pub taken_over: u64,
    /// Debts above their collateral at spot when they were taken over, and of those left at the end.
    pub bad_debt: u64,
    /// The backstop's lowest equity, inventory at spot. Below zero it is what the suppliers would lose.
    pub lowest_equity: i64,
}

/// A market and everybody in it.
#[derive(Clone)]
pub struct Town {
    market: Market,
    /// Accounts, those nearest to their liquidation first.
    accounts: Vec<MarginAccount>,
    ledger: KeeperLedger,
    losses: Losses,
}

impl Town {
    /// After a day of borrowing, and what was lent.
    ///
    /// # Errors
    /// Refusals by the engine for other reasons than a loan's margin.
    pub fn after(day: &Day, borrowers: &[Borrower], config: &Config) -> Result<(Self, Loans)> {
        let begins = day.prints.first().map_or(0, |print| print.unix);
        let clock = clock(begins);
        config.validate()?;
        let mut market = empty_market(clock)?;
        market.config = *config;
        market.supply(SUPPLIED, LpShares(0), clock)?;
        market.fund_backstop(FUNDED, clock)?;
        let mut town = Self {
            market,
            accounts: Vec::new(),
            ledger: KeeperLedger::new(Key::default(), Key::default(), 0),
            losses: Losses::default(),
        };
        let mut loans = Loans::default();
        let mut queue = borrowers.iter().peekable();
        for print in &day.prints {
            let prices = town.step(print)?;
            while let Some(borrower) = queue.next_if(|borrower| borrower.at <= print.unix) {
                town.lend(borrower, &prices, print, &mut loans)?;
            }
        }
        if let Some(last) = day.prints.last() {
            town.count(last, &mut loans)?;
        }
        Ok((town, loans))
    }

    /// Grants the first request that the engine does not refuse.
    fn lend(&mut self, borrower: &Borrower, prices: &Prices, print: &Print, loans: &mut Loans) -> Result<()> {
        let spot = prices.spot().divisor()?;
        loans.asked += borrower.loan.0;
        for (refusals, request) in borrower.requests().enumerate() {
            let mut account = MarginAccount::new(Key::default(), Key::default(), 0, 0);
            let collateral = spot.collateral_floor(request.value)?;
            self.market.deposit_collateral(&mut account, collateral)?;
            let known = self.market.known_prices(PriceUse::Borrow, clock(print.unix))?;
            match self
                .market
                .borrow(&mut account, request.loan, &known, clock(print.unix))
            {
                Ok(_) => {
                    loans.lent += request.loan.0;
                    match (refusals, request.loan == borrower.loan) {
                        (0, _) => loans.at_once += 1,
                        (_, true) => loans.against_more += 1,
                        (_, false) => loans.cut += 1,
                    }
                    self.accounts.push(account);
                    self.sort();
                    return Ok(());
                }
                Err(Error::InitialLtvExceeded | Error::StressCoverExceeded) => {}
                Err(error) => return Err(error),
            }
        }
        loans.refused += 1;
        Ok(())
    }

    /// The map at the end of the day, and what everything is worth.
    fn count(&self, last: &Print, loans: &mut Loans) -> Result<()> {
        let mut market = self.market;
        let clock = clock(last.unix);
        let spot = market.accept_prices(&readings(last), PriceUse::Observe, clock)?.spot();
        for account in &self.accounts {
            loans.collateral += spot.quote_floor(account.collateral)?.0;
        }
        for band in 0..=u8::MAX {
            loans.largest_band = loans.largest_band.max(market.price_band(band, clock)?.debt.0);
        }
        Ok(())
    }

    /// Losses in a crash after the day.
    ///
    /// # Errors
    /// Refusals by the engine for other reasons than a full backstop and its guards.
    pub fn through(mut self, prints: &[Print]) -> Result<Losses> {
        self.losses = Losses {
            lowest_equity: i64::MAX,
            ..Losses::default()
        };
        for print in prints {
            let prices = self.step(print)?;
            let books = self.market.books_at(clock(print.unix))?;
            let equity = books.equity(prices.spot())?;
            let losses = &mut self.losses;
            losses.lowest_equity = losses.lowest_equity.min(i64::try_from(equity).unwrap_or(i64::MIN));
        }
        if let Some(last) = prints.last() {
            self.losses.bad_debt += self.under_water(last)?;
        }
        Ok(self.losses)
    }

    /// A reading: the keeper tries everybody, and a buyer takes what is offered below the market.
    fn step(&mut self, print: &Print) -> Result<Prices> {
        let clock = clock(print.unix);
        let prices = self
            .market
            .accept_prices(&readings(print), PriceUse::Liquidate, clock)?;
        self.liquidate(&prices, clock)?;
        self.sell(&prices, clock)?;
        Ok(prices)
    }

    fn liquidate(&mut self, prices: &Prices, clock: Clock) -> Result<()> {
        let index = self.market.books_at(clock)?.pool.index;
        let Some(mut liquidations) = unless_halted(self.market.liquidations(prices, clock))? else {
            return Ok(());
        };
        let mut any = false;
        for account in &mut self.accounts {
            let (debt, collateral) = (index.debt(account.debt_shares)?, account.collateral);
            match liquidations.liquidate(account, &mut self.ledger) {
                Ok(done) => {
                    any = true;
                    self.losses.taken_over += done.repaid.0;
                    let lost = done.repaid.0.saturating_sub(prices.spot().quote_floor(done.seized)?.0);
                    let under_water = debt.0.saturating_sub(prices.spot().quote_floor(collateral)?.0);
                    self.losses.bad_debt += lost.min(under_water);
                }
                // The others are further away.
                Err(Error::AccountHealthy | Error::NoDebt) => break,
                Err(error) if error.skips_account() => {}
                Err(error) => return Err(error),
            }
        }
        if any {
            self.sort();
        }
        Ok(())
    }

    fn sell(&mut self, prices: &Prices, clock: Clock) -> Result<()> {
        if self.market.books.backstop.inventory.0 == 0 {
            return Ok(());
        }
        let Some(offer) = unless_halted(self.market.offer(prices, clock))? else {
            return Ok(());
        };
        if offer.available.0 > 0 && offer.ask <= prices.spot().scale_down(EDGE.below_one())? {
            let known = self.market.known_prices(PriceUse::Sell, clock)?;
            self.market
                .buy_inventory(offer.available, Quote(u64::MAX), &known, clock)?;
        }
        Ok(())
    }

    /// By debt over collateral, highest first; accounts without debt last.
    fn sort(&mut self) {
        self.accounts.sort_by_key(|account| {
            let ratio = (u128::from(account.debt_shares.0) << 64) / u128::from(account.collateral.0.max(1));
            std::cmp::Reverse(ratio)
        });
    }

    /// Debts left above their collateral.
    fn under_water(&self, last: &Print) -> Result<u64> {
        let (mut market, clock) = (self.market, clock(last.unix));
        let spot = market.accept_prices(&readings(last), PriceUse::Observe, clock)?.spot();
        let index = market.books_at(clock)?.pool.index;
        let mut sum = 0;
        for account in &self.accounts {
            let debt = index.debt(account.debt_shares)?;
            sum += debt.0.saturating_sub(spot.quote_floor(account.collateral)?.0);
        }
        Ok(sum)
    }
}

/// A slot takes 400 ms.
fn clock(unix: i64) -> Clock {
    Clock {
        unix,
        slot: unix.unsigned_abs() * 5 / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        risk::{
            demand::{self, Shape},
            paths, variants,
        },
        scenario::Scenario,
    };

    #[test]
    fn the_map_and_the_debt_are_those_of_all_accounts_after_a_crash() {
        let scenario = Scenario::parse(include_str!("../../scenarios/black-thursday.toml")).expect("valid");
        let crash = &paths::crashes(&scenario).expect("valid")[2];
        let day = paths::day(true);
        let borrowers = demand::borrowers(Shape::Crowded, &day);
        let (mut town, _) = Town::after(&day, &borrowers, &variants::DEFAULTS).expect("granted");
        for print in crash.after(&day) {
            town.step(&print).expect("oracle_price");
        }
        let Market { map, books, .. } = &town.market;
        let mut bands = [0; 256];
        let mut shares = books.backstop.debt_shares.0;
        for account in &town.accounts {
            bands[usize::from(map.band(account.debt_shares, account.collateral))] += account.debt_shares.0;
            shares += account.debt_shares.0;
        }
        assert_eq!(map.bands.map(|band| band.0), bands);
        assert_eq!(books.pool.debt_shares.0, shares);
        assert!(town.losses.taken_over > 0 && books.backstop.inventory.0 > 0);
    }

    #[test]
    fn where_no_price_moves_nothing_is_lost() {
        let mut day = paths::day(false);
        let first = day.prints[0];
        for print in &mut day.prints {
            *print = Print {
                unix: print.unix,
                ..first
            };
        }
        let borrowers = demand::borrowers(Shape::Spread, &day);
        let (town, loans) = Town::after(&day, &borrowers, &variants::WITHOUT).expect("granted");
        assert_eq!((loans.lent, loans.at_once), (loans.asked, 180));
        let still: Vec<_> = (1..100)
            .map(|i| Print {
                unix: day.prints[day.prints.len() - 1].unix + 5 * i,
                ..first
            })
            .collect();
        let losses = town.through(&still).expect("oracle_price");
        // The backstop's part of the interest is all that happens.
        assert_eq!((losses.taken_over, losses.bad_debt), (0, 0));
        assert!((FUNDED.0.cast_signed()..FUNDED.0.cast_signed() / 1_000 * 1_001).contains(&losses.lowest_equity));
    }
}

//! The backstop's worst days, on LiteSVM. Whatever happens, no action panics or is stuck for ever, all money is
//! accounted for (the world checks that after each transaction), losses fall on the protocol, then the guardians, then
//! the suppliers, accounts that can pay are left alone, and afterwards the market goes on.

mod absent_buyers;
mod beyond_equity;
mod gap;
mod no_cash;
mod no_rebound;
mod whale;

use crate::{
    backing::{cents, share_fell},
    scene::{SOL, USDC, purse, readings},
};
use breakwater::{
    error::BreakwaterError,
    events::{DeficitSettled, GuardianWithdrawn, InventorySold},
};
use breakwater_client::MarketKeys;
use breakwater_engine::{
    Collateral, Config, Market, Pool, Quote,
    actions::{Liquidation, Sale, Settlement},
    price::oracle::PriceUse,
};
use breakwater_testkit::{Actor, MarketSpec, Position, World, ix};

/// Assets of the pool, quote atoms.
const POOL: u64 = 1_000_000 * USDC;

/// A market with SOL at $100, and everybody in it. Its money is counted here, apart from the books.
struct Day {
    world: World,
    market: MarketKeys,
    /// Has supplied all of the pool.
    lena: Actor,
    /// Has put in all of the guardians' claim, and will be able to leave.
    gina: Actor,
    kate: Actor,
    /// Buys inventory.
    mallory: Actor,
    loans: Vec<Position>,
    /// The protocol's capital and the guardians', as they were put in, quote atoms.
    protocol: u64,
    guardians: u64,
    /// Debts taken over, and bounties.
    taken: u64,
    bounties: u64,
    /// Proceeds of sales.
    proceeds: u64,
}

impl Day {
    /// With so much capital and loans of (SOL, USDC).
    #[track_caller]
    fn new(config: Config, (protocol, guardians): (u64, u64), loans: &[(u64, u64)]) -> Self {
        let mut world = World::lite();
        let market = world.market(&MarketSpec {
            config,
            ..MarketSpec::default()
        });
        let lena = world.trader(&market, "lena", 0, POOL + protocol);
        let mallory = world.trader(&market, "mallory", 0, 10_000_000 * USDC);
        let kate = world.keeper(&market, "kate");
        let gina = world.guardian(&market, "gina", guardians);
        world.supply(&market, &lena, POOL).unwrap();
        if protocol > 0 {
            world.fund_backstop(&market, &lena, protocol).unwrap();
        }
        if guardians > 0 {
            world.guardian_deposit(&market, &gina, guardians).unwrap();
        }
        let mut day = Self {
            world,
            market,
            lena,
            gina,
            kate,
            mallory,
            loans: Vec::new(),
            protocol,
            guardians,
            taken: 0,
            bounties: 0,
            proceeds: 0,
        };
        for (number, (sol, usdc)) in loans.iter().enumerate() {
            let position = day.lend(&format!("borrower {number}"), sol * SOL, usdc * USDC);
            day.loans.push(position);
        }
        day.world.next_slot();
        day
    }

    /// Somebody borrows against collateral.
    #[track_caller]
    fn lend(&mut self, name: &str, collateral: u64, amount: u64) -> Position {
        let owner = self.world.trader(&self.market, name, collateral, 0);
        let position = self.world.open(&self.market, &owner, 0).unwrap();
        self.world.deposit(&position, collateral).unwrap();
        self.world.borrow(&position, amount).unwrap();
        position
    }

    /// A minute later SOL stands at so many cents, with all averages and without uncertainty.
    fn stands_at(&mut self, price: i64) {
        self.world.advance(60);
        self.settle_at(price);
    }

    /// The same, now.
    fn settle_at(&mut self, price: i64) {
        let MarketKeys {
            collateral_feed,
            quote_feed,
            ..
        } = self.market;
        self.world.settle_price(&collateral_feed, cents(price), 0);
        self.world.settle_price(&quote_feed, 100_000_000, 0);
    }

    fn state(&mut self) -> Market {
        self.world.market_state(&self.market)
    }

    fn pool(&mut self) -> Pool {
        self.state().books_at(self.world.clock()).unwrap().pool
    }

    /// The backstop's debt, quote atoms.
    fn owed(&mut self) -> u64 {
        let books = self.state().books_at(self.world.clock()).unwrap();
        books.pool.index.debt(books.backstop.debt_shares).unwrap().0
    }

    /// Kate shows the market every account, and the engine does the same beside the program: both must agree on every
    /// number of every account, of her ledger and of the market. Returns what was liquidated, by number of the loan.
    #[track_caller]
    fn sweep(&mut self) -> Vec<(usize, Liquidation)> {
        let mut all = Vec::new();
        let loans = self.loans.clone();
        for (chunk, loans) in loans.chunks(12).enumerate() {
            let clock = self.world.clock();
            let mut expected = self.state();
            let mut accounts: Vec<_> = loans.iter().map(|loan| self.world.margin_account(loan)).collect();
            let mut ledger = self.world.keeper_ledger(&self.market, &self.kate);
            let readings = readings(&self.world, &self.market);
            let prices = expected.accept_prices(&readings, PriceUse::Liquidate, clock).unwrap();
            let mut liquidations = expected.liquidations(&prices, clock).unwrap();
            let mut done = Vec::new();
            for (number, account) in accounts.iter_mut().enumerate() {
                match liquidations.liquidate(account, &mut ledger) {
                    Ok(liquidation) => done.push((chunk * 12 + number, liquidation)),
                    Err(error) if error.skips_account() => {}
                    Err(error) => panic!("loan {number}: {error}"),
                }
            }

            let refs: Vec<&Position> = loans.iter().collect();
            let outcome = self.world.liquidate_batch(&self.market, &self.kate, &refs).unwrap();

            let events: Vec<Liquidation> = outcome.liquidated().iter().map(|e| e.liquidation).collect();
            let by_engine: Vec<Liquidation> = done.iter().map(|(_, liquidation)| *liquidation).collect();
            assert_eq!(events, by_engine);
            assert_eq!(self.state(), expected);
            assert_eq!(self.world.keeper_ledger(&self.market, &self.kate), ledger);
            for (loan, account) in loans.iter().zip(accounts) {
                assert_eq!(self.world.margin_account(loan), account);
            }
            for (_, liquidation) in &done {
                self.taken += liquidation.repaid.0;
                self.bounties += liquidation.bounty.0;
            }
            all.extend(done);
        }
        all
    }

    /// Mallory buys this much, and the engine beside her.
    #[track_caller]
    fn buy(&mut self, amount: u64) -> Sale {
        let clock = self.world.clock();
        let mut expected = self.state();
        let readings = readings(&self.world, &self.market);
        let prices = expected.accept_prices(&readings, PriceUse::Sell, clock).unwrap();
        let by_engine = expected
            .buy_inventory(Collateral(amount), Quote(u64::MAX), &prices, clock)
            .unwrap();
        let buy = ix::buy_inventory(&self.market, &self.mallory.key(), amount, u64::MAX);
        let outcome = self.world.send(&[buy], &[&self.mallory]).unwrap();
        let sale = outcome.event::<InventorySold>().sale;
        assert_eq!(sale, by_engine);
        assert_eq!(self.state(), expected);
        self.proceeds += sale.cost.0;
        sale
    }

    /// Mallory buys all.
    #[track_caller]
    fn sell_out(&mut self) {
        let inventory = self.inventory();
        if inventory > 0 {
            self.buy(inventory);
        }
    }

    fn inventory(&mut self) -> u64 {
        self.state().books.backstop.inventory.0
    }

    /// The deficit is settled, which must cost the suppliers exactly what was written off.
    #[track_caller]
    fn settle(&mut self) -> Settlement {
        let before = self.pool();
        let clock = self.world.clock();
        let mut expected = self.state();
        let by_engine = expected.settle_deficit(None, clock).unwrap();
        let outcome = self.world.settle_deficit(&self.market).unwrap();
        let settlement = outcome.event::<DeficitSettled>().settlement;
        assert_eq!(settlement, by_engine);
        assert_eq!(self.state(), expected);
        let after = self.pool();
        assert_eq!(
            before.assets().unwrap().0 - after.assets().unwrap().0,
            settlement.suppliers.0
        );
        assert!(share_fell(&before, &after));
        settlement
    }

    /// Checks that the capital of protocol and guardians, the proceeds and the suppliers' loss pay for the debt taken
    /// over and the bounties, but for debt and bounties still owed: to the atom, in a market without interest.
    #[track_caller]
    fn assert_loss_is(&mut self, suppliers: u64) {
        let Self {
            protocol,
            guardians,
            taken,
            bounties,
            proceeds,
            ..
        } = *self;
        let backstop = self.state().books.backstop;
        let inventory = self.inventory();
        assert_eq!(inventory, 0);
        let debt = self.owed();
        assert_eq!(
            protocol + guardians + proceeds + suppliers + debt + backstop.unfunded_credits.0,
            taken + bounties + backstop.cash.0
        );
    }

    /// Gina asks to leave, waits for her cooldown, and leaves. Returns what she is paid.
    #[track_caller]
    fn gina_leaves(&mut self) -> u64 {
        let shares = self.world.guardian_position(&self.market, &self.gina).shares.0;
        if shares > 0 {
            self.world.guardian_request(&self.market, &self.gina, shares).unwrap();
        }
        let cooldown = self.state().config.guardian_cooldown;
        self.world.advance(cooldown);
        let outcome = self
            .world
            .guardian_withdraw(&self.market, &self.gina, u64::MAX)
            .unwrap();
        outcome.event::<GuardianWithdrawn>().withdrawal.amount.0
    }

    /// These accounts hold and owe what they did at first, and their owners can pay all and take all.
    #[track_caller]
    fn assert_untouched(&mut self, loans: &[(usize, u64, u64)]) {
        for (number, sol, usdc) in loans {
            let loan = self.loans[*number].clone();
            let account = self.world.margin_account(&loan);
            let index = self.pool().index;
            let debt = index.debt(account.debt_shares).unwrap().0;
            assert_eq!(account.collateral.0, sol * SOL, "loan {number}");
            assert!(debt >= usdc * USDC, "loan {number}");
            self.world.fund(&loan.owner, &self.market.quote_mint, debt);
            self.world.repay(&loan, u64::MAX).unwrap();
            self.world.withdraw_collateral(&loan, account.collateral.0).unwrap();
            assert_eq!(purse(&mut self.world, &self.market, &loan.owner).0, sol * SOL);
            self.world.close(&loan).unwrap();
        }
        let gone: Vec<usize> = loans.iter().map(|(number, ..)| *number).collect();
        let mut number = 0;
        self.loans.retain(|_| {
            number += 1;
            !gone.contains(&(number - 1))
        });
    }

    /// Life goes on at so many cents: somebody supplies, funds, borrows, is liquidated, the inventory is sold, the
    /// supplier and the keeper are paid.
    #[track_caller]
    fn goes_on(&mut self, price: i64) {
        self.stands_at(price);
        self.world.set_guard(&self.market, bytemuck::Zeroable::zeroed());
        let market = self.market;
        let nina = self.world.trader(&market, "nina", 0, 300_000 * USDC);
        self.world.observe_price(&market).unwrap();
        self.world.supply(&market, &nina, 200_000 * USDC).unwrap();
        self.world.fund_backstop(&market, &nina, 100_000 * USDC).unwrap();
        let hugo = self.world.guardian(&market, "hugo", 10_000 * USDC);
        self.world.guardian_deposit(&market, &hugo, 10_000 * USDC).unwrap();
        // 60% of 100 SOL.
        let amount = u64::try_from(price).unwrap() * 60 * USDC / 100;
        let position = self.lend("oskar", 100 * SOL, amount);
        self.world.next_slot();
        let healthy = ix::liquidate(&market, &position.address, &self.kate.key());
        self.world
            .assert_error_unchanged(&[healthy], &[&self.kate], BreakwaterError::AccountHealthy);
        self.stands_at(price * 74 / 100);
        self.world.set_guard(&market, bytemuck::Zeroable::zeroed());
        let before = self.pool();
        let outcome = self.world.liquidate(&self.kate, &position).unwrap();
        let liquidation = outcome.liquidation();
        assert!(!liquidation.taken_over && !liquidation.whole && liquidation.repaid.0 > 0);
        assert!(liquidation.bounty.0 > 0);
        self.world
            .buy_inventory(&market, &self.mallory, SOL / 100, u64::MAX)
            .unwrap();
        self.world.claim_bounty(&market, &self.kate).unwrap();
        assert!(!share_fell(&before, &self.pool()));
        self.world.repay_by(&self.mallory.clone(), &position, u64::MAX).unwrap();
        let shares = self.world.balance(&nina, &market.lp_mint);
        self.world.withdraw(&market, &nina, shares).unwrap();
        let paid = self.world.balance(&nina, &market.quote_mint);
        assert!(paid >= 200_000 * USDC - 1, "{paid}");
    }
}

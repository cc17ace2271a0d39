//! Earnings of somebody who is owner, keeper, liquidator, buyer and guardian in one: nothing by liquidating himself, by
//! splitting a liquidation into pieces or by waiting for insolvency, and no more than his part by joining or leaving
//! the guardians at the right moment. Wealth is counted at the true price.

mod guardians;
mod pieces;
mod self_liquidation;
mod waiting;

use crate::{
    backing::{cents, interest_free, offer},
    scene::{SOL, USDC},
};
use breakwater_client::{MarketKeys, addresses, decode};
use breakwater_engine::{Config, Market};
use breakwater_testkit::{Actor, MarketSpec, Position, World, default_config};

/// One quote atom, in which wealth is counted: quote atoms × 2^64.
const ATOM: i128 = 1 << 64;

/// The default market without interest and with SOL at $100, where Mallory is everybody.
struct Trial {
    world: World,
    market: MarketKeys,
    lena: Actor,
    /// Has 10,000 SOL, 10,000,000 USDC, a keeper's ledger and a guardian's position.
    mallory: Actor,
}

impl Trial {
    fn new(protocol: u64) -> Self {
        Self::with(interest_free(default_config()), protocol)
    }

    /// With these parameters, a pool of 5,000,000, and this much of the protocol's capital.
    #[track_caller]
    fn with(config: Config, protocol: u64) -> Self {
        let mut world = World::lite();
        let market = world.market(&MarketSpec {
            config,
            ..MarketSpec::default()
        });
        let lena = world.trader(&market, "lena", 0, 10_000_000 * USDC);
        let mallory = world.trader(&market, "mallory", 10_000 * SOL, 10_000_000 * USDC);
        world.supply(&market, &lena, 5_000_000 * USDC).unwrap();
        if protocol > 0 {
            world.fund_backstop(&market, &lena, protocol).unwrap();
        }
        world.open_keeper_ledger(&market, &mallory).unwrap();
        world.open_guardian_position(&market, &mallory).unwrap();
        let mut trial = Self {
            world,
            market,
            lena,
            mallory,
        };
        trial.stands_at(cents(10_000));
        trial
    }

    /// A minute later SOL stands at this price, with all averages and without uncertainty.
    fn stands_at(&mut self, price: i64) {
        self.world.advance(60);
        let MarketKeys {
            collateral_feed,
            quote_feed,
            ..
        } = self.market;
        self.world.settle_price(&collateral_feed, price, 0);
        self.world.settle_price(&quote_feed, 100_000_000, 0);
        self.world.forget_prices(&self.market);
    }

    /// Mallory's account number `id` with so much collateral and debt, atoms.
    #[track_caller]
    fn borrow(&mut self, id: u16, collateral: u64, amount: u64) -> Position {
        let position = self.world.open(&self.market, &self.mallory, id).unwrap();
        self.world.deposit(&position, collateral).unwrap();
        self.world.borrow(&position, amount).unwrap();
        self.world.next_slot();
        position
    }

    fn state(&mut self) -> Market {
        self.world.market_state(&self.market)
    }

    /// The true price, quote atoms per collateral atom × 2^64.
    fn price(&self) -> i128 {
        let shown = *self.world.shown(&self.market.collateral_feed).quotation();
        (i128::from(shown.price) << 64) / 100_000_000 / 1_000
    }

    /// Everything of somebody's: tokens, what his accounts are worth (no less than nothing), bounties, and his part of
    /// the guardians' claim as far as the backstop's equity at the true price covers it.
    fn wealth(&mut self, who: &Actor, positions: &[&Position]) -> i128 {
        let price = self.price();
        let (market, clock) = (self.market, self.world.clock());
        let state = self.state();
        let books = state.books_at(clock).unwrap();
        let worth = |collateral: u64| price * i128::from(collateral);
        let mut sum = worth(self.world.balance(who, &market.collateral_mint))
            + i128::from(self.world.balance(who, &market.quote_mint)) * ATOM;
        for position in positions {
            let account = self.world.margin_account(position);
            let debt = i128::from(books.pool.index.debt(account.debt_shares).unwrap().0) * ATOM;
            sum += (worth(account.collateral.0) - debt).max(0);
        }
        let ledger = addresses::keeper_ledger(&market.market, &who.key());
        if let Some(account) = self.world.account(&ledger) {
            sum += i128::from(decode::keeper_ledger(&account.data).unwrap().credit.0) * ATOM;
        }
        let position = addresses::guardian_position(&market.market, &who.key());
        if let Some(account) = self.world.account(&position) {
            let position = decode::guardian_position(&account.data)
                .unwrap()
                .in_epoch(state.books.guardians.epoch);
            let backstop = &books.backstop;
            let debt = i128::from(books.pool.index.debt(backstop.debt_shares).unwrap().0) * ATOM;
            let owed = i128::from(backstop.unfunded_credits.0) * ATOM;
            let equity = i128::from(backstop.cash.0) * ATOM + worth(backstop.inventory.0) - debt - owed
                + i128::try_from(books.pool.reserves_owed.raw()).unwrap();
            let guardians = state.books.guardians;
            let claims = i128::from(guardians.all_claims().unwrap().0).max(1);
            let (shares, all) = (position.shares.0, guardians.shares.0.max(1));
            // In whole atoms: the products would not fit otherwise.
            let own = i128::from(guardians.claim.0) * i128::from(shares) / i128::from(all)
                + i128::from(position.unpaid(&guardians).unwrap().0);
            sum += own * (equity.max(0) / ATOM).min(claims) / claims * ATOM;
        }
        sum
    }

    /// Mallory buys whatever the schedule lets her, if there is anything.
    #[track_caller]
    fn buy_all_she_may(&mut self) {
        let available = offer(&mut self.world, &self.market).available.0;
        if available > 0 {
            self.world
                .buy_inventory(&self.market, &self.mallory, available, u64::MAX)
                .unwrap();
        }
    }
}

/// So many quote atoms, as a dollar figure for messages.
fn dollars(wealth: i128) -> i128 {
    wealth / ATOM
}

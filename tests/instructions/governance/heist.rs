//! A market with everybody's money in it, and what a thief of keys must not be able to do to it.

use crate::{
    backing::{cents, market_with, quick},
    scene::{SOL, USDC, purse, vaults},
};
use anchor_lang::solana_program::instruction::Instruction;
use breakwater::{error::BreakwaterError, events::GuardianWithdrawn};
use breakwater_client::MarketKeys;
use breakwater_engine::{Bps, Config, Feeds, Key};
use breakwater_testkit::{Actor, ExpectedError, Position, World, pyth::feed_id_for};

use super::{cast::present_feeds, pause::LIMIT};

/// Bob at 78% of LTV, Alice at 71%, where 80% is liquidated; Lena who supplied, Gina who backs it and may leave, Kate
/// with a bounty; and the keys that are stolen.
pub struct Heist {
    /// Where it plays.
    pub world: World,
    /// The market.
    pub market: MarketKeys,
    /// At 71%.
    pub alice: Position,
    /// At 78%.
    pub bob: Position,
    /// Supplies the pool.
    pub lena: Actor,
    /// Backs it.
    pub gina: Actor,
    /// Has a bounty.
    pub kate: Actor,
    /// The authority.
    pub authority: Actor,
    /// The emergency admin.
    pub grace: Actor,
    /// Whatever else the thief has: money, and accounts of his own.
    pub mallory: Actor,
}

/// Payments to everybody who leaves: Alice's and Bob's collateral, then quote tokens of Lena, Gina and Kate.
pub type Exits = [u64; 5];

impl Heist {
    /// In this world.
    ///
    /// # Panics
    /// If the program refuses a step.
    pub fn new(mut world: World) -> Self {
        let config = Config {
            // So that there is something to loosen.
            stress_volatility: Bps(10_000),
            ..quick()
        };
        let market = world.market(&market_with(config));
        let lena = world.trader(&market, "lena", 0, 2_000_000 * USDC);
        let alice = world.trader(&market, "alice", 100 * SOL, 10_000 * USDC);
        let bob = world.trader(&market, "bob", 100 * SOL, 10_000 * USDC);
        let mallory = world.trader(&market, "mallory", 100 * SOL, 100_000 * USDC);
        let kate = world.keeper(&market, "kate");
        let (authority, grace) = (world.authority().clone(), world.actor("grace"));
        world.set_emergency_admin(&grace.key()).unwrap();
        for key in [&authority, &grace] {
            world.trader(&market, key.name(), 0, 0);
        }
        world.supply(&market, &lena, 1_000_000 * USDC).unwrap();
        world.fund_backstop(&market, &lena, 100_000 * USDC).unwrap();
        let gina = world.guardian(&market, "gina", 10_000 * USDC);
        world.guardian_deposit(&market, &gina, 10_000 * USDC).unwrap();
        let shares = world.guardian_position(&market, &gina).shares.0;
        world.guardian_request(&market, &gina, shares).unwrap();

        let alice = world.open(&market, &alice, 0).unwrap();
        world.deposit(&alice, 100 * SOL).unwrap();
        world.borrow(&alice, 5_500 * USDC).unwrap();
        let bob = world.open(&market, &bob, 0).unwrap();
        world.deposit(&bob, 100 * SOL).unwrap();
        world.borrow(&bob, 6_900 * USDC).unwrap();
        // Bob is liquidated in part, and what was taken is sold: Kate has a bounty, and the backstop cash alone.
        world.advance(60);
        world.settle_price(&market.collateral_feed, cents(85_00), 0);
        world.liquidate(&kate, &bob).unwrap();
        world.advance(60);
        let inventory = world.market_state(&market).books.backstop.inventory.0;
        world.buy_inventory(&market, &lena, inventory, u64::MAX).unwrap();
        // The price at which Bob is at 78%: it has eight decimals, the debt six, the collateral nine.
        let account = world.margin_account(&bob);
        let pool = world.market_state(&market).books.pool;
        let owed = pool.index.debt(account.debt_shares).unwrap().0;
        let price = u128::from(owed) * 100 * u128::from(SOL) / u128::from(account.collateral.0) * 100 / 78;
        world.settle_price(&market.collateral_feed, i64::try_from(price).unwrap(), 0);
        world.advance(7 * 86_400 + 3_600);
        Self {
            world,
            market,
            alice,
            bob,
            lena,
            gina,
            kate,
            authority,
            grace,
            mallory,
        }
    }

    /// Feeds that the thief would like: the collateral at the price of something that he can move.
    pub fn hostile_feeds(&mut self) -> Feeds {
        let mut feeds = present_feeds(&mut self.world, &self.market);
        feeds.collateral.key = Key(feed_id_for("MALLORY/USD"));
        feeds
    }

    /// The thief's balances of the market's tokens, in all of his hands.
    pub fn loot(&mut self) -> (u64, u64, u64) {
        let hands = [self.authority.clone(), self.grace.clone(), self.mallory.clone()];
        hands.iter().fold((0, 0, 0), |sum, hand| {
            let (collateral, quote, lp) = purse(&mut self.world, &self.market, hand);
            (sum.0 + collateral, sum.1 + quote, sum.2 + lp)
        })
    }

    /// Payments to everybody who left now; nothing happens.
    #[track_caller]
    pub fn exits(&mut self) -> Exits {
        let begun = self.world.snapshot();
        let exits = self.leave();
        self.world.restore(&begun);
        exits
    }

    /// Everybody leaves with everything.
    #[track_caller]
    pub fn leave(&mut self) -> Exits {
        let Self {
            world,
            market,
            lena,
            gina,
            kate,
            ..
        } = self;
        let mut exits = [0; 5];
        for (exit, position) in exits.iter_mut().zip([&self.alice, &self.bob]) {
            world.repay(position, u64::MAX).unwrap();
            let collateral = world.margin_account(position).collateral.0;
            world.withdraw_collateral(position, collateral).unwrap();
            world.close(position).unwrap();
            *exit = world.balance(&position.owner, &market.collateral_mint);
        }
        let shares = world.balance(lena, &market.lp_mint);
        world.withdraw(market, lena, shares).unwrap();
        exits[2] = world.balance(lena, &market.quote_mint);
        let outcome = world.guardian_withdraw(market, gina, u64::MAX).unwrap();
        exits[3] = outcome.event::<GuardianWithdrawn>().withdrawal.amount.0;
        world.claim_bounty(market, kate).unwrap();
        exits[4] = world.balance(kate, &market.quote_mint);
        exits
    }

    /// Nobody can be liquidated: not now, and not when pauses and emergency halt have expired.
    #[track_caller]
    pub fn nobody_is_liquidatable(&mut self) {
        let begun = self.world.snapshot();
        for last in [false, true] {
            for position in [self.alice.clone(), self.bob.clone()] {
                let failure = self.world.liquidate(&self.kate.clone(), &position).unwrap_err();
                let healthy = BreakwaterError::AccountHealthy.is(&failure);
                let stopped = [BreakwaterError::ActionPaused, BreakwaterError::MarketHalted];
                assert!(
                    healthy || !last && stopped.iter().any(|error| error.is(&failure)),
                    "{failure:?}"
                );
            }
            self.world.advance(2 * LIMIT);
            self.world.observe_price(&self.market).unwrap();
        }
        self.world.restore(&begun);
    }

    /// A transaction that a thief signs with all of these keys goes through, and is undone again. Nothing was taken,
    /// nobody can be liquidated, and everybody may leave with what was his before.
    #[track_caller]
    pub fn harmless(&mut self, what: &str, attempt: &[Instruction], keys: &[&Actor]) {
        println!("{what}: goes through");
        let begun = self.world.snapshot();
        let before = (self.loot(), vaults(&mut self.world, &self.market), self.exits());
        self.world.send(attempt, keys).unwrap();
        self.world.next_slot();
        let after = (self.loot(), vaults(&mut self.world, &self.market), self.exits());
        assert_eq!(after, before, "{what}");
        self.nobody_is_liquidatable();
        self.world.restore(&begun);
    }

    /// A transaction that a thief signs is refused with this error, and nothing changes.
    #[track_caller]
    pub fn refused(&mut self, what: &str, attempt: &[Instruction], keys: &[&Actor], expected: impl ExpectedError) {
        println!("{what}: {}", expected.describe());
        self.world.assert_error_unchanged(attempt, keys, expected);
    }
}

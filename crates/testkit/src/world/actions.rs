//! One line for each instruction. Where a test needs other accounts than these, it takes the instruction from
//! [`crate::ix`], changes it, and sends it with [`World::send`].

use super::World;
use crate::{
    actor::Actor,
    ix,
    outcome::{Failure, Outcome},
};
use anchor_lang::prelude::Pubkey;
use breakwater_client::{MarketKeys, addresses, decode};
use breakwater_engine::MarginAccount;

/// A margin account, its market and its owner.
#[derive(Clone, Debug)]
pub struct Position {
    /// The market.
    pub market: MarketKeys,
    /// The margin account's address.
    pub address: Pubkey,
    /// Who signs for it.
    pub owner: Actor,
    /// Its number among the owner's accounts.
    pub id: u16,
}

impl Position {
    /// The position of an owner, whether it was opened or not.
    #[must_use]
    pub fn new(market: &MarketKeys, owner: &Actor, id: u16) -> Self {
        let address = addresses::margin_account(&market.market, &owner.key(), id);
        Self {
            market: *market,
            address,
            owner: owner.clone(),
            id,
        }
    }
}

/// Every action returns the program's refusal as a [`Failure`].
#[allow(clippy::missing_panics_doc, reason = "they panic only as `World::send` does")]
impl World {
    /// Shows the market its feeds.
    #[track_caller]
    pub fn observe_price(&mut self, market: &MarketKeys) -> Result<Outcome, Failure> {
        self.send(&[ix::observe_price(market)], &[])
    }

    /// Names the first emergency admin, as the authority.
    #[track_caller]
    pub fn set_emergency_admin(&mut self, guardian: &Pubkey) -> Result<Outcome, Failure> {
        let authority = self.authority().clone();
        self.send(&[ix::set_emergency_admin(&authority.key(), *guardian)], &[&authority])
    }

    /// Halts a market for some seconds.
    #[track_caller]
    pub fn emergency_halt(&mut self, market: &MarketKeys, signer: &Actor, seconds: u32) -> Result<Outcome, Failure> {
        self.send(&[ix::emergency_halt(market, &signer.key(), seconds)], &[signer])
    }

    /// Announces a change of the liquidation LTV, as the authority.
    #[track_caller]
    pub fn announce_liquidation_ltv(
        &mut self,
        market: &MarketKeys,
        to: u32,
        starts_at: i64,
        ends_at: i64,
    ) -> Result<Outcome, Failure> {
        let authority = self.authority().clone();
        let announce = ix::announce_liquidation_ltv(market, &authority.key(), to, starts_at, ends_at);
        self.send(&[announce], &[&authority])
    }

    /// Supplies quote atoms, for whatever LP shares they give.
    #[track_caller]
    pub fn supply(&mut self, market: &MarketKeys, supplier: &Actor, amount: u64) -> Result<Outcome, Failure> {
        self.send(&[ix::supply(market, &supplier.key(), amount, 0)], &[supplier])
    }

    /// Redeems LP shares, for whatever quote atoms they give.
    #[track_caller]
    pub fn withdraw(&mut self, market: &MarketKeys, supplier: &Actor, shares: u64) -> Result<Outcome, Failure> {
        self.send(&[ix::withdraw(market, &supplier.key(), shares, 0)], &[supplier])
    }

    /// Opens a margin account; the owner pays its rent.
    #[track_caller]
    pub fn open(&mut self, market: &MarketKeys, owner: &Actor, id: u16) -> Result<Position, Failure> {
        self.send(&[ix::open_account(market, &owner.key(), &owner.key(), id)], &[owner])?;
        Ok(Position::new(market, owner, id))
    }

    /// Closes a margin account.
    #[track_caller]
    pub fn close(&mut self, position: &Position) -> Result<Outcome, Failure> {
        self.send(
            &[ix::close_account(&position.address, &position.owner.key())],
            &[&position.owner],
        )
    }

    /// Adds the owner's collateral.
    #[track_caller]
    pub fn deposit(&mut self, position: &Position, amount: u64) -> Result<Outcome, Failure> {
        self.deposit_by(&position.owner, position, amount)
    }

    /// Adds somebody's collateral.
    #[track_caller]
    pub fn deposit_by(&mut self, depositor: &Actor, position: &Position, amount: u64) -> Result<Outcome, Failure> {
        let deposit = ix::deposit_collateral(&position.market, &position.address, &depositor.key(), amount);
        self.send(&[deposit], &[depositor])
    }

    /// Takes out collateral, showing the feeds.
    #[track_caller]
    pub fn withdraw_collateral(&mut self, position: &Position, amount: u64) -> Result<Outcome, Failure> {
        let Position {
            market, address, owner, ..
        } = position;
        self.send(
            &[ix::withdraw_collateral(market, address, &owner.key(), amount)],
            &[owner],
        )
    }

    /// Borrows.
    #[track_caller]
    pub fn borrow(&mut self, position: &Position, amount: u64) -> Result<Outcome, Failure> {
        let Position {
            market, address, owner, ..
        } = position;
        self.send(&[ix::borrow(market, address, &owner.key(), amount)], &[owner])
    }

    /// Repays with the owner's tokens; `u64::MAX` repays all.
    #[track_caller]
    pub fn repay(&mut self, position: &Position, amount: u64) -> Result<Outcome, Failure> {
        self.repay_by(&position.owner, position, amount)
    }

    /// Repays with somebody's tokens; `u64::MAX` repays all.
    #[track_caller]
    pub fn repay_by(&mut self, payer: &Actor, position: &Position, amount: u64) -> Result<Outcome, Failure> {
        self.send(
            &[ix::repay(&position.market, &position.address, &payer.key(), amount)],
            &[payer],
        )
    }

    /// Liquidates one account.
    #[track_caller]
    pub fn liquidate(&mut self, keeper: &Actor, position: &Position) -> Result<Outcome, Failure> {
        self.send(
            &[ix::liquidate(&position.market, &position.address, &keeper.key())],
            &[keeper],
        )
    }

    /// Liquidates those of many accounts of one market that can be.
    #[track_caller]
    pub fn liquidate_batch(
        &mut self,
        market: &MarketKeys,
        keeper: &Actor,
        positions: &[&Position],
    ) -> Result<Outcome, Failure> {
        let accounts: Vec<Pubkey> = positions.iter().map(|position| position.address).collect();
        self.send(&[ix::liquidate_batch(market, &keeper.key(), &accounts)], &[keeper])
    }

    /// Gives quote atoms to the backstop.
    #[track_caller]
    pub fn fund_backstop(&mut self, market: &MarketKeys, funder: &Actor, amount: u64) -> Result<Outcome, Failure> {
        self.send(&[ix::fund_backstop(market, &funder.key(), amount)], &[funder])
    }

    /// Buys inventory, for at most `max_cost` quote atoms.
    #[track_caller]
    pub fn buy_inventory(
        &mut self,
        market: &MarketKeys,
        buyer: &Actor,
        amount: u64,
        max_cost: u64,
    ) -> Result<Outcome, Failure> {
        self.send(&[ix::buy_inventory(market, &buyer.key(), amount, max_cost)], &[buyer])
    }

    /// Opens a keeper's ledger.
    #[track_caller]
    pub fn open_keeper_ledger(&mut self, market: &MarketKeys, keeper: &Actor) -> Result<Outcome, Failure> {
        self.send(&[ix::open_keeper_ledger(market, &keeper.key())], &[keeper])
    }

    /// Pays a keeper.
    #[track_caller]
    pub fn claim_bounty(&mut self, market: &MarketKeys, keeper: &Actor) -> Result<Outcome, Failure> {
        self.send(&[ix::claim_bounty(market, &keeper.key())], &[keeper])
    }

    /// A margin account's state.
    ///
    /// # Panics
    /// If it is not open.
    #[track_caller]
    pub fn margin_account(&mut self, position: &Position) -> MarginAccount {
        let account = self.existing_account(&position.address);
        decode::margin_account(&account.data).unwrap_or_else(|error| panic!("{}: {error}", position.address))
    }
}

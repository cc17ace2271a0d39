//! One line for each instruction about the backstop's guardians and its worst day.

use super::World;
use crate::{
    actor::Actor,
    ix,
    outcome::{Failure, Outcome},
};
use breakwater_client::{MarketKeys, addresses, decode};
use breakwater_engine::GuardianPosition;

/// Every action returns the program's refusal as a [`Failure`].
#[allow(clippy::missing_panics_doc, reason = "they panic only as `World::send` does")]
impl World {
    /// An actor with these quote atoms and an open guardian's position.
    ///
    /// # Panics
    /// If the program refuses.
    #[track_caller]
    pub fn guardian(&mut self, market: &MarketKeys, name: &str, quote: u64) -> Actor {
        let actor = self.actor(name);
        self.fund(&actor, &market.quote_mint, quote);
        self.open_guardian_position(market, &actor)
            .unwrap_or_else(|failure| panic!("no position: {failure:?}"));
        actor
    }

    /// Opens a guardian's position.
    #[track_caller]
    pub fn open_guardian_position(&mut self, market: &MarketKeys, guardian: &Actor) -> Result<Outcome, Failure> {
        self.send(&[ix::open_guardian_position(market, &guardian.key())], &[guardian])
    }

    /// Closes a guardian's position.
    #[track_caller]
    pub fn close_guardian_position(&mut self, market: &MarketKeys, guardian: &Actor) -> Result<Outcome, Failure> {
        self.send(&[ix::close_guardian_position(market, &guardian.key())], &[guardian])
    }

    /// Puts quote atoms behind the backstop, for whatever shares they give and whatever the claim lacks.
    #[track_caller]
    pub fn guardian_deposit(&mut self, market: &MarketKeys, guardian: &Actor, amount: u64) -> Result<Outcome, Failure> {
        self.send(
            &[ix::guardian_deposit(market, &guardian.key(), amount, 0, u64::MAX)],
            &[guardian],
        )
    }

    /// Asks to leave with shares, for whatever claim they give; none take a request back.
    #[track_caller]
    pub fn guardian_request(&mut self, market: &MarketKeys, guardian: &Actor, shares: u64) -> Result<Outcome, Failure> {
        self.send(&[ix::guardian_request(market, &guardian.key(), shares, 0)], &[guardian])
    }

    /// Is paid as much of these quote atoms as can leave of a request.
    #[track_caller]
    pub fn guardian_withdraw(
        &mut self,
        market: &MarketKeys,
        guardian: &Actor,
        amount: u64,
    ) -> Result<Outcome, Failure> {
        self.send(
            &[ix::guardian_withdraw(market, &guardian.key(), amount, 0)],
            &[guardian],
        )
    }

    /// A guardian's position.
    ///
    /// # Panics
    /// If it is not open.
    #[track_caller]
    pub fn guardian_position(&mut self, market: &MarketKeys, guardian: &Actor) -> GuardianPosition {
        let address = addresses::guardian_position(&market.market, &guardian.key());
        let account = self.existing_account(&address);
        decode::guardian_position(&account.data).unwrap_or_else(|error| panic!("{address}: {error}"))
    }

    /// Writes off what the backstop cannot pay.
    #[track_caller]
    pub fn settle_deficit(&mut self, market: &MarketKeys) -> Result<Outcome, Failure> {
        self.send(&[ix::settle_deficit(market)], &[])
    }

    /// Announces taking equity out, as the authority, until the last slot that may be named.
    ///
    /// # Panics
    /// If there is no such market.
    #[track_caller]
    pub fn queue_equity_withdrawal(&mut self, market: &MarketKeys, amount: u64) -> Result<Outcome, Failure> {
        let authority = self.authority().clone();
        let expires = self.longest_approval();
        self.send(
            &[ix::queue_equity_withdrawal(market, &authority.key(), amount, expires)],
            &[&authority],
        )
    }

    /// Takes announced equity out, as the authority.
    #[track_caller]
    pub fn withdraw_equity(&mut self, market: &MarketKeys) -> Result<Outcome, Failure> {
        let authority = self.authority().clone();
        self.send(&[ix::withdraw_equity(market, &authority.key())], &[&authority])
    }

    /// Buys as much inventory as a budget pays for.
    #[track_caller]
    pub fn buy_inventory_for(&mut self, market: &MarketKeys, buyer: &Actor, budget: u64) -> Result<Outcome, Failure> {
        self.send(&[ix::buy_inventory_for(market, &buyer.key(), budget, 0)], &[buyer])
    }
}

//! One line for each instruction about who may change what, and time to wait for it.

use super::{Feed, World};
use crate::{
    actor::Actor,
    ix,
    keys::address_for,
    outcome::{Failure, Outcome},
};
use anchor_lang::prelude::Pubkey;
use breakwater::{accounts, state::Protocol};
use breakwater_client::{MarketKeys, addresses, decode};
use breakwater_engine::{
    Feeds, Parameter, ParameterChange, QueuedChange,
    governance::{LONGEST_APPROVAL, TIMELOCK},
};

/// Every action returns the program's refusal as a [`Failure`]. A queued change is approved until the last slot that
/// may be named.
#[allow(clippy::missing_panics_doc, reason = "they panic only as `World::send` does")]
impl World {
    /// Proposes another authority, as the authority.
    #[track_caller]
    pub fn propose_authority(&mut self, proposed: &Pubkey) -> Result<Outcome, Failure> {
        let authority = self.authority().clone();
        let until = self.longest_approval();
        self.send(
            &[ix::propose_authority(&authority.key(), *proposed, until)],
            &[&authority],
        )
    }

    /// Accepts to be the authority. The world's own actions are still signed by who [`World::authority`] is.
    #[track_caller]
    pub fn accept_authority(&mut self, proposed: &Actor) -> Result<Outcome, Failure> {
        self.send(&[ix::accept_authority(&proposed.key())], &[proposed])
    }

    /// Tightens parameters of a market.
    #[track_caller]
    pub fn tighten(
        &mut self,
        market: &MarketKeys,
        signer: &Actor,
        changes: &[ParameterChange],
    ) -> Result<Outcome, Failure> {
        self.send(&[ix::tighten(market, &signer.key(), changes.to_vec())], &[signer])
    }

    /// Pauses kinds of action in a market, the bits of [`breakwater_engine::governance::pause::Kinds`].
    #[track_caller]
    pub fn pause(&mut self, market: &MarketKeys, signer: &Actor, kinds: u8, seconds: u32) -> Result<Outcome, Failure> {
        self.send(&[ix::pause(market, &signer.key(), kinds, seconds)], &[signer])
    }

    /// Takes an announced change of the liquidation LTV back.
    #[track_caller]
    pub fn cancel_ramp(&mut self, market: &MarketKeys, signer: &Actor) -> Result<Outcome, Failure> {
        self.send(&[ix::cancel_ramp(market, &signer.key())], &[signer])
    }

    /// Takes an announced withdrawal of equity back.
    #[track_caller]
    pub fn cancel_equity_withdrawal(&mut self, market: &MarketKeys, signer: &Actor) -> Result<Outcome, Failure> {
        self.send(&[ix::cancel_equity_withdrawal(market, &signer.key())], &[signer])
    }

    /// Queues changes of parameters, as the authority.
    #[track_caller]
    pub fn queue_parameters(
        &mut self,
        market: &MarketKeys,
        id: u16,
        changes: &[ParameterChange],
    ) -> Result<Outcome, Failure> {
        let (authority, expires) = (self.authority().clone(), self.longest_approval());
        let queue = ix::queue_parameters(market, &authority.key(), id, changes.to_vec(), expires);
        self.send(&[queue], &[&authority])
    }

    /// Makes queued changes of parameters, as the authority.
    #[track_caller]
    pub fn execute_parameters(
        &mut self,
        market: &MarketKeys,
        id: u16,
        changes: &[ParameterChange],
    ) -> Result<Outcome, Failure> {
        let authority = self.authority().clone();
        let execute = ix::execute_parameters(market, &authority.key(), id, changes.to_vec());
        self.send(&[execute], &[&authority])
    }

    /// Queues other feeds, as the authority.
    #[track_caller]
    pub fn queue_feeds(&mut self, market: &MarketKeys, feeds: Feeds) -> Result<Outcome, Failure> {
        self.queue_feeds_for(market, feeds, false)
    }

    /// Queues other feeds, in place of `dead` ones or not, as the authority.
    #[track_caller]
    pub fn queue_feeds_for(&mut self, market: &MarketKeys, feeds: Feeds, dead: bool) -> Result<Outcome, Failure> {
        let (authority, expires) = (self.authority().clone(), self.longest_approval());
        let queue = ix::queue_feeds(market, &authority.key(), feeds, dead, expires);
        self.send(&[queue], &[&authority])
    }

    /// Pins queued feeds, which show what the present ones do, as the authority. All feeds publish before.
    #[track_caller]
    pub fn execute_feeds(&mut self, market: &MarketKeys, feeds: Feeds) -> Result<Outcome, Failure> {
        self.publish_all();
        let (authority, next) = (self.authority().clone(), self.next_feeds(market, &feeds));
        let execute = ix::execute_feeds(market, &authority.key(), feeds, false, next);
        self.send(&[execute], &[&authority])
    }

    /// Price accounts of the feeds that a market is to have: the present one of a feed that stays, and of another a new
    /// one that shows what the present one does; a redemption rate that is new shows what the collateral's feed does.
    pub fn next_feeds(&mut self, market: &MarketKeys, feeds: &Feeds) -> accounts::Feeds {
        let oracle = self.market_state(market).oracle;
        let (base, rate) = market
            .redemption_feeds
            .unwrap_or((market.quote_feed, market.collateral_feed));
        let addresses = Feeds {
            collateral: market.collateral_feed,
            quote: market.quote_feed,
            base,
            rate,
        };
        let all = feeds.zip(oracle.feeds().copied()).zip(addresses);
        let shown = all.map(|((pin, present), address)| {
            if pin.is_none() {
                return None;
            }
            if pin == present || (pin == oracle.quote_feed && address == market.quote_feed) {
                return Some(address);
            }
            let mut feed = self.shown(&address);
            let next = if let Feed::Pull(update) = &mut feed {
                update.receiver = Pubkey::new_from_array(pin.owner.0);
                update.feed_id = pin.key.0;
                address_for(&format!("the next feed {:?} of {:?}", pin.key, pin.owner))
            } else {
                Pubkey::new_from_array(pin.key.0)
            };
            self.show(&next, feed);
            Some(next)
        });
        MarketKeys::accounts_of(shown)
    }

    /// Queues another emergency admin, as the authority.
    #[track_caller]
    pub fn queue_emergency_admin(&mut self, emergency_admin: &Pubkey) -> Result<Outcome, Failure> {
        let (authority, expires) = (self.authority().clone(), self.longest_approval());
        self.send(
            &[ix::queue_emergency_admin(&authority.key(), *emergency_admin, expires)],
            &[&authority],
        )
    }

    /// Names the queued emergency admin, as the authority.
    #[track_caller]
    pub fn execute_emergency_admin(&mut self, emergency_admin: &Pubkey) -> Result<Outcome, Failure> {
        let authority = self.authority().clone();
        self.send(
            &[ix::execute_emergency_admin(&authority.key(), *emergency_admin)],
            &[&authority],
        )
    }

    /// Cancels what is queued: a change of `subject`, a market or the protocol, by kind and id.
    #[track_caller]
    pub fn cancel_change(&mut self, signer: &Actor, subject: &Pubkey, kind: u8, id: u16) -> Result<Outcome, Failure> {
        let entry = addresses::queued_change(subject, kind, id);
        let authority = self.authority().key();
        self.send(&[ix::cancel_change(&signer.key(), &authority, &entry)], &[signer])
    }

    /// Replaces the emergency admin, through the queue if there is one, and waits for it.
    ///
    /// # Panics
    /// If the program refuses.
    #[track_caller]
    pub fn replace_emergency_admin(&mut self, emergency_admin: &Pubkey) {
        if self.protocol().emergency_admin == Pubkey::default() {
            self.set_emergency_admin(emergency_admin).unwrap();
            return;
        }
        self.queue_emergency_admin(emergency_admin).unwrap();
        self.wait_out_timelock();
        self.execute_emergency_admin(emergency_admin).unwrap();
    }

    /// Queues another sentinel, as the authority.
    #[track_caller]
    pub fn queue_sentinel(&mut self, sentinel: &Pubkey) -> Result<Outcome, Failure> {
        let (authority, expires) = (self.authority().clone(), self.longest_approval());
        self.send(
            &[ix::queue_sentinel(&authority.key(), *sentinel, expires)],
            &[&authority],
        )
    }

    /// Names the queued sentinel, as the authority.
    #[track_caller]
    pub fn execute_sentinel(&mut self, sentinel: &Pubkey) -> Result<Outcome, Failure> {
        let authority = self.authority().clone();
        self.send(&[ix::execute_sentinel(&authority.key(), *sentinel)], &[&authority])
    }

    /// Moves time and slots on to the moment when what was queued now for the protocol can be executed, and publishes
    /// every feed again.
    pub fn wait_out_timelock(&mut self) {
        self.advance(u32::try_from(TIMELOCK).unwrap_or(u32::MAX));
    }

    /// The same for what was queued for a market.
    ///
    /// # Panics
    /// If there is no such market.
    #[track_caller]
    pub fn wait_out_change_delay(&mut self, market: &MarketKeys) {
        let delay = self.market_state(market).config.change_delay();
        self.advance(u32::try_from(delay).unwrap_or(u32::MAX));
    }

    /// The last slot that an approval may name now.
    #[must_use]
    pub fn longest_approval(&self) -> u64 {
        self.slot() + LONGEST_APPROVAL
    }

    /// A change of a market's parameter from what it is.
    ///
    /// # Panics
    /// If there is no such market.
    #[track_caller]
    pub fn change(&mut self, market: &MarketKeys, parameter: Parameter, to: u64) -> ParameterChange {
        ParameterChange {
            parameter: parameter.id(),
            from: parameter.get(&self.market_state(market).config),
            to,
        }
    }

    /// An entry of the queue; `None` if there is none.
    ///
    /// # Panics
    /// If there is something else.
    #[track_caller]
    pub fn queued_change(&mut self, subject: &Pubkey, kind: u8, id: u16) -> Option<QueuedChange> {
        let address = addresses::queued_change(subject, kind, id);
        let account = self.account(&address)?;
        Some(decode::queued_change(&account.data).unwrap_or_else(|error| panic!("{address}: {error}")))
    }

    /// The protocol's account.
    ///
    /// # Panics
    /// If it was not initialized.
    #[track_caller]
    pub fn protocol(&mut self) -> Protocol {
        let account = self.existing_account(&addresses::protocol());
        decode::protocol(&account.data).unwrap_or_else(|error| panic!("the protocol: {error}"))
    }
}

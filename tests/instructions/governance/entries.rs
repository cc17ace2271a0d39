//! One entry of the queue of each kind, in every state that it can be in.

use super::{
    cast::{ASSET, other_receiver, sibling_spec},
    parameters::{change, governed},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use breakwater::{accounts, state::Protocol};
use breakwater_client::{MarketKeys, addresses, decode};
use breakwater_engine::{
    Bps, Config, DepthAllocation, FeedPin, Feeds, Key, Parameter, ParameterChange, QueuedChange,
    governance::{DEPTH, EMERGENCY_ADMIN, FEEDS, GRACE, PARAMETERS, TIMELOCK},
};
use breakwater_testkit::{Actor, Outcome, World, ix};

/// Kind of a queued change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Parameters of a market.
    Parameters,
    /// Feeds of a market.
    Feeds,
    /// The emergency admin.
    EmergencyAdmin,
    /// The depth budget of a market, and its share of it.
    Depth,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Parameters, Self::Feeds, Self::EmergencyAdmin, Self::Depth];

    /// Its number in the program.
    pub const fn number(self) -> u8 {
        match self {
            Self::Parameters => PARAMETERS,
            Self::Feeds => FEEDS,
            Self::EmergencyAdmin => EMERGENCY_ADMIN,
            Self::Depth => DEPTH,
        }
    }
}

/// State of the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was never queued.
    Absent,
    /// It was queued in this very moment.
    Queued,
    /// A second before it opens.
    Early,
    /// The second in which it opens.
    Open,
    /// The last second of its time.
    LastSecond,
    /// A second later.
    Late,
    /// In its time; it was queued in the last slot that was named.
    SlotsLate,
    /// It was executed in the second in which it opened.
    Executed,
    /// It was canceled then.
    Canceled,
    /// Open, and a tightening has changed what it was about.
    Stale,
    /// Canceled and queued again with another payload: the first would be open by now.
    ReplacedEarly,
    /// The same, and now the second is open.
    Replaced,
}

/// A market, another one, and the entry.
pub struct Stand {
    /// Where it plays.
    pub world: World,
    /// The market of the entry.
    pub market: MarketKeys,
    /// Another market.
    pub other: MarketKeys,
    /// The protocol's authority.
    pub authority: Actor,
    /// The emergency admin.
    pub grace: Actor,
    /// Kind of the entry's change.
    pub kind: Kind,
    feeds: [Feeds; 2],
    /// Their price accounts.
    next_feeds: [accounts::Feeds; 2],
    budget: Pubkey,
}

/// All that governance can change.
#[derive(Debug, PartialEq)]
pub struct Governed {
    /// The parameters.
    pub config: Config,
    /// The feeds of collateral and quote token.
    pub feeds: [FeedPin; 2],
    /// The emergency admin.
    pub emergency_admin: Pubkey,
    /// The depth budget and the share of it.
    pub depth: DepthAllocation,
    /// Shares of all markets in it and in another budget, bps.
    pub allocated: [Bps; 2],
}

impl Stand {
    /// Without an entry.
    pub fn new(world: World, kind: Kind) -> Self {
        let (mut world, market, authority, grace) = governed(world);
        let other = world.market(&sibling_spec());
        let budget = world.depth_budget("OTHER");
        let mut both = other_receiver(&mut world, &market);
        let quote = both;
        both.collateral.owner = both.quote.owner;
        let next_feeds = [quote, both].map(|feeds| world.next_feeds(&market, &feeds));
        Self {
            world,
            market,
            other,
            authority,
            grace,
            kind,
            feeds: [quote, both],
            next_feeds,
            budget,
        }
    }

    /// With the entry in this state. Where two are queued, `changed` is the first.
    pub fn in_state(kind: Kind, state: State) -> Self {
        let mut stand = Self::new(World::program_test(), kind);
        let (lock, grace) = (u32::try_from(TIMELOCK).unwrap(), u32::try_from(GRACE).unwrap());
        match state {
            State::Absent => return stand,
            State::SlotsLate => {
                let queue = stand.queue_until(&stand.authority, false, stand.world.slot());
                stand.passes(queue);
            }
            State::ReplacedEarly | State::Replaced => {
                let queue = stand.queue(&stand.authority, true);
                stand.passes(queue);
                stand.world.advance(86_400);
                let again = [stand.cancel(&stand.authority), stand.queue(&stand.authority, false)];
                let authority = stand.authority.clone();
                stand.world.send(&again, &[&authority]).unwrap();
            }
            _ => {
                let queue = stand.queue(&stand.authority, false);
                stand.passes(queue);
            }
        }
        stand.world.advance(match state {
            State::Queued => 0,
            State::Early => lock - 1,
            State::LastSecond => lock + grace,
            State::Late => lock + grace + 1,
            State::ReplacedEarly => lock - 86_400,
            _ => lock,
        });
        match state {
            State::Executed => {
                let execute = stand.execute(&stand.authority, false);
                stand.passes(execute);
            }
            State::Canceled => {
                let cancel = stand.cancel(&stand.authority);
                stand.passes(cancel);
            }
            State::Stale => {
                let tighter = [change(Parameter::initial_ltv, 6_999)];
                let (market, grace) = (stand.market, stand.grace.clone());
                stand.world.tighten(&market, &grace, &tighter).unwrap();
            }
            _ => {}
        }
        stand
    }

    #[track_caller]
    fn passes(&mut self, ix: Instruction) -> Outcome {
        let authority = self.authority.clone();
        self.world.send(&[ix], &[&authority]).unwrap()
    }

    /// The change itself, for parameters; `changed` is another one.
    pub fn changes(changed: bool) -> Vec<ParameterChange> {
        vec![change(Parameter::initial_ltv, if changed { 7_200 } else { 7_100 })]
    }

    fn next_emergency_admin(changed: bool) -> Pubkey {
        Actor::new(if changed { "gloria" } else { "greta" }).key()
    }

    fn share(changed: bool) -> u32 {
        if changed { 201 } else { 200 }
    }

    fn feeds(&self, changed: bool) -> Feeds {
        self.feeds[usize::from(changed)]
    }

    /// Queues it, until the last slot that may be named.
    pub fn queue(&self, signer: &Actor, changed: bool) -> Instruction {
        self.queue_until(signer, changed, self.world.longest_approval())
    }

    /// Queues it, until that slot.
    pub fn queue_until(&self, signer: &Actor, changed: bool, expires: u64) -> Instruction {
        let (market, key) = (&self.market, &signer.key());
        match self.kind {
            Kind::Parameters => ix::queue_parameters(market, key, 0, Self::changes(changed), expires),
            Kind::Feeds => ix::queue_feeds(market, key, self.feeds(changed), false, expires),
            Kind::EmergencyAdmin => ix::queue_emergency_admin(key, Self::next_emergency_admin(changed), expires),
            Kind::Depth => ix::queue_depth_share(market, key, &self.budget, Self::share(changed), expires),
        }
    }

    /// Executes it.
    pub fn execute(&self, signer: &Actor, changed: bool) -> Instruction {
        self.execute_as(self.kind, &self.market, signer, changed)
    }

    /// The instruction that executes a change of `kind` of `market`, with this entry.
    pub fn execute_as(&self, kind: Kind, market: &MarketKeys, signer: &Actor, changed: bool) -> Instruction {
        let key = &signer.key();
        let mut execute = match kind {
            Kind::Parameters => ix::execute_parameters(market, key, 0, Self::changes(changed)),
            Kind::Feeds => {
                let next = self.next_feeds[usize::from(changed)];
                ix::execute_feeds(market, key, self.feeds(changed), false, next)
            }
            Kind::EmergencyAdmin => ix::execute_emergency_admin(key, Self::next_emergency_admin(changed)),
            Kind::Depth => {
                let present = addresses::depth_budget(ASSET);
                ix::execute_depth_share(market, key, &present, &self.budget, Self::share(changed))
            }
        };
        // The entry is the last account of each, but that feeds come after it.
        let last = execute.accounts.len() - 1;
        let entry = if matches!(kind, Kind::Feeds) { 3 } else { last };
        execute.accounts[entry].pubkey = self.entry();
        execute
    }

    /// Cancels it; the rent goes to the authority.
    pub fn cancel(&self, signer: &Actor) -> Instruction {
        ix::cancel_change(&signer.key(), &self.authority.key(), &self.entry())
    }

    /// Subject of the change: the market, or the protocol.
    pub fn subject(&self) -> Pubkey {
        match self.kind {
            Kind::EmergencyAdmin => addresses::protocol(),
            Kind::Parameters | Kind::Feeds | Kind::Depth => self.market.market,
        }
    }

    /// Its address.
    pub fn entry(&self) -> Pubkey {
        addresses::queued_change(&self.subject(), self.kind.number(), 0)
    }

    /// The stored entry, if there is one.
    pub fn queued(&mut self) -> Option<QueuedChange> {
        let (subject, kind) = (self.subject(), self.kind.number());
        self.world.queued_change(&subject, kind, 0)
    }

    /// State under governance of both markets and the protocol.
    pub fn governed(&mut self) -> [Governed; 2] {
        let Protocol { emergency_admin, .. } = self.world.protocol();
        let budgets = [addresses::depth_budget(ASSET), self.budget];
        let allocated = budgets.map(|budget| {
            let account = self.world.existing_account(&budget);
            decode::depth_budget(&account.data).unwrap().allocated
        });
        [self.market, self.other].map(|market| {
            let state = self.world.market_state(&market);
            Governed {
                config: state.config,
                feeds: [state.oracle.collateral_feed, state.oracle.quote_feed],
                emergency_admin,
                depth: DepthAllocation {
                    budget: state.depth.budget,
                    share: state.depth.share,
                },
                allocated,
            }
        })
    }

    /// The same, once this is executed.
    pub fn executed(&mut self) -> [Governed; 2] {
        let [mut market, mut other] = self.governed();
        match self.kind {
            Kind::Parameters => market.config.initial_ltv.0 = 7_100,
            Kind::Feeds => market.feeds = [self.feeds[0].collateral, self.feeds[0].quote],
            Kind::EmergencyAdmin => {
                market.emergency_admin = Self::next_emergency_admin(false);
                other.emergency_admin = market.emergency_admin;
            }
            // 1% of one and 2% of the other; the second market keeps its 1% of the first.
            Kind::Depth => {
                market.depth = DepthAllocation {
                    budget: Key(self.budget.to_bytes()),
                    share: Bps(Self::share(false)),
                };
                market.allocated = [Bps(100), Bps(200)];
                other.allocated = market.allocated;
            }
        }
        [market, other]
    }
}

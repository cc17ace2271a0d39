//! A market with money in it, something of everything queued, and everybody who may try to sign for it.

use crate::{
    backing::{cents, market_with, quick},
    scene::{SOL, USDC},
};
use anchor_lang::prelude::Pubkey;
use breakwater::accounts;
use breakwater_client::MarketKeys;
use breakwater_engine::{Feeds, Key, Parameter, ParameterChange, price::oracle::FEED_PUSH};
use breakwater_testkit::{Actor, MarketSpec, Position, World, ix, pyth::RECEIVERS};

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The protocol's authority.
    Authority,
    /// The emergency admin.
    EmergencyAdmin,
    /// Proposed as the authority, and has not accepted yet.
    Proposed,
    /// Was the authority before this one.
    Former,
    /// May upgrade the program; the very first authority.
    Upgrade,
    /// Has money, and nothing in the market.
    Stranger,
    /// Owns the margin accounts that are tried.
    Owner,
    /// Owns another margin account, and a guardian's position without shares.
    OtherOwner,
    /// Supplies the pool.
    Supplier,
    /// Has capital behind the backstop, and has asked to leave in time.
    Backer,
    /// Has a ledger with a bounty on it.
    Keeper,
    /// The sentinel.
    Sentinel,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Authority,
        Self::EmergencyAdmin,
        Self::Proposed,
        Self::Former,
        Self::Upgrade,
        Self::Stranger,
        Self::Owner,
        Self::OtherOwner,
        Self::Supplier,
        Self::Backer,
        Self::Keeper,
        Self::Sentinel,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Authority => "ada",
            Self::EmergencyAdmin => "grace",
            Self::Proposed => "pia",
            Self::Former => "fergus",
            Self::Upgrade => "upgrade authority",
            Self::Stranger => "mallory",
            Self::Owner => "alice",
            Self::OtherOwner => "bob",
            Self::Supplier => "lena",
            Self::Backer => "gina",
            Self::Keeper => "kate",
            Self::Sentinel => "sid",
        }
    }

    /// Whose key it is.
    pub fn actor(self) -> Actor {
        Actor::new(self.name())
    }
}

/// The asset whose depth the market shares.
pub const ASSET: &str = "TEST";

/// The share of its next budget that is queued, bps.
pub const NEXT_SHARE: u32 = 200;

/// The number of the queued change of parameters.
pub const ID: u16 = 7;

/// Seconds in a day.
pub const DAY: u32 = 86_400;

/// Everybody and everything. All that is queued can be executed now, equity can be taken out, the guardian can leave,
/// and a ramp of the liquidation LTV is three days ahead.
pub struct Cast {
    /// Where it plays.
    pub world: World,
    /// The market.
    pub market: MarketKeys,
    /// Alice's: 100 SOL, and 6,500 borrowed.
    pub indebted: Position,
    /// Alice's: 10 SOL, and no debt.
    pub free: Position,
    /// Alice's: empty.
    pub empty: Position,
    /// Changes queued for the parameters.
    pub changes: Vec<ParameterChange>,
    /// Feeds queued for the market.
    pub feeds: Feeds,
    /// Their price accounts.
    pub next_feeds: accounts::Feeds,
    /// Who is queued as the emergency admin.
    pub next_emergency_admin: Pubkey,
    /// Who is queued as the sentinel.
    pub next_sentinel: Pubkey,
    /// The depth budget that is queued; the market has 1% of another.
    pub next_budget: Pubkey,
}

impl Cast {
    /// In this world, on the default mints and feeds.
    ///
    /// # Panics
    /// If the program refuses a step.
    pub fn new(world: World) -> Self {
        Self::on(world, &market_with(quick()))
    }

    /// In this world, on this market, whose collateral stands at $100.
    ///
    /// # Panics
    /// If the program refuses a step.
    pub fn on(mut world: World, spec: &MarketSpec) -> Self {
        let market = world.market(spec);
        let sid = Role::Sentinel.actor().key();
        world.queue_sentinel(&sid).unwrap();
        world.wait_out_timelock();
        world.execute_sentinel(&sid).unwrap();
        for role in Role::ALL {
            let actor = world.trader(&market, role.name(), 1_000 * SOL, 2_000_000 * USDC);
            assert_eq!(actor.key(), role.actor().key());
        }
        let [lena, alice, bob, gina, kate, grace] = [
            Role::Supplier,
            Role::Owner,
            Role::OtherOwner,
            Role::Backer,
            Role::Keeper,
            Role::EmergencyAdmin,
        ]
        .map(Role::actor);
        world.set_emergency_admin(&grace.key()).unwrap();
        world.supply(&market, &lena, 1_000_000 * USDC).unwrap();
        world.fund_backstop(&market, &lena, 100_000 * USDC).unwrap();
        world.open_guardian_position(&market, &gina).unwrap();
        world.open_guardian_position(&market, &bob).unwrap();
        world.guardian_deposit(&market, &gina, 10_000 * USDC).unwrap();
        world.open_keeper_ledger(&market, &kate).unwrap();

        let indebted = world.open(&market, &alice, 0).unwrap();
        let free = world.open(&market, &alice, 1).unwrap();
        let empty = world.open(&market, &alice, 2).unwrap();
        let others = world.open(&market, &bob, 0).unwrap();
        world.deposit(&indebted, 100 * SOL).unwrap();
        world.borrow(&indebted, 6_500 * USDC).unwrap();
        world.deposit(&free, 10 * SOL).unwrap();
        world.deposit(&others, 100 * SOL).unwrap();
        world.borrow(&others, 6_900 * USDC).unwrap();
        // Bob is liquidated in part: inventory for the backstop, a bounty for Kate.
        world.advance(60);
        world.settle_price(&market.collateral_feed, cents(85_00), 0);
        world.liquidate(&kate, &others).unwrap();
        world.settle_price(&market.collateral_feed, cents(10_000), 0);

        let feeds = other_receiver(&mut world, &market);
        let mut cast = Self {
            changes: vec![world.change(&market, Parameter::auction_slope, 200)],
            next_feeds: world.next_feeds(&market, &feeds),
            feeds,
            next_emergency_admin: Actor::new("greta").key(),
            next_sentinel: Actor::new("sonia").key(),
            next_budget: world.depth_budget("OTHER"),
            world,
            market,
            indebted,
            free,
            empty,
        };
        cast.hand_over();
        cast.queue_everything();
        cast
    }

    /// From the upgrade authority to Fergus, from him to Ada, who proposes Pia.
    fn hand_over(&mut self) {
        let order = [Role::Upgrade, Role::Former, Role::Authority].map(Role::actor);
        for pair in order.windows(2) {
            let propose = ix::propose_authority(&pair[0].key(), pair[1].key(), self.world.longest_approval());
            self.world.send(&[propose], &[&pair[0]]).unwrap();
            self.world.accept_authority(&pair[1]).unwrap();
        }
        let [_, _, ada] = order;
        let propose = ix::propose_authority(&ada.key(), Role::Proposed.actor().key(), self.world.longest_approval());
        self.world.send(&[propose], &[&ada]).unwrap();
    }

    fn queue_everything(&mut self) {
        let (ada, gina, market) = (Role::Authority.actor(), Role::Backer.actor(), self.market);
        let shares = self.world.guardian_position(&market, &gina).shares.0;
        self.world.guardian_request(&market, &gina, shares).unwrap();
        let expires = self.world.longest_approval();
        let withdraw_equity = ix::queue_equity_withdrawal(&market, &ada.key(), 1_000 * USDC, expires);
        self.world.send(&[withdraw_equity], &[&ada]).unwrap();
        self.world.advance(9 * DAY / 2);
        let (key, expires) = (ada.key(), self.world.longest_approval());
        for queue in [
            ix::queue_parameters(&market, &key, ID, self.changes.clone(), expires),
            ix::queue_feeds(&market, &key, self.feeds, false, expires),
            ix::queue_emergency_admin(&key, self.next_emergency_admin, expires),
            ix::queue_sentinel(&key, self.next_sentinel, expires),
            ix::queue_depth_share(&market, &key, &self.next_budget, NEXT_SHARE, expires),
        ] {
            self.world.send(&[queue], &[&ada]).unwrap();
        }
        self.world.advance(7 * DAY / 2);
        let start = self.world.unix() + i64::from(3 * DAY);
        let ramp = ix::announce_liquidation_ltv(&market, &key, 7_900, start, start + i64::from(DAY));
        self.world.send(&[ramp], &[&ada]).unwrap();
    }
}

/// A second market of the default mints and feeds.
pub fn sibling_spec() -> MarketSpec {
    MarketSpec {
        id: 1,
        ..MarketSpec::default()
    }
}

/// The market's feeds, with the quote token's of the other receiver program; or at another address, if it is a push
/// feed.
pub fn other_receiver(world: &mut World, market: &MarketKeys) -> Feeds {
    let mut feeds = present_feeds(world, market);
    if feeds.quote.kind == FEED_PUSH {
        feeds.quote.key.0[0] ^= 1;
    } else {
        feeds.quote.owner = Key(RECEIVERS[1].to_bytes());
    }
    feeds
}

/// The market's feeds.
pub fn present_feeds(world: &mut World, market: &MarketKeys) -> Feeds {
    world.market_state(market).oracle.feeds().copied()
}

//! The world of the matrix: the cast in a market that looks at all four feeds, a second market of the same mints and
//! feeds, a third with others, and a stranger who has of everything what the honest have.

use crate::{
    attack::replace_account,
    backing::{cents, quick},
    governance::cast::{ASSET, Cast, ID, NEXT_SHARE, Role, other_receiver},
    scene::{SOL, USDC},
};
use anchor_lang::{Discriminator, prelude::Pubkey};
use anchor_spl::token_2022::spl_token_2022::extension::ExtensionType;
use breakwater::{governance::change_hash, state::QueuedChange};
use breakwater_client::{MarketKeys, addresses};
use breakwater_engine::governance::{DEPTH, FEEDS, PARAMETERS};
use breakwater_testkit::{Actor, FeedSpec, MarketSpec, MintSpec, Position, World, ix, keys::address_for, pyth::usd};
use std::collections::BTreeMap;

/// Accounts that somebody could mistake for another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Relatives {
    /// The same in the market of the same mints and feeds.
    pub sibling: Option<Pubkey>,
    /// The same in the market of other mints and feeds.
    pub stranger: Option<Pubkey>,
    /// The same, of the other user.
    pub other_user: Option<Pubkey>,
}

/// Where every cell is tried.
pub struct Fixture {
    /// The cast; every honest instruction is for its market, but `settle_deficit`.
    pub cast: Cast,
    /// Market of the same mints and feeds. Its backstop owes more than it can pay.
    pub sibling: MarketKeys,
    /// Market of other mints and feeds.
    pub stranger: MarketKeys,
    /// A program of somebody's.
    pub program: Pubkey,
    relatives: BTreeMap<Pubkey, Relatives>,
    signers: BTreeMap<Pubkey, Actor>,
}

/// Who has of everything what the honest have.
pub const OTHER_USER: Role = Role::Stranger;

/// The asset whose depth the market of other mints shares.
pub const STRANGE_ASSET: &str = "STRANGE";

/// Numbers of the margin accounts that honest instructions name: the cast's, and one to be opened.
const MARGIN_ACCOUNTS: [u16; 4] = [0, 1, 2, OPENED];

/// The number of the account that `open_account` opens.
pub const OPENED: u16 = 9;

/// Collateral of the classic token program with a pull feed, the quote token of Token-2022 with a push feed.
pub fn spec(id: u16) -> MarketSpec {
    MarketSpec {
        id,
        collateral: MintSpec::classic("JitoSOL", 9),
        quote: MintSpec::token_2022("PYUSD", 6, &[ExtensionType::MetadataPointer]),
        collateral_feed: FeedSpec::pull("JITOSOL/USD", usd(100)),
        quote_feed: FeedSpec::push("PYUSD/USD", usd(1)),
        redemption_feeds: None,
        config: quick(),
    }
}

fn stranger_spec() -> MarketSpec {
    MarketSpec {
        collateral: MintSpec::classic("ETH", 9),
        quote: MintSpec::token_2022("USDT", 6, &[ExtensionType::MetadataPointer]),
        collateral_feed: FeedSpec::pull("ETH/USD", usd(100)),
        quote_feed: FeedSpec::push("USDT/USD", usd(1)),
        ..spec(0)
    }
}

/// A pull feed for what the collateral is redeemed for, and a push feed for the rate: written into the market as the
/// queue would have put them there. To be created with, they and two token programs are too much for one transaction.
fn redeemable(world: &mut World, market: &mut MarketKeys, base: &str) {
    let feeds = [
        FeedSpec::pull(&format!("{base}/USD"), usd(100)),
        FeedSpec {
            conf: 0,
            ..FeedSpec::push(&format!("{base}.RR"), usd(1))
        },
    ];
    let [base, rate] = feeds.map(|feed| world.feed(&feed));
    let mut state = world.market_state(market);
    state.oracle.base_feed = world.shown(&base).pin(&base);
    state.oracle.rate_feed = world.shown(&rate).pin(&rate);
    world.set_market(market, &state);
    market.redemption_feeds = Some((base, rate));
}

/// The queued feeds are redeemable as the market has become: their entry is as if they had been queued so.
fn requeue_feeds(cast: &mut Cast) {
    let market = cast.market;
    cast.feeds = other_receiver(&mut cast.world, &market);
    cast.next_feeds = cast.world.next_feeds(&market, &cast.feeds);
    let address = addresses::queued_change(&market.market, FEEDS, 0);
    let mut queued = cast
        .world
        .queued_change(&market.market, FEEDS, 0)
        .expect("queued by the cast");
    queued.hash = change_hash(FEEDS, &market.market, &(cast.feeds, false)).expect("feeds are bytes");
    let mut account = cast.world.existing_account(&address);
    account.data[QueuedChange::DISCRIMINATOR.len()..].copy_from_slice(bytemuck::bytes_of(&queued));
    cast.world.set_account(&address, account);
}

impl Fixture {
    /// Sets it.
    ///
    /// # Panics
    /// If the program refuses a step.
    pub fn new() -> Self {
        let mut cast = Cast::on(World::lite(), &spec(0));
        let mut sibling = other_market(&mut cast, &spec(1), ASSET);
        let mut stranger = other_market(&mut cast, &stranger_spec(), STRANGE_ASSET);
        deficit(&mut cast, &sibling);
        for (market, base) in [
            (&mut cast.market, "SOL"),
            (&mut sibling, "SOL"),
            (&mut stranger, "WETH"),
        ] {
            redeemable(&mut cast.world, market, base);
        }
        requeue_feeds(&mut cast);
        other_user(&mut cast);
        // The cell says what must come of it, and counts for itself.
        cast.world.check_identities(false);
        let program = address_for("somebody's program");
        let pointer = cast.world.existing_account(&breakwater::ID);
        cast.world.set_account(&program, pointer);
        let mut fixture = Self {
            program,
            cast,
            sibling,
            stranger,
            relatives: BTreeMap::new(),
            signers: Role::ALL.map(|role| (role.actor().key(), role.actor())).into(),
        };
        fixture.relate();
        fixture
    }

    /// Accounts that somebody could mistake for this one.
    pub fn relatives(&self, of: &Pubkey) -> Relatives {
        self.relatives.get(of).copied().unwrap_or_default()
    }

    /// Somebody of this name who can sign from now on.
    pub fn sign_as(&mut self, name: &str) -> Pubkey {
        let actor = Actor::new(name);
        let key = actor.key();
        self.signers.insert(key, actor);
        key
    }

    /// Who signs with this key, if anybody can.
    pub fn signer(&self, key: &Pubkey) -> Option<&Actor> {
        self.signers.get(key)
    }

    /// A third market of the same mints and feeds, for the instruction that creates one.
    pub fn relate_created(&mut self, created: &MarketKeys) {
        let markets = [*created, self.cast.market, self.stranger];
        for address in everything_of_a_market() {
            let [own, ..] = markets.map(|market| address(&market));
            if !self.relatives.contains_key(&own) {
                self.note(markets.map(|market| address(&market)), None);
            }
        }
    }

    fn relate(&mut self) {
        let other = OTHER_USER.actor().key();
        let markets = [self.cast.market, self.sibling, self.stranger];
        for address in everything_of_a_market() {
            self.note(markets.map(|market| address(&market)), None);
        }
        for role in Role::ALL.into_iter().filter(|role| *role != OTHER_USER) {
            let key = role.actor().key();
            self.note([key; 3], Some(other));
            for address in everything_of_a_user() {
                let of_other = address(&markets[0], &other);
                self.note(markets.map(|market| address(&market, &key)), Some(of_other));
            }
        }
        // The sibling draws on the same budget.
        let strange = addresses::depth_budget(STRANGE_ASSET);
        for budget in [addresses::depth_budget(ASSET), self.cast.next_budget] {
            self.note([budget, budget, strange], None);
        }
        if let Some(next) = self.cast.next_feeds.quote_feed {
            self.note([next, next, self.stranger.quote_feed], None);
        }
        // For the instruction that is honest in the sibling.
        let [market, sibling, stranger] = markets.map(|market| market.market);
        self.note([sibling, market, stranger], None);
    }

    fn note(&mut self, [own, sibling, stranger]: [Pubkey; 3], other_user: Option<Pubkey>) {
        let differing = |address| Some(address).filter(|address| *address != own);
        let relatives = Relatives {
            sibling: differing(sibling),
            stranger: differing(stranger),
            other_user,
        };
        self.relatives.insert(own, relatives);
    }
}

type OfMarket = Box<dyn Fn(&MarketKeys) -> Pubkey>;
type OfUser = Box<dyn Fn(&MarketKeys, &Pubkey) -> Pubkey>;

fn everything_of_a_market() -> Vec<OfMarket> {
    let mut all: Vec<OfMarket> = vec![
        Box::new(|market| market.market),
        Box::new(|market| market.collateral_mint),
        Box::new(|market| market.quote_mint),
        Box::new(|market| market.collateral_vault),
        Box::new(|market| market.quote_vault),
        Box::new(|market| market.lp_mint),
        Box::new(|market| market.collateral_feed),
        Box::new(|market| market.quote_feed),
        Box::new(|market| market.redemption_feeds.map_or(market.market, |(base, _)| base)),
        Box::new(|market| market.redemption_feeds.map_or(market.market, |(_, rate)| rate)),
    ];
    for (kind, id) in [(PARAMETERS, ID), (PARAMETERS, ID + 1), (FEEDS, 0), (DEPTH, 0)] {
        all.push(Box::new(move |market| {
            addresses::queued_change(&market.market, kind, id)
        }));
    }
    all
}

fn everything_of_a_user() -> Vec<OfUser> {
    let mut all: Vec<OfUser> = vec![
        Box::new(MarketKeys::collateral_of),
        Box::new(MarketKeys::quote_of),
        Box::new(MarketKeys::lp_of),
        Box::new(|market, user| addresses::keeper_ledger(&market.market, user)),
        Box::new(|market, user| addresses::guardian_position(&market.market, user)),
    ];
    for id in MARGIN_ACCOUNTS {
        all.push(Box::new(move |market, user| {
            addresses::margin_account(&market.market, user, id)
        }));
    }
    all
}

/// A market in which everybody has the accounts that he has in the first, and which shares the depth of this asset.
fn other_market(cast: &mut Cast, spec: &MarketSpec, asset: &str) -> MarketKeys {
    let former = cast.world.authority().clone();
    let (market, create) = cast.world.prepare_market(spec);
    let ada = Role::Authority.actor();
    let budget = addresses::depth_budget(asset);
    if cast.world.account(&budget).is_none() {
        let begin = ix::create_depth_budget(&ada.key(), asset);
        cast.world.send(&[begin], &[&ada]).unwrap();
    }
    let create = replace_account(&create, &former.key(), &ada.key());
    let create = replace_account(&create, &addresses::depth_budget(ASSET), &budget);
    cast.world.send(&[create], &[&ada]).unwrap();
    cast.world.adopt(market);
    cast.world.set_config(&market, spec.config);
    for role in Role::ALL {
        let name = role.actor().name().to_owned();
        cast.world.trader(&market, &name, 1_000 * SOL, 2_000_000 * USDC);
    }
    let world = &mut cast.world;
    for backer in [Role::Backer, Role::OtherOwner] {
        world.open_guardian_position(&market, &backer.actor()).unwrap();
    }
    world.open_keeper_ledger(&market, &Role::Keeper.actor()).unwrap();
    for (owner, id) in [
        (Role::Owner, 0),
        (Role::Owner, 1),
        (Role::Owner, 2),
        (Role::OtherOwner, 0),
    ] {
        world.open(&market, &owner.actor(), id).unwrap();
    }
    let (key, expires) = (ada.key(), world.longest_approval());
    let feeds = other_receiver(world, &market);
    for queue in [
        ix::queue_parameters(&market, &key, ID, cast.changes.clone(), expires),
        ix::queue_feeds(&market, &key, feeds, false, expires),
        ix::queue_depth_share(&market, &key, &cast.next_budget, NEXT_SHARE, expires),
    ] {
        cast.world.send(&[queue], &[&ada]).unwrap();
    }
    market
}

/// Alice falls below her debt, the backstop takes her over and sells all it got but one SOL: settling what it owes and
/// cannot pay takes a price.
fn deficit(cast: &mut Cast, market: &MarketKeys) {
    let [lena, alice, kate, bob] = [Role::Supplier, Role::Owner, Role::Keeper, Role::OtherOwner].map(Role::actor);
    let world = &mut cast.world;
    let position = Position::new(market, &alice, 0);
    world.supply(market, &lena, 100_000 * USDC).unwrap();
    world.deposit(&position, 100 * SOL).unwrap();
    world.borrow(&position, 6_500 * USDC).unwrap();
    world.advance(60);
    world.settle_price(&market.collateral_feed, cents(60_00), 0);
    world.liquidate(&kate, &position).unwrap();
    let inventory = world.market_state(market).books.backstop.inventory.0;
    world.buy_inventory(market, &bob, inventory - SOL, u64::MAX).unwrap();
    world.settle_price(&market.collateral_feed, cents(10_000), 0);
}

/// Mallory has what Alice, Kate and Gina have.
fn other_user(cast: &mut Cast) {
    let (mallory, market) = (OTHER_USER.actor(), cast.market);
    let world = &mut cast.world;
    for id in [0, 1, 2] {
        let position = world.open(&market, &mallory, id).unwrap();
        if id == 0 {
            world.deposit(&position, 100 * SOL).unwrap();
            world.borrow(&position, 6_500 * USDC).unwrap();
        }
    }
    world.supply(&market, &mallory, 1_000 * USDC).unwrap();
    world.open_keeper_ledger(&market, &mallory).unwrap();
    world.open_guardian_position(&market, &mallory).unwrap();
    world.guardian_deposit(&market, &mallory, 1_000 * USDC).unwrap();
    // A loan is not liquidated in the slot in which it was taken.
    world.next_slot();
}

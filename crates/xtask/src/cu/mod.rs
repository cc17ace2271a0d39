//! Measures the compute units of every instruction on the compiled program, writes `docs/reports/cu.md`,
//! `target/cu.json` and the client's table of budgets, and fails if a figure is beyond its limit. The same program
//! gives the same tables; a committed table of which every figure is within [`TOLERANCE`] of the measured one is left
//! as it is, so that another patch release of the compiler does not fail CI.

mod backing;
mod budget;
mod governance;
mod guarded;
mod map;

pub use budget::FILE as BUDGETS;

use crate::root;
use anchor_lang::prelude::Pubkey;
use breakwater_client::{
    MarketKeys,
    budget::{LOADED_BYTES, OWN_UNITS},
};
use breakwater_engine::{Config, Quote};
use breakwater_testkit::{
    Actor, FeedSpec, MarketSpec, MintSpec, Outcome, Position, TRANSACTION_BYTES, World, ix, pyth::usd,
};
use std::{collections::BTreeMap, fmt::Write};

const SOL: u64 = 1_000_000_000;
const USDC: u64 = 1_000_000;
const DAY: i64 = 86_400;

/// Most compute units that the transactions of one block may spend on one writable account.
const ACCOUNT_BUDGET: u64 = 24_000_000;

/// Limits: on the most that any sample of an instruction used.
const LIMITS: [(&str, u64); 12] = [
    ("liquidate", 5_100),
    (PER_ACCOUNT, 1_200),
    ("liquidate_guarded", 5_700),
    (GUARDED_PER_ACCOUNT, 1_440),
    ("liquidate_known", 4_900),
    ("borrow", 11_400),
    ("repay", 6_800),
    ("deposit_collateral", 6_000),
    ("supply", 9_000),
    ("withdraw", 9_000),
    ("buy_inventory", 15_000),
    ("observe_price", 3_760),
];

/// Difference that another compiler may make, percent.
const TOLERANCE: u64 = 1;

/// Depth of the markets, quote atoms.
const DEPTH: Quote = Quote(70_000_000_000_000);

/// Large positions: this many times 10 SOL, and this many times some hundreds of dollars of debt.
const LARGE: u64 = 100_000;

const PER_ACCOUNT: &str = "liquidate_batch_per_account";
const GUARDED_PER_ACCOUNT: &str = "liquidate_batch_guarded_per_account";

/// Samples of compute units, by instruction.
#[derive(Default)]
struct Table(BTreeMap<&'static str, Vec<u64>>);

impl Table {
    fn add(&mut self, instruction: &'static str, outcome: &Outcome) {
        self.0.entry(instruction).or_default().push(outcome.compute_units);
    }

    fn push(&mut self, figure: &'static str, units: u64) {
        self.0.entry(figure).or_default().push(units);
    }

    fn figures(&self) -> impl Iterator<Item = (&'static str, u64, u64, usize)> {
        self.0.iter().map(|(name, samples)| {
            let mut sorted = samples.clone();
            sorted.sort_unstable();
            (
                *name,
                sorted[(sorted.len() - 1) / 2],
                sorted[sorted.len() - 1],
                sorted.len(),
            )
        })
    }

    fn max(&self, instruction: &str) -> u64 {
        self.0[instruction].iter().copied().max().unwrap_or_default()
    }
}

/// The kinds of market that are measured: each feed kind and each token program.
fn specs() -> [MarketSpec; 4] {
    let pull = MarketSpec::default();
    let push = MarketSpec {
        collateral_feed: FeedSpec::push("SOL/USD", usd(100)),
        quote_feed: FeedSpec::push("USDC/USD", usd(1)),
        ..pull.clone()
    };
    let token_2022 = |spec: &MarketSpec| MarketSpec {
        collateral: MintSpec::token_2022("SOL", 9, &[]),
        quote: MintSpec::token_2022("USDC", 6, &[]),
        ..spec.clone()
    };
    let (pull_2022, push_2022) = (token_2022(&pull), token_2022(&push));
    [pull, push, pull_2022, push_2022]
}

/// A bench with money on it, and the table that its steps are entered in.
struct Bench<'a> {
    world: World,
    market: MarketKeys,
    rich: Actor,
    keeper: Actor,
    table: &'a mut Table,
}

impl<'a> Bench<'a> {
    fn new(spec: &MarketSpec, table: &'a mut Table) -> Self {
        let mut world = World::lite();
        table.add("initialize", &world.initialize().unwrap());
        let (market, create) = world.prepare_market(spec);
        let authority = world.authority().clone();
        table.add("create_market", &world.send(&[create], &[&authority]).unwrap());
        world.adopt(market);
        // As deep as the largest positions need.
        let deep = Config {
            market_depth: DEPTH,
            debt_cap: Quote(DEPTH.0 * 200),
            ..spec.config
        };
        world.set_config(&market, deep);
        let rich = world.trader(&market, "rich", 100_000_000 * SOL, 10_000_000_000 * USDC);
        let keeper = world.actor("keeper");
        world.fund(&keeper, &market.quote_mint, 0);
        table.add(
            "open_keeper_ledger",
            &world.open_keeper_ledger(&market, &keeper).unwrap(),
        );
        Self {
            world,
            market,
            rich,
            keeper,
            table,
        }
    }

    /// With money in pool and backstop.
    fn funded(spec: &MarketSpec, table: &'a mut Table) -> Self {
        let mut bench = Self::new(spec, table);
        bench
            .world
            .supply(&bench.market, &bench.rich, 1_000_000 * USDC)
            .unwrap();
        bench
            .world
            .fund_backstop(&bench.market, &bench.rich, 100_000 * USDC)
            .unwrap();
        bench
    }

    /// An account of 10 SOL with `debt` dollars of debt, both times `scale`.
    fn borrower(&mut self, id: u16, debt: u64, scale: u64) -> Position {
        let Self {
            world,
            market,
            rich,
            table,
            ..
        } = self;
        let open = ix::open_account(market, &rich.key(), &rich.key(), id);
        table.add("open_account", &world.send(&[open], &[rich]).unwrap());
        let position = Position::new(market, rich, id);
        table.add(
            "deposit_collateral",
            &world.deposit(&position, scale * 10 * SOL).unwrap(),
        );
        table.add("borrow", &world.borrow(&position, scale * debt * USDC).unwrap());
        position
    }

    fn minute(&mut self, dollars: i64) {
        self.world.advance(60);
        let feed = self.market.collateral_feed;
        self.world
            .set_price(&feed, usd(dollars), usd(dollars).unsigned_abs() / 1_000);
        self.table
            .add("observe_price", &self.world.observe_price(&self.market).unwrap());
    }

    /// Everything but liquidations.
    fn everyday(&mut self) {
        for _ in 0..4 {
            let supplied = self.world.supply(&self.market, &self.rich, 1_000_000 * USDC).unwrap();
            self.table.add("supply", &supplied);
            let funded = self
                .world
                .fund_backstop(&self.market, &self.rich, 10_000 * USDC)
                .unwrap();
            self.table.add("fund_backstop", &funded);
            self.minute(100);
        }
        for id in 0..4 {
            let position = self.borrower(id, 500, 1);
            self.minute(100);
            let (world, table) = (&mut self.world, &mut *self.table);
            table.add(
                "withdraw_collateral",
                &world.withdraw_collateral(&position, SOL).unwrap(),
            );
            table.add("repay", &world.repay(&position, 100 * USDC).unwrap());
            table.add("repay", &world.repay(&position, u64::MAX).unwrap());
            table.add(
                "withdraw_collateral",
                &world.withdraw_collateral(&position, 9 * SOL).unwrap(),
            );
            table.add("close_account", &world.close(&position).unwrap());
            let withdrawn = world
                .withdraw(&self.market, &self.rich, 1_000_000_000 * USDC / 10)
                .unwrap();
            table.add("withdraw", &withdrawn);
        }
    }

    /// Liquidations of every extent, out of cash and by assuming debt, and the sale of what they bring in.
    fn crash(&mut self) {
        let positions: Vec<Position> = [690, 680, 670, 660, 650, 640]
            .map(|debt| {
                let id = 100 + u16::try_from(debt).unwrap();
                self.borrower(id, debt, 1)
            })
            .into();
        let whole = self.borrower(99, 690, 1);
        self.minute(82);
        for position in &positions[..3] {
            let outcome = self.world.liquidate(&self.keeper, position).unwrap();
            self.table.add("liquidate", &outcome);
        }
        self.minute(70);
        for position in [&positions[3], &positions[4], &positions[5], &whole] {
            let outcome = self.world.liquidate(&self.keeper, position).unwrap();
            self.table.add("liquidate", &outcome);
        }
        for _ in 0..4 {
            self.minute(70);
            let bought = self
                .world
                .buy_inventory(&self.market, &self.rich, SOL / 100, u64::MAX)
                .unwrap();
            self.table.add("buy_inventory", &bought);
        }
        let claimed = self.world.claim_bounty(&self.market, &self.keeper).unwrap();
        self.table.add("claim_bounty", &claimed);
    }

    /// A year passes, and money for [`LARGE`] positions comes in: then the numbers fill their words. The backstop's
    /// cash pays for a part of such positions only.
    fn grow(&mut self) {
        self.world.advance(365 * 86_400);
        self.minute(100);
        // Not entered: the first to act after a year pays for the whole year's interest.
        self.world
            .supply(&self.market, &self.rich, 6_000_000_000 * USDC)
            .unwrap();
        self.world
            .fund_backstop(&self.market, &self.rich, 500_000_000 * USDC)
            .unwrap();
    }

    /// Batches of growing size; what an account adds, between the smallest and each larger one.
    fn batches(&mut self, first: u16, scale: u64) {
        let mut next = first;
        let mut alone = 0;
        for size in [1usize, 4, 8, 16, 24] {
            self.minute(100);
            let positions: Vec<Position> = (0..size)
                .map(|_| {
                    next += 1;
                    self.borrower(next, 690, scale)
                })
                .collect();
            self.minute(82);
            let accounts: Vec<&Position> = positions.iter().collect();
            let outcome = self.send_batch(&accounts);
            assert_eq!(outcome.liquidated().len(), size, "every account is liquidated");
            self.table.add("liquidate_batch", &outcome);
            if size == 1 {
                alone = outcome.compute_units;
            } else {
                let added = (outcome.compute_units - alone).div_ceil(u64::try_from(size - 1).unwrap());
                self.table.push(PER_ACCOUNT, added);
            }
        }
    }

    fn send_batch(&mut self, positions: &[&Position]) -> Outcome {
        let accounts: Vec<Pubkey> = positions.iter().map(|position| position.address).collect();
        let batch = ix::liquidate_batch(&self.market, &self.keeper.key(), &accounts);
        let addresses: Vec<Pubkey> = batch.accounts.iter().map(|meta| meta.pubkey).collect();
        let table = self.world.lookup_table("batch", &addresses);
        self.world
            .send_with_tables(&[batch], &[&self.keeper], &[table])
            .unwrap()
    }

    /// The largest batch that fits the network's limits: bytes, and 64 accounts a transaction.
    fn capacity(&mut self) -> usize {
        const ACCOUNT_LOCKS: usize = 64;
        let mut fits = 0;
        for count in 1.. {
            let accounts: Vec<Pubkey> = (0..count)
                .map(|index| Position::new(&self.market, &self.rich, index).address)
                .collect();
            let batch = ix::liquidate_batch(&self.market, &self.keeper.key(), &accounts);
            let addresses: Vec<Pubkey> = batch.accounts.iter().map(|meta| meta.pubkey).collect();
            // The fee payer, the compute budget program and Breakwater itself are locked, too.
            let locks = addresses.len() + 3;
            let table = self.world.lookup_table("capacity", &addresses);
            let bytes = self.world.transaction_size(&[batch], &[&self.keeper], &[table]);
            if locks > ACCOUNT_LOCKS || bytes > TRANSACTION_BYTES {
                break;
            }
            fits = usize::from(count);
        }
        fits
    }
}

/// Liquidations that the units of a block suffice for, whatever the level.
fn liquidations_in_a_block(table: &Table) -> u64 {
    ACCOUNT_BUDGET / table.max(PER_ACCOUNT).max(table.max(GUARDED_PER_ACCOUNT))
}

/// The same as the network counts when it packs a block: batches as large as a transaction holds, each with what the cost
/// model adds to its compute units. Source: Agave's cost model (`block_cost_limits`).
fn liquidations_in_a_packed_block(table: &Table, capacity: usize) -> u64 {
    const WRITE_LOCK: u64 = 300;
    const SIGNATURE: u64 = 720;
    /// For each 32 KiB that a transaction may load.
    const PAGE: u64 = 8;
    let loaded = u64::from(LOADED_BYTES).div_ceil(32 * 1_024) * PAGE;
    let accounts = u64::try_from(capacity).unwrap_or(u64::MAX);
    let alone = table.max("liquidate").max(table.max("liquidate_guarded"));
    let further = table.max(PER_ACCOUNT).max(table.max(GUARDED_PER_ACCOUNT));
    let execution = alone + (accounts - 1) * further + u64::from(OWN_UNITS);
    // Written besides the margin accounts: the market, the ledger, and the keeper's wallet, which pays the fee.
    let cost = execution + WRITE_LOCK * (accounts + 3) + SIGNATURE + loaded;
    ACCOUNT_BUDGET * accounts / cost
}

fn markdown(table: &Table, capacity: usize) -> String {
    let mut text = String::from(
        "# Compute units\n\n\
         Generated by `make cu` on the compiled program; CI fails if a figure moves by more than 1%. Each instruction is sampled in markets\n\
         with pull and with push feeds, with classic tokens and with Token-2022. Liquidations in a batch are of positions\n\
         of 10 SOL in a new market, and of 1,000,000 SOL a year later. `guarded`: while the market is Guarded;\n\
         `resting`: a batch of 25 accounts that all rest; `redeemable`: in a market with four feeds.\n\
         `with_debt`: a deposit that moves debt on the liquidation map; `crowded`: with the stress falls of the example, in a crowd.\n\
         `shown` and `known`: the same liquidations with the price accounts, and without them, at what the market knows;\n\
         `map_follows`: an observation with which the map moves after the price.\n\n\
         | instruction | median | max | samples | limit |\n|---|---:|---:|---:|---:|\n",
    );
    for (name, median, max, samples) in table.figures() {
        let limit = LIMITS
            .iter()
            .find(|(limited, _)| *limited == name)
            .map_or(String::new(), |(_, limit)| limit.to_string());
        let _ = writeln!(text, "| `{name}` | {median} | {max} | {samples} | {limit} |");
    }
    let per_block = liquidations_in_a_block(table);
    let packed = liquidations_in_a_packed_block(table, capacity);
    let _ = write!(
        text,
        "\n- Accounts in one `liquidate_batch` transaction with a lookup table: {capacity} (limit: at least 24).\n\
         - Liquidations of one market in one block, at the most an account of a batch costs, in the {ACCOUNT_BUDGET} compute\n  \
           units that a block may spend on one writable account: {per_block} (limit: at least 10,000).\n\
         - The same as the network's cost model counts, which adds 300 for each account written, 720 for the signature and 2,048 for\n  \
           the 8 MiB that the client lets a transaction load (16,384 without a limit), in batches of {capacity}: {packed}.\n"
    );
    text
}

/// True if two tables have the same lines, and figures within [`TOLERANCE`] of each other.
fn agree(committed: &str, measured: &str) -> bool {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let (committed, measured) = (words(committed), words(measured));
    committed.len() == measured.len()
        && committed
            .iter()
            .zip(&measured)
            .all(|(old, new)| match (old.parse::<u64>(), new.parse::<u64>()) {
                (Ok(old), Ok(new)) => old.abs_diff(new) * 100 <= TOLERANCE * old.min(new),
                _ => old == new,
            })
}

/// Measures everything and writes the tables.
///
/// # Panics
/// If the program refuses a step, a file cannot be written, or a figure is beyond its limit.
pub fn run() {
    let mut table = Table::default();
    let mut capacity = usize::MAX;
    for spec in specs() {
        let mut bench = Bench::new(&spec, &mut table);
        bench.everyday();
        bench.crash();
        bench.batches(1_000, 1);
        bench.grow();
        bench.batches(2_000, LARGE);
        // Its cash is gone: from here on it assumes debt, and the pool lends it the bounties.
        bench.batches(3_000, LARGE / 10);
        capacity = capacity.min(bench.capacity());
        guarded::steps(&spec, &mut table);
        map::crowd(&spec, &mut table);
        governance::once(&spec, &mut table);
        backing::guardians(&spec, &mut table);
        backing::settlements(&spec, &mut table);
        backing::known_prices(&spec, &mut table);
    }
    guarded::redeemable(&mut table);

    let root = root();
    let text = markdown(&table, capacity);
    print!("{text}");
    let json: serde_json::Map<String, serde_json::Value> = table
        .figures()
        .map(|(name, median, max, _)| (name.to_owned(), serde_json::json!({ "median": median, "max": max })))
        .collect();
    let write = |file: &str, content: &str| {
        let path = root.join(file);
        path.parent().into_iter().try_for_each(std::fs::create_dir_all).unwrap();
        std::fs::write(&path, content).unwrap();
    };
    write("target/cu.json", &format!("{:#}\n", serde_json::Value::Object(json)));
    let committed = std::fs::read_to_string(root.join("docs/reports/cu.md")).unwrap_or_default();
    if !agree(&committed, &text) {
        write("docs/reports/cu.md", &text);
        write(budget::FILE, &budget::rust(&table, &root));
    }

    for (name, limit) in LIMITS {
        assert!(
            table.max(name) <= limit,
            "{name} uses {} compute units, more than {limit}",
            table.max(name)
        );
    }
    assert!(capacity >= 24, "only {capacity} accounts fit into a transaction");
    let per_block = liquidations_in_a_block(&table);
    assert!(per_block >= 10_000, "only {per_block} liquidations fit into a block");
}

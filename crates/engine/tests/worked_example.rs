//! The worked example of `docs/backstop.md`, computed. The page holds exactly what this prints.

#![allow(clippy::cast_precision_loss, reason = "amounts for people to read")]

use breakwater_engine::{
    Bps, Clock, Collateral, Config, DepthAllocation, Error, FeedPin, Feeds, GuardianPosition, GuardianShares,
    KeeperLedger, Key, LpShares, MarginAccount, Market, NewMarket, Prices, Quote, RawReading, Readings,
    price::oracle::{FEED_PULL, PriceUse},
};
use std::fmt::Write;

const SOL: u64 = 1_000_000_000;
const USDC: u64 = 1_000_000;

/// A market and a clock. Without interest, which would blur the numbers.
struct Walkthrough {
    market: Market,
    clock: Clock,
    text: String,
}

impl Walkthrough {
    fn new() -> Self {
        let pin = |id| FeedPin {
            key: Key([id; 32]),
            owner: Key([11; 32]),
            kind: FEED_PULL,
            padding: [0; 7],
        };
        let clock = Clock {
            unix: 1_700_000_000,
            slot: 1,
        };
        // Guards wide open, and another depth: the example is about the books.
        let config = Config {
            max_velocity: Bps(10_000),
            velocity_slack: Bps(10_000),
            own_ema_band: Bps(10_000),
            ema_band: Bps(10_000),
            auction_floor_band: Bps(10_000),
            interest_base: Bps(0),
            interest_slope_low: Bps(0),
            interest_slope_high: Bps(0),
            market_depth: Quote(250_000 * USDC),
            supply_cap: Quote(2_000_000 * USDC),
            debt_cap: Quote(2_000_000 * USDC),
            account_debt_cap: Quote(1_000_000 * USDC),
            ..Config::EXAMPLE
        };
        assert_eq!(config.validate(), Ok(()));
        let mut market: Market = bytemuck::Zeroable::zeroed();
        market
            .initialize(&NewMarket {
                id: 0,
                bump: 255,
                collateral: (Key([1; 32]), 9, Key([2; 32])),
                quote: (Key([3; 32]), 6, Key([4; 32])),
                lp_mint: Key([5; 32]),
                feeds: Feeds {
                    collateral: pin(6),
                    quote: pin(7),
                    base: FeedPin::NONE,
                    rate: FeedPin::NONE,
                },
                depth: DepthAllocation {
                    budget: Key([7; 32]),
                    share: Bps(10_000),
                },
                config: config.first(),
                clock,
            })
            .unwrap();
        // As governance would have raised it.
        market.config = config;
        let head = format!(
            "{:<36}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
            "", "cash", "SOL", "book", "debt", "equity", "guardians", "protocol", "cover"
        );
        Self {
            market,
            clock,
            text: head,
        }
    }

    /// SOL at this price, exactly.
    fn prices(&mut self, usage: PriceUse, dollars: i64) -> Prices {
        let reading = |price| RawReading {
            price,
            conf: 0,
            expo: 0,
            ema_price: price,
            publish_time: self.clock.unix,
        };
        let readings = Readings::of(reading(dollars), reading(1));
        self.clock.slot += 1;
        self.market.accept_prices(&readings, usage, self.clock).unwrap()
    }

    /// One line of the balance sheet.
    fn line(&mut self, what: &str, dollars: i64) {
        let prices = self.prices(PriceUse::Observe, dollars);
        let s = self.market.balance_sheet(&prices, self.clock).unwrap();
        let usdc = |atoms: i128| (atoms as f64 / USDC as f64).round();
        let quote = |amount: Quote| usdc(i128::from(amount.0));
        writeln!(
            self.text,
            "{:<36}{:>9}{:>10.1}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
            what,
            quote(s.cash),
            s.inventory.0 as f64 / SOL as f64,
            quote(s.inventory_book),
            quote(s.debt),
            usdc(s.equity),
            quote(s.guardians),
            usdc(s.protocol),
            usdc(s.cover.cover),
        )
        .unwrap();
    }

    fn open(&mut self, sol: u64, usdc: u64) -> MarginAccount {
        let prices = self.prices(PriceUse::Borrow, 100);
        let mut account = MarginAccount::new(Key([8; 32]), Key([9; 32]), 0, 255);
        self.market
            .deposit_collateral(&mut account, Collateral(sol * SOL))
            .unwrap();
        self.market
            .borrow(&mut account, Quote(usdc * USDC), &prices, self.clock)
            .unwrap();
        account
    }

    fn liquidate(&mut self, account: &mut MarginAccount, dollars: i64) -> Result<(), Error> {
        let prices = self.prices(PriceUse::Liquidate, dollars);
        let mut ledger = KeeperLedger::new(Key([8; 32]), Key([10; 32]), 255);
        let mut liquidations = self.market.liquidations(&prices, self.clock).unwrap();
        liquidations.liquidate(account, &mut ledger).map(drop)
    }

    /// Sells all that is on offer, every ten minutes, until nothing is left. Returns how long that takes, minutes.
    fn sell_all(&mut self, dollars: i64) -> i64 {
        let begin = self.clock.unix;
        while self.market.books.backstop.inventory > Collateral(0) {
            self.clock.unix += 600;
            let prices = self.prices(PriceUse::Sell, dollars);
            let amount = self.market.offer(&prices, self.clock).unwrap().available;
            self.market
                .buy_inventory(amount, Quote(u64::MAX), &prices, self.clock)
                .unwrap();
        }
        (self.clock.unix - begin) / 60
    }

    fn note(&mut self, text: std::fmt::Arguments) {
        writeln!(self.text, "{text}").unwrap();
    }
}

/// Everybody is in, SOL stands at 100. Returns Alice's and Bob's accounts.
fn begun() -> (Walkthrough, MarginAccount, MarginAccount) {
    let mut walkthrough = Walkthrough::new();
    let clock = walkthrough.clock;
    let mut guardian = GuardianPosition::new(Key([8; 32]), Key([12; 32]), 255);
    let market = &mut walkthrough.market;
    market.supply(Quote(1_000_000 * USDC), LpShares(0), clock).unwrap();
    market.fund_backstop(Quote(50_000 * USDC), clock).unwrap();
    let stake = Quote(30_000 * USDC);
    market
        .guardian_deposit(&mut guardian, stake, GuardianShares(0), Quote(0), clock)
        .unwrap();
    let alice = walkthrough.open(2_000, 130_000);
    let bob = walkthrough.open(10_000, 650_000);
    (walkthrough, alice, bob)
}

#[test]
fn a_fall_by_what_the_cover_stands_costs_the_suppliers_nothing() {
    let (mut walkthrough, mut alice, mut bob) = begun();
    for account in [&mut alice, &mut bob] {
        walkthrough.liquidate(account, 62).unwrap();
        assert_eq!(account.collateral, Collateral(0), "taken over");
    }
    walkthrough.sell_all(62);
    assert_eq!(walkthrough.market.books.backstop.debt_shares.0, 0);
    assert!(walkthrough.market.books.backstop.cash > Quote(0));
    assert_eq!(
        walkthrough.market.settle_deficit(None, walkthrough.clock),
        Err(Error::NothingToSettle)
    );
}

#[test]
fn the_page_says_what_the_engine_does() {
    let (mut walkthrough, mut alice, mut bob) = begun();
    walkthrough.line("1 before, SOL at 100", 100);
    walkthrough.liquidate(&mut alice, 80).unwrap();
    walkthrough.line("2 Alice is liquidated at 80", 80);
    walkthrough.liquidate(&mut bob, 80).unwrap();
    walkthrough.line("3 Bob, as far as the pipeline goes", 80);
    assert_eq!(walkthrough.liquidate(&mut bob, 80), Err(Error::PipelineFull));
    let minutes = walkthrough.sell_all(80);
    walkthrough.line(&format!("4 all is sold at 80, in {minutes} min"), 80);
    walkthrough.line("5 SOL gaps to 50: Bob is under", 50);
    walkthrough.liquidate(&mut bob, 50).unwrap();
    walkthrough.line("6 Bob is taken over whole", 50);
    let minutes = walkthrough.sell_all(50);
    walkthrough.line(&format!("7 all is sold at 50, in {minutes} min"), 50);
    let before = walkthrough.market.books.pool.assets().unwrap();
    let settlement = walkthrough.market.settle_deficit(None, walkthrough.clock).unwrap();
    let after = walkthrough.market.books.pool.assets().unwrap();
    let usdc = |amount: Quote| amount.0 as f64 / USDC as f64;
    walkthrough.note(format_args!(
        "8 settled: protocol {:.2}, guardians {:.2}, suppliers {:.2}",
        usdc(settlement.protocol),
        usdc(settlement.guardians),
        usdc(settlement.suppliers),
    ));
    walkthrough.note(format_args!(
        "  suppliers own {:.2} instead of {:.2}: the LP price falls by {:.2}%",
        usdc(after),
        usdc(before),
        100.0 * (1.0 - usdc(after) / usdc(before)),
    ));
    assert_eq!(walkthrough.market.books.guardians.claim, Quote::ZERO);
    assert_eq!(before.0 - after.0, settlement.suppliers.0);

    compare(&walkthrough);
}

/// The page holds what was told.
fn compare(walkthrough: &Walkthrough) {
    let page = include_str!("../../../docs/backstop.md");
    let walkthrough = &walkthrough.text;
    let walkthrough: Vec<&str> = walkthrough.lines().map(str::trim_end).collect();
    let block = walkthrough.join("\n");
    assert!(page.contains(&block), "docs/backstop.md should hold:\n{block}");
}

/// The suppliers' assets and the debt that may come back to them.
fn suppliers(walkthrough: &mut Walkthrough, what: &str) {
    let books = &walkthrough.market.books;
    let usdc = |amount: Quote| (amount.0 as f64 / USDC as f64).round();
    let all = books.pool.lp_supply;
    let value = walkthrough.market.lp_value(all, walkthrough.clock).unwrap();
    let line = format!(
        "{:<36}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
        what,
        (books.backstop.inventory.0 as f64 / SOL as f64).round(),
        usdc(
            walkthrough
                .market
                .books
                .pool
                .index
                .debt(books.backstop.debt_shares)
                .unwrap()
        ),
        usdc(books.recovery.written_off),
        usdc(value.assets),
        usdc(value.impaired),
        usdc(value.amount),
        usdc(books.guardians.claim),
    );
    walkthrough.text.push_str(&line);
}

#[test]
fn the_page_says_what_a_settlement_in_part_does() {
    let (mut walkthrough, mut alice, mut bob) = begun();
    for account in [&mut alice, &mut bob] {
        walkthrough.liquidate(account, 50).unwrap();
    }
    let head = format!(
        "{:<36}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
        "", "SOL", "debt", "written", "assets", "impaired", "leave for", "guardians"
    );
    walkthrough.text = head;
    suppliers(&mut walkthrough, "a taken over at 50");
    assert_eq!(
        walkthrough.market.supply(Quote(USDC), LpShares(0), walkthrough.clock),
        Err(Error::PoolImpaired)
    );
    // Until the averages are there.
    for _ in 0..200 {
        walkthrough.clock.unix += 600;
        walkthrough.prices(PriceUse::Borrow, 50);
    }
    let prices = walkthrough.prices(PriceUse::Borrow, 50);
    walkthrough
        .market
        .settle_deficit(Some(&prices), walkthrough.clock)
        .unwrap();
    suppliers(&mut walkthrough, "b settled in part");
    assert_eq!(
        walkthrough.market.supply(Quote(USDC), LpShares(0), walkthrough.clock),
        Err(Error::WrittenOff)
    );
    let settled = (walkthrough.market, walkthrough.clock);
    walkthrough.sell_all(56);
    suppliers(&mut walkthrough, "c all is sold at 56");
    (walkthrough.market, walkthrough.clock) = settled;
    walkthrough.sell_all(65);
    suppliers(&mut walkthrough, "d or at 65");
    compare(&walkthrough);
}

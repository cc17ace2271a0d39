//! Measures the keeper's index against a naive scan: memory, updates, and a tick of the price that makes some accounts
//! liquidatable. `xtask index [ACCOUNTS] [LIQUIDATABLE]`, by default a million and a thousand. Fails beyond the limits:
//! 100 bytes an account, and 2 ms for a tick.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use breakwater_engine::{Bps, Clock, Collateral, DebtShares, Key, MarginAccount, Market, Price, Quote, math::num};
use breakwater_keeper::index::{AccountIndex, Entry, Moment};

/// Counts what is allocated.
struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grown(by: usize) {
    PEAK.fetch_max(ALLOCATED.fetch_add(by, Relaxed) + by, Relaxed);
}

#[allow(unsafe_code, reason = "an allocator is")]
// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grown(size);
        ALLOCATED.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MOST_BYTES: f64 = 100.0;
const LONGEST_TICK: Duration = Duration::from_millis(2);
const CLOCK: Clock = Clock {
    unix: 1_735_000_000,
    slot: 300_000_000,
};

/// A sequence of numbers that is the same in every run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from)
    }

    /// An account of 0.1 to 1,000 SOL that is liquidated at prices from $20 to $95.
    fn account(&mut self) -> (Key, MarginAccount) {
        let mut address = [0; 32];
        address
            .chunks_mut(8)
            .for_each(|chunk| chunk.copy_from_slice(&self.next().to_le_bytes()));
        let collateral = self.between(100_000_000, 1_000_000_000_000);
        // Quote atoms for one SOL, and 1,024 shares for a quote atom.
        let debt_of_one = self.between(20_000_000, 95_000_000) * 8 / 10;
        let shares = u128::from(collateral) * u128::from(debt_of_one) * 1_024 / 1_000_000_000;
        let account = MarginAccount {
            collateral: Collateral(collateral),
            debt_shares: DebtShares(u64::try_from(shares).expect("below 2^64")),
            ..bytemuck::Zeroable::zeroed()
        };
        (Key(address), account)
    }
}

fn market() -> Box<Market> {
    let mut market: Box<Market> = Box::new(bytemuck::Zeroable::zeroed());
    market.config = breakwater_engine::Config::EXAMPLE;
    market.config.liquidation_ltv = Bps(8_000);
    market.books.pool = breakwater_engine::Pool::new(CLOCK.unix);
    market.books.pool.cash = Quote(1 << 60);
    market.books.pool.debt_shares = DebtShares(1 << 60);
    market
}

/// Shares of an atom each at its first index: the price of ρ is ρ × index ÷ liquidation LTV.
fn price_of(market: &Market, entry: &Entry) -> Price {
    let index = market.books.pool.index.raw();
    let raw = u128::from(entry.debt_shares.0) * index / u128::from(entry.collateral.0) * u128::from(num::BPS) / 8_000;
    Price::from_raw(raw)
}

/// The median of several runs.
fn timed<T>(mut run: impl FnMut() -> T) -> (T, Duration) {
    let mut times = Vec::new();
    let mut result = None;
    for _ in 0..21 {
        let start = Instant::now();
        result = Some(black_box(run()));
        times.push(start.elapsed());
    }
    times.sort_unstable();
    (result.expect("it ran"), times[times.len() / 2])
}

/// Measures `count` accounts and a tick that makes `wanted` of them liquidatable; whether it is within the limits.
///
/// # Panics
/// If there are no more than `wanted` accounts.
#[allow(clippy::cast_precision_loss, reason = "figures for people")]
pub fn run(count: usize, wanted: usize) -> bool {
    let market = market();
    let mut numbers = Numbers(1);
    let accounts: Vec<(Key, MarginAccount)> = (0..count).map(|_| numbers.account()).collect();

    let before = ALLOCATED.load(Relaxed);
    PEAK.store(before, Relaxed);
    let start = Instant::now();
    let mut index = AccountIndex::new();
    for (address, account) in &accounts {
        index.update(Entry::new(*address, account, 1));
    }
    let filled = start.elapsed();
    let bytes = |of: usize| (of - before) as f64 / count as f64;
    let (held, peak) = (bytes(ALLOCATED.load(Relaxed)), bytes(PEAK.load(Relaxed)));
    println!("{count} accounts: {held:.1} bytes each, {peak:.1} at most while it grew; filled in {filled:.2?}");

    // Half of all accounts borrow, repay, are closed or come back: what months do to the memory.
    let start = Instant::now();
    for round in 0..count / 2 {
        let at = usize::try_from(numbers.next() % count as u64).expect("64 bits");
        let (address, account) = &accounts[at];
        let changed = Entry::new(*address, &numbers.account().1, 2);
        match round % 4 {
            0 => drop(index.remove(&changed.address, 2)),
            _ => drop(index.update(changed)),
        }
        if round % 4 == 0 {
            index.update(Entry::new(*address, account, 2));
        }
    }
    let each = start.elapsed() / u32::try_from(count / 2 * 5 / 4).expect("32 bits");
    let churned = bytes(ALLOCATED.load(Relaxed));
    println!(
        "after {} changes: {churned:.1} bytes each; {each:.2?} a change",
        count / 2 * 5 / 4
    );

    let edge = index.nearest().nth(wanted).expect("more accounts than that");
    let price = price_of(&market, edge);
    let everybody: Vec<MarginAccount> = index.iter().map(|entry| entry.account(Key([0; 32]))).collect();
    let (found, tick) = timed(|| {
        let moment = Moment::new(&market, price, CLOCK).expect("a valid market");
        index
            .liquidatable(&moment)
            .map(|entry| entry.address)
            .collect::<Vec<_>>()
    });
    let (scanned, scan) = timed(|| {
        let liquidatable = |account: &&MarginAccount| market.is_liquidatable(account, price, CLOCK) == Ok(true);
        everybody.iter().filter(liquidatable).count()
    });
    println!(
        "a tick that makes {} liquidatable: {tick:.2?} by the index",
        found.len()
    );
    println!(
        "the same by a scan with Market::is_liquidatable: {scan:.2?} ({:.0} times as long)",
        scan.as_secs_f64() / tick.as_secs_f64()
    );

    let fine = held <= MOST_BYTES && churned <= MOST_BYTES && tick <= LONGEST_TICK && found.len() == scanned;
    if !fine {
        eprintln!("beyond the limits: {MOST_BYTES} bytes, {LONGEST_TICK:?}, the scan found {scanned}");
    }
    fine
}

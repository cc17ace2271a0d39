use super::*;
use crate::{config::tests::CONFIG, oracle::tests::prices};
use proptest::prelude::*;

fn at(conf: u64) -> BackstopPrices {
    BackstopPrices::new(&CONFIG, &prices(100_0000_0000, conf)).unwrap()
}

fn room(config: &Config, backstop: &Backstop, pool: &Pool, penalty: u32) -> Result<Quote> {
    Capacity::of(backstop, pool, at(0).stressed)?.room(config, &at(0), Bps(penalty))
}

fn pool(backstop_debt: u64) -> (Pool, DebtShares) {
    let mut pool = Pool::new(0);
    pool.cash = Quote(1 << 50);
    let shares = pool.lend(Quote(backstop_debt)).unwrap();
    (pool, shares)
}

#[test]
fn a_worked_example() {
    // Equity 1,000,000 in cash, leverage 8, haircut 5%, β = 2%: v = 1.02 × 0.95 = 96.9%.
    // x = (8 × 1,000,000 + 1,000,000) / (1 + 8 × 0.031) = 7,211,538
    let (pool, _) = pool(0);
    let backstop = Backstop {
        cash: Quote(1_000_000_000_000),
        ..bytemuck::Zeroable::zeroed()
    };
    // less what rounding v down to 2^-20 costs
    let room = room(&CONFIG, &backstop, &pool, 200).unwrap().0;
    assert!((7_211_500_000_000..=7_211_538_461_538).contains(&room), "{room}");
}

#[test]
fn no_equity_no_room() {
    let (pool, debt_shares) = pool(1_000_000);
    let broke = Backstop {
        debt_shares,
        ..bytemuck::Zeroable::zeroed()
    };
    assert_eq!(room(&CONFIG, &broke, &pool, 200), Ok(Quote::ZERO));
    let empty: Backstop = bytemuck::Zeroable::zeroed();
    assert_eq!(room(&CONFIG, &empty, &pool, 200), Ok(Quote::ZERO));
}

#[test]
fn the_inventory_cap_binds() {
    let (pool, _) = pool(0);
    let config = Config {
        inventory_cap: Collateral(10_000_000_000),
        ..CONFIG
    };
    let backstop = Backstop {
        cash: Quote(1 << 50),
        inventory: Collateral(9_000_000_000),
        ..bytemuck::Zeroable::zeroed()
    };
    // room for 1 unit of collateral: 100 quote, less the penalty that comes with it
    assert_eq!(room(&config, &backstop, &pool, 200), Ok(Quote(98_039_214)));
    let full = Backstop {
        inventory: Collateral(10_000_000_001),
        ..backstop
    };
    assert_eq!(room(&config, &full, &pool, 200), Ok(Quote::ZERO));
}

fn capacity() -> Capacity {
    Capacity {
        assets: Quote(1_000),
        liabilities: Quote(600),
        cash: Quote(100),
        inventory: Collateral(70),
    }
}

#[test]
fn what_is_taken_over_is_owed_and_held() {
    // One quote atom for one collateral atom; inventory counts at one half.
    let marks = Marks::new(BackstopPrices {
        price: Price::from_raw(num::ONE),
        stressed: Price::from_raw(num::ONE / 2),
    })
    .unwrap();
    let after = capacity().after(Quote(30), Collateral(31), &marks);
    let expected = Capacity {
        assets: Quote(1_015),
        liabilities: Quote(630),
        cash: Quote(100),
        inventory: Collateral(101),
    };
    assert_eq!(after, Ok(expected));
    let paid = Capacity {
        liabilities: Quote(607),
        ..capacity()
    };
    assert_eq!(capacity().after_paying(Quote(7)), Ok(paid));
    assert_eq!((capacity().equity(), paid.equity()), (400, 393));
    let broke = Capacity {
        assets: Quote(599),
        ..capacity()
    };
    assert_eq!(broke.equity(), 0);
}

#[test]
fn the_limits_are_inclusive() {
    // Equity 400, net debt 500.
    let with = |leverage, cap| Config {
        backstop_leverage: Bps(leverage),
        inventory_cap: Collateral(cap),
        ..CONFIG
    };
    assert!(capacity().is_within(&with(12_500, 70)));
    assert!(!capacity().is_within(&with(12_499, 70)));
    assert!(!capacity().is_within(&with(12_500, 69)));
    assert!(capacity().is_within(&with(12_500, 71)));
    let rich = Capacity {
        cash: Quote(601),
        ..capacity()
    };
    assert!(rich.is_within(&with(0, 70)), "no net debt");
    let worth_nothing = Capacity {
        assets: Quote(600),
        cash: Quote(600),
        ..capacity()
    };
    assert!(worth_nothing.is_within(&with(0, 70)));
    let broke = Capacity {
        assets: Quote(599),
        cash: Quote(600),
        ..capacity()
    };
    assert!(!broke.is_within(&with(200_000, 70)));
}

#[test]
fn income_tells_penalties_deficits_and_gains_apart() {
    let terms = Terms {
        extent: crate::sizing::Extent::Partial,
        repay: Quote(1_000),
        seize: Collateral(10),
        worth: Quote(1_020),
        penalty: Bps(200),
        penalty_amount: Quote(20),
        deficit: Quote::ZERO,
    };
    let bad = Terms {
        worth: Quote(900),
        penalty_amount: Quote::ZERO,
        deficit: Quote(100),
        ..terms
    };
    let mut income: Income = bytemuck::Zeroable::zeroed();
    income.absorb(&terms);
    let told = |income: &Income| (income.book.0, income.penalties.0, income.deficits.0, income.gains);
    assert_eq!(told(&income), (1_020, 20, 0, 0));
    income.absorb(&bad);
    assert_eq!(told(&income), (1_920, 20, 100, 0));
    // A third of the inventory, 640 on the books, for 700; then the rest, 1,280, for 1,000.
    assert_eq!(income.sell(Collateral(30), Collateral(10), Quote(700)), 60);
    assert_eq!(told(&income), (1_280, 20, 100, 60));
    assert_eq!(income.sell(Collateral(20), Collateral(20), Quote(1_000)), -280);
    assert_eq!(told(&income), (0, 20, 100, -220));
}

#[test]
fn a_shortage_is_remembered_for_its_time() {
    let at = |unix| Clock { unix, slot: 0 };
    let memory = i64::from(CONFIG.external_memory);
    let mut shortage = Shortage { since: 0, seen_at: 0 };
    assert_eq!(shortage.note(&CONFIG, at(1_000)), 0);
    assert_eq!(shortage.note(&CONFIG, at(1_100)), 100);
    // To the second.
    assert_eq!(shortage.note(&CONFIG, at(1_100 + memory)), 100 + memory.unsigned_abs());
    assert_eq!(
        shortage,
        Shortage {
            since: 1_000,
            seen_at: 1_100 + memory
        }
    );
    let next = 1_101 + 2 * memory;
    assert_eq!(shortage.note(&CONFIG, at(next)), 0);
    assert_eq!(
        shortage,
        Shortage {
            since: next,
            seen_at: next
        }
    );
    shortage.clear();
    assert_eq!(shortage, Shortage { since: 0, seen_at: 0 });
}

proptest! {
    /// Absorbing the room keeps both limits, and the room is what the formula says in floating point.
    #[test]
    fn room_is_the_largest_absorption_that_fits(
        cash in 0u64..1 << 44, inventory in 0u64..1 << 44, debt in 0u64..1 << 40, conf in 0u64..3_0000_0000,
        penalty in 0u32..2_500, cap in 1u64..1 << 50, leverage in 0u32..200_000,
    ) {
        let config = Config { inventory_cap: Collateral(cap), backstop_leverage: Bps(leverage), ..CONFIG };
        let (pool, debt_shares) = pool(debt);
        let at = at(conf);
        let marks = Marks::new(at).unwrap();
        let before = Backstop { cash: Quote(cash), inventory: Collateral(inventory), debt_shares, ..bytemuck::Zeroable::zeroed() };
        let capacity = Capacity::of(&before, &pool, at.stressed).unwrap();
        let room = capacity.room(&config, &at, Bps(penalty)).unwrap().0;
        let equity = before.equity(&pool, marks.stressed).unwrap();
        let net_debt = i128::from(pool.index.debt(debt_shares).unwrap().0) - i128::from(cash);

        let brought = num::mul_div_floor(room, Bps(penalty).above_one(), BPS).unwrap();
        let after = capacity.after(Quote(room), marks.price.worth(Quote(brought)).unwrap(), &marks).unwrap();
        if room > 0 {
            // within the limits but for rounding: an atom of equity, twice
            let rounded = Capacity { assets: Quote(after.assets.0 + 2), ..after };
            prop_assert!(rounded.is_within(&config), "{after:?}");
        }

        let leverage = f64::from(leverage) / 1e4;
        let grossed = 1.0 + f64::from(penalty) / 1e4;
        let v = (grossed * at.ratio() as f64 / f64::from(1 << RATIO_BITS)).min(1.0);
        let by_leverage = (leverage * equity as f64 - net_debt as f64) / (1.0 + leverage * (1.0 - v));
        let by_inventory = cap.saturating_sub(inventory) as f64 * 0.1 / grossed;
        let exact = by_leverage.min(by_inventory).max(0.0);
        prop_assert!((room as f64 - exact).abs() <= exact * 1e-6 + 3.0, "{room} {exact}");
    }
}

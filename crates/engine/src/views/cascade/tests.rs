use super::*;
use crate::{
    account::sizing::{self, Extent},
    config::{Config, tests::CONFIG},
    error::Error::Overflow,
    math::{
        num::ONE,
        units::{DebtShares, Divisor},
    },
    pool::Pool,
    price::oracle::tests::{NOW, prices},
};
use proptest::prelude::*;

/// 1 bps is so many units of this module's prices.
const BP: f64 = 65_536.0;
/// Price of a collateral atom in the tests.
const PRICE: u64 = 2;
/// With this, and a map that begins five octaves below, band 160 is the first that is due at the price.
const LTV: Bps = Bps(5_000);
const HERE: usize = 160;

/// A map whose band b reaches from 2^((b − 160) ÷ 32) × the price on.
fn map(debts: &[(usize, u64)]) -> LiquidationMap {
    let mut map = LiquidationMap {
        origin: -160,
        ..bytemuck::Zeroable::zeroed()
    };
    for (band, debt) in debts {
        map.bands[*band] = DebtShares(*debt);
    }
    map
}

/// Deep enough that one quote atom more or less is nothing, with sales that never recover and do not thin the market.
fn inputs(map: &LiquidationMap) -> Inputs<'_> {
    Inputs {
        price: Price::from_raw(ONE * u128::from(PRICE)),
        map,
        index: Index::from_raw(ONE),
        liquidation_ltv: LTV,
        takeover_ltv: Bps(9_500),
        target_ltv: Bps(4_500),
        penalty: Bps(100),
        bonus: Bps(600),
        close_factor: Bps(5_000),
        depth: Depth {
            percent: Quote(1_000_000_000),
            thinning: Bps(0),
            thinnest: Bps(10_000),
            half_life: 0,
            lasting: Bps(0),
        },
        flow: Quote(1_500_000_000),
        burst: 600,
        pipeline: 1_200,
        cash: Quote(0),
        owed: Quote(0),
        inventory: Collateral(0),
        stress_fall: Bps(3_800),
    }
}

fn curve(inputs: &Inputs<'_>) -> Curve {
    Curve::new(inputs).expect("valid")
}

fn at_once(curve: &Curve, news: u32, seller: Seller) -> End {
    curve.end(Bps(news), seller, Pace::AT_ONCE)
}

const SELLERS: [Seller; 3] = [Seller::Everyone, Seller::Keepers, Seller::Backstop];

#[test]
fn without_debt_the_price_ends_where_the_news_take_it() {
    let map = map(&[]);
    let curve = curve(&inputs(&map));
    for seller in SELLERS {
        for pace in [Pace::AT_ONCE, Pace::hours(4)] {
            for news in [0, 1, 99, 1_234, 5_000, 9_999, 10_000] {
                let none = Quote(0);
                let news = Bps(news);
                let end = End {
                    news,
                    fall: news,
                    liquidatable: none,
                    waiting: none,
                    unsold: none,
                };
                assert_eq!(curve.end(news, seller, pace), end);
            }
            assert_eq!(curve.critical(seller, pace), CRISIS);
        }
    }
    assert_eq!(
        (curve.gearing(), curve.delta(), curve.gamma()),
        (Bps(10_000), Quote(0), 0)
    );
    assert_eq!(curve.market_depth_ratio(Bps(500)), Bps(u32::MAX));
    assert_eq!(curve.backstop_depth_ratio(Bps(500)), Bps(u32::MAX));
}

#[test]
fn a_fall_beyond_everything_is_everything() {
    let map = map(&[(HERE - 1, 5_000_000_000)]);
    let curve = curve(&inputs(&map));
    assert_eq!(
        curve.end(Bps(u32::MAX), Seller::Everyone, Pace::AT_ONCE),
        curve.end(Bps(10_000), Seller::Everyone, Pace::AT_ONCE)
    );
}

#[test]
fn dumping_a_band_moves_the_price_by_its_debt_and_the_bonus() {
    // The band below the price, and one from 2^(-1/2) = 0.7071 up to 0.7226.
    let map = map(&[(HERE - 1, 5_000_000_000), (HERE - 16, 10_000_000_000)]);
    let curve = curve(&inputs(&map));
    // Nothing is due yet.
    assert_eq!(at_once(&curve, 0, Seller::Everyone).fall, Bps(0));
    // 5.3 units, for which 1.06 × debt is sold: 0.99 × e^-0.053 = 0.93890, a fall of 6.11%
    let end = at_once(&curve, 100, Seller::Everyone);
    assert_eq!(
        (end.fall, end.liquidatable, end.unsold),
        (Bps(612), Quote(5_000_000_000), Quote(0))
    );
    assert_eq!(
        end.own(),
        Bps(518),
        "e^-0.053 = 0.94838, and up to a basis point of the end"
    );
    assert_eq!(curve.gearing(), Bps(61_200));
    // 0.76 × e^-0.053 = 0.72078 is within the second band: e^-0.159 in all, 0.64827.
    let end = at_once(&curve, 2_400, Seller::Everyone);
    assert_eq!((end.fall, end.liquidatable), (Bps(3_518), Quote(15_000_000_000)));
    // 0.762 × e^-0.053 = 0.72268 is not.
    assert_eq!(at_once(&curve, 2_380, Seller::Everyone).fall, Bps(2_774));
    // 0.5 ÷ e^-0.159 = 0.58617: to the basis point of the end
    assert_eq!(curve.critical(Seller::Everyone, Pace::AT_ONCE), Bps(4_138));
    assert_eq!(at_once(&curve, 4_138, Seller::Everyone).fall, Bps(5_000));
    assert_eq!(at_once(&curve, 4_137, Seller::Everyone).fall, Bps(4_999));
}

#[test]
fn a_market_that_tips_goes_to_nothing() {
    // 100 units in each band: whoever is reached first takes all along.
    let debts: std::vec::Vec<(usize, u64)> = (0..HERE).map(|band| (band, 100_000_000_000)).collect();
    let map = map(&debts);
    let curve = curve(&inputs(&map));
    assert_eq!(at_once(&curve, 0, Seller::Everyone).fall, Bps(0));
    assert_eq!(at_once(&curve, 1, Seller::Everyone).fall, Bps(10_000));
    assert_eq!(curve.critical(Seller::Everyone, Pace::AT_ONCE), Bps(1));
    assert_eq!(curve.critical(Seller::Keepers, Pace::AT_ONCE), Bps(1));
    // With the backstop, a burst of 0.25 units and no more.
    assert_eq!(at_once(&curve, 1, Seller::Backstop).fall, Bps(26));
    // 0.5 ÷ e^-0.0025 = 0.50125
    assert_eq!(curve.critical(Seller::Backstop, Pace::AT_ONCE), Bps(4_987));
}

#[test]
fn who_is_due_already_sells_without_news() {
    // A band above the price; and the last, which has no upper edge.
    for band in [HERE, 255] {
        let map = map(&[(band, 5_000_000_000)]);
        let curve = curve(&inputs(&map));
        let end = at_once(&curve, 0, Seller::Everyone);
        assert_eq!((end.fall, end.liquidatable), (Bps(517), Quote(5_000_000_000)), "{band}");
        assert_eq!(curve.reached(Bps(0)), Quote(5_000_000_000));
        assert_eq!(curve.delta(), Quote(0));
    }
    // Half an octave lower, it is the price's own band, and counts from the first basis point on.
    let map = map(&[(HERE, 5_000_000_000)]);
    let mut inputs = inputs(&map);
    inputs.price = Price::from_raw(ONE * 201 / 100);
    let curve = curve(&inputs);
    assert_eq!(at_once(&curve, 0, Seller::Everyone).fall, Bps(0));
    assert_eq!(at_once(&curve, 1, Seller::Everyone).fall, Bps(518));
}

#[test]
fn the_backstops_inventory_is_dumped_with_the_rest_and_sold_slowly_otherwise() {
    let map = map(&[]);
    let mut inputs = inputs(&map);
    // Worth 4 units.
    inputs.inventory = Collateral(2_000_000_000);
    let curve = curve(&inputs);
    let end = at_once(&curve, 0, Seller::Everyone);
    assert_eq!((end.fall, end.unsold), (Bps(393), Quote(0)), "1 − e^-0.04");
    let end = at_once(&curve, 0, Seller::Backstop);
    assert_eq!((end.fall, end.unsold), (Bps(25), Quote(3_750_000_000)), "1 − e^-0.0025");
    // A burst, and 1.5 units an hour.
    let hour = Pace { fall: 0, stay: 60 };
    let end = curve.end(Bps(0), Seller::Backstop, hour);
    assert_eq!(
        (end.fall, end.unsold),
        (Bps(174), Quote(2_250_000_000)),
        "1 − e^-0.0175"
    );
    let day = Pace { fall: 0, stay: 1_440 };
    let end = curve.end(Bps(0), Seller::Backstop, day);
    assert_eq!((end.fall, end.unsold), (Bps(393), Quote(0)));
}

#[test]
fn impacts_that_recover_leave_no_more_than_the_flow_keeps_up() {
    let debts: std::vec::Vec<(usize, u64)> = (100..HERE).map(|band| (band, 3_000_000_000)).collect();
    let map = map(&debts);
    let mut inputs = inputs(&map);
    inputs.depth.half_life = 30;
    let curve = curve(&inputs);
    // 0.025 units a minute and 2^(-1/30): at most 0.025 ÷ (1 − 2^(-1/30)) = 1.0946 units, 1.09%.
    let end = curve.end(Bps(4_000), Seller::Backstop, Pace::hours(4));
    assert_eq!((end.fall, end.own()), (Bps(4_066), Bps(110)));
    // Nothing recovers: 0.25 + 28 × 1.5 units, 0.6 × e^-0.4225.
    inputs.depth.half_life = 0;
    let curve = Curve::new(&inputs).expect("valid");
    assert_eq!(curve.end(Bps(4_000), Seller::Backstop, Pace::hours(4)).fall, Bps(6_068));
}

#[test]
fn news_that_take_their_time_end_higher_where_impacts_recover() {
    let debts: std::vec::Vec<(usize, u64)> = (100..HERE).map(|band| (band, 1_000_000_000)).collect();
    let map = map(&debts);
    let mut inputs = inputs(&map);
    inputs.depth.half_life = 30;
    let curve = curve(&inputs);
    let falls = [Pace::AT_ONCE, Pace::hours(1), Pace::hours(4), Pace::hours(48)]
        .map(|pace| curve.end(Bps(3_000), Seller::Everyone, pace).fall);
    assert!(falls.is_sorted_by(|a, b| a > b), "{falls:?}");
    assert!(falls[3] < Bps(3_100) && falls[0] > Bps(4_000), "{falls:?}");
    let critical = [Pace::AT_ONCE, Pace::hours(1), Pace::hours(4)].map(|pace| curve.critical(Seller::Everyone, pace));
    assert!(critical.is_sorted_by(|a, b| a < b), "{critical:?}");
}

#[test]
fn news_can_be_followed_minute_by_minute() {
    let map = map(&[(HERE - 1, 5_000_000_000), (HERE - 16, 10_000_000_000)]);
    let mut inputs = inputs(&map);
    inputs.depth.half_life = 1;
    let curve = curve(&inputs);
    let line = (0..=60).map(|minute| Bps(50 * minute));
    for seller in SELLERS {
        let pace = Pace { fall: 60, stay: 0 };
        assert_eq!(curve.along(line.clone(), seller), curve.end(Bps(3_000), seller, pace));
    }
    // A wick of a minute: 0.9 × e^-0.053, then half of that impact on a price that is back.
    let end = curve.along([0, 1_000, 0, 0].map(Bps), Seller::Everyone);
    assert_eq!(
        (end.news, end.fall, end.liquidatable),
        (Bps(1_000), Bps(1_465), Quote(5_000_000_000))
    );
    // A round a minute: the second band is reached by the sales of the first, and dumped when those are half forgotten,
    // e^-(0.0265 + 0.106).
    let end = curve.along([2_400, 2_400].map(Bps), Seller::Everyone);
    assert_eq!((end.fall, end.liquidatable), (Bps(3_344), Quote(15_000_000_000)));
    assert_eq!(curve.along([], Seller::Everyone), at_once(&curve, 0, Seller::Everyone));
}

#[test]
fn a_band_counts_in_part_for_what_is_not_a_bound() {
    // From 2^(-1/32) = 0.97857 up to the price, and the next, from 0.95760 on.
    let map = map(&[(HERE - 1, 1_000_000), (HERE - 2, 2_000_000)]);
    let curve = curve(&inputs(&map));
    // 1% of 2.1428%.
    assert_eq!(curve.reached(Bps(0)), Quote(0));
    assert_eq!(curve.delta(), Quote(466_681));
    // Of the next 1%, as much, for 2% are in this band.
    assert_eq!(curve.reached(Bps(200)), Quote(933_361));
    assert_eq!(curve.gamma(), -1);
    assert_eq!(curve.reached(Bps(300)), Quote(1_000_000 + 817_603));
    assert_eq!(curve.reached(Bps(423)), Quote(1_000_000 + 1_990_775));
    assert_eq!(curve.reached(Bps(424)), Quote(3_000_000));
}

#[test]
fn the_ratios_are_what_they_say() {
    let map = map(&[(HERE - 1, 20_000_000_000)]);
    let mut inputs = inputs(&map);
    (inputs.cash, inputs.owed, inputs.inventory) = (Quote(3_000_000_000), Quote(9), Collateral(500_000_000));
    let curve = curve(&inputs);
    // 5 × 10^9 ÷ 2 × 10^10
    assert_eq!(curve.market_depth_ratio(Bps(500)), Bps(2_500));
    assert_eq!(curve.market_depth_ratio(Bps(2_500)), Bps(12_500));
    // With u = 0.95: (1 − 0.95 × 0.9) ÷ (1 − 0.45 × 1.01) = 26.58% of the debt. Inventory at 2 × 0.95 × 0.62.
    assert_eq!(curve.backstop_depth_ratio(Bps(500)), Bps(6_748));
    assert_eq!(curve.backstop_depth_ratio(Bps(0)), Bps(u32::MAX));
}

#[test]
fn the_cover_is_what_is_left_when_everyone_under_water_is_paid() {
    // From 0.97857 up to the price: bought with twice the debt, so under water at half the edge.
    let map = map(&[(HERE - 1, 1_000_000), (255, 1_000), (HERE - 30, 500_000)]);
    let mut inputs = inputs(&map);
    (inputs.cash, inputs.owed, inputs.inventory) = (Quote(700_000), Quote(1_000_000), Collateral(1_000));
    inputs.stress_fall = Bps(4_000);
    let curve = curve(&inputs);
    // 0.6 of the price: only the last band, which counts whole.
    assert_eq!(curve.cover(Bps(0)), 700_000 + 1_200 - 1_000_000 - 1_000);
    // 0.42 of it: 16% of the first band.
    assert_eq!(curve.cover(Bps(3_000)), 700_000 + 840 - 1_000_000 - 1_000 - 160_000);
    // At nothing, all.
    assert_eq!(curve.cover(Bps(10_000)), 700_000 - 1_000_000 - 1_501_000);
}

#[test]
fn partial_liquidations_wait_only_when_the_cover_is_gone_and_the_pipeline_full() {
    let map = map(&[(HERE - 1, 20_000_000_000)]);
    let mut inputs = inputs(&map);
    inputs.cash = Quote(1);
    let wait = |inputs: &Inputs<'_>, news, pace| {
        Curve::new(inputs)
            .expect("valid")
            .end(Bps(news), Seller::Backstop, pace)
    };
    assert_eq!(wait(&inputs, 500, Pace::AT_ONCE).waiting, Quote(0), "1 of cover");
    inputs.owed = Quote(2);
    let end = wait(&inputs, 500, Pace::AT_ONCE);
    // The pipeline is a third of an hour: 5 × 10^8 of sales, for ÷ 1.01 as much repaid.
    assert_eq!(end.waiting, Quote(end.liquidatable.0 - 495_049_504));
    inputs.inventory = Collateral(100_000_000);
    inputs.owed = Quote(1_000_000_000);
    let end = wait(&inputs, 500, Pace::AT_ONCE);
    assert_eq!(
        end.waiting,
        Quote(end.liquidatable.0 - 297_029_702),
        "it holds 2 × 10^8"
    );
    let end = wait(&inputs, 500, Pace { fall: 0, stay: 60 });
    assert_eq!(
        end.waiting,
        Quote(end.liquidatable.0 - 1_782_178_218),
        "and has sold 15 × 10^8"
    );
    assert_eq!(
        at_once(&Curve::new(&inputs).expect("valid"), 500, Seller::Everyone).waiting,
        Quote(0)
    );
    // At 95% of LTV, a fall of 47.4%, it is taken whole and never waits.
    let end = wait(&inputs, 4_740, Pace::AT_ONCE);
    assert_eq!((end.liquidatable, end.waiting), (Quote(20_000_000_000), Quote(0)));
}

#[test]
fn what_does_not_fit_is_refused() {
    let map = map(&[]);
    let refused = |change: fn(&mut Inputs<'_>)| {
        let mut inputs = inputs(&map);
        change(&mut inputs);
        Curve::new(&inputs).err()
    };
    assert_eq!(refused(|_| ()), None);
    assert_eq!(refused(|i| i.price = Price::default()), Some(Overflow));
    assert_eq!(refused(|i| i.depth.percent = Quote(0)), Some(Overflow));
    assert_eq!(refused(|i| i.depth.thinnest = Bps(0)), Some(Overflow));
    assert_eq!(refused(|i| i.liquidation_ltv = Bps(0)), Some(Overflow));
    assert_eq!(refused(|i| i.takeover_ltv = Bps(0)), Some(Overflow));
    assert_eq!(refused(|i| i.penalty = Bps(12_223)), Some(Overflow));
    assert_eq!(refused(|i| i.penalty = Bps(12_222)), None);
    assert_eq!(refused(|i| i.bonus = Bps(10_000)), Some(Overflow));
    assert_eq!(refused(|i| i.bonus = Bps(9_999)), None);
    assert_eq!(refused(|i| i.inventory = Collateral(u64::MAX)), Some(Overflow));
}

/// The part of a debt repaid at u × its edge.
fn repaid(close: &Close, u: f64) -> f64 {
    let part = |bps: Bps| f64::from(bps.0) / 1e4;
    if u <= part(close.whole) {
        1.0
    } else {
        part(close.first) + part(close.slope) * (1.0 - u)
    }
}

#[test]
fn a_partial_liquidation_is_that_of_sizing() {
    let config = Config {
        min_debt: Quote(1),
        ..CONFIG
    };
    let close = Close::to_target(
        config.liquidation_ltv,
        config.target_ltv,
        config.penalty,
        config.takeover_ltv,
    );
    let close = close.expect("valid");
    // Due at a price of 8,000.
    let (debt, collateral) = (Quote(640_000_000_000), Collateral(100_000_000));
    let mut kinds = [0; 2];
    for price in [7_999u64, 7_900, 7_500, 7_000, 6_750, 6_738, 6_736, 6_000] {
        let divisor: Divisor = Price::from_raw(ONE * u128::from(price)).divisor().expect("a price");
        let terms = sizing::terms(&config, debt, collateral, &divisor).expect("it is due");
        let exact = terms.demand.repay.0 as f64 / debt.0 as f64;
        let found = repaid(&close, price as f64 / 8_000.0);
        assert!(found >= exact && found < exact + 3e-4, "{price} {found} {exact}");
        let times = match terms.demand.extent {
            Extent::Partial | Extent::Whole => close.sold_for,
            Extent::TakeOver => close.whole_for,
        };
        kinds[usize::from(terms.demand.extent == Extent::TakeOver)] += 1;
        let sold = terms.seize.0 as f64 * price as f64;
        assert!(
            sold <= terms.demand.repay.0 as f64 * f64::from(times.0) / 1e4,
            "{price}"
        );
    }
    assert_eq!(kinds, [6, 2]);
}

#[test]
fn repeated_parts_are_never_more_than_the_line() {
    let (ltv, part, bonus) = (0.8, 0.5, 0.08);
    let close = Close::in_parts(Bps(8_000), Bps(5_000), Bps(800)).expect("valid");
    assert_eq!((close.first, close.sold_for), (Bps(5_000), Bps(10_800)));
    let (mut debt, mut collateral): (f64, f64) = (0.8, 1.0);
    let mut edge = 1.0;
    for step in 0..6 {
        // Due at u = edge: a part is repaid.
        collateral -= part * debt * (1.0 + bonus) / edge;
        debt *= 1.0 - part;
        let done = 1.0 - debt / 0.8;
        let line = repaid(&close, edge);
        assert!(line >= done - 1e-12, "{step} {line} {done}");
        assert!(step > 1 || line < done + 1e-3, "{step} {line} {done}");
        edge = debt / collateral / ltv;
    }
    let whole = Close::in_parts(Bps(8_000), Bps(10_000), Bps(800)).expect("valid");
    assert_eq!(whole, Close::whole(Bps(10_800)));
}

/// A market as floating-point numbers: slow, plain, and written without looking at the other.
struct Reference<'a> {
    inputs: &'a Inputs<'a>,
    /// Taken off the price in each round, of the price at the start.
    worse: f64,
}

impl Reference<'_> {
    fn ratio(&self, price: Price) -> f64 {
        price.raw() as f64 / self.inputs.price.raw() as f64
    }

    /// Sold when the price has been as low as `price`, units of depth.
    fn sales(&self, price: f64, close: &Close, inventory: f64) -> f64 {
        let Inputs {
            map,
            index,
            liquidation_ltv,
            ..
        } = *self.inputs;
        let mut sum = inventory;
        for band in 0..=255u8 {
            let debt = index.debt(map.bands[usize::from(band)]).expect("fits").0 as f64;
            let edge = |band: u8| self.ratio(map.edge(band, index, liquidation_ltv).expect("fits"));
            let edges = (edge(band), if band == 255 { f64::INFINITY } else { edge(band + 1) });
            let due = if edges.0 < 1.0 && edges.1 > 1.0 {
                price < 1.0
            } else {
                price < edges.1
            };
            if due {
                let part = repaid(close, price / edges.1);
                let whole = price / edges.1 <= f64::from(close.whole.0) / 1e4;
                let times = if whole { close.whole_for } else { close.sold_for };
                sum += debt * part * f64::from(times.0) / 1e4;
            }
        }
        sum / self.inputs.depth.percent.0 as f64
    }

    fn end(&self, news: f64, seller: Seller, pace: Pace) -> f64 {
        let inputs = self.inputs;
        let depth = &inputs.depth;
        let units = |amount: f64| amount / depth.percent.0 as f64;
        let inventory = inputs.inventory.0 as f64 * inputs.price.raw() as f64 / ONE as f64;
        let curve = Curve::new(inputs).expect("valid");
        let (close, mut allowance) = match seller {
            Seller::Everyone => (curve.everyone, f64::INFINITY),
            Seller::Keepers => (curve.keepers, f64::INFINITY),
            Seller::Backstop => (
                curve.backstop,
                units(inputs.flow.0 as f64) * f64::from(inputs.burst) / 3_600.0,
            ),
        };
        let burst = allowance;
        let (mut temporary, mut lasting, mut sold, mut average, mut lowest) = (0.0, 0.0, 0.0, 1.0f64, 1.0f64);
        for minute in 0..=pace.fall + pace.stay {
            if minute > 0 {
                if depth.half_life > 0 {
                    temporary *= 0.5f64.powf(1.0 / f64::from(depth.half_life));
                }
                allowance = allowance.min(burst) + units(inputs.flow.0 as f64) / 60.0;
            }
            let passed = if pace.fall == 0 {
                1.0
            } else {
                f64::from(minute.min(pace.fall)) / f64::from(pace.fall)
            };
            let fair = 1.0 - news * passed;
            let share = f64::from(depth.lasting.0) / 1e4;
            let before = (1.0 - share) * temporary + share * lasting;
            let mut price = (fair * (-before / 100.0).exp() - self.worse).max(0.0);
            let now = loop {
                lowest = lowest.min(price);
                let now = (self.sales(lowest, &close, inventory) - sold).clamp(0.0, allowance);
                let thin = 1.0 + f64::from(depth.thinning.0) / 1e4 * (average / price - 1.0).max(0.0);
                let thin = thin.min(1e4 / f64::from(depth.thinnest.0));
                let next = fair * (-(before + now * thin) / 100.0).exp() - self.worse;
                let next = if next < 1e-4 { 0.0 } else { next };
                if next >= price - 1e-12 {
                    break (now, now * thin);
                }
                price = next;
                if pace != Pace::AT_ONCE {
                    break (now, now * thin);
                }
            };
            lowest = lowest.min(price);
            sold += now.0;
            temporary += now.1;
            lasting += now.1;
            allowance -= now.0;
            average = (average * 60.0 + price) / 61.0;
        }
        1.0 - lowest
    }
}

prop_compose! {
    /// Any market: price, index and LTVs, up to 24 bands around the price with up to `most` units of depth each.
    fn market(most: u64)(
        raw in 1u128 << 40..1 << 90, index in 1u128 << 63..1 << 66, ltv in 3_000u32..9_300,
        space in 0.5f64..1.0, takeover in 0.0f64..1.0, penalty in 0u32..300, bonus in 0u32..700,
        part in 1_000u32..=10_000,
    )(
        bands in proptest::collection::vec((80usize..205, 0..=most), 0..24),
        depth in 1u64 << 24..1 << 40, thinning in 0u32..40_000, thinnest in 2_000u32..=10_000, half_life in 0u32..300,
        lasting in 0u32..=10_000, flow in 0u32..30_000, burst in 1u32..3_600, inventory in 0.0f64..5.0,
        fixed in Just((raw, index, ltv, space, takeover, penalty, bonus, part)),
    ) -> (LiquidationMap, Inputs<'static>) {
        let (raw, index, ltv, space, takeover, penalty, bonus, part) = fixed;
        let (price, index) = (Price::from_raw(raw), Index::from_raw(index));
        let mut map: LiquidationMap = bytemuck::Zeroable::zeroed();
        map.center(price, index, Bps(ltv));
        for (band, units) in bands {
            let debt = u128::from(units) * u128::from(depth) / 1_000;
            map.bands[band].0 += u64::try_from((debt << 64) / index.raw()).expect("small");
        }
        let inputs = Inputs {
            price,
            map: &EMPTY,
            index,
            liquidation_ltv: Bps(ltv),
            takeover_ltv: Bps(ltv + (f64::from(9_600 - ltv) * takeover) as u32),
            target_ltv: Bps((f64::from(ltv) * space) as u32),
            penalty: Bps(penalty),
            bonus: Bps(bonus),
            close_factor: Bps(part),
            depth: Depth {
                percent: Quote(depth),
                thinning: Bps(thinning),
                thinnest: Bps(thinnest),
                half_life,
                lasting: Bps(lasting),
            },
            flow: Quote(depth * u64::from(flow) / 10_000),
            burst,
            pipeline: 1_200,
            cash: Quote(0),
            owed: Quote(0),
            inventory: Collateral((inventory * depth as f64 * ONE as f64 / raw as f64).min(1e18) as u64),
            stress_fall: Bps(3_800),
        };
        (map, inputs)
    }
}

/// Stands in until a case's own map is there.
static EMPTY: std::sync::LazyLock<LiquidationMap> = std::sync::LazyLock::new(bytemuck::Zeroable::zeroed);

fn seller() -> impl Strategy<Value = Seller> {
    proptest::sample::select(&SELLERS[..])
}

fn pace() -> impl Strategy<Value = Pace> {
    (0u32..300, 0u32..100).prop_map(|(fall, stay)| Pace { fall, stay })
}

proptest! {
    #[test]
    fn it_never_ends_above_the_news(
        (map, inputs) in market(3_000), news in 0u32..=10_000, seller in seller(), pace in pace(),
    ) {
        let curve = curve(&Inputs { map: &map, ..inputs });
        let end = curve.end(Bps(news), seller, pace);
        prop_assert!(end.fall.0 >= news && end.fall.0 <= 10_000);
        prop_assert!(end.waiting <= end.liquidatable);
        let critical = curve.critical(seller, pace);
        prop_assert!(critical <= CRISIS);
        prop_assert!(curve.end(critical, seller, pace).fall >= CRISIS);
    }

    #[test]
    fn at_once_worse_news_never_end_higher(
        (map, inputs) in market(3_000), news in 0u32..=10_000, more in 0u32..2_000, seller in seller(),
    ) {
        let curve = curve(&Inputs { map: &map, ..inputs });
        let (less, more) = (at_once(&curve, news, seller), at_once(&curve, (news + more).min(10_000), seller));
        prop_assert!(less.fall <= more.fall && less.liquidatable <= more.liquidatable);
        let critical = curve.critical(seller, Pace::AT_ONCE);
        prop_assert!(critical == Bps(0) || at_once(&curve, critical.0 - 1, seller).fall < CRISIS);
    }

    #[test]
    fn at_once_a_deeper_market_never_ends_lower(
        (map, mut inputs) in market(3_000), news in 0u32..=10_000, times in 10_000u64..30_000, seller in seller(),
    ) {
        inputs.map = &map;
        let shallow = at_once(&curve(&inputs), news, seller);
        inputs.depth.percent.0 = inputs.depth.percent.0 / 10_000 * times + 10_000;
        let deep = at_once(&curve(&inputs), news, seller);
        prop_assert!(deep.fall <= shallow.fall);
    }

    #[test]
    fn at_once_nothing_sells_more_than_everyone((map, inputs) in market(3_000), news in 0u32..=10_000) {
        let curve = curve(&Inputs { map: &map, ..inputs });
        let [everyone, keepers, backstop] = SELLERS.map(|seller| at_once(&curve, news, seller).fall);
        prop_assert!(keepers <= everyone && backstop <= everyone);
        let critical = SELLERS.map(|seller| curve.critical(seller, Pace::AT_ONCE));
        prop_assert!(critical[0] <= critical[1] && critical[0] <= critical[2]);
    }

    /// Recovery and time only help, but for who waits.
    #[test]
    fn over_time_it_ends_no_lower_than_at_once(
        (map, inputs) in market(3_000), news in 0u32..=10_000, fall in 1u32..300,
        seller in proptest::sample::select(&SELLERS[..2]),
    ) {
        let curve = curve(&Inputs { map: &map, ..inputs });
        let slow = curve.end(Bps(news), seller, Pace { fall, stay: 10 });
        prop_assert!(slow.fall <= at_once(&curve, news, seller).fall);
    }

    /// No less far down than exact, and no further than if each round were half a tenth of a basis point worse.
    #[test]
    fn at_once_it_is_the_reference((map, inputs) in market(2_000), news in 0u32..=10_000, seller in seller()) {
        let inputs = Inputs { map: &map, ..inputs };
        let found = f64::from(at_once(&curve(&inputs), news, seller).fall.0) / 1e4;
        let end = |worse| Reference { inputs: &inputs, worse }.end(f64::from(news) / 1e4, seller, Pace::AT_ONCE);
        let (exact, worse) = (end(0.0), end(1e-5));
        prop_assert!(found >= exact - 1e-9, "{found} {exact}");
        // Where both are whole basis points, as at a fall of everything, only the rounding of floats is between them.
        prop_assert!(found <= (worse + 1e-4) * (1.0 + 1e-9), "{found} {worse}");
    }

    /// Where a little more or less makes no difference, within 3 basis points.
    #[test]
    fn over_time_it_is_the_reference(
        (map, inputs) in market(500), news in 0u32..=8_000, seller in seller(), pace in pace(),
    ) {
        let inputs = Inputs { map: &map, ..inputs };
        let end = |worse| Reference { inputs: &inputs, worse }.end(f64::from(news) / 1e4, seller, pace);
        let (exact, worse) = (end(0.0), end(2e-5));
        prop_assume!((worse - exact).abs() < 1e-4);
        let found = f64::from(curve(&inputs).end(Bps(news), seller, pace).fall.0) / 1e4;
        prop_assert!((found - exact).abs() <= 3e-4, "{found} {exact}");
    }

    #[test]
    fn the_cover_is_the_sum_over_bands(
        (map, mut inputs) in market(3_000), fall in 0u32..10_000, stress in 0u32..10_000,
    ) {
        (inputs.map, inputs.stress_fall) = (&map, Bps(stress));
        (inputs.cash, inputs.owed) = (Quote(1 << 40), Quote(1 << 41));
        let q = (1.0 - f64::from(fall) / 1e4) * (1.0 - f64::from(stress) / 1e4);
        let ltv = f64::from(inputs.liquidation_ltv.0) / 1e4;
        let inventory = inputs.inventory.0 as f64 * inputs.price.raw() as f64 / ONE as f64;
        let mut exact = inventory * q - (1u64 << 40) as f64;
        let mut debt = 0.0;
        for band in 0..=255u8 {
            let owed = inputs.index.debt(map.bands[usize::from(band)]).expect("fits").0 as f64;
            let edge = map.edge(band.saturating_add(1), inputs.index, inputs.liquidation_ltv).expect("fits");
            let edge = if band == 255 { f64::INFINITY } else { edge.raw() as f64 / inputs.price.raw() as f64 };
            exact -= owed * (1.0 - q / (edge * ltv)).max(0.0);
            debt += owed;
        }
        let found = curve(&inputs).cover(Bps(fall)) as f64;
        let size = debt + inventory;
        prop_assert!(found <= exact + 1e-7 * size && found >= exact - 1e-6 * size - 3.0, "{found} {exact}");
    }

    /// The debt counted band by band, in part, is at most the debt that a fall reaches whole.
    #[test]
    fn what_is_reached_grows_with_the_fall((map, inputs) in market(3_000), fall in 0u32..=10_000, more in 0u32..1_000) {
        let curve = curve(&Inputs { map: &map, ..inputs });
        prop_assert!(curve.reached(Bps(fall)) <= curve.reached(Bps(fall + more)));
        prop_assert!(curve.reached(Bps(fall)).0 <= at_once(&curve, fall, Seller::Everyone).liquidatable.0 + 1);
    }
}

#[test]
fn prices_are_parts_of_the_first_of_any_size() {
    for raw in [1u128 << 33, ONE, 1 << 100, u128::MAX] {
        let map = map(&[(HERE - 1, 5)]);
        let mut inputs = inputs(&map);
        inputs.price = Price::from_raw(raw);
        let found = Curve::new(&inputs).map(|curve| curve.bands[0].edge as f64 / BP);
        // The map stands where it was: its edge at 2 is far above, or far below.
        let exact = 2.0 * ONE as f64 / raw as f64 * 1e4;
        let found = found.expect("fits");
        assert!(
            (found / exact - 1.0).abs() < 1e-6 || exact * BP < 1.0,
            "{raw} {found} {exact}"
        );
    }
}

/// 100 of collateral at 0.1 of quote each, as in the tests of [`crate::views::risk`], with debt from 70 to 100% of the
/// price.
fn indebted() -> (Market, Prices) {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.config = Config {
        market_depth: Quote(1_000_000_000_000),
        flow_rate: Bps(15_000),
        ..CONFIG
    };
    market.books.pool = Pool::new(NOW.unix);
    market.books.pool.index = Index::from_raw(ONE);
    market.books.pool.debt_shares = DebtShares(u64::MAX);
    let prices = prices(100_0000_0000, 0);
    let index = market.books.pool.index;
    market.map.center(prices.spot(), index, CONFIG.liquidation_ltv);
    let log = crate::account::map::log_at(prices.spot(), index, CONFIG.liquidation_ltv);
    let here = market.map.band_of(log);
    for below in 0..16 {
        let shares = DebtShares(1_000_000_000_000 * u64::from(below));
        market
            .map
            .follow((DebtShares(0), 0), (shares, here - below))
            .expect("fits");
    }
    market.books.backstop.cash = Quote(3_000_000_000_000);
    market.books.backstop.inventory = Collateral(1_000_000_000_000);
    market.books.backstop.unfunded_credits = Quote(1_000);
    market.books.backstop.debt_shares = DebtShares(700);
    (market, prices)
}

#[test]
fn a_market_is_looked_at_from_its_spot_price() {
    let (market, prices) = indebted();
    let found = market.cascade(&prices, NOW).expect("valid");
    let expected = Inputs {
        price: prices.spot(),
        map: &market.map,
        index: market.books.pool.index,
        liquidation_ltv: Bps(8_000),
        takeover_ltv: Bps(9_500),
        target_ltv: Bps(7_500),
        penalty: Bps(100),
        bonus: Bps(600),
        close_factor: Bps(5_000),
        depth: Depth::assumed(Quote(1_000_000_000_000)),
        flow: Quote(1_500_000_000_000),
        burst: 600,
        pipeline: 1_200,
        cash: Quote(3_000_000_000_000),
        owed: Quote(1_700),
        inventory: Collateral(1_000_000_000_000),
        stress_fall: Bps(3_800),
    };
    assert_eq!(found.measures(), curve(&expected).measures());
    for seller in SELLERS {
        for pace in [Pace::AT_ONCE, Pace::hours(4)] {
            let ends = [&found, &curve(&expected)].map(|curve| curve.end(Bps(1_000), seller, pace));
            assert_eq!(ends[0], ends[1]);
        }
    }
    // Were it to dump, this market would come to rest at next to nothing.
    assert_eq!(at_once(&found, 1_000, Seller::Everyone).fall, Bps(9_810));
    assert!(found.end(Bps(1_000), Seller::Backstop, Pace::hours(4)).fall < Bps(1_200));
}

#[test]
fn the_cover_is_the_markets_own() {
    let (market, prices) = indebted();
    let [base, _] = market.stress(&prices, NOW).expect("valid");
    let found = market.cascade(&prices, NOW).expect("valid").cover(Bps(0));
    // The map's own sums understate the collateral by 2^-12: that much more is lacking there.
    let off = found - base.cover;
    assert!((0..base.underwater.0.into()).contains(&off), "{found} {base:?}");
    assert!(off <= 120_000_000_000_000 >> 12, "{off}");
}

#[test]
fn no_parameters_are_too_steep_for_it() {
    let (mut market, prices) = indebted();
    market.config.takeover_penalty = Bps(2_500);
    for (target, liquidation) in [(9_000, 9_300), (100, 200), (7_500, 7_500)] {
        (market.config.target_ltv, market.config.liquidation_ltv) = (Bps(target), Bps(liquidation));
        market.cascade(&prices, NOW).expect("valid");
    }
}

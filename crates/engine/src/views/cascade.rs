//! The cascade curve: after news that move the price by so much, where does it end, once those who are liquidated by it
//! have sold, and those who are liquidated by their sales?
//!
//! ```text
//! price        = news × exp(−1% × sales ÷ depth)       sales in quote atoms, at the price at which they are made
//! sales(price) = (1 + penalty) × what is repaid at it  see Close
//! end          = the highest price with  news × exp(−1% × sales(price) ÷ depth) ≥ price
//! ```
//!
//! That price is found as the market would find it, in rounds: those who are liquidated at the price sell, the price
//! falls, and so on until nobody is left to sell. At once, nothing recovers in between. Over time, news come in a
//! straight line, each minute has one round, and between two an impact is forgotten with its half-life, but for the
//! part that lasts.
//!
//! It is an estimate from the liquidation map and one figure of depth, for whoever looks at a market from outside: no
//! action depends on it, and the program does not contain it. At once, with [`Seller::Everyone`], it is a bound: all
//! accounts of a band are liquidated at its upper edge, those of the price's own band from the first fall on; all sales
//! count at the depth that is left at the end; every rounding is down. Over time it is what the laboratory's market
//! does with the same keepers, but for what it leaves out: borrowers who act in time, new loans, guards that do not
//! believe a price, keepers that find no bounty, and dust taken whole.

use crate::{
    account::map::{BANDS, LiquidationMap},
    error::Result,
    market::Market,
    math::{
        num::{self, BPS},
        units::{Bps, Clock, Collateral, Index, Price, Quote},
    },
    price::guard::Prices,
    views::risk::DROPS,
};

mod close;
mod impact;
mod reach;

pub use close::Close;
pub use impact::Depth;

use impact::{Memory, moved};
use reach::{Band, Reached};

/// The price at the start. Prices of this module are in units of 2^-16 bps of it.
const START: u64 = BPS << 16;
/// Price below which nothing is told: 1 bps of the price at the start.
const NOTHING: u64 = 1 << 16;
/// Minutes in an hour.
const HOUR: u64 = 60;
/// Seconds in a minute.
const MINUTE: u64 = 60;
/// An end so far down is a crisis; see [`Curve::critical`].
pub const CRISIS: Bps = Bps(5_000);
/// Falls between which [`Curve::critical`] looks for the first that ends in one.
const STRIDE: u32 = 50;

/// Who sells what is liquidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seller {
    /// Keepers repay whole debts and sell the collateral at once; the backstop sells its inventory too. The bound: no
    /// mechanism can sell more, or sooner.
    Everyone,
    /// Keepers repay [`Inputs::close_factor`] of a debt and sell the collateral for it at once, as in most lending
    /// protocols; again when the account is due again. The backstop sells its inventory too.
    Keepers,
    /// The backstop: nothing leaves faster than the flow limit allows.
    Backstop,
}

/// How news arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Minutes in which they move the price, in a straight line.
    pub fall: u32,
    /// Minutes for which one goes on looking after that.
    pub stay: u32,
}

impl Pace {
    /// A fall in no time: no impact recovers.
    pub const AT_ONCE: Self = Self { fall: 0, stay: 0 };

    /// A fall over some hours, and a day after it.
    #[must_use]
    pub fn hours(hours: u32) -> Self {
        Self {
            fall: hours.saturating_mul(60),
            stay: 24 * 60,
        }
    }
}

/// Inputs of a curve.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The price at the start, quote atoms for one collateral atom.
    pub price: Price,
    /// Where debt is liquidated.
    pub map: &'a LiquidationMap,
    /// The index of the pool's debt.
    pub index: Index,
    /// Above this an account is liquidated, bps.
    pub liquidation_ltv: Bps,
    /// From here the backstop takes an account whole, bps.
    pub takeover_ltv: Bps,
    /// Where a partial liquidation by the backstop stops, bps.
    pub target_ltv: Bps,
    /// Penalty of a partial liquidation by the backstop, bps of the debt repaid.
    pub penalty: Bps,
    /// Bonus that keepers who dump get beyond the debt they repay, bps of it.
    pub bonus: Bps,
    /// The part of a debt that they repay at a time, bps; see [`Seller::Keepers`].
    pub close_factor: Bps,
    /// Impact of sales on the price.
    pub depth: Depth,
    /// The backstop's flow limit, quote atoms an hour.
    pub flow: Quote,
    /// How far sales may run ahead of it, seconds.
    pub burst: u32,
    /// While the cover is negative, partial liquidations go on while inventory is below what is sold in so many
    /// seconds.
    pub pipeline: u32,
    /// The backstop's cash and what the pool owes it, quote atoms.
    pub cash: Quote,
    /// The backstop's debt and unfunded credits of keepers, quote atoms.
    pub owed: Quote,
    /// The backstop's inventory, collateral atoms.
    pub inventory: Collateral,
    /// The fall after which everyone under water is to be paid, bps: see [`Curve::cover`].
    pub stress_fall: Bps,
}

/// Where the price ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The fall by news alone, bps of the price at the start.
    pub news: Bps,
    /// The furthest that the price falls, bps of the price at the start, rounded up.
    pub fall: Bps,
    /// Debt that falls due for repayment on the way, quote atoms, rounded up.
    pub liquidatable: Quote,
    /// The most of it that waits at the end, quote atoms, rounded up: partial liquidations that the backstop may not
    /// take because its cover is negative and its pipeline full. Take-overs never wait. Nothing with other sellers.
    pub waiting: Quote,
    /// Collateral to be sold and unsold at the end, quote atoms, rounded up: inventory, and the waiting part.
    pub unsold: Quote,
}

impl End {
    /// The fall by sales: how far the end is below the news, bps of the price that the news alone would have made,
    /// rounded up.
    #[must_use]
    pub fn own(&self) -> Bps {
        let (news, end) = (self.news.below_one(), self.fall.below_one());
        let own = news.saturating_sub(end).saturating_mul(BPS).div_ceil(news.max(1));
        Bps(u32::try_from(own).unwrap_or(u32::MAX))
    }
}

/// A market at one glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measures {
    /// See [`Curve::gearing`].
    pub gearing: Bps,
    /// See [`Curve::critical`]: if everyone dumps at once.
    pub critical: Bps,
    /// See [`Curve::delta`].
    pub delta: Quote,
    /// See [`Curve::gamma`].
    pub gamma: i64,
    /// See [`Curve::market_depth_ratio`]: after the falls of [`DROPS`].
    pub market_depth_ratios: [Bps; 5],
    /// See [`Curve::backstop_depth_ratio`]: after the same falls.
    pub backstop_depth_ratios: [Bps; 5],
}

/// A market prepared for many questions.
#[derive(Clone, Copy, Debug)]
pub struct Curve {
    /// Bands with debt, highest edge first. The others are empty.
    bands: [Band; BANDS],
    everyone: Close,
    keepers: Close,
    backstop: Close,
    depth: Depth,
    liquidation_ltv: Bps,
    stress_fall: Bps,
    /// Inventory at the price at the start, quote atoms.
    inventory: Quote,
    cash: Quote,
    owed: Quote,
    /// Quote atoms that may leave in a minute, in the burst, and in the pipeline; each × 10,000.
    minute: u128,
    burst: u128,
    pipeline: u128,
}

impl Curve {
    /// Prepares a market.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`]: a price, an LTV or a depth of zero, target LTV × (1 + penalty) or close factor ×
    /// bonus that leave an account no better than it was, or an amount that does not fit.
    pub fn new(inputs: &Inputs<'_>) -> Result<Self> {
        let Inputs {
            price, liquidation_ltv, ..
        } = *inputs;
        inputs.depth.check()?;
        let backstop = Close::to_target(liquidation_ltv, inputs.target_ltv, inputs.penalty, inputs.takeover_ltv)?;
        let everyone = Close::whole(inputs.bonus.plus_one().max(backstop.whole_for));
        let keepers = Close::in_parts(liquidation_ltv, inputs.close_factor, inputs.bonus)?;
        let flow = |seconds: u64| u128::from(inputs.flow.0).saturating_mul(u128::from(seconds.saturating_mul(BPS)));
        let in_time = |seconds: u64| num::div_ceil(flow(seconds), u128::from(HOUR * MINUTE));
        Ok(Self {
            bands: reach::bands(inputs.map, inputs.index, liquidation_ltv, price)?,
            everyone,
            keepers,
            backstop,
            depth: inputs.depth,
            liquidation_ltv,
            stress_fall: inputs.stress_fall,
            inventory: price.quote_floor(inputs.inventory)?,
            cash: inputs.cash,
            owed: inputs.owed,
            minute: in_time(MINUTE)?,
            burst: in_time(inputs.burst.into())?,
            pipeline: num::div_floor(flow(inputs.pipeline.into()), u128::from(HOUR * MINUTE))?,
        })
    }

    /// Where a fall of `news` ends. At once, a larger fall never ends higher; over time it may, where what it triggers
    /// early has recovered when the news are over.
    #[must_use]
    pub fn end(&self, news: Bps, seller: Seller, pace: Pace) -> End {
        let news = Bps(news.0.min(num::WHOLE.0));
        let minutes = pace.fall.saturating_add(pace.stay);
        let prices = (0..=minutes).map(|minute| news_at(news, pace, minute));
        let rounds = if pace == Pace::AT_ONCE { u32::MAX } else { 1 };
        self.run(prices, pace.fall, rounds, seller)
    }

    /// Where news end that are known minute by minute: falls from the price at the start, bps, from the first minute
    /// on. They may take back what they said.
    #[must_use]
    pub fn along(&self, news: impl IntoIterator<Item = Bps>, seller: Seller) -> End {
        self.run(news.into_iter().map(after), u32::MAX, 1, seller)
    }

    /// Where these prices end, one a minute, which do not change after `quiet` minutes.
    fn run(&self, news: impl Iterator<Item = u64>, quiet: u32, rounds: u32, seller: Seller) -> End {
        let close = match seller {
            Seller::Everyone => &self.everyone,
            Seller::Keepers => &self.keepers,
            Seller::Backstop => &self.backstop,
        };
        let mut state = State {
            curve: self,
            reached: Reached::new(&self.bands, close),
            memory: Memory::default(),
            kept: self.depth.kept(),
            average: START,
            sold: 0,
            allowance: (seller == Seller::Backstop).then_some(self.burst),
        };
        let (mut lowest_news, mut minutes) = (START, 0);
        for (minute, news) in (0..).zip(news) {
            if minute > 0 {
                state.next_minute();
            }
            lowest_news = lowest_news.min(news);
            minutes = minute;
            state.sell(news, rounds);
            if minute >= quiet && state.left() == 0 {
                break;
            }
        }
        let State { reached, .. } = &state;
        let lowest = Bps(fall_to(reached.lowest()));
        let waiting = match seller {
            Seller::Backstop if self.cover(lowest) < 0 => self.waiting(reached, minutes).min(state.left()),
            _ => 0,
        };
        End {
            news: Bps(fall_to(lowest_news)),
            fall: lowest,
            liquidatable: atoms(reached.repaid()),
            waiting: atoms(waiting),
            unsold: atoms(state.left()),
        }
    }

    /// The critical fall: the smallest by news that ends [`CRISIS`] or more down, bps. It is [`CRISIS`] itself where
    /// sales add nothing; where it is less, [`Curve::end`] tells how far beyond it goes. Over time, where a larger fall
    /// may end higher, it is the first that is found in steps of half a percent, to the basis point.
    #[must_use]
    pub fn critical(&self, seller: Seller, pace: Pace) -> Bps {
        let is_crisis = |fall: u32| self.end(Bps(fall), seller, pace).fall >= CRISIS;
        let (mut low, mut high) = (0, 0);
        while high < CRISIS.0 && !is_crisis(high) {
            low = high;
            high = high.saturating_add(STRIDE);
        }
        // A crisis at `high`, none at `low` unless it is the same.
        while high.saturating_sub(low) > 1 {
            let middle = low.midpoint(high);
            if is_crisis(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Bps(high)
    }

    /// Market gearing: how far a fall of 1% ends if everyone dumps at once, ÷ 1%, bps, rounded up. 10,000 is a market
    /// whose borrowers add nothing.
    #[must_use]
    pub fn gearing(&self) -> Bps {
        let end = self.end(PERCENT, Seller::Everyone, Pace::AT_ONCE).fall;
        Bps(end.0.saturating_mul(100))
    }

    /// Debt of the accounts that are due after a fall of the price, those due already included, quote atoms, rounded
    /// up. A band that the price is within counts in part, as if its debt were spread evenly over it.
    #[must_use]
    pub fn reached(&self, fall: Bps) -> Quote {
        let price = after(fall);
        atoms(
            self.bands
                .iter()
                .fold(0, |sum: u128, band| sum.saturating_add(band.reached_at(price))),
        )
    }

    /// Delta: debt of the accounts that the next 1% of a fall makes due, quote atoms; see [`Curve::reached`].
    #[must_use]
    pub fn delta(&self) -> Quote {
        self.delta_from(Bps(0))
    }

    /// Gamma: how much more debt the second 1% of a fall makes due than the first, quote atoms; negative if less.
    #[must_use]
    pub fn gamma(&self) -> i64 {
        let difference = i128::from(self.delta_from(PERCENT).0).saturating_sub(self.delta().0.into());
        i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
    }

    /// See [`Curve::delta`].
    fn delta_from(&self, fall: Bps) -> Quote {
        let to = Bps(fall.0.saturating_add(PERCENT.0));
        Quote(self.reached(to).0.saturating_sub(self.reached(fall).0))
    }

    /// Market depth ratio: what moves the price by the fall, were it sold, ÷ debt of the accounts that it makes due,
    /// bps, rounded down; `u32::MAX` if it makes none due. Below 10,000, dumping what a fall makes due moves the price
    /// further than the fall.
    #[must_use]
    pub fn market_depth_ratio(&self, fall: Bps) -> Bps {
        let sales = u128::from(self.depth.percent.0).saturating_mul(fall.factor().into());
        ratio(
            sales,
            u128::from(self.reached(fall).0).saturating_mul(PERCENT.factor().into()),
        )
    }

    /// Backstop depth ratio: (cash + what the pool owes + inventory at q) ÷ repayment that the backstop would take
    /// over after the fall, bps, rounded down; `u32::MAX` if that is nothing. q is the price after the fall, less the
    /// stress fall.
    #[must_use]
    pub fn backstop_depth_ratio(&self, fall: Bps) -> Bps {
        let mut reached = Reached::new(&self.bands, &self.backstop);
        reached.fall_to(after(fall));
        let assets = u128::from(self.cash.0).saturating_add(self.inventory_at(self.stressed(fall)));
        ratio(assets.saturating_mul(BPS.into()), reached.repaid())
    }

    /// The stress cover C after a fall of the price, quote atoms, rounded down: cash + what the pool owes +
    /// inventory·q − backstop debt − unfunded credits − what debts exceed their collateral by at q = the price
    /// after it × (1 − stress fall). Nothing is liquidated on the way: what the backstop takes over changes it by
    /// little, for it counts in both.
    #[must_use]
    pub fn cover(&self, fall: Bps) -> i128 {
        let price = self.stressed(fall);
        let (mut debt, mut worth) = (0u128, 0u128);
        for band in &self.bands {
            // Collateral at this price is debt × price ÷ (edge × liquidation LTV).
            if !band.is_under_water(price, self.liquidation_ltv) {
                break;
            }
            debt = debt.saturating_add(band.debt.into());
            worth = worth.saturating_add(band.by_edge);
        }
        let worth = worth
            .saturating_mul(price.into())
            .checked_div(START.into())
            .unwrap_or(0)
            .saturating_mul(BPS.into())
            .checked_div(self.liquidation_ltv.factor().into())
            .unwrap_or(0);
        let assets = u128::from(self.cash.0).saturating_add(self.inventory_at(price));
        let liabilities = u128::from(self.owed.0).saturating_add(debt.saturating_sub(worth));
        signed(assets).saturating_sub(signed(liabilities))
    }

    /// The most telling measures, in a few figures.
    #[must_use]
    pub fn measures(&self) -> Measures {
        Measures {
            gearing: self.gearing(),
            critical: self.critical(Seller::Everyone, Pace::AT_ONCE),
            delta: self.delta(),
            gamma: self.gamma(),
            market_depth_ratios: DROPS.map(|fall| self.market_depth_ratio(fall)),
            backstop_depth_ratios: DROPS.map(|fall| self.backstop_depth_ratio(fall)),
        }
    }

    /// The price after a fall and the stress fall, rounded down.
    fn stressed(&self, fall: Bps) -> u64 {
        num::mul_div_floor(after(fall), self.stress_fall.below_one(), BPS).unwrap_or(0)
    }

    /// Inventory at a price, quote atoms, rounded down.
    fn inventory_at(&self, price: u64) -> u128 {
        num::wide(self.inventory.0, price)
            .checked_div(START.into())
            .unwrap_or(0)
    }

    /// Partial liquidations that the pipeline has not let through in some minutes, quote atoms × 10,000, rounded up.
    fn waiting(&self, reached: &Reached<'_>, minutes: u32) -> u128 {
        let through = self.minute.saturating_mul(minutes.into()).saturating_add(self.pipeline);
        let held = u128::from(self.inventory.0).saturating_mul(BPS.into());
        let taken = through
            .saturating_sub(held)
            .saturating_mul(BPS.into())
            .checked_div(self.backstop.sold_for.factor().into());
        reached.partial().saturating_sub(taken.unwrap_or(0))
    }
}

impl Market {
    /// The cascade curve from spot on, interest included, at any level: guards that do not believe a fall only gain
    /// time. Keepers who dump are taken to repay half of a debt at a time, for a bonus as large as the penalty of a
    /// take-over; but at most half of the margin, for with more a liquidation would not help.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`].
    pub fn cascade(&self, prices: &Prices, clock: Clock) -> Result<Curve> {
        let books = self.books_at(clock)?;
        let (config, backstop, index) = (&self.config, &books.backstop, books.pool.index);
        let liquidation_ltv = self.liquidation_ltv(clock);
        let half_margin = liquidation_ltv.below_one() / 2;
        Curve::new(&Inputs {
            price: prices.spot(),
            map: &self.map,
            index,
            liquidation_ltv,
            takeover_ltv: config.takeover_ltv,
            target_ltv: config.target_ltv,
            penalty: config.penalty,
            bonus: config
                .takeover_penalty
                .min(Bps(u32::try_from(half_margin).unwrap_or(0))),
            close_factor: HALF,
            depth: Depth::assumed(config.market_depth),
            flow: config.hourly_flow(),
            burst: config.auction_burst,
            pipeline: config.pipeline,
            cash: backstop.cash.plus(books.reserves_owed())?,
            owed: index.debt(backstop.debt_shares)?.plus(backstop.unfunded_credits)?,
            inventory: backstop.inventory,
            stress_fall: config.stress_fall,
        })
    }
}

/// A half: the usual close factor.
const HALF: Bps = Bps(5_000);
/// 1%.
const PERCENT: Bps = Bps(100);

/// A market on its way.
struct State<'a> {
    curve: &'a Curve,
    reached: Reached<'a>,
    memory: Memory,
    /// The part of an impact left after a minute: see [`Depth::kept`].
    kept: u128,
    /// Average of the price over an hour.
    average: u64,
    /// Sold until now, quote atoms × 10,000.
    sold: u128,
    /// The most that may be sold now, quote atoms × 10,000, if that is limited.
    allowance: Option<u128>,
}

impl State<'_> {
    /// The rounds of a minute: until nobody is left who sells at the price, or there is no time for more.
    fn sell(&mut self, news: u64, rounds: u32) {
        let depth = &self.curve.depth;
        let before = self.memory.units(depth);
        let mut price = moved(news, before);
        let (mut value, mut units) = (0, 0);
        for _ in 0..rounds {
            self.reached.fall_to(price);
            value = self.left().min(self.allowance.unwrap_or(u128::MAX));
            units = depth.units(value, price, self.average);
            let next = moved(news, before.saturating_add(units)).min(price);
            if next == price {
                break;
            }
            price = next;
        }
        self.reached.fall_to(price);
        self.memory.sell(units);
        self.sold = self.sold.saturating_add(value);
        self.allowance = self.allowance.map(|allowance| allowance.saturating_sub(value));
        let hour = u128::from(self.average).saturating_mul(HOUR.into());
        let average = hour.saturating_add(price.into()).div_ceil(u128::from(HOUR + 1));
        self.average = u64::try_from(average).unwrap_or(START);
    }

    /// A minute passes.
    fn next_minute(&mut self) {
        self.memory.fade(self.kept);
        let Curve { burst, minute, .. } = *self.curve;
        self.allowance = self
            .allowance
            .map(|allowance| allowance.min(burst).saturating_add(minute));
    }

    /// Collateral to be sold and not sold yet, quote atoms × 10,000.
    fn left(&self) -> u128 {
        let inventory = u128::from(self.curve.inventory.0).saturating_mul(BPS.into());
        self.reached.sales().saturating_add(inventory).saturating_sub(self.sold)
    }
}

/// The price that news alone have made after some minutes.
fn news_at(news: Bps, pace: Pace, minute: u32) -> u64 {
    let whole = START.saturating_sub(after(news));
    let part = match pace.fall {
        0 => whole,
        fall => num::mul_div_ceil(whole, minute.min(fall).into(), fall.into()).unwrap_or(whole),
    };
    START.saturating_sub(part)
}

/// The price after a fall.
fn after(fall: Bps) -> u64 {
    fall.below_one() << 16
}

/// The fall to a price, bps, rounded up.
fn fall_to(price: u64) -> u32 {
    let fall = START.saturating_sub(price).div_ceil(1 << 16);
    u32::try_from(fall).unwrap_or(num::WHOLE.0)
}

/// Quote atoms × 10,000 as quote atoms, rounded up; the most that fit.
fn atoms(value: u128) -> Quote {
    Quote(u64::try_from(value.div_ceil(u128::from(BPS))).unwrap_or(u64::MAX))
}

/// a ÷ b, bps, rounded down, if a is × 10,000 more than b; `u32::MAX` if b is nothing.
fn ratio(a: u128, b: u128) -> Bps {
    let ratio = a.saturating_mul(BPS.into()).checked_div(b);
    Bps(ratio.and_then(|ratio| u32::try_from(ratio).ok()).unwrap_or(u32::MAX))
}

/// As a signed number; the most that fits.
fn signed(value: u128) -> i128 {
    i128::try_from(value).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests;

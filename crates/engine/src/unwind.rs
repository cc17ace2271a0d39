//! The unwind: when and at what price the backstop sells inventory.
//!
//! A linear variable-rate Dutch auction keeps sales to a schedule (Paradigm's VRGDA, with a linear price):
//!
//! ```text
//! r        = clamp(inventory / unwind_time, min_rate, max_rate)      collateral atoms per second
//! lag      = now − anchor                                            behind (+) or ahead (−) of schedule
//! discount = clamp(slope × lag, −max_premium, max_discount)
//! ask      = max( offered × (1 − discount),  trend × (1 − floor_band) )
//! ```
//!
//! `offered` is the upper end of the confidence interval, and while Guarded the highest of all prices, without discount
//! ([`Prices::offered`]); `trend` is the higher of the two averages ([`Prices::trend`]).
//!
//! A sale of a atoms moves the anchor forward by a ÷ r. The anchor prices the auction but cannot bound the flow: it lags
//! while nobody buys, and a lag of an hour would let an hour's worth go at once. So there are two marks. The second,
//! `flow`, never lags behind now, and a sale moves it by a ÷ max_rate. Neither may pass now + burst. Hence in any
//! window W at most max_rate × (W + burst) is sold, whatever anyone does.

use crate::{
    config::Config,
    error::{Error, Result},
    guard::{Level, Prices},
    num::{self, BPS},
    pace::{self, MICROS, Pace, micros},
    units::{Bps, Clock, Collateral, Price},
};

const MICROS_PER_HOUR: u64 = 3_600 * MICROS;

stored! {
    /// How far the unwind has sold, against time.
    Schedule {
        /// The moment up to which the schedule is fulfilled, microseconds since 1970. It sets the price.
        anchor: i64,
        /// The moment up to which the flow limit is used, microseconds since 1970. It bounds the pace.
        flow: i64,
    }
}

/// A moment at which inventory may arrive, and what is the same for all of it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Microseconds since 1970.
    now: i64,
    /// Lag beyond it does not count, seconds.
    longest_lag: u64,
}

impl Arrival {
    /// At `clock`.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn at(config: &Config, clock: Clock) -> Result<Self> {
        Ok(Self {
            now: micros(clock)?,
            longest_lag: Schedule::longest_lag(config)?,
        })
    }
}

/// What the backstop offers now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Quote atoms for one collateral atom, rounded up.
    pub ask: Price,
    /// Most collateral that can be bought now, atoms.
    pub available: Collateral,
    /// Discount off the upper end of the confidence interval, bps; negative is a premium. The floor may hold the ask
    /// above it.
    pub discount: i64,
}

impl Schedule {
    /// `seized` atoms arrive beside `held` ones. They are new to the market and so begin without a discount: the lag shrinks to
    /// the old part of the inventory,
    ///
    /// ```text
    /// lag ← lag × held ÷ (held + seized)
    /// ```
    ///
    /// by whole seconds, rounded down. `arrival` is that of the moment. Sales that ran ahead still count.
    #[inline]
    pub fn arrive(&mut self, arrival: &Arrival, held: Collateral, seized: Collateral) {
        if self.anchor < arrival.now {
            self.dilute(arrival, held, seized);
        }
    }

    /// [`Schedule::arrive`] behind the schedule. Apart from it, for a batch does it once.
    #[cold]
    #[inline(never)]
    fn dilute(&mut self, arrival: &Arrival, held: Collateral, seized: Collateral) {
        if held == Collateral::ZERO {
            self.anchor = arrival.now;
            return;
        }
        let lag = arrival.now.saturating_sub(self.anchor).unsigned_abs() / MICROS;
        let lag = lag.min(arrival.longest_lag);
        // The part lost is below one, so it fits; were it not to, all would be lost.
        let lost = num::mul_div_floor(lag, seized.0, held.0.saturating_add(seized.0)).unwrap_or(lag);
        let kept = lag.saturating_sub(lost).saturating_mul(MICROS);
        self.anchor = self.anchor.max(arrival.now.saturating_sub_unsigned(kept));
    }

    /// Sales are stopped until `unix`: the discount begins anew then. Else whoever may stop sales keeps other buyers away while it
    /// grows, and is the first when it is over.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn stop(&mut self, unix: i64) -> Result<()> {
        self.anchor = self.anchor.max(micros(Clock { unix, slot: 0 })?);
        Ok(())
    }

    /// The lag at which the discount is the largest, seconds, rounded up: more would only make it outlive the return of
    /// buyers.
    fn longest_lag(config: &Config) -> Result<u64> {
        num::mul_div_ceil(config.unwind_max_discount.factor(), 3_600, config.unwind_slope.factor())
    }

    /// The scheduled rate, collateral atoms per second, rounded down.
    #[must_use]
    pub fn rate(config: &Config, inventory: Collateral) -> u64 {
        let wanted = inventory.0.checked_div(u64::from(config.unwind_time)).unwrap_or(0);
        wanted.clamp(
            config.unwind_min_rate,
            config.unwind_max_rate.max(config.unwind_min_rate),
        )
    }

    /// The anchor, at most as far behind as the largest discount needs.
    fn anchor(&self, config: &Config, now: i64) -> Result<i64> {
        let lag = Self::longest_lag(config)?.saturating_mul(MICROS);
        Ok(self.anchor.max(now.saturating_sub_unsigned(lag)))
    }

    /// The discount at `level` now, bps, rounded towards zero; negative is a premium. Nothing but a premium unless the
    /// level is Normal.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn discount(&self, config: &Config, level: Level, clock: Clock) -> Result<i64> {
        let now = micros(clock)?;
        let lag = now.saturating_sub(self.anchor(config, now)?);
        let size = num::mul_div_floor(config.unwind_slope.factor(), lag.unsigned_abs(), MICROS_PER_HOUR)?;
        let limit = match (lag < 0, level) {
            (true, _) => config.unwind_max_premium,
            (false, Level::Normal) => config.unwind_max_discount,
            (false, _) => Bps(0),
        };
        let size = i64::try_from(size.min(limit.factor())).map_err(|_| Error::Overflow)?;
        Ok(if lag < 0 { size.saturating_neg() } else { size })
    }

    /// The ask, rounded up, in favour of the backstop.
    ///
    /// # Errors
    /// Those of [`Prices::offered`].
    pub fn ask(&self, config: &Config, prices: &Prices, clock: Clock) -> Result<Price> {
        let discount = self.discount(config, prices.level(), clock)?;
        let factor = BPS
            .checked_add_signed(discount.saturating_neg())
            .ok_or(Error::Overflow)?;
        let scheduled = prices.offered()?.scale_up(factor)?;
        let floor = prices.trend()?.scale_up(config.unwind_floor_band.below_one())?;
        Ok(scheduled.max(floor))
    }

    /// The most that can be sold now, atoms, rounded down.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn available(&self, config: &Config, inventory: Collateral, clock: Clock) -> Result<Collateral> {
        let now = micros(clock)?;
        let end = pace::after(now, config.unwind_burst);
        let (schedule, limit) = Self::paces(config, inventory);
        let by_schedule = schedule.room(self.anchor(config, now)?, end);
        let by_flow = limit.room(self.flow.max(now), end);
        Ok(inventory.min(Collateral(by_schedule.min(by_flow))))
    }

    /// Records a sale out of `inventory`.
    ///
    /// # Errors
    /// [`Error::UnwindTooFast`] if either mark would pass now + burst, [`Error::Overflow`].
    pub fn sell(&mut self, config: &Config, inventory: Collateral, amount: Collateral, clock: Clock) -> Result<()> {
        let now = micros(clock)?;
        let end = pace::after(now, config.unwind_burst);
        let (schedule, limit) = Self::paces(config, inventory);
        let advance = |pace: Pace, mark| pace.advance(mark, end, amount.0).ok_or(Error::UnwindTooFast);
        *self = Self {
            anchor: advance(schedule, self.anchor(config, now)?)?,
            flow: advance(limit, self.flow.max(now))?,
        };
        Ok(())
    }

    /// The scheduled pace, and the fastest.
    fn paces(config: &Config, inventory: Collateral) -> (Pace, Pace) {
        let per_second = |atoms| Pace { atoms, period: MICROS };
        (
            per_second(Self::rate(config, inventory)),
            per_second(config.unwind_max_rate),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::tests::CONFIG,
        oracle::{
            RawReading,
            tests::{NOW, prices, prices_with, raw},
        },
        units::Bps,
    };
    use proptest::prelude::*;
    use std::vec::Vec;

    const CONFIG_FAST: Config = Config {
        unwind_time: 3_600,
        unwind_max_rate: 1_000_000,
        unwind_min_rate: 1_000,
        ..CONFIG
    };

    fn at(seconds: i64) -> Clock {
        Clock {
            unix: NOW.unix + seconds,
            slot: 0,
        }
    }

    fn arrival(seconds: i64) -> Arrival {
        Arrival::at(&CONFIG, at(seconds)).unwrap()
    }

    fn begun() -> Schedule {
        let mut schedule = Schedule { anchor: 0, flow: 0 };
        schedule.arrive(&arrival(0), Collateral(0), Collateral(1));
        schedule
    }

    #[test]
    fn the_discount_grows_with_the_lag_and_is_clamped() {
        let schedule = begun();
        assert_eq!(schedule.discount(&CONFIG, Level::Normal, at(0)), Ok(0));
        assert_eq!(schedule.discount(&CONFIG, Level::Normal, at(3_600)), Ok(100));
        assert_eq!(schedule.discount(&CONFIG, Level::Normal, at(360_000)), Ok(500));
        assert_eq!(schedule.discount(&CONFIG, Level::Normal, at(-3_600)), Ok(-100));
        assert_eq!(schedule.discount(&CONFIG, Level::Normal, at(-360_000)), Ok(-300));
        // While Guarded only the premium is left.
        assert_eq!(schedule.discount(&CONFIG, Level::Guarded, at(360_000)), Ok(0));
        assert_eq!(schedule.discount(&CONFIG, Level::Guarded, at(-360_000)), Ok(-300));
    }

    #[test]
    fn what_arrives_beside_old_inventory_has_waited_as_long_as_its_part_of_it() {
        let after = |held, seized, seconds: i64| {
            let mut schedule = begun();
            schedule.arrive(&arrival(seconds), Collateral(held), Collateral(seized));
            (at(seconds).unix * 1_000_000 - schedule.anchor) / 1_000_000
        };
        assert_eq!(after(0, 100, 3_600), 0);
        assert_eq!(after(1, 1_000_000, 3_600), 1); // rounded in favour of the schedule
        assert_eq!(after(50, 50, 3_600), 1_800);
        assert_eq!(after(1_000_000, 1, 3_600), 3_600);
        // Lag beyond the largest discount does not count.
        assert_eq!(after(50, 50, 1_000_000), 9_000);
        assert_eq!(Schedule::longest_lag(&CONFIG), Ok(18_000));
        // Ahead of the schedule nothing changes.
        let mut ahead = begun();
        let _ = ahead.sell(&CONFIG, Collateral(1 << 40), Collateral(600_000_000), at(0));
        let before = ahead;
        ahead.arrive(&arrival(0), Collateral(5), Collateral(5));
        assert_eq!(ahead, before);
    }

    #[test]
    fn the_ask_starts_at_the_high_price_and_the_floor_holds_it() {
        let schedule = begun();
        let one = Collateral(1_000_000_000);
        let prices = prices(100_0000_0000, 1_0000_0000);
        let ask = |seconds| {
            schedule
                .ask(&CONFIG, &prices, at(seconds))
                .unwrap()
                .cost(one)
                .unwrap()
                .0
        };
        assert_eq!(ask(0), 101_000_001);
        assert_eq!(ask(3_600), 99_990_001);
        let config = Config {
            unwind_floor_band: Bps(0),
            ..CONFIG
        };
        assert_eq!(
            schedule.ask(&config, &prices, at(36_000)).unwrap().cost(one).unwrap().0,
            100_000_000
        );
    }

    #[test]
    fn sales_stop_at_the_burst() {
        let mut schedule = begun();
        let inventory = Collateral(3_600_000_000); // 1,000,000 a second
        let available = schedule.available(&CONFIG_FAST, inventory, at(0)).unwrap();
        assert_eq!(available, Collateral(600_000_000));
        let too_much = Collateral(available.0 + 1);
        assert_eq!(
            schedule.sell(&CONFIG_FAST, inventory, too_much, at(0)),
            Err(Error::UnwindTooFast)
        );
        assert_eq!(schedule.sell(&CONFIG_FAST, inventory, available, at(0)), Ok(()));
        assert_eq!(schedule.available(&CONFIG_FAST, inventory, at(0)), Ok(Collateral(0)));
        assert_eq!(
            schedule.available(&CONFIG_FAST, inventory, at(1)),
            Ok(Collateral(1_000_000))
        );
    }

    #[test]
    fn an_hour_without_buyers_does_not_let_an_hour_go_at_once() {
        let schedule = begun();
        let inventory = Collateral(3_600_000_000);
        assert_eq!(
            schedule.available(&CONFIG_FAST, inventory, at(3_600)),
            Ok(Collateral(600_000_000))
        );
    }

    proptest! {
        #[test]
        fn any_window_obeys_the_flow_bound(
            moves in prop::collection::vec((0i64..2_000, 0u64..2_000_000_000, 0u64..2_000_000_000), 1..60),
        ) {
            let mut schedule = begun();
            let (mut time, mut inventory) = (0, 0u64);
            let mut sales: Vec<(i64, u64)> = Vec::new();
            for (wait, arrive, want) in moves {
                time += wait;
                schedule.arrive(&arrival(time), Collateral(inventory), Collateral(arrive));
                inventory += arrive;
                let available = schedule.available(&CONFIG_FAST, Collateral(inventory), at(time)).unwrap().0;
                let amount = want.min(available);
                schedule.sell(&CONFIG_FAST, Collateral(inventory), Collateral(amount), at(time)).unwrap();
                inventory -= amount;
                sales.push((time, amount));
            }
            for first in 0..sales.len() {
                let mut sold = 0;
                for &(end, amount) in &sales[first..] {
                    sold += amount;
                    let window = (end - sales[first].0) as u64 + u64::from(CONFIG_FAST.unwind_burst);
                    prop_assert!(sold <= CONFIG_FAST.unwind_max_rate * window);
                }
            }
        }

        #[test]
        fn what_is_available_can_be_sold_and_one_atom_more_cannot(
            inventory in 1u64..1 << 50, lag in 0i64..100_000, sold in 0u64..600_000_000,
        ) {
            let mut schedule = begun();
            let _ = schedule.sell(&CONFIG_FAST, Collateral(1 << 50), Collateral(sold), at(0));
            let inventory = Collateral(inventory);
            let available = schedule.available(&CONFIG_FAST, inventory, at(lag)).unwrap();
            let mut sold_out = schedule;
            prop_assert_eq!(sold_out.sell(&CONFIG_FAST, inventory, available, at(lag)), Ok(()));
            if available < inventory {
                let more = Collateral(available.0 + 1);
                prop_assert_eq!(schedule.sell(&CONFIG_FAST, inventory, more, at(lag)), Err(Error::UnwindTooFast));
            }
        }

        #[test]
        fn the_ask_is_never_below_its_floor(lag in -100_000i64..1_000_000, price in 1i64..1 << 40, conf in 0u64..100) {
            let prices = prices(price, conf.min(price.unsigned_abs() / 100));
            let ask = begun().ask(&CONFIG, &prices, at(lag)).unwrap();
            prop_assert!(ask >= prices.trend().unwrap().scale_down(CONFIG.unwind_floor_band.below_one()).unwrap());
            prop_assert!(ask >= prices.offered().unwrap().scale_down(CONFIG.unwind_max_discount.below_one()).unwrap());
        }

        /// With whatever a valid config allows, and whatever prices are Normal: in time the ask comes down to spot.
        #[test]
        fn the_auction_cannot_get_stuck(
            price in 1_000_000i64..1 << 40, ema in 0i64..=10_000, conf in 0u64..=10_000, band in 1u32..=3_000,
            floor in 0u32..=3_000, guard in 1u32..=300, discount in 0u32..=2_500, premium in 0u64..600_000_000,
        ) {
            let config = Config {
                average_band: Bps(band),
                ema_band: Bps(band),
                unwind_floor_band: Bps(floor),
                confidence_guard: Bps(guard),
                unwind_max_discount: Bps(discount),
                ..CONFIG
            };
            prop_assume!(config.validate().is_ok());
            let conf = price.unsigned_abs() / 10_000 * u64::from(guard) / 10_000 * conf;
            let ema = price + price / 10_000 * i64::from(band) / 10_000 * (2 * ema - 10_000);
            let prices = prices_with(&config, RawReading { ema_price: ema, ..raw(price, conf) });
            prop_assume!(prices.level() == Level::Normal);
            let mut schedule = begun();
            let _ = schedule.sell(&config, Collateral(1 << 50), Collateral(premium), at(0));
            let late = at(1_000_000_000);
            let ask = schedule.ask(&config, &prices, late).unwrap();
            // the ask is rounded up, and so are its parts
            prop_assert!(ask.raw() <= prices.spot().raw() + 3, "{ask:?} {prices:?}");
        }
    }
}

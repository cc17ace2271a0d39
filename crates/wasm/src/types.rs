//! Questions' parts and answers that are not in the program's IDL. Prices are quote atoms per collateral atom, Q64.64;
//! ratios are basis points.

use alloc::vec::Vec;
use breakwater_engine::{Prices, oracle, risk, unwind};

/// What a heat map and a schedule are made of.
pub type List<T> = Vec<T>;

described! {
    /// What a Pyth account says. Prices are mantissas: price × 10^expo USD.
    RawReading {
        /// Aggregate price.
        price: i64,
        /// Half-width of the confidence interval, in the price's units.
        conf: u64,
        /// Decimal exponent.
        expo: i32,
        /// Pyth's moving average of the price.
        ema_price: i64,
        /// When the price was published, seconds since 1970.
        publish_time: i64,
    }
    /// What the base token costs, and how much of it the collateral is redeemed for.
    Redemption {
        /// Base token in USD.
        base: RawReading,
        /// Redemption rate, in base tokens.
        rate: RawReading,
    }
    /// What a market's feeds say.
    Readings {
        /// Collateral token in USD.
        collateral: RawReading,
        /// Quote token in USD.
        quote: RawReading,
        /// For markets that count collateral by its redemption.
        redemption: Option<Redemption>,
    }
    /// The chain's clock.
    Moment {
        /// Seconds since 1970.
        unix: i64,
        /// The slot.
        slot: u64,
    }
    /// What a market makes of its feeds. A price is `None` where the action that it is for would be refused.
    MarketPrices {
        /// Price of the readings, rounded down.
        spot: u128,
        /// Spot, as far as the velocity limit lets it move.
        guarded: u128,
        /// The market's own average of the guarded price.
        average: u128,
        /// Accounts are judged and liquidated at it.
        liquidation: Option<u128>,
        /// Collateral counts at it for borrowing, rounded down.
        conservative: Option<u128>,
        /// Sales of inventory start from it, rounded up.
        offered: Option<u128>,
        /// The widest confidence interval among the feeds, bps of its price.
        confidence: u32,
        /// 0 = Normal, 1 = Guarded, 2 = Halted.
        level: u8,
        /// Reasons for caution: the bits of `LevelChange`'s flags.
        flags: u8,
    }
    /// How a margin account stands.
    Health {
        /// Collateral held, atoms.
        collateral: u64,
        /// Debt with interest up to now, quote atoms, rounded up.
        debt: u64,
        /// What the account is judged by: the higher of spot and guarded price.
        price: u128,
        /// Value of the collateral at that price, quote atoms, rounded down.
        value: u64,
        /// Debt ÷ value, bps, rounded up; 4294967295 if the collateral is worth nothing.
        ltv: u32,
        /// Above it the account is liquidated, bps.
        liquidation_ltv: u32,
        /// Whether it is above.
        liquidatable: bool,
        /// The highest price at which the account is liquidated, at today's debt; `None` without debt.
        liquidation_price: Option<u128>,
    }
    /// How far a new loan may go, and why not further.
    InitialLtv {
        /// The parameter, bps.
        base: u32,
        /// What volatility takes off it, bps.
        volatility: u32,
        /// What crowding takes off it, bps.
        crowding: u32,
        /// What is left, bps.
        limit: u32,
    }
    /// What the backstop sells at one moment.
    Offer {
        /// When, seconds since 1970.
        at: i64,
        /// Price, rounded up.
        ask: u128,
        /// Most collateral that can be bought then, atoms, if nobody buys before.
        available: u64,
        /// Discount off the upper end of the confidence interval, bps; negative is a premium.
        discount: i64,
    }
    /// Debt that is liquidated at prices from `edge` up to the next band's edge.
    PriceBand {
        /// Lower edge, rounded down.
        edge: u128,
        /// Debt of the accounts in it, quote atoms, rounded up.
        debt: u64,
    }
    /// What the backstop has for the debt that a fall of the price would liquidate.
    DepthRatio {
        /// The fall, bps.
        drop: u32,
        /// Room ÷ that debt, bps, rounded down; `None` if it would liquidate nothing.
        ratio: Option<u32>,
    }
    /// Measures of risk of a market.
    Risk {
        /// Debt that the backstop can still take over, quote atoms.
        room: u64,
        /// How far the price must fall to the nearest band with debt, bps; `None` without any.
        proximity: Option<u32>,
        /// Liquidity depth ratios.
        depth: [DepthRatio; 5],
        /// Debt liquidated by the next 1% of a fall ÷ sales that cause such a fall, bps.
        cascade: u32,
        /// Standard deviation of the price over the market's horizon, bps.
        deviation: u32,
    }
}

impl From<RawReading> for oracle::RawReading {
    fn from(raw: RawReading) -> Self {
        Self {
            price: raw.price,
            conf: raw.conf,
            expo: raw.expo,
            ema_price: raw.ema_price,
            publish_time: raw.publish_time,
        }
    }
}

impl From<Readings> for breakwater_engine::Readings {
    fn from(readings: Readings) -> Self {
        Self {
            collateral: readings.collateral.into(),
            quote: readings.quote.into(),
            redemption: readings.redemption.map(|both| (both.base.into(), both.rate.into())),
        }
    }
}

impl From<Moment> for breakwater_engine::Clock {
    fn from(moment: Moment) -> Self {
        Self {
            unix: moment.unix,
            slot: moment.slot,
        }
    }
}

impl MarketPrices {
    pub(crate) fn of(config: &breakwater_engine::Config, prices: &Prices) -> Self {
        Self {
            spot: prices.spot().raw(),
            guarded: prices.guarded().raw(),
            average: prices.average().raw(),
            liquidation: prices.liquidation(config).ok().map(breakwater_engine::Price::raw),
            conservative: prices.conservative().ok().map(breakwater_engine::Price::raw),
            offered: prices.offered().ok().map(breakwater_engine::Price::raw),
            confidence: prices.believed().confidence().0,
            level: prices.level().byte(),
            flags: prices.flags().0,
        }
    }
}

impl Health {
    pub(crate) fn of(health: &breakwater_quotes::Health, judged_at: breakwater_engine::Price) -> Self {
        Self {
            collateral: health.collateral.0,
            debt: health.debt.0,
            price: judged_at.raw(),
            value: health.value.0,
            ltv: health.ltv.0,
            liquidation_ltv: health.liquidation_ltv.0,
            liquidatable: health.liquidatable,
            liquidation_price: health.liquidation_price.map(breakwater_engine::Price::raw),
        }
    }
}

impl From<risk::InitialLtv> for InitialLtv {
    fn from(ltv: risk::InitialLtv) -> Self {
        Self {
            base: ltv.base.0,
            volatility: ltv.volatility.0,
            crowding: ltv.crowding.0,
            limit: ltv.limit.0,
        }
    }
}

impl Offer {
    pub(crate) fn new(at: i64, offer: &unwind::Offer) -> Self {
        Self {
            at,
            ask: offer.ask.raw(),
            available: offer.available.0,
            discount: offer.discount,
        }
    }
}

impl From<risk::PriceBand> for PriceBand {
    fn from(band: risk::PriceBand) -> Self {
        Self {
            edge: band.edge.raw(),
            debt: band.debt.0,
        }
    }
}

impl From<risk::Risk> for Risk {
    fn from(risk: risk::Risk) -> Self {
        let mut depth = [DepthRatio { drop: 0, ratio: None }; 5];
        for ((of, drop), ratio) in depth.iter_mut().zip(risk::DROPS).zip(risk.depth_ratios) {
            *of = DepthRatio {
                drop: drop.0,
                ratio: (ratio.0 != u32::MAX).then_some(ratio.0),
            };
        }
        Self {
            room: risk.room.0,
            proximity: risk.proximity.map(|bps| bps.0),
            depth,
            cascade: risk.cascade.0,
            deviation: risk.deviation.0,
        }
    }
}

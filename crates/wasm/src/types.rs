//! Questions' parts and answers that are not in the program's IDL. Prices are quote atoms per collateral atom, Q64.64;
//! ratios are basis points.

use alloc::vec::Vec;
use breakwater_engine::{
    Bps, Error, Feeds, Price, Prices, actions,
    backstop::{auction, capacity},
    market,
    price::oracle,
    views::{
        balance_sheet,
        cascade::{Curve, End, Pace, Seller},
        risk,
    },
};
use breakwater_quotes as quotes;

/// Anchor's first code of a program's own errors; the engine's come first among the program's.
const FIRST_CODE: u32 = 6_000;

/// The program's code of an error.
pub(crate) fn code(error: Error) -> u32 {
    FIRST_CODE + error as u32
}

/// List that a heat map and a schedule are made of.
pub type List<T> = Vec<T>;

described! {
    /// A Pyth account's reading. Prices are mantissas: price × 10^expo USD.
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
    /// Price of the base token, and the rate at which the collateral is redeemed for it.
    Redemption {
        /// Base token in USD.
        base: RawReading,
        /// Redemption rate, in base tokens.
        rate: RawReading,
    }
    /// Readings of a market's feeds.
    Readings {
        /// Collateral token in USD.
        collateral: RawReading,
        /// Quote token in USD.
        quote: RawReading,
        /// For markets that count collateral by its redemption.
        redemption: Option<Redemption>,
    }
    /// Readings of the feeds whose accounts have one.
    ShownReadings {
        /// Collateral token in USD.
        collateral: Option<RawReading>,
        /// Quote token in USD.
        quote: Option<RawReading>,
        /// Base token in USD.
        base: Option<RawReading>,
        /// Redemption rate, in base tokens.
        rate: Option<RawReading>,
    }
    /// Feeds that somebody must post before an action.
    FeedsToPost {
        /// Collateral token in USD.
        collateral: bool,
        /// Quote token in USD.
        quote: bool,
        /// Base token in USD.
        base: bool,
        /// Redemption rate.
        rate: bool,
    }
    /// The chain's clock.
    Moment {
        /// Seconds since 1970.
        unix: i64,
        /// The slot.
        slot: u64,
    }
    /// A market's prices by its feeds. A price is `None` where the action that it is for would be refused.
    MarketPrices {
        /// Price of the readings, rounded down.
        spot: u128,
        /// Spot, as far as the velocity limit lets it move.
        guarded: u128,
        /// The market's own EMA of the guarded price.
        own_ema: u128,
        /// The higher of spot and guarded price: accounts are judged at it.
        judged: Option<u128>,
        /// The lower of the two: what is taken from them counts at it.
        settled: Option<u128>,
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
        /// Price that the account is judged at: the higher of spot and guarded price.
        price: u128,
        /// Value of the collateral at that price, quote atoms, rounded down.
        value: u64,
        /// Debt ÷ value, bps, rounded up; 4294967295 if the collateral is worth nothing.
        ltv: u32,
        /// Above it the account is liquidated, bps.
        liquidation_ltv: u32,
        /// True if the LTV is above it.
        liquidatable: bool,
        /// The highest price at which the account is liquidated, at today's debt; `None` without debt.
        liquidation_price: Option<u128>,
        /// The highest price at which all of it is taken over, whatever the backstop has; `None` without debt.
        takeover_price: Option<u128>,
    }
    /// The largest amount that would be accepted.
    Largest {
        /// Atoms; zero if none would.
        amount: u64,
        /// Code of the error that one atom more is refused with: the rule that binds. That of the minimum debt if only
        /// less than it would be accepted but for that.
        bound_by: u32,
    }
    /// Liquidation of an account, as it would be, and its limits. Quote atoms unless it says otherwise.
    LiquidationPreview {
        /// The higher of spot and guarded price: decides whether the account is liquidated, and how far.
        judged_at: u128,
        /// The lower of the two: what its collateral counts for when it changes hands.
        settled_at: u128,
        /// Debt that would be taken off it were there no limit: to the target, or all of it.
        wanted: u64,
        /// The part of that whose turn it is now: while Guarded a step, else all of it.
        liquidatable: u64,
        /// Liquidation that the program would make. `None` if it refuses with `PipelineFull`: the account waits.
        done: Option<actions::Liquidation>,
        /// The part of `due` that waits until the backstop has sold some of its inventory.
        waiting: u64,
    }
    /// The backstop's gains and losses from a sudden fall of the price, if it took over all that is due then. Quote
    /// atoms unless it says otherwise.
    Shock {
        /// The price after it.
        price: u128,
        /// Debt of the accounts that could be liquidated.
        debt: u64,
        /// Debt that would be taken over.
        repaid: u64,
        /// Collateral taken for it, atoms.
        seized: u64,
        /// Penalties on it, and the margin that take-overs leave to the backstop.
        penalties: u64,
        /// The part of the penalties that guardians have a share of.
        shared: u64,
        /// Excess of debts over their collateral's value.
        deficits: u64,
    }
    /// Cover for all accounts under water if the price fell so far with nothing sold.
    StressCover {
        /// S: the fall from the lowest of spot, guarded price and own EMA, bps.
        fall: u32,
        /// q: the price after it.
        price: u128,
        /// B(q): excess of debts over their collateral's value, quote atoms, rounded up.
        underwater: u64,
        /// Cash + reserves owed + inventory × q − debt − unfunded credits − B(q), quote atoms. Negative where it
        /// does not suffice.
        cover: i128,
    }
    /// Value of LP shares to a supplier who leaves now, quote atoms.
    LpValue {
        /// The suppliers' assets by the books: new suppliers pay for these.
        assets: u64,
        /// The part of them that would be lost if everything were settled at this price.
        impaired: u64,
        /// Payment for the shares: their part of the rest. Cash and the outflow limit may allow less.
        amount: u64,
    }
    /// The backstop's balance sheet. Quote atoms unless it says otherwise.
    BackstopBalanceSheet {
        /// Cash.
        cash: u64,
        /// Collateral held, atoms.
        inventory: u64,
        /// The inventory at spot, rounded down.
        inventory_value: u64,
        /// Value of the inventory when it was taken over.
        inventory_book: u64,
        /// Reserves that the pool owes.
        reserves_owed: u64,
        /// Debt to the pool, rounded up.
        debt: u64,
        /// Credited to keepers and set aside.
        funded_credits: u64,
        /// Credited to keepers without cash for it yet.
        unfunded_credits: u64,
        /// Debt written off that is paid back before guardians and protocol have anything.
        written_off: u64,
        /// The rest of the inventory that may pay it back, collateral atoms.
        recovering: u64,
        /// Equity with the inventory at spot, after what was written off.
        equity: i128,
        /// The guardians' claim on it.
        guardians: u64,
        /// The protocol's part; negative if the claim is not covered.
        protocol: i128,
        /// Shortfall of the guardians' claim if everything were settled at this price: a guardian who joins bears his
        /// part of it.
        claim_impaired: u64,
        /// The suppliers' loss if everything were settled at this price.
        impaired: u64,
        /// C: partial liquidations are taken in full while it is not negative after them.
        cover: StressCover,
        /// The same at the fall that new risk must leave cover for.
        admission: StressCover,
        /// Capital that has asked to leave.
        leaving: u64,
        /// A: the cover of admission without that. New risk is refused if it is negative and lower than before.
        admissible: i128,
        /// Inventory that fits the pipeline beside what is held, collateral atoms: what is still taken while C is
        /// negative.
        pipeline_headroom: u64,
        /// Most that is sold in an hour, at the higher of the two EMAs.
        hourly_flow: u64,
    }
    /// Yield of the guardians' claim.
    GuardianYield {
        /// The claim, quote atoms.
        claim: u64,
        /// For standing by, at present interest and claim, bps a year, not compounded: interest rate × debt × reserve
        /// factor × standby share ÷ (claim + the protocol's capital and reserves).
        standing_by: u32,
        /// The part of each penalty that the claim earns, bps, at present equity.
        rate: u32,
        /// Earnings of the claim from penalties if all debt within a fall of 20% were liquidated after that fall, quote
        /// atoms. Its part of the deficits is not taken off.
        earned: u64,
        /// The same ÷ claim, bps.
        in_a_crash: u32,
    }
    /// Payment of a guardian's request now.
    Leaving {
        /// Unpaid part of the request before that, quote atoms.
        unpaid: u64,
        /// Quote atoms that it pays.
        amount: u64,
        /// Code of the error that says what stands in the way of more; `NothingRequested` if that is all.
        bound_by: u32,
    }
    /// The backstop's offer at one moment.
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
    /// Debt of the accounts that a fall of the price makes liquidatable.
    DebtWithin {
        /// The fall, bps.
        drop: u32,
        /// Quote atoms, rounded up.
        debt: u64,
    }
    /// Where the price ends after a fall by news.
    CascadeEnd {
        /// The furthest that it falls, bps of the price at the start, rounded up.
        fall: u32,
        /// The fall by sales: how far the end is below the price that the news alone would have made, bps of it,
        /// rounded up.
        own: u32,
        /// Debt that falls due for repayment on the way, quote atoms, rounded up.
        liquidatable: u64,
        /// The most of it that waits at the end for the backstop's pipeline, quote atoms, rounded up.
        waiting: u64,
        /// Collateral to be sold and unsold at the end, quote atoms, rounded up: inventory, and the waiting part.
        unsold: u64,
    }
    /// One fall by news, and where it ends.
    CascadePoint {
        /// The fall by news alone, bps.
        news: u32,
        /// If keepers repay whole debts and sell the collateral at once: no mechanism can sell more, or sooner.
        everyone: CascadeEnd,
        /// If keepers repay half of a debt at a time and sell the collateral at once, as in most lending protocols.
        keepers: CascadeEnd,
        /// With the backstop, which sells no faster than the flow limit allows.
        backstop: CascadeEnd,
    }
    /// Depth for the debt that a fall of the price makes due. `None` if it makes none due.
    DepthRatios {
        /// The fall, bps.
        drop: u32,
        /// Sales that move the price by the fall ÷ debt of the accounts that it makes due, bps, rounded down. Below
        /// 10,000, dumping what is due moves the price further than the fall.
        market: Option<u32>,
        /// (The backstop's cash, what the pool owes it, and its inventory after the fall and the stress fall) ÷
        /// repayment that it would take over, bps, rounded down.
        backstop: Option<u32>,
    }
    /// The cascade curve in a few figures.
    CascadeMeasures {
        /// How far a fall of 1% ends if everyone dumps at once, ÷ 1%, bps, rounded up. 10,000 is a market whose
        /// borrowers add nothing.
        gearing: u32,
        /// Debt of the accounts that the next 1% of a fall makes due, quote atoms.
        delta: u64,
        /// How much more the second 1% makes due than the first, quote atoms.
        gamma: i64,
        /// The smallest fall by news that ends 50% down or further if everyone dumps, bps; 5,000 where sales add
        /// nothing.
        critical_everyone: u32,
        /// The same if keepers dump half of a debt at a time.
        critical_keepers: u32,
        /// The same with the backstop.
        critical_backstop: u32,
        /// By the fall.
        depth: [DepthRatios; 5],
    }
    /// Measures of risk of a market.
    Risk {
        /// How far the price must fall to the nearest band with debt, bps; `None` without any.
        proximity: Option<u32>,
        /// Debt by the fall that reaches it.
        debt_within: [DebtWithin; 5],
        /// Standard deviation of the price over the market's horizon, bps.
        deviation: u32,
        /// S of admission: the fall that new risk must leave cover for, bps.
        admission_fall: u32,
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
            collateral: Some(readings.collateral.into()),
            quote: Some(readings.quote.into()),
            base: readings.redemption.map(|both| both.base.into()),
            rate: readings.redemption.map(|both| both.rate.into()),
        }
    }
}

impl From<ShownReadings> for breakwater_engine::Readings {
    fn from(shown: ShownReadings) -> Self {
        let ShownReadings {
            collateral,
            quote,
            base,
            rate,
        } = shown;
        let shown = Feeds {
            collateral,
            quote,
            base,
            rate,
        };
        shown.map(|reading| reading.map(Into::into))
    }
}

impl From<Feeds<bool>> for FeedsToPost {
    fn from(feeds: Feeds<bool>) -> Self {
        let Feeds {
            collateral,
            quote,
            base,
            rate,
        } = feeds;
        Self {
            collateral,
            quote,
            base,
            rate,
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
    pub(crate) fn of(prices: &Prices) -> Self {
        let liquidation = prices.liquidation().ok();
        Self {
            spot: prices.spot().raw(),
            guarded: prices.guarded().raw(),
            own_ema: prices.own_ema().raw(),
            judged: liquidation.map(|at| at.judged.raw()),
            settled: liquidation.map(|at| at.settled.raw()),
            conservative: prices.conservative().ok().map(Price::raw),
            offered: prices.ask_reference().ok().map(Price::raw),
            confidence: prices.oracle_price().confidence().0,
            level: prices.level().byte(),
            flags: prices.flags().0,
        }
    }
}

impl Health {
    pub(crate) fn of(health: &quotes::Health, judged_at: Price) -> Self {
        Self {
            collateral: health.collateral.0,
            debt: health.debt.0,
            price: judged_at.raw(),
            value: health.value.0,
            ltv: health.ltv.0,
            liquidation_ltv: health.liquidation_ltv.0,
            liquidatable: health.liquidatable,
            liquidation_price: health.liquidation_price.map(Price::raw),
            takeover_price: health.takeover_price.map(Price::raw),
        }
    }
}

impl Largest {
    pub(crate) fn new(amount: u64, bound_by: Error) -> Self {
        Self {
            amount,
            bound_by: code(bound_by),
        }
    }
}

impl From<quotes::Preview> for LiquidationPreview {
    fn from(preview: quotes::Preview) -> Self {
        Self {
            judged_at: preview.judged_at.raw(),
            settled_at: preview.settled_at.raw(),
            wanted: preview.wanted.0,
            liquidatable: preview.liquidatable.0,
            done: preview.done,
            waiting: preview.waiting.0,
        }
    }
}

impl From<quotes::Shock> for Shock {
    fn from(shock: quotes::Shock) -> Self {
        Self {
            price: shock.price.raw(),
            debt: shock.debt.0,
            repaid: shock.repaid.0,
            seized: shock.seized.0,
            penalties: shock.penalties.0,
            shared: shock.shared.0,
            deficits: shock.deficits.0,
        }
    }
}

impl From<capacity::StressBalanceSheet> for StressCover {
    fn from(stress: capacity::StressBalanceSheet) -> Self {
        Self {
            fall: stress.fall.0,
            price: stress.price.raw(),
            underwater: stress.underwater.0,
            cover: stress.cover,
        }
    }
}

impl From<market::LpValue> for LpValue {
    fn from(value: market::LpValue) -> Self {
        Self {
            assets: value.assets.0,
            impaired: value.impaired.0,
            amount: value.amount.0,
        }
    }
}

impl From<balance_sheet::BalanceSheet> for BackstopBalanceSheet {
    fn from(balance_sheet: balance_sheet::BalanceSheet) -> Self {
        let leaving = balance_sheet.admission.leaving.0;
        Self {
            cash: balance_sheet.cash.0,
            inventory: balance_sheet.inventory.0,
            inventory_value: balance_sheet.inventory_value.0,
            inventory_book: balance_sheet.inventory_book.0,
            reserves_owed: balance_sheet.reserves_owed.0,
            debt: balance_sheet.debt.0,
            funded_credits: balance_sheet.funded_credits.0,
            unfunded_credits: balance_sheet.unfunded_credits.0,
            written_off: balance_sheet.written_off.0,
            recovering: balance_sheet.recovering.0,
            equity: balance_sheet.equity,
            guardians: balance_sheet.guardians.0,
            protocol: balance_sheet.protocol,
            claim_impaired: balance_sheet.claim_impaired.0,
            impaired: balance_sheet.impaired.0,
            cover: balance_sheet.cover.into(),
            admission: balance_sheet.admission.into(),
            leaving,
            admissible: balance_sheet.admission.cover.saturating_sub(leaving.into()),
            pipeline_headroom: balance_sheet.pipeline_headroom.0,
            hourly_flow: balance_sheet.hourly_flow.0,
        }
    }
}

impl From<quotes::GuardianYield> for GuardianYield {
    fn from(earns: quotes::GuardianYield) -> Self {
        Self {
            claim: earns.claim.0,
            standing_by: earns.standing_by.0,
            rate: earns.rate.0,
            earned: earns.earned.0,
            in_a_crash: earns.in_a_crash.0,
        }
    }
}

impl From<quotes::Leaving> for Leaving {
    fn from(leaving: quotes::Leaving) -> Self {
        Self {
            unpaid: leaving.unpaid.0,
            amount: leaving.amount.0,
            bound_by: code(leaving.bound_by),
        }
    }
}

impl Offer {
    pub(crate) fn new(at: i64, offer: &auction::Offer) -> Self {
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

impl From<End> for CascadeEnd {
    fn from(end: End) -> Self {
        Self {
            fall: end.fall.0,
            own: end.own().0,
            liquidatable: end.liquidatable.0,
            waiting: end.waiting.0,
            unsold: end.unsold.0,
        }
    }
}

impl CascadePoint {
    pub(crate) fn new(curve: &Curve, news: Bps, pace: Pace) -> Self {
        let end = |seller| CascadeEnd::from(curve.end(news, seller, pace));
        Self {
            news: news.0,
            everyone: end(Seller::Everyone),
            keepers: end(Seller::Keepers),
            backstop: end(Seller::Backstop),
        }
    }
}

impl CascadeMeasures {
    /// Critical falls at a pace; the rest at once.
    pub(crate) fn new(curve: &Curve, pace: Pace) -> Self {
        let critical = |seller| curve.critical(seller, pace).0;
        let ratio = |ratio: Bps| (ratio.0 != u32::MAX).then_some(ratio.0);
        Self {
            gearing: curve.gearing().0,
            delta: curve.delta().0,
            gamma: curve.gamma(),
            critical_everyone: critical(Seller::Everyone),
            critical_keepers: critical(Seller::Keepers),
            critical_backstop: critical(Seller::Backstop),
            depth: risk::DROPS.map(|drop| DepthRatios {
                drop: drop.0,
                market: ratio(curve.market_depth_ratio(drop)),
                backstop: ratio(curve.backstop_depth_ratio(drop)),
            }),
        }
    }
}

impl From<risk::Risk> for Risk {
    fn from(risk: risk::Risk) -> Self {
        let mut debt_within = [DebtWithin { drop: 0, debt: 0 }; 5];
        for ((of, drop), debt) in debt_within.iter_mut().zip(risk::DROPS).zip(risk.debt_within) {
            *of = DebtWithin {
                drop: drop.0,
                debt: debt.0,
            };
        }
        Self {
            proximity: risk.proximity.map(|bps| bps.0),
            debt_within,
            deviation: risk.deviation.0,
            admission_fall: risk.admission_fall.0,
        }
    }
}

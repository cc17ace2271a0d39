//! Facts of a step, worked out from the readings and the stored state, without the engine's help.

use crate::{
    Call, Done, State, Step,
    exact::{Int, ceil, floor, int, one, positive, trunc, value, whole},
};
use breakwater_engine::{
    Collateral, Config, DebtShares, MarginAccount, RawReading, actions::Liquidation, price::oracle::Reading,
};

/// Prices with 64 fractional bits, composed from the readings.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Collateral over quote, rounded down.
    pub spot: Int,
    /// The lower end of the confidence interval, rounded down.
    pub low: Int,
    /// The upper end, rounded up.
    pub high: Int,
    /// Pyth's EMA, rounded down.
    pub ema: Option<Int>,
    /// The market's own EMA.
    pub own_ema: Int,
    /// Spot, no further from the guard's reference than the slack.
    pub guarded: Int,
    /// 0 = Normal, 1 = Guarded, 2 = Halted: what the readings and the emergency halt ask for at least.
    pub asked: u8,
    /// Level that the market says it has.
    pub level: u8,
    /// h: accounts are judged at it.
    pub judged: Int,
    /// l: accounts are settled at it.
    pub settled: Int,
    /// p: the stress cover falls from it.
    pub lowest: Int,
    /// The higher EMA: the flow limit counts at it.
    pub trend: Int,
}

/// A step, and what follows from it.
pub(crate) struct Facts<'a> {
    /// The step.
    pub step: &'a Step,
    /// The state as the call left it: also if it was refused, and all of it will be thrown away.
    pub touched: &'a State,
    /// The parameters that the call was judged by.
    pub config: &'a Config,
    /// Seconds since 1970.
    pub now: i64,
    /// The prices, if the market accepted any.
    pub view: Option<View>,
    /// The pool's index now.
    pub index: Int,
}

impl<'a> Facts<'a> {
    pub fn of(step: &'a Step) -> Self {
        let touched = step.refused.as_ref().unwrap_or(&step.after);
        Self {
            step,
            touched,
            config: &step.before.market.config,
            now: step.after.clock.unix,
            view: step.prices.map(|_| View::of(touched)),
            // Calls that need no interest leave it for later.
            index: touched
                .market
                .books_at(touched.clock)
                .map_or(int(0), |books| int(books.pool.index.raw())),
        }
    }

    /// Effects of the call, if it was not refused.
    pub fn done(&self) -> Option<&Done> {
        self.step.result.as_ref().ok()
    }

    /// The call and what it brought about.
    pub fn call_done(&self) -> Option<(&Call, &Done)> {
        Some((self.step.call.as_ref()?, self.done()?))
    }

    /// True if the call was refused.
    pub fn is_refused(&self) -> bool {
        self.step.refused.is_some()
    }

    /// Liquidations against the backstop: by account, with the account as it was.
    pub fn liquidations(&self) -> impl Iterator<Item = (usize, &MarginAccount, &Liquidation)> {
        let done = match self.done() {
            Some(Done::Liquidated(done)) => &done[..],
            _ => &[],
        };
        done.iter()
            .map(|(account, done)| (*account, &self.step.before.accounts[*account], done))
    }

    /// Debt of these shares at the index of the call, rounded up.
    pub fn debt(&self, shares: DebtShares) -> Int {
        debt(&self.index, shares)
    }
}

/// Debt of these shares, rounded up.
pub(crate) fn debt(index: &Int, shares: DebtShares) -> Int {
    ceil(&(index * shares.0), &one())
}

/// The liquidation LTV by the ramp's straight line, in ten thousandths, as a numerator and a denominator.
pub(crate) fn liquidation_ltv(state: &State) -> (Int, Int) {
    let (ramp, from) = (&state.market.ramp, i64::from(state.market.config.liquidation_ltv.0));
    let to = i64::from(ramp.to.0);
    let (now, length) = (state.clock.unix, ramp.ends_at - ramp.starts_at);
    if ramp.ends_at == 0 || now <= ramp.starts_at {
        (int(from), int(1))
    } else if now >= ramp.ends_at {
        (int(to), int(1))
    } else {
        (
            int(from) * length + int(to - from) * (now - ramp.starts_at),
            int(length),
        )
    }
}

/// The readings that count: of what is shown and known of each feed the newer, if both are of about one moment; else
/// the set that the market keeps.
pub(crate) fn used(state: &State) -> (RawReading, RawReading) {
    let (market, shown) = (&state.market, state.readings.shown());
    let known = &market.oracle.known;
    let newer = |known: &Reading, shown: Option<RawReading>| {
        let counts = |shown: &RawReading| shown.publish_time >= known.published && !is_barred(state, known, shown);
        shown.filter(counts).unwrap_or(raw(known))
    };
    let newest = (
        newer(&known.newest.collateral, shown.collateral),
        newer(&known.newest.quote, shown.quote),
    );
    let apart = newest.0.publish_time.abs_diff(newest.1.publish_time);
    // A market without a set has accepted nothing yet.
    if apart <= u64::from(market.config.max_skew) || known.set.collateral.of.price == 0 {
        newest
    } else {
        (raw(&known.set.collateral), raw(&known.set.quote))
    }
}

/// True if a reading is ahead of the clock, and published no more than the age for liquidating after one that gave way
/// to what is known.
fn is_barred(state: &State, known: &Reading, shown: &RawReading) -> bool {
    let last = known.replaced + i64::from(state.market.config.max_age_long);
    shown.publish_time > state.clock.unix && known.replaced > known.published && shown.publish_time <= last
}

/// True if what is known of a feed, ahead of the clock, may give way to one published then.
pub(crate) fn may_give_way(state: &State, known: &Reading, published: i64) -> bool {
    let (now, config) = (state.clock.unix, &state.market.config);
    let known_for = now - known.accepted_at;
    let long = known_for > i64::from(config.max_age_long) && published > known.replaced || known_for > 300;
    known.published > now && published <= now && long
}

/// A reading as it was shown.
fn raw(known: &Reading) -> RawReading {
    let signed = |word: u64| i64::try_from(word).unwrap_or(i64::MAX);
    RawReading {
        price: signed(known.of.price),
        conf: known.of.conf,
        expo: known.of.expo,
        ema_price: signed(known.of.ema),
        publish_time: known.published,
    }
}

/// From when a state's price is, as the market knows it: the earlier of its readings, each when it was published or
/// accepted.
pub(crate) fn since(state: &State) -> i64 {
    let known = &state.market.oracle.known;
    let apart = known.newest.collateral.published.abs_diff(known.newest.quote.published);
    let set = if apart <= u64::from(state.market.config.max_skew) {
        &known.newest
    } else {
        &known.set
    };
    let times = [&set.collateral, &set.quote].map(|reading| reading.published.min(reading.accepted_at));
    times[0].min(times[1])
}

/// True if the readings shown suffice by themselves, whatever was shown before: both feeds, of about one moment, young
/// enough, and neither ahead of the clock. Unless the market knows a newer one that was ahead of the clock when it was
/// accepted, which does not give way yet: that one counts, and is old sooner.
pub(crate) fn suffices(state: &State, max_age: u32) -> bool {
    let (now, config) = (state.clock.unix, &state.market.config);
    let shown = state.readings.shown();
    let (Some(collateral), Some(quote)) = (shown.collateral, shown.quote) else {
        return false;
    };
    let times = [collateral.publish_time, quote.publish_time];
    let young = times
        .iter()
        .all(|time| (0..=i64::from(max_age)).contains(&(now - time)));
    let first = times[0].min(times[1]);
    let was_ahead = |known: &Reading, time: i64| known.accepted_at < known.published && known.published >= time;
    let known = &state.market.oracle.known;
    let newest = [&known.newest.collateral, &known.newest.quote];
    let held = newest
        .iter()
        .zip(times)
        .any(|(known, time)| was_ahead(known, time) && !may_give_way(state, known, time));
    // A set goes with the reading of it that gives way.
    let held_by_set = [&known.set.collateral, &known.set.quote]
        .iter()
        .zip(newest.iter().zip(times))
        .any(|(set, (newest, time))| was_ahead(set, first) && !may_give_way(state, newest, time));
    young && times[0].abs_diff(times[1]) <= u64::from(config.max_skew) && !held && !held_by_set
}

impl View {
    /// The view of a state that has just accepted its readings, or is about to.
    pub fn of(state: &State) -> Self {
        let market = &state.market;
        let (c, q) = &used(state);
        let (price, conf) = ((int(c.price), int(q.price)), (int(c.conf), int(q.conf)));
        let decimals = (i32::from(market.collateral_decimals), i32::from(market.quote_decimals));
        let shift = c.expo - q.expo + decimals.1 - decimals.0;
        let scale = int(10).pow(shift.unsigned_abs());
        let fraction = |n: Int, d: Int| {
            if shift >= 0 {
                ((n * &scale) << 64, d)
            } else {
                (n << 64, d * &scale)
            }
        };
        let down = |n: Int, d: Int| {
            let (n, d) = fraction(n, d);
            floor(&n, &d)
        };
        let spot = down(price.0.clone(), price.1.clone());
        let low = down(positive(&price.0 - &conf.0), &price.1 + &conf.1);
        let (n, d) = fraction(&price.0 + &conf.0, positive(&price.1 - &conf.1).max(int(1)));
        let high = ceil(&n, &d);
        let ema = (c.ema_price > 0 && q.ema_price > 0).then(|| down(int(c.ema_price), int(q.ema_price)));

        let (config, guard) = (&market.config, &market.guard);
        let reference = int(guard.reference.raw());
        let own_ema = int(guard.own_ema.raw());
        let guarded = within(&spot, &reference, int(config.velocity_slack.0));
        // conf ÷ price > limit, of either feed.
        let wider = |limit: u32| {
            let beyond = |price: &Int, conf: &Int| conf * whole() > price * limit;
            beyond(&price.0, &conf.0) || beyond(&price.1, &conf.1)
        };
        let strays = |a: &Int, b: &Int, band: u32| (a - b).magnitude() * 10_000u32 > b.magnitude() * band;
        // Without dividing, as the averages are compared: c·q' against c'·q.
        let from_ema = strays(
            &(int(c.price) * q.ema_price),
            &(int(c.ema_price) * q.price),
            config.ema_band.0,
        );
        let halting = wider(config.confidence_halt.0) || state.clock.unix < guard.halt_until;
        let guarding = wider(config.confidence_guard.0)
            || ema.is_none()
            || from_ema
            || guarded != spot
            || strays(&spot, &own_ema, config.own_ema_band.0);
        let asked = match (halting, guarding) {
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => 0,
        };
        Self {
            judged: spot.clone().max(guarded.clone()),
            settled: spot.clone().min(guarded.clone()),
            lowest: (&spot).min(&guarded).min(&own_ema).clone(),
            trend: ema
                .clone()
                .map_or_else(|| own_ema.clone(), |ema| ema.max(own_ema.clone())),
            level: guard.level,
            asked,
            spot,
            low,
            high,
            ema,
            own_ema,
            guarded,
        }
    }

    /// min(spot, guarded, averages) − (spot − low), at least nothing.
    pub fn conservative(&self) -> Option<Int> {
        let lowest = (&self.spot)
            .min(&self.guarded)
            .min(&self.own_ema)
            .min(self.ema.as_ref()?);
        Some(positive(lowest - (&self.spot - &self.low)))
    }

    /// V_h: the value of some collateral where accounts are judged, rounded down.
    pub fn value(&self, amount: Collateral) -> Int {
        value(&self.judged, amount.0)
    }

    /// V_l: the same where they are settled.
    pub fn settled_value(&self, amount: Collateral) -> Int {
        value(&self.settled, amount.0)
    }

    /// True if the lower of spot and guarded price is too far below the higher for a partial liquidation.
    pub fn gap_too_wide(&self, config: &Config) -> bool {
        &self.settled * whole() < &self.judged * (10_000 - config.max_gap.0)
    }

    /// q: the price after a fall of so many ten thousandths, rounded down.
    pub fn fallen(&self, fall: u32) -> Int {
        floor(&(&self.lowest * (10_000 - fall)), &whole())
    }
}

/// The lowest of the prices that a market has stored: spot, the same no further from the reference than the slack, and
/// the average.
pub(crate) fn stored_lowest(state: &State) -> Int {
    let (guard, config) = (&state.market.guard, &state.market.config);
    let [spot, reference, own_ema] = [guard.spot, guard.reference, guard.own_ema].map(|price| int(price.raw()));
    let guarded = within(&spot, &reference, int(config.velocity_slack.0));
    spot.min(guarded).min(own_ema)
}

/// A price, no further than so many ten thousandths from a center; the bound rounded outwards. Anything without a
/// center.
pub(crate) fn within(price: &Int, center: &Int, allowed: Int) -> Int {
    if *center == int(0) {
        return price.clone();
    }
    let low = floor(&(center * positive(whole() - &allowed)), &whole());
    let high = ceil(&(center * (whole() + allowed)), &whole());
    price.clone().max(low).min(high)
}

/// Where an account stands at h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Healthy,
    /// Above the liquidation LTV: a partial liquidation.
    Partial,
    /// At the take-over LTV or beyond.
    TakeOver,
}

/// Where an account stands.
pub(crate) fn standing(facts: &Facts, view: &View, account: &MarginAccount) -> Standing {
    standing_at(&facts.step.before, &facts.index, view, account)
}

/// Where an account stands by the parameters of a state.
pub(crate) fn standing_at(state: &State, index: &Int, view: &View, account: &MarginAccount) -> Standing {
    let (debt, value) = (debt(index, account.debt_shares), view.value(account.collateral));
    // The engine knows the LTV to a basis point, rounded in favor of the account.
    let (n, d) = liquidation_ltv(state);
    if &debt * whole() <= &value * ceil(&n, &d) {
        Standing::Healthy
    } else if debt * whole() >= value * state.market.config.takeover_ltv.0 {
        Standing::TakeOver
    } else {
        Standing::Partial
    }
}

/// The state before the call, with interest up to the call.
pub(crate) fn accrued(facts: &Facts) -> Option<State> {
    let mut state = facts.step.before.clone();
    state.market.books = state.market.books_at(facts.step.after.clock).ok()?;
    Some(state)
}

/// The backstop's equity with inventory at this price, after what was written off, quote atoms: assets rounded down,
/// debt up.
pub(crate) fn equity(state: &State, index: &Int, price: &Int) -> Int {
    let (backstop, pool) = (&state.market.books.backstop, &state.market.books.pool);
    let due = trunc(&int(pool.reserves_owed.raw()));
    let assets = int(backstop.cash.0) + value(price, backstop.inventory.0) + due;
    assets - debt(index, backstop.debt_shares) - backstop.unfunded_credits.0 - state.market.books.recovery.written_off.0
}

/// (P − inventory) × l ÷ (1 + β): the debt that fits the pipeline, quote atoms, exactly: as a numerator and a
/// denominator. P is what the flow limit sells in `pipeline` seconds at the higher EMA.
pub(crate) fn pipeline_headroom(state: &State, view: &View, penalty: u32) -> (Int, Int) {
    let (n, d) = pipeline(&state.market.config, view);
    let free = n - &d * state.market.books.backstop.inventory.0;
    (free * &view.settled * whole(), (d * (10_000 + penalty)) << 64)
}

/// P, collateral atoms, exactly: as a numerator and a denominator.
pub(crate) fn pipeline(config: &Config, view: &View) -> (Int, Int) {
    let value = int(config.market_depth.0) * config.flow_rate.0 * config.pipeline;
    (value << 64, whole() * 3_600 * &view.trend)
}

/// Most that rounding may cost the headroom of the pipeline, quote atoms: two collateral atoms, and the value of the
/// inventory and of the limit rounded.
pub(crate) fn rounded_headroom(view: &View) -> Int {
    value(&view.settled, 3) + ceil(&(&view.settled * 2), &view.trend) + 4
}

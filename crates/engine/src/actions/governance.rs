use crate::{
    backstop::capacity::{LARGEST_RAISE, RAISE_SECONDS, StressRaise, StressRaised},
    config::{Config, Parameter},
    error::{Error, Result},
    governance::{
        ParameterChange, check_changes,
        depth::{DepthAllocation, DepthBudget},
        pause::{Kinds, Pause},
        ramp::{Ramp, RampAnnounced, RampCancellation},
    },
    market::Market,
    math::{
        num,
        num::BPS,
        units::{Bps, Clock, Price},
    },
    price::{
        guard::{Flags, HaltStarted},
        oracle::{Feeds, Known, Oracle, PriceUse, Readings},
    },
};

/// Time constant of Pyth's EMA, about an hour, seconds. After a change of feeds nobody borrows for that and for the
/// market's own.
pub const AVERAGES_SETTLE: i64 = 3_600;

impl Market {
    /// Changes parameters, all or none; who may, and after what time, is the caller's business. Interest up to now is
    /// at the old ones.
    ///
    /// The new parameters must be valid at the present liquidation LTV and at the one announced; in between they are
    /// too, for every rule about it is a bound from one side.
    ///
    /// # Errors
    /// The errors of [`Config::changed`] and of [`Config::validate`]; [`Error::Overflow`].
    pub fn change_parameters(&mut self, changes: &[ParameterChange], clock: Clock) -> Result<()> {
        let next = self.valid_with(changes, clock)?;
        self.transact(clock, |_, _| Ok(()))?;
        // Equity that is announced stays for as long as a guardian who asks now has to wait longer.
        let longer = next.guardian_cooldown.saturating_sub(self.config.guardian_cooldown);
        self.announced_withdrawal.put_off(longer);
        self.config = next;
        self.depth = self.depth.after_changes(changes, clock);
        Ok(())
    }

    /// Changes parameters in ways that do nothing but limit, all or none; who may is the caller's business. No such
    /// parameter bears on interest.
    ///
    /// # Errors
    /// [`Error::NotTighter`], [`Error::DepthLoweredTooFar`], those of [`Market::change_parameters`].
    pub fn tighten(&mut self, changes: &[ParameterChange], clock: Clock) -> Result<()> {
        check_changes(changes)?;
        for change in changes {
            let tighter = Parameter::from_id(change.parameter)?.tighter();
            if !tighter.is(change.from, change.to) {
                return Err(Error::NotTighter);
            }
        }
        let depth = self.depth.after_tightening(changes, clock)?;
        self.config = self.valid_with(changes, clock)?;
        self.depth = depth;
        Ok(())
    }

    /// Pins other feeds in sight of the present ones: `old` shows the present feeds and `new` the others, and both
    /// together must be good prices that agree within the band of the market's own EMA. Who may, and after what
    /// time, is the caller's business.
    ///
    /// The guard stays, and judges the first price of the new feeds as it would the next one of the old. Nobody borrows
    /// until the averages have had their time: [`AVERAGES_SETTLE`] and `own_ema_seconds`.
    ///
    /// # Errors
    /// The errors of [`Market::check_feeds`] and [`Oracle::read`], of either feeds; [`Error::ConfidenceTooWide`],
    /// [`Error::FeedsDisagree`].
    #[inline(never)]
    pub fn change_feeds(&mut self, feeds: &Feeds, old: &Readings, new: &Readings, clock: Clock) -> Result<()> {
        let mut next = self.check_feeds(feeds)?;
        let (present, known) = self.price_of(&self.oracle, old, clock)?;
        next.known = known.kept(&self.oracle, &next);
        let (other, known) = self.price_of(&next, new, clock)?;
        if num::strays(other.raw(), present.raw(), self.config.own_ema_band) {
            return Err(Error::FeedsDisagree);
        }
        next.known = known;
        self.pin(&next, clock);
        Ok(())
    }

    /// Pins other feeds in place of dead ones, which cannot be shown any more: no reading of a feed that is replaced
    /// was accepted since `queued_at`, when the change was announced to be of dead feeds. One reading of it ends that,
    /// also while another is dead: [`Market::keep_living_feeds`]. Who may, and after what time, is the caller's business.
    ///
    /// # Errors
    /// [`Error::FeedAlive`], those of [`Market::check_feeds`] and [`Oracle::read`]; [`Error::ConfidenceTooWide`].
    #[inline(never)]
    pub fn replace_dead_feeds(&mut self, feeds: &Feeds, queued_at: i64, new: &Readings, clock: Clock) -> Result<()> {
        let mut next = self.check_feeds(feeds)?;
        if self.oracle.known.accepted_of_replaced(&self.oracle, &next) > queued_at {
            return Err(Error::FeedAlive);
        }
        next.known = self.oracle.known.kept(&self.oracle, &next);
        let (_, known) = self.price_of(&next, new, clock)?;
        next.known = known;
        self.pin(&next, clock);
        Ok(())
    }

    /// The price that an oracle shows, for judging a change of feeds, and what is known then.
    #[inline(never)]
    fn price_of(&self, oracle: &Oracle, shown: &Readings, clock: Clock) -> Result<(Price, Known)> {
        let decimals = (self.collateral_decimals, self.quote_decimals);
        let (oracle_price, known) = oracle.read(&self.config, decimals, shown, PriceUse::Observe, clock)?;
        if oracle_price.flags().has(Flags::CONFIDENCE_HALT) {
            return Err(Error::ConfidenceTooWide);
        }
        Ok((oracle_price.spot(), known))
    }

    fn pin(&mut self, oracle: &Oracle, clock: Clock) {
        self.oracle = *oracle;
        let settle = AVERAGES_SETTLE.saturating_add(self.config.own_ema_seconds.into());
        self.guard.settled_at = clock.unix.saturating_add(settle);
    }

    /// The oracle as it would be with other feeds.
    ///
    /// # Errors
    /// [`Error::NoChange`], those of [`Oracle::validate`].
    pub fn check_feeds(&self, feeds: &Feeds) -> Result<Oracle> {
        let next = Oracle::pinned(feeds, &self.oracle.known);
        next.validate()?;
        if next == self.oracle {
            return Err(Error::NoChange);
        }
        Ok(next)
    }

    fn valid_with(&self, changes: &[ParameterChange], clock: Clock) -> Result<Config> {
        let next = self.config.changed(changes)?;
        let present = self.liquidation_ltv(clock);
        let announced = self.ramp.target(present);
        for liquidation_ltv in [present, announced] {
            let at = Config {
                liquidation_ltv,
                ..next
            };
            at.validate()?;
        }
        Ok(next)
    }

    /// Checks that this allocation can be queued.
    ///
    /// # Errors
    /// [`Error::ZeroAmount`], [`Error::DepthBudgetExceeded`] if it is more than all, [`Error::NoChange`].
    pub fn check_depth_share(&self, allocation: DepthAllocation) -> Result<()> {
        if allocation.share == Bps(0) {
            return Err(Error::ZeroAmount);
        }
        if allocation.share.factor() > BPS {
            return Err(Error::DepthBudgetExceeded);
        }
        if self.depth_allocation() == allocation {
            return Err(Error::NoChange);
        }
        Ok(())
    }

    /// Lowers the share to `share` of the market's own budget, at once; who may is the caller's business.
    ///
    /// # Errors
    /// [`Error::ZeroAmount`], [`Error::NotTighter`] unless it is lower, [`Error::Overflow`].
    pub fn lower_depth_share(&mut self, budget: &mut DepthBudget, share: Bps) -> Result<DepthAllocation> {
        if share == Bps(0) {
            return Err(Error::ZeroAmount);
        }
        let less = self.depth.share.0.checked_sub(share.0).filter(|less| *less > 0);
        budget.release(Bps(less.ok_or(Error::NotTighter)?))?;
        self.depth.share = share;
        Ok(self.depth_allocation())
    }

    /// Halts the market for `seconds`, whatever its prices; who may is the caller's business. Nothing that needs no
    /// price is stopped. After it the auction's discount begins anew.
    ///
    /// # Errors
    /// [`crate::Error::HaltTooLong`], [`crate::Error::HaltCooldown`].
    pub fn emergency_halt(&mut self, seconds: u32, clock: Clock) -> Result<HaltStarted> {
        let mut guard = self.guard;
        let pull = guard.emergency_halt(&self.config, seconds, clock)?;
        self.books.auction.stop(pull.until)?;
        self.guard = guard;
        Ok(pull)
    }

    /// Announces that the liquidation LTV will go to `to` on a straight line between two moments; see
    /// [`crate::governance::ramp`]. Who may is the caller's business.
    ///
    /// # Errors
    /// [`Error::RampRunning`] while an earlier one runs, those of a new ramp: [`Error::RampTooSoon`],
    /// [`Error::RampTooSteep`], [`Error::RampTooLong`], those of [`crate::Config::validate`].
    pub fn announce_liquidation_ltv(
        &mut self,
        to: Bps,
        starts_at: i64,
        ends_at: i64,
        clock: Clock,
    ) -> Result<RampAnnounced> {
        if (self.ramp.starts_at..self.ramp.ends_at).contains(&clock.unix) {
            return Err(Error::RampRunning);
        }
        let from = self.liquidation_ltv(clock);
        let ramp = Ramp::new(&self.config, from, to, starts_at, ends_at, clock)?;
        self.config.liquidation_ltv = from;
        self.ramp = ramp;
        Ok(RampAnnounced {
            from,
            to,
            starts_at,
            ends_at,
        })
    }

    /// Takes an announced change of the liquidation LTV back, before it begins; who may is the caller's business.
    ///
    /// # Errors
    /// [`Error::NothingQueued`] without one that is still ahead, [`Error::RampRunning`] once it has begun.
    pub fn cancel_ramp(&mut self, clock: Clock) -> Result<RampCancellation> {
        if !self.ramp.is_ahead(clock) {
            return Err(Error::NothingQueued);
        }
        if clock.unix >= self.ramp.starts_at {
            return Err(Error::RampRunning);
        }
        let canceled = RampCancellation {
            stays: self.config.liquidation_ltv,
            announced: self.ramp.to,
        };
        self.ramp = bytemuck::Zeroable::zeroed();
        Ok(canceled)
    }

    /// Pauses kinds of action for `seconds`; who may is the caller's business. All of them, or none. After a pause of
    /// sales the auction's discount begins anew.
    ///
    /// # Errors
    /// [`Error::PauseKindUnknown`] without a kind, or for a bit that is none; [`Error::PauseTooLong`] for no second, or
    /// more than `halt_seconds`; [`Error::PauseCooldown`] while one of them is paused, and for `halt_cooldown` seconds
    /// after.
    pub fn pause(&mut self, kinds: Kinds, seconds: u32, clock: Clock) -> Result<Pause> {
        let mut pauses = self.pauses;
        let pause = pauses.pause(&self.config, kinds, seconds, clock)?;
        if kinds.has(Kinds::SELL) {
            self.books.auction.stop(pause.until)?;
        }
        self.pauses = pauses;
        Ok(pause)
    }

    /// Raises the fall of admission by `points`, of which nothing is left after [`RAISE_SECONDS`]; who may is the
    /// caller's business.
    ///
    /// # Errors
    /// [`Error::StressRaiseTooLarge`] if it is zero or above [`LARGEST_RAISE`]; [`Error::StressRaiseCooldown`] while an
    /// earlier one lasts, and for as long again.
    pub fn raise_stress(&mut self, points: Bps, clock: Clock) -> Result<StressRaised> {
        if points == Bps(0) || points > LARGEST_RAISE {
            return Err(Error::StressRaiseTooLarge);
        }
        let ends = |since: i64| since.saturating_add(RAISE_SECONDS);
        if clock.unix < ends(ends(self.stress_raise.raised_at)) {
            return Err(Error::StressRaiseCooldown);
        }
        self.stress_raise = StressRaise {
            raised_at: clock.unix,
            points,
            padding: [0; 4],
        };
        let ends_at = ends(clock.unix);
        Ok(StressRaised {
            points,
            ends_at,
            rests_until: ends(ends_at),
        })
    }
}

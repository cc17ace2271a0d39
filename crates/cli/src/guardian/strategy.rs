//! When a guardian's capital joins a backstop and when it leaves: one function, [`decide`], of what is seen and of
//! limits that the owner of the capital sets. It touches nothing and remembers nothing.

use breakwater_client::quotes::{GuardianYield, Leaving, Quotes, Shock};
use breakwater_engine::{
    Bps, Config, GuardianPosition, GuardianShares, Guardians, Level, Quote, backstop::capacity::StressBalanceSheet,
    math::num, views::risk::Risk,
};

/// Limits set by the owner of the capital.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most to put in, quote atoms.
    pub capital: Quote,
    /// Least to put in, quote atoms: less is not worth the transaction.
    pub least: Quote,
    /// The fall of the price that is prepared for.
    pub drop: Bps,
    /// A cascade is near only if the nearest debt is at most this far below the price…
    pub proximity: Bps,
    /// … and if what the backstop has is at most so much of what that fall has it take over.
    pub depth_ratio: Bps,
    /// Least expected share of penalties ÷ capital put in.
    pub least_return: Bps,
    /// It stands by whatever is near for at least this, a year; zero never does.
    pub least_yield: Bps,
    /// Least that the protocol's own capital must have to spare after the market's stress fall, with nothing sold and
    /// everyone under water paid for, as a part of the debt that the fall prepared for has the backstop take over.
    pub reserve: Bps,
    /// How long nothing must have been near before it leaves, seconds.
    pub calm_seconds: i64,
}

/// View of a market and of the guardian in it.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// The market's parameters.
    pub config: Config,
    /// Level of the breaker.
    pub level: Level,
    /// Measures of risk; `None` while liquidations are refused.
    pub risk: Option<Risk>,
    /// Effects of the fall prepared for.
    pub shock: Shock,
    /// Debt of accounts that can be liquidated already.
    pub due: Quote,
    /// All guardians' claim.
    pub guardians: Guardians,
    /// The stress cover C, guardians' capital included.
    pub stress: StressBalanceSheet,
    /// The backstop's means ÷ the debt that the fall prepared for has it take over: [`Curve::backstop_depth_ratio`].
    ///
    /// [`Curve::backstop_depth_ratio`]: breakwater_engine::views::cascade::Curve::backstop_depth_ratio
    pub depth: Bps,
    /// The backstop's equity with inventory at the price after the market's stress fall, quote atoms.
    pub equity: i128,
    /// Its inventory at spot, quote atoms.
    pub inventory_value: Quote,
    /// Yield of the claim with the capital at hand added, or as it is if the guardian is inside.
    pub earns: GuardianYield,
    /// The guardian's shares and request, of this epoch.
    pub position: GuardianPosition,
    /// Payment of its request now; `None` while prices do not say.
    pub leaving: Option<Leaving>,
    /// Balance of the guardian's wallet, quote atoms.
    pub wallet: Quote,
    /// Seconds since something was near, as far as this process has seen.
    pub calm_for: i64,
    /// The chain's clock, seconds since 1970.
    pub now: i64,
}

impl Sight {
    /// The view through a market's quotes.
    ///
    /// # Errors
    /// The errors of [`Quotes::shock`], [`Quotes::balance_sheet`], [`Quotes::guardian_yield`] and
    /// [`breakwater_engine::Market::cascade`].
    pub fn of(
        quotes: &Quotes,
        limits: &Limits,
        position: &GuardianPosition,
        wallet: Quote,
        calm_for: i64,
    ) -> breakwater_engine::Result<Self> {
        let market = quotes.market();
        let books = market.books_at(quotes.clock())?;
        let balance_sheet = quotes.balance_sheet()?;
        let stress = balance_sheet.cover;
        let in_epoch = position.in_epoch(books.guardians.epoch);
        let more = if in_epoch.shares == GuardianShares::ZERO && !in_epoch.has_request() {
            limits.capital.min(wallet)
        } else {
            Quote::ZERO
        };
        Ok(Self {
            config: market.config,
            level: quotes.prices().level(),
            risk: quotes.risk().ok(),
            shock: quotes.shock(limits.drop)?,
            due: quotes.shock(Bps(0))?.debt,
            guardians: books.guardians,
            stress,
            depth: market
                .cascade(quotes.prices(), quotes.clock())?
                .backstop_depth_ratio(limits.drop),
            equity: books.equity(stress.price)?,
            inventory_value: balance_sheet.inventory_value,
            // Deposits may be paused.
            earns: quotes
                .guardian_yield(more)
                .or_else(|_| quotes.guardian_yield(Quote::ZERO))?,
            position: in_epoch,
            leaving: quotes.leaving(position).ok(),
            wallet,
            calm_for,
            now: quotes.clock().unix,
        })
    }

    /// Debt to the guardian's request, quote atoms; where prices do not say, the amount that waited for its opening.
    fn requested(&self) -> Quote {
        self.leaving.map_or(self.position.waiting, |leaving| leaving.unpaid)
    }

    /// Capital of the protocol to spare after the stress fall, quote atoms: C without all the guardians' claims.
    fn protocol_cover(&self) -> i128 {
        let claims = self.guardians.all_claims().map_or(u64::MAX, |claims| claims.0);
        self.stress.cover - i128::from(claims)
    }
}

/// An action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put so much behind the backstop.
    Join(Quote),
    /// Ask to leave with all shares.
    Ask(GuardianShares),
    /// Take the request back.
    Stay,
    /// Be paid what can leave of the request, at least so much.
    Leave(Quote),
    /// Nothing.
    Wait,
}

/// An action, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The action.
    pub step: Step,
    /// In words.
    pub why: String,
}

impl Decision {
    fn new(step: Step, why: impl Into<String>) -> Self {
        Self { step, why: why.into() }
    }
}

/// The strategy.
///
/// - Outside: join when a cascade is near and the penalties of the fall prepared for would pay, or standing by does;
///   and only if the protocol's own capital stands before the guardians against the market's stress fall.
/// - Inside: stay while something is near or standing by pays; when it was calm for long enough, ask to leave.
/// - Having asked: once the wait is over, be paid whatever can leave, again and again — unless there is a reason to
///   be inside: then take the request back.
pub fn decide(limits: &Limits, sight: &Sight) -> Decision {
    let position = &sight.position;
    let near = near(limits, sight);
    if !position.has_request() {
        if position.shares == GuardianShares::ZERO {
            return outside(limits, sight, near);
        }
        if let Some(reason) = standing_by(limits, sight) {
            return Decision::new(Step::Wait, format!("inside, and {reason}"));
        }
        return match near {
            Ok(reason) => Decision::new(Step::Wait, format!("inside, and {reason}")),
            Err(reason) if sight.inventory_value > Quote::ZERO => Decision::new(
                Step::Wait,
                format!("{reason}, but the backstop still has inventory to sell"),
            ),
            Err(reason) if sight.calm_for < limits.calm_seconds => Decision::new(
                Step::Wait,
                format!("{reason} for {} s of {}", sight.calm_for, limits.calm_seconds),
            ),
            Err(reason) => Decision::new(Step::Ask(position.shares), format!("{reason} for {} s", sight.calm_for)),
        };
    }
    if sight.now < position.opens_at {
        let wait = position.opens_at - sight.now;
        return Decision::new(Step::Wait, format!("asked to leave, {wait} s to wait"));
    }
    let pays = near
        .and_then(|reason| penalties(limits, sight, Added::Back(sight.requested())).map(|_| reason))
        .ok();
    if let Some(reason) = pays.or_else(|| standing_by(limits, sight))
        && protected(limits, sight).is_ok()
    {
        return Decision::new(Step::Stay, format!("could leave, but {reason}"));
    }
    match sight.leaving {
        // An atom less: interest and rounding may move it between now and then.
        Some(paid) if paid.amount > Quote::ZERO => {
            let least = Quote(paid.amount.0.saturating_sub(1));
            Decision::new(Step::Leave(least), "the wait is over")
        }
        // What is unpaid earns from the first payment on, even of nothing.
        Some(_) if position.waiting > Quote::ZERO => Decision::new(
            Step::Leave(Quote::ZERO),
            "the wait is over: what cannot leave yet earns again",
        ),
        Some(paid) => Decision::new(Step::Wait, format!("the backstop cannot pay now: {:?}", paid.bound_by)),
        None => Decision::new(
            Step::Wait,
            "the backstop cannot pay now: its prices are not trusted for it",
        ),
    }
}

/// Decides for a guardian with nothing inside.
fn outside(limits: &Limits, sight: &Sight, near: Result<String, String>) -> Decision {
    let amount = limits.capital.min(sight.wallet);
    let refuse = |reason: &str, refusal: &str| Decision::new(Step::Wait, format!("{reason}, but {refusal}"));
    let (reason, terms) = match (near, standing_by(limits, sight)) {
        (Ok(reason), stands) => match (penalties(limits, sight, Added::New(amount)), stands) {
            (Ok(terms), _) | (Err(_), Some(terms)) => (reason, terms),
            (Err(refusal), None) => return refuse(&reason, &refusal),
        },
        (Err(reason), Some(terms)) => (reason, terms),
        (Err(reason), None) => return Decision::new(Step::Wait, reason),
    };
    if amount < limits.least {
        return refuse(&reason, &format!("only {} quote atoms are at hand", amount.0));
    }
    if let Err(refusal) = protected(limits, sight) {
        return refuse(&reason, &refusal);
    }
    Decision::new(Step::Join(amount), format!("{reason}; {terms}"))
}

/// True if a cascade is near.
pub fn is_near(limits: &Limits, sight: &Sight) -> bool {
    near(limits, sight).is_ok()
}

/// Why a cascade is near, or why not.
fn near(limits: &Limits, sight: &Sight) -> Result<String, String> {
    if sight.level == Level::Halted {
        return Err("the market is halted".to_owned());
    }
    let Some(risk) = sight.risk else {
        // Nothing can be liquidated at these prices: whatever was near still is.
        return Ok("liquidations wait for better prices".to_owned());
    };
    // The map's measures look down from the price: what is due already lies above it.
    let proximity = if sight.due > Quote::ZERO {
        Some(Bps(0))
    } else {
        risk.proximity
    };
    let Some(proximity) = proximity else {
        return Err("nobody owes anything below the price".to_owned());
    };
    if proximity > limits.proximity {
        return Err(format!("the nearest debt is {} bps below the price", proximity.0));
    }
    let depth = sight.depth;
    let words = format!(
        "debt is {} bps away, {} the backstop has {} bps of what a fall of {} bps brings it",
        proximity.0,
        if depth <= limits.depth_ratio { "and" } else { "but" },
        depth.0,
        limits.drop.0
    );
    if depth <= limits.depth_ratio {
        Ok(words)
    } else {
        Err(words)
    }
}

/// Says what standing by pays, if it is enough.
fn standing_by(limits: &Limits, sight: &Sight) -> Option<String> {
    let pays = sight.earns.standing_by;
    (limits.least_yield > Bps(0) && pays >= limits.least_yield && sight.level == Level::Normal)
        .then(|| format!("standing by pays {} bps a year", pays.0))
}

/// Checks that the protocol's own capital stands before the guardians: after the market's stress fall, with nothing
/// sold and everyone under water paid for, at least the reserve must be left.
fn protected(limits: &Limits, sight: &Sight) -> Result<(), String> {
    let spare = sight.protocol_cover();
    let reserve = i128::from(sight.shock.repaid.0) * i128::from(limits.reserve.0) / i128::from(num::BPS);
    if spare >= reserve {
        return Ok(());
    }
    Err(format!(
        "after a fall of {} bps the protocol's own capital would have {spare} to spare, less than {reserve}: guardians would pay",
        sight.stress.fall.0
    ))
}

/// Addition to the claim that earns, quote atoms.
#[derive(Clone, Copy)]
enum Added {
    /// New capital: the equity grows by it as well.
    New(Quote),
    /// A request that is taken back: it never left the equity.
    Back(Quote),
}

/// Says what the penalties of the fall prepared for would earn with so much more in the claim, or why that is too
/// little.
fn penalties(limits: &Limits, sight: &Sight, added: Added) -> Result<String, String> {
    let (amount, fresh) = match added {
        Added::New(amount) => (amount, amount),
        Added::Back(amount) => (amount, Quote::ZERO),
    };
    let claim = sight.guardians.claim.0.saturating_add(amount.0);
    let equity = sight.equity.saturating_add(fresh.0.into());
    let guardians = Guardians {
        claim: Quote(claim),
        shares: GuardianShares(1),
        ..sight.guardians
    };
    let rate = guardians.rate(&sight.config, u64::try_from(equity.max(0)).unwrap_or(u64::MAX));
    // All guardians' part of the penalties, for each atom of the claim: what one earns for an atom put in.
    let earned = u128::from(sight.shock.shared.0) * u128::from(rate.0);
    let earns = u32::try_from(earned / u128::from(claim.max(1))).unwrap_or(u32::MAX);
    let words = format!("a fall of {} bps would earn {earns} bps", limits.drop.0);
    if earns < limits.least_return.0 {
        return Err(format!("{words}, less than {}", limits.least_return.0));
    }
    Ok(words)
}

#[cfg(test)]
mod tests;

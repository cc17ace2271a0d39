//! When a guardian's capital joins a backstop and when it leaves: one function, [`decide`], of what is seen and of limits that the
//! owner of the capital sets. It touches nothing and remembers nothing.

use breakwater_client::quotes::{Quotes, Shock};
use breakwater_engine::{
    Bps, Config, GuardianPosition, GuardianShares, Guardians, Level, Quote, num,
    risk::{DROPS, Risk},
};

/// What the owner of the capital allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most to put in, quote atoms.
    pub capital: Quote,
    /// Least to put in, quote atoms: less is not worth the transaction.
    pub least: Quote,
    /// The fall of the price that is prepared for: one of [`DROPS`].
    pub drop: Bps,
    /// A cascade is near only if the nearest debt is at most this far below the price.
    pub proximity: Bps,
    /// And if the backstop's room covers at most so much of the debt that the fall would liquidate…
    pub depth_ratio: Bps,
    /// … or the cascade indicator is at least this.
    pub cascade: Bps,
    /// Least expected share of penalties ÷ capital put in.
    pub least_return: Bps,
    /// A further fall, after the one prepared for, that the protocol's own equity must bear alone.
    pub further_fall: Bps,
    /// How long nothing must have been near before it leaves, seconds.
    pub calm_seconds: i64,
}

/// What is seen of a market and of the guardian in it.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// The market's parameters.
    pub config: Config,
    /// What the breaker allows.
    pub level: Level,
    /// Measures of risk; `None` while liquidations are refused.
    pub risk: Option<Risk>,
    /// What the fall prepared for would bring.
    pub shock: Shock,
    /// Debt of accounts that can be liquidated already.
    pub due: Quote,
    /// All guardians' claim.
    pub guardians: Guardians,
    /// The backstop's equity, inventory at the stressed price, quote atoms.
    pub equity_stressed: i128,
    /// Its inventory at spot, quote atoms.
    pub inventory_value: Quote,
    /// The guardian's shares and request, of this era.
    pub position: GuardianPosition,
    /// What leaving with what was asked for would pay; `None` while it cannot be paid.
    pub payable: Option<Quote>,
    /// What the guardian's wallet holds, quote atoms.
    pub wallet: Quote,
    /// Seconds since something was near, as far as this process has seen.
    pub calm_for: i64,
    /// The chain's clock, seconds since 1970.
    pub now: i64,
}

impl Sight {
    /// What is seen through a market's quotes.
    ///
    /// # Errors
    /// Those of [`Quotes::shock`] and [`Quotes::statement`].
    pub fn of(
        quotes: &Quotes,
        limits: &Limits,
        position: &GuardianPosition,
        wallet: Quote,
        calm_for: i64,
    ) -> breakwater_engine::Result<Self> {
        let market = quotes.market();
        let statement = quotes.statement()?;
        let in_era = position.in_era(market.guardians.era);
        let payable = quotes.guardian_withdrawal(position, in_era.requested).ok();
        Ok(Self {
            config: market.config,
            level: quotes.prices().level(),
            risk: quotes.risk().ok(),
            shock: quotes.shock(limits.drop)?,
            due: quotes.shock(Bps(0))?.debt,
            guardians: market.guardians,
            equity_stressed: statement.equity_stressed,
            inventory_value: statement.inventory_value,
            position: in_era,
            payable: payable.map(|paid| paid.amount),
            wallet,
            calm_for,
            now: quotes.clock().unix,
        })
    }
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put so much behind the backstop.
    Join(Quote),
    /// Ask to leave with all shares.
    Ask(GuardianShares),
    /// Take the request back.
    Stay,
    /// Leave with what was asked for, for at least so much.
    Leave(GuardianShares, Quote),
    /// Nothing.
    Wait,
}

/// What to do, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
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
/// - Outside: join when a cascade is near, the penalties of the fall prepared for would pay, and the protocol's equity stands
///   before the guardians against that fall and a further one.
/// - Inside: stay while something is near; when it was calm for long enough, ask to leave.
/// - Having asked: once the wait is over, leave — unless a cascade is near again and still pays: then take the request back.
pub fn decide(limits: &Limits, sight: &Sight) -> Decision {
    let position = &sight.position;
    let near = near(limits, sight);
    if position.shares == GuardianShares::ZERO {
        let reason = match near {
            Ok(reason) => reason,
            Err(reason) => return Decision::new(Step::Wait, reason),
        };
        return match offer(limits, sight, limits.capital.min(sight.wallet)) {
            Ok((amount, terms)) => Decision::new(Step::Join(amount), format!("{reason}; {terms}")),
            Err(refusal) => Decision::new(Step::Wait, format!("{reason}, but {refusal}")),
        };
    }
    if position.requested == GuardianShares::ZERO {
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
    let opens = position
        .requested_at
        .saturating_add(sight.config.guardian_cooldown.into());
    let closes = opens.saturating_add(sight.config.guardian_window.into());
    if sight.now < opens {
        return Decision::new(Step::Wait, format!("asked to leave, {} s to wait", opens - sight.now));
    }
    if sight.now > closes {
        return Decision::new(Step::Ask(position.shares), "the time to leave has passed: ask again");
    }
    if let Ok(reason) = near
        && offer(limits, sight, Quote::ZERO).is_ok()
    {
        return Decision::new(Step::Stay, format!("could leave, but {reason}"));
    }
    match sight.payable {
        // An atom less: interest and rounding may move it between now and then.
        Some(amount) if amount > Quote::ZERO => {
            let least = Quote(amount.0.saturating_sub(1));
            Decision::new(Step::Leave(position.requested, least), "the wait is over")
        }
        _ => Decision::new(
            Step::Wait,
            "the backstop cannot pay now: inventory first, and the pool before guardians",
        ),
    }
}

/// Whether a cascade is near.
pub fn is_near(limits: &Limits, sight: &Sight) -> bool {
    near(limits, sight).is_ok()
}

/// Why a cascade is near, or why not.
fn near(limits: &Limits, sight: &Sight) -> Result<String, String> {
    if sight.level == Level::Halted {
        return Err("the market is halted".to_owned());
    }
    let Some(risk) = sight.risk else {
        // The price falls faster than it is believed: whatever was near still is.
        return Ok("liquidations wait for the guarded price".to_owned());
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
    let depth = DROPS
        .iter()
        .zip(risk.depth_ratios)
        .find(|(drop, _)| **drop == limits.drop);
    let all = num::wide(risk.room.0, num::BPS).checked_div(sight.shock.debt.0.into());
    let all = all
        .and_then(|ratio| u32::try_from(ratio).ok())
        .map_or(Bps(u32::MAX), Bps);
    let depth = depth.map_or(all, |(_, ratio)| all.min(ratio));
    if risk.cascade >= limits.cascade {
        return Ok(format!("the cascade indicator is {} bps", risk.cascade.0));
    }
    if depth <= limits.depth_ratio {
        return Ok(format!(
            "debt is {} bps away and the room is {} bps of what a fall of {} bps liquidates",
            proximity.0, depth.0, limits.drop.0
        ));
    }
    Err(format!(
        "debt is {} bps away, but the room is {} bps of what a fall of {} bps liquidates",
        proximity.0, depth.0, limits.drop.0
    ))
}

/// How much to put in and what it would earn, or why nothing. With zero: whether what is inside already pays.
fn offer(limits: &Limits, sight: &Sight, amount: Quote) -> Result<(Quote, String), String> {
    let joins = sight.position.shares == GuardianShares::ZERO;
    if joins && amount < limits.least {
        return Err(format!("only {} quote atoms are at hand", amount.0));
    }
    let protocol = sight.equity_stressed - i128::from(sight.guardians.claim.0);
    let Shock {
        penalties,
        deficits,
        repaid,
        ..
    } = sight.shock;
    let held = i128::from(repaid.0) + i128::from(sight.inventory_value.0);
    let further = held * i128::from(limits.further_fall.0) / i128::from(num::BPS);
    let loss = i128::from(deficits.0) + further;
    if loss > protocol + i128::from(penalties.0) {
        return Err(format!(
            "the protocol's equity of {protocol} would not bear {deficits} of deficits and {further} of a further fall: guardians \
             would",
            deficits = deficits.0
        ));
    }
    // As it would be with the amount in.
    let claim = sight.guardians.claim.0.saturating_add(amount.0);
    let equity = sight.equity_stressed.saturating_add(amount.0.into());
    let guardians = Guardians {
        claim: Quote(claim),
        shares: GuardianShares(1),
        ..sight.guardians
    };
    let rate = guardians.rate(&sight.config, u64::try_from(equity.max(0)).unwrap_or(u64::MAX));
    // All guardians' part of the penalties, for each atom of the claim: what one earns for an atom put in.
    let earned = u128::from(penalties.0) * u128::from(rate.0);
    let earns = u32::try_from(earned / u128::from(claim.max(1))).unwrap_or(u32::MAX);
    if earns < limits.least_return.0 {
        return Err(format!(
            "a fall of {} bps would earn {earns} bps, less than {}",
            limits.drop.0, limits.least_return.0
        ));
    }
    Ok((
        amount,
        format!("a fall of {} bps would earn {earns} bps", limits.drop.0),
    ))
}

#[cfg(test)]
mod tests;

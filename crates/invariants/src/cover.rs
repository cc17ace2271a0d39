//! The stress cover, summed over the accounts without the engine's help.
//!
//! ```text
//! C = cash + reserves owed + q × (inventory + M) − index × (backstop debt + N) − unfunded credits
//! ```
//!
//! N are the debt shares of the accounts in the bands from q ÷ index on, M the collateral that goes with them at the
//! upper edges of their bands. Which band q ÷ index is in is a logarithm: near an edge two of them will do, and so
//! there are up to two covers.

use crate::{
    State,
    exact::{Int, ceil, floor, int, one, positive, root, trunc, value, whole},
    facts::{View, debt},
};
use breakwater_engine::{DebtShares, Market, account::map::BANDS};
use std::sync::LazyLock;

/// For each band ⌊2^32 ÷ (2^((band + 1) ÷ 32) × (1 + 2^-12))⌋, the last band nothing: found by doubling, without
/// a root.
static WEIGHTS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let all = BANDS - 1;
    let weights = (0..all).map(|band| {
        // The largest w with w^32 × 2^(band + 1) × 4,097^32 ≤ 2^(32 × 32) × 4,096^32.
        let most = int(4_096).pow(32) << (32 * 32);
        let fits = |w: u64| ((int(w).pow(32) * int(4_097).pow(32)) << (band + 1)) <= most;
        (0..33)
            .rev()
            .fold(0, |w, bit| if fits(w | 1 << bit) { w | 1 << bit } else { w })
    });
    weights.chain([0]).collect()
});

/// Debt shares from a band on, and the collateral that goes with them in units of 2^-32 of the origin's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Under {
    pub shares: u64,
    pub weight: Int,
}

/// Sums the bands of the map from `threshold` on, whatever they hold.
pub(crate) fn under(bands: &[DebtShares], threshold: usize) -> Under {
    let mut all = Under {
        shares: 0,
        weight: int(0),
    };
    for (band, shares) in bands.iter().enumerate().skip(threshold) {
        all.shares += shares.0;
        all.weight += int(shares.0) * WEIGHTS[band];
    }
    all
}

impl Under {
    /// M, collateral atoms, rounded down.
    pub fn collateral(&self, origin: i64) -> Int {
        let shift = 32 + origin.div_euclid(32);
        if shift >= 0 {
            &self.weight >> shift.unsigned_abs()
        } else {
            &self.weight << shift.unsigned_abs()
        }
    }
}

/// The bands that q ÷ index may be in, for q = `lowest` × (1 − `fall`).
pub(crate) fn thresholds(lowest: &Int, fall: u32, index: &Int, origin: i64) -> Vec<usize> {
    let ratio = log2(&(lowest * (10_000 - fall))) - log2(&(index * whole()));
    let band = 32.0 * ratio - origin_of(origin);
    let [low, high] = [band - 0.02, band + 0.02].map(place);
    if low == high { vec![low] } else { vec![low, high] }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held to the bands there are"
)]
fn place(band: f64) -> usize {
    band.clamp(0.0, 255.0) as usize
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn origin_of(origin: i64) -> f64 {
    origin as f64
}

/// Binary logarithm of a positive number, in floating point.
#[allow(clippy::cast_precision_loss, reason = "compared with a margin")]
pub(crate) fn log2(number: &Int) -> f64 {
    let extra = number.bits().saturating_sub(60);
    let mantissa = u64::try_from(number >> extra).unwrap_or(1).max(1);
    (mantissa as f64).log2() + extra as f64
}

/// C at q, for each band that q ÷ index may be in. `origin` is that of the map once prices are accepted.
pub(crate) fn covers(state: &State, index: &Int, view: &View, fall: u32, origin: i64) -> Vec<Int> {
    covers_from(state, index, &view.lowest, fall, origin)
}

/// The same, from any price.
pub(crate) fn covers_from(state: &State, index: &Int, lowest: &Int, fall: u32, origin: i64) -> Vec<Int> {
    let credits = state.market.books.backstop.unfunded_credits.0;
    let sides = sides(state, index, lowest, fall, origin);
    sides
        .into_iter()
        .map(|(assets, debt)| assets - debt - credits)
        .collect()
}

/// Amount by which C is below zero, but no more than the debt in it, for each band that q ÷ index may be in.
pub(crate) fn shortfalls(state: &State, index: &Int, lowest: &Int, fall: u32, origin: i64) -> Vec<Int> {
    let credits = state.market.books.backstop.unfunded_credits.0;
    let sides = sides(state, index, lowest, fall, origin);
    sides
        .into_iter()
        .map(|(assets, debt)| positive(&debt + credits - assets).min(debt))
        .collect()
}

/// Assets and debt of C, for each band that q ÷ index may be in.
fn sides(state: &State, index: &Int, lowest: &Int, fall: u32, origin: i64) -> Vec<(Int, Int)> {
    let q = floor(&(lowest * (10_000 - fall)), &whole());
    if q == int(0) || *index == int(0) {
        return Vec::new();
    }
    let bands = state.recount();
    let (backstop, pool) = (&state.market.books.backstop, &state.market.books.pool);
    thresholds(lowest, fall, index, origin)
        .into_iter()
        .map(|threshold| {
            let under = under(&bands, threshold);
            let collateral = under.collateral(origin) + backstop.inventory.0;
            let assets = int(backstop.cash.0) + trunc(&int(pool.reserves_owed.raw())) + ((&q * collateral) >> 64u32);
            let shares = DebtShares(backstop.debt_shares.0 + under.shares);
            (assets, debt(index, shares))
        })
        .collect()
}

/// S of admission at a moment, ten thousandths: that of volatility, and what is left of the sentinel's points, which
/// fall to nothing in six hours, rounded up.
pub(crate) fn admission_fall(market: &Market, now: i64) -> u32 {
    let (raise, hours) = (&market.stress_raise, 6 * 3_600);
    let left = (hours - (now - raise.raised_at)).clamp(0, hours);
    let points = ceil(&(int(raise.points.0) * left), &int(hours));
    volatile_fall(market) + u32::try_from(points).unwrap_or(u32::MAX)
}

/// S_base and `stress_volatility` × σ, within S_base and `stress_max`, ten thousandths.
pub(crate) fn volatile_fall(market: &Market) -> u32 {
    let config = &market.config;
    // The variance is of one second, in units of 2^-46.
    let deviation = (root(&(int(market.volatility.variance) * config.volatility_horizon)) * whole()) >> 23u32;
    let fall = floor(&(deviation * config.stress_volatility.0), &whole()) + config.stress_fall.0;
    let most = config.stress_max.0.max(config.stress_fall.0);
    u32::try_from(fall).unwrap_or(u32::MAX).min(most)
}

/// The fixed claims of guardians who asked to leave, quote atoms.
pub(crate) fn requested(market: &Market) -> Int {
    int(market.books.guardians.waiting.0) + market.books.guardians.open.0
}

/// All claims of guardians, quote atoms.
pub(crate) fn all_claims(market: &Market) -> Int {
    requested(market) + market.books.guardians.claim.0
}

/// Debts of all accounts above their collateral at q, account by account, quote atoms with 64 fractional bits: exactly.
pub(crate) fn brute_force(state: &State, index: &Int, q: &Int) -> Int {
    let short = state.accounts.iter().map(|account| {
        let (debt, worth) = (index * account.debt_shares.0, q * account.collateral.0);
        if debt > worth { debt - worth } else { int(0) }
    });
    short.sum()
}

/// C at q with each account's own collateral, quote atoms with 64 fractional bits: exactly.
pub(crate) fn exact_cover(state: &State, index: &Int, q: &Int) -> Int {
    let (backstop, pool) = (&state.market.books.backstop, &state.market.books.pool);
    let assets = (int(backstop.cash.0) << 64) + pool.reserves_owed.raw() + q * backstop.inventory.0;
    let owed = index * backstop.debt_shares.0 + (int(backstop.unfunded_credits.0) << 64);
    assets - owed - brute_force(state, index, q)
}

/// B(q) as the map's two sums give it, quote atoms: debt rounded up, collateral down.
pub(crate) fn underwater(under: &Under, origin: i64, index: &Int, q: &Int) -> Int {
    let worth = (q * under.collateral(origin)) >> 64u32;
    debt(index, DebtShares(under.shares)) - worth
}

/// By how much the upper edges may overstate B(q), quote atoms with 64 fractional bits: a band and a little of the
/// collateral of each account from the threshold on, and all of its debt in the outermost bands, which hold what lies
/// beyond them.
pub(crate) fn overstatement(state: &State, index: &Int, q: &Int, threshold: usize) -> Int {
    let counted = state
        .accounts
        .iter()
        .filter(|account| account.has_debt() && usize::from(state.market.map.band_at(account.place)) >= threshold);
    let worth = counted.map(|account| {
        // 2^(1/32) − 1 is 2.19%. Of what a fold has put higher than it belongs all of the debt may be counted.
        let map = &state.market.map;
        let held = map.band_at(account.place);
        match usize::from(held) {
            band if band == 0 || band == BANDS - 1 || held != map.band(account.debt_shares, account.collateral) => {
                index * account.debt_shares.0
            }
            _ => q * account.collateral.0 * 23 / 1_000,
        }
    });
    worth.sum::<Int>() + one() * 2 + q
}

/// Most that rounding may cost two covers that are compared: a collateral atom of each sum, and some quote atoms.
pub(crate) fn rounding(q: &Int, index: &Int) -> Int {
    value(q, 2) + value(index, 2) + 6
}

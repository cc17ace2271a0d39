//! crvUSD: soft liquidation in bands (LLAMMA).
//!
//! Rules: `contracts/AMM.vy` and `contracts/Controller.vy` of curvefi/curve-stablecoin (read at commit 0032ae72), and
//! the crvUSD white paper. An account's collateral lies in equal parts in bands of prices of 1 ÷ A each, shared with
//! others. A band has an invariant that moves with the oracle's price so that its own price moves three times as far:
//! whoever trades against it until it agrees with the market sells the collateral while the price falls through the
//! band, and buys it back while it rises. Losses from that lower an account's health. When health is below zero, anyone
//! may pay the debt less the proceeds in the bands and take what is there.
//!
//! Parameters: A = 100, fee 0.6%, liquidation discount 6% (the first markets, 2023), 10 bands an account (the
//! interface's default; from 4 to 50 are possible), an oracle averaged over 866 s (exponential, half-life 10 minutes).
//!
//! Simplified: bands begin where an account's LTV is the scenario's liquidation LTV, as if everybody had borrowed less
//! than possible (the published loan discount of 9% would let them begin at an LTV of 87%). Arbitrage happens once in a
//! step, when it earns [`EDGE`]; what is bought back comes at the market's price and does not raise it, which favors
//! the accounts and not the market. Health and claims are looked at once a minute; health counts the proceeds as they
//! are; a liquidation takes an account whole or, where that does not pay, not at all. An account that its owner saves
//! while in its bands keeps its place; one above them moves. No fee goes to the protocol, rates do not move, and the
//! dynamic fee that answers jumps of the oracle is left out.
//!
//! In the laboratory's books an account's collateral is its claim on the bands, proceeds counted as collateral at the
//! oracle's price. An account in its bands is above the liquidation LTV by design, so *unserved* says nothing here;
//! *liquidated* is the most that was converted at a time, and what was liquidated hard.

use breakwater_engine::{Collateral, MarginAccount, Price, Quote, Result};

use super::{
    EDGE, Environment, Mechanism, Moment, WORTH_IT, inventory_seller::InventorySeller, per_token, tokens, whole,
};
use crate::{
    cascade::{
        lending::Lending,
        metrics::Case,
        setup::{COLLATERAL_UNIT, QUOTE_UNIT},
    },
    rounding::{floor_u64, interval, nearest_u64},
};

/// Bands are 1 ÷ A wide.
const A: f64 = 100.0;
/// Bands of an account.
const BANDS: usize = 10;
/// Fee of every trade, for the accounts in the band, fraction.
const FEE: f64 = 0.006;
/// Health counts the bands' worth less this.
const DISCOUNT: f64 = 0.06;
/// Time constant of the oracle's average, seconds.
const AVERAGE: f64 = 866.0;
/// Seconds between two looks at health.
const LOOK: i64 = 60;
/// Halvings of an interval of amounts.
const HALVINGS: u32 = 24;
/// A claim that changed by less than one part of so many is left as it is.
const NEGLIGIBLE: u64 = 10_000;
/// Bands below the lowest account, for those who add collateral.
const SPARE: usize = 400;

/// Proceeds and collateral between two prices of the oracle, atoms.
#[derive(Clone, Copy, Debug, Default)]
struct Band {
    quote: u64,
    collateral: u64,
    shares: f64,
}

/// A band's curve at an oracle's price, whole tokens: (f + x)(g + y) = p A² y₀².
#[derive(Clone, Copy, Debug)]
struct Curve {
    f: f64,
    g: f64,
    invariant: f64,
    x: f64,
    y: f64,
}

impl Curve {
    /// The curve of a band whose upper edge is `top`.
    fn of(x: f64, y: f64, top: f64, oracle: f64) -> Self {
        let b = top / oracle * (A - 1.0) * x + oracle * oracle / top * A * y;
        let y0 = (b + (b * b + 4.0 * A * oracle * x * y).sqrt()) / (2.0 * A * oracle);
        Self {
            f: A * y0 * oracle * oracle / top,
            g: (A - 1.0) * y0 * top / oracle,
            invariant: oracle * A * A * y0 * y0,
            x,
            y,
        }
    }

    /// Quote for the next collateral.
    fn price(&self) -> f64 {
        (self.f + self.x) / (self.g + self.y)
    }

    /// After so much collateral was taken out (or put in, if negative): proceeds in the band.
    fn after(&self, taken: f64) -> Self {
        let y = (self.y - taken).max(0.0);
        Self {
            x: (self.invariant / (self.g + y) - self.f).max(0.0),
            y,
            ..*self
        }
    }

    /// The collateral in the band when there are no proceeds left.
    fn full(&self) -> f64 {
        (self.invariant / self.f - self.g).max(self.y)
    }
}

/// Where an account's collateral lies.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The first band, that of the highest price.
    first: usize,
    shares: [f64; BANDS],
    /// The account's collateral and debt shares when the books were last brought in line.
    claim: u64,
    debt: u64,
    /// Put in while in the bands: beside them, atoms.
    beside: u64,
}

/// The bands.
pub struct Crvusd {
    inventory_seller: InventorySeller,
    /// Upper edge of the first band; zero before the first step.
    base: f64,
    bands: Vec<Band>,
    /// Upper edges of the bands.
    edges: Vec<f64>,
    places: Vec<Option<Place>>,
    /// The band with both, or between those with proceeds and those with collateral.
    active: usize,
    /// The oracle's average, and when it was brought up to date.
    oracle: f64,
    since: i64,
    looked: i64,
    /// Quote paid to the outside market for collateral bought back, and that collateral as a negative number, atoms.
    outside: (i128, i128),
    /// Most that was converted at a time.
    peak: u64,
}

/// Upper edge of a band.
fn edge(base: f64, band: usize) -> f64 {
    base * (1.0 - 1.0 / A).powf(band as f64)
}

impl Crvusd {
    pub fn new(lending: &Lending, capital: Quote) -> Self {
        Self {
            inventory_seller: InventorySeller::new(capital),
            base: 0.0,
            bands: Vec::new(),
            edges: Vec::new(),
            places: vec![None; lending.accounts.len()],
            active: 0,
            oracle: 0.0,
            since: 0,
            looked: 0,
            outside: (0, 0),
            peak: 0,
        }
    }

    fn top(&self, band: usize) -> f64 {
        self.edges[band]
    }

    /// The price at which an account is at the liquidation LTV: the upper edge of its first band.
    fn begins(lending: &Lending, id: u32) -> Result<f64> {
        let account = &lending.accounts[id as usize];
        let limit = f64::from(lending.market.config.liquidation_ltv.0) / 1e4;
        Ok(whole(lending.debt(id)?) / (limit * tokens(account.collateral)))
    }

    /// Everybody's collateral into its bands.
    fn open(&mut self, price: f64, clock: i64, lending: &mut Lending) -> Result<()> {
        let in_debt = |lending: &Lending, id: u32| {
            let account = &lending.accounts[id as usize];
            account.has_debt() && account.collateral > Collateral::ZERO
        };
        let ids: Vec<u32> = (0u32..)
            .take(lending.accounts.len())
            .filter(|id| in_debt(lending, *id))
            .collect();
        let (mut highest, mut lowest) = (price, price);
        for &id in &ids {
            let begins = Self::begins(lending, id)?;
            (highest, lowest) = (highest.max(begins), lowest.min(begins));
        }
        self.base = highest * 1.02;
        let count = interval((self.base / lowest).ln() * A) + SPARE;
        self.bands = vec![Band::default(); count + BANDS];
        self.edges = (0..=self.bands.len()).map(|band| edge(self.base, band)).collect();
        for id in ids {
            self.deposit(id, lending)?;
        }
        (self.oracle, self.since, self.looked) = (price, clock, clock);
        Ok(())
    }

    /// An account's collateral into bands that have no proceeds.
    fn deposit(&mut self, id: u32, lending: &Lending) -> Result<()> {
        let begins = Self::begins(lending, id)?;
        let steps = ((self.base / begins).ln() / -(1.0 - 1.0 / A).ln()).max(0.0);
        let lowest = self.bands.len() - BANDS;
        let first = interval(steps).clamp((self.active + 1).min(lowest), lowest);
        let account = &lending.accounts[id as usize];
        let all = account.collateral.0;
        let each = all / BANDS as u64;
        let mut shares = [0.0; BANDS];
        for (number, share) in shares.iter_mut().enumerate() {
            let amount = if number == 0 {
                all - each * (BANDS as u64 - 1)
            } else {
                each
            };
            let band = &mut self.bands[first + number];
            *share = if band.collateral == 0 || band.shares == 0.0 {
                amount as f64
            } else {
                amount as f64 * band.shares / band.collateral as f64
            };
            band.shares += *share;
            band.collateral += amount;
        }
        self.places[id as usize] = Some(Place {
            first,
            shares,
            claim: all,
            debt: account.debt_shares.0,
            beside: 0,
        });
        Ok(())
    }

    /// An account's part of a band, atoms rounded down.
    fn part(band: &Band, share: f64) -> (u64, u64) {
        if band.shares <= 0.0 {
            return (0, 0);
        }
        let part = (share / band.shares).min(1.0);
        let of = |amount: u64| floor_u64(amount as f64 * part).min(amount);
        (of(band.quote), of(band.collateral))
    }

    /// Takes an account out of its bands: proceeds and collateral.
    fn withdraw(&mut self, id: u32) -> (u64, u64) {
        let Some(place) = self.places[id as usize].take() else {
            return (0, 0);
        };
        let (mut quote, mut collateral) = (0, place.beside);
        for (number, share) in place.shares.iter().enumerate() {
            let band = &mut self.bands[place.first + number];
            let (x, y) = Self::part(band, *share);
            band.quote -= x;
            band.collateral -= y;
            band.shares = (band.shares - share).max(0.0);
            quote += x;
            collateral += y;
        }
        (quote, collateral)
    }

    fn curve(&self, band: usize) -> Curve {
        let Band { quote, collateral, .. } = self.bands[band];
        Curve::of(
            whole(Quote(quote)),
            tokens(Collateral(collateral)),
            self.top(band),
            self.oracle,
        )
    }

    /// While the bands are cheaper than the market: buys collateral from them and sells it there.
    fn down(&mut self, environment: &mut Environment<'_>) {
        let asked = (1.0 + EDGE) / (1.0 - FEE);
        while self.active < self.bands.len() - 1 {
            if self.bands[self.active].collateral == 0 {
                // Beyond a gap only when the price is there.
                let empty = self.bands[self.active].quote == 0;
                if !empty || environment.exchange.price() < self.top(self.active) {
                    self.active += 1;
                    continue;
                }
                return;
            }
            let curve = self.curve(self.active);
            if curve.price() * asked >= environment.exchange.price() {
                return;
            }
            let all = curve.y;
            // With linear impact the last token brings as much less than the mean as the first brings more.
            let last = |taken: f64| environment.exchange.average_price(taken).powi(2) / environment.exchange.price();
            let pays = |taken: f64| last(taken) >= curve.after(taken).price() * asked;
            let taken = if pays(all) { all } else { most(all, pays) };
            let atoms = if taken >= all {
                self.bands[self.active].collateral
            } else {
                floor_u64(taken * COLLATERAL_UNIT).min(self.bands[self.active].collateral)
            };
            let cost = (curve.after(taken).x - curve.x).max(0.0) / (1.0 - FEE);
            if taken < all && cost < WORTH_IT {
                return;
            }
            let paid = floor_u64(cost * QUOTE_UNIT) + 1;
            let band = &mut self.bands[self.active];
            band.collateral -= atoms;
            band.quote += paid;
            let fair = environment.exchange.fair();
            environment
                .metrics
                .loss(tokens(Collateral(atoms)) * fair * QUOTE_UNIT - paid as f64);
            let proceeds = environment.exchange.sell(Collateral(atoms));
            environment.metrics.agents += i128::from(proceeds.0) - i128::from(paid);
            if taken < all {
                return;
            }
        }
    }

    /// While the bands are dearer than the market: buys collateral there and sells it to them.
    fn up(&mut self, environment: &mut Environment<'_>) {
        let market = environment.exchange.price() * (1.0 + EDGE) / (1.0 - FEE);
        loop {
            let band = self.bands[self.active];
            if band.quote == 0 {
                if self.active == 0
                    || !self.bands[..self.active]
                        .iter()
                        .rev()
                        .take(BANDS)
                        .any(|band| band.quote > 0)
                {
                    return;
                }
                let before = self.curve_before();
                if before.is_none_or(|curve| curve.price() <= market) {
                    return;
                }
                self.active -= 1;
                continue;
            }
            let curve = self.curve(self.active);
            if curve.price() <= market {
                return;
            }
            let space = curve.full() - curve.y;
            let dear = |put: f64| curve.after(-put).price() >= market;
            let put = if dear(space) { space } else { most(space, dear) };
            let atoms = floor_u64(put / (1.0 - FEE) * COLLATERAL_UNIT) + 1;
            let all = put >= space;
            let proceeds = if all {
                band.quote
            } else {
                floor_u64((curve.x - curve.after(-put).x).max(0.0) * QUOTE_UNIT).min(band.quote)
            };
            if !all && whole(Quote(proceeds)) < WORTH_IT {
                return;
            }
            let cost = floor_u64(tokens(Collateral(atoms)) * environment.exchange.price() * QUOTE_UNIT) + 1;
            let band = &mut self.bands[self.active];
            band.quote -= proceeds;
            band.collateral += atoms;
            self.outside.0 += i128::from(cost);
            self.outside.1 -= i128::from(atoms);
            let fair = environment.exchange.fair();
            environment
                .metrics
                .loss(proceeds as f64 - tokens(Collateral(atoms)) * fair * QUOTE_UNIT);
            environment.metrics.agents += i128::from(proceeds) - i128::from(cost);
            if !all {
                return;
            }
        }
    }

    /// The nearest band above the active one that has proceeds.
    fn curve_before(&self) -> Option<Curve> {
        (0..self.active)
            .rev()
            .find(|band| self.bands[*band].quote > 0)
            .map(|band| self.curve(band))
    }

    /// Proceeds in all bands.
    fn converted(&self) -> u64 {
        self.bands.iter().map(|band| band.quote).sum()
    }

    /// For each band: proceeds, collateral, and what it would bring if the price fell through it, whole tokens a share.
    fn by_share(&self) -> Vec<[f64; 3]> {
        let each = |(number, band): (usize, &Band)| {
            if band.shares <= 0.0 {
                return [0.0; 3];
            }
            let (x, y) = (whole(Quote(band.quote)), tokens(Collateral(band.collateral)));
            let (top, bottom) = (self.top(number), self.top(number + 1));
            let falls = (self.oracle.clamp(bottom, top) * bottom).sqrt();
            [x, y, x + y * falls].map(|amount| amount / band.shares)
        };
        self.bands.iter().enumerate().map(each).collect()
    }

    /// Follows the owners' actions since the last look: those above their bands move, the others put it beside.
    fn follow(&mut self, lending: &mut Lending) -> Result<()> {
        for id in (0u32..).take(lending.accounts.len()) {
            let Some(mut place) = self.places[id as usize] else {
                continue;
            };
            let account = lending.accounts[id as usize];
            let (added, paid) = (
                account.collateral.0.saturating_sub(place.claim),
                account.debt_shares.0 < place.debt,
            );
            if added == 0 && !paid {
                continue;
            }
            place.beside += added;
            place.claim = account.collateral.0;
            place.debt = account.debt_shares.0;
            self.places[id as usize] = Some(place);
            if place.first > self.active {
                let (_, collateral) = self.withdraw(id);
                let before = lending.accounts[id as usize];
                lending.accounts[id as usize].collateral = Collateral(collateral);
                lending.changed(id, &before);
                if account.has_debt() {
                    self.deposit(id, lending)?;
                }
            }
        }
        Ok(())
    }

    /// Claims of all accounts that have proceeds, and hard liquidation of those without health.
    fn look(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let price = per_token(now.prices.spot());
        let by_share = self.by_share();
        for id in (0u32..).take(environment.lending.accounts.len()) {
            let Some(mut place) = self.places[id as usize] else {
                continue;
            };
            if place.first > self.active {
                continue;
            }
            let beside = tokens(Collateral(place.beside));
            let mut sums = [0.0, beside, beside * self.oracle];
            for (share, band) in place.shares.iter().zip(&by_share[place.first..]) {
                for (sum, each) in sums.iter_mut().zip(band) {
                    *sum += share * each;
                }
            }
            let [quote, collateral, worth] = sums;
            let debt = whole(environment.lending.debt(id)?);
            let lacking = (debt - quote).max(0.0);
            let unhealthy = worth * (1.0 - DISCOUNT) < debt;
            if unhealthy && environment.exchange.average_price(collateral) * collateral >= lacking * (1.0 + EDGE) {
                self.liquidate(id, lacking, now, environment)?;
                continue;
            }
            let claim = nearest_u64((collateral + quote / price) * COLLATERAL_UNIT);
            if claim.abs_diff(place.claim) > place.claim / NEGLIGIBLE {
                place.claim = claim;
                self.places[id as usize] = Some(place);
                Self::claim(id, Collateral(claim), environment.lending);
            }
        }
        Ok(())
    }

    fn claim(id: u32, claim: Collateral, lending: &mut Lending) {
        let before: MarginAccount = lending.accounts[id as usize];
        if before.collateral != claim {
            lending.accounts[id as usize].collateral = claim;
            lending.changed(id, &before);
        }
    }

    /// Somebody pays what the proceeds lack of the debt, and takes what there is.
    fn liquidate(&mut self, id: u32, lacking: f64, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let (quote, atoms) = self.withdraw(id);
        let before = environment.lending.accounts[id as usize];
        let mut account = before;
        let paid = environment
            .lending
            .market
            .repay(&mut account, Quote(u64::MAX), now.clock)?
            .amount;
        account.collateral = Collateral::ZERO;
        environment.lending.accounts[id as usize] = account;
        environment.lending.changed(id, &before);
        let fair = environment.exchange.fair();
        let proceeds = environment.exchange.sell(Collateral(atoms));
        environment.metrics.agents += i128::from(proceeds.0) + i128::from(quote) - i128::from(paid.0);
        let case = Case {
            debt: paid,
            collateral: before.collateral,
            repaid: Quote(nearest_u64(lacking * QUOTE_UNIT)).min(paid),
            seized: Collateral::ZERO,
            returned: Quote::ZERO,
        };
        environment
            .metrics
            .liquidation(&environment.lending.market.config, fair, &case);
        let taken = quote as f64 + tokens(Collateral(atoms)) * fair * QUOTE_UNIT;
        environment.metrics.loss(taken - paid.0 as f64);
        Ok(())
    }

    /// Debt liquidated softly: the most that was converted at a time.
    fn count(&mut self, environment: &mut Environment<'_>) {
        let converted = self.converted();
        if converted > self.peak {
            let more = Quote(converted - self.peak);
            self.peak = converted;
            let case = Case {
                debt: more,
                collateral: Collateral::ZERO,
                repaid: more,
                seized: Collateral::ZERO,
                returned: Quote::ZERO,
            };
            environment
                .metrics
                .liquidation(&environment.lending.market.config, environment.exchange.fair(), &case);
        }
    }
}

/// The largest amount up to `all` that holds.
fn most(all: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, all);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

impl Mechanism for Crvusd {
    fn step(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let (spot, unix) = (per_token(now.prices.spot()), now.clock.unix);
        if self.bands.is_empty() {
            self.open(spot, unix, environment.lending)?;
        }
        let passed = (unix - self.since) as f64;
        self.oracle += (spot - self.oracle) * (1.0 - (-passed / AVERAGE).exp());
        self.since = unix;
        self.follow(environment.lending)?;
        self.down(environment);
        self.up(environment);
        if unix - self.looked >= LOOK {
            self.looked = unix;
            self.look(now, environment)?;
            self.count(environment);
        }
        Ok(())
    }

    fn inventory(&self, _lending: &Lending) -> Collateral {
        Collateral::ZERO
    }

    fn equity(&self, _lending: &Lending, price: Price) -> Result<i128> {
        self.inventory_seller.equity(price)
    }

    /// The proceeds' worth beyond the claims.
    fn owned(&self, _lending: &Lending, price: f64) -> f64 {
        let mut sum = 0.0;
        for place in self.places.iter().flatten() {
            let (mut quote, mut collateral) = (0, place.beside);
            for (number, share) in place.shares.iter().enumerate() {
                let (x, y) = Self::part(&self.bands[place.first + number], *share);
                (quote, collateral) = (quote + x, collateral + y);
            }
            sum += quote as f64 + (collateral as f64 - place.claim as f64) / COLLATERAL_UNIT * price * QUOTE_UNIT;
        }
        sum
    }

    /// Holdings in the bands, less the claims on them that the accounts hold.
    fn holdings(&self) -> (i128, i128) {
        let (cash, _) = self.inventory_seller.holdings();
        let quote: i128 = self.bands.iter().map(|band| i128::from(band.quote)).sum();
        let mut collateral: i128 = self.bands.iter().map(|band| i128::from(band.collateral)).sum();
        for place in self.places.iter().flatten() {
            collateral += i128::from(place.beside) - i128::from(place.claim);
        }
        (cash + quote + self.outside.0, collateral + self.outside.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, wanted: f64) {
        assert!((value / wanted - 1.0).abs() < 1e-9, "{value} {wanted}");
    }

    #[test]
    fn a_band_moves_three_times_as_far_as_the_oracle() {
        // Without proceeds p³ ÷ p_up², without collateral p³ ÷ p_down².
        for oracle in [100.0, 99.5, 99.0, 95.0, 103.0] {
            let full = Curve::of(0.0, 10.0, 100.0, oracle);
            near(full.price(), oracle.powi(3) / 1e4);
            let sold = Curve::of(990.0, 0.0, 100.0, oracle);
            near(sold.price(), oracle.powi(3) / 99.0f64.powi(2));
        }
    }

    #[test]
    fn at_its_lower_edge_a_band_has_sold_everything_for_its_middle_price() {
        // Slowly, each time until the band agrees with the oracle.
        let (mut x, mut y, steps) = (0.0, 10.0, 10_000);
        for step in 1..=steps {
            let oracle = 100.0 - f64::from(step) / f64::from(steps);
            let curve = Curve::of(x, y, 100.0, oracle);
            let after = curve.after(most(y, |taken| curve.after(taken).price() <= oracle));
            (x, y) = (after.x, after.y);
        }
        assert!(y < 0.01, "{y}");
        let middle = (100.0f64 * 99.0).sqrt();
        assert!((x / (10.0 * middle) - 1.0).abs() < 1e-4, "{x}");
    }

    #[test]
    fn selling_and_buying_back_at_one_oracle_price_is_the_same_curve() {
        let curve = Curve::of(0.0, 10.0, 100.0, 99.4);
        let there = curve.after(4.0);
        let back = there.after(-4.0);
        near(back.y, 10.0);
        assert!(back.x.abs() < 1e-6, "{}", back.x);
        near(there.full(), 10.0);
    }

    #[test]
    fn bands_are_one_percent_wide() {
        near(edge(100.0, 1), 99.0);
        near(edge(100.0, BANDS), 100.0 * 0.99f64.powi(10));
    }
}

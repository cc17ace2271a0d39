//! How much can be sold until the price has moved by 1%, by asking what amounts would bring.

/// Proceeds of selling an amount, quote atoms; `None` if nobody would buy it.
pub type Answer = Result<Option<u64>, String>;

/// Mean price of a sale that has moved the price by 1%, if the price falls evenly with the amount sold: half of that
/// below a small sale's. Bps of that.
const MEAN: u128 = 9_950;
const BPS: u128 = 10_000;
/// The amount is found to a thousandth.
const PRECISION: u64 = 1_000;

/// Sells more and more on paper until the price has moved by 1%. Returns what that sale would bring, quote atoms: the
/// depth.
///
/// By mean prices, which are what can be executed: the price of the last atom cannot be asked for. Each amount is
/// compared with a fresh quote of `probe` atoms, so that a price which moves meanwhile does not count. An amount that
/// nobody would buy has moved it further.
///
/// # Errors
/// The errors of `quote`; if `probe` is not small enough to have the price of a small sale; if no amount moves the
/// price.
pub fn depth(probe: u64, mut quote: impl FnMut(u64) -> Answer) -> Result<u64, String> {
    let (mut low, mut brought) = (probe, 0);
    let mut high = probe;
    loop {
        high = high
            .checked_mul(2)
            .ok_or("no amount moves the price: these are no quotes of a market")?;
        match within(probe, high, &mut quote)? {
            Some(received) => (low, brought) = (high, received),
            None if low == probe => {
                return Err("twice the first amount moves the price by 1%: choose a smaller --probe".to_owned());
            }
            None => break,
        }
    }
    while high - low > high / PRECISION {
        let middle = low.midpoint(high);
        match within(probe, middle, &mut quote)? {
            Some(received) => (low, brought) = (middle, received),
            None => high = middle,
        }
    }
    Ok(brought)
}

/// Proceeds of an amount, if its mean price is not further below that of `probe` than a move of 1% makes it.
fn within(probe: u64, amount: u64, quote: &mut impl FnMut(u64) -> Answer) -> Answer {
    let small = quote(probe)?.filter(|received| *received > 0);
    let small = small.ok_or("the first amount would bring nothing: choose a larger --probe")?;
    let Some(received) = quote(amount)? else {
        return Ok(None);
    };
    let products = [(received, probe, BPS), (small, amount, MEAN)].map(|(a, b, times)| {
        let product = u128::from(a) * u128::from(b);
        product
            .checked_mul(times)
            .ok_or("the amounts are too large to be compared")
    });
    let [mean, least] = products;
    Ok((mean? >= least?).then_some(received))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOL: u64 = 1_000_000_000;

    /// A market of constant product: its price falls by 1% when half a percent of `x` has come in, and 0.5% of `y`
    /// gone.
    fn product(x: u64, y: u64) -> impl Fn(u64) -> u64 {
        move |amount| {
            let received = u128::from(y) * u128::from(amount) / (u128::from(x) + u128::from(amount));
            u64::try_from(received).unwrap()
        }
    }

    #[track_caller]
    fn near(found: u64, expected: u64) {
        assert!(found.abs_diff(expected) <= expected / 500, "{found} for {expected}");
    }

    #[test]
    fn a_constant_product_moves_by_a_percent_for_half_a_percent_of_it() {
        let sell = product(100_000 * SOL, 15_000_000_000_000);
        near(depth(SOL, |amount| Ok(Some(sell(amount)))).unwrap(), 75_000_000_000);
    }

    #[test]
    fn an_even_fall_is_measured_as_it_is() {
        // 150 at first, and 1% less after each 500 SOL: the definition of a depth, of 500 × 150 and half a percent
        // less.
        let sell = |amount: u64| {
            let sold = u128::from(amount);
            let fallen = sold * sold / (2 * 50_000) / u128::from(SOL);
            u64::try_from((sold - fallen) * 150 / 1_000).unwrap()
        };
        near(depth(SOL, |amount| Ok(Some(sell(amount)))).unwrap(), 74_625_000_000);
    }

    #[test]
    fn a_price_that_moves_meanwhile_and_fees_do_not_count() {
        let sell = product(100_000 * SOL, 15_000_000_000_000);
        let mut asked = 0u64;
        let drifting = |amount| {
            asked += 1;
            // A basis point each pair of quotes, and a fee of 0.3%.
            Ok(Some(sell(amount) / 10_000 * (10_000 - asked / 2) / 1_000 * 997))
        };
        let found = depth(SOL, drifting).unwrap();
        assert!((74_000_000_000..75_000_000_000).contains(&found), "{found}");
        assert!(asked < 60, "{asked} quotes");
    }

    #[test]
    fn what_nobody_would_buy_moves_the_price() {
        let book = |amount: u64| Ok((amount <= 300 * SOL).then_some(amount / 1_000 * 150));
        near(depth(SOL, book).unwrap(), 45_000_000_000);
    }

    #[test]
    fn quotes_that_cannot_be_are_refused() {
        let endless = depth(SOL, |amount| Ok(Some(amount / 1_000)));
        assert_eq!(
            endless.unwrap_err(),
            "no amount moves the price: these are no quotes of a market"
        );
        let nothing = depth(1, |amount| Ok(Some(amount / 1_000)));
        assert_eq!(
            nothing.unwrap_err(),
            "the first amount would bring nothing: choose a larger --probe"
        );
        let small = depth(SOL, |amount| Ok((amount == SOL).then_some(1)));
        assert_eq!(
            small.unwrap_err(),
            "twice the first amount moves the price by 1%: choose a smaller --probe"
        );
        let broken = depth(SOL, |_| Err("gone".to_owned()));
        assert_eq!(broken.unwrap_err(), "gone");
    }
}

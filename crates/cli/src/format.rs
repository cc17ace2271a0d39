//! Amounts, prices and ratios for people.

use breakwater_engine::{Bps, Price};

/// Atoms as tokens: all decimals, thousands apart.
pub fn tokens(atoms: u64, decimals: u8) -> String {
    signed_tokens(atoms.into(), decimals)
}

/// The same with a sign.
pub fn signed_tokens(atoms: i128, decimals: u8) -> String {
    let one = 10u128.pow(decimals.into());
    let (whole, part) = (atoms.unsigned_abs() / one, atoms.unsigned_abs() % one);
    let sign = if atoms < 0 { "-" } else { "" };
    let part = format!("{part:0width$}", width = usize::from(decimals));
    // No more than six digits, and no rounding: the rest is in --json.
    let part = &part[..usize::from(decimals).min(6)];
    let dot = if part.is_empty() { "" } else { "." };
    format!("{sign}{}{dot}{part}", grouped(whole))
}

fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A price in whole tokens, with eight significant digits and at least two decimals.
pub fn price(price: Price, decimals: Decimals) -> String {
    let value = decimals.whole(price);
    if value <= 0.0 {
        return "0.00".to_owned();
    }
    #[allow(clippy::cast_possible_truncation, reason = "a logarithm of a number of 128 bits")]
    let digits = 7 - value.log10().floor() as i32;
    format!("{value:.*}", usize::try_from(digits.max(2)).unwrap_or(2))
}

/// A ratio in per cent.
pub fn percent(ratio: Bps) -> String {
    match ratio.0 {
        u32::MAX => "unlimited".to_owned(),
        bps => format!("{}.{:02}%", bps / 100, bps % 100),
    }
}

/// Decimals of a market's two tokens.
#[derive(Clone, Copy, Debug)]
pub struct Decimals {
    /// Decimals of the collateral.
    pub collateral: u8,
    /// Decimals of the quote token.
    pub quote: u8,
}

impl Decimals {
    /// Quote tokens for one collateral token. For showing only.
    #[allow(clippy::cast_precision_loss, reason = "for showing: fifteen digits are enough")]
    pub fn whole(self, price: Price) -> f64 {
        let shift = i32::from(self.collateral) - i32::from(self.quote);
        price.raw() as f64 / 2f64.powi(64) * 10f64.powi(shift)
    }
}

/// Lines of "name  value", the values under each other.
pub fn lines(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| format!("  {name:<width$}  {value}\n");
    rows.iter().map(line).collect()
}

/// Seconds since 1970 as a date and a time of day.
pub fn moment(seconds: i64) -> String {
    let Ok(at) = time::OffsetDateTime::from_unix_timestamp(seconds) else {
        return format!("second {seconds}");
    };
    let (date, hour, minute, second) = (at.date(), at.hour(), at.minute(), at.second());
    format!("{date} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_their_digits() {
        assert_eq!(tokens(1_234_567_890_123, 6), "1,234,567.890123");
        assert_eq!(tokens(1_999_999_999, 9), "1.999999");
        assert_eq!(tokens(7, 6), "0.000007");
        assert_eq!(tokens(1_000, 0), "1,000");
        assert_eq!(signed_tokens(-1_500_000, 6), "-1.500000");
    }

    #[test]
    fn prices_are_of_whole_tokens() {
        let decimals = Decimals {
            collateral: 9,
            quote: 6,
        };
        let raw = Price::from_raw((142 << 64) / 1_000);
        assert_eq!(price(raw, decimals), "142.00000");
        let short = Decimals {
            collateral: 6,
            quote: 9,
        };
        assert_eq!(price(Price::from_raw((7 << 64) + (1 << 60)), short), "0.0070625000");
        assert_eq!(price(Price::default(), short), "0.00");
    }

    #[test]
    fn moments_are_of_universal_time() {
        assert_eq!(moment(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(moment(1_790_000_001), "2026-09-21 14:13:21 UTC");
        assert_eq!(moment(i64::MAX), format!("second {}", i64::MAX));
    }

    #[test]
    fn ratios() {
        assert_eq!(percent(Bps(7_005)), "70.05%");
        assert_eq!(percent(Bps(u32::MAX)), "unlimited");
    }
}

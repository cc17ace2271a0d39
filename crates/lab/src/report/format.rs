//! Numbers for people.

/// With thousands separators and `decimals` digits after the point: `-1,234.50`.
pub fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::new();
    // A value that rounds to zero has no sign.
    if value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        out.push('-');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

/// For axes: `1.5M`, `250k`, `40`.
pub fn short(value: f64) -> String {
    let (scaled, suffix) = match value.abs() {
        a if a >= 999_999.5 => (value / 1e6, "M"),
        a if a >= 9_999.5 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = format!("{scaled:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        format!("{text}{suffix}")
    }
}

/// A fraction as a percentage.
pub fn percent(fraction: f64, decimals: usize) -> String {
    format!("{}%", grouped(fraction * 100.0, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(grouped(0.0, 2), "0.00");
        assert_eq!(grouped(999.0, 0), "999");
        assert_eq!(grouped(-1_234.5, 2), "-1,234.50");
        assert_eq!(grouped(1_234_567.891, 1), "1,234,567.9");
        assert_eq!(grouped(-0.001, 2), "0.00");
    }

    #[test]
    fn axis_labels_are_short() {
        assert_eq!(short(0.0), "0");
        assert_eq!(short(1_500_000.0), "1.5M");
        assert_eq!(short(-250_000.0), "-250k");
        assert_eq!(short(9_500.0), "9500");
        assert_eq!(short(0.25), "0.25");
    }

    #[test]
    fn fractions_become_percentages() {
        assert_eq!(percent(0.1234, 1), "12.3%");
    }
}

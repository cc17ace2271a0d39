//! Measures how fast inventory was sold, against the promise: over any window of W seconds at most
//! `max_rate` × (W + `burst`).

/// One sale of the backstop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sale {
    /// Unix time.
    pub unix: i64,
    /// Collateral atoms.
    pub atoms: u64,
}

/// The promise.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FlowBound {
    /// Collateral atoms per second.
    pub max_rate: u64,
    /// Seconds that sales may run ahead.
    pub burst: u32,
}

/// The window in which sales came nearest to the bound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeakFlow {
    /// Time of the window's first sale.
    pub from: i64,
    /// Time of the window's last sale.
    pub to: i64,
    /// Collateral atoms sold in it.
    pub sold: u128,
    /// Collateral atoms that the bound allows in it.
    pub allowed: u128,
}

impl PeakFlow {
    /// What was sold over what was allowed.
    pub fn ratio(&self) -> f64 {
        self.sold as f64 / self.allowed as f64
    }

    /// Whether the bound was kept; exact.
    pub fn within_bound(&self) -> bool {
        self.sold <= self.allowed
    }
}

/// The window with the largest ratio of sold to allowed among all that begin and end with a sale (no other window can
/// have a larger one). `sales` are in order of time. `None` if nothing was sold.
pub fn peak(sales: &[Sale], bound: FlowBound) -> Option<PeakFlow> {
    let mut peak: Option<PeakFlow> = None;
    for (i, first) in sales.iter().enumerate() {
        let mut sold = 0;
        for last in &sales[i..] {
            sold += u128::from(last.atoms);
            let seconds = last.unix.abs_diff(first.unix) + u64::from(bound.burst);
            let window = PeakFlow {
                from: first.unix,
                to: last.unix,
                sold,
                allowed: u128::from(bound.max_rate) * u128::from(seconds),
            };
            // Compared as fractions: exact where quotients of floats would round.
            if peak.is_none_or(|p| window.sold * p.allowed > p.sold * window.allowed) {
                peak = Some(window);
            }
        }
    }
    peak
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: FlowBound = FlowBound {
        max_rate: 10,
        burst: 60,
    };

    fn sales(list: &[(i64, u64)]) -> Vec<Sale> {
        list.iter().map(|&(unix, atoms)| Sale { unix, atoms }).collect()
    }

    #[test]
    fn nothing_sold_has_no_peak() {
        assert_eq!(peak(&[], BOUND), None);
    }

    #[test]
    fn one_sale_may_use_the_whole_burst() {
        let peak = peak(&sales(&[(1_000, 600)]), BOUND).expect("one sale");
        assert_eq!(
            peak,
            PeakFlow {
                from: 1_000,
                to: 1_000,
                sold: 600,
                allowed: 600
            }
        );
        assert!(peak.within_bound());
    }

    #[test]
    fn one_atom_over_the_bound_is_seen() {
        let peak = peak(&sales(&[(1_000, 601)]), BOUND).expect("one sale");
        assert!(!peak.within_bound());
    }

    #[test]
    fn two_sales_in_one_second_count_together() {
        let peak = peak(&sales(&[(5, 400), (5, 300)]), BOUND).expect("sales");
        assert_eq!((peak.sold, peak.allowed), (700, 600));
    }

    #[test]
    fn the_worst_window_is_found_in_the_middle() {
        // Slow, then 900 atoms within 20 seconds (800 allowed), then slow again.
        let list = sales(&[(0, 10), (500, 450), (520, 450), (2_000, 10)]);
        let peak = peak(&list, BOUND).expect("sales");
        assert_eq!(
            peak,
            PeakFlow {
                from: 500,
                to: 520,
                sold: 900,
                allowed: 800
            }
        );
        assert!((peak.ratio() - 1.125).abs() < 1e-12);
    }
}

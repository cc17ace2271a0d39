//! Measures a flow against its promise: over any window of W seconds at most `atoms` × (W + `burst`) / `period`.
//! Inventory sold is one such flow, debt taken over in steps while Guarded another.

/// An amount that flowed at once: a sale, a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flow {
    /// Unix time.
    pub unix: i64,
    /// Atoms.
    pub atoms: u64,
}

/// The promise.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FlowBound {
    /// Atoms …
    pub atoms: u64,
    /// … in so many seconds.
    pub period: u32,
    /// Seconds that the flow may run ahead.
    pub burst: u32,
}

/// The window in which a flow came nearest to the bound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeakFlow {
    /// Time of the window's first amount.
    pub from: i64,
    /// Time of the window's last amount.
    pub to: i64,
    /// Flow in the window, atoms × `period`.
    pub flowed: u128,
    /// Flow that the bound allows in it, atoms × `period`.
    pub allowed: u128,
}

impl PeakFlow {
    /// Flow ÷ flow allowed.
    pub fn ratio(&self) -> f64 {
        self.flowed as f64 / self.allowed as f64
    }

    /// True if the bound was kept; exact.
    pub fn within_bound(&self) -> bool {
        self.flowed <= self.allowed
    }
}

/// The window with the largest ratio of what flowed to what was allowed, among all that begin and end with an amount
/// (no other window can have a larger one). `flows` are in order of time. `None` if nothing flowed.
pub fn peak(flows: &[Flow], bound: FlowBound) -> Option<PeakFlow> {
    let mut peak: Option<PeakFlow> = None;
    for (i, first) in flows.iter().enumerate() {
        let mut flowed = 0;
        for last in &flows[i..] {
            flowed += u128::from(last.atoms) * u128::from(bound.period);
            let seconds = last.unix.abs_diff(first.unix) + u64::from(bound.burst);
            let window = PeakFlow {
                from: first.unix,
                to: last.unix,
                flowed,
                allowed: u128::from(bound.atoms) * u128::from(seconds),
            };
            // Compared as fractions: exact where quotients of floats would round.
            if peak.is_none_or(|p| window.flowed * p.allowed > p.flowed * window.allowed) {
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
        atoms: 10,
        period: 1,
        burst: 60,
    };

    fn flows(list: &[(i64, u64)]) -> Vec<Flow> {
        list.iter().map(|&(unix, atoms)| Flow { unix, atoms }).collect()
    }

    #[test]
    fn no_flow_has_no_peak() {
        assert_eq!(peak(&[], BOUND), None);
    }

    #[test]
    fn one_amount_may_use_the_whole_burst() {
        let peak = peak(&flows(&[(1_000, 600)]), BOUND).expect("one amount");
        assert_eq!(
            peak,
            PeakFlow {
                from: 1_000,
                to: 1_000,
                flowed: 600,
                allowed: 600
            }
        );
        assert!(peak.within_bound());
    }

    #[test]
    fn one_atom_over_the_bound_is_seen() {
        let peak = peak(&flows(&[(1_000, 601)]), BOUND).expect("one amount");
        assert!(!peak.within_bound());
    }

    #[test]
    fn two_amounts_in_one_second_count_together() {
        let peak = peak(&flows(&[(5, 400), (5, 300)]), BOUND).expect("amounts");
        assert_eq!((peak.flowed, peak.allowed), (700, 600));
    }

    #[test]
    fn the_worst_window_is_found_in_the_middle() {
        // Slow, then 900 atoms within 20 seconds (800 allowed), then slow again.
        let list = flows(&[(0, 10), (500, 450), (520, 450), (2_000, 10)]);
        let peak = peak(&list, BOUND).expect("amounts");
        assert_eq!(
            peak,
            PeakFlow {
                from: 500,
                to: 520,
                flowed: 900,
                allowed: 800
            }
        );
        assert!((peak.ratio() - 1.125).abs() < 1e-12);
    }

    #[test]
    fn a_rate_of_less_than_an_atom_a_second_is_exact() {
        let bound = FlowBound {
            atoms: 1,
            period: 60,
            burst: 60,
        };
        let within = |list: &[(i64, u64)]| peak(&flows(list), bound).expect("amounts").within_bound();
        assert!(within(&[(0, 1), (60, 1)]));
        assert!(!within(&[(0, 1), (59, 1)]));
    }
}

//! Which of several RPC nodes to ask. A node that fails, lies or dawdles is left out for a while, each time for longer;
//! one that answers well again is forgiven. Time is handed in, in milliseconds from anywhere.

use std::fmt;

/// Fault of a node's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No answer, an error, or nothing that can be decoded.
    Failed(String),
    /// No answer in time.
    Slow,
    /// The node is of another cluster.
    OtherCluster {
        /// Its genesis hash.
        genesis: String,
    },
    /// Its answer is old.
    Stale {
        /// How old.
        seconds: i64,
    },
    /// It is behind what other nodes have shown.
    Behind {
        /// By so much.
        slots: u64,
    },
    /// Its answer cannot be true.
    Wrong(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) => write!(f, "failed: {why}"),
            Self::Slow => write!(f, "no answer in time"),
            Self::OtherCluster { genesis } => write!(f, "it is of another cluster, with genesis hash {genesis}"),
            Self::Stale { seconds } => write!(f, "its clock is {seconds} s off"),
            Self::Behind { slots } => write!(f, "it is {slots} slots behind the others"),
            Self::Wrong(why) => write!(f, "what it says cannot be true: {why}"),
        }
    }
}

impl std::error::Error for Trouble {}

impl Trouble {
    /// For metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::Slow => "slow",
            Self::OtherCluster { .. } => "other_cluster",
            Self::Stale { .. } => "stale",
            Self::Behind { .. } => "behind",
            Self::Wrong(_) => "wrong",
        }
    }

    /// How long the node is left out the first time, ms. Who is of another cluster was configured wrongly: that does
    /// not pass by itself.
    fn first_rest(&self) -> u64 {
        match self {
            Self::Failed(_) | Self::Slow | Self::Behind { .. } => 2_000,
            Self::Stale { .. } | Self::Wrong(_) => 30_000,
            Self::OtherCluster { .. } => LONGEST_REST,
        }
    }
}

/// Longest time that a node is left out before it is tried again, ms.
const LONGEST_REST: u64 = 300_000;

#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    /// Troubles in a row.
    troubles: u32,
    /// Left out until then.
    rests_until: u64,
}

/// The nodes' standing, and whose turn it is.
#[derive(Clone, Debug)]
pub struct Rotation {
    nodes: Vec<Standing>,
    current: usize,
    /// Since when the current one is.
    since: u64,
    /// How long a node is asked before the next one is: so nobody's view is the only one for longer.
    turn: u64,
}

impl Rotation {
    /// A rotation of so many nodes, each asked for `turn` ms at a time.
    #[must_use]
    pub fn new(nodes: usize, turn: u64) -> Self {
        Self {
            nodes: vec![Standing::default(); nodes],
            current: 0,
            since: 0,
            turn,
        }
    }

    /// Whom to ask now, of those that `may` be. If all of them are left out, the one that comes back first: an answer
    /// that may be bad is checked, none at all helps nobody.
    pub fn reader(&mut self, now: u64, may: impl Fn(usize) -> bool) -> usize {
        let over = now.saturating_sub(self.since) >= self.turn;
        if over || !self.is_in(self.current, now) || !may(self.current) {
            self.current = self.after(self.current, now, may);
            self.since = now;
        }
        self.current
    }

    /// The next one in turn after `node`.
    fn after(&self, node: usize, now: u64, may: impl Fn(usize) -> bool) -> usize {
        let count = self.nodes.len();
        let others: Vec<usize> = (1..=count)
            .map(|step| (node + step) % count)
            .filter(|other| may(*other))
            .collect();
        let first_back = || others.iter().min_by_key(|other| self.nodes[**other].rests_until);
        others
            .iter()
            .find(|other| self.is_in(**other, now))
            .or_else(first_back)
            .copied()
            .unwrap_or(0)
    }

    /// True if a node is in use.
    #[must_use]
    pub fn is_in(&self, node: usize, now: u64) -> bool {
        self.nodes.get(node).is_some_and(|standing| standing.rests_until <= now)
    }

    /// All nodes in use; if none is, all of them. To send to.
    #[must_use]
    pub fn all_in(&self, now: u64) -> Vec<usize> {
        let all = 0..self.nodes.len();
        let within: Vec<usize> = all.clone().filter(|node| self.is_in(*node, now)).collect();
        if within.is_empty() { all.collect() } else { within }
    }

    /// A node answered well.
    pub fn report_ok(&mut self, node: usize) {
        if let Some(standing) = self.nodes.get_mut(node) {
            *standing = Standing::default();
        }
    }

    /// A node's answer was bad: it is left out, twice as long each time in a row. Returns for how long, ms.
    pub fn report_failure(&mut self, node: usize, trouble: &Trouble, now: u64) -> u64 {
        let Some(standing) = self.nodes.get_mut(node) else {
            return 0;
        };
        let rest = (trouble.first_rest() << standing.troubles.min(8)).min(LONGEST_REST);
        standing.troubles = standing.troubles.saturating_add(1);
        standing.rests_until = now.saturating_add(rest);
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead() -> Trouble {
        Trouble::Failed("connection refused".to_owned())
    }

    #[test]
    fn nodes_take_turns() {
        let mut rotation = Rotation::new(3, 10_000);
        let asked: Vec<usize> = (0..7).map(|step| rotation.reader(step * 5_000, |_| true)).collect();
        assert_eq!(asked, [0, 0, 1, 1, 2, 2, 0]);
    }

    #[test]
    fn a_dead_node_is_left_out_for_longer_and_longer_and_forgiven_at_once() {
        let mut rotation = Rotation::new(2, 1_000_000);
        assert_eq!(rotation.reader(0, |_| true), 0);
        assert_eq!(rotation.report_failure(0, &dead(), 0), 2_000);
        assert_eq!(
            (
                rotation.reader(0, |_| true),
                rotation.is_in(0, 1_999),
                rotation.is_in(0, 2_000)
            ),
            (1, false, true)
        );
        assert_eq!(rotation.all_in(0), [1]);
        let rests: Vec<u64> = (0..9).map(|_| rotation.report_failure(0, &dead(), 2_000)).collect();
        assert_eq!(
            rests,
            [4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]
        );
        rotation.report_ok(0);
        assert!(rotation.is_in(0, 2_000));
        assert_eq!(rotation.report_failure(0, &dead(), 2_000), 2_000);
    }

    #[test]
    fn liars_are_out_for_longer_than_the_dead() {
        let mut rotation = Rotation::new(3, 1);
        assert_eq!(rotation.report_failure(0, &Trouble::Stale { seconds: 90 }, 0), 30_000);
        let genesis = "other".to_owned();
        assert_eq!(
            rotation.report_failure(1, &Trouble::OtherCluster { genesis }, 0),
            300_000
        );
        assert_eq!(rotation.reader(5, |_| true), 2);
    }

    #[test]
    fn with_all_out_the_first_to_return_is_asked() {
        let mut rotation = Rotation::new(2, 10);
        rotation.report_failure(0, &Trouble::Wrong("x".to_owned()), 0);
        rotation.report_failure(1, &dead(), 0);
        assert_eq!(rotation.reader(1_000, |_| true), 1);
        assert_eq!(rotation.all_in(1_000), [0, 1]);
        assert_eq!(rotation.reader(1_000, |node| node == 0), 0, "but nobody who may not be");
    }
}

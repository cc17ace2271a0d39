//! Counters and gauges, in Prometheus' text format.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// One metric's name, kind and explanation.
type Description = (&'static str, &'static str, &'static str);

macro_rules! metrics {
    ($($name:ident $kind:ident $help:literal,)*) => {
        /// Every metric, by name.
        const DESCRIPTIONS: &[Description] = &[$((concat!("breakwater_keeper_", stringify!($name)), stringify!($kind), $help)),*];

        /// The names of the metrics, without their prefix.
        #[allow(non_upper_case_globals, missing_docs, reason = "named as they are exported")]
        pub mod name {
            $(pub const $name: &str = concat!("breakwater_keeper_", stringify!($name));)*
        }
    };
}

metrics! {
    accounts gauge "Margin accounts with debt that the keeper follows.",
    debt_shares_missing gauge "Debt shares of the market's books less those of the accounts followed; not zero for long means that updates are missed.",
    liquidatable gauge "Accounts above the liquidation LTV at the last look.",
    liquidatable_now gauge "Those of them that could be liquidated at once.",
    skipped gauge "Those that could not, by reason.",
    taken_over gauge "Accounts due at the last look that are taken over whole.",
    refused gauge "1 for the error for which nobody can be liquidated at present prices.",
    cover gauge "Stress cover C, quote atoms; negative where the backstop could not stand the stress fall.",
    pipeline_headroom gauge "Inventory that is still taken over while the cover is negative, collateral atoms.",
    market_depth gauge "The market's depth as configured, quote atoms.",
    measured_depth gauge "The market's depth as last measured, quote atoms: see --depth-file.",
    depth_too_large gauge "1 if the configured depth is larger than the measured one: more is sold than the market bears.",
    level gauge "Level of the market: 0 normal, 1 guarded, 2 halted.",
    price gauge "Spot price, quote atoms for a collateral atom.",
    price_age_seconds gauge "Age of the oldest of the market's newest dollar readings; it goes on growing while none is seen.",
    blind_seconds gauge "For how long nobody could have been liquidated for want of prices; 0 while they are good.",
    hermes_up gauge "1 if Hermes' last answer was good.",
    hermes_feeds_refused gauge "Feeds that Hermes refuses this key, or does not know.",
    posted_price_seconds gauge "How long the last posting took, from the decision to its confirmation.",
    guard_age_seconds gauge "Seconds since the market was last shown a price.",
    slot gauge "Slot of the last look.",
    lamports gauge "What the keeper has left for fees.",
    credit gauge "Unclaimed bounty, quote atoms, funded or not.",
    claimable gauge "The part of it that the backstop has cash for, quote atoms.",
    priority_fee gauge "Offered for a compute unit, micro-lamports.",
    pending gauge "Transactions under way.",
    tables gauge "Lookup tables in use.",
    table_addresses gauge "Addresses in them.",
    node_up gauge "1 if a node is in use.",
    last_round_seconds gauge "How long the last look took.",
    rounds_total counter "Looks at the market.",
    rounds_failed_total counter "Looks that found no node to answer.",
    updates_total counter "Account updates received.",
    resyncs_total counter "Times that all accounts were loaded.",
    reconnects_total counter "Times that the subscription was lost.",
    hermes_troubles_total counter "Updates that were not to be had, by kind.",
    postings_total counter "Updates posted, by reason.",
    node_troubles_total counter "Bad answers, by node and kind.",
    transactions_total counter "Transactions, by kind and outcome.",
    liquidations_total counter "Accounts liquidated by this keeper's transactions, as simulated.",
    bounty_total counter "Bounties of those, quote atoms, as simulated.",
}

type Series = BTreeMap<(&'static str, String), f64>;

/// All metrics of a keeper.
#[derive(Debug)]
pub struct Metrics {
    series: Mutex<Series>,
    /// Gauges of seconds that go on growing, and since when.
    growing: Mutex<BTreeMap<&'static str, Instant>>,
    /// When a look last succeeded.
    looked: Mutex<Option<Instant>>,
    /// Since when nobody can be liquidated for want of prices, and why.
    blind: Mutex<Option<(Instant, String)>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            series: Mutex::default(),
            growing: Mutex::default(),
            looked: Mutex::new(None),
            blind: Mutex::new(None),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Metrics {
    fn series(&self) -> MutexGuard<'_, Series> {
        lock(&self.series)
    }

    /// Sets a gauge.
    #[allow(clippy::cast_precision_loss, reason = "Prometheus knows only floating-point numbers")]
    pub fn set(&self, name: &'static str, value: u64) {
        self.set_to(name, value as f64);
    }

    /// Sets a gauge.
    pub fn set_to(&self, name: &'static str, value: f64) {
        self.series().insert((name, String::new()), value);
    }

    /// Sets a gauge of seconds that goes on growing by the clock until it is set again: an age that nobody renews is no
    /// young one.
    pub fn set_growing(&self, name: &'static str, seconds: f64) {
        self.set_to(name, seconds);
        lock(&self.growing).insert(name, Instant::now());
    }

    /// Says since when nobody can be liquidated for want of prices, and why; or that prices are good.
    pub fn set_blind(&self, blind: Option<(Instant, String)>) {
        *lock(&self.blind) = blind;
    }

    /// For how many seconds nobody could have been liquidated for want of prices, and why.
    #[must_use]
    pub fn blind(&self) -> Option<(u64, String)> {
        lock(&self.blind)
            .as_ref()
            .map(|(since, why)| (since.elapsed().as_secs(), why.clone()))
    }

    /// Sets a gauge of a label, `key="value"`.
    pub fn set_labeled(&self, name: &'static str, label: String, value: f64) {
        self.series().insert((name, label), value);
    }

    /// Drops all series of a name.
    pub fn clear(&self, name: &'static str) {
        self.series().retain(|(known, _), _| *known != name);
    }

    /// Adds to a counter.
    #[allow(clippy::cast_precision_loss, reason = "Prometheus knows only floating-point numbers")]
    pub fn add(&self, name: &'static str, value: u64) {
        *self.series().entry((name, String::new())).or_default() += value as f64;
    }

    /// Adds one to a counter with labels.
    pub fn count(&self, name: &'static str, labels: &[(&str, &str)]) {
        *self.series().entry((name, labeled(labels))).or_default() += 1.0;
    }

    /// Says if a node is in use.
    pub fn node(&self, node: &str, up: bool) {
        self.set_labeled(name::node_up, labeled(&[("node", node)]), f64::from(u8::from(up)));
    }

    /// A node gave a bad answer.
    pub fn trouble(&self, node: &str, kind: &str) {
        self.count(name::node_troubles_total, &[("node", node), ("kind", kind)]);
    }

    /// A transaction of a kind had an outcome.
    pub fn transaction(&self, kind: &str, outcome: &str) {
        self.count(name::transactions_total, &[("kind", kind), ("outcome", outcome)]);
    }

    /// A look succeeded.
    pub fn looked(&self) {
        *lock(&self.looked) = Some(Instant::now());
    }

    /// Seconds since a look succeeded.
    #[must_use]
    pub fn since_look(&self) -> Option<u64> {
        lock(&self.looked).map(|at| at.elapsed().as_secs())
    }

    /// The value of a series: for tests, and for summaries.
    #[must_use]
    pub fn get(&self, name: &'static str, labels: &[(&str, &str)]) -> f64 {
        self.series().get(&(name, labeled(labels))).copied().unwrap_or(0.0)
    }

    /// As Prometheus reads it.
    #[must_use]
    pub fn render(&self) -> String {
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        self.set_to(
            name::blind_seconds,
            self.blind().map_or(0.0, |(seconds, _)| seconds as f64),
        );
        let (series, growing) = (self.series(), lock(&self.growing));
        let mut text = String::new();
        for (metric, kind, help) in DESCRIPTIONS {
            let grown = growing
                .get(metric)
                .map_or(0.0, |since| since.elapsed().as_secs_f64().floor());
            let _ = writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} {kind}");
            for ((_, labels), value) in series.iter().filter(|((known, _), _)| known == metric) {
                let value = value + grown;
                let _ = if labels.is_empty() {
                    writeln!(text, "{metric} {value}")
                } else {
                    writeln!(text, "{metric}{{{labels}}} {value}")
                };
            }
        }
        text
    }
}

/// Labels in Prometheus' form.
#[must_use]
pub fn labeled(labels: &[(&str, &str)]) -> String {
    let escape = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    let labels: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}=\"{}\"", escape(value)))
        .collect();
    labels.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_prometheus_text() {
        let metrics = Metrics::default();
        metrics.set(name::accounts, 3);
        metrics.transaction("liquidate", "done");
        metrics.transaction("liquidate", "done");
        metrics.trouble("http://\"odd\\", "slow");
        let text = metrics.render();
        assert!(
            text.contains("# TYPE breakwater_keeper_accounts gauge\nbreakwater_keeper_accounts 3\n"),
            "{text}"
        );
        assert!(
            text.contains("breakwater_keeper_transactions_total{kind=\"liquidate\",outcome=\"done\"} 2\n"),
            "{text}"
        );
        assert!(text.contains(r#"{node="http://\"odd\\",kind="slow"} 1"#), "{text}");
        assert_eq!(metrics.since_look(), None);
        metrics.looked();
        assert_eq!(metrics.since_look(), Some(0));
    }

    /// The dashboard shows nothing that is not exported.
    #[test]
    fn the_dashboard_names_metrics_that_exist() {
        let dashboard = include_str!("../../../docs/keeper-dashboard.json");
        let _: serde_json::Value = serde_json::from_str(dashboard).unwrap();
        let names = dashboard
            .split(|c: char| !c.is_ascii_lowercase() && c != '_')
            .filter(|word| word.starts_with("breakwater_keeper_"));
        let mut count = 0;
        for name in names {
            assert!(DESCRIPTIONS.iter().any(|(known, ..)| *known == name), "{name}");
            count += 1;
        }
        assert!(count > 10);
    }
}

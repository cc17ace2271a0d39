//! The page `docs/reports/guards.md`.

use super::{
    Experiment, GuardsError,
    population::{LTVS, OPENED_ABOVE, SIZES, wanted},
    run::Outcome,
    table::{self, Row},
    variants::{self, Variant},
};

const TITLE: &str = "\
# What each price guard costs and saves

Written by `make guards` (`crates/lab/src/guards`): do not edit. What the guards are is in
[`engine/src/price/guard`](../../crates/engine/src/price/guard/mod.rs).

A guard that mistrusts prices liquidates fewer people in a wick, and lets more debt go bad in a crash. This page
measures both, on the engine itself, and says why each default is what it is.
";

const METHOD: &str = "\
- **Readings** come every 5 seconds with a confidence of 0.05%, unless a path says otherwise. Black Thursday is the path of the
  demo's scenario: every 20 seconds, with the confidence that the scenario states. Pyth's EMA is an exponential one with a
  time constant of one hour, over every 5 seconds, those that nobody showed the market included.
- **A keeper** tries every account at every reading, the riskiest first. The backstop always has cover: only the guards limit
  what happens.
- **Prices that are wrong** (wicks, pushes) come back to where they were, and what is liquidated meanwhile was healthy before
  and after: *false*, in thousand USDC of debt. **Prices that are right** (crashes) stay where they fell for two hours, unless a
  path says otherwise.
- **Bad debt**, in thousand USDC: what debts exceed their collateral by at spot, of accounts at the moment they are taken over, and
  of those left at the end.
- **Paid above spot**, in thousand USDC: what the backstop paid for collateral above its spot value to owners who were not under
  water. It is what owners can make by liquidating themselves when the guarded price lags above the market.
- *No guard*: every guard as wide as its bounds allow. *Halts*: the same flags as Breakwater's, but liquidations only while
  Normal.
";

/// The page.
///
/// # Errors
/// The errors of the engine.
pub fn page(experiment: &Experiment) -> Result<String, GuardsError> {
    let policies = variants::policies();
    let sweeps = variants::sweeps();
    let mut markets = policies.to_vec();
    markets.extend(sweeps.iter().flat_map(variants::Sweep::variants));
    let outcomes = experiment.all(&markets)?;
    let (first, mut rest) = outcomes.split_at(policies.len());

    let mut page = format!("{TITLE}\n## How it was measured\n\n{}{METHOD}", population());
    let paths = &experiment.paths;
    let compared: [(&str, &str, Vec<Row>); 3] = [
        (
            "Prices that are wrong",
            "false liquidations",
            table::false_liquidations(paths),
        ),
        ("Crashes", "bad debt", table::losses(paths)),
        ("Borrowers kept out", "", table::closed(paths)),
    ];
    for (title, corner, rows) in compared {
        let table = table::markdown(&rows, corner, &names(&policies), first, false);
        page.extend([
            "
## ", title, "

", &table,
        ]);
    }
    page += READING;
    let rows = table::all(paths);
    for sweep in &sweeps {
        let variants = sweep.variants();
        let (own, others) = rest.split_at(variants.len());
        rest = others;
        page += &section(sweep, &rows, &variants, own);
    }
    Ok(page)
}

const READING: &str = "
What the three tables say:

- Against wicks, steps at a price that lags are nearly as good as halting, and both are far from no guard at all.
- A price that is pushed more slowly than the velocity limit is oracle_price. Guards slow down what it liquidates, and no more.
- In crashes up to the velocity limit they are as good as no guard, if somebody shows the price once in `velocity_horizon`.
- In faster ones, what is under water before the guarded price arrives is lost, as it is in a market that halts. But then
  liquidations go on, where that market waits for its averages while the price falls on.
- No guard looks best in every crash here because nothing is sold: liquidations move no price, and no other print is wrong.

## One parameter at a time

The others at their defaults; the default in bold. Figures that are the same for all values are left out.
";

fn section(sweep: &variants::Sweep, rows: &[Row], variants: &[Variant], outcomes: &[Vec<Outcome>]) -> String {
    let table = table::markdown(rows, sweep.unit, &names(variants), outcomes, true);
    format!("\n### `{}`\n\n{}\n\n{table}", sweep.parameter, sweep.why)
}

fn names(variants: &[Variant]) -> Vec<String> {
    variants.iter().map(|variant| variant.name.clone()).collect()
}

/// Who borrows, in words.
fn population() -> String {
    let ltvs = LTVS.map(|(count, from, to)| format!("{count} from {} to {}%", percent(from), percent(to)));
    let sizes = SIZES.map(|size| (size / 1_000).to_string());
    let (accounts, debt) = wanted().fold((0u64, 0), |(accounts, debt), (value, ltv)| {
        (accounts + 1, debt + value.0 / 10_000 * ltv)
    });
    let tenths = (debt + 50_000_000_000) / 100_000_000_000;
    format!(
        "- **Accounts**: {accounts}, which owe {}.{} million USDC.\n  LTV at the first price: {}.\n  Collateral of {} thousand USDC \
         in turn. They borrowed when the price was {OPENED_ABOVE}% higher; the liquidation LTV is 80%.\n",
        tenths / 10,
        tenths % 10,
        ltvs.join(", "),
        sizes.join(", "),
    )
}

fn percent(bps: u64) -> String {
    let fraction = bps % 100 / 10;
    if fraction == 0 {
        (bps / 100).to_string()
    } else {
        format!("{}.{fraction}", bps / 100)
    }
}

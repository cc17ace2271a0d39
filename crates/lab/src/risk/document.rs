//! The page `docs/reports/risk-experiment.md`.

use breakwater_engine::Result;

use super::{
    Experiment, Outcome,
    demand::{COUNT, GIVES_UP_BELOW, HIGHEST, LOWEST, QUOTE_UNIT, RUNG, SIZES},
    paths::{CALM, HOURS, RESTLESS},
    run::FUNDED,
    table::{self, Row},
    variants::{self, Variant},
};
use crate::guards::variants::Sweep;

const TITLE: &str = "\
# A crash with and without the stress cover

Written by `make risk` (`crates/lab/src/risk`): do not edit. The rules are in [risk.md](../risk.md).

Nobody may borrow so much that the backstop could not stand a fall of the price by the stress fall, which grows with volatility. This page
measures what that does to a crash, with borrowers who all ask for the same and with others.

## How it was measured

On the engine itself.

";

const METHOD: &str = "\
- **Nobody reacts** to the crash: no loan is repaid, no collateral added, nobody borrows. The price does what the path says,
  whatever is liquidated or sold.
- **A keeper** tries every account at every reading, the riskiest first. **A buyer** takes what the backstop offers 0.1% below spot or
  lower. No guardians. What the pipeline does not take waits, and is taken over whole at the take-over LTV.
- **Crashes** start at the price at which the day began and go down in a straight line, then two hours nothing happens; Black
  Thursday is the path of the demo's scenario, two days, scaled to that price. The price guards are on.
- **With**: the defaults. **Without**: the same market with a stress fall of 5% whatever the volatility, which binds nobody at the initial LTV. **Fixed fall**:
  the stress fall does not follow volatility. **65%, 60% for all**: without, but with that initial LTV, for comparison with a limit that
  follows nothing.
- On a restless day some are refused in every market: collateral for a loan counts at the lowest of spot and averages.
- All amounts in thousand USDC. **Largest band**: the most debt in one band of the map when the day is over. **Bad debt**: what debts
  exceed their collateral by at spot, when they are taken over, and of those left at the end. **Lowest equity**: of the backstop,
  inventory at spot; below zero it is what the suppliers would lose if it ended there.
";

const READING: &str = "
What the tables say:

- **Where everybody asks for the same LTV** the cover turns the last of them away: 5% less is lent, at an LTV 7 points lower. A fall of 40% in an
  hour, in which without it the suppliers would be short of 0.6 million, leaves the backstop above zero.
- **It is idle where nobody crowds**: on a calm day those who ask for evenly spread LTVs are lent as much as without it.
- **The part that follows volatility does much of it**: with a fixed fall the same crowd still breaks the backstop at 40%. After a restless day
  it keeps the backstop above zero even on Black Thursday, and asks a few of those who crowd nowhere for more.
- **A lower LTV for all** of 60% protects as well in the crash where everybody crowds, and asks a third of those who crowd nowhere for more; 65% does not.
- **On Black Thursday after a calm day nothing helps enough** where everybody crowds: the price falls by more than the stress fall.

## One parameter at a time

The others at their defaults; the default in bold. Below the loans, the backstop's lowest equity in each crash. Figures that are the same
for all values are left out.
";

/// The page.
///
/// # Errors
/// The errors of the engine.
pub fn page(experiment: &Experiment) -> Result<String> {
    let compared = variants::compared();
    let lines = variants::lines();
    let mut variants = compared.to_vec();
    variants.extend(lines.iter().flat_map(variants::Line::variants));
    let outcomes = experiment.all(&variants)?;
    let (first, mut rest) = outcomes.split_at(compared.len());

    let mut page = format!("{TITLE}{}{METHOD}", demand());
    let tables: [(&str, Vec<Row>); 4] = [
        ("What was lent", table::loans()),
        ("The backstop's lowest equity", table::lowest_equity(experiment)),
        ("Debt taken over", table::taken_over(experiment)),
        ("Bad debt", table::bad_debt(experiment)),
    ];
    for (title, rows) in tables {
        let table = markdown(&rows, "", &compared, first, title == "Bad debt");
        page.extend(["\n## ", title, "\n\n", &table]);
    }
    page += READING;
    let rows = table::all(experiment);
    for line in &lines {
        let variants = line.variants();
        let (own, others) = rest.split_at(variants.len());
        rest = others;
        let table = markdown(&rows, line.sweep.unit, &variants, own, true);
        let Sweep { parameter, why, .. } = &line.sweep;
        page.extend(["\n### `", parameter, "`\n\n", why, "\n\n", &table]);
    }
    Ok(page)
}

fn markdown(rows: &[Row], corner: &str, variants: &[Variant], outcomes: &[Vec<Outcome>], only_changes: bool) -> String {
    let names: Vec<_> = variants.iter().map(|variant| variant.name.clone()).collect();
    table::markdown(rows, corner, &names, outcomes, only_changes)
}

/// Who borrows, and what they do when they are refused, in words.
fn demand() -> String {
    let percent = |bps: u32| format!("{}", f64::from(bps) / 100.0);
    let millions = |atoms: u64| format!("{}", (atoms / QUOTE_UNIT / 10_000) as f64 / 100.0);
    let rounds = COUNT / u64::try_from(SIZES.len()).unwrap_or(1);
    let asked: u64 = SIZES.iter().sum::<u64>() * rounds * QUOTE_UNIT;
    let sizes = SIZES.map(|size| (size / 1_000).to_string());
    format!(
        "- **Demand**, the same in every market: {COUNT} people ask for {} million USDC in all, {} thousand in turn, one after the other\n  \
         over {HOURS} hours before the crash. *Crowded*: all at an LTV of {}%. *Spread*: evenly from {}% to {}%. Who is refused asks\n  again at \
         once, at an LTV {} point lower each time, down to {}%. Every other has collateral enough and adds to it for the same\n  loan; the \
         others have no more, and take less.\n\
         - **The backstop** owns {} million USDC.\n\
         - **The day**: a seeded random walk in steps of 20 seconds that is drawn back to its first price. *Calm*: a deviation of\n  {}% over an \
         hour. *Restless*: from that up to {}% in the last hour.\n",
        millions(asked),
        sizes.join(", "),
        percent(HIGHEST.0),
        percent(LOWEST.0),
        percent(HIGHEST.0),
        percent(RUNG),
        percent(GIVES_UP_BELOW.0),
        millions(FUNDED.0),
        percent(u32::try_from(CALM).unwrap_or(0)),
        percent(u32::try_from(RESTLESS).unwrap_or(0)),
    )
}

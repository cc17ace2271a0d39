//! The page `docs/risk-experiment.md`.

use breakwater_engine::Result;

use super::{
    Experiment, Outcome,
    arms::{self, Arm},
    demand::{COUNT, GIVES_UP_BELOW, HIGHEST, LOWEST, QUOTE_UNIT, RUNG, SIZES},
    paths::{CALM, HOURS, RESTLESS},
    run::FUNDED,
    table::{self, Row},
};
use crate::guards::variants::Sweep;

const TITLE: &str = "\
# A crash with and without margin that follows risk

Written by `make risk` (`crates/lab/src/risk`): do not edit. The rules are in [risk.md](risk.md).

The initial LTV falls with volatility and with crowding, and a loan that overloads its band is refused. This page measures what
that does to a crash, and says why each default is what it is.

## How it was measured

On the engine itself.

";

const METHOD: &str = "\
- **Nobody reacts** to the crash: no loan is repaid, no collateral added, nobody borrows. The price does what the path says,
  whatever is liquidated or sold.
- **A keeper** tries every account at every reading, the riskiest first. **A buyer** takes what the backstop offers 0.1% below spot or
  lower. No guardians, no external liquidators: what the backstop has no room for waits until it is insolvent.
- **Crashes** start at the price at which the day began and go down in a straight line, then two hours nothing happens; Black
  Thursday is the path of the demo's scenario, two days, scaled to that price. The price guards are on.
- **With**: the defaults. **Without**: the same market with `volatility_factor` 0, `crowding_max` 0 and no band limit. **Only**: one of
  the three. **65%, 60% for all**: without, but with that initial LTV, for comparison with a limit that follows nothing.
- On a restless day some are refused in every market: collateral for a loan counts at the lowest of spot and averages.
- All amounts in thousand USDC. **Largest band**: the most debt in one band of the map when the day is over. **Bad debt**: what debts
  exceed their collateral by at spot, when they are taken over, and of those left at the end. **Lowest equity**: of the backstop,
  inventory at spot; below zero it is what the suppliers would lose if it ended there.
";

const READING: &str = "
What the tables say:

- **The band limit does the work.** Where everybody asks for the same LTV it takes nearly three quarters off the largest band, for 5%
  less lent at an LTV 6 points lower. Falls of 20 and 30% then cost the backstop much less, and a fall of 40% in an hour, in which
  without it the suppliers are short of nearly a million, leaves it above zero.
- **It is idle where nobody crowds**: those who ask for evenly spread LTVs do not notice it, and it does nothing for them.
- **The volatility haircut** moves a crowd as a whole. It is worth most where the day was restless and nothing else limits the crowd; beside
  the band limit it adds little.
- **The crowding haircut does next to nothing** beside the band limit, and little alone: it begins only when debt within the fall exceeds
  the whole room.
- **A lower LTV for all protects better** where everybody crowds: 60% for all keeps more equity in every crash, for 2% less lent than with
  all three. But it asks a third of those who crowd nowhere for more. Following risk leaves them alone; it is not the
  stronger protection.
- **On Black Thursday nothing helps enough.** The price more than halves: of a crowd all debt is taken over in every market, and a backstop
  of 9% of the debt does not carry that.

## One parameter at a time

The others at their defaults; the default in bold. Below the loans, the backstop's lowest equity in each crash. Figures that are the same
for all values are left out.
";

/// The page.
///
/// # Errors
/// What the engine refuses.
pub fn page(experiment: &Experiment) -> Result<String> {
    let compared = arms::compared();
    let lines = arms::lines();
    let mut arms = compared.to_vec();
    arms.extend(lines.iter().flat_map(arms::Line::arms));
    let outcomes = experiment.all(&arms)?;
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
        let arms = line.arms();
        let (own, others) = rest.split_at(arms.len());
        rest = others;
        let table = markdown(&rows, line.sweep.unit, &arms, own, true);
        let alone = if line.no_band_limit { ", without band limit" } else { "" };
        let Sweep { parameter, why, .. } = &line.sweep;
        page.extend(["\n### `", parameter, "`", alone, "\n\n", why, "\n\n", &table]);
    }
    Ok(page)
}

fn markdown(rows: &[Row], corner: &str, arms: &[Arm], outcomes: &[Vec<Outcome>], only_changes: bool) -> String {
    let names: Vec<_> = arms.iter().map(|arm| arm.name.clone()).collect();
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
         - **The backstop** owns {} million USDC: room for 7.2 million of debt.\n\
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

//! The figures of a market, and tables of them in Markdown.

use super::{CASES, Case, Experiment, Outcome, demand::QUOTE_UNIT};

/// A row of a table: one figure of every market that is compared.
pub struct Row {
    /// Name of the figure.
    pub name: String,
    /// Number of the case.
    case: usize,
    figure: Figure,
}

/// A figure read off an outcome.
#[derive(Clone, Copy)]
enum Figure {
    Lent,
    AtOnce,
    AgainstMore,
    Cut,
    Refused,
    AverageLtv,
    LargestBand,
    /// In the crash of this number.
    TakenOver(usize),
    BadDebt(usize),
    LowestEquity(usize),
}

impl Row {
    fn of(&self, outcomes: &[Outcome]) -> String {
        let Outcome { loans, losses } = &outcomes[self.case];
        match self.figure {
            Figure::Lent => thousands(loans.lent.cast_signed()),
            Figure::AtOnce => loans.at_once.to_string(),
            Figure::AgainstMore => loans.against_more.to_string(),
            Figure::Cut => loans.cut.to_string(),
            Figure::Refused => loans.refused.to_string(),
            Figure::AverageLtv => format!(
                "{}%",
                (loans.lent * 100 + loans.collateral / 2) / loans.collateral.max(1)
            ),
            Figure::LargestBand => thousands(loans.largest_band.cast_signed()),
            Figure::TakenOver(crash) => thousands(losses[crash].taken_over.cast_signed()),
            Figure::BadDebt(crash) => thousands(losses[crash].bad_debt.cast_signed()),
            Figure::LowestEquity(crash) => thousands(losses[crash].lowest_equity),
        }
    }
}

/// Loans, case by case.
pub fn loans() -> Vec<Row> {
    each_case(&[
        ("lent", Figure::Lent),
        ("as first asked", Figure::AtOnce),
        ("against more collateral", Figure::AgainstMore),
        ("cut", Figure::Cut),
        ("refused", Figure::Refused),
        ("LTV on average", Figure::AverageLtv),
        ("largest band", Figure::LargestBand),
    ])
}

/// Lowest equity, for every case and crash.
pub fn lowest_equity(experiment: &Experiment) -> Vec<Row> {
    each_crash(experiment, Figure::LowestEquity)
}

/// Debt taken over, for every case and crash.
pub fn taken_over(experiment: &Experiment) -> Vec<Row> {
    each_crash(experiment, Figure::TakenOver)
}

/// Bad debt, for every case and crash.
pub fn bad_debt(experiment: &Experiment) -> Vec<Row> {
    each_crash(experiment, Figure::BadDebt)
}

/// Rows that the sections about single parameters show.
pub fn all(experiment: &Experiment) -> Vec<Row> {
    let mut rows = each_case(&[
        ("lent", Figure::Lent),
        ("as first asked", Figure::AtOnce),
        ("largest band", Figure::LargestBand),
    ]);
    rows.extend(lowest_equity(experiment));
    // Case by case.
    rows.sort_by_key(|row| row.case);
    rows
}

fn each_case(figures: &[(&str, Figure)]) -> Vec<Row> {
    let rows = CASES.iter().enumerate().flat_map(|(case, Case { name, .. })| {
        figures.iter().map(move |(what, figure)| Row {
            name: format!("{name}: {what}"),
            case,
            figure: *figure,
        })
    });
    rows.collect()
}

fn each_crash(experiment: &Experiment, figure: fn(usize) -> Figure) -> Vec<Row> {
    let names = experiment.crashes.iter().map(|crash| crash.name);
    let figures: Vec<_> = names.enumerate().map(|(crash, name)| (name, figure(crash))).collect();
    each_case(&figures)
}

/// A table: `heads` name the markets, `outcomes` are theirs. With `only_changes`, rows in which all agree are left out.
pub fn markdown(rows: &[Row], first: &str, heads: &[String], outcomes: &[Vec<Outcome>], only_changes: bool) -> String {
    let mut out = format!(
        "| {first} | {} |\n|---|{}\n",
        heads.join(" | "),
        "---:|".repeat(heads.len())
    );
    for row in rows {
        let figures: Vec<String> = outcomes.iter().map(|outcomes| row.of(outcomes)).collect();
        if !only_changes || figures.iter().any(|figure| *figure != figures[0]) {
            out.extend(["| ", &row.name, " | ", &figures.join(" | "), " |\n"]);
        }
    }
    out
}

/// Thousand quote tokens, rounded to the nearest.
fn thousands(atoms: i64) -> String {
    let unit = 1_000 * QUOTE_UNIT;
    let rounded = (atoms.unsigned_abs() + unit / 2) / unit;
    let sign = if atoms < 0 && rounded > 0 { "−" } else { "" };
    format!("{sign}{rounded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_in_thousands() {
        assert_eq!(thousands(1_234_499_999_999), "1234");
        assert_eq!(thousands(-1_234_500_000_000), "−1235");
        assert_eq!(thousands(-499_999_999), "0");
    }
}

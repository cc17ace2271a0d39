//! The figures of a market, and tables of them in Markdown.

use super::{
    paths::{self, Kind, Path},
    run::Outcome,
};

/// A row of a table: one figure of every market that is compared.
pub struct Row {
    /// Name of the figure.
    pub name: String,
    /// The paths it sums over, by their number.
    paths: Vec<usize>,
    figure: Figure,
}

/// A figure read off an outcome.
#[derive(Clone, Copy)]
enum Figure {
    Falsely,
    BadDebt,
    Gift,
    LargestGift,
    MinutesNotNormal,
    HoursNotNormal,
    Changes,
}

impl Row {
    fn new(paths: &[Path], figure: Figure, name: &str, wanted: impl Fn(&Path) -> bool) -> Self {
        let numbered = paths.iter().enumerate().filter(|(_, path)| wanted(path));
        Self {
            name: name.to_owned(),
            paths: numbered.map(|(number, _)| number).collect(),
            figure,
        }
    }

    /// The figure of a market with these outcomes, as it is printed.
    pub fn of(&self, outcomes: &[Outcome]) -> String {
        let all = self.paths.iter().map(|&path| outcomes[path]);
        let sum = all.fold(Outcome::default(), Outcome::and);
        let not_normal = sum.seconds_at[1] + sum.seconds_at[2];
        match self.figure {
            Figure::Falsely => thousands(sum.falsely),
            Figure::BadDebt => thousands(sum.bad_debt),
            Figure::Gift => thousands(sum.gift),
            Figure::LargestGift => sum.largest_gift.to_string(),
            Figure::MinutesNotNormal => (not_normal / 60).to_string(),
            Figure::HoursNotNormal => (not_normal / 3_600).to_string(),
            Figure::Changes => sum.level_changes.to_string(),
        }
    }
}

/// Debt liquidated falsely, path by path.
pub fn false_liquidations(paths: &[Path]) -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in [Kind::Wick, Kind::WickAfterQuiet, Kind::Pushed] {
        for path in paths.iter().filter(|path| path.kind == kind) {
            rows.push(Row::new(paths, Figure::Falsely, &path.name, |other| other == path));
        }
    }
    rows
}

/// Bad debt, path by path; then what was paid above spot.
pub fn losses(paths: &[Path]) -> Vec<Row> {
    let mut rows = Vec::new();
    for path in paths.iter().filter(|path| path.kind == Kind::Crash) {
        rows.push(Row::new(paths, Figure::BadDebt, &path.name, |other| other == path));
    }
    rows.push(Row::new(paths, Figure::Gift, "paid above spot, all of these", is_crash));
    rows
}

/// How long and how often borrowers find the market closed.
pub fn closed(all: &[Path]) -> Vec<Row> {
    let named = |figure, name: &str, path: &'static str| Row::new(all, figure, name, |other| other.name == path);
    vec![
        named(
            Figure::MinutesNotNormal,
            "minutes not Normal: 100 minutes of jumps",
            paths::JUMPS,
        ),
        named(
            Figure::HoursNotNormal,
            "hours not Normal: −50% in a day, shown every hour",
            paths::HOURLY,
        ),
        named(
            Figure::MinutesNotNormal,
            "minutes not Normal: −50% in a day",
            paths::SLOW_DAY,
        ),
        named(
            Figure::MinutesNotNormal,
            "minutes not Normal: Black Thursday",
            paths::BLACK_THURSDAY,
        ),
        named(
            Figure::Changes,
            "changes of level: Black Thursday",
            paths::BLACK_THURSDAY,
        ),
    ]
}

/// Everything that a parameter may change.
pub fn all(paths: &[Path]) -> Vec<Row> {
    let sum = |name, kind| Row::new(paths, Figure::Falsely, name, move |path: &Path| path.kind == kind);
    let mut rows = vec![
        sum("false: wicks of 10 s", Kind::Wick),
        sum("false: wicks after a quiet hour", Kind::WickAfterQuiet),
    ];
    let prefixed = |prefix: &str, row: Row| Row {
        name: format!("{prefix}: {}", row.name),
        ..row
    };
    for path in paths.iter().filter(|path| path.kind == Kind::Pushed) {
        let row = Row::new(paths, Figure::Falsely, &path.name, |other| other == path);
        rows.push(prefixed("false", row));
    }
    for path in paths.iter().filter(|path| path.kind == Kind::Crash) {
        let row = Row::new(paths, Figure::BadDebt, &path.name, |other| other == path);
        rows.push(prefixed("bad debt", row));
    }
    rows.push(Row::new(paths, Figure::Gift, "paid above spot: all crashes", is_crash));
    let largest = "most above spot in one liquidation, bps";
    rows.push(Row::new(paths, Figure::LargestGift, largest, is_crash));
    rows.extend(closed(paths));
    rows
}

fn is_crash(path: &Path) -> bool {
    path.kind == Kind::Crash
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

/// Thousand quote tokens with one decimal, rounded to the nearest.
fn thousands(atoms: u64) -> String {
    let tenths = (atoms + 50_000_000) / 100_000_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_in_thousands_with_one_decimal() {
        assert_eq!(thousands(1_234_549_999_999), "1234.5");
        assert_eq!(thousands(49_999_999), "0.0");
        assert_eq!(thousands(50_000_000), "0.1");
    }

    #[test]
    fn rows_in_which_all_agree_can_be_left_out() {
        let path = |kind, name: &str| Path {
            name: name.to_owned(),
            kind,
            prints: Vec::new(),
        };
        let paths = [path(Kind::Crash, "down"), path(Kind::Crash, "further down")];
        let lost = |bad_debt| Outcome {
            bad_debt,
            ..Outcome::default()
        };
        let outcomes = [
            vec![lost(1_000_000_000), lost(0)],
            vec![lost(1_000_000_000), lost(2_000_000_000)],
        ];
        let heads = ["a".to_owned(), "b".to_owned()];
        assert_eq!(
            markdown(&losses(&paths), "path", &heads, &outcomes, true),
            "| path | a | b |\n|---|---:|---:|\n| further down | 0.0 | 2.0 |\n"
        );
        assert!(markdown(&losses(&paths), "path", &heads, &outcomes, false).contains("| down | 1.0 | 1.0 |\n"));
    }
}

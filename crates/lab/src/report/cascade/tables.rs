//! Tables of the measurements.

use std::fmt::Write as _;

use super::{
    figures::{
        Figure, Line, Run, bad_debt, borrowers, drawdown, extra, largest, left, line, lines, liquidated, loss,
        loss_over_under_water, middle, multiplier, over_least, owners, suppliers, total_fall, unserved,
    },
    table::{Section, Table},
};
use crate::{
    cascade::{
        Kind,
        bound::{self, Paced},
        cell::{Behavior, Cell, Part, People, median, worst},
        contagion::Shared,
        goals::{self, Goals},
        study::{CALIBRATED, CALIBRATION, CAPITAL, CAPITALS, DEEP, Found, OCTOBER, Plan, STRESS, Study, assumed},
        sweep::{SWEEPS, Tried},
    },
    report::format::percent,
    rounding::fraction,
};

/// A percentage of all debt.
fn part(value: f64) -> String {
    percent(value, 1)
}

/// The same to a hundredth.
fn fine(value: f64) -> String {
    percent(value, 2)
}

fn ratio(value: f64) -> String {
    if value.is_finite() {
        format!("{value:.2}")
    } else {
        "–".to_owned()
    }
}

/// A median, and the worst in brackets.
fn both(runs: &[Run<'_>], figure: Figure, write: fn(f64) -> String) -> String {
    format!("{} ({})", write(middle(runs, figure)), write(largest(runs, figure)))
}

/// The goals.
pub fn goals(goals: &Goals) -> Section {
    let mut table = Table::new(["goal", "value", "at most", "", "runs", "worst"]);
    for (name, goal) in goals {
        let write = |value: f64| {
            if goal.limit > 0.4 {
                format!("{value:.3}")
            } else {
                percent(value, 2)
            }
        };
        let worst = goal.worst.as_ref().map_or_else(String::new, |worst| {
            let seed = worst.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
            let capital = worst
                .capital
                .map_or_else(String::new, |capital| format!(", capital {}", part(capital)));
            format!("{}{seed}{capital}", worst.path)
        });
        table.rows.push(vec![
            format!("{name}: {}", goal.about),
            write(goal.value),
            write(goal.limit),
            if goal.ok { "held" } else { "**missed**" }.to_owned(),
            goal.runs.to_string(),
            worst,
        ]);
    }
    let missed = goals.values().filter(|goal| !goal.ok).count();
    let note = if missed == 0 {
        format!("All {} hold.", goals.len())
    } else {
        format!("{missed} of {} are missed.", goals.len())
    };
    Section {
        title: "Must hold".to_owned(),
        note,
        table,
    }
}

/// Breakwater at the stress depth on every path, all capitals.
pub fn breakwater(plan: &Plan, study: &Study) -> Section {
    let mut table = Table::new([
        "path",
        "total fall",
        "by own sales",
        "multiplier",
        "extra debt",
        "liquidated",
        "÷ least",
        "bad debt",
        "borrowers lose",
        "owners against nobody liquidated",
        "loss",
        "÷ B(S)",
        "suppliers",
        "most waiting",
        "left to sell",
    ]);
    let cells = plan.of_goals(0, STRESS);
    for (scenario, setup) in plan.ground.scenarios.iter().enumerate() {
        let own = cells.iter().filter(|cell| cell.scenario == scenario);
        let runs = line(study, own.copied());
        if runs.is_empty() {
            continue;
        }
        table.rows.push(vec![
            setup.name.clone(),
            both(&runs, total_fall, part),
            both(&runs, drawdown, part),
            both(&runs, multiplier, ratio),
            both(&runs, extra, part),
            part(middle(&runs, liquidated)),
            ratio(middle(&runs, over_least)),
            both(&runs, bad_debt, part),
            both(&runs, borrowers, fine),
            part(middle(&runs, owners)),
            both(&runs, loss, part),
            ratio(middle(&runs, loss_over_under_water)),
            both(&runs, suppliers, part),
            part(largest(&runs, unserved)),
            part(middle(&runs, left)),
        ]);
    }
    Section {
        title: "Breakwater on every path".to_owned(),
        note: format!(
            "At {} of all debt for 1%, which is what the market believes. Medians over {} seeds and capital of {}; \
            in brackets the \
             worst.",
            percent(STRESS.value(), 2),
            plan.seeds,
            CAPITALS.map(|capital| percent(capital.value(), 0)).join(", "),
        ),
        table,
    }
}

/// One figure of every mechanism on every path.
pub fn compared(
    plan: &Plan,
    all: &[Line<'_>],
    depth: Part,
    title: &str,
    figure: Figure,
    write: fn(f64) -> String,
) -> Section {
    let names = plan.ground.scenarios.iter().map(|setup| setup.name.clone());
    let mut table = Table::new(std::iter::once(String::new()).chain(names));
    for &kind in &plan.mechanisms {
        let cell = |scenario: usize| {
            let same = |line: &&Line<'_>| (line.scenario, line.mechanism, line.depth) == (scenario, kind, depth);
            all.iter()
                .find(same)
                .map_or_else(String::new, |line| write(line.median(figure)))
        };
        let bold = |text: String| {
            if kind == Kind::Breakwater {
                format!("**{text}**")
            } else {
                text
            }
        };
        let values = (0..plan.ground.scenarios.len()).map(cell).map(bold);
        let row: Vec<String> = std::iter::once(bold(kind.title().to_owned())).chain(values).collect();
        table.rows.push(row);
    }
    Section {
        title: title.to_owned(),
        note: String::new(),
        table,
    }
}

/// Every comparison of the document at one depth.
pub fn comparisons(plan: &Plan, all: &[Line<'_>], depth: Part) -> Vec<Section> {
    let of = |title: &str, figure: Figure, write| compared(plan, all, depth, title, figure, write);
    vec![
        of("Total fall of the price", total_fall, part),
        of("Fall by own sales", drawdown, part),
        of("Debt liquidated beyond the same without feedback", extra, part),
        of("Liquidated ÷ least needed", over_least, ratio),
        of("Owners at the end, against nobody having been liquidated", owners, part),
        of("Lost by the protocol and its suppliers", loss, part),
        of("Lost by suppliers", suppliers, part),
    ]
}

/// All figures of a scenario, for the page.
pub fn all_figures(own: &[&Line<'_>]) -> Table {
    let mut table = Table::new([
        "",
        "depth",
        "total fall",
        "drawdown",
        "multiplier",
        "extra",
        "liquidated",
        "÷ least",
        "bad debt",
        "suppliers",
        "borrowers lose",
        "owners",
        "loss",
        "÷ B(S)",
        "peak flow",
        "peak inventory",
        "worst equity",
        "auction h",
        "left",
        "Guarded",
        "Halted",
        "trips (false)",
        "most waiting",
    ]);
    for line in own {
        let median = |figure: Figure| part(line.median(figure));
        table.rows.push(vec![
            line.mechanism.title().to_owned(),
            percent(line.depth.value(), 2),
            median(total_fall),
            both(&line.runs, drawdown, part),
            ratio(line.median(multiplier)),
            median(extra),
            median(liquidated),
            ratio(line.median(over_least)),
            both(&line.runs, bad_debt, part),
            both(&line.runs, suppliers, part),
            median(borrowers),
            median(owners),
            median(loss),
            ratio(line.median(loss_over_under_water)),
            format!("{:.1}", line.median(|run| run.outcome.peak_flow)),
            median(|run| run.outcome.peak_inventory),
            median(|run| run.outcome.worst_equity),
            format!("{:.1}", line.median(|run| run.outcome.unwind_hours)),
            median(left),
            median(|run| run.outcome.guarded_time),
            median(|run| run.outcome.halted_time),
            format!(
                "{:.0} ({:.0})",
                line.median(|run| run.outcome.trips as f64),
                line.median(|run| run.outcome.false_trips as f64)
            ),
            median(unserved),
        ]);
    }
    table
}

/// Every run of a scenario's goals, seed by seed.
pub fn per_seed(plan: &Plan, study: &Study, scenario: usize) -> Table {
    let mut table = Table::new([
        "capital",
        "seed",
        "total fall",
        "drawdown",
        "multiplier",
        "extra",
        "liquidated",
        "taken whole",
        "bad debt",
        "suppliers",
        "borrowers lose",
        "loss",
        "most waiting",
        "left",
    ]);
    let mut cells: Vec<Cell> = plan.of_goals(0, STRESS);
    cells.retain(|cell| cell.scenario == scenario);
    for run in line(study, cells) {
        let figures: [Figure; 3] = [total_fall, drawdown, multiplier];
        let [fall, down, times] = figures.map(|figure| figure(&run));
        table.rows.push(vec![
            percent(run.cell.equity.value(), 0),
            run.cell.seed.to_string(),
            part(fall),
            fine(down),
            ratio(times),
            fine(run.extra),
            part(run.outcome.liquidated),
            part(run.outcome.taken_over),
            fine(run.outcome.bad_debt),
            fine(run.outcome.supplier_loss),
            fine(run.outcome.borrower_loss),
            fine(run.outcome.loss),
            part(run.outcome.unserved),
            part(run.outcome.left_over),
        ]);
    }
    table
}

/// The day that calibrates depth.
pub fn calibration(plan: &Plan, study: &Study) -> Section {
    let mut table = Table::new([
        "depth",
        "dump: liquidated",
        "multiplier",
        "bad debt",
        "borrowers lose of it",
        "Kamino: liquidated",
        "multiplier",
        "bad debt",
        "borrowers lose of it",
    ]);
    let cells = plan.calibration();
    let mut from = None;
    for depth in CALIBRATION {
        let of = |kind: Kind| {
            let own = cells
                .iter()
                .filter(|cell| cell.depth == depth && cell.mechanism == kind);
            line(study, own.copied())
        };
        let (dump, kamino) = (of(Kind::Dump), of(Kind::Kamino));
        if dump.is_empty() {
            continue;
        }
        let like_it = largest(&dump, bad_debt) <= LIKE_BAD_DEBT && middle(&dump, multiplier) <= LIKE_MULTIPLIER;
        if like_it {
            from = from.or(Some(depth));
        } else {
            from = None;
        }
        let mut row = vec![percent(depth.value(), 2)];
        for runs in [&dump, &kamino] {
            row.extend([
                part(middle(runs, liquidated)),
                ratio(middle(runs, multiplier)),
                both(runs, bad_debt, part),
                part(middle(runs, |run| run.outcome.borrower_loss / run.outcome.liquidated)),
            ]);
        }
        table.rows.push(row);
    }
    let found = from.map_or_else(
        || "At none of these depths does it".to_owned(),
        |depth| format!("From {} of debt for 1% on it does", percent(depth.value(), 1)),
    );
    Section {
        title: format!("Depth, calibrated on {OCTOBER}"),
        note: format!(
            "On that day Kamino's markets liquidated about 20 million USD without bad debt, and their users lost \
            about 1.3% of that. So \
             a laboratory in which keepers who dump leave bad debt on such a day, or liquidate much more than the \
             price asked for, is \
             shallower than the market was. The dump baseline reproduces the day where its bad debt is at most {} in \
             every seed and its \
             multiplier at most {LIKE_MULTIPLIER}. {found}. The depth called calibrated is {}, rather too shallow than too \
             deep; {} is stress, {} deep.",
            percent(LIKE_BAD_DEBT, 1),
            percent(CALIBRATED.value(), 0),
            percent(STRESS.value(), 1),
            percent(DEEP.value(), 0),
        ),
        table,
    }
}

/// Bad debt of a day like that of the calibration.
const LIKE_BAD_DEBT: f64 = 0.001;
/// Its multiplier.
const LIKE_MULTIPLIER: f64 = 1.25;

/// Other borrowers.
pub fn populations(plan: &Plan, study: &Study) -> Section {
    let mut table = Table::new([
        "path",
        "borrowers",
        "total fall",
        "by own sales",
        "extra",
        "loss",
        "suppliers",
        "dump: total fall",
        "dump: suppliers",
    ]);
    let cells = plan.populations();
    for (scenario, setup) in plan.ground.scenarios.iter().enumerate() {
        for people in People::ALL {
            let of = |kind: Kind| {
                let own = cells
                    .iter()
                    .filter(|cell| cell.scenario == scenario && cell.people == people && cell.mechanism == kind);
                line(study, own.copied())
            };
            let (runs, dump) = (of(Kind::Breakwater), of(Kind::Dump));
            if runs.is_empty() {
                continue;
            }
            table.rows.push(vec![
                setup.name.clone(),
                people.title().to_owned(),
                part(middle(&runs, total_fall)),
                both(&runs, drawdown, part),
                part(middle(&runs, extra)),
                part(middle(&runs, loss)),
                part(middle(&runs, suppliers)),
                part(middle(&dump, total_fall)),
                part(middle(&dump, suppliers)),
            ]);
        }
    }
    Section {
        title: "Three populations".to_owned(),
        note: format!(
            "Spread: LTV = 77.6% × Beta(2.5, 1.5). Crowded: within a few points of 70%. Loopers: 77.6% × Beta(8, 1). Capital {}, depth {}.",
            percent(CAPITAL.value(), 0),
            percent(STRESS.value(), 1)
        ),
        table,
    }
}

/// Behaviors, over all paths.
pub fn behaviors(plan: &Plan, study: &Study) -> Section {
    let mut table = Table::new([
        "behavior",
        "own sales, worst",
        "extra, worst",
        "bad debt, worst",
        "suppliers, median (worst)",
        "borrowers lose",
        "dump: suppliers, median",
        "dump: total fall, median",
    ]);
    let cells = plan.behaviors();
    for behavior in Behavior::COMPARED {
        let of = |kind: Kind| {
            let own = cells
                .iter()
                .filter(|cell| cell.behavior == behavior && cell.mechanism == kind);
            line(study, own.copied())
        };
        let (runs, dump) = (of(Kind::Breakwater), of(Kind::Dump));
        if runs.is_empty() {
            continue;
        }
        table.rows.push(vec![
            behavior.title(),
            part(largest(&runs, drawdown)),
            part(largest(&runs, extra)),
            part(largest(&runs, bad_debt)),
            both(&runs, suppliers, part),
            fine(middle(&runs, borrowers)),
            part(middle(&dump, suppliers)),
            part(middle(&dump, total_fall)),
        ]);
    }
    Section {
        title: "What people do, and what fails".to_owned(),
        note: format!(
            "Over all paths, capital {}, depth {}.",
            percent(CAPITAL.value(), 0),
            percent(STRESS.value(), 1)
        ),
        table,
    }
}

/// Moves of the price within the age of a reading, and what who knows of them gains.
pub fn ages(plan: &Plan, study: &Study) -> Section {
    let ages = plan.ages().into_iter().map(|age| format!("{age} s"));
    let heads = std::iter::once("path".to_owned()).chain(ages).chain([
        "covered".to_owned(),
        "informed liquidate".to_owned(),
        "gain, of all debt".to_owned(),
        "gain, of what they liquidate".to_owned(),
    ]);
    let mut table = Table::new(heads);
    let cells = plan.behaviors();
    for moves in &study.moves {
        let own = cells.iter().filter(|cell| {
            cell.scenario == moves.scenario && cell.behavior == Behavior::Informed && cell.mechanism == Kind::Breakwater
        });
        let runs = line(study, own.copied());
        let mut row = vec![plan.ground.scenarios[moves.scenario].name.clone()];
        row.extend(
            moves
                .falls
                .values()
                .zip(moves.worst.values())
                .map(|(fall, worst)| format!("{} ({})", fine(*fall), fine(*worst))),
        );
        row.extend([
            format!("{} s", moves.covered),
            part(middle(&runs, |run| run.outcome.by_informed)),
            percent(middle(&runs, |run| run.outcome.informed_gain), 3),
            fine(middle(&runs, |run| {
                run.outcome.informed_gain / run.outcome.by_informed.max(1e-12)
            })),
        ]);
        table.rows.push(row);
    }
    Section {
        title: "Penalty and age".to_owned(),
        note: ages_note(plan, study),
        table,
    }
}

/// Note on the moves that the penalty covers at the age that each market allows, and those it does not.
fn ages_note(plan: &Plan, study: &Study) -> String {
    let config = plan.ground.markets[0].1;
    let penalty = fraction(config.penalty);
    let uncovered = |age: u32| uncovered(plan, study, age);
    let age = config.max_age_long;
    let mut note = format!(
        "The fall of the price that 99.9% of all moves over so many seconds do not exceed: median over the seeds, in \
         brackets the worst; on paths in steps of one second (Black Thursday's, the demo's own, is calmer within its \
         minutes than those of the other crashes). Covered: the oldest age over which the median is no more \
         than the penalty, {}. Readings may be {age} seconds old for liquidating: goal 7. Not covered at that age: \
         {}. There what remains, (move − penalty) × amount, is what an owner who knows the true price may gain of what \
         he liquidates, one time in a thousand: K1 of the known issues in SECURITY.md.",
        fine(penalty),
        uncovered(age),
    );
    for (name, other) in &plan.ground.markets {
        if other.max_age_long != age {
            let _ = write!(
                note,
                " {name} allows {} seconds, for its feeds come no sooner. Not covered there: {}.",
                other.max_age_long,
                uncovered(other.max_age_long)
            );
        }
    }
    note += " Then what owners gain who all know the true price, while keepers come as seldom as that age allows: at the \
             true price, bounty included.";
    note
}

/// The paths on which the penalty is less than the move over this age, and that.
pub fn uncovered(plan: &Plan, study: &Study, age: u32) -> String {
    let penalty = fraction(plan.ground.markets[0].1.penalty);
    let beyond: Vec<String> = study
        .moves
        .iter()
        .filter_map(|moves| Some((moves, *moves.falls.get(&age)?)))
        .filter(|(_, fall)| *fall > penalty)
        .map(|(moves, fall)| format!("{} {}", plan.ground.scenarios[moves.scenario].name, fine(fall)))
        .collect();
    if beyond.is_empty() {
        "none".to_owned()
    } else {
        beyond.join("; ")
    }
}

/// The cascade curve against the laboratory.
pub fn curve(plan: &Plan, study: &Study) -> Section {
    let heads = bound::DEPTHS.map(|depth| percent(depth.value(), 2));
    let mut table = Table::new(["path".to_owned(), String::new()].into_iter().chain(heads));
    let fall = |value: f64| percent(value, 0);
    for (number, setup) in plan.ground.scenarios.iter().enumerate() {
        let mut row = |what: &str, cell: &dyn Fn(Part) -> Option<String>| {
            let cells: Vec<String> = bound::DEPTHS.into_iter().filter_map(cell).collect();
            if cells.len() == bound::DEPTHS.len() {
                table
                    .rows
                    .push([setup.name.clone(), what.to_owned()].into_iter().chain(cells).collect());
            }
        };
        let of = |depth: Part| {
            study
                .bounded
                .iter()
                .filter(move |one| (one.scenario, one.depth) == (number, depth))
        };
        // Of several seeds the one in which the two are nearest.
        row("critical: curve / laboratory", &|depth| {
            let nearest = of(depth).max_by(|a, b| a.excess().total_cmp(&b.excess()))?;
            let laboratory = nearest.laboratory.map_or_else(|| "none".to_owned(), fall);
            Some(format!("{} / {laboratory}", fall(nearest.curve)))
        });
        row("by sales: curve / laboratory", &|depth| {
            let mut all = study.paced.iter();
            let one = all.find(|one| (one.scenario, one.depth) == (number, depth))?;
            let told = format!("{} / {}", fall(one.line.own), fall(one.laboratory.own));
            Some(if one.line_agrees() { told } else { format!("**{told}**") })
        });
    }
    let agree = |agrees: fn(&Paced) -> bool| study.paced.iter().filter(|one| agrees(one)).count();
    Section {
        title: "The cascade curve as a bound".to_owned(),
        note: format!(
            "What the engine says of a market before anything happens (crates/engine/src/views/cascade.rs, breakwater \
             cascade), against what happens, by the depth of the exchange, which the curve is told. Critical: the \
             fall by news that ends 50% down if everyone dumps at once, and the smallest fall of the path's shape \
             that leaves bad debt above 1% while keepers dump, half of a debt or all of it; of {} seeds the one in \
             which they are nearest. Goal 8: the first is never the larger. By sales: how far keepers who dump a half push the price on the \
             path as it is, by the curve whose news come in a straight line (first seed; bold: not on the same side of 50%). Over all \
             {} cells of {} seeds the two are on the same side in {}; of a total fall of 50%, which the crash's news of 49% \
             nearly are, in {}, and in {} if the curve is told the path's news minute by minute.",
            plan.few,
            study.paced.len(),
            plan.few,
            agree(Paced::line_agrees),
            agree(Paced::line_agrees_in_all),
            agree(Paced::along_agrees_in_all),
        ),
        table,
    }
}

/// Contagion.
pub fn contagion(study: &Study) -> Section {
    let mut table = Table::new([
        "path",
        "mechanism",
        "shared",
        "contagion",
        "alone",
        "beside",
        "suppliers alone",
        "beside",
        "fall by sales",
    ]);
    for one in &study.contagion {
        table.rows.push(vec![
            one.scenario.clone(),
            one.mechanism.title().to_owned(),
            one.shared.title().to_owned(),
            ratio(one.number()),
            part(one.alone),
            part(one.beside),
            part(one.loss_alone),
            part(one.loss_beside),
            part(one.drawdown),
        ]);
    }
    Section {
        title: "Contagion".to_owned(),
        note: "Two markets. Contagion is debt liquidated in the second because of the first, per debt liquidated in \
        the first. One exchange: \
               both sell the same token, on an exchange twice as deep as the calibrated depth of one. Buyers' \
               capital, half of a market's debt: \
               both markets are deep, the second's price falls half as far, and what is bought in either thins the \
               depth of both."
            .to_owned(),
        table,
    }
}

/// Which contagion the document speaks of.
pub fn contagion_of(study: &Study, kind: Kind, shared: Shared) -> f64 {
    let own = study
        .contagion
        .iter()
        .filter(|one| one.mechanism == kind && one.shared == shared);
    worst(own.map(crate::cascade::contagion::Contagion::number))
}

/// The depeg.
pub fn depeg(study: &Study) -> Section {
    let mut table = Table::new([
        "mechanism",
        "redemption",
        "liquidated",
        "fall by sales",
        "borrowers lose",
        "owners",
        "suppliers",
    ]);
    for kind in [Kind::Dump, Kind::Breakwater] {
        for redeemable in [false, true] {
            let own = || {
                study
                    .depegged
                    .iter()
                    .filter(move |one| one.redeemable == redeemable && one.outcome.mechanism == kind)
                    .map(|one| &one.outcome)
            };
            if own().next().is_none() {
                continue;
            }
            table.rows.push(vec![
                kind.title().to_owned(),
                if redeemable { "pinned" } else { "unknown" }.to_owned(),
                part(median(own().map(|outcome| outcome.liquidated))),
                part(median(own().map(|outcome| outcome.endogenous_drawdown))),
                fine(median(own().map(|outcome| outcome.borrower_loss))),
                part(median(own().map(|outcome| outcome.owners_gain))),
                part(median(own().map(|outcome| outcome.supplier_loss))),
            ]);
        }
    }
    Section {
        title: "A staked token 10% below its redemption for eight hours".to_owned(),
        note: "The redemption is intact, and its rate is right. It helps nobody here: collateral counts at the lower \
        of market and redemption, \
               and the exchange pays the market's price."
            .to_owned(),
        table,
    }
}

/// Smallest shocks and least capitals.
pub fn searched(plan: &Plan, study: &Study) -> Section {
    let mut scenarios: Vec<usize> = study.critical.iter().map(|found| found.scenario).collect();
    scenarios.dedup();
    let heads = scenarios.iter().flat_map(|scenario| {
        let name = &plan.ground.scenarios[*scenario].name;
        [format!("{name}: shock"), format!("{name}: capital")]
    });
    let mut table = Table::new(std::iter::once(String::new()).chain(heads));
    for &kind in &plan.mechanisms {
        let of = |list: &[Found], scenario: usize| {
            list.iter()
                .find(|found| found.scenario == scenario && found.mechanism == kind)
                .map(|found| found.value)
        };
        let mut row = vec![kind.title().to_owned()];
        for &scenario in &scenarios {
            let shock = of(&study.critical, scenario).map_or_else(String::new, |value| {
                value.map_or_else(|| "none".to_owned(), |shock| percent(-shock, 0))
            });
            let capital = of(&study.capital, scenario)
                .map_or_else(String::new, |value| value.map_or_else(|| "over 100%".to_owned(), part));
            row.extend([shock, capital]);
        }
        table.rows.push(row);
    }
    Section {
        title: "Smallest shock and least capital".to_owned(),
        note: format!(
            "Shock: the smallest fall of this shape that leaves bad debt or a suppliers' loss above 1% of debt, with \
            capital of {}. Capital: the \
             least with which suppliers lose nothing. First seed, depth {}.",
            percent(CAPITAL.value(), 0),
            percent(STRESS.value(), 1)
        ),
        table,
    }
}

/// Sweeps: the worst over the scenarios.
pub fn sweeps(study: &Study) -> Section {
    let mut table = Table::new([
        "parameter",
        "value",
        "by own sales",
        "extra",
        "loss",
        "suppliers",
        "borrowers lose",
        "most waiting",
    ]);
    for sweep in SWEEPS {
        let mut values: Vec<f64> = Vec::new();
        for tried in study.tried.iter().filter(|tried| tried.parameter == sweep.parameter) {
            if !values.iter().any(|value| (value - tried.value).abs() < 1e-12) {
                values.push(tried.value);
            }
        }
        values.sort_by(f64::total_cmp);
        for value in values {
            let same = |tried: &&Tried| tried.parameter == sweep.parameter && (tried.value - value).abs() < 1e-12;
            let tried: Vec<&Tried> = study.tried.iter().filter(same).collect();
            let most = |figure: fn(&Tried) -> f64| worst(tried.iter().map(|one| figure(one)));
            let is_default = tried.first().is_some_and(|one| one.is_default);
            table.rows.push(vec![
                format!("{}: {}", sweep.parameter, sweep.about),
                if is_default {
                    format!("**{value}**")
                } else {
                    value.to_string()
                },
                fine(most(|one| one.endogenous_drawdown)),
                part(most(|one| one.extra)),
                part(most(|one| one.loss)),
                part(most(|one| one.supplier_loss)),
                fine(most(|one| one.borrower_loss)),
                part(most(|one| one.unserved)),
            ]);
        }
    }
    Section {
        title: "One parameter at a time".to_owned(),
        note: "Breakwater, everything else at its default (bold), first seed. Worst over Black Thursday, 10 October \
        2025, the crash and the \
               bleed."
            .to_owned(),
        table,
    }
}

/// Multipliers beyond the limit.
pub fn listed(plan: &Plan, study: &Study) -> Section {
    let mut table = Table::new([
        "path",
        "seed",
        "capital",
        "multiplier",
        "liquidated",
        "of it whole",
        "without feedback",
        "of it whole",
    ]);
    for (cell, multiplier) in goals::listed(plan, study).into_iter().take(MOST_LISTED) {
        let (Some(with), Some(without)) = (study.results.get(&cell), study.results.get(&cell.control())) else {
            continue;
        };
        table.rows.push(vec![
            plan.ground.scenarios[cell.scenario].name.clone(),
            cell.seed.to_string(),
            percent(cell.equity.value(), 0),
            ratio(multiplier),
            part(with.liquidated),
            part(with.taken_over),
            part(without.liquidated),
            part(without.taken_over),
        ]);
    }
    let all = goals::listed(plan, study).len();
    Section {
        title: format!("Multipliers beyond {}", goals::LISTED),
        note: format!(
            "{all} runs; at most {MOST_LISTED} are shown, the highest first. The multiplier compares Breakwater with \
            itself: where the price without \
             feedback just misses the take-over LTV of many accounts and with it reaches it, few are taken whole \
             without and many with. The \
             two columns of what was taken whole show it."
        ),
        table,
    }
}

/// Runs that are listed.
const MOST_LISTED: usize = 24;

/// Where another mechanism does better than Breakwater: on which paths, by how much.
pub fn worse(plan: &Plan, study: &Study) -> Section {
    let all = lines(plan, study);
    let mut table = Table::new(["depth", "measure", "path", "Breakwater", "best", "which"]);
    let measures: [(&str, Figure, bool); 4] = [
        ("total fall", total_fall, false),
        ("owners at the end", owners, true),
        ("lost by protocol and suppliers", loss, false),
        ("most debt waiting", unserved, false),
    ];
    for &depth in &plan.depths {
        for (name, figure, more_is_better) in measures {
            for (scenario, setup) in plan.ground.scenarios.iter().enumerate() {
                let own = all
                    .iter()
                    .filter(|line| line.scenario == scenario && line.depth == depth);
                let value = |line: &Line<'_>| {
                    let value = line.median(figure);
                    if more_is_better { -value } else { value }
                };
                let ours = own.clone().find(|line| line.mechanism == Kind::Breakwater);
                let others = own.filter(|line| !matches!(line.mechanism, Kind::Breakwater | Kind::None));
                let best = others.min_by(|a, b| value(a).total_cmp(&value(b)));
                if let (Some(ours), Some(best)) = (ours, best)
                    && value(best) + BETTER < value(ours)
                {
                    table.rows.push(vec![
                        percent(depth.value(), 1),
                        name.to_owned(),
                        setup.name.clone(),
                        part(ours.median(figure)),
                        part(best.median(figure)),
                        best.mechanism.title().to_owned(),
                    ]);
                }
            }
        }
    }
    Section {
        title: "Where Breakwater is worse".to_owned(),
        note: format!(
            "Every path, depth and measure on which another mechanism's median is better by more than {} of all debt \
            (or of the price), and the \
             best of them. Doing nothing is not counted.",
            percent(BETTER, 1)
        ),
        table,
    }
}

/// A difference that counts.
const BETTER: f64 = 0.005;

/// The parameters that the figures were measured with.
pub fn parameters(plan: &Plan) -> Table {
    let mut table = Table::new(
        std::iter::once("parameter".to_owned()).chain(plan.ground.markets.iter().map(|(name, _)| name.clone())),
    );
    for parameter in breakwater_engine::Parameter::ALL {
        let values = plan
            .ground
            .markets
            .iter()
            .map(|(_, config)| parameter.get(config).to_string());
        let row: Vec<String> = std::iter::once(format!("`{}`", parameter.name()))
            .chain(values)
            .collect();
        table.rows.push(row);
    }
    table
}

/// Says for notes if a depth is one that a market's parameters say.
pub fn assumed_or_not(depth: Part) -> &'static str {
    if assumed(depth).is_some() {
        "the market's parameters say so"
    } else {
        "the market believes 0.5%"
    }
}

/// Medians that sentences are made of.
pub fn of_line(all: &[Line<'_>], plan: &Plan, name: &str, kind: Kind, depth: Part, figure: Figure) -> f64 {
    let scenario = plan.named(name);
    all.iter()
        .find(|line| Some(line.scenario) == scenario && line.mechanism == kind && line.depth == depth)
        .map_or(f64::NAN, |line| line.median(figure))
}

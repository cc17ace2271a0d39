//! `docs/reports/lab.md`, written by `make lab`.
#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    clippy::too_many_lines,
    reason = "prose with figures in it, once for a document"
)]

use breakwater_engine::{Config, Parameter};

use super::{
    figures::{
        self, Figure, Line, borrowers, drawdown, largest, line, lines, loss, middle, owners, suppliers, total_fall,
        unserved,
    },
    table::{Section, Table},
    tables,
};
use crate::{
    cascade::{
        Kind,
        cell::{Part, People},
        contagion::Shared,
        goals::Goals,
        impact::Impact,
        setup::{Borrowers, Course, OracleShape, Setup},
        study::{BLEED, CALIBRATED, CAPITAL, CRASH, DEEP, Plan, STRESS, Study},
    },
    report::format::percent,
};

/// Mark of the line that names the parameters measured with.
const MARK: &str = "Measured with";

/// A number that changes with any parameter of a market: FNV-1a of names and values, sixteen hexadecimal digits.
/// Amounts of quote are in proportion to the debt cap, as the laboratory has them, so a market is the same whatever its
/// size.
pub fn fingerprint(config: &Config) -> String {
    let protocol = crate::cascade::setup::Protocol {
        base: *config,
        ..Default::default()
    };
    // Without overrides every parameter can be what it is.
    let config = protocol.config().unwrap_or(*config);
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for parameter in Parameter::ALL {
        let value = parameter.get(&config).to_string();
        for byte in parameter.name().bytes().chain(value.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

/// True if a document says that its figures were measured with a market's parameters.
pub fn measured_with(document: &str, name: &str, config: &Config) -> bool {
    let wanted = format!("{name} `{}`", fingerprint(config));
    document
        .lines()
        .any(|line| line.starts_with(MARK) && line.contains(&wanted))
}

/// The whole document.
pub fn document(plan: &Plan, study: &Study, goals: &Goals) -> String {
    let all = lines(plan, study);
    let mut out = INTRODUCTION.to_owned();
    let markets: Vec<String> = plan
        .ground
        .markets
        .iter()
        .map(|(name, config)| format!("{name} `{}`", fingerprint(config)))
        .collect();
    out += &format!(
        "\n{MARK}: {}. A test fails if the parameters are others.\n",
        markets.join(", ")
    );
    out += &format!(
        "\n## What is simulated\n\n{}\n{SIMULATED}\n{}",
        paths(plan),
        assumptions().markdown()
    );
    out += MECHANISMS;
    out += MEASURES;
    out += &tables::goals(goals).markdown("##");
    out += &conclusions(plan, study, &all, goals);
    out += &tables::breakwater(plan, study).markdown("##");
    out += &tables::listed(plan, study).markdown("###");
    out += &tables::worse(plan, study).markdown("##");
    for depth in plan.depths.iter().filter(|depth| [STRESS, CALIBRATED].contains(depth)) {
        out += &format!(
            "## All mechanisms at {} of debt for 1%\n\nMedians of {} seeds, capital {}; {}. Percent of all debt at the start, or of the price.\n\n",
            percent(depth.value(), 1),
            plan.few,
            percent(CAPITAL.value(), 0),
            tables::assumed_or_not(*depth),
        );
        for section in tables::comparisons(plan, &all, *depth) {
            out += &format!("### {}\n\n{}\n", section.title, section.table.markdown());
        }
    }
    let rest: [Section; 9] = [
        tables::calibration(plan, study),
        tables::ages(plan, study),
        tables::populations(plan, study),
        tables::behaviors(plan, study),
        tables::contagion(study),
        tables::depeg(study),
        tables::searched(plan, study),
        tables::curve(plan, study),
        tables::sweeps(study),
    ];
    for section in rest {
        out += &section.markdown("##");
    }
    out += &format!("## Parameters\n\n{}\n", tables::parameters(plan).markdown());
    out.trim_end().to_owned() + "\n"
}

const INTRODUCTION: &str = "\
# The cascade laboratory

Written by `make lab`: do not edit. What it measures is in
[`crates/lab/src/cascade`](../../crates/lab/src/cascade/mod.rs), the text in
[`document.rs`](../../crates/lab/src/report/cascade/document.rs).

It measures what this project claims: that liquidations which are absorbed and sold slowly do not cascade, and what
that costs. Mechanisms
act on the same price path, the same accounts, with the same capital of the protocol, and sell into the same market.
What is sold moves the
price; the price decides who is liquidated next. Breakwater is the engine itself
([`breakwater.rs`](../../crates/lab/src/cascade/mechanism/breakwater.rs) only decides when to call it), and
[a test](../../crates/lab/tests/cascade_replay.rs) does a run again through the compiled program: both agree to the
atom, after every step and
account by account.

    make lab                                   # everything, this page too, and target/lab: report.html, \
    summary.json, study.json, goals.json
    breakwater lab --quick --scenario crash    # seconds; --help lists the options
    BREAKWATER_CANDLES=candles.csv make lab    # Black Thursday on real hourly candles as well

`make lab` fails if one of the goals below is missed. A run is reproducible from its scenario file and its seed.
";

const SIMULATED: &str = "\
**Price** = exogenous price × exp(−displacement). Displacement ([`impact.rs`](../../crates/lab/src/cascade/impact.rs)),
in units of depth sold:

    displacement = 1% × ( (1 − permanent) × temporary^concavity + permanent × lasting^concavity )

A sale in parts moves the price as far as a sale at once; the temporary part is forgotten with a half-life, the
lasting one never. Depth has two
meanings that are kept apart: that of the exchange (`impact.depth`), and that which the market believes
(`market_depth`, which its flow limit
follows). None of the impact parameters is measured from a market but the depth of a calm one, which is calibrated
below. Unless a
behavior says otherwise nobody steps in because a price is too low, so where a mechanism sells without limit the
price goes to nothing: read
a fall of 100% as \"collapse\", not as a forecast.

**Parameters** are those of `Config::EXAMPLE`, amounts of quote in proportion to the debt, which is as large as the
debt cap allows; the laboratory
has no set of its own. Files of [`migrations`](../../migrations/README.md) that differ have rows of their own.
Everybody borrows before the first price,
whatever the stress cover says of it, so that all mechanisms meet the same borrowers.
";

const MECHANISMS: &str = "
**Mechanisms** ([`mechanism/`](../../crates/lab/src/cascade/mechanism/mod.rs)), each from its published rules, with the
limits of this market: keepers who
repay half of a debt or all of it with a bonus of 8% and dump; Compound III's absorption at a fixed discount; Dutch
auctions of whole accounts, with
and without Sky's delay; Kamino's tenth with a bonus by LTV; Aave's half or all with 5%; Euler's reverse Dutch
bonus; Fluid's and Jupiter's ticks;
Liquity's stability pool, whose depositors hold what they get or half of whom sell it; crvUSD's bands; careful
keepers who take the least for the
smallest bonus that pays; Breakwater. Keepers and buyers act when selling on at once earns 0.1%. All see the same
oracle.

**Conservation**: every run counts both tokens, everywhere, at its beginning and end, and fails if an atom is too
many or too few.
**Speed**: accounts wait in the order of their liquidation price, so a step touches only those that are due; `make
lab` measures 100,000 accounts
over 72 hours in steps of 10 seconds, Breakwater and dump, and fails above 10 s on one core.
";

const MEASURES: &str = "
## What is measured

| measure | meaning |
|---|---|
| total fall | furthest fall of the price from the first one, news and own sales together |
| by own sales | furthest that the price was below the exogenous one |
| multiplier, extra debt | debt liquidated ÷ the same run without feedback; the difference, percent of all debt |
| ÷ least | debt liquidated ÷ the least that keeps every account within its limit on the exogenous path, sold at its price without penalty |
| bad debt | what debts exceeded their collateral by, when taken over and at the end |
| borrowers lose | collateral taken, at the exogenous price, less debt repaid |
| owners | what owners have at the end, savings included, less what they would have if nobody had been liquidated |
| loss, ÷ B(S) | what the protocol and its suppliers lost; by what the stress fall leaves under water at the start |
| most waiting | most debt that was due and not served at one moment; of several runs that of the worst |
| contagion | debt liquidated in a second market because of the first, per debt liquidated in the first |

";

/// Every path in a line.
fn paths(plan: &Plan) -> String {
    let mut table = Table::new(["path", "what", "hours", "exogenous fall"]);
    for setup in &plan.ground.scenarios {
        let hours = match &setup.path {
            Course::BlackThursday { hours, .. } | Course::Known { hours, .. } | Course::Trend { hours, .. } => *hours,
        };
        let fall = crate::cascade::Path::of(setup, plan.ground.candles.as_ref()).map_or(f64::NAN, |path| path.fall());
        table.rows.push(vec![
            setup.name.clone(),
            setup.about.clone(),
            hours.to_string(),
            percent(fall, 0),
        ]);
    }
    format!(
        "**Paths** ([`scenarios/cascade`](../../crates/lab/scenarios/cascade)): real crashes as known prices with a \
        seeded random bridge in between, and \
         made ones; or any TOML file. Steps of {} seconds.\n\n{}",
        plan.ground.scenarios.first().map_or(10, |setup| setup.step_seconds),
        table.markdown()
    )
}

fn assumptions() -> Table {
    let (impact, oracle, people) = (Impact::default(), OracleShape::default(), Borrowers::default());
    let mut table = Table::new(["assumption", "default", "meaning"]);
    let mut row = |name: &str, value: String, meaning: &str| {
        table.rows.push(vec![format!("`{name}`"), value, meaning.to_owned()]);
    };
    row(
        "impact.depth",
        percent(impact.depth, 2),
        "part of all debt whose sale moves a calm price by 1%",
    );
    row(
        "impact.permanent",
        percent(impact.permanent, 0),
        "part of an impact that never recovers",
    );
    row("impact.half_life", format!("{} s", impact.half_life), "of the rest");
    row(
        "impact.concavity",
        impact.concavity.to_string(),
        "1 is linear, 0.5 the square-root law",
    );
    row(
        "impact.thinning, thinnest",
        format!("{}, {}", impact.thinning, percent(impact.thinnest, 0)),
        "depth ÷ (1 + thinning × distance of the price from its average of an hour), and its floor",
    );
    row(
        "oracle.latency_steps, confidence",
        format!("{}, {}", oracle.latency_steps, percent(oracle.confidence, 2)),
        "the oracle shows the price of so many steps ago; confidence grows by a fifth of the last minute's move",
    );
    row(
        "borrowers",
        people.count.to_string(),
        &format!(
            "accounts, log-normal sizes (σ {}, none above {}), LTV = limit × {} × Beta({}, {}); {} watch, and at {} \
            of the limit put in {} of their \
             debt, half in quote and half in collateral, after {} s on average",
            people.size_spread,
            percent(people.largest, 0),
            people.highest,
            people.alpha,
            people.beta,
            percent(people.attentive, 0),
            percent(people.attention, 0),
            percent(people.savings, 0),
            people.delay,
        ),
    );
    row(
        "protocol.equity",
        percent(CAPITAL.value(), 0),
        "the protocol's capital, the same for every mechanism",
    );
    table
}

/// Conclusions from the figures, in sentences that they decide.
fn conclusions(plan: &Plan, study: &Study, all: &[Line<'_>], goals: &Goals) -> String {
    let mut list: Vec<String> = Vec::new();
    let stress = line(study, plan.of_goals(0, STRESS));
    if let Some(goal) = goals.get("2 no cliff") {
        let held = if goal.ok {
            "There is no cliff"
        } else {
            "There is a cliff"
        };
        list.push(format!(
            "**{held}.** Over {} runs own sales push the price by {} at the median and {} at worst. Capital of 2 or \
            15% makes a difference of at most \
             {} on any path (medians; with one seed alone, {} at most): what the backstop cannot carry waits, it is \
             not dumped.",
            stress.len(),
            percent(middle(&stress, drawdown), 1),
            percent(largest(&stress, drawdown), 1),
            percent(goal.value, 2),
            percent(furthest_apart(&stress), 2),
        ));
    }
    let dump: Vec<&Line<'_>> = all
        .iter()
        .filter(|line| line.mechanism == Kind::Dump && line.depth == STRESS)
        .collect();
    let collapsed = dump
        .iter()
        .filter(|line| line.median(total_fall) > 0.9 && !hopeless(plan, line.scenario))
        .count();
    list.push(format!(
        "**The loop.** At the stress depth keepers who dump bring the price to nothing on {collapsed} of the {} paths \
        whose own news leave one; in a market as deep as a calm one ({}) \
         the dump's worst median fall by own sales is {}, Breakwater's {}.",
        dump.iter().filter(|line| !hopeless(plan, line.scenario)).count(),
        percent(CALIBRATED.value(), 0),
        percent(highest(all, Kind::Dump, CALIBRATED, drawdown), 1),
        percent(highest(all, Kind::Breakwater, CALIBRATED, drawdown), 1),
    ));
    let losing = plan
        .ground
        .scenarios
        .iter()
        .enumerate()
        .filter(|(scenario, _)| {
            let own = stress
                .iter()
                .filter(|run| run.cell.scenario == *scenario && run.cell.equity == CAPITAL);
            crate::cascade::cell::median(own.map(suppliers)) > 0.0
        })
        .map(|(_, setup): (usize, &Setup)| setup.name.clone())
        .collect::<Vec<_>>();
    let where_ = if losing.is_empty() {
        "nowhere".to_owned()
    } else {
        losing.join(", ")
    };
    list.push(format!(
        "**Suppliers.** With capital of {} they lose something at the median on: {where_}. Where capital covers \
        B(S), and what pipeline, discounts and bounties may cost on the way, and the price falls by no more than S, \
         nothing is lost: {} such runs.",
        percent(CAPITAL.value(), 0),
        goals.get("4 suppliers whole").map_or(0, |goal| goal.runs),
    ));
    let of =
        |name: &str, kind: Kind, depth: Part, figure: Figure| tables::of_line(all, plan, name, kind, depth, figure);
    list.push(format!(
        "**What it costs.** A price that does not come back costs the backstop {} of debt in the crash and {} in the \
        bleed (deep market: {} and {}); borrowers \
         lose {} and {}, to the dump {} and {} (deep market: {} and {} against {} and {}). Medians of the seeds that all mechanisms share.",
        percent(of(CRASH, Kind::Breakwater, STRESS, loss), 1),
        percent(of(BLEED, Kind::Breakwater, STRESS, loss), 1),
        percent(of(CRASH, Kind::Breakwater, DEEP, loss), 1),
        percent(of(BLEED, Kind::Breakwater, DEEP, loss), 1),
        percent(of(CRASH, Kind::Breakwater, STRESS, borrowers), 1),
        percent(of(BLEED, Kind::Breakwater, STRESS, borrowers), 1),
        percent(of(CRASH, Kind::Dump, STRESS, borrowers), 1),
        percent(of(BLEED, Kind::Dump, STRESS, borrowers), 1),
        percent(of(CRASH, Kind::Breakwater, DEEP, borrowers), 1),
        percent(of(BLEED, Kind::Breakwater, DEEP, borrowers), 1),
        percent(of(CRASH, Kind::Dump, DEEP, borrowers), 1),
        percent(of(BLEED, Kind::Dump, DEEP, borrowers), 1),
    ));
    list.push(format!(
        "**The queue.** Own margin first means that accounts between the liquidation and the take-over LTV wait: up \
        to {} of all debt at one moment \
         ({} at the median of all runs). Whoever comes first takes the pipeline.",
        percent(largest(&stress, unserved), 1),
        percent(middle(&stress, unserved), 1),
    ));
    let v = "V";
    list.push(format!(
        "**A crash that comes back.** After a take-over the backstop keeps the rebound: in the V owners end {} of \
        all debt below what they would have had \
         without liquidation, with careful keepers in a deep market {} (Breakwater there: {}).",
        percent(-of(v, Kind::Breakwater, STRESS, owners), 1),
        percent(-of(v, Kind::Careful, DEEP, owners), 1),
        percent(-of(v, Kind::Breakwater, DEEP, owners), 1),
    ));
    list.push(format!(
        "**A price that never comes back.** Down 80% and staying there, suppliers lose {} of all debt with \
        Breakwater and {} with the best of the others \
         in the stressed market, {} and {} in one as deep as a calm one, {} and {} in a deep one.",
        percent(of("No return", Kind::Breakwater, STRESS, suppliers), 1),
        percent(best(plan, all, "No return", STRESS, suppliers), 1),
        percent(of("No return", Kind::Breakwater, CALIBRATED, suppliers), 1),
        percent(best(plan, all, "No return", CALIBRATED, suppliers), 1),
        percent(of("No return", Kind::Breakwater, DEEP, suppliers), 1),
        percent(best(plan, all, "No return", DEEP, suppliers), 1),
    ));
    list.push(format!(
        "**Contagion**, at its worst, between two markets on one exchange: {:.2} with the dump; {:.2} with \
        Breakwater where each is told half of the \
         depth, {:.2} where each takes all of it for its own.",
        tables::contagion_of(study, Kind::Dump, Shared::Depth),
        tables::contagion_of(study, Kind::Breakwater, Shared::Depth),
        tables::contagion_of(study, Kind::Breakwater, Shared::DepthTwice),
    ));
    let config = &plan.ground.markets[0].1;
    list.push(format!(
        "**Old prices.** A reading may be {} s old, and the penalty is {}. That does not cover what the price moves in \
        that time, one time in a thousand, on: {}. There an owner who knows the true price gains the difference.",
        config.max_age_long,
        percent(crate::rounding::fraction(config.penalty), 0),
        tables::uncovered(plan, study, config.max_age_long),
    ));
    let crowd = |people: People| {
        let cells = plan
            .populations()
            .into_iter()
            .filter(move |cell| cell.people == people && cell.mechanism == Kind::Breakwater);
        line(study, cells)
    };
    let (usual, crowded, loopers) = (crowd(People::Usual), crowd(People::Crowded), crowd(People::Loopers));
    list.push(format!(
        "**Crowds.** Suppliers' loss, the mean of the paths' runs: {} with spread borrowers, {} crowded, {} loopers; \
        own sales push the price by at most {}, {} \
         and {}. The stress cover asks for capital of B(S): {}, {} and {} of all debt.",
        percent(mean(&usual, suppliers), 1),
        percent(mean(&crowded, suppliers), 1),
        percent(mean(&loopers, suppliers), 1),
        percent(largest(&usual, drawdown), 1),
        percent(largest(&crowded, drawdown), 1),
        percent(largest(&loopers, drawdown), 1),
        percent(mean(&usual, |run| run.outcome.under_water), 1),
        percent(mean(&crowded, |run| run.outcome.under_water), 1),
        percent(mean(&loopers, |run| run.outcome.under_water), 1),
    ));
    let items: String = list.iter().map(|item| format!("- {item}\n")).collect();
    format!("## What the figures say\n\n{items}\n")
}

/// How far the drawdowns of one seed on one path are apart at most, whatever the capital.
fn furthest_apart(runs: &[figures::Run<'_>]) -> f64 {
    let apart = |run: &figures::Run<'_>| {
        let same = runs
            .iter()
            .filter(|other| (other.cell.scenario, other.cell.seed) == (run.cell.scenario, run.cell.seed));
        let lowest = same.map(drawdown).fold(f64::INFINITY, f64::min);
        drawdown(run) - lowest
    };
    crate::cascade::cell::worst(runs.iter().map(apart))
}

/// True if the path itself falls so far that nothing a mechanism does is to be seen in the total.
fn hopeless(plan: &Plan, scenario: usize) -> bool {
    let setup = &plan.ground.scenarios[scenario];
    crate::cascade::Path::of(setup, plan.ground.candles.as_ref()).is_ok_and(|path| path.fall() > 0.9)
}

/// The highest median over the paths.
fn highest(all: &[Line<'_>], kind: Kind, depth: Part, figure: Figure) -> f64 {
    let own = all.iter().filter(|line| line.mechanism == kind && line.depth == depth);
    crate::cascade::cell::worst(own.map(|line| line.median(figure)))
}

/// The lowest median among the others on a path.
fn best(plan: &Plan, all: &[Line<'_>], name: &str, depth: Part, figure: Figure) -> f64 {
    let scenario = plan.named(name);
    let others = all.iter().filter(|line| {
        Some(line.scenario) == scenario
            && line.depth == depth
            && !matches!(line.mechanism, Kind::Breakwater | Kind::None)
    });
    -crate::cascade::cell::worst(others.map(|line| -line.median(figure)))
}

fn mean(runs: &[figures::Run<'_>], figure: Figure) -> f64 {
    runs.iter().map(figure).sum::<f64>() / runs.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_parameters_and_not_sizes() {
        let example = Config::EXAMPLE;
        let mut other = example;
        other.penalty.0 += 1;
        assert_ne!(fingerprint(&example), fingerprint(&other));
        let text = format!("# x\n\n{MARK}: example `{}`. And more.\n", fingerprint(&example));
        assert!(measured_with(&text, "example", &example));
        assert!(!measured_with(&text, "example", &other) && !measured_with(&text, "another", &example));
    }
}

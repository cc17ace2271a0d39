//! The account substitution matrix. For every instruction of the IDL and every account that it takes: everything that
//! could be passed in the place of the right one, alone and together with others; and for every instruction one account
//! and one byte too few. It must be refused, with the error that `expected` names for it, and no account of the world
//! may have changed by a byte; or `exceptions` says why it may pass, and then it must.
//!
//! The program takes no sysvar as an account: a slot for one would have no class, and fail.
//!
//! A new instruction needs an honest form in `fixtures`, and a class for each slot that has none in `slots`.

mod cells;
mod exceptions;
mod expected;
mod fixture;
mod fixtures;
mod report;
mod several;
mod slots;
mod substitutes;

use crate::governance::idl;
use cells::{Cells, Verdict};
use exceptions::{ALLOWED, IMPOSSIBLE};
use fixture::Fixture;
use report::Report;
use std::collections::BTreeSet;
use substitutes::Kind;

#[test]
fn every_instruction_has_an_honest_form() {
    let program: BTreeSet<String> = idl::instructions().into_keys().collect();
    let listed: BTreeSet<String> = fixtures::names().map(str::to_owned).collect();
    let forgotten: Vec<&String> = program.difference(&listed).collect();
    assert!(
        forgotten.is_empty(),
        "no honest form in matrix/fixtures.rs: {forgotten:?}"
    );
    let gone: Vec<&String> = listed.difference(&program).collect();
    assert!(gone.is_empty(), "not in the IDL any more: {gone:?}");
}

#[test]
fn every_wrong_account_in_every_slot_is_refused_and_changes_nothing() {
    Report::forget();
    let mut fixture = Fixture::new();
    let begun = fixture.cast.world.snapshot();
    let (mut report, mut failed) = (Report::default(), Vec::new());
    let (mut allowed_used, mut impossible_used) = (BTreeSet::new(), BTreeSet::new());
    for name in idl::instructions().keys() {
        fixture.cast.world.restore(&begun);
        let cells = Cells::of(&mut fixture, name);
        report.count_slots(cells.places.len());
        failed.extend(gaps(name, &cells, &mut impossible_used));
        for cell in &cells.all {
            let verdict = cells.judge(&mut fixture, cell);
            report.count(cell.substitute.kind, &verdict);
            match verdict {
                Verdict::Refused => {}
                Verdict::Allowed(line) => {
                    allowed_used.insert(line);
                }
                Verdict::Wrong(what) => failed.push(format!("{}: {what}", cells.title(cell))),
            }
        }
    }
    for (line, rule) in ALLOWED
        .iter()
        .enumerate()
        .filter(|(line, _)| !allowed_used.contains(line))
    {
        failed.push(format!("ALLOWED[{line}] allows nothing: {}", rule.why));
    }
    for (line, rule) in IMPOSSIBLE
        .iter()
        .enumerate()
        .filter(|(line, _)| !impossible_used.contains(line))
    {
        failed.push(format!("IMPOSSIBLE[{line}] excludes nothing: {}", rule.why));
    }
    println!("{report}");
    report.write(failed.len());
    assert!(failed.is_empty(), "{} wrong:\n{}", failed.len(), failed.join("\n"));
}

/// Where a kind has no cell and nothing says why, or where something says that it has none, and it has.
fn gaps(name: &str, cells: &Cells, used: &mut BTreeSet<usize>) -> Vec<String> {
    let mut gaps = Vec::new();
    for (index, place) in cells.places.iter().enumerate() {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.is_for(&cells.places, index)) {
            let tried = cells
                .all
                .iter()
                .any(|cell| cell.is_at(index) && cell.substitute.kind == kind);
            let excluded = IMPOSSIBLE.iter().position(|rule| rule.covers(name, place.class, kind));
            used.extend(excluded);
            if tried == excluded.is_some() {
                let what = if tried {
                    "is excluded, and there is"
                } else {
                    "is not tried"
                };
                gaps.push(format!(
                    "{name}.{} ({:?}), {kind:?}: {what}",
                    place.slot.name, place.class
                ));
            }
        }
    }
    gaps
}

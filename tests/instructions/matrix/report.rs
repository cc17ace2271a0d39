//! How many cells there were, and what came of them: for people on the terminal, for the assurance report as JSON.

use super::{cells::Verdict, substitutes::Kind};
use breakwater_invariants::figures;
use serde_json::json;
use std::{collections::BTreeMap, fmt, fs};

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    cells: u32,
    refused: u32,
    allowed: u32,
}

const FILE: &str = "matrix.json";

/// The figures.
#[derive(Clone, Debug, Default)]
pub struct Report {
    instructions: u32,
    slots: usize,
    kinds: BTreeMap<Kind, Count>,
}

impl Report {
    /// One more instruction, of so many slots.
    pub fn count_slots(&mut self, slots: usize) {
        self.instructions += 1;
        self.slots += slots;
    }

    /// One more cell.
    pub fn count(&mut self, kind: Kind, verdict: &Verdict) {
        let count = self.kinds.entry(kind).or_default();
        count.cells += 1;
        count.refused += u32::from(*verdict == Verdict::Refused);
        count.allowed += u32::from(matches!(verdict, Verdict::Allowed(_)));
    }

    fn total(&self) -> Count {
        self.kinds.values().fold(Count::default(), |sum, count| Count {
            cells: sum.cells + count.cells,
            refused: sum.refused + count.refused,
            allowed: sum.allowed + count.allowed,
        })
    }

    /// Takes away what an earlier run has written: a run that stops before its end leaves no figures.
    pub fn forget() {
        // There is none before the first run.
        let _ = fs::remove_file(figures::folder().join(FILE));
    }

    /// Writes `matrix.json` among the parts of the assurance report. `failed` counts whatever was wrong: cells, gaps,
    /// and exceptions that nothing needs.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, failed: usize) {
        let kinds: BTreeMap<String, u32> = self
            .kinds
            .iter()
            .map(|(kind, count)| (format!("{kind:?}"), count.cells))
            .collect();
        let Count {
            cells,
            refused,
            allowed,
        } = self.total();
        let json = json!({
            "matrix_cells": cells,
            "matrix_failed": failed,
            "matrix_refused": refused,
            "matrix_allowed": allowed,
            "matrix_instructions": self.instructions,
            "matrix_slots": self.slots,
            "matrix_kinds": kinds,
        });
        figures::write(FILE, &json).unwrap();
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        writeln!(f, "{} instructions, {} slots", self.instructions, self.slots)?;
        writeln!(f, "{:14} {:>6} {:>8} {:>8}", "", "cells", "refused", "allowed")?;
        for (name, count) in self
            .kinds
            .iter()
            .map(|(kind, count)| (format!("{kind:?}"), count))
            .chain([("all".to_owned(), &total)])
        {
            writeln!(
                f,
                "{name:14} {:>6} {:>8} {:>8}",
                count.cells, count.refused, count.allowed
            )?;
        }
        Ok(())
    }
}

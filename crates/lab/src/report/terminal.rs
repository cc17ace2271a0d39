//! A run's output in the terminal: its progress, and a table at the end.

use std::{
    fmt::Write,
    io::{IsTerminal, stderr},
    path::Path,
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{format::grouped, page::rows};
use crate::{profit, record::Record};

/// Progress on standard error: a bar in a terminal, elsewhere (a log, a pipe) one line for every tenth.
pub struct Progress {
    bar: Option<ProgressBar>,
    task: String,
    tenths: u64,
}

impl Progress {
    /// Begins a task.
    pub fn new(task: &str) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0).with_prefix(task.to_owned());
            // The template is a constant; should it ever be wrong, the default style does.
            if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:32} {percent:>3}%  {elapsed}  {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self {
            bar,
            task: task.to_owned(),
            tenths: 0,
        }
    }

    /// `done` of `all` parts are done; `message` is only built when it is shown.
    pub fn at(&mut self, done: u64, all: u64, message: impl FnOnce() -> String) {
        let tenths = done * 10 / all.max(1);
        if let Some(bar) = &self.bar {
            bar.set_length(all);
            bar.set_message(message());
            bar.set_position(done);
        } else if tenths > self.tenths {
            self.tenths = tenths;
            eprintln!("{} {:>3}%  {}", self.task, tenths * 10, message());
        }
    }

    /// The task is done: in a terminal the bar disappears.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The result as a table, ending with where the report is.
pub fn table(record: &Record, report: &Path) -> String {
    let mut out = format!("\n{}\n{}\n", record.name, "─".repeat(record.name.chars().count()));
    let mut line = |name: &str, value: &str, unit: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {name:<34}{value:>16} {unit}");
    };
    for [name, value, unit] in rows(record) {
        line(&name, &value, &unit);
    }
    line("", "", "");
    line("profit at the last price", "", "");
    for (name, raw) in record.profits.named() {
        let value = grouped(profit::atoms(raw) / record.quote_unit, 2);
        line(&format!("  {name}"), &value, &record.symbols.1);
    }
    out.push('\n');
    for check in &record.checks {
        let mark = if check.holds { "✓" } else { "✗ FAILS:" };
        let _ = writeln!(out, "  {mark} {}: {}", check.claim, check.measured);
    }
    let _ = writeln!(out, "\n  Report: {}", report.display());
    out
}

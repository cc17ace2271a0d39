//! The figures of many seeds in one line.

use crate::cascade::{
    Kind, Outcome,
    study::{Run, Study},
};

/// A mechanism on a scenario at a depth, over all seeds.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Name of the scenario.
    pub scenario: &'a str,
    /// The mechanism.
    pub mechanism: Kind,
    /// The depth.
    pub depth: f64,
    runs: Vec<&'a Run>,
}

/// Every combination of scenario, depth and mechanism, in the order of the runs.
pub fn lines(study: &Study) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for run in &study.runs {
        let Outcome {
            scenario,
            mechanism,
            depth,
            ..
        } = &run.outcome;
        let same = |line: &&mut Line<'_>| {
            line.scenario == scenario && line.mechanism == *mechanism && (line.depth - depth).abs() < f64::EPSILON
        };
        match lines.iter_mut().find(same) {
            Some(line) => line.runs.push(run),
            None => lines.push(Line {
                scenario,
                mechanism: *mechanism,
                depth: *depth,
                runs: vec![run],
            }),
        }
    }
    lines
}

impl<'a> Line<'a> {
    /// The middle of a figure over the seeds.
    pub fn median(&self, figure: impl Fn(&Run) -> f64) -> f64 {
        self.quantile(0.5, figure)
    }

    /// The figure that so many of the seeds do not exceed; the nearest of them, above.
    pub fn quantile(&self, part: f64, figure: impl Fn(&Run) -> f64) -> f64 {
        let mut values: Vec<f64> = self.runs.iter().map(|run| figure(run)).collect();
        values.sort_by(f64::total_cmp);
        let last = values.len().saturating_sub(1);
        let index = crate::rounding::interval((part * last as f64).ceil()).min(last);
        values.get(index).copied().unwrap_or(f64::NAN)
    }

    /// The largest.
    pub fn worst(&self, figure: impl Fn(&Run) -> f64) -> f64 {
        self.quantile(1.0, figure)
    }

    /// Seeds.
    pub fn seeds(&self) -> usize {
        self.runs.len()
    }

    /// The run that is plotted: the first seed's.
    pub fn first(&self) -> Option<&'a Run> {
        self.runs.first().copied()
    }

    /// See [`Run::critical_shock`].
    pub fn critical_shock(&self) -> Option<f64> {
        self.first().and_then(|run| run.critical_shock)
    }
}

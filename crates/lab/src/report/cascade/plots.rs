//! The plots, each as one SVG element.

use plotters::prelude::*;

use super::figures::Line;
use crate::{
    cascade::{Kind, metrics::Sample},
    report::{
        ReportError,
        chart::{self, Span},
        format::percent,
    },
};

/// The color of a mechanism, the same in every plot.
pub fn color(kind: Kind) -> RGBColor {
    match kind {
        Kind::None => RGBColor(0x8a, 0x97, 0xa5),
        Kind::Dump => RGBColor(0xb2, 0x3a, 0x34),
        Kind::Full => RGBColor(0xe0, 0x7b, 0x39),
        Kind::Absorb => RGBColor(0x6c, 0x4f, 0x9a),
        Kind::Dutch => RGBColor(0xc9, 0xa2, 0x27),
        Kind::Sky => RGBColor(0x9c, 0x7a, 0x10),
        Kind::Kamino => RGBColor(0x3b, 0x6f, 0xb5),
        Kind::Aave => RGBColor(0xb0, 0x5f, 0xb4),
        Kind::Euler => RGBColor(0x5a, 0x8f, 0x3c),
        Kind::Fluid => RGBColor(0x4c, 0xb0, 0xd8),
        Kind::LiquityHold => RGBColor(0x1f, 0x3f, 0x9e),
        Kind::LiquityHalf => RGBColor(0x7d, 0x93, 0xdd),
        Kind::Crvusd => RGBColor(0xd0, 0x5c, 0x8e),
        Kind::Careful => RGBColor(0x6d, 0x55, 0x3c),
        Kind::Breakwater => RGBColor(0x2a, 0x7f, 0x86),
    }
}

/// The color of the exogenous price.
pub const FAIR: RGBColor = RGBColor(0x1b, 0x3a, 0x5c);

fn samples<'a>(line: &Line<'a>) -> &'a [Sample] {
    line.first().map_or(&[], |run| &run.outcome.samples)
}

fn span(lines: &[&Line<'_>]) -> Span {
    let all = lines.first().map_or(&[] as &[Sample], |line| samples(line));
    let at = |sample: Option<&Sample>| sample.map_or(0, |sample| sample.unix);
    Span::new(at(all.first()), at(all.last()).max(at(all.first()) + 1))
}

/// A figure of every mechanism over time, percentages of all debt.
pub fn over_time(lines: &[&Line<'_>], label: &str, figure: fn(&Sample) -> f64) -> Result<String, ReportError> {
    let span = span(lines);
    let range = chart::range(lines.iter().flat_map(|line| samples(line).iter().map(figure)));
    chart::svg(240, |area| {
        let mut chart = chart::over_time(area, span, range, label, &|value| percent(value, 0))?;
        for line in lines {
            let points: Vec<_> = samples(line)
                .iter()
                .map(|s| (span.hours_at(s.unix), figure(s)))
                .collect();
            chart.draw_series(LineSeries::new(
                chart::thin(&points),
                color(line.mechanism).stroke_width(2),
            ))?;
        }
        Ok(())
    })
}

/// The exogenous price, and what each mechanism made of it.
pub fn price(lines: &[&Line<'_>]) -> Result<String, ReportError> {
    let span = span(lines);
    let first = lines.first().map_or(&[] as &[Sample], |line| samples(line));
    let range = chart::range(first.iter().map(|sample| sample.fair));
    chart::svg(300, |area| {
        let format = |value: f64| crate::report::format::grouped(value, 0);
        let mut chart = chart::over_time(area, span, range, "price", &format)?;
        for line in lines {
            let points: Vec<_> = samples(line).iter().map(|s| (span.hours_at(s.unix), s.price)).collect();
            chart.draw_series(LineSeries::new(
                chart::thin(&points),
                color(line.mechanism).stroke_width(2),
            ))?;
        }
        let points: Vec<_> = first.iter().map(|s| (span.hours_at(s.unix), s.fair)).collect();
        chart.draw_series(LineSeries::new(chart::thin(&points), FAIR.stroke_width(1)))?;
        Ok(())
    })
}

/// A bar for every mechanism at every depth, in groups of one depth.
pub fn bars(groups: &[(String, Vec<(Kind, f64)>)], label: &str) -> Result<String, ReportError> {
    let range = chart::range(groups.iter().flat_map(|(_, bars)| bars.iter().map(|bar| bar.1)));
    let count = groups.len() as f64;
    chart::svg(220, |area| {
        let mut chart = chart::frame(area, 0, chart::RIGHT).build_cartesian_2d(0.0..count, range.0..range.1)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(chart::GRID)
            .axis_style(chart::INK)
            .label_style(chart::text(chart::LABEL))
            .axis_desc_style(chart::text(chart::LABEL))
            .x_labels(0)
            .y_desc(label)
            .y_labels(6)
            .y_label_formatter(&|value| percent(*value, 0))
            .draw()?;
        for (group, (name, bars)) in (0u32..).zip(groups) {
            let width = 0.84 / bars.len().max(1) as f64;
            for (place, (kind, value)) in (0u32..).zip(bars) {
                let left = f64::from(group) + 0.08 + width * f64::from(place);
                let corners = [(left, 0.0), (left + width * 0.9, *value)];
                chart.draw_series([Rectangle::new(corners, color(*kind).filled())])?;
            }
            let at = (f64::from(group) + 0.08, range.1);
            chart.draw_series([Text::new(name.clone(), at, chart::text(chart::LABEL))])?;
        }
        Ok(())
    })
}

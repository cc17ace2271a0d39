//! The plots, each as one SVG element.

use plotters::prelude::*;

use super::{
    ReportError,
    chart::{self, INK, Span, TimeChart},
    format::{grouped, percent, short},
};
use crate::{
    record::{Record, Sample, index_of},
    rounding::interval,
};

/// Colors by meaning, the same in every plot.
pub const PRICE: RGBColor = RGBColor(0x1b, 0x3a, 0x5c);
pub const AVERAGE: RGBColor = RGBColor(0xd0, 0x8c, 0x2e);
pub const DEBT: RGBColor = RGBColor(0xb2, 0x3a, 0x34);
pub const INVENTORY: RGBColor = RGBColor(0x2a, 0x7f, 0x86);
pub const EQUITY: RGBColor = RGBColor(0x3c, 0x8a, 0x3f);
pub const CASH: RGBColor = RGBColor(0x8a, 0x97, 0xa5);
pub const DISCOUNT: RGBColor = RGBColor(0x6c, 0x4f, 0x9a);

/// Quarters of an hour.
const BIN: f64 = 0.25;
const LTV_BINS: usize = 40;

/// The time that a record covers.
pub fn span(record: &Record) -> Span {
    let at = |sample: Option<&Sample>| sample.map_or(0, |s| s.unix);
    Span::new(at(record.samples.first()), at(record.samples.last()))
}

fn line(
    chart: &mut TimeChart<'_, '_>,
    span: Span,
    samples: &[Sample],
    color: RGBColor,
    value: impl Fn(&Sample) -> f64,
) -> Result<(), ReportError> {
    let points: Vec<(f64, f64)> = samples.iter().map(|s| (span.hours_at(s.unix), value(s))).collect();
    chart.draw_series(LineSeries::new(chart::thin(&points), color.stroke_width(2)))?;
    Ok(())
}

/// A dashed horizontal line.
fn level(chart: &mut TimeChart<'_, '_>, span: Span, value: f64, color: RGBColor) -> Result<(), ReportError> {
    let ends = [(0.0, value), (span.hours(), value)];
    chart.draw_series(DashedLineSeries::new(ends, 6, 4, color.stroke_width(1)))?;
    Ok(())
}

/// Colors of the levels, Normal first.
pub const LEVELS: [RGBColor; 3] = [
    RGBColor(0xcf, 0xe3, 0xd0),
    RGBColor(0xe8, 0x6a, 0x1c),
    RGBColor(0x6b, 0x12, 0x12),
];

/// A band over time in the color of the level.
pub fn levels(record: &Record) -> Result<String, ReportError> {
    let (span, samples) = (span(record), &record.samples);
    chart::svg(40, |area| {
        let mut chart = chart::frame(area, 0, chart::RIGHT)
            .x_label_area_size(0)
            .build_cartesian_2d(span, 0.0..1.0)?;
        chart.draw_series(stretches(samples).into_iter().map(|(from, to, level)| {
            let ends = [(span.hours_at(from), 0.0), (span.hours_at(to), 1.0)];
            Rectangle::new(ends, LEVELS[level].filled())
        }))?;
        Ok(())
    })
}

/// When each stretch of one level begins and ends, and the level's number. A sample counts for the time before it.
fn stretches(samples: &[Sample]) -> Vec<(i64, i64, usize)> {
    let mut stretches: Vec<(i64, i64, usize)> = Vec::new();
    for pair in samples.windows(2) {
        let (from, to, level) = (pair[0].unix, pair[1].unix, index_of(pair[1].level));
        match stretches.last_mut() {
            Some(last) if last.2 == level => last.1 = to,
            _ => stretches.push((from, to, level)),
        }
    }
    stretches
}

/// Price and the oracle's average.
pub fn price(record: &Record) -> Result<String, ReportError> {
    let (span, samples) = (span(record), &record.samples);
    let range = chart::tight_range(samples.iter().flat_map(|s| [s.price, s.ema]));
    let label = format!("{} per {}", record.symbols.1, record.symbols.0);
    chart::svg(300, |area| {
        let mut chart = chart::over_time(area, span, range, &label, &|v| grouped(v, 0))?;
        line(&mut chart, span, samples, AVERAGE, |s| s.ema)?;
        line(&mut chart, span, samples, PRICE, |s| s.price)
    })
}

/// The price where sales move it, with the backstop and without, over the price of the news alone.
pub fn beside(record: &Record) -> Result<String, ReportError> {
    let (span, news) = (span(record), &record.samples);
    let lines = [(&record.beside.without, DEBT), (&record.beside.with, INVENTORY)];
    let prices = lines
        .iter()
        .flat_map(|(line, _)| line.prices.iter().map(|(_, price)| *price));
    let range = chart::range(news.iter().map(|s| s.price).chain(prices));
    let label = format!("{} per {}", record.symbols.1, record.symbols.0);
    chart::svg(300, |area| {
        let mut chart = chart::over_time(area, span, range, &label, &|v| grouped(v, 0))?;
        line(&mut chart, span, news, PRICE, |s| s.price)?;
        for (line, color) in lines {
            let points: Vec<(f64, f64)> = line
                .prices
                .iter()
                .map(|(unix, price)| (span.hours_at(*unix), *price))
                .collect();
            chart.draw_series(LineSeries::new(chart::thin(&points), color.stroke_width(2)))?;
        }
        Ok(())
    })
}

/// Debt taken over in each quarter of an hour, and the number of liquidations so far.
pub fn liquidations(record: &Record) -> Result<String, ReportError> {
    let span = span(record);
    let at = |unix| span.hours_at(unix);
    let bins = chart::bins(record.liquidations.iter().map(|l| (at(l.unix), l.repaid)), span, BIN);
    let range = chart::range(bins.iter().copied());
    let label = format!("{} per quarter hour", record.symbols.1);
    let mut steps = vec![(0.0, 0.0)];
    for (count, liquidation) in (1u32..).zip(&record.liquidations) {
        steps.push((at(liquidation.unix), f64::from(count) - 1.0));
        steps.push((at(liquidation.unix), f64::from(count)));
    }
    let count = steps.last().map_or(0.0, |last| last.1);
    steps.push((span.hours(), count));
    chart::svg(280, |area| {
        let second = (count * 1.06).max(1.0);
        let mut chart = chart::with_second_scale(area, span, range, &label, &short, second)?;
        chart.draw_series(chart::bars(&bins, BIN, DEBT))?;
        chart.draw_secondary_series(LineSeries::new(chart::thin(&steps), PRICE.stroke_width(2)))?;
        Ok(())
    })
}

/// The backstop's inventory over time.
pub fn inventory(record: &Record) -> Result<String, ReportError> {
    let (span, samples) = (span(record), &record.samples);
    let range = chart::range(samples.iter().map(|s| s.inventory));
    chart::svg(240, |area| {
        let mut chart = chart::over_time(area, span, range, &record.symbols.0, &short)?;
        let points: Vec<_> = samples.iter().map(|s| (span.hours_at(s.unix), s.inventory)).collect();
        let points = chart::thin(&points);
        chart.draw_series(AreaSeries::new(points, 0.0, INVENTORY.mix(0.18)).border_style(INVENTORY.stroke_width(2)))?;
        Ok(())
    })
}

/// The backstop's debt, cash and equity over time.
pub fn balance(record: &Record) -> Result<String, ReportError> {
    let (span, samples) = (span(record), &record.samples);
    let range = chart::range(samples.iter().flat_map(|s| [s.debt, s.cash, s.equity]));
    chart::svg(280, |area| {
        let mut chart = chart::over_time(area, span, range, &record.symbols.1, &short)?;
        line(&mut chart, span, samples, CASH, |s| s.cash)?;
        line(&mut chart, span, samples, DEBT, |s| s.debt)?;
        line(&mut chart, span, samples, EQUITY, |s| s.equity)
    })
}

/// How far the ask lies below the price, cut off at the bottom as far below zero as the largest discount is above it:
/// otherwise the minutes in which the floor holds the ask far up would flatten everything else.
pub fn discount(record: &Record) -> Result<String, ReportError> {
    let (span, limit) = (span(record), record.limits.max_discount);
    let range = chart::range([limit, -limit]);
    chart::svg(240, |area| {
        let mut chart = chart::over_time(area, span, range, "below the price", &|v| percent(v, 1))?;
        level(&mut chart, span, 0.0, INK)?;
        level(&mut chart, span, limit, DISCOUNT)?;
        // Without inventory there is no ask: the line has gaps.
        for stretch in record
            .samples
            .chunk_by(|a, b| a.discount.is_some() == b.discount.is_some())
        {
            if stretch[0].discount.is_some() {
                line(&mut chart, span, stretch, DISCOUNT, |s| {
                    s.discount.unwrap_or_default().max(-limit)
                })?;
            }
        }
        Ok(())
    })
}

/// Sales in each quarter of an hour, against the most that the flow bound allows in one.
pub fn sales(record: &Record) -> Result<String, ReportError> {
    let span = span(record);
    let bins = chart::bins(record.sales.iter().map(|s| (span.hours_at(s.unix), s.worth)), span, BIN);
    let bound = record.limits.hourly_flow * (BIN + f64::from(record.limits.burst) / 3_600.0);
    let range = chart::range(bins.iter().copied().chain([bound]));
    let label = format!("{} per quarter hour", record.symbols.1);
    chart::svg(240, |area| {
        let mut chart = chart::over_time(area, span, range, &label, &short)?;
        chart.draw_series(chart::bars(&bins, BIN, INVENTORY))?;
        level(&mut chart, span, bound, DEBT)
    })
}

/// Number of accounts by LTV, before, at the lowest price, and after, with the market's limits.
pub fn ltv(record: &Record) -> Result<String, ReportError> {
    let count = |ltvs: &[f64]| {
        let mut bins = [0u32; LTV_BINS];
        for ltv in ltvs {
            bins[interval(ltv * LTV_BINS as f64).min(LTV_BINS - 1)] += 1;
        }
        bins
    };
    let series = [
        (count(&record.before), CASH),
        (count(&record.at_lowest), AVERAGE),
        (count(&record.after), PRICE),
    ];
    let top = series
        .iter()
        .flat_map(|(bins, _)| bins)
        .copied()
        .max()
        .map_or(1.0, f64::from)
        * 1.25;
    let limits = [
        ("target", record.limits.target_ltv),
        ("liquidation", record.limits.liquidation_ltv),
        ("take-over", record.limits.takeover_ltv),
    ];
    chart::svg(300, |area| {
        let mut chart = chart::frame(area, 0, chart::RIGHT)
            .x_label_area_size(46)
            .build_cartesian_2d((0.0..1.0).step(0.1).use_round(), 0.0..top)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(chart::GRID)
            .axis_style(INK)
            .label_style(chart::text(chart::LABEL))
            .axis_desc_style(chart::text(chart::LABEL))
            .x_desc("debt ÷ collateral value")
            .x_label_formatter(&|v| percent(*v, 0))
            .y_desc("accounts")
            .y_labels(6)
            .y_label_formatter(&|v| grouped(*v, 0))
            .draw()?;
        let width = 1.0 / LTV_BINS as f64;
        for (place, (bins, color)) in (0u32..).zip(series) {
            chart.draw_series((0u32..).zip(bins).filter(|(_, n)| *n > 0).map(|(i, n)| {
                let left = (f64::from(i) + 0.08 + 0.28 * f64::from(place)) * width;
                Rectangle::new([(left, 0.0), (left + 0.28 * width, f64::from(n))], color.filled())
            }))?;
        }
        // Names one below the other: target and liquidation are close.
        for (row, (name, ltv)) in (0u32..).zip(limits) {
            let height = top * (0.99 - 0.08 * f64::from(row));
            chart.draw_series(DashedLineSeries::new(
                [(ltv, 0.0), (ltv, top)],
                6,
                4,
                DEBT.stroke_width(1),
            ))?;
            chart.draw_series([Text::new(name, (ltv + 0.004, height), chart::text(chart::LABEL))])?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use breakwater_engine::Level;

    #[test]
    fn stretches_join_what_has_one_level() {
        let sample = |unix, level| Sample {
            unix,
            level,
            ..Sample::default()
        };
        let (normal, guarded) = (Level::Normal, Level::Guarded);
        let samples = [(0, normal), (20, normal), (40, guarded), (60, guarded), (80, normal)];
        let samples = samples.map(|(unix, level)| sample(unix, level));
        assert_eq!(stretches(&samples), [(0, 20, 0), (20, 60, 1), (60, 80, 0)]);
        assert_eq!(stretches(&samples[..1]), []);
    }
}

//! The liquidation map over time, and what it says.

use plotters::prelude::*;

use super::{
    ReportError,
    chart::{self, Span},
    format::{grouped, percent},
    plots,
};
use crate::record::{Column, Measures, Record, Sample};

/// Shades from little debt to much: one hue that only darkens, so that nobody needs to tell colors apart.
const SHADES: [RGBColor; 7] = [
    RGBColor(0xff, 0xf3, 0xb0),
    RGBColor(0xfe, 0xdb, 0x7c),
    RGBColor(0xfe, 0xb2, 0x3f),
    RGBColor(0xf4, 0x88, 0x1d),
    RGBColor(0xdc, 0x5f, 0x0a),
    RGBColor(0xa8, 0x40, 0x03),
    RGBColor(0x5f, 0x24, 0x05),
];
pub const PROXIMITY: RGBColor = plots::PRICE;
pub const DEPTH: RGBColor = plots::AVERAGE;
/// Depth ratios above this are drawn as this.
pub const CUT: f64 = 10.0;

/// The shades with the largest debt that each stands for: 1, 2, 5, 10, …, up to the largest debt in a band.
pub fn shades(record: &Record) -> Vec<(f64, RGBColor)> {
    let debts = record.map.iter().flat_map(|column| &column.bands).map(|band| band.debt);
    let largest = debts.fold(0.0, f64::max);
    let limits: Vec<f64> = (0..12)
        .flat_map(|tens| [1.0, 2.0, 5.0].map(|unit| unit * 10f64.powi(tens)))
        .collect();
    let above = limits
        .iter()
        .position(|limit| *limit >= largest)
        .unwrap_or(limits.len() - 1);
    let first = (above + 1).saturating_sub(SHADES.len());
    limits.into_iter().skip(first).zip(SHADES).collect()
}

/// A stretch of time in which a band keeps its shade.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    from: i64,
    to: i64,
    low: f64,
    high: f64,
    shade: usize,
}

/// The map as rectangles, as few as possible: a column holds until the next one, and a band's neighbors in time with
/// the same shade are one.
fn cells(map: &[Column], end: i64, shades: &[(f64, RGBColor)]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    let mut open: [Option<usize>; 256] = [None; 256];
    for (i, column) in map.iter().enumerate() {
        let to = map.get(i + 1).map_or(end, |next| next.unix);
        for band in &column.bands {
            let shade = shades.iter().position(|(limit, _)| band.debt <= *limit);
            let shade = shade.unwrap_or(shades.len().saturating_sub(1));
            let number = usize::from(band.number);
            match open[number].and_then(|cell| cells.get_mut(cell)) {
                Some(cell) if cell.to == column.unix && cell.shade == shade => cell.to = to,
                _ => {
                    open[number] = Some(cells.len());
                    cells.push(Cell {
                        from: column.unix,
                        to,
                        low: band.low,
                        high: band.high,
                        shade,
                    });
                }
            }
        }
    }
    cells
}

/// Price against time, the shade for the debt that would be liquidated there, and the way of the price.
pub fn map(record: &Record, shades: &[(f64, RGBColor)]) -> Result<String, ReportError> {
    let (span, samples) = (plots::span(record), &record.samples);
    let end = samples.last().map_or(0, |sample| sample.unix);
    let cells = cells(&record.map, end, shades);
    let edges = cells.iter().flat_map(|cell| [cell.low, cell.high]);
    let range = chart::tight_range(samples.iter().map(|s| s.price).chain(edges));
    let label = format!("{} per {}", record.symbols.1, record.symbols.0);
    chart::svg(460, |area| {
        let mut chart = chart::over_time(area, span, range, &label, &|v| grouped(v, 0))?;
        chart.draw_series(cells.iter().map(|cell| {
            let ends = [
                (span.hours_at(cell.from), cell.low),
                (span.hours_at(cell.to), cell.high),
            ];
            Rectangle::new(ends, shades[cell.shade].1.filled())
        }))?;
        // A white seam keeps the line apart from dark bands.
        let points: Vec<_> = samples.iter().map(|s| (span.hours_at(s.unix), s.price)).collect();
        let points = chart::thin(&points);
        chart.draw_series(LineSeries::new(points.clone(), WHITE.stroke_width(5)))?;
        chart.draw_series(LineSeries::new(points, plots::PRICE.stroke_width(2)))?;
        Ok(())
    })
}

/// Threshold proximity on the left, the depth ratio on the right.
pub fn measures(record: &Record) -> Result<String, ReportError> {
    let span = plots::span(record);
    let proximity = |sample: &Sample| sample.risk.and_then(|risk: Measures| risk.proximity);
    let depth = |sample: &Sample| sample.risk.map(|risk: Measures| risk.depth_ratio.min(CUT));
    let range = chart::range(record.samples.iter().filter_map(proximity));
    chart::svg(220, |area| {
        let write = |value: f64| percent(value, 1);
        let mut chart = chart::with_second_scale(area, span, range, "fall of the price", &write, CUT * 1.06)?;
        for line in lines(record, span, depth) {
            chart.draw_secondary_series(LineSeries::new(line, DEPTH.stroke_width(2)))?;
        }
        let one = [(0.0, 1.0), (span.hours(), 1.0)];
        chart.draw_secondary_series(DashedLineSeries::new(one, 6, 4, DEPTH.stroke_width(1)))?;
        for line in lines(record, span, proximity) {
            chart.draw_series(LineSeries::new(line, PROXIMITY.stroke_width(2)))?;
        }
        Ok(())
    })
}

/// A series with gaps where it has no value.
fn lines(record: &Record, span: Span, value: impl Fn(&Sample) -> Option<f64>) -> Vec<Vec<(f64, f64)>> {
    let stretches = record.samples.chunk_by(|a, b| value(a).is_some() == value(b).is_some());
    let points = stretches.map(|stretch| {
        let points = stretch
            .iter()
            .filter_map(|s| value(s).map(|v| (span.hours_at(s.unix), v)));
        chart::thin(&points.collect::<Vec<_>>())
    });
    points.filter(|points| !points.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Band;

    fn column(unix: i64, debts: &[(u8, f64)]) -> Column {
        let band = |&(number, debt): &(u8, f64)| Band {
            number,
            low: f64::from(number),
            high: f64::from(number) + 1.0,
            debt,
        };
        Column {
            unix,
            bands: debts.iter().map(band).collect(),
        }
    }

    #[test]
    fn a_band_is_one_rectangle_as_long_as_its_shade_lasts() {
        let shades = [(1.0, SHADES[0]), (2.0, SHADES[1])];
        let map = [
            column(0, &[(100, 0.5), (101, 2.0)]),
            column(10, &[(100, 1.0), (101, 1.0)]),
            column(20, &[(101, 3.0)]),
            column(30, &[(100, 0.1)]),
        ];
        let cell = |from, to, low: u8, shade| Cell {
            from,
            to,
            low: f64::from(low),
            high: f64::from(low) + 1.0,
            shade,
        };
        let expected = [
            cell(0, 20, 100, 0),
            cell(0, 10, 101, 1),
            cell(10, 20, 101, 0),
            cell(20, 30, 101, 1),
            cell(30, 35, 100, 0),
        ];
        assert_eq!(cells(&map, 35, &shades), expected);
    }
}

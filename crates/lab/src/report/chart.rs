//! Settings that all plots share: size, colors, the time axis, and thinning of long series.

use std::ops::Range;

use plotters::{
    chart::DualCoordChartContext,
    coord::{
        Shift,
        ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter},
        types::RangedCoordf64,
    },
    prelude::*,
};

use super::{ReportError, format::grouped};
use crate::{
    rounding::{interval, nearest_i64},
    scenario::time_label,
};

/// Ink of text and axes.
pub const INK: RGBColor = RGBColor(0x33, 0x3d, 0x47);
pub const GRID: RGBColor = RGBColor(0xe6, 0xe9, 0xec);
const WIDTH: u32 = 1_080;
/// Room for labels on both sides, the same in every plot so that times stand below each other.
const LEFT: u32 = 76;
pub const RIGHT: u32 = 64;
/// Size of axis labels.
pub const LABEL: u32 = 14;
const SECONDS_PER_HOUR: f64 = 3_600.0;
/// Points of a series after thinning, two per bucket; twice as fine as the picture.
const BUCKETS: usize = WIDTH as usize;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A plot over time: hours since the start, any unit upwards.
pub type TimeChart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Span, RangedCoordf64>>;

/// The same with a second scale on the right.
pub type TwoScales<'a, 'b> =
    DualCoordChartContext<'a, SVGBackend<'b>, Cartesian2d<Span, RangedCoordf64>, Cartesian2d<Span, RangedCoordf64>>;

/// The span of time that all plots cover: their horizontal axis, in hours since the start.
#[derive(Clone, Copy)]
pub struct Span {
    start: i64,
    hours: f64,
}

impl Span {
    pub fn new(start: i64, end: i64) -> Self {
        Self {
            start,
            hours: (end - start) as f64 / SECONDS_PER_HOUR,
        }
    }

    pub fn hours_at(&self, unix: i64) -> f64 {
        (unix - self.start) as f64 / SECONDS_PER_HOUR
    }

    pub fn hours(&self) -> f64 {
        self.hours
    }
}

impl Ranged for Span {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (left, right): (i32, i32)) -> i32 {
        left + i32::try_from(nearest_i64(f64::from(right - left) * value / self.hours)).unwrap_or(0)
    }

    /// Every six hours, or wider apart for long spans: the full hours that people look for.
    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        let apart = 6.0 * (self.hours / 72.0).ceil().max(1.0);
        (0..=interval(self.hours / apart)).map(|i| i as f64 * apart).collect()
    }

    fn range(&self) -> Range<f64> {
        0.0..self.hours
    }
}

impl ValueFormatter<f64> for Span {
    fn format_ext(&self, hours: &f64) -> String {
        time_label(self.start + nearest_i64(hours * SECONDS_PER_HOUR))
    }
}

/// Draws on a white sheet of the report's width and returns the SVG element.
pub fn svg<F>(height: u32, draw: F) -> Result<String, ReportError>
where
    F: FnOnce(&Area<'_>) -> Result<(), ReportError>,
{
    let mut out = String::new();
    {
        let area = SVGBackend::with_string(&mut out, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE)?;
        draw(&area)?;
        area.present()?;
    }
    Ok(out)
}

/// A plot over time with a grid; `label` names the unit, `format` writes a value of it.
pub fn over_time<'a, 'b>(
    area: &'a Area<'b>,
    span: Span,
    range: (f64, f64),
    label: &str,
    format: &dyn Fn(f64) -> String,
) -> Result<TimeChart<'a, 'b>, ReportError> {
    let mut chart = frame(area, 0, RIGHT).build_cartesian_2d(span, range.0..range.1)?;
    grid(&mut chart, label, format)?;
    Ok(chart)
}

/// A plot over time with a second scale on the right, from zero to `second`.
pub fn with_second_scale<'a, 'b>(
    area: &'a Area<'b>,
    span: Span,
    range: (f64, f64),
    label: &str,
    format: &dyn Fn(f64) -> String,
    second: f64,
) -> Result<TwoScales<'a, 'b>, ReportError> {
    let chart = frame(area, RIGHT, 0).build_cartesian_2d(span, range.0..range.1)?;
    // In this order: a grid drawn first would repeat the left scale on the right.
    let mut chart = chart.set_secondary_coord(span, 0.0..second);
    grid(&mut chart, label, format)?;
    chart
        .configure_secondary_axes()
        .axis_style(INK)
        .label_style(text(LABEL))
        .y_labels(6)
        .y_label_formatter(&|value| grouped(*value, 0))
        .draw()?;
    Ok(chart)
}

/// Margins and room for labels: a scale of the width `right`, or nothing of the width `blank`.
pub fn frame<'a, 'b>(area: &'a Area<'b>, right: u32, blank: u32) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
    let mut builder = ChartBuilder::on(area);
    builder
        .margin(8)
        .margin_right(8 + blank)
        .x_label_area_size(30)
        .y_label_area_size(LEFT)
        .right_y_label_area_size(right);
    builder
}

fn grid(chart: &mut TimeChart<'_, '_>, label: &str, format: &dyn Fn(f64) -> String) -> Result<(), ReportError> {
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(text(LABEL))
        .axis_desc_style(text(LABEL))
        .y_desc(label)
        .y_labels(6)
        .y_label_formatter(&|value| format(*value))
        .draw()?;
    Ok(())
}

/// Text in the report's face.
pub fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

/// Room below the smallest and above the largest value; zero stays the edge where all values have one sign.
pub fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .into_iter()
        .fold((0f64, 0f64), |(low, high), v| (low.min(v), high.max(v)));
    let padding = ((high - low) * 0.06).max(f64::EPSILON);
    (
        if low < 0.0 { low - padding } else { 0.0 },
        if high > 0.0 { high + padding } else { padding },
    )
}

/// Room below the smallest and above the largest value, without zero: for prices.
pub fn tight_range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .into_iter()
        .fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    let padding = ((high - low) * 0.08).max(high.abs() * 0.01);
    ((low - padding).max(0.0), high + padding)
}

/// At most two points per bucket of the width: the lowest and the highest, so that no peak is lost.
pub fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= 2 * BUCKETS {
        return points.to_vec();
    }
    let mut kept = Vec::with_capacity(2 * BUCKETS + 2);
    kept.extend(points.first());
    for bucket in points.chunks(points.len().div_ceil(BUCKETS)) {
        let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let ends = bucket.iter().min_by(by_value).zip(bucket.iter().max_by(by_value));
        if let Some((low, high)) = ends {
            let (first, second) = if low.0 <= high.0 { (low, high) } else { (high, low) };
            kept.push(*first);
            if first != second {
                kept.push(*second);
            }
        }
    }
    kept.extend(points.last());
    kept
}

/// Sums `(time, amount)` into bins of `width` hours.
pub fn bins(points: impl IntoIterator<Item = (f64, f64)>, span: Span, width: f64) -> Vec<f64> {
    let mut bins = vec![0.0; interval((span.hours / width).ceil()).max(1)];
    let last = bins.len() - 1;
    for (hours, amount) in points {
        bins[interval(hours / width).min(last)] += amount;
    }
    bins
}

/// Bars for [`bins`], with a small gap between them.
pub fn bars(bins: &[f64], width: f64, color: RGBColor) -> Vec<Rectangle<(f64, f64)>> {
    (0u32..)
        .zip(bins)
        .filter(|(_, value)| **value != 0.0)
        .map(|(i, value)| {
            let left = f64::from(i) * width;
            Rectangle::new(
                [(left + width * 0.08, 0.0), (left + width * 0.92, *value)],
                color.filled(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_every_peak() {
        let mut points: Vec<(f64, f64)> = (0..20_000).map(|i| (f64::from(i), 1.0)).collect();
        points[7_777].1 = 9.0;
        points[12_345].1 = -9.0;
        let thin = thin(&points);
        assert!(thin.len() <= 2 * BUCKETS + 2);
        assert!(thin.contains(&(7_777.0, 9.0)) && thin.contains(&(12_345.0, -9.0)));
        assert_eq!((thin.first(), thin.last()), (points.first(), points.last()));
        assert!(thin.windows(2).all(|p| p[0].0 <= p[1].0));
    }

    #[test]
    fn bins_keep_the_sum_and_the_last_instant() {
        let span = Span::new(0, 7_200);
        assert_eq!(
            bins([(0.0, 1.0), (0.49, 2.0), (0.5, 4.0), (2.0, 8.0)], span, 0.5),
            [3.0, 4.0, 0.0, 8.0]
        );
    }

    #[test]
    fn ranges_include_zero_and_leave_room() {
        assert_eq!(range([50.0, 100.0]), (0.0, 106.0));
        assert_eq!(range([-100.0, 100.0]), (-112.0, 112.0));
        assert_eq!(tight_range([100.0, 200.0]), (92.0, 208.0));
    }
}

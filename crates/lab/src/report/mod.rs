//! The report of a run: one HTML file that needs nothing else, with the plots as inline SVG.

pub mod cascade;
mod chart;
mod figures;
pub mod format;
mod heat;
mod page;
mod plots;
pub mod terminal;

use plotters::drawing::DrawingAreaErrorKind;
use thiserror::Error;

use crate::record::Record;

/// A plot could not be drawn.
#[derive(Debug, Error)]
#[error("a plot could not be drawn: {0}")]
pub struct ReportError(String);

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for ReportError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self(error.to_string())
    }
}

/// The whole HTML page.
pub fn html(record: &Record) -> Result<String, ReportError> {
    page::page(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        profit::Profits,
        record::{Band, Beside, Check, Column, Limits, Line, Liquidation, Measures, Sample, Sold, Summary},
    };
    use std::path::Path;

    fn record() -> Record {
        let sample = |i: i64| Sample {
            unix: i * 3_600,
            price: 190.0 - i as f64,
            ema: 191.0 - i as f64,
            inventory: i as f64,
            discount: (i > 4).then_some(0.01),
            risk: (i != 2).then_some(Measures {
                proximity: (i < 9).then_some(0.1),
                depth_ratio: if i < 9 { 0.5 } else { f64::INFINITY },
                gearing: 0.01,
            }),
            ..Sample::default()
        };
        let line = |lowest: f64| Line {
            prices: vec![(0, 190.0), (36_000, lowest)],
            lowest,
            liquidated: 10.0,
            bad_debt: 5.0,
            supplier_loss: 4.0,
        };
        let one = 1_000_000i128 << 64;
        Record {
            name: "Bad & worse".to_owned(),
            about: "Down.".to_owned(),
            symbols: ("ETH".to_owned(), "USDC".to_owned()),
            seed: 7,
            samples: (0..12).map(sample).collect(),
            map: vec![Column {
                unix: 0,
                bands: vec![Band {
                    number: 100,
                    low: 150.0,
                    high: 153.3,
                    debt: 12_345.0,
                }],
            }],
            liquidations: vec![Liquidation {
                unix: 7_200,
                repaid: 1_000.0,
                seized: 6.0,
                worth: 1_020.0,
                whole: true,
            }],
            sales: vec![Sold {
                unix: 10_000,
                amount: 2.0,
                paid: 300.0,
                worth: 301.0,
            }],
            before: vec![0.7],
            at_lowest: vec![],
            after: vec![1.2],
            beside: Beside {
                depth: 8_000.0,
                with: line(80.0),
                without: line(2.5),
            },
            limits: Limits {
                target_ltv: 0.75,
                liquidation_ltv: 0.8,
                takeover_ltv: 0.95,
                max_discount: 0.05,
                hourly_flow: 100.0,
                burst: 600,
            },
            profits: Profits {
                suppliers: 3 * one,
                borrowers: -5 * one,
                backstop: one,
                keeper: 0,
                buyers: one,
            },
            quote_unit: 1e6,
            checks: vec![Check {
                claim: "a claim".to_owned(),
                measured: "1 < 2".to_owned(),
                holds: true,
            }],
            summary: Summary {
                accounts: 1,
                repaid: 1_234.5,
                seconds_at: [30, 60, 30],
                level_changes: 4,
                ..Summary::default()
            },
        }
    }

    #[test]
    fn the_page_has_every_plot_and_needs_no_network() {
        let html = html(&record()).expect("drawable");
        assert_eq!(html.matches("<svg").count(), 11);
        assert_eq!(html.matches("</svg>").count(), 11);
        for load in ["src=", "href=", "url(", "@import", "<script"] {
            assert!(!html.contains(load), "{load}");
        }
        assert!(html.contains("Bad &amp; worse") && html.contains("1 &lt; 2"));
        assert!(html.contains("1,234.50"));
        assert!(html.contains("without the backstop") && html.contains("2.50"));
        assert!(html.contains("above 0 to 200 USDC") && html.contains("10k to 20k USDC"));
        assert!(html.contains("Normal (25.0% of the time)") && html.contains("changed 4 times"));
    }

    #[test]
    fn the_table_ends_with_the_report() {
        let mut record = record();
        record.checks.push(Check {
            claim: "another".to_owned(),
            measured: "no".to_owned(),
            holds: false,
        });
        let table = terminal::table(&record, Path::new("target/demo/report.html"));
        assert!(table.ends_with("  ✓ a claim: 1 < 2\n  ✗ FAILS: another: no\n\n  Report: target/demo/report.html\n"));
        assert!(table.contains("  time Halted                                  25.0% \n"));
        assert!(table.contains("  lowest price without the backstop             2.50 USDC, 80.00 with it\n"));
        assert!(table.contains("    borrowers                                  -5.00 USDC\n"));
        assert!(!record.holds());
    }

    #[test]
    fn an_empty_run_can_be_drawn() {
        let mut record = record();
        record.samples.truncate(1);
        record.liquidations.clear();
        record.sales.clear();
        record.after.clear();
        record.map.clear();
        record.beside = Beside::default();
        assert_eq!(html(&record).expect("drawable").matches("<svg").count(), 11);
    }
}

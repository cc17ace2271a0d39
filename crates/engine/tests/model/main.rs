//! The engine's sizing, bounty and room against a model of them in whole numbers (`scripts/smt/model.py`), whose promises
//! `make smt` proves for every parameter set and every account. The examples are the model's, of corners of the parameters'
//! bounds and accounts at every threshold: so a change of the engine's numbers fails here, one of the model's there.

use breakwater_engine::{
    Bps, Collateral, Config, Error, Price, Quote,
    backstop::{BackstopPrices, Capacity},
    sizing::{self, Extent, Terms},
};
use std::collections::HashMap;

/// A line of a file of examples: its numbers by the names of the columns.
struct Row<'a>(HashMap<&'a str, &'a str>);

impl<'a> Row<'a> {
    fn all(file: &'a str) -> impl Iterator<Item = Self> {
        let mut lines = file.lines();
        let names: Vec<_> = lines.next().expect("a line of names").split(',').collect();
        lines.map(move |line| Self(names.iter().copied().zip(line.split(',')).collect()))
    }

    /// `None` where there is no number.
    fn find<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        let text = self.0.get(name).unwrap_or_else(|| panic!("no column {name}"));
        (!text.is_empty()).then(|| text.parse().unwrap_or_else(|_| panic!("{name}: {text}")))
    }

    fn get<T: std::str::FromStr>(&self, name: &str) -> T {
        self.find(name).unwrap_or_else(|| panic!("{name} is empty"))
    }

    fn config(&self) -> Config {
        Config {
            target_ltv: Bps(self.get("target_ltv")),
            liquidation_ltv: Bps(self.get("liquidation_ltv")),
            insolvency_ltv: Bps(self.get("insolvency_ltv")),
            penalty_min: Bps(self.get("penalty_min")),
            penalty_max: Bps(self.get("penalty_max")),
            min_debt: Quote(self.get("min_debt")),
            bounty_tip: Quote(self.get("bounty_tip")),
            bounty_share: Bps(self.get("bounty_share")),
            ..Config::EXAMPLE
        }
    }

    fn terms(&self) -> Terms {
        let extent = match self.0["extent"] {
            "Partial" => Extent::Partial,
            "Whole" => Extent::Whole,
            "Insolvent" => Extent::Insolvent,
            other => panic!("extent {other}"),
        };
        Terms {
            extent,
            repay: Quote(self.get("repay")),
            seize: Collateral(self.get("seize")),
            worth: Quote(self.get("worth")),
            penalty: Bps(self.get("penalty")),
            penalty_amount: Quote(self.get("penalty_amount")),
            deficit: Quote(self.get("deficit")),
        }
    }
}

#[test]
fn sizing_is_that_of_the_model() {
    let mut cuts = 0;
    for (number, row) in Row::all(include_str!("sizing.csv")).enumerate() {
        let line = number + 2;
        let (config, expected) = (row.config(), row.terms());
        let (debt, collateral) = (Quote(row.get("debt")), Collateral(row.get("collateral")));
        let price = Price::from_raw(row.get("price")).divisor().unwrap();
        let terms = sizing::terms(&config, debt, collateral, &price).unwrap();
        assert_eq!(terms, expected, "line {line}");
        assert_eq!(terms.bounty(&config), Ok(Quote(row.get("bounty"))), "line {line}");
        let value = price.value(collateral).unwrap();
        assert_eq!(sizing::penalty(&config, debt, value), Ok(terms.penalty), "line {line}");

        let room = Quote(row.get("room"));
        let cut = terms.within(&config, debt, collateral, &price, room, Error::BackstopFull);
        match row.find("cut_repay") {
            None => assert_eq!(cut, Err(Error::BackstopFull), "line {line}"),
            Some(repay) => {
                let cut = cut.unwrap();
                let seize = Collateral(row.get("cut_seize"));
                assert_eq!((cut.repay, cut.seize), (Quote(repay), seize), "line {line}");
                if let Some(bounty) = row.find("cut_bounty") {
                    let extent = Extent::Cut;
                    assert_eq!(
                        Terms { extent, ..cut }.bounty(&config),
                        Ok(Quote(bounty)),
                        "line {line}"
                    );
                    cuts += 1;
                }
            }
        }
    }
    assert!(cuts > 100, "{cuts} cuts");
}

#[test]
fn room_is_that_of_the_model() {
    for (number, row) in Row::all(include_str!("room.csv")).enumerate() {
        let config = Config {
            backstop_leverage: Bps(row.get("leverage")),
            inventory_cap: Collateral(row.get("cap")),
            ..Config::EXAMPLE
        };
        let capacity = Capacity {
            assets: Quote(row.get("assets")),
            liabilities: Quote(row.get("liabilities")),
            cash: Quote(row.get("cash")),
            inventory: Collateral(row.get("inventory")),
        };
        let prices = BackstopPrices {
            price: Price::from_raw(row.get("price")),
            stressed: Price::from_raw(row.get("stressed")),
        };
        let room = capacity.room(&config, &prices, Bps(row.get("penalty")));
        assert_eq!(room, Ok(Quote(row.get("room"))), "line {}", number + 2);
    }
}

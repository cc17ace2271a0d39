//! The engine's sizing and bounty against a model of them in whole numbers (`scripts/smt/model.py`), whose promises
//! `make smt` proves for every parameter set and every account. The examples are the model's, of corners of the
//! parameters' bounds and accounts at every threshold: so a change of the engine's numbers fails here, one of the
//! model's there.

mod cover;

use breakwater_engine::{
    Bps, Collateral, Config, Error, Price, Quote,
    account::sizing::{Demand, Extent, Rules, Terms, Values},
    price::guard::LiquidationPrices,
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
            takeover_ltv: Bps(self.get("takeover_ltv")),
            penalty: Bps(self.get("penalty")),
            takeover_penalty: Bps(self.get("takeover_penalty")),
            min_debt: Quote(self.get("min_debt")),
            bounty_tip: Quote(self.get("bounty_tip")),
            bounty_share: Bps(self.get("bounty_share")),
            bounty_cap: Quote(self.get("bounty_cap")),
            max_gap: Bps(self.get("max_gap")),
            ..Config::EXAMPLE
        }
    }

    /// The account's collateral is worth `value` at the price of settling.
    fn terms(&self, value: Quote) -> Terms {
        let extent = match self.0["extent"] {
            "Partial" => Extent::Partial,
            "Whole" => Extent::Whole,
            "TakeOver" => Extent::TakeOver,
            other => panic!("extent {other}"),
        };
        Terms {
            demand: Demand {
                extent,
                repay: Quote(self.get("repay")),
                penalty: Bps(self.get("took")),
                value,
            },
            seize: Collateral(self.get("seize")),
            worth: Quote(self.get("worth")),
            penalty_amount: Quote(self.get("penalty_amount")),
            deficit: Quote(self.get("deficit")),
        }
    }
}

#[test]
fn sizing_is_that_of_the_model() {
    let (mut cuts, mut apart, mut errors) = (0, 0, 0);
    for (number, row) in Row::all(include_str!("sizing.csv")).enumerate() {
        let line = number + 2;
        let config = row.config();
        let (debt, collateral) = (Quote(row.get("debt")), Collateral(row.get("collateral")));
        let [judged, settled] = ["judged", "settled"].map(|name| Price::from_raw(row.get(name)));
        let prices = LiquidationPrices { judged, settled };
        let rules = Rules::new(&config, config.liquidation_ltv, &prices);
        let values = Values {
            judged: judged.quote_floor(collateral).unwrap(),
            settled: settled.quote_floor(collateral).unwrap(),
        };
        let demand = Demand::of(&rules, debt, values);
        if !row.0["error"].is_empty() {
            assert_eq!(format!("{:?}", demand.unwrap_err()), row.0["error"], "line {line}");
            errors += 1;
            continue;
        }
        let demand = demand.unwrap();
        let divisor = settled.divisor().unwrap();
        let terms = demand.terms(&rules, collateral, &divisor).unwrap();
        assert_eq!(terms, row.terms(values.settled), "line {line}");
        assert_eq!(terms.bounty(&config), Quote(row.get("bounty")), "line {line}");
        assert_eq!(
            terms.shared_penalty(&config),
            Quote(row.get("shared_penalty")),
            "line {line}"
        );
        apart += usize::from(judged != settled);

        let cut = demand.within(&config, debt, Quote(row.get("limit")), Error::PipelineFull);
        match row.find("cut_repay") {
            None => assert_eq!(cut, Err(Error::PipelineFull), "line {line}"),
            Some(repay) => {
                let cut = cut.unwrap().terms(&rules, collateral, &divisor).unwrap();
                let seize = Collateral(row.get("cut_seize"));
                assert_eq!((cut.demand.repay, cut.seize), (Quote(repay), seize), "line {line}");
                assert_eq!(cut.bounty(&config), Quote(row.get("cut_bounty")), "line {line}");
                cuts += usize::from(cut.demand.repay < terms.demand.repay);
            }
        }
    }
    assert!(
        cuts > 50 && apart > 100 && errors > 20,
        "{cuts} cuts, {apart} at two prices, {errors} errors"
    );
}

//! The cascade curve against the laboratory, in a few cells: `make lab` does all of them.

use breakwater_lab::cascade::{
    Path, Setup,
    bound::{self, PACED},
    cell::Part,
    study::Plan,
};

/// Where the bound is not far from what does damage: a path, a depth.
const CELLS: [(&str, Part); 4] = [
    ("crash", Part(5_000)),
    ("october-2025", Part(10_000)),
    ("october-2025", Part(20_000)),
    ("wick", Part(20_000)),
];

fn ready(name: &str, depth: Part) -> (Setup, Path) {
    let mut setup = Plan::scenario(name).expect("known");
    setup.impact.depth = depth.value();
    let path = Path::of(&setup, None).expect("valid");
    (setup, path)
}

#[test]
fn the_critical_fall_is_never_above_what_does_damage() {
    let mut too_high = Vec::new();
    for (name, depth) in CELLS {
        let (setup, path) = ready(name, depth);
        let bounded = bound::bounded(0, depth, &setup, &path).expect("runs");
        let laboratory = bounded.laboratory.expect("keepers who dump do damage");
        assert!(bounded.excess() <= 0.0, "{name}: {bounded:?}");
        assert!(bounded.curve > 0.02, "{name}: {bounded:?}");
        // Told twice the depth that there is, the curve promises too much.
        let lied_to = bound::curve(&setup, &path, 2.0 * depth.value()).expect("valid");
        too_high.push(bound::critical(&lied_to) > laboratory);
    }
    assert_eq!(too_high, [false, true, true, true]);
}

#[test]
fn the_paced_curve_knows_whether_sales_push_the_price_by_a_half() {
    for (name, depth, collapses) in [
        ("crash", Part(10_000), true),
        ("crash", Part(20_000), false),
        ("wick", Part(10_000), true),
        ("wick", Part(50_000), false),
    ] {
        let (setup, path) = ready(name, depth);
        let paced = bound::paced(0, depth, &setup, &path)
            .expect("runs")
            .expect("has a pace");
        assert!(paced.line_agrees() && paced.along_agrees_in_all(), "{name}: {paced:?}");
        assert_eq!(paced.laboratory.own >= 0.5, collapses, "{name}: {paced:?}");
        // Told ten times the depth that there is, it sees no collapse.
        let pace = PACED.iter().find(|(title, _)| *title == setup.name).expect("has one").1;
        let lied_to = bound::curve(&setup, &path, 10.0 * depth.value()).expect("valid");
        assert!(bound::line(&lied_to, &path, pace).own < 0.5, "{name}");
    }
}

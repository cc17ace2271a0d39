//! A run of the laboratory and the compiled program agree to the atom, account by account.

use breakwater_lab::cascade::{Path, Setup, replay::replay};

fn setup(points: &str, more: &str) -> Setup {
    let text = format!(
        "name = 'replay'\nabout = 'a crash in a small market'\n[path]\nkind = 'trend'\nhours = 6\npoints = {points}\n\
         hourly_volatility = 0.01\n[borrowers]\ncount = 80\nlargest = 0.1\nattentive = 0.3\ndelay = 120.0\n{more}"
    );
    Setup::parse(&text).expect("valid")
}

fn compared(setup: &Setup) -> [usize; 5] {
    let path = Path::of(setup, None).expect("valid");
    let compared = replay(setup, &path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(compared.accounts, 80);
    assert!(compared.states > 100, "{compared:?}");
    compared.ops
}

#[test]
fn a_crash_that_the_cover_stands() {
    // Fast enough for the guards: steps, and pauses of the auction.
    let [repaid, added, batches, bought, settled] = compared(&setup(
        "[[1, 1.0], [1.2, 0.75], [3, 0.7]]",
        "[protocol]\nequity = 0.2\n",
    ));
    assert!(
        repaid > 0 && added > 0 && batches > 50 && bought > 50,
        "{repaid} {added} {batches} {bought}"
    );
    assert_eq!(settled, 0);
}

#[test]
fn a_crash_with_too_little_capital() {
    // Accounts wait for the pipeline, are taken over whole, and a deficit is settled.
    let more = "[protocol]\nequity = 0.005\n[protocol.parameters]\nflow_rate = 30000\nmarket_depth = 20000000000000\n\
                [impact]\ndepth = 0.2\n";
    let [_, _, batches, bought, settled] = compared(&setup("[[1, 1.0], [3, 0.4]]", more));
    assert!(batches > 0 && bought > 0 && settled > 0, "{batches} {bought} {settled}");
}

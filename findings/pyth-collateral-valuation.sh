#!/usr/bin/env bash
# pyth-sdk 0.8.0 (Rust): Price::get_collateral_valuation_price, the helper of Pyth made for lending protocols.
#
# Expected: a discount that goes from 100% at no deposits to 95% at `deposits_endpoint`, "deposits right endpoint", which
#   is said to be the "final" rate. So beyond it that stays; at no deposits and 100% the price is the oracle's.
# Happens: the line goes on past the endpoint. At ten times the endpoint collateral is worth half, at twenty times
#   nothing, beyond that less than nothing: a negative price, returned as Some. At 100% the price has lost its last
#   digits: 60000.12345678 is 60000.12300000, because all of this arithmetic keeps 8 digits. That is documented.
#   Of affine_combination, on which it is built, it says that it may extrapolate; of this function nothing.
# Matters: endpoints are set by hand and deposits grow. Everyone's collateral goes on losing value with every deposit,
#   and healthy loans become liquidatable by other people's deposits alone. Cap deposits at the endpoint yourself.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cd "$dir"
cat > Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
pyth-sdk = "=0.8.0"
TOML
cat > src/main.rs <<'RS'
use pyth_sdk::Price;

fn main() {
    println!("pyth-sdk 0.8.0; 60000.12345678 as collateral, 100% at no deposits to 95% at 1000");
    let price = Price { price: 6_000_012_345_678, conf: 300_000_000, expo: -8, publish_time: 0 };
    for (deposits, expected) in [
        (0, 6_000_012_300_000),
        (1_000, 5_700_011_685_000),
        (10_000, 3_000_006_150_000),
        (20_000, 0),
        (30_000, -3_000_006_150_000),
    ] {
        let valued = price.get_collateral_valuation_price(deposits, 1_000, 100, 95, -2).unwrap();
        println!("deposits {deposits:>6}: {:>15.8}", valued.price as f64 / 1e8);
        assert_eq!((valued.price, valued.expo), (expected, -8));
    }
}
RS
CARGO_TARGET_DIR="$dir/target" cargo run --quiet

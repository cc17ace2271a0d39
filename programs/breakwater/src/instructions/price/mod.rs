//! Showing the market its prices.

mod observe_price;

pub use observe_price::*;

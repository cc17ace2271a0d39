//! Numbers and nothing but numbers: token atoms and ratios, fixed point, shares, and the limit on a pace. Knows no
//! market. Only this room says `inline(always)`.

pub mod num;
pub(crate) mod rate_limiter;
pub(crate) mod shares;
pub mod units;

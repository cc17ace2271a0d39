//! Suppliers.

mod supply;
mod withdraw;

pub use supply::*;
pub use withdraw::*;

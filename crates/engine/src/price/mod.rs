//! One corridor from a price account's bytes to the prices that an action uses:
//!
//! ```text
//! RawReading ─ known ─ Reading ─ believed ─ spot, EMA ─ Guard::observe ─ level, guarded price ─ Prices
//! ```
//!
//! [`oracle`] says which readings count and what price they compose to, [`guard`] what that price is trusted for and
//! which price an action uses, [`volatility`] how much it moves. Knows no money.

pub mod guard;
pub mod oracle;
pub mod volatility;

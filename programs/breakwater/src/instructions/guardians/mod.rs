//! Guardians: who puts capital behind the backstop.

mod close_guardian_position;
mod guardian_deposit;
mod guardian_request;
mod guardian_withdraw;
mod open_guardian_position;

pub use close_guardian_position::*;
pub use guardian_deposit::*;
pub use guardian_request::*;
pub use guardian_withdraw::*;
pub use open_guardian_position::*;

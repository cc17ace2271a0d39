//! One file for each instruction: its accounts, with the error of each constraint, and its handler. In folders as the
//! engine has its actions.

mod backstop;
mod governance;
mod guardians;
mod liquidation;
mod margin;
mod pool;
mod price;

pub use backstop::*;
pub use governance::*;
pub use guardians::*;
pub use liquidation::*;
pub use margin::*;
pub use pool::*;
pub use price::*;

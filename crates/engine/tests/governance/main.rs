//! Limits, pauses and changes of a market, through its actions.

mod changes;
mod feeds;
mod limits;
mod pauses;
mod scene;

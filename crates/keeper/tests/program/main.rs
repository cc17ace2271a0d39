//! The whole keeper, round after round, on the compiled program.

mod cluster;
mod deficit;
mod guarded;
mod pipeline;
mod stage;

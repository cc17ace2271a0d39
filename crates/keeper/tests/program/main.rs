//! The whole keeper, round after round, on the compiled program.

mod cluster;
mod deficit;
mod deployment;
mod guarded;
mod pipeline;
mod posting;

//! Promises of the rules together, on random markets: no action is looked at alone. Each test says which promise it is,
//! and counts how often it was put to the test.

mod admission;
mod pipeline;
mod run;
mod scene;
mod suppliers;

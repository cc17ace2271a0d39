//! The command against a localnet that it started itself: a process, with JSON-RPC and WebSocket on free ports.

mod commands;
mod examples;
mod guardian;
mod net;
mod pyth;

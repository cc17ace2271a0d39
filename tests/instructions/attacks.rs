//! Attacks on the money, each played through on the compiled program, with what the attacker gains counted in atoms.
//! Attacks that belong to one instruction are in that instruction's file; `docs/attacks.md` lists all, and `table` sees
//! that it does.

mod calls;
mod compute;
mod figures;
mod griefing;
mod impairment;
mod inflation;
mod leaving;
mod prefunded;
mod prices;
mod sandwich;
mod starving;
mod table;

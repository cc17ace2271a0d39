//! `breakwater market list`.

use breakwater_client::decode;
use breakwater_engine::Level;
use clap::Args;
use serde::Serialize;

use super::{Result, level};
use crate::{
    chain::Chain,
    format::tokens,
    options::{Cluster, Output},
    snapshot,
};

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    output: Output,
}

/// One line of the list. Amounts in atoms.
#[derive(Serialize)]
struct Line {
    market: String,
    name: String,
    id: u16,
    collateral_mint: String,
    quote_mint: String,
    /// At the newest reading that the market accepted.
    level: &'static str,
    pool_cash: String,
    pool_debt: String,
    backstop_cash: String,
    backstop_inventory: String,
}

pub fn run(options: &Options) -> Result<()> {
    let chain = Chain::new(options.cluster.url());
    let found = chain.program_accounts(breakwater::state::Market::SPACE, None)?;
    let mut rows = Vec::new();
    let mut table = Vec::new();
    for (address, data) in found {
        // Another kind of account may have the same length.
        let Ok(market) = decode::market(&data) else { continue };
        let (pool, backstop) = (&market.books.pool, &market.books.backstop);
        let debt = pool.debt().map_err(|error| format!("{address}: {error:?}"))?;
        let row = Line {
            market: address.to_string(),
            name: snapshot::name(&market),
            id: market.id,
            collateral_mint: breakwater::state::address(market.collateral_mint).to_string(),
            quote_mint: breakwater::state::address(market.quote_mint).to_string(),
            level: level(Level::from_byte(market.guard.level)),
            pool_cash: pool.cash.0.to_string(),
            pool_debt: debt.0.to_string(),
            backstop_cash: backstop.cash.0.to_string(),
            backstop_inventory: backstop.inventory.0.to_string(),
        };
        table.push(format!(
            "{:<14} {address:<44}  {:<8} {:>18} {:>18} {:>18}",
            row.name,
            row.level,
            tokens(pool.cash.0, market.quote_decimals),
            tokens(debt.0, market.quote_decimals),
            tokens(backstop.cash.0, market.quote_decimals),
        ));
        rows.push(row);
    }
    rows.sort_by(|a, b| (&a.name, &a.market).cmp(&(&b.name, &b.market)));
    table.sort();
    if options.output.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    let heads = ["market", "address", "level", "pool cash", "pool debt", "backstop cash"];
    let [name, address, level, cash, debt, backstop] = heads;
    println!("{name:<14} {address:<44}  {level:<8} {cash:>18} {debt:>18} {backstop:>18}");
    for row in &table {
        println!("{row}");
    }
    if table.is_empty() {
        println!("no market here");
    }
    Ok(())
}

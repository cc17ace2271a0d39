//! The money identities, counted from the accounts themselves and judged by the engine's own audit.

use crate::{mint, world::World};
use anchor_lang::prelude::Pubkey;
use breakwater_client::{MarketKeys, decode};
use breakwater_engine::views::identities::{Identity, Totals, identities};
use std::collections::BTreeSet;

/// The accounts among which a world's markets have divided their money. A world learns them from the transactions
/// that it sends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holders {
    margin_accounts: BTreeSet<Pubkey>,
    keeper_ledgers: BTreeSet<Pubkey>,
    guardian_positions: BTreeSet<Pubkey>,
    lp_accounts: BTreeSet<Pubkey>,
}

impl World {
    /// Notes what a transaction has touched.
    pub(crate) fn learn(&mut self, touched: &[Pubkey]) {
        for address in touched {
            let Some(account) = self.account(address) else { continue };
            self.know(address);
            if account.owner == breakwater::ID {
                if decode::margin_account(&account.data).is_ok() {
                    self.holders().margin_accounts.insert(*address);
                } else if decode::keeper_ledger(&account.data).is_ok() {
                    self.holders().keeper_ledgers.insert(*address);
                } else if decode::guardian_position(&account.data).is_ok() {
                    self.holders().guardian_positions.insert(*address);
                }
            } else if account.owner == anchor_spl::token::ID && mint::mint_of(&account).is_some() {
                self.holders().lp_accounts.insert(*address);
            }
        }
    }

    /// Checks the identities of every market.
    ///
    /// # Panics
    /// If one does not hold.
    #[track_caller]
    pub fn assert_identities(&mut self) {
        for market in self.markets().to_vec() {
            let totals = self.totals(&market);
            let state = self.market_state(&market);
            let broken: Vec<Identity> = identities(&state, &totals)
                .into_iter()
                .filter(|(_, holds)| !holds)
                .map(|(name, _)| name)
                .collect();
            assert!(
                broken.is_empty(),
                "identities broken in market {}: {broken:?}\ncounted: {totals:#?}\nbooks: {:#?}",
                market.market,
                state.books
            );
        }
    }

    /// Counts a market's money over the accounts that this world knows.
    pub fn totals(&mut self, market: &MarketKeys) -> Totals {
        let mut totals = Totals {
            quote_vault: self.token_balance(&market.quote_vault),
            collateral_vault: self.token_balance(&market.collateral_vault),
            lp_mint_supply: self.supply_of(&market.lp_mint),
            ..Totals::default()
        };
        let Holders {
            margin_accounts,
            keeper_ledgers,
            guardian_positions,
            lp_accounts,
        } = self.holders().clone();
        // Accounts that were closed since are left out: they do not decode any more.
        for address in margin_accounts {
            let Some(account) = self.account(&address) else {
                continue;
            };
            let Ok(margin) = decode::margin_account(&account.data) else {
                continue;
            };
            if margin.market.0 == market.market.to_bytes() {
                totals.account_collateral += u128::from(margin.collateral.0);
                totals.account_debt_shares += u128::from(margin.debt_shares.0);
            }
        }
        for address in keeper_ledgers {
            let Some(account) = self.account(&address) else {
                continue;
            };
            let Ok(ledger) = decode::keeper_ledger(&account.data) else {
                continue;
            };
            if ledger.market.0 == market.market.to_bytes() {
                totals.keeper_credits += u128::from(ledger.credit.0);
            }
        }
        let epoch = self.market_state(market).books.guardians.epoch;
        for address in guardian_positions {
            let Some(account) = self.account(&address) else {
                continue;
            };
            let Ok(position) = decode::guardian_position(&account.data) else {
                continue;
            };
            if position.market.0 == market.market.to_bytes() {
                totals.guardian_shares += u128::from(position.in_epoch(epoch).shares.0);
            }
        }
        for address in lp_accounts {
            let Some(account) = self.account(&address) else {
                continue;
            };
            if mint::mint_of(&account) == Some(market.lp_mint) {
                totals.lp_held += u128::from(mint::balance(&account));
            }
        }
        totals
    }
}

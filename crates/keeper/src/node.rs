//! A node over JSON-RPC.

use std::{fmt, time::Duration};

use anchor_lang::{Discriminator, prelude::Pubkey};
use breakwater::state::MarginAccount;
use breakwater_engine::{self as engine, Collateral, DebtShares, Key, account::map::Place};
use serde_json::json;
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding, UiDataSliceConfig};
use solana_commitment_config::{CommitmentConfig, CommitmentLevel};
use solana_rpc_client::{
    api::{
        client_error::Error as ClientError,
        config::{
            RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSendTransactionConfig, RpcSimulateTransactionConfig,
        },
        filter::{Memcmp, RpcFilterType},
        request::RpcRequest,
        response::{OptionalContext, RpcKeyedAccount},
    },
    nonblocking::rpc_client::RpcClient,
};
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;

use crate::{
    chain::{Answer, At, Blockhash, Chain, Simulated, Status, Tables},
    index::Entry,
    prices::Account,
    rotation::Trouble,
    table,
};

/// Where a margin account keeps what the index needs: behind discriminator and three addresses.
const SLICE: UiDataSliceConfig = UiDataSliceConfig {
    offset: 8 + 3 * 32,
    length: 40,
};

/// Where an account of a VAA keeps its write authority: behind discriminator and status.
const VAA_AUTHORITY_OFFSET: usize = 9;

/// How much longer than other answers all accounts may take.
const BULK: u32 = 20;

/// A node by its URL.
pub struct Node {
    client: RpcClient,
    /// How long an answer may take.
    patience: Duration,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.client.url())
    }
}

impl Node {
    /// At a URL; answers that take longer than `patience` are too slow, but all accounts at once may take twenty times
    /// as long.
    #[must_use]
    pub fn new(url: &str, patience: Duration) -> Self {
        let commitment = CommitmentConfig::confirmed();
        let client = RpcClient::new_with_timeout_and_commitment(url.to_owned(), patience * BULK, commitment);
        Self { client, patience }
    }

    async fn within<T>(&self, patience: Duration, asked: impl Future<Output = Result<T, ClientError>>) -> Answer<T> {
        match tokio::time::timeout(patience, asked).await {
            Ok(answer) => answer.map_err(|error| Trouble::Failed(without_url(&error, &self.client.url()))),
            Err(_) => Err(Trouble::Slow),
        }
    }

    async fn ask<T>(&self, asked: impl Future<Output = Result<T, ClientError>>) -> Answer<T> {
        self.within(self.patience, asked).await
    }

    async fn program_accounts(
        &self,
        program: &Pubkey,
        config: RpcProgramAccountsConfig,
    ) -> Answer<At<Vec<(Pubkey, UiAccount)>>> {
        let parameters = json!([program.to_string(), config]);
        let sent = self.client.send(RpcRequest::GetProgramAccounts, parameters);
        let answer: OptionalContext<Vec<RpcKeyedAccount>> = self.within(self.patience * BULK, sent).await?;
        let OptionalContext::Context(answer) = answer else {
            return Err(Trouble::Wrong(
                "accounts without the slot that was asked for".to_owned(),
            ));
        };
        let accounts = answer.value.into_iter().map(|keyed| {
            let address = keyed
                .pubkey
                .parse()
                .map_err(|_| Trouble::Wrong(format!("the address {}", keyed.pubkey)))?;
            Ok((address, keyed.account))
        });
        Ok(At {
            slot: answer.context.slot,
            value: accounts.collect::<Answer<_>>()?,
        })
    }
}

/// Accounts that name this authority at an offset.
fn of_authority(offset: usize, authority: &Pubkey, data_slice: Option<UiDataSliceConfig>) -> RpcProgramAccountsConfig {
    let named = Memcmp::new_base58_encoded(offset, authority.as_ref());
    RpcProgramAccountsConfig {
        filters: Some(vec![RpcFilterType::Memcmp(named)]),
        account_config: RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            data_slice,
            commitment: Some(CommitmentConfig::confirmed()),
            min_context_slot: None,
        },
        with_context: Some(true),
        sort_results: None,
    }
}

/// A URL may hold the key of whoever pays for the node: it is no business of a log.
fn without_url(error: &ClientError, url: &str) -> String {
    error.to_string().replace(url.trim_end_matches('/'), "…")
}

fn read(account: &UiAccount) -> Answer<Vec<u8>> {
    account
        .data
        .decode()
        .ok_or_else(|| Trouble::Wrong("account data that are not base64".to_owned()))
}

/// Filters for the margin accounts of a market: by kind, size and market.
#[must_use]
pub fn margin_account_filters(market: &Key) -> Vec<RpcFilterType> {
    let market = [MarginAccount::DISCRIMINATOR, &market.0].concat();
    vec![
        RpcFilterType::DataSize(MarginAccount::SPACE as u64),
        RpcFilterType::Memcmp(Memcmp::new_base58_encoded(0, &market)),
    ]
}

/// An entry from the bytes of [`SLICE`].
fn entry(address: Pubkey, data: &[u8], seen: u64) -> Answer<Entry> {
    let words: [u64; 5] = bytemuck::try_pod_read_unaligned(data).map_err(|_| {
        Trouble::Wrong(format!(
            "{} bytes of a margin account, asked for {}",
            data.len(),
            SLICE.length
        ))
    })?;
    let [collateral, debt_shares, last_risk_slot, stepped_until, rest] = words;
    let [.., band_low, band_high, folds_low, folds_high] = rest.to_le_bytes();
    Ok(Entry {
        address: Key(address.to_bytes()),
        collateral: Collateral(collateral),
        debt_shares: DebtShares(debt_shares),
        last_risk_slot,
        stepped_until: stepped_until.cast_signed(),
        place: Place {
            band: i16::from_le_bytes([band_low, band_high]),
            folds: u16::from_le_bytes([folds_low, folds_high]),
        },
        seen,
    })
}

impl Chain for Node {
    async fn genesis(&self) -> Answer<String> {
        let hash = self.ask(self.client.get_genesis_hash()).await?;
        Ok(hash.to_string())
    }

    async fn accounts(&self, addresses: &[Pubkey]) -> Answer<At<Vec<Option<Account>>>> {
        let config = RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            ..RpcAccountInfoConfig::default()
        };
        let answer = self
            .ask(self.client.get_multiple_ui_accounts_with_config(addresses, config))
            .await?;
        if answer.value.len() != addresses.len() {
            return Err(Trouble::Wrong(format!(
                "{} accounts, asked for {}",
                answer.value.len(),
                addresses.len()
            )));
        }
        let accounts = answer.value.into_iter().map(|account| {
            let Some(account) = account else { return Ok(None) };
            Ok(Some(Account {
                owner: account
                    .owner
                    .parse()
                    .map_err(|_| Trouble::Wrong(format!("the owner {}", account.owner)))?,
                data: read(&account)?,
                lamports: account.lamports,
            }))
        });
        Ok(At {
            slot: answer.context.slot,
            value: accounts.collect::<Answer<_>>()?,
        })
    }

    async fn margin_accounts(&self, market: &Key) -> Answer<At<Vec<Entry>>> {
        let config = RpcProgramAccountsConfig {
            filters: Some(margin_account_filters(market)),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                data_slice: Some(SLICE),
                commitment: Some(CommitmentConfig::confirmed()),
                min_context_slot: None,
            },
            with_context: Some(true),
            sort_results: Some(false),
        };
        let At { slot, value } = self.program_accounts(&breakwater::ID, config).await?;
        let entries = value
            .iter()
            .map(|(address, account)| entry(*address, &read(account)?, slot));
        Ok(At {
            slot,
            value: entries.collect::<Answer<_>>()?,
        })
    }

    async fn lookup_tables(&self, authority: &Pubkey) -> Answer<At<Tables>> {
        let config = of_authority(table::AUTHORITY_OFFSET, authority, None);
        let At { slot, value } = self.program_accounts(&table::PROGRAM, config).await?;
        let tables = value.iter().map(|(address, account)| Ok((*address, read(account)?)));
        Ok(At {
            slot,
            value: tables.collect::<Answer<_>>()?,
        })
    }

    async fn encoded_vaas(&self, bridge: &Pubkey, authority: &Pubkey) -> Answer<Vec<Pubkey>> {
        let nothing = UiDataSliceConfig { offset: 0, length: 0 };
        let config = of_authority(VAA_AUTHORITY_OFFSET, authority, Some(nothing));
        let At { value, .. } = self.program_accounts(bridge, config).await?;
        Ok(value.into_iter().map(|(address, _)| address).collect())
    }

    async fn rent(&self, bytes: usize) -> Answer<u64> {
        self.ask(self.client.get_minimum_balance_for_rent_exemption(bytes))
            .await
    }

    async fn recent_fees(&self, account: &Pubkey) -> Answer<Vec<u64>> {
        let fees = self
            .ask(self.client.get_recent_prioritization_fees(&[*account]))
            .await?;
        Ok(fees.into_iter().map(|fee| fee.prioritization_fee).collect())
    }

    async fn blockhash(&self) -> Answer<Blockhash> {
        let asked = self
            .client
            .get_latest_blockhash_with_commitment(CommitmentConfig::confirmed());
        let (hash, last_valid) = self.ask(asked).await?;
        Ok(Blockhash { hash, last_valid })
    }

    async fn block_height(&self) -> Answer<u64> {
        self.ask(self.client.get_block_height()).await
    }

    async fn simulate(&self, transaction: &VersionedTransaction) -> Answer<Simulated> {
        let config = RpcSimulateTransactionConfig {
            commitment: Some(CommitmentConfig::confirmed()),
            ..RpcSimulateTransactionConfig::default()
        };
        let answer = self
            .ask(self.client.simulate_transaction_with_config(transaction, config))
            .await?
            .value;
        Ok(Simulated {
            error: answer.err.map(|error| format!("{error:?}")),
            logs: answer.logs.unwrap_or_default(),
            units: answer.units_consumed.unwrap_or(0),
        })
    }

    async fn send(&self, transaction: &VersionedTransaction) -> Answer<()> {
        let config = RpcSendTransactionConfig {
            // It was simulated.
            skip_preflight: true,
            preflight_commitment: Some(CommitmentLevel::Confirmed),
            // The keeper repeats it itself, until it is confirmed or expires.
            max_retries: Some(0),
            ..RpcSendTransactionConfig::default()
        };
        let sent = self
            .ask(self.client.send_transaction_with_config(transaction, config))
            .await?;
        if Some(&sent) == transaction.signatures.first() {
            Ok(())
        } else {
            Err(Trouble::Wrong(
                "it took another transaction than the one it was given".to_owned(),
            ))
        }
    }

    async fn statuses(&self, signatures: &[Signature]) -> Answer<Vec<Status>> {
        let answer = self.ask(self.client.get_signature_statuses(signatures)).await?.value;
        if answer.len() != signatures.len() {
            return Err(Trouble::Wrong(format!(
                "{} statuses, asked for {}",
                answer.len(),
                signatures.len()
            )));
        }
        let commitment = CommitmentConfig::confirmed();
        let statuses = answer.into_iter().map(|status| match status {
            Some(status) if status.satisfies_commitment(commitment) => match status.err {
                Some(error) => Status::Failed(format!("{error:?}")),
                None => Status::Done,
            },
            _ => Status::Unknown,
        });
        Ok(statuses.collect())
    }
}

/// A margin account from a notification: its whole data.
///
/// # Errors
/// [`Trouble::Wrong`] if it is none.
pub fn entry_of(address: Pubkey, account: &UiAccount, seen: u64) -> Answer<Entry> {
    let data = read(account)?;
    let key = Key(address.to_bytes());
    if data.is_empty() {
        // Closed.
        let gone: engine::MarginAccount = bytemuck::Zeroable::zeroed();
        return Ok(Entry::new(key, &gone, seen));
    }
    let account =
        breakwater_client::decode::margin_account(&data).map_err(|error| Trouble::Wrong(error.to_string()))?;
    Ok(Entry::new(key, &account, seen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    #[test]
    fn the_slice_holds_what_the_index_needs() {
        let mut account = engine::MarginAccount::zeroed();
        account.market = Key([1; 32]);
        account.collateral = Collateral(2);
        account.debt_shares = DebtShares(3);
        account.last_risk_slot = 4;
        account.stepped_until = -5;
        account.id = 6;
        let data = [MarginAccount::DISCRIMINATOR, bytemuck::bytes_of(&account)].concat();
        let address = Pubkey::new_from_array([9; 32]);
        let slice = &data[SLICE.offset..SLICE.offset + SLICE.length];
        assert_eq!(entry(address, slice, 7), Ok(Entry::new(Key([9; 32]), &account, 7)));
        assert!(matches!(entry(address, &data, 7), Err(Trouble::Wrong(_))));
        assert_eq!(data.len(), MarginAccount::SPACE);
    }
}

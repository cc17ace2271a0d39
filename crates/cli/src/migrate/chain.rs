//! What is on the chain, and what is sent to it.

use anchor_lang::{
    AccountDeserialize,
    prelude::{ProgramData, Pubkey},
    solana_program::instruction::Instruction,
};
use anchor_spl::{token, token_2022, token_interface::Mint};
use breakwater::state::Protocol;
use breakwater_client::{addresses, decode};
use breakwater_engine as engine;
use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_rpc_client::rpc_client::RpcClient;
use solana_signer::Signer;
use solana_transaction::Transaction;

/// A cluster, and the key that signs and pays.
pub struct Chain {
    client: RpcClient,
    signer: Keypair,
}

type Result<T> = std::result::Result<T, String>;

impl Chain {
    /// Asks nothing yet.
    pub fn new(url: &str, signer: Keypair) -> Self {
        let client = RpcClient::new_with_commitment(url.to_owned(), CommitmentConfig::confirmed());
        Self { client, signer }
    }

    /// Who signs.
    pub fn signer(&self) -> Pubkey {
        self.signer.pubkey()
    }

    /// An account's owner and data.
    fn account(&self, address: &Pubkey) -> Result<Option<(Pubkey, Vec<u8>)>> {
        let answer = self
            .client
            .get_account_with_commitment(address, CommitmentConfig::confirmed())
            .map_err(|error| format!("cannot read {address}: {error}"))?;
        Ok(answer.value.map(|account| (account.owner, account.data)))
    }

    /// Who may upgrade the program.
    pub fn upgrade_authority(&self) -> Result<Option<Pubkey>> {
        let (_, data) = self
            .account(&addresses::program_data())?
            .ok_or_else(|| format!("the program {} is not deployed here", breakwater::ID))?;
        let program = ProgramData::try_deserialize(&mut data.as_slice())
            .map_err(|error| format!("the program's data cannot be read: {error}"))?;
        Ok(program.upgrade_authority_address)
    }

    /// The protocol's account.
    pub fn protocol(&self) -> Result<Option<Protocol>> {
        let Some((_, data)) = self.account(&addresses::protocol())? else {
            return Ok(None);
        };
        let protocol = Protocol::try_deserialize(&mut data.as_slice());
        protocol
            .map(Some)
            .map_err(|error| format!("the protocol's account cannot be read: {error}"))
    }

    /// A mint's token program and decimals.
    pub fn mint(&self, address: &Pubkey) -> Result<(Pubkey, u8)> {
        let (owner, data) = self
            .account(address)?
            .ok_or_else(|| format!("there is no mint {address} here"))?;
        if ![token::ID, token_2022::ID].contains(&owner) {
            return Err(format!("{address} is no mint: its owner is {owner}"));
        }
        let mint =
            Mint::try_deserialize(&mut data.as_slice()).map_err(|error| format!("{address} is no mint: {error}"))?;
        Ok((owner, mint.decimals))
    }

    /// A market.
    pub fn market(&self, address: &Pubkey) -> Result<Option<engine::Market>> {
        let Some((_, data)) = self.account(address)? else {
            return Ok(None);
        };
        decode::market(&data)
            .map(Some)
            .map_err(|error| format!("{address}: {error}"))
    }

    /// Sends one instruction and waits until it is confirmed.
    pub fn send(&self, instruction: Instruction) -> Result<()> {
        let blockhash = self.client.get_latest_blockhash().map_err(|error| error.to_string())?;
        let payer = self.signer.pubkey();
        let transaction = Transaction::new_signed_with_payer(&[instruction], Some(&payer), &[&self.signer], blockhash);
        let sent = self.client.send_and_confirm_transaction(&transaction);
        sent.map(|_| ()).map_err(|error| error.to_string())
    }
}

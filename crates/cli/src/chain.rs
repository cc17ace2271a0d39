//! Reads the chain, and sends to it.

use anchor_lang::{
    AccountDeserialize,
    prelude::{ProgramData, Pubkey, pubkey},
    solana_program::instruction::Instruction,
};
use anchor_spl::{token, token_2022, token_interface::Mint};
use base64::{Engine, prelude::BASE64_STANDARD};
use breakwater::state::Protocol;
use breakwater_client::{addresses, budget, decode, pyth::TRANSACTION_BYTES};
use breakwater_engine::{self as engine, Clock};
use serde_json::{Value, json};
use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::request::RpcRequest;
use solana_signer::Signer;
use solana_transaction::Transaction;

use crate::idl::Idl;

pub type Result<T> = std::result::Result<T, String>;

/// An account's owner and data.
pub type Account = (Pubkey, Vec<u8>);

/// The account of the chain's clock.
pub const CLOCK: Pubkey = pubkey!("SysvarC1ock11111111111111111111111111111111");
/// Accounts that one request may name.
const PER_REQUEST: usize = 100;

/// A cluster, to be read.
pub struct Chain {
    client: RpcClient,
}

/// A cluster, and the key that signs and pays.
pub struct Wallet {
    chain: Chain,
    signer: Keypair,
    /// Priority fee, millionths of a lamport for each compute unit.
    micro_lamports: u64,
}

impl Chain {
    /// Asks nothing yet.
    pub fn new(url: &str) -> Self {
        let client = RpcClient::new_with_commitment(url.to_owned(), CommitmentConfig::confirmed());
        Self { client }
    }

    /// A request by its name, for what has no method here.
    pub fn request(&self, method: &'static str, parameters: Value) -> Result<Value> {
        self.client
            .send(RpcRequest::Custom { method }, parameters)
            .map_err(|error| format!("{method}: {error}"))
    }

    /// One account.
    pub fn account(&self, address: &Pubkey) -> Result<Option<Account>> {
        let mut found = self.accounts(std::slice::from_ref(address))?;
        Ok(found.pop().flatten())
    }

    /// Many accounts, those of one request as they were in one slot.
    pub fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<Account>>> {
        let mut found = Vec::with_capacity(addresses.len());
        for part in addresses.chunks(PER_REQUEST) {
            let accounts = self
                .client
                .get_multiple_accounts(part)
                .map_err(|error| format!("cannot read accounts: {error}"))?;
            let read = accounts
                .into_iter()
                .map(|account| account.map(|account| (account.owner, account.data)));
            found.extend(read);
        }
        Ok(found)
    }

    /// The program's accounts of so many bytes in which, if given, the bytes at an offset are an address.
    pub fn program_accounts(&self, bytes: usize, naming: Option<(usize, Pubkey)>) -> Result<Vec<(Pubkey, Vec<u8>)>> {
        let mut filters = vec![json!({ "dataSize": bytes })];
        if let Some((offset, address)) = naming {
            filters.push(json!({ "memcmp": { "offset": offset, "bytes": address.to_string() } }));
        }
        let options = json!({ "encoding": "base64", "commitment": "confirmed", "filters": filters });
        let answer = self.request("getProgramAccounts", json!([breakwater::ID.to_string(), options]))?;
        let read = |entry: &Value| -> Option<(Pubkey, Vec<u8>)> {
            let address = entry["pubkey"].as_str()?.parse().ok()?;
            let data = BASE64_STANDARD.decode(entry["account"]["data"][0].as_str()?).ok()?;
            Some((address, data))
        };
        let entries = answer.as_array().map(Vec::as_slice).unwrap_or_default();
        entries
            .iter()
            .map(|entry| read(entry).ok_or_else(|| format!("getProgramAccounts: {entry} is no account")))
            .collect()
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

    /// Least balance of an account of so many bytes, lamports.
    pub fn rent(&self, bytes: usize) -> Result<u64> {
        let asked = self.client.get_minimum_balance_for_rent_exemption(bytes);
        asked.map_err(|error| format!("cannot read the rent: {error}"))
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
}

/// The clock in its sysvar's account: slot, start of the epoch, epoch, epoch of the next schedule, time; 8 bytes each.
pub fn read_clock(account: Option<&Account>) -> Result<Clock> {
    let word = |index: usize| -> Option<[u8; 8]> { account?.1.get(index * 8..)?.first_chunk().copied() };
    let (slot, unix) = word(0).zip(word(4)).ok_or("the cluster shows no clock")?;
    Ok(Clock {
        unix: i64::from_le_bytes(unix),
        slot: u64::from_le_bytes(slot),
    })
}

impl Wallet {
    /// Asks nothing yet.
    pub fn new(url: &str, signer: Keypair) -> Self {
        Self {
            chain: Chain::new(url),
            signer,
            micro_lamports: 0,
        }
    }

    /// The same, paying a priority fee in millionths of a lamport for each compute unit.
    pub fn paying(self, micro_lamports: u64) -> Self {
        Self { micro_lamports, ..self }
    }

    /// The cluster.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Who signs.
    pub fn signer(&self) -> Pubkey {
        self.signer.pubkey()
    }

    /// Sends one instruction and waits until it is confirmed.
    pub fn send(&self, instruction: Instruction) -> Result<()> {
        self.send_all(&[instruction], &[]).map(|_| ())
    }

    /// Sends one transaction that those of `others` sign as well whom it names as signers, with the compute budget of
    /// its instructions if all have one, and waits until it is confirmed. Returns its signature.
    pub fn send_all(&self, instructions: &[Instruction], others: &[&Keypair]) -> Result<String> {
        let fee = self.micro_lamports;
        let price = (fee > 0).then(|| budget::price(fee));
        let mut all: Vec<Instruction> = match budget::budget(instructions, fee) {
            Some(all) => all.into(),
            None => price.into_iter().collect(),
        };
        all.extend_from_slice(instructions);
        self.send_signed(&all, others)
    }

    /// Sends instructions with their own compute budget among them, and waits until they are confirmed. Returns the
    /// transaction's signature.
    pub fn send_with_budget(&self, instructions: &[Instruction]) -> Result<String> {
        self.send_signed(instructions, &[])
    }

    /// Lamports of who pays.
    pub fn balance(&self) -> Result<u64> {
        let asked = self.chain.client.get_balance(&self.signer());
        asked.map_err(|error| format!("cannot read the balance: {error}"))
    }

    fn send_signed(&self, instructions: &[Instruction], others: &[&Keypair]) -> Result<String> {
        let client = &self.chain.client;
        let blockhash = client.get_latest_blockhash().map_err(|error| error.to_string())?;
        let payer = self.signer.pubkey();
        let mut signers = vec![&self.signer];
        let named = |key: &Pubkey| {
            let mut metas = instructions.iter().flat_map(|instruction| &instruction.accounts);
            metas.any(|meta| meta.is_signer && meta.pubkey == *key)
        };
        signers.extend(others.iter().filter(|other| named(&other.pubkey())));
        let transaction = Transaction::new_signed_with_payer(instructions, Some(&payer), &signers, blockhash);
        let bytes = 1 + 64 * transaction.signatures.len() + transaction.message.serialize().len();
        if bytes > TRANSACTION_BYTES {
            return Err(format!(
                "a transaction of {bytes} bytes cannot be sent: {TRANSACTION_BYTES} is the most"
            ));
        }
        let sent = client.send_and_confirm_transaction(&transaction);
        sent.map(|signature| signature.to_string())
            .map_err(|error| Idl::embedded().explain(&error.to_string()))
    }
}

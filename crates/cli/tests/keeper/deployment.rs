//! A market with many accounts on a local validator (Surfpool). It is made in LiteSVM through real instructions, and
//! copied.

use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anchor_lang::prelude::Pubkey;
use breakwater::events::{AccountsLiquidated, Liquidated};
use breakwater_client::{MarketKeys, addresses, decode, logs};
use breakwater_engine::{Bps, Clock, Config, KeeperLedger, MarginAccount, Market, Price};
use breakwater_testkit::{
    Account, Actor, MarketSpec, START_SLOT, World, default_config, ix,
    program_file::{breakwater_program, upgradeable_program},
    pyth::{PullUpdate, Quotation, feed_id_for, usd},
};
use serde_json::{Value, json};
use solana_keypair::{Keypair, write_keypair_file};
use solana_rpc_client::{api::request::RpcRequest, rpc_client::RpcClient};
use solana_signer::Signer;
use solana_transaction::Transaction;
use surfpool_sdk::{BlockProductionMode, Surfnet, cheatcodes::builders::SetAccount};

const USDC: u64 = 1_000_000;
const SOL: u64 = 1_000_000_000;

/// The validator and what is on it.
pub struct Deployment {
    pub net: Surfnet,
    /// Where keepers are told that its WebSocket is.
    pub socket: String,
    runtime: tokio::runtime::Runtime,
    pub keys: MarketKeys,
    feed: PullUpdate,
    quote_feed: PullUpdate,
    /// Who may borrow more: the owner of the first account.
    borrower: Actor,
    /// Margin accounts, with what they were before the crash.
    pub accounts: Vec<(Pubkey, MarginAccount)>,
}

/// Interest stands still, so that debts can be compared to the atom, and prices stay young.
fn config() -> Config {
    Config {
        interest_base: Bps(0),
        interest_slope_low: Bps(0),
        interest_slope_high: Bps(0),
        max_age_short: 3_600,
        max_age_long: 3_600,
        ..default_config()
    }
}

pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

impl Deployment {
    /// `count` accounts of 10 SOL at $100, with debts of 560 to 690 USDC.
    pub fn build(count: u64) -> Self {
        let mut world = World::lite();
        world.check_identities(false);
        world.set_clock(now(), START_SLOT);
        let spec = MarketSpec {
            config: config(),
            ..MarketSpec::default()
        };
        let keys = world.market(&spec);
        let lena = world.trader(&keys, "lena", 0, 10_000_000 * USDC);
        world.supply(&keys, &lena, 5_000_000 * USDC).unwrap();
        world.fund_backstop(&keys, &lena, 1_000_000 * USDC).unwrap();
        let mut positions = Vec::new();
        let borrower = Actor::new("owner 0");
        for number in 0..count {
            let owner = world.trader(&keys, &format!("owner {number}"), 10 * SOL, 0);
            let position = world.open(&keys, &owner, 0).unwrap();
            world.deposit(&position, 10 * SOL).unwrap();
            world.borrow(&position, (560 + number * 130 / count) * USDC).unwrap();
            positions.push(position.address);
        }
        world.next_slot();

        let runtime = tokio::runtime::Runtime::new().unwrap();
        // Blocks as on a real cluster, with or without transactions.
        let blocks = Surfnet::builder()
            .offline(true)
            .block_production_mode(BlockProductionMode::Clock)
            .slot_time_ms(400);
        let net = runtime.block_on(blocks.start()).unwrap();
        let [feed, quote_feed] = [("SOL/USD", 100), ("USDC/USD", 1)].map(|(symbol, dollars)| {
            let quotation = Quotation::settled(usd(dollars), -8, 0, now());
            PullUpdate::verified(feed_id_for(symbol), quotation, 1)
        });
        let mut deployment = Self {
            socket: net.ws_url().to_owned(),
            net,
            runtime,
            keys,
            feed,
            quote_feed,
            borrower,
            accounts: Vec::new(),
        };
        for (address, account) in upgradeable_program(&breakwater::ID, &Pubkey::default(), &breakwater_program()) {
            deployment.write(&address, account);
        }
        let fixed = [
            addresses::protocol(),
            keys.market,
            keys.collateral_mint,
            keys.quote_mint,
            keys.lp_mint,
            keys.collateral_vault,
            keys.quote_vault,
            keys.collateral_feed,
            keys.quote_feed,
            deployment.borrower.key(),
            keys.quote_of(&deployment.borrower.key()),
        ];
        for address in fixed.iter().chain(&positions) {
            deployment.write(address, world.account(address).unwrap());
        }
        deployment.accounts = positions
            .iter()
            .map(|address| (*address, deployment.margin_account(address)))
            .collect();
        deployment
    }

    pub fn write(&self, address: &Pubkey, account: Account) {
        let _guard = self.runtime.enter();
        let set = SetAccount::new(*address)
            .lamports(account.lamports)
            .data(account.data)
            .owner(account.owner)
            .executable(account.executable);
        self.net.cheatcodes().execute(set).unwrap();
    }

    /// A keypair with lamports for fees and rent, and its file.
    pub fn keeper(&self, number: u8) -> (Pubkey, PathBuf) {
        let keypair = Keypair::new_from_array([number; 32]);
        let wallet = Account {
            lamports: 10 * SOL,
            ..Account::default()
        };
        self.write(&keypair.pubkey(), wallet);
        let file =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("keeper {number} of {}.json", std::process::id()));
        write_keypair_file(&keypair, &file).unwrap();
        (keypair.pubkey(), file)
    }

    /// SOL now costs this.
    pub fn set_price(&mut self, dollars: i64) {
        // Both at once: readings too far apart are no price, and then the market goes on at the last that were not.
        self.feed.quotation = Quotation::settled(usd(dollars), -8, 0, now());
        self.quote_feed.quotation = Quotation::settled(usd(1), -8, 0, now());
        self.write(&self.keys.quote_feed, self.quote_feed.account());
        self.write(&self.keys.collateral_feed, self.feed.account());
    }

    /// Somebody borrows so many USDC more, by a transaction of his own; it is not waited for.
    pub fn borrow(&self, dollars: u64) {
        let (client, owner) = (self.client(), &self.borrower);
        let borrow = ix::borrow(&self.keys, &self.accounts[0].0, &owner.key(), dollars * USDC);
        let blockhash = client.get_latest_blockhash().unwrap();
        let transaction =
            Transaction::new_signed_with_payer(&[borrow], Some(&owner.key()), &[owner.keypair()], blockhash);
        client.send_transaction(&transaction).unwrap();
    }

    /// The data of the collateral's price account.
    pub fn feed_data(&self) -> Vec<u8> {
        self.feed.data()
    }

    fn client(&self) -> RpcClient {
        self.net.rpc_client()
    }

    pub fn account(&self, address: &Pubkey) -> Option<Account> {
        let client = self.client();
        client
            .get_account_with_commitment(address, client.commitment())
            .unwrap()
            .value
    }

    pub fn market(&self) -> Market {
        decode::market(&self.account(&self.keys.market).unwrap().data).unwrap()
    }

    pub fn margin_account(&self, address: &Pubkey) -> MarginAccount {
        decode::margin_account(&self.account(address).unwrap().data).unwrap()
    }

    pub fn ledger(&self, keeper: &Pubkey) -> Option<KeeperLedger> {
        let account = self.account(&addresses::keeper_ledger(&self.keys.market, keeper))?;
        (!account.data.is_empty()).then(|| decode::keeper_ledger(&account.data).unwrap())
    }

    /// All margin accounts as they are now, in their order.
    pub fn margin_accounts(&self) -> Vec<MarginAccount> {
        let addresses: Vec<Pubkey> = self.accounts.iter().map(|(address, _)| *address).collect();
        let mut all = Vec::new();
        for some in addresses.chunks(100) {
            let accounts = self.client().get_multiple_accounts(some).unwrap();
            all.extend(
                accounts
                    .into_iter()
                    .map(|account| decode::margin_account(&account.unwrap().data).unwrap()),
            );
        }
        all
    }

    /// Number of accounts above their liquidation LTV at a price, by the engine.
    pub fn liquidatable(&self, dollars: i64) -> usize {
        let market = self.market();
        // Quote atoms (10^-6) for a collateral atom (10^-9).
        let price = Price::from_raw((u128::from(dollars.unsigned_abs()) << 64) / 1_000);
        let clock = Clock { unix: now(), slot: 1 };
        let accounts = self.margin_accounts();
        accounts
            .iter()
            .filter(|account| market.is_liquidatable(account, price, clock).unwrap())
            .count()
    }

    /// Every transaction that names an address, as the validator tells of it.
    fn transactions(&self, address: &Pubkey) -> Vec<Value> {
        let client = self.client();
        let list = json!([address.to_string(), { "limit": 1_000, "commitment": "confirmed" }]);
        let signatures: Vec<Value> = client.send(RpcRequest::GetSignaturesForAddress, list).unwrap();
        let config = json!({ "encoding": "json", "commitment": "confirmed", "maxSupportedTransactionVersion": 0 });
        let get = |signature: &Value| {
            client
                .send(RpcRequest::GetTransaction, json!([signature["signature"], config]))
                .unwrap()
        };
        signatures.iter().map(get).collect()
    }

    /// Every liquidation, by the events of all transactions of this keeper, and how many of these used a lookup table.
    pub fn liquidations(&self, keeper: &Pubkey) -> (Vec<Liquidated>, usize) {
        let mut all = Vec::new();
        let mut with_table = 0;
        for transaction in self.transactions(keeper) {
            let lines: Vec<String> = serde_json::from_value(transaction["meta"]["logMessages"].clone()).unwrap();
            let events = logs::events::<AccountsLiquidated>(&lines);
            let lookups = transaction["transaction"]["message"]["addressTableLookups"].as_array();
            if !events.is_empty() && lookups.is_some_and(|lookups| !lookups.is_empty()) {
                with_table += 1;
            }
            all.extend(events.into_iter().flat_map(|event| event.liquidated));
        }
        (all, with_table)
    }
}

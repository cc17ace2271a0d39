use super::*;
use crate::{
    chain::{At, Blockhash, Simulated, Status, Tables},
    index::Entry,
    prices::Account,
};
use breakwater_engine::Key;
use solana_signature::Signature;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A node with this genesis hash; `None` is dead. Counts what it was sent.
#[derive(Default)]
struct Fake {
    genesis: Option<&'static str>,
    takes: bool,
    sent: AtomicUsize,
}

fn dead<T>() -> Answer<T> {
    Err(Trouble::Failed("connection refused".to_owned()))
}

impl Chain for Fake {
    async fn genesis(&self) -> Answer<String> {
        self.genesis.map_or_else(dead, |genesis| Ok(genesis.to_owned()))
    }
    async fn accounts(&self, _: &[Pubkey]) -> Answer<At<Vec<Option<Account>>>> {
        dead()
    }
    async fn margin_accounts(&self, _: &Key) -> Answer<At<Vec<Entry>>> {
        dead()
    }
    async fn lookup_tables(&self, _: &Pubkey) -> Answer<At<Tables>> {
        dead()
    }
    async fn encoded_vaas(&self, _: &Pubkey, _: &Pubkey) -> Answer<Vec<Pubkey>> {
        dead()
    }

    async fn rent(&self, _: usize) -> Answer<u64> {
        dead()
    }

    async fn recent_fees(&self, _: &Pubkey) -> Answer<Vec<u64>> {
        dead()
    }
    async fn blockhash(&self) -> Answer<Blockhash> {
        dead()
    }
    async fn block_height(&self) -> Answer<u64> {
        dead()
    }
    async fn simulate(&self, _: &VersionedTransaction) -> Answer<Simulated> {
        dead()
    }
    async fn send(&self, _: &VersionedTransaction) -> Answer<()> {
        self.sent.fetch_add(1, Relaxed);
        if self.takes { Ok(()) } else { dead() }
    }
    async fn statuses(&self, _: &[Signature]) -> Answer<Vec<Status>> {
        dead()
    }
}

fn rpc_pool(nodes: Vec<Fake>, genesis: Option<&str>) -> RpcPool<Fake> {
    let named = nodes
        .into_iter()
        .enumerate()
        .map(|(number, node)| (format!("node {number}"), node))
        .collect();
    RpcPool::new(named, 1_000_000, genesis.map(str::to_owned), Arc::default())
}

fn fake(genesis: Option<&'static str>) -> Fake {
    Fake {
        genesis,
        takes: true,
        ..Fake::default()
    }
}

/// Until everybody has answered: on one thread, each yield lets them.
async fn check_health(rpc_pool: &mut RpcPool<Fake>) {
    for _ in 0..4 {
        rpc_pool.check_health().await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_dead_and_those_of_other_clusters_are_passed_over() {
    let mut rpc_pool = rpc_pool(vec![fake(None), fake(Some("other")), fake(Some("ours"))], Some("ours"));
    assert_eq!(rpc_pool.reader().await, Ok(2));
    rpc_pool.send(&VersionedTransaction::default()).await.unwrap();
    let sent = |node: usize| rpc_pool.node(node).sent.load(Relaxed);
    assert_eq!([sent(0), sent(1), sent(2)], [0, 0, 1], "only to those that are known");
    let good = rpc_pool.watch();
    assert_eq!([good(0), good(1), good(2)], [false, false, true]);
}

#[tokio::test]
async fn without_a_genesis_hash_the_first_to_answer_decides() {
    let mut rpc_pool = rpc_pool(vec![fake(None), fake(Some("first")), fake(Some("second"))], None);
    assert_eq!(rpc_pool.reader().await, Ok(1));
    check_health(&mut rpc_pool).await;
    assert!(!rpc_pool.watch()(2));
}

#[tokio::test]
async fn a_transaction_goes_to_all_and_one_that_takes_it_is_enough() {
    let deaf = Fake {
        takes: false,
        ..fake(Some("ours"))
    };
    let mut rpc_pool = rpc_pool(vec![deaf, fake(Some("ours"))], Some("ours"));
    check_health(&mut rpc_pool).await;
    assert_eq!(rpc_pool.send(&VersionedTransaction::default()).await, Ok(()));
    assert_eq!(rpc_pool.node(0).sent.load(Relaxed), 1);
    assert!(
        rpc_pool.watch()(0),
        "a transaction that was taken already is no reason to leave a node out"
    );
}

#[tokio::test]
async fn with_no_node_left_the_last_trouble_is_told() {
    let genesis = "other".to_owned();
    assert_eq!(
        rpc_pool(vec![fake(Some("other"))], Some("ours")).reader().await,
        Err(Trouble::OtherCluster { genesis })
    );
    let none = Trouble::Failed("there are no nodes".to_owned());
    assert_eq!(rpc_pool(Vec::new(), None).reader().await, Err(none));
}

#[test]
fn a_name_keeps_secrets() {
    assert_eq!(
        name_of("https://user:pass@node.example:8899/path/KEY?api-key=KEY"),
        "https://node.example:8899"
    );
    assert_eq!(name_of("http://127.0.0.1:8899"), "http://127.0.0.1:8899");
}

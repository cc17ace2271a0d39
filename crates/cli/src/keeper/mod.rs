//! `breakwater keeper`: works for a market.

mod options;

use std::{error::Error, sync::Arc, time::Duration};

use breakwater_keeper::{
    Keeper, Settings,
    follow::Subscription,
    hermes::Live,
    metrics::Metrics,
    node::Node,
    prices::{Posted, Updates},
    rpc_pool::{RpcPool, name_of},
    server,
};
use clap::{Args, Subcommand, error::ErrorKind};
use options::{Log, Run};
use solana_keypair::Keypair;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};
use tracing::info;

/// Changes that wait to be taken in; a node that tells more at once waits.
const NEWS: usize = 16_384;
/// Hermes is asked at most once in this time, however often prices change.
const HERMES_SPACING: Duration = Duration::from_millis(500);
/// How long nodes may take to answer for the first time.
const START: Duration = Duration::from_mins(1);

/// `breakwater keeper`.
#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Follows a market and liquidates what can be liquidated, until it is told to stop
    Run(Box<Run>),
}

/// Runs it.
pub fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let Command::Run(run) = &options.command;
    let checked = run.settings().and_then(|_| run.web_sockets());
    if let Err(error) = checked.and_then(|_| run.hermes.client()) {
        clap::Error::raw(ErrorKind::ValueValidation, error + "\n").exit();
    }
    log(run);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let result = runtime.block_on(keep(run));
    // A load of all accounts may be under way: it is of no use any more.
    runtime.shutdown_timeout(Duration::from_millis(100));
    result
}

fn log(run: &Run) {
    let builder = tracing_subscriber::fmt()
        .with_max_level(run.log_level)
        .with_writer(std::io::stderr)
        .with_target(false);
    match run.log {
        Log::Text => builder.with_ansi(false).init(),
        Log::Json => builder.json().flatten_event(true).init(),
    }
}

async fn keep(run: &Run) -> Result<(), Box<dyn Error>> {
    let settings = run.settings()?;
    let signer = run.keypair()?;
    // Before anything that takes time: whoever starts it may stop it at once.
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = async move {
        tokio::select! {
            _ = interrupted.recv() => info!("interrupted"),
            _ = terminated.recv() => info!("told to terminate"),
        }
    };

    let metrics = Arc::new(Metrics::default());
    if let Some(address) = run.listen {
        let (address, serving) = server::listen(address, Arc::clone(&metrics)).await?;
        info!(%address, "serving /metrics and /healthz");
        tokio::spawn(serving);
    }
    let patience = Duration::from_millis(run.timeout_ms);
    let nodes = run
        .url
        .iter()
        .map(|url| (name_of(url), Node::new(url, patience)))
        .collect();
    let rpc_pool = RpcPool::new(
        nodes,
        run.reader_seconds * 1_000,
        run.genesis.clone(),
        Arc::clone(&metrics),
    );
    let posted = Posted::at(run.price_account.iter().map(|given| (given.feed, given.account)));
    let start = Start {
        run,
        settings,
        signer,
        rpc_pool,
        metrics,
    };
    match run.hermes.client()? {
        Some(hermes) => {
            info!(
                server = hermes.name(),
                shard = run.shard(),
                "posting prices of Hermes where they are missing"
            );
            let live = Live::new(hermes, posted, run.shard(), Arc::clone(&start.metrics)).spaced(HERMES_SPACING);
            start.keep(live, stop).await
        }
        None => start.keep(posted, stop).await,
    }
}

/// All that a keeper is started with, but for its source of prices.
struct Start<'a> {
    run: &'a Run,
    settings: Settings,
    signer: Keypair,
    rpc_pool: RpcPool<Node>,
    metrics: Arc<Metrics>,
}

impl Start<'_> {
    async fn keep(self, updates: impl Updates, stop: impl Future<Output = ()>) -> Result<(), Box<dyn Error>> {
        let Self {
            run,
            settings,
            signer,
            rpc_pool,
            metrics,
        } = self;
        tokio::pin!(stop);
        let starting = Keeper::start(settings, signer, rpc_pool, updates, Arc::clone(&metrics), START);
        let mut keeper = tokio::select! {
            started = starting => started?,
            () = &mut stop => return Ok(()),
        };
        if run.once {
            let round = keeper.once().await.map_err(|trouble| trouble.to_string())?;
            info!(due = round.due, sent = round.sent, "done");
            return Ok(());
        }
        let (sender, receiver) = mpsc::channel(NEWS);
        keeper.listen(receiver);
        let subscription = Subscription {
            nodes: run.web_sockets()?,
            market: breakwater_keeper::snapshot::key(&run.market.0),
            feeds: keeper.price_accounts(),
        };
        tokio::spawn(subscription.follow(keeper.rpc_pool().watch(), sender, metrics));
        keeper.run(stop).await;
        info!("stopped");
        Ok(())
    }
}

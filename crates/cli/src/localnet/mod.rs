//! `breakwater localnet`.

mod book;
mod demo;
mod hermes;
mod net;

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use anchor_lang::{prelude::Pubkey, system_program};
use book::Book;
use breakwater_client::pyth::{Stack, routers::Routers};
use clap::Args;
use demo::{Demo, Guards};
use net::{Net, owned};
use serde::Serialize;

use crate::{migrate::Market, options::Output, price::mantissa, price_account::Shown, stop};

/// A local validator with JSON-RPC and WebSocket, the program, a market with people in it, and prices that
/// `breakwater price` moves. Runs until it is stopped by a signal; nothing but keypairs is kept.
#[derive(Args)]
#[command(
    after_help = "Example:\n  breakwater localnet --port 0 --dir target/localnet\n\nIn another terminal:\n  breakwater market list\n  \
                        breakwater account show --market SOL/USDC --owner localnet/alice.json"
)]
pub struct Options {
    /// Port of JSON-RPC; 0 takes a free one
    #[arg(long, env = "BREAKWATER_PORT", default_value_t = 8899)]
    port: u16,
    /// Port of WebSocket [default: the next one]
    #[arg(long, env = "BREAKWATER_WS_PORT")]
    ws_port: Option<u16>,
    /// The compiled program [default: target/deploy/breakwater.so]
    #[arg(long, env = "BREAKWATER_SO", value_name = "FILE")]
    program: Option<PathBuf>,
    /// The compiled test double of Pyth's programs, with which prices can be posted [default: pyth_double.so beside the
    /// program]
    #[arg(long, env = "BREAKWATER_PYTH_DOUBLE_SO", value_name = "FILE")]
    pyth_double: Option<PathBuf>,
    /// Port of Hermes, which serves signed prices to post; 0 takes a free one
    #[arg(long, env = "BREAKWATER_HERMES_PORT", default_value_t = 8901)]
    hermes_port: u16,
    /// A key that Hermes wants to see, as Pyth's own does; anything will do
    #[arg(long, env = "BREAKWATER_LOCALNET_KEY", value_name = "KEY")]
    hermes_key: Option<String>,
    /// Seconds between two updates of the accounts that Pyth sponsors; 0 stops them: prices are only what somebody posts
    #[arg(long, env = "BREAKWATER_SPONSOR", value_name = "SECONDS", default_value_t = 2)]
    sponsor: u64,
    /// Folder for the actors' keypairs, addresses (localnet.json) and the market's configuration
    #[arg(long, env = "BREAKWATER_LOCALNET", default_value = "localnet", value_name = "FOLDER")]
    dir: PathBuf,
    /// The market's configuration file [default: SOL/USDC of the migrations]
    #[arg(long, env = "BREAKWATER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The market's price guards
    #[arg(long, env = "BREAKWATER_GUARDS", value_enum, default_value_t = Guards::Open)]
    guards: Guards,
    /// First price of the collateral, USD
    #[arg(long, env = "BREAKWATER_PRICE", default_value = "150")]
    price: String,
    /// First price of the quote token, USD
    #[arg(long, env = "BREAKWATER_QUOTE_PRICE", default_value = "1")]
    quote_price: String,
    /// Time of a slot, milliseconds
    #[arg(long, env = "BREAKWATER_SLOT_MS", default_value_t = 400, value_parser = clap::value_parser!(u64).range(10..=5_000))]
    slot_ms: u64,
    #[command(flatten)]
    output: Output,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SOL_USDC: &str = include_str!("../../../../migrations/sol-usdc.toml");

#[derive(Serialize)]
struct Ready {
    url: String,
    ws_url: String,
    program: String,
    /// Base URL of Hermes; none without the double of Pyth's programs.
    hermes: Option<String>,
    #[serde(flatten)]
    demo: Demo,
}

pub fn run(options: &Options) -> Result<()> {
    let elf = program(options.program.as_deref())?;
    let text = match &options.config {
        Some(file) => fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?,
        None => SOL_USDC.to_owned(),
    };
    let text = demo::with_guards(&text, options.guards);
    let market = Market::parse(&text)?;
    let [collateral, quote] = [&options.price, &options.quote_price].map(|usd| mantissa(usd, -8));
    let prices = [collateral?, quote?].map(Shown::standing);
    let ws_port = options
        .ws_port
        .unwrap_or(if options.port == 0 { 0 } else { options.port + 1 });
    let net = Arc::new(Net::start(options.port, ws_port, options.slot_ms)?);
    let hermes_port = if options.port == 0 { 0 } else { options.hermes_port };
    let book = Book::default();
    let demo = demo::build(&net, &market, &options.dir, &elf, prices, &book)?;
    let hermes = match double(options)? {
        Some(double) => {
            install_pyth(&net, &double)?;
            Some(hermes::Server::start(
                Arc::clone(&net),
                book.clone(),
                hermes_port,
                options.hermes_key.clone(),
            )?)
        }
        None => None,
    };
    if options.sponsor > 0 {
        sponsor(Arc::clone(&net), book, Duration::from_secs(options.sponsor));
    }
    let ready = Ready {
        url: net.url.clone(),
        ws_url: net.ws_url.clone(),
        program: breakwater::ID.to_string(),
        hermes,
        demo,
    };
    let written = serde_json::to_string_pretty(&ready)? + "\n";
    fs::write(options.dir.join("market.toml"), text)?;
    fs::write(options.dir.join("localnet.json"), &written)?;
    let stop = stop::requested()?;
    if options.output.json {
        print!("{written}");
    } else {
        print!("{}", welcome(&ready, options));
    }
    stop.recv()?;
    net.stop();
    Ok(())
}

/// Publishes all prices anew, for as long as the process lives.
fn sponsor(net: Arc<Net>, book: Book, every: Duration) {
    thread::spawn(move || {
        loop {
            thread::sleep(every);
            if let Err(error) = book.publish(&net) {
                eprintln!("breakwater: {error}");
            }
        }
    });
}

/// Pyth's programs on both of its stacks, played by their double, and the routers that they believe.
fn install_pyth(net: &Net, double: &[u8]) -> std::result::Result<(), String> {
    let routers = Routers::new(hermes::SET);
    for stack in Stack::ALL {
        for program in [stack.receiver, stack.bridge, stack.price_feed_program] {
            net.deploy(&program, &Pubkey::default(), double)?;
        }
        // On mainnet each of them is there.
        for treasury in 0..=u8::MAX {
            net.write(&stack.treasury(treasury), owned(system_program::ID, Vec::new()))?;
        }
        for (address, account) in routers.accounts(&stack, 0) {
            net.write(&address, owned(account.owner, account.data))?;
        }
    }
    Ok(())
}

/// The test double's code: the file that is named, or the one beside the program if it is there.
fn double(options: &Options) -> Result<Option<Vec<u8>>> {
    let beside = || path(options.program.as_deref()).with_file_name("pyth_double.so");
    let file = options.pyth_double.clone().unwrap_or_else(beside);
    match fs::read(&file) {
        Ok(code) => Ok(Some(code)),
        Err(_) if options.pyth_double.is_none() => Ok(None),
        Err(error) => Err(format!("{}: {error}", file.display()).into()),
    }
}

fn path(given: Option<&Path>) -> PathBuf {
    given.map_or_else(
        || {
            let here = PathBuf::from("target/deploy/breakwater.so");
            let there =
                env::var_os("CARGO_TARGET_DIR").map(|target| PathBuf::from(target).join("deploy/breakwater.so"));
            there.filter(|path| !here.exists() && path.exists()).unwrap_or(here)
        },
        Path::to_path_buf,
    )
}

fn program(given: Option<&Path>) -> Result<Vec<u8>> {
    let path = path(given);
    fs::read(&path).map_err(|error| {
        format!(
            "{}: {error}; build the program with `make build`, or name it with --program",
            path.display()
        )
        .into()
    })
}

fn welcome(ready: &Ready, options: &Options) -> String {
    let Ready {
        url,
        ws_url,
        program,
        hermes,
        demo,
    } = ready;
    let hermes = match hermes {
        Some(url) => format!("Hermes at {url}"),
        None => "no Hermes: build the double of Pyth's programs with `make build`".to_owned(),
    };
    let line = |actor: &demo::Actor| format!("  {:<10} {}  {}", actor.name, actor.address, actor.keypair);
    let actors = demo.actors.iter().map(line).collect::<Vec<_>>().join("\n");
    let at = if options.port == 8899 {
        String::new()
    } else {
        format!("  export BREAKWATER_URL={url}\n")
    };
    let Demo { market, name, .. } = demo;
    let dir = options.dir.display();
    format!(
        "localnet at {url}, {ws_url}\n{hermes}\n\n\
         program    {program}\nmarket     {name} {market}, SOL at {price} USD\n\n{actors}\n\n\
         Try, in another terminal:\n{at}  \
         breakwater market show {name}\n  \
         breakwater account show --market {name} --owner {dir}/bob.json\n  \
         breakwater heatmap {name}\n  \
         breakwater price {name} 120\n  \
         breakwater events {name} --follow\n\n\
         Ctrl-C ends it.\n",
        price = options.price,
    )
    .replace(
        ", SOL at",
        &format!(", {} at", name.split('/').next().unwrap_or("collateral")),
    )
}

//! A local validator inside this process: Surfpool, with JSON-RPC and WebSocket on fixed ports.

use std::{
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use anchor_lang::{
    prelude::Pubkey,
    solana_program::{bpf_loader_upgradeable, program_pack::Pack, system_program},
};
use anchor_spl::token;
use breakwater_engine::Clock;
use crossbeam_channel::{Receiver, Sender};
use solana_account::Account;
use surfpool_core::{
    runloops::start_local_surfnet_runloop,
    surfnet::{
        locker::SurfnetSvmLocker,
        svm::{SurfnetSvm, SurfnetSvmConfig},
    },
};
use surfpool_types::{RpcConfig, SimnetCommand, SimnetConfig, SimnetEvent, SurfpoolConfig};

type Result<T> = std::result::Result<T, String>;

const HOST: &str = "127.0.0.1";
/// Bytes of a transaction's log that are kept.
const LOG_BYTES: usize = 10_000;
/// How long the validator may take to begin and to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running validator. Its accounts can be written.
pub struct Net {
    svm: SurfnetSvmLocker,
    commands: Sender<SimnetCommand>,
    ended: Receiver<()>,
    /// JSON-RPC.
    pub url: String,
    /// WebSocket.
    pub ws_url: String,
}

impl Net {
    /// Starts it, with a slot every `slot_ms` milliseconds. Port 0 takes a free one.
    pub fn start(port: u16, ws_port: u16, slot_ms: u64) -> Result<Self> {
        let (port, ws_port) = (free(port)?, free(ws_port)?);
        let config = SurfpoolConfig {
            simnets: vec![SimnetConfig {
                offline_mode: true,
                remote_rpc_url: None,
                slot_time: slot_ms,
                instruction_profiling_enabled: false,
                ..SimnetConfig::default()
            }],
            rpc: RpcConfig {
                bind_host: HOST.to_owned(),
                bind_port: port,
                ws_port,
                ..RpcConfig::default()
            },
            ..SurfpoolConfig::default()
        };
        let svm_config = SurfnetSvmConfig {
            slot_time: slot_ms,
            instruction_profiling_enabled: false,
            // As on a cluster. The event of a full batch fits.
            log_bytes_limit: Some(LOG_BYTES),
            ..SurfnetSvmConfig::default()
        };
        let (svm, events, geyser) = SurfnetSvm::new(svm_config).map_err(|error| format!("the validator: {error}"))?;
        let svm = SurfnetSvmLocker::new(svm);
        let (commands, received) = crossbeam_channel::unbounded();
        let (for_loop, to_loop) = (svm.clone(), commands.clone());
        let main = move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            let run = start_local_surfnet_runloop(for_loop, config, to_loop, received, geyser);
            if let Err(error) = runtime.block_on(run) {
                eprintln!("breakwater: the validator ended: {error}");
            }
        };
        thread::Builder::new()
            .name("validator".to_owned())
            .spawn(main)
            .map_err(|error| error.to_string())?;
        wait_until_ready(&events)?;
        let (ending, ended) = crossbeam_channel::unbounded();
        thread::spawn(move || {
            // Nobody else reads them, and they would pile up.
            for event in events {
                if matches!(event, SimnetEvent::Shutdown) {
                    let _ = ending.send(());
                }
            }
        });
        Ok(Self {
            svm,
            commands,
            ended,
            url: format!("http://{HOST}:{port}"),
            ws_url: format!("ws://{HOST}:{ws_port}"),
        })
    }

    /// The validator's clock.
    pub fn clock(&self) -> Clock {
        self.svm.with_svm_reader(clock)
    }

    /// Writes an account.
    pub fn write(&self, address: &Pubkey, account: Account) -> Result<()> {
        let written = self.svm.with_svm_writer(|svm| svm.set_account(address, account));
        written.map_err(|error| format!("cannot write {address}: {error}"))
    }

    /// Changes accounts that are there, with nothing in between: what another wrote is not lost. `None` leaves one as it
    /// is.
    pub fn edit(
        &self,
        addresses: &[Pubkey],
        edit: impl Fn(&Pubkey, Account, Clock) -> Option<Account> + Send + Sync,
    ) -> Result<()> {
        let edited = self.svm.with_svm_writer(|svm| {
            let now = clock(svm);
            for address in addresses {
                let there = svm.get_account(address)?;
                if let Some(account) = there.and_then(|account| edit(address, account, now)) {
                    svm.set_account(address, account)?;
                }
            }
            Ok::<_, surfpool_core::error::SurfpoolError>(())
        });
        edited.map_err(|error| format!("cannot write: {error}"))
    }

    /// Deploys a program as an upgradeable one.
    pub fn deploy(&self, program: &Pubkey, authority: &Pubkey, elf: &[u8]) -> Result<()> {
        // The loader's state in its bincode form: a 4-byte tag, then the fields. The code comes first: the validator
        // compiles a program as soon as it sees it.
        let data_address = Pubkey::find_program_address(&[program.as_ref()], &bpf_loader_upgradeable::ID).0;
        let mut code = 3u32.to_le_bytes().to_vec();
        code.extend_from_slice(&0u64.to_le_bytes());
        code.push(1);
        code.extend_from_slice(authority.as_ref());
        code.extend_from_slice(elf);
        self.write(&data_address, owned(bpf_loader_upgradeable::ID, code))?;
        let pointer = [&2u32.to_le_bytes(), data_address.as_ref()].concat();
        let account = Account {
            executable: true,
            ..owned(bpf_loader_upgradeable::ID, pointer)
        };
        self.write(program, account)
    }

    /// Gives an address lamports, and nothing else.
    pub fn airdrop(&self, address: &Pubkey, lamports: u64) -> Result<()> {
        let account = Account {
            lamports,
            ..owned(system_program::ID, Vec::new())
        };
        self.write(address, account)
    }

    /// Makes a mint of SPL Token, at whatever address. The native mint is there already.
    pub fn mint(&self, address: &Pubkey, decimals: u8, authority: &Pubkey) -> Result<()> {
        if *address == token::spl_token::native_mint::ID {
            return Ok(());
        }
        let mint = token::spl_token::state::Mint {
            mint_authority: Some(*authority).into(),
            supply: 0,
            decimals,
            is_initialized: true,
            freeze_authority: None.into(),
        };
        let mut data = vec![0; token::spl_token::state::Mint::LEN];
        mint.pack_into_slice(&mut data);
        self.write(address, owned(token::ID, data))
    }

    /// Ends it.
    pub fn stop(&self) {
        let _ = self.commands.send(SimnetCommand::Terminate(None));
        // JSON-RPC and WebSocket each tell.
        let deadline = Instant::now() + PATIENCE;
        for _ in 0..2 {
            let _ = self.ended.recv_deadline(deadline);
        }
    }
}

fn clock(svm: &SurfnetSvm) -> Clock {
    let clock: solana_clock::Clock = svm.inner.get_sysvar();
    Clock {
        unix: clock.unix_timestamp,
        slot: clock.slot,
    }
}

/// An account of a program that pays its rent.
pub fn owned(owner: Pubkey, data: Vec<u8>) -> Account {
    const BYTES_OF_BOOKKEEPING: u64 = 128;
    const LAMPORTS_PER_BYTE: u64 = 6_960;
    Account {
        lamports: (BYTES_OF_BOOKKEEPING + data.len() as u64) * LAMPORTS_PER_BYTE,
        data,
        owner,
        executable: false,
        rent_epoch: u64::MAX,
    }
}

fn free(port: u16) -> Result<u16> {
    let listener = TcpListener::bind((HOST, port)).map_err(|error| format!("port {port} cannot be used: {error}"))?;
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(|error| error.to_string())
}

fn wait_until_ready(events: &Receiver<SimnetEvent>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match events.recv_deadline(deadline) {
            Ok(SimnetEvent::CoreStarted(_)) => return Ok(()),
            Ok(SimnetEvent::Aborted(error)) => return Err(format!("the validator did not start: {error}")),
            Ok(_) => {}
            Err(error) => return Err(format!("the validator did not start: {error}")),
        }
    }
}

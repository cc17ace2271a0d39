//! Being asked to end.

use std::{io, thread};

use crossbeam_channel::{Receiver, bounded};
use tokio::{
    runtime::Builder,
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
};

/// Receives once, when the process gets SIGINT or SIGTERM. From here on neither ends it by itself.
pub fn requested() -> io::Result<Receiver<()>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut terminated = {
        let _entered = runtime.enter();
        signal(SignalKind::terminate())?
    };
    let (asked, receiver) = bounded(1);
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = ctrl_c() => (),
                _ = terminated.recv() => (),
            }
        });
        let _ = asked.send(());
    })?;
    Ok(receiver)
}

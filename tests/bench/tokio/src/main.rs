// SPDX-License-Identifier: Apache-2.0
//! The work of channel_bench on tokio's channels: the same shapes under the same names, one line
//! "name nanoseconds" each. Usage: tokio-bench [FILTER]

mod broadcast;
mod harness;
mod mpsc;
mod oneshot;
mod watch;

use tokio::runtime::{Builder, Runtime};

/// One thread: tasks run inside block_on.
pub fn one_thread() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// As tokio's own benchmarks: six workers, whatever the machine.
pub fn six_workers() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(6)
        .build()
        .unwrap()
}

fn main() {
    let harness = harness::Harness::new(std::env::args().nth(1));
    mpsc::run(&harness);
    oneshot::run(&harness);
    broadcast::run(&harness);
    watch::run(&harness);
}

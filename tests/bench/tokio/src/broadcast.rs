// SPDX-License-Identifier: Apache-2.0
//! One sender, and receivers that all wait for the next value: nanoseconds per value sent, until
//! every receiver has it.

use crate::harness::{black_box, Harness};
use crate::one_thread;
use tokio::sync::broadcast;

const VALUES: usize = 100;

pub fn run(harness: &Harness) {
    let rt = one_thread();
    for receivers in [1usize, 10, 100] {
        harness.bench(
            &format!("broadcast/send_recv/{}", receivers),
            VALUES as u64,
            || {
                rt.block_on(async {
                    let (tx, _) = broadcast::channel::<usize>(16);
                    let tasks: Vec<_> = (0..receivers)
                        .map(|_| {
                            let mut rx = tx.subscribe();
                            tokio::spawn(async move {
                                for _ in 0..VALUES {
                                    black_box(rx.recv().await.unwrap());
                                }
                            })
                        })
                        .collect();
                    for i in 0..VALUES {
                        tokio::task::yield_now().await; // the receivers take the last one, and wait
                        tx.send(i).unwrap();
                    }
                    for task in tasks {
                        task.await.unwrap();
                    }
                })
            },
        );
    }
}

// SPDX-License-Identifier: Apache-2.0
//! One value that changes, and receivers that all wait for it to: nanoseconds per change, until
//! every receiver has seen it; and looking at a value that has not changed.

use crate::harness::{black_box, Harness};
use crate::one_thread;
use tokio::sync::watch;

const CHANGES: usize = 100;
const LOOKS: usize = 10_000;

pub fn run(harness: &Harness) {
    let rt = one_thread();
    for receivers in [10usize, 100] {
        harness.bench(
            &format!("watch/send_changed/{}", receivers),
            CHANGES as u64,
            || {
                rt.block_on(async {
                    let (tx, rx) = watch::channel(0usize);
                    let tasks: Vec<_> = (0..receivers)
                        .map(|_| {
                            let mut rx = rx.clone();
                            tokio::spawn(async move {
                                while *rx.borrow_and_update() < CHANGES {
                                    rx.changed().await.unwrap();
                                }
                            })
                        })
                        .collect();
                    for i in 1..=CHANGES {
                        tokio::task::yield_now().await; // the receivers see the last one, and wait
                        tx.send(i).unwrap();
                    }
                    for task in tasks {
                        task.await.unwrap();
                    }
                })
            },
        );
    }
    let (_tx, rx) = watch::channel(7usize);
    harness.bench("watch/borrow", LOOKS as u64, || {
        for _ in 0..LOOKS {
            black_box(*black_box(&rx).borrow());
        }
    });
}

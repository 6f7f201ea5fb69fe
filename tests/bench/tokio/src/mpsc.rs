// SPDX-License-Identifier: Apache-2.0
//! tokio's benches/sync_mpsc.rs: 5000 messages, by one task or by five producers. Debian's tokio
//! has no recv_many yet: taking what is there is written out.

use crate::harness::{black_box, Harness};
use crate::{one_thread, six_workers};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

const PRODUCERS: usize = 5;
const EACH: usize = 1000;
const ALL: usize = PRODUCERS * EACH;
const ROOMY: usize = 1_000_000;
const TIGHT: usize = 100;

macro_rules! receive_one_by_one {
    ($rx:ident) => {
        for _ in 0..ALL {
            black_box($rx.recv().await.unwrap());
        }
    };
}

macro_rules! receive_many {
    ($rx:ident) => {
        let mut buffer = Vec::with_capacity(ALL);
        let mut received = 0;
        while received < ALL {
            buffer.push($rx.recv().await.unwrap());
            while let Ok(value) = $rx.try_recv() {
                buffer.push(value);
            }
            received += buffer.len();
            black_box(&buffer);
            buffer.clear();
        }
    };
}

fn contention_bounded(rt: &Runtime, slots: usize, many: bool) {
    rt.block_on(async {
        let (tx, mut rx) = mpsc::channel::<usize>(slots);
        for _ in 0..PRODUCERS {
            let tx = tx.clone();
            tokio::spawn(async move {
                for i in 0..EACH {
                    tx.send(i).await.unwrap();
                }
            });
        }
        if many {
            receive_many!(rx);
        } else {
            receive_one_by_one!(rx);
        }
    });
}

fn contention_unbounded(rt: &Runtime, many: bool) {
    rt.block_on(async {
        let (tx, mut rx) = mpsc::unbounded_channel::<usize>();
        for _ in 0..PRODUCERS {
            let tx = tx.clone();
            tokio::spawn(async move {
                for i in 0..EACH {
                    tx.send(i).unwrap();
                }
            });
        }
        if many {
            receive_many!(rx);
        } else {
            receive_one_by_one!(rx);
        }
    });
}

fn uncontended_bounded(rt: &Runtime, many: bool) {
    rt.block_on(async {
        let (tx, mut rx) = mpsc::channel::<usize>(ROOMY);
        for i in 0..ALL {
            tx.send(i).await.unwrap();
        }
        if many {
            receive_many!(rx);
        } else {
            receive_one_by_one!(rx);
        }
    });
}

fn uncontended_unbounded(rt: &Runtime, many: bool) {
    rt.block_on(async {
        let (tx, mut rx) = mpsc::unbounded_channel::<usize>();
        for i in 0..ALL {
            tx.send(i).unwrap();
        }
        if many {
            receive_many!(rx);
        } else {
            receive_one_by_one!(rx);
        }
    });
}

pub fn run(harness: &Harness) {
    let all = ALL as u64;
    let rt = one_thread();
    harness.bench("mpsc/create/bounded", 1, || {
        black_box(&mpsc::channel::<usize>(ROOMY));
    });
    harness.bench("mpsc/uncontended/bounded", all, || {
        uncontended_bounded(&rt, false)
    });
    harness.bench("mpsc/uncontended/bounded_recv_many", all, || {
        uncontended_bounded(&rt, true)
    });
    harness.bench("mpsc/uncontended/unbounded", all, || {
        uncontended_unbounded(&rt, false)
    });
    harness.bench("mpsc/uncontended/unbounded_recv_many", all, || {
        uncontended_unbounded(&rt, true)
    });

    let rt = six_workers();
    harness.bench_by_clock("mpsc/contention/bounded", all, || {
        contention_bounded(&rt, ROOMY, false)
    });
    harness.bench_by_clock("mpsc/contention/bounded_recv_many", all, || {
        contention_bounded(&rt, ROOMY, true)
    });
    harness.bench_by_clock("mpsc/contention/bounded_full", all, || {
        contention_bounded(&rt, TIGHT, false)
    });
    harness.bench_by_clock("mpsc/contention/bounded_full_recv_many", all, || {
        contention_bounded(&rt, TIGHT, true)
    });
    harness.bench_by_clock("mpsc/contention/unbounded", all, || {
        contention_unbounded(&rt, false)
    });
    harness.bench_by_clock("mpsc/contention/unbounded_recv_many", all, || {
        contention_unbounded(&rt, true)
    });
}

// SPDX-License-Identifier: Apache-2.0
//! A channel for one value: made, sent, received; and as the reply of a request to a task.

use crate::harness::{black_box, Harness};
use crate::one_thread;
use tokio::sync::{mpsc, oneshot};

const REQUESTS: usize = 1000;

pub fn run(harness: &Harness) {
    let rt = one_thread();
    harness.bench("oneshot/create_send_recv", REQUESTS as u64, || {
        rt.block_on(async {
            for i in 0..REQUESTS {
                let (tx, rx) = oneshot::channel::<usize>();
                tx.send(i).unwrap();
                black_box(rx.await.unwrap());
            }
        })
    });
    // benches/sync_mpsc_oneshot.rs: a request is a oneshot sender; the task answers it.
    harness.bench("oneshot/request_reply", REQUESTS as u64, || {
        rt.block_on(async {
            let (tx, mut rx) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
            tokio::spawn(async move {
                while let Some(reply) = rx.recv().await {
                    reply.send(()).unwrap();
                }
            });
            for _ in 0..REQUESTS {
                let (reply, answer) = oneshot::channel();
                tx.send(reply).unwrap();
                answer.await.unwrap();
            }
        })
    });
}

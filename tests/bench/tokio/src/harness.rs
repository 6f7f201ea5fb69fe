// SPDX-License-Identifier: Apache-2.0
//! Measures as the C++ side does: a benchmark is repeated until a sample takes long enough, and
//! the median of the samples is printed, in nanoseconds per operation. What one thread does alone
//! is measured in the time that thread ran, so that a busy machine does not matter; what several
//! do, by the clock.

use std::time::Duration;

const SAMPLE: Duration = Duration::from_millis(60);
const SAMPLES: usize = 5;

pub struct Harness {
    filter: Option<String>,
}

impl Harness {
    pub fn new(filter: Option<String>) -> Self {
        Harness { filter }
    }

    /// One call of `body`, which stays on this thread, does `operations` operations.
    pub fn bench(&self, name: &str, operations: u64, body: impl FnMut()) {
        self.measure(name, operations, libc::CLOCK_THREAD_CPUTIME_ID, body);
    }

    /// As `bench`, for a body that uses other threads.
    pub fn bench_by_clock(&self, name: &str, operations: u64, body: impl FnMut()) {
        self.measure(name, operations, libc::CLOCK_MONOTONIC, body);
    }

    fn measure(&self, name: &str, operations: u64, clock: libc::clockid_t, mut body: impl FnMut()) {
        if self
            .filter
            .as_deref()
            .map_or(false, |filter| !name.contains(filter))
        {
            return;
        }
        let mut rounds = 1u64;
        loop {
            let elapsed = time(rounds, clock, &mut body);
            if elapsed >= SAMPLE {
                break;
            }
            let missing = SAMPLE.as_nanos() as f64 / elapsed.as_nanos().max(1) as f64;
            rounds = (rounds as f64 * missing.clamp(1.2, 20.0)).ceil() as u64;
        }
        let mut samples: Vec<f64> = (0..SAMPLES)
            .map(|_| {
                time(rounds, clock, &mut body).as_nanos() as f64 / (rounds * operations) as f64
            })
            .collect();
        samples.sort_by(f64::total_cmp);
        println!("{} {:.2}", name, samples[SAMPLES / 2]);
    }
}

fn time(rounds: u64, clock: libc::clockid_t, body: &mut impl FnMut()) -> Duration {
    let start = now(clock);
    for _ in 0..rounds {
        body();
    }
    now(clock) - start
}

fn now(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // Sound: `time` is a timespec of our own.
    let result = unsafe { libc::clock_gettime(clock, &mut time) };
    assert_eq!(result, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// std::hint::black_box, which Debian's compiler does not have yet.
pub fn black_box<T>(value: T) -> T {
    // Sound: the value is read once, and what it was read from is forgotten.
    unsafe {
        let seen = std::ptr::read_volatile(&value);
        std::mem::forget(value);
        seen
    }
}

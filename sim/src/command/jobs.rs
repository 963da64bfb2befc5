//! Many runs at a time, their results in order.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::interrupt;

/// How far a thread may be ahead of the first result that is still missing.
const AHEAD: u64 = 4096;

/// As many jobs as there are cores.
pub(super) fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Does `work` for each of `numbers` on `jobs` threads and gives `merge` the results in the order
/// of the numbers, until it breaks. What `merge` sees does not depend on `jobs`. After Ctrl-C no
/// work begins; the results of what has begun are merged.
pub(super) fn in_order<T: Send>(
    numbers: Range<u64>,
    jobs: NonZeroUsize,
    work: impl Fn(u64) -> T + Sync,
    mut merge: impl FnMut(T) -> ControlFlow<()>,
) {
    let shared = Shared {
        next: AtomicU64::new(numbers.start),
        merged: AtomicU64::new(numbers.start),
        is_over: AtomicBool::new(false),
        end: numbers.end,
    };
    let (results, arrived) = mpsc::channel();
    let worker = |results: mpsc::Sender<(u64, T)>| {
        while let Some(number) = shared.take() {
            if results.send((number, work(number))).is_err() {
                return;
            }
        }
    };
    let worker = &worker;
    thread::scope(|scope| {
        let start =
            |results| thread::Builder::new().spawn_scoped(scope, move || worker(results)).is_ok();
        let started = (0..jobs.get()).take_while(|_| start(results.clone())).count();
        if started == 0 {
            // No thread is to be had, so the work is done here.
            return one_by_one(numbers.clone(), &work, &mut merge);
        }
        drop(results);
        let mut early = BTreeMap::new();
        for (number, result) in arrived {
            early.insert(number, result);
            while let Some(result) = early.remove(&shared.merged.load(Ordering::Relaxed)) {
                if merge(result).is_break() {
                    return shared.is_over.store(true, Ordering::Relaxed);
                }
                shared.merged.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
}

fn one_by_one<T>(
    numbers: Range<u64>,
    work: &impl Fn(u64) -> T,
    merge: &mut impl FnMut(T) -> ControlFlow<()>,
) {
    for number in numbers.take_while(|_| !interrupt::has_come()) {
        if merge(work(number)).is_break() {
            return;
        }
    }
}

/// What the threads share.
struct Shared {
    /// The next number that no thread has taken.
    next: AtomicU64,
    /// The first number that is not merged.
    merged: AtomicU64,
    is_over: AtomicBool,
    end: u64,
}

impl Shared {
    /// A number to work on; none if there is nothing left to do.
    fn take(&self) -> Option<u64> {
        if interrupt::has_come() {
            return None;
        }
        let next = |n: u64| (n < self.end).then(|| n + 1);
        let number = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        // Results that wait for a slow one take memory.
        while number - self.merged.load(Ordering::Relaxed) > AHEAD && !self.is_over() {
            thread::sleep(Duration::from_millis(1));
        }
        (!self.is_over()).then_some(number)
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(jobs: usize, numbers: Range<u64>, stop_at: u64) -> Vec<u64> {
        let mut seen = Vec::new();
        let work = |number: u64| {
            if number.is_multiple_of(7) {
                thread::sleep(Duration::from_millis(2));
            }
            number * 10
        };
        in_order(numbers, NonZeroUsize::new(jobs).unwrap(), work, |result| {
            seen.push(result);
            if result == stop_at * 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        seen
    }

    #[test]
    fn results_come_in_order_whatever_the_number_of_jobs() {
        let expected: Vec<u64> = (5..60).map(|n| n * 10).collect();
        for jobs in [1, 2, 5, 100] {
            assert_eq!(merged(jobs, 5..60, 1000), expected, "{jobs} jobs");
        }
        assert!(merged(3, 5..5, 1000).is_empty());
    }

    #[test]
    fn nothing_is_merged_after_the_last_wanted_result() {
        let expected: Vec<u64> = (0..=20).map(|n| n * 10).collect();
        for jobs in [1, 2, 5] {
            assert_eq!(merged(jobs, 0..u64::MAX, 20), expected, "{jobs} jobs");
        }
    }
}

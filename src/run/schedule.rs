//! Many runs in parallel, their records in order.
//!
//! Threads take task after task; the calling thread, which computes nothing itself, delivers the results in the order of
//! the tasks. So no thread waits for another, and rows are written beside the computing. Results that wait for an earlier
//! one are few, whatever the number of tasks: nobody starts a task that is too far ahead of the delivery.

use rayon::ThreadPool;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Tasks at the end, per thread, that are taken in descending order of their work, so that the last ones to end are
/// short; and half of the tasks that may be started ahead of the delivery.
const TAIL_PER_THREAD: usize = 32;

/// Computes `compute(task)` for every task on the threads of `pool`, and hands the results to `deliver` on this thread,
/// in the order of the tasks. `work` says how long a task takes, in any unit. Stops at the first error of `deliver` and
/// returns it; tasks that were started are finished first.
///
/// Must not be called from a thread of the pool itself.
///
/// # Errors
/// What `deliver` returns.
pub fn run_all<T: Sync, R: Send, E>(
    pool: &ThreadPool,
    tasks: &[T],
    work: impl Fn(&T) -> f64,
    compute: impl Fn(&T) -> R + Sync,
    mut deliver: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let tail = TAIL_PER_THREAD * pool.current_num_threads();
    let queue = Queue::new(order(tasks, work, tail), 2 * tail);
    pool.in_place_scope(|scope| {
        for _ in 0..pool.current_num_threads() {
            scope.spawn(|_| {
                // Whoever waits is told if `compute` panics.
                let _stop = StopOnPanic(&queue);
                while let Some(task) = queue.take() {
                    queue.put(task, compute(&tasks[task]));
                }
            });
        }
        let _stop = StopOnPanic(&queue);
        let mut outcome = Ok(());
        while let Some(result) = queue.next_result() {
            outcome = deliver(result);
            if outcome.is_err() {
                queue.stop();
            }
        }
        outcome
    })
}

/// The order in which tasks are taken: as they come, but the last `tail` of them longest first.
fn order<T>(tasks: &[T], work: impl Fn(&T) -> f64, tail: usize) -> VecDeque<usize> {
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    let last = &mut order[tasks.len().saturating_sub(tail)..];
    let keys: Vec<f64> = last.iter().map(|&task| work(&tasks[task])).collect();
    let first = tasks.len() - last.len();
    last.sort_by(|&a, &b| keys[b - first].total_cmp(&keys[a - first]));
    order.into()
}

/// What the threads share.
struct Queue<R> {
    state: Mutex<State<R>>,
    changed: Condvar,
    tasks: usize,
    /// Tasks at and after the next to be delivered that may be taken.
    window: usize,
}

struct State<R> {
    /// Tasks that nobody has taken, the next first.
    untaken: VecDeque<usize>,
    /// Tasks whose result has been delivered.
    delivered: usize,
    /// Results from that of task `delivered` on, as far as they are there.
    results: VecDeque<Option<R>>,
    stopped: bool,
}

impl<R> Queue<R> {
    fn new(untaken: VecDeque<usize>, window: usize) -> Self {
        let tasks = untaken.len();
        let state = State { untaken, delivered: 0, results: VecDeque::new(), stopped: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), tasks, window }
    }

    fn state(&self) -> MutexGuard<'_, State<R>> {
        // A panic under the lock leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl FnMut(&mut State<R>) -> bool) -> MutexGuard<'_, State<R>> {
        self.changed.wait_while(self.state(), condition).unwrap_or_else(PoisonError::into_inner)
    }

    /// The next task; `None` when there is none any more.
    fn take(&self) -> Option<usize> {
        let too_far = |state: &mut State<R>| {
            !state.stopped && state.untaken.front().is_some_and(|&task| task >= state.delivered + self.window)
        };
        let mut state = self.wait_while(too_far);
        if state.stopped { None } else { state.untaken.pop_front() }
    }

    fn put(&self, task: usize, result: R) {
        let mut state = self.state();
        let place = task - state.delivered;
        if state.results.len() <= place {
            state.results.resize_with(place + 1, || None);
        }
        state.results[place] = Some(result);
        // The one who delivers waits for one result only, and threads wait for deliveries.
        if place == 0 {
            self.changed.notify_all();
        }
    }

    /// The result of the next task in order, when it is there; `None` when all are delivered or nobody computes.
    fn next_result(&self) -> Option<R> {
        let not_there = |state: &mut State<R>| {
            !state.stopped && state.delivered < self.tasks && !matches!(state.results.front(), Some(Some(_)))
        };
        let mut state = self.wait_while(not_there);
        if state.stopped || state.delivered == self.tasks {
            return None;
        }
        state.delivered += 1;
        self.changed.notify_all();
        state.results.pop_front().flatten()
    }

    fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }
}

/// Stops the queue when a panic passes by.
struct StopOnPanic<'a, R>(&'a Queue<R>);

impl<R> Drop for StopOnPanic<'_, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rayon::ThreadPoolBuilder;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn pool(threads: usize) -> ThreadPool {
        ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn every_result_is_delivered_once_in_order(
            tasks in prop::collection::vec(0u64..200, 0..500),
            threads in 1usize..5,
        ) {
            let pool = pool(threads);
            let computed = AtomicUsize::new(0);
            let mut delivered = Vec::new();
            let mut most_ahead = 0;
            let outcome: Result<(), ()> = run_all(
                &pool,
                &tasks,
                |&task| task as f64,
                |&task| {
                    std::thread::sleep(std::time::Duration::from_micros(task / 10));
                    computed.fetch_add(1, Ordering::SeqCst);
                    task
                },
                |task| {
                    delivered.push(task);
                    most_ahead = most_ahead.max(computed.load(Ordering::SeqCst) - delivered.len());
                    Ok(())
                },
            );
            prop_assert_eq!(outcome, Ok(()));
            prop_assert_eq!(computed.into_inner(), tasks.len());
            prop_assert_eq!(delivered, tasks);
            prop_assert!(most_ahead <= 2 * TAIL_PER_THREAD * threads, "{most_ahead} results at once");
        }
    }

    #[test]
    fn the_last_tasks_are_taken_longest_first() {
        let tasks = [5.0, 1.0, 2.0, 9.0, 3.0, 9.0];
        assert_eq!(order(&tasks, |&work| work, 4), [0, 1, 3, 5, 4, 2]);
        assert_eq!(order(&tasks, |&work| work, 100), [3, 5, 0, 4, 2, 1]);
        assert_eq!(order(&[] as &[f64], |&work| work, 4), [0; 0]);
    }

    #[test]
    fn an_error_of_the_delivery_ends_the_work() {
        let tasks: Vec<usize> = (0..10_000).collect();
        let computed = AtomicUsize::new(0);
        let outcome = run_all(
            &pool(2),
            &tasks,
            |_| 1.0,
            |&task| {
                computed.fetch_add(1, Ordering::SeqCst);
                task
            },
            |task| if task == 7 { Err("seven") } else { Ok(()) },
        );
        assert_eq!(outcome, Err("seven"));
        assert!(computed.into_inner() <= 8 + 2 * 2 * TAIL_PER_THREAD);
    }

    #[test]
    fn a_panic_in_a_task_reaches_the_caller() {
        let tasks: Vec<usize> = (0..300).collect();
        let outcome = std::panic::catch_unwind(|| {
            let compute = |&task: &usize| if task == 40 { panic!("forty") } else { task };
            run_all(&pool(2), &tasks, |_| 1.0, compute, |_| Ok::<(), ()>(()))
        });
        assert!(outcome.is_err());
    }
}

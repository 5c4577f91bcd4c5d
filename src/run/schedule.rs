//! Many runs in parallel, their records in order.

use rayon::prelude::*;

/// Runs computed between two deliveries, per thread: large enough that the threads rarely wait for each other, small
/// enough that memory does not grow with the number of runs.
const RUNS_PER_THREAD: usize = 16;

/// Computes `compute(task)` for every task on the current rayon pool, and hands the results to `deliver` in the order of
/// the tasks. Stops at the first error of `deliver` and returns it.
///
/// # Errors
/// What `deliver` returns.
pub fn run_all<T: Sync, R: Send, E>(
    tasks: &[T],
    compute: impl Fn(&T) -> R + Sync,
    mut deliver: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    for block in tasks.chunks(RUNS_PER_THREAD * rayon::current_num_threads()) {
        let results: Vec<R> = block.par_iter().with_max_len(1).map(&compute).collect();
        results.into_iter().try_for_each(&mut deliver)?;
    }
    Ok(())
}

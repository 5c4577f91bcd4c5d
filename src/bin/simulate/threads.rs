//! How many threads compute.

use crate::failure::Failure;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The variable that stands for `--threads` where that is not given.
const VARIABLE: &str = "RAYON_NUM_THREADS";

/// Threads that a processor gets at most. One is what helps; a few more show that no result depends on their number.
pub const MOST_A_PROCESSOR: usize = 4;

/// How many threads compute, and a line for the user if fewer than were asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Threads {
    pub number: usize,
    pub fewer: Option<String>,
}

impl Threads {
    /// For `runs` runs. `given` is `--threads`; without it RAYON_NUM_THREADS counts, without that or at 0 the processors.
    pub fn choose(given: Option<u16>, runs: u64) -> Result<Self, Failure> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        choose(given, std::env::var_os(VARIABLE).as_deref(), runs, processors).map_err(Failure::Usage)
    }

    /// The threads, started.
    pub fn pool(&self) -> anyhow::Result<ThreadPool> {
        Ok(ThreadPoolBuilder::new().num_threads(self.number).build()?)
    }

    /// The threads for all that does not bring its own.
    pub fn start(&self) -> anyhow::Result<()> {
        Ok(ThreadPoolBuilder::new().num_threads(self.number).build_global()?)
    }
}

fn choose(
    given: Option<u16>,
    variable: Option<&std::ffi::OsStr>,
    runs: u64,
    processors: usize,
) -> Result<Threads, String> {
    let (asked, said) = match (given, variable) {
        (Some(given), _) => (usize::from(given), format!("--threads {given}")),
        (None, None) => (0, String::new()),
        (None, Some(text)) => {
            let said = format!("{VARIABLE}={}", text.display());
            let number = text.to_str().and_then(|text| text.trim().parse().ok());
            let legal = "must be a whole number (0: one a processor); --threads overrides it";
            (number.ok_or_else(|| format!("{said}: {legal}"))?, said)
        }
    };
    let helpful = usize::try_from(runs).unwrap_or(usize::MAX).min(processors.saturating_mul(MOST_A_PROCESSOR)).max(1);
    let number = if asked == 0 { processors.min(helpful) } else { asked.min(helpful) };
    let fewer = (number < asked)
        .then(|| format!("{said}: {number} used; more than one a run, or {MOST_A_PROCESSOR} a processor, don't help"));
    Ok(Threads { number, fewer })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(given: Option<u16>, variable: Option<&str>, runs: u64, processors: usize) -> (usize, bool) {
        let chosen = choose(given, variable.map(AsRef::as_ref), runs, processors).expect("legal");
        (chosen.number, chosen.fewer.is_some())
    }

    #[test]
    fn more_threads_than_help_are_not_started_and_that_is_said() {
        assert_eq!(number(None, None, 100, 8), (8, false));
        assert_eq!(number(None, None, 3, 8), (3, false));
        assert_eq!(number(Some(5), Some("2"), 100, 2), (5, false));
        assert_eq!(number(Some(1000), None, 4, 2), (4, true));
        assert_eq!(number(Some(1000), None, 1_000_000, 2), (8, true));
        assert_eq!(number(None, Some("100000"), 1_000_000, 16), (64, true));
        assert_eq!(number(Some(2), None, 0, 2), (1, true));
        let chosen = choose(None, Some("5000".as_ref()), 9, 2).expect("legal");
        let line = "RAYON_NUM_THREADS=5000: 8 used; more than one a run, or 4 a processor, don't help";
        assert_eq!(chosen.fewer.as_deref(), Some(line));
    }

    #[test]
    fn the_variable_counts_where_no_argument_is_given() {
        assert_eq!(number(None, Some("3"), 100, 2), (3, false));
        assert_eq!(number(None, Some("0"), 100, 2), (2, false));
        for wrong in ["abc", "", "-1", "2.5", "99999999999999999999999"] {
            let refused = choose(None, Some(wrong.as_ref()), 100, 2).expect_err("no number");
            assert!(refused.starts_with(&format!("RAYON_NUM_THREADS={wrong}: must be a whole number")), "{refused}");
            assert_eq!(number(Some(2), Some(wrong), 100, 2), (2, false));
        }
    }
}

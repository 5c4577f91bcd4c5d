//! One of N equal parts of a simulation's runs.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The largest N.
pub(crate) const MOST_SHARDS: u64 = 1_000_000;

/// Shard I of N: the runs whose number in the order of all runs is I − 1 modulo N. So every shard has the same number
/// of runs of every point, but for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// I, from 1.
    pub index: u64,
    /// N.
    pub count: u64,
}

impl Shard {
    /// Shard `index` of `count`.
    ///
    /// # Errors
    /// What would be legal.
    pub fn new(index: u64, count: u64) -> Result<Self, String> {
        if (1..=MOST_SHARDS).contains(&count) && (1..=count).contains(&index) {
            Ok(Self { index, count })
        } else {
            Err(format!("must be I/N with N from 1 to {MOST_SHARDS} and I from 1 to N"))
        }
    }

    /// Whether the run with this number in the order of all runs, from 0, belongs to the shard.
    pub(crate) fn takes(self, number: u64) -> bool {
        number % self.count == self.index - 1
    }

    /// How many of `runs` runs belong to the shard.
    pub fn share(self, runs: u64) -> u64 {
        runs / self.count + u64::from(self.index <= runs % self.count)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u64>().ok();
        let parts = text.split_once('/').and_then(|(index, count)| Some((number(index)?, number(count)?)));
        let (index, count) = parts.unwrap_or((0, 0));
        Self::new(index, count)
    }
}

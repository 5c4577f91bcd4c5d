//! Stored runs against the same runs computed again, cell by cell; and which runs to draw.

use crate::patterns::streams::Stream;
use crate::record::{Headers, RunLines, RunTable, Task};
use csv::StringRecord;
use rand::{RngExt, SeedableRng};

/// The column of `runs.csv` that differs from run to run.
pub const TIMING: &str = "seconds";

/// A draw of a given number of items among a known number, without replacement, while the items pass by: every set of
/// that size is equally likely (Knuth's algorithm S), and nothing is kept of the items.
#[derive(Debug)]
pub struct Draw {
    generator: Stream,
    passing: u64,
    wanted: u64,
}

/// What a comparison of one run has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Cells that were compared.
    pub cells: u64,
    /// Those that differ, table by table and row by row.
    pub differences: Vec<Difference>,
}

/// A cell that is not what the run gives.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}, line {line} (run {} of point {}), {column}: {} stored, {} computed", .task.1, .task.0, cell(.stored), cell(.computed))]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// The line of the row in its table, from 1: the header's is 1.
    pub line: u64,
    /// The run.
    pub task: Task,
    /// The column.
    pub column: String,
    /// Its text in the table; `None` where the table has no such row.
    pub stored: Option<String>,
    /// Its text as computed; `None` where the run has no such row.
    pub computed: Option<String>,
}

/// A cell's text as a message shows it.
fn cell(text: &Option<String>) -> &str {
    match text.as_deref() {
        None => "no row",
        Some("") => "empty",
        Some(text) => text,
    }
}

impl Draw {
    /// A draw of `wanted` of `among` items, of all of them if there are no more.
    pub fn new(wanted: u64, among: u64, seed: u64) -> Self {
        Self { generator: Stream::seed_from_u64(seed), passing: among, wanted: wanted.min(among) }
    }

    /// Whether the next item is drawn; never more than were wanted.
    pub fn takes_next(&mut self) -> bool {
        let taken = self.passing > 0 && self.generator.random_range(0..self.passing) < self.wanted;
        self.passing = self.passing.saturating_sub(1);
        self.wanted -= u64::from(taken);
        taken
    }
}

/// Compares the stored lines of a run with the computed ones, text by text; `TIMING` is left out. `first_lines` are
/// the lines in which the stored rows begin, table by table; both have the columns of `headers`.
///
/// # Errors
/// Lines that are no CSV.
pub fn compare(
    stored: &RunLines,
    first_lines: [u64; 4],
    computed: &RunLines,
    headers: &Headers,
) -> Result<Comparison, csv::Error> {
    let mut comparison = Comparison::default();
    for (table, columns) in headers.columns.iter().enumerate() {
        let (here, there) = (rows(&stored.tables[table])?, rows(&computed.tables[table])?);
        let compared = |column: &&(usize, &String)| table > 0 || column.1 != TIMING;
        let columns: Vec<(usize, &String)> = columns.iter().enumerate().collect();
        for row in 0..here.len().max(there.len()) {
            for (place, column) in columns.iter().filter(compared) {
                let text = |rows: &[StringRecord]| rows.get(row).map(|row| row.get(*place).unwrap_or("").to_owned());
                let (stored_text, computed_text) = (text(&here), text(&there));
                comparison.cells += 1;
                if stored_text != computed_text {
                    comparison.differences.push(Difference {
                        table: RunTable::ALL[table].name(),
                        line: first_lines[table] + row as u64,
                        task: (stored.point, stored.run),
                        column: (*column).clone(),
                        stored: stored_text,
                        computed: computed_text,
                    });
                }
            }
        }
    }
    Ok(comparison)
}

fn rows(lines: &[u8]) -> Result<Vec<StringRecord>, csv::Error> {
    csv::ReaderBuilder::new().has_headers(false).from_reader(lines).into_records().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_difference_names_file_line_run_column_and_both_texts() {
        let cell = Difference {
            table: "experts.csv",
            line: 45,
            task: (1, 3),
            column: "delta".to_owned(),
            stored: Some("0.5".to_owned()),
            computed: Some(String::new()),
        };
        assert_eq!(cell.to_string(), "experts.csv, line 45 (run 3 of point 1), delta: 0.5 stored, empty computed");
    }

    proptest! {
        #[test]
        fn a_draw_takes_as_many_as_wanted(wanted in 0u64..50, among in 0u64..50, seed in any::<u64>()) {
            let mut draw = Draw::new(wanted, among, seed);
            let taken = (0..among).filter(|_| draw.takes_next()).count() as u64;
            prop_assert_eq!(taken, wanted.min(among));
            prop_assert!(!draw.takes_next(), "nothing is left to be drawn");
        }
    }

    #[test]
    fn every_pair_of_five_is_drawn_equally_often() {
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..10_000 {
            let mut draw = Draw::new(2, 5, seed);
            let pair: Vec<u32> = (0..5).filter(|_| draw.takes_next()).collect();
            *counts.entry(pair).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 10);
        // 1,000 expected of each, with a standard deviation of 30: five of them.
        assert!(counts.values().all(|&count| count.abs_diff(1000) < 150), "{counts:?}");
    }
}

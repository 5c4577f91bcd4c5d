//! A run's rows as lines of its tables: what a journal keeps of it, and what the tables are put together from.

use super::run_record::{BadLines, RunRecord, RunTable, TABLES};
use crate::record::row::names;
use crate::record::rows::RunHead;
use crate::record::tables::{Table, read, read_runs, run_columns};
use crate::record::{ExpertRow, PruningRow, RunRow, TrajectoryRow};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Read;

/// The lines of one run in each of the [`TABLES`], as CSV text without headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLines {
    /// The run's point.
    pub point: usize,
    /// Its index there.
    pub run: u64,
    /// Lines, table by table.
    pub tables: [Vec<u8>; TABLES.len()],
}

/// The columns of the [`TABLES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// Names of the columns, table by table.
    pub columns: [Vec<String>; TABLES.len()],
    /// The columns of `runs.csv` that are swept parameters.
    pub swept: Vec<String>,
}

impl Headers {
    /// The headers of the tables of a simulation that sweeps these parameters.
    pub fn new(swept: &[String]) -> Self {
        let columns = [run_columns(swept), names::<ExpertRow>(), names::<TrajectoryRow>(), names::<PruningRow>()];
        Self { columns, swept: swept.to_vec() }
    }

    /// The header line of a table.
    ///
    /// # Errors
    /// Never for the rows of this crate.
    pub fn line(&self, table: RunTable) -> Result<Vec<u8>, csv::Error> {
        Table::new(Vec::new(), &self.columns[table as usize])?.finish()
    }
}

impl RunLines {
    /// The lines of a run.
    ///
    /// # Errors
    /// Never for the rows of this crate.
    pub fn new(record: &RunRecord) -> Result<Self, csv::Error> {
        let run = &record.run;
        let tables = [
            lines(&[(&run.head, &run.swept, &run.body)])?,
            lines(&record.experts)?,
            lines(&record.trajectory)?,
            lines(&record.pruning)?,
        ];
        Ok(Self { point: run.head.point, run: run.head.run, tables })
    }

    /// The rows that the lines hold.
    ///
    /// # Errors
    /// Lines that are not those of one run, with the table.
    pub fn record(&self, headers: &Headers) -> Result<RunRecord, BadLines> {
        let record = RunRecord {
            run: self.run_row(headers)?,
            experts: self.rows(RunTable::Experts, headers)?,
            trajectory: self.rows(RunTable::Trajectory, headers)?,
            pruning: self.rows(RunTable::Pruning, headers)?,
        };
        let own = |point: usize, run: u64| (point, run) == (self.point, self.run);
        let RunHead { point, run, .. } = record.run.head;
        let foreign = [
            !own(point, run),
            record.experts.iter().any(|row| !own(row.point, row.run)),
            record.trajectory.iter().any(|row| !own(row.point, row.run)),
            record.pruning.iter().any(|row| !own(row.point, row.run)),
        ];
        match foreign.iter().position(|&foreign| foreign) {
            Some(table) => Err(self.not_one_run(RunTable::ALL[table])),
            None => Ok(record),
        }
    }

    /// The row of `runs.csv` that the lines hold.
    ///
    /// # Errors
    /// Lines that are not one row.
    pub(crate) fn run_row(&self, headers: &Headers) -> Result<RunRow, BadLines> {
        let mut rows = read_runs(self.text(RunTable::Runs, headers)?, &headers.swept)
            .map_err(|error| bad(RunTable::Runs, &error))?;
        rows.pop().filter(|_| rows.is_empty()).ok_or_else(|| self.not_one_run(RunTable::Runs))
    }

    /// The rows that the lines of one of the other tables hold: columns are found by name.
    ///
    /// # Errors
    /// A column that is missing or a value of the wrong type, with the table.
    pub fn rows<T: DeserializeOwned>(&self, table: RunTable, headers: &Headers) -> Result<Vec<T>, BadLines> {
        if self.tables[table as usize].is_empty() {
            return Ok(Vec::new());
        }
        read(self.text(table, headers)?).map_err(|error| bad(table, &error))
    }

    /// The lines of a table under its header.
    fn text(&self, table: RunTable, headers: &Headers) -> Result<impl Read, BadLines> {
        let header = headers.line(table).map_err(|error| bad(table, &error))?;
        Ok(std::io::Cursor::new(header).chain(self.tables[table as usize].as_slice()))
    }

    fn not_one_run(&self, table: RunTable) -> BadLines {
        let problem = format!("the lines are not those of run {} of point {}", self.run, self.point);
        BadLines { table, problem }
    }

    /// One piece of bytes: point and index as 64-bit little-endian numbers, then each table's length and lines.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(48 + self.tables.iter().map(Vec::len).sum::<usize>());
        bytes.extend((self.point as u64).to_le_bytes());
        bytes.extend(self.run.to_le_bytes());
        for lines in &self.tables {
            bytes.extend((lines.len() as u64).to_le_bytes());
            bytes.extend(lines);
        }
        bytes
    }

    /// The lines that [`RunLines::to_bytes`] made the bytes of; `None` if they are not such bytes.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let point = usize::try_from(take_number(&mut bytes)?).ok()?;
        let run = take_number(&mut bytes)?;
        let mut tables: [Vec<u8>; TABLES.len()] = Default::default();
        for lines in &mut tables {
            let length = usize::try_from(take_number(&mut bytes)?).ok()?;
            let (own, rest) = bytes.split_at_checked(length)?;
            *lines = own.to_vec();
            bytes = rest;
        }
        bytes.is_empty().then_some(Self { point, run, tables })
    }
}

fn bad(table: RunTable, error: &csv::Error) -> BadLines {
    BadLines { table, problem: error.to_string() }
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*number))
}

fn lines<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    rows.iter().try_for_each(|row| writer.serialize(row))?;
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

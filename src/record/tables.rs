//! Rows ↔ CSV text: RFC 4180, a header, `.` decimals, shortest round-trip numbers, empty for what was not measured.

use super::row::{Row, names};
use super::rows::{RunBody, RunHead, RunRow};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{Read, Write};

/// Writes rows of one flat type under a header that is there even without rows.
pub(crate) struct Table<W: Write> {
    writer: csv::Writer<W>,
}

impl<W: Write> Table<W> {
    /// A table with this header.
    ///
    /// # Errors
    /// What `output` reports.
    pub(crate) fn new(output: W, header: &[String]) -> Result<Self, csv::Error> {
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(output);
        writer.write_record(header)?;
        Ok(Self { writer })
    }

    /// Adds one row; a tuple of rows and lists stands for their columns one after another.
    ///
    /// # Errors
    /// What the output reports.
    pub(crate) fn add<T: Serialize>(&mut self, row: &T) -> Result<(), csv::Error> {
        self.writer.serialize(row)
    }

    /// Hands everything to the output, and the output back.
    ///
    /// # Errors
    /// What the output reports.
    pub(crate) fn finish(self) -> Result<W, csv::Error> {
        self.writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
    }
}

/// Rows of one flat type as CSV text, under a header that is there even without rows.
///
/// # Errors
/// Never for the flat rows of this crate.
pub fn to_csv<T: Serialize + Row>(rows: &[T]) -> Result<Vec<u8>, csv::Error> {
    let mut table = Table::new(Vec::new(), &names::<T>())?;
    rows.iter().try_for_each(|row| table.add(row))?;
    table.finish()
}

/// The header of `runs.csv` for these swept columns.
pub(crate) fn run_columns(swept: &[String]) -> Vec<String> {
    [names::<RunHead>().as_slice(), swept, names::<RunBody>().as_slice()].concat()
}

/// Reads rows of one flat type; columns are found by name, so further columns do no harm.
///
/// # Errors
/// A missing column or a value of the wrong type, with its line.
pub fn read<T: DeserializeOwned>(input: impl Read) -> Result<Vec<T>, csv::Error> {
    csv::Reader::from_reader(input).deserialize().collect()
}

/// Reads `runs.csv` with the given swept columns.
///
/// # Errors
/// A missing column or a value of the wrong type, with its line.
pub(crate) fn read_runs(input: impl Read, swept: &[String]) -> Result<Vec<RunRow>, csv::Error> {
    let mut reader = csv::Reader::from_reader(input);
    let headers = reader.headers()?.clone();
    let places: Vec<Option<usize>> =
        swept.iter().map(|name| headers.iter().position(|header| header == name)).collect();
    // A swept key may have the name of a column of the body, as `iterations` has: the body must not find it.
    let own = |(place, name)| if places.contains(&Some(place)) { "" } else { name };
    let unswept: csv::StringRecord = headers.iter().enumerate().map(own).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let value = |place: &Option<usize>| place.and_then(|place| record.get(place)).unwrap_or_default().to_owned();
        rows.push(RunRow {
            head: record.deserialize(Some(&unswept))?,
            swept: places.iter().map(value).collect(),
            body: record.deserialize(Some(&unswept))?,
        });
    }
    Ok(rows)
}

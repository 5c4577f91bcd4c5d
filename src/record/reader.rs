//! The tables of a result folder or a shard, read run by run.

use super::lines::{Headers, RunLines};
use super::run_record::{BadLines, RunTable, bad, shown};
use super::tasks::Task;
use crate::printable::{LEGAL, is_one_line, is_printable};
use csv::ByteRecord;
use std::io::Read;

/// Reads the runs of the four tables in step; memory does not grow with their number.
pub struct RunReader<R> {
    tables: Vec<TableReader<R>>,
    headers: Headers,
}

/// One table, with the row that comes next.
struct TableReader<R> {
    table: RunTable,
    reader: csv::Reader<R>,
    next: Option<(Task, ByteRecord)>,
}

impl<R: Read> RunReader<R> {
    /// Opens the tables, in their order, of a simulation that sweeps these parameters; each is read in pieces of
    /// `piece` bytes. Columns are found by name, so further columns do no harm.
    ///
    /// # Errors
    /// A header that can't be read, or a row behind it that does not begin with a point and a run.
    pub fn new(inputs: [R; 4], swept: &[String], piece: usize) -> Result<Self, BadLines> {
        let mut tables = Vec::new();
        let mut headers = Headers::new(swept);
        for ((input, &table), columns) in inputs.into_iter().zip(RunTable::ALL).zip(&mut headers.columns) {
            let mut reader = csv::ReaderBuilder::new().buffer_capacity(piece).from_reader(input);
            let found = reader.headers().map_err(|error| bad(table, error))?;
            *columns = found.iter().map(str::to_owned).collect();
            if !columns.iter().all(|column| is_one_line(column)) {
                return Err(bad(table, format!("the name of a column {LEGAL}")));
            }
            if !columns.iter().take(2).eq(["point", "run"]) {
                return Err(bad(table, "does not begin with the columns point and run"));
            }
            let mut reader = TableReader { table, reader, next: None };
            reader.advance()?;
            tables.push(reader);
        }
        Ok(Self { tables, headers })
    }

    /// The columns that the tables have.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Refuses tables that have not exactly these columns.
    ///
    /// # Errors
    /// The first such table.
    pub fn check_columns(&self, own: &Headers) -> Result<(), BadLines> {
        match self.headers.columns.iter().zip(&own.columns).position(|(found, own)| found != own) {
            Some(table) => Err(bad(RunTable::ALL[table], "has other columns than this version writes")),
            None => Ok(()),
        }
    }

    /// The next run; `None` behind the last.
    ///
    /// # Errors
    /// A row that can't be read, a run without its own row of `runs.csv`, or with two of them.
    pub fn next_run(&mut self) -> Result<Option<RunLines>, BadLines> {
        self.next_run_with(|_| [true; 4])
    }

    /// The next run without the lines of the tables that are not wanted of it: their rows are passed over.
    ///
    /// # Errors
    /// As [`RunReader::next_run`].
    pub fn next_run_with(&mut self, wanted: impl Fn(Task) -> [bool; 4]) -> Result<Option<RunLines>, BadLines> {
        let Some(&(task, _)) = self.tables.first().and_then(|runs| runs.next.as_ref()) else {
            return match self.tables.iter().find_map(|table| table.next.as_ref().map(|(task, _)| (table.table, task))) {
                Some((table, task)) => {
                    Err(bad(table, format!("has rows of {}, which runs.csv has not there", shown(*task))))
                }
                None => Ok(None),
            };
        };
        let mut tables: [Vec<u8>; 4] = Default::default();
        for ((table, lines), wanted) in self.tables.iter_mut().zip(&mut tables).zip(wanted(task)) {
            *lines = table.take(task, wanted)?;
        }
        if let Some(&(again, _)) = self.tables.first().and_then(|runs| runs.next.as_ref())
            && again == task
        {
            return Err(bad(RunTable::Runs, format!("has {} twice", shown(task))));
        }
        Ok(Some(RunLines { point: task.0, run: task.1, tables }))
    }
}

impl<R: Read> RunReader<R> {
    /// The next run, which must be this one.
    ///
    /// # Errors
    /// As [`RunReader::next_run`], and another run or none.
    pub fn expect(&mut self, task: Task) -> Result<RunLines, BadLines> {
        match self.next_run()? {
            Some(lines) if (lines.point, lines.run) == task => Ok(lines),
            Some(lines) => Err(bad(
                RunTable::Runs,
                format!("has {} in the place of {}", shown((lines.point, lines.run)), shown(task)),
            )),
            None => Err(bad(RunTable::Runs, format!("has no {}", shown(task)))),
        }
    }

    /// Refuses runs behind the last.
    ///
    /// # Errors
    /// As [`RunReader::next_run`], and a run.
    pub fn expect_end(&mut self) -> Result<(), BadLines> {
        match self.next_run()? {
            None => Ok(()),
            Some(lines) => {
                Err(bad(RunTable::Runs, format!("has {} behind its last run", shown((lines.point, lines.run)))))
            }
        }
    }

    /// The line of each table, from 1, in which its next row stands; 0 behind the last.
    pub fn next_lines(&self) -> [u64; 4] {
        let line = |table: &TableReader<R>| {
            let (_, record) = table.next.as_ref()?;
            Some(record.position()?.line())
        };
        std::array::from_fn(|table| self.tables.get(table).and_then(line).unwrap_or(0))
    }
}

impl<R: Read> TableReader<R> {
    fn advance(&mut self) -> Result<(), BadLines> {
        let mut record = ByteRecord::new();
        self.next = match self.reader.read_byte_record(&mut record) {
            Err(error) => return Err(bad(self.table, error)),
            Ok(false) => None,
            Ok(true) => {
                let number = |place: usize| std::str::from_utf8(record.get(place)?).ok()?.parse::<u64>().ok();
                let task = number(0).and_then(|point| Some((usize::try_from(point).ok()?, number(1)?)));
                let line = record.position().map_or(0, csv::Position::line);
                // What is no UTF-8 is refused where the row is read.
                let hidden = std::str::from_utf8(record.as_slice())
                    .ok()
                    .and_then(|text| text.chars().find(|c| !is_printable(*c)));
                if let Some(c) = hidden {
                    return Err(bad(self.table, format!("line {line}: holds U+{:04X}: a cell {LEGAL}", u32::from(c))));
                }
                let task = task.ok_or_else(|| bad(self.table, format!("line {line}: begins with no point and run")))?;
                Some((task, record))
            }
        };
        Ok(())
    }

    /// The lines of the rows of a run that come next, none if they are not wanted; one at most of `runs.csv`.
    fn take(&mut self, task: Task, wanted: bool) -> Result<Vec<u8>, BadLines> {
        let mut lines = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        while let Some((own, record)) = self.next.take_if(|(own, _)| *own == task) {
            if wanted {
                lines.write_byte_record(&record).map_err(|error| bad(self.table, error))?;
            }
            debug_assert_eq!(own, task);
            self.advance()?;
            if self.table == RunTable::Runs {
                break;
            }
        }
        lines.into_inner().map_err(|error| bad(self.table, error.error()))
    }
}

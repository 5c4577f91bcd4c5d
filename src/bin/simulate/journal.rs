//! The journal of finished runs on disk.

use anyhow::{Context, anyhow};
use moe_theory::record::journal::{Frames, JournalHeader, frame, read_frame};
use moe_theory::record::{RunLines, Task};
use moe_theory::sim::Point;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The name of the journal's file.
pub const NAME: &str = "journal";

/// How much of the work a loss of power may take: a kill takes none.
const SYNC_EVERY: Duration = Duration::from_secs(5);

/// A journal that runs are added to.
pub struct Journal {
    path: PathBuf,
    writing: Mutex<Writing>,
    reading: Mutex<File>,
    /// The runs that were finished when it was opened, and where.
    finished: Finished,
}

struct Writing {
    file: File,
    /// Bytes of whole frames.
    length: u64,
    runs: u64,
    /// Why no frame can be written any more.
    failed: Option<String>,
    synced: Instant,
}

/// A journal that nobody adds runs to.
pub struct Closed<'a>(MutexGuard<'a, Writing>);

impl Closed<'_> {
    /// How many runs it holds.
    pub fn runs(&self) -> u64 {
        self.0.runs
    }
}

/// Where finished runs stand in a journal: 24 bytes a run, sorted.
#[derive(Default)]
struct Finished(Vec<(Task, u64)>);

impl Finished {
    fn place(&self, task: Task) -> Option<u64> {
        let found = self.0.binary_search_by_key(&task, |(task, _)| *task).ok()?;
        self.0.get(found).map(|(_, place)| *place)
    }
}

/// What opening a journal found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Finished runs.
    pub runs: u64,
    /// Bytes of a torn tail, which are gone.
    pub dropped: u64,
}

/// The header of a journal, and whether it holds a run; `None` if there is no journal or none that begins whole.
pub fn peek(path: &Path) -> anyhow::Result<Option<(JournalHeader, bool)>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.with_context(|| path.display().to_string())?,
    };
    let mut input = BufReader::new(file);
    let Some(first) = read_frame(&mut input).with_context(|| path.display().to_string())? else { return Ok(None) };
    let header = header(path, &first)?;
    let has_runs = read_frame(&mut input).with_context(|| path.display().to_string())?.is_some();
    Ok(Some((header, has_runs)))
}

fn header(path: &Path, content: &[u8]) -> anyhow::Result<JournalHeader> {
    JournalHeader::parse(content).with_context(|| format!("{}: not a journal to go on with", path.display()))
}

/// Removes a journal whose runs are safe elsewhere.
pub fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context(path.display().to_string()),
        _ => Ok(()),
    }
}

impl Journal {
    /// Opens the journal in `folder`, and makes one with this header if there is none. The header of one that is there
    /// was compared before.
    pub fn open(folder: &Path, header: &JournalHeader, points: &[Point]) -> anyhow::Result<(Self, Opened)> {
        let path = folder.join(NAME);
        let shown = || path.display().to_string();
        if peek(&path)?.is_none() {
            create(&path, header)?;
        }
        let file = OpenOptions::new().read(true).write(true).open(&path).with_context(shown)?;
        let mut frames = Frames::new(BufReader::new(&file));
        let mut finished = Vec::new();
        for frame in frames.by_ref().skip(1) {
            let (place, content) = frame.with_context(shown)?;
            let task = RunLines::from_bytes(&content).map(|lines| (lines.point, lines.run));
            let task = task.filter(|(point, run)| points.get(*point).is_some_and(|point| *run < point.seeds));
            finished.push((task.ok_or_else(|| anyhow!("{}: byte {place}: no run of the simulation", shown()))?, place));
        }
        let length = frames.length;
        let opened =
            Opened { runs: finished.len() as u64, dropped: file.metadata().with_context(shown)?.len() - length };
        // A torn tail goes before anything is written behind it.
        file.set_len(length).with_context(shown)?;
        finished.sort_unstable();
        let mut file = file;
        file.seek(SeekFrom::Start(length)).with_context(shown)?;
        let reading = Mutex::new(File::open(&path).with_context(shown)?);
        let writing = Writing { file, length, runs: opened.runs, failed: None, synced: Instant::now() };
        Ok((Self { path, writing: Mutex::new(writing), reading, finished: Finished(finished) }, opened))
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        // A panic under the lock leaves a whole number of frames, or a torn tail like a kill.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run that was finished when the journal was opened; `None` if it was not.
    pub fn finished(&self, task: Task) -> anyhow::Result<Option<RunLines>> {
        let Some(place) = self.finished.place(task) else { return Ok(None) };
        let mut file = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(place)).with_context(|| self.shown())?;
        let content = read_frame(&mut BufReader::new(Read::by_ref(&mut *file))).with_context(|| self.shown())?;
        let lines = content.and_then(|content| RunLines::from_bytes(&content));
        Ok(Some(lines.ok_or_else(|| anyhow!("{}: byte {place}: changed while it was read", self.shown()))?))
    }

    /// Adds a finished run: when this returns, a kill does not take it away any more.
    pub fn add(&self, lines: &RunLines) -> anyhow::Result<()> {
        let frame = frame(&lines.to_bytes()).with_context(|| self.shown())?;
        let mut writing = self.writing();
        // Whoever comes later says the same: results are delivered in another order than they are finished.
        if let Some(problem) = &writing.failed {
            return Err(anyhow!("{}: {problem}", self.shown()));
        }
        let Writing { file, length, .. } = &mut *writing;
        let written = file.write_all(&frame);
        if let Err(error) = written {
            // What was written of the frame goes, so that the file is whole; if that fails too, it is a torn tail.
            let _ = file.set_len(*length);
            writing.failed = Some(error.to_string());
            return Err(error).with_context(|| self.shown());
        }
        *length += frame.len() as u64;
        writing.runs += 1;
        if writing.synced.elapsed() > SYNC_EVERY {
            writing.file.sync_data().with_context(|| self.shown())?;
            writing.synced = Instant::now();
        }
        Ok(())
    }

    /// Keeps everybody from adding runs as long as it is held, which is until the process ends: whoever adds one waits.
    pub fn close(&self) -> Closed<'_> {
        let writing = self.writing();
        // The process ends anyway; what the disk refuses now it would refuse then.
        let _ = writing.file.sync_data();
        Closed(writing)
    }

    /// The runs that were finished when it was opened.
    pub fn finished_before(&self) -> impl Iterator<Item = Task> {
        self.finished.0.iter().map(|(task, _)| *task)
    }
}

/// Makes a journal that holds a header; it is there whole or not at all.
fn create(path: &Path, header: &JournalHeader) -> anyhow::Result<()> {
    let new = path.with_extension("new");
    let write = || -> anyhow::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(&frame(&serde_json::to_vec(header)?)?)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        Ok(())
    };
    write().with_context(|| path.display().to_string())
}

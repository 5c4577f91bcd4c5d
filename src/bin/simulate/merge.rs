//! `simulate merge`: shards into one result, the bytes of a run that was never split.

use crate::args::MergeArguments;
use crate::collector::Collector;
use crate::failure::Failure;
use crate::folder::{self, Draft, MANIFEST, PARTIAL, read_manifest};
use crate::judge::{check_files, simulation_of};
use crate::output;
use crate::run::{Shown, check, detail, header, show_findings};
use moe_theory::record::BadLines;
use moe_theory::record::manifest::Manifest;
use moe_theory::record::{Headers, RunLines, RunReader, Shard, TABLES, Task, check_record, tasks};
use moe_theory::report::Labels;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Bytes of all tables of all shards that are held at once, about.
const HELD: usize = 32 << 20;

/// Missing shards that a message names.
const NAMED: usize = 20;

/// Merges shards, judges and writes the whole.
pub fn command(arguments: &MergeArguments) -> Result<(), Failure> {
    let start = Instant::now();
    let folders = shard_folders(&arguments.dirs)?;
    let shards = fitting_shards(&folders)?;
    let (first, their) = shards.values().next().ok_or_else(|| Failure::Usage("no shard was given".to_owned()))?;
    for (dir, manifest) in shards.values() {
        check_files(dir, manifest)?;
    }
    let (simulation, points) = simulation_of(first, their)?;
    let mut manifest = whole(their);
    let header = header(manifest.clone(), false)?;
    folder::check_target(&arguments.out, &header, false)?;
    let headers = Headers::new(&manifest.swept);
    let mut readers = Vec::new();
    for (dir, _) in shards.values() {
        readers.push(ShardReader::open(dir, &headers, HELD / (TABLES.len() * shards.len()))?);
    }
    let draft = Draft::open(&arguments.out)?;
    draft.register(&manifest)?;
    let mut collector = Collector::new(draft, &headers, &manifest, &simulation, &points)?;
    let mut runs = 0;
    for task in tasks(&points, manifest.design(), None).flatten() {
        let reader = &mut readers[runs % shards.len()];
        let done = reader.next(task).and_then(|lines| {
            let record = lines.record(&headers).map_err(|error| reader.refuse(&error))?;
            check_record(&record, &points).map_err(|error| reader.refuse(&error))?;
            Ok((record, lines))
        });
        match done {
            Ok((record, lines)) => collector.add(&record, &lines)?,
            Err(failure) => {
                collector.abandon();
                return Err(failure);
            }
        }
        runs += 1;
    }
    if let Some(failure) = readers.iter_mut().find_map(|reader| reader.end().err()) {
        collector.abandon();
        return Err(failure);
    }
    let finished = collector.finish(&mut manifest, arguments.figures)?;
    if !arguments.quiet {
        show_findings(&finished, &Shown { labels: Labels::of(&points), detail: detail(arguments.verbose) })?;
        let (count, seconds) = (shards.len(), start.elapsed().as_secs_f64());
        let word = if count == 1 { "shard" } else { "shards" };
        writeln!(
            output::stdout(),
            "{runs} runs of {count} {word} merged in {seconds:.1} s. Results: {}",
            arguments.out.display()
        )?;
    }
    if arguments.check { check(&[(&simulation.name, finished.findings.claims)]) } else { Ok(()) }
}

/// The folders of the shards: those that were given, and those in a folder that holds shards.
fn shard_folders(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut folders = Vec::new();
    for dir in given {
        if dir.join(MANIFEST).exists() {
            folders.push(dir.clone());
            continue;
        }
        let refused = |error: std::io::Error| Failure::Usage(format!("{}: {error}", dir.display()));
        let entries = fs::read_dir(dir).map_err(refused)?.collect::<Result<Vec<_>, _>>().map_err(refused)?;
        let is_unfinished = |path: &Path| path.join(PARTIAL).exists() && !path.join(MANIFEST).exists();
        let mut within: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
        within.sort();
        if let Some(unfinished) = std::iter::once(dir).chain(&within).find(|path| is_unfinished(path)) {
            let shown = unfinished.display();
            return Err(Failure::Usage(format!(
                "{shown}: the shard is not finished; `simulate run … --resume` goes on"
            )));
        }
        within.retain(|path| path.join(MANIFEST).exists());
        if within.is_empty() {
            return Err(Failure::Usage(format!("{}: neither a shard nor a folder of shards", dir.display())));
        }
        folders.extend(within);
    }
    Ok(folders)
}

/// The shards by number: all of one simulation, one version and one N, each there once.
fn fitting_shards(folders: &[PathBuf]) -> Result<BTreeMap<Shard, (PathBuf, Manifest)>, Failure> {
    let mut shards: BTreeMap<Shard, (PathBuf, Manifest)> = BTreeMap::new();
    for dir in folders {
        let manifest = read_manifest(dir)?;
        let refuse = |problem: String| Err(Failure::Usage(format!("{}: {problem}", dir.display())));
        let Some(shard) = manifest.shard else { return refuse("holds no shard but a whole simulation".to_owned()) };
        if let Some((first, (other, their))) = shards.first_key_value() {
            let other = other.display();
            let difference = whole(their).difference(&whole(&manifest)).or_else(|| their.program_difference(&manifest));
            if let Some(difference) = difference {
                return refuse(format!("does not fit to {other}: {difference}"));
            }
            if first.count != shard.count {
                return refuse(format!("is shard {shard}, and {other} is shard {first}: another number of shards"));
            }
        }
        if let Some((twice, _)) = shards.get(&shard) {
            return refuse(format!("is shard {shard}, and so is {}", twice.display()));
        }
        shards.insert(shard, (dir.clone(), manifest));
    }
    let count = shards.first_key_value().map_or(0, |(shard, _)| shard.count);
    let mut missing =
        (1..=count).filter_map(|index| Shard::new(index, count).ok()).filter(|shard| !shards.contains_key(shard));
    let named: Vec<String> = missing.by_ref().take(NAMED).map(|shard| shard.to_string()).collect();
    if named.is_empty() {
        return Ok(shards);
    }
    let more = match missing.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let word = if named.len() == 1 { "shard" } else { "shards" };
    Err(Failure::Usage(format!("{word} {}{more}: missing; nothing was written", named.join(", "))))
}

/// The manifest of the simulation that a shard is of, as it is before the first run.
fn whole(shard: &Manifest) -> Manifest {
    Manifest { shard: None, files_sha256: BTreeMap::new(), ..shard.clone() }
}

/// The runs of one shard, in order.
struct ShardReader {
    dir: PathBuf,
    runs: RunReader<Pieces>,
}

impl ShardReader {
    fn open(dir: &Path, headers: &Headers, piece: usize) -> Result<Self, Failure> {
        let inputs = TABLES.map(|name| Pieces { path: dir.join(name), place: 0 });
        let refuse = |error: BadLines| Failure::Usage(format!("{}/{error}", dir.display()));
        let runs = RunReader::new(inputs, &headers.swept, piece.clamp(1 << 12, 1 << 16)).map_err(refuse)?;
        runs.check_columns(headers).map_err(refuse)?;
        Ok(Self { dir: dir.to_owned(), runs })
    }

    fn refuse(&self, error: &BadLines) -> Failure {
        Failure::Usage(format!("{}/{error}; nothing was written", self.dir.display()))
    }

    /// The next run, which must be this one.
    fn next(&mut self, task: Task) -> Result<RunLines, Failure> {
        self.runs.expect(task).map_err(|error| self.refuse(&error))
    }

    /// Refuses runs beyond the last.
    fn end(&mut self) -> Result<(), Failure> {
        self.runs.expect_end().map_err(|error| self.refuse(&error))
    }
}

/// A file that is open only while a piece of it is read: a thousand shards have more tables than a process may open.
struct Pieces {
    path: PathBuf,
    place: u64,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.place))?;
        let bytes = file.read(buffer)?;
        self.place += bytes as u64;
        Ok(bytes)
    }
}

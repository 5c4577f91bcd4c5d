//! `simulate judge`: verdicts again from the CSVs.

use crate::failure::Failure;
use crate::folder::read_manifest;
use crate::load::load;
use crate::output;
use moe_theory::claims::{Analysis, Findings};
use moe_theory::record::manifest::{Manifest, Provenance, claims_hash, sha256, sha256_of};
use moe_theory::record::{BadLines, RunRecord};
use moe_theory::record::{Design, RunReader, TABLES, check_record, tasks};
use moe_theory::report::Labels;
use moe_theory::report::text::{self, Detail};
use moe_theory::sim::{Overrides, Point, Simulation};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Bytes of a table that are read at once.
pub const PIECE: usize = 1 << 16;

/// Judges a result folder again and prints the verdicts.
pub fn command(dir: &Path, against: Option<&str>, detail: Detail) -> Result<(), Failure> {
    let shown = dir.display().to_string();
    if let Some(name) = against {
        let manifest = read_manifest(dir)?;
        let loaded = load(name, &manifest.overrides, manifest.seeds_given)?;
        let here = rebuild(&manifest, &loaded.text, &loaded.simulation, &loaded.points);
        if let Some(difference) = manifest.difference(&here) {
            return Err(Failure::Usage(format!("{shown}: not a run of {name}: {difference}")));
        }
    }
    let (findings, labels) = findings(dir)?;
    let mut out = output::stdout();
    crate::terminal::print(&text::findings(&findings, &labels, detail))?;
    check_findings(dir, &findings)?;
    writeln!(out, "\nThe same as in {shown}/claims.csv.")?;
    Ok(())
}

/// What the CSVs of a complete result folder say, and what tells its points apart.
pub fn findings(dir: &Path) -> Result<(Findings, Labels), Failure> {
    let manifest = whole_manifest(dir)?;
    let (simulation, points) = simulation_of(dir, &manifest)?;
    let findings = judge(dir, &manifest, &simulation, &points)?.0.unwrap_or_default();
    Ok((findings, Labels::of(&points)))
}

/// The manifest of a complete result folder, no shard's, whose files are those that it was written for.
pub fn whole_manifest(dir: &Path) -> Result<Manifest, Failure> {
    let manifest = read_manifest(dir)?;
    if let Some(shard) = manifest.shard {
        let shown = dir.display();
        return Err(Failure::Usage(format!(
            "{shown}: shard {shard} alone has no verdicts; `simulate merge` joins the shards"
        )));
    }
    check_files(dir, &manifest)?;
    Ok(manifest)
}

/// The simulation that a manifest, whose hashes were checked, is of.
pub fn simulation_of(dir: &Path, manifest: &Manifest) -> Result<(Simulation, Vec<Point>), Failure> {
    let file = format!("{}/manifest.json", dir.display());
    let overrides = Overrides { set: &manifest.overrides, seeds: manifest.seeds_given };
    let simulation = Simulation::parse(&file, &manifest.simulation, &overrides).map_err(Failure::usage)?;
    let points = simulation.points().map_err(Failure::usage)?;
    let here = rebuild(manifest, &manifest.simulation, &simulation, &points);
    match manifest.difference(&here).or_else(|| manifest.text_difference(&here)) {
        Some(difference) => Err(Failure::Usage(format!("{file}: not what its simulation says: {difference}"))),
        None => Ok((simulation, points)),
    }
}

/// Refuses a folder whose files are not those that its manifest was written for.
pub fn check_files(dir: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let file = dir.join("manifest.json");
    if sha256(manifest.simulation.as_bytes()) != manifest.simulation_sha256 {
        return Err(Failure::Usage(format!("{}: the simulation text has changed since the run", file.display())));
    }
    if claims_hash(&manifest.claims, &manifest.phases) != manifest.claims_sha256 {
        return Err(Failure::Usage(format!("{}: the claims have changed since the run", file.display())));
    }
    let claims: &[&str] = if manifest.shard.is_none() { &["claims.csv"] } else { &[] };
    let missing = TABLES.iter().chain(claims).find(|name| !manifest.files_sha256.contains_key(**name));
    if let Some(name) = missing {
        return Err(Failure::Usage(format!("{}: has no SHA-256 of {name}: not the manifest of a run", file.display())));
    }
    for (name, hash) in &manifest.files_sha256 {
        if Path::new(name).file_name() != Some(std::ffi::OsStr::new(name)) {
            return Err(Failure::Usage(format!("{}: {name:?} is not the name of a table", file.display())));
        }
        let path = dir.join(name);
        let found = File::open(&path).and_then(sha256_of);
        let found = found.map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        if *hash != found {
            return Err(Failure::Usage(format!(
                "{}: changed since the run (its SHA-256 is not the manifest's)",
                path.display()
            )));
        }
    }
    Ok(())
}

/// The manifest that a run of this simulation would have had, in the way in which `manifest` was run.
fn rebuild(manifest: &Manifest, text: &str, simulation: &Simulation, points: &[Point]) -> Manifest {
    let provenance = Provenance { text: text.to_owned(), ..Provenance::of(manifest) };
    Manifest::new(simulation, points, &provenance)
}

/// Hands every run of a folder that was judged before to a function, with the number of its point; without trajectories.
pub fn for_each_run(dir: &Path, swept: &[String], mut see: impl FnMut(usize, RunRecord)) -> Result<(), Failure> {
    let refuse = |error: BadLines| Failure::Usage(format!("{}/{error}", dir.display()));
    let mut reader = RunReader::new(open_tables(dir)?, swept, PIECE).map_err(refuse)?;
    while let Some(lines) = reader.next_run_with(|_| [true, true, false, true]).map_err(refuse)? {
        see(lines.point, lines.record(reader.headers()).map_err(refuse)?);
    }
    Ok(())
}

/// Reads the tables of a complete result folder or shard, in which exactly its runs must stand, in their order: what they
/// say (`None` of a shard), and how many runs there are.
pub fn judge(
    dir: &Path,
    manifest: &Manifest,
    simulation: &Simulation,
    points: &[Point],
) -> Result<(Option<Findings>, u64), Failure> {
    let refuse = |error: BadLines| Failure::Usage(format!("{}/{error}", dir.display()));
    let mut reader = RunReader::new(open_tables(dir)?, &manifest.swept, PIECE).map_err(refuse)?;
    let design = manifest.design();
    let mut analysis = manifest.shard.is_none().then(|| Analysis::new(simulation, points, design));
    let mut open: BTreeSet<usize> = points.iter().map(|point| point.index).collect();
    let mut runs = 0;
    for mut list in tasks(points, design, manifest.shard) {
        list.retain(|(point, _)| open.contains(point));
        for task in list {
            let lines = reader.expect(task).map_err(refuse)?;
            let record = lines.record(reader.headers()).map_err(refuse)?;
            check_record(&record, points).map_err(refuse)?;
            if let Some(analysis) = &mut analysis {
                analysis.add(
                    lines.point,
                    lines.run,
                    &record.run.body,
                    &record.experts,
                    &record.pruning,
                    &record.trajectory,
                );
            }
            runs += 1;
        }
        if let (Some(analysis), Design::Sequential { .. }) = (&mut analysis, design) {
            open = analysis.open_points();
        }
    }
    reader.expect_end().map_err(refuse)?;
    Ok((analysis.map(|mut analysis| analysis.findings()), runs))
}

/// Refuses a folder whose tables of findings are not those that its runs give.
pub fn check_findings(dir: &Path, findings: &Findings) -> Result<(), Failure> {
    for (name, now) in findings.files().map_err(anyhow::Error::from)? {
        let path = dir.join(name);
        let found = fs::read(&path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        if found != now {
            let shown = path.display();
            return Err(Failure::Running(anyhow::anyhow!("{shown}: holds other findings than its CSVs give now")));
        }
    }
    Ok(())
}

/// The tables of a folder that hold rows of runs.
pub fn open_tables(dir: &Path) -> Result<[File; 4], Failure> {
    let open = |name: &str| {
        let path = dir.join(name);
        File::open(&path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
    };
    let [runs, experts, trajectory, pruning] = TABLES;
    Ok([open(runs)?, open(experts)?, open(trajectory)?, open(pruning)?])
}

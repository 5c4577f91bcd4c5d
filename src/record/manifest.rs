//! The manifest: what was run, and the hashes of what came out.

use super::design::Design;
use super::shard::Shard;
use crate::printable::{LEGAL, is_one_line, one_line};
use crate::sim::{ClaimSpec, PhaseSpec, Point, Simulation, resolved_keys};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};

/// The content of `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the file format.
    pub format: u32,
    /// Name of the simulation.
    pub name: String,
    /// What the simulation is for.
    pub aims: String,
    /// Version of the program.
    pub version: String,
    /// Git revision of its source, `unknown` outside a checkout.
    pub revision: String,
    /// The random generator and how runs use it.
    pub generator: String,
    /// The engine asked for: `auto`, `pattern` or `dense`.
    pub engine: String,
    /// The master seed.
    pub master_seed: u64,
    /// Runs per point (the most, if decided sequentially).
    pub seeds: u64,
    /// Runs per point asked for on the command line, in place of the file's and of its cases'.
    pub seeds_given: Option<u64>,
    /// Runs a point between two looks, if the verdicts were looked at while runs came in.
    pub sequential_block: Option<u64>,
    /// Which part of the runs it is; absent for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Names of the swept parameters, the columns of `runs.csv` between `seed` and `stop_reason`.
    pub swept: Vec<String>,
    /// The resolved keys of every point.
    pub points: Vec<ManifestPoint>,
    /// The claims with their thresholds.
    pub claims: Vec<ClaimSpec>,
    /// The phase maps with their claims.
    pub phases: Vec<PhaseSpec>,
    /// The text of the simulation file.
    pub simulation: String,
    /// `--set key=value` overrides.
    pub overrides: Vec<String>,
    /// SHA-256 of the simulation text.
    pub simulation_sha256: String,
    /// SHA-256 of the claims and phase maps, as JSON.
    pub claims_sha256: String,
    /// SHA-256 of each CSV file by name; filled when the files are complete.
    pub files_sha256: BTreeMap<String, String>,
}

/// One grid point in the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManifestPoint {
    /// Its number.
    pub point: usize,
    /// Its case; empty if there is none.
    pub case: String,
    /// Runs (the most, if decided sequentially).
    pub seeds: u64,
    /// Every resolved key.
    pub parameters: BTreeMap<String, String>,
}

/// Version of the manifest and CSV formats.
pub(crate) const FORMAT: u32 = 1;

/// Version of the journal's format.
pub const JOURNAL: u32 = 1;

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// SHA-256 in hexadecimal of all that `input` gives, read piece by piece.
///
/// # Errors
/// What the input reports.
pub fn sha256_of(mut input: impl Read) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match input.read(&mut piece) {
            Ok(0) => return Ok(hexadecimal(&hash.finalize())),
            Ok(bytes) => hash.update(&piece[..bytes]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hash of claims and phase maps: of their JSON.
pub fn claims_hash(claims: &[ClaimSpec], phases: &[PhaseSpec]) -> String {
    // Serialising words and numbers to JSON cannot fail.
    sha256(&serde_json::to_vec(&(claims, phases)).unwrap_or_default())
}

/// Why a manifest was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not the JSON of a manifest.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Formats that this version does not know.
    #[error(
        "format = {0}: must be {FORMAT}: another version of the program wrote it, and its files may mean something else"
    )]
    Format(u64),
    /// A format of the journal that this version does not know.
    #[error("journal = {0}: must be {JOURNAL}: another version of the program wrote it")]
    Journal(u64),
    /// A text that can't be shown, by its key, with escapes.
    #[error("{0} = \"{1}\": {LEGAL}")]
    Text(String, String),
    /// A shard that is none.
    #[error("shard = {0}: there is no such shard")]
    Shard(Shard),
}

/// The first thing to read of a manifest: all else depends on it.
#[derive(Deserialize)]
pub(super) struct Version {
    format: u64,
}

impl Version {
    pub(super) fn check(self) -> Result<(), ManifestError> {
        if self.format == u64::from(FORMAT) { Ok(()) } else { Err(ManifestError::Format(self.format)) }
    }
}

/// The first text within a value that can't be shown, with its key. The simulation has lines; it is read as a
/// simulation file before anything of it is shown.
fn hidden_text(key: &str, value: &Value) -> Option<(String, String)> {
    let within = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match value {
        Value::String(text) if !is_one_line(text) && key != "simulation" => {
            Some((one_line(key).into_owned(), one_line(text).into_owned()))
        }
        Value::Array(items) => items.iter().find_map(|item| hidden_text(key, item)),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let named = Value::String(name.clone());
            hidden_text("a key", &named).or_else(|| hidden_text(&within(name), value))
        }),
        _ => None,
    }
}

/// What the command line adds to a simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Provenance {
    /// The text of the simulation file.
    pub text: String,
    /// `--set` overrides.
    pub overrides: Vec<String>,
    /// The engine asked for.
    pub engine: String,
    /// The master seed.
    pub master_seed: u64,
    /// `--seeds`, if given.
    pub seeds_given: Option<u64>,
    /// Git revision of the program's source.
    pub revision: String,
    /// How runs are collected.
    pub design: Design,
    /// Which part of the runs is done.
    pub shard: Option<Shard>,
}

impl Provenance {
    /// That of the runs of a manifest.
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            text: manifest.simulation.clone(),
            overrides: manifest.overrides.clone(),
            engine: manifest.engine.clone(),
            master_seed: manifest.master_seed,
            seeds_given: manifest.seeds_given,
            revision: manifest.revision.clone(),
            design: manifest.design(),
            shard: manifest.shard,
        }
    }
}

impl Manifest {
    /// Reads `manifest.json`.
    ///
    /// # Errors
    /// Another format than `FORMAT` whatever else the text holds, what is no manifest, and a shard that is none.
    pub fn parse(text: &[u8]) -> Result<Self, ManifestError> {
        serde_json::from_slice::<Version>(text)?.check()?;
        let value: Value = serde_json::from_slice(text)?;
        if let Some((key, text)) = hidden_text("", &value) {
            return Err(ManifestError::Text(key, text));
        }
        let manifest: Self = serde_json::from_value(value)?;
        match manifest.shard {
            Some(shard) if Shard::new(shard.index, shard.count) != Ok(shard) => Err(ManifestError::Shard(shard)),
            _ => Ok(manifest),
        }
    }

    /// The manifest of a simulation that is about to run.
    pub fn new(simulation: &Simulation, points: &[Point], provenance: &Provenance) -> Self {
        let describe = |point: &Point| ManifestPoint {
            point: point.index,
            case: point.case.clone().unwrap_or_default(),
            seeds: point.seeds,
            parameters: resolved_keys(&point.parameters).into_iter().collect(),
        };
        Self {
            format: FORMAT,
            name: simulation.name.clone(),
            aims: simulation.aims.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: provenance.revision.clone(),
            generator: "ChaCha8; run seed = SHA-256(master seed, keys, run index); one stream a purpose".to_owned(),
            engine: provenance.engine.clone(),
            master_seed: provenance.master_seed,
            seeds: simulation.seeds,
            seeds_given: provenance.seeds_given,
            sequential_block: match provenance.design {
                Design::Fixed => None,
                Design::Sequential { block } => Some(block),
            },
            shard: provenance.shard,
            swept: points
                .first()
                .map(|point| point.swept.iter().map(|(name, _)| name.clone()).collect())
                .unwrap_or_default(),
            points: points.iter().map(describe).collect(),
            claims: simulation.claims.clone(),
            phases: simulation.phases.clone(),
            simulation_sha256: sha256(provenance.text.as_bytes()),
            simulation: provenance.text.clone(),
            overrides: provenance.overrides.clone(),
            claims_sha256: claims_hash(&simulation.claims, &simulation.phases),
            files_sha256: BTreeMap::new(),
        }
    }

    /// How runs were collected.
    pub fn design(&self) -> Design {
        self.sequential_block.map_or(Design::Fixed, |block| Design::Sequential { block })
    }

    /// What differs between the configurations of two manifests: the first difference in words, `None` if a run of one
    /// is a run of the other. Program versions do not count here, nor do the hashes of the results.
    pub fn difference(&self, other: &Manifest) -> Option<String> {
        let differs = |what: &str, a: &dyn std::fmt::Display, b: &dyn std::fmt::Display| {
            let (a, b) = (a.to_string(), b.to_string());
            (a != b).then(|| format!("{what} is {a} there and {b} here"))
        };
        let block =
            |manifest: &Manifest| manifest.sequential_block.map_or("none".to_owned(), |block| block.to_string());
        let part = |manifest: &Manifest| manifest.shard.map_or("none".to_owned(), |shard| shard.to_string());
        differs("name", &self.name, &other.name)
            .or_else(|| differs("the master seed", &self.master_seed, &other.master_seed))
            .or_else(|| differs("seeds", &self.seeds, &other.seeds))
            .or_else(|| differs("the engine", &self.engine, &other.engine))
            .or_else(|| differs("the sequential block", &block(self), &block(other)))
            .or_else(|| differs("the shard", &part(self), &part(other)))
            .or_else(|| differs("the number of points", &self.points.len(), &other.points.len()))
            .or_else(|| self.points.iter().zip(&other.points).find_map(|(a, b)| a.difference(b)))
            .or_else(|| claims_difference(&self.claims, &other.claims))
            .or_else(|| (self.phases != other.phases).then(|| "the phase maps differ".to_owned()))
    }
}

impl Manifest {
    /// What differs between texts that follow from the simulation and change no run, in words.
    pub fn text_difference(&self, other: &Manifest) -> Option<String> {
        let aims =
            (self.aims != other.aims).then(|| format!("aims is {:?} there and {:?} here", self.aims, other.aims));
        let swept = || format!("swept is {:?} there and {:?} here", self.swept, other.swept);
        aims.or_else(|| (self.swept != other.swept).then(swept))
    }

    /// What differs between the programs of two manifests, in words: their results may differ in the last bits.
    pub fn program_difference(&self, other: &Manifest) -> Option<String> {
        let program = |manifest: &Manifest| format!("{} ({})", manifest.version, manifest.revision);
        let (there, here) = (program(self), program(other));
        (there != here).then(|| format!("the program is version {there} there and {here} here"))
    }
}

impl ManifestPoint {
    fn difference(&self, other: &ManifestPoint) -> Option<String> {
        if self.case != other.case {
            return Some(format!("case of point {} is {:?} there and {:?} here", self.point, self.case, other.case));
        }
        if self.seeds != other.seeds {
            return Some(format!("seeds of point {} is {} there and {} here", self.point, self.seeds, other.seeds));
        }
        let keys = self.parameters.keys().chain(other.parameters.keys());
        let missing = "absent".to_owned();
        keys.into_iter().find_map(|key| {
            let (a, b) = (self.parameters.get(key).unwrap_or(&missing), other.parameters.get(key).unwrap_or(&missing));
            (a != b).then(|| format!("{key} at point {} is {a} there and {b} here", self.point))
        })
    }
}

/// The first difference between two lists of claims in words.
fn claims_difference(there: &[ClaimSpec], here: &[ClaimSpec]) -> Option<String> {
    if there.len() != here.len() {
        return Some(format!("there are {} claims there and {} here", there.len(), here.len()));
    }
    let shown = |claim: &ClaimSpec| serde_json::to_string(claim).unwrap_or_default();
    there
        .iter()
        .zip(here)
        .find(|(a, b)| a != b)
        .map(|(a, b)| format!("claim {} is {} there and {} here", a.id, shown(a), shown(b)))
}

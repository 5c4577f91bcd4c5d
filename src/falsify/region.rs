//! The box of parameters that is searched, and what is fixed.

use crate::claims::Definition;
use crate::sim::Kind;
use crate::sim::keys::{KEYS, find};
use crate::sim::{ClaimId, ClaimNeed, Overrides, Simulation, SimulationError, find_claim};
use toml::{Table, Value};

/// One searched key.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// Its path.
    pub path: String,
    /// Smallest value.
    pub from: f64,
    /// Largest value.
    pub to: f64,
    /// Whether steps are equal in the logarithm.
    pub log: bool,
    /// Whether values are whole numbers.
    pub integer: bool,
    /// Whether smaller is simpler: a size, in place of a parameter whose default is the simplest.
    pub size: bool,
}

/// What is searched and what is fixed.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The claim, by id.
    pub claim: String,
    /// What it is.
    pub searched: Searched,
    /// The searched keys.
    pub dimensions: Vec<Dimension>,
    /// Fixed settings, as the sections of a simulation file.
    pub fixed: Table,
    /// The values of d that a claim on slopes is judged over; empty for other claims.
    pub line: Vec<u64>,
}

/// What kind of claim is searched.
#[derive(Clone, Debug, PartialEq)]
pub enum Searched {
    /// One of the theory.
    Known(ClaimId),
    /// One of the file: its `[[claim]]`.
    Own(Table),
}

/// Why a region is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegionError {
    /// The claim can't be searched.
    #[error("{0}: {1}")]
    Claim(String, String),
    /// The text is no TOML, or says something that is not understood.
    #[error("{0}")]
    Text(String),
    /// The fixed settings are refused.
    #[error(transparent)]
    Settings(#[from] SimulationError),
}

/// The box that is searched unless a file says otherwise: path, from, to, logarithmic, a size.
#[rustfmt::skip] // One key a line: a table.
const BOX: &[(&str, f64, f64, bool, bool)] = &[
    ("data.patterns", 24.0, 256.0, true, true),
    ("data.tokens", 4.0, 24.0, false, true),
    ("data.class_share", 0.45, 0.55, false, false),
    ("model.experts", 4.0, 32.0, true, true),
    ("model.neurons", 2.0, 32.0, true, false),
    ("model.tokens_per_expert", 2.0, 8.0, false, false),
    ("pretrained.relevant_per_class", 1.0, 3.0, false, false),
    ("pretrained.misaligned", 0.0, 4.0, false, false),
    ("pretrained.specialisation", 0.2, 0.9, false, false),
    ("pretrained.router_scale", 0.5, 2.0, true, false),
    ("pretrained.router_noise", 0.01, 0.3, true, false),
    ("pretrained.neuron_scale", 0.05, 1.0, true, false),
    ("pretrained.neuron_scale_relevant", 0.05, 1.0, true, false),
    ("pretrained.neuron_scale_misaligned", 0.05, 1.0, true, false),
    ("pretrained.gauge_relevant", -1.0, 1.0, false, false),
    ("training.router_rate", 0.02, 1.0, true, false),
    ("training.expert_rate", 0.2, 8.0, true, false),
    ("training.batch", 2.0, 512.0, true, true),
    ("training.iterations", 30.0, 600.0, true, true),
];

/// d of a claim on slopes, if a file does not fix another line.
const LINE: [u64; 4] = [32, 64, 128, 256];

impl Region {
    /// The region of a claim: the built-in box, changed by the text of a file.
    ///
    /// The file's sections fix keys, as in a simulation file (`[pretrained] misaligned = 0`), assumptions and roles among
    /// them. Its table `[region]` gives ranges of its own, `"training.batch" = { from = 2, to = 64, scale = "log" }`. Its
    /// `[[claim]]` and `[[assumption]]` are those of a simulation file; a claim with `holds`, `figure` and `threshold` can be
    /// searched.
    ///
    /// # Errors
    /// An unknown claim or one that has no runs to fail in; a text that is not understood; settings that are refused.
    pub fn new(claim: &str, file: &str, text: &str) -> Result<Self, RegionError> {
        let mut fixed: Table =
            text.parse().map_err(|error: toml::de::Error| RegionError::Text(format!("{file}: {}", error.message())))?;
        let own = take_own(&mut fixed, claim)?;
        let ranges = match fixed.remove("region") {
            None => Table::new(),
            Some(Value::Table(ranges)) => ranges,
            Some(_) => return Err(RegionError::Text(format!("{file}: region must be a table"))),
        };
        let mut dimensions: Vec<Dimension> = BOX.iter().map(Dimension::of_box).collect();
        for (path, range) in &ranges {
            let dimension =
                Dimension::read(path, range).map_err(|what| RegionError::Text(format!("{file}: {what}")))?;
            dimensions.retain(|other| other.path != *path);
            dimensions.push(dimension);
        }
        dimensions.retain(|dimension| !is_set(&fixed, &dimension.path));
        let (searched, on_slopes) = match own {
            Some(own) => (Searched::Own(own), false),
            None => {
                let key = find_claim(claim)
                    .filter(|key| key.is_searchable())
                    .ok_or_else(|| RegionError::Claim(claim.into(), "no claim that can be searched".into()))?;
                (Searched::Known(key.id), key.line > 0)
            }
        };
        let line = if on_slopes { LINE.to_vec() } else { Vec::new() };
        if !line.is_empty() {
            dimensions.retain(|dimension| dimension.path != "data.patterns");
        }
        let claim = match &searched {
            Searched::Known(id) => id.name().to_owned(),
            Searched::Own(_) => claim.to_owned(),
        };
        let region = Self { claim, searched, dimensions, fixed, line };
        // What is fixed must be legal by itself.
        let nothing = super::Candidate { values: vec![None; region.dimensions.len()] };
        region.simulation(&nothing, 1)?;
        Ok(region)
    }

    /// The simulation of a candidate.
    ///
    /// # Errors
    /// Keys that contradict each other.
    pub fn simulation(&self, candidate: &super::Candidate, seeds: u64) -> Result<Simulation, SimulationError> {
        Simulation::parse("candidate", &self.text(candidate, seeds), &Overrides::default())
    }

    /// The simulation file of a candidate.
    pub fn text(&self, candidate: &super::Candidate, seeds: u64) -> String {
        let mut table = Table::new();
        table.insert("name".into(), Value::String(format!("falsify-{}", ascii(&self.claim))));
        table.insert("aims".into(), Value::String(format!("A setting that breaks {}", self.claim)));
        table.insert("seeds".into(), Value::Integer(i64::try_from(seeds).unwrap_or(i64::MAX)));
        for (section, value) in &self.fixed {
            table.insert(section.clone(), value.clone());
        }
        for (path, value) in self.needs().into_iter().chain(self.values(candidate)) {
            set(&mut table, &path, value);
        }
        if !self.line.is_empty() {
            let line = self.line.iter().map(|&d| Value::Integer(d as i64)).collect();
            let grid = Table::from_iter([("data.patterns".to_owned(), Value::Array(line))]);
            table.insert("grid".into(), Value::Table(grid));
        }
        let mut claim = match &self.searched {
            Searched::Own(own) => own.clone(),
            Searched::Known(id) => {
                let mut claim = Table::from_iter([("id".to_owned(), Value::String(id.name().to_owned()))]);
                if let Some(threshold) = Definition::of(*id).usual_threshold {
                    claim.insert("threshold".into(), Value::Float(threshold));
                }
                claim
            }
        };
        claim.insert("expect".into(), Value::String("REFUTED".into()));
        table.insert("claim".into(), Value::Array(vec![Value::Table(claim)]));
        // A table of strings, numbers, lists and tables can always be written.
        toml::to_string(&table).unwrap_or_default()
    }

    /// What the claim needs, unless the file fixes it.
    fn needs(&self) -> Vec<(String, Value)> {
        let mut needs = Vec::new();
        let known = match self.searched {
            Searched::Known(id) => id.key().needs,
            // The file fixes what its claim needs.
            Searched::Own(_) => &[],
        };
        for need in known {
            match need {
                ClaimNeed::HalfBatches => needs.push(("record.half_batches", Value::Boolean(true))),
                ClaimNeed::Certificates => needs.push(("certificate.nodes", Value::Integer(50))),
                ClaimNeed::Finetuning => {
                    needs.push(("pruning.finetune_kept", Value::Array([8, 4, 3].map(Value::Integer).to_vec())));
                }
                // By default pruned models are certified too; the others are not searched.
                ClaimNeed::PrunedCertificates
                | ClaimNeed::Roles
                | ClaimNeed::Routers
                | ClaimNeed::Lemma
                | ClaimNeed::OtherCriterion
                | ClaimNeed::RareFeatures
                | ClaimNeed::Bits => {}
            }
        }
        needs.retain(|(path, _)| !is_set(&self.fixed, path));
        needs.into_iter().map(|(path, value)| (path.to_owned(), value)).collect()
    }

    /// The values that the candidate sets.
    fn values(&self, candidate: &super::Candidate) -> Vec<(String, Value)> {
        let set = self.dimensions.iter().zip(&candidate.values);
        set.filter_map(|(dimension, value)| Some((dimension.path.clone(), dimension.toml((*value)?)))).collect()
    }
}

impl Dimension {
    fn of_box(&(path, from, to, log, size): &(&str, f64, f64, bool, bool)) -> Self {
        let integer = find(path).is_some_and(|key| matches!(key.kind, Kind::Integer { .. }));
        Self { path: path.to_owned(), from, to, log, integer, size }
    }

    fn read(path: &str, range: &Value) -> Result<Self, String> {
        let known = || KEYS.iter().filter(|key| key.kind.is_numeric());
        let Some(key) = known().find(|key| key.path == path) else {
            return Err(format!("region: {path} is no numeric key"));
        };
        let number = |name: &str| match range.get(name) {
            Some(Value::Float(number)) => Ok(*number),
            Some(Value::Integer(number)) => Ok(*number as f64),
            _ => Err(format!("region: {path}: {name} must be a number")),
        };
        let (from, to) = (number("from")?, number("to")?);
        let log = match range.get("scale").map(Value::as_str) {
            None | Some(Some("linear")) => false,
            Some(Some("log")) => true,
            _ => return Err(format!("region: {path}: scale must be \"linear\" or \"log\"")),
        };
        if from >= to || !from.is_finite() || !to.is_finite() || (log && from <= 0.0) {
            return Err(format!("region: {path}: from must be less than to, and above 0 on a log scale"));
        }
        let size = BOX.iter().any(|&(other, _, _, _, size)| other == path && size);
        let integer = matches!(key.kind, Kind::Integer { .. });
        Ok(Self { path: path.to_owned(), from, to, log, integer, size })
    }

    /// The value at a place from 0 to 1 of the range: whole, or of three significant digits.
    pub fn at(&self, place: f64) -> f64 {
        let place = place.clamp(0.0, 1.0);
        let value = if self.log {
            libm::exp(libm::log(self.from) * (1.0 - place) + libm::log(self.to) * place)
        } else {
            self.from * (1.0 - place) + self.to * place
        };
        let value = if self.integer { value.round() } else { format!("{value:.2e}").parse().unwrap_or(value) };
        value.clamp(self.from, self.to)
    }

    /// The place of a value in the range.
    pub fn place(&self, value: f64) -> f64 {
        let place = if self.log {
            (libm::log(value.max(self.from)) - libm::log(self.from)) / (libm::log(self.to) - libm::log(self.from))
        } else {
            (value - self.from) / (self.to - self.from)
        };
        place.clamp(0.0, 1.0)
    }

    fn toml(&self, value: f64) -> Value {
        if self.integer { Value::Integer(value as i64) } else { Value::Float(value) }
    }
}

/// Takes the claims of a file, and gives the one of this id.
fn take_own(fixed: &mut Table, claim: &str) -> Result<Option<Table>, RegionError> {
    let claims = match fixed.remove("claim") {
        Some(Value::Array(claims)) => claims,
        _ => return Ok(None),
    };
    let own = claims.into_iter().find(|own| own.get("id").and_then(Value::as_str) == Some(claim));
    let Some(Value::Table(mut own)) = own else { return Ok(None) };
    if !["holds", "figure", "threshold"].iter().all(|key| own.contains_key(*key)) {
        let problem = "a claim of a file that is searched has holds, figure and threshold";
        return Err(RegionError::Claim(claim.into(), problem.into()));
    }
    // A setting is searched in which it fails, not a sweep; and the setting says where it is judged.
    own.remove("slope");
    own.remove("case");
    Ok(Some(own))
}

/// A claim's id as part of a name.
fn ascii(claim: &str) -> String {
    claim.replace('Δ', "Delta").replace('ᶜ', "C").replace('λ', "lambda")
}

fn is_set(table: &Table, path: &str) -> bool {
    let (section, name) = path.split_once('.').unwrap_or((path, ""));
    matches!(table.get(section), Some(Value::Table(section)) if section.contains_key(name))
}

fn set(table: &mut Table, path: &str, value: Value) {
    let (section, name) = path.split_once('.').unwrap_or((path, ""));
    let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = section {
        section.insert(name.to_owned(), value);
    }
}

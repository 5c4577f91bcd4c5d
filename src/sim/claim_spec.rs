//! The claims that a simulation file may make, with thresholds and outcomes that are fixed before the run.

use super::error::{Place, SimulationError, one_line};
use super::fields::Fields;
use super::keys::{Kind, nearest_word};
use super::value::Value;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The outcome of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// The opposite of the claim is rejected.
    Supported,
    /// The claim is rejected.
    Refuted,
    /// Neither is rejected.
    Inconclusive,
}

/// The runs that a claim is judged on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// Runs that meet the assumptions.
    Met,
    /// Every run.
    All,
}

/// The roles that a claim takes experts to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleSource {
    /// Roles measured at t = 0.
    Measured,
    /// Roles that the pre-trained model was built with.
    Built,
}

const VERDICTS: [Verdict; 3] = [Verdict::Supported, Verdict::Refuted, Verdict::Inconclusive];
const ONS: [On; 2] = [On::Met, On::All];
const ROLE_SOURCES: [RoleSource; 2] = [RoleSource::Measured, RoleSource::Built];

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Verdict::Supported => "SUPPORTED",
            Verdict::Refuted => "REFUTED",
            Verdict::Inconclusive => "INCONCLUSIVE",
        })
    }
}

impl fmt::Display for On {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            On::Met => "met",
            On::All => "all",
        })
    }
}

impl fmt::Display for RoleSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            RoleSource::Measured => "measured",
            RoleSource::Built => "built",
        })
    }
}

/// One `[[claim]]` of a simulation file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimSpec {
    /// The claim, one of [`CLAIM_IDS`] (never an alias).
    pub id: String,
    /// The constant of the claim, if it has one.
    pub threshold: Option<f64>,
    /// The probability with which the claim must hold.
    pub level: f64,
    /// The runs that it is judged on.
    pub on: On,
    /// The roles that it takes experts to have.
    pub roles: RoleSource,
    /// The case whose points it is judged at; every point if there is none.
    pub case: Option<String>,
    /// The outcome written down before the run.
    pub expect: Option<Verdict>,
}

/// A claim that a file may name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClaimKey {
    /// The claim's name in the theory.
    pub id: &'static str,
    /// Other ways to write it.
    pub aliases: &'static [&'static str],
    /// Whether it has a constant.
    pub threshold: ThresholdRule,
}

/// Whether a claim has a constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ThresholdRule {
    /// It has none, and a file must not give one.
    None,
    /// The file must give one.
    Required {
        /// Type and legal range.
        kind: Kind,
        /// Symbol and meaning.
        meaning: &'static str,
    },
}

/// Every claim that a file may name.
pub static CLAIM_IDS: &[ClaimKey] = &[
    ClaimKey { id: "T0", aliases: &[], threshold: ThresholdRule::None },
    ClaimKey {
        id: "T1a",
        aliases: &[],
        threshold: ThresholdRule::Required {
            kind: Kind::Real { low: 0.0, high: 1e3, low_open: true },
            meaning: "c₁, which the smallest norm change of a relevant expert must reach",
        },
    },
    ClaimKey { id: "T1c", aliases: &[], threshold: ThresholdRule::None },
    ClaimKey { id: "T1c-D", aliases: &[], threshold: ThresholdRule::None },
    ClaimKey { id: "T1c-Δᶜ", aliases: &["T1c-DeltaC", "T1c-centred"], threshold: ThresholdRule::None },
    ClaimKey { id: "T2a", aliases: &[], threshold: ThresholdRule::None },
    ClaimKey {
        id: "T2b",
        aliases: &[],
        threshold: ThresholdRule::Required {
            kind: Kind::Integer { low: 1, high: 4096 },
            meaning: "c, the number of experts kept that must suffice",
        },
    },
];

/// The claim with this id or alias.
pub fn find_claim(id: &str) -> Option<&'static ClaimKey> {
    CLAIM_IDS.iter().find(|claim| claim.id == id || claim.aliases.contains(&id))
}

impl ClaimSpec {
    /// Whether the claim is judged at the points of `case`.
    pub fn applies_to(&self, case: Option<&str>) -> bool {
        self.case.is_none() || self.case.as_deref() == case
    }

    /// Reads claim `number` (from 1) of a file with these cases.
    pub(crate) fn read(file: &str, number: usize, value: toml::Value, cases: &[&str]) -> Result<Self, SimulationError> {
        const KNOWN: &[&str] = &["id", "threshold", "level", "on", "roles", "case", "expect"];
        let place = Place::File(file.into());
        let mut fields = Fields::of_value(place, format!("claim {number}"), value, KNOWN)?;
        let claim = read_id(&mut fields)?;
        fields.rename(format!("claim {}", claim.id));
        Ok(Self {
            id: claim.id.into(),
            threshold: read_threshold(&mut fields, claim)?,
            level: read_level(&mut fields)?,
            on: fields.word("on", &ONS)?.unwrap_or(On::Met),
            roles: fields.word("roles", &ROLE_SOURCES)?.unwrap_or(RoleSource::Measured),
            case: read_case(&mut fields, cases)?,
            expect: fields.word("expect", &VERDICTS)?,
        })
    }

    /// Claims that are equal in this are one claim.
    fn identity(&self) -> (&str, Option<&str>, On, RoleSource) {
        (&self.id, self.case.as_deref(), self.on, self.roles)
    }
}

/// Refuses a claim that stands twice.
pub(crate) fn check_distinct(file: &str, claims: &[ClaimSpec]) -> Result<(), SimulationError> {
    for (number, claim) in claims.iter().enumerate() {
        let earlier = &claims[..number];
        if let Some(first) = earlier.iter().position(|other| other.identity() == claim.identity()) {
            return Err(SimulationError::Conflict {
                place: Place::File(file.into()),
                key: format!("claim {}", number + 1),
                problem: format!(
                    "{} on {} by {} roles is already claim {}; change id, case, on or roles",
                    claim.id,
                    claim.on,
                    claim.roles,
                    first + 1
                ),
            });
        }
    }
    Ok(())
}

fn read_id(fields: &mut Fields) -> Result<&'static ClaimKey, SimulationError> {
    let ids: Vec<&str> = CLAIM_IDS.iter().map(|claim| claim.id).collect();
    let legal = format!("must be one of {}", ids.join(", "));
    let Some(id) = fields.text("id", &legal)? else { return Err(fields.missing("id", legal)) };
    find_claim(&id).ok_or_else(|| {
        let words = CLAIM_IDS.iter().flat_map(|claim| claim.aliases.iter().copied().chain([claim.id]));
        let nearest = nearest_word(&id, words).and_then(find_claim);
        let hint = nearest.map(|claim| format!("the nearest is {}", claim.id));
        fields.refuse("id", &toml::Value::String(id.clone()), legal).or_hint(|| hint)
    })
}

fn read_threshold(fields: &mut Fields, claim: &ClaimKey) -> Result<Option<f64>, SimulationError> {
    match (claim.threshold, fields.take("threshold")) {
        (ThresholdRule::None, None) => Ok(None),
        (ThresholdRule::None, Some(value)) => {
            Err(fields.refuse("threshold", &value, format!("claim {} takes no threshold", claim.id)))
        }
        (ThresholdRule::Required { kind, meaning }, given) => {
            let legal = format!("{} ({meaning})", kind.legal());
            let Some(value) = given else { return Err(fields.missing("threshold", legal)) };
            match kind.read_fixed(&value).as_ref().and_then(Value::number) {
                Some(threshold) => Ok(Some(threshold)),
                None => Err(fields.refuse("threshold", &value, legal)),
            }
        }
    }
}

fn read_level(fields: &mut Fields) -> Result<f64, SimulationError> {
    let Some(value) = fields.take("level") else { return Ok(0.95) };
    match super::value::number(&value) {
        Some(level) if level > 0.5 && level < 1.0 => Ok(level),
        _ => Err(fields.refuse("level", &value, "must be a number above 0.5 and below 1".into())),
    }
}

fn read_case(fields: &mut Fields, cases: &[&str]) -> Result<Option<String>, SimulationError> {
    let Some(name) = fields.text("case", "must be the name of a case")? else { return Ok(None) };
    if cases.contains(&name.as_str()) {
        return Ok(Some(name));
    }
    let legal = if cases.is_empty() { "the file has no [[case]]" } else { "there is no such case" };
    let hint = nearest_word(&name, cases.iter().copied()).map(|near| format!("the nearest is {}", one_line(near)));
    Err(fields.refuse("case", &toml::Value::String(name), legal.into()).or_hint(|| hint))
}

//! The claims that a simulation file makes, with thresholds and outcomes that are fixed before the run.

use super::claim_key::{CLAIM_IDS, ClaimKey, LAMBDA, MARGIN, RANGE, RATIO, SLOPE, ThresholdRule, find_claim};
use super::claim_words::{Feature, On, RoleSource, Verdict};
use super::error::{Place, SimulationError, one_line};
use super::fields::Fields;
use super::key::Kind;
use super::parameters::Criterion;
use super::similarity::nearest_word;
use super::value::Value;
use serde::{Deserialize, Serialize};

/// One `[[claim]]` of a simulation file, or one claim that a `[[phase]]` maps.
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
    /// The threshold of the claim's slope part: always there in a `[[claim]]` that has one, never in a map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope: Option<f64>,
    /// R of S3, above 0: the bound on the activation ranges R_s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<f64>,
    /// Λ of S3, from 0 to 1: the bound on λ₁ and λ₂.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lambda: Option<f64>,
    /// The criterion that the file's is compared with (C1, C2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Criterion>,
    /// The difference of accuracies beyond which one is better (C1, C2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// The largest pruning ratio that is compared, in place of γ (C1, C2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// The samples that accuracies are compared on, in place of all (C1, C2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<Feature>,
}

/// The difference of accuracies beyond which one is better, where a claim says nothing.
const DEFAULT_MARGIN: f64 = 0.01;

impl ClaimSpec {
    /// Whether the claim is judged at the points of `case`.
    pub fn applies_to(&self, case: Option<&str>) -> bool {
        self.case.is_none() || self.case.as_deref() == case
    }

    /// Reads claim `number` (from 1) of a file with these cases.
    pub(crate) fn read(file: &str, number: usize, value: toml::Value, cases: &[&str]) -> Result<Self, SimulationError> {
        const KNOWN: &[&str] = &[
            "id",
            "threshold",
            "level",
            "on",
            "roles",
            "case",
            "expect",
            "slope",
            "range",
            "lambda",
            "against",
            "margin",
            "ratio",
            "feature",
        ];
        let place = Place::File(file.into());
        let mut fields = Fields::of_value(place, format!("claim {number}"), value, KNOWN)?;
        let claim = read_id(&mut fields)?;
        fields.rename(format!("claim {}", claim.id));
        Ok(Self {
            id: claim.id.into(),
            threshold: read_threshold(&mut fields, claim, claim.threshold)?,
            level: read_level(&mut fields)?,
            on: fields.word("on", On::ALL)?.unwrap_or(On::Met),
            roles: fields.word("roles", RoleSource::ALL)?.unwrap_or(RoleSource::Measured),
            case: read_case(&mut fields, cases)?,
            expect: fields.word("expect", Verdict::ALL)?,
            slope: read_constant(&mut fields, claim, "slope", claim.slope.is_some(), SLOPE)?.or(claim.slope),
            range: read_required(&mut fields, claim, "range", RANGE, "R, the bound on the activation ranges R_s")?,
            lambda: read_required(&mut fields, claim, "lambda", LAMBDA, "Λ, the bound on λ₁ and λ₂")?,
            against: read_against(&mut fields, claim)?,
            margin: read_constant(&mut fields, claim, "margin", claim.against, MARGIN)?
                .or(claim.against.then_some(DEFAULT_MARGIN)),
            ratio: read_constant(&mut fields, claim, "ratio", claim.against, RATIO)?,
            feature: read_feature(&mut fields, claim)?,
        })
    }

    /// The claim as a key of messages: `claim T1a`.
    pub(crate) fn label(&self) -> String {
        format!("claim {}", self.id)
    }

    /// Whether both are one claim, up to level and expectation.
    fn is_same(&self, other: &Self) -> bool {
        let words = |claim: &Self| (claim.id.clone(), claim.case.clone(), claim.on, claim.roles);
        words(self) == words(other)
            && (self.threshold, self.slope) == (other.threshold, other.slope)
            && (self.against, self.margin, self.ratio, self.feature)
                == (other.against, other.margin, other.ratio, other.feature)
    }
}

/// Refuses a claim that stands twice.
pub(crate) fn check_distinct(file: &str, claims: &[ClaimSpec]) -> Result<(), SimulationError> {
    for (number, claim) in claims.iter().enumerate() {
        if let Some(first) = claims[..number].iter().position(|other| other.is_same(claim)) {
            let change = match (claim.threshold, claim.slope) {
                _ if claim.against.is_some() => "id, case, on, roles, against, margin, ratio or feature",
                (Some(_), Some(_)) => "id, case, on, roles, threshold or slope",
                (Some(_), None) => "id, case, on, roles or threshold",
                (None, Some(_)) => "id, case, on, roles or slope",
                (None, None) => "id, case, on or roles",
            };
            return Err(SimulationError::Conflict {
                place: Place::File(file.into()),
                key: format!("claim {}", number + 1),
                problem: format!(
                    "{} on {} by {} roles is already claim {}; change {change}",
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

/// Takes `id`, which must be a claim's.
pub(crate) fn read_id(fields: &mut Fields) -> Result<&'static ClaimKey, SimulationError> {
    read_id_among(fields, |_| true)
}

/// Takes `id`, which must be that of a claim that is `allowed`.
pub(crate) fn read_id_among(
    fields: &mut Fields,
    allowed: impl Fn(&ClaimKey) -> bool,
) -> Result<&'static ClaimKey, SimulationError> {
    let allowed: Vec<&'static ClaimKey> = CLAIM_IDS.iter().filter(|claim| allowed(claim)).collect();
    let ids: Vec<&str> = allowed.iter().map(|claim| claim.id).collect();
    let legal = format!("must be one of {}", ids.join(", "));
    let Some(id) = fields.text("id", &legal)? else { return Err(fields.missing("id", legal)) };
    if let Some(claim) = find_claim(&id).filter(|claim| ids.contains(&claim.id)) {
        return Ok(claim);
    }
    let words = allowed.iter().flat_map(|claim| claim.aliases.iter().copied().chain([claim.id]));
    let nearest = nearest_word(&id, words).and_then(find_claim);
    let hint = match find_claim(&id) {
        Some(claim) => Some(format!("claim {} is no property of one run, so it has no map", claim.id)),
        None => nearest.map(|claim| format!("the nearest is {}", claim.id)),
    };
    Err(fields.refuse("id", &toml::Value::String(id), legal).or_hint(|| hint))
}

/// Takes `threshold` by `rule`, which is the claim's in claims or in maps.
pub(crate) fn read_threshold(
    fields: &mut Fields,
    claim: &ClaimKey,
    rule: ThresholdRule,
) -> Result<Option<f64>, SimulationError> {
    match rule {
        ThresholdRule::None => read_constant(fields, claim, "threshold", false, SLOPE),
        ThresholdRule::Required { kind, meaning } => read_must(fields, "threshold", kind, meaning).map(Some),
    }
}

/// Takes `level`.
pub(crate) fn read_level(fields: &mut Fields) -> Result<f64, SimulationError> {
    let Some(value) = fields.take("level") else { return Ok(0.95) };
    match super::value::number(&value) {
        Some(level) if level > 0.5 && level < 1.0 => Ok(level),
        _ => Err(fields.refuse("level", &value, "must be a number above 0.5 and below 1".into())),
    }
}

/// Takes `case`, which must be the name of one of these cases.
pub(crate) fn read_case(fields: &mut Fields, cases: &[&str]) -> Result<Option<String>, SimulationError> {
    let Some(name) = fields.text("case", "must be the name of a case")? else { return Ok(None) };
    if cases.contains(&name.as_str()) {
        return Ok(Some(name));
    }
    let legal = if cases.is_empty() { "the file has no [[case]]" } else { "there is no such case" };
    let hint = nearest_word(&name, cases.iter().copied()).map(|near| format!("the nearest is {}", one_line(near)));
    Err(fields.refuse("case", &toml::Value::String(name), legal.into()).or_hint(|| hint))
}

/// Takes `against`, which claims that compare criteria must have, and no others.
fn read_against(fields: &mut Fields, claim: &ClaimKey) -> Result<Option<Criterion>, SimulationError> {
    let legal = format!("must be one of \"{}\"", Criterion::NAMES.join("\", \""));
    let Some(value) = fields.take("against") else {
        return if claim.against { Err(fields.missing("against", legal)) } else { Ok(None) };
    };
    if !claim.against {
        return Err(fields.refuse("against", &value, format!("claim {} takes no against", claim.id)));
    }
    let named = Criterion::ALL.iter().find(|criterion| Some(criterion.name()) == value.as_str());
    match named {
        Some(criterion) => Ok(Some(*criterion)),
        None => {
            let near = value.as_str().and_then(|word| nearest_word(word, Criterion::NAMES.iter().copied()));
            Err(fields.refuse("against", &value, legal).or_hint(|| near.map(|near| format!("the nearest is {near}"))))
        }
    }
}

/// Takes `feature`, which claims that compare criteria may have, and no others.
fn read_feature(fields: &mut Fields, claim: &ClaimKey) -> Result<Option<Feature>, SimulationError> {
    if claim.against {
        return fields.word("feature", Feature::ALL);
    }
    match fields.take("feature") {
        Some(value) => Err(fields.refuse("feature", &value, format!("claim {} takes no feature", claim.id))),
        None => Ok(None),
    }
}

/// Takes a constant that the claim may have if it is `taken`, and must not have otherwise.
fn read_constant(
    fields: &mut Fields,
    claim: &ClaimKey,
    key: &str,
    taken: bool,
    kind: Kind,
) -> Result<Option<f64>, SimulationError> {
    let Some(value) = fields.take(key) else { return Ok(None) };
    if !taken {
        // T1b has none over a sweep and needs one in a map.
        let in_maps = key == "threshold" && matches!(claim.in_maps, Some(ThresholdRule::Required { .. }));
        let outside = if in_maps { " outside [[phase]]" } else { "" };
        return Err(fields.refuse(key, &value, format!("claim {} takes no {key}{outside}", claim.id)));
    }
    match kind.read_fixed(&value).as_ref().and_then(Value::number) {
        Some(number) => Ok(Some(number)),
        None => Err(fields.refuse(key, &value, kind.legal())),
    }
}

/// Takes a constant that claims with R and Λ must have, and no others.
fn read_required(
    fields: &mut Fields,
    claim: &ClaimKey,
    key: &str,
    kind: Kind,
    meaning: &str,
) -> Result<Option<f64>, SimulationError> {
    if claim.range {
        read_must(fields, key, kind, meaning).map(Some)
    } else {
        read_constant(fields, claim, key, false, kind)
    }
}

/// Takes a constant that must be there.
fn read_must(fields: &mut Fields, key: &str, kind: Kind, meaning: &str) -> Result<f64, SimulationError> {
    let legal = format!("{} ({meaning})", kind.legal());
    let Some(value) = fields.take(key) else { return Err(fields.missing(key, legal)) };
    match kind.read_fixed(&value).as_ref().and_then(Value::number) {
        Some(number) => Ok(number),
        None => Err(fields.refuse(key, &value, legal)),
    }
}
